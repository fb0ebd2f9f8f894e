"""Modes that stand in for each other, hours, weather, and cells that age while they wait."""

import math

import pytest

from anlage.network import check, read
from anlage.network.simulate import outcome_of, run, settings_for

DRONE = """
network: drone
clinics: {a: {at: [52.0, 5.0]}}
sites: {s: {at: [52.0, 5.1]}}
classes: {patient: {arrivals: 20 per day}}
resources: {desk: 100}
lanes:
  out:
    modes:
      drone: {time: 1 hour, OPTIONS, cost: 10}
      road: {time: 3 hours, cost: 100}
OUTAGE
process:
  - ship: out
"""


def found(options, outage="", **changes):
    text = DRONE.replace("OPTIONS", options).replace("OUTAGE", outage)
    network = read(text)
    return outcome_of(run(network, settings_for(network, years=1, replications=20, **changes)))


def test_road_takes_over_as_often_as_weather_grounds_the_drone():
    made = found("cancelled: 25 %, otherwise: road")

    hours = made["vein_to_vein_days"]["mean"] * 24
    assert hours == pytest.approx(0.75 * 1 + 0.25 * 3, rel=0.01)
    assert made["cost_per_infused"] == pytest.approx(0.75 * 10 + 0.25 * 100, rel=0.01)


def test_without_another_mode_the_cells_wait_a_day_for_better_weather():
    hours = found("cancelled: 25 %")["vein_to_vein_days"]["mean"] * 24

    assert hours == pytest.approx(1 + 24 * 0.25 / 0.75, rel=0.02)


def test_at_night_the_road_goes_and_by_day_the_drone():
    daylight = 'hours: {days: daily, from: "06:00", to: "18:00"}'

    both = found(f"{daylight}, otherwise: road")["vein_to_vein_days"]["mean"] * 24
    alone = found(daylight)["vein_to_vein_days"]["mean"] * 24

    assert both == pytest.approx(2.0, rel=0.01)
    # By night, half of the day, the wait for the morning is 6 hours on average.
    assert alone == pytest.approx(1 + 0.5 * 6, rel=0.01)


def test_a_storm_takes_out_one_mode_and_not_the_lane():
    outage = "outages: {storm: {of: out/drone, every: {exponential: 9 days}, lasts: 1 day}}"

    hours = found("otherwise: road", outage)["vein_to_vein_days"]["mean"] * 24
    waited = found("range: 60 km", outage)["vein_to_vein_days"]["mean"] * 24

    assert hours == pytest.approx(1 + 0.1 * 2, rel=0.03)
    assert waited == pytest.approx(1 + 0.1 * 12, rel=0.06)


def test_own_vehicles_are_those_of_the_mode_that_goes():
    text = DRONE.replace("OPTIONS", "otherwise: road, vehicles: craft, cancelled: 50 %")
    text = text.replace("OUTAGE", "").replace("desk: 100", "craft: 1000")

    network = read(text)
    busy = outcome_of(run(network, settings_for(network, years=1, replications=10)))
    busy = busy["resources"]["craft"]["mean_busy"]

    # Half of twenty a day fly, an hour there and an hour back.
    assert busy == pytest.approx(10 * 2 / 24, rel=0.02)


def test_the_other_mode_goes_while_every_vehicle_is_away_or_recalled():
    text = DRONE.replace("OPTIONS", "otherwise: road, vehicles: craft").replace(
        "desk: 100", "craft: 1"
    )
    recalled = "outages: {recall: {of: craft, every: {exponential: 100 days}, lasts: 100 days}}"

    away, out = (
        outcome_of(run(network, settings_for(network, years=2, replications=10)))
        for network in (read(text.replace("OUTAGE", one)) for one in ("", recalled))
    )

    # One craft, two hours for each flight, twenty ask a day: Erlang B with a load of 5/3.
    blocked = (5 / 3) / (1 + 5 / 3)
    hours = away["vein_to_vein_days"]["mean"] * 24
    assert hours == pytest.approx(1 + 2 * blocked, rel=0.02)
    assert away["resources"]["craft"]["mean_wait_days"] == 0.0
    assert out["vein_to_vein_days"]["mean"] * 24 > hours


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("otherwise: rood", "network-name-unknown", "road"),
        ('hours: {days: mon, from: "25:00", to: "26:00"}', "network-value-unreadable", "08:00"),
    ],
)
def test_a_mode_that_cannot_be_is_refused_with_a_remedy(options, code, said):
    problems = check(DRONE.replace("OPTIONS", options).replace("OUTAGE", "")).problems

    assert code in {problem.code for problem in problems}
    assert any(said in f"{problem.limit} {problem.remedy}" for problem in problems)
    assert all(problem.line for problem in problems)


KEPT = """
network: kept
classes: {patient: {arrivals: 1 per day}}
resources: {unit: 100}
preservation:
  cold: {loss: 10 % / day, hold_at_most: 5 days}
  bank: {step_loss: 20 %}
  lane: {loss: 50 % / day}
process:
  - viability: 90 %
  - keep: cold
  - wait: WAIT
  - MORE
"""


def viability(wait, more):
    network = read(KEPT.replace("WAIT", wait).replace("MORE", more))
    made = outcome_of(run(network, settings_for(network, years=1, replications=2)))
    return made["viability_at_infusion"]["mean"]


def test_cells_age_in_the_condition_they_are_kept_in_and_not_after_it():
    held = viability("2 days", "wait: 1 day")
    freed = viability("2 days", "keep: nothing\n  - wait: 30 days")
    frozen = viability("2 days", "keep: bank\n  - wait: 30 days")

    assert held == pytest.approx(0.9 * math.exp(-0.3))
    assert freed == pytest.approx(0.9 * math.exp(-0.2))
    assert frozen == pytest.approx(0.9 * math.exp(-0.2) * 0.8)


def test_cells_beyond_their_longest_time_are_dead_and_fail():
    network = read(
        KEPT.replace("WAIT", "6 days").replace("MORE", "fail: {viability_below: 70 %, cause: age}")
    )

    made = outcome_of(run(network, settings_for(network, years=1, replications=2)))

    assert made["lost_fraction"] == 1.0
    assert made["failures"]["age"]["per_patient"] == 1.0


def test_the_wait_for_a_unit_costs_viability():
    text = KEPT.replace("unit: 100", "unit: 1").replace("1 per day", "{every: 2 days, group: 2}")
    text = text.replace("WAIT", "{deterministic: 0 d}")
    text = text.replace("- MORE", "- use: {resource: unit, time: 1 day}\n  - keep: nothing")

    network = read(text)
    made = outcome_of(run(network, settings_for(network, years=1, replications=2)))

    # One of each pair waits a day for the other.
    mean = 0.9 * (math.exp(-0.1) + math.exp(-0.2)) / 2
    assert made["viability_at_infusion"]["mean"] == pytest.approx(mean, rel=1e-3)
