"""The simulation: a network compiled to tables, run by one cached kernel.

Touches: network's model, base.
Touched by: network.optimise, academy, app, web, cli.
Start at: running.py (settings and chunks), then program.py and kernel.py.
"""

from .bottleneck import bottleneck, with_one_more
from .compare import Design, compare, differences, information_designs, with_loss
from .facts import facts_of
from .loss import losses, tail, tails, what_can_be_lost
from .outcome import Figures, figures, outcome_of
from .running import (
    Progress,
    Run,
    Settings,
    compilation_is_due,
    run,
    run_again,
    run_chunk,
    run_part,
    settings_for,
)
from .scale import scale, scaled_out, scaled_up
from .select import measured, select
from .tables import Compiled, compiled
from .trace import trace_of

__all__ = [
    "facts_of",
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
    "losses",
    "measured",
    "outcome_of",
    "run",
    "run_again",
    "run_chunk",
    "run_part",
    "scale",
    "scaled_out",
    "scaled_up",
    "select",
    "settings_for",
    "tail",
    "tails",
    "trace_of",
    "what_can_be_lost",
    "with_loss",
    "with_one_more",
]
