"""Persons: a role counts only with every requirement met and in date."""

import pytest

from anlage.base import Refused
from anlage.library import (
    Finding,
    Person,
    Qualifies,
    Requirement,
    assess,
    come_back,
    grant,
    leave,
    read_document,
    register,
    revoke,
    withdraw,
)
from anlage.record import sign

from .folding import AT, a_person, a_role, days, fold, passed, with_role

TRAINED = Requirement(kind=Qualifies.TRAINING, subject="aseptic-handling", every_days=365)
GOWNED = Requirement(kind=Qualifies.GOWNING, subject="grade-b", every_days=365)
SIMULATED = Requirement(kind=Qualifies.PROCESS_SIMULATION, subject="car-t", every_days=183)
SIGHTED = Requirement(kind=Qualifies.EYESIGHT, subject="visual-inspection", every_days=365)
READ = Requirement(kind=Qualifies.DOCUMENT, subject="sop-012", every_days=730)
ALL = (TRAINED, GOWNED, SIMULATED, SIGHTED, READ)
ADMIN = a_person("P-9", "Admin")


def a_full_operator():
    person = with_role(a_person(), a_role(requires=ALL))
    for one in (TRAINED, GOWNED, SIMULATED, SIGHTED):
        person = passed(person, one.kind, one.subject, every_days=one.every_days)
    entries = read_document(person, "sop-012", 3, digest="d", at=AT, requirement=READ)
    return fold(person, entries)


def refusal_of(person, role="operator", at=AT, **more):
    with pytest.raises(Refused) as refusal:
        person.must_be_qualified(role, at, **more)
    assert refusal.value.code == "operator-unqualified"
    return refusal.value


@pytest.mark.req("A02")
def test_an_operator_with_every_requirement_in_date_is_qualified():
    person = a_full_operator()

    person.must_be_qualified("operator", AT)

    assert person.is_qualified("operator", AT)
    assert person.roles == {"operator"}


@pytest.mark.parametrize("missing", ALL)
def test_each_requirement_alone_keeps_a_person_from_the_role(missing):
    person = a_full_operator()
    kept = {
        key: held
        for key, held in person.qualifications.items()
        if key != (missing.kind, missing.subject)
    }
    stripped = Person(
        id=person.id,
        name=person.name,
        grants=person.grants,
        qualifications=kept,
        is_active=True,
    )

    assert str(missing) in refusal_of(stripped).problem.found


@pytest.mark.req("A01")
def test_a_qualification_ends_on_its_day():
    person = a_full_operator()

    assert person.is_qualified("operator", AT + days(182))
    expired = refusal_of(person, at=AT + days(183))
    assert "aseptic process simulation car-t: expired on 2026-09-01" in expired.problem.found


@pytest.mark.req("P11.10i")
def test_every_gap_is_named_at_once():
    person = with_role(a_person(), a_role(requires=ALL))

    assert len(refusal_of(person).problems) == len(ALL)


def test_a_role_not_granted_or_withdrawn_is_refused():
    person = a_full_operator()
    withdrawn = fold(person, withdraw(person, "operator", by=ADMIN, reason="new post"))

    assert "operator" in refusal_of(person, "releaser").problem.found
    assert refusal_of(withdrawn)


def test_a_role_granted_for_a_time_ends():
    person = a_person()
    entries = grant(person, a_role(), role_version=1, by=ADMIN, until=AT + days(30))
    person = fold(person, entries)

    person.must_be_qualified("operator", AT + days(29))
    assert refusal_of(person, at=AT + days(30))


def test_a_leaver_holds_no_role_and_gets_none_back_by_returning():
    person = a_full_operator()
    left = fold(person, leave(person, by=ADMIN, at=AT, reason="end of contract"))
    back = fold(left, come_back(left, by=ADMIN, at=AT))

    assert "has left" in refusal_of(left).problem.found
    assert left.roles == frozenset()
    assert back.is_active
    assert refusal_of(back)


def test_an_unknown_person_is_refused():
    from anlage.library import stream_of_person

    assert refusal_of(Person.begin(stream_of_person("P-77")))


def test_a_failed_reassessment_ends_an_earlier_pass():
    person = a_full_operator()
    entries = assess(
        person, SIMULATED, Finding.FAILED, assessor=ADMIN, assessed=AT + days(1), at=AT + days(1)
    )
    failed = fold(person, entries, AT + days(1))

    assert "failed" in refusal_of(failed, at=AT + days(2)).problem.found


def test_a_revoked_qualification_counts_no_longer():
    person = a_full_operator()
    entries = revoke(person, Qualifies.GOWNING, "grade-b", by=ADMIN, reason="touch plate growth")

    assert "touch plate growth" in refusal_of(fold(person, entries)).problem.found


@pytest.mark.req("A06")
def test_an_sop_read_in_an_older_version_does_not_count():
    person = a_full_operator()

    person.must_be_qualified("operator", AT, documents={"sop-012": 3})
    found = refusal_of(person, documents={"sop-012": 4}).problem.found
    assert "version 4 is effective" in found
    assert not person.has_read("sop-012", 4, AT)


def test_the_effective_role_counts_over_the_one_granted():
    person = with_role(a_person(), a_role(requires=()))

    person.must_be_qualified("operator", AT)
    assert refusal_of(person, requires=[GOWNED])


def test_nobody_assesses_or_promotes_themself():
    person = a_person()

    with pytest.raises(Refused) as assessed:
        assess(person, GOWNED, Finding.PASSED, assessor=person, assessed=AT, at=AT)
    with pytest.raises(Refused) as granted:
        grant(person, a_role(), role_version=1, by=person)

    assert (assessed.value.code, granted.value.code) == ("assessed-by-self", "grant-to-self")


def test_reading_is_signed_by_the_reader():
    person = a_person()
    signature = sign(
        {"document": "sop-012"},
        person="P-2",
        name="B",
        meaning="read and understood",
        template="sop/1",
        method="password",
        at=AT,
    )

    with pytest.raises(Refused) as refusal:
        read_document(person, "sop-012", 1, digest="d", at=AT, signature=signature)
    with pytest.raises(Refused):
        assess(person, READ, Finding.PASSED, assessor=ADMIN, assessed=AT, at=AT)

    assert refusal.value.code == "signature-of-another"


def test_an_assessment_is_not_dated_ahead():
    with pytest.raises(Refused) as refusal:
        assess(a_person(), GOWNED, Finding.PASSED, assessor=ADMIN, assessed=AT + days(1), at=AT)

    assert refusal.value.code == "assessment-ahead"


def test_roles_that_exclude_each_other_are_not_held_together():
    person = with_role(a_person(), a_role("operator"))

    with pytest.raises(Refused) as refusal:
        grant(person, a_role("releaser", excludes=["operator"]), role_version=1, by=ADMIN)

    assert refusal.value.code == "roles-exclusive"


@pytest.mark.req("P11.100")
def test_an_identifier_is_never_given_twice():
    with pytest.raises(Refused) as refusal:
        register(a_person(), name="Somebody Else")

    assert refusal.value.code == "person-known"
