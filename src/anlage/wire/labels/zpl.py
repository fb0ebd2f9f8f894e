"""Labels to ZPL II for thermal printers.

Symbols go out as graphics of the very modules that were read back, not as printer commands: what
the printer's own encoder would make of the data cannot be checked before it is on the bag.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from anlage.wire import symbols

from .layout import Code, Layout, Line, Text
from .render import dots

_MM_PER_INCH = 25.4


def zpl(layout: Layout, rows: Sequence[Mapping[str, str]], *, dpi: int = 300) -> str:
    """Give the ZPL of labels, one format each.

    Raises:
        Refused: A field is missing, a text does not fit, or a symbol does not read back.
    """
    return "".join(_label(layout.filled(row), dpi) for row in rows)


def _label(layout: Layout, dpi: int) -> str:
    def at(mm: float) -> int:
        return round(mm * dpi / _MM_PER_INCH)

    lines = ["^XA", "^CI28", f"^PW{at(layout.width)}", f"^LL{at(layout.height)}", "^LH0,0"]
    for part in layout.parts:
        place = f"^FO{at(part.x)},{at(part.y)}"
        match part:
            case Text():
                high = at(part.size * 0.8)
                wide = max(1, round(high * 0.602 * (1.05 if part.bold else 1.0)))
                lines.append(f"{place}^A0N,{high},{wide}^FH_^FD{_escaped(part.content)}^FS")
            case Line():
                wide, high = max(1, at(part.width)), max(1, at(part.height))
                lines.append(f"{place}^GB{wide},{high},{min(wide, high)}^FS")
            case Code():
                lines.append(f"{place}{_graphic(part, dpi)}^FS")
    return "\n".join([*lines, "^XZ", ""])


def _graphic(part: Code, dpi: int) -> str:
    symbol = symbols.draw(part.content, part.symbology)
    scale = dots(part.module, dpi)
    high = round(part.height * dpi / _MM_PER_INCH) if symbol.symbology.is_linear else scale
    dark = np.kron(symbol.modules, np.ones((high, scale), dtype=bool))
    packed = np.packbits(dark, axis=1)
    rows, per_row = packed.shape
    total = rows * per_row
    return f"^GFA,{total},{total},{per_row},{packed.tobytes().hex().upper()}"


def _escaped(text: str) -> str:
    """Write what ZPL would take for a command as its hexadecimal code."""
    return "".join(
        "".join(f"_{byte:02X}" for byte in c.encode()) if c in "^~_\\" else c for c in text
    )
