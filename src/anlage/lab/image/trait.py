"""Fourteen numbers that say what kind of picture this is, before anything in it is counted.

They describe the histogram, the fineness of the texture, the light and the colour, not the
objects; a picture far from all that a method was trained on is seen here, in a millisecond.
"""

from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from .picture import Picture

TRAITS = (
    "log_pixels",
    "level",
    "contrast",
    "balance",
    "spread",
    "bright_tail",
    "dark_tail",
    "fineness_1",
    "fineness_2",
    "fineness_4",
    "noise",
    "unevenness",
    "colour",
    "steepness",
)
"""Names of the numbers in the order in which `traits` gives them."""

STAIN_SLOPES = 0.35
STRONG_COLOUR = 0.15

WINDOW_PX = 768
"""Traits are taken on the central window of at most this side."""


def traits(picture: Picture, *, frame: int = 0, channel: int | None = None) -> NDArray[Any]:
    """Give the traits of one plane of a picture, as float64 in the order of `TRAITS`."""
    grey = centre(picture.grey(frame=frame, channel=channel))
    # Sixteen bits seldom are: the brightest pixel stands for full scale there.
    eight = picture.pixels.dtype == numpy.uint8
    scale = picture.full_scale if eight else max(int(grey.max()), 1)
    values = numpy.asarray(grey / numpy.float32(scale), numpy.float32)
    low, lower, median, upper, high = (
        float(one) for one in numpy.percentile(values, (0.5, 25, 50, 75, 99.5))
    )
    reach = max(high - low, 1e-4)
    variance = float(values.var()) + 1e-9
    fine = [float(_difference(values, lag)) / variance for lag in (1, 2, 4)]
    blocks = cv2.resize(values, (8, 8), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(values, (0, 0), 1.0)
    slope = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return numpy.array(
        [
            numpy.log10(picture.height * picture.width),
            median,
            max(numpy.log10(reach), -1.5),
            (median - low) / reach,
            (upper - lower) / reach,
            float((values > median + 0.25 * reach).mean()),
            float((values < median - 0.25 * reach).mean()),
            *(numpy.log10(one + 1e-5) for one in fine),
            numpy.log10(_noise(values) / reach + 1e-3),
            float(blocks.std()) / reach,
            stain(picture, frame),
            numpy.log10(float(numpy.percentile(slope, 99)) / reach + 1e-5),
        ],
        numpy.float64,
    )


def centre(plane: NDArray[Any]) -> NDArray[Any]:
    """Give the window in the middle of a plane on which traits are taken."""
    height, width = plane.shape
    top, left = max(0, (height - WINDOW_PX) // 2), max(0, (width - WINDOW_PX) // 2)
    return plane[top : top + WINDOW_PX, left : left + WINDOW_PX]


def _difference(values: NDArray[numpy.float32], lag: int) -> float:
    """Half the mean square of the difference at a lag (the variogram), over both directions."""
    parts = [
        float(numpy.square(values[lag:] - values[:-lag]).mean()) if len(values) > lag else 0.0,
        float(numpy.square(values[:, lag:] - values[:, :-lag]).mean())
        if values.shape[1] > lag
        else 0.0,
    ]
    return 0.25 * sum(parts)


def _noise(values: NDArray[numpy.float32]) -> float:
    """Standard deviation of the noise (J. Immerkaer, 1996, doi:10.1006/cviu.1996.0060).

    The median stands for the mean, so that the rims of objects weigh little.
    """
    mask = numpy.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], numpy.float32)
    answer = numpy.abs(cv2.filter2D(values, cv2.CV_32F, mask))
    return float(numpy.median(answer)) / 0.6745 / 6


def stain(picture: Picture, frame: int = 0) -> float:
    """Give how strongly the colour of a picture speaks of a stain, 0 to 1.

    A stain takes more of one colour than of another where it is thicker, so that the channels
    rise with the grey at different slopes; the tint of a lamp or of a file format leaves the
    slopes alike. Without different slopes only a strong colour of the whole field counts.

    Returns:
        Mean distance between the highest and the lowest channel over full scale, or 0.
    """
    if not picture.colour:
        return 0.0
    small = [
        cv2.resize(numpy.ascontiguousarray(one), (64, 64), interpolation=cv2.INTER_AREA)
        for one in picture.pixels[frame, 0]
    ]
    stack = numpy.stack(small).astype(numpy.float32) / picture.full_scale
    distance = float((stack.max(axis=0) - stack.min(axis=0)).mean())
    grey = stack.mean(axis=0)
    rest = grey - grey.mean()
    whole = float(numpy.square(rest).sum())
    slopes = [float((rest * one).sum()) / whole for one in stack] if whole > 1e-9 else [1.0]
    if max(slopes) - min(slopes) > STAIN_SLOPES or distance > STRONG_COLOUR:
        return distance
    return 0.0
