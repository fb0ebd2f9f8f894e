"""Economies of scale: the same network for more patients, by larger sites or by more of them.

Scale-up multiplies capacity at the sites there are; their fixed cost grows with a power below one
(the six-tenths rule of process plants, Williams, Chemical Engineering 54(12):124, 1947, unless
another is given). Scale-out builds the same network again beside itself: nothing is shared and
every site costs what it costs. What pooling of units and people brings is not assumed: it comes out
of the simulation.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np

from anlage.base import Refused

from ..distribution import scaled
from ..errors import RUN_IMPOSSIBLE
from ..model import (
    UNLIMITED,
    Arrivals,
    Calendar,
    Choice,
    Lane,
    Material,
    Network,
    PatientClass,
    Resource,
    Site,
)
from ..walk import with_choices
from .compare import differences
from .outcome import Figures, Json, figures, outcome_of
from .running import Progress, Run, Settings, run

SIX_TENTHS = 0.6
FACTOR_MAX = 20
_Again: TypeAlias = Callable[[str, int], str]


def scaled_up(network: Network, factor: float, *, exponent: float = SIX_TENTHS) -> Network:
    """Give the network for `factor` times the patients, with larger sites.

    Capacities grow by the factor and are rounded up; stocks and orders too; a site's fixed cost
    grows with the factor to the power of `exponent`.
    """
    return replace(
        network,
        name=f"{network.name}, {factor:g} times larger",
        classes=tuple(_more_patients(one, factor) for one in network.classes),
        resources=tuple(_larger(pool, factor) for pool in network.resources),
        materials=tuple(_larger_stock(one, factor) for one in network.materials),
        sites=tuple(
            replace(site, cost_per_day=site.cost_per_day * factor**exponent)
            for site in network.sites
        ),
    )


def scaled_out(network: Network, copies: int) -> Network:
    """Give the network for `copies` times the patients, as that many networks side by side.

    Raises:
        Refused: It has no clinics or no sites, so that there is nothing to build again.
    """
    if not network.clinics or not network.sites:
        raise Refused(
            RUN_IMPOSSIBLE,
            what=f"scale out {network.name}",
            found="no clinics or no sites",
            limit="a network with clinics and sites",
            remedy="add clinics: and sites:",
        )

    def again(name: str, copy: int) -> str:
        return name if copy == 1 else f"{name} #{copy}"

    numbers = range(1, copies + 1)

    def served(site: Site, copy: int) -> tuple[str, ...]:
        names = site.serves or tuple(clinic.name for clinic in network.clinics)
        return tuple(again(name, copy) for name in names)

    return replace(
        network,
        name=f"{network.name}, {copies} side by side",
        classes=tuple(_more_patients(one, copies) for one in network.classes),
        clinics=tuple(
            replace(clinic, name=again(clinic.name, copy))
            for copy in numbers
            for clinic in network.clinics
        ),
        sites=tuple(
            replace(site, name=again(site.name, copy), serves=served(site, copy))
            for copy in numbers
            for site in network.sites
        ),
        resources=tuple(
            _copied(pool, numbers, again) if pool.per != "network" else _larger(pool, copies)
            for pool in network.resources
        ),
        materials=tuple(
            one if one.per == "site" else _larger_stock(one, copies) for one in network.materials
        ),
        lanes=tuple(_copied_lane(lane, numbers, again) for lane in network.lanes),
        processes=tuple(
            replace(one, steps=with_choices(one.steps, partial(_copied_choice, numbers, again)))
            for one in network.processes
        ),
        outages=tuple(
            replace(
                one,
                name=again(one.name, copy),
                of=again(one.of, copy) if one.of in _site_names(network) else one.of,
                at=None if one.at is None else again(one.at, copy),
            )
            for one in network.outages
            for copy in (numbers if one.at or one.of in _site_names(network) else (1,))
        ),
    )


def scale(
    network: Network,
    settings: Settings,
    *,
    factors: Sequence[int] = (1, 2, 4),
    exponent: float = SIX_TENTHS,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Json:
    """Run the network larger and more often, and give what a treatment costs and takes in each.

    `exponent_of_cost` is the slope of the logarithm of all money over that of the patients infused:
    below one there are economies of scale.

    Raises:
        Refused: Factors that cannot be, or nothing to build again.
    """
    if not factors or any(not 1 <= one <= FACTOR_MAX for one in factors) or not 0 < exponent <= 1:
        raise Refused(
            RUN_IMPOSSIBLE,
            what="scale",
            found=f"factors {list(factors)}, exponent {exponent:g}",
            limit=f"whole factors from 1 to {FACTOR_MAX}, an exponent above 0 and at most 1",
            remedy="write --factors 1,2,4",
        )
    ups: dict[int, Run] = {}
    outs: dict[int, Run] = {}
    for number, factor in enumerate(factors):
        ups[factor] = run(
            scaled_up(network, factor, exponent=exponent), settings, executor=executor
        )
        outs[factor] = (
            run(scaled_out(network, factor), settings, executor=executor)
            if factor > 1
            else ups[factor]
        )
        if progress is not None:
            progress(number + 1, len(factors))
    return {
        "network": network.name,
        "exponent": exponent,
        "factors": {
            str(factor): {
                "scale_up": _short(ups[factor]),
                "scale_out": _short(outs[factor]),
                "out_less_up": differences(figures(outs[factor]), figures(ups[factor])),
            }
            for factor in factors
        },
        "exponent_of_cost": {
            "scale_up": _slope([figures(ups[factor]) for factor in factors]),
            "scale_out": _slope([figures(outs[factor]) for factor in factors]),
        },
        "replications": settings.replications,
        "seed": settings.seed,
    }


def _short(run_: Run) -> Json:
    told = outcome_of(run_)
    names = ("vein_to_vein_days", "infused_fraction", "lost_fraction", "withdrawn_fraction")
    more = ("cost_per_infused", "cost_per_infused_ci95", "infused_per_year", "cost_by_class")
    return {name: told[name] for name in (*names, *more)}


def _slope(found: Sequence[Figures]) -> float | None:
    """Give the least-squares slope of log money over log patients; None without money or spread."""
    infused = [float(one.infused.sum()) for one in found]
    money = [float(one.cost.sum()) for one in found]
    if len(found) < 2 or min(infused) <= 0 or min(money) <= 0:
        return None
    return float(
        np.polyfit([math.log(one) for one in infused], [math.log(one) for one in money], 1)[0]
    )


def _more_patients(patients: PatientClass, factor: float) -> PatientClass:
    arrivals: Arrivals = patients.arrivals
    if arrivals.every is not None:
        changed = replace(arrivals, every=scaled(arrivals.every, 1 / factor))
    else:
        changed = replace(arrivals, rate_per_day=(arrivals.rate_per_day or 0.0) * factor)
    return replace(patients, arrivals=changed)


def _larger(pool: Resource, factor: float) -> Resource:
    return replace(
        pool,
        capacity=_times(pool.capacity, factor),
        calendar=_larger_hours(pool.calendar, factor),
        at={place: _times(one, factor) for place, one in pool.at.items()},
        calendar_at={
            place: grown
            for place, one in pool.calendar_at.items()
            if (grown := _larger_hours(one, factor)) is not None
        },
    )


def _larger_hours(calendar: Calendar | None, factor: float) -> Calendar | None:
    if calendar is None:
        return None
    return replace(
        calendar,
        windows=tuple(
            window
            if window.capacity is None
            else replace(window, capacity=_times(window.capacity, factor))
            for window in calendar.windows
        ),
    )


def _larger_stock(material: Material, factor: float) -> Material:
    return replace(
        material,
        stock=_times(material.stock, factor),
        reorder_at=_times(material.reorder_at, factor),
        order=material.order if material.made_by else _times(material.order, factor),
    )


def _times(count: int, factor: float) -> int:
    return count if count >= UNLIMITED else math.ceil(count * factor - 1e-9)


def _copied(pool: Resource, numbers: range, again: _Again) -> Resource:
    return replace(
        pool,
        at={again(place, copy): one for copy in numbers for place, one in pool.at.items()},
        calendar_at={
            again(place, copy): one for copy in numbers for place, one in pool.calendar_at.items()
        },
    )


def _copied_choice(numbers: range, again: _Again, choice: Choice) -> Choice:
    if choice.by not in {"clinic", "site"}:
        return choice
    values = {again(place, copy): one for copy in numbers for place, one in choice.values.items()}
    return replace(choice, values=values)


def _copied_lane(lane: Lane, numbers: range, again: _Again) -> Lane:
    return replace(
        lane,
        only={
            (again(clinic, copy), again(site, copy)): mode
            for copy in numbers
            for (clinic, site), mode in lane.only.items()
        },
    )


def _site_names(network: Network) -> set[str]:
    return {site.name for site in network.sites}
