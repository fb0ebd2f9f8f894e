"""The starter definitions that come with Anlage: a beginning to copy, never a validated process."""

import functools
from importlib.resources import files

from .kinds import Checked, check_document, kinds
from .medium import RuleSet

FOLDER = "data"


@functools.cache
def starters() -> tuple[Checked, ...]:
    """Give every starter definition, checked, in order of kind and identifier."""
    found = []
    for kind in sorted(files(__package__).joinpath(FOLDER).iterdir(), key=lambda one: one.name):
        if not kind.is_dir() or kind.name not in kinds():
            continue  # recipes lie beside them and are read by the plant
        for file in sorted(kind.iterdir(), key=lambda one: one.name):
            if file.name.endswith(".yaml"):
                name = f"{FOLDER}/{kind.name}/{file.name}"
                found.append(check_document(file.read_bytes(), name))
    return tuple(found)


def starter(kind: str, id: str) -> Checked | None:
    """Give one starter definition; None when there is none of that name."""
    return next((one for one in starters() if (one.kind, one.id) == (kind, id)), None)


@functools.cache
def media_labels() -> RuleSet:
    """Give the default rules for the labels of media."""
    file = files(__package__).joinpath(FOLDER, "vocabulary", "media-labels.yaml")
    checked = check_document(file.read_bytes(), "media-labels.yaml")
    if not isinstance(checked.defined, RuleSet):
        raise TypeError("media-labels.yaml is a rule set")
    return checked.defined
