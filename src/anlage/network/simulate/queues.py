"""Waiting lines in the kernel: who is served when something is given back.

A request is a *signature*: a set of resources with amounts, taken all at once. Each signature has
one line per level of priority. When a resource has room, the first of each line that wants it are
looked at in the order of priority, then of arrival. One who lacks another resource keeps back only
those behind who want what is lacking; so nobody is overtaken on a scarce resource, and a free
operator is not idle because a unit is awaited.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from .compiled import inlined, part
from .layout import (
    E_PRIORITY,
    E_QUEUE_NEXT,
    E_QUEUE_PREVIOUS,
    E_QUEUE_SEQUENCE,
    E_SIGNATURE,
    R_BUSY,
    R_CAPACITY,
    R_WAITING,
)


@inlined
def has_room(resources, want_at, want, signature):
    """Tell whether all that a signature wants is free."""
    for place in range(want_at[signature], want_at[signature + 1]):
        resource = want[place, 0]
        if resources[resource, R_CAPACITY] - resources[resource, R_BUSY] < want[place, 1]:
            return False
    return True


@inlined
def is_awaited(resources, want_at, want, signature):
    """Tell whether anyone waits for something that a signature wants."""
    for place in range(want_at[signature], want_at[signature + 1]):
        if resources[want[place, 0], R_WAITING] > 0:
            return True
    return False


@inlined
def join(lines, levels, entities, resources, want_at, want, entity, signature, sequence):
    """Put an entity at the end of its line."""
    line = signature * levels + entities[entity, E_PRIORITY]
    tail = lines[line, 1]
    entities[entity, E_SIGNATURE] = signature
    entities[entity, E_QUEUE_SEQUENCE] = sequence
    entities[entity, E_QUEUE_NEXT] = -1
    entities[entity, E_QUEUE_PREVIOUS] = tail
    if tail >= 0:
        entities[tail, E_QUEUE_NEXT] = entity
    else:
        lines[line, 0] = entity
    lines[line, 1] = entity
    for place in range(want_at[signature], want_at[signature + 1]):
        resources[want[place, 0], R_WAITING] += 1


@inlined
def leave(lines, levels, entities, resources, want_at, want, entity):
    """Take an entity out of its line, wherever it stands."""
    signature = entities[entity, E_SIGNATURE]
    line = signature * levels + entities[entity, E_PRIORITY]
    before = entities[entity, E_QUEUE_PREVIOUS]
    after = entities[entity, E_QUEUE_NEXT]
    if before >= 0:
        entities[before, E_QUEUE_NEXT] = after
    else:
        lines[line, 0] = after
    if after >= 0:
        entities[after, E_QUEUE_PREVIOUS] = before
    else:
        lines[line, 1] = before
    entities[entity, E_SIGNATURE] = -1
    for place in range(want_at[signature], want_at[signature + 1]):
        resources[want[place, 0], R_WAITING] -= 1


@inlined
def next_served(
    lines, levels, entities, resources, want_at, want, wanted_at, wanted, blocked, resource
):
    """Give the entity that is to be served next by a resource with room, or -1."""
    if resources[resource, R_WAITING] == 0:
        return -1
    if resources[resource, R_CAPACITY] <= resources[resource, R_BUSY]:
        return -1
    first, last = wanted_at[resource], wanted_at[resource + 1]
    if last - first == 1 and want_at[wanted[first] + 1] - want_at[wanted[first]] == 1:
        return _only_line(lines, levels, resources, want_at, want, wanted[first])
    return _of_lines(
        lines, levels, entities, resources, want_at, want, wanted, blocked, first, last
    )


@inlined
def _only_line(lines, levels, resources, want_at, want, signature):
    if not has_room(resources, want_at, want, signature):
        return -1
    for level in range(levels):
        head = lines[signature * levels + level, 0]
        if head >= 0:
            return head
    return -1


@part
def _of_lines(lines, levels, entities, resources, want_at, want, wanted, blocked, first, last):
    """Look at the heads of all lines in order; `blocked` marks what an earlier one lacks."""
    found = -1
    seen_priority, seen_sequence = -1, -1
    marked = False
    while True:
        best = -1
        for position in range(first, last):
            for level in range(max(seen_priority, 0), levels):
                head = lines[wanted[position] * levels + level, 0]
                if head < 0:
                    continue
                sequence = entities[head, E_QUEUE_SEQUENCE]
                if level == seen_priority and sequence <= seen_sequence:
                    continue
                if (
                    best < 0
                    or level < entities[best, E_PRIORITY]
                    or (
                        level == entities[best, E_PRIORITY]
                        and sequence < entities[best, E_QUEUE_SEQUENCE]
                    )
                ):
                    best = head
                break
        if best < 0:
            break
        seen_priority = entities[best, E_PRIORITY]
        seen_sequence = entities[best, E_QUEUE_SEQUENCE]
        is_free = True
        signature = entities[best, E_SIGNATURE]
        for place in range(want_at[signature], want_at[signature + 1]):
            resource = want[place, 0]
            lacks = resources[resource, R_CAPACITY] - resources[resource, R_BUSY] < want[place, 1]
            if lacks or blocked[resource] == 1:
                is_free = False
            if lacks:
                blocked[resource] = 1
                marked = True
        if is_free:
            found = best
            break
    if marked:
        for position in range(first, last):
            for place in range(want_at[wanted[position]], want_at[wanted[position] + 1]):
                blocked[want[place, 0]] = 0
    return found
