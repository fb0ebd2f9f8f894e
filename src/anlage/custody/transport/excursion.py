"""Excursions: what a temperature record means for a product, by a dated rule.

Living cells are judged by time outside limits. Mean kinetic temperature (USP <1079.2>) is for
stored reagents alone: it assumes a chemical decay that cells do not follow, and it does not apply
below freezing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import pairwise

from anlage.base import Problem, Refused

HEAT_OF_ACTIVATION_OVER_R = 83_144 / 8.3144
"""Activation energy over the gas constant, kelvin (83.144 kJ/mol, 8.3144 J/(mol K))."""
_ZERO_CELSIUS = 273.15
_GAP_FACTOR = 3.5
_STUCK_READINGS = 60
_STUCK_FOR = timedelta(hours=12)


class Holds(Enum):
    """What the product is; it decides which judgements are allowed."""

    CELLS = "living cells"
    REAGENT = "stored reagent"


class Verdict(Enum):
    """What to do with the product; a person decides on quarantine."""

    ACCEPT = "accept"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A range that the product should stay in, and how long it may be outside in all.

    Attributes:
        low: Lowest temperature, degC; None for no limit.
        high: Highest temperature, degC; None for no limit.
        outside_max: Total time outside that is accepted.
        beyond: Verdict when the time is exceeded.
        why: The reason, in words for the record.
    """

    low: float | None = None
    high: float | None = None
    outside_max: timedelta = timedelta(0)
    beyond: Verdict
    why: str

    def is_outside(self, celsius: float) -> bool:
        """Tell whether a temperature is outside the band."""
        return (self.low is not None and celsius < self.low) or (
            self.high is not None and celsius > self.high
        )

    @property
    def range(self) -> str:
        """The band in words."""
        if self.low is None:
            return f"at most {self.high:g} degC"
        if self.high is None:
            return f"at least {self.low:g} degC"
        return f"{self.low:g} to {self.high:g} degC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinetic:
    """A limit on mean kinetic temperature over the worst window."""

    limit: float
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcursionRule:
    """One product's rule, with the day from which it holds.

    The first band is the labelled range: leaving it is an excursion.

    Raises:
        Refused: Mean kinetic temperature is asked for living cells, or there is no band.
    """

    id: str
    product: str
    valid_from: date
    holds: Holds
    bands: tuple[Band, ...]
    kinetic: Kinetic | None = None
    gap_max: timedelta = timedelta(minutes=60)
    source: str = ""

    def __post_init__(self) -> None:
        if not self.bands or (self.kinetic and self.holds is Holds.CELLS):
            raise Refused(
                "excursion-rule-malformed",
                what=f"excursion rule {self.id}",
                found="mean kinetic temperature for living cells" if self.bands else "no band",
                limit="at least one band; mean kinetic temperature for stored reagents only",
                remedy="state time outside limits for cells",
                rule="USP <1079.2>",
            )


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: when, and the temperature in degC; None when the sensor gave none."""

    at: datetime
    celsius: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """One time outside the labelled range, from the first reading outside to the first inside.

    Attributes:
        start: First reading outside.
        end: First reading inside again, or the last reading when it never came back.
        worst: The reading farthest outside, degC.
        limit: The range that was left.
        is_open: True when the record ends outside the range.
    """

    start: datetime
    end: datetime
    worst: float
    limit: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one record, its reasons and what could not be known."""

    verdict: Verdict
    reasons: tuple[str, ...]
    excursions: tuple[Excursion, ...]
    problems: tuple[Problem, ...]
    kinetic: float | None


def judge(readings: Sequence[Reading], rule: ExcursionRule) -> Judgement:
    """Judge a record by a rule.

    A gap, a lost or a stuck sensor leaves time that nobody measured: the verdict is then at best
    quarantine.

    Raises:
        Refused: There are no readings.
    """
    if not any(reading.celsius is not None for reading in readings):
        raise Refused(
            "no-readings",
            what="temperature record",
            found="no temperature that can be read",
            limit="at least one reading",
            remedy="read the logger out again, or ask the carrier for the record",
            rule=rule.id,
        )
    ordered = sorted(readings, key=lambda reading: reading.at)
    problems = [
        *_gaps(ordered, rule),
        *_lost(ordered),
        *_stuck(ordered),
    ]
    reasons: list[str] = []
    verdict = Verdict.ACCEPT
    for band in rule.bands:
        outside = sum((e.end - e.start for e in excursions(ordered, band)), timedelta(0))
        count = sum(1 for r in ordered if r.celsius is not None and band.is_outside(r.celsius))
        if count and (outside > band.outside_max or band.outside_max == timedelta(0)):
            verdict = _worse(verdict, band.beyond)
            reasons.append(
                f"{_minutes(outside)} outside {band.range}; accepted are"
                f" {_minutes(band.outside_max)}: {band.why}"
            )
    kinetic = None
    if rule.kinetic:
        kinetic = worst_kinetic(ordered, rule.kinetic.window)
        if kinetic is not None and kinetic > rule.kinetic.limit:
            verdict = _worse(verdict, Verdict.QUARANTINE)
            reasons.append(
                f"mean kinetic temperature {kinetic:.2f} degC over"
                f" {_minutes(rule.kinetic.window)}; accepted are {rule.kinetic.limit:g} degC"
            )
    if problems:
        verdict = _worse(verdict, Verdict.QUARANTINE)
        reasons.append("part of the time was not measured; see the problems")
    found = tuple(excursions(ordered, rule.bands[0]))
    if not reasons:
        reasons.append(
            f"never outside {rule.bands[0].range}"
            if not found
            else f"outside {rule.bands[0].range} for less than the accepted"
            f" {_minutes(rule.bands[0].outside_max)}"
        )
    return Judgement(
        verdict=verdict,
        reasons=tuple(reasons),
        excursions=found,
        problems=tuple(problems),
        kinetic=kinetic,
    )


def excursions(readings: Sequence[Reading], band: Band) -> list[Excursion]:
    """Give each time outside a band; readings in order of time."""
    found: list[Excursion] = []
    start: datetime | None = None
    worst = 0.0
    last = readings[-1].at if readings else None
    for reading in readings:
        if reading.celsius is None:
            continue
        if band.is_outside(reading.celsius):
            if start is None:
                start, worst = reading.at, reading.celsius
            elif _distance(band, reading.celsius) > _distance(band, worst):
                worst = reading.celsius
        elif start is not None:
            found.append(
                Excursion(start=start, end=reading.at, worst=worst, limit=band.range, is_open=False)
            )
            start = None
    if start is not None and last is not None:
        found.append(Excursion(start=start, end=last, worst=worst, limit=band.range, is_open=True))
    return found


def mean_kinetic_temperature(celsius: Sequence[float]) -> float:
    """Give the mean kinetic temperature of equally spaced readings, degC (USP <1079.2>).

    Example:
        >>> round(mean_kinetic_temperature([20, 25, 30]), 4)
        25.8582
    """
    rates = [math.exp(-HEAT_OF_ACTIVATION_OVER_R / (t + _ZERO_CELSIUS)) for t in celsius]
    return HEAT_OF_ACTIVATION_OVER_R / -math.log(math.fsum(rates) / len(rates)) - _ZERO_CELSIUS


def worst_kinetic(readings: Sequence[Reading], window: timedelta) -> float | None:
    """Give the highest mean kinetic temperature over any window, each reading weighted by time.

    A record shorter than the window is taken whole. None without readings.
    """
    known = [(r.at, r.celsius) for r in readings if r.celsius is not None]
    if not known:
        return None
    rates = [math.exp(-HEAT_OF_ACTIVATION_OVER_R / (t + _ZERO_CELSIUS)) for _, t in known]
    spans = [(b[0] - a[0]).total_seconds() for a, b in pairwise(known)]
    spans.append(sorted(spans)[len(spans) // 2] if spans else 1.0)
    worst, first, rate, time = 0.0, 0, 0.0, 0.0
    for last in range(len(known)):
        rate += rates[last] * spans[last]
        time += spans[last]
        while first < last and time - spans[first] >= window.total_seconds():
            rate -= rates[first] * spans[first]
            time -= spans[first]
            first += 1
        full = time >= window.total_seconds() or last == len(known) - 1
        if time > 0 and full:
            worst = max(worst, rate / time)
    return HEAT_OF_ACTIVATION_OVER_R / -math.log(worst) - _ZERO_CELSIUS if worst > 0 else None


def _gaps(readings: Sequence[Reading], rule: ExcursionRule) -> list[Problem]:
    spans = sorted((b.at - a.at) for a, b in pairwise(readings))
    if not spans:
        return []
    usual = spans[len(spans) // 2]
    limit = min(max(usual * _GAP_FACTOR, timedelta(seconds=1)), max(rule.gap_max, usual * 1.5))
    return [
        Problem(
            code="gap",
            what="temperature record",
            found=f"nothing from {a.at.isoformat()} to {b.at.isoformat()}, {_minutes(b.at - a.at)}",
            limit=f"a reading each {_minutes(usual)}",
            remedy="ask for the missing part; QA judges the time without readings",
            rule=rule.id,
        )
        for a, b in pairwise(readings)
        if b.at - a.at > limit
    ]


def _lost(readings: Sequence[Reading]) -> list[Problem]:
    missing = [reading.at for reading in readings if reading.celsius is None]
    if not missing:
        return []
    return [
        Problem(
            code="sensor-lost",
            what="temperature sensor",
            found=f"{len(missing)} readings without a value, from {missing[0].isoformat()}"
            f" to {missing[-1].isoformat()}",
            limit="a value at each reading",
            remedy="check the probe and its cable; QA judges the time without values",
            rule="Anlage loggers",
        )
    ]


def _stuck(readings: Sequence[Reading]) -> list[Problem]:
    run: list[Reading] = []
    found: list[Problem] = []
    for reading in [*readings, Reading(readings[-1].at, None)]:
        if run and reading.celsius == run[0].celsius:
            run.append(reading)
            continue
        if len(run) >= _STUCK_READINGS and run[-1].at - run[0].at >= _STUCK_FOR:
            found.append(
                Problem(
                    code="sensor-stuck",
                    what="temperature sensor",
                    found=f"{len(run)} equal readings of {run[0].celsius:g} degC from"
                    f" {run[0].at.isoformat()} to {run[-1].at.isoformat()}",
                    limit=f"some change within {_minutes(_STUCK_FOR)}",
                    remedy="test the logger against a reference; QA judges the time",
                    rule="Anlage loggers",
                )
            )
        run = [reading] if reading.celsius is not None else []
    return found


def _distance(band: Band, celsius: float) -> float:
    if band.low is not None and celsius < band.low:
        return band.low - celsius
    return celsius - band.high if band.high is not None else 0.0


def _worse(one: Verdict, other: Verdict) -> Verdict:
    order = (Verdict.ACCEPT, Verdict.QUARANTINE, Verdict.REJECT)
    return max(one, other, key=order.index)


def _minutes(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes >= 120:
        return f"{minutes / 60:.1f} h"
    return f"{minutes:g} min" if minutes == int(minutes) else f"{minutes:.1f} min"


_DEMO = (
    "Rule of the demonstration products; a site's QA confirms its own limits from stability data."
)
_FROZEN = ExcursionRule(
    id="frozen-cells-dry-vapour-2026",
    product="Frozen cells in a dry vapour shipper",
    valid_from=date(2026, 1, 1),
    holds=Holds.CELLS,
    bands=(
        Band(
            high=-150.0,
            outside_max=timedelta(minutes=30),
            beyond=Verdict.QUARANTINE,
            why="the shipper was warming or was open",
        ),
        Band(
            high=-135.0,
            beyond=Verdict.REJECT,
            why="above the glass transition of the freezing medium ice grows in the cells",
        ),
    ),
    source=_DEMO,
)
_COLD = ExcursionRule(
    id="fresh-apheresis-2-8-2026",
    product="Fresh apheresis, 2 to 8 degC",
    valid_from=date(2026, 1, 1),
    holds=Holds.CELLS,
    bands=(
        Band(
            low=2.0,
            high=8.0,
            outside_max=timedelta(minutes=60),
            beyond=Verdict.QUARANTINE,
            why="longer outside the labelled range than the stability data cover",
        ),
        Band(low=0.0, beyond=Verdict.REJECT, why="the cells may have frozen"),
        Band(high=25.0, beyond=Verdict.REJECT, why="the cells were warmed"),
    ),
    source=_DEMO,
)
_ROOM = ExcursionRule(
    id="fresh-apheresis-15-25-2026",
    product="Fresh apheresis, 15 to 25 degC",
    valid_from=date(2026, 1, 1),
    holds=Holds.CELLS,
    bands=(
        Band(
            low=15.0,
            high=25.0,
            outside_max=timedelta(minutes=60),
            beyond=Verdict.QUARANTINE,
            why="longer outside the labelled range than the stability data cover",
        ),
        Band(low=2.0, beyond=Verdict.REJECT, why="the cells were chilled"),
        Band(high=37.0, beyond=Verdict.REJECT, why="the cells were warmed"),
    ),
    source=_DEMO,
)
_REAGENT_COLD = ExcursionRule(
    id="reagent-2-8-2025",
    product="Reagent stored at 2 to 8 degC",
    valid_from=date(2025, 8, 1),
    holds=Holds.REAGENT,
    bands=(
        Band(
            low=2.0,
            high=8.0,
            outside_max=timedelta(hours=24),
            beyond=Verdict.QUARANTINE,
            why="longer outside than an excursion lasts",
        ),
        Band(high=15.0, beyond=Verdict.REJECT, why="warmer than an excursion may be"),
        Band(low=0.0, beyond=Verdict.REJECT, why="the reagent may have frozen"),
    ),
    kinetic=Kinetic(limit=8.0, window=timedelta(hours=24)),
    source="USP <1079.2>, official 2025-08: controlled cold temperature.",
)
_REAGENT_ROOM = ExcursionRule(
    id="reagent-20-25-2025",
    product="Reagent stored at controlled room temperature",
    valid_from=date(2025, 8, 1),
    holds=Holds.REAGENT,
    bands=(
        Band(
            low=15.0,
            high=30.0,
            outside_max=timedelta(hours=24),
            beyond=Verdict.QUARANTINE,
            why="longer outside 15 to 30 degC than a spike lasts",
        ),
        Band(high=40.0, beyond=Verdict.REJECT, why="warmer than a spike may be"),
    ),
    kinetic=Kinetic(limit=25.0, window=timedelta(days=30)),
    source="USP <1079.2>, official 2025-08: controlled room temperature.",
)
RULES: dict[str, ExcursionRule] = {
    "car-t": _FROZEN,
    "frozen-car-t": _FROZEN,
    "frozen-cells": _FROZEN,
    "apheresis-2-8": _COLD,
    "apheresis-15-25": _ROOM,
    "apheresis": _COLD,
    "reagent-2-8": _REAGENT_COLD,
    "reagent-crt": _REAGENT_ROOM,
}
"""The packaged rules by the product identifier that they serve."""


def rule_for(product: str) -> ExcursionRule:
    """Give the packaged rule of a product, by the product's or the rule's own identifier.

    Raises:
        Refused: There is no rule for the product.
    """
    wanted = product.strip().lower()
    found = RULES.get(wanted) or next((r for r in RULES.values() if r.id == wanted), None)
    if found is None:
        raise Refused(
            "excursion-rule-missing",
            what=f"excursion rule of product {product}",
            found="none",
            limit=", ".join(RULES),
            remedy="name one of these, or give your own rule with --rule FILE",
            rule="ISO 21973",
        )
    return found
