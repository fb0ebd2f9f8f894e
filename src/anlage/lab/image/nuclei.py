"""Count and outline nuclei or cells in a fluorescence field.

The network gives, per pixel, a logit of being inside and a depth; basins of the depth become
objects (see basin.py). Large fields run in overlapping tiles, the maps are joined before the
basins, so that no object is cut by a tile.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard
from .basin import basins
from .domain import Kind, domain, judge
from .grey import spread
from .model import method_card, run
from .picture import Picture
from .quality import fault, weaknesses
from .trait import traits

TILE_PX = 1024
MARGIN_PX = 64
STRIDE_PX = 16
"""The network halves the plane four times."""

PERSISTENCE = 0.2
LEAST_AREA_PX = 12
DNA_WORDS = ("dapi", "hoechst", "dna", "nuc", "draq", "syto", "7-aad", "7aad", "sytox")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountResult:
    """The objects of one picture.

    Attributes:
        name: Name of the picture.
        count: Objects in the first frame.
        counts: Objects per frame.
        labels: Label image per frame, 0 is background, shape (frame, y, x).
        flags: What a reader of the number should know.
        area_px_median: Median area of the objects of the first frame, px; None without any.
        per_mm2: Objects per square millimetre; None without a pixel size.
        per_ml: Concentration in the chamber, 1/mL; None without pixel size and depth.
        card: What the method may be used for.
    """

    name: str
    count: int
    counts: tuple[int, ...]
    labels: NDArray[numpy.int32]
    flags: tuple[str, ...]
    area_px_median: float | None
    per_mm2: float | None
    per_ml: float | None
    card: MethodCard


def count_nuclei(
    picture: Picture,
    *,
    channel: int | None = None,
    chamber_depth_um: float | None = None,
    dilution: float = 1.0,
) -> CountResult | Problem:
    """Count the nuclei or cells of a fluorescence picture.

    Args:
        picture: What was read.
        channel: Channel that holds the nuclei; by default the one named after a DNA stain,
            else the first.
        chamber_depth_um: Depth of the counting chamber, for a concentration.
        dilution: How often the sample was diluted before it entered the chamber, >= 1.

    Returns:
        The result, or the reason why the picture cannot be judged.
    """
    if channel is None and not picture.colour:
        channel = picture.channel_named(*DNA_WORDS)
    planes, flags = [], weaknesses(picture, channel=channel)
    for frame in range(picture.frames):
        if (problem := fault(picture, frame=frame, channel=channel)) is not None:
            return problem
        problem = judge(
            picture,
            traits(picture, frame=frame, channel=channel),
            wanted=(Kind.FLUORESCENCE,),
            trained=domain("nuclei"),
            method="count",
        )
        if problem is not None:
            return problem
        planes.append(segment_nuclei(picture.grey(frame=frame, channel=channel)))
    labels = numpy.stack(planes)
    counts = tuple(int(plane.max()) for plane in planes)
    areas = numpy.bincount(planes[0].ravel())[1:]
    density = volume = None
    if picture.pixel_size_um is not None:
        across, down = picture.pixel_size_um
        area_mm2 = picture.width * across * picture.height * down * 1e-6
        density = counts[0] / area_mm2
        if chamber_depth_um is not None:
            volume = counts[0] / (area_mm2 * chamber_depth_um * 1e-3 * 1e-3) * dilution
    return CountResult(
        name=picture.name,
        count=counts[0],
        counts=counts,
        labels=labels,
        flags=tuple(flags),
        area_px_median=float(numpy.median(areas)) if len(areas) else None,
        per_mm2=density,
        per_ml=volume,
        card=method_card("nuclei"),
    )


def segment_nuclei(grey: NDArray[Any]) -> NDArray[numpy.int32]:
    """Give the label image of one grey plane, without any judgement of its quality."""
    inside, depth = nuclei_maps(grey)
    labels: NDArray[numpy.int32] = basins(inside, depth, 0.0, PERSISTENCE, LEAST_AREA_PX)
    return labels


def nuclei_maps(grey: NDArray[Any]) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
    """Give the logit of being inside and the depth (0..1) of each pixel of a grey plane."""
    planes = spread(grey)
    height, width = grey.shape
    if height <= TILE_PX and width <= TILE_PX:
        return _maps(planes)
    inside = numpy.empty((height, width), numpy.float32)
    depth = numpy.empty((height, width), numpy.float32)
    step = TILE_PX - 2 * MARGIN_PX
    for top in range(0, height, step):
        for left in range(0, width, step):
            y, x = max(top - MARGIN_PX, 0), max(left - MARGIN_PX, 0)
            bottom, right = min(top + step, height), min(left + step, width)
            tile = planes[:, y : bottom + MARGIN_PX, x : right + MARGIN_PX]
            one, two = _maps(numpy.ascontiguousarray(tile))
            own = numpy.s_[top - y : bottom - y, left - x : right - x]
            inside[top:bottom, left:right] = one[own]
            depth[top:bottom, left:right] = two[own]
    return inside, depth


def _maps(planes: NDArray[numpy.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    _, height, width = planes.shape
    down, right = -height % STRIDE_PX, -width % STRIDE_PX
    if down or right:
        planes = numpy.stack(
            [cv2.copyMakeBorder(one, 0, down, 0, right, cv2.BORDER_REFLECT_101) for one in planes]
        )
    fine = run("nuclei", planes[None])[0]
    return (
        numpy.ascontiguousarray(fine[0, 0, :height, :width]),
        numpy.ascontiguousarray(fine[0, 1, :height, :width]),
    )
