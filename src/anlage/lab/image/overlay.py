"""A figure of what was found, over the picture it was found in; one for every method."""

from collections.abc import Sequence
from typing import Any, assert_never

import cv2
import numpy
from numpy.typing import NDArray

from .activation import ActivationResult
from .carrier import CarrierResult
from .colony import Clonality, ColonyResult
from .confluence import ConfluenceResult
from .inspection import InspectionResult, ObjectClass
from .nuclei import CountResult
from .picture import Picture
from .viability import ViabilityResult

MAX_SIDE_PX = 1500
"""Larger pictures are made smaller for the figure; the result is not."""

LEAST_SIDE_PX = 240
"""Smaller pictures are made larger, so that a crop of one cell can be seen."""

Result = (
    CountResult
    | ViabilityResult
    | ActivationResult
    | ConfluenceResult
    | InspectionResult
    | ColonyResult
    | CarrierResult
)
"""What a method gives of a picture."""

# Colours are told apart by the colour-blind (Okabe and Ito); every kind has its own mark as well.
_GREEN, _ORANGE, _YELLOW, _BLUE, _GREY = "#009e73", "#d55e00", "#f0e442", "#56b4e9", "#bbbbbb"
_MARKS = {
    ObjectClass.CELL: ("circle-open", _GREEN),
    ObjectClass.DEAD: ("x-thin-open", _ORANGE),
    ObjectClass.DEBRIS: ("triangle-up-open", _BLUE),
    ObjectClass.PARTICULATE: ("square-open", _YELLOW),
    ObjectClass.REFUSED: ("diamond-open", _GREY),
}
_COLONY_MARKS = {
    Clonality.CLONAL: _GREEN,
    Clonality.MIXED: _ORANGE,
    Clonality.UNKNOWN: _GREY,
}


def overlay_figure(picture: Picture, result: Result) -> Any:
    """Give a Plotly figure: the picture in grey, what was found over it, the numbers above it.

    Args:
        picture: The picture that was measured; of a series of colonies the last one.
        result: What was found in it.
    """
    from plotly import graph_objects

    grey = picture.grey()
    times = _scale(grey)
    image = _shown(grey, times)
    marks: Sequence[Any] = ()
    match result:
        case CountResult():
            _paint(image, _rims(_resized(result.labels[0], image)), _YELLOW)
            title = f"{result.name}: {result.count} objects"
        case ViabilityResult():
            marks = [_cells(result, alive, times) for alive in (True, False)]
            title = f"{result.name}: {result.live} living, {result.dead} dead"
            if result.interval is not None:
                low, high = result.interval
                title += f", viability {result.viability_percent:.0f} % ({low:.0f} to {high:.0f} %)"
        case ActivationResult():
            title = f"{result.name}: activation score {result.score:.2f}"
        case ConfluenceResult():
            covered = _resized(result.covered.astype(numpy.int32), image)
            image[covered > 0] = _mixed(image[covered > 0], _BLUE)
            _paint(image, _rims(covered), _BLUE)
            title = f"{result.name}: {result.confluence_percent:.1f} % covered"
        case InspectionResult():
            marks = [_objects(result, kind, times) for kind in ObjectClass if result.count(kind)]
            counts = [f"{result.count(kind)} {kind.value}" for kind in ObjectClass]
            title = f"{result.name}: {', '.join(counts)}"
        case ColonyResult():
            for one in result.colonies:
                reach = float(numpy.sqrt(one.areas_px[-1] / numpy.pi)) * 1.25
                _ring(image, (one.x, one.y, reach), times, _COLONY_MARKS[one.clonality])
            marks = _colonies(result, times)
            title = f"{result.names[-1]}: {len(result.colonies)} colonies"
        case CarrierResult():
            for carrier in result.carriers:
                _ring(image, (carrier.x, carrier.y, carrier.radius), times, _BLUE)
            marks = [_carriers(result, times)]
            held = sum(one.cells for one in result.carriers)
            title = f"{result.name}: {held} cells on {len(result.carriers)} carriers"
        case _:
            assert_never(result)
    figure = graph_objects.Figure(graph_objects.Image(z=image))
    for mark in marks:
        figure.add_trace(mark)
    figure.update_layout(
        title={"text": title, "font": {"size": 14}},
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        legend={"orientation": "h", "y": 0},
        modebar={"orientation": "v"},
        showlegend=bool(marks),
    )
    height, width = image.shape[:2]
    # A mark at the rim does not widen the figure beyond the picture.
    figure.update_xaxes(visible=False, range=[-0.5, width - 0.5])
    figure.update_yaxes(visible=False, range=[height - 0.5, -0.5])
    return figure


def _scale(grey: NDArray[Any]) -> float:
    longest = int(max(grey.shape))
    if longest > MAX_SIDE_PX:
        return MAX_SIDE_PX / longest
    return max(1.0, float(round(LEAST_SIDE_PX / longest)))


def _shown(grey: NDArray[Any], times: float) -> NDArray[numpy.uint8]:
    values = grey.astype(numpy.float32)
    low, high = numpy.percentile(values, (0.5, 99.8))
    between = numpy.clip((values - low) / max(float(high - low), 1e-6), 0, 1)
    height, width = grey.shape
    size = (max(1, round(width * times)), max(1, round(height * times)))
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_NEAREST
    plane = (255 * cv2.resize(between, size, interpolation=how)).astype(numpy.uint8)
    return numpy.repeat(plane[..., None], 3, axis=2)


def _resized(labels: NDArray[numpy.int32], image: NDArray[numpy.uint8]) -> NDArray[numpy.int32]:
    height, width = image.shape[:2]
    ys = (numpy.arange(height) * labels.shape[0]) // height
    xs = (numpy.arange(width) * labels.shape[1]) // width
    seen: NDArray[numpy.int32] = labels[ys[:, None], xs[None]]
    return seen


def _rims(labels: NDArray[numpy.int32]) -> NDArray[numpy.bool_]:
    """Mark the pixels of an object that border on another or on the background."""
    rim = numpy.zeros(labels.shape, numpy.bool_)
    rim[1:] |= labels[1:] != labels[:-1]
    rim[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return rim


def _paint(image: NDArray[numpy.uint8], where: NDArray[numpy.bool_], colour: str) -> None:
    image[where] = _rgb(colour)


def _mixed(part: NDArray[numpy.uint8], colour: str) -> NDArray[numpy.uint8]:
    return (0.75 * part + 0.25 * numpy.array(_rgb(colour))).astype(numpy.uint8)


def _scatter(
    xs: list[float], ys: list[float], *, name: str, symbol: str, colour: str, text: Any = None
) -> Any:
    from plotly import graph_objects

    return graph_objects.Scatter(
        x=xs,
        y=ys,
        mode="markers" if text is None else "markers+text",
        name=name,
        text=text,
        textfont={"color": colour, "size": 14},
        textposition="top center",
        marker={"symbol": symbol, "size": 18, "color": colour, "line": {"width": 2}},
    )


def _cells(result: ViabilityResult, alive: bool, times: float) -> Any:
    cells = [cell for cell in result.cells if cell.alive is alive]
    symbol, colour = _MARKS[ObjectClass.CELL if alive else ObjectClass.DEAD]
    return _scatter(
        [cell.x * times for cell in cells],
        [cell.y * times for cell in cells],
        name="living" if alive else "dead",
        symbol=symbol,
        colour=colour,
    )


def _objects(result: InspectionResult, kind: ObjectClass, times: float) -> Any:
    objects = [one for one in result.objects if one.kind is kind]
    symbol, colour = _MARKS[kind]
    return _scatter(
        [one.x * times for one in objects],
        [one.y * times for one in objects],
        name=kind.value,
        symbol=symbol,
        colour=colour,
    )


def _colonies(result: ColonyResult, times: float) -> list[Any]:
    """Give the clonality and area of each colony above its ring, and a cross for each founder."""
    marks = []
    for clonality, colour in _COLONY_MARKS.items():
        colonies = [one for one in result.colonies if one.clonality is clonality]
        if colonies:
            tops = [
                one.y - 1.3 * float(numpy.sqrt(one.areas_px[-1] / numpy.pi)) for one in colonies
            ]
            marks.append(
                _scatter(
                    [one.x * times for one in colonies],
                    [max(top * times, 0.0) for top in tops],
                    name=clonality.value,
                    symbol="triangle-down",
                    colour=colour,
                    text=[f"{clonality.value}, {one.areas_px[-1]} px" for one in colonies],
                )
            )
    founders = [place for one in result.colonies for place in one.founders]
    if founders:
        marks.append(
            _scatter(
                [x * times for x, _ in founders],
                [y * times for _, y in founders],
                name="founder, first picture",
                symbol="cross-thin-open",
                colour=_YELLOW,
            )
        )
    return marks


def _ring(
    image: NDArray[numpy.uint8], circle: tuple[float, float, float], times: float, colour: str
) -> None:
    x, y, radius = (one * times for one in circle)
    cv2.circle(image, (round(x), round(y)), max(1, round(radius)), _rgb(colour), 2)


def _carriers(result: CarrierResult, times: float) -> Any:
    return _scatter(
        [one.x * times for one in result.carriers],
        [one.y * times for one in result.carriers],
        name="carrier, with its cells",
        symbol="cross-thin-open",
        colour=_YELLOW,
        text=[str(one.cells) for one in result.carriers],
    )


def _rgb(name: str) -> list[int]:
    return [int(name[place : place + 2], 16) for place in (1, 3, 5)]
