"""Calculations: exact, of the right dimension, and never code."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Quantity, Refused
from anlage.library import Calculation


def a_calculation(expression="before - after", unit="mL", inputs=None, examples=None, **more):
    inputs = inputs or {"before": "mL", "after": "mL"}
    values = {name: f"1 {of}" if of != "1" else "1" for name, of in inputs.items()}
    return {
        "kind": "calculation",
        "id": "trial",
        "title": "Trial",
        "basis": "illustrative",
        "inputs": [{"name": name, "unit": of} for name, of in inputs.items()],
        "expression": expression,
        "result": {"unit": unit, "decimals": 2, **more.pop("result", {})},
        "examples": examples or [{"inputs": values, "result": f"0 {unit}"}],
        **more,
    }


ENDOTOXIN = a_calculation(
    '"5 [EU]/kg/h" * weight / rate',
    "[EU]/mL",
    {"weight": "kg", "rate": "mL/h"},
    # USP <85>: K/M with K = 5 EU/kg/h; 70 kg at 100 mL/h gives 3.5 EU/mL.
    [{"inputs": {"weight": "70 kg", "rate": "100 mL/h"}, "result": "3.5 [EU]/mL"}],
)


def quantities(**texts):
    return {name: Quantity.parse(text) for name, text in texts.items()}


def test_the_endotoxin_limit_is_that_of_the_published_example():
    limit = Calculation.read(ENDOTOXIN)

    assert str(limit.compute(quantities(weight="70 kg", rate="100 mL/h"))) == "3.50 [EU]/mL"
    assert str(limit.compute(quantities(weight="70000 g", rate="0.1 L/h"))) == "3.50 [EU]/mL"


def test_nothing_is_lost_between_steps():
    thirds = a_calculation(
        "third * 3", "mL", {"volume": "mL"}, [{"inputs": {"volume": "1 mL"}, "result": "1 mL"}]
    )
    thirds["steps"] = [{"name": "third", "expression": "volume / 3"}]
    thirds["result"] = {"unit": "mL", "decimals": 2, "rounding": "down"}

    found = Calculation.read(thirds).trace(quantities(volume="1 mL"))

    assert str(found.result) == "1.00 mL"
    assert found.steps[0][0] == "third"


@given(
    st.decimals("0.001", "1e9", places=3),
    st.decimals("0.001", "1e9", places=3),
    st.sampled_from([("mL", 1), ("L", 1000), ("uL", Fraction(1, 1000))]),
)
def test_a_difference_is_that_of_exact_fractions_in_any_unit(before, after, unit):
    name, factor = unit
    values = {"before": Quantity(before, name), "after": Quantity(after, "mL")}

    found = Calculation.read(a_calculation()).trace(values)

    expected = Fraction(before) * factor - Fraction(after)
    assert abs(Fraction(found.unrounded.value) - expected) < Fraction(1, 10**14)
    assert found.result.value.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("expression", "unit", "inputs", "values", "expected"),
    [
        ("min(a, b)", "mL", {"a": "mL", "b": "L"}, {"a": "5 mL", "b": "1 L"}, "5.00 mL"),
        ("max(a, b)", "mL", {"a": "mL", "b": "L"}, {"a": "5 mL", "b": "1 L"}, "1000.00 mL"),
        ("abs(-a)", "mL", {"a": "mL"}, {"a": "5 mL"}, "5.00 mL"),
        ('ceil(a / "20 mL")', "1", {"a": "mL"}, {"a": "41 mL"}, "3.00"),
        ('floor(a / "20 mL")', "1", {"a": "mL"}, {"a": "41 mL"}, "2.00"),
        ("a ** 2", "mL2", {"a": "mL"}, {"a": "5 mL"}, None),
        ('a if a > "1 mL" else "1 mL"', "mL", {"a": "mL"}, {"a": "0.5 mL"}, "1.00 mL"),
        ('0 if a > "1 mL" and a < "3 mL" else 1', "1", {"a": "mL"}, {"a": "2 mL"}, "0.00"),
        ("2 ** -1 * a", "mL", {"a": "mL"}, {"a": "5 mL"}, "2.50 mL"),
        ("0.1 * a + 0.2 * a", "mL", {"a": "mL"}, {"a": "1 mL"}, "0.30 mL"),
    ],
)
def test_arithmetic_of_the_trade(expression, unit, inputs, values, expected):
    values = {name: Quantity.parse(text) for name, text in values.items()}
    if expected is None:
        unit, expected = "cm3.cm3", "25.00 cm3.cm3"
    example = {"inputs": {n: str(v) for n, v in values.items()}, "result": expected}
    content = a_calculation(expression, unit, inputs, [example])

    assert str(Calculation.read(content).compute(values)) == expected


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("before + cells", "expression"),
        ("before - after +", "expression"),
        ("__import__('os').system('true') + before + after", "expression"),
        ("before.real + after", "expression"),
        ("[before for x in (1,)] + after", "expression"),
        ("(lambda: before)() + after", "expression"),
        ("before - after if before else after", "expression"),
        ("before ** after", "expression"),
        ("before ** 99 + after", "expression"),
        ("before - after + 1", "expression"),
        ("exec('before') + after", "expression"),
        ("min(before) + after", "expression"),
        ("before * after", "expression"),
        ("before - after * True", "expression"),
        ("before - after * 1j", "expression"),
        ('before - after + f"{before}"', "expression"),
        ("(" * 900 + "before" + ")" * 900 + "- after", "expression"),
        ("before" + " + after" * 500, "expression"),
        ("before", "inputs"),
        ("x" * 5000, "expression"),
        ('before - after + ceil(before) * "1 mL"', "expression"),
        ('before - after + "1 bogus"', "expression"),
    ],
)
def test_what_is_not_arithmetic_of_the_right_kind_is_refused(expression, place):
    with pytest.raises(Refused) as refusal:
        Calculation.read(a_calculation(expression))

    assert refusal.value.problem.remedy
    assert place in {problem.path for problem in refusal.value.problems}


def test_powers_of_powers_stop_before_they_fill_the_memory():
    text = "((((((a ** 6) ** 6) ** 6) ** 6) ** 6) ** 6) ** 6"
    values = {"a": "12345678901234567890.12345"}

    with pytest.raises(Refused) as refusal:
        Calculation.read(a_calculation(text, "1", {"a": "1"}, [{"inputs": values, "result": "1"}]))

    assert refusal.value.code == "calculation-too-large"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"before": "5 mL"}, "calculation-inputs"),
        ({"before": "5 mL", "after": "1 mL", "more": "1 mL"}, "calculation-inputs"),
        ({"before": "5 mL", "after": "1 cell"}, "unit-mismatch"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(values, code):
    with pytest.raises(Refused) as refusal:
        Calculation.read(a_calculation()).compute(quantities(**values))

    assert refusal.value.code == code


def test_a_division_by_zero_is_refused_and_not_infinite():
    ratio = a_calculation(
        "before / after",
        "%",
        None,
        [{"inputs": {"before": "1 mL", "after": "2 mL"}, "result": "50 %"}],
    )

    with pytest.raises(Refused) as refusal:
        Calculation.read(ratio).compute(quantities(before="1 mL", after="0 mL"))

    assert refusal.value.code == "calculation-undefined"


def test_a_value_that_nobody_would_believe_is_refused():
    content = a_calculation()
    content["inputs"][0]["most"] = "2 L"
    calculation = Calculation.read(content)

    with pytest.raises(Refused) as refusal:
        calculation.compute(quantities(before="5 L", after="1 mL"))

    assert refusal.value.code == "calculation-implausible"


def test_a_worked_example_that_does_not_come_out_keeps_the_definition_out():
    content = {
        **ENDOTOXIN,
        "examples": [{"inputs": {"weight": "70 kg", "rate": "100 mL/h"}, "result": "3.4 [EU]/mL"}],
    }

    with pytest.raises(Refused) as refusal:
        Calculation.read(content)

    assert refusal.value.problem.path == "examples[0].result"


@pytest.mark.req("ANNEX11.6")
def test_an_independent_result_agrees_within_the_tolerance_only():
    calculation = Calculation.read({**a_calculation(), "tolerance": "0.01 mL"})
    mine = calculation.compute(quantities(before="5 mL", after="1 mL"))

    assert calculation.check(mine, Quantity.parse("4.01 mL")).agrees
    assert calculation.check(mine, Quantity.parse("0.00401 L")).agrees
    verdict = calculation.check(mine, Quantity.parse("4.02 mL"))
    assert not verdict.agrees
    assert verdict.difference.value == Decimal("0.02")


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text):
    try:
        Calculation.read(a_calculation(text))
    except Refused as refusal:
        assert refusal.problem.remedy
