"""Opening a step: its turn, alone where it must be, in its window, by somebody allowed."""

from collections.abc import Mapping

from anlage.base import Instant, Refused
from anlage.custody import Container
from anlage.record import Entry

from .deviation import entries_to_open
from .errors import PART_11, not_running
from .lot import Lot, LotStatus, StepState, StepStatus
from .lot_fact import Rule, Severity, StepStarted
from .recipe import UNATTENDED, Phase
from .signing import Qualified, must_be_allowed
from .step_request import CompleteStep, StartStep
from .step_time import window_fault
from .vessel import Vessels


def start_step(
    lot: Lot,
    request: StartStep,
    *,
    operator: Qualified,
    at: Instant,
    containers: Mapping[str, Container] | None = None,
    units: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Open a step. A step that nobody attends (wait, hold) handles its containers now.

    Args:
        lot: The lot.
        request: Which step, with which units.
        operator: Who opens it.
        at: The moment.
        containers: The containers that the step's decision has to know.
        units: Equipment class to the unit in use.

    Raises:
        Refused: The lot does not run, it is not the step's turn, another exclusive step is open, it
            is too early, or the operator may not do it.
    """
    entries = begin_step(lot, request, operator=operator, at=at)[1]
    phase = phase_of(lot, request.step)
    return entries + entries_at_start(lot, phase, request, operator.id, containers, units)


def entries_at_start(
    lot: Lot,
    phase: Phase,
    request: StartStep | CompleteStep,
    by: str,
    containers: Mapping[str, Container] | None,
    units: Mapping[str, str] | None,
) -> list[Entry]:
    """Give what happens to containers as an unattended step begins; nothing for any other."""
    if phase.kind not in UNATTENDED or not phase.containers:
        return []
    work = Vessels(
        lot=lot,
        step=request.step,
        by=by,
        containers=containers or {},
        scans=request.containers,
        units=units or {},
        room=request.room,
        values=lot.readings,
    )
    work.act(phase)
    work.offer_on()
    return work.entries


def begin_step(
    lot: Lot, request: StartStep | CompleteStep, *, operator: Qualified, at: Instant
) -> tuple[StepState, list[Entry]]:
    """Give a step as it is once opened, and the facts that open it.

    Raises:
        Refused: As `start_step`.
    """
    must_run(lot)
    phase = phase_of(lot, request.step)
    key = request.step
    authorised, out_of_order = _must_be_turn(lot, phase, key, at), key not in lot.ready
    happened = (request.happened if isinstance(request, CompleteStep) else None) or at
    _must_be_alone(lot, phase, key)
    allowed = must_be_allowed(lot, operator, phase.role, key, at) if phase.role else None
    late_for = window_fault(lot, phase, key, happened)
    started = StepStarted(
        step=key,
        operator=operator.id,
        role=phase.role,
        equipment=request.equipment,
        room=request.room,
        authorised=allowed if allowed is not None else authorised,
        out_of_order=out_of_order,
        late_for=late_for,
    )
    entries = [Entry(lot.stream, started, happened if happened != at else None)]
    if late_for:
        entries += entries_to_open(
            lot,
            title=f"{phase.name} began late",
            description=late_for,
            severity=Severity.MAJOR,
            cause="window-passed",
            at=at,
            step=key,
        )[1]
    step = StepState(
        key=key,
        phase=phase.id,
        status=StepStatus.STARTED,
        started=happened,
        operator=operator.id,
        equipment=request.equipment,
        room=request.room,
    )
    return step, entries


def opened(
    lot: Lot, request: CompleteStep, *, operator: Qualified, at: Instant
) -> tuple[StepState, list[Entry]]:
    """Give the open step that a request completes, and the facts that open it where none is.

    Raises:
        Refused: It is closed already, ends before it began, or cannot be opened.
    """
    must_run(lot)
    known = lot.steps.get(request.step)
    if known is None:
        return begin_step(lot, request, operator=operator, at=at)
    if not known.is_open:
        raise Refused(
            "step-done",
            what=f"step {request.step} of lot {lot.id}",
            found=str(known.status),
            limit="an open step",
            remedy="correct an entry with its reason, or go on with the next step",
            rule=PART_11,
        )
    if request.happened is not None and request.happened < known.started:
        raise Refused(
            "time-before-start",
            what=f"end of step {request.step} of lot {lot.id}",
            found=request.happened.isoformat(),
            limit=f"not before its start, {known.started.isoformat()}",
            remedy="correct the time",
            rule="ALCOA: accurate",
        )
    return known, []


def open_step(lot: Lot, key: str) -> StepState:
    """Give a step that is open.

    Raises:
        Refused: `step-not-open`.
    """
    must_run(lot)
    step = lot.steps.get(key)
    if step is None or not step.is_open:
        raise Refused(
            "step-not-open",
            what=f"step {key[:80]} of lot {lot.id}",
            found=str(step.status) if step else "not started",
            limit="an open step",
            remedy="open it first; a completed step is corrected, with the reason",
            rule=PART_11,
        )
    return step


def must_run(lot: Lot) -> None:
    """See that a lot is being made.

    Raises:
        Refused: `lot-not-running`.
    """
    if lot.status is not LotStatus.RUNNING:
        raise not_running(lot.id, str(lot.status), lot.held_because)


def phase_of(lot: Lot, key: str) -> Phase:
    """Give the phase of a step.

    Raises:
        Refused: `step-unknown`.
    """
    phase = lot.phase_of(key)
    if phase is None:
        raise Refused(
            "step-unknown",
            what=f"step {key[:80]} of lot {lot.id}",
            found="not in its control recipe" if lot.net else "the lot never began",
            limit=", ".join(lot.ready) or "no step is ready",
            remedy="choose the step from the list",
            rule=PART_11,
        )
    return phase


def _must_be_turn(lot: Lot, phase: Phase, key: str, at: Instant) -> int | None:
    if key in lot.ready:
        return None
    known = lot.steps.get(key)
    number = lot.authorisation(Rule.ORDER, key, key, at)
    if known is None and key == lot.key_of(phase.id) and number is not None:
        return number
    found = f"{known.status}" if known else "not its turn"
    raise Refused(
        "step-done" if known else "step-out-of-order",
        what=f"step {key} of lot {lot.id}",
        found=found,
        limit=", ".join(lot.ready) or "no step is ready",
        remedy="do the step whose turn it is, or have an exception authorised before",
        rule=PART_11,
    )


def _must_be_alone(lot: Lot, phase: Phase, key: str) -> None:
    if not phase.is_exclusive:
        return
    for step in lot.open_steps:
        other = lot.phase_of(step.key)
        if other is not None and other.is_exclusive and step.key != key:
            raise Refused(
                "step-exclusive",
                what=f"step {key} of lot {lot.id}",
                found=f"step {step.key} is open",
                limit="one exclusive step at a time",
                remedy=f"complete step {step.key} first",
                rule=PART_11,
            )
