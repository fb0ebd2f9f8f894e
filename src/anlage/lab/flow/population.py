"""What a gate holds: counts, shares with their counting intervals, and brightness.

Events are counted, so a count is uncertain as a Poisson number and a share as a binomial one; the
intervals are the exact ones, which cover at least what they say. They say nothing about how well
the gate was placed (see `auto.py` for that) or about sampling the bag.
Source: Garwood 1936, doi:10.1093/biomet/28.3-4.437; Clopper & Pearson 1934,
doi:10.1093/biomet/26.4.404.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy
from numpy.typing import NDArray

from .gate import UNCOMPENSATED, Dimension
from .strategy import Gated, gate

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """How bright one channel is in a population; values that are no number are left out.

    Attributes:
        median: Median signal.
        mean: Arithmetic mean.
        geometric_mean: Geometric mean; None unless every signal is above zero.
        sd: Standard deviation.
        robust_cv_percent: 100 x half the span from the 15.87th to the 84.13th percentile, by the
            median; None where the median is not above zero.
    """

    median: float
    mean: float
    geometric_mean: float | None
    sd: float
    robust_cv_percent: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Give the statistics as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def signal_of(values: NDArray[numpy.float64]) -> Signal:
    """Sum up the signals of a population."""
    finite = values[numpy.isfinite(values)]
    if not len(finite):
        return Signal(
            median=math.nan, mean=math.nan, geometric_mean=None, sd=math.nan, robust_cv_percent=None
        )
    low, median, high = (float(value) for value in numpy.percentile(finite, (15.87, 50, 84.13)))
    return Signal(
        median=median,
        mean=float(finite.mean()),
        geometric_mean=float(numpy.exp(numpy.log(finite).mean())) if finite.min() > 0 else None,
        sd=float(finite.std(ddof=1)) if len(finite) > 1 else 0.0,
        robust_cv_percent=100 * (high - low) / 2 / median if median > 0 else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The events of one gate.

    Attributes:
        name: Id of the gate.
        parent: Id of the parent gate; None for all events.
        count: Number of events.
        count_interval: Two-sided 95 % Poisson interval of the count.
        percent: Share of all events; None when there are none.
        percent_of_parent: Share of the parent's events; None when it has none.
        interval: Two-sided 95 % binomial interval of `percent_of_parent`.
        signals: Statistics of each channel asked for.
    """

    name: str
    parent: str | None
    count: int
    count_interval: Interval
    percent: float | None
    percent_of_parent: float | None
    interval: Interval | None
    signals: dict[str, Signal] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Give the population as a JSON object."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "name"}
        told["signals"] = {name: signal.as_dict() for name, signal in self.signals.items()}
        return told


def populations(
    gated: Gated, channels: Iterable[str] = (), *, compensation: str = UNCOMPENSATED
) -> dict[str, Population]:
    """Count every gate of a gated sample.

    Args:
        gated: What `gate` gave.
        channels: Channels whose signal is summed up per gate.
        compensation: How those signals are compensated: "uncompensated", "FCS" (the file's own
            matrix) or the id of a matrix of the strategy.

    Raises:
        Refused: A channel is not in the file.
    """
    total = gated.sample.event_count
    wanted = [gated.sample.channel(name) for name in channels]
    dimensions = tuple(Dimension(channel.name, compensation) for channel in wanted)
    plain = replace(gated.strategy, gates={})
    read = gate(gated.sample, plain, keep=dimensions) if dimensions else None
    counts = {name: gated.count(name) for name in gated.membership}
    found = {}
    for name, marks in gated.membership.items():
        parent = gated.strategy.gates[name].parent
        of = total if parent is None else counts[parent]
        signals = {}
        if read is not None and counts[name]:
            signals = {each.channel: signal_of(read.of(each)[marks]) for each in dimensions}
        found[name] = Population(
            name=name,
            parent=parent,
            count=counts[name],
            count_interval=poisson_interval(counts[name]),
            percent=100.0 * counts[name] / total if total else None,
            percent_of_parent=100.0 * counts[name] / of if of else None,
            interval=shares(counts[name], of) if of else None,
            signals=signals,
        )
    return found


def poisson_interval(count: int, confidence: float = 0.95) -> Interval:
    """Give Garwood's exact interval of a Poisson mean from one count."""
    from scipy.special import gammaincinv

    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def shares(count: int, of: int, confidence: float = 0.95) -> Interval:
    """Give Clopper and Pearson's exact interval of a share, in percent.

    Example:
        >>> low, high = shares(0, 100)
        >>> round(low, 3), round(high, 3)
        (0.0, 3.622)
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(count, of - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - tail)) if count < of else 1.0
    return 100.0 * low, 100.0 * high
