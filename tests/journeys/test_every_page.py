"""Every page of the menu in a real browser: both themes, at a tablet's size."""

import pytest

pytestmark = pytest.mark.journey
THINGS = [
    "/lots/{running}", "/lots/{made}/review", "/lots/{fresh}/step/receipt-identity",
    "/journeys/{coi}", "/materials/M-cd19-car-vector", "/equipment/E-incubator", "/rooms/R",
    "/people/anna", "/definitions/product/cd19-car-t", "/trace/lot/{running}",
    "/act/open-deviation?lot={running}", "/record/lot/{made}/verify", "/samples/{sample}",
    "/methods/two-dye-exclusion", "/methods/label-free-activation",
    "/lots/{made}/custody", "/journeys/{late}/receipt", "/journeys/{coi}/collection", "/journeys/{to_treat}/bedside",
    "/journeys/{coi}/lymphodepletion", "/rooms/R/clearance",
]  # fmt: skip
LOOK = """() => {
  const wanted = 'a.button, button, select, a.tile, a.target, header.top nav a,'
    + ' input:not([type=hidden], [type=checkbox], [type=radio])';
  const seen = [...document.querySelectorAll(wanted)].map(one => [one, one.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height);
  return {
    over: document.documentElement.scrollWidth - window.innerWidth,
    headings: document.querySelectorAll('h1').length,
    small: seen.filter(([, box]) => box.height < 43.5).map(([one, box]) =>
      `${one.tagName} ${one.innerText || one.name} ${Math.round(box.height)}`),
    page: getComputedStyle(document.body).backgroundColor,
  };
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.req("U40")
def test_every_page_fits_a_tablet_and_a_gloved_finger(come, hospital, theme):
    page = come("eva", theme=theme)

    menu = page.eval_on_selector_all("#menu a", "all => all.map(one => one.getAttribute('href'))")
    assert {"/", "/lots", "/record"} <= set(menu)
    for path in [*menu, *(one.format(**hospital.named) for one in THINGS)]:
        answer = page.goto(hospital.address + path)
        found = page.evaluate(LOOK)

        assert answer.status == 200, path
        assert found["headings"] == 1, path
        assert found["over"] <= 0, f"{path} is {found['over']} px too wide"
        assert found["small"] == [], f"{path}: {found['small'][:5]}"
        is_dark = sum(map(int, found["page"].strip("rgba()").split(",")[:3])) < 3 * 128
        assert is_dark == (theme == "dark"), path


def test_the_chosen_theme_stands_whatever_the_browser_likes(come):
    page = come("hans", theme="light")

    page.get_by_role("button", name="Dark").click()

    assert page.get_by_role("button", name="Light").is_visible()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, colour.strip("rgba()").split(",")[:3])) < 3 * 128


def test_the_way_in_is_seen_at_once_on_a_large_screen(come, hospital):
    page = come("eva", size="desktop")
    page.get_by_role("button", name="Log out").click()

    box = page.get_by_role("button", name="Log in").bounding_box()

    assert box is not None and box["y"] + box["height"] < page.viewport_size["height"]
