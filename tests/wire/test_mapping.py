"""Facts of containers as events: each kind of fact gives a valid event named by its hash."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from anlage.custody import (
    ContainerCreated,
    ContainerDrawn,
    ContainerEnded,
    ContainerFound,
    ContainerMissed,
    ContainerMoved,
    ContainerPacked,
    ContainerSeen,
    ContainerUnpacked,
    Dated,
    End,
    Evidence,
    HandOverClosed,
    HandOverOpened,
)
from anlage.wire.epcis import Naming, check, hashes, read_bytes, to_document

AT = datetime(2026, 3, 1, tzinfo=UTC)
SCANNED = Evidence.SCANNED
CREATED = ContainerCreated(vessel="bag", place="clinic", holder="anna", evidence=SCANNED, lot="L")
FACTS = [
    CREATED,
    ContainerCreated(vessel="b", place="p", holder="a", evidence=SCANNED, sources=("x", "y")),
    ContainerMoved(origin="clinic", place="store", holder="anna", evidence=SCANNED),
    ContainerSeen(place="store", evidence=SCANNED),
    HandOverOpened(giver="anna", receiver="ben", evidence=Evidence.PAPER),
    HandOverClosed(giver="anna", receiver="ben", place="van", evidence=SCANNED),
    ContainerPacked(into="ship", holder="ben", evidence=SCANNED),
    ContainerUnpacked(origin="ship", place="plant", holder="ben", evidence=SCANNED),
    ContainerMissed(evidence=SCANNED),
    ContainerFound(place="dock", holder="ben", evidence=SCANNED),
    *(ContainerEnded(how=how, holder="ben", evidence=SCANNED) for how in End),
]


@pytest.mark.parametrize("base", ["urn:anlage:", "https://site.example/"])
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_gives_a_valid_event_named_by_its_hash(fact, base):
    document = to_document({"ü/1 a": [Dated(AT, fact)]}, Naming(base=base), at=AT)
    read = read_bytes(json.dumps(document).encode(), "a.jsonld")

    assert check(read) == []
    assert hashes(read) == [document["epcisBody"]["eventList"][0]["eventID"]]


def test_events_stand_in_order_of_time():
    histories = {
        "b": [Dated(AT + timedelta(hours=1), CREATED)],
        "a": [Dated(AT + timedelta(hours=2), CREATED), Dated(AT, CREATED)],
    }

    events = to_document(histories, Naming(), at=AT)["epcisBody"]["eventList"]

    times = [event["eventTime"] for event in events]
    assert times == sorted(times)


def test_an_address_that_partners_know_is_used():
    known = {"container/B1": "urn:epc:id:sgtin:0614141.107346.2017"}

    document = to_document({"B1": [Dated(AT, CREATED)]}, Naming(known=known), at=AT)

    assert document["epcisBody"]["eventList"][0]["epcList"] == [*known.values()]


def test_what_is_part_of_another_event_gives_none():
    from anlage.base import Quantity

    drawn = ContainerDrawn(amount=Quantity.parse("1 mL"), into=("b",), evidence=SCANNED)

    assert to_document({"a": [Dated(AT, drawn)]}, Naming(), at=AT)["epcisBody"]["eventList"] == []
