"""A figure of what was found, over the picture it was found in."""

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from .nuclei import CountResult
from .picture import Picture
from .viability import ViabilityResult

MAX_SIDE_PX = 1500
"""Larger pictures are thinned for the figure; the result is not."""

_ALIVE, _DEAD, _RIM = "#1b9e77", "#d95f02", "#ffd92f"


def overlay_figure(picture: Picture, result: CountResult | ViabilityResult) -> Any:
    """Give a Plotly figure: the picture in grey, the rims of objects or the cells over it.

    Colours are told apart by the colour-blind, and living and dead cells also by their mark.

    Args:
        picture: The picture that was measured.
        result: What was found in it.
    """
    from plotly import graph_objects

    grey = picture.grey().astype(numpy.float32)
    step = max(1, -(-max(grey.shape) // MAX_SIDE_PX))
    low, high = numpy.percentile(grey, (0.5, 99.8))
    shown = numpy.clip((grey - low) / max(float(high - low), 1e-6), 0, 1)
    image = numpy.repeat((255 * shown[::step, ::step, None]).astype(numpy.uint8), 3, axis=2)
    match result:
        case CountResult():
            image[_rims(result.labels[0][::step, ::step])] = _colour(_RIM)
            marks: Sequence[Any] = ()
            title = f"{result.name}: {result.count} objects"
        case ViabilityResult():
            marks = [_cells(result, alive, step) for alive in (True, False)]
            title = f"{result.name}: {result.live} living, {result.dead} dead"
    figure = graph_objects.Figure(graph_objects.Image(z=image))
    for mark in marks:
        figure.add_trace(mark)
    figure.update_layout(title=title, margin={"l": 10, "r": 10, "t": 40, "b": 10})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def _rims(labels: NDArray[numpy.int32]) -> NDArray[numpy.bool_]:
    """Mark the pixels of an object that border on another or on the background."""
    rim = numpy.zeros(labels.shape, numpy.bool_)
    rim[1:] |= labels[1:] != labels[:-1]
    rim[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return rim


def _cells(result: ViabilityResult, alive: bool, step: int) -> Any:
    from plotly import graph_objects

    cells = [cell for cell in result.cells if cell.alive is alive]
    return graph_objects.Scatter(
        x=[cell.x / step for cell in cells],
        y=[cell.y / step for cell in cells],
        mode="markers",
        name="living" if alive else "dead",
        marker={
            "symbol": "circle-open" if alive else "x-thin-open",
            "size": 18,
            "color": _ALIVE if alive else _DEAD,
            "line": {"width": 2},
        },
    )


def _colour(name: str) -> list[int]:
    return [int(name[place : place + 2], 16) for place in (1, 3, 5)]
