"""How much of a phase-contrast or brightfield field is covered by cells.

Cells are texture, the empty bottom of a flask is not: the local contrast of the flattened field
is cut where it falls into two groups, or, where it holds one group only, against the noise of
the camera. The cut is soft: weak texture counts where it touches strong (hysteresis).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard, Purpose
from .domain import STAINED_COLOUR, Kind, kind_of, unsound
from .picture import Picture
from .quality import fault, weaknesses
from .trait import stain, traits

WINDOW_PX = 2.5
"""Standard deviation of the window of local contrast, px."""

FLATTEN_PX = 60.0
NOISE_FACTOR = 2.5
LEAST_CONTRAST = 0.004
TWO_GROUPS = 0.72
"""Share of the variance of the logarithm of local contrast between two groups that makes two."""

HOLE_PX = 150
SPECK_PX = 20
DARK_LEVEL = 0.08

CARD = MethodCard(
    name="confluence",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT, Purpose.CONTROL),
    qualified_for=(),
    trained_domain="phase-contrast and brightfield monolayers, in focus, evenly lit; no training",
    sources=("rendered monolayers of known cover", "CellProfiler ExampleWoundHealing"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfluenceResult:
    """Cover of one field.

    Attributes:
        name: Name of the picture.
        confluence_percent: Covered share of the first frame, 0..100.
        confluences_percent: Covered share per frame.
        covered: Mask of the first frame.
        flags: What a reader of the number should know.
        card: What the method may be used for.
    """

    name: str
    confluence_percent: float
    confluences_percent: tuple[float, ...]
    covered: NDArray[numpy.bool_]
    flags: tuple[str, ...]
    card: MethodCard


def measure_confluence(picture: Picture) -> ConfluenceResult | Problem:
    """Measure the cover of a field.

    Returns:
        The result, or the reason why the picture cannot be judged.
    """
    shares, first = [], None
    for frame in range(picture.frames):
        grey = picture.grey(frame=frame)
        problem = fault(picture, frame=frame)
        # An empty flask is a number, but it has the noise of a camera.
        is_empty = problem is not None and problem.code == "image-blank" and grey.min() < grey.max()
        if problem is not None and not is_empty:
            return problem
        if (problem := unfit(picture, frame, method="confluence")) is not None:
            return problem
        if (problem := unsound(picture, frame=frame, method="confluence")) is not None:
            return problem
        covered = covered_by_cells(grey)
        first = covered if first is None else first
        shares.append(100 * float(covered.mean()))
    if first is None:
        raise ValueError("a picture has at least one frame")
    return ConfluenceResult(
        name=picture.name,
        confluence_percent=shares[0],
        confluences_percent=tuple(shares),
        covered=first,
        flags=tuple(weaknesses(picture)),
        card=CARD,
    )


def covered_by_cells(grey: NDArray[Any]) -> NDArray[numpy.bool_]:
    """Give the mask of what is covered, without any judgement of the picture."""
    values = grey.astype(numpy.float32)
    flat = values / numpy.maximum(cv2.GaussianBlur(values, (0, 0), FLATTEN_PX), 1e-3)
    contrast = _local_contrast(flat)
    noise = _quiet(flat)
    floor = max(NOISE_FACTOR * noise, LEAST_CONTRAST)
    cut, share = _two_groups(numpy.log(contrast + 1e-5))
    high = float(numpy.exp(cut)) if share > TWO_GROUPS else floor
    high = max(high, floor)
    strong, weak = contrast > high, contrast > max(0.7 * high, 0.8 * floor)
    _, parts = cv2.connectedComponents(weak.astype(numpy.uint8))
    holds = numpy.zeros(int(parts.max()) + 1, numpy.bool_)
    holds[numpy.unique(parts[strong])] = True
    holds[0] = False
    # The window sees a cell from outside its rim: the mask is drawn in by that reach.
    reach = 2 * round(1.6 * WINDOW_PX) + 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    drawn_in = cv2.erode(holds[parts].astype(numpy.uint8), shape, borderValue=1) > 0
    return ~_without_small(~_without_small(drawn_in, SPECK_PX), HOLE_PX)


def unfit(picture: Picture, frame: int, *, method: str) -> Problem | None:
    """Refuse dark fields (fluorescence), stained material, and crops too small to be a field.

    Args:
        picture: The picture.
        frame: Point in time.
        method: Name of the method, for the message.
    """
    level = float(numpy.median(picture.grey(frame=frame))) / picture.full_scale
    kind = kind_of(traits(picture, frame=frame))
    stained = level >= DARK_LEVEL and (
        kind is Kind.STAINED or stain(picture, frame) >= STAINED_COLOUR
    )
    if stained:
        found = "a stained field"
    elif level < DARK_LEVEL:
        found = "a dark field"
    elif kind is Kind.CROP:
        found = "a crop of a single cell"
    else:
        return None
    return Problem(
        code="image-stained" if stained else "image-wrong-kind",
        what=f"image {picture.name} is not for method {method}",
        found=found,
        limit="phase contrast or brightfield",
        remedy="choose the method for this kind of image",
        path=picture.name,
    )


def _local_contrast(flat: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    rest = flat - cv2.GaussianBlur(flat, (0, 0), WINDOW_PX)
    return numpy.asarray(
        numpy.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), WINDOW_PX)), numpy.float32
    )


def _quiet(flat: NDArray[numpy.float32]) -> float:
    """Give the noise of the camera: Immerkaer's estimate, of the quieter pixels."""
    mask = numpy.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], numpy.float32)
    answer = numpy.abs(cv2.filter2D(flat, cv2.CV_32F, mask))
    return float(numpy.percentile(answer, 30)) / 0.3853 / 6


def _two_groups(values: NDArray[numpy.float32]) -> tuple[float, float]:
    """Give Otsu's cut and the share of the variance that it explains."""
    counts, edges = numpy.histogram(values, bins=128)
    share = counts / counts.sum()
    middle = (edges[1:] + edges[:-1]) / 2
    below, mean = numpy.cumsum(share), numpy.cumsum(share * middle)
    whole = mean[-1]
    variance = float((share * (middle - whole) ** 2).sum())
    with numpy.errstate(divide="ignore", invalid="ignore"):
        between = (whole * below - mean) ** 2 / (below * (1 - below))
    between[~numpy.isfinite(between)] = 0
    best = int(between.argmax())
    return float(edges[best + 1]), float(between[best]) / variance if variance > 0 else 0.0


def _without_small(mask: NDArray[numpy.bool_], least: int) -> NDArray[numpy.bool_]:
    _, parts, facts, _ = cv2.connectedComponentsWithStats(mask.astype(numpy.uint8))
    large = facts[:, cv2.CC_STAT_AREA] >= least
    large[0] = False
    return numpy.asarray(large[parts], numpy.bool_)
