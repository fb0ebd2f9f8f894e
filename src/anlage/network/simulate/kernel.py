"""The kernel: one compiled interpreter that runs every network.

It walks the program of each patient until the patient must wait, takes the next event off the
calendar, and keeps sums. Nothing here knows a model; `tables.py` says what the rows mean. Times in
sums are kept as (end - start), so that a warm-up is cut by resetting the sums.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import math
from typing import NamedTuple

import numpy as np

from .calendar_queue import (
    DAYS_MAX,
    Q_COUNT,
    Q_DAY,
    Q_PER_TIME,
    Q_SEQUENCE,
    cancel,
    clear,
    fit,
    link,
    pop,
    schedule,
)
from .chance import draw, draw_here, mix, state_of, unit
from .compiled import inlined, kernel, part
from .layout import (
    BASE,
    COUNTERS_MAX,
    E_BUCKET,
    E_CLASS,
    E_CLINIC,
    E_COUNTERS,
    E_KEY,
    E_LAP,
    E_LEAVE,
    E_PC,
    E_PRIORITY,
    E_QUEUE_NEXT,
    E_SERIAL,
    E_SIGNATURE,
    E_SITE,
    ENTITY_WIDTH,
    FINISHED,
    G_TIME,
    G_VISITS,
    G_WAIT,
    K_DROP_OUT,
    K_ENTRY,
    K_IS_ORDER,
    K_PATIENCE,
    K_PRIORITY,
    K_SURVIVAL,
    LOST,
    M_CLASS,
    M_EXPIRE,
    M_MADE,
    M_ON_ORDER,
    M_ORDER,
    M_ORDERS,
    M_PROGRAM,
    M_REORDER,
    M_RESOURCE,
    M_SITE,
    M_USED,
    N_EVENTS,
    N_IN_PROGRESS,
    N_PEAK,
    N_STATUS,
    N_STOPPED_AT,
    N_TRACED,
    NO_TIME_PASSES,
    OCTAVE_LOW,
    OP,
    OP_ARRIVE,
    OP_ASSIGN,
    OP_CHANCE,
    OP_CHARGE,
    OP_CLOCKS,
    OP_COUNT,
    OP_DELAY,
    OP_DELIVER,
    OP_END,
    OP_EXPIRE,
    OP_FAILED,
    OP_FAULT,
    OP_GATHER,
    OP_IF_UP,
    OP_JUMP,
    OP_LEAVE,
    OP_MARK,
    OP_MEND,
    OP_PUT,
    OP_RELEASE,
    OP_SEIZE,
    OP_SHIP,
    OP_SPAWN,
    OP_VIABLE,
    P_ARRIVED,
    P_DIED,
    P_INFUSED,
    P_LOST,
    P_ON_TIME,
    P_TIME,
    P_TIME_SQUARED,
    P_TURNED_AWAY,
    P_VIABILITY,
    P_WITHDRAWN,
    PURPOSE,
    R_BUSY,
    R_CAPACITY,
    R_LIMIT,
    R_MATERIAL,
    R_OUT,
    R_PLANNED,
    R_WAITING,
    RULE,
    RULE_CLASS,
    RULE_CLINIC,
    RULE_PAIR,
    RULE_SITE,
    S_CLASS,
    S_CLINIC,
    S_DISTRIBUTION,
    S_GROUP,
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
    T_WAIT_SERVED,
    TARGET,
    TIME_BINS,
    TIME_BINS_PER_OCTAVE,
    TOO_MANY_EVENTS,
    TOO_MANY_PATIENTS,
    TRACE_ARRIVED,
    TRACE_ENDED,
    TRACE_FAILED,
    TRACE_FINISHED,
    TRACE_RECEIVED,
    TRACE_SHIPPED,
    TRACE_STARTED,
    V_DEADLINE,
    V_DEATH,
    V_MARK,
    V_PATIENCE,
    V_START,
    V_TIME,
    V_VIABILITY,
    V_WAIT,
    VALUE_WIDTH,
    VIABILITY_BINS,
    W_CANCELLED,
    W_COST,
    W_CURVE_AT,
    W_CURVE_COUNT,
    W_DELAY,
    W_DEPART_AT,
    W_DEPART_COUNT,
    W_HANDLING,
    W_HOLD_MAX,
    W_LOSS,
    W_PACKING,
    W_STEP_LOSS,
    W_TIME,
    WAIT_BINS,
    WAIT_BINS_PER_OCTAVE,
    WITHDRAWN,
    A,
    B,
    C,
)
from .queues import has_room, is_awaited, join, leave, next_served

_SEED = np.uint64(0x8CB92BA72F3D8DD7)
_STREAM = np.uint64(0xA0761D6478BD642F)
_PATIENT = np.uint64(0xE7037ED1A0B428DB)
_DROP_OUT = np.uint64(0x8EBC6AF09C88C6E3)
_SURVIVAL = np.uint64(0x589965CC75374CC3)
_PATIENCE = np.uint64(0x1D8E4E27C47D124F)
_STEPS_MAX = 5_000_000
_ORDERS_MAX = 10_000
_CALLED_MAX = 4096
_WEEK = 7.0
_NEVER = 1e18
# Places in the state's counters.
_HIGH, _FREE, _READY_FIRST, _READY_LAST, _DUE, _LIVE, _CALLED = range(7)


class Tables(NamedTuple):
    """The compiled network; read only. See `tables.py` for how each is made."""

    program: np.ndarray
    time_at: np.ndarray
    signature_at: np.ndarray
    amount_at: np.ndarray
    distributions: np.ndarray
    sample: np.ndarray
    want_at: np.ndarray
    want: np.ndarray
    single: np.ndarray
    wanted_at: np.ndarray
    wanted: np.ndarray
    resources: np.ndarray
    classes: np.ndarray
    promises: np.ndarray
    streams: np.ndarray
    stream_days: np.ndarray
    opens: np.ndarray
    ways: np.ndarray
    departures: np.ndarray
    curve: np.ndarray
    materials: np.ndarray
    faults: np.ndarray
    reach: np.ndarray
    plan_time: np.ndarray
    plan: np.ndarray
    starters: np.ndarray
    sizes: np.ndarray


class Results(NamedTuple):
    """Sums of each replication (first axis), and histograms over all of them."""

    run: np.ndarray
    classes: np.ndarray
    resources: np.ndarray
    stages: np.ndarray
    causes: np.ndarray
    costs: np.ndarray
    times: np.ndarray
    waits: np.ndarray
    viability: np.ndarray
    trace: np.ndarray
    trace_times: np.ndarray


class State(NamedTuple):
    """Room for what lives during a replication; made once, used for many."""

    entities: np.ndarray
    values: np.ndarray
    free: np.ndarray
    ready: np.ndarray
    called: np.ndarray
    lines: np.ndarray
    gathers: np.ndarray
    blocked: np.ndarray
    days: np.ndarray
    whole: np.ndarray
    real: np.ndarray
    counts: np.ndarray
    resources: np.ndarray
    materials: np.ndarray


def room_for(tables: Tables, patients_max: int) -> State:
    """Give room for as many patients at once; memory is touched only as far as it is used."""
    room = patients_max + 64 + tables.starters.shape[0]
    return State(
        entities=np.empty((room, ENTITY_WIDTH), np.int64),
        values=np.empty((room, VALUE_WIDTH)),
        free=np.empty(room, np.int64),
        ready=np.empty(room, np.int64),
        called=np.empty(_CALLED_MAX, np.int64),
        lines=np.empty(((tables.want_at.size - 1) * int(tables.sizes[0]), 2), np.int64),
        gathers=np.empty((int(tables.sizes[2]) + 1, 3), np.int64),
        blocked=np.zeros(tables.resources.shape[0], np.int64),
        days=np.empty(DAYS_MAX, np.int64),
        whole=np.zeros(5, np.int64),
        real=np.zeros(2),
        counts=np.zeros(7, np.int64),
        resources=np.empty_like(tables.resources),
        materials=np.empty_like(tables.materials),
    )


@kernel
def replicate(
    tables: Tables,
    state: State,
    results: Results,
    seed: int,
    first: int,
    horizon: float,
    warmup: float,
    plan_period: float,
    events_max: int,
    patients_max: int,
) -> None:
    """Run as many replications as `results` has room for, the first being number `first`.

    Times are days; `plan_period` is the length of the plan of capacities, which then repeats. The
    trace, when it has room, is of replication 0.
    """
    # Tables are named once: reaching through a tuple costs two atomic counts each time.
    program = tables.program
    time_at = tables.time_at
    signature_at = tables.signature_at
    amount_at = tables.amount_at
    distributions = tables.distributions
    sample = tables.sample
    want_at = tables.want_at
    want = tables.want
    single = tables.single
    wanted_at = tables.wanted_at
    wanted = tables.wanted
    resources_0 = tables.resources
    classes = tables.classes
    promises = tables.promises
    streams = tables.streams
    stream_days = tables.stream_days
    opens = tables.opens
    ways = tables.ways
    departures = tables.departures
    curve = tables.curve
    materials_0 = tables.materials
    faults = tables.faults
    reach = tables.reach
    plan_time = tables.plan_time
    plan = tables.plan
    starters = tables.starters
    sizes = tables.sizes
    times, waits, viability = results.times, results.waits, results.viability
    trace, trace_times = results.trace, results.trace_times
    levels, sites = sizes[0], max(sizes[1], 1)
    room = state.entities.shape[0]
    entities, values = state.entities, state.values
    free, ready, called = state.free, state.ready, state.called
    lines, gathers, blocked = state.lines, state.gathers, state.blocked
    days, whole, real, count = state.days, state.whole, state.real, state.counts
    resources, materials = state.resources, state.materials
    for index in range(results.run.shape[0]):
        base = mix(np.uint64(seed) * _SEED + np.uint64(first + index))
        base = mix(base ^ _STREAM)
        _copy(resources, resources_0)
        _copy(materials, materials_0)
        for row in range(blocked.size):
            blocked[row] = 0
        out = results.run[index]
        sums = results.resources[index]
        by_class = results.classes[index]
        stages = results.stages[index]
        causes = results.causes[index]
        costs = results.costs[index]
        tracing = first + index == 0 and trace.shape[0] > 0
        traced = 0
        lines[:] = -1
        gathers[:] = 0
        count[:] = 0
        clear(days, whole, real)
        now = 0.0
        status = FINISHED
        events = 0
        for starter in range(starters.shape[0]):
            entity = _new(entities, values, free, count, patients_max)
            entities[entity, E_PC] = starters[starter, 0]
            entities[entity, E_KEY] = np.int64(mix(base + np.uint64(starters[starter, 1])))
            entities[entity, E_SITE] = max(0, starters[starter, 2])
            _push(ready, count, entity, room)
        specials = starters.shape[0]
        count[_LIVE] = 0
        plan_next = 0
        plan_base = 0.0
        plan_at = plan_time[0] if plan_time.size > 0 else _NEVER
        is_warm = warmup <= 0.0
        for row in range(resources.shape[0]):
            sums[row, T_OPEN] = 0.0
        steps = 0
        while status == FINISHED:
            while status == FINISHED:
                while count[_CALLED] > 0:
                    count[_CALLED] -= 1
                    resource = called[count[_CALLED]]
                    # Those who wait are served as long as the resource has room for the next.
                    while True:
                        entity = next_served(
                            lines,
                            levels,
                            entities,
                            resources,
                            want_at,
                            want,
                            wanted_at,
                            wanted,
                            blocked,
                            resource,
                        )
                        if entity < 0:
                            break
                        signature = entities[entity, E_SIGNATURE]
                        leave(lines, levels, entities, resources, want_at, want, entity)
                        _take(resources, materials, sums, want_at, want, signature, now, count)
                        if entities[entity, E_BUCKET] >= 0:
                            cancel(days, whole, entities, entity)
                        pc = entities[entity, E_PC]
                        waited = now - values[entity, V_WAIT]
                        for place in range(want_at[signature], want_at[signature + 1]):
                            sums[want[place, 0], T_REQUESTS] += 1.0
                            sums[want[place, 0], T_WAIT] += waited
                            sums[want[place, 0], T_WAIT_SERVED] += waited
                        stage = program[pc, STAGE]
                        if stage >= 0:
                            stages[stage, G_VISITS] += 1.0
                            stages[stage, G_WAIT] += waited
                            if is_warm:
                                waits[stage, _wait_bin(waited)] += 1
                        entities[entity, E_PC] = pc + 1
                        _push(ready, count, entity, room)
                if count[_DUE] == 1:
                    count[_DUE] = 0
                    if not _reorder(
                        materials_0,
                        resources,
                        materials,
                        entities,
                        values,
                        free,
                        ready,
                        count,
                        room,
                        base,
                        patients_max,
                    ):
                        status = TOO_MANY_PATIENTS
                        break
                if count[_READY_FIRST] == count[_READY_LAST]:
                    break
                entity = ready[count[_READY_FIRST]]
                count[_READY_FIRST] += 1
                if count[_READY_FIRST] == room:
                    count[_READY_FIRST] = 0
                key = np.uint64(entities[entity, E_KEY])
                pc = entities[entity, E_PC]
                when = -1.0
                while True:
                    steps += 1
                    if steps > _STEPS_MAX:
                        status = NO_TIME_PASSES
                        break
                    op = program[pc, OP]
                    rule = program[pc, RULE]
                    row = program[pc, BASE]
                    if rule == RULE_SITE:
                        row += entities[entity, E_SITE]
                    elif rule == RULE_CLASS:
                        row += entities[entity, E_CLASS]
                    elif rule == RULE_CLINIC:
                        row += entities[entity, E_CLINIC]
                    elif rule == RULE_PAIR:
                        row += entities[entity, E_CLINIC] * sites + entities[entity, E_SITE]
                    if op == OP_DELAY:
                        stream_state = state_of(key, program[pc, PURPOSE], entities[entity, E_LAP])
                        passed = draw_here(distributions, sample, time_at[row], stream_state)
                        stage = program[pc, STAGE]
                        if stage >= 0:
                            stages[stage, G_TIME] += passed
                            if program[pc, A] == 1:
                                stages[stage, G_VISITS] += 1.0
                            if tracing:
                                traced = _trace(
                                    trace,
                                    trace_times,
                                    traced,
                                    TRACE_STARTED,
                                    now,
                                    entities,
                                    entity,
                                    stage,
                                )
                                traced = _trace(
                                    trace,
                                    trace_times,
                                    traced,
                                    TRACE_FINISHED,
                                    now + passed,
                                    entities,
                                    entity,
                                    stage,
                                )
                        pc += 1
                        if passed > 0.0:
                            entities[entity, E_PC] = pc
                            when = now + passed
                            break
                    elif op == OP_SEIZE:
                        signature = signature_at[row]
                        watched = program[pc, C] == 1
                        if watched and values[entity, V_DEADLINE] <= now:
                            dead = values[entity, V_DEATH] > 0.0
                            entities[entity, E_LEAVE] = LOST if dead else WITHDRAWN
                            if dead:
                                by_class[entities[entity, E_CLASS], P_DIED] += 1.0
                            pc = program[pc, TARGET]
                            continue
                        resource = single[signature, 0]
                        if (
                            resource >= 0
                            and resources[resource, R_WAITING] == 0
                            and resources[resource, R_CAPACITY] - resources[resource, R_BUSY]
                            >= single[signature, 1]
                        ):
                            # Nearly every request is for one resource that is free.
                            resources[resource, R_BUSY] += single[signature, 1]
                            sums[resource, T_BUSY] -= single[signature, 1] * now
                            sums[resource, T_REQUESTS] += 1.0
                            stage = program[pc, STAGE]
                            if stage >= 0:
                                stages[stage, G_VISITS] += 1.0
                                if is_warm:
                                    waits[stage, 0] += 1
                            pc += 1
                            continue
                        if has_room(resources, want_at, want, signature) and not is_awaited(
                            resources, want_at, want, signature
                        ):
                            _take(resources, materials, sums, want_at, want, signature, now, count)
                            for place in range(want_at[signature], want_at[signature + 1]):
                                sums[want[place, 0], T_REQUESTS] += 1.0
                            stage = program[pc, STAGE]
                            if stage >= 0:
                                stages[stage, G_VISITS] += 1.0
                                if is_warm:
                                    waits[stage, 0] += 1
                            pc += 1
                            continue
                        full = False
                        for place in range(want_at[signature], want_at[signature + 1]):
                            sums[want[place, 0], T_EVER_AWAITED] = 1.0
                            limit = resources[want[place, 0], R_LIMIT]
                            if limit >= 0 and resources[want[place, 0], R_WAITING] >= limit:
                                full = True
                        if full:
                            entities[entity, E_LEAVE] = LOST
                            by_class[entities[entity, E_CLASS], P_TURNED_AWAY] += 1.0
                            pc = program[pc, TARGET]
                            continue
                        own = entities[entity, E_CLASS]
                        level = program[pc, B]
                        entities[entity, E_PRIORITY] = (
                            classes[own, K_PRIORITY] if level < 0 else level
                        )
                        values[entity, V_WAIT] = now
                        entities[entity, E_PC] = pc
                        whole[Q_SEQUENCE] += 1
                        join(
                            lines,
                            levels,
                            entities,
                            resources,
                            want_at,
                            want,
                            entity,
                            signature,
                            whole[Q_SEQUENCE],
                        )
                        timer = values[entity, V_DEADLINE] if watched else _NEVER
                        patience = program[pc, A]
                        if patience < 0:
                            patience = classes[own, K_PATIENCE]
                        values[entity, V_PATIENCE] = _NEVER
                        if patience >= 0:
                            stream_state = state_of(
                                key + _PATIENCE, program[pc, PURPOSE], entities[entity, E_LAP]
                            )
                            values[entity, V_PATIENCE] = now + draw(
                                distributions, sample, patience, stream_state
                            )
                            timer = min(timer, values[entity, V_PATIENCE])
                        if timer < horizon:
                            when = timer
                        for place in range(want_at[signature], want_at[signature + 1]):
                            _call(called, count, want[place, 0])
                            if resources[want[place, 0], R_MATERIAL] >= 0:
                                count[_DUE] = 1
                        break
                    elif op == OP_RELEASE:
                        signature = signature_at[row]
                        pc += 1
                        resource = single[signature, 0]
                        if resource >= 0:
                            resources[resource, R_BUSY] -= single[signature, 1]
                            sums[resource, T_BUSY] += single[signature, 1] * now
                            if resources[resource, R_WAITING] > 0:
                                _call(called, count, resource)
                            continue
                        for place in range(want_at[signature], want_at[signature + 1]):
                            resource = want[place, 0]
                            if resources[resource, R_MATERIAL] < 0:
                                resources[resource, R_BUSY] -= want[place, 1]
                                sums[resource, T_BUSY] += want[place, 1] * now
                        for place in range(want_at[signature], want_at[signature + 1]):
                            resource = want[place, 0]
                            if resources[resource, R_WAITING] > 0:
                                _call(called, count, resource)
                    elif op == OP_CHANCE:
                        stream_state = state_of(key, program[pc, PURPOSE], entities[entity, E_LAP])
                        if unit(mix(stream_state)) < amount_at[row]:
                            pc = program[pc, TARGET]
                        else:
                            pc += 1
                    elif op == OP_JUMP:
                        entities[entity, E_LAP] += program[pc, A]
                        pc = program[pc, TARGET]
                    elif op == OP_CHARGE:
                        costs[program[pc, A]] += amount_at[row]
                        pc += 1
                    elif op == OP_ARRIVE:
                        stream = program[pc, A]
                        lap = entities[entity, E_LAP]
                        following = _next_arrival(
                            distributions,
                            sample,
                            streams,
                            stream_days,
                            opens,
                            values,
                            entity,
                            stream,
                            key,
                            lap,
                        )
                        entities[entity, E_LAP] = lap + 1
                        entities[entity, E_PC] = pc
                        if lap > 0 and now >= stream_days[stream, 0]:
                            for member in range(streams[stream, S_GROUP]):
                                patient = _new(entities, values, free, count, patients_max)
                                if patient < 0:
                                    status = TOO_MANY_PATIENTS
                                    break
                                _arrive(
                                    distributions,
                                    sample,
                                    streams,
                                    classes,
                                    reach,
                                    entities,
                                    values,
                                    patient,
                                    stream,
                                    lap * streams[stream, S_GROUP] + member,
                                    key,
                                    now,
                                )
                                own = entities[patient, E_CLASS]
                                by_class[own, P_ARRIVED] += 1.0
                                if tracing:
                                    traced = _trace(
                                        trace,
                                        trace_times,
                                        traced,
                                        TRACE_ARRIVED,
                                        now,
                                        entities,
                                        patient,
                                        -1,
                                    )
                                _push(ready, count, patient, room)
                        if following < stream_days[stream, 1] and following < horizon:
                            when = following
                        break
                    elif op in (OP_END, OP_LEAVE):
                        own = entities[entity, E_CLASS]
                        if classes[own, K_IS_ORDER] >= 0:
                            order = classes[own, K_IS_ORDER]
                            materials[order, M_ON_ORDER] -= materials[order, M_ORDER]
                            count[_DUE] = 1
                            count[_LIVE] += 1
                        else:
                            outcome = (
                                entities[entity, E_LEAVE] if op == OP_LEAVE else program[pc, A]
                            )
                            _finish(
                                by_class[own],
                                values,
                                times,
                                viability,
                                entity,
                                own,
                                outcome,
                                now,
                                promises[own],
                                is_warm,
                            )
                            if op == OP_END and program[pc, B] >= 0:
                                causes[program[pc, B]] += 1.0
                            if tracing:
                                traced = _trace(
                                    trace,
                                    trace_times,
                                    traced,
                                    TRACE_ENDED,
                                    now,
                                    entities,
                                    entity,
                                    outcome,
                                )
                        _drop(free, count, entity)
                        break
                    elif op == OP_COUNT:
                        slot = E_COUNTERS + program[pc, A]
                        if entities[entity, slot] < program[pc, B]:
                            entities[entity, slot] += 1
                            pc = program[pc, TARGET]
                        else:
                            pc += 1
                    elif op == OP_CLOCKS:
                        if values[entity, V_DEADLINE] <= now:
                            dead = values[entity, V_DEATH] > 0.0
                            entities[entity, E_LEAVE] = LOST if dead else WITHDRAWN
                            if dead:
                                by_class[entities[entity, E_CLASS], P_DIED] += 1.0
                            pc = program[pc, TARGET]
                        else:
                            pc += 1
                    elif op == OP_FAILED:
                        causes[program[pc, A]] += 1.0
                        if tracing:
                            traced = _trace(
                                trace,
                                trace_times,
                                traced,
                                TRACE_FAILED,
                                now,
                                entities,
                                entity,
                                program[pc, A],
                            )
                        pc += 1
                    elif op == OP_SHIP:
                        stream_state = state_of(key, program[pc, PURPOSE], entities[entity, E_LAP])
                        arrived, kept = _journey(
                            distributions, sample, ways, departures, curve, row, now, stream_state
                        )
                        values[entity, V_VIABILITY] *= kept
                        costs[program[pc, A]] += ways[row, W_COST]
                        costs[program[pc, B]] += ways[row, W_PACKING]
                        stage = program[pc, STAGE]
                        stages[stage, G_VISITS] += 1.0
                        stages[stage, G_TIME] += arrived - now
                        if tracing:
                            traced = _trace(
                                trace,
                                trace_times,
                                traced,
                                TRACE_SHIPPED,
                                now,
                                entities,
                                entity,
                                stage,
                            )
                            traced = _trace(
                                trace,
                                trace_times,
                                traced,
                                TRACE_RECEIVED,
                                arrived,
                                entities,
                                entity,
                                stage,
                            )
                        pc += 1
                        if arrived > now:
                            entities[entity, E_PC] = pc
                            when = arrived
                            break
                    elif op == OP_VIABLE:
                        if values[entity, V_VIABILITY] < amount_at[row]:
                            pc = program[pc, TARGET]
                        else:
                            pc += 1
                    elif op == OP_MARK:
                        if program[pc, A] == 0:
                            values[entity, V_START] = now
                            values[entity, V_MARK] = -1.0
                        elif program[pc, A] == 1:
                            values[entity, V_MARK] = now
                        else:
                            values[entity, V_VIABILITY] = amount_at[row]
                        pc += 1
                    elif op == OP_ASSIGN:
                        entities[entity, E_SITE] = _site(
                            reach, resources, entities[entity, E_CLINIC], program[pc, A]
                        )
                        pc += 1
                    elif op == OP_GATHER:
                        pc += 1
                        entities[entity, E_PC] = pc
                        _gather(
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
                            row,
                            program[pc - 1, A],
                            now + amount_at[program[pc - 1, B]],
                            horizon,
                        )
                        break
                    elif op in (OP_PUT, OP_DELIVER):
                        material = row
                        amount = program[pc, A]
                        if op == OP_DELIVER:
                            materials[material, M_ON_ORDER] -= materials[material, M_ORDER]
                            amount = materials[material, M_ORDER]
                            costs[program[pc, B]] += amount * amount_at[program[pc, C]]
                        resource = materials[material, M_RESOURCE]
                        resources[resource, R_CAPACITY] += amount
                        sums[resource, T_OPEN] -= amount * now
                        materials[material, M_MADE] += amount
                        if materials[material, M_EXPIRE] >= 0:
                            lot = _new(entities, values, free, count, patients_max)
                            if lot < 0:
                                status = TOO_MANY_PATIENTS
                                break
                            count[_LIVE] -= 1
                            entities[lot, E_PC] = materials[material, M_EXPIRE]
                            entities[lot, E_KEY] = np.int64(
                                mix(base + np.uint64(materials[material, M_MADE] * 8191 + material))
                            )
                            entities[lot, E_COUNTERS] = materials[material, M_MADE]
                            _push(ready, count, lot, room)
                        _call(called, count, resource)
                        pc += 1
                    elif op == OP_EXPIRE:
                        material = row
                        resource = materials[material, M_RESOURCE]
                        left = entities[entity, E_COUNTERS] - materials[material, M_USED]
                        if left > 0:
                            resources[resource, R_CAPACITY] -= left
                            sums[resource, T_OPEN] += left * now
                            materials[material, M_USED] += left
                            causes[program[pc, A]] += left
                            count[_DUE] = 1
                        pc += 1
                    elif op in (OP_FAULT, OP_MEND):
                        sign = 1 if op == OP_FAULT else -1
                        for place in range(program[pc, A], program[pc, B]):
                            resource = faults[place, 0]
                            resources[resource, R_OUT] += sign * faults[place, 1]
                            _recapacitate(resources, sums, resource, now)
                            _call(called, count, resource)
                        pc += 1
                    elif op == OP_IF_UP:
                        resource = program[pc, A]
                        if resources[resource, R_CAPACITY] > 0:
                            pc = program[pc, TARGET]
                        else:
                            pc += 1
                    elif op == OP_SPAWN:
                        twin = _new(entities, values, free, count, patients_max)
                        if twin < 0:
                            status = TOO_MANY_PATIENTS
                            break
                        count[_LIVE] -= 1
                        for column in range(ENTITY_WIDTH):
                            if column != E_BUCKET:
                                entities[twin, column] = entities[entity, column]
                        entities[twin, E_PC] = program[pc, TARGET]
                        _push(ready, count, twin, room)
                        pc += 1
                    else:
                        count[_LIVE] += 1
                        _drop(free, count, entity)
                        break
                if when >= 0.0:
                    schedule(days, whole, real, entities, values, entity, when)
            if status != FINISHED:
                break
            entity = pop(days, whole, real, entities, values)
            time = values[entity, V_TIME] if entity >= 0 else _NEVER
            wall = horizon if is_warm else warmup
            while plan_at <= time and plan_at <= wall:
                if plan_at > now and count[_CALLED] > 0:
                    break
                now = plan_at
                steps = 0
                events += 1
                resource = plan[plan_next, 0]
                resources[resource, R_PLANNED] = plan[plan_next, 1]
                _recapacitate(resources, sums, resource, now)
                if resources[resource, R_WAITING] > 0:
                    _call(called, count, resource)
                plan_next += 1
                if plan_next == plan_time.size:
                    plan_next = 0
                    plan_base += plan_period
                plan_at = plan_base + plan_time[plan_next]
            if time >= wall or count[_CALLED] > 0:
                # The event comes later than something else: it goes back to its place.
                if entity >= 0:
                    whole[Q_COUNT] += 1
                    link(days, whole, real, entities, entity, time)
                    whole[Q_DAY] = min(whole[Q_DAY], np.int64(now * real[Q_PER_TIME]))
                if count[_CALLED] > 0:
                    continue
                now = wall
                if is_warm:
                    break
                is_warm = True
                _restart(sums, by_class, stages, causes, costs, resources, now)
                continue
            events += 1
            if time > now:
                steps = 0
                now = time
            if events & 1023 == 0:
                fit(days, whole, real, entities, values, now)
                if events > events_max:
                    status = TOO_MANY_EVENTS
            waits_for = entities[entity, E_SIGNATURE]
            if waits_for == -1:
                _push(ready, count, entity, room)
            elif waits_for >= 0:
                _renege(
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
                )
                _push(ready, count, entity, room)
                for place in range(want_at[waits_for], want_at[waits_for + 1]):
                    # One who leaves may have kept back others who can be served now.
                    _call(called, count, want[place, 0])
            else:
                _depart(gathers, entities, days, whole, ready, count, room, -2 - waits_for)
        for resource in range(resources.shape[0]):
            sums[resource, T_BUSY] += resources[resource, R_BUSY] * now
            sums[resource, T_OPEN] += resources[resource, R_CAPACITY] * now
        out[N_EVENTS] = events
        out[N_STATUS] = status
        out[N_PEAK] = count[_HIGH] - specials
        out[N_STOPPED_AT] = now
        out[N_IN_PROGRESS] = count[_LIVE]
        if tracing:
            out[N_TRACED] = traced


@part
def _copy(to, source):
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            to[row, column] = source[row, column]


@inlined
def _new(entities, values, free, count, most):
    """Give a fresh entity, or -1 beyond the limit."""
    if count[_FREE] > 0:
        count[_FREE] -= 1
        entity = free[count[_FREE]]
    elif count[_HIGH] < most:
        entity = count[_HIGH]
        count[_HIGH] += 1
    else:
        return -1
    count[_LIVE] += 1
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
    values[entity, V_DEADLINE] = _NEVER
    values[entity, V_DEATH] = 0.0
    values[entity, V_VIABILITY] = 1.0
    return entity


@inlined
def _drop(free, count, entity):
    free[count[_FREE]] = entity
    count[_FREE] += 1
    count[_LIVE] -= 1


@inlined
def _push(ready, count, entity, room):
    ready[count[_READY_LAST]] = entity
    count[_READY_LAST] += 1
    if count[_READY_LAST] == room:
        count[_READY_LAST] = 0


@inlined
def _call(called, count, resource):
    """Note that a resource may have room for those who wait; each is noted once in a row."""
    if count[_CALLED] > 0 and called[count[_CALLED] - 1] == resource:
        return
    if count[_CALLED] < _CALLED_MAX:
        called[count[_CALLED]] = resource
        count[_CALLED] += 1


@part
def _take(resources, materials, sums, want_at, want, signature, now, count):
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
            count[_DUE] = 1


@part
def _renege(
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
            waits[stage, _wait_bin(waited)] += 1
    died = values[entity, V_PATIENCE] > now and values[entity, V_DEATH] > 0.0
    if died:
        by_class[entities[entity, E_CLASS], P_DIED] += 1.0
    entities[entity, E_LEAVE] = LOST if died else WITHDRAWN
    entities[entity, E_PC] = program[pc, TARGET]


@inlined
def _recapacitate(resources, sums, resource, now):
    """Set a resource's capacity to what is planned less what is out."""
    capacity = max(0, resources[resource, R_PLANNED] - resources[resource, R_OUT])
    sums[resource, T_OPEN] -= (capacity - resources[resource, R_CAPACITY]) * now
    resources[resource, R_CAPACITY] = capacity


@inlined
def _arrive(
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
    mine = mix(key ^ _PATIENT ^ (np.uint64(serial) * _SEED))
    entities[patient, E_KEY] = np.int64(mine)
    entities[patient, E_SERIAL] = serial
    entities[patient, E_CLASS] = own
    entities[patient, E_CLINIC] = clinic
    entities[patient, E_SITE] = reach[clinic, 0]
    entities[patient, E_PC] = classes[own, K_ENTRY]
    values[patient, V_START] = now
    clock = classes[own, K_DROP_OUT]
    if clock >= 0:
        values[patient, V_DEADLINE] = now + draw(distributions, sample, clock, mine + _DROP_OUT)
    clock = classes[own, K_SURVIVAL]
    if clock >= 0:
        death = now + draw(distributions, sample, clock, mine + _SURVIVAL)
        if death < values[patient, V_DEADLINE]:
            values[patient, V_DEADLINE] = death
            values[patient, V_DEATH] = 1.0


@inlined
def _next_arrival(
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
            return weeks * _WEEK + opens[window, 1] - (opens[window, 2] - rest)
    return (weeks + 1) * _WEEK


@inlined
def _finish(by_class, values, times, viabilities, entity, own, outcome, now, promise, is_warm):
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
        times[own, _time_bin(passed)] += 1
        viabilities[min(VIABILITY_BINS - 1, np.int64(viability * VIABILITY_BINS))] += 1


@part
def _time_bin(days):
    if days <= 0.0:
        return 0
    place = np.int64((math.log2(days) - OCTAVE_LOW) * TIME_BINS_PER_OCTAVE)
    return min(max(place, 0), TIME_BINS - 1)


@part
def _wait_bin(days):
    if days <= 0.0:
        return 0
    place = np.int64((math.log2(days) - OCTAVE_LOW) * WAIT_BINS_PER_OCTAVE) + 1
    return min(max(place, 1), WAIT_BINS - 1)


@part
def _restart(sums, by_class, stages, causes, costs, resources, now):
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
def _journey(distributions, sample, ways, departures, curve, row, now, state):
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
            leaves = _departure(departures, at, count, leaves)
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
        kept *= _on_curve(curve, np.int64(ways[row, W_CURVE_AT]), points, passed)
    else:
        kept *= math.exp(-ways[row, W_LOSS] * passed)
    return arrived, kept


@part
def _departure(departures, at, count, ready):
    """Give the first departure of the weekly timetable at or after a time."""
    week = math.floor(ready / _WEEK) * _WEEK
    phase = ready - week
    for place in range(at, at + count):
        if departures[place] >= phase:
            return week + departures[place]
    return week + _WEEK + departures[at]


@part
def _on_curve(curve, at, points, days):
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
def _site(reach, resources, clinic, pool):
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
def _gather(
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
        _depart(gathers, entities, days, whole, ready, count, room, slot)


@part
def _depart(gathers, entities, days, whole, ready, count, room, slot):
    entity = gathers[slot, 1]
    gathers[slot, 0] = 0
    while entity >= 0:
        after = entities[entity, E_QUEUE_NEXT]
        entities[entity, E_SIGNATURE] = -1
        if entities[entity, E_BUCKET] >= 0:
            cancel(days, whole, entities, entity)
        _push(ready, count, entity, room)
        entity = after


@part
def _reorder(planned, resources, materials, entities, values, free, ready, count, room, base, most):
    """Send out the orders that are due; False when there is no room for them."""
    for material in range(planned.shape[0]):
        resource = planned[material, M_RESOURCE]
        for _ in range(_ORDERS_MAX):
            position = (
                resources[resource, R_CAPACITY]
                - resources[resource, R_WAITING]
                + materials[material, M_ON_ORDER]
            )
            if position > materials[material, M_REORDER]:
                break
            order = _new(entities, values, free, count, most)
            if order < 0:
                return False
            count[_LIVE] -= 1
            materials[material, M_ON_ORDER] += materials[material, M_ORDER]
            materials[material, M_ORDERS] += 1
            entities[order, E_PC] = materials[material, M_PROGRAM]
            entities[order, E_CLASS] = materials[material, M_CLASS]
            entities[order, E_SITE] = materials[material, M_SITE]
            entities[order, E_KEY] = np.int64(
                mix(base + np.uint64(materials[material, M_ORDERS] * 131071 + material))
            )
            _push(ready, count, order, room)
    return True


@part
def _trace(trace, trace_times, traced, kind, time, entities, entity, place):
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
