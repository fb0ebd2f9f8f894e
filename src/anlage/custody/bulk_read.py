"""A bulk read: a shipper is received by reading all its tags at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .codes import Reading, tag


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
        expected: Container by EPC.
        memories: EPC memory of each tag in hexadecimal, in any order.
    """
    seen: dict[str, None] = {}
    unreadable: dict[str, None] = {}
    for memory in dict.fromkeys(memories):
        reading = _read(memory)
        if reading is None or not reading.valid:
            unreadable[memory] = None
        else:
            seen[reading.fields["epc"]] = None
    return BulkRead(
        present=tuple(name for epc, name in expected.items() if epc in seen),
        missing=tuple(name for epc, name in expected.items() if epc not in seen),
        foreign=tuple(epc for epc in seen if epc not in expected),
        unreadable=tuple(unreadable),
    )


def _read(memory: str) -> Reading | None:
    return tag.decode(memory) if tag.looks_like(memory) else None
