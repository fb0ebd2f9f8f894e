"""Containers into positions, between them, and out again: one container per position, always.

What stands in a store is answered for by the store; putting in and taking out are hand-overs
between a person and the store, both sides read at the same moment.
"""

from collections.abc import Sequence

from anlage.base import Instant, Refused
from anlage.record import Entry

from ..container import Container, move, offer, receive
from ..container_fact import Evidence
from .keeping import Keeping, must_be_usable
from .place import Path, Place, keeper_of, must_be_allowed
from .place_fact import RULE, Leaving, PositionEmptied, PositionFilled
from .segregation_rules import SegregationRules


def where(place: str, position: str) -> str:
    """Give the text by which a container's facts name a position."""
    return f"{place}:{position}"


def place_and_position(text: str | None) -> tuple[str, str] | None:
    """Give place and position of such a text; None for a place of another kind."""
    place, colon, position = (text or "").partition(":")
    return (place, position) if colon and place and position else None


def store(
    container: Container,
    keeping: Keeping,
    path: Path,
    *,
    position: str,
    by: str,
    evidence: Evidence,
    around: Sequence[Place],
    rules: SegregationRules,
    at: Instant,
) -> list[Entry]:
    """Give the facts of a container put into a position by its holder.

    Raises:
        Refused: It is not this person's to put; the position is none or occupied; segregation.
    """
    place = path[0]
    chosen = place.choose_position(position)
    must_be_allowed(keeping.kept(), path, around=around, rules=rules, at=at)
    address = where(place.id, chosen)
    keeper = keeper_of(path)
    if keeper is None or container.holder == keeper:
        custody = move(container, place=address, by=by, evidence=evidence)
    else:
        custody = _hand_over(container, by, keeper, address, evidence)
    filled = PositionFilled(
        position=chosen,
        stowed=keeping.stowed(),
        by=by,
        evidence=evidence,
        rules=rules.heading.id,
    )
    return [*custody, Entry(place.stream, filled)]


def restow(
    container: Container,
    keeping: Keeping,
    origin: Place,
    path: Path,
    *,
    position: str,
    by: str,
    evidence: Evidence,
    around: Sequence[Place],
    rules: SegregationRules,
    at: Instant,
) -> list[Entry]:
    """Give the facts of a stored container brought into another position.

    Raises:
        Refused: It is not in a position; the other is none or occupied; segregation.
    """
    old = _position_in(container, origin)
    place = path[0]
    chosen = place.choose_position(position)
    must_be_allowed(keeping.kept(), path, around=around, rules=rules, at=at)
    holder, keeper = container.holder or "", keeper_of(path) or by
    address = where(place.id, chosen)
    if holder == keeper:
        custody = move(container, place=address, by=holder, evidence=evidence)
    else:
        custody = _hand_over(container, holder, keeper, address, evidence)
    left = PositionEmptied(
        position=old, container=container.id, why=Leaving.MOVED, by=by, evidence=evidence
    )
    filled = PositionFilled(
        position=chosen,
        stowed=keeping.stowed(),
        by=by,
        evidence=evidence,
        rules=rules.heading.id,
    )
    return [*custody, Entry(origin.stream, left), Entry(place.stream, filled)]


def take(
    container: Container,
    keeping: Keeping,
    place: Place,
    *,
    scanned: str,
    to: str,
    by: str,
    evidence: Evidence,
    picklist: str | None = None,
) -> list[Entry]:
    """Give the facts of a stored container taken out; who takes it answers for it from then on.

    Raises:
        Refused: Another container was scanned (`identity-mismatch`); it is not in the position; it
            waits in quarantine; it is promised to another picklist.
    """
    if scanned.strip() != container.id:
        raise Refused(
            "identity-mismatch",
            what=f"container {container.id} in {container.place or 'no place'}",
            found=scanned.strip()[:80] or "nothing",
            limit=container.id,
            remedy="put it back: this is another container; scan the one that the list names",
            rule=RULE,
        )
    position = _position_in(container, place)
    if picklist is not None:
        must_be_usable(keeping)
    promised = place.promised.get(container.id)
    if promised is not None and promised != picklist:
        raise _refuse(
            "container-promised", container, f"promised to picklist {promised}",
            "a container that is free", "pick it for that list, or leave that line first",
        )  # fmt: skip
    if not to.strip():
        raise _refuse("place-unchanged", container, "nothing", "where it is taken", "say where to")
    holder = container.holder or ""
    if holder == by:
        custody = move(container, place=to, by=by, evidence=evidence)
    else:
        custody = _hand_over(container, holder, by, to, evidence)
    why = Leaving.TAKEN if picklist is None else Leaving.PICKED
    left = PositionEmptied(
        position=position, container=container.id, why=why, by=by, evidence=evidence
    )
    return [*custody, Entry(place.stream, left)]


def leave(container: Container, place: Place, *, why: Leaving, by: str) -> list[Entry]:
    """Give the fact that frees the position of a container that left it in another way."""
    position = place.position_of(container.id)
    if position is None:
        return []
    left = PositionEmptied(
        position=position, container=container.id, why=why, by=by, evidence=Evidence.SCANNED
    )
    return [Entry(place.stream, left)]


def enter(
    keeping: Keeping,
    path: Path,
    *,
    by: str,
    evidence: Evidence,
    around: Sequence[Place],
    rules: SegregationRules,
    at: Instant,
) -> list[Entry]:
    """Give the fact of a container brought into a cleanroom by its holder.

    Raises:
        Refused: The place is a box, shelf, rack or tank, whose positions are scanned; segregation.
    """
    place = path[0]
    if keeper_of(path) is not None:
        raise Refused(
            "place-needs-scan",
            what=f"container {keeping.id} into place {place.id}",
            found="moved there without a position",
            limit="put into a position by scan of container and place",
            remedy="put it away in the store, by scan of both",
            rule=RULE,
        )
    chosen = place.choose_position("")
    must_be_allowed(keeping.kept(), path, around=around, rules=rules, at=at)
    filled = PositionFilled(
        position=chosen,
        stowed=keeping.stowed(),
        by=by,
        evidence=evidence,
        rules=rules.heading.id,
    )
    return [Entry(place.stream, filled)]


def _hand_over(
    container: Container, giver: str, receiver: str, place: str, evidence: Evidence
) -> list[Entry]:
    """Give both sides of a hand-over, read at one moment."""
    opened = offer(container, by=giver, to=receiver, evidence=evidence)
    offered = container.with_fact(opened[0].fact)
    closed = receive(offered, by=receiver, place=place, scanned=container.id, evidence=evidence)
    return [*opened, *closed]


def _position_in(container: Container, place: Place) -> str:
    position = place.position_of(container.id)
    if position is None or container.place != where(place.id, position):
        raise _refuse(
            "container-not-stored", container, container.place or "no place on record",
            "a container in a position of the store", "audit the place, or scan again",
        )  # fmt: skip
    return position


def _refuse(code: str, container: Container, found: str, limit: str, remedy: str) -> Refused:
    return Refused(
        code, what=f"container {container.id}", found=found, limit=limit, remedy=remedy, rule=RULE
    )
