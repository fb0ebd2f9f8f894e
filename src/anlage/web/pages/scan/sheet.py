"""The calibration sheet: three symbols as pictures, mm-exact when the page is printed."""

import base64
import functools

from anlage.custody import SCANNER_SHEET
from anlage.wire.symbols import Symbology, draw, png

_TITLES = {
    "alphabet": "1. Every character",
    "separator": "2. The separator",
    "proof": "3. The proof",
}
_MODULE_MM = 0.6


@functools.cache
def symbols_of_sheet() -> tuple[tuple[str, str, str, float], ...]:
    """Give name, title, picture (data address) and width in millimetres of each symbol."""
    found = []
    for name, text in SCANNER_SHEET:
        is_gs1 = name == "separator"
        content = "(10)ANLAGE(21)CALIBRATION" if is_gs1 else text
        symbol = draw(content, Symbology.GS1_DATA_MATRIX if is_gs1 else Symbology.DATA_MATRIX)
        picture = base64.b64encode(png(symbol)).decode("ascii")
        width = (symbol.modules.shape[1] + 2 * symbol.quiet) * _MODULE_MM
        found.append((name, _TITLES[name], f"data:image/png;base64,{picture}", width))
    return tuple(found)
