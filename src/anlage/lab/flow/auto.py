"""T-cell gates found by the data: singlets, live, CD3, CD4 and CD8, memory, CAR.

Each threshold stands in the valley between two populations, or on a control without the stain
(FMO). Where the valley is poor, where two places offer themselves, or where a control does not
match, the step is refused and nothing below it is guessed: give a threshold from a control then.
Every gate tells how far its share moves when cells are drawn again and thresholds placed again.

Memory subsets after Sallusto et al. 1999, doi:10.1038/44385: naive CCR7+ CD45RA+, central memory
CCR7+ CD45RA-, effector memory CCR7- CD45RA-, TEMRA CCR7- CD45RA+. CD45RO stands in for CD45RA,
turned round, where a panel has only that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy
from numpy.typing import NDArray

from anlage.base import Problem, Refused

from ..method import MethodCard, Purpose
from .density import EVENTS_MIN, Valley, cuts_between, find_valley
from .fcs import Channel, Sample
from .gate import FCS, UNCOMPENSATED, Dimension, Gate, Polygon, Rectangle, Strategy
from .panel import Panel
from .population import Population, populations
from .strategy import Gated, gate
from .transform import Logicle, Ratio

Floats = NDArray[numpy.float64]
Marks = NDArray[numpy.bool_]

CARD: Final = MethodCard(
    name="t-cell-gating",
    version="3",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT),
    qualified_for=(),
    trained_domain="Simulated tubes of T cells with known truth: 6,000 events or more, populations "
    "3.5 standard deviations apart or more; one real blood sample (CD3, CD4, CD8) by eye.",
    sources=("doi:10.1093/bioinformatics/btu677", "doi:10.1038/44385", "simulated.py"),
)
"""What the automatic gates may be used for: to understand and to develop, not to release a lot."""

FMO_QUANTILE: Final = 0.995
_DECADES: Final = 4.5
_PLACEMENTS: Final = 100
_PLACED_EVENTS_MAX: Final = 100_000
_SLICES: Final = 10
# A control in which so many cells carry the stain was stained, or is of another tube.
_STAINED_MIN: Final = 0.02
_APART_MAX: Final = 2.0
_DRIFT_MAX: Final = 0.4
# Debris scatters less than cells by far more than resting cells do than blasts or monocytes.
_DEBRIS_RATIO: Final = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Where one channel is cut.

    Attributes:
        role: What the channel measures ("cd3").
        channel: Its short name.
        parent: Gate whose events decided.
        signal: The threshold as compensated signal.
        position: The same on the channel's logicle scale.
        spread: Standard deviation of the position when placed again.
        source: "valley", "fmo" or "given".
        valley: The valley, where one was looked for.
    """

    role: str
    channel: str
    parent: str
    signal: float
    position: float
    spread: float
    source: str
    valley: Valley | None = None

    def as_dict(self) -> dict[str, object]:
        """Give the threshold as a JSON object."""
        told = {name: getattr(self, name) for name in self.__slots__}
        told["valley"] = None if self.valley is None else self.valley.as_dict()
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What is known besides the sample.

    Attributes:
        fmo: Samples stained with all but one: role to sample.
        thresholds: Thresholds given by hand, as compensated signal: role to value.
    """

    fmo: Mapping[str, Sample] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TCells:
    """What automatic gating found.

    Attributes:
        panel: The channel of each role.
        thresholds: Each cut, in the order made.
        gated: The gates and their events; the strategy can be written as Gating-ML.
        populations: Counts and shares by gate.
        stability: 95 % interval of each gate's share of its parent, in percent, when cells are
            drawn and thresholds placed again.
        background: Share of CAR+ events in the FMO control, in percent; None without one.
        car_percent: Share of CAR+ T cells above that background, in percent.
        refused: Why a step was not made; gates below it are missing. None when all were.
        notes: What was left out and why.
    """

    panel: Panel
    thresholds: tuple[Threshold, ...]
    gated: Gated
    populations: dict[str, Population]
    stability: dict[str, tuple[float, float]]
    background: float | None
    car_percent: float | None
    refused: tuple[Problem, ...]
    notes: tuple[str, ...]


def gate_t_cells(
    sample: Sample,
    panel: Panel,
    *,
    rng: numpy.random.Generator,
    controls: Controls | None = None,
    resamples: int = 200,
) -> TCells:
    """Gate a T-cell tube.

    Args:
        sample: What `read_fcs` gave.
        panel: What `panel_of` gave; CD3 is needed, CD4 and CD8 go together, the rest is used
            where present.
        rng: Source of chance for the bootstrap.
        controls: FMO samples and thresholds set by hand.
        resamples: Bootstrap draws per threshold.

    Raises:
        Refused: The panel lacks CD3, or the sample has too few events.
    """
    _ = panel["cd3"]
    if sample.event_count < EVENTS_MIN:
        raise Refused(
            "auto-events", what=f"sample {sample.name}", found=f"{sample.event_count} events",
            limit=f"{EVENTS_MIN} or more", remedy="acquire more events", path=sample.name,
        )  # fmt: skip
    tube = _Tube(sample, panel, controls or Controls(), rng, resamples)
    tube.singlets()
    tube.cells()
    parent = tube.part("viability", tube.last, "Live", above=False)
    parent = tube.part("cd3", parent, "T cells", above=True)
    if parent is not None:
        tube.helper_and_killer(parent)
        tube.memory(parent)
        tube.car(parent)
    return tube.result()


class _Tube:
    """One sample on its way through the gates."""

    def __init__(
        self,
        sample: Sample,
        panel: Panel,
        controls: Controls,
        rng: numpy.random.Generator,
        resamples: int,
    ) -> None:
        self.sample, self.panel, self.controls = sample, panel, controls
        self.rng, self.resamples = rng, resamples
        self.scales: dict[str, Logicle] = {}
        self.values: dict[str, Floats] = {}
        self.gates: dict[str, Gate] = {}
        self.marks: dict[str, Marks] = {}
        self.ratios: dict[str, Ratio] = {}
        self.thresholds: dict[str, Threshold] = {}
        # Which cut (by its key) parts each gate on which side, and which gate goes before it.
        self.rules: dict[str, tuple[dict[str, bool], str | None]] = {}
        self.refused: list[Problem] = []
        self.notes: list[str] = []
        self.last: str | None = None
        self.background: float | None = None
        self.car_percent: float | None = None
        stains = [role for role in panel.channels if not role.startswith("fsc")]
        for role, signal in zip(stains, _signals(sample, panel, stains), strict=True):
            self.scales[role] = scale_for(signal, panel[role])
            self.values[role] = self.scales[role].apply(signal)

    def dimension(self, role: str) -> Dimension:
        return Dimension(self.panel[role].name, FCS, f"logicle {self.panel[role].name}")

    def singlets(self) -> None:
        """Keep the band around the usual ratio of height to area: doublets have too much area."""
        if "fsc_area" not in self.panel or "fsc_height" not in self.panel:
            self.notes.append("no FSC-A and FSC-H: doublets are not taken out")
            return
        area, height = (self.panel[role] for role in ("fsc_area", "fsc_height"))
        ratio = Ratio(height.name, area.name, 1.0, 0.0, 0.0)
        rows = self.sample.columns((height.number - 1, area.number - 1))
        values = ratio.of(rows[0], rows[1])
        finite = values[numpy.isfinite(values)]
        if len(finite) < EVENTS_MIN:
            self.notes.append("forward scatter is not usable: doublets are not taken out")
            return
        middle = float(numpy.median(finite))
        # The upper half is free of doublets, so it alone tells the singlets' spread.
        spread = float(numpy.median(finite[finite >= middle])) - middle
        reach = 4 * max(spread, 1e-6) / 0.6745
        self.ratios["singlet ratio"] = ratio
        self._add(
            Rectangle(
                id="Singlets",
                dimensions=(Dimension("singlet ratio", UNCOMPENSATED, None, is_ratio=True),),
                sides=((middle - reach, middle + reach),),
            ),
            (values >= middle - reach) & (values < middle + reach),
        )
        self.last = "Singlets"

    def cells(self) -> None:
        """Take out debris: what scatters light far less than cells do, beyond a clear valley."""
        if "fsc_area" not in self.panel:
            return
        channel = self.panel["fsc_area"]
        signal = self.sample.columns((channel.number - 1,))[0]
        held = numpy.isfinite(signal) & (signal > 0)
        if self.last is not None:
            held &= self.marks[self.last]
        valley = find_valley(numpy.log10(signal[held]), self.rng, resamples=self.resamples)
        if valley is None or not valley.is_deep:
            return
        cut = 10**valley.position
        if valley.high_mode - valley.low_mode < math.log10(_DEBRIS_RATIO):
            self.notes.append(
                f"forward scatter shows two populations, parted at {cut:.4g}: both are kept"
            )
            return
        dimension = Dimension(channel.name, UNCOMPENSATED)
        made = Rectangle(
            id="Cells", dimensions=(dimension,), sides=((cut, None),), parent=self.last
        )
        self._add(made, signal >= cut)
        self.notes.append(f"debris: events under {cut:.4g} in {channel.name} are left out")
        self.last = "Cells"

    def part(self, role: str, parent: str | None, name: str, *, above: bool) -> str | None:
        """Cut a channel; give the new gate, the parent without such a channel, None if refused."""
        if self.refused:
            return None
        if role not in self.panel:
            self.notes.append(f"no channel for {role}: gate {name} is not made")
            return parent
        if not self._cut(role, parent):
            return None
        self._quarter(name, parent, {role: above})
        return name

    def helper_and_killer(self, parent: str) -> None:
        """Part T cells by CD4 and CD8."""
        if "cd4" not in self.panel or "cd8" not in self.panel:
            self.notes.append("CD4 and CD8 are not both in the panel: T cells are not parted")
            return
        if not all([self._cut("cd4", parent), self._cut("cd8", parent)]):
            return
        for name, four, eight in (
            ("CD4", True, False), ("CD8", False, True),
            ("CD4+CD8+", True, True), ("CD4-CD8-", False, False),
        ):  # fmt: skip
            self._quarter(name, parent, {"cd4": four, "cd8": eight})

    def memory(self, parent: str) -> None:
        """Part CD4 and CD8 cells into naive, central memory, effector memory and TEMRA."""
        young = next((role for role in ("cd45ra", "cd45ro") if role in self.panel), None)
        if "ccr7" not in self.panel or young is None:
            self.notes.append("CCR7 and CD45RA or CD45RO are not both in the panel: no memory")
            return
        if not all([self._cut("ccr7", parent), self._cut(young, parent)]):
            return
        for family in [name for name in ("CD4", "CD8") if name in self.gates]:
            self._quadrants(family, young)

    def _quadrants(self, family: str, young: str) -> None:
        """Part a family by four cuts, each in the valley between its own two neighbours.

        A rare subset beside a large one is cut nearer to itself than a common line would cut it:
        the valley between unequal populations lies nearer the smaller.
        """
        is_turned = young == "cd45ro"
        cuts = {
            "seven of young": self._finer("ccr7", family, {young: not is_turned}),
            "seven of old": self._finer("ccr7", family, {young: is_turned}),
            "age of seven": self._finer(young, family, {"ccr7": True}),
            "age of none": self._finer(young, family, {"ccr7": False}),
        }
        if None in cuts.values():
            return
        self._quarters(family, {name: key for name, key in cuts.items() if key}, is_turned)

    def _quarters(self, family: str, cuts: Mapping[str, str], is_turned: bool) -> None:
        """Add the four gates of a family between its cuts."""
        # With cuts apart in both ways, two gates that face each other meet in the middle.
        seven = self._position(cuts["seven of young"]) - self._position(cuts["seven of old"])
        age = self._position(cuts["age of seven"]) - self._position(cuts["age of none"])
        age = -age if is_turned else age
        before = {}
        if seven < 0 and age < 0:
            before = {"effector memory": "naive"}
        elif seven > 0 and age > 0:
            before = {"TEMRA": "central memory"}
        for name, is_seven, is_young in (
            ("naive", True, True), ("central memory", True, False),
            ("effector memory", False, False), ("TEMRA", False, True),
        ):  # fmt: skip
            sides = {
                cuts["seven of young" if is_young else "seven of old"]: is_seven,
                cuts["age of seven" if is_seven else "age of none"]: is_young != is_turned,
            }
            first = before.get(name)
            self._quarter(
                f"{family} {name}", family, sides, before=f"{family} {first}" if first else None
            )

    def _position(self, key: str) -> float:
        return self.thresholds[key].position

    def _finer(self, role: str, family: str, among: Mapping[str, bool]) -> str | None:
        """Place a cut between two neighbours of a family; give its key, or that of the common cut
        where it was set by hand or a control, or where their own valley is poor and the common cut
        holds for them; None, with the reason kept, where neither does.
        """
        common = self.thresholds[role]
        if common.source != "valley":
            return role
        held = self.marks[family].copy()
        for other, is_above in among.items():
            held &= (self.values[other] >= self.thresholds[other].position) == is_above
        values = self.values[role][held]
        valley = find_valley(values, self.rng, resamples=self.resamples)
        ((other, is_above),) = among.items()
        where = f"{family} {other}{'+' if is_above else '-'}"
        # Another valley than the common one would part something else than these two.
        if (
            valley is None
            or not valley.is_clear
            or not valley.low_mode < common.position < valley.high_mode
        ):
            if cuts_between(values, common.position, self.rng):
                return role
            self.refused.append(self._poor(role, where, valley, len(values)))
            return None
        key = f"{role} in {where}"
        self._keep(role, where, valley.position, valley.spread, "valley", valley, key=key)
        return key

    def car(self, parent: str) -> None:
        """Find CAR+ T cells, and take the control's background off their share."""
        if "car" not in self.panel:
            return
        if not self._cut("car", parent):
            return
        self._quarter("CAR+", parent, {"car": True})
        control = self.controls.fmo.get("car")
        if control is None:
            self.notes.append("no FMO control of the CAR: its background is not taken off")
            return
        values = self._control(control, "car", parent)
        background = float(numpy.mean(values >= self.thresholds["car"].position))
        of = int(numpy.count_nonzero(self.marks[parent]))
        share = numpy.count_nonzero(self.marks["CAR+"]) / of if of else math.nan
        self.background = 100 * background
        self.car_percent = 100 * max(0.0, (share - background) / (1 - background))

    def result(self) -> TCells:
        """Apply the strategy and tell what came of it."""
        strategy = self._strategy()
        gated = gate(self.sample, strategy)
        return TCells(
            panel=self.panel,
            thresholds=tuple(self.thresholds.values()),
            gated=gated,
            populations=populations(gated),
            stability=self._stability(),
            background=self.background,
            car_percent=self.car_percent,
            refused=tuple(self.refused),
            notes=tuple(self.notes),
        )

    def _strategy(self, names: tuple[str, ...] | None = None) -> Strategy:
        gates = {name: self.gates[name] for name in (names or tuple(self.gates))}
        scales = {f"logicle {self.panel[role].name}": scale for role, scale in self.scales.items()}
        return Strategy(gates=gates, scales=dict(scales), ratios=dict(self.ratios))

    def _add(self, made: Gate, inside: Marks) -> None:
        self.gates[made.id] = made
        self.marks[made.id] = inside if made.parent is None else inside & self.marks[made.parent]

    def _quarter(
        self,
        name: str,
        parent: str | None,
        sides: Mapping[str, bool],
        *,
        before: str | None = None,
    ) -> None:
        """Add a gate bounded by cuts, each on one side; what `before` holds stays with it."""
        self.rules[name] = (dict(sides), before)
        inside = numpy.ones(self.sample.event_count, numpy.bool_)
        bounds: list[tuple[float | None, float | None]] = []
        for key, is_above in sides.items():
            cut = self.thresholds[key]
            inside &= (self.values[cut.role] >= cut.position) == is_above
            bounds.append((cut.position, None) if is_above else (None, cut.position))
        dimensions = tuple(self.dimension(self.thresholds[key].role) for key in sides)
        made: Gate = Rectangle(id=name, dimensions=dimensions, sides=tuple(bounds), parent=parent)
        if before is not None:
            taken = self.gates[before]
            if not isinstance(taken, Rectangle):
                raise AssertionError("the gate that goes before is a rectangle")
            inside &= ~self.marks[before]
            corners = _without_corner(tuple(bounds), taken.sides)
            made = Polygon(
                id=name,
                dimensions=(dimensions[0], dimensions[1]),
                vertices=corners,
                parent=parent,
            )
        self._add(made, inside)

    def _cut(self, role: str, parent: str | None) -> bool:
        """Place a threshold; False, with the reason kept, when the data give none."""
        if role in self.thresholds:
            return True
        held = slice(None) if parent is None else self.marks[parent]
        values = self.values[role][held]
        name = "all events" if parent is None else parent
        given = self.controls.thresholds.get(role)
        if given is not None:
            position = float(self.scales[role].apply(numpy.array([float(given)]))[0])
            self._keep(role, name, position, 0.0, "given", None)
            return True
        if role in self.controls.fmo:
            return self._cut_by_control(role, parent, name)
        valley = find_valley(values, self.rng, resamples=self.resamples)
        if valley is None or not valley.is_clear:
            self.refused.append(self._poor(role, name, valley, len(values)))
            return False
        drift = _drift(values, valley.position)
        if drift is not None:
            self.notes.append(
                f"{role} above its cut goes from {drift[0]:.0%} to {drift[1]:.0%} as the file goes "
                "on: a stain that drifts, or a file put together of several"
            )
        self._keep(role, name, valley.position, valley.spread, "valley", valley)
        return True

    def _cut_by_control(self, role: str, parent: str | None, name: str) -> bool:
        values = self._control(self.controls.fmo[role], role, parent)
        if len(values) < EVENTS_MIN:
            self.refused.append(self._poor(role, f"{name} of the FMO control", None, len(values)))
            return False
        drawn = self.rng.choice(values, (self.resamples, min(len(values), 20_000)))
        spread = float(numpy.std(numpy.quantile(drawn, FMO_QUANTILE, axis=1), ddof=1))
        position = float(numpy.quantile(values, FMO_QUANTILE))
        held = slice(None) if parent is None else self.marks[parent]
        misfit = self._misfit(values, self.values[role][held])
        if misfit is not None:
            self.refused.append(
                Problem(
                    code="auto-control",
                    what=f"FMO control of {role} in {name}",
                    found=misfit,
                    limit="negative cells where the sample's are, and no others",
                    remedy="give the control of this tube, or --threshold "
                    f"{role}=SIGNAL set by hand",
                    path=self.controls.fmo[role].name,
                )
            )
            return False
        self._keep(role, name, position, spread, "fmo", None)
        return True

    def _misfit(self, control: Floats, sample: Floats) -> str | None:
        """Say how a control departs from what a tube without the stain looks like."""
        valley = find_valley(control, self.rng, resamples=self.resamples)
        if valley is not None and valley.is_deep and valley.share_above >= _STAINED_MIN:
            return f"two populations, {valley.share_above:.1%} of its cells in the upper one"
        own = find_valley(sample, self.rng, resamples=self.resamples)
        if own is None or not own.is_clear:
            return None
        quartiles = numpy.quantile(control, (0.25, 0.5, 0.75))
        spread = max(float(quartiles[2] - quartiles[0]) / 1.349, 1e-6)
        negative = float(numpy.median(sample[sample < own.position]))
        apart = (float(quartiles[1]) - negative) / spread
        if abs(apart) <= _APART_MAX:
            return None
        way = "brighter" if apart > 0 else "dimmer"
        return f"cells {abs(apart):.1f} standard deviations {way} than the sample's negative ones"

    def _control(self, control: Sample, role: str, parent: str | None) -> Floats:
        """Give a control's values of one channel inside the gate that the sample gave."""
        dimension = self.dimension(role)
        gated = gate(control, self._strategy(), keep=(dimension,))
        values = gated.of(dimension)
        values = values if parent is None else values[gated.membership[parent]]
        return values[numpy.isfinite(values)]

    def _keep(
        self, role: str, parent: str, position: float, spread: float, source: str,
        valley: Valley | None, *, key: str = "",
    ) -> None:  # fmt: skip
        self.thresholds[key or role] = Threshold(
            role=role,
            channel=self.panel[role].name,
            parent=parent,
            signal=float(self.scales[role].inverse(numpy.array([position]))[0]),
            position=position,
            spread=spread,
            source=source,
            valley=valley,
        )

    def _poor(self, role: str, parent: str, valley: Valley | None, events: int) -> Problem:
        if events < EVENTS_MIN:
            return Problem(
                code="auto-events",
                what=f"threshold of {role} in {parent}",
                found=f"{events} events",
                limit=f"{EVENTS_MIN} or more",
                remedy="acquire more events",
                path=self.sample.name,
            )
        found, limit = "one population", "a valley of depth 0.50 or more in 95 % of draws"
        if valley is not None and valley.is_deep and valley.rival is not None:
            first, second = sorted((valley.position, valley.rival))
            signals = self.scales[role].inverse(numpy.array([first, second]))
            found = f"two places to cut, at {signals[0]:.4g} and at {signals[1]:.4g}"
            limit = "one valley"
        elif valley is not None:
            found = f"a valley of depth {valley.depth:.2f}, in {valley.support:.0%} of draws"
        return Problem(
            code="auto-valley",
            what=f"threshold of {role} ({self.panel[role].name}) in {parent}",
            found=found,
            limit=limit,
            remedy=f"give an FMO control, or --threshold {role}=SIGNAL from one",
            path=self.sample.name,
        )

    def _stability(self) -> dict[str, tuple[float, float]]:
        """Draw cells and thresholds anew, and give the interval of each gate's share."""
        count = self.sample.event_count
        size = min(count, _PLACED_EVENTS_MAX)
        shares: dict[str, list[float]] = {name: [] for name in self.gates}
        for _ in range(_PLACEMENTS if count else 0):
            rows = self.rng.integers(0, count, size)
            inside: dict[str, Marks] = {}
            above = {
                key: self.values[cut.role][rows] >= cut.position + self.rng.normal(0, cut.spread)
                for key, cut in self.thresholds.items()
            }
            for name, made in self.gates.items():
                held = self._redrawn(name, rows, above, inside)
                parent = inside[made.parent] if made.parent else numpy.ones(size, numpy.bool_)
                inside[name] = held & parent
                of = numpy.count_nonzero(parent)
                shares[name].append(100 * numpy.count_nonzero(inside[name]) / of if of else 0.0)
        # A subsample of a large file scatters more than the file; scale the scatter back.
        shrink = math.sqrt(size / count) if count else 1.0
        return {name: _interval(values, shrink) for name, values in shares.items() if values}

    def _redrawn(
        self,
        name: str,
        rows: NDArray[numpy.int64],
        above: Mapping[str, Marks],
        inside: Mapping[str, Marks],
    ) -> Marks:
        if name not in self.rules:
            return self.marks[name][rows]
        sides, before = self.rules[name]
        held = numpy.ones(len(rows), numpy.bool_)
        for key, is_above in sides.items():
            held &= above[key] == is_above
        return held if before is None else held & ~inside[before]


_FAR: Final = 10.0


def _without_corner(
    sides: tuple[tuple[float | None, float | None], ...],
    taken: tuple[tuple[float | None, float | None], ...],
) -> tuple[tuple[float, float], ...]:
    """Give the corners of a quadrant without what the quadrant that faces it holds of it."""
    (x, right), (y, up) = ((low, True) if low is not None else (high, False) for low, high in sides)
    (u, _), (v, _) = ((low, 0) if low is not None else (high, 0) for low, high in taken)
    if x is None or y is None or u is None or v is None:
        raise AssertionError("each side of a quadrant has one bound")
    far_x, far_y = (_FAR if right else -_FAR), (_FAR if up else -_FAR)
    return ((x, v), (x, far_y), (far_x, far_y), (far_x, y), (u, y), (u, v))


def _drift(values: Floats, position: float) -> tuple[float, float] | None:
    """Give the least and the greatest share above a cut in tenths of the file, where far apart."""
    shares = [
        float(numpy.mean(part >= position))
        for part in numpy.array_split(values, min(_SLICES, len(values) // EVENTS_MIN) or 1)
    ]
    low, high = min(shares), max(shares)
    return (low, high) if high - low > _DRIFT_MAX else None


def _interval(values: list[float], shrink: float) -> tuple[float, float]:
    middle = float(numpy.median(values))
    low, high = (float(value) for value in numpy.quantile(values, (0.025, 0.975)))
    return max(0.0, middle - (middle - low) * shrink), min(100.0, middle + (high - middle) * shrink)


def _signals(sample: Sample, panel: Panel, roles: list[str]) -> list[Floats]:
    """Read the compensated signals of some roles."""
    dimensions = tuple(Dimension(panel[role].name, FCS) for role in roles)
    read = gate(sample, Strategy(), keep=dimensions)
    return [read.of(dimension) for dimension in dimensions]


def scale_for(signal: Floats, channel: Channel) -> Logicle:
    """Choose a logicle whose linear part holds the noise of the negative cells.

    W = (M - log10(T / |r|)) / 2 with r the fifth percentile of the negative signals.
    Source: Parks, Roederer & Moore 2006, doi:10.1002/cyto.a.20258.
    """
    finite = signal[numpy.isfinite(signal)]
    highest = float(finite.max()) if len(finite) else 0.0
    stated = channel.range
    if channel.decades > 0:
        stated = channel.log_offset * 10.0 ** min(channel.decades, 12.0)
    top = stated if stated >= 0.5 * highest else highest
    top = top if top > 0 else 1.0
    negative = finite[finite < 0]
    width = 0.5
    if len(negative) >= max(10, 0.001 * len(finite)):
        reference = abs(float(numpy.quantile(negative, 0.05)))
        width = (_DECADES - math.log10(top / reference)) / 2 if reference > 0 else 0.5
    return Logicle(top, min(max(width, 0.1), _DECADES / 2 - 0.25), _DECADES, 0.0)
