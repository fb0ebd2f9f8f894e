"""The command line: a thin shell, one file per command group.

Touches: app and the packages' faces.
Touched by: nothing.
Start at: shell.py (exit codes, the JSON contract), then any group's file.
"""

from .shell import main

__all__ = ["main"]
