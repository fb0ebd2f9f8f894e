"""The simulation: a network compiled to tables, run by one cached kernel.

Touches: network's model, base.
Touched by: network.optimise, academy, app, web, cli.
Start at: running.py (settings and chunks), then program.py and kernel.py.
"""

from .bottleneck import bottleneck, with_one_more
from .compare import Design, compare, differences, information_designs, with_loss
from .outcome import Figures, figures, outcome_of
from .running import (
    Progress,
    Run,
    Settings,
    compilation_is_due,
    run,
    run_again,
    run_chunk,
    settings_for,
)
from .tables import Compiled, compiled
from .trace import trace_of

__all__ = [
    "Compiled",
    "Design",
    "Figures",
    "Progress",
    "Run",
    "Settings",
    "bottleneck",
    "compare",
    "compilation_is_due",
    "compiled",
    "differences",
    "figures",
    "information_designs",
    "outcome_of",
    "run",
    "run_again",
    "run_chunk",
    "settings_for",
    "trace_of",
    "with_loss",
    "with_one_more",
]
