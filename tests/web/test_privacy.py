"""The page of what names a patient: shown once, on record, to those who need it."""

import pytest

from anlage.plant import access_stream
from anlage.web.reading import history

NAME = "Erika Beispiel-Weiss"


@pytest.fixture
def page(enter, house):
    coi = house.named["ordered"]
    address = f"/journeys/{coi}/personal"
    enter("greta").post(f"{address}/keep", {"name": NAME, "born": "1960-01-01"})
    return address, coi


@pytest.mark.req("SC16")
def test_a_name_is_shown_once_after_the_reading_is_recorded(enter, house, page):
    address, coi = page
    client, journal = enter("hans"), house.installation.journal
    before = journal.head(access_stream(coi)).version

    answer = client.post(f"{address}/shown", {"purpose": "call about the slot"})

    assert NAME in answer.content.decode()
    assert journal.head(access_stream(coi)).version == before + 1
    again = client.get(address).content.decode()
    assert NAME not in again
    assert "call about the slot" in again


@pytest.mark.req("SC16")
@pytest.mark.parametrize("person", ["anna", "eva", "kurt"])
def test_who_has_no_need_is_offered_nothing_and_gets_nothing(enter, house, page, person):
    address, _ = page
    client, journal = enter(person), house.installation.journal
    before = journal.size

    assert b"Show it to me" not in client.get(address).content
    answer = client.post(f"{address}/shown", {"purpose": "curious"})

    assert answer.status_code == 409
    assert NAME not in answer.content.decode()
    assert journal.size == before


def test_a_name_without_a_purpose_is_not_shown(enter, page):
    answer = enter("hans").post(f"{page[0]}/shown", {"purpose": ""})

    assert answer.status_code == 409
    assert NAME not in answer.content.decode()


def test_the_page_says_what_stands_against_erasing(enter, page):
    text = enter("eva").get(page[0]).content.decode()

    assert "the journey is not over" in text
    assert "GDPR Art. 17(3)(c)" in text


def test_no_other_page_holds_the_name(enter, house, page):
    client = enter("greta")
    for address in (
        "/journeys",
        f"/journeys/{page[1]}",
        "/record",
        f"/record/journey/{page[1]}",
        "/",
    ):
        assert NAME not in client.get(address).content.decode(), address


def test_a_view_that_stands_still_is_told_on_every_page_and_by_health(enter, house, monkeypatch):
    site = house.installation
    monkeypatch.setitem(site.views._failed, "lot-board", (7, "KeyError: 'step'"))
    client = enter("anna")

    for address in ("/", "/lots", "/record"):
        text = client.get(address).content.decode()
        assert "stands still before fact 7" in text, address
    health = client.get("/health").json()
    assert health["ok"] is False and health["behind"] == {"lot-board": 7}


def test_signing_that_a_clock_has_stopped_is_told_on_every_page(enter, house, monkeypatch):
    from datetime import timedelta

    site = house.installation
    monkeypatch.setattr(site.journal, "clock_behind", lambda: timedelta(minutes=6))

    assert b"nothing can be signed" in enter("anna").get("/lots").content


def test_a_long_history_is_shown_by_pages(enter, house, monkeypatch):
    monkeypatch.setitem(history.__kwdefaults__, "most", 5)
    client, lot = enter("anna"), house.named["running"]

    text = client.get(f"/record/lot/{lot}").content.decode()
    older = client.get(f"/record/lot/{lot}?before=6").content.decode()

    assert text.count("<time datetime") >= 5 and "Earlier facts" in text
    assert "Earlier facts" not in older
    assert "The lot was created" in older
