"""Which commands and views there are: each package's own, gathered here and nowhere else."""

import importlib
import pkgutil

from anlage.record import View

from . import commands as command_modules


def bind_commands() -> None:
    """Import every module of `app/commands`, so that its handlers are bound."""
    for module in pkgutil.iter_modules(command_modules.__path__):
        importlib.import_module(f"{command_modules.__name__}.{module.name}")


def all_views() -> list[View]:
    """Give every view of every package."""
    views: list[View] = []
    for name in ("record", "library", "custody", "plant", "lab"):
        package = importlib.import_module(f"anlage.{name}")
        views.extend(getattr(package, "VIEWS", ()))
    return views
