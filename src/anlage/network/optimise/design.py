"""The design that a search found, by the names of the trade."""

import math
import time
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anlage.base import Refused

from ..errors import DESIGN_INFEASIBLE
from .problem import Columns, DesignProblem, Found, columns_of
from .search import solve

Json: TypeAlias = dict[str, object]


def optimise(
    problem: DesignProblem,
    *,
    gap: float = 1e-4,
    seconds: float = 60.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Json:
    """Give the cheapest design of a problem with its proof, as one JSON object.

    `objective` and `bound` are money per year; `gap` is how far the objective may lie above the
    best possible, as a part of it; `status` is `optimal` when that is within the gap asked for.

    Args:
        problem: What may be opened, and who is to be served.
        gap: Gap at which to stop.
        seconds: Most time for the search.
        clock: Seconds that only go up.

    Raises:
        Refused: No design keeps the limits, or none was found in the time given.
    """
    started = clock()
    columns = columns_of(problem)
    found = solve(columns, gap=gap, seconds=seconds, clock=clock)
    if not math.isfinite(found.cost):
        raise _none_found(problem, found, seconds)
    design = design_of(problem, columns, found.states, found.sites)
    return {
        "design_problem": problem.name,
        "status": "optimal" if found.gap <= gap * (1 + 1e-6) else "stopped",
        "objective": found.cost,
        "bound": found.bound,
        "gap": found.gap,
        "design": design,
        "nodes": found.nodes,
        "seconds": clock() - started,
    }


def design_of(
    problem: DesignProblem,
    columns: Columns,
    states: NDArray[np.int64],
    sites: NDArray[np.int64],
) -> Json:
    """Give open sites with size and load, the site and mode of each clinic, and cost by class."""
    opened: Json = {}
    making = lanes = 0.0
    for j in np.flatnonzero(states > 0):
        size = problem.sites[j].sizes[states[j] - 1]
        load = float(columns.demand[sites == j].sum())
        making += load * size.cost_per_patient
        opened[problem.sites[j].name] = {
            "size": size.name or None,
            "capacity": size.capacity,
            "patients": load,
            "used": load / size.capacity if size.capacity else None,
            "cost": size.cost + load * size.cost_per_patient,
        }
    served: Json = {}
    for i, clinic in enumerate(problem.clinics):
        way = problem.ways[columns.mode[i, sites[i]]]
        lanes += clinic.patients * way.cost
        served[clinic.name] = {
            "site": way.site,
            "mode": way.mode or None,
            "patients": clinic.patients,
            "cost": clinic.patients * way.cost,
            "hours": None if way.days is None else 24 * way.days,
        }
    fixed = float(columns.fixed[np.arange(states.size), states].sum())
    return {
        "sites": opened,
        "clinics": served,
        "cost_by_class": {"sites": fixed, "making": making, "lanes": lanes},
    }


def _none_found(problem: DesignProblem, found: Found, seconds: float) -> Refused:
    if found.finished:
        return Refused(
            DESIGN_INFEASIBLE,
            what=f"the design {problem.name}",
            found="no choice of sites that serves every clinic from one site within capacity",
            limit="all demand served, each clinic by one site",
            remedy="add a size or a site, raise open_at_most, or part the largest clinics",
        )
    return Refused(
        DESIGN_INFEASIBLE,
        what=f"the design {problem.name}",
        found=f"none after {seconds:g} s and {found.nodes} nodes",
        limit="a design that serves every clinic",
        remedy="give more time with --time-limit, or more capacity",
    )
