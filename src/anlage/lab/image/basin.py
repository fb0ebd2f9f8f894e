"""From maps of a network to numbered objects: basins of the depth map that persist.

Pixels are taken from the deepest to the shallowest. Two basins that meet become one when the
lower of their peaks stands out by less than the persistence asked for; otherwise the rim between
them stays. Depth runs from 0 to 1 inside every object, whatever its size, so that one threshold
serves all. Kernels: bare arrays in, bare arrays out.
"""

import numpy
from numba import njit
from numpy.typing import NDArray

LEVELS = 256


@njit(cache=True, nogil=True)
def _root(parent: NDArray[numpy.int32], pixel: int) -> int:
    while parent[pixel] != pixel:
        parent[pixel] = parent[parent[pixel]]
        pixel = parent[pixel]
    return pixel


@njit(cache=True, nogil=True)
def _ordered(
    inside: NDArray[numpy.float32], depth: NDArray[numpy.float32], cut: float
) -> tuple[NDArray[numpy.int32], NDArray[numpy.uint8]]:
    """Give the pixels inside, deepest first (counting sort), and the level of every pixel."""
    size = inside.size
    level = numpy.zeros(size, numpy.uint8)
    counts = numpy.zeros(LEVELS + 1, numpy.int64)
    for pixel in range(size):
        if inside[pixel] > cut:
            value = int(min(max(depth[pixel], 0.0), 1.0) * (LEVELS - 2)) + 1
            level[pixel] = value
            counts[LEVELS - value] += 1
    for one in range(1, LEVELS + 1):
        counts[one] += counts[one - 1]
    order = numpy.empty(counts[LEVELS], numpy.int32)
    for pixel in range(size):
        if level[pixel]:
            slot = LEVELS - level[pixel] - 1
            order[counts[slot]] = pixel
            counts[slot] += 1
    return order, level


@njit(cache=True, nogil=True)
def basins(
    inside: NDArray[numpy.float32],
    depth: NDArray[numpy.float32],
    cut: float = 0.0,
    persistence: float = 0.12,
    least_area: int = 12,
    least_peak: float = 0.3,
) -> NDArray[numpy.int32]:
    """Number the objects of one plane.

    Args:
        inside: Logit that a pixel belongs to an object, shape (y, x).
        depth: Depth inside the object, 0 at the rim to 1 at the deepest point.
        cut: Logit above which a pixel is inside.
        persistence: How far the lower peak must stand out for two basins to stay apart, 0..1.
        least_area: Smaller objects are dropped, px.
        least_peak: Objects nowhere deeper than this are dropped, 0..1.

    Returns:
        Label image, 0 is background, objects 1..n in reading order.
    """
    height, width = inside.shape
    flat = depth.ravel()
    order, level = _ordered(inside.ravel(), flat, cut)
    parent = numpy.full(height * width, -1, numpy.int32)
    peak = numpy.zeros(height * width, numpy.uint8)
    area = numpy.zeros(height * width, numpy.int32)
    steps_y = (-1, 0, 0, 1, -1, -1, 1, 1)
    steps_x = (0, -1, 1, 0, -1, 1, -1, 1)
    gap = int(persistence * (LEVELS - 2))
    for place in range(order.size):
        pixel = order[place]
        y, x = pixel // width, pixel % width
        here = level[pixel]
        own = -1
        for step in range(8):
            ny, nx = y + steps_y[step], x + steps_x[step]
            if ny < 0 or nx < 0 or ny >= height or nx >= width:
                continue
            near = ny * width + nx
            if parent[near] < 0:
                continue
            other = _root(parent, near)
            if own < 0:
                own = other
                parent[pixel] = own
                area[own] += 1
            elif other != own:
                low, high = (own, other) if peak[own] < peak[other] else (other, own)
                if peak[low] - here < gap or area[low] < least_area:
                    parent[low] = high
                    area[high] += area[low]
                    own = high
        if own < 0:
            parent[pixel] = pixel
            peak[pixel] = here
            area[pixel] = 1
    labels = numpy.zeros((height, width), numpy.int32)
    number = numpy.zeros(height * width, numpy.int32)
    found = 0
    floor = int(least_peak * (LEVELS - 2)) + 1
    for pixel in range(height * width):
        if parent[pixel] < 0:
            continue
        top = _root(parent, pixel)
        if area[top] < least_area or peak[top] < floor:
            continue
        if number[top] == 0:
            found += 1
            number[top] = found
        labels[pixel // width, pixel % width] = number[top]
    return labels


@njit(cache=True, nogil=True)
def brought_back(
    labels: NDArray[numpy.int32],
    inside: NDArray[numpy.float32],
    height: int,
    width: int,
    least_area: int,
) -> NDArray[numpy.int32]:
    """Give a label image on the grid of the picture that was made larger or smaller before.

    The rim follows the logit between the places of the scaled grid, so that it is smooth.

    Args:
        labels: Objects on the scaled grid.
        inside: Logit of being inside on the scaled grid.
        height: Rows of the picture.
        width: Columns of the picture.
        least_area: Smaller objects are dropped, px of the picture.

    Returns:
        Label image, objects 1..n in reading order.
    """
    tall, wide = labels.shape
    answer = numpy.zeros((height, width), numpy.int32)
    area = numpy.zeros(labels.max() + 1, numpy.int64)
    for y in range(height):
        at_y = min(max((y + 0.5) * tall / height - 0.5, 0.0), tall - 1.0)
        top = min(int(at_y), tall - 2)
        down = at_y - top
        for x in range(width):
            at_x = min(max((x + 0.5) * wide / width - 0.5, 0.0), wide - 1.0)
            left = min(int(at_x), wide - 2)
            right = at_x - left
            above = inside[top, left] * (1 - right) + inside[top, left + 1] * right
            below = inside[top + 1, left] * (1 - right) + inside[top + 1, left + 1] * right
            if above * (1 - down) + below * down <= 0:
                continue
            near_y, near_x = int(at_y + 0.5), int(at_x + 0.5)
            label = labels[near_y, near_x]
            if label == 0:  # the nearest place is outside: the likeliest of the other three
                likeliest = 0.0
                for one_y in (top, top + 1):
                    for one_x in (left, left + 1):
                        if labels[one_y, one_x] and inside[one_y, one_x] > likeliest:
                            likeliest = inside[one_y, one_x]
                            label = labels[one_y, one_x]
            answer[y, x] = label
            area[label] += 1
    number = numpy.zeros(len(area), numpy.int32)
    found = 0
    for y in range(height):
        for x in range(width):
            label = answer[y, x]
            if label == 0:
                continue
            if area[label] < least_area:
                answer[y, x] = 0
                continue
            if number[label] == 0:
                found += 1
                number[label] = found
            answer[y, x] = number[label]
    return answer


@njit(cache=True, nogil=True)
def peaks(heat: NDArray[numpy.float32], threshold: float, reach: int) -> NDArray[numpy.int32]:
    """Give the places (y, x) above the threshold that no higher place within reach outshines.

    Args:
        heat: Map of chances, shape (y, x).
        threshold: Least chance.
        reach: Radius in px within which one peak stands.
    """
    height, width = heat.shape
    found = numpy.empty((height * width // 4 + 4, 2), numpy.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            here = heat[y, x]
            if here < threshold:
                continue
            highest = True
            for ny in range(max(0, y - reach), min(height, y + reach + 1)):
                for nx in range(max(0, x - reach), min(width, x + reach + 1)):
                    if (ny - y) ** 2 + (nx - x) ** 2 > reach * reach:
                        continue
                    there = heat[ny, nx]
                    # Of equal heights the first in reading order stands.
                    if there > here or (there == here and (ny, nx) < (y, x)):
                        highest = False
                        break
                if not highest:
                    break
            if highest:
                found[count, 0], found[count, 1] = y, x
                count += 1
    return found[:count]
