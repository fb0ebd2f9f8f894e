"""Deviations: the list, and one from its opening to its disposition."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.plant import Deviation
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, me, state

ROWS_MAX = 5000
QUALITY = "qa-reviewer"
SEVERITIES = ("critical", "major", "minor")
INVESTIGATE = (
    Action("Investigate", "investigate-deviation", (), is_main=True),
    Action("Judge the severity anew", "regrade-deviation", (QUALITY,)),
)
DISPOSITION = (
    Action("Disposition", "disposition-deviation", (QUALITY,), is_main=True),
    Action("Investigate again", "investigate-deviation"),
    Action("Judge the severity anew", "regrade-deviation", (QUALITY,)),
)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the deviations, open ones with the gravest first."""
    which, asked = request.GET.get("which", "open"), request.GET.get("q", "").strip().lower()
    kinds = ("open",) if which == "open" else ("open", "closed")
    rows = installation().rows("deviations")
    found = [
        row | {"style": _style(row)}
        for kind in kinds
        for _, row in rows.find(facet=kind, limit=ROWS_MAX)
        if asked in f"{row['deviation']} {row.get('title')} {row.get('lot')}".lower()
    ]
    found.sort(key=lambda row: (row["state"] == "closed", SEVERITIES.index(row["severity"])))
    context = {"rows": found, "which": which, "asked": request.GET.get("q", "")}
    return render(request, "deviations/index.html", context)


@require_GET
def deviation(request: HttpRequest, name: str) -> HttpResponse:
    """Show one deviation."""
    found = state(Deviation, "deviation", name)
    offered: tuple[Action, ...] = () if found.closed else DISPOSITION
    if found.investigator is None:
        offered = INVESTIGATE
    open_actions = [one for id, one in found.actions.items() if id not in found.done]
    context = {
        "deviation": found,
        "row": installation().rows("deviations").get(name) or {},
        "style": _style(installation().rows("deviations").get(name) or {}),
        "open_actions": open_actions,
        "facts": history("deviation", name),
        "actions": links(request, offered, {"deviation": name}) if _may(request) else [],
    }
    return render(request, "deviations/deviation.html", context)


def _may(request: HttpRequest) -> bool:
    return bool(me(request).roles - {"inspector"})


def _style(row: dict[str, Any]) -> str:
    if row.get("state") == "closed":
        return ""
    return "alarm" if row.get("severity") == "critical" else "warn"


MENU = (Place(group="plant", order=40, path="/deviations", name=gettext_lazy("Deviations")),)
ADDRESSES = [path("deviations", index), path("deviations/<str:name>", deviation)]
