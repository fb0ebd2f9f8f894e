"""Views of transport: shipments, lanes and the fleet as boards read them."""

from typing import Any

from anlage.base import stamp
from anlage.record import Recorded, Rows, View

from ..storage import temperatures
from .lane import LaneQualified, LaneRegistered, LaneSuspended
from .shipment_fact import (
    ConditionLogged,
    CourierLinkMade,
    ShipmentBooked,
    ShipmentCollected,
    ShipmentDecided,
    ShipmentHandedOver,
    ShipmentHeld,
    ShipmentLeft,
    ShipmentPrepared,
    ShipmentReceived,
    ShipmentWentOn,
)
from .shipper import (
    ShipperCleaned,
    ShipperQualified,
    ShipperRegistered,
    ShipperReturned,
    ShipperTaken,
    ShipperWithdrawn,
)

OPEN = "open"
DONE = "done"


class ShipmentsView:
    """The board of shipments: those that are not done first by their due time.

    `c:CONTAINER:SHIPMENT` under the facet `container/CONTAINER` says with which shipments a
    container went.
    """

    name = "shipments"
    version = 2
    families = frozenset({"shipment"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        fact, name = recorded.fact, recorded.stream.id
        row = rows.get(name) or _new(name)
        at = recorded.happened_text
        match fact:
            case ShipmentBooked():
                row |= {"lane": fact.lane, "product": fact.product, "goods": fact.goods}
                row |= {"shipper": fact.shipper, "due": stamp(fact.due), "standing": "booked"}
            case ShipmentPrepared():
                row |= {"shipper": fact.shipper, "containers": len(fact.containers)}
                row |= {"due": stamp(fact.due), "standing": "sealed", "receiver": fact.receiver}
                row |= {"sender": fact.sender, "lots": list(fact.lots)}
                for one in fact.containers:
                    went = {"shipment": name}
                    rows.put(f"c:{one}:{name}", went, facet=f"container/{one}", order=at)
            case ShipmentHandedOver():
                row |= {"standing": "on-its-way", "holder": fact.receiver}
                row["sent"] = row["sent"] or at
            case ShipmentLeft():
                row |= {"standing": "waiting-unattended", "holder": f"point {fact.point}"}
            case ShipmentCollected():
                row |= {"standing": "on-its-way", "holder": fact.by}
            case ShipmentHeld():
                row |= {"standing": "held", "cause": fact.cause.value, "where": fact.place}
            case ShipmentWentOn():
                row |= {"standing": "on-its-way", "cause": "", "where": ""}
            case ConditionLogged():
                order = ("", "accept", "quarantine", "reject")
                row["verdict"] = max(row["verdict"], fact.verdict, key=order.index)
                row["excursions"] += len(fact.excursions)
            case ShipmentReceived():
                waiting = len(fact.quarantined)
                row |= {"received": at, "waiting": waiting, "missing": len(fact.missing)}
                row["standing"] = "in-quarantine" if waiting else "received"
                row["holder"] = fact.receiver
            case ShipmentDecided():
                row["waiting"] = max(0, row["waiting"] - len(fact.containers))
                row["standing"] = "in-quarantine" if row["waiting"] else "received"
            case CourierLinkMade():
                row["links"] += 1
            case _:
                return
        is_done = row["standing"] == "received"
        rows.put(name, row, facet=DONE if is_done else OPEN, order=row["due"])


class LanesView:
    """The lanes, by where they begin and end."""

    name = "lanes"
    version = 1
    families = frozenset({"lane"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        fact, name = recorded.fact, recorded.stream.id
        row = rows.get(name) or {"lane": name, "due": "", "suspended": "", "hours_p95": None}
        match fact:
            case LaneRegistered():
                row |= {
                    "origin": fact.origin,
                    "destination": fact.destination,
                    "way": f"{fact.origin_country} to {fact.destination_country}",
                    "carrier": fact.carrier,
                    "mode": fact.mode,
                    "hours_planned": fact.hours_planned,
                    "hours_max": fact.hours_max,
                }
            case LaneQualified():
                row |= {"due": stamp(fact.due), "hours_p95": fact.hours_p95, "suspended": ""}
                row["runs"] = fact.runs
            case LaneSuspended():
                row["suspended"] = fact.reason
            case _:
                return
        rows.put(name, row, order=f"{row.get('way', '')} {name}")


class FleetView:
    """The fleet: every shipper with its state, its cycles and what is due."""

    name = "fleet"
    version = 1
    families = frozenset({"shipper"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        fact, name = recorded.fact, recorded.stream.id
        row = rows.get(name) or {
            "shipper": name, "due": "", "state": "to-be-cleaned", "cycles": 0, "out_with": "",
            "withdrawn": "", "hold_hours": None,
        }  # fmt: skip
        match fact:
            case ShipperRegistered():
                row |= {
                    "model": fact.model,
                    "maker": fact.maker,
                    "serial": fact.serial,
                    "cycles_max": fact.cycles_max,
                    "keeps": temperatures(fact.keeps_min, fact.keeps_max),
                    "has_telemetry": fact.has_telemetry,
                }
            case ShipperQualified():
                row |= {"due": stamp(fact.due), "hold_hours": fact.hold_hours, "withdrawn": ""}
            case ShipperCleaned():
                row["state"] = "clean"
            case ShipperTaken():
                row |= {"state": "out", "out_with": fact.shipment, "cycles": row["cycles"] + 1}
            case ShipperReturned():
                row |= {"state": "to-be-cleaned", "out_with": ""}
                if fact.is_damaged:
                    row["withdrawn"] = f"came back damaged: {fact.condition}"
            case ShipperWithdrawn():
                row["withdrawn"] = fact.reason
            case _:
                return
        rows.put(name, row, facet=row["state"], order=name)


VIEWS: tuple[View, ...] = (ShipmentsView(), LanesView(), FleetView())
"""The views of transport."""


def _new(name: str) -> dict[str, Any]:
    return {
        "shipment": name, "lane": "", "product": "", "goods": "", "shipper": "", "containers": 0,
        "due": "", "sent": "", "received": "", "standing": "", "holder": "", "cause": "",
        "where": "", "verdict": "", "excursions": 0, "waiting": 0, "missing": 0, "links": 0,
        "receiver": "", "sender": "", "lots": [],
    }  # fmt: skip
