"""ASSAY: from the wells of a plate to a result one can defend.

Touches: library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: fit.py (one curve), potency.py (a sample against its reference), then definition.py,
reader.py and evaluation.py (a whole plate).
"""

from ..assay_definition import (
    Analysis,
    AssayDefinition,
    Region,
    WellRole,
    read_definition,
    read_file_with,
    starters,
)
from ..plate import well_name, wells_in
from .agreement import Agreement, Prediction, agreement, predict_reference
from .cards import CARDS
from .evaluation import PlateResult, SampleResult, evaluate_plate
from .fit import Fit, Points, fit, points_of, read_points
from .formula import Formula
from .identity import RULES, IdentityVerdict, criteria, judge_identity, read_results
from .interlaboratory import (
    Homogeneity,
    LaboratoryScore,
    Robust,
    Score,
    Stability,
    Study,
    homogeneity,
    read_score,
    robust_mean,
    stability,
)
from .interlaboratory import study as interlaboratory_study
from .models import Model, known, model
from .parallelism import Bounds, Equivalence, FTest
from .pcr import (
    DigitalPlate,
    DigitalWell,
    QpcrSample,
    QpcrTarget,
    digital_plate,
    qpcr_plate,
)
from .potency import Potency, relative_potencies
from .quantify import (
    DetectionLimits,
    Estimate,
    Frequency,
    Partitions,
    QpcrCurve,
    StandardCurve,
    copies_per_partition,
    copies_per_ul,
    detection_limits,
    limiting_dilution,
    qpcr_curve,
    specific_lysis,
    standard_curve,
    vector_copy_number,
)
from .ratio import Combined, combine, fieller
from .reader import Import, Reading, RowVerdict, compare_entries, read_reader_file
from .validation import Bridge, Equivalent, LevelPrecision, bridge, equivalence, precision
from .wells import Wells, read_wells

__all__ = [
    "CARDS",
    "Agreement",
    "Analysis",
    "AssayDefinition",
    "Bounds",
    "Bridge",
    "Combined",
    "DetectionLimits",
    "DigitalPlate",
    "DigitalWell",
    "Equivalence",
    "Equivalent",
    "Estimate",
    "FTest",
    "Fit",
    "Formula",
    "Frequency",
    "Homogeneity",
    "IdentityVerdict",
    "Import",
    "LaboratoryScore",
    "LevelPrecision",
    "Model",
    "Partitions",
    "PlateResult",
    "Points",
    "Potency",
    "Prediction",
    "QpcrCurve",
    "QpcrSample",
    "QpcrTarget",
    "RULES",
    "Robust",
    "Score",
    "Stability",
    "Study",
    "Reading",
    "Region",
    "RowVerdict",
    "SampleResult",
    "StandardCurve",
    "WellRole",
    "Wells",
    "agreement",
    "bridge",
    "combine",
    "compare_entries",
    "read_file_with",
    "copies_per_partition",
    "copies_per_ul",
    "criteria",
    "detection_limits",
    "digital_plate",
    "equivalence",
    "evaluate_plate",
    "fieller",
    "fit",
    "homogeneity",
    "interlaboratory_study",
    "judge_identity",
    "known",
    "limiting_dilution",
    "model",
    "points_of",
    "precision",
    "predict_reference",
    "qpcr_curve",
    "qpcr_plate",
    "read_definition",
    "read_points",
    "read_reader_file",
    "read_results",
    "read_wells",
    "relative_potencies",
    "robust_mean",
    "stability",
    "read_score",
    "specific_lysis",
    "standard_curve",
    "starters",
    "vector_copy_number",
    "well_name",
    "wells_in",
]
