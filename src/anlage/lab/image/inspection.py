"""What each object of a brightfield picture is: a living or dead cell, debris, a particle.

Cells are what the chamber network marks. Everything else that stands out of the background is
judged on features a person can check: small pale scraps are debris; fibres, opaque grains and
perfectly round sharp beads are particulate matter, which no product may hold (the background of
visible-particle inspection). What fits neither well is refused, and goes to a person.
"""

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard, Purpose
from .domain import Kind, domain, judge
from .grey import relative_to_background
from .picture import Picture
from .quality import fault, weaknesses
from .shape import measure_objects
from .trait import traits
from .viability import Cell, exchanged, find_cells

CELL_CHANCE = 0.5
NEAR_PX = 6
LEAST_AREA_PX = 12
OUT_OF_BACKGROUND = 5.0
LINE_PX = 90
"""An opening this long finds the lines of a chamber's grid, and no cell."""

CELL_AREA_MOST_PX = 700
"""More than this under one cell is not the cell alone; those of the trained kind cover to 600."""

CELL_REACH_PX = 16
"""How far a cell reaches from its middle."""

CARD = MethodCard(
    name="object-inspection",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT),
    qualified_for=(),
    trained_domain="brightfield pictures of a counting chamber, cells of about 20 px; fibres, "
    "grains and beads from a renderer",
    sources=("Cell-Dataset, Okerulu Chukwudi 2021 (MIT)", "rendered fibres, grains and scraps"),
)


class ObjectClass(Enum):
    """What an object is; REFUSED is left to a person."""

    CELL = "cell"
    DEAD = "dead"
    DEBRIS = "debris"
    PARTICULATE = "particulate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenObject:
    """One object: its middle in px, its class, and the features that decided.

    Attributes:
        x: Middle, px.
        y: Middle, px.
        kind: The class.
        area_px: Area, px.
        elongation: Longest over shortest axis; 1 is round.
        darkness: Mean absorption, 0 background to 1 black; negative is brighter.
        chance: The chance that the network gives of a cell here, 0..1.
    """

    x: float
    y: float
    kind: ObjectClass
    area_px: float
    elongation: float
    darkness: float
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionResult:
    """The objects of one picture, in reading order."""

    name: str
    objects: tuple[SeenObject, ...]
    flags: tuple[str, ...]
    card: MethodCard

    def count(self, kind: ObjectClass) -> int:
        """Give the number of objects of one class."""
        return sum(one.kind is kind for one in self.objects)


def inspect_objects(picture: Picture) -> InspectionResult | Problem:
    """Name every object of a brightfield picture.

    Returns:
        The result, or the reason why the picture cannot be judged.
    """
    if (problem := fault(picture)) is not None:
        return problem
    problem = judge(
        picture,
        traits(picture),
        wanted=(Kind.CHAMBER,),
        trained=domain("chamber"),
        method="inspect",
    )
    if problem is not None:
        return problem
    grey = picture.grey()
    cells = find_cells(grey)
    if (problem := exchanged(picture, cells, method="inspect")) is not None:
        return problem
    relative = relative_to_background(grey)
    return InspectionResult(
        name=picture.name,
        objects=tuple(_named(relative, cells)),
        flags=tuple(weaknesses(picture)),
        card=CARD,
    )


def _named(relative: NDArray[numpy.float32], cells: tuple[Cell, ...]) -> list[SeenObject]:
    labels = _parted(_standing_out(relative), cells)
    table = measure_objects(labels, -relative)
    claimed: dict[int, list[Cell]] = {}
    objects = []
    for cell in cells:
        number = _under(labels, cell)
        if number:
            claimed.setdefault(number, []).append(cell)
        else:
            objects.append(_of_cell(cell, area=0.0, darkness=0.0, elongation=1.0))
    for row, number in enumerate(table["ObjectNumber"].tolist()):
        area = float(table["AreaShape_Area"][row])
        minor = max(float(table["AreaShape_MinorAxisLength"][row]), 1.0)
        elongation = float(table["AreaShape_MajorAxisLength"][row]) / minor
        darkness = float(table["Intensity_MeanIntensity"][row])
        own = claimed.get(number, [])
        for cell in own:
            objects.append(
                _of_cell(cell, area=area / len(own), darkness=darkness, elongation=elongation)
            )
        if own:
            continue
        objects.append(
            SeenObject(
                x=float(table["AreaShape_Center_X"][row]),
                y=float(table["AreaShape_Center_Y"][row]),
                kind=_no_cell(area, elongation, darkness, float(table["AreaShape_Solidity"][row])),
                area_px=area,
                elongation=elongation,
                darkness=darkness,
                chance=0.0,
            )
        )
    return sorted(objects, key=lambda one: (one.y, one.x))


def _of_cell(cell: Cell, *, area: float, darkness: float, elongation: float) -> SeenObject:
    sure = cell.chance >= CELL_CHANCE
    kind = ObjectClass.CELL if cell.alive else ObjectClass.DEAD
    return SeenObject(
        x=cell.x,
        y=cell.y,
        kind=kind if sure else ObjectClass.REFUSED,
        area_px=area,
        elongation=elongation,
        darkness=darkness,
        chance=cell.chance,
    )


def _no_cell(area: float, elongation: float, darkness: float, solidity: float) -> ObjectClass:
    """Name what the network does not mark; cells of the trained kind cover 150 to 600 px."""
    if area < 110 and elongation < 3 and darkness < 0.35:
        return ObjectClass.DEBRIS
    fibre = elongation > 4 or (area > 150 and solidity < 0.45)
    opaque = darkness > 0.45 and area > 60
    huge = area > 1500
    if fibre or opaque or huge:
        return ObjectClass.PARTICULATE
    return ObjectClass.REFUSED


def _standing_out(relative: NDArray[numpy.float32]) -> NDArray[numpy.int32]:
    """Number what stands out of the background, the lines of the grid left out."""
    rest = relative - cv2.GaussianBlur(relative, (0, 0), 40)
    strength = cv2.GaussianBlur(numpy.abs(rest), (0, 0), 1.2)
    middle = float(numpy.median(strength))
    left = 1.4826 * float(numpy.median(numpy.abs(strength - middle)))
    mask = (strength > middle + max(OUT_OF_BACKGROUND * left, 0.03)).astype(numpy.uint8)
    for size in ((LINE_PX, 1), (1, LINE_PX)):
        line = cv2.morphologyEx(mask, cv2.MORPH_OPEN, numpy.ones(size, numpy.uint8))
        mask[cv2.dilate(line, numpy.ones((3, 3), numpy.uint8)) > 0] = 0
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, numpy.ones((5, 5), numpy.uint8))
    _, parts, facts, _ = cv2.connectedComponentsWithStats(mask)
    kept = facts[:, cv2.CC_STAT_AREA] >= LEAST_AREA_PX
    kept[0] = False
    number = numpy.where(kept, numpy.cumsum(kept), 0).astype(numpy.int32)
    return numpy.asarray(number[parts], numpy.int32)


def _parted(labels: NDArray[numpy.int32], cells: tuple[Cell, ...]) -> NDArray[numpy.int32]:
    """Take from a cell what is too much for it: a fibre or a clump that touches it."""
    own: dict[int, list[Cell]] = {}
    for cell in cells:
        if number := _under(labels, cell):
            own.setdefault(number, []).append(cell)
    parted, areas = labels.copy(), numpy.bincount(labels.ravel())
    for number, held in own.items():
        if areas[number] <= CELL_AREA_MOST_PX * len(held):
            continue
        rest = (labels == number).astype(numpy.uint8)
        for cell in held:
            cv2.circle(rest, (round(cell.x), round(cell.y)), CELL_REACH_PX, 0, -1)
        rest = cv2.morphologyEx(rest, cv2.MORPH_OPEN, numpy.ones((3, 3), numpy.uint8))
        _, parts, facts, _ = cv2.connectedComponentsWithStats(rest)
        for part in range(1, len(facts)):
            if facts[part, cv2.CC_STAT_AREA] >= LEAST_AREA_PX:
                parted[parts == part] = parted.max() + 1
    return parted


def _under(labels: NDArray[numpy.int32], cell: Cell) -> int:
    """Give the label under or nearest to the middle of a cell, 0 where none is near."""
    height, width = labels.shape
    y, x = min(int(cell.y), height - 1), min(int(cell.x), width - 1)
    if labels[y, x]:
        return int(labels[y, x])
    top, left = max(y - NEAR_PX, 0), max(x - NEAR_PX, 0)
    window = labels[top : y + NEAR_PX + 1, left : x + NEAR_PX + 1]
    near = window[window > 0]
    return int(numpy.bincount(near).argmax()) if near.size else 0
