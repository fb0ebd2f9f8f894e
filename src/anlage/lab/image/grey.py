"""From stored pixels to the grey that a network sees.

A field is put between its own percentiles, once linear and once logarithmic: dim nuclei beside
bright ones are visible in the second, texture and rims in the first.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy
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
    """Give the two planes (linear, logarithmic) between the percentiles, shape (2, y, x).

    An integer picture goes through a table over its levels, which is several times faster than
    arithmetic on each pixel.
    """
    if grey.dtype in (numpy.uint8, numpy.uint16):
        counts = numpy.bincount(grey.ravel(), minlength=1)
        share = numpy.cumsum(counts) / grey.size * 100
        low = float(numpy.searchsorted(share, LOW_PERCENT))
        high = float(numpy.searchsorted(share, HIGH_PERCENT))
        table = _two(numpy.arange(len(counts), dtype=numpy.float32), low, high)
        return numpy.ascontiguousarray(numpy.take(table, grey, axis=1))
    low, high = numpy.percentile(grey, (LOW_PERCENT, HIGH_PERCENT))
    return _two(grey.astype(numpy.float32), float(low), float(high))


def _two(values: NDArray[numpy.float32], low: float, high: float) -> NDArray[numpy.float32]:
    linear = numpy.clip((values - low) / max(high - low, 1e-6), -0.2, 1.5)
    logarithmic = numpy.log1p(LOG_GAIN * numpy.maximum(linear, 0)) / numpy.log1p(LOG_GAIN)
    return numpy.stack([linear, logarithmic]).astype(numpy.float32)


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
