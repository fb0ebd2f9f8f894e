"""An operator's day: find the work, scan, sign with a second person; no mouse needed for scans."""

import pytest
from playwright.sync_api import expect

from tests.web.facility import PASSWORD

pytestmark = pytest.mark.journey


@pytest.mark.req("U13")
@pytest.mark.req("U22")
def test_an_operator_runs_a_step_and_a_wrong_scan_stops_it(come, hospital):
    lot, coi = hospital.named["fresh"], hospital.named["coi"]
    page = come("anna")
    page.get_by_role("link", name=f"Scan the collection bag of lot {lot}").click()
    band = page.locator(".identity")
    expect(band).to_contain_text(coi)
    expect(band).to_contain_text(lot)
    box = page.locator("input.scan").bounding_box()
    assert box is not None and box["height"] >= 84

    page.locator("h1").click()  # the focus is elsewhere: a scanner types all the same
    page.keyboard.type("CHA999926999999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Refused")).to_contain_text(
        "identity-mismatch"
    )

    page.locator("input.scan").fill(f"&/{coi}")
    page.keyboard.press("Enter")
    page.get_by_label("Second person").select_option(label="Ben")
    sign = page.get_by_role("button", name="Check, then sign")
    box = sign.bounding_box()
    assert box is not None and box["y"] + box["height"] <= 1180, "signing needs no scrolling"
    sign.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign")
    expect(page.locator("main")).to_contain_text(coi)
    page.get_by_label("Login name").first.fill("anna")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.locator("#verified-login").fill("ben")
    page.locator("#verified-password").fill(PASSWORD)
    page.get_by_role("button", name="Sign").click()

    page.wait_for_url(f"{hospital.address}/lots/{lot}")
    expect(page.locator("#history")).to_contain_text("Anna")
    expect(page.locator("#current")).to_contain_text("Inspect the collection")


def test_a_page_follows_what_others_do(come, hospital):
    lot = hospital.named["running"]
    watching, acting = come("hans"), come("ben")
    watching.goto(f"{hospital.address}/lots/{lot}")

    acting.goto(f"{hospital.address}/act/add-note?lot={lot}&back=/lots/{lot}")
    acting.get_by_label("Text").fill("The bag was warm to the hand.")
    acting.get_by_role("button", name="Do it").click()

    expect(watching.locator("#history")).to_contain_text("warm to the hand", timeout=10_000)


def test_entry_is_locked_while_the_link_is_lost(come, hospital):
    page = come("ben")
    page.goto(f"{hospital.address}/act/add-note?lot={hospital.named['running']}")

    page.route("**/live", lambda route: route.abort())
    page.reload()

    expect(page.get_by_text("The link to the server is lost")).to_be_visible()
    assert page.get_by_role("button", name="Do it", include_hidden=True).evaluate(
        "one => one.inert"
    )
