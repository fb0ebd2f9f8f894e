"""The courses of patients: what the kernel does now and then, each in a function of its own.

Coming and leaving, journeys, gathering, orders, the way of one who gives up. The kernel's loop
holds what happens at every event.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import math

import numpy as np

from .calendar_queue import cancel, schedule
from .chance import draw, mix, state_of, unit
from .compiled import inlined, part
from .layout import (
    COUNTERS_MAX,
    E_BUCKET,
    E_CLASS,
    E_CLINIC,
    E_COUNTERS,
    E_KEY,
    E_LAP,
    E_LEAVE,
    E_PC,
    E_QUEUE_NEXT,
    E_SERIAL,
    E_SIGNATURE,
    E_SITE,
    G_VISITS,
    G_WAIT,
    K_DROP_OUT,
    K_ENTRY,
    K_SURVIVAL,
    LOST,
    M_CLASS,
    M_ON_ORDER,
    M_ORDER,
    M_ORDERS,
    M_PROGRAM,
    M_REORDER,
    M_RESOURCE,
    M_SITE,
    M_USED,
    OCTAVE_LOW,
    P_DIED,
    P_INFUSED,
    P_LOST,
    P_ON_TIME,
    P_TIME,
    P_TIME_SQUARED,
    P_VIABILITY,
    P_WITHDRAWN,
    R_BUSY,
    R_CALLED,
    R_CAPACITY,
    R_MATERIAL,
    R_OUT,
    R_PLANNED,
    R_WAITING,
    S_CLASS,
    S_CLINIC,
    S_DISTRIBUTION,
    S_OPEN_AT,
    S_OPEN_COUNT,
    STAGE,
    T_BUSY,
    T_EVER_AWAITED,
    T_LEFT,
    T_OPEN,
    T_REQUESTS,
    T_UNITS,
    T_WAIT,
    TARGET,
    TIME_BINS,
    TIME_BINS_PER_OCTAVE,
    V_DEADLINE,
    V_DEATH,
    V_MARK,
    V_PATIENCE,
    V_START,
    V_VIABILITY,
    V_WAIT,
    VIABILITY_BINS,
    W_CANCELLED,
    W_CURVE_AT,
    W_CURVE_COUNT,
    W_DELAY,
    W_DEPART_AT,
    W_DEPART_COUNT,
    W_HANDLING,
    W_HOLD_MAX,
    W_LOSS,
    W_STEP_LOSS,
    W_TIME,
    WAIT_BINS,
    WAIT_BINS_PER_OCTAVE,
    WITHDRAWN,
)
from .queues import leave

SEED_MIX = np.uint64(0x8CB92BA72F3D8DD7)
STREAM_MIX = np.uint64(0xA0761D6478BD642F)
PATIENT_MIX = np.uint64(0xE7037ED1A0B428DB)
DROP_OUT_MIX = np.uint64(0x8EBC6AF09C88C6E3)
SURVIVAL_MIX = np.uint64(0x589965CC75374CC3)
PATIENCE_MIX = np.uint64(0x1D8E4E27C47D124F)
STEPS_MAX = 5_000_000
ORDERS_MAX = 10_000
WEEK = 7.0
NEVER = 1e18
# Places in the state's counters.
C_HIGH, C_FREE, C_READY_FIRST, C_READY_LAST, C_DUE, C_LIVE, C_CALLED = range(7)


@part
def copy_table(to, source):
    """Write one table over another of the same shape."""
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            to[row, column] = source[row, column]


@inlined
def new_entity(entities, values, free, count, most):
    """Give a fresh entity, or -1 beyond the limit."""
    if count[C_FREE] > 0:
        count[C_FREE] -= 1
        entity = free[count[C_FREE]]
    elif count[C_HIGH] < most:
        entity = count[C_HIGH]
        count[C_HIGH] += 1
    else:
        return -1
    count[C_LIVE] += 1
    entities[entity, E_CLASS] = 0
    entities[entity, E_CLINIC] = 0
    entities[entity, E_SITE] = 0
    entities[entity, E_SERIAL] = 0
    entities[entity, E_LAP] = 0
    for column in range(E_COUNTERS, E_COUNTERS + COUNTERS_MAX):
        entities[entity, column] = 0
    entities[entity, E_BUCKET] = -1
    entities[entity, E_SIGNATURE] = -1
    values[entity, V_MARK] = -1.0
    values[entity, V_DEADLINE] = NEVER
    values[entity, V_DEATH] = 0.0
    values[entity, V_VIABILITY] = 1.0
    return entity


@inlined
def drop_entity(free, count, entity):
    """Give an entity's place back."""
    free[count[C_FREE]] = entity
    count[C_FREE] += 1
    count[C_LIVE] -= 1


@inlined
def push_ready(ready, count, entity, room):
    """Let an entity go on at this very time, after those who already may."""
    ready[count[C_READY_LAST]] = entity
    count[C_READY_LAST] += 1
    if count[C_READY_LAST] == room:
        count[C_READY_LAST] = 0


@inlined
def call_for(called, count, resources, resource):
    """Note that a resource may have room for those who wait; each is noted once at a time."""
    if resources[resource, R_CALLED] == 0:
        resources[resource, R_CALLED] = 1
        called[count[C_CALLED]] = resource
        count[C_CALLED] += 1


@part
def take_all(resources, materials, sums, want_at, want, signature, now, count):
    """Take what a signature wants; it must have room."""
    for place in range(want_at[signature], want_at[signature + 1]):
        resource = want[place, 0]
        amount = want[place, 1]
        if resources[resource, R_MATERIAL] < 0:
            resources[resource, R_BUSY] += amount
            sums[resource, T_BUSY] -= amount * now
        else:
            resources[resource, R_CAPACITY] -= amount
            sums[resource, T_OPEN] += amount * now
            sums[resource, T_UNITS] += amount
            materials[resources[resource, R_MATERIAL], M_USED] += amount
            count[C_DUE] = 1


@part
def renege(
    want_at,
    want,
    program,
    sums,
    stages,
    waits,
    is_warm,
    by_class,
    lines,
    levels,
    entities,
    values,
    resources,
    entity,
    now,
):
    """Take one who waited enough out of the line and send it to the exit."""
    signature = entities[entity, E_SIGNATURE]
    leave(lines, levels, entities, resources, want_at, want, entity)
    pc = entities[entity, E_PC]
    waited = now - values[entity, V_WAIT]
    for place in range(want_at[signature], want_at[signature + 1]):
        sums[want[place, 0], T_REQUESTS] += 1.0
        sums[want[place, 0], T_LEFT] += 1.0
        sums[want[place, 0], T_WAIT] += waited
    stage = program[pc, STAGE]
    if stage >= 0:
        stages[stage, G_VISITS] += 1.0
        stages[stage, G_WAIT] += waited
        if is_warm:
            waits[stage, wait_bin(waited)] += 1
    died = values[entity, V_PATIENCE] > now and values[entity, V_DEATH] > 0.0
    if died:
        by_class[entities[entity, E_CLASS], P_DIED] += 1.0
    entities[entity, E_LEAVE] = LOST if died else WITHDRAWN
    entities[entity, E_PC] = program[pc, TARGET]


@inlined
def recapacitate(resources, sums, resource, now):
    """Set a resource's capacity to what is planned less what is out."""
    capacity = max(0, resources[resource, R_PLANNED] - resources[resource, R_OUT])
    sums[resource, T_OPEN] -= (capacity - resources[resource, R_CAPACITY]) * now
    resources[resource, R_CAPACITY] = capacity


@inlined
def arrive(
    distributions,
    sample,
    streams,
    classes,
    reach,
    entities,
    values,
    patient,
    stream,
    serial,
    key,
    now,
):
    """Make a patient: class, place, chance of its own, and its clocks."""
    own = streams[stream, S_CLASS]
    clinic = streams[stream, S_CLINIC]
    mine = mix(key ^ PATIENT_MIX ^ (np.uint64(serial) * SEED_MIX))
    entities[patient, E_KEY] = np.int64(mine)
    entities[patient, E_SERIAL] = serial
    entities[patient, E_CLASS] = own
    entities[patient, E_CLINIC] = clinic
    entities[patient, E_SITE] = reach[clinic, 0]
    entities[patient, E_PC] = classes[own, K_ENTRY]
    values[patient, V_START] = now
    clock = classes[own, K_DROP_OUT]
    if clock >= 0:
        values[patient, V_DEADLINE] = now + draw(distributions, sample, clock, mine + DROP_OUT_MIX)
    clock = classes[own, K_SURVIVAL]
    if clock >= 0:
        death = now + draw(distributions, sample, clock, mine + SURVIVAL_MIX)
        if death < values[patient, V_DEADLINE]:
            values[patient, V_DEADLINE] = death
            values[patient, V_DEATH] = 1.0


@inlined
def next_arrival(
    distributions, sample, streams, stream_days, opens, values, entity, stream, key, lap
):
    """Give the time of a stream's next arrival; V_MARK keeps the stream's own clock."""
    if lap == 0:
        values[entity, V_MARK] = (
            stream_days[stream, 0] if streams[stream, S_OPEN_COUNT] == 0 else 0.0
        )
    values[entity, V_MARK] += draw(
        distributions, sample, streams[stream, S_DISTRIBUTION], state_of(key, 0, lap)
    )
    count = streams[stream, S_OPEN_COUNT]
    if count == 0:
        return values[entity, V_MARK]
    # The stream's clock runs in open hours only: find where in the weeks it stands.
    at = streams[stream, S_OPEN_AT]
    week_open = opens[at + count - 1, 2]
    weeks = math.floor(values[entity, V_MARK] / week_open)
    rest = values[entity, V_MARK] - weeks * week_open
    for window in range(at, at + count):
        if rest <= opens[window, 2]:
            return weeks * WEEK + opens[window, 1] - (opens[window, 2] - rest)
    return (weeks + 1) * WEEK


@inlined
def finish(by_class, values, times, viabilities, entity, own, outcome, now, promise, is_warm):
    """Count one whose way has ended."""
    if outcome == LOST:
        by_class[P_LOST] += 1.0
        return
    if outcome == WITHDRAWN:
        by_class[P_WITHDRAWN] += 1.0
        return
    end = values[entity, V_MARK] if values[entity, V_MARK] >= 0.0 else now
    passed = end - values[entity, V_START]
    by_class[P_INFUSED] += 1.0
    by_class[P_TIME] += passed
    by_class[P_TIME_SQUARED] += passed * passed
    if passed <= promise:
        by_class[P_ON_TIME] += 1.0
    viability = values[entity, V_VIABILITY]
    by_class[P_VIABILITY] += viability
    if is_warm:
        times[own, time_bin(passed)] += 1
        viabilities[min(VIABILITY_BINS - 1, np.int64(viability * VIABILITY_BINS))] += 1


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


@part
def restart(sums, by_class, stages, causes, costs, resources, now):
    """Begin to measure: forget the sums, keep what is under way."""
    for resource in range(resources.shape[0]):
        awaited = sums[resource, T_EVER_AWAITED]
        sums[resource] = 0.0
        sums[resource, T_EVER_AWAITED] = awaited
    by_class[:] = 0.0
    stages[:] = 0.0
    causes[:] = 0.0
    costs[:] = 0.0
    for resource in range(resources.shape[0]):
        sums[resource, T_BUSY] = -resources[resource, R_BUSY] * now
        sums[resource, T_OPEN] = -resources[resource, R_CAPACITY] * now


@inlined
def journey(distributions, sample, ways, departures, curve, row, now, state):
    """Give the time of arrival, and the part of viability that is kept on the way."""
    ready = now
    if ways[row, W_HANDLING] >= 0.0:
        ready += draw(
            distributions, sample, np.int64(ways[row, W_HANDLING]), mix(state + np.uint64(11))
        )
    count = np.int64(ways[row, W_DEPART_COUNT])
    at = np.int64(ways[row, W_DEPART_AT])
    leaves = ready
    for attempt in range(100):
        if count > 0:
            leaves = departure(departures, at, count, leaves)
        cancelled = ways[row, W_CANCELLED]
        if cancelled <= 0.0 or unit(mix(state + np.uint64(101 + attempt))) >= cancelled:
            break
        leaves += 1e-9 if count > 0 else 1.0
    arrived = leaves + draw(
        distributions, sample, np.int64(ways[row, W_TIME]), mix(state + np.uint64(23))
    )
    if ways[row, W_DELAY] >= 0.0:
        arrived += draw(
            distributions, sample, np.int64(ways[row, W_DELAY]), mix(state + np.uint64(37))
        )
    passed = arrived - now
    kept = 1.0 - ways[row, W_STEP_LOSS]
    points = np.int64(ways[row, W_CURVE_COUNT])
    if passed > ways[row, W_HOLD_MAX]:
        kept = 0.0
    elif points > 0:
        kept *= on_curve(curve, np.int64(ways[row, W_CURVE_AT]), points, passed)
    else:
        kept *= math.exp(-ways[row, W_LOSS] * passed)
    return arrived, kept


@part
def departure(departures, at, count, ready):
    """Give the first departure of the weekly timetable at or after a time."""
    week = math.floor(ready / WEEK) * WEEK
    phase = ready - week
    for place in range(at, at + count):
        if departures[place] >= phase:
            return week + departures[place]
    return week + WEEK + departures[at]


@part
def on_curve(curve, at, points, days):
    """Read a falling curve by straight lines; flat before its first and after its last point."""
    if days <= curve[at, 0]:
        return curve[at, 1]
    for place in range(at + 1, at + points):
        if days <= curve[place, 0]:
            span = curve[place, 0] - curve[place - 1, 0]
            part_of = (days - curve[place - 1, 0]) / span
            return curve[place - 1, 1] + part_of * (curve[place, 1] - curve[place - 1, 1])
    return curve[at + points - 1, 1]


@part
def site_for(reach, resources, clinic, pool):
    """Give the nearest site, or with a pool of resources the one with least work per server."""
    best = reach[clinic, 0]
    if pool < 0:
        return best
    least = 1e300
    for place in range(reach.shape[1]):
        site = reach[clinic, place]
        if site < 0:
            break
        resource = pool + site
        work = resources[resource, R_BUSY] + resources[resource, R_WAITING]
        capacity = resources[resource, R_CAPACITY]
        load = 1e200 if capacity <= 0 else work / capacity
        if load < least:
            best = site
            least = load
    return best


@part
def gather(
    gathers,
    entities,
    values,
    days,
    whole,
    real,
    ready,
    count,
    room,
    entity,
    slot,
    size,
    until,
    horizon,
):
    """Join those who gather; the one that completes them lets all go on."""
    entities[entity, E_SIGNATURE] = -2 - slot
    entities[entity, E_QUEUE_NEXT] = -1
    if gathers[slot, 0] == 0:
        gathers[slot, 1] = entity
        if until < horizon and size > 1:
            schedule(days, whole, real, entities, values, entity, until)
    else:
        entities[gathers[slot, 2], E_QUEUE_NEXT] = entity
    gathers[slot, 2] = entity
    gathers[slot, 0] += 1
    if gathers[slot, 0] >= size:
        depart(gathers, entities, days, whole, ready, count, room, slot)


@part
def depart(gathers, entities, days, whole, ready, count, room, slot):
    """Let all who have gathered go on."""
    entity = gathers[slot, 1]
    gathers[slot, 0] = 0
    while entity >= 0:
        after = entities[entity, E_QUEUE_NEXT]
        entities[entity, E_SIGNATURE] = -1
        if entities[entity, E_BUCKET] >= 0:
            cancel(days, whole, entities, entity)
        push_ready(ready, count, entity, room)
        entity = after


@part
def reorder(planned, resources, materials, entities, values, free, ready, count, room, base, most):
    """Send out the orders that are due; False when there is no room for them."""
    for material in range(planned.shape[0]):
        resource = planned[material, M_RESOURCE]
        for _ in range(ORDERS_MAX):
            position = (
                resources[resource, R_CAPACITY]
                - resources[resource, R_WAITING]
                + materials[material, M_ON_ORDER]
            )
            if position > materials[material, M_REORDER]:
                break
            order = new_entity(entities, values, free, count, most)
            if order < 0:
                return False
            count[C_LIVE] -= 1
            materials[material, M_ON_ORDER] += materials[material, M_ORDER]
            materials[material, M_ORDERS] += 1
            entities[order, E_PC] = materials[material, M_PROGRAM]
            entities[order, E_CLASS] = materials[material, M_CLASS]
            entities[order, E_SITE] = materials[material, M_SITE]
            entities[order, E_KEY] = np.int64(
                mix(base + np.uint64(materials[material, M_ORDERS] * 131071 + material))
            )
            push_ready(ready, count, order, room)
    return True


@part
def trace_line(trace, trace_times, traced, kind, time, entities, entity, place):
    """Write one line of the trace, while there is room."""
    if traced < trace.shape[0]:
        trace_times[traced] = time
        trace[traced, 0] = kind
        trace[traced, 1] = entities[entity, E_SERIAL]
        trace[traced, 2] = entities[entity, E_CLASS]
        trace[traced, 3] = entities[entity, E_CLINIC]
        trace[traced, 4] = entities[entity, E_SITE]
        trace[traced, 5] = place
    return traced + 1
