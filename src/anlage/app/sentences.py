"""Facts as plain sentences: each package says its own; a fact nobody can word is named by its
kind.
"""

import importlib
from functools import cache
from typing import Any

from anlage.record import Recorded


def sentence(one: Recorded) -> str:
    """Give a fact as one plain sentence."""
    if one.is_withheld:
        return "(concerns another patient; proven, not shown)"
    for package in _packages():
        text = package.sentence(one)
        if text:
            return str(text)
    return one.kind.replace("-", " ").capitalize() + "."


@cache
def _packages() -> list[Any]:
    found = []
    for name in ("record", "plant", "library", "custody", "lab"):
        package = importlib.import_module(f"anlage.{name}")
        if hasattr(package, "sentence"):
            found.append(package)
    return found
