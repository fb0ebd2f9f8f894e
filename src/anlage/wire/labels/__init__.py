"""LABELS: mm-exact labels as PDF, PNG and ZPL, every symbol read again before it is let out.

Touches: symbols, library, custody, base.
Touched by: app, web, cli.
Start at: layout.py (what stands where; defined.py from a definition), then render.py and zpl.py.
"""

from .defined import NUMBER, layout_of
from .layout import Code, Layout, Line, Text, read_layout
from .render import Printed, render
from .stock import LAYOUTS
from .zpl import zpl

__all__ = [
    "LAYOUTS",
    "NUMBER",
    "Code",
    "Layout",
    "Line",
    "Printed",
    "Text",
    "layout_of",
    "read_layout",
    "render",
    "zpl",
]
