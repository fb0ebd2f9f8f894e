"""LABELS: mm-exact labels as PDF, PNG and ZPL, every symbol read again before it is let out.

Touches: symbols, custody, base.
Touched by: app, web, cli.
Start at: layout.py (what stands where), then render.py and zpl.py.
"""

from .layout import Code, Layout, Line, Text, read_layout
from .render import Printed, render
from .stock import LAYOUTS
from .zpl import zpl

__all__ = [
    "LAYOUTS",
    "Code",
    "Layout",
    "Line",
    "Printed",
    "Text",
    "read_layout",
    "render",
    "zpl",
]
