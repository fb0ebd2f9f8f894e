"""The contract of a journal, on every engine."""

import itertools
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from anlage.base import FixedClock, Refused
from anlage.record import (
    Actor,
    Conflict,
    Entry,
    JournalOpened,
    Stream,
    World,
    fact,
    is_consistent,
    root_from_subset,
    root_of,
)
from anlage.store import SqlJournal

AT = datetime(2026, 3, 1, tzinfo=UTC)
ME = Actor(person="P-1", via="api")


@fact("trial-counted")
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCounted:
    count: int


def opened(journal):
    if not journal.is_opened:
        journal.open(
            JournalOpened(
                world=World.SIMULATED, site="S1", site_name="Site", key="00" * 32, software="t"
            )
        )
    return journal


@pytest.fixture
def open_journal(make_dialect):
    """Open the journal again and again; the last one is closed at the end."""
    journals = []

    def again(**options):
        while journals:
            journals.pop().close()
        journals.append(opened(SqlJournal(make_dialect(), clock=FixedClock(AT), **options)))
        return journals[-1]

    yield again
    while journals:
        journals.pop().close()


def add(journal, stream, count, expected, **options):
    entry = Entry(Stream(stream), TrialCounted(count=count))
    return journal.append([entry], {Stream(stream): expected}, by=ME, at=AT, **options)


def test_what_was_appended_is_read_back_in_both_orders(open_journal):
    journal = open_journal()
    add(journal, "lot/A", 1, 0)
    add(journal, "lot/B", 2, 0)
    add(journal, "lot/A", 3, 1)

    assert [one.body["count"] for one in journal.read(1)] == [1, 2, 3]
    assert [one.fact.count for one in journal.read_stream(Stream("lot/A"))] == [1, 3]
    assert [one.version for one in journal.read_stream(Stream("lot/A"), after=1)] == [2]
    assert journal.head(Stream("lot/A")).version == 2
    assert journal.head(Stream("lot/none")).version == 0


def test_a_part_of_a_stream_is_read_by_its_versions(open_journal):
    journal = open_journal()
    for count in range(5):
        add(journal, "lot/A", count, count)

    found = journal.read_stream(Stream("lot/A"), after=1, upto=3)

    assert [one.version for one in found] == [2, 3]


@pytest.mark.parametrize(("text", "found"), [
    ("L-26-0001", ["lot/L-26-0001"]), ("l-26-0001", ["lot/L-26-0001"]),
    ("lot/L-26-0002", ["lot/L-26-0002"]), ("26-000", ["lot/L-26-0001", "lot/L-26-0002"]),
    ("%", []), ("_", []), ("!", []), ("L_26", []), ("no such", []),
])  # fmt: skip
def test_a_stream_is_found_by_its_name_or_a_part_of_it(open_journal, text, found):
    journal = open_journal()
    add(journal, "lot/L-26-0001", 1, 0)
    add(journal, "lot/L-26-0002", 1, 0)

    assert [str(one) for one in journal.search(text, 10)] == found


def test_each_fact_names_the_one_before_it_in_its_stream(open_journal):
    journal = open_journal()
    for count in range(3):
        add(journal, "lot/A", count, count)

    first, second, third = journal.read_stream(Stream("lot/A"))

    assert first.previous == bytes(32)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert all(one.is_sound() for one in journal.read())


def test_a_stream_that_moved_on_is_a_conflict_and_nothing_is_written(open_journal):
    journal = open_journal()
    add(journal, "lot/A", 1, 0)
    size = journal.size

    with pytest.raises(Conflict):
        journal.append(
            [Entry(Stream("lot/B"), TrialCounted(count=1))],
            {Stream("lot/B"): 0, Stream("lot/A"): 0},
            by=ME,
            at=AT,
        )

    assert journal.size == size
    assert journal.head(Stream("lot/B")).version == 0


def test_the_same_key_again_gives_the_first_receipt(open_journal):
    journal = open_journal()

    first = add(journal, "lot/A", 1, 0, command="k1")
    again = add(journal, "lot/A", 1, 0, command="k1")

    assert again.is_repeat and not first.is_repeat
    assert again.facts == first.facts
    assert journal.head(Stream("lot/A")).version == 1


def test_a_fact_that_the_record_cannot_hold_leaves_nothing(open_journal):
    journal = open_journal()
    size = journal.size

    with pytest.raises(Refused):
        add(journal, "lot/A", 2**60, 0)

    assert journal.size == size
    add(journal, "lot/A", 1, 0)


def test_eight_writers_lose_nothing_and_number_without_gaps(open_journal):
    journal = open_journal()
    refusals = []

    def work(worker):
        for count in range(25):
            try:
                add(journal, f"lot/W{worker}", count, count)
            except Conflict as conflict:
                refusals.append(conflict)

    threads = [threading.Thread(target=work, args=(one,)) for one in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert not refusals
    assert [one.number for one in journal.read()] == list(range(1 + 8 * 25))
    assert journal.root() == root_of([one.hash for one in journal.read()])


def test_clients_that_come_and_go_are_all_answered(open_journal):
    journal = open_journal()
    found = []

    def work(worker):
        for count in range(40):
            if worker % 4 == 3:
                journal.run_in_writer(lambda _: None)
            else:
                found.append(add(journal, f"lot/A-{worker}", count, count).facts[0].number)

    threads = [threading.Thread(target=work, args=(one,), daemon=True) for one in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)

    assert not any(one.is_alive() for one in threads)
    assert sorted(found) == list(range(1, 12 * 40 + 1))


def test_a_close_among_appends_leaves_nobody_waiting(open_journal):
    journal = open_journal()
    acknowledged, refused = [], []

    def work(worker):
        try:
            for count in itertools.count():
                acknowledged.append(add(journal, f"lot/A-{worker}", count, count).facts[0])
        except Refused as refusal:
            refused.append(refusal.code)

    threads = [threading.Thread(target=work, args=(one,), daemon=True) for one in range(8)]
    for one in threads:
        one.start()
    while len(acknowledged) < 50:
        pass
    journal.close()
    for one in threads:
        one.join(30)

    assert refused == ["journal-closed"] * 8
    assert {one.number for one in acknowledged} <= {one.number for one in open_journal().read()}


def test_a_writer_broken_off_closes_the_journal_and_a_start_finds_what_is(open_journal):
    def interrupt(_):
        raise KeyboardInterrupt

    journal = open_journal()
    add(journal, "lot/A", 1, 0)
    journal = open_journal(on_commit=interrupt)

    with pytest.raises(KeyboardInterrupt):
        add(journal, "lot/A", 2, 1)
    with pytest.raises(Refused) as refused:
        add(journal, "lot/A", 3, 2)
    assert refused.value.code == "journal-closed"

    journal = open_journal()
    assert [one.body["count"] for one in journal.read(1)] == [1, 2]
    assert add(journal, "lot/A", 3, 2).facts[0].number == 3


def test_of_two_decisions_on_one_version_exactly_one_wins(open_journal):
    journal = open_journal()
    outcomes = []
    barrier = threading.Barrier(2)

    def work():
        barrier.wait()
        try:
            add(journal, "lot/A", 1, 0)
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(outcomes) == ["lost", "won"]


def test_a_journal_taken_up_again_is_the_same_and_goes_on(open_journal):
    journal = open_journal()
    entries = [Entry(Stream("lot/A"), TrialCounted(count=count)) for count in range(600)]
    journal.append(entries, {Stream("lot/A"): 0}, by=ME, at=AT)
    root, size = journal.root(), journal.size

    journal = open_journal()
    add(journal, "lot/A", 600, 600)

    assert journal.root(size) == root
    proof = journal.consistency(size, journal.size)
    assert is_consistent(size, root, journal.size, journal.root(), proof)
    numbers = [0, 300, journal.size - 1]
    leaves = {number: next(journal.read(number, number + 1)).hash for number in numbers}
    assert (
        root_from_subset(leaves, journal.size, journal.prove(numbers, journal.size))
        == journal.root()
    )


def test_a_second_process_may_not_write(open_journal, make_dialect):
    open_journal()

    with pytest.raises(Refused) as refusal:
        SqlJournal(make_dialect())

    assert refusal.value.code == "journal-leased"


def test_listeners_hear_facts_in_global_order_before_the_answer(open_journal):
    heard = []
    journal = open_journal(on_commit=lambda facts: heard.extend(one.number for one in facts))

    receipt = add(journal, "lot/A", 1, 0)

    assert receipt.facts[0].number in heard
    assert heard == list(range(journal.size))


ATTACKS = [
    "UPDATE fact SET content = header WHERE number = 1",
    "DELETE FROM fact WHERE number = 1",
    "DELETE FROM fact",
    "INSERT INTO fact (number, stream, version, hash, header, content)"
    " SELECT 99, stream, 9, hash, header, content FROM fact WHERE number = 1",
    "INSERT INTO fact (number, stream, version, hash, header, content)"
    " SELECT max(number) + 1, 'lot/A', 7, hash, header, content FROM fact GROUP BY hash, header, content LIMIT 1",
]


@pytest.mark.req("P11.10e")
@pytest.mark.parametrize("attack", ATTACKS)
def test_direct_sql_cannot_change_what_was_recorded(open_journal, make_dialect, attack):
    journal = open_journal()
    add(journal, "lot/A", 1, 0)
    before = [one.header for one in journal.read()]

    with pytest.raises(Exception, match=r"never changed|only added|not authorized"):
        journal.run_in_writer(lambda connection: connection.execute(attack))

    assert [one.header for one in journal.read()] == before


@pytest.mark.parametrize(
    "attack", ["DROP TRIGGER fact_delete", "PRAGMA writable_schema=ON", "DROP TABLE fact"]
)
def test_our_own_connection_cannot_take_the_guards_away(open_journal, make_dialect, attack):
    if make_dialect().name != "sqlite":
        pytest.skip("on PostgreSQL the application's user is not the owner of a production schema")
    journal = open_journal()

    with pytest.raises(Exception, match="not authorized"):
        journal.run_in_writer(lambda connection: connection.execute(attack))


def test_insert_or_replace_from_a_foreign_connection_changes_nothing(open_journal, make_dialect):
    dialect = make_dialect()
    if dialect.name != "sqlite":
        pytest.skip("INSERT OR REPLACE is of SQLite")
    journal = open_journal()
    add(journal, "lot/A", 1, 0)
    import sqlite3

    foreign = sqlite3.connect(dialect.path)
    for number, version in itertools.product((0, 1, 2), (1, 2)):
        with pytest.raises(sqlite3.IntegrityError):
            foreign.execute(
                "INSERT OR REPLACE INTO fact VALUES (?, 'lot/A', ?, NULL, x'00', x'00', x'00')",
                (number, 5 if number == 2 else version),
            )
    foreign.close()

    assert all(one.is_sound() for one in journal.read())
