"""Ratios of estimates and the joining of independent estimates on the log scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


def fieller(
    top: float,
    bottom: float,
    *,
    var_top: float,
    var_bottom: float,
    covariance: float,
    t: float,
) -> tuple[float, float] | None:
    """Give Fieller's interval of top/bottom, or None where it is not bounded (g >= 1).

    Source: Finney, Statistical Method in Biological Assay, 3rd ed., section 2.5; Ph. Eur. 5.3.
    """
    if bottom == 0:
        return None
    g = t * t * var_bottom / bottom**2
    if g >= 1:
        return None
    ratio = top / bottom
    inner = (
        var_top
        - 2 * ratio * covariance
        + ratio**2 * var_bottom
        - g * (var_top - (covariance**2 / var_bottom if var_bottom > 0 else 0.0))
    )
    half = t / abs(bottom) * math.sqrt(max(inner, 0.0))
    middle = ratio - (g * covariance / var_bottom if var_bottom > 0 else 0.0)
    return (middle - half) / (1 - g), (middle + half) / (1 - g)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """Several independent estimates joined on the log scale.

    Attributes:
        method: "weighted" (homogeneous), "semi-weighted" (not homogeneous) or "single".
        ln: The joined logarithm.
        standard_error: Its standard error.
        low: Lower end of the interval, on the log scale.
        high: Upper end.
        degrees_of_freedom: Of Student's t behind the interval.
        heterogeneity: Chi-square of the estimates about their weighted mean.
        heterogeneity_p: Its p-value on one less than their number of degrees of freedom.
        between_sd: Standard deviation between the estimates, beyond their own errors.
    """

    method: str
    ln: float
    standard_error: float
    low: float
    high: float
    degrees_of_freedom: float
    heterogeneity: float
    heterogeneity_p: float
    between_sd: float


def combine(
    ln: Sequence[float],
    standard_errors: Sequence[float],
    degrees_of_freedom: Sequence[float],
    *,
    confidence: float = 0.95,
    method: str = "auto",
) -> Combined:
    """Join independent log potencies, as Ph. Eur. 5.3 section 6 and USP <1034> do.

    Weighted by the inverse squared errors where the estimates agree (chi-square p >= 0.05); else
    semi-weighted, with the variance between the estimates added to each one's own. `unweighted`
    takes the plain mean and the spread of the estimates themselves.
    """
    m, s = np.asarray(ln, dtype=float), np.asarray(standard_errors, dtype=float)
    tail = (1 + confidence) / 2
    number = len(m)
    weight = 1 / np.maximum(s, 1e-150) ** 2
    mean = float(weight @ m / weight.sum())
    chi = float(weight @ (m - mean) ** 2)
    p = float(special.chdtrc(number - 1, chi)) if number > 1 else math.nan
    between = max(0.0, float(np.var(m, ddof=1) - np.mean(s**2))) if number > 1 else 0.0
    if number == 1:
        name, df, error = "single", float(degrees_of_freedom[0]), float(s[0])
    elif method == "unweighted":
        name, df = "unweighted", number - 1.0
        mean, error = float(m.mean()), float(m.std(ddof=1) / math.sqrt(number))
    elif method == "weighted" or (method == "auto" and p >= 0.05):
        name, df, error = "weighted", float(sum(degrees_of_freedom)), float(weight.sum() ** -0.5)
    else:
        name, df = "semi-weighted", number - 1.0
        weight = 1 / (s**2 + between)
        mean, error = float(weight @ m / weight.sum()), float(weight.sum() ** -0.5)
    t = float(special.stdtrit(df, tail))
    return Combined(
        method=name,
        ln=mean,
        standard_error=error,
        low=mean - t * error,
        high=mean + t * error,
        degrees_of_freedom=df,
        heterogeneity=chi,
        heterogeneity_p=p,
        between_sd=math.sqrt(between),
    )
