"""APP: the wiring: settings, assembly, the command engine, the installation, verification.

Touches: everything below.
Touched by: web, cli.
Start at: engine.py (how a command runs), then installation.py.
"""

from .engine import (
    Desk,
    Engine,
    NumberGiven,
    Outcome,
    command,
    command_classes,
    name_of,
    request_of,
)
from .exporting import export
from .installation import Installation
from .plant_clock import SimulatedClock, open_clocked
from .sentences import sentence
from .settings import Settings, settings
from .verification import verify

__all__ = [
    "Desk",
    "Engine",
    "Installation",
    "NumberGiven",
    "Outcome",
    "Settings",
    "SimulatedClock",
    "command",
    "command_classes",
    "export",
    "name_of",
    "open_clocked",
    "request_of",
    "sentence",
    "settings",
    "verify",
]
