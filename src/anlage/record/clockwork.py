"""The machine's clock, which tells when things are recorded, and what becomes of its steps.

A step back under five minutes is recorded and flagged, and refuses nothing: refusing facts in the
middle of a wash harms a patient. Beyond that only signing stops, until the clock has caught up or
an administrator has confirmed it, since the time of a signature is part of what it says
(21 CFR 11.50(a)(2)).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from anlage.base import Instant

from .fact import Recorded, fact

STEP_MIN = timedelta(seconds=1)  # less is the slewing of a clock that is being kept right
SIGNING_LIMIT = timedelta(minutes=5)


@fact("clock-stepped-back")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSteppedBack:
    """The machine's clock showed less than at the commit before.

    Attributes:
        before: What it had shown.
        after: What it shows.
    """

    before: Instant
    after: Instant


@fact("clock-confirmed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConfirmed:
    """An administrator compared the clock with another and found it right; the time shown before
    the step was wrong.

    Attributes:
        seconds: By how much it stood behind the latest time that it had shown.
    """

    seconds: int


class Clockwork:
    """What a journal knows of its machine's clock: the last reading, and the latest one that
    nobody has called wrong.
    """

    def __init__(self, last: Instant | None, facts: Iterable[Recorded]) -> None:
        """Take it up from the time of the last fact and the facts of the journal's own stream."""
        self._last = last
        self._latest = last
        for one in facts:
            self.note(one)

    def copy(self) -> Self:
        """Give one that stands where this one does."""
        made = type(self)(self._last, ())
        made._latest = self._latest
        return made

    def note(self, recorded: Recorded) -> None:
        """Take a fact of the journal's own stream."""
        match recorded.fact:
            case ClockSteppedBack(before=before) if self._latest is not None:
                self._latest = max(self._latest, before)
            case ClockConfirmed():
                self._latest = self._last = recorded.recorded

    def step(self, now: Instant) -> ClockSteppedBack | None:
        """Take a reading at a commit; gives the step back that it shows, if it shows one."""
        before, self._last = self._last, now
        if before is None:
            self._latest = now
            return None
        self._latest = max(self._latest or now, now)
        return ClockSteppedBack(before=before, after=now) if before - now >= STEP_MIN else None

    def behind(self, now: Instant) -> timedelta:
        """Give how far the clock stands behind the latest time that it has shown; zero when it
        does not.
        """
        if self._latest is None:
            return timedelta()
        return max(timedelta(), self._latest - now)
