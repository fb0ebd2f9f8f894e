"""What a scan means here: a place, a position, a container, a shipment or shipper of this house."""

import re
from dataclasses import dataclass
from enum import StrEnum

from anlage.base import Refused
from anlage.custody.codes import decode
from anlage.custody.storage import Place, PlaceId, place_and_position
from anlage.record import Stream

from .installation import Installation

TEXT_MAX = 400
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")


class Scanned(StrEnum):
    """What a scan can mean."""

    PLACE = "place"
    POSITION = "position"
    CONTAINER = "container"
    SHIPMENT = "shipment"
    SHIPPER = "shipper"
    PICKLIST = "picklist"


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
    """Give what a scanned or typed text means.

    Own codes are the things' identifiers, a position behind its place (`BOX-7:C4`). A GS1 code of
    a location (414 with 254) names the place in its extension; of an asset (8003, 8004) or a
    logistic unit (00), a container or shipper by that number.

    Raises:
        Refused: `scan-unknown`: nothing of this house has this code.
    """
    raw = text.strip()[:TEXT_MAX]
    plain = _SYMBOLOGY.sub("", raw, count=1)
    for candidate in _candidates(installation, raw, plain):
        found = _known(installation, candidate)
        if found is not None:
            return Meant(kind=found.kind, id=found.id, position=found.position, raw=raw)
    raise Refused(
        "scan-unknown",
        what="scanned code",
        found=repr(raw[:80]),
        limit="the code of a place, position, container, shipment, shipper or picklist",
        remedy="scan the label again; a new thing is taken into the record first",
        rule="Anlage identifiers",
    )


def _candidates(installation: Installation, raw: str, plain: str) -> list[str]:
    found = [plain] if plain.isprintable() else []
    reading = decode(raw, installation.clock.now().date())
    if reading.valid:
        fields = reading.fields
        keys = ("location_extension", "sscc", "returnable_asset", "individual_asset")
        found += [fields[key] for key in keys if key in fields]
    return found


def _known(installation: Installation, text: str) -> Meant | None:
    split = place_and_position(text)
    name = split[0] if split else text
    if PlaceId.pattern.fullmatch(name):
        place = installation.engine.state(Place, Stream(f"place/{name}"))
        if place.exists and split is None:
            return Meant(kind=Scanned.PLACE, id=name)
        if place.exists and split is not None and (at := place.terms.position(split[1])):
            return Meant(kind=Scanned.POSITION, id=name, position=at)
    for kind in (Scanned.CONTAINER, Scanned.SHIPPER, Scanned.SHIPMENT, Scanned.PICKLIST):
        stream = f"{kind.value}/{text}"
        if Stream.pattern.fullmatch(stream) and installation.journal.head(Stream(stream)).version:
            return Meant(kind=kind, id=text)
    return None
