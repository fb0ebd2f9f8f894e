"""Does the method do what it is for: validation, transfer and bridging.

Every figure is an estimate with an interval.

ICH Q2(R2) and Q14 for accuracy and precision; two one-sided tests (Schuirmann, J Pharmacokinet
Biopharm 15, 1987) for transfer; the geometric mean of relative potencies for a new reference.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

from .ratio import Combined, combine

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPrecision:
    """Accuracy and precision at one level.

    Attributes:
        nominal: True value.
        mean: Mean found.
        bias_percent: Mean against nominal.
        bias_low: Lower end of its interval.
        bias_high: Upper end.
        repeatability_cv: Within runs, percent of the mean.
        between_cv: Between runs, percent of the mean.
        intermediate_cv: Both together.
        total_error_low: Lower end of the interval that one future result is expected in, percent.
        total_error_high: Upper end.
        results: Number of results.
        runs: Number of runs.
    """

    nominal: float
    mean: float
    bias_percent: float
    bias_low: float
    bias_high: float
    repeatability_cv: float
    between_cv: float
    intermediate_cv: float
    total_error_low: float
    total_error_high: float
    results: int
    runs: int

    def as_dict(self) -> dict[str, float]:
        """Give the figures as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def precision(
    nominal: float, values: Sequence[float], runs: Sequence[str], *, confidence: float = 0.95
) -> LevelPrecision:
    """Give accuracy, repeatability and intermediate precision of one level.

    One-way analysis of variance with runs as a random sample, unbalanced runs by the usual n0;
    a negative between-run variance counts as zero. The total-error interval is Mee's
    beta-expectation tolerance interval (Technometrics 26, 1984), df by Satterthwaite.

    Raises:
        Refused: A nominal value of zero, fewer than three results, or none repeated.
    """
    y = np.asarray(values, dtype=np.float64)
    names = list(dict.fromkeys(runs))
    if nominal == 0 or len(y) < 3:
        raise _too_few(f"{len(y)} results at nominal {nominal:g}", "3 results at a level above 0")
    groups = [y[np.array([run == name for run in runs])] for name in names]
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    n, k = len(y), len(groups)
    within_df = n - k
    if within_df < 1:
        raise _too_few("no run with two results", "at least one run with repeated results")
    ss_within = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups)
    ms_within = ss_within / within_df
    mean = float(y.mean())
    between, freedom = 0.0, float(within_df)
    size = n
    if k > 1:
        ss_between = sum(len(g) * float(g.mean() - mean) ** 2 for g in groups)
        ms_between = ss_between / (k - 1)
        n0 = (n - float(np.sum(sizes**2)) / n) / (k - 1)
        between = max(0.0, (ms_between - ms_within) / n0)
        total = between + ms_within
        a, b = 1 / n0, 1 - 1 / n0
        if between > 0:
            spread = (a * ms_between) ** 2 / (k - 1) + (b * ms_within) ** 2 / within_df
            freedom = total**2 / spread if spread > 0 else float(within_df)
        else:
            freedom = float(n - 1)
        variance_mean = ms_between / n if between > 0 else (ss_within + ss_between) / (n - 1) / n
        mean_df = float(k - 1) if between > 0 else float(n - 1)
    else:
        total, variance_mean, mean_df = ms_within, ms_within / size, float(within_df)
    t_mean = float(special.stdtrit(mean_df, (1 + confidence) / 2))
    t_one = float(special.stdtrit(freedom, (1 + confidence) / 2))
    half = t_mean * math.sqrt(variance_mean)
    wide = t_one * math.sqrt(total + variance_mean)

    def percent(value: float) -> float:
        return 100 * (value / nominal - 1)

    ends = sorted([percent(mean - half), percent(mean + half)])
    outer = sorted([percent(mean - wide), percent(mean + wide)])
    scale = 100 / abs(mean) if mean else math.inf
    return LevelPrecision(
        nominal=nominal,
        mean=mean,
        bias_percent=percent(mean),
        bias_low=ends[0],
        bias_high=ends[1],
        repeatability_cv=scale * math.sqrt(ms_within),
        between_cv=scale * math.sqrt(between),
        intermediate_cv=scale * math.sqrt(total),
        total_error_low=outer[0],
        total_error_high=outer[1],
        results=n,
        runs=k,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """Two one-sided tests of a difference.

    Attributes:
        difference: Second less first, or the ratio second over first on the log scale.
        low: Lower end of the 1 - 2 alpha interval.
        high: Upper end.
        bound_low: Lower bound set beforehand.
        bound_high: Upper bound.
        p: The larger of the two p-values.
        is_equivalent: Whether the interval lies within the bounds.
        degrees_of_freedom: Of Student's t.
    """

    difference: float
    low: float
    high: float
    bound_low: float
    bound_high: float
    p: float
    is_equivalent: bool
    degrees_of_freedom: float

    def as_dict(self) -> dict[str, object]:
        """Give the test as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def equivalence(
    first: Sequence[float],
    second: Sequence[float],
    *,
    low: float,
    high: float,
    alpha: float = 0.05,
    as_ratio: bool = False,
    equal_variances: bool = False,
) -> Equivalent:
    """Test that two laboratories, methods or lots agree within bounds (TOST).

    With `as_ratio` the values are compared on the log scale and bounds and results are ratios.

    Raises:
        Refused: Fewer than two results on a side, bounds in the wrong order, or a logarithm of
            zero or less.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) < 2 or len(b) < 2:
        raise _too_few(f"{len(a)} and {len(b)} results", "at least 2 on each side")
    if low >= high or (as_ratio and low <= 0):
        raise Refused(
            "bounds-unreadable", what="equivalence bounds", found=f"{low:g} to {high:g}",
            limit="low below high, and above 0 for a ratio", remedy="correct the bounds",
        )  # fmt: skip
    if as_ratio:
        if np.any(a <= 0) or np.any(b <= 0):
            raise Refused(
                "response-without-value", what="results", found="a value of 0 or less",
                limit="values above 0 for a ratio", remedy="compare differences",
            )  # fmt: skip
        a, b, low, high = np.log(a), np.log(b), math.log(low), math.log(high)
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if equal_variances:
        freedom = float(len(a) + len(b) - 2)
        pooled = (va * len(a) * (len(a) - 1) + vb * len(b) * (len(b) - 1)) / freedom
        error = math.sqrt(pooled * (1 / len(a) + 1 / len(b)))
    else:
        error = math.sqrt(va + vb)
        spread = va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)
        freedom = (va + vb) ** 2 / spread if spread > 0 else float(len(a) + len(b) - 2)
    difference = float(b.mean() - a.mean())
    t = float(special.stdtrit(freedom, 1 - alpha))
    ends = (difference - t * error, difference + t * error)
    if error > 0:
        p = max(
            float(special.stdtr(freedom, -(difference - low) / error)),
            float(special.stdtr(freedom, (difference - high) / error)),
        )
    else:
        p = 0.0 if low < difference < high else 1.0
    is_equivalent = low < ends[0] and ends[1] < high
    shown = [difference, *ends, low, high]
    if as_ratio:
        shown = [math.exp(value) for value in shown]
    return Equivalent(
        difference=shown[0],
        low=shown[1],
        high=shown[2],
        bound_low=shown[3],
        bound_high=shown[4],
        p=p,
        is_equivalent=is_equivalent,
        degrees_of_freedom=freedom,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A new reference lot, valued through the old one.

    Attributes:
        value: Assigned value of the new lot, in the old one's unit.
        low: Lower end of its interval.
        high: Upper end.
        combined: How the assays were joined.
        is_within: Whether the interval of the ratio lies within the bounds.
    """

    value: float
    low: float
    high: float
    combined: Combined
    is_within: bool


def bridge(
    assigned: float,
    relative_potencies: Sequence[float],
    *,
    standard_errors: Sequence[float] | None = None,
    freedoms: Sequence[float] | None = None,
    bound_low: float = 0.9,
    bound_high: float = 1.1,
    confidence: float = 0.90,
) -> Bridge:
    """Value a new reference lot by its potency relative to the old one, over several assays.

    Without errors the assays count alike (USP <1034>, unweighted); with the standard errors of
    ln(potency) they are joined with weights, or with the spread between them where they differ.

    Raises:
        Refused: Fewer than two assays, or a potency or value of zero or less.
    """
    if len(relative_potencies) < 2 or assigned <= 0 or min(relative_potencies) <= 0:
        raise _too_few(
            f"{len(relative_potencies)} assays", "at least 2 assays, potencies and value above 0"
        )
    ln = [math.log(value) for value in relative_potencies]
    known = standard_errors is not None
    joined = combine(
        ln,
        standard_errors or [1.0] * len(ln),
        freedoms or [1e6] * len(ln),
        confidence=confidence,
        method="auto" if known else "unweighted",
    )
    return Bridge(
        value=assigned * math.exp(joined.ln),
        low=assigned * math.exp(joined.low),
        high=assigned * math.exp(joined.high),
        combined=joined,
        is_within=bound_low <= math.exp(joined.low) and math.exp(joined.high) <= bound_high,
    )


def _too_few(found: str, limit: str) -> Refused:
    return Refused(
        "too-few-observations",
        what="validation data",
        found=found,
        limit=limit,
        remedy="add results",
        rule="ICH Q2(R2)",
    )
