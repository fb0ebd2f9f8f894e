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


def _turned(spoil: Spoil) -> Spoil:
    """Give the way that does to columns what another does to rows."""

    def turned(grey: Grey, rng: Rng) -> Grey:
        return numpy.ascontiguousarray(spoil(numpy.ascontiguousarray(grey.T), rng).T)

    return turned


def _interlaced(grey: Grey, rng: Rng) -> Grey:
    """Every second row is late, as in a scan back and forth that was not adjusted."""
    grey[1::2] = numpy.roll(grey[1::2], int(rng.integers(2, 3 + grey.shape[1] // 24)), axis=1)
    return grey


def _quarters(grey: Grey, rng: Rng) -> Grey:
    """The quarters of the picture in another order."""
    tall, wide = grey.shape[0] // 2, grey.shape[1] // 2
    parts = [grey[:tall, :wide], grey[:tall, wide : 2 * wide]]
    parts += [grey[tall : 2 * tall, :wide], grey[tall : 2 * tall, wide : 2 * wide]]
    turn = int(rng.integers(1, 4))
    one, two, three, four = parts[turn:] + parts[:turn]
    return numpy.ascontiguousarray(
        numpy.vstack([numpy.hstack([one, two]), numpy.hstack([three, four])])
    )


def _repeated(grey: Grey, rng: Rng) -> Grey:
    """A reader that lost its place gives the same rows again and again."""
    wide = max(2, len(grey) // int(rng.integers(6, 16)))
    begun = int(rng.integers(0, len(grey) // 2))
    rest = len(grey) - begun
    return numpy.vstack(
        [grey[:begun], numpy.resize(grey[begun : begun + wide], (rest, grey.shape[1]))]
    )


def _half_noise(grey: Grey, rng: Rng) -> Grey:
    """From some row on bytes that were never a picture."""
    begun = int(len(grey) * rng.uniform(0.3, 0.7))
    grey[begun:] = rng.integers(0, 256, grey[begun:].shape)
    return grey


def _bits_flipped(grey: Grey, rng: Rng) -> Grey:
    """Bytes damaged on the way."""
    hit = rng.random(grey.shape) < rng.uniform(0.03, 0.2)
    return numpy.where(hit, grey ^ (1 << rng.integers(4, 8, grey.shape)), grey).astype(numpy.uint8)


def _few_levels(grey: Grey, rng: Rng) -> Grey:
    low, high = (float(one) for one in numpy.percentile(grey, (0.5, 99.5)))
    step = max((high - low) / int(rng.integers(3, 6)), 1.0)
    return numpy.clip(numpy.round((grey - low) / step) * step + low, 0, 255).astype(numpy.uint8)


def _moved(grey: Grey, rng: Rng) -> Grey:
    """The stage moved while the shutter was open."""
    long = max(7, int(max(grey.shape) * rng.uniform(0.08, 0.15)))
    kernel = numpy.zeros((long, long), numpy.float32)
    angle = rng.uniform(0, numpy.pi)
    reach = numpy.array([numpy.cos(angle), numpy.sin(angle)]) * (long - 1) / 2
    middle = (long - 1) / 2
    one, two = (tuple(round(v) for v in middle + sign * reach) for sign in (-1, 1))
    cv2.line(kernel, one, two, 1.0)
    return numpy.asarray(cv2.filter2D(grey, -1, kernel / kernel.sum()), numpy.uint8)


def _patched(grey: Grey, rng: Rng) -> Grey:
    """Rectangles of one value lie over a third of the picture."""
    tall, wide = grey.shape
    lost = numpy.zeros(grey.shape, bool)
    for _ in range(200):
        if lost.mean() > 1 / 3:
            break
        y, x = rng.integers(tall), rng.integers(wide)
        h, w = (max(3, int(one * rng.uniform(0.1, 0.3))) for one in (tall, wide))
        lost[y : y + h, x : x + w] = True
        grey[y : y + h, x : x + w] = int(rng.choice([0, 128, 255, int(grey.mean())]))
    return grey


def _rippled(grey: Grey, rng: Rng) -> Grey:
    """Mains or a moire over the whole picture, as strong as the objects."""
    low, high = (float(one) for one in numpy.percentile(grey, (0.5, 99.5)))
    ys, xs = numpy.mgrid[: grey.shape[0], : grey.shape[1]]
    angle, wave = rng.uniform(0, numpy.pi), rng.uniform(3, 10)
    phase = 2 * numpy.pi * (ys * numpy.sin(angle) + xs * numpy.cos(angle)) / wave
    rippled = grey + 0.35 * (high - low) * numpy.sin(phase)
    return numpy.asarray(numpy.clip(rippled, 0, 255), numpy.uint8)


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
    "columns lost": _turned(_rows_lost),
    "columns shifted": _turned(_rows_shifted),
    "columns banded": _turned(_banded),
    "interlaced": _interlaced,
    "quarters exchanged": _quarters,
    "rows repeated": _repeated,
    "half noise": _half_noise,
    "bits flipped": _bits_flipped,
    "few levels": _few_levels,
    "moved": _moved,
    "patched": _patched,
    "rippled": _rippled,
}
"""Ways in which a good picture is broken so that nobody could measure it."""

ALIKE = {
    "columns lost": "rows lost",
    "columns shifted": "rows shifted",
    "columns banded": "banded",
    "interlaced": "rows shifted",
    "filled black": "filled grey",
}
"""Ways so like another that a gate which saw one has seen the other."""
