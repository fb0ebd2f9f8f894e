"""Measures of the way from vein to vein, each with its formula and the facts behind the number.

A measure whose facts are missing is None, never 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from anlage.base import Instant

FORMULAS = {
    "vein-to-vein": "infused - collected, per lot; median over lots infused",
    "on-time-in-full": "shipments received by their due time with every container accepted"
    " / shipments received",
    "excursion-rate": "shipments whose condition log was not accepted / shipments with a log",
    "out-of-specification-rate": "lots with a result out of specification / lots with results",
}
"""The formula of each measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure.

    Attributes:
        name: One of `FORMULAS`.
        value: Days for times, a share from 0 to 1 for rates; None without facts.
        counted: The subjects behind the number.
        against: Those of them that count against it.
    """

    name: str
    value: float | None
    counted: tuple[str, ...]
    against: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """How it is computed."""
        return FORMULAS[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of one shipment that was received."""

    shipment: str
    due: Instant
    received: Instant
    in_full: bool
    log_accepted: bool | None = None


def vein_to_vein(collected: Mapping[str, Instant], infused: Mapping[str, Instant]) -> Measure:
    """Give the median days from collection to infusion over lots that have both."""
    lots = tuple(sorted(lot for lot in infused if lot in collected))
    days = [(infused[lot] - collected[lot]) / timedelta(days=1) for lot in lots]
    return Measure(name="vein-to-vein", value=median(days) if days else None, counted=lots)


def on_time_in_full(deliveries: Sequence[Delivery]) -> Measure:
    """Give the share of shipments received in time with everything accepted."""
    late = [d.shipment for d in deliveries if d.received > d.due or not d.in_full]
    return _rate("on-time-in-full", [d.shipment for d in deliveries], late, inverse=True)


def excursion_rate(deliveries: Sequence[Delivery]) -> Measure:
    """Give the share of shipments with a condition log whose log was not accepted."""
    logged = [d for d in deliveries if d.log_accepted is not None]
    warm = [d.shipment for d in logged if not d.log_accepted]
    return _rate("excursion-rate", [d.shipment for d in logged], warm)


def out_of_specification_rate(passed: Mapping[str, bool]) -> Measure:
    """Give the share of lots with results of which at least one is out of specification."""
    failed = [lot for lot, fine in passed.items() if not fine]
    return _rate("out-of-specification-rate", list(passed), failed)


def _rate(
    name: str, counted: Sequence[str], against: Sequence[str], *, inverse: bool = False
) -> Measure:
    share = len(against) / len(counted) if counted else None
    if share is not None and inverse:
        share = 1 - share
    return Measure(
        name=name, value=share, counted=tuple(sorted(counted)), against=tuple(sorted(against))
    )
