"""A gate that is simulated: reads as an RFID portal makes them, from the tags that pass it.

A tag in the field answers many times to several antennas, strongest to the nearest; its strength
scatters from read to read. A stray tag (of the pallet beside the gate) answers seldom and weakly.
Strengths and rates are of the order that portals show in use; they are not fitted to a maker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from anlage.base import Instant
from anlage.custody import TagRead
from anlage.custody.codes import decode, epc, tag

_NEAR_DBM, _FAR_DBM, _STRAY_DBM = -48.0, -60.0, -70.0
_TAG_SCATTER_DB, _READ_SCATTER_DB = 3.0, 2.0
_SECONDS = 3.0
_KEYS = {"00": "", "01": "21", "414": "254", "8003": "", "8004": "", "253": ""}
_STRAY_PREFIX = 9990000


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a simulated gate read.

    Attributes:
        reads: Every read, in time.
        passed: EPC memories that passed the gate and were read.
        missed: EPC memories that passed it and were not read.
        strays: EPC memories read that did not pass it.
    """

    reads: tuple[TagRead, ...]
    passed: tuple[str, ...]
    missed: tuple[str, ...]
    strays: tuple[str, ...]


def play(
    tags: Sequence[str],
    *,
    at: Instant,
    rng: np.random.Generator,
    missing: int = 0,
    foreign: int = 0,
    repeats: float = 12,
    antennas: int = 4,
) -> Played:
    """Let tags pass a gate and give what its antennas read.

    Args:
        tags: EPC memory of each tag in hexadecimal.
        at: When the first tag enters the field.
        rng: Chance; the same seed gives the same reads.
        missing: How many of the tags no antenna reads.
        foreign: How many stray tags are read besides.
        repeats: Reads of a tag in the mean, 1 or more; every tag that is read is read at least
            once, a stray one a quarter as often.
        antennas: How many antennas the gate has.
    """
    order = rng.permutation(len(tags))
    gone = {int(one) for one in order[: min(missing, len(tags))]}
    read = [one for place, one in enumerate(tags) if place not in gone]
    strays = [_stray(rng) for _ in range(foreign)]
    reads: list[TagRead] = []
    for one, mean, best in (
        *((memory, repeats, _NEAR_DBM) for memory in read),
        *((memory, repeats / 4, _STRAY_DBM) for memory in strays),
    ):
        reads += _reads_of(one, mean, best, antennas, at, rng)
    reads.sort(key=lambda found: (found.at or at, found.epc))
    return Played(
        reads=tuple(reads),
        passed=tuple(read),
        missed=tuple(tags[place] for place in sorted(gone)),
        strays=tuple(strays),
    )


def tag_of(code: str, today: date, *, prefix_digits: int = 7) -> str | None:
    """Give the memory of the tag that carries a code; None where no EPC tag can.

    A GS1 key does not tell how long its company prefix is; any length gives the same key back.
    """
    reading = decode(code, today)
    fields = reading.fields
    urn = code if epc.looks_like(code) else None
    for number, finer in _KEYS.items():
        if urn is None and reading.valid and number in fields:
            if number == "01" and finer not in fields:
                return None
            urn = epc.from_key(number, fields[number], fields.get(finer), prefix_digits)
    return None if urn is None else tag.encode(urn)


def _reads_of(
    memory: str,
    mean: float,
    best: float,
    antennas: int,
    at: Instant,
    rng: np.random.Generator,
) -> list[TagRead]:
    count = 1 + int(rng.poisson(max(0.0, mean - 1)))
    nearest = int(rng.integers(antennas))
    own = rng.normal(0, _TAG_SCATTER_DB)
    enters = rng.uniform(0, _SECONDS / 3)
    found = []
    for _ in range(count):
        antenna = nearest if rng.random() < 0.6 else int(rng.integers(antennas))
        level = best if antenna == nearest else best + _FAR_DBM - _NEAR_DBM
        rssi = level + own + rng.normal(0, _READ_SCATTER_DB)
        seconds = enters + rng.uniform(0, _SECONDS * 2 / 3)
        found.append(
            TagRead(
                epc=memory,
                antenna=str(antenna + 1),
                rssi=Decimal(f"{rssi:.1f}"),
                at=at + timedelta(milliseconds=int(seconds * 1000)),
            )
        )
    return found


def _stray(rng: np.random.Generator) -> str:
    """Give a GRAI-96 tag of nobody: header 33, partition 5, a prefix and a type kept for strays."""
    serial = int(rng.integers(1 << 38))
    return f"{(0x33 << 88) | (5 << 82) | (_STRAY_PREFIX << 58) | (99 << 38) | serial:024X}"
