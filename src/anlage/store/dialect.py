"""The two databases that can keep a journal, its views and its vault: what differs between them,
and nothing else.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from anlage.base import Refused

Row = tuple[Any, ...]
LEASE_SECONDS = 2.0  # how long a lease that is still held is waited for
LOCK_SECONDS = 10  # how long a foreign lock is waited for before the command is refused


class Dialect(Protocol):
    """One database that SQL with `?` placeholders is spoken to."""

    name: str

    def writer(self) -> Any:
        """Give the one connection that writes, with the lease held."""
        ...

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a query on a connection of this thread that cannot write."""
        ...

    def write(self, connection: Any, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row inside the open transaction."""
        ...

    def begin(self, connection: Any) -> None:
        """Open a transaction."""
        ...

    def together(self, connection: Any) -> contextlib.AbstractContextManager[Any]:
        """Give a block whose statements may go to the database in one message."""
        ...

    def create(self, connection: Any, script: Sequence[str]) -> None:
        """Run the statements that make the schema."""
        ...

    def close(self) -> None:
        """Close all connections and give the lease back."""
        ...


class Sqlite:
    """One SQLite file in WAL mode. Only this library may open the file."""

    name = "sqlite"

    def __init__(self, path: Path, *, durable: bool) -> None:
        """Name the file; `durable` means that a commit is on disk when it returns
        (synchronous=FULL).
        """
        self.path = path
        self._durable = durable
        self._threads = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._lease: Any = None

    def writer(self) -> sqlite3.Connection:
        """Take the lease on the file and give the connection that writes.

        Raises:
            Refused: Another process holds the lease.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lease = _lock_file(self.path.with_suffix(".lease"), str(self.path))
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=LOCK_SECONDS
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
        connection.execute("PRAGMA recursive_triggers=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cache_size=-32000")
        # A fact touches five pages; the default of 1,000 would copy the log back every 200 facts.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        with self._guard:
            self._open.append(connection)
        return connection

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a query on a connection of this thread that cannot write."""
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=LOCK_SECONDS
            )
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA cache_size=-16000")
            self._threads.connection = connection
            with self._guard:
                self._open.append(connection)
        return connection.execute(sql, values).fetchall()

    def write(
        self, connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]
    ) -> None:
        """Run a statement once per row inside the open transaction."""
        connection.executemany(sql, rows)

    def begin(self, connection: sqlite3.Connection) -> None:
        """Open a transaction that may write at once."""
        connection.execute("BEGIN IMMEDIATE")

    def together(self, connection: sqlite3.Connection) -> contextlib.AbstractContextManager[Any]:
        """Give a block that does nothing: there is no message to save."""
        del connection
        return contextlib.nullcontext()

    def create(self, connection: sqlite3.Connection, script: Sequence[str]) -> None:
        """Run the statements that make the schema."""
        for statement in script:
            connection.execute(statement)

    def guard_journal(self, connection: sqlite3.Connection) -> None:
        """Forbid this connection whatever could change or drop what has been recorded."""
        forbidden = {
            sqlite3.SQLITE_DROP_TRIGGER,
            sqlite3.SQLITE_DROP_TABLE,
            sqlite3.SQLITE_DROP_INDEX,
            sqlite3.SQLITE_ALTER_TABLE,
            sqlite3.SQLITE_ATTACH,
        }

        def decide(action: int, first: str | None, *_: object) -> int:
            is_forbidden = action in forbidden or (
                action in {sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE} and first == "fact"
            )
            if action == sqlite3.SQLITE_PRAGMA and first == "writable_schema":
                is_forbidden = True
            return sqlite3.SQLITE_DENY if is_forbidden else sqlite3.SQLITE_OK

        connection.set_authorizer(decide)

    def close(self) -> None:
        """Close all connections and give the lease back."""
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
            self._open.clear()
        self._threads = threading.local()
        if self._lease is not None:
            self._lease.close()
            self._lease = None


class Postgres:
    """A schema of a PostgreSQL database, by its URL; the lease is a session advisory lock."""

    name = "postgresql"

    def __init__(self, url: str, *, schema: str, lock: int, durable: bool = True) -> None:
        """Name the database, the schema in it, and the number of the advisory lock that is the
        lease.
        """
        self._url, self._schema, self._lock, self._durable = url, schema, lock, durable
        self._threads = threading.local()
        self._open: list[Any] = []
        self._guard = threading.Lock()

    def writer(self) -> Any:
        """Take the lease and give the connection that writes.

        Raises:
            Refused: Another process holds the lease.
        """
        connection = self._connect()
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"')
        connection.execute(f'SET search_path TO "{self._schema}"')
        if not self._durable:
            connection.execute("SET synchronous_commit TO off")
        connection.execute(f"SET lock_timeout TO '{LOCK_SECONDS}s'")
        asked = "SELECT pg_try_advisory_lock(%s)"
        until = time.monotonic() + LEASE_SECONDS
        # A server ends the session of a writer that is gone a moment after the writer.
        while not connection.execute(asked, (self._lock,)).fetchone()[0]:
            if time.monotonic() > until:
                connection.close()
                raise _leased("the PostgreSQL database")
            time.sleep(0.05)
        return connection

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a query on a connection of this thread that cannot write."""
        connection = getattr(self._threads, "connection", None)
        if connection is None or connection.closed:
            connection = self._connect()
            connection.execute(f'SET search_path TO "{self._schema}"')
            connection.execute("SET default_transaction_read_only TO on")
            connection.execute(f"SET lock_timeout TO '{LOCK_SECONDS}s'")
            self._threads.connection = connection
        rows: list[Row] = connection.execute(_percent(sql), values).fetchall()
        return rows

    def write(self, connection: Any, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row inside the open transaction."""
        with connection.cursor() as cursor:
            if len(rows) == 1:
                cursor.execute(_percent(sql), rows[0])
            else:
                cursor.executemany(_percent(sql), rows)

    def begin(self, connection: Any) -> None:
        """Open a transaction."""
        connection.execute("BEGIN")

    def together(self, connection: Any) -> contextlib.AbstractContextManager[Any]:
        """Give a block whose statements travel together; its end waits for all of them."""
        block: contextlib.AbstractContextManager[Any] = connection.pipeline()
        return block

    def create(self, connection: Any, script: Sequence[str]) -> None:
        """Run the statements that make the schema."""
        for statement in script:
            connection.execute(statement.replace("BLOB", "BYTEA"))

    def close(self) -> None:
        """Close all connections and give the lease back."""
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(Exception):
                    connection.close()
            self._open.clear()
        self._threads = threading.local()

    def _connect(self) -> Any:
        import psycopg

        connection = psycopg.connect(self._url, autocommit=True, prepare_threshold=2)
        with self._guard:
            self._open.append(connection)
        return connection


@contextlib.contextmanager
def transaction(dialect: Dialect, connection: Any) -> Iterator[None]:
    """Do all inside, or nothing."""
    try:
        with dialect.together(connection):
            dialect.begin(connection)
            yield
            connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(Exception):
            connection.execute("ROLLBACK")
        raise


def _percent(sql: str) -> str:
    return sql.replace("?", "%s")


def _lock_file(path: Path, what: str) -> Any:
    handle = path.open("a+b")
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise _leased(what) from error
    return handle


def _leased(what: str) -> Refused:
    return Refused(
        "journal-leased",
        what=what,
        found="another process writes to it",
        limit="one writer at a time",
        remedy="stop the other process, or send the command to it while it runs",
        rule="design: one writer",
    )
