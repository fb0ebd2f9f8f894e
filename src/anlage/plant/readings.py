"""What people type into a step, read into values with their judgement; nothing is guessed."""

from collections.abc import Mapping

from anlage.base import Problem, Quantity, Refused, clean_line

from .lot_fact import Reading
from .recipe import Judgement, Parameter, ParameterKind, Phase


def read_values(
    phase: Phase, given: Mapping[str, str], instruments: Mapping[str, str]
) -> tuple[Reading, ...]:
    """Read the values of a phase.

    Raises:
        Refused: A value does not fit its parameter; every such value is named.
    """
    problems: list[Problem] = []
    found: list[Reading] = []
    for name, text in given.items():
        parameter = phase.parameter(name)
        if parameter is None:
            known = ", ".join(one.id for one in phase.parameters) or "none"
            problems.append(_unusable(phase, name, text, known, "correct the name"))
            continue
        try:
            found.append(read_value(phase, parameter, text, instruments.get(name)))
        except Refused as refusal:
            problems.extend(refusal.problems)
    if problems:
        raise Refused.of(problems)
    return tuple(found)


def read_value(
    phase: Phase, parameter: Parameter, text: str, instrument: str | None = None
) -> Reading:
    """Read one value: a number with its unit, or one of the words that are accepted.

    Raises:
        Refused: It is no number, its unit does not convert, or it is no accepted word.
    """
    value = _value(phase, parameter, text)
    judgement = parameter.judge(value)
    limit = None
    if judgement is not Judgement.PLAIN:
        limit = str(parameter.hard if judgement is Judgement.HARD else parameter.warning)
        if isinstance(value, str):
            limit = " or ".join(parameter.accepted)
    return Reading(
        parameter=parameter.id,
        number=value if isinstance(value, Quantity) else None,
        text=value if isinstance(value, str) else None,
        judgement=judgement,
        limit=limit,
        instrument=instrument,
    )


def _value(phase: Phase, parameter: Parameter, text: str) -> Quantity | str:
    line = clean_line(text, f"{parameter.name} of {phase.name}", limit=400)
    if parameter.kind is ParameterKind.TEXT:
        return line
    if parameter.kind is ParameterKind.CHOICE:
        if line not in parameter.choices:
            limit = " or ".join(parameter.choices)
            raise Refused.of([_unusable(phase, parameter.id, line, limit, "choose one of them")])
        return line
    try:
        read = Quantity.parse(line)
        if read.unit == "1" and parameter.unit != "1":
            limit = f"a number with its unit, such as 1 {parameter.unit}"
            raise Refused.of([_unusable(phase, parameter.id, line, limit, "add the unit")])
        read.to(parameter.unit)
    except Refused as refusal:
        problem = refusal.problem
        if problem.code == "reading-unusable":
            raise
        limit = problem.limit or f"a number in {parameter.unit}"
        remedy = problem.remedy or "enter it again"
        raise Refused.of([_unusable(phase, parameter.id, line, limit, remedy)]) from refusal
    return read


def _unusable(phase: Phase, name: str, found: str, limit: str, remedy: str) -> Problem:
    return Problem(
        code="reading-unusable",
        what=f"{name} of step {phase.id}",
        found=repr(found[:80]),
        limit=limit,
        remedy=remedy,
        rule="ALCOA: accurate",
        path=f"readings.{name}",
    )
