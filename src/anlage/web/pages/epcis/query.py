"""What captured events are found by: the parameters of the simple event query that are served."""

import base64
import binascii
import hashlib
import heapq
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anlage.base import Refused, stamp
from anlage.custody import event_facets
from anlage.record import Rows
from anlage.wire.epcis import (
    Document,
    canonical_term,
    canonical_thing,
    check,
    is_served,
    matches,
)

from .answer import refused

PER_PAGE = 100
PER_PAGE_MAX = 1000
_CHUNK, _CHUNK_MIN = 500, 20
_ORDER = slice(2, 21)  # an order is 12 digits, a dot and 6 digits, after "e:" or "x:"
_THINGS = ("epc", "parentID", "inputEPC", "outputEPC")
_CLASSES = ("epcClass", "inputEPCClass", "outputEPCClass")
_MATCHED: dict[str, tuple[str, ...]] = {f"MATCH_{one}": (one,) for one in (*_THINGS, *_CLASSES)} | {
    "MATCH_anyEPC": _THINGS,
    "MATCH_anyEPCClass": _CLASSES,
}
_TERMS = ("bizStep", "disposition", "bizLocation", "readPoint", "action", "transformationID")
_KINDS = {"eventType": "type", "eventTypes": "type"} | {
    f"EQ_{one}": one for one in ("bizStep", "disposition", "action")
}
_PAGING = ("perPage", "nextPageToken")
_TIMES = ("eventTime", "recordTime", "errorDeclarationTime", "startTime", "endTime", "time")
_COUNTS = ("eventCountLimit", "maxEventCount")
_SHAPING = ("orderBy", "orderDirection", *_COUNTS)
_SINGLE = {f"{one}_{name}" for one in ("GE", "LT") for name in _TIMES} | {
    "EXISTS_errorDeclaration",
    *_SHAPING,
}
_NUMERIC = re.compile(
    r"(?:EQ|GT|GE|LT|LE)_(?:quantity|(?:value|minValue|maxValue|meanValue|sDev|percValue|percRank)"
    r"(?:_[A-Za-z0-9]+)?)"
)
_WITHIN = {"WD_readPoint": "readPoint", "WD_bizLocation": "bizLocation"}
EXAMINED_MAX = 200_000
GATHERED_MAX = 20_000
Row = dict[str, Any]
Load = Callable[[Row], tuple[Mapping[str, Any], Mapping[str, str]]]
"""Gives the event of a row as it was captured, and the prefixes of its context."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A query that has been judged: canonical values by parameter."""

    parameters: Mapping[str, tuple[str, ...]]

    @property
    def mark(self) -> str:
        """A short digest of the parameters, so that a page's token serves its query alone."""
        text = json.dumps({name: sorted(v) for name, v in sorted(self.parameters.items())})
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def fits(self, row: Row, load: Load) -> bool:
        """Tell whether an event is asked for; its content is loaded only where it must be."""
        deep = []
        for name, values in self.parameters.items():
            if name in _SHAPING:
                continue
            if is_served(name):
                deep.append((name, values))
            elif not _fits(name, values, row):
                return False
        if not deep:
            return True
        event, prefixes = load(row)
        return all(matches(name, values, event, prefixes) for name, values in deep)

    @property
    def is_gathered(self) -> bool:
        """True when all answers must be known before the first is given: order or number."""
        return any(name in self.parameters for name in _SHAPING)

    def joined(self, other: "EventQuery") -> "EventQuery":
        """Give the query for what both ask for."""
        both = dict(self.parameters)
        for name, values in other.parameters.items():
            if name in both and name not in _SINGLE:
                values = tuple(one for one in values if one in both[name]) or ("",)
            elif name in both:
                values = _tighter(name, both[name], values)
            both[name] = values
        return EventQuery(both)


def read_query(given: Mapping[str, Sequence[str]]) -> EventQuery:
    """Read and judge the parameters of a query; those of paging are left aside.

    Raises:
        Refused: A parameter is unknown, not served here, or its value does not fit.
    """
    asked = {name: list(values) for name, values in given.items() if name not in _PAGING}
    judged = {name: _judged(name, values) for name, values in asked.items()}
    whole = {"name": "query", "query": judged}
    problems = check(Document(name="query", json=whole, text=json.dumps(whole)))
    if problems:
        raise Refused.of(problems)
    return EventQuery({name: _canonical(name, values) for name, values in asked.items()})


def split_values(name: str, values: Sequence[str]) -> list[str]:
    """Give the values of a parameter of an address: `a|b` and repeated names alike."""
    if name in _SINGLE or name in _PAGING:
        return list(values)
    return [part for value in values for part in value.split("|")]


def select(
    rows: Rows, query: EventQuery, load: Load, *, after: str, limit: int
) -> tuple[list[tuple[str, Row]], str]:
    """Give up to `limit` events past a mark, and the mark past which there are more.

    Events come in order of capture, or in the order that is asked for; the mark is empty when
    there are no more.

    Raises:
        Refused: `query-too-complex` or `query-too-large`: it asks for more work, or more events,
            than one answer may take.
    """
    if query.is_gathered:
        return _gathered(rows, query, load, after, limit)
    found: list[tuple[str, Row]] = []
    for order, row in _fitting(rows, query, load, after):
        if len(found) == limit:
            return found, found[-1][0]
        found.append((order, row))
    return found, ""


def _gathered(
    rows: Rows, query: EventQuery, load: Load, after: str, limit: int
) -> tuple[list[tuple[str, Row]], str]:
    """Give a page of events that are sorted, or of which only so many are wanted."""
    shape = {name: query.parameters[name][0] for name in _SHAPING if name in query.parameters}
    found: list[tuple[str, Row]] = []
    for one in _fitting(rows, query, load, ""):
        found.append(one)
        if len(found) > int(shape.get("maxEventCount", GATHERED_MAX)) or len(found) > GATHERED_MAX:
            raise _too_much("query-too-large", f"more than {len(found) - 1} events")
    if key := shape.get("orderBy"):
        by = {"eventTime": "time", "recordTime": "recorded"}[key]
        is_down = shape.get("orderDirection", "DESC") == "DESC"
        found.sort(key=lambda one: str(one[1][by]), reverse=is_down)
    found = found[: int(shape.get("eventCountLimit", GATHERED_MAX))]
    start = int(after.removeprefix("@")) if after.startswith("@") else 0
    stop = start + limit
    return found[start:stop], f"@{stop}" if stop < len(found) else ""


def _fitting(rows: Rows, query: EventQuery, load: Load, after: str) -> Iterator[tuple[str, Row]]:
    for examined, (order, row) in enumerate(_candidates(rows, query, after)):
        if examined >= EXAMINED_MAX:
            raise _too_much("query-too-complex", f"{EXAMINED_MAX:,} events looked through")
        if query.fits(row, load):
            yield order, row


def _too_much(code: str, found: str) -> Refused:
    limit = f"{EXAMINED_MAX:,} looked through, {GATHERED_MAX:,} sorted"
    remedy = "narrow the query: by MATCH_anyEPC, a place, a time or an event type"
    return refused(code, "query", found, limit, remedy)


def write_token(order: str, mark: str) -> str:
    """Give the token of the page past an order."""
    return base64.urlsafe_b64encode(f"{order}/{mark}".encode()).decode().rstrip("=")


def read_token(token: str, mark: str) -> str:
    """Give the order that a token names.

    Raises:
        Refused: It is none of this query.
    """
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    order, _, theirs = text.rpartition("/")
    if theirs != mark:
        raise refused(
            "page-token-unusable",
            "nextPageToken",
            token[:60],
            "the token that this very query gave",
            "ask for the first page again",
        )
    return order


def read_page_size(text: str | None) -> int:
    """Give the number of events of a page.

    Raises:
        Refused: No whole number above zero.
    """
    if text is None:
        return PER_PAGE
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise refused(
            "parameter-malformed",
            "perPage",
            text[:40],
            f"1 to {PER_PAGE_MAX}",
            "give a whole number",
        )
    return min(int(text[:9]), PER_PAGE_MAX)


def _canonical(name: str, values: Sequence[str]) -> tuple[str, ...]:
    if name in ("eventType", "eventTypes", "EQ_eventID"):
        return tuple(values)
    if name in _MATCHED:
        if any(":idpat:" in one and not one.endswith("*") for one in values) or (
            name not in {f"MATCH_{one}" for one in (*_CLASSES, "anyEPCClass")}
            and any(":idpat:" in one for one in values)
        ):
            raise _unserved(f"{name} with a pattern")
        return tuple(canonical_thing(one) for one in values)
    if name == "orderBy" and values[0] not in ("eventTime", "recordTime"):
        raise _unserved(f"orderBy {values[0][:40]}")
    if name in _SINGLE:
        is_plain = name.startswith("EXISTS") or name in _SHAPING
        return (values[0] if is_plain else _time(values[0]),)
    term = name.removeprefix("EQ_")
    if name.startswith("EQ_") and term in _TERMS:
        return tuple(canonical_term(term, one) for one in values)
    if name in _WITHIN:
        return tuple(canonical_term(_WITHIN[name], one) for one in values)
    if is_served(name):
        return tuple(values)
    raise _unserved(name)


def _judged(name: str, values: Sequence[str]) -> object:
    """Give the values of an address as the query document would hold them, to be judged."""
    if name in _COUNTS:
        return int(values[0]) if values[0].isascii() and values[0].isdigit() else values[0]
    if _NUMERIC.fullmatch(name):
        try:
            return float(values[0])
        except ValueError:
            return values[0]
    return values[0] if name in _SINGLE else list(values)


def _tighter(name: str, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if name in _COUNTS:
        return min(one, other, key=lambda held: int(held[0]))
    return (max if name.startswith("GE") else min)((one, other))


def _time(text: str) -> str:
    # An address turns a plus sign into a space.
    try:
        return stamp(datetime.fromisoformat(text.replace(" ", "+")).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise refused(
            "parameter-malformed", "time", text[:60], "the years 1 to 9999", "correct the time"
        ) from error


def _fits(name: str, values: tuple[str, ...], row: Row) -> bool:
    if name in _MATCHED:
        return any(one in values for role in _MATCHED[name] for one in row["things"].get(role, ()))
    match name:
        case "eventType" | "eventTypes":
            return row["type"] in values
        case "EQ_eventID":
            return row["id"] in values
        case "GE_eventTime":
            return bool(row["time"] >= values[0])
        case "LT_eventTime":
            return bool(row["time"] < values[0])
        case "GE_recordTime":
            return bool(row["recorded"] >= values[0])
        case "LT_recordTime":
            return bool(row["recorded"] < values[0])
        case "EXISTS_errorDeclaration":
            return row["declared"] is not None
        case "WD_readPoint" | "WD_bizLocation":
            held = str(row["terms"].get(_WITHIN[name], ""))
            return any(held == one or held.startswith(f"{one}/254/") for one in values)
    return row["terms"].get(name.removeprefix("EQ_")) in values


def _candidates(rows: Rows, query: EventQuery, after: str) -> Iterator[tuple[str, Row]]:
    """Give every event that may fit, by the narrowest index there is for the query."""
    if ids := query.parameters.get("EQ_eventID"):
        known = [row for one in ids if (row := rows.get(f"i:{one}"))]
        orders: Iterator[str] = iter(sorted({o for row in known for o in row["versions"].values()}))
        yield from _rows_of(rows, (order for order in orders if order > after))
        return
    indexed = [name for name in query.parameters if name in _MATCHED]
    indexed += [n for n in ("EQ_bizLocation", "EQ_readPoint") if n in query.parameters]
    if not indexed:
        yield from _by_kind(rows, query, after)
        return
    walks: list[Callable[[], Iterator[tuple[str, Row]]]] = [
        lambda facet=f"x:{value}": _walk(rows, facet, after)  # type: ignore[misc]
        for value in dict.fromkeys(query.parameters[indexed[0]])
    ]
    merged = heapq.merge(*((order for order, _ in walk()) for walk in walks))
    yield from _rows_of(rows, merged)


def _by_kind(rows: Rows, query: EventQuery, after: str) -> Iterator[tuple[str, Row]]:
    """Give every event of the kinds asked for (type, step, disposition, action), in order."""
    wanted = {
        kind: query.parameters[name] for name, kind in _KINDS.items() if name in query.parameters
    }
    facets = event_facets(rows, wanted)
    chunk = max(_CHUNK_MIN, _CHUNK // max(1, len(facets)))
    walks = [_walk(rows, facet, after, chunk) for facet in facets]
    yield from heapq.merge(*walks, key=lambda one: one[0])


def _rows_of(rows: Rows, orders: Iterator[str]) -> Iterator[tuple[str, Row]]:
    last = ""
    for order in orders:
        if order != last and (row := rows.get(f"e:{order}")) is not None:
            yield order, row
        last = order


def _walk(rows: Rows, facet: str, after: str, size: int = _CHUNK) -> Iterator[tuple[str, Row]]:
    while True:
        chunk = [
            (key[_ORDER], row)
            for key, row in rows.find(facet=facet, limit=size, after=after or None)
        ]
        yield from chunk
        if len(chunk) < size:
            return
        after = chunk[-1][0]


def _unserved(name: str) -> Refused:
    return refused(
        "parameter-unserved",
        "query",
        name,
        "every parameter of the simple event query save HASATTR, EQATTR, patterns of instances and"
        " an order by other than eventTime and recordTime",
        "leave it out and choose among the answers",
    )
