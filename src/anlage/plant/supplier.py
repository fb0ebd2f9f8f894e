"""Suppliers: qualified for which material classes, until when, and where there is no second."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from anlage.base import Instant, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream, fact

RULE = "EU GMP Part IV (ATMP) 7.12; 21 CFR 211.84"


@fact("supplier-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierRegistered:
    """A supplier came onto the list, not yet qualified for anything."""

    name: str


@fact("supplier-qualified")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierQualified:
    """Quality qualified a supplier for one material class.

    Attributes:
        material_class: The class.
        due: The last instant of the qualification.
        basis: What it stands on: audit, questionnaire, certificate of suitability ...
        is_sole_source: Whether nobody else can deliver the class, which is a risk to plan for.
        signature: The signature of quality.
    """

    material_class: str
    due: Instant
    basis: str
    is_sole_source: bool
    signature: Signature


@fact("supplier-disqualified")
@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierDisqualified:
    """A supplier lost the qualification for one material class; the reason is the fact's why."""

    material_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualified:
    """A qualification as it stands."""

    due: Instant
    is_sole_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSupplier:
    """Put a supplier onto the list."""

    supplier: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifySupplier:
    """Qualify a supplier for one material class."""

    supplier: str
    material_class: str
    due: Instant
    basis: str
    is_sole_source: bool = False
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisqualifySupplier:
    """Take the qualification for one material class away."""

    supplier: str
    material_class: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """The state of one supplier, stream `supplier/ID`."""

    stream: Stream
    name: str | None = None
    classes: Mapping[str, Qualified] = field(default_factory=dict)

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a supplier that nobody registered."""
        return cls(stream=stream)

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact; a withheld one leaves it as it is."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case SupplierRegistered(name=name):
                return replace(self, name=name)
            case SupplierQualified() as said:
                held = Qualified(due=said.due, is_sole_source=said.is_sole_source)
                return replace(self, classes={**self.classes, said.material_class: held})
            case SupplierDisqualified(material_class=lost):
                kept = {name: held for name, held in self.classes.items() if name != lost}
                return replace(self, classes=kept)
            case _:
                return self

    def gap(self, material_class: str, at: Instant) -> str | None:
        """Say what is missing for a class at an instant; None when nothing is."""
        held = self.classes.get(material_class)
        if held is None:
            return f"supplier {self.stream.id} is not qualified for {material_class}"
        if at > held.due:
            return f"supplier {self.stream.id}: qualification ended {held.due:%Y-%m-%d}"
        return None

    def must_be_qualified(self, material_class: str, at: Instant) -> None:
        """Refuse a supplier that is not qualified for a class at an instant.

        Raises:
            Refused: `supplier-unqualified`.
        """
        if (gap := self.gap(material_class, at)) is not None:
            raise Refused(
                "supplier-unqualified",
                what=f"supplier {self.stream.id}",
                found=gap,
                limit=f"qualified for {material_class} at {at:%Y-%m-%d}",
                remedy="qualify the supplier first, or order from another",
                rule=RULE,
            )


def register_supplier(supplier: Supplier, request: RegisterSupplier) -> list[Entry]:
    """Put a supplier onto the list.

    Raises:
        Refused: It is on the list already.
    """
    if supplier.name is not None:
        raise _refused(supplier, f"registered as {supplier.name}", "a fresh identifier")
    return [Entry(supplier.stream, SupplierRegistered(name=clean_line(request.name, "name")))]


def qualify_supplier(supplier: Supplier, request: QualifySupplier, *, at: Instant) -> list[Entry]:
    """Qualify a supplier for one class.

    Raises:
        Refused: It is not on the list, the date is past, or the signature is missing.
    """
    if supplier.name is None:
        raise _refused(supplier, "not on the list", "a registered supplier")
    if request.due <= at:
        raise _refused(supplier, f"due {request.due:%Y-%m-%d}", f"after {at:%Y-%m-%d}")
    if request.signature is None:
        raise _refused(supplier, "no signature", "the signature of quality")
    said = SupplierQualified(
        material_class=request.material_class,
        due=request.due,
        basis=clean_line(request.basis, "basis of the qualification"),
        is_sole_source=request.is_sole_source,
        signature=request.signature,
    )
    return [Entry(supplier.stream, said)]


def disqualify_supplier(supplier: Supplier, request: DisqualifySupplier) -> list[Entry]:
    """Take a qualification away.

    Raises:
        Refused: There is none.
    """
    if request.material_class not in supplier.classes:
        raise _refused(supplier, f"not qualified for {request.material_class}", "a qualification")
    said = SupplierDisqualified(material_class=request.material_class)
    return [Entry(supplier.stream, said, why=clean_line(request.reason, "reason"))]


def supplier_sentence(recorded: Recorded) -> str | None:
    """Say in one sentence what a fact of a supplier tells; None for any other fact."""
    name = recorded.stream.id
    match recorded.fact:
        case SupplierRegistered(name=called):
            return f"Supplier {name} ({called}) came onto the list."
        case SupplierQualified() as said:
            sole = ", the only source," if said.is_sole_source else ""
            return (
                f"{said.signature.name} qualified supplier {name} for {said.material_class}{sole} "
                f"until {said.due:%Y-%m-%d}, on the basis of {said.basis}."
            )
        case SupplierDisqualified(material_class=lost):
            return f"Supplier {name} is no longer qualified for {lost}. Reason: {recorded.why}."
        case _:
            return None


def _refused(supplier: Supplier, found: str, limit: str) -> Refused:
    return Refused(
        "supplier-status",
        what=f"supplier {supplier.stream.id}",
        found=found,
        limit=limit,
        remedy="correct the entry",
        rule=RULE,
    )
