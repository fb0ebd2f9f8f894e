"""BASE: words without opinion.

Touches: nothing of ours.
Touched by: every package.
Start at: errors.py (how a rule says no), then quantity.py.
"""

from .canonical import canonical, digest, parse_canonical
from .clock import Clock, FixedClock, Instant, SystemClock, instant, stamp
from .errors import Broken, Problem, Refused
from .identifier import Identifier
from .quantity import Quantity, Scale, scale_of
from .text import clean_line, clean_text

__all__ = [
    "Broken",
    "Clock",
    "FixedClock",
    "Identifier",
    "Instant",
    "Problem",
    "Quantity",
    "Refused",
    "Scale",
    "SystemClock",
    "canonical",
    "clean_line",
    "clean_text",
    "digest",
    "instant",
    "parse_canonical",
    "scale_of",
    "stamp",
]
