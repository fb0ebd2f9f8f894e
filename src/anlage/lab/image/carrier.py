"""Cells on microcarriers: how many each carrier holds, and how evenly they settled.

Carriers are discs much larger than cells; their rim votes for circles. Nuclei are counted by the
network and belong to the carrier that they lie on. Settling at random gives a Poisson number per
carrier: the share of empty carriers is set beside exp(-mean), the excess is uneven seeding.
"""

from dataclasses import dataclass
from math import exp
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard, Purpose
from .domain import Kind, judge, unsound
from .nuclei import DNA_WORDS, segment_nuclei
from .picture import Picture
from .quality import fault, weaknesses
from .shape import measure_objects
from .trait import traits

CARRIER_WORDS = ("carrier", "bright", "phase", "trans", "bf", "dic", "tl")
RIM_SLACK = 1.06
"""A nucleus up to this share of the radius from the middle lies on the carrier."""

CARD = MethodCard(
    name="microcarrier-occupancy",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT),
    qualified_for=(),
    trained_domain="stained nuclei on round carriers of one size, one focal plane; carriers "
    "without training",
    sources=("rendered carriers of known number",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One carrier: middle and radius in px, and the cells on it."""

    x: float
    y: float
    radius: float
    cells: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierResult:
    """The carriers of one picture.

    Attributes:
        name: Name of the picture.
        carriers: Those whole in the picture, largest vote first.
        cells_apart: Nuclei on no carrier.
        flags: What a reader of the number should know.
        card: What the method may be used for.
    """

    name: str
    carriers: tuple[Carrier, ...]
    cells_apart: int
    flags: tuple[str, ...]
    card: MethodCard

    @property
    def cells_per_carrier(self) -> float | None:
        """Mean number of cells per carrier; None without one."""
        if not self.carriers:
            return None
        return sum(carrier.cells for carrier in self.carriers) / len(self.carriers)

    @property
    def occupied_percent(self) -> float | None:
        """Share of carriers with a cell, in percent; None without a carrier."""
        if not self.carriers:
            return None
        return 100 * sum(carrier.cells > 0 for carrier in self.carriers) / len(self.carriers)

    @property
    def occupied_percent_at_random(self) -> float | None:
        """Share that random settling of as many cells would occupy, in percent."""
        mean = self.cells_per_carrier
        return None if mean is None else 100 * (1 - exp(-mean))


def count_on_carriers(
    picture: Picture, *, radius_px: tuple[float, float] = (40.0, 160.0), channel: int | None = None
) -> CarrierResult | Problem:
    """Count the cells on each carrier.

    Args:
        picture: Nuclei in one channel; carriers in the same, or in one named after its light.
        radius_px: Least and largest radius of a carrier, px.
        channel: Channel that holds the nuclei.

    Returns:
        The result, or the reason why the picture cannot be judged.
    """
    if channel is None and not picture.colour:
        channel = picture.channel_named(*DNA_WORDS)
    if (problem := fault(picture, channel=channel)) is not None:
        return problem
    # Glowing carriers are unlike the fields that the count was trained on: the kind is judged,
    # the distance is not, and the method says so by being no control method.
    problem = judge(
        picture,
        traits(picture, channel=channel),
        wanted=(Kind.FLUORESCENCE,),
        trained=None,
        method="microcarriers",
    )
    if problem is not None:
        return problem
    if (problem := unsound(picture, method="microcarriers", channel=channel)) is not None:
        return problem
    labels = segment_nuclei(_without_glow(picture.grey(channel=channel), radius_px[0]))
    seen = picture.channel_named(*CARRIER_WORDS)
    grey = picture.grey(channel=seen if seen is not None else channel)
    circles = find_carriers(_without(grey, labels) if seen is None else grey, radius_px)
    return _settle(picture, circles, labels)


def find_carriers(
    grey: NDArray[Any], radius_px: tuple[float, float]
) -> list[tuple[float, float, float]]:
    """Give the circles (x, y, radius) of the carriers that lie whole in the plane."""
    least, largest = radius_px
    low, high = numpy.percentile(grey, (1, 99))
    shown = numpy.clip((grey.astype(numpy.float32) - low) / max(float(high - low), 1e-6), 0, 1)
    smooth = cv2.GaussianBlur((255 * shown).astype(numpy.uint8), (0, 0), 2.0)
    found = cv2.HoughCircles(
        smooth,
        cv2.HOUGH_GRADIENT_ALT,
        dp=1.5,
        minDist=1.2 * least,
        param1=60,
        param2=0.75,
        minRadius=int(least),
        maxRadius=int(largest),
    )
    height, width = grey.shape
    circles: list[tuple[float, float, float]] = []
    for x, y, guess in numpy.asarray(found if found is not None else []).reshape(-1, 3).tolist():
        radius = _fitted(smooth, (x, y, guess))
        whole = radius <= x <= width - radius and radius <= y <= height - radius
        apart = all((x - a) ** 2 + (y - b) ** 2 > (0.8 * (radius + c)) ** 2 for a, b, c in circles)
        if whole and apart:
            circles.append((x, y, radius))
    return circles


def _without_glow(grey: NDArray[Any], least: float) -> NDArray[Any]:
    """Take out what is broader than half a carrier: its own glow, not its nuclei (top hat)."""
    side = 2 * int(least / 2) + 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.5)
    glow = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, shape)
    return numpy.asarray(cv2.subtract(grey, glow))


def _fitted(smooth: NDArray[Any], circle: tuple[float, float, float]) -> float:
    """Give the radius near that of the circle at which the mean grey falls the most."""
    x, y, radius = circle
    angles = numpy.linspace(0, 2 * numpy.pi, 180, endpoint=False)
    radii = numpy.arange(0.75 * radius, 1.3 * radius, 0.5)
    at_x = (x + radii[:, None] * numpy.cos(angles)).astype(numpy.float32)
    at_y = (y + radii[:, None] * numpy.sin(angles)).astype(numpy.float32)
    around = cv2.remap(smooth, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = around.astype(numpy.float32).mean(axis=1)
    steps = numpy.abs(profile[8:] - profile[:-8])
    return float(radii[4 + int(steps.argmax())])


def _without(grey: NDArray[Any], labels: NDArray[numpy.int32]) -> NDArray[numpy.float32]:
    """Take the nuclei out of the plane, so that only the glow of the carriers is left."""
    own = cv2.dilate((labels > 0).astype(numpy.uint8), numpy.ones((7, 7), numpy.uint8))
    values = grey.astype(numpy.float32)
    rest = numpy.where(own > 0, 0, values)
    weight = cv2.GaussianBlur((own == 0).astype(numpy.float32), (0, 0), 5)
    filled = cv2.GaussianBlur(rest, (0, 0), 5) / numpy.maximum(weight, 1e-3)
    return numpy.asarray(numpy.where(own > 0, filled, values), numpy.float32)


def _settle(
    picture: Picture, circles: list[tuple[float, float, float]], labels: NDArray[numpy.int32]
) -> CarrierResult:
    table = measure_objects(labels)
    xs, ys = table["AreaShape_Center_X"], table["AreaShape_Center_Y"]
    held = numpy.zeros(len(circles), numpy.int64)
    apart = 0
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        share = [numpy.hypot(x - a, y - b) / radius for a, b, radius in circles]
        if share and min(share) <= RIM_SLACK:
            held[int(numpy.argmin(share))] += 1
        else:
            apart += 1
    flags = weaknesses(picture)
    if not circles:
        flags.append("no-carrier-found")
    carriers = tuple(
        Carrier(x=x, y=y, radius=radius, cells=int(cells))
        for (x, y, radius), cells in zip(circles, held, strict=True)
    )
    return CarrierResult(
        name=picture.name, carriers=carriers, cells_apart=apart, flags=tuple(flags), card=CARD
    )
