"""Commands of cleanrooms."""

from anlage.base import Refused
from anlage.library import Checklist
from anlage.plant import (
    CleanRoom,
    ClearLine,
    EnterRoom,
    LeaveRoom,
    PutRoomBack,
    QualifyRoom,
    RegisterRoom,
    Room,
    TakeRoomOut,
    clean_room,
    clear_line,
    enter_room,
    leave_room,
    put_room_back,
    qualify_room,
    register_room,
    take_room_out,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .equipment import KEEPER, OPERATOR, QUALITY, SECOND
from .making import definition_of
from .materials import must_act, must_sign

CLEARANCE = "line-clearance"


@command("register-room")
def _register(desk: Desk, request: RegisterRoom) -> list[Entry]:
    must_act(desk, QUALITY)
    return register_room(_room(desk, request.room), request)


@command("qualify-room")
def _qualify(desk: Desk, request: QualifyRoom) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    return qualify_room(_room(desk, request.room), request, at=desk.at)


@command("clean-room")
def _clean(desk: Desk, request: CleanRoom) -> list[Entry]:
    must_act(desk, OPERATOR, SECOND)
    return clean_room(_room(desk, request.room), request, at=desk.at)


@command("clear-line")
def _clear(desk: Desk, request: ClearLine) -> list[Entry]:
    must_act(desk, OPERATOR)
    must_sign(desk, request.signature, SECOND, OPERATOR)
    if request.by != desk.actor.person:
        raise Refused(
            "actor-mismatch",
            what=f"line clearance of room {request.room}",
            found=f"{request.by} named, {desk.actor.person} logged in",
            limit="who went through the checks enters them",
            remedy="log in as the person who did the checks",
            rule="ALCOA: attributable",
        )
    found = definition_of(desk, "checklist", CLEARANCE).effective(desk.at)
    return clear_line(
        _room(desk, request.room),
        request,
        at=desk.at,
        checklist=Checklist.read(found.content) if found else None,
        version=found.number if found else 0,
    )


@command("enter-room")
def _enter(desk: Desk, request: EnterRoom) -> list[Entry]:
    must_act(desk, OPERATOR)
    return enter_room(_room(desk, request.room), request, at=desk.at)


@command("leave-room")
def _leave(desk: Desk, request: LeaveRoom) -> list[Entry]:
    must_act(desk, OPERATOR)
    return leave_room(_room(desk, request.room), request)


@command("take-room-out")
def _take_out(desk: Desk, request: TakeRoomOut) -> list[Entry]:
    must_act(desk, OPERATOR, SECOND, KEEPER, QUALITY)
    return take_room_out(_room(desk, request.room), request)


@command("put-room-back")
def _put_back(desk: Desk, request: PutRoomBack) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    return put_room_back(_room(desk, request.room), request)


def _room(desk: Desk, name: str) -> Room:
    return desk.read(Room, Stream(f"room/{name}"))
