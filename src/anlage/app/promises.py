"""Promise dates of a patient's journey: slot, courier, release, ward, infusion, each with how sure.

The plant's facts say how long earlier courses of the product took from each event on; the network
package says what date is then kept with a stated confidence. A promise is made at every event of a
journey and made anew at the next, so it needs no model of the way, and it follows the booked slot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from anlage.base import Instant
from anlage.plant import Journey, JourneyStage
from anlage.record import Recorded, Stream

if TYPE_CHECKING:
    from .installation import Installation

COURSES_MAX = 400
CONFIDENCES = (0.5, 0.8, 0.95)
"""Likely, and the two that a clinic is told."""
MILESTONES: Mapping[str, str] = {
    "ordered": "order",
    "booked": "slot",
    "collected": "collection",
    "accepted": "arrival at the plant",
    "begun": "lot begun",
    "released": "release",
    "on-site": "dose on the ward",
    "infused": "infusion",
}
PROMISED = ("collected", "accepted", "released", "on-site", "infused")
_ORDER = tuple(MILESTONES)
_EVENTS = {
    "product-ordered": "ordered",
    "slot-booked": "booked",
    "collection-performed": "collected",
    "collection-accepted": "accepted",
    "lot-assigned": "begun",
    "dose-released": "released",
    "dose-on-site": "on-site",
    "infusion-performed": "infused",
}
_BEFORE_LOT = frozenset({"booked", "collected", "accepted"})
_BACK = frozenset({"collection-failed", "collection-rejected"})
_ENDED = frozenset({JourneyStage.CANCELLED, JourneyStage.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When a journey reached each milestone.

    Attributes:
        id: The chain-of-identity identifier.
        at: Moment of each milestone reached, by its name; a failed collection takes back its own.
        slot: When the booked slot begins.
    """

    id: str = ""
    at: Mapping[str, Instant] = field(default_factory=dict)
    slot: Instant | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a course of which nothing is known."""
        return cls(id=stream.id)

    def after(self, recorded: Recorded) -> Self:
        """Give the course after one more fact."""
        if recorded.is_withheld:
            return self
        if recorded.kind in _BACK:
            kept = {name: at for name, at in self.at.items() if name in ("ordered", "booked")}
            return replace(self, at=kept)
        milestone = _EVENTS.get(recorded.kind)
        if milestone is None:
            return self
        slot = self.slot
        if milestone == "booked":
            slot = getattr(recorded.fact, "begins", slot)
        return replace(self, at={**self.at, milestone: recorded.happened}, slot=slot)

    def anchor(self, milestone: str, ahead: str) -> Instant:
        """Give the moment from which the way from a milestone to one ahead is counted.

        Once a slot of the plant is booked, collection and arrival are timed to it, and the lot
        waits for it: both are counted from the slot's begin, not from when it was booked.
        """
        at = self.at[milestone]
        if self.slot is None or milestone not in _BEFORE_LOT:
            return at
        if milestone == "booked":
            return self.slot
        return max(at, self.slot) if ahead not in _BEFORE_LOT else at

    @property
    def last(self) -> str | None:
        """The milestone that was reached last; None when none was."""
        reached = [name for name in _ORDER if name in self.at]
        return reached[-1] if reached else None

    def until(self, moment: Instant) -> Self:
        """Give the course as it was known at a moment."""
        return replace(self, at={name: at for name, at in self.at.items() if at <= moment})


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """The promise of one milestone.

    Attributes:
        milestone: Its name.
        dates: The date that is kept at least as often as each confidence says; None where too few
            courses are known for it, or this one has waited longer than all of them.
        courses: From how many earlier courses.
        since: The event from which it is counted.
        made: When it was made.
        reached: When the milestone was reached; None while it lies ahead.
    """

    milestone: str
    dates: Mapping[float, Instant | None]
    courses: int
    since: str
    made: Instant
    reached: Instant | None = None

    @property
    def words(self) -> str:
        """The milestone in words."""
        return MILESTONES[self.milestone]

    @property
    def since_words(self) -> str:
        """The event from which it is counted, in words."""
        return MILESTONES[self.since]

    @property
    def likely(self) -> Instant | None:
        """The date before which and after which it is as likely."""
        return self.dates[CONFIDENCES[0]]

    @property
    def told(self) -> Instant | None:
        """The date kept four times in five."""
        return self.dates[CONFIDENCES[1]]

    @property
    def sure(self) -> Instant | None:
        """The date kept nineteen times in twenty."""
        return self.dates[CONFIDENCES[2]]

    @property
    def is_kept(self) -> bool | None:
        """Whether the date told was kept; None while that is open, or none was told."""
        if self.told is None or self.reached is None:
            return None
        return self.reached <= self.told


def promises_of_journey(installation: "Installation", id: str) -> list[Promised]:
    """Give the promise of each milestone that lies ahead of a journey, as of now."""
    journey = installation.engine.state(Journey, Stream(f"journey/{id}"))
    course = _course(installation, id)
    if journey.stage in _ENDED or course.last is None:
        return []
    others = courses_of_product(installation, journey.product, but=id)
    return promised(course, others, now=installation.clock.now())


def release_promises(installation: "Installation", id: str) -> list[Promised]:
    """Give what was promised for the release at each event of a journey, the first one first."""
    journey = installation.engine.state(Journey, Stream(f"journey/{id}"))
    course = _course(installation, id)
    others = courses_of_product(installation, journey.product, but=id)
    reached = course.at.get("released")
    found = []
    for name in _ORDER[: _ORDER.index("released")]:
        if name in course.at:
            moment = course.at[name]
            known = [one.until(moment) for one in others]
            for one in promised(course.until(moment), known, now=moment):
                if one.milestone == "released":
                    found.append(replace(one, reached=reached))
    return found


def promised(course: Course, others: Iterable[Course], *, now: Instant) -> list[Promised]:
    """Give the promise of each milestone that lies ahead of a course.

    Counted from the last event, from the time that courses which reached both took between them.
    Those that were done sooner than this one has waited already teach nothing any more.

    Args:
        course: The one under way.
        others: Courses of the same product, as far as they are known.
        now: The moment of the promise.
    """
    import numpy as np

    from anlage.network.learning import promise

    last = course.last
    if last is None:
        return []
    known = list(others)
    ahead = [name for name in PROMISED if _ORDER.index(name) > _ORDER.index(last)]
    found = []
    for name in ahead:
        anchor = course.anchor(last, name)
        took = np.array(
            [
                (one.at[name] - one.anchor(last, name)) / timedelta(days=1)
                for one in known
                if name in one.at and last in one.at and one.at[name] >= one.at[last]
            ]
        )
        still = took[took > (now - anchor) / timedelta(days=1)]
        dates: dict[float, Instant | None] = {}
        for confidence in CONFIDENCES:
            days = promise(still, confidence)
            dates[confidence] = None if days is None else anchor + timedelta(days=float(days))
        found.append(
            Promised(milestone=name, dates=dates, courses=int(still.size), since=last, made=now)
        )
    return found


def courses_of_product(installation: "Installation", product: str, *, but: str) -> list[Course]:
    """Give the newest courses of a product, without one of them."""
    rows = installation.rows("journeys").find(limit=COURSES_MAX * 4, newest_first=True)
    ids = [id for id, row in rows if row.get("product") == product and id != but]
    return [_course(installation, id) for id in ids[:COURSES_MAX]]


def _course(installation: "Installation", id: str) -> Course:
    return installation.engine.state(Course, Stream(f"journey/{id}"))
