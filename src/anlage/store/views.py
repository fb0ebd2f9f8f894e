"""The views on SQL: rows that follow the journal, rebuilt beside the live ones and switched in one
step.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from anlage.record import Journal, Recorded, View

from .dialect import Dialect, transaction

log = logging.getLogger(__name__)
_BATCH = 5000

_TABLES = (
    """CREATE TABLE IF NOT EXISTS view_row (
        view TEXT NOT NULL, generation BIGINT NOT NULL, key TEXT NOT NULL,
        facet TEXT NOT NULL, position TEXT NOT NULL, doc BLOB NOT NULL,
        PRIMARY KEY (view, generation, key))""",
    """CREATE INDEX IF NOT EXISTS view_row_order
        ON view_row (view, generation, position, key)""",
    """CREATE INDEX IF NOT EXISTS view_row_facet
        ON view_row (view, generation, facet, position, key)""",
    """CREATE TABLE IF NOT EXISTS view_cursor (
        view TEXT PRIMARY KEY, version BIGINT NOT NULL,
        generation BIGINT NOT NULL, next BIGINT NOT NULL)""",
)


class _Rows:
    """The rows of one generation of one view; written through the writer's connection, in its
    transaction.
    """

    def __init__(self, owner: "SqlViews", view: str, generation: int, *, is_writing: bool) -> None:
        self._owner, self._view, self._generation = owner, view, generation
        self._pending: dict[str, tuple[str, str, bytes] | None] | None = {} if is_writing else None
        self._cache: dict[str, dict[str, Any] | None] = {}

    def get(self, key: str) -> dict[str, Any] | None:
        """Give a row; None when there is none."""
        if key in self._cache:
            return self._cache[key]
        rows = self._query(
            "SELECT doc FROM view_row WHERE view = ? AND generation = ? AND key = ?", (key,)
        )
        row = orjson.loads(rows[0][0]) if rows else None
        if self._pending is not None:
            self._cache[key] = row
        return row

    def put(self, key: str, row: dict[str, Any], *, facet: str = "", order: str = "") -> None:
        """Write or replace a row."""
        assert self._pending is not None, "rows are written by their view alone"
        self._pending[key] = (facet, order, orjson.dumps(row))
        self._cache[key] = row

    def delete(self, key: str) -> None:
        """Take a row away."""
        assert self._pending is not None, "rows are written by their view alone"
        self._pending[key] = None
        self._cache[key] = None

    def find(
        self,
        *,
        facet: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
        after: str | None = None,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give (key, row) in order, all or those of one facet, past an order when one is given."""
        self.flush()
        direction = "DESC" if newest_first else "ASC"
        where = "" if facet is None else " AND facet = ?"
        values: list[str] = [] if facet is None else [facet]
        if after is not None:
            where += " AND position > ?"
            values.append(after)
        rows = self._query(
            f"SELECT key, doc FROM view_row WHERE view = ? AND generation = ?{where}"
            f" ORDER BY position {direction}, key {direction} LIMIT {int(limit)}",
            values,
        )
        for key, doc in rows:
            yield key, orjson.loads(doc)

    def count(self, *, facet: str | None = None) -> int:
        """Count the rows, all or those of one facet."""
        self.flush()
        where = "" if facet is None else " AND facet = ?"
        rows = self._query(
            f"SELECT count(*) FROM view_row WHERE view = ? AND generation = ?{where}",
            () if facet is None else (facet,),
        )
        return int(rows[0][0])

    def flush(self) -> None:
        """Send what has been put to the database, inside the open transaction."""
        if not self._pending:
            return
        mine = (self._view, self._generation)
        gone = [(*mine, key) for key, value in self._pending.items() if value is None]
        kept = [(*mine, key, *value) for key, value in self._pending.items() if value is not None]
        if gone:
            self._owner.write(
                "DELETE FROM view_row WHERE view = ? AND generation = ? AND key = ?", gone
            )
        if kept:
            self._owner.write(
                "INSERT INTO view_row (view, generation, key, facet, position, doc)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (view, generation, key) DO UPDATE"
                " SET facet = excluded.facet, position = excluded.position, doc = excluded.doc",
                kept,
            )
        self._pending.clear()
        self._cache.clear()

    def _query(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        every = (self._view, self._generation, *values)
        return self._owner.query(sql, every, is_writing=self._pending is not None)


class SqlViews:
    """All views of one journal."""

    def __init__(self, dialect: Dialect, views: Iterable[View]) -> None:
        """Take the lease on the views' database and look where each view stands."""
        self._dialect = dialect
        self._connection = dialect.writer()
        dialect.create(self._connection, _TABLES)
        self._lock = threading.RLock()
        self._views = {view.name: view for view in views}
        self._standing: dict[str, tuple[int, int]] = {}
        for name, version, generation, following in self._fetch(
            "SELECT view, version, generation, next FROM view_cursor"
        ):
            if name in self._views and self._views[name].version == version:
                self._standing[name] = (generation, following)

    @property
    def names(self) -> list[str]:
        """The names of all views."""
        return sorted(self._views)

    def rows(self, view: str) -> _Rows:
        """Give the live rows of a view, to read."""
        generation, _ = self._standing.get(view, (0, 0))
        return _Rows(self, view, generation, is_writing=False)

    def catch_up(self, journal: Journal) -> int:
        """Fold what each view has not seen; rebuild those whose version has changed. Gives the
        facts folded.
        """
        folded = 0
        for view in self._views.values():
            if view.name not in self._standing:
                folded += self.rebuild(journal, view.name)
                continue
            generation, following = self._standing[view.name]
            folded += self._fold(journal, view, generation, following)
        return folded

    def rebuild(self, journal: Journal, name: str) -> int:
        """Fold a view anew beside the live rows, then switch; gives the facts folded."""
        view = self._views[name]
        found = self._fetch("SELECT generation FROM view_cursor WHERE view = ?", (name,))
        generation = (found[0][0] if found else 0) + 1
        with self._lock, transaction(self._dialect, self._connection):
            self.write(
                "DELETE FROM view_row WHERE view = ? AND generation >= ?", [(name, generation)]
            )
        return self._fold(journal, view, generation, 0)

    def follow(self, facts: Sequence[Recorded]) -> None:
        """Take new facts into every view; called by the journal's writer before it answers."""
        with self._lock, transaction(self._dialect, self._connection):
            for view in self._views.values():
                standing = self._standing.get(view.name)
                if standing is None or standing[1] != facts[0].number:
                    continue  # not caught up: `catch_up` folds these too
                rows = _Rows(self, view.name, standing[0], is_writing=True)
                for one in facts:
                    if not view.families or one.stream.family in view.families:
                        view.apply(rows, one)
                rows.flush()
                self._stand(view, standing[0], facts[-1].number + 1)

    def close(self) -> None:
        """Let go of the database."""
        self._dialect.close()

    def write(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row in the open transaction."""
        self._dialect.write(self._connection, sql, rows)

    def query(self, sql: str, values: Sequence[Any], *, is_writing: bool) -> list[tuple[Any, ...]]:
        """Run a query: inside the open transaction while a view folds, else on the reader's own
        connection.
        """
        if is_writing:
            return self._fetch(sql, values)
        return self._dialect.read(sql, values)

    def _fetch(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        statement = sql if self._dialect.name == "sqlite" else sql.replace("?", "%s")
        rows: list[tuple[Any, ...]] = self._connection.execute(statement, values).fetchall()
        return rows

    def _fold(self, journal: Journal, view: View, generation: int, start: int) -> int:
        folded = 0
        while True:
            size = journal.size
            if start >= size and folded:
                break
            stop = min(size, start + _BATCH)
            with self._lock, transaction(self._dialect, self._connection):
                rows = _Rows(self, view.name, generation, is_writing=True)
                for one in journal.read(start, stop):
                    if not view.families or one.stream.family in view.families:
                        view.apply(rows, one)
                rows.flush()
                folded += stop - start
                start = stop
                if start >= size:
                    self._stand(view, generation, start)
            if start >= size:
                break
        with self._lock, transaction(self._dialect, self._connection):
            self.write(
                "DELETE FROM view_row WHERE view = ? AND generation < ?", [(view.name, generation)]
            )
        return folded

    def _stand(self, view: View, generation: int, following: int) -> None:
        self.write(
            "INSERT INTO view_cursor (view, version, generation, next) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (view) DO UPDATE SET version = excluded.version,"
            " generation = excluded.generation, next = excluded.next",
            [(view.name, view.version, generation, following)],
        )
        self._standing[view.name] = (generation, following)
