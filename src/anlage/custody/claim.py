"""What a partner's event says about a container of ours: a claim, until somebody takes it.

A captured event moves nothing. Taking a claim writes what it says into the container's own
history, graded as attested later, since nobody here read a code at that moment. A rule agreed with
a partner takes claims of one kind by itself: that a container handed to this partner was received.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from anlage.base import Refused, clean_line
from anlage.record import Entry, Recorded, Rows, Stream, fact

from .capture import CapturedEvent
from .container import Container, receive, see
from .container_fact import Evidence

VIEW = "claims"
RULE = "EU GMP Part IV 9.5; EPCIS 2.0 clause 7.3.5"
OWN = "urn:anlage:container:"
TAKING = frozenset({"accepting", "receiving", "arriving"})
"""The business steps by which a partner says that it took something over."""


class Meaning(StrEnum):
    """What taking a claim writes: seen at a place, or an open hand-over closed."""

    SEEN = "seen"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptClaim:
    """Take what a captured event says about a container.

    Attributes:
        capture: The capture that holds the event.
        event: The event's identifier.
        thing: The identifier in the event that names the container.
        container: The container.
        meaning: What it means for us.
        place: Our name of the place it says; the event's own when left out.
        party: The receiver of the hand-over that it closes, for `taken`.
    """

    capture: str
    event: str
    thing: str
    container: str
    meaning: Meaning
    place: str = ""
    party: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissClaim:
    """Let a captured event say nothing about a container, for a reason."""

    event: str
    container: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeMatching:
    """Agree with a partner that its events close the hand-overs to it.

    Attributes:
        party: The receiver in our hand-overs.
        person: Whose token sends the partner's events.
    """

    party: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMatching:
    """End such an agreement."""

    party: str
    reason: str


@fact("claim-accepted")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAccepted:
    """A claim was taken; `rule` names the agreement that did it, None for a person."""

    event: str
    container: str
    meaning: Meaning
    happened: str
    rule: str | None = None


@fact("claim-dismissed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDismissed:
    """A claim was found to say nothing about the container."""

    event: str
    container: str
    reason: str


@fact("matching-agreed")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingAgreed:
    """Events sent by a person's token close the hand-overs to a party."""

    party: str
    person: str


@fact("matching-ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingEnded:
    """Such an agreement ended."""

    party: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim: whether it was decided."""

    is_decided: bool = False

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        del stream
        return cls()

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        del recorded
        return replace(self, is_decided=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """An agreement with a partner; `person` is empty when none stands."""

    person: str = ""

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        del stream
        return cls()

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        match recorded.fact:
            case MatchingAgreed(person=person):
                return replace(self, person=person)
            case MatchingEnded():
                return replace(self, person="")
        return self


def claim_stream(event: str, container: str) -> Stream:
    """Give the stream of what an event claims about a container."""
    mark = hashlib.sha256(f"{event}\n{container}".encode()).hexdigest()[:24]
    return Stream(f"claim/{mark}")


def matching_stream(party: str) -> Stream:
    """Give the stream of an agreement with a party."""
    return Stream(f"matching/{party}")


def accept_claim(
    claim: Claim,
    event: CapturedEvent | None,
    container: Container,
    request: AcceptClaim,
    *,
    named: str,
    rule: str | None,
) -> list[Entry]:
    """Give the facts of a claim that is taken.

    Args:
        claim: What was decided of it.
        event: The captured event; None when the capture holds none of that identifier.
        container: The container.
        request: What was asked.
        named: The subject that the identifier names here (`container/ID`).
        rule: The agreement that takes it, None for a person.

    Raises:
        Refused: It was decided before, the event does not say it, or the hand-over is not open.
    """
    _must_be_open(claim, request.event)
    things = {one for values in event.things.values() for one in values} if event else set()
    if event is None or request.thing not in things:
        raise _no("claim-unfounded", request.event, "no such thing in the event", request.thing)
    if named != f"container/{container.id}":
        raise _no(
            "claim-unfounded", request.event, f"{request.thing} names {named or 'nothing'}",
            f"container/{container.id}",
        )  # fmt: skip
    if event.declared is not None:
        raise _no("claim-unfounded", request.event, "declared in error", "an event that stands")
    place = request.place or event.terms.get("readPoint") or event.terms.get("bizLocation", "")
    if not place:
        raise _no("claim-placeless", request.event, "no place in the event", "the place, by name")
    if request.meaning is Meaning.TAKEN:
        if event.terms.get("bizStep") not in TAKING:
            step = event.terms.get("bizStep", "no business step")
            raise _no("claim-unfounded", request.event, step, ", ".join(sorted(TAKING)))
        written = receive(
            container,
            by=request.party,
            place=place,
            scanned=container.id,
            evidence=Evidence.ATTESTED_LATER,
        )
    else:
        written = see(container, place=place, evidence=Evidence.ATTESTED_LATER)
    taken = ClaimAccepted(
        event=request.event,
        container=container.id,
        meaning=request.meaning,
        happened=event.time,
        rule=rule,
    )
    return [Entry(claim_stream(request.event, container.id), taken), *written]


def dismiss_claim(claim: Claim, request: DismissClaim) -> list[Entry]:
    """Give the fact of a claim that is put aside.

    Raises:
        Refused: It was decided before, or no reason is given.
    """
    _must_be_open(claim, request.event)
    reason = clean_line(request.reason, "reason")
    said = ClaimDismissed(event=request.event, container=request.container, reason=reason)
    return [Entry(claim_stream(request.event, request.container), said)]


def agree_matching(request: AgreeMatching) -> list[Entry]:
    """Give the fact of an agreement; a later one takes its place."""
    said = MatchingAgreed(party=request.party, person=request.person)
    return [Entry(matching_stream(request.party), said)]


def end_matching(matching: Matching, request: EndMatching) -> list[Entry]:
    """Give the fact that ends an agreement.

    Raises:
        Refused: None stands.
    """
    if not matching.person:
        raise _no("matching-unknown", request.party, "no agreement", "an agreement that stands")
    reason = clean_line(request.reason, "reason")
    return [
        Entry(matching_stream(request.party), MatchingEnded(party=request.party, reason=reason))
    ]


class ClaimView:
    """What was decided (`d:EVENT/CONTAINER`) and the agreements that stand (`m:PARTY`)."""

    name = VIEW
    version = 1
    families = frozenset({"claim", "matching"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        match recorded.fact:
            case ClaimAccepted() as said:
                row = {"what": said.meaning.value, "rule": said.rule, "by": recorded.by.person}
                _decided(rows, recorded, said.event, said.container, row)
            case ClaimDismissed() as said:
                row = {"what": "dismissed", "reason": said.reason, "by": recorded.by.person}
                _decided(rows, recorded, said.event, said.container, row)
            case MatchingAgreed(party=party, person=person):
                row = {"party": party, "person": person}
                rows.put(f"m:{party}", row, facet=f"person:{person}", order=party)
            case MatchingEnded(party=party):
                rows.delete(f"m:{party}")


def _decided(
    rows: Rows, recorded: Recorded, event: str, container: str, row: dict[str, str | None]
) -> None:
    whole = {"event": event, "container": container, "at": recorded.happened_text, **row}
    rows.put(f"d:{event}/{container}", whole, facet="decided", order=f"{recorded.number:012d}")


def _must_be_open(claim: Claim, event: str) -> None:
    if claim.is_decided:
        raise _no("claim-decided", event, "decided before", "a claim that waits")


def _no(code: str, what: str, found: str, limit: str) -> Refused:
    return Refused(
        code,
        what=f"claim of {what[:120]}",
        found=found[:200],
        limit=limit,
        remedy="look at the event again; ask the partner when it is wrong",
        rule=RULE,
    )


VIEWS = (ClaimView(),)
