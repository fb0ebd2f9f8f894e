"""How many cells live after cooling, storage, warming and transport: five small models and a chain.

Each model stands on its own with a card: its parameters with their sources, and the published
finding that it must reproduce (the tests hold it to that). Values marked *prior* are orders of
magnitude of the trade and are to be fitted to a lane's own data before anyone relies on them.

Everything gives a part of cells from 0 to 1. Temperatures are degrees Celsius, times hours unless
a name says otherwise, densities 10^6 cells/mL.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from anlage.base import Refused

from .errors import VALUE_IMPOSSIBLE

GAS_J = 8.314462618
"""Molar gas constant, J/(mol K) (CODATA 2018)."""

_ZERO_K = 273.15
_STEPS_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a model stands on.

    Attributes:
        name: Its name.
        formula: What it computes, in one line.
        sources: Where its parameters come from; *prior* where they are to be fitted.
        must_reproduce: The published finding that its tests hold it to.
        valid: Where it may be used.
    """

    name: str
    formula: str
    sources: tuple[str, ...]
    must_reproduce: str
    valid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidLoss:
    """Loss of cells that are kept liquid: Arrhenius in temperature, with density and pH.

    Attributes:
        rate_4c_per_hour: Rate at 4 degrees, low density and neutral pH.
        activation_kj_mol: Activation energy.
        density_half: Density, 10^6/mL, at which the rate has doubled.
        ph_best: pH at which the rate is least.
        ph_width: Distance from it at which the rate has doubled.
        acid_per_hour_4c: Fall of pH per hour at 4 degrees for each 10^6/mL.
    """

    rate_4c_per_hour: float = 0.002
    activation_kj_mol: float = 70.0
    density_half: float = 50.0
    ph_best: float = 7.2
    ph_width: float = 0.5
    acid_per_hour_4c: float = 1e-4

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be.

        Raises:
            Refused: A rate, energy or width is negative or no number.
        """
        _positive("rate at 4 degrees", self.rate_4c_per_hour, zero=True)
        _positive("activation energy", self.activation_kj_mol, zero=True)
        _positive("density at which the rate doubles", self.density_half)
        _positive("width of pH", self.ph_width)
        _positive("fall of pH", self.acid_per_hour_4c, zero=True)

    def faster(self, celsius: float) -> float:
        """Give how many times faster than at 4 degrees it goes."""
        _temperature(celsius)
        inverse = 1 / (celsius + _ZERO_K) - 1 / (4 + _ZERO_K)
        return math.exp(-self.activation_kj_mol * 1000 / GAS_J * inverse)

    def rate_per_hour(self, celsius: float, *, density: float = 0.0, ph: float = 7.2) -> float:
        """Give the rate at which cells are lost, 1/h."""
        _positive("density", density, zero=True)
        acid = 1.0 + ((ph - self.ph_best) / self.ph_width) ** 2
        crowd = 1.0 + density / self.density_half
        return self.rate_4c_per_hour * self.faster(celsius) * crowd * acid

    def alive(
        self, celsius: float, hours: float, *, density: float = 0.0, ph: float = 7.2
    ) -> float:
        """Give the part alive after a time at one temperature, the cells making acid meanwhile.

        The integral of the rate over a pH that falls in a straight line is a cubic, so this is
        exact.
        """
        _positive("time", hours, zero=True)
        start = (ph - self.ph_best) / self.ph_width
        fall = self.acid_per_hour_4c * self.faster(celsius) * density / self.ph_width
        squares = start**2 * hours - start * fall * hours**2 + fall**2 * hours**3 / 3
        crowd = self.rate_4c_per_hour * (1.0 + density / self.density_half)
        return math.exp(-crowd * self.faster(celsius) * (hours + squares))


LIQUID_CARD = Card(
    name="liquid loss",
    formula="k = k4 exp(-Ea/R (1/T - 1/277 K)) (1 + density/half) (1 + ((pH - best)/width)^2)",
    sources=("k4 0.1 to 0.4 %/h and Ea 50 to 90 kJ/mol: prior", "density and pH terms: prior"),
    must_reproduce=(
        "blood stem cells over 96 h lose pH and viable cells faster at room temperature than at "
        "4 degrees, and faster at high cell count (Tran, Cai and Stroncek 2024, "
        "doi:10.1016/j.jtct.2023.09.020); fitted to its points, the loss of viable CD34+ cells at "
        "2 to 8 and 18 to 24 degrees over 72 h (Antonenas 2006, doi:10.1080/14653240600620994)"
    ),
    valid="0 to 37 degrees, to 96 h",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedDeath:
    """Apoptosis that shows late: cells that a stress has doomed still count as alive for a time.

    Attributes:
        hours_mean: Mean time from stress to a cell that stains as dead.
    """

    hours_mean: float = 18.0

    def __post_init__(self) -> None:
        """Refuse a time that cannot be.

        Raises:
            Refused: It is not above zero.
        """
        _positive("mean time to death", self.hours_mean)

    def seen_alive(self, alive_at_once: float, doomed: float, hours: float) -> float:
        """Give the part seen alive some hours after the stress.

        Args:
            alive_at_once: Part alive directly after it, the doomed among them.
            doomed: Part of those that will die of it.
            hours: Time since.
        """
        _share("part alive", alive_at_once)
        _share("part doomed", doomed)
        _positive("time", hours, zero=True)
        return alive_at_once * (1.0 - doomed * -math.expm1(-hours / self.hours_mean))


DELAYED_CARD = Card(
    name="delayed death",
    formula="alive(t) = alive(0) (1 - doomed (1 - exp(-t / mean)))",
    sources=("12 to 24 h from commitment to death: prior",),
    must_reproduce="viability right after thawing is above that of the next day",
    valid="the first three days after a stress",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolWarm:
    """Freezing and thawing: Mazur's two factors, and ice that grows again in slow warming.

    Cooled too slowly, cells shrink and are hurt by salt; cooled too fast, ice forms inside them.
    Small inner ice does no harm if warming is too fast for it to grow; large inner ice kills.

    Attributes:
        solution_rate: Cooling rate, degrees/min, at which the salt's harm has fallen to 1/e.
        solution_loss: Rate of loss by salt at no cooling at all.
        ice_rate: Cooling rate at which half the cells hold inner ice.
        ice_steepness: How sharply that sets in.
        grow_rate: Warming rate at which ice has half its chance to grow.
        grow_steepness: How sharply that sets in.
        handling_loss: Loss at the best of rates.
    """

    solution_rate: float = 0.05
    solution_loss: float = 1.5
    ice_rate: float = 12.0
    ice_steepness: float = 2.5
    grow_rate: float = 14.0
    grow_steepness: float = 3.0
    handling_loss: float = 0.05

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be.

        Raises:
            Refused: A rate is not above zero, or a loss no part.
        """
        _positive("rate of the salt's harm", self.solution_rate)
        _positive("loss by salt", self.solution_loss, zero=True)
        _positive("rate of inner ice", self.ice_rate)
        _positive("rate of growing ice", self.grow_rate)
        _share("loss by handling", self.handling_loss)

    def inner_ice(self, cooling: float) -> float:
        """Give the part of cells with inner ice after cooling at a rate, degrees/min."""
        _positive("cooling rate", cooling)
        return 1.0 / (1.0 + math.pow(self.ice_rate / cooling, self.ice_steepness))

    def alive(self, cooling: float, warming: float) -> float:
        """Give the part alive after cooling and warming at rates, degrees/min."""
        _positive("warming rate", warming)
        salt = math.exp(-self.solution_loss * math.exp(-cooling / self.solution_rate))
        grown = 1.0 / (1.0 + math.pow(warming / self.grow_rate, self.grow_steepness))
        return (1.0 - self.handling_loss) * salt * (1.0 - self.inner_ice(cooling) * grown)


COOL_WARM_CARD = Card(
    name="cooling and warming",
    formula="(1 - handling) exp(-a exp(-c/c0)) (1 - ice(c) grown(w)); ice, grown: logistic in log",
    sources=(
        "two factors: Mazur 1970, doi:10.1126/science.168.3934.939",
        "rates placed inside the grid of Baboo 2019 (PMC6399228); salt term: prior",
    ),
    must_reproduce=(
        "T cells (Baboo 2019, PMC6399228): cooled at 1 degree/min or slower, no effect of warming "
        "from 1.6 to 113 degrees/min; cooled at 10, loss only when warmed at 6.2 or slower, none "
        "at 45 to 113"
    ),
    valid="cooling 0.1 to 20 degrees/min in about 10 % DMSO",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmsoExposure:
    """Harm by DMSO after thawing: first order in its concentration, Arrhenius in temperature.

    Attributes:
        rate_37c_per_hour: Rate at 37 degrees in 10 % DMSO.
        activation_kj_mol: Activation energy.
    """

    rate_37c_per_hour: float = 0.12
    activation_kj_mol: float = 80.0

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be.

        Raises:
            Refused: A rate or energy is negative.
        """
        _positive("rate at 37 degrees", self.rate_37c_per_hour, zero=True)
        _positive("activation energy", self.activation_kj_mol, zero=True)

    def alive(self, percent: float, celsius: float, minutes: float) -> float:
        """Give the part alive after minutes in a concentration, % by volume."""
        _positive("concentration", percent, zero=True)
        _positive("time", minutes, zero=True)
        _temperature(celsius)
        inverse = 1 / (celsius + _ZERO_K) - 1 / (37 + _ZERO_K)
        faster = math.exp(-self.activation_kj_mol * 1000 / GAS_J * inverse)
        return math.exp(-self.rate_37c_per_hour * faster * percent / 10 * minutes / 60)


DMSO_CARD = Card(
    name="DMSO exposure",
    formula="exp(-k37 exp(-Ea/R (1/T - 1/310 K)) percent/10 t)",
    sources=("negligible below 5 degrees for 1 h, 1 to 2 % in 10 min at 22 to 37 degrees: prior",),
    must_reproduce="those two statements, in 10 % DMSO",
    valid="0 to 37 degrees, to 15 %",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenStore:
    """Storage frozen: no loss below the glass transition, loss above it that sets in late.

    Attributes:
        glass_c: Temperature below which nothing happens.
        weeks_at_minus_80: Weeks at -80 degrees after which 1/e of the cells is left.
        shape: Weibull shape; above 1 the loss sets in late.
        activation_kj_mol: Activation energy above the glass transition.
        cycle_loss: Loss by one warming above the glass transition and back.
    """

    glass_c: float = -123.0
    weeks_at_minus_80: float = 9.0
    shape: float = 4.0
    activation_kj_mol: float = 60.0
    cycle_loss: float = 0.0028

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be.

        Raises:
            Refused: A time or shape is not above zero, or a loss no part.
        """
        _positive("weeks at -80 degrees", self.weeks_at_minus_80)
        _positive("shape", self.shape)
        _positive("activation energy", self.activation_kj_mol, zero=True)
        _share("loss by a cycle", self.cycle_loss)

    def alive(self, stays: Sequence[tuple[float, float]], *, cycles: int = 0) -> float:
        """Give the part alive after stays of (degrees, hours) in any order, and short warmings.

        The age of cells is counted in weeks at -80 degrees, so stays at several temperatures add
        up before the late loss is read off.
        """
        _positive("number of cycles", cycles, zero=True)
        age = 0.0
        for celsius, hours in stays:
            _positive("time", hours, zero=True)
            _temperature(celsius)
            if celsius > self.glass_c:
                inverse = 1 / (celsius + _ZERO_K) - 1 / (_ZERO_K - 80)
                age += math.exp(-self.activation_kj_mol * 1000 / GAS_J * inverse) * hours / 168
        slow = math.exp(-math.pow(age / self.weeks_at_minus_80, self.shape))
        return slow * math.pow(1.0 - self.cycle_loss, cycles)


STORE_CARD = Card(
    name="frozen storage",
    formula="exp(-(age / scale)^shape) (1 - cycle)^cycles, age in weeks at -80 degrees",
    sources=(
        "no effect of years stored in nitrogen (311 donor products, see the thaw card)",
        "parking at -80 degrees: no significant loss to 4 weeks, viability loss at 5 weeks (Cohen "
        "and Tanhehco 2024, doi:10.1016/j.transci.2024.104007)",
        "temperature cycling of PBMC: viability 97.4 % without, 94.6 % with (quoted without its "
        "title on the page where it was read; thought to be Germann 2013, not confirmed)",
        "10 cycles behind that figure, shape and energy: prior",
    ),
    must_reproduce="under 5 % loss in 4 weeks at -80, over 5 % in 5; 2.8 points lost by cycling",
    valid="-196 to -60 degrees",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalSpread:
    """How post-thaw results differ between donors, in 5 % DMSO and 6 % pentastarch.

    Means and standard deviations, as parts: 311 white-cell products.
    """

    recovery_mean: float = 0.92
    recovery_sd: float = 0.17
    t_cell_recovery_mean: float = 0.76
    t_cell_recovery_sd: float = 0.19
    viability_mean: float = 0.84
    viability_sd: float = 0.06

    def viability_beta(self) -> tuple[float, float]:
        """Give the two shapes of the beta distribution with this mean and spread of viability."""
        spread = self.viability_mean * (1 - self.viability_mean) / self.viability_sd**2 - 1
        return self.viability_mean * spread, (1 - self.viability_mean) * spread

    def recovery_gamma(self, *, t_cells: bool = False) -> tuple[float, float]:
        """Give shape and scale of the gamma distribution of recovery, which may exceed 1."""
        mean = self.t_cell_recovery_mean if t_cells else self.recovery_mean
        sd = self.t_cell_recovery_sd if t_cells else self.recovery_sd
        return (mean / sd) ** 2, sd**2 / mean


SPREAD_CARD = Card(
    name="clinical post-thaw spread",
    formula="viability beta, recovery gamma, by their published mean and standard deviation",
    sources=(
        "311 donor white-cell products in 5 % DMSO and 6 % pentastarch: Stability of cryopreserved "
        "white blood cells prepared for donor WBC infusions, Transfusion, December 2011",
    ),
    must_reproduce="recovery 92 +/- 17 %, CD3 recovery 76 +/- 19 %, viability 84 +/- 6 %",
    valid="as a prior over donors; replaced by a site's own results",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preservation:
    """The models of one way of preserving, together."""

    liquid: LiquidLoss = field(default_factory=LiquidLoss)
    delayed: DelayedDeath = field(default_factory=DelayedDeath)
    cool_warm: CoolWarm = field(default_factory=CoolWarm)
    dmso: DmsoExposure = field(default_factory=DmsoExposure)
    store: FrozenStore = field(default_factory=FrozenStore)

    def liquid_curve(
        self, celsius: float, hours_max: float, *, points: int = 25, density: float = 0.0
    ) -> tuple[tuple[float, float], ...]:
        """Give points (days, part alive) of a liquid journey, as a network's `curve` takes them."""
        _positive("time", hours_max)
        if not 2 <= points <= _STEPS_MAX:
            raise _refuse("points", points, f"2 to {_STEPS_MAX}")
        hours = [hours_max * step / (points - 1) for step in range(points)]
        return tuple((one / 24, self.liquid.alive(celsius, one, density=density)) for one in hours)


CARDS = (LIQUID_CARD, DELAYED_CARD, COOL_WARM_CARD, DMSO_CARD, STORE_CARD, SPREAD_CARD)
"""The cards of all models of this file."""


def _positive(what: str, value: float, *, zero: bool = False) -> None:
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise _refuse(what, value, "a number of zero or more" if zero else "a number above zero")


def _share(what: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise _refuse(what, value, "a part from 0 to 1")


def _temperature(celsius: float) -> None:
    if not -_ZERO_K < celsius <= 60:
        raise _refuse("temperature", celsius, "above -273.15 and at most 60 degrees")


def _refuse(what: str, found: float, limit: str) -> Refused:
    return Refused(VALUE_IMPOSSIBLE, what=what, found=found, limit=limit, remedy=f"give {limit}")
