"""Commands of persons: register, grant, assess, read, leave."""

from anlage.base import Refused
from anlage.library import (
    APPROVER,
    AssessQualification,
    Definition,
    EndEmployment,
    GrantRole,
    Person,
    Phase,
    Qualifies,
    ReadDocument,
    RegisterPerson,
    RenamePerson,
    Requirement,
    ResumeEmployment,
    RevokeQualification,
    Role,
    WithdrawRole,
    assess,
    come_back,
    grant,
    leave,
    read_document,
    register,
    rename,
    revoke,
    starter,
    stream_of,
    stream_of_person,
    withdraw,
)
from anlage.record import Entry

from ..engine import Desk, command
from .definitions import AUTHOR, me, must_be_own
from .materials import must_act

ADMINISTRATOR, TRAINER, QUALITY = "administrator", "trainer", "qa-reviewer"
SKIPS_MAX = 1000
# Without these nobody could make the first definition effective, so they may be granted before
# their own definition is: then without requirements, which the grant states. See decision 0202.
FOUNDING = frozenset({ADMINISTRATOR, AUTHOR, APPROVER, TRAINER})


@command("register-person")
def _register(desk: Desk, request: RegisterPerson) -> list[Entry]:
    must_act(desk, ADMINISTRATOR)
    if request.id is not None:
        return register(_person(desk, request.id), name=request.name, post=request.post)
    for _ in range(SKIPS_MAX):  # numbers that were given by hand are taken and left out
        number = desk.next_number("person", "P-{n:04d}", f"person {request.name[:80]}")
        person = _person(desk, number)
        if not person.name:
            return register(person, name=request.name, post=request.post)
    raise Refused(
        "numbers-taken",
        what="number of a person",
        found=f"{SKIPS_MAX} in a row are taken",
        remedy="state an identifier",
    )


@command("rename-person")
def _rename(desk: Desk, request: RenamePerson) -> list[Entry]:
    must_act(desk, ADMINISTRATOR)
    return rename(_person(desk, request.person), name=request.name, why=request.why)


@command("grant-role")
def _grant(desk: Desk, request: GrantRole) -> list[Entry]:
    must_act(desk, ADMINISTRATOR)
    role, version = _role(desk, request.role)
    person = _person(desk, request.person)
    return grant(person, role, role_version=version, by=me(desk), until=request.until)


@command("withdraw-role")
def _withdraw(desk: Desk, request: WithdrawRole) -> list[Entry]:
    must_act(desk, ADMINISTRATOR, QUALITY)
    person = _person(desk, request.person)
    return withdraw(person, request.role, by=me(desk), reason=request.reason)


@command("assess-qualification")
def _assess(desk: Desk, request: AssessQualification) -> list[Entry]:
    must_act(desk, TRAINER, QUALITY)
    if request.signature is not None:
        must_be_own(desk, request.signature, "assessment")
    person = _person(desk, request.person)
    return assess(
        person,
        _requirement(person, request.requirement, request.subject, request.every_days),
        request.finding,
        assessor=me(desk),
        assessed=request.assessed or desk.at,
        at=desk.at,
        evidence=request.evidence,
        signature=request.signature,
    )


@command("revoke-qualification")
def _revoke(desk: Desk, request: RevokeQualification) -> list[Entry]:
    must_act(desk, TRAINER, QUALITY)
    return revoke(
        _person(desk, request.person),
        request.requirement,
        request.subject,
        by=me(desk),
        reason=request.reason,
    )


@command("read-document")
def _read(desk: Desk, request: ReadDocument) -> list[Entry]:
    must_be_own(desk, request.signature, "read-and-understood")
    person = me(desk)
    definition = desk.read(Definition, stream_of("sop", request.document))
    version = definition.version(request.version)
    if definition.state_at(request.version, desk.at) is not Phase.APPROVED:
        # What is approved for a later day may be read before it, so that nobody is caught by it.
        definition.must_be_effective(request.version, desk.at)
    return read_document(
        person,
        request.document,
        version.number,
        digest=version.digest,
        at=desk.at,
        requirement=_requirement(person, Qualifies.DOCUMENT, request.document, None),
        signature=request.signature,
    )


@command("end-employment")
def _leave(desk: Desk, request: EndEmployment) -> list[Entry]:
    must_act(desk, ADMINISTRATOR)
    person = _person(desk, request.person)
    return leave(person, by=me(desk), at=desk.at, reason=request.reason)


@command("resume-employment")
def _resume(desk: Desk, request: ResumeEmployment) -> list[Entry]:
    must_act(desk, ADMINISTRATOR)
    return come_back(_person(desk, request.person), by=me(desk), at=desk.at)


def _person(desk: Desk, id: str) -> Person:
    return desk.read(Person, stream_of_person(id))


def _role(desk: Desk, name: str) -> tuple[Role, int]:
    definition = desk.read(Definition, stream_of("role", name))
    shipped = starter("role", name)
    if name in FOUNDING and not definition.versions and shipped is not None:
        content = {key: one for key, one in shipped.content.items() if key != "requires"}
        return Role.read(content), 0
    version = definition.must_have_effective(desk.at)
    return Role.read(version.content), version.number


def _requirement(
    person: Person, kind: Qualifies, subject: str, every_days: int | None
) -> Requirement:
    """Give the requirement as the person's roles ask for it; the shortest renewal counts."""
    asked = [
        one.every_days
        for held in person.grants.values()
        for one in held.requires
        if (one.kind, one.subject) == (kind, subject) and one.every_days is not None
    ]
    if every_days is not None:
        asked.append(every_days)
    return Requirement(kind=kind, subject=subject, every_days=min(asked, default=None))
