"""What stands before release, and the reviews: by exception, page by page, of the audit trail."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from anlage.base import Instant, Refused, clean_text
from anlage.record import Entry, Signature

from .errors import GMP, distinct
from .label_need import labels_unaccounted
from .lot import Lot, LotStatus, Remark, StepStatus
from .lot_fact import AuditTrailReviewed, BatchReviewed
from .recipe import Purpose
from .recipe_check import earliest
from .recipe_labels import RULE as LABEL_RULE
from .signing import Qualified, must_sign

REVIEWER = "qa-reviewer"
REVIEW_RULE = "EU GMP Annex 11, 9; 21 CFR 11.10(e)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """One thing that stands before release.

    Attributes:
        code: Its kind, in kebab-case.
        what: What it is, as a sentence part.
        owner: The role that can take it away.
        expected: When that is expected; None when nobody can say.
        remedy: What to do.
        subject: The step, deviation, sample or attribute.
    """

    code: str
    what: str
    owner: str
    expected: Instant | None
    remedy: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBatch:
    """Sign the review of a batch record.

    Attributes:
        lot: The lot.
        through: Version of the lot's stream that was on the screen.
        is_full: True for page by page.
        comment: What the reviewer has to say.
        signature: The reviewer's.
    """

    lot: str
    through: int
    comment: str
    is_full: bool = False
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAuditTrail:
    """Sign the review of who changed what, when and why."""

    lot: str
    through: int
    comment: str
    signature: Signature | None = None


def before_release(lot: Lot, at: Instant) -> tuple[Blocker, ...]:
    """Give everything that stands before release, with owner and expected date."""
    return tuple(_blockers(lot, at))


def not_plain(lot: Lot) -> tuple[Remark, ...]:
    """Give every entry that is not plain, exceptional authorisations first."""
    return tuple(sorted(lot.remarks, key=lambda one: (one.rank, one.number)))


def shown_review(lot: Lot, through: int, *, is_full: bool) -> dict[str, object]:
    """Give the values under a review's signature."""
    return {
        "lot": lot.id,
        "through": through,
        "is_full": is_full,
        "exceptions": len(lot.remarks),
        "control_recipe": lot.digest,
    }


def review_batch(lot: Lot, request: ReviewBatch, *, person: Qualified, at: Instant) -> list[Entry]:
    """Sign the review of a batch record.

    Raises:
        Refused: The lot is not made, something happened since the page was shown, or the reviewer
            took part in making it.
    """
    _must_be_reviewable(lot, request.through, person, at)
    signature = must_sign(
        request.signature,
        person=person,
        meaning="reviewed",
        what=f"batch review of lot {lot.id}",
        shown=shown_review(lot, request.through, is_full=request.is_full),
    )
    reviewed = BatchReviewed(
        reviewer=person.id,
        through=request.through,
        exceptions=len(lot.remarks),
        is_full=request.is_full,
        comment=clean_text(request.comment, "comment", limit=4000),
        signature=signature,
    )
    return [Entry(lot.stream, reviewed)]


def review_audit_trail(
    lot: Lot, request: ReviewAuditTrail, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Sign the review of the audit trail, by somebody who took no part.

    Raises:
        Refused: As for a batch review.
    """
    _must_be_reviewable(lot, request.through, person, at)
    counts = [one.kind for one in lot.remarks]
    signature = must_sign(
        request.signature,
        person=person,
        meaning="audit trail reviewed",
        what=f"audit-trail review of lot {lot.id}",
        shown={"lot": lot.id, "through": request.through},
    )
    reviewed = AuditTrailReviewed(
        reviewer=person.id,
        through=request.through,
        corrections=counts.count("correction"),
        late=counts.count("late entry"),
        comment=clean_text(request.comment, "comment", limit=4000),
        signature=signature,
    )
    return [Entry(lot.stream, reviewed)]


def _must_be_reviewable(lot: Lot, through: int, person: Qualified, at: Instant) -> None:
    if lot.status is not LotStatus.MADE:
        raise Refused(
            "lot-not-releasable",
            what=f"review of lot {lot.id}",
            found=str(lot.status),
            limit="a lot whose steps are all done",
            remedy="finish the steps first",
            rule=GMP,
        )
    if open_sets := [of for _, of in labels_unaccounted(lot)]:
        first = open_sets[0]
        raise Refused(
            "labels-unaccounted",
            what=f"review of lot {lot.id}",
            found=f"{len(open_sets)} label sets open, first {first.label_set or first.need.label}",
            limit="every label printed is applied or destroyed",
            remedy="print and account for the sets under Labels",
            rule=LABEL_RULE,
        )
    if through < lot.content_version or through > lot.version:
        raise Refused(
            "lot-not-releasable",
            what=f"review of lot {lot.id}",
            found=f"a page up to entry {through}",
            limit=f"entry {lot.content_version}, the latest",
            remedy="load the page again and look at what was added",
            rule=REVIEW_RULE,
        )
    person.must_be_qualified(REVIEWER, at)
    if person.id in lot.people:
        what = f"review of lot {lot.id}"
        raise distinct(what, person.id, "one who made it", REVIEW_RULE)


def _blockers(lot: Lot, at: Instant) -> Iterator[Blocker]:
    if lot.status not in {LotStatus.RUNNING, LotStatus.HELD, LotStatus.MADE}:
        remedy = "nothing more is released from it"
        yield Blocker(
            code="lot-ended",
            what=f"the lot is {lot.status}",
            owner="",
            expected=lot.released,
            remedy=remedy,
        )
        return
    if lot.status is LotStatus.HELD:
        yield Blocker(
            code="lot-held",
            what=f"the lot is held: {lot.held_because}",
            owner=REVIEWER,
            expected=None,
            remedy="resume or reject it",
        )
    yield from _steps(lot, at)
    yield from _deviations(lot)
    yield from _samples(lot)
    yield from _results(lot, at)
    if not any(not one.is_rejected for one in lot.containers.values()):
        yield Blocker(
            code="nothing-filled",
            what="no container of product is recorded",
            owner="operator",
            expected=None,
            remedy="record the containers that were filled",
        )
    yield from _labels(lot)
    yield from _reviews(lot)


def _labels(lot: Lot) -> Iterator[Blocker]:
    for key, due in labels_unaccounted(lot):
        of = f"{due.need.label} for {due.need.part} of step {key}"
        yield Blocker(
            code="labels-unaccounted" if due.label_set else "step-unlabelled",
            what=f"label set {due.label_set} ({of}) is not accounted for"
            if due.label_set
            else f"labels {of} were not printed here",
            owner="operator",
            expected=None,
            remedy="account for every copy" if due.label_set else "print the set for the step",
            subject=due.label_set or key,
        )


def _steps(lot: Lot, at: Instant) -> Iterator[Blocker]:
    if lot.net is not None and lot.marking.is_ended and not lot.open_steps:
        return
    for step in lot.open_steps:
        phase = lot.phase_of(step.key)
        held = step.status is StepStatus.HELD
        remedy = "disposition its deviation" if held else "complete it"
        yield Blocker(
            code="step-held" if held else "step-open",
            what=f"step {phase.name if phase else step.key} is {step.status}",
            owner=REVIEWER if held else phase.role if phase else "",
            expected=_end_from(lot, step.phase, at),
            remedy=remedy,
            subject=step.key,
        )
    for key in lot.ready:
        phase = lot.phase_of(key)
        if phase is not None:
            yield Blocker(
                code="step-to-do",
                what=f"step {phase.name} and what follows are to be done",
                owner=phase.role,
                expected=_end_from(lot, phase.id, at),
                remedy="do it",
                subject=key,
            )


def _end_from(lot: Lot, phase: str, at: Instant) -> Instant | None:
    """Give the end of making as planned, counted from a phase that begins at once."""
    if lot.recipe is None:
        return None
    times = earliest(lot.recipe)
    end = max((stop for _, stop in times.values()), default=timedelta())
    return at + (end - times[phase][0]) if phase in times else None


def _deviations(lot: Lot) -> Iterator[Blocker]:
    waived = set(lot.request or ()) if lot.assessed else set()
    for one in lot.deviations.values():
        if one.is_open:
            yield Blocker(
                code="deviation-open",
                what=f"deviation {one.id} is open: {one.title}",
                owner=REVIEWER,
                expected=one.due,
                remedy="investigate and disposition it",
                subject=one.id,
            )
        elif not one.is_accepted and one.attribute not in waived:
            yield Blocker(
                code="deviation-rejects",
                what=f"deviation {one.id} was closed against the product: {one.title}",
                owner="releaser",
                expected=None,
                remedy="reject the lot",
                subject=one.id,
            )


def _samples(lot: Lot) -> Iterator[Blocker]:
    for one in lot.samples.values():
        if one.purpose is not Purpose.TEST and not one.is_closed:
            yield Blocker(
                code="sample-not-stored",
                what=f"{one.purpose} sample {one.id} is not in its place",
                owner="qc-analyst",
                expected=None,
                remedy="store it and record its place",
                subject=one.id,
            )


def _results(lot: Lot, at: Instant) -> Iterator[Blocker]:
    waived = set(lot.request or ()) if lot.assessed else set()
    del at
    for attribute in lot.required:
        mark = lot.results.get(attribute)
        if mark is None:
            if attribute in lot.later:
                continue
            due = [one.due for one in lot.samples.values() if attribute in one.tests and one.due]
            yield Blocker(
                code="result-missing",
                what=f"no approved result of {attribute}",
                owner="qc-analyst",
                expected=max(due, default=None),
                remedy="test it and have the result approved",
                subject=attribute,
            )
    for mark in lot.results.values():
        if mark.outcome in {"fail", "inconclusive"} and mark.attribute not in waived:
            yield Blocker(
                code="result-failed" if mark.outcome == "fail" else "result-inconclusive",
                what=f"{mark.attribute}: {mark.compared}",
                owner="releaser" if mark.outcome == "fail" else "qc-analyst",
                expected=None,
                remedy="investigate; reject the lot, or release it exceptionally for a patient "
                "with no other chance"
                if mark.outcome == "fail"
                else "repeat the test",
                subject=mark.attribute,
            )


def _reviews(lot: Lot) -> Iterator[Blocker]:
    kinds = (
        ("batch-review", "batch review", lot.batch_review),
        ("audit-trail-review", "review of the audit trail", lot.audit_review),
    )
    for code, name, mark in kinds:
        if mark is None or mark.through < lot.content_version:
            state = "is missing" if mark is None else "is out of date: entries were added since"
            yield Blocker(
                code=f"{code}-missing",
                what=f"the {name} {state}",
                owner=REVIEWER,
                expected=None,
                remedy="review and sign",
            )
