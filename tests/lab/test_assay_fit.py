"""Curves: certified values, hostile files, and the formula reader."""

import json
import math
import re

import numpy as np
import pytest
import scipy.optimize
import statsmodels.api
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.assay import Formula, fit, model, read_points

CERTIFIED = re.compile(r"^\s*(b\d+)\s*=\s*\S+\s+\S+\s+(\S+)\s+(\S+)\s*$", re.MULTILINE)


def digits(found: float, certified: float) -> float:
    """Decimal digits agreed (NIST's log relative error), at most 11 as certified."""
    return min(11.0, -math.log10(max(abs(found - certified) / abs(certified), 1e-12)))


@pytest.mark.shared
@pytest.mark.parametrize("start", [None, 0, 1], ids=["own", "start 1", "start 2"])
def test_nist_certified_values_are_met_to_ten_digits(shared_data, start):
    paths = sorted((shared_data / "regression_certified_nist").glob("*.dat"))

    assert len(paths) >= 15
    for path in paths:
        text = path.read_text()
        points = read_points(path)
        found = fit(
            points, points.model, start=None if start is None else points.model.starts[start]
        )
        rss = float(re.search(r"Residual Sum of Squares:\s+(\S+)", text)[1])
        certified = CERTIFIED.findall(text)
        assert len(certified) == len(found.parameters)
        for name, value, error in certified:
            assert digits(found.parameters[name], float(value)) > 10, (path.name, name)
            assert digits(found.standard_errors[name], float(error)) > 10, (path.name, name)
        assert digits(found.rss, rss) > 10, path.name


@pytest.mark.shared
def test_a_nist_model_named_on_the_command_line_fits_plain_columns(shared_data, tmp_path, capsys):
    lines = (shared_data / "regression_certified_nist" / "MGH09.dat").read_text().splitlines()
    rows = [line.split() for line in lines[60:] if line.strip()]
    table = tmp_path / "kowalik.csv"
    table.write_text("Y,X\n" + "".join(f"{y},{x}\n" for y, x in rows))

    assert main(["assay", "fit", str(table), "--model", "mgh09", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert digits(found["parameters"]["b1"], 1.9280693458e-01) > 9
    assert digits(found["residual_sum_of_squares"], 3.0750560385e-04) > 9


# Wampler's problems (JASA 65, 1970), whose solutions are exact: all coefficients 1, and 10**-k.
@pytest.mark.parametrize(
    ("name", "coefficient"), [("wampler1", lambda k: 1.0), ("wampler2", lambda k: 10.0**-k)]
)
def test_wamplers_polynomials_are_solved_exactly(tmp_path, name, coefficient):
    from fractions import Fraction

    table = tmp_path / "w.csv"
    exact = [
        sum(Fraction(coefficient(k)).limit_denominator(10**6) * x**k for k in range(6))
        for x in range(21)
    ]
    table.write_text("y,x\n" + "".join(f"{float(y)!r},{x}\n" for x, y in enumerate(exact)))

    found = fit(read_points(table), model(name))

    for k in range(6):
        assert found.parameters[f"b{k}"] == pytest.approx(coefficient(k), rel=1e-14)


def test_a_polynomial_of_degree_ten_keeps_its_digits_where_double_precision_has_none(tmp_path):
    """Filip's problem in kind: x from -9 to -3, condition about 1e15; the truth is exact here."""
    x = [-9 + 0.075 * i for i in range(81)]
    truth = [1467.0, 2772.0, 2316.0, 1127.0, 354.0, 75.0, 10.9, 1.06, 0.067, 0.00246, 0.0000402]
    from decimal import Decimal

    table = tmp_path / "f.csv"
    rows = []
    for value in x:
        exact = Decimal(repr(round(value, 6)))
        y = sum(Decimal(repr(c)) * exact**k for k, c in enumerate(truth))
        rows.append(f"{y},{exact}\n")
    table.write_text("y,x\n" + "".join(rows))

    found = fit(read_points(table), model("filip"))

    for k, c in enumerate(truth):
        assert found.parameters[f"b{k}"] == pytest.approx(c, rel=1e-12)


STRD = """NIST/ITL StRD
Dataset Name:  Trial (Trial.dat)
Data:          1 Response Variable (y)
Model:         {klass}
               {formula}

{starts}
Data:       {names}
{rows}
"""


@pytest.mark.parametrize(
    ("formula", "starts", "names", "rows", "expected"),
    [
        ("y = B0 + B1*x + e", "", "y x", [(0.1, 0.2), (338.8, 337.4), (118.1, 118.2)], {"B0", "B1"}),
        (
            "y = B0 + B1*x + B2*(x**2) + ... + B4*(x**4) + e", "", "y x",
            [(x**4 - x, x) for x in range(7)], {"b0", "b1", "b2", "b3", "b4"},
        ),
        (
            "y = B0 + B1*x1 + B2*x2 + ... + B3*x3 + e", "", "y x1 x2 x3",
            [(a + 2 * b - a * b, a, b, a * b) for a in range(3) for b in range(3)],
            {"b0", "b1", "b2", "b3"},
        ),
        (
            "log[y] = b1 - b2*x1 * exp[-b3*x2]  +  e",
            "  b1 =   2   2.5   1.0E+00   1.0E-02\n  b2 = 0.1  0.2  1.0E+00  1.0E-02\n"
            "  b3 = 0.1  0.05  1.0E+00  1.0E-02",
            "y x1 x2",
            [(math.exp(2.6 - 0.3 * a * math.exp(-0.2 * b)), a, b) for a in (1, 2, 4) for b in (0, 1, 3)],
            {"b1", "b2", "b3"},
        ),
    ],
)  # fmt: skip
def test_each_shape_of_a_certified_file_is_read_with_its_model(
    tmp_path, formula, starts, names, rows, expected
):
    path = tmp_path / "Trial.dat"
    lines = "\n".join(" ".join(f"{v!r}" for v in row) for row in rows)
    path.write_text(
        STRD.format(klass="Class", formula=formula, starts=starts, names=names, rows=lines)
    )

    points = read_points(path)
    found = fit(points, points.model)

    assert set(found.parameters) == expected
    assert found.r_squared > 0.9999


def test_longleys_certified_values_are_met(tmp_path, capsys):
    """NIST StRD Longley (JASA 62, 1967), certified coefficients and residual sum of squares."""
    data = statsmodels.api.datasets.longley.load_pandas().data
    table = tmp_path / "longley.csv"
    rows = [",".join(f"{v:.10g}" for v in row) for row in data.to_numpy().tolist()]
    table.write_text("y,x1,x2,x3,x4,x5,x6\n" + "\n".join(rows) + "\n")
    certified = {
        "b0": -3482258.63459582, "b1": 15.0618722713733, "b2": -0.0358191792925910,
        "b3": -2.02022980381683, "b4": -1.03322686717359, "b5": -0.0511041056535807,
        "b6": 1829.15146461355,
    }  # fmt: skip

    for name in ("longley", "linear"):
        assert main(["assay", "fit", str(table), "--model", name, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["parameters"] == pytest.approx(certified, rel=1e-13)
        assert found["residual_sum_of_squares"] == pytest.approx(836424.055505915, rel=1e-13)


def test_a_start_wrong_by_powers_of_ten_still_ends_in_the_minimum(tmp_path):
    """MGH10's model from its first start, where plain descent walks off (Meyer's problem)."""
    x = np.arange(50, 126, 5.0)
    y = 0.0056 * np.exp(6181.0 / (x + 345.2))
    table = tmp_path / "m.csv"
    table.write_text(
        "x,y\n" + "".join(f"{a!r},{b:.6g}\n" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    )

    curve = model("mgh10")
    found = fit(read_points(table), curve, start=curve.starts[0])

    assert found.parameters["b2"] == pytest.approx(6181, rel=1e-3)


def test_a_line_agrees_with_statsmodels(tmp_path, rng):
    x = np.linspace(1, 20, 25)
    y = np.round(3 + 0.5 * x + rng.normal(0, 0.3, 25), 4)
    weight = np.round(rng.uniform(0.5, 2, 25), 3)
    table = tmp_path / "line.csv"
    table.write_text(
        "dose,response,weight\n"
        + "".join(
            f"{a!r},{b!r},{c!r}\n"
            for a, b, c in zip(x.tolist(), y.tolist(), weight.tolist(), strict=True)
        )
    )

    found = fit(read_points(table), model("linear"), weighting="column")

    oracle = statsmodels.api.WLS(y, statsmodels.api.add_constant(x), weights=weight).fit()
    assert list(found.parameters.values()) == pytest.approx(oracle.params, rel=1e-10)
    assert list(found.standard_errors.values()) == pytest.approx(oracle.bse, rel=1e-10)
    assert found.rss == pytest.approx(oracle.ssr, rel=1e-10)
    low, high = found.intervals["b1"]
    assert [low, high] == pytest.approx(oracle.conf_int()[1], rel=1e-9)


def test_weights_of_the_file_hold_unless_none_are_asked_for(tmp_path, capsys):
    table = tmp_path / "line.csv"
    table.write_text("x,y,weight\n1,1,1\n2,3,4\n3,4,1\n4,9,2\n")
    x, y, w = np.arange(1.0, 5), np.array([1.0, 3, 4, 9]), np.array([1.0, 4, 1, 2])
    for words, weight in (([], w), (["--weighting", "none"], w / w)):
        assert main(["assay", "fit", str(table), "--model", "linear", *words, "--json"]) == 0

        found = json.loads(capsys.readouterr().out)
        oracle = statsmodels.api.WLS(y, statsmodels.api.add_constant(x), weights=weight).fit()
        assert list(found["parameters"].values()) == pytest.approx(oracle.params, rel=1e-10)


def test_a_row_of_weight_zero_counts_for_nothing(tmp_path, capsys):
    """A blank at dose 0 has no weight 1/x; the line is that of the other rows."""
    table = tmp_path / "line.csv"
    table.write_text("x,y\n0,5\n1,1\n2,3\n3,4\n4,9\n")
    x, y = np.arange(1.0, 5), np.array([1.0, 3, 4, 9])
    words = ["--model", "linear", "--weighting", "1/x", "--json"]
    assert main(["assay", "fit", str(table), *words]) == 0

    found = json.loads(capsys.readouterr().out)
    oracle = statsmodels.api.WLS(y, statsmodels.api.add_constant(x), weights=1 / x).fit()
    assert (found["observations"], found["left_out"], found["degrees_of_freedom"]) == (4, 1, 2)
    assert list(found["standard_errors"].values()) == pytest.approx(oracle.bse, rel=1e-10)


# Root length of ryegrass under ferulic acid, the example of R's drc (Ritz and Streibig, J Stat
# Softw 12, 2005), printed there as b 2.98222, c 0.48141, d 7.79296, e 3.05795 (drc stops at a
# relative change of 1e-7, hence its last digits).
RYEGRASS = {
    0: (7.58, 8.0, 8.328571, 7.25, 7.375, 7.9625),
    0.94: (8.355556, 6.914286, 7.75),
    1.88: (6.871429, 6.45, 5.922222),
    3.75: (1.925, 2.885714, 4.233333),
    7.5: (1.1875, 0.857143, 1.057143),
    15: (0.6875, 0.525, 0.825),
    30: (0.25, 0.22, 0.44),
}


def test_a_four_parameter_curve_meets_the_published_fit_of_ryegrass(tmp_path):
    table = tmp_path / "ryegrass.csv"
    table.write_text("conc,y\n" + "".join(f"{x},{y}\n" for x, ys in RYEGRASS.items() for y in ys))

    found = fit(read_points(table), model("4pl"))

    p = found.parameters
    assert [p["B"], p["D"], p["A"], p["C"]] == pytest.approx(
        [2.98222, 0.48141, 7.79296, 3.05795], rel=5e-5
    )


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**31),
    curve=st.sampled_from(["4pl", "5pl"]),
    rising=st.booleans(),
)
def test_no_other_search_finds_a_better_curve(seed, curve, rising):
    rng = np.random.default_rng(seed)
    x = np.repeat(np.geomspace(0.1, 100, 9), 2)
    B, C, G = rng.uniform(0.7, 2.5), rng.uniform(2, 6), rng.uniform(0.6, 1.8)
    G = G if curve == "5pl" else 1.0
    ends = (0.1, 2.0) if rising else (2.0, 0.1)
    y = ends[1] + (ends[0] - ends[1]) / (1 + (x / C) ** B) ** G + rng.normal(0, 0.02, len(x))
    from decimal import Decimal

    from anlage.lab.assay import Points

    points = Points(
        x={"x": [Decimal(repr(float(v))) for v in x]}, y=[Decimal(repr(float(v))) for v in y]
    )
    found = fit(points, model(curve), exact=False)

    def residuals(theta):
        A, B, lnC, D, *rest = theta
        G = rest[0] if rest else 1.0
        with np.errstate(all="ignore"):
            f = D + (A - D) / (1 + np.exp(np.clip(B * (np.log(x) - lnC), -300, 300))) ** G
        return np.nan_to_num(f - y, nan=1e6, posinf=1e6, neginf=-1e6)

    start = [ends[0], B, math.log(C), ends[1]] + ([G] if curve == "5pl" else [])
    oracle = scipy.optimize.least_squares(
        residuals, start, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=20_000
    )
    assert found.rss <= 2 * oracle.cost * (1 + 1e-7)


def test_a_formula_is_fitted_with_the_start_given(tmp_path, capsys):
    table = tmp_path / "f.csv"
    rows = "".join(f"{x},{5 * math.exp(-0.3 * x) + 1!r}\n" for x in range(12))
    table.write_text("x,y\n" + rows)

    words = ["--model", "b1*exp(-b2*x)+b3", "--start", "b1=1,b2=0.1,b3=0", "--json"]
    assert main(["assay", "fit", str(table), *words]) == 0

    found = json.loads(capsys.readouterr().out)["parameters"]
    assert [found["b1"], found["b2"], found["b3"]] == pytest.approx([5, 0.3, 1], rel=1e-9)


@pytest.mark.parametrize(
    "text",
    ["", "b1*(x", "__import__('os')", "b1**", "open(x)", "b1;x", "(" * 500 + "x", "b1*x" * 3000],
)
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(Refused) as refusal:
        Formula(text)

    assert refusal.value.code == "formula-unreadable"


@given(text=st.text(alphabet="bx12+-*/^().explogsin ", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        formula = Formula(text)
    except Refused:
        return
    values = {name: np.array([0.5, 2.0]) for name in formula.variables} or {"x": np.zeros(2)}
    assert formula.value(values, np.ones(len(formula.parameters))).shape == (2,)


@settings(deadline=None)
@given(
    text=st.sampled_from(
        [
            "b1*exp(-b2*x)/(b3+x**2)", "b1*x**b2", "sin(b1*x)+cos(b2*x)*tan(b3*x/9)",
            "atan(b1*x)-log(b2+x)*sqrt(b3*x)", "b1-(-b2*x)**3/b3", "D+(A-D)/(1+(x/C)**B)**G",
        ]
    ),
    theta=st.lists(st.floats(0.2, 2), min_size=5, max_size=5),
)  # fmt: skip
def test_derivatives_agree_with_differences(text, theta):
    formula = Formula(text)
    x = {"x": np.array([0.3, 0.9, 1.7])}
    at = np.array(theta[: len(formula.parameters)])

    J = formula.gradient(x, at)[1]

    for k in range(len(at)):
        step = np.zeros(len(at))
        step[k] = 1e-6
        difference = (formula.value(x, at + step) - formula.value(x, at - step)) / 2e-6
        assert J[:, k] == pytest.approx(difference, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "file-empty", None),
        (b"x,y\n", "file-empty", None),
        (b"x,z\n1,2\n", "column-missing", 1),
        (b"x,y\n1,2\n2,\n3,4\n", "value-missing", 3),
        (b"x,y\n1,2\n\n2,abc\n", "value-not-a-number", 4),
        (b"x,y\n1,2\n2,1,5\n", "row-too-long", 3),
        (b"x,y\n1,2\n2,nan\n", "value-missing", 3),
        (b"x,y\n1,2\n2,inf\n", "value-not-a-number", 3),
        (b"x,y\n1,2\n2,3\n", "too-few-observations", None),
        (b"\x00\x01\x02\x03,\n", "file-not-a-table", None),
        (b"PK\x03\x04rubbish", "file-not-a-table", None),
        (b"x,y,y\n1,2,3\n", "column-twice", 1),
    ],
)
def test_a_hostile_table_is_refused_with_its_line(tmp_path, capsys, content, code, line):
    table = tmp_path / "t.csv"
    table.write_bytes(content)

    assert main(["assay", "fit", str(table), "--model", "4pl", "--json"]) == 2

    refused = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["code"], refused["line"]) == (code, line)


def test_a_decimal_comma_counts_only_where_it_is_declared(tmp_path):
    table = tmp_path / "comma.csv"
    table.write_text("x;y\n1,5;2,5\n2,5;3,5\n4;5\n")

    with pytest.raises(Refused, match="decimal sign"):
        read_points(table)

    assert fit(read_points(table, decimal=","), model("linear")).parameters["b1"] == (
        pytest.approx(1.0)
    )


def test_a_refused_file_does_not_stop_the_others(tmp_path, capsys):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("x,y\n1,2\n2,4\n3,6.1\n")
    bad.write_text("x,y\n1,\n")

    assert main(["assay", "fit", str(bad), str(good), "--model", "linear", "--json"]) == 2

    files = json.loads(capsys.readouterr().out)["files"]
    assert files[0]["refused"]["code"] == "value-missing"
    assert files[1]["parameters"]["b1"] == pytest.approx(2.05)


def test_data_that_do_not_determine_a_curve_are_refused(tmp_path):
    table = tmp_path / "flat.csv"
    table.write_text("x,y\n" + "".join(f"{x},1.5\n" for x in (1, 2, 4, 8, 16, 32)))

    with pytest.raises(Refused) as refusal:
        fit(read_points(table), model("4pl"))

    assert refusal.value.code == "parameters-not-determined"


def test_logarithms_in_place_of_doses_are_named(tmp_path, capsys):
    table = tmp_path / "log.csv"
    table.write_text("dose,response\n" + "".join(f"{k - 3},{1.1**k}\n" for k in range(8)))

    assert main(["assay", "fit", str(table), "--model", "4pl", "--json"]) == 2

    refused = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["code"], refused["found"]) == ("dose-negative", "-3")
