"""The addresses under /epcis/: capture, events, top-level resources, named queries."""

import functools
import json
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import path

from anlage.base import Refused, stamp
from anlage.custody import (
    CAPTURE_VIEW,
    DefineEventQuery,
    EndSubscription,
    RemoveEventQuery,
    SubscribeToQuery,
    capture_stream,
    newest_order,
)
from anlage.record import Rows
from anlage.web.here import installation
from anlage.wire.epcis import canonical_term, canonical_thing, read_capture

from .answer import actor_of, as_json, body_of, joined_contexts, refused, resource
from .query import (
    EventQuery,
    read_page_size,
    read_query,
    read_token,
    select,
    split_values,
    write_token,
)
from .taking import take_document, take_event

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
TOP_LEVEL = {
    "eventTypes": "eventType",
    "epcs": "MATCH_anyEPC",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}
_FILES_KEPT = 16


def root(request: HttpRequest) -> HttpResponse:
    """List what there is."""
    del request
    names = ["capture", "events", "queries", *TOP_LEVEL]
    return as_json({"@context": CONTEXT, "type": "Collection", "member": names})


def capture(request: HttpRequest) -> HttpResponse:
    """Take in a document."""
    behaviour = request.headers.get("GS1-Capture-Error-Behaviour", "rollback").strip().lower()
    if behaviour not in ("rollback", "proceed"):
        raise refused(
            "header-malformed",
            "GS1-Capture-Error-Behaviour",
            behaviour[:40],
            "rollback or proceed",
            "correct the header",
        )
    data = body_of(request)
    reading = read_capture(data)
    if reading.problems and behaviour == "rollback":
        raise Refused.of(reading.problems)
    name = take_document(data, reading, behaviour, actor_of(request))
    response = as_json(_job(_row(f"job:{name}")), status=202)
    response["Location"] = f"/epcis/capture/{name}"
    response["GS1-Capture-Error-Behaviour"] = behaviour
    return response


def captures(request: HttpRequest) -> HttpResponse:
    """List the captures, oldest first."""
    size = read_page_size(request.GET.get("perPage"))
    after = _after(request, "captures")
    found = list(_rows().find(facet="job", limit=size + 1, after=after or None))
    response = as_json([_job(row) for _, row in found[:size]])
    if len(found) > size:
        number = f"{_number_of(found[size - 1][1]):012d}"
        _link_next(request, response, write_token(number, "captures"))
    return response


def capture_job(request: HttpRequest, name: str) -> HttpResponse:
    """Show what became of a capture."""
    del request
    return as_json(_job(_row(f"job:{name}")))


def add_event(request: HttpRequest) -> HttpResponse:
    """Take in one event."""
    data = body_of(request)
    name = take_event(data, read_capture(data, is_single=True), actor_of(request))
    response = HttpResponse(status=201)
    response["Location"] = f"/epcis/events/{quote(name, safe='')}"
    return response


def events(request: HttpRequest) -> HttpResponse:
    """Answer a query given in the address."""
    return _page(request, _asked(request))


def event(request: HttpRequest, name: str) -> HttpResponse:
    """Show one event; where it has been declared in error, that declaration."""
    del request
    known = _row(f"i:{name}")
    row = _row(f"e:{known['versions'][max(known['versions'])]}")
    context = _contexts([row])[row["capture"]]
    return HttpResponse(_alone(_told(row), context), content_type="application/json")


def values(request: HttpRequest, kind: str) -> HttpResponse:
    """List the values of a top-level resource that events hold."""
    size = read_page_size(request.GET.get("perPage"))
    after = _after(request, kind)
    rows = _rows()
    found = [row["value"] for _, row in rows.find(facet=f"v:{kind}", limit=size + 1, after=after)]
    body = {"@context": CONTEXT, "type": "Collection", "member": found[:size]}
    response = as_json(body)
    if len(found) > size:
        _link_next(request, response, write_token(found[size - 1], kind))
    return response


def value(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Tell what may be asked about one value."""
    del request
    _row(f"v:{kind}:{_spelt(kind, name)}")
    return as_json({"@context": CONTEXT, "type": "Collection", "member": ["events"]})


def value_events(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Answer a query among the events of one value."""
    own = EventQuery({TOP_LEVEL[kind]: (_spelt(kind, name),)})
    if kind == "epcs":  # a thing is found as an instance and as a class
        own = EventQuery({"MATCH_anyEPC": (_spelt(kind, name),)})
    return _page(request, own.joined(_asked(request)))


def queries(request: HttpRequest) -> HttpResponse:
    """List the named queries."""
    del request
    found = _rows().find(facet="query", limit=10_000)
    return as_json([{"name": row["name"], "query": row["parameters"]} for _, row in found])


def add_query(request: HttpRequest) -> HttpResponse:
    """Keep a query under a name."""
    body = _object(request)
    name, given = body.get("name"), body.get("query")
    if not isinstance(name, str) or not isinstance(given, dict):
        raise refused(
            "query-malformed", "query", "no name or no query", "name and query", "give both"
        )
    parameters = {
        key: tuple(_text(one) for one in (held if isinstance(held, list) else [held]))
        for key, held in given.items()
        if key not in ("@context", "type")
    }
    read_query(parameters)
    _do(request, DefineEventQuery(name=name, parameters=parameters))
    response = as_json({"name": name, "query": given}, status=201)
    response["Location"] = f"/epcis/queries/{name}"
    return response


def named_query(request: HttpRequest, name: str) -> HttpResponse:
    """Show a named query."""
    del request
    row = _query_row(name)
    return as_json({"name": name, "query": row["parameters"]})


def drop_query(request: HttpRequest, name: str) -> HttpResponse:
    """Drop a named query and its subscriptions."""
    _do(request, RemoveEventQuery(name=name))
    return HttpResponse(status=204)


def query_events(request: HttpRequest, name: str) -> HttpResponse:
    """Answer a named query."""
    query = read_query(_query_row(name)["parameters"]).joined(_asked(request))
    return _page(request, query, name=name)


def subscriptions(request: HttpRequest, name: str) -> HttpResponse:
    """List the subscriptions of a query."""
    del request
    _query_row(name)
    found = _rows().find(facet=f"subscription:{name}", limit=10_000)
    return as_json([_subscription(name, row) for _, row in found])


def add_subscription(request: HttpRequest, name: str) -> HttpResponse:
    """Begin a subscription that is polled; we call nobody back."""
    body = _object(request)
    if body.get("dest"):
        raise refused(
            "parameter-unserved",
            "subscription",
            "dest",
            "a subscription that is polled",
            "leave dest out and poll the address that is answered",
        )
    rows = _rows()
    start = "" if body.get("initialRecordTime") else newest_order(rows)
    chosen = secrets.token_hex(8)
    _do(request, SubscribeToQuery(name=name, subscription=chosen, start=start))
    response = as_json(_subscription(name, _row(f"s:{name}/{chosen}")), status=201)
    response["Location"] = f"/epcis/queries/{name}/subscriptions/{chosen}"
    return response


def subscription(request: HttpRequest, name: str, chosen: str) -> HttpResponse:
    """Show a subscription."""
    del request
    return as_json(_subscription(name, _row(f"s:{name}/{chosen}")))


def end_subscription(request: HttpRequest, name: str, chosen: str) -> HttpResponse:
    """End a subscription."""
    _do(request, EndSubscription(name=name, subscription=chosen))
    return HttpResponse(status=204)


def subscription_events(request: HttpRequest, name: str, chosen: str) -> HttpResponse:
    """Give what is new to a subscriber: past the token that the last answer gave, else all since
    the subscription began. Every answer links to the next poll, an empty one too.
    """
    row = _row(f"s:{name}/{chosen}")
    query = read_query(_query_row(name)["parameters"])
    return _page(request, query, name=name, start=row["start"], subscription=chosen)


def forget_token(request: HttpRequest, token: str) -> HttpResponse:
    """Let go of a page's token: it holds nothing here, so that there is nothing to keep."""
    del request, token
    return HttpResponse(status=204)


def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer an address that is none."""
    del request
    raise _unknown(f"/epcis/{rest}")


def _page(
    request: HttpRequest,
    query: EventQuery,
    *,
    name: str = "SimpleEventQuery",
    start: str = "",
    subscription: str | None = None,
) -> HttpResponse:
    size = read_page_size(request.GET.get("perPage"))
    token = request.GET.get("nextPageToken")
    after = read_token(token, query.mark) if token else start
    found, more = select(_rows(), query, _load, after=after, limit=size)
    rows = [row for _, row in found]
    contexts = _contexts(rows)
    whole = joined_contexts([[CONTEXT], *contexts.values()])
    told = [_told(row) for row in rows]
    if whole is None:
        whole = [CONTEXT]
        told = [
            _alone(text, contexts[row["capture"]]) for row, text in zip(rows, told, strict=True)
        ]
    results: dict[str, Any] = {"queryName": name}
    if subscription:
        results["subscriptionID"] = subscription
    results["resultsBody"] = {"eventList": []}
    body = {
        "@context": whole,
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": stamp(installation().clock.now()),
        "epcisBody": {"queryResults": results},
    }
    text = json.dumps(body, ensure_ascii=False)
    text = text.removesuffix("[]}}}}") + "[" + ", ".join(told) + "]}}}}"
    response = HttpResponse(text, content_type="application/json")
    if more or subscription:
        last = found[-1][0] if found else after
        _link_next(request, response, write_token(more or last, query.mark))
    return response


def _load(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Give an event as it was captured, and what the prefixes of its context stand for."""
    event = json.loads(_file(row["digest"])[row["start"] : row["end"]])
    contexts = [_context(row["capture"]), event.get("@context")]
    prefixes: dict[str, str] = {}
    for context in contexts:
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, dict):
                prefixes |= {name: text for name, text in part.items() if isinstance(text, str)}
    return event, prefixes


@functools.lru_cache(maxsize=256)
def _context(capture: str) -> Any:
    return json.loads(_row(f"job:{capture}")["context"])


def _told(row: dict[str, Any]) -> str:
    """Give an event's own text, with its identity and our record time where it has none."""
    text = _file(row["digest"])[row["start"] : row["end"]].decode()
    held = json.loads(text)
    ours = {"eventID": row["id"], "recordTime": row["recorded"]}
    extra = {name: given for name, given in ours.items() if not held.get(name)}
    if not extra:
        return text.strip()
    return json.dumps(extra)[:-1] + ", " + text.strip()[1:]


def _alone(text: str, context: Any) -> str:
    """Give an event's text so that it can be read without its document."""
    held = json.loads(text)
    if "@context" not in held:
        return f'{{"@context": {json.dumps(context)}, {text[1:]}'
    outer = context if isinstance(context, list) else [context]
    own = held["@context"]
    inner = own if isinstance(own, list) else [own]
    held["@context"] = [*outer, *(part for part in inner if part not in outer)]
    return json.dumps(held, ensure_ascii=False)


def _contexts(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(row["capture"] for row in rows)
    return {name: json.loads(_row(f"job:{name}")["context"]) for name in names}


@functools.lru_cache(maxsize=_FILES_KEPT)
def _file(digest: str) -> bytes:
    return installation().blobs.get(digest)


def _asked(request: HttpRequest) -> EventQuery:
    return read_query({n: split_values(n, held) for n, held in request.GET.lists()})


def _after(request: HttpRequest, mark: str) -> str | None:
    token = request.GET.get("nextPageToken")
    return read_token(token, mark) if token else None


def _link_next(request: HttpRequest, response: HttpResponse, token: str) -> None:
    asked = [(n, one) for n, held in request.GET.lists() for one in held if n != "nextPageToken"]
    address = f"{request.path}?{urlencode([*asked, ('nextPageToken', token)])}"
    response["Link"] = f'<{quote(address, safe="/?&=%:;")}>; rel="next"'
    response["GS1-Next-Page-Token"] = token


def _spelt(kind: str, name: str) -> str:
    if kind == "epcs":
        return canonical_thing(name)
    return name if kind == "eventTypes" else canonical_term(kind.removesuffix("s"), name)


def _job(row: dict[str, Any]) -> dict[str, Any]:
    errors = [
        {
            "type": "epcisException:ValidationException",
            "title": one["what"],
            "status": 400,
            "detail": f"{one['code']}: {one['found']}",
        }
        for one in row["left_out"]
    ]
    errors += [
        {
            "type": "epcisException:ResourceAlreadyExistsException",
            "title": f"epcisBody.eventList[{place}]",
            "status": 409,
            "detail": "event-id-taken: another event is known under this identifier",
        }
        for place in row["clashes"]
    ]
    return {
        "captureID": row["capture"],
        "createdAt": row["created"],
        "finishedAt": row["created"],
        "running": False,
        "success": not errors,
        "captureErrorBehaviour": row["behaviour"],
        "errors": errors,
        "events": {"new": row["new"], "known": row["repeated"]},
        "digest": row["digest"],
    }


def _number_of(row: dict[str, Any]) -> int:
    return installation().journal.read_stream(capture_stream(row["capture"]))[0].number


def _subscription(name: str, row: dict[str, Any]) -> dict[str, Any]:
    address = f"/epcis/queries/{name}/subscriptions/{row['id']}/events"
    return {"subscriptionID": row["id"], "createdAt": row["created"], "events": address}


def _object(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(body_of(request) or b"{}")
    except (ValueError, RecursionError) as error:
        raise refused("query-malformed", "body", str(error)[:80], "JSON", "correct it") from error
    if not isinstance(body, dict):
        raise refused("query-malformed", "body", type(body).__name__, "a JSON object", "correct it")
    return body


def _text(held: object) -> str:
    if isinstance(held, bool):
        return str(held).lower()
    if held is None or isinstance(held, str | int | float):
        return "" if held is None else str(held)
    raise refused("parameter-malformed", "query", repr(held)[:60], "text", "correct the value")


def _query_row(name: str) -> dict[str, Any]:
    row = _rows().get(f"q:{name}")
    if row is None:
        raise refused("query-unknown", f"query {name[:80]}", "none", "a query", "correct the name")
    return row


def _row(key: str) -> dict[str, Any]:
    row = _rows().get(key)
    if row is None:
        raise _unknown(key.partition(":")[2])
    return row


def _unknown(name: str) -> Refused:
    return refused("resource-unknown", name[:120], "nothing", "what is known", "correct the name")


def _rows() -> Rows:
    return installation().rows(CAPTURE_VIEW)


def _do(request: HttpRequest, wanted: object) -> None:
    installation().engine.do(wanted, actor=actor_of(request))


ADDRESSES = [
    path("epcis/", resource(GET=root)),
    path("epcis/capture", resource(GET=captures, POST=capture)),
    path("epcis/capture/<str:name>", resource(GET=capture_job)),
    path("epcis/events", resource(GET=events, POST=add_event)),
    path("epcis/events/<path:name>", resource(GET=event)),
    path("epcis/queries", resource(GET=queries, POST=add_query)),
    path("epcis/queries/<str:name>", resource(GET=named_query, DELETE=drop_query)),
    path("epcis/queries/<str:name>/events", resource(GET=query_events)),
    path(
        "epcis/queries/<str:name>/subscriptions",
        resource(GET=subscriptions, POST=add_subscription),
    ),
    path(
        "epcis/queries/<str:name>/subscriptions/<str:chosen>",
        resource(GET=subscription, DELETE=end_subscription),
    ),
    path(
        "epcis/queries/<str:name>/subscriptions/<str:chosen>/events",
        resource(GET=subscription_events),
    ),
]
ADDRESSES.append(path("epcis/nextPageToken/<str:token>", resource(DELETE=forget_token)))
for _kind in TOP_LEVEL:
    ADDRESSES += [
        path(f"epcis/{_kind}", resource(GET=values), {"kind": _kind}),
        path(f"epcis/{_kind}/<path:name>/events", resource(GET=value_events), {"kind": _kind}),
        path(f"epcis/{_kind}/<path:name>", resource(GET=value), {"kind": _kind}),
    ]
ADDRESSES.append(path("epcis/<path:rest>", resource(GET=nothing, POST=nothing, DELETE=nothing)))
