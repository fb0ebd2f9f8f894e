"""Patients: every journey by stage, and one with what comes next."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import promises_of_journey, release_promises
from anlage.plant import Journey, JourneyStage
from anlage.web.actions import Action, Link, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, state

from .next import ALWAYS, NEXT

ROWS_MAX = 500
SHOWN_MAX = 24  # of each stage, where none is chosen
STAGES = tuple(
    one for one in JourneyStage if one not in {JourneyStage.UNKNOWN, JourneyStage.CANCELLED}
)
ORDER = (Action("Prescribe a product", "order-product", ("physician",), is_main=True),)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show every journey by stage."""
    asked, stage = request.GET.get("q", "").strip().lower(), request.GET.get("stage", "")
    rows = installation().rows("journeys")
    most = ROWS_MAX if stage else SHOWN_MAX
    found: list[tuple[str, list[dict[str, Any]], int]] = []
    for one in JourneyStage:
        if stage not in {"", one}:
            continue
        of_stage = rows.find(facet=one.value, limit=most, newest_first=True, text=asked)
        shown = [row for _, row in of_stage if asked in _searched(row)]
        if shown:
            found.append((one.value, shown, len(shown) if asked else rows.count(facet=one.value)))
    context = {
        "stages": found,
        "names": [one.value for one in JourneyStage if one is not JourneyStage.UNKNOWN],
        "stage": stage,
        "asked": request.GET.get("q", ""),
        "actions": links(request, ORDER, {}),
    }
    return render(request, "journeys/index.html", context)


@require_GET
def journey(request: HttpRequest, coi: str) -> HttpResponse:
    """Show one journey: its stages, what comes next, what happened."""
    found = state(Journey, "journey", coi)
    here = STAGES.index(found.stage) if found.stage in STAGES else -1
    given: dict[str, object] = {"coi": coi, **_given(found)}
    context = {
        "journey": found,
        "row": installation().rows("journeys").get(coi) or {},
        "stages": [
            (one.value, "here" if at == here else "done" if at < here else "")
            for at, one in enumerate(STAGES)
        ],
        "promises": promises_of_journey(installation(), coi),
        "told_before": release_promises(installation(), coi),
        "due": [one for one in found.due if one not in found.done],
        "facts": history("journey", coi),
        "actions": [
            *links(request, (*NEXT.get(found.stage, ()), *ALWAYS), given),
            Link(gettext("Personal data"), f"/journeys/{coi}/personal"),
        ],
    }
    return render(request, "journeys/journey.html", context)


def _searched(row: dict[str, Any]) -> str:
    names = ("coi", "product", "lot", "treatment_site")
    return " ".join(str(row.get(name)) for name in names).lower()


def _given(found: Journey) -> dict[str, object]:
    """Give the fields that the record knows already; what is scanned is never filled in."""
    match found.stage:
        case JourneyStage.ORDERED:
            return {"checks": "identity: \neligibility: \ninfectious-markers: "}
        case JourneyStage.COLLECTED:
            return {"checks": "label: \nvolume: \nintegrity: "}
        case JourneyStage.ACCEPTED:
            return {"product": found.product}
        case JourneyStage.INFUSED:
            due = [one for one in found.due if one not in found.done]
            return {"due": due[0]} if due else {}
        case _:
            return {}


MENU = (Place(group="today", order=30, path="/journeys", name=gettext_lazy("Patients")),)
ADDRESSES = [path("journeys", index), path("journeys/<str:coi>", journey)]
