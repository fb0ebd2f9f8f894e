"""What a step does with the lot's containers, as its recipe says: facts of custody beside its own.

Containers of custody are judged here by custody's own decisions; the lot keeps only which of them
takes which part in the process. An act is scanned when the container's own label was read at it,
otherwise it stands on the signature of the step alone (attested later).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.custody import (
    Container,
    ContainerCreated,
    End,
    Evidence,
    create,
    finish,
    move,
    offer,
    split,
    take_over,
    transfer,
    withdraw,
)
from anlage.record import Entry, Stream

from .errors import IDENTITY
from .lot import Lot
from .lot_fact import LotContainerJoined, LotContainerLeft
from .recipe import ContainerAct, ContainerVerb, Phase
from .recipe_containers import ROOM

VESSELS_MAX = 500
_NEW = (ContainerVerb.TRANSFER, ContainerVerb.CREATE)
_LABELLED = (*_NEW, ContainerVerb.FILL)


def scanned_of(raw: str) -> tuple[str, ...]:
    """Give the container numbers in a field of scans, one scan after the other."""
    return tuple(raw.replace(",", " ").replace(";", " ").split())


def starting_of(lot: Lot) -> tuple[str, ...]:
    """Give the containers of the starting material."""
    streams = [Stream(one) for one in lot.starting if one.partition("/")[0] == "container"]
    return tuple(stream.id for stream in streams)


def new_vessels(lot: Lot, phase: Phase, scans: Mapping[str, str]) -> dict[str, str]:
    """Give the number of each vessel that a phase makes: its label as scanned, else that which was
    printed for it, else the next.
    """
    key = lot.key_of(phase.id)
    found: dict[str, str] = {}
    for act in phase.containers:
        part = act.part if act.verb is ContainerVerb.CREATE else act.into
        if act.verb not in _NEW or part is None:
            continue
        read = scanned_of(scans.get(part, ""))
        printed = lot.printed(key, part)[:1]
        found[part] = clean_line(read[0], "container", limit=96) if read else "".join(printed)
    ahead = 0
    for part, name in found.items():
        if not name:
            found[part] = lot.next_vessel(ahead)
            ahead += 1
    return found


def containers_wanted(lot: Lot, phase: Phase, scans: Mapping[str, str]) -> tuple[str, ...]:
    """Give every container whose state a step's decision has to know."""
    parts = {act.part for act in phase.containers} | {one.source for one in phase.samples}
    names = [name for part in parts if part for name in lot.vessels.get(part, ())]
    if any(act.verb is ContainerVerb.RECEIVE for act in phase.containers):
        names += starting_of(lot)
    return tuple(dict.fromkeys([*names, *new_vessels(lot, phase, scans).values()]))


@dataclass(slots=True)
class Vessels:
    """The containers of one lot while a command is decided.

    Attributes:
        lot: The lot.
        step: The step's key.
        by: Who does it.
        containers: State by container, as loaded.
        scans: What was scanned, by part.
        units: Equipment class to the unit in use.
        room: The room that was named.
        values: Readings by `phase.parameter`.
        happened: When, if not now.
    """

    lot: Lot
    step: str
    by: str
    containers: Mapping[str, Container]
    scans: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    room: str | None = None
    values: Mapping[str, Quantity | str] = field(default_factory=dict)
    happened: Instant | None = None
    is_late: bool = False
    entries: list[Entry] = field(default_factory=list)
    _states: dict[str, Container] = field(default_factory=dict)
    _parts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with what is on record."""
        self._states = dict(self.containers)
        self._parts = dict(self.lot.vessels)
        for part, raw in self.scans.items():
            self._must_be_here(part, scanned_of(raw))

    def act(self, phase: Phase) -> None:
        """Do what a phase says of containers.

        Raises:
            Refused: `identity-mismatch` of a scanned container, or a rule of custody says no.
        """
        made = new_vessels(self.lot, phase, self.scans)
        for act in phase.containers:
            match act.verb:
                case ContainerVerb.RECEIVE:
                    self._receive(act, phase)
                case ContainerVerb.CREATE:
                    self._create(act, made[act.part], phase)
                case ContainerVerb.TRANSFER:
                    self._transfer(act, made[act.into or ""], phase)
                case ContainerVerb.MOVE:
                    self._move(act, phase)
                case ContainerVerb.DISCARD:
                    self._discard(act)
                case ContainerVerb.FILL:
                    pass  # the containers are recorded when each is labelled and filled

    def fill(self, source: str | None, parts: Mapping[str, Quantity], vessel: str) -> None:
        """Fill new containers from a part of the process."""
        for container in self._of(source or "")[:1]:
            held = self._take(container)
            grade = self._grade(*parts)
            self._add(
                split(held, parts, vessel=vessel, by=self.by, evidence=grade, is_measured=False)
            )
            return
        for name, amount in parts.items():
            self._born(name, vessel, self.room or "", amount, self._grade(name))

    def sample(self, source: str, tubes: Mapping[str, Quantity]) -> None:
        """Draw samples from a part of the process into tubes that wait for the laboratory."""
        before = set(self._states)
        filled = tuple(one for one in self._of(source) if one in self.lot.containers)
        if filled:
            self._take_whole(source, filled, tuple(tubes))
        elif self._of(source):
            self.fill(source, tubes, "tube")
        for name in set(self._states) - before:
            self._add(
                offer(
                    self._states[name], by=self.by, to="role/qc-analyst", evidence=self._grade(name)
                )
            )

    def _take_whole(self, part: str, filled: tuple[str, ...], tubes: tuple[str, ...]) -> None:
        """Take whole containers of product as samples, the last filled first."""
        taken = tuple(reversed(filled))[: len(tubes)]
        for container, tube in zip(taken, tubes, strict=False):
            held = self._take(container)
            self._add(
                transfer(
                    [held],
                    Container(id=tube),
                    vessel=held.vessel,
                    by=self.by,
                    evidence=self._grade(tube),
                    amount=held.amount,
                )
            )
        self._leave(part, taken)

    def join(self, part: str, names: tuple[str, ...]) -> None:
        """Say on the lot that containers take a part in its process."""
        for name in names:
            joined = LotContainerJoined(container=name, part=part, step=self.step)
            self.entries.append(Entry(self.lot.stream, joined, self.happened))
            self._parts[part] = (*self._parts.get(part, ()), name)

    def offer_on(self) -> None:
        """Offer what this person holds to whom the lot's next step calls."""
        to = f"lot/{self.lot.id}"
        for part in self._parts.values():
            for name in part:
                state = self._states.get(name)
                if state is None or state.holder != self.by or state.offered_to is not None:
                    continue
                self._add(offer(state, by=self.by, to=to, evidence=self._grade(name)))

    # Acts ------------------------------------------------------------------------------------

    def _receive(self, act: ContainerAct, phase: Phase) -> None:
        names = [one for one in starting_of(self.lot) if one in self._states]
        living = [self._states[one] for one in names if self._states[one].exists]
        for state in living:
            if state.coi is not None and state.coi != self.lot.coi:
                raise self._mismatch(state.id, f"chain of identity {state.coi}", str(self.lot.coi))
            place = self._place(act.to or ROOM, phase) or state.place or ""
            grade = self._grade_of(act.part, state.id)
            self._add(take_over(state, by=self.by, place=place, evidence=grade))
        self.join(act.part, tuple(one.id for one in living))

    def _create(self, act: ContainerAct, name: str, phase: Phase) -> None:
        place = self._place(act.to or ROOM, phase)
        self._born(
            name, act.vessel, place, self._amount(act.amount), self._grade_of(act.part, name)
        )
        self.join(act.part, (name,))

    def _transfer(self, act: ContainerAct, name: str, phase: Phase) -> None:
        part, into = act.part, act.into or ""
        sources = [self._take(one) for one in self._of(part)]
        place = self._place(act.to, phase)
        if not sources:
            # The lot began before its containers were on record: custody begins here.
            place = place or self._place(ROOM, phase)
            amount = self._amount(act.amount)
            self._born(name, act.vessel, place, amount, self._grade_of(into, name))
        else:
            self._add(
                transfer(
                    sources,
                    self._states.get(name, Container(id=name)),
                    vessel=act.vessel,
                    by=self.by,
                    evidence=self._grade_of(into, name),
                    amount=self._amount(act.amount),
                    added=self._amount(act.added),
                    place=place or None,
                )
            )
            self._leave(part, tuple(one.id for one in sources))
        self.join(into, (name,))

    def _move(self, act: ContainerAct, phase: Phase) -> None:
        place = self._place(act.to, phase)
        for name in self._of(act.part):
            state, grade = self._states[name], self._grade_of(act.part, name)
            if state.holder != self.by:
                self._add(take_over(state, by=self.by, place=place, evidence=grade))
            elif place and place != state.place:
                self._add(move(state, place=place, by=self.by, evidence=grade))

    def _discard(self, act: ContainerAct) -> None:
        names = self._of(act.part)
        for name in names:
            state = self._take(name)
            if state.offered_to is not None:
                state = self._withdrawn(state)
            grade = self._grade_of(act.part, name)
            self._add(finish(state, how=End.DISCARDED, by=self.by, evidence=grade))
        self._leave(act.part, names)

    # Parts -----------------------------------------------------------------------------------

    def _of(self, part: str) -> tuple[str, ...]:
        found = self._parts.get(part, ())
        return tuple(one for one in found if one in self._states and self._states[one].exists)

    def _take(self, name: str) -> Container:
        """Give a container that this person answers for, taken over where another did."""
        state = self._states[name]
        if state.holder != self.by:
            place = state.place or ""
            self._add(take_over(state, by=self.by, place=place, evidence=self._grade(name)))
        return self._states[name]

    def _withdrawn(self, state: Container) -> Container:
        self._add(withdraw(state, by=self.by, evidence=self._grade(state.id)))
        return self._states[state.id]

    def _leave(self, part: str, names: tuple[str, ...]) -> None:
        for name in names:
            left = LotContainerLeft(container=name, part=part, step=self.step)
            self.entries.append(Entry(self.lot.stream, left, self.happened))
        self._parts[part] = tuple(one for one in self._parts.get(part, ()) if one not in names)

    def _born(
        self, name: str, vessel: str, place: str, amount: Quantity | None, grade: Evidence
    ) -> None:
        created = ContainerCreated(
            vessel=vessel,
            place=place or "making",
            holder=self.by,
            evidence=grade,
            coi=self.lot.coi,
            lot=self.lot.id,
            amount=amount,
        )
        self._add(create(self._states.get(name, Container(id=name)), created))

    def _add(self, entries: list[Entry]) -> None:
        for one in entries:
            fact = one.fact
            if isinstance(fact, ContainerCreated) and fact.lot is None:
                fact = replace(fact, lot=self.lot.id)
            name = one.stream.id
            state = self._states.get(name, Container(id=name))
            self._states[name] = state.with_fact(fact)
            self.entries.append(Entry(one.stream, fact, self.happened))

    def _amount(self, reading: str | None) -> Quantity | None:
        value = self.values.get(reading) if reading else None
        return value if isinstance(value, Quantity) else None

    def _place(self, to: str | None, phase: Phase) -> str:
        if to is None:
            return ""
        if to != ROOM:
            return f"equipment/{self.units[to]}" if to in self.units else to
        return f"room/{self.room}" if self.room else phase.room or "making"

    def _grade(self, *names: str) -> Evidence:
        read = {one for raw in self.scans.values() for one in scanned_of(raw)}
        is_read = bool(names) and set(names) <= read and not self.is_late
        return Evidence.SCANNED if is_read else Evidence.ATTESTED_LATER

    def _grade_of(self, part: str, name: str) -> Evidence:
        read = name in scanned_of(self.scans.get(part, "")) and not self.is_late
        return Evidence.SCANNED if read else Evidence.ATTESTED_LATER

    def _must_be_here(self, part: str, read: tuple[str, ...]) -> None:
        """See that what was scanned in a part that is there is one of its containers."""
        phase = self.lot.phase_of(self.step)
        acts = phase.containers if phase else ()
        if part in {act.into or act.part for act in acts if act.verb in _LABELLED}:
            if part in {act.into or act.part for act in acts if act.verb in _NEW}:
                self._must_be_printed(part, read)  # a filled container is judged as it is filled
            return  # the label of a container that this step makes
        known = self.lot.vessels.get(part, ())
        if part in {act.part for act in acts if act.verb is ContainerVerb.RECEIVE}:
            known = starting_of(self.lot)
        for one in read if known else ():
            if one not in known:
                raise self._mismatch(part, one[:96], ", ".join(known[:6]))

    def _must_be_printed(self, part: str, read: tuple[str, ...]) -> None:
        """See that a new container carries a label that was printed for it, where one was."""
        printed = self.lot.printed(self.step, part)
        for one in read if printed else ():
            if one not in printed:
                raise self._mismatch(part, one[:96], ", ".join(printed[:6]))

    def _mismatch(self, what: str, found: str, limit: str) -> Refused:
        return Refused(
            "identity-mismatch",
            what=f"container {what} at step {self.step} of lot {self.lot.id}",
            found=found,
            limit=limit,
            remedy="stop; put aside what was scanned and call the supervisor",
            rule=IDENTITY,
        )
