"""How a starting material is collected: the kit, the data, and what its label has to say.

The statements on a label follow from whose cells they are and from what is known of infections (21
CFR 1271.90(c)); here they are data that a site reviews, not text in a program.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from anlage.base import Problem, Quantity, Refused

from .fields import Content, Fields, Heading, Reference, read_with

RULE = "collection specification; FACT and JACIE collection standards"


class Donor(StrEnum):
    """Whose cells they are, and whether the donor was found eligible."""

    AUTOLOGOUS = "autologous"
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    ANY = "any"


class InfectiousStatus(StrEnum):
    """What is known of the donor's infectious markers when the label is made."""

    NOT_TESTED = "not-tested"
    NON_REACTIVE = "non-reactive"
    REACTIVE = "reactive"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range that includes both ends; None leaves an end open."""

    lower: Quantity | None
    upper: Quantity | None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a range."""
        return cls(lower=fields.quantity("lower"), upper=fields.quantity("upper"))

    def fault(self, value: Quantity) -> str | None:
        """Give the range in words when a value lies outside it; None when it lies inside.

        Raises:
            Refused: The units measure different things.
        """
        is_low = self.lower is not None and value.compare(self.lower) < 0
        is_high = self.upper is not None and value.compare(self.upper) > 0
        return str(self) if is_low or is_high else None

    def __str__(self) -> str:
        if self.lower is not None and self.upper is not None:
            return f"{self.lower} to {self.upper}"
        return f"at least {self.lower}" if self.lower is not None else f"at most {self.upper}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """One value of the collection: how it is read and where it should lie."""

    id: str
    title: str
    unit: str
    limits: Range

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one value's definition."""
        unit = fields.unit("unit")
        ends = {name: fields.number(name) for name in ("lower", "upper")}
        lower, upper = (
            None if one is None else Quantity(one, unit) for one in (ends["lower"], ends["upper"])
        )
        return cls(
            id=fields.id("id"),
            title=fields.text("title"),
            unit=unit,
            limits=Range(lower=lower, upper=upper),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence that the label carries in one case."""

    donor: Donor
    infectious: InfectiousStatus
    text: str

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one statement."""
        return cls(
            donor=fields.enum("donor", Donor, Donor.ANY),
            infectious=fields.enum("infectious", InfectiousStatus, InfectiousStatus.ANY),
            text=fields.text("text"),
        )

    def holds(self, donor: Donor, infectious: InfectiousStatus) -> bool:
        """Tell whether the case is this one."""
        is_infectious = self.infectious in (InfectiousStatus.ANY, infectious)
        return self.donor in (Donor.ANY, donor) and is_infectious


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection as defined.

    Attributes:
        heading: Identifier, title and basis.
        material: What is collected.
        volume: How much is wanted; outside it a collection is partial, with a reason.
        arrives_within: From the collection to its acceptance at the facility.
        storage: How it is kept until then, in words.
        kits: The sets that may be used.
        anticoagulants: The anticoagulants that may be used.
        data: What is read at the collection.
        statements: What the label says, by case.
        checklist: What is asked at the collection.
        receipt: What is asked at receipt.
        acceptance: The specification by which its counts are judged at receipt; empty for none.
        counts: The attributes of it that are counted at receipt.
        uses: Every definition that it names.
    """

    heading: Heading
    material: str
    volume: Range
    arrives_within: Quantity | None
    storage: str
    kits: tuple[str, ...]
    anticoagulants: tuple[str, ...]
    data: tuple[Datum, ...]
    statements: tuple[Statement, ...]
    checklist: str
    receipt: str
    acceptance: str
    counts: tuple[str, ...]
    uses: tuple[Reference, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a collection specification from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a collection specification."""
        heading = fields.heading("collection")
        named = {
            name: fields.reference(name, kind)
            for name, kind in (
                ("role", "role"),
                ("checklist", "checklist"),
                ("receipt", "checklist"),
                ("acceptance", "specification"),
            )
        }
        labels = fields.ids("labels", "label")
        return cls(
            heading=heading,
            material=fields.text("material"),
            volume=fields.group("volume", Range.from_fields) or Range(lower=None, upper=None),
            arrives_within=fields.quantity("arrives-within"),
            storage=fields.text("storage", ""),
            kits=fields.texts("kits", least=1),
            anticoagulants=fields.texts("anticoagulants"),
            data=fields.each("data", Datum.from_fields, unique="id"),
            statements=fields.each("statements", Statement.from_fields, least=1),
            checklist=named["checklist"].id if named["checklist"] else "",
            receipt=named["receipt"].id if named["receipt"] else "",
            acceptance=named["acceptance"].id if named["acceptance"] else "",
            counts=fields.texts("counts"),
            uses=(*(one for one in named.values() if one is not None), *labels),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The definitions that it names."""
        return self.uses

    def says(self, donor: Donor, infectious: InfectiousStatus) -> tuple[str, ...]:
        """Give the statements that a label has to carry."""
        return tuple(one.text for one in self.statements if one.holds(donor, infectious))

    def faults(
        self, *, volume: Quantity, data: Mapping[str, str], kit: str, anticoagulant: str
    ) -> list[Problem]:
        """Give what is not as specified: what a partial collection has to explain.

        Raises:
            Refused: A value cannot be read, or one that has to be read is missing.
        """
        found = []
        for name, given, known in (
            ("kit", kit, self.kits),
            ("anticoagulant", anticoagulant, self.anticoagulants),
        ):
            if known and given not in known:
                found.append(_outside(name, given or "none", ", ".join(known)))
        if limit := self.volume.fault(volume):
            found.append(_outside("volume", str(volume), limit))
        for one in self.data:
            if not data.get(one.id, "").strip():
                raise Refused.of(
                    [_problem("collection-incomplete", one.title, "no value", f"in {one.unit}")]
                )
            value = _value(one, data[one.id])
            if limit := one.limits.fault(value):
                found.append(_outside(one.title, str(value), limit))
        return found


def _value(datum: Datum, text: str) -> Quantity:
    read = Quantity.parse(text)
    return Quantity(read.value, datum.unit) if read.unit == "1" else read.to(datum.unit)


def _outside(what: str, found: str, limit: str) -> Problem:
    return _problem("collection-outside-specification", what, found, limit)


def _problem(code: str, what: str, found: str, limit: str) -> Problem:
    remedies = {
        "collection-incomplete": "read it and enter it",
        "collection-outside-specification": "correct the entry, or report a partial collection with"
        " its reason",
    }
    return Problem(
        code=code, what=what, found=found, limit=limit, remedy=remedies[code], rule=RULE, path=what
    )
