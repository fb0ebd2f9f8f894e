"""An assay as it is approved: plate layout, model, reference, validity rules. Read from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import yaml

from anlage.base import Quantity, Refused
from anlage.library import Content, Criterion, Fields, Heading, read_with

from ..columns import decoded, read_bytes
from .plate import place_of, wells_in

CHARACTERS_MAX = 1_000_000


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


def read_definition(path: Path) -> AssayDefinition:
    """Read an assay's definition from a YAML file.

    Raises:
        Refused: The file cannot be read, or with every problem and its path.
    """
    return AssayDefinition.read(content_of(path))


def content_of(path: Path) -> Content:
    """Give the mapping that a YAML file holds.

    Raises:
        Refused: The file is missing, too large, no YAML, or no mapping of names.
    """
    text = decoded(read_bytes(path), path)
    if len(text) > CHARACTERS_MAX:
        raise _refused(path, f"{len(text)} characters", None)
    try:
        content = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _refused(path, str(getattr(error, "problem", error))[:200], mark) from error
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise _refused(path, type(content).__name__, None)
    return content


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


class _Loader(yaml.SafeLoader):
    """A safe loader that leaves decimals and dates as they are written."""


_Loader.yaml_implicit_resolvers = {
    sign: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp"}
    ]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _refused(path: Path, found: str, mark: "yaml.Mark | None") -> Refused:
    return Refused(
        "definition-unreadable",
        what="definition",
        found=found,
        limit=f"YAML that names its fields, at most {CHARACTERS_MAX} characters",
        remedy="correct the file",
        path=str(path),
        line=None if mark is None else mark.line + 1,
    )
