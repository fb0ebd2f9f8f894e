"""Cell counting quality, against the figures of NIST's own programme."""

import json

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.cli import shell
from anlage.lab.counting import evaluate, read_counts

HEADER = "counting_method,target_dilution_fraction,random_sample_number,rep_obsv,cell_conc\n"

# COMET's R code run on its own example files: slope, R2, scaled squared, scaled absolute.
NIST = {
    ("1", "Method 2"): ("1.059214e+06", "0.9983812", "0.01162283", "0.3466679"),
    ("2", "Method 5"): ("2.492194e+06", "0.9980249", "0.0231213", "0.474659"),
    ("2", "Method 7"): ("2.447185e+06", "0.9570395", "0.7484988", "3.144001"),
    ("2", "Method 8"): ("2.422316e+06", "0.9569164", "1.06269", "2.79631"),
}


def a_series(method="M", slope=1e6, spread=0.0, rng=None, samples=3, counts=3, curve=0.0):
    rows = ""
    number = 0
    for fraction in (0.2, 0.4, 0.6, 0.8, 1.0):
        for _ in range(samples):
            number += 1
            for repeat in range(counts):
                noise = rng.normal(0, spread) if rng is not None else 0.0
                value = slope * fraction * (1 + curve * (1 - fraction)) * (1 + noise)
                rows += f"{method},{fraction},{number},{repeat + 1},{value!r}\n"
    return rows


def judged(text, seed=1, resamples=60):
    counts = read_counts(text.encode())
    found = evaluate(counts.observations, rng=numpy.random.default_rng(seed), resamples=resamples)
    return found.evaluations, found.comparisons


@pytest.mark.shared
@pytest.mark.parametrize(("file", "method"), NIST)
@pytest.mark.req("L12")
def test_every_figure_of_nist_is_met_to_its_printed_digits(shared_data, file, method):
    path = shared_data / "cell_counting_nist" / f"Full_Template_Example_{file}_COMET.csv"
    evaluations = evaluate(
        read_counts(path).observations, rng=numpy.random.default_rng(1), resamples=20
    ).evaluations

    found = next(each for each in evaluations if each.method == method)
    index = found.proportionality_index

    printed = tuple(
        f"{value:.7g}"
        for value in (
            found.slope, found.r_squared, index["scaled_squared"], index["scaled_absolute"],
        )
    )  # fmt: skip
    assert [float(value) for value in printed] == [float(value) for value in NIST[file, method]]


def test_perfect_proportion_has_an_index_of_zero_and_the_stock_as_slope():
    (found,), _ = judged(HEADER + a_series())

    assert found.slope == pytest.approx(1e6)
    assert found.r_squared == pytest.approx(1)
    assert max(found.proportionality_index.values()) < 1e-9
    assert found.mean_cv_percent == pytest.approx(0, abs=1e-9)


def test_the_index_follows_its_formula_for_a_known_curve():
    # Counts x(1 + c(1-x)) lie on a parabola, so the flexible curve meets them exactly.
    (found,), _ = judged(HEADER + a_series(curve=0.2))
    x = numpy.repeat([0.2, 0.4, 0.6, 0.8, 1.0], 3)
    y = 1e6 * x * (1 + 0.2 * (1 - x))
    slope = numpy.sum(y) / numpy.sum(x)  # weights 3/x cancel one x
    e = y - slope * x

    index = found.proportionality_index
    assert found.slope == pytest.approx(slope)
    assert index["scaled_squared"] == pytest.approx(numpy.sum((e / (slope * x)) ** 2))
    assert index["scaled_absolute"] == pytest.approx(numpy.sum(numpy.abs(e / (slope * x))))
    assert index["squared"] == pytest.approx(numpy.sum(e**2) / (slope * 0.2) ** 2)
    assert index["absolute"] == pytest.approx(numpy.sum(numpy.abs(e)) / (slope * 0.2))
    assert index["variance_stabilised_squared"] == pytest.approx(numpy.sum(e**2 / (slope * x)))


def test_the_coefficient_of_variation_is_that_of_the_repeats(rng):
    (found,), _ = judged(HEADER + a_series(spread=0.08, rng=rng, samples=40, counts=10))

    # The mean of the standard deviation of ten normal values is 0.9727 sigma (c4).
    assert found.mean_cv_percent == pytest.approx(8 * 0.9727, abs=0.65)


def test_samples_of_two_stocks_with_the_same_number_are_kept_apart():
    header = HEADER.replace("rep_obsv", "rep_obsv,stock_solution")
    one = header + "".join(
        f"M,{fraction},{sample},{repeat},{stock},{1e5 * stock * fraction}\n"
        for stock in (1, 2)
        for sample, fraction in enumerate((0.25, 0.5, 0.75, 1.0))
        for repeat in (1, 2, 3)
    )

    (found,), _ = judged(one)

    assert found.samples == 8
    assert found.mean_cv_percent == pytest.approx(0, abs=1e-6)
    assert found.slope == pytest.approx(1.5e5)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others(rng):
    text = HEADER + a_series(spread=0.1, rng=rng)

    (first,), _ = judged(text, seed=3)
    (again,), _ = judged(text, seed=3)
    (other,), _ = judged(text, seed=4)

    assert first.intervals == again.intervals
    assert first.intervals != other.intervals


def test_the_order_of_rows_and_methods_changes_nothing(rng):
    one, two = a_series("A", spread=0.1, rng=rng), a_series("B", spread=0.1, rng=rng)

    assert judged(HEADER + one + two) == judged(HEADER + two + one)


@pytest.mark.req("L12")
def test_two_methods_that_disagree_are_said_to_and_two_that_agree_are_not(rng):
    high = a_series("High", slope=1.3e6, spread=0.05, rng=rng)
    low = a_series("Low", spread=0.05, rng=rng)

    _, apart = judged(HEADER + high + low, resamples=200)
    _, same = judged(HEADER + low + low.replace("Low", "Twin"), resamples=200)

    slope = next(each for each in apart if each.figure == "slope")
    assert slope.is_different
    assert "disagree" in slope.verdict
    assert "higher" in slope.verdict
    assert not any(each.is_different for each in same)
    assert "not shown to disagree" in same[0].verdict


def test_the_interval_of_the_slope_covers_the_truth_about_as_often_as_it_says():
    rng = numpy.random.default_rng(5)
    held = 0
    for _ in range(60):
        (found,), _ = judged(HEADER + a_series(spread=0.15, rng=rng), resamples=40)
        low, high = found.intervals["slope"]
        held += low <= 1e6 <= high
    assert held >= 50


def test_methods_that_repeat_alike_are_seldom_said_to_differ():
    rng = numpy.random.default_rng(8)
    header = HEADER.replace("random", "measured_dilution_fraction,random")
    said = 0
    for _ in range(100):
        rows = ""
        for line in a_series("A").splitlines() + a_series("B").splitlines():
            method, fraction, number, repeat, value = line.split(",")
            if repeat == "1":
                measured = round(float(fraction) * rng.normal(1, 0.02), 5)
            count = float(value) * rng.normal(1, 0.06)
            rows += f"{method},{fraction},{measured},{number},{repeat},{count}\n"
        _, compared = judged(header + rows, resamples=40)
        said += sum(each.is_different for each in compared if each.figure == "mean_cv_percent")
    assert said <= 10


def test_a_method_that_repeats_twice_as_closely_is_said_to():
    rng = numpy.random.default_rng(9)
    pair = a_series("A", spread=0.03, rng=rng) + a_series("B", spread=0.09, rng=rng)

    _, compared = judged(HEADER + pair)

    cv = next(each for each in compared if each.figure == "mean_cv_percent")
    assert cv.is_different
    assert cv.verdict.startswith("A repeats its counts more closely")


def test_a_short_design_is_told():
    text = HEADER + "M,0.5,1,1,100\nM,1,2,1,210\nM,1,2,2,190\n"

    (found,), _ = judged(text)

    assert any("2 dilution fractions" in line for line in found.design)
    assert any("samples at 0.5" in line for line in found.design)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("M,0.5,1,1,many", "cell_conc"), ("M,0.5,1,1,-5", "cell_conc"),
        ("M,0.5,1,1,inf", "cell_conc"), ("M,0,1,1,5", "target_dilution_fraction"),
        ("M,1.2,1,1,5", "target_dilution_fraction"), ("M,half,1,1,5", "target_dilution_fraction"),
        (",0.5,1,1,5", "counting_method"), ("M,0.5,,1,5", "random_sample_number"),
    ],
)  # fmt: skip
def test_a_bad_row_is_left_out_and_told_with_its_line(row, column):
    counts = read_counts((HEADER + a_series() + row + "\n").encode())

    (problem,) = counts.problems
    assert column in problem.what
    assert problem.line == 47
    assert len(counts.observations) == 45


def test_metadata_above_the_columns_semicolons_and_decimal_commas_are_understood():
    text = "Site;Hospital\nOperator;AB\n\nCounting_Method;Target Dilution Fraction;"
    text += "random_sample_number;cell_conc\nM;0,5;1;100,5\nM;1;2;201\n"

    counts = read_counts(b"\xef\xbb\xbf" + text.encode())

    assert [row.concentration for row in counts.observations] == [100.5, 201]
    assert counts.observations[0].line == 5


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_line_is_understood(end):
    counts = read_counts((HEADER + a_series()).replace("\n", end).encode())

    assert len(counts.observations) == 45


def test_rows_that_say_no_count_was_made_are_counted_not_blamed():
    counts = read_counts((HEADER + "M,0.5,1,1,NA\nM,0.5,1,2,5\n,,,,\n").encode())

    assert (counts.missing, len(counts.observations), counts.problems) == (1, 1, ())


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "counting_method,cell_conc\nM,1\n"])
def test_a_file_without_the_columns_is_refused(text):
    with pytest.raises(Refused) as refusal:
        read_counts(text.encode())
    assert refusal.value.code == "counts-columns"


def test_one_dilution_cannot_be_judged():
    with pytest.raises(Refused) as refusal:
        judged(HEADER + "M,1,1,1,5\nM,1,2,1,6\n")
    assert refusal.value.code == "counts-design"


def test_a_method_that_cannot_be_judged_does_not_stop_the_others():
    text = HEADER + a_series("Good") + "Poor,1,1,1,5\nPoor,1,2,1,6\n"

    found = evaluate(
        read_counts(text.encode()).observations, rng=numpy.random.default_rng(1), resamples=20
    )

    assert [each.method for each in found.evaluations] == ["Good"]
    assert "Poor" in found.problems[0].what


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: (HEADER + t).encode()))
def test_no_file_brings_the_reader_down(raw):
    try:
        read_counts(raw)
    except Refused as refusal:
        assert refusal.code.startswith("counts-")


def test_the_command_prints_every_figure_by_method_and_fails_on_bad_rows(tmp_path, capsys):
    path = tmp_path / "counts.csv"
    path.write_text(HEADER + a_series("Haemocytometer"))
    assert shell.main(["count", "evaluate", str(path), "--resamples", "20", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["methods"]["Haemocytometer"]
    assert told["slope"] == pytest.approx(1e6)
    assert set(told) >= {"r_squared", "proportionality_index", "mean_cv_percent", "intervals"}

    path.write_text(HEADER + a_series("Haemocytometer") + "Haemocytometer,0.5,1,1,lots\n")
    assert shell.main(["count", "evaluate", str(path), "--resamples", "20", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["problems"][0]["line"] == 47
    assert "Haemocytometer" in told["methods"]
