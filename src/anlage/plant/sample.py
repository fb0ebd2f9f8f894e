"""A sample: taken at a step, received, tested, kept; its results and who approved them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.custody import Container, ContainerEnded, End, Evidence, take_over
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .errors import IDENTITY
from .lot import Lot
from .lot_fact import LotSampleClosed, LotSampleTaken
from .recipe import Phase, Purpose
from .recipe_labels import SAMPLES
from .signing import Qualified
from .vessel import Vessels

ANALYST = "qc-analyst"


class SampleStatus(StrEnum):
    """Where a sample stands."""

    UNKNOWN = "unknown"
    TAKEN = "taken"
    RECEIVED = "received"
    STORED = "stored"
    USED_UP = "used-up"
    DESTROYED = "destroyed"


@fact("sample-taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTaken:
    """A sample left its lot."""

    lot: str
    step: str
    plan: str
    specimen: str
    amount: Quantity
    purpose: Purpose
    operator: str
    tests: tuple[str, ...] = ()
    due: Instant | None = None


@fact("sample-received")
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReceived:
    """The laboratory has the sample."""

    by: str
    condition: str
    laboratory: str


@fact("sample-stored")
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleStored:
    """A retention, reserve or satellite sample is in its place."""

    by: str
    place: str


@fact("sample-ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEnded:
    """Nothing is left of the sample: it was used up or destroyed."""

    by: str
    how: SampleStatus
    reason: str


@fact("sample-measured")
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMeasured:
    """A file of the sample was analysed; the measurement has a stream of its own."""

    measurement: str
    method: str
    raw_name: str


@fact("result-entered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResultEntered:
    """An analyst reported one attribute of the sample.

    Attributes:
        reported: As it was reported, with its unit and decimals.
        detection: The method's limit of detection.
        quantitation: The method's limit of quantitation.
        raw_file: Digest of the instrument's file.
        outcome: pass, warning, fail or inconclusive, by the specification.
        compared: What was compared with what.
        repeats: Number of the invalidated result that this one stands in for.
    """

    attribute: str
    reported: str
    method: str
    method_version: str
    analyst: str
    outcome: str
    compared: str
    reasons: tuple[str, ...] = ()
    instrument: str | None = None
    raw_file: str | None = None
    raw_name: str | None = None
    detection: Quantity | None = None
    quantitation: Quantity | None = None
    measured: Instant | None = None
    specification: str = ""
    specification_version: int = 0
    signature: Signature | None = None


@fact("result-approved")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResultApproved:
    """A second person approved a result; `second_reading` is what they read in the source."""

    attribute: str
    approver: str
    signature: Signature
    second_reading: str | None = None


@fact("result-invalidated")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResultInvalidated:
    """A result does not count: the laboratory erred, and the investigation shows it."""

    attribute: str
    deviation: str
    reason: str
    by: str
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveSample:
    """Take a sample into the laboratory."""

    sample: str
    laboratory: str
    condition: str = "as expected"
    scan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSample:
    """Put a retention, reserve or satellite sample into its place."""

    sample: str
    place: str
    scan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSample:
    """Say that nothing is left of a sample."""

    sample: str
    how: SampleStatus
    reason: str
    scan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultState:
    """A result on its sample."""

    fact: ResultEntered
    number: int
    is_approved: bool = False
    is_invalidated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample, folded from its facts."""

    id: str
    lot: str = ""
    step: str = ""
    plan: str = ""
    purpose: Purpose = Purpose.TEST
    tests: tuple[str, ...] = ()
    due: Instant | None = None
    taken: Instant | None = None
    taken_by: str = ""
    status: SampleStatus = SampleStatus.UNKNOWN
    place: str | None = None
    results: Mapping[str, ResultState] = field(default_factory=dict)

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a sample without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"sample/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the sample after one more fact."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case SampleTaken() as said:
                return replace(
                    self,
                    lot=said.lot,
                    step=said.step,
                    plan=said.plan,
                    purpose=said.purpose,
                    tests=said.tests,
                    due=said.due,
                    taken=recorded.happened,
                    taken_by=said.operator,
                    status=SampleStatus.TAKEN,
                )
            case SampleReceived():
                return replace(self, status=SampleStatus.RECEIVED)
            case SampleStored(place=place):
                return replace(self, status=SampleStatus.STORED, place=place)
            case SampleEnded(how=how):
                return replace(self, status=how)
            case ResultEntered() as said:
                state = ResultState(fact=said, number=recorded.number)
                return replace(self, results={**self.results, said.attribute: state})
            case ResultApproved(attribute=attribute):
                return self._mark(attribute, approved=True)
            case ResultInvalidated(attribute=attribute):
                return self._mark(attribute, invalidated=True)
            case _:
                return self

    def _mark(self, attribute: str, *, approved: bool = False, invalidated: bool = False) -> Self:
        known = self.results.get(attribute)
        if known is None:
            return self
        changed = replace(
            known,
            is_approved=known.is_approved or approved,
            is_invalidated=known.is_invalidated or invalidated,
        )
        return replace(self, results={**self.results, attribute: changed})


def tube_numbers(lot: Lot, phase: Phase, step: str) -> tuple[str, ...]:
    """Give the numbers of the tubes of a step: those that were printed for it, else the next."""
    wanted = sum(plan.count for plan in phase.samples)
    series = f"{lot.id}-S"
    printed = [
        one
        for one in lot.printed(step, SAMPLES)
        if one not in lot.samples and one.removeprefix(series).isdigit()
    ][:wanted]
    return (*printed, *(lot.next_sample(ahead) for ahead in range(wanted - len(printed))))


def entries_of_samples(
    lot: Lot,
    phase: Phase,
    step: str,
    *,
    operator: str,
    at: Instant,
    vessels: Vessels | None = None,
) -> list[Entry]:
    """Give the facts of every sample that a phase takes, on their streams and on the lot's; each is
    a tube that is drawn from a container of the process, where the recipe names it.
    """
    entries = []
    numbers = iter(tube_numbers(lot, phase, step))
    drawn: dict[str, dict[str, Quantity]] = {}
    for plan in phase.samples:
        for _ in range(plan.count):
            id = next(numbers)
            if plan.source:
                drawn.setdefault(plan.source, {})[id] = plan.amount
            due = at + plan.turnaround if plan.turnaround else None
            taken = SampleTaken(
                lot=lot.id,
                step=step,
                plan=plan.id,
                specimen=plan.specimen,
                amount=plan.amount,
                purpose=plan.purpose,
                operator=operator,
                tests=plan.tests,
                due=due,
            )
            mark = LotSampleTaken(
                sample=id,
                plan=plan.id,
                step=step,
                purpose=plan.purpose,
                amount=plan.amount,
                tests=plan.tests,
                due=due,
                is_destructive=plan.is_destructive,
            )
            entries += [Entry(Stream(f"sample/{id}"), taken), Entry(lot.stream, mark)]
    for source, tubes in drawn.items():
        if vessels is not None:
            vessels.sample(source, tubes)
    return entries


def receive_sample(
    sample: Sample,
    request: ReceiveSample,
    *,
    person: Qualified,
    at: Instant,
    tube: Container | None = None,
) -> list[Entry]:
    """Take a sample into the laboratory.

    Raises:
        Refused: There is no such sample, it is not on its way, or the person is no analyst; another
            tube was scanned.
    """
    must_be(sample, SampleStatus.TAKEN)
    person.must_be_qualified(ANALYST, at)
    received = SampleReceived(
        by=person.id,
        condition=clean_line(request.condition, "condition"),
        laboratory=clean_line(request.laboratory, "laboratory"),
    )
    grade = _read(sample, request.scan)
    taken = _take(tube, person.id, received.laboratory, grade)
    return [Entry(sample.stream, received), *taken]


def store_sample(
    sample: Sample,
    lot: Lot,
    request: StoreSample,
    *,
    person: Qualified,
    tube: Container | None = None,
) -> list[Entry]:
    """Put a sample that is kept into its place.

    Raises:
        Refused: There is no such sample, or it is stored, used up or destroyed.
    """
    must_be(sample, SampleStatus.TAKEN, SampleStatus.RECEIVED)
    stored = SampleStored(by=person.id, place=clean_line(request.place, "place"))
    entries = [Entry(sample.stream, stored)]
    if sample.purpose is not Purpose.TEST:
        entries.append(Entry(lot.stream, LotSampleClosed(sample=sample.id, how="stored")))
    return entries + _take(tube, person.id, stored.place, _read(sample, request.scan))


def end_sample(
    sample: Sample,
    lot: Lot,
    request: EndSample,
    *,
    person: Qualified,
    tube: Container | None = None,
) -> list[Entry]:
    """Say that nothing is left of a sample.

    Raises:
        Refused: There is no such sample, it has ended, or `how` is no end.
    """
    must_be(sample, SampleStatus.TAKEN, SampleStatus.RECEIVED, SampleStatus.STORED)
    if request.how not in {SampleStatus.USED_UP, SampleStatus.DESTROYED}:
        raise Refused(
            "sample-not-at-hand",
            what=f"end of sample {sample.id}",
            found=request.how,
            limit="used-up or destroyed",
            remedy="choose one of them",
        )
    reason = clean_line(request.reason, "reason")
    ended = SampleEnded(by=person.id, how=request.how, reason=reason)
    closed = LotSampleClosed(sample=sample.id, how=str(request.how))
    entries = [Entry(sample.stream, ended, why=reason), Entry(lot.stream, closed)]
    if tube is None or not tube.exists:
        return entries
    grade = _read(sample, request.scan)
    taken = _take(tube, person.id, tube.place or "laboratory", grade)
    how = End.USED_UP if request.how is SampleStatus.USED_UP else End.DISCARDED
    finished = ContainerEnded(how=how, holder=person.id, evidence=grade)
    return [*entries, *taken, Entry(tube.stream, finished)]


def _read(sample: Sample, scan: str | None) -> Evidence:
    """Give the grade of an act on a tube; a scan of another one is refused."""
    if not scan:
        return Evidence.ATTESTED_LATER
    if scan.strip() != sample.id:
        raise Refused(
            "identity-mismatch",
            what=f"tube of sample {sample.id}",
            found=scan[:96],
            limit=sample.id,
            remedy="stop; put aside what was scanned and look for the tube",
            rule=IDENTITY,
        )
    return Evidence.SCANNED


def _take(tube: Container | None, by: str, place: str, grade: Evidence) -> list[Entry]:
    if tube is None or not tube.exists:
        return []
    return take_over(tube, by=by, place=place, evidence=grade)


def must_be(sample: Sample, *statuses: SampleStatus) -> None:
    """See that a sample stands where something can be done with it.

    Raises:
        Refused: It is unknown, or stands elsewhere.
    """
    if sample.status is SampleStatus.UNKNOWN:
        raise Refused(
            "sample-unknown",
            what=f"sample {sample.id}",
            found="none of that number",
            remedy="scan the label of the tube again",
        )
    if sample.status not in statuses:
        raise Refused(
            "sample-not-at-hand",
            what=f"sample {sample.id}",
            found=str(sample.status),
            limit=" or ".join(statuses),
            remedy="look where the sample is",
        )
