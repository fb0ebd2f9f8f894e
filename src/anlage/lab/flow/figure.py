"""Figures of gated events: density, contour and overlay, the same in a page and in a notebook.

Each function gives a Plotly figure. Axes are in display positions with ticks at powers of ten.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy
from numpy.typing import NDArray

from .auto import scale_for
from .density import BINS, smooth
from .gate import FCS, Cells, Dimension, Ellipsoid, Gate, Polygon, Rectangle, Strategy
from .strategy import Gated, gate
from .transform import Transform

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Floats = NDArray[numpy.float64]
GRID: Final = 128
_INK: Final = ("#2563eb", "#c2410c", "#15803d", "#7c3aed", "#0e7490", "#be123c")


def density_figure(
    gated: Gated, x: Dimension, y: Dimension, *, within: str | None = None, bins: int = GRID
) -> "Figure":
    """Draw how densely events lie over two dimensions, with the gates drawn there.

    Args:
        gated: Gated events.
        x: Dimension across.
        y: Dimension up.
        within: Gate whose events are drawn; all events when None.
        bins: Cells per side, 8 to 1024.
    """
    import plotly.graph_objects as go

    columns, rows = _values(gated, (x, y), within)
    counts, across, up = _grid(columns, rows, min(max(bins, 8), 1024))
    shown = numpy.where(counts > 0, numpy.log10(counts + 1), numpy.nan)
    figure = go.Figure(
        go.Heatmap(
            x=across,
            y=up,
            z=shown.T,
            colorscale="Viridis",
            colorbar={"title": "log10(events + 1)"},
            customdata=counts.T,
            hovertemplate="%{customdata} events<extra></extra>",
        )
    )
    return _finished(figure, gated, x, y, within)


def contour_figure(
    gated: Gated, x: Dimension, y: Dimension, *, within: str | None = None
) -> "Figure":
    """Draw lines that hold 10, 30, 50, 70 and 90 % of the events over two dimensions.

    Args:
        gated: Gated events.
        x: Dimension across.
        y: Dimension up.
        within: Gate whose events are drawn; all events when None.
    """
    import plotly.graph_objects as go

    columns, rows = _values(gated, (x, y), within)
    counts, across, up = _grid(columns, rows, GRID)
    height = smooth(smooth(counts, 1.5).T, 1.5).T
    figure = go.Figure()
    for share in (0.9, 0.7, 0.5, 0.3, 0.1):
        level = _level(height, share)
        if level <= 0:
            continue
        figure.add_trace(
            go.Contour(
                x=across,
                y=up,
                z=height.T,
                contours={"start": level, "end": level, "size": 1, "coloring": "none"},
                line={"color": _INK[0], "width": 1.5},
                name=f"{share:.0%} of events",
                showscale=False,
                hoverinfo="name",
            )
        )
    return _finished(figure, gated, x, y, within)


def overlay_figure(
    samples: Mapping[str, Gated], x: Dimension, *, within: str | None = None
) -> "Figure":
    """Draw the distribution of one dimension in several samples, each scaled to its mode.

    Args:
        samples: Gated samples by the name to show.
        x: The dimension.
        within: Gate whose events are drawn; all events when None.
    """
    import plotly.graph_objects as go

    held = {name: _values(gated, (x,), within)[0] for name, gated in samples.items()}
    finite = [values for values in held.values() if len(values)]
    low = min((float(numpy.quantile(values, 0.0005)) for values in finite), default=0.0)
    high = max((float(numpy.quantile(values, 0.9995)) for values in finite), default=1.0)
    edges = numpy.linspace(low, high if high > low else low + 1.0, BINS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    for place, (name, values) in enumerate(held.items()):
        height = smooth(numpy.histogram(values, edges)[0].astype(float), 4.0)
        top = float(height.max())
        figure.add_trace(
            go.Scatter(
                x=centres,
                y=100 * height / top if top > 0 else height,
                name=f"{name} ({len(values):,})",
                mode="lines",
                fill="tozeroy",
                line={"color": _INK[place % len(_INK)], "width": 2},
                opacity=0.7,
            )
        )
    figure.update_yaxes(title="% of mode", rangemode="tozero")
    first = next(iter(samples.values()), None)
    if first is not None:
        _axis(figure, "x", first, x, edges[0], edges[-1])
    figure.update_layout(template="plotly_white", title=within or "All events")
    return figure


def axes_of(
    gated: Gated, channels: Sequence[str]
) -> tuple[tuple[Dimension, ...], dict[str, Transform]]:
    """Choose how to draw channels: as the gates on them are drawn, else on a scale of their own.

    Args:
        gated: Gated events.
        channels: Short names or markers.

    Returns:
        A dimension per channel, and the strategy's scales with those that were added.

    Raises:
        Refused: The sample has no such channel.
    """
    scales = dict(gated.strategy.scales)
    axes = []
    for name in channels:
        channel = gated.sample.channel(name)
        used = (
            d for made in gated.strategy.gates.values() for d in getattr(made, "dimensions", ())
        )
        drawn = next((d for d in used if d.channel == channel.name and not d.is_ratio), None)
        if drawn is None:
            plain = Dimension(channel.name, FCS)
            is_linear = channel.name.upper().startswith(("FSC", "SSC", "TIME"))
            drawn = plain if is_linear else Dimension(channel.name, FCS, f"axis {channel.name}")
            if not is_linear:
                signal = gate(gated.sample, Strategy(), keep=(plain,)).values[0]
                scales[f"axis {channel.name}"] = scale_for(signal, channel)
        axes.append(drawn)
    return tuple(axes), scales


def _values(gated: Gated, wanted: tuple[Dimension, ...], within: str | None) -> list[Floats]:
    """Give finite values of some dimensions inside a gate, reading them if they were not kept."""
    held_already = all(dimension in gated.dimensions for dimension in wanted)
    source = gated if held_already else gate(gated.sample, gated.strategy, keep=wanted)
    rows = [source.of(dimension) for dimension in wanted]
    held = numpy.ones(gated.sample.event_count, numpy.bool_)
    if within is not None:
        held &= gated.membership[within]
    for row in rows:
        held &= numpy.isfinite(row)
    return [row[held] for row in rows]


def _grid(columns: Floats, rows: Floats, bins: int) -> tuple[Floats, Floats, Floats]:
    spans = []
    for values in (columns, rows):
        low, high = (0.0, 1.0) if not len(values) else numpy.quantile(values, (0.0005, 0.9995))
        spans.append((float(low), float(high) if high > low else float(low) + 1.0))
    counts, across, up = numpy.histogram2d(columns, rows, bins=bins, range=spans)
    return counts, (across[:-1] + across[1:]) / 2, (up[:-1] + up[1:]) / 2


def _level(height: Floats, share: float) -> float:
    """Give the density above which the share of all events lies."""
    ordered = numpy.sort(height.ravel())[::-1]
    total = float(ordered.sum())
    if total <= 0:
        return 0.0
    place = int(numpy.searchsorted(numpy.cumsum(ordered), share * total))
    return float(ordered[min(place, len(ordered) - 1)])


def _finished(
    figure: "Figure", gated: Gated, x: Dimension, y: Dimension, within: str | None
) -> "Figure":
    for made in gated.strategy.gates.values():
        if made.parent == within:
            _outline(figure, made, x, y)
    for letter, dimension in (("x", x), ("y", y)):
        values = _values(gated, (dimension,), within)[0]
        low, high = (0.0, 1.0) if not len(values) else numpy.quantile(values, (0.0005, 0.9995))
        _axis(figure, letter, gated, dimension, float(low), float(high))
    figure.update_layout(template="plotly_white", title=within or "All events", showlegend=False)
    return figure


def _axis(
    figure: "Figure", letter: str, gated: Gated, dimension: Dimension, low: float, high: float
) -> None:
    marker = next(
        (c.marker for c in gated.sample.channels if c.name == dimension.channel and c.marker), None
    )
    title = f"{marker} ({dimension.channel})" if marker else dimension.channel
    ticks: dict[str, object] = {}
    if dimension.scale is not None:
        scale: Transform = gated.strategy.scales[dimension.scale]
        signals = numpy.array([0.0] + [s * 10.0**d for d in range(2, 8) for s in (-1, 1)])
        places = scale.apply(signals)
        shown = [
            (float(place), _told(signal))
            for place, signal in zip(places, signals, strict=True)
            if low <= place <= high
        ]
        ticks = {"tickvals": [p for p, _ in shown], "ticktext": [t for _, t in shown]}
    update = figure.update_xaxes if letter == "x" else figure.update_yaxes
    # Gates may reach without end: the axis shows where the events are.
    margin = 0.03 * (high - low)
    update(title=title, range=[low - margin, high + margin], **ticks)


def _told(signal: float) -> str:
    if signal == 0:
        return "0"
    power = round(float(numpy.log10(abs(signal))))
    return f"{'-' if signal < 0 else ''}10<sup>{power}</sup>"


def _outline(figure: "Figure", made: Gate, x: Dimension, y: Dimension) -> None:
    import plotly.graph_objects as go

    points = _corners(made, x, y)
    if points is None:
        return
    figure.add_trace(
        go.Scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="lines",
            line={"color": _INK[1], "width": 2},
            name=made.id,
            hoverinfo="name",
        )
    )


def _corners(made: Gate, x: Dimension, y: Dimension) -> Floats | None:
    """Give the closed outline of a gate on these two dimensions; None when it has none there."""
    axes = tuple(getattr(made, "dimensions", ()))
    if set(axes) != {x, y} or len(axes) != 2:
        return None
    match made:
        case Polygon():
            points = numpy.array([*made.vertices, made.vertices[0]], float)
        case Ellipsoid():
            turn = numpy.linspace(0, 2 * numpy.pi, 90)
            circle = numpy.stack([numpy.cos(turn), numpy.sin(turn)])
            values, vectors = numpy.linalg.eigh(numpy.array(made.covariance))
            if numpy.any(values <= 0):
                return None
            root = vectors @ numpy.diag(numpy.sqrt(values * made.distance_square))
            points = (root @ circle).T + numpy.array(made.centre)
        case Rectangle() | Cells():
            (x0, x1), (y0, y1) = made.sides
            far = 10.0
            a, b = (-far if x0 is None else x0), (far if x1 is None else x1)
            c, d = (-far if y0 is None else y0), (far if y1 is None else y1)
            points = numpy.array([[a, c], [b, c], [b, d], [a, d], [a, c]])
        case _:
            return None
    return points if axes == (x, y) else points[:, ::-1]
