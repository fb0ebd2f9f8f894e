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


@pytest.fixture
def plant(make_dialect):
    """Open journal and views on the same database, again and again."""
    held = []

    def again(version=1):
        stop()
        views = SqlViews(make_dialect("views"), [Totals(version)])
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
