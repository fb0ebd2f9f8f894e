"""READERS: RFID gates: what they send to a served Anlage, and a gate that is simulated.

Touches: custody, base.
Touched by: cli.
Start at: gateway.py (reads to an installation), then simulator.py (reads of a gate that is none).
"""

from .gateway import Gateway
from .simulator import Played, play, tag_of

__all__ = ["Gateway", "Played", "play", "tag_of"]
