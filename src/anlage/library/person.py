"""A person at work: roles granted, qualifications earned and lost, documents read.

One stream per person, `person/ID`. The second hard stop is asked here: `must_be_qualified`. A
grant carries the requirements of the role as they were when it was granted; a decision that has
the role's effective definition at hand passes it, and then that one counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Refused, clean_line, clean_text, stamp
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .role import Qualifies, Requirement, Role

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
    """

    id: str
    name: str = ""
    post: str = ""
    grants: Mapping[str, Grant] = field(default_factory=dict)
    qualifications: Mapping[tuple[Qualifies, str], Qualification] = field(default_factory=dict)
    is_active: bool = False

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
            documents: The effective version of each SOP; an older one read does not count. A
                document that is not named here counts from the version that the role requires.

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
            least = (documents or {}).get(requirement.subject, requirement.version or 1)
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


# Decisions ---------------------------------------------------------------------------------------


def register(person: Person, *, name: str, post: str = "") -> list[Entry]:
    """Give the fact that makes a person known.

    Raises:
        Refused: The identifier has been given to somebody; it is never reused.
    """
    if person.name:
        raise Refused(
            "person-known",
            what=f"person {person.id}",
            found=person.name,
            limit="an identifier never used before",
            remedy="choose another identifier, or have the person return",
            rule="21 CFR 11.100(a)",
        )
    registered = PersonRegistered(
        id=person.id,
        name=clean_line(name, "name", limit=120),
        post=clean_line(post, "post", limit=120) if post else "",
    )
    return [Entry(person.stream, registered)]


def rename(person: Person, *, name: str, why: str) -> list[Entry]:
    """Give the fact that changes a person's printed name; earlier signatures keep theirs.

    Raises:
        Refused: The person is not active, or the name is not usable.
    """
    person.must_be_active()
    renamed = PersonRenamed(before=person.name, name=clean_line(name, "name", limit=120))
    return [Entry(person.stream, renamed, why=clean_text(why, "reason"))]


def grant(
    person: Person,
    role: Role,
    *,
    role_version: int,
    by: Person,
    until: Instant | None = None,
) -> list[Entry]:
    """Give the fact that lets a person act in a role once its requirements are met.

    Raises:
        Refused: The person is not active, grants it to themself, or holds a role that this one
            excludes.
    """
    person.must_be_active()
    if by.id == person.id:
        raise Refused(
            "grant-to-self",
            what=f"role {role.heading.id} for {person.name}",
            found="granted by the same person",
            limit="another person",
            remedy="ask another administrator",
            rule="21 CFR 11.10(d)",
        )
    if clash := sorted(role.excludes & person.roles):
        raise Refused(
            "roles-exclusive",
            what=f"role {role.heading.id} for {person.name}",
            found=f"holds {', '.join(clash)}",
            limit="no role that it excludes",
            remedy="withdraw the other role first",
            rule="21 CFR 211.22; independence of quality",
        )
    granted = RoleGranted(
        role=role.heading.id,
        role_version=role_version,
        requires=role.requires,
        granted_by=by.id,
        until=until,
    )
    return [Entry(person.stream, granted)]


def withdraw(person: Person, role: str, *, by: Person, reason: str) -> list[Entry]:
    """Give the fact that ends a role.

    Raises:
        Refused: The person does not hold it, or no reason is given.
    """
    if role not in person.grants:
        raise Refused(
            "role-not-held",
            what=f"role {role} of {person.name or person.id}",
            found=", ".join(sorted(person.grants)) or "no role",
            limit="a role that the person holds",
            remedy="choose one of these",
        )
    withdrawn = RoleWithdrawn(role=role, by=by.id, reason=clean_text(reason, "reason"))
    return [Entry(person.stream, withdrawn)]


def assess(
    person: Person,
    requirement: Requirement,
    finding: Finding,
    *,
    assessor: Person,
    assessed: Instant,
    at: Instant,
    evidence: str = "",
    signature: Signature | None = None,
) -> list[Entry]:
    """Give the fact of an assessment; its expiry follows from the requirement.

    Raises:
        Refused: The person assesses themself, is not active, or the date lies ahead.
    """
    person.must_be_active()
    assessor.must_be_active()
    if requirement.kind is Qualifies.DOCUMENT:
        raise Refused(
            "assessment-of-reading",
            what=f"{requirement} of {person.name}",
            found="an assessment by somebody else",
            limit="the person's own signature under the document",
            remedy="have the person read and sign it",
        )
    if assessor.id == person.id:
        raise Refused(
            "assessed-by-self",
            what=f"{requirement} of {person.name}",
            found="assessed by the same person",
            limit="another person",
            remedy="ask an assessor",
            rule=RULE,
        )
    if assessed > at:
        raise Refused(
            "assessment-ahead",
            what=f"{requirement} of {person.name}",
            found=stamp(assessed),
            limit=f"at most {stamp(at)}",
            remedy="enter the day on which it was done",
            rule="ALCOA: contemporaneous",
        )
    made = QualificationAssessed(
        requirement=requirement.kind,
        subject=requirement.subject,
        finding=finding,
        assessor=assessor.id,
        assessed=assessed,
        expires=requirement.expiry(assessed) if finding is Finding.PASSED else None,
        evidence=clean_text(evidence, "evidence") if evidence else "",
        signature=signature,
    )
    return [Entry(person.stream, made, happened=assessed)]


def revoke(
    person: Person, kind: Qualifies, subject: str, *, by: Person, reason: str
) -> list[Entry]:
    """Give the fact that ends a qualification before its time.

    Raises:
        Refused: The person does not hold it, or no reason is given.
    """
    held = person.qualification(kind, subject)
    if held is None or held.revoked is not None:
        raise Refused(
            "qualification-not-held",
            what=f"{Requirement(kind=kind, subject=subject)} of {person.name or person.id}",
            found="revoked already" if held else "never assessed",
            limit="a qualification that the person holds",
            remedy="nothing is left to do",
        )
    revoked = QualificationRevoked(
        requirement=kind, subject=subject, by=by.id, reason=clean_text(reason, "reason")
    )
    return [Entry(person.stream, revoked)]


def read_document(
    person: Person,
    document: str,
    version: int,
    *,
    digest: str,
    at: Instant,
    requirement: Requirement | None = None,
    signature: Signature | None = None,
) -> list[Entry]:
    """Give the fact that a person has read and understood a version of a document.

    Raises:
        Refused: The person is not active, or the signature is somebody else's.
    """
    person.must_be_active()
    if signature is not None and signature.person != person.id:
        raise Refused(
            "signature-of-another",
            what=f"read-and-understood of {document} version {version}",
            found=signature.name,
            limit=person.name,
            remedy="let the person sign who read it",
            rule="21 CFR 11.200(a)(2)",
        )
    read = DocumentRead(
        document=document,
        version=version,
        digest=digest,
        expires=requirement.expiry(at) if requirement else None,
        signature=signature,
    )
    return [Entry(person.stream, read)]


def leave(person: Person, *, by: Person, at: Instant, reason: str) -> list[Entry]:
    """Give the fact that a person has left; all roles end with it.

    Raises:
        Refused: The person is not active, or no reason is given.
    """
    person.must_be_active()
    left = PersonLeft(since=at, by=by.id, reason=clean_text(reason, "reason"))
    return [Entry(person.stream, left)]


def come_back(person: Person, *, by: Person, at: Instant) -> list[Entry]:
    """Give the fact that a person who had left is back, without any role.

    Raises:
        Refused: The person never left.
    """
    if person.is_active or not person.name:
        raise Refused(
            "person-not-away",
            what=f"return of {person.name or person.id}",
            found="active" if person.is_active else "never registered",
            limit="a person who left",
            remedy="register the person" if not person.name else "nothing is left to do",
        )
    return [Entry(person.stream, PersonReturned(since=at, by=by.id))]


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
