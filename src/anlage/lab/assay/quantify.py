"""How much is there: standard curves read backwards, and counts of partitions and of wells."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

from .logistic import Curve, lone_curve

Array = NDArray[np.float64]

# QX200 droplets hold 0.85 nL (Corbisier et al., Anal Bioanal Chem 407, 2015: 0.834 +/- 0.022).
DROPLET_NL = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its interval.

    Attributes:
        value: The estimate; None where only a bound is known.
        low: Lower end.
        high: Upper end.
        qualifier: "<" or ">" where the signal lies off the standards, with the bound in `value`.
    """

    value: float | None
    low: float | None
    high: float | None
    qualifier: str = ""

    def as_dict(self) -> dict[str, object]:
        """Give the estimate as a JSON object."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "qualifier": self.qualifier,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardCurve:
    """A curve through standards, to be read backwards.

    Attributes:
        model: "4pl", "5pl" or "linear" (linear on log dose and log signal is left to the caller).
        theta: Its parameters: A, B, ln C, D (G); or intercept and slope.
        covariance: Of the parameters.
        s2: Residual variance of one well.
        freedom: Its degrees of freedom.
        lowest: Lowest standard above zero.
        highest: Highest standard.
        r_squared: Share of the variance explained.
        recovery: Back-calculated over nominal, percent, for each standard level above zero.
    """

    model: str
    theta: Array
    covariance: Array
    s2: float
    freedom: int
    lowest: float
    highest: float
    r_squared: float
    recovery: tuple[tuple[float, float], ...] = ()

    def at(self, dose: float) -> float:
        """Give the mean signal at a dose."""
        return self._with_gradient(dose)[0]

    def read(self, signals: Sequence[float], *, confidence: float = 0.95) -> Estimate:
        """Give the dose behind replicate signals, by the mean signal and the delta method.

        Off the standards only a bound is given: nothing is extrapolated.
        """
        mean = float(np.mean(signals))
        ends = (self.at(self.lowest), self.at(self.highest))
        is_rising = ends[1] >= ends[0]
        if (mean < ends[0]) if is_rising else (mean > ends[0]):
            return Estimate(value=self.lowest, low=None, high=self.lowest, qualifier="<")
        if (mean > ends[1]) if is_rising else (mean < ends[1]):
            return Estimate(value=self.highest, low=self.highest, high=None, qualifier=">")
        dose = self._dose(mean)
        _, gradient, slope = self._with_gradient(dose)
        variance = self.s2 / len(signals) + float(gradient @ self.covariance @ gradient)
        t = float(special.stdtrit(self.freedom, (1 + confidence) / 2))
        half = t * math.sqrt(variance) / abs(slope) if slope else math.inf
        if self.model == "linear":
            return Estimate(value=dose, low=dose - half, high=dose + half)
        factor = math.exp(min(half, 700.0))
        return Estimate(value=dose, low=dose / factor, high=dose * factor)

    def _dose(self, signal: float) -> float:
        if self.model == "linear":
            return float((signal - self.theta[0]) / self.theta[1])
        A, B, c, D = self.theta[:4]
        G = self.theta[4] if self.model == "5pl" else 1.0
        share = (A - D) / (signal - D)
        return float(math.exp(c + math.log(share ** (1 / G) - 1) / B))

    def _with_gradient(self, dose: float) -> tuple[float, Array, float]:
        """Give the mean, its derivatives by the parameters, and by ln dose (dose when linear)."""
        if self.model == "linear":
            a, b = self.theta
            return float(a + b * dose), np.array([1.0, dose]), float(b)
        A, B, c, D = self.theta[:4]
        G = self.theta[4] if self.model == "5pl" else 1.0
        t = B * (math.log(dose) - c)
        p = float(special.expit(t))
        ln_one_z = float(np.logaddexp(0.0, t))
        u = math.exp(-G * ln_one_z)
        du = -G * u * p * (A - D)
        gradient = [u, du * (math.log(dose) - c), -du * B, 1 - u]
        if self.model == "5pl":
            gradient.append(-u * ln_one_z * (A - D))
        return float(D + (A - D) * u), np.array(gradient), float(du * B)


def standard_curve(
    doses: Sequence[float], signals: Sequence[float], model: str = "4pl"
) -> StandardCurve:
    """Fit standards by least squares.

    Raises:
        Refused: Too few standards, or standards that do not determine the curve.
    """
    x, y = np.asarray(doses, dtype=np.float64), np.asarray(signals, dtype=np.float64)
    count = {"4pl": 4, "5pl": 5, "linear": 2}[model]
    levels = np.unique(x)
    if len(levels) < count or len(x) <= count:
        raise Refused(
            "too-few-doses",
            what="standard curve",
            found=f"{len(levels)} levels in {len(x)} wells",
            limit=f"more than {count} wells on at least {count} levels for {model}",
            remedy="take more standards, or a simpler model",
        )
    if model == "linear":
        design = np.column_stack([np.ones_like(x), x])
        theta: Array = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], dtype=np.float64)
        fitted = design @ theta
        inverse: Array | None = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
    else:
        with np.errstate(divide="ignore"):
            curve: Curve = lone_curve(np.log(x), y, np.ones_like(y), skew=model == "5pl")
        theta, fitted, inverse = curve.theta, curve.fitted, curve.inverse()
    if inverse is None or (model == "linear" and theta[1] == 0):
        raise Refused(
            "parameters-not-determined",
            what="standard curve",
            found="standards that show no curve",
            limit="both ends and the slope",
            remedy="check the standards, or take --model linear",
        )
    rss = float(np.sum((y - fitted) ** 2))
    total = float(np.sum((y - y.mean()) ** 2))
    freedom = len(y) - count
    s2 = rss / freedom
    positive = levels[levels > 0]
    found = StandardCurve(
        model=model,
        theta=theta,
        covariance=inverse * s2,
        s2=s2,
        freedom=freedom,
        lowest=float(positive[0] if len(positive) else levels[0]),
        highest=float(levels[-1]),
        r_squared=1 - rss / total if total > 0 else 0.0,
    )
    recovery = []
    for level in positive.tolist():
        read = found.read(y[x == level].tolist())
        if read.value is not None:
            recovery.append((level, 100 * read.value / level))

    return replace(found, recovery=tuple(recovery))


@dataclass(frozen=True, slots=True, kw_only=True)
class QpcrCurve:
    """Cq against the logarithm of the copies.

    Attributes:
        slope: Cycles per tenfold; -3.32 is a doubling each cycle.
        intercept: Cq of one copy.
        efficiency: 10^(-1/slope) - 1, in percent.
        efficiency_low: Lower end of its interval.
        efficiency_high: Upper end.
        r_squared: Of the line.
        curve: The line, to be read backwards (over log10 copies).
    """

    slope: float
    intercept: float
    efficiency: float
    efficiency_low: float
    efficiency_high: float
    r_squared: float
    curve: StandardCurve

    def copies(self, cq: Sequence[float], *, confidence: float = 0.95) -> Estimate:
        """Give the copies behind replicate Cq values."""
        line = self.curve
        dose = line._dose(float(np.mean(cq)))
        if dose < line.lowest:
            return Estimate(value=10**line.lowest, low=None, high=10**line.lowest, qualifier="<")
        if dose > line.highest:
            return Estimate(value=10**line.highest, low=10**line.highest, high=None, qualifier=">")
        gradient = np.array([1.0, dose])
        variance = line.s2 / len(cq) + float(gradient @ line.covariance @ gradient)
        t = float(special.stdtrit(line.freedom, (1 + confidence) / 2))
        half = t * math.sqrt(variance) / abs(self.slope)
        return Estimate(value=10**dose, low=10 ** (dose - half), high=10 ** (dose + half))


def qpcr_curve(
    copies: Sequence[float], cq: Sequence[float], *, confidence: float = 0.95
) -> QpcrCurve:
    """Fit a qPCR standard curve; MIQE (Bustin et al., Clin Chem 55, 2009) asks all it gives.

    Raises:
        Refused: Copies of zero or less, too few levels, or a slope that is not negative.
    """
    x = np.asarray(copies, dtype=np.float64)
    if np.any(x <= 0):
        raise Refused(
            "dose-negative", what="copies of a standard", found=float(x.min()), limit="above 0",
            remedy="leave the blank out of the curve",
        )  # fmt: skip
    line = standard_curve(np.log10(x).tolist(), cq, "linear")
    levels = np.log10(np.unique(x))

    line = replace(line, lowest=float(levels[0]), highest=float(levels[-1]))
    slope = float(line.theta[1])
    if slope >= 0:
        raise Refused(
            "slope-wrong", what="qPCR curve", found=f"slope {slope:.3g}", limit="below 0",
            remedy="check that copies and Cq belong together",
        )  # fmt: skip
    t = float(special.stdtrit(line.freedom, (1 + confidence) / 2))
    half = t * math.sqrt(float(line.covariance[1, 1]))

    def efficiency(value: float) -> float:
        return 100 * (10 ** (-1 / value) - 1) if value < 0 else math.inf

    return QpcrCurve(
        slope=slope,
        intercept=float(line.theta[0]),
        efficiency=efficiency(slope),
        efficiency_low=efficiency(slope - half),
        efficiency_high=efficiency(slope + half),
        r_squared=line.r_squared,
        curve=line,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """Positive partitions among all accepted ones."""

    positives: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.positives <= self.total or self.total < 1:
            raise Refused(
                "partitions-impossible",
                what="digital PCR",
                found=f"{self.positives} positives of {self.total}",
                limit="0 to all of at least one partition",
                remedy="check the columns positives and accepted droplets",
            )


def copies_per_partition(counts: Partitions, *, confidence: float = 0.95) -> Estimate:
    """Give the mean copies per partition by Poisson's law, with its exact interval.

    lambda = -ln(1 - k/n), by Clopper and Pearson's limits of k/n; with every partition positive
    only a lower bound is known.
    """
    k, n = counts.positives, counts.total
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(special.betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    ends = [-math.log1p(-p) if p < 1 else math.inf for p in (low, high)]
    if k == n:
        return Estimate(value=ends[0], low=ends[0], high=None, qualifier=">")
    return Estimate(value=-math.log1p(-k / n), low=ends[0], high=ends[1])


def copies_per_ul(
    counts: Partitions, *, droplet_nl: float = DROPLET_NL, dilution: float = 1.0
) -> Estimate:
    """Give the copies per microlitre of the undiluted sample."""
    found = copies_per_partition(counts)
    factor = 1000.0 / droplet_nl * dilution
    return Estimate(
        value=None if found.value is None else found.value * factor,
        low=None if found.low is None else found.low * factor,
        high=None if found.high is None else found.high * factor,
        qualifier=found.qualifier,
    )


def vector_copy_number(
    vector: Partitions,
    genome: Partitions,
    *,
    genome_copies_per_cell: float = 2.0,
    transduced_percent: float | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Give the vector copies per cell, or per transduced cell where their share is given.

    The ratio of two Poisson means; its interval on the log scale by the delta method with
    var(ln lambda) = p / (n (1 - p) lambda^2) for each (Dube, Qin and Ramakrishnan, PLoS ONE 3,
    2008, doi 10.1371/journal.pone.0002876).

    Raises:
        Refused: No genome copies, every partition positive, or a share outside 0 to 100 %.
    """
    if transduced_percent is not None and not 0 < transduced_percent <= 100:
        raise Refused(
            "share-impossible", what="transduced cells", found=f"{transduced_percent:g} %",
            limit="above 0 and at most 100 %", remedy="give the CAR positive share",
        )  # fmt: skip
    for name, counts in (("genome", genome), ("vector", vector)):
        if counts.positives == counts.total or (name == "genome" and counts.positives == 0):
            raise Refused(
                "partitions-impossible",
                what=f"{name} partitions",
                found=f"{counts.positives} positives of {counts.total}",
                limit="some positive and some negative",
                remedy="dilute the sample, or load more of it",
            )
    factor = genome_copies_per_cell * (100 / transduced_percent if transduced_percent else 1.0)
    lam = [-math.log1p(-c.positives / c.total) for c in (vector, genome)]
    if vector.positives == 0:
        high = copies_per_partition(vector, confidence=confidence).high or 0.0
        return Estimate(value=0.0, low=0.0, high=factor * high / lam[1])
    variance = sum(
        (c.positives / c.total) / (c.total * (1 - c.positives / c.total) * m**2)
        for c, m in zip((vector, genome), lam, strict=True)
    )
    half = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(variance)
    value = factor * lam[0] / lam[1]
    return Estimate(value=value, low=value * math.exp(-half), high=value * math.exp(half))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often a cell of a kind stands among cells, by limiting dilution.

    Attributes:
        one_in: One such cell in so many; None where none was seen.
        low: Lower end of `one_in` (the more frequent end).
        high: Upper end; None where it is not bounded.
        slope: Of ln(-ln(share negative)) over ln(dose); 1 where single hits suffice.
        slope_p: P-value of slope 1 by the likelihood ratio.
        deviance: Of the single-hit model.
        deviance_p: P-value of its fit.
    """

    one_in: float | None
    low: float
    high: float | None
    slope: float | None
    slope_p: float | None
    deviance: float
    deviance_p: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Give the frequency as a JSON object."""
        names = ("one_in", "low", "high", "slope", "slope_p", "deviance", "deviance_p")
        return {name: getattr(self, name) for name in names}


def limiting_dilution(
    doses: Sequence[float],
    wells: Sequence[int],
    positives: Sequence[int],
    *,
    confidence: float = 0.95,
) -> Frequency:
    """Give the frequency by maximum likelihood of the single-hit Poisson model.

    A binomial model with complementary log-log link and offset ln(dose); the interval is Wald's
    on ln(frequency), one-sided exact where all wells are alike (Hu and Smyth, J Immunol Methods
    347, 2009, doi 10.1016/j.jim.2009.06.008).

    Raises:
        Refused: Doses of zero or less, or impossible counts.
    """
    d = np.asarray(doses, dtype=np.float64)
    n, k = np.asarray(wells, dtype=np.float64), np.asarray(positives, dtype=np.float64)
    if len(d) == 0 or np.any(d <= 0) or np.any(n < 1) or np.any(k < 0) or np.any(k > n):
        raise Refused(
            "counts-impossible",
            what="limiting dilution",
            found="a dose, number of wells or of positives that cannot be",
            limit="doses above 0 and positives from 0 to the wells",
            remedy="check the columns dose, wells, positives",
        )
    tail = 1 - confidence
    if np.all(k == 0):
        return Frequency(
            one_in=None, low=float(np.sum(n * d)) / -math.log(tail), high=None,
            slope=None, slope_p=None, deviance=0.0, deviance_p=None,
        )  # fmt: skip
    if np.all(k == n):
        # The rarest frequency at which all wells would still be positive in `tail` of the trials.
        def all_positive(ln_f: float) -> float:
            return float(np.sum(n * np.log(-np.expm1(-np.exp(ln_f) * d)))) - math.log(tail)

        ln_f = _bisect(all_positive, -60.0, 60.0)
        return Frequency(
            one_in=None, low=0.0, high=math.exp(-ln_f),
            slope=None, slope_p=None, deviance=0.0, deviance_p=None,
        )  # fmt: skip
    ln_f = _bisect(lambda v: _score(v, 1.0, d, n, k)[0], -60.0, 60.0)
    information = _score(ln_f, 1.0, d, n, k)[1]
    half = float(special.ndtri((1 + confidence) / 2)) / math.sqrt(information)
    deviance = _deviance(ln_f, 1.0, d, n, k)
    levels = len(np.unique(d))
    slope = slope_p = deviance_p = None
    if levels > 1:
        slope, free = _free_slope(ln_f, d, n, k)
        slope_p = float(special.chdtrc(1, max(0.0, deviance - free)))
        deviance_p = float(special.chdtrc(len(d) - 1, deviance))
    return Frequency(
        one_in=math.exp(-ln_f),
        low=math.exp(-ln_f - half),
        high=math.exp(-ln_f + half),
        slope=slope,
        slope_p=slope_p,
        deviance=deviance,
        deviance_p=deviance_p,
    )


def _score(ln_f: float, slope: float, d: Array, n: Array, k: Array) -> tuple[float, float]:
    mean = np.exp(np.clip(ln_f + slope * np.log(d), -700, 500))
    with np.errstate(all="ignore"):
        odds = np.where(mean < 700, mean / np.expm1(np.minimum(mean, 700.0)), 0.0)
    score = float(np.sum(k * odds - (n - k) * mean))
    with np.errstate(all="ignore"):
        fisher = np.where(mean < 700, n * mean**2 / np.expm1(np.minimum(mean, 700.0)), 0.0)
    return score, float(np.sum(fisher))


def _deviance(ln_f: float, slope: float, d: Array, n: Array, k: Array) -> float:
    mean = np.exp(np.clip(ln_f + slope * np.log(d), -700, 500))
    p = -np.expm1(-mean)
    return float(
        2 * np.sum(special.xlogy(k, k / n / p) + special.xlogy(n - k, (n - k) / n) + (n - k) * mean)
    )


def _free_slope(ln_f: float, d: Array, n: Array, k: Array) -> tuple[float | None, float]:
    def best(slope: float) -> float:
        at = _bisect(lambda v: _score(v, slope, d, n, k)[0], -200.0, 200.0)
        return _deviance(at, slope, d, n, k)

    golden = (math.sqrt(5) - 1) / 2
    low, high = 0.0, 10.0
    for _ in range(70):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if best(a) < best(b) else (a, high)
    slope = (low + high) / 2
    return (None if slope > 9.99 else slope), best(slope)


def _bisect(f: Callable[[float], float], low: float, high: float) -> float:

    from scipy import optimize  # slow to load, and only limiting dilution needs it

    return float(optimize.brentq(f, low, high, xtol=1e-13, rtol=1e-14))


def specific_lysis(signal: float, spontaneous: float, maximum: float) -> float:
    """Give the killing of target cells in percent: (signal - spontaneous)/(maximum - spontaneous).

    Raises:
        Refused: The maximum release is not above the spontaneous one.
    """
    if not maximum > spontaneous:
        raise Refused(
            "controls-without-window",
            what="killing assay",
            found=f"maximum {maximum:g}, spontaneous {spontaneous:g}",
            limit="a maximum release above the spontaneous one",
            remedy="check the control wells",
        )
    return 100 * (signal - spontaneous) / (maximum - spontaneous)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionLimits:
    """Limits of detection and quantitation by ICH Q2(R2), each with the sigma it rests on."""

    slope: float
    intercept: float
    residual_sd: float
    intercept_se: float
    detection: dict[str, float]
    quantitation: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        """Give the limits as a JSON object."""
        return {
            "slope": self.slope,
            "intercept": self.intercept,
            "residual_sd": self.residual_sd,
            "intercept_se": self.intercept_se,
            "detection_limit": self.detection,
            "quantitation_limit": self.quantitation,
        }


def detection_limits(
    doses: Sequence[float], signals: Sequence[float], *, blanks: Sequence[float] = ()
) -> DetectionLimits:
    """Give DL = 3.3 sigma/S and QL = 10 sigma/S of a line near the blank (ICH Q2(R2) 3.2.3).

    Sigma is given three ways: the residual deviation of the line, the standard error of its
    intercept, and the deviation of at least three blanks where there are any.

    Raises:
        Refused: Too few standards, or a line without slope.
    """
    line = standard_curve(doses, signals, "linear")
    slope = abs(float(line.theta[1]))
    sigma = {
        "residual": math.sqrt(line.s2),
        "intercept": math.sqrt(float(line.covariance[0, 0])),
    }
    if len(blanks) >= 3:
        sigma["blank"] = float(np.std(np.asarray(blanks, dtype=np.float64), ddof=1))
    return DetectionLimits(
        slope=float(line.theta[1]),
        intercept=float(line.theta[0]),
        residual_sd=sigma["residual"],
        intercept_se=sigma["intercept"],
        detection={name: 3.3 * value / slope for name, value in sigma.items()},
        quantitation={name: 10 * value / slope for name, value in sigma.items()},
    )
