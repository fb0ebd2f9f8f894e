"""Metrics on pages and from the command line: the number, its definition, the facts behind it."""

from anlage.app import coverage, measured
from anlage.custody import METRIC_VIEW, measures


def test_the_page_shows_each_measure_and_leads_to_its_facts(house, enter):
    browser = enter("eva")
    page = browser.get("/metrics").content.decode()
    assert "Vein to vein" in page
    assert "Custody of every container" in page

    one = browser.get("/metrics/wait-begun-to-made").content.decode()

    assert "doses" in one
    assert f"/record/lot/{house.named['made']}" in one
    assert browser.get("/metrics/none").status_code == 409
    assert browser.get("/metrics?days=1").status_code == 200


def test_the_numbers_are_those_of_the_facts(house):
    site = house.installation
    found = {one.name: one for one in measured(site)}

    made = found["wait-begun-to-made"]
    (behind,) = [each for each in made.behind if house.named["made"] in str(each.facts)]
    numbers = [number for _, _, number, _ in behind.facts]
    kinds = [next(site.journal.read(number, number + 1)).kind for number in numbers]
    assert kinds == ["lot-created", "doses-filled"]
    assert found["out-of-specification-rate"].value is not None


def test_the_view_built_anew_gives_the_same_measures(house):
    site = house.installation
    before = measured(site)
    site.views.rebuild(site.journal, METRIC_VIEW)
    rows = [row for _, row in site.rows(METRIC_VIEW).find(limit=100_000)]
    assert measures(rows) == before
    assert coverage(site, at=house.clock.now()).by_grade
