"""The life of a definition: nobody approves their own, nothing is backdated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Refused, digest
from anlage.library import (
    ChangeNote,
    Definition,
    LotImpact,
    Phase,
    Treatment,
    approve,
    draft,
    let_go,
    retire,
    send_back,
    stream_of,
    submit,
    take_up,
)

from .folding import AT, a_person, an_approver, days, fold

AUTHOR = a_person("P-1", "A. Ito")
APPROVER = an_approver()
NOTE = ChangeNote(reason="tighter limit", impact="none on product made before")


def content(**changes):
    return {"kind": "specification", "id": "car-t", "title": "Release", "lower": 70, **changes}


def a_definition():
    return Definition.begin(stream_of("specification", "car-t"))


def in_review(definition=None, note=None, **changes):
    definition = definition or a_definition()
    definition = fold(definition, draft(definition, content(**changes), author=AUTHOR, note=note))
    return fold(definition, submit(definition, len(definition.versions), by=AUTHOR))


def effective(definition=None, at=AT, note=None, impacts=(), since=None, **changes):
    definition = in_review(definition, note, **changes)
    entries = approve(
        definition,
        len(definition.versions),
        approver=APPROVER,
        effective=since or at,
        at=at,
        impacts=impacts,
    )
    return fold(definition, entries, at)


@pytest.mark.req("B02")
def test_a_version_lives_from_draft_to_superseded():
    first = effective()
    second = effective(first, at=AT + days(1), since=AT + days(10), note=NOTE, lower=75)

    assert second.effective(AT + days(9)).number == 1
    assert second.effective(AT + days(10)).number == 2
    assert second.state_at(2, AT + days(9)) is Phase.APPROVED
    assert second.state_at(1, AT + days(9)) is Phase.EFFECTIVE
    assert second.state_at(1, AT + days(10)) is Phase.SUPERSEDED
    assert second.version(1).content == content()
    assert second.version(1).digest == digest(content())


@pytest.mark.req("P01")
@pytest.mark.parametrize("build", [a_definition, in_review])
def test_what_is_not_approved_is_not_effective(build):
    with pytest.raises(Refused) as refusal:
        build().must_be_effective(1, AT)

    assert refusal.value.code == "definition-not-effective"
    assert refusal.value.problem.remedy


def test_a_superseded_version_is_refused_with_the_one_to_use():
    second = effective(effective(), at=AT + days(1), note=NOTE, lower=75)

    with pytest.raises(Refused) as refusal:
        second.must_be_effective(1, AT + days(2))

    assert "version 2" in refusal.value.problem.remedy
    assert second.must_be_effective(2, AT + days(2)).content["lower"] == 75
    assert second.must_be_effective(1, AT).number == 1


def test_the_author_does_not_approve():
    definition = a_definition()
    definition = fold(definition, draft(definition, content(), author=APPROVER))
    definition = fold(definition, submit(definition, 1, by=AUTHOR))

    with pytest.raises(Refused) as refusal:
        approve(definition, 1, approver=APPROVER, effective=AT, at=AT)

    assert refusal.value.code == "definition-own-approval"


def test_who_wrote_an_earlier_draft_of_the_version_does_not_approve_either():
    definition = a_definition()
    definition = fold(definition, draft(definition, content(), author=APPROVER))
    definition = fold(definition, draft(definition, content(lower=71), author=AUTHOR))
    definition = fold(definition, submit(definition, 1, by=AUTHOR))

    with pytest.raises(Refused) as refusal:
        approve(definition, 1, approver=APPROVER, effective=AT, at=AT)

    assert refusal.value.code == "definition-own-approval"


def test_a_person_without_the_role_does_not_approve():
    with pytest.raises(Refused) as refusal:
        approve(in_review(), 1, approver=a_person("P-7", "C"), effective=AT, at=AT)

    assert refusal.value.code == "operator-unqualified"


def test_nothing_is_made_effective_in_the_past():
    with pytest.raises(Refused) as refusal:
        approve(in_review(), 1, approver=APPROVER, effective=AT - days(1), at=AT)

    assert refusal.value.code == "definition-backdated"


def test_a_version_does_not_overtake_one_that_is_approved_already():
    waiting = effective(effective(), since=AT + days(30), note=NOTE, lower=75)

    with pytest.raises(Refused) as refusal:
        effective(waiting, since=AT + days(5), note=NOTE, lower=80)

    assert refusal.value.code == "definition-backdated"


@pytest.mark.req("P11.10k")
def test_a_version_in_review_cannot_be_rewritten_until_it_is_returned():
    definition = in_review()

    with pytest.raises(Refused) as refusal:
        draft(definition, content(lower=71), author=AUTHOR)
    returned = fold(definition, send_back(definition, 1, by=APPROVER, reason="limit unexplained"))
    again = fold(returned, draft(returned, content(lower=71), author=AUTHOR))

    assert refusal.value.code == "definition-phase"
    assert again.version(1).content["lower"] == 71
    assert len(again.versions) == 1


def test_a_change_without_a_note_is_refused():
    with pytest.raises(Refused) as refusal:
        draft(effective(), content(lower=75), author=AUTHOR)

    assert refusal.value.code == "change-unexplained"


def test_a_change_says_what_becomes_of_every_lot_in_progress():
    used = effective()
    used = fold(used, take_up(used, 1, lot="L-1", at=AT) + take_up(used, 1, lot="L-2", at=AT))
    changed = in_review(used, note=NOTE, lower=75)
    impact = LotImpact(lot="L-1", treatment=Treatment.CONTINUES, why="made under version 1")

    with pytest.raises(Refused) as refusal:
        approve(changed, 2, approver=APPROVER, effective=AT, at=AT, impacts=[impact])
    ended = fold(changed, let_go(changed, lot="L-2"))
    entries = approve(ended, 2, approver=APPROVER, effective=AT, at=AT, impacts=[impact])

    assert refusal.value.code == "impact-unstated"
    assert refusal.value.problem.found == "nothing about L-2"
    assert fold(ended, entries).version(2).note.lots == (impact,)


def test_a_lot_takes_up_nothing_that_is_not_effective():
    with pytest.raises(Refused) as refusal:
        take_up(in_review(), 1, lot="L-1", at=AT)

    assert refusal.value.code == "definition-not-effective"


@pytest.mark.req("P11.70")
def test_what_is_approved_is_what_was_shown():
    definition = in_review()

    with pytest.raises(Refused) as refusal:
        approve(
            definition, 1, approver=APPROVER, effective=AT, at=AT, summary=digest(content(lower=1))
        )

    assert refusal.value.code == "definition-moved-on"


def test_a_retired_definition_is_out_of_use_at_once_and_for_ever():
    used = effective()
    retired = fold(used, retire(used, by=APPROVER, at=AT + days(1), note=NOTE), AT + days(1))

    assert retired.effective(AT).number == 1
    assert retired.effective(AT + days(1)) is None
    assert retired.state_at(1, AT + days(2)) is Phase.RETIRED
    with pytest.raises(Refused):
        draft(retired, content(lower=75), author=AUTHOR, note=NOTE)


def test_retiring_takes_a_version_that_waits_for_its_date_along():
    waiting = effective(effective(), since=AT + days(30), note=NOTE, lower=75)
    retired = fold(waiting, retire(waiting, by=APPROVER, at=AT + days(1), note=NOTE))

    assert retired.effective(AT + days(31)) is None


def test_content_of_another_definition_is_refused():
    with pytest.raises(Refused) as refusal:
        draft(a_definition(), content(id="msc"), author=AUTHOR)

    assert refusal.value.code == "definition-other"


def test_a_draft_that_changes_nothing_is_refused():
    definition = effective()

    with pytest.raises(Refused) as refusal:
        draft(definition, content(), author=AUTHOR, note=None)

    assert refusal.value.code in {"definition-unchanged", "change-unexplained"}


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_at_every_instant_at_most_one_version_is_effective(delays):
    definition, at = effective(), AT
    for step, delay in enumerate(delays):
        floor = definition.versions[-1].effective_from
        definition = effective(definition, since=floor + days(delay), note=NOTE, lower=step)

    for day in range(0, 250, 5):
        at = AT + days(day)
        assert sum(one.is_effective(at) for one in definition.versions) == 1
