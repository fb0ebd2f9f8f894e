"""Doing the steps of a lot: start, scan, read, complete, skip.

A reading outside a hard limit is kept, opens a deviation and holds the step. A time past its window
or its maximum opens a deviation and holds nothing: cells do not wait for paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.record import Entry, Signature

from .deviation import entries_to_open
from .errors import IDENTITY, PART_11, distinct, not_running
from .flow import TurnKind
from .identity import identity_of
from .lot import Lot, LotStatus, StepState, StepStatus
from .lot_fact import (
    IdentityScanned,
    LotDeviationOpened,
    MaterialUsed,
    Reading,
    ReadingsEntered,
    Rule,
    Severity,
    StepCompleted,
    StepHeld,
    StepSkipped,
    StepStarted,
    TurnTaken,
)
from .readings import read_values
from .recipe import Judgement, MaterialNeed, Phase
from .sample import entries_of_samples
from .signing import Qualified, must_be_allowed, must_sign

LATE = timedelta(minutes=5)


class Computes(Protocol):
    """A calculation of the library."""

    def compute(self, values: Mapping[str, Quantity]) -> Quantity:
        """Give the result."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialGiven:
    """Material scanned for a step: which lot and how much of it."""

    material: str
    material_class: str
    amount: str
    pack: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartStep:
    """Open a step."""

    lot: str
    step: str
    equipment: tuple[str, ...] = ()
    room: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanIdentity:
    """Keep a scan, whether it fits or not."""

    lot: str
    step: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterReadings:
    """Enter values at an open step before it is completed."""

    lot: str
    step: str
    readings: Mapping[str, str]
    instruments: Mapping[str, str] = field(default_factory=dict)
    happened: Instant | None = None
    reason: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteStep:
    """Say that a step is done; a ready step that is not open is opened by it.

    Attributes:
        lot: The lot.
        step: The step's key.
        readings: Parameter to what was read, with its unit ("82.4 %").
        instruments: Parameter to the equipment unit that measured it.
        materials: What went in.
        equipment: Units in use.
        room: The room.
        scan: The raw string of the identity scan.
        source: The material lot whose titre or potency a calculation uses.
        witness: The second person.
        performed: The operator's signature.
        verified: The second person's signature.
        note: A remark.
        happened: When, if it is entered after the fact.
        reason: Why it is entered late.
    """

    lot: str
    step: str
    readings: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)
    materials: tuple[MaterialGiven, ...] = ()
    equipment: tuple[str, ...] = ()
    room: str | None = None
    scan: str | None = None
    source: str | None = None
    witness: str | None = None
    performed: Signature | None = None
    verified: Signature | None = None
    note: str | None = None
    happened: Instant | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStep:
    """Leave a ready step out, on an authorisation."""

    lot: str
    step: str
    reason: str


def shown_step(request: CompleteStep) -> dict[str, Any]:
    """Give the values that a page shows and that signatures under a step have to carry."""
    return {
        "lot": request.lot,
        "step": request.step,
        "readings": {name: str(value) for name, value in sorted(request.readings.items())},
        "materials": [f"{one.material} {one.amount}" for one in request.materials],
        "scan": request.scan,
    }


def start_step(lot: Lot, request: StartStep, *, operator: Qualified, at: Instant) -> list[Entry]:
    """Open a step.

    Raises:
        Refused: The lot does not run, it is not the step's turn, another exclusive step is open, it
            is too early, or the operator may not do it.
    """
    return _start(lot, request, operator=operator, at=at)[1]


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
    _phase(lot, request.step)
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


def enter_readings(
    lot: Lot, request: EnterReadings, *, operator: Qualified, at: Instant
) -> list[Entry]:
    """Enter values at an open step.

    Raises:
        Refused: The step is not open, or a value does not fit its parameter.
    """
    step = _open_step(lot, request.step)
    phase = _phase(lot, request.step)
    must_be_allowed(lot, operator, phase.role, step.key, at)
    is_late = _lateness(lot, request.happened, request.reason, at)
    if request.signature is not None:
        must_sign(
            request.signature,
            person=operator.id,
            meaning="performed",
            what=f"readings of step {step.key} of lot {lot.id}",
            shown={"lot": lot.id, "step": step.key, "readings": dict(request.readings)},
        )
    readings = read_values(phase, request.readings, request.instruments)
    entered = ReadingsEntered(
        step=step.key,
        readings=readings,
        operator=operator.id,
        signature=request.signature,
        is_late=is_late,
    )
    entries = [Entry(lot.stream, entered, request.happened, request.reason)]
    breaches = _breaches(step, readings)
    return entries + (_hold(lot, phase, step.key, breaches, at, entries) if breaches else [])


def complete_step(
    lot: Lot,
    request: CompleteStep,
    *,
    operator: Qualified,
    at: Instant,
    witness: Qualified | None = None,
    calculations: Mapping[str, Computes] | None = None,
    sources: Mapping[str, Quantity] | None = None,
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

    Raises:
        Refused: With the rule that says no. Readings outside a hard limit do not refuse: they are
            kept, a deviation is opened and the step is held.
    """
    phase = _phase(lot, request.step)
    if request.scan is not None:
        must_match(lot, request.step, request.scan)
    happened = request.happened or at
    step, entries = _opened(lot, request, operator=operator, at=at)
    if step.status is StepStatus.HELD:
        raise Refused(
            "step-held",
            what=f"step {step.key} of lot {lot.id}",
            found=f"held by {', '.join(step.deviations)}",
            limit="a dispositioned deviation",
            remedy="investigate and disposition the deviation",
            rule=PART_11,
        )
    is_late = _lateness(lot, request.happened, request.reason, at)
    allowed = must_be_allowed(lot, operator, phase.role, step.key, at) if phase.role else None
    del allowed  # the authorisation stands in the fact that opened the step
    _must_be_identified(lot, phase, step, request)
    performed, verified = _signed(lot, phase, step.key, request, operator, witness, at)
    readings = read_values(phase, request.readings, request.instruments)
    readings += _computed(lot, phase, readings, calculations or {}, sources or {}, step, request)
    if breaches := _breaches(step, readings):
        entered = ReadingsEntered(
            step=step.key,
            readings=readings,
            operator=operator.id,
            signature=performed,
            is_late=is_late,
        )
        entries.append(Entry(lot.stream, entered, request.happened, request.reason))
        return entries + _hold(lot, phase, step.key, breaches, at, entries)
    _must_be_complete(lot, phase, step, readings, request)
    materials = _materials(lot, phase, step.key, request.materials, readings, at)
    over = _times(lot, phase, step, happened)
    return entries + _done(
        lot,
        entries,
        phase,
        step,
        request,
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
            opens=_opens(lot, phase.id, readings),
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
    _must_run(lot)
    phase = _phase(lot, request.step)
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
        opens=_opens(lot, phase.id, ()),
    )
    reason = clean_text(request.reason, "reason")
    return [Entry(lot.stream, skipped, why=reason), *_turns(lot, phase, (), at, ())]


# Opening -----------------------------------------------------------------------------------------


def _start(
    lot: Lot, request: StartStep | CompleteStep, *, operator: Qualified, at: Instant
) -> tuple[StepState, list[Entry]]:
    _must_run(lot)
    phase = _phase(lot, request.step)
    key = request.step
    authorised, out_of_order = _must_be_turn(lot, phase, key, at), key not in lot.ready
    happened = (request.happened if isinstance(request, CompleteStep) else None) or at
    _must_be_alone(lot, phase, key)
    allowed = must_be_allowed(lot, operator, phase.role, key, at) if phase.role else None
    late_for = _window(lot, phase, key, happened)
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
    )
    return step, entries


def _opened(
    lot: Lot, request: CompleteStep, *, operator: Qualified, at: Instant
) -> tuple[StepState, list[Entry]]:
    _must_run(lot)
    known = lot.steps.get(request.step)
    if known is None:
        return _start(lot, request, operator=operator, at=at)
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


def _must_run(lot: Lot) -> None:
    if lot.status is not LotStatus.RUNNING:
        raise not_running(lot.id, str(lot.status), lot.held_because)


def _phase(lot: Lot, key: str) -> Phase:
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


def _window(lot: Lot, phase: Phase, key: str, happened: Instant) -> str | None:
    late = []
    for window in phase.windows:
        since = lot.last(window.after)
        if since is None:
            continue
        base = since.started if window.since == "started" else since.completed
        if base is None:
            continue
        passed = happened - base
        if window.earliest is not None and passed < window.earliest:
            raise Refused(
                "step-too-early",
                what=f"step {key} of lot {lot.id}",
                found=f"{_span(passed)} after {window.after}",
                limit=f"at least {_span(window.earliest)}",
                remedy=f"wait another {_span(window.earliest - passed)}",
                rule=f"recipe {lot.recipe_id}",
            )
        if window.latest is not None and passed > window.latest:
            late.append(
                f"{phase.name} began {_span(passed)} after {window.after}; at most "
                f"{_span(window.latest)} is allowed"
            )
    return "; ".join(late) or None


def _open_step(lot: Lot, key: str) -> StepState:
    _must_run(lot)
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


# Completing --------------------------------------------------------------------------------------


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
            performed, person=operator.id, meaning="performed", what=what, shown=shown
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
        request.verified, person=witness.id, meaning="verified", what=what, shown=shown
    )
    return performed, verified


def _computed(
    lot: Lot,
    phase: Phase,
    entered: Sequence[Reading],
    calculations: Mapping[str, Computes],
    sources: Mapping[str, Quantity],
    step: StepState,
    request: CompleteStep,
) -> tuple[Reading, ...]:
    values: dict[str, Quantity | str] = {**lot.readings, **sources}
    if lot.weight is not None:
        values["lot.weight"] = lot.weight
    found: list[Reading] = []
    for one in phase.parameters:
        if one.calculation is None or one.id in step.readings:
            continue
        for reading in (*entered, *found):
            values[f"{phase.id}.{reading.parameter}"] = reading.value
        calculation = calculations.get(one.calculation)
        if calculation is None:
            raise Refused(
                "definition-not-effective",
                what=f"calculation {one.calculation} of step {step.key}",
                found="none in effect",
                limit="an approved, effective calculation",
                remedy="have the calculation approved",
                rule="EU GMP Annex 11, 4",
            )
        inputs = {name: _input(lot, given, values, step.key) for name, given in one.inputs.items()}
        result = calculation.compute(inputs).to(one.unit)
        words = ", ".join(f"{name} {value}" for name, value in inputs.items())
        by_hand = next((given for given in entered if given.parameter == one.id), None)
        _must_agree(lot, step.key, one.id, result, by_hand, one.decimals)
        if by_hand is not None:
            continue
        judgement = one.judge(result)
        found.append(
            Reading(
                parameter=one.id,
                number=result,
                judgement=judgement,
                limit=_limit(one.hard, one.warning, judgement),
                computed=f"{one.calculation} of {words}",
            )
        )
    del request
    return tuple(found)


def _input(lot: Lot, given: str, values: Mapping[str, Quantity | str], key: str) -> Quantity:
    value = values.get(given)
    if isinstance(value, Quantity):
        return value
    try:
        return Quantity.parse(given)
    except Refused:
        raise Refused(
            "reading-missing",
            what=f"input {given} of step {key} of lot {lot.id}",
            found="no value",
            limit="a value read before",
            remedy="enter the reading, or name the material lot whose value it is",
            rule=PART_11,
        ) from None


def _must_agree(
    lot: Lot, key: str, name: str, result: Quantity, by_hand: Reading | None, decimals: int | None
) -> None:
    """Compare a value worked out by hand with the computed one, to the decimals reported."""
    if by_hand is None or by_hand.number is None:
        return
    apart = abs(by_hand.number.to(result.unit).value - result.value)
    allowed = (Quantity.of(1, "1").value).scaleb(-(decimals if decimals is not None else 2))
    if apart > allowed:
        raise Refused(
            "calculation-mismatch",
            what=f"{name} of step {key} of lot {lot.id}",
            found=by_hand.number,
            limit=f"{result}, as computed",
            remedy="check the inputs and work it out again",
            rule="EU GMP Annex 11, 6",
        )


def _breaches(step: StepState, readings: Sequence[Reading]) -> list[Reading]:
    """Give readings outside a hard limit that no deviation has answered for."""
    return [
        one
        for one in readings
        if one.judgement is Judgement.HARD
        and not (step.deviations and step.readings.get(one.parameter) == one)
    ]


def _hold(
    lot: Lot,
    phase: Phase,
    key: str,
    breaches: Sequence[Reading],
    at: Instant,
    before: Sequence[Entry],
) -> list[Entry]:
    words = "; ".join(f"{one.parameter} {one.value}, limit {one.limit}" for one in breaches)
    critical = any(
        parameter.critical
        for one in breaches
        if (parameter := phase.parameter(one.parameter)) is not None
    )
    id, entries = entries_to_open(
        lot,
        title=f"{phase.name}: outside the hard limit",
        description=words,
        severity=Severity.CRITICAL if critical else Severity.MAJOR,
        cause="hard-limit",
        at=at,
        step=key,
        ahead=_openings(before),
    )
    held = StepHeld(step=key, deviation=id, reason=words)
    return [*entries, Entry(lot.stream, held)]


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


def _materials(
    lot: Lot,
    phase: Phase,
    key: str,
    given: Sequence[MaterialGiven],
    readings: Sequence[Reading],
    at: Instant,
) -> tuple[MaterialUsed, ...]:
    named = {one.material_class for one in given}
    missing = [one.material_class for one in phase.materials if one.material_class not in named]
    foreign = named - {one.material_class for one in phase.materials}
    if missing or foreign:
        raise Refused(
            "material-missing" if missing else "material-unusable",
            what=f"materials of step {key} of lot {lot.id}",
            found=f"no {', '.join(missing)}" if missing else f"{', '.join(sorted(foreign))}",
            limit=", ".join(one.material_class for one in phase.materials) or "none",
            remedy="scan the material that the step asks for",
            rule=f"recipe {lot.recipe_id}",
        )
    values = {**lot.readings, **{f"{phase.id}.{one.parameter}": one.value for one in readings}}
    used = []
    for need in phase.materials:
        parts = [one for one in given if one.material_class == need.material_class]
        amounts = [Quantity.parse(one.amount) for one in parts]
        planned, within = _planned(need, amounts, values)
        used += [
            MaterialUsed(
                material=one.material,
                material_class=one.material_class,
                amount=amount,
                planned=planned,
                is_within=within,
                authorised=lot.authorisation(Rule.MATERIAL, key, one.material, at),
            )
            for one, amount in zip(parts, amounts, strict=True)
        ]
    return tuple(used)


def _planned(
    need: MaterialNeed, amounts: Sequence[Quantity], values: Mapping[str, Quantity | str]
) -> tuple[Quantity | None, bool]:
    planned = need.amount
    if need.amount_from is not None:
        read = values.get(need.amount_from)
        planned = read if isinstance(read, Quantity) else None
    if planned is None:
        return None, True
    total = sum((one.to(planned.unit).value for one in amounts), planned.value * 0)
    return planned, abs(total - planned.value) * 100 <= abs(planned.value) * need.tolerance_percent


def _times(lot: Lot, phase: Phase, step: StepState, happened: Instant) -> str | None:
    """Refuse an end before the minimum; say how far it lies past the maximum."""
    lasted = happened - step.started
    if phase.minimum is not None and lasted < phase.minimum:
        raise Refused(
            "step-too-early",
            what=f"step {step.key} of lot {lot.id}",
            found=f"open for {_span(lasted)}",
            limit=f"at least {_span(phase.minimum)}",
            remedy=f"wait another {_span(phase.minimum - lasted)}",
            rule=f"recipe {lot.recipe_id}",
        )
    if phase.maximum is not None and lasted > phase.maximum:
        return f"{phase.name} lasted {_span(lasted)}; at most {_span(phase.maximum)} is validated"
    return None


def _done(
    lot: Lot,
    before: Sequence[Entry],
    phase: Phase,
    step: StepState,
    request: CompleteStep,
    completed: StepCompleted,
    *,
    over: str | None,
    at: Instant,
) -> list[Entry]:
    why = clean_text(request.reason, "reason", limit=2000) if request.reason else None
    entries = [Entry(lot.stream, completed, request.happened, why)]
    entries += _turns(lot, phase, completed.readings, at, before, over=over, key=step.key)
    if phase.samples:
        entries += entries_of_samples(
            lot, phase, step.key, operator=completed.operator, at=request.happened or at
        )
    return entries


def _opens(lot: Lot, phase: str, readings: Sequence[Reading]) -> tuple[str, ...]:
    """Give the keys of the steps that are ready once a phase has ended."""
    if lot.net is None:
        return ()
    values = {**lot.readings, **{f"{phase}.{one.parameter}": one.value for one in readings}}
    marking, _, _ = lot.moved(phase, values)
    keys = []
    for one in lot.net.ready(marking):
        done = lot.rounds.get(one, 0) + (one == phase)
        key = one if done == 0 else f"{one}:{done + 1}"
        if key not in lot.steps and key not in lot.ready:
            keys.append(key)
    return tuple(keys)


def _turns(
    lot: Lot,
    phase: Phase,
    readings: Sequence[Reading],
    at: Instant,
    before: Sequence[Entry],
    *,
    over: str | None = None,
    key: str | None = None,
) -> list[Entry]:
    values = {**lot.readings, **{f"{phase.id}.{one.parameter}": one.value for one in readings}}
    entries: list[Entry] = []
    faults = [("hold-over-maximum", f"{phase.name} lasted too long", over)] if over else []
    for turn in lot.moved(phase.id, values)[2]:
        taken = TurnTaken(
            at=turn.id, turn=turn.kind, branch=turn.branch, round=turn.round, because=turn.because
        )
        entries.append(Entry(lot.stream, taken))
        if turn.kind is TurnKind.EXHAUSTED:
            faults.append(("rounds-used-up", f"{turn.id}: all rounds used up", turn.because))
        if turn.kind is TurnKind.STUCK:
            faults.append(("no-branch", f"{turn.id}: no branch fits", turn.because))
    for cause, title, words in faults:
        entries += entries_to_open(
            lot,
            title=title,
            description=words,
            severity=Severity.MAJOR,
            cause=cause,
            at=at,
            step=key,
            ahead=_openings([*before, *entries]),
        )[1]
    return entries


def _openings(entries: Sequence[Entry]) -> int:
    """Count the deviations that a command opens."""
    return sum(isinstance(one.fact, LotDeviationOpened) for one in entries)


def _lateness(lot: Lot, happened: Instant | None, reason: str | None, at: Instant) -> bool:
    if happened is None:
        return False
    if happened > at + LATE:
        raise Refused(
            "time-in-future",
            what=f"time of the entry in lot {lot.id}",
            found=happened.isoformat(),
            limit=f"not after {at.isoformat()}",
            remedy="correct the time",
            rule="ALCOA: contemporaneous",
        )
    if at - happened <= LATE:
        return False
    if not reason:
        raise Refused(
            "late-entry-unexplained",
            what=f"entry in lot {lot.id}",
            found=f"{_span(at - happened)} after the fact",
            limit="a reason",
            remedy="say why it is entered late",
            rule="ALCOA: contemporaneous",
        )
    return True


def _limit(hard: object, warning: object, judgement: Judgement) -> str | None:
    if judgement is Judgement.PLAIN:
        return None
    return str(hard if judgement is Judgement.HARD else warning)


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if abs(minutes) < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if abs(hours) < 72:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"
