"""Collection and ward staff alone record and sign their acts, whatever door they come through."""

from dataclasses import replace

import pytest

from anlage.app import request_of
from anlage.base import Refused
from anlage.plant import AcceptCollection
from anlage.record import Actor
from tests.app.test_making import (
    bag_of,
    collect,
    order,
    order_collection,
    plant,  # noqa: F401
)


def ask(plant, name, person, via, **values):  # noqa: F811
    return plant.installation.engine.do(
        request_of(name, values), actor=Actor(person=person, via=via)
    )


@pytest.mark.parametrize("via", ["page", "api", "command-line", "device"])
def test_nobody_but_qualified_staff_acts_at_collection_and_ward(plant, via):  # noqa: F811
    coi = order_collection(plant)
    shown = {"coi": coi, "container": bag_of(coi)}
    collected = shown | {
        "donation": "A999926000001", "volume": "200 mL", "scan": coi, "second": "jan",
    }  # fmt: skip
    asked = [
        ("record-collection", collected),
        ("fail-collection", {"coi": coi, "reason": "too few"}),
    ]
    for name, values in asked:
        with pytest.raises(Refused) as refusal:
            ask(plant, name, "anna", via, **values)
        assert refusal.value.code == "operator-unqualified", name
    with pytest.raises(Refused) as refusal:
        ask(plant, "record-collection", "iris", via, **collected | {"second": "anna"})
    assert refusal.value.code == "operator-unqualified", "the second person as well"


def test_a_collection_outside_its_specification_needs_a_reason(plant):  # noqa: F811
    coi = order_collection(plant)
    values = {
        "coi": coi, "container": bag_of(coi), "donation": "A999926000001", "volume": "20 mL",
        "scan": coi, "second": "jan", "kit": "continuous-set", "anticoagulant": "ACD-A",
        "data": {"blood-processed": "5 L", "duration": "100 min", "anticoagulant-volume": "9 mL"},
    }  # fmt: skip

    with pytest.raises(Refused) as refusal:
        ask(plant, "record-collection", "iris", "api", **values)
    assert refusal.value.code == "collection-outside-specification"
    with pytest.raises(Refused) as refusal:
        ask(plant, "record-collection", "iris", "api", **values | {"partial": "the vein closed"})
    assert refusal.value.code == "signature-missing"
    with pytest.raises(Refused) as refusal:
        ask(plant, "record-collection", "iris", "api", **values | {"infectious": "perhaps"})
    assert refusal.value.code == "reading-unusable"


def test_a_bag_number_is_given_to_one_bag(plant):  # noqa: F811
    first = order(plant)
    coi = order_collection(plant)
    shown = {"coi": coi, "donation": "A999926000009", "container": bag_of(first)}
    values = shown | {
        "volume": "200 mL", "scan": coi, "second": "jan",
    }  # fmt: skip
    signed = {
        name: plant.sign(person, meaning, **shown)
        for name, person, meaning in (
            ("signature", "iris", "collected"), ("verified", "jan", "verified"),
        )
    }  # fmt: skip
    request = replace(request_of("record-collection", values), **signed)
    with pytest.raises(Refused) as refusal:
        plant.do(request, "iris")
    assert refusal.value.code == "container-exists"


@pytest.mark.parametrize("place", range(0, 15))
def test_a_bags_number_that_is_wrong_in_one_character_is_refused(plant, place):  # noqa: F811
    coi = order_collection(plant)
    collect(plant, coi)
    other = "0" if coi[place] != "0" else "1"
    wrong = coi[:place] + other + coi[place + 1 :]

    with pytest.raises(Refused) as refusal:
        plant.do(AcceptCollection(coi=coi, container=bag_of(coi), scan=wrong), "kurt")
    assert refusal.value.code == "identity-mismatch"
