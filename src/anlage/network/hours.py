"""Open hours as steps of capacity over a cycle of days."""

import math

from .model import Calendar, Window


def stretches(
    calendar: Calendar, first_weekday: int, days: int, *, with_holidays: bool
) -> list[tuple[float, float, Window]]:
    """Give (from, to, window) within a cycle of whole days; past midnight runs on."""
    closed = set(calendar.holidays) if with_holidays else set()
    made: list[tuple[float, float, Window]] = []
    for day in range(days):
        if day in closed:
            continue
        for window in calendar.windows:
            if (first_weekday + day) % 7 not in window.days:
                continue
            length = window.closes - window.opens
            start, end = day + window.opens, day + window.closes + (length <= 0)
            if end <= days:
                made.append((start, end, window))
            else:
                made.append((start, float(days), window))
                made.append((0.0, end - days, window))
    return made


def capacity_steps(
    calendar: Calendar, capacity: int, first_weekday: int, days: int, *, with_holidays: bool = False
) -> list[tuple[float, int]]:
    """Give (time, capacity from then on) within a cycle, the first at time 0.

    Windows with a capacity of their own add up where they overlap; the others open the resource's
    own capacity.
    """
    parts = stretches(calendar, first_weekday, days, with_holidays=with_holidays)
    times = sorted({0.0, *(start for start, _, _ in parts), *(end for _, end, _ in parts)})
    steps: list[tuple[float, int]] = []
    for time in times:
        if time >= days:
            break
        here = [window for start, end, window in parts if start <= time < end]
        own = sum(window.capacity or 0 for window in here if window.capacity is not None)
        plain = capacity if any(window.capacity is None for window in here) else 0
        present = own + plain
        if not steps or steps[-1][1] != present:
            steps.append((time, present))
    return steps


def open_share(calendar: Calendar | None) -> float:
    """Give the part of the week in which anything is open, holidays left out."""
    if calendar is None:
        return 1.0
    steps = capacity_steps(calendar, 1, 0, 7)
    return (
        math.fsum(
            (end - start)
            for (start, present), end in zip(
                steps, [time for time, _ in steps[1:]] + [7.0], strict=True
            )
            if present
        )
        / 7.0
    )


def mean_capacity(calendar: Calendar | None, capacity: int) -> float:
    """Give the mean capacity over the week, holidays left out."""
    if calendar is None:
        return float(capacity)
    steps = capacity_steps(calendar, capacity, 0, 7)
    return (
        math.fsum(
            (end - start) * present
            for (start, present), end in zip(
                steps, [time for time, _ in steps[1:]] + [7.0], strict=True
            )
        )
        / 7.0
    )
