"""Equipment units: fit for use, for which lot, and the way from one patient's lot to the next.

The way is in use for a lot -> to be cleaned -> cleaned -> cleared by a second person for the next
lot. Open handling of two patients' lots in one unit is impossible: nothing can authorise it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Self

from anlage.base import Instant, Problem, Quantity, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream

from .equipment_fact import (
    CalibrateEquipment,
    CleanEquipment,
    ClearEquipment,
    EquipmentCalibrated,
    EquipmentCleaned,
    EquipmentCleared,
    EquipmentLeft,
    EquipmentMoved,
    EquipmentPutBack,
    EquipmentQualified,
    EquipmentRegistered,
    EquipmentRetired,
    EquipmentStatus,
    EquipmentTaken,
    EquipmentTakenOut,
    EquipmentTerms,
    Handling,
    LeaveEquipment,
    MoveEquipment,
    PutEquipmentBack,
    QualifyEquipment,
    RegisterEquipment,
    RetireEquipment,
    TakeEquipment,
    TakeEquipmentOut,
)

RULE = "EU GMP Part IV (ATMP) 5, 10.3; 21 CFR 211.67, 211.68"


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentUnit:
    """The state of one unit, stream `equipment/ID`.

    Attributes:
        status: Where it stands on its way; None for a unit that nobody registered.
        lots: The lots in it, with how they are handled.
        cleared_for: The lot for which it was cleared.
        cleaned_by: Who cleaned it; they may not clear it.
        clean_until: How long the cleaning holds.
        last_lot: The last lot that was in it.
        doubtful_since: Set by a failed calibration: readings since then are in doubt.
    """

    stream: Stream
    status: EquipmentStatus | None = None
    name: str = ""
    terms: EquipmentTerms = field(default_factory=lambda: EquipmentTerms(equipment_class=""))
    serial: str = ""
    room: str = ""
    calibration_due: Instant | None = None
    calibrated_at: Instant | None = None
    doubtful_since: Instant | None = None
    qualification_due: Instant | None = None
    lots: Mapping[str, Handling] = field(default_factory=dict)
    cleared_for: str | None = None
    cleaned_by: str | None = None
    clean_until: Instant | None = None
    last_lot: str | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a unit that nobody registered."""
        return cls(stream=stream)

    @property
    def id(self) -> str:
        """The number of the unit."""
        return self.stream.id

    def must_be_in_service(self) -> None:
        """Refuse a unit that nobody registered, that is retired or out of service.

        Raises:
            Refused: `equipment-not-ready`.
        """
        out = {None, EquipmentStatus.OUT_OF_SERVICE, EquipmentStatus.RETIRED}
        if self.status in out:
            found = self.status or "not registered"
            raise Refused.of([self._problem(found, "a unit in service", "take another unit")])

    def must_measure(self, at: Instant) -> None:
        """Accept readings of a unit: only registered, in service and in calibration.

        Raises:
            Refused: `reading-untrusted`.
        """
        out = {None, EquipmentStatus.OUT_OF_SERVICE, EquipmentStatus.RETIRED}
        gap = self._calibration_gap(at) if self.terms.is_calibrated else None
        found = (self.status or "not registered") if self.status in out else gap
        if found is not None:
            raise Refused(
                "reading-untrusted",
                what=f"reading of equipment unit {self.id}",
                found=found,
                limit="a registered unit, in service and in calibration",
                remedy="measure again with another unit",
                rule="21 CFR 211.68(a), 211.160(b)(4)",
            )

    def must_be_ready(self, *, lot: str, at: Instant, handling: Handling | None = None) -> None:
        """Let a lot use it now, or say all that stands against it.

        Args:
            lot: The product lot's number.
            at: When.
            handling: How the lot would be handled in it; None for a lot already in it, or to
                judge by what the class allows.

        Raises:
            Refused: `segregation-broken` when another patient's lot would be beside it (nobody
                may override that); `equipment-not-ready` for everything else.
        """
        self.must_be_in_service()
        self.must_be_apart(lot, handling)
        if problems := self.against_use(lot, at):
            raise Refused.of(problems)

    def must_be_apart(self, lot: str, handling: Handling | None) -> None:
        """Refuse open handling beside another lot, and more lots than the class allows.

        Raises:
            Refused: `segregation-broken`.
        """
        others = {name: how for name, how in self.lots.items() if name != lot}
        if not others:
            return
        how = handling or self.lots.get(lot) or Handling.CLOSED
        is_open = self.terms.is_open or how is Handling.OPEN or Handling.OPEN in others.values()
        if is_open or len(others) >= self.terms.lots_max:
            raise Refused(
                "segregation-broken",
                what=f"equipment unit {self.id}",
                found=f"{how} handling of lot {lot} beside {', '.join(sorted(others))}",
                limit="one lot at a time"
                if is_open or self.terms.lots_max == 1
                else f"{self.terms.lots_max} lots, each shut in its set",
                remedy="finish the other lot, clean and clear the unit, or take another",
                rule="EU GMP Part IV (ATMP) 9.5; one patient's lot at a time in the open",
            )

    def against_use(self, lot: str, at: Instant) -> list[Problem]:
        """Give every rule that says no to its use for a lot, segregation apart."""
        problems = []
        if self.terms.is_calibrated and (gap := self._calibration_gap(at)) is not None:
            problems.append(self._problem(gap, "in calibration", "calibrate it, or take another"))
        due = self.qualification_due
        if self.terms.is_qualified and (due is None or at > due):
            found = f"qualification ended {due:%Y-%m-%d}" if due else "never qualified"
            problems.append(self._problem(found, "qualified", "qualify it, or take another"))
        if lot in self.lots:
            return problems
        is_shared = bool(self.lots) and self.terms.lots_max > 1
        if is_shared:
            return problems
        if self.status is not EquipmentStatus.CLEARED or self.cleared_for != lot:
            cleared = f"cleared for lot {self.cleared_for}" if self.cleared_for else self.status
            problems.append(
                self._problem(cleared, f"cleared for lot {lot}", "clean it and have it cleared")
            )
        elif self.clean_until is not None and at > self.clean_until:
            found = f"cleaning held until {self.clean_until:%Y-%m-%d %H:%M} UTC"
            problems.append(self._problem(found, "a cleaning that holds", "clean it again"))
        return problems

    def _calibration_gap(self, at: Instant) -> str | None:
        if self.doubtful_since is not None:
            return "failed its last calibration"
        if self.calibration_due is None:
            return "never calibrated"
        if at > self.calibration_due:
            return f"calibration ended {self.calibration_due:%Y-%m-%d}"
        return None

    def _problem(self, found: object, limit: str, remedy: str) -> Problem:
        return Problem(
            code="equipment-not-ready",
            what=f"equipment unit {self.id}" + (f" ({self.name})" if self.name else ""),
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
            case EquipmentRegistered() as said:
                return replace(
                    self,
                    status=EquipmentStatus.TO_BE_CLEANED,
                    name=said.name,
                    terms=said.terms,
                    serial=said.serial,
                    room=said.room,
                )
            case EquipmentCalibrated() as said:
                return self._calibrated(said, recorded)
            case EquipmentQualified(due=due):
                return replace(self, qualification_due=due)
            case EquipmentTaken(lot=lot, handling=handling):
                return replace(
                    self,
                    status=EquipmentStatus.IN_USE,
                    lots={**self.lots, lot: handling},
                    cleared_for=None,
                )
            case EquipmentLeft(lot=lot):
                rest = {name: how for name, how in self.lots.items() if name != lot}
                status = EquipmentStatus.IN_USE if rest else EquipmentStatus.TO_BE_CLEANED
                if self.status is EquipmentStatus.OUT_OF_SERVICE:
                    status = EquipmentStatus.OUT_OF_SERVICE
                return replace(self, status=status, lots=rest, last_lot=lot, clean_until=None)
            case EquipmentCleaned(until=until):
                return replace(
                    self,
                    status=EquipmentStatus.CLEANED,
                    cleaned_by=recorded.person,
                    clean_until=until,
                    cleared_for=None,
                )
            case EquipmentCleared(lot=lot):
                return replace(self, status=EquipmentStatus.CLEARED, cleared_for=lot)
            case EquipmentTakenOut():
                return replace(self, status=EquipmentStatus.OUT_OF_SERVICE, cleared_for=None)
            case EquipmentPutBack():
                return replace(self, status=EquipmentStatus.TO_BE_CLEANED, clean_until=None)
            case EquipmentMoved(room=room):
                # Calibration and qualification hold for the place where they were done.
                return replace(self, room=room, qualification_due=None, cleared_for=None)
            case EquipmentRetired():
                return replace(self, status=EquipmentStatus.RETIRED)
            case _:
                return self

    def _calibrated(self, said: EquipmentCalibrated, recorded: Recorded) -> Self:
        if said.is_passed:
            return replace(
                self,
                calibration_due=said.due,
                calibrated_at=recorded.happened,
                doubtful_since=None,
            )
        # Readings since the last good calibration are in doubt, or all of them if there was none.
        return replace(
            self,
            status=EquipmentStatus.OUT_OF_SERVICE,
            calibration_due=None,
            doubtful_since=self.calibrated_at or recorded.happened,
            cleared_for=None,
        )


def register_equipment(
    unit: EquipmentUnit, request: RegisterEquipment, *, terms: EquipmentTerms
) -> list[Entry]:
    """Put a unit onto the list.

    Raises:
        Refused: The number is taken.
    """
    if unit.status is not None:
        raise _refused(unit, f"registered as {unit.name}", "a fresh number")
    said = EquipmentRegistered(
        name=clean_line(request.name, "name of the unit"),
        terms=terms,
        maker=clean_line(request.maker, "maker"),
        model=clean_line(request.model, "model"),
        serial=clean_line(request.serial, "serial number"),
        room=request.room,
    )
    return [Entry(unit.stream, said)]


def calibrate_equipment(
    unit: EquipmentUnit, request: CalibrateEquipment, *, at: Instant
) -> list[Entry]:
    """Note a calibration.

    Raises:
        Refused: The unit is unknown, or a passed calibration has no date after now.
    """
    _must_be_listed(unit)
    if request.is_passed and (request.due is None or request.due <= at):
        raise _refused(unit, f"due {request.due}", f"a date after {at:%Y-%m-%d}")
    said = EquipmentCalibrated(
        is_passed=request.is_passed,
        due=request.due if request.is_passed else None,
        certificate=request.certificate,
        since=unit.calibrated_at,
    )
    return [Entry(unit.stream, said)]


def qualify_equipment(
    unit: EquipmentUnit, request: QualifyEquipment, *, at: Instant
) -> list[Entry]:
    """Qualify a unit.

    Raises:
        Refused: The unit is unknown, the date is past, or the signature is missing.
    """
    _must_be_listed(unit)
    if request.due <= at:
        raise _refused(unit, f"due {request.due:%Y-%m-%d}", f"a date after {at:%Y-%m-%d}")
    signature = _signed(unit, request.signature)
    said = EquipmentQualified(due=request.due, report=request.report, signature=signature)
    return [Entry(unit.stream, said)]


def take_equipment(
    unit: EquipmentUnit, request: TakeEquipment, *, at: Instant, authorised: int | None = None
) -> list[Entry]:
    """Take a unit into use for a lot.

    Args:
        unit: The unit.
        request: For which lot and step, and how it is handled.
        at: When.
        authorised: Number of an exceptional authorisation; it lifts readiness, never segregation.

    Raises:
        Refused: `segregation-broken` or `equipment-not-ready`.
    """
    unit.must_be_in_service()
    unit.must_be_apart(request.lot, request.handling)
    if authorised is None:
        unit.must_be_ready(lot=request.lot, at=at, handling=request.handling)
    said = EquipmentTaken(
        lot=request.lot, step=request.step, handling=request.handling, authorised=authorised
    )
    return [Entry(unit.stream, said)]


def leave_equipment(unit: EquipmentUnit, request: LeaveEquipment) -> list[Entry]:
    """Take a lot out of a unit.

    Raises:
        Refused: The lot is not in it.
    """
    if request.lot not in unit.lots:
        found = ", ".join(sorted(unit.lots)) or "no lot in it"
        raise _refused(unit, found, f"lot {request.lot} in it")
    return [Entry(unit.stream, EquipmentLeft(lot=request.lot))]


def clean_equipment(unit: EquipmentUnit, request: CleanEquipment, *, at: Instant) -> list[Entry]:
    """Note that a unit was cleaned.

    Raises:
        Refused: A lot is in it, the agent is not the class's, or the contact was too short.
    """
    unit.must_be_in_service()
    if unit.lots:
        raise _refused(unit, f"in use for {', '.join(sorted(unit.lots))}", "an empty unit")
    minutes = must_be_clean_by(
        f"equipment unit {unit.id}", unit.terms.agents, request.agent, request.contact
    )
    said = EquipmentCleaned(
        agent=request.agent,
        agent_lot=request.agent_lot,
        contact_minutes=minutes,
        until=at + timedelta(minutes=int(unit.terms.clean_hours * 60)),
    )
    return [Entry(unit.stream, said)]


def clear_equipment(unit: EquipmentUnit, request: ClearEquipment, *, at: Instant) -> list[Entry]:
    """Clear a cleaned unit for a lot.

    Raises:
        Refused: It is not cleaned, the cleaning no longer holds, or the same person cleaned it.
    """
    unit.must_be_in_service()
    if unit.status not in {EquipmentStatus.CLEANED, EquipmentStatus.CLEARED}:
        raise _refused(unit, unit.status, "cleaned")
    if unit.clean_until is None or at > unit.clean_until:
        raise _refused(unit, f"cleaning held until {unit.clean_until}", f"still at {at}")
    signature = _signed(unit, request.signature)
    must_be_second(f"equipment unit {unit.id}", unit.cleaned_by, signature)
    return [Entry(unit.stream, EquipmentCleared(lot=request.lot, signature=signature))]


def take_equipment_out(unit: EquipmentUnit, request: TakeEquipmentOut) -> list[Entry]:
    """Take a unit out of service, whatever is in it.

    Raises:
        Refused: It is out of service already, or unknown.
    """
    unit.must_be_in_service()
    return [Entry(unit.stream, EquipmentTakenOut(), why=clean_line(request.reason, "reason"))]


def put_equipment_back(unit: EquipmentUnit, request: PutEquipmentBack) -> list[Entry]:
    """Put a unit back into service; it is cleaned before the next lot.

    Raises:
        Refused: It is not out of service, a lot is still in it, it failed its last calibration,
            or the signature is missing.
    """
    if unit.status is not EquipmentStatus.OUT_OF_SERVICE:
        raise _refused(unit, unit.status or "not registered", "out of service")
    if unit.lots:
        raise _refused(unit, f"lot {', '.join(sorted(unit.lots))} in it", "an empty unit")
    if unit.doubtful_since is not None:
        raise _refused(unit, "failed its last calibration", "a passed calibration")
    why = clean_line(request.reason, "reason")
    signature = _signed(unit, request.signature)
    return [Entry(unit.stream, EquipmentPutBack(signature=signature), why=why)]


def move_equipment(unit: EquipmentUnit, request: MoveEquipment) -> list[Entry]:
    """Move a unit to another room; it is qualified again there.

    Raises:
        Refused: A lot is in it, or it stands there already.
    """
    _must_be_listed(unit)
    if unit.lots or unit.room == request.room:
        found = f"in use for {', '.join(unit.lots)}" if unit.lots else f"in {unit.room}"
        raise _refused(unit, found, "an empty unit, and another room")
    return [Entry(unit.stream, EquipmentMoved(was=unit.room, room=request.room))]


def retire_equipment(unit: EquipmentUnit, request: RetireEquipment) -> list[Entry]:
    """Take a unit off the list for good.

    Raises:
        Refused: A lot is in it, or it is unknown.
    """
    _must_be_listed(unit)
    if unit.lots:
        raise _refused(unit, f"in use for {', '.join(sorted(unit.lots))}", "an empty unit")
    return [Entry(unit.stream, EquipmentRetired(), why=clean_line(request.reason, "reason"))]


def read_equipment_terms(
    identifier: str, content: Mapping[str, object], *, version: int
) -> EquipmentTerms:
    """Read the demands of an equipment class from the content of its definition.

    Raises:
        Refused: A number or duration cannot be read.
    """
    cleaning, parts = content.get("cleaning") or {}, content.get("capabilities") or ()
    holds = content.get("holds", 1)
    if not (
        isinstance(cleaning, Mapping) and isinstance(parts, list | tuple) and isinstance(holds, int)
    ):
        raise Refused(
            "equipment-class-unreadable",
            what=f"equipment class {identifier}",
            found=repr((cleaning, parts, holds))[:120],
            limit="cleaning, capabilities and holds as the definition schema has them",
            remedy="correct the definition",
        )
    agents = {}
    if cleaning:
        contact = Quantity.parse(str(cleaning.get("contact") or "0 min"))
        agents = {str(cleaning.get("agent")): contact.to("min").value}
    lasts = Quantity.parse(str(cleaning.get("lasts") or "24 h"))
    return EquipmentTerms(
        equipment_class=identifier,
        version=version,
        agents=agents,
        clean_hours=lasts.to("h").value,
        lots_max=holds,
        is_open=bool(content.get("open", False)),
        is_calibrated=any(isinstance(one, Mapping) and one.get("calibrate-every") for one in parts),
    )


def must_be_clean_by(
    what: str, agents: Mapping[str, Decimal], agent: str, contact: Quantity
) -> Decimal:
    """Give the contact time in minutes of a cleaning that its class accepts.

    Raises:
        Refused: `cleaning-insufficient`: another agent, or too short a contact.
    """
    minutes = contact.to("min").value
    least = agents.get(agent)
    if least is None or minutes < least:
        named = ", ".join(f"{name} for {time} min" for name, time in agents.items())
        raise Refused(
            "cleaning-insufficient",
            what=what,
            found=f"{agent} for {contact}",
            limit=f"at least {named or 'nothing is allowed by its class'}",
            remedy="clean again with an accepted agent and contact time",
            rule=RULE,
        )
    return minutes


def must_be_second(what: str, first: str | None, signature: Signature) -> None:
    """Refuse a check by the very person whose work it checks.

    Raises:
        Refused: `second-person-needed`.
    """
    if signature.person == first:
        raise Refused(
            "second-person-needed",
            what=what,
            found=f"{signature.name} did the work and checks it",
            limit="another person",
            remedy="ask a second person to look and sign",
            rule="EU GMP Part IV (ATMP) 10.3; 21 CFR 211.188(b)(11)",
        )


def _must_be_listed(unit: EquipmentUnit) -> None:
    if unit.status in {None, EquipmentStatus.RETIRED}:
        raise _refused(unit, unit.status or "not registered", "a registered unit")


def _signed(unit: EquipmentUnit, signature: Signature | None) -> Signature:
    if signature is None:
        raise _refused(unit, "no signature", "a signature")
    return signature


def _refused(unit: EquipmentUnit, found: object, limit: str) -> Refused:
    return Refused(
        "equipment-status",
        what=f"equipment unit {unit.id}",
        found=found,
        limit=limit,
        remedy="scan the unit again, or take another",
        rule=RULE,
    )
