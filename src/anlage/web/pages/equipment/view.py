"""The board of units and rooms, one unit, one room."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.plant import EquipmentStatus, EquipmentUnit, Room, RoomStatus
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, nearness, state

ROWS_MAX = 2000
KEEPER, QUALITY, OPERATOR, SECOND = "store-keeper", "qa-reviewer", "operator", "verifier"
BOARD = (
    Action("Register a unit", "register-equipment", (KEEPER, QUALITY)),
    Action("Register a room", "register-room", (QUALITY,)),
)
UNIT = {
    EquipmentStatus.TO_BE_CLEANED: (
        Action("Clean", "clean-equipment", (OPERATOR, SECOND), is_main=True),
    ),
    EquipmentStatus.CLEANED: (
        Action("Clear for a lot", "clear-equipment", (SECOND, OPERATOR), is_main=True),
    ),
    EquipmentStatus.CLEARED: (
        Action("Take into use", "take-equipment", (OPERATOR,), is_main=True),
    ),
    EquipmentStatus.IN_USE: (Action("Leave", "leave-equipment", (OPERATOR,), is_main=True),),
    EquipmentStatus.OUT_OF_SERVICE: (
        Action("Put back into service", "put-equipment-back", (QUALITY,), is_main=True),
    ),
}
UNIT_ALWAYS = (
    Action("Note a calibration", "calibrate-equipment", (KEEPER, QUALITY, OPERATOR)),
    Action("Qualify", "qualify-equipment", (QUALITY,)),
    Action("Take out of service", "take-equipment-out", (OPERATOR, SECOND, KEEPER, QUALITY)),
    Action("Move", "move-equipment", (KEEPER, QUALITY)),
    Action("Retire", "retire-equipment", (QUALITY,)),
)
ROOM = {
    RoomStatus.TO_BE_CLEANED: (Action("Clean", "clean-room", (OPERATOR, SECOND), is_main=True),),
    RoomStatus.CLEANED: (
        Action(
            "Clear the line",
            "clear-line",
            (OPERATOR,),
            is_main=True,
            page="/rooms/{room}/clearance",
        ),
    ),
    RoomStatus.CLEARED: (Action("Bring the lot in", "enter-room", (OPERATOR,), is_main=True),),
    RoomStatus.IN_USE: (Action("Bring the lot out", "leave-room", (OPERATOR,), is_main=True),),
    RoomStatus.OUT_OF_SERVICE: (
        Action("Put back into service", "put-room-back", (QUALITY,), is_main=True),
    ),
}
ROOM_ALWAYS = (
    Action("Clean", "clean-room", (OPERATOR, SECOND)),
    Action("Qualify", "qualify-room", (QUALITY,)),
    Action("Take out of service", "take-room-out", (OPERATOR, SECOND, KEEPER, QUALITY)),
)


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show every room with the units in it, and what is due."""
    site = installation()
    units: dict[str, list[dict[str, Any]]] = {}
    for _, row in site.rows("equipment-board").find(limit=ROWS_MAX):
        units.setdefault(row["room"], []).append(row | {"due": _due(row), "style": _style(row)})
    rooms = [
        row | {"due": _due(row), "style": _style(row), "units": units.pop(name, [])}
        for name, row in site.rows("room-board").find(limit=ROWS_MAX)
    ]
    context = {
        "rooms": sorted(rooms, key=lambda one: (one["grade"], one["room"])),
        "elsewhere": sorted(units.items()),
        "actions": links(request, BOARD, {}),
    }
    return render(request, "equipment/board.html", context)


@require_GET
def unit(request: HttpRequest, name: str) -> HttpResponse:
    """Show one unit: where it stands, what is due, what happened."""
    found = state(EquipmentUnit, "equipment", name)
    row = installation().rows("equipment-board").get(name) or {}
    given = {"equipment": name, **_lot_of(found)}
    offered = UNIT.get(found.status, ()) if found.status else ()
    context = {
        "unit": found,
        "row": row,
        "style": _style(row),
        "due": _due(row),
        "facts": history("equipment", name),
        "actions": links(request, (*offered, *UNIT_ALWAYS), given),
    }
    return render(request, "equipment/unit.html", context)


@require_GET
def room(request: HttpRequest, name: str) -> HttpResponse:
    """Show one room: its units, its clearance, what happened."""
    found = state(Room, "room", name)
    site = installation()
    row = site.rows("room-board").get(name) or {}
    units = [
        one | {"due": _due(one), "style": _style(one)}
        for _, one in site.rows("equipment-board").find(facet=name, limit=ROWS_MAX)
    ]
    user: Any = request.user  # type: ignore[attr-defined]
    answers = "\n".join(f"{one}: " for one in found.terms.checks)
    given = {"room": name, "by": user.person, "answers": answers, **_lot_of(found)}
    offered = ROOM.get(found.status, ()) if found.status else ()
    context = {
        "room": found,
        "row": row,
        "style": _style(row),
        "due": _due(row),
        "units": units,
        "facts": history("room", name),
        "actions": links(request, (*offered, *ROOM_ALWAYS), given),
    }
    return render(request, "equipment/room.html", context)


def _lot_of(found: EquipmentUnit | Room) -> dict[str, object]:
    lots = [*found.lots, *filter(None, [found.cleared_for])]
    return {"lot": lots[0]} if len(lots) == 1 else {}


def _due(row: dict[str, Any]) -> list[dict[str, str]]:
    """Give what is due with its date, where it is past, soon or was never done."""
    asked = (
        ("calibration", row.get("calibration_due"), row.get("needs_calibration", False)),
        ("qualification", row.get("qualification_due"), row.get("needs_qualification", True)),
    )
    found = []
    for what, due, is_needed in asked:
        if is_needed and row.get("status") != "retired":
            style = nearness(due) if due else "alarm"
            if style:
                found.append({"what": what, "date": due or "", "style": style})
    return found


def _style(row: dict[str, Any]) -> str:
    if row.get("status") == "out-of-service":
        return "alarm"
    styles = {one["style"] for one in _due(row)}
    return "alarm" if "alarm" in styles else "warn" if styles else ""


MENU = (Place(group="plant", order=30, path="/equipment", name=gettext_lazy("Equipment")),)
ADDRESSES = [
    path("equipment", board),
    path("equipment/<str:name>", unit),
    path("rooms/<str:name>", room),
]
