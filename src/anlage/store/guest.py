"""The journal as a process beside the writer's has it: it reads the database, and asks to write."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anlage.base import Broken, Clock, Instant, SystemClock, instant
from anlage.record import Actor, Checkpoint, Entry, Head, JournalOpened, Receipt, Stream, Tree

from .dialect import Dialect
from .journal import SqlJournal
from .line import Line


class GuestJournal(SqlJournal):
    """A journal that another process of this machine writes, over a line to it.

    Decisions made here are held to the versions that they saw, as those made there are.
    """

    def __init__(self, dialect: Dialect, line: Line, *, clock: Clock | None = None) -> None:
        """Read what is there; no lease is taken."""
        self._dialect, self._line, self._clock = dialect, line, clock or SystemClock()
        self._grown = self._take_up_tree()
        self._opened: JournalOpened | None = self._read_opened()
        self._clockwork = self._read_clockwork()

    @property
    def _tree(self) -> Tree:
        """The tree as far as the journal has come by now."""
        (count,) = self._dialect.read("SELECT coalesce(max(number) + 1, 0) FROM fact")[0]
        if count > self._grown.size:
            self._grown.extend(self._leaves(self._grown.size, count))
        return self._grown

    def append(
        self,
        entries: Sequence[Entry],
        expected: Mapping[Stream, int],
        *,
        by: Actor,
        at: Instant,
        command: str | None = None,
    ) -> Receipt:
        """Have all entries written, or none; returns when they are on disk."""
        numbers, is_repeat = self._line.append(entries, expected, by=by, at=at, command=command)
        facts = tuple(self.read(numbers[0], numbers[-1] + 1)) if numbers else ()
        return Receipt(facts=facts, is_repeat=is_repeat)

    def snapshot(self) -> tuple[int, dict[Stream, Head]]:
        """Give the size and every stream's end at one and the same moment between two commits."""
        told = self._line.ask("snapshot")
        heads = {
            str.__new__(Stream, name): Head(version=version, hash=bytes.fromhex(end))
            for name, (version, end) in told["heads"].items()
        }
        return told["size"], heads

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Have a signed checkpoint kept."""
        self._line.ask("keep-checkpoint", note=checkpoint.as_note(), key=checkpoint.key)

    def run_in_writer(self, work: Callable[[Any], None]) -> None:
        """Not from here: the writer is another process."""
        raise Broken("work for the writer in its own process", seen=work)

    def close(self) -> None:
        """Hang up, and let go of the database."""
        self._line.close()
        self._dialect.close()


class LineClock:
    """The time of the plant, as the process that writes has it."""

    def __init__(self, line: Line) -> None:
        """Ask over this line."""
        self._line = line

    def now(self) -> Instant:
        """Give the time."""
        return instant(self._line.ask("now")["now"])
