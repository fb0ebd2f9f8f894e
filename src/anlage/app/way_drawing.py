"""The figure of a way: temperature over time with the product's limits and every excursion shaded.

A plain Plotly figure (data and layout), the same for a page and for a notebook:
`plotly.graph_objects.Figure(figure_of(...))`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from anlage.custody import ExcursionRule, Reading
from anlage.custody.transport import ConditionLogged, Sample

POINTS_MAX = 2000
LINE, OUTSIDE, LIMIT = "#7d8a92", "#b8261f", "#8a5a00"
BESIDE = (("tilt", "tilt, degrees"), ("shock", "shock, g"), ("light", "light, lux"))


def figure_of(
    readings: Sequence[Reading],
    rule: ExcursionRule,
    logged: ConditionLogged,
    samples: Sequence[Sample] = (),
) -> dict[str, Any]:
    """Give the figure of one record.

    Args:
        readings: Temperatures in order of time; thinned to what can be seen, extremes kept.
        rule: The rule that judged them; each limit of its bands is a line.
        logged: What was recorded of it; its excursions are shaded.
        samples: Telemetry, for a second axis of tilt, shock and light.
    """
    shown = thinned(readings)
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "temperature",
            "x": [one.at.isoformat() for one in shown],
            "y": [one.celsius for one in shown],
            "line": {"color": LINE, "width": 2},
            "connectgaps": False,
            "hovertemplate": "%{y:.2f} °C<br>%{x}<extra></extra>",
        }
    ]
    for name, title in BESIDE:
        values = [(one.at, getattr(one, name)) for one in samples if getattr(one, name) is not None]
        if values:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": title,
                    "yaxis": "y2",
                    "visible": "legendonly",
                    "x": [at.isoformat() for at, _ in values],
                    "y": [value for _, value in values],
                    "line": {"width": 1},
                }
            )
    layout = {
        "xaxis": {"title": {"text": "time, UTC"}},
        "yaxis": {"title": {"text": "temperature, °C"}},
        "yaxis2": {"overlaying": "y", "side": "right", "visible": False},
        "showlegend": len(data) > 1,
        "legend": {"orientation": "h", "y": 1.12},
        "shapes": [*_limits(rule), *_shades(logged)],
        "annotations": _words(rule),
    }
    return {"data": data, "layout": layout}


def thinned(readings: Sequence[Reading], most: int = POINTS_MAX) -> list[Reading]:
    """Give at most so many readings; of each stretch its coldest and its warmest are kept."""
    if len(readings) <= most:
        return list(readings)
    stretch = -(-len(readings) * 2 // most)
    found: list[Reading] = []
    for start in range(0, len(readings), stretch):
        part = readings[start : start + stretch]
        known = [one for one in part if one.celsius is not None]
        lost = [one for one in part if one.celsius is None][:1]
        ends = {min(known, key=_celsius), max(known, key=_celsius)} if known else set()
        found += sorted([*ends, *lost], key=lambda one: one.at)
    return found


def _celsius(reading: Reading) -> float:
    return reading.celsius if reading.celsius is not None else 0.0


def _edges(rule: ExcursionRule) -> list[tuple[float, str, bool]]:
    """Give each limit of a rule once: where, what it means, whether it is the labelled range."""
    found: dict[float, tuple[str, bool]] = {}
    for number, band in enumerate(rule.bands):
        for limit, word in ((band.low, "at least"), (band.high, "at most")):
            if limit is not None and limit not in found:
                found[limit] = (f"{word} {limit:g} °C", number == 0)
    return [(limit, word, is_label) for limit, (word, is_label) in found.items()]


def _limits(rule: ExcursionRule) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": limit,
            "y1": limit,
            "line": {
                "color": LIMIT if is_label else OUTSIDE,
                "width": 1.5,
                "dash": "dash" if is_label else "dot",
            },
        }
        for limit, _, is_label in _edges(rule)
    ]


def _shades(logged: ConditionLogged) -> list[dict[str, Any]]:
    return [
        {
            "type": "rect",
            "yref": "paper",
            "x0": _text(one.start),
            "x1": _text(one.end),
            "y0": 0,
            "y1": 1,
            "fillcolor": OUTSIDE,
            "opacity": 0.14,
            "line": {"width": 0},
            "layer": "below",
        }
        for one in logged.excursions
    ]


def _words(rule: ExcursionRule) -> list[dict[str, Any]]:
    return [
        {
            "xref": "paper",
            "x": 1,
            "xanchor": "right",
            "y": limit,
            "yanchor": "bottom",
            "text": word,
            "showarrow": False,
        }
        for limit, word, _ in _edges(rule)
    ]


def _text(at: datetime) -> str:
    return at.isoformat()
