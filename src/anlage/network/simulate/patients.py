"""Patients in the kernel: how they come, are counted when they leave, and gather on the way."""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import math

import numpy as np

from .calendar_queue import cancel, schedule
from .chance import draw, mix, state_of
from .compiled import at, inlined, part
from .journeys import settle
from .layout import (
    LOST,
    OCTAVE_LOW,
    TIME_BINS,
    TIME_BINS_PER_OCTAVE,
    VIABILITY_BINS,
    WAIT_BINS,
    WAIT_BINS_PER_OCTAVE,
    WITHDRAWN,
)
from .state import COUNTERS, SITES, WEEK

SEED_MIX = np.uint64(0x8CB92BA72F3D8DD7)
STREAM_MIX = np.uint64(0xA0761D6478BD642F)
PATIENT_MIX = np.uint64(0xE7037ED1A0B428DB)
DROP_OUT_MIX = np.uint64(0x8EBC6AF09C88C6E3)
SURVIVAL_MIX = np.uint64(0x589965CC75374CC3)
PATIENCE_MIX = np.uint64(0x1D8E4E27C47D124F)
NEVER = 1e18


@inlined
def new_entity(tables, state, most):
    """Give a fresh entity, or -1 beyond the limit."""
    tally = state.tally[0]
    if tally.free > 0:
        tally.free -= 1
        entity = np.int64(state.free[at(tally.free)])
    elif tally.high < most:
        entity = tally.high
        tally.high += 1
    else:
        return -1
    tally.live += 1
    patient = state.patients[at(entity)]
    patient.own = 0
    patient.clinic = 0
    patient.site = 0
    patient.serial = 0
    patient.lap = 0
    patient.bucket = -1
    patient.signature = -1
    patient.mark = -1.0
    patient.deadline = NEVER
    patient.is_dying = 0
    patient.viability = 1.0
    patient.keeping = -1
    patient.way = 0
    counters = tables.sizes[COUNTERS]
    for slot in range(entity * counters, (entity + 1) * counters):
        state.counters[at(slot)] = 0
    return entity


@inlined
def drop_entity(state, entity):
    """Give an entity's place back."""
    tally = state.tally[0]
    state.free[at(tally.free)] = entity
    tally.free += 1
    tally.live -= 1


@inlined
def push_ready(state, entity):
    """Let an entity go on at this very time, after those who already may."""
    tally = state.tally[0]
    state.ready[at(tally.ready_last)] = entity
    tally.ready_last += 1
    if tally.ready_last == state.ready.shape[0]:
        tally.ready_last = 0


@inlined
def arrive(tables, state, sums, entity, stream, serial, key, now):
    """Make a patient: class, place, chance of its own, and its clocks."""
    patient = state.patients[at(entity)]
    own = tables.classes[at(stream.own)]
    mine = mix(key ^ PATIENT_MIX ^ (np.uint64(serial) * SEED_MIX))
    patient.key = mine
    patient.serial = serial
    patient.own = stream.own
    patient.clinic = stream.clinic
    patient.site = tables.reach[at(stream.clinic * tables.sizes[SITES])]
    patient.pc = own.entry
    patient.started = now
    if own.drop_out >= 0:
        patient.deadline = now + draw(
            tables.times, tables.sample, own.drop_out, mine + DROP_OUT_MIX
        )
    if own.survival >= 0:
        death = now + draw(tables.times, tables.sample, own.survival, mine + SURVIVAL_MIX)
        if death < patient.deadline:
            patient.deadline = death
            patient.is_dying = 1
    sums.classes[at(stream.own)].arrived += 1.0
    if sums.weeks.shape[0] > 0:
        sums.weeks[at(np.int64(now / tables.spans[WEEK]))].arrived += 1.0


@inlined
def next_arrival(tables, patient, stream, key, lap):
    """Give the time of a stream's next arrival; `mark` keeps the stream's own clock."""
    if lap == 0:
        patient.mark = stream.first if stream.open_count == 0 else 0.0
    patient.mark += draw(tables.times, tables.sample, stream.time, state_of(key, np.uint64(0), lap))
    if stream.open_count == 0:
        return patient.mark
    return _open_time(tables.opens, tables.spans, stream.open_at, stream.open_count, patient.mark)


@part
def _open_time(opens, spans, first, count, passed):
    """Give when so much open time has passed: the stream's clock runs in open hours only."""
    week_open = opens[first + count - 1].passed
    weeks = math.floor(passed / week_open)
    rest = passed - weeks * week_open
    for window in range(first, first + count):
        if rest <= opens[window].passed:
            return weeks * spans[WEEK] + opens[window].end - (opens[window].passed - rest)
    return (weeks + 1) * spans[WEEK]


@inlined
def finish(tables, state, sums, entity, outcome, now, is_warm):
    """Count one whose way has ended."""
    patient = state.patients[at(entity)]
    counted = sums.classes[at(patient.own)]
    has_weeks = sums.weeks.shape[0] > 0
    week = at(np.int64(now / tables.spans[WEEK])) if has_weeks else at(0)
    if outcome == LOST:
        counted.lost += 1.0
        if has_weeks:
            sums.weeks[week].lost += 1.0
        return
    if outcome == WITHDRAWN:
        counted.withdrawn += 1.0
        if has_weeks:
            sums.weeks[week].withdrawn += 1.0
        return
    end = patient.mark if patient.mark >= 0.0 else now
    passed = end - patient.started
    counted.infused += 1.0
    counted.time += passed
    counted.time_squared += passed * passed
    if passed <= tables.classes[at(patient.own)].promise:
        counted.on_time += 1.0
    settle(tables, patient, now)
    counted.viability += patient.viability
    if has_weeks:
        sums.weeks[week].infused += 1.0
        sums.weeks[week].time += passed
    if is_warm:
        sums.times[at(patient.own * TIME_BINS + time_bin(passed))] += 1
        place = np.int64(patient.viability * VIABILITY_BINS)
        sums.viability[at(place if place < VIABILITY_BINS else VIABILITY_BINS - 1)] += 1


@part
def time_bin(days):
    """Give the bin of a vein-to-vein time."""
    if days <= 0.0:
        return 0
    place = np.int64((math.log2(days) - OCTAVE_LOW) * TIME_BINS_PER_OCTAVE)
    return min(max(place, 0), TIME_BINS - 1)


@part
def wait_bin(days):
    """Give the bin of a wait; bin 0 is of those who did not wait."""
    if days <= 0.0:
        return 0
    place = np.int64((math.log2(days) - OCTAVE_LOW) * WAIT_BINS_PER_OCTAVE) + 1
    return min(max(place, 1), WAIT_BINS - 1)


@inlined
def count_wait(sums, stage, waited, is_warm):
    """Count one visit of a stage and how long it waited."""
    if stage >= 0:
        counted = sums.stages[at(stage)]
        counted.visits += 1.0
        counted.wait += waited
        if is_warm:
            sums.waits[at(stage * WAIT_BINS + wait_bin(waited))] += 1


@part
def restart(state, sums, now):
    """Begin to measure: forget the sums, keep what is under way."""
    for number in range(state.resources.shape[0]):
        used = sums.resources[number]
        used.busy = -state.resources[number].busy * now
        used.open = -state.resources[number].capacity * now
        used.wait = 0.0
        used.requests = 0.0
        used.left = 0.0
        used.wait_served = 0.0
        used.units = 0.0
    for number in range(sums.classes.shape[0]):
        counted = sums.classes[number]
        counted.arrived = 0.0
        counted.infused = 0.0
        counted.lost = 0.0
        counted.withdrawn = 0.0
        counted.time = 0.0
        counted.time_squared = 0.0
        counted.on_time = 0.0
        counted.viability = 0.0
        counted.died = 0.0
        counted.turned_away = 0.0
    for number in range(sums.stages.shape[0]):
        stage = sums.stages[number]
        stage.visits = 0.0
        stage.wait = 0.0
        stage.time = 0.0
    sums.causes[:] = 0.0
    sums.costs[:] = 0.0


@part
def site_for(reach, resources, sites, clinic, pool):
    """Give the nearest site, or with a pool of resources the one with least work per server."""
    best = reach[at(clinic * sites)]
    if pool < 0:
        return best
    least = 1e300
    for place in range(clinic * sites, (clinic + 1) * sites):
        site = reach[at(place)]
        if site < 0:
            break
        resource = resources[at(pool + site)]
        load = 1e200
        if resource.capacity > 0:
            load = (resource.busy + resource.waiting) / resource.capacity
        if load < least:
            best = site
            least = load
    return best


@inlined
def gather(state, entity, slot, size, until, horizon):
    """Join those who gather; the one that completes them lets all go on."""
    patient = state.patients[at(entity)]
    patient.signature = -2 - slot
    patient.queue_after = -1
    if state.gathers[at(3 * slot)] == 0:
        state.gathers[at(3 * slot + 1)] = entity
        if until < horizon and size > 1:
            schedule(state, entity, until)
    else:
        state.patients[at(state.gathers[at(3 * slot + 2)])].queue_after = entity
    state.gathers[at(3 * slot + 2)] = entity
    state.gathers[at(3 * slot)] += 1
    if state.gathers[at(3 * slot)] >= size:
        depart(state, slot)


@part
def depart(state, slot):
    """Let all who have gathered go on."""
    entity = np.int64(state.gathers[at(3 * slot + 1)])
    state.gathers[at(3 * slot)] = 0
    while entity >= 0:
        patient = state.patients[at(entity)]
        after = np.int64(patient.queue_after)
        patient.signature = -1
        if patient.bucket >= 0:
            cancel(state, entity)
        push_ready(state, entity)
        entity = after


@part
def trace_line(trace, tally, kind, time, patient, place):
    """Write one line of the trace, while there is room."""
    if tally.traced < trace.shape[0]:
        line = trace[at(tally.traced)]
        line.time = time
        line.serial = patient.serial
        line.kind = kind
        line.own = patient.own
        line.clinic = patient.clinic
        line.site = patient.site
        line.place = place
        line.lap = patient.lap
        line.way = patient.way
    tally.traced += 1
