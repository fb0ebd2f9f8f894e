"""FLOW: events of a cytometer become populations one can defend.

Touches: base.
Touched by: academy, store, wire, app, web, cli.
Start at: fcs.py (reading), then strategy.py (gating), then auto.py (gates found by the data).
"""

from .compensation import Matrix, parse_spillover
from .errors import REFUSALS
from .fcs import Channel, Sample, read_fcs
from .fcs_text import Deviation
from .fcs_write import Writing, write_fcs
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
from .population import Population, populations, shares
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

__all__ = [
    "REFUSALS",
    "Asinh",
    "Biexponential",
    "Boolean",
    "Cells",
    "Channel",
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
    "Polygon",
    "Population",
    "Ratio",
    "Rectangle",
    "Reference",
    "Sample",
    "Strategy",
    "Transform",
    "Writing",
    "gate",
    "identifiers_of",
    "parse_spillover",
    "populations",
    "read_fcs",
    "read_gatingml",
    "shares",
    "write_fcs",
    "write_gatingml",
]
