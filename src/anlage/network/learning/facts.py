"""What facts teach: times of steps, demand of clinics, and when open courses will end.

Facts come from a plant's export or a simulation's trace; both are read by `anlage.custody`.

A promise is made at an event (ordered, collected, a step done, a shipment received) from how long
courses took from that same event on, and made anew at each next event. So no model of the way is
assumed, and a promise is kept as often as it says when courses go on as they went
(split conformal; between events it is conditioned on the time that has passed).
"""

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from anlage.base import Instant, stamp
from anlage.custody import Happening, timeline_of

from .learn import CONFIDENCES, Counts, Json, Table, promise, weekly

Course: TypeAlias = tuple[tuple[str, Instant], ...]
"""Events of one course with their times, in order."""

TO_INFUSION = "vein to vein"
_ENDS = {"infusion-performed": "infused", "journey-cancelled": "cancelled"}
_TESTED = 0.25


def table_of(happenings: Sequence[Happening]) -> Table:
    """Give the times of steps, of orders and of whole courses, and the weekly orders by clinic."""
    timeline = timeline_of(happenings)
    times: dict[str, list[float]] = {}
    for stay in timeline.stays:
        if stay.completed is not None:
            times.setdefault(stay.step, []).append(_days(stay.started, stay.completed))
    for name, begins, ends in (
        ("order to collection", timeline.ordered, timeline.collected),
        (TO_INFUSION, timeline.collected, timeline.infused),
    ):
        found = [_days(begins[one], at) for one, at in ends.items() if one in begins]
        if found:
            times[name] = found
    orders: dict[str, list[tuple[int, float]]] = {}
    for journey, at in timeline.ordered.items():
        clinic = timeline.clinics.get(journey) or "all"
        orders.setdefault(clinic, []).append((at.date().toordinal() // 7, 1.0))
    return Table(
        demand=weekly(orders, None), times={name: np.array(days) for name, days in times.items()}
    )


def courses_of(happenings: Iterable[Happening]) -> dict[str, Course]:
    """Give the events of each journey, those of its lots and shipments among them."""
    lots: dict[str, str] = {}
    found: dict[str, list[tuple[str, Instant]]] = {}
    for one in happenings:
        family, _, subject = one.stream.partition("/")
        journey: str | None = None
        event = _ENDS.get(one.kind, one.kind.replace("-", " "))
        if family == "journey":
            journey = subject
            if one.kind == "lot-assigned":
                lots[str(one.body.get("lot", ""))] = subject
        elif family == "lot":
            journey = lots.get(subject)
            if one.kind == "step-completed":
                event = f"{str(one.body.get('step', '')).partition(':')[0]} done"
            elif one.kind not in {"lot-released", "lot-terminated", "lot-rejected"}:
                journey = None
        if journey is not None:
            found.setdefault(journey, []).append((event, one.happened))
    return {journey: tuple(events) for journey, events in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """Days from each event to infusion, as courses took that have ended.

    Attributes:
        left: Days left after each event, by its name.
    """

    left: Mapping[str, Counts]

    @classmethod
    def of(cls, courses: Iterable[Course]) -> "Promises":
        """Learn from courses that were infused."""
        left: dict[str, list[float]] = {}
        for course in courses:
            end = next((at for event, at in course if event == "infused"), None)
            if end is None:
                continue
            for event, at in dict(course).items():
                if event != "infused" and at <= end:
                    left.setdefault(event, []).append(_days(at, end))
        return cls(left={event: np.array(days) for event, days in left.items()})

    def promised(self, course: Course, confidence: float, now: Instant) -> Instant | None:
        """Give the date kept with at least this confidence; None when too little is known.

        The last event of the course that is known counts. Of the courses before, those that were
        done sooner after it than this one has waited already say nothing any more.
        """
        for event, at in reversed(course):
            days = self.left.get(event)
            if days is None:
                continue
            waited = _days(at, now)
            still = days[days > waited] if waited > 0 else days
            left = promise(still, confidence)
            return None if left is None else at + datetime.timedelta(days=left)
        return None


def promises_of(happenings: Sequence[Happening], *, now: Instant | None = None) -> Json:
    """Give promise dates of the courses under way, and how well such promises were kept.

    Args:
        happenings: Facts in the order of time.
        now: The moment of the promise; the last fact's when None.
    """
    courses = courses_of(happenings)
    moment = now or max((one.happened for one in happenings), default=None)
    learnt = Promises.of(courses.values())
    ended = {"infused", "cancelled"}
    under_way = {
        journey: course
        for journey, course in courses.items()
        if not ended & {event for event, _ in course}
    }
    return {
        "now": None if moment is None else stamp(moment),
        "events": {
            event: {
                "n": int(days.size),
                "promise_days": {str(level): promise(days, level) for level in CONFIDENCES},
            }
            for event, days in learnt.left.items()
        },
        "under_way": {
            journey: {
                "last_event": course[-1][0],
                "since": stamp(course[-1][1]),
                "promised": {
                    str(level): None if date is None else stamp(date)
                    for level in CONFIDENCES
                    if moment is not None
                    for date in [learnt.promised(course, level, moment)]
                },
            }
            for journey, course in under_way.items()
        },
        "kept": _kept(courses),
    }


def _kept(courses: Mapping[str, Course]) -> Json | None:
    """Give how often promises were kept in the last quarter, learnt from the courses before it.

    Only what had ended when a course began may teach its promises.
    """
    done = [course for course in courses.values() if course[-1][0] == "infused"]
    done.sort(key=lambda course: course[0][1])
    cut = math.floor(len(done) * (1 - _TESTED))
    if cut < 10 or cut == len(done):
        return None
    begins = done[cut][0][1]
    learnt = Promises.of([course for course in done[:cut] if course[-1][1] <= begins])
    kept: dict[float, list[bool]] = {level: [] for level in CONFIDENCES}
    for course in done[cut:]:
        for number in range(1, len(course)):
            at = course[number - 1][1]
            for level, found in kept.items():
                date = learnt.promised(course[:number], level, at)
                if date is not None:
                    found.append(course[-1][1] <= date)
    return {
        "courses": len(done) - cut,
        "promises": len(kept[CONFIDENCES[0]]),
        "kept": {str(level): float(np.mean(found)) for level, found in kept.items() if found},
    }


def _days(start: Instant, end: Instant) -> float:
    return (end - start) / datetime.timedelta(days=1)
