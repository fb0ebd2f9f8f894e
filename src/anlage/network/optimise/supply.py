"""Supply of a material over years: when to order, how much, from one supplier or from two.

The rule is (r, Q): when stock and orders under way fall to r, an order of Q goes out. What is used
in a lead time is Poisson given the lead time; while all suppliers are out an order waits for the
first to come back (their outages are taken as independent, with exponential repair). Cost per year
is that of ordering, holding, waiting (a patient's day) and of keeping each supplier qualified; it
is summed exactly over the distribution of what is used (Zipkin, Foundations of Inventory
Management, 2000, section 6.2). For every set of suppliers and every Q that can still be cheaper the
best r is found, so the optimum is proved within this model. It is simulated before it is believed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anlage.base import Refused

from ..distribution import Distribution, Kind
from ..errors import NAME_UNKNOWN, VALUE_IMPOSSIBLE
from ..measure import YEAR_DAYS
from ..model import Material, Network, Outage

Json: TypeAlias = dict[str, object]
Floats: TypeAlias = NDArray[np.float64]

DRAWS = 4_000
_STEPPED = 2_000
"""Order size up to which every one is tried; above it, one in five hundred."""
ORDER_MAX = 100_000
YEARS_MAX = 30
_SUPPLIERS_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What supply costs beside the units themselves.

    Attributes:
        order: Money for one order.
        waiting: Money for one patient who waits one day for the material.
        supplier: Money per year to keep one supplier qualified.
        holding: Money per unit and day on the shelf; the file's own when None.
    """

    order: float
    waiting: float
    supplier: float
    holding: float | None = None

    def __post_init__(self) -> None:
        """Refuse prices that cannot be.

        Raises:
            Refused: Waiting costs nothing, so that nothing would ever be ordered; or money below 0.
        """
        if self.waiting <= 0 or min(self.order, self.supplier, self.holding or 0.0) < 0:
            raise Refused(
                VALUE_IMPOSSIBLE,
                what="prices of supply",
                found=f"order {self.order:g}, waiting {self.waiting:g}, supplier {self.supplier:g}",
                limit="money of zero or more, and for waiting above zero",
                remedy="write --waiting-cost 500",
            )


def plan_supply(
    network: Network,
    material: str,
    per_year: float,
    prices: Prices,
    *,
    years: int = 3,
    growth: float = 0.0,
) -> Json:
    """Give the best order point, order size and suppliers, and a plan of the years.

    Args:
        network: The network, for the material's lead time, suppliers and their outages.
        material: Its name.
        per_year: Units used in a year; a simulation gives them with repeats and losses.
        prices: What supply costs.
        years: Years of the plan.
        growth: By which part what is used grows from year to year.

    Raises:
        Refused: No material of the name, one that a process makes, or values that cannot be.
    """
    known = {one.name: one for one in network.materials}
    if material not in known or known[material].lead_time is None:
        bought = [one.name for one in network.materials if one.lead_time is not None]
        raise Refused(
            NAME_UNKNOWN,
            what=f"supply of {material}",
            found=repr(material),
            limit="a material with a lead time: " + (", ".join(bought) or "(there is none)"),
            remedy="name one of these",
        )
    if not 1 <= years <= YEARS_MAX or not -1 < growth <= 10 or not per_year > 0:
        raise Refused(
            VALUE_IMPOSSIBLE,
            what="the plan",
            found=f"{years} years, growth {growth:g}, {per_year:g} units a year",
            limit=f"1 to {YEARS_MAX} years, growth above -100 %, some units a year",
            remedy="write --plan-years 3 --growth '10 %'",
        )
    stock = known[material]
    options = [_best(network, stock, suppliers, per_year, prices) for suppliers in _choices(stock)]
    best = min(options, key=lambda one: one.cost)
    used = per_year / YEAR_DAYS
    # Cost is flat about its best: one part in five hundred of Q is less than that part of the cost.
    gap = 0.0 if best.order < _STEPPED else 1 / 500
    plan = [
        _year(network, stock, best.suppliers, year, per_year * (1 + growth) ** year, prices)
        for year in range(years)
    ]
    return {
        "material": material,
        "units_per_year": per_year,
        "policy": best.told(used),
        "objective": best.cost,
        "bound": best.cost * (1 - gap),
        "gap": gap,
        "as_it_is": _as_it_is(network, stock, per_year, prices),
        "by_suppliers": [option.told(used) for option in options],
        "plan": plan,
        "plan_cost": sum(float(str(row["cost"])) for row in plan),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    """The best rule for one set of suppliers."""

    suppliers: tuple[str, ...]
    reorder: int
    order: int
    cost: float
    parts: Mapping[str, float]
    in_lead_time: float
    fill: float

    def told(self, used_per_day: float) -> Json:
        return {
            "suppliers": list(self.suppliers),
            "reorder_at": self.reorder,
            "order": self.order,
            "safety_stock": self.reorder - self.in_lead_time,
            "used_in_lead_time": self.in_lead_time,
            "served_at_once": self.fill,
            "time_to_survive_days": (self.reorder + self.order / 2) / used_per_day,
            "cost_per_year": self.cost,
            "cost_by_class": dict(self.parts),
        }


def policy_cost(
    demand: Floats, reorder: int, order: int, per_year: float
) -> tuple[float, float, float]:
    """Give units on the shelf, units waited for, and orders in a year, in the mean.

    Args:
        demand: Chance of 0, 1, 2, … units used in a lead time.
        reorder, order: The rule.
        per_year: Units used in a year.
    """
    backorders = _loss(demand)
    mean = float((np.arange(demand.size) * demand).sum())
    # The inventory position is uniform on r + 1 ... r + Q (Zipkin, section 6.2.3).
    waited = sum(_at(backorders, level, mean) for level in range(reorder + 1, reorder + order + 1))
    waited /= order
    shelf = reorder + (order + 1) / 2 - mean + waited
    return shelf, waited, per_year / order


def fill_of(demand: Floats, reorder: int, order: int) -> float:
    """Give the part of requests served at once: less than the position is used in a lead time."""
    below = np.concatenate([[0.0], np.cumsum(demand)])
    levels = np.clip(np.arange(reorder + 1, reorder + order + 1), 0, demand.size)
    return float(below[levels].mean())


def with_policy(network: Network, material: str, policy: Json) -> Network:
    """Give the network with a material ordered by a policy of `plan_supply`."""

    def changed(stock: Material) -> Material:
        if stock.name != material:
            return stock
        reorder, order = int(str(policy["reorder_at"])), int(str(policy["order"]))
        suppliers = policy["suppliers"]
        return replace(
            stock,
            reorder_at=reorder,
            order=order,
            stock=reorder + order,
            suppliers=tuple(suppliers) if isinstance(suppliers, list) else stock.suppliers,
        )

    return replace(
        network,
        name=f"{network.name}, {material} by plan",
        materials=tuple(changed(stock) for stock in network.materials),
    )


def _choices(stock: Material) -> Iterator[tuple[str, ...]]:
    if not stock.suppliers:
        yield ()
        return
    names = stock.suppliers[:_SUPPLIERS_MAX]
    for count in range(1, len(names) + 1):
        yield from combinations(names, count)


def _best(
    network: Network,
    stock: Material,
    suppliers: tuple[str, ...],
    per_year: float,
    prices: Prices,
) -> _Option:
    """Find the cheapest rule for a set of suppliers, and try no order size that cannot be it."""
    demand = _used_in_lead_time(network, stock, suppliers, per_year)
    holding = stock.holding_cost_per_day if prices.holding is None else prices.holding
    if holding <= 0:
        # Without a word, a fifth of the unit's price a year: money bound, and what expires.
        holding = max(0.2 * stock.unit_cost, 1.0) / YEAR_DAYS
    backorders = _loss(demand)
    mean = float((np.arange(demand.size) * demand).sum())
    best: tuple[float, int, int] | None = None
    order = 1
    while order <= ORDER_MAX:
        least = prices.order * per_year / order + YEAR_DAYS * holding * (order - 1) / 2
        # Holding with no safety at all, and no waiting, is below what any r can reach.
        grows = prices.order * per_year <= YEAR_DAYS * holding * order * order / 2
        if best is not None and grows and least >= best[0]:
            break
        cost, reorder = _best_reorder(backorders, mean, order, per_year, prices, holding)
        if best is None or cost < best[0]:
            best = (cost, reorder, order)
        order += 1 if order < _STEPPED else max(1, order // 500)
    if best is None:
        raise AssertionError("an order size of one is always tried")
    cost, reorder, order = best
    shelf, waited, orders = policy_cost(demand, reorder, order, per_year)
    parts = {
        "ordering": prices.order * orders,
        "holding": YEAR_DAYS * holding * shelf,
        "waiting": YEAR_DAYS * prices.waiting * waited,
        "suppliers": prices.supplier * len(suppliers),
    }
    return _Option(
        suppliers=suppliers,
        reorder=reorder,
        order=order,
        cost=sum(parts.values()),
        parts=parts,
        in_lead_time=mean,
        fill=fill_of(demand, reorder, order),
    )


def _best_reorder(
    backorders: Floats,
    mean: float,
    order: int,
    per_year: float,
    prices: Prices,
    holding: float,
) -> tuple[float, int]:
    """Give least cost and order point for an order size; the cost is convex in the order point."""
    top = backorders.size + order
    levels = np.concatenate([backorders, np.zeros(order + 1)])
    sums = np.concatenate([[0.0], np.cumsum(levels)])
    points = np.arange(0, top - order)
    waited = (sums[points + order + 1] - sums[points + 1]) / order
    shelf = points + (order + 1) / 2 - mean + waited
    cost = prices.order * per_year / order + YEAR_DAYS * (holding * shelf + prices.waiting * waited)
    at = int(np.argmin(cost))
    return float(cost[at]), int(points[at])


def _used_in_lead_time(
    network: Network, stock: Material, suppliers: tuple[str, ...], per_year: float
) -> Floats:
    """Give the chance of 0, 1, 2, … units used while an order is under way."""
    times = quantiles(stock.lead_time, DRAWS) if stock.lead_time else np.zeros(1)
    weights = np.full(times.size, 1.0 / times.size)
    all_out, repair = _all_out(network, suppliers)
    if all_out > 0:
        late = quantiles(Distribution(kind=Kind.EXPONENTIAL, first=repair), 200)
        some = times[:: max(1, times.size // 200)]
        both = (some[:, None] + late[None, :]).ravel()
        times = np.concatenate([times, both])
        weights = np.concatenate([weights * (1 - all_out), np.full(both.size, all_out / both.size)])
    rate = per_year / YEAR_DAYS
    most = int(rate * times.max() + 12 * math.sqrt(rate * times.max() + 1) + 30)
    if most > 2_000_000:
        raise Refused(
            VALUE_IMPOSSIBLE,
            what=f"supply of {stock.name}",
            found=f"{rate * times.max():.0f} units used in a lead time",
            limit="at most two million",
            remedy="count in larger units",
        )
    return _poisson_mixture(rate * times, weights, most)


def _poisson_mixture(means: Floats, weights: Floats, most: int) -> Floats:
    """Give the mixture of Poisson chances; means close together are joined on a fine grid."""
    from scipy.stats import poisson

    edges = np.linspace(0.0, float(means.max()) + 1e-9, 1_001)
    place = np.minimum(np.digitize(means, edges) - 1, edges.size - 2)
    mass = np.bincount(place, weights, minlength=edges.size - 1)
    centre = np.bincount(place, weights * means, minlength=edges.size - 1)
    made = np.zeros(most + 1)
    counts = np.arange(most + 1)
    for number in np.flatnonzero(mass):
        made += mass[number] * poisson.pmf(counts, centre[number] / mass[number])
    total = float(made.sum())
    found: Floats = made / total
    return found


def quantiles(time: Distribution, count: int) -> Floats:
    """Give the quantiles of a time at the middles of `count` equal parts, in days."""
    from scipy import stats

    chances = (np.arange(count) + 0.5) / count
    a, b, c = time.first, time.second, time.third
    laws = {
        Kind.EXPONENTIAL: lambda: stats.expon(scale=a),
        Kind.UNIFORM: lambda: stats.uniform(a, b - a),
        Kind.TRIANGULAR: lambda: stats.triang((b - a) / (c - a), a, c - a),
        Kind.LOGNORMAL: lambda: stats.lognorm(b, scale=math.exp(a)),
        Kind.GAMMA: lambda: stats.gamma(a, scale=b),
        Kind.WEIBULL: lambda: stats.weibull_min(a, scale=b),
        Kind.NORMAL: lambda: stats.truncnorm(-a / b, np.inf, a, b),
        Kind.PERT: lambda: stats.beta(
            1 + 4 * (b - a) / (c - a), 1 + 4 * (c - b) / (c - a), a, c - a
        ),
    }
    if time.kind is Kind.DETERMINISTIC:
        return np.full(count, a + time.plus)
    if time.kind is Kind.EMPIRICAL:
        order = np.argsort(time.values)
        weights = np.array(time.weights or (1 / len(time.values),) * len(time.values))[order]
        at = np.searchsorted(np.cumsum(weights), chances - 1e-12)
        values = np.array(time.values)[order]
        picked: Floats = values[np.minimum(at, values.size - 1)] + time.plus
        return picked
    found: Floats = laws[time.kind]().ppf(chances) + time.plus
    return found


def _all_out(network: Network, suppliers: tuple[str, ...]) -> tuple[float, float]:
    """Give the long-run chance that all suppliers are out, and the mean time to the first back."""
    if not suppliers:
        return 0.0, 0.0
    chance, back = 1.0, 0.0
    for name in suppliers:
        out = [one for one in network.outages if one.of == name and one.every is not None]
        if not out:
            return 0.0, 0.0
        up, away = _means(out[0])
        chance *= away / (up + away)
        back += 1.0 / away
    return chance, 1.0 / back


def _means(outage: Outage) -> tuple[float, float]:
    up = outage.every.mean_days() if outage.every is not None else math.inf
    return up, outage.lasts.mean_days()


def _loss(demand: Floats) -> Floats:
    """Give E[(D - x)+] for x = 0, 1, 2, … up to the most that is used."""
    above = 1.0 - np.cumsum(demand)
    tail = np.cumsum(above[::-1])[::-1]
    made: Floats = np.concatenate([tail, [0.0]])
    return made


def _at(backorders: Floats, level: int, mean: float) -> float:
    if level < 0:
        return mean - level
    return float(backorders[level]) if level < backorders.size else 0.0


def _as_it_is(network: Network, stock: Material, per_year: float, prices: Prices) -> Json:
    """Give what the file's own rule costs by the same model."""
    demand = _used_in_lead_time(network, stock, stock.suppliers, per_year)
    holding = stock.holding_cost_per_day if prices.holding is None else prices.holding
    holding = holding if holding > 0 else max(0.2 * stock.unit_cost, 1.0) / YEAR_DAYS
    shelf, waited, orders = policy_cost(demand, stock.reorder_at, stock.order, per_year)
    parts = {
        "ordering": prices.order * orders,
        "holding": YEAR_DAYS * holding * shelf,
        "waiting": YEAR_DAYS * prices.waiting * waited,
        "suppliers": prices.supplier * len(stock.suppliers),
    }
    mean = float((np.arange(demand.size) * demand).sum())
    return _Option(
        suppliers=stock.suppliers,
        reorder=stock.reorder_at,
        order=stock.order,
        cost=sum(parts.values()),
        parts=parts,
        in_lead_time=mean,
        fill=fill_of(demand, stock.reorder_at, stock.order),
    ).told(per_year / YEAR_DAYS)


def _year(
    network: Network,
    stock: Material,
    suppliers: tuple[str, ...],
    year: int,
    per_year: float,
    prices: Prices,
) -> Json:
    """Give one year of the plan: its rule, its orders, its money with that of the units."""
    option = _best(network, stock, suppliers, per_year, prices)
    return {
        "year": year + 1,
        "units": per_year,
        "reorder_at": option.reorder,
        "order": option.order,
        "orders": per_year / option.order,
        "safety_stock": option.reorder - option.in_lead_time,
        "cost": option.cost + per_year * stock.unit_cost,
    }
