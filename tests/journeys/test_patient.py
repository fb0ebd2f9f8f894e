"""The pages of the patient's hands: collection, receipt, go, bedside; scanner only, in both themes."""

import time

import pytest
from playwright.sync_api import expect

from tests.web.facility import PASSWORD

pytestmark = pytest.mark.journey
STRANGER = "CHA999926999999"
SECONDS_MAX = 30.0


def scan(page, text):
    """Scan as a wedge does, fast keys and Enter; the scan box has the focus by itself."""
    expect(page.locator("input.scan")).to_be_focused()
    page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def sign(page, login, second=None, field="verified"):
    if page.locator("#login").count():
        page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    if second:
        page.locator(f"#{field}-login").fill(second)
        page.locator(f"#{field}-password").fill(PASSWORD)
    page.get_by_role("button", name="Sign").click()


def read(page, name):
    return page.locator("ul.scans li", has_text=name)


def test_a_collection_is_recorded_by_scan_and_its_label_says_what_is_known(come, hospital):
    coi = hospital.named["to_collect"]
    page = come("iris", theme="dark")
    page.goto(f"{hospital.address}/journeys/{coi}/collection")
    says = page.locator(".says:visible")
    expect(says).to_contain_text("NOT EVALUATED FOR INFECTIOUS SUBSTANCES")
    page.locator("#infectious").select_option("reactive")
    expect(says).to_contain_text("BIOHAZARD")
    page.locator("#infectious").select_option("non-reactive")
    expect(says).to_have_text("FOR AUTOLOGOUS USE ONLY")
    page.locator("input.scan").focus()

    scan(page, f"=A9999{coi[-8:]}00")
    scan(page, "jan")
    scan(page, f"&/{coi}")
    expect(read(page, "Donation number")).to_contain_text(coi[-8:])
    expect(read(page, "Second person")).to_contain_text("Jan")
    address = page.get_by_role("link", name="Print the labels").get_attribute("href")
    assert address is not None and "AUTOLOGOUS" in address and "NOT+EVALUATED" in address
    answer = page.request.get(f"{hospital.address}{address}")
    assert answer.status == 200 and f"A9999{coi[-8:]}" in answer.text()
    page.locator("#volume").fill("60")
    for name, value in (("blood-processed", "10"), ("duration", "190")):
        page.locator(f"#data-{name}").fill(value)
    page.locator("#data-anticoagulant-volume").fill("800")
    page.locator("#kit").select_option("continuous-set")
    page.locator("#anticoagulant").select_option("ACD-A")
    for name in ("band", "labels-at-bedside"):
        page.locator(f"input[name=answer-{name}][value=yes]").check()
    page.locator("input[name=answer-anticoagulant]").fill("ACD-A 4711")
    page.locator("input[name=answer-reactions][value=no]").check()
    page.get_by_role("button", name="Check, then sign").click()

    expect(page.get_by_role("alert").filter(has_text="Refused")).to_contain_text(
        "collection-outside-specification"
    )
    page.locator("#partial").fill("the vein closed after half of the time")
    page.get_by_role("button", name="Check, then sign").click()
    page.wait_for_url("**/sign/**")
    expect(page.locator("main")).to_contain_text("FOR AUTOLOGOUS USE ONLY")
    sign(page, "iris", "jan")

    page.wait_for_url(f"{hospital.address}/journeys/{coi}")
    expect(page.locator("#history")).to_contain_text("collected")


def test_a_strangers_label_at_the_collection_fills_the_screen(come, hospital):
    page = come("iris")
    page.goto(f"{hospital.address}/journeys/{hospital.named['late']}/receipt")

    scan(page, STRANGER)

    expect(page.get_by_role("alertdialog")).to_contain_text("not the bag that was expected")


def test_a_receipt_is_accepted_or_rejected_with_reasons(come, hospital):
    coi = hospital.named["to_receive"]
    page = come("kurt")
    page.goto(f"{hospital.address}/journeys/{coi}/receipt")
    expect(page.locator("main")).to_contain_text("FOR AUTOLOGOUS USE ONLY")
    expect(page.get_by_role("button", name="Accept for making")).to_be_disabled()
    scan(page, f"&/{coi}")
    for name in ("seal", "identity", "temperature", "papers"):
        page.locator(f"input[name=answer-{name}][value=yes]").check()
    page.locator("input[name=answer-bag][value=no]").check()
    page.get_by_role("button", name="Accept for making").click()
    expect(page.get_by_role("alert").filter(has_text="Refused")).to_contain_text("leaks and clots")

    page.locator("input[name=answer-bag][value=yes]").check()
    page.locator("#count-total-nucleated-cells").fill("4.1")
    page.locator("#count-cd3-cells").fill("0.3")
    page.locator("#count-viability").fill("97")
    page.get_by_role("button", name="Accept for making").click()
    refused = page.get_by_role("alert").filter(has_text="Refused")
    expect(refused).to_contain_text("collection-count-outside")
    expect(refused).to_contain_text("at least 0.6")
    expect(page.locator("#assessment")).to_be_visible()

    page.locator("#reason").fill("a clot of 3 cm")
    page.get_by_role("button", name="Reject").click()

    page.wait_for_url(f"{hospital.address}/journeys/{coi}")
    expect(page.locator("#history")).to_contain_text("a clot of 3 cm")


@pytest.mark.req("P24")
def test_the_dose_is_cleared_thawed_checked_and_given_by_scan(come, hospital):
    coi, bag = hospital.named["to_treat"], "DOSE-7"
    physician = come("greta")
    physician.goto(f"{hospital.address}/journeys/{coi}/lymphodepletion")
    physician.locator("input[name=answer-fit][value=no]").check()
    physician.get_by_role("button", name="Go").click()
    expect(physician.get_by_role("alert").filter(has_text="Refused")).to_contain_text("treat first")
    physician.locator("input[name=answer-fit][value=yes]").check()
    physician.get_by_role("button", name="Go").click()
    physician.wait_for_url("**/sign/**")
    sign(physician, "greta")
    physician.wait_for_url(f"{hospital.address}/journeys/{coi}")

    page = come("iris")
    page.goto(f"{hospital.address}/journeys/{coi}/bedside")
    scan(page, bag)
    clock = page.locator("[data-clock]")
    expect(clock).to_contain_text("29:", timeout=3000)
    first = clock.inner_text()
    expect(clock).not_to_have_text(first, timeout=4000)

    scan(page, STRANGER)
    stop = page.get_by_role("alertdialog")
    expect(stop).to_contain_text("Do not give this bag")
    expect(stop).to_contain_text(STRANGER)
    box, view = stop.bounding_box(), page.viewport_size
    assert (box["width"], box["height"]) == (view["width"], view["height"]), "the whole screen"
    assert (
        page.get_by_role("button").count() == 0
        or not page.get_by_role("button", name="Check, then sign").count()
    )

    page.get_by_role("link", name="Begin the check again").click()
    began = time.monotonic()
    scan(page, f"&/{coi}")
    scan(page, "jan")
    scan(page, bag)
    expect(read(page, "Patient's band")).to_contain_text(coi)
    page.get_by_role("button", name="Check, then sign").click()
    page.wait_for_url("**/sign/**")
    sign(page, "iris", "jan")
    page.wait_for_url("**/bedside")
    assert time.monotonic() - began < SECONDS_MAX

    page.get_by_role("button", name="The infusion begins now").click()
    page.locator("#volume").fill("18 mL")
    page.locator("#left").fill("1 mL")
    page.get_by_role("button", name="The infusion has ended").click()
    expect(page.get_by_role("alert").filter(has_text="Refused")).to_contain_text("leftover")
    page.locator("#volume").fill("18 mL")
    page.locator("#left").fill("2 mL")
    page.get_by_role("button", name="The infusion has ended").click()
    page.wait_for_url("**/sign/**")
    sign(page, "iris")
    page.wait_for_url("**/bedside")
    expect(page.get_by_text("Something is left")).to_be_visible()
    page.locator("#scan").fill(bag)
    page.locator("#second").select_option(label="Jan")
    page.get_by_role("button", name="Destroyed").click()
    expect(page.get_by_text("Infused, and nothing is left")).to_be_visible()


@pytest.mark.req("P22")
def test_a_line_is_cleared_by_two_persons_from_two_scans(come, hospital):
    page = come("anna", theme="dark")
    page.goto(f"{hospital.address}/rooms/R/clearance")
    page.get_by_role("link", name="Clean", exact=True).click()
    page.get_by_label("Agent", exact=True).fill("sporicide")
    page.locator("#f-contact").fill("10 min")
    page.get_by_role("button", name="Do it").click()
    page.wait_for_url(f"{hospital.address}/rooms/R/clearance")
    scan(page, hospital.named["fresh"])
    scan(page, "ben")
    expect(read(page, "Second person")).to_contain_text("Ben")
    expect(page.locator("fieldset.question")).to_have_count(4)
    expect(page.locator("main")).to_contain_text("Is nothing of another lot in room")
    for one in page.locator("input[type=radio][value=yes]").all():
        one.check()
    page.get_by_role("button", name="Both looked").click()
    page.wait_for_url("**/sign/**")
    page.locator("#signature-login").or_(page.locator("#login")).first.fill("ben")
    page.locator("#signature-password").or_(page.locator("#password")).first.fill(PASSWORD)
    page.get_by_role("button", name="Sign").click()

    page.wait_for_url(f"{hospital.address}/rooms/R")
    expect(page.locator("main")).to_contain_text(hospital.named["fresh"])


def test_whoever_is_not_qualified_is_told_so_on_the_page(come, hospital):
    coi = hospital.named["late"]
    page = come("anna")
    page.goto(f"{hospital.address}/journeys/{coi}/receipt")
    scan(page, f"&/{coi}")
    for name in ("seal", "identity", "temperature", "papers", "bag"):
        page.locator(f"input[name=answer-{name}][value=yes]").check()
    page.get_by_role("button", name="Accept for making").click()

    expect(page.get_by_role("alert").filter(has_text="Refused")).to_contain_text(
        "operator-unqualified"
    )
