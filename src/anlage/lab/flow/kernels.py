"""Compiled kernels: reading, compensating, transforming and gating blocks of events.

Each kernel works on one block, frees the interpreter lock and keeps no state, so that blocks may
run in parallel and give the same bits whatever the number of threads. Arrays hold one row per
dimension and one column per event.
"""

import numpy
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]


@njit(cache=True, nogil=True)
def gather_f4(words, is_big, places, out):  # type: ignore[no-untyped-def]
    """Pick columns of 32-bit floating point words into rows of doubles."""
    for event in range(words.shape[0]):
        for row in range(places.shape[0]):
            word = words[event, places[row]]
            if is_big:
                word = (
                    (word >> numpy.uint32(24))
                    | ((word >> numpy.uint32(8)) & numpy.uint32(0xFF00))
                    | ((word << numpy.uint32(8)) & numpy.uint32(0xFF0000))
                    | (word << numpy.uint32(24))
                )
            out[row, event] = numpy.uint32(word).view(numpy.float32)


@njit(cache=True, nogil=True)
def gather_f8(words, is_big, places, out):  # type: ignore[no-untyped-def]
    """Pick columns of 64-bit floating point words into rows of doubles."""
    for event in range(words.shape[0]):
        for row in range(places.shape[0]):
            word = words[event, places[row]]
            if is_big:
                turned = numpy.uint64(0)
                for _ in range(8):
                    turned = (turned << numpy.uint64(8)) | (word & numpy.uint64(0xFF))
                    word = word >> numpy.uint64(8)
                word = turned
            out[row, event] = numpy.uint64(word).view(numpy.float64)


@njit(cache=True, nogil=True)
def gather_integers(table, is_big, offsets, widths, masks, out):  # type: ignore[no-untyped-def]
    """Pick integers of whole bytes out of a table of events, mask them, and give doubles."""
    for event in range(table.shape[0]):
        for row in range(offsets.shape[0]):
            word = numpy.uint64(0)
            first, width = offsets[row], widths[row]
            for place in range(width):
                byte = table[event, first + place if is_big else first + width - 1 - place]
                word = (word << numpy.uint64(8)) | numpy.uint64(byte)
            out[row, event] = numpy.float64(word & masks[row])


@njit(cache=True, nogil=True)
def multiply(matrix, block, rows, out):  # type: ignore[no-untyped-def]
    """Give out[f] = sum over d of matrix[d, f] * block[rows[d]], summed in the order of d.

    Four detectors are added per pass, so that the sums stay in registers.
    """
    count = matrix.shape[0]
    for fluorochrome in range(matrix.shape[1]):
        sums = out[fluorochrome]
        for first in range(0, count, 4):
            f0 = matrix[first, fluorochrome]
            f1 = matrix[first + 1, fluorochrome] if first + 1 < count else 0.0
            f2 = matrix[first + 2, fluorochrome] if first + 2 < count else 0.0
            f3 = matrix[first + 3, fluorochrome] if first + 3 < count else 0.0
            x0 = block[rows[first]]
            x1 = block[rows[min(first + 1, count - 1)]]
            x2 = block[rows[min(first + 2, count - 1)]]
            x3 = block[rows[min(first + 3, count - 1)]]
            for event in range(block.shape[1]):
                total = 0.0 if first == 0 else sums[event]
                total += f0 * x0[event]
                total += f1 * x1[event]
                total += f2 * x2[event]
                total += f3 * x3[event]
                sums[event] = total


@njit(cache=True, nogil=True, inline="always")
def _root(x, p, b, q, d, r):  # type: ignore[no-untyped-def]
    """Solve p*expm1(b*t) - q*expm1(-d*t) + r*t = x for t >= 0, given x >= 0.

    The left side is convex and rising for t >= 0, so Newton's steps from above never overshoot.
    """
    slope = p * b + q * d + r
    t = min(numpy.log1p(x / p) / b, x / slope)
    for _ in range(200):
        value = p * numpy.expm1(b * t) - q * numpy.expm1(-d * t) + r * t - x
        gradient = p * b * numpy.exp(b * t) + q * d * numpy.exp(-d * t) + r
        step = value / gradient
        t -= step
        if abs(step) <= 1e-15 * (1.0 + t):
            break
    return max(t, 0.0)


@njit(cache=True, nogil=True)
def solve_odd(x, middle, p, b, q, d, r, out):  # type: ignore[no-untyped-def]
    """Give the scale position of each x by Newton's method, odd about `middle`."""
    for event in range(x.shape[0]):
        value = x[event]
        if numpy.isfinite(value):
            t = _root(abs(value), p, b, q, d, r)
            out[event] = middle + t if value >= 0 else middle - t
        else:
            out[event] = value


@njit(cache=True, nogil=True)
def look_up_odd(  # type: ignore[no-untyped-def]
    x, middle, p, b, q, d, r, shift, base, mantissa_bits, table, out
):
    """Give the scale position of each x from cubic pieces found by exponent and mantissa bits.

    The argument |x| + shift is cut into 2**mantissa_bits pieces per octave; its leading bits are
    the piece's number. Past the table's end Newton's method answers.
    """
    drop = numpy.int64(52 - mantissa_bits)
    keep = (numpy.int64(1) << drop) - numpy.int64(1)
    unit = 1.0 / numpy.float64(numpy.int64(1) << drop)
    pieces = table.shape[0]
    for event in range(x.shape[0]):
        value = x[event]
        bits = numpy.float64(abs(value) + shift).view(numpy.int64)
        piece = (bits >> drop) - base
        if piece < pieces:
            f = numpy.float64(bits & keep) * unit
            t = table[piece, 0] + f * (
                table[piece, 1] + f * (table[piece, 2] + f * table[piece, 3])
            )
            out[event] = middle + t if value >= 0 else middle - t
        elif numpy.isfinite(value):
            t = _root(abs(value), p, b, q, d, r)
            out[event] = middle + t if value >= 0 else middle - t
        else:
            out[event] = value


@njit(cache=True, nogil=True)
def in_box(values, has_low, low, has_high, high, out):  # type: ignore[no-untyped-def]
    """Clear the marks of events with a value outside the half-open interval [low, high)."""
    for event in range(values.shape[0]):
        value = values[event]
        above = (value >= low) | (not has_low)
        below = (value < high) | (not has_high)
        out[event] = out[event] & above & below


@njit(cache=True, nogil=True)
def in_polygon(x, y, vertices, out):  # type: ignore[no-untyped-def]
    """Mark the events inside a polygon: an odd number of its edges lies to the right of them.

    Edges run over the half-open interval of y, so each point belongs to one of two neighbouring
    polygons; self-crossing polygons follow the same rule.
    """
    count = vertices.shape[0]
    for event in range(x.shape[0]):
        out[event] = False
    for edge in range(count):
        x0, y0 = vertices[edge, 0], vertices[edge, 1]
        x1, y1 = vertices[(edge + 1) % count, 0], vertices[(edge + 1) % count, 1]
        if y0 == y1:
            continue
        rises = y1 > y0
        for event in range(x.shape[0]):
            side = (x1 - x0) * (y[event] - y0) - (x[event] - x0) * (y1 - y0)
            spans = (y0 <= y[event]) != (y1 <= y[event])
            out[event] = out[event] ^ (spans & ((side > 0.0) == rises) & (side != 0.0))


@njit(cache=True, nogil=True)
def in_ellipsoid(values, centre, inverse, limit, out):  # type: ignore[no-untyped-def]
    """Mark the events whose squared Mahalanobis distance is at most the limit."""
    size = centre.shape[0]
    if size == 2:
        for event in range(values.shape[1]):
            x, y = values[0, event] - centre[0], values[1, event] - centre[1]
            over_x = x * inverse[0, 0] + y * inverse[1, 0]
            over_y = x * inverse[0, 1] + y * inverse[1, 1]
            out[event] = over_x * x + over_y * y <= limit
        return
    for event in range(values.shape[1]):
        total = 0.0
        for row in range(size):
            turned = 0.0
            for column in range(size):
                turned += (values[column, event] - centre[column]) * inverse[column, row]
            total += turned * (values[row, event] - centre[row])
        out[event] = total <= limit
