"""Images: what a field of view gave, with its overlay as a picture."""

from pathlib import Path
from typing import Any

import cv2
import numpy

from anlage.base import Problem, Refused
from anlage.lab.image import (
    Clonality,
    ObjectClass,
    Picture,
    count_nuclei,
    count_on_carriers,
    follow_colonies,
    inspect_objects,
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
            *(
                Number(name=name, value=float(value), low=float(least), high=float(most))
                for name, value, (least, most) in (
                    ("live", result.live, result.live_interval),
                    ("dead", result.dead, result.dead_interval),
                )
            ),
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


def inspection(source: Source, tell: Tell) -> Found:
    """Tell cells, dead cells, debris and particles of a brightfield field apart."""
    picture = _read(source.path, tell)
    result = _judged(inspect_objects(picture))
    tell(0.9, "drawing the overlay")
    counts = {kind.value: float(result.count(kind)) for kind in ObjectClass}
    return Found(
        card=result.card,
        numbers=tuple(Number(name=name, value=value) for name, value in counts.items()),
        flags=tuple(result.flags),
        figures=(_overlay(picture, result, "Objects by class"),),
        details={
            "objects": [
                {"x": one.x, "y": one.y, "class": one.kind.value, "chance": one.chance}
                for one in result.objects
            ]
        },
    )


def microcarriers(source: Source, tell: Tell) -> Found:
    """Count the cells on each microcarrier of a fluorescence field."""
    picture = _read(source.path, tell)
    least, most = (source.setting(f"radius-px-{end}") or 0.0 for end in ("least", "most"))
    result = _judged(count_on_carriers(picture, radius_px=(least, most)))
    tell(0.9, "drawing the overlay")
    return Found(
        card=result.card,
        numbers=(
            Number(name="carriers", value=float(len(result.carriers))),
            Number(name="cells per carrier", value=result.cells_per_carrier),
            Number(name="occupied", value=result.occupied_percent, unit="%"),
            Number(name="cells apart", value=float(result.cells_apart)),
        ),
        flags=tuple(result.flags),
        figures=(_overlay(picture, result, "Carriers with their cells"),),
        details={
            "carriers": [
                {"x": one.x, "y": one.y, "radius_px": one.radius, "cells": one.cells}
                for one in result.carriers
            ],
            "occupied_percent_at_random": result.occupied_percent_at_random,
        },
    )


def colonies(source: Source, tell: Tell) -> Found:
    """Trace the colonies of a stack back to the cells of its first picture."""
    picture = _read(source.path, tell)
    if picture.frames == 1 and picture.depth_planes > 1:
        raise Refused(
            "image-axes-unknown",
            what=f"image {picture.name}",
            found=f"{picture.depth_planes} planes of depth",
            limit="pictures in the order of time",
            remedy="save the series with time as its axis (frames in ImageJ, T in OME-TIFF)",
        )
    moments = picture.moments()
    result = _judged(follow_colonies(moments))
    tell(0.9, "drawing the overlay")
    seen = [one.clonality for one in result.colonies]
    areas = [float(one.areas_px[-1]) for one in result.colonies]
    return Found(
        card=result.card,
        numbers=(
            Number(name="colonies", value=float(len(seen))),
            *(Number(name=kind.value, value=float(seen.count(kind))) for kind in Clonality),
            Number(name="largest colony", value=max(areas, default=None), unit="px"),
        ),
        figures=(_overlay(moments[-1], result, "Colonies and their founders"),),
        details={
            "colonies": [
                {
                    "x": one.x,
                    "y": one.y,
                    "clonality": one.clonality.value,
                    "founders": one.founders,
                    "areas_px": one.areas_px,
                    "form_factor": one.form_factor,
                }
                for one in result.colonies
            ]
        },
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
        colour = _bgr(trace.marker.color)
        words = trace.text or [""] * len(trace.x)
        for x, y, word in zip(trace.x, trace.y, words, strict=True):
            centre = (round((x + 0.5) * scale), round((y + 0.5) * scale))
            _mark(image, centre, trace.marker.symbol, colour, scale)
            if word:
                at = (centre[0] - 4 * len(word) * scale, max(centre[1] - 13 * scale, 12 * scale))
                font = cv2.FONT_HERSHEY_SIMPLEX
                cv2.putText(image, word, at, font, 0.45 * scale, colour, scale, cv2.LINE_AA)
    return _png(image, title)


_MARKS = {
    "x-thin-open": cv2.MARKER_TILTED_CROSS,
    "cross-thin-open": cv2.MARKER_CROSS,
    "triangle-up-open": cv2.MARKER_TRIANGLE_UP,
    "triangle-down": cv2.MARKER_TRIANGLE_DOWN,
    "square-open": cv2.MARKER_SQUARE,
    "diamond-open": cv2.MARKER_DIAMOND,
}


def _mark(
    image: Any, centre: tuple[int, int], symbol: str, colour: tuple[int, int, int], scale: int
) -> None:
    """Draw what the figure calls by a symbol's name."""
    if symbol == "circle-open":
        cv2.circle(image, centre, 9 * scale, colour, scale, cv2.LINE_AA)
    else:
        cv2.drawMarker(image, centre, colour, _MARKS[symbol], 14 * scale, scale)


def _bgr(name: str) -> tuple[int, int, int]:
    red, green, blue = (int(name[place : place + 2], 16) for place in (1, 3, 5))
    return blue, green, red


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
