"""Which packaging and mode to choose: what may go, how cells would arrive, why the rest may not.

How many cells live at arrival is told by a model that stands above this package; here it is only a
promise of one (`Survival`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from anlage.base import Instant, Refused

from .excursion import ExcursionRule
from .lane import Lane
from .shipper import Shipper

MARGIN = 1.25
"""How much longer than the longest way a shipper must hold its temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """A predicted part of cells alive, with its range over what is uncertain in the model."""

    low: float
    middle: float
    high: float


class Survival(Protocol):
    """Anything that tells how many cells live after stays of (hours, degC)."""

    def __call__(self, stays: Sequence[tuple[float, float]], /) -> Alive | None:
        """Give the part alive; None outside what the model tells."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to send: a lane with a shipper.

    Attributes:
        lane: The lane.
        shipper: The shipper.
        hours: The time that 95 of 100 runs keep; the longest allowed where it is not known.
        alive: How many cells would live then.
        against: Why it may not be chosen; empty where it may.
    """

    lane: str
    shipper: str
    model: str
    mode: str
    hours: float
    alive: Alive | None
    against: tuple[str, ...]

    @property
    def may_go(self) -> bool:
        """True when nothing stands against it."""
        return not self.against


def options(
    lanes: Sequence[Lane],
    shippers: Sequence[Shipper],
    *,
    rule: ExcursionRule,
    survival: Survival | None,
    until: Instant,
    alive_min: float = 0.0,
) -> list[Option]:
    """Give every way to send, the best first: those that may go, then by cells alive and hours.

    Args:
        lanes: The lanes between the two sites.
        shippers: The fleet.
        rule: The product's excursion rule; its first band is what the shipper must keep.
        survival: The model; None where there is none for the product.
        until: Until when the shipment would be under way.
        alive_min: The least part of cells that must live.
    """
    found = [
        _option(lane, shipper, rule, survival, until, alive_min)
        for lane in lanes
        for shipper in shippers
        if lane.registered is not None and shipper.registered is not None
    ]
    found.sort(
        key=lambda one: (
            not one.may_go,
            -(one.alive.low if one.alive else 0.0),
            one.hours,
            one.lane,
            one.shipper,
        )
    )
    return found


def _option(
    lane: Lane,
    shipper: Shipper,
    rule: ExcursionRule,
    survival: Survival | None,
    until: Instant,
    alive_min: float,
) -> Option:
    assert lane.registered is not None
    assert shipper.registered is not None
    hours = float(lane.qualified.hours_p95 if lane.qualified else lane.registered.hours_max)
    against: list[str] = []
    for judge in (
        lambda: lane.must_be_open(until=until, model=shipper.registered.model),  # type: ignore[union-attr]
        lambda: shipper.must_be_ready(until=until, hours=hours * MARGIN),
    ):
        try:
            judge()
        except Refused as refusal:
            against += [f"{one.what}: {one.found}" for one in refusal.problems]
    kept = _kept(shipper)
    band = rule.bands[0]
    if kept is None:
        against.append(f"shipper {shipper.id}: what it keeps is not stated")
    elif band.is_outside(kept):
        against.append(f"shipper {shipper.id}: keeps {kept:g} degC; {band.range} is asked for")
    alive = None
    if survival is not None and kept is not None and not band.is_outside(kept):
        alive = survival([(hours, kept)])
    if alive is not None and alive.low < alive_min:
        worst, asked = f"{100 * alive.low:.0f} %", f"{100 * alive_min:.0f} %"
        against.append(f"{worst} of the cells alive at worst; {asked} asked for")
    return Option(
        lane=lane.id,
        shipper=shipper.id,
        model=shipper.registered.model,
        mode=lane.registered.mode,
        hours=hours,
        alive=alive,
        against=tuple(against),
    )


def _kept(shipper: Shipper) -> float | None:
    """Give the warmest temperature that a shipper keeps, degC."""
    assert shipper.registered is not None
    limit = shipper.registered.keeps_max or shipper.registered.keeps_min
    return float(limit.to("Cel").value) if limit is not None else None
