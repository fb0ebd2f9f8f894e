"""Time as an argument: aware UTC instants with millisecond steps, and the clocks that give them."""

from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

from .errors import Refused

Instant: TypeAlias = datetime


class Clock(Protocol):
    """Anything that tells the present instant."""

    def now(self) -> Instant:
        """Give the present instant, aware and in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Instant:
        """Give the machine's time, cut to milliseconds."""
        return _to_milliseconds(datetime.now(UTC))


class FixedClock:
    """A clock that stands still until it is moved; for tests and simulated worlds."""

    def __init__(self, at: Instant) -> None:
        """Start at an aware instant."""
        self._at = _to_milliseconds(at.astimezone(UTC))

    def now(self) -> Instant:
        """Give the instant at which the clock stands."""
        return self._at

    def advance(self, by: timedelta) -> Instant:
        """Move the clock on (or back, for a test of clock steps) and give the new instant."""
        self._at = _to_milliseconds(self._at + by)
        return self._at


def stamp(at: Instant) -> str:
    """Write an instant as ISO 8601 UTC with exactly three decimals.

    Example:
        >>> stamp(datetime(2026, 3, 1, 12, tzinfo=UTC))
        '2026-03-01T12:00:00.000Z'
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def instant(text: str) -> Instant:
    """Read an ISO 8601 instant with a time zone.

    Raises:
        Refused: The text is no date and time, or its time zone is missing.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refused(
            "instant-unreadable",
            what="date and time",
            found=repr(text[:40]),
            limit="ISO 8601 with a time zone, such as 2026-03-01T12:00:00Z",
            remedy="write the time with its zone",
            rule="ISO 8601-1",
        )
    return _to_milliseconds(at.astimezone(UTC))


def _to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
