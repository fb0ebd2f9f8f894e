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


def account_facts(site, person):
    from anlage.library import stream_of_account

    return site.journal.read_stream(stream_of_account(person))


@pytest.mark.req("P11.300")
def test_failed_logins_and_the_lock_are_facts_without_the_password(site, client, newcomer):
    for _ in range(5):
        client.post("/login", {"login": newcomer.lower(), "password": "a wrong secret"})

    facts = account_facts(site, newcomer)
    assert [one.kind for one in facts] == ["login-failed"] * 5 + ["account-locked"]
    assert [one.body.get("failures") for one in facts[:5]] == [1, 2, 3, 4, 5]
    assert all(one.by.person is None and one.by.via == "page" for one in facts)
    assert b"a wrong secret" not in b"".join(one.content for one in facts)


def test_a_chosen_password_and_a_reset_are_facts(site, client, newcomer):
    from anlage.app import sentence, telling

    client.post("/login", {"login": newcomer.lower(), "password": PASSWORD})
    mine = "a sentence nobody else has"
    client.post("/password", {"old": PASSWORD, "new": mine, "again": mine})
    reset_password(newcomer, PASSWORD, tell=telling(site, via="command-line", by="P-0001"))

    changed, reset = account_facts(site, newcomer)
    assert (changed.kind, changed.by.person) == ("password-changed", newcomer)
    assert (reset.kind, reset.by.person) == ("password-reset", "P-0001")
    assert "first password" in sentence(reset)


@pytest.mark.req("P11.10d")
@pytest.mark.req("U2")
def test_a_session_ends_after_the_idle_time_of_the_site(site, client, newcomer, monkeypatch):
    client.post("/login", {"login": "ada", "password": PASSWORD})
    assert client.get("/record").status_code == 200
    session = client.session
    session["seen_at"] -= 60 * site.settings.idle_minutes + 1
    session.save()

    answer = client.get("/record")

    assert answer.status_code == 302 and answer.headers["Location"].startswith("/login")


def test_the_idle_time_and_the_signing_window_are_settings_of_the_site(tmp_path):
    from anlage.app import settings

    (tmp_path / "anlage.toml").write_text("idle_minutes = 5\nsigning_minutes = 0\n")

    found = settings(tmp_path)

    assert (found.idle_minutes, found.signing_minutes) == (5, 0)


def test_a_password_is_hashed_at_the_costs_that_owasp_names(site, newcomer):
    from anlage.store.desk.models import Account

    assert Account.objects.get(person=newcomer).password.startswith(
        "argon2$argon2id$v=19$m=47104,t=1,p=1$"
    )
