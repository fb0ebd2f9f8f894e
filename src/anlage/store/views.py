"""The views on SQL: rows that follow the journal, rebuilt beside the live ones and switched in one
step.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from anlage.record import Journal, Recorded, View

from .dialect import Dialect, transaction

log = logging.getLogger(__name__)
_BATCH = 5000
_RETRY = 500  # facts that a view left behind may take beside one commit

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
        text: str = "",
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give (key, row) in order, all or those of one facet, past an order when one is given."""
        self.flush()
        direction = "DESC" if newest_first else "ASC"
        where = "" if facet is None else " AND facet = ?"
        values: list[str] = [] if facet is None else [facet]
        if after is not None:
            where += " AND position > ?"
            values.append(after)
        if text and text.isascii():  # SQLite lowers nothing else
            where += self._owner.holding
            values.append(text.lower())
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

    def __init__(self, dialect: Dialect, views: Iterable[View], *, is_guest: bool = False) -> None:
        """Take the lease on the views' database and look where each view stands.

        Args:
            dialect: The database.
            views: All views.
            is_guest: Read what another process folds, and take no lease.
        """
        self._dialect = dialect
        self._connection = None if is_guest else dialect.writer()
        if not is_guest:
            dialect.create(self._connection, _TABLES)
        self._lock = threading.RLock()
        self._views = {view.name: view for view in views}
        self._standing: dict[str, tuple[int, int]] = {}
        self._failed: dict[str, tuple[int, str]] = {}
        self._journal: Journal | None = None
        for name, version, generation, following in self._fetch(
            "SELECT view, version, generation, next FROM view_cursor"
        ):
            if name in self._views and self._views[name].version == version:
                self._standing[name] = (generation, following)

    @property
    def holding(self) -> str:
        """The condition that a row's document holds a text in small letters."""
        if self._dialect.name == "sqlite":
            return " AND instr(lower(CAST(doc AS TEXT)), ?) > 0"
        return " AND position(?::text in lower(convert_from(doc, 'UTF8'))) > 0"

    @property
    def names(self) -> list[str]:
        """The names of all views."""
        return sorted(self._views)

    def rows(self, view: str) -> _Rows:
        """Give the live rows of a view, to read."""
        generation, _ = self._standing.get(view, (0, 0))
        return _Rows(self, view, generation, is_writing=False)

    def catch_up(self, journal: Journal) -> int:
        """Fold what each view has not seen, reading the journal once for all of them; rebuild those
        whose version has changed. Gives the facts read.

        A view that fails on a fact stays where it is, and the others go on; see `behind`.
        """
        if self._connection is None:
            return 0
        self._journal = journal
        folds = []
        for view in self._views.values():
            standing = self._standing.get(view.name)
            if standing is None:
                folds.append(_Fold(view, self._new_generation(view.name), 0, is_new=True))
            else:
                folds.append(_Fold(view, standing[0], standing[1], is_new=False))
        return self._fold(journal, folds)

    def rebuild(self, journal: Journal, name: str) -> int:
        """Fold a view anew beside the live rows, then switch; gives the facts read.

        Raises:
            Exception: Whatever its fold fails with; the live rows stay.
        """
        fold = _Fold(self._views[name], self._new_generation(name), 0, is_new=True)
        read = self._fold(journal, [fold])
        if fold.error is not None:
            raise fold.error
        return read

    def follow(self, facts: Sequence[Recorded]) -> None:
        """Take new facts into every view; called by the journal's writer before it answers.

        All views move in one transaction. When one fails, each moves in its own: the failing one
        stands still and is tried again, from where it stands, at every later commit.
        """
        first = facts[0].number
        folds = [
            _Fold(view, standing[0], standing[1], is_new=False)
            for view in self._views.values()
            if (standing := self._standing.get(view.name)) is not None
        ]
        ready = [fold for fold in folds if fold.following == first]
        self._step_together(ready, facts)
        late = [fold for fold in folds if fold.following < first]
        if late and self._journal is not None:
            self._fold(self._journal, late, most=_RETRY)

    def behind(self) -> dict[str, tuple[int, str]]:
        """Give the views that failed on a fact: the number of the first fact that each has not
        taken, and why.
        """
        return dict(self._failed)

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
        if self._connection is None:
            return self._dialect.read(sql, values)
        statement = sql if self._dialect.name == "sqlite" else sql.replace("?", "%s")
        rows: list[tuple[Any, ...]] = self._connection.execute(statement, values).fetchall()
        return rows

    def _new_generation(self, name: str) -> int:
        """Give the number of a generation that nobody reads, and clear what a stopped rebuild left
        of it.
        """
        found = self._fetch("SELECT generation FROM view_cursor WHERE view = ?", (name,))
        generation = int(found[0][0] if found else 0) + 1
        with self._lock, transaction(self._dialect, self._connection):
            self.write(
                "DELETE FROM view_row WHERE view = ? AND generation >= ?", [(name, generation)]
            )
        return generation

    def _fold(self, journal: Journal, folds: Sequence["_Fold"], *, most: int | None = None) -> int:
        """Fold views forward from where each stands, reading each fact once."""
        start = min((fold.following for fold in folds), default=0)
        end = journal.size if most is None else min(journal.size, start + most)
        begun = start
        while start < end:
            stop = min(end, start + _BATCH)
            facts = list(journal.read(start, stop))
            going = [fold for fold in folds if fold.error is None and fold.following < stop]
            self._step_together(going, facts)
            start = stop
            end = journal.size if most is None else end
        for fold in folds:
            if fold.is_new and fold.error is None:
                self._switch(fold)
        return start - begun

    def _step(self, folds: Sequence["_Fold"], facts: Sequence[Recorded]) -> None:
        """Take facts into views, all in one transaction; facts that a view has seen are passed
        over.
        """
        after = facts[-1].number + 1
        with self._lock, transaction(self._dialect, self._connection):
            for fold in folds:
                fold.take(self, facts)
            self._stand([fold for fold in folds if not fold.is_new], after)
        for fold in folds:
            fold.following = after
            if not fold.is_new:
                self._standing[fold.view.name] = (fold.generation, after)
                self._failed.pop(fold.view.name, None)

    def _step_together(self, folds: Sequence["_Fold"], facts: Sequence[Recorded]) -> None:
        try:
            self._step(folds, facts)
        except Exception:
            log.debug("a view failed; each is folded by itself", exc_info=True)
            for fold in folds:
                self._step_alone(fold, facts)

    def _step_alone(self, fold: "_Fold", facts: Sequence[Recorded]) -> None:
        try:
            self._step([fold], facts)
        except Exception as error:
            name, number = fold.view.name, fold.at
            if self._failed.get(name, (None, ""))[0] != number:
                log.exception("view %s stands still before fact %d", name, number)
            fold.error = error
            self._failed[name] = (number, f"{type(error).__name__}: {error}"[:300])

    def _switch(self, fold: "_Fold") -> None:
        """Let readers see a new generation, and drop the one before."""
        name = fold.view.name
        with self._lock, transaction(self._dialect, self._connection):
            self._stand([fold], fold.following)
            self.write(
                "DELETE FROM view_row WHERE view = ? AND generation < ?", [(name, fold.generation)]
            )
        self._standing[name] = (fold.generation, fold.following)
        self._failed.pop(name, None)

    def _stand(self, folds: Sequence["_Fold"], following: int) -> None:
        if folds:
            self.write(
                "INSERT INTO view_cursor (view, version, generation, next) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (view) DO UPDATE SET version = excluded.version,"
                " generation = excluded.generation, next = excluded.next",
                [(one.view.name, one.view.version, one.generation, following) for one in folds],
            )


@dataclass(slots=True)
class _Fold:
    """A view on its way through the journal.

    Attributes:
        view: The view.
        generation: The generation of rows that it writes.
        following: The number of the next fact that it takes.
        is_new: Whether readers still see the generation before.
        at: The fact that it was last given.
        error: What it failed with.
    """

    view: View
    generation: int
    following: int
    is_new: bool
    at: int = 0
    error: Exception | None = None

    def take(self, owner: SqlViews, facts: Sequence[Recorded]) -> None:
        """Take what is new of these facts into the rows, in the open transaction."""
        view, families = self.view, self.view.families
        rows = _Rows(owner, view.name, self.generation, is_writing=True)
        for one in facts:
            if one.number >= self.following and (not families or one.stream.family in families):
                self.at = one.number
                view.apply(rows, one)
        rows.flush()
