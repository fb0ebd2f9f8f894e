"""Quantities, counts and validation figures against closed forms, SciPy and statsmodels."""

import json
import math

import numpy as np
import pytest
import scipy.stats
import statsmodels.api
import statsmodels.formula.api as formula
from statsmodels.stats.weightstats import ttost_ind

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.assay import (
    Partitions,
    bridge,
    copies_per_partition,
    copies_per_ul,
    detection_limits,
    digital_plate,
    equivalence,
    limiting_dilution,
    precision,
    qpcr_curve,
    qpcr_plate,
    read_reader_file,
    specific_lysis,
    standard_curve,
    vector_copy_number,
)


def test_partitions_follow_poisson_with_exact_ends():
    found = copies_per_partition(Partitions(positives=4500, total=15000))

    ends = scipy.stats.binomtest(4500, 15000).proportion_ci(method="exact")
    assert found.value == pytest.approx(-math.log(0.7))
    assert (found.low, found.high) == pytest.approx(
        (-math.log(1 - ends.low), -math.log(1 - ends.high)), rel=1e-9
    )
    per_ul = copies_per_ul(Partitions(positives=4500, total=15000))
    assert per_ul.value == pytest.approx(-math.log(0.7) / 0.85e-3)


@pytest.mark.parametrize(("k", "qualifier"), [(0, ""), (100, ">")])
def test_no_positive_is_a_zero_with_an_upper_end_and_all_positive_only_a_bound(k, qualifier):
    found = copies_per_partition(Partitions(positives=k, total=100))

    assert found.qualifier == qualifier
    assert (found.low == 0.0) if k == 0 else (found.high is None and found.low > 3)


def test_vector_copies_are_a_ratio_of_poisson_means_that_covers_as_it_says():
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(400):
        vector = Partitions(positives=int(rng.binomial(15000, -math.expm1(-0.3))), total=15000)
        genome = Partitions(positives=int(rng.binomial(15000, -math.expm1(-0.2))), total=15000)
        found = vector_copy_number(vector, genome)
        hits += found.low <= 3.0 <= found.high

    assert 0.92 <= hits / 400 <= 0.98
    assert vector_copy_number(vector, genome, transduced_percent=50).value == pytest.approx(
        2 * vector_copy_number(vector, genome).value
    )


@pytest.mark.parametrize("counts", [(5, 3), (-1, 10), (0, 0)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(Refused):
        Partitions(positives=counts[0], total=counts[1])


def test_limiting_dilution_agrees_with_statsmodels():
    dose, wells, positive = [30, 10, 3, 1], [24, 24, 24, 24], [23, 16, 7, 2]

    found = limiting_dilution(dose, wells, positive)

    outcome = np.column_stack([positive, np.subtract(wells, positive)])
    oracle = statsmodels.api.GLM(
        outcome,
        np.ones((4, 1)),
        family=statsmodels.api.families.Binomial(statsmodels.api.families.links.CLogLog()),
        offset=np.log(dose),
    ).fit()
    assert found.one_in == pytest.approx(math.exp(-oracle.params[0]), rel=1e-8)
    low, high = oracle.conf_int()[0]
    assert (found.low, found.high) == pytest.approx((math.exp(-high), math.exp(-low)), rel=1e-6)
    assert found.deviance == pytest.approx(oracle.deviance, rel=1e-8)
    free = statsmodels.api.GLM(
        outcome,
        np.column_stack([np.ones(4), np.log(dose)]),
        family=statsmodels.api.families.Binomial(statsmodels.api.families.links.CLogLog()),
    ).fit()
    assert found.slope == pytest.approx(free.params[1], rel=1e-5)


def test_wells_all_alike_give_one_bound():
    """None of 30 wells at 1,000 cells: the rule of three, 1 in 30,000/ln 20 at most."""
    none = limiting_dilution([1000], [30], [0])
    every = limiting_dilution([1000], [30], [30])

    assert none.low == pytest.approx(30_000 / math.log(20))
    assert none.high is None
    assert every.high == pytest.approx(1000 / -math.log(1 - 0.05 ** (1 / 30)), rel=1e-9)


def test_a_qpcr_curve_of_perfect_doubling_has_an_efficiency_of_100_percent():
    copies = [1e2, 1e3, 1e4, 1e5, 1e6]
    cq = [
        38 - math.log2(c) + d for c, d in zip(copies, (0.01, -0.02, 0.0, 0.02, -0.01), strict=True)
    ]

    found = qpcr_curve(copies, cq)

    assert found.efficiency == pytest.approx(100, abs=1)
    assert found.efficiency_low < 100 < found.efficiency_high
    assert found.copies([38 - math.log2(5000)]).value == pytest.approx(5000, rel=0.03)
    assert found.copies([40.0]).qualifier == "<"


def test_a_standard_curve_reads_back_what_it_was_made_of():
    rng = np.random.default_rng(2)
    dose = np.repeat([0, 5, 10, 20, 40, 80, 160, 320], 3)
    signal = 0.1 + 2.0 * dose**1.2 / (60**1.2 + dose**1.2) + rng.normal(0, 0.01, len(dose))
    curve = standard_curve(dose.tolist(), signal.tolist())

    hits = 0
    for _ in range(300):
        at = 0.1 + 2.0 * 50**1.2 / (60**1.2 + 50**1.2) + rng.normal(0, 0.01, 2)
        found = curve.read(at.tolist())
        hits += found.low <= 50 <= found.high

    assert hits / 300 > 0.9
    assert all(80 < share < 120 for _, share in curve.recovery)


def test_detection_limits_are_those_of_the_guideline():
    x, y = [0.0, 1, 2, 3, 4, 5], [0.02, 1.05, 1.96, 3.04, 3.99, 5.01]

    found = detection_limits(x, y)

    oracle = statsmodels.api.OLS(y, statsmodels.api.add_constant(x)).fit()
    assert found.detection["residual"] == pytest.approx(
        3.3 * math.sqrt(oracle.mse_resid) / oracle.params[1], rel=1e-10
    )
    assert found.quantitation["intercept"] == pytest.approx(
        10 * oracle.bse[0] / oracle.params[1], rel=1e-10
    )


def test_specific_lysis_needs_a_window():
    assert specific_lysis(60, 20, 120) == pytest.approx(40)
    with pytest.raises(Refused):
        specific_lysis(60, 120, 120)


@pytest.mark.filterwarnings("ignore")
def test_precision_agrees_with_the_variance_components_of_statsmodels():
    rng = np.random.default_rng(9)
    runs = np.repeat(list("abcdef"), 3)
    values = 100 + np.repeat(rng.normal(0, 3, 6), 3) + rng.normal(0, 1.5, 18)

    found = precision(100, values.tolist(), runs.tolist())

    import pandas

    oracle = formula.mixedlm(
        "value ~ 1", pandas.DataFrame({"value": values, "run": runs}), groups="run"
    ).fit(reml=True)
    mean = values.mean()
    assert found.repeatability_cv == pytest.approx(100 * math.sqrt(oracle.scale) / mean, rel=1e-4)
    assert found.between_cv == pytest.approx(
        100 * math.sqrt(float(oracle.cov_re.iloc[0, 0])) / mean, rel=1e-3
    )
    assert found.total_error_low < found.bias_low < found.bias_percent < found.bias_high


@pytest.mark.parametrize("equal", [True, False])
def test_transfer_agrees_with_the_two_one_sided_tests_of_statsmodels(equal):
    rng = np.random.default_rng(4)
    first, second = rng.normal(100, 2, 10), rng.normal(100.5, 3, 12)

    found = equivalence(first, second, low=-3, high=3, equal_variances=equal)

    p, *_ = ttost_ind(second, first, -3, 3, usevar="pooled" if equal else "unequal")
    assert found.p == pytest.approx(p, rel=1e-9)
    assert found.is_equivalent == (p < 0.05)


def test_a_ratio_is_compared_on_the_log_scale():
    found = equivalence(
        [1.0, 1.1, 0.9, 1.0], [1.05, 1.0, 1.1, 0.95], low=0.8, high=1.25, as_ratio=True
    )

    assert found.is_equivalent
    assert found.bound_low == pytest.approx(0.8)


def test_a_new_reference_is_valued_by_the_geometric_mean():
    found = bridge(1000, [0.98, 1.02, 1.00, 0.99])

    ln = np.log([0.98, 1.02, 1.00, 0.99])
    low, high = scipy.stats.t.interval(0.90, 3, ln.mean(), scipy.stats.sem(ln))
    assert found.value == pytest.approx(1000 * math.exp(ln.mean()))
    assert (found.low, found.high) == pytest.approx((1000 * math.exp(low), 1000 * math.exp(high)))
    assert found.is_within


COMMANDS = {
    "dpcr": (
        "Well,Sample,Target,Positives,AcceptedDroplets\nA01,S1,VEC,3000,15000\nA01,S1,RPP30,2500,15000\n",
        ["--vector", "vec", "--genome", "RPP30", "--transduced", "40"],
        lambda d: d["samples"][0]["vector_copy_number"]["value"],
        2 / 0.4 * math.log(0.8) / math.log(12500 / 15000),
    ),
    "dilution": (
        "dose,wells,positives\n30,24,23\n10,24,16\n3,24,7\n1,24,2\n", [],
        lambda d: d["samples"][0]["one_in"], limiting_dilution([30, 10, 3, 1], [24] * 4, [23, 16, 7, 2]).one_in,
    ),
    "limits": ("dose,response\n0,0.02\n1,1.05\n2,1.96\n3,3.04\n", [], lambda d: d["slope"], 0.997),
    "validate": (
        "nominal,value,run\n10,9.9,a\n10,10.2,a\n10,10.1,b\n10,9.8,b\n", [],
        lambda d: d["levels"][0]["bias_percent"], 0.0,
    ),
    "transfer": (
        "site,value\nA,10\nA,10.1\nA,9.9\nB,10.1\nB,10\nB,9.9\n", ["--low", "-1", "--high", "1"],
        lambda d: d["difference"], 0.0,
    ),
    "combine": (
        "relative_potency,ln_standard_error,df\n0.9,0.05,20\n1.1,0.1,20\n", [],
        lambda d: d["relative_potency"], math.exp((math.log(0.9) * 400 + math.log(1.1) * 100) / 500),
    ),
    "killing": (
        "sample,ratio,signal\nspontaneous,,20\nmaximum,,120\nCAR,10:1,90\nCAR,1:1,40\n", [],
        lambda d: d["samples"][0]["points"][1]["lysis_percent"], 70,
    ),
    "bridge": (
        "relative_potency\n0.98\n1.02\n1.0\n", ["--assigned", "500"],
        lambda d: d["assigned_value"], 500 * (0.98 * 1.02) ** (1 / 3),
    ),
    "qpcr": (
        "Well,Sample Name,Target Name,CT,Quantity\n"
        + "".join(f"A{k},STD,T,{30 - 3.3219 * k + d},{10**(k + 1)}\n" for k, d in ((1, .01), (2, -.01), (3, 0), (4, .01)))
        + "B1,U,T,23.356,\nB2,N,T,Undetermined,\n", [],
        lambda d: d["targets"][0]["results"][0]["value"], 1000,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_gives_its_figure(tmp_path, capsys, name):
    content, words, pick, expected = COMMANDS[name]
    path = tmp_path / f"{name}.csv"
    path.write_text(content)

    assert main(["assay", name, str(path), *words, "--json"]) == 0
    assert pick(json.loads(capsys.readouterr().out)) == pytest.approx(expected, rel=0.02, abs=1e-9)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_refuses_a_table_of_another_kind(tmp_path, capsys, name):
    path = tmp_path / "other.csv"
    path.write_text("apples,pears\n1,2\n3,\n")

    assert main(["assay", name, str(path), *COMMANDS[name][1], "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["remedy"]


def test_a_quantity_the_instrument_computed_makes_no_standard(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text(
        "Well Position,Sample Name,Target Name,Task,CT,Quantity\n"
        "A1,S1,WPRE,STANDARD,17.0,1000000\nA2,S2,WPRE,STANDARD,20.3,100000\n"
        "A3,S3,WPRE,Std-3,23.6,10000\nA4,S4,WPRE,STANDARD,26.9,1000\n"
        "A5,U1,WPRE,UNKNOWN,22.0,99999\nA6,NTC,WPRE,NTC,Undetermined,\n"
    )

    (found,) = qpcr_plate(read_reader_file(path))

    assert len(found.standards) == 4
    assert found.curve.slope == pytest.approx(-3.3)
    assert [one.sample for one in found.samples] == ["U1", "NTC"]
    assert found.samples[0].copies.value == pytest.approx(10 ** (6 - 5 / 3.3))


def test_a_sample_without_one_target_is_named(tmp_path):
    path = tmp_path / "drops.csv"
    path.write_text(
        "Well,Sample,Target,Positives,AcceptedDroplets\nA01,S1,VEC,3000,15000\n"
        "A01,S1,RPP30,2500,15000\nB01,S2,VEC,3000,15000\n"
    )

    found = digital_plate(read_reader_file(path), vector="vec", genome="RPP30")

    assert list(found.vector_copies) == ["S1"]
    assert found.refused["S2"].code == "target-missing"
    assert "RPP30" in str(found.refused["S2"])


def test_wells_that_the_export_merged_are_not_counted_twice(tmp_path):
    path = tmp_path / "drops.csv"
    rows = "A01,S1,VEC,3000,15000\nB01,S1,VEC,3100,15000\n"
    path.write_text(f"Well,Sample,Target,Positives,AcceptedDroplets\n{rows}M01,S1,VEC,6100,30000\n")

    found = digital_plate(read_reader_file(path))

    expected = copies_per_ul(Partitions(positives=6100, total=30000))
    assert found.copies_per_ul["S1", "VEC"] == expected


def test_nan_in_the_cq_column_is_not_detected(tmp_path):
    path = tmp_path / "cfx.csv"
    path.write_text("Well,Target,Content,Sample,Cq\nA01,WPRE,Unkn-1,S1,23.4\nA02,WPRE,NTC,N,NaN\n")

    found = read_reader_file(path)

    assert found.accepted == 2
    assert found.readings[1].qualifier == "not detected"


def test_partitions_of_a_nanoplate_need_their_volume(tmp_path, capsys):
    """0.85 nL is the droplet of Bio-Rad's QX; the volume in a QIAcuity is that of its plate."""
    path = tmp_path / "qiacuity.csv"
    path.write_text(
        "sep=,\nPlate name,Well,Sample,Target,Conc. [copies/µL],Partitions (valid),"
        "Partitions (positive),Partitions (negative)\n"
        "P1,A1,S1,WPRE,512.3,25400,9000,16400\nP1,A1,S1,RPP30,800.3,25400,13000,12400\n"
    )

    assert main(["assay", "dpcr", str(path), "--json"]) == 2
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert refused["code"] == "partition-volume-missing"

    words = ["--droplet-nl", "0.34", "--vector", "wpre", "--genome", "rpp30", "--json"]
    assert main(["assay", "dpcr", str(path), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dialect"] == "QIAcuity dPCR"
    copies = [-math.log(1 - k / 25400) for k in (9000, 13000)]
    assert [one["copies_per_ul"]["value"] for one in found["wells"]] == pytest.approx(
        [1000 * one / 0.34 for one in copies], rel=1e-9
    )
    ratio = found["samples"][0]["vector_copy_number"]["value"]
    assert ratio == pytest.approx(2 * copies[0] / copies[1], rel=1e-9)


@pytest.mark.parametrize(
    ("words", "text", "lines"),
    [
        (["combine"], "relative_potency,ln_standard_error,df\n1,0,9\n1.1,0.02,9\n", [2]),
        (["combine"], "relative_potency,ln_standard_error,df\n1,0.02,9\n1.1,-0.02,9\n", [3]),
        (["combine"], "relative_potency,ln_standard_error,df\n1,0.02,0\n1.1,0.02,-3\n", [2, 3]),
        (["bridge", "--assigned", "100"], "relative_potency\n1.1\n0\n", [3]),
        (["dilution"], "dose,wells,positives\n1000,10.5,3\n100,10,2\n", [2]),
        (["dilution"], "dose,wells,positives\n1000,10,3\n100,10,11\n", [3]),
        (["dilution"], "dose,wells,positives\n1000,10,3\n0,10,1\n", [3]),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path, capsys, words, text, lines):
    table = tmp_path / "t.csv"
    table.write_text(text)

    assert main(["assay", words[0], str(table), *words[1:], "--json"]) == 2

    assert [p["line"] for p in json.loads(capsys.readouterr().out)["problems"]] == lines


def test_a_level_with_too_few_results_does_not_hide_the_others(tmp_path, capsys):
    table = tmp_path / "levels.csv"
    table.write_text("nominal,value,run\n50,51,a\n50,52,a\n50,49,b\n50,48,b\n100,101,a\n100,99,b\n")

    assert main(["assay", "validate", str(table), "--json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert [(one["nominal"], one["bias_percent"]) for one in found["levels"]] == [(50, 0)]
    assert [p["found"] for p in found["problems"]] == ["2 results at nominal 100"]


def test_fewer_effectors_than_targets_are_a_ratio_below_one(tmp_path, capsys):
    table = tmp_path / "killing.csv"
    rows = "spontaneous,,100\nmaximum,,1000\nA,10:1,820\nA,1,460\nA,1:4,190\n"
    table.write_text("sample,ratio,signal\n" + rows)

    assert main(["assay", "killing", str(table), "--json"]) == 0

    points = json.loads(capsys.readouterr().out)["samples"][0]["points"]
    assert [(p["ratio"], p["lysis_percent"]) for p in points] == [(0.25, 10), (1, 40), (10, 80)]


def test_a_new_lot_is_valued_alike_by_shares_and_percents(tmp_path, capsys):
    found = []
    for text in ("relative_potency\n1.0\n1.05\n0.98\n", "relative_potency (%)\n100\n105\n98\n"):
        table = tmp_path / "lots.csv"
        table.write_text(text)
        assert main(["assay", "bridge", str(table), "--assigned", "1000", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["assigned_value"])

    assert found[0] == pytest.approx(found[1], rel=1e-12)
    words = ["--assigned", "1000", "--low", "1.1", "--high", "0.9", "--json"]
    assert main(["assay", "bridge", str(table), *words]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "bounds-unreadable"
