"""Facts as plain sentences: each package says its own; a fact nobody can word is named by its
kind.
"""

import importlib
import re
from collections.abc import Mapping
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


def told(one: Recorded, known: Mapping[str, str]) -> str:
    """Give a fact as a sentence in which people stand by name.

    Args:
        one: The fact.
        known: What is written for each person, by identifier.
    """
    text = sentence(one)
    for value in {each for each in one.body.values() if isinstance(each, str)}:
        if value in known and value in text:
            # A name may hold a backslash, which a template of `re` would read.
            name = known[value].replace("\\", r"\\")
            text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", name, text)
    return text


@cache
def _packages() -> list[Any]:
    found = []
    for name in ("record", "plant", "library", "custody", "lab"):
        package = importlib.import_module(f"anlage.{name}")
        if hasattr(package, "sentence"):
            found.append(package)
    return found
