"""Measures from facts: by definition, with the facts behind each number; None without facts."""

from datetime import UTC, datetime, timedelta

import pytest

from anlage.base import stamp
from anlage.custody import METRIC_DEFINITIONS, measures

AT = datetime(2026, 3, 1, tzinfo=UTC)


def at(hours):
    return stamp(AT + timedelta(hours=hours))


def stage(hours, stream, number):
    return [at(hours), stream, number]


def patient(name, *, lot, collected=None, infused=None, **stages):
    times = dict(stages)
    if collected is not None:
        times["collected"] = stage(collected, f"journey/{name}", 2)
    if infused is not None:
        times["infused"] = stage(infused, f"journey/{name}", 9)
    return {"what": "journey", "id": name, "lot": lot, "times": times, "results": {}, "logs": []}


def lot(name, *, results=None, **times):
    held = {key: stage(hours, f"lot/{name}", 5) for key, hours in times.items()}
    return {"what": "lot", "id": name, "times": held, "results": results or {}, "logs": []}


def shipment(name, *, due, received, disposition="accepted", logs=()):
    return {
        "what": "shipment",
        "id": name,
        "times": {},
        "results": {},
        "due": at(due),
        "prepared": stage(0, f"shipment/{name}", 1),
        "received": stage(received, f"shipment/{name}", 3),
        "disposition": disposition,
        "logs": [[at(received), f"shipment/{name}", 2, verdict] for verdict in logs],
    }


def found(rows, **more):
    return {one.name: one for one in measures(rows, **more)}


def test_vein_to_vein_is_the_median_from_collection_to_infusion():
    rows = [
        patient("A", lot="L1", collected=0, infused=480),
        patient("B", lot="L2", collected=0, infused=720),
        patient("C", lot="L3", collected=0),
        patient("D", lot="L4", infused=100),
    ]

    one = found(rows)["vein-to-vein"]

    assert (one.value, one.low, one.high) == (25, 20, 30)
    assert [each.subject for each in one.behind] == ["journey/B", "journey/A"]
    assert [fact[0] for fact in one.behind[0].facts] == ["collected", "infused"]
    assert one.left_out == (("journey/D", "no fact of collected"),)


def test_waits_join_a_patient_with_the_lot_made_for_them():
    rows = [
        patient("A", lot="L1", accepted=stage(10, "journey/A", 3)),
        lot("L1", begun=12, made=300, released=348),
    ]

    waits = found(rows)

    assert waits["wait-accepted-to-begun"].value == pytest.approx(2)
    assert waits["wait-begun-to-made"].value == pytest.approx(288)
    assert waits["wait-made-to-released"].value == pytest.approx(48)
    assert waits["wait-released-to-on-site"].value is None


def test_on_time_in_full_counts_late_and_short_against_it():
    rows = [
        shipment("a", due=10, received=9),
        shipment("b", due=10, received=11),
        shipment("c", due=10, received=9, disposition="partly-accepted"),
        shipment("d", due=10, received=10),
    ]

    one = found(rows)["on-time-in-full"]

    assert (one.value, one.against) == (0.5, ("shipment/b", "shipment/c"))
    assert one.behind[0].note.startswith("due ")


def test_a_shipment_without_a_log_is_not_counted_as_without_excursion():
    rows = [
        shipment("a", due=10, received=9, logs=("accept",)),
        shipment("b", due=10, received=9, logs=("accept", "quarantine")),
        shipment("c", due=10, received=9),
    ]

    one = found(rows)["excursion-rate"]

    assert (one.value, one.against) == (0.5, ("shipment/b",))
    assert one.left_out == (("shipment/c", "no condition log"),)


def test_one_failing_attribute_puts_a_lot_out_of_specification():
    rows = [
        lot("L1", results={"viability": ["pass", at(1), 4], "identity": ["fail", at(2), 5]}),
        lot("L2", results={"viability": ["warning", at(1), 4]}),
        lot("L3"),
    ]

    one = found(rows)["out-of-specification-rate"]

    assert (one.value, one.against) == (0.5, ("lot/L1",))
    assert one.behind[0].facts == (("identity", "lot/L1", 5, at(2)),)


def test_a_period_leaves_out_what_ended_before_it():
    rows = [
        patient("A", lot="L1", collected=0, infused=480),
        patient("B", lot="L2", collected=0, infused=720),
        shipment("a", due=10, received=9),
    ]

    inside = found(rows, since=at(500))

    assert inside["vein-to-vein"].value == 30
    assert inside["on-time-in-full"].value is None


def test_without_facts_every_measure_is_none_and_has_its_definition():
    for one in measures([]):
        assert one.value is None
        assert one.definition is METRIC_DEFINITIONS[one.name]
        assert one.definition.words and one.definition.formula and one.definition.unit
