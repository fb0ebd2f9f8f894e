"""A run's first replication as facts: the kinds and fields that a plant writes, in an Arrow table.

So the measures and charts of a plant's facts (`anlage.custody.timeline_of` and others) run on a
simulation too. The world is always simulated, and a table of facts is never a journal: it has no
hashes, and its signatures name the method `simulated-person`.

A course is a journey: ordered when the patient comes; collected at `start: vein to vein`, or on
arrival where a file says nothing; infused or cancelled at its end. What is made of it is a lot
with its steps; a failure ends the lot, and what goes on is another. Steps at a clinic's own
resources are the clinic's, not a lot's. Journeys along a lane are shipments. Release is no fact
here, as a network has no one who signs it.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from anlage.base import Instant, canonical, stamp
from anlage.record import Signature, encode, sign

from ..model import Mark, Network, Ship
from ..walk import every_step, request_of
from ..ways import chain_for, mean_days
from .layout import (
    INFUSED,
    N_STOPPED_AT,
    N_TRACED,
    TRACE_ARRIVED,
    TRACE_CLOCK_STARTED,
    TRACE_CLOCK_STOPPED,
    TRACE_ENDED,
    TRACE_FAILED,
    TRACE_FINISHED,
    TRACE_RECEIVED,
    TRACE_SHIPPED,
    TRACE_STARTED,
)
from .running import Run
from .trace import OUTCOMES

if TYPE_CHECKING:
    import pyarrow

FACTS_VERSION = 1
PERSON = "simulated"
_UNFIT = re.compile(r"[^A-Za-z0-9._:=,*+\-]+")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Fact:
    stream: str
    kind: str
    happened: Instant
    body: Body
    site: str


def facts_of(run: Run) -> "pyarrow.Table":
    """Give the facts of the first replication, in the order of time.

    Columns: number, stream, version (in its stream), kind, kind_version, world, site, happened
    (UTC), person, body (the fact's fields as JSON). The schema's metadata carries the network, seed
    and replication, and how many lines of the trace did not fit.
    """
    import pyarrow

    facts = sorted(_Told(run).facts(), key=lambda one: one.happened)
    versions: dict[str, int] = {}
    numbers = []
    for one in facts:
        versions[one.stream] = versions.get(one.stream, 0) + 1
        numbers.append(versions[one.stream])
    count = len(facts)
    columns = {
        "number": pyarrow.array(range(count), pyarrow.int64()),
        "stream": [one.stream for one in facts],
        "version": pyarrow.array(numbers, pyarrow.int64()),
        "kind": [one.kind for one in facts],
        "kind_version": pyarrow.array([1] * count, pyarrow.int64()),
        "world": ["simulated"] * count,
        "site": [one.site for one in facts],
        "happened": pyarrow.array(
            [one.happened for one in facts], pyarrow.timestamp("us", tz="UTC")
        ),
        "person": [PERSON] * count,
        "body": [canonical(encode(one.body)).decode() for one in facts],
    }
    kept = min(int(run.results.run[0, N_TRACED]), run.results.trace.shape[0])
    metadata = {
        "anlage.world": "simulated",
        "anlage.facts_version": str(FACTS_VERSION),
        "anlage.network": run.network.name,
        "anlage.seed": str(run.settings.seed),
        "anlage.replication": "0",
        "anlage.left_out": str(int(run.results.run[0, N_TRACED]) - kept),
    }
    text = pyarrow.string()
    fields = [
        pyarrow.field(name, value.type if isinstance(value, pyarrow.Array) else text)
        for name, value in columns.items()
    ]
    return pyarrow.table(columns, schema=pyarrow.schema(fields, metadata=metadata))


@dataclass(slots=True)
class _Course:
    """What is known of one patient's way so far."""

    name: str
    clinic: str
    collections: int = 0
    lots: int = 0
    lot: str | None = None
    shipments: int = 0
    sent: str = ""
    stopped: Instant | None = None
    rounds: dict[str, int] = field(default_factory=dict)


class _Told:
    """Tells the lines of a trace as facts."""

    def __init__(self, run: Run) -> None:
        self.run, self.made = run, run.compiled
        self.network: Network = run.network
        self.start = datetime.datetime.combine(
            run.network.start_date, datetime.time(), datetime.UTC
        )
        self.at_clinics = _clinic_steps(run.network)
        self.outward = _outward(run.network)
        self.has_start = {
            process.name
            for process in run.network.processes
            if any(
                isinstance(step, Mark) and step.what == "start"
                for step in every_step(process.steps)
            )
        }
        self.process_of = {one.name: one.process for one in run.network.classes}
        self.has_bank = self.made.class_count < len(self.made.classes)
        self.courses: dict[tuple[int, int, int], _Course] = {}
        self.planned: dict[tuple[str, int, int, int], float] = {}

    def facts(self) -> Iterator[_Fact]:
        trace = self.run.results.trace
        kept = min(int(self.run.results.run[0, N_TRACED]), trace.shape[0])
        lines = trace[:kept]
        # The end of a step is written when the step begins: what lies after the run has not been.
        lines = lines[lines["time"] <= self.run.results.run[0, N_STOPPED_AT]]
        for line in lines[np.argsort(lines["time"], kind="stable")]:
            yield from self._line(line)

    def _line(self, line: np.void) -> Iterator[_Fact]:
        kind, place = int(line["kind"]), int(line["place"])
        at = self.start + datetime.timedelta(days=float(line["time"]))
        course = self._course(line)
        is_order = int(line["own"]) >= self.made.class_count
        if kind == TRACE_ARRIVED:
            yield from self._arrived(course, line, at)
        elif kind == TRACE_CLOCK_STARTED and not is_order:
            yield self._collected(course, at)
        elif kind == TRACE_CLOCK_STOPPED:
            course.stopped = at
        elif kind in (TRACE_STARTED, TRACE_FINISHED):
            step = _plain(self.made.stages[place])
            if is_order or (course.collections and step not in self.at_clinics):
                yield from self._step(course, line, step, at, kind == TRACE_STARTED, is_order)
        elif kind in (TRACE_SHIPPED, TRACE_RECEIVED) and not is_order:
            step = _plain(self.made.stages[place])
            yield self._shipment(course, line, step, at, kind == TRACE_SHIPPED)
        elif kind == TRACE_FAILED and course.lot is not None:
            yield self._failed(course, self.made.causes[place], at)
        elif kind == TRACE_ENDED and not is_order:
            yield self._ended(course, place, at)

    def _course(self, line: np.void) -> _Course:
        own, clinic, serial = int(line["own"]), int(line["clinic"]), int(line["serial"])
        key = (own, clinic, serial)
        if key not in self.courses:
            names = self.made.classes[own], self.made.clinics[clinic], str(serial)
            self.courses[key] = _Course(
                name=_fit("-".join(names)), clinic=self.made.clinics[clinic]
            )
        return self.courses[key]

    def _arrived(self, course: _Course, line: np.void, at: Instant) -> Iterator[_Fact]:
        own = self.made.classes[int(line["own"])]
        body = {
            "product": self.network.name,
            "physician": PERSON,
            "subject": course.name,
            "indication": own,
            "treatment_site": course.clinic,
            "scheme": "allogeneic"
            if self.made.class_count < len(self.made.classes)
            else "autologous",
        }
        yield self._fact(f"journey/{course.name}", "product-ordered", at, body, course.clinic)
        if self.process_of.get(own) not in self.has_start:
            yield self._collected(course, at)

    def _collected(self, course: _Course, at: Instant) -> _Fact:
        course.collections += 1
        course.lot = None
        body = {
            "donation": f"{course.name}-{course.collections}",
            "container": f"{course.name}-{course.collections}",
            "volume": {"value": "1", "unit": "1"},
            "nurse": PERSON,
            "second": PERSON,
            "signature": self._signed(course, "collected", at),
            "verified": self._signed(course, "verified", at),
        }
        return self._fact(f"journey/{course.name}", "collection-performed", at, body, course.clinic)

    def _step(
        self, course: _Course, line: np.void, step: str, at: Instant, is_start: bool, is_order: bool
    ) -> Iterator[_Fact]:
        site = self.made.sites[int(line["site"])]
        if is_start and course.lot is None:
            yield from self._lot(course, at, site, is_order)
        if course.lot is None:
            return
        stream = f"lot/{course.lot}"
        if is_start:
            course.rounds[step] = course.rounds.get(step, 0) + 1
        number = course.rounds.get(step, 1)
        body: dict[str, Any] = {"step": step if number == 1 else f"{step}:{number}"}
        body["operator"] = PERSON
        if is_start:
            body |= {"role": PERSON, "equipment": [], "out_of_order": False}
        yield self._fact(stream, "step-started" if is_start else "step-completed", at, body, site)

    def _lot(self, course: _Course, at: Instant, site: str, is_order: bool) -> Iterator[_Fact]:
        course.lots += 1
        course.rounds = {}
        course.lot = f"{course.name}-L{course.lots}"
        body: dict[str, Any] = {
            "product": self.network.name,
            "product_version": 1,
            "shape": "allogeneic" if is_order else "autologous",
            "identity": course.name,
            "starting": [] if is_order else [f"container/{course.name}-{course.collections}"],
        }
        if not is_order:
            body["coi"] = course.name
            assigned = {"lot": course.lot, "product": self.network.name}
            yield self._fact(f"journey/{course.name}", "lot-assigned", at, assigned, course.clinic)
        yield self._fact(f"lot/{course.lot}", "lot-created", at, body, site)

    def _shipment(
        self, course: _Course, line: np.void, step: str, at: Instant, is_sent: bool
    ) -> _Fact:
        site = self.made.sites[int(line["site"])]
        is_out = self.outward.get(step, True)
        sender, receiver = (course.clinic, site) if is_out else (site, course.clinic)
        container = f"{course.name}-{course.collections}" if is_out else f"{course.lot}-B1"
        if is_sent:
            course.shipments += 1
            course.sent = f"{course.name}-S{course.shipments}"
            due = at + datetime.timedelta(days=self._planned(line, step))
            body: dict[str, Any] = {
                "shipper": f"{course.sent}-box",
                "containers": [container],
                "seal": course.sent,
                "sender": sender,
                "receiver": receiver,
                "due": stamp(due),
                "evidence": "device",
                "under_quarantine": is_out,
            }
            return self._fact(f"shipment/{course.sent}", "shipment-prepared", at, body, sender)
        body = {
            "accepted": [container],
            "quarantined": [],
            "missing": [],
            "reasons": [],
            "disposition": "accepted",
            "receiver": receiver,
        }
        return self._fact(f"shipment/{course.sent}", "shipment-received", at, body, receiver)

    def _planned(self, line: np.void, step: str) -> float:
        """Give the mean days of the way that was taken: by then the shipment is due."""
        clinic, site, way = int(line["clinic"]), int(line["site"]), int(line["way"])
        key = (step, clinic, site, way)
        if key not in self.planned:
            lanes = {
                inner.name: inner.lane
                for process in self.network.processes
                for inner in every_step(process.steps)
                if isinstance(inner, Ship)
            }
            lane = next(one for one in self.network.lanes if one.name == lanes[step])
            if self.network.clinics and self.network.sites:
                places = self.network.clinics[clinic], self.network.sites[site]
                chain = chain_for(lane, *places)
                self.planned[key] = mean_days(chain[min(way, len(chain) - 1)], *places)
            else:
                time = lane.modes[0].time
                self.planned[key] = 0.0 if time is None else time.mean_days()
        return self.planned[key]

    def _failed(self, course: _Course, cause: str, at: Instant) -> _Fact:
        stream = f"lot/{course.lot}"
        course.lot = None
        body = {
            "reason": cause,
            "by": PERSON,
            "signature": self._signed(course, "terminated", at),
        }
        return self._fact(stream, "lot-terminated", at, body, course.clinic)

    def _ended(self, course: _Course, outcome: int, at: Instant) -> _Fact:
        stream = f"journey/{course.name}"
        if outcome != INFUSED:
            body: Body = {"reason": OUTCOMES[outcome], "by": PERSON}
            return self._fact(stream, "journey-cancelled", at, body, course.clinic)
        given = course.stopped or at
        body = {
            "container": f"{course.lot or course.name}-B1",
            "began": stamp(given),
            "ended": stamp(given),
            "volume": {"value": "1", "unit": "1"},
            "is_whole": True,
            "reactions": "",
            "by": PERSON,
            "signature": self._signed(course, "infused", given),
        }
        return self._fact(stream, "infusion-performed", given, body, course.clinic)

    def _signed(self, course: _Course, meaning: str, at: Instant) -> Signature:
        return sign(
            {"course": course.name},
            person=PERSON,
            name=PERSON,
            meaning=meaning,
            template="network/1",
            method="simulated-person",
            at=at,
        )

    @staticmethod
    def _fact(stream: str, kind: str, at: Instant, body: Body, site: str) -> _Fact:
        return _Fact(stream, kind, at, body, site)


def _plain(stage: str) -> str:
    """Give a stage's step without the name of its process."""
    return stage.rpartition(": ")[2]


def _fit(text: str) -> str:
    """Give a name as a stream may carry it."""
    return _UNFIT.sub("-", text)[:80]


def _clinic_steps(network: Network) -> set[str]:
    """Give the steps that are done by a clinic's own resources."""
    per = {pool.name: pool.per for pool in network.resources}
    found = set()
    for process in network.processes:
        for step in every_step(process.steps):
            request = request_of(step)
            wants = [] if request is None else [per.get(name) for name, _ in request.wants]
            if wants and all(one == "clinic" for one in wants):
                found.add(step.name)
    return found


def _outward(network: Network) -> dict[str, bool]:
    """Tell of each step that ships whether it goes to the site: cells start at the clinic."""
    found: dict[str, bool] = {}
    for process in network.processes:
        is_out = True
        for step in every_step(process.steps):
            if isinstance(step, Ship) and step.name not in found:
                found[step.name] = is_out
                is_out = not is_out
    return found
