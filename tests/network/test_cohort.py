"""Cohorts with known days: against every plan there is, and within every limit."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from anlage.base import Refused
from anlage.network.optimise import Cohort, Leg, Plant, plan_cohort


def a_cohort(seed, patients=4, **changes):
    chance = np.random.default_rng(seed)
    plants = tuple(
        Plant(name=f"m{j}", lines=int(chance.integers(1, 3)), cost_per_day=float(40 + 15 * j))
        for j in range(2)
    )
    legs = {
        (clinic, plant.name): (
            Leg(mode="express", days=1, cost=float(chance.integers(20, 60))),
            Leg(mode="standard", days=2, cost=float(chance.integers(1, 40))),
        )
        for clinic in ("c1", "c2")
        for plant in plants
    }
    whole = {
        "patients": tuple(
            (("c1", "c2")[chance.integers(2)], int(chance.integers(0, 5))) for _ in range(patients)
        ),
        "plants": plants,
        "to_plant": legs,
        "to_clinic": legs,
        "horizon_days": 10,
        "make_days": 2,
        "test_days": 1,
        "turnaround_days_max": 7,
        "hold_days_max": 1,
        "cost_per_therapy": 100.0,
    }
    return Cohort(**{**whole, **changes})


def the_cheapest_of_all(cohort):
    """Try every plant, start and pair of legs for each patient by itself."""
    ways = []
    for clinic, day in cohort.patients:
        mine = {}
        for j, plant in enumerate(cohort.plants):
            for there, back in itertools.product(
                cohort.to_plant[clinic, plant.name], cohort.to_clinic[clinic, plant.name]
            ):
                for hold in range(cohort.hold_days_max + 1):
                    start = day + cohort.collect_days + there.days + hold
                    end = start + cohort.make_days + cohort.test_days + back.days
                    if end - day <= cohort.turnaround_days_max:
                        cost = there.cost + back.cost
                        mine[j, start] = min(cost, mine.get((j, start), math.inf))
        ways.append(list(mine.items()))
    least = math.inf
    for choice in itertools.product(*ways):
        busy = Counter(
            (j, start + day) for (j, start), _ in choice for day in range(cohort.make_days)
        )
        if any(count > cohort.plants[j].lines for (j, _), count in busy.items()):
            continue
        opened = {j for (j, _), _ in choice}
        fixed = cohort.horizon_days * sum(cohort.plants[j].cost_per_day for j in opened)
        least = min(least, fixed + sum(cost for _, cost in choice))
    return least + len(cohort.patients) * cohort.cost_per_therapy


@pytest.mark.parametrize("seed", range(8))
def test_no_plan_is_cheaper_than_the_one_found(seed):
    cohort = a_cohort(seed)
    least = the_cheapest_of_all(cohort)
    if math.isinf(least):
        with pytest.raises(Refused, match="lines"):
            plan_cohort(cohort)
        return

    plan = plan_cohort(cohort)

    assert plan.cost == pytest.approx(least)
    assert plan.gap <= 1e-6


def test_a_plan_keeps_lines_and_turnaround_and_treats_everyone():
    chance = np.random.default_rng(5)
    patients = tuple(
        (("c1", "c2")[chance.integers(2)], int(chance.integers(0, 100))) for _ in range(120)
    )
    plants = tuple(
        Plant(name=f"m{j}", lines=lines, cost_per_day=5784.0 * lines)
        for j, lines in enumerate((4, 10, 31))
    )
    cohort = Cohort(
        patients=patients,
        plants=plants,
        to_plant={
            (c, p.name): (Leg(mode="x", days=1, cost=900), Leg(mode="s", days=2, cost=500 + j))
            for c in ("c1", "c2")
            for j, p in enumerate(plants)
        },
        to_clinic={
            (c, p.name): (Leg(mode="x", days=1, cost=1900), Leg(mode="s", days=2, cost=950))
            for c in ("c1", "c2")
            for p in plants
        },
    )

    plan = plan_cohort(cohort)

    days = {"x": 1, "s": 2}
    busy = Counter()
    treated = Counter()
    for one in plan.therapies:
        assert one.plant in plan.plants
        assert one.starts == one.collected + 1 + days[one.to_plant]
        assert one.starts + 14 + days[one.to_clinic] - one.collected <= 18
        treated[one.clinic, one.collected] += one.count
        for day in range(one.starts, one.starts + 7):
            busy[one.plant, day] += one.count
    assert treated == Counter(patients)
    lines = {plant.name: plant.lines for plant in plants}
    assert all(count <= lines[plant] for (plant, _), count in busy.items())


def test_waiting_for_a_line_never_costs_more():
    costs = []
    for hold, turnaround in ((0, 18), (7, 25), (24, 42)):
        cohort = Cohort(
            patients=tuple(("c", day) for day in (1, 1, 2, 2, 3, 3, 4, 4)),
            plants=tuple(Plant(name=f"m{j}", lines=4, cost_per_day=1000) for j in range(2)),
            to_plant={("c", f"m{j}"): (Leg(mode="x", days=1, cost=10),) for j in range(2)},
            to_clinic={("c", f"m{j}"): (Leg(mode="x", days=1, cost=10),) for j in range(2)},
            hold_days_max=hold,
            turnaround_days_max=turnaround,
        )
        costs.append(plan_cohort(cohort).cost)

    assert costs == sorted(costs, reverse=True)
    assert costs[0] == 2 * 130 * 1000 + 8 * 20
    assert costs[1] == 130 * 1000 + 8 * 20


def test_a_turnaround_that_no_lane_can_keep_is_refused():
    cohort = a_cohort(1, turnaround_days_max=4)

    with pytest.raises(Refused) as refusal:
        plan_cohort(cohort)

    assert refusal.value.code == "network-design-infeasible"
    assert "turnaround" in refusal.value.problem.remedy


def test_a_cohort_without_patients_is_refused():
    with pytest.raises(Refused):
        a_cohort(1, patients=0)
