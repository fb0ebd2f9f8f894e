"""Comparing: the same gates on two samples, or two gatings of the same sample.

Source: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I,
method 10, for the interval of a difference of shares; Wilson 1927, doi:10.2307/2276774.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy

from anlage.base import Refused

from .gate import Strategy
from .strategy import Gated

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One gate in two samples.

    Attributes:
        gate: Its id.
        first: Share of the parent's events in the first sample, in percent.
        second: The same in the second.
        difference: First minus second, in percentage points.
        interval: 95 % interval of the difference by counting alone.
        is_within: Whether the whole interval lies within the tolerance; None without tolerance.
        verdict: A sentence that says so.
    """

    gate: str
    first: float
    second: float
    difference: float
    interval: Interval
    is_within: bool | None
    verdict: str

    def as_dict(self) -> dict[str, object]:
        """Give the difference as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One gate under two gatings of the same events.

    Attributes:
        gate: Its id.
        first: Events that the first gating holds.
        second: Events that the second holds.
        both: Events that both hold.
        f1: 2 both / (first + second); None when neither holds any.
        differing: Events that one holds and the other does not.
    """

    gate: str
    first: int
    second: int
    both: int
    f1: float | None
    differing: int

    def as_dict(self) -> dict[str, object]:
        """Give the agreement as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def compare_samples(
    first: Gated, second: Gated, *, tolerance_points: float | None = None
) -> tuple[Difference, ...]:
    """Compare each gate's share of its parent between two samples gated alike.

    Args:
        first: One sample.
        second: The other, with the same gates.
        tolerance_points: Percentage points within which the samples count as alike.

    Raises:
        Refused: The samples have no gate in common.
    """
    names = [name for name in first.membership if name in second.membership]
    if not names:
        raise _nothing_shared(first, second)
    return tuple(
        _difference(name, _counts(first, name), _counts(second, name), tolerance_points)
        for name in names
    )


def compare_gatings(
    first: Gated, second: Gated, renamed: Mapping[str, str] | None = None
) -> tuple[Agreement, ...]:
    """Compare two gatings of the same events, gate by gate.

    Args:
        first: One gating.
        second: The other.
        renamed: Name in the second of a gate that the first calls otherwise.

    Raises:
        Refused: The numbers of events differ, or no gate is in both.
    """
    if first.sample.event_count != second.sample.event_count:
        raise Refused(
            "gate-dimension",
            what="two gatings",
            found=f"{first.sample.event_count} and {second.sample.event_count} events",
            limit="the same events",
        )
    pairs = [(name, (renamed or {}).get(name, name)) for name in first.membership]
    pairs = [pair for pair in pairs if pair[1] in second.membership]
    if not pairs:
        raise _nothing_shared(first, second)
    found = []
    for name, other in pairs:
        one, two = first.membership[name], second.membership[other]
        both = int(numpy.count_nonzero(one & two))
        held = int(numpy.count_nonzero(one)), int(numpy.count_nonzero(two))
        found.append(
            Agreement(
                gate=name,
                first=held[0],
                second=held[1],
                both=both,
                f1=2 * both / sum(held) if sum(held) else None,
                differing=sum(held) - 2 * both,
            )
        )
    return tuple(found)


def _nothing_shared(first: Gated, second: Gated) -> Refused:
    return Refused(
        "gatingml-reference",
        what="gates in common",
        found="none: " + ", ".join([*first.membership][:10]),
        limit=", ".join([*second.membership][:20]),
        remedy="give gates of the same names",
    )


def _counts(gated: Gated, name: str) -> tuple[int, int]:
    strategy: Strategy = gated.strategy
    parent = strategy.gates[name].parent
    return gated.count(name), gated.sample.event_count if parent is None else gated.count(parent)


def _difference(
    name: str, one: tuple[int, int], two: tuple[int, int], tolerance: float | None
) -> Difference:
    if not one[1] or not two[1]:
        empty = math.nan
        return Difference(
            gate=name, first=empty, second=empty, difference=empty, interval=(empty, empty),
            is_within=None if tolerance is None else False,
            verdict=f"{name}: a parent is empty, so there is nothing to compare.",
        )  # fmt: skip
    shares = one[0] / one[1], two[0] / two[1]
    low_one, high_one = wilson(*one)
    low_two, high_two = wilson(*two)
    gap = shares[0] - shares[1]
    low = gap - math.hypot(shares[0] - low_one, high_two - shares[1])
    high = gap + math.hypot(high_one - shares[0], shares[1] - low_two)
    interval = (100 * low, 100 * high)
    is_within = None if tolerance is None else -tolerance <= interval[0] <= interval[1] <= tolerance
    return Difference(
        gate=name,
        first=100 * shares[0],
        second=100 * shares[1],
        difference=100 * gap,
        interval=interval,
        is_within=is_within,
        verdict=_verdict(name, 100 * gap, interval, is_within, tolerance),
    )


def _verdict(
    name: str, gap: float, interval: Interval, is_within: bool | None, tolerance: float | None
) -> str:
    told = f"{name}: {gap:+.2f} points ({interval[0]:+.2f} to {interval[1]:+.2f})"
    if is_within:
        return f"{told}, within {tolerance:g} points."
    if is_within is False:
        return f"{told}, not shown to be within {tolerance:g} points."
    if interval[0] <= 0 <= interval[1]:
        return f"{told}, no more than counting alone explains."
    return f"{told}, more than counting alone explains."


def wilson(count: int, of: int, z: float = 1.959963984540054) -> Interval:
    """Give Wilson's 95 % interval of a share, as fractions."""
    share = count / of
    middle = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return (middle - half) / scale, (middle + half) / scale
