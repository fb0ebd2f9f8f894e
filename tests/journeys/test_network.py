"""The planner's day: write a network, mend it, try it, save it, run it, watch it, cancel a run."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.journey
LONG_MS = 120_000  # the first run on a machine compiles the kernel


def test_a_planner_writes_runs_and_watches_a_network(come, hospital):
    page = come("nele", size="desktop")
    page.get_by_role("link", name="Networks").click()
    page.get_by_role("link", name=re.compile("^central")).click()
    expect(page.locator("#verdict")).to_contain_text("Sound", timeout=LONG_MS)

    # A slip is told beside its line, with what to do; the line can be jumped to.
    text = page.locator("#file").input_value()
    page.locator("#file").fill(text.replace("airport: CDG", "airport: XXX"))
    expect(page.locator("#verdict")).to_contain_text("1 problem")
    expect(page.locator("#found")).to_contain_text("write the code")
    line = 1 + text.splitlines().index(next(one for one in text.splitlines() if "CDG" in one))
    expect(page.locator(".gutter .wrong")).to_have_text(str(line))
    page.get_by_role("button", name=f"Line {line}").click()
    assert "paris" in page.evaluate("getSelection().toString()")
    expect(page.locator("#try")).to_be_disabled()

    # Mended, it answers at once.
    page.locator("#file").fill(text)
    expect(page.locator("#verdict")).to_contain_text("Sound")
    page.locator("#try").click()
    expect(page.locator("#answer dl")).to_contain_text("vein to vein, median", timeout=LONG_MS)
    page.locator("#try").click()
    expect(page.locator("#answer p")).to_contain_text("Running")
    expect(page.locator("#answer dl")).to_be_visible(timeout=LONG_MS)
    assert float(page.locator("#answer").get_attribute("data-seconds")) < 10

    page.get_by_label("Name", exact=True).fill("of-the-planner")
    page.get_by_role("button", name="Check and save as draft").click()
    page.wait_for_url("**/networks/of-the-planner")
    expect(page.locator("figure.drawing svg.main-svg").first).to_be_visible()

    page.get_by_text("How long, how often").click()
    page.get_by_label("Years").fill("1")
    page.get_by_label("Runs", exact=True).fill("6")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("patients treated a year")).to_be_visible(timeout=LONG_MS)
    expect(page.locator("figure.drawing svg.main-svg").nth(5)).to_be_attached()
    expect(page.locator("main")).to_contain_text("6 runs of 1 years")

    # The day moves without a mouse, and stands still when told.
    page.locator("[data-play]").focus()
    before = page.locator("[data-day-time]").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("[data-day-time]")).not_to_have_text(before)
    page.keyboard.press("Enter")
    expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "false")
    page.locator(".player input").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-day-time]")).to_have_text("00:00")

    address = page.get_by_role("link", name="Report as PDF").get_attribute("href")
    report = page.request.get(hospital.address + address)
    assert report.body()[:5] == b"%PDF-"


def test_a_long_run_tells_how_far_it_is_and_is_cancelled(come, hospital):
    page = come("nele")
    page.goto(f"{hospital.address}/networks/new?from=regional")
    expect(page.locator("#verdict")).to_contain_text("Sound", timeout=LONG_MS)
    page.get_by_role("button", name="Check and save as draft").click()
    page.wait_for_url("**/networks/regional")
    page.get_by_text("How long, how often").click()
    page.get_by_label("Runs", exact=True).fill("100000")
    page.get_by_role("button", name="Simulate").click()

    expect(page.locator("[data-job-words]")).to_contain_text("of 100000", timeout=LONG_MS)
    page.get_by_role("button", name="Cancel").click()

    expect(page.locator("#job .state")).to_have_text("Cancelled", timeout=30_000)
    page.goto(f"{hospital.address}/jobs")
    expect(page.locator("#jobs li", has_text="Cancelled").first).to_contain_text("Simulation")
