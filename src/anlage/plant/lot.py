"""A lot: what its facts amount to, as decisions and pages see it. It only folds.

The verbs stand one module per family: begin, steps, samples, results, deviation, review and
disposition. The state machine of the control recipe is persisted: every turn it takes is a fact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from itertools import count, islice
from typing import Any, Self

from anlage.base import Instant, Quantity, canonical, parse_canonical
from anlage.record import Recorded, Signature, Stream

from .flow import Marking, Net, Turn
from .lot_fact import (
    AuditTrailReviewed,
    BatchReviewed,
    ControlRecipeFrozen,
    DoseAllocated,
    DoseRejected,
    DosesFilled,
    EntryCorrected,
    ExceptionalReleaseAssessed,
    ExceptionalReleaseRequested,
    ExceptionAuthorised,
    FileAttached,
    Fill,
    IdentityScanned,
    LotContainerJoined,
    LotContainerLeft,
    LotCreated,
    LotDeviationClosed,
    LotDeviationOpened,
    LotHeld,
    LotLabelsPrinted,
    LotLabelsReconciled,
    LotRecalled,
    LotRejected,
    LotReleased,
    LotResultInvalidated,
    LotResultReported,
    LotResumed,
    LotSampleClosed,
    LotSampleTaken,
    LotTerminated,
    LotVoided,
    MaterialUsed,
    Reading,
    ReadingsEntered,
    Rule,
    Severity,
    StepCompleted,
    StepFreed,
    StepHeld,
    StepSkipped,
    StepStarted,
)
from .recipe import Judgement, Phase, Purpose, Recipe, Shape


class LotStatus(StrEnum):
    """Where a lot stands."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    HELD = "held"
    MADE = "made"
    RELEASED = "released"
    REJECTED = "rejected"
    TERMINATED = "terminated"
    VOIDED = "voided"
    RECALLED = "recalled"

    @property
    def is_open(self) -> bool:
        """True while somebody has still to decide about the lot."""
        return self in {LotStatus.RUNNING, LotStatus.HELD, LotStatus.MADE}


class StepStatus(StrEnum):
    """Where a step stands."""

    STARTED = "started"
    HELD = "held"
    COMPLETED = "completed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One executed step.

    Attributes:
        key: The phase, with its round from the second on.
        phase: The phase.
        readings: The values as they stand, by parameter.
        sources: The number of the fact that each value comes from.
        scanned: True when the lot's identity was scanned here and fitted.
        files: Digests of what is attached.
    """

    key: str
    phase: str
    status: StepStatus
    started: Instant
    operator: str
    completed: Instant | None = None
    witness: str | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    materials: tuple[MaterialUsed, ...] = ()
    equipment: tuple[str, ...] = ()
    room: str | None = None
    scanned: bool = False
    files: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    fact: int | None = None

    @property
    def is_open(self) -> bool:
        """True from start to completion."""
        return self.status in {StepStatus.STARTED, StepStatus.HELD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """An exceptional authorisation: one step, one rule, one subject."""

    number: int
    step: str
    rule: Rule
    subject: str
    deviation: str
    expires: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationMark:
    """What a lot knows of a deviation."""

    id: str
    title: str
    severity: Severity
    step: str | None
    attribute: str | None
    opened: Instant
    due: Instant | None
    is_open: bool = True
    is_accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMark:
    """What a lot knows of a sample."""

    id: str
    plan: str
    purpose: Purpose
    tests: tuple[str, ...]
    taken: Instant
    due: Instant | None
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultMark:
    """The result that counts for one attribute."""

    attribute: str
    sample: str
    outcome: str
    reported: str
    compared: str
    method: str
    analyst: str
    approver: str
    at: Instant
    raw_file: str | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A review that was signed: by whom, up to which version, with which signature."""

    reviewer: str
    through: int
    at: Instant
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of product and whom it is for."""

    fill: Fill
    coi: str | None = None
    is_rejected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """An entry that is not plain, for the review by exception."""

    number: int
    kind: str
    step: str | None
    what: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A lot, folded from its facts.

    Attributes:
        id: Its number.
        version: How many facts it has.
        ready: Steps that may be started.
        content_version: Version of the last fact that a batch review has to have seen.
        people: Everyone who did or witnessed a step.
        vessels: The containers in the process now, by the part that they take in it.
        vessels_made: How many containers ever took a part.
        carried: The numbers that containers of the lot carry or carried.
        label_sets: The label sets of its steps: what was printed, and how each was accounted for.
    """

    id: str
    version: int = 0
    status: LotStatus = LotStatus.UNKNOWN
    product: str = ""
    product_version: int = 0
    shape: Shape = Shape.AUTOLOGOUS
    coi: str | None = None
    identity: str = ""
    weight: Quantity | None = None
    starting: tuple[str, ...] = ()
    created: Instant | None = None
    site: str = ""
    recipe_id: str = ""
    recipe_version: int = 0
    digest: str = ""
    specification: str = ""
    specification_version: int = 0
    required: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    net: Net | None = None
    marking: Marking = field(default_factory=Marking)
    steps: Mapping[str, StepState] = field(default_factory=dict)
    rounds: Mapping[str, int] = field(default_factory=dict)
    early: frozenset[str] = frozenset()
    readings: Mapping[str, Quantity | str] = field(default_factory=dict)
    authorisations: tuple[Authorisation, ...] = ()
    deviations: Mapping[str, DeviationMark] = field(default_factory=dict)
    samples: Mapping[str, SampleMark] = field(default_factory=dict)
    results: Mapping[str, ResultMark] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)
    vessels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vessels_made: int = 0
    carried: frozenset[str] = frozenset()
    label_sets: Mapping[str, tuple[LotLabelsPrinted, LotLabelsReconciled | None]] = field(
        default_factory=dict
    )
    remarks: tuple[Remark, ...] = ()
    people: frozenset[str] = frozenset()
    content_version: int = 0
    batch_review: Mark | None = None
    audit_review: Mark | None = None
    request: tuple[str, ...] | None = None
    assessed: bool | None = None
    made: Instant | None = None
    released: Instant | None = None
    is_exceptional: bool = False
    held_because: str | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a lot without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"lot/{self.id}")

    @property
    def recipe(self) -> Recipe | None:
        """The control recipe."""
        return self.net.recipe if self.net else None

    @property
    def ready(self) -> tuple[str, ...]:
        """Steps whose turn it is and that nobody has started, by key."""
        if self.net is None:
            return ()
        keys = (self.key_of(phase) for phase in self.net.ready(self.marking))
        return tuple(key for key in keys if key not in self.steps)

    @property
    def open_steps(self) -> tuple[StepState, ...]:
        """Steps that were started and not completed."""
        return tuple(step for step in self.steps.values() if step.is_open)

    @property
    def open_deviations(self) -> tuple[DeviationMark, ...]:
        """Deviations that QA has not dispositioned."""
        return tuple(one for one in self.deviations.values() if one.is_open)

    def key_of(self, phase: str) -> str:
        """Give the key of the next or present execution of a phase."""
        done = self.rounds.get(phase, 0)
        return phase if done == 0 else f"{phase}:{done + 1}"

    def phase_of(self, key: str) -> Phase | None:
        """Give the phase of a step's key; None when the recipe has none of that name."""
        return self.net.phases.get(key.partition(":")[0]) if self.net else None

    def authorisation(self, rule: Rule, step: str, subject: str, at: Instant) -> int | None:
        """Give the number of the authorisation for just this; None when there is none."""
        for one in self.authorisations:
            if (one.rule, one.step, one.subject) == (rule, step, subject) and (
                one.expires is None or at <= one.expires
            ):
                return one.number
        return None

    def last(self, phase: str) -> StepState | None:
        """Give the latest execution of a phase; None when there was none."""
        done = self.rounds.get(phase, 0)
        current = self.steps.get(self.key_of(phase))
        if current is not None:
            return current
        return self.steps.get(phase if done == 1 else f"{phase}:{done}") if done else None

    def next_deviation(self, ahead: int = 0) -> str:
        """Give the id of the next deviation of this lot: unique because the lot's number is."""
        return f"{self.id}-D{len(self.deviations) + 1 + ahead:02d}"

    def next_vessel(self, ahead: int = 0) -> str:
        """Give the number of the next container of the process, where no label was scanned."""
        return self._free("C{:02d}", self.vessels_made + 1, ahead)

    def next_sample(self, ahead: int = 0) -> str:
        """Give the id of the next sample of this lot."""
        return self._free("S{:02d}", len(self.samples) + 1, ahead)

    def next_fill(self, ahead: int = 0) -> str:
        """Give the number of the next container of product that is to be labelled."""
        return self._free("B{}", len(self.containers) + 1, ahead)

    @property
    def numbered(self) -> frozenset[str]:
        """Every number that stands on a container or on a printed label."""
        printed = (said.numbers for said, _ in self.label_sets.values())
        return self.carried.union(*printed)

    def printed(self, step: str, part: str) -> tuple[str, ...]:
        """Give the numbers that were printed for a part at a step, but those destroyed unused."""
        return tuple(
            number
            for said, closed in self.label_sets.values()
            if (said.step, said.part) == (step, part)
            for number in said.numbers
            if closed is None or number not in closed.gone
        )

    def _free(self, form: str, start: int, ahead: int) -> str:
        """Give a number of a series that stands on no container and on no label."""
        taken = self.numbered
        names = (f"{self.id}-{form.format(n)}" for n in count(start))
        return next(islice((one for one in names if one not in taken), ahead, None))

    # The fold --------------------------------------------------------------------------------

    def after(self, recorded: Recorded) -> Self:
        """Give the lot after one more fact."""
        lot = replace(self, version=recorded.version)
        if recorded.is_withheld:
            return lot
        said = recorded.fact
        if not isinstance(said, _AFTERWARDS):
            lot = replace(lot, content_version=recorded.version)
        match said:
            case LotCreated() | ControlRecipeFrozen():
                return lot._begun(said, recorded)
            case StepStarted():
                return lot._started(said, recorded)
            case StepCompleted() | StepSkipped():
                return lot._closed(said, recorded)
            case ReadingsEntered() | EntryCorrected():
                return lot._read(said, recorded)
            case StepHeld() | StepFreed() | IdentityScanned() | FileAttached():
                return lot._at_step(said, recorded)
            case LotDeviationOpened() | LotDeviationClosed() | ExceptionAuthorised():
                return lot._deviated(said, recorded)
            case LotSampleTaken() | LotSampleClosed():
                return lot._sampled(said, recorded)
            case LotResultReported() | LotResultInvalidated():
                return lot._tested(said, recorded)
            case DosesFilled() | DoseAllocated() | DoseRejected():
                return lot._filled(said)
            case LotContainerJoined() | LotContainerLeft():
                return lot._handled(said)
            case LotLabelsPrinted() | LotLabelsReconciled():
                return lot._labelled(said)
            case _:
                return lot._decided(said, recorded)

    def _begun(self, said: LotCreated | ControlRecipeFrozen, recorded: Recorded) -> Self:
        if isinstance(said, LotCreated):
            return replace(
                self,
                status=LotStatus.RUNNING,
                product=said.product,
                product_version=said.product_version,
                shape=said.shape,
                coi=said.coi,
                identity=said.identity,
                weight=said.weight,
                starting=said.starting,
                created=recorded.happened,
                site=recorded.site,
            )
        net = net_of(said.digest, said.content)
        marking, _ = net.begin()
        return replace(
            self,
            recipe_id=said.recipe,
            recipe_version=said.recipe_version,
            digest=said.digest,
            specification=said.specification,
            specification_version=said.specification_version,
            required=said.required,
            later=said.later,
            net=net,
            marking=marking,
        )

    def _started(self, said: StepStarted, recorded: Recorded) -> Self:
        step = StepState(
            key=said.step,
            phase=said.step.partition(":")[0],
            status=StepStatus.STARTED,
            started=recorded.happened,
            operator=said.operator,
            equipment=said.equipment,
            room=said.room,
            fact=recorded.number,
        )
        lot = replace(self, people=self.people | {said.operator})
        if said.out_of_order:
            lot = lot._note(recorded, "out of order", said.step, "done out of order", 1)
        if said.late_for:
            lot = lot._note(recorded, "window", said.step, said.late_for, 3)
        return lot._put(step)

    def _closed(self, said: StepCompleted | StepSkipped, recorded: Recorded) -> Self:
        phase = said.step.partition(":")[0]
        rounds = {**self.rounds, phase: self.rounds.get(phase, 0) + 1}
        if isinstance(said, StepSkipped):
            step = StepState(
                key=said.step,
                phase=phase,
                status=StepStatus.SKIPPED,
                started=recorded.happened,
                completed=recorded.happened,
                operator=said.operator,
                fact=recorded.number,
            )
            lot = self._note(recorded, "skipped", said.step, "left out on an authorisation", 1)
            return replace(lot._put(step), rounds=rounds)._advance(phase, recorded)
        before = self.steps.get(said.step)
        lot = self._with_readings(said.step, said.readings, recorded)
        began = lot.steps.get(said.step, before)
        step = replace(
            began
            or StepState(
                key=said.step,
                phase=phase,
                status=StepStatus.STARTED,
                started=recorded.happened,
                operator=said.operator,
            ),
            status=StepStatus.COMPLETED,
            completed=recorded.happened,
            witness=said.witness,
            materials=said.materials,
            equipment=said.equipment,
            scanned=said.scan is not None,
            fact=recorded.number,
        )
        people = {said.operator} | ({said.witness} if said.witness else set())
        lot = replace(lot._put(step), rounds=rounds, people=lot.people | people)
        if said.is_late:
            lot = lot._note(recorded, "late entry", said.step, "entered after the fact", 4)
        for used in said.materials:
            if not used.is_within:
                what = f"{used.amount} of {used.material} instead of {used.planned}"
                lot = lot._note(recorded, "amount", said.step, what, 3)
        if said.note:
            lot = lot._note(recorded, "note", said.step, said.note, 6)
        return lot._advance(phase, recorded)

    def moved(
        self, phase: str, readings: Mapping[str, Quantity | str]
    ) -> tuple[Marking, frozenset[str], tuple[Turn, ...]]:
        """Give where the net stands after a phase ends, what is still done early, and the turns.

        Steps that were done before their turn are passed over when it comes.
        """
        if self.net is None or phase not in self.net.ready(self.marking):
            return self.marking, self.early | {phase}, ()
        marking, early, turns = self.marking, set(self.early), list[Turn]()
        pending = [phase]
        while pending:
            marking, taken = self.net.done(marking, pending.pop(), readings)
            turns.extend(taken)
            ahead = [one for one in self.net.ready(marking) if one in early]
            pending.extend(ahead[:1])
            early -= set(ahead[:1])
        return marking, frozenset(early), tuple(turns)

    def ends_with(self, phase: str, readings: Sequence[Reading]) -> bool:
        """Tell whether nothing is left to do once a phase has ended with these readings."""
        values = {**self.readings, **{f"{phase}.{one.parameter}": one.value for one in readings}}
        return self.moved(phase, values)[0].is_ended

    def _advance(self, phase: str, recorded: Recorded) -> Self:
        marking, early, _ = self.moved(phase, self.readings)
        lot = replace(self, marking=marking, early=early)
        if marking.is_ended and lot.net and lot.status is LotStatus.RUNNING:
            return replace(lot, status=LotStatus.MADE, made=recorded.happened)
        return lot

    def _read(self, said: ReadingsEntered | EntryCorrected, recorded: Recorded) -> Self:
        if isinstance(said, ReadingsEntered):
            lot = self._with_readings(said.step, said.readings, recorded)
            if said.is_late:
                return lot._note(recorded, "late entry", said.step, "entered after the fact", 4)
            return lot
        lot = self._with_readings(said.step, (said.new,), recorded)
        if lot.net is not None and lot.net.is_stuck(lot.marking):
            marking, _ = lot.net.retry(lot.marking, lot.readings)
            lot = replace(lot, marking=marking)
        what = f"{said.parameter} from {said.old.value} to {said.new.value}: {said.reason}"
        return lot._note(recorded, "correction", said.step, what, 2)

    def _with_readings(self, key: str, readings: tuple[Reading, ...], recorded: Recorded) -> Self:
        step = self.steps.get(key)
        if step is None or not readings:
            return self
        phase = step.phase
        values = {**self.readings}
        lot = self
        for one in readings:
            values[f"{phase}.{one.parameter}"] = one.value
            if one.judgement is not Judgement.PLAIN and step.readings.get(one.parameter) != one:
                what = f"{one.parameter} {one.value}, limit {one.limit}"
                rank = 1 if one.judgement is Judgement.HARD else 3
                lot = lot._note(recorded, f"{one.judgement} limit", key, what, rank)
        step = replace(
            step,
            readings={**step.readings, **{one.parameter: one for one in readings}},
            sources={**step.sources, **{one.parameter: recorded.number for one in readings}},
        )
        return replace(lot, readings=values)._put(step)

    def _at_step(
        self, said: StepHeld | StepFreed | IdentityScanned | FileAttached, recorded: Recorded
    ) -> Self:
        step = self.steps.get(said.step)
        lot = self
        if isinstance(said, IdentityScanned) and not said.is_match:
            lot = self._note(recorded, "identity", said.step, f"wrong code scanned: {said.raw}", 0)
        if step is None:
            return lot
        match said:
            case StepHeld(deviation=deviation):
                held = replace(step, status=StepStatus.HELD)
                return lot._put(replace(held, deviations=(*step.deviations, deviation)))
            case StepFreed():
                return lot._put(replace(step, status=StepStatus.STARTED))
            case IdentityScanned(is_match=is_match):
                return lot._put(replace(step, scanned=step.scanned or is_match))
            case FileAttached(digest=digest):
                return lot._put(replace(step, files=(*step.files, digest)))

    def _deviated(
        self,
        said: LotDeviationOpened | LotDeviationClosed | ExceptionAuthorised,
        recorded: Recorded,
    ) -> Self:
        if isinstance(said, ExceptionAuthorised):
            one = Authorisation(
                number=recorded.number,
                step=said.step,
                rule=said.rule,
                subject=said.subject,
                deviation=said.deviation,
                expires=said.expires,
            )
            what = f"{said.rule} for {said.subject}: {said.reason}"
            lot = self._note(recorded, "exceptional authorisation", said.step, what, -1)
            return replace(lot, authorisations=(*self.authorisations, one))
        if isinstance(said, LotDeviationOpened):
            mark = DeviationMark(
                id=said.deviation,
                title=said.title,
                severity=said.severity,
                step=said.step,
                attribute=said.attribute,
                opened=recorded.happened,
                due=said.due,
            )
            what = f"{said.deviation}, {said.severity}: {said.title}"
            lot = self._note(recorded, "deviation", said.step, what, 1)
            return replace(lot, deviations={**self.deviations, mark.id: mark})
        known = self.deviations.get(said.deviation)
        if known is None:
            return self
        closed = replace(known, is_open=False, is_accepted=said.is_accepted)
        return replace(self, deviations={**self.deviations, known.id: closed})

    def _sampled(self, said: LotSampleTaken | LotSampleClosed, recorded: Recorded) -> Self:
        if isinstance(said, LotSampleTaken):
            mark = SampleMark(
                id=said.sample,
                plan=said.plan,
                purpose=said.purpose,
                tests=said.tests,
                taken=recorded.happened,
                due=said.due,
            )
            carried = self.carried | {mark.id}
            return replace(self, samples={**self.samples, mark.id: mark}, carried=carried)
        known = self.samples.get(said.sample)
        if known is None:
            return self
        return replace(self, samples={**self.samples, known.id: replace(known, is_closed=True)})

    def _tested(self, said: LotResultReported | LotResultInvalidated, recorded: Recorded) -> Self:
        if isinstance(said, LotResultInvalidated):
            what = f"result of {said.attribute} invalidated: {said.reason}"
            lot = self._note(recorded, "invalidated result", None, what, 1)
            results = {name: one for name, one in lot.results.items() if name != said.attribute}
            return replace(lot, results=results)
        mark = ResultMark(
            attribute=said.attribute,
            sample=said.sample,
            outcome=said.outcome,
            reported=said.reported,
            compared=said.compared,
            method=said.method,
            analyst=said.analyst,
            approver=said.approver,
            at=recorded.happened,
            raw_file=said.raw_file,
            number=recorded.number,
        )
        lot = replace(self, results={**self.results, said.attribute: mark})
        if said.outcome != "pass":
            what = f"{said.attribute}: {said.compared}"
            rank = 3 if said.outcome == "warning" else 1
            return lot._note(recorded, f"result {said.outcome}", None, what, rank)
        return lot

    def _filled(self, said: DosesFilled | DoseAllocated | DoseRejected) -> Self:
        if isinstance(said, DosesFilled):
            more = {one.container: Container(fill=one, coi=self.coi) for one in said.fills}
            carried = self.carried | more.keys()
            return replace(self, containers={**self.containers, **more}, carried=carried)
        known = self.containers.get(said.container)
        if known is None:
            return self
        if isinstance(said, DoseAllocated):
            known = replace(known, coi=said.coi)
        else:
            known = replace(known, is_rejected=True)
        return replace(self, containers={**self.containers, said.container: known})

    def _handled(self, said: LotContainerJoined | LotContainerLeft) -> Self:
        here = tuple(one for one in self.vessels.get(said.part, ()) if one != said.container)
        if isinstance(said, LotContainerJoined):
            vessels = {**self.vessels, said.part: (*here, said.container)}
            carried = self.carried | {said.container}
            made = self.vessels_made + 1
            return replace(self, vessels=vessels, vessels_made=made, carried=carried)
        return replace(self, vessels={**self.vessels, said.part: here})

    def _labelled(self, said: LotLabelsPrinted | LotLabelsReconciled) -> Self:
        if isinstance(said, LotLabelsPrinted):
            return replace(self, label_sets={**self.label_sets, said.label_set: (said, None)})
        printed, _ = self.label_sets[said.label_set]
        return replace(self, label_sets={**self.label_sets, said.label_set: (printed, said)})

    def _decided(self, said: object, recorded: Recorded) -> Self:
        match said:
            case BatchReviewed() | AuditTrailReviewed():
                mark = Mark(
                    reviewer=said.reviewer,
                    through=said.through,
                    at=recorded.happened,
                    signature=said.signature,
                )
                if isinstance(said, BatchReviewed):
                    return replace(self, batch_review=mark)
                return replace(self, audit_review=mark)
            case LotHeld(reason=reason):
                lot = self._note(recorded, "lot held", None, reason, 1)
                return replace(lot, status=LotStatus.HELD, held_because=reason)
            case LotResumed():
                ended = self.net is not None and self.marking.is_ended
                status = LotStatus.MADE if ended else LotStatus.RUNNING
                return replace(self, status=status, held_because=None)
            case ExceptionalReleaseRequested(attributes=attributes):
                return replace(self, request=attributes)
            case ExceptionalReleaseAssessed(is_supported=is_supported):
                return replace(self, assessed=is_supported)
            case LotReleased(is_exceptional=is_exceptional):
                return replace(
                    self,
                    status=LotStatus.RELEASED,
                    released=recorded.happened,
                    is_exceptional=is_exceptional,
                )
            case LotRejected():
                return replace(self, status=LotStatus.REJECTED)
            case LotTerminated():
                return replace(self, status=LotStatus.TERMINATED)
            case LotVoided():
                return replace(self, status=LotStatus.VOIDED)
            case LotRecalled():
                return replace(self, status=LotStatus.RECALLED)
            case _:
                return self

    def _put(self, step: StepState) -> Self:
        return replace(self, steps={**self.steps, step.key: step})

    def _note(self, recorded: Recorded, kind: str, step: str | None, what: str, rank: int) -> Self:
        one = Remark(number=recorded.number, kind=kind, step=step, what=what, rank=rank)
        return replace(self, remarks=(*self.remarks, one))


def net_of(digest: str, content: Mapping[str, Any]) -> Net:
    """Give the laid-out control recipe of a content; the same content is laid out once."""
    return _net(digest, canonical(dict(content)))


@lru_cache(maxsize=256)
def _net(digest: str, data: bytes) -> Net:
    del digest
    return Net(Recipe.recall(parse_canonical(data)))


# What happens after the making does not ask for the batch record to be reviewed again.
_AFTERWARDS = (
    AuditTrailReviewed,
    BatchReviewed,
    DoseAllocated,
    ExceptionalReleaseAssessed,
    ExceptionalReleaseRequested,
    LotReleased,
    LotRejected,
    LotRecalled,
)
