"""What is decided about persons: registered, granted roles, assessed, leaving, coming back.

Each decision receives the persons as folded and gives facts, or refuses.
"""

from anlage.base import Instant, Refused, clean_line, clean_text, stamp
from anlage.record import Entry, Signature

from .person import (
    RULE,
    DocumentRead,
    Finding,
    Person,
    PersonLeft,
    PersonRegistered,
    PersonRenamed,
    PersonReturned,
    QualificationAssessed,
    QualificationRevoked,
    RoleGranted,
    RoleWithdrawn,
)
from .role import Qualifies, Requirement, Role


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
