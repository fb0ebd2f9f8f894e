"""The analyst's day: a file goes in, gates and wells are looked at, the measurement is judged."""

import numpy
import pytest
from playwright.sync_api import expect

from anlage.app.demo.bench import simulated_plate
from anlage.lab.flow import Recipe, Writing, simulate_t_cells, write_fcs
from tests.journeys.test_release import sign

pytestmark = pytest.mark.journey
SLOW = 90_000  # the first analysis compiles its kernels


@pytest.fixture(scope="module")
def tubes():
    good, _, _ = simulate_t_cells(Recipe(events=8_000), numpy.random.default_rng(6))
    named = Writing(names=("FSC-A", "SSC-A"), keywords={"PATIENT NAME": "Doe"})
    return good, write_fcs(named, numpy.ones((9, 2)))


def take_in(page, hospital, method, *files, sample="sample"):
    page.goto(f"{hospital.address}/samples/{hospital.named[sample]}")
    page.get_by_label("Method").select_option(method)
    page.locator("#file").set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": data}
            for name, data in files
        ]
    )
    page.get_by_role("button", name="Take in and analyse").click()


def test_a_tube_is_taken_in_its_gates_seen_and_the_measurement_rejected(come, hospital, tubes):
    page = come("clara", size="desktop")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    take_in(page, hospital, "t-cell-gating-auto", ("tube.fcs", tubes[0]))
    row = page.locator("#measured tr", has_text="tube.fcs")
    expect(row).to_be_visible(timeout=SLOW)
    row.get_by_role("link").first.click()

    expect(page.locator(".figure[data-drawn=yes]").first).to_be_visible(timeout=SLOW)
    expect(page.locator("#judged")).to_contain_text("not qualified for")
    page.get_by_role("link", name="Reject it").click()
    page.get_by_label("Reason").fill("clogged flow cell")
    page.get_by_role("button", name="Check, then sign").click()
    sign(page, "clara")

    expect(page.locator("main")).to_contain_text("clogged flow cell")
    expect(page.locator(".identity")).to_contain_text("Rejected")
    assert errors == []


def test_several_files_go_in_and_the_one_that_names_a_patient_does_not(come, hospital, tubes):
    page = come("clara")
    take_in(page, hospital, "cell-events", ("good.fcs", tubes[0]), ("named.fcs", tubes[1]))

    expect(page.get_by_role("alert").filter(has_text="patient")).to_contain_text("PATIENT NAME")
    expect(page.locator("#measured tr", has_text="good.fcs")).to_be_visible(timeout=SLOW)
    expect(page.locator("#measured tr", has_text="named.fcs")).to_have_count(0)


def test_a_plate_is_looked_at_row_by_row_then_drawn_with_its_curves(come, hospital):
    page = come("clara", theme="dark")
    take_in(page, hospital, "potency-by-plate", ("plate.csv", simulated_plate()))
    expect(page.locator("h1")).to_contain_text("What the rows would be read as")
    expect(page.locator("main")).to_contain_text("96 of 96 rows accepted")
    page.get_by_role("button", name="Analyse the accepted rows").click()
    row = page.locator("#measured tr", has_text="plate.csv")
    expect(row).to_be_visible(timeout=SLOW)
    row.get_by_role("link").first.click()

    expect(page.locator(".figure[data-drawn=yes]")).to_have_count(2, timeout=SLOW)
    expect(page.locator("main")).to_contain_text("S1")


def test_a_counters_value_is_accepted_under_a_signature_and_judged(come, hospital):
    page = come("clara", size="desktop")
    export = b"Sample ID;Viability (%);Live (cells/mL)\nT-1;92,1;1,4E6\n"
    take_in(page, hospital, "counter-export", ("counter.csv", export), sample="untested")
    page.get_by_role("button", name="Analyse the accepted rows").click()
    row = page.locator("#measured tr", has_text="counter.csv")
    expect(row).to_be_visible(timeout=SLOW)
    row.get_by_role("link").first.click()
    page.get_by_role("link", name="Accept as the result").click()
    page.get_by_role("button", name="Check, then sign").click()
    expect(page.locator("main")).to_contain_text("92.1 %")
    sign(page, "clara")

    expect(page.locator("#judged")).to_contain_text("accepted")
    page.goto(f"{hospital.address}/samples/{hospital.named['untested']}")
    tested = page.locator("#tests tr", has_text="Viability")
    expect(tested).to_contain_text("92.1 %")
    expect(tested.get_by_role("link", name="Approve")).to_be_visible()
