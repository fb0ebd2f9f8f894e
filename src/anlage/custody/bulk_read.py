"""A bulk read: a shipper is received by reading all its tags at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .codes import Reading, tag, thing_of


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
