"""When what happened to each course, out of facts of any world: real, training or simulated.

Kinds of facts are read by their names, so that a journal, an export and a simulation's trace give
the same measures by the same code. What is not among the facts is left out, never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import fmean, median
from typing import Any

from anlage.base import Instant, stamp
from anlage.record import Recorded

from .metric import Measure, measures, noted

ORDERED, COLLECTED, ASSIGNED = "product-ordered", "collection-performed", "lot-assigned"
INFUSED, CANCELLED = "infusion-performed", "journey-cancelled"
CREATED, STARTED, COMPLETED = "lot-created", "step-started", "step-completed"
RELEASED, TERMINATED, REJECTED = "lot-released", "lot-terminated", "lot-rejected"
PREPARED, RECEIVED = "shipment-prepared", "shipment-received"
KINDS = (
    ORDERED,
    COLLECTED,
    ASSIGNED,
    INFUSED,
    CANCELLED,
    CREATED,
    STARTED,
    COMPLETED,
    RELEASED,
    TERMINATED,
    REJECTED,
    PREPARED,
    RECEIVED,
)
"""The kinds of facts that are read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What a timeline needs of a fact.

    Attributes:
        stream: Its stream, `family/id`.
        kind: What happened.
        happened: When.
        body: The fact's fields as JSON values.
        site: Where.
    """

    stream: str
    kind: str
    happened: Instant
    body: Mapping[str, Any]
    site: str = ""


def happening_of(recorded: Recorded) -> Happening:
    """Give what a timeline needs of a recorded fact."""
    return Happening(
        stream=str(recorded.stream),
        kind=recorded.kind,
        happened=recorded.happened,
        body=recorded.body,
        site=recorded.site,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One step of one lot.

    Attributes:
        lot: The lot.
        step: The step, its round left out.
        ready: When the lot was ready for it: the end of the step before, or the lot's beginning.
        started: When it was opened.
        completed: When it was done; None while it runs.
    """

    lot: str
    step: str
    ready: Instant
    started: Instant
    completed: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """When what happened.

    Attributes:
        ordered, collected, infused, cancelled: By journey; the last collection counts.
        clinics: Treating site by journey, as the order named it.
        lots: Journey by lot.
        stays: Steps of lots, in the order in which they were opened.
        ended: When lots were released, terminated or rejected, with the kind of that fact.
        rows: What the measures are computed from, by patient, lot and shipment.
    """

    ordered: Mapping[str, Instant]
    collected: Mapping[str, Instant]
    infused: Mapping[str, Instant]
    cancelled: Mapping[str, Instant]
    clinics: Mapping[str, str]
    lots: Mapping[str, str]
    stays: tuple[Stay, ...]
    ended: Mapping[str, tuple[str, Instant]]
    rows: tuple[Mapping[str, Any], ...]

    def measures(self) -> dict[str, Measure]:
        """Give every measure by its name: the same as those of a plant's journal."""
        return {one.name: one for one in measures(self.rows)}

    def stages(self) -> dict[str, "Stage"]:
        """Give waits and times of each step over all lots."""
        waits: dict[str, list[float]] = {}
        times: dict[str, list[float]] = {}
        for stay in self.stays:
            waits.setdefault(stay.step, []).append(_days(stay.ready, stay.started))
            if stay.completed is not None:
                times.setdefault(stay.step, []).append(_days(stay.started, stay.completed))
        return {
            step: Stage(
                step=step,
                count=len(found),
                mean_wait_days=fmean(found),
                median_wait_days=median(found),
                mean_time_days=fmean(times[step]) if step in times else None,
            )
            for step, found in waits.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Waits and times of one step, in days; times are None when none was completed."""

    step: str
    count: int
    mean_wait_days: float
    median_wait_days: float
    mean_time_days: float | None


def timeline_of(happenings: Iterable[Happening]) -> Timeline:
    """Fold facts, in the order of time, into when what happened."""
    folded = _Fold()
    for one in happenings:
        folded.take(one)
    return folded.made()


@dataclass(slots=True)
class _Fold:
    ordered: dict[str, Instant] = field(default_factory=dict)
    collected: dict[str, Instant] = field(default_factory=dict)
    infused: dict[str, Instant] = field(default_factory=dict)
    cancelled: dict[str, Instant] = field(default_factory=dict)
    clinics: dict[str, str] = field(default_factory=dict)
    lots: dict[str, str] = field(default_factory=dict)
    ready: dict[str, Instant] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    running: dict[tuple[str, str], int] = field(default_factory=dict)
    ended: dict[str, tuple[str, Instant]] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, one: Happening) -> None:
        family, _, subject = one.stream.partition("/")
        if family == "journey":
            self._journey(one, subject)
        elif family == "lot":
            self._lot(one, subject)
        elif family != "shipment":
            return
        here = [stamp(one.happened), one.stream, 0]
        row = noted(self.rows.get(one.stream), family, subject, one.kind, one.body, here)
        if row is not None:
            self.rows[one.stream] = row

    def _journey(self, one: Happening, journey: str) -> None:
        match one.kind:
            case "product-ordered":
                self.ordered.setdefault(journey, one.happened)
                self.clinics[journey] = str(one.body.get("treatment_site", ""))
            case "collection-performed":
                self.collected[journey] = one.happened
            case "lot-assigned":
                self.lots[str(one.body.get("lot", ""))] = journey
            case "infusion-performed":
                self.infused.setdefault(journey, one.happened)
            case "journey-cancelled":
                self.cancelled.setdefault(journey, one.happened)

    def _lot(self, one: Happening, lot: str) -> None:
        step = str(one.body.get("step", "")).partition(":")
        match one.kind:
            case "lot-created":
                self.ready[lot] = one.happened
            case "step-started":
                self.running[lot, "".join(step)] = len(self.stays)
                ready = min(self.ready.get(lot, one.happened), one.happened)
                self.stays.append(Stay(lot=lot, step=step[0], ready=ready, started=one.happened))
            case "step-completed":
                self.ready[lot] = one.happened
                at = self.running.pop((lot, "".join(step)), None)
                if at is not None:
                    was = self.stays[at]
                    self.stays[at] = Stay(
                        lot=lot,
                        step=was.step,
                        ready=was.ready,
                        started=was.started,
                        completed=one.happened,
                    )
            case "lot-released" | "lot-terminated" | "lot-rejected":
                self.ended[lot] = (one.kind, one.happened)

    def made(self) -> Timeline:
        return Timeline(
            ordered=self.ordered,
            collected=self.collected,
            infused=self.infused,
            cancelled=self.cancelled,
            clinics=self.clinics,
            lots=self.lots,
            stays=tuple(self.stays),
            ended=self.ended,
            rows=tuple(self.rows.values()),
        )


def _days(start: Instant, end: Instant) -> float:
    return (end - start) / timedelta(days=1)
