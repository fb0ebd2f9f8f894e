"""The packaged rules of segregation, which hold until a site's own are effective."""

import functools
from importlib.resources import files

from anlage.library import check_document, register_kind

from .segregation_rules import SegregationRules

register_kind("segregation-rules", SegregationRules.read)


@functools.cache
def packaged_segregation() -> SegregationRules:
    """Give the packaged rules of segregation."""
    file = files("anlage.library") / "data" / "custody-rules" / "segregation-2026.yaml"
    checked = check_document(file.read_bytes(), file.name)
    if not isinstance(checked.defined, SegregationRules):
        raise TypeError(f"{file.name} is a set of segregation rules")
    return checked.defined
