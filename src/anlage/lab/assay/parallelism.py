"""Do two dose-response curves act alike: equivalence within bounds, and the F test beside it.

Equivalence of the parameters within bounds set beforehand decides (USP <1032>); the F test is a
diagnostic, because it fails good assays for being precise and passes poor ones for being noisy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from anlage.base import Refused

from .logistic import Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How alike two curves must be, set by the site before the assay is run.

    Attributes:
        slope_low: Least ratio of the sample's slope to the reference's.
        slope_high: Greatest ratio.
        asymptote: Greatest difference of either end, as a share of the reference's range.
        alpha: Size of each one-sided test; 0.05 gives 90 % intervals.

    Raises:
        Refused: Bounds that do not hold 1 (slope) or 0 (ends), or no size of a test.
    """

    slope_low: float = 0.80
    slope_high: float = 1.25
    asymptote: float = 0.20
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what bounds nothing."""
        for what, found, fits, limit in (
            ("slope bounds", f"{self.slope_low:g} to {self.slope_high:g}",
             0 < self.slope_low < 1 < self.slope_high < math.inf, "ratios about 1, both above 0"),
            ("asymptote bound", f"{self.asymptote:g}",
             0 < self.asymptote < math.inf, "a share above 0"),
            ("alpha", f"{self.alpha:g}", 0 < self.alpha < 0.5, "above 0 and below 0.5"),
        ):  # fmt: skip
            if not fits:
                raise Refused(
                    "bounds-unreadable",
                    what=what,
                    found=found,
                    limit=limit,
                    remedy="correct the bounds",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """One parameter compared between sample and reference.

    Attributes:
        parameter: Its name.
        kind: "ratio", or "difference over range".
        estimate: Sample against reference.
        low: Lower end of the interval of size 1 - 2 alpha.
        high: Upper end.
        bound_low: Lower bound set beforehand.
        bound_high: Upper bound.
    """

    parameter: str
    kind: str
    estimate: float
    low: float
    high: float
    bound_low: float
    bound_high: float

    @property
    def is_within(self) -> bool:
        """True when the whole interval lies within the bounds."""
        return self.bound_low <= self.low and self.high <= self.bound_high

    @property
    def is_outside(self) -> bool:
        """True when the whole interval lies outside the bounds: a difference is shown."""
        return self.high < self.bound_low or self.low > self.bound_high

    def as_dict(self) -> dict[str, object]:
        """Give the comparison as a JSON object."""
        names = ("parameter", "kind", "estimate", "low", "high", "bound_low", "bound_high")
        return {name: getattr(self, name) for name in names} | {"equivalent": self.is_within}


@dataclass(frozen=True, slots=True, kw_only=True)
class FTest:
    """A variance-ratio test: F, its degrees of freedom and its p-value."""

    f: float
    df1: int
    df2: int
    p: float

    def as_dict(self) -> dict[str, object]:
        """Give the test as a JSON object."""
        return {"f": self.f, "df1": self.df1, "df2": self.df2, "p": self.p}


def extra_squares(rss: float, freedom: int, rss_free: float, freedom_free: int) -> FTest | None:
    """Test a constrained fit against the free one; None where nothing is left to test with."""
    more = freedom - freedom_free
    if freedom_free <= 0 or more <= 0 or rss_free <= 0:
        return None
    f = max(0.0, (rss - rss_free) / more) / (rss_free / freedom_free)
    return FTest(f=f, df1=more, df2=freedom_free, p=float(special.fdtrc(more, freedom_free, f)))


def curve_equivalence(
    free: list[Curve], rss: float, freedom: int, bounds: Bounds
) -> tuple[Equivalence, ...]:
    """Compare ends and slope of two free curves, the reference first."""
    inverses = [curve.inverse() for curve in free]
    reference, sample = free[0].theta, free[1].theta
    width = abs(float(reference[3] - reference[0]))
    if freedom <= 0 or inverses[0] is None or inverses[1] is None or width == 0:
        return ()
    s2 = rss / freedom
    t = float(special.stdtrit(freedom, 1 - bounds.alpha))
    variance = [np.diag(inverse) * s2 for inverse in inverses if inverse is not None]
    found = []
    for name, k in (("A", 0), ("D", 3)):
        difference = float(sample[k] - reference[k]) / width
        half = t * math.sqrt(variance[0][k] + variance[1][k]) / width
        found.append(
            Equivalence(
                parameter=name,
                kind="difference over range",
                estimate=difference,
                low=difference - half,
                high=difference + half,
                bound_low=-bounds.asymptote,
                bound_high=bounds.asymptote,
            )
        )
    if reference[1] * sample[1] > 0:
        ratio = math.log(sample[1] / reference[1])
        half = t * math.sqrt(variance[0][1] / reference[1] ** 2 + variance[1][1] / sample[1] ** 2)
        low, high = math.exp(max(ratio - half, -700.0)), math.exp(min(ratio + half, 700.0))
        estimate = math.exp(ratio)
    else:
        estimate = float(sample[1] / reference[1])
        low, high = -math.inf, math.inf
    found.append(
        Equivalence(
            parameter="B",
            kind="ratio",
            estimate=estimate,
            low=low,
            high=high,
            bound_low=bounds.slope_low,
            bound_high=bounds.slope_high,
        )
    )
    return tuple(found)


def joined_equivalence(found: Sequence[Sequence[Equivalence]]) -> tuple[Equivalence, ...]:
    """Join each comparison over the plates, weighted by the inverse square of its width."""
    joined = []
    for items in zip(*found, strict=False):
        is_log = items[0].kind == "ratio" and all(i.low > 0 and i.estimate > 0 for i in items)
        to, back = (np.log, math.exp) if is_log else (np.asarray, float)
        low, estimate, high = (
            to(np.array([getattr(i, name) for i in items])) for name in ("low", "estimate", "high")
        )
        if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
            # A plate that allows any value lets nothing be shown of all of them.
            mean, width = float(estimate.mean()), math.inf
        else:
            weight = 1 / np.maximum((high - low) / 2, 1e-12) ** 2
            mean, width = float(weight @ estimate / weight.sum()), float(weight.sum() ** -0.5)
        joined.append(
            replace(
                items[0],
                estimate=back(mean),
                low=back(mean - width),
                high=back(mean + width),
            )
        )
    return tuple(joined)
