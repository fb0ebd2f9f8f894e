"""Putting events through a gating strategy, block by block.

A block of events is read once, compensated, scaled and gated while it is in the processor's
cache; blocks run in parallel and give the same bits whatever the number of threads. Memory holds
one bit of membership per gate and event, and the scaled values only where they are asked for.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy
from numpy.typing import NDArray

from anlage.base import Refused

from .compensation import Matrix
from .fcs import Sample, default_workers
from .fcs_data import Reader
from .gate import (
    FCS,
    UNCOMPENSATED,
    Boolean,
    Cells,
    Dimension,
    Ellipsoid,
    Polygon,
    Rectangle,
    Strategy,
)
from .kernels import in_box, in_ellipsoid, in_polygon, multiply
from .transform import Ratio, Scaling, scaling

BLOCK: Final = 8_192
BUFFER_BYTES_MAX: Final = 8 * 2**20
Marks = NDArray[numpy.bool_]
Floats = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """Events of a sample sorted into gates.

    Attributes:
        sample: The sample gated.
        strategy: The gates applied.
        membership: One mark per event for each gate; an event of a child is one of its parent.
        dimensions: The scaled values asked for, a row each in `values`.
        values: Scaled values, a row per dimension; empty when none were asked for.
    """

    sample: Sample
    strategy: Strategy
    membership: dict[str, Marks]
    dimensions: tuple[Dimension, ...] = ()
    values: Floats = field(default_factory=lambda: numpy.empty((0, 0)))

    def count(self, gate: str) -> int:
        """Give the number of events in a gate."""
        return int(numpy.count_nonzero(self.membership[gate]))

    def of(self, dimension: Dimension) -> Floats:
        """Give the scaled values of a dimension that was kept."""
        row: Floats = self.values[self.dimensions.index(dimension)]
        return row


def gate(
    sample: Sample,
    strategy: Strategy,
    *,
    keep: tuple[Dimension, ...] = (),
    workers: int | None = None,
) -> Gated:
    """Sort the events of a sample into the gates of a strategy.

    Args:
        sample: What `read_fcs` gave.
        strategy: What `read_gatingml` gave, or made by hand.
        keep: Dimensions whose scaled values are wanted with the memberships.
        workers: Threads; the processors of the machine when None.

    Raises:
        Refused: A gate needs a channel or a matrix that the sample lacks.
    """
    keep = tuple(dict.fromkeys(keep))
    plan = _Plan(sample, strategy, keep)
    count = sample.event_count
    marks = numpy.empty((len(plan.order), count), numpy.bool_)
    values = numpy.empty((len(keep), count), numpy.float64)
    threads = max(1, min(workers or default_workers(), math.ceil(count / BLOCK)))
    share = math.ceil(count / threads / BLOCK) * BLOCK if count else 0
    spans = [(start, min(start + share, count)) for start in range(0, count, share or 1)]
    if len(spans) <= 1:
        for span in spans:
            _run(plan, span, marks, values)
    else:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            for done in [pool.submit(_run, plan, span, marks, values) for span in spans]:
                done.result()
    membership = {name: marks[plan.row[name]] for name in strategy.gates}
    return Gated(
        sample=sample, strategy=strategy, membership=membership, dimensions=keep, values=values
    )


class _Plan:
    """What to read, compensate, scale and gate, with every name turned into a row."""

    def __init__(self, sample: Sample, strategy: Strategy, keep: tuple[Dimension, ...]) -> None:
        self.sample = sample
        self.strategy = strategy
        self.order = strategy.order()
        self.row = {name: place for place, name in enumerate(self.order)}
        self.channels: list[int] = []
        self.matrices: list[_Unmixing] = []
        self.axes: dict[Dimension, _Axis] = {}
        for dimension in keep:
            self._axis(dimension)
        for place in self.order:
            for dimension in getattr(strategy.gates[place], "dimensions", ()):
                self._axis(dimension)
        self.kept = tuple(self.axes[dimension].row for dimension in keep)

    def _axis(self, dimension: Dimension) -> None:
        if dimension in self.axes:
            return
        scale = scaling(self.strategy.scales[dimension.scale]) if dimension.scale else None
        sources: tuple[tuple[int, int], ...]
        ratio: Ratio | None = None
        if dimension.is_ratio:
            ratio = self.strategy.ratios[dimension.channel]
            sources = (
                self._signal(ratio.numerator, dimension.compensation),
                self._signal(ratio.denominator, dimension.compensation),
            )
        else:
            sources = (self._signal(dimension.channel, dimension.compensation),)
        self.axes[dimension] = _Axis(len(self.axes), sources, ratio, scale)

    def _signal(self, name: str, compensation: str) -> tuple[int, int]:
        """Give (matrix, row) of a signal; matrix -1 is the channel as read."""
        matrix = self._matrix(compensation)
        if matrix is None:
            return -1, self._channel(name)
        names = matrix.fluorochromes
        if name not in names and name in matrix.detectors and len(names) == len(matrix.detectors):
            name = names[matrix.detectors.index(name)]
        if name not in names:
            if compensation == FCS:
                return -1, self._channel(name)
            raise self._lacking(name, f"one of {', '.join(names)} of matrix {matrix.id}")
        for place, unmixing in enumerate(self.matrices):
            if unmixing.matrix is matrix:
                return place, unmixing.take(names.index(name))
        rows = [self._channel(detector) for detector in matrix.detectors]
        self.matrices.append(_Unmixing(matrix, rows))
        return len(self.matrices) - 1, self.matrices[-1].take(names.index(name))

    def _matrix(self, compensation: str) -> Matrix | None:
        if compensation == UNCOMPENSATED:
            return None
        if compensation == FCS:  # a file without a matrix counts as compensated already
            return self.sample.spillover
        return self.strategy.matrices[compensation]

    def _channel(self, name: str) -> int:
        for place, channel in enumerate(self.sample.channels):
            if channel.name == name:
                if place not in self.channels:
                    self.channels.append(place)
                return self.channels.index(place)
        raise self._lacking(name, "one of " + ", ".join(c.name for c in self.sample.channels[:64]))

    def _lacking(self, name: str, limit: str) -> Refused:
        return Refused(
            "gate-dimension",
            what=f"channel {name} needed by a gate",
            found="not in the file",
            limit=limit,
            remedy="use the gates of this panel",
            path=self.sample.name,
        )


class _Unmixing:
    """A matrix with the channels it reads and only those fluorochromes that are asked for."""

    def __init__(self, matrix: Matrix, rows: list[int]) -> None:
        self.matrix = matrix
        self.places = numpy.array(rows, numpy.int64)
        self._whole = matrix.unmixing
        self._taken: list[int] = []
        self.values = self._whole[:, :0]

    def take(self, fluorochrome: int) -> int:
        if fluorochrome not in self._taken:
            self._taken.append(fluorochrome)
            self.values = numpy.ascontiguousarray(self._whole[:, self._taken])
        return self._taken.index(fluorochrome)


@dataclass(frozen=True, slots=True)
class _Axis:
    row: int
    sources: tuple[tuple[int, int], ...]
    ratio: Ratio | None
    scale: Scaling | None


def _run(plan: _Plan, span: tuple[int, int], marks: Marks, values: Floats) -> None:
    room = _Room(plan)
    kept = {row: place for place, row in enumerate(plan.kept)}
    with plan.sample.source.opened() as reader:
        for start in range(*span, BLOCK):
            stop = min(start + BLOCK, span[1])
            # Values that are kept are made where they stay, the others in the cache.
            rows = [
                values[kept[row], start:stop] if row in kept else room.scaled[row, : stop - start]
                for row in range(len(plan.axes))
            ]
            _block(plan, room, reader, start, rows, marks[:, start:stop])


class _Room:
    """Buffers of one thread, small enough for the cache."""

    def __init__(self, plan: _Plan) -> None:
        self.signals = numpy.empty((len(plan.channels), BLOCK))
        event = plan.sample.layout.event_bytes
        self.bytes = numpy.empty(max(event, min(BLOCK * event, BUFFER_BYTES_MAX)), numpy.uint8)
        self.true = [numpy.empty((m.values.shape[1], BLOCK)) for m in plan.matrices]
        self.scaled = numpy.empty((len(plan.axes), BLOCK))


def _block(
    plan: _Plan, room: _Room, reader: Reader, start: int, rows: list[Floats], marks: Marks
) -> None:
    size = marks.shape[1]
    signals = room.signals[:, :size]
    sample = plan.sample
    if plan.channels:
        sample.layout.columns(
            reader,
            sample.channels,
            plan.channels,
            start,
            start + size,
            out=signals,
            buffer=room.bytes,
        )
    for place, unmixing in enumerate(plan.matrices):
        multiply(unmixing.values, signals, unmixing.places, room.true[place][:, :size])
    for axis in plan.axes.values():
        _scale(axis, signals, room, rows[axis.row])
    for name in plan.order:
        _mark(plan, name, rows, marks)


def _scale(axis: _Axis, signals: Floats, room: _Room, out: Floats) -> None:
    size = len(out)
    rows = [
        signals[row] if matrix < 0 else room.true[matrix][row, :size]
        for matrix, row in axis.sources
    ]
    source = rows[0] if axis.ratio is None else axis.ratio.of(rows[0], rows[1])
    if axis.scale is None:
        out[:] = source
    else:
        axis.scale(source, out)


def _mark(plan: _Plan, name: str, rows: list[Floats], marks: Marks) -> None:
    found = plan.strategy.gates[name]
    out = marks[plan.row[name]]
    match found:
        case Boolean():
            _join(plan, found, out, marks)
        case Rectangle() | Cells():
            out[:] = True
            for dimension, (low, high) in zip(found.dimensions, found.sides, strict=True):
                row = rows[plan.axes[dimension].row]
                in_box(row, low is not None, low or 0.0, high is not None, high or 0.0, out)
        case Polygon():
            x, y = (rows[plan.axes[axis].row] for axis in found.dimensions)
            in_polygon(x, y, numpy.array(found.vertices, numpy.float64), out)
        case Ellipsoid():
            points = numpy.stack([rows[plan.axes[axis].row] for axis in found.dimensions])
            inverse = numpy.linalg.inv(numpy.array(found.covariance, numpy.float64))
            in_ellipsoid(
                points, numpy.array(found.centre), inverse, float(found.distance_square), out
            )
    if found.parent is not None:
        out &= marks[plan.row[found.parent]]


def _join(plan: _Plan, found: Boolean, out: Marks, marks: Marks) -> None:
    rows = []
    for reference in found.references:
        row = marks[plan.row[reference.gate]]
        rows.append(~row if reference.is_complement else row)
    match found.operation:
        case "and":
            numpy.logical_and.reduce(rows, out=out)
        case "or":
            numpy.logical_or.reduce(rows, out=out)
        case "not":
            numpy.logical_not(rows[0], out=out)
