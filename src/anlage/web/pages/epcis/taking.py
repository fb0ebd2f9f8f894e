"""Taking in what was sent: a document as one capture, single events of many senders together.

Single events that arrive while the disk is busy share one file and one fact: the file holds each
event's bytes as they came, one after the other with a line feed between, and the fact says where
each begins and ends. See decision 0640.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from anlage.app import Gatherer, take_by_agreement
from anlage.base import Refused
from anlage.custody import CAPTURE_VIEW, CapturedEvent, CaptureEvents
from anlage.record import Actor, Rows
from anlage.web.here import installation
from anlage.wire.epcis import Reading

from .answer import refused


@dataclass(frozen=True, slots=True)
class Single:
    """One event as it was sent, judged, and who sent it."""

    data: bytes
    reading: Reading
    actor: Actor

    @property
    def event(self) -> CapturedEvent:
        """The event."""
        return self.reading.events[0]


def take_document(data: bytes, reading: Reading, behaviour: str, actor: Actor) -> str:
    """Take in a document that was judged, and give the name of its capture.

    Raises:
        Refused: The sender may not, or another event is known under an identifier.
    """
    if behaviour == "rollback":
        rows = installation().rows(CAPTURE_VIEW)
        for one in reading.events:
            _must_be_free(rows, one)
    return _written(data, reading, reading.events, behaviour, actor)


def take_event(data: bytes, reading: Reading, actor: Actor) -> str:
    """Take in one event that was judged, and give its identifier.

    Raises:
        Refused: The sender may not, or another event is known under its identifier.
    """
    return _singles.do(Single(data, reading, actor))


def take_together(singles: Sequence[Single]) -> list[str | Exception]:
    """Take in the events of many requests: one file and one fact for each sender and context."""
    answers: dict[int, str | Exception] = {}
    groups: dict[tuple[Actor, str], list[int]] = {}
    rows = installation().rows(CAPTURE_VIEW)
    new: dict[str, str] = {}
    for place, one in enumerate(singles):
        try:
            _must_be_free(rows, one.event, new)
        except Refused as refusal:
            answers[place] = refusal
            continue
        groups.setdefault((one.actor, one.reading.context), []).append(place)
    for places in groups.values():
        try:
            _write_together([singles[place] for place in places])
        except Refused as refusal:
            answers.update(dict.fromkeys(places, refusal))
        else:
            answers.update((place, singles[place].event.id) for place in places)
    return [answers[place] for place in range(len(singles))]


def _write_together(singles: Sequence[Single]) -> None:
    events, start = [], 0
    for place, one in enumerate(singles):
        held = one.event
        moved = replace(held, place=place, start=start + held.start, end=start + held.end)
        events.append(moved)
        start += len(one.data) + 1
    first = singles[0]
    data = b"\n".join(one.data for one in singles)
    _written(data, first.reading, tuple(events), "rollback", first.actor)


def _written(
    data: bytes,
    reading: Reading,
    events: Iterable[CapturedEvent],
    behaviour: str,
    actor: Actor,
) -> str:
    name = secrets.token_hex(12)
    wanted = CaptureEvents(
        capture=name,
        digest=hashlib.sha256(data).hexdigest(),
        size=len(data),
        context=reading.context,
        error_behaviour=behaviour,
        events=tuple(events),
        left_out=reading.left_out,
        sender=reading.sender,
    )
    place = installation()
    place.engine.judge(wanted, actor=actor)  # nothing is kept of what may not come in
    place.blobs.put(data)
    place.engine.do(wanted, actor=actor)
    take_by_agreement(place, name, wanted.events, actor)
    return name


def _must_be_free(rows: Rows, event: CapturedEvent, new: dict[str, str] | None = None) -> None:
    known = rows.get(f"i:{event.id}")
    taken = known["hash"] if known else (new or {}).get(event.id)
    if taken is not None and taken != event.hash:
        raise refused(
            "event-id-taken",
            f"event {event.id[:120]}",
            "another event under this identifier",
            "the same event, or a new identifier",
            "send a corrective event with an identifier of its own",
        )
    if new is not None:
        new[event.id] = event.hash


_singles: Gatherer[Single, str] = Gatherer(take_together)
