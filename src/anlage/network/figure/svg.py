"""A drawing as SVG, for paper: bars, points and lines with axes, the subset that drawings use."""

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .drawing import INK, Drawing, Json

LINE = "#c9cfd4"
DARK = "#2b3238"
CHARACTER = 6.6
"""Width of a character in the 12 px type of axes, to leave room for names."""
TICKS = 6
_PLACES = {
    "top center": (-10.0, "middle"),
    "bottom center": (20.0, "middle"),
    "middle right": (4.0, "start"),
}
FONT = "font-family='DejaVu Sans, Arial, sans-serif' font-size='12'"


@dataclass(slots=True)
class _Axis:
    """One axis: from values to places on the picture."""

    low: float
    high: float
    begin: float
    end: float
    names: list[str] | None = None
    is_date: bool = False

    def at(self, value: Any) -> float:
        if self.names is not None:
            number = self.names.index(str(value)) + 0.5
        elif self.is_date:
            number = _day_number(value)
        else:
            number = float(value)
        share = (number - self.low) / ((self.high - self.low) or 1.0)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[tuple[float, str]]:
        if self.names is not None:
            return [(self.at(name), name) for name in self.names]
        values = _nice(self.low, self.high)
        if self.is_date:
            dates = [datetime.date.fromordinal(int(value)) for value in values]
            return [(self.at(date.isoformat()), f"{date:%Y-%m}") for date in dates]
        step = values[1] - values[0] if len(values) > 1 else 1.0
        digits = next(n for n in range(9) if n == 8 or abs(step * 10**n % 1 - 0.5) > 0.499)
        return [(self.at(value), f"{value:,.{digits}f}".replace(",", " ")) for value in values]


def svg_of(drawing: Drawing, *, width: int) -> str:
    """Give a drawing as SVG.

    Args:
        drawing: Its traces are `bar` or `scatter`.
        width: In pixels.
    """
    height = int(drawing.layout["height"])
    legend = _legend(drawing)
    x, y = _axes(drawing, width, height, top=34 if legend else 12)
    parts = [*legend, *_grid(drawing, x, y)]
    bases: dict[tuple[str, str], float] = {}
    for trace in drawing.data:
        if trace["type"] == "bar":
            parts += _bars(trace, x, y, bases, is_stacked=drawing.layout.get("barmode") == "stack")
        else:
            parts += _points(trace, x, y)
    parts += _notes(drawing, x, y)
    told = escape(drawing.told, quote=True)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}'"
        f" height='{height}' role='img' aria-label=\"{told}\">{''.join(parts)}</svg>"
    )


def _axes(drawing: Drawing, width: int, height: int, *, top: float) -> tuple[_Axis, _Axis]:
    across, up = drawing.layout["xaxis"], drawing.layout["yaxis"]
    is_bare = across.get("visible") is False
    names = _categories(drawing, "y") if up.get("type") == "category" else None
    if names is None:
        names_of = [word for _, word in _axis(drawing, "y", 0.0, 1.0).ticks()]
        left = 18.0 + 18.0 * bool(up["title"]["text"])
    else:
        names_of, left = names, 18.0
    left += CHARACTER * max((len(one) for one in names_of), default=0)
    left, right, bottom = (0.0, 0.0, 0.0) if is_bare else (left, 24.0, 48.0)
    x = _axis(drawing, "x", left, width - right)
    if names is None:
        y = _axis(drawing, "y", height - bottom, top)
    else:
        y = _Axis(0.0, float(max(len(names), 1)), top, height - bottom, names)
    if is_bare:
        # One scale both ways, and the middle in the middle.
        scale = min((width) / (x.high - x.low), height / (y.high - y.low))
        wide, high = scale * (x.high - x.low), scale * (y.high - y.low)
        x.begin, x.end = (width - wide) / 2, (width + wide) / 2
        y.begin, y.end = (height + high) / 2, (height - high) / 2
    return x, y


def _axis(drawing: Drawing, letter: str, begin: float, end: float) -> _Axis:
    settings: Json = drawing.layout[f"{letter}axis"]
    is_date = settings.get("type") == "date"
    values = [
        _day_number(value) if is_date else float(value)
        for trace in drawing.data
        for value in trace.get(letter, ())
        if value is not None
    ]
    for trace in drawing.data:
        error = trace.get(f"error_{letter}")
        if error:
            for at, more, less in zip(
                trace[letter], error["array"], error["arrayminus"], strict=True
            ):
                values += [at + more, at - less]
    if drawing.layout.get("barmode") == "stack" and letter == "x":
        sums: dict[str, float] = {}
        for trace in drawing.data:
            for name, value in zip(trace["y"], trace["x"], strict=True):
                sums[name] = sums.get(name, 0.0) + value
        values += list(sums.values())
    low, high = min(values, default=0.0), max(values, default=1.0)
    is_bar = any(
        trace["type"] == "bar" and (trace.get("orientation") == "h") == (letter == "x")
        for trace in drawing.data
    )
    if is_bar or settings.get("rangemode") == "tozero":
        low, high = min(low, 0.0), max(high, 0.0)
    if "range" in settings:
        low, high = (float(one) for one in settings["range"])
    elif not is_date:
        low, high = (low * 1.05 if low < 0 else low), high * 1.05 if high > 0 else high
    if high <= low:
        high = low + 1.0
    return _Axis(low, high, begin, end, None, is_date)


def _categories(drawing: Drawing, letter: str) -> list[str]:
    return [str(one) for one in drawing.layout[f"{letter}axis"].get("categoryarray", ())]


def _grid(drawing: Drawing, x: _Axis, y: _Axis) -> list[str]:
    across, up = drawing.layout["xaxis"], drawing.layout["yaxis"]
    if across.get("visible") is False:
        return []
    parts = []
    low, high = max(y.begin, y.end), min(y.begin, y.end)
    if across.get("showticklabels", True):
        for at, word in x.ticks():
            parts.append(_line(at, high, at, low, LINE, 1))
            parts.append(_text(at, low + 16, word, "middle"))
    if x.names is None and not x.is_date and x.low < 0 < x.high:
        parts.append(_line(x.at(0), high, x.at(0), low, INK, 1.2))
    for at, word in y.ticks():
        if y.names is None:
            parts.append(_line(x.begin, at, x.end, at, LINE, 1))
        parts.append(_text(x.begin - 8, at + 4, word, "end"))
    title = across["title"]["text"]
    parts.append(_text((x.begin + x.end) / 2, low + 38, title, "middle"))
    if up["title"]["text"]:
        at = (low + high) / 2
        words = escape(up["title"]["text"])
        parts.append(
            f"<text transform='translate(14 {at:.1f}) rotate(-90)' text-anchor='middle'"
            f" fill='{INK}' {FONT}>{words}</text>"
        )
    return parts


def _bars(
    trace: Json, x: _Axis, y: _Axis, bases: dict[tuple[str, str], float], *, is_stacked: bool
) -> list[str]:
    colours = _each(trace["marker"]["color"], len(trace["x"]))
    parts = []
    for place, (across, up) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        if trace.get("orientation") == "h":
            half = 0.36 * abs(y.end - y.begin) / max(len(y.names or ()), 1)
            base = bases.get(("h", up), 0.0) if is_stacked else 0.0
            bases["h", up] = base + across
            begin, end = sorted((x.at(base), x.at(base + across)))
            centre = y.at(up)
            box = (begin, centre - half, end - begin, 2 * half)
        else:
            half = 0.48 * abs(x.at(trace.get("width", 1.0)) - x.at(0.0))
            begin, end = sorted((y.at(0.0), y.at(up)))
            box = (x.at(across) - half, begin, 2 * half, end - begin)
        parts.append(_box(*box, colours[place]))
    return parts + _errors(trace, x, y)


def _points(trace: Json, x: _Axis, y: _Axis) -> list[str]:
    mode = trace["mode"]
    points = [
        None if across is None else (x.at(across), y.at(up))
        for across, up in zip(trace["x"], trace["y"], strict=True)
    ]
    parts = []
    if "lines" in mode:
        style = trace["line"]
        for run in _runs(points):
            way = " ".join(f"{across:.1f},{up:.1f}" for across, up in run)
            parts.append(
                f"<polyline points='{way}' fill='none' stroke='{_solid(style['color'])}'"
                f" stroke-width='{style['width']}'/>"
            )
    parts += _errors(trace, x, y)
    if "markers" in mode:
        count = len(points)
        sizes = _each(trace["marker"].get("size", 8), count)
        colours = _each(trace["marker"]["color"], count)
        symbol = str(trace["marker"].get("symbol", "circle"))
        first, last = sorted((x.begin, x.end))
        for point, size, colour in zip(points, sizes, colours, strict=True):
            if point is not None and first - 1 <= point[0] <= last + 1:
                parts.append(_mark(*point, float(size) / 2, _solid(colour), symbol))
    if "text" in mode:
        places = _each(trace.get("textposition", "top center"), len(points))
        for point, words, place in zip(points, trace["text"], places, strict=False):
            if point is not None:
                lift, anchor = _PLACES[place]
                parts.append(_text(point[0], point[1] + lift, words, anchor))
    return parts


def _errors(trace: Json, x: _Axis, y: _Axis) -> list[str]:
    parts = []
    for letter in ("x", "y"):
        error = trace.get(f"error_{letter}")
        if not error:
            continue
        thick = error.get("thickness", 1.5)
        spans = zip(trace["x"], trace["y"], error["array"], error["arrayminus"], strict=True)
        for across, up, more, less in spans:
            if letter == "x":
                ends = (x.at(across - less), y.at(up), x.at(across + more), y.at(up))
            else:
                ends = (x.at(across), y.at(up - less), x.at(across), y.at(up + more))
            parts.append(_line(*ends, _solid(error["color"]), thick))
    return parts


def _notes(drawing: Drawing, x: _Axis, y: _Axis) -> list[str]:
    low, high = max(y.begin, y.end), min(y.begin, y.end)
    parts = []
    for shape in drawing.layout.get("shapes", ()):
        begin, end = x.at(shape["x0"]), x.at(shape["x1"])
        if shape["type"] == "rect":
            parts.append(_box(begin, high, end - begin, low - high, shape["fillcolor"], 0.25))
        else:
            parts.append(_line(begin, high, end, low, INK, 1.2, "5 4"))
    for note in drawing.layout.get("annotations", ()):
        if note.get("xref") == "paper":
            at, anchor = x.begin + note["x"] * (x.end - x.begin), "middle"
        else:
            at, anchor = x.at(note["x"]), "start"
        up = low + note["y"] * (high - low)
        parts.append(_text(at, up + 12, note["text"], anchor))
    return parts


def _legend(drawing: Drawing) -> list[str]:
    named = [one for one in drawing.data if one.get("showlegend", True) and one.get("name")]
    if drawing.layout.get("showlegend") is False or len(named) < 2:
        return []
    parts, at = [], 12.0
    for trace in named:
        is_line = trace["type"] == "scatter" and trace["mode"] == "lines"
        colour = trace["line"]["color"] if is_line else trace["marker"]["color"]
        shown = _solid(colour if isinstance(colour, str) else colour[0])
        symbol = "square" if trace["type"] == "bar" else trace.get("marker", {}).get("symbol")
        parts.append(_mark(at + 6, 12, 6, shown, str(symbol or "circle")))
        parts.append(_text(at + 18, 16, trace["name"], "start"))
        at += 34 + CHARACTER * 1.1 * len(trace["name"])
    return parts


def _mark(x: float, y: float, r: float, colour: str, symbol: str) -> str:
    if symbol == "square":
        return _box(x - r, y - r, 2 * r, 2 * r, colour)
    if symbol.startswith("line-ns"):
        return _line(x, y - r, x, y + r, colour, 2)
    if symbol.startswith("x-thin"):
        first, second = _line(x - r, y - r, x + r, y + r, colour, 2), ""
        second = _line(x - r, y + r, x + r, y - r, colour, 2)
        return first + second
    corners = {
        "triangle-up": ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
        "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    }.get(symbol)
    if corners:
        way = " ".join(f"{x + r * a:.1f},{y + r * b:.1f}" for a, b in corners)
        return f"<polygon points='{way}' fill='{colour}'/>"
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{r:.1f}' fill='{colour}'/>"


def _box(x: float, y: float, w: float, h: float, colour: str, opacity: float = 1.0) -> str:
    return (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(w, 0):.1f}' height='{max(h, 0):.1f}'"
        f" fill='{_solid(colour)}' opacity='{opacity}'/>"
    )


def _line(
    x0: float, y0: float, x1: float, y1: float, colour: str, width: float, dash: str = ""
) -> str:
    dashed = f" stroke-dasharray='{dash}'" if dash else ""
    return (
        f"<line x1='{x0:.1f}' y1='{y0:.1f}' x2='{x1:.1f}' y2='{y1:.1f}' stroke='{colour}'"
        f" stroke-width='{width}'{dashed}/>"
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{DARK}' {FONT}>"
        f"{escape(str(words).strip())}</text>"
    )


def _runs(
    points: Sequence[tuple[float, float] | None],
) -> list[list[tuple[float, float]]]:
    """Give the unbroken stretches of a line."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _solid(colour: str) -> str:
    """Give a colour for white paper: what is see-through becomes pale."""
    return "#cfd5da" if colour.startswith("rgba") else colour


def _each(value: Any, count: int) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] * count


def _day_number(text: str) -> float:
    moment = datetime.datetime.fromisoformat(str(text))
    return moment.toordinal() + moment.hour / 24


def _nice(low: float, high: float) -> list[float]:
    """Give round values between two, about six of them."""
    raw = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
