"""How many cells live at arrival: the twin's preservation models on a way as it was logged.

The range comes from what the models' cards leave open (values marked *prior* there): it is a range
of models, no interval of confidence, and says so wherever it is shown.
"""

from collections.abc import Sequence

from anlage.custody.transport import Alive
from anlage.twin.preservation import FrozenStore, LiquidLoss

FREEZING = -20.0
MODEL = (
    "preservation models of the twin; the range spans the priors on their cards, and is to be"
    " fitted to the product's own data before anyone relies on it"
)
# Slow, middle and fast loss within the priors of the cards: per hour at 4 degrees, and energy.
_LIQUID = (
    LiquidLoss(rate_4c_per_hour=0.004, activation_kj_mol=90.0),
    LiquidLoss(),
    LiquidLoss(rate_4c_per_hour=0.001, activation_kj_mol=50.0),
)
_FROZEN = (
    FrozenStore(weeks_at_minus_80=6.0, cycle_loss=0.006),
    FrozenStore(),
    FrozenStore(weeks_at_minus_80=13.0, cycle_loss=0.001),
)
_WARM_MAX = 37.0


def survival(stays: Sequence[tuple[float, float]]) -> Alive | None:
    """Give the part alive after stays of (hours, degC); None outside what the models tell.

    Liquid between 0 and 37 degrees, frozen below -20; what lies between, or is warmer, was frozen
    or thawed on the way and has no model here.
    """
    liquid = [(hours, celsius) for hours, celsius in stays if celsius >= 0]
    frozen = [(celsius, hours) for hours, celsius in stays if celsius < FREEZING]
    is_mixed = bool(liquid) and bool(frozen)
    outside = len(liquid) + len(frozen) < len(stays)
    if not stays or is_mixed or outside or any(celsius > _WARM_MAX for _, celsius in liquid):
        return None
    found = []
    for loss, store in zip(_LIQUID, _FROZEN, strict=True):
        if frozen:
            found.append(store.alive(frozen, cycles=_warmings(frozen, store.glass_c)))
            continue
        alive = 1.0
        for hours, celsius in liquid:
            alive *= loss.alive(celsius, hours)
        found.append(alive)
    low, middle, high = sorted(found)
    return Alive(low=low, middle=middle, high=high)


def _warmings(stays: Sequence[tuple[float, float]], glass: float) -> int:
    """Count how often the way rose above the glass transition."""
    count, was_warm = 0, False
    for celsius, _ in stays:
        is_warm = celsius > glass
        count += is_warm and not was_warm
        was_warm = is_warm
    return count
