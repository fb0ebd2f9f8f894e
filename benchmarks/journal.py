"""The journal on each engine: durable appends, verification and rebuild, the bare engine beside them in the same run."""

import hashlib
import itertools
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.postgres_server import binaries, server

from anlage.base import FixedClock
from anlage.record import Actor, Entry, JournalOpened, Recorded, Stream, World, fact, root_of
from anlage.store import Postgres, Sqlite, SqlJournal, SqlViews, fsync_rate

Client = Callable[[int], None]
CLIENTS = 8
NUMBERS = itertools.count()
SECONDS = 3
ROW = b"x" * 600  # a fact of about the same size: header, body, hash

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
    """Print the table of each engine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dialect = Sqlite(folder / "journal.db", durable=True)
        print(f"{'disk: fsync of 4 KiB':45} {_fsync(dialect):12,.0f} per s")
        _measure("SQLite", dialect, lambda: _sqlite_client(folder / "bare.db"))
    if binaries() is None:
        print("PostgreSQL is not installed here")
        return
    with server("bench") as url:
        _measure("PostgreSQL", Postgres(url, schema="bench", lock=7), lambda: _postgres_client(url))


def _measure(engine: str, dialect: Sqlite | Postgres, client: Callable[[], Client]) -> None:
    """Print appends, verification and rebuild on one engine, its bare self beside them."""
    rows = []
    bare = {count: _bare(client, clients=count) for count in (1, CLIENTS)}
    journal = SqlJournal(dialect, clock=FixedClock(AT))
    opened = JournalOpened(
        world=World.SIMULATED, site="S", site_name="S", key="00" * 32, software="b"
    )
    journal.open(opened)
    for count in (1, CLIENTS):
        label = f"{count} client{'s' if count > 1 else ''}"
        found = _rate(
            lambda worker, n, count=count: _append(journal, f"lot/A{count}-{worker}", n, 1),
            clients=count,
            seconds=SECONDS,
        )
        rows.append((f"{engine} alone, durable rows, {label}", bare[count], "per s"))
        ratio = f"per s = {found / bare[count]:.2f} x {engine} alone"
        rows.append((f"journal: durable single appends, {label}", found, ratio))
    for count in (1, CLIENTS):
        began, before = time.process_time(), journal.size
        _rate(
            lambda worker, n, count=count: _append(journal, f"lot/C{count}-{worker}", n * 500, 500),
            clients=count,
            seconds=SECONDS,
        )
        added, took = journal.size - before, time.process_time() - began
        label = f"journal: facts in groups of 500, clients: {count}"
        rows.append((label, added / SECONDS, f"per s, {added / took:,.0f} per CPU second"))
    size = journal.size
    facts = [(one.number, one.header, one.content) for one in journal.read()]
    started = time.process_time()
    _verify(facts)
    took = time.process_time() - started
    rows.append((f"verify {size} facts, CPU", size / took, "facts/s/core"))
    rows.append(("SHA-256 over the same bytes alone, CPU", _hash_only(facts), "facts/s/core"))
    with tempfile.TemporaryDirectory() as name:
        views = SqlViews(Sqlite(Path(name) / "views.db", durable=False), [Count()])
        started = time.process_time()
        views.catch_up(journal)
        took = time.process_time() - started
        rows.append(("rebuild of a small view, CPU", size / took, "facts/s/core"))
        views.close()
    journal.close()
    for label, value, unit in rows:
        print(f"{label:45} {value:12,.0f} {unit}", flush=True)


def _fsync(dialect: Sqlite) -> float:
    return fsync_rate(dialect, rounds=300)


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


def _bare(client: Callable[[], Client], *, clients: int) -> float:
    """Give the durable commits of one row each that the engine itself does in a second."""
    inserts = [client() for _ in range(clients)]
    return _rate(lambda worker, _: inserts[worker](next(NUMBERS)), clients=clients, seconds=SECONDS)


def _sqlite_client(path: Path) -> Client:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, b BLOB)")

    def insert(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?, ?)", (number, ROW))
        connection.execute("COMMIT")

    return insert


def _postgres_client(url: str) -> Client:
    import psycopg

    connection = psycopg.connect(url, autocommit=True, prepare_threshold=2)
    connection.execute("CREATE TABLE IF NOT EXISTS t (n BIGINT PRIMARY KEY, b BYTEA)")

    def insert(number: int) -> None:
        connection.execute("INSERT INTO t VALUES (%s, %s)", (number, ROW))

    return insert


def _hash_only(facts: list[tuple[int, bytes, bytes | None]]) -> float:
    started = time.process_time()
    for _, header, content in facts:
        hashlib.sha256(header).digest()
        hashlib.sha256(content or b"").digest()
    return len(facts) / (time.process_time() - started)


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
