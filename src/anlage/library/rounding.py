"""Rounding of exact values, once and by a stated rule."""

from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction

from anlage.base import Quantity, scale_of


class Rounding(StrEnum):
    """How an exact value becomes one of so many decimals.

    `half-up` looks at the first digit dropped: 5 or more rounds away from zero (the practice of
    USP General Notices 7.20). `half-even` sends a tie to the even digit. `up` and `down` go to the
    next greater and the next smaller value: bags are counted up, dilutions down. `none` keeps all.
    """

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    UP = "up"
    DOWN = "down"
    NONE = "none"


def rounded(value: Fraction, decimals: int, rounding: Rounding) -> Decimal:
    """Give an exact value with so many decimals; 28 significant digits for `none`.

    Example:
        >>> str(rounded(Fraction("69.5"), 0, Rounding.HALF_UP))
        '70'
        >>> str(rounded(Fraction("-0.125"), 2, Rounding.HALF_UP))
        '-0.13'
    """
    if rounding is Rounding.NONE:
        return _PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))
    scaled = value * 10**decimals
    floor = scaled.numerator // scaled.denominator
    rest = scaled - floor
    half = Fraction(1, 2)
    if rounding is Rounding.UP:
        floor += rest > 0
    elif rounding is Rounding.HALF_EVEN:
        floor += rest > half or (rest == half and floor % 2 == 1)
    elif rounding is Rounding.HALF_UP:
        floor += rest > half or (rest == half and value > 0)
    sign, digits = int(floor < 0), tuple(int(digit) for digit in str(abs(floor)))
    return Decimal((sign, digits, -decimals))


def exact(quantity: Quantity) -> Fraction:
    """Give a quantity's value in base units, exactly."""
    return scale_of(quantity.unit).to_base(Fraction(quantity.value))


_PRECISE = Context(prec=28)
