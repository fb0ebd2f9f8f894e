"""Designs that stand when sites fail: the cheapest by the mean of all years and the worst of them.

Years are drawn, each with the part of it for which every site is up. Sites and sizes are chosen
before, flows of patients after a year's outages are known; who cannot be served costs a penalty.
Minimised is the fixed cost, and of the rest a blend of the mean and of the mean of the worst years
(conditional value at risk, Rockafellar and Uryasev, Journal of Risk 2(3):21, 2000). It is one
mixed-integer program, proved by HiGHS.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anlage.base import Refused

from ..errors import DESIGN_INFEASIBLE, RUN_IMPOSSIBLE
from ..measure import YEAR_DAYS
from .problem import Columns, DesignProblem, Failing, columns_of

Json: TypeAlias = dict[str, object]
Floats: TypeAlias = NDArray[np.float64]

YEARS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a robust design weighs.

    Attributes:
        penalty: Money for a patient who cannot be served.
        weight: Part of the blend that is the worst years, 0 to 1.
        tail: Part of the years that are the worst, above 0, to 1.
        years: How many years are drawn.
        seed: Seed of the draw.
    """

    penalty: float
    weight: float = 0.5
    tail: float = 0.1
    years: int = 40
    seed: int = 1

    def __post_init__(self) -> None:
        checks = (
            ("penalty", self.penalty > 0, self.penalty, "money above zero"),
            ("weight", 0 <= self.weight <= 1, self.weight, "0 to 1"),
            ("tail", 0 < self.tail <= 1, self.tail, "above 0, at most 1"),
            ("years drawn", 1 <= self.years <= YEARS_MAX, self.years, f"1 to {YEARS_MAX}"),
        )
        for what, holds, found, limit in checks:
            if not holds:
                raise Refused(
                    RUN_IMPOSSIBLE, what=what, found=found, limit=limit, remedy=f"give {limit}"
                )


def optimise_robust(
    problem: DesignProblem,
    risk: Risk,
    *,
    against: Mapping[str, str] | None = None,
    gap: float = 1e-4,
    seconds: float = 60.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Json:
    """Give the design with the least blend of mean and worst years, with bound and gap.

    Args:
        problem: What may be opened, and who is to be served.
        risk: What fails, and how it weighs.
        against: Size by open site of another design, priced over the same years beside it.
        gap: Gap at which to stop.
        seconds: Most time for the search.
        clock: Seconds that only go up.

    Raises:
        Refused: No design was found in the time given.
    """
    started = clock()
    columns = columns_of(problem)
    up = drawn_years(problem, risk)
    model = _Model(problem, columns, up, risk)
    found = model.solve(gap=gap, seconds=seconds)
    if found is None:
        raise Refused(
            DESIGN_INFEASIBLE,
            what=f"the robust design {problem.name}",
            found=f"none after {seconds:g} s",
            limit="a design",
            remedy="give more time with --time-limit, or draw fewer years",
        )
    opened, objective, bound = found
    made: Json = {
        "design_problem": problem.name,
        "status": "optimal" if objective - bound <= gap * abs(objective) + 1e-9 else "stopped",
        "objective": objective,
        "bound": bound,
        "gap": (objective - bound) / abs(objective) if objective else 0.0,
        "design": _sites(problem, opened),
        "years": _told(columns, model, opened, risk),
        "risk": {
            "penalty": risk.penalty,
            "weight": risk.weight,
            "tail": risk.tail,
            "years_drawn": risk.years,
            "seed": risk.seed,
            "available": {
                site.name: float(up[:, j].mean()) for j, site in enumerate(problem.sites)
            },
        },
    }
    if against is not None:
        states = _states(problem, against)
        made["against"] = {
            "design": _sites(problem, states),
            "objective": model.price(states),
            "years": _told(columns, model, states, risk),
        }
    made["seconds"] = clock() - started
    return made


def drawn_years(problem: DesignProblem, risk: Risk) -> Floats:
    """Give the part of each drawn year (rows) for which each site (columns) is up.

    A year begins in the long run: a site is out at first with its long-run chance.
    """
    chance = np.random.default_rng(risk.seed)
    up = np.ones((risk.years, len(problem.sites)))
    for j, site in enumerate(problem.sites):
        if site.failing is not None:
            up[:, j] = [_up_part(site.failing, chance) for _ in range(risk.years)]
    return up


def _up_part(failing: Failing, chance: np.random.Generator) -> float:
    now, up_time = 0.0, 0.0
    is_up = chance.random() < failing.up_days / (failing.up_days + failing.out_days)
    while now < YEAR_DAYS:
        stay = chance.exponential(failing.up_days if is_up else failing.out_days)
        end = min(YEAR_DAYS, now + stay)
        up_time += (end - now) * is_up
        now, is_up = end, not is_up
    return up_time / YEAR_DAYS


class _Model:
    """The mixed-integer program: which states of the sites, and the flows of each year.

    Variables, in this order: one per site and state (is it open so?), the value at risk, one per
    year (how far it is beyond that), and for each year the flows and the unserved of each clinic.
    """

    def __init__(self, problem: DesignProblem, columns: Columns, up: Floats, risk: Risk) -> None:
        self.problem, self.columns, self.up, self.risk = problem, columns, up, risk
        self.states = [
            (j, s)
            for j in range(columns.fixed.shape[0])
            for s in range(columns.fixed.shape[1])
            if columns.allowed[j, s]
        ]
        self.flows = [
            (i, at)
            for i in range(columns.demand.size)
            for at, (j, s) in enumerate(self.states)
            if s > 0 and math.isfinite(columns.cost[i, j])
        ]
        self.price_of = np.array(
            [
                columns.cost[i, self.states[at][0]] / max(columns.demand[i], 1e-300)
                + columns.unit_cost[self.states[at]]
                for i, at in self.flows
            ]
        )
        self.open_count = len(self.states)
        self.at_year = self.open_count + 1 + risk.years
        self.per_year = len(self.flows) + columns.demand.size

    def solve(self, *, gap: float, seconds: float) -> tuple[NDArray[np.int64], float, float] | None:
        """Give the state of each site, the objective and the bound; None when none was found."""
        return self._solved(None, gap=gap, seconds=seconds)

    def price(self, states: NDArray[np.int64]) -> float:
        """Give the objective of a design that is fixed."""
        found = self._solved(states, gap=1e-9, seconds=60.0)
        return math.inf if found is None else found[1]

    def year_costs(self, states: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Give money and unserved patients of each drawn year for a fixed design."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        demand = self.columns.demand
        clinics, sites = demand.size, states.size
        pairs = [(i, j) for i in range(clinics) for j in range(sites) if self._serves(i, j, states)]
        price = [
            self.columns.cost[i, j] / max(demand[i], 1e-300) + self.columns.unit_cost[j, states[j]]
            for i, j in pairs
        ]
        count = len(pairs)
        cost = np.array([*price, *([self.risk.penalty] * clinics)])
        rows = [i for i, _ in pairs] + list(range(clinics))
        served = csr_array(
            (np.ones(count + clinics), (rows, range(count + clinics))),
            shape=(clinics, count + clinics),
        )
        load = csr_array(
            (np.ones(count), ([j for _, j in pairs], range(count))), shape=(sites, count + clinics)
        )
        money, missed = [], []
        for year in range(self.risk.years):
            room = np.array([self._room(j, int(states[j]), year) for j in range(sites)])
            made = linprog(cost, A_ub=load, b_ub=room, A_eq=served, b_eq=demand, method="highs")
            money.append(float(made.fun))
            missed.append(float(made.x[count:].sum()))
        return np.array(money), np.array(missed)

    def _serves(self, i: int, j: int, states: NDArray[np.int64]) -> bool:
        return bool(states[j] > 0 and math.isfinite(self.columns.cost[i, j]))

    def _room(self, j: int, s: int, year: int) -> float:
        """Give what a site can make in a year; no more than all the demand, for a tight program."""
        total = float(self.columns.demand.sum())
        if s == 0:
            return 0.0
        capacity = self.problem.sites[j].sizes[s - 1].capacity
        part = float(self.up[year, j])
        return min(total, (total / max(part, 1e-9) if capacity is None else capacity) * part)

    def _solved(
        self, states: NDArray[np.int64] | None, *, gap: float, seconds: float
    ) -> tuple[NDArray[np.int64], float, float] | None:
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        columns, risk = self.columns, self.risk
        years, clinics = risk.years, columns.demand.size
        total = self.at_year + years * self.per_year
        cost = np.zeros(total)
        cost[: self.open_count] = [columns.fixed[one] for one in self.states]
        cost[self.open_count] = risk.weight
        cost[self.open_count + 1 : self.at_year] = risk.weight / (risk.tail * years)
        year_price = np.concatenate([self.price_of, np.full(clinics, risk.penalty)])
        entries: list[tuple[int, int, float]] = []
        low: list[float] = []
        high: list[float] = []

        def row(cells: list[tuple[int, float]], least: float, most: float) -> None:
            entries.extend((len(low), place, value) for place, value in cells)
            low.append(least)
            high.append(most)

        for j in range(columns.fixed.shape[0]):
            row([(at, 1.0) for at, (site, _) in enumerate(self.states) if site == j], 1.0, 1.0)
        opened = [(at, 1.0) for at, (_, s) in enumerate(self.states) if s > 0]
        row(opened, 0.0, float(columns.open_max))
        for year in range(years):
            first = self.at_year + year * self.per_year
            cost[first : first + self.per_year] = (1 - risk.weight) / years * year_price
            of_clinic: list[list[tuple[int, float]]] = [[] for _ in range(clinics)]
            of_state: list[list[tuple[int, float]]] = [[] for _ in self.states]
            for number, (i, at) in enumerate(self.flows):
                of_clinic[i].append((first + number, 1.0))
                of_state[at].append((first + number, 1.0))
            for i in range(clinics):
                unserved = (first + len(self.flows) + i, 1.0)
                row([*of_clinic[i], unserved], columns.demand[i], columns.demand[i])
            for at, (j, s) in enumerate(self.states):
                if of_state[at]:
                    room = self._room(j, s, year)
                    row([*of_state[at], (at, -room)], -np.inf, 0.0)
            spent = [(first + number, float(price)) for number, price in enumerate(year_price)]
            beyond = (self.open_count + 1 + year, -1.0)
            row([*spent, (self.open_count, -1.0), beyond], -np.inf, 0.0)
        at_row, at_column, values = zip(*entries, strict=True)
        matrix = csr_array((values, (at_row, at_column)), shape=(len(low), total))
        least, most = np.zeros(total), np.full(total, np.inf)
        most[: self.open_count] = 1.0
        least[self.open_count] = -np.inf
        if states is not None:
            chosen = [float(states[j] == s) for j, s in self.states]
            least[: self.open_count] = most[: self.open_count] = chosen
        whole = np.zeros(total)
        whole[: self.open_count] = 1
        found = milp(
            cost,
            constraints=LinearConstraint(matrix, low, high),
            integrality=whole,
            bounds=Bounds(least, most),
            options={"time_limit": seconds, "mip_rel_gap": gap},
        )
        if found.x is None:
            return None
        picked = np.zeros(columns.fixed.shape[0], dtype=np.int64)
        for at, (j, s) in enumerate(self.states):
            if found.x[at] > 0.5:
                picked[j] = s
        bound = found.fun if found.mip_dual_bound is None else min(found.fun, found.mip_dual_bound)
        return picked, float(found.fun), float(bound)


def _told(columns: Columns, model: _Model, states: NDArray[np.int64], risk: Risk) -> Json:
    """Give what a design costs and misses in the mean and in the worst of the drawn years."""
    fixed = float(columns.fixed[np.arange(states.size), states].sum())
    money, missed = model.year_costs(states)
    worst = max(1, round(risk.tail * risk.years))
    order = np.argsort(money)[::-1][:worst]
    return {
        "fixed_cost": fixed,
        "mean_cost": fixed + float(money.mean()),
        "worst_cost": fixed + float(money[order].mean()),
        "mean_unserved": float(missed.mean()),
        "worst_unserved": float(np.sort(missed)[::-1][:worst].mean()),
        "demand": float(columns.demand.sum()),
    }


def _sites(problem: DesignProblem, states: NDArray[np.int64]) -> Json:
    return {
        "sites": {
            problem.sites[j].name: {"size": problem.sites[j].sizes[states[j] - 1].name or None}
            for j in np.flatnonzero(states > 0)
        }
    }


def _states(problem: DesignProblem, design: Mapping[str, str]) -> NDArray[np.int64]:
    """Give the state of each site out of its size's name."""
    states = np.zeros(len(problem.sites), dtype=np.int64)
    for j, site in enumerate(problem.sites):
        if site.name in design:
            names = [size.name for size in site.sizes]
            states[j] = 1 + names.index(design[site.name] or "")
    return states
