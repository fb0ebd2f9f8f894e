"""The collection: performed, failed, accepted at the facility or rejected there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anlage.base import Instant, Problem, Quantity, Refused, clean_line, clean_text
from anlage.custody import Container, ContainerCreated, Evidence, create
from anlage.library import Collection, Donor, InfectiousStatus
from anlage.record import Entry

from .errors import IDENTITY, distinct
from .in_hand import in_hand
from .journey import (
    NURSE,
    STORE,
    Journey,
    JourneyStage,
    answered,
    must_have_consent,
    unusable,
)
from .journey_fact import (
    CollectionAccepted,
    CollectionFailed,
    CollectionPerformed,
    CollectionRejected,
)
from .journey_request import AcceptCollection, FailCollection, RecordCollection
from .signing import Qualified, must_sign

QUALITY = "qa-reviewer"


def record_collection(
    journey: Journey,
    request: RecordCollection,
    *,
    nurse: Qualified,
    second: Qualified,
    at: Instant,
    bag: Container | None = None,
    specification: Collection | None = None,
) -> list[Entry]:
    """Report a collection: the bag carries the chain of identity, two persons have seen it.

    Args:
        journey: The patient's journey.
        request: What was collected.
        nurse: Who collected.
        second: Who looked at the labels.
        at: The moment.
        bag: The bag as custody knows it; it must not exist yet.
        specification: How it should be collected; None where the product has none in effect.

    Raises:
        Refused: `identity-mismatch`; not ordered; the two are one person; a signature is missing;
            it is not as specified and nobody says why.
    """
    journey.must_be_at(JourneyStage.COLLECTION_ORDERED, "a collection")
    must_have_consent(journey)
    journey.must_be_same(request.scan, "label on the collection bag")
    nurse.must_be_qualified(NURSE, at)
    second.must_be_qualified(NURSE, at)
    what = f"collection for {journey.id}"
    if nurse.id == second.id:
        raise distinct(what, nurse.id, "who collected")
    shown = {"coi": journey.id, "donation": request.donation, "container": request.container}
    volume = Quantity.parse(request.volume)
    statements = _as_specified(request, specification, volume)
    performed = CollectionPerformed(
        donation=clean_line(request.donation, "donation number", limit=32),
        container=clean_line(request.container, "container", limit=96),
        volume=volume,
        kit=clean_line(request.kit, "kit") if request.kit else "",
        anticoagulant=request.anticoagulant,
        data=answered(request.data, "collection"),
        checks=answered(request.checks, "collection"),
        donor=request.donor,
        infectious=request.infectious,
        statements=statements,
        partial=clean_text(request.partial, "reason") if request.partial else None,
        nurse=nurse.id,
        second=second.id,
        signature=must_sign(
            request.signature, person=nurse, meaning="collected", what=what, shown=shown
        ),
        verified=must_sign(
            request.verified, person=second, meaning="verified", what=what, shown=shown
        ),
    )
    return [Entry(journey.stream, performed), *_begun(journey, request, performed, bag)]


def _as_specified(
    request: RecordCollection, specification: Collection | None, volume: Quantity
) -> tuple[str, ...]:
    """See that a collection is as specified, or says why not; give what its label has to say."""
    for name, given, known in (
        ("donor", request.donor, Donor),
        ("infectious status", request.infectious, InfectiousStatus),
    ):
        if given not in {str(one) for one in known} - {"any"}:
            raise unusable(name, given, ", ".join(str(one) for one in known if str(one) != "any"))
    if specification is None:
        return ()
    if request.kit or request.data:
        faults = specification.faults(
            volume=volume,
            data=request.data,
            kit=request.kit,
            anticoagulant=request.anticoagulant,
        )
        if faults and not request.partial:
            raise Refused.of(faults)
    return specification.says(Donor(request.donor), InfectiousStatus(request.infectious))


def _begun(
    journey: Journey,
    request: RecordCollection,
    performed: CollectionPerformed,
    bag: Container | None,
) -> list[Entry]:
    """Give the fact with which the custody of the patient's cells begins: the label was read."""
    if bag is None:
        return []
    created = ContainerCreated(
        vessel="bag",
        place=clean_line(request.place or journey.collection_site or "collection", "place"),
        holder=performed.nurse,
        evidence=Evidence.SCANNED,
        coi=journey.id,
        amount=performed.volume,
    )
    return create(bag, created)


def fail_collection(
    journey: Journey, request: FailCollection, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report that a collection did not give what is needed; another may be ordered.

    Raises:
        Refused: None was ordered, or the person is no collection nurse.
    """
    person.must_be_qualified(NURSE, at)
    stage = JourneyStage.COLLECTION_ORDERED
    journey.must_be_at(stage, "a failed collection", until=JourneyStage.COLLECTED)
    reason = clean_text(request.reason, "reason", limit=1000)
    return [Entry(journey.stream, CollectionFailed(reason=reason, by=person.id), why=reason)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountJudged:
    """A count of a collection against its limit.

    Attributes:
        attribute: What was counted.
        reported: The count as given; empty when none was.
        limit: The limit as a certificate prints it.
        is_acceptable: Whether it meets the limit.
        compared: What was compared with what.
    """

    attribute: str
    reported: str
    limit: str
    is_acceptable: bool
    compared: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.attribute}: {self.compared or f'not counted; limit {self.limit}'}"


def accept_collection(
    journey: Journey,
    request: AcceptCollection,
    *,
    person: Qualified,
    at: Instant,
    bag: Container | None = None,
    judged: Sequence[CountJudged] = (),
    specification: str = "",
    quality: Qualified | None = None,
) -> list[Entry]:
    """Accept the collection that arrived, or reject it.

    Args:
        journey: The patient's journey.
        request: What was read, answered and counted.
        person: Who receives.
        at: The moment.
        bag: The bag on record.
        judged: Each count that the collection's definition asks for, judged.
        specification: By which specification and version.
        quality: Who assessed counts that are missing or outside their limits.

    Raises:
        Refused: `identity-mismatch`; nothing was collected; a check fails and no reason is given;
            `collection-count-outside`: a count is missing or outside and quality has not assessed
            it.
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
    place = clean_line(request.place, "place")
    outside = [one for one in judged if not one.is_acceptable]
    if request.reject is not None:
        reason = clean_text(request.reject, "reason", limit=1000)
        rejected = CollectionRejected(
            container=request.container,
            reason=reason,
            by=person.id,
            counts={one.attribute: one.reported for one in judged if one.reported},
            specification=specification,
            outside=tuple(str(one) for one in outside if one.reported),
        )
        taken = in_hand(bag, by=person.id, place=place)
        return [Entry(journey.stream, rejected, why=reason), *taken]
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
        counts={one.attribute: one.reported for one in judged if one.reported},
        specification=specification,
        outside=tuple(map(str, outside)),
        **_assessed(journey, request, outside, specification, person, quality, at),
    )
    taken = in_hand(bag, by=person.id, place=place, to="role/operator")
    return [Entry(journey.stream, accepted), *taken]


def _assessed(
    journey: Journey,
    request: AcceptCollection,
    outside: Sequence[CountJudged],
    specification: str,
    person: Qualified,
    quality: Qualified | None,
    at: Instant,
) -> dict[str, Any]:
    """Give quality's signed assessment of counts that are not as specified; nothing when all are.

    Raises:
        Refused: `collection-count-outside` without one.
    """
    if not outside:
        return {}
    what = f"acceptance for {journey.id}"
    if quality is None or not request.assessment.strip():
        raise Refused.of(
            Problem(
                code="collection-count-outside",
                what=f"{one.attribute} of the collection for {journey.id}",
                found=one.reported or "not counted",
                limit=one.limit,
                remedy="count again, reject the collection, or have quality assess it and sign",
                rule=specification,
                path=f"counts.{one.attribute}",
            )
            for one in outside
        )
    quality.must_be_qualified(QUALITY, at)
    if quality.id == person.id:
        raise distinct(what, quality.id, "who receives it")
    assessment = clean_text(request.assessment, "assessment", limit=1000)
    shown = {"coi": journey.id, "outside": list(map(str, outside)), "assessment": assessment}
    signature = must_sign(
        request.assessed, person=quality, meaning="assessed", what=what, shown=shown
    )
    return {"assessment": assessment, "assessed": signature}
