"""From a sample's test to a verdict: entered by an analyst, approved by a second person, judged
by the specification. A failure opens its investigation at once (out of specification).
"""

from dataclasses import dataclass
from typing import Protocol

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.library import Result
from anlage.record import Entry, Signature

from .deviation import Deviation, entries_to_open
from .errors import distinct
from .lot import Lot
from .lot_fact import LotResultInvalidated, LotResultReported, Severity
from .sample import (
    ANALYST,
    ResultApproved,
    ResultEntered,
    ResultInvalidated,
    Sample,
    SampleStatus,
    must_be,
)
from .signing import Qualified, must_sign

QUALITY = "qa-reviewer"


class Judges(Protocol):
    """Whoever judges a reported result by the lot's specification."""

    def __call__(
        self,
        attribute: str,
        reported: str,
        detection: Quantity | None,
        quantitation: Quantity | None,
    ) -> tuple[str, str, tuple[str, ...]]:
        """Give outcome, what was compared, and the reasons."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterResult:
    """Report one attribute of a sample.

    Attributes:
        sample: The sample.
        attribute: The attribute of the specification.
        reported: The result as it was reported ("82.4 %", "<LOQ", "no growth").
        method: The method and its version.
        method_version: Its version.
        instrument: The equipment unit.
        raw_file: Digest of the instrument's file.
        raw_name: Its name.
        detection: Limit of detection.
        quantitation: Limit of quantitation.
        measured: When it was measured.
        signature: The analyst's.
    """

    sample: str
    attribute: str
    reported: str
    method: str
    method_version: str = "1"
    instrument: str | None = None
    raw_file: str | None = None
    raw_name: str | None = None
    detection: Quantity | None = None
    quantitation: Quantity | None = None
    measured: Instant | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveResult:
    """Approve a result as second person.

    Attributes:
        sample: The sample.
        attribute: The attribute.
        reading: The value as the second person reads it in the source, for a result that was
            entered by hand; it has to be the one that was entered.
        signature: The second person's.
    """

    sample: str
    attribute: str
    reading: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidateResult:
    """Set a result aside: the investigation found an error of the laboratory."""

    sample: str
    attribute: str
    deviation: str
    reason: str
    signature: Signature | None = None


def enter_result(
    sample: Sample,
    lot: Lot,
    request: EnterResult,
    *,
    analyst: Qualified,
    judge: Judges,
    at: Instant,
) -> list[Entry]:
    """Report one attribute of a sample.

    Raises:
        Refused: The sample is not in the laboratory, was not taken for this, has such a result, or
            the analyst may not test.
    """
    must_be(sample, SampleStatus.RECEIVED)
    analyst.must_be_qualified(ANALYST, at)
    if request.attribute not in sample.tests:
        raise Refused(
            "specification-unknown",
            what=f"test {request.attribute[:60]} of sample {sample.id}",
            found="not planned for this sample",
            limit=", ".join(sample.tests) or "none",
            remedy="choose one of the planned tests",
        )
    known = sample.results.get(request.attribute)
    if known is not None and not known.is_invalidated:
        raise Refused(
            "result-missing",
            what=f"{request.attribute} of sample {sample.id}",
            found=f"a result, {known.fact.reported}",
            limit="one result; a repeat after the first was invalidated",
            remedy="investigate the first result; testing into compliance is not allowed",
            rule="FDA guidance on out-of-specification results",
        )
    reported = clean_line(request.reported, "result", limit=200)
    outcome, compared, reasons = judge(
        request.attribute, reported, request.detection, request.quantitation
    )
    signature = must_sign(
        request.signature,
        person=analyst,
        meaning="tested",
        what=f"{request.attribute} of sample {sample.id}",
        shown={"sample": sample.id, "attribute": request.attribute, "reported": reported},
    )
    entered = ResultEntered(
        attribute=request.attribute,
        reported=reported,
        method=clean_line(request.method, "method"),
        method_version=request.method_version,
        analyst=analyst.id,
        outcome=outcome,
        compared=compared,
        reasons=reasons,
        instrument=request.instrument,
        raw_file=request.raw_file,
        raw_name=request.raw_name,
        detection=request.detection,
        quantitation=request.quantitation,
        measured=request.measured,
        specification=lot.specification,
        specification_version=lot.specification_version,
        signature=signature,
    )
    entries = [Entry(sample.stream, entered)]
    if outcome == "fail":
        # Opened at entry, not at approval: the clock of an out-of-specification result runs.
        entries += entries_to_open(
            lot,
            title=f"Out of specification: {request.attribute}",
            description=f"{compared}. {' '.join(reasons)}".strip(),
            severity=Severity.CRITICAL,
            cause="out-of-specification",
            at=at,
            attribute=request.attribute,
        )[1]
    return entries


def approve_result(
    sample: Sample, lot: Lot, request: ApproveResult, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Approve a result as second person; from then on it counts for the lot.

    Raises:
        Refused: There is no such result, it is approved or invalidated, or the person is the
            analyst or may not approve.
    """
    known = sample.results.get(request.attribute)
    if known is None or known.is_approved or known.is_invalidated:
        found = "none" if known is None else "invalidated" if known.is_invalidated else "approved"
        raise Refused(
            "result-missing",
            what=f"result of {request.attribute[:60]} of sample {sample.id}",
            found=found,
            limit="a result that waits for approval",
            remedy="choose one from the list",
        )
    said = known.fact
    if person.id == said.analyst:
        what = f"approval of {said.attribute} of sample {sample.id}"
        raise distinct(what, person.id, "the analyst")
    try:
        person.must_be_qualified(ANALYST, at)
    except Refused:
        # A second analyst approves, or quality assurance does.
        person.must_be_qualified(QUALITY, at)
    if request.reading is not None:
        _must_agree(request.reading, said)
    signature = must_sign(
        request.signature,
        person=person,
        meaning="approved",
        what=f"{said.attribute} of sample {sample.id}",
        shown={"sample": sample.id, "attribute": said.attribute, "reported": said.reported},
    )
    approved = ResultApproved(
        attribute=said.attribute,
        approver=person.id,
        signature=signature,
        second_reading=request.reading,
    )
    reported = LotResultReported(
        attribute=said.attribute,
        sample=sample.id,
        outcome=said.outcome,
        reported=said.reported,
        compared=said.compared,
        method=f"{said.method} {said.method_version}",
        analyst=said.analyst,
        approver=person.id,
        raw_file=said.raw_file,
        replaces=said.attribute in lot.results,
    )
    return [Entry(sample.stream, approved), Entry(lot.stream, reported)]


def _must_agree(reading: str, said: ResultEntered) -> None:
    """See that the second person read what the first one entered."""
    one, other = Result.parse(said.reported), Result.parse(reading)
    is_same = (one.value, one.unit, one.qualifier) == (other.value, other.unit, other.qualifier)
    if not is_same or (one.value is None and (one.text or "") != (other.text or "")):
        raise Refused(
            "readings-differ",
            what=f"second reading of {said.attribute}",
            found=f"{said.reported} and {reading[:60]}",
            limit="the same value from both persons",
            remedy="look at the source together; a wrong entry is invalidated, not overwritten",
            rule="EU GMP Annex 11 clause 6",
        )


def invalidate_result(
    sample: Sample,
    lot: Lot,
    deviation: Deviation,
    request: InvalidateResult,
    *,
    person: Qualified,
    at: Instant,
) -> list[Entry]:
    """Set a result aside; only an investigation that found a laboratory error allows it.

    Raises:
        Refused: There is no such result, the investigation found no laboratory error or is about
            something else, or the person is the analyst or not of QA.
    """
    known = sample.results.get(request.attribute)
    fits = deviation.lot == lot.id and deviation.attribute == request.attribute
    if known is None or known.is_invalidated or not fits or not deviation.is_laboratory_error:
        raise Refused(
            "result-missing",
            what=f"invalidation of {request.attribute[:60]} of sample {sample.id}",
            found="no investigation of this result that found a laboratory error",
            limit="an investigation with a proven error of the laboratory",
            remedy="investigate first; without a proven error the result stands",
            rule="FDA guidance on out-of-specification results",
        )
    if person.id == known.fact.analyst:
        what = f"invalidation of {request.attribute} of sample {sample.id}"
        raise distinct(what, person.id, "the analyst")
    person.must_be_qualified(QUALITY, at)
    reason = clean_line(request.reason, "reason")
    signature = must_sign(
        request.signature,
        person=person,
        meaning="invalidated",
        what=f"{request.attribute} of sample {sample.id}",
        shown={"sample": sample.id, "attribute": request.attribute, "reason": reason},
    )
    aside = ResultInvalidated(
        attribute=request.attribute,
        deviation=deviation.id,
        reason=reason,
        by=person.id,
        signature=signature,
    )
    mark = LotResultInvalidated(
        attribute=request.attribute, sample=sample.id, deviation=deviation.id, reason=reason
    )
    return [Entry(sample.stream, aside, why=reason), Entry(lot.stream, mark)]
