"""Cleanrooms: grade, qualification, cleaning, and line clearance before each lot.

A room or line is cleared for one lot: one person goes through the checklist, a second looks and
signs. Nothing of another patient may be open in it at the same time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Problem, Quantity, Refused, clean_line
from anlage.library import Checklist
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .equipment import must_be_clean_by, must_be_second
from .equipment_fact import Handling

RULE = "EU GMP Part IV (ATMP) 9.5, 10.3; 21 CFR 211.130(e)"


class Grade(StrEnum):
    """The cleanroom grade (EU GMP)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    UNGRADED = "ungraded"


class RoomStatus(StrEnum):
    """Where a room stands on its way from lot to lot."""

    TO_BE_CLEANED = "to-be-cleaned"
    CLEANED = "cleaned"
    CLEARED = "cleared"
    IN_USE = "in-use"
    OUT_OF_SERVICE = "out-of-service"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTerms:
    """What is asked of a room.

    Attributes:
        grade: Its grade.
        checks: The checks of the line clearance, all of which must be answered with yes.
        agents: Cleaning agents with the shortest contact time in minutes.
        clean_hours: How long a cleaning holds.
        clearance_hours: How long a clearance waits for its lot.
        lots_max: How many lots may be in it at once, all shut but at most one.
    """

    grade: Grade
    checks: tuple[str, ...] = ()
    agents: Mapping[str, Decimal] = field(default_factory=dict)
    clean_hours: Decimal = Decimal(24)
    clearance_hours: Decimal = Decimal(8)
    lots_max: int = 1


@fact("room-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRegistered:
    """A room came onto the list; it is cleaned before its first lot."""

    name: str
    terms: RoomTerms


@fact("room-qualified")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomQualified:
    """Quality qualified a room in its grade."""

    due: Instant
    report: str
    signature: Signature


@fact("room-cleaned")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomCleaned:
    """A room was cleaned; this holds until `until`."""

    agent: str
    contact_minutes: Decimal
    until: Instant
    agent_lot: str | None = None


@fact("line-cleared")
@dataclass(frozen=True, slots=True, kw_only=True)
class LineCleared:
    """A line was cleared for a lot by one person, and a second person looked and signed.

    Attributes:
        lot: The lot it is cleared for.
        checks: The checks that were answered so that the work may go on.
        by: Who went through them.
        until: How long the clearance waits for the lot.
        signature: The second person's.
        checklist: The checklist and version that asked; empty where the room's own checks did.
        words: Answers in words, by check.
    """

    lot: str
    checks: tuple[str, ...]
    by: str
    until: Instant
    signature: Signature
    checklist: str = ""
    words: Mapping[str, str] = field(default_factory=dict)


@fact("room-entered")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEntered:
    """A lot was brought into a room."""

    lot: str
    handling: Handling
    authorised: int | None = None


@fact("room-left")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLeft:
    """A lot was brought out of a room."""

    lot: str


@fact("room-taken-out")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTakenOut:
    """A room was taken out of service; the reason is the fact's why."""


@fact("room-put-back")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPutBack:
    """A room came back into service, to be cleaned."""

    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRoom:
    """Put a room onto the list."""

    room: str
    name: str
    terms: RoomTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyRoom:
    """Qualify a room in its grade."""

    room: str
    due: Instant
    report: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanRoom:
    """Note that a room was cleaned."""

    room: str
    agent: str
    contact: Quantity
    agent_lot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearLine:
    """Clear a line for a lot: the answers of the first person, the signature of the second.

    Attributes:
        room: The room.
        lot: The lot that comes next.
        answers: Yes or no, by check.
        by: Who went through the checks.
        signature: The second person's.
        words: Answers of checks that ask for words or a choice.
    """

    room: str
    lot: str
    answers: Mapping[str, bool]
    by: str
    signature: Signature | None = None
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterRoom:
    """Bring a lot into a room."""

    room: str
    lot: str
    handling: Handling = Handling.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveRoom:
    """Bring a lot out of a room."""

    room: str
    lot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRoomOut:
    """Take a room out of service."""

    room: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRoomBack:
    """Put a room back into service."""

    room: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The state of one room, stream `room/ID`."""

    stream: Stream
    status: RoomStatus | None = None
    name: str = ""
    terms: RoomTerms = field(default_factory=lambda: RoomTerms(grade=Grade.UNGRADED))
    qualification_due: Instant | None = None
    lots: Mapping[str, Handling] = field(default_factory=dict)
    clean_until: Instant | None = None
    cleared_for: str | None = None
    cleared_until: Instant | None = None
    last_lot: str | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a room that nobody registered."""
        return cls(stream=stream)

    @property
    def id(self) -> str:
        """The number of the room."""
        return self.stream.id

    def must_be_in_service(self) -> None:
        """Refuse a room that nobody registered or that is out of service.

        Raises:
            Refused: `room-not-ready`.
        """
        if self.status in {None, RoomStatus.OUT_OF_SERVICE}:
            found = self.status or "not registered"
            raise Refused.of([self._problem(found, "a room in service", "take another room")])

    def must_be_cleared(self, lot: str, at: Instant) -> None:
        """Let a lot be worked on in it now, or say all that stands against it.

        Raises:
            Refused: `room-not-ready`.
        """
        self.must_be_in_service()
        if problems := self.against_use(lot, at):
            raise Refused.of(problems)

    def must_be_apart(self, lot: str, handling: Handling) -> None:
        """Refuse open handling beside another open lot, and more lots than the room takes.

        Raises:
            Refused: `segregation-broken`.
        """
        others = {name: how for name, how in self.lots.items() if name != lot}
        both_open = handling is Handling.OPEN and Handling.OPEN in others.values()
        if both_open or len(others) >= self.terms.lots_max:
            raise Refused(
                "segregation-broken",
                what=f"room {self.id}",
                found=f"{handling} handling of lot {lot} beside {', '.join(sorted(others))}",
                limit=f"{self.terms.lots_max} lots at once, one of them open at most",
                remedy="finish and clear away the other lot first, or take another room",
                rule="EU GMP Part IV (ATMP) 9.5; one patient's lot at a time in the open",
            )

    def against_use(self, lot: str, at: Instant) -> list[Problem]:
        """Give every rule that says no to work on a lot in it."""
        problems = []
        due = self.qualification_due
        if due is None or at > due:
            found = f"qualification ended {due:%Y-%m-%d}" if due else "never qualified"
            problems.append(self._problem(found, "qualified", "qualify it, or take another room"))
        if lot in self.lots:
            return problems
        if self.cleared_for != lot:
            found = f"cleared for lot {self.cleared_for}" if self.cleared_for else "not cleared"
            remedy = "do the line clearance, with a second person"
            problems.append(self._problem(found, f"cleared for lot {lot}", remedy))
        elif self.cleared_until is not None and at > self.cleared_until:
            found = f"clearance ended {self.cleared_until:%Y-%m-%d %H:%M} UTC"
            problems.append(self._problem(found, "a clearance that holds", "clear it again"))
        return problems

    def _problem(self, found: object, limit: str, remedy: str) -> Problem:
        return Problem(
            code="room-not-ready",
            what=f"room {self.id}" + (f" ({self.name})" if self.name else ""),
            found=str(found),
            limit=limit,
            remedy=remedy,
            rule=RULE,
        )

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact; a withheld one leaves it as it is."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case RoomRegistered() as said:
                status = RoomStatus.TO_BE_CLEANED
                return replace(self, status=status, name=said.name, terms=said.terms)
            case RoomQualified(due=due):
                return replace(self, qualification_due=due)
            case RoomCleaned(until=until):
                return replace(
                    self,
                    status=RoomStatus.IN_USE if self.lots else RoomStatus.CLEANED,
                    clean_until=until,
                    cleared_for=None,
                )
            case LineCleared(lot=lot, until=until):
                return replace(
                    self,
                    status=RoomStatus.IN_USE if self.lots else RoomStatus.CLEARED,
                    cleared_for=lot,
                    cleared_until=until,
                )
            case RoomEntered(lot=lot, handling=handling):
                lots = {**self.lots, lot: handling}
                return replace(self, status=RoomStatus.IN_USE, lots=lots, cleared_for=None)
            case RoomLeft(lot=lot):
                return self._left(lot)
            case RoomTakenOut():
                return replace(self, status=RoomStatus.OUT_OF_SERVICE, cleared_for=None)
            case RoomPutBack():
                return replace(self, status=RoomStatus.TO_BE_CLEANED, clean_until=None)
            case _:
                return self

    def _left(self, lot: str) -> Self:
        rest = {name: how for name, how in self.lots.items() if name != lot}
        was_open = self.lots.get(lot) is Handling.OPEN
        status = RoomStatus.IN_USE if rest else RoomStatus.TO_BE_CLEANED
        if self.status is RoomStatus.OUT_OF_SERVICE:
            status = RoomStatus.OUT_OF_SERVICE
        # What was open may have spilled: the room's cleaning holds no longer.
        clean = None if was_open or not rest else self.clean_until
        return replace(
            self, status=status, lots=rest, last_lot=lot, clean_until=clean, cleared_for=None
        )


def register_room(room: Room, request: RegisterRoom) -> list[Entry]:
    """Put a room onto the list.

    Raises:
        Refused: The number is taken.
    """
    if room.status is not None:
        raise _refused(room, f"registered as {room.name}", "a fresh number")
    said = RoomRegistered(name=clean_line(request.name, "name of the room"), terms=request.terms)
    return [Entry(room.stream, said)]


def qualify_room(room: Room, request: QualifyRoom, *, at: Instant) -> list[Entry]:
    """Qualify a room in its grade.

    Raises:
        Refused: The room is unknown, the date is past, or the signature is missing.
    """
    if room.status is None:
        raise _refused(room, "not registered", "a registered room")
    if request.due <= at:
        raise _refused(room, f"due {request.due:%Y-%m-%d}", f"a date after {at:%Y-%m-%d}")
    signature = _signed(room, request.signature)
    return [
        Entry(
            room.stream,
            RoomQualified(due=request.due, report=request.report, signature=signature),
        )
    ]


def clean_room(room: Room, request: CleanRoom, *, at: Instant) -> list[Entry]:
    """Note that a room was cleaned.

    Raises:
        Refused: A lot is open in it, the agent is not the room's, or the contact was too short.
    """
    room.must_be_in_service()
    if Handling.OPEN in room.lots.values():
        raise _refused(room, f"in use for {', '.join(sorted(room.lots))}", "nothing open in it")
    minutes = must_be_clean_by(f"room {room.id}", room.terms.agents, request.agent, request.contact)
    said = RoomCleaned(
        agent=request.agent,
        agent_lot=request.agent_lot,
        contact_minutes=minutes,
        until=at + timedelta(minutes=int(room.terms.clean_hours * 60)),
    )
    return [Entry(room.stream, said)]


def clear_line(
    room: Room,
    request: ClearLine,
    *,
    at: Instant,
    checklist: Checklist | None = None,
    version: int = 0,
) -> list[Entry]:
    """Clear a line for a lot.

    Args:
        room: The room.
        request: The answers.
        at: The moment.
        checklist: The checklist in force; its questions take the place of the room's own checks.
        version: Of the checklist.

    Raises:
        Refused: The room is not clean, a check is missing or answered with no, a lot is still in
            it, or both persons are one.
    """
    room.must_be_in_service()
    room.must_be_apart(request.lot, Handling.CLOSED)
    if room.clean_until is None or at > room.clean_until:
        found = f"cleaning held until {room.clean_until}" if room.clean_until else "not cleaned"
        raise _refused(room, found, "cleaned, and the cleaning holds")
    checks = _checked(room, request, checklist)
    signature = _signed(room, request.signature)
    must_be_second(f"line clearance of room {room.id}", request.by, signature)
    until = at + timedelta(minutes=int(room.terms.clearance_hours * 60))
    said = LineCleared(
        lot=request.lot,
        checks=checks,
        by=request.by,
        until=until,
        signature=signature,
        checklist=f"{checklist.heading.id} version {version}" if checklist else "",
        words={one: request.words[one] for one in checks if one in request.words},
    )
    return [Entry(room.stream, said)]


def _checked(room: Room, request: ClearLine, checklist: Checklist | None) -> tuple[str, ...]:
    """Give the checks, all of which let the work go on.

    Raises:
        Refused: `line-clearance-open` for the room's own, or each answer that a checklist stops.
    """
    what = f"line clearance of room {room.id} for lot {request.lot}"
    if checklist is None:
        open_checks = [name for name in room.terms.checks if not request.answers.get(name, False)]
        if open_checks:
            raise Refused(
                "line-clearance-open",
                what=what,
                found=f"not answered with yes: {', '.join(open_checks)}",
                limit="every check answered with yes",
                remedy="put it right, then check again",
                rule=RULE,
            )
        return room.terms.checks
    said = {name: "yes" if is_so else "no" for name, is_so in request.answers.items()}
    said |= request.words
    problems = [one for item in checklist.items if (one := item.judge(said.get(item.id)))]
    if problems:
        first = Problem(
            code="line-clearance-open",
            what=what,
            found=f"{len(problems)} of {len(checklist.items)} questions",
            limit=f"every question of {checklist.heading.id} answered so that work may go on",
            remedy="put it right, then check again",
            rule=RULE,
        )
        raise Refused.of([first, *problems])
    return tuple(item.id for item in checklist.items)


def enter_room(
    room: Room, request: EnterRoom, *, at: Instant, authorised: int | None = None
) -> list[Entry]:
    """Bring a lot into a room.

    Args:
        room: The room.
        request: Which lot, and how it is handled.
        at: When.
        authorised: Number of an exceptional authorisation; it lifts the clearance, never
            segregation.

    Raises:
        Refused: `segregation-broken` or `room-not-ready`.
    """
    room.must_be_in_service()
    room.must_be_apart(request.lot, request.handling)
    if authorised is None:
        room.must_be_cleared(request.lot, at)
    said = RoomEntered(lot=request.lot, handling=request.handling, authorised=authorised)
    return [Entry(room.stream, said)]


def leave_room(room: Room, request: LeaveRoom) -> list[Entry]:
    """Bring a lot out of a room.

    Raises:
        Refused: The lot is not in it.
    """
    if request.lot not in room.lots:
        found = ", ".join(sorted(room.lots)) or "no lot in it"
        raise _refused(room, found, f"lot {request.lot} in it")
    return [Entry(room.stream, RoomLeft(lot=request.lot))]


def take_room_out(room: Room, request: TakeRoomOut) -> list[Entry]:
    """Take a room out of service.

    Raises:
        Refused: It is out of service already, or unknown.
    """
    room.must_be_in_service()
    return [Entry(room.stream, RoomTakenOut(), why=clean_line(request.reason, "reason"))]


def put_room_back(room: Room, request: PutRoomBack) -> list[Entry]:
    """Put a room back into service; it is cleaned before the next lot.

    Raises:
        Refused: It is not out of service, a lot is still in it, or the signature is missing.
    """
    if room.status is not RoomStatus.OUT_OF_SERVICE:
        raise _refused(room, room.status or "not registered", "out of service")
    if room.lots:
        raise _refused(room, f"lot {', '.join(sorted(room.lots))} in it", "an empty room")
    why = clean_line(request.reason, "reason")
    return [Entry(room.stream, RoomPutBack(signature=_signed(room, request.signature)), why=why)]


def room_sentence(recorded: Recorded) -> str | None:
    """Say in one sentence what a fact of a room tells; None for any other fact."""
    room = recorded.stream.id
    why = f" Reason: {recorded.why.rstrip('.')}." if recorded.why else ""
    match recorded.fact:
        case RoomRegistered() as said:
            return f"Room {room} ({said.name}, grade {said.terms.grade}) came onto the list."
        case RoomQualified() as said:
            return f"{said.signature.name} qualified room {room} until {said.due:%Y-%m-%d}."
        case RoomCleaned() as said:
            return (
                f"Room {room} was cleaned with {said.agent} ({said.contact_minutes} min contact); "
                f"this holds until {said.until:%Y-%m-%d %H:%M} UTC."
            )
        case LineCleared() as said:
            return (
                f"{said.by} cleared the line in room {room} for lot {said.lot}; "
                f"{said.signature.name} looked and signed."
            )
        case RoomEntered() as said:
            return f"Lot {said.lot} was brought into room {room} for {said.handling} handling."
        case RoomLeft(lot=lot):
            return f"Lot {lot} was brought out of room {room}."
        case RoomTakenOut():
            return f"Room {room} was taken out of service.{why}"
        case RoomPutBack() as said:
            return f"{said.signature.name} put room {room} back into service.{why}"
        case _:
            return None


def _signed(room: Room, signature: Signature | None) -> Signature:
    if signature is None:
        raise _refused(room, "no signature", "a signature")
    return signature


def _refused(room: Room, found: object, limit: str) -> Refused:
    return Refused(
        "room-status",
        what=f"room {room.id}",
        found=found,
        limit=limit,
        remedy="scan the room again, or take another",
        rule=RULE,
    )
