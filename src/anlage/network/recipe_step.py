"""A recipe as steps of a network: the same recipe that runs the plant, read through a small face.

NETWORK knows no recipes of its own. Whoever reads a file passes a function that gives a recipe's
tasks by its name; `anlage.app` has one for the starters and for recipe files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .distribution import deterministic, lognormal
from .model import Choice, Request, Step, Use, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One phase of a recipe, as far as a network cares.

    Attributes:
        name: Its id.
        days: How long it takes as planned.
        needs: Roles and classes of equipment that it takes, by their ids.
    """

    name: str
    days: float
    needs: tuple[str, ...] = ()


Recipes: TypeAlias = Callable[[str], tuple[Task, ...] | None]
"""Gives a recipe's tasks in order, or None when there is no such recipe."""


def no_recipes(_name: str) -> tuple[Task, ...] | None:
    """Know no recipe."""
    return None


def steps_of(
    tasks: tuple[Task, ...], pools: frozenset[str], spread: float, prefix: str
) -> tuple[Step, ...]:
    """Give a step for each task: it uses what the file has as a resource of that name, or waits.

    Args:
        tasks: The recipe's.
        pools: Names of the file's resources.
        spread: Standard deviation over mean of each time; 0 for the planned time.
        prefix: Put before each name.
    """
    steps: list[Step] = []
    for task in tasks:
        time = Choice(
            default=lognormal(task.days, spread * task.days)
            if spread > 0 and task.days > 0
            else deterministic(task.days)
        )
        name = f"{prefix}{task.name}"
        wants = tuple((need, 1) for need in dict.fromkeys(task.needs) if need in pools)
        if wants:
            request = Request(wants=wants, may_drop_out=False)
            steps.append(Use(name=name, request=request, time=time))
        elif task.days > 0:
            steps.append(Wait(name=name, time=time))
    return tuple(steps)
