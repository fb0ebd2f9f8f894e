"""What the guided pages share: a scan lands in the field that it belongs to, a wrong one stops.

What was scanned so far is kept in the person's session until the act is done; the journal keeps
every scan at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from anlage.base import Problem, Refused
from anlage.library import Checklist, Definition, Item, Person
from anlage.plant import Journey, Landing, ScanField, landing
from anlage.record import Stream

from . import act
from .here import installation
from .reading import now

SESSION = "guide"
KEPT_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """One guided act for one patient.

    Attributes:
        place: collection, receipt or bedside.
        coi: The patient.
        container: The container that should be at hand; None before it has a number.
        verdict: What the stop page says first.
        remedies: What to do then, in order.
    """

    place: str
    coi: str
    container: str | None
    verdict: str
    remedies: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its place in the session."""
        return f"{self.place}/{self.coi}"


def scanned(request: HttpRequest, guide: Guide) -> dict[str, str]:
    """Give what was scanned so far, by field."""
    return dict(request.session.get(SESSION, {}).get(guide.key, {}))


def remember(request: HttpRequest, guide: Guide, values: Mapping[str, str]) -> None:
    """Keep values in the session beside what was scanned."""
    kept = dict(request.session.get(SESSION, {}))
    mine = {**kept.pop(guide.key, {}), **values}
    request.session[SESSION] = dict(list(kept.items())[1 - KEPT_MAX :]) | {guide.key: mine}


def forget(request: HttpRequest, guide: Guide) -> None:
    """Forget what was scanned."""
    kept = dict(request.session.get(SESSION, {}))
    kept.pop(guide.key, None)
    request.session[SESSION] = kept


def take_scan(
    request: HttpRequest, guide: Guide, journey: Journey
) -> tuple[Landing, HttpResponse | None]:
    """Keep a scan and give where it lands, with the stop page when it is not this patient's."""
    raw = request.POST.get("scan", "").strip()[:300]
    found = landing(journey, raw, container=guide.container, is_person=_works_here)
    values = {"coi": guide.coi, "place": guide.place, "raw": raw or " "}
    if guide.container:
        values["container"] = guide.container
    if not found.is_match:
        values["digest"] = installation().vault.put(guide.coi, "scan", raw)
    act.do(request, "read-patient-scan", values)
    if not found.is_match:
        forget(request, guide)
        problem = _mismatch(guide, found)
        return found, stop(request, guide, [problem])
    remember(request, guide, {str(found.what): found.text})
    return found, None


def stop(request: HttpRequest, guide: Guide, problems: list[Problem]) -> HttpResponse:
    """Show the full-screen stop: what was found, what should have been, what to do now."""
    context = {"guide": guide, "problems_shown": problems, "again": request.path}
    return render(request, "stop.html", context, status=409)


def refused(request: HttpRequest, guide: Guide, refusal: Refused) -> HttpResponse | None:
    """Give the stop page for a refusal that stops at the patient; None for any other."""
    if any(one.code in STOPS for one in refusal.problems):
        forget(request, guide)
        return stop(request, guide, list(refusal.problems))
    return None


STOPS = frozenset(
    {
        "identity-mismatch",
        "dose-unavailable",
        "product-expired",
        "thaw-clock-run-out",
        "dose-outside-order",
        "consent-missing",
    }
)


def checklist(id: str) -> Checklist | None:
    """Give a checklist in effect; None where there is none."""
    if not id:
        return None
    stream = Stream(f"definition/checklist:{id}")
    version = installation().engine.state(Definition, stream).effective(now())
    return Checklist.read(version.content) if version is not None else None


def answers(request: HttpRequest, found: Checklist | None) -> dict[str, str]:
    """Give the answers of a checklist as they were sent."""
    items = found.items if found else ()
    given = {one.id: request.POST.get(f"answer-{one.id}", "").strip() for one in items}
    return {id: text for id, text in given.items() if text}


def questions(
    found: Checklist | None, given: Mapping[str, str], *, left_out: frozenset[str] = frozenset()
) -> list[tuple[Item, str]]:
    """Give the questions with what was answered."""
    items = found.items if found else ()
    return [(one, given.get(one.id, "")) for one in items if one.id not in left_out]


def open_answers(found: Checklist | None, given: Mapping[str, str]) -> list[Problem]:
    """Give what is not answered, or is answered so that the work stops."""
    items = found.items if found else ()
    return [problem for one in items if (problem := one.judge(given.get(one.id))) is not None]


def back_to(request: HttpRequest) -> HttpResponse:
    """Go back to the page itself, so that a reload scans nothing twice."""
    return redirect(request.path)


def clock_speed() -> float:
    """Give how many plant seconds pass in one second."""
    return float(getattr(installation().clock, "speed", 1.0))


def _works_here(text: str) -> bool:
    if not text or len(text) > 40 or "/" in text or " " in text:
        return False
    row = installation().rows("people").get(text)
    return (
        row is not None and installation().engine.state(Person, Stream(f"person/{text}")).is_active
    )


def _mismatch(guide: Guide, found: Landing) -> Problem:
    limits = {
        ScanField.BAND: guide.coi,
        ScanField.BAG: guide.container or "a container of this patient",
        ScanField.DONATION: "the donation number of this patient",
    }
    return Problem(
        code="identity-mismatch",
        what=f"{found.what} at the {guide.place} of {guide.coi}",
        found=found.text[:120] or "nothing that can be read",
        limit=limits.get(found.what, "a band, a bag's label or a badge"),
        remedy="stop; see what to do on this page",
        rule="21 CFR 1271.290(b); chain of identity",
    )
