"""Classes of equipment: what a unit must be able to do, its calibration and its cleaning."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from anlage.base import Quantity, Refused

from .fields import Content, Fields, Heading, Reference, read_with


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Something that a unit of the class measures or keeps.

    Attributes:
        name: Which ("temperature").
        unit: Unit of the range.
        lower: Least value; None for none.
        upper: Greatest value; None for none.
        calibrate_every: How often it is calibrated; None where it need not be.
        accuracy: How far a calibrated reading may lie off.
    """

    name: str
    unit: str
    lower: Decimal | None
    upper: Decimal | None
    calibrate_every: Quantity | None
    accuracy: Quantity | None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one capability."""
        one = cls(
            name=fields.id("name"),
            unit=fields.unit("unit"),
            lower=fields.number("lower"),
            upper=fields.number("upper"),
            calibrate_every=fields.quantity("calibrate-every"),
            accuracy=fields.quantity("accuracy"),
        )
        if one.calibrate_every is not None:
            one.calibrate_every.to("d")
        if one.lower is not None and one.upper is not None and one.lower > one.upper:
            raise Refused(
                "equipment-class-malformed",
                what=f"capability {one.name}",
                found=f"lower {one.lower} above upper {one.upper}",
                limit="lower <= upper",
                remedy="exchange them",
                path="lower",
            )
        return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """How a unit is cleaned between two lots.

    Attributes:
        agent: With what.
        contact: How long the agent must act.
        lasts: How long a cleaned unit stays clean.
        sop: The procedure.
    """

    agent: str
    contact: Quantity | None
    lasts: Quantity | None
    sop: Reference | None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read how it is cleaned."""
        one = cls(
            agent=fields.text("agent"),
            contact=fields.quantity("contact"),
            lasts=fields.quantity("lasts"),
            sop=fields.reference("sop", "sop"),
        )
        for duration in (one.contact, one.lasts):
            if duration is not None:
                duration.to("min")
        return one


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentClass:
    """A class of equipment.

    Attributes:
        heading: Identifier, title and basis.
        grade: Cleanroom grade inside it or around it; empty where none matters.
        is_open: Whether product is handled openly in it: then one patient at a time, always.
        holds: How many lots it may hold at once, each closed.
        capabilities: What it measures or keeps.
        cleaning: How it is cleaned between lots; None for single use.
    """

    heading: Heading
    grade: str
    is_open: bool
    holds: int
    capabilities: tuple[Capability, ...]
    cleaning: Cleaning | None

    def __post_init__(self) -> None:
        if self.is_open and self.holds > 1:
            raise Refused(
                "equipment-class-malformed",
                what=self.heading.id,
                found=f"open handling of {self.holds} lots",
                limit="one lot at a time where product is open",
                remedy="set holds to 1",
                rule="EU GMP Part IV: prevention of mix-up and cross-contamination",
                path="holds",
            )

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read an equipment class from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read an equipment class."""
        return cls(
            heading=fields.heading("equipment-class"),
            grade=fields.choice("grade", ("A", "B", "C", "D", "none"), "none"),
            is_open=fields.flag("open", False),
            holds=fields.whole("holds", 1, least=1, most=10_000),
            capabilities=fields.each("capabilities", Capability.from_fields, unique="name"),
            cleaning=fields.group("cleaning", Cleaning.from_fields),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The cleaning procedure."""
        sop = self.cleaning.sop if self.cleaning else None
        return () if sop is None else (sop,)
