"""A shipment's tags against its list."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from anlage.custody import CODE_VIEW, SCAN_VIEW, BulkRead, Shipment, compare
from anlage.custody.codes import tag
from anlage.record import Stream
from anlage.wire.epcis import canonical_thing

from .installation import Installation

READS_MAX = 50
_CODES_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTag:
    """A tag that was read and is not on the list; a stray one answers seldom and weakly.

    Attributes:
        epc: What it says.
        subject: What that names here; empty for nothing.
        reads: How often it was read; None where the reader does not count.
        rssi: Its best answer in dBm, as text; empty where the reader does not say.
    """

    epc: str
    subject: str
    reads: int | None
    rssi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagList:
    """What the bulk reads of a shipment found, against what was packed.

    Attributes:
        shipment: The shipment.
        codes: Container by each code that it carries.
        untagged: Packed containers that carry no code.
        reads: The bulk reads as rows of the view, newest first.
        present: Packed containers that were read.
        missing: Packed containers that carry a code and were not read.
        foreign: EPCs that were read and not packed.
        unreadable: Tags whose memory is no EPC.
    """

    shipment: Shipment
    codes: dict[str, str]
    untagged: tuple[str, ...]
    reads: tuple[dict[str, Any], ...]
    present: tuple[str, ...]
    missing: tuple[str, ...]
    foreign: tuple[ForeignTag, ...]
    unreadable: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """True when it was read, and everything packed is there and nothing else."""
        doubts = self.missing or self.untagged or self.foreign or self.unreadable
        return bool(self.reads) and not doubts


def tag_list(site: Installation, shipment: str) -> TagList:
    """Give a shipment's tags against its list."""
    held = site.engine.state(Shipment, Stream(f"shipment/{shipment}"))
    codes = site.rows(CODE_VIEW)
    expected: dict[str, str] = {}
    untagged = []
    for container in held.prepared.containers if held.prepared else ():
        rows = codes.find(facet=f"container/{container}", limit=_CODES_MAX)
        names = [row["code"] for _, row in rows]
        expected |= dict.fromkeys(names, container)
        if not names:
            untagged.append(container)
    found = site.rows(SCAN_VIEW).find(facet=f"tags:{held.id}", limit=READS_MAX, newest_first=True)
    reads = tuple(row for _, row in found)
    read = compare(expected, [one for row in reads for one in row["tags"]])
    return TagList(
        shipment=held,
        codes=expected,
        untagged=tuple(untagged),
        reads=reads,
        present=tuple(dict.fromkeys(read.present)),
        missing=_missing(expected, read),
        foreign=_foreign(site, read.foreign, reads),
        unreadable=read.unreadable,
    )


def _foreign(
    site: Installation, epcs: tuple[str, ...], reads: tuple[dict[str, Any], ...]
) -> tuple[ForeignTag, ...]:
    codes = site.rows(CODE_VIEW)
    signals: dict[str, list[dict[str, Any]]] = {one: [] for one in epcs}
    for row in reads if epcs else ():
        for memory, seen in zip(row["tags"], row["seen"], strict=False):
            epc = tag.decode(memory).fields.get("epc") if tag.looks_like(memory) else None
            if epc in signals:
                signals[epc].append(seen)
    return tuple(
        ForeignTag(
            epc=epc,
            subject=(codes.get(canonical_thing(epc)) or {}).get("subject", ""),
            reads=sum(one["reads"] for one in seen) if seen else None,
            rssi=max((one["rssi"] for one in seen if "rssi" in one), key=Decimal, default=""),
        )
        for epc, seen in signals.items()
    )


def _missing(expected: dict[str, str], read: BulkRead) -> tuple[str, ...]:
    """Give the containers of which no code was read; a container may carry several."""
    present = set(read.present)
    return tuple(one for one in dict.fromkeys(expected.values()) if one not in present)
