"""The kinds of definition, and the one check that a file passes before it becomes a draft."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from anlage.base import Problem, Refused, digest

from .calculation import Calculation
from .checklist import Checklist
from .collection import Collection
from .document import Document, read_yaml
from .equipment_class import EquipmentClass
from .fields import Content, Reference
from .label import Label
from .material_class import MaterialClass
from .medium import RuleSet
from .method import Method
from .product import Product
from .role import Role
from .sop import Procedure
from .specification import Specification


class Defined(Protocol):
    """What every kind of definition gives once it is read."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The definitions that it names."""
        ...


Read = Callable[[Content], Defined]
Check = Callable[[Any], Sequence[Problem]]
_KINDS: dict[str, Read] = {
    "product": Product.read,
    "specification": Specification.read,
    "calculation": Calculation.read,
    "material-class": MaterialClass.read,
    "method": Method.read,
    "equipment-class": EquipmentClass.read,
    "role": Role.read,
    "checklist": Checklist.read,
    "collection": Collection.read,
    "label": Label.read,
    "sop": Procedure.read,
    "vocabulary": RuleSet.read,
}

_CHECKS: dict[str, list[Check]] = {}


def register_kind(kind: str, read: Read) -> None:
    """Add a kind of definition that another package reads, such as the recipes of the plant.

    Raises:
        ValueError: The kind is read by somebody else.
    """
    if _KINDS.get(kind, read) is not read:
        raise ValueError(f"kind {kind} is registered twice")
    _KINDS[kind] = read


def register_check(kind: str, check: Check) -> None:
    """Add what another package knows to be wrong of a kind, such as an analysis that is not."""
    if check not in _CHECKS.setdefault(kind, []):
        _CHECKS[kind].append(check)


def kinds() -> tuple[str, ...]:
    """Give every kind, in alphabetical order."""
    return tuple(sorted(_KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A definition that passed the check of its kind.

    Attributes:
        kind: Its kind.
        id: Its identifier.
        title: Its name in words.
        content: The normalised content.
        digest: SHA-256 of the canonical content.
        defined: What the kind's class reads from it.
        document: The file it came from; None when it did not come from one.
    """

    kind: str
    id: str
    title: str
    content: Content
    digest: str
    defined: Defined
    document: Document | None = None


def check_content(content: Content) -> Checked:
    """Check the content of a definition by its kind.

    Raises:
        Refused: With every problem and its path.
    """
    kind = content.get("kind")
    read = _KINDS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise Refused(
            "definition-kind",
            what="kind of definition",
            found="nothing" if kind is None else str(kind)[:60],
            limit=", ".join(kinds()),
            remedy="begin the file with kind: and one of these",
            rule="definition schema",
            path="kind",
        )
    defined = read(content)
    if problems := [one for check in _CHECKS.get(str(kind), ()) for one in check(defined)]:
        raise Refused.of(problems)
    return Checked(
        kind=str(kind),
        id=str(content.get("id")),
        title=str(content.get("title", "")),
        content=content,
        digest=digest(content),
        defined=defined,
    )


def check_document(data: bytes | str, name: str | None = None) -> Checked:
    """Check a definition's file: syntax, schema of its kind, sense.

    Raises:
        Refused: With every problem, each with its line and what to do.
    """
    document = read_yaml(data, name)
    try:
        checked = check_content(document.content)
    except Refused as refusal:
        raise Refused.of(document.locate(one) for one in refusal.problems) from refusal
    return Checked(
        kind=checked.kind,
        id=checked.id,
        title=checked.title,
        content=checked.content,
        digest=checked.digest,
        defined=checked.defined,
        document=document,
    )


def dangling(checked: Iterable[Checked], known: Iterable[tuple[str, str]] = ()) -> list[Problem]:
    """Give every reference, among definitions checked together, to one that is not there.

    Args:
        checked: The definitions.
        known: Kind and id of definitions that exist elsewhere, as in an installation.
    """
    together = list(checked)
    there = {(one.kind, one.id) for one in together} | set(known)
    problems = []
    for one in together:
        for reference in one.defined.references:
            if (reference.kind, reference.id) in there:
                continue
            problem = Problem(
                code="reference-dangling",
                what=f"{one.kind} {one.id}",
                found=f"{reference.kind} {reference.id}, which is not there",
                limit="a definition of this set or of the installation",
                remedy="add it, or correct the name",
                rule="definition schema",
                path=reference.path or None,
            )
            problems.append(one.document.locate(problem) if one.document else problem)
    return problems


def used_by(kind: str, id: str, among: Iterable[Checked]) -> list[tuple[str, str, str]]:
    """Give where a definition is used: kind, identifier and path of each that names it."""
    return [
        (one.kind, one.id, reference.path)
        for one in among
        for reference in one.defined.references
        if (reference.kind, reference.id) == (kind, id)
    ]
