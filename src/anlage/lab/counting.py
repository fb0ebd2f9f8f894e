"""Quality of cell counting: how nearly a method's counts are proportional to dilution.

A dilution series has no reference value, so ISO 20391-2 judges a counting method by what must hold
anyway: half the cells, half the count. A proportional line and a flexible curve are fitted to the
sample means; the proportionality index says how far the curve strays from the line. Smaller is
better; the index compares methods and has no pass limit.

Computed as NIST's COMET computes it (usnistgov/COMET, which follows ISO 20391-2:2019; Sarkar et
al. 2017, doi:10.1002/cyto.b.21553), bootstrap included; the random draws are our own and seeded.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy
from numpy.typing import NDArray

from anlage.base import Problem, Refused

from .counting_table import RULE, Counts, Observation, number, read_counts

Floats = NDArray[numpy.float64]
Interval = tuple[float, float]

__all__ = [
    "DEFAULT_INDEX",
    "INDEX_FORMS",
    "Comparison",
    "Counts",
    "Evaluation",
    "Findings",
    "Observation",
    "evaluate",
    "read_counts",
]

DEFAULT_INDEX: Final = "scaled_squared"
# Keeps the coefficient of variation of an empty sample finite, as COMET does.
_TINY: Final = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How well one method counts.

    Attributes:
        method: Name of the method.
        cell_type: What was counted.
        concentration_type: Total or viable.
        samples: Number of samples.
        observations: Number of counts.
        slope: Concentration of the undiluted stock by the proportional line, cells/mL.
        r_squared: Weighted coefficient of determination about zero.
        proportionality_index: Each form by its name; `scaled_squared` is the default one.
        mean_cv_percent: Coefficient of variation of repeated counts, averaged over samples by
            their number of counts.
        cv_percent_by_dilution: The same per target dilution fraction.
        mean_by_dilution: Mean concentration per target dilution fraction, cells/mL.
        intervals: Bootstrap interval of each figure, by its name.
        design: Where the experiment falls short of the standard's design.
    """

    method: str
    cell_type: str
    concentration_type: str
    samples: int
    observations: int
    slope: float
    r_squared: float
    proportionality_index: dict[str, float]
    mean_cv_percent: float
    cv_percent_by_dilution: dict[str, float]
    mean_by_dilution: dict[str, float]
    intervals: dict[str, Interval]
    design: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the evaluation as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a file of counts shows.

    Attributes:
        evaluations: One per method, by name.
        comparisons: Of each pair of methods that counted the same thing.
        problems: Methods whose counts cannot be judged, and why.
    """

    evaluations: tuple["Evaluation", ...]
    comparisons: tuple["Comparison", ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure of two methods, as the ratio of the first to the second.

    Attributes:
        figure: Name of the figure.
        first: One method.
        second: The other.
        ratio: First by second.
        interval: Bootstrap interval of the ratio; of coefficients of variation, by the scatter
            between samples.
        is_different: Whether the interval leaves out 1.
        verdict: A sentence that says so.
    """

    figure: str
    first: str
    second: str
    ratio: float
    interval: Interval
    is_different: bool
    verdict: str

    def as_dict(self) -> dict[str, object]:
        """Give the comparison as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def evaluate(
    observations: Iterable[Observation],
    *,
    rng: numpy.random.Generator,
    resamples: int = 500,
    confidence: float = 0.95,
) -> Findings:
    """Evaluate each method, and compare each pair that counted the same thing.

    Args:
        observations: What `read_counts` gave.
        rng: Source of chance for the bootstrap; the same seed gives the same intervals.
        resamples: Bootstrap draws, 20 to 100,000.
        confidence: Coverage of the intervals, in (0, 1).

    Raises:
        Refused: No method can be judged: fewer than two dilution fractions, or nothing but zeros.
    """
    if not 20 <= resamples <= 100_000 or not 0 < confidence < 1:
        raise Refused(
            "counts-bootstrap", what="bootstrap", found=f"{resamples} draws, {confidence}",
            limit="20 to 100000 draws, confidence between 0 and 1",
        )  # fmt: skip
    groups: dict[tuple[str, str, str], list[Observation]] = {}
    targets: set[float] = set()
    for observation in observations:
        key = (observation.method, observation.cell_type, observation.concentration_type)
        groups.setdefault(key, []).append(observation)
        targets.add(observation.target)
    if not groups:
        raise Refused(
            "counts-design", what="file", found="no usable row", limit="one or more", rule=RULE
        )
    degree = len(targets) - 1
    seeds = rng.integers(0, 2**63, size=2)
    evaluations, draws, judged, problems = [], [], [], []
    for key in sorted(groups):
        try:
            series = _Series(groups[key], degree)
        except Refused as refusal:
            problems.append(refusal.problem)
            continue
        # One seed for all methods: they share their draws, and their order cannot matter.
        drawn = series.bootstrap(numpy.random.default_rng(seeds), resamples)
        evaluations.append(_evaluation(key, series, drawn, confidence))
        draws.append(drawn)
        judged.append(series)
    comparisons = [
        comparison
        for first in range(len(evaluations))
        for second in range(first + 1, len(evaluations))
        if _same_cells(evaluations[first], evaluations[second])
        for comparison in _compared(
            (evaluations[first], evaluations[second]),
            (draws[first], draws[second]),
            _cv_ratio(judged[first], judged[second], confidence),
            confidence,
        )
    ]
    if not evaluations:
        raise Refused.of(problems)
    return Findings(
        evaluations=tuple(evaluations),
        comparisons=tuple(comparisons),
        problems=tuple(problems),
    )


def _same_cells(one: Evaluation, other: Evaluation) -> bool:
    return (one.cell_type, one.concentration_type) == (other.cell_type, other.concentration_type)


INDEX_FORMS: Final = {
    "scaled_squared": "sum of (e / fit)^2",
    "scaled_absolute": "sum of |e / fit|",
    "squared": "sum of e^2 / (first fit)^2",
    "absolute": "sum of |e| / first fit",
    "variance_stabilised_squared": "sum of (e / sqrt(fit))^2",
    "variance_stabilised_absolute": "sum of |e / sqrt(fit)|",
}
"""Forms of the proportionality index; e is the flexible curve minus the proportional line."""


class _Series:
    """The observations of one method, as arrays sorted by dilution and sample."""

    def __init__(self, observations: Sequence[Observation], degree: int) -> None:
        rows = sorted(
            observations,
            key=lambda row: (row.stock, row.target, row.measured, _natural(row.sample)),
        )
        self.rows = rows
        self.degree = degree
        self.target = numpy.array([row.target for row in rows])
        self.measured = numpy.array([row.measured for row in rows])
        self.values = numpy.array([row.concentration for row in rows])
        names = {name: place for place, name in enumerate(dict.fromkeys(
            (row.stock, row.sample) for row in rows))}  # fmt: skip
        self.sample = numpy.array([names[row.stock, row.sample] for row in rows])
        stocks = {name: place for place, name in enumerate(dict.fromkeys(r.stock for r in rows))}
        self.stock = numpy.array([stocks[row.stock] for row in rows], float)
        self.levels = numpy.unique(self.target)
        self.pools = [numpy.nonzero(self.target == level)[0] for level in self.levels]
        if len(self.levels) < 2 or not numpy.any(self.values > 0):
            raise Refused(
                "counts-design",
                what=f"method {rows[0].method}",
                found=f"{len(self.levels)} dilution fractions"
                + ("" if numpy.any(self.values > 0) else ", every count zero"),
                limit="two or more (the standard asks for four), and counts above zero",
                remedy="count a dilution series",
                rule=RULE,
            )
        self.figures = self.compute(self.measured, self.values)

    def bootstrap(self, rng: numpy.random.Generator, resamples: int) -> dict[str, Floats]:
        """Draw observations anew within each dilution fraction, and compute every figure."""
        drawn: dict[str, list[float]] = {name: [] for name in self.figures}
        for _ in range(resamples):
            place = numpy.concatenate(
                [pool[rng.integers(0, len(pool), len(pool))] for pool in self.pools]
            )
            order = numpy.concatenate(self.pools)
            measured, values = self.measured.copy(), self.values.copy()
            measured[order], values[order] = self.measured[place], self.values[place]
            figures = self.compute(measured, values)
            for name, kept in drawn.items():
                kept.append(figures[name])
        return {name: numpy.array(kept) for name, kept in drawn.items()}

    def sample_cv(self) -> tuple[Floats, Floats]:
        """Give each sample's coefficient of variation and its number of counts."""
        n = numpy.bincount(self.sample).astype(float)
        mean = numpy.bincount(self.sample, self.values) / n
        spread = numpy.bincount(self.sample, (self.values - mean[self.sample]) ** 2)
        with numpy.errstate(invalid="ignore", divide="ignore"):
            return numpy.sqrt(spread / (n - 1)) / (mean + _TINY), n

    def compute(self, measured: Floats, values: Floats) -> dict[str, float]:
        """Give every figure of one set of observations, by name."""
        keys = numpy.stack([self.stock, self.target, measured, self.sample.astype(float)])
        unique, group = numpy.unique(keys, axis=1, return_inverse=True)
        group = group.ravel()
        n = numpy.bincount(group).astype(float)
        mean = numpy.bincount(group, values) / n
        spread = numpy.bincount(group, (values - mean[group]) ** 2)
        with numpy.errstate(invalid="ignore", divide="ignore"):
            variance = numpy.where(n > 1, spread / (n - 1), numpy.nan)
        figures = _fitted(unique[2], mean, n, self.degree)
        cv = numpy.sqrt(variance) / (mean + _TINY)
        figures["mean_cv_percent"] = _pooled_cv(cv, n, values)
        for level in self.levels:
            at = unique[1] == level
            observed = values[self.target == level]
            figures[f"cv_percent {level:g}"] = _pooled_cv(cv[at], n[at], observed)
            figures[f"mean {level:g}"] = float(observed.mean())
        return figures


def _natural(name: str) -> tuple[int, float, str]:
    value = number(name)
    return (1, 0.0, name) if math.isnan(value) else (0, value, name)


def _pooled_cv(cv: Floats, n: Floats, observed: Floats) -> float:
    """Average the samples' coefficients of variation by their number of counts, in percent.

    Where a sample was counted once, the spread of all counts stands in.
    """
    pooled = float(numpy.sum(n * cv) / numpy.sum(n))
    if math.isnan(pooled):
        if len(observed) < 2 or observed.mean() == 0:
            return math.nan
        pooled = float(observed.std(ddof=1) / observed.mean())
    return 100.0 * pooled


def _fitted(x: Floats, mean: Floats, n: Floats, degree: int) -> dict[str, float]:
    weight = n / x
    slope = float(numpy.sum(weight * x * mean) / numpy.sum(weight * x * x))
    line = slope * x
    about_zero = float(numpy.sum(weight * mean**2))
    residual = float(numpy.sum(weight * (mean - line) ** 2))
    powers = numpy.vander(x, degree + 1, increasing=True)
    root = numpy.sqrt(1.0 / x)
    coefficients = numpy.linalg.lstsq(powers * root[:, None], mean * root, rcond=None)[0]
    e = powers @ coefficients - line
    with numpy.errstate(divide="ignore", invalid="ignore"):
        return {
            "slope": slope,
            "r_squared": 1.0 - residual / about_zero if about_zero else math.nan,
            "scaled_squared": float(numpy.sum((e / line) ** 2)),
            "scaled_absolute": float(numpy.sum(numpy.abs(e / line))),
            "squared": float(numpy.sum(e**2) / line[0] ** 2),
            "absolute": float(numpy.sum(numpy.abs(e)) / line[0]),
            "variance_stabilised_squared": float(numpy.sum(e**2 / numpy.abs(line))),
            "variance_stabilised_absolute": float(
                numpy.sum(numpy.abs(e) / numpy.sqrt(numpy.abs(line)))
            ),
        }


def _evaluation(
    key: tuple[str, str, str], series: _Series, drawn: dict[str, Floats], confidence: float
) -> Evaluation:
    figures = series.figures
    shown = {name: name for name in ("slope", "r_squared", *INDEX_FORMS, "mean_cv_percent")}
    shown.update({name: name for name in figures if name.startswith("cv_percent ")})
    intervals = {
        told: _interval(name, figures[name], drawn[name], confidence)
        for name, told in shown.items()
    }
    samples = {(row.stock, row.target, row.sample) for row in series.rows}
    return Evaluation(
        method=key[0],
        cell_type=key[1],
        concentration_type=key[2],
        samples=len(samples),
        observations=len(series.rows),
        slope=figures["slope"],
        r_squared=figures["r_squared"],
        proportionality_index={name: figures[name] for name in INDEX_FORMS},
        mean_cv_percent=figures["mean_cv_percent"],
        cv_percent_by_dilution=_by_dilution(figures, "cv_percent "),
        mean_by_dilution=_by_dilution(figures, "mean "),
        intervals=intervals,
        design=_design(series),
    )


def _by_dilution(figures: dict[str, float], prefix: str) -> dict[str, float]:
    return {
        name.removeprefix(prefix): value
        for name, value in figures.items()
        if name.startswith(prefix)
    }


def _interval(name: str, value: float, drawn: Floats, confidence: float) -> Interval:
    """Give value ± t·se of the draws: logit scale for R2, logarithm for an index, capped at 0."""
    from scipy.special import stdtrit

    if numpy.allclose(drawn, value, rtol=1e-12, atol=0):
        return value, value
    t = float(stdtrit(len(drawn) - 1, (1 + confidence) / 2))
    with numpy.errstate(divide="ignore", invalid="ignore"):
        if name == "r_squared":
            odds = numpy.float64(value) / (1 - numpy.float64(value))
            scaled, middle = numpy.log(drawn / (1 - drawn)), numpy.log(odds)
        elif name in INDEX_FORMS:
            scaled, middle = numpy.log(drawn), numpy.log(numpy.float64(value))
        else:
            scaled, middle = drawn, numpy.float64(value)
    finite = scaled[numpy.isfinite(scaled)]
    if len(finite) < 2 or not math.isfinite(middle):
        return math.nan, math.nan
    half = t * float(finite.std(ddof=1))
    low, high = float(middle) - half, float(middle) + half
    if name == "r_squared":
        return _logistic(low), _logistic(high)
    if name in INDEX_FORMS:
        return math.exp(min(low, 700.0)), math.exp(min(high, 700.0))
    return max(low, 0.0), high


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value > -700 else 0.0


def _design(series: _Series) -> tuple[str, ...]:
    """Say where the design falls short: 4 dilutions, 3 samples each, 3 counts each."""
    short = []
    if len(series.levels) < 4:
        short.append(f"{len(series.levels)} dilution fractions; the standard asks for 4 or more")
    counts: dict[float, dict[tuple[str, str], int]] = {}
    for row in series.rows:
        samples = counts.setdefault(row.target, {})
        key = (row.stock, row.sample)
        samples[key] = samples.get(key, 0) + 1
    for target, samples in sorted(counts.items()):
        if len(samples) < 3:
            short.append(f"{len(samples)} samples at {target:g}; the standard asks for 3 or more")
        fewest = min(samples.values())
        if fewest < 3:
            short.append(f"{fewest} counts of a sample at {target:g}; it asks for 3 or more")
    return tuple(short)


def _cv_ratio(first: _Series, second: _Series, confidence: float) -> Interval | None:
    """Give the interval of the ratio of two mean coefficients of variation, samples as they are.

    The draws of the bootstrap mix the counts of samples of one dilution, which makes their
    coefficients of variation scatter less than those of samples counted anew; the scatter between
    the samples tells (Welch's interval of the logarithm). None where a sample was counted once.
    """
    from scipy.special import stdtrit

    logs, squares, freedom = [], [], []
    for series in (first, second):
        cv, n = series.sample_cv()
        if len(cv) < 2 or not numpy.all(numpy.isfinite(cv)) or not numpy.any(cv > 0):
            return None
        weight = n / n.sum()
        mean = float(weight @ cv)
        scatter = float(weight**2 @ (cv - mean) ** 2) * len(cv) / (len(cv) - 1)
        logs.append(math.log(mean))
        squares.append(scatter / mean**2)
        freedom.append(len(cv) - 1)
    if not sum(squares):
        return None
    pooled = sum(squares) ** 2 / sum(
        square**2 / own for square, own in zip(squares, freedom, strict=True)
    )
    half = float(stdtrit(pooled, (1 + confidence) / 2)) * math.sqrt(sum(squares))
    middle = logs[0] - logs[1]
    return math.exp(middle - half), math.exp(middle + half)


def _compared(
    pair: tuple[Evaluation, Evaluation],
    draws: tuple[dict[str, Floats], dict[str, Floats]],
    cv_ratio: Interval | None,
    confidence: float,
) -> list[Comparison]:
    first, second = pair
    drawn_first, drawn_second = draws
    values = {
        "slope": (first.slope, second.slope),
        DEFAULT_INDEX: (
            first.proportionality_index[DEFAULT_INDEX],
            second.proportionality_index[DEFAULT_INDEX],
        ),
        "mean_cv_percent": (first.mean_cv_percent, second.mean_cv_percent),
    }
    found = []
    for figure, (one, other) in values.items():
        ratios = drawn_first[figure] / numpy.where(
            drawn_second[figure] == 0, numpy.nan, drawn_second[figure]
        )
        ratios = ratios[numpy.isfinite(ratios)]
        if not len(ratios) or not other:
            continue
        tail = (1 - confidence) / 2
        low, high = (float(value) for value in numpy.quantile(ratios, (tail, 1 - tail)))
        if figure == "mean_cv_percent" and cv_ratio is not None:
            low, high = cv_ratio
        is_different = not low <= 1 <= high
        ratio = one / other
        found.append(
            Comparison(
                figure=figure,
                first=first.method,
                second=second.method,
                ratio=ratio,
                interval=(low, high),
                is_different=is_different,
                verdict=_verdict(
                    figure, first.method, second.method, ratio, is_different, confidence
                ),
            )
        )
    return found


def _verdict(
    figure: str, first: str, second: str, ratio: float, is_different: bool, confidence: float
) -> str:
    sure = f"at {100 * confidence:g} % confidence"
    match figure, is_different:
        case "slope", True:
            way = "higher" if ratio > 1 else "lower"
            share = abs(ratio - 1) * 100
            return f"{first} and {second} disagree: {first} reads {share:.1f} % {way} {sure}."
        case "slope", False:
            return f"{first} and {second} are not shown to disagree on concentration {sure}."
        case "mean_cv_percent", True:
            better = first if ratio < 1 else second
            return f"{better} repeats its counts more closely {sure}."
        case "mean_cv_percent", False:
            return f"Neither method is shown to repeat its counts more closely {sure}."
        case _, True:
            better = first if ratio < 1 else second
            return f"{better} counts more nearly in proportion to dilution {sure}."
        case _:
            return f"Neither method is shown to be more nearly proportional {sure}."
