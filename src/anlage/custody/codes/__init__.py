"""CODES: pure codecs of the field's identifiers (ISBT 128, SEC, GS1, EPC).

Touches: base.
Touched by: custody, wire, cli.
Start at: decode.py (any code to its reading), then isbt128.py and gs1.py.
"""

from . import application, check_character, digital_link, epc, gs1, isbt128, sec, tag
from .decode import decode
from .identity import thing_of
from .reading import Element, Reading

__all__ = [
    "Element",
    "Reading",
    "application",
    "check_character",
    "decode",
    "digital_link",
    "epc",
    "gs1",
    "isbt128",
    "sec",
    "tag",
    "thing_of",
]
