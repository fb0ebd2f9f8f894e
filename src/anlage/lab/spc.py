"""Is the process, or the assay, still the one it was: control rules, charts and capability.

Nelson's eight rules (J. Quality Technology 16, 1984), Westgard's multirule (Clin. Chem. 27,
1981), EWMA (Lucas and Saccucci, Technometrics 32, 1990), CUSUM (Page 1954), capability, and the
gate that lets a run be reported. Points are counted from 1, as on paper. The average run lengths
come from the integral equations of the charts, so that limits can be chosen, not copied.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Unbiasing constant of the moving range of two, d2 = 2/sqrt(pi).
MOVING_RANGE_D2 = 2 / math.sqrt(math.pi)
NODES = 80

NELSON = {
    1: "one point beyond three standard deviations",
    2: "nine points in a row on one side of the mean",
    3: "six points in a row rising, or falling",
    4: "fourteen points in a row going up and down by turns",
    5: "two of three points beyond two standard deviations on one side",
    6: "four of five points beyond one standard deviation on one side",
    7: "fifteen points in a row within one standard deviation",
    8: "eight points in a row beyond one standard deviation, on both sides",
}
WESTGARD = {
    "1_2s": "warning: a control beyond two standard deviations",
    "1_3s": "a control beyond three standard deviations",
    "2_2s": "two controls in a row beyond two standard deviations on one side",
    "R_4s": "two controls of a run more than four standard deviations apart",
    "4_1s": "four controls in a row beyond one standard deviation on one side",
    "10_x": "ten controls in a row on one side of the mean",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a process stands when nothing is wrong.

    Attributes:
        mean: Its mean.
        sd: Its standard deviation, above zero.
        source: "declared", "moving range" or "sample".
    """

    mean: float
    sd: float
    source: str = "declared"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd > 0):
            raise Refused(
                "no-variation",
                what="control limits",
                found=f"mean {self.mean:g}, standard deviation {self.sd:g}",
                limit="a standard deviation above zero",
                remedy="declare --sd, or give results with more decimals",
            )

    @classmethod
    def from_individuals(
        cls, values: Sequence[float] | Array, *, by: str = "moving range"
    ) -> "Limits":
        """Estimate from results in the order they were made.

        `moving range` divides the mean range of neighbours by 1.128, so that a slow drift does not
        widen the limits; `sample` takes the plain standard deviation.

        Raises:
            Refused: Fewer than two results, or results that are all alike.
        """
        data = np.asarray(values, dtype=np.float64)
        if len(data) < 2:
            raise Refused(
                "too-few-observations",
                what="control limits",
                found=f"{len(data)} results",
                limit="at least 2; 20 or more are advisable",
                remedy="declare --mean and --sd",
            )
        if by == "sample":
            return cls(mean=float(data.mean()), sd=float(data.std(ddof=1)), source="sample")
        spread = float(np.mean(np.abs(np.diff(data)))) / MOVING_RANGE_D2
        return cls(mean=float(data.mean()), sd=spread, source="moving range")

    def z(self, values: Sequence[float] | Array) -> Array:
        """Give results as standard deviations from the mean."""
        return (np.asarray(values, dtype=np.float64) - self.mean) / self.sd


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One rule met: its name, the point that met it, and all the points that count to it."""

    rule: str
    point: int
    points: tuple[int, ...]
    what: str

    def as_dict(self) -> dict[str, object]:
        """Give the signal as a JSON object."""
        return {
            "rule": self.rule,
            "point": self.point,
            "points": list(self.points),
            "what": self.what,
        }


def nelson_flags(z: Array) -> dict[int, Flags]:
    """Give, per rule, the points at which it is met; the last axis runs in time."""
    z = np.asarray(z, dtype=np.float64)
    side = np.sign(z)
    step = np.sign(np.diff(z, axis=-1))
    turns = np.where(step[..., 1:] * step[..., :-1] < 0, 1.0, 0.0)
    low, high = z < 0, z > 0
    return {
        1: np.abs(z) > 3,
        2: _all_of(side > 0, 9) | _all_of(side < 0, 9),
        3: _late(_all_of(step > 0, 5) | _all_of(step < 0, 5), 1),
        4: _late(_all_of(turns > 0, 12), 2),
        5: _some_of(z > 2, 2, 3) & high & (z > 2) | _some_of(z < -2, 2, 3) & low & (z < -2),
        6: _some_of(z > 1, 4, 5) & (z > 1) | _some_of(z < -1, 4, 5) & (z < -1),
        7: _all_of(np.abs(z) < 1, 15),
        8: _all_of(np.abs(z) > 1, 8) & _some_of(z > 1, 1, 8) & _some_of(z < -1, 1, 8),
    }


_WINDOW = {1: 1, 2: 9, 3: 6, 4: 14, 5: 3, 6: 5, 7: 15, 8: 8}


def nelson(z: Array, rules: Iterable[int] = range(1, 9)) -> list[Signal]:
    """Give every signal of Nelson's rules, in the order of the points.

    Raises:
        Refused: A rule has no such number.
    """
    flags = nelson_flags(z)
    found = []
    for rule in rules:
        if rule not in flags:
            raise Refused(
                "rule-unknown", what="Nelson rule", found=rule, limit="1 to 8", remedy="name one"
            )
        for at in np.flatnonzero(flags[rule]).tolist():
            span = range(at - _WINDOW[rule] + 2, at + 2)
            found.append(
                Signal(rule=str(rule), point=at + 1, points=tuple(span), what=NELSON[rule])
            )
    return sorted(found, key=lambda signal: (signal.point, signal.rule))


def westgard(z: Array) -> list[Signal]:
    """Give every signal of Westgard's multirule over runs (rows) and control levels (columns).

    2_2s, 4_1s and 10_x are looked for within each level over runs and across the levels of runs
    in the order they were measured; R_4s within one run. The point is the run, counted from 1.
    """
    z = np.atleast_2d(np.asarray(z, dtype=np.float64).T).T
    runs, levels = z.shape
    found: dict[tuple[str, int], Signal] = {}

    def note(rule: str, run: int, first: int) -> None:
        found.setdefault(
            (rule, run),
            Signal(
                rule=rule,
                point=run + 1,
                points=tuple(range(first + 1, run + 2)),
                what=WESTGARD[rule],
            ),
        )

    for run in range(runs):
        row = z[run][np.isfinite(z[run])]
        if np.any(np.abs(row) > 2):
            note("1_2s", run, run)
        if np.any(np.abs(row) > 3):
            note("1_3s", run, run)
        if len(row) > 1 and row.max() > 2 and row.min() < -2:
            note("R_4s", run, run)
    series = [(z[:, k], np.arange(runs)) for k in range(levels)]
    if levels > 1:
        series.append((z.ravel(), np.repeat(np.arange(runs), levels)))
    for values, run_of in series:
        keep = np.isfinite(values)
        values, run_of = values[keep], run_of[keep]
        for rule, count, bound in (("2_2s", 2, 2.0), ("4_1s", 4, 1.0), ("10_x", 10, 0.0)):
            flagged = _all_of(values > bound, count) | _all_of(values < -bound, count)
            for at in np.flatnonzero(flagged).tolist():
                note(rule, int(run_of[at]), int(run_of[at - count + 1]))
    return sorted(found.values(), key=lambda signal: (signal.point, signal.rule))


class Gate(Enum):
    """What becomes of a run after its controls were read."""

    ACCEPT = "accept"
    WARN = "warn"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's verdict on one run, with the rules behind it."""

    run: int
    gate: Gate
    rules: tuple[str, ...]


def levey_jennings(z: Array) -> list[Verdict]:
    """Give the verdict on each run: rejected by any Westgard rule, warned of by 1_2s alone.

    A run without a finite control is rejected: what was not measured is not in control.
    """
    z = np.atleast_2d(np.asarray(z, dtype=np.float64).T).T
    signals = westgard(z)
    verdicts = []
    for run in range(len(z)):
        rules = tuple(s.rule for s in signals if s.point == run + 1)
        if not np.any(np.isfinite(z[run])):
            verdicts.append(Verdict(run=run + 1, gate=Gate.REJECT, rules=("no control",)))
            continue
        hard = [rule for rule in rules if rule != "1_2s"]
        gate = Gate.REJECT if hard else Gate.WARN if rules else Gate.ACCEPT
        verdicts.append(Verdict(run=run + 1, gate=gate, rules=rules))
    return verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with memory: its values, its limits and the points beyond them."""

    name: str
    values: tuple[float, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    beyond: tuple[int, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the chart as a JSON object."""
        names = ("name", "values", "upper", "lower", "beyond")
        return {name: getattr(self, name) for name in names}


def ewma(
    values: Sequence[float] | Array, limits: Limits, *, weight: float = 0.1, width: float = 2.814
) -> Chart:
    """Give the exponentially weighted moving average with its exact, widening limits.

    Args:
        values: Results in order.
        limits: Mean and standard deviation in control.
        weight: Share of the newest result, above 0 and at most 1.
        width: Width of the limits in standard deviations of the average.

    Raises:
        Refused: A weight outside 0 to 1.
    """
    if not 0 < weight <= 1:
        raise _bad_setting("EWMA weight", weight, "above 0 and at most 1")
    data = np.asarray(values, dtype=np.float64)
    average, averages, spread = limits.mean, [], []
    for k, value in enumerate(data.tolist(), start=1):
        average = weight * value + (1 - weight) * average
        averages.append(average)
        share = weight / (2 - weight) * (1 - (1 - weight) ** (2 * k))
        spread.append(width * limits.sd * math.sqrt(share))
    upper = tuple(limits.mean + s for s in spread)
    lower = tuple(limits.mean - s for s in spread)
    beyond = tuple(
        k
        for k, (a, high, low) in enumerate(zip(averages, upper, lower, strict=True), start=1)
        if a > high or a < low
    )
    return Chart(name="ewma", values=tuple(averages), upper=upper, lower=lower, beyond=beyond)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cusum:
    """Two one-sided cumulative sums in standard deviations, and where they passed `h`."""

    high: tuple[float, ...]
    low: tuple[float, ...]
    k: float
    h: float
    beyond: tuple[int, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the sums as a JSON object."""
        return {"high": self.high, "low": self.low, "k": self.k, "h": self.h, "beyond": self.beyond}


def cusum(
    values: Sequence[float] | Array,
    limits: Limits,
    *,
    k: float = 0.5,
    h: float = 5.0,
    head_start: float = 0.0,
) -> Cusum:
    """Give the tabular CUSUM; `head_start` (0.5 for FIR) starts both sums at that share of h.

    Raises:
        Refused: A negative k, or h of zero or less.
    """
    if k < 0 or h <= 0:
        raise _bad_setting("CUSUM", f"k {k:g}, h {h:g}", "k of 0 or more and h above 0")
    up = down = head_start * h
    high, low, beyond = [], [], []
    for at, z in enumerate(limits.z(values).tolist(), start=1):
        up, down = max(0.0, up + z - k), max(0.0, down - z - k)
        high.append(up)
        low.append(down)
        if up > h or down > h:
            beyond.append(at)
    return Cusum(high=tuple(high), low=tuple(low), k=k, h=h, beyond=tuple(beyond))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """How well a process fits its specification.

    Attributes:
        cp: Width of the specification over six short-term standard deviations; None one-sided.
        cpk: The nearer side over three short-term standard deviations.
        pp: As cp, with the overall standard deviation.
        ppk: As cpk, with the overall standard deviation.
        ppk_low: Lower end of the two-sided 95 % interval of Ppk (Bissell, Appl. Stat. 39, 1990).
        ppk_high: Upper end.
        beyond_ppm: Share expected beyond the limits, parts per million, if normal.
    """

    cp: float | None
    cpk: float
    pp: float | None
    ppk: float
    ppk_low: float
    ppk_high: float
    beyond_ppm: float

    def as_dict(self) -> dict[str, float | None]:
        """Give the capability as a JSON object."""
        names = ("cp", "cpk", "pp", "ppk", "ppk_low", "ppk_high", "beyond_ppm")
        return {name: getattr(self, name) for name in names}


def capability(
    values: Sequence[float] | Array,
    *,
    lower: float | None,
    upper: float | None,
    confidence: float = 0.95,
) -> Capability:
    """Give the capability of results in order against one or two specification limits.

    Raises:
        Refused: No limit, limits in the wrong order, or results that are all alike.
    """
    if lower is None and upper is None:
        raise _bad_setting("specification", "no limit", "a lower or an upper limit, or both")
    if lower is not None and upper is not None and lower >= upper:
        raise _bad_setting("specification", f"{lower:g} to {upper:g}", "lower below upper")
    data = np.asarray(values, dtype=np.float64)
    short, overall = (Limits.from_individuals(data, by=by) for by in ("moving range", "sample"))

    def nearer(sd: float) -> float:
        sides = []
        if upper is not None:
            sides.append((upper - overall.mean) / (3 * sd))
        if lower is not None:
            sides.append((overall.mean - lower) / (3 * sd))
        return min(sides)

    both = lower is not None and upper is not None
    width = (upper or 0.0) - (lower or 0.0)
    ppk = nearer(overall.sd)
    n = len(data)
    half = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(
        1 / (9 * n) + ppk**2 / (2 * (n - 1))
    )
    tails = 0.0
    if upper is not None:
        tails += float(special.ndtr((overall.mean - upper) / overall.sd))
    if lower is not None:
        tails += float(special.ndtr((lower - overall.mean) / overall.sd))
    return Capability(
        cp=width / (6 * short.sd) if both else None,
        cpk=nearer(short.sd),
        pp=width / (6 * overall.sd) if both else None,
        ppk=ppk,
        ppk_low=ppk - half,
        ppk_high=ppk + half,
        beyond_ppm=1e6 * tails,
    )


def shewhart_run_length(shift: float = 0.0, *, width: float = 3.0) -> float:
    """Give the average run length of a Shewhart chart after a shift in standard deviations."""
    return 1 / float(special.ndtr(-width - shift) + special.ndtr(-width + shift))


def cusum_run_length(shift: float = 0.0, *, k: float = 0.5, h: float = 5.0) -> float:
    """Give the average run length of a two-sided CUSUM from zero.

    Each side by its integral equation (Page 1954) on Gauss-Legendre nodes; the two sides join as
    1/ARL = 1/ARL+ + 1/ARL- (van Dobben de Bruyn 1968).
    """
    return 1 / (1 / _cusum_side(shift, k, h) + 1 / _cusum_side(-shift, k, h))


def ewma_run_length(shift: float = 0.0, *, weight: float = 0.1, width: float = 2.814) -> float:
    """Give the average run length of an EWMA with constant limits, by its integral equation.

    Source: Crowder, Technometrics 29 (1987); tables of Lucas and Saccucci (1990).
    """
    half = width * math.sqrt(weight / (2 - weight))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    at, mass = nodes * half, weights * half
    moved = (at[None, :] - (1 - weight) * at[:, None]) / weight - shift
    kernel = _normal_density(moved) * mass[None, :] / weight
    length = np.linalg.solve(np.eye(NODES) - kernel, np.ones(NODES))
    first = _normal_density(at / weight - shift) * mass / weight
    return 1 + float(first @ length)


def _cusum_side(shift: float, k: float, h: float) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    at, mass = (nodes + 1) * h / 2, weights * h / 2
    start = np.concatenate([[0.0], at])
    kernel = np.zeros((NODES + 1, NODES + 1))
    kernel[:, 0] = special.ndtr(k - start - shift)
    kernel[:, 1:] = _normal_density(at[None, :] + k - start[:, None] - shift) * mass[None, :]
    length = np.linalg.solve(np.eye(NODES + 1) - kernel, np.ones(NODES + 1))
    return float(length[0])


def _normal_density(z: Array) -> Array:
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfTrend:
    """A stability result against what earlier batches foretell.

    Attributes:
        month: Its age.
        value: The result.
        low: Lower end of the interval for one new result.
        high: Upper end.
        is_out: True when it lies outside.
    """

    month: float
    value: float
    low: float
    high: float
    is_out: bool


def out_of_trend(
    history: tuple[Sequence[float], Sequence[float]],
    new: tuple[Sequence[float], Sequence[float]],
    *,
    confidence: float = 0.95,
) -> list[OutOfTrend]:
    """Judge new results by the prediction interval of a line through earlier ones.

    The regression control chart of the PhRMA CMC group (Pharm. Technol. 27(4), 2003).

    Args:
        history: Months and results of batches that are in trend.
        new: Months and results to judge.
        confidence: Level of the two-sided interval.

    Raises:
        Refused: Fewer than three earlier results, or all of one month.
    """
    x, y = (np.asarray(part, dtype=np.float64) for part in history)
    if len(x) < 3 or np.ptp(x) == 0:
        raise Refused(
            "too-few-observations",
            what="history of the trend",
            found=f"{len(x)} results",
            limit="at least 3 results of different months",
            remedy="give more history",
        )
    design = np.column_stack([np.ones_like(x), x])
    theta = np.linalg.lstsq(design, y, rcond=None)[0]
    freedom = len(x) - 2
    s2 = float(np.sum((y - design @ theta) ** 2)) / freedom
    inverse = np.linalg.inv(design.T @ design)
    t = float(special.stdtrit(freedom, (1 + confidence) / 2))
    found = []
    for month, value in zip(new[0], new[1], strict=True):
        row = np.array([1.0, month])
        half = t * math.sqrt(s2 * (1 + float(row @ inverse @ row)))
        middle = float(row @ theta)
        found.append(
            OutOfTrend(
                month=month,
                value=value,
                low=middle - half,
                high=middle + half,
                is_out=not middle - half <= value <= middle + half,
            )
        )
    return found


def run_length_by_rules(
    rules: Iterable[int],
    shift: float,
    rng: np.random.Generator,
    *,
    runs: int = 4000,
    length: int = 800,
) -> float:
    """Estimate the average run length of a set of Nelson's rules by simulation.

    Runs without a signal within `length` count as that long, so that it suits sets whose average
    is well below a third of it.
    """
    wanted = list(rules)
    total = 0.0
    done = 0
    while done < runs:
        block = min(500, runs - done)
        flags = nelson_flags(rng.normal(shift, 1.0, (block, length)))
        hit = np.zeros((block, length), dtype=bool)
        for rule in wanted:
            hit |= flags[rule]
        first = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, length)
        total += float(first.sum())
        done += block
    return total / runs


def _all_of(flags: Flags, count: int) -> Flags:
    return _some_of(flags, count, count)


def _some_of(flags: Flags, least: int, window: int) -> Flags:
    """Flag the points at which at least `least` of the last `window` are flagged."""
    total = np.cumsum(flags, axis=-1, dtype=np.int64)
    shifted = np.zeros_like(total)
    shifted[..., window:] = total[..., :-window]
    result = (total - shifted) >= least
    result[..., : min(least, flags.shape[-1]) - 1] = False
    return np.asarray(result)


def _late(flags: Flags, by: int) -> Flags:
    pad = np.zeros((*flags.shape[:-1], by), dtype=bool)
    return np.concatenate([pad, flags], axis=-1)


def _bad_setting(what: str, found: object, limit: str) -> Refused:
    return Refused("setting-out-of-range", what=what, found=found, limit=limit, remedy="correct it")
