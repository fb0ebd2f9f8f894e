"""The clock of a simulated world: it runs at a chosen speed, never backwards, and goes on where it
stopped.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from anlage.base import Instant, instant, stamp
from anlage.record import World

from .installation import Installation
from .settings import Settings, settings

FILE = "clock.json"
SAVE_SECONDS = 5.0


class SimulatedClock:
    """Plant time of a training or simulated world, kept in a file of the installation."""

    def __init__(self, folder: Path) -> None:
        """Take up the time kept in the folder."""
        self._path = folder / FILE
        kept = json.loads(self._path.read_text("ascii"))
        self._start = instant(kept["at"])
        self.speed = float(kept["speed"])
        self._since = time.monotonic()
        self._last = self._start
        self._saved = self._since
        self._lock = threading.Lock()

    @staticmethod
    def make(folder: Path, at: Instant, *, speed: float) -> "SimulatedClock":
        """Make the clock of a new installation."""
        folder.mkdir(parents=True, exist_ok=True)
        _save(folder / FILE, at, speed)
        return SimulatedClock(folder)

    def now(self) -> Instant:
        """Give plant time: monotonic, cut to milliseconds."""
        with self._lock:
            elapsed = (time.monotonic() - self._since) * self.speed
            at = self._start + timedelta(milliseconds=int(elapsed * 1000))
            self._last = max(at, self._last)
            if time.monotonic() - self._saved > SAVE_SECONDS:
                _save(self._path, self._last, self.speed)
                self._saved = time.monotonic()
            return self._last

    def advance(self, by: timedelta) -> Instant:
        """Move plant time on at once; used while a simulated world is seeded."""
        with self._lock:
            self._start += by
        return self.now()

    def save(self) -> None:
        """Keep where the clock stands."""
        _save(self._path, self.now(), self.speed)


def open_clocked(chosen: Settings, *, may_be_beside: bool = False) -> Installation:
    """Open an installation with the clock that its world has.

    Args:
        chosen: Where and how.
        may_be_beside: Where a server holds the journal, read beside it and have it write.
    """
    path = chosen.data / FILE
    if not path.exists():
        return Installation.open(chosen, may_be_beside=may_be_beside)
    clock = SimulatedClock(chosen.data)
    installation = Installation.open(chosen, clock=clock, may_be_beside=may_be_beside)
    if installation.journal.world is World.REAL:
        installation.close()
        return Installation.open(chosen, may_be_beside=may_be_beside)
    return installation


def set_speed(folder: Path, speed: float) -> None:
    """Set how fast the kept clock of a simulated world runs when it is next opened."""
    kept = json.loads((folder / FILE).read_text("ascii"))
    _save(folder / FILE, instant(kept["at"]), speed)


@contextlib.contextmanager
def opened(data: Path | None, *, may_be_beside: bool = True) -> Iterator[Installation]:
    """Open the installation of a folder for one command of the command line, and close it after.

    Args:
        data: The folder.
        may_be_beside: Work beside a server that runs; not for what needs the journal alone.
    """
    installation = open_clocked(settings(data), may_be_beside=may_be_beside)
    try:
        yield installation
    finally:
        installation.close()


def _save(path: Path, at: Instant, speed: float) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"at": stamp(at), "speed": speed}), "ascii")
    temporary.replace(path)
