"""An assay as it is approved: plate layout, model, reference, validity rules. Read from YAML."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TypeVar

from anlage.base import Quantity, Refused
from anlage.library import Content, Criterion, Fields, Heading, Reference, read_with, read_yaml

from .columns import read_bytes
from .plate import place_of, wells_in

T = TypeVar("T")


class WellRole(StrEnum):
    """What stands in a well."""

    BLANK = "blank"
    REFERENCE = "reference"
    SAMPLE = "sample"
    CONTROL = "control"
    EMPTY = "empty"


class Analysis(StrEnum):
    """What is made of the plate."""

    POTENCY = "potency"
    QUANTIFY = "quantify"
    MEANS = "means"


class Along(StrEnum):
    """Along what the doses of a region change."""

    ROWS = "rows"
    COLUMNS = "columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Wells of one kind.

    Attributes:
        wells: Plain names, row by row.
        role: What stands in them.
        name: Name of the sample, control or reference.
        doses: Dose of each well, in the same order; empty where there is none.
        dilution: Factor by which the sample was diluted before the plate.
        expected: What a control should give; None where nothing is expected.
    """

    wells: tuple[str, ...]
    role: WellRole
    name: str
    doses: tuple[Decimal, ...]
    dilution: Decimal
    expected: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayDefinition:
    """One assay, defined once.

    Attributes:
        heading: Identifier, title and basis.
        purpose: understanding, development or control.
        analysis: What is made of the plate.
        model: 4pl, 5pl, linear or slope-ratio.
        unit: Unit of the results.
        regions: The layout.
        subtract_blank: Whether the mean of the blanks is taken off each signal.
        reference: Assigned value of the reference; None for relative results.
        reference_material: Which material that is.
        validity: Rules that the plate must meet before a result counts.
        acceptance: Limits that a result is held against, if the definition has them.
        slope_bounds: Equivalence bounds of the slope ratio.
        asymptote_bound: Equivalence bound of the ends, as a share of the range.
    """

    heading: Heading
    purpose: str
    analysis: Analysis
    model: str
    unit: str
    regions: tuple[Region, ...]
    subtract_blank: bool
    reference: Quantity | None
    reference_material: str
    validity: tuple[Criterion, ...]
    acceptance: Criterion | None
    slope_bounds: tuple[Decimal, Decimal]
    asymptote_bound: Decimal

    @classmethod
    def read(cls, content: Content) -> "AssayDefinition":
        """Read a definition.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, _definition)

    @property
    def references(self) -> tuple[Reference, ...]:
        """An assay names its reference material in words, and no other definition."""
        return ()


def read_definition(path: Path) -> AssayDefinition:
    """Read an assay's definition from a YAML file, or one that Anlage carries by its name.

    Raises:
        Refused: The file cannot be read, or with every problem, its path and line.
    """
    if str(path) in starters():
        place = resources.files("anlage.library") / "data" / "assay" / f"{path}.yaml"
        return AssayDefinition.read(read_yaml(place.read_bytes()).content)
    return read_file_with(path, AssayDefinition.read)


def starters() -> list[str]:
    """Give the names of the definitions that Anlage carries, to be copied and made one's own."""
    place = resources.files("anlage.library") / "data" / "assay"
    return sorted(item.name[:-5] for item in place.iterdir() if item.name.endswith(".yaml"))


def read_file_with(path: Path, read: Callable[[Content], T]) -> T:
    """Read a definition of any kind from a YAML file.

    Raises:
        Refused: The file cannot be read, or with every problem, its path and line.
    """
    document = read_yaml(read_bytes(path), str(path))
    try:
        return read(document.content)
    except Refused as refusal:
        raise Refused.of(document.locate(problem) for problem in refusal.problems) from refusal


def _definition(fields: Fields) -> AssayDefinition:
    heading = fields.heading("assay")
    rows = fields.whole("rows", 8, least=1, most=32)
    columns = fields.whole("columns", 12, least=1, most=48)
    regions = fields.each("layout", lambda f: _region(f, rows, columns), least=1)
    _check_layout(fields, regions)
    bounds = fields.group("bounds", _bounds)
    return AssayDefinition(
        heading=heading,
        purpose=fields.choice(
            "purpose", ("understanding", "development", "control"), "development"
        ),
        analysis=fields.enum("analysis", Analysis),
        model=fields.choice("model", ("4pl", "5pl", "linear", "slope-ratio"), "4pl"),
        unit=fields.unit("unit", "1"),
        regions=regions,
        subtract_blank=fields.flag("subtract-blank", False),
        reference=fields.quantity("reference-value"),
        reference_material=fields.text("reference-material", ""),
        validity=fields.each("validity", Criterion.from_fields, unique="attribute"),
        acceptance=fields.group("acceptance", Criterion.from_fields),
        slope_bounds=(bounds[0], bounds[1]) if bounds else (Decimal("0.80"), Decimal("1.25")),
        asymptote_bound=bounds[2] if bounds else Decimal("0.20"),
    )


def _bounds(fields: Fields) -> tuple[Decimal, Decimal, Decimal]:
    low, high = fields.number("slope-low"), fields.number("slope-high")
    share = fields.number("asymptote")
    return (
        Decimal("0.80") if low is None else low,
        Decimal("1.25") if high is None else high,
        Decimal("0.20") if share is None else share,
    )


def _region(fields: Fields, rows: int, columns: int) -> Region:
    wells = wells_in(fields.text("wells"), rows=rows, columns=columns)
    role = fields.enum("role", WellRole)
    along = fields.enum("along", Along, Along.ROWS)
    levels = []
    for text in fields.texts("doses"):
        try:
            levels.append(Quantity.of(text).value)
        except Refused:
            fields.wrong("doses", text, "numbers of 0 or more", "correct the dose")
    if any(level < 0 for level in levels):
        fields.wrong("doses", ", ".join(map(str, levels)), "numbers of 0 or more", "correct it")
    dilution = fields.number("dilution")
    return Region(
        wells=tuple(wells),
        role=role,
        name=fields.text("name", role.value),
        doses=_spread(fields, wells, levels, along),
        dilution=Decimal(1) if dilution is None else dilution,
        expected=fields.number("expected"),
    )


def _spread(
    fields: Fields, wells: list[str], levels: list[Decimal], along: Along
) -> tuple[Decimal, ...]:
    """Give each well its dose, by its row or column within the region."""
    if not levels:
        return ()
    if len(levels) == 1:
        return (levels[0],) * len(wells)
    axis = 0 if along is Along.ROWS else 1
    steps = sorted({place_of(well)[axis] for well in wells})
    if len(steps) != len(levels):
        fields.wrong(
            "doses",
            f"{len(levels)} doses",
            f"{len(steps)}, one for each of the region's {along.value}",
            "give one dose each, or turn `along`",
        )
        return ()
    return tuple(levels[steps.index(place_of(well)[axis])] for well in wells)


def _check_layout(fields: Fields, regions: tuple[Region, ...]) -> None:
    seen: set[str] = set()
    for region in regions:
        if twice := sorted(seen & set(region.wells)):
            fields.wrong("layout", f"well {twice[0]} twice", "each well once", "part the regions")
        seen |= set(region.wells)
