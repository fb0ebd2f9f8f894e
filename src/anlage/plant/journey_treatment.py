"""The treating site: dose received, go for lymphodepletion, bedside, infusion, remainder,
follow-up.
"""

from datetime import timedelta

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.custody import (
    Container,
    ContainerEnded,
    End,
    Evidence,
    InfusionOrder,
    check_at_bedside,
    infuse,
)
from anlage.record import Entry

from .errors import IDENTITY, distinct
from .in_hand import after, in_hand
from .journey import PHYSICIAN, WARD, Journey, JourneyStage, answered, must_have_consent, unusable
from .journey_fact import (
    BedsideConfirmed,
    DoseOnSite,
    DoseThawed,
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
    ThawDose,
)
from .signing import Qualified, must_sign

BEDSIDE = "bedside"
TO_WARD = f"role/{WARD}"

# Long-term follow-up of gene-modified cells lasts fifteen years: five yearly visits, then every
# year by contact (FDA, Long Term Follow-Up After Administration of Human Gene Therapy, 2020).
FOLLOW_UP = (28, 90, 180, 365, *(365 * year for year in range(2, 16)))


def receive_dose(
    journey: Journey,
    request: ReceiveDose,
    *,
    person: Qualified,
    at: Instant,
    bag: Container | None = None,
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
    must_be_of(journey, bag, request.container)
    place = clean_line(request.place or journey.treatment_site or "ward", "place")
    return [Entry(journey.stream, there), *in_hand(bag, by=person.id, place=place, to=TO_WARD)]


def thaw_dose(
    journey: Journey,
    request: ThawDose,
    *,
    person: Qualified,
    at: Instant,
    bag: Container | None = None,
) -> list[Entry]:
    """Say that the dose is thawed: from now its time to the infusion runs.

    Raises:
        Refused: `identity-mismatch`; the patient was not cleared, or it was thawed already.
    """
    must_have_consent(journey)
    journey.must_be_bag(request.bag_scan, request.container)
    journey.must_be_at(JourneyStage.CLEARED, "a thaw")
    person.must_be_qualified(WARD, at)
    if request.container != journey.dose_container:
        raise _other_bag(journey, "thaw", request.container, journey.dose_container)
    if journey.thawed is not None:
        raise unusable("thaw", f"thawed at {journey.thawed.isoformat()}", "a dose still frozen")
    must_be_of(journey, bag, request.container)
    thawed = DoseThawed(container=request.container, by=person.id)
    place = bag.place if bag is not None and bag.place else "ward"
    taken = in_hand(bag, by=person.id, place=place, to=TO_WARD)
    return [Entry(journey.stream, thawed), *taken]


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
        checks=answered(request.checks, what),
        signature=must_sign(
            request.signature, person=physician, meaning="cleared", what=what, shown=shown
        ),
        second=None
        if exception is None or second is None
        else must_sign(request.second, person=second, meaning="cleared", what=what, shown=shown),
    )
    return [Entry(journey.stream, cleared, why=exception)]


def confirm_bedside(
    journey: Journey,
    request: ConfirmBedside,
    *,
    nurse: Qualified,
    second: Qualified,
    at: Instant,
    bag: Container | None = None,
    order: InfusionOrder | None = None,
) -> list[Entry]:
    """Compare patient band and bag and order beside the bed, by two persons.

    Args:
        journey: The patient's journey.
        request: What was read.
        nurse: Who reads.
        second: Who looks.
        at: The moment.
        bag: The bag on record.
        order: What was ordered: dose, expiry, time after thaw.

    Raises:
        Refused: `identity-mismatch` of band or bag; the dose is not released and on site; the
            patient was not cleared; the two are one person; dose, expiry or the time since thaw
            is not as ordered.
    """
    must_have_consent(journey)
    journey.must_be_band(request.band_scan)
    journey.must_be_bag(request.bag_scan, request.container)
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
        raise _other_bag(journey, "bedside check", request.container, journey.dose_container)
    journey.must_be_at(JourneyStage.CLEARED, "the bedside check", until=JourneyStage.CONFIRMED)
    nurse.must_be_qualified(WARD, at)
    must_be_second(second, at)
    thawed = journey.thawed or request.thawed
    checked = _checked(journey, request, bag, order, nurse.id, second.id, thawed, at)
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
        thawed=thawed,
        signature=must_sign(
            request.signature, person=nurse, meaning="confirmed", what=what, shown=shown
        ),
        verified=must_sign(
            request.verified, person=second, meaning="verified", what=what, shown=shown
        ),
    )
    return [Entry(journey.stream, confirmed), *checked]


def _checked(
    journey: Journey,
    request: ConfirmBedside,
    bag: Container | None,
    order: InfusionOrder | None,
    first: str,
    second: str,
    thawed: Instant | None,
    at: Instant,
) -> list[Entry]:
    """Give the facts of custody's own check: the bag is at the bedside, all of it agrees."""
    must_be_of(journey, bag, request.container)
    if bag is None or not bag.vessel or order is None:
        return []
    taken = in_hand(bag, by=first, place=BEDSIDE)
    return taken + check_at_bedside(
        order,
        after(bag, taken),
        band=journey.id,
        bag=request.container,
        thawed=thawed,
        first=first,
        second=second,
        at=at,
    )


def record_infusion(
    journey: Journey,
    request: RecordInfusion,
    *,
    person: Qualified,
    at: Instant,
    bag: Container | None = None,
) -> list[Entry]:
    """Report the infusion, and set the days on which the patient is looked at again.

    Raises:
        Refused: The bedside check of this bag is missing or old, the times cannot be right, or what
            was given and what is left are not what was in the bag.
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
    volume = Quantity.parse(request.volume)
    given = _given(request, bag, volume, person.id)
    performed = InfusionPerformed(
        container=request.container,
        began=request.began,
        ended=request.ended,
        volume=volume,
        is_whole=request.is_whole,
        reactions=clean_text(request.reactions, "reactions"),
        by=person.id,
        signature=must_sign(
            request.signature,
            person=person,
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
        *given,
    ]


def _given(
    request: RecordInfusion, bag: Container | None, volume: Quantity, by: str
) -> list[Entry]:
    if bag is None or not bag.vessel:
        return []
    place = bag.place or BEDSIDE
    taken = in_hand(bag, by=by, place=place) if bag.exists else []
    if request.left is not None:
        left = Quantity.parse(request.left)
    elif bag.amount is not None:
        left = Quantity(bag.amount.value - volume.to(bag.amount.unit).value, bag.amount.unit)
    else:
        left = Quantity(volume.value * 0, volume.unit)
    if request.is_whole and left.value > 0:
        raise Refused(
            "leftover-not-reconciled",
            what=f"container {bag.id}",
            found=f"{volume} given as the whole, {left} left",
            limit=f"all of {bag.amount}, or a dose that is not whole",
            remedy="say that it was not given whole, and what is left in bag and line",
            rule=IDENTITY,
        )
    given = infuse(after(bag, taken), given=volume, left=left, by=by, at=request.began)
    return taken + [Entry(one.stream, one.fact, request.began) for one in given]


def return_remainder(
    journey: Journey,
    request: ReturnRemainder,
    *,
    person: Qualified,
    at: Instant,
    bag: Container | None = None,
) -> list[Entry]:
    """Send back what is left.

    Raises:
        Refused: No dose came to this patient, or the person is not of the ward.
    """
    _must_have_dose(journey, request.container)
    person.must_be_qualified(WARD, at)
    to = clean_line(request.to, "receiver")
    said = RemainderReturned(container=request.container, to=to, by=person.id)
    place = bag.place if bag is not None and bag.place else "ward"
    is_read = _is_read(journey, request.scan, request.container)
    taken = in_hand(bag, by=person.id, place=place, to=to, is_read=is_read)
    return [Entry(journey.stream, said), *taken]


def destroy_remainder(
    journey: Journey,
    request: DestroyRemainder,
    *,
    person: Qualified,
    second: Qualified,
    bag: Container | None = None,
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
    if bag is None or not bag.exists:
        return [Entry(journey.stream, said)]
    is_read = _is_read(journey, request.scan, request.container)
    taken = in_hand(bag, by=person.id, place=bag.place or "ward", is_read=is_read)
    grade = Evidence.SCANNED if is_read else Evidence.ATTESTED_LATER
    ended = ContainerEnded(how=End.DISCARDED, holder=person.id, evidence=grade)
    return [Entry(journey.stream, said), *taken, Entry(bag.stream, ended)]


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


def _is_read(journey: Journey, scan: str | None, container: str) -> bool:
    if not scan:
        return False
    journey.must_be_bag(scan, container)
    return True


def must_be_second(second: Qualified, at: Instant) -> None:
    """See that the second person beside the bed is a ward nurse or a physician.

    Raises:
        Refused: `operator-unqualified`.
    """
    try:
        second.must_be_qualified(PHYSICIAN, at)
    except Refused:
        second.must_be_qualified(WARD, at)


def must_be_of(journey: Journey, bag: Container | None, container: str) -> None:
    """See that a bag on record holds this patient's cells and still is.

    Raises:
        Refused: `identity-mismatch`, or `dose-unavailable` for one that has ended.
    """
    if bag is None or not bag.vessel:
        return
    if bag.coi != journey.id or bag.id != container:
        found = f"{bag.id} of {bag.coi or 'nobody'}"
        raise _other_bag(journey, "container", found, f"a container of {journey.id}")
    if not bag.exists:
        raise Refused(
            "dose-unavailable",
            what=f"container {bag.id} for {journey.id}",
            found=str(bag.end),
            limit="a container that is there",
            remedy="look at the container's history",
        )


def _other_bag(journey: Journey, what: str, found: str, limit: str | None) -> Refused:
    return Refused(
        "identity-mismatch",
        what=f"{what} for {journey.id}",
        found=found[:96],
        limit=limit,
        remedy="stop; take the bag that was received for this patient",
        rule=IDENTITY,
    )


def _must_have_dose(journey: Journey, container: str) -> None:
    if container not in {journey.dose_container, journey.container}:
        raise Refused(
            "dose-unknown",
            what=f"container {container[:96]} of {journey.id}",
            found="never at this patient's site",
            limit=journey.dose_container or "no dose came",
            remedy="scan the bag again",
        )
