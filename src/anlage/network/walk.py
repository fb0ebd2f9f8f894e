"""Walking through the steps of a process, and through the blocks they stand in."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from .model import Arm, Branch, Choice, Fail, Hold, Process, Request, Step, Use


def inner_steps(step: Step) -> tuple[tuple[Step, ...], ...]:
    """Give the lists of steps that stand inside a step."""
    match step:
        case Hold():
            return (step.steps,)
        case Branch():
            return tuple(arm.steps for arm in step.arms)
        case Fail():
            return (step.otherwise,)
        case _:
            return ()


def every_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Give every step, those inside others too, in the order of the file."""
    for step in steps:
        yield step
        for inner in inner_steps(step):
            yield from every_step(inner)


def request_of(step: Step) -> Request | None:
    """Give what a step asks for, if it asks."""
    return step.request if isinstance(step, Use | Hold) else None


def holds_at(process: Process) -> dict[str, tuple[str, ...]]:
    """Give, for each step's name, the names of the holds it stands in, the outermost first."""
    found: dict[str, tuple[str, ...]] = {}

    def look(steps: tuple[Step, ...], holds: tuple[str, ...]) -> None:
        for step in steps:
            found.setdefault(step.name, holds)
            for inner in inner_steps(step):
                look(inner, (*holds, step.name) if isinstance(step, Hold) else holds)

    look(process.steps, ())
    return found


def with_choices(steps: tuple[Step, ...], change: Callable[[Choice], Choice]) -> tuple[Step, ...]:
    """Give the steps with every value that may differ by class, clinic or site changed."""
    return tuple(_changed(step, change) for step in steps)


def _changed(step: Any, change: Callable[[Choice], Choice]) -> Any:
    # Steps and arms differ in what they hold; which fields are values or steps is seen here.
    made: dict[str, Any] = {}
    for one in fields(step):
        value = getattr(step, one.name)
        if isinstance(value, Choice):
            made[one.name] = change(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Step | Arm):
            made[one.name] = tuple(_changed(inner, change) for inner in value)
    return replace(step, **made)
