"""Bottlenecks by cause: one more of each resource, under common random numbers."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from ..measure import YEAR_DAYS
from ..model import Assign, Calendar, Network, Resource
from ..walk import every_step
from .compare import paired
from .interval import ratio
from .layout import T_BUSY, T_EVER_AWAITED, T_OPEN, T_REQUESTS, T_WAIT
from .lookup import is_unlimited
from .outcome import Figures, Json, figures
from .running import Progress, Run, Settings, run, run_again


def bottleneck(
    network: Network,
    settings: Settings,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    only: Sequence[str] = (),
) -> Json:
    """Rank the resources by what one more of each would bring.

    Patients saved are those no longer lost or withdrawn, in a year. Money saved in a day is what
    the base
    network pays for as many treatments as the larger one gives, less what the larger one pays; the
    further server's own cost is in it. Both are paired differences with 95 % intervals.

    A replication in which nobody ever waited for a resource comes out the same, bit for bit, with
    one more of it; such replications are not run again.
    """
    base = run(network, settings, executor=executor)
    first = figures(base)
    places = [place for place in _places(network) if not only or _name(*place) in only]
    rows: list[Json] = []
    for number, (pool, place) in enumerate(places):
        larger = with_one_more(network, pool.name, place)
        row = base.compiled.resources.index(_name(pool, place))
        affected = np.flatnonzero(base.results.resources[:, row, T_EVER_AWAITED])
        if _acts_unawaited(network, pool, place):
            affected = np.arange(base.results.run.shape[0])
        rows.append(_row(base, first, run_again(base, larger, affected, executor), pool, place))
        if progress is not None:
            progress(number + 1, len(places))
    rows.sort(key=lambda row: _rank(row), reverse=True)
    return {
        "network": network.name,
        "resources": rows,
        "bottleneck": rows[0]["resource"] if rows else None,
        "infused_per_year": ratio(first.infused, first.days / YEAR_DAYS).mean,
        "replications": settings.replications,
        "seed": settings.seed,
    }


def with_one_more(network: Network, name: str, place: str) -> Network:
    """Give the network with one more server of a resource at a place, in every shift it has."""
    pools = []
    for pool in network.resources:
        if pool.name != name:
            pools.append(pool)
            continue
        calendar = pool.calendar_at.get(place, pool.calendar)
        changed: dict[str, Calendar] = dict(pool.calendar_at)
        if calendar is not None:
            changed[place] = replace(
                calendar,
                windows=tuple(
                    replace(window, capacity=window.capacity + 1) if window.capacity else window
                    for window in calendar.windows
                ),
            )
        capacity = pool.at.get(place, pool.capacity) + 1
        pools.append(replace(pool, at={**pool.at, place: capacity}, calendar_at=changed))
    return replace(network, resources=tuple(pools))


def _acts_unawaited(network: Network, pool: Resource, place: str) -> bool:
    """Tell whether one more can matter where nobody waited: in routing, or in an outage's share."""
    steps = [
        step
        for process in network.processes
        for step in every_step(process.steps)
        if isinstance(step, Assign)
    ]
    routed = any(step.resource == pool.name for step in (network.assign, *steps))
    return routed or any(outage.of in (pool.name, place) for outage in network.outages)


def _places(network: Network) -> list[tuple[Resource, str]]:
    clinics = [clinic.name for clinic in network.clinics]
    sites = [site.name for site in network.sites]
    found = []
    for pool in network.resources:
        places = clinics if pool.per == "clinic" else sites if pool.per == "site" else [""]
        for place in places:
            capacity = pool.at.get(place, pool.capacity)
            if capacity and not is_unlimited(capacity):
                found.append((pool, place))
    return found


def _name(pool: Resource, place: str) -> str:
    return f"{pool.name}@{place}" if place else pool.name


def _row(base: Run, first: Figures, larger: Run, pool: Resource, place: str) -> Json:
    name = _name(pool, place)
    more = figures(larger)
    sums = base.results.resources[:, base.compiled.resources.index(name)]
    price = float(first.cost.sum() / first.infused.sum()) if first.infused.sum() else 0.0
    return {
        "resource": name,
        "utilisation": ratio(sums[:, T_BUSY], sums[:, T_OPEN]).mean,
        "mean_wait_days": ratio(sums[:, T_WAIT], sums[:, T_REQUESTS]).mean,
        "patients_saved_per_year": paired(
            -more.lost - more.withdrawn,
            more.days / YEAR_DAYS,
            -first.lost - first.withdrawn,
            first.days / YEAR_DAYS,
        ),
        "further_infused_per_year": paired(
            more.infused, more.days / YEAR_DAYS, first.infused, first.days / YEAR_DAYS
        ),
        "money_saved_per_day": paired(
            price * more.infused - more.cost,
            more.days,
            price * first.infused - first.cost,
            first.days,
        ),
        "vein_to_vein_saved_days": paired(
            -more.time_sum, more.infused, -first.time_sum, first.infused
        ),
    }


def _rank(row: Json) -> tuple[float, float, float]:
    """Give what ranks: patients, then money, then days; what is not known counts as nothing."""
    values = []
    for key in ("patients_saved_per_year", "money_saved_per_day", "vein_to_vein_saved_days"):
        found = row[key]
        value = found["difference"] if isinstance(found, dict) else None
        interval = found["ci95"] if isinstance(found, dict) else None
        sure = interval is None or interval[0] > 0 or interval[1] < 0
        values.append(float(np.round(value, 9)) if value is not None and sure else 0.0)
    return values[0], values[1], values[2]
