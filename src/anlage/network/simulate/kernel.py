"""The kernel: one compiled interpreter that runs every network.

It walks the program of each patient until the patient must wait, takes the next event off the
calendar, and keeps sums. Nothing here knows a model; `tables.py` says what the rows mean. Times in
sums are kept as (end - start), so that a warm-up is cut by resetting the sums.

What happens at nearly every event stands in `replicate`; what happens now and then stands beside it
in `patients.py`, `queues.py`, `journeys.py` and `stocks.py`.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from .calendar_queue import cancel, clear, earliest, fit, schedule, take_off
from .chance import draw, draw_here, mix, state_of, unit
from .compiled import at, inlined, kernel, part
from .journeys import arrival, choose, keep_from, kept, settle
from .layout import (
    FINISHED,
    LOST,
    NO_TIME_PASSES,
    OP_ARRIVE,
    OP_ASSIGN,
    OP_CHANCE,
    OP_CHARGE,
    OP_CHOOSE,
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
    OP_KEEP,
    OP_LEAVE,
    OP_MARK,
    OP_MEND,
    OP_PUT,
    OP_RELEASE,
    OP_SEIZE,
    OP_SHIP,
    OP_SPAWN,
    OP_VIABLE,
    TOO_MANY_EVENTS,
    TOO_MANY_PATIENTS,
    TRACE_ARRIVED,
    TRACE_CLOCK_STARTED,
    TRACE_CLOCK_STOPPED,
    TRACE_ENDED,
    TRACE_FAILED,
    TRACE_FINISHED,
    TRACE_RECEIVED,
    TRACE_SHIPPED,
    TRACE_STARTED,
    WAIT_BINS,
    WITHDRAWN,
)
from .patients import (
    NEVER,
    PATIENCE_MIX,
    SEED_MIX,
    STREAM_MIX,
    arrive,
    count_wait,
    depart,
    drop_entity,
    finish,
    gather,
    new_entity,
    next_arrival,
    push_ready,
    restart,
    site_for,
    trace_line,
)
from .queues import (
    call_for,
    give_back_all,
    give_up,
    has_room,
    is_awaited,
    is_full,
    join,
    leave,
    next_served,
    take_all,
)
from .state import COUNTERS, PAIRS, SITES, Results, State, Sums, Tables
from .stocks import expire, recapacitate, reorder, shelve

STEPS_MAX = 5_000_000


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
    trace, when it has room, is of replication 0. `results` are the records of
    `Results.as_records`.
    """
    tally = state.tally[0]
    program = tables.program
    patients = state.patients
    plan = tables.plan
    for index in range(results.run.shape[0]):
        base = mix(np.uint64(seed) * SEED_MIX + np.uint64(first + index))
        base = mix(base ^ STREAM_MIX)
        sums = Sums(
            results.classes[index],
            results.resources[index],
            results.stages[index],
            results.causes[index],
            results.costs[index],
            results.weeks[index],
            results.times,
            results.waits,
            results.viability,
            results.trace,
        )
        tracing = first + index == 0 and results.trace.shape[0] > 0
        begin(tables, state, base, patients_max)
        now = 0.0
        status = FINISHED
        events = 0
        steps = 0
        plan_next = 0
        plan_base = 0.0
        plan_at = plan[0].time if plan.shape[0] > 0 else NEVER
        is_warm = warmup <= 0.0
        while status == FINISHED:
            # Who goes on now: those who are served, those who may, then the next event.
            while tally.called > 0:
                tally.called -= 1
                number = state.called[at(tally.called)]
                state.resources[at(number)].called = 0
                while True:
                    entity = np.int64(next_served(tables, state, number))
                    if entity < 0:
                        break
                    serve(tables, state, sums, entity, now, is_warm)
            if tally.due == 1:
                tally.due = 0
                if not reorder(tables, state, base, patients_max):
                    status = TOO_MANY_PATIENTS
                    break
            if tally.ready_first != tally.ready_last:
                entity = np.int64(state.ready[at(tally.ready_first)])
                tally.ready_first += 1
                if tally.ready_first == state.ready.shape[0]:
                    tally.ready_first = 0
            else:
                entity = earliest(state)
                time = patients[at(entity)].time if entity >= 0 else NEVER
                wall = horizon if is_warm else warmup
                while plan_at <= time and plan_at <= wall:
                    if plan_at > now and tally.called > 0:
                        break
                    now = plan_at
                    steps = 0
                    events += 1
                    change = plan[at(plan_next)]
                    resource = state.resources[at(change.resource)]
                    resource.planned = change.capacity
                    recapacitate(state, sums, change.resource, now)
                    if resource.waiting > 0:
                        call_for(state, change.resource)
                    plan_next += 1
                    if plan_next == plan.shape[0]:
                        plan_next = 0
                        plan_base += plan_period
                    plan_at = plan_base + plan[at(plan_next)].time
                if tally.called > 0:
                    continue
                if time >= wall:
                    now = wall
                    if is_warm:
                        break
                    is_warm = True
                    restart(state, sums, now)
                    continue
                take_off(state, entity)
                events += 1
                if time > now:
                    steps = 0
                    now = time
                if events & 1023 == 0:
                    fit(state, now)
                    if events > events_max:
                        status = TOO_MANY_EVENTS
                waits_for = patients[at(entity)].signature
                if waits_for >= 0:
                    stage, waited = give_up(tables, state, sums, entity, now)
                    count_wait(sums, stage, waited, is_warm)
                    push_ready(state, entity)
                    continue
                if waits_for < -1:
                    depart(state, -2 - waits_for)
                    continue
            patient = patients[at(entity)]
            key = patient.key
            pc = np.int64(patient.pc)
            when = -1.0
            while True:
                steps += 1
                if steps > STEPS_MAX:
                    status = NO_TIME_PASSES
                    break
                step = program[at(pc)]
                op = step.op
                row = row_of(step, patient)
                if op == OP_SEIZE:
                    ask = tables.asks[row]
                    watched = step.c == 1
                    if watched and patient.deadline <= now:
                        dead = patient.is_dying == 1
                        patient.leaving = LOST if dead else WITHDRAWN
                        if dead:
                            sums.classes[at(patient.own)].died += 1.0
                        pc = np.int64(step.target)
                        continue
                    granted = False
                    if ask.resource >= 0:
                        # Nearly every request is for one resource that is free.
                        resource = state.resources[at(ask.resource)]
                        if (
                            resource.waiting == 0
                            and resource.capacity - resource.busy >= ask.amount
                        ):
                            granted = True
                            resource.busy += ask.amount
                            used = sums.resources[at(ask.resource)]
                            used.busy -= ask.amount * now
                            used.requests += 1.0
                    elif has_room(tables, state, ask.signature) and not is_awaited(
                        tables, state, ask.signature
                    ):
                        granted = True
                        take_all(tables, state, sums, ask.signature, now)
                        count_requests(tables, sums, ask.signature)
                    if not granted:
                        if is_full(tables, state, sums, ask.signature):
                            patient.leaving = LOST
                            sums.classes[at(patient.own)].turned_away += 1.0
                            pc = np.int64(step.target)
                            continue
                        patient.pc = pc
                        timer = wait_in_line(
                            tables, state, patient, step, entity, ask.signature, watched, now
                        )
                        if timer < horizon:
                            when = timer
                        break
                    stage = step.stage
                    if stage >= 0:
                        sums.stages[at(stage)].visits += 1.0
                        if is_warm:
                            sums.waits[at(stage * WAIT_BINS)] += 1
                    pc += 1
                    # What is taken is nearly always used at once.
                    step = program[at(pc)]
                    op = step.op
                    if op != OP_DELAY:
                        continue
                    row = row_of(step, patient)
                if op == OP_DELAY:
                    passed = draw_here(
                        tables.times,
                        tables.sample,
                        tables.time_at[row],
                        state_of(key, step.purpose, patient.lap),
                    )
                    stage = step.stage
                    if stage >= 0:
                        counted = sums.stages[at(stage)]
                        counted.time += passed
                        counted.visits += step.a
                        if tracing:
                            trace_line(sums.trace, tally, TRACE_STARTED, now, patient, stage)
                            trace_line(
                                sums.trace, tally, TRACE_FINISHED, now + passed, patient, stage
                            )
                    pc += 1
                    if passed > 0.0:
                        patient.pc = pc
                        when = now + passed
                        break
                elif op == OP_RELEASE:
                    ask = tables.asks[row]
                    pc += 1
                    if ask.resource >= 0:
                        resource = state.resources[at(ask.resource)]
                        resource.busy -= ask.amount
                        sums.resources[at(ask.resource)].busy += ask.amount * now
                        if resource.waiting > 0:
                            call_for(state, ask.resource)
                    else:
                        give_back_all(tables, state, sums, ask.signature, now)
                elif op == OP_CHANCE:
                    chance = unit(mix(state_of(key, step.purpose, patient.lap)))
                    pc = np.int64(step.target) if chance < tables.amount_at[row] else pc + 1
                elif op == OP_JUMP:
                    patient.lap += step.a
                    pc = np.int64(step.target)
                elif op == OP_CHARGE:
                    sums.costs[at(step.a)] += tables.amount_at[row]
                    pc += 1
                elif op == OP_ARRIVE:
                    stream = tables.streams[at(step.a)]
                    lap = np.int64(patient.lap)
                    following = next_arrival(tables, patient, stream, key, lap)
                    patient.lap = lap + 1
                    patient.pc = pc
                    if lap > 0 and now >= stream.first:
                        for member in range(stream.group):
                            comer = new_entity(tables, state, patients_max)
                            if comer < 0:
                                status = TOO_MANY_PATIENTS
                                break
                            serial = lap * stream.group + member
                            arrive(tables, state, sums, comer, stream, serial, key, now)
                            if tracing:
                                trace_line(
                                    sums.trace, tally, TRACE_ARRIVED, now, patients[at(comer)], -1
                                )
                            push_ready(state, comer)
                    if following < stream.last and following < horizon:
                        when = following
                    break
                elif op in (OP_END, OP_LEAVE):
                    order = tables.classes[at(patient.own)].order
                    if order >= 0:
                        material = state.materials[at(order)]
                        material.on_order -= material.order
                        tally.due = 1
                        tally.live += 1
                    else:
                        outcome = patient.leaving if op == OP_LEAVE else step.a
                        finish(tables, state, sums, entity, outcome, now, is_warm)
                        if op == OP_END and step.b >= 0:
                            sums.causes[at(step.b)] += 1.0
                        if tracing:
                            trace_line(sums.trace, tally, TRACE_ENDED, now, patient, outcome)
                    drop_entity(state, entity)
                    break
                elif op == OP_COUNT:
                    slot = at(entity * tables.sizes[COUNTERS] + step.a)
                    if state.counters[slot] < step.b:
                        state.counters[slot] += 1
                        pc = np.int64(step.target)
                    else:
                        pc += 1
                elif op == OP_CLOCKS:
                    if patient.deadline <= now:
                        dead = patient.is_dying == 1
                        patient.leaving = LOST if dead else WITHDRAWN
                        if dead:
                            sums.classes[at(patient.own)].died += 1.0
                        pc = np.int64(step.target)
                    else:
                        pc += 1
                elif op == OP_FAILED:
                    sums.causes[at(step.a)] += 1.0
                    if tracing:
                        trace_line(sums.trace, tally, TRACE_FAILED, now, patient, step.a)
                    pc += 1
                elif op == OP_CHOOSE:
                    patient.way = choose(
                        tables.ways,
                        state.resources,
                        tables.opens,
                        tables.spans,
                        np.int64(row),
                        tables.sizes[PAIRS],
                        now,
                        state_of(key, step.purpose, patient.lap),
                    )
                    pc += 1
                elif op == OP_SHIP:
                    arrived = arrival(
                        tables.times,
                        tables.sample,
                        tables.ways,
                        tables.departures,
                        tables.opens,
                        tables.spans,
                        np.int64(row),
                        now,
                        state_of(key, step.purpose, patient.lap),
                    )
                    carry(tables, sums, patient, step, row, now, arrived)
                    if tracing:
                        trace_line(sums.trace, tally, TRACE_SHIPPED, now, patient, step.stage)
                        trace_line(sums.trace, tally, TRACE_RECEIVED, arrived, patient, step.stage)
                    pc += 1
                    if arrived > now:
                        patient.pc = pc
                        when = arrived
                        break
                elif op == OP_KEEP:
                    settle(tables, patient, now)
                    keep_from(tables, patient, step.a, patient.viability, now)
                    if step.a >= 0:
                        sums.costs[at(step.b)] += tables.keeps[at(step.a)].packing
                    pc += 1
                elif op == OP_VIABLE:
                    settle(tables, patient, now)
                    if patient.viability < tables.amount_at[row]:
                        pc = np.int64(step.target)
                    else:
                        pc += 1
                elif op == OP_MARK:
                    if step.a == 0:
                        patient.started = now
                        patient.mark = -1.0
                    elif step.a == 1:
                        patient.mark = now
                    else:
                        patient.viability = tables.amount_at[row]
                        patient.kept_from = patient.viability
                        patient.kept_since = now
                    if tracing and step.a < 2:
                        kind = TRACE_CLOCK_STARTED if step.a == 0 else TRACE_CLOCK_STOPPED
                        trace_line(sums.trace, tally, kind, now, patient, -1)
                    pc += 1
                elif op == OP_ASSIGN:
                    patient.site = site_for(
                        tables.reach,
                        state.resources,
                        tables.sizes[SITES],
                        np.int64(patient.clinic),
                        step.a,
                    )
                    pc += 1
                elif op == OP_GATHER:
                    pc += 1
                    patient.pc = pc
                    until = now + tables.amount_at[at(step.b)]
                    gather(state, entity, np.int64(row), step.a, until, horizon)
                    break
                elif op in (OP_PUT, OP_DELIVER):
                    number = np.int64(row)
                    amount = np.int64(step.a)
                    if op == OP_DELIVER:
                        material = state.materials[at(number)]
                        material.on_order -= material.order
                        amount = material.order
                        sums.costs[at(step.b)] += amount * tables.amount_at[at(step.c)]
                    if not shelve(tables, state, sums, number, amount, base, patients_max, now):
                        status = TOO_MANY_PATIENTS
                        break
                    pc += 1
                elif op == OP_EXPIRE:
                    expire(state, sums, np.int64(row), patient.serial, step.a, now)
                    pc += 1
                elif op in (OP_FAULT, OP_MEND):
                    sign = 1 if op == OP_FAULT else -1
                    for place in range(step.a, step.b):
                        fault = tables.faults[at(place)]
                        state.resources[at(fault.resource)].out += sign * fault.amount
                        recapacitate(state, sums, fault.resource, now)
                        call_for(state, fault.resource)
                    pc += 1
                elif op == OP_IF_UP:
                    is_up = state.resources[at(step.a)].capacity > 0
                    pc = np.int64(step.target) if is_up else pc + 1
                elif op == OP_SPAWN:
                    twin = new_entity(tables, state, patients_max)
                    if twin < 0:
                        status = TOO_MANY_PATIENTS
                        break
                    tally.live -= 1
                    copy_patient(patients[at(twin)], patient)
                    patients[at(twin)].pc = step.target
                    push_ready(state, twin)
                    pc += 1
                else:
                    tally.live += 1
                    drop_entity(state, entity)
                    break
            if when >= 0.0:
                schedule(state, entity, when)
        for number in range(state.resources.shape[0]):
            sums.resources[number].busy += state.resources[number].busy * now
            sums.resources[number].open += state.resources[number].capacity * now
        out = results.run[index]
        out.events = events
        out.status = status
        out.peak = tally.high - tables.starters.shape[0]
        out.stopped_at = now
        out.in_progress = tally.live
        if tracing:
            out.traced = tally.traced


@inlined
def row_of(step, patient):
    """Give the row of the value a step points to, for this patient's class, place and way."""
    return at(
        step.base
        + step.by_class * patient.own
        + step.by_clinic * patient.clinic
        + step.by_site * patient.site
        + step.by_way * patient.way
    )


@part
def begin(tables, state, base, patients_max):
    """Make an empty network at time 0, with what starts by itself ready to go."""
    for number in range(tables.resources.shape[0]):
        state.resources[number] = tables.resources[number]
        state.blocked[number] = 0
    for number in range(tables.materials.shape[0]):
        state.materials[number] = tables.materials[number]
    state.lines[:] = -1
    state.gathers[:] = 0
    tally = state.tally[0]
    tally.high = 0
    tally.free = 0
    tally.ready_first = 0
    tally.ready_last = 0
    tally.due = 0
    tally.called = 0
    tally.traced = 0
    clear(state)
    for number in range(tables.starters.shape[0]):
        starter = tables.starters[number]
        entity = new_entity(tables, state, patients_max)
        made = state.patients[at(entity)]
        made.pc = starter.row
        made.key = mix(base + starter.purpose)
        made.site = max(0, starter.site)
        push_ready(state, entity)
    tally.live = 0


@inlined
def serve(tables, state, sums, entity, now, is_warm):
    """Give one who waits what it waits for."""
    patient = state.patients[at(entity)]
    signature = np.int64(patient.signature)
    leave(tables, state, entity)
    take_all(tables, state, sums, signature, now)
    if patient.bucket >= 0:
        cancel(state, entity)
    waited = now - patient.waited_since
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        used = sums.resources[at(tables.want[at(place)].resource)]
        used.requests += 1.0
        used.wait += waited
        used.wait_served += waited
    count_wait(sums, tables.program[at(patient.pc)].stage, waited, is_warm)
    patient.pc += 1
    push_ready(state, entity)


@inlined
def count_requests(tables, sums, signature):
    """Count a request that was granted at once for each of its resources."""
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        sums.resources[at(tables.want[at(place)].resource)].requests += 1.0


@inlined
def wait_in_line(tables, state, patient, step, entity, signature, watched, now):
    """Put one into its line, and give the time at which it will have waited enough."""
    own = tables.classes[at(patient.own)]
    patient.level = own.level if step.b < 0 else step.b
    patient.waited_since = now
    clock = state.clock[0]
    clock.sequence += 1
    join(tables, state, entity, signature, clock.sequence)
    timer = patient.deadline if watched else NEVER
    patience = step.a if step.a >= 0 else own.patience
    patient.patience = NEVER
    if patience >= 0:
        chance = state_of(patient.key + PATIENCE_MIX, step.purpose, patient.lap)
        patient.patience = now + draw(tables.times, tables.sample, patience, chance)
        timer = min(timer, patient.patience)
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        number = tables.want[at(place)].resource
        call_for(state, number)
        if state.resources[at(number)].material >= 0:
            state.tally[0].due = 1
    return timer


@inlined
def carry(tables, sums, patient, step, row, now, arrived):
    """Book a journey: its money, its time, and what it does to the cells."""
    way = tables.ways[row]
    sums.costs[at(step.a)] += way.cost
    counted = sums.stages[at(step.stage)]
    counted.visits += 1.0
    counted.time += arrived - now
    if way.keep >= 0:
        keep = tables.keeps[at(way.keep)]
        sums.costs[at(step.b)] += keep.packing
        settle(tables, patient, now)
        left = (1.0 - keep.step_loss) * kept(tables.keeps, tables.curve, way.keep, arrived - now)
        patient.viability *= left
        patient.kept_from = patient.viability
        patient.kept_since = arrived


@inlined
def copy_patient(to, source):
    """Give a twin what its program may ask for: who, where, and its chance."""
    to.key = source.key
    to.own = source.own
    to.clinic = source.clinic
    to.site = source.site
    to.serial = source.serial
    to.lap = source.lap
    to.way = source.way
