"""Count living and dead cells in brightfield pictures of a counting chamber.

The network marks the middle of every cell on one of two maps. Viability is a proportion of few
cells: it comes with its interval (E. B. Wilson, 1927, doi:10.1080/01621459.1927.10502953), widened
by what the network gets wrong, as seen on series that it was not trained on (decision 0746).
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard
from .basin import peaks
from .domain import Kind, domain, judge
from .grey import chamber_planes, relative_to_background
from .model import Network, maps, method_card
from .picture import Picture
from .quality import fault, sharpness, weaknesses
from .trait import traits

CELL_PX = 24
"""Nothing farther from its middle belongs to a cell, px."""

LIVE_CHANCE, DEAD_CHANCE = 0.4, 0.35
"""Least chance of a living and of a dead cell."""

REACH_PX = 8
"""Two cells stand at least this far apart, px."""

NEGATIVE_CHANCE, NEGATIVE_RATIO = 0.5, 1.5
"""The negative may hold so many times the cells and so much chance more: no good crop passes."""

OUT_OF_FOCUS = 0.2
"""Least sharpness: the rings of cells, by which life is told, are gone below it."""

FEW_CELLS = 100
"""Below this count the interval of a viability is wider than most specifications."""

COUNT_WORTH = 1.5
"""So many cells found are worth one counted without error, for the interval of a viability."""

COUNT_SERIES = 300.0
"""More cells than this tell no more: whole series are off by about two points of viability."""

COUNT_ERROR = 0.5
"""Half the interval of a count over the root of the count and one, rounded up."""

MIRRORED_AREA_PX = 1 << 20
"""Up to this size the picture is read in four mirror images and the maps are averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a chamber picture: its middle in px, whether it lives, and the chance (0..1)."""

    x: float
    y: float
    alive: bool
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ViabilityResult:
    """Living and dead cells of one picture.

    Attributes:
        name: Name of the picture.
        cells: Every cell found, in reading order.
        flags: What a reader of the number should know.
        per_ml: Cells, living and dead, per mL; None without pixel size and chamber depth.
        card: What the method may be used for.
    """

    name: str
    cells: tuple[Cell, ...]
    flags: tuple[str, ...]
    per_ml: float | None
    card: MethodCard

    @property
    def live(self) -> int:
        """Living cells."""
        return sum(cell.alive for cell in self.cells)

    @property
    def dead(self) -> int:
        """Dead cells."""
        return len(self.cells) - self.live

    @property
    def viability_percent(self) -> float | None:
        """Living cells over all cells, in percent; None without a cell."""
        return 100 * self.live / len(self.cells) if self.cells else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the viability of the sample in percent; None without a cell."""
        return found_interval(self.live, self.dead)

    @property
    def live_interval(self) -> tuple[int, int]:
        """Where the number of living cells in the picture lies, at least 95 %."""
        return count_interval(self.live)

    @property
    def dead_interval(self) -> tuple[int, int]:
        """Where the number of dead cells in the picture lies, at least 95 %."""
        return count_interval(self.dead)


def viability_interval(live: int, dead: int, *, z: float = 1.959964) -> tuple[float, float] | None:
    """Give Wilson's interval of a viability of cells counted without error, in percent.

    Args:
        live: Living cells.
        dead: Dead cells.
        z: Quantile of the normal distribution; the default gives 95 %.

    Returns:
        Low and high; None without a cell.

    Example:
        >>> low, high = viability_interval(95, 5)
        >>> round(low, 2), round(high, 2)
        (88.82, 97.85)
    """
    total = live + dead
    return None if total == 0 else _wilson(live / total, total, z)


def found_interval(live: int, dead: int) -> tuple[float, float] | None:
    """Give the 95 % interval of a sample's viability in percent from cells that the network found.

    Wilson's interval for the count that the cells found are worth: every cell may be missed, made
    up or misjudged, and a whole series may be off. None without a cell.

    Example:
        >>> low, high = found_interval(95, 5)
        >>> round(low, 1), round(high, 1)
        (85.7, 98.4)
    """
    total = live + dead
    if total == 0:
        return None
    return _wilson(live / total, 1 / (COUNT_WORTH / total + 1 / COUNT_SERIES), 1.959964)


def count_interval(found: int) -> tuple[int, int]:
    """Give where the number of cells lies of which so many were found.

    Example:
        >>> count_interval(0), count_interval(5)
        ((0, 1), (3, 7))
    """
    reach = ceil(COUNT_ERROR * sqrt(found + 1))
    return max(0, found - reach), found + reach


def _wilson(share: float, total: float, z: float) -> tuple[float, float]:
    square = z * z / total
    middle = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def judge_viability(
    picture: Picture, *, chamber_depth_um: float | None = None, dilution: float = 1.0
) -> ViabilityResult | Problem:
    """Count living and dead cells of a chamber picture.

    Args:
        picture: What was read; the first frame is judged.
        chamber_depth_um: Depth of the chamber, for a concentration.
        dilution: How often the sample was diluted, >= 1.

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
        method="viability",
    )
    if problem is not None:
        return problem
    if (sharp := sharpness(picture.grey())) < OUT_OF_FOCUS:
        return Problem(
            code="image-out-of-focus",
            what=f"image {picture.name} is not for method viability",
            found=f"a sharpness of {sharp:.2f}",
            limit=f"{OUT_OF_FOCUS}",
            remedy="focus on the cells and take the image again",
            path=picture.name,
        )
    cells = find_cells(picture.grey())
    if (problem := exchanged(picture, cells, method="viability")) is not None:
        return problem
    flags = weaknesses(picture)
    if len(cells) < FEW_CELLS:
        flags.append("few-cells")
    volume = None
    if picture.pixel_size_um is not None and chamber_depth_um is not None:
        across, down = picture.pixel_size_um
        volume_ml = picture.width * across * picture.height * down * chamber_depth_um * 1e-12
        volume = len(cells) / volume_ml * dilution
    return ViabilityResult(
        name=picture.name,
        cells=cells,
        flags=tuple(flags),
        per_ml=volume,
        card=method_card("chamber"),
    )


def exchanged(picture: Picture, cells: tuple[Cell, ...], *, method: str) -> Problem | None:
    """Give a problem when the negative of a chamber picture shows more cells than the picture.

    Args:
        picture: The picture.
        cells: What was found in it.
        method: Name of the method, for the message.
    """
    negative = picture.full_scale - picture.grey()
    there, here = (sum(one.chance for one in found) for found in (find_cells(negative), cells))
    if there <= NEGATIVE_RATIO * here + NEGATIVE_CHANCE:
        return None
    return Problem(
        code="image-out-of-domain",
        what=f"image {picture.name} does not look like a sound {method} picture",
        found=f"dark and bright exchanged: {here:.1f} cells, but {there:.1f} in the negative",
        limit="cells with bright cores on an even ground",
        remedy="export the image again, not inverted",
        path=picture.name,
    )


def find_cells(grey: NDArray[Any], *, network: Network = "chamber") -> tuple[Cell, ...]:
    """Give the cells of one chamber plane, without any judgement of its quality."""
    live, dead = _chances(relative_to_background(grey), network)
    # Both maps are measured against their own threshold; the one that passes it by more decides.
    ratio = LIVE_CHANCE / DEAD_CHANCE
    heat = numpy.maximum(live, dead * ratio).astype(numpy.float32)
    places = peaks(heat, LIVE_CHANCE, REACH_PX // 2)
    return tuple(
        Cell(
            x=2.0 * x,
            y=2.0 * y,
            alive=bool(live[y, x] >= dead[y, x] * ratio),
            chance=float(max(live[y, x], dead[y, x])),
        )
        for y, x in places.tolist()
    )


def outline_cells(grey: NDArray[Any], cells: tuple[Cell, ...]) -> NDArray[numpy.int32]:
    """Give a label image: what the network takes for cell, shared out to the nearest middle.

    Args:
        grey: The chamber plane, shape (y, x).
        cells: What was found in it; cell k has the label k + 1.
    """
    labels = numpy.zeros(grey.shape, numpy.int32)
    if not cells:
        return labels
    fine, _ = maps("chamber", chamber_planes(relative_to_background(grey)), mirrored=False)
    ys, xs = numpy.nonzero(fine[0] > 0)
    nearest = numpy.full(len(ys), numpy.inf)
    for number, cell in enumerate(cells, start=1):
        # A cell covers at least the spot that it was found by.
        cv2.circle(labels, (int(cell.x), int(cell.y)), REACH_PX // 2, number, -1)
        apart = numpy.hypot(ys - cell.y, xs - cell.x)
        closer = (apart < nearest) & (apart < CELL_PX)
        labels[ys[closer], xs[closer]] = number
        nearest = numpy.minimum(nearest, apart)
    return labels


def _chances(
    relative: NDArray[numpy.float32], network: Network
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the chance maps of living and dead cells at half resolution."""
    flips = [(1, 1)]
    if relative.size <= MIRRORED_AREA_PX:
        # An even side keeps the half-resolution grid in place under a mirror.
        relative = numpy.pad(relative, ((0, relative.shape[0] % 2), (0, relative.shape[1] % 2)))
        flips = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    whole = numpy.zeros((2, 1, 1), numpy.float64)
    for down, right in flips:
        turned = numpy.ascontiguousarray(relative[::down, ::right])
        _, coarse = maps(network, chamber_planes(turned), mirrored=False)
        whole = whole + 1 / (1 + numpy.exp(-coarse[:, ::down, ::right]))
    mean = numpy.asarray(whole, numpy.float32) / len(flips)
    return mean[0], mean[1]
