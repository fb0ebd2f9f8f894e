"""Picklists: what is to be fetched for an order, in the way that opens the fewest lids.

Every tank, rack and box that is opened warms what stays in it, so a list goes through a tank once,
through each rack in it once and through each box once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Refused, clean_line
from anlage.record import Entry, Recorded, Stream, fact

from ..container import Container
from .keeping import Keeping, must_be_usable
from .place import Place
from .place_fact import RULE, PositionFreed, PositionReserved
from .stow import where

LINES_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PickLine:
    """One container to be fetched.

    Attributes:
        container: The container.
        way: The places from the outside in, the box last.
        position: Its position in the box.
    """

    container: str
    way: tuple[str, ...]
    position: str


class LineState(StrEnum):
    """Where a line stands."""

    OPEN = "open"
    PICKED = "picked"
    LEFT = "left"


@fact("picklist-made")
@dataclass(frozen=True, slots=True, kw_only=True)
class PicklistMade:
    """A retrieval list was made.

    Attributes:
        order: What it is for.
        lines: What is to be fetched, in the order of the way.
        openings: How many places are opened on the way.
        by: Who asked for it.
    """

    order: str
    lines: tuple[PickLine, ...]
    openings: int
    by: str


@fact("pick-confirmed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PickConfirmed:
    """A line was confirmed by scan; the container went into the picker's hand."""

    container: str
    by: str


@fact("pick-left")
@dataclass(frozen=True, slots=True, kw_only=True)
class PickLeft:
    """A line was left, with the reason."""

    container: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picklist:
    """What a picklist's facts amount to."""

    id: str
    made: PicklistMade | None = None
    lines: Mapping[str, LineState] = field(default_factory=dict)
    why_left: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a picklist without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"picklist/{self.id}")

    @property
    def is_done(self) -> bool:
        """True when no line is open."""
        return self.made is not None and LineState.OPEN not in self.lines.values()

    @property
    def next_line(self) -> PickLine | None:
        """The next line on the way; None when the list is done."""
        lines = self.made.lines if self.made else ()
        return next((one for one in lines if self.lines[one.container] is LineState.OPEN), None)

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact)

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case PicklistMade():
                lines = {one.container: LineState.OPEN for one in fact.lines}
                return replace(self, made=fact, lines=lines)
            case PickConfirmed():
                return replace(self, lines={**self.lines, fact.container: LineState.PICKED})
            case PickLeft():
                why = {**self.why_left, fact.container: fact.reason}
                lines = {**self.lines, fact.container: LineState.LEFT}
                return replace(self, lines=lines, why_left=why)
            case _:
                return self

    def must_have_open(self, container: str) -> PickLine:
        """Give the open line of a container.

        Raises:
            Refused: `pick-not-open`.
        """
        lines = self.made.lines if self.made else ()
        line = next((one for one in lines if one.container == container), None)
        state = self.lines.get(container)
        if line is None or state is not LineState.OPEN:
            found = "no line of it" if state is None else f"the line is {state.value}"
            raise Refused(
                "pick-not-open",
                what=f"container {container[:80]} on picklist {self.id}",
                found=found,
                limit="an open line",
                remedy="scan what the list names next",
                rule=RULE,
            )
        return line


def make_picklist(
    picklist: Picklist,
    wanted: Sequence[tuple[Container, Keeping, Sequence[Place]]],
    *,
    order: str,
    by: str,
) -> list[Entry]:
    """Give the facts of a picklist: the list itself, and what it promises.

    Args:
        picklist: A list without facts.
        wanted: Each container with what it is and the places around it, from the inside out.
        order: What it is for.
        by: Who asks.

    Raises:
        Refused: It exists, is empty or too long; something is not stored, is in quarantine, or is
            promised to another list.
    """
    if picklist.made is not None or not 0 < len(wanted) <= LINES_MAX:
        raise Refused(
            "picklist-malformed",
            what=f"picklist {picklist.id}",
            found="made before" if picklist.made else f"{len(wanted)} containers",
            limit=f"1 to {LINES_MAX} containers, each once",
            remedy="name the containers",
            rule=RULE,
        )
    lines: list[PickLine] = []
    promises: list[Entry] = []
    for container, keeping, path in wanted:
        must_be_usable(keeping)
        place = path[0] if path else None
        position = place.position_of(container.id) if place else None
        if place is None or position is None or container.place != where(place.id, position):
            raise _refuse("container-not-stored", container.id, "in no position", "a stored one")
        if (other := place.promised.get(container.id)) is not None:
            raise _refuse("container-promised", container.id, f"promised to {other}", "a free one")
        if any(line.container == container.id for line in lines):
            raise _refuse("picklist-malformed", container.id, "named twice", "each once")
        way = tuple(one.id for one in reversed(path))
        lines.append(PickLine(container=container.id, way=way, position=position))
        reserved = PositionReserved(position=position, container=container.id, picklist=picklist.id)
        promises.append(Entry(place.stream, reserved))
    ordered = in_order(lines)
    made = PicklistMade(
        order=clean_line(order, "order", limit=120),
        lines=ordered,
        openings=openings(ordered),
        by=by,
    )
    return [Entry(picklist.stream, made), *promises]


def confirm_pick(picklist: Picklist, container: str, *, by: str) -> list[Entry]:
    """Give the fact of a line confirmed by scan; `stow.take` gives those of the container.

    Raises:
        Refused: There is no open line of it.
    """
    picklist.must_have_open(container)
    return [Entry(picklist.stream, PickConfirmed(container=container, by=by))]


def leave_pick(
    picklist: Picklist, container: str, place: Place, *, reason: str, by: str
) -> list[Entry]:
    """Give the facts of a line that is left; the container is free again where it still stands.

    Raises:
        Refused: There is no open line of it.
    """
    line = picklist.must_have_open(container)
    left = PickLeft(container=container, reason=clean_line(reason, "reason"), by=by)
    entries = [Entry(picklist.stream, left)]
    if place.promised.get(container) == picklist.id:
        freed = PositionFreed(position=line.position, container=container, picklist=picklist.id)
        entries.append(Entry(place.stream, freed))
    return entries


def in_order(lines: Sequence[PickLine]) -> tuple[PickLine, ...]:
    """Give the lines so that each place is opened once; positions in the order of the grid."""
    return tuple(sorted(lines, key=lambda one: (one.way, _grid_order(one.position))))


def openings(lines: Sequence[PickLine]) -> int:
    """Count how often a lid is opened on the way: rooms have none, everything in them has one."""
    count = 0
    before: tuple[str, ...] = ()
    for line in lines:
        ways = [line.way[:depth] for depth in range(3, len(line.way) + 1)]
        count += sum(1 for way in ways if before[: len(way)] != way)
        before = line.way
    return count


def choose(candidates: Sequence[PickLine], count: int) -> tuple[PickLine, ...]:
    """Give so many of the containers that serve alike, from the fewest tanks, then boxes.

    Tanks and then boxes with the most of them come first, which opens as few as can be.
    """
    by_tank: dict[tuple[str, ...], list[PickLine]] = defaultdict(list)
    for one in candidates:
        by_tank[one.way[:3]].append(one)
    pool: list[PickLine] = []
    for _, lines in sorted(by_tank.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(pool) < count:
            pool += lines
    by_box: dict[tuple[str, ...], list[PickLine]] = defaultdict(list)
    for one in pool:
        by_box[one.way].append(one)
    chosen: list[PickLine] = []
    for _, lines in sorted(by_box.items(), key=lambda item: (-len(item[1]), item[0])):
        chosen += in_order(lines)[: count - len(chosen)]
    return in_order(chosen)


def _grid_order(position: str) -> tuple[int, str, int]:
    letters = position.rstrip("0123456789")
    digits = position[len(letters) :]
    return len(letters), letters, int(digits or 0)


def _refuse(code: str, container: str, found: str, limit: str) -> Refused:
    return Refused(
        code,
        what=f"container {container[:80]}",
        found=found,
        limit=limit,
        remedy="leave it out, or choose another of the same lot",
        rule=RULE,
    )
