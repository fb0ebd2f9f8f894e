"""LOGGERS: what temperature loggers write, read without guessing.

Touches: custody, base.
Touched by: app, web, cli.
Start at: record.py (a file to its readings), then stamp.py (dates).
"""

from .record import Record, read_bytes, read_file
from .rule import read_rule
from .telemetry import Batch, is_telemetry, read_telemetry

__all__ = [
    "Batch",
    "Record",
    "is_telemetry",
    "read_bytes",
    "read_file",
    "read_rule",
    "read_telemetry",
]
