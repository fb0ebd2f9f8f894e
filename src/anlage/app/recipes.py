"""Recipes as one kind of definition: the plant reads them, the library keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass

from anlage.base import Refused
from anlage.library import Content, Reference, register_kind
from anlage.plant import Source, check_recipe

_USES = {
    "roles": "role",
    "equipment-classes": "equipment-class",
    "material-classes": "material-class",
    "calculations": "calculation",
    "labels": "label",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeDefinition:
    """A recipe that passed the plant's check, with the definitions that it names."""

    references: tuple[Reference, ...]


def read_recipe_definition(content: Content) -> RecipeDefinition:
    """Check a recipe and give the definitions that it names.

    Raises:
        Refused: With every defect and its path.
    """
    checked = check_recipe(Source(content=dict(content)))
    if not checked.ok:
        raise Refused.of(checked.problems)
    found = []
    uses = content.get("uses")
    for key, kind in _USES.items():
        names = uses.get(key) if isinstance(uses, Mapping) else None
        for at, name in enumerate(names if isinstance(names, list | tuple) else ()):
            found.append(Reference(kind=kind, id=str(name), path=f"uses.{key}[{at}]"))
    for key in ("product", "specification"):
        if isinstance(name := content.get(key), str):
            found.append(Reference(kind=key, id=name, path=key))
    return RecipeDefinition(references=tuple(found))


def know_recipes() -> None:
    """Let the library keep recipes too."""
    register_kind("recipe", read_recipe_definition)
