"""Lane records for a pool that several organisations share: what the way was like, without whose.

A record names countries, mode, month and hours, holds with their causes, and the verdict on the
condition; shipment, site, carrier and lane stand as pseudonyms that only their own house can tell.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from anlage.base import Problem, Refused, digest

from .lane import LaneRegistered
from .shipment import Shipment
from .shipment_fact import HoldCause

RULE = "Anlage lane pool 1"
FORMAT = "anlage-lane-record/1"
RECORDS_MAX, LINE_MAX, HOLDS_MAX, HOURS_MAX = 1_000_000, 20_000, 100, 24 * 90
_KEYS = frozenset(
    {
        "format", "id", "member", "lane", "origin", "destination", "mode", "goods", "month",
        "hours_planned", "hours", "holds", "verdict", "on_time", "complete",
    }
)  # fmt: skip
_VERDICTS = ("accept", "quarantine", "reject", None)


def lane_record(
    shipment: Shipment, lane: LaneRegistered, *, member: str, secret: bytes
) -> dict[str, Any] | None:
    """Give the record of a shipment that was received; None for one that was not.

    Args:
        shipment: The shipment.
        lane: The lane that it went.
        member: The house, as the pool knows it.
        secret: The house's own key, under which identifiers become pseudonyms.
    """
    booked, sent, got = shipment.booked, shipment.sent_at, shipment.received_at
    if booked is None or sent is None or got is None or shipment.received is None:
        return None

    def pseudonym(text: str) -> str:
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:24]

    holds = [
        {
            "cause": one.held.cause.value,
            "hours": _hours((one.ended or got) - one.began) if one.began else None,
        }
        for one in shipment.holds
    ]
    return {
        "format": FORMAT,
        "id": pseudonym(f"shipment/{shipment.id}"),
        "member": pseudonym(f"member/{member}"),
        "lane": pseudonym(f"lane/{booked.lane}"),
        "origin": lane.origin_country,
        "destination": lane.destination_country,
        "mode": lane.mode,
        "goods": booked.goods,
        "month": f"{sent:%Y-%m}",
        "hours_planned": lane.hours_planned,
        "hours": _hours(got - sent),
        "holds": holds,
        "verdict": shipment.verdict,
        "on_time": got <= booked.due,
        "complete": not shipment.received.missing,
    }


def record_line(record: Mapping[str, Any]) -> str:
    """Give a record as one line of JSON, always the same for the same record."""
    return json.dumps(record, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def read_records(text: str, name: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Read lines of records; a line that is none is a problem with its number, and left out."""
    found: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        wrong = "" if len(line) <= LINE_MAX else f"{len(line)} characters"
        record: Any = None
        if not wrong:
            try:
                record = json.loads(line)
                wrong = _wrong(record)
            except (ValueError, RecursionError):
                wrong = "no JSON"
        if wrong or number > RECORDS_MAX:
            problems.append(_malformed(name, number, wrong or f"more than {RECORDS_MAX} lines"))
        else:
            found.append(record)
    return found, problems


def joined(
    known: Iterable[Mapping[str, Any]], added: Iterable[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], int]:
    """Give a pool with records added, each once, and how many were new.

    A record of a member under an identifier that it has used is refused: records are not changed.

    Raises:
        Refused: `pool-record-changed`.
    """
    pool: dict[tuple[str, str], Mapping[str, Any]] = {(r["member"], r["id"]): r for r in known}
    new = 0
    for record in added:
        key = (record["member"], record["id"])
        if key not in pool:
            pool[key] = record
            new += 1
        elif digest(_plain(pool[key])) != digest(_plain(record)):
            raise Refused(
                "pool-record-changed",
                what=f"record {record['id']} of member {record['member']}",
                found="another record under this identifier in the pool",
                limit="the same record, or one not known yet",
                remedy="ask the member which is right; a pool keeps what it was given",
                rule=RULE,
            )
    return list(pool.values()), new


def query(
    records: Iterable[Mapping[str, Any]],
    *,
    origin: str | None = None,
    destination: str | None = None,
    goods: str | None = None,
    mode: str | None = None,
    cause: str | None = None,
) -> dict[str, Any]:
    """Give what the pool says of a way: counts, hours, holds by cause; None without records."""
    asked = {"origin": origin, "destination": destination, "goods": goods, "mode": mode}
    chosen = [
        one
        for one in records
        if all(value is None or one[key] == value for key, value in asked.items())
        and (cause is None or any(held["cause"] == cause for held in one["holds"]))
    ]
    hours = sorted(float(one["hours"]) for one in chosen)
    causes: dict[str, list[float]] = {}
    for one in chosen:
        for held in one["holds"]:
            causes.setdefault(held["cause"], []).append(float(held["hours"] or 0))
    judged = [one for one in chosen if one["verdict"] is not None]
    return {
        "records": len(chosen),
        "members": len({one["member"] for one in chosen}),
        "hours_median": median(hours) if hours else None,
        "hours_p95": _quantile(hours, 0.95),
        "on_time": _share([bool(one["on_time"]) for one in chosen]),
        "held": _share([bool(one["holds"]) for one in chosen]),
        "condition_accepted": _share([one["verdict"] == "accept" for one in judged]),
        "causes": {
            name: {"holds": len(spans), "hours_median": median(spans)}
            for name, spans in sorted(causes.items())
        },
    }


def _wrong(record: Any) -> str:
    """Say what keeps a value from being a record; empty when nothing does."""
    if not isinstance(record, dict) or set(record) != _KEYS:
        return "other keys than those of a lane record"
    if record["format"] != FORMAT:
        return f"format {record['format']!r}"[:60]
    texts = ("id", "member", "lane", "origin", "destination", "mode", "goods", "month")
    for key in texts:
        if not isinstance(record[key], str) or not 0 < len(record[key]) <= 64:
            return f"{key} {record[key]!r}"[:60]
    for key in ("hours_planned", "hours"):
        value = record[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= HOURS_MAX:
            return f"{key} {value!r}"[:60]
    if not all(isinstance(record[key], bool) for key in ("on_time", "complete")):
        return "on_time or complete not true or false"
    if record["verdict"] not in _VERDICTS:
        return f"verdict {record['verdict']!r}"[:60]
    holds = record["holds"]
    if not isinstance(holds, list) or len(holds) > HOLDS_MAX:
        return "holds no list"
    causes = {one.value for one in HoldCause}
    for one in holds:
        if not isinstance(one, dict) or one.get("cause") not in causes:
            return f"hold {one!r}"[:60]
        span = one.get("hours")
        is_number = isinstance(span, int | float) and not isinstance(span, bool)
        if span is not None and not (is_number and 0 <= span <= HOURS_MAX):
            return f"hold of {span!r} hours"[:60]
    return ""


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give a record with its numbers as text, which has one canonical form."""
    return {"line": record_line(record)}


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _quantile(ordered: Sequence[float], part: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None


def _malformed(name: str, line: int, found: str) -> Problem:
    return Problem(
        code="pool-record-malformed",
        what="lane record",
        found=found,
        limit=f"one object of {FORMAT} a line",
        remedy="ask the member to export it again",
        rule=RULE,
        path=name,
        line=line,
    )
