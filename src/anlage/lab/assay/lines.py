"""Relative potency from straight lines: parallel on the log dose, or through one intercept.

Both follow Ph. Eur. 5.3 (sections 3.2 and 3.3) with Fieller's interval; the tests of regression,
parallelism or intersection, and linearity are those of its analysis of variance.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

from .parallelism import Bounds, Equivalence, FTest, extra_squares
from .potency import Potency
from .ratio import fieller
from .wells import Wells

Array = NDArray[np.float64]


def parallel_lines(
    wells: Wells, reference: str, sample: str, confidence: float, bounds: Bounds, variance: str
) -> Potency:
    """Give the potency from two lines of one slope over the logarithm of the dose.

    Doses of zero are left out, as they have no logarithm.

    Raises:
        Refused: Fewer than two doses above zero, or a slope of zero.
    """
    _plain(variance)
    x, y, is_sample, dose = _pair(wells, reference, sample, log=True)
    one = np.where(is_sample, 0.0, 1.0)
    together = np.column_stack([one, 1 - one, x])
    apart = np.column_stack([one, 1 - one, x * one, x * (1 - one)])
    theta, rss, inverse = _solve(together, y)
    free, rss_free, inverse_free = _solve(apart, y)
    n = len(y)
    freedom, freedom_free = n - 3, n - 4
    if freedom <= 0 or theta[2] == 0:
        raise _undetermined(wells, sample)
    s2 = rss / freedom
    t = float(special.stdtrit(freedom, (1 + confidence) / 2))
    contrast = np.array([-1.0, 1.0, 0.0])
    difference = float(theta[1] - theta[0])
    limits = fieller(
        difference,
        float(theta[2]),
        var_top=float(contrast @ inverse @ contrast) * s2,
        var_bottom=float(inverse[2, 2]) * s2,
        covariance=float(contrast @ inverse[:, 2]) * s2,
        t=t,
    )
    ln = difference / float(theta[2])
    gradient = np.array([-1 / theta[2], 1 / theta[2], -ln / theta[2]])
    error = math.sqrt(max(0.0, float(gradient @ inverse @ gradient) * s2))
    equivalence: tuple[Equivalence, ...] = ()
    if freedom_free > 0:
        equivalence = (_slopes(free, inverse_free * rss_free / freedom_free, freedom_free, bounds),)
    names = ["intercept_reference", "intercept_sample", "slope"]
    errors = np.sqrt(np.diag(inverse) * s2)
    return Potency(
        sample=sample,
        reference=reference,
        model="linear",
        ln=ln,
        standard_error=error,
        low=None if limits is None else math.exp(limits[0]),
        high=None if limits is None else math.exp(limits[1]),
        confidence=confidence,
        degrees_of_freedom=freedom,
        rss=rss,
        rss_free=rss_free,
        freedom=freedom,
        freedom_free=freedom_free,
        f_test=extra_squares(rss, freedom, rss_free, freedom_free),
        further_tests=_line_tests(y, together[:, :2], rss_free, freedom_free, rss, dose, is_sample),
        equivalence=equivalence,
        parameters=dict(zip(names, theta.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        free_parameters={
            "reference": {"intercept": float(free[0]), "slope": float(free[2])},
            "sample": {"intercept": float(free[1]), "slope": float(free[3])},
        },
        notes=() if limits else ("the slope is not certain enough for a bounded interval",),
    )


def slope_ratio(
    wells: Wells, reference: str, sample: str, confidence: float, bounds: Bounds, variance: str
) -> Potency:
    """Give the potency as the ratio of two slopes over the dose, with one intercept in common.

    Raises:
        Refused: Too few wells, or a reference without slope.
    """
    _plain(variance)
    x, y, is_sample, dose = _pair(wells, reference, sample, log=False)
    one = np.where(is_sample, 0.0, 1.0)
    together = np.column_stack([np.ones(len(y)), x * one, x * (1 - one)])
    apart = np.column_stack([one, 1 - one, x * one, x * (1 - one)])
    theta, rss, inverse = _solve(together, y)
    free, rss_free, inverse_free = _solve(apart, y)
    n = len(y)
    freedom, freedom_free = n - 3, n - 4
    if freedom <= 0 or theta[1] == 0 or theta[2] / theta[1] <= 0:
        raise _undetermined(wells, sample)
    s2 = rss / freedom
    t = float(special.stdtrit(freedom, (1 + confidence) / 2))
    limits = fieller(
        float(theta[2]),
        float(theta[1]),
        var_top=float(inverse[2, 2]) * s2,
        var_bottom=float(inverse[1, 1]) * s2,
        covariance=float(inverse[1, 2]) * s2,
        t=t,
    )
    gradient = np.array([0.0, -1 / theta[1], 1 / theta[2]])
    error = math.sqrt(max(0.0, float(gradient @ inverse @ gradient) * s2))
    equivalence: tuple[Equivalence, ...] = ()
    if freedom_free > 0:
        covariance = inverse_free * rss_free / freedom_free
        span = abs(float(theta[1])) * float(np.max(x)) or 1.0
        difference = float(free[1] - free[0]) / span
        width = float(special.stdtrit(freedom_free, 1 - bounds.alpha)) * math.sqrt(
            float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        )
        equivalence = (
            Equivalence(
                parameter="intercept",
                kind="difference over range",
                estimate=difference,
                low=difference - width / span,
                high=difference + width / span,
                bound_low=-bounds.asymptote,
                bound_high=bounds.asymptote,
            ),
        )
    names = ["intercept", "slope_reference", "slope_sample"]
    return Potency(
        sample=sample,
        reference=reference,
        model="slope-ratio",
        ln=math.log(theta[2] / theta[1]),
        standard_error=error,
        low=limits[0] if limits else None,
        high=limits[1] if limits else None,
        confidence=confidence,
        degrees_of_freedom=freedom,
        rss=rss,
        rss_free=rss_free,
        freedom=freedom,
        freedom_free=freedom_free,
        f_test=extra_squares(rss, freedom, rss_free, freedom_free),
        further_tests=_line_tests(y, together[:, :1], rss_free, freedom_free, rss, dose, is_sample),
        equivalence=equivalence,
        parameters=dict(zip(names, theta.tolist(), strict=True)),
        standard_errors=dict(zip(names, np.sqrt(np.diag(inverse) * s2).tolist(), strict=True)),
        free_parameters={
            "reference": {"intercept": float(free[0]), "slope": float(free[2])},
            "sample": {"intercept": float(free[1]), "slope": float(free[3])},
        },
        notes=() if limits else ("the slope is not certain enough for a bounded interval",),
    )


def _slopes(free: Array, covariance: Array, freedom: int, bounds: Bounds) -> Equivalence:
    t = float(special.stdtrit(freedom, 1 - bounds.alpha))
    limits = fieller(
        float(free[3]),
        float(free[2]),
        var_top=float(covariance[3, 3]),
        var_bottom=float(covariance[2, 2]),
        covariance=float(covariance[2, 3]),
        t=t,
    )
    return Equivalence(
        parameter="slope",
        kind="ratio",
        estimate=float(free[3] / free[2]) if free[2] else math.nan,
        low=limits[0] if limits else -math.inf,
        high=limits[1] if limits else math.inf,
        bound_low=bounds.slope_low,
        bound_high=bounds.slope_high,
    )


def _line_tests(
    y: Array,
    without: Array,
    rss_free: float,
    freedom_free: int,
    rss: float,
    dose: Array,
    is_sample: NDArray[np.bool_],
) -> dict[str, FTest]:
    """Test the regression, and the linearity by the scatter of replicates about their means."""
    tests = {}
    error, freedom = rss_free, freedom_free
    cells = np.unique(np.column_stack([is_sample.astype(float), dose]), axis=0, return_inverse=True)
    place = np.ravel(cells[1])
    count = len(cells[0])
    pure_freedom = len(y) - count
    if pure_freedom > 0:
        means = np.bincount(place, weights=y) / np.bincount(place)
        pure = float(np.sum((y - means[place]) ** 2))
        lack = extra_squares(rss_free, freedom_free, pure, pure_freedom)
        if lack is not None:
            tests["non_linearity"] = lack
        error, freedom = pure, pure_freedom
    rss_without = _solve(without, y)[1]
    if freedom > 0 and error > 0:
        more = 1
        f = (rss_without - rss) / more / (error / freedom)
        tests["regression"] = FTest(
            f=f, df1=more, df2=freedom, p=float(special.fdtrc(more, freedom, max(f, 0.0)))
        )
        f = max(0.0, rss - rss_free) / (error / freedom)
        tests["non_parallelism_on_pure_error"] = FTest(
            f=f, df1=1, df2=freedom, p=float(special.fdtrc(1, freedom, f))
        )
    return tests


def _pair(
    wells: Wells, reference: str, sample: str, *, log: bool
) -> tuple[Array, Array, NDArray[np.bool_], Array]:
    at_sample = wells.of(sample)
    keep = wells.of(reference) | at_sample
    if log:
        keep &= wells.dose > 0
    dose, y, is_sample = wells.dose[keep], wells.response[keep], at_sample[keep]
    for name, mask in ((reference, ~is_sample), (sample, is_sample)):
        doses = len(np.unique(dose[mask]))
        if doses < 2:
            raise Refused(
                "too-few-doses",
                what=f"sample {name}",
                found=f"{doses} doses above zero",
                limit="at least 2 for a line",
                remedy="give more doses",
                path=wells.path or None,
            )
    return (np.log(dose) if log else dose), y, is_sample, dose


def _solve(design: Array, y: Array) -> tuple[Array, float, Array]:
    theta: Array = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], float)
    residual = y - design @ theta
    inverse: Array = np.asarray(np.linalg.pinv(design.T @ design), float)
    return theta, float(residual @ residual), inverse


def _plain(variance: str) -> None:
    if variance != "constant":
        raise Refused(
            "variance-model-unknown",
            what="variance model of a line",
            found=variance,
            limit="constant",
            remedy="transform the response so that its scatter is even",
            rule="USP <1032>",
        )


def _undetermined(wells: Wells, sample: str) -> Refused:
    return Refused(
        "parameters-not-determined",
        what=f"lines of {sample}",
        found="too few wells, or slopes without a common direction",
        limit="a slope that differs from zero",
        remedy="check the doses",
        path=wells.path or None,
    )
