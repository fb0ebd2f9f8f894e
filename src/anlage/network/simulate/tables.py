"""From a network to the kernel's tables."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..distribution import Distribution, deterministic, exponential, scaled
from ..hours import capacity_steps
from ..model import UNLIMITED, Material, Network, Outage, PatientClass, Process, Resource
from ..ways import sites_for
from .layout import (
    ASK,
    CLASS,
    CLASS_SUMS,
    FAULT,
    KEEP,
    MATERIAL,
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
    OPEN,
    PLAN,
    POINT,
    RESOURCE,
    RESOURCE_SUMS,
    RUN_SUMS,
    SAMPLE,
    STAGE_SUMS,
    STARTER,
    STEP,
    STREAM,
    TIME,
    TIME_BINS,
    TRACE,
    VIABILITY_BINS,
    WAIT_BINS,
    WANT,
    WAY,
    WEEK_SUMS,
)
from .lookup import Lookup
from .program import ProgramWriter
from .state import Results, Tables

_NEVER = 1e18
WEEK_DAYS = 7.0


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

    def results(self, replications: int, *, trace: int = 0, weeks: int = 0) -> Results:
        """Give zeroed room for the results of some replications."""
        count, stages = len(self.classes), max(1, len(self.stages))
        resources = max(1, len(self.resources))

        def sums(rows: tuple[int, ...], record: np.dtype) -> np.ndarray:
            return np.zeros((replications, *rows, len(record.names or ())))

        return Results(
            run=sums((), RUN_SUMS),
            classes=sums((count,), CLASS_SUMS),
            resources=sums((resources,), RESOURCE_SUMS),
            stages=sums((stages,), STAGE_SUMS),
            causes=np.zeros((replications, max(1, len(self.causes)))),
            costs=np.zeros((replications, max(1, len(self.costs)))),
            weeks=sums((weeks,), WEEK_SUMS),
            times=np.zeros((count, TIME_BINS), np.int64),
            waits=np.zeros((stages, WAIT_BINS), np.int64),
            viability=np.zeros(VIABILITY_BINS, np.int64),
            trace=np.zeros(trace, TRACE),
        )


def compiled(network: Network, horizon_days: float) -> Compiled:
    """Give the tables of a network that `judge` found sound."""
    return _Compiler(network, horizon_days).compile()


class _Compiler:
    def __init__(self, network: Network, horizon_days: float) -> None:
        self.network, self.horizon = network, horizon_days
        self.lookup = Lookup(network)
        self.writer = ProgramWriter(self.lookup)
        self.starters: list[_Row] = []
        self.entries: dict[str, int] = {}
        self.streams: list[_Row] = []
        self.faults: list[_Row] = []
        self.material_rows: list[_Row] = []

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
        plan, period = self._plan()
        lookup = self.lookup
        times, sample = _chance_tables(lookup.distributions)
        sizes = (
            len(lookup.levels),
            len(lookup.sites),
            lookup.gathers,
            len(lookup.clinics) * len(lookup.sites),
            self.writer.counters,
        )
        signatures = lookup.signature_rows
        tables = Tables(
            program=_table(self.writer.resolved(), STEP),
            times=times,
            time_at=np.array(lookup.time_at or [0], np.int32),
            asks=_table([self._ask(number) for number in lookup.signature_at], ASK),
            amount_at=np.array(lookup.amount_at or [0.0]),
            sample=sample,
            want_at=_offsets(len(row) for row in signatures),
            want=_table([want for row in signatures for want in row], WANT),
            wanted_at=_offsets(len(row) for row in self._wanted()),
            wanted=np.array([s for row in self._wanted() for s in row] or [0], np.int32),
            resources=self._resources(),
            classes=classes,
            streams=_table(self.streams, STREAM),
            opens=_table(lookup.opens, OPEN),
            ways=_table(lookup.way_rows, WAY),
            keeps=_table(lookup.keep_rows, KEEP),
            departures=np.array(lookup.departures or [0.0]),
            curve=_table(lookup.curve, POINT),
            materials=_table(self.material_rows, MATERIAL),
            faults=_table(self.faults, FAULT),
            reach=self._reach(),
            plan=plan,
            starters=_table(self.starters, STARTER),
            sizes=np.array(sizes, np.int64),
            spans=np.array([WEEK_DAYS]),
        )
        return Compiled(
            tables=tables,
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
        rows: list[_Row] = []
        for patients in self.network.classes:
            clocks = (patients.drop_out, patients.survival, patients.patience)
            rows.append(
                (
                    self.lookup.level(patients.priority),
                    self.entries[patients.process],
                    *(-1 if clock is None else self.lookup.time(clock) for clock in clocks),
                    -1,
                    patients.promise_days or math.inf,
                )
            )
        for material in self.network.materials:
            if material.made_by is not None:
                number = self.lookup.material_base[material.name]
                rows.append((0, self.entries[material.made_by], -1, -1, -1, number, math.inf))
        # The last row is of orders that no process makes: they have no clocks.
        rows.append((0, 0, -1, -1, -1, -1, math.inf))
        return _table(rows, CLASS)

    def _arrivals(self, number: int, patients: PatientClass) -> None:
        """Make one stream for each clinic, with its share of the patients."""
        arrivals = patients.arrivals
        shares = {clinic.name: clinic.share for clinic in self.network.clinics} or {"": 1.0}
        total = math.fsum(shares.values())
        open_at, open_count, open_days = 0, 0, 7.0
        if arrivals.calendar is not None:
            open_at, open_count = self.lookup.hours(arrivals.calendar)
            open_days = self.lookup.opens[open_at + open_count - 1][2]
        for clinic, (name, part) in enumerate(shares.items()):
            if part <= 0 or (arrivals.every is None and not arrivals.rate_per_day):
                continue
            gap: Distribution
            if arrivals.every is not None:
                gap = scaled(arrivals.every, total / part)
            else:
                rate = (arrivals.rate_per_day or 0.0) * part / total
                gap = exponential(open_days / 7 / rate)
            last = _NEVER if arrivals.last_day is None else arrivals.last_day
            row = self.writer.put(OP_ARRIVE, a=len(self.streams))
            self.streams.append(
                (
                    number,
                    clinic,
                    self.lookup.time(gap),
                    arrivals.group,
                    open_at,
                    open_count,
                    arrivals.first_day,
                    last,
                )
            )
            self.starters.append((row, -1, _purpose(f"arrivals/{patients.name}/{name}")))

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
                (
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
                )
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
            self.faults.extend(hit)
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
            self.starters.append((start, -1, _purpose(f"outage/{outage.name}/{name}")))

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
        for prefix in ("lane", "supplier", "mode"):
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
        table = np.zeros(max(1, len(self.lookup.resource_names)), RESOURCE)
        table["limit"] = table["material"] = -1
        for pool in self.network.resources:
            base = self.lookup.pool_base[pool.name]
            for number, place in enumerate(_places_of(pool, self.lookup)):
                present = _steps(pool, place, self.network.start_weekday, 7, holidays=False)[0][1]
                if 0 in _holidays(pool, place):
                    present = 0
                row = table[base + number]
                row["capacity"] = row["planned"] = present
                row["limit"] = -1 if pool.queue_limit is None else pool.queue_limit
        for name, base in self.lookup.pool_base.items():
            if name.startswith(("lane ", "supplier ", "mode ")):
                table[base]["capacity"] = table[base]["planned"] = UNLIMITED
        for material in self.network.materials:
            base = self.lookup.pool_base[material.name]
            first = self.lookup.material_base[material.name]
            for number in range(len(self.lookup.sites) if material.per == "site" else 1):
                table[base + number]["capacity"] = material.stock
                table[base + number]["material"] = first + number
        return table

    def _ask(self, signature: int) -> "_Row":
        """Give a signature with the one resource that it wants, or -1 when it is not so simple."""
        row = self.lookup.signature_rows[signature]
        stocks = {
            self.lookup.pool_base[material.name] + place
            for material in self.network.materials
            for place in range(len(self.lookup.sites) if material.per == "site" else 1)
        }
        if len(row) != 1 or row[0][0] in stocks:
            return (signature, -1, 0)
        return (signature, *row[0])

    def _wanted(self) -> list[list[int]]:
        wanted: list[list[int]] = [[] for _ in range(max(1, len(self.lookup.resource_names)))]
        for signature, row in enumerate(self.lookup.signature_rows):
            for resource, _ in row:
                wanted[resource].append(signature)
        return wanted

    def _reach(self) -> np.ndarray:
        reach = np.full((len(self.lookup.clinics), len(self.lookup.sites)), -1, np.int32)
        reach[:, 0] = 0
        for clinic, place in enumerate(self.network.clinics):
            for rank, site in enumerate(sites_for(self.network, place)):
                reach[clinic, rank] = site
        return reach.ravel()

    def _plan(self) -> tuple[np.ndarray, float]:
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
        return _table(changes, PLAN), float(days)


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
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _chance_tables(distributions: Sequence[Distribution]) -> tuple[np.ndarray, np.ndarray]:
    """Give the rows of the distributions, and the samples of the empirical ones."""
    rows: list[_Row] = []
    sample: list[_Row] = []
    for time in distributions:
        place = (int(time.kind), len(sample), len(time.values))
        rows.append((*place, time.first, time.second, time.third, time.plus))
        passed = 0.0
        for number, value in enumerate(time.values):
            passed += time.weights[number] if time.weights else 0.0
            sample.append((value, passed if time.weights else -1.0))
    return _table(rows or [(0,) * 7], TIME), _table(sample, SAMPLE)


_Row: TypeAlias = tuple[float, ...]


def _table(rows: Sequence[_Row], record: np.dtype) -> np.ndarray:
    """Give rows as an array of records, each in the order of the record's fields."""
    return np.array(list(rows), record)


def _offsets(counts: Iterable[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(list(counts))]).astype(np.int32)
