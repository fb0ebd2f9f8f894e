"""Every touch point of a lot on the calendar, from its recipe's durations.

Steps that need people are moved to working hours where their windows and maximum times allow;
where they do not, the touch point keeps its time and is marked as duty outside working hours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from anlage.base import Instant, Refused

from .recipe import UNATTENDED, Choice, Group, Loop, Parallel, Part, Phase, Recipe

DAYS_MAX = 800
_STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When people are there.

    Attributes:
        begins: Start of work, local time.
        ends: End of work, local time.
        days: Working days of the week, 0 for Monday.
        holidays: Days without work.
        zone: The time zone of the site.
    """

    begins: time = time(7)
    ends: time = time(19)
    days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()
    zone: tzinfo = field(default=UTC)

    def is_working_day(self, day: date) -> bool:
        """Tell whether people work on a day."""
        return day.weekday() in self.days and day not in self.holidays

    def fits(self, start: Instant, duration: timedelta) -> bool:
        """Tell whether a piece of work lies within one day's working hours."""
        begins, ends = start.astimezone(self.zone), (start + duration).astimezone(self.zone)
        if (
            not self.is_working_day(begins.date())
            or begins.timetz().replace(tzinfo=None) < self.begins
        ):
            return False
        if duration > self._length:
            return begins.timetz().replace(tzinfo=None) < self.ends
        return ends.date() == begins.date() and ends.timetz().replace(tzinfo=None) <= self.ends

    def next_fit(self, start: Instant, duration: timedelta, latest: Instant) -> Instant | None:
        """Give the first start from `start` to `latest` that lies within working hours."""
        if self.fits(start, duration):
            return start
        day = start.astimezone(self.zone).date()
        for ahead in range(DAYS_MAX):
            opens = datetime.combine(day + timedelta(days=ahead), self.begins, self.zone)
            at = opens.astimezone(UTC)
            if at > latest:
                return None
            if at >= start and self.fits(at, duration):
                return at
        return None

    @property
    def _length(self) -> timedelta:
        day = date(2000, 1, 3)
        return datetime.combine(day, self.ends) - datetime.combine(day, self.begins)


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchPoint:
    """One phase on the calendar.

    Attributes:
        phase: The phase.
        round: Which time it is done, from 1.
        starts: When it starts.
        ends: When it ends.
        is_attended: Whether people are needed.
        is_duty: Whether people are needed outside working hours.
        moved: How much later than its earliest it was put, to fall in working hours.
        note: Why it could not be put better.
    """

    phase: Phase
    round: int
    starts: Instant
    ends: Instant
    is_attended: bool
    is_duty: bool = False
    moved: timedelta = timedelta()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LotPlan:
    """A lot on the calendar.

    Attributes:
        recipe: Its recipe.
        begins: Start of the first phase.
        ends: End of the last phase.
        results: When the last test result is due; None without tests.
        touch_points: Every phase, in order of time.
        conflicts: What cannot be kept, in words.
    """

    recipe: str
    begins: Instant
    ends: Instant
    results: Instant | None
    touch_points: tuple[TouchPoint, ...]
    conflicts: tuple[str, ...]

    @property
    def duties(self) -> tuple[TouchPoint, ...]:
        """The touch points outside working hours."""
        return tuple(one for one in self.touch_points if one.is_duty)


def plan_lot(recipe: Recipe, begins: Instant, hours: WorkingHours) -> LotPlan:
    """Put every phase of a lot on the calendar.

    Args:
        recipe: What is to be done; loops count their expected rounds, choices their expected
        branch. begins: When the collection arrives.
        hours: When people are there.
    """
    planner = _Planner(hours)
    ends = planner.run(recipe.procedure, begins)
    points = sorted(planner.points, key=lambda one: (one.starts, one.ends))
    due = [
        one.ends + sample.turnaround
        for one in points
        for sample in one.phase.samples
        if sample.turnaround
    ]
    return LotPlan(
        recipe=recipe.id,
        begins=begins,
        ends=ends,
        results=max(due, default=None),
        touch_points=tuple(points),
        conflicts=tuple(planner.conflicts),
    )


def better_begins(
    recipe: Recipe, begins: Instant, hours: WorkingHours, days: int = 7
) -> tuple[tuple[date, int, int], ...]:
    """Give, for each of the coming days, how many duties and conflicts a lot begun then has."""
    found = []
    for ahead in range(days):
        local = begins.astimezone(hours.zone) + timedelta(days=ahead)
        plan = plan_lot(recipe, local.astimezone(UTC), hours)
        found.append((local.date(), len(plan.duties), len(plan.conflicts)))
    return tuple(found)


def begin_of(text: str, hours: WorkingHours) -> Instant:
    """Read the day, or day and time, of a collection; a bare day begins with work.

    Raises:
        Refused: The text is no day.
    """
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), hours.begins, hours.zone).astimezone(
                UTC
            )
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            "date-unreadable",
            what="day of the collection",
            found=repr(text[:40]),
            limit="a day such as 2026-03-02, or a day and time such as 2026-03-02T09:30",
            remedy="write the day so",
            rule="ISO 8601-1",
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=hours.zone)).astimezone(UTC)


class _Planner:
    def __init__(self, hours: WorkingHours) -> None:
        self.hours = hours
        self.points: list[TouchPoint] = []
        self.conflicts: list[str] = []
        self._latest: dict[str, TouchPoint] = {}

    def run(self, parts: Sequence[Part], at: Instant) -> Instant:
        for index, part in enumerate(parts):
            match part:
                case Phase():
                    at = self.phase(part, at, _next_phase(parts[index + 1 :]))
                case Group():
                    at = self.run(part.parts, at)
                case Loop():
                    for _ in range(part.expected):
                        at = self.run(part.parts, at)
                case Parallel():
                    at = max([self.run(branch, at) for branch in part.branches], default=at)
                case Choice():
                    way = next((one for one in part.branches if one.is_expected), None)
                    way = way or next((one for one in part.branches if one.when is None), None)
                    at = self.run((way or part.branches[0]).parts, at)
        return at

    def phase(self, phase: Phase, at: Instant, following: Phase | None) -> Instant:
        earliest, latest, binding = self.window(phase, at)
        is_attended = phase.kind not in UNATTENDED
        starts, note = earliest, ""
        if is_attended and not phase.is_any_day:
            far = self.hours.next_fit(earliest, phase.duration, latest)
            starts = far if far is not None else earliest
            note = f"no working hours before the window of {binding} ends" if far is None else ""
        duration = phase.duration
        if not is_attended and following is not None:
            duration = self.stretch(phase, starts, following)
        if starts > latest:
            self.conflicts.append(
                f"{phase.name} starts {_span(starts - latest)} after the window of {binding} ends"
            )
        point = TouchPoint(
            phase=phase,
            round=sum(one.phase.id == phase.id for one in self.points) + 1,
            starts=starts,
            ends=starts + duration,
            is_attended=is_attended,
            is_duty=is_attended and not self.hours.fits(starts, phase.duration),
            moved=starts - earliest,
            note=note,
        )
        self.points.append(point)
        self._latest[phase.id] = point
        return point.ends

    def stretch(self, phase: Phase, starts: Instant, following: Phase) -> timedelta:
        """Lengthen or shorten a wait within its limits, so that the next step falls in work."""
        least = phase.minimum if phase.minimum is not None else phase.duration
        most = phase.maximum if phase.maximum is not None else phase.duration
        fits = self.hours.next_fit(starts + phase.duration, following.duration, starts + most)
        if fits is not None:
            return fits - starts
        span = phase.duration
        while span - _STEP >= least:
            span -= _STEP
            if self.hours.fits(starts + span, following.duration):
                return span
        return phase.duration

    def window(self, phase: Phase, at: Instant) -> tuple[Instant, Instant, str]:
        earliest, latest, binding = at, at + timedelta(days=DAYS_MAX), "the recipe"
        for window in phase.windows:
            since = self._latest.get(window.after)
            if since is None:
                continue
            base = since.starts if window.since == "started" else since.ends
            if window.earliest is not None:
                earliest = max(earliest, base + window.earliest)
            if window.latest is not None and base + window.latest < latest:
                latest, binding = base + window.latest, f"{phase.id} after {window.after}"
        return earliest, latest, binding


def _next_phase(parts: Iterable[Part]) -> Phase | None:
    for part in parts:
        match part:
            case Phase():
                return part
            case Group() | Loop():
                found = _next_phase(part.parts)
            case Parallel():
                found = _next_phase(part.branches[0]) if part.branches else None
            case Choice():
                found = next(
                    (_next_phase(way.parts) for way in part.branches if way.when is None), None
                )
        if found is not None:
            return found
    return None


def with_holidays(hours: WorkingHours, days: Iterable[date]) -> WorkingHours:
    """Give the same working hours with more days off."""
    return replace(hours, holidays=hours.holidays | frozenset(days))


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
