"""The runner: hands waiting jobs to worker processes, beside the pages in the one server.

One thread for each worker: it takes the next job from the desk, talks with the process until the
job has ended, and writes down how. A worker that dies, hangs or will not stop costs its job, never
the server.
"""

import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from anlage.base import Refused
from anlage.record import Actor

from .engine import request_of
from .jobs import job_kinds, must_be_allowed

if TYPE_CHECKING:
    from anlage.store.desk.models import JobRow

    from .installation import Installation

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
STOP_SECONDS = 5.0
"""What a cancelled job gets to end by itself."""
IDLE_SECONDS = 600.0
"""After which a worker without work is let go; the next job starts one."""

Listener = Callable[[str, Mapping[str, Any]], None]


class Runner:
    """Runs the jobs of an installation."""

    def __init__(
        self,
        installation: "Installation",
        *,
        workers: int | None = None,
        module: str = "anlage.app.job_worker",
    ) -> None:
        """Prepare.

        Args:
            installation: Whose jobs are run; its desk must be prepared.
            workers: Processes at most; the installation's setting when None.
            module: What a worker runs: the module itself, or one that binds more kinds first.
        """
        self._site, self._module = installation, module
        self._count = installation.settings.job_workers if workers is None else workers
        self._closing = threading.Event()
        self._claiming = threading.Lock()  # turns are fair only when taken one by one
        self._listeners: list[Listener] = []
        self._threads: list[threading.Thread] = []
        self._workers: list[_Worker] = []
        self._expected: str | None = None
        self._news = threading.Condition()

    def listen(self, listener: Listener) -> None:
        """Call a function with the person and the state of each job that moves."""
        self._listeners.append(listener)

    def start(self) -> int:
        """Say of every job that ran when the server last stopped that it was interrupted, then
        begin; gives how many there were.
        """
        from anlage.store.desk.models import Job

        orphans = Job.interrupt_orphans()
        if orphans:
            log.warning("%d jobs were interrupted when the server stopped", orphans)
        self._site.runner = self
        for number in range(self._count):
            worker = _Worker(self._module, self._site.folder / "blobs")
            thread = threading.Thread(
                target=self._go_on, args=(worker,), name=f"jobs-{number}", daemon=True
            )
            self._workers.append(worker)
            self._threads.append(thread)
            thread.start()
        return orphans

    def expect(self, name: str) -> None:
        """Get a worker ready for a kind of job."""
        self._expected = name
        self.wake()

    def wake(self) -> None:
        """Look for jobs at once; without it one that waits is found by the next look."""
        with self._news:
            self._news.notify_all()

    def close(self) -> None:
        """Stop the workers; what runs is interrupted."""
        self._site.runner = None
        self._closing.set()
        self.wake()
        for worker in self._workers:
            worker.kill()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    @property
    def pids(self) -> list[int]:
        """The workers' process numbers, of those that are up."""
        return [one.pid for one in self._workers if one.pid is not None]

    def _go_on(self, worker: "_Worker") -> None:
        from django.db import connection

        from anlage.store.desk.models import Job

        idle_since = time.monotonic()
        try:
            while not self._closing.is_set():
                try:
                    with self._claiming:
                        # A process that is up answers at once; another takes seconds to start.
                        is_other_up = any(
                            one.pid is not None and not one.is_busy for one in self._workers
                        )
                        may = worker.pid is not None or not is_other_up
                        row = Job.claim() if may else None
                        worker.is_busy = row is not None
                except Exception:
                    log.exception("the desk could not be asked for jobs")
                    self._closing.wait(STOP_SECONDS)
                    continue
                if row is None:
                    self._get_ready(worker)
                    if time.monotonic() - idle_since > IDLE_SECONDS:
                        worker.kill()
                    with self._news:
                        self._news.wait(LOOK_SECONDS)
                    continue
                self._run(row, worker)
                worker.is_busy = False
                idle_since = time.monotonic()
        finally:
            worker.kill()
            connection.close()

    def _get_ready(self, worker: "_Worker") -> None:
        """Start the first worker, and let it load what is expected, if none is ready for it."""
        expected = self._expected
        if expected is None or worker is not self._workers[0]:
            return
        self._expected = None
        if expected in job_kinds() and not any(expected in one.ready_for for one in self._workers):
            worker.start()
            worker.ready_for.add(expected)
            worker.say({"ready": expected})

    def _run(self, row: "JobRow", worker: "_Worker") -> None:
        """Run one job to its end, whatever that is."""
        from anlage.store.desk.models import Job, JobState

        self._tell(row.id)
        try:
            ended = self._converse(row, worker)
        except Refused as refusal:
            problems = [one.as_dict() for one in refusal.problems]
            ended = {"state": "refused", "problems": problems, "words": refusal.problem.what}
        except Exception:
            log.exception("job %s", row.id)
            worker.kill()
            ended = {"state": "failed", "words": "the server could not run it; see its log"}
        Job.end(
            row.id,
            JobState(ended["state"]),
            words=str(ended.get("words") or ended["state"]),
            problems=ended.get("problems", ()),
            result_file=ended.get("result_file"),
            files=ended.get("files", {}),
        )
        self._tell(row.id)

    def _converse(self, row: "JobRow", worker: "_Worker") -> Mapping[str, Any]:
        from anlage.store.desk.models import Job

        kind = job_kinds().get(row.name)
        if kind is None:
            return {"state": "failed", "words": f"this build knows no job {row.name}"}
        # Roles may have ended, or the person left, since the job was put in.
        must_be_allowed(self._site, kind, row.person)
        worker.start()
        worker.ready_for.add(row.name)
        worker.say({"job": row.id, "name": row.name, "arguments": row.arguments})
        until = time.monotonic() + kind.seconds_max
        stopping: float | None = None
        commands = 0
        while True:
            if stopping is None and Job.is_to_stop(row.id):
                stopping = time.monotonic() + STOP_SECONDS
                worker.say({"cancel": row.id})
            if stopping is not None and time.monotonic() > stopping:
                worker.kill()
                return {"state": "cancelled", "words": "cancelled; its process was stopped"}
            if time.monotonic() > until:
                worker.kill()
                return {"state": "failed", "words": f"stopped after {kind.seconds_max:g} s"}
            message = worker.hear(LOOK_SECONDS)
            match message:
                case {"told": fraction, "words": words}:
                    Job.tell(row.id, fraction, words)
                    self._tell(row.id)
                case {"do": command, "values": values}:
                    commands += 1
                    worker.say(self._command(row, command, values, commands))
                case {"ended": row.id}:
                    return message
                case {"gone": code}:
                    worker.kill()
                    asked = stopping is not None
                    words = f"its process ended (code {code}); run it again"
                    if self._closing.is_set():
                        words = "the server stopped while the job ran; run it again"
                    return {"state": "cancelled" if asked else "interrupted", "words": words}

    def _command(self, row: "JobRow", name: str, values: Any, number: int) -> Mapping[str, Any]:
        """Do a command of a job in the name of its person."""
        try:
            outcome = self._site.engine.do(
                request_of(name, values),
                actor=Actor(person=row.person, via="job", session=row.id),
                key=f"{row.id}-{number}",
            )
        except Refused as refusal:
            return {"refused": [one.as_dict() for one in refusal.problems]}
        except Exception as error:
            log.exception("command %s of job %s", name, row.id)
            return {"broken": repr(error)[:300]}
        return {"reply": outcome.streams}

    def _tell(self, id: str) -> None:
        from anlage.store.desk.models import Job

        row = Job.find(id)
        if row is None:
            return
        seen = {"id": id, "state": row.state, "fraction": row.fraction, "words": row.words}
        for listener in self._listeners:
            with contextlib.suppress(Exception):
                listener(row.person, seen)


class _Worker:
    """One worker process, started when there is work and started again when it was lost."""

    def __init__(self, module: str, blobs: Path) -> None:
        self._module, self._blobs = module, blobs
        self._process: subprocess.Popen[bytes] | None = None
        self._heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.is_busy = False
        self.ready_for: set[str] = set()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.kill()
        self._heard = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module, str(self._blobs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
        )
        threading.Thread(
            target=self._listen, args=(self._process, self._heard), daemon=True
        ).start()

    def say(self, message: Mapping[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):  # its end is heard by the listener
            process.stdin.write(orjson.dumps(message) + b"\n")
            process.stdin.flush()

    def hear(self, seconds: float) -> dict[str, Any]:
        """Give the next message, nothing when none comes in time."""
        try:
            return self._heard.get(timeout=seconds)
        except queue.Empty:
            return {}

    def kill(self) -> None:
        process, self._process = self._process, None
        self.ready_for = set()
        if process is None:
            return
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()

    @staticmethod
    def _listen(
        process: "subprocess.Popen[bytes]", heard: "queue.SimpleQueue[dict[str, Any]]"
    ) -> None:
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    heard.put(orjson.loads(line))
        heard.put({"gone": process.wait()})
