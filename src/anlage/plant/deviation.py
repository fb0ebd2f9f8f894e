"""A deviation: opened by the system or a person, investigated, dispositioned by QA.

It lives in its own stream; the lot keeps a mark of it, so that a lot alone tells what is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Refused, clean_text, stamp
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .errors import GMP, distinct
from .lot import Lot, StepStatus
from .lot_fact import LotDeviationClosed, LotDeviationOpened, Severity, StepFreed
from .signing import Qualified, must_sign

DUE = {
    Severity.CRITICAL: timedelta(days=2),
    Severity.MAJOR: timedelta(days=10),
    Severity.MINOR: timedelta(days=30),
}
QUALITY = "qa-reviewer"


class Outcome(StrEnum):
    """What QA decides about what a deviation touched."""

    ACCEPT = "accept"
    REPEAT = "repeat"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A corrective or preventive action."""

    id: str
    what: str
    owner: str
    due: Instant


@fact("deviation-opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationOpened:
    """Something went otherwise than it should.

    Attributes:
        opener: The person; None when the system opened it.
        cause: The rule or limit that was broken, as a code.
    """

    lot: str
    title: str
    description: str
    severity: Severity
    cause: str
    step: str | None = None
    attribute: str | None = None
    opener: str | None = None
    due: Instant | None = None


@fact("deviation-regraded")
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationRegraded:
    """The severity was judged anew."""

    old: Severity
    new: Severity
    reason: str
    by: str


@fact("deviation-investigated")
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationInvestigated:
    """What happened and why was found out."""

    root_cause: str
    impact: str
    investigator: str
    signature: Signature
    is_laboratory_error: bool = False


@fact("deviation-dispositioned")
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationDispositioned:
    """QA decided; with that the deviation is closed."""

    outcome: Outcome
    conclusion: str
    by: str
    signature: Signature
    actions: tuple[Action, ...] = ()


@fact("action-completed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCompleted:
    """A corrective or preventive action was done, and its effect looked at."""

    action: str
    evidence: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeviation:
    """Report that something went otherwise than it should."""

    lot: str
    title: str
    description: str
    severity: Severity = Severity.MINOR
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigateDeviation:
    """State what happened and why."""

    deviation: str
    root_cause: str
    impact: str
    signature: Signature | None = None
    is_laboratory_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeDeviation:
    """Judge the severity anew."""

    deviation: str
    severity: Severity
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionDeviation:
    """Decide about what a deviation touched."""

    deviation: str
    outcome: Outcome
    conclusion: str
    signature: Signature | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteAction:
    """Report a corrective or preventive action as done."""

    deviation: str
    action: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A deviation, folded from its facts."""

    id: str
    lot: str = ""
    step: str | None = None
    attribute: str | None = None
    title: str = ""
    severity: Severity = Severity.MINOR
    opener: str | None = None
    opened: Instant | None = None
    due: Instant | None = None
    investigator: str | None = None
    is_laboratory_error: bool = False
    outcome: Outcome | None = None
    closed: Instant | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    done: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a deviation without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"deviation/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the deviation after one more fact."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case DeviationOpened() as said:
                return replace(
                    self,
                    lot=said.lot,
                    step=said.step,
                    attribute=said.attribute,
                    title=said.title,
                    severity=said.severity,
                    opener=said.opener,
                    opened=recorded.happened,
                    due=said.due,
                )
            case DeviationRegraded(new=new):
                return replace(self, severity=new)
            case DeviationInvestigated() as said:
                return replace(
                    self,
                    investigator=said.investigator,
                    is_laboratory_error=said.is_laboratory_error,
                )
            case DeviationDispositioned() as said:
                return replace(
                    self,
                    outcome=said.outcome,
                    closed=recorded.happened,
                    actions={one.id: one for one in said.actions},
                )
            case ActionCompleted(action=action):
                return replace(self, done=self.done | {action})
            case _:
                return self


def entries_to_open(
    lot: Lot,
    *,
    title: str,
    description: str,
    severity: Severity,
    cause: str,
    at: Instant,
    step: str | None = None,
    attribute: str | None = None,
    opener: str | None = None,
    ahead: int = 0,
) -> tuple[str, list[Entry]]:
    """Give the id and the facts of a new deviation of a lot, on its stream and on the lot's."""
    id = lot.next_deviation(ahead)
    due = at + DUE[severity]
    opened = DeviationOpened(
        lot=lot.id,
        title=title,
        description=description,
        severity=severity,
        cause=cause,
        step=step,
        attribute=attribute,
        opener=opener,
        due=due,
    )
    mark = LotDeviationOpened(
        deviation=id, title=title, severity=severity, step=step, attribute=attribute, due=due
    )
    return id, [Entry(Stream(f"deviation/{id}"), opened), Entry(lot.stream, mark)]


def open_deviation(
    lot: Lot, request: OpenDeviation, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report that something went otherwise; anybody who works with a lot may.

    Raises:
        Refused: There is no such lot or step, or the text is not usable.
    """
    if lot.net is None:
        raise Refused("lot-not-running", what=f"lot {lot.id}", found="unknown", remedy="check it")
    if request.step is not None and request.step not in lot.steps:
        raise Refused(
            "step-unknown",
            what=f"step {request.step} of lot {lot.id}",
            found="never started",
            limit=", ".join(lot.steps) or "no step was started",
            remedy="name a step that was started, or leave it out",
        )
    title = clean_text(request.title, "title of the deviation", limit=200)
    description = clean_text(request.description, "description of the deviation")
    return entries_to_open(
        lot,
        title=title,
        description=description,
        severity=request.severity,
        cause="reported",
        at=at,
        step=request.step,
        opener=person.id,
    )[1]


def regrade_deviation(
    deviation: Deviation, request: RegradeDeviation, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Judge the severity anew; QA does.

    Raises:
        Refused: It is closed or unknown, or the person is not of QA.
    """
    _must_be_open(deviation)
    person.must_be_qualified(QUALITY, at)
    reason = clean_text(request.reason, "reason")
    changed = DeviationRegraded(
        old=deviation.severity, new=request.severity, reason=reason, by=person.id
    )
    return [Entry(deviation.stream, changed, why=reason)]


def investigate_deviation(
    deviation: Deviation, request: InvestigateDeviation, *, person: Qualified
) -> list[Entry]:
    """State what happened and why, signed.

    Raises:
        Refused: It is closed or unknown, or the signature does not stand under this.
    """
    _must_be_open(deviation)
    root_cause = clean_text(request.root_cause, "root cause")
    impact = clean_text(request.impact, "impact")
    signature = must_sign(
        request.signature,
        person=person,
        meaning="investigated",
        what=f"investigation of {deviation.id}",
        shown={"deviation": deviation.id, "root_cause": root_cause},
    )
    found = DeviationInvestigated(
        root_cause=root_cause,
        impact=impact,
        investigator=person.id,
        signature=signature,
        is_laboratory_error=request.is_laboratory_error,
    )
    return [Entry(deviation.stream, found)]


def disposition_deviation(
    deviation: Deviation, lot: Lot, request: DispositionDeviation, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Decide about what a deviation touched; a held step may then go on, unless it is rejected.

    Raises:
        Refused: It is closed, was not investigated, or the person is not of QA or did the step.
    """
    _must_be_open(deviation)
    if deviation.investigator is None:
        raise Refused(
            "deviation-not-investigated",
            what=f"deviation {deviation.id}",
            found="no investigation",
            limit="an investigation with root cause and impact",
            remedy="investigate it first",
            rule=GMP,
        )
    person.must_be_qualified(QUALITY, at)
    step = lot.steps.get(deviation.step or "")
    if step is not None and person.id in {step.operator, step.witness}:
        what = f"disposition of {deviation.id}"
        raise distinct(what, person.id, f"who did or verified step {step.key}", GMP)
    conclusion = clean_text(request.conclusion, "conclusion")
    signature = must_sign(
        request.signature,
        person=person,
        meaning="dispositioned",
        what=f"disposition of {deviation.id}",
        shown={
            "deviation": deviation.id,
            "outcome": str(request.outcome),
            "conclusion": conclusion,
        },
    )
    decided = DeviationDispositioned(
        outcome=request.outcome,
        conclusion=conclusion,
        by=person.id,
        signature=signature,
        actions=request.actions,
    )
    accepted = request.outcome is not Outcome.REJECT
    closed = LotDeviationClosed(deviation=deviation.id, is_accepted=accepted, conclusion=conclusion)
    entries = [Entry(deviation.stream, decided), Entry(lot.stream, closed)]
    others = {one.id for one in lot.open_deviations} - {deviation.id}
    is_held = step is not None and step.status is StepStatus.HELD
    if is_held and step is not None and accepted and not others & set(step.deviations):
        entries.append(Entry(lot.stream, StepFreed(step=step.key, deviation=deviation.id)))
    return entries


def complete_action(
    deviation: Deviation, request: CompleteAction, *, person: Qualified
) -> list[Entry]:
    """Report an action as done.

    Raises:
        Refused: There is no such action, or it is done.
    """
    if request.action not in deviation.actions or request.action in deviation.done:
        open_ones = sorted(set(deviation.actions) - deviation.done)
        raise Refused(
            "deviation-unknown",
            what=f"action {request.action[:60]} of deviation {deviation.id}",
            found="done, or never agreed",
            limit=", ".join(open_ones) or "no action is open",
            remedy="choose an open action",
        )
    evidence = clean_text(request.evidence, "evidence")
    done = ActionCompleted(action=request.action, evidence=evidence, by=person.id)
    return [Entry(deviation.stream, done)]


def _must_be_open(deviation: Deviation) -> None:
    if deviation.opened is None:
        raise Refused(
            "deviation-unknown",
            what=f"deviation {deviation.id}",
            found="none of that number",
            remedy="choose one from the list of deviations",
        )
    if deviation.closed is not None:
        raise Refused(
            "deviation-closed",
            what=f"deviation {deviation.id}",
            found=f"closed on {stamp(deviation.closed)}",
            remedy="open a new deviation if there is something new",
        )
