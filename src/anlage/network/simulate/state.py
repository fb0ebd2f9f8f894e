"""What the kernel reads, what it keeps, and what it gives: arrays of records under names.

The kernel gets these as tuples and reaches into them by name; nothing is copied on the way.
"""

from typing import NamedTuple

import numpy as np

from .layout import (
    CLASS_SUMS,
    CLOCK,
    PATIENT,
    RESOURCE_SUMS,
    RUN_SUMS,
    STAGE_SUMS,
    TALLY,
    WEEK_SUMS,
)

DAYS_MAX = 1 << 16
"""Most days that the calendar of events has."""


class Tables(NamedTuple):
    """The compiled network; read only. See `tables.py` for how each is made."""

    program: np.ndarray
    times: np.ndarray
    time_at: np.ndarray
    asks: np.ndarray
    amount_at: np.ndarray
    sample: np.ndarray
    want_at: np.ndarray
    want: np.ndarray
    wanted_at: np.ndarray
    wanted: np.ndarray
    resources: np.ndarray
    classes: np.ndarray
    streams: np.ndarray
    opens: np.ndarray
    ways: np.ndarray
    keeps: np.ndarray
    departures: np.ndarray
    curve: np.ndarray
    materials: np.ndarray
    faults: np.ndarray
    reach: np.ndarray
    plan: np.ndarray
    starters: np.ndarray
    sizes: np.ndarray
    spans: np.ndarray


# Places in `sizes`.
LEVELS, SITES, GATHERS, PAIRS, COUNTERS = range(5)

WEEK = 0
"""Place in `spans` of the length of a week in days.

It stands in a table because the compiler divides by a constant before it is known whether the
result is needed, which at most events it is not.
"""


class Results(NamedTuple):
    """Sums of each replication (first axis), and histograms over all of them."""

    run: np.ndarray
    classes: np.ndarray
    resources: np.ndarray
    stages: np.ndarray
    causes: np.ndarray
    costs: np.ndarray
    weeks: np.ndarray
    times: np.ndarray
    waits: np.ndarray
    viability: np.ndarray
    trace: np.ndarray

    def as_records(self) -> "Results":
        """Give the same memory as the kernel sees it: sums as records, histograms in one line."""
        return self._replace(
            run=_records(self.run, RUN_SUMS),
            classes=_records(self.classes, CLASS_SUMS),
            resources=_records(self.resources, RESOURCE_SUMS),
            stages=_records(self.stages, STAGE_SUMS),
            weeks=_records(self.weeks, WEEK_SUMS),
            times=self.times.reshape(-1),
            waits=self.waits.reshape(-1),
        )


class Sums(NamedTuple):
    """The sums of the replication that runs, and what is counted over all."""

    classes: np.ndarray
    resources: np.ndarray
    stages: np.ndarray
    causes: np.ndarray
    costs: np.ndarray
    weeks: np.ndarray
    times: np.ndarray
    waits: np.ndarray
    viability: np.ndarray
    trace: np.ndarray


class State(NamedTuple):
    """Room for what lives during a replication; made once, used for many."""

    patients: np.ndarray
    counters: np.ndarray
    free: np.ndarray
    ready: np.ndarray
    called: np.ndarray
    lines: np.ndarray
    gathers: np.ndarray
    blocked: np.ndarray
    days: np.ndarray
    occupied: np.ndarray
    clock: np.ndarray
    tally: np.ndarray
    resources: np.ndarray
    materials: np.ndarray


def room_for(tables: Tables, patients_max: int) -> State:
    """Give room for as many patients at once; memory is touched only as far as it is used."""
    room = patients_max + 64 + tables.starters.shape[0]
    lines = (tables.want_at.size - 1) * int(tables.sizes[LEVELS])
    return State(
        patients=_aligned(room, PATIENT),
        counters=np.empty(room * max(1, int(tables.sizes[COUNTERS])), np.int32),
        free=np.empty(room, np.int32),
        ready=np.empty(room, np.int32),
        called=np.empty(tables.resources.shape[0], np.int32),
        lines=np.empty(2 * lines, np.int32),
        gathers=np.empty(3 * (int(tables.sizes[GATHERS]) + 1), np.int32),
        blocked=np.zeros(tables.resources.shape[0], np.int32),
        days=np.empty(DAYS_MAX, np.int32),
        occupied=np.zeros(DAYS_MAX // 64, np.uint64),
        clock=np.zeros(1, CLOCK),
        tally=np.zeros(1, TALLY),
        resources=np.empty_like(tables.resources),
        materials=np.empty_like(tables.materials),
    )


def _records(sums: np.ndarray, record: np.dtype) -> np.ndarray:
    """Give a table of floats as records of its last axis."""
    return sums.view(record).reshape(sums.shape[:-1])


def _aligned(count: int, record: np.dtype) -> np.ndarray:
    """Give room that begins at a line of the cache, so that a record lies in as few as it can."""
    raw = np.empty(count * record.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count * record.itemsize].view(record)
