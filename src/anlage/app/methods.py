"""Methods as definitions: what they name must be an analysis, and take what it is told."""

from anlage.lab.analysis import defects
from anlage.library import register_check


def know_methods() -> None:
    """Let the library refuse a method whose analysis or settings nobody knows."""
    register_check("method", defects)
