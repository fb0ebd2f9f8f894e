"""The bedside: thaw clock, band against bag against order, a second person, infusion, leftovers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from anlage.base import Refused, stamp
from anlage.plant import Journey, ScanField
from anlage.web import act, guide
from anlage.web.reading import now, state

from .screen import Bedside, bedside_of

PLACE = "bedside"


@require_http_methods(["GET", "POST"])
def bedside(request: HttpRequest, coi: str) -> HttpResponse:
    """Show the bedside as it stands; take a scan, the check, the infusion, what is left."""
    journey = state(Journey, "journey", coi)
    here = _guide(journey)
    if request.method == "GET":
        return _show(request, here, journey)
    try:
        return _take(request, here, journey)
    except Refused as refusal:
        stopped = guide.refused(request, here, refusal)
        return stopped or _show(request, here, state(Journey, "journey", coi), refusal)


def _take(request: HttpRequest, here: guide.Guide, journey: Journey) -> HttpResponse:
    match request.POST.get("part"):
        case "scan":
            return _scan(request, here, journey)
        case "check":
            return _check(request, here, journey)
        case "begin":
            guide.remember(request, here, {"began": stamp(now())})
            return guide.back_to(request)
        case "infuse":
            return _infuse(request, here, journey)
        case _:
            return _left(request, journey)


def _scan(request: HttpRequest, here: guide.Guide, journey: Journey) -> HttpResponse:
    before = bedside_of(journey, guide.scanned(request, here))
    found, stopped = guide.take_scan(request, here, journey)
    if stopped is not None:
        return stopped
    if before.mode == "thaw":
        if found.what is ScanField.BAG:
            values = {"coi": journey.id, "container": here.container, "bag_scan": found.text}
            act.do(request, "thaw-dose", values)
        # What is scanned at the water bath is not what is scanned at the bed.
        guide.forget(request, here)
    return guide.back_to(request)


def _check(request: HttpRequest, here: guide.Guide, journey: Journey) -> HttpResponse:
    scans = guide.scanned(request, here)
    screen = bedside_of(journey, scans)
    values = {
        "coi": journey.id,
        "container": here.container or "",
        "band_scan": scans.get("band", ""),
        "bag_scan": scans.get("bag", ""),
        "second": scans.get("person", ""),
    }
    shown = _order_shown(screen)
    return act.begin(request, "confirm-bedside", values, back=request.path, shown=shown)


def _infuse(request: HttpRequest, here: guide.Guide, journey: Journey) -> HttpResponse:
    began = guide.scanned(request, here).get("began")
    left = request.POST.get("left", "").replace(",", ".").strip() or "0 mL"
    values = {
        "coi": journey.id,
        "container": journey.confirmed,
        "began": began or stamp(journey.confirmed_at or now()),
        "ended": stamp(now()),
        "volume": request.POST.get("volume", "").replace(",", ".").strip(),
        "left": left,
        "is_whole": left.split(" ")[0].strip("0.") == "",
        "reactions": request.POST.get("reactions", "").strip() or "none",
    }
    return act.begin(request, "record-infusion", values, back=request.path)


def _left(request: HttpRequest, journey: Journey) -> HttpResponse:
    values: dict[str, Any] = {"coi": journey.id, "container": journey.dose_container}
    values["scan"] = request.POST.get("scan", "").strip() or None
    if request.POST.get("part") == "return":
        act.do(request, "return-remainder", values | {"to": request.POST.get("to", "")})
    else:
        more = {"method": request.POST.get("method", ""), "second": request.POST.get("second", "")}
        act.do(request, "destroy-remainder", values | more)
    return redirect(request.path)


def _order_shown(screen: Bedside) -> dict[str, Any]:
    dose = screen.lot.results.get("dose") if screen.lot else None
    return {
        "dose": dose.reported if dose else "",
        "volume": str(screen.bag.amount) if screen.bag and screen.bag.amount else "",
        "expires": stamp(screen.expires) if screen.expires else "",
    }


def _show(
    request: HttpRequest, here: guide.Guide, journey: Journey, refusal: Refused | None = None
) -> HttpResponse:
    scans = guide.scanned(request, here)
    screen = bedside_of(journey, scans)
    lot = screen.lot
    context = {
        "screen": screen,
        "journey": journey,
        "dose": lot.results.get("dose") if lot else None,
        "cells": lot.containers.get(journey.dose_container or "") if lot else None,
        "began": scans.get("began"),
        "people": act.people(),
        "problems": refusal.problems if refusal else (),
    }
    return render(request, "bedside/bedside.html", context, status=409 if refusal else 200)


def _guide(journey: Journey) -> guide.Guide:
    return guide.Guide(
        place=PLACE,
        coi=journey.id,
        container=journey.dose_container,
        verdict=_("Stop. Do not give this bag."),
        remedies=(
            _("Do not connect it; if it is connected, close the clamp now."),
            _("Stay with the patient. Put the bag aside, upright, and mark it as held."),
            _("Call the treating physician and the cell laboratory before anything else."),
            _("Report a deviation. Only a new check, from the beginning, goes on."),
        ),
    )


ADDRESSES = [path("journeys/<str:coi>/bedside", bedside)]
