"""One step of a lot on one screen: start, scan, fill in, check, sign."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from anlage.app import must_name_nobody
from anlage.base import Refused
from anlage.plant import Lot, Phase, StepStatus, labels_due
from anlage.web import act
from anlage.web.here import installation
from anlage.web.reading import me, now, state

from .entry import Entered, Part, part_of, read_entry
from .screen import Screen, screen_of

FILE_MAX = 50_000_000


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, lot: str, key: str) -> HttpResponse:
    """Show the step as it stands; take what was scanned or filled in."""
    found = state(Lot, "lot", lot)
    phase = _phase(found, key)
    if request.method == "GET":
        return _show(request, found, phase, key)
    entered = read_entry(phase, request.POST)
    try:
        return _take(request, found, phase, key, entered)
    except Refused as refusal:
        fresh = state(Lot, "lot", lot)
        return _show(request, fresh, phase, key, entered=entered, refusal=refusal)


@require_POST
def attach(request: HttpRequest, lot: str, key: str) -> HttpResponse:
    """Keep a picture or file and tie it to the step."""
    given = request.FILES.get("file")
    data = given.read(FILE_MAX + 1) if given else b""
    if given is None or not 0 < len(data) <= FILE_MAX:
        raise Refused(
            "attachment-unusable",
            what="file",
            found=f"{len(data)} bytes",
            limit=f"1 to {FILE_MAX} bytes",
            remedy="choose a file",
        )
    must_name_nobody(given.name or "file", data)
    values = {
        "lot": lot,
        "step": key,
        "name": given.name or "file",
        "digest": installation().blobs.put(data),
        "media_type": given.content_type or "application/octet-stream",
        "size": len(data),
    }
    act.do(request, "attach-file", values)
    return redirect(f"/lots/{lot}/step/{key}")


def _take(request: HttpRequest, lot: Lot, phase: Phase, key: str, entered: Entered) -> HttpResponse:
    here = f"/lots/{lot.id}/step/{key}"
    part = part_of(request.POST)
    if part is Part.START:
        act.do(request, "start-step", entered.start(lot.id, key))
        return redirect(here)
    if part is Part.SCAN:
        _scan(request, lot, key, entered)
        return redirect(here)
    if part is Part.KEEP:
        act.do(request, "enter-readings", entered.readings_only(lot.id, key))
        return redirect(here)
    known = lot.steps.get(key)
    values = entered.complete(lot.id, key, known)
    shown = entered.shown(lot, phase)
    return act.begin(request, "complete-step", values, back=f"/lots/{lot.id}", shown=shown)


def _scan(request: HttpRequest, lot: Lot, key: str, entered: Entered) -> None:
    """Keep the scan, whether it fits or not; then refuse a wrong one."""
    if key not in lot.steps:
        act.do(request, "start-step", entered.start(lot.id, key))
    act.do(request, "scan-identity", {"lot": lot.id, "step": key, "raw": entered.scan or " "})
    if not state(Lot, "lot", lot.id).steps[key].scanned:
        raise Refused(
            "identity-mismatch",
            what=f"scan at step {key} of lot {lot.id}",
            found=entered.scan,
            limit=lot.identity,
            remedy="stop; put aside what was scanned and call the supervisor",
            rule="21 CFR 1271.290(b); chain of identity",
        )


def _show(
    request: HttpRequest,
    lot: Lot,
    phase: Phase,
    key: str,
    *,
    entered: Entered | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    screen: Screen = screen_of(lot, phase, key, me=me(request), at=now(), entered=entered)
    context: dict[str, Any] = {
        "lot": lot,
        "phase": phase,
        "key": key,
        "screen": screen,
        "labels": labels_due(lot, key),
        "problems": refusal.problems if refusal else (),
        "is_held": screen.step is not None and screen.step.status is StepStatus.HELD,
    }
    return render(request, "step/step.html", context, status=409 if refusal else 200)


def _phase(lot: Lot, key: str) -> Phase:
    phase = lot.phase_of(key)
    if phase is None:
        raise Refused(
            "step-unknown",
            what=f"step {key[:80]} of lot {lot.id}",
            found="not in its recipe",
            limit=", ".join(lot.ready) or "no step is ready",
            remedy="choose the step from the lot's page",
        )
    return phase


ADDRESSES = [
    path("lots/<str:lot>/step/<str:key>", step),
    path("lots/<str:lot>/step/<str:key>/file", attach),
]
