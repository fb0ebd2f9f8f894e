"""The contract of the views, on every engine: what is rebuilt equals what is live."""

from datetime import UTC, datetime

import pytest

from anlage.base import FixedClock
from anlage.record import Actor, Entry, Stream
from anlage.store import SqlJournal, SqlViews
from tests.engines.test_journal import TrialCounted, opened

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Totals:
    """Adds up the counts of each lot."""

    name = "totals"
    families = frozenset({"lot"})

    def __init__(self, version=1):
        self.version = version

    def apply(self, rows, recorded):
        row = rows.get(recorded.stream.id) or {"total": 0}
        row["total"] += recorded.body["count"] * self.version
        if row["total"] >= 1000:
            rows.delete(recorded.stream.id)
        else:
            rows.put(
                recorded.stream.id,
                row,
                facet="odd" if row["total"] % 2 else "even",
                order=f"{row['total']:05}",
            )


class Names:
    """Keeps the lots that have a count; fails on one count while it is broken."""

    name = "names"
    version = 1
    families = frozenset({"lot"})
    broken_on = None

    def apply(self, rows, recorded):
        rows.put(f"{recorded.number}", {"lot": recorded.stream.id})
        if recorded.body["count"] == self.broken_on:
            raise KeyError("a field that this fold did not expect")


@pytest.fixture
def plant(make_dialect):
    """Open journal and views on the same database, again and again."""
    held = []

    def again(version=1, more=()):
        stop()
        views = SqlViews(make_dialect("views"), [*more, Totals(version)])
        journal = opened(SqlJournal(make_dialect(), clock=FixedClock(AT), on_commit=views.follow))
        views.catch_up(journal)
        held.extend([journal, views])
        return journal, views

    def stop():
        for one in held:
            one.close()
        held.clear()

    yield again
    stop()


def add(journal, lot, count):
    stream = Stream(f"lot/{lot}")
    head = journal.head(stream)
    journal.append(
        [Entry(stream, TrialCounted(count=count))], {stream: head.version}, by=Actor(), at=AT
    )


def everything(views):
    return list(views.rows("totals").find())


def test_a_view_is_up_to_date_when_the_answer_comes(plant):
    journal, views = plant()

    add(journal, "A", 3)
    add(journal, "B", 4)
    add(journal, "A", 5)

    assert everything(views) == [("B", {"total": 4}), ("A", {"total": 8})]
    assert views.rows("totals").get("A") == {"total": 8}
    assert views.rows("totals").count(facet="even") == 2


def test_a_rebuilt_view_equals_the_live_one(plant):
    journal, views = plant()
    for count in range(1, 60):
        add(journal, f"L{count % 7}", count)
    live = everything(views)

    views.rebuild(journal, "totals")

    assert everything(views) == live
    add(journal, "L1", 2)
    assert everything(views) != live


def test_views_that_missed_a_commit_catch_up_at_the_next_start(plant, monkeypatch):
    journal, views = plant()
    add(journal, "A", 1)
    monkeypatch.setattr(views, "follow", lambda facts: (_ for _ in ()).throw(OSError("killed")))
    journal._on_commit = views.follow
    add(journal, "A", 2)
    assert everything(views) == [("A", {"total": 1})]

    journal, views = plant()

    assert everything(views) == [("A", {"total": 3})]


def test_a_changed_fold_is_rebuilt_at_the_next_start(plant):
    journal, views = plant()
    add(journal, "A", 3)

    journal, views = plant(version=2)

    assert everything(views) == [("A", {"total": 6})]


def test_a_deleted_row_is_gone(plant):
    journal, views = plant()
    add(journal, "A", 999)
    add(journal, "A", 1)

    assert everything(views) == []
    assert views.rows("totals").get("A") is None


def test_a_page_goes_on_past_the_order_where_the_last_one_ended(plant):
    journal, views = plant()
    for lot, count in (("L-1", 2), ("L-2", 4), ("L-3", 6), ("L-4", 7)):
        add(journal, lot, count)
    rows = views.rows("totals")
    assert [key for key, _ in rows.find(facet="even", after="00002")] == ["L-2", "L-3"]
    assert [key for key, _ in rows.find(after="00004", limit=1)] == ["L-3"]


@pytest.mark.req("ANNEX11.16")
def test_a_view_that_fails_on_a_fact_stops_no_other_view_and_says_where_it_stands(plant):
    names = Names()
    journal, views = plant(more=[names])
    add(journal, "A", 1)
    names.broken_on = 2

    add(journal, "A", 2)
    add(journal, "B", 5)

    assert everything(views) == [("A", {"total": 3}), ("B", {"total": 5})]
    assert views.rows("names").count() == 1
    number, why = views.behind()["names"]
    assert [one.body["count"] for one in journal.read(number, number + 1)] == [2]
    assert "KeyError" in why and list(views.behind()) == ["names"]


def test_a_view_left_behind_catches_up_at_the_next_commit_once_it_can(plant):
    names = Names()
    journal, views = plant(more=[names])
    names.broken_on = 2
    for count in (1, 2, 3):
        add(journal, "A", count)
    assert views.behind()

    names.broken_on = None
    add(journal, "A", 4)

    assert views.behind() == {}
    assert views.rows("names").count() == 4
    views.rebuild(journal, "names")
    assert views.rows("names").count() == 4


def test_a_plant_with_a_view_that_fails_starts_and_the_other_views_are_there(plant):
    journal, views = plant()
    for count in (1, 2, 3):
        add(journal, "A", count)
    names = Names()
    names.broken_on = 2

    journal, views = plant(more=[names])

    assert everything(views) == [("A", {"total": 6})]
    assert list(views.behind()) == ["names"]
    with pytest.raises(KeyError):
        views.rebuild(journal, "names")
    add(journal, "A", 4)
    assert everything(views) == [("A", {"total": 10})]


def test_a_catch_up_that_was_stopped_takes_no_fact_twice(plant, monkeypatch):
    from anlage.store import views as module

    monkeypatch.setattr(module, "_BATCH", 10)
    journal, views = plant()
    add(journal, "A", 1)
    monkeypatch.setattr(views, "follow", lambda facts: None)
    journal._on_commit = None
    for count in range(2, 41):
        add(journal, "A", count)
    real, calls = views._step, []

    def stop_after_two(folds, facts):
        calls.append(len(facts))
        if len(calls) > 2:
            raise KeyboardInterrupt
        real(folds, facts)

    monkeypatch.setattr(views, "_step", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        views.catch_up(journal)

    journal, views = plant()

    assert everything(views) == [("A", {"total": sum(range(1, 41))})]


def test_rows_are_found_by_a_text_that_they_hold(plant):
    journal, views = plant()
    add(journal, "A", 31)
    add(journal, "B", 4)

    assert [key for key, _ in views.rows("totals").find(text="31}")] == ["A"]
    assert list(views.rows("totals").find(text="%")) == []
