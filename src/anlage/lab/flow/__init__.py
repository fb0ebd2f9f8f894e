"""FLOW: events of a cytometer become populations one can defend.

Touches: base, the method card of LAB.
Touched by: academy, store, wire, app, web, cli.
Start at: fcs.py (reading), then strategy.py (gating), then auto.py (gates found by the data).
"""

from .auto import CARD, Controls, TCells, Threshold, gate_t_cells, scale_for
from .compare import Agreement, Difference, compare_gatings, compare_samples
from .compensation import Matrix, parse_spillover
from .density import Valley, find_valley
from .errors import REFUSALS
from .fcs import Channel, Sample, read_fcs
from .fcs_text import Deviation
from .fcs_write import Writing, write_fcs
from .figure import axes_of, contour_figure, density_figure, overlay_figure
from .gate import (
    Boolean,
    Cells,
    Dimension,
    Ellipsoid,
    Gate,
    Polygon,
    Rectangle,
    Reference,
    Strategy,
)
from .gatingml import read_gatingml, write_gatingml
from .identifiers import Identifier, identifiers_of
from .panel import Panel, panel_of
from .population import Population, Signal, populations, shares, signal_of
from .simulated import TYPES, Recipe, simulate_t_cells
from .strategy import Gated, gate
from .transform import (
    Asinh,
    Biexponential,
    FlowJoLog,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    Ratio,
    Transform,
)
from .workspace import WorkspaceSample, read_workspace, strategy_for

__all__ = [
    "REFUSALS",
    "TYPES",
    "Asinh",
    "Biexponential",
    "Boolean",
    "Cells",
    "Channel",
    "Controls",
    "Deviation",
    "Dimension",
    "Ellipsoid",
    "FlowJoLog",
    "Gate",
    "Gated",
    "Hyperlog",
    "Identifier",
    "Linear",
    "Log",
    "Logicle",
    "Matrix",
    "Panel",
    "Polygon",
    "Population",
    "Ratio",
    "Recipe",
    "Rectangle",
    "Reference",
    "Sample",
    "Strategy",
    "TCells",
    "Threshold",
    "Transform",
    "Valley",
    "Writing",
    "find_valley",
    "gate",
    "gate_t_cells",
    "identifiers_of",
    "panel_of",
    "parse_spillover",
    "populations",
    "read_fcs",
    "read_gatingml",
    "shares",
    "simulate_t_cells",
    "write_fcs",
    "write_gatingml",
    "Agreement",
    "Difference",
    "WorkspaceSample",
    "compare_gatings",
    "compare_samples",
    "contour_figure",
    "density_figure",
    "overlay_figure",
    "read_workspace",
    "strategy_for",
    "scale_for",
    "axes_of",
    "Signal",
    "signal_of",
    "CARD",
]
