"""The values that a program points to: times, amounts, requests, ways, by place and class."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..distribution import Distribution, Kind, deterministic
from ..hours import stretches
from ..model import UNLIMITED, Calendar, Choice, Lane, Mode, Network, Preservation
from ..walk import every_step, request_of
from ..ways import chain_for, distance_km, followed, journey_cost
from .layout import (
    RULE_CLASS,
    RULE_CLINIC,
    RULE_NONE,
    RULE_PAIR,
    RULE_SITE,
    RULE_WAY,
)

FAR = deterministic(1e9)
"""The time of a way that no patient goes."""


@dataclass(frozen=True, slots=True)
class Selected:
    """Rows of a table, one for each place or class that the rule tells apart."""

    rule: int
    base: int


class Lookup:
    """Collects the tables of values while programs are written."""

    def __init__(self, network: Network) -> None:
        """Lay out the pools of resources; the rest grows as it is asked for."""
        self.network = network
        self.clinics = [clinic.name for clinic in network.clinics] or ["clinic"]
        self.sites = [site.name for site in network.sites] or ["site"]
        self.classes = [patients.name for patients in network.classes]
        self.order_classes = [m.name for m in network.materials if m.made_by is not None]
        self.distributions: list[Distribution] = []
        self.time_at: list[int] = []
        self.amount_at: list[float] = []
        self.signature_at: list[int] = []
        self.signature_rows: list[tuple[tuple[int, int], ...]] = []
        self.way_rows: list[tuple[float, ...]] = []
        self.keep_rows: list[tuple[float, ...]] = []
        self.opens: list[tuple[float, float, float]] = []
        self.departures: list[float] = []
        self.curve: list[tuple[float, float]] = []
        self.stages: list[str] = []
        self.causes: list[str] = []
        self.cost_classes: list[str] = []
        self.gathers = 0
        self.resource_names: list[str] = []
        self.pool_base: dict[str, int] = {}
        self.pool_per: dict[str, str] = {}
        self.material_base: dict[str, int] = {}
        self._cache: dict[object, int] = {}
        self._counts: dict[object, int] = {}
        self._chains: dict[object, tuple[Mode, ...]] = {}
        self.levels = self._levels()
        self.has_clocks = any(c.drop_out or c.survival for c in network.classes)
        self._lay_pools()

    def _levels(self) -> list[int]:
        found = {patients.priority for patients in self.network.classes}
        for process in self.network.processes:
            for step in every_step(process.steps):
                request = request_of(step)
                if request is not None and request.priority is not None:
                    found.add(request.priority)
        return sorted(found) or [1]

    def _lay_pools(self) -> None:
        for resource in self.network.resources:
            self._pool(resource.name, resource.per)
        material_count = 0
        for material in self.network.materials:
            self._pool(material.name, material.per)
            self.material_base[material.name] = material_count
            material_count += len(self.sites) if material.per == "site" else 1
        for name in guarded_lanes(self.network):
            self._pool(f"lane {name}", "network")
        for name in guarded_modes(self.network):
            self._pool(f"mode {name}", "network")
        for name in suppliers(self.network):
            self._pool(f"supplier {name}", "network")

    def _pool(self, name: str, per: str) -> None:
        self.pool_base[name] = len(self.resource_names)
        self.pool_per[name] = per
        places = self.clinics if per == "clinic" else self.sites if per == "site" else [""]
        self.resource_names.extend(f"{name}@{place}" if place else name for place in places)

    def level(self, priority: int) -> int:
        """Give the line's level of a priority, 0 served first."""
        return self.levels.index(priority)

    def time(self, distribution: Distribution) -> int:
        """Give the row of a distribution."""
        key = ("distribution", distribution)
        if key not in self._cache:
            self._cache[key] = len(self.distributions)
            self.distributions.append(distribution)
        return self._cache[key]

    def times(self, choice: Choice) -> Selected:
        """Give the rows of a time that may differ."""
        rule, values = self._chosen(choice)
        base = len(self.time_at)
        for value in values:
            known = value if isinstance(value, Distribution) else deterministic(value or 0.0)
            self.time_at.append(self.time(known))
        return Selected(rule, base)

    def amounts(self, choice: Choice) -> Selected:
        """Give the rows of a number that may differ."""
        rule, values = self._chosen(choice)
        base = len(self.amount_at)
        self.amount_at.extend(value if isinstance(value, float) else 0.0 for value in values)
        return Selected(rule, base)

    def _chosen(self, choice: Choice) -> tuple[int, list[Distribution | float | None]]:
        match choice.by:
            case "nothing":
                return RULE_NONE, [choice.default]
            case "class":
                rule, names = RULE_CLASS, [*self.classes, *self.order_classes]
            case "clinic":
                rule, names = RULE_CLINIC, self.clinics
            case "site":
                rule, names = RULE_SITE, self.sites
        return rule, [choice.values.get(name, choice.default) for name in names]

    def conditional(self, choices: Sequence[Choice]) -> list[Selected]:
        """Give the chance of each arm, given that none before it was taken."""
        bys = {choice.by for choice in choices if choice.by != "nothing"}
        by = bys.pop() if bys else "nothing"
        columns = [
            self._chosen(Choice(by=by, default=c.default, values=c.values))[1] for c in choices
        ]
        rule = self._chosen(Choice(by=by))[0]
        made = []
        left = [1.0] * len(columns[0]) if columns else []
        for column in columns:
            base = len(self.amount_at)
            for place, value in enumerate(column):
                chance = value if isinstance(value, float) else 0.0
                share = (
                    1.0
                    if chance >= left[place] - 1e-12 and chance > 0
                    else chance / max(left[place], 1e-300)
                )
                self.amount_at.append(min(1.0, share))
                left[place] = max(0.0, left[place] - chance)
            made.append(Selected(rule, base))
        return made

    def signatures(self, wants: tuple[tuple[str, int], ...]) -> Selected:
        """Give the rows of a request, at each place where its resources stand."""
        key = ("signatures", wants)
        pers = {self.pool_per[name] for name, _ in wants}
        rule = (
            RULE_PAIR
            if {"clinic", "site"} <= pers
            else RULE_CLINIC
            if "clinic" in pers
            else RULE_SITE
            if "site" in pers
            else RULE_NONE
        )
        if key not in self._cache:
            self._cache[key] = len(self.signature_at)
            for clinic, site in self._places(rule):
                row = tuple(
                    sorted((self._resource(name, clinic, site), amount) for name, amount in wants)
                )
                self.signature_at.append(self._signature(row))
        return Selected(rule, self._cache[key])

    def _places(self, rule: int) -> list[tuple[int, int]]:
        clinics, sites = range(len(self.clinics)), range(len(self.sites))
        if rule == RULE_PAIR:
            return [(clinic, site) for clinic in clinics for site in sites]
        if rule == RULE_CLINIC:
            return [(clinic, 0) for clinic in clinics]
        return [(0, site) for site in sites] if rule == RULE_SITE else [(0, 0)]

    def _resource(self, pool: str, clinic: int, site: int) -> int:
        per = self.pool_per[pool]
        return self.pool_base[pool] + (clinic if per == "clinic" else site if per == "site" else 0)

    def _signature(self, row: tuple[tuple[int, int], ...]) -> int:
        key = ("signature", row)
        if key not in self._cache:
            self._cache[key] = len(self.signature_rows)
            self.signature_rows.append(row)
        return self._cache[key]

    def material(self, name: str) -> Selected:
        """Give the rows of a stock."""
        rule = RULE_SITE if self.pool_per[name] == "site" else RULE_NONE
        return Selected(rule, self.material_base[name])

    def stage(self, process: str, name: str) -> int:
        """Give the number of a stage; a second process's stages carry its name."""
        return self._numbered(self.stages, name if process == "main" else f"{process}: {name}")

    def cause(self, name: str) -> int:
        """Give the number of a cause of failure."""
        return self._numbered(self.causes, name)

    def cost_class(self, name: str) -> int:
        """Give the number of a class of cost."""
        return self._numbered(self.cost_classes, name)

    @staticmethod
    def _numbered(names: list[str], name: str) -> int:
        if name not in names:
            names.append(name)
        return names.index(name)

    def gather_slots(self) -> Selected:
        """Give a place to gather at each site."""
        base = self.gathers
        self.gathers += len(self.sites)
        return Selected(RULE_SITE, base)

    def integration(self) -> tuple[Selected, Selected, Selected]:
        """Give delay, chance of error and time of correction at each clinic."""
        known = {way.name: way for way in self.network.integrations}
        delays: dict[str, Distribution | float] = {}
        errors: dict[str, Distribution | float] = {}
        corrections: dict[str, Distribution | float] = {}
        for clinic in self.network.clinics:
            way = known.get(clinic.integration or "")
            if way is not None:
                delays[clinic.name] = way.delay
                errors[clinic.name] = way.error
                if way.correction is not None:
                    corrections[clinic.name] = way.correction
        nothing = deterministic(0.0)
        return (
            self.times(Choice(by="clinic", default=nothing, values=delays)),
            self.amounts(Choice(by="clinic", default=0.0, values=errors)),
            self.times(Choice(by="clinic", default=nothing, values=corrections)),
        )

    def lane_guard(self, lane: str) -> Selected | None:
        """Give the request that holds shipments back while a lane is out."""
        pool = f"lane {lane}"
        return self.signatures(((pool, 1),)) if pool in self.pool_base else None

    def lane(self, name: str) -> Lane:
        """Give a lane by its name."""
        return next(one for one in self.network.lanes if one.name == name)

    def choices(self, lane: str) -> int:
        """Give how many modes a shipment may have to try, one after the other; 1 for no choice."""
        return max(1, *(len(self._chain(lane, *pair)) for pair in self._places(RULE_PAIR)))

    def vehicles(self, lane: str) -> Selected | None:
        """Give the request for a lane's own vehicles, or None when all transport is hired."""
        if not any(mode.vehicles for mode in self.lane(lane).modes):
            return None
        return self._by_way("vehicles", lane, lambda mode, _: mode.vehicles)

    def mode_guard(self, lane: str) -> Selected | None:
        """Give the request that holds a shipment back while its mode is out and no other goes."""
        if not any(f"mode {lane}/{mode.name}" in self.pool_base for mode in self.lane(lane).modes):
            return None

        def guard(mode: Mode, has_other: bool) -> str | None:
            pool = f"mode {lane}/{mode.name}"
            return pool if pool in self.pool_base and not has_other else None

        return self._by_way("guards", lane, guard)

    def _by_way(self, what: str, lane: str, wanted: Callable[[Mode, bool], str | None]) -> Selected:
        """Give the rows of what the mode of each way and pair of places wants one of."""
        key = (what, lane)
        if key not in self._cache:
            self._cache[key] = len(self.signature_at)
            for number in range(self.choices(lane)):
                for clinic, site in self._places(RULE_PAIR):
                    mode, has_other = self._mode(lane, clinic, site, number)
                    pool = None if mode is None else wanted(mode, has_other)
                    wants = () if pool is None else ((self._resource(pool, clinic, site), 1),)
                    self.signature_at.append(self._signature(wants))
        return Selected(self._rule(lane), self._cache[key])

    def _rule(self, lane: str) -> int:
        return RULE_WAY if self.choices(lane) > 1 else RULE_PAIR

    def _chain(self, lane: str, clinic: int, site: int) -> tuple[Mode, ...]:
        key = ("chain", lane, clinic, site)
        if key not in self._chains:
            found = self.lane(lane)
            if not self.network.clinics or not self.network.sites:
                self._chains[key] = followed(found, found.modes[0])
            else:
                places = self.network.clinics[clinic], self.network.sites[site]
                self._chains[key] = chain_for(found, *places)
        return self._chains[key]

    def _mode(self, lane: str, clinic: int, site: int, number: int = 0) -> tuple[Mode | None, bool]:
        """Give the mode that goes when as many do not, and whether another would go after it."""
        chain = self._chain(lane, clinic, site)
        if not chain:
            return None, False
        return chain[min(number, len(chain) - 1)], number < len(chain) - 1

    def way_back(self, lane: str) -> Selected:
        """Give the time a vehicle needs to come home."""
        base = len(self.time_at)
        for number in range(self.choices(lane)):
            for clinic, site in self._places(RULE_PAIR):
                mode = self._mode(lane, clinic, site, number)[0]
                self.time_at.append(self.time(self._way_time(mode, clinic, site)))
        return Selected(self._rule(lane), base)

    def _way_time(self, mode: Mode | None, clinic: int, site: int) -> Distribution:
        if mode is None:
            return FAR
        drive = 0.0
        if mode.speed_km_per_day is not None and self.network.clinics and self.network.sites:
            places = self.network.clinics[clinic], self.network.sites[site]
            drive = (distance_km(*places) or 0.0) / mode.speed_km_per_day
        if mode.time is None:
            return deterministic(drive)
        return _later(mode.time, drive)

    def ways(self, lane: str) -> Selected:
        """Give the rows of a lane, one for each way and pair of clinic and site."""
        key = ("ways", lane)
        if key not in self._cache:
            self._cache[key] = len(self.way_rows)
            condition = self.lane(lane).preservation
            keep = -1 if condition is None else self.keep(condition)
            for number in range(self.choices(lane)):
                for clinic, site in self._places(RULE_PAIR):
                    self.way_rows.append(self._way(lane, clinic, site, number, keep))
        return Selected(self._rule(lane), self._cache[key])

    def _way(self, lane: str, clinic: int, site: int, number: int, keep: int) -> tuple[float, ...]:
        """Give one row, in the order of `layout.WAY`."""
        mode, has_other = self._mode(lane, clinic, site, number)
        if mode is None:
            return (self.time(FAR), -1, -1, 0, 0, 0, 0, -1, -1, -1, 0, 0.0, 0.0, 0.0)
        cost = mode.cost
        if self.network.clinics and self.network.sites:
            cost = journey_cost(mode, self.network.clinics[clinic], self.network.sites[site])
        hours_at, hours_count = (0, 0) if mode.hours is None else self.hours(mode.hours)
        return (
            self.time(self._way_time(mode, clinic, site)),
            -1 if mode.handling is None else self.time(mode.handling),
            -1 if mode.delay is None else self.time(mode.delay),
            self._departures(mode.departures),
            len(mode.departures),
            hours_at,
            hours_count,
            keep,
            self.pool_base.get(f"mode {lane}/{mode.name}", -1),
            -1 if mode.vehicles is None else self._resource(mode.vehicles, clinic, site),
            int(has_other),
            cost,
            0.0 if has_other else mode.cancelled,
            mode.cancelled if has_other else 0.0,
        )

    def keep(self, name: str) -> int:
        """Give the row of a condition in which cells are kept, in the order of `layout.KEEP`."""
        key = ("keep", name)
        if key not in self._cache:
            known: dict[str, Preservation] = {one.name: one for one in self.network.preservations}
            way = known[name]
            self._cache[key] = len(self.keep_rows)
            longest = math.inf if way.hold_days_max is None else way.hold_days_max
            curve = (self._curve(way.curve), len(way.curve))
            self.keep_rows.append((way.loss_per_day, way.step_loss, longest, way.cost, *curve))
        return self._cache[key]

    def hours(self, calendar: Calendar) -> tuple[int, int]:
        """Lay down the hours of a week, with the open time so far; give where and how many."""
        key = ("hours", repr(calendar))
        if key not in self._cache:
            parts = stretches(calendar, self.network.start_weekday, 7, with_holidays=False)
            merged: list[list[float]] = []
            for start, end, _ in sorted(parts, key=lambda part: part[:2]):
                if merged and start <= merged[-1][1]:
                    merged[-1][1] = max(merged[-1][1], end)
                else:
                    merged.append([start, end])
            self._cache[key] = len(self.opens)
            self._counts[key] = len(merged)
            passed = 0.0
            for start, end in merged:
                passed += end - start
                self.opens.append((start, end, passed))
        return self._cache[key], self._counts[key]

    def _departures(self, times: tuple[float, ...]) -> int:
        """Lay down a timetable, shifted so that the week begins on the first day of the run."""
        key = ("departures", times)
        if key not in self._cache:
            self._cache[key] = len(self.departures)
            shift = self.network.start_weekday
            self.departures.extend(sorted((time - shift) % 7 for time in times))
        return self._cache[key]

    def _curve(self, points: tuple[tuple[float, float], ...]) -> int:
        key = ("curve", points)
        if key not in self._cache:
            self._cache[key] = len(self.curve)
            self.curve.extend(points)
        return self._cache[key]


def guarded_lanes(network: Network) -> list[str]:
    """Give the lanes that an outage names."""
    named = {outage.of for outage in network.outages}
    return [lane.name for lane in network.lanes if lane.name in named]


def guarded_modes(network: Network) -> list[str]:
    """Give the modes that an outage names, as LANE/MODE."""
    named = {outage.of for outage in network.outages}
    known = [f"{lane.name}/{mode.name}" for lane in network.lanes for mode in lane.modes]
    return [name for name in known if name in named]


def suppliers(network: Network) -> list[str]:
    """Give the suppliers of all materials, each once."""
    return list(dict.fromkeys(name for m in network.materials for name in m.suppliers))


def is_unlimited(capacity: float) -> bool:
    """Tell whether a capacity never runs out."""
    return capacity >= UNLIMITED // 2


def _later(time: Distribution, days: float) -> Distribution:
    if days == 0.0:
        return time
    if time.kind is Kind.DETERMINISTIC:
        return deterministic(time.first + time.plus + days)
    return Distribution(
        kind=time.kind,
        first=time.first,
        second=time.second,
        third=time.third,
        plus=time.plus + days,
        values=time.values,
        weights=time.weights,
    )
