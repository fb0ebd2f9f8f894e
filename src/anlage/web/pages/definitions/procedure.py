"""A recipe's procedure as boxes to look at: units, operations, phases, branches and loops."""

from collections.abc import Sequence
from typing import Any

from anlage.plant import Choice, Condition, Group, Loop, Parallel, Part, Phase, Recipe


def procedure(recipe: Recipe) -> list[dict[str, Any]]:
    """Give the nested boxes of a procedure, in the order in which it is carried out."""
    names = {phase.id: phase.name for phase in recipe.phases()}
    read = {
        f"{phase.id}.{one.id}": f"{one.name} ({phase.name})"
        for phase in recipe.phases()
        for one in phase.parameters
    }
    return [_box(part, names, read) for part in recipe.procedure]


def _box(part: Part, names: dict[str, str], read: dict[str, str]) -> dict[str, Any]:
    def inner(parts: Sequence[Part]) -> list[dict[str, Any]]:
        return [_box(one, names, read) for one in parts]

    match part:
        case Phase():
            after = [(names.get(one.after, one.after), one) for one in part.windows]
            return {"box": "phase", "phase": part, "windows": after}
        case Group():
            return {"box": part.level, "name": part.name, "parts": inner(part.parts)}
        case Parallel():
            branches = [{"when": "", "parts": inner(one)} for one in part.branches]
            return {"box": "parallel", "branches": branches}
        case Choice():
            branches = [
                {"when": _asked(one.when, read), "parts": inner(one.parts)} for one in part.branches
            ]
            return {"box": "choice", "branches": branches}
        case Loop():
            until = _asked(part.until, read)
            return {
                "box": "loop",
                "until": until,
                "at_most": part.at_most,
                "parts": inner(part.parts),
            }


def _asked(condition: Condition | None, read: dict[str, str]) -> str:
    """Give a condition in words, readings by the names that people see."""
    if condition is None:
        return ""
    text = str(condition)
    for reading in sorted(set(condition.readings()), key=len, reverse=True):
        text = text.replace(reading, read.get(reading, reading))
    return text
