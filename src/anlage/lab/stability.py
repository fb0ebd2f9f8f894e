"""How long a product may be kept: shelf life by ICH Q1E, and by a mixed model of the batches.

The batches are pooled only where an analysis of covariance at the 0.25 level finds neither slopes
nor intercepts to differ (Q1E B.3.2, B.4); the shelf life is the earliest month at which the
one-sided 95 % confidence limit of the mean meets the acceptance limit, for the worst batch where
they are not pooled; and it never runs further past the data than Q1E 2.4 and 2.5 allow.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Problem, Refused

from .columns import PROBLEMS_MAX, Columns, is_blank, number, read_columns
from .random_lines import random_lines

Array = NDArray[np.float64]

BATCHES_MAX = 200
POOLING_LEVEL = 0.25
# A crossing beyond it is the rounding of a line that does not fall.
MONTHS_MAX = 1e6


class Side(Enum):
    """On which side of the acceptance limit a result fails."""

    LOWER = "lower"
    UPPER = "upper"
    BOTH = "both"


class Storage(Enum):
    """The long-term condition, which decides how far past the data a shelf life may run."""

    ROOM = "room"
    REFRIGERATED = "refrigerated"
    FROZEN = "frozen"
    CRYOGENIC = "cryogenic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Results of batches over months.

    Attributes:
        batch: Name of each result's batch.
        month: Age in months, zero or more.
        value: The result.
        path: The file.
    """

    batch: tuple[str, ...]
    month: Array
    value: Array
    path: str = ""

    @property
    def batches(self) -> list[str]:
        """The batches, in the order of their first results."""
        return list(dict.fromkeys(self.batch))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The mean of one batch, or of all, over the months.

    Attributes:
        batch: Its name; "all" where the batches are pooled.
        intercept: Mean at month 0.
        slope: Change per month.
        covariance: Of intercept and slope.
        crossing: Month at which the confidence limit meets the acceptance limit; None for never.
    """

    batch: str
    intercept: float
    slope: float
    covariance: Array
    crossing: float | None

    def as_dict(self) -> dict[str, object]:
        """Give the line as a JSON object."""
        return {
            "batch": self.batch,
            "intercept": self.intercept,
            "slope": self.slope,
            "intercept_standard_error": math.sqrt(max(0.0, self.covariance[0, 0])),
            "slope_standard_error": math.sqrt(max(0.0, self.covariance[1, 1])),
            "crossing_months": self.crossing,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfLife:
    """A shelf life with the way it was found.

    Attributes:
        model: `single-batch`, `pooled`, `common-slope`, `separate` or `mixed`.
        crossing: Month at which the confidence limit meets the acceptance limit; None for never.
        months: The shelf life in whole months, capped; None where not even month 0 conforms.
        cap: Longest shelf life that the length of the data allows; None without a cap.
        data_months: Age of the oldest result.
        lines: Each line that was judged.
        worst: Batch whose line decides.
        p_slopes: P-value of equal slopes; None for one batch.
        p_intercepts: P-value of equal intercepts given one slope.
        p_intercepts_own_error: The same, on the error of the common-slope model.
        rss: Residual sum of squares of the chosen model.
        degrees_of_freedom: Of its error.
        residual_sd: Standard deviation of its error.
        confidence: Of the limit, one-sided (two-sided where both sides are limits).
        next_batch_crossing: With the mixed model: crossing for a batch not yet made.
        between: With the mixed model: standard deviations of intercepts and slopes.
        notes: What the reader must know.
    """

    model: str
    crossing: float | None
    months: int | None
    cap: float | None
    data_months: float
    lines: tuple[Line, ...]
    worst: str
    p_slopes: float | None = None
    p_intercepts: float | None = None
    p_intercepts_own_error: float | None = None
    rss: float = 0.0
    degrees_of_freedom: float = 0.0
    residual_sd: float = 0.0
    confidence: float = 0.95
    next_batch_crossing: float | None = None
    between: tuple[float, float] | None = None
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, object]:
        """Give the shelf life as a JSON object."""
        worst = next(line for line in self.lines if line.batch == self.worst)
        return {
            "model": self.model,
            "crossing_months": self.crossing,
            "shelf_life_months": self.months,
            "cap_months": self.cap,
            "data_months": self.data_months,
            "worst_batch": self.worst,
            "slope": worst.slope,
            "intercept": worst.intercept,
            "poolability": {
                "level": POOLING_LEVEL,
                "p_slopes": self.p_slopes,
                "p_intercepts": self.p_intercepts,
                "p_intercepts_own_error": self.p_intercepts_own_error,
            },
            "p_slopes": self.p_slopes,
            "p_intercepts": self.p_intercepts,
            "residual_sum_of_squares": self.rss,
            "degrees_of_freedom": self.degrees_of_freedom,
            "residual_standard_deviation": self.residual_sd,
            "confidence": self.confidence,
            "next_batch_crossing_months": self.next_batch_crossing,
            "between_batch_sd": list(self.between) if self.between else None,
            "lines": [line.as_dict() for line in self.lines],
            "notes": list(self.notes),
        }


def read_study(path: Path, *, decimal: str = ".") -> Study:
    """Read a study from a table with the columns batch, month and value.

    Raises:
        Refused: A column is missing, a cell is no number, or a month is negative (lines named).
    """
    return study_of(read_columns(path, decimal=decimal, expect=(_MONTH,)))


def study_of(columns: Columns) -> Study:
    """Give the study of a table that is already read; see `read_study`."""
    month_place = columns.need(*_MONTH)
    batch_place = columns.find(*_BATCH)
    if batch_place is None and columns.find(*_VALUE) is None:
        columns = _melted(columns, month_place)
        month_place, batch_place = 1, 0
    value_place = _value_place(columns, {month_place, batch_place})
    problems: list[Problem] = []
    numbers = []
    for place in (month_place, value_place):
        try:
            numbers.append(columns.numbers(place))
        except Refused as refusal:
            problems.extend(refusal.problems)
    names = columns.text(batch_place) if batch_place is not None else ["1"] * len(columns.rows)
    for (line, _), name in zip(columns.rows, names, strict=True):
        if not name:
            problems.append(
                Problem(
                    code="value-missing",
                    what="column batch",
                    found="nothing",
                    limit="the batch's name",
                    remedy="name the batch, or remove the row",
                    path=columns.path,
                    line=line,
                )
            )
    if not problems:
        for (line, _), month in zip(columns.rows, numbers[0], strict=True):
            if month < 0:
                problems.append(
                    Problem(
                        code="month-negative",
                        what="column month",
                        found=str(month),
                        limit="0 or more",
                        remedy="correct the month",
                        path=columns.path,
                        line=line,
                    )
                )
    if problems:
        raise Refused.of(problems[:PROBLEMS_MAX])
    return Study(
        batch=tuple(names),
        month=np.array([float(v) for v in numbers[0]]) * _months_per(columns.header[month_place]),
        value=np.array([float(v) for v in numbers[1]]),
        path=columns.path,
    )


_MONTH = (
    "month", "months", "time", "age", "age_months", "t", "time_months", "timepoint", "time_point",
    "storage_time", "storage_months", "duration", "week", "weeks", "day", "days", "year",
    "years",
)  # fmt: skip
_BATCH = (
    "batch", "lot", "batch_id", "lot_id", "batch_no", "lot_no", "batch_number", "lot_number",
    "series", "batch_lot", "lot_batch",
)  # fmt: skip
_VALUE = (
    "value", "result", "assay", "response", "y", "potency", "purity", "viability", "content",
    "measurement", "measured", "recovery", "titer", "titre", "concentration", "assay_value",
    "percent", "percent_label_claim", "label_claim",
)  # fmt: skip
_MONTHS_PER = {"day": 12 / 365.25, "week": 84 / 365.25, "year": 12.0}


def _melted(columns: Columns, month: int) -> Columns:
    """Give a table with one column of results per batch as rows of batch, month and value.

    A blank cell is a test that was not made: its row is left out. A table with a single column of
    results stays one batch.
    """
    others = [
        place
        for place in range(len(columns.header))
        if place != month
        and any(number(cell, decimal=columns.decimal) is not None for cell in columns.text(place))
    ]
    rows = []
    for place in others:
        name = columns.header[place] or f"column {place + 1}"
        for line, cells in columns.rows:
            cell = cells[place] if place < len(cells) else ""
            if not is_blank(cell):
                rows.append((line, (name, cells[month] if month < len(cells) else "", cell)))
    header = ("batch", columns.header[month], "value")
    return Columns(path=columns.path, header=header, rows=tuple(rows), decimal=columns.decimal)


def _value_place(columns: Columns, taken: set[int | None]) -> int:
    """Give the column of the results: by its name, or the only other one that holds numbers."""
    named = columns.find(*_VALUE)
    if named is not None and named not in taken:
        return named
    others = [
        place
        for place in range(len(columns.header))
        if place not in taken
        and all(number(cell, decimal=columns.decimal) is not None for cell in columns.text(place))
    ]
    return others[0] if len(others) == 1 else columns.need(*_VALUE)


def _months_per(header: str) -> float:
    """Give how many months the unit of a column of times is: its header says days or weeks."""
    found = re.search(r"\b(day|week|year)s?\b", header.lower().replace("_", " "))
    return _MONTHS_PER[found[1]] if found else 1.0


def shelf_life(
    study: Study,
    *,
    limit: float,
    side: Side = Side.LOWER,
    upper: float | None = None,
    storage: Storage | None = Storage.ROOM,
    significant_change: bool = False,
    confidence: float = 0.95,
) -> ShelfLife:
    """Give the shelf life of a study by ICH Q1E.

    Args:
        study: The results.
        limit: Acceptance limit (the lower one where both sides are limits).
        side: On which side a result fails.
        upper: The upper limit, where both sides are limits.
        storage: Long-term condition behind the cap; None for no cap.
        significant_change: Whether the accelerated condition showed one: the cap is then shorter.
        confidence: Of the limit: one-sided, or two-sided where both sides are limits.

    Raises:
        Refused: Too few results, or a batch without two different months.
    """
    _check(study, side, limit, upper)
    names = study.batches
    index = np.array([names.index(name) for name in study.batch])
    models = _models(study, index, len(names))
    chosen, p_slopes, p_intercepts, p_own = _poolability(models, len(names))
    design, theta, rss, freedom, inverse = models[chosen]
    del design
    s2 = rss / freedom
    lines = []
    labels = ["all"] if chosen == "pooled" and len(names) > 1 else names
    for k, name in enumerate(labels):
        pick = _pick(chosen, k, len(names))
        a, b = (pick @ theta).tolist()
        covariance = pick @ inverse @ pick.T * s2
        lines.append(
            Line(
                batch=name,
                intercept=a,
                slope=b,
                covariance=covariance,
                crossing=_crossing(a, b, covariance, limit, upper, side, confidence, freedom),
            )
        )
    worst = min(lines, key=lambda line: math.inf if line.crossing is None else line.crossing)
    model = "single-batch" if len(names) == 1 else chosen
    return _finished(
        study, model, worst, tuple(lines), storage, significant_change,
        p_slopes=p_slopes, p_intercepts=p_intercepts, p_own=p_own,
        rss=rss, freedom=freedom, confidence=confidence,
    )  # fmt: skip


def mixed_shelf_life(
    study: Study,
    *,
    limit: float,
    side: Side = Side.LOWER,
    upper: float | None = None,
    storage: Storage | None = Storage.ROOM,
    significant_change: bool = False,
    confidence: float = 0.95,
) -> ShelfLife:
    """Give the shelf life with batches as a random sample: intercept and slope vary (REML).

    The limit is that of the mean of all batches, with batches less one degrees of freedom; the
    crossing of a batch not yet made, whose own intercept and slope vary too, is given beside it.

    Raises:
        Refused: Fewer than three batches, or results that a line fits without error.
    """
    _check(study, side, limit, upper)
    names = study.batches
    if len(names) < 3:
        raise Refused(
            "too-few-batches",
            what="mixed model",
            found=f"{len(names)} batches",
            limit="at least 3",
            remedy="leave out --mixed",
            rule="ICH Q1E",
            path=study.path or None,
        )
    index = np.array([names.index(name) for name in study.batch])
    theta, covariance, between, sigma2, rss = random_lines(
        study.month, study.value, index, len(names)
    )
    freedom = float(len(names) - 1)
    a, b = theta.tolist()
    crossing = _crossing(a, b, covariance, limit, upper, side, confidence, freedom)
    line = Line(batch="all", intercept=a, slope=b, covariance=covariance, crossing=crossing)
    following = _crossing(a, b, covariance + between, limit, upper, side, confidence, freedom)
    result = _finished(
        study, "mixed", line, (line,), storage, significant_change,
        p_slopes=None, p_intercepts=None, p_own=None,
        rss=rss, freedom=freedom, confidence=confidence,
    )  # fmt: skip
    return replace(
        result,
        residual_sd=math.sqrt(sigma2),
        next_batch_crossing=following,
        between=(math.sqrt(between[0, 0]), math.sqrt(between[1, 1])),
    )


def cap_months(
    data_months: float, storage: Storage | None, *, significant_change: bool = False
) -> float | None:
    """Give the longest shelf life that Q1E 2.4 and 2.5 allow for data of this length.

    With statistical analysis and supporting data: at room temperature twice the data and at most
    12 months past them; refrigerated one and a half times and at most 6 months; frozen, none past
    the data. After a significant change at the accelerated condition: at room temperature one and
    a half times and at most 6 months, for an intermediate condition without one; refrigerated,
    none past the data.
    """
    match storage:
        case None:
            return None
        case Storage.ROOM:
            factor, more = (1.5, 6.0) if significant_change else (2.0, 12.0)
        case Storage.REFRIGERATED if not significant_change:
            factor, more = 1.5, 6.0
        case Storage.REFRIGERATED | Storage.FROZEN | Storage.CRYOGENIC:
            return data_months
    return min(factor * data_months, data_months + more)


def _finished(
    study: Study,
    model: str,
    worst: Line,
    lines: tuple[Line, ...],
    storage: Storage | None,
    significant_change: bool,
    *,
    p_slopes: float | None,
    p_intercepts: float | None,
    p_own: float | None,
    rss: float,
    freedom: float,
    confidence: float,
) -> ShelfLife:
    oldest = float(study.month.max())
    cap = cap_months(oldest, storage, significant_change=significant_change)
    notes = []
    bound = min((v for v in (worst.crossing, cap) if v is not None), default=None)
    months = None if bound is None or bound <= 0 else math.floor(bound + 1e-9)
    if worst.crossing is None:
        notes.append("the confidence limit never meets the acceptance limit; the cap decides")
    elif worst.crossing <= 0:
        notes.append("the confidence limit is past the acceptance limit at month 0 already")
    elif cap is not None and cap < worst.crossing:
        notes.append(f"capped at {cap:g} months: the data end at month {oldest:g} (ICH Q1E 2.4)")
    return ShelfLife(
        model=model,
        crossing=worst.crossing,
        months=months,
        cap=cap,
        data_months=oldest,
        lines=lines,
        worst=worst.batch,
        p_slopes=p_slopes,
        p_intercepts=p_intercepts,
        p_intercepts_own_error=p_own,
        rss=rss,
        degrees_of_freedom=freedom,
        residual_sd=math.sqrt(rss / freedom) if freedom > 0 else 0.0,
        confidence=confidence,
        notes=tuple(notes),
    )


_Model = tuple[Array, Array, float, int, Array]


def _models(study: Study, index: NDArray[np.int64], count: int) -> dict[str, _Model]:
    one = np.eye(count)[index]
    month = study.month[:, None]
    designs = {
        "pooled": np.hstack([np.ones_like(month), month]),
        "common-slope": np.hstack([one, month]),
        "separate": np.hstack([one, one * month]),
    }
    if count == 1:
        designs = {"pooled": designs["pooled"]}
    found: dict[str, _Model] = {}
    for name, design in designs.items():
        theta: Array = np.asarray(np.linalg.lstsq(design, study.value, rcond=None)[0], float)
        residual = study.value - design @ theta
        inverse: Array = np.asarray(np.linalg.pinv(design.T @ design), float)
        found[name] = (
            design,
            theta,
            float(residual @ residual),
            int(len(study.value) - design.shape[1]),
            inverse,
        )
    return found


def _poolability(
    models: dict[str, _Model], count: int
) -> tuple[str, float | None, float | None, float | None]:
    """Choose the model: slopes first, then intercepts, each at the 0.25 level.

    Both tests stand on the error of the full model, as the analysis of covariance of Q1E does.
    """
    if count == 1:
        return "pooled", None, None, None
    pooled, common, full = (models[name] for name in ("pooled", "common-slope", "separate"))
    if full[3] <= 0:
        raise Refused(
            "too-few-observations",
            what="poolability of the batches",
            found="as many lines as results",
            limit="more than two results per batch",
            remedy="add results",
            rule="ICH Q1E B.4",
        )
    error = full[2] / full[3]
    more = count - 1

    def p_value(rss: float, rss_more: float, own: float, freedom: int) -> float:
        f = max(0.0, rss - rss_more) / more / own if own > 0 else math.inf
        return float(special.fdtrc(more, freedom, f))

    p_slopes = p_value(common[2], full[2], error, full[3])
    p_intercepts = p_value(pooled[2], common[2], error, full[3])
    p_own = p_value(pooled[2], common[2], common[2] / common[3], common[3])
    if p_slopes < POOLING_LEVEL:
        return "separate", p_slopes, p_intercepts, p_own
    chosen = "common-slope" if p_intercepts < POOLING_LEVEL else "pooled"
    return chosen, p_slopes, p_intercepts, p_own


def _pick(model: str, k: int, count: int) -> Array:
    """Give the two rows that take a batch's intercept and slope out of the model's numbers."""
    if model == "pooled":
        return np.eye(2)
    width = count + 1 if model == "common-slope" else 2 * count
    pick = np.zeros((2, width))
    pick[0, k] = 1.0
    pick[1, count if model == "common-slope" else count + k] = 1.0
    return pick


def _crossing(
    a: float,
    b: float,
    covariance: Array,
    limit: float,
    upper: float | None,
    side: Side,
    confidence: float,
    freedom: float,
) -> float | None:
    match side:
        case Side.LOWER:
            t = float(special.stdtrit(freedom, confidence))
            return _first_root(a - limit, b, covariance, t)
        case Side.UPPER:
            t = float(special.stdtrit(freedom, confidence))
            return _first_root(limit - a, -b, covariance, t)
        case Side.BOTH:
            t = float(special.stdtrit(freedom, (1 + confidence) / 2))
            ends = [
                _first_root(a - limit, b, covariance, t),
                _first_root((upper if upper is not None else math.inf) - a, -b, covariance, t),
            ]
            found = [end for end in ends if end is not None]
            return min(found) if found else None


def _first_root(margin: float, slope: float, V: Array, t: float) -> float | None:
    """Give the first month at which margin + slope·m falls to t times its standard error.

    The difference is concave in the month, so that it meets zero at most once after a safe start.
    """
    if not math.isfinite(margin):
        return None
    if margin <= t * math.sqrt(max(0.0, float(V[0, 0]))):
        return 0.0
    qa = slope**2 - t**2 * float(V[1, 1])
    qb = 2 * (margin * slope - t**2 * float(V[0, 1]))
    qc = margin**2 - t**2 * float(V[0, 0])
    if qa == 0:
        roots = [-qc / qb] if qb else []
    else:
        inside = qb * qb - 4 * qa * qc
        if inside < 0:
            return None
        q = -0.5 * (qb + math.copysign(math.sqrt(inside), qb))
        roots = [q / qa, *([qc / q] if q else [])]
    true = [m for m in roots if 0 < m < MONTHS_MAX and margin + slope * m >= -1e-9 * abs(margin)]
    return min(true) if true else None


def _check(study: Study, side: Side, limit: float, upper: float | None) -> None:
    names = study.batches
    problem: tuple[str, object, object] | None = None
    if len(names) > BATCHES_MAX:
        problem = ("batches", len(names), BATCHES_MAX)
    elif len(study.value) < 3:
        problem = ("study", f"{len(study.value)} results", "at least 3")
    if problem:
        raise Refused(
            "too-few-observations" if len(study.value) < 3 else "file-too-large",
            what=problem[0],
            found=problem[1],
            limit=problem[2],
            remedy="give a study with several months",
            rule="ICH Q1E",
            path=study.path or None,
        )
    for name in names:
        months = {m for m, b in zip(study.month.tolist(), study.batch, strict=True) if b == name}
        if len(months) < 2:
            raise Refused(
                "too-few-observations",
                what=f"batch {name}",
                found=f"{len(months)} month",
                limit="at least 2 different months",
                remedy="leave the batch out, or wait for its next result",
                rule="ICH Q1E",
                path=study.path or None,
            )
    if side is Side.BOTH and upper is None:
        raise Refused(
            "limit-missing",
            what="upper limit",
            found="none",
            limit="two limits for --side both",
            remedy="give --upper",
        )
    if side is Side.BOTH and upper is not None and upper <= limit:
        raise Refused(
            "setting-out-of-range",
            what="upper limit",
            found=f"{upper:g}",
            limit=f"above the lower limit, {limit:g}",
            remedy="give --limit the lower and --upper the upper one",
        )


def predicted(line: Line, months: Sequence[float]) -> list[float]:
    """Give the mean of a line at several months."""
    return [line.intercept + line.slope * month for month in months]
