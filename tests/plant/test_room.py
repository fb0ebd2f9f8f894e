"""Cleanrooms: line clearance by two persons, one open lot at a time."""

from datetime import timedelta

import pytest

from anlage.base import Refused
from anlage.library import starter
from anlage.plant import (
    CleanRoom,
    ClearLine,
    EnterRoom,
    Handling,
    LeaveRoom,
    PutRoomBack,
    QualifyRoom,
    RegisterRoom,
    RoomBoard,
    RoomStatus,
    TakeRoomOut,
    check,
    clean_room,
    clear_line,
    enter_room,
    leave_room,
    put_room_back,
    qualify_room,
    register_room,
    sentence,
    take_room_out,
)
from anlage.record import Entry, Stream
from tests.plant.bench import SUITE, Bench, q, signed

YES = dict.fromkeys(SUITE.checks, True)


@pytest.fixture
def bench():
    made = Bench(RoomBoard())
    asked = RegisterRoom(room="R-1", name="suite 1", terms=SUITE)
    made.keep(register_room(made.room("R-1"), asked))
    due = made.at + timedelta(days=180)
    qualified = QualifyRoom(room="R-1", due=due, report="aa", signature=signed())
    made.keep(qualify_room(made.room("R-1"), qualified, at=made.at))
    return made


def refusal(what, *arguments, **more):
    with pytest.raises(Refused) as caught:
        what(*arguments, **more)
    return caught.value


def clean(bench):
    asked = CleanRoom(room="R-1", agent="peracetic acid", contact=q("5 min"))
    return bench.keep(clean_room(bench.room("R-1"), asked, at=bench.at))


def clear(bench, lot="L-1", answers=YES, second="op2"):
    asked = ClearLine(room="R-1", lot=lot, answers=answers, by="op1", signature=signed(second))
    return bench.keep(clear_line(bench.room("R-1"), asked, at=bench.at))


def enter(bench, lot="L-1", handling=Handling.OPEN, **more):
    asked = EnterRoom(room="R-1", lot=lot, handling=handling)
    return bench.keep(enter_room(bench.room("R-1"), asked, at=bench.at, **more))


def leave(bench, lot="L-1"):
    return bench.keep(leave_room(bench.room("R-1"), LeaveRoom(room="R-1", lot=lot)))


def test_no_lot_comes_in_without_line_clearance_for_it(bench):
    clean(bench)

    assert refusal(enter, bench).problem.found == "not cleared"
    clear(bench, lot="L-2")
    assert refusal(enter, bench).problem.found == "cleared for lot L-2"
    clear(bench)
    enter(bench)
    bench.room("R-1").must_be_cleared("L-1", bench.at)
    assert check(bench.facts) == []


def test_a_check_answered_with_no_or_not_at_all_stops_the_clearance(bench):
    clean(bench)
    first, second = SUITE.checks

    assert refusal(clear, bench, answers={first: True}).code == "line-clearance-open"
    assert refusal(clear, bench, answers=YES | {second: False}).problem.found.endswith(second)


def test_one_person_alone_clears_no_line(bench):
    clean(bench)

    assert refusal(clear, bench, second="op1").code == "second-person-needed"


def test_an_unclean_room_is_not_cleared(bench):
    assert refusal(clear, bench).problem.found == "not cleaned"
    clean(bench)
    bench.later(hours=25)
    assert refusal(clear, bench).code == "room-status"


def test_a_clearance_waits_for_its_lot_only_so_long(bench):
    clean(bench)
    clear(bench)
    bench.later(hours=9)

    assert "clearance ended" in refusal(enter, bench).problem.found


def test_two_open_lots_in_one_room_are_impossible_even_when_authorised(bench):
    clean(bench)
    clear(bench)
    enter(bench)
    clear(bench, lot="L-2")

    assert refusal(enter, bench, lot="L-2").code == "segregation-broken"
    assert refusal(enter, bench, lot="L-2", authorised=3).code == "segregation-broken"
    enter(bench, lot="L-2", handling=Handling.CLOSED)
    assert refusal(enter, bench, lot="L-3", handling=Handling.CLOSED, authorised=3).code == (
        "segregation-broken"
    )


def test_a_room_is_cleaned_after_an_open_lot(bench):
    clean(bench)
    clear(bench)
    enter(bench)

    leave(bench)

    assert bench.room("R-1").status is RoomStatus.TO_BE_CLEANED
    assert refusal(clear, bench, lot="L-2").problem.found == "not cleaned"
    row = bench.rows("room-board").get("R-1")
    assert (row["status"], row["last_lot"], row["clean_until"]) == ("to-be-cleaned", "L-1", None)


def test_an_authorised_entry_is_said_in_the_fact(bench):
    (fact,) = enter(bench, authorised=2)

    assert fact.fact.authorised == 2
    assert check(bench.facts) == []


def test_the_verifier_names_an_entry_without_clearance(bench):
    (fact,) = enter(bench, authorised=2)
    leave(bench)
    said = fact.fact
    bare = type(said)(lot="L-2", handling=said.handling)
    bench.keep([Entry(Stream("room/R-1"), bare)])

    assert [one.found for one in check(bench.facts)] == ["not cleared"]


def test_a_room_out_of_service_takes_nothing_until_it_is_put_back_by_signature(bench):
    clean(bench)
    clear(bench)
    bench.keep(take_room_out(bench.room("R-1"), TakeRoomOut(room="R-1", reason="pressure")))

    assert refusal(enter, bench).problem.found == "out-of-service"
    unsigned = PutRoomBack(room="R-1", reason="repaired")
    assert refusal(put_room_back, bench.room("R-1"), unsigned).problem.found == "no signature"
    back = PutRoomBack(room="R-1", reason="repaired", signature=signed())
    bench.keep(put_room_back(bench.room("R-1"), back))
    assert bench.room("R-1").status is RoomStatus.TO_BE_CLEANED
    assert all(sentence(one).endswith(".") for one in bench.facts)


CHECKLIST = starter("checklist", "line-clearance").defined
ALL_YES = dict.fromkeys(("nothing-left", "cleaned", "records", "monitoring"), True)


def clear_by(bench, answers, checklist=CHECKLIST, **more):
    asked = ClearLine(
        room="R-1", lot="L-1", answers=answers, by="op1", signature=signed("op2"), **more
    )
    return bench.keep(
        clear_line(bench.room("R-1"), asked, at=bench.at, checklist=checklist, version=3)
    )


def test_the_checklist_in_force_asks_in_place_of_the_rooms_own_checks(bench):
    clean(bench)

    clear_by(bench, ALL_YES)

    said = bench.facts[-1].fact
    assert said.checklist == "line-clearance version 3"
    assert said.checks == ("nothing-left", "cleaned", "records", "monitoring")
    enter(bench)


@pytest.mark.parametrize(
    ("answers", "code"),
    [(YES, "checklist-open"), (ALL_YES | {"cleaned": False}, "checklist-stops")],
)
def test_a_question_that_is_open_or_stops_clears_no_line(bench, answers, code):
    clean(bench)

    refused = refusal(clear_by, bench, answers)

    assert refused.code == "line-clearance-open"
    assert code in {one.code for one in refused.problems}
    assert any(one.remedy == "clean it again" for one in refused.problems)
    assert refusal(enter, bench).problem.found == "not cleared"
