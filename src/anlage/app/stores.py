"""What commands of the store share: places with those around them, the rules in force, and keeping
the store in step with every other act on a container.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from anlage.custody import Container, Evidence
from anlage.custody.storage import (
    Keeping,
    Kept,
    Leaving,
    Place,
    PlaceId,
    PositionEmptied,
    PositionFilled,
    SegregationRules,
    enter,
    leave,
    packaged_segregation,
    place_and_position,
)
from anlage.library import Definition
from anlage.record import Entry, Stream

if TYPE_CHECKING:
    from .engine import Desk

DEPTH_MAX = 8
INSIDE_MAX = 5000
SEGREGATION = "segregation-rules:segregation"


def place_of(desk: "Desk", id: str) -> Place:
    """Give a place."""
    return desk.read(Place, Stream(f"place/{id}"))


def path_of(desk: "Desk", id: str | None) -> list[Place]:
    """Give a place and those around it, from the inside out; nothing without a name."""
    path: list[Place] = []
    while id is not None and len(path) < DEPTH_MAX:
        path.append(place_of(desk, id))
        id = path[-1].parent
    return path


def rules_of(desk: "Desk") -> SegregationRules:
    """Give the rules of segregation in force: the site's own, or the packaged ones."""
    version = desk.read(Definition, Stream(f"definition/{SEGREGATION}")).effective(desk.at)
    return packaged_segregation() if version is None else SegregationRules.read(version.content)


def around_of(
    desk: "Desk", path: Sequence[Place], rules: SegregationRules, things: Sequence[Kept]
) -> list[Place]:
    """Give the other places in the one around, where a rule looks there for these things."""
    has_name = any(one.label_name for one in things)
    if len(path) < 2 or not rules.looks_around(has_name=has_name):
        return []
    return [place_of(desk, one) for one in path[1].children if one != path[0].id]


def inside_of(desk: "Desk", place: Place) -> list[Kept]:
    """Give everything that stands in a place, at any depth."""
    found: list[Kept] = []
    waiting = [place]
    while waiting and len(found) < INSIDE_MAX:
        here = waiting.pop()
        found += [keeping_of(desk, one.container).kept() for one in here.stowed.values()]
        waiting += [place_of(desk, one) for one in here.children]
    return found


def container_of(desk: "Desk", id: str) -> Container:
    """Give a container's custody."""
    return desk.read(Container, Stream(f"container/{id}"))


def keeping_of(desk: "Desk", id: str) -> Keeping:
    """Give what a container is, for its storage."""
    return desk.read(Keeping, Stream(f"container/{id}"))


def in_step(handler: Callable[..., Sequence[Entry]]) -> Callable[..., Sequence[Entry]]:
    """Let what another act does to containers reach the places that they leave and enter.

    A position that is left becomes free; a cleanroom that is entered is judged by the rules of
    segregation; a box, shelf, rack or tank is entered by scan of a position alone.
    """

    @wraps(handler)
    def followed(desk: "Desk", request: Any) -> list[Entry]:
        entries = list(handler(desk, request))
        return [*entries, *_follow(desk, entries)]

    return followed


def _follow(desk: "Desk", entries: Sequence[Entry]) -> list[Entry]:
    left = {e.fact.container for e in entries if isinstance(e.fact, PositionEmptied)}
    entered = {e.fact.stowed.container for e in entries if isinstance(e.fact, PositionFilled)}
    found: list[Entry] = []
    for stream in dict.fromkeys(e.stream for e in entries if e.stream.family == "container"):
        before, keeping = container_of(desk, stream.id), keeping_of(desk, stream.id)
        after = before
        for entry in entries:
            if entry.stream == stream:
                after, keeping = after.with_fact(entry.fact), keeping.with_fact(entry.fact)
        if before.place == after.place:
            continue
        old = _registered(desk, before.place)
        if old is not None and stream.id not in left:
            why = Leaving.ENDED if after.end else Leaving.MOVED
            why = why if after.place or after.inside or after.end else Leaving.MISSED
            found += leave(before, old, why=why, by=desk.actor.person or "")
        new = _registered(desk, after.place)
        if new is not None and new.kind is not None and stream.id not in entered:
            found += _enter(desk, new, keeping)
    return found


def _enter(desk: "Desk", place: Place, keeping: Keeping) -> list[Entry]:
    assert place.kind is not None
    if place.kind.rank <= 1 and not place.kind.holds_containers:
        return []  # in the site or the store room, in somebody's hand
    path, rules = path_of(desk, place.id), rules_of(desk)
    return enter(
        keeping,
        path,
        by=desk.actor.person or "",
        evidence=Evidence.SCANNED,
        around=around_of(desk, path, rules, [keeping.kept()]),
        rules=rules,
        at=desk.at,
    )


def _registered(desk: "Desk", text: str | None) -> Place | None:
    """Give the registered place that a container's facts name; None for any other place."""
    split = place_and_position(text)
    name = split[0] if split else text or ""
    if not PlaceId.pattern.fullmatch(name):
        return None
    place = place_of(desk, name)
    return place if place.exists else None
