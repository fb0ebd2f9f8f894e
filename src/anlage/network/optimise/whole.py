"""The whole design as one CP-SAT model: for small problems, and as the peer to measure against."""

import math

import numpy as np
from numpy.typing import NDArray

from .problem import Columns, Found

SMALL = 600
"""Clinics times sites times states up to which one model is the quickest way from a cold start."""

_MONEY_MAX = 1e14
_AMOUNT_MAX = 1e12


def is_small(columns: Columns) -> bool:
    """Tell whether a problem is small enough to be given to CP-SAT whole."""
    return int(columns.cost.size) * int(columns.fixed.shape[1]) <= SMALL


def solve_whole(columns: Columns, *, gap: float = 1e-4, seconds: float = 60.0) -> Found:
    """Find the cheapest design with one CP-SAT model on one worker.

    Args:
        columns: The arrays of the problem.
        gap: Gap at which to stop.
        seconds: Most time; what was found by then is given with its bound.
    """
    from ortools.sat.python import cp_model

    sites, states = columns.fixed.shape
    serve = np.isfinite(columns.cost)
    highest = float(columns.fixed.max(axis=1).sum() + columns.cost[serve].sum()) + 1.0
    highest += float(columns.unit_cost.max() * columns.demand.sum())
    money = 10.0 ** math.floor(math.log10(_MONEY_MAX / highest))
    amount, room = amounts(columns.demand, np.maximum(columns.capacity, 0.0).ravel())
    rooms = room.reshape(columns.capacity.shape)
    model = cp_model.CpModel()
    opened: dict[tuple[int, int], cp_model.IntVar] = {
        (j, s): model.new_bool_var("")
        for j in range(sites)
        for s in range(states)
        if columns.allowed[j, s]
    }
    # One variable for each clinic, site and state, as the money per patient may differ by size.
    serves: dict[tuple[int, int, int], cp_model.IntVar] = {
        (i, j, s): model.new_bool_var("")
        for i, j in zip(*np.nonzero(serve), strict=True)
        for s in range(1, states)
        if (j, s) in opened
    }
    for i in range(columns.demand.size):
        model.add_exactly_one(x for (at, _, _), x in serves.items() if at == i)
    for j in range(sites):
        model.add_exactly_one(opened[j, s] for s in range(states) if (j, s) in opened)
    for (j, s), y in opened.items():
        mine = [(i, x) for (i, at, size), x in serves.items() if (at, size) == (j, s)]
        if s and mine:
            model.add(sum(int(amount[i]) * x for i, x in mine) <= int(rooms[j, s]) * y)
        for _, x in mine:
            model.add_implication(x, y)
    if columns.open_max < sites:
        model.add(sum(y for (_, s), y in opened.items() if s) <= columns.open_max)
    model.minimize(
        sum(round(columns.fixed[j, s] * money) * y for (j, s), y in opened.items() if s)
        + sum(
            round((columns.cost[i, j] + columns.unit_cost[j, s] * columns.demand[i]) * money) * x
            for (i, j, s), x in serves.items()
        )
    )
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.relative_gap_limit = gap
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    chosen = np.zeros(sites, dtype=np.int64)
    assigned = np.full(columns.demand.size, -1, dtype=np.int64)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        done = status == cp_model.INFEASIBLE
        bound = math.inf if done else solver.best_objective_bound / money
        return Found(
            cost=math.inf, bound=bound, states=chosen, sites=assigned, nodes=0, finished=done
        )
    for (j, s), y in opened.items():
        if solver.boolean_value(y):
            chosen[j] = s
    for (i, j, _), x in serves.items():
        if solver.boolean_value(x):
            assigned[i] = j
    cost = cost_of(columns, chosen, assigned)
    bound = (solver.best_objective_bound - columns.demand.size - sites) / money
    exact = status == cp_model.OPTIMAL and cost - bound <= 1e-9 * abs(cost)
    return Found(
        cost=cost,
        bound=cost if exact else min(cost, bound),
        states=chosen,
        sites=assigned,
        nodes=int(solver.num_branches),
        finished=status == cp_model.OPTIMAL,
    )


def cost_of(columns: Columns, states: NDArray[np.int64], sites: NDArray[np.int64]) -> float:
    """Give the money per year of a design."""
    number = np.arange(sites.size)
    fixed = columns.fixed[np.arange(states.size), states].sum()
    unit = columns.unit_cost[sites, states[sites]]
    return float(fixed + (columns.cost[number, sites] + unit * columns.demand).sum())


def amounts(
    demand: NDArray[np.float64], room: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give demand and room in whole steps: exact when whole, else to 10^-12 of the largest.

    Example:
        >>> amounts(np.array([2.0, 3.0]), np.array([4.5]))[1].tolist()
        [4]
    """
    if np.all(demand == np.round(demand)):
        return demand.astype(np.int64), np.floor(room + 1e-9).astype(np.int64)
    steps = _AMOUNT_MAX / max(float(demand.sum()), float(room.max()), 1e-300)
    # Half a step for each clinic, so that rounding never forbids what fits exactly.
    spare = demand.size
    return np.round(demand * steps).astype(np.int64), np.floor(room * steps).astype(
        np.int64
    ) + spare
