"""A renderer of fields whose truth is known: discs of nuclei, chambers, carriers, colonies."""

from dataclasses import dataclass

import cv2
import numpy
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scene:
    """A rendered picture and what is in it."""

    pixels: NDArray[numpy.uint8]
    labels: NDArray[numpy.int32]


def nuclei_scene(
    rng: numpy.random.Generator, *, side: int = 256, count: int = 20, radius: float = 9.0
) -> Scene:
    """Bright ellipses on a dark, noisy field, none overlapping."""
    labels = numpy.zeros((side, side), numpy.int32)
    light = numpy.zeros((side, side), numpy.float32)
    placed = 0
    for _ in range(4000):
        if placed == count:
            break
        y, x = rng.uniform(1.6 * radius, side - 1.6 * radius, 2)
        axes = radius * rng.uniform(0.8, 1.2, 2)
        shape = numpy.zeros((side, side), numpy.uint8)
        box = ((float(x), float(y)), (2 * float(axes[0]), 2 * float(axes[1])), rng.uniform(0, 180))
        cv2.ellipse(shape, box, 1, -1)
        if cv2.dilate(shape, numpy.ones((7, 7), numpy.uint8))[labels > 0].any():
            continue
        placed += 1
        labels[shape > 0] = placed
        light[shape > 0] = rng.uniform(60, 110)
    light = cv2.GaussianBlur(light, (0, 0), 1.0) + 8 + rng.normal(0, 1.5, light.shape)
    return Scene(numpy.clip(light, 0, 255).astype(numpy.uint8), labels)
