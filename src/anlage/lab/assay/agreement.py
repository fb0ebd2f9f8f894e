"""Do two methods agree on the same samples: a method that spares the sample against its reference.

Limits of agreement (Bland and Altman, Lancet 1986, doi 10.1016/S0140-6736(86)90837-8, and Stat
Methods Med Res 8, 1999, doi 10.1177/096228029900800204) say how far one result may lie from the
other. The line of Passing and Bablok (J Clin Chem Clin Biochem 21, 1983,
doi 10.1515/cclm.1983.21.11.709) says whether they differ by a constant or a factor; it takes
errors in both and is not pulled by outliers. A prediction interval says what the reference would
have given for a result of the method.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

from .quantify import Estimate

Array = NDArray[np.float64]
PAIRS_LEAST = 6
PAIRS_MOST = 5_000
"""All pairs of pairs are looked at: past this they no longer fit into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the reference would give for a result of the method.

    Attributes:
        at: The method's result.
        value: The reference's, expected.
        low: Lower end of the interval for one result of the reference.
        high: Upper end.
        is_extrapolated: The method's results never lay there.
    """

    at: float
    value: float
    low: float
    high: float
    is_extrapolated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How a method agrees with its reference. With `as_ratio`, differences are ratios.

    Attributes:
        pairs: How many samples had both results.
        bias: Mean difference, method less reference, with its interval.
        limit_low: Lower limit of agreement (95 % of differences lie above), with its interval.
        limit_high: Upper limit of agreement, with its interval.
        trend: Slope of the difference over the mean, with its interval: apart from 0, the
            difference grows with the size and limits on the ratio are the better ones.
        slope: Slope of the line of Passing and Bablok, with its interval.
        intercept: Its intercept, with its interval.
        is_within: Whether both limits, with their intervals, lie within the allowed difference;
            None where none was given.
        as_ratio: Whether differences are ratios.
    """

    pairs: int
    bias: Estimate
    limit_low: Estimate
    limit_high: Estimate
    trend: Estimate
    slope: Estimate
    intercept: Estimate
    is_within: bool | None
    as_ratio: bool

    def as_dict(self) -> dict[str, object]:
        """Give the figures as a JSON object."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: one.as_dict() if isinstance(one, Estimate) else one for name, one in shown.items()
        }

    @property
    def is_constant_apart(self) -> bool:
        """Whether the methods differ by a constant: 0 lies outside the interval."""
        return not _holds(self.intercept, 0.0)

    @property
    def is_factor_apart(self) -> bool:
        """Whether the methods differ by a factor: 1 lies outside the interval."""
        return not _holds(self.slope, 1.0)


def agreement(
    reference: Sequence[float],
    method: Sequence[float],
    *,
    low: float | None = None,
    high: float | None = None,
    as_ratio: bool = False,
    confidence: float = 0.95,
) -> Agreement:
    """Compare a method with its reference on the same samples.

    Args:
        reference: Results of the reference, one per sample.
        method: Results of the method, on the same samples in the same order.
        low: Lowest difference (or ratio) allowed; None for no verdict.
        high: Highest.
        as_ratio: Compare ratios, for differences that grow with the size.
        confidence: Of the intervals; limits of agreement hold 95 % of differences always.

    Raises:
        Refused: Too few or unpaired results, all of one size, or no logarithm for a ratio.
    """
    x, y = _paired(reference, method)
    if as_ratio and (np.any(x <= 0) or np.any(y <= 0)):
        raise Refused(
            "response-without-value", what="results", found="a value of 0 or less",
            limit="values above 0 for a ratio", remedy="compare differences",
        )  # fmt: skip
    if (low is None) != (high is None) or (low is not None and high is not None and low >= high):
        raise Refused(
            "bounds-unreadable", what="allowed difference", found=f"{low} to {high}",
            limit="low below high, or neither", remedy="correct the bounds",
        )  # fmt: skip
    u, v = (np.log(x), np.log(y)) if as_ratio else (x, y)
    apart, middle, n = v - u, (u + v) / 2, len(x)
    mean, sd = float(apart.mean()), float(apart.std(ddof=1))
    t = float(special.stdtrit(n - 1, (1 + confidence) / 2))
    z = float(special.ndtri(0.975))
    of_bias, of_limit = sd / math.sqrt(n), sd * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
    bias = _about(mean, t * of_bias)
    limits = [_about(mean + side * z * sd, t * of_limit) for side in (-1, 1)]
    if as_ratio:
        bias, limits = _ratio(bias), [_ratio(one) for one in limits]
    is_within = None
    if low is not None and high is not None:
        ends = (limits[0].low, limits[1].high)
        is_within = (
            ends[0] is not None and ends[1] is not None and low <= ends[0] <= ends[1] <= high
        )
    slope, intercept = _passing_bablok(x, y, confidence)
    return Agreement(
        pairs=n,
        bias=bias,
        limit_low=limits[0],
        limit_high=limits[1],
        trend=_trend(middle, apart, confidence),
        slope=slope,
        intercept=intercept,
        is_within=is_within,
        as_ratio=as_ratio,
    )


def predict_reference(
    reference: Sequence[float],
    method: Sequence[float],
    at: Sequence[float],
    *,
    confidence: float = 0.95,
) -> tuple[Prediction, ...]:
    """Give what the reference would give, by the straight line through the pairs.

    Args:
        reference: Results of the reference.
        method: Results of the method on the same samples.
        at: Results of the method to be translated.
        confidence: Of the interval for one result of the reference.

    Raises:
        Refused: As `agreement`.
    """
    y, x = _paired(reference, method)
    middle, n = float(x.mean()), len(x)
    spread = float(((x - middle) ** 2).sum())
    slope = float(((x - middle) * (y - y.mean())).sum()) / spread
    level = float(y.mean())
    left = y - level - slope * (x - middle)
    s2 = float((left**2).sum()) / (n - 2)
    t = float(special.stdtrit(n - 2, (1 + confidence) / 2))
    found = []
    for one in at:
        value = level + slope * (one - middle)
        half = t * math.sqrt(s2 * (1 + 1 / n + (one - middle) ** 2 / spread))
        is_outside = not float(x.min()) <= one <= float(x.max())
        found.append(
            Prediction(
                at=one, value=value, low=value - half, high=value + half, is_extrapolated=is_outside
            )
        )
    return tuple(found)


def _paired(reference: Sequence[float], method: Sequence[float]) -> tuple[Array, Array]:
    x, y = np.asarray(reference, dtype=np.float64), np.asarray(method, dtype=np.float64)
    if len(x) != len(y) or not PAIRS_LEAST <= len(x) <= PAIRS_MOST:
        raise Refused(
            "too-few-results" if len(x) < PAIRS_LEAST else "pairs-unequal",
            what="comparison of methods",
            found=f"{len(x)} results of the reference, {len(y)} of the method",
            limit=f"{PAIRS_LEAST} to {PAIRS_MOST} samples with both",
            remedy="measure the same samples by both methods",
        )
    if float(np.ptp(x)) == 0 or float(np.ptp(y)) == 0:
        raise Refused(
            "results-all-alike",
            what="comparison of methods",
            found="every sample of one size",
            limit="samples over the range that the method is used in",
            remedy="add samples of other sizes",
        )
    return x, y


def _trend(middle: Array, apart: Array, confidence: float) -> Estimate:
    n, about = len(middle), middle - middle.mean()
    spread = float((about**2).sum())
    slope = float((about * apart).sum()) / spread
    left = apart - apart.mean() - slope * about
    error = math.sqrt(float((left**2).sum()) / (n - 2) / spread)
    return _about(slope, float(special.stdtrit(n - 2, (1 + confidence) / 2)) * error)


def _passing_bablok(x: Array, y: Array, confidence: float) -> tuple[Estimate, Estimate]:
    """Give slope and intercept: the shifted median of the slopes between all pairs.

    Two samples equal in both say nothing; a slope of -1 says nothing about the sign and is left
    out; the shift makes the answer the same whichever method stands on which axis.
    """
    first, second = np.triu_indices(len(x), 1)
    dx, dy = x[second] - x[first], y[second] - y[first]
    told = (dx != 0) | (dy != 0)
    with np.errstate(divide="ignore"):
        slopes = np.where(dx[told] == 0, np.copysign(np.inf, dy[told]), dy[told] / dx[told])
    slopes = np.sort(slopes[slopes != -1])
    count, shift, n = len(slopes), int((slopes < -1).sum()), len(x)
    if count % 2:
        slope = float(slopes[(count + 1) // 2 + shift - 1])
    else:
        slope = float((slopes[count // 2 + shift - 1] + slopes[count // 2 + shift]) / 2)
    reach = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    below = max(round((count - reach) / 2), 1)
    ends = [
        float(slopes[min(max(place + shift - 1, 0), count - 1)])
        for place in (below, count - below + 1)
    ]
    intercepts = [
        float(np.median(y - one * x)) if math.isfinite(one) else None
        for one in (slope, ends[1], ends[0])
    ]
    known = [one if math.isfinite(one) else None for one in (slope, *ends)]
    return (
        Estimate(value=known[0], low=known[1], high=known[2]),
        Estimate(value=intercepts[0], low=intercepts[1], high=intercepts[2]),
    )


def _about(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def _ratio(one: Estimate) -> Estimate:
    value, low, high = (
        None if part is None else math.exp(part) for part in (one.value, one.low, one.high)
    )
    return Estimate(value=value, low=low, high=high)


def _holds(one: Estimate, value: float) -> bool:
    return one.low is not None and one.high is not None and one.low <= value <= one.high
