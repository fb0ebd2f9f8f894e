"""Order points, order sizes, suppliers; and designs that weigh the worst years."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from anlage.base import Refused
from anlage.network import read
from anlage.network.optimise import (
    Prices,
    Risk,
    drawn_years,
    fill_of,
    optimise,
    optimise_robust,
    plan_supply,
    policy_cost,
    read_design,
    with_policy,
)
from anlage.network.simulate import outcome_of, run, settings_for

SHELF = """
network: shelf
classes: {patient: {arrivals: 2 per day}}
materials:
  vector: {stock: 60, reorder_at: 30, order: 20, lead_time: LEAD, suppliers: SUPPLIERS, cost: 1000, holding_cost: 2 / day}
outages:
  first: {of: a, every: {exponential: 300 days}, lasts: {exponential: 60 days}}
  second: {of: b, every: {exponential: 300 days}, lasts: {exponential: 60 days}}
process:
  - consume: vector
"""


def shelf(lead="10 days", suppliers="[a, b]", outages=True):
    text = SHELF.replace("LEAD", lead).replace("SUPPLIERS", suppliers)
    if not outages:
        text = text[: text.index("outages")] + text[text.index("process") :]
    return read(text.replace("[a, b]", "[a]") if "b" not in suppliers else text)


PRICES = Prices(order=200.0, waiting=500.0, supplier=5_000.0)


@pytest.mark.parametrize(("reorder", "order"), [(12, 5), (22, 20), (30, 1)])
def test_the_model_of_a_stock_is_that_of_the_simulation(reorder, order):
    # A constant lead time of 10 days and Poisson use: the (r, Q) model is then exact.
    network = shelf(outages=False)
    demand = poisson.pmf(np.arange(200), 20)
    shelf_units, waited, orders = policy_cost(demand, reorder, order, 2 * 365.25)
    policy = {"reorder_at": reorder, "order": order, "suppliers": ["a"]}
    planned = with_policy(network, "vector", policy)

    told = outcome_of(
        run(planned, settings_for(planned, years=10, warmup_years=1, replications=40))
    )["materials"]["vector"]

    assert told["mean_wait_days"] * 2 == pytest.approx(waited, rel=0.05, abs=0.02)
    assert told["mean_stock"] == pytest.approx(shelf_units, rel=0.03)
    assert orders == pytest.approx(730.5 / order)
    assert 0 <= fill_of(demand, reorder, order) <= 1


def test_no_order_point_or_size_nearby_is_cheaper():
    network = shelf(outages=False)
    plan = plan_supply(network, "vector", 730.5, PRICES)
    best = plan["policy"]
    demand = poisson.pmf(np.arange(200), 20)

    def cost(reorder, order):
        shelf_units, waited, orders = policy_cost(demand, reorder, order, 730.5)
        return PRICES.order * orders + 365.25 * (2 * shelf_units + PRICES.waiting * waited) + 5_000

    here = cost(best["reorder_at"], best["order"])
    assert here == pytest.approx(plan["objective"], rel=1e-3)
    assert plan["gap"] == 0.0
    for reorder in range(0, 60):
        for order in range(1, 90, 3):
            assert cost(reorder, order) >= here * (1 - 1e-3)


def test_a_second_supplier_pays_when_outages_cost_more_than_its_upkeep():
    network = shelf()
    cheap = plan_supply(network, "vector", 730.5, PRICES)
    dear = plan_supply(
        network, "vector", 730.5, Prices(order=200.0, waiting=500.0, supplier=5_000_000.0)
    )

    assert cheap["policy"]["suppliers"] == ["a", "b"]
    assert len(dear["policy"]["suppliers"]) == 1
    sole = next(one for one in cheap["by_suppliers"] if one["suppliers"] == ["a"])
    assert sole["safety_stock"] > cheap["policy"]["safety_stock"]
    assert cheap["policy"]["time_to_survive_days"] > 0


def test_the_plan_grows_with_the_demand():
    plan = plan_supply(shelf(), "vector", 730.5, PRICES, years=4, growth=0.25)["plan"]

    units = [row["units"] for row in plan]
    assert units == pytest.approx([730.5 * 1.25**year for year in range(4)])
    assert [row["cost"] for row in plan] == sorted(row["cost"] for row in plan)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda: plan_supply(shelf(), "vial", 10, PRICES), "network-name-unknown"),
        (lambda: plan_supply(shelf(), "vector", 0, PRICES), "network-value-impossible"),
        (lambda: Prices(order=1, waiting=0, supplier=1), "network-value-impossible"),
        (lambda: Risk(penalty=-1), "network-run-impossible"),
    ],
)
def test_what_cannot_be_planned_is_refused(act, code):
    with pytest.raises(Refused) as refused:
        act()

    assert refused.value.code == code


DESIGN = """
design: two plants
clinics: {north: {demand: 100}, south: {demand: 100}}
sites:
  big: {capacity: 200, cost: 1000000, outage: {every: 1 year, lasts: 1 year}}
  first: {capacity: 130, cost: 700000}
  second: {capacity: 130, cost: 700000}
lanes:
  north: {big: {cost: 100}, first: {cost: 100}, second: {cost: 300}}
  south: {big: {cost: 100}, first: {cost: 300}, second: {cost: 100}}
"""


def test_the_robust_design_leaves_the_site_that_fails():
    problem = read_design(DESIGN)
    plain = optimise(problem)
    against = dict.fromkeys(plain["design"]["sites"], "")

    found = optimise_robust(problem, Risk(penalty=50_000.0, years=20), against=against)

    assert set(plain["design"]["sites"]) == {"big"}
    assert set(found["design"]["sites"]) == {"first", "second"}
    assert found["status"] == "optimal"
    assert found["bound"] <= found["objective"] <= found["against"]["objective"]
    assert found["years"]["worst_unserved"] == 0.0
    assert found["against"]["years"]["worst_unserved"] > 100


def test_without_outages_the_robust_design_costs_what_the_plain_one_does():
    problem = read_design(DESIGN.replace(", outage: {every: 1 year, lasts: 1 year}", ""))
    plain = optimise(problem)

    found = optimise_robust(problem, Risk(penalty=1e6, years=5))

    assert found["objective"] == pytest.approx(plain["objective"], rel=1e-6)
    assert found["years"]["mean_cost"] == pytest.approx(found["years"]["worst_cost"])


def test_the_objective_is_the_blend_of_mean_and_worst_years():
    problem = read_design(DESIGN)
    risk = Risk(penalty=20_000.0, weight=0.4, tail=0.25, years=20)

    found = optimise_robust(problem, risk)

    years, fixed = found["years"], found["years"]["fixed_cost"]
    blend = 0.6 * (years["mean_cost"] - fixed) + 0.4 * (years["worst_cost"] - fixed)
    assert found["objective"] == pytest.approx(fixed + blend, rel=1e-6)


def test_a_site_is_up_for_its_long_run_share_of_the_years():
    problem = read_design(
        DESIGN.replace("every: 1 year, lasts: 1 year", "every: 90 d, lasts: 10 d")
    )

    up = drawn_years(problem, Risk(penalty=1.0, years=500))

    assert up[:, 0].mean() == pytest.approx(0.9, abs=0.01)
    assert (up[:, 1:] == 1.0).all()
    assert math.isclose(up.max(), 1.0) and up.min() >= 0.0
