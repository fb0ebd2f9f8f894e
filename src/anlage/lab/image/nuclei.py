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
from .basin import basins, brought_back
from .domain import Kind, domain, judge, kind_of
from .grey import between_percentiles, two_planes
from .model import STRIDE_PX, Network, maps, method_card, run
from .picture import Picture
from .quality import fault, sharpness, weaknesses
from .trait import traits
from .viability import find_cells, outline_cells

CANONICAL_PX = 24.0
"""What the width network's answer is relative to."""

SMALL_PX, ENLARGED_PX, MOST_ENLARGED = 17.0, 28.0, 2.2
"""Fields of nuclei less wide than the first are enlarged until these have the second width: the
network works at half resolution, and rims of a few pixels are lost on it."""

NARROWEST_PX, WIDEST_PX = 4.0, 60.0
"""Fields of nuclei wider than the second are reduced to it; a guess never leaves 4 to 120 px."""

WRONG_GUESS = 1.6
"""A guess that differs from the width found by more than this factor is made again."""

PERSISTENCE = 0.2
DEPTH_BLUR_PX, ENLARGED_BLUR_PX = 1.2, 0.8
LEAST_AREA_PX = 12

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
            picture,
            values,
            wanted=tuple(_NETWORK_OF),
            trained=domain(network),
            method="count",
            frame=frame,
            channel=channel,
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


def segment_nuclei(
    grey: NDArray[Any], *, network: Network = "nuclei", width: Network = "width"
) -> NDArray[numpy.int32]:
    """Give the label image of one grey plane, without any judgement of its quality.

    The width of the nuclei is guessed first; fields of small or of very large nuclei are brought
    to a scale that the network knows. Where the nuclei found are of another width, and that width
    asks for another scale, the field is measured again.

    Args:
        grey: The plane, shape (y, x).
        network: The network that outlines nuclei.
        width: The network that guesses how wide they are.
    """
    relative = between_percentiles(grey)
    guess = nuclei_width_px(relative, network=width)
    labels = _segment_at(relative, _times(guess), network)
    areas = numpy.bincount(labels.ravel())[1:]
    if not len(areas):
        return labels
    found = 1.128 * float(numpy.sqrt(numpy.median(areas)))
    if max(found / guess, guess / found) > WRONG_GUESS and _times(found) != _times(guess):
        return _segment_at(relative, _times(found), network)
    return labels


def nuclei_width_px(relative: NDArray[numpy.float32], *, network: Network = "width") -> float:
    """Guess the median width of the nuclei of a field, px, from 4 to 120.

    Args:
        relative: The field between its percentiles, shape (y, x).
        network: The network that guesses.
    """
    height, across = relative.shape
    # At least one stride of the network on each side.
    half = (max(across // 2, STRIDE_PX), max(height // 2, STRIDE_PX))
    seen = cv2.resize(relative, half, interpolation=cv2.INTER_AREA)
    (logarithm,) = run(network, two_planes(seen)[None])
    guess = CANONICAL_PX * float(numpy.exp(logarithm[0]))
    return min(max(guess, NARROWEST_PX), 2 * WIDEST_PX)


def _times(width_px: float) -> float:
    """Give how much a field of nuclei so wide is enlarged (or reduced, below 1)."""
    if width_px < SMALL_PX:
        return min(ENLARGED_PX / width_px, MOST_ENLARGED)
    return min(1.0, WIDEST_PX / width_px)


def scaled_planes(
    relative: NDArray[numpy.float32],
    *,
    width: Network | None = None,
    times: float | None = None,
) -> NDArray[numpy.float32]:
    """Give what the nuclei network sees of a field, shape (2, y, x).

    Args:
        relative: The field between its percentiles, shape (y, x).
        width: The network that guesses how wide the nuclei are, when times is not given.
        times: How much the field is enlarged.
    """
    height, across = relative.shape
    if times is None:
        times = _times(nuclei_width_px(relative, network=width or "width"))
    if times == 1:
        return two_planes(relative)
    size = (max(round(across * times), STRIDE_PX), max(round(height * times), STRIDE_PX))
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_LINEAR
    return two_planes(numpy.asarray(cv2.resize(relative, size, interpolation=how), numpy.float32))


def _segment_at(
    relative: NDArray[numpy.float32], times: float, network: Network
) -> NDArray[numpy.int32]:
    """Outline the nuclei of a field that is enlarged so many times first."""
    height, across = relative.shape
    fine, _ = maps(network, scaled_planes(relative, times=times), mirrored=True)
    if times > 1:
        # Enlarged maps are averaged back first: objects are told apart on the field's own grid.
        fine = numpy.stack(
            [cv2.resize(one, (across, height), interpolation=cv2.INTER_AREA) for one in fine[:2]]
        )
    blur = ENLARGED_BLUR_PX if times > 1 else DEPTH_BLUR_PX
    inside = numpy.ascontiguousarray(fine[0])
    depth = cv2.GaussianBlur(numpy.ascontiguousarray(fine[1]), (0, 0), blur)
    labels: NDArray[numpy.int32] = basins(inside, depth, 0.0, PERSISTENCE, LEAST_AREA_PX)
    if times < 1:
        native: NDArray[numpy.int32] = brought_back(labels, inside, height, across, LEAST_AREA_PX)
        return native
    return labels


def _chamber_cells(grey: NDArray[Any]) -> NDArray[numpy.int32]:
    return outline_cells(grey, find_cells(grey))


_NETWORK_OF = {
    Kind.FLUORESCENCE: ("nuclei", segment_nuclei),
    Kind.CHAMBER: ("chamber", _chamber_cells),
}
