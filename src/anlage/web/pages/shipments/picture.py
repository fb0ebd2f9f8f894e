"""The curve of a way as SVG: the same figure, drawn without a script."""

from datetime import datetime
from html import escape
from typing import Any

WIDTH, HEIGHT = 880, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 12, 34
TICKS = 5


def picture_of(figure: dict[str, Any]) -> str:
    """Draw a figure of `app.way_figure`: line, limits, shaded excursions."""
    trace = figure["data"][0]
    times = [datetime.fromisoformat(one) for one in trace["x"]]
    known = [float(one) for one in trace["y"] if one is not None]
    shapes = figure["layout"]["shapes"]
    limits = [float(one["y0"]) for one in shapes if one["type"] == "line"]
    low, high = min([*known, *limits]), max([*known, *limits])
    margin = (high - low) * 0.08 or 1.0
    low, high = low - margin, high + margin
    first = times[0]
    length = (times[-1] - first).total_seconds() or 1.0

    def x(at: datetime) -> float:
        part = (at - first).total_seconds() / length
        return LEFT + min(1.0, max(0.0, part)) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for one in shapes:
        if one["type"] == "rect":
            start, end = (x(datetime.fromisoformat(one[key])) for key in ("x0", "x1"))
            parts.append(
                f'<rect class="out" x="{start:.1f}" y="{TOP}" width="{max(2.0, end - start):.1f}"'
                f' height="{HEIGHT - TOP - BOTTOM}"/>'
            )
    for step in range(TICKS + 1):
        value = low + (high - low) * step / TICKS
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}"'
            f' y2="{y(value):.1f}"/><text x="{LEFT - 8}" y="{y(value) + 4:.1f}"'
            f' text-anchor="end">{value:.0f}</text>'
        )
    for limit, word in zip(limits, figure["layout"]["annotations"], strict=True):
        parts.append(
            f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(limit):.1f}"'
            f' y2="{y(limit):.1f}"/><text x="{WIDTH - RIGHT}" y="{y(limit) - 5:.1f}"'
            f' text-anchor="end">{escape(word["text"])}</text>'
        )
    parts += _lines(trace["y"], times, x, y)
    parts.append(
        f'<text x="{LEFT}" y="{HEIGHT - 10}">{first:%m-%d %H:%M} UTC</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">'
        f"{times[-1]:%m-%d %H:%M} UTC</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><style>'
        "text{font:14px sans-serif;fill:#6a757c}.grid{stroke:#8884;stroke-width:1}"
        ".limit{stroke:#b07a10;stroke-width:1.5;stroke-dasharray:7 4}"
        ".way{fill:none;stroke:#7d8a92;stroke-width:2.2}.out{fill:#d2382f;opacity:.2}"
        f"</style>{''.join(parts)}</svg>"
    )


def _lines(values: Any, times: list[datetime], x: Any, y: Any) -> list[str]:
    """Give the line in pieces, parted where the sensor gave nothing."""
    pieces: list[list[str]] = [[]]
    for at, value in zip(times, values, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{x(at):.1f},{y(float(value)):.1f}")
    return [f'<polyline class="way" points="{" ".join(one)}"/>' for one in pieces if one]
