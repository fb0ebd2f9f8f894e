"""Numbers that betray lines, tiles and rows which do not belong where they are.

Light that came through a lens changes over two pixels and more, alike along rows and columns. A
row that was shifted, a tile set elsewhere, a band of another gain meet their neighbours in a step
of one pixel that goes on along a line. Every number of `ALONG` is taken along both directions:
the larger one is given, and how far the two are apart: rows and columns weigh alike.
"""

from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float32]

ALONG = (
    "jag_tail",
    "jag_mean",
    "step_share",
    "step_top",
    "line_top",
    "line_long",
    "line_comb",
    "unlike_next",
    "unlike_some",
    "gain_step",
    "gain_agreed",
    "twin_lines",
)
SEAM = (
    *ALONG,
    *(f"{one}_apart" for one in ALONG),
    "softest",
    "soft_apart",
    "grain_apart",
    "lonely_share",
    "tone",
    "grain_levels",
)
"""Names of the numbers in the order in which `seams` gives them."""

SEGMENT_PX = 8
SMALL_PX = 64
"""Below this side of a picture segments are half as long."""

STEP_OVER_NOISE = 4.0
PERIODS_PX = (5, 64)
LAGS_PX = (2, 8)
MANY = 1 << 15
"""Numbers above which percentiles are taken of about so many, evenly spaced."""

TONE_SIDE_PX = 256
_JAG = numpy.array([[1], [-4], [6], [-4], [1]], numpy.float32)


def seams(grey: NDArray[Any]) -> NDArray[numpy.float64]:
    """Give the numbers of a grey plane of any integer or float type, in the order of `SEAM`.

    Args:
        grey: The plane, shape (y, x), at least 6 px a side.
    """
    values = numpy.ascontiguousarray(grey, numpy.float32)
    # Eight bits stored in more: what counts is a step against the spread and the noise.
    spread = max(float(values.std()), 1e-3)
    values = values / spread
    down = _along(values)
    across = _along(numpy.ascontiguousarray(values.T))
    return numpy.concatenate(
        [
            numpy.maximum(down, across),
            numpy.abs(down - across),
            _directions(values),
            # What smoothing took away is below one level of the file, whatever the objects are.
            [numpy.log(spread * float(numpy.exp(min(down[1], across[1]))) + 1e-2)],
        ]
    )


def _along(values: Floats) -> NDArray[numpy.float64]:
    """Give the numbers for lines between rows."""
    jags = numpy.abs(cv2.filter2D(values, -1, _JAG))[2:-2]
    middle, high = _percentiles(jags, 50, 99.5)
    tail = numpy.log((high + 1e-3) / (middle + 1e-3))
    return numpy.array(
        [
            tail,
            numpy.log(float(jags.mean()) + 1e-3),
            *_steps(values[1:] - values[:-1]),
            *_rows(values),
            _agreed(values),
            _twins(values),
        ],
        numpy.float64,
    )


def _percentiles(values: NDArray[Any], *shares: float) -> list[float]:
    """Give percentiles, of some of the values where there are many."""
    # An odd step does not fall on the same columns of every row of an even width.
    flat = values.ravel()[:: values.size // MANY | 1]
    return [float(one) for one in numpy.percentile(flat, shares)]


def _steps(steps: Floats) -> list[float]:
    """Judge steps averaged over short segments of a line: isolated ones are no optics."""
    long = SEGMENT_PX if min(steps.shape) >= SMALL_PX else SEGMENT_PX // 2
    size = numpy.abs(cv2.blur(steps, (long, 1))[:, long // 2 :: long // 2])
    alone = _alone(size)
    noise = 1.4826 * _percentiles(size, 50)[0] + 1e-3
    share = float((alone > STEP_OVER_NOISE * noise).mean())
    (top,) = _percentiles(alone, 99.5)
    line = numpy.square(numpy.minimum(size, 6 * noise)).mean(axis=1)
    rest = _over_neighbours(numpy.log(numpy.sqrt(line) / noise + 0.05))
    quarter = max(steps.shape[1] // 4, 3)
    far = numpy.abs(cv2.blur(steps, (quarter, 1))[:, quarter // 2 :: quarter])
    stands = numpy.sqrt(numpy.square(_alone(far).clip(0)).mean(axis=1))
    return [
        float(numpy.log10(share + 1e-4)),
        float(numpy.log(max(top, 0.0) + 1e-3)),
        _best(rest),
        float(numpy.log(_best(stands) / (float(numpy.median(far)) + 1e-3) + 1e-2)),
        _comb(rest),
    ]


def _alone(size: NDArray[Any]) -> NDArray[Any]:
    """Give how much larger each step is than that before and that after it."""
    grown = numpy.pad(size, ((1, 1), (0, 0)))
    return numpy.asarray(size - numpy.maximum(grown[:-2], grown[2:]))


def _best(line: NDArray[Any]) -> float:
    """Give the mean of the highest few."""
    return float(numpy.sort(line)[-max(2, len(line) // 40) :].mean())


def _over_neighbours(line: NDArray[Any]) -> NDArray[Any]:
    if len(line) < 5:
        return numpy.asarray(line - numpy.median(line))
    whole = numpy.ascontiguousarray(line[:, None], numpy.float32)
    return numpy.asarray(line - cv2.medianBlur(whole, 5)[:, 0])


def _comb(rest: NDArray[Any]) -> float:
    """Give how far the lines of the best grid stand out, in standard errors."""
    spread = float(rest.std()) + 1e-3
    best = 0.0
    low, high = PERIODS_PX
    for period in range(low, min(high, len(rest) // 3) + 1):
        whole = len(rest) // period * period
        by_phase = rest[:whole].reshape(-1, period)
        most = float(by_phase.mean(axis=0).max() - rest.mean()) / spread
        best = max(best, most * len(by_phase) ** 0.5)
    return best


def _rows(values: Floats) -> list[float]:
    """Compare every row with the next: how unlike they are, and the steps of their gain."""
    lifted = values - float(values.min()) + 0.05
    gain = numpy.log((lifted[1:] * lifted[:-1]).sum(axis=1) / numpy.square(lifted[:-1]).sum(axis=1))
    alone = _best(_alone(numpy.abs(gain)[:, None])[:, 0])
    rest = values - values.mean(axis=1, keepdims=True)
    energy = numpy.square(rest).sum(axis=1)
    both = numpy.sqrt(energy[1:] * energy[:-1]) + 1e-3
    unlike = 1 - (rest[1:] * rest[:-1]).sum(axis=1) / both
    # Rows of empty ground are noise, unlike by right: those with objects speak.
    asked = unlike[both >= numpy.percentile(both, 75)]
    middle, some = _percentiles(asked, 50, 90)
    return [
        float(numpy.log(max(middle, 0) + 1e-3)),
        float(numpy.log(max(some, 0) + 1e-3)),
        float(numpy.log(max(alone, 0) + 1e-3)),
    ]


def _agreed(values: Floats) -> float:
    """Give how much all columns agree that the gain jumps between two rows."""
    if len(values) < 5:
        return 0.0
    # Neighbouring columns see the same light: in a large plane every third is enough.
    light = numpy.log(values[:, :: 3 if values.size > MANY else 1] - float(values.min()) + 0.1)
    steps = light[1:] - light[:-1]
    jump = steps[1:-1] - 0.5 * (steps[:-2] + steps[2:])
    middle = numpy.median(jump, axis=1)
    away = 1.4826 * numpy.median(numpy.abs(jump - middle[:, None]), axis=1) + 0.02
    return float(numpy.log(_best(numpy.abs(middle) / away) + 0.05))


def _twins(values: Floats) -> float:
    """Give the share of rows with detail that stand elsewhere in the plane again."""
    detailed = values[values.max(axis=1) > values.min(axis=1)]
    if not len(detailed):
        return 0.0
    return 1 - len({row.tobytes() for row in detailed}) / len(detailed)


def _directions(values: Floats) -> list[float]:
    """Give what differs between the four directions, what stands alone, and what rings."""
    smooth = cv2.GaussianBlur(values, (0, 0), 0.7)
    soft, grain = [], []
    for y, x in ((0, 1), (1, 0), (1, 1), (1, -1)):
        near, far = (_lagged(smooth, lag * y, lag * x) for lag in LAGS_PX)
        soft.append(numpy.log((near + 1e-3) / (far + 1e-3)))
        grain.append(numpy.log(float(numpy.abs(_shifted(values, y, x)).mean()) + 1e-3))
    (noise,) = _percentiles(numpy.abs(_shifted(values, 1, 1)), 50)
    lonely = numpy.abs(values - cv2.medianBlur(values, 3)) > 6 * noise + 0.3
    return [
        float(min(soft)),
        float(max(soft) - min(soft)),
        max(grain) - min(grain),
        float(numpy.log10(float(lonely.mean()) + 1e-5)),
        _tone(values),
    ]


def _shifted(values: Floats, y: int, x: int) -> Floats:
    """Give the difference of the plane to itself, y rows down and x columns aside."""
    height, width = values.shape
    y, shift = min(y, height - 2), max(min(x, width - 2), 2 - width)
    left, right = max(shift, 0), min(shift, 0)
    every = 3 if values.size > MANY else 1
    here = values[y::every, left : width + right]
    there = values[: height - y : every, -right : width - left]
    return here - there


def _lagged(values: Floats, y: int, x: int) -> float:
    return _percentiles(numpy.abs(_shifted(values, y, x)), 99)[0]


def _tone(values: Floats) -> float:
    """Give how far the strongest wave stands out of those about as long, as a logarithm."""
    height, width = (min(side, TONE_SIDE_PX) for side in values.shape)
    top, left = (values.shape[0] - height) // 2, (values.shape[1] - width) // 2
    part = values[top : top + height, left : left + width]
    window = numpy.hanning(height + 2)[1:-1, None] * numpy.hanning(width + 2)[None, 1:-1]
    power = numpy.abs(numpy.fft.rfft2((part - part.mean()) * window)) ** 2
    down, across = numpy.fft.fftfreq(height)[:, None], numpy.fft.rfftfreq(width)[None]
    ring = numpy.minimum((numpy.hypot(down, across) * 24).astype(int), 12)
    counts = numpy.bincount(ring.ravel(), minlength=13)
    means = numpy.bincount(ring.ravel(), power.ravel(), minlength=13) / numpy.maximum(counts, 1)
    # Waves longer than a dozen pixels are objects, not a tone.
    asked = ring >= 2
    return float(numpy.log((power / (means[ring] + 1e-6))[asked].max() + 1e-3))
