"""Events that others report: captured documents as facts, and the index by which they are found.

A captured document says what somebody else claims. It is kept word for word as a file, named by
its digest; the fact holds where each event lies in it and what it is found by. Nothing here
touches a container: no container's state reads a stream of the family `epcis`.

The identity of an event is the identifier its sender gave, else its canonical hash (CBV 2.0, 8.9).
An event that is known already is not entered twice; one that is wrong is never deleted: a later
event with an error declaration and the same identity stands beside it (EPCIS 2.0, 7.4.1.4).
"""

import heapq
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from anlage.base import Refused
from anlage.record import Entry, Recorded, Rows, Stream, fact

EVENTS_MAX = 20_000
KIND_TERMS = ("bizStep", "disposition", "action")
KINDS_MAX = 500
VIEW = "epcis-events"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedEvent:
    """One event of a document: where it lies, and what it is found by.

    Attributes:
        place: Its place in the document, from 0.
        start: Offset of its first byte in the file.
        end: Offset past its last byte.
        id: The identifier its sender gave, else its hash.
        hash: Its canonical hash.
        type: ObjectEvent, AggregationEvent, ... or a type of the sender's own.
        time: When it happened, in UTC.
        declared: When it was declared in error; None for an ordinary event.
        terms: What else it is found by: bizStep, disposition, readPoint, bizLocation, action and
            transformationID, in canonical spelling.
        things: By role (epc, parentID, inputEPC, outputEPC, epcClass, inputEPCClass,
            outputEPCClass), the identifiers in canonical spelling.
    """

    place: int
    start: int
    end: int
    id: str
    hash: str
    type: str
    time: str
    declared: str | None = None
    terms: Mapping[str, str]
    things: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An event that was not taken in, when the sender asked to proceed past errors."""

    place: int
    code: str
    what: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureEvents:
    """The request to take in a document that is kept already.

    Attributes:
        capture: Identifier of the capture, unique.
        digest: SHA-256 of the document's bytes, in hexadecimal.
        size: Number of those bytes.
        context: The document's JSON-LD context, as JSON text.
        error_behaviour: rollback or proceed.
        events: The valid events.
        left_out: The others; none unless the behaviour is proceed.
        sender: Whom the document names as its sender.
    """

    capture: str
    digest: str
    size: int
    context: str
    error_behaviour: str
    events: tuple[CapturedEvent, ...]
    left_out: tuple[LeftOut, ...] = ()
    sender: str | None = None


@fact("epcis-captured")
@dataclass(frozen=True, slots=True, kw_only=True)
class EpcisCaptured:
    """A foreign document was taken in; fields as in `CaptureEvents`."""

    digest: str
    size: int
    context: str
    error_behaviour: str
    events: tuple[CapturedEvent, ...]
    left_out: tuple[LeftOut, ...] = ()
    sender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineEventQuery:
    """The request to keep a query under a name; `parameters` are its terms, each a list."""

    name: str
    parameters: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveEventQuery:
    """The request to drop a named query and its subscriptions."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeToQuery:
    """The request to be able to poll a named query from now on.

    Attributes:
        name: The named query.
        subscription: Identifier of the subscription, unique.
        start: The order past which events are new to the subscriber; empty for all.
    """

    name: str
    subscription: str
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSubscription:
    """The request to end a subscription."""

    name: str
    subscription: str


@fact("epcis-query-defined")
@dataclass(frozen=True, slots=True, kw_only=True)
class EventQueryDefined:
    """A query was given a name."""

    name: str
    parameters: Mapping[str, tuple[str, ...]]


@fact("epcis-query-removed")
@dataclass(frozen=True, slots=True, kw_only=True)
class EventQueryRemoved:
    """A named query was dropped, and with it its subscriptions."""

    name: str


@fact("epcis-query-subscribed")
@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySubscribed:
    """Somebody polls a named query; what came up to `start` is not new to them."""

    name: str
    subscription: str
    start: str


@fact("epcis-subscription-ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEnded:
    """A subscription ended."""

    name: str
    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """A named query: whether it stands, and who polls it."""

    is_defined: bool = False
    subscriptions: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        del stream
        return cls()

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        match recorded.fact:
            case EventQueryDefined():
                return replace(self, is_defined=True)
            case EventQueryRemoved():
                return replace(self, is_defined=False, subscriptions=frozenset())
            case QuerySubscribed(subscription=name):
                return replace(self, subscriptions=self.subscriptions | {name})
            case SubscriptionEnded(subscription=name):
                return replace(self, subscriptions=self.subscriptions - {name})
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A capture: whether its identifier is taken."""

    is_taken: bool = False

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        del stream
        return cls()

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        del recorded
        return replace(self, is_taken=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedDocument:
    """A captured document: its events by identifier, and who sent it."""

    events: Mapping[str, CapturedEvent] = field(default_factory=dict)
    person: str = ""

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        del stream
        return cls()

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        match recorded.fact:
            case EpcisCaptured(events=events):
                held = {one.id: one for one in events}
                return replace(self, events=held, person=recorded.by.person or "")
        return self


def capture_stream(capture: str) -> Stream:
    """Give the stream of a capture."""
    return Stream(f"epcis/{capture}")


def query_stream(name: str) -> Stream:
    """Give the stream of a named query.

    Raises:
        Refused: The name is none that an address can carry.
    """
    if not _NAME.fullmatch(name):
        raise Refused(
            "query-name-malformed",
            what="name of a query",
            found=repr(name[:80]),
            limit="1 to 64 letters, digits, dots, hyphens and underscores",
            remedy="choose another name",
            rule="EPCIS 2.0 clause 12",
        )
    return Stream(f"epcis/query:{name}")


def capture_events(capture: Capture, request: CaptureEvents) -> list[Entry]:
    """Take in a document.

    Raises:
        Refused: The identifier is taken, or events were left out although none may be.
    """
    if capture.is_taken:
        raise Refused(
            "capture-known",
            what=f"capture {request.capture}",
            found="taken in before",
            remedy="send it under a new identifier",
        )
    if request.left_out and request.error_behaviour != "proceed":
        raise Refused(
            "events-invalid",
            what=f"capture {request.capture}",
            found=f"{len(request.left_out)} events that are not valid",
            limit="all valid, or the error behaviour proceed",
            remedy="correct the document",
            rule="EPCIS 2.0 clause 12.6",
        )
    taken = EpcisCaptured(
        digest=request.digest,
        size=request.size,
        context=request.context,
        error_behaviour=request.error_behaviour,
        events=request.events,
        left_out=request.left_out,
        sender=request.sender,
    )
    return [Entry(capture_stream(request.capture), taken)]


def define_query(query: EventQuery, request: DefineEventQuery) -> list[Entry]:
    """Keep a query under a name.

    Raises:
        Refused: The name is taken.
    """
    if query.is_defined:
        raise Refused(
            "query-name-taken",
            what=f"query {request.name}",
            found="a query of this name",
            remedy="choose another name, or delete that query",
            rule="EPCIS 2.0 clause 8.2.5",
        )
    said = EventQueryDefined(name=request.name, parameters=request.parameters)
    return [Entry(query_stream(request.name), said)]


def remove_query(query: EventQuery, request: RemoveEventQuery) -> list[Entry]:
    """Drop a named query."""
    _must_stand(query, request.name)
    return [Entry(query_stream(request.name), EventQueryRemoved(name=request.name))]


def subscribe(query: EventQuery, request: SubscribeToQuery) -> list[Entry]:
    """Let somebody poll a named query from now on."""
    _must_stand(query, request.name)
    said = QuerySubscribed(
        name=request.name, subscription=request.subscription, start=request.start
    )
    return [Entry(query_stream(request.name), said)]


def end_subscription(query: EventQuery, request: EndSubscription) -> list[Entry]:
    """End a subscription.

    Raises:
        Refused: No such subscription.
    """
    _must_stand(query, request.name)
    if request.subscription not in query.subscriptions:
        raise Refused(
            "subscription-unknown",
            what=f"subscription {request.subscription[:80]}",
            found="none of this query",
            remedy="look at the subscriptions of the query",
        )
    said = SubscriptionEnded(name=request.name, subscription=request.subscription)
    return [Entry(query_stream(request.name), said)]


class EventView:
    """The index of captured events.

    Keys: `e:ORDER` an event (facet `e:NUMBER` of its kind, in order of capture), `k:…` each kind of
    event that was seen: type, step, disposition and action together, `i:ID` what is known under an
    identity, `x:…` one entry per thing or place of an event (facet `x:VALUE`, in order of capture),
    `v:KIND:VALUE` each value that was seen, `newest` the order of the last event, `job:ID` a
    capture, `q:NAME` a named query, `s:NAME/ID` a subscription.
    """

    name = VIEW
    version = 2
    families = frozenset({"epcis"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld:
            return
        match recorded.fact:
            case EpcisCaptured() as said:
                _take(rows, recorded, said)
            case EventQueryDefined(name=name, parameters=parameters):
                row = {"name": name, "parameters": {k: list(v) for k, v in parameters.items()}}
                rows.put(f"q:{name}", row, facet="query", order=name)
            case EventQueryRemoved(name=name):
                rows.delete(f"q:{name}")
                for key, _ in list(rows.find(facet=f"subscription:{name}", limit=100_000)):
                    rows.delete(key)
            case QuerySubscribed(name=name, subscription=subscription, start=start):
                row = {"id": subscription, "start": start, "created": recorded.recorded_text}
                facet = f"subscription:{name}"
                rows.put(f"s:{name}/{subscription}", row, facet=facet, order=subscription)
            case SubscriptionEnded(name=name, subscription=subscription):
                rows.delete(f"s:{name}/{subscription}")


def _take(rows: Rows, recorded: Recorded, said: EpcisCaptured) -> None:
    """Enter the events of a document that are not known yet, and what became of the rest."""
    new = repeated = 0
    clashes: list[int] = []
    job, last = recorded.stream.id, ""
    for event in said.events:
        order = f"{recorded.number:012d}.{event.place:06d}"
        known = rows.get(f"i:{event.id}")
        versions = known["versions"] if known else {}
        mark = event.declared or ""
        if known and known["hash"] != event.hash:
            clashes.append(event.place)
            continue
        if mark in versions:
            repeated += 1
            continue
        new, last = new + 1, order
        versions[mark] = order
        rows.put(f"i:{event.id}", {"hash": event.hash, "versions": versions})
        _index(rows, recorded, said, event, order)
    if new:
        rows.put("newest", {"order": max(newest_order(rows), last)})
    row = {
        "capture": job,
        "order": f"{recorded.number:012d}",
        "digest": said.digest,
        "context": said.context,
        "created": recorded.recorded_text,
        "person": recorded.person,
        "behaviour": said.error_behaviour,
        "sender": said.sender,
        "new": new,
        "repeated": repeated,
        "clashes": clashes,
        "left_out": [
            {"place": one.place, "code": one.code, "what": one.what, "found": one.found}
            for one in said.left_out
        ],
    }
    rows.put(f"job:{job}", row, facet="job", order=f"{recorded.number:012d}")


def _index(
    rows: Rows, recorded: Recorded, said: EpcisCaptured, event: CapturedEvent, order: str
) -> None:
    row = {
        "id": event.id,
        "capture": recorded.stream.id,
        "digest": said.digest,
        "start": event.start,
        "end": event.end,
        "type": event.type,
        "time": event.time,
        "recorded": recorded.recorded_text,
        "declared": event.declared,
        "terms": dict(event.terms),
        "things": {role: list(values) for role, values in event.things.items()},
    }
    rows.put(f"e:{order}", row, facet=f"e:{_kind(rows, event)}", order=order)
    things = {value for values in event.things.values() for value in values}
    places = {event.terms[name] for name in ("bizLocation", "readPoint") if name in event.terms}
    for value in sorted(things | places):
        rows.put(f"x:{order}:{value}", {}, facet=f"x:{value}", order=order)
    seen = [("epcs", value) for value in sorted(things)]
    seen += [(f"{name}s", value) for name, value in event.terms.items()]
    seen.append(("eventTypes", event.type))
    for kind, value in seen:
        if rows.get(f"v:{kind}:{value}") is None:
            rows.put(f"v:{kind}:{value}", {"value": value}, facet=f"v:{kind}", order=value)


def _kind(rows: Rows, event: CapturedEvent) -> int:
    """Give the number of an event's kind; 0 for one that came when too many kinds were known."""
    kind = {"type": event.type} | {name: event.terms.get(name, "") for name in KIND_TERMS}
    key = f"k:{json.dumps(list(kind.values()), ensure_ascii=False)}"
    known = rows.get(key)
    if known is not None:
        return int(known["number"])
    number = rows.count(facet="kind") + 1
    if number > KINDS_MAX:
        return 0
    rows.put(key, {"number": number, **kind}, facet="kind", order=f"{number:06d}")
    return number


def event_facets(rows: Rows, wanted: Mapping[str, Collection[str]]) -> list[str]:
    """Give the facets of the event index that may hold events of these kinds.

    Args:
        rows: The rows of the event index.
        wanted: Values by `type`, `bizStep`, `disposition` or `action`; any of them may fit, all
            names have to.
    """
    kinds = [row for _, row in rows.find(facet="kind", limit=KINDS_MAX)]
    fitting = [
        f"e:{row['number']}"
        for row in kinds
        if all(row[name] in values for name, values in wanted.items())
    ]
    return fitting if len(kinds) < KINDS_MAX else ["e:0", *fitting]


def newest_events(rows: Rows, limit: int) -> list[dict[str, Any]]:
    """Give captured events, the last captured first."""
    start, counted = "", 0
    for _, job in rows.find(facet="job", limit=limit, newest_first=True):
        start, counted = job["order"], counted + job["new"]
        if counted >= limit:
            break
    walks = [rows.find(facet=one, limit=counted, after=start) for one in event_facets(rows, {})]
    merged = list(heapq.merge(*walks, key=lambda one: one[0]))
    return [row for _, row in merged[: -limit - 1 : -1]]


def newest_order(rows: Rows) -> str:
    """Give the order of the event that was captured last; empty when there is none."""
    return str((rows.get("newest") or {}).get("order", ""))


def _must_stand(query: EventQuery, name: str) -> None:
    if not query.is_defined:
        raise Refused(
            "query-unknown",
            what=f"query {name[:80]}",
            found="no query of this name",
            remedy="look at the named queries",
            rule="EPCIS 2.0 clause 8.2.5",
        )


VIEWS = (EventView(),)
