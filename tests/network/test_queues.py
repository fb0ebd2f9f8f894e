"""Textbook queues: the simulation against closed forms, by the command's own JSON."""

import math

import pytest

from anlage.network import read
from anlage.network.simulate import outcome_of, run, settings_for

TEN_LINES = """
network: mm2
classes:
  customer: {arrivals: {rate: 1.6 / hour}}            # Poisson
resources:
  desk: {capacity: 2}
process:
  - use: {resource: desk, time: {exponential: {mean: 1 hour}}}
"""


def simulated(text, *, years=2.0, warmup=0.25, replications=100, seed=5, workers=1):
    network = read(text)
    settings = settings_for(
        network,
        years=years,
        warmup_years=warmup,
        replications=replications,
        seed=seed,
        workers=workers,
    )
    return outcome_of(run(network, settings))


def erlang_c(servers, load):
    """Give the chance of waiting (Gross and others, Queueing Theory, section 3.3)."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    use = load / servers
    return blocked / (1 - use * (1 - blocked))


def test_the_ten_line_queue_gives_utilisation_and_wait_of_erlang_c():
    found = simulated(TEN_LINES)["resources"]["desk"]

    assert erlang_c(2, 1.6) == pytest.approx(0.7111, abs=1e-4)
    assert found["utilisation"] == pytest.approx(0.8, rel=0.005)
    assert found["mean_wait_days"] == pytest.approx(0.0740741, rel=0.025)
    assert found["mean_wait_ci95"][0] < 0.0740741 < found["mean_wait_ci95"][1]


@pytest.mark.parametrize(
    ("time", "mean", "scv"),
    [
        ("{deterministic: 30 min}", 0.5, 0.0),
        ("{uniform: {low: 0 min, high: 60 min}}", 0.5, 1 / 3),
        ("{triangular: {low: 0 min, mode: 30 min, high: 60 min}}", 0.5, 1 / 6),
        ("{lognormal: {mean: 30 min, sd: 30 min}}", 0.5, 1.0),
        ("{gamma: {mean: 30 min, sd: 15 min}}", 0.5, 0.25),
        ("{erlang: {shape: 2, mean: 30 min}}", 0.5, 0.5),
        ("{weibull: {shape: 1, scale: 30 min}}", 0.5, 1.0),
        ("{empirical: [20 min, 40 min]}", 0.5, 1 / 9),
        ("{empirical: {values: [20, 40], weights: [1, 1], unit: min}}", 0.5, 1 / 9),
        ("{pert: {low: 0 min, mode: 30 min, high: 60 min}}", 0.5, 1 / 7),
    ],
)
def test_a_single_server_waits_by_pollaczek_and_khinchine(time, mean, scv):
    text = TEN_LINES.replace("capacity: 2", "capacity: 1").replace(
        "{exponential: {mean: 1 hour}}", time
    )
    text = text.replace("1.6 / hour", "1.4 / hour")
    use = 1.4 * mean
    expected_days = use * mean * (1 + scv) / 2 / (1 - use) / 24

    found = simulated(text, replications=60)["resources"]["desk"]

    low, high = found["mean_wait_ci95"]
    slack = (high - low) / 4  # ten cases: a 99.9 % interval each
    assert found["utilisation"] == pytest.approx(use, rel=0.01)
    assert low - slack < expected_days < high + slack
    assert math.isclose(found["mean_wait_days"], expected_days, rel_tol=0.03)


def test_the_result_is_the_same_for_any_number_of_workers():
    results = [simulated(TEN_LINES, years=0.2, warmup=0.05, workers=n) for n in (1, 2, 8)]

    for result in results:
        for key in ("seconds", "workers", "events_per_second"):
            del result[key]
    assert results[0] == results[1] == results[2]
