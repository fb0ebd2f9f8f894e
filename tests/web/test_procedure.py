"""A recipe's procedure drawn as boxes: nothing of the recipe is left out, in its order."""

import pytest

from anlage.plant import Recipe, starter_recipes
from anlage.web.pages.definitions.procedure import procedure
from tests.builders_plant import recipe_content

NAMES = [one.id for one in starter_recipes()]


def phases(boxes):
    for one in boxes:
        if one["box"] == "phase":
            yield one["phase"].id
        yield from phases(one.get("parts", ()))
        for branch in one.get("branches", ()):
            yield from phases(branch["parts"])


@pytest.mark.parametrize("name", NAMES)
def test_every_phase_stands_once_in_the_order_of_the_recipe(name):
    recipe = Recipe.read(recipe_content(name))

    assert list(phases(procedure(recipe))) == [one.id for one in recipe.phases()]


def test_a_recipe_s_page_shows_branches_loops_and_limits(enter, house):
    text = enter("eva").get("/definitions/recipe/cd19-car-t").content.decode()

    assert "when State on arrival (Inspect the collection) equals frozen" in text
    assert "again until" in text and "at most 6 ×" in text
    assert "at least 40 mL" in text
