"""The reviewer's and the releaser's day: exceptions first, page by page, audit trail, release."""

import pytest
from playwright.sync_api import expect

from tests.web.facility import PASSWORD

pytestmark = pytest.mark.journey


def sign(page, login):
    if page.locator("#login").count():
        page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Sign").click()


def test_a_lot_is_reviewed_by_one_and_released_by_another(come, hospital):
    lot = hospital.named["made"]
    reviewer = come("eva", size="desktop")
    reviewer.get_by_role("link", name=f"Batch review of lot {lot}").click()
    expect(reviewer.locator("#before")).to_contain_text("the batch review is missing")
    reviewer.get_by_role("link", name="Next page").or_(
        reviewer.locator("nav.tabs a").nth(1)
    ).first.click()
    expect(reviewer.locator(".page").first).to_contain_text("Anna")
    for button in ("Sign the batch review", "Sign the audit-trail review"):
        reviewer.get_by_role("link", name=button).click()
        reviewer.get_by_label("Comment").fill("Every entry is plain.")
        reviewer.get_by_role("button", name="Check, then sign").click()
        sign(reviewer, "eva")
        reviewer.wait_for_url(f"**/lots/{lot}/review")
    expect(reviewer.get_by_role("link", name="Release", exact=True)).to_have_count(0)

    releaser = come("fritz")
    releaser.goto(f"{hospital.address}/lots/{lot}/review")
    expect(releaser.locator("main")).to_contain_text("Nothing stands before release")
    releaser.get_by_role("link", name="Release", exact=True).click()
    releaser.get_by_role("button", name="Check, then sign").click()
    expect(releaser.locator("main")).to_contain_text("released")
    sign(releaser, "fritz")

    releaser.wait_for_url(f"**/lots/{lot}/review")
    expect(releaser.locator(".identity")).to_contain_text("Released")
