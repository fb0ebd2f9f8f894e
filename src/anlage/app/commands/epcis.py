"""Commands of captured events: documents of others taken in, queries kept under a name."""

from anlage.custody import (
    OWN_CONTAINER,
    AcceptClaim,
    AgreeMatching,
    Capture,
    CapturedDocument,
    CaptureEvents,
    Claim,
    Code,
    Container,
    DefineEventQuery,
    DismissClaim,
    EndMatching,
    EndSubscription,
    EventQuery,
    Matching,
    RemoveEventQuery,
    SubscribeToQuery,
    accept_claim,
    agree_matching,
    capture_events,
    capture_stream,
    claim_stream,
    code_stream,
    define_query,
    dismiss_claim,
    end_matching,
    end_subscription,
    matching_stream,
    query_stream,
    remove_query,
    subscribe,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .materials import must_act

# Whoever runs the interface may try it: a captured document is a claim, and decides nothing.
ROLES = ("store-keeper", "coordinator", "administrator")
# A claim becomes custody when one of these takes it.
DECIDERS = ("store-keeper", "coordinator", "qa-reviewer")


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


@command("accept-claim")
def _accept(desk: Desk, request: AcceptClaim) -> list[Entry]:
    document = desk.read(CapturedDocument, capture_stream(request.capture))
    rule = None
    if request.party:
        agreed = desk.read(Matching, matching_stream(request.party))
        is_theirs = agreed.person == desk.actor.person == document.person
        rule = request.party if agreed.person and is_theirs else None
    if rule is None:
        must_act(desk, *DECIDERS)
    return accept_claim(
        desk.read(Claim, claim_stream(request.event, request.container)),
        document.events.get(request.event),
        desk.read(Container, Stream(f"container/{request.container}")),
        request,
        named=_named(desk, request.thing),
        rule=rule,
    )


@command("dismiss-claim")
def _dismiss(desk: Desk, request: DismissClaim) -> list[Entry]:
    must_act(desk, *DECIDERS)
    return dismiss_claim(desk.read(Claim, claim_stream(request.event, request.container)), request)


@command("agree-matching")
def _agree(desk: Desk, request: AgreeMatching) -> list[Entry]:
    must_act(desk, *DECIDERS)
    return agree_matching(request)


@command("end-matching")
def _end_matching(desk: Desk, request: EndMatching) -> list[Entry]:
    must_act(desk, *DECIDERS)
    return end_matching(desk.read(Matching, matching_stream(request.party)), request)


def _named(desk: Desk, thing: str) -> str:
    """Give the subject that an identifier of an event names here; empty for none."""
    if thing.startswith(OWN_CONTAINER):
        return f"container/{thing.removeprefix(OWN_CONTAINER)}"
    return desk.read(Code, code_stream(thing)).subject


def _query(desk: Desk, name: str) -> EventQuery:
    return desk.read(EventQuery, query_stream(name))
