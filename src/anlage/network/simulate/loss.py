"""What the loss of one thing does: how long the network survives it, how long it takes to recover.

Both runs have the same chance, so up to the loss they are the same patient by patient, and the week
in which they part is seen sharply (Simchi-Levi and others, Harvard Business Review, January 2014,
for the two times; here they are measured on the way of patients and not asked of managers).
"""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from anlage.base import Refused

from ..errors import NAME_UNKNOWN, RUN_IMPOSSIBLE
from ..measure import YEAR_DAYS
from ..model import Network
from .compare import differences, with_loss
from .interval import student_quantile
from .layout import W_ARRIVED, W_INFUSED, W_LOST, W_WITHDRAWN
from .outcome import Json, figures
from .running import Progress, Run, Settings, run
from .tables import WEEK_DAYS

TOLERANCE = 0.05
"""Part of the base below which a week counts as not served, or above which as not recovered."""

_SETTLE_DAYS = 28.0


def what_can_be_lost(network: Network) -> tuple[str, ...]:
    """Give suppliers, sites and lanes: what a network may lose as a whole."""
    suppliers = (name for material in network.materials for name in material.suppliers)
    names = [*suppliers, *(site.name for site in network.sites)]
    names += [lane.name for lane in network.lanes]
    return tuple(dict.fromkeys(names))


def losses(
    network: Network,
    settings: Settings,
    *,
    names: Sequence[str] = (),
    days: float = 60.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Json:
    """Give for each thing the time to survive its loss, and the time to recover from one of `days`.

    Time to survive: from the loss to the first week in which fewer patients than 95 % of the base
    are infused, by the paired 95 % interval. Time to recover: from the end of a loss of `days` to
    the week from which on the patients in the network are back within 5 % of the base. None where
    the run is too short to show it. Both are as fine as a week.

    Raises:
        Refused: Nothing can be lost, or the run is too short to lose anything in.
    """
    wanted = tuple(names) or what_can_be_lost(network)
    if not wanted:
        raise Refused(
            NAME_UNKNOWN,
            what=f"losses of {network.name}",
            found="no suppliers, sites or lanes",
            limit="something that can be lost",
            remedy="name a resource with --lose NAME, or add suppliers to a material",
        )
    begins = settings.warmup_years * YEAR_DAYS + _SETTLE_DAYS
    ends = settings.years * YEAR_DAYS
    if begins + days + 2 * WEEK_DAYS > ends:
        raise Refused(
            RUN_IMPOSSIBLE,
            what="the loss",
            found=f"{days:g} days in a run of which {ends - begins:.0f} days are left",
            limit="a loss that ends two weeks before the run",
            remedy="raise --years, or shorten --lose-for",
        )
    begins = WEEK_DAYS * np.ceil(begins / WEEK_DAYS)
    how = replace(settings, by_week=True, trace_max=0)
    base = run(network, how, executor=executor)
    rows: list[Json] = []
    for number, name in enumerate(wanted):
        for_good = with_loss(network, name, start_day=float(begins), days=ends).network
        for_days = with_loss(network, name, start_day=float(begins), days=days).network
        gone = run(for_good, how, executor=executor)
        back = run(for_days, how, executor=executor)
        rows.append(_row(name, base, gone, back, float(begins), days))
        if progress is not None:
            progress(number + 1, len(wanted))
    rows.sort(key=_order)
    return {
        "network": network.name,
        "lost_for_days": days,
        "losses": rows,
        "replications": settings.replications,
        "seed": settings.seed,
    }


def tail(values: np.ndarray, part: float) -> Json:
    """Give the mean of the worst `part` of values (conditional value at risk) with an interval.

    The interval is that of the estimator's influence function (Hong, Hu and Liu, ACM TOMACS
    24(4):22, 2014).
    """
    edge = float(np.quantile(values, 1 - part))
    beyond = np.maximum(values - edge, 0.0)
    worst = edge + float(beyond.mean()) / part
    half = None
    if values.size > 1:
        spread = float(beyond.std(ddof=1)) / part / values.size**0.5
        half = student_quantile(0.975, values.size - 1) * spread
    return {
        "part": part,
        "mean": float(values.mean()),
        "value_at_risk": edge,
        "conditional_value_at_risk": worst,
        "ci95": None if half is None else [worst - half, worst + half],
    }


def tails(run_: Run, *, part: float = 0.1) -> Json:
    """Give the worst part of the replications: patients not treated, days, money.

    The outages of the file are drawn anew in each replication, so this is what they may do.
    """
    found = figures(run_)
    years = np.maximum(found.days / YEAR_DAYS, 1e-9)
    infused = np.maximum(found.infused, 1.0)
    return {
        "not_treated_per_year": tail((found.lost + found.withdrawn) / years, part),
        "vein_to_vein_days": tail(found.time_sum / infused, part),
        "cost_per_infused": tail(found.cost / infused, part),
    }


def _row(name: str, base: Run, gone: Run, back: Run, begins: float, days: float) -> Json:
    survives = _first_short_week(base, gone, begins)
    told = differences(figures(back), figures(base))
    more = figures(back).lost + figures(back).withdrawn - figures(base).lost
    more = more - figures(base).withdrawn
    half = _half(more)
    return {
        "lost": name,
        "time_to_survive_days": survives,
        "time_to_recover_days": _recovery(base, back, begins + days),
        "is_survived": survives is None or survives >= days,
        "patients_not_treated": {
            "difference": float(more.mean()),
            "ci95": None if half is None else [more.mean() - half, more.mean() + half],
        },
        "vein_to_vein_days": told["vein_to_vein_days"],
        "cost_per_infused": told["cost_per_infused"],
    }


def _first_short_week(base: Run, gone: Run, begins: float) -> float | None:
    """Give the days from the loss to the first week that is surely below 95 % of the base."""
    first = int(begins // WEEK_DAYS)
    for week in range(first, _whole_weeks(base)):
        had = base.results.weeks[:, week, W_INFUSED]
        short = gone.results.weeks[:, week, W_INFUSED] - (1 - TOLERANCE) * had
        half = _half(short)
        if short.mean() + (half or 0.0) < 0:
            return week * WEEK_DAYS - begins
    return None


def _recovery(base: Run, back: Run, ends: float) -> float | None:
    """Give the days from the end of the loss until as many patients as ever are in the network."""
    here, there = _in_progress(base).mean(axis=0), _in_progress(back).mean(axis=0)
    last = _whole_weeks(base)
    away = np.abs(there[:last] - here[:last]) > TOLERANCE * np.maximum(here[:last], 1.0)
    late = np.flatnonzero(away)
    if late.size == 0:
        return 0.0
    if late[-1] == last - 1:
        return None
    return max(0.0, float((late[-1] + 2) * WEEK_DAYS - ends))


def _in_progress(run_: Run) -> np.ndarray:
    """Give the patients in the network at the end of each week, by replication."""
    weeks = run_.results.weeks
    left = weeks[:, :, W_INFUSED] + weeks[:, :, W_LOST] + weeks[:, :, W_WITHDRAWN]
    made: np.ndarray = np.cumsum(weeks[:, :, W_ARRIVED] - left, axis=1)
    return made


def _whole_weeks(run_: Run) -> int:
    return int(run_.settings.years * YEAR_DAYS // WEEK_DAYS)


def _half(values: np.ndarray) -> float | None:
    if values.size < 2:
        return None
    spread = float(values.std(ddof=1)) / math.sqrt(values.size)
    return student_quantile(0.975, values.size - 1) * spread


def _order(row: Json) -> tuple[float, float]:
    """Give what orders losses: the one survived for the shortest time first."""
    survives, back = row["time_to_survive_days"], row["time_to_recover_days"]
    never = float("inf")
    return (
        survives if isinstance(survives, float) else never,
        -(back if isinstance(back, float) else never),
    )
