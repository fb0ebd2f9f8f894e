"""The boards: one row per equipment unit and per room, as they stand."""

from typing import Any, ClassVar, TypeVar

from anlage.base import Instant, stamp
from anlage.record import Recorded, Rows

from .equipment_fact import (
    EquipmentCalibrated,
    EquipmentCleaned,
    EquipmentCleared,
    EquipmentLeft,
    EquipmentMoved,
    EquipmentPutBack,
    EquipmentQualified,
    EquipmentRegistered,
    EquipmentRetired,
    EquipmentTaken,
    EquipmentTakenOut,
)
from .room import (
    LineCleared,
    RoomCleaned,
    RoomEntered,
    RoomLeft,
    RoomPutBack,
    RoomQualified,
    RoomRegistered,
    RoomTakenOut,
)
from .supplier import SupplierDisqualified, SupplierQualified, SupplierRegistered

Row = dict[str, Any]
F = TypeVar("F")


class EquipmentBoard:
    """One row per unit: key its number, facet its room, in order of number."""

    name = "equipment-board"
    version = 1
    families: ClassVar[frozenset[str]] = frozenset({"equipment"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact of a unit into its row."""
        if recorded.is_withheld:
            return
        key, said = recorded.stream.id, recorded.fact
        row = rows.get(key)
        if isinstance(said, EquipmentRegistered):
            row = _unit(key, said, recorded)
        if row is None:
            return
        _equipment(row, said)
        row["since"] = recorded.happened_text
        rows.put(key, row, facet=row["room"], order=key)


class RoomBoard:
    """One row per room: key its number, facet its grade, in order of number."""

    name = "room-board"
    version = 1
    families: ClassVar[frozenset[str]] = frozenset({"room"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact of a room into its row."""
        if recorded.is_withheld:
            return
        key, said = recorded.stream.id, recorded.fact
        row = rows.get(key)
        if isinstance(said, RoomRegistered):
            row = {
                "room": key,
                "name": said.name,
                "grade": said.terms.grade.value,
                "status": "to-be-cleaned",
                "lots": {},
                "cleared_for": None,
                "cleared_until": None,
                "clean_until": None,
                "qualification_due": None,
                "last_lot": None,
                "site": recorded.site,
            }
        if row is None:
            return
        _room(row, said)
        row["since"] = recorded.happened_text
        rows.put(key, row, facet=row["grade"], order=key)


class SupplierBoard:
    """One row per supplier and class: key SUPPLIER|CLASS, facet the class, in order of due date.

    The supplier itself has the row SUPPLIER under the facet `supplier`.
    """

    name = "suppliers"
    version = 1
    families: ClassVar[frozenset[str]] = frozenset({"supplier"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact of a supplier into its rows."""
        if recorded.is_withheld:
            return
        key = recorded.stream.id
        match recorded.fact:
            case SupplierRegistered(name=name):
                rows.put(key, {"supplier": key, "name": name}, facet="supplier", order=key)
            case SupplierQualified() as said:
                row: Row = {
                    "supplier": key,
                    "class": said.material_class,
                    "due": stamp(said.due),
                    "sole_source": said.is_sole_source,
                    "basis": said.basis,
                }
                place = f"{key}|{said.material_class}"
                rows.put(place, row, facet=said.material_class, order=row["due"])
            case SupplierDisqualified(material_class=lost):
                rows.delete(f"{key}|{lost}")


def _unit(key: str, said: EquipmentRegistered, recorded: Recorded) -> Row:
    return {
        "equipment": key,
        "name": said.name,
        "class": said.terms.equipment_class,
        "maker": said.maker,
        "model": said.model,
        "serial": said.serial,
        "room": said.room,
        "status": "to-be-cleaned",
        "lots": {},
        "cleared_for": None,
        "clean_until": None,
        "calibration_due": None,
        "qualification_due": None,
        "needs_calibration": said.terms.is_calibrated,
        "needs_qualification": said.terms.is_qualified,
        "last_lot": None,
        "site": recorded.site,
    }


def _equipment(row: Row, said: object) -> None:
    match said:
        case EquipmentCalibrated(is_passed=True, due=due):
            row["calibration_due"] = _text(due)
        case EquipmentCalibrated():
            row.update(status="out-of-service", calibration_due=None, cleared_for=None)
        case EquipmentQualified(due=due):
            row["qualification_due"] = _text(due)
        case EquipmentTaken(lot=lot, handling=handling):
            row["lots"][lot] = handling.value
            row.update(status="in-use", cleared_for=None)
        case EquipmentLeft(lot=lot):
            _leave(row, lot)
            row["clean_until"] = None
        case EquipmentCleaned(until=until):
            row.update(status="cleaned", clean_until=_text(until), cleared_for=None)
        case EquipmentCleared(lot=lot):
            row.update(status="cleared", cleared_for=lot)
        case EquipmentTakenOut():
            row.update(status="out-of-service", cleared_for=None)
        case EquipmentPutBack():
            row.update(status="to-be-cleaned", clean_until=None)
        case EquipmentMoved(room=room):
            row.update(room=room, qualification_due=None, cleared_for=None)
        case EquipmentRetired():
            row["status"] = "retired"


def _room(row: Row, said: object) -> None:
    match said:
        case RoomQualified(due=due):
            row["qualification_due"] = _text(due)
        case RoomCleaned(until=until):
            status = "in-use" if row["lots"] else "cleaned"
            row.update(status=status, clean_until=_text(until), cleared_for=None)
        case LineCleared(lot=lot, until=until):
            status = "in-use" if row["lots"] else "cleared"
            row.update(status=status, cleared_for=lot, cleared_until=_text(until))
        case RoomEntered(lot=lot, handling=handling):
            row["lots"][lot] = handling.value
            row.update(status="in-use", cleared_for=None)
        case RoomLeft(lot=lot):
            was_open = row["lots"].get(lot) == "open"
            _leave(row, lot)
            row["cleared_for"] = None
            if was_open or not row["lots"]:
                row["clean_until"] = None
        case RoomTakenOut():
            row.update(status="out-of-service", cleared_for=None)
        case RoomPutBack():
            row.update(status="to-be-cleaned", clean_until=None)


def _leave(row: Row, lot: str) -> None:
    row["lots"].pop(lot, None)
    row["last_lot"] = lot
    if row["status"] != "out-of-service":
        row["status"] = "in-use" if row["lots"] else "to-be-cleaned"


def _text(at: Instant | None) -> str | None:
    return None if at is None else stamp(at)
