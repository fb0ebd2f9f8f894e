"""The plant's recipes as a network takes them: one recipe for plant and supply chain."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from anlage.base import Refused
from anlage.library import read_yaml
from anlage.network import Task
from anlage.plant import (
    Recipe,
    WorkingHours,
    check_recipe,
    plan_lot,
    starter_recipes,
)

_ALWAYS = WorkingHours(begins=time(0), ends=time(23, 59, 59), days=frozenset(range(7)))
_BYTES_MAX = 4_000_000


def recipe_tasks(name: str) -> tuple[Task, ...] | None:
    """Give the tasks of a starter recipe by its id, or of a recipe file by its path; None for none.

    Phases come in the order of the plan of a lot, loops with their expected rounds and choices with
    their expected branch. Where phases run beside one another, what has begun already is not done
    twice: the way of the lot is what counts. Test results that come after the last phase are a task
    of their own.

    Raises:
        Refused: The recipe has a defect.
    """
    recipe = _recipe(name)
    if recipe is None:
        return None
    begins = datetime(2026, 1, 5, tzinfo=UTC)
    plan = plan_lot(recipe, begins, _ALWAYS)
    tasks: list[Task] = []
    rounds: dict[str, int] = {}
    now = begins
    for point in plan.touch_points:
        if point.starts > now:
            tasks.append(Task(name=f"until {point.phase.id}", days=_days(point.starts - now)))
            now = point.starts
        left = max(timedelta(), point.ends - max(now, point.starts))
        rounds[point.phase.id] = rounds.get(point.phase.id, 0) + 1
        number = rounds[point.phase.id]
        needs = (point.phase.role, point.phase.witness or "", *point.phase.equipment)
        tasks.append(
            Task(
                name=point.phase.id if number == 1 else f"{point.phase.id} {number}",
                days=_days(left),
                needs=tuple(one for one in needs if one),
            )
        )
        now = max(now, point.ends)
    if plan.results is not None and plan.results > now:
        tasks.append(Task(name="test results", days=_days(plan.results - now)))
    return tuple(tasks)


def starter_tasks(name: str) -> tuple[Task, ...] | None:
    """Give the tasks of a starter recipe by its id; None for any other, files among them.

    For pages and jobs, where a network's text comes from a person and names no file of the server.
    """
    return None if _is_file(name) else recipe_tasks(name)


def _is_file(name: str) -> bool:
    return Path(name).suffix in {".yaml", ".yml", ".json"}


def _recipe(name: str) -> Recipe | None:
    path = Path(name)
    if _is_file(name):
        try:
            data = path.read_bytes()[: _BYTES_MAX + 1]
        except OSError:
            return None
        checked = check_recipe(read_yaml(data, name))
        if not checked.ok or checked.recipe is None:
            raise Refused.of(checked.problems)
        return Recipe.read(checked.recipe.content)
    for one in starter_recipes():
        if one.id == name:
            return Recipe.read(dict(one.content))
    return None


def _days(passed: timedelta) -> float:
    return passed / timedelta(days=1)
