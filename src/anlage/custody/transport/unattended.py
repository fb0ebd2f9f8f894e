"""Delivery without a person: what a locker, robot or drone must show before it leaves a shipment.

The standard is a dated definition: the points where a shipment may be left, how near, for how long,
and in what condition. The device reads shipper and seal itself; its hand-over is graded `device`.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Self

from anlage.base import Instant, Problem, Refused
from anlage.library import Content, Fields, Heading, Reference, read_with
from anlage.record import Entry

from ..container_fact import Evidence
from .excursion import ExcursionRule
from .shipment import Shipment, hand_over
from .shipment_fact import Means, ShipmentCollected, ShipmentHandedOver, ShipmentLeft

EARTH_M = 6_371_008.8
"""Mean radius of the earth, metres (IUGG)."""
METRES_MAX, MINUTES_MAX = 1000, 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place where a shipment may be left.

    Attributes:
        id: Its name in the standard.
        title: What people call it.
        latitude: Degrees north.
        longitude: Degrees east.
        within: How near the device must be, metres.
    """

    id: str
    title: str
    latitude: float
    longitude: float
    within: int

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one point."""
        return cls(
            id=fields.id("id"),
            title=fields.text("title"),
            latitude=_degrees(fields, "latitude", 90),
            longitude=_degrees(fields, "longitude", 180),
            within=fields.whole("within-metres", least=1, most=METRES_MAX),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnattendedStandard:
    """What a delivery without a person must keep to.

    Attributes:
        heading: Identifier, title and basis.
        valid_from: The day from which it holds.
        points: Where a shipment may be left.
        wait_max: For how long it may wait to be collected.
        gap_max: How old the last sample of its telemetry may be.
        light_max: Light inside, lux.
        tilt_max: Degrees from upright.
    """

    heading: Heading
    valid_from: date
    points: tuple[Point, ...]
    wait_max: timedelta
    gap_max: timedelta
    light_max: int
    tilt_max: int

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a standard from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a standard."""
        heading = fields.heading("unattended-standard")
        day = fields.day("valid-from")
        if day is None:
            fields.wrong("valid-from", "nothing", "a day, such as 2026-03-01", "add it")
        return cls(
            heading=heading,
            valid_from=day or date.min,
            points=fields.each("points", Point.from_fields, least=1, unique="id"),
            wait_max=timedelta(minutes=fields.whole("wait-minutes", least=1, most=MINUTES_MAX)),
            gap_max=timedelta(minutes=fields.whole("gap-minutes", least=1, most=MINUTES_MAX)),
            light_max=fields.whole("light-lux", most=10_000),
            tilt_max=fields.whole("tilt-degrees", least=1, most=180),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """It names no other definition."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a device reads at the moment of the hand-over; None where it reads nothing.

    Attributes:
        seal: The seal.
        latitude: Where the device is, degrees north.
        longitude: Degrees east.
        sampled: When the container's telemetry was last heard.
        celsius: Temperature at the product.
        light: Inside, lux.
        tilt: Degrees from upright.
    """

    seal: str
    latitude: float
    longitude: float
    sampled: Instant
    celsius: float
    light: float | None = None
    tilt: float | None = None


def leave_unattended(
    shipment: Shipment,
    seen: Seen,
    *,
    point: str,
    device: str,
    holder: str,
    standard: UnattendedStandard,
    rule: ExcursionRule,
    at: Instant,
) -> list[Entry]:
    """Give the facts of a shipment that a device leaves at a point.

    Raises:
        Refused: With everything that the standard asks for and that is not so.
    """
    name = f"unattended delivery of shipment {shipment.id}"
    place = next((one for one in standard.points if one.id == point.strip()), None)
    cite = f"{standard.heading.id}, from {standard.valid_from}"
    problems: list[Problem] = []

    def say(code: str, found: str, limit: str, remedy: str) -> None:
        problems.append(
            Problem(code=code, what=name, found=found, limit=limit, remedy=remedy, rule=cite)
        )

    if at.date() < standard.valid_from:
        say("unattended-not-in-force", f"{at:%Y-%m-%d}", f"{standard.valid_from}", "hand it over")
    if holder != device:
        say("not-the-holder", f"held by {holder or 'nobody'}", f"held by {device}", "hand it back")
    if place is None:
        known = ", ".join(one.id for one in standard.points)
        say("unattended-point-unknown", repr(point[:40]), known, "go to a point of the standard")
    metres = distance(seen, place) if place else 0.0
    if place is not None and metres > place.within:
        say("unattended-too-far", f"{metres:.0f} m", f"{place.within} m of {place.id}", "go nearer")
    age = at - seen.sampled
    if not timedelta(0) <= age <= standard.gap_max:
        found = f"last heard {age.total_seconds() / 60:.0f} min ago"
        limit = f"within {standard.gap_max.total_seconds() / 60:.0f} min"
        say("unattended-stale", found, limit, "wait for the container's telemetry")
    band = rule.bands[0]
    if band.is_outside(seen.celsius):
        say("unattended-condition", f"{seen.celsius:g} degC", band.range, "bring it to a person")
    for what, value, most in (
        ("light inside, lux", seen.light, standard.light_max),
        ("degrees from upright", seen.tilt, standard.tilt_max),
    ):
        if value is None:
            say("unattended-not-read", what, "a reading", "use a container that reads it")
        elif value > most:
            found = f"{value:g} {what}"
            say("unattended-condition", found, f"at most {most}", "bring it to a person")
    if problems:
        raise Refused.of(problems)
    assert place is not None
    handed = ShipmentHandedOver(
        giver=device,
        receiver=keeper_of_point(place.id),
        name=device,
        means=Means.DEVICE,
        place=place.title,
        evidence=Evidence.DEVICE,
    )
    left = ShipmentLeft(
        point=place.id,
        device=device,
        metres=round(metres),
        celsius=Decimal(f"{seen.celsius:.2f}"),
        collect_by=at + standard.wait_max,
        standard=cite,
    )
    return [*hand_over(shipment, handed, seal=seen.seal), Entry(shipment.stream, left)]


def collect(
    shipment: Shipment, *, seal: str, by: str, name: str, at: Instant
) -> tuple[ShipmentLeft, list[Entry]]:
    """Give what was left and the facts of its collection by a person; late ones say so.

    Raises:
        Refused: It does not wait anywhere, or the seal is another.
    """
    left, since = shipment.left, shipment.left_at
    if left is None or since is None:
        raise Refused(
            "shipment-not-waiting",
            what=f"shipment {shipment.id}",
            found=shipment.standing,
            limit="a shipment that waits at a point",
            remedy="check the number on the shipper",
            rule="ISO 21973",
        )
    handed = ShipmentHandedOver(
        giver=keeper_of_point(left.point),
        receiver=by,
        name=name,
        means=Means.LOGIN,
        place=left.point,
        evidence=Evidence.SCANNED,
    )
    waited = int((at - since) / timedelta(minutes=1))
    said = ShipmentCollected(
        point=left.point, by=by, waited_minutes=waited, is_within=at <= left.collect_by
    )
    return left, [*hand_over(shipment, handed, seal=seal), Entry(shipment.stream, said)]


def keeper_of_point(point: str) -> str:
    """Give who answers for what waits at a point: the locked point itself."""
    return f"point {point}"


def distance(seen: Seen, point: Point) -> float:
    """Give how far a device is from a point, metres (haversine on a sphere)."""
    one, other = math.radians(seen.latitude), math.radians(point.latitude)
    east = math.radians(point.longitude - seen.longitude)
    part = math.sin((other - one) / 2) ** 2
    part += math.cos(one) * math.cos(other) * math.sin(east / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, part)))


def _degrees(fields: Fields, key: str, most: int) -> float:
    value = fields.number(key)
    if value is None or not -most <= value <= most:
        fields.wrong(key, "nothing" if value is None else str(value), f"-{most} to {most}", "say")
        return 0.0
    return float(value)
