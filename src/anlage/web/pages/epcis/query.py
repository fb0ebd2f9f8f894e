"""What captured events are found by: the parameters of the simple event query that are served."""

import base64
import binascii
import hashlib
import heapq
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anlage.base import Refused, stamp
from anlage.record import Rows
from anlage.wire.epcis import Document, canonical_term, canonical_thing, check

from .answer import refused

PER_PAGE = 100
PER_PAGE_MAX = 1000
_CHUNK = 500
_ORDER = slice(2, 21)  # an order is 12 digits, a dot and 6 digits, after "e:" or "x:"
_THINGS = ("epc", "parentID", "inputEPC", "outputEPC")
_CLASSES = ("epcClass", "inputEPCClass", "outputEPCClass")
_MATCHED: dict[str, tuple[str, ...]] = {f"MATCH_{one}": (one,) for one in (*_THINGS, *_CLASSES)} | {
    "MATCH_anyEPC": _THINGS,
    "MATCH_anyEPCClass": _CLASSES,
}
_TERMS = ("bizStep", "disposition", "bizLocation", "readPoint", "action", "transformationID")
_PAGING = ("perPage", "nextPageToken")
_SINGLE = {f"{one}_{name}" for one in ("GE", "LT") for name in ("eventTime", "recordTime")} | {
    "EXISTS_errorDeclaration"
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A query that has been judged: canonical values by parameter."""

    parameters: Mapping[str, tuple[str, ...]]

    @property
    def mark(self) -> str:
        """A short digest of the parameters, so that a page's token serves its query alone."""
        text = json.dumps({name: sorted(v) for name, v in sorted(self.parameters.items())})
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def fits(self, row: Row) -> bool:
        """Tell whether an event is asked for."""
        return all(_fits(name, values, row) for name, values in self.parameters.items())

    def joined(self, other: "EventQuery") -> "EventQuery":
        """Give the query for what both ask for."""
        both = dict(self.parameters)
        for name, values in other.parameters.items():
            if name in both and name not in _SINGLE:
                values = tuple(one for one in values if one in both[name]) or ("",)
            elif name in both:
                values = (max if name.startswith("GE") else min)((both[name], values))
            both[name] = values
        return EventQuery(both)


def read_query(given: Mapping[str, Sequence[str]]) -> EventQuery:
    """Read and judge the parameters of a query; those of paging are left aside.

    Raises:
        Refused: A parameter is unknown, not served here, or its value does not fit.
    """
    asked = {name: list(values) for name, values in given.items() if name not in _PAGING}
    judged = {name: values[0] if name in _SINGLE else values for name, values in asked.items()}
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
    rows: Rows, query: EventQuery, *, after: str, limit: int
) -> tuple[list[tuple[str, Row]], bool]:
    """Give up to `limit` events past an order, in order of capture, and whether there are more."""
    found: list[tuple[str, Row]] = []
    for order, row in _candidates(rows, query, after):
        if query.fits(row):
            if len(found) == limit:
                return found, True
            found.append((order, row))
    return found, False


def newest_order(rows: Rows) -> str:
    """Give the order of the newest event; empty when there is none."""
    return next(
        (key[_ORDER] for key, _ in rows.find(facet="event", limit=1, newest_first=True)), ""
    )


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
    if name in _SINGLE:
        return (values[0] if name.startswith("EXISTS") else _time(values[0]),)
    term = name.removeprefix("EQ_")
    if name.startswith("EQ_") and term in _TERMS:
        return tuple(canonical_term(term, one) for one in values)
    raise _unserved(name)


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
        for key, row in _walk(rows, "event", after):
            yield key, row
        return
    walks: list[Callable[[], Iterator[tuple[str, Row]]]] = [
        lambda facet=f"x:{value}": _walk(rows, facet, after)  # type: ignore[misc]
        for value in dict.fromkeys(query.parameters[indexed[0]])
    ]
    merged = heapq.merge(*((order for order, _ in walk()) for walk in walks))
    yield from _rows_of(rows, merged)


def _rows_of(rows: Rows, orders: Iterator[str]) -> Iterator[tuple[str, Row]]:
    last = ""
    for order in orders:
        if order != last and (row := rows.get(f"e:{order}")) is not None:
            yield order, row
        last = order


def _walk(rows: Rows, facet: str, after: str) -> Iterator[tuple[str, Row]]:
    while True:
        chunk = [
            (key[_ORDER], row)
            for key, row in rows.find(facet=facet, limit=_CHUNK, after=after or None)
        ]
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        after = chunk[-1][0]


def _unserved(name: str) -> Refused:
    return refused(
        "parameter-unserved",
        "query",
        name,
        "eventType, GE_/LT_eventTime, GE_/LT_recordTime, EQ_action, EQ_bizStep, EQ_disposition,"
        " EQ_bizLocation, EQ_readPoint, EQ_transformationID, EQ_eventID, MATCH_…, perPage",
        "leave it out and choose among the answers",
    )
