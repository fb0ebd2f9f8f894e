"""Roles, and what a person must have to act in one."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Quantity, Refused

from .fields import Content, Fields, Heading, Reference, read_with


class Qualifies(StrEnum):
    """The kinds of requirement."""

    GRANT = "grant"
    TRAINING = "training"
    GOWNING = "gowning"
    PROCESS_SIMULATION = "aseptic-process-simulation"
    EYESIGHT = "eyesight"
    DOCUMENT = "sop"


_ASKED = tuple(kind.value for kind in Qualifies if kind is not Qualifies.GRANT)
_WORDS = {
    Qualifies.GRANT: "grant of role",
    Qualifies.TRAINING: "training",
    Qualifies.GOWNING: "gowning qualification",
    Qualifies.PROCESS_SIMULATION: "aseptic process simulation",
    Qualifies.EYESIGHT: "eyesight for",
    Qualifies.DOCUMENT: "read-and-understood of SOP",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that a role asks for.

    Attributes:
        kind: Training, gowning, aseptic process simulation, eyesight, or an SOP read.
        subject: What it is about: a subject of training, a room grade, a process, an SOP.
        every_days: After how many days it must be renewed; None for never.
        version: For an SOP: the least version that counts where the effective one is not known.
    """

    kind: Qualifies
    subject: str
    every_days: int | None = None
    version: int | None = None

    def expiry(self, since: Instant) -> Instant | None:
        """Give when a qualification earned at an instant expires; None for never."""
        return None if self.every_days is None else since + timedelta(days=self.every_days)

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]} {self.subject}"

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one requirement from a list of them."""
        kind = Qualifies(fields.choice("kind", _ASKED))
        every = fields.quantity("renew")
        return cls(
            kind=kind,
            subject=fields.id("subject"),
            every_days=None if every is None else _days(every),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role as defined.

    Attributes:
        heading: Identifier, title and basis.
        duties: What a person in the role does, one sentence each.
        requires: What a person must have.
        excludes: Roles that the same person must not hold.
    """

    heading: Heading
    duties: tuple[str, ...]
    requires: tuple[Requirement, ...]
    excludes: frozenset[str]
    _named: tuple[Reference, ...] = ()

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a role from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a role."""
        heading = fields.heading("role")
        excludes = fields.ids("excludes", "role")
        return cls(
            heading=heading,
            duties=fields.texts("duties", least=1),
            requires=fields.each("requires", Requirement.from_fields),
            excludes=frozenset(one.id for one in excludes),
            _named=excludes,
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The roles it excludes and the SOPs it asks for."""
        sops = tuple(
            Reference(kind="sop", id=one.subject, path=f"requires[{at}].subject")
            for at, one in enumerate(self.requires)
            if one.kind is Qualifies.DOCUMENT
        )
        return (*self._named, *sops)


def _days(every: Quantity) -> int:
    days = every.to("d").value
    if days != int(days) or not 1 <= days <= 3660:
        raise Refused(
            "requirement-malformed",
            what="renew",
            found=every,
            limit="whole days, 1 d to 3660 d",
            remedy="state it in days",
            path="renew",
        )
    return int(days)
