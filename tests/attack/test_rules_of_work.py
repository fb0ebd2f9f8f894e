"""The four hard stops and the order of work, attacked through the interface as its user."""

from datetime import timedelta

import pytest

from anlage.plant import EquipmentUnit, MaterialLot
from tests.app.test_making import fresh, stock
from tests.attack.conftest import PASSWORD, assessed

READERS = ["nora", "otto"]
MATERIAL, CLASS = "M-wash-buffer", "wash-buffer"


def scan_step(door, person="anna", **more):
    lot = door.state()
    return {
        "lot": lot.id,
        "step": "receipt-identity",
        "scan": lot.identity,
        "witness": "ben",
    } | more


def use(door, material=MATERIAL, **more):
    name = material.removeprefix("M-")
    unit = door.plant.state(MaterialLot, f"material/{material}").unit
    return {
        "material": material, "lot": door.lot, "step": "wash", "material_class": name, "pack": "1",
        "amount": {"value": "1", "unit": unit},
    } | more  # fmt: skip


def must_have(door, name):
    stock(door.plant, name)
    return f"M-{name}"


@pytest.mark.req("P11.10g")
@pytest.mark.req("P11.10d")
@pytest.mark.parametrize("person", READERS)
def test_who_may_only_read_does_no_command(door, person):
    attempts = {
        "add-note": {"lot": door.lot, "text": "seen"},
        "start-step": {"lot": door.lot, "step": "receipt-identity"},
        "scan-identity": {"lot": door.lot, "step": "receipt-identity", "raw": "x"},
        "open-deviation": {"lot": door.lot, "title": "t", "description": "d", "severity": "minor"},
        "attach-file": {"lot": door.lot, "step": "receipt-identity", "name": "a.png",
                        "digest": "1" * 64, "media_type": "image/png", "size": 1},
        "consume-material": use(door),
        "recall-material": {"material": MATERIAL, "notice": "n", "reason": "r"},
        "quarantine-material": {"material": MATERIAL, "reason": "r"},
        "release-lot": {"lot": door.lot},
        "void-lot": {"lot": door.lot, "reason": "r"},
        "reject-lot": {"lot": door.lot, "reason": "r"},
        "cancel-journey": {"coi": door.coi, "reason": "r"},
        "withdraw-consent": {"coi": door.coi, "reason": "r"},
        "register-person": {"id": "evil", "name": "Evil"},
        "grant-role": {"person": person, "role": "operator"},
        "revoke-qualification": {"person": "lena", "requirement": "gowning", "subject": "grade-b",
                                 "reason": "r"},
        "retire-definition": {"kind": "recipe", "id": "cd19-car-t", "reason": "r", "impact": "i"},
    }  # fmt: skip
    for name, values in attempts.items():
        code = door.refused(person, name, values, sign=[person])

        assert code == "operator-unqualified", name


@pytest.mark.req("P11.10g")
def test_nobody_grants_a_role_to_themselves(door):
    code = door.refused("ada", "grant-role", {"person": "ada", "role": "operator"})

    assert code == "grant-to-self"


@pytest.mark.req("P11.10i")
def test_a_lapsed_qualification_stops_the_next_command_of_the_same_session(door):
    door = door.with_a_lot_of_its_own()
    client = door.browser("lena")
    terms = door.plant.state(EquipmentUnit, "equipment/E-biosafety-cabinet").terms
    values = {"equipment": "E-biosafety-cabinet", "agent": next(iter(terms.agents)),
              "contact": {"value": "60", "unit": "min"}}  # fmt: skip
    done = door.post("lena", "clean-equipment", values, client=client)
    assert done[0] == 200, done

    door.plant.clock.advance(timedelta(days=31))

    assert door.refused("lena", "clean-equipment", values, client=client) == "operator-unqualified"
    start = {"lot": door.lot, "step": "receipt-identity"}
    assert door.refused("lena", "start-step", start, client=client) == "operator-unqualified"
    assessed(door.plant)
    assert door.post("lena", "clean-equipment", values, client=client)[0] == 200


@pytest.mark.req("P11.10i")
def test_a_revoked_qualification_stops_operator_and_witness(door):
    revoked = {"person": "lena", "requirement": "gowning", "subject": "grade-b", "reason": "seen"}
    assert door.post("eva", "revoke-qualification", revoked)[0] == 200
    if "receipt-identity" not in door.state().steps:
        door.post("anna", "start-step", {"lot": door.lot, "step": "receipt-identity"})

    values = scan_step(door)
    assert door.refused("lena", "complete-step", values, sign=["lena", "ben"]) == (
        "operator-unqualified"
    )
    values = scan_step(door, witness="lena")
    assert door.refused("anna", "complete-step", values, sign=["anna", "lena"]) == (
        "operator-unqualified"
    )
    assessed(door.plant)


@pytest.mark.req("U1")
@pytest.mark.parametrize(
    "scan", ["", " ", "CHA999926999999", "&/CHA999926999999", "*", "%", "null"]
)
def test_a_wrong_identity_completes_no_step(door, scan):
    if "receipt-identity" not in door.state().steps:
        door.post("anna", "start-step", {"lot": door.lot, "step": "receipt-identity"})
    code = door.refused("anna", "complete-step", scan_step(door, scan=scan), sign=["anna", "ben"])

    assert code in {
        "identity-mismatch",
        "identity-malformed",
        "text-unusable",
        "identity-not-scanned",
    }


@pytest.mark.req("U1")
@pytest.mark.parametrize("rule", ["identity-mismatch", "identity", "*", "", "IDENTITY-MISMATCH"])
def test_no_authorisation_opens_wrong_identity(door, rule):
    values = {"lot": door.lot, "step": "receipt-identity", "rule": rule, "subject": "CHA999926999999",
              "reason": "urgent", "second_by": "fritz", "physician_by": "greta"}  # fmt: skip

    assert door.refused("eva", "authorise-exception", values, sign=["eva", "fritz", "greta"]) == (
        "request-malformed"
    )


@pytest.mark.req("U1")
def test_an_authorisation_for_another_rule_does_not_lift_wrong_identity(door):
    if "receipt-identity" not in door.state().steps:
        door.post("anna", "start-step", {"lot": door.lot, "step": "receipt-identity"})
    values = {"lot": door.lot, "step": "receipt-identity", "rule": "operator-unqualified",
              "subject": "otto", "reason": "nobody else is there", "second_by": "fritz",
              "physician_by": "greta"}  # fmt: skip
    done = door.post("eva", "authorise-exception", values, sign=["eva", "fritz", "greta"])
    assert done[0] == 200, done

    wrong = scan_step(door, scan="CHA999926999999")
    assert door.refused("anna", "complete-step", wrong, sign=["anna", "ben"]) == "identity-mismatch"


@pytest.mark.parametrize("second, physician", [("eva", "greta"), ("greta", "greta"), ("fritz", "eva"),
                                               ("fritz", None), ("nobody", "greta")])  # fmt: skip
def test_the_one_door_wants_three_distinct_persons(door, second, physician):
    values = {"lot": door.lot, "step": "wash", "rule": "material-unusable", "subject": MATERIAL,
              "reason": "urgent", "second_by": second, "physician_by": physician}  # fmt: skip
    code = door.refused("eva", "authorise-exception", values, sign=["eva", "fritz", "greta"])

    assert code in {"person-not-distinct", "authorisation-unusable", "operator-unqualified"}


@pytest.mark.req("U1")
@pytest.mark.parametrize("state", ["expired", "quarantined", "recalled"])
def test_an_unusable_material_lot_is_consumed_by_no_command(door, state):
    names = {"expired": "saline", "quarantined": "human-albumin", "recalled": "selection-reagent"}
    material = must_have(door, names[state])
    pack = fresh(door.plant, names[state])
    if state == "quarantined":
        done = door.post("eva", "quarantine-material", {"material": material, "reason": "doubt"})
    elif state == "recalled":
        values = {"material": material, "notice": "FSN-1", "reason": "supplier"}
        done = door.post("eva", "recall-material", values)
    else:
        values = {"material": material, "expires": "2026-03-05T00:00:00Z", "reason": "supplier"}
        done = door.post("eva", "change-material-expiry", values, sign=["eva"])
    assert done[0] == 200, done
    if state == "expired":
        door.plant.clock.advance(timedelta(days=3))

    assert door.refused("anna", "consume-material", use(door, material, pack=pack)) == (
        "material-unusable"
    )
    # Not by saying that it was used earlier either, when it was good.
    early = use(door, material, pack=pack, happened="2026-03-04T00:00:00Z", reason="forgot it")
    if state != "expired":
        assert door.refused("anna", "consume-material", early) == "material-unusable"


def test_more_than_a_pack_holds_is_consumed_by_no_command(door):
    material = must_have(door, CLASS)
    for amount in ("9999999999", "-1", "0"):
        values = use(door, material, amount={"value": amount, "unit": "mL"})

        assert door.refused("anna", "consume-material", values) in {
            "material-unusable", "amount-unusable",
        }  # fmt: skip


@pytest.mark.req("P11.10f")
@pytest.mark.parametrize(
    "step", ["wash", "release-sample", "receipt-identity:2", "../receipt-identity"]
)
def test_a_step_out_of_order_is_neither_started_nor_completed(door, step):
    start = {"lot": door.lot, "step": step}
    assert door.refused("anna", "start-step", start) in {"step-out-of-order", "step-unknown"}
    values = scan_step(door, step=step)
    assert door.refused("anna", "complete-step", values, sign=["anna", "ben"]) in {
        "step-out-of-order", "step-unknown",
    }  # fmt: skip


@pytest.mark.req("P11.10f")
def test_a_step_is_not_left_out_without_an_authorisation(door):
    values = {"lot": door.lot, "step": "receipt-identity", "reason": "no time"}

    code = door.refused("anna", "skip-step", values, sign=["anna"])

    assert code in {"step-out-of-order", "authorisation-missing", "step-done"}


@pytest.mark.req("ANNEX11.15")
def test_a_lot_with_anything_open_is_not_released_by_anybody(door):
    for person in ("fritz", "omar", "eva", "anna"):
        code = door.refused(person, "release-lot", {"lot": door.lot}, sign=[person])

        assert code in {"lot-not-releasable", "lot-not-running", "operator-unqualified"}, code


@pytest.mark.req("P11.10k")
def test_a_draft_makes_nothing_and_its_author_does_not_approve_it(door):
    content = {
        "kind": "sop",
        "id": "sop-evil",
        "title": "Evil",
        "summary": "Skip it.",
        "basis": "illustrative",
    }
    status, answer = door.post("omar", "draft-definition", {"content": content})
    assert status == 200, answer
    assert door.post("omar", "submit-definition", {"kind": "sop", "id": "sop-evil", "number": 1},
                     sign=["omar"])[0] == 200  # fmt: skip
    fact = door.journal.read_stream(
        next(s for s in door.journal.streams("definition") if "evil" in s)
    )
    values = {"kind": "sop", "id": "sop-evil", "number": 1, "digest": fact[0].body["digest"]}

    assert door.refused("omar", "approve-definition", values, sign=["omar"]) == (
        "definition-own-approval"
    )
    wrong = values | {"digest": "0" * 64}
    assert door.refused("eva", "approve-definition", wrong, sign=["eva"]) in {
        "operator-unqualified", "definition-moved-on",
    }  # fmt: skip


@pytest.mark.req("P01")
def test_a_lot_is_begun_by_no_definition_that_is_not_effective(door):
    for values in ({"product": "evil"}, {"product": "cd19-car-t", "recipe": "evil"},
                   {"product": "cd19-car-t", "recipe": "cd19-car-t@99"}):  # fmt: skip
        code = door.refused("anna", "begin-lot", {**values, "coi": door.coi})

        assert code in {"definition-not-effective", "lot-exists", "journey-out-of-order"}, code


@pytest.mark.req("P11.10e")
def test_a_request_sent_again_is_done_once_and_a_key_is_worth_nothing_to_another(door):
    values = {"lot": door.lot, "text": "the bag is cold"}
    first = door.post("anna", "add-note", values, key="k-1")
    with door.nothing_stored():
        again = door.post("anna", "add-note", values, key="k-1")
    other_text = door.post("anna", "add-note", values | {"text": "the bag is warm"}, key="k-1")
    other_person = door.post("ben", "add-note", values, key="k-1")

    assert again == (200, {**first[1], "is_repeat": True})
    for status, answer in (other_text, other_person):
        assert status == 200 and not answer["is_repeat"]
        assert answer["facts"] != first[1]["facts"]


def test_a_repeated_start_of_a_step_is_the_first_one(door):
    door = door.with_a_lot_of_its_own()
    values = {"lot": door.lot, "step": "receipt-identity"}
    first = door.post("anna", "start-step", values, key="k-2")
    assert first[0] == 200, first

    with door.nothing_stored():
        again = door.post("anna", "start-step", values, key="k-2")

    assert again[1] == {**first[1], "is_repeat": True}


def test_a_person_who_left_does_nothing_more_in_an_open_session(door):
    client = door.browser("pia")
    assert door.post("ada", "grant-role", {"person": "pia", "role": "definition-author"})[0] == 200
    ended = {"person": "pia", "reason": "left"}
    assert door.post("ada", "end-employment", ended)[0] == 200

    code = door.refused("pia", "add-note", {"lot": door.lot, "text": "bye"}, client=client)
    assert code in {"operator-unqualified", "login-missing"}
    assert client.get("/record").status_code == 302
    login = door.browser().post("/login", {"login": "pia", "password": PASSWORD})
    assert b"account-closed" in login.content
