"""Tell from one label-free crop how activated a T cell looks.

Autofluorescence (NAD(P)H) crops of single cells. A development method: it was trained on few
donors of one laboratory, it never saw yours, and it is not offered for the release of a lot.
"""

from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from anlage.base import Problem

from ..method import MethodCard
from .crop_trait import crop_traits
from .domain import Kind, domain, judge
from .grey import crop_planes
from .model import Network, method_card, run
from .picture import Picture
from .quality import fault, weaknesses
from .trait import traits


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationResult:
    """How activated the cell of one crop looks.

    Attributes:
        name: Name of the picture.
        score: 0 (quiescent) to 1 (activated); a rank, not a probability for another donor.
        flags: What a reader of the number should know.
        card: What the method may be used for.
    """

    name: str
    score: float
    flags: tuple[str, ...]
    card: MethodCard


def judge_activation(picture: Picture) -> ActivationResult | Problem:
    """Give the activation score of a crop of one cell.

    Returns:
        The result, or the reason why the picture cannot be judged.
    """
    if (problem := fault(picture)) is not None:
        return problem
    problem = judge(
        picture,
        traits(picture),
        wanted=(Kind.CROP,),
        trained=domain("activation"),
        method="activation",
    )
    if problem is not None:
        return problem
    grey = picture.grey()
    if picture.full_scale > 255:
        grey = grey.astype(numpy.float32) * (255 / picture.full_scale)
    flags = weaknesses(picture)
    score = activation_score(grey)
    if 0.35 < score < 0.65:
        flags.append("undecided")
    return ActivationResult(
        name=picture.name, score=score, flags=tuple(flags), card=method_card("activation")
    )


def activation_score(
    grey: NDArray[Any], *, network: Network = "activation", trees: Network = "trees"
) -> float:
    """Give the score of a crop, 0..1: the mean of what the network and what the trees say.

    Args:
        grey: Values on the scale of 8 bits, shape (y, x).
        network: The network that sees the pixels; the mean over eight turns and mirrors counts.
        trees: The trees that see the traits of the crop.
    """
    planes = crop_planes(grey)
    turned = [numpy.rot90(planes, turns, (1, 2)) for turns in range(4)]
    turned += [one[:, :, ::-1] for one in turned]
    (logit,) = run(network, numpy.ascontiguousarray(numpy.stack(turned)))
    seen = float(1 / (1 + numpy.exp(-logit.mean())))
    (share,) = run(trees, crop_traits(grey)[None], name="traits")
    return (seen + float(share[0, 0])) / 2
