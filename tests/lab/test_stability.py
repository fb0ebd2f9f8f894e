"""Shelf life: the worked example, poolability against statsmodels, caps and the mixed model."""

import json

import numpy as np
import pandas
import pytest
import scipy.stats
import statsmodels.api
import statsmodels.formula.api as formula
from statsmodels.stats.anova import anova_lm

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.stability import (
    Side,
    Storage,
    Study,
    cap_months,
    mixed_shelf_life,
    shelf_life,
)

MONTHS = (0, 3, 6, 9, 12, 18, 24)
ASSAY = (99.8, 99.1, 98.6, 97.9, 97.4, 96.2, 95.0)


def study(rng, *, slopes, starts, sd=0.15) -> Study:
    month = np.tile(MONTHS, len(slopes)).astype(float)
    names = np.repeat([f"B{k}" for k in range(len(slopes))], len(MONTHS))
    value = np.repeat(starts, len(MONTHS)) + np.repeat(slopes, len(MONTHS)) * month
    return Study(
        batch=tuple(names.tolist()), month=month, value=value + rng.normal(0, sd, len(month))
    )


def frame(data: Study) -> pandas.DataFrame:
    return pandas.DataFrame({"batch": data.batch, "month": data.month, "value": data.value})


def test_one_batch_gives_the_crossing_of_the_worked_example(tmp_path, capsys):
    """Slope, intercept and crossing from R's lm and predict."""
    table = tmp_path / "s.csv"
    rows = [f"A,{m},{v}" for m, v in zip(MONTHS, ASSAY, strict=True)]
    table.write_text("batch,month,value\n" + "\n".join(rows) + "\n")

    words = ["stability", str(table), "--limit", "93", "--side", "lower", "--json"]
    assert main(words) == 0

    found = json.loads(capsys.readouterr().out)
    assert round(found["crossing_months"], 2) == 33.49
    assert (found["shelf_life_months"], found["cap_months"]) == (33, 36)
    assert (round(found["slope"], 6), round(found["intercept"], 4)) == (-0.198004, 99.7509)
    assert found["model"] == "single-batch"


def test_at_the_crossing_the_one_sided_limit_of_statsmodels_is_the_acceptance_limit():
    data = Study(batch=("A",) * 7, month=np.array(MONTHS, dtype=float), value=np.array(ASSAY))

    found = shelf_life(data, limit=93)

    oracle = statsmodels.api.OLS(data.value, statsmodels.api.add_constant(data.month)).fit()
    at = oracle.get_prediction([[1, found.crossing]]).conf_int(alpha=0.10)
    assert at[0][0] == pytest.approx(93, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_poolability_agrees_with_the_analysis_of_covariance_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    data = study(rng, slopes=[-0.2, -0.21, -0.22], starts=[100, 100.1, 99.9])

    found = shelf_life(data, limit=90)

    models = [
        formula.ols(f"value ~ {terms}", frame(data)).fit()
        for terms in ("month", "month + C(batch)", "month * C(batch)")
    ]
    table = anova_lm(*models)  # its F stands on the full model; its p on each row's freedom
    df = table["df_resid"][2]
    p_intercepts = scipy.stats.f.sf(table["F"][1], 2, df)
    assert found.p_intercepts == pytest.approx(p_intercepts, rel=1e-9)
    assert found.p_slopes == pytest.approx(table["Pr(>F)"][2], rel=1e-9)
    if found.p_slopes < 0.25:
        assert found.model == "separate"
    else:
        assert found.model == ("common-slope" if found.p_intercepts < 0.25 else "pooled")


@pytest.mark.parametrize(
    ("slopes", "starts", "model", "worst"),
    [
        ([-0.2, -0.2, -0.5], [100, 100, 100], "separate", "B2"),
        ([-0.2, -0.2, -0.2], [100, 97, 99], "common-slope", "B1"),
    ],
)
def test_batches_that_differ_are_judged_by_the_worst(slopes, starts, model, worst):
    data = study(np.random.default_rng(4), slopes=slopes, starts=starts, sd=0.01)

    found = shelf_life(data, limit=90, storage=None)

    assert (found.model, found.worst) == (model, worst)
    terms = {"separate": "month * C(batch)", "common-slope": "month + C(batch)"}[model]
    oracle = formula.ols(f"value ~ {terms}", frame(data)).fit()
    row = pandas.DataFrame({"batch": [worst], "month": [found.crossing]})
    assert oracle.get_prediction(row).conf_int(alpha=0.10)[0][0] == pytest.approx(90, abs=1e-7)


def test_batches_alike_are_pooled():
    rng = np.random.default_rng(0)
    one = study(rng, slopes=[-0.2], starts=[100])
    data = Study(
        batch=("A",) * 7 + ("B",) * 7,
        month=np.tile(one.month, 2),
        value=np.concatenate([one.value, one.value + 1e-6]),
    )

    assert shelf_life(data, limit=90).model == "pooled"


def test_an_upper_limit_mirrors_a_lower_one_and_both_take_two_sided_limits():
    data = Study(batch=("A",) * 7, month=np.array(MONTHS, dtype=float), value=np.array(ASSAY))
    mirror = Study(batch=data.batch, month=data.month, value=-data.value)

    lower = shelf_life(data, limit=93)
    upper = shelf_life(mirror, limit=-93, side=Side.UPPER)
    both = shelf_life(data, limit=93, upper=105, side=Side.BOTH)

    assert upper.crossing == pytest.approx(lower.crossing, rel=1e-12)
    assert both.crossing < lower.crossing


@pytest.mark.parametrize(
    ("storage", "change", "cap"),
    [
        (Storage.ROOM, False, 36),
        (Storage.ROOM, True, 30),
        (Storage.REFRIGERATED, False, 30),
        (Storage.REFRIGERATED, True, 24),
        (Storage.FROZEN, False, 24),
        (None, False, None),
    ],
)
def test_a_shelf_life_runs_no_further_past_the_data_than_q1e_allows(storage, change, cap):
    assert cap_months(24, storage, significant_change=change) == cap


def test_short_data_are_capped_at_twice_their_length():
    assert cap_months(6, Storage.ROOM) == 12


def test_a_product_that_fails_at_once_has_no_shelf_life():
    data = Study(batch=("A",) * 7, month=np.array(MONTHS, dtype=float), value=np.array(ASSAY))

    found = shelf_life(data, limit=99.9)

    assert (found.crossing, found.months) == (0.0, None)


def test_a_product_that_improves_never_crosses_and_the_cap_decides():
    value = 100 + 0.1 * np.array(MONTHS) + np.array([0.01, -0.01, 0.02, -0.02, 0.01, 0.0, -0.01])
    data = Study(batch=("A",) * 7, month=np.array(MONTHS, dtype=float), value=value)

    found = shelf_life(data, limit=95)

    assert (found.crossing, found.months) == (None, 36)


@pytest.mark.filterwarnings("ignore")
def test_the_mixed_model_agrees_with_statsmodels_reml():
    rng = np.random.default_rng(8)
    data = study(
        rng,
        slopes=rng.normal(-0.2, 0.05, 8),
        starts=rng.normal(100, 0.6, 8),
        sd=0.2,
    )

    found = mixed_shelf_life(data, limit=90, storage=None)

    oracle = formula.mixedlm("value ~ month", frame(data), groups="batch", re_formula="~month").fit(
        reml=True, method="lbfgs"
    )
    assert found.lines[0].slope == pytest.approx(oracle.fe_params["month"], rel=1e-5)
    assert found.residual_sd**2 == pytest.approx(oracle.scale, rel=1e-3)
    assert found.lines[0].covariance[1, 1] == pytest.approx(
        oracle.cov_params().loc["month", "month"], rel=2e-3
    )
    assert found.next_batch_crossing < found.crossing


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("batch,month,value\nA,0,\nA,3,99\nA,6,98\n", "value-missing", 2),
        ("batch,month,value\nA,-1,99\nA,3,99\nA,6,98\n", "month-negative", 2),
        ("batch,month,value\nA,0,100\nA,3,99\n", "too-few-observations", None),
        ("batch,month,value\nA,0,100\nA,3,99\nB,6,98\n", "too-few-observations", None),
        ("batch,month,value\n,0,100\nA,3,99\nA,6,98\n", "value-missing", 2),
    ],
)
def test_a_study_that_cannot_be_judged_is_refused(tmp_path, capsys, content, code, line):
    table = tmp_path / "s.csv"
    table.write_text(content)

    assert main(["stability", str(table), "--limit", "90", "--json"]) == 2

    refused = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["code"], refused["line"]) == (code, line)


def test_a_new_result_is_held_against_the_trend_of_earlier_batches(tmp_path, capsys):
    table, new = tmp_path / "s.csv", tmp_path / "n.csv"
    rows = [f"A,{m},{v}" for m, v in zip(MONTHS, ASSAY, strict=True)]
    table.write_text("batch,month,value\n" + "\n".join(rows) + "\n")
    new.write_text("batch,month,value\nB,6,98.6\nB,9,96.0\nB,12,97.4\n")

    assert main(["stability", str(table), "--limit", "93", "--new", str(new), "--json"]) == 2

    judged = json.loads(capsys.readouterr().out)["out_of_trend"]
    assert [item["out"] for item in judged] == [False, True, False]


def test_the_mixed_model_needs_three_batches():
    data = study(np.random.default_rng(1), slopes=[-0.2, -0.3], starts=[100, 100])

    with pytest.raises(Refused) as refusal:
        mixed_shelf_life(data, limit=90)

    assert refusal.value.code == "too-few-batches"


def test_limits_in_the_wrong_order_are_refused():
    data = Study(batch=("A",) * 7, month=np.array(MONTHS, dtype=float), value=np.array(ASSAY))

    with pytest.raises(Refused) as refusal:
        shelf_life(data, limit=95.0, side=Side.BOTH, upper=94.0)

    assert refusal.value.code == "setting-out-of-range"


def test_results_that_stay_as_they_are_never_cross():
    data = Study(
        batch=("A",) * 5, month=np.array([0.0, 3.0, 6.0, 9.0, 12.0]), value=np.full(5, 98.0)
    )

    found = shelf_life(data, limit=95.0)

    assert (found.crossing, found.months) == (None, 24)
