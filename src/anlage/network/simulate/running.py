"""Running replications: in chunks, on any executor, with the same bits whoever runs them."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from anlage.base import Problem, Refused

from ..errors import RUN_IMPOSSIBLE, RUN_STOPPED
from ..measure import YEAR_DAYS
from ..model import Network
from .compiled import is_cached
from .kernel import replicate
from .layout import (
    FINISHED,
    N_EVENTS,
    N_STATUS,
    N_STOPPED_AT,
    NO_TIME_PASSES,
    TOO_MANY_EVENTS,
)
from .state import Results, room_for
from .tables import WEEK_DAYS, Compiled, compiled

CHUNKS_PER_WORKER = 16
CHUNK_MAX = 200
YEARS_MAX = 1_000.0
REPLICATIONS_MAX = 1_000_000

Progress = Callable[[int, int], None]
"""Told how many replications are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a network is run.

    Attributes:
        years: Length of a replication, warm-up included.
        warmup_years: Part at the beginning that is not measured.
        replications: How many.
        seed: Seed of all chance.
        workers: Threads; the result does not depend on it.
        events_max: Events in one replication, beyond which it is stopped.
        patients_max: Patients in the network at a time, beyond which it is stopped.
        seconds_max: Time after which no further chunk begins; None for no limit.
        trace_max: Lines of trace kept of the first replication; 0 for no trace.
        by_week: Whether arrivals and ends are also counted week by week.
    """

    years: float
    warmup_years: float
    replications: int
    seed: int
    workers: int = 1
    events_max: int = 500_000_000
    patients_max: int = 200_000
    seconds_max: float | None = None
    trace_max: int = 0
    by_week: bool = False

    def __post_init__(self) -> None:
        checks = (
            ("years", 0 < self.years <= YEARS_MAX, self.years, f"above 0, at most {YEARS_MAX:g}"),
            (
                "warm-up",
                0 <= self.warmup_years < self.years,
                f"{self.warmup_years:g} years in a run of {self.years:g} years",
                "zero or more, and shorter than the run",
            ),
            (
                "replications",
                1 <= self.replications <= REPLICATIONS_MAX,
                self.replications,
                f"1 to {REPLICATIONS_MAX}",
            ),
            ("workers", 1 <= self.workers <= 1024, self.workers, "1 to 1024"),
            ("seed", 0 <= self.seed < 2**63, self.seed, "a whole number from 0 to 2^63 - 1"),
            ("trace", 0 <= self.trace_max <= 20_000_000, self.trace_max, "0 to 20000000 lines"),
        )
        for what, holds, found, limit in checks:
            if not holds:
                remedy = f"choose another value for {what}"
                if what == "warm-up":
                    remedy = (
                        "a run is as long as --years, warm-up included; write --warmup '30 days'"
                    )
                raise Refused(RUN_IMPOSSIBLE, what=what, found=found, limit=limit, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The sums of a finished run.

    Attributes:
        network: What was run.
        settings: How.
        compiled: Names of the rows.
        results: Sums by replication.
        seconds: Wall time of the replications.
        stopped: What stopped it early; None when all finished.
    """

    network: Network
    settings: Settings
    compiled: Compiled
    results: Results
    seconds: float
    stopped: Problem | None = None

    @property
    def measured_days(self) -> np.ndarray:
        """Give the measured time of each replication in days."""
        return np.maximum(
            self.results.run[:, N_STOPPED_AT] - self.settings.warmup_years * YEAR_DAYS, 0.0
        )

    @property
    def events(self) -> int:
        """Give the number of events of all replications."""
        return int(self.results.run[:, N_EVENTS].sum())


def settings_for(
    network: Network,
    *,
    years: float | None = None,
    warmup_years: float | None = None,
    replications: int | None = None,
    seed: int | None = None,
    workers: int = 1,
) -> Settings:
    """Give settings from the file's own and from what is asked for here.

    Without a word on the warm-up it is a third of the run, at most one year.

    Raises:
        Refused: A value that cannot be.
    """
    length = network.run.years if years is None else years
    warmup = network.run.warmup_years if warmup_years is None else warmup_years
    if warmup_years is None and warmup is not None and warmup >= length:
        warmup = None
    return Settings(
        years=length,
        warmup_years=min(1.0, length / 3) if warmup is None else warmup,
        replications=network.run.replications if replications is None else replications,
        seed=network.run.seed if seed is None else seed,
        workers=workers,
    )


def run(
    network: Network,
    settings: Settings,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Run:
    """Run a network that `judge` found sound.

    The replications go in chunks to an executor: threads of our own (the kernel lets go of the
    interpreter lock), or any other that can pickle a few kilobytes of tables (processes, Dask,
    Ray). Chance depends on seed and replication alone, and sums are put together in the order of
    replications, so the result is the same for every executor.
    """
    made = compiled(network, settings.years * YEAR_DAYS)
    if tell is not None and executor is None and compilation_is_due():
        tell("compiling the simulation kernel, once on this machine (about half a minute) ...")
    if executor is None:
        run_chunk(made, settings, 0, 0)  # loads the kernel, so that only the work is timed
    started = time.perf_counter()
    chunks = _chunks(settings)
    jobs = [(made, settings, first, count) for first, count in chunks]
    parts = _all(jobs, settings, executor, started, progress)
    results = joined(parts)
    return Run(
        network=network,
        settings=settings,
        compiled=made,
        results=results,
        seconds=time.perf_counter() - started,
        stopped=_stopped(results, settings),
    )


def run_again(
    base: Run, network: Network, numbers: np.ndarray, executor: Executor | None = None
) -> Run:
    """Run some replications of a changed network, and take the others from a run before the change.

    The two networks must have the same rows (the same names of everything). Histograms and the
    trace are those of `base`.
    """
    made = compiled(network, base.settings.years * YEAR_DAYS)
    ranges = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1) if numbers.size else []
    jobs: list[_Job] = []
    for together in ranges:
        for start in range(0, together.size, CHUNK_MAX // 4):
            piece = together[start : start + CHUNK_MAX // 4]
            jobs.append((made, replace(base.settings, trace_max=0), int(piece[0]), piece.size))
    started = time.perf_counter()
    parts = _all(jobs, base.settings, executor, started)
    mixed = {
        name: getattr(base.results, name).copy()
        for name in ("run", "classes", "resources", "stages", "causes", "costs", "weeks")
    }
    for (_, _, first, count), part in zip(jobs, parts, strict=False):
        for name, rows in mixed.items():
            rows[first : first + count] = getattr(part, name)
    results = base.results._replace(**mixed)
    return Run(
        network=network,
        settings=base.settings,
        compiled=made,
        results=results,
        seconds=time.perf_counter() - started,
        stopped=_stopped(results, base.settings),
    )


def run_part(
    network: Network,
    settings: Settings,
    first: int,
    count: int,
    *,
    executor: Executor | None = None,
) -> Run:
    """Run `count` replications from number `first` on, the same as in a run of all of them."""
    made = compiled(network, settings.years * YEAR_DAYS)
    started = time.perf_counter()
    pieces = max(1, math.ceil(count / max(1, settings.workers)))
    jobs = [
        (made, replace(settings, trace_max=0), start, min(pieces, first + count - start))
        for start in range(first, first + count, pieces)
    ]
    results = joined(_all(jobs, settings, executor, started))
    return Run(
        network=network,
        settings=settings,
        compiled=made,
        results=results,
        seconds=time.perf_counter() - started,
        stopped=_stopped(results, replace(settings, replications=count)),
    )


def compilation_is_due() -> bool:
    """Tell whether the first run will have to compile the kernel."""
    return not is_cached(replicate)


def run_chunk(made: Compiled, settings: Settings, first: int, count: int) -> Results:
    """Run the replications of one chunk; the unit of work that an executor gets."""
    weeks = math.ceil(settings.years * YEAR_DAYS / WEEK_DAYS) + 1 if settings.by_week else 0
    results = made.results(count, trace=settings.trace_max if first == 0 else 0, weeks=weeks)
    replicate(
        made.tables,
        room_for(made.tables, settings.patients_max),
        results.as_records(),
        settings.seed,
        first,
        settings.years * YEAR_DAYS,
        settings.warmup_years * YEAR_DAYS,
        made.plan_period,
        settings.events_max,
        settings.patients_max,
    )
    return results


def joined(parts: list[Results]) -> Results:
    """Put the chunks of a run together in their order."""
    first = parts[0]
    return Results(
        run=np.concatenate([part.run for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
        resources=np.concatenate([part.resources for part in parts]),
        stages=np.concatenate([part.stages for part in parts]),
        causes=np.concatenate([part.causes for part in parts]),
        costs=np.concatenate([part.costs for part in parts]),
        weeks=np.concatenate([part.weeks for part in parts]),
        times=np.sum([part.times for part in parts], axis=0),
        waits=np.sum([part.waits for part in parts], axis=0),
        viability=np.sum([part.viability for part in parts], axis=0),
        trace=first.trace,
    )


def _chunks(settings: Settings) -> list[tuple[int, int]]:
    aim = math.ceil(settings.replications / (settings.workers * CHUNKS_PER_WORKER))
    size = max(1, min(CHUNK_MAX, aim))
    return [
        (first, min(size, settings.replications - first))
        for first in range(0, settings.replications, size)
    ]


_Job = tuple[Compiled, Settings, int, int]


def _all(
    jobs: list[_Job],
    settings: Settings,
    executor: Executor | None,
    started: float,
    progress: Progress | None = None,
) -> list[Results]:
    """Run chunks on the executor that is given, or on threads of our own."""
    if executor is not None:
        return _on(executor, jobs, settings, progress, started)
    if settings.workers == 1:
        return _here(jobs, settings, progress, started)
    with ThreadPoolExecutor(settings.workers) as threads:
        return _on(threads, jobs, settings, progress, started)


def _here(
    jobs: list[_Job], settings: Settings, progress: Progress | None, started: float
) -> list[Results]:
    parts: list[Results] = []
    for made, how, first, count in jobs:
        if parts and _is_late(settings, started):
            break
        parts.append(run_chunk(made, how, first, count))
        if progress is not None:
            progress(first + count, settings.replications)
        if _failed(parts[-1]):
            break
    return parts


def _on(
    executor: Executor,
    jobs: list[_Job],
    settings: Settings,
    progress: Progress | None,
    started: float,
) -> list[Results]:
    futures: list[Future[Results]] = [executor.submit(run_chunk, *job) for job in jobs]
    parts: list[Results] = []
    for future, (_, _, first, count) in zip(futures, jobs, strict=True):
        if parts and (_is_late(settings, started) or _failed(parts[-1])):
            for waiting in futures:
                waiting.cancel()
            break
        parts.append(future.result())
        if progress is not None:
            progress(first + count, settings.replications)
    return parts


def _is_late(settings: Settings, started: float) -> bool:
    return settings.seconds_max is not None and time.perf_counter() - started > settings.seconds_max


def _failed(part: Results) -> bool:
    return bool((part.run[:, N_STATUS] != FINISHED).any())


def _stopped(results: Results, settings: Settings) -> Problem | None:
    """Say what stopped a run, the first replication that did not finish in front."""
    failed = np.flatnonzero(results.run[:, N_STATUS] != FINISHED)
    done = results.run.shape[0]
    if failed.size == 0:
        if done == settings.replications:
            return None
        return Problem(
            code=RUN_STOPPED,
            what="the run",
            found=f"{done} of {settings.replications} replications after its time limit",
            limit=f"{settings.seconds_max:g} s" if settings.seconds_max else None,
            remedy="raise --time-limit, or ask for fewer replications",
        )
    row = results.run[failed[0]]
    day = row[N_STOPPED_AT]
    what = f"replication {failed[0]} on day {day:.1f}"
    if row[N_STATUS] == NO_TIME_PASSES:
        return Problem(
            code=RUN_STOPPED,
            what=what,
            found="five million steps without any time passing",
            limit="steps that take time, or an exit from every loop",
            remedy="give a step of the loop a time, or the loop an exit (most: N)",
        )
    if row[N_STATUS] == TOO_MANY_EVENTS:
        return Problem(
            code=RUN_STOPPED,
            what=what,
            found=f"{settings.events_max} events",
            limit=f"{settings.events_max} events in a replication",
            remedy="shorten --years, or lower the rates",
        )
    return Problem(
        code=RUN_STOPPED,
        what=what,
        found=f"{settings.patients_max} patients in the network at once",
        limit=f"{settings.patients_max} patients at once",
        remedy="more come than can be served: raise the capacity where the wait is longest",
    )
