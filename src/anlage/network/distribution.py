"""Distributions of times: what a file says, and the mean and spread that follow from it."""

import math
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """The families that the kernel draws from; the numbers are part of the compiled tables."""

    DETERMINISTIC = 0
    EXPONENTIAL = 1
    UNIFORM = 2
    TRIANGULAR = 3
    LOGNORMAL = 4
    GAMMA = 5
    EMPIRICAL = 6
    WEIBULL = 7
    NORMAL = 8
    PERT = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A time in days, by chance; never below zero.

    Attributes:
        kind: The family.
        first: Deterministic value; mean (exponential, normal); low (uniform, triangular, PERT);
            mean of the logarithm (lognormal); shape (gamma, Weibull).
        second: High (uniform); mode (triangular, PERT); standard deviation of the logarithm
            (lognormal); scale (gamma, Weibull); standard deviation (normal, cut at zero).
        third: High (triangular, PERT).
        plus: A constant added to every draw, in days.
        values: The sample of an empirical distribution, in days.
        weights: Weight of each value, summing to 1; empty when all weigh alike.
    """

    kind: Kind
    first: float = 0.0
    second: float = 0.0
    third: float = 0.0
    plus: float = 0.0
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Tell whether every draw gives the same time."""
        return self.kind is Kind.DETERMINISTIC

    def mean_days(self) -> float:
        """Give the mean in days (for a normal cut at zero, the mean of the cut one)."""
        return self.plus + self._moments()[0]

    def sd_days(self) -> float:
        """Give the standard deviation in days."""
        return math.sqrt(max(0.0, self._moments()[1]))

    def _moments(self) -> tuple[float, float]:
        a, b, c = self.first, self.second, self.third
        match self.kind:
            case Kind.DETERMINISTIC:
                return a, 0.0
            case Kind.EXPONENTIAL:
                return a, a * a
            case Kind.UNIFORM:
                return (a + b) / 2, (b - a) ** 2 / 12
            case Kind.TRIANGULAR:
                spread = a * a + b * b + c * c - a * b - a * c - b * c
                return (a + b + c) / 3, spread / 18
            case Kind.LOGNORMAL:
                mean = math.exp(a + b * b / 2)
                return mean, mean * mean * math.expm1(b * b)
            case Kind.GAMMA:
                return a * b, a * b * b
            case Kind.WEIBULL:
                mean = b * math.gamma(1 + 1 / a)
                return mean, b * b * math.gamma(1 + 2 / a) - mean * mean
            case Kind.NORMAL:
                return _normal_cut_at_zero(a, b)
            case Kind.PERT:
                mean = (a + 4 * b + c) / 6
                return mean, (mean - a) * (c - mean) / 7
            case Kind.EMPIRICAL:
                weights = self.weights or (1 / len(self.values),) * len(self.values)
                mean = math.fsum(w * x for w, x in zip(weights, self.values, strict=True))
                square = math.fsum(
                    w * (x - mean) ** 2 for w, x in zip(weights, self.values, strict=True)
                )
                return mean, square


def scaled(time: Distribution, factor: float) -> Distribution:
    """Give the distribution of a time multiplied by a factor above zero."""
    first, second, third = time.first * factor, time.second * factor, time.third * factor
    match time.kind:
        case Kind.LOGNORMAL:
            first, second = time.first + math.log(factor), time.second
        case Kind.GAMMA | Kind.WEIBULL:
            first = time.first
        case _:
            pass
    return Distribution(
        kind=time.kind,
        first=first,
        second=second,
        third=third,
        plus=time.plus * factor,
        values=tuple(value * factor for value in time.values),
        weights=time.weights,
    )


def deterministic(days: float) -> Distribution:
    """Give a time that is always the same."""
    return Distribution(kind=Kind.DETERMINISTIC, first=days)


def exponential(mean_days: float) -> Distribution:
    """Give an exponential time by its mean."""
    return Distribution(kind=Kind.EXPONENTIAL, first=mean_days)


def uniform(low_days: float, high_days: float) -> Distribution:
    """Give a time that lies anywhere between two bounds with equal chance."""
    return Distribution(kind=Kind.UNIFORM, first=low_days, second=high_days)


def triangular(low_days: float, mode_days: float, high_days: float) -> Distribution:
    """Give a triangular time by its lowest, likeliest and highest value."""
    return Distribution(kind=Kind.TRIANGULAR, first=low_days, second=mode_days, third=high_days)


def lognormal(mean_days: float, sd_days: float) -> Distribution:
    """Give a lognormal time by the mean and standard deviation of the time itself."""
    sigma = math.sqrt(math.log1p((sd_days / mean_days) ** 2))
    return Distribution(
        kind=Kind.LOGNORMAL, first=math.log(mean_days) - sigma * sigma / 2, second=sigma
    )


def gamma(shape: float, scale_days: float) -> Distribution:
    """Give a gamma time by shape and scale; its mean is their product."""
    return Distribution(kind=Kind.GAMMA, first=shape, second=scale_days)


def empirical(values_days: tuple[float, ...], weights: tuple[float, ...] = ()) -> Distribution:
    """Give a time drawn from a sample; the weights are normalised."""
    total = math.fsum(weights)
    return Distribution(
        kind=Kind.EMPIRICAL,
        values=values_days,
        weights=tuple(weight / total for weight in weights),
    )


def _normal_cut_at_zero(mean: float, sd: float) -> tuple[float, float]:
    """Give mean and variance of a normal of which draws below zero are drawn again."""
    if sd == 0:
        return mean, 0.0
    cut = -mean / sd
    density = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi)
    above = 0.5 * math.erfc(cut / math.sqrt(2))
    ratio = density / above
    return mean + sd * ratio, sd * sd * (1 + cut * ratio - ratio * ratio)
