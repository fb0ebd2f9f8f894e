"""Excursions: published vectors for reagents, time outside limits for cells."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.custody import (
    Band,
    ExcursionRule,
    Holds,
    Kinetic,
    Reading,
    Verdict,
    judge,
    mean_kinetic_temperature,
    rule_for,
    worst_kinetic,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def a_record(*celsius, minutes=15):
    return [Reading(START + timedelta(minutes=minutes * n), t) for n, t in enumerate(celsius)]


@pytest.mark.parametrize(
    ("celsius", "expected"),
    [
        ([20, 25, 30], 25.8582),
        ([5] * 23 + [15], 5.76355),
        ([2, 8, 8, 4, 25, 5], 13.12315),
    ],
)
def test_mean_kinetic_temperature_is_the_published_one(celsius, expected):
    # USP <1079.2>: 83.144 kJ/mol, 8.3144 J/(mol K).
    assert mean_kinetic_temperature(celsius) == pytest.approx(expected, abs=5e-5)


def test_the_worst_window_is_found():
    warm = a_record(*[5.0] * 48, *[15.0] * 24, *[5.0] * 48, minutes=60)

    assert worst_kinetic(warm, timedelta(hours=24)) == pytest.approx(15.0, abs=1e-6)


def test_cells_are_never_judged_by_mean_kinetic_temperature():
    with pytest.raises(Refused):
        ExcursionRule(
            id="x",
            product="x",
            valid_from=date(2026, 1, 1),
            holds=Holds.CELLS,
            bands=(Band(high=8, beyond=Verdict.REJECT, why="warm"),),
            kinetic=Kinetic(limit=8, window=timedelta(hours=24)),
        )


@pytest.mark.parametrize(
    ("celsius", "verdict"),
    [
        ([-190, -188, -189], Verdict.ACCEPT),
        ([-190, -149, -160, -189], Verdict.ACCEPT),
        ([-190, -149, -148, -147, -151, -189], Verdict.QUARANTINE),
        ([-190, -134.9, -160, -189], Verdict.REJECT),
    ],
)
def test_a_dry_shipper_is_judged_by_its_two_limits(celsius, verdict):
    assert judge(a_record(*celsius), rule_for("frozen-car-t")).verdict is verdict


def test_an_excursion_runs_to_the_first_reading_inside():
    judgement = judge(a_record(5, 9, 11, 10, 7), rule_for("apheresis-2-8"))

    (excursion,) = judgement.excursions
    assert excursion.start == START + timedelta(minutes=15)
    assert excursion.end == START + timedelta(minutes=60)
    assert (excursion.worst, excursion.is_open) == (11, False)
    assert judgement.verdict is Verdict.ACCEPT


def test_an_excursion_that_never_closes_is_open():
    assert judge(a_record(5, 9, 11), rule_for("apheresis-2-8")).excursions[0].is_open


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ([*a_record(5, 5, 5, 5), Reading(START + timedelta(hours=6), 5.0)], "gap"),
        (a_record(5, None, 5.1), "sensor-lost"),
        (a_record(*[5.0] * 100), "sensor-stuck"),
    ],
)
def test_time_that_nobody_measured_is_never_accepted(record, code):
    judgement = judge(record, rule_for("apheresis-2-8"))

    assert [problem.code for problem in judgement.problems] == [code]
    assert judgement.verdict is Verdict.QUARANTINE


def test_a_product_without_a_rule_is_refused():
    with pytest.raises(Refused):
        rule_for("no-such-product")


@settings(deadline=None)
@given(st.lists(st.floats(-200, 60), min_size=1, max_size=40), st.floats(0.1, 20))
def test_a_warmer_record_is_never_judged_better(celsius, warmer):
    rule = rule_for("frozen-car-t")
    order = [Verdict.ACCEPT, Verdict.QUARANTINE, Verdict.REJECT]

    before = judge(a_record(*celsius), rule).verdict
    after = judge(a_record(*(t + warmer for t in celsius)), rule).verdict

    assert order.index(after) >= order.index(before)
