"""From stored pixels to the grey that a network sees.

A field is put between its own percentiles, once linear and once logarithmic: dim nuclei beside
bright ones are visible in the second, texture and rims in the first.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy
from numba import njit
from numpy.typing import NDArray

LOW_PERCENT, HIGH_PERCENT = 0.5, 99.8
LOG_GAIN = 30.0


def grey_of(picture: NDArray[Any]) -> NDArray[Any]:
    """Give one grey plane: the mean of the colour channels, an alpha channel left out."""
    if picture.ndim == 2:
        return picture
    colours = picture[..., :3] if picture.shape[-1] >= 3 else picture[..., :1]
    if (colours == colours[..., :1]).all():
        return numpy.ascontiguousarray(colours[..., 0])
    mean: NDArray[Any] = colours.mean(axis=-1, dtype=numpy.float32)
    return mean


def read_grey(file: Path) -> NDArray[Any]:
    """Give the grey plane of a training picture or its labels, as stored.

    Raises:
        ValueError: The file is no picture.
    """
    picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"{file} is no picture")
    return grey_of(picture)


def spread(grey: NDArray[Any]) -> NDArray[numpy.float32]:
    """Give the two planes (linear, logarithmic) between the percentiles, shape (2, y, x)."""
    return two_planes(between_percentiles(grey))


def between_percentiles(grey: NDArray[Any]) -> NDArray[numpy.float32]:
    """Give the plane with 0 and 1 at its percentiles.

    An integer picture goes through a table over its levels, which is several times faster than
    arithmetic on each pixel.
    """
    if grey.dtype in (numpy.uint8, numpy.uint16):
        counts = numpy.bincount(grey.ravel(), minlength=1)
        low, high = _range_of_levels(counts)
        levels = numpy.arange(len(counts), dtype=numpy.float32)
        table = ((levels - low) / max(high - low, 1e-6)).astype(numpy.float32)
        return numpy.take(table, grey)
    low, high = percentile_range(grey)
    return (grey.astype(numpy.float32) - numpy.float32(low)) / numpy.float32(max(high - low, 1e-6))


def percentile_range(grey: NDArray[Any]) -> tuple[float, float]:
    """Give the two grey values that a field is put between."""
    if grey.dtype in (numpy.uint8, numpy.uint16):
        return _range_of_levels(numpy.bincount(grey.ravel(), minlength=1))
    low, high = numpy.percentile(grey, (LOW_PERCENT, HIGH_PERCENT))
    return float(low), float(high)


def _range_of_levels(counts: NDArray[Any]) -> tuple[float, float]:
    share = numpy.cumsum(counts) / counts.sum() * 100
    low, high = numpy.searchsorted(share, (LOW_PERCENT, HIGH_PERCENT))
    return float(low), float(high)


def two_planes(relative: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    """Give the linear and the logarithmic plane of values put between 0 and 1, shape (2, y, x)."""
    planes: NDArray[numpy.float32] = _two(relative, _LOGARITHMS)
    return planes


_STEPS = 4096
_LOGARITHMS = (
    numpy.log1p(LOG_GAIN * numpy.arange(_STEPS + 2) / _STEPS * 1.5) / numpy.log1p(LOG_GAIN)
).astype(numpy.float32)


@njit(cache=True, nogil=True)
def _two(
    relative: NDArray[numpy.float32], logarithms: NDArray[numpy.float32]
) -> NDArray[numpy.float32]:
    height, width = relative.shape
    planes = numpy.empty((2, height, width), numpy.float32)
    for y in range(height):
        for x in range(width):
            value = min(max(relative[y, x], numpy.float32(-0.2)), numpy.float32(1.5))
            planes[0, y, x] = value
            place = max(value, numpy.float32(0.0)) * numpy.float32(_STEPS / 1.5)
            low = int(place)
            rest = place - numpy.float32(low)
            planes[1, y, x] = logarithms[low] + rest * (logarithms[low + 1] - logarithms[low])
    return planes


def chamber_planes(relative: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    """Give what the network sees of a picture relative to its background (0 is background).

    Two planes: the relative absorption as it is, and its local contrast compressed by a square
    root, which shows pale cells beside bright ones. Shape (2, y, x).
    """
    clipped = numpy.clip(relative, -1, 3)
    root = numpy.sign(clipped) * numpy.sqrt(numpy.abs(clipped))
    return numpy.stack([clipped, root]).astype(numpy.float32)


def relative_to_background(grey: NDArray[Any]) -> NDArray[numpy.float32]:
    """Give the picture relative to its background: 0 is background, -1 is black."""
    values = grey.astype(numpy.float32)
    return values / max(float(numpy.median(values)), 1.0) - 1


CROP_SIDE_PX = 48
"""Side of the canvas on which a crop of one cell is set, px; larger crops lose their rim."""


def crop_planes(
    crop: NDArray[Any], *, affine: NDArray[Any] | None = None, gain: float = 1.0
) -> NDArray[numpy.float32]:
    """Set the crop of one cell on a canvas and give what the activation network sees.

    Three planes: brightness on a logarithmic scale, brightness between the crop's own
    percentiles, and where the crop lies. The size of a cell speaks, so that it is not scaled.

    Args:
        crop: 8-bit grey values, shape (y, x).
        affine: Where the crop goes on the canvas, shape (2, 3); its middle to the middle when
            None.
        gain: Factor on the brightness.
    """
    values = crop.astype(numpy.float32) * gain
    height, width = crop.shape
    half = CROP_SIDE_PX / 2
    if affine is None:
        affine = numpy.array(
            [[1, 0, half - (width / 2 - 0.5)], [0, 1, half - (height / 2 - 0.5)]], numpy.float32
        )
    size = (CROP_SIDE_PX, CROP_SIDE_PX)
    placed = cv2.warpAffine(values, affine, size)
    there = cv2.warpAffine(numpy.ones_like(values), affine, size)
    low, high = (float(one) for one in numpy.percentile(values, (2, 99)))
    between = numpy.clip((placed - low) / max(high - low, 4.0), -0.2, 1.5) * there
    bright = numpy.log1p(numpy.maximum(placed, 0)) / 5 * there
    return numpy.stack([bright, between, there]).astype(numpy.float32)
