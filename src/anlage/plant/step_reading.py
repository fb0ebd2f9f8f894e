"""The values of a step: entered, computed, compared with their limits."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from anlage.base import Instant, Quantity, Refused
from anlage.record import Entry

from .deviation import entries_to_open
from .errors import PART_11
from .lot import Lot, StepState
from .lot_fact import Reading, ReadingsEntered, Severity, StepHeld
from .readings import read_values
from .recipe import Judgement, Phase
from .signing import Qualified, must_be_allowed, must_sign
from .step_open import open_step, phase_of
from .step_request import CompleteStep, EnterReadings
from .step_time import lateness
from .step_turn import openings


class Computes(Protocol):
    """A calculation of the library."""

    def compute(self, values: Mapping[str, Quantity]) -> Quantity:
        """Give the result."""
        ...


def enter_readings(
    lot: Lot, request: EnterReadings, *, operator: Qualified, at: Instant
) -> list[Entry]:
    """Enter values at an open step.

    Raises:
        Refused: The step is not open, or a value does not fit its parameter.
    """
    step = open_step(lot, request.step)
    phase = phase_of(lot, request.step)
    must_be_allowed(lot, operator, phase.role, step.key, at)
    is_late = lateness(lot, request.happened, request.reason, at)
    if request.signature is not None:
        must_sign(
            request.signature,
            person=operator,
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
    breaches = breaches_of(step, readings)
    return entries + (
        entries_to_hold(lot, phase, step.key, breaches, at, entries) if breaches else []
    )


def computed_readings(
    lot: Lot,
    phase: Phase,
    entered: Sequence[Reading],
    calculations: Mapping[str, Computes],
    sources: Mapping[str, Quantity],
    step: StepState,
    request: CompleteStep,
) -> tuple[Reading, ...]:
    """Give the values that a calculation of the library gives, each compared with one by hand.

    Raises:
        Refused: A calculation is not in effect, an input is missing, or the two differ.
    """
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


def breaches_of(step: StepState, readings: Sequence[Reading]) -> list[Reading]:
    """Give readings outside a hard limit that no deviation has answered for."""
    return [
        one
        for one in readings
        if one.judgement is Judgement.HARD
        and not (step.deviations and step.readings.get(one.parameter) == one)
    ]


def entries_to_hold(
    lot: Lot,
    phase: Phase,
    key: str,
    breaches: Sequence[Reading],
    at: Instant,
    before: Sequence[Entry],
) -> list[Entry]:
    """Give the facts that open a deviation for readings past a hard limit and hold the step."""
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
        ahead=openings(before),
    )
    held = StepHeld(step=key, deviation=id, reason=words)
    return [*entries, Entry(lot.stream, held)]


def _limit(hard: object, warning: object, judgement: Judgement) -> str | None:
    if judgement is Judgement.PLAIN:
        return None
    return str(hard if judgement is Judgement.HARD else warning)
