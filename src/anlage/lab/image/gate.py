"""The last gate before a number: whether a picture is a sound one of the kind a method knows.

A forest that learnt good pictures beside broken and foreign ones (train_gate.py) answers on the
traits, the structure and the seams of a picture. What it was never shown is refused by rules of
kind and by distance as well (domain.py); each of the three sees what the others miss.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy
from numpy.typing import NDArray

from .model import model_card, run
from .seam import SEAM
from .structure import STRUCTURE
from .trait import TRAITS

WORDS = {
    "level": "brightness",
    "contrast": "contrast",
    "balance": "background against objects",
    "noise": "noise",
    "unevenness": "uneven light",
    "steepness": "steepness of rims",
    "colour": "colour",
    "seams_across": "seams between columns",
    "seams_down": "seams between rows",
    "bands_across": "bands along columns",
    "bands_down": "bands along rows",
    "unlike_directions": "rows unlike columns",
    "mode_share": "one level too often",
    "level_share": "levels left out",
    "flat_share": "flat patches",
    "still_lines": "lines of one value",
    "abruptness": "abrupt steps",
    "spot_skewness": "dark and bright exchanged",
    "slope_tail": "few steep slopes",
    "grid_8": "blocks of a compression",
    "comb": "a comb of levels",
    "jag_tail": "jagged rims",
    "step_share": "steps between tiles",
    "step_top": "steps between tiles",
    "line_top": "steps along whole lines",
    "line_long": "steps along whole lines",
    "line_comb": "a grid of lines",
    "unlike_next": "lines unlike their neighbours",
    "unlike_some": "lines unlike their neighbours",
    "gain_step": "bands of another brightness",
    "gain_agreed": "bands of another brightness",
    "twin_lines": "lines that repeat",
    "softest": "blurred in one direction",
    "soft": "blurred in one direction",
    "grain": "grain unlike by direction",
    "lonely_share": "single pixels astray",
    "tone": "a wave over the picture",
}
"""What a person is told of the number that is oddest; the others are called texture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the gate of one method says of a picture.

    Attributes:
        chance: That the picture is a sound one of the kind, 0..1.
        limit: Below it the picture is refused.
        oddest: What differs most from the good pictures, in words.
    """

    chance: float
    limit: float
    oddest: str

    @property
    def passes(self) -> bool:
        """Whether the picture may be measured."""
        return self.chance >= self.limit


@lru_cache(maxsize=8)
def _middle(name: str) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64], float]:
    told = model_card("gate")["gates"][name]
    return numpy.array(told["centre"]), numpy.array(told["scale"]), float(told["limit"])


def look(name: str, values: NDArray[numpy.float64]) -> Look:
    """Ask the gate of a method.

    Args:
        name: Which gate: `nuclei`, `chamber`, `activation`, or `sound` for any kind.
        values: Numbers of the picture, in the order of `TRAITS`, `STRUCTURE` and `SEAM`.
    """
    centre, scale, limit = _middle(name)
    (share,) = run(f"gate-{name}", values[None].astype(numpy.float32), name="traits")
    away = numpy.abs(values - centre) / scale
    odd = (*TRAITS, *STRUCTURE, *SEAM)[int(away.argmax())].removesuffix("_apart")
    return Look(chance=float(share[0, 0]), limit=limit, oddest=WORDS.get(odd, "texture"))
