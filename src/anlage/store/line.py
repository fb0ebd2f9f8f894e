"""The line: how a process beside the writer's asks it to write.

The process that holds the journal answers on the machine's own loopback; who asks proves that it
knows a secret of the installation's folder, so that only those who may read that folder come
through. Messages are JSON. What is read is read from the database itself.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Client,
    Connection,
    Listener,
    answer_challenge,
    deliver_challenge,
)
from pathlib import Path
from typing import Any

import orjson

from anlage.base import Broken, Problem, Refused, instant, stamp
from anlage.record import (
    Actor,
    Conflict,
    Entry,
    Receipt,
    Stream,
    Unknown,
    decode,
    encode,
    read_checkpoint,
)

from .journal import SqlJournal

FILE = "journal.line"
"""Holds the port; in the installation's folder, gone when nobody answers."""

log = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_GONE = (EOFError, OSError, AuthenticationError)
_SILENT_SECONDS = 5.0
"""Who calls and does not say who it is for so long is not waited for."""


class Switchboard:
    """Answers those beside, in the process that writes."""

    def __init__(
        self,
        journal: SqlJournal,
        folder: Path,
        secret: bytes,
        *,
        now: Callable[[], Any],
        build: str,
    ) -> None:
        """Begin to answer.

        Args:
            journal: The journal that this process writes.
            folder: The installation's folder, where the port is written.
            secret: What both sides know.
            now: Gives the time of the plant.
            build: The software, which both sides must be.
        """
        self._journal, self._now, self._build = journal, now, build
        self._path, self._secret = folder / FILE, secret
        # Each caller proves itself in a thread of its own: one that is silent holds up nobody.
        self._listener = Listener((_HOST, 0), "AF_INET")
        self._is_closed = False
        port = self._listener.address[1]
        self._path.write_text(f"{port}\n", "ascii")
        threading.Thread(target=self._accept, name="journal-line", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        if self._is_closed:
            return
        self._is_closed = True
        self._path.unlink(missing_ok=True)
        # Closing alone does not wake who waits for the next caller.
        with contextlib.suppress(*_GONE):
            Client(self._listener.address, "AF_INET").close()
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                caller = self._listener.accept()
            except OSError:
                time.sleep(0.1)  # out of handles, say
                continue
            threading.Thread(
                target=self._serve, args=(caller,), name="journal-line", daemon=True
            ).start()

    def _serve(self, caller: "Connection[Any, Any]") -> None:
        with caller, contextlib.suppress(*_GONE):
            hanging_up = threading.Timer(_SILENT_SECONDS, caller.close)
            hanging_up.start()
            try:
                deliver_challenge(caller, self._secret)
                answer_challenge(caller, self._secret)
            finally:
                hanging_up.cancel()
            while not self._is_closed:
                asked = orjson.loads(caller.recv_bytes())
                caller.send_bytes(orjson.dumps(self._answer(asked)))

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            match asked["ask"]:
                case "hello":
                    return {"build": self._build}
                case "now":
                    return {"now": stamp(self._now())}
                case "append":
                    return _told(self._append(asked))
                case "snapshot":
                    size, heads = self._journal.snapshot()
                    ends = {str(one): [end.version, end.hash.hex()] for one, end in heads.items()}
                    return {"size": size, "heads": ends}
                case "keep-checkpoint":
                    self._journal.keep_checkpoint(read_checkpoint(asked["note"], asked["key"]))
                    return {}
                case other:
                    raise Broken("a question that the line knows", seen=other)
        except Conflict as conflict:
            found = [str(conflict.stream), conflict.expected, conflict.found]
            return {"conflict": found}
        except Refused as refusal:
            return {"refused": [one.as_dict() for one in refusal.problems]}
        except Exception as error:
            log.exception("the writer could not answer one beside it")
            return {"broken": f"{type(error).__name__}: {error}"[:500]}

    def _append(self, asked: dict[str, Any]) -> Receipt:
        entries = [_entry(one) for one in asked["entries"]]
        return self._journal.append(
            entries,
            {Stream(name): version for name, version in asked["expected"].items()},
            by=Actor(**asked["by"]),
            at=instant(asked["at"]),
            command=asked["command"],
        )


def _entry(told: dict[str, Any]) -> Entry:
    said = decode(told["kind"], told["version"], told["fact"])
    if isinstance(said, Unknown):
        raise Broken("a fact that this build knows", seen=f"{said.kind} {said.kind_version}")
    happened = told["happened"]
    return Entry(
        Stream(told["stream"]),
        said,
        happened=None if happened is None else instant(happened),
        why=told["why"],
    )


def _told(receipt: Receipt) -> dict[str, Any]:
    return {"numbers": [one.number for one in receipt.facts], "repeat": receipt.is_repeat}


class Line:
    """A call to the process that writes."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        """Use a connection that `call` made."""
        self._connection = connection
        self._lock = threading.Lock()

    def ask(self, what: str, **values: Any) -> dict[str, Any]:
        """Ask, and give the answer.

        Raises:
            Refused: A rule said no, or nobody answers any more.
            Conflict: A stream has moved on.
        """
        with self._lock:
            try:
                self._connection.send_bytes(orjson.dumps({"ask": what, **values}))
                answer: dict[str, Any] = orjson.loads(self._connection.recv_bytes())
            except _GONE as error:
                raise Refused(
                    "writer-gone",
                    what="journal",
                    found="the server that writes it stopped meanwhile",
                    remedy="look whether the last command was done, then repeat it",
                    rule="design: one writer",
                ) from error
        if "refused" in answer:
            raise Refused.of([Problem(**one) for one in answer["refused"]])
        if "conflict" in answer:
            stream, expected, found = answer["conflict"]
            raise Conflict(Stream(stream), expected=expected, found=found)
        if "broken" in answer:
            raise Broken("the writer to do it", seen=answer["broken"])
        return answer

    def append(
        self, entries: Any, expected: Any, *, by: Actor, at: Any, command: str | None
    ) -> Any:
        """Ask for an append; gives the numbers of the facts, and whether it was a repeat."""
        told = [
            {
                "stream": str(one.stream),
                "kind": one.fact.kind,
                "version": one.fact.kind_version,
                "fact": encode(one.fact),
                "happened": None if one.happened is None else stamp(one.happened),
                "why": one.why,
            }
            for one in entries
        ]
        answer = self.ask(
            "append",
            entries=told,
            expected={str(stream): version for stream, version in expected.items()},
            by={name: getattr(by, name) for name in Actor.__slots__},
            at=stamp(at),
            command=command,
        )
        return answer["numbers"], answer["repeat"]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def call(folder: Path, secret: bytes, *, build: str) -> Line | None:
    """Call the process that writes the journal of a folder; None where nobody answers.

    Raises:
        Refused: It is another build.
    """
    try:
        port = int((folder / FILE).read_text("ascii"))
        line = Line(Client((_HOST, port), "AF_INET", authkey=secret))
    except (*_GONE, ValueError):
        return None
    theirs = line.ask("hello")["build"]
    if theirs != build:
        line.close()
        raise Refused(
            "build-differs",
            what="the server that runs here",
            found=theirs,
            limit=build,
            remedy="start the server anew with this build, or use its own",
        )
    return line
