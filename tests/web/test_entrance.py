"""Who gets in, and what those see who do not."""

import json
import re

import pytest

PAGES = ["/record", "/record/journal/1", "/api/commands", "/act/weigh"]


@pytest.mark.req("P11.10d")
@pytest.mark.parametrize("page", PAGES)
def test_nobody_gets_in_without_a_login(client, page):
    answer = client.get(page)

    assert answer.status_code in {302, 401}
    assert b"journal-opened" not in answer.content


def test_a_login_leads_to_the_record(ada):
    answer = ada.get("/record")

    assert answer.status_code == 200
    assert b"Newest facts" in answer.content


def test_the_answer_to_a_wrong_password_does_not_tell_whether_the_name_exists(client):
    one = client.post("/login", {"login": "ada", "password": "wrong"})
    other = client.post("/login", {"login": "nobody", "password": "wrong"})

    assert one.status_code == other.status_code == 409
    assert b"name or password does not fit" in one.content
    assert b"name or password does not fit" in other.content


@pytest.mark.req("P11.300")
def test_five_failures_lock_the_account(site, client):
    from anlage.app import make_account

    make_account(login="eve", person="P-0999", password="correct horse battery")
    for _ in range(5):
        client.post("/login", {"login": "eve", "password": "wrong"})

    answer = client.post("/login", {"login": "eve", "password": "correct horse battery"})

    assert answer.status_code == 409
    assert b"account-locked" in answer.content


def test_a_forged_session_is_no_login(client):
    client.cookies["sessionid"] = "a" * 32

    assert client.get("/record").status_code == 302


def test_the_way_back_after_login_never_leaves_the_site(client):
    from tests.web.conftest import PASSWORD

    answer = client.post("/login?next=//evil.example/", {"login": "ada", "password": PASSWORD})

    assert answer.headers["Location"] == "/"


def test_a_page_asks_nothing_of_any_other_host(ada):
    content = ada.get("/record").content.decode()

    assert re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*', content) == []


def test_a_refusal_on_a_page_is_shown_in_full(ada):
    answer = ada.get("/record/lot/none")

    assert answer.status_code == 409
    assert b"subject-unknown" in answer.content


def test_the_interface_refuses_in_the_one_shape(ada):
    answer = ada.post("/api/commands/no-such", "{}", content_type="application/json")

    assert answer.status_code == 404
    refused = json.loads(answer.content)["refused"]
    assert refused["code"] == "command-unknown"
    assert set(refused) == {"code", "path", "line", "what", "found", "limit", "remedy", "rule"}


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"values": 3}', '{"values": {"x": "' + "y" * 200_000 + '"}}']
)
def test_a_body_of_another_shape_is_refused_in_the_one_shape(ada, body):
    answer = ada.post("/api/commands/weigh", body, content_type="application/json")

    assert answer.status_code in {400, 404, 409, 422}


@pytest.mark.parametrize("path", ["/lots", "/scan", "/tags/tags.pdf"])
def test_a_request_of_too_many_fields_is_refused_and_no_incident(ada, path):
    answer = ada.get(path, {"thing": ["x"] * 1500})

    assert answer.status_code == 400
    assert "request-malformed" in answer.content.decode()


def test_a_token_reads_the_record_until_it_is_taken_back(site, client):
    from anlage.app import make_token
    from anlage.store.desk.models import Token

    token = make_token("trial", "P-0001")
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"}

    assert client.get("/api/facts", **headers).status_code == 200
    Token.objects.filter(name="trial").update(is_active=False)
    assert client.get("/api/facts", **headers).status_code == 401
