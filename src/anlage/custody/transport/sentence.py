"""Facts of transport as plain sentences."""

from .lane import LaneQualified, LaneRegistered, LaneSuspended
from .shipment_fact import (
    ConditionLogged,
    CourierLinkMade,
    CourierLinkUsed,
    CourierLinkWithdrawn,
    ShipmentBooked,
    ShipmentCollected,
    ShipmentDecided,
    ShipmentHandedOver,
    ShipmentHeld,
    ShipmentLeft,
    ShipmentPrepared,
    ShipmentReceived,
    ShipmentWentOn,
    TransportJudged,
)
from .shipper import (
    ShipperCleaned,
    ShipperQualified,
    ShipperRegistered,
    ShipperReturned,
    ShipperTaken,
    ShipperWithdrawn,
)


def sentence_of(fact: object, name: str) -> str | None:
    """Give a fact of transport as a sentence without its full stop; None for another."""
    return _of_shipment(fact, name) or _of_fleet(fact, name)


def _of_shipment(fact: object, name: str) -> str | None:
    match fact:
        case ShipmentBooked():
            return f"{fact.by} booked shipment {name} on lane {fact.lane} with {fact.shipper}"
        case ShipmentPrepared():
            return f"Shipment {name} was sealed with {fact.seal} for {fact.receiver}"
        case ShipmentHandedOver():
            how = fact.means.value.replace("-", " ")
            signed = f", signed by {fact.name} by {how}" if fact.name else f", by {how}"
            return f"{fact.giver} gave shipment {name} to {fact.receiver} at {fact.place}{signed}"
        case ConditionLogged():
            return (
                f"{fact.by} took in {fact.name} of {fact.source}: {fact.verdict} by {fact.rule},"
                f" {fact.low} to {fact.high} degC, {len(fact.excursions)} excursions"
            )
        case TransportJudged():
            why = "; ".join(fact.reasons)
            return f"The condition of shipment {fact.shipment} was judged {fact.verdict}: {why}"
        case ShipmentLeft():
            metres = f"{fact.metres} m from {fact.point}"
            return f"{fact.device} left shipment {name} unattended, {metres}, by {fact.standard}"
        case ShipmentCollected():
            late = "" if fact.is_within else ", longer than the standard allows"
            where = f"after {fact.waited_minutes} min at {fact.point}"
            return f"{fact.by} collected shipment {name} {where}{late}"
        case ShipmentHeld():
            cause = fact.cause.value.replace("-", " ")
            return f"Shipment {name} stands still at {fact.place}: {cause}"
        case ShipmentWentOn():
            return f"Shipment {name} went on"
        case ShipmentReceived():
            return f"{fact.receiver} received shipment {name}: {fact.disposition.value}"
        case ShipmentDecided():
            said = "accepted" if fact.is_accepted else "rejected"
            return f"{fact.by} {said} {', '.join(fact.containers)} of {name}: {fact.reason}"
        case CourierLinkMade():
            purpose = fact.purpose.value.replace("-", " ")
            return f"{fact.by} made a link for {fact.courier} to sign the {purpose} of {name}"
        case CourierLinkUsed():
            return f"{fact.name} signed for shipment {name} by a link"
        case CourierLinkWithdrawn():
            return f"{fact.by} withdrew a link of shipment {name}: {fact.reason}"
        case _:
            return None


def _of_fleet(fact: object, name: str) -> str | None:
    match fact:
        case LaneRegistered():
            way = f"{fact.origin} ({fact.origin_country}) to {fact.destination}"
            return f"Lane {name} was registered: {way} ({fact.destination_country}), {fact.mode}"
        case LaneQualified():
            return f"{fact.by} qualified lane {name} by {fact.runs} runs until {fact.due:%Y-%m-%d}"
        case LaneSuspended():
            return f"{fact.by} suspended lane {name}: {fact.reason}"
        case ShipperRegistered():
            return f"Shipper {name}, {fact.model} of {fact.maker}, was taken into the fleet"
        case ShipperQualified():
            due = f"{fact.due:%Y-%m-%d}"
            return f"{fact.by} qualified shipper {name} for {fact.hold_hours} h until {due}"
        case ShipperCleaned():
            return f"{fact.by} cleaned shipper {name} with {fact.agent}"
        case ShipperTaken():
            return f"Shipper {name} went out with shipment {fact.shipment}"
        case ShipperReturned():
            return f"Shipper {name} came back: {fact.condition}"
        case ShipperWithdrawn():
            return f"{fact.by} took shipper {name} out of service: {fact.reason}"
        case _:
            return None
