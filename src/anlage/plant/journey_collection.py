"""The collection: performed, failed, accepted at the facility or rejected there."""

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.record import Entry

from .errors import IDENTITY, distinct
from .journey import NURSE, STORE, Journey, JourneyStage, must_have_consent
from .journey_fact import (
    CollectionAccepted,
    CollectionFailed,
    CollectionPerformed,
    CollectionRejected,
)
from .journey_request import AcceptCollection, FailCollection, RecordCollection
from .signing import Qualified, must_sign


def record_collection(
    journey: Journey,
    request: RecordCollection,
    *,
    nurse: Qualified,
    second: Qualified,
    at: Instant,
) -> list[Entry]:
    """Report a collection: the bag carries the chain of identity, two persons have seen it.

    Raises:
        Refused: `identity-mismatch`; not ordered; the two are one person; a signature is missing.
    """
    journey.must_be_at(JourneyStage.COLLECTION_ORDERED, "a collection")
    must_have_consent(journey)
    journey.must_be_same(request.scan, "label on the collection bag")
    nurse.must_be_qualified(NURSE, at)
    what = f"collection for {journey.id}"
    if nurse.id == second.id:
        raise distinct(what, nurse.id, "who collected")
    shown = {"coi": journey.id, "donation": request.donation, "container": request.container}
    performed = CollectionPerformed(
        donation=clean_line(request.donation, "donation number", limit=32),
        container=clean_line(request.container, "container", limit=96),
        volume=Quantity.parse(request.volume),
        nurse=nurse.id,
        second=second.id,
        signature=must_sign(
            request.signature, person=nurse.id, meaning="collected", what=what, shown=shown
        ),
        verified=must_sign(
            request.verified, person=second.id, meaning="verified", what=what, shown=shown
        ),
    )
    return [Entry(journey.stream, performed)]


def fail_collection(journey: Journey, request: FailCollection, *, person: Qualified) -> list[Entry]:
    """Report that a collection did not give what is needed; another may be ordered.

    Raises:
        Refused: None was ordered.
    """
    stage = JourneyStage.COLLECTION_ORDERED
    journey.must_be_at(stage, "a failed collection", until=JourneyStage.COLLECTED)
    reason = clean_text(request.reason, "reason", limit=1000)
    return [Entry(journey.stream, CollectionFailed(reason=reason, by=person.id), why=reason)]


def accept_collection(
    journey: Journey, request: AcceptCollection, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Accept the collection that arrived, or reject it.

    Raises:
        Refused: `identity-mismatch`; nothing was collected; a check fails and no reason is given.
    """
    journey.must_be_at(JourneyStage.COLLECTED, "an acceptance")
    journey.must_be_same(request.scan, "label on the collection bag")
    if request.container != journey.container:
        raise Refused(
            "identity-mismatch",
            what=f"collection for {journey.id}",
            found=request.container[:96],
            limit=journey.container,
            remedy="stop; scan the bag that was collected",
            rule=IDENTITY,
        )
    person.must_be_qualified(STORE, at)
    if request.reject is not None:
        reason = clean_text(request.reject, "reason", limit=1000)
        rejected = CollectionRejected(container=request.container, reason=reason, by=person.id)
        return [Entry(journey.stream, rejected, why=reason)]
    failed = [name for name, given in request.checks.items() if given != "pass"]
    if failed or not request.temperature_ok:
        raise Refused(
            "journey-out-of-order",
            what=f"acceptance for {journey.id}",
            found=", ".join(failed) or "a temperature excursion",
            limit="every check passed",
            remedy="reject the collection with a reason, or have QA assess the excursion first",
            rule="21 CFR 1271.265",
        )
    accepted = CollectionAccepted(
        container=request.container,
        checks=dict(request.checks),
        temperature_ok=request.temperature_ok,
        by=person.id,
    )
    return [Entry(journey.stream, accepted)]
