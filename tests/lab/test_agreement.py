"""Agreement of two methods: a published comparison, brute force, and what must hold anyway."""

import json
import math
from itertools import combinations

import numpy as np
import pytest
import statsmodels.api

from anlage.base import Refused
from anlage.cli import main
from anlage.lab.assay import agreement, predict_reference


@pytest.fixture
def rng():
    """One draw, since an interval of 95 % misses in one of twenty."""
    return np.random.default_rng(7)


# First readings of peak flow (L/min) by two meters, 17 persons: Bland and Altman, Lancet 1986,
# doi 10.1016/S0140-6736(86)90837-8, table 1.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_limits_are_those_of_the_published_comparison():
    found = agreement(MINI, LARGE)

    # The paper: mean -2.1, SD 38.8, limits -79.7 and 75.5 (two SD), bias -22.0 to 17.8.
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert (found.limit_high.value - found.bias.value) / 1.959964 == pytest.approx(38.8, abs=0.05)
    assert not found.is_constant_apart
    assert not found.is_factor_apart


def test_the_line_is_the_shifted_median_of_all_slopes(rng):
    x = rng.uniform(10, 100, 31)
    y = 3 + 1.2 * x + rng.normal(0, 4, 31)

    found = agreement(x.tolist(), y.tolist())

    slopes = sorted(
        (b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(zip(x, y, strict=True), 2)
    )
    shift = sum(one < -1 for one in slopes)
    half = len(slopes) // 2
    middle = (
        slopes[half + shift]
        if len(slopes) % 2
        else (slopes[half + shift - 1] + slopes[half + shift]) / 2
    )
    assert found.slope.value == pytest.approx(middle)
    assert found.slope.low < 1.2 < found.slope.high
    assert found.is_factor_apart


def test_the_line_does_not_mind_which_method_stands_on_which_axis(rng):
    x = rng.uniform(10, 100, 24)
    y = 1.1 * x + rng.normal(0, 3, 24)

    there, back = agreement(x.tolist(), y.tolist()), agreement(y.tolist(), x.tolist())

    assert there.slope.value * back.slope.value == pytest.approx(1, rel=0.01)
    assert there.bias.value == pytest.approx(-back.bias.value)


@pytest.mark.parametrize("as_ratio", [False, True])
def test_limits_hold_about_95_of_100_new_differences(rng, as_ratio):
    held = []
    for _ in range(60):
        truth = rng.uniform(50, 500, 60)
        noise = rng.normal(0, 0.1, (2, 60))
        pair = truth * np.exp(noise) if as_ratio else truth + 100 * noise
        found = agreement(*pair[:, :40].tolist(), as_ratio=as_ratio)
        apart = pair[1, 40:] / pair[0, 40:] if as_ratio else pair[1, 40:] - pair[0, 40:]
        held.append(np.mean((apart > found.limit_low.value) & (apart < found.limit_high.value)))

    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_a_prediction_agrees_with_statsmodels(rng):
    x = rng.uniform(10, 100, 20)
    y = 5 + 0.8 * x + rng.normal(0, 2, 20)

    (found, beyond) = predict_reference(y.tolist(), x.tolist(), [40.0, 400.0])

    fit = statsmodels.api.OLS(y, statsmodels.api.add_constant(x)).fit()
    oracle = fit.get_prediction([[1, 40.0]]).summary_frame(alpha=0.05)
    assert found.value == pytest.approx(oracle["mean"][0])
    assert (found.low, found.high) == pytest.approx(
        (oracle["obs_ci_lower"][0], oracle["obs_ci_upper"][0])
    )
    assert (found.is_extrapolated, beyond.is_extrapolated) == (False, True)


@pytest.mark.parametrize(
    ("bounds", "is_within"), [((-120, 120), True), ((-80, 80), False), ((None, None), None)]
)
def test_agreement_is_shown_by_the_limits_with_their_intervals(bounds, is_within):
    assert agreement(MINI, LARGE, low=bounds[0], high=bounds[1]).is_within is is_within


def test_a_difference_that_grows_is_told(rng):
    x = rng.uniform(10, 1000, 50)

    found = agreement(x.tolist(), (x * 1.3 + rng.normal(0, 5, 50)).tolist())

    assert found.trend.low > 0
    assert found.is_factor_apart


@pytest.mark.parametrize(
    ("reference", "method", "options", "code"),
    [
        ([1, 2, 3], [1, 2, 3], {}, "too-few-results"),
        (LARGE, MINI[:-1], {}, "pairs-unequal"),
        ([5] * 8, list(range(8)), {}, "results-all-alike"),
        (list(range(8)), list(range(8)), {"as_ratio": True}, "response-without-value"),
        (LARGE, MINI, {"low": 5.0}, "bounds-unreadable"),
        (LARGE, MINI, {"low": 5.0, "high": -5.0}, "bounds-unreadable"),
    ],
)
def test_what_cannot_be_compared_is_refused(reference, method, options, code):
    with pytest.raises(Refused) as caught:
        agreement(reference, method, **options)

    assert caught.value.code == code
    assert caught.value.problem.remedy


def test_equal_results_of_few_sizes_leave_no_infinite_figure():
    found = agreement([1, 1, 1, 2, 2, 2], [1, 2, 3, 1, 2, 3])

    shown = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert shown["pairs"] == 6


def test_the_command_says_plainly_whether_methods_agree(tmp_path, capsys):
    path = tmp_path / "pairs.csv"
    rows = "".join(f"S{k};{a};{b}\n" for k, (a, b) in enumerate(zip(MINI, LARGE, strict=True)))
    path.write_text(f"sample;reference;method\n{rows}")

    code = main(
        ["assay", "agreement", str(path), "--low", "-50", "--high", "50", "--at", "400", "--json"]
    )

    told = json.loads(capsys.readouterr().out)
    assert code == 2
    assert told["is_within"] is False
    assert told["bias"]["value"] == pytest.approx(-2.1, abs=0.05)
    assert told["predictions"][0]["low"] < 400 < told["predictions"][0]["high"]
    assert math.isclose(told["predictions"][0]["at"], 400)
