"""Means, intervals and quantiles out of the kernel's sums."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .layout import (
    OCTAVE_LOW,
    TIME_BINS_PER_OCTAVE,
    VIABILITY_BINS,
    WAIT_BINS_PER_OCTAVE,
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval; None where it cannot be known.

    Attributes:
        mean: The ratio of the totals over all replications.
        low, high: The interval over replications; None below two replications.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None

    @property
    def ci95(self) -> list[float] | None:
        """Give the interval as a list, or None."""
        return None if self.low is None or self.high is None else [self.low, self.high]


def ratio(upper: np.ndarray, lower: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Give the ratio of totals over replications with its interval.

    The interval is the classical ratio estimator's: the residuals upper - ratio * lower of the
    replications, with Student's t (Law, Simulation Modeling and Analysis, section 9.5.3).
    """
    total = float(lower.sum())
    if total <= 0:
        return Estimate(None)
    mean = float(upper.sum()) / total
    count = upper.size
    if count < 2:
        return Estimate(mean)
    residuals = upper - mean * lower
    spread = math.sqrt(float((residuals**2).sum()) / (count - 1) / count) / (total / count)
    half = student_quantile(0.5 + confidence / 2, count - 1) * spread
    return Estimate(mean, mean - half, mean + half)


def mean_of(values: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Give the mean of one value per replication with its interval."""
    return ratio(values, np.ones_like(values), confidence)


def student_quantile(chance: float, degrees: int) -> float:
    """Give Student's t quantile for a chance above one half.

    Newton steps on the exact distribution function from the normal quantile; the function is the
    finite sum for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).
    """
    if degrees > 2000:
        z = _normal_quantile(chance)
        return z + (z**3 + z) / (4 * degrees)
    t = _normal_quantile(chance) if degrees > 2 else 2.0
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(
        degrees * math.pi
    )
    low, high = 0.0, 1e6
    for _ in range(200):
        error = _student_below(t, degrees) - chance
        if error > 0:
            high = t
        else:
            low = t
        step = t - error / (scale * (1 + t * t / degrees) ** (-(degrees + 1) / 2))
        following = step if low < step < high else (low + high) / 2
        if abs(following - t) < 1e-12 * max(1.0, t):
            return following
        t = following
    return t


def _student_below(t: float, degrees: int) -> float:
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    if degrees == 1:
        inside = 2 * angle / math.pi
    elif degrees % 2:
        term, total = cosine, cosine
        for k in range(3, degrees - 1, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        inside = 2 / math.pi * (angle + sine * total)
    else:
        term, total = 1.0, 1.0
        for k in range(2, degrees - 1, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        inside = sine * total
    return 0.5 + inside / 2


def _normal_quantile(chance: float) -> float:

    return NormalDist().inv_cdf(chance)


def time_quantile(bins: np.ndarray, chance: float) -> float | None:
    """Give a quantile in days from a histogram of 512 bins an octave (0.14 % wide)."""
    place = _place(bins, chance)
    if place is None:
        return None
    return float(2.0 ** (place / TIME_BINS_PER_OCTAVE + OCTAVE_LOW))


def wait_quantile(bins: np.ndarray, chance: float) -> float | None:
    """Give a quantile of waits in days; the first bin is of those who did not wait."""
    place = _place(bins, chance)
    if place is None:
        return None
    return 0.0 if place < 1 else float(2.0 ** ((place - 1) / WAIT_BINS_PER_OCTAVE + OCTAVE_LOW))


def viability_quantile(bins: np.ndarray, chance: float) -> float | None:
    """Give a quantile of viability, 0 to 1."""
    place = _place(bins, chance)
    return None if place is None else place / VIABILITY_BINS


def _place(bins: np.ndarray, chance: float) -> float | None:
    """Give where in the bins a share of the count lies, between their edges."""
    total = int(bins.sum())
    if total == 0:
        return None
    below = np.cumsum(bins)
    wanted = chance * total
    bin_number = int(np.searchsorted(below, wanted, side="left"))
    before = float(below[bin_number - 1]) if bin_number else 0.0
    return bin_number + (wanted - before) / float(bins[bin_number])
