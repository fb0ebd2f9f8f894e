"""Which design is best, by simulation, with a stated chance of being right.

The sequential procedure of Kim and Nelson (ACM TOMACS 11:251, 2001), which allows common random
numbers: designs are run side by side, replication by replication, and one that is surely worse by
the differences so far is run no further. The design chosen is, with the stated confidence, the best
one or within the indifference of it (for replication means that are about normal).
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Literal, TypeAlias

import numpy as np

from anlage.base import Refused

from ..errors import RUN_IMPOSSIBLE
from ..measure import YEAR_DAYS
from .compare import Design
from .outcome import Figures, Json, figures
from .running import Progress, Settings, run_part

Measure: TypeAlias = Literal["money", "vein to vein", "not treated"]
FIRST = 20
"""Replications before the first design may be struck out."""
_STEP = 10


def select(
    designs: Sequence[Design],
    settings: Settings,
    *,
    measure: Measure = "money",
    patient_value: float = 0.0,
    indifference: float | None = None,
    confidence: float = 0.95,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Json:
    """Choose the design with the least of a measure, and say how sure that is.

    Args:
        designs: Two or more.
        settings: How each is run; `replications` is the most for one design.
        measure: `money` per year with `patient_value` added for each patient not treated;
            vein-to-vein days; or patients not treated in a year.
        patient_value: Money that one patient treated more is worth.
        indifference: Difference below which designs count as alike; a hundredth of the least mean
            when None.
        confidence: Chance of choosing one that is best or within the indifference.
        executor: Where replications run.
        progress: Told how many replications of all that there may be are done.

    Raises:
        Refused: Fewer than two designs, or a confidence that cannot be.
    """
    if len(designs) < 2 or not 0.5 <= confidence < 1 or settings.replications < FIRST:
        raise Refused(
            RUN_IMPOSSIBLE,
            what="the choice among designs",
            found=f"{len(designs)} designs, confidence {confidence:g}, "
            f"{settings.replications} replications",
            limit=f"two designs or more, confidence 0.5 to 1, {FIRST} replications or more",
            remedy=f"raise --replications to {FIRST} or more",
        )
    count = len(designs)
    seen = [np.zeros(0) for _ in designs]
    _extend(seen, designs, range(count), settings, FIRST, measure, patient_value, executor)
    delta = indifference or 0.01 * max(abs(min(float(one.mean()) for one in seen)), 1e-9)
    eta = 0.5 * ((2 * (1 - confidence) / (count - 1)) ** (-2 / (FIRST - 1)) - 1)
    bound = 2 * eta * (FIRST - 1)
    spread = np.array([[float(np.var(a - b, ddof=1)) for b in seen] for a in seen])
    alive = list(range(count))
    done = FIRST
    struck: dict[int, int] = {}
    while True:
        means = {one: float(seen[one].mean()) for one in alive}
        for one in list(alive):
            for other in alive:
                reach = delta / (2 * done) * (bound * spread[one, other] / delta**2 - done)
                if other != one and means[one] > means[other] + max(0.0, reach):
                    struck[one] = done
                    break
        alive = [one for one in alive if one not in struck]
        if progress is not None:
            progress(done, settings.replications)
        if len(alive) == 1 or done >= settings.replications:
            break
        more = min(_STEP, settings.replications - done)
        _extend(seen, designs, alive, settings, more, measure, patient_value, executor)
        done += more
    best = min(alive, key=lambda one: float(seen[one].mean()))
    return {
        "best": designs[best].name,
        "is_sure": len(alive) == 1 or _alike(alive, spread, bound, delta, done),
        "confidence": confidence,
        "indifference": delta,
        "measure": measure,
        "patient_value": patient_value,
        "left": [designs[one].name for one in alive],
        "designs": {
            design.name: {
                "mean": float(seen[number].mean()),
                "replications": int(seen[number].size),
                "struck_out_after": struck.get(number),
            }
            for number, design in enumerate(designs)
        },
        "replications": int(sum(one.size for one in seen)),
    }


def measured(found: Figures, measure: Measure, patient_value: float) -> np.ndarray:
    """Give the measure of a run by replication; less is better."""
    years = np.maximum(found.days / YEAR_DAYS, 1e-9)
    missed: np.ndarray = (found.lost + found.withdrawn) / years
    money: np.ndarray = found.cost / years + patient_value * missed
    days: np.ndarray = found.time_sum / np.maximum(found.infused, 1.0)
    match measure:
        case "money":
            return money
        case "not treated":
            return missed
        case "vein to vein":
            return days


def _extend(
    seen: list[np.ndarray],
    designs: Sequence[Design],
    which: Sequence[int],
    settings: Settings,
    more: int,
    measure: Measure,
    patient_value: float,
    executor: Executor | None,
) -> None:
    for number in which:
        made = run_part(
            designs[number].network, settings, seen[number].size, more, executor=executor
        )
        values = measured(figures(made), measure, patient_value)
        seen[number] = np.concatenate([seen[number], values])


def _alike(alive: Sequence[int], spread: np.ndarray, bound: float, delta: float, done: int) -> bool:
    """Tell whether all that are left have been run long enough to count as alike."""
    return all(done >= bound * spread[one, other] / delta**2 for one in alive for other in alive)
