"""Network design beside CP-SAT alone: 40 clinics, 12 sites, 4 lane modes, 3 sizes, to 1e-4.

Run: `python -m benchmarks.optimise`. Instances come from a seeded generator below; the peer is one
CP-SAT model of the same columns on one worker, in the same run, stopped after two minutes.
"""

import sys
import time

import numpy as np

from anlage.base import Refused
from anlage.network.optimise import (
    Candidate,
    Cohort,
    Demand,
    DesignProblem,
    Leg,
    Plant,
    Size,
    Way,
    columns_of,
    plan_cohort,
    solve,
    solve_whole,
)

PEER_SECONDS = 120.0
MODES = (  # name, money per journey, money per km, km/h, hours of handling
    ("road", 150, 2.0, 65, 2),
    ("rail", 420, 1.1, 110, 6),
    ("air", 1400, 0.75, 600, 7),
    ("charter", 6500, 3.5, 650, 3),
)
SIZES = (("small", 150, 6.2e6), ("medium", 400, 13.5e6), ("large", 900, 26.0e6))


def design_instance(seed: int, clinics: int = 40, sites: int = 12) -> DesignProblem:
    """Give a made-up region 1500 km wide: places, demand and money drawn by chance."""
    chance = np.random.default_rng(seed)
    homes, plants = chance.uniform(0, 1500, (clinics, 2)), chance.uniform(100, 1400, (sites, 2))
    patients = chance.integers(20, 121, clinics)
    dear = chance.uniform(0.85, 1.2, sites)
    ways = []
    for i in range(clinics):
        for j in range(sites):
            km = 1.25 * float(np.hypot(*(homes[i] - plants[j])))
            for name, fixed, per_km, speed, handling in MODES:
                money = round(2 * (fixed + per_km * km) * chance.uniform(0.9, 1.1))
                days = (km / speed + handling) / 24
                ways.append(Way(clinic=f"c{i}", site=f"s{j}", mode=name, cost=money, days=days))
    return DesignProblem(
        name=f"region-{seed}",
        clinics=tuple(Demand(name=f"c{i}", patients=float(n)) for i, n in enumerate(patients)),
        sites=tuple(
            Candidate(
                name=f"s{j}",
                sizes=tuple(
                    Size(name=name, capacity=room, cost=round(money * dear[j]))
                    for name, room, money in SIZES
                ),
            )
            for j in range(sites)
        ),
        ways=tuple(ways),
        limit_days=30 / 24,
    )


def cohort_instance(
    seed: int, patients: int, *, hold: int = 0, turnaround: int = 18, most: int | None = None
) -> Cohort:
    """Give a made-up cohort after the description of i-SHIPMENT (Scientific Reports 12:17365, 2022).

    Four clinics, six plants of 4, 10 or 31 lines, two modes of one and two days, 130 days, 7 days of
    making and 7 of quality control; places, days and lane money are drawn by chance.
    """
    chance = np.random.default_rng(seed)
    clinics, lines = ("c1", "c2", "c3", "c4"), (4, 31, 10, 4, 31, 10)
    plants = tuple(
        Plant(
            name=f"m{number}", lines=count, cost_per_day=5784.0 * count if count < 31 else 173_521.0
        )
        for number, count in enumerate(lines, start=1)
    )
    there, back = {}, {}
    for clinic in clinics:
        for plant in plants:
            standard = float(chance.integers(520, 1054))
            pair = (clinic, plant.name)
            for legs, low, high in ((there, 1040, 3500), (back, 1910, 2910)):
                express = float(chance.integers(low, high))
                legs[pair] = (
                    Leg(mode="express", days=1, cost=express),
                    Leg(mode="standard", days=2, cost=min(standard, express)),
                )
    days = np.sort(chance.integers(1, 105, patients))
    return Cohort(
        patients=tuple((clinics[chance.integers(4)], int(day)) for day in days),
        plants=plants,
        to_plant=there,
        to_clinic=back,
        cost_per_therapy=10_476.0 + 9_312.0,
        hold_days_max=hold,
        turnaround_days_max=turnaround,
        open_at_most=most,
    )


def main() -> None:
    seeds = [int(word) for word in sys.argv[1:] if word.isdigit()] or [0, 1, 2, 3, 4]
    solve(columns_of(design_instance(99, clinics=6, sites=3)))  # loads the compiled kernels
    print("40 clinics x 12 sites x 4 modes x 3 sizes, proven to 1e-4, one core")
    print(
        f"{'seed':>4} {'cost':>13} {'gap':>9} {'nodes':>6} {'s':>7}   {'CP-SAT cost':>13} {'gap':>9} {'s':>7} {'times':>6}"
    )
    for seed in seeds:
        started = time.perf_counter()
        columns = columns_of(design_instance(seed))
        found = solve(columns)
        spent = time.perf_counter() - started
        started = time.perf_counter()
        alone = solve_whole(columns, gap=1e-4, seconds=PEER_SECONDS)
        peer = time.perf_counter() - started
        more = ">" if peer >= PEER_SECONDS else ""
        print(
            f"{seed:>4} {found.cost:>13,.0f} {found.gap:>9.1e} {found.nodes:>6} {spent:>7.2f}   "
            f"{alone.cost:>13,.0f} {alone.gap:>9.1e} {peer:>7.1f} {more}{peer / spent:>5.0f}x",
            flush=True,
        )
    print("\ncohorts after i-SHIPMENT, proven to 1e-6, one core")
    print(
        f"{'patients':>8} {'plants':>7} {'hold':>5} {'cost':>13} {'gap':>9} {'columns':>8} {'sets':>5} {'s':>7}"
    )
    for patients in (50, 125, 250):
        for most, hold, turnaround in ((2, 0, 18), (6, 0, 18), (2, 24, 42)):
            try:
                plan = plan_cohort(
                    cohort_instance(seeds[0], patients, hold=hold, turnaround=turnaround, most=most)
                )
            except Refused as refusal:
                print(f"{patients:>8} {most:>7} {hold:>5} {refusal.problem.found}")
                continue
            print(
                f"{patients:>8} {most:>7} {hold:>5} {plan.cost:>13,.0f} {plan.gap:>9.1e} "
                f"{plan.columns:>8} {plan.sets_solved:>5} {plan.seconds:>7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
