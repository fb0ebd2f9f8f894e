"""What people ask for: requests about definitions and persons, as pages, API and command line build
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from anlage.base import Instant
from anlage.record import Signature

from .definition import LotImpact
from .person import Finding
from .role import Qualifies


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftDefinition:
    """Write the next version of a definition, or rewrite its draft.

    Attributes:
        content: The whole content, with kind and id.
        reason: Why it changes; needed from the second version on.
        impact: What the change means; needed from the second version on.
        lots: What becomes of lots in progress, as far as it is known.
    """

    content: Mapping[str, object]
    reason: str | None = None
    impact: str | None = None
    lots: tuple[LotImpact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitDefinition:
    """Fix a draft and hand it to review."""

    kind: str
    id: str
    number: int
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDefinition:
    """Send a version in review back to its author."""

    kind: str
    id: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveDefinition:
    """Make a version effective.

    Attributes:
        digest: The digest of what is approved, as it was shown.
        effective: From when; at once when None.
        lots: What becomes of lots in progress.
    """

    kind: str
    id: str
    number: int
    digest: str
    effective: Instant | None = None
    lots: tuple[LotImpact, ...] = ()
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireDefinition:
    """Take a definition out of use at once."""

    kind: str
    id: str
    reason: str
    impact: str
    lots: tuple[LotImpact, ...] = ()
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPerson:
    """Make a person known; the identifier is given, or the next of the series."""

    name: str
    post: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamePerson:
    """Change a person's printed name."""

    person: str
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    """Let a person act in a role."""

    person: str
    role: str
    until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRole:
    """End a person's role."""

    person: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessQualification:
    """Record how an assessment of a person ended.

    Attributes:
        assessed: When it was done; now when None.
        every_days: After how many days it is renewed, where no role of the person says so.
    """

    person: str
    requirement: Qualifies
    subject: str
    finding: Finding
    assessed: Instant | None = None
    every_days: int | None = None
    evidence: str = ""
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeQualification:
    """End a qualification before its time."""

    person: str
    requirement: Qualifies
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """State to have read and understood the effective version of an SOP."""

    document: str
    version: int
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEmployment:
    """Record that a person has left."""

    person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeEmployment:
    """Record that a person who had left is back."""

    person: str
