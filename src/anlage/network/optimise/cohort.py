"""A cohort of patients with known days: which plants to open, and when each therapy is made where.

The problem is that of i-SHIPMENT (Triantafyllou et al., Scientific Reports 12:17365, 2022), stated
as flows of columns in the place of its time-indexed model: once the clinic, the day of collection,
the plant and the day on which making begins are named, everything else follows, so only the
cheapest pair of lane modes is kept for each such column, and patients of one clinic and day are one
flow. A plant's parallel lines are one row for each day. Few plants can be opened, so every set of
them is bounded by its fixed cost and cheapest lanes, and HiGHS solves the sets that may still be
best, cheapest bound first.
"""

import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anlage.base import Broken, Refused

from ..errors import DESIGN_INFEASIBLE, VALUE_IMPOSSIBLE

PLANTS_MAX = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A plant that may be opened: parallel lines, and money per day of the horizon."""

    name: str
    lines: int
    cost_per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One lane mode of one direction: whole days on the way, and money for a patient."""

    mode: str
    days: int
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The whole problem; days are whole and counted from the start of the horizon.

    Attributes:
        patients: Clinic and day of collection of each patient.
        plants: What may be opened.
        to_plant: Legs by clinic and plant.
        to_clinic: Legs back by clinic and plant.
        horizon_days: Days for which an open plant is paid.
        collect_days: Days of leukapheresis.
        make_days: Days on a line.
        test_days: Days of quality control, which hold no line.
        turnaround_days_max: Longest time from collection to the clinic's door.
        hold_days_max: Longest wait for a line at the plant.
        cost_per_therapy: Money for materials and quality control of one therapy.
        open_at_most: Most plants open; None for any number.
    """

    patients: tuple[tuple[str, int], ...]
    plants: tuple[Plant, ...]
    to_plant: Mapping[tuple[str, str], tuple[Leg, ...]]
    to_clinic: Mapping[tuple[str, str], tuple[Leg, ...]]
    horizon_days: int = 130
    collect_days: int = 1
    make_days: int = 7
    test_days: int = 7
    turnaround_days_max: int = 18
    hold_days_max: int = 0
    cost_per_therapy: float = 0.0
    open_at_most: int | None = None

    def __post_init__(self) -> None:
        """Refuse a cohort that cannot be.

        Raises:
            Refused: No patients, no plants, too many plants, or a time of work below one day.
        """
        for what, found, limit, good in (
            ("patients", len(self.patients), "at least one", bool(self.patients)),
            ("plants", len(self.plants), f"1 to {PLANTS_MAX}", 0 < len(self.plants) <= PLANTS_MAX),
            ("make_days", self.make_days, "at least one", self.make_days >= 1),
            ("hold_days_max", self.hold_days_max, "0 to 200", 0 <= self.hold_days_max <= 200),
        ):
            if not good:
                raise Refused(
                    VALUE_IMPOSSIBLE, what=what, found=found, limit=limit, remedy=f"give {limit}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """How the therapies of one clinic and day are made: so many at a plant from a day on."""

    clinic: str
    collected: int
    plant: str
    starts: int
    to_plant: str
    to_clinic: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlan:
    """The cheapest plan, with its proof.

    Attributes:
        cost: Money over the horizon.
        bound: No plan is cheaper than this.
        plants: Open plants.
        therapies: What is made where and when.
        sets_solved: Sets of plants that HiGHS had to solve.
        columns: Columns of the model with every plant.
        seconds: Time spent.
    """

    cost: float
    bound: float
    plants: tuple[str, ...]
    therapies: tuple[Therapy, ...] = field(repr=False)
    sets_solved: int
    columns: int
    seconds: float

    @property
    def gap(self) -> float:
        """Give how far the cost may lie above the best possible, as a part of it."""
        return max(0.0, (self.cost - self.bound) / self.cost) if self.cost else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    group: int
    plant: int
    starts: int
    cost: float
    legs: tuple[str, str]


def plan_cohort(
    cohort: Cohort, *, gap: float = 1e-6, clock: Callable[[], float] = time.perf_counter
) -> CohortPlan:
    """Give the cheapest plan of a cohort, proven to a relative gap.

    Raises:
        Refused: No set of plants makes every therapy in time.
    """
    started = clock()
    groups = sorted(Counter(cohort.patients).items())
    columns = _columns(cohort, [key for key, _ in groups])
    counts = np.array([count for _, count in groups], dtype=np.float64)
    cheapest = np.full((len(groups), len(cohort.plants)), np.inf)
    for column in columns:
        at = (column.group, column.plant)
        cheapest[at] = min(cheapest[at], column.cost)
    best, bound, solved = math.inf, math.inf, 0
    chosen: tuple[int, ...] = ()
    flows = np.zeros(0)
    kept: list[_Column] = []
    for low, plants in sorted(_bounded(cohort, groups, cheapest, counts)):
        if low >= best * (1 - gap):
            bound = min(bound, low)
            break
        solved += 1
        mine = [column for column in columns if column.plant in plants]
        fixed = _fixed(cohort, plants)
        cost, proven, values = _solve_set(cohort, mine, counts, plants, gap, best - fixed)
        bound = min(bound, fixed + proven)
        if fixed + cost < best:
            best, chosen, flows, kept = fixed + cost, plants, values, mine
    if math.isinf(best):
        raise _impossible(cohort, groups, cheapest)
    work = len(cohort.patients) * cohort.cost_per_therapy
    therapies = tuple(
        Therapy(
            clinic=groups[column.group][0][0],
            collected=groups[column.group][0][1],
            plant=cohort.plants[column.plant].name,
            starts=column.starts,
            to_plant=column.legs[0],
            to_clinic=column.legs[1],
            count=round(value),
        )
        for column, value in zip(kept, flows, strict=True)
        if round(value)
    )
    return CohortPlan(
        cost=best + work,
        bound=min(best, bound) + work,
        plants=tuple(cohort.plants[number].name for number in chosen),
        therapies=therapies,
        sets_solved=solved,
        columns=len(columns),
        seconds=clock() - started,
    )


def _columns(cohort: Cohort, groups: list[tuple[str, int]]) -> list[_Column]:
    """Give the cheapest column of each clinic and day, plant and day of start."""
    made: list[_Column] = []
    after = cohort.make_days + cohort.test_days
    for group, number in itertools.product(range(len(groups)), range(len(cohort.plants))):
        (clinic, day), plant = groups[group], cohort.plants[number]
        ready = day + cohort.collect_days
        ends = day + cohort.turnaround_days_max
        pair = (clinic, plant.name)
        best: dict[int, _Column] = {}
        for there, back in itertools.product(
            cohort.to_plant.get(pair, ()), cohort.to_clinic.get(pair, ())
        ):
            first = ready + there.days
            last = min(first + cohort.hold_days_max, ends - after - back.days)
            for start in range(first, last + 1):
                cost = there.cost + back.cost
                if start not in best or cost < best[start].cost:
                    best[start] = _Column(
                        group=group,
                        plant=number,
                        starts=start,
                        cost=cost,
                        legs=(there.mode, back.mode),
                    )
        made += best.values()
    return made


def _bounded(
    cohort: Cohort,
    groups: list[tuple[tuple[str, int], int]],
    cheapest: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Give the sets of plants that reach every clinic and have lines enough, with a bound."""
    most = len(cohort.plants) if cohort.open_at_most is None else cohort.open_at_most
    needed = _lines_needed(cohort, groups)
    for size in range(1, min(most, len(cohort.plants)) + 1):
        for plants in itertools.combinations(range(len(cohort.plants)), size):
            lanes = cheapest[:, plants].min(axis=1)
            lines = sum(cohort.plants[number].lines for number in plants)
            if lines >= needed and np.isfinite(lanes).all():
                yield _fixed(cohort, plants) + float(lanes @ counts), plants


def _lines_needed(cohort: Cohort, groups: list[tuple[tuple[str, int], int]]) -> int:
    """Give a number of lines that no set can do without.

    Those collected in a stretch of days must be made within it, give or take the slack that the
    turnaround leaves; their days on a line have to fit into that time.
    """
    first = min(day for (_, day), _ in groups)
    last = max(day for (_, day), _ in groups)
    arriving = np.zeros(last - first + 2)
    for (_, day), count in groups:
        arriving[day - first + 1] += count
    until = np.cumsum(arriving)
    slack = cohort.turnaround_days_max - cohort.collect_days - cohort.make_days - cohort.test_days
    needed = 1
    for length in range(1, last - first + 2):
        most = float((until[length:] - until[:-length]).max())
        room = length + max(slack, 0) + cohort.make_days - 1
        needed = max(needed, math.ceil(most * cohort.make_days / room - 1e-9))
    return needed


def _solve_set(
    cohort: Cohort,
    columns: list[_Column],
    counts: NDArray[np.float64],
    plants: tuple[int, ...],
    gap: float,
    below: float,
) -> tuple[float, float, NDArray[np.float64]]:
    """Solve the flows with these plants open; give cost, bound and flow of each column."""
    import highspy

    # Lines in use are variables of their own, tied to the day before by who begins and who ends: a
    # column then stands in three rows, not in one for each day on the line, as in a network flow.
    days = max(column.starts for column in columns) + cohort.make_days + 1
    row_of = {plant: counts.size + days * at for at, plant in enumerate(plants)}
    rows, busy = counts.size + days * len(plants), days * len(plants)
    lower, upper = np.zeros(rows), np.zeros(rows)
    lower[: counts.size] = upper[: counts.size] = counts
    flows = len(columns)
    index = np.empty((flows, 3), dtype=np.int32)
    for number, column in enumerate(columns):
        first = row_of[column.plant] + column.starts
        index[number] = column.group, first, first + cohort.make_days
    at = counts.size + np.arange(busy, dtype=np.int32)
    last = np.arange(busy) % days == days - 1
    line_index = np.stack([at, np.where(last, at, at + 1)], axis=1)[~last].astype(np.int32)
    lines_used = int((~last).sum())
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = flows + lines_used, rows
    model.col_cost_ = np.concatenate([[column.cost for column in columns], np.zeros(lines_used)])
    model.col_lower_ = np.zeros(flows + lines_used)
    room = np.repeat([float(cohort.plants[plant].lines) for plant in plants], days)[~last]
    model.col_upper_ = np.concatenate([counts[index[:, 0]], room])
    model.row_lower_, model.row_upper_ = lower, upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.concatenate(
        [
            np.arange(0, 3 * flows, 3),
            np.arange(3 * flows, 3 * flows + 2 * lines_used + 1, 2),
        ]
    ).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([index.ravel(), line_index.ravel()])
    model.a_matrix_.value_ = np.concatenate(
        [np.tile([1.0, 1.0, -1.0], flows), np.tile([-1.0, 1.0], lines_used)]
    )
    whole, real = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    model.integrality_ = [whole] * flows + [real] * lines_used
    solver = highspy.Highs()
    solver.silent()
    for option, value in (
        ("threads", 1),
        ("mip_rel_gap", gap),
        ("mip_abs_gap", 0.0),
    ):
        solver.setOptionValue(option, value)
    if math.isfinite(below):
        solver.setOptionValue("objective_bound", below)
    solver.passModel(model)
    solver.run()
    status = solver.getModelStatus()
    ruled_out = {
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
        highspy.HighsModelStatus.kObjectiveBound,
    }
    if status not in ruled_out | {highspy.HighsModelStatus.kOptimal}:
        raise Broken("that HiGHS solves the flows of a set of plants", seen=status)
    if status in ruled_out:
        return math.inf, below if math.isfinite(below) else math.inf, np.zeros(0)
    values = np.round(np.array(solver.getSolution().col_value))[:flows]
    cost = float(values @ np.array([column.cost for column in columns]))
    return cost, min(cost, float(solver.getInfo().mip_dual_bound)), values


def _fixed(cohort: Cohort, plants: tuple[int, ...]) -> float:
    return cohort.horizon_days * sum(cohort.plants[number].cost_per_day for number in plants)


def _impossible(
    cohort: Cohort,
    groups: list[tuple[tuple[str, int], int]],
    cheapest: NDArray[np.float64],
) -> Refused:
    lost = np.flatnonzero(~np.isfinite(cheapest).any(axis=1))
    if lost.size:
        clinic, day = groups[int(lost[0])][0]
        return Refused(
            DESIGN_INFEASIBLE,
            what=f"patients of {clinic} collected on day {day}",
            found="no plant and pair of lanes in time",
            limit=f"a turnaround of {cohort.turnaround_days_max} days",
            remedy="add a faster lane, or raise turnaround_days_max",
        )
    return Refused(
        DESIGN_INFEASIBLE,
        what="the cohort",
        found=f"{_lines_needed(cohort, groups)} lines needed at the least",
        limit=f"{sum(plant.lines for plant in cohort.plants)} lines in all plants",
        remedy="add lines or plants, raise open_at_most, or allow patients to be held",
    )
