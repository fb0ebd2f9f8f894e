"""What a smart container told on its way beside the temperature: tilt, shock, light, position.

Limits are those of the container's own qualification; a breach is an event for a person to judge.
Light inside a sealed container means that it was opened.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from anlage.base import Instant

from .excursion import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample of a container's telemetry; a value that was not sent is None.

    Attributes:
        at: When.
        celsius: Temperature at the product.
        tilt: Degrees from upright.
        shock: Highest acceleration since the last sample, g.
        light: Inside, lux.
        latitude: Degrees north.
        longitude: Degrees east.
    """

    at: Instant
    celsius: float | None = None
    tilt: float | None = None
    shock: float | None = None
    light: float | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How a container may be handled.

    Attributes:
        tilt_max: Degrees from upright; a dry vapour shipper on its side loses its nitrogen.
        tilted_max: For how long in one go.
        shock_max: Acceleration, g.
        light_max: Light inside, lux.
    """

    tilt_max: float = 45.0
    tilted_max: timedelta = timedelta(minutes=10)
    shock_max: float = 15.0
    light_max: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One time at which a container was handled otherwise than it may be."""

    what: str
    start: Instant
    end: Instant
    worst: float
    limit: str

    def __str__(self) -> str:
        minutes = (self.end - self.start).total_seconds() / 60
        lasting = f" for {minutes:.0f} min" if minutes else ""
        return f"{self.what} {self.worst:g}{lasting} at {self.start.isoformat()}: {self.limit}"


def breaches(samples: Sequence[Sample], handling: Handling | None = None) -> list[Breach]:
    """Give every breach of how a container may be handled, in order of time."""
    may = handling or Handling()
    found = list(_runs(samples, "tilt", may.tilt_max, f"at most {may.tilt_max:g} degrees"))
    found = [one for one in found if one.end - one.start > may.tilted_max]
    found += _runs(samples, "shock", may.shock_max, f"at most {may.shock_max:g} g")
    found += _runs(samples, "light", may.light_max, f"at most {may.light_max:g} lux: it was opened")
    return sorted(found, key=lambda one: one.start)


def temperatures_of(samples: Sequence[Sample]) -> list[Reading]:
    """Give the readings of temperature; a sample without one is a lost reading if others have."""
    if not any(one.celsius is not None for one in samples):
        return []
    return [Reading(one.at, one.celsius) for one in samples]


def _runs(samples: Sequence[Sample], what: str, limit: float, said: str) -> Iterator[Breach]:
    start: Sample | None = None
    last: Sample | None = None
    worst = 0.0
    for one in samples:
        value = getattr(one, what)
        if value is None:
            continue
        if value > limit:
            start, worst = start or one, max(worst, value) if start else value
            last = one
        elif start is not None and last is not None:
            yield Breach(what=what, start=start.at, end=one.at, worst=worst, limit=said)
            start, worst = None, 0.0
    if start is not None and last is not None:
        yield Breach(what=what, start=start.at, end=last.at, worst=worst, limit=said)
