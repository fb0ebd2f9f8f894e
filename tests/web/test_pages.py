"""Every page of the menu, for every role: it opens, has one heading and asks no other host."""

import re

import pytest

from anlage.plant import Lot
from anlage.web.menu import places

LOGINS = ["greta", "hans", "iris", "kurt", "anna", "clara", "eva", "fritz", "ada"]
THINGS = [
    "/lots/{running}", "/lots/{made}", "/lots/{made}/review", "/lots/{made}/review?page=audit",
    "/lots/{running}/step/wash", "/journeys/{ordered}", "/journeys/{ordered}/personal", "/materials/M-t-cell-medium",
    "/materials?q=medium&all=yes", "/equipment/E-incubator", "/rooms/R", "/people/anna",
    "/people?role=operator", "/people/unread/sop-identity", "/deviations/{running}-D01",
    "/deviations?which=all", "/definitions/recipe/cd19-car-t", "/definitions?kind=role",
    "/definitions/role/operator/draft", "/trace/lot/{running}", "/lots?which=all",
    "/trace/material/M-t-cell-medium", "/trace/material/M-t-cell-medium/recall",
    "/record/verify", "/record/lot/{running}", "/record/lot/{running}/verify",
]  # fmt: skip
WITHIN = ["/materials", "/lots/{running}", "/definitions/role/operator", "/people/anna"]


def menu():
    return [one.path for entries in places().values() for one in entries]


@pytest.mark.parametrize("login", LOGINS)
def test_every_page_of_the_menu_opens_for_every_role(enter, login):
    browser = enter(login)

    for page in menu():
        answer = browser.get(page)
        text = answer.content.decode()

        assert answer.status_code == 200, page
        assert len(re.findall(r"<h1[ >]", text)) == 1, page
        assert re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*', text) == [], page


@pytest.mark.parametrize("page", THINGS)
def test_every_thing_has_a_page(enter, house, page):
    answer = enter("eva").get(page.format(**house.named))

    assert answer.status_code == 200
    assert len(re.findall(r"<h1[ >]", answer.content.decode())) == 1


@pytest.mark.parametrize(
    "page", ["/lots/none", "/materials/none", "/equipment/none", "/rooms/none", "/people/none",
             "/deviations/none", "/journeys/none", "/definitions/role/none", "/trace/lot/none",
             "/lots/none/review", "/lots/none/step/wash", "/definitions/role/operator?version=99"]
)  # fmt: skip
def test_a_thing_that_is_not_there_is_refused_with_what_to_do(enter, page):
    answer = enter("eva").get(page)

    assert answer.status_code == 409
    assert b"Next" in answer.content


def test_nobody_reads_a_page_of_the_menu_without_a_login(client, house):
    for page in menu():
        answer = client.get(page)

        assert answer.status_code == 302, page
        assert answer["Location"].startswith("/login"), page


@pytest.mark.parametrize("page", WITHIN)
def test_nobody_reads_a_page_without_a_login(client, house, page):
    answer = client.get(page.format(**house.named))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")


@pytest.mark.req("U7")
def test_the_history_of_a_thing_is_told_by_name_and_in_the_sites_zone(enter, house):
    text = enter("eva").get(f"/lots/{house.named['running']}").content.decode()
    told = re.search(r'id="history".*?</section>', text, re.S).group(0)
    sentences = re.sub(r"<pre>.*?</pre>|<dl.*?</dl>|<[^>]+>", " ", told, flags=re.S)

    assert "Anna" in sentences
    assert not re.search(r"\d\dT\d\d:\d\d", sentences)


@pytest.mark.req("U36")
def test_every_list_of_stock_shows_lot_expiry_and_status(enter):
    text = enter("kurt").get("/materials").content.decode()

    for head in ("Material lot", "Expires", "Status", "Left"):
        assert f">{head}</th>" in text
    assert "M-wash-buffer" in text and "released" in text


def test_buttons_are_those_of_the_role(enter):
    of_quality = enter("eva").get("/materials/M-t-cell-medium").content
    of_nurse = enter("iris").get("/materials/M-t-cell-medium").content

    assert b"/act/recall-material" in of_quality
    assert b"/act/recall-material" not in of_nurse


def test_hostile_text_in_a_search_is_shown_as_text(enter):
    for page in ("/materials", "/lots", "/journeys", "/deviations", "/definitions", "/record"):
        text = enter("eva").get(page, {"q": '"><script>alert(1)</script>'}).content.decode()

        assert "<script>alert" not in text


def test_my_work_is_that_of_my_role(enter, house):
    of_operator = enter("anna").get("/").content.decode()
    of_quality = enter("eva").get("/").content.decode()
    of_coordinator = enter("hans").get("/").content.decode()

    assert f"/lots/{house.named['running']}/step/" in of_operator
    assert f"/deviations/{house.named['running']}-D01" in of_quality
    assert f"/journeys/{house.named['ordered']}" in of_coordinator
    assert "/step/" not in of_coordinator


@pytest.mark.req("U36")
def test_a_recall_names_lots_patients_and_doses(enter, house):
    made = house.named["made"]
    text = enter("eva").get("/trace/material/M-cd19-car-vector/recall").content.decode()
    both = enter("eva").get(f"/trace/lot/{made}").content.decode()

    assert f"lot/{made}" in text
    assert house.state(Lot, f"lot/{made}").coi in text
    assert "container/DOSE-1" in text and "container/DOSE-1" in both
    assert "material/M-cd19-car-vector" in both


def test_an_address_where_nothing_stands_says_what_to_do(enter):
    answer = enter("eva").get("/stores/none/at-all")

    assert answer.status_code == 404
    assert b"There is no such page" in answer.content
    assert b'action="/record"' in answer.content


def test_an_entry_that_no_page_of_the_session_sent_is_not_taken(site, house):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)

    answer = browser.post("/login", {"login": "eva", "password": "x"})

    assert answer.status_code == 403
    assert b"Nothing was stored" in answer.content


def test_a_journeys_page_says_what_is_promised_and_from_how_many_courses(enter, house):
    text = enter("hans").get(f"/journeys/{house.named['ordered']}").content.decode()

    promises = text.partition('id="promises"')[2].partition("</section>")[0]
    assert "Arrival at the plant" in promises and "Release" in promises
    assert "earlier courses, counted from order" in " ".join(promises.split())
