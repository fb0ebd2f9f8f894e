"""Protocols of preservation side by side: what is lost at each step, how sure that is, how much
DMSO the patient gets.

A protocol is a chain of the models of `preservation.py`. Their parameters are not known exactly:
each is drawn from a range (`Belief`), the same draws for every protocol, so that differences are
surer than the values. Ranges are stated with their source, or as prior.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anlage.base import Refused

from .errors import VALUE_IMPOSSIBLE
from .preservation import (
    ClinicalSpread,
    CoolWarm,
    DmsoExposure,
    FrozenStore,
    LiquidLoss,
)

Json: TypeAlias = dict[str, object]
Floats: TypeAlias = NDArray[np.float64]

DMSO_G_PER_ML = 1.10
"""Density of DMSO at 20 degrees, g/mL."""

DMSO_G_PER_KG_MAX = 1.0
"""Dose of DMSO commonly accepted in a day, g per kg of the patient (review: PMC12362920)."""

DRAWS_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezing:
    """How cells are frozen, stored and thawed.

    Attributes:
        dmso_percent: DMSO by volume; 0 for none.
        exposed_minutes, exposed_celsius: From adding DMSO to the start of cooling.
        cooling, warming: Rates, degrees/min.
        stored: Stays (degrees, hours).
        cycles: Short warmings above the glass transition.
        thawed_minutes, thawed_celsius: From thawing to infusion or washing.
        relative: Range of cells alive relative to the same in DMSO, for another protectant.
    """

    dmso_percent: float = 10.0
    exposed_minutes: float = 15.0
    exposed_celsius: float = 4.0
    cooling: float = 1.0
    warming: float = 60.0
    stored: tuple[tuple[float, float], ...] = ((-150.0, 720.0),)
    cycles: int = 0
    thawed_minutes: float = 20.0
    thawed_celsius: float = 22.0
    relative: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way to keep cells from harvest to patient.

    Attributes:
        name: Its name.
        held: Liquid stays (degrees, hours) before freezing, or altogether.
        density: 10^6 cells/mL while liquid.
        freezing: How they are frozen; None for never.
        volume_ml: Volume that is infused.
    """

    name: str
    held: tuple[tuple[float, float], ...] = ()
    density: float = 10.0
    freezing: Freezing | None = None
    volume_ml: float = 50.0


STARTERS = (
    Protocol(name="fresh, one day at room temperature", held=((22.0, 24.0),)),
    Protocol(name="hypothermic, two days", held=((4.0, 48.0),)),
    Protocol(name="ambient, two days", held=((22.0, 48.0),)),
    Protocol(name="cryo, 10 % DMSO", held=((22.0, 4.0),), freezing=Freezing()),
    Protocol(name="cryo, 5 % DMSO", held=((22.0, 4.0),), freezing=Freezing(dmso_percent=5.0)),
    Protocol(
        name="cryo, no DMSO",
        held=((22.0, 4.0),),
        freezing=Freezing(dmso_percent=0.0, relative=(0.75, 1.0)),
    ),
)
"""Protocols to begin from; the range of the one without DMSO is prior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Ranges of the models' parameters: medians with the factor that holds 95 % on either side.

    Attributes:
        liquid: Factor of the rate at 4 degrees (0.1 to 0.4 %/h: prior).
        energy: Lowest and highest activation energy of liquid loss, kJ/mol (prior).
        rates: Factor of the rates of inner ice and of its growth (prior).
        handling: Standard deviation of the loss by handling (prior).
        dmso: Factor of the harm by DMSO (1 to 2 % in ten minutes: prior).
        store: Factor of the weeks at -80 degrees (prior).
        donors: How donors differ after thawing (311 products).
    """

    liquid: float = 2.0
    energy: tuple[float, float] = (50.0, 90.0)
    rates: float = 1.3
    handling: float = 0.02
    dmso: float = 1.5
    store: float = 1.3
    donors: ClinicalSpread = field(default_factory=ClinicalSpread)


@dataclass(frozen=True, slots=True)
class _World:
    """One draw of all that is not known."""

    liquid: LiquidLoss
    cool_warm: CoolWarm
    dmso: DmsoExposure
    store: FrozenStore
    donor: float
    relative: float


def compare_protocols(
    protocols: Sequence[Protocol],
    *,
    weight_kg: float = 75.0,
    viability_min: float = 0.7,
    belief: Belief | None = None,
    draws: int = 1_000,
    seed: int = 1,
) -> Json:
    """Give viability at infusion with a 90 % interval, what is lost where, and the dose of DMSO.

    Args:
        protocols: What is compared; the first is the base of the differences.
        weight_kg: The patient's weight.
        viability_min: Limit of release, a part.
        belief: How sure the parameters are.
        draws: How many worlds are drawn.
        seed: Seed of the draws.

    Raises:
        Refused: No protocol, or values that cannot be.
    """
    if not protocols or not 10 <= draws <= DRAWS_MAX or not weight_kg > 0:
        raise Refused(
            VALUE_IMPOSSIBLE,
            what="the comparison of protocols",
            found=f"{len(protocols)} protocols, {draws} draws, {weight_kg:g} kg",
            limit=f"one protocol or more, 10 to {DRAWS_MAX} draws, a weight above zero",
            remedy="name a protocol",
        )
    worlds = _drawn(belief or Belief(), draws, seed)
    found: dict[str, Floats] = {}
    told: Json = {}
    for protocol in protocols:
        steps = [_through(protocol, world) for world in worlds]
        alive = np.array([math.prod(part for _, part in parts) for parts in steps])
        found[protocol.name] = alive
        told[protocol.name] = {
            "viability": _spread(alive),
            "below_limit": float((alive < viability_min).mean()),
            "lost_at": {
                name: float(1 - np.mean([parts[at][1] for parts in steps]))
                for at, (name, _) in enumerate(steps[0])
            },
            **_dose(protocol, weight_kg),
        }
    first = protocols[0].name
    return {
        "protocols": told,
        "baseline": first,
        "differences": {
            name: {**_spread(alive - found[first]), "better": float((alive > found[first]).mean())}
            for name, alive in found.items()
            if name != first
        },
        "viability_min": viability_min,
        "weight_kg": weight_kg,
        "draws": draws,
        "seed": seed,
    }


def kept_after(protocol: Protocol) -> float:
    """Give the part of cells alive by the models as they stand, without any uncertainty."""
    world = _World(LiquidLoss(), CoolWarm(), DmsoExposure(), FrozenStore(), 1.0, 0.5)
    return math.prod(part for _, part in _through(protocol, world))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One measured point of liquid storage: temperature, hours, part alive."""

    celsius: float
    hours: float
    alive: float


def fit_liquid(points: Sequence[Kept]) -> tuple[LiquidLoss, float]:
    """Fit rate and activation energy of liquid loss to measured points; give the fit's error too.

    Least squares on the logarithm of the part alive, weighted by that part squared, so that points
    where little is left do not rule; the error is the root mean square of the part alive. Density
    and acid are left out: fit one product at a time.

    Raises:
        Refused: Fewer than three points, one temperature only, or parts that cannot be.
    """
    good = [one for one in points if 0 < one.alive <= 1 and one.hours > 0]
    if len(good) < 3 or len({one.celsius for one in good}) < 2 or len(good) < len(points):
        raise Refused(
            VALUE_IMPOSSIBLE,
            what="points of liquid storage",
            found=f"{len(good)} fit points of {len(points)}",
            limit="three points or more at two temperatures or more, parts alive above 0 to 1",
            remedy="give hours above zero and parts alive such as 0.906",
        )
    from scipy.optimize import least_squares

    def model(values: Floats) -> LiquidLoss:
        return LiquidLoss(
            rate_4c_per_hour=float(np.exp(values[0])),
            activation_kj_mol=float(values[1]),
            acid_per_hour_4c=0.0,
        )

    def errors(values: Floats) -> list[float]:
        liquid = model(values)
        return [
            one.alive * (math.log(liquid.alive(one.celsius, one.hours)) - math.log(one.alive))
            for one in good
        ]

    best = least_squares(errors, x0=[math.log(0.003), 50.0], bounds=([-15, 0], [2, 200]))
    liquid = model(best.x)
    misses = [liquid.alive(one.celsius, one.hours) - one.alive for one in good]
    return liquid, float(np.sqrt(np.mean(np.square(misses))))


def _through(protocol: Protocol, world: _World) -> list[tuple[str, float]]:
    """Give the part alive after each step of a protocol."""
    held = math.prod(
        world.liquid.alive(celsius, hours, density=protocol.density)
        for celsius, hours in protocol.held
    )
    steps = [("liquid", held)]
    how = protocol.freezing
    if how is None:
        return steps
    low, high = how.relative
    steps += [
        (
            "DMSO before freezing",
            world.dmso.alive(how.dmso_percent, how.exposed_celsius, how.exposed_minutes),
        ),
        ("cooling and warming", world.cool_warm.alive(how.cooling, how.warming)),
        ("protectant", low + world.relative * (high - low)),
        ("frozen storage", world.store.alive(how.stored, cycles=how.cycles)),
        (
            "DMSO after thawing",
            world.dmso.alive(how.dmso_percent, how.thawed_celsius, how.thawed_minutes),
        ),
        ("donor", min(1.0, world.donor)),
    ]
    return steps


def _drawn(belief: Belief, draws: int, seed: int) -> list[_World]:
    chance = np.random.default_rng(seed)

    def around(median: float, factor: float) -> Floats:
        drawn: Floats = median * np.exp(chance.normal(0, math.log(factor) / 1.96, draws))
        return drawn

    plain = CoolWarm()
    liquid = around(LiquidLoss().rate_4c_per_hour, belief.liquid)
    energy = chance.uniform(*belief.energy, draws)
    ice, grow = around(plain.ice_rate, belief.rates), around(plain.grow_rate, belief.rates)
    handling = np.clip(chance.normal(plain.handling_loss, belief.handling, draws), 0, 0.5)
    harm = around(DmsoExposure().rate_37c_per_hour, belief.dmso)
    weeks = around(FrozenStore().weeks_at_minus_80, belief.store)
    cycle = around(FrozenStore().cycle_loss, belief.dmso)
    # The donors' spread about their mean: what the other models leave to the person.
    donors = chance.beta(*belief.donors.viability_beta(), draws) / belief.donors.viability_mean
    relative = chance.random(draws)
    return [
        _World(
            liquid=LiquidLoss(
                rate_4c_per_hour=float(liquid[i]), activation_kj_mol=float(energy[i])
            ),
            cool_warm=CoolWarm(
                ice_rate=float(ice[i]), grow_rate=float(grow[i]), handling_loss=float(handling[i])
            ),
            dmso=DmsoExposure(rate_37c_per_hour=float(harm[i])),
            store=FrozenStore(weeks_at_minus_80=float(weeks[i]), cycle_loss=float(cycle[i])),
            donor=float(donors[i]),
            relative=float(relative[i]),
        )
        for i in range(draws)
    ]


def _dose(protocol: Protocol, weight_kg: float) -> Json:
    percent = 0.0 if protocol.freezing is None else protocol.freezing.dmso_percent
    grams = protocol.volume_ml * percent / 100 * DMSO_G_PER_ML
    return {
        "dmso_g": grams,
        "dmso_g_per_kg": grams / weight_kg,
        "dmso_within_limit": grams / weight_kg <= DMSO_G_PER_KG_MAX,
    }


def _spread(values: Floats) -> Json:
    low, middle, high = (float(one) for one in np.quantile(values, [0.05, 0.5, 0.95]))
    return {"median": middle, "mean": float(values.mean()), "low": low, "high": high}
