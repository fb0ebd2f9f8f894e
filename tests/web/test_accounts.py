"""Accounts: the first password is changed, a leaver is out at once, nobody has two."""

import pytest

from anlage.app import has_account, make_account, reset_password
from anlage.base import Refused
from anlage.library import EndEmployment, RegisterPerson
from anlage.record import Actor
from tests.web.conftest import PASSWORD


@pytest.fixture
def newcomer(site):
    """A person who was registered a moment ago and has a first password."""
    numbers = [one.id for one in site.journal.streams("person")]
    person = f"P-7{len(numbers):03d}"
    actor = Actor(person="P-0001", via="command-line")
    site.engine.do(RegisterPerson(id=person, name="New Person"), actor=actor)
    make_account(login=person.lower(), person=person, password=PASSWORD, must_change=True)
    return person


def test_the_first_password_has_to_be_changed_before_anything_else(client, newcomer):
    client.post("/login", {"login": newcomer.lower(), "password": PASSWORD})

    assert client.get("/record").headers["Location"] == "/password"
    weak = client.post("/password", {"old": PASSWORD, "new": "short", "again": "short"})
    assert weak.status_code == 409 and b"password-weak" in weak.content
    mine = "a sentence nobody else has"
    assert (
        client.post("/password", {"old": PASSWORD, "new": mine, "again": mine}).status_code == 302
    )
    assert client.get("/record").status_code == 200


@pytest.mark.req("P11.10d")
def test_whoever_has_left_is_out_at_the_next_request_and_stays_out(site, client, newcomer):
    client.post("/login", {"login": newcomer.lower(), "password": PASSWORD})
    actor = Actor(person="P-0001", via="command-line")
    site.engine.do(EndEmployment(person=newcomer, reason="left"), actor=actor)

    assert client.get("/password").headers["Location"].startswith("/login")
    again = client.post("/login", {"login": newcomer.lower(), "password": PASSWORD})
    assert again.status_code == 409


@pytest.mark.req("P11.300")
def test_a_login_name_and_a_person_are_never_given_twice(site, newcomer):
    for login, person in ((newcomer.lower(), "P-8888"), ("another", newcomer)):
        with pytest.raises(Refused) as refusal:
            make_account(login=login, person=person, password=PASSWORD)
        assert refusal.value.code == "account-exists"

    assert has_account(newcomer)
    assert reset_password("P-8888", PASSWORD) is None
