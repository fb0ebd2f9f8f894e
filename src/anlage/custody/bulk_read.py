"""A bulk read: a shipper is received by reading all its tags at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from anlage.base import Instant

from .codes import Reading, tag, thing_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRead:
    """One read of one tag, as a gateway reports it; a tag in the field is read many times.

    Attributes:
        epc: EPC memory in hexadecimal.
        antenna: Which antenna read it.
        rssi: Strength of the answer in dBm; None when the reader does not say.
        at: When; None when the reader does not say.
    """

    epc: str
    antenna: str = ""
    rssi: Decimal | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSeen:
    """The reads of one tag together: a stray tag of the next gate answers seldom and weakly.

    Attributes:
        reads: How often it was read.
        antenna: Where it answered best.
        rssi: Its best answer in dBm.
        first: Its first read.
        last: Its last read.
    """

    reads: int
    antenna: str = ""
    rssi: Decimal | None = None
    first: Instant | None = None
    last: Instant | None = None


def gather(reads: Iterable[TagRead]) -> dict[str, TagSeen]:
    """Give what was seen of each tag, in the order first seen."""
    found: dict[str, list[TagRead]] = {}
    for one in reads:
        found.setdefault(one.epc.strip().upper(), []).append(one)
    return {epc: _together(those) for epc, those in found.items() if epc}


def _together(reads: list[TagRead]) -> TagSeen:
    strongest = max(reads, key=lambda one: Decimal("-Infinity") if one.rssi is None else one.rssi)
    times = [one.at for one in reads if one.at is not None]
    return TagSeen(
        reads=len(reads),
        antenna=strongest.antenna,
        rssi=strongest.rssi,
        first=min(times, default=None),
        last=max(times, default=None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRead:
    """What a bulk read found, against what was expected.

    Attributes:
        present: Expected containers whose tag was read.
        missing: Expected containers whose tag was not read.
        foreign: EPCs that were read and not expected.
        unreadable: Tags whose memory is no EPC, as read.
    """

    present: tuple[str, ...]
    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    unreadable: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """True when everything expected is there and nothing else."""
        return not (self.missing or self.foreign or self.unreadable)


def compare(expected: Mapping[str, str], memories: Iterable[str]) -> BulkRead:
    """Compare tags with a manifest; a tag read many times counts once.

    Args:
        expected: Container by EPC URN, or by the one name of its code (`codes.thing_of`).
        memories: EPC memory of each tag in hexadecimal, in any order.
    """
    seen: dict[str, str] = {}  # the name by EPC
    unreadable: dict[str, None] = {}
    for memory in dict.fromkeys(memories):
        reading = _read(memory)
        if reading is None or not reading.valid:
            unreadable[memory] = None
        else:
            seen[reading.fields["epc"]] = thing_of(reading) or ""
    names = {*seen, *seen.values()}
    return BulkRead(
        present=tuple(name for code, name in expected.items() if code in names),
        missing=tuple(name for code, name in expected.items() if code not in names),
        foreign=tuple(
            epc for epc, name in seen.items() if epc not in expected and name not in expected
        ),
        unreadable=tuple(unreadable),
    )


def _read(memory: str) -> Reading | None:
    return tag.decode(memory) if tag.looks_like(memory) else None
