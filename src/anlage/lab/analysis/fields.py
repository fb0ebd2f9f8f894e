"""Images: what a field of view gave, with its overlay as a picture."""

from pathlib import Path
from typing import Any

import cv2
import numpy

from anlage.base import Problem, Refused
from anlage.lab.image import (
    Picture,
    count_nuclei,
    judge_activation,
    judge_viability,
    measure_confluence,
    overlay_figure,
    read_picture,
)

from .found import Figure, Found, Number, Source, Tell

SIDE_MAX = 1200


def count(source: Source, tell: Tell) -> Found:
    """Count the nuclei of a fluorescence field."""
    picture = _read(source.path, tell)
    result = _judged(count_nuclei(picture))
    tell(0.9, "drawing the overlay")
    return Found(
        card=result.card,
        numbers=(Number(name="count", value=float(result.count)),),
        flags=tuple(result.flags),
        figures=(_overlay(picture, result, "Nuclei found"),),
    )


def viability(source: Source, tell: Tell) -> Found:
    """Count living and dead cells of a chamber image."""
    picture = _read(source.path, tell)
    result = _judged(judge_viability(picture))
    tell(0.9, "drawing the overlay")
    low, high = result.interval or (None, None)
    return Found(
        card=result.card,
        numbers=(
            Number(name="viability", value=result.viability_percent, unit="%", low=low, high=high),
            Number(name="live", value=float(result.live)),
            Number(name="dead", value=float(result.dead)),
        ),
        flags=tuple(result.flags),
        figures=(_overlay(picture, result, "Living (ring) and dead (cross) cells"),),
    )


def activation(source: Source, tell: Tell) -> Found:
    """Score how activated the T cell of a crop looks."""
    picture = _read(source.path, tell)
    result = _judged(judge_activation(picture))
    return Found(
        card=result.card,
        numbers=(Number(name="activated", value=100 * result.score, unit="%"),),
        flags=tuple(result.flags),
        figures=(_plain(picture, "The crop"),),
    )


def confluence(source: Source, tell: Tell) -> Found:
    """Measure how much of a phase-contrast field cells cover."""
    picture = _read(source.path, tell)
    result = _judged(measure_confluence(picture))
    return Found(
        card=result.card,
        numbers=(Number(name="confluence", value=result.confluence_percent, unit="%"),),
        flags=tuple(result.flags),
        figures=(_plain(picture, "The field"),),
    )


def _read(path: Path, tell: Tell) -> Picture:
    tell(0.1, "reading the picture")
    picture = read_picture(path)
    tell(0.3, "judging the picture")
    return picture


def _judged(result: Any) -> Any:
    """Give the result, or refuse with the reason that the picture cannot be judged for."""
    if isinstance(result, Problem):
        raise Refused.of([result])
    return result


def _overlay(picture: Picture, result: Any, title: str) -> Figure:
    """Draw the notebook's overlay figure as a picture, which pages show without a script."""
    figure = overlay_figure(picture, result)
    image = numpy.ascontiguousarray(numpy.asarray(figure.data[0].z, numpy.uint8)[..., ::-1])
    scale = max(1, min(4, SIDE_MAX // max(image.shape[:2])))
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    for trace in figure.data[1:]:
        is_ring = trace.name == "living"
        colour = (119, 158, 27) if is_ring else (2, 95, 217)
        for x, y in zip(trace.x, trace.y, strict=True):
            centre = (round((x + 0.5) * scale), round((y + 0.5) * scale))
            if is_ring:
                cv2.circle(image, centre, 9 * scale, colour, max(1, scale), cv2.LINE_AA)
            else:
                size = 14 * scale
                cv2.drawMarker(image, centre, colour, cv2.MARKER_TILTED_CROSS, size, max(1, scale))
    return _png(image, title)


def _plain(picture: Picture, title: str) -> Figure:
    grey = picture.grey().astype(numpy.float32)
    low, high = numpy.percentile(grey, (0.5, 99.8))
    shown = numpy.clip(255 * (grey - low) / max(float(high - low), 1e-6), 0, 255)
    scale = max(1, min(8, 480 // max(shown.shape)))
    image = cv2.resize(
        shown.astype(numpy.uint8), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST
    )
    return _png(image, title)


def _png(image: Any, title: str) -> Figure:
    side = max(image.shape[:2])
    if side > SIDE_MAX:
        factor = SIDE_MAX / side
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return Figure(
        title=title, data=cv2.imencode(".png", image)[1].tobytes(), media_type="image/png"
    )
