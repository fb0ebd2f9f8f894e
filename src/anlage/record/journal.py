"""The face that every engine keeping a journal has, and what passes through it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from anlage.base import Instant

from .checkpoint import Checkpoint
from .fact import Actor, Entry, Recorded, Stream, fact

JOURNAL_STREAM = Stream("journal/1")


class World(StrEnum):
    """What a journal is about; written in its first fact, never mixed."""

    REAL = "real"
    TRAINING = "training"
    SIMULATED = "simulated"


@fact("journal-opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOpened:
    """The first fact of every journal: which world and site it is about, and the key that signs
    its checkpoints.
    """

    world: World
    site: str
    site_name: str
    key: str
    software: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a stream: how many facts it has and the hash of the last."""

    version: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an append gives: the facts with their numbers, on disk.

    Attributes:
        facts: The facts, in the order of the entries.
        is_repeat: True when the command's key had been used: these are the facts of the first time.
    """

    facts: tuple[Recorded, ...]
    is_repeat: bool = False


class Conflict(Exception):  # noqa: N818
    """A stream that a decision relied on has moved on; decide again."""

    def __init__(self, stream: Stream, *, expected: int, found: int) -> None:
        """Name the stream and the two versions."""
        self.stream, self.expected, self.found = stream, expected, found
        super().__init__(f"{stream} was at version {expected} when judged, and is at {found}")


class Journal(Protocol):
    """The append-only journal of one world and site.

    Engines: SQLite and PostgreSQL; one contract suite (tests/engines) runs on both.
    """

    @property
    def world(self) -> World:
        """The world that the journal is about."""
        ...

    @property
    def site(self) -> str:
        """The site whose journal it is."""
        ...

    @property
    def size(self) -> int:
        """How many facts it holds."""
        ...

    def append(
        self,
        entries: Sequence[Entry],
        expected: Mapping[Stream, int],
        *,
        by: Actor,
        at: Instant,
        command: str | None = None,
    ) -> Receipt:
        """Write all entries in one transaction, or none; returns when they are on disk.

        Args:
            entries: The facts and their streams.
            expected: The version of every stream that the decision read, written or not; 0 for one
            without facts. by: Who.
            at: When it happened, for entries that do not say.
            command: The client's key: the same key again gives the first receipt and writes
            nothing.

        Raises:
            Conflict: A stream is not at the version expected.
        """
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Recorded]:
        """Give the facts from number `start` up to `stop`, in global order."""
        ...

    def read_stream(
        self, stream: Stream, after: int = 0, upto: int | None = None
    ) -> list[Recorded]:
        """Give the facts of one stream past version `after`, up to and with version `upto`, in
        order.
        """
        ...

    def find_command(self, command: str) -> Receipt | None:
        """Give what a command wrote, by its key; None when no such key was used."""
        ...

    def search(self, text: str, limit: int) -> list[Stream]:
        """Give the streams whose name is or ends in the text; where there is none, those that have
        it somewhere.
        """
        ...

    def head(self, stream: Stream) -> Head:
        """Give the end of a stream; version 0 for one without facts."""
        ...

    def heads(self) -> dict[Stream, Head]:
        """Give the end of every stream."""
        ...

    def prove(self, numbers: Sequence[int], size: int) -> list[bytes]:
        """Give the subset proof of these facts in the tree of the first `size` facts."""
        ...

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """Give the proof that the tree of size `later` extends that of size `earlier`."""
        ...

    def root(self, size: int | None = None) -> bytes:
        """Give the tree's root."""
        ...

    def checkpoints(self) -> list[Checkpoint]:
        """Give the signed checkpoints that were kept, oldest first."""
        ...

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a signed checkpoint."""
        ...

    def clock_behind(self) -> timedelta:
        """Give how far the machine's clock stands behind the latest time that it has shown."""
        ...

    def close(self) -> None:
        """Finish what is queued and let go of the files."""
        ...


def stream_key(stream: str) -> bytes:
    """Give the key under which a stream stands in the map of streams: SHA-256 of its name."""
    return hashlib.sha256(stream.encode()).digest()


def stream_leaf(stream: str, head: Head) -> bytes:
    """Give the leaf of a stream in the map: its key, then the SHA-256 of its version and last hash
    (64 bytes).
    """
    value = hashlib.sha256(head.version.to_bytes(8, "big") + head.hash).digest()
    return stream_key(stream) + value
