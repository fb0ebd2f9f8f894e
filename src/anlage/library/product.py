"""A product as defined: what it is for (QTPP), what matters in it (CQA), what decides that (CPP).

The words are those of ICH Q8(R2): the quality target product profile, the critical quality
attributes with their severity and evidence, and the critical process parameters with the
attributes they affect.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from anlage.base import Quantity, Refused

from .fields import Content, Fields, Heading, Reference, read_with


class Origin(StrEnum):
    """Whose cells a product is made of."""

    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


class Evidence(StrEnum):
    """What a judgement of criticality rests on."""

    CLINICAL = "clinical"
    ANIMAL = "animal"
    PROCESS = "process-data"
    LITERATURE = "literature"
    PRIOR_KNOWLEDGE = "prior-knowledge"
    ILLUSTRATIVE = "illustrative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One element of the quality target product profile."""

    element: str
    target: str
    basis: str

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one element of the profile."""
        return cls(
            element=fields.text("element"),
            target=fields.text("target"),
            basis=fields.text("basis", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityAttribute:
    """A critical quality attribute.

    Attributes:
        id: Its name; that of its criterion in the specification.
        title: What it is, in words.
        severity: Harm to the patient if it fails, 1 (none) to 5 (may be fatal).
        evidence: What the judgement rests on.
        rationale: Why it is critical.
        method: How it is measured.
        specification: The specification that limits it; None when only monitored.
    """

    id: str
    title: str
    severity: int
    evidence: Evidence
    rationale: str
    method: str
    specification: Reference | None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one attribute."""
        return cls(
            id=fields.id("id"),
            title=fields.text("title"),
            severity=fields.whole("severity", least=1, most=5),
            evidence=fields.enum("evidence", Evidence),
            rationale=fields.text("rationale"),
            method=fields.text("method"),
            specification=fields.reference("specification", "specification"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessParameter:
    """A critical process parameter.

    Attributes:
        id: Its name; that of the parameter in the recipe.
        title: What it is, in words.
        unit: Unit of its limits.
        lower: Least acceptable value; None for none.
        upper: Greatest acceptable value; None for none.
        affects: The attributes it decides; at least one.
        severity: Effect on them, 1 to 5.
        evidence: What the judgement rests on.
        rationale: Why it is critical.
    """

    id: str
    title: str
    unit: str
    lower: Decimal | None
    upper: Decimal | None
    affects: tuple[str, ...]
    severity: int
    evidence: Evidence
    rationale: str

    def __post_init__(self) -> None:
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise Refused(
                "product-malformed",
                what=f"parameter {self.id}",
                found=f"lower {self.lower} above upper {self.upper}",
                limit="lower <= upper",
                remedy="exchange them",
                path="lower",
            )

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one parameter."""
        return cls(
            id=fields.id("id"),
            title=fields.text("title"),
            unit=fields.unit("unit", "1"),
            lower=fields.number("lower"),
            upper=fields.number("upper"),
            affects=fields.texts("affects", least=1),
            severity=fields.whole("severity", least=1, most=5),
            evidence=fields.enum("evidence", Evidence),
            rationale=fields.text("rationale"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How the product is kept, for how long, and how long it holds once thawed."""

    lower: Quantity | None
    upper: Quantity | None
    shelf_life: Quantity | None
    after_thaw: Quantity | None = None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read the storage condition."""
        one = cls(
            lower=fields.quantity("lower"),
            upper=fields.quantity("upper"),
            shelf_life=fields.quantity("shelf-life"),
            after_thaw=fields.quantity("after-thaw"),
        )
        _must_be(one.lower, "Cel", "lower")
        _must_be(one.upper, "Cel", "upper")
        _must_be(one.shelf_life, "d", "shelf-life")
        _must_be(one.after_thaw, "min", "after-thaw")
        return one


_LISTS = {
    "recipes": "recipe",
    "specifications": "specification",
    "calculations": "calculation",
    "materials": "material-class",
    "equipment": "equipment-class",
    "roles": "role",
    "sops": "sop",
    "checklists": "checklist",
    "collections": "collection",
    "labels": "label",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as defined.

    Attributes:
        heading: Identifier, title and basis.
        origin: Autologous or allogeneic.
        indication: What it is meant to treat.
        process_days: Planned duration of the process, from first to last day.
        profile: The quality target product profile.
        attributes: The critical quality attributes.
        parameters: The critical process parameters.
        storage: How it is kept.
        follow_up: When the patient is seen again, counted from the infusion.
        uses: Every definition that belongs to it.
    """

    heading: Heading
    origin: Origin
    indication: str
    process_days: tuple[int, int]
    profile: tuple[Target, ...]
    attributes: tuple[QualityAttribute, ...]
    parameters: tuple[ProcessParameter, ...]
    storage: Storage
    follow_up: tuple[Quantity, ...]
    uses: tuple[Reference, ...]

    def __post_init__(self) -> None:
        known = {one.id for one in self.attributes}
        for at, parameter in enumerate(self.parameters):
            for name in parameter.affects:
                if name not in known:
                    raise Refused(
                        "product-malformed",
                        what=f"parameter {parameter.id}",
                        found=f"affects {name}",
                        limit=", ".join(sorted(known)),
                        remedy="name a quality attribute of this product",
                        path=f"parameters[{at}].affects",
                    )
        for duration in self.follow_up:
            _must_be(duration, "d", "follow-up")

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a product from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a product."""
        heading = fields.heading("product")
        least = fields.whole("days-least", least=0, most=400)
        most = fields.whole("days-most", least=least, most=400)
        follow_up = fields.texts("follow-up")
        uses = [one for key, kind in _LISTS.items() for one in fields.ids(key, kind)]
        return cls(
            heading=heading,
            origin=fields.enum("origin", Origin),
            indication=fields.text("indication"),
            process_days=(least, most),
            profile=fields.each("profile", Target.from_fields, least=1, unique="element"),
            attributes=fields.each(
                "attributes", QualityAttribute.from_fields, least=1, unique="id"
            ),
            parameters=fields.each("parameters", ProcessParameter.from_fields, unique="id"),
            storage=fields.group("storage", Storage.from_fields) or _no_storage(),
            follow_up=tuple(Quantity.parse(text) for text in follow_up),
            uses=tuple(uses),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every definition that it names."""
        limits = (one.specification for one in self.attributes)
        return (*self.uses, *(one for one in limits if one is not None))

    def matrix(self) -> dict[str, tuple[str, ...]]:
        """Give each attribute with the parameters that affect it; one without any is empty."""
        return {
            one.id: tuple(each.id for each in self.parameters if one.id in each.affects)
            for one in self.attributes
        }


def _no_storage() -> Storage:
    return Storage(lower=None, upper=None, shelf_life=None)


def _must_be(quantity: Quantity | None, unit: str, path: str) -> None:
    if quantity is None:
        return
    try:
        quantity.to(unit)
    except Refused as refusal:
        raise Refused(
            "product-malformed",
            what=path,
            found=quantity,
            limit=f"a unit that converts to {unit}",
            remedy=refusal.problem.remedy,
            path=path,
        ) from refusal
