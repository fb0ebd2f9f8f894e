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


def phase_scene(rng: numpy.random.Generator, *, share: float, side: int = 400) -> Scene:
    """A monolayer: textured cells of irregular outline cover the share of a smooth field."""
    field = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 18)
    covered = field > numpy.quantile(field, 1 - share) if share > 0 else field > numpy.inf
    texture = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 1.5)
    texture = texture / texture.std() * 0.12
    ys, _ = numpy.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j]
    light = 110 * (1 + 0.15 * ys) * (1 + texture * covered) + rng.normal(0, 1.2, (side, side))
    return Scene(numpy.clip(light, 0, 255).astype(numpy.uint8), covered.astype(numpy.int32))


def colony_series(
    rng: numpy.random.Generator, *, founders: list[tuple[float, float]], frames: int = 5
) -> list[NDArray[numpy.uint8]]:
    """A well in brightfield: each founder grows to a textured disc, frame by frame."""
    side = 360
    pictures = []
    ys, xs = numpy.mgrid[:side, :side]
    for frame in range(frames):
        radius = 6.0 * 1.6**frame
        covered = numpy.zeros((side, side), numpy.bool_)
        for x, y in founders:
            covered |= (ys - y) ** 2 + (xs - x) ** 2 <= radius**2
        texture = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 1.2)
        texture = texture / texture.std() * 0.2
        light = 120 * (1 + texture * covered) + rng.normal(0, 1.2, (side, side))
        pictures.append(numpy.clip(light, 0, 255).astype(numpy.uint8))
    return pictures


def carrier_scene(
    rng: numpy.random.Generator, *, mean_cells: float, radius: float = 85.0
) -> tuple[NDArray[numpy.uint8], list[int]]:
    """Nine glowing carriers of one size with a random number of bright nuclei each."""
    side, pitch = 720, 230
    light = numpy.full((side, side), 10.0, numpy.float32)
    counts = []
    for row in range(3):
        for column in range(3):
            x, y = 130 + pitch * column + rng.uniform(-8, 8), 130 + pitch * row + rng.uniform(-8, 8)
            cv2.circle(light, (round(x), round(y)), round(radius), 34.0, -1)
            placed: list[tuple[float, float]] = []
            for _ in range(int(rng.poisson(mean_cells))):
                for _ in range(200):
                    angle, reach = rng.uniform(0, 6.283), (radius - 14) * numpy.sqrt(rng.random())
                    a, b = x + reach * numpy.cos(angle), y + reach * numpy.sin(angle)
                    if all((a - c) ** 2 + (b - d) ** 2 > 24**2 for c, d in placed):
                        placed.append((a, b))
                        cv2.circle(light, (round(a), round(b)), 8, 190.0, -1)
                        break
            counts.append(len(placed))
    light = cv2.GaussianBlur(light, (0, 0), 1.3) + rng.normal(0, 1.5, light.shape)
    return numpy.clip(light, 0, 255).astype(numpy.uint8), counts


def add_fibre(pixels: NDArray[numpy.uint8], at: tuple[int, int]) -> NDArray[numpy.uint8]:
    """A dark fibre of 60 px across a brightfield picture."""
    x, y = at
    dark = pixels.copy()
    cv2.line(dark, (x, y), (x + 52, y + 30), 20, 3, cv2.LINE_AA)
    return dark


def add_scrap(pixels: NDArray[numpy.uint8], at: tuple[int, int]) -> NDArray[numpy.uint8]:
    """A pale scrap of 6 px, as cell debris is."""
    pale = pixels.copy()
    cv2.circle(pale, at, 3, int(0.8 * float(numpy.median(pixels))), -1, cv2.LINE_AA)
    return pale
