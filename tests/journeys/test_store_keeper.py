"""The store keeper's day in a browser: put away and pick by scanner, a courier's link on a phone."""

import re
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.journey
LOOK = """() => ({
  over: document.documentElement.scrollWidth - window.innerWidth,
  small: [...document.querySelectorAll('main a.target, main button, main a.button, main a.cell')]
    .map(one => one.getBoundingClientRect()).filter(box => box.width && box.height < 43.5).length,
})"""


def fill(page, command, **values):
    """Fill in a command's form and do it."""
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + f"/act/{command}")
    for name, value in values.items():
        box = page.locator(f"#f-{name}")
        if box.evaluate("one => one.tagName") == "SELECT":
            box.select_option(value)
        else:
            box.fill(value)
    page.click("button.main")
    page.wait_for_load_state()


def scan(page, text):
    """Type as a scanner does into the page's scan box, with Enter at the end."""
    page.locator("input.scan").first.focus()
    page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_bag_is_put_away_found_and_picked_by_scanner(come, hospital):
    page = come("kurt")
    fill(page, "register-place", place="J-SITE", name="Site", kind="site")
    fill(page, "register-place", place="J-LN2", name="Store", kind="store", parent="J-SITE")
    fill(
        page,
        "register-place",
        place="J-T",
        name="Tank",
        kind="tank",
        parent="J-LN2",
        keeps_max="-150 Cel",
    )
    fill(
        page,
        "register-place",
        place="J-B",
        name="Box",
        kind="box",
        parent="J-T",
        rows="9",
        columns="9",
    )
    for bag in ("J-BAG-1", "J-BAG-2"):
        fill(
            page,
            "create-container",
            container=bag,
            vessel="bag",
            place="bench",
            evidence="scanned",
            lot="J-LOT",
        )
        fill(
            page,
            "classify-container",
            container=bag,
            product_class="cell therapy",
            infectious="negative",
        )

    page.goto(f"{hospital.address}/store/put")
    scan(page, "J-BAG-1")
    assert page.get_by_text("J-B:A1").is_visible()
    scan(page, "J-B:A1")
    assert "J-BAG-1 in J-B A1" in page.inner_text("main")
    scan(page, "J-BAG-2")
    scan(page, "J-B:A1")
    assert "position-occupied" in page.inner_text("main")
    scan(page, "J-B:B2")

    page.goto(f"{hospital.address}/store")
    scan(page, "J-BAG-2")
    assert page.url.endswith("/store/places/J-B?find=J-BAG-2")
    assert page.locator(".cell.sought").inner_text() == "AG-2"
    assert page.evaluate(LOOK) == {"over": 0, "small": 0}

    page.goto(f"{hospital.address}/store/picklists/new?lot=J-LOT&count=1&order=dose")
    page.get_by_role("button", name="Make the list").click()
    page.fill("#to", "bench")
    page.fill("#scan", "J-BAG-2")
    page.get_by_role("button", name="Confirm").click()
    assert "identity-mismatch" in page.inner_text("main")
    page.fill("#to", "bench")
    page.fill("#scan", "J-BAG-1")
    page.get_by_role("button", name="Confirm").click()
    assert page.get_by_text("Every line is done").is_visible()


def test_a_courier_signs_on_a_phone_and_the_shipment_goes_on(come, hospital, chromium):
    page = come("kurt")
    fill(page, "create-container", container="J-C", vessel="bag", place="bench", evidence="scanned")
    fill(
        page,
        "create-container",
        container="J-DS",
        vessel="shipper",
        place="bench",
        evidence="scanned",
    )
    fill(page, "pack-container", container="J-C", into="J-DS", evidence="scanned")
    due = (datetime.now(UTC) + timedelta(days=900)).strftime("%Y-%m-%dT%H:%M")
    fill(page, "prepare-shipment", shipment="J-SH", shipper="J-DS", containers="J-C", seal="881",
         receiver="anna", due=due, evidence="scanned")  # fmt: skip

    page.goto(f"{hospital.address}/shipments/J-SH")
    page.fill("#courier", "K. Roth, Fast")
    page.get_by_role("button", name="Make the link").click()
    address = re.search(r"http\S+/courier/J-SH/[\w-]+", page.inner_text("#link")).group(0)
    phone = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
    phone.goto(address)
    assert phone.get_by_role("heading", name="You take shipment J-SH").is_visible()
    assert phone.evaluate(LOOK) == {"over": 0, "small": 0}
    phone.fill("#seal", "881")
    phone.fill("#name", "Karl Roth")
    phone.fill("#place", "ramp")
    phone.get_by_role("button", name="I take it").click()
    assert phone.get_by_role("heading", name="Thank you. It is recorded.").is_visible()
    phone.goto(address)
    assert phone.get_by_role("heading", name="This link has ended").is_visible()
    phone.context.close()

    page.reload()
    assert "courier K. Roth, Fast" in page.inner_text("main")
    page.set_input_files("#file", {"name": "way.csv", "mimeType": "text/csv", "buffer": (
        "Time,Temperature (°C)\n2026-03-02T08:00:00Z,-180\n2026-03-02T08:10:00Z,-140\n"
        "2026-03-02T09:10:00Z,-180\n").encode()})  # fmt: skip
    page.fill("#product", "frozen-car-t")
    page.get_by_role("button", name="Take in and judge").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_text("quarantine", exact=True).first.is_visible()
    page.locator(".figure[data-drawn=yes]").wait_for()
    assert page.locator(".figure svg.main-svg").count() > 0
