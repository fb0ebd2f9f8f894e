"""The cheapest design: against every possible one, against hand sums, and in the face of bad files."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from anlage.base import Refused
from anlage.cli import main
from anlage.network import checked_model, read
from anlage.network.optimise import (
    Candidate,
    Demand,
    DesignProblem,
    Size,
    Way,
    check_design,
    columns_of,
    design_problem_of,
    network_of,
    optimise,
    read_design,
    solve,
    solve_whole,
)

TWO = """
design: two
limit: 30 hours
clinics:
  amsterdam: {demand: 120}
  paris: {demand: 80}
  berlin: 60
sites:
  leiden:
    sizes:
      small: {capacity: 150, cost: 6.2e6}
      large: {capacity: 400, cost: 13.5e6}
  lyon: {capacity: 150, cost: 6.0e6, cost_per_patient: 2000}
lanes:
  amsterdam:
    leiden: {road: {cost: 300, time: 2 hours}}
    lyon: {road: {cost: 1500, time: 14 hours}, air: {cost: 2900, time: 8 hours}}
  paris:
    leiden: {road: {cost: 900, time: 8 h}}
    lyon: {cost: 800, time: 7 h}
  berlin:
    leiden: {road: {cost: 1100, time: 32 h}, air: {cost: 2600, time: 9 h}}
"""


def a_problem(seed, clinics=5, sites=3, sizes=2, *, whole=True, most=None):
    chance = np.random.default_rng(seed)
    patients = chance.integers(5, 40, clinics) if whole else chance.uniform(5, 40, clinics)
    rooms = [40 + 30 * s for s in range(sizes)]
    return DesignProblem(
        name="made",
        clinics=tuple(Demand(name=f"c{i}", patients=float(n)) for i, n in enumerate(patients)),
        sites=tuple(
            Candidate(
                name=f"s{j}",
                sizes=tuple(
                    Size(
                        name=str(room),
                        capacity=room,
                        cost=float(chance.integers(3000, 6000) + 20 * room),
                        cost_per_patient=float(chance.integers(0, 20)),
                    )
                    for room in rooms
                ),
            )
            for j in range(sites)
        ),
        ways=tuple(
            Way(clinic=f"c{i}", site=f"s{j}", mode=mode, cost=float(chance.integers(1, 99)))
            for i, j in itertools.product(range(clinics), range(sites))
            for mode in ("road", "air")
            if chance.random() < 0.9
        ),
        open_at_most=most,
    )


def the_cheapest_of_all(problem):
    """Try every state of every site and every assignment."""
    columns = columns_of(problem)
    clinics, sites = columns.cost.shape
    least = math.inf
    for states in itertools.product(range(columns.fixed.shape[1]), repeat=sites):
        if sum(state > 0 for state in states) > columns.open_max:
            continue
        fixed = sum(columns.fixed[j, s] for j, s in enumerate(states))
        room = [columns.capacity[j, s] for j, s in enumerate(states)]
        for chosen in itertools.product([j for j in range(sites) if states[j]], repeat=clinics):
            load = np.bincount(chosen, weights=columns.demand, minlength=sites)
            if np.any(load > np.array(room) + 1e-9):
                continue
            cost = fixed + sum(
                columns.cost[i, j] + columns.unit_cost[j, states[j]] * columns.demand[i]
                for i, j in enumerate(chosen)
            )
            least = min(least, cost)
    return least


@settings(max_examples=8, deadline=None)
@given(
    seed=some.integers(0, 10_000),
    whole=some.booleans(),
    most=some.sampled_from([None, 2]),
)
def test_no_design_is_cheaper_than_the_one_found(seed, whole, most):
    problem = a_problem(seed, 4, 3, whole=whole, most=most)

    found = solve_whole(columns_of(problem), gap=0)

    least = the_cheapest_of_all(problem)
    assert found.cost == pytest.approx(least, rel=1e-9) if math.isfinite(least) else True
    assert math.isinf(found.cost) == math.isinf(least)
    assert found.bound <= found.cost


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("whole", "most"), [(True, None), (False, None), (True, 4)])
def test_the_bounded_search_agrees_with_one_exact_model(seed, whole, most):
    columns = columns_of(a_problem(seed, 20, 8, 4, whole=whole, most=most))

    found, alone = solve(columns, gap=1e-4), solve_whole(columns, gap=0, seconds=20)

    assert found.gap <= 1.0001e-4
    assert found.bound <= alone.cost * (1 + 1e-9)
    assert alone.cost * (1 - 1e-9) <= found.cost <= alone.cost * (1 + 1.0001e-4)


def test_a_small_design_is_the_sum_that_a_hand_gives():
    made = optimise(read_design(TWO))

    # Leiden small (Paris, Berlin by air for the 30 hours) and Lyon (Amsterdam by road).
    assert made["objective"] == 6.2e6 + 80 * 900 + 60 * 2600 + 6e6 + 120 * (2000 + 1500)
    assert made["status"] == "optimal"
    assert made["bound"] <= made["objective"]
    assert made["gap"] <= 1e-4
    design = made["design"]
    assert design["sites"]["leiden"]["size"] == "small"
    assert design["clinics"]["berlin"]["mode"] == "air"
    assert design["clinics"]["amsterdam"] == {
        "site": "lyon",
        "mode": "road",
        "patients": 120,
        "cost": 180_000,
        "hours": pytest.approx(14),
    }
    assert sum(design["cost_by_class"].values()) == pytest.approx(made["objective"])


def test_a_longer_limit_never_costs_more():
    costs = [
        optimise(read_design(TWO.replace("30 hours", f"{hours} h")))["objective"]
        for hours in (10, 30, 40)
    ]

    assert costs == sorted(costs, reverse=True)


def test_the_command_prints_the_contract(tmp_path, capsys):
    path = tmp_path / "two.yaml"
    path.write_text(TWO)

    code = main(["network", "optimise", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)

    assert code == 0
    assert {"objective", "bound", "gap", "design", "seconds"} <= found.keys()
    assert main(["network", "check", str(path)]) == 0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("demand: 120", "demand: -3", "network-value-impossible"),
        ("demand: 120", "deman: 120", "network-key-missing"),
        ("demand: 120", "demand: many", "network-value-unreadable"),
        ("cost: 6.2e6", "price: 6.2e6", "network-key-missing"),
        ("capacity: 400", "capacity: 100", "network-capacity-impossible"),
        ("  berlin:\n    leiden", "  bonn:\n    leiden", "network-name-unknown"),
        ("limit: 30 hours", "limit: 1 hour", "network-site-unreachable"),
        ("limit: 30 hours", "limit: 30 kg", "network-unit-wrong"),
        ("demand: 120", "demand: 420", "network-capacity-impossible"),
        ("limit: 30 hours", "limits: 30 hours", "network-key-unknown"),
        ("sites:\n", "sites: []\nplaces:\n", "network-key-unknown"),
    ],
)
def test_a_defect_is_named_with_its_place_and_a_remedy(old, new, code):
    text = TWO.replace(old, new, 1)
    if new == "capacity: 100":
        text = text.replace("capacity: 150, cost: 6.2e6", "capacity: 50, cost: 6.2e6")

    problems = check_design(text, path="two.yaml").problems

    assert code in {problem.code for problem in problems}
    for problem in problems:
        assert problem.path == "two.yaml"
        assert problem.line
        assert problem.remedy


def test_clinics_that_fit_together_nowhere_are_refused():
    text = TWO.replace("demand: 120", "demand: 100").replace("capacity: 400", "capacity: 155")
    text = text.replace("demand: 80", "demand: 100").replace("berlin: 60", "berlin: 100")

    with pytest.raises(Refused) as refusal:
        optimise(read_design(text))

    assert refusal.value.code == "network-design-infeasible"
    assert refusal.value.problem.remedy


@settings(max_examples=30, deadline=None)
@given(text=some.text(max_size=200), where=some.integers(0, len(TWO)))
def test_no_text_makes_the_reader_fall(text, where):
    for hostile in (text, "design: x\n" + text, TWO[:where] + text + TWO[where:]):
        checked = check_design(hostile)

        assert checked.ok == (checked.problem is not None)


SITES = """
network: sites
clinics:
  a: {at: [50, 4], share: 3}
  b: {at: [48, 2]}
sites:
  near: {at: [50, 4], cost: 1000 / day, resources: {unit: 10}}
  spare: {at: [51, 5], cost: 900 / day, resources: {unit: 1}}
  dear: {at: [48, 2], cost: 9000 / day, resources: {unit: 10}}
classes: {patient: {arrivals: 200 / year}}
lanes: {fresh: {modes: {road: {speed: 70 km/h, cost: {fixed: 100, per_km: 1}}}}}
process:
  - ship: fresh
  - use: {resource: unit, time: 7 days}
  - ship: fresh
"""


def test_a_network_file_gives_its_design_and_the_network_of_it():
    network = read(SITES)
    problem = design_problem_of(network)

    assert [round(clinic.patients) for clinic in problem.clinics] == [150, 50]
    rooms = [site.sizes[0].capacity for site in problem.sites]
    assert rooms == pytest.approx([0.85 * count / 7 * 365.25 for count in (10, 1, 10)])

    design = optimise(problem)["design"]

    assert set(design["sites"]) == {"near"}
    made = network_of(network, {name: row["site"] for name, row in design["clinics"].items()})
    assert [site.name for site in made.sites] == ["near"]
    assert checked_model(made) is made


def test_a_network_without_sites_has_no_design():
    network = read(
        "network: q\nclasses: {c: {arrivals: 1 / day}}\nresources: {desk: 2}\n"
        "process: [{use: {resource: desk, time: 1 hour}}]\n"
    )

    with pytest.raises(Refused) as refusal:
        design_problem_of(network)

    assert "design: NAME" in refusal.value.problem.limit
