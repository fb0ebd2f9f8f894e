"""What a person asks for with a container; who asks is the person at the desk."""

from collections.abc import Mapping
from dataclasses import dataclass

from anlage.base import Instant, Quantity

from .container_fact import End, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContainer:
    """Take a container into the record: collected, filled, or a shipper taken into use."""

    container: str
    vessel: str
    place: str
    evidence: Evidence
    coi: str | None = None
    lot: str | None = None
    amount: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveContainer:
    """Bring a container to another place."""

    container: str
    place: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeContainer:
    """Note where a container was seen."""

    container: str
    place: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferContainer:
    """Open a hand-over to a receiver."""

    container: str
    to: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawOffer:
    """Take an offer back."""

    container: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveContainer:
    """Take over a container that was offered, by scanning it."""

    container: str
    scanned: str
    place: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PackContainer:
    """Put a container into another."""

    container: str
    into: str
    evidence: Evidence
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackContainer:
    """Take a container out of another."""

    container: str
    out_of: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitContainer:
    """Fill new containers from one."""

    container: str
    parts: Mapping[str, Quantity]
    vessel: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolContainers:
    """Pour whole containers together into a new one."""

    containers: tuple[str, ...]
    into: str
    vessel: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MissContainer:
    """Say that a container cannot be found."""

    container: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FindContainer:
    """Say where a missed container was found."""

    container: str
    place: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishContainer:
    """End a container's history: discarded or used up."""

    container: str
    how: End
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAtBedside:
    """Check band, bag and order before an infusion."""

    container: str
    order: str
    coi: str
    lot: str
    volume_min: Quantity
    volume_max: Quantity
    expires: Instant
    band: str
    bag: str
    second: str
    thawed: Instant | None = None
    thaw_minutes_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfuseContainer:
    """Record an infusion after the bedside check: what was given and what is left."""

    container: str
    given: Quantity
    left: Quantity
