"""Shipments and measures."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.custody import (
    Disposition,
    Evidence,
    Inspection,
    Shipment,
    ShipmentPrepared,
    prepare,
    receive_shipment,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
PREPARED = ShipmentPrepared(
    shipper="SHIP",
    containers=("B1", "B2", "B3"),
    seal="S-77",
    sender="anna",
    receiver="ben",
    due=AT + timedelta(hours=24),
    evidence=Evidence.SCANNED,
)
SENT = Shipment(id="S-1").with_fact(PREPARED)
GOOD = {"scanned": ("B1", "B2", "B3"), "seal": "S-77", "verdict": "accept"}


def receive(by="ben", at=AT, **change):
    (entry,) = receive_shipment(SENT, Inspection(**GOOD | change), by=by, at=at)
    return entry.fact


def test_a_shipment_that_is_whole_and_in_condition_is_accepted():
    received = receive()

    assert received.disposition is Disposition.ACCEPTED
    assert received.accepted == PREPARED.containers


@pytest.mark.parametrize(
    "change",
    [{"seal": "S-78"}, {"seal": None}, {"verdict": "quarantine"}, {"verdict": None}],
)
def test_a_doubt_about_the_whole_puts_all_of_it_into_quarantine(change):
    received = receive(**change)

    assert received.disposition is Disposition.QUARANTINED
    assert received.accepted == ()
    assert received.reasons


def test_a_late_shipment_is_quarantined():
    assert receive(at=AT + timedelta(hours=25)).disposition is Disposition.QUARANTINED


def test_part_of_a_shipment_can_be_accepted():
    received = receive(scanned=("B1", "B2"), damaged=frozenset({"B2"}))

    assert received.disposition is Disposition.PARTLY
    assert (received.accepted, received.quarantined, received.missing) == (
        ("B1",),
        ("B2",),
        ("B3",),
    )


def test_a_foreign_container_is_refused():
    with pytest.raises(Refused) as refusal:
        receive(scanned=("B1", "X"))
    assert refusal.value.code == "identity-mismatch"


@pytest.mark.parametrize("by", ["anna", ""])
def test_only_the_receiver_receives(by):
    with pytest.raises(Refused):
        receive(by=by)


def test_a_shipment_is_prepared_and_received_once():
    with pytest.raises(Refused):
        prepare(SENT, PREPARED)
    done = SENT.with_fact(receive())
    with pytest.raises(Refused):
        receive_shipment(done, Inspection(**GOOD), by="ben", at=AT)
    with pytest.raises(Refused):
        receive_shipment(Shipment(id="S-2"), Inspection(**GOOD), by="ben", at=AT)


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(PREPARED.containers)),
    st.sets(st.sampled_from(PREPARED.containers)),
    st.sampled_from(["S-77", "S-1", None]),
    st.sampled_from(["accept", "quarantine", "reject", None]),
)
def test_every_container_is_accounted_for_once(scanned, damaged, seal, verdict):
    received = receive(
        scanned=tuple(scanned), damaged=frozenset(damaged), seal=seal, verdict=verdict
    )

    accounted = [*received.accepted, *received.quarantined, *received.missing]
    assert sorted(accounted) == sorted(PREPARED.containers)
    assert not set(received.accepted) & damaged
