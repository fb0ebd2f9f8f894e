"""Network design beside CP-SAT alone: 40 clinics, 12 sites, 4 lane modes, 3 sizes, to 1e-4.

Run: `python -m benchmarks.optimise`. Instances come from a seeded generator below; the peer is one
CP-SAT model of the same columns on one worker, in the same run, stopped after two minutes.
"""

import sys
import time

import numpy as np

from anlage.network.optimise import (
    Candidate,
    Demand,
    DesignProblem,
    Size,
    Way,
    columns_of,
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


if __name__ == "__main__":
    main()
