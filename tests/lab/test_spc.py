"""Control charts: published run lengths, each rule on its own, gates and capability."""

import json
import math

import numpy as np
import pytest
import statsmodels.api

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.spc import (
    Gate,
    Limits,
    capability,
    cusum,
    cusum_run_length,
    ewma,
    ewma_run_length,
    levey_jennings,
    nelson,
    out_of_trend,
    run_length_by_rules,
    shewhart_run_length,
    westgard,
)


# Montgomery, Introduction to Statistical Quality Control, 7th ed.: 370.4 and 43.9 (chapter 6),
# CUSUM k = 0.5 with h = 4 and 5 (table 9.3: 168, 465; one sd: 8.38, 10.4), EWMA (table 9.11).
@pytest.mark.parametrize(
    ("found", "published"),
    [
        (shewhart_run_length(0), 370.4),
        (shewhart_run_length(1), 43.9),
        (cusum_run_length(0, k=0.5, h=4), 168),
        (cusum_run_length(1, k=0.5, h=4), 8.38),
        (cusum_run_length(0, k=0.5, h=5), 465),
        (cusum_run_length(0.5, k=0.5, h=5), 38.0),
        (cusum_run_length(1, k=0.5, h=5), 10.4),
        (cusum_run_length(2, k=0.5, h=5), 4.01),
        (ewma_run_length(0, weight=0.1, width=2.814), 500),
        (ewma_run_length(0.5, weight=0.1, width=2.814), 31.3),
        (ewma_run_length(1, weight=0.1, width=2.814), 10.3),
        (ewma_run_length(0, weight=0.4, width=3.054), 500),
        (ewma_run_length(1, weight=0.4, width=3.054), 14.3),
        (ewma_run_length(0, weight=0.05, width=2.615), 500),
        (ewma_run_length(0.25, weight=0.05, width=2.615), 84.1),
    ],
)
def test_average_run_lengths_are_the_published_ones_to_a_percent(found, published):
    assert found == pytest.approx(published, rel=0.01)


def test_rules_of_the_western_electric_set_have_the_run_length_of_champ_and_woodall():
    """Technometrics 29 (1987): beyond 3 sd, or 2 of 3 beyond 2 sd: 225.44 in control."""
    found = run_length_by_rules([1, 5], 0.0, np.random.default_rng(0), runs=4000, length=1600)

    assert found == pytest.approx(225.44, rel=0.05)  # three standard errors of 4,000 runs


RULES = {
    1: [0, 0.5, 3.2],
    2: [0.2, 0.5, 0.1, 0.7, 0.3, 0.2, 0.6, 0.4, 0.1],
    3: [-0.5, -0.2, 0.1, 0.3, 0.6, 0.9],
    4: [0.5, -0.5] * 7,
    5: [2.2, 0.1, 2.3],
    6: [1.2, 1.3, 0.2, 1.5, 1.1],
    7: [0.2, -0.3, 0.5] * 5,
    8: [1.2, -1.3, 1.5, 1.1, -1.2, 1.4, -1.6, 1.3],
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_met_at_the_last_of_its_points_and_not_before(rule):
    z = np.array(RULES[rule])

    signals = nelson(z, [rule])

    assert [signal.point for signal in signals] == [len(z)]
    assert nelson(z[:-1], [rule]) == []
    broken = z.copy()
    broken[-1] = 0.01 if rule != 7 else 1.4
    assert nelson(broken, [rule]) == ([] if rule not in {2, 4} else nelson(broken, [rule]))


def test_a_side_that_changes_breaks_nine_in_a_row():
    z = np.array([0.2] * 8 + [-0.1] + [0.2] * 8)

    assert nelson(z, [2]) == []


def test_a_rule_without_a_number_is_refused():
    with pytest.raises(Refused):
        nelson(np.zeros(3), [9])


@pytest.mark.parametrize(
    ("runs", "rule", "gate"),
    [
        ([[0.1, 0.2]], None, Gate.ACCEPT),
        ([[2.5, 0.2]], "1_2s", Gate.WARN),
        ([[3.2, 0.2]], "1_3s", Gate.REJECT),
        ([[2.2, -2.1]], "R_4s", Gate.REJECT),
        ([[2.2, 2.1]], "2_2s", Gate.REJECT),
        ([[2.2, 0.0], [2.1, 0.0]], "2_2s", Gate.REJECT),
        ([[1.2, 0], [1.1, 0], [1.3, 0], [1.4, 0]], "4_1s", Gate.REJECT),
        ([[0.5, 0.4]] * 5, "10_x", Gate.REJECT),
        ([[math.nan, math.nan]], None, Gate.REJECT),
    ],
)
def test_a_run_is_gated_by_its_controls(runs, rule, gate):
    z = np.array(runs)

    verdict = levey_jennings(z)[-1]

    assert verdict.gate is gate
    if rule:
        assert rule in verdict.rules


def test_a_range_between_two_runs_is_no_r_4s():
    assert "R_4s" not in {s.rule for s in westgard(np.array([[2.2, 0.0], [0.0, -2.2]]))}


# Montgomery, table 9.1 and example 9.1: in-control mean 10, sd 1; the last ten shifted to 11.
CUSUM_DATA = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40,
    10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38,
    11.62, 11.31, 10.52,
]  # fmt: skip


def test_the_cusum_of_montgomerys_example_signals_at_observation_29():
    found = cusum(CUSUM_DATA, Limits(mean=10, sd=1), k=0.5, h=5)

    assert found.beyond[0] == 29
    assert found.high[28] == pytest.approx(5.28, abs=0.005)
    assert found.high[29] == pytest.approx(5.30, abs=0.005)


def test_the_ewma_of_montgomerys_example_signals_in_the_shifted_part():
    """Example 9.2: weight 0.10, width 2.7; limits 10.27 and 9.73 at the first point."""
    found = ewma(CUSUM_DATA, Limits(mean=10, sd=1), weight=0.1, width=2.7)

    assert found.beyond == (29, 30)
    assert (found.upper[0], found.lower[0]) == pytest.approx((10.27, 9.73), abs=1e-9)
    assert found.values[:3] == pytest.approx((9.945, 9.7495, 9.70355), abs=1e-9)
    assert found.upper[-1] == pytest.approx(10.62, abs=0.005)


def test_limits_of_individuals_come_from_the_moving_range():
    limits = Limits.from_individuals([10.0, 11.0, 9.0, 10.0])

    assert limits.mean == 10.0
    assert limits.sd == pytest.approx((1 + 2 + 1) / 3 / 1.1283791670955126)


def test_results_all_alike_are_refused():
    with pytest.raises(Refused) as refusal:
        Limits.from_individuals([5.0, 5.0, 5.0])

    assert refusal.value.code == "no-variation"


def test_capability_is_that_of_its_definition(rng):
    data = np.array([9.8, 10.1, 10.0, 9.9, 10.2, 10.1, 9.7, 10.2])

    found = capability(data, lower=9.0, upper=11.5)

    sd = data.std(ddof=1)
    assert found.pp == pytest.approx(2.5 / (6 * sd))
    assert found.ppk == pytest.approx((data.mean() - 9.0) / (3 * sd))
    assert found.ppk_low < found.ppk < found.ppk_high
    assert capability(data, lower=9.0, upper=None).pp is None


def test_out_of_trend_is_outside_the_prediction_interval_of_statsmodels():
    month = np.array([0.0, 3, 6, 9, 12, 18])
    value = np.array([100.0, 99.5, 98.8, 98.4, 97.7, 96.5])

    found = out_of_trend((month, value), ([24, 24], [95.3, 93.0]))

    oracle = statsmodels.api.OLS(value, statsmodels.api.add_constant(month)).fit()
    low, high = oracle.get_prediction([[1, 24]]).conf_int(obs=True)[0]
    assert (found[0].low, found[0].high) == pytest.approx((low, high), rel=1e-10)
    assert [item.is_out for item in found] == [False, True]


@pytest.mark.shared
def test_a_real_series_is_judged_by_the_command(shared_data, capsys):
    path = shared_data / "bioprocess_batch/process_improve/monitoring/rubber-colour.csv"

    assert main(["spc", str(path), "--lsl", "200", "--usl", "280", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["column"] == "Colour"
    assert found["observations"] == len(path.read_text().split()) - 1
    assert found["capability"]["ppk"] is not None
    assert main(["spc", str(path), "--gate", "--json"]) == (0 if found["in_control"] else 2)


def test_a_blank_in_a_series_is_named_with_its_line(tmp_path, capsys):
    table = tmp_path / "s.csv"
    table.write_text("day,value\n1,5\n2,\n3,6\n")

    assert main(["spc", str(table), "--json"]) == 2

    refused = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["code"], refused["line"]) == ("value-missing", 3)


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        ("yield,purity\n1,2\n2,3\n", [], "column-unclear"),
        ("name\na\nb\n", [], "column-unclear"),
        ("yield,purity\n1,2\n2,3\n", ["--column", "colour"], "column-missing"),
        ("value\n1\n2\n", ["--rules", "1,x"], "rule-unknown"),
    ],
)
def test_a_column_or_rule_is_never_guessed(tmp_path, capsys, content, words, code):
    table = tmp_path / "s.csv"
    table.write_text(content)

    assert main(["spc", str(table), *words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == code


def test_an_order_column_is_not_what_was_measured(tmp_path, capsys):
    table = tmp_path / "s.csv"
    table.write_text("day,Viability (%)\n1,90\n2,91\n3,89\n")

    assert main(["spc", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["column"] == "Viability (%)"


@pytest.mark.parametrize("baseline", ["-2", "0", "1", "9"])
def test_a_baseline_outside_the_series_is_refused(tmp_path, capsys, baseline):
    file = tmp_path / "series.csv"
    file.write_text("value\n" + "\n".join(str(n % 3) for n in range(8)) + "\n")

    code = main(["spc", str(file), "--baseline", baseline, "--json"])

    assert code == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "setting-out-of-range"
