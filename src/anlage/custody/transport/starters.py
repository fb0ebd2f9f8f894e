"""The packaged rules of country pairs: a small set to begin with, each with its source."""

import functools
from importlib.resources import files

from anlage.library import check_document, register_kind

from .country import TransportRules
from .excursion_rule import ExcursionDefinition
from .unattended import UnattendedStandard

register_kind("transport-rules", TransportRules.read)
register_kind("excursion-rule", ExcursionDefinition.read)
register_kind("unattended-standard", UnattendedStandard.read)


@functools.cache
def packaged_transport_rules() -> TransportRules:
    """Give the packaged rules of country pairs."""
    file = files("anlage.library") / "data" / "custody-rules" / "transport-2026.yaml"
    checked = check_document(file.read_bytes(), file.name)
    if not isinstance(checked.defined, TransportRules):
        raise TypeError(f"{file.name} is a set of transport rules")
    return checked.defined
