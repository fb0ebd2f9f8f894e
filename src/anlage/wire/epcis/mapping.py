"""Facts of containers as EPCIS 2.0 events, each named by its canonical hash.

Created = ObjectEvent ADD commissioning; filled from others = TransformationEvent; moved and seen =
ObjectEvent OBSERVE; hand-over = ObjectEvent OBSERVE with source and destination possessing_party;
packed and unpacked = AggregationEvent; infused and discarded = ObjectEvent DELETE. The patient's
chain of identity never leaves in an event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from anlage.base import Instant, stamp
from anlage.custody import (
    ContainerCreated,
    ContainerEnded,
    ContainerFound,
    ContainerMissed,
    ContainerMoved,
    ContainerPacked,
    ContainerSeen,
    ContainerUnpacked,
    Dated,
    End,
    HandOverClosed,
    HandOverOpened,
)

from .event_hash import canonical_line, event_hash, events_of_json

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
OWN = "urn:anlage:epcis:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How this site's ids become addresses.

    Attributes:
        base: What stands before an id; a web address of the site, or a URN.
        known: Addresses that partners know (EPC URNs, Digital Links) by `container/ID`, `place/ID`
            or `party/ID`.
    """

    base: str = "urn:anlage:"
    known: Mapping[str, str] | None = None

    def address(self, family: str, id: str) -> str:
        """Give the address of a thing, place or party."""
        named = (self.known or {}).get(f"{family}/{id}")
        mark = ":" if self.base.startswith("urn:") else "/"
        base = self.base if self.base.endswith(mark) else self.base + mark
        return named or f"{base}{family}{mark}{quote(id, safe='')}"


def to_document(
    histories: Mapping[str, Sequence[Dated]], naming: Naming, *, at: Instant
) -> dict[str, Any]:
    """Give the EPCIS document of containers' facts, in order of time."""
    dated = sorted(
        (one.at, one.number, name, one) for name, history in histories.items() for one in history
    )
    events = []
    for _, _, name, one in dated:
        event = to_event(name, one, naming)
        if event is not None:
            events.append(event)
    return {
        "@context": [CONTEXT, {"anlage": OWN}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": stamp(at),
        "epcisBody": {"eventList": events},
    }


def to_event(name: str, dated: Dated, naming: Naming) -> dict[str, Any] | None:
    """Give one fact as an event with its hash; None for a fact that is part of another's event."""
    fields = _fields(name, dated.fact, naming)
    if fields is None:
        return None
    event: dict[str, Any] = {
        "type": fields.pop("type", "ObjectEvent"),
        "eventTime": stamp(dated.at),
        "eventTimeZoneOffset": "+00:00",
        **fields,
        "anlage:evidence": str(dated.fact.evidence),  # type: ignore[attr-defined]
    }
    document = {
        "@context": [CONTEXT, {"anlage": OWN}],
        "type": "EPCISDocument",
        "epcisBody": {"eventList": [event]},
    }
    (node,) = events_of_json(document)
    return {"eventID": event_hash(canonical_line(node)), **event}


def _fields(name: str, fact: object, naming: Naming) -> dict[str, Any] | None:
    thing = naming.address("container", name)
    match fact:
        case ContainerCreated(sources=()):
            lot = {"ilmd": {"cbvmda:lotNumber": fact.lot}} if fact.lot else {}
            return {
                "action": "ADD",
                "epcList": [thing],
                "bizStep": "commissioning",
                "disposition": "active",
                **_at(fact.place, naming),
                **lot,
            }
        case ContainerCreated():
            return {
                "type": "TransformationEvent",
                "inputEPCList": [naming.address("container", s) for s in fact.sources],
                "outputEPCList": [thing],
                "bizStep": "commissioning",
                "disposition": "active",
                **_at(fact.place, naming),
            }
        case ContainerMoved():
            return _observed(thing, "storing", "in_progress", _at(fact.place, naming))
        case ContainerSeen():
            return _observed(thing, "stock_taking", "in_progress", _at(fact.place, naming))
        case ContainerFound():
            return _observed(thing, "inspecting", "available", _at(fact.place, naming))
        case ContainerMissed():
            return _observed(thing, "inspecting", "unavailable", {})
        case HandOverOpened():
            parties = _parties(fact.giver, fact.receiver, naming)
            return _observed(thing, "staging_outbound", "in_progress", parties)
        case HandOverClosed():
            parties = _parties(fact.giver, fact.receiver, naming)
            return _observed(
                thing, "accepting", "in_progress", {**_at(fact.place, naming), **parties}
            )
        case ContainerPacked():
            return _packed("ADD", "packing", fact.into, thing, naming)
        case ContainerUnpacked():
            event = _packed("DELETE", "unpacking", fact.origin, thing, naming)
            return {**event, **_at(fact.place, naming)}
        case ContainerEnded(how=End.INFUSED):
            return _ended(thing, "dispensing", "dispensed")
        case ContainerEnded(how=End.DISCARDED):
            return _ended(thing, "destroying", "destroyed")
        case ContainerEnded():
            return _ended(thing, "decommissioning", "inactive")
        case _:
            return None


def _at(place: str, naming: Naming) -> dict[str, Any]:
    address = naming.address("place", place)
    return {"readPoint": {"id": address}, "bizLocation": {"id": address}}


def _parties(giver: str, receiver: str, naming: Naming) -> dict[str, Any]:
    return {
        "sourceList": [{"type": "possessing_party", "source": naming.address("party", giver)}],
        "destinationList": [
            {"type": "possessing_party", "destination": naming.address("party", receiver)}
        ],
    }


def _observed(thing: str, step: str, disposition: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": "OBSERVE",
        "epcList": [thing],
        "bizStep": step,
        "disposition": disposition,
        **more,
    }


def _packed(action: str, step: str, outer: str, thing: str, naming: Naming) -> dict[str, Any]:
    return {
        "type": "AggregationEvent",
        "action": action,
        "parentID": naming.address("container", outer),
        "childEPCs": [thing],
        "bizStep": step,
        "disposition": "in_progress",
    }


def _ended(thing: str, step: str, disposition: str) -> dict[str, Any]:
    return {"action": "DELETE", "epcList": [thing], "bizStep": step, "disposition": disposition}
