"""The floor: one tile per lot in work and per unit in use, with the time to the next action."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.plant import Lot
from anlage.record import Stream
from anlage.web.here import installation
from anlage.web.menu import Place

from .clock import next_end

ROWS_MAX = 500
IDLE = frozenset({"cleaned", "to-be-cleaned"})


@require_GET
def floor(request: HttpRequest) -> HttpResponse:
    """Show who works on what, and what is due next; what needs a person stands first."""
    site = installation()
    at = site.clock.now()
    lots = []
    for kind in ("held", "running"):
        for name, row in site.rows("lot-board").find(facet=kind, limit=ROWS_MAX):
            word, end = next_end(site.engine.state(Lot, Stream(f"lot/{name}")), at)
            is_late = end is not None and end < at and word != "can go on since"
            style = "alarm" if row["held"] or kind == "held" else "warn" if is_late else ""
            lots.append(row | {"word": word, "end": end, "style": style})
    lots.sort(key=lambda one: (one["style"] == "", str(one["end"] or "9"), one["lot"]))
    made = [row for _, row in site.rows("lot-board").find(facet="made", limit=ROWS_MAX)]
    context = {"lots": lots, "made": made, "rooms": _rooms()}
    return render(request, "floor/floor.html", context)


def _rooms() -> list[dict[str, Any]]:
    """Give every room: the units that somebody uses or has to look at, and the idle ones."""
    site = installation()
    units: dict[str, list[dict[str, Any]]] = {}
    idle: dict[str, list[dict[str, Any]]] = {}
    for _, row in site.rows("equipment-board").find(limit=ROWS_MAX):
        if row["status"] != "retired":
            place = idle if row["status"] in IDLE else units
            place.setdefault(row["room"], []).append(row)
    return [
        row | {"units": units.get(name, []), "idle": idle.get(name, [])}
        for name, row in site.rows("room-board").find(limit=ROWS_MAX)
    ]


MENU = (Place(group="today", order=20, path="/floor", name=gettext_lazy("Floor")),)
ADDRESSES = [path("floor", floor)]
