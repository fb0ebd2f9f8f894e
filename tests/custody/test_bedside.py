"""The bedside, segregation and bulk reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Quantity, Refused
from anlage.custody import (
    Container,
    ContainerCreated,
    End,
    Evidence,
    Infectious,
    InfusionOrder,
    Kept,
    PlaceRule,
    check_at_bedside,
    compare,
    conflicts,
    conflicts_within,
    finish,
    infuse,
    look_alike,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = InfusionOrder(
    id="O-1",
    coi="CHA999923000001",
    lot="L-1",
    volume_min=Quantity.parse("50 mL"),
    volume_max=Quantity.parse("80 mL"),
    expires=AT + timedelta(days=1),
    thaw_to_infusion_max=timedelta(minutes=30),
)
BAG = Container(id="B1").with_fact(
    ContainerCreated(
        vessel="bag",
        place="ward",
        holder="nurse",
        evidence=Evidence.SCANNED,
        coi=ORDER.coi,
        lot="L-1",
        amount=Quantity.parse("60 mL"),
    )
)
GOOD = {
    "band": ORDER.coi,
    "bag": "B1",
    "thawed": AT - timedelta(minutes=10),
    "first": "nurse",
    "second": "doctor",
    "at": AT,
}


def test_band_bag_and_order_that_agree_open_the_infusion():
    (entry,) = check_at_bedside(ORDER, BAG, **GOOD)

    assert entry.fact.coi == ORDER.coi


@settings(deadline=None)
@given(st.sampled_from(["band", "bag"]), st.integers(0, 1), st.sampled_from("ABXYZ0123456789"))
def test_a_wrong_identity_is_refused_whatever_else_holds(name, place, other):
    code = GOOD[name]
    changed = code[:place] + other + code[place + 1 :]

    if changed == code:
        return
    with pytest.raises(Refused) as refusal:
        check_at_bedside(ORDER, BAG, **GOOD | {name: changed})
    assert refusal.value.code == "identity-mismatch"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"second": "nurse"}, "second-person-missing"),
        ({"second": ""}, "second-person-missing"),
        ({"first": "other"}, "not-the-holder"),
        ({"thawed": None}, "thaw-time-missing"),
        ({"thawed": AT - timedelta(minutes=31)}, "thaw-clock-run-out"),
        ({"at": AT + timedelta(days=2)}, "product-expired"),
    ],
)
def test_each_other_fault_is_refused(change, code):
    with pytest.raises(Refused) as refusal:
        check_at_bedside(ORDER, BAG, **GOOD | change)
    assert code in {problem.code for problem in refusal.value.problems}


def test_a_dose_outside_the_order_is_refused():
    order = InfusionOrder(
        **{name: getattr(ORDER, name) for name in InfusionOrder.__slots__ if "volume" not in name},
        volume_min=Quantity.parse("70 mL"),
        volume_max=Quantity.parse("80 mL"),
    )

    with pytest.raises(Refused) as refusal:
        check_at_bedside(order, BAG, **GOOD)
    assert refusal.value.code == "dose-outside-order"


def give(given, left, checked_at=AT, minutes=5, by="nurse"):
    return infuse(
        replace(BAG, checked_at=checked_at),
        given=Quantity.parse(given),
        left=Quantity.parse(left),
        by=by,
        at=AT + timedelta(minutes=minutes),
    )


def test_leftovers_are_accounted_for():
    assert give("60 mL", "0 mL")[-1].fact.how is End.INFUSED
    left = [entry.fact.kind for entry in give("58 mL", "2000 uL")]
    assert left == ["leftover-reconciled", "container-drawn"], "the rest is still answered for"
    with pytest.raises(Refused) as refusal:
        give("58 mL", "1 mL")
    assert refusal.value.code == "leftover-not-reconciled"


@pytest.mark.parametrize(("checked_at", "minutes"), [(None, 5), (AT, 31), (AT, -1)])
def test_no_infusion_without_a_fresh_check(checked_at, minutes):
    with pytest.raises(Refused) as refusal:
        give("58 mL", "2 mL", checked_at, minutes)
    assert refusal.value.code == "bedside-check-missing"


def test_nobody_but_the_holder_infuses_and_no_other_end_stands_for_it():
    with pytest.raises(Refused):
        give("58 mL", "2 mL", by="other")
    with pytest.raises(Refused) as refusal:
        finish(BAG, how=End.INFUSED, by="nurse", evidence=Evidence.SCANNED)
    assert refusal.value.code == "bedside-check-missing"


def kept(id, coi="P1", status=Infectious.NEGATIVE, **more):
    return Kept(id=id, product_class="cell therapy", coi=coi, infectious=status, **more)


@pytest.mark.parametrize(
    ("thing", "place", "other", "code"),
    [
        (kept("a", status=Infectious.UNKNOWN), PlaceRule(id="t"), None, "infectious-not-allowed"),
        (kept("a"), PlaceRule(id="t", classes=frozenset({"waste"})), None, "class-not-allowed"),
        (kept("a"), PlaceRule(id="t", clear_first=True), None, "place-not-cleared"),
        (kept("a"), PlaceRule(id="t", one_patient=True), kept("b", "P2"), "two-patients"),
        (kept("a", is_open=True), PlaceRule(id="t"), kept("b", "P2", is_open=True), "two-patients"),
        (
            kept("a"),
            PlaceRule(id="t", takes_infectious=True),
            kept("b", "P2", Infectious.POSITIVE),
            "infectious-beside-negative",
        ),
        (
            kept("a", label_name="Anna Meier"),
            PlaceRule(id="t"),
            kept("b", "P2", label_name="Anna Meyer"),
            "look-alike-names",
        ),
    ],
)
def test_what_may_not_stand_together_is_refused(thing, place, other, code):
    found = conflicts(thing, place, [other] if other else [])

    assert [problem.code for problem in found] == [code]


def test_two_shut_bags_of_two_patients_may_share_a_tank():
    assert conflicts_within([kept("a"), kept("b", "P2")], PlaceRule(id="tank")) == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Meier", "Meyer", True),
        ("Anna Meier", "Anna Meire", True),
        ("Schmidt", "Schmid", True),
        ("Schmidt", "Müller", False),
        ("Li", "Lu", False),
        ("Li", "li", True),
        ("", "", False),
    ],
)
def test_names_that_could_be_taken_for_each_other(one, other, alike):
    assert look_alike(one, other) is alike
    assert look_alike(other, one) is alike


def test_a_bulk_read_shows_missing_and_foreign_tags():
    expected = {
        "urn:epc:id:sgtin:0614141.812345.6789": "B1",
        "urn:epc:id:sgtin:0614141.812345.1": "B2",
    }
    other = "3074257BF7194E4000001A86"

    found = compare(expected, ["3074257BF7194E4000001A85", other, other, "junk"])

    assert (found.present, found.missing) == (("B1",), ("B2",))
    assert found.foreign == ("urn:epc:id:sgtin:0614141.812345.6790",)
    assert found.unreadable == ("junk",)
    assert not found.is_complete
