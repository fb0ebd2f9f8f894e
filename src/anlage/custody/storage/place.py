"""A place of storage: what it is for, where it stands, what stands in it, whether it is clear."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from anlage.base import Identifier, Instant, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream

from ..codes.check_character import mod10
from .keeping import as_kept
from .place_fact import (
    RULE,
    InfectiousPolicy,
    PlaceChanged,
    PlaceCleaned,
    PlaceCleared,
    PlaceClosed,
    PlaceKind,
    PlaceMoved,
    PlaceRegistered,
    PlaceSetIn,
    PlaceTakenOut,
    PlaceTerms,
    PositionEmptied,
    PositionFilled,
    PositionFreed,
    PositionReserved,
    Stowed,
    terms_must_be_sound,
)
from .request import ChangePlace, CleanPlace, MovePlace, RegisterPlace, terms_of
from .segregation import Kept, PlaceRule, conflicts
from .segregation_rules import SegregationRules

DEPTH_MAX = 8
NAME_MAX = 80
T = TypeVar("T")


class PlaceId(Identifier):
    """The code of a place, as on its label; a position is written behind it, `BOX-7:C4`."""

    pattern = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,47}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a place's facts amount to.

    Attributes:
        id: Its own code.
        kind: What it is; None before it is registered.
        parent: The place that it stands in.
        slot: Where in it.
        children: Smaller places in it, each with its slot.
        stowed: What stands in its positions.
        promised: The picklist that each promised container is for.
        is_closed: True when it is used no longer.
        to_clean: True from its emptying until it is cleaned and cleared, where it is reusable.
        cleaned_by: Who cleaned it since; None before.
        last_patient: Whose materials left it last.
        last_left: When.
    """

    id: str
    name: str = ""
    kind: PlaceKind | None = None
    terms: PlaceTerms = field(default_factory=PlaceTerms)
    parent: str | None = None
    slot: str = ""
    gln: str | None = None
    children: Mapping[str, str] = field(default_factory=dict)
    stowed: Mapping[str, Stowed] = field(default_factory=dict)
    promised: Mapping[str, str] = field(default_factory=dict)
    is_closed: bool = False
    to_clean: bool = False
    cleaned_by: str | None = None
    last_patient: str | None = None
    last_left: Instant | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a place without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"place/{self.id}")

    @property
    def exists(self) -> bool:
        """True from its registration until it is closed."""
        return self.kind is not None and not self.is_closed

    @property
    def free(self) -> int:
        """How many more containers it takes."""
        return self.terms.size - len(self.stowed)

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact, recorded.happened)

    def with_fact(self, fact: object, at: Instant | None = None) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case PlaceRegistered():
                return replace(
                    self,
                    name=fact.name,
                    kind=fact.kind_of,
                    terms=fact.terms,
                    parent=fact.parent,
                    slot=fact.slot,
                    gln=fact.gln,
                )
            case PlaceChanged():
                return replace(self, terms=fact.new)
            case PlaceSetIn():
                return replace(self, children={**self.children, fact.place: fact.slot})
            case PlaceTakenOut():
                rest = {one: slot for one, slot in self.children.items() if one != fact.place}
                return replace(self, children=rest)
            case PlaceMoved():
                return replace(self, parent=fact.parent, slot=fact.slot)
            case PlaceClosed():
                return replace(self, is_closed=True)
            case PlaceCleaned():
                return replace(self, cleaned_by=fact.by)
            case PlaceCleared():
                return replace(self, to_clean=False, cleaned_by=None)
            case PositionFilled():
                return replace(self, stowed={**self.stowed, fact.position: fact.stowed})
            case PositionEmptied():
                return self._without(fact, at)
            case PositionReserved():
                return replace(self, promised={**self.promised, fact.container: fact.picklist})
            case PositionFreed():
                return replace(self, promised=_less(self.promised, fact.container))
            case _:
                return self

    def _without(self, fact: PositionEmptied, at: Instant | None) -> Self:
        gone = self.stowed.get(fact.position)
        if gone is None or gone.container != fact.container:
            return self
        stowed = _less(self.stowed, fact.position)
        left = replace(self, stowed=stowed, promised=_less(self.promised, fact.container))
        if gone.coi is not None:
            left = replace(left, last_patient=gone.coi, last_left=at)
        if self.terms.is_reusable and not stowed:
            left = replace(left, to_clean=True, cleaned_by=None)
        return left

    def position_of(self, container: str) -> str | None:
        """Give the position that a container stands in; None when it does not."""
        return next((p for p, one in self.stowed.items() if one.container == container), None)

    def must_exist(self) -> None:
        """See that it is in use.

        Raises:
            Refused: `place-unknown`.
        """
        if not self.exists:
            found = "used no longer" if self.is_closed else "never registered"
            raise _refuse(self, "place-unknown", found, "a place in use", "scan its label again")

    def choose_position(self, text: str) -> str:
        """Give the position that something is to be put into; the first free one for a shelf.

        Raises:
            Refused: `position-unknown`, `position-occupied` or `place-full`.
        """
        self.must_exist()
        assert self.kind is not None
        if not self.kind.holds_containers:
            raise _refuse(
                self, "place-holds-no-containers", self.kind.value, "a box, shelf or cleanroom",
                "scan the box or shelf itself",
            )  # fmt: skip
        if not text.strip() and not self.terms.rows:
            free = next((one for one in self.terms.names() if one not in self.stowed), None)
            if free is None:
                raise _refuse(
                    self, "place-full", f"{len(self.stowed)} stand in it",
                    f"at most {self.terms.size}", "choose another place",
                )  # fmt: skip
            return free
        name = self.terms.position(text)
        if name is None:
            last = self.terms.names()[-1]
            raise _refuse(
                self, "position-unknown", repr(text[:20]), f"a position up to {last}",
                "scan or type the position as on the grid",
            )  # fmt: skip
        if name in self.stowed:
            raise _refuse(
                self, "position-occupied", f"{self.stowed[name].container} in {name}",
                "an empty position", "choose a free position; if it is free, audit the place",
            )  # fmt: skip
        return name


Path = Sequence[Place]
"""A place and those around it, from the inside out."""


def register_place(place: Place, request: RegisterPlace, path: Path) -> list[Entry]:
    """Give the facts of a new place.

    Args:
        place: Its own stream's state.
        request: What is asked for.
        path: The place that it is to stand in and those around that.

    Raises:
        Refused: It exists; its terms cannot be; it does not fit into the place around it.
    """
    PlaceId(place.id)
    if place.kind is not None:
        raise _refuse(place, "place-exists", "registered before", "a code not used", "choose one")
    terms = terms_of(request)
    terms_must_be_sound(place.id, request.kind, terms)
    slot = _must_fit_into(place.id, request.kind, request.slot, path)
    if (request.kind is PlaceKind.SITE) != (not path):
        found = "no place around it" if not path else f"a site inside {path[0].id}"
        raise _refuse(place, "place-misplaced", found, "a place around it, save for a site", "say")
    gln = (request.gln or "").strip() or None
    if gln is not None and not _is_gln(gln):
        raise _refuse(place, "gln-malformed", gln[:20], "13 digits, the last a check", "correct it")
    said = PlaceRegistered(
        name=clean_line(request.name, "name", limit=NAME_MAX),
        kind_of=request.kind,
        terms=terms,
        parent=path[0].id if path else None,
        slot=slot,
        gln=gln,
    )
    entries = [Entry(place.stream, said)]
    if path:
        entries.append(Entry(path[0].stream, PlaceSetIn(place=place.id, slot=slot)))
    return entries


def change_place(
    path: Path, request: ChangePlace, *, inside: Sequence[Kept], rules: SegregationRules
) -> list[Entry]:
    """Give the fact of changed terms; all that stands in it must still be allowed there.

    Args:
        path: The place and those around it.
        request: What is asked for.
        inside: Every container in it, at any depth.
        rules: The rules of segregation in force.

    Raises:
        Refused: It is not in use, the terms cannot be, or something in it would not be allowed.
    """
    place = path[0]
    place.must_exist()
    assert place.kind is not None
    terms = replace(
        place.terms,
        classes=tuple(sorted(one.strip().lower() for one in request.classes if one.strip())),
        infectious=request.infectious,
        keeps_min=request.keeps_min,
        keeps_max=request.keeps_max,
        one_patient=request.one_patient,
        is_reusable=request.is_reusable,
    )
    terms_must_be_sound(place.id, place.kind, terms)
    changed = [replace(place, terms=terms), *path[1:]]
    must_stand(inside, changed, rules)
    said = PlaceChanged(old=place.terms, new=terms, reason=clean_line(request.reason, "reason"))
    return [Entry(place.stream, said)]


def move_place(
    path: Path,
    into: Path,
    request: MovePlace,
    *,
    inside: Sequence[Kept],
    around: Sequence[Place],
    rules: SegregationRules,
) -> list[Entry]:
    """Give the facts of a place brought into another, with all that stands in it.

    Args:
        path: The place and those around it.
        into: The place that it is brought into and those around that.
        request: What is asked for.
        inside: Every container in it, at any depth.
        around: The places that stand there, for the rules that look around.
        rules: The rules of segregation in force.

    Raises:
        Refused: It does not fit there, would stand in itself, or something in it is not allowed.
    """
    place = path[0]
    place.must_exist()
    assert place.kind is not None
    if any(one.id == place.id for one in into):
        raise _refuse(place, "place-misplaced", f"into {into[0].id}", "a place not in it", "choose")
    slot = _must_fit_into(place.id, place.kind, request.slot, into)
    if not into or place.parent is None:
        raise _refuse(place, "place-misplaced", "a site", "a place inside a site", "choose another")
    near = [as_kept(one) for other in around for one in other.stowed.values()]
    must_stand(inside, [place, *into], rules, near if place.kind.holds_containers else ())
    reason = clean_line(request.reason, "reason")
    moved = PlaceMoved(origin=place.parent, parent=into[0].id, slot=slot, reason=reason)
    origin = path[1]
    entries = [Entry(origin.stream, PlaceTakenOut(place=place.id, slot=place.slot))]
    entries.append(Entry(into[0].stream, PlaceSetIn(place=place.id, slot=slot)))
    return [*entries, Entry(place.stream, moved)]


def close_place(path: Path, *, reason: str) -> list[Entry]:
    """Give the facts of a place that is used no longer.

    Raises:
        Refused: Something stands in it.
    """
    place = path[0]
    place.must_exist()
    if place.stowed or place.children:
        found = f"{len(place.stowed)} containers and {len(place.children)} places in it"
        raise _refuse(place, "place-not-empty", found, "an empty place", "empty it first")
    entries = [Entry(place.stream, PlaceClosed(reason=clean_line(reason, "reason")))]
    if len(path) > 1:
        entries.append(Entry(path[1].stream, PlaceTakenOut(place=place.id, slot=place.slot)))
    return entries


def clean_place(place: Place, request: CleanPlace, *, by: str) -> list[Entry]:
    """Give the fact of a cleaned place.

    Raises:
        Refused: Something stands in it, or the contact time is not above zero.
    """
    place.must_exist()
    if place.stowed:
        found = f"{len(place.stowed)} containers in it"
        raise _refuse(place, "place-not-empty", found, "an empty place", "empty it first")
    if request.contact.to("min").value <= 0:
        found = str(request.contact)
        raise _refuse(place, "cleaning-too-short", found, "a time above zero", "say how long")
    agent = clean_line(request.agent, "agent", limit=NAME_MAX)
    return [Entry(place.stream, PlaceCleaned(by=by, agent=agent, contact=request.contact))]


def clear_place(place: Place, *, by: str, signature: Signature | None) -> list[Entry]:
    """Give the fact of a place cleared by a second person.

    Raises:
        Refused: It was not cleaned since its last use, by the same person, or nobody signed.
    """
    place.must_exist()
    if place.cleaned_by is None:
        raise _refuse(
            place, "place-not-cleaned", "not cleaned since its last use", "cleaned", "clean it"
        )
    if place.cleaned_by == by:
        raise _refuse(
            place, "second-person-missing", f"{by} cleaned it", "another person",
            "have a second person look and clear it",
        )  # fmt: skip
    if signature is None or signature.person != by:
        raise _refuse(
            place, "signature-missing", "none of the person who clears it",
            "a signature with the meaning cleared", "sign it",
        )  # fmt: skip
    return [Entry(place.stream, PlaceCleared(by=by, signature=signature))]


def rule_on(path: Path) -> PlaceRule:
    """Give what a place takes, with what the places around it say; the strictest holds."""
    place = path[0]
    policies = {one.terms.infectious for one in path}
    taken: frozenset[str] | None = None
    for one in path:
        if one.terms.classes:
            here = frozenset(one.terms.classes)
            taken = here if taken is None else taken & here
    keeper = next((one.terms for one in path if one.terms.keeps_max or one.terms.keeps_min), None)
    return PlaceRule(
        id=place.id,
        classes=frozenset({"(none)"}) if taken is not None and not taken else taken or frozenset(),
        takes_infectious=InfectiousPolicy.NONE not in policies
        and bool(policies & {InfectiousPolicy.ALLOWED, InfectiousPolicy.ONLY}),
        takes_negative=InfectiousPolicy.ONLY not in policies,
        one_patient=place.terms.one_patient,
        clear_first=place.to_clean,
        keeps_min=keeper.keeps_min if keeper else None,
        keeps_max=keeper.keeps_max if keeper else None,
        last_patient=place.last_patient,
        last_left=place.last_left,
    )


def must_be_allowed(
    thing: Kept,
    path: Path,
    *,
    around: Sequence[Place],
    rules: SegregationRules,
    at: Instant,
) -> None:
    """See that a container may stand in a place.

    Raises:
        Refused: With every reason against it.
    """
    near = [as_kept(one) for place in around for one in place.stowed.values()]
    others = [as_kept(one) for one in path[0].stowed.values()]
    found = conflicts(thing, rule_on(path), others, around=near, rules=rules, at=at)
    if found:
        raise Refused.of(found)


def must_stand(
    inside: Sequence[Kept], path: Path, rules: SegregationRules, near: Sequence[Kept] = ()
) -> None:
    """See that what stands in a place, at any depth, may stand where the path leads.

    Raises:
        Refused: With every reason against it.
    """
    rule = replace(rule_on(path), clear_first=False, last_left=None)
    others = inside if path[0].terms.one_patient else ()
    found = [
        problem
        for one in inside
        for problem in conflicts(one, rule, others, around=near, rules=rules)
    ]
    if found:
        raise Refused.of(found[:50])


def keeper_of(path: Path) -> str | None:
    """Give who answers for what stands in a place: its store; None in a room, where people do."""
    if path[0].kind is PlaceKind.CLEANROOM:
        return None
    room = next((one for one in path if one.kind is not None and one.kind.rank <= 1), path[-1])
    return f"store {room.id}"


def _must_fit_into(name: str, kind: PlaceKind, slot: str, path: Path) -> str:
    """Give the slot that a place takes in the one around it."""
    if not path:
        return ""
    parent = path[0]
    parent.must_exist()
    assert parent.kind is not None
    if parent.kind.rank >= kind.rank or parent.kind in (PlaceKind.BOX, PlaceKind.SHELF):
        raise _refuse(
            parent, "place-misplaced", f"{kind.value} {name} in a {parent.kind.value}",
            "site > cleanroom or store > tank > rack > shelf or box", "choose the place around it",
        )  # fmt: skip
    if len(path) >= DEPTH_MAX:
        raise _refuse(parent, "place-misplaced", f"{len(path)} deep", f"{DEPTH_MAX}", "choose")
    taken = {where: one for one, where in parent.children.items() if where and one != name}
    if not parent.terms.size:
        return slot.strip()[:NAME_MAX]
    chosen = parent.terms.position(slot) if slot.strip() else None
    if not slot.strip():
        chosen = next((one for one in parent.terms.names() if one not in taken), None)
    if chosen is None or chosen in taken:
        found = f"slot {slot[:20] or 'any'}: {taken.get(chosen or '', 'none is free')}"
        raise _refuse(parent, "slot-not-free", found, "a free slot of it", "choose another")
    return chosen


def _is_gln(text: str) -> bool:
    return len(text) == 13 and text.isascii() and text.isdigit() and mod10(text[:-1]) == text[-1]


def _less(mapping: Mapping[str, T], key: str) -> dict[str, T]:
    return {one: value for one, value in mapping.items() if one != key}


def _refuse(place: Place, code: str, found: str, limit: str, remedy: str) -> Refused:
    return Refused(
        code, what=f"place {place.id}", found=found, limit=limit, remedy=remedy, rule=RULE
    )
