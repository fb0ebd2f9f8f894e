"""A container's state, and the decisions about it: move, hand over, pack, split, pool, end.

A container has one place and one accountable holder, or is inside another container. Decisions
receive every state that they judge and give facts, or refuse. A wrong patient has no override.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from anlage.base import Instant, Quantity, Refused
from anlage.record import Entry, Recorded, Stream

from .container_fact import (
    ContainerAssigned,
    ContainerCreated,
    ContainerDrawn,
    ContainerEnded,
    ContainerFound,
    ContainerMissed,
    ContainerMoved,
    ContainerPacked,
    ContainerSeen,
    ContainerUnpacked,
    CustodyFact,
    End,
    Evidence,
    HandOverClosed,
    HandOverOpened,
    HandOverWithdrawn,
)

RULE = "ISO 21973; FACT and JACIE chain of custody"
_PARTS_MAX = 500
_FACTS = CustodyFact.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What a container's facts amount to.

    Attributes:
        id: The container.
        vessel: bag, tube, straw, shipper; empty before it is created.
        place: Where it stands; None inside another container, or missing.
        holder: Who answers for it; None inside another container, or missing.
        inside: The container that it is in.
        offered_to: The receiver of an open hand-over.
        end: How it ended; None while it lives.
        checked_at: When band, bag and order were last found to agree; None before.
    """

    id: str
    vessel: str = ""
    coi: str | None = None
    lot: str | None = None
    amount: Quantity | None = None
    place: str | None = None
    holder: str | None = None
    inside: str | None = None
    offered_to: str | None = None
    end: End | None = None
    checked_at: Instant | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a container without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"container/{self.id}")

    @property
    def exists(self) -> bool:
        """True from its creation to its end."""
        return bool(self.vessel) and self.end is None

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        state = self.with_fact(recorded.fact)
        if recorded.kind == "bedside-checked":
            state = replace(state, checked_at=recorded.happened)
        return state

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case ContainerCreated():
                return replace(
                    self,
                    vessel=fact.vessel,
                    coi=fact.coi,
                    lot=fact.lot,
                    amount=fact.amount,
                    place=fact.place,
                    holder=fact.holder,
                )
            case ContainerAssigned():
                return replace(self, coi=fact.coi)
            case ContainerMoved():
                return replace(self, place=fact.place, holder=fact.holder)
            case HandOverOpened():
                return replace(self, offered_to=fact.receiver)
            case HandOverWithdrawn():
                return replace(self, offered_to=None)
            case HandOverClosed():
                return replace(self, holder=fact.receiver, place=fact.place, offered_to=None)
            case ContainerPacked():
                return replace(self, inside=fact.into, place=None, holder=None)
            case ContainerUnpacked() | ContainerFound():
                return replace(self, inside=None, place=fact.place, holder=fact.holder)
            case ContainerDrawn():
                left = self.amount
                if left is not None:
                    left = Quantity(left.value - fact.amount.to(left.unit).value, left.unit)
                return replace(self, amount=left)
            case ContainerMissed():
                return replace(self, place=None, holder=None, inside=None, offered_to=None)
            case ContainerEnded():
                return replace(self, end=fact.how, place=None, holder=None, inside=None)
            case _:
                return self


def create(container: Container, created: ContainerCreated) -> list[Entry]:
    """Give the fact of a container that comes to be.

    Raises:
        Refused: It exists already, or vessel, place or holder is empty.
    """
    _must_be_new(container)
    if not (created.vessel.strip() and created.place.strip() and created.holder.strip()):
        raise _refuse("container-incomplete", container, "an empty field", "vessel, place, holder")
    return [Entry(container.stream, created)]


def move(container: Container, *, place: str, by: str, evidence: Evidence) -> list[Entry]:
    """Give the fact of a move by the holder.

    Raises:
        Refused: The container is not there to be moved, or somebody else answers for it.
    """
    _must_be_held(container, by)
    if place == container.place or not place.strip():
        raise _refuse("place-unchanged", container, place or "nothing", "another place")
    return [
        Entry(
            container.stream,
            ContainerMoved(origin=container.place or "", place=place, holder=by, evidence=evidence),
        )
    ]


def offer(container: Container, *, by: str, to: str, evidence: Evidence) -> list[Entry]:
    """Give the fact that opens a hand-over; the giver goes on answering for the container.

    Raises:
        Refused: Somebody else answers for it, or a hand-over is open.
    """
    _must_be_held(container, by)
    if container.offered_to is not None:
        raise _refuse(
            "hand-over-open", container, f"offered to {container.offered_to}", "no open hand-over"
        )
    if to == by or not to.strip():
        raise _refuse("hand-over-to-self", container, to or "nobody", "another person")
    return [Entry(container.stream, HandOverOpened(giver=by, receiver=to, evidence=evidence))]


def withdraw(container: Container, *, by: str, evidence: Evidence) -> list[Entry]:
    """Give the fact that takes an offer back.

    Raises:
        Refused: No hand-over is open, or somebody else opened it.
    """
    _must_be_held(container, by)
    if container.offered_to is None:
        raise _refuse("hand-over-not-open", container, "no offer", "an open hand-over")
    return [Entry(container.stream, HandOverWithdrawn(giver=by, evidence=evidence))]


def receive(
    container: Container,
    *,
    by: str,
    place: str,
    scanned: str,
    evidence: Evidence,
    roles: Collection[str] = (),
) -> list[Entry]:
    """Give the fact that closes a hand-over: the receiver scanned the container and takes it.

    Args:
        container: What is taken over.
        by: Who takes it.
        place: Where.
        scanned: What was read from its label.
        evidence: How this is known.
        roles: The roles that the receiver holds, for an offer to a role.

    Raises:
        Refused: It is inside another container, was not offered to this receiver, or another
            container was scanned.
    """
    _must_be_by_itself(container)
    if scanned != container.id:
        raise Refused(
            "identity-mismatch",
            what=f"container {container.id}",
            found=scanned,
            limit=container.id,
            remedy="stop: this is another container; call the sender and quality",
            rule=RULE,
        )
    if container.offered_to != by and container.offered_to not in {f"role/{one}" for one in roles}:
        raise _refuse(
            "hand-over-not-open",
            container,
            f"offered to {container.offered_to or 'nobody'}",
            f"an offer to {by}",
        )
    closed = HandOverClosed(
        giver=container.holder or "", receiver=by, place=place, evidence=evidence
    )
    return [Entry(container.stream, closed)]


def take_over(container: Container, *, by: str, place: str, evidence: Evidence) -> list[Entry]:
    """Give the facts by which whoever has a container in hand answers for it, at a place.

    Nothing when they do already. Where nobody offered it, the taking stands alone: cells do not
    wait for a form, and the custody proof shows the time before as a gap.

    Raises:
        Refused: It does not exist, or is inside another container.
    """
    _must_be_by_itself(container)
    if container.place is None:
        return find(container, place=place, by=by, evidence=evidence)
    if container.holder != by:
        giver = container.holder or ""
        closed = HandOverClosed(giver=giver, receiver=by, place=place, evidence=evidence)
        return [Entry(container.stream, closed)]
    return (
        move(container, place=place, by=by, evidence=evidence) if place != container.place else []
    )


def assign(container: Container, *, coi: str, by: str) -> list[Entry]:
    """Give the fact that sets a container of a lot for many aside for one patient.

    Raises:
        Refused: It does not exist, or is another patient's.
    """
    _must_live(container)
    if container.coi is not None:
        raise Refused(
            "identity-mismatch",
            what=f"container {container.id}",
            found=f"set aside for {container.coi}",
            limit=f"a container of nobody, for {coi}",
            remedy="choose another container; this one is another patient's",
            rule=RULE,
        )
    return [Entry(container.stream, ContainerAssigned(coi=coi, by=by))]


def pack(
    container: Container, into: Container, *, by: str, evidence: Evidence, position: str = ""
) -> list[Entry]:
    """Give the fact that puts a container into another at the same place.

    Raises:
        Refused: One of them is not held by this person, they are apart, or one is in the other.
    """
    _must_be_held(container, by)
    _must_be_held(into, by)
    if container.id == into.id or into.inside == container.id:
        raise _refuse("packed-into-itself", container, into.id, "another container")
    if container.place != into.place:
        raise _refuse(
            "containers-apart", container, f"{container.place} and {into.place}", "one place"
        )
    if into.coi is not None and into.coi != container.coi:
        raise _wrong_patient(container, into)
    packed = ContainerPacked(into=into.id, holder=by, evidence=evidence, position=position)
    return [Entry(container.stream, packed)]


def unpack(container: Container, out_of: Container, *, by: str, evidence: Evidence) -> list[Entry]:
    """Give the fact that takes a container out of the one it is in.

    Raises:
        Refused: It is not in that container, or the outer one is not held by this person.
    """
    _must_live(container)
    _must_be_held(out_of, by)
    if container.inside != out_of.id:
        raise _refuse(
            "not-inside", container, container.inside or "no container", f"inside {out_of.id}"
        )
    unpacked = ContainerUnpacked(
        origin=out_of.id, place=out_of.place or "", holder=by, evidence=evidence
    )
    return [Entry(container.stream, unpacked)]


def split(
    container: Container,
    parts: Mapping[str, Quantity],
    *,
    vessel: str,
    by: str,
    evidence: Evidence,
    is_measured: bool = True,
) -> list[Entry]:
    """Give the facts that fill new containers from one; what goes out must have been in it.

    Args:
        container: What is drawn from.
        parts: New container to its amount.
        vessel: What they are.
        by: Who does it.
        evidence: How this is known.
        is_measured: False for a vessel of a running process whose volume nobody measured: then only
            what goes out is on record.

    Raises:
        Refused: More goes out than is in it, its amount is unknown, or a part is not above zero.
    """
    _must_be_held(container, by)
    if not parts or len(parts) > _PARTS_MAX or container.id in parts:
        raise _refuse("split-malformed", container, f"{len(parts)} parts", f"1 to {_PARTS_MAX}")
    held = _amount(container) if is_measured else container.amount
    unit = held.unit if held is not None else next(iter(parts.values())).unit
    out = [amount.to(unit) for amount in parts.values()]
    total = sum((amount.value for amount in out), start=out[0].value * 0)
    if any(amount.value <= 0 for amount in out) or (held is not None and total > held.value):
        limit = f"at most {held}" if held is not None else "amounts above zero"
        raise _refuse("mass-balance", container, f"{total} {unit} going out", limit)
    drawn = ContainerDrawn(amount=Quantity(total, unit), into=tuple(parts), evidence=evidence)
    entries = [Entry(container.stream, drawn)]
    if held is not None and total == held.value:
        ended = ContainerEnded(how=End.USED_UP, holder=by, evidence=evidence)
        entries.append(Entry(container.stream, ended))
    for name, amount in parts.items():
        created = ContainerCreated(
            vessel=vessel,
            place=container.place or "",
            holder=by,
            evidence=evidence,
            coi=container.coi,
            lot=container.lot,
            amount=amount,
            sources=(container.id,),
        )
        entries.append(Entry(Stream(f"container/{name}"), created))
    return entries


def transfer(
    sources: Sequence[Container],
    into: Container,
    *,
    vessel: str,
    by: str,
    evidence: Evidence,
    amount: Quantity | None = None,
    added: Quantity | None = None,
    place: str | None = None,
    may_mix: bool = False,
) -> list[Entry]:
    """Give the facts that bring the whole of one or more containers into a new one.

    Where all amounts are known, no more comes to be than went in; less is what a wash takes away.

    Args:
        sources: One or more containers of one patient.
        into: The new container, without history.
        vessel: What it is.
        by: Who does it and answers for all of them.
        evidence: How this is known.
        amount: What is in it then; None when nobody measured it.
        added: Material that went in beside the sources.
        place: Where it stands; with the first source when None.
        may_mix: True only where the product's own rule allows cells of several donors.

    Raises:
        Refused: Cells of two patients would meet, somebody else holds one, or mass comes from
            nowhere.
    """
    if not sources or len(sources) > _PARTS_MAX or len({s.id for s in sources}) < len(sources):
        raise _refuse("pool-malformed", into, f"{len(sources)} sources", "one or more, each once")
    _must_be_new(into)
    for source in sources:
        _must_be_held(source, by)
        if source.coi != sources[0].coi and not may_mix:
            raise _wrong_patient(source, sources[0])
    _must_balance(sources, into, amount, added)
    entries: list[Entry] = []
    for source in sources:
        if source.amount is not None:
            drawn = ContainerDrawn(amount=source.amount, into=(into.id,), evidence=evidence)
            entries.append(Entry(source.stream, drawn))
        ended = ContainerEnded(how=End.USED_UP, holder=by, evidence=evidence)
        entries.append(Entry(source.stream, ended))
    one = all(source.coi == sources[0].coi for source in sources)
    lots = {source.lot for source in sources if source.lot}
    created = ContainerCreated(
        vessel=vessel,
        place=place or sources[0].place or "",
        holder=by,
        evidence=evidence,
        coi=sources[0].coi if one else None,
        lot=next(iter(lots)) if len(lots) == 1 else None,
        amount=amount,
        sources=tuple(source.id for source in sources),
        added=added,
    )
    return [*entries, Entry(into.stream, created)]


def pool(
    sources: Sequence[Container],
    into: Container,
    *,
    vessel: str,
    by: str,
    evidence: Evidence,
    may_mix: bool = False,
) -> list[Entry]:
    """Give the facts that pour whole containers together into a new one.

    Args:
        sources: Two or more containers at one place.
        into: The new container, without history.
        vessel: What it is.
        by: Who does it and answers for all of them.
        evidence: How this is known.
        may_mix: True only where the product's own rule allows cells of several donors.

    Raises:
        Refused: Cells of two patients would meet, or the containers are apart.
    """
    if len(sources) < 2 or len(sources) > _PARTS_MAX or len({s.id for s in sources}) < len(sources):
        raise _refuse("pool-malformed", into, f"{len(sources)} sources", "two or more, each once")
    _must_be_new(into)
    for source in sources:
        _must_be_held(source, by)
        if source.place != sources[0].place:
            raise _refuse(
                "containers-apart", source, f"{source.place} and {sources[0].place}", "one place"
            )
        if source.coi != sources[0].coi and not may_mix:
            raise _wrong_patient(source, sources[0])
    unit = _amount(sources[0]).unit
    amounts = [_amount(source).to(unit) for source in sources]
    total = sum((amount.value for amount in amounts), start=amounts[0].value * 0)
    entries: list[Entry] = []
    for source, amount in zip(sources, amounts, strict=True):
        drawn = ContainerDrawn(amount=amount, into=(into.id,), evidence=evidence)
        ended = ContainerEnded(how=End.POOLED, holder=by, evidence=evidence)
        entries += [Entry(source.stream, drawn), Entry(source.stream, ended)]
    one = all(source.coi == sources[0].coi for source in sources)
    created = ContainerCreated(
        vessel=vessel,
        place=sources[0].place or "",
        holder=by,
        evidence=evidence,
        coi=sources[0].coi if one else None,
        lot=sources[0].lot if len({s.lot for s in sources}) == 1 else None,
        amount=Quantity(total, unit),
        sources=tuple(source.id for source in sources),
    )
    return [*entries, Entry(into.stream, created)]


def see(container: Container, *, place: str, evidence: Evidence) -> list[Entry]:
    """Give the fact of a container seen at a place, whether the record has it there or not.

    Raises:
        Refused: It does not exist.
    """
    _must_live(container)
    return [Entry(container.stream, ContainerSeen(place=place, evidence=evidence))]


def miss(container: Container, *, evidence: Evidence) -> list[Entry]:
    """Give the fact of a container that nobody can find.

    Raises:
        Refused: It does not exist, or is missed already.
    """
    _must_live(container)
    if container.place is None and container.inside is None:
        raise _refuse("container-missed", container, "missed already", "a known place")
    return [Entry(container.stream, ContainerMissed(evidence=evidence))]


def find(container: Container, *, place: str, by: str, evidence: Evidence) -> list[Entry]:
    """Give the fact of a missed container found again.

    Raises:
        Refused: It does not exist, or was not missed.
    """
    _must_live(container)
    if container.place is not None or container.inside is not None:
        raise _refuse("container-not-missed", container, "a known place", "a missed container")
    return [Entry(container.stream, ContainerFound(place=place, holder=by, evidence=evidence))]


def finish(container: Container, *, how: End, by: str, evidence: Evidence) -> list[Entry]:
    """Give the fact that ends a container: discarded or used up; infusion has its own decision.

    Raises:
        Refused: Somebody else answers for it, a hand-over is open, or it is to be infused.
    """
    _must_be_held(container, by)
    if how is End.INFUSED:
        raise _refuse("bedside-check-missing", container, "infused without a check", "an infusion")
    if container.offered_to is not None:
        raise _refuse(
            "hand-over-open", container, f"offered to {container.offered_to}", "no open hand-over"
        )
    return [Entry(container.stream, ContainerEnded(how=how, holder=by, evidence=evidence))]


def _must_live(container: Container) -> None:
    if not container.exists:
        found = f"ended: {container.end}" if container.end else "never created"
        raise _refuse("container-not-there", container, found, "a container in use")


def _must_be_by_itself(container: Container) -> None:
    _must_live(container)
    if container.inside is not None:
        raise _refuse(
            "container-packed", container, f"inside {container.inside}", "a container by itself"
        )


def _must_be_held(container: Container, by: str) -> None:
    _must_be_by_itself(container)
    if container.place is None:
        raise _refuse("container-missed", container, "nobody knows where it is", "a known place")
    if container.holder != by:
        raise _refuse(
            "not-the-holder", container, f"held by {container.holder}, asked by {by}", "its holder"
        )


def _must_be_new(container: Container) -> None:
    if container.vessel:
        raise _refuse("container-exists", container, "a history of its own", "a number not used")


def _must_balance(
    sources: Sequence[Container], into: Container, amount: Quantity | None, added: Quantity | None
) -> None:
    """See that no more comes to be than went in, as far as amounts are known."""
    known = [source.amount for source in sources if source.amount is not None]
    if amount is None or len(known) < len(sources):
        return
    parts = [one.to(amount.unit).value for one in (*known, *([added] if added else []))]
    if (total := sum(parts)) < amount.value:
        raise _refuse(
            "mass-balance", into, f"{amount} came to be", f"at most {total} {amount.unit} went in"
        )


def _amount(container: Container) -> Quantity:
    if container.amount is None:
        raise _refuse("amount-unknown", container, "no amount on record", "a known amount")
    return container.amount


def _wrong_patient(one: Container, other: Container) -> Refused:
    return Refused(
        "identity-mismatch",
        what=f"container {one.id}",
        found=f"chain of identity {one.coi}",
        limit=f"{other.coi}, as container {other.id}",
        remedy="stop: these are two patients' materials; separate them and call quality",
        rule=RULE,
    )


def _refuse(code: str, container: Container, found: str, limit: str) -> Refused:
    remedies = {
        "not-the-holder": "have the holder act, or hand the container over first",
        "hand-over-open": "have the receiver take it, or withdraw the offer",
        "hand-over-not-open": "have the holder offer it first",
        "container-missed": "find it first, and record where",
        "container-packed": "unpack it first",
        "bedside-check-missing": "scan band and bag, then record the infusion with its leftovers",
        "mass-balance": "check the amounts; what goes out must have been in it",
    }
    return Refused(
        code,
        what=f"container {container.id}",
        found=found,
        limit=limit,
        remedy=remedies.get(code, "check the container's history and scan it again"),
        rule=RULE,
    )


def is_custody_fact(fact: object) -> bool:
    """Tell whether a fact is one of a container's custody."""
    return isinstance(fact, _FACTS)
