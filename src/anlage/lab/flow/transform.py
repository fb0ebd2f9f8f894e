"""Scales of flow cytometry: linear, logarithmic, asinh, logicle, hyperlog, ratio, biexponential.

Source: Gating-ML 2.0 section 6, doi:10.1002/cyto.a.22690; logicle: Moore & Parks 2012,
doi:10.1002/cyto.a.22030; hyperlog: Bagwell 2005, doi:10.1002/cyto.a.20114. T is the top of the
linear scale (mapped to 1), M its decades, W the linear decades, A further negative decades.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy
from numpy.typing import NDArray

from anlage.base import Refused

from .kernels import look_up_odd, solve_odd

Floats = NDArray[numpy.float64]
LN10: Final = math.log(10.0)
TABLE_ERROR_MAX: Final = 2e-11
OCTAVES_PAST_TOP: Final = 3


class Transform(Protocol):
    """A scale: from signal to display position, and back."""

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        ...

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        ...


Scaling = Callable[[Floats, Floats], object]


def scaling(scale: Transform) -> Scaling:
    """Give the scale as a function of (signals, out) on contiguous rows, its table looked up once.

    It serves loops over many blocks.
    """
    if not isinstance(scale, Logicle | Hyperlog):
        return scale.apply
    curve = _logicle_curve(scale) if isinstance(scale, Logicle) else _hyperlog_curve(scale)
    table = _table_of(curve)
    if table is None:
        return lambda x, out: solve_odd(x, *curve.shape, out)
    fixed = (*curve.shape, table.shift, table.base, table.mantissa_bits, table.pieces)
    return lambda x, out: look_up_odd(x, *fixed, out)


def _checked(name: str, holds: bool, **values: float) -> None:
    top = values.get("T", values.get("top", 1.0))
    if holds and top >= 1e-6 and all(abs(value) < 1e15 for value in values.values()):
        return
    raise Refused(
        "transform-parameter",
        what=f"transformation {name}",
        found=", ".join(f"{key}={value:g}" for key, value in values.items()),
        limit="T >= 1e-6, M > 0, 0 <= 2W <= M, -W <= A <= M - 2W",
        remedy="correct the parameters",
        rule="Gating-ML 2.0 section 6, doi:10.1002/cyto.a.22690",
    )


@dataclass(frozen=True, slots=True)
class Linear:
    """flin: (x + A) / (T + A)."""

    T: float
    A: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        _checked("flin", self.T > 0 and 0 <= self.A <= self.T, T=self.T, A=self.A)

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        out = numpy.add(x, self.A, out=out)
        return numpy.divide(out, self.T + self.A, out=out)

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        return y * (self.T + self.A) - self.A


@dataclass(frozen=True, slots=True)
class Log:
    """flog: log10(x / T) / M + 1; minus infinity at and below zero."""

    T: float
    M: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        _checked("flog", self.T > 0 and self.M >= 0.01, T=self.T, M=self.M)

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        out = numpy.divide(x, self.T, out=out)
        positive = out > 0
        numpy.log10(out, out=out, where=positive)
        out /= self.M
        out += 1.0
        out[~positive] = -numpy.inf
        return out

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        return self.T * numpy.power(10.0, (y - 1.0) * self.M)


@dataclass(frozen=True, slots=True)
class Asinh:
    """fasinh: (asinh(x sinh(M ln 10) / T) + A ln 10) / ((M + A) ln 10)."""

    T: float
    M: float
    A: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        holds = self.T > 0 and 0.01 <= self.M < 100 and 0 <= self.A <= self.M
        _checked("fasinh", holds, T=self.T, M=self.M, A=self.A)

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        out = numpy.multiply(x, math.sinh(self.M * LN10) / self.T, out=out)
        numpy.arcsinh(out, out=out)
        out += self.A * LN10
        out /= (self.M + self.A) * LN10
        return out

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        scale = math.sinh(self.M * LN10) / self.T
        return numpy.sinh(y * ((self.M + self.A) * LN10) - self.A * LN10) / scale


@dataclass(frozen=True, slots=True)
class _Odd:
    """p*expm1(b*t) - q*expm1(-d*t) + r*t, the distance t from `middle`, odd in x."""

    middle: float
    p: float
    b: float
    q: float
    d: float
    r: float
    top: float

    @property
    def shape(self) -> tuple[float, float, float, float, float, float]:
        return self.middle, self.p, self.b, self.q, self.d, self.r

    @property
    def is_usable(self) -> bool:
        """Whether the parameters give a rising curve of finite steepness."""
        slope = self.p * self.b + self.q * self.d + self.r
        return all(math.isfinite(value) for value in self.shape) and 1e-12 < slope < 1e30

    def signal(self, t: Floats) -> Floats:
        t = numpy.asarray(t, numpy.float64)
        away = numpy.abs(t)
        x = self.p * numpy.expm1(self.b * away) - self.q * numpy.expm1(-self.d * away)
        return numpy.copysign(x + self.r * away, t)

    def slope(self, t: Floats) -> Floats:
        rising = self.p * self.b * numpy.exp(self.b * t)
        return rising + self.q * self.d * numpy.exp(-self.d * t) + self.r


@dataclass(frozen=True, slots=True)
class Logicle:
    """logicle: the inverse of a biexponential that is linear around zero.

    Tabled in cubic pieces whose error is measured when built and stays under 2e-11.
    """

    T: float
    W: float
    M: float
    A: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        holds = _in_domain(self) and _logicle_curve(self).is_usable
        _checked("logicle", holds, T=self.T, W=self.W, M=self.M, A=self.A)

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        return _position(_logicle_curve(self), x, out)

    def exact(self, x: Floats) -> Floats:
        """Give the position of each signal by Newton's method, without the table."""
        return _solved(_logicle_curve(self), x)

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        curve = _logicle_curve(self)
        return curve.signal(numpy.asarray(y) - curve.middle)


@dataclass(frozen=True, slots=True)
class Hyperlog:
    """hyperlog: the inverse of an exponential plus a line."""

    T: float
    W: float
    M: float
    A: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        holds = _in_domain(self) and self.W >= 1e-6 and _hyperlog_curve(self).is_usable
        _checked("hyperlog", holds, T=self.T, W=self.W, M=self.M, A=self.A)

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        return _position(_hyperlog_curve(self), x, out)

    def exact(self, x: Floats) -> Floats:
        """Give the position of each signal by Newton's method, without the table."""
        return _solved(_hyperlog_curve(self), x)

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        curve = _hyperlog_curve(self)
        return curve.signal(numpy.asarray(y) - curve.middle)


def _in_domain(scale: Logicle | Hyperlog) -> bool:
    T, W, M, A = scale.T, scale.W, scale.M, scale.A
    return 1e-6 <= T < 1e15 and 0.01 <= M < 100 and 0 <= 2 * W <= M and -W <= A <= M - 2 * W


@lru_cache(maxsize=256)
def _logicle_curve(scale: Logicle) -> _Odd:
    b = (scale.M + scale.A) * LN10
    w = scale.W / (scale.M + scale.A)
    x2 = scale.A / (scale.M + scale.A)
    x1, x0 = x2 + w, x2 + 2 * w
    d = _second_rate(b, w)
    ca = math.exp(x0 * (b + d))
    fa = math.exp(b * x1) - ca / math.exp(d * x1)
    a = scale.T / (math.exp(b) - fa - ca / math.exp(d))
    # Written about x1, where the curve is zero and odd: no digits are lost near zero.
    return _Odd(
        middle=x1,
        p=a * math.exp(b * x1),
        b=b,
        q=ca * a * math.exp(-d * x1),
        d=d,
        r=0.0,
        top=scale.T,
    )


def _second_rate(b: float, w: float) -> float:
    """Solve 2 (ln d - ln b) + w (d + b) = 0 for d in (0, b]."""
    if w == 0:
        return b
    low, high = 0.0, b
    d = b / 2
    for _ in range(200):
        value = 2 * (math.log(d) - math.log(b)) + w * (d + b)
        if value < 0:
            low = d
        else:
            high = d
        step = value / (2 / d + w)
        following = d - step
        d = following if low < following < high else (low + high) / 2
        if abs(step) <= 1e-16 * b:
            break
    return d


@lru_cache(maxsize=256)
def _hyperlog_curve(scale: Hyperlog) -> _Odd:
    b = (scale.M + scale.A) * LN10
    w = scale.W / (scale.M + scale.A)
    x2 = scale.A / (scale.M + scale.A)
    x1, x0 = x2 + w, x2 + 2 * w
    ca = math.exp(b * x0) / w
    a = scale.T / (math.exp(b) + ca - math.exp(b * x1) - ca * x1)
    return _Odd(middle=x1, p=a * math.exp(b * x1), b=b, q=0.0, d=1.0, r=ca * a, top=scale.T)


def _solved(curve: _Odd, x: Floats) -> Floats:
    flat = numpy.ascontiguousarray(x, numpy.float64).ravel()
    out = numpy.empty_like(flat)
    solve_odd(flat, *curve.shape, out)
    return out.reshape(numpy.shape(x))


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    shift: float
    base: int
    mantissa_bits: int
    pieces: Floats


def _position(curve: _Odd, x: Floats, out: Floats | None) -> Floats:
    table = _table_of(curve)
    flat = numpy.ascontiguousarray(x, numpy.float64).ravel()
    result = numpy.empty_like(flat) if out is None else out
    if table is None:
        solve_odd(flat, *curve.shape, result)
    else:
        look_up_odd(
            flat, *curve.shape, table.shift, table.base, table.mantissa_bits, table.pieces, result
        )
    return result.reshape(numpy.shape(x)) if out is None else out


@lru_cache(maxsize=256)
def _table_of(curve: _Odd) -> _Table | None:
    """Build the coarsest table that is accurate enough; None when none is."""
    for mantissa_bits in range(5, 10):
        table = _table(curve, mantissa_bits)
        if _error(curve, table) <= TABLE_ERROR_MAX:
            return table
    return None


def _table(curve: _Odd, mantissa_bits: int) -> _Table:
    # The shift is the signal at which the curve turns from a line into an exponential.
    slope = float(curve.slope(numpy.zeros(1))[0])
    shift = 2.0 ** math.floor(math.log2(slope / curve.b / 2))
    top = curve.top * 2.0**OCTAVES_PAST_TOP
    drop = 52 - mantissa_bits
    first = int(numpy.float64(shift).view(numpy.int64)) >> drop
    last = int(numpy.float64(top + shift).view(numpy.int64)) >> drop
    keys = (numpy.arange(first, last + 2, dtype=numpy.int64)) << drop
    nodes = keys.view(numpy.float64) - shift
    t = _solved(curve, nodes) - curve.middle
    rate = 1.0 / curve.slope(t)
    width = numpy.diff(nodes)
    rise, left, right = numpy.diff(t), rate[:-1] * width, rate[1:] * width
    pieces = numpy.stack(
        [t[:-1], left, 3 * rise - 2 * left - right, left + right - 2 * rise], axis=1
    )
    return _Table(shift, first, mantissa_bits, numpy.ascontiguousarray(pieces))


def _error(curve: _Odd, table: _Table) -> float:
    drop = 52 - table.mantissa_bits
    keys = numpy.arange(table.base, table.base + len(table.pieces), dtype=numpy.int64)
    worst = 0.0
    for part in (0.25, 0.5, 0.75):
        bits = (keys << drop) + int(part * (1 << drop))
        x = bits.view(numpy.float64) - table.shift
        out = numpy.empty_like(x)
        look_up_odd(
            x, *curve.shape, table.shift, table.base, table.mantissa_bits, table.pieces, out
        )
        worst = max(worst, float(numpy.max(numpy.abs(out - _solved(curve, x)))))
    return worst


@dataclass(frozen=True, slots=True)
class Ratio:
    """fratio: A (x - B) / (y - C) of two channels; it has no inverse."""

    numerator: str
    denominator: str
    A: float
    B: float
    C: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        _checked("fratio", self.A != 0, A=self.A, B=self.B, C=self.C)

    def of(self, x: Floats, y: Floats) -> Floats:
        """Give the ratio of two rows of signals; not a number where the denominator is zero."""
        below = y - self.C
        safe = numpy.where(below == 0, numpy.nan, below)
        with numpy.errstate(over="ignore"):
            return self.A * (x - self.B) / safe


@dataclass(frozen=True, slots=True)
class Biexponential:
    """The biexponential scale of FlowJo 10: channels 0 to 4096, read off a table of the inverse.

    FlowJo turns signals into channels by a table, so a gate drawn there is met event by event only
    with the same table. It follows the definition of the legacy scale: the curve's negative side
    mirrors its positive side about an integer channel.

    Attributes:
        negative: Further negative decades.
        width: Width basis, negative; larger magnitudes give a wider linear part.
        positive: Positive decades.
        top: Signal at the last channel.
        channels: Length of the scale.
    """

    negative: float = 0.0
    width: float = -10.0
    positive: float = 4.41854
    top: float = 262144.000029
    channels: int = 4096

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        holds = (
            self.width <= -1
            and self.positive > math.log10(-self.width) / 2 + 0.1
            and self.positive < 100
            and 0 <= self.negative < 10
            and self.top > 0
            and 8 <= self.channels <= 65_536
        )
        _checked(
            "biexponential", holds, width=self.width, positive=self.positive,
            negative=self.negative, top=self.top,
        )  # fmt: skip

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the channel of each signal, held at the ends of the scale."""
        signals, channels = _biexponential_table(self)
        found = numpy.interp(x, signals, channels)
        if out is None:
            return numpy.asarray(found, numpy.float64)
        out[:] = found
        return out

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each channel."""
        signals, channels = _biexponential_table(self)
        return numpy.asarray(numpy.interp(y, channels, signals), numpy.float64)


@lru_cache(maxsize=64)
def _biexponential_table(scale: Biexponential) -> tuple[Floats, Floats]:
    linear = math.log10(-scale.width)
    decades = scale.positive - linear / 2
    below = max(scale.negative, 0.0) + linear / 2
    size = scale.channels
    zero = min(int(below * size / (below + decades)), size // 2)
    if zero > 0:
        decades = below * size / zero
    share = linear / (2 * decades)
    rate_up = LN10 * decades
    rate_down = _second_rate(rate_up, share)
    places = numpy.arange(size + 1) / (size + 1)
    up = numpy.exp(places * rate_up)
    down = numpy.exp((rate_up + rate_down) * (share + below / decades) - places * rate_down)
    smallest = scale.top / math.exp(rate_up)
    signals = smallest * (up - down - (up[zero] - down[zero]))
    mirrored = numpy.arange(zero)
    signals[mirrored] = -signals[2 * zero - mirrored]
    return signals, numpy.arange(size + 1, dtype=numpy.float64)


@dataclass(frozen=True, slots=True)
class FlowJoLog:
    """FlowJo's logarithm: log10(x / offset) / decades, held at the offset from below."""

    offset: float
    decades: float

    def __post_init__(self) -> None:
        """Check the domain.

        Raises:
            Refused: The parameters are outside it.
        """
        holds = self.offset >= 1e-15 and self.decades >= 0.01
        _checked("log", holds, offset=self.offset, decades=self.decades)

    def apply(self, x: Floats, out: Floats | None = None) -> Floats:
        """Give the position of each signal."""
        out = numpy.maximum(x, self.offset, out=out)
        out /= self.offset
        numpy.log10(out, out=out)
        out /= self.decades
        return out

    def inverse(self, y: Floats) -> Floats:
        """Give the signal at each position."""
        return self.offset * numpy.power(10.0, y * self.decades)
