"""The results of a method over time: in control or not, and the figure of it.

Limits come from the results before the newest ones, so that a drift does not widen the limits that
it is judged by. Signals are Nelson's (1984, doi:10.1080/00224065.1984.11978921) and an EWMA.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from anlage.base import Refused

from .spc import Chart, Limits, Signal, ewma, nelson, out_of_trend

BASE_MIN: Final = 8
"""Results that limits are estimated from at least; below that a trend is shown without limits."""
BASE_MAX: Final = 30
WEIGHT: Final = 0.2
WIDTH: Final = 2.86


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A method's results over time.

    Attributes:
        values: In order.
        labels: What each is (lot, sample).
        limits: Mean and standard deviation in control; None with too few results.
        signals: Nelson's rules that were met.
        average: The EWMA; None without limits.
        outside: Places (from 1) outside the prediction interval of a line through the results
            before them: out of trend.
        base: How many results the limits rest on.
    """

    values: tuple[float, ...]
    labels: tuple[str, ...]
    limits: Limits | None
    signals: tuple[Signal, ...]
    average: Chart | None
    outside: tuple[int, ...]
    base: int

    @property
    def is_in_control(self) -> bool | None:
        """True without any signal; None where there are too few results to tell."""
        if self.limits is None:
            return None
        return not self.signals and not (self.average and self.average.beyond) and not self.outside


def trend_of(values: Sequence[float], labels: Sequence[str], *, base: int | None = None) -> Trend:
    """Judge the results of a method in the order they were made.

    Args:
        values: The results.
        labels: What each is.
        base: How many of the first results the limits rest on; by default up to 30.
    """
    count = min(len(values), BASE_MAX if base is None else base)
    bare = Trend(
        values=tuple(values), labels=tuple(labels), limits=None, signals=(), average=None,
        outside=(), base=count,
    )  # fmt: skip
    if count < BASE_MIN:
        return bare
    try:
        limits = Limits.from_individuals(values[:count])
    except Refused:  # all alike: nothing varies, so there is nothing to be out of
        return bare
    return Trend(
        values=bare.values,
        labels=bare.labels,
        limits=limits,
        signals=tuple(nelson(limits.z(values))),
        average=ewma(values, limits, weight=WEIGHT, width=WIDTH),
        outside=_out_of_trend(values),
        base=count,
    )


def _out_of_trend(values: Sequence[float]) -> tuple[int, ...]:
    """Give the places that lie outside what the results before them foretell (99 %)."""
    places = np.arange(1, len(values) + 1, dtype=float)
    found = []
    for at in range(BASE_MIN, len(values)):
        history = (places[:at].tolist(), list(values[:at]))
        if np.ptp(history[1]) == 0:
            continue
        new = ([float(places[at])], [values[at]])
        if out_of_trend(history, new, confidence=0.99)[0].is_out:
            found.append(at + 1)
    return tuple(found)


def trend_figure(
    trend: Trend,
    *,
    name: str,
    unit: str,
    lower: float | None = None,
    upper: float | None = None,
) -> Any:
    """Draw a Levey-Jennings chart with its EWMA and the limits of the specification.

    Args:
        trend: What `trend_of` gave.
        name: What is measured.
        unit: Its unit.
        lower: Lower limit of the specification; None for none.
        upper: Upper limit.
    """
    import plotly.graph_objects as go

    places = list(range(1, len(trend.values) + 1))
    flagged = {one.point for one in trend.signals} | set(trend.outside)
    figure = go.Figure()
    if trend.limits is not None:
        for width in (1, 2, 3):
            for sign in (-1, 1):
                level = trend.limits.mean + sign * width * trend.limits.sd
                dash = "solid" if width == 3 else "dot"
                figure.add_hline(y=level, line={"width": 1, "dash": dash, "color": "#9aa5ac"},
                                 annotation_text=f"{'+' if sign > 0 else '−'}{width} s",
                                 annotation_position="right")  # fmt: skip
        figure.add_hline(y=trend.limits.mean, line={"width": 1.5, "color": "#7b878f"})
    for limit, word in ((lower, "at least"), (upper, "at most")):
        if limit is not None:
            figure.add_hline(y=limit, line={"width": 2, "dash": "dash", "color": "#c2410c"},
                             annotation_text=f"{word} {limit:g}",
                             annotation_position="top left")  # fmt: skip
    figure.add_trace(
        go.Scatter(x=places, y=list(trend.values), mode="lines+markers", name="result",
                   text=list(trend.labels), hovertemplate="%{text}<br>%{y}<extra></extra>",
                   line={"color": "#7b878f", "width": 1.5},
                   marker={"size": [12 if p in flagged else 8 for p in places],
                           "symbol": ["square" if p in flagged else "circle" for p in places],
                           "color": ["#be123c" if p in flagged else "#2563eb" for p in places]})
    )  # fmt: skip
    if trend.average is not None:
        figure.add_trace(
            go.Scatter(x=places, y=list(trend.average.values), mode="lines", name="EWMA",
                       line={"color": "#0e7490", "width": 2}, hoverinfo="skip")
        )  # fmt: skip
    figure.update_xaxes(title="result, in order", dtick=max(1, len(places) // 12))
    figure.update_yaxes(title=f"{name}, {unit}" if unit and unit != "1" else name)
    figure.update_layout(template="plotly_white", legend={"orientation": "h", "y": 1.12})
    return figure
