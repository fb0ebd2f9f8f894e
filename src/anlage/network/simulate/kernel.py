"""The kernel: one compiled interpreter that runs every network.

It walks the program of each patient until the patient must wait, takes the next event off the
calendar, and keeps sums. Nothing here knows a model; `tables.py` says what the rows mean. Times in
sums are kept as (end - start), so that a warm-up is cut by resetting the sums.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

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
from .compiled import kernel
from .courses import (
    C_CALLED,
    C_DUE,
    C_HIGH,
    C_LIVE,
    C_READY_FIRST,
    C_READY_LAST,
    NEVER,
    PATIENCE_MIX,
    SEED_MIX,
    STEPS_MAX,
    STREAM_MIX,
    arrive,
    call_for,
    copy_table,
    depart,
    drop_entity,
    finish,
    gather,
    journey,
    new_entity,
    next_arrival,
    push_ready,
    recapacitate,
    renege,
    reorder,
    restart,
    site_for,
    take_all,
    trace_line,
    wait_bin,
)
from .layout import (
    BASE,
    E_BUCKET,
    E_CLASS,
    E_CLINIC,
    E_COUNTERS,
    E_KEY,
    E_LAP,
    E_LEAVE,
    E_PC,
    E_PRIORITY,
    E_SIGNATURE,
    E_SITE,
    ENTITY_WIDTH,
    FINISHED,
    G_TIME,
    G_VISITS,
    G_WAIT,
    K_IS_ORDER,
    K_PATIENCE,
    K_PRIORITY,
    LOST,
    M_EXPIRE,
    M_MADE,
    M_ON_ORDER,
    M_ORDER,
    M_RESOURCE,
    M_USED,
    N_EVENTS,
    N_IN_PROGRESS,
    N_PEAK,
    N_STATUS,
    N_STOPPED_AT,
    N_TRACED,
    NO_TIME_PASSES,
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
    P_TURNED_AWAY,
    PURPOSE,
    R_BUSY,
    R_CALLED,
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
    S_GROUP,
    STAGE,
    T_BUSY,
    T_EVER_AWAITED,
    T_OPEN,
    T_REQUESTS,
    T_WAIT,
    T_WAIT_SERVED,
    TARGET,
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
    W_COST,
    W_PACKING,
    WITHDRAWN,
    A,
    B,
    C,
)
from .queues import has_room, is_awaited, join, leave, next_served


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
        called=np.empty(tables.resources.shape[0], np.int64),
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
        base = mix(np.uint64(seed) * SEED_MIX + np.uint64(first + index))
        base = mix(base ^ STREAM_MIX)
        copy_table(resources, resources_0)
        copy_table(materials, materials_0)
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
            entity = new_entity(entities, values, free, count, patients_max)
            entities[entity, E_PC] = starters[starter, 0]
            entities[entity, E_KEY] = np.int64(mix(base + np.uint64(starters[starter, 1])))
            entities[entity, E_SITE] = max(0, starters[starter, 2])
            push_ready(ready, count, entity, room)
        specials = starters.shape[0]
        count[C_LIVE] = 0
        plan_next = 0
        plan_base = 0.0
        plan_at = plan_time[0] if plan_time.size > 0 else NEVER
        is_warm = warmup <= 0.0
        for row in range(resources.shape[0]):
            sums[row, T_OPEN] = 0.0
        steps = 0
        while status == FINISHED:
            while status == FINISHED:
                while count[C_CALLED] > 0:
                    count[C_CALLED] -= 1
                    resource = called[count[C_CALLED]]
                    resources[resource, R_CALLED] = 0
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
                        take_all(resources, materials, sums, want_at, want, signature, now, count)
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
                                waits[stage, wait_bin(waited)] += 1
                        entities[entity, E_PC] = pc + 1
                        push_ready(ready, count, entity, room)
                if count[C_DUE] == 1:
                    count[C_DUE] = 0
                    if not reorder(
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
                if count[C_READY_FIRST] == count[C_READY_LAST]:
                    break
                entity = ready[count[C_READY_FIRST]]
                count[C_READY_FIRST] += 1
                if count[C_READY_FIRST] == room:
                    count[C_READY_FIRST] = 0
                key = np.uint64(entities[entity, E_KEY])
                pc = entities[entity, E_PC]
                when = -1.0
                while True:
                    steps += 1
                    if steps > STEPS_MAX:
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
                                traced = trace_line(
                                    trace,
                                    trace_times,
                                    traced,
                                    TRACE_STARTED,
                                    now,
                                    entities,
                                    entity,
                                    stage,
                                )
                                traced = trace_line(
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
                            take_all(
                                resources, materials, sums, want_at, want, signature, now, count
                            )
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
                        timer = values[entity, V_DEADLINE] if watched else NEVER
                        patience = program[pc, A]
                        if patience < 0:
                            patience = classes[own, K_PATIENCE]
                        values[entity, V_PATIENCE] = NEVER
                        if patience >= 0:
                            stream_state = state_of(
                                key + PATIENCE_MIX, program[pc, PURPOSE], entities[entity, E_LAP]
                            )
                            values[entity, V_PATIENCE] = now + draw(
                                distributions, sample, patience, stream_state
                            )
                            timer = min(timer, values[entity, V_PATIENCE])
                        if timer < horizon:
                            when = timer
                        for place in range(want_at[signature], want_at[signature + 1]):
                            call_for(called, count, resources, want[place, 0])
                            if resources[want[place, 0], R_MATERIAL] >= 0:
                                count[C_DUE] = 1
                        break
                    elif op == OP_RELEASE:
                        signature = signature_at[row]
                        pc += 1
                        resource = single[signature, 0]
                        if resource >= 0:
                            resources[resource, R_BUSY] -= single[signature, 1]
                            sums[resource, T_BUSY] += single[signature, 1] * now
                            if resources[resource, R_WAITING] > 0:
                                call_for(called, count, resources, resource)
                            continue
                        for place in range(want_at[signature], want_at[signature + 1]):
                            resource = want[place, 0]
                            if resources[resource, R_MATERIAL] < 0:
                                resources[resource, R_BUSY] -= want[place, 1]
                                sums[resource, T_BUSY] += want[place, 1] * now
                        for place in range(want_at[signature], want_at[signature + 1]):
                            resource = want[place, 0]
                            if resources[resource, R_WAITING] > 0:
                                call_for(called, count, resources, resource)
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
                        following = next_arrival(
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
                                patient = new_entity(entities, values, free, count, patients_max)
                                if patient < 0:
                                    status = TOO_MANY_PATIENTS
                                    break
                                arrive(
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
                                    traced = trace_line(
                                        trace,
                                        trace_times,
                                        traced,
                                        TRACE_ARRIVED,
                                        now,
                                        entities,
                                        patient,
                                        -1,
                                    )
                                push_ready(ready, count, patient, room)
                        if following < stream_days[stream, 1] and following < horizon:
                            when = following
                        break
                    elif op in (OP_END, OP_LEAVE):
                        own = entities[entity, E_CLASS]
                        if classes[own, K_IS_ORDER] >= 0:
                            order = classes[own, K_IS_ORDER]
                            materials[order, M_ON_ORDER] -= materials[order, M_ORDER]
                            count[C_DUE] = 1
                            count[C_LIVE] += 1
                        else:
                            outcome = (
                                entities[entity, E_LEAVE] if op == OP_LEAVE else program[pc, A]
                            )
                            finish(
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
                                traced = trace_line(
                                    trace,
                                    trace_times,
                                    traced,
                                    TRACE_ENDED,
                                    now,
                                    entities,
                                    entity,
                                    outcome,
                                )
                        drop_entity(free, count, entity)
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
                            traced = trace_line(
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
                        arrived, kept = journey(
                            distributions, sample, ways, departures, curve, row, now, stream_state
                        )
                        values[entity, V_VIABILITY] *= kept
                        costs[program[pc, A]] += ways[row, W_COST]
                        costs[program[pc, B]] += ways[row, W_PACKING]
                        stage = program[pc, STAGE]
                        stages[stage, G_VISITS] += 1.0
                        stages[stage, G_TIME] += arrived - now
                        if tracing:
                            traced = trace_line(
                                trace,
                                trace_times,
                                traced,
                                TRACE_SHIPPED,
                                now,
                                entities,
                                entity,
                                stage,
                            )
                            traced = trace_line(
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
                        entities[entity, E_SITE] = site_for(
                            reach, resources, entities[entity, E_CLINIC], program[pc, A]
                        )
                        pc += 1
                    elif op == OP_GATHER:
                        pc += 1
                        entities[entity, E_PC] = pc
                        gather(
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
                            lot = new_entity(entities, values, free, count, patients_max)
                            if lot < 0:
                                status = TOO_MANY_PATIENTS
                                break
                            count[C_LIVE] -= 1
                            entities[lot, E_PC] = materials[material, M_EXPIRE]
                            entities[lot, E_KEY] = np.int64(
                                mix(base + np.uint64(materials[material, M_MADE] * 8191 + material))
                            )
                            entities[lot, E_COUNTERS] = materials[material, M_MADE]
                            push_ready(ready, count, lot, room)
                        call_for(called, count, resources, resource)
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
                            count[C_DUE] = 1
                        pc += 1
                    elif op in (OP_FAULT, OP_MEND):
                        sign = 1 if op == OP_FAULT else -1
                        for place in range(program[pc, A], program[pc, B]):
                            resource = faults[place, 0]
                            resources[resource, R_OUT] += sign * faults[place, 1]
                            recapacitate(resources, sums, resource, now)
                            call_for(called, count, resources, resource)
                        pc += 1
                    elif op == OP_IF_UP:
                        resource = program[pc, A]
                        if resources[resource, R_CAPACITY] > 0:
                            pc = program[pc, TARGET]
                        else:
                            pc += 1
                    elif op == OP_SPAWN:
                        twin = new_entity(entities, values, free, count, patients_max)
                        if twin < 0:
                            status = TOO_MANY_PATIENTS
                            break
                        count[C_LIVE] -= 1
                        for column in range(ENTITY_WIDTH):
                            if column != E_BUCKET:
                                entities[twin, column] = entities[entity, column]
                        entities[twin, E_PC] = program[pc, TARGET]
                        push_ready(ready, count, twin, room)
                        pc += 1
                    else:
                        count[C_LIVE] += 1
                        drop_entity(free, count, entity)
                        break
                if when >= 0.0:
                    schedule(days, whole, real, entities, values, entity, when)
            if status != FINISHED:
                break
            entity = pop(days, whole, real, entities, values)
            time = values[entity, V_TIME] if entity >= 0 else NEVER
            wall = horizon if is_warm else warmup
            while plan_at <= time and plan_at <= wall:
                if plan_at > now and count[C_CALLED] > 0:
                    break
                now = plan_at
                steps = 0
                events += 1
                resource = plan[plan_next, 0]
                resources[resource, R_PLANNED] = plan[plan_next, 1]
                recapacitate(resources, sums, resource, now)
                if resources[resource, R_WAITING] > 0:
                    call_for(called, count, resources, resource)
                plan_next += 1
                if plan_next == plan_time.size:
                    plan_next = 0
                    plan_base += plan_period
                plan_at = plan_base + plan_time[plan_next]
            if time >= wall or count[C_CALLED] > 0:
                # The event comes later than something else: it goes back to its place.
                if entity >= 0:
                    whole[Q_COUNT] += 1
                    link(days, whole, real, entities, entity, time)
                    whole[Q_DAY] = min(whole[Q_DAY], np.int64(now * real[Q_PER_TIME]))
                if count[C_CALLED] > 0:
                    continue
                now = wall
                if is_warm:
                    break
                is_warm = True
                restart(sums, by_class, stages, causes, costs, resources, now)
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
                push_ready(ready, count, entity, room)
            elif waits_for >= 0:
                renege(
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
                push_ready(ready, count, entity, room)
                for place in range(want_at[waits_for], want_at[waits_for + 1]):
                    # One who leaves may have kept back others who can be served now.
                    call_for(called, count, resources, want[place, 0])
            else:
                depart(gathers, entities, days, whole, ready, count, room, -2 - waits_for)
        for resource in range(resources.shape[0]):
            sums[resource, T_BUSY] += resources[resource, R_BUSY] * now
            sums[resource, T_OPEN] += resources[resource, R_CAPACITY] * now
        out[N_EVENTS] = events
        out[N_STATUS] = status
        out[N_PEAK] = count[C_HIGH] - specials
        out[N_STOPPED_AT] = now
        out[N_IN_PROGRESS] = count[C_LIVE]
        if tracing:
            out[N_TRACED] = traced
