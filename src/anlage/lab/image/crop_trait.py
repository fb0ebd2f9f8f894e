"""Numbers that describe the crop of one cell, from its pixels alone.

Size, brightness, texture at several scales, the profile from the middle outwards, and what
openings and closings of growing size leave over. A few hundred trees on these numbers and a small
network on the pixels make different mistakes on a donor that neither has seen; the activation
score is the mean of both (see activation.py).
"""

from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float32]

BAND_SIGMAS_PX = (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
SLOPE_SIGMAS_PX = (1.0, 2.0, 3.0)
RINGS_PX = ((0, 3), (3, 6), (6, 9), (9, 12), (12, 16), (16, 22))
OPENINGS_PX = (3, 5, 7, 9, 13)
PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
_RIM_PX = 16
_NOISE = numpy.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], numpy.float32)

CROP_TRAITS = (
    "log_area",
    "log_short_side",
    "log_elongation",
    *(f"log_percentile_{one}" for one in PERCENTILES),
    "log_mean",
    "log_spread",
    "variation",
    "skewness",
    "kurtosis",
    *(
        f"{what}_{sigma:g}_px"
        for sigma in BAND_SIGMAS_PX
        for what in ("band_share", "band_log_spread", "band_skewness")
    ),
    *(
        f"{what}_{sigma:g}_px"
        for sigma in SLOPE_SIGMAS_PX
        for what in ("log_slope", "log_steepest", "log_relative_slope", "grain")
    ),
    *(f"log_ring_{low}_{high}_px" for low, high in RINGS_PX),
    *(f"log_ring_ratio_{low}_{high}_px" for low, high in RINGS_PX[1:]),
    "bright_share",
    "log_bright_area",
    "log_bright_over_dark",
    "bright_thickness_px",
    *(f"{what}_{size}_px" for size in OPENINGS_PX for what in ("opened", "closed")),
    "above_median",
    "far_above_median",
    "far_below_median",
    "near_full_scale",
    "entropy",
    "log_noise",
    "log_relative_noise",
)
"""Names of the numbers in the order in which `crop_traits` gives them."""


def crop_traits(crop: NDArray[Any]) -> Floats:
    """Give the traits of a crop, in the order of `CROP_TRAITS`.

    Args:
        crop: Values on the scale of 8 bits, shape (y, x), at least 3 px a side.
    """
    grey = numpy.asarray(crop, numpy.float32)
    variance = float(grey.var()) + 1
    parts = [
        *_size(grey),
        *_brightness(grey),
        *_bands(grey, variance),
        *_slopes(grey, variance),
        *_rings(grey),
        *_bright_part(grey),
        *_openings(grey),
        *_tails(grey, variance),
    ]
    return numpy.array(parts, numpy.float32)


def _size(grey: Floats) -> list[float]:
    short, long = sorted(grey.shape)
    return [numpy.log(short * long), numpy.log(short), numpy.log(long / short)]


def _brightness(grey: Floats) -> list[float]:
    mean, spread = float(grey.mean()), float(grey.std())
    rest = grey - mean
    return [
        *numpy.log(numpy.percentile(grey, PERCENTILES) + 2),
        numpy.log(mean + 1),
        numpy.log(spread + 1),
        spread / (mean + 1),
        float((rest**3).mean()) / (spread + 1) ** 3,
        float((rest**4).mean()) / (spread + 1) ** 4,
    ]


def _bands(grey: Floats, variance: float) -> list[float]:
    """Differences of Gaussians: how much of the variance lies at each scale."""
    before = grown = _grown(grey)
    inner = numpy.s_[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX]
    answer = []
    for sigma in BAND_SIGMAS_PX:
        after = cv2.GaussianBlur(grown, (0, 0), sigma)
        band = (before - after)[inner]
        before = after
        spread = float(band.std())
        answer += [
            numpy.log(spread**2 / variance + 1e-4),
            numpy.log(spread + 0.05),
            float((band**3).mean()) / (spread + 0.1) ** 3,
        ]
    return answer


def _grown(grey: Floats) -> Floats:
    """Let the crop go on beyond its border as in a mirror."""
    rim = _RIM_PX
    border = cv2.BORDER_REFLECT
    return numpy.asarray(cv2.copyMakeBorder(grey, rim, rim, rim, rim, border), numpy.float32)


def _slopes(grey: Floats, variance: float) -> list[float]:
    """Steepness, and how much the slopes agree on one direction (the structure tensor)."""
    grown = _grown(grey)
    inner = numpy.s_[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX]
    answer = []
    for sigma in SLOPE_SIGMAS_PX:
        smooth = cv2.GaussianBlur(grown, (0, 0), sigma)
        across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[inner]
        down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[inner]
        slope = numpy.hypot(across, down)
        xx, yy = float((across**2).mean()), float((down**2).mean())
        apart = numpy.hypot(xx - yy, 2 * float((across * down).mean()))
        mean = float(slope.mean())
        answer += [
            numpy.log(mean + 0.1),
            numpy.log(float(numpy.percentile(slope, 95)) + 0.1),
            numpy.log(mean / numpy.sqrt(variance) + 1e-3),
            float(apart) / (xx + yy + 1e-3),
        ]
    return answer


def _rings(grey: Floats) -> list[float]:
    height, width = grey.shape
    ys, xs = numpy.mgrid[:height, :width]
    away = numpy.hypot(ys - (height - 1) / 2, xs - (width - 1) / 2)
    means = []
    last = float(grey.mean())
    for low, high in RINGS_PX:
        ring = (away >= low) & (away < high)
        # Beyond the crop the profile goes on as it ended.
        last = float(grey[ring].mean()) if ring.any() else last
        means.append(numpy.log(last + 2))
    return [*means, *(one - means[0] for one in means[1:])]


def _bright_part(grey: Floats) -> list[float]:
    """What Otsu's threshold takes for the cell."""
    _, mask = cv2.threshold(
        grey.clip(0, 255).astype(numpy.uint8), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    bright = mask > 0
    ratio = 0.0
    if bright.any() and not bright.all():
        ratio = numpy.log((float(grey[bright].mean()) + 1) / (float(grey[~bright].mean()) + 1))
    thickness = float(cv2.distanceTransform(mask, cv2.DIST_L2, 5).max())
    return [float(bright.mean()), numpy.log(bright.sum() + 1), ratio, thickness]


def _openings(grey: Floats) -> list[float]:
    mean = float(grey.mean()) + 1
    answer = []
    for size in OPENINGS_PX:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        for how in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
            answer.append(float(cv2.morphologyEx(grey, how, disc).mean()) / mean)
    return answer


def _tails(grey: Floats, variance: float) -> list[float]:
    median = float(numpy.median(grey))
    shares = numpy.bincount((grey.clip(0, 255) / 8).astype(int).ravel(), minlength=32) / grey.size
    shares = shares[shares > 0]
    noise = float(numpy.median(numpy.abs(cv2.filter2D(grey, cv2.CV_32F, _NOISE))))
    return [
        float((grey > 1.5 * median + 2).mean()),
        float((grey > 2 * median + 4).mean()),
        float((grey < 0.5 * median).mean()),
        float((grey > 200).mean()),
        -float((shares * numpy.log(shares)).sum()),
        numpy.log(noise + 0.2),
        numpy.log((noise + 0.2) / numpy.sqrt(variance)),
    ]
