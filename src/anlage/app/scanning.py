"""What a scan means in a store: a place, a position, a container, a shipment or shipper."""

from dataclasses import dataclass
from enum import StrEnum

from anlage.base import Refused

from .code_reading import understand
from .installation import Installation

TEXT_MAX = 400


class Scanned(StrEnum):
    """What a scan can mean."""

    PLACE = "place"
    POSITION = "position"
    CONTAINER = "container"
    SHIPMENT = "shipment"
    SHIPPER = "shipper"
    PICKLIST = "picklist"


# Of a number that two things have, the thing that stands nearest to the shelf is meant.
_FAMILIES = ("place", "container", "shipper", "shipment", "picklist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a scan means.

    Attributes:
        kind: What it is.
        id: The thing.
        position: The position in a place; empty for others.
        raw: The text as scanned.
    """

    kind: Scanned
    id: str
    position: str = ""
    raw: str = ""


def meaning(installation: Installation, text: str) -> Meant:
    """Give what a scanned or typed text means, as `understand` reads it.

    Raises:
        Refused: `scan-unknown`: nothing of this house has this code.
    """
    raw = text.strip()[:TEXT_MAX]
    found = understand(installation, raw, families=_FAMILIES)
    if found.subject:
        family, _, id = found.subject.partition("/")
        kind = Scanned.POSITION if found.position else Scanned(family)
        return Meant(kind=kind, id=id, position=found.position, raw=raw)
    raise Refused(
        "scan-unknown",
        what="scanned code",
        found=repr(raw[:80]),
        limit="the code of a place, position, container, shipment, shipper or picklist",
        remedy="scan the label again; a new thing is taken into the record first",
        rule="Anlage identifiers",
    )
