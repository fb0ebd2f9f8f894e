"""Waiting lines in the kernel: who is served when something is given back.

A request is a *signature*: a set of resources with amounts, taken all at once. Each signature has
one line per level of priority. When a resource has room, the first of each line that wants it are
looked at in the order of priority, then of arrival. One who lacks another resource keeps back only
those behind who want what is lacking; so nobody is overtaken on a scarce resource, and a free
operator is not idle because a unit is awaited.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from .compiled import at, inlined, part
from .layout import LOST, WITHDRAWN
from .state import LEVELS


@inlined
def has_room(tables, state, signature):
    """Tell whether all that a signature wants is free."""
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        want = tables.want[at(place)]
        resource = state.resources[at(want.resource)]
        if resource.capacity - resource.busy < want.amount:
            return False
    return True


@inlined
def is_awaited(tables, state, signature):
    """Tell whether anyone waits for something that a signature wants."""
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        if state.resources[at(tables.want[at(place)].resource)].waiting > 0:
            return True
    return False


@part
def is_full(tables, state, sums, signature):
    """Tell whether a line has reached its limit; notes that the resources were awaited."""
    full = False
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        number = at(tables.want[at(place)].resource)
        sums.resources[number].ever_awaited = 1.0
        resource = state.resources[number]
        if resource.limit >= 0 and resource.waiting >= resource.limit:
            full = True
    return full


@inlined
def join(tables, state, entity, signature, sequence):
    """Put an entity at the end of its line."""
    patient = state.patients[at(entity)]
    line = at(2 * (signature * tables.sizes[LEVELS] + patient.level))
    tail = state.lines[line + at(1)]
    patient.signature = signature
    patient.queue_sequence = sequence
    patient.queue_after = -1
    patient.queue_before = tail
    if tail >= 0:
        state.patients[at(tail)].queue_after = entity
    else:
        state.lines[line] = entity
    state.lines[line + at(1)] = entity
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        state.resources[at(tables.want[at(place)].resource)].waiting += 1


@inlined
def leave(tables, state, entity):
    """Take an entity out of its line, wherever it stands."""
    patient = state.patients[at(entity)]
    signature = patient.signature
    line = at(2 * (signature * tables.sizes[LEVELS] + patient.level))
    before = patient.queue_before
    after = patient.queue_after
    if before >= 0:
        state.patients[at(before)].queue_after = after
    else:
        state.lines[line] = after
    if after >= 0:
        state.patients[at(after)].queue_before = before
    else:
        state.lines[line + at(1)] = before
    patient.signature = -1
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        state.resources[at(tables.want[at(place)].resource)].waiting -= 1


@inlined
def call_for(state, number):
    """Note that a resource may have room for those who wait; each is noted once at a time."""
    resource = state.resources[at(number)]
    if resource.called == 0:
        resource.called = 1
        tally = state.tally[0]
        state.called[at(tally.called)] = number
        tally.called += 1


@inlined
def take_all(tables, state, sums, signature, now):
    """Take what a signature wants; it must have room."""
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        want = tables.want[at(place)]
        resource = state.resources[at(want.resource)]
        used = sums.resources[at(want.resource)]
        if resource.material < 0:
            resource.busy += want.amount
            used.busy -= want.amount * now
        else:
            resource.capacity -= want.amount
            used.open += want.amount * now
            used.units += want.amount
            state.materials[at(resource.material)].used += want.amount
            state.tally[0].due = 1


@part
def give_back_all(tables, state, sums, signature, now):
    """Give back what a signature took; materials are used up."""
    first, last = tables.want_at[at(signature)], tables.want_at[at(signature + 1)]
    for place in range(first, last):
        want = tables.want[at(place)]
        resource = state.resources[at(want.resource)]
        if resource.material < 0:
            resource.busy -= want.amount
            sums.resources[at(want.resource)].busy += want.amount * now
    for place in range(first, last):
        number = tables.want[at(place)].resource
        if state.resources[at(number)].waiting > 0:
            call_for(state, number)


@part
def give_up(tables, state, sums, entity, now):
    """Take one who waited enough out of the line, count the wait, and send it to the exit."""
    patient = state.patients[at(entity)]
    signature = patient.signature
    leave(tables, state, entity)
    step = tables.program[at(patient.pc)]
    waited = now - patient.waited_since
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        used = sums.resources[at(tables.want[at(place)].resource)]
        used.requests += 1.0
        used.left += 1.0
        used.wait += waited
    died = patient.patience > now and patient.is_dying == 1
    if died:
        sums.classes[at(patient.own)].died += 1.0
    patient.leaving = LOST if died else WITHDRAWN
    patient.pc = step.target
    # One who leaves may have kept back others who can be served now.
    for place in range(tables.want_at[at(signature)], tables.want_at[at(signature + 1)]):
        call_for(state, tables.want[at(place)].resource)
    return step.stage, waited


@inlined
def next_served(tables, state, number):
    """Give the entity that is to be served next by a resource with room, or -1."""
    resource = state.resources[at(number)]
    if resource.waiting == 0 or resource.capacity <= resource.busy:
        return -1
    first, last = tables.wanted_at[at(number)], tables.wanted_at[at(number + 1)]
    signature = tables.wanted[at(first)]
    if last - first == 1 and (
        tables.want_at[at(signature + 1)] - tables.want_at[at(signature)] == 1
    ):
        return _only_line(tables, state, signature)
    return _of_lines(
        tables.wanted,
        tables.want_at,
        tables.want,
        state.lines,
        state.patients,
        state.resources,
        state.blocked,
        tables.sizes[LEVELS],
        first,
        last,
    )


@inlined
def _only_line(tables, state, signature):
    if not has_room(tables, state, signature):
        return -1
    levels = tables.sizes[LEVELS]
    for level in range(levels):
        head = state.lines[at(2 * (signature * levels + level))]
        if head >= 0:
            return head
    return -1


@part
def _of_lines(wanted, want_at, want, lines, patients, resources, blocked, levels, first, last):
    """Look at the heads of all lines in order; `blocked` marks what an earlier one lacks."""
    found = -1
    seen_level, seen_sequence = -1, -1
    marked = False
    while True:
        best, best_level, best_sequence = -1, -1, -1
        for position in range(first, last):
            for level in range(max(seen_level, 0), levels):
                head = lines[2 * (wanted[position] * levels + level)]
                if head < 0:
                    continue
                sequence = patients[at(head)].queue_sequence
                if level == seen_level and sequence <= seen_sequence:
                    continue
                if (
                    best < 0
                    or level < best_level
                    or (level == best_level and sequence < best_sequence)
                ):
                    best, best_level, best_sequence = head, level, sequence
                break
        if best < 0:
            break
        seen_level, seen_sequence = best_level, best_sequence
        is_free = True
        signature = patients[at(best)].signature
        for place in range(want_at[signature], want_at[signature + 1]):
            number = want[at(place)].resource
            resource = resources[at(number)]
            lacks = resource.capacity - resource.busy < want[at(place)].amount
            if lacks or blocked[at(number)] == 1:
                is_free = False
            if lacks:
                blocked[at(number)] = 1
                marked = True
        if is_free:
            found = best
            break
    if marked:
        for position in range(first, last):
            for place in range(want_at[wanted[position]], want_at[wanted[position] + 1]):
                blocked[at(want[at(place)].resource)] = 0
    return found
