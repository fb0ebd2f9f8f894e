"""Tubes that never were: T cells with the truth of each event known, for practice and for tests."""

from dataclasses import dataclass
from typing import Final

import numpy
from numpy.typing import NDArray

from .compensation import Matrix
from .fcs_write import Writing, write_fcs

NAMES: Final = (
    "FSC-A", "FSC-H", "SSC-A", "BV421-A", "FITC-A", "PE-A", "APC-A", "BV605-A", "PE-Cy7-A",
    "AF700-A", "Time",
)  # fmt: skip
MARKERS: Final = (
    "", "", "", "Live/Dead", "CD3", "CD4", "CD8", "CCR7", "CD45RA", "CAR", "",
)  # fmt: skip
TYPES: Final = (
    "CD4 naive", "CD4 central memory", "CD4 effector memory", "CD4 TEMRA",
    "CD8 naive", "CD8 central memory", "CD8 effector memory", "CD8 TEMRA",
    "CD4-CD8-", "CD3-", "dead", "doublet",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a simulated tube holds.

    Attributes:
        events: Number of events.
        shares: Share of each of `TYPES`; they are scaled to add up to 1.
        car_share: Share of CAR+ cells among live T cells.
        separation: Distance between negative and positive cells, in decades.
        spread: Standard deviation of a population's stain, in decades.
        ccr7_separation: The same for CCR7, which often stains dimly; None as the others.
    """

    events: int = 50_000
    shares: tuple[float, ...] = (20, 15, 12, 3, 12, 6, 10, 5, 2, 8, 5, 2)
    car_share: float = 0.35
    separation: float = 1.7
    spread: float = 0.22
    ccr7_separation: float | None = None


def simulate_t_cells(
    recipe: Recipe, rng: numpy.random.Generator, *, with_car: bool = True
) -> tuple[bytes, NDArray[numpy.int64], NDArray[numpy.bool_]]:
    """Make a tube.

    Args:
        recipe: What it holds.
        rng: Source of chance.
        with_car: False leaves the CAR stain out, as in its FMO control.

    Returns:
        The bytes of an FCS file, the place in `TYPES` of each event, and who carries the CAR.
    """
    shares = numpy.array(recipe.shares, float)
    kinds = rng.choice(len(TYPES), recipe.events, p=shares / shares.sum())
    names = numpy.array(TYPES)[kinds]
    is_dead, is_doublet = names == "dead", names == "doublet"
    cells = names.copy()
    hidden = is_dead | is_doublet  # what they were before is one of the T-cell types
    cells[hidden] = numpy.array(TYPES)[rng.integers(0, 8, int(hidden.sum()))]
    is_t = cells != "CD3-"
    four, eight = numpy.char.startswith(cells, "CD4 "), numpy.char.startswith(cells, "CD8 ")
    naive, central = (
        numpy.char.endswith(cells, "naive"),
        numpy.char.endswith(cells, "central memory"),
    )
    temra = numpy.char.endswith(cells, "TEMRA")
    has_car = is_t & ~hidden & (rng.random(recipe.events) < recipe.car_share)
    stains = (
        (is_dead, recipe.separation + 0.3), (is_t, recipe.separation), (four, recipe.separation),
        (eight, recipe.separation + 0.3),
        (naive | central, recipe.ccr7_separation or recipe.separation),
        (naive | temra, recipe.separation), (has_car & with_car, recipe.separation),
    )  # fmt: skip
    values = numpy.empty((recipe.events, len(NAMES)))
    area = rng.normal(90_000, 9_000, recipe.events).clip(20_000)
    values[:, 0] = area * numpy.where(is_doublet, rng.normal(1.9, 0.05, recipe.events), 1.0)
    values[:, 1] = area * rng.normal(0.94, 0.02, recipe.events)
    values[:, 2] = rng.lognormal(10.3, 0.25, recipe.events)
    for place, (is_positive, distance) in enumerate(stains):
        decades = 2.6 + distance * is_positive
        values[:, 3 + place] = 10 ** rng.normal(decades, recipe.spread)
    values[:, 3:10] = values[:, 3:10] @ numpy.array(_spill().values)
    values[:, 3:10] += rng.normal(0, 60, (recipe.events, 7))
    values[:, 10] = numpy.sort(rng.uniform(0, 60, recipe.events))
    writing = Writing(names=NAMES, markers=MARKERS, spillover=_spill(), keywords={"$CYT": "None"})
    return write_fcs(writing, values), kinds, has_car


def _spill() -> Matrix:
    values = numpy.eye(7) + 0.04 * numpy.eye(7, k=1) + 0.015 * numpy.eye(7, k=-1)
    rows = tuple(tuple(row) for row in values.tolist())
    return Matrix(id="FCS", fluorochromes=NAMES[3:10], detectors=NAMES[3:10], values=rows)
