"""The kernel against SimPy from the same file: overlapping 95 % intervals on five statistics."""

import math
from pathlib import Path

import pytest
from tests.network import oracle

from anlage.network import read
from anlage.network.simulate import figures, outcome_of, run, settings_for

REFERENCE = Path(__file__).parents[2] / "examples" / "networks" / "reference.yaml"


def interval(values):
    mean = sum(values) / len(values)
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    half = 2.2 * sd / math.sqrt(len(values))  # Student's t for some ten replications
    return mean - half, mean + half


@pytest.fixture(scope="module")
def both():
    network = read(REFERENCE.read_text("utf-8"))
    settings = settings_for(network, years=3, warmup_years=1, replications=60, seed=3)
    made = run(network, settings)
    simpy = [oracle.replicate(network, years=2, warmup_years=0.75, seed=seed) for seed in range(12)]
    return outcome_of(made), figures(made), simpy


def test_vein_to_vein_time_agrees_with_simpy(both):
    found, _, simpy = both

    low, high = found["vein_to_vein_days"]["ci95"]
    other = interval([one.mean_time() for one in simpy])
    assert low < other[1]
    assert other[0] < high


def test_the_spread_of_times_agrees_with_simpy(both):
    found, _, simpy = both

    low, high = interval([one.sd_time() for one in simpy])
    assert low < found["vein_to_vein_days"]["sd"] < high


@pytest.mark.parametrize("outcome", ["withdrawn", "lost"])
def test_how_courses_end_agrees_with_simpy(both, outcome):
    found, _, simpy = both

    low, high = found[f"{outcome}_fraction_ci95"]
    other = interval([one.share(outcome) for one in simpy])
    assert low < other[1]
    assert other[0] < high


def test_the_wait_for_a_unit_agrees_with_simpy(both):
    found, _, simpy = both

    low, high = found["stages"]["manufacture"]["mean_wait_ci95"]
    other = interval([one.mean_wait("manufacture") for one in simpy])
    assert low < other[1]
    assert other[0] < high
