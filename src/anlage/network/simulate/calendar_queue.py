"""The event list: a calendar queue whose events are the patients themselves.

Randy Brown's calendar queue (doi:10.1145/63039.63045) with intrusive, doubly linked days, so that a
timer is taken out in constant time. Days are short, so that most hold one event at most; a map of
bits says which hold any, and empty ones are passed sixty-four at a time. Which day an event lies in
decides only how fast it is found: the order is by time, then by the sequence in which events were
made.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"

import numpy as np

from .compiled import at, inlined, part, trailing_zeros
from .state import DAYS_MAX

_FIT_EVERY = 4096
_DAYS_MIN = 256
_DAYS_PER_EVENT = 3.0
_ONE, _LOW6, _S6 = np.uint64(1), np.uint64(63), np.uint64(6)


@part
def clear(state):
    """Empty the calendar."""
    clock = state.clock[0]
    clock.mask = _DAYS_MIN - 1
    clock.count = 0
    clock.day = 0
    clock.sequence = 0
    clock.pops = 0
    clock.per_time = 64.0
    clock.fitted = 0.0
    state.days[:_DAYS_MIN] = -1
    state.occupied[: _DAYS_MIN // 64] = 0


@inlined
def schedule(state, entity, time):
    """Put an entity on the calendar."""
    clock = state.clock[0]
    patient = state.patients[at(entity)]
    patient.time = time
    patient.sequence = clock.sequence
    clock.sequence += 1
    clock.count += 1
    link(state, clock, patient, entity, time)


@inlined
def link(state, clock, patient, entity, time):
    """Lay an entity into its day; counts and sequence stay as they are."""
    day = np.int64(time * clock.per_time)
    slot = at(day & clock.mask)
    head = state.days[slot]
    patient.bucket = day
    patient.after = head
    patient.before = -1
    if head >= 0:
        state.patients[at(head)].before = entity
    state.days[slot] = entity
    state.occupied[slot >> _S6] |= _ONE << (slot & _LOW6)


@inlined
def cancel(state, entity):
    """Take an entity off the calendar."""
    clock = state.clock[0]
    patient = state.patients[at(entity)]
    before = patient.before
    after = patient.after
    if before >= 0:
        state.patients[at(before)].after = after
    else:
        slot = at(patient.bucket & clock.mask)
        state.days[slot] = after
        if after < 0:
            state.occupied[slot >> _S6] &= ~(_ONE << (slot & _LOW6))
    if after >= 0:
        state.patients[at(after)].before = before
    patient.bucket = -1
    clock.count -= 1


@inlined
def earliest(state):
    """Give the earliest entity and leave it on the calendar; -1 when there is none."""
    clock = state.clock[0]
    if clock.count == 0:
        return -1
    mask = clock.mask
    day = clock.day
    passed = 0
    while passed <= mask:
        slot = at(day & mask)
        bits = state.occupied[slot >> _S6] >> (slot & _LOW6)
        if bits == 0:
            step = np.int64(64) - np.int64(slot & _LOW6)
            day += step
            passed += step
            continue
        step = np.int64(trailing_zeros(bits))
        day += step
        passed += step + 1
        found = _earliest_of(state, state.days[at(day & mask)], day)
        if found >= 0:
            return found
        day += 1
    return _search(state, mask)


@inlined
def take_off(state, entity):
    """Take the earliest entity off the calendar, which then stands at its day."""
    clock = state.clock[0]
    clock.pops += 1
    clock.day = state.patients[at(entity)].bucket
    cancel(state, entity)


@inlined
def _earliest_of(state, head, day):
    """Give the first entity of one day, or -1."""
    best = -1
    best_time = 0.0
    best_sequence = 0
    entity = head
    while entity >= 0:
        patient = state.patients[at(entity)]
        if patient.bucket == day:
            time = patient.time
            if (
                best < 0
                or time < best_time
                or (time == best_time and patient.sequence < best_sequence)
            ):
                best = entity
                best_time = time
                best_sequence = patient.sequence
        entity = patient.after
    return best


@part
def _search(state, mask):
    """Give the earliest entity of all days; used when a whole year is empty."""
    best = -1
    best_time = 0.0
    best_sequence = 0
    for slot in range(mask + 1):
        entity = state.days[slot]
        while entity >= 0:
            patient = state.patients[at(entity)]
            if (
                best < 0
                or patient.time < best_time
                or (patient.time == best_time and patient.sequence < best_sequence)
            ):
                best = entity
                best_time = patient.time
                best_sequence = patient.sequence
            entity = patient.after
    return best


@part
def fit(state, now):
    """Fit length and number of days to the pace of events, when it has changed."""
    clock = state.clock[0]
    if clock.pops < _FIT_EVERY and clock.count <= clock.mask:
        return
    passed = now - clock.fitted
    wanted = clock.per_time
    if clock.pops >= 256 and passed > 0.0:
        wanted = min(1e9, max(1e-6, _DAYS_PER_EVENT * clock.pops / passed))
    size = clock.mask + 1
    while size < DAYS_MAX and size < 12 * clock.count:
        size *= 2
    while size > _DAYS_MIN and size > 48 * clock.count:
        size //= 2
    clock.pops = 0
    clock.fitted = now
    if size == clock.mask + 1 and 0.5 < wanted / clock.per_time < 2.0:
        return
    chain = -1
    for slot in range(clock.mask + 1):
        entity = state.days[slot]
        while entity >= 0:
            patient = state.patients[at(entity)]
            after = patient.after
            patient.after = chain
            chain = entity
            entity = after
    state.days[:size] = -1
    state.occupied[: size // 64] = 0
    clock.mask = size - 1
    clock.per_time = wanted
    clock.day = np.int64(now * wanted)
    while chain >= 0:
        patient = state.patients[at(chain)]
        after = patient.after
        link(state, clock, patient, chain, patient.time)
        chain = after
