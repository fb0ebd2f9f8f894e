"""What a run found: estimates with intervals, and the JSON that the command prints."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ..measure import YEAR_DAYS
from .interval import (
    Estimate,
    ratio,
    time_quantile,
    viability_quantile,
    wait_quantile,
)
from .layout import (
    G_TIME,
    G_VISITS,
    G_WAIT,
    N_IN_PROGRESS,
    P_ARRIVED,
    P_DIED,
    P_INFUSED,
    P_LOST,
    P_ON_TIME,
    P_TIME,
    P_TIME_SQUARED,
    P_TURNED_AWAY,
    P_VIABILITY,
    P_WITHDRAWN,
    T_BUSY,
    T_LEFT,
    T_OPEN,
    T_REQUESTS,
    T_UNITS,
    T_WAIT,
    T_WAIT_SERVED,
)
from .lookup import is_unlimited
from .running import Run

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a run by replication, for comparisons.

    Each is one number per replication, so that two runs under common random numbers can be paired.

    Attributes:
        ended: Patients whose way ended in the measured time.
        infused, lost, withdrawn: How it ended.
        time_sum: Vein-to-vein days of the infused, summed.
        cost: All money spent in the measured time.
        days: The measured time.
        waits: Mean wait for each resource, in days.
    """

    ended: np.ndarray
    infused: np.ndarray
    lost: np.ndarray
    withdrawn: np.ndarray
    time_sum: np.ndarray
    cost: np.ndarray
    days: np.ndarray
    waits: dict[str, np.ndarray] = field(default_factory=dict)


def figures(run: Run) -> Figures:
    """Give a run's figures by replication."""
    sums = run.results.classes[:, : run.compiled.class_count].sum(axis=1)
    waits = {
        name: _divided(
            run.results.resources[:, row, T_WAIT], run.results.resources[:, row, T_REQUESTS]
        )
        for row, name in enumerate(run.compiled.resources)
    }
    return Figures(
        ended=sums[:, P_INFUSED] + sums[:, P_LOST] + sums[:, P_WITHDRAWN],
        infused=sums[:, P_INFUSED],
        lost=sums[:, P_LOST],
        withdrawn=sums[:, P_WITHDRAWN],
        time_sum=sums[:, P_TIME],
        cost=np.sum(list(costs_by_class(run).values()), axis=0) + np.zeros(sums.shape[0]),
        days=run.measured_days,
        waits=waits,
    )


def costs_by_class(run: Run) -> dict[str, np.ndarray]:
    """Give the money of each class of cost by replication, fixed and holding costs included."""
    days = run.measured_days
    costs = {name: run.results.costs[:, row].copy() for row, name in enumerate(run.compiled.costs)}

    def add(name: str, money: np.ndarray) -> None:
        costs[name] = costs.get(name, np.zeros_like(days)) + money

    fixed = sum(site.cost_per_day for site in run.network.sites)
    if fixed:
        add("facility", fixed * days)
    for pool in run.network.resources:
        if pool.cost_per_day:
            add(pool.cost_class, pool.cost_per_day * servers(run, pool.name) * days)
    rows = {name: row for row, name in enumerate(run.compiled.resources)}
    for material in run.network.materials:
        if material.holding_cost_per_day:
            for name, row in rows.items():
                if name.partition("@")[0] == material.name:
                    stock_days = run.results.resources[:, row, T_OPEN]
                    add("materials", stock_days * material.holding_cost_per_day)
    return {name: money for name, money in costs.items() if money.any()}


def servers(run: Run, pool_name: str) -> int:
    """Give how many of a resource are paid for: the most present at any hour, at all places."""
    pool = next(one for one in run.network.resources if one.name == pool_name)
    places: tuple[str, ...] = ("",)
    if pool.per == "clinic":
        places = run.compiled.clinics
    elif pool.per == "site":
        places = run.compiled.sites
    total = 0
    for place in places:
        calendar = pool.calendar_at.get(place, pool.calendar)
        capacity = pool.at.get(place, pool.capacity)
        own = [window.capacity for window in calendar.windows] if calendar else [None]
        total += max(capacity if one is None else one for one in own)
    return 0 if is_unlimited(total) else total


def outcome_of(run: Run) -> Json:
    """Give all figures of a run as one JSON object, the keys of the command contract first."""
    sums = run.results.classes[:, : run.compiled.class_count]
    total = sums.sum(axis=1)
    ended = total[:, P_INFUSED] + total[:, P_LOST] + total[:, P_WITHDRAWN]
    times = run.results.times[: run.compiled.class_count].sum(axis=0)
    costs = costs_by_class(run)
    infused = total[:, P_INFUSED]
    spent = np.sum(list(costs.values()), axis=0) + np.zeros_like(infused)
    cost = ratio(spent, infused)
    data: Json = {
        "network": run.network.name,
        "patients": int(ended.sum()),
        "vein_to_vein_days": _times(total, times),
        **_shares(total, ended),
        "cost_per_infused": cost.mean,
        "cost_per_infused_ci95": cost.ci95,
        "cost_by_class": {name: ratio(money, infused).mean for name, money in costs.items()},
        "stages": _stages(run),
        "resources": _resources(run),
        "materials": _materials(run),
        "failures": _failures(run, ended),
        "viability_at_infusion": _viability(run, total),
        "on_time_fraction": ratio(total[:, P_ON_TIME], infused).mean,
        "on_time_in_full_fraction": ratio(total[:, P_ON_TIME], ended).mean,
        "classes": {
            name: _class(sums[:, row], run.results.times[row])
            for row, name in enumerate(run.compiled.classes[: run.compiled.class_count])
        },
        "arrivals": int(total[:, P_ARRIVED].sum()),
        "in_progress": float(run.results.run[:, N_IN_PROGRESS].mean()),
        "infused_per_year": ratio(infused, run.measured_days / YEAR_DAYS).mean,
        "events": run.events,
        "seconds": run.seconds,
        "events_per_second": run.events / run.seconds if run.seconds else None,
        "replications": int(run.results.run.shape[0]),
        "years": run.settings.years,
        "warmup_years": run.settings.warmup_years,
        "seed": run.settings.seed,
        "workers": run.settings.workers,
    }
    if run.stopped is not None:
        data["stopped"] = run.stopped.as_dict()
        data["problems"] = [run.stopped.as_dict()]
    return data


def _times(total: np.ndarray, bins: np.ndarray) -> Json:
    """Give the vein-to-vein figures of the infused."""
    mean = ratio(total[:, P_TIME], total[:, P_INFUSED])
    return {
        "mean": mean.mean,
        "sd": _sd(total),
        "median": time_quantile(bins, 0.5),
        "p10": time_quantile(bins, 0.1),
        "p90": time_quantile(bins, 0.9),
        "p95": time_quantile(bins, 0.95),
        "ci95": mean.ci95,
        "count": int(bins.sum()),
    }


def _sd(total: np.ndarray) -> float | None:
    count = float(total[:, P_INFUSED].sum())
    if count < 2:
        return None
    mean = float(total[:, P_TIME].sum()) / count
    square = float(total[:, P_TIME_SQUARED].sum()) - count * mean * mean
    return float(np.sqrt(max(0.0, square / (count - 1))))


def _shares(total: np.ndarray, ended: np.ndarray) -> Json:
    made: Json = {}
    columns = (
        ("lost_fraction", P_LOST),
        ("withdrawn_fraction", P_WITHDRAWN),
        ("infused_fraction", P_INFUSED),
        ("died_fraction", P_DIED),
        ("turned_away_fraction", P_TURNED_AWAY),
    )
    for name, column in columns:
        share = ratio(total[:, column], ended)
        made[name] = share.mean
        made[f"{name}_ci95"] = share.ci95
    return made


def _class(sums: np.ndarray, bins: np.ndarray) -> Json:
    ended = sums[:, P_INFUSED] + sums[:, P_LOST] + sums[:, P_WITHDRAWN]
    return {
        "patients": int(ended.sum()),
        "arrivals": int(sums[:, P_ARRIVED].sum()),
        "vein_to_vein_days": _times(sums, bins),
        **_shares(sums, ended),
        "on_time_fraction": ratio(sums[:, P_ON_TIME], sums[:, P_INFUSED]).mean,
    }


def _stages(run: Run) -> Json:
    made: Json = {}
    for row, name in enumerate(run.compiled.stages):
        sums = run.results.stages[:, row]
        wait = ratio(sums[:, G_WAIT], sums[:, G_VISITS])
        made[name] = {
            "visits": int(sums[:, G_VISITS].sum()),
            "mean_wait_days": wait.mean,
            "mean_wait_ci95": wait.ci95,
            "median_wait_days": wait_quantile(run.results.waits[row], 0.5),
            "p90_wait_days": wait_quantile(run.results.waits[row], 0.9),
            "mean_time_days": ratio(sums[:, G_TIME], sums[:, G_VISITS]).mean,
        }
    return made


def _resources(run: Run) -> Json:
    stocks = {material.name for material in run.network.materials}
    made: Json = {}
    for row, name in enumerate(run.compiled.resources):
        if name.partition("@")[0] in stocks or name.startswith(("lane ", "supplier ")):
            continue
        sums = run.results.resources[:, row]
        if not sums[:, T_OPEN].any():
            continue
        days = run.measured_days
        capacity = ratio(sums[:, T_OPEN], days)
        unlimited = capacity.mean is not None and is_unlimited(capacity.mean)
        used = Estimate(None) if unlimited else ratio(sums[:, T_BUSY], sums[:, T_OPEN])
        wait = ratio(sums[:, T_WAIT], sums[:, T_REQUESTS])
        served = ratio(sums[:, T_WAIT_SERVED], sums[:, T_REQUESTS] - sums[:, T_LEFT])
        made[name] = {
            "utilisation": used.mean,
            "utilisation_ci95": used.ci95,
            "mean_wait_days": wait.mean,
            "mean_wait_ci95": wait.ci95,
            "mean_wait_served_days": served.mean,
            "mean_queue": ratio(sums[:, T_WAIT], days).mean,
            "mean_busy": ratio(sums[:, T_BUSY], days).mean,
            "mean_capacity": None if unlimited else capacity.mean,
            "requests": int(sums[:, T_REQUESTS].sum()),
            "left_fraction": ratio(sums[:, T_LEFT], sums[:, T_REQUESTS]).mean,
        }
    return made


def _materials(run: Run) -> Json:
    stocks = {material.name for material in run.network.materials}
    made: Json = {}
    for row, name in enumerate(run.compiled.resources):
        if name.partition("@")[0] not in stocks:
            continue
        sums = run.results.resources[:, row]
        made[name] = {
            "mean_stock": ratio(sums[:, T_OPEN], run.measured_days).mean,
            "used": int(sums[:, T_UNITS].sum()),
            "mean_wait_days": ratio(sums[:, T_WAIT], sums[:, T_REQUESTS]).mean,
            "requests": int(sums[:, T_REQUESTS].sum()),
        }
    return made


def _failures(run: Run, ended: np.ndarray) -> Json:
    made: Json = {}
    for row, name in enumerate(run.compiled.causes):
        share = ratio(run.results.causes[:, row], ended)
        made[name] = {
            "count": int(run.results.causes[:, row].sum()),
            "per_patient": share.mean,
            "ci95": share.ci95,
        }
    return made


def _viability(run: Run, total: np.ndarray) -> Json:
    mean = ratio(total[:, P_VIABILITY], total[:, P_INFUSED])
    return {
        "mean": mean.mean,
        "p05": viability_quantile(run.results.viability, 0.05),
        "median": viability_quantile(run.results.viability, 0.5),
        "ci95": mean.ci95,
    }


def _divided(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    made: np.ndarray = np.divide(upper, lower, out=np.zeros_like(upper), where=lower > 0)
    return made
