"""The collection: kit, data, donor, labels; as specified, partial with a reason, or failed."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from anlage.app import collection_in_effect
from anlage.base import Refused
from anlage.library import Collection, Donor, InfectiousStatus
from anlage.plant import Journey, JourneyStage
from anlage.web import act, guide
from anlage.web.here import installation
from anlage.web.reading import local, now, person_name, state

PLACE = "collection"
TYPED = ("volume", "kit", "anticoagulant", "donor", "infectious", "partial")


@require_http_methods(["GET", "POST"])
def collection(request: HttpRequest, coi: str) -> HttpResponse:
    """Show the collection as it is specified; take scans, the collection, or its failure."""
    journey = state(Journey, "journey", coi)
    here = _guide(journey)
    found = collection_in_effect(installation().engine, journey.product, now())
    if request.method == "GET":
        return _show(request, here, journey, found)
    try:
        return _take(request, here, journey, found)
    except Refused as refusal:
        stopped = guide.refused(request, here, refusal)
        return stopped or _show(request, here, journey, found, refusal)


def _take(
    request: HttpRequest, here: guide.Guide, journey: Journey, found: Collection | None
) -> HttpResponse:
    part = request.POST.get("part")
    if part == "scan":
        return guide.take_scan(request, here, journey)[1] or guide.back_to(request)
    if part == "fail":
        values = {"coi": journey.id, "reason": request.POST.get("reason", "")}
        act.do(request, "fail-collection", values)
        return redirect(f"/journeys/{journey.id}")
    asked = guide.checklist(found.checklist if found else "")
    given = guide.answers(request, asked)
    if problems := guide.open_answers(asked, given):
        raise Refused.of(problems)
    values = _values(request, guide.scanned(request, here), journey, found) | {"checks": given}
    back = f"/journeys/{journey.id}"
    return act.begin(request, "record-collection", values, back=back, shown=_labels(found, values))


def _values(
    request: HttpRequest, scans: dict[str, str], journey: Journey, found: Collection | None
) -> dict[str, Any]:
    """Give the fields of record-collection. A bag without a number of its own is the first of its
    donation.
    """
    typed = {name: request.POST.get(name, "").strip() for name in TYPED}
    donation = scans.get("donation", "")
    data = {
        one.id: _with_unit(text, one.unit)
        for one in (found.data if found else ())
        if (text := request.POST.get(f"data-{one.id}", "").strip())
    }
    return {
        **typed,
        "coi": journey.id,
        "donation": donation,
        "container": scans.get("bag") or (f"{donation}-00" if donation else ""),
        "scan": scans.get("band", ""),
        "second": scans.get("person", ""),
        "place": journey.collection_site,
        "data": data,
        "volume": _with_unit(typed["volume"], "mL"),
        "partial": typed["partial"] or None,
    }


def _with_unit(text: str, unit: str) -> str:
    plain = text.replace(",", ".")
    return plain if not plain or any(one.isalpha() for one in plain) else f"{plain} {unit}"


def _labels(found: Collection | None, values: dict[str, Any]) -> dict[str, Any]:
    """Give what the label says, so that both sign under it."""
    if found is None:
        return {}
    says = found.says(Donor(values["donor"]), InfectiousStatus(values["infectious"]))
    return {"label says": list(says)}


def _show(
    request: HttpRequest,
    here: guide.Guide,
    journey: Journey,
    found: Collection | None,
    refusal: Refused | None = None,
) -> HttpResponse:
    asked = guide.checklist(found.checklist if found else "")
    problems = refusal.problems if refusal else ()
    fields = _fields(guide.scanned(request, here))
    data = found.data if found else ()
    context = {
        "journey": journey,
        "found": found,
        "fields": fields,
        "is_read": all(one["text"] for one in fields if one["key"] != "bag"),
        "is_open": journey.stage is JourneyStage.COLLECTION_ORDERED,
        "questions": guide.questions(asked, guide.answers(request, asked)),
        "stopped": [one.path for one in problems],
        "data": [(one, request.POST.get(f"data-{one.id}", "")) for one in data],
        "typed": {name: request.POST.get(name, "") for name in TYPED},
        "donors": [str(one) for one in Donor if one is not Donor.ANY],
        "statuses": [str(one) for one in InfectiousStatus if one is not InfectiousStatus.ANY],
        "says": _says(found, journey, guide.scanned(request, here).get("donation")),
        "needs_reason": any(one.code == "collection-outside-specification" for one in problems),
        "problems": problems,
    }
    return render(request, "collection/collection.html", context, status=409 if refusal else 200)


def _label_address(
    journey: Journey, found: Collection, says: tuple[str, ...], donation: str | None
) -> str:
    """Give where the bag's labels are printed, once the donation number is known."""
    if donation is None:
        return ""
    hours = float(found.arrives_within.to("h").value) if found.arrives_within else 24.0
    fields = {
        "product": found.heading.title[:32],
        "donation": donation,
        "coi": journey.id,
        "expiry": local(now() + timedelta(hours=hours)),
        "storage": found.storage or "as ordered",
        "compound": f"=+02000={donation}00&/{journey.id}",
        "coi_code": f"&/{journey.id}",
        **{f"statement_{n + 1}": says[n] if n < len(says) else "-" for n in range(3)},
    }
    asked = {f"field-{name}": value for name, value in fields.items() if name != "donation"}
    asked |= {"layout": "collection-bag", "lot": journey.id, "step": PLACE}
    return "/labels/new?" + urlencode(asked | {"number_field": "donation", "numbers": donation})


def _says(
    found: Collection | None, journey: Journey, donation: str | None
) -> list[tuple[str, str, tuple[str, ...], str]]:
    """Give what the label says for each donor and status, and where such labels are printed; the
    page shows that of the case chosen.
    """
    if found is None:
        return []
    return [
        (str(donor), str(status), says, _label_address(journey, found, says, donation))
        for donor in Donor
        for status in InfectiousStatus
        if donor is not Donor.ANY and status is not InfectiousStatus.ANY
        for says in (found.says(donor, status),)
    ]


def _fields(scans: dict[str, str]) -> list[dict[str, Any]]:
    named = (
        ("band", _("Patient's band and bag label")),
        ("donation", _("Donation number")),
        ("bag", _("Bag number (may be none)")),
        ("person", _("Second person")),
    )
    first = next((key for key, _name in named if not scans.get(key) and key != "bag"), None)
    shown = {**scans, "person": person_name(scans["person"]) if "person" in scans else ""}
    return [
        {"key": key, "name": name, "text": shown.get(key), "is_next": key == first}
        for key, name in named
    ]


def _guide(journey: Journey) -> guide.Guide:
    return guide.Guide(
        place=PLACE,
        coi=journey.id,
        container=None,
        verdict=_("Stop. This label or band is not this patient's."),
        remedies=(
            _("Collect and label nothing until it is clear whose band and labels these are."),
            _("Ask the patient for name and date of birth; compare with band and order."),
            _("Destroy labels of another patient and tell the coordinator."),
        ),
    )


ADDRESSES = [path("journeys/<str:coi>/collection", collection)]
