"""A small line chart as inline SVG: readings over time with their limits, for pages and paper.

Grey lines, colour only for points outside a limit; shapes tell the same as colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import escape

from django.utils.safestring import SafeString, mark_safe

from anlage.base import Instant

WIDTH, HEIGHT = 560, 200
LEFT, RIGHT, TOP, BOTTOM = 84, 12, 12, 30
TICKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One reading: when, how much, and how it stands to its limits (plain, warning or hard)."""

    at: Instant
    value: Decimal
    judgement: str = "plain"


def line_chart(
    points: Sequence[Point],
    *,
    name: str,
    unit: str,
    lower: Decimal | None = None,
    upper: Decimal | None = None,
) -> SafeString:
    """Give the chart of one parameter.

    Args:
        points: At least one, in order of time.
        name: What is measured.
        unit: Its unit of measure.
        lower: The lower hard limit; None for none.
        upper: The upper hard limit; None for none.
    """
    values = [float(one.value) for one in points]
    limits = [float(one) for one in (lower, upper) if one is not None]
    low, high = min([*values, *limits]), max([*values, *limits])
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = low - margin if low - margin >= 0 or low < 0 else 0.0, high + margin
    first, last = points[0].at, points[-1].at
    length = (last - first) or timedelta(hours=1)

    def x(at: Instant) -> float:
        return LEFT + (at - first) / length * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [_ticks(low, high), _axis(first, last)]
    for limit, word in ((lower, "at least"), (upper, "at most")):
        if limit is not None:
            at = y(float(limit))
            parts.append(
                f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}"'
                f' y1="{at:.1f}" y2="{at:.1f}"/>'
                f'<text class="word" x="{WIDTH - RIGHT}" y="{at - 4:.1f}" text-anchor="end">'
                f"{word} {_short(float(limit))}</text>"
            )
    way = " ".join(f"{x(one.at):.1f},{y(float(one.value)):.1f}" for one in points)
    parts.append(f'<polyline class="way" points="{way}"/>')
    parts += [_mark(x(one.at), y(float(one.value)), one) for one in points]
    told = escape(f"{name}, {unit}: " + ", ".join(f"{one.value:f}" for one in points))
    text = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">'
        f"<title>{told}</title>{''.join(parts)}</svg>"
    )
    return mark_safe(text)  # every text in it is a number, a date, or escaped


def _mark(x: float, y: float, point: Point) -> str:
    title = f"<title>{point.value:f} {point.at:%Y-%m-%d %H:%M} UTC</title>"
    if point.judgement == "hard":
        corner = f'x="{x - 5:.1f}" y="{y - 5:.1f}"'
        return f'<rect class="hard" {corner} width="10" height="10">{title}</rect>'
    if point.judgement == "warning":
        corners = f"{x:.1f},{y - 6:.1f} {x + 6:.1f},{y + 5:.1f} {x - 6:.1f},{y + 5:.1f}"
        return f'<polygon class="warning" points="{corners}">{title}</polygon>'
    return f'<circle class="plain" cx="{x:.1f}" cy="{y:.1f}" r="4">{title}</circle>'


def _ticks(low: float, high: float) -> str:
    parts = []
    for step in range(TICKS + 1):
        value = low + (high - low) * step / TICKS
        at = TOP + (HEIGHT - TOP - BOTTOM) * (1 - step / TICKS)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        )
    return "".join(parts)


def _axis(first: Instant, last: Instant) -> str:
    at = HEIGHT - 10
    return (
        f'<text x="{LEFT}" y="{at}">{first:%m-%d %H:%M}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{at}" text-anchor="end">{last:%m-%d %H:%M}</text>'
    )


def _short(value: float) -> str:
    """Give a number for an axis: three digits, powers of ten from 100 000 on."""
    if abs(value) < 100_000:
        return f"{value:.3g}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits}×10" + str(int(power)).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
