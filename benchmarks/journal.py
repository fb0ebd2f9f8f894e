"""The journal: durable appends, verification and rebuild, with the bare engine beside them."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anlage.base import FixedClock
from anlage.record import Actor, Entry, JournalOpened, Recorded, Stream, World, fact, root_of
from anlage.store import Sqlite, SqlJournal, SqlViews, fsync_rate

AT = datetime(2026, 3, 1, tzinfo=UTC)


@fact("bench-measured")
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchMeasured:
    """A fact of about the size of a step's reading."""

    step: str
    value: str
    unit: str
    note: str


MEASURED = BenchMeasured(step="expand.day-4", value="1.25", unit="10*6/mL", note="x" * 60)


class Count:
    """The smallest view: counts facts per stream."""

    name = "count"
    version = 1
    families: frozenset[str] = frozenset()

    def apply(self, rows, recorded):
        """Count one."""
        row = rows.get(recorded.stream) or {"n": 0}
        row["n"] += 1
        rows.put(recorded.stream, row)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dialect = Sqlite(folder / "journal.db", durable=True)
        journal = SqlJournal(dialect, clock=FixedClock(AT))
        journal.open(
            JournalOpened(
                world=World.SIMULATED, site="S", site_name="S", key="00" * 32, software="b"
            )
        )
        rows = [("disk: fsync of 4 KiB", fsync_rate(dialect, rounds=300), "per s")]
        bare = _bare(folder / "bare.db", seconds=2)
        rows.append(("SQLite alone: durable commits of one row", bare, "per s"))
        single = _rate(
            lambda worker, n: _append(journal, f"lot/A{worker}", n, 1), clients=1, seconds=2
        )
        rows.append(
            ("journal: single appends, 1 client", single, f"per s = {single / bare:.2f} x SQLite")
        )
        eight = _rate(
            lambda worker, n: _append(journal, f"lot/B{worker}", n, 1), clients=8, seconds=2
        )
        rows.append(
            ("journal: single appends, 8 clients", eight, f"per s = {eight / bare:.2f} x SQLite")
        )
        grouped = (
            _rate(
                lambda worker, n: _append(journal, f"lot/C{worker}", n * 500, 500),
                clients=1,
                seconds=3,
            )
            * 500
        )
        rows.append(("journal: facts in groups of 500", grouped, "per s"))
        size = journal.size
        facts = [(one.number, one.header, one.content) for one in journal.read()]
        started = time.process_time()
        _verify(facts)
        rows.append(
            (f"verify {size} facts, CPU", size / (time.process_time() - started), "facts/s/core")
        )
        views = SqlViews(Sqlite(folder / "views.db", durable=False), [Count()])
        started = time.process_time()
        views.catch_up(journal)
        rows.append(
            ("rebuild of a small view, CPU", size / (time.process_time() - started), "facts/s/core")
        )
        views.close()
        journal.close()
    for label, value, unit in rows:
        print(f"{label:45} {value:12,.0f} {unit}")


def _append(journal: SqlJournal, stream: str, past: int, count: int) -> None:
    name = Stream(stream)
    entries = [Entry(name, MEASURED) for _ in range(count)]
    journal.append(entries, {name: past}, by=Actor(person="P-1", via="page"), at=AT)


def _rate(work: Callable[[int, int], None], *, clients: int, seconds: float) -> float:
    done = [0] * clients
    until = time.perf_counter() + seconds

    def client(worker: int) -> None:
        while time.perf_counter() < until:
            work(worker, done[worker])
            done[worker] += 1

    threads = [threading.Thread(target=client, args=(one,)) for one in range(clients)]
    started = time.perf_counter()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(done) / (time.perf_counter() - started)


def _bare(path: Path, *, seconds: float) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)")
    until, n, body = time.perf_counter() + seconds, 0, b"x" * 600
    started = time.perf_counter()
    while time.perf_counter() < until:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?, ?)", (n, body))
        connection.execute("COMMIT")
        n += 1
    connection.close()
    return n / (time.perf_counter() - started)


def _verify(facts: list[tuple[int, bytes, bytes | None]]) -> None:
    ends: dict[str, tuple[int, str]] = {}
    hashes = []
    for number, header, content in facts:
        one = Recorded.read(number, header, content)
        version, previous = ends.get(one.stream, (0, "00" * 32))
        if one.version != version + 1 or one.parts["previous"] != previous or not one.is_sound():
            raise SystemExit(f"fact {number} is not sound")
        ends[one.stream] = (one.version, one.hash.hex())
        hashes.append(one.hash)
    root_of(hashes)


if __name__ == "__main__":
    main()
