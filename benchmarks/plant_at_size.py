"""A plant of the size asked for: the demo's facility and its lots, then the facts of those lots again and again
under other numbers.

The demo's facts are made by the real decisions. A copy goes through the journal's own append: hashed, chained, put
into the tree and folded into the views like any other; only the decisions are not taken anew, which would take a
quarter of an hour. Shared streams (units, material lots, definitions) get the facts of every copy, so that they are
as long as those of a plant that made all these lots.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from anlage.app import Installation, SimulatedClock, first_administrator, settings
from anlage.app.demo import Player, Walk, seed
from anlage.base import digest
from anlage.record import Actor, Entry, Recorded, Stream, World

FIRST_COPY = 2000
OPEN_COPIES = 12  # of each of the demo's lots in work: some hundred lots side by side
GROUP = 2000
# A number is given once; a copy brings its own.
LEFT_OUT = frozenset({"series", "journal"})


class Again(dict[str, Any]):
    """The body of a fact under another number, as the journal takes it."""

    kind: str
    kind_version: int


@dataclass(slots=True)
class Grown:
    """A plant at size.

    Attributes:
        plant: The installation, open.
        lot: A finished lot of the demo.
        running: A lot in work.
        lots: How many lots there are.
        seconds: How long it took to grow.
    """

    plant: Installation
    lot: str
    running: str
    lots: int
    seconds: float


def grow(folder: Path, facts: int, *, database_url: str | None = None) -> Grown:
    """Make a plant of at least `facts` facts in a folder."""
    started = time.perf_counter()
    clock = SimulatedClock.make(folder, datetime(2026, 3, 1, tzinfo=UTC), speed=0)
    chosen = settings(folder, demo=True, durable=False, database_url=database_url)
    plant = Installation.create(
        chosen, world=World.SIMULATED, site="B", site_name="Bench", clock=clock
    )
    first_administrator(plant, name="Ada Winter")
    walks = seed(Player(plant, clock))
    every = list(plant.journal.read())
    done = [_of(walk, every) for walk in walks[:4]]
    going = [_of(walk, every) for walk in walks[5:]]
    number, entries = FIRST_COPY, list[Entry]()
    plan = [*(going * OPEN_COPIES)]
    while plan or plant.journal.size + len(entries) < facts:
        template = plan.pop() if plan else done[number % len(done)]
        entries += _copy(*template, number)
        number += 1
        if len(entries) >= GROUP:
            _append(plant, entries)
            entries = []
    _append(plant, entries)
    return Grown(
        plant=plant,
        lot=walks[0].lot,
        running=walks[7].lot,
        lots=len(walks) + number - FIRST_COPY,
        seconds=time.perf_counter() - started,
    )


def _of(walk: Walk, every: list[Recorded]) -> tuple[str, str, list[Recorded]]:
    names = [name.encode() for name in (walk.lot, walk.coi) if name]
    found = [
        one
        for one in every
        if one.stream.family not in LEFT_OUT
        and any(name in one.header or name in (one.content or b"") for name in names)
    ]
    return walk.lot, walk.coi, found


def _copy(lot: str, coi: str, facts: list[Recorded], number: int) -> Iterator[Entry]:
    names = {coi: f"{coi[:-6]}{number:06d}"} | ({lot: f"{lot[:5]}{number:05d}"} if lot else {})
    pattern = re.compile("|".join(map(re.escape, names)).encode())

    def other(data: bytes) -> bytes:
        return pattern.sub(lambda found: names[found[0].decode()].encode(), data)

    earlier = timedelta(minutes=7 * (number - FIRST_COPY))
    for one in facts:
        again = Again(_signed_again(orjson.loads(other(one.content or b""))["fact"]))
        again.kind, again.kind_version = one.kind, one.kind_version
        stream = Stream(other(str(one.stream).encode()).decode())
        yield Entry(stream, again, happened=one.happened - earlier, why=one.why)


def _signed_again(value: Any) -> Any:
    if isinstance(value, dict):
        if {"shown", "digest", "meaning", "template"} <= value.keys():
            return {**value, "digest": digest(orjson.loads(value["shown"]))}
        return {key: _signed_again(inner) for key, inner in value.items()}
    return [_signed_again(one) for one in value] if isinstance(value, list) else value


def _append(plant: Installation, entries: list[Entry]) -> None:
    plant.journal.append(entries, {}, by=Actor(person="P-0106", via="page"), at=plant.clock.now())
