"""Folding entries without a journal: what the engine does, for one stream at a time."""

from datetime import UTC, datetime, timedelta

from anlage.library import (
    Finding,
    Heading,
    Person,
    Qualifies,
    Requirement,
    Role,
    assess,
    grant,
    register,
    stream_of_person,
)
from anlage.record import Actor, Recorded, write

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def fold(state, entries, at=AT):
    """Give the state after the entries, through the bytes that a journal would keep."""
    for number, entry in enumerate(entries):
        record = write(
            entry,
            number=number,
            version=1,
            previous=bytes(32),
            site="S1",
            by=Actor(person="P-0", via="page"),
            at=at,
            recorded=at,
        )
        state = state.after(Recorded.read(number, record.header, record.content))
    return state


def a_person(id="P-1", name="A. Ito"):
    person = Person.begin(stream_of_person(id))
    return fold(person, register(person, name=name))


def a_role(id="operator", requires=(), excludes=()):
    heading = Heading(kind="role", id=id, title=id, basis="illustrative")
    return Role(
        heading=heading, duties=("work",), requires=tuple(requires), excludes=frozenset(excludes)
    )


def with_role(person, role, at=AT):
    return fold(person, grant(person, role, role_version=1, by=a_person("P-9", "Admin")), at)


def an_approver(id="P-2", name="B. Weiss"):
    return with_role(a_person(id, name), a_role("definition-approver"))


def passed(person, kind, subject, at=AT, every_days=None):
    requirement = Requirement(kind=Qualifies(kind), subject=subject, every_days=every_days)
    entries = assess(
        person,
        requirement,
        Finding.PASSED,
        assessor=a_person("P-8", "Trainer"),
        assessed=at,
        at=at,
    )
    return fold(person, entries, at)


def days(number):
    return timedelta(days=number)
