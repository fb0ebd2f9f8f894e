"""The menu of the pages: each page says in its `MENU` where it stands; here they are gathered."""

import functools
import importlib
import pkgutil
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

GROUPS = {
    "today": _("Today"),
    "plant": _("Plant"),
    "custody": _("Custody"),
    "lab": _("Lab"),
    "network": _("Network"),
    "library": _("Library"),
    "record": _("Record"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page stands in the menu.

    Attributes:
        group: One of `GROUPS`.
        order: Its rank inside the group, the smallest first.
        path: Its address; pages below it belong to it.
        name: The word shown, translated.
    """

    group: str
    order: int
    path: str
    name: str

    def holds(self, path: str) -> bool:
        """Tell whether an address is this page or one below it."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


@functools.cache
def places() -> dict[str, tuple[Place, ...]]:
    """Give the places of every page by group, in the order of the menu.

    Raises:
        KeyError: A page names a group that is not in `GROUPS`.
    """
    from . import pages

    found: dict[str, list[Place]] = {group: [] for group in GROUPS}
    for module in pkgutil.iter_modules(pages.__path__):
        view = importlib.import_module(f"{pages.__name__}.{module.name}.view")
        for place in getattr(view, "MENU", ()):
            found[place.group].append(place)
    return {
        group: tuple(sorted(entries, key=lambda place: place.order))
        for group, entries in found.items()
        if entries
    }
