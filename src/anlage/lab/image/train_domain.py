"""The recipe of the packaged domains: prototypes of what each method was trained on.

Training pictures are varied as instruments vary (gain, offset, noise, focus, part of the field),
their traits are standardised, and the farthest-point sample of them is kept. The limit lies
above the distances of real pictures that gave no prototype, with a margin for the next instrument.
"""

from collections.abc import Iterable

import cv2
import numpy
from numpy.typing import NDArray

from .domain import apart
from .picture import Picture
from .trait import traits

PROTOTYPES = 96
MARGIN = 2.2
MEMBERS_WITHIN = 97.0

Floats = NDArray[numpy.float64]


def learn_domain(
    pictures: Iterable[Picture], *, seed: int, variants: int = 2, zoom: float = 0.15
) -> dict[str, object]:
    """Give a domain as a JSON object: centre, scale, prototypes and limit.

    Args:
        pictures: The training pictures.
        seed: Seed of the variation.
        variants: Varied copies of each picture.
        zoom: Standard deviation of the logarithm of their magnification.
    """
    rng = numpy.random.default_rng(seed)
    rows = []
    for picture in pictures:
        rows.append(traits(picture))
        rows.extend(traits(varied(picture, rng, zoom)) for _ in range(variants))
    values = numpy.stack(rows)
    centre = numpy.median(values, axis=0)
    low, high = numpy.percentile(values, (5, 95), axis=0)
    scale = numpy.maximum((high - low) / 3.3, 0.02)
    places = (values - centre) / scale
    real = numpy.arange(len(places)) % (1 + variants) == 0
    chosen = _far_apart(places, real, min(PROTOTYPES, len(places)))
    others = numpy.setdiff1d(numpy.arange(0, len(places), 1 + variants), chosen)
    distances = apart(places[chosen], places[others])
    nearest = numpy.sort(distances, axis=0)[:3].mean(axis=0)
    return {
        "centre": [round(float(one), 5) for one in centre],
        "scale": [round(float(one), 5) for one in scale],
        "prototypes": [[round(float(one), 3) for one in row] for row in places[chosen]],
        "limit": round(float(numpy.percentile(nearest, MEMBERS_WITHIN)) * MARGIN, 4),
        "pictures": len(rows) // (1 + variants),
    }


def learn_strangers(pictures: Iterable[Picture]) -> list[list[float]]:
    """Give the traits of pictures that no packaged method must measure.

    Args:
        pictures: Stained tissue turned grey, fields turned negative.
    """
    return [[round(float(one), 4) for one in traits(picture)] for picture in pictures]


def negative(picture: Picture) -> Picture:
    """Give the picture with dark and bright exchanged."""
    return Picture.of(picture.full_scale - picture.grey(), name=picture.name)


def _far_apart(places: Floats, real: NDArray[numpy.bool_], count: int) -> NDArray[numpy.int64]:
    """Choose points that cover the cloud: each next one is the farthest from those chosen.

    Varied pictures beyond every real one are left out: only a real outlier is a prototype.
    """
    reach = numpy.sqrt(numpy.square(places).mean(axis=1))
    open_to_choice = real | (reach <= numpy.percentile(reach[real], 99))
    chosen = [int(reach.argmin())]
    nearest = numpy.full(len(places), numpy.inf)
    while len(chosen) < count:
        nearest = numpy.minimum(nearest, apart(places[chosen[-1:]], places)[0])
        chosen.append(int(numpy.where(open_to_choice, nearest, -1).argmax()))
    return numpy.array(sorted(set(chosen)), numpy.int64)


def varied(picture: Picture, rng: numpy.random.Generator, zoom: float) -> Picture:
    """Give the picture as another instrument of its kind might have taken it.

    Args:
        picture: A good picture.
        rng: Source of chance.
        zoom: Standard deviation of the logarithm of the magnification.
    """
    grey = picture.grey().astype(numpy.float32)
    height, width = grey.shape
    if min(height, width) >= 200 and rng.random() < 0.5:
        share = rng.uniform(0.6, 1.0)
        tall, wide = int(height * share), int(width * share)
        top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
        grey = grey[top : top + tall, left : left + wide]
    times = float(numpy.exp(rng.normal(0, zoom)))
    grey = cv2.resize(grey, None, fx=times, fy=times, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.3, 0.9))
    reach = float(numpy.percentile(grey, 99.5) - numpy.percentile(grey, 0.5)) + 1
    grey = grey * numpy.exp(rng.normal(0, 0.3)) + rng.uniform(0, 0.03) * picture.full_scale
    grey = grey + rng.normal(0, rng.uniform(0, 0.03) * reach, grey.shape)
    clipped = numpy.clip(grey.round(), 0, picture.full_scale).astype(picture.pixels.dtype)
    return Picture.of(clipped, name=picture.name)
