"""Scales, against FlowUtils' independent implementation and their own inverses."""

import numpy
import pytest
from flowutils import transforms as oracle

from anlage.base import Refused
from anlage.lab.flow import (
    Asinh,
    Biexponential,
    FlowJoLog,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    Matrix,
    Ratio,
    parse_spillover,
)

PARAMETERS = [
    (262_144, 0.5, 4.5, 0), (10_000, 1, 4, 0.5), (1_000, 0, 4, 0), (262_144, 1.5, 4.5, 1),
    (1e6, 0.1, 5, -0.05), (262_144, 2.25, 4.5, 0), (1_000, 1, 4, 1), (1, 0.5, 4.5, 0),
]  # fmt: skip


def signals(rng, top):
    exponents = rng.uniform(-9, 0.3, 20_000)
    return numpy.concatenate([top * 10**exponents, -top * 10 ** exponents[::2], [0.0]])


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_logicle_agrees_with_flowutils_to_a_billionth(parameters, rng):
    T, W, M, A = parameters
    x = signals(rng, T)

    found = Logicle(T, W, M, A).apply(x)

    assert numpy.max(numpy.abs(found - oracle._logicle(x, T, M, W, A))) < 1e-9


@pytest.mark.parametrize("parameters", [p for p in PARAMETERS if p[1] > 0])
def test_hyperlog_agrees_with_flowutils_to_a_billionth(parameters, rng):
    T, W, M, A = parameters
    x = signals(rng, T)

    found = Hyperlog(T, W, M, A).apply(x)

    assert numpy.max(numpy.abs(found - oracle._hyperlog(x, T, M, W, A))) < 1e-9


@pytest.mark.parametrize("kind", [Logicle, Hyperlog])
def test_the_table_stays_within_two_parts_in_a_hundred_billion_of_newton(kind, rng):
    scale = kind(262_144, 0.5, 4.5, 0)
    x = signals(rng, 262_144)

    assert numpy.max(numpy.abs(scale.apply(x) - scale.exact(x))) < 2e-11


def test_signals_past_the_table_are_still_exact_and_what_is_no_number_stays_so():
    scale = Logicle(262_144, 0.5, 4.5, 0)
    x = numpy.array([1e12, -1e12, numpy.nan, numpy.inf, -numpy.inf])

    found = scale.apply(x)

    assert numpy.allclose(scale.inverse(found[:2]), x[:2], rtol=1e-12)
    assert numpy.isnan(found[2])
    assert found[3] == numpy.inf
    assert found[4] == -numpy.inf


@pytest.mark.parametrize(
    "scale",
    [
        Linear(1_000, 10), Log(262_144, 4.5), Asinh(262_144, 4.5, 0.5), Logicle(262_144, 1, 4.5, 0),
        Hyperlog(262_144, 1, 4.5, 0), FlowJoLog(1, 5.4), Biexponential(),
    ],
)  # fmt: skip
def test_the_inverse_undoes_the_scale(scale):
    x = numpy.geomspace(20, 200_000, 400)

    assert numpy.allclose(scale.inverse(scale.apply(x)), x, rtol=2e-6)


def test_the_top_of_the_scale_is_one():
    for scale in (
        Linear(1_000, 5), Log(1_000, 4), Asinh(1_000, 4, 1), Logicle(1_000, 1, 4, 0),
        Hyperlog(1_000, 1, 4, 0),
    ):  # fmt: skip
        assert scale.apply(numpy.array([1_000.0]))[0] == pytest.approx(1, abs=1e-12)


def test_asinh_and_log_agree_with_flowutils(rng):
    x = signals(rng, 1_000)
    above = numpy.abs(x) + 1e-3

    assert numpy.allclose(
        Asinh(1_000, 4, 1).apply(x), oracle.asinh(x, None, 1_000, 4, 1), rtol=0, atol=1e-13
    )
    assert numpy.allclose(
        Log(1_000, 4).apply(above), oracle.log(above, None, 1_000, 4), rtol=0, atol=1e-13
    )


def test_the_logarithm_of_nothing_is_below_every_bound():
    assert numpy.all(numpy.isneginf(Log(100, 2).apply(numpy.array([0.0, -5.0]))))


def test_a_ratio_over_nothing_is_no_number():
    ratio = Ratio("A", "B", 1, 0, -1)

    found = ratio.of(numpy.array([4.0, 4.0]), numpy.array([1.0, -1.0]))

    assert found[0] == 2
    assert numpy.isnan(found[1])


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (Logicle, (0, 0.5, 4.5, 0)), (Logicle, (1_000, 3, 4, 0)), (Logicle, (1_000, -1, 4, 0)),
        (Logicle, (1_000, 1, 4, 3)), (Hyperlog, (1_000, 0, 4, 0)), (Linear, (0, 0)),
        (Log, (1_000, 0)), (Asinh, (-1, 4, 0)), (Logicle, (float("nan"), 1, 4, 0)),
        (Biexponential, (0, 5)), (FlowJoLog, (0, 4)), (Ratio, ("A", "B", 0, 0, 0)),
    ],
)  # fmt: skip
def test_parameters_outside_the_domain_are_refused(kind, parameters):
    with pytest.raises(Refused) as refusal:
        kind(*parameters)
    assert refusal.value.code == "transform-parameter"


@pytest.mark.shared
def test_the_biexponential_table_is_flowjos_own(shared_data):
    # FlowJo's own table of signals by channel, to six digits, for width -10^0.9 and one
    # negative decade.
    path = shared_data / "flow_cytometry" / "flowkit" / "flowjo_xforms"
    table = numpy.genfromtxt(next(path.iterdir()), delimiter=",", skip_header=1)

    found = Biexponential(1.0, -7.943282, 4.41854, 262_144.000029).inverse(table[:, 0])

    assert len(table) == 4_096
    assert numpy.allclose(found, table[:, 1], rtol=1e-5, atol=1e-3)


@pytest.mark.req("L05")
def test_compensation_undoes_the_spill(rng):
    spill = numpy.array([[1, 0.2, 0.01], [0.05, 1, 0.3], [0, 0.1, 1]])
    matrix = Matrix(
        id="M", fluorochromes=("a", "b", "c"), detectors=("A", "B", "C"),
        values=tuple(map(tuple, spill.tolist())),
    )  # fmt: skip
    true = rng.normal(1_000, 300, (3, 500))

    assert numpy.allclose(matrix.apply(spill.T @ true), true)


def test_more_detectors_than_fluorochromes_are_solved_by_least_squares(rng):
    spill = rng.uniform(0, 1, (3, 8))
    matrix = Matrix(
        id="M", fluorochromes=tuple("abc"), detectors=tuple("ABCDEFGH"),
        values=tuple(map(tuple, spill.tolist())),
    )  # fmt: skip
    measured = rng.normal(100, 10, (8, 200))

    expected = numpy.linalg.lstsq(spill.T, measured, rcond=None)[0]
    assert numpy.allclose(matrix.apply(measured), expected)


@pytest.mark.parametrize("text", ["", "2,A", "x,A,B,1,0,0,1", "2,A,B,1,0,0,one", "1,A,nan", "0"])
def test_a_spillover_list_that_is_none_is_refused(text):
    with pytest.raises(Refused) as refusal:
        parse_spillover(text)
    assert refusal.value.code == "fcs-spillover"
