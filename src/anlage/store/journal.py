"""The journal on SQL: one writer at a time, commits in groups, nothing acknowledged that is not on
disk.

Whoever appends while nobody writes is the writer, for one group: what has queued up by then. Then
the first of those still waiting takes over. One client alone so writes without a change of thread,
and many share a commit.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from anlage.base import Broken, Clock, Instant, Refused, SystemClock
from anlage.record import (
    JOURNAL_STREAM,
    NOTHING_BEFORE,
    Actor,
    Checkpoint,
    Clockwork,
    Conflict,
    Entry,
    Head,
    JournalOpened,
    Receipt,
    Recorded,
    Stream,
    Tree,
    World,
    read_checkpoint,
    write,
)

from .dialect import Dialect, Sqlite, transaction

FORMAT = 1
GROUP_MAX = 512
PAGE = 2000
VERSION_MAX = 2**62
log = logging.getLogger(__name__)

TABLES = (
    """CREATE TABLE IF NOT EXISTS fact (
        number BIGINT PRIMARY KEY, stream TEXT NOT NULL, version BIGINT NOT NULL,
        command TEXT, hash BLOB NOT NULL, header BLOB NOT NULL, content BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS fact_stream ON fact (stream, version)",
    "CREATE INDEX IF NOT EXISTS fact_command ON fact (command) WHERE command IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS head (
        stream TEXT PRIMARY KEY, version BIGINT NOT NULL, hash BLOB NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS tile (number BIGINT PRIMARY KEY, hash BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS note (
        size BIGINT PRIMARY KEY, text TEXT NOT NULL, signer TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS format (version BIGINT NOT NULL)",
)

_REFUSE = "facts are never changed or removed"
_GUARDS = {
    "sqlite": (
        f"""CREATE TRIGGER IF NOT EXISTS fact_update BEFORE UPDATE ON fact
            BEGIN SELECT RAISE(ABORT, '{_REFUSE}'); END""",
        f"""CREATE TRIGGER IF NOT EXISTS fact_delete BEFORE DELETE ON fact
            BEGIN SELECT RAISE(ABORT, '{_REFUSE}'); END""",
        """CREATE TRIGGER IF NOT EXISTS fact_insert BEFORE INSERT ON fact
            WHEN NEW.number IS NOT (SELECT coalesce(max(number), -1) + 1 FROM fact)
            OR NEW.version IS NOT
               (SELECT coalesce(max(version), 0) + 1 FROM fact WHERE stream = NEW.stream)
            BEGIN SELECT RAISE(ABORT, 'facts are only added, at the end'); END""",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION fact_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{_REFUSE}'; END $$""",
        """CREATE OR REPLACE FUNCTION fact_extend() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
              IF NEW.number <> (SELECT coalesce(max(number), -1) + 1 FROM fact)
                OR NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM fact
                                   WHERE stream = NEW.stream)
              THEN RAISE EXCEPTION 'facts are only added, at the end'; END IF;
              RETURN NEW;
            END $$""",
        """CREATE OR REPLACE TRIGGER fact_keep BEFORE UPDATE OR DELETE ON fact
            FOR EACH ROW EXECUTE FUNCTION fact_refuse()""",
        """CREATE OR REPLACE TRIGGER fact_truncate BEFORE TRUNCATE ON fact
            FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse()""",
        """CREATE OR REPLACE TRIGGER fact_insert BEFORE INSERT ON fact
            FOR EACH ROW EXECUTE FUNCTION fact_extend()""",
    ),
}


@dataclass(slots=True)
class _Request:
    """What somebody asks of the writer.

    `answer` gets what was done or why not, once; before that perhaps None: its owner now writes.
    """

    entries: Sequence[Entry]
    expected: Mapping[Stream, int]
    by: Actor
    at: Instant
    command: str | None
    work: Callable[[Any], None] | None = None
    answer: queue.SimpleQueue[Receipt | Exception | None] = field(default_factory=queue.SimpleQueue)


class SqlJournal:
    """The journal of one world and site on SQLite or PostgreSQL."""

    def __init__(
        self,
        dialect: Dialect,
        *,
        clock: Clock | None = None,
        on_commit: Callable[[Sequence[Recorded]], None] | None = None,
    ) -> None:
        """Take the lease and check what is there.

        Args:
            dialect: The database.
            clock: Gives recorded-at; the machine's own clock outside tests.
            on_commit: Called in the writer, after the commit and before the answer, with the new
            facts.

        Raises:
            Refused: Another process writes, or the journal was written by a newer build.
            Broken: What is on disk contradicts itself.
        """
        self._dialect = dialect
        self._clock = clock or SystemClock()
        self._on_commit = on_commit
        self._connection = dialect.writer()
        dialect.create(self._connection, (*TABLES, *_GUARDS[dialect.name]))
        self._check_format()
        if isinstance(dialect, Sqlite):
            dialect.guard_journal(self._connection)
        self._heads: dict[Stream, Head] = {}
        self._grown = self._take_up_tree()
        self._opened: JournalOpened | None = self._read_opened()
        self._clockwork = self._read_clockwork()
        self._waiting: deque[_Request] = deque()
        self._writing = threading.Lock()
        self._is_closed = False

    def open(self, opened: JournalOpened) -> None:
        """Write the first fact of a new journal.

        Raises:
            Refused: The journal has been opened before.
        """
        if self._opened is not None:
            raise Refused(
                "journal-exists",
                what=f"journal of {self._opened.site}",
                found=f"opened as {self._opened.world}",
                remedy="choose an empty folder or schema",
            )
        self._opened = opened
        self.append(
            [Entry(JOURNAL_STREAM, opened)],
            {JOURNAL_STREAM: 0},
            by=Actor(),
            at=self._clock.now(),
        )

    @property
    def is_opened(self) -> bool:
        """Whether the journal has its first fact."""
        return self._opened is not None

    @property
    def opened(self) -> JournalOpened:
        """The first fact of the journal.

        Raises:
            Refused: There is none yet.
        """
        if self._opened is None:
            raise Refused(
                "journal-empty", what="journal", found="no first fact", remedy="run `anlage init`"
            )
        return self._opened

    @property
    def world(self) -> World:
        """The world that the journal is about."""
        return self.opened.world

    @property
    def site(self) -> str:
        """The site whose journal it is."""
        return self.opened.site

    @property
    def _tree(self) -> Tree:
        """The tree over all facts."""
        return self._grown

    @property
    def size(self) -> int:
        """How many facts it holds."""
        return self._tree.size

    def append(
        self,
        entries: Sequence[Entry],
        expected: Mapping[Stream, int],
        *,
        by: Actor,
        at: Instant,
        command: str | None = None,
    ) -> Receipt:
        """Write all entries in one transaction, or none; returns when they are on disk."""
        return self._ask(_Request(entries, expected, by, at, command))

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Recorded]:
        """Give the facts from number `start` up to `stop`, in global order."""
        stop = self.size if stop is None else min(stop, self.size)
        while start < stop:
            page = min(stop, start + PAGE)
            rows = self._dialect.read(
                "SELECT number, header, content FROM fact"
                " WHERE number >= ? AND number < ? ORDER BY number",
                (start, page),
            )
            if len(rows) != page - start:
                raise Broken(
                    f"facts {start} to {page - 1} without a gap", seen=f"{len(rows)} facts"
                )
            for number, header, content in rows:
                yield Recorded.read(number, bytes(header), bytes(content))
            start = page

    def read_stream(
        self, stream: Stream, after: int = 0, upto: int | None = None
    ) -> list[Recorded]:
        """Give the facts of one stream past version `after`, up to and with version `upto`, in
        order.
        """
        rows = self._dialect.read(
            "SELECT number, header, content FROM fact"
            " WHERE stream = ? AND version > ? AND version <= ? ORDER BY version",
            (str(stream), after, VERSION_MAX if upto is None else upto),
        )
        return [
            Recorded.read(number, bytes(header), bytes(content)) for number, header, content in rows
        ]

    def find_command(self, command: str) -> Receipt | None:
        """Give what a command wrote, by its key; None when no such key was used."""
        rows = self._dialect.read(
            "SELECT number, header, content FROM fact WHERE command = ? ORDER BY number", (command,)
        )
        if not rows:
            return None
        facts = tuple(Recorded.read(n, bytes(header), bytes(body)) for n, header, body in rows)
        return Receipt(facts=facts, is_repeat=True)

    def head(self, stream: Stream) -> Head:
        """Give the end of a stream; version 0 for one without facts."""
        rows = self._dialect.read("SELECT version, hash FROM head WHERE stream = ?", (str(stream),))
        if not rows:
            return Head(version=0, hash=NOTHING_BEFORE)
        return Head(version=rows[0][0], hash=bytes(rows[0][1]))

    def heads(self) -> dict[Stream, Head]:
        """Give the end of every stream."""
        rows = self._dialect.read("SELECT stream, version, hash FROM head")
        return {
            str.__new__(Stream, stream): Head(version=version, hash=bytes(hash_))
            for stream, version, hash_ in rows
        }

    def snapshot(self) -> tuple[int, dict[Stream, Head]]:
        """Give the size and every stream's end at one and the same moment between two commits."""
        found: list[tuple[int, dict[Stream, Head]]] = []
        self.run_in_writer(lambda _: found.append((self._tree.size, self.heads())))
        return found[0]

    def streams(self, family: str) -> list[Stream]:
        """Give every stream of a family, in order of name."""
        rows = self._dialect.read(
            "SELECT stream FROM head WHERE stream >= ? AND stream < ? ORDER BY stream",
            (f"{family}/", f"{family}0"),
        )
        return [str.__new__(Stream, name) for (name,) in rows]

    def search(self, text: str, limit: int) -> list[Stream]:
        """Give the streams whose name is or ends in the text; where there is none, those that have
        it somewhere. In order of name, whatever the case of letters.
        """
        lowered = text.lower()
        exact = "SELECT stream FROM head WHERE lower(stream) = ? OR lower(stream) LIKE ?"
        within = "SELECT stream FROM head WHERE lower(stream) LIKE ?"
        plain = _escaped(lowered)
        end = " ESCAPE '!' ORDER BY stream LIMIT ?"
        rows = self._dialect.read(exact + end, (lowered, f"%/{plain}", limit))
        rows = rows or self._dialect.read(within + end, (f"%{plain}%", limit))
        return [str.__new__(Stream, name) for (name,) in rows]

    def prove(self, numbers: Sequence[int], size: int) -> list[bytes]:
        """Give the subset proof of these facts in the tree of the first `size` facts."""
        return self._tree.prove(numbers, size)

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """Give the proof that the tree of size `later` extends that of size `earlier`."""
        return self._tree.consistency(earlier, later)

    def root(self, size: int | None = None) -> bytes:
        """Give the tree's root."""
        return self._tree.root(size)

    def checkpoints(self) -> list[Checkpoint]:
        """Give the signed checkpoints that were kept, oldest first."""
        rows = self._dialect.read("SELECT text, signer FROM note ORDER BY size")
        return [read_checkpoint(text, signer) for text, signer in rows]

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a signed checkpoint; a second one of the same size is not needed."""
        self.run_in_writer(
            lambda connection: self._dialect.write(
                connection,
                "INSERT INTO note (size, text, signer) VALUES (?, ?, ?)"
                " ON CONFLICT (size) DO NOTHING",
                [(checkpoint.size, checkpoint.as_note(), checkpoint.key)],
            )
        )

    def clock_behind(self) -> timedelta:
        """Give how far the machine's clock stands behind the latest time that it has shown."""
        return self._clockwork.behind(self._clock.now())

    def run_in_writer(self, work: Callable[[Any], None]) -> None:
        """Run something else that writes beside the facts, between two commits and in its own
        transaction.
        """
        self._ask(_Request((), {}, Actor(), self._clock.now(), None, work))

    def close(self) -> None:
        """Finish what is queued and let go of the database."""
        self._writing.acquire()
        self._is_closed = True
        self._dialect.close()
        self._pass_on()

    # The writer.

    def _ask(self, request: _Request) -> Receipt:
        """Have a request done, by this thread or by one that writes already."""
        self._waiting.append(request)
        if self._writing.acquire(blocking=False):
            self._write_once()
        while (found := request.answer.get()) is None:
            self._write_once()
        if isinstance(found, Exception):
            raise found
        return found

    def _write_once(self) -> None:
        """Write one group, holding `_writing`; then pass it on."""
        group: list[_Request] = []
        try:
            while self._waiting and len(group) < GROUP_MAX:
                is_alone = self._waiting[0].work is not None  # between two commits
                if group and is_alone:
                    break
                group.append(self._waiting.popleft())
                if is_alone:
                    break
            if group:
                self._write_group(group)
        except BaseException:
            # Broken off, by Ctrl-C say, between disk and memory: only a new start knows what is.
            self._is_closed = True
            for one in group:
                one.answer.put(_closed())
            raise
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Let the first that waits write next; where nobody waits, whoever comes."""
        while True:
            if self._waiting:
                self._waiting[0].answer.put(None)  # `_writing` stays taken, and is theirs
                return
            self._writing.release()
            # Somebody may have queued up just before, and found it taken.
            if not self._waiting or not self._writing.acquire(blocking=False):
                return

    def _write_group(self, group: list[_Request]) -> None:
        answers: list[tuple[_Request, Receipt | Exception]] = []
        added: list[Recorded] = []
        ends: dict[Stream, Head] = {}
        commands: dict[str, Receipt] = {}
        if self._is_closed:
            for request in group:
                request.answer.put(_closed())
            return
        recorded_at, clockwork = self._clock.now(), self._clockwork.copy()
        try:
            with transaction(self._dialect, self._connection):
                self._note_clock(group, recorded_at, added, ends)
                for request in group:
                    answer = self._judge(request, recorded_at, added, ends, commands)
                    answers.append((request, answer))
                if added:
                    self._insert(added, ends)
        except Exception as error:
            log.exception("the journal could not commit; nothing of the group was written")
            self._heads.clear()
            self._clockwork = clockwork
            failure = _not_written(error)
            for request in group:
                request.answer.put(failure)
            return
        if added:
            self._heads.update(ends)
            self._tree.extend(one.hash for one in added)
            for one in added:
                if one.stream == JOURNAL_STREAM:
                    self._clockwork.note(one)
            if self._on_commit is not None:
                try:
                    self._on_commit(added)
                except Exception:
                    # The facts are on disk; views catch up at the next start or commit.
                    log.exception("views could not follow the journal")
        for request, answer in answers:
            request.answer.put(answer)

    def _judge(
        self,
        request: _Request,
        recorded_at: Instant,
        added: list[Recorded],
        ends: dict[Stream, Head],
        commands: dict[str, Receipt],
    ) -> Receipt | Exception:
        if request.work is not None:
            request.work(self._connection)
            return Receipt(facts=())
        if request.command:
            earlier = commands.get(request.command) or self.find_command(request.command)
            if earlier is not None:
                return earlier
        for stream, expected in request.expected.items():
            found = self._end(stream, ends).version
            if found != expected:
                return Conflict(stream, expected=expected, found=found)
        mine: list[Recorded] = []
        new_ends = dict[Stream, Head]()
        try:
            for entry in request.entries:
                end = new_ends.get(entry.stream) or self._end(entry.stream, ends)
                one = write(
                    entry,
                    number=self._tree.size + len(added) + len(mine),
                    version=end.version + 1,
                    previous=end.hash,
                    site=self.opened.site,
                    by=request.by,
                    at=request.at,
                    recorded=recorded_at,
                    relied={s: v for s, v in request.expected.items() if s != entry.stream},
                    command=request.command,
                )
                new_ends[entry.stream] = Head(version=one.version, hash=one.hash)
                mine.append(one)
        except (Refused, TypeError) as error:
            return error
        added.extend(mine)
        ends.update(new_ends)
        receipt = Receipt(facts=tuple(mine))
        if request.command:
            commands[request.command] = Receipt(facts=tuple(mine), is_repeat=True)
        return receipt

    def _note_clock(
        self,
        group: Sequence[_Request],
        now: Instant,
        added: list[Recorded],
        ends: dict[Stream, Head],
    ) -> None:
        """Take a reading of the clock; a step back is a fact before those of the group."""
        if self._opened is None or not any(request.entries for request in group):
            return
        stepped = self._clockwork.step(now)
        if stepped is None:
            return
        end = self._end(JOURNAL_STREAM, ends)
        one = write(
            Entry(JOURNAL_STREAM, stepped),
            number=self._tree.size,
            version=end.version + 1,
            previous=end.hash,
            site=self.opened.site,
            by=Actor(via="clock"),
            at=now,
            recorded=now,
        )
        added.append(one)
        ends[JOURNAL_STREAM] = Head(version=one.version, hash=one.hash)

    def _insert(self, added: Sequence[Recorded], ends: Mapping[Stream, Head]) -> None:
        self._dialect.write(
            self._connection,
            "INSERT INTO fact (number, stream, version, command, hash, header, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.number,
                    str(one.stream),
                    one.version,
                    one.command,
                    one.hash,
                    one.header,
                    one.content,
                )
                for one in added
            ],
        )
        self._dialect.write(
            self._connection,
            "INSERT INTO head (stream, version, hash) VALUES (?, ?, ?)"
            " ON CONFLICT (stream) DO UPDATE SET version = excluded.version, hash = excluded.hash",
            [(str(stream), end.version, end.hash) for stream, end in ends.items()],
        )
        tiles = self._tree.tiles_after([one.hash for one in added])
        if tiles:
            self._dialect.write(
                self._connection, "INSERT INTO tile (number, hash) VALUES (?, ?)", tiles
            )

    def _end(self, stream: Stream, ends: Mapping[Stream, Head]) -> Head:
        end = ends.get(stream) or self._heads.get(stream)
        if end is None:
            end = self.head(stream)
            if len(self._heads) > 200_000:
                self._heads.clear()
            self._heads[stream] = end
        return end

    # Start.

    def _check_format(self) -> None:
        rows = self._connection.execute("SELECT version FROM format").fetchall()
        if not rows:
            with transaction(self._dialect, self._connection):
                self._dialect.write(
                    self._connection, "INSERT INTO format (version) VALUES (?)", [(FORMAT,)]
                )
        elif rows[0][0] > FORMAT:
            raise Refused(
                "journal-newer",
                what="journal",
                found=f"format {rows[0][0]}",
                limit=f"format {FORMAT}, which this build writes",
                remedy="use the newer build of Anlage",
            )

    def _take_up_tree(self) -> Tree:
        (count,) = self._dialect.read("SELECT coalesce(max(number) + 1, 0) FROM fact")[0]
        full = "SELECT hash FROM tile WHERE number < ? ORDER BY number"
        tiles = [bytes(h) for (h,) in self._dialect.read(full, (count // Tree.TILE,))]
        if len(tiles) != count // Tree.TILE:
            raise Broken(f"{count // Tree.TILE} full tiles over {count} facts", seen=len(tiles))
        tree = Tree(self._leaves, tiles)
        tree.extend(self._leaves(tree.size, count))
        return tree

    def _leaves(self, start: int, stop: int) -> Sequence[bytes]:
        rows = self._dialect.read(
            "SELECT hash FROM fact WHERE number >= ? AND number < ? ORDER BY number", (start, stop)
        )
        return [bytes(hash_) for (hash_,) in rows]

    def _read_clockwork(self) -> Clockwork:
        if not self._tree.size:
            return Clockwork(None, ())
        last = next(self.read(self._tree.size - 1)).recorded
        return Clockwork(last, self.read_stream(JOURNAL_STREAM))

    def _read_opened(self) -> JournalOpened | None:
        if not self._tree.size:
            return None
        first = next(self.read(0, 1)).fact
        if not isinstance(first, JournalOpened):
            raise Broken("a journal that opens with journal-opened", seen=type(first).__name__)
        return first


def _escaped(text: str) -> str:
    """Give a text as LIKE takes it literally."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def fsync_rate(dialect: Sqlite, *, rounds: int = 20) -> float:
    """Measure how many times a second the disk under the journal confirms a small write."""
    import os

    path = dialect.path.with_suffix(".fsync")
    started = time.perf_counter()
    with path.open("wb", buffering=0) as handle:
        for _ in range(rounds):
            handle.write(b"x" * 4096)
            os.fsync(handle.fileno())
    elapsed = time.perf_counter() - started
    path.unlink()
    return rounds / elapsed


def _closed() -> Refused:
    return Refused("journal-closed", what="journal", remedy="start Anlage again")


def _not_written(error: Exception) -> Exception:
    text = str(error).lower()
    if "full" in text or "no space" in text:
        return Refused(
            "disk-full",
            what="journal",
            found="no room on the disk; nothing of this command was written",
            remedy="free room on the disk, then repeat the command",
            rule="acknowledged means on disk",
        )
    if "locked" in text or "busy" in text or "lock timeout" in text:
        return Refused(
            "journal-locked",
            what="journal",
            found="another program holds the database; nothing of this command was written",
            remedy="close the other program, then repeat the command",
            rule="acknowledged means on disk",
        )
    return Broken("the journal to take the facts", seen=error)
