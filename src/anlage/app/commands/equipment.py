"""Commands of equipment units."""

from anlage.library import Definition
from anlage.plant import (
    CalibrateEquipment,
    CleanEquipment,
    ClearEquipment,
    EquipmentUnit,
    LeaveEquipment,
    MoveEquipment,
    PutEquipmentBack,
    QualifyEquipment,
    RegisterEquipment,
    RetireEquipment,
    TakeEquipment,
    TakeEquipmentOut,
    calibrate_equipment,
    clean_equipment,
    clear_equipment,
    leave_equipment,
    move_equipment,
    put_equipment_back,
    qualify_equipment,
    read_equipment_terms,
    register_equipment,
    retire_equipment,
    take_equipment,
    take_equipment_out,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .materials import must_act, must_sign

OPERATOR, SECOND, QUALITY, KEEPER = "operator", "verifier", "qa-reviewer", "store-keeper"


@command("register-equipment")
def _register(desk: Desk, request: RegisterEquipment) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    name = request.equipment_class
    definition = desk.read(Definition, Stream(f"definition/equipment-class:{name}"))
    version = definition.must_have_effective(desk.at)
    terms = read_equipment_terms(name, version.content, version=version.number)
    return register_equipment(_unit(desk, request.equipment), request, terms=terms)


@command("calibrate-equipment")
def _calibrate(desk: Desk, request: CalibrateEquipment) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY, OPERATOR)
    return calibrate_equipment(_unit(desk, request.equipment), request, at=desk.at)


@command("qualify-equipment")
def _qualify(desk: Desk, request: QualifyEquipment) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    return qualify_equipment(_unit(desk, request.equipment), request, at=desk.at)


@command("take-equipment")
def _take(desk: Desk, request: TakeEquipment) -> list[Entry]:
    must_act(desk, OPERATOR)
    return take_equipment(_unit(desk, request.equipment), request, at=desk.at)


@command("leave-equipment")
def _leave(desk: Desk, request: LeaveEquipment) -> list[Entry]:
    must_act(desk, OPERATOR)
    return leave_equipment(_unit(desk, request.equipment), request)


@command("clean-equipment")
def _clean(desk: Desk, request: CleanEquipment) -> list[Entry]:
    must_act(desk, OPERATOR, SECOND)
    return clean_equipment(_unit(desk, request.equipment), request, at=desk.at)


@command("clear-equipment")
def _clear(desk: Desk, request: ClearEquipment) -> list[Entry]:
    must_sign(desk, request.signature, SECOND, OPERATOR)
    return clear_equipment(_unit(desk, request.equipment), request, at=desk.at)


@command("take-equipment-out")
def _take_out(desk: Desk, request: TakeEquipmentOut) -> list[Entry]:
    must_act(desk, OPERATOR, SECOND, KEEPER, QUALITY)
    return take_equipment_out(_unit(desk, request.equipment), request)


@command("put-equipment-back")
def _put_back(desk: Desk, request: PutEquipmentBack) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    return put_equipment_back(_unit(desk, request.equipment), request)


@command("move-equipment")
def _move(desk: Desk, request: MoveEquipment) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    return move_equipment(_unit(desk, request.equipment), request)


@command("retire-equipment")
def _retire(desk: Desk, request: RetireEquipment) -> list[Entry]:
    must_act(desk, QUALITY)
    return retire_equipment(_unit(desk, request.equipment), request)


def _unit(desk: Desk, name: str) -> EquipmentUnit:
    return desk.read(EquipmentUnit, Stream(f"equipment/{name}"))
