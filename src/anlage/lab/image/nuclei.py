"""Count and outline nuclei in a fluorescence field, or cells in a chamber picture.

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
from .domain import Kind, domain, judge, kind_of
from .grey import spread
from .model import Network, maps, method_card
from .picture import Picture
from .quality import fault, sharpness, weaknesses
from .trait import traits
from .viability import find_cells, outline_cells

PERSISTENCE = 0.2
LEAST_AREA_PX = 12
SMALL_AREA_PX = 180
"""Fields whose median object is smaller are measured at twice their size."""

SOFT = 0.16
"""Below this sharpness the field is flagged: rims are guessed rather than seen."""

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
    """Count the nuclei of a fluorescence picture, or the cells of a chamber picture.

    The kind of the picture decides which network counts; any other kind is refused.

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
    network = "nuclei"
    planes, flags = [], weaknesses(picture, channel=channel)
    for frame in range(picture.frames):
        if (problem := fault(picture, frame=frame, channel=channel)) is not None:
            return problem
        values = traits(picture, frame=frame, channel=channel)
        kind = kind_of(values)
        if kind not in _NETWORK_OF:
            kind = Kind.FLUORESCENCE
        network, outline = _NETWORK_OF[kind]
        problem = judge(
            picture, values, wanted=tuple(_NETWORK_OF), trained=domain(network), method="count"
        )
        if problem is not None:
            return problem
        planes.append(outline(picture.grey(frame=frame, channel=channel)))
        if network == "nuclei" and sharpness(picture.grey(frame=frame, channel=channel)) < SOFT:
            flags.append("soft-focus")
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
        card=method_card(network),
    )


def segment_nuclei(grey: NDArray[Any], *, network: Network = "nuclei") -> NDArray[numpy.int32]:
    """Give the label image of one grey plane, without any judgement of its quality.

    Where the nuclei turn out small, the plane is measured again at twice its size: the network
    works at half resolution and rims of a few pixels are lost on it.
    """
    inside, depth = nuclei_maps(grey, network=network)
    labels: NDArray[numpy.int32] = basins(inside, depth, 0.0, PERSISTENCE, LEAST_AREA_PX)
    if labels.max() == 0:
        return labels
    if float(numpy.median(numpy.bincount(labels.ravel())[1:])) >= SMALL_AREA_PX:
        return labels
    inside, depth = nuclei_maps(grey, twice=True, network=network)
    again: NDArray[numpy.int32] = basins(inside, depth, 0.0, PERSISTENCE, LEAST_AREA_PX)
    return again


def _chamber_cells(grey: NDArray[Any]) -> NDArray[numpy.int32]:
    return outline_cells(grey, find_cells(grey))


_NETWORK_OF = {
    Kind.FLUORESCENCE: ("nuclei", segment_nuclei),
    Kind.CHAMBER: ("chamber", _chamber_cells),
}


def nuclei_maps(
    grey: NDArray[Any], *, twice: bool = False, network: Network = "nuclei"
) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
    """Give the logit of being inside and the depth (0..1) of each pixel of a grey plane.

    Args:
        grey: The plane, shape (y, x).
        twice: Whether the network sees the plane enlarged twice.
        network: Which network.
    """
    height, width = grey.shape
    if twice:
        grey = cv2.resize(grey, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    fine, _ = maps(network, spread(grey), mirrored=True)
    if twice:
        fine = 0.25 * (
            fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2]
        )
    return (
        numpy.ascontiguousarray(fine[0]),
        cv2.GaussianBlur(numpy.ascontiguousarray(fine[1]), (0, 0), 0.8 if twice else 1.2),
    )
