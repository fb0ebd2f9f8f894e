"""Classes of material: what a lot must be, how it is kept, how long it may be used."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from anlage.base import Quantity, Refused

from .fields import Content, Fields, Heading, Reference, read_with
from .medium import Ingredient


class Category(StrEnum):
    """What a material is for."""

    STARTING = "starting-material"
    MEDIUM = "medium"
    REAGENT = "reagent"
    VECTOR = "vector"
    EXCIPIENT = "excipient"
    CONSUMABLE = "consumable"
    CONTAINER = "container"
    BANK = "cell-bank"
    PREPARATION = "preparation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How a material is kept and how long it lasts.

    Attributes:
        lower: Lowest storage temperature; None for none.
        upper: Highest storage temperature; None for none.
        after_opening: How long an opened unit may be used; None where it may not be kept open.
        after_thaw: How long a thawed unit may be used.
        thaws_most: How often it may be thawed; None where it does not freeze.
    """

    lower: Quantity | None = None
    upper: Quantity | None = None
    after_opening: Quantity | None = None
    after_thaw: Quantity | None = None
    thaws_most: int | None = None

    def __post_init__(self) -> None:
        for name, value, unit in (
            ("lower", self.lower, "Cel"),
            ("upper", self.upper, "Cel"),
            ("after-opening", self.after_opening, "h"),
            ("after-thaw", self.after_thaw, "h"),
        ):
            _must_convert(value, unit, name)
        if self.lower and self.upper and self.lower.compare(self.upper) > 0:
            raise _malformed("lower", str(self.lower), f"at most {self.upper}", "exchange them")

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read how it is kept."""
        return cls(
            lower=fields.quantity("lower"),
            upper=fields.quantity("upper"),
            after_opening=fields.quantity("after-opening"),
            after_thaw=fields.quantity("after-thaw"),
            thaws_most=(
                fields.whole("thaws-most", 0, most=20) if fields.has("thaws-most") else None
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialClass:
    """A class of material.

    Attributes:
        heading: Identifier, title and basis.
        category: What it is for.
        unit: Unit in which stock is kept.
        keeping: How it is kept and how long it lasts.
        tier: Risk tier of an ancillary material, 1 (licensed medicine) to 4 (not for human use).
        needs: Documents that a lot must come with.
        specification: What incoming lots are tested against; None when nothing is.
        is_quarantined: Whether a lot waits for release by quality.
        has_identity: Whether it is one patient's, and so carries a chain of identity.
        gmo_class: Containment class of what is genetically modified; None where it is not.
        titre_unit: Unit of the titre that a vector lot must state.
        composition: What it is made of.
        claims: Labels that it is bought under; checked against the composition.
    """

    heading: Heading
    category: Category
    unit: str
    keeping: Keeping
    tier: int | None
    needs: tuple[str, ...]
    specification: Reference | None
    is_quarantined: bool
    has_identity: bool
    gmo_class: int | None
    titre_unit: str | None
    composition: tuple[Ingredient, ...]
    claims: tuple[str, ...]

    def __post_init__(self) -> None:
        if (self.category is Category.VECTOR) != (self.titre_unit is not None):
            raise _malformed(
                "titre-unit",
                self.titre_unit or "nothing",
                "a unit for vectors, none for others",
                "state the unit of the titre, such as TU/mL, for a vector only",
            )
        if self.claims and not self.composition:
            raise _malformed(
                "claims", ", ".join(self.claims), "claims with a composition", "add composition"
            )

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a material class from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a material class."""
        return cls(
            heading=fields.heading("material-class"),
            category=fields.enum("category", Category),
            unit=fields.unit("unit"),
            keeping=fields.group("keeping", Keeping.from_fields) or Keeping(),
            tier=fields.whole("tier", 1, least=1, most=4) if fields.has("tier") else None,
            needs=fields.texts("needs"),
            specification=fields.reference("specification", "specification"),
            is_quarantined=fields.flag("quarantine", True),
            has_identity=fields.flag("identity", False),
            gmo_class=(
                fields.whole("gmo-class", 1, least=1, most=4) if fields.has("gmo-class") else None
            ),
            titre_unit=fields.unit("titre-unit") if fields.has("titre-unit") else None,
            composition=fields.each("composition", Ingredient.from_fields),
            claims=fields.texts("claims"),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The specification of incoming lots."""
        return () if self.specification is None else (self.specification,)


def _must_convert(value: Quantity | None, unit: str, path: str) -> None:
    if value is None:
        return
    try:
        value.to(unit)
    except Refused as refusal:
        raise _malformed(
            path, str(value), f"a unit that converts to {unit}", "correct it"
        ) from refusal


def _malformed(path: str, found: str, limit: str, remedy: str) -> Refused:
    return Refused(
        "material-class-malformed",
        what=path,
        found=found,
        limit=limit,
        remedy=remedy,
        rule="definition schema",
        path=path,
    )
