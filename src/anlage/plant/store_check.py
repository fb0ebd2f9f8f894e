"""What an offline verifier asks of the facts of materials, equipment and rooms.

The bytes prove that nothing was changed; this judges whether what they say may be so: nothing was
used that was not usable, no balance fell below zero, no two patients' lots were open in one place.
Where an export withholds facts of other patients' lots, amounts are not judged.
"""

from collections.abc import Iterable, Sequence

from anlage.base import Problem, Refused
from anlage.record import Recorded

from .equipment import (
    EquipmentUnit,
)
from .equipment_fact import (
    EquipmentCleared,
    EquipmentTaken,
)
from .material import MaterialLot
from .material_fact import MaterialConsumed, MaterialReceived, MaterialReleased
from .room import LineCleared, Room, RoomEntered


def check_store(facts: Sequence[Recorded]) -> list[Problem]:
    """Give every problem in the facts of materials, equipment and rooms; none is a sound record."""
    streams: dict[str, list[Recorded]] = {}
    for one in facts:
        if one.stream.family in {"material", "equipment", "room"}:
            streams.setdefault(str(one.stream), []).append(one)
    by_number = {one.number: one for one in facts}
    problems: list[Problem] = []
    for recorded in streams.values():
        recorded.sort(key=lambda one: one.version)
        family = recorded[0].stream.family
        if family == "material":
            problems += _material(recorded, by_number)
        elif family == "equipment":
            problems += _equipment(recorded)
        else:
            problems += _room(recorded)
    return problems


def _material(facts: list[Recorded], by_number: dict[int, Recorded]) -> Iterable[Problem]:
    lot = MaterialLot.begin(facts[0].stream)
    is_whole = not any(one.is_withheld for one in facts)
    for one in facts:
        if one.is_withheld:
            continue
        said = one.fact
        if isinstance(said, MaterialReceived):
            if lot.status is not None:
                yield _problem(one, "received twice", "one receipt")
            if sum(pack.amount for pack in said.packs) != said.amount:
                yield _problem(one, "packs that do not add up", f"{said.amount}")
        elif lot.status is None:
            yield _problem(one, f"{one.kind} before receipt", "a receipt first")
            return
        if isinstance(said, MaterialReleased) and said.signature.person == lot.received_by:
            yield _problem(one, "released by who took it in", "another person")
        if isinstance(said, MaterialConsumed):
            yield from _use(lot, one, said, by_number)
        try:
            lot = lot.after(one)
        except KeyError as missing:
            yield _problem(one, f"unknown pack or use {missing}", "one of this material lot")
            return
        if is_whole and (lot.balance.left < 0 or any(p.left < 0 for p in lot.packs.values())):
            yield _problem(one, f"a balance of {lot.book}", "0 or more")
    if is_whole and not lot.balance.is_even:
        yield _problem(facts[-1], f"in and out differ: {lot.balance}", "what came in is accounted")


def _use(
    lot: MaterialLot, one: Recorded, said: MaterialConsumed, by_number: dict[int, Recorded]
) -> Iterable[Problem]:
    if lot.dedicated_to not in {None, said.subject}:
        yield _problem(one, f"used for {said.subject}", f"only for {lot.dedicated_to}")
    if said.authorised is not None:
        given = by_number.get(said.authorised)
        misplaced = given is not None and str(given.stream) != said.subject
        if said.authorised >= one.number or misplaced:
            yield _problem(one, f"authorised by fact {said.authorised}", "an authorisation before")
        return
    for problem in lot.against_use(
        material_class=None, at=one.happened, pack=said.pack, late=said.is_late
    ):
        yield _problem(one, problem.found or "not usable", problem.limit or "usable")


def _equipment(facts: list[Recorded]) -> Iterable[Problem]:
    if any(one.is_withheld for one in facts):
        return
    unit = EquipmentUnit.begin(facts[0].stream)
    for one in facts:
        said = one.fact
        if isinstance(said, EquipmentTaken):
            try:
                unit.must_be_apart(said.lot, said.handling)
                if said.authorised is None:
                    unit.must_be_ready(lot=said.lot, at=one.happened, handling=said.handling)
            except Refused as refused:
                for problem in refused.problems:
                    yield _problem(one, problem.found or "", problem.limit or "")
        if isinstance(said, EquipmentCleared) and said.signature.person == unit.cleaned_by:
            yield _problem(one, "cleared by who cleaned it", "a second person")
        unit = unit.after(one)


def _room(facts: list[Recorded]) -> Iterable[Problem]:
    if any(one.is_withheld for one in facts):
        return
    room = Room.begin(facts[0].stream)
    for one in facts:
        said = one.fact
        if isinstance(said, RoomEntered):
            try:
                room.must_be_apart(said.lot, said.handling)
                if said.authorised is None:
                    room.must_be_cleared(said.lot, one.happened)
            except Refused as refused:
                for problem in refused.problems:
                    yield _problem(one, problem.found or "", problem.limit or "")
        if isinstance(said, LineCleared) and said.signature.person == said.by:
            yield _problem(one, "cleared and checked by one person", "a second person")
        room = room.after(one)


def _problem(one: Recorded, found: str, limit: str) -> Problem:
    return Problem(
        code=f"{one.stream.family}-fact-unsound",
        what=f"fact {one.number} of {one.stream}",
        found=found,
        limit=limit,
        remedy="ask the site how this came to be recorded",
        path=f"facts/{one.number}",
    )
