"""DEMO: a simulated hospital facility, seeded through the same commands as real use.

Touches: app's engine, the packages' requests.
Touched by: cli/demo.py, the tests.
Start at: seed.py (what there is), then walk.py (how a lot is made).
"""

from .cast import CAST, PASSWORD, write_logins
from .facility import found_facility
from .live import keep_playing, reserve
from .player import Player, Stage
from .seed import seed
from .walk import Until, Walk, walk_bank, walk_journey

__all__ = [
    "CAST",
    "PASSWORD",
    "Player",
    "Stage",
    "Until",
    "Walk",
    "found_facility",
    "keep_playing",
    "reserve",
    "seed",
    "walk_bank",
    "walk_journey",
    "write_logins",
]
