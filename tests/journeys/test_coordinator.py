"""A patient's way to the collection: prescribed, checked, consented, booked and ordered, on pages."""

import pytest
from playwright.sync_api import expect

from tests.journeys.test_patient import sign

pytestmark = pytest.mark.journey


def fill(page, **values):
    for name, value in values.items():
        page.locator(f"#f-{name}").fill(value)


@pytest.mark.req("P08")
def test_a_prescription_becomes_an_ordered_collection(come, hospital):
    physician = come("greta")
    physician.goto(f"{hospital.address}/journeys")
    physician.get_by_role("link", name="Prescribe a product").click()
    fill(physician, product="cd19-car-t", subject="H-4711", indication="relapsed B-cell lymphoma")
    fill(physician, treatment_site="Ward 7", weight="71 kg")
    physician.get_by_role("button", name="Check, then sign").click()
    physician.wait_for_url("**/sign/**")
    expect(physician.locator("main")).to_contain_text("cd19-car-t")
    sign(physician, "greta")
    physician.wait_for_url("**/journeys**")
    physician.goto(f"{hospital.address}/journeys?q=ward 7")
    tile = physician.locator("a.tile").last
    coi = tile.locator("b").first.inner_text()
    assert len(coi) >= 13, "the chain of identity is minted at the order"
    expect(physician.locator("body")).not_to_contain_text("H-4711")

    page = come("hans")
    page.goto(f"{hospital.address}/journeys/{coi}")
    page.get_by_role("link", name="Report the checks").click()
    fill(page, checks="identity: pass\neligibility: pass\ninfectious-markers: pass")
    page.get_by_role("button", name="Do it").click()
    page.get_by_role("link", name="Report the consent").click()
    fill(page, form="ICF-CD19", form_version="3")
    page.get_by_role("button", name="Do it").click()
    page.get_by_role("link", name="Book a slot").click()
    fill(page, slot="SLOT-9", begins="2026-04-02T08:00", suite="A")
    page.get_by_role("button", name="Do it").click()
    page.get_by_role("link", name="Order the collection").click()
    fill(page, site="Apheresis unit", planned="2026-04-01T08:00")
    page.get_by_role("button", name="Do it").click()

    expect(page.locator("ol.stages .here, ul.stages .here, .stages .here")).to_contain_text(
        "Collection ordered"
    )
    history = page.locator("main")
    for said in ("consent", "SLOT-9", "Apheresis unit"):
        expect(history).to_contain_text(said)


def test_a_failed_check_stops_the_way_and_says_why(come, hospital):
    page = come("greta")
    page.goto(f"{hospital.address}/act/order-product")
    fill(page, product="cd19-car-t", subject="H-4712", indication="x", treatment_site="Ward 8")
    page.get_by_role("button", name="Check, then sign").click()
    page.wait_for_url("**/sign/**")
    sign(page, "greta")
    page.wait_for_url(lambda url: "/sign/" not in url)
    page.goto(f"{hospital.address}/journeys?q=ward 8")
    coi = page.locator("a.tile").last.locator("b").first.inner_text()

    hans = come("hans")
    hans.goto(f"{hospital.address}/act/check-patient?coi={coi}")
    fill(hans, checks="identity: pass\neligibility: active infection\ninfectious-markers: pass")
    hans.get_by_role("button", name="Do it").click()
    hans.goto(f"{hospital.address}/act/give-consent?coi={coi}")
    fill(hans, form="ICF-CD19", form_version="3")
    hans.get_by_role("button", name="Do it").click()

    expect(hans.get_by_role("alert").filter(has_text="Next")).to_be_visible()
