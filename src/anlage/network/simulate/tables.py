"""From a network to the kernel's tables."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from ..distribution import Distribution, deterministic, exponential, scaled
from ..hours import capacity_steps, stretches
from ..model import UNLIMITED, Material, Network, Outage, PatientClass, Process, Resource
from ..ways import sites_for
from .kernel import Results, Tables
from .layout import (
    CLASS_RESULTS,
    DISTRIBUTION_WIDTH,
    MATERIAL_WIDTH,
    OP_ARRIVE,
    OP_DELAY,
    OP_DELIVER,
    OP_EXPIRE,
    OP_FAULT,
    OP_IF_UP,
    OP_JUMP,
    OP_MEND,
    OP_RELEASE,
    OP_SEIZE,
    OP_VANISH,
    PROGRAM_WIDTH,
    RESOURCE_RESULTS,
    RESOURCE_WIDTH,
    RUN_RESULTS,
    STAGE_RESULTS,
    TIME_BINS,
    VIABILITY_BINS,
    WAIT_BINS,
    WAY_WIDTH,
)
from .lookup import Lookup
from .program import ProgramWriter

_NEVER = 1e18


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """Tables, and the names of what their rows stand for.

    Attributes:
        tables: What the kernel reads; arrays of a few kilobytes.
        classes, clinics, sites, resources, stages, causes, costs: Names by number.
        class_count: How many of the classes are patients; the rest are orders.
        plan_period: Days after which the plan of capacities repeats.
    """

    tables: Tables
    classes: tuple[str, ...]
    class_count: int
    clinics: tuple[str, ...]
    sites: tuple[str, ...]
    resources: tuple[str, ...]
    stages: tuple[str, ...]
    causes: tuple[str, ...]
    costs: tuple[str, ...]
    plan_period: float

    def results(self, replications: int, trace: int = 0) -> Results:
        """Give zeroed room for the results of some replications."""
        count = len(self.classes)
        return Results(
            run=np.zeros((replications, RUN_RESULTS)),
            classes=np.zeros((replications, count, CLASS_RESULTS)),
            resources=np.zeros((replications, max(1, len(self.resources)), RESOURCE_RESULTS)),
            stages=np.zeros((replications, max(1, len(self.stages)), STAGE_RESULTS)),
            causes=np.zeros((replications, max(1, len(self.causes)))),
            costs=np.zeros((replications, max(1, len(self.costs)))),
            times=np.zeros((count, TIME_BINS), np.int64),
            waits=np.zeros((max(1, len(self.stages)), WAIT_BINS), np.int64),
            viability=np.zeros(VIABILITY_BINS, np.int64),
            trace=np.zeros((trace, 6), np.int64),
            trace_times=np.zeros(trace),
        )


def compiled(network: Network, horizon_days: float) -> Compiled:
    """Give the tables of a network that `judge` found sound."""
    return _Compiler(network, horizon_days).compile()


class _Compiler:
    def __init__(self, network: Network, horizon_days: float) -> None:
        self.network, self.horizon = network, horizon_days
        self.lookup = Lookup(network)
        self.writer = ProgramWriter(self.lookup)
        self.starters: list[list[int]] = []
        self.entries: dict[str, int] = {}
        self.streams: list[list[int]] = []
        self.stream_days: list[list[float]] = []
        self.opens: list[list[float]] = []
        self.faults: list[list[int]] = []
        self.material_rows: list[list[int]] = []

    def compile(self) -> Compiled:
        for process in self.network.processes:
            self.entries[process.name] = self._entry(process)
        for number, patients in enumerate(self.network.classes):
            self._arrivals(number, patients)
        for material in self.network.materials:
            self._material(material)
        for outage in self.network.outages:
            self._outage(outage)
        classes = self._classes()
        plan_time, plan, period = self._plan()
        lookup = self.lookup
        tables = Tables(
            program=_whole(self.writer.resolved(), PROGRAM_WIDTH),
            time_at=np.array(lookup.time_at or [0], np.int64),
            signature_at=np.array(lookup.signature_at or [0], np.int64),
            amount_at=np.array(lookup.amount_at or [0.0]),
            distributions=np.zeros((0, 0)),
            sample=np.zeros((0, 0)),
            want_at=_offsets(len(row) for row in lookup.signature_rows),
            want=_whole([list(want) for row in lookup.signature_rows for want in row], 2),
            single=_whole([self._single(row) for row in lookup.signature_rows], 2),
            wanted_at=_offsets(len(row) for row in self._wanted()),
            wanted=np.array([s for row in self._wanted() for s in row] or [0], np.int64),
            resources=self._resources(),
            classes=classes,
            promises=np.array(
                [c.promise_days or math.inf for c in self.network.classes]
                + [math.inf] * len(lookup.order_classes)
            ),
            streams=_whole(self.streams, 7),
            stream_days=_real(self.stream_days, 2),
            opens=_real(self.opens, 3),
            ways=_real(lookup.way_rows, WAY_WIDTH),
            departures=np.array(lookup.departures or [0.0]),
            curve=_real(lookup.curve, 2),
            materials=_whole(self.material_rows, MATERIAL_WIDTH),
            faults=_whole(self.faults, 2),
            reach=self._reach(),
            plan_time=plan_time,
            plan=plan,
            starters=_whole(self.starters, 3),
            sizes=np.array([len(lookup.levels), len(lookup.sites), lookup.gathers], np.int64),
        )
        distributions, sample = _chance_tables(lookup.distributions)
        return Compiled(
            tables=tables._replace(distributions=distributions, sample=sample),
            classes=(*lookup.classes, *lookup.order_classes),
            class_count=len(lookup.classes),
            clinics=tuple(lookup.clinics),
            sites=tuple(lookup.sites),
            resources=tuple(lookup.resource_names),
            stages=tuple(lookup.stages),
            causes=tuple(lookup.causes),
            costs=tuple(lookup.cost_classes),
            plan_period=period,
        )

    def _entry(self, process: Process) -> int:
        return self.writer.write(process)

    def _classes(self) -> np.ndarray:
        rows = []
        for patients in self.network.classes:
            clocks = (patients.drop_out, patients.survival, patients.patience)
            rows.append(
                [
                    self.lookup.level(patients.priority),
                    self.entries[patients.process],
                    *(-1 if clock is None else self.lookup.time(clock) for clock in clocks),
                    -1,
                ]
            )
        for material in self.network.materials:
            if material.made_by is not None:
                number = self.lookup.material_base[material.name]
                rows.append([0, self.entries[material.made_by], -1, -1, -1, number])
        # The last row is of orders that no process makes: they have no clocks.
        rows.append([0, 0, -1, -1, -1, -1])
        return _whole(rows, 6)

    def _arrivals(self, number: int, patients: PatientClass) -> None:
        """Make one stream for each clinic, with its share of the patients."""
        arrivals = patients.arrivals
        shares = {clinic.name: clinic.share for clinic in self.network.clinics} or {"": 1.0}
        total = math.fsum(shares.values())
        open_at, open_count, open_days = self._open_hours(patients)
        for clinic, (name, part) in enumerate(shares.items()):
            if part <= 0 or (arrivals.every is None and not arrivals.rate_per_day):
                continue
            gap: Distribution
            if arrivals.every is not None:
                gap = scaled(arrivals.every, total / part)
            else:
                rate = (arrivals.rate_per_day or 0.0) * part / total
                gap = exponential(open_days / 7 / rate)
            stream = len(self.streams)
            self.streams.append(
                [number, clinic, self.lookup.time(gap), arrivals.group, 0, open_at, open_count]
            )
            last = _NEVER if arrivals.last_day is None else arrivals.last_day
            self.stream_days.append([arrivals.first_day, last])
            row = self.writer.put(OP_ARRIVE, a=stream)
            self.starters.append([row, _purpose(f"arrivals/{patients.name}/{name}"), -1])

    def _open_hours(self, patients: PatientClass) -> tuple[int, int, float]:
        """Lay down the hours of a week in which a class comes, with the open time so far."""
        calendar = patients.arrivals.calendar
        if calendar is None:
            return 0, 0, 7.0
        parts = stretches(calendar, self.network.start_weekday, 7, with_holidays=False)
        merged: list[list[float]] = []
        for start, end, _ in sorted(parts, key=lambda part: part[:2]):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        at, passed = len(self.opens), 0.0
        for start, end in merged:
            passed += end - start
            self.opens.append([start, end, passed])
        return at, len(merged), passed

    def _material(self, material: Material) -> None:
        """Write a stock's order program; made materials send an order through their process."""
        lookup = self.lookup
        places = len(lookup.sites) if material.per == "site" else 1
        base = lookup.material_base[material.name]
        number_of_class = len(lookup.classes) + len(lookup.order_classes)
        if material.made_by is not None:
            number_of_class = len(lookup.classes) + lookup.order_classes.index(material.name)
            program = self.entries[material.made_by]
        else:
            program = -1
        for place in range(places):
            row = program if program >= 0 else self._order(material, base + place)
            expire = -1 if material.shelf_life is None else self._expiry(material, base + place)
            resource = lookup.pool_base[material.name] + place
            self.material_rows.append(
                [
                    resource,
                    material.reorder_at,
                    material.order,
                    0,
                    row,
                    expire,
                    material.stock,
                    0,
                    0,
                    number_of_class,
                    place,
                ]
            )

    def _order(self, material: Material, number: int) -> int:
        """Write: wait while no supplier is up, wait the lead time, deliver."""
        writer, lookup = self.writer, self.lookup
        start = len(writer.rows)
        pools = [lookup.pool_base[f"supplier {name}"] for name in material.suppliers]
        if pools:
            sends = start + len(pools) + 2
            for pool in pools:
                writer.put_jump(OP_IF_UP, sends, a=pool)
            selected = lookup.signatures(((f"supplier {material.suppliers[0]}", 1),))
            writer.put(OP_SEIZE, rule=selected.rule, base=selected.base, a=-1, b=0)
            writer.put(OP_RELEASE, rule=selected.rule, base=selected.base)
        if material.lead_time is not None:
            base = len(lookup.time_at)
            lookup.time_at.append(lookup.time(material.lead_time))
            writer.put(OP_DELAY, base=base, purpose=_purpose(f"lead time/{material.name}"))
        price = len(lookup.amount_at)
        lookup.amount_at.append(material.unit_cost)
        writer.put(OP_DELIVER, base=number, b=lookup.cost_class("materials"), c=price)
        writer.put(OP_VANISH)
        return start

    def _expiry(self, material: Material, number: int) -> int:
        lookup, writer = self.lookup, self.writer
        start = len(writer.rows)
        base = len(lookup.time_at)
        if material.shelf_life is not None:
            lookup.time_at.append(lookup.time(material.shelf_life))
        writer.put(OP_DELAY, base=base, purpose=_purpose(f"shelf life/{material.name}"))
        writer.put(OP_EXPIRE, base=number, a=lookup.cause(f"{material.name} expired"))
        writer.put(OP_VANISH)
        return start

    def _outage(self, outage: Outage) -> None:
        """Write a program for each thing that fails by itself: time up, fail, time out, mend."""
        lookup, writer = self.lookup, self.writer
        for name, hit in self._hit(outage):
            first = len(self.faults)
            self.faults.extend([resource, amount] for resource, amount in hit)
            last = len(self.faults)
            start = len(writer.rows)
            up = outage.every or deterministic(outage.start_day or 0.0)
            for time, op in ((up, OP_FAULT), (outage.lasts, OP_MEND)):
                base = len(lookup.time_at)
                lookup.time_at.append(lookup.time(time))
                writer.put(OP_DELAY, base=base, purpose=_purpose(f"outage/{op}"))
                writer.put(op, a=first, b=last)
            if outage.every is None:
                writer.put(OP_VANISH)
            else:
                writer.put_jump(OP_JUMP, start)
                writer.rows[-1].jumps = True
            self.starters.append([start, _purpose(f"outage/{outage.name}/{name}"), -1])

    def _hit(self, outage: Outage) -> list[tuple[str, list[tuple[int, int]]]]:
        """Give what fails together: all of a site, or one resource, lane or supplier at a time."""
        lookup = self.lookup
        by_name = {resource.name: resource for resource in self.network.resources}
        if outage.of in by_name:
            pool = by_name[outage.of]
            places = _places_of(pool, lookup)
            wanted = [outage.at] if outage.at is not None else places
            return [
                (
                    place,
                    [
                        (
                            lookup.pool_base[pool.name] + places.index(place),
                            _taken(pool.at.get(place, pool.capacity), outage.share),
                        )
                    ],
                )
                for place in wanted
            ]
        for prefix in ("lane", "supplier"):
            if f"{prefix} {outage.of}" in lookup.pool_base:
                return [("", [(lookup.pool_base[f"{prefix} {outage.of}"], 2 * UNLIMITED)])]
        site = lookup.sites.index(outage.of)
        return [
            (
                "",
                [
                    (
                        lookup.pool_base[pool.name] + site,
                        _taken(pool.at.get(outage.of, pool.capacity), outage.share),
                    )
                    for pool in self.network.resources
                    if pool.per == "site"
                ],
            )
        ]

    def _resources(self) -> np.ndarray:
        table = np.zeros((max(1, len(self.lookup.resource_names)), RESOURCE_WIDTH), np.int64)
        table[:, 3] = -1
        table[:, 4] = -1
        for pool in self.network.resources:
            base = self.lookup.pool_base[pool.name]
            for number, place in enumerate(_places_of(pool, self.lookup)):
                present = _steps(pool, place, self.network.start_weekday, 7, holidays=False)[0][1]
                if 0 in _holidays(pool, place):
                    present = 0
                table[base + number, 0] = table[base + number, 5] = present
                table[base + number, 3] = -1 if pool.queue_limit is None else pool.queue_limit
        for name, base in self.lookup.pool_base.items():
            if name.startswith(("lane ", "supplier ")):
                table[base, 0] = table[base, 5] = UNLIMITED
        for material in self.network.materials:
            base = self.lookup.pool_base[material.name]
            first = self.lookup.material_base[material.name]
            for number in range(len(self.lookup.sites) if material.per == "site" else 1):
                table[base + number, 0] = material.stock
                table[base + number, 4] = first + number
        return table

    def _single(self, row: tuple[tuple[int, int], ...]) -> list[int]:
        """Give the one resource that a signature wants, or -1 when it is not so simple."""
        stocks = {
            self.lookup.pool_base[material.name] + place
            for material in self.network.materials
            for place in range(len(self.lookup.sites) if material.per == "site" else 1)
        }
        return [-1, 0] if len(row) != 1 or row[0][0] in stocks else [row[0][0], row[0][1]]

    def _wanted(self) -> list[list[int]]:
        wanted: list[list[int]] = [[] for _ in range(max(1, len(self.lookup.resource_names)))]
        for signature, row in enumerate(self.lookup.signature_rows):
            for resource, _ in row:
                wanted[resource].append(signature)
        return wanted

    def _reach(self) -> np.ndarray:
        reach = np.full((len(self.lookup.clinics), len(self.lookup.sites)), -1, np.int64)
        reach[:, 0] = 0
        for clinic, place in enumerate(self.network.clinics):
            for rank, site in enumerate(sites_for(self.network, place)):
                reach[clinic, rank] = site
        return reach

    def _plan(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Give the changes of capacity over a cycle; with holidays the cycle is the whole run."""
        holidays = any(
            _holidays(pool, place)
            for pool in self.network.resources
            for place in _places_of(pool, self.lookup)
        )
        days = 7 * max(1, math.ceil(self.horizon / 7)) if holidays else 7
        changes: list[tuple[float, int, int]] = []
        for pool in self.network.resources:
            base = self.lookup.pool_base[pool.name]
            for number, place in enumerate(_places_of(pool, self.lookup)):
                steps = _steps(pool, place, self.network.start_weekday, days, holidays=holidays)
                if len(steps) == 1:
                    continue
                # The first step holds at the start; in the cycle it comes at its end.
                for time, present in [*steps[1:], (float(days), steps[0][1])]:
                    if time < days or steps[-1][1] != present:
                        changes.append((time, base + number, present))
        changes.sort()
        plan = _whole([[resource, present] for _, resource, present in changes], 2)
        return np.array([time for time, _, _ in changes]), plan, float(days)


def _steps(
    pool: Resource, place: str, weekday: int, days: int, *, holidays: bool
) -> list[tuple[float, int]]:
    calendar = pool.calendar_at.get(place, pool.calendar)
    capacity = pool.at.get(place, pool.capacity)
    if calendar is None:
        return [(0.0, capacity)]
    return capacity_steps(calendar, capacity, weekday, days, with_holidays=holidays)


def _holidays(pool: Resource, place: str) -> tuple[int, ...]:
    calendar = pool.calendar_at.get(place, pool.calendar)
    return () if calendar is None else calendar.holidays


def _places_of(pool: Resource, lookup: Lookup) -> list[str]:
    return lookup.clinics if pool.per == "clinic" else lookup.sites if pool.per == "site" else [""]


def _taken(capacity: int, share: float) -> int:
    return 2 * UNLIMITED if share >= 1.0 else math.ceil(capacity * share)


def _purpose(text: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True
    )


def _chance_tables(times: list[Distribution]) -> tuple[np.ndarray, np.ndarray]:
    table = np.zeros((max(1, len(times)), DISTRIBUTION_WIDTH))
    sample: list[tuple[float, float]] = []
    for row, time in enumerate(times):
        table[row] = [
            int(time.kind),
            time.first,
            time.second,
            time.third,
            time.plus,
            len(sample),
            len(time.values),
        ]
        passed = 0.0
        for place, value in enumerate(time.values):
            passed += time.weights[place] if time.weights else 0.0
            sample.append((value, passed if time.weights else -1.0))
    return table, _real(sample, 2)


def _whole(rows: "list[list[int]]", width: int) -> np.ndarray:
    return np.array(rows, np.int64).reshape(-1, width)


def _real(rows: object, width: int) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, width)


def _offsets(counts: object) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(list(counts))]).astype(np.int64)  # type: ignore[call-overload]
