"""FIGURE: what a simulation found, drawn; the same drawing in notebook, page, file and report.

Touches: network's model and simulation, base.
Touched by: academy, app, web, cli.
Start at: drawing.py (what a drawing is), then outcome.py; world.py and day.py for the map.
"""

from .comparison import bottleneck_figure, differences_figure, scale_figure, spread_figure
from .day import Day, day_figure, day_of
from .distribution import distribution_figure, distribution_of
from .drawing import Drawing, page_of
from .outage import load_of, outage_figure
from .outcome import cost_figure, utilisation_figure, waits_figure
from .world import map_figure

__all__ = [
    "Day",
    "Drawing",
    "bottleneck_figure",
    "cost_figure",
    "day_figure",
    "day_of",
    "differences_figure",
    "distribution_figure",
    "distribution_of",
    "load_of",
    "map_figure",
    "outage_figure",
    "page_of",
    "scale_figure",
    "spread_figure",
    "utilisation_figure",
    "waits_figure",
]
