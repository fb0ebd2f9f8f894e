"""Commands of what names a patient: keep, read, hold, erase."""

from anlage.plant import (
    ErasePersonalData,
    KeepPersonalData,
    LiftLegalHold,
    PersonalData,
    PlaceLegalHold,
    ReadPersonalData,
    erase_personal_data,
    keep_personal_data,
    lift_legal_hold,
    place_legal_hold,
    read_personal_data,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .making import who


@command("keep-personal-data")
def _keep(desk: Desk, request: KeepPersonalData) -> list[Entry]:
    return keep_personal_data(_data(desk, request.coi), request, by=who(desk), at=desk.at)


@command("read-personal-data")
def _read(desk: Desk, request: ReadPersonalData) -> list[Entry]:
    return read_personal_data(_data(desk, request.coi), request, by=who(desk), at=desk.at)


@command("place-legal-hold")
def _hold(desk: Desk, request: PlaceLegalHold) -> list[Entry]:
    return place_legal_hold(_data(desk, request.coi), request, by=who(desk), at=desk.at)


@command("lift-legal-hold")
def _lift(desk: Desk, request: LiftLegalHold) -> list[Entry]:
    return lift_legal_hold(_data(desk, request.coi), request, by=who(desk), at=desk.at)


@command("erase-personal-data")
def _erase(desk: Desk, request: ErasePersonalData) -> list[Entry]:
    return erase_personal_data(_data(desk, request.coi), request, by=who(desk), at=desk.at)


def _data(desk: Desk, coi: str) -> PersonalData:
    return desk.read(PersonalData, Stream(f"journey/{coi}"))
