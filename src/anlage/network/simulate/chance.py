"""Chance in the kernel: counter-based streams and draws.

A draw is a hash of (seed, replication, patient, purpose, lap), so it does not depend on what other
patients did, on the order of events or on the number of workers: two designs that share a step
share its chance, patient by patient (common random numbers). The mixer is the finaliser of
SplitMix64 (Steele, Lea, Flood, doi:10.1145/2660193.2660195) on Weyl sequences; exponential and
normal variates use 256-level ziggurats (Marsaglia and Tsang, doi:10.18637/jss.v005.i08), gamma
variates doi:10.1145/358407.358414.
"""

# Numba infers the types of compiled code; annotations would be a second, unchecked truth.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import math

import numpy as np

from .compiled import at, inlined, part

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
LAP = np.uint64(0xD1342543DE82EF95)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_LOW8, _BIT8, _S8 = np.uint64(255), np.uint64(1), np.uint64(8)
_UNIT = 2.0**-53
_HALF = 2.0**-54


def _ziggurat(
    edge: float, area: float, density: "np.ufunc | object", inverse: object
) -> tuple[np.ndarray, np.ndarray]:
    """Give the 257 edges of a ziggurat and the density at each."""
    x = np.zeros(257)
    x[0] = area / density(edge)  # type: ignore[operator]
    x[1] = edge
    for level in range(2, 256):
        x[level] = inverse(area / x[level - 1] + density(x[level - 1]))  # type: ignore[operator]
    return x, np.array([density(value) for value in x])  # type: ignore[operator]


EXP_EDGE = 7.69711747013104972
NORMAL_EDGE = 3.6541528853610088
EXP_X, EXP_F = _ziggurat(
    EXP_EDGE, 0.0039496598225815571993, lambda x: math.exp(-x), lambda f: -math.log(f)
)
NORMAL_X, NORMAL_F = _ziggurat(
    NORMAL_EDGE,
    0.00492867323399,
    lambda x: math.exp(-x * x / 2),
    lambda f: math.sqrt(-2 * math.log(f)),
)


@part
def mix(z):
    """Give a well-mixed 64-bit number."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@part
def unit(z):
    """Give a number in (0, 1) from mixed bits."""
    return np.float64(np.int64(z >> _S11)) * _UNIT + _HALF


@part
def state_of(key, purpose, lap):
    """Give the start of the sequence for one purpose in one lap of one patient."""
    return key + purpose + np.uint64(lap) * LAP


@part
def standard_exponential(state):
    """Give an exponential variate of mean 1, and the advanced state."""
    while True:
        z = mix(state)
        state += GOLDEN
        level = np.int64(z & _LOW8)
        x = np.float64(np.int64(z >> _S11)) * _UNIT * EXP_X[at(level)]
        if x < EXP_X[at(level + 1)]:
            return x, state
        if level == 0:
            x = EXP_EDGE - math.log(unit(mix(state)))
            return x, state + GOLDEN
        u = np.float64(np.int64(mix(state) >> _S11)) * _UNIT
        state += GOLDEN
        if EXP_F[level] + u * (EXP_F[level + 1] - EXP_F[level]) < math.exp(-x):
            return x, state


@part
def standard_normal(state):
    """Give a normal variate of mean 0 and variance 1, and the advanced state."""
    while True:
        z = mix(state)
        state += GOLDEN
        level = np.int64(z & _LOW8)
        x = np.float64(np.int64(z >> _S11)) * _UNIT * NORMAL_X[at(level)]
        sign = 1.0 if (z >> _S8) & _BIT8 else -1.0
        if x < NORMAL_X[at(level + 1)]:
            return sign * x, state
        if level == 0:
            while True:
                a = -math.log(unit(mix(state))) / NORMAL_EDGE
                b = -math.log(unit(mix(state + GOLDEN)))
                state += GOLDEN + GOLDEN
                if b + b > a * a:
                    return sign * (NORMAL_EDGE + a), state
        u = np.float64(np.int64(mix(state) >> _S11)) * _UNIT
        state += GOLDEN
        if NORMAL_F[level] + u * (NORMAL_F[level + 1] - NORMAL_F[level]) < math.exp(-x * x / 2):
            return sign * x, state


@part
def standard_gamma(shape, state):
    """Give a gamma variate of scale 1, and the advanced state."""
    boost = 1.0
    if shape < 1.0:
        boost = unit(mix(state)) ** (1.0 / shape)
        state += GOLDEN
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x, state = standard_normal(state)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        u = unit(mix(state))
        state += GOLDEN
        if math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return boost * d * v, state


@part
def draw(times, sample, row, state):
    """Give one time in days from the distribution in a row of the table."""
    time = times[at(row)]
    kind = time.kind
    if kind == 0:
        return time.first + time.plus
    if kind == 1:
        x, state = standard_exponential(state)
        return time.plus + time.first * x
    if kind == 2:
        return time.plus + time.first + (time.second - time.first) * unit(mix(state))
    if kind == 4:
        x, state = standard_normal(state)
        return time.plus + math.exp(time.first + time.second * x)
    if kind == 3:
        return time.plus + _triangular(time.first, time.second, time.third, unit(mix(state)))
    return time.plus + _other(times, sample, row, state)


# The same, written into its caller: for the one place that draws most.
draw_here = inlined(draw.py_func)  # type: ignore[attr-defined] # numba adds it


@part
def _triangular(low, mode, high, u):
    cut = (mode - low) / (high - low)
    if u < cut:
        return low + math.sqrt(u * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - u) * (high - low) * (high - mode))


@part
def _other(times, sample, row, state):
    time = times[at(row)]
    kind, first, second = time.kind, time.first, time.second
    if kind == 5:
        x, state = standard_gamma(first, state)
        return x * second
    if kind == 6:
        return _sampled(sample, time.at, time.count, state)
    if kind == 7:
        x, state = standard_exponential(state)
        return second * x ** (1.0 / first)
    if kind == 8:
        while True:
            x, state = standard_normal(state)
            if first + second * x >= 0.0:
                return first + second * x
    third = time.third
    a = 1.0 + 4.0 * (second - first) / (third - first)
    b = 1.0 + 4.0 * (third - second) / (third - first)
    x, state = standard_gamma(a, state)
    y, state = standard_gamma(b, state)
    return first + (third - first) * x / (x + y)


@part
def _sampled(sample, first, count, state):
    """Draw from a sample stored as (value, cumulative weight); equal weights go by rank."""
    u = unit(mix(state))
    if sample[first].below < 0.0:
        return sample[first + np.int64(u * count)].value
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        if sample[first + middle].below < u:
            low = middle + 1
        else:
            high = middle
    return sample[first + low].value
