"""What can happen to a container of a patient's material, as it is kept for ever.

A container is a bag, tube, straw or shipper. Place and holder are text ids; each fact says how it
is known (evidence), because paper never counts as read.
"""

from dataclasses import dataclass
from enum import StrEnum

from anlage.base import Quantity
from anlage.record import fact


class Evidence(StrEnum):
    """How a fact of custody is known, best first."""

    SCANNED = "scanned"
    DEVICE = "device"
    ATTESTED_LATER = "attested-later"
    PAPER = "paper"

    @property
    def is_read(self) -> bool:
        """True when a code or a device was read at the moment itself."""
        return self in (Evidence.SCANNED, Evidence.DEVICE)


class End(StrEnum):
    """How a container's history ends."""

    INFUSED = "infused"
    DISCARDED = "discarded"
    USED_UP = "used-up"
    POOLED = "pooled"


@fact("container-created")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCreated:
    """A container came to be: collected, filled, split off, pooled, or a shipper taken into use.

    Attributes:
        vessel: bag, tube, straw, shipper.
        place: Where it stands.
        holder: Who answers for it.
        evidence: How this is known.
        coi: Chain-of-identity id of the patient; None for a shipper.
        lot: The lot it belongs to.
        amount: What is in it.
        sources: The containers that it was filled from.
        added: Material that went in beside them (medium, cryoprotectant).
    """

    vessel: str
    place: str
    holder: str
    evidence: Evidence
    coi: str | None = None
    lot: str | None = None
    amount: Quantity | None = None
    sources: tuple[str, ...] = ()
    added: Quantity | None = None


@fact("container-assigned")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerAssigned:
    """A container of a lot for many was set aside for one patient."""

    coi: str
    by: str


@fact("container-moved")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerMoved:
    """Its holder brought it from one place to another."""

    origin: str
    place: str
    holder: str
    evidence: Evidence


@fact("container-seen")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSeen:
    """It was seen at a place, in an audit or a bulk read."""

    place: str
    evidence: Evidence


@fact("hand-over-opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverOpened:
    """Its holder offered it to a receiver; until the receiver takes it the giver answers for it.

    Attributes:
        receiver: A person; `role/ROLE` for whoever holds it; `lot/LOT` for whom the lot's next step
            calls.
    """

    giver: str
    receiver: str
    evidence: Evidence


@fact("hand-over-closed")
@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverClosed:
    """The receiver took it and answers for it from this moment."""

    giver: str
    receiver: str
    place: str
    evidence: Evidence


@fact("hand-over-withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverWithdrawn:
    """The giver took the offer back."""

    giver: str
    evidence: Evidence


@fact("container-packed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPacked:
    """It was put into another container and shares its place and holder."""

    into: str
    holder: str
    evidence: Evidence
    position: str = ""


@fact("container-unpacked")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUnpacked:
    """It was taken out of another container."""

    origin: str
    place: str
    holder: str
    evidence: Evidence


@fact("container-drawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDrawn:
    """An amount was taken from it into other containers."""

    amount: Quantity
    into: tuple[str, ...]
    evidence: Evidence


@fact("container-missed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerMissed:
    """It was not where the record has it; nobody can say where it is."""

    evidence: Evidence


@fact("container-found")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFound:
    """It was found again."""

    place: str
    holder: str
    evidence: Evidence


@fact("container-ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEnded:
    """Its history ended."""

    how: End
    holder: str
    evidence: Evidence


CustodyFact = (
    ContainerCreated
    | ContainerAssigned
    | ContainerMoved
    | ContainerSeen
    | HandOverOpened
    | HandOverClosed
    | HandOverWithdrawn
    | ContainerPacked
    | ContainerUnpacked
    | ContainerDrawn
    | ContainerMissed
    | ContainerFound
    | ContainerEnded
)
