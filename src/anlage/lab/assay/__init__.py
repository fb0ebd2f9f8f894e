"""ASSAY: from the wells of a plate to a result one can defend.

Touches: library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: fit.py (one curve), then potency.py (a sample against its reference).
"""

from .fit import Fit, Points, fit, points_of, read_points
from .formula import Formula
from .identity import RULES, IdentityVerdict, criteria, judge_identity, read_results
from .models import Model, known, model
from .potency import Bounds, Equivalence, FTest, Potency, relative_potencies
from .ratio import Combined, combine, fieller
from .wells import Wells, read_wells

__all__ = [
    "RULES",
    "IdentityVerdict",
    "criteria",
    "judge_identity",
    "read_results",
    "Bounds",
    "Combined",
    "Equivalence",
    "FTest",
    "Fit",
    "Formula",
    "Model",
    "Points",
    "Potency",
    "Wells",
    "combine",
    "fieller",
    "fit",
    "known",
    "model",
    "points_of",
    "read_points",
    "read_wells",
    "relative_potencies",
]
