"""A journal beside the writer's process: what is asked over the line is what the writer does."""

import socket
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.base import Broken, FixedClock, Refused
from anlage.record import Actor, Conflict, Entry, Stream, sign_checkpoint
from anlage.store import GuestJournal, LineClock, SqlJournal, Switchboard, call

from .test_journal import AT, ME, TrialCounted, add, opened

SECRET = b"s" * 32


@pytest.fixture
def journal(make_dialect):
    held = opened(SqlJournal(make_dialect(), clock=FixedClock(AT)))
    yield held
    held.close()


@pytest.fixture
def board(journal, tmp_path):
    answering = Switchboard(journal, tmp_path, SECRET, now=lambda: AT, build="b1")
    yield answering
    answering.close()


@pytest.fixture
def come_beside(board, make_dialect, tmp_path):
    guests = []

    def guest():
        line = call(tmp_path, SECRET, build="b1")
        guests.append(GuestJournal(make_dialect(), line, clock=FixedClock(AT)))
        return guests[-1]

    yield guest
    for one in guests:
        one.close()


def test_what_a_guest_has_written_is_in_the_writers_journal(journal, come_beside):
    guest = come_beside()
    add(journal, "lot/A", 1, 0)

    receipt = add(guest, "lot/A", 2, 1, command="k1")
    again = add(guest, "lot/A", 2, 2, command="k1")

    assert [one.body["count"] for one in journal.read(1)] == [1, 2]
    assert [one.hash for one in receipt.facts] == [journal.head(Stream("lot/A")).hash]
    assert again.is_repeat
    assert (guest.size, guest.root()) == (journal.size, journal.root())
    assert guest.world is journal.world


def test_a_guest_reads_on_what_others_write(journal, come_beside):
    guest = come_beside()
    before = guest.size

    for count in range(700):
        add(journal, "lot/A", count, count)

    assert guest.size == before + 700
    assert guest.root() == journal.root()
    assert guest.prove([5, 600], guest.size) == journal.prove([5, 600], journal.size)
    assert guest.consistency(before, guest.size) == journal.consistency(before, journal.size)
    assert guest.snapshot() == journal.snapshot()


def test_a_guests_decision_is_held_to_the_version_it_saw(journal, come_beside):
    guest = come_beside()
    add(journal, "lot/A", 1, 0)

    with pytest.raises(Conflict) as caught:
        add(guest, "lot/A", 2, 0)

    assert (caught.value.expected, caught.value.found) == (0, 1)
    assert journal.size == 2


def test_guests_and_threads_together_number_without_gaps(journal, come_beside):
    def work(owner, name):
        for count in range(30):
            add(owner, f"lot/{name}", count, count)

    owners = [come_beside(), come_beside(), journal]
    threads = [
        threading.Thread(target=work, args=(one, f"N{at}"), daemon=True)
        for at, one in enumerate(owners)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)

    assert [one.number for one in journal.read()] == list(range(91))


def test_a_guest_keeps_checkpoints_through_the_writer(journal, come_beside):
    guest = come_beside()
    checkpoint = sign_checkpoint(
        Ed25519PrivateKey.generate(), origin="anlage/S1/simulated", size=guest.size, root=guest.root(),
        map_size=0, map_root=bytes(32), time="2026-03-01T00:00:00.000Z",
    )  # fmt: skip

    guest.keep_checkpoint(checkpoint)

    assert [one.as_note() for one in journal.checkpoints()] == [checkpoint.as_note()]


def test_a_fact_that_the_record_cannot_hold_is_refused_over_the_line_too(journal, come_beside):
    guest = come_beside()
    bad = Entry(Stream("lot/A"), TrialCounted(count=2**60))

    with pytest.raises(Refused) as caught:
        guest.append([bad], {Stream("lot/A"): 0}, by=ME, at=AT)

    assert caught.value.code == "not-canonical"
    assert journal.size == 1


def test_who_does_not_know_the_secret_is_not_heard(board, tmp_path):
    assert call(tmp_path, b"x" * 32, build="b1") is None
    assert call(tmp_path / "elsewhere", SECRET, build="b1") is None
    assert call(tmp_path, SECRET, build="b1") is not None


def test_a_caller_that_says_nothing_holds_up_nobody(board, come_beside, tmp_path):
    port = int((tmp_path / "journal.line").read_text())

    with socket.create_connection(("127.0.0.1", port)):
        assert add(come_beside(), "lot/A", 1, 0).facts[0].number == 1


def test_a_fact_of_a_kind_that_nobody_knows_is_not_written(journal, board, tmp_path):
    line = call(tmp_path, SECRET, build="b1")
    told = {
        "stream": "lot/A",
        "kind": "made-up",
        "version": 1,
        "fact": {},
        "happened": None,
        "why": None,
    }
    by = dict.fromkeys(Actor.__slots__) | {"via": "api"}

    with pytest.raises(Broken):
        line.ask(
            "append",
            entries=[told],
            expected={},
            by=by,
            at="2026-03-01T00:00:00.000Z",
            command=None,
        )

    assert journal.size == 1


def test_another_build_is_refused(board, tmp_path):
    with pytest.raises(Refused) as caught:
        call(tmp_path, SECRET, build="b2")

    assert (caught.value.code, caught.value.problem.found) == ("build-differs", "b1")


def test_a_writer_that_stops_leaves_the_guest_a_refusal(journal, board, come_beside):
    guest = come_beside()
    journal.close()

    with pytest.raises(Refused) as caught:
        add(guest, "lot/A", 1, 0)
    assert caught.value.code == "journal-closed"

    board.close()
    with pytest.raises(Refused) as caught:
        add(guest, "lot/A", 1, 0)
        add(guest, "lot/A", 1, 0)
    assert caught.value.code in {"writer-gone", "journal-closed"}


def test_the_time_of_the_plant_comes_over_the_line(board, tmp_path):
    assert LineClock(call(tmp_path, SECRET, build="b1")).now() == AT


def test_work_for_the_writers_own_process_is_not_done_elsewhere(come_beside):
    with pytest.raises(Broken):
        come_beside().run_in_writer(lambda _: None)
