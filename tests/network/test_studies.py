"""Losses, worst runs, scale, choice by simulation, and the return on information."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anlage.base import Refused
from anlage.network import read
from anlage.network.simulate import (
    Design,
    compare,
    figures,
    losses,
    outcome_of,
    run,
    run_part,
    scale,
    scaled_out,
    scaled_up,
    select,
    settings_for,
    tail,
    tails,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "networks"

STOCKED = """
network: stocked
classes: {patient: {arrivals: {every: 1 day}}}
materials: {vial: {stock: STOCK, reorder_at: STOCK, order: 1, lead_time: 1 day, suppliers: [sole]}}
process:
  - consume: vial
"""


def stocked(stock):
    return read(STOCKED.replace("STOCK", str(stock)))


@pytest.mark.parametrize("stock", [20, 40])
def test_a_stock_survives_as_many_days_as_it_has_units(stock):
    network = stocked(stock)
    settings = settings_for(network, years=1, warmup_years=0.1, replications=3)

    row = losses(network, settings, names=["sole"], days=70)["losses"][0]

    # One unit a day; a week is the resolution of the answer.
    assert abs(row["time_to_survive_days"] - stock) <= 7
    assert row["is_survived"] is False


def test_recovery_waits_until_nobody_more_than_ever_is_in_the_network():
    network = stocked(7)
    settings = settings_for(network, years=1, warmup_years=0.1, replications=3)

    short, long = (
        losses(network, settings, names=["sole"], days=days)["losses"][0] for days in (3, 100)
    )

    assert short["time_to_recover_days"] == 0.0
    # All that waited are served on the day after the supplier is back: within two weeks' counts.
    assert 0 < long["time_to_recover_days"] <= 14


def test_without_a_loss_the_two_runs_are_the_same_patient_by_patient():
    network = read((EXAMPLES / "central.yaml").read_text("utf-8"))
    settings = settings_for(network, years=2, warmup_years=0.5, replications=4)

    rows = losses(network, settings, days=30)["losses"]

    assert {row["lost"] for row in rows} == {"sole_vector", "central_plant", "out", "back"}
    plant = next(row for row in rows if row["lost"] == "central_plant")
    assert plant["time_to_survive_days"] < 14
    assert plant["patients_not_treated"]["difference"] > 0


def test_a_loss_longer_than_the_run_is_refused():
    network = stocked(5)

    with pytest.raises(Refused) as refused:
        losses(network, settings_for(network, years=1, replications=2), days=400)

    assert refused.value.code == "network-run-impossible"


def test_weeks_add_up_to_the_whole_run():
    network = read((EXAMPLES / "regional.yaml").read_text("utf-8"))
    settings = settings_for(network, years=2, warmup_years=0.0, replications=3)

    made = run(network, replace(settings, by_week=True)).results

    for week, column in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4)):
        total = made.classes[:, :2, column].sum(axis=1)
        assert np.allclose(made.weeks[:, :, week].sum(axis=1), total)


def test_the_worst_tenth_of_an_exponential_is_what_theory_says():
    drawn = np.random.default_rng(3).exponential(1.0, 200_000)

    found = tail(drawn, 0.1)

    # Value at risk ln 10; the mean beyond it is one more.
    assert found["value_at_risk"] == pytest.approx(np.log(10), rel=0.02)
    assert found["conditional_value_at_risk"] == pytest.approx(np.log(10) + 1, rel=0.02)
    low, high = found["ci95"]
    assert low < np.log(10) + 1 < high


def test_the_worst_runs_are_worse_than_the_mean():
    network = read((EXAMPLES / "central.yaml").read_text("utf-8"))

    found = tails(run(network, settings_for(network, years=2, replications=20)))

    for row in found.values():
        assert row["conditional_value_at_risk"] > row["mean"]


QUEUE = "network: NAME\nclasses: {c: {arrivals: 0.8 / hour}}\nresources: {d: {capacity: SERVERS}}\n"
QUEUE += "process: [{use: {resource: d, time: {exponential: 1 hour}}}]\n"


def queue(name, servers):
    network = read(QUEUE.replace("NAME", name).replace("SERVERS", str(servers)))
    return Design(name=name, network=network)


def test_selection_finds_the_fastest_design_and_strikes_out_the_rest():
    designs = [queue("one", 1), queue("two", 2), queue("three", 3)]
    settings = settings_for(designs[0].network, years=0.5, replications=2_000)

    found = select(designs, settings, measure="vein to vein", indifference=1e-3)

    assert found["best"] == "three"
    assert found["is_sure"]
    struck = {name: row["struck_out_after"] for name, row in found["designs"].items()}
    assert struck["three"] is None
    assert max(struck["one"], struck["two"]) < 2_000


def test_selection_is_right_at_least_as_often_as_it_says():
    # Two designs that differ by just the indifference: the harder case of the procedure.
    right = 0
    designs = [queue("two", 2), queue("three", 3)]
    base = settings_for(designs[0].network, years=0.05, warmup_years=0.01, replications=2_000)
    long = [outcome_of(run(one.network, replace(base, years=2.0))) for one in designs]
    gap = long[0]["vein_to_vein_days"]["mean"] - long[1]["vein_to_vein_days"]["mean"]

    for seed in range(40):
        found = select(
            designs,
            replace(base, seed=seed),
            measure="vein to vein",
            indifference=gap,
            confidence=0.9,
        )
        right += found["best"] == "three"

    assert right >= 34


def test_selection_of_one_design_is_refused():
    one = queue("one", 1)

    with pytest.raises(Refused):
        select([one], settings_for(one.network, replications=50))


def test_replications_run_in_parts_are_those_of_a_whole_run():
    network = read((EXAMPLES / "reference.yaml").read_text("utf-8"))
    settings = settings_for(network, years=1, replications=8)

    whole = figures(run(network, settings))
    part = figures(run_part(network, settings, 3, 4))

    assert np.array_equal(part.time_sum, whole.time_sum[3:7])


def test_side_by_side_copies_do_what_one_does():
    network = read((EXAMPLES / "regional.yaml").read_text("utf-8"))
    settings = settings_for(network, years=2, warmup_years=0.5, replications=20)

    one = outcome_of(run(network, settings))
    two = outcome_of(run(scaled_out(network, 2), settings))

    assert two["infused_per_year"] == pytest.approx(2 * one["infused_per_year"], rel=0.03)
    assert two["cost_per_infused"] == pytest.approx(one["cost_per_infused"], rel=0.02)


def test_larger_sites_pool_what_copies_keep_apart():
    text = """
network: pooled
clinics: {a: {}}
sites: {s: {resources: {unit: 2}, cost: 100 / day}}
classes: {patient: {arrivals: 1.6 / day}}
process: [{use: {resource: unit, time: {exponential: 1 day}}}]
"""
    network = read(text)
    settings = settings_for(network, years=4, warmup_years=0.5, replications=30)

    told = scale(network, settings, factors=(1, 2, 4))

    # M/M/2 at 0.8 waits 1.7778 services; M/M/8 at 0.8 waits 0.3196 (Erlang C).
    four = told["factors"]["4"]
    assert four["scale_out"]["vein_to_vein_days"]["mean"] == pytest.approx(1 + 1.7778, rel=0.03)
    assert four["scale_up"]["vein_to_vein_days"]["mean"] == pytest.approx(1 + 0.3196, rel=0.03)
    assert told["exponent_of_cost"]["scale_out"] == pytest.approx(1.0, abs=0.02)
    assert told["exponent_of_cost"]["scale_up"] == pytest.approx(0.6, abs=0.02)


def test_a_larger_network_keeps_its_unlimited_resources():
    network = read(
        "network: u\nclasses: {c: {arrivals: 1 per day}}\nresources: {d: unlimited}\n"
        "process: [{use: {resource: d, time: 1 day}}]\n"
    )

    assert scaled_up(network, 3).resources[0].capacity == network.resources[0].capacity
    with pytest.raises(Refused):
        scaled_out(network, 2)


def test_the_return_on_an_investment_is_what_is_gained_over_what_it_costs():
    slow = QUEUE.replace("process: [", "process: [{cost: {class: lost days, amount: 100}}, ")
    base = read(slow.replace("NAME", "base").replace("SERVERS", "2"))
    cheap = read(slow.replace("NAME", "cheap").replace("SERVERS", "2").replace("100", "60"))
    designs = [Design(name=one.name, network=one) for one in (base, cheap)]
    settings = settings_for(base, years=1, replications=10)
    per_year = 0.8 * 24 * 365.25

    told = compare(designs, settings, investments={"cheap": 10 * per_year})

    found = told["differences"]["cheap"]["return_on_investment"]
    assert found["return"] == pytest.approx(40 / 10 - 1, rel=0.03)
    assert found["ci95"][0] < found["return"] < found["ci95"][1]
    with pytest.raises(Refused):
        compare(designs, settings, investments={"cheep": 1.0})
