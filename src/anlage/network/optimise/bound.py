"""How cheap a design can be at best: a Lagrangian bound with whole sites and whole clinics.

The rule that each clinic is served once is priced out (multipliers `price`). What is left falls
apart into one 0/1 knapsack per site and size, joined only by the rule that the open sites together
can make all the demand. Both are solved exactly by dynamic programming, so the bound keeps what a
linear relaxation loses: a site cannot be opened by a third, nor a clinic be served by halves.

Held, Wolfe and Crowder 1974 (doi:10.1007/BF01580223) for the step of the multipliers; Holmberg,
Ronnqvist and Yuan 1999 (doi:10.1016/S0377-2217(98)00008-3) for the relaxation of single sourcing.
"""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_EPSILON = 1e-9


@numba.njit(cache=True, nogil=True)  # type: ignore[misc] # numba has no types
def ascend(
    cost: Floats,
    unit: Floats,
    fixed: Floats,
    demand: Floats,
    capacity: Floats,
    weight: Whole,
    grid: Whole,
    allowed: NDArray[np.bool_],
    open_max: int,
    price: Floats,
    rounds: int,
    best_states: Whole,
    best_sites: Whole,
) -> tuple[float, float, Floats, Floats, Floats]:
    """Raise the bound by steps of the multipliers, and look for designs on the way.

    Args:
        cost: Clinic by site, money; infinite where no way fits.
        unit: Site by state, money per patient.
        fixed: Site by state, money.
        demand: Patients of each clinic.
        capacity: Site by state, patients.
        weight: Demand in whole steps of the grid, rounded down.
        grid: Capacity in whole steps of the grid, rounded up.
        allowed: States that a site may be in.
        open_max: Most sites open.
        price: Multipliers to begin with.
        rounds: Most steps.
        best_states, best_sites: Overwritten by the best design found.

    Returns:
        Bound, cost of the best design, best multipliers, and the bound when a site is in a state,
        and when a clinic is served from a site.
    """
    clinics, sites = cost.shape
    states = fixed.shape[1]
    need = 0
    for i in range(clinics):
        need += weight[i]
    lam, best_lam = price.copy(), price.copy()
    bound = -np.inf
    upper = np.inf
    forced = np.full((sites, states), np.inf)
    served = np.full((clinics, sites), np.inf)
    dear = np.zeros((sites, states, clinics))
    scale, stale = 1.0, 0
    seen = np.full(sites, -1, dtype=np.int64)
    for _ in range(rounds):
        value, pick = _site_values(cost, unit, fixed, demand, weight, grid, allowed, lam, dear)
        low, chosen = _cover(value, grid, need, allowed, open_max)
        if low == np.inf:
            return np.inf, upper, lam, forced, served
        slack = np.ones(clinics)
        for i in range(clinics):
            low += lam[i]
        for j in range(sites):
            for i in range(clinics):
                if pick[j, chosen[j], i]:
                    slack[i] -= 1.0
        stale += 1
        if low > bound + 1e-7 * abs(bound if bound > -np.inf else 0.0):
            stale = 0
        if low > bound:
            bound = low
            best_lam[:] = lam
        fresh = stale == 0
        for j in range(sites):
            fresh = fresh or seen[j] != chosen[j]
            seen[j] = chosen[j]
        if fresh:
            made, assigned = _repair(cost, unit, fixed, demand, capacity, chosen, pick)
            if made < np.inf and (upper == np.inf or made < upper - _EPSILON * abs(upper)):
                upper = made
                best_states[:] = chosen
                best_sites[:] = assigned
        if bound >= upper:
            break
        if stale >= 12:
            scale, stale = 0.6 * scale, 0
            lam[:] = best_lam
        length = 0.0
        for i in range(clinics):
            length += slack[i] * slack[i]
        if length == 0.0 or scale < 2e-3:
            break
        goal = upper if upper < np.inf else low + 0.05 * abs(low) + 1.0
        stride = scale * 1.02 * max(goal - low, 1e-6 * abs(goal)) / length
        for i in range(clinics):
            lam[i] += stride * slack[i]
    value, pick = _site_values(cost, unit, fixed, demand, weight, grid, allowed, best_lam, dear)
    base = 0.0
    for i in range(clinics):
        base += best_lam[i]
    only = allowed.copy()
    for j in range(sites):
        for s in range(states):
            if allowed[j, s]:
                for t in range(states):
                    only[j, t] = t == s
                low, _ = _cover(value, grid, need, only, open_max)
                forced[j, s] = low + base
                if s > 0:
                    for i in range(clinics):
                        served[i, j] = min(served[i, j], forced[j, s] + dear[j, s, i])
        for t in range(states):
            only[j, t] = allowed[j, t]
    return bound, upper, best_lam, forced, served


@numba.njit(cache=True, nogil=True)  # type: ignore[misc] # numba has no types
def _site_values(
    cost: Floats,
    unit: Floats,
    fixed: Floats,
    demand: Floats,
    weight: Whole,
    grid: Whole,
    allowed: NDArray[np.bool_],
    lam: Floats,
    dear: Floats,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Give the best priced value of each site in each state, and the clinics it takes there.

    `dear` is overwritten by how much dearer the site gets when a clinic is forced upon it; for a
    clinic that would bring money anyway it stays 0, which is a bound too.
    """
    clinics, sites = cost.shape
    states = fixed.shape[1]
    value = np.full((sites, states), np.inf)
    pick = np.zeros((sites, states, clinics), dtype=np.bool_)
    size_max = 0
    for j in range(sites):
        for s in range(1, states):
            size_max = max(size_max, grid[j, s])
    gain = np.zeros(clinics)
    best = np.zeros(size_max + 1)
    kept = np.zeros((clinics, size_max + 1), dtype=np.bool_)
    for j in range(sites):
        if allowed[j, 0]:
            value[j, 0] = 0.0
        solved_unit, solved_size = np.nan, -1
        for s in range(states - 1, 0, -1):
            if not allowed[j, s]:
                continue
            room = grid[j, s]
            if not (unit[j, s] == solved_unit and room <= solved_size):
                # One table serves all sizes with the same money per patient.
                largest = room
                for t in range(1, states):
                    if allowed[j, t] and unit[j, t] == unit[j, s]:
                        largest = max(largest, grid[j, t])
                for i in range(clinics):
                    gain[i] = lam[i] - cost[i, j] - unit[j, s] * demand[i]
                _knapsack(gain, weight, largest, best, kept)
                solved_unit, solved_size = unit[j, s], largest
            value[j, s] = fixed[j, s] - best[room]
            for i in range(clinics):
                dear[j, s, i] = 0.0
                if weight[i] > room:
                    dear[j, s, i] = np.inf
                elif not gain[i] > 0.0:
                    dear[j, s, i] = best[room] - best[room - weight[i]] - gain[i]
            for i in range(clinics - 1, -1, -1):
                if kept[i, room]:
                    pick[j, s, i] = True
                    room -= weight[i]
    return value, pick


@numba.njit(cache=True, nogil=True)  # type: ignore[misc] # numba has no types
def _knapsack(
    gain: Floats,
    weight: Whole,
    room: int,
    best: Floats,
    kept: NDArray[np.bool_],
) -> None:
    """Fill best[r] with the most that clinics of weight at most r bring at their price."""
    for r in range(room + 1):
        best[r] = 0.0
    for i in range(weight.size):
        for r in range(room + 1):
            kept[i, r] = False
        if not gain[i] > 0.0:
            continue
        need = weight[i]
        for r in range(room, need - 1, -1):
            taken = best[r - need] + gain[i]
            if taken > best[r]:
                best[r] = taken
                kept[i, r] = True


@numba.njit(cache=True, nogil=True)  # type: ignore[misc] # numba has no types
def _cover(
    value: Floats, grid: Whole, need: int, allowed: NDArray[np.bool_], open_max: int
) -> tuple[float, Whole]:
    """Choose a state for each site so that together they can make the demand, as cheap as may be.

    The most sites open are counted only when that is a limit.
    """
    sites, states = value.shape
    counts = open_max if open_max < sites else 0
    low = np.full((sites + 1, counts + 1, need + 1), np.inf)
    for p in range(counts + 1):
        low[sites, p, 0] = 0.0
    for j in range(sites - 1, -1, -1):
        for s in range(states):
            if not allowed[j, s]:
                continue
            used = 1 if (s > 0 and counts > 0) else 0
            gives = grid[j, s]
            price = value[j, s]
            for p in range(used, counts + 1):
                for r in range(need + 1):
                    left = r - gives
                    if left < 0:
                        left = 0
                    made = low[j + 1, p - used, left] + price
                    if made < low[j, p, r]:
                        low[j, p, r] = made
    chosen = np.zeros(sites, dtype=np.int64)
    p, r = counts, need
    total = low[0, p, r]
    if total == np.inf:
        return total, chosen
    for j in range(sites):
        for s in range(states):
            if not allowed[j, s]:
                continue
            used = 1 if (s > 0 and counts > 0) else 0
            if p < used:
                continue
            left = max(0, r - grid[j, s])
            if low[j + 1, p - used, left] + value[j, s] <= low[j, p, r]:
                chosen[j] = s
                p, r = p - used, left
                break
    return total, chosen


@numba.njit(cache=True, nogil=True)  # type: ignore[misc] # numba has no types
def _repair(
    cost: Floats,
    unit: Floats,
    fixed: Floats,
    demand: Floats,
    capacity: Floats,
    states: Whole,
    pick: NDArray[np.bool_],
) -> tuple[float, Whole]:
    """Make a design out of the chosen states: keep what the sites agree on, place the rest."""
    clinics, sites = cost.shape
    room = np.zeros(sites)
    total = 0.0
    serve = np.full((clinics, sites), np.inf)
    for j in range(sites):
        if states[j] > 0:
            room[j] = capacity[j, states[j]]
            total += fixed[j, states[j]]
            for i in range(clinics):
                serve[i, j] = cost[i, j] + unit[j, states[j]] * demand[i]
    slack = 1e-9
    for i in range(clinics):
        slack += 1e-9 * demand[i]
    assigned = np.full(clinics, -1, dtype=np.int64)
    for i in range(clinics):
        for j in range(sites):
            if pick[j, states[j], i] and room[j] + slack >= demand[i]:
                at = assigned[i]
                if at < 0 or serve[i, j] < serve[i, at]:
                    if at >= 0:
                        room[at] += demand[i]
                    assigned[i] = j
                    room[j] -= demand[i]
    while True:
        # The clinic that would lose most by its second-best site goes first.
        most, at, to = -1.0, -1, -1
        for i in range(clinics):
            if assigned[i] >= 0:
                continue
            first, second, where = np.inf, np.inf, -1
            for j in range(sites):
                if room[j] + slack >= demand[i]:
                    if serve[i, j] < first:
                        second, first, where = first, serve[i, j], j
                    elif serve[i, j] < second:
                        second = serve[i, j]
            if where < 0:
                return np.inf, assigned
            regret = 1e300 if second == np.inf else second - first
            if regret > most:
                most, at, to = regret, i, where
        if at < 0:
            break
        assigned[at] = to
        room[to] -= demand[at]
    _improve(serve, demand, room, assigned, slack)
    for i in range(clinics):
        total += serve[i, assigned[i]]
    return total, assigned


@numba.njit(cache=True, nogil=True)  # type: ignore[misc] # numba has no types
def _improve(serve: Floats, demand: Floats, room: Floats, assigned: Whole, slack: float) -> None:
    """Move one clinic, or change two, while that saves money."""
    clinics, sites = serve.shape
    for _ in range(50):
        moved = False
        for i in range(clinics):
            for j in range(sites):
                at = assigned[i]
                if serve[i, j] < serve[i, at] - 1e-9 and room[j] + slack >= demand[i]:
                    room[at] += demand[i]
                    room[j] -= demand[i]
                    assigned[i] = j
                    moved = True
        for i in range(clinics):
            for k in range(i):
                a, b = assigned[i], assigned[k]
                if a == b:
                    continue
                saved = serve[i, a] + serve[k, b] - serve[i, b] - serve[k, a]
                more = demand[i] - demand[k]
                if saved > 1e-9 and room[b] + slack >= more and room[a] + slack >= -more:
                    room[a] += more
                    room[b] -= more
                    assigned[i], assigned[k] = b, a
                    moved = True
        if not moved:
            return
