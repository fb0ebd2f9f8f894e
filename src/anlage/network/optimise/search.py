"""The search: bound, strike out, then one exact model of what is left.

The Lagrangian bound of `bound.py` gives, in a tenth of a second, a good design, a bound, and what
every choice (a site in a size, a clinic at a site) would cost at best. Choices that could only
make a design dearer than the one at hand are struck out; CP-SAT proves the rest (`whole.py`). It is
not given that design as a hint: on the benchmark's regions that made the proof twice as long.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .bound import ascend
from .problem import Columns, Found
from .whole import is_small, solve_whole

_GRID_MAX = 3000
_ROUNDS = 250


def solve(
    columns: Columns,
    *,
    gap: float = 1e-4,
    seconds: float = 60.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Found:
    """Find the cheapest design, and prove it to a relative gap.

    Args:
        columns: The arrays of the problem.
        gap: Gap at which to stop.
        seconds: Most time; what was found by then is given with its bound.
        clock: Seconds that only go up.
    """
    if is_small(columns):
        return solve_whole(columns, gap=gap, seconds=seconds)
    started = clock()
    first, struck = _first(columns, gap)
    left = max(seconds - (clock() - started), 0.1)
    # What was struck out costs at least (1 - gap) times the first design.
    found = solve_whole(struck, gap=gap, seconds=left)
    best = found if found.cost <= first.cost else first
    if found.finished and math.isinf(found.cost) and math.isinf(first.cost):
        return found
    limit = first.cost * (1 - gap) if math.isfinite(first.cost) else math.inf
    bound = max(first.bound, min(found.bound, limit))
    return replace(best, bound=min(best.cost, bound), nodes=found.nodes, finished=found.finished)


def _first(columns: Columns, gap: float) -> tuple[Found, Columns]:
    """Give a first design with its bound, and the problem without what it rules out."""
    weight, grid = _gridded(columns)
    states = np.zeros(columns.fixed.shape[0], dtype=np.int64)
    sites = np.full(columns.demand.size, -1, dtype=np.int64)
    opened = columns.allowed & (columns.capacity > 0)
    per_patient = np.where(opened, columns.fixed / np.where(opened, columns.capacity, 1.0), np.inf)
    price = columns.cost.min(axis=1) + float(per_patient.min()) * columns.demand
    low, cost, _, forced, served = ascend(
        columns.cost,
        columns.unit_cost,
        columns.fixed,
        columns.demand,
        columns.capacity,
        weight,
        grid,
        columns.allowed,
        columns.open_max,
        price,
        _ROUNDS,
        states,
        sites,
    )
    first = Found(cost=cost, bound=low, states=states, sites=sites, nodes=0, finished=False)
    target = cost * (1 - gap) if math.isfinite(cost) else math.inf
    keep = np.zeros_like(columns.allowed)
    keep[np.arange(states.size), states] = math.isfinite(cost)
    stays = np.zeros_like(served, dtype=np.bool_)
    if math.isfinite(cost):
        stays[np.arange(sites.size), sites] = True
    return first, replace(
        columns,
        allowed=columns.allowed & ((forced < target) | keep),
        cost=np.where((served < target) | stays, columns.cost, np.inf),
    )


def _gridded(columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give demand and capacity in whole steps, so rounded that no design is ever cut off."""
    demand, capacity = columns.demand, np.maximum(columns.capacity, 0.0)
    if np.all(demand == np.round(demand)):
        common = int(np.gcd.reduce(demand.astype(np.int64))) or 1
        # Whole demand fills whole capacity: what is left below a whole step is never used.
        weight, room = demand / common, np.floor(capacity / common + 1e-9)
        if room.max() <= _GRID_MAX:
            return weight.astype(np.int64), room.astype(np.int64)
    steps = _GRID_MAX / max(float(capacity.max()), 1e-300)
    return (
        np.floor(demand * steps + 1e-9).astype(np.int64),
        np.ceil(capacity * steps - 1e-9).astype(np.int64),
    )
