"""The custody proof: coverage, grades, and gaps with the two facts around them."""

from datetime import UTC, datetime, timedelta

import pytest

from anlage.custody import (
    ContainerCreated,
    ContainerEnded,
    ContainerFound,
    ContainerMissed,
    ContainerMoved,
    ContainerPacked,
    ContainerSeen,
    ContainerUnpacked,
    Dated,
    End,
    Evidence,
    HandOverClosed,
    HandOverOpened,
    prove,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
SCANNED, PAPER, DEVICE = Evidence.SCANNED, Evidence.PAPER, Evidence.DEVICE
CREATED = ContainerCreated(vessel="bag", place="clinic", holder="anna", evidence=SCANNED, lot="L")


def at(hour, fact):
    return Dated(START + timedelta(hours=hour), fact, hour)


def moved(origin, place, holder="anna", evidence=SCANNED):
    return ContainerMoved(origin=origin, place=place, holder=holder, evidence=evidence)


def proof(*history, until=10, others=None):
    histories = {"a": history, **(others or {})}
    return prove(histories, now=START + timedelta(hours=until), subjects=["a"])


def test_a_container_that_is_always_somewhere_is_covered():
    found = proof(at(0, CREATED), at(4, moved("clinic", "store")))

    assert found.coverage_percent == 100
    assert found.gaps == ()
    assert found.total == timedelta(hours=10)


def test_the_end_ends_the_count():
    ended = ContainerEnded(how=End.INFUSED, holder="anna", evidence=SCANNED)

    assert proof(at(0, CREATED), at(4, ended)).total == timedelta(hours=4)


def test_each_grade_is_counted_and_paper_is_never_read():
    found = proof(
        at(0, CREATED),
        at(5, moved("clinic", "van", evidence=PAPER)),
        at(7, moved("van", "store", evidence=DEVICE)),
    )

    assert found.coverage_percent == 100
    assert [found.grade_percent(grade) for grade in Evidence] == [50, 30, 0, 20]
    assert found.read_percent == 80


def test_an_open_hand_over_is_held_by_the_giver():
    found = proof(
        at(0, CREATED),
        at(2, HandOverOpened(giver="anna", receiver="ben", evidence=SCANNED)),
        at(6, HandOverClosed(giver="anna", receiver="ben", place="van", evidence=SCANNED)),
        at(8, moved("van", "store", "ben")),
    )

    assert found.coverage_percent == 100


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (moved("store", "van"), "taken from store, but the record has it at clinic"),
        (moved("clinic", "van", "ben"), "ben had it, but the record has anna answer for it"),
        (ContainerSeen(place="dock", evidence=SCANNED), "seen at dock"),
        (HandOverOpened(giver="ben", receiver="cem", evidence=SCANNED), "ben had it"),
        (ContainerUnpacked(origin="box", place="x", holder="anna", evidence=SCANNED), "out of box"),
        (ContainerFound(place="x", holder="anna", evidence=SCANNED), "never missed"),
        (ContainerEnded(how=End.INFUSED, holder="ben", evidence=SCANNED), "ben had it"),
    ],
)
def test_a_fact_that_contradicts_the_record_opens_a_gap_before_it(fact, why):
    found = proof(at(0, CREATED), at(2, moved("clinic", "clinic")), at(6, fact))

    (gap,) = found.gaps
    assert (gap.start, gap.end) == (START + timedelta(hours=2), START + timedelta(hours=6))
    assert why in gap.why
    assert (gap.before.number, gap.after.number) == (2, 6)
    assert found.coverage_percent < 100


def test_the_time_in_which_it_was_missed_is_a_gap():
    found = proof(
        at(0, CREATED),
        at(4, ContainerMissed(evidence=SCANNED)),
        at(5, ContainerFound(place="dock", holder="anna", evidence=SCANNED)),
    )

    assert found.coverage_percent == 90
    assert len(found.gaps) == 1


def test_a_packed_container_shares_the_custody_of_its_shipper():
    shipper = [
        at(0, ContainerCreated(vessel="shipper", place="clinic", holder="anna", evidence=SCANNED)),
        at(3, HandOverOpened(giver="anna", receiver="ben", evidence=SCANNED)),
        at(4, HandOverClosed(giver="anna", receiver="ben", place="van", evidence=PAPER)),
        at(6, ContainerMissed(evidence=SCANNED)),
        at(7, ContainerFound(place="plant", holder="cem", evidence=SCANNED)),
    ]
    found = proof(
        at(0, CREATED),
        at(2, ContainerPacked(into="ship", holder="anna", evidence=SCANNED)),
        at(8, ContainerUnpacked(origin="ship", place="plant", holder="cem", evidence=SCANNED)),
        others={"ship": shipper},
    )

    assert [(gap.start.hour, gap.end.hour) for gap in found.gaps] == [(6, 7)]
    assert found.gaps[0].why.startswith("inside ship")
    assert found.grade_percent(PAPER) == 20


def test_a_shipper_without_a_record_gives_no_custody():
    found = proof(
        at(0, CREATED), at(5, ContainerPacked(into="ship", holder="anna", evidence=SCANNED))
    )

    assert found.coverage_percent == 50


def test_two_containers_packed_into_one_another_do_not_run_for_ever():
    a = [at(0, CREATED), at(1, ContainerPacked(into="b", holder="anna", evidence=SCANNED))]
    b = [at(0, CREATED), at(1, ContainerPacked(into="a", holder="anna", evidence=SCANNED))]

    found = prove({"a": a, "b": b}, now=START + timedelta(hours=2))

    assert found.coverage_percent < 100


def test_a_gap_of_a_second_in_years_is_not_rounded_away():
    found = prove(
        {
            "a": [
                at(0, CREATED),
                Dated(START + timedelta(days=4000), ContainerMissed(evidence=SCANNED)),
            ]
        },
        now=START + timedelta(days=4000, seconds=1),
    )

    assert found.coverage_percent < 100
