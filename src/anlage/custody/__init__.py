"""IDENTITY and CUSTODY: which thing is which, where it is and who answers for it.

Touches: library, record, base.
Touched by: twin and above.
Start at: codes/ (what a label says), then excursion.py (what a temperature record means).
"""

from .excursion import RULES as EXCURSION_RULES
from .excursion import (
    Band,
    Excursion,
    ExcursionRule,
    Holds,
    Judgement,
    Kinetic,
    Reading,
    Verdict,
    judge,
    mean_kinetic_temperature,
    rule_for,
    worst_kinetic,
)

__all__ = [
    "EXCURSION_RULES",
    "Band",
    "Excursion",
    "ExcursionRule",
    "Holds",
    "Judgement",
    "Kinetic",
    "Reading",
    "Verdict",
    "judge",
    "mean_kinetic_temperature",
    "rule_for",
    "worst_kinetic",
]
