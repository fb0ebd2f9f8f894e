"""Colonies over time: how they grow, and whether each came from one cell.

A colony of the last picture is traced back, picture by picture, to what lies under it. Clonality
is evidence, not a verdict of the last picture: one cell seen alone at the first time speaks for
it, two speak against it, none says nothing, and then nothing is claimed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard, Purpose
from .basin import basins
from .confluence import covered_by_cells, unfit
from .domain import unsound
from .picture import Picture
from .quality import fault
from .shape import measure_objects

ALONE_PX = 40
"""A second cell this near to the first counts against clonality, px between their middles."""

LEAST_CELL_PX = 25
JOIN_PX = 3
PERSISTENCE = 0.15

CARD = MethodCard(
    name="colony-clonality",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT),
    qualified_for=(),
    trained_domain="one well, the same field at rising times, brightfield or phase; no training",
    sources=("rendered series of known descent",),
)


class Clonality(Enum):
    """What the series shows of a colony's descent."""

    CLONAL = "clonal"
    MIXED = "not clonal"
    UNKNOWN = "no evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colony:
    """One colony of the last picture and its history.

    Attributes:
        x: Middle, px.
        y: Middle, px.
        areas_px: Area traced back, per picture, first picture first; 0 where nothing lies.
        founders: Middles (x, y) of the cells of the first picture that lie under or near it.
        form_factor: 4 pi area / perimeter squared of the last picture; 1 is a circle.
        edge_sharpness: Mean step of grey across its rim over the range of the picture.
        clonality: What the founders show.
    """

    x: float
    y: float
    areas_px: tuple[int, ...]
    founders: tuple[tuple[float, float], ...]
    form_factor: float
    edge_sharpness: float
    clonality: Clonality


@dataclass(frozen=True, slots=True, kw_only=True)
class ColonyResult:
    """The colonies of one well: in reading order of the last picture."""

    names: tuple[str, ...]
    colonies: tuple[Colony, ...]
    card: MethodCard


def follow_colonies(pictures: Sequence[Picture]) -> ColonyResult | Problem:
    """Trace the colonies of the last picture back to the first.

    Args:
        pictures: The same field at rising times, at least two, of one size.

    Returns:
        The colonies, or the reason why the series cannot be judged.
    """
    if len(pictures) < 2:
        return _problem("series-too-short", pictures[0].name, f"{len(pictures)} picture", "two")
    sizes = {(picture.height, picture.width) for picture in pictures}
    if len(sizes) > 1:
        return _problem("series-sizes-differ", pictures[0].name, str(sorted(sizes)), "one size")
    for picture in pictures:
        problem = fault(picture)
        if problem is not None and problem.code != "image-blank":
            return problem
        if (problem := unfit(picture, 0, method="colonies")) is not None:
            return problem
        if (problem := unsound(picture, method="colonies")) is not None:
            return problem
    masks = [objects_of(picture.grey()) for picture in pictures]
    masks[0] = _apart(masks[0])
    return ColonyResult(
        names=tuple(picture.name for picture in pictures),
        colonies=tuple(_trace(masks, pictures[-1].grey())),
        card=CARD,
    )


def objects_of(grey: NDArray[Any]) -> NDArray[numpy.int32]:
    """Give the label image of the cells and colonies of one plane."""
    covered = covered_by_cells(grey).astype(numpy.uint8)
    closed = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, numpy.ones((JOIN_PX, JOIN_PX), numpy.uint8))
    _, parts, facts, _ = cv2.connectedComponentsWithStats(closed)
    kept = facts[:, cv2.CC_STAT_AREA] >= LEAST_CELL_PX
    kept[0] = False
    number = numpy.where(kept, numpy.cumsum(kept), 0).astype(numpy.int32)
    return numpy.asarray(number[parts], numpy.int32)


def _apart(labels: NDArray[numpy.int32]) -> NDArray[numpy.int32]:
    """Part cells that touch, by the depth of their middles: founders are counted one by one."""
    mask = (labels > 0).astype(numpy.uint8)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    deepest = numpy.zeros(int(labels.max()) + 1, numpy.float32)
    numpy.maximum.at(deepest, labels.ravel(), depth.ravel())
    share = depth / numpy.maximum(deepest[labels], 1)
    inside = mask.astype(numpy.float32) - 0.5
    found: NDArray[numpy.int32] = basins(inside, share, 0.0, PERSISTENCE, LEAST_CELL_PX)
    return found


def _trace(masks: list[NDArray[numpy.int32]], last: NDArray[Any]) -> list[Colony]:
    table = measure_objects(masks[-1])
    first = measure_objects(masks[0])
    founders = numpy.column_stack([first["AreaShape_Center_X"], first["AreaShape_Center_Y"]])
    colonies = []
    for row, number in enumerate(table["ObjectNumber"].tolist()):
        region = masks[-1] == number
        areas = [int(region.sum())]
        for mask in reversed(masks[:-1]):
            near = cv2.dilate(region.astype(numpy.uint8), numpy.ones((5, 5), numpy.uint8)) > 0
            under = numpy.unique(mask[near & (mask > 0)])
            region = numpy.isin(mask, under) & (mask > 0)
            areas.append(int(region.sum()))
        found = _founders(region, masks[0], founders)
        colonies.append(
            Colony(
                x=float(table["AreaShape_Center_X"][row]),
                y=float(table["AreaShape_Center_Y"][row]),
                areas_px=tuple(reversed(areas)),
                founders=found,
                form_factor=float(min(table["AreaShape_FormFactor"][row], 1.5)),
                edge_sharpness=_edge(masks[-1] == number, last),
                clonality=_verdict(found),
            )
        )
    return colonies


def _founders(
    region: NDArray[numpy.bool_], first: NDArray[numpy.int32], middles: NDArray[numpy.float64]
) -> tuple[tuple[float, float], ...]:
    own = [number - 1 for number in numpy.unique(first[region]).tolist() if number > 0]
    if not own:
        return ()
    apart = numpy.hypot(*(middles[:, None] - middles[None, own]).transpose(2, 0, 1)).min(axis=1)
    near = numpy.flatnonzero(apart <= ALONE_PX)
    return tuple((float(x), float(y)) for x, y in middles[near])


def _verdict(founders: tuple[tuple[float, float], ...]) -> Clonality:
    if not founders:
        return Clonality.UNKNOWN
    return Clonality.CLONAL if len(founders) == 1 else Clonality.MIXED


def _edge(region: NDArray[numpy.bool_], grey: NDArray[Any]) -> float:
    values = cv2.GaussianBlur(grey.astype(numpy.float32), (0, 0), 1.0)
    slope = cv2.magnitude(cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1))
    own = region.astype(numpy.uint8)
    rim = cv2.morphologyEx(own, cv2.MORPH_GRADIENT, numpy.ones((3, 3), numpy.uint8)) > 0
    reach = float(numpy.percentile(values, 99.5) - numpy.percentile(values, 0.5))
    return float(slope[rim].mean()) / 8 / reach if reach > 0 and rim.any() else 0.0


def _problem(code: str, name: str, found: str, limit: str) -> Problem:
    return Problem(
        code=code,
        what=f"the series of {name} cannot be followed",
        found=found,
        limit=limit,
        remedy="give the pictures of one field in the order of time",
        path=name,
    )
