"""Which way a patient's cells go: distances, the sites a clinic may use, the mode on each lane."""

import math

from .model import Clinic, Lane, Mode, Network, Ship, Site
from .walk import every_step

EARTH_KM = 6371.0088
"""Mean radius of the earth (IUGG R1)."""


def distance_km(clinic: Clinic, site: Site) -> float | None:
    """Give the great-circle distance, or None when a place has no coordinates."""
    if None in (clinic.latitude, clinic.longitude, site.latitude, site.longitude):
        return None
    a, b = math.radians(clinic.latitude or 0.0), math.radians(site.latitude or 0.0)
    east = math.radians((site.longitude or 0.0) - (clinic.longitude or 0.0))
    chord = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))


def unfit_because(mode: Mode, lane: Lane, clinic: Clinic, site: Site) -> str | None:
    """Say why a mode cannot carry between two places, or None when it can."""
    distance = distance_km(clinic, site)
    if mode.speed_km_per_day is not None and distance is None:
        return f"{mode.name} goes by speed, but the places have no coordinates"
    if mode.range_km is not None and distance is not None and distance > mode.range_km:
        return f"{mode.name} reaches {mode.range_km:.0f} km, the way is {distance:.0f} km"
    if mode.payload_kg is not None and lane.mass_kg > mode.payload_kg:
        return f"{mode.name} carries {mode.payload_kg:g} kg, the load is {lane.mass_kg:g} kg"
    for place in (clinic, site):
        if mode.countries and place.country and place.country not in mode.countries:
            return f"{mode.name} is not allowed in {place.country}"
    return None


def mode_for(lane: Lane, clinic: Clinic, site: Site) -> Mode | None:
    """Give the mode a lane uses between two places, or None when none fits."""
    forced = lane.only.get((clinic.name, site.name))
    fitting = [
        mode
        for mode in lane.modes
        if (forced is None or mode.name == forced)
        and unfit_because(mode, lane, clinic, site) is None
    ]
    if not fitting:
        return None
    if lane.prefer == "fastest":
        return min(fitting, key=lambda mode: mean_days(mode, clinic, site))
    if lane.prefer == "cheapest":
        return min(fitting, key=lambda mode: journey_cost(mode, clinic, site))
    return fitting[0]


def chain_for(lane: Lane, clinic: Clinic, site: Site) -> tuple[Mode, ...]:
    """Give the mode a lane uses between two places, then those that go when it does not."""
    mode = mode_for(lane, clinic, site)
    return () if mode is None else followed(lane, mode, clinic, site)


def followed(
    lane: Lane, mode: Mode, clinic: Clinic | None = None, site: Site | None = None
) -> tuple[Mode, ...]:
    """Give a mode and those that go in its place, each once, as far as they fit the places."""
    by_name = {one.name: one for one in lane.modes}
    chain = [mode]
    while (other := by_name.get(chain[-1].otherwise or "")) is not None and other not in chain:
        if clinic is not None and site is not None and unfit_because(other, lane, clinic, site):
            break
        chain.append(other)
    return tuple(chain)


def mean_days(mode: Mode, clinic: Clinic, site: Site) -> float:
    """Give the mean time of a journey, waiting for departures and cancellations included."""
    total = 0.0
    if mode.time is not None:
        total += mode.time.mean_days()
    if mode.speed_km_per_day is not None:
        total += (distance_km(clinic, site) or 0.0) / mode.speed_km_per_day
    for extra in (mode.handling, mode.delay):
        if extra is not None:
            total += extra.mean_days()
    gap = 1.0
    if mode.departures:
        gap = 7.0 / len(mode.departures)
        total += gap / 2
    return total + gap * mode.cancelled / (1 - mode.cancelled)


def journey_cost(mode: Mode, clinic: Clinic, site: Site) -> float:
    """Give the money for one journey."""
    return mode.cost + mode.cost_per_km * (distance_km(clinic, site) or 0.0)


def sites_for(network: Network, clinic: Clinic) -> tuple[int, ...]:
    """Give the numbers of the sites that may serve a clinic, the nearest first."""
    named = [i for i, site in enumerate(network.sites) if clinic.name in site.serves]
    allowed = named or [i for i, site in enumerate(network.sites) if not site.serves]
    used = used_lanes(network)
    reachable = [
        i
        for i in allowed
        if all(
            mode_for(lane, clinic, network.sites[i]) for lane in network.lanes if lane.name in used
        )
    ]
    return tuple(sorted(reachable, key=lambda i: (distance_km(clinic, network.sites[i]) or 0.0, i)))


def used_lanes(network: Network) -> frozenset[str]:
    """Give the names of the lanes that a step ships along."""
    return frozenset(
        step.lane
        for process in network.processes
        for step in every_step(process.steps)
        if isinstance(step, Ship)
    )
