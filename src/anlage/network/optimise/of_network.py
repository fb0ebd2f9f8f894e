"""The design problem within a network file, and the network that a design makes of it.

Queues, loops and failures are left out: a site's capacity is a part (`FILL_MAX`) of what its
scarcest resource can do when each patient passes every step once, without regard to shifts. That is
why a design is simulated before it is believed.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import cast

from anlage.base import Refused

from ..distribution import Distribution
from ..errors import KEY_MISSING
from ..measure import YEAR_DAYS
from ..model import UNLIMITED, Choice, Clinic, Hold, Network, Ship, Site, Step, Use, Wait
from ..walk import every_step
from ..ways import journey_cost, mean_days, mode_for
from .design import Json, optimise
from .problem import Candidate, Demand, DesignProblem, Failing, Size, Way

SITES_TRIED = 20
"""Most numbers of open sites for which a design is sought."""

FILL_MAX = 0.85
"""Part of a resource's time that a design may plan with; the rest is for queues and repeats."""


def design_problem_of(network: Network) -> DesignProblem:
    """Give which sites of a network to keep, and which clinic each is to serve, as a problem.

    Raises:
        Refused: The network has no clinics or no sites.
    """
    for what, places in (("clinics", network.clinics), ("sites", network.sites)):
        if not places:
            raise Refused(
                KEY_MISSING,
                what=f"optimise {network.name}",
                found=f"no {what}",
                limit="a network with clinics and sites, or a file that begins with design: NAME",
                remedy=f"add {what}:, or see docs/reference/network-design-file.md",
            )
    total = sum(one.arrivals.mean_per_day() for one in network.classes) * YEAR_DAYS
    shares = sum(clinic.share for clinic in network.clinics) or 1.0
    used = {one.process for one in network.classes}
    steps = tuple(
        step for process in network.processes if process.name in used for step in process.steps
    )
    busy = _busy_days(steps)
    return DesignProblem(
        name=network.name,
        clinics=tuple(
            Demand(name=clinic.name, patients=total * clinic.share / shares)
            for clinic in network.clinics
        ),
        sites=tuple(
            Candidate(
                name=site.name,
                sizes=(_size(network, site, busy),),
                failing=_failing(network, site),
            )
            for site in network.sites
        ),
        ways=tuple(
            way
            for clinic in network.clinics
            for site in network.sites
            if not site.serves or clinic.name in site.serves
            if (way := _way(network, steps, clinic, site)) is not None
        ),
    )


def network_of(network: Network, design: Mapping[str, str]) -> Network:
    """Give the network with each clinic served by the site of a design, the other sites closed.

    Args:
        network: The network of the design problem.
        design: Site by clinic.
    """
    opened = set(design.values())
    sites = tuple(
        replace(site, serves=tuple(clinic for clinic, at in design.items() if at == site.name))
        for site in network.sites
        if site.name in opened
    )
    closed = {site.name for site in network.sites} - opened
    return replace(
        network,
        name=f"{network.name}, optimised",
        sites=sites,
        resources=tuple(
            replace(
                pool,
                at={place: count for place, count in pool.at.items() if place not in closed},
                calendar_at={at: one for at, one in pool.calendar_at.items() if at not in closed},
            )
            for pool in network.resources
        ),
        lanes=tuple(
            replace(
                lane, only={pair: mode for pair, mode in lane.only.items() if pair[1] in opened}
            )
            for lane in network.lanes
        ),
        outages=tuple(
            one for one in network.outages if one.of not in closed and one.at not in closed
        ),
    )


def _failing(network: Network, site: Site) -> Failing | None:
    """Give the first outage of the whole site that comes again and again, by its means."""
    for one in network.outages:
        if one.of == site.name and one.every is not None:
            return Failing(up_days=one.every.mean_days(), out_days=one.lasts.mean_days())
    return None


def designs_of(network: Network, *, gap: float = 1e-4, seconds: float = 60.0) -> list[Json]:
    """Give the cheapest design for each number of open sites, the cheapest of all first.

    One site, two, and so on: central, regional, distributed. Numbers with which nothing fits, and
    designs that come out the same, are left out. Each stands with its bound and gap.
    """
    problem = design_problem_of(network)
    made: list[Json] = []
    seen: set[tuple[tuple[str, str], ...]] = set()
    for most in range(1, min(len(network.sites), SITES_TRIED) + 1):
        try:
            found = optimise(replace(problem, open_at_most=most), gap=gap, seconds=seconds)
        except Refused:
            continue
        key = tuple(sorted(served_by(found).items()))
        if key not in seen:
            seen.add(key)
            made.append(found)
    return sorted(made, key=lambda one: cast(float, one["objective"]))


def served_by(found: Json) -> dict[str, str]:
    """Give the site that serves each clinic in a design."""
    clinics = cast(dict[str, dict[str, str]], cast(Json, found["design"])["clinics"])
    return {clinic: row["site"] for clinic, row in clinics.items()}


def _size(network: Network, site: Site, busy: Mapping[str, float]) -> Size:
    room: float | None = None
    cost = site.cost_per_day
    for pool in network.resources:
        if pool.per != "site":
            continue
        count = pool.at.get(site.name, pool.capacity)
        if count >= UNLIMITED:
            continue
        cost += count * pool.cost_per_day
        if busy.get(pool.name):
            most = FILL_MAX * count / busy[pool.name] * YEAR_DAYS
            room = most if room is None else min(room, most)
    return Size(name="", capacity=room, cost=cost * YEAR_DAYS)


def _busy_days(steps: tuple[Step, ...]) -> Mapping[str, float]:
    """Give the days that one patient takes of each resource, every step being passed once."""
    busy: dict[str, float] = {}
    for step in every_step(steps):
        if isinstance(step, Use):
            days = _mean(step.time)
        elif isinstance(step, Hold):
            inside = [one for one in every_step(step.steps) if isinstance(one, Use | Wait)]
            days = sum(_mean(one.time) for one in inside)
        else:
            continue
        for name, count in step.request.wants:
            busy[name] = busy.get(name, 0.0) + count * days
    return MappingProxyType(busy)


def _mean(choice: Choice) -> float:
    values = [*choice.values.values()]
    if choice.default is not None:
        values = [choice.default]
    days = [one.mean_days() if isinstance(one, Distribution) else float(one) for one in values]
    return sum(days) / len(days) if days else 0.0


def _way(network: Network, steps: tuple[Step, ...], clinic: Clinic, site: Site) -> Way | None:
    """Give the journeys of one patient between a clinic and a site, on the modes of each lane."""
    lanes = {lane.name: lane for lane in network.lanes}
    packing = {one.name: one.cost for one in network.preservations}
    cost, longest, modes = 0.0, 0.0, []
    for step in every_step(steps):
        if not isinstance(step, Ship):
            continue
        lane = lanes[step.lane]
        mode = mode_for(lane, clinic, site)
        if mode is None:
            return None
        cost += journey_cost(mode, clinic, site) + packing.get(lane.preservation or "", 0.0)
        longest = max(longest, mean_days(mode, clinic, site))
        modes.append(mode.name)
    return Way(clinic=clinic.name, site=site.name, mode=" + ".join(modes), cost=cost, days=longest)
