"""The board of lots, and one lot: where it stands, what stands before release, what happened."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.plant import Lot, LotStatus, before_release
from anlage.web.actions import Action, Link, links
from anlage.web.blockers import with_pages
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, now, state

from .custody import custody
from .readings import charts

ROWS_MAX = 5000
SHOWN_MAX = 200
OPEN = ("held", "made", "running")
QUALITY, RELEASER, OPERATOR = "qa-reviewer", "releaser", "operator"
BEGIN = (Action("Begin a lot", "begin-lot", (OPERATOR,), is_main=True),)
ALWAYS = (
    Action("Report a deviation", "open-deviation"),
    Action("Add a remark", "add-note"),
)
BY_STATUS: dict[LotStatus, tuple[Action, ...]] = {
    LotStatus.RUNNING: (
        Action("Record filled containers", "fill-doses", (OPERATOR,)),
        Action("Authorise an exception", "authorise-exception", (QUALITY,)),
        Action("Hold", "hold-lot", (QUALITY,)),
        Action("Terminate", "terminate-lot", (QUALITY,)),
    ),
    LotStatus.HELD: (
        Action("Resume", "resume-lot", (QUALITY,), is_main=True),
        Action("Terminate", "terminate-lot", (QUALITY,)),
    ),
    LotStatus.MADE: (
        Action("Record filled containers", "fill-doses", (OPERATOR,)),
        Action("Hold", "hold-lot", (QUALITY,)),
        Action("Ask for an exceptional release", "request-exceptional-release", ("physician",)),
        Action("Reject", "reject-lot", (RELEASER,)),
    ),
    LotStatus.RELEASED: (
        Action("Set a dose aside", "allocate-dose", ("store-keeper",)),
        Action("Recall", "recall-lot", (RELEASER,)),
    ),
}


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show the lots in work with what stands before release; the others when asked for."""
    asked, which = request.GET.get("q", "").strip().lower(), request.GET.get("which", "open")
    rows = installation().rows("lot-board")
    if which == "open":
        found = [
            row for kind in OPEN for _, row in rows.find(facet=kind, limit=ROWS_MAX, text=asked)
        ]
    else:
        found = [row for _, row in rows.find(limit=SHOWN_MAX, newest_first=True, text=asked)]
    shown = [
        row | {"style": _style(row)}
        for row in found
        if asked in f"{row['lot']} {row['coi']} {row['product']}".lower()
    ]
    if which == "open":
        shown.sort(key=lambda row: (row["style"] == "", row["created"]))
    context = {
        "rows": shown[:SHOWN_MAX],
        "total": len(shown) if asked or which == "open" else rows.count(),
        "which": which,
        "asked": request.GET.get("q", ""),
        "counts": [
            (kind, rows.count(facet=kind)) for kind in ("running", "held", "made", "released")
        ],
        "actions": links(request, BEGIN, {}),
    }
    return render(request, "lots/board.html", context)


@require_GET
def lot(request: HttpRequest, name: str) -> HttpResponse:
    """Show one lot."""
    found = state(Lot, "lot", name)
    at = now()
    offered = links(request, (*BY_STATUS.get(found.status, ()), *ALWAYS), {"lot": name})
    context = {
        "lot": found,
        "blockers": with_pages(name, before_release(found, at) if found.status.is_open else ()),
        "current": _current(found),
        "units": _units(found),
        "samples": _samples(name),
        "charts": charts(found),
        "facts": history("lot", name),
        "actions": [*_reviewing(found), *offered],
    }
    return render(request, "lots/lot.html", context)


def _reviewing(found: Lot) -> list[Link]:
    is_main = found.status is LotStatus.MADE
    return [Link(_("Review and release"), f"/lots/{found.id}/review", is_main)]


def _current(found: Lot) -> list[dict[str, Any]]:
    """Give the open and the ready steps, what can be gone on with first."""
    steps = []
    for one in found.open_steps:
        phase = found.phase_of(one.key)
        steps.append({"key": one.key, "phase": phase, "state": str(one.status), "step": one})
    for key in found.ready if found.status is LotStatus.RUNNING else ():
        steps.append({"key": key, "phase": found.phase_of(key), "state": "ready", "step": None})
    return steps


def _units(found: Lot) -> list[dict[str, Any]]:
    """Give the unit procedures of the recipe, each with how far it is."""
    units: dict[str, dict[str, Any]] = {}
    for phase in found.recipe.phases() if found.recipe else ():
        unit = units.setdefault(
            phase.unit, {"name": phase.unit, "all": 0, "done": 0, "here": False}
        )
        unit["all"] += 1
        unit["done"] += found.rounds.get(phase.id, 0) > 0
    for key in (*(one.key for one in found.open_steps), *found.ready):
        here = found.phase_of(key)
        if here is not None:
            units[here.unit]["here"] = True
    return list(units.values())


def _samples(name: str) -> list[dict[str, Any]]:
    rows = installation().rows("samples")
    found = state(Lot, "lot", name).samples
    return [row for one in found if (row := rows.get(one)) is not None]


def _style(row: dict[str, Any]) -> str:
    if row["status"] == "held" or row["failed"] or row["held"]:
        return "alarm"
    return "warn" if row["open_deviations"] else ""


MENU = (Place(group="plant", order=10, path="/lots", name=gettext_lazy("Lots")),)
ADDRESSES = [
    path("lots", board),
    path("lots/<str:name>/custody", custody),
    path("lots/<str:name>", lot),
]
