"""Interlaboratory studies against published factors and independent computations."""

import json

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.assay import (
    Score,
    homogeneity,
    interlaboratory_study,
    read_score,
    robust_mean,
    stability,
)

# Duplicates of copper in soya flour, mg/kg: Thompson, Ellison & Wood, Pure Appl. Chem. 78 (2006).
COPPER = [
    (10.5, 10.4), (9.6, 9.5), (10.4, 9.9), (9.5, 9.9), (10.0, 9.7), (9.6, 10.1), (9.8, 10.4),
    (9.8, 10.2), (10.8, 10.7), (10.2, 10.0), (9.8, 9.5), (10.2, 10.0),
]  # fmt: skip


def items(pairs):
    return {str(at): pair for at, pair in enumerate(pairs)}


def test_variance_within_items_is_half_the_mean_squared_difference_of_duplicates():
    found = homogeneity(items(COPPER), 1.14)

    halves = numpy.mean([(a - b) ** 2 / 2 for a, b in COPPER])
    assert found.within_sd**2 == pytest.approx(halves)
    assert found.is_sufficient


@pytest.mark.parametrize(
    ("count", "first", "second"),
    # Table 1 of the same protocol: critical variance = F1 sigma_all^2 + F2 s_an^2, m = 2.
    [(20, 1.59, 0.57), (15, 1.69, 0.71), (12, 1.79, 0.86), (10, 1.88, 1.01), (8, 2.01, 1.25), (7, 2.10, 1.43)],
)  # fmt: skip
def test_the_expanded_criterion_has_the_published_factors(count, first, second):
    rng = numpy.random.default_rng(count)
    pairs = rng.normal(10, 0.2, (count, 2))

    found = homogeneity(items(pairs.tolist()), 1.0)

    wanted = first * 0.3**2 + second * found.within_sd**2
    assert found.expanded**2 == pytest.approx(wanted, rel=0.01)


def test_items_far_apart_are_not_alike_enough():
    pairs = [(10 + at, 10 + at + 0.01) for at in range(10)]

    assert not homogeneity(items(pairs), 1.0).is_sufficient


def test_a_blunder_in_one_item_shows_in_cochrans_share():
    pairs = [(10.0, 10.1)] * 9 + [(10.0, 13.0)]

    assert homogeneity(items(pairs), 1.0).cochran_p < 0.001


# Results are read to two decimals: values that differ by less than a rounding are one value or two
# after they were moved, and half of all alike is where the method has its break.
@given(
    st.lists(st.integers(-100_000, 100_000).map(lambda n: n / 100), min_size=5, max_size=40),
    st.floats(-100, 100),
    st.floats(0.1, 10),
)
@settings(max_examples=60, deadline=None)
def test_the_robust_mean_moves_and_stretches_with_its_data(values, shift, scale):
    plain, moved = robust_mean(values), robust_mean([scale * v + shift for v in values])

    slack = 1e-6 * (1 + max(map(abs, values)) * scale + abs(shift))
    assert moved.mean == pytest.approx(scale * plain.mean + shift, abs=slack)
    assert moved.sd == pytest.approx(scale * plain.sd, abs=slack)


def test_the_robust_mean_is_the_fixed_point_that_its_definition_asks_for():
    data = numpy.random.default_rng(3).normal(100, 5, 30)
    data[:3] = 400

    found = robust_mean(data)

    drawn = numpy.clip(data, found.mean - 1.5 * found.sd, found.mean + 1.5 * found.sd)
    assert found.mean == pytest.approx(drawn.mean(), rel=1e-10)
    assert found.sd == pytest.approx(1.134 * drawn.std(ddof=1), rel=1e-10)
    assert found.uncertainty == pytest.approx(1.25 * found.sd / numpy.sqrt(30))
    assert found.mean == pytest.approx(100, abs=4)


def test_of_normal_data_the_robust_figures_are_nearly_the_plain_ones():
    data = numpy.random.default_rng(1).normal(50, 2, 20_000)

    assert robust_mean(data).mean == pytest.approx(data.mean(), abs=0.03)
    assert robust_mean(data).sd == pytest.approx(data.std(), rel=0.02)


@pytest.mark.parametrize(
    ("z", "said"),
    [(0, "satisfactory"), (-2, "satisfactory"), (2.01, "questionable"), (-2.99, "questionable"),
     (3, "unsatisfactory"), (-7, "unsatisfactory")],
)  # fmt: skip
def test_scores_are_read_at_two_and_three(z, said):
    assert read_score(z) is Score(said)


def test_scores_follow_their_definitions():
    results = {"A": [10.2], "B": [9.0], "C": [11.5]}

    found = interlaboratory_study(
        results, assigned=(10.0, 0.1), sigma=0.5, uncertainties={"A": 0.15}
    )

    a, b, c = found.scores
    assert a.z == pytest.approx(0.4)
    assert a.zeta == pytest.approx(0.2 / numpy.hypot(0.15, 0.1))
    assert a.en == pytest.approx(0.2 / (2 * numpy.hypot(0.15, 0.1)))
    assert b.z_prime == pytest.approx(-1 / numpy.hypot(0.5, 0.1))
    assert (b.score, c.score) == (Score.SATISFACTORY, Score.UNSATISFACTORY)
    assert b.zeta is None
    assert not found.is_uncertain


def test_an_uncertain_assigned_value_counts_in_the_score():
    results = {str(at): [10 + at / 10] for at in range(6)}

    found = interlaboratory_study(results, sigma=0.1)

    assert found.is_uncertain
    assert "z'" in " ".join(found.notes)


def test_too_few_laboratories_give_no_consensus():
    with pytest.raises(Refused) as caught:
        interlaboratory_study({"A": [1.0], "B": [1.1]}, sigma=0.1)

    assert caught.value.code == "too-few-observations"


def test_repeatability_and_reproducibility_are_those_of_a_balanced_analysis_of_variance():
    rng = numpy.random.default_rng(8)
    table = 10 + rng.normal(0, 0.5, (8, 1)) + rng.normal(0, 0.2, (8, 3))

    found = interlaboratory_study({str(at): row.tolist() for at, row in enumerate(table)})

    within = table.var(axis=1, ddof=1).mean()
    between = table.mean(axis=1).var(ddof=1) - within / 3
    assert found.precision.repeatability_sd == pytest.approx(numpy.sqrt(within))
    assert found.precision.reproducibility_sd == pytest.approx(numpy.sqrt(within + between))


def test_a_fall_over_time_beyond_the_criterion_is_told():
    kept = stability([0, 0, 30, 30], [10.0, 10.1, 10.05, 9.95], 1.0)
    fell = stability([0, 0, 0, 15, 15, 30, 30, 30], [10, 10.1, 9.9, 9, 9.1, 8, 8.1, 7.9], 1.0)

    assert kept.is_sufficient
    assert not fell.is_sufficient
    assert fell.slope == pytest.approx(-2 / 30, rel=0.05)
    assert fell.slope_p < 1e-4


LABS = "laboratory;value;expanded uncertainty\n" + "".join(
    f"L{at};{10 + d:.2f};0.20\n".replace(".", ",")
    for at, d in enumerate(
        (0.02, -0.11, 0.05, 0.13, -0.04, 0.0, -0.08, 0.9, 0.06, -0.02, 0.1, 0.03)
    )
)


def run(capsys, *words):
    code = main(["assay", "study", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_study_is_evaluated_from_its_tables(tmp_path, capsys):
    round_, same, kept = tmp_path / "r.csv", tmp_path / "h.csv", tmp_path / "s.csv"
    round_.write_text(LABS)
    same.write_text(
        "bottle,value\n" + "".join(f"{n},{a}\n{n},{b}\n" for n, (a, b) in enumerate(COPPER))
    )
    kept.write_text("day,value\n0,10.0\n0,10.1\n30,10.05\n30,10.0\n")

    code, told = run(capsys, round_, "--homogeneity", same, "--stability", kept, "--sigma", "1.14")

    assert code == 0
    assert told["assigned_value"] == pytest.approx(10.02, abs=0.02)
    assert told["homogeneity"]["is_sufficient"]
    assert told["stability"]["is_sufficient"]
    assert told["counts"] == {"satisfactory": 12, "questionable": 0, "unsatisfactory": 0}
    assert told["laboratories"][0]["zeta"] is not None


def test_one_file_may_hold_the_round_and_its_checks(tmp_path, capsys):
    path = tmp_path / "all.csv"
    rows = [f"round,L{n},,,{10 + n / 50}" for n in range(8)]
    rows += [f"homogeneity,,{n},,{v}" for n, pair in enumerate(COPPER) for v in pair]
    rows += ["stability,,,0,10.0", "stability,,,0,10.1", "stability,,,9,5.0", "stability,,,9,5.1"]
    path.write_text("phase,laboratory,item,month,value\n" + "\n".join(rows) + "\n")

    code, told = run(capsys, path, "--sigma-percent", "10")

    assert code == 2
    assert not told["stability"]["is_sufficient"]
    assert len(told["laboratories"]) == 8


def test_an_outlying_laboratory_is_unsatisfactory_and_can_fail_the_run(tmp_path, capsys):
    path = tmp_path / "r.csv"
    path.write_text(LABS)

    code, told = run(capsys, path, "--sigma", "0.1", "--require-satisfactory")

    assert code == 2
    worst = [one["laboratory"] for one in told["laboratories"] if one["score"] == "unsatisfactory"]
    assert worst == ["L7"]


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("laboratory,value\nA,1\nB,2\n", (), "too-few-observations"),
        ("lab,value\nA,1\nB,x\nC,1\nD,2\nE,3\n", (), "value-not-a-number"),
        ("laboratory,value\n" + "A,1\n" * 3, ("--assigned", "1"), "no-variation"),
        ("who,what\nA,1\n", (), "column-missing"),
    ],
)
def test_a_study_that_cannot_be_evaluated_is_refused(tmp_path, capsys, text, words, code):
    path = tmp_path / "r.csv"
    path.write_text(text)

    ended, told = run(capsys, path, *words)

    assert ended == 2
    assert told["refused"]["code"] == code
