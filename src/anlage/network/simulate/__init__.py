"""The simulation: a network compiled to tables, run by one cached kernel.

Touches: network's model, base.
Touched by: network.optimise, academy, app, web, cli.
Start at: running.py (settings and chunks), then program.py and kernel.py.
"""

from .outcome import Figures, figures, outcome_of
from .running import Progress, Run, Settings, run, run_chunk, settings_for
from .tables import Compiled, compiled

__all__ = [
    "Compiled",
    "Figures",
    "Progress",
    "Run",
    "Settings",
    "compiled",
    "figures",
    "outcome_of",
    "run",
    "run_chunk",
    "settings_for",
]
