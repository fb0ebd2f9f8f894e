"""A person at work: roles granted, qualifications earned and lost, documents read.

One stream per person, `person/ID`. The second hard stop is asked here: `must_be_qualified`. A
grant carries the requirements of the role as they were when it was granted; a decision that has
the role's effective definition at hand passes it, and then that one counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Refused, stamp
from anlage.record import Recorded, Signature, Stream, World, fact

from .role import Qualifies, Requirement

RULE = "21 CFR 211.25; EU GMP Part IV 3.10; Annex 11 §2"


class Finding(StrEnum):
    """How an assessment ended."""

    PASSED = "passed"
    FAILED = "failed"


@fact("person-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRegistered:
    """A person became known; the identifier is never given to anybody else (21 CFR 11.100)."""

    id: str
    name: str
    post: str = ""


@fact("person-renamed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRenamed:
    """A person's printed name changed."""

    before: str
    name: str


@fact("role-granted")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted:
    """A person may act in a role once its requirements are met."""

    role: str
    role_version: int
    requires: tuple[Requirement, ...]
    granted_by: str
    until: Instant | None = None


@fact("role-withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoleWithdrawn:
    """A person may act in a role no longer."""

    role: str
    by: str
    reason: str


@fact("qualification-assessed")
@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationAssessed:
    """Training, gowning, a process simulation or eyesight was assessed."""

    requirement: Qualifies
    subject: str
    finding: Finding
    assessor: str
    assessed: Instant
    expires: Instant | None = None
    evidence: str = ""
    signature: Signature | None = None


@fact("qualification-revoked")
@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationRevoked:
    """A qualification counts no longer."""

    requirement: Qualifies
    subject: str
    by: str
    reason: str


@fact("document-read")
@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRead:
    """A person read a version of a document and states to have understood it."""

    document: str
    version: int
    digest: str
    expires: Instant | None = None
    signature: Signature | None = None


@fact("person-left")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft:
    """A person left: every role and access ends at once; the record stays."""

    since: Instant
    by: str
    reason: str


@fact("person-returned")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReturned:
    """A person who had left is back; roles are granted again, one by one."""

    since: Instant
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role as it was granted."""

    role: str
    role_version: int
    requires: tuple[Requirement, ...]
    granted_by: str
    since: Instant
    until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """The latest assessment of one requirement.

    Attributes:
        requirement: Which kind it is.
        subject: What it is about: an SOP, a room grade, a process, a method.
        finding: How it ended; a failure ends an earlier pass.
        assessed: When.
        expires: When it ends; None for never.
        assessor: Who assessed it.
        revoked: Why it was revoked, if it was.
        version: The document's version, for documents read.
    """

    requirement: Qualifies
    subject: str
    finding: Finding
    assessed: Instant
    expires: Instant | None = None
    assessor: str = ""
    revoked: str | None = None
    version: int | None = None

    def is_valid(self, at: Instant) -> bool:
        """Tell whether it counts at an instant."""
        return self.lapse(at) is None

    def lapse(self, at: Instant) -> str | None:
        """Say why it does not count at an instant; None when it does."""
        if self.revoked is not None:
            return f"revoked: {self.revoked}"
        if self.finding is Finding.FAILED:
            return f"failed on {stamp(self.assessed)[:10]}"
        if at < self.assessed:
            return f"dated {stamp(self.assessed)[:10]}, later than the work"
        if self.expires is not None and self.expires <= at:
            return f"expired on {stamp(self.expires)[:10]}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that stands between a person and a role."""

    requirement: Requirement
    found: str

    def __str__(self) -> str:
        return f"{self.requirement}: {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as folded from the person's stream.

    Attributes:
        id: Identifier; never reused.
        name: The printed name.
        post: The post held, in words.
        grants: Roles by identifier.
        qualifications: By kind and subject.
        is_active: False before registration and after leaving.
        documents: The effective version of each SOP, where whoever loaded the person knew it.
        world: The world in which they act, as whoever loaded the person knew it; the strictest one
            otherwise.
    """

    id: str
    name: str = ""
    post: str = ""
    grants: Mapping[str, Grant] = field(default_factory=dict)
    qualifications: Mapping[tuple[Qualifies, str], Qualification] = field(default_factory=dict)
    is_active: bool = False
    documents: Mapping[str, int] = field(default_factory=dict)
    world: World = World.REAL

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a person of whom nothing is known."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of this person's facts."""
        return stream_of_person(self.id)

    @property
    def roles(self) -> frozenset[str]:
        """The roles granted and not withdrawn; whether they may be used is `must_be_qualified`."""
        return frozenset(self.grants) if self.is_active else frozenset()

    @property
    def signs_as(self) -> str:
        """The name that a signature prints."""
        return self.name

    @property
    def documents_asked(self) -> frozenset[str]:
        """The SOPs that the person's roles ask to be read."""
        return frozenset(
            one.subject
            for held in self.grants.values()
            for one in held.requires
            if one.kind is Qualifies.DOCUMENT
        )

    def knowing(self, documents: Mapping[str, int]) -> Self:
        """Give the person as judged by these effective versions of SOPs."""
        return replace(self, documents=documents)

    def must_be_active(self) -> None:
        """See that the person works here.

        Raises:
            Refused: `operator-unqualified`: the person is unknown or has left.
        """
        if not self.is_active:
            found = "has left" if self.name else "is not registered"
            raise self._unqualified("any role", f"{found}", "have the person registered")

    def must_be_qualified(
        self,
        role: str,
        at: Instant,
        *,
        requires: Sequence[Requirement] | None = None,
        documents: Mapping[str, int] | None = None,
    ) -> None:
        """See that the person may act in a role at an instant (the second hard stop).

        Args:
            role: Identifier of the role.
            at: When the work is done.
            requires: The requirements to meet; None for those of the grant.
            documents: The effective version of each SOP; an older one read does not count. None
                for those that the person was loaded with.

        Raises:
            Refused: `operator-unqualified`, with every gap.
        """
        self.must_be_active()
        gaps = self.gaps(role, at, requires=requires, documents=documents)
        if not gaps:
            return
        if role not in self.grants:
            held = ", ".join(sorted(self.grants)) or "no role"
            raise self._unqualified(f"role {role}", held, "have the role granted")
        first, *others = [
            self._unqualified(f"role {role}", str(gap), "renew it, or let another person do it")
            for gap in gaps
        ]
        raise Refused.of([first.problem, *(other.problem for other in others)])

    def gaps(
        self,
        role: str,
        at: Instant,
        *,
        requires: Sequence[Requirement] | None = None,
        documents: Mapping[str, int] | None = None,
    ) -> tuple[Gap, ...]:
        """Give everything that stands between the person and a role at an instant."""
        grant = self.grants.get(role)
        if grant is None or not self.is_active:
            asked = Requirement(kind=Qualifies.GRANT, subject=role)
            return (Gap(requirement=asked, found="not granted"),)
        found = []
        if grant.until is not None and grant.until <= at:
            asked = Requirement(kind=Qualifies.GRANT, subject=role)
            found.append(Gap(requirement=asked, found=f"ended on {stamp(grant.until)[:10]}"))
        for requirement in grant.requires if requires is None else requires:
            known = self.documents if documents is None else documents
            least = known.get(requirement.subject, requirement.version or 1)
            if (why := self._lapse(requirement, at, least)) is not None:
                found.append(Gap(requirement=requirement, found=why))
        return tuple(found)

    def is_qualified(self, role: str, at: Instant) -> bool:
        """Tell whether the person may act in a role at an instant."""
        return self.is_active and not self.gaps(role, at)

    def qualification(self, kind: Qualifies, subject: str) -> Qualification | None:
        """Give the latest assessment of a requirement; None when there was none."""
        return self.qualifications.get((kind, subject))

    def has_read(self, document: str, version: int, at: Instant) -> bool:
        """Tell whether the person has read this version of a document, and it still counts."""
        asked = Requirement(kind=Qualifies.DOCUMENT, subject=document)
        return self._lapse(asked, at, version) is None

    def _lapse(self, requirement: Requirement, at: Instant, least: int) -> str | None:
        held = self.qualification(requirement.kind, requirement.subject)
        if held is None:
            missing = requirement.kind is Qualifies.DOCUMENT
            return "not read" if missing else "never assessed"
        if requirement.kind is Qualifies.DOCUMENT and (held.version or 0) < least:
            return f"read in version {held.version}; version {least} is effective"
        return held.lapse(at)

    def _unqualified(self, what: str, found: str, remedy: str) -> Refused:
        return Refused(
            "operator-unqualified",
            what=f"{self.name or self.id} in {what}",
            found=found,
            limit="every requirement of the role met and in date",
            remedy=remedy,
            rule=RULE,
        )

    def after(self, recorded: Recorded) -> Self:
        """Give the person after one more fact."""
        match recorded.fact:
            case PersonRegistered(name=name, post=post):
                return replace(self, name=name, post=post, is_active=True)
            case PersonRenamed(name=name):
                return replace(self, name=name)
            case RoleGranted() as granted:
                return self._granted(granted, recorded.happened)
            case RoleWithdrawn(role=role):
                left = {name: grant for name, grant in self.grants.items() if name != role}
                return replace(self, grants=left)
            case QualificationAssessed() as assessed:
                return self._qualified(_assessed(assessed))
            case QualificationRevoked() as revoked:
                return self._revoked(revoked)
            case DocumentRead() as read:
                return self._qualified(_read(read, recorded.happened))
            case PersonLeft():
                return replace(self, is_active=False, grants={})
            case PersonReturned():
                return replace(self, is_active=True)
            case _:
                return self

    def _granted(self, granted: RoleGranted, since: Instant) -> Self:
        grant = Grant(
            role=granted.role,
            role_version=granted.role_version,
            requires=granted.requires,
            granted_by=granted.granted_by,
            since=since,
            until=granted.until,
        )
        return replace(self, grants={**self.grants, granted.role: grant})

    def _qualified(self, one: Qualification) -> Self:
        key = (one.requirement, one.subject)
        return replace(self, qualifications={**self.qualifications, key: one})

    def _revoked(self, revoked: QualificationRevoked) -> Self:
        held = self.qualification(revoked.requirement, revoked.subject)
        return self if held is None else self._qualified(replace(held, revoked=revoked.reason))


def stream_of_person(id: str) -> Stream:
    """Give the stream of a person.

    Raises:
        Refused: The identifier has a character that a stream cannot hold.
    """
    return Stream(f"person/{id}")


def _assessed(made: QualificationAssessed) -> Qualification:
    return Qualification(
        requirement=made.requirement,
        subject=made.subject,
        finding=made.finding,
        assessed=made.assessed,
        expires=made.expires,
        assessor=made.assessor,
    )


def _read(read: DocumentRead, at: Instant) -> Qualification:
    return Qualification(
        requirement=Qualifies.DOCUMENT,
        subject=read.document,
        finding=Finding.PASSED,
        assessed=at,
        expires=read.expires,
        version=read.version,
    )
