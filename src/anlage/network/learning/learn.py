"""Demand and times learnt from a table: forecasts with honest intervals, drift, promise dates.

Demand is small counts in many short series (patients a week at a clinic). Each clinic's rate has a
gamma distribution that forgets at a common pace (Harvey and Fernandes, Journal of Business and
Economic Statistics 7:407, 1989); all clinics share the prior, fitted to them together, so that a
new clinic borrows from the others. Every forecast is a negative binomial in closed form.

A promise is an order statistic of the times seen: of n times, the one of rank ceil((n + 1) c) is
not exceeded by the next with probability at least c, whatever their distribution (split conformal).
"""

import csv
import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anlage.base import Problem, Refused

from ..errors import KEY_MISSING, SHAPE_WRONG, VALUE_IMPOSSIBLE, VALUE_UNREADABLE

Json: TypeAlias = dict[str, object]
Counts: TypeAlias = NDArray[np.float64]

ROWS_MAX = 2_000_000
WEEKS_MAX = 5_200
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
CONFIDENCES = (0.5, 0.8, 0.9, 0.95)
_PACES = (0.85, 0.9, 0.94, 0.97, 0.985, 1.0)
_WARM_WEEKS = 8
_DRIFT_WEEKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How often patients come: the shared prior and the pace of forgetting.

    Attributes:
        shape, weeks: Prior of a clinic's weekly rate: a gamma with mean shape / weeks.
        pace: Weight that a week keeps with each week that passes; 1 forgets nothing.
    """

    shape: float
    weeks: float
    pace: float

    def after(self, counts: Counts) -> tuple[float, float]:
        """Give shape and weeks of the rate's distribution after these weekly counts."""
        shape, weeks = self.shape, self.weeks
        for count in counts:
            shape, weeks = self.pace * shape + count, self.pace * weeks + 1.0
        return shape * self.pace, weeks * self.pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a file held: weekly counts by clinic, or times in days by stage, in order of time."""

    demand: dict[str, Counts]
    times: dict[str, Counts]


def read_table(text: str, *, path: str | None = None) -> Table:
    """Read a CSV of demand or of times.

    Demand has `clinic` and `date` (one row a patient), or with `count` too (one row a week or day).
    Times have `stage` with `days`, or with `start` and `end`. `clinic` and `stage` may be absent.

    Raises:
        Refused: The columns are not there, or a value cannot be; with the line of each.
    """
    rows = csv.DictReader(text.splitlines())
    try:
        names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    except csv.Error as error:
        raise _unfit(str(error), "a CSV file", path, 1) from None
    problems: list[Problem] = []
    has_times = "days" in names or {"start", "end"} <= names.keys()
    if not has_times and "date" not in names and "week" not in names:
        raise Refused(
            KEY_MISSING,
            what="the first line",
            found=", ".join(names)[:120] or "nothing",
            limit="clinic,date[,count] for demand, or stage,days or stage,start,end for times",
            remedy="name the columns in the first line",
            path=path,
            line=1,
        )
    events: dict[str, list[tuple[int, float]]] = {}
    times: dict[str, list[float]] = {}
    try:
        for row in rows:
            if rows.line_num > ROWS_MAX:
                raise _unfit(f"more than {ROWS_MAX} lines", f"at most {ROWS_MAX}", path, ROWS_MAX)
            try:
                if has_times:
                    key = _cell(row, names, "stage") or "all"
                    times.setdefault(key, []).append(_days(row, names))
                else:
                    key = _cell(row, names, "clinic") or "all"
                    day = _date(_cell(row, names, "date") or _cell(row, names, "week"))
                    count = _number(_cell(row, names, "count") or "1")
                    if count != int(count):
                        raise ValueError(f"{count:g}, where a whole count belongs")
                    events.setdefault(key, []).append((day.toordinal() // 7, count))
            except ValueError as error:
                problems.append(_problem(str(error), path, rows.line_num))
                if len(problems) >= 200:
                    break
    except csv.Error as error:
        raise _unfit(str(error), "a CSV file", path, rows.line_num) from None
    if problems:
        raise Refused.of(problems)
    if not events and not times:
        raise _unfit("no rows", "one row or more", path, 1)
    return Table(demand=weekly(events, path), times={k: np.array(v) for k, v in times.items()})


def learn(table: Table, *, weeks: int = 4) -> Json:
    """Give what a table teaches: of demand forecasts and drift, of times fits and promises.

    Args:
        table: What was read.
        weeks: Weeks ahead for the forecast's total.

    Raises:
        Refused: A horizon that cannot be.
    """
    if not 1 <= weeks <= 520:
        raise Refused(
            VALUE_IMPOSSIBLE,
            what="weeks ahead",
            found=weeks,
            limit="1 to 520",
            remedy="write --weeks 4",
        )
    made: Json = {}
    if table.demand:
        made["demand"] = _demand(table.demand, weeks)
    if table.times:
        made["times"] = {stage: times_of(days) for stage, days in table.times.items()}
    return made


def fit_demand(series: Sequence[Counts]) -> Demand:
    """Fit prior and pace to all series by the likelihood of each week given those before it."""
    from scipy.optimize import minimize

    total, length = sum(float(one.sum()) for one in series), sum(one.size for one in series)
    start = max(total, 0.5) / max(length, 1)
    best, chosen = math.inf, Demand(shape=start, weeks=1.0, pace=1.0)
    for pace in _PACES:

        def cost(logs: NDArray[np.float64], pace: float = pace) -> float:
            shape, weeks = np.exp(np.clip(logs, -12, 12))
            return -sum(_likelihood(one, float(shape), float(weeks), pace) for one in series)

        found = minimize(cost, np.log([start, 1.0]), method="Nelder-Mead", options={"maxiter": 60})
        if found.fun < best:
            shape, weeks = np.exp(np.clip(found.x, -12, 12))
            best, chosen = found.fun, Demand(shape=float(shape), weeks=float(weeks), pace=pace)
    return chosen


def forecast(demand: Demand, counts: Counts, *, weeks: int, quantile: float) -> float:
    """Give a quantile of the number of patients in the next weeks together."""
    from scipy.stats import nbinom

    shape, known = demand.after(counts)
    return float(nbinom.ppf(quantile, shape, known / (known + weeks)))


def below(demand: Demand, counts: Counts, count: float) -> float:
    """Give the chance that no more than so many patients come in the next week."""
    from scipy.stats import nbinom

    shape, known = demand.after(counts)
    return float(nbinom.cdf(count, shape, known / (known + 1)))


def promise(days: Counts, confidence: float) -> float | None:
    """Give the time that the next one keeps with at least this confidence; None when too few."""
    rank = math.ceil((days.size + 1) * confidence - 1e-12)
    return None if rank > days.size else float(np.sort(days)[rank - 1])


def times_of(days: Counts) -> Json:
    """Give the fit of times, their promises, and whether the newer half differs from the older."""
    from scipy.stats import ks_2samp

    half = days.size // 2
    drift = float(ks_2samp(days[:half], days[half:]).pvalue) if half >= 5 else None
    recent = days[half:] if drift is not None and drift < 0.01 else days
    return {
        "n": int(days.size),
        "mean_days": float(days.mean()),
        "median_days": float(np.median(days)),
        "p90_days": float(np.quantile(days, 0.9)),
        "fit": _fitted(recent),
        "promise_days": {str(level): promise(recent, level) for level in CONFIDENCES},
        "drift": drift is not None and drift < 0.01,
        "drift_p": drift,
        "used": "newer half" if recent.size < days.size else "all",
    }


def _demand(series: dict[str, Counts], weeks: int) -> Json:
    from scipy.stats import nbinom

    fitted = fit_demand(list(series.values()))
    clinics: Json = {}
    for name, counts in series.items():
        shape, known = fitted.after(counts)
        recent = counts[-_DRIFT_WEEKS:]
        p_value = None
        if counts.size >= 3 * _DRIFT_WEEKS:
            # Whether the last weeks could come from a rate that the weeks before them knew.
            before = Demand(shape=fitted.shape, weeks=fitted.weeks, pace=1.0)
            then, seen = before.after(counts[:-_DRIFT_WEEKS])
            law = nbinom(then, seen / (seen + _DRIFT_WEEKS))
            total = float(recent.sum())
            p_value = min(1.0, 2 * min(float(law.cdf(total)), float(law.sf(total - 1))))
        clinics[name] = {
            "weeks": int(counts.size),
            "patients": int(counts.sum()),
            "rate_per_week": shape / known,
            "forecast": {
                str(level): forecast(fitted, counts, weeks=weeks, quantile=level)
                for level in QUANTILES
            },
            "drift": p_value is not None and p_value < 0.01 / len(series),
            "drift_p": p_value,
        }
    return {
        "model": {"shape": fitted.shape, "weeks": fitted.weeks, "pace": fitted.pace},
        "weeks_ahead": weeks,
        "clinics": clinics,
        "scores": _scores(series),
    }


def _scores(series: dict[str, Counts]) -> Json | None:
    """Score one week ahead on the last quarter, fitted on the first three, beside the naive."""
    mine: list[float] = []
    naive: list[float] = []
    inside: list[bool] = []
    ranks: list[float] = []
    chance = np.random.default_rng(0)
    cuts = {name: counts.size - counts.size // 4 for name, counts in series.items()}
    long = {name: counts for name, counts in series.items() if cuts[name] >= _WARM_WEEKS}
    if not long:
        return None
    fitted = fit_demand([counts[: cuts[name]] for name, counts in long.items()])
    for name, counts in long.items():
        season = 52 if cuts[name] >= 104 else 1
        for week in range(cuts[name], counts.size):
            past, came = counts[:week], float(counts[week])
            steps = past[season:] - past[:-season]
            band = [forecast(fitted, past, weeks=1, quantile=level) for level in QUANTILES]
            for level, mark in zip(QUANTILES, band, strict=True):
                other = max(0.0, float(past[-season] + np.quantile(steps, level)))
                mine.append(_pinball(came, mark, level))
                naive.append(_pinball(came, other, level))
            inside.append(band[0] <= came <= band[-1])
            low, high = below(fitted, past, came - 1), below(fitted, past, came)
            ranks.append(low + chance.random() * (high - low))
    if not mine:
        return None
    own, peer = float(np.mean(mine)), float(np.mean(naive))
    return {
        "weeks_scored": len(inside),
        "pinball": own,
        "pinball_seasonal_naive": peer,
        "ratio": own / peer if peer else None,
        "interval": 0.8,
        "covered": float(np.mean(inside)),
        # A count is whole, so its interval covers more than it says; the randomised rank of what
        # came (Czado, Gneiting and Held, Biometrics 65:1254, 2009) is uniform if all is right.
        "covered_by_rank": float(
            np.mean([QUANTILES[0] <= rank <= QUANTILES[-1] for rank in ranks])
        ),
    }


def _pinball(came: float, quantile: float, level: float) -> float:
    return max(level * (came - quantile), (level - 1) * (came - quantile))


def _likelihood(counts: Counts, shape: float, weeks: float, pace: float) -> float:
    total = 0.0
    for count in counts:
        total += (
            math.lgamma(shape + count)
            - math.lgamma(shape)
            - math.lgamma(count + 1)
            + shape * math.log(weeks / (weeks + 1))
            - count * math.log(weeks + 1)
        )
        shape, weeks = pace * (shape + count), pace * (weeks + 1.0)
    return total


def _fitted(days: Counts) -> Json | None:
    """Give the likelier of lognormal and gamma, written as a network file takes it."""
    from scipy.stats import gamma, lognorm

    if days.size < 5 or days.min() <= 0 or np.ptp(days) == 0:
        return None
    logs = np.log(days)
    sigma, middle = float(logs.std()), float(np.exp(logs.mean()))
    one = float(lognorm.logpdf(days, sigma, scale=middle).sum())
    shape, _, scale = gamma.fit(days, floc=0)
    two = float(gamma.logpdf(days, shape, scale=scale).sum())
    if one >= two:
        return {"lognormal": {"median": f"{middle:.6g} days", "sigma": sigma}}
    return {"gamma": {"shape": float(shape), "scale": f"{scale:.6g} days"}}


def weekly(events: dict[str, list[tuple[int, float]]], path: str | None) -> dict[str, Counts]:
    """Give weekly counts from a clinic's first week to the last week of all.

    Args:
        events: For each clinic, (number of the week, patients) in any order.
        path: The file, for a refusal.

    Raises:
        Refused: The weeks lie too far apart.
    """
    if not events:
        return {}
    last = max(week for rows in events.values() for week, _ in rows)
    made: dict[str, Counts] = {}
    for name, rows in sorted(events.items()):
        first = min(week for week, _ in rows)
        if last - first >= WEEKS_MAX:
            raise _unfit(f"{last - first} weeks", f"at most {WEEKS_MAX} weeks", path, None)
        counts = np.zeros(last - first + 1)
        for week, count in rows:
            counts[week - first] += count
        made[name] = counts
    return made


def _cell(row: dict[str, str], names: dict[str, str], name: str) -> str:
    return (row.get(names[name]) or "").strip() if name in names else ""


def _days(row: dict[str, str], names: dict[str, str]) -> float:
    if "days" in names:
        return _number(_cell(row, names, "days"))
    start, end = (
        datetime.datetime.fromisoformat(_cell(row, names, name)) for name in ("start", "end")
    )
    if (start.tzinfo is None) != (end.tzinfo is None):
        raise ValueError("start and end, of which one has a time zone")
    days = (end - start).total_seconds() / 86400
    if days < 0:
        raise ValueError("an end before its start")
    return days


def _date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text[:10])


def _number(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1e6:
        raise ValueError(f"{text}, where 0 to 1000000 belongs")
    return value


def _problem(found: str, path: str | None, line: int) -> Problem:
    return Problem(
        code=VALUE_UNREADABLE,
        what="a row",
        found=found[:120],
        limit="dates as 2026-01-31, counts whole, days as numbers of zero or more",
        remedy="correct the line",
        path=path,
        line=line,
    )


def _unfit(found: str, limit: str, path: str | None, line: int | None) -> Refused:
    return Refused(
        SHAPE_WRONG,
        what="the table",
        found=found,
        limit=limit,
        remedy="correct the file",
        path=path,
        line=line,
    )
