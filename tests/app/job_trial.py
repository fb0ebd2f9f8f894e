"""Kinds of job for tests, and a worker that knows them: `python -m tests.app.job_trial BLOBS`."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from anlage.app import Work, job
from anlage.base import Refused
from tests import app_trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    to: int
    pause_ms: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighAll:
    lot: str
    grams: tuple[int, ...]


@job("count")
def count(work: Work, request: Count):
    """Count aloud."""
    for number in range(request.to):
        work.tell(number / request.to, f"{number} of {request.to}")
        time.sleep(request.pause_ms / 1000)
    digest = work.keep("counted.txt", str(request.to).encode())
    return {"counted": request.to, "read_again": work.read(digest).decode(), "pid": os.getpid()}


@job("deaf")
def deaf(work: Work, request: Nothing):
    """Tell of itself once, then never look up."""
    time.sleep(0.15)  # what is told sooner after the beginning is not passed on
    work.tell(0.1, "deaf from here")
    time.sleep(600)
    return {}


@job("slow", seconds_max=0.5)
def slow(work: Work, request: Nothing):
    """Take longer than allowed."""
    time.sleep(600)
    return {}


@job("crash")
def crash(work: Work, request: Nothing):
    """Take the process down."""
    os.kill(os.getpid(), 9)
    return {}


@job("faulty")
def faulty(work: Work, request: Nothing):
    """Hold a fault; print where lines of the conversation go."""
    print("not a line of the conversation")
    return {"never": 1 / 0}


@job("refuse")
def refuse(work: Work, request: Nothing):
    """Say no."""
    raise Refused("too-heavy", what="the note", found=request.note, remedy="write less")


@job("weigh-all", roles=("operator",))
def weigh_all(work: Work, request: WeighAll):
    """Weigh in the person's name."""
    streams = []
    for grams in request.grams:
        streams += work.do("weigh", {"lot": request.lot, "grams": grams})
    return {"streams": streams}


if __name__ == "__main__":
    from anlage.app.job_worker import main

    assert app_trial
    main(Path(sys.argv[1]))
