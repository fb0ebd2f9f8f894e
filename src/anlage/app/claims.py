"""Which captured events speak of containers of ours, and those that an agreement takes."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anlage.base import Refused
from anlage.custody import (
    CAPTURE_VIEW,
    CLAIM_VIEW,
    CODE_VIEW,
    OWN_CONTAINER,
    TAKING_STEPS,
    AcceptClaim,
    CapturedEvent,
    Container,
    Meaning,
    newest_events,
)
from anlage.record import Actor, Rows, Stream

from .installation import Installation

log = logging.getLogger(__name__)
LOOKED_AT_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClaim:
    """What an event says about a container, undecided.

    Attributes:
        capture: The capture that holds the event.
        event: Its identifier.
        thing: The identifier in it that names the container.
        container: The container.
        step: Its business step; empty for none.
        place: The place it names; empty for none.
        time: When it happened, as the event says.
        party: The receiver of the container's open hand-over; empty for none.
    """

    capture: str
    event: str
    thing: str
    container: str
    step: str
    place: str
    time: str
    party: str

    @property
    def meaning(self) -> Meaning:
        """What it can mean for us."""
        closes = bool(self.party) and self.step in TAKING_STEPS
        return Meaning.TAKEN if closes else Meaning.SEEN


def open_claims(site: Installation, *, limit: int) -> list[OpenClaim]:
    """Give the newest claims that nobody has decided, up to `limit`, among the newest events."""
    rows, found = site.rows(CAPTURE_VIEW), []
    decided, codes = site.rows(CLAIM_VIEW), site.rows(CODE_VIEW)
    for row in newest_events(rows, LOOKED_AT_MAX):
        if row["declared"] is not None:
            continue
        things = [one for held in row["things"].values() for one in held]
        terms = row["terms"]
        place = terms.get("readPoint") or terms.get("bizLocation", "")
        for thing, container in containers_in(codes, things):
            if decided.get(f"d:{row['id']}/{container}") is None:
                state = site.engine.state(Container, Stream(f"container/{container}"))
                claim = OpenClaim(
                    capture=row["capture"],
                    event=row["id"],
                    thing=thing,
                    container=container,
                    step=terms.get("bizStep", ""),
                    place=place,
                    time=row["time"],
                    party=state.offered_to or "",
                )
                found.append(claim)
        if len(found) >= limit:
            break
    return found[:limit]


def containers_in(codes: Rows, things: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give each identifier that names a container of ours, and the container."""
    for thing in dict.fromkeys(things):
        if thing.startswith(OWN_CONTAINER):
            yield thing, thing.removeprefix(OWN_CONTAINER)
            continue
        row = codes.get(thing)
        if row is not None and row["subject"].startswith("container/"):
            yield thing, row["subject"].partition("/")[2]


def take_by_agreement(
    site: Installation, capture: str, events: Sequence[CapturedEvent], actor: Actor
) -> int:
    """Take the claims of a capture that an agreement with its sender covers; gives how many.

    A claim that cannot be taken waits for a person, and the reason is logged.
    """
    agreed = site.rows(CLAIM_VIEW).find(facet=f"person:{actor.person}", limit=100)
    parties = {row["party"] for _, row in agreed}
    if not parties:
        return 0
    codes, taken = site.rows(CODE_VIEW), 0
    for event in events:
        if event.terms.get("bizStep") not in TAKING_STEPS or event.declared is not None:
            continue
        things = [one for held in event.things.values() for one in held]
        for thing, container in containers_in(codes, things):
            party = site.engine.state(Container, Stream(f"container/{container}")).offered_to
            if party not in parties:
                continue
            request = AcceptClaim(
                capture=capture,
                event=event.id,
                thing=thing,
                container=container,
                meaning=Meaning.TAKEN,
                party=party or "",
            )
            try:
                site.engine.do(request, actor=actor)
                taken += 1
            except Refused as refusal:
                log.warning("a claim waits for a person: %s", refusal)
    return taken
