"""Labels to PDF and PNG, by one renderer (typst), on the dots of the printer.

Symbols are drawn in vectors whose modules are whole dots at the stated resolution. The page is then
drawn again as pixels and every symbol on it is read: a label that does not read back stays here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anlage.base import Problem, Refused
from anlage.wire import symbols
from anlage.wire.symbols import Symbol

from .layout import Code, Layout, Line, Text

_MM_PER_INCH = 25.4
_SHEET = (210.0, 297.0)
_MARGIN, _GUTTER = 5.0, 1.0
LABELS_MAX = 2000
_DOTS_MIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What came out.

    Attributes:
        pages: One PDF, or one PNG per page.
        labels: How many labels.
        read: Each symbol as it was read back, with its symbology identifier.
    """

    pages: tuple[bytes, ...]
    labels: int
    read: tuple[str, ...]


def render(
    layout: Layout,
    rows: Sequence[Mapping[str, str]],
    *,
    form: str,
    dpi: int = 300,
    on_sheets: bool = False,
) -> Printed:
    """Print labels, one per page or side by side on A4 sheets.

    Args:
        layout: The label.
        rows: The fields of each label.
        form: `pdf` or `png`.
        dpi: Dots per inch of the printer, 150 to 1200.
        on_sheets: True to fill A4 sheets.

    Raises:
        Refused: A field is missing, a text does not fit, or a symbol does not read back.
    """
    if not 150 <= dpi <= 1200 or not 1 <= len(rows) <= LABELS_MAX:
        raise Refused(
            "label-job-malformed",
            what=f"print of {layout.id}",
            found=f"{len(rows)} labels at {dpi} dpi",
            limit=f"1 to {LABELS_MAX} labels at 150 to 1200 dpi",
            remedy="split the job, or state the printer's resolution",
            rule="Anlage labels",
        )
    drawn = [[_draw(part) for part in layout.filled(row).parts] for row in rows]
    groups = _groups(layout, drawn, on_sheets)
    source = _document(layout, groups, dpi, on_sheets)
    images = _compile(source, "png", dpi)
    read = _read_back(images, groups, layout.id)
    pages = _compile(source, "pdf", dpi) if form == "pdf" else images
    return Printed(pages=tuple(pages), labels=len(rows), read=tuple(read))


def dots(module_mm: float, dpi: int) -> int:
    """Give the whole number of dots of a module, at least two."""
    return max(_DOTS_MIN, round(module_mm * dpi / _MM_PER_INCH))


Drawn = tuple[Text | Line | Code, Symbol | None]


def _draw(part: Text | Line | Code) -> Drawn:
    return part, symbols.draw(part.content, part.symbology) if isinstance(part, Code) else None


def _groups(
    layout: Layout, drawn: list[list[Drawn]], on_sheets: bool
) -> list[list[tuple[float, float, list[Drawn]]]]:
    """Give the labels of each page with their places."""
    if not on_sheets:
        return [[(0.0, 0.0, parts)] for parts in drawn]
    across = int((_SHEET[0] - 2 * _MARGIN + _GUTTER) // (layout.width + _GUTTER))
    down = int((_SHEET[1] - 2 * _MARGIN + _GUTTER) // (layout.height + _GUTTER))
    if not across or not down:
        raise Refused(
            "label-too-large",
            what=f"label {layout.id} on A4 sheets",
            found=f"{layout.width:g} x {layout.height:g} mm",
            limit="200 x 287 mm",
            remedy="print one label per page",
            rule="Anlage labels",
        )
    pages = []
    for start in range(0, len(drawn), across * down):
        page = [
            (
                _MARGIN + place % across * (layout.width + _GUTTER),
                _MARGIN + place // across * (layout.height + _GUTTER),
                parts,
            )
            for place, parts in enumerate(drawn[start : start + across * down])
        ]
        pages.append(page)
    return pages


def _document(
    layout: Layout,
    pages: list[list[tuple[float, float, list[Drawn]]]],
    dpi: int,
    on_sheets: bool,
) -> str:
    width, height = _SHEET if on_sheets else (layout.width, layout.height)
    lines = [
        f"#set page(width: {width}mm, height: {height}mm, margin: 0mm)",
        '#set text(font: "DejaVu Sans Mono", fill: black, top-edge: "ascender",'
        ' bottom-edge: "descender")',
    ]
    for number, page in enumerate(pages):
        if number:
            lines.append("#pagebreak()")
        for left, top, parts in page:
            for part, symbol in parts:
                lines.append(_place(part, symbol, left, top, dpi))
    return "\n".join(lines)


def _place(
    part: Text | Line | Code, symbol: Symbol | None, left: float, top: float, dpi: int
) -> str:
    x, y = left + part.x, top + part.y
    if isinstance(part, Text):
        weight = ', weight: "bold"' if part.bold else ""
        escaped = part.content.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f"#place(dx: {x:.4f}mm, dy: {y:.4f}mm,"
            f' text(size: {part.size * 0.8:.4f}mm{weight}, "{escaped}"))'
        )
    if isinstance(part, Line):
        return (
            f"#place(dx: {x:.4f}mm, dy: {y:.4f}mm,"
            f" rect(width: {part.width}mm, height: {part.height}mm, fill: black))"
        )
    if symbol is None:
        return ""
    dot = _MM_PER_INCH / dpi
    scale = dots(part.module, dpi)
    height = max(1, round(part.height / dot)) if symbol.symbology.is_linear else scale
    x, y = round(x / dot) * dot, round(y / dot) * dot
    rows, columns = symbol.modules.shape
    svg = _svg(symbol, scale, height)
    return (
        f"#place(dx: {x:.5f}mm, dy: {y:.5f}mm, image(bytes({_quoted(svg)}),"
        f' format: "svg", width: {columns * scale * dot:.5f}mm,'
        f" height: {rows * height * dot:.5f}mm))"
    )


def _svg(symbol: Symbol, scale: int, height: int) -> str:
    """Give the symbol as one path of dark runs, in dots."""
    rows, columns = symbol.modules.shape
    path = []
    for row in range(rows):
        line = np.concatenate(([False], symbol.modules[row], [False])).astype(np.int8)
        edges = np.flatnonzero(np.diff(line))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            wide = int(stop - start) * scale
            path.append(f"M{int(start) * scale} {row * height}h{wide}v{height}h-{wide}z")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * scale}"'
        f' height="{rows * height}" shape-rendering="crispEdges"><path d="{"".join(path)}"/></svg>'
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _compile(source: str, form: str, dpi: int) -> list[bytes]:
    import typst

    if form == "png":
        made: object = typst.compile(source.encode(), format="png", ppi=float(dpi))
    else:
        made = typst.compile(source.encode(), format="pdf")
    return list(made) if isinstance(made, list) else [bytes(made)]  # type: ignore[call-overload]


def _read_back(
    images: list[bytes], pages: list[list[tuple[float, float, list[Drawn]]]], name: str
) -> list[str]:
    """Read every page; each symbol must be there, as often as it was drawn."""
    read: list[str] = []
    for image, page in zip(images, pages, strict=True):
        expected = [symbol for _, _, parts in page for _, symbol in parts if symbol is not None]
        drawn = frozenset(symbol.symbology for symbol in expected)
        scans = symbols.read_bytes(image, name, printed=drawn) if drawn else []
        left = [(scan.identifier[:2], scan.text) for scan in scans]
        missing: list[Problem] = []
        for symbol in expected:
            letter, text = symbols.expected_scan(symbol.content, symbol.symbology)
            if ("]" + letter, text) in left:
                left.remove(("]" + letter, text))
            else:
                missing.append(_unread(symbol, name))
        marks = {"]d2", "]C1", "]Q3"}
        wanted = sum(symbol.symbology.is_gs1 for symbol in expected)
        if not missing and sum(scan.identifier in marks for scan in scans) < wanted:
            missing.append(_unread(expected[0], name))
        if missing:
            raise Refused.of(missing)
        read += [scan.marked for scan in scans]
    return read


def _unread(symbol: Symbol, name: str) -> Problem:
    return Problem(
        code="symbol-does-not-read-back",
        what=f"{symbol.symbology.value} symbol on label {name}",
        found="the printed page does not give it back",
        limit=symbol.content[:80],
        remedy="enlarge the module, keep other parts out of its light margin, or print finer",
        rule="Anlage labels: every symbol is read again before it is let out",
    )
