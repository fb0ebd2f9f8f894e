"""A quantity: an exact decimal number with a unit of measure (UCUM code or common name).

The value keeps its decimals, so that 0.50 mL stays 0.50 mL on a certificate. Conversion goes
through pint, loaded on first use only, with a registry that knows the counted things of the field
(cells, beads, copies, activities) as kinds of their own.
"""

import functools
import re
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from .errors import Refused

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*?)\s*", re.DOTALL)
_DIGITS_MAX = 40


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact value and its unit of measure; `1` is the unit of a pure number.

    Example:
        >>> Quantity.parse("1.50 mL").to("uL")
        Quantity('1500 uL')
    """

    value: Decimal
    unit: str

    def __post_init__(self) -> None:
        if not self.value.is_finite():
            raise _unreadable(str(self.value))

    @classmethod
    def of(cls, value: Decimal | int | str, unit: str = "1") -> "Quantity":
        """Build from an exact number (never a float) and a unit.

        Raises:
            Refused: The number cannot be read exactly, or the unit is unknown.
        """
        if isinstance(value, str):
            value = value.strip()
            if len(value) > _DIGITS_MAX:
                raise _unreadable(value[:_DIGITS_MAX] + "…")
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise _unreadable(str(value)) from error
        if unit != "1":
            unit_of(unit)
        return cls(number, unit)

    @classmethod
    def parse(cls, text: str) -> "Quantity":
        """Read `"1.5 mL"`, `"70 %"` or `"2e6 cell/mL"`; a decimal comma is refused, not guessed.

        Raises:
            Refused: The text is not a number with a known unit.
        """
        match = _NUMBER.fullmatch(text)
        if not match or len(text) > 120:
            raise _unreadable(text[:60])
        return cls.of(match[1], match[2] or "1")

    def to(self, unit: str) -> "Quantity":
        """Give the same quantity in another unit, with at most 28 significant digits.

        Raises:
            Refused: The two units measure different things.
        """
        if unit == self.unit:
            return self
        source, target = scale_of(self.unit), scale_of(unit)
        if source.kind != target.kind:
            raise Refused(
                "unit-mismatch",
                what=f"quantity {self}",
                found=f"unit {self.unit}",
                limit=f"a unit that converts to {unit}",
                remedy=f"state the value in {unit} or a unit of the same kind",
                rule="UCUM",
            )
        exact = target.from_base(source.to_base(Fraction(self.value)))
        ratio = _PRECISE.divide(Decimal(exact.numerator), Decimal(exact.denominator))
        return Quantity(_plain(ratio), unit)

    def compare(self, other: "Quantity") -> int:
        """Give -1, 0 or 1 as this quantity is below, equal to or above the other.

        Raises:
            Refused: The two units measure different things.
        """
        mine = self.value if self.unit == other.unit else self.to(other.unit).value
        return (mine > other.value) - (mine < other.value)

    def __str__(self) -> str:
        number = format(self.value, "f") if abs(self.value.adjusted()) < 16 else str(self.value)
        return number if self.unit == "1" else f"{number} {self.unit}"

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"


@dataclass(frozen=True, slots=True)
class Scale:
    """How a unit of measure stands to the base units of its kind, exactly.

    Attributes:
        factor: How many base units one of this unit is.
        offset: Where its zero lies, in base units; other than 0 for degrees Celsius and Fahrenheit.
        kind: The dimensions and their powers, sorted: what the unit measures.
    """

    factor: Fraction
    offset: Fraction
    kind: tuple[tuple[str, int], ...]

    def to_base(self, value: Fraction) -> Fraction:
        """Give a value of this unit in base units."""
        return value * self.factor + self.offset

    def from_base(self, value: Fraction) -> Fraction:
        """Give a value of base units in this unit."""
        return (value - self.offset) / self.factor


@functools.lru_cache(maxsize=1024)
def scale_of(unit: str) -> Scale:
    """Give the exact scale of a unit; powers and products keep their fractions exact.

    Raises:
        Refused: Nobody knows the unit, or it is logarithmic or has a broken power.
    """
    parsed, registry = unit_of(unit), _registry()
    factor, kind = Fraction(1), []
    try:
        for name, power in parsed._units.items():
            if registry._units[name].is_logarithmic:
                raise ValueError("a logarithmic unit")
            base = _DEGREES.get(name) or Fraction(registry.get_base_units(name)[0])
            factor *= base ** _whole(power)
        for dimension, power in dict(parsed.dimensionality).items():
            kind.append((str(dimension), _whole(power)))
        offset = _ZEROS.get(str(parsed), Fraction(0))
    except Exception as error:  # pint raises a dozen kinds
        raise _unknown_unit(unit) from error
    return Scale(factor=factor, offset=offset, kind=tuple(sorted(kind)))


def _whole(power: Any) -> int:
    if int(power) != power:
        raise ValueError("a broken power")
    return int(power)


_PRECISE = Context(prec=28)
_DEGREES = {"degree_Celsius": Fraction(1), "degree_Fahrenheit": Fraction(5, 9)}
_ZEROS = {
    "degree_Celsius": Fraction("273.15"),
    "degree_Fahrenheit": Fraction("459.67") * Fraction(5, 9),
}


@functools.lru_cache(maxsize=1024)
def unit_of(text: str) -> Any:
    """Give the pint unit of a UCUM code or common name.

    Raises:
        Refused: Nobody knows the unit.
    """
    if len(text) > 60:
        raise _unknown_unit(text[:60])
    known = _ALIASES.get(text)
    registry = _registry()
    try:
        return registry.parse_units(known if known is not None else _from_ucum(text))
    except Exception as error:  # pint raises a dozen kinds
        raise _unknown_unit(text) from error


# UCUM writes powers of ten and dimensionless arbitrary units in ways of its own; cells and units
# of activity are kinds of their own, so that 1e6 cell never converts to 1e6 bead, and an
# international unit never to a gram.
_ALIASES = {
    "1": "dimensionless",
    "%": "percent",
    "Cel": "degree_Celsius",
    "[degF]": "degree_Fahrenheit",
    "[iU]": "international_activity",
    "IU": "international_activity",
    "[EU]": "endotoxin_activity",
    "EU": "endotoxin_activity",
    "[CFU]": "colony",
    "CFU": "colony",
    "[pH]": "pH_scale",
    "pH": "pH_scale",
    "TU": "transducing",
    "cells": "cell",
    "bag": "product_bag",  # to pint a bag is 94 pounds of cement
    "bags": "product_bag",
    "a": "year",
    "mo": "month",
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "L": "liter",
    "l": "liter",
    "u": "dalton",
    "m[H2O]": "meter_H2O",
}


def _from_ucum(text: str) -> str:
    parts = []
    for piece in re.split(r"([./])", text.replace(" ", "")):
        if piece in {".", "/"}:
            parts.append("*" if piece == "." else "/")
            continue
        if piece in _ALIASES:
            parts.append(_ALIASES[piece])
            continue
        match = re.fullmatch(r"10\*(-?\d+)", piece)
        if match:
            parts.append(f"ten_power_{match[1].replace('-', 'minus_')}")
            continue
        match = re.fullmatch(r"([kmunpf]?)(\[iU\]|IU|TU|EU|CFU)", piece)
        if match:
            parts.append(
                {"": "", "k": "kilo", "m": "milli", "u": "micro", "n": "nano"}[match[1]]
                + _ALIASES[match[2]]
            )
            continue
        match = re.fullmatch(r"\{([A-Za-z]+)\}", piece)
        if match:
            parts.append(_ALIASES.get(match[1], match[1]))
            continue
        match = re.fullmatch(r"([A-Za-zµμ]+)(-?\d+)", piece)
        parts.append(f"{match[1]}**{match[2]}" if match else piece)
    return "".join(parts)


@functools.cache
def _registry() -> Any:
    import pint

    registry = pint.UnitRegistry(non_int_type=Decimal, autoconvert_offset_to_baseunit=True)
    for line in (
        "cell = [cell_number]",
        "bead = [bead_number]",
        "copy = [copy_number] = copies",
        "dose = [dose_number] = doses",
        "vial = [vial_number] = vials",
        "product_bag = [bag_number]",
        "item = [item_number] = items",
        "colony = [colony_number]",
        "event = [event_number] = events",
        "international_activity = [international_activity]",
        "endotoxin_activity = [endotoxin_activity]",
        "transducing = [transducing_unit]",
        "pH_scale = [pH_scale]",
    ):
        registry.define(line)
    for power in range(-15, 16):
        registry.define(f"ten_power_{str(power).replace('-', 'minus_')} = 1e{power}")
    return registry


def _plain(value: Decimal) -> Decimal:
    rounded = +value
    whole = rounded.to_integral_value()
    return whole if rounded == whole and abs(rounded.adjusted()) < 28 else rounded.normalize()


def _unreadable(text: str) -> Refused:
    return Refused(
        "quantity-unreadable",
        what="quantity",
        found=repr(text),
        limit="a decimal number with a unit, such as 1.5 mL",
        remedy="write the number with a decimal point and a unit",
        rule="UCUM",
    )


def _unknown_unit(text: str) -> Refused:
    return Refused(
        "unit-unknown",
        what="unit of measure",
        found=repr(text),
        limit="a UCUM code or a common name, such as mL, 10*6/mL, Cel, hour",
        remedy="correct the unit",
        rule="UCUM",
    )
