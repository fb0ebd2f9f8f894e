"""Whether a picture can be judged at all: blank, saturated, blurred, noisy, broken, repeated.

Quality comes before numbers. A fault that makes every number a guess is a refusal; a weakness
that a person should know of, but that leaves the number standing, is a flag.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from .picture import Picture

LEAST_SIDE_PX = 6
BLANK_CONTRAST = 0.02
"""A field whose smoothed range is below this share of full scale, and below its noise, is blank."""

SATURATED_SHARE = 0.25
SATURATED_SHARE_BRIGHT = 0.8
"""Brightfield may saturate its empty background; the cells are darker rings in it."""

SATURATED_FLAG = 0.02
NOISE_SHARE = 0.7
"""Above this share of unrelated variance a field is noise: objects are larger than a pixel."""

LOUD = 0.02
"""Noise below this share of full scale is that of an empty field, not of a broken one."""

LARGE_PX = 96 * 96
"""Smaller pictures hold too few pixels to tell noise from a cell."""

FLAT_BAND_ROWS = 0.12


def fault(picture: Picture, *, frame: int = 0, channel: int | None = None) -> Problem | None:
    """Give the first fault that forbids any measurement on the plane, or None.

    Args:
        picture: The picture.
        frame: Point in time.
        channel: Channel measured; the default of `Picture.grey` when None.
    """
    if min(picture.height, picture.width) < LEAST_SIDE_PX:
        found = f"{picture.width} x {picture.height} px"
        return _problem("image-too-small", picture, found, f"a side of {LEAST_SIDE_PX} px", "")
    grey = picture.grey(frame=frame, channel=channel)
    scale = float(picture.full_scale)
    low, high = int(grey.min()), int(grey.max())
    if low == high:
        return _blank(picture, f"every pixel at {low}")
    top = float((grey == high).mean())
    median = float(numpy.median(grey))
    allowed = SATURATED_SHARE if median < 0.5 * scale else SATURATED_SHARE_BRIGHT
    if high >= scale and top > allowed:
        return _saturated(picture, top, allowed)
    if (band := _broken_rows(grey)) is not None:
        return _problem(
            "image-damaged", picture, band, "detail in every part", "export the image again"
        )
    share = _unrelated(grey)
    if share > NOISE_SHARE and float(grey.std()) > LOUD * scale:
        found = f"{100 * share:.0f} % of the variance between neighbouring pixels"
        return _problem("image-noisy", picture, found, f"{100 * NOISE_SHARE:.0f} %", "")
    if _noise_alone(grey, scale):
        return _blank(picture, f"nothing above the noise between {low} and {high}")
    return None


def weaknesses(picture: Picture, *, frame: int = 0, channel: int | None = None) -> list[str]:
    """Give the flags of a plane that can be measured, each a stable word."""
    grey = picture.grey(frame=frame, channel=channel)
    flags = []
    if float((grey == picture.full_scale).mean()) > SATURATED_FLAG:
        flags.append("saturated-pixels")
    if int(grey.max()) - int(grey.min()) < 0.05 * picture.full_scale:
        flags.append("low-contrast")
    if picture.depth_planes > 1:
        flags.append("projected-over-depth")
    if picture.pixel_size_um is None:
        flags.append("pixel-size-unknown")
    return flags


def sharpness(grey: NDArray[Any]) -> float:
    """Give how abrupt the steepest edges are: change over 2 px against change over 16 px.

    The contrast of the sample cancels. White noise gives about 1, sharp rims 0.3 to 1, a field
    blurred by six pixels and more below 0.2. A side of 32 px or less gives 0: not to be judged.
    """
    values = cv2.GaussianBlur(grey.astype(numpy.float32), (0, 0), 0.7)
    near = _edge(values, 2)
    far = _edge(values, 16)
    return near / far if far > 0 else 0.0


def _edge(values: NDArray[numpy.float32], lag: int) -> float:
    if min(values.shape) <= 2 * lag:
        return 0.0
    across = numpy.abs(values[:, lag:] - values[:, :-lag])
    down = numpy.abs(values[lag:] - values[:-lag])
    return float(numpy.percentile(across, 99.5) + numpy.percentile(down, 99.5))


def pixel_digest(picture: Picture) -> str:
    """Give the SHA-256 of shape and pixels: equal for the same picture in another container."""
    whole = hashlib.sha256(repr((picture.pixels.shape, picture.pixels.dtype.str)).encode())
    whole.update(numpy.ascontiguousarray(picture.pixels).tobytes())
    return whole.hexdigest()


def duplicates(digests: Iterable[str]) -> list[int | None]:
    """Give, for each digest, the place of the first equal one before it, or None."""
    first: dict[str, int] = {}
    answer: list[int | None] = []
    for place, digest in enumerate(digests):
        answer.append(first.get(digest))
        first.setdefault(digest, place)
    return answer


def _unrelated(grey: NDArray[Any]) -> float:
    """Give the share of the variance that neighbouring pixels do not have in common, 0..1."""
    if grey.size < LARGE_PX:
        return 0.0
    values = grey.astype(numpy.float32)
    rest = numpy.square(values[1:] - values[:-1]).mean()
    rest += numpy.square(values[:, 1:] - values[:, :-1]).mean()
    return float(rest) / 4 / max(float(values.var()), 1e-6)


def _noise_alone(grey: NDArray[Any], scale: float) -> bool:
    """Tell whether smoothing leaves nothing: the field holds noise and no object."""
    values = grey.astype(numpy.float32)
    if values.size < LARGE_PX:
        return False
    smooth = cv2.GaussianBlur(values, (0, 0), 2.5)
    middle = float(numpy.median(smooth))
    # The median absolute deviation of the smoothed field stands for what noise leaves in it.
    left = 1.4826 * float(numpy.median(numpy.abs(smooth - middle))) + 1e-3
    reach = max(float(smooth.max()) - middle, middle - float(smooth.min()))
    return reach < BLANK_CONTRAST * scale and reach < 7 * left


def _broken_rows(grey: NDArray[Any]) -> str | None:
    """Find a band of rows of one value beside rows with detail: a decoder filled a gap.

    A band at the floor or at full scale is none: a camera clips an empty background to it.
    """
    if grey.shape[0] < 32 or grey.shape[1] < 32:
        return None
    flat = grey.max(axis=1) == grey.min(axis=1)
    share = float(flat.mean())
    if share == 0 or share > 0.98:
        return None
    rows = numpy.flatnonzero(flat)
    runs = numpy.split(rows, numpy.flatnonzero(numpy.diff(rows) > 1) + 1)
    longest = max(runs, key=len)
    if len(longest) < FLAT_BAND_ROWS * grey.shape[0]:
        return None
    detailed = grey[~flat]
    level = float(grey[longest[0], 0])
    full = 255 if grey.dtype == numpy.uint8 else 65535
    if level <= float(numpy.percentile(detailed, 1)) + 2 or level == full:
        return None
    return f"rows {longest[0]} to {longest[-1]} of one value ({level:.0f})"


def _problem(code: str, picture: Picture, found: str, limit: str, remedy: str) -> Problem:
    return Problem(
        code=code,
        what=f"image {picture.name} cannot be measured",
        found=found,
        limit=limit or None,
        remedy=remedy or "take the image again",
        path=picture.name,
    )


def _blank(picture: Picture, found: str) -> Problem:
    return _problem(
        "image-blank", picture, found, "objects above the background", "check light and exposure"
    )


def _saturated(picture: Picture, share: float, allowed: float) -> Problem:
    return _problem(
        "image-saturated",
        picture,
        f"{100 * share:.0f} % of the pixels at the highest value",
        f"{100 * allowed:.0f} %",
        "expose for a shorter time and take the image again",
    )
