"""Who somebody is: logins, sessions, tokens, signatures. Each way round it is refused."""

import json
import re

import pytest

from anlage.record import encode
from tests.attack.conftest import PASSWORD

NOTE = {"text": "seen"}


def completion(door, **more):
    """Give the values that complete the first step of the lot."""
    lot = door.state()
    return {
        "lot": lot.id,
        "step": "receipt-identity",
        "scan": lot.identity,
        "witness": "ben",
    } | more


def open_first(door):
    if "receipt-identity" not in door.state().steps:
        done = door.post("anna", "start-step", {"lot": door.lot, "step": "receipt-identity"})
        assert done[0] == 200, done


@pytest.mark.req("P11.10d")
@pytest.mark.parametrize("headers", [
    {}, {"HTTP_AUTHORIZATION": "Bearer anlage_guessed"}, {"HTTP_AUTHORIZATION": "Basic YTpi"},
    {"HTTP_COOKIE": "sessionid=" + "a" * 32}, {"HTTP_COOKIE": "sessionid=../../etc/passwd"},
])  # fmt: skip
def test_a_command_without_a_true_login_is_refused(door, headers):
    body = json.dumps({"values": {"lot": door.lot, **NOTE}})
    with door.nothing_stored():
        answer = door.browser().post(
            "/api/commands/add-note", body, content_type="application/json", **headers
        )

    assert answer.status_code == 401
    assert json.loads(answer.content)["refused"]["code"] == "login-missing"


@pytest.mark.req("P11.10d")
def test_a_session_signed_by_an_attacker_is_no_login(door):
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    forged = SessionStore()
    forged["_auth_user_id"], forged["_auth_user_hash"] = "1", "0" * 64
    client = door.browser()
    client.cookies["sessionid"] = forged._get_session_key()

    assert client.get("/record").status_code == 302


@pytest.mark.req("P11.10d")
def test_a_session_ends_when_the_password_is_changed_elsewhere(door):
    from anlage.store.desk.models import Account

    client = door.browser("nils")
    account = Account.objects.get(person="nils")
    account.set_password("another long password")
    account.save()

    assert client.get("/record").status_code == 302


def test_a_page_of_another_site_cannot_act_for_a_person(door):
    from django.test import Client

    from anlage.store.desk.models import Account

    client = Client(enforce_csrf_checks=True)
    client.force_login(Account.objects.get(person="anna"))
    with door.nothing_stored():
        answer = client.post("/act/add-note", {"lot": door.lot, **NOTE})

    assert answer.status_code == 403


@pytest.mark.req("P11.200")
@pytest.mark.req("P11.70")
@pytest.mark.parametrize("method", ["password", "passkey", "simulated-person"])
def test_a_signature_sent_as_a_value_is_refused_however_sound_it_is(door, method):
    open_first(door)
    lot = door.state()
    shown = {"lot": lot.id, "step": "receipt-identity", "readings": {}, "materials": [],
             "scan": lot.identity}  # fmt: skip
    from anlage.record import sign

    def forged(person, meaning):
        return encode(sign(
            shown, person=person, name=person, meaning=meaning, template="t/1", method=method,
            at=door.at,
        ))  # fmt: skip

    values = completion(
        door, performed=forged("anna", "performed"), verified=forged("ben", "verified")
    )

    assert door.refused("anna", "complete-step", values) == "signature-not-proven"


@pytest.mark.req("P11.200")
def test_a_step_is_not_signed_without_proof(door):
    open_first(door)

    assert door.refused("anna", "complete-step", completion(door)) == "signature-missing"


@pytest.mark.req("P11.200")
@pytest.mark.req("ANNEX11.6")
def test_the_operators_proof_does_not_stand_for_the_witness(door):
    open_first(door)
    values = completion(door)

    assert door.refused("anna", "complete-step", values, sign=["anna"]) == "signature-missing"
    assert (
        door.refused("anna", "complete-step", values, sign=["anna", "anna"]) == "signature-missing"
    )
    assert (
        door.refused("anna", "complete-step", values, sign=["anna", "hans"]) == "signature-missing"
    )


@pytest.mark.req("ANNEX11.6")
@pytest.mark.req("P11.10g")
def test_the_second_person_is_never_the_first(door):
    open_first(door)
    values = completion(door, witness="anna")

    assert door.refused("anna", "complete-step", values, sign=["anna"]) == "person-not-distinct"


@pytest.mark.req("P11.200")
def test_nobody_signs_with_anothers_login_and_an_own_password_guess(door):
    open_first(door)
    body = {"values": completion(door), "sign": [{"login": "anna", "password": PASSWORD},
            {"login": "ben", "password": "wrong wrong wrong"}]}  # fmt: skip
    with door.nothing_stored():
        answer = door.browser("anna").post(
            "/api/commands/complete-step", json.dumps(body), content_type="application/json"
        )

    assert json.loads(answer.content)["refused"]["code"] == "login-failed"


def sign_page(door, client, witness="ben"):
    """Begin completing the first step on a page and give the address of the signature."""
    open_first(door)
    lot = door.state()
    answer = client.post("/act/complete-step", {
        "lot": lot.id, "step": "receipt-identity", "scan": lot.identity, "witness": witness,
    })  # fmt: skip
    assert answer.status_code == 302, re.sub(r"<[^>]+>", " ", answer.content.decode())[-2000:]
    return answer.headers["Location"]


@pytest.mark.req("P11.200")
@pytest.mark.req("U2")
def test_the_first_signature_of_a_session_takes_login_and_password(door):
    client = door.browser("anna")
    address = sign_page(door, client)
    with door.nothing_stored():
        answer = client.post(address, {"password": PASSWORD, "verified-login": "ben",
                                       "verified-password": PASSWORD})  # fmt: skip

    assert answer.status_code == 409
    assert b"login-failed" in answer.content


@pytest.mark.req("P11.200")
def test_another_person_cannot_sign_for_the_one_at_the_page(door):
    client = door.browser("anna")
    address = sign_page(door, client)
    with door.nothing_stored():
        answer = client.post(address, {"login": "hans", "password": PASSWORD,
                                       "verified-login": "ben", "verified-password": PASSWORD})  # fmt: skip

    assert answer.status_code == 409
    assert b"signature-by-another" in answer.content


@pytest.mark.req("P11.200")
def test_the_signature_page_of_one_session_is_worth_nothing_in_another(door):
    address = sign_page(door, door.browser("anna"))
    with door.nothing_stored():
        answer = door.browser("anna").post(address, {"login": "anna", "password": PASSWORD})

    assert b"signature-token-spent" in answer.content


@pytest.mark.req("P11.50")
@pytest.mark.req("P11.200")
def test_a_signature_is_made_once_and_says_name_time_and_meaning(door):
    door = door.with_a_lot_of_its_own()
    client = door.browser("anna")
    first, second_tab = sign_page(door, client), sign_page(door, client)
    proof = {"login": "anna", "password": PASSWORD, "verified-login": "ben",
             "verified-password": PASSWORD}  # fmt: skip

    assert client.post(first, proof).status_code == 302
    body = next(
        one.body for one in reversed(door.journal.read_stream(door.state().stream))
        if one.kind == "step-completed"
    )  # fmt: skip
    with door.nothing_stored():
        spent, tab = client.post(first, proof), client.post(second_tab, proof)

    assert b"signature-token-spent" in spent.content
    assert tab.status_code == 409
    for name, meaning in {"performed": "performed", "verified": "verified"}.items():
        assert body[name]["meaning"] == meaning
        assert body[name]["name"] == {"performed": "Anna", "verified": "Ben"}[name]
        assert body[name]["at"].endswith("Z") or "+" in body[name]["at"]


@pytest.mark.req("P11.100")
def test_one_person_has_one_account_and_a_login_is_never_given_twice(door):
    from django.db import IntegrityError

    from anlage.store.desk.models import Account

    for login, person in (("anna", "somebody"), ("anna2", "anna")):
        with pytest.raises(IntegrityError):
            Account.objects.create(login=login, person=person)


@pytest.mark.req("P11.100")
def test_the_number_of_a_person_is_never_given_to_another(door):
    values = {"id": "anna", "name": "Another Anna"}

    assert door.refused("ada", "register-person", values) == "person-known"
