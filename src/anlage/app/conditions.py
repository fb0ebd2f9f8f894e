"""A logger's file or a container's telemetry, taken in for a shipment: kept, judged, recorded.

The summary that becomes a fact is made here from the file, and sealed with a key that this process
alone holds, so that nobody can type a verdict.
"""

import functools
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from anlage.base import Instant, Problem, Refused, stamp
from anlage.custody import ExcursionRule, Holds, Judgement, Reading, Verdict, judge, rule_for
from anlage.custody.transport import (
    Breach,
    ConditionLogged,
    ExcursionDefinition,
    LogCondition,
    Sample,
    Shipment,
    breaches,
    temperatures_of,
)
from anlage.library import Definition
from anlage.record import Actor, Stream, encode, rebuild
from anlage.wire.loggers import is_telemetry, read_bytes, read_telemetry

from .engine import Outcome

if TYPE_CHECKING:
    from .installation import Installation

_KEY = secrets.token_bytes(32)
_NOTED = frozenset({"unit-not-stated"})
LISTED_MAX = 200
FILE_MAX = 32_000_000
NAME_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a record of a way holds, read from its file.

    Attributes:
        readings: Temperatures, in order of time.
        samples: Telemetry; empty for a logger's file.
        source: What recorded it.
        problems: What could not be read.
    """

    readings: tuple[Reading, ...]
    samples: tuple[Sample, ...]
    source: str
    problems: tuple[Problem, ...]

    @property
    def breaches(self) -> list[Breach]:
        """How the container was handled otherwise than it may be."""
        return breaches(self.samples)


def read_way(data: bytes, name: str, **choices: str | None) -> Way:
    """Read a logger's file or a batch of telemetry; choices as for `wire.loggers.read_bytes`.

    Raises:
        Refused: It cannot be read, or leaves open what changes the result.
    """
    if is_telemetry(data, name):
        batch = read_telemetry(data, name)
        readings = tuple(temperatures_of(batch.samples))
        source = batch.unit or "container telemetry"
        return Way(readings=readings, samples=batch.samples, source=source, problems=batch.problems)
    record = read_bytes(data, name, **choices)
    if any(one.at.tzinfo is None for one in record.readings):
        raise Refused(
            "time-zone-unknown",
            what=f"logger file {name}",
            found="times without a zone",
            limit="times whose zone is known",
            remedy="say the logger's time zone, such as +01:00",
            rule="ALCOA: contemporaneous",
            path=name,
        )
    ordered = tuple(sorted(record.readings, key=lambda one: one.at))
    return Way(readings=ordered, samples=(), source=record.channel, problems=record.problems)


def way_of(site: "Installation", logged: ConditionLogged) -> Way:
    """Read a record of a way again, as it was read when it was taken in."""
    return read_way(site.blobs.get(logged.file), logged.name, **logged.read_as)


def rule_of_product(site: "Installation", product: str, day: date) -> ExcursionRule:
    """Give the excursion rule of a product on a day: the site's own, or the packaged one.

    Raises:
        Refused: There is none.
    """
    name = product.strip().lower()
    stream = f"definition/excursion-rule:{name}"
    if Stream.pattern.fullmatch(stream):
        at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
        version = site.engine.state(Definition, Stream(stream)).effective(at)
        if version is not None:
            return ExcursionDefinition.read(version.content).rule
    return rule_for(product)


def take_in(
    site: "Installation",
    shipment: str,
    data: bytes,
    name: str,
    *,
    actor: Actor,
    product: str | None = None,
    **choices: str | None,
) -> Outcome:
    """Keep a record of a way, judge it by the product's rule, and record what it says.

    Raises:
        Refused: It cannot be read; no product is known; the shipment is not sealed.
    """
    if not 0 < len(data) <= FILE_MAX:
        raise Refused(
            "file-too-large" if data else "file-missing",
            what="condition record",
            found=f"{len(data)} bytes",
            limit=f"1 to {FILE_MAX} bytes",
            remedy="choose the file that the logger wrote",
        )
    state = site.engine.state(Shipment, Stream(f"shipment/{shipment}"))
    judged_as = product or (state.booked.product if state.booked else "")
    if not judged_as:
        raise Refused(
            "product-not-said",
            what=f"condition record of shipment {shipment}",
            found="a shipment without a booking",
            limit="the product whose rule judges it",
            remedy="name the product, such as frozen-car-t",
            rule="ISO 21973",
        )
    way = read_way(data, name, **choices)
    day = (way.readings[0].at if way.readings else site.clock.now()).date()
    rule = rule_of_product(site, judged_as, day)
    judgement = judge(way.readings, rule)
    file = hashlib.sha256(data).hexdigest()
    logged = _logged(file, PurePath(name).name, way, judged_as, rule, judgement, actor.person or "")
    said = {key: value for key, value in choices.items() if value}
    logged = replace(logged, read_as=said)
    asked = sealed(shipment, logged)
    site.engine.judge(asked, actor=actor)
    site.blobs.put(data)
    return site.engine.do(asked, actor=actor)


def sealed(shipment: str, logged: ConditionLogged) -> LogCondition:
    """Give the request that records a summary made here."""
    text = json.dumps(encode(logged), ensure_ascii=False, sort_keys=True)
    return LogCondition(shipment=shipment, logged=text, seal=_seal(shipment, text))


def opened_summary(request: LogCondition) -> ConditionLogged:
    """Give the summary of a request that this process has made.

    Raises:
        Refused: `summary-not-made-here`.
    """
    if not hmac.compare_digest(request.seal, _seal(request.shipment, request.logged)):
        raise Refused(
            "summary-not-made-here",
            what=f"condition log of shipment {request.shipment}",
            found="a summary that was typed or sent",
            limit="a summary made here from the logger's file",
            remedy="take in the file itself, on the shipment's page or by `anlage shipment log`",
            rule="21 CFR 11.10(h)",
        )
    return rebuild(ConditionLogged, json.loads(request.logged))


def _logged(
    file: str,
    name: str,
    way: Way,
    product: str,
    rule: ExcursionRule,
    judgement: Judgement,
    by: str,
) -> ConditionLogged:
    known = [one.celsius for one in way.readings if one.celsius is not None]
    problems = [*way.problems, *judgement.problems]
    verdict, reasons = judgement.verdict, list(judgement.reasons)
    if verdict is Verdict.ACCEPT and any(one.code not in _NOTED for one in problems):
        verdict = Verdict.QUARANTINE
        reasons.append("part of the record could not be read; see the problems")
    events = [str(one) for one in way.breaches]
    if events and verdict is Verdict.ACCEPT:
        verdict = Verdict.QUARANTINE
        reasons.append("the container was handled otherwise than it may be; see the events")
    values: dict[str, Any] = {
        "file": file,
        "name": name[:NAME_MAX],
        "source": way.source[:NAME_MAX],
        "readings": len(known),
        "start": stamp(way.readings[0].at),
        "end": stamp(way.readings[-1].at),
        "low": _decimal(min(known)),
        "high": _decimal(max(known)),
        "product": product,
        "rule": f"{rule.id} (valid from {rule.valid_from.isoformat()})",
        "verdict": verdict.value,
        "reasons": reasons,
        "by": by,
        "excursions": [
            {
                "start": stamp(one.start),
                "end": stamp(one.end),
                "worst": _decimal(one.worst),
                "limit": one.limit,
                "is_open": one.is_open,
            }
            for one in judgement.excursions[:LISTED_MAX]
        ],
        "problems": [str(one) for one in problems[:LISTED_MAX]],
        "events": events[:LISTED_MAX],
    }
    if judgement.kinetic is not None:
        values["kinetic"] = _decimal(judgement.kinetic)
    return rebuild(ConditionLogged, values)


def _seal(shipment: str, text: str) -> str:
    return hmac.new(_KEY, f"{shipment}\n{text}".encode(), hashlib.sha256).hexdigest()


def _decimal(value: float) -> str:
    return str(Decimal(f"{value:.3f}").normalize() + 0)


def stays(readings: Sequence[Reading]) -> list[tuple[float, float]]:
    """Give the stays of a way as (hours, degC): each reading holds until the next one."""
    known: list[tuple[Instant, float]] = [
        (one.at, one.celsius) for one in readings if one.celsius is not None
    ]
    return [((b[0] - a[0]).total_seconds() / 3600, a[1]) for a, b in pairwise(known)]


def way_figure(site: "Installation", logged: ConditionLogged) -> dict[str, Any]:
    """Give the figure of a record that was taken in, read again from its file."""
    from .way_drawing import figure_of

    way = way_of(site, logged)
    rule = rule_of_product(site, logged.product, logged.start.date())
    return figure_of(way.readings, rule, logged, way.samples)


@functools.lru_cache(maxsize=256)
def _alive(site: "Installation", file: str, name: str, read_as: tuple[tuple[str, str], ...]) -> Any:
    from .survival import survival

    way = read_way(site.blobs.get(file), name, **dict(read_as))
    return survival(stays(way.readings))


def predicted(site: "Installation", logged: ConditionLogged) -> dict[str, str] | None:
    """Give how many cells would live at the end of a record, in percent, with the model's range.

    None for a stored reagent, and where the models do not tell.
    """
    from .survival import MODEL

    rule = rule_of_product(site, logged.product, logged.start.date())
    if rule.holds is not Holds.CELLS:
        return None
    alive = _alive(site, logged.file, logged.name, tuple(sorted(logged.read_as.items())))
    if alive is None:
        return None
    return {
        "percent": f"{100 * alive.middle:.1f}",
        "low": f"{100 * alive.low:.1f}",
        "high": f"{100 * alive.high:.1f}",
        "model": MODEL,
    }
