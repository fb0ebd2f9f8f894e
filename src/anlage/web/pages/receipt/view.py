"""Receipt of the starting material: scanned, asked about, accepted or rejected with reasons."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from anlage.app import collection_in_effect, counts_asked
from anlage.base import Refused
from anlage.custody import Container
from anlage.library import Checklist, Collection, Criterion
from anlage.plant import Journey, JourneyStage
from anlage.record import Stream
from anlage.web import act, guide
from anlage.web.here import installation
from anlage.web.reading import now, state

PLACE = "receipt"
OUTSIDE = "collection-count-outside"
STOPS = frozenset({"checklist-stops", OUTSIDE})


@require_http_methods(["GET", "POST"])
def receipt(request: HttpRequest, coi: str) -> HttpResponse:
    """Show what arrives; take a scan, then accept it or reject it."""
    journey = state(Journey, "journey", coi)
    here = _guide(journey)
    found = collection_in_effect(installation().engine, journey.product, now())
    asked = guide.checklist(found.receipt if found else "")
    if request.method == "GET":
        return _show(request, here, journey, found, asked)
    try:
        return _take(request, here, journey, asked)
    except Refused as refusal:
        stopped = guide.refused(request, here, refusal)
        return stopped or _show(request, here, journey, found, asked, refusal)


def _take(
    request: HttpRequest, here: guide.Guide, journey: Journey, asked: Checklist | None
) -> HttpResponse:
    if request.POST.get("part") == "scan":
        return guide.take_scan(request, here, journey)[1] or guide.back_to(request)
    scans, given = guide.scanned(request, here), guide.answers(request, asked)
    counts = _counts(request, journey)
    values: dict[str, Any] = {
        "counts": {one.attribute: text for one, text in counts if text},
        "coi": journey.id,
        "container": scans.get("bag") or journey.container,
        "scan": scans.get("band", ""),
        "place": PLACE,
    }
    problems = guide.open_answers(asked, given)
    if request.POST.get("part") == "reject":
        stops = [one.what for one in problems if one.code == "checklist-stops"]
        said = request.POST.get("reason", "").strip()
        values["reject"] = "; ".join([*([said] if said else []), *stops])
    elif problems:
        raise Refused.of(problems)
    else:
        values["checks"] = dict.fromkeys(given, "pass")
        values["assessment"] = request.POST.get("assessment", "").strip()
        values["assessed_by"] = request.POST.get("assessed_by", "").strip()
    back = f"/journeys/{journey.id}"
    answer = act.begin(request, "accept-collection", values, back=back)
    guide.forget(request, here)
    return answer


def _counts(request: HttpRequest, journey: Journey) -> list[tuple[Criterion, str]]:
    """Give what has to be counted, with what was filled in; a bare number takes the unit."""
    asked = counts_asked(installation().engine, journey.product, now())
    found = []
    for one in asked:
        text = request.POST.get(f"count-{one.attribute}", "").strip()
        is_bare = text.replace(".", "", 1).isdigit()
        found.append((one, f"{text} {one.unit}" if is_bare else text))
    return found


def _show(
    request: HttpRequest,
    here: guide.Guide,
    journey: Journey,
    found: Collection | None,
    asked: Checklist | None,
    refusal: Refused | None = None,
) -> HttpResponse:
    scans = guide.scanned(request, here)
    problems = refusal.problems if refusal else ()
    bag = installation().engine.state(Container, Stream(f"container/{journey.container or '-'}"))
    fields = [
        {"name": _("Label on the bag"), "text": scans.get("band"), "is_next": "band" not in scans},
        {"name": _("Bag number"), "text": scans.get("bag"), "is_next": False},
    ]
    context = {
        "journey": journey,
        "bag": bag if bag.vessel else None,
        "fields": fields,
        "is_read": "band" in scans,
        "is_open": journey.stage is JourneyStage.COLLECTED,
        "questions": guide.questions(asked, guide.answers(request, asked)),
        "stopped": [one.path for one in problems],
        "is_stopped": any(one.code in STOPS for one in problems),
        "counts": _counts(request, journey),
        "is_outside": any(one.code == OUTSIDE for one in problems),
        "assessment": request.POST.get("assessment", ""),
        "people": act.people() if any(one.code == OUTSIDE for one in problems) else (),
        "problems": problems,
        **_performed(journey, found),
    }
    return render(request, "receipt/receipt.html", context, status=409 if refusal else 200)


def _performed(journey: Journey, found: Collection | None) -> dict[str, Any]:
    """Give what was collected, and how old it is against how old it may be."""
    facts = installation().journal.read_stream(journey.stream)
    told = next((one for one in reversed(facts) if one.kind == "collection-performed"), None)
    if told is None:
        return {"collected": None, "age": None}
    limit = found.arrives_within if found else None
    ends = told.happened + timedelta(hours=float(limit.to("h").value)) if limit else None
    age = {"at": told.happened, "ends": ends, "is_late": ends is not None and now() > ends}
    return {"collected": told.fact, "age": age}


def _guide(journey: Journey) -> guide.Guide:
    return guide.Guide(
        place=PLACE,
        coi=journey.id,
        container=journey.container,
        verdict=_("Stop. This is not the bag that was expected."),
        remedies=(
            _("Put it into quarantine at its temperature; open nothing."),
            _("Look at order and label again; scan every bag of the shipment."),
            _("Call coordinator and quality; the sender has to be told at once."),
        ),
    )


ADDRESSES = [path("journeys/<str:coi>/receipt", receipt)]
