"""An audit: what was scanned in a place against what the record has there.

A difference becomes facts of the containers themselves: what is not there is missing, what was
missing is found, and what belongs elsewhere is taken out, so that it is judged by the rules of
segregation when it is put where it belongs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from anlage.base import Refused
from anlage.record import Entry

from ..container import Container, find, miss, move, see
from ..container_fact import Evidence
from .place import Place
from .place_fact import (
    RULE,
    Leaving,
    PlaceAudited,
    PositionEmptied,
    PositionFilled,
)
from .request import AuditPlace
from .stow import where

FOUND_MAX = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What an audit found.

    Attributes:
        missing: Containers of the record that were not scanned.
        foreign: Containers scanned that the record does not have here.
        shifted: Container to the position it stood in, where the record has another.
    """

    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    shifted: Mapping[str, str]


def compare_place(place: Place, request: AuditPlace) -> Comparison:
    """Compare what was scanned with what the record has.

    Raises:
        Refused: A position is none of the grid, or a container was scanned in two.
    """
    at: dict[str, str] = {}
    for text, container in request.positions.items():
        position = place.terms.position(text)
        if position is None or container.strip() in at:
            found = f"position {text[:20]}" if position is None else f"{container[:80]} in two"
            raise _malformed(place, found)
        at[container.strip()] = position
    scanned = dict.fromkeys([one.strip() for one in request.scanned if one.strip()]) | at
    if len(scanned) > FOUND_MAX or len(set(at.values())) < len(at):
        raise _malformed(place, f"{len(scanned)} containers, or two in one position")
    expected = {one.container: position for position, one in place.stowed.items()}
    for position in set(at.values()) & place.stowed.keys():
        there = place.stowed[position].container
        if there in scanned and there not in at:
            raise _malformed(place, f"{there} scanned, but not in which position")
    return Comparison(
        missing=tuple(one for one in expected if one not in scanned),
        foreign=tuple(one for one in scanned if one not in expected),
        shifted={one: at[one] for one in at if one in expected and expected[one] != at[one]},
    )


def audit(
    place: Place,
    request: AuditPlace,
    containers: Mapping[str, tuple[Container, Place | None]],
    *,
    by: str,
) -> list[Entry]:
    """Give the facts of an audit.

    Args:
        place: The place that was scanned.
        request: What was scanned.
        containers: Every missing, foreign or shifted container, with the place in whose position
            the record has it.
        by: Who scanned; holds from then on what does not belong.

    Raises:
        Refused: The scan cannot be, or nothing is said of where the foreign ones were put.
    """
    place.must_exist()
    found = compare_place(place, request)
    if found.foreign and not request.aside.strip():
        raise Refused(
            "aside-missing",
            what=f"audit of {place.id}",
            found=f"{', '.join(found.foreign)[:200]} does not belong here",
            limit="where you put what does not belong",
            remedy="take it out and say where you put it; then put it where it belongs",
            rule=RULE,
        )
    evidence = request.evidence
    entries: list[Entry] = []
    for name in found.missing:
        container, _ = containers[name]
        entries += miss(container, evidence=evidence)
        entries.append(_left(place, container, Leaving.MISSED, by, evidence))
    entries += _shift(place, found.shifted, containers, by, evidence)
    for name in found.foreign:
        container, elsewhere = containers[name]
        entries += _aside(container, place, request.aside.strip(), by, evidence)
        if elsewhere is not None and elsewhere.position_of(name) is not None:
            entries.append(_left(elsewhere, container, Leaving.ELSEWHERE, by, evidence))
    audited = PlaceAudited(
        expected=len(place.stowed),
        found=len(place.stowed) - len(found.missing) + len(found.foreign),
        missing=found.missing,
        foreign=found.foreign,
        shifted=tuple(found.shifted),
        by=by,
        evidence=evidence,
    )
    return [*entries, Entry(place.stream, audited)]


def _shift(
    place: Place,
    shifted: Mapping[str, str],
    containers: Mapping[str, tuple[Container, Place | None]],
    by: str,
    evidence: Evidence,
) -> list[Entry]:
    """Give the facts of containers in another position than the record has; empty, then fill."""
    empty, fill = [], []
    for name, position in shifted.items():
        container, _ = containers[name]
        old = place.position_of(name) or ""
        address = where(place.id, position)
        empty += move(container, place=address, by=container.holder or "", evidence=evidence)
        empty.append(_left(place, container, Leaving.MOVED, by, evidence))
        filled = PositionFilled(
            position=position, stowed=place.stowed[old], by=by, evidence=evidence, rules="audit"
        )
        fill.append(Entry(place.stream, filled))
    return [*empty, *fill]


def _aside(
    container: Container, place: Place, aside: str, by: str, evidence: Evidence
) -> list[Entry]:
    """Give the facts of a container found where it does not belong; none for a stranger."""
    if not container.exists:
        return []
    entries: list[Entry] = []
    if container.place is not None or container.inside is not None:
        entries += see(container, place=place.id, evidence=evidence)
        entries += miss(container, evidence=evidence)
    for entry in entries:
        container = container.with_fact(entry.fact)
    return [*entries, *find(container, place=aside, by=by, evidence=evidence)]


def _left(place: Place, container: Container, why: Leaving, by: str, evidence: Evidence) -> Entry:
    emptied = PositionEmptied(
        position=place.position_of(container.id) or "",
        container=container.id,
        why=why,
        by=by,
        evidence=evidence,
    )
    return Entry(place.stream, emptied)


def _malformed(place: Place, found: str) -> Refused:
    return Refused(
        "audit-malformed",
        what=f"audit of {place.id}",
        found=found,
        limit="each container once, each in a position of the grid",
        remedy="scan the place again",
        rule=RULE,
    )
