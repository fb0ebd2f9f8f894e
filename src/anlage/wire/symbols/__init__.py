"""SYMBOLS: bar codes and matrix codes, drawn and read.

Touches: custody, base.
Touched by: labels, app, web, cli.
Start at: symbol.py.
"""

from .symbol import (
    IMAGE_SUFFIXES,
    Scan,
    Symbol,
    Symbology,
    draw,
    expected_scan,
    nothing_read,
    pixels,
    png,
    qr_png,
    read,
    read_bytes,
    read_file,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "Scan",
    "Symbol",
    "Symbology",
    "draw",
    "expected_scan",
    "nothing_read",
    "pixels",
    "png",
    "qr_png",
    "read",
    "read_bytes",
    "read_file",
]
