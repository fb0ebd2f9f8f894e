"""Collection and ward staff alone record and sign their acts, whatever door they come through."""

from dataclasses import replace

import pytest

from anlage.app import request_of, signatures_wanted
from anlage.base import Refused
from anlage.plant import AcceptCollection
from anlage.record import Actor
from tests.app.test_making import (
    COUNTS,
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


@pytest.fixture
def arrived(plant):  # noqa: F811
    """A collection that was performed and waits at the receipt: its chain of identity."""
    coi = order_collection(plant)
    collect(plant, coi)
    return coi


def accept(coi, **more):
    counts = COUNTS | more.pop("counts", {})
    wanted = {name: text for name, text in counts.items() if text}
    return AcceptCollection(coi=coi, container=bag_of(coi), scan=coi, counts=wanted, **more)


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"viability": "79.4 %"}, "79.4 %"),
        ({"cd3-cells": "5e8 cell"}, "5e8 cell"),
        ({"total-nucleated-cells": ""}, "not counted"),
    ],
)
def test_a_collection_outside_its_limits_is_not_accepted(plant, arrived, counts, found):  # noqa: F811
    with pytest.raises(Refused) as refusal:
        plant.do(accept(arrived, counts=counts), "kurt")
    assert refusal.value.code == "collection-count-outside"
    assert refusal.value.problem.found == found
    assert "at least" in refusal.value.problem.limit


@pytest.mark.parametrize(
    ("counts", "code"),
    [({"viability": "8 mL"}, "unit-mismatch"), ({"weight": "80 kg"}, "count-unknown")],
)
def test_a_count_of_another_kind_is_refused(plant, arrived, counts, code):  # noqa: F811
    with pytest.raises(Refused) as refusal:
        plant.do(accept(arrived, counts=counts), "kurt")
    assert refusal.value.code == code


def test_what_is_within_its_limits_is_accepted_with_its_counts(plant, arrived):  # noqa: F811
    outcome = plant.do(accept(arrived, counts={"viability": "79.6 %"}), "kurt")

    fact = next(one.fact for one in outcome.facts if one.kind == "collection-accepted")
    assert fact.specification == "apheresis-acceptance version 1"
    assert fact.counts["viability"] == "79.6 %"
    assert fact.outside == ()


def test_quality_may_accept_what_is_outside_with_a_reason_and_a_signature(plant, arrived):  # noqa: F811
    reason = "The only collection that this patient can give; protocol 7 allows it."
    asked = accept(
        arrived, counts={"cd3-cells": "0.4 10*9.cell"}, assessment=reason, assessed_by="eva"
    )
    with pytest.raises(Refused) as refusal:
        plant.do(asked, "kurt")
    assert refusal.value.code == "signature-missing"
    with pytest.raises(Refused) as refusal:
        plant.do(replace(asked, assessed_by="anna"), "kurt")
    assert refusal.value.code == "operator-unqualified"
    (wanted,) = signatures_wanted(
        plant.installation.engine, asked, actor=Actor(person="kurt", via="page")
    )
    assert (wanted.person, wanted.field) == ("eva", "assessed")
    signature = plant.sign("eva", "assessed", **wanted.shown)

    outcome = plant.do(replace(asked, assessed=signature), "kurt")

    fact = next(one.fact for one in outcome.facts if one.kind == "collection-accepted")
    assert fact.assessment == reason
    assert "cd3-cells" in fact.outside[0]


def test_a_rejection_keeps_the_counts_that_it_rests_on(plant, arrived):  # noqa: F811
    asked = accept(arrived, counts={"viability": "40 %"}, reject="too few living cells")

    outcome = plant.do(asked, "kurt")

    fact = next(one.fact for one in outcome.facts if one.kind == "collection-rejected")
    assert fact.counts["viability"] == "40 %"
    assert "viability" in fact.outside[0]
