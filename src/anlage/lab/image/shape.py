"""Shape and intensity of every object of a label image, named as CellProfiler names them.

Areas, moments, the perimeter of Benkrid and Crookes, the digital convex hull and the diameters
are those of scikit-image's `regionprops_table`, to rounding; they are computed in one compiled
pass per object, which is what makes a plate of fields bearable. Orientation is in degrees.
"""

from math import atan2, degrees, pi, sqrt
from typing import Any

import numpy
from numba import njit
from numpy.typing import NDArray

SHAPES = (
    "AreaShape_Area",
    "AreaShape_BoundingBoxArea",
    "AreaShape_BoundingBoxMinimum_Y",
    "AreaShape_BoundingBoxMinimum_X",
    "AreaShape_BoundingBoxMaximum_Y",
    "AreaShape_BoundingBoxMaximum_X",
    "AreaShape_Center_Y",
    "AreaShape_Center_X",
    "AreaShape_ConvexArea",
    "AreaShape_Eccentricity",
    "AreaShape_EquivalentDiameter",
    "AreaShape_EulerNumber",
    "AreaShape_Extent",
    "AreaShape_FormFactor",
    "AreaShape_MajorAxisLength",
    "AreaShape_MaxFeretDiameter",
    "AreaShape_MinorAxisLength",
    "AreaShape_Orientation",
    "AreaShape_Perimeter",
    "AreaShape_Solidity",
)
"""Names of the shape features, in the order of the columns."""

INTENSITIES = (
    "Intensity_IntegratedIntensity",
    "Intensity_MeanIntensity",
    "Intensity_StdIntensity",
    "Intensity_MinIntensity",
    "Intensity_MaxIntensity",
)
"""Names of the intensity features."""

Floats = NDArray[numpy.float64]


def measure_objects(
    labels: NDArray[Any], grey: NDArray[Any] | None = None
) -> dict[str, NDArray[Any]]:
    """Give one column per feature, one row per object, in the order of the labels.

    Args:
        labels: Label image, shape (y, x), 0 is background; labels may have gaps.
        grey: The picture under it, for intensities in stored units; none without it.

    Returns:
        `ObjectNumber` and the features of `SHAPES` (and `INTENSITIES`). Lengths are in px,
        areas in px, orientation in degrees from the vertical axis, -90 to 90; the form factor
        of an object without perimeter is infinite.
    """
    if labels.ndim != 2:
        raise ValueError("a label image has the axes (y, x)")
    plane = numpy.ascontiguousarray(labels, dtype=numpy.int32)
    if plane.size and int(plane.min()) < 0:
        raise ValueError("labels are not negative")
    boxes = _boxes(plane, int(plane.max(initial=0)))
    numbers = numpy.flatnonzero(boxes[:, 4] > 0).astype(numpy.int32)
    table = _shapes(plane, numbers, boxes)
    answer: dict[str, NDArray[Any]] = {"ObjectNumber": numbers}
    answer.update({name: table[:, place] for place, name in enumerate(SHAPES)})
    if grey is not None:
        if grey.shape != labels.shape:
            raise ValueError("the picture has the shape of its labels")
        light = _intensities(plane, grey.astype(numpy.float64), numbers, boxes)
        answer.update({name: light[:, place] for place, name in enumerate(INTENSITIES)})
    return answer


@njit(cache=True, nogil=True)
def _boxes(labels: NDArray[numpy.int32], highest: int) -> NDArray[numpy.int64]:
    """Give top, left, bottom, right (exclusive) and area per label."""
    boxes = numpy.zeros((highest + 1, 5), numpy.int64)
    boxes[:, 0], boxes[:, 1] = labels.shape[0], labels.shape[1]
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            one = labels[y, x]
            if one == 0:
                continue
            boxes[one, 0] = min(boxes[one, 0], y)
            boxes[one, 1] = min(boxes[one, 1], x)
            boxes[one, 2] = max(boxes[one, 2], y + 1)
            boxes[one, 3] = max(boxes[one, 3], x + 1)
            boxes[one, 4] += 1
    return boxes


@njit(cache=True, nogil=True)
def _shapes(
    labels: NDArray[numpy.int32], numbers: NDArray[numpy.int32], boxes: NDArray[numpy.int64]
) -> Floats:
    table = numpy.zeros((len(numbers), 20), numpy.float64)
    for row in range(len(numbers)):
        one = numbers[row]
        top, left, bottom, right, area = boxes[one]
        # A frame of background spares every neighbour test its border case.
        own = numpy.zeros((bottom - top + 2, right - left + 2), numpy.uint8)
        sum_y = sum_x = 0.0
        for y in range(top, bottom):
            for x in range(left, right):
                if labels[y, x] == one:
                    own[y - top + 1, x - left + 1] = 1
                    sum_y += y - top
                    sum_x += x - left
        centre_y, centre_x = sum_y / area, sum_x / area
        yy, xx, yx = _moments(own, centre_y + 1, centre_x + 1, area)
        middle, half = (yy + xx) / 2, sqrt(((yy - xx) / 2) ** 2 + yx * yx)
        major, minor = max(middle + half, 0.0), max(middle - half, 0.0)
        perimeter, euler = _outline(own)
        convex, reach = _hull(own)
        box_area = (bottom - top) * (right - left)
        table[row, 0] = area
        table[row, 1] = box_area
        table[row, 2], table[row, 3] = top, left
        table[row, 4], table[row, 5] = bottom, right
        table[row, 6], table[row, 7] = centre_y + top, centre_x + left
        table[row, 8] = convex
        table[row, 9] = sqrt(1 - minor / major) if major > 0 else 0.0
        table[row, 10] = sqrt(4 * area / pi)
        table[row, 11] = euler
        table[row, 12] = area / box_area
        table[row, 13] = 4 * pi * area / perimeter**2 if perimeter > 0 else numpy.inf
        table[row, 14] = 4 * sqrt(major)
        table[row, 15] = reach
        table[row, 16] = 4 * sqrt(minor)
        table[row, 17] = degrees(_orientation(yy, xx, yx))
        table[row, 18] = perimeter
        table[row, 19] = area / convex
    return table


@njit(cache=True, nogil=True)
def _orientation(yy: float, xx: float, yx: float) -> float:
    if xx - yy == 0:
        return pi / 4 if yx > 0 else -pi / 4
    return 0.5 * atan2(2 * yx, yy - xx)


@njit(cache=True, nogil=True)
def _moments(
    own: NDArray[numpy.uint8], centre_y: float, centre_x: float, area: int
) -> tuple[float, float, float]:
    """Give the second central moments (yy, xx, yx) over the area."""
    yy = xx = yx = 0.0
    for y in range(own.shape[0]):
        for x in range(own.shape[1]):
            if own[y, x]:
                dy, dx = y - centre_y, x - centre_x
                yy += dy * dy
                xx += dx * dx
                yx += dy * dx
    return yy / area, xx / area, yx / area


@njit(cache=True, nogil=True)
def _outline(own: NDArray[numpy.uint8]) -> tuple[float, float]:
    """Give the perimeter (Benkrid and Crookes) and the Euler number (8-connected bit quads)."""
    height, width = own.shape
    rim = numpy.zeros_like(own)
    corners = 0
    for y in range(height - 1):
        for x in range(width - 1):
            a, b, c, d = own[y, x], own[y, x + 1], own[y + 1, x], own[y + 1, x + 1]
            filled = a + b + c + d
            if filled == 1:
                corners += 1
            elif filled == 3:
                corners -= 1
            elif filled == 2 and a == d:
                corners -= 2
            if a and not (own[y - 1, x] and own[y + 1, x] and own[y, x - 1] and own[y, x + 1]):
                rim[y, x] = 1
    length = 0.0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if rim[y, x] == 0:
                continue
            edge = rim[y - 1, x] + rim[y + 1, x] + rim[y, x - 1] + rim[y, x + 1]
            corner = rim[y - 1, x - 1] + rim[y - 1, x + 1] + rim[y + 1, x - 1] + rim[y + 1, x + 1]
            code = 1 + 2 * edge + 10 * corner
            if code in (5, 7, 15, 17, 25, 27):
                length += 1.0
            elif code in (21, 33):
                length += sqrt(2.0)
            elif code in (13, 23):
                length += (1 + sqrt(2.0)) / 2
    return length, corners / 4


@njit(cache=True, nogil=True)
def _hull(own: NDArray[numpy.uint8]) -> tuple[float, float]:
    """Give the area of the digital convex hull and its longest diameter (Feret).

    Pixels are diamonds with corners half a pixel away; all places are doubled, so that the hull
    is exact in integers. Line Y = 2y + 1 holds the middle of pixel row y.
    """
    height, width = own.shape
    lines = 2 * height + 1
    near = numpy.full(lines, 4 * width, numpy.int64)
    far = numpy.full(lines, -1, numpy.int64)
    for y in range(height):
        first = last = -1
        for x in range(width):
            if own[y, x]:
                first = x if first < 0 else first
                last = x
        if first < 0:
            continue
        middle = 2 * y + 1
        near[middle], far[middle] = 2 * first - 1, 2 * last + 1
        for line in (middle - 1, middle + 1):
            near[line] = min(near[line], 2 * first)
            far[line] = max(far[line], 2 * last)
    left = _chain(near, far, -1)
    right = _chain(near, far, 1)
    area = 0
    points = numpy.empty((4 * height + 4 * width, 2), numpy.float64)
    count = 0
    top_of = numpy.full(width, -1, numpy.int64)
    bottom_of = numpy.full(width, -1, numpy.int64)
    for y in range(height):
        middle = 2 * y + 1
        if far[middle] < 0 and (left[middle, 1] == 0 or right[middle, 1] == 0):
            continue
        first = -((-left[middle, 0]) // (2 * left[middle, 1]))
        last = right[middle, 0] // (2 * right[middle, 1])
        if last < first:
            continue
        area += last - first + 1
        points[count, 0], points[count, 1] = y, first - 0.5
        points[count + 1, 0], points[count + 1, 1] = y, last + 0.5
        count += 2
        for x in range(first, last + 1):
            if top_of[x] < 0:
                top_of[x] = y
            bottom_of[x] = y
    for x in range(width):
        if top_of[x] >= 0:
            points[count, 0], points[count, 1] = top_of[x] - 0.5, x
            points[count + 1, 0], points[count + 1, 1] = bottom_of[x] + 0.5, x
            count += 2
    longest = 0.0
    for one in range(count):
        for other in range(one):
            dy = points[one, 0] - points[other, 0]
            dx = points[one, 1] - points[other, 1]
            longest = max(longest, dy * dy + dx * dx)
    return float(area), sqrt(longest)


@njit(cache=True, nogil=True)
def _chain(
    near: NDArray[numpy.int64], far: NDArray[numpy.int64], side: int
) -> NDArray[numpy.int64]:
    """Give the hull's side as a fraction (numerator, denominator) on every line it crosses."""
    lines = len(near)
    stack = numpy.empty(lines, numpy.int64)
    size = 0
    edge = near if side < 0 else far
    for line in range(lines):
        if far[line] < 0:
            continue
        while size >= 2:
            y0, y1 = stack[size - 2], stack[size - 1]
            turn = (y1 - y0) * (edge[line] - edge[y0]) - (line - y0) * (edge[y1] - edge[y0])
            if turn * side < 0:  # the middle point stands out: it stays
                break
            size -= 1
        stack[size] = line
        size += 1
    answer = numpy.zeros((lines, 2), numpy.int64)
    for place in range(size):
        line = stack[place]
        answer[line, 0], answer[line, 1] = edge[line], 1
        if place == 0:
            continue
        start = stack[place - 1]
        run = line - start
        for between in range(start + 1, line):
            answer[between, 0] = edge[start] * run + (edge[line] - edge[start]) * (between - start)
            answer[between, 1] = run
    return answer


@njit(cache=True, nogil=True)
def _intensities(
    labels: NDArray[numpy.int32],
    grey: Floats,
    numbers: NDArray[numpy.int32],
    boxes: NDArray[numpy.int64],
) -> Floats:
    table = numpy.zeros((len(numbers), 5), numpy.float64)
    for row in range(len(numbers)):
        one = numbers[row]
        top, left, bottom, right, area = boxes[one]
        total, low, high = 0.0, numpy.inf, -numpy.inf
        for y in range(top, bottom):
            for x in range(left, right):
                if labels[y, x] == one:
                    value = grey[y, x]
                    total += value
                    low, high = min(low, value), max(high, value)
        mean, square = total / area, 0.0
        for y in range(top, bottom):
            for x in range(left, right):
                if labels[y, x] == one:
                    square += (grey[y, x] - mean) ** 2
        table[row, 0], table[row, 1], table[row, 2] = total, mean, sqrt(square / area)
        table[row, 3], table[row, 4] = low, high
    return table
