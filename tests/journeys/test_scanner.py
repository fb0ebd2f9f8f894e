"""A scanner works on every page: what it reads is kept, and opens or fills what it is."""

import pytest
from playwright.sync_api import expect

from anlage.custody import SCANNER_SHEET

GERMAN = str.maketrans("yzYZ-/_?;:'\"=+()&*<>[]@#", 'zyZYß-?_öÖäÄ´`)=/(;:ü+"§')


def wedge(page, text):
    """Type as a scanner does: fast, ended by Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def keys(page, *pressed):
    """Press keys as another layout gives them: the driver's own typing knows the US layout alone."""
    page.evaluate(
        """keys => keys.forEach(key => document.activeElement.dispatchEvent(
             new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})))""",
        [*pressed, "Enter"],
    )


def test_a_scan_on_any_page_opens_what_it_is(come, hospital):
    page = come("anna")
    lot = hospital.named["fresh"]
    page.goto(f"{hospital.address}/equipment")

    wedge(page, lot)

    page.wait_for_url(f"{hospital.address}/lots/{lot}")
    page.goto(f"{hospital.address}/scan")
    expect(page.locator("#scans")).to_contain_text(lot)


def test_a_scan_into_another_field_leaves_it_as_it_was(come, hospital):
    page = come("anna")
    page.goto(f"{hospital.address}/materials")
    field = page.locator("#q")
    field.fill("abc")
    field.focus()

    wedge(page, hospital.named["fresh"])

    page.wait_for_url(f"{hospital.address}/lots/{hospital.named['fresh']}")


def test_a_code_that_names_nothing_is_shown_and_kept(come, hospital):
    page = come("anna")
    page.goto(f"{hospital.address}/equipment")

    wedge(page, "(01)09506000134352(21)UNKNOWN7")

    page.wait_for_url("**/scan?kept=*")
    expect(page.locator("#scans")).to_contain_text("UNKNOWN7")
    expect(page.locator("main")).to_contain_text("It names nothing here yet")


@pytest.mark.req("U13")
def test_a_scanner_of_another_layout_is_calibrated_and_understood(come, hospital):
    page = come("anna")
    page.goto(f"{hospital.address}/scan/calibrate")
    page.fill("#name", "Bench 1")
    page.locator("#typed-alphabet").focus()
    for name, text in SCANNER_SHEET:
        parts = [list(part.translate(GERMAN)) for part in text.split("\x1d")]
        typed = ["~", *parts[0], *(key for part in parts[1:] for key in ["F8", *part])]
        expect(page.locator(f"#typed-{name}")).to_be_focused()
        keys(page, *typed)

    page.wait_for_url(f"{hospital.address}/scan")
    expect(page.locator("main")).to_contain_text("Bench 1")
    page.goto(f"{hospital.address}/equipment")
    keys(page, "~", *hospital.named["fresh"].translate(GERMAN))
    page.wait_for_url(f"{hospital.address}/lots/{hospital.named['fresh']}")
