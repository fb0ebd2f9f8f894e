"""Quantities: exact values, known units, no silent conversion."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Quantity, Refused, scale_of


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("1.50 mL", "uL", "1500"),
        ("36 h", "d", "1.5"),
        ("37 Cel", "K", "310.15"),
        ("2 10*6/mL", "1/L", "2000000000"),
        ("2e6 cell/mL", "cell/L", "2000000000"),
        ("70 %", "1", "0.7"),
        ("3.5 [EU]/mL", "[EU]/L", "3500"),
        ("1 hour", "min", "60"),
        ("98.6 [degF]", "Cel", "37"),
        ("-40 Cel", "[degF]", "-40"),
    ],
)
def test_a_quantity_converts_exactly(text, unit, expected):
    assert Quantity.parse(text).to(unit).value == Decimal(expected)


@pytest.mark.parametrize(
    "text",
    ["", "mL", "1,5 mL", "1.5 bogus", "NaN mL", "1e9999 mL", "1.5 mL; drop", "0x10 mL", "9" * 200],
)
def test_text_that_is_no_quantity_is_refused(text):
    with pytest.raises(Refused):
        Quantity.parse(text)


def test_a_third_of_an_hour_is_rounded_once_and_rightly():
    assert str(Quantity.parse("5 min").to("h").value) == "0.08333333333333333333333333333"


def test_a_logarithmic_unit_is_refused_rather_than_taken_for_a_ratio():
    with pytest.raises(Refused):
        Quantity.parse("1 dB").to("1")


@pytest.mark.parametrize("unit", ["bag", "vial", "dose", "item", "cell", "copy", "event"])
def test_counted_things_are_kinds_of_their_own_and_weigh_nothing(unit):
    assert len(scale_of(unit).kind) == 1
    assert scale_of(unit).kind[0][0].endswith("_number]")


def test_cells_never_convert_to_beads():
    with pytest.raises(Refused) as refusal:
        Quantity.parse("1e6 cell").to("bead")

    assert refusal.value.code == "unit-mismatch"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6
    )
)
def test_the_decimals_written_are_the_decimals_kept(value):
    assert Quantity.parse(f"{value} mL").value.as_tuple() == value.as_tuple()
