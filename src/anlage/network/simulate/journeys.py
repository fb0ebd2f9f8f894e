"""Journeys and viability in the kernel: when a shipment goes and comes, what cells are left."""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import math

import numpy as np

from .chance import draw, mix, unit
from .compiled import at, inlined, part
from .state import WEEK

_ATTEMPTS_MAX = 100


@part
def choose(ways, resources, opens, spans, first, stride, now, state):
    """Give the first mode that goes now: up, with a vehicle, in its hours, not called off.

    The modes of a pair of places lie `stride` rows apart; the last of them always goes.
    """
    number = 0
    while True:
        way = ways[at(first + number * stride)]
        if way.has_other == 0:
            return number
        goes = way.guard < 0 or resources[at(way.guard)].capacity > 0
        if goes and way.vehicle >= 0:
            vehicle = resources[at(way.vehicle)]
            goes = vehicle.capacity > vehicle.busy
        if goes and way.hours_count > 0:
            goes = _opening(opens, spans, way.hours_at, way.hours_count, now) <= now
        if goes and way.called_off > 0.0:
            goes = unit(mix(state + np.uint64(7001 + number))) >= way.called_off
        if goes:
            return number
        number += 1


@part
def arrival(times, sample, ways, departures, opens, spans, row, now, state):
    """Give the time at which a shipment that is handed over now arrives."""
    way = ways[at(row)]
    leaves = now
    if way.handling >= 0:
        leaves += draw(times, sample, way.handling, mix(state + np.uint64(11)))
    for attempt in range(_ATTEMPTS_MAX):
        if way.hours_count > 0:
            leaves = _opening(opens, spans, way.hours_at, way.hours_count, leaves)
        if way.depart_count > 0:
            leaves = _departure(departures, spans, way.depart_at, way.depart_count, leaves)
        chance = way.cancelled
        if chance <= 0.0 or unit(mix(state + np.uint64(101 + attempt))) >= chance:
            break
        leaves += 1e-9 if way.depart_count > 0 else 1.0
    arrived = leaves + draw(times, sample, way.time, mix(state + np.uint64(23)))
    if way.delay >= 0:
        arrived += draw(times, sample, way.delay, mix(state + np.uint64(37)))
    return arrived


@part
def _departure(departures, spans, first, count, ready):
    """Give the first departure of the weekly timetable at or after a time."""
    span = spans[WEEK]
    week = math.floor(ready / span) * span
    phase = ready - week
    for place in range(first, first + count):
        if departures[place] >= phase:
            return week + departures[place]
    return week + span + departures[first]


@part
def _opening(opens, spans, first, count, ready):
    """Give the first time at or after `ready` that lies in weekly hours."""
    span = spans[WEEK]
    week = math.floor(ready / span) * span
    phase = ready - week
    for place in range(first, first + count):
        if phase < opens[place].end:
            return max(ready, week + opens[place].start)
    return week + span + opens[first].start


@part
def kept(keeps, curve, row, days):
    """Give the part of cells still viable after days in a condition, the first step left out."""
    keep = keeps[at(row)]
    if days > keep.hold_max:
        return 0.0
    if keep.curve_count > 0:
        return _on_curve(curve, keep.curve_at, keep.curve_count, days)
    return math.exp(-keep.loss * days)


@part
def _on_curve(curve, first, count, days):
    """Read a falling curve by straight lines; flat before its first and after its last point."""
    if days <= curve[first].days:
        return curve[first].part
    for place in range(first + 1, first + count):
        here, before = curve[place], curve[place - 1]
        if days <= here.days:
            share = (days - before.days) / (here.days - before.days)
            return before.part + share * (here.part - before.part)
    return curve[first + count - 1].part


@inlined
def settle(tables, patient, now):
    """Bring viability up to now for cells that are kept in a condition."""
    if patient.keeping >= 0:
        patient.viability = patient.kept_from * kept(
            tables.keeps, tables.curve, patient.keeping, now - patient.kept_since
        )


@inlined
def keep_from(tables, patient, row, viability, now):
    """Begin to keep cells in a condition, or in none with row -1."""
    patient.viability = viability
    if row >= 0:
        patient.viability *= 1.0 - tables.keeps[at(row)].step_loss
    patient.keeping = row
    patient.kept_since = now
    patient.kept_from = patient.viability
