"""Relative potency: published values, coverage, plates, and assays that must be refused."""

import json
import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import statsmodels.api

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.assay import Bounds, Wells, combine, fieller, read_wells, relative_potencies

DOSES = (0.5, 1, 2, 4, 8, 16, 32, 64)
REFERENCE = (0.1094, 0.1432, 0.2510, 0.4880, 0.8415, 1.2010, 1.4460, 1.5610)
TEST = (0.1189, 0.1764, 0.3380, 0.6300, 1.0260, 1.3420, 1.5180, 1.5930)


def wells(samples: dict[str, tuple], doses=DOSES, plate: str = "") -> Wells:
    rows = [(n, d, y) for n, ys in samples.items() for d, y in zip(doses, ys, strict=True)]
    return Wells(
        sample=tuple(r[0] for r in rows),
        dose=np.array([r[1] for r in rows], dtype=float),
        response=np.array([r[2] for r in rows], dtype=float),
        plate=(plate,) * len(rows),
    )


@pytest.fixture
def example(tmp_path):
    table = tmp_path / "assay.csv"
    lines = [f"reference,{d},{y}" for d, y in zip(DOSES, REFERENCE, strict=True)]
    lines += [f"test,{d},{y}" for d, y in zip(DOSES, TEST, strict=True)]
    table.write_text("sample,dose,response\n" + "\n".join(lines) + "\n")
    return table


def test_the_four_parameter_example_gives_every_digit_of_r_nls(example, capsys):
    """Values by R's nls on the joint model (Student's t on 11 degrees of freedom)."""
    assert main(["assay", "potency", str(example), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert round(found["relative_potency"], 6) == 1.380798
    assert (round(found["ci_low"], 6), round(found["ci_high"], 6)) == (1.355613, 1.406450)
    assert found["residual_sum_of_squares"] == pytest.approx(3.286691e-4, rel=2e-7)
    assert found["free_residual_sum_of_squares"] == pytest.approx(1.626068e-4, rel=4e-7)
    test = found["parallelism"]["f_test"]
    assert (test["df1"], test["df2"]) == (3, 8)
    assert (round(test["f"], 6), round(test["p"], 7)) == (2.723337, 0.1143646)
    p = found["parameters"]
    assert (round(p["A"], 7), round(p["D"], 6), round(p["B"], 6)) == (0.0774057, 1.638153, 1.461866)
    assert found["parallelism"]["parallel"] is True


def test_the_profile_interval_ends_where_the_sum_of_squares_has_risen_as_told(example):
    found = relative_potencies(read_wells(example))[0]

    low, high = found.profile
    assert low == pytest.approx(found.low, rel=1e-4)
    assert high == pytest.approx(found.high, rel=1e-4)


def test_a_curve_of_another_slope_or_end_is_not_parallel():
    ln = np.log(DOSES)
    other = tuple(0.08 + 1.0 / (1 + np.exp(-2.4 * (ln - 1.8))))

    found = relative_potencies(wells({"standard": REFERENCE, "sample 1": other}))[0]

    assert found.is_parallel is False
    assert {item.parameter for item in found.equivalence if not item.is_within} == {"B", "D"}
    assert found.f_test.p < 1e-4


def test_noise_that_hides_any_difference_shows_neither_verdict():
    rng = np.random.default_rng(2)
    ln = np.log(np.repeat(DOSES, 2))
    ys = {
        n: 0.1 + 1.5 / (1 + np.exp(-1.3 * (ln - 1.6))) + rng.normal(0, 0.08, 16)
        for n in ("ref", "x")
    }

    found = relative_potencies(wells(ys, doses=np.repeat(DOSES, 2)))[0]

    assert found.f_test.p > 0.05
    assert found.is_parallel is None


def test_asymmetry_that_the_data_leave_open_does_not_hide_the_potency():
    """Symmetric truth, ten percent noise: G is a ridge, the shift is not; intervals cover."""
    rng = np.random.default_rng(9)
    doses = np.repeat(DOSES, 2)
    ln = np.log(doses)
    hits = trials = 0
    for _ in range(60):
        ys = {
            n: 0.1 + 1.5 / (1 + np.exp(-1.2 * (ln - c))) + rng.normal(0, 0.1, 16)
            for n, c in (("ref", 1.6), ("x", 1.6 - math.log(1.3)))
        }
        try:
            found = relative_potencies(wells(ys, doses=doses), model="5pl")[0]
        except Refused:
            continue
        trials += 1
        hits += found.low <= 1.3 <= found.high

    assert trials >= 57
    assert hits / trials >= 0.85


def test_a_decreasing_curve_gives_the_same_potency_as_its_mirror(example):
    rising = relative_potencies(read_wells(example))[0]

    falling = relative_potencies(
        wells({"ref": tuple(2 - y for y in REFERENCE), "x": tuple(2 - y for y in TEST)})
    )[0]

    assert falling.relative_potency == pytest.approx(rising.relative_potency, rel=1e-8)
    assert falling.low == pytest.approx(rising.low, rel=1e-8)


def test_a_blank_dose_is_a_response_at_zero_and_not_a_missing_logarithm():
    doses = (0, *DOSES)
    found = relative_potencies(
        wells({"ref": (0.0779, *REFERENCE), "x": (0.0771, *TEST)}, doses=doses)
    )[0]

    assert found.relative_potency == pytest.approx(1.3808, rel=0.01)


def test_intervals_of_the_true_potency_cover_as_often_as_they_say():
    """Four replicates, true potency 0.8; 300 assays: 95 % within binomial limits at 0.1 %."""
    rng = np.random.default_rng(42)
    ln = np.log(np.repeat(DOSES, 3))
    hits, rejected, trials = 0, 0, 300
    for _ in range(trials):
        ys = {
            name: 0.1 + 1.5 / (1 + np.exp(-1.3 * (ln - c))) + rng.normal(0, 0.03, len(ln))
            for name, c in (("ref", 1.6), ("x", 1.6 - math.log(0.8)))
        }
        found = relative_potencies(wells(ys, doses=np.repeat(DOSES, 3)))[0]
        hits += found.low <= 0.8 <= found.high
        rejected += found.f_test.p < 0.05

    assert 0.90 <= hits / trials <= 0.99
    assert 0.01 <= rejected / trials <= 0.10


def test_plates_that_agree_are_joined_with_weights_and_plates_that_differ_with_their_spread():
    rng = np.random.default_rng(7)

    def plates(shifts):
        parts = []
        for k, shift in enumerate(shifts):
            ln = np.log(np.repeat(DOSES, 3))
            ys = {
                name: 0.1 + 1.5 / (1 + np.exp(-1.3 * (ln - c))) + rng.normal(0, 0.02, len(ln))
                for name, c in (("ref", 1.6), ("x", 1.6 - shift))
            }
            parts.append(wells(ys, doses=np.repeat(DOSES, 3), plate=f"P{k}"))
        return Wells(
            sample=sum((p.sample for p in parts), ()),
            dose=np.concatenate([p.dose for p in parts]),
            response=np.concatenate([p.response for p in parts]),
            plate=sum((p.plate for p in parts), ()),
        )

    alike = relative_potencies(plates([0.2] * 5))[0]
    unlike = relative_potencies(plates([-0.3, 0.0, 0.2, 0.5, 0.6]))[0]

    assert alike.combined.method == "weighted"
    assert alike.low < math.exp(0.2) < alike.high
    assert len(alike.plates) == 5
    assert unlike.combined.method == "semi-weighted"
    assert unlike.combined.between_sd == pytest.approx(
        np.std([-0.3, 0, 0.2, 0.5, 0.6], ddof=1), rel=0.2
    )
    assert unlike.high / unlike.low > 1.5


def test_parallel_lines_agree_with_statsmodels_and_fiellers_formula():
    rng = np.random.default_rng(3)
    dose = np.repeat([1.0, 2.0, 4.0, 8.0], 3)
    x = np.log(dose)
    ys = {"std": 1 + 2 * x + rng.normal(0, 0.1, 12), "u": 1.5 + 2 * x + rng.normal(0, 0.1, 12)}

    found = relative_potencies(wells(ys, doses=dose), model="linear")[0]

    design = np.column_stack([np.r_[np.ones(12), np.zeros(12)], np.r_[np.zeros(12), np.ones(12)],
                              np.r_[x, x]])  # fmt: skip
    y = np.r_[ys["std"], ys["u"]]
    oracle = statsmodels.api.OLS(y, design).fit()
    ratio = (oracle.params[1] - oracle.params[0]) / oracle.params[2]
    assert found.ln == pytest.approx(ratio, rel=1e-10)
    apart = statsmodels.api.OLS(
        y, np.column_stack([design[:, :2], np.r_[x, np.zeros(12)], np.r_[np.zeros(12), x]])
    ).fit()
    f, p, _ = apart.compare_f_test(oracle)
    assert (found.f_test.f, found.f_test.p) == pytest.approx((f, p), rel=1e-9)
    # Fieller's ends are the ratios that a t test just does not reject.
    for end in (math.log(found.low), math.log(found.high)):
        t = oracle.t_test([-1, 1, -end])
        assert float(t.pvalue) == pytest.approx(0.05, rel=1e-6)


def test_slope_ratio_agrees_with_a_t_test_at_its_ends():
    rng = np.random.default_rng(5)
    dose = np.repeat([0.0, 1.0, 2.0, 3.0], 3)
    ys = {
        "ref": 0.2 + dose + rng.normal(0, 0.05, 12),
        "x": 0.2 + 0.7 * dose + rng.normal(0, 0.05, 12),
    }

    found = relative_potencies(wells(ys, doses=dose), model="slope-ratio")[0]

    design = np.column_stack([np.ones(24), np.r_[dose, np.zeros(12)], np.r_[np.zeros(12), dose]])
    oracle = statsmodels.api.OLS(np.r_[ys["ref"], ys["x"]], design).fit()
    assert found.relative_potency == pytest.approx(oracle.params[2] / oracle.params[1], rel=1e-10)
    for end in (found.low, found.high):
        assert float(oracle.t_test([0, -end, 1]).pvalue) == pytest.approx(0.05, rel=1e-6)


def test_fieller_gives_no_interval_where_the_denominator_may_be_zero():
    ends = fieller(1.0, 0.1, var_top=0.01, var_bottom=0.01, covariance=0.0, t=2.0)

    assert ends is None


def test_the_weighted_mean_of_independent_estimates_is_the_textbook_one():
    joined = combine([0.0, 0.2], [0.1, 0.2], [10, 10])

    assert joined.ln == pytest.approx((0.0 / 0.01 + 0.2 / 0.04) / 125)
    assert joined.standard_error == pytest.approx(1 / math.sqrt(125))
    assert joined.heterogeneity == pytest.approx(0.8)


def test_weights_that_follow_the_variance_narrow_the_interval_of_noisy_counts():
    rng = np.random.default_rng(11)
    doses = np.repeat(DOSES, 6)
    ln = np.log(doses)
    mean = {n: 10 + 5000 / (1 + np.exp(-1.2 * (ln - c))) for n, c in (("ref", 2.0), ("x", 1.8))}
    ys = {n: m * np.exp(rng.normal(0, 0.1, len(m))) for n, m in mean.items()}

    found = relative_potencies(wells(ys, doses=doses), variance="power")[0]

    exponent = float(found.notes[0].rsplit(" ", 1)[1])
    assert exponent == pytest.approx(2.0, abs=0.4)
    assert found.low < math.exp(0.2) < found.high


@pytest.mark.parametrize(
    ("names", "reference"),
    [
        (("Reference", "S1", "S2"), "Reference"),
        (("RS-12", "S1"), "RS-12"),
        (("S", "T", "U"), "S"),
        (("RefStd", "lot 4"), "RefStd"),
        (("std_2026", "test"), "std_2026"),
        (("LabRef", "preferred", "refrigerated"), "LabRef"),
    ],
)
def test_the_reference_is_told_by_its_name(names, reference):
    found = relative_potencies(wells(dict.fromkeys(names, REFERENCE)))

    assert {p.reference for p in found} == {reference}


@pytest.mark.parametrize("scale", [1e-9, 1e6])
@pytest.mark.parametrize("step", [1e-12, 1e4])
def test_units_of_dose_and_response_change_nothing_but_their_own_figures(scale, step):
    plain = relative_potencies(wells({"ref": REFERENCE, "x": TEST}))[0]

    found = relative_potencies(
        wells(
            {"ref": tuple(y * scale for y in REFERENCE), "x": tuple(y * scale for y in TEST)},
            doses=tuple(d * step for d in DOSES),
        )
    )[0]

    assert found.relative_potency == pytest.approx(plain.relative_potency, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=1e-8)
    assert found.f_test.f == pytest.approx(plain.f_test.f, rel=1e-6)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("sample,dose,response\na,1,2\nb,1,2\n", "reference-unclear"),
        ("sample,dose,response\nref,1,2\nref,2,3\n", "sample-missing"),
        ("sample,dose,response\nref,1,2\nx,2,3\n", "too-few-doses"),
        ("sample,dose,response\nref,-1,2\nx,2,3\n", "dose-negative"),
        ("sample,dose,response\nref,1,\nx,2,3\n", "value-missing"),
        ("sample,dose\nref,1\n", "column-missing"),
        (",1,2\n", "file-empty"),
    ],
)
def test_an_assay_that_cannot_be_judged_is_refused(tmp_path, capsys, content, code):
    table = tmp_path / "t.csv"
    table.write_text(content)

    assert main(["assay", "potency", str(table), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == code


def test_noise_without_a_curve_is_refused_or_unbounded_but_never_a_traceback():
    rng = np.random.default_rng(1)
    for _ in range(30):
        ys = {"ref": rng.normal(0, 1, 8), "x": rng.normal(0, 1, 8)}
        try:
            found = relative_potencies(wells(ys))[0]
        except Refused as refusal:
            assert refusal.code == "parameters-not-determined"
        else:
            assert found.low <= found.relative_potency <= found.high


def test_a_sample_that_cannot_be_judged_does_not_stop_the_others(example, capsys):
    with example.open("a") as table:
        table.write("blank,0,0.05\nblank,0,0.06\n")

    assert main(["assay", "potency", str(example), "--json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert round(found["relative_potency"], 6) == 1.380798
    assert found["refused_samples"]["blank"]["code"] == "too-few-doses"


def test_the_site_sets_the_bounds_of_equivalence(example):
    tight = Bounds(slope_low=0.99, slope_high=1.01, asymptote=0.001)

    assert relative_potencies(read_wells(example), bounds=tight)[0].is_parallel is None
    words = ["--slope-bounds", "0.99,1.01", "--require-parallel", "--json"]
    assert main(["assay", "potency", str(example), *words]) == 2


def test_a_word_that_holds_ref_is_no_reference():
    with pytest.raises(Refused) as refusal:
        relative_potencies(wells(dict.fromkeys(("NIBSC 12/34", "preferred"), REFERENCE)))

    assert refusal.value.code == "reference-unclear"


def test_a_named_reference_is_the_one_written_so_and_asked_for_where_two_differ_by_case():
    both = wells(dict.fromkeys(("Lot 7", "lot 7"), REFERENCE))

    assert relative_potencies(both, reference="lot 7")[0].reference == "lot 7"
    with pytest.raises(Refused) as refusal:
        relative_potencies(both, reference="LOT 7")
    assert refusal.value.code == "reference-unclear"


def test_curves_that_go_opposite_ways_have_no_potency_whatever_the_noise():
    rng = np.random.default_rng(5)
    doses = np.repeat(DOSES, 3)
    rising = 0.1 + 1.9 / (1 + np.exp(-1.2 * (np.log(doses) - 1.5)))
    for sd in (0.02, 0.15):
        ys = {
            "ref": tuple(rising + rng.normal(0, sd, len(doses))),
            "x": tuple(2.1 - rising + rng.normal(0, sd, len(doses))),
        }
        for model in ("4pl", "5pl"):
            with pytest.raises(Refused) as refusal:
                relative_potencies(wells(ys, doses=tuple(doses)), model=model)
            assert refusal.value.code == "curves-opposed"
            found = refusal.value.problem.found
            assert found == "not parallel: ref rises with the dose, x falls"


def test_the_profile_of_an_asymmetric_curve_reaches_its_target_where_g_is_at_its_bound():
    """The target by scipy's bounded least squares, from the potency that the profile ends at."""
    doses = np.repeat([10 / 3**k for k in range(9)], 3)
    ln = np.log(doses)
    rng = np.random.default_rng(2)

    def gompertz(c: float) -> np.ndarray:
        return 2 - 1.9 * np.exp(-np.exp(1.1 * (ln - c)))

    ys = {n: gompertz(c) + rng.normal(0, 0.06, len(ln)) for n, c in (("ref", 0.0), ("x", -0.2))}
    found = relative_potencies(wells(ys, doses=tuple(doses)), model="5pl")[0]
    assert found.parameters["G"] == pytest.approx(50)

    t = scipy.stats.t.ppf(0.975, found.freedom)
    target = found.rss * (1 + t**2 / found.freedom)
    start = [found.parameters[name] for name in ("A", "B", "ln_C_reference", "D", "G")]
    for end in found.profile:

        def residuals(p: np.ndarray, end: float = end) -> np.ndarray:
            parts = []
            for name, shift in (("ref", 0.0), ("x", math.log(end))):
                z = np.logaddexp(0, p[1] * (ln + shift - p[2]))
                parts.append(p[3] + (p[0] - p[3]) * np.exp(-p[4] * z) - ys[name])
            return np.concatenate(parts)

        bounds = ([-9, 0, -50, -9, 0.02], [9, 50, 50, 9, 50])
        fits = [
            scipy.optimize.least_squares(
                residuals, [*start[:4], G], bounds=bounds, xtol=1e-14, ftol=1e-14, gtol=1e-14
            )
            for G in (5.0, 49.0)
        ]
        assert 2 * min(one.cost for one in fits) == pytest.approx(target, rel=1e-5)


def test_a_plate_that_cannot_be_judged_is_named():
    parts = [wells({"ref": REFERENCE, "x": TEST}, plate="P1")]
    parts += [wells({"ref": REFERENCE}, plate="P2")]
    parts += [wells({"x": TEST[:3]}, doses=DOSES[:3], plate="P2")]
    joined = Wells(
        sample=sum((p.sample for p in parts), ()),
        dose=np.concatenate([p.dose for p in parts]),
        response=np.concatenate([p.response for p in parts]),
        plate=sum((p.plate for p in parts), ()),
    )

    with pytest.raises(Refused) as refusal:
        relative_potencies(joined)

    assert refusal.value.problem.what == "sample x on plate P2"


def test_slopes_of_opposite_sign_keep_their_ratio_when_plates_are_joined():
    rng = np.random.default_rng(3)
    doses = np.repeat([1.0, 2.0, 4.0, 8.0], 3)
    parts = [
        wells(
            {
                "ref": tuple(1 + 2 * np.log(doses) + rng.normal(0, 0.1, 12)),
                "x": tuple(6 - np.log(doses) + rng.normal(0, 0.1, 12)),
            },
            doses=tuple(doses),
            plate=plate,
        )
        for plate in ("P1", "P2")
    ]
    joined = Wells(
        sample=parts[0].sample + parts[1].sample,
        dose=np.concatenate([p.dose for p in parts]),
        response=np.concatenate([p.response for p in parts]),
        plate=parts[0].plate + parts[1].plate,
    )

    found = relative_potencies(joined, model="linear")[0]

    assert found.is_parallel is False
    slope = found.equivalence[0]
    assert slope.estimate == pytest.approx(-0.5, abs=0.05)
    assert -0.6 < slope.low < slope.estimate < slope.high < -0.4


@pytest.mark.parametrize(
    "words",
    [
        ["--slope-bounds", "1.25,0.8"],
        ["--slope-bounds", "0.8,inf"],
        ["--slope-bounds=-0.8,1.2"],
        ["--slope-bounds", "1.1,1.2"],
        ["--asymptote-bound", "-0.2"],
        ["--asymptote-bound", "nan"],
        ["--alpha", "2"],
    ],
)
def test_bounds_that_bound_nothing_are_refused(example, capsys, words):
    assert main(["assay", "potency", str(example), *words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "bounds-unreadable"


def test_the_profile_of_a_steep_asymmetric_curve_is_not_cut_short():
    """The ends by scipy's least squares at a fixed potency, from several starts."""
    logs = {"ref": [-1.65, -1.237, -0.825, -0.412, 0.0, 0.413, 0.825, 1.238, 1.65]}
    logs["t"] = [-1.278, -0.728, -0.178, 0.372, 0.922, 1.472, 2.022]
    ys = {
        "ref": [0.053, 0.057, 0.003, 0.025, 0.0, 0.033, 0.035, 0.033, 0.472, 0.414, 0.899, 0.952,
                0.97, 0.945, 0.954, 0.932, 0.983, 0.944],
        "t": [0.078, 0.02, 0.021, 0.019, 0.111, 0.099, 0.773, 0.72, 0.954, 1.0, 0.946, 0.967,
              0.996, 0.968],
    }  # fmt: skip
    table = Wells(
        sample=tuple(name for name in ys for _ in ys[name]),
        dose=10 ** np.concatenate([np.repeat(logs[name], 2) for name in ys]),
        response=np.concatenate([ys[name] for name in ys]),
        plate=("",) * 32,
    )

    low, high = relative_potencies(table, model="5pl")[0].profile

    assert (low, high) == (pytest.approx(0.59366, abs=1e-4), pytest.approx(0.74609, abs=1e-4))
