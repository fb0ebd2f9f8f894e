"""The event list: a calendar queue whose events are the entities themselves.

Randy Brown's calendar queue (doi:10.1145/63039.63045) with intrusive, doubly linked days, so that a
timer is taken out in constant time. Which day an event lies in decides only how fast it is found:
the order is by time, then by the sequence in which events were made.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from .compiled import inlined, part
from .layout import (
    E_BUCKET,
    E_BUCKET_NEXT,
    E_BUCKET_PREVIOUS,
    E_SEQUENCE,
    V_TIME,
)

# Whole-number state: days in use less one, events, present day, sequence, pops since the last fit.
Q_MASK, Q_COUNT, Q_DAY, Q_SEQUENCE, Q_POPS = range(5)
# Real state: days per unit of time, time of the last fit.
Q_PER_TIME, Q_FITTED = range(2)
DAYS_MAX = 1 << 16
_FIT_EVERY = 4096


@part
def clear(days, whole, real):
    """Empty the calendar."""
    whole[Q_MASK] = 255
    whole[Q_COUNT] = 0
    whole[Q_DAY] = 0
    whole[Q_SEQUENCE] = 0
    whole[Q_POPS] = 0
    real[Q_PER_TIME] = 64.0
    real[Q_FITTED] = 0.0
    for day in range(256):
        days[day] = -1


@inlined
def schedule(days, whole, real, entities, values, entity, time):
    """Put an entity on the calendar."""
    values[entity, V_TIME] = time
    entities[entity, E_SEQUENCE] = whole[Q_SEQUENCE]
    whole[Q_SEQUENCE] += 1
    whole[Q_COUNT] += 1
    link(days, whole, real, entities, entity, time)


@inlined
def link(days, whole, real, entities, entity, time):
    """Lay an entity into its day; counts and sequence stay as they are."""
    day = np.int64(time * real[Q_PER_TIME])
    slot = day & whole[Q_MASK]
    head = days[slot]
    entities[entity, E_BUCKET] = day
    entities[entity, E_BUCKET_NEXT] = head
    entities[entity, E_BUCKET_PREVIOUS] = -1
    if head >= 0:
        entities[head, E_BUCKET_PREVIOUS] = entity
    days[slot] = entity


@inlined
def cancel(days, whole, entities, entity):
    """Take an entity off the calendar."""
    before = entities[entity, E_BUCKET_PREVIOUS]
    after = entities[entity, E_BUCKET_NEXT]
    if before >= 0:
        entities[before, E_BUCKET_NEXT] = after
    else:
        days[entities[entity, E_BUCKET] & whole[Q_MASK]] = after
    if after >= 0:
        entities[after, E_BUCKET_PREVIOUS] = before
    entities[entity, E_BUCKET] = -1
    whole[Q_COUNT] -= 1


@inlined
def pop(days, whole, real, entities, values):
    """Take the earliest entity off the calendar; -1 when there is none."""
    if whole[Q_COUNT] == 0:
        return -1
    whole[Q_POPS] += 1
    day = whole[Q_DAY]
    mask = whole[Q_MASK]
    for _ in range(mask + 1):
        found = _earliest(days[day & mask], day, entities, values)
        if found >= 0:
            whole[Q_DAY] = day
            cancel(days, whole, entities, found)
            return found
        day += 1
    found = _search(days, mask, entities, values)
    whole[Q_DAY] = entities[found, E_BUCKET]
    cancel(days, whole, entities, found)
    return found


@inlined
def _earliest(head, day, entities, values):
    """Give the first entity of one day, or -1."""
    best = -1
    best_time = 0.0
    entity = head
    while entity >= 0:
        if entities[entity, E_BUCKET] == day:
            time = values[entity, V_TIME]
            if (
                best < 0
                or time < best_time
                or (time == best_time and entities[entity, E_SEQUENCE] < entities[best, E_SEQUENCE])
            ):
                best = entity
                best_time = time
        entity = entities[entity, E_BUCKET_NEXT]
    return best


@part
def _search(days, mask, entities, values):
    """Give the earliest entity of all days; used when a whole year is empty."""
    best = -1
    for slot in range(mask + 1):
        entity = days[slot]
        while entity >= 0:
            if best < 0 or (
                values[entity, V_TIME] < values[best, V_TIME]
                or (
                    values[entity, V_TIME] == values[best, V_TIME]
                    and entities[entity, E_SEQUENCE] < entities[best, E_SEQUENCE]
                )
            ):
                best = entity
            entity = entities[entity, E_BUCKET_NEXT]
    return best


@part
def fit(days, whole, real, entities, values, now):
    """Fit length and number of days to the pace of events, when it has changed."""
    if whole[Q_POPS] < _FIT_EVERY and whole[Q_COUNT] <= 2 * whole[Q_MASK]:
        return
    passed = now - real[Q_FITTED]
    per_time = real[Q_PER_TIME]
    wanted = per_time
    if whole[Q_POPS] >= 256 and passed > 0.0:
        wanted = min(1e9, max(1e-6, 0.7 * whole[Q_POPS] / passed))
    size = whole[Q_MASK] + 1
    while size < DAYS_MAX and size < 2 * whole[Q_COUNT]:
        size *= 2
    while size > 256 and size > 8 * whole[Q_COUNT]:
        size //= 2
    whole[Q_POPS] = 0
    real[Q_FITTED] = now
    if size == whole[Q_MASK] + 1 and 0.5 < wanted / per_time < 2.0:
        return
    chain = -1
    for slot in range(whole[Q_MASK] + 1):
        entity = days[slot]
        while entity >= 0:
            after = entities[entity, E_BUCKET_NEXT]
            entities[entity, E_BUCKET_NEXT] = chain
            chain = entity
            entity = after
    for slot in range(size):
        days[slot] = -1
    whole[Q_MASK] = size - 1
    real[Q_PER_TIME] = wanted
    whole[Q_DAY] = np.int64(now * wanted)
    while chain >= 0:
        after = entities[chain, E_BUCKET_NEXT]
        link(days, whole, real, entities, chain, values[chain, V_TIME])
        chain = after
