"""The starter recipes that come with Anlage, checked, beside the library's other starters."""

import functools
from importlib.resources import files

from anlage.base import Problem, Refused, digest
from anlage.library import Checked as CheckedDefinition
from anlage.library import read_yaml, starters

from .recipe import Recipe
from .recipe_check import check_recipe


class StarterCatalogue:
    """Knows the starter definitions, so that references can be checked without a site."""

    def knows(self, kind: str, id: str) -> bool | None:
        """Tell whether a starter exists; None for kinds that are not kept as definitions."""
        if kind == "test":
            return None
        return any((one.kind, one.id) == (kind, id) for one in starters())


@functools.cache
def starter_recipes() -> tuple[CheckedDefinition, ...]:
    """Give every starter recipe, in order of its identifier.

    Raises:
        Refused: One has a defect; a test sees that none has.
    """
    found = []
    folder = files("anlage.library") / "data" / "recipes"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".yaml"):
            continue
        checked = check_recipe(read_yaml(file.read_bytes(), file.name))
        if checked.recipe is None or checked.problems:
            raise Refused.of(checked.problems or [Problem(code="recipe-unusable", what=file.name)])
        content = dict(checked.recipe.content)
        found.append(
            CheckedDefinition(
                kind="recipe",
                id=checked.recipe.id,
                title=checked.recipe.name,
                content=content,
                digest=digest(content),
                defined=Recipe.read(content),
            )
        )
    return tuple(found)
