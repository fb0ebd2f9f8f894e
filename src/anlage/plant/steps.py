"""Doing the steps of a lot: start, scan, read, complete, skip.

A reading outside a hard limit is kept, opens a deviation and holds the step. A time past its window
or its maximum opens a deviation and holds nothing: cells do not wait for paper.

Here a step is scanned, completed or left out; it is opened in step_open.
"""

from collections.abc import Mapping, Sequence

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.custody import Container
from anlage.record import Entry, Signature

from .errors import IDENTITY, PART_11, distinct
from .identity import identity_of
from .label_need import must_be_labelled
from .lot import Lot, StepState, StepStatus
from .lot_fact import IdentityScanned, Reading, ReadingsEntered, Rule, StepCompleted, StepSkipped
from .readings import read_values
from .recipe import UNATTENDED, Phase
from .sample import entries_of_samples
from .signing import Qualified, must_be_allowed, must_sign
from .step_material import materials_used
from .step_open import entries_at_start, must_run, opened, phase_of
from .step_reading import Computes, breaches_of, computed_readings, entries_to_hold
from .step_request import CompleteStep, ScanIdentity, SkipStep, shown_step
from .step_time import duration_fault, lateness
from .step_turn import entries_of_turns, keys_opened
from .vessel import Vessels


def scan_identity(
    lot: Lot,
    request: ScanIdentity,
    *,
    operator: Qualified,
) -> list[Entry]:
    """Keep a scan at a step. A wrong one is kept too; only a fitting one lets the step go on.

    Raises:
        Refused: The lot is unknown, or the step not in its recipe.
    """
    phase_of(lot, request.step)
    raw = clean_line(request.raw, "scan", limit=300)
    scanned = IdentityScanned(
        step=request.step,
        raw=raw,
        is_match=identity_of(raw) == lot.identity,
        operator=operator.id,
    )
    return [Entry(lot.stream, scanned)]


def must_match(lot: Lot, step: str, raw: str) -> None:
    """See that a scan is this lot's identity. There is no override, ever.

    Raises:
        Refused: `identity-mismatch`.
    """
    if identity_of(raw) != lot.identity:
        raise Refused(
            "identity-mismatch",
            what=f"scan at step {step} of lot {lot.id}",
            found=raw[:120],
            limit=lot.identity,
            remedy="stop; put aside what was scanned and call the supervisor",
            rule=IDENTITY,
        )


def complete_step(
    lot: Lot,
    request: CompleteStep,
    *,
    operator: Qualified,
    at: Instant,
    witness: Qualified | None = None,
    calculations: Mapping[str, Computes] | None = None,
    sources: Mapping[str, Quantity] | None = None,
    containers: Mapping[str, Container] | None = None,
    units: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Say that a step is done.

    Args:
        lot: The lot.
        request: What was done.
        operator: Who did it.
        at: The moment of the command.
        witness: The second person.
        calculations: The effective calculations, by the reference that the recipe gives.
        sources: `material.titre` and `material.potency` of the material lot named as source.
        containers: The containers that the step's decision has to know (`containers_wanted`).
        units: Equipment class to the unit in use.

    Raises:
        Refused: With the rule that says no. Readings outside a hard limit do not refuse: they are
            kept, a deviation is opened and the step is held.
    """
    phase = phase_of(lot, request.step)
    if request.scan is not None:
        must_match(lot, request.step, request.scan)
    happened = request.happened or at
    step, entries = opened(lot, request, operator=operator, at=at)
    if request.step not in lot.steps:
        entries += entries_at_start(lot, phase, request, operator.id, containers, units)
    if step.status is StepStatus.HELD:
        raise Refused(
            "step-held",
            what=f"step {step.key} of lot {lot.id}",
            found=f"held by {', '.join(step.deviations)}",
            limit="a dispositioned deviation",
            remedy="investigate and disposition the deviation",
            rule=PART_11,
        )
    is_late = lateness(lot, request.happened, request.reason, at)
    allowed = must_be_allowed(lot, operator, phase.role, step.key, at) if phase.role else None
    del allowed  # the authorisation stands in the fact that opened the step
    _must_be_identified(lot, phase, step, request)
    performed, verified = _signed(lot, phase, step.key, request, operator, witness, at)
    readings = read_values(phase, request.readings, request.instruments)
    readings += computed_readings(
        lot, phase, readings, calculations or {}, sources or {}, step, request
    )
    if breaches := breaches_of(step, readings):
        entered = ReadingsEntered(
            step=step.key,
            readings=readings,
            operator=operator.id,
            signature=performed,
            is_late=is_late,
        )
        entries.append(Entry(lot.stream, entered, request.happened, request.reason))
        return entries + entries_to_hold(lot, phase, step.key, breaches, at, entries)
    _must_be_complete(lot, phase, step, readings, request)
    must_be_labelled(lot, request.step, readings)
    materials = materials_used(lot, phase, step.key, request.materials, readings, at)
    over = duration_fault(lot, phase, step, happened)
    handled = _handle(lot, phase, step, request, operator.id, readings, containers, units, is_late)
    return entries + _done(
        lot,
        entries,
        phase,
        step,
        request,
        handled,
        StepCompleted(
            step=step.key,
            operator=operator.id,
            witness=witness.id if phase.witness and witness else None,
            readings=readings,
            materials=materials,
            equipment=request.equipment or step.equipment,
            scan=request.scan,
            performed=performed,
            verified=verified,
            opens=keys_opened(lot, phase.id, readings),
            note=clean_text(request.note, "note", limit=2000) if request.note else None,
            is_late=is_late,
        ),
        over=over,
        at=at,
    )


def skip_step(lot: Lot, request: SkipStep, *, operator: Qualified, at: Instant) -> list[Entry]:
    """Leave a ready step out, on an authorisation given before.

    Raises:
        Refused: `step-out-of-order`: nobody authorised it, or it is not the step's turn.
    """
    must_run(lot)
    phase = phase_of(lot, request.step)
    number = lot.authorisation(Rule.ORDER, request.step, request.step, at)
    if number is None or request.step not in lot.ready:
        raise Refused(
            "step-out-of-order",
            what=f"skipping step {request.step} of lot {lot.id}",
            found="no authorisation" if number is None else "not its turn",
            limit="an exceptional authorisation for this step, whose turn it is",
            remedy="ask QA and a second person to authorise it before",
            rule=PART_11,
        )
    skipped = StepSkipped(
        step=request.step,
        operator=operator.id,
        authorised=number,
        opens=keys_opened(lot, phase.id, ()),
    )
    reason = clean_text(request.reason, "reason")
    return [Entry(lot.stream, skipped, why=reason), *entries_of_turns(lot, phase, (), at, ())]


def _must_be_identified(lot: Lot, phase: Phase, step: StepState, request: CompleteStep) -> None:
    if phase.is_identity_critical and request.scan is None and not step.scanned:
        raise Refused(
            "identity-not-scanned",
            what=f"step {step.key} of lot {lot.id}",
            found="no scan",
            limit=lot.identity,
            remedy="scan the lot's identity at the work place",
            rule=IDENTITY,
        )


def _signed(
    lot: Lot,
    phase: Phase,
    key: str,
    request: CompleteStep,
    operator: Qualified,
    witness: Qualified | None,
    at: Instant,
) -> tuple[Signature | None, Signature | None]:
    shown, what = shown_step(request), f"step {key} of lot {lot.id}"
    performed = request.performed
    if phase.is_signed or performed is not None:
        performed = must_sign(
            performed, person=operator, meaning="performed", what=what, shown=shown
        )
    if phase.witness is None:
        return performed, None
    if witness is None:
        raise Refused(
            "signature-missing",
            what=what,
            found="no second person",
            limit=f"a second, distinct person as {phase.witness}",
            remedy="ask a second person to verify and sign",
            rule="EU GMP Annex 11, 6",
        )
    if witness.id == operator.id:
        raise distinct(what, witness.id, "who performed it")
    must_be_allowed(lot, witness, phase.witness, key, at)
    verified = must_sign(
        request.verified, person=witness, meaning="verified", what=what, shown=shown
    )
    return performed, verified


def _must_be_complete(
    lot: Lot,
    phase: Phase,
    step: StepState,
    readings: Sequence[Reading],
    request: CompleteStep,
) -> None:
    there = {one.parameter for one in readings} | set(step.readings)
    if missing := [one.id for one in phase.parameters if one.required and one.id not in there]:
        raise Refused(
            "reading-missing",
            what=f"step {step.key} of lot {lot.id}",
            found=f"no {', '.join(missing)}",
            limit="every required value",
            remedy="enter each one, or have the step authorised without",
            rule="ALCOA: complete",
        )
    if phase.photo and not step.files:
        raise Refused(
            "attachment-missing",
            what=f"step {step.key} of lot {lot.id}",
            found="no picture or file",
            limit="one at least",
            remedy="attach it before the step is completed",
            rule=f"recipe {lot.recipe_id}",
        )
    del request


def _handle(
    lot: Lot,
    phase: Phase,
    step: StepState,
    request: CompleteStep,
    by: str,
    readings: Sequence[Reading],
    containers: Mapping[str, Container] | None,
    units: Mapping[str, str] | None,
    is_late: bool,
) -> Vessels:
    """Do what the phase says of containers; one that nobody attends did it when it began."""
    found = {**step.readings, **{one.parameter: one for one in readings}}
    work = Vessels(
        lot=lot,
        step=step.key,
        by=by,
        containers=containers or {},
        scans=request.containers,
        units=units or {},
        room=request.room or step.room,
        values={**lot.readings, **{f"{phase.id}.{n}": one.value for n, one in found.items()}},
        happened=request.happened,
        is_late=is_late,
    )
    if phase.kind not in UNATTENDED:
        work.act(phase)
    return work


def _done(
    lot: Lot,
    before: Sequence[Entry],
    phase: Phase,
    step: StepState,
    request: CompleteStep,
    handled: Vessels,
    completed: StepCompleted,
    *,
    over: str | None,
    at: Instant,
) -> list[Entry]:
    why = clean_text(request.reason, "reason", limit=2000) if request.reason else None
    entries = [Entry(lot.stream, completed, request.happened, why)]
    entries += entries_of_turns(lot, phase, completed.readings, at, before, over=over, key=step.key)
    if phase.samples:
        entries += entries_of_samples(
            lot,
            phase,
            step.key,
            operator=completed.operator,
            at=request.happened or at,
            vessels=handled,
        )
    if not lot.ends_with(phase.id, completed.readings):
        handled.offer_on()
    return entries + handled.entries
