"""Recipes as one kind of definition: the plant reads them, the library keeps them."""

from anlage.base import Refused
from anlage.library import Content, Document, register_kind
from anlage.plant import Recipe, check_recipe


def read_recipe_definition(content: Content) -> Recipe:
    """Check a recipe's form and sense, and give it with the definitions that it names.

    Raises:
        Refused: With every defect and its path.
    """
    checked = check_recipe(Document(content=dict(content)))
    if not checked.ok:
        raise Refused.of(checked.problems)
    return Recipe.read(dict(content))


def know_recipes() -> None:
    """Let the library keep recipes too."""
    register_kind("recipe", read_recipe_definition)
