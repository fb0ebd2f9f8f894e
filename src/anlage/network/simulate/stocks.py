"""Stocks in the kernel: orders that go out, deliveries that come in, what expires."""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from .chance import mix
from .compiled import at, inlined, part
from .patients import new_entity, push_ready
from .queues import call_for

ORDERS_MAX = 10_000


@part
def reorder(tables, state, base, most):
    """Send out the orders that are due; False when there is no room for them."""
    tally = state.tally[0]
    for number in range(state.materials.shape[0]):
        material = state.materials[number]
        resource = state.resources[at(material.resource)]
        for _ in range(ORDERS_MAX):
            position = resource.capacity - resource.waiting + material.on_order
            if position > material.reorder:
                break
            entity = new_entity(tables, state, most)
            if entity < 0:
                return False
            tally.live -= 1
            material.on_order += material.order
            material.orders += 1
            order = state.patients[at(entity)]
            order.pc = material.program
            order.own = material.own
            order.site = material.site
            order.serial = material.orders
            order.key = mix(base + np.uint64(material.orders * 131071 + number))
            push_ready(state, entity)
    return True


@part
def shelve(tables, state, sums, number, amount, base, most, now):
    """Put units on the shelf, with a clock for their expiry; False when there is no room for it."""
    material = state.materials[at(number)]
    resource = state.resources[at(material.resource)]
    resource.capacity += amount
    sums.resources[at(material.resource)].open -= amount * now
    material.made += amount
    if material.expire >= 0:
        entity = new_entity(tables, state, most)
        if entity < 0:
            return False
        state.tally[0].live -= 1
        lot = state.patients[at(entity)]
        lot.pc = material.expire
        lot.key = mix(base + np.uint64(material.made * 8191 + number))
        lot.serial = material.made
        push_ready(state, entity)
    call_for(state, material.resource)
    return True


@part
def expire(state, sums, number, made, cause, now):
    """Throw away what is left of a delivery: units go in the order in which they came."""
    material = state.materials[at(number)]
    left = made - material.used
    if left > 0:
        state.resources[at(material.resource)].capacity -= left
        sums.resources[at(material.resource)].open += left * now
        material.used += left
        sums.causes[at(cause)] += left
        state.tally[0].due = 1


@inlined
def recapacitate(state, sums, number, now):
    """Set a resource's capacity to what is planned less what is out."""
    resource = state.resources[at(number)]
    capacity = max(0, resource.planned - resource.out)
    sums.resources[at(number)].open -= (capacity - resource.capacity) * now
    resource.capacity = capacity
