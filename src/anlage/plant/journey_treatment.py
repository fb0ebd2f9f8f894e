"""The treating site: dose received, go for lymphodepletion, bedside, infusion, remainder,
follow-up.
"""

from datetime import timedelta

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.record import Entry

from .errors import IDENTITY, distinct
from .journey import PHYSICIAN, WARD, Journey, JourneyStage, must_have_consent, unusable
from .journey_fact import (
    BedsideConfirmed,
    DoseOnSite,
    FollowUpDone,
    FollowUpPlanned,
    InfusionPerformed,
    LymphodepletionCleared,
    RemainderDestroyed,
    RemainderReturned,
)
from .journey_request import (
    ClearLymphodepletion,
    ConfirmBedside,
    DestroyRemainder,
    ReceiveDose,
    RecordFollowUp,
    RecordInfusion,
    ReturnRemainder,
)
from .signing import Qualified, must_sign

# Long-term follow-up of gene-modified cells lasts fifteen years: five yearly visits, then every
# year by contact (FDA, Long Term Follow-Up After Administration of Human Gene Therapy, 2020).
FOLLOW_UP = (28, 90, 180, 365, *(365 * year for year in range(2, 16)))


def receive_dose(
    journey: Journey, request: ReceiveDose, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report that the dose is at the treating site.

    Raises:
        Refused: `identity-mismatch`; it was not released; it is not intact.
    """
    stage = JourneyStage.DOSE_RELEASED
    journey.must_be_at(stage, "a dose on site", until=JourneyStage.CLEARED)
    journey.must_be_same(request.scan, "label on the dose")
    person.must_be_qualified(WARD, at)
    if request.integrity != "intact":
        raise Refused(
            "dose-unavailable",
            what=f"dose {request.container} for {journey.id}",
            found=request.integrity[:80],
            limit="intact",
            remedy="quarantine it and call the maker; report a deviation",
        )
    there = DoseOnSite(
        container=clean_line(request.container, "container", limit=96),
        scan=request.scan,
        integrity=request.integrity,
        by=person.id,
        shipment=request.shipment,
    )
    return [Entry(journey.stream, there)]


def clear_lymphodepletion(
    journey: Journey,
    request: ClearLymphodepletion,
    *,
    physician: Qualified,
    second: Qualified | None,
    at: Instant,
) -> list[Entry]:
    """Let the patient be prepared: the dose is released and on site, or a written exception.

    Raises:
        Refused: Neither holds, consent is missing, or a signature is.
    """
    must_have_consent(journey)
    physician.must_be_qualified(PHYSICIAN, at)
    ready = journey.is_released and journey.on_site
    if not ready and not request.exception:
        raise Refused(
            "journey-out-of-order",
            what=f"lymphodepletion of {journey.id}",
            found=f"dose {'released' if journey.is_released else 'not released'}, "
            f"{'on site' if journey.on_site else 'not on site'}",
            limit="the dose released and on site, or a written exception",
            remedy="wait for the dose, or write the exception and have a second physician sign it",
            rule="go for lymphodepletion",
        )
    first = JourneyStage.MAKING if request.exception else JourneyStage.ON_SITE
    journey.must_be_at(first, "lymphodepletion", until=JourneyStage.ON_SITE)
    exception = clean_text(request.exception, "exception") if request.exception else None
    shown = {"coi": journey.id, "exception": exception}
    what = f"lymphodepletion of {journey.id}"
    if exception is not None and second is None:
        raise Refused(
            "signature-missing",
            what=what,
            found="no second person",
            limit="a second, distinct physician under a written exception",
            remedy="ask a second physician",
        )
    if second is not None and second.id == physician.id:
        raise distinct(what, second.id, "the physician")
    cleared = LymphodepletionCleared(
        basis="exception" if exception else "dose released and on site",
        by=physician.id,
        exception=exception,
        signature=must_sign(
            request.signature, person=physician.id, meaning="cleared", what=what, shown=shown
        ),
        second=None
        if exception is None or second is None
        else must_sign(request.second, person=second.id, meaning="cleared", what=what, shown=shown),
    )
    return [Entry(journey.stream, cleared, why=exception)]


def confirm_bedside(
    journey: Journey, request: ConfirmBedside, *, nurse: Qualified, second: Qualified, at: Instant
) -> list[Entry]:
    """Compare patient band and bag beside the bed, by two persons.

    Raises:
        Refused: `identity-mismatch` of band or bag; the dose is not released and on site; the
            patient was not cleared; the two are one person.
    """
    must_have_consent(journey)
    journey.must_be_same(request.band_scan, "patient band")
    journey.must_be_same(request.bag_scan, "bag")
    if not (journey.is_released and journey.on_site):
        raise Refused(
            "dose-unavailable",
            what=f"dose for {journey.id}",
            found="not released" if not journey.is_released else "not on site",
            limit="released and on site",
            remedy="wait for the release",
            rule="EU GMP Annex 11, 15",
        )
    if request.container != journey.dose_container:
        raise Refused(
            "identity-mismatch",
            what=f"bag for {journey.id}",
            found=request.container[:96],
            limit=journey.dose_container,
            remedy="stop; take the bag that was received for this patient",
            rule=IDENTITY,
        )
    journey.must_be_at(JourneyStage.CLEARED, "the bedside check", until=JourneyStage.CONFIRMED)
    nurse.must_be_qualified(WARD, at)
    what = f"bedside check for {journey.id}"
    if nurse.id == second.id:
        raise distinct(what, nurse.id, "who read first")
    shown = {"coi": journey.id, "container": request.container}
    confirmed = BedsideConfirmed(
        container=request.container,
        band_scan=request.band_scan,
        bag_scan=request.bag_scan,
        nurse=nurse.id,
        second=second.id,
        dose=Quantity.parse(request.dose) if request.dose else None,
        thawed=request.thawed,
        signature=must_sign(
            request.signature, person=nurse.id, meaning="confirmed", what=what, shown=shown
        ),
        verified=must_sign(
            request.verified, person=second.id, meaning="verified", what=what, shown=shown
        ),
    )
    return [Entry(journey.stream, confirmed)]


def record_infusion(
    journey: Journey, request: RecordInfusion, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report the infusion, and set the days on which the patient is looked at again.

    Raises:
        Refused: The bedside check of this bag is missing, or the times cannot be right.
    """
    journey.must_be_at(JourneyStage.CONFIRMED, "an infusion")
    person.must_be_qualified(WARD, at)
    if request.container != journey.confirmed:
        raise Refused(
            "identity-mismatch",
            what=f"infusion for {journey.id}",
            found=request.container[:96],
            limit=journey.confirmed,
            remedy="stop; only the bag that was confirmed may be given",
            rule=IDENTITY,
        )
    if not request.began <= request.ended <= at + timedelta(minutes=5):
        found = f"{request.began.isoformat()} to {request.ended.isoformat()}"
        raise unusable("time of the infusion", found, "a begin before its end, not in the future")
    performed = InfusionPerformed(
        container=request.container,
        began=request.began,
        ended=request.ended,
        volume=Quantity.parse(request.volume),
        is_whole=request.is_whole,
        reactions=clean_text(request.reactions, "reactions"),
        by=person.id,
        signature=must_sign(
            request.signature,
            person=person.id,
            meaning="infused",
            what=f"infusion for {journey.id}",
            shown={"coi": journey.id, "container": request.container},
        ),
    )
    day = request.began.date()
    due = tuple((day + timedelta(days=ahead)).isoformat() for ahead in FOLLOW_UP)
    return [
        Entry(journey.stream, performed, request.began),
        Entry(journey.stream, FollowUpPlanned(due=due)),
    ]


def return_remainder(
    journey: Journey, request: ReturnRemainder, *, person: Qualified
) -> list[Entry]:
    """Send back what is left.

    Raises:
        Refused: No dose came to this patient.
    """
    _must_have_dose(journey, request.container)
    to = clean_line(request.to, "receiver")
    said = RemainderReturned(container=request.container, to=to, by=person.id)
    return [Entry(journey.stream, said)]


def destroy_remainder(
    journey: Journey, request: DestroyRemainder, *, person: Qualified, second: Qualified
) -> list[Entry]:
    """Destroy what is left before a witness.

    Raises:
        Refused: No dose came to this patient, or the two are one person.
    """
    _must_have_dose(journey, request.container)
    if person.id == second.id:
        raise distinct(f"destruction of {request.container}", person.id, "who destroyed it")
    method = clean_line(request.method, "method")
    said = RemainderDestroyed(
        container=request.container, method=method, by=person.id, second=second.id
    )
    return [Entry(journey.stream, said)]


def record_follow_up(
    journey: Journey, request: RecordFollowUp, *, person: Qualified
) -> list[Entry]:
    """Report a follow-up visit.

    Raises:
        Refused: No visit is due on that day, or it was reported.
    """
    if request.due not in journey.due or request.due in journey.done:
        found = request.due[:20]
        open_ones = [one for one in journey.due if one not in journey.done]
        raise unusable("follow-up", found, ", ".join(open_ones[:6]) or "none is due")
    summary = clean_text(request.summary, "summary")
    done = FollowUpDone(due=request.due, by=person.id, summary=summary)
    return [Entry(journey.stream, done)]


def _must_have_dose(journey: Journey, container: str) -> None:
    if container not in {journey.dose_container, journey.container}:
        raise Refused(
            "dose-unknown",
            what=f"container {container[:96]} of {journey.id}",
            found="never at this patient's site",
            limit=journey.dose_container or "no dose came",
            remedy="scan the bag again",
        )
