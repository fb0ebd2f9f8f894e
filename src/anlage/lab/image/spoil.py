"""Pictures that no method must measure: foreign ones, and good ones broken in many ways.

The gates learn from them (train_gate.py) and the benchmark counts how many are refused. Foreign
pictures come from what installed packages carry (scikit-image, scikit-learn).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy
from numpy.typing import NDArray

from .picture import Picture

Grey = NDArray[numpy.uint8]
Rng = numpy.random.Generator
Spoil = Callable[[Grey, Rng], Grey]

SIDES_PX = (256, 360, 512)
"""Sides of the windows cut from foreign pictures."""

NATURAL = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "chessboard_GRAY.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "color.png",
    "grass.png",
    "gravel.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "microaneurysms.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "phantom.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
)
"""What scikit-image carries that is neither a field, nor a chamber, nor a crop of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A picture of something else: where it comes from, in colour as it was or in grey."""

    name: str
    picture: Picture


def natural_pictures() -> Iterator[Foreign]:
    """Give windows of three sizes of every natural picture, in colour and in grey."""
    for path in _carried():
        whole = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if whole is None:
            continue
        rgb = numpy.ascontiguousarray(whole[..., ::-1])
        grey_alone = bool((rgb == rgb[..., :1]).all())
        for side in SIDES_PX:
            if min(rgb.shape[:2]) < side:
                small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
            else:
                top, left = ((one - side) // 2 for one in rgb.shape[:2])
                small = numpy.ascontiguousarray(rgb[top : top + side, left : left + side])
            grey = numpy.ascontiguousarray(small.mean(axis=2).astype(numpy.uint8))
            yield Foreign(name=path.stem, picture=Picture.of(grey, name=path.name))
            if not grey_alone:
                yield Foreign(name=path.stem, picture=Picture.of(small, name=path.name))


def small_natural_pictures() -> Iterator[Foreign]:
    """Give windows of 24 and 40 px of natural pictures: of the size of a crop of one cell."""
    for path in _carried():
        whole = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if whole is None:
            continue
        for side in (24, 40):
            top, left = (one // 3 for one in whole.shape[:2])
            window = numpy.ascontiguousarray(whole[top : top + side, left : left + side])
            yield Foreign(name=path.stem, picture=Picture.of(window, name=path.name))


def _carried() -> list[Path]:
    paths: list[Path] = []
    for package, folder, names in (
        ("skimage", "data", NATURAL),
        ("sklearn", "datasets/images", ("china.jpg", "flower.jpg")),
    ):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        place = Path(spec.origin).parent / folder
        paths += [place / name for name in names if (place / name).is_file()]
    return paths


def _band(grey: Grey, value: float, rng: Rng) -> Grey:
    grey[int(grey.shape[0] * rng.uniform(0.4, 0.75)) :] = int(value)
    return grey


def _banded(grey: Grey, rng: Rng) -> Grey:
    wide = int(rng.integers(2, 9))
    gain = numpy.repeat(rng.uniform(0.3, 1.7, -(-len(grey) // wide)), wide)[: len(grey), None]
    return numpy.clip(grey * gain, 0, 255).astype(numpy.uint8)


def _rows_lost(grey: Grey, rng: Rng) -> Grey:
    grey[rng.random(len(grey)) < rng.uniform(0.15, 0.5)] = 0
    return grey


def _rows_shifted(grey: Grey, rng: Rng) -> Grey:
    reach = max(3, grey.shape[1] // 20)
    for row in grey:
        row[:] = numpy.roll(row, int(rng.integers(-reach, reach + 1)))
    return grey


def _blocks(grey: Grey, rng: Rng) -> Grey:
    _, packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(1, 5))])
    return numpy.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), numpy.uint8)


def _pixelated(grey: Grey, rng: Rng) -> Grey:
    # At least 24 places a side would still show what the picture is.
    parts = int(rng.integers(10, 24))
    coarse = (min(parts, grey.shape[1] // 3), min(parts, grey.shape[0] // 3))
    small = cv2.resize(grey, coarse, interpolation=cv2.INTER_AREA)
    size = (grey.shape[1], grey.shape[0])
    return numpy.asarray(cv2.resize(small, size, interpolation=cv2.INTER_NEAREST), numpy.uint8)


def _tiles_mixed(grey: Grey, rng: Rng) -> Grey:
    side = max(5, int(min(grey.shape) / rng.uniform(6, 16)))
    tall, wide = grey.shape[0] // side, grey.shape[1] // side
    tiles = grey[: tall * side, : wide * side].reshape(tall, side, wide, side).swapaxes(1, 2)
    mixed = rng.permutation(tiles.reshape(-1, side, side)).reshape(tall, wide, side, side)
    return numpy.ascontiguousarray(mixed.swapaxes(1, 2).reshape(tall * side, wide * side))


def _two_levels(grey: Grey, _: Rng) -> Grey:
    return numpy.where(grey > grey.mean(), 255, 0).astype(numpy.uint8)


def _burnt(grey: Grey, _: Rng) -> Grey:
    return numpy.where(grey > numpy.percentile(grey, 5), 255, grey).astype(numpy.uint8)


def _salted(grey: Grey, rng: Rng) -> Grey:
    drawn = rng.random(grey.shape)
    grey[drawn < 0.1] = 0
    grey[drawn > 0.9] = 255
    return grey


def _wrapped(grey: Grey, _: Rng) -> Grey:
    """An overflow: the values go round the clock several times."""
    return (grey.astype(numpy.int64) * 7 % 256).astype(numpy.uint8)


FAULTS: dict[str, Spoil] = {
    "blank": lambda grey, _: numpy.full_like(grey, int(numpy.median(grey))),
    "filled grey": lambda grey, rng: _band(grey, 128, rng),
    "filled black": lambda grey, rng: _band(grey, 0, rng),
    "banded": _banded,
    "rows lost": _rows_lost,
    "rows shifted": _rows_shifted,
    "jpeg blocks": _blocks,
    "pixelated": _pixelated,
    "tiles mixed": _tiles_mixed,
    "two levels": _two_levels,
    "noise": lambda grey, rng: numpy.clip(grey + rng.normal(0, 60, grey.shape), 0, 255).astype(
        numpy.uint8
    ),
    "salt and pepper": _salted,
    "shuffled": lambda grey, rng: rng.permutation(grey.ravel()).reshape(grey.shape),
    "burnt": _burnt,
    "blurred": lambda grey, rng: cv2.GaussianBlur(
        grey, (0, 0), max(max(grey.shape) / rng.uniform(18, 28), 2.5)
    ).astype(numpy.uint8),
    "inverted": lambda grey, _: 255 - grey,
    "wrapped": _wrapped,
    "too dark": lambda grey, _: (grey // 64).astype(numpy.uint8),
}
"""Ways in which a good picture is broken so that nobody could measure it."""
