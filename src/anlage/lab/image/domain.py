"""Whether a picture is of the kind a method was made for, and near to what it was trained on.

First the kind, by rules a person can check (a dark field with bright objects is fluorescence; a
coloured bright field is stained tissue). Then the distance of its traits to the prototypes of
the training pictures; beyond the limit, where almost no training picture lies, the method says
that it does not know.
"""

import json
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy
from numpy.typing import NDArray

from anlage.base import Broken, Problem

from .gate import Look, look
from .picture import Picture
from .seam import seams
from .structure import structure
from .trait import TRAITS, centre, traits

STAINED_COLOUR = 0.025
"""Mean distance between colour channels, over full scale, that speaks of a stain."""


EMPTY_CONTRAST = 0.04
"""Below this share of full scale between dark and bright a picture shows ground alone."""

MOST_PER_TRAIT = 3.0
STRANGER_RATIO = 1.25
"""So much farther than a stranger may a picture of the right kind lie: series that no prototype
was taken from reach 1.1, stained pictures begin at 1.3."""


class Kind(Enum):
    """What a picture shows, as far as a method needs to know."""

    FLUORESCENCE = "fluorescence field"
    CHAMBER = "counting-chamber brightfield"
    CROP = "crop of a single cell"
    PHASE = "phase-contrast monolayer"
    STAINED = "stained tissue or smear"
    UNKNOWN = "no known kind"


_AT = {name: place for place, name in enumerate(TRAITS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The pictures a method was trained on, as prototypes in the space of traits.

    Attributes:
        name: Which training set.
        centre: Median of each trait.
        scale: Spread of each trait.
        prototypes: Standardised traits of training pictures, shape (n, traits).
        limit: Distance to the nearest prototypes that holds the given share of training pictures.
        strangers: Standardised traits of pictures that the method must not measure.
    """

    name: str
    centre: NDArray[numpy.float64]
    scale: NDArray[numpy.float64]
    prototypes: NDArray[numpy.float64]
    limit: float
    strangers: NDArray[numpy.float64]

    def distance(self, values: NDArray[Any]) -> float:
        """Give the mean distance to the three nearest prototypes, in units of spread."""
        return self._nearest(self.prototypes, values)

    def distance_to_strangers(self, values: NDArray[Any]) -> float:
        """Give the mean distance to the three nearest strangers, in units of spread."""
        return self._nearest(self.strangers, values)

    def _nearest(self, places: NDArray[numpy.float64], values: NDArray[Any]) -> float:
        place = (values - self.centre) / self.scale
        return float(numpy.sort(apart(places, place[None])[:, 0])[:3].mean())


def apart(prototypes: NDArray[Any], places: NDArray[Any]) -> NDArray[numpy.float64]:
    """Give the distance of every place to every prototype, shape (prototypes, places).

    The difference of one trait counts up to `MOST_PER_TRAIT`: one odd trait does not make a
    stranger, several do.
    """
    rest = numpy.clip(prototypes[:, None] - places[None], -MOST_PER_TRAIT, MOST_PER_TRAIT)
    return numpy.asarray(numpy.sqrt(numpy.square(rest).mean(axis=2)), numpy.float64)


@lru_cache(maxsize=8)
def domain(name: str) -> Domain:
    """Read a packaged domain.

    Raises:
        Broken: The package does not hold it.
    """
    place = resources.files(__package__) / "models" / "domain.json"
    whole = json.loads(place.read_text(encoding="utf-8"))
    if name not in whole["domains"] or whole["traits"] != list(TRAITS):
        raise Broken(f"a packaged domain {name} over the present traits", seen=str(place))
    one = whole["domains"][name]
    centre = numpy.array(one["centre"], numpy.float64)
    scale = numpy.array(one["scale"], numpy.float64)
    return Domain(
        name=name,
        centre=centre,
        scale=scale,
        strangers=(numpy.array(whole["strangers"], numpy.float64) - centre) / scale,
        prototypes=numpy.array(one["prototypes"], numpy.float64),
        limit=float(one["limit"]),
    )


def kind_of(values: NDArray[Any]) -> Kind:
    """Give the kind of a picture from its traits."""

    def at(name: str) -> float:
        return float(values[_AT[name]])

    bright = at("balance") >= 0.35 and at("level") >= 0.15
    if at("colour") > STAINED_COLOUR and bright:
        return Kind.STAINED
    if 10 ** at("log_pixels") < 9_000:
        return Kind.CROP
    if not bright:
        return Kind.FLUORESCENCE
    if at("level") > 0.5 and at("dark_tail") > 0.15 and at("bright_tail") < 0.02:
        return Kind.STAINED
    return Kind.CHAMBER


def judge(
    picture: Picture,
    values: NDArray[Any],
    *,
    wanted: tuple[Kind, ...],
    trained: Domain | None,
    method: str,
    frame: int = 0,
    channel: int | None = None,
) -> Problem | None:
    """Give the reason why the method cannot judge a picture with these traits, or None.

    Args:
        picture: The picture.
        values: Its traits.
        wanted: Kinds that the method is for.
        trained: What the method was trained on; None asks for the kind alone.
        method: Name of the method, for the message.
        frame: Point in time.
        channel: Channel measured; the default of `Picture.grey` when None.
    """
    problem = unlike(picture, values, wanted=wanted, trained=trained, method=method)
    if problem is not None or trained is None:
        return problem
    plane = centre(picture.grey(frame=frame, channel=channel))
    seen = look(trained.name, numpy.concatenate([values, structure(plane), seams(plane)]))
    return None if seen.passes else _refused(picture, seen, method)


def unsound(
    picture: Picture, *, method: str, frame: int = 0, channel: int | None = None
) -> Problem | None:
    """Give the reason why a picture of any kind looks broken, or None.

    For methods that were not trained on pictures of their own. Empty ground is not judged: an
    empty flask is a finding, and holds nothing that could be broken.

    Args:
        picture: The picture.
        method: Name of the method, for the message.
        frame: Point in time.
        channel: Channel measured; the default of `Picture.grey` when None.
    """
    plane = centre(picture.grey(frame=frame, channel=channel))
    values = traits(picture, frame=frame, channel=channel)
    if 10 ** float(values[_AT["contrast"]]) < EMPTY_CONTRAST:
        return None
    seen = look("sound", numpy.concatenate([values, structure(plane), seams(plane)]))
    return None if seen.passes else _refused(picture, seen, method)


def _refused(picture: Picture, seen: Look, method: str) -> Problem:
    return Problem(
        code="image-out-of-domain",
        what=f"image {picture.name} does not look like a sound {method} picture",
        found=f"a chance of {100 * seen.chance:.0f} %, oddest in {seen.oddest}",
        limit=f"{100 * seen.limit:.0f} %",
        remedy="check the file and the instrument, and export the image again",
        path=picture.name,
    )


def unlike(
    picture: Picture,
    values: NDArray[Any],
    *,
    wanted: tuple[Kind, ...],
    trained: Domain | None,
    method: str,
) -> Problem | None:
    """Give what the rules alone say: a wrong kind, or too far from the training pictures.

    Args:
        picture: The picture.
        values: Its traits.
        wanted: Kinds that the method is for.
        trained: What the method was trained on; None asks for the kind alone.
        method: Name of the method, for the message.
    """
    kind = kind_of(values)
    if kind is Kind.STAINED and Kind.STAINED not in wanted:
        return Problem(
            code="image-stained",
            what=f"image {picture.name} is not for method {method}",
            found=kind.value,
            limit=" or ".join(one.value for one in wanted),
            remedy="use a method made for stained material",
            path=picture.name,
        )
    if kind not in wanted:
        return Problem(
            code="image-wrong-kind",
            what=f"image {picture.name} is not for method {method}",
            found=kind.value,
            limit=" or ".join(one.value for one in wanted),
            remedy="choose the method for this kind of image",
            path=picture.name,
        )
    if trained is None:
        return None
    far = trained.distance(values)
    stranger = far > STRANGER_RATIO * trained.distance_to_strangers(values)
    if stranger or far > trained.limit:
        return Problem(
            code="image-out-of-domain",
            what=f"image {picture.name} is unlike all that method {method} was trained on",
            found="nearer to stained or inverted pictures"
            if stranger
            else f"a distance of {far:.2f}",
            limit=f"{trained.limit:.2f}",
            remedy="check the instrument, or validate the method for this material first",
            path=picture.name,
        )
    return None
