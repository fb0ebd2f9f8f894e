"""The facts and requests of equipment units, and the values they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from anlage.base import Instant, Quantity
from anlage.record import Recorded, Signature, fact


class Handling(StrEnum):
    """Whether a product is open to the air of the unit, or shut in its own set."""

    OPEN = "open"
    CLOSED = "closed"


class EquipmentStatus(StrEnum):
    """Where a unit stands on its way from lot to lot."""

    IN_USE = "in-use"
    TO_BE_CLEANED = "to-be-cleaned"
    CLEANED = "cleaned"
    CLEARED = "cleared"
    OUT_OF_SERVICE = "out-of-service"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentTerms:
    """What an equipment class demands of its units.

    Attributes:
        equipment_class: Identifier of the class.
        version: Version of its definition.
        agents: Cleaning agents that may be used, with the shortest contact time in minutes.
        clean_hours: How long a cleaning holds.
        lots_max: How many lots it may hold at once, shut in their sets (incubator, shaker).
        is_open: Whether product is always handled openly in it.
        is_calibrated: Whether it needs a calibration in date.
        is_qualified: Whether it needs a qualification in date.
    """

    equipment_class: str
    version: int = 1
    agents: Mapping[str, Decimal] = field(default_factory=dict)
    clean_hours: Decimal = Decimal(24)
    lots_max: int = 1
    is_open: bool = False
    is_calibrated: bool = True
    is_qualified: bool = True


@fact("equipment-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentRegistered:
    """A unit came onto the list; it is cleaned before its first lot."""

    name: str
    terms: EquipmentTerms
    maker: str
    model: str
    serial: str
    room: str


@fact("equipment-calibrated")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentCalibrated:
    """A unit was calibrated; a failed calibration takes it out of service.

    `since` is the last good calibration: readings after it stand in doubt when this one failed.
    """

    is_passed: bool
    certificate: str
    due: Instant | None = None
    since: Instant | None = None


@fact("equipment-qualified")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentQualified:
    """Quality qualified a unit for use."""

    due: Instant
    report: str
    signature: Signature


@fact("equipment-taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentTaken:
    """A unit was taken into use for a lot."""

    lot: str
    step: str
    handling: Handling
    authorised: int | None = None


@fact("equipment-left")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentLeft:
    """A lot left a unit, which is to be cleaned when none is left in it."""

    lot: str


@fact("equipment-cleaned")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentCleaned:
    """A unit was cleaned.

    Attributes:
        agent: The agent.
        agent_lot: Its material lot.
        contact_minutes: How long it stood wet.
        until: How long the cleaning holds.
    """

    agent: str
    contact_minutes: Decimal
    until: Instant
    agent_lot: str | None = None


@fact("equipment-cleared")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentCleared:
    """A second person looked and cleared a unit for one lot."""

    lot: str
    signature: Signature


@fact("equipment-taken-out")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentTakenOut:
    """A unit was taken out of service; the reason is the fact's why."""


@fact("equipment-put-back")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentPutBack:
    """A unit came back into service, to be cleaned."""

    signature: Signature


@fact("equipment-moved")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentMoved:
    """A unit was moved to another room."""

    was: str
    room: str


@fact("equipment-retired")
@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentRetired:
    """A unit left the list for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEquipment:
    """Put a unit onto the list."""

    equipment: str
    equipment_class: str
    name: str
    maker: str
    model: str
    serial: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateEquipment:
    """Note a calibration."""

    equipment: str
    is_passed: bool
    certificate: str
    due: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyEquipment:
    """Qualify a unit."""

    equipment: str
    due: Instant
    report: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeEquipment:
    """Take a unit into use for a lot."""

    equipment: str
    lot: str
    step: str
    handling: Handling = Handling.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveEquipment:
    """Take a lot out of a unit."""

    equipment: str
    lot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanEquipment:
    """Note that a unit was cleaned."""

    equipment: str
    agent: str
    contact: Quantity
    agent_lot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearEquipment:
    """Clear a cleaned unit for a lot, as a second person."""

    equipment: str
    lot: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeEquipmentOut:
    """Take a unit out of service."""

    equipment: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutEquipmentBack:
    """Put a unit back into service."""

    equipment: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEquipment:
    """Move a unit to another room."""

    equipment: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireEquipment:
    """Take a unit off the list for good."""

    equipment: str
    reason: str


def equipment_sentence(recorded: Recorded) -> str | None:
    """Say in one sentence what a fact of a unit tells; None for any other fact."""
    unit = recorded.stream.id
    why = f" Reason: {recorded.why.rstrip('.')}." if recorded.why else ""
    match recorded.fact:
        case EquipmentRegistered() as said:
            return f"{said.name} ({said.maker} {said.model}, {said.serial}) came as {unit}."
        case EquipmentCalibrated(is_passed=True, due=due):
            return f"{unit} was calibrated; the next is due {due:%Y-%m-%d}."
        case EquipmentCalibrated():
            return f"{unit} failed its calibration and is out of service."
        case EquipmentQualified() as said:
            return f"{said.signature.name} qualified {unit} until {said.due:%Y-%m-%d}."
        case EquipmentTaken() as said:
            return f"{unit} was taken into {said.handling} use for lot {said.lot} at {said.step}."
        case EquipmentLeft(lot=lot):
            return f"Lot {lot} left {unit}."
        case EquipmentCleaned() as said:
            return (
                f"{unit} was cleaned with {said.agent} ({said.contact_minutes} min contact); "
                f"this holds until {said.until:%Y-%m-%d %H:%M} UTC."
            )
        case EquipmentCleared() as said:
            return f"{said.signature.name} cleared {unit} for lot {said.lot}."
        case EquipmentTakenOut():
            return f"{unit} was taken out of service.{why}"
        case EquipmentPutBack() as said:
            return f"{said.signature.name} put {unit} back into service.{why}"
        case EquipmentMoved() as said:
            return f"{unit} was moved from {said.was} to {said.room}."
        case EquipmentRetired():
            return f"{unit} was retired.{why}"
        case _:
            return None
