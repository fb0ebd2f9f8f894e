"""What a gate holds: counts, shares with their counting intervals, and medians.

Events are counted, so a count is uncertain as a Poisson number and a share as a binomial one; the
intervals are the exact ones, which cover at least what they say. They say nothing about how well
the gate was placed (see `auto.py` for that) or about sampling the bag.
Source: Garwood 1936, doi:10.1093/biomet/28.3-4.437; Clopper & Pearson 1934,
doi:10.1093/biomet/26.4.404.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy

from .strategy import Gated

Interval = tuple[float, float]


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
        medians: Median signal of each channel asked for.
    """

    name: str
    parent: str | None
    count: int
    count_interval: Interval
    percent: float | None
    percent_of_parent: float | None
    interval: Interval | None
    medians: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Give the population as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "name"}


def populations(gated: Gated, channels: Iterable[str] = ()) -> dict[str, Population]:
    """Count every gate of a gated sample.

    Args:
        gated: What `gate` gave.
        channels: Channels whose median signal (as read, not compensated) is wanted per gate.

    Raises:
        Refused: A channel is not in the file.
    """
    total = gated.sample.event_count
    wanted = [gated.sample.channel(name) for name in channels]
    signals = gated.sample.columns(tuple(channel.number - 1 for channel in wanted))
    counts = {name: gated.count(name) for name in gated.membership}
    found = {}
    for name, marks in gated.membership.items():
        parent = gated.strategy.gates[name].parent
        of = total if parent is None else counts[parent]
        medians = {
            channel.name: float(numpy.median(signals[row][marks]))
            for row, channel in enumerate(wanted)
            if counts[name]
        }
        found[name] = Population(
            name=name,
            parent=parent,
            count=counts[name],
            count_interval=poisson_interval(counts[name]),
            percent=100.0 * counts[name] / total if total else None,
            percent_of_parent=100.0 * counts[name] / of if of else None,
            interval=shares(counts[name], of) if of else None,
            medians=medians,
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
