"""Go for lymphodepletion: the dose released and on site and the patient fit, or an exception."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from anlage.base import Refused
from anlage.library import Checklist
from anlage.plant import Journey, JourneyStage
from anlage.web import act, guide
from anlage.web.reading import state

# What the record answers by itself; nobody is asked what is known.
KNOWN = frozenset({"released", "on-site"})
OPEN = frozenset({JourneyStage.MAKING, JourneyStage.DOSE_RELEASED, JourneyStage.ON_SITE})


@require_http_methods(["GET", "POST"])
def lymphodepletion(request: HttpRequest, coi: str) -> HttpResponse:
    """Show what stands before the preparation of the patient; take the physician's word."""
    journey = state(Journey, "journey", coi)
    asked = guide.checklist("before-lymphodepletion")
    if request.method == "GET":
        return _show(request, journey, asked)
    try:
        return _take(request, journey, asked)
    except Refused as refusal:
        return _show(request, journey, asked, refusal)


def _take(request: HttpRequest, journey: Journey, asked: Checklist | None) -> HttpResponse:
    exception = request.POST.get("exception", "").strip() or None
    given = guide.answers(request, asked)
    known = {"released": journey.is_released, "on-site": journey.on_site}
    given |= {name: "yes" if is_so else "no" for name, is_so in known.items()}
    problems = guide.open_answers(asked, given)
    if exception:
        # The exception stands for the dose alone; an unfit patient is not prepared by any.
        problems = [one for one in problems if one.path not in KNOWN]
    if problems:
        raise Refused.of(problems)
    values: dict[str, Any] = {"coi": journey.id, "exception": exception, "checks": given}
    if exception:
        values["second_by"] = request.POST.get("signer-second") or None
    return act.begin(request, "clear-lymphodepletion", values, back=f"/journeys/{journey.id}")


def _show(
    request: HttpRequest,
    journey: Journey,
    asked: Checklist | None,
    refusal: Refused | None = None,
) -> HttpResponse:
    problems = refusal.problems if refusal else ()
    lights = [
        (_("Consent"), journey.has_consent, _("given"), _("missing or withdrawn")),
        (_("Dose released"), journey.is_released, journey.lot or "", _("not released")),
        (_("Dose on site"), journey.on_site, journey.dose_container or "", _("not on site")),
    ]
    context = {
        "journey": journey,
        "lights": lights,
        "is_open": journey.stage in OPEN,
        "is_ready": all(is_so for _name, is_so, _good, _bad in lights),
        "questions": guide.questions(asked, guide.answers(request, asked), left_out=KNOWN),
        "stopped": [one.path for one in problems],
        "exception": request.POST.get("exception", ""),
        "people": act.people(),
        "problems": problems,
    }
    status = 409 if refusal else 200
    return render(request, "lymphodepletion/lymphodepletion.html", context, status=status)


ADDRESSES = [path("journeys/<str:coi>/lymphodepletion", lymphodepletion)]
