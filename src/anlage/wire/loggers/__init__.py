"""LOGGERS: what temperature loggers write, read without guessing.

Touches: custody, base.
Touched by: app, web, cli.
Start at: record.py (a file to its readings), then stamp.py (dates).
"""

from .record import Record, read_bytes, read_file
from .rule import read_rule

__all__ = ["Record", "read_bytes", "read_file", "read_rule"]
