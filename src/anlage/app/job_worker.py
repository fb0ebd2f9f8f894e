"""A worker: a process that does jobs one after another and talks to the runner in lines of JSON.

The runner writes `{"job", "name", "arguments"}`, `{"cancel"}`, `{"reply"}` and `{"ready"}` to its
standard input; the worker answers `{"told"}`, `{"do"}` and one `{"ended"}` per job. When the input
ends, the server is gone, and so is the worker: nothing is left behind after a kill. It opens no
database; files go to the folder of blobs.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from anlage.base import Problem, Refused
from anlage.store import FolderBlobs

from .jobs import Cancelled, job_kinds, job_request

log = logging.getLogger(__name__)
TELL_SECONDS = 0.1
NAME_MAX = 120
FILES_MAX = 50
NICE = 10  # pages come first


class _Talk:
    """The two ends of the conversation with the runner."""

    def __init__(self) -> None:
        # What a library prints must not get between the lines.
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self.jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.replies: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.cancelled: set[str] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, message: Mapping[str, Any]) -> None:
        """Write one line."""
        line = orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
        with self._lock:
            self._out.write(line + b"\n")
            self._out.flush()

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            message = orjson.loads(line)
            if "job" in message or "ready" in message:
                self.jobs.put(message)
            elif "cancel" in message:
                self.cancelled.add(message["cancel"])
            else:
                self.replies.put(message)
        os._exit(0)


class _Work:
    """The `Work` of one job."""

    def __init__(self, id: str, talk: _Talk, blobs: FolderBlobs) -> None:
        self._id, self._talk, self._blobs = id, talk, blobs
        self._told = 0.0
        self.files: dict[str, str] = {}

    def tell(self, fraction: float, words: str = "") -> None:
        if self._id in self._talk.cancelled:
            raise Cancelled
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            self._talk.say({"told": min(max(float(fraction), 0.0), 1.0), "words": words[:300]})

    def keep(self, name: str, data: bytes) -> str:
        if not name.isprintable() or "/" in name or not 0 < len(name) <= NAME_MAX:
            raise ValueError(f"no plain file name: {name!r}")
        if len(self.files) >= FILES_MAX:
            raise ValueError(f"more than {FILES_MAX} files")
        self.files[name] = self._blobs.put(data)
        return self.files[name]

    def read(self, digest: str) -> bytes:
        return self._blobs.get(digest)

    def do(self, command: str, values: Mapping[str, Any]) -> list[str]:
        self._talk.say({"do": command, "values": dict(values)})
        reply = self._talk.replies.get()
        if "refused" in reply:
            raise Refused.of(Problem(**one) for one in reply["refused"])
        if "broken" in reply:
            raise RuntimeError(reply["broken"])
        return list(reply["reply"])


def main(blobs: Path) -> None:
    """Do jobs until the runner hangs up."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICE)
    talk, kept = _Talk(), FolderBlobs(blobs)
    talk.say({"here": os.getpid()})
    while True:
        message = talk.jobs.get()
        if "ready" in message:
            _get_ready(message["ready"])
            continue
        talk.say({"ended": message["job"], **_do(message, talk, kept)})
        talk.cancelled.discard(message["job"])


def _get_ready(name: str) -> None:
    kind = job_kinds().get(name)
    if kind is not None and kind.ready is not None:
        with contextlib.suppress(Exception):  # a job would meet it again, and say so
            kind.ready()


def _do(message: Mapping[str, Any], talk: _Talk, blobs: FolderBlobs) -> dict[str, Any]:
    """Do one job and say how it ended."""
    work = _Work(message["job"], talk, blobs)
    try:
        kind, request = job_request(message["name"], message["arguments"])
        work.tell(0.0, "")
        data = orjson.dumps(
            dict(kind.handler(work, request)),
            option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS,
        )
        return {"state": "done", "result_file": blobs.put(data), "files": work.files}
    except Cancelled:
        return {"state": "cancelled"}
    except Refused as refusal:
        problems = [one.as_dict() for one in refusal.problems]
        return {"state": "refused", "problems": problems, "words": str(refusal.problem.what)}
    except Exception as error:
        incident = uuid.uuid4().hex[:12]
        log.exception("job %s, incident %s", message["job"], incident)
        return {"state": "failed", "words": f"a fault, incident {incident}: {error!r:.200}"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
