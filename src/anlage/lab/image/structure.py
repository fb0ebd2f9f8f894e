"""Numbers that betray a broken or foreign picture: seams, bands, blocks, combs, odd slopes.

A microscope's picture is alike in both directions, has no grid of its own, and uses the levels
between its darkest and its brightest. What storage, transfer and other instruments do to pixels
breaks one of these.
"""

from typing import Any

import cv2
import numpy
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[numpy.float32]

STRUCTURE = (
    "seams_across",
    "seams_down",
    "bands_across",
    "bands_down",
    "unlike_directions",
    "mode_share",
    "level_share",
    "flat_share",
    "still_lines",
    "abruptness",
    "spot_skewness",
    "slope_tail",
    "fineness_8",
    "fineness_16",
    "grid_8",
    "comb",
)
"""Names of the numbers in the order in which `structure` gives them."""


def structure(grey: NDArray[Any]) -> NDArray[numpy.float64]:
    """Give the numbers of a grey plane of any integer or float type, in the order of `STRUCTURE`.

    Args:
        grey: The plane, shape (y, x), at least 6 px a side.
    """
    values = numpy.ascontiguousarray(grey, numpy.float32)
    spread = float(values.std()) + 1e-6
    down, across, rows, columns, sums = _swept(values)
    still, whole, squares, eight, sixteen, lines_down, lines_across = sums.tolist()
    mean_down, mean_across = float(down.mean()) + 1e-6, float(across.mean()) + 1e-6
    mode, levels, comb = _levels(grey)
    spots = cv2.Laplacian(cv2.GaussianBlur(values, (0, 0), 1.5), cv2.CV_32F)
    rest = spots.mean() - spots
    return numpy.array(
        [
            _seams(across),
            _seams(down),
            numpy.log(float(numpy.abs(numpy.diff(columns, 2)).mean()) / mean_across + 1e-3),
            numpy.log(float(numpy.abs(numpy.diff(rows, 2)).mean()) / mean_down + 1e-3),
            numpy.log(mean_down / mean_across),
            mode,
            levels,
            still,
            max(lines_down, lines_across),
            numpy.log(max(float(across.max()), float(down.max())) / spread + 1e-3),
            float((rest * rest * rest).mean()) / (float(rest.std()) + 1e-6) ** 3,
            numpy.log(squares / (whole**2 + 1e-9) + 1e-3),
            numpy.log10(eight / spread**2 + 1e-5),
            numpy.log10(sixteen / spread**2 + 1e-5),
            max(_grid(across), _grid(down)),
            comb,
        ],
        numpy.float64,
    )


@njit(cache=True, nogil=True)
def _swept(
    values: NDArray[numpy.float32],
) -> tuple[Floats, Floats, Floats, Floats, NDArray[numpy.float64]]:
    """Sweep the plane once.

    Returns:
        Mean absolute step at each seam between rows, and between columns; mean of each row, and of
        each column; then: share of pixels like both neighbours, mean step, mean squared step,
        half the mean square of the difference at 8 and at 16 px (the variogram), share of rows
        and of columns of one value.
    """
    height, width = values.shape
    down = numpy.zeros(height - 1, numpy.float64)
    across = numpy.zeros(width - 1, numpy.float64)
    rows = numpy.zeros(height, numpy.float64)
    columns = numpy.zeros(width, numpy.float64)
    sums = numpy.zeros(7, numpy.float64)
    one_value = numpy.ones(width, numpy.bool_)
    lags = numpy.zeros((2, 2), numpy.float64)
    for y in range(height):
        row_sum, row_down = 0.0, 0.0
        row_still = True
        for x in range(width):
            here = values[y, x]
            row_sum += float(here)
            columns[x] += here
            right = numpy.float32(0.0)
            below = numpy.float32(0.0)
            if x + 1 < width:
                right = abs(values[y, x + 1] - here)
                across[x] += right
                row_still = row_still and right == 0
            if y + 1 < height:
                below = abs(values[y + 1, x] - here)
                row_down += float(below)
                one_value[x] = one_value[x] and below == 0
            if x + 1 < width and y + 1 < height:
                sums[0] += right == 0 and below == 0
                sums[1] += right + below
                sums[2] += right * right + below * below
            for place, lag in enumerate((8, 16)):
                if y + lag < height:
                    lags[place, 0] += (values[y + lag, x] - here) ** 2
                if x + lag < width:
                    lags[place, 1] += (values[y, x + lag] - here) ** 2
        rows[y] = row_sum / width
        if y + 1 < height:
            down[y] = row_down / width
        sums[5] += row_still
    inner = (height - 1) * (width - 1)
    sums[0] /= inner
    sums[1] /= 2 * inner
    sums[2] /= 2 * inner
    for place, lag in enumerate((8, 16)):
        if min(height, width) > lag:
            sums[3 + place] = 0.25 * (
                lags[place, 0] / ((height - lag) * width)
                + lags[place, 1] / (height * (width - lag))
            )
    sums[5] /= height
    sums[6] = one_value.mean()
    return (
        down.astype(numpy.float32),
        (across / height).astype(numpy.float32),
        rows.astype(numpy.float32),
        (columns / height).astype(numpy.float32),
        sums,
    )


def _seams(steps: Floats) -> float:
    """Tell how far the steepest seams stand out of those near them, as a logarithm."""
    if len(steps) < 12:
        return 0.0
    near = cv2.medianBlur(numpy.ascontiguousarray(steps[:, None]), 5)[:, 0]
    ratio = numpy.log((steps + 1e-3) / (near + 1e-3))
    return float(numpy.sort(ratio)[-max(3, len(ratio) // 50) :].mean())


def _grid(steps: Floats) -> float:
    """Tell how much steeper the seams of a grid of 8 px are than the rest, as a logarithm."""
    if len(steps) < 24:
        return 0.0
    by_phase = numpy.array([steps[phase::8].mean() for phase in range(8)])
    return float(numpy.log((by_phase.max() + 1e-3) / (numpy.median(by_phase) + 1e-3)))


def _levels(grey: NDArray[Any]) -> tuple[float, float, float]:
    """Give the share of the commonest level, of the levels used, and how combed they are."""
    counts = _counts(grey)
    used = numpy.flatnonzero(counts)
    within = counts[used[0] : used[-1] + 1]
    if len(within) < 3:
        return float(counts.max() / counts.sum()), 1.0, 0.0
    comb = float(numpy.abs(numpy.diff(within, 2)).sum() / counts.sum())
    return float(counts.max() / counts.sum()), len(used) / len(within), comb


def _counts(grey: NDArray[Any]) -> NDArray[numpy.float64]:
    """Count the pixels of each level; deeper pictures are brought to their own step, or to 256."""
    if grey.dtype == numpy.uint8:
        return numpy.bincount(grey.ravel(), minlength=256).astype(numpy.float64)
    whole = grey.astype(numpy.uint16) if grey.dtype != numpy.uint16 else grey
    counts = numpy.bincount(whole.ravel())
    used = numpy.flatnonzero(counts)
    step = int(numpy.diff(used).min()) if len(used) > 1 else 1
    # Eight bits stored in sixteen have a step; a camera of more bits has 1.
    coarse = max(step, -(-int(used[-1] - used[0] + 1) // 256))
    levels = (used - used[0]) // coarse
    return numpy.bincount(levels, weights=counts[used]).astype(numpy.float64)
