"""Commands of captured events: documents of others taken in, queries kept under a name."""

from anlage.custody import (
    Capture,
    CaptureEvents,
    DefineEventQuery,
    EndSubscription,
    EventQuery,
    RemoveEventQuery,
    SubscribeToQuery,
    capture_events,
    capture_stream,
    define_query,
    end_subscription,
    query_stream,
    remove_query,
    subscribe,
)
from anlage.record import Entry

from ..engine import Desk, command
from .materials import must_act

# Whoever runs the interface may try it: a captured document is a claim, and decides nothing.
ROLES = ("store-keeper", "coordinator", "administrator")


@command("capture-events")
def _capture(desk: Desk, request: CaptureEvents) -> list[Entry]:
    must_act(desk, *ROLES)
    return capture_events(desk.read(Capture, capture_stream(request.capture)), request)


@command("define-event-query")
def _define(desk: Desk, request: DefineEventQuery) -> list[Entry]:
    must_act(desk, *ROLES)
    return define_query(_query(desk, request.name), request)


@command("remove-event-query")
def _remove(desk: Desk, request: RemoveEventQuery) -> list[Entry]:
    must_act(desk, *ROLES)
    return remove_query(_query(desk, request.name), request)


@command("subscribe-to-query")
def _subscribe(desk: Desk, request: SubscribeToQuery) -> list[Entry]:
    must_act(desk, *ROLES)
    return subscribe(_query(desk, request.name), request)


@command("end-subscription")
def _end(desk: Desk, request: EndSubscription) -> list[Entry]:
    must_act(desk, *ROLES)
    return end_subscription(_query(desk, request.name), request)


def _query(desk: Desk, name: str) -> EventQuery:
    return desk.read(EventQuery, query_stream(name))
