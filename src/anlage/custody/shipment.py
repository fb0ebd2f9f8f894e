"""Shipments: packed, sealed, handed over, received, inspected; accepted or put into quarantine.

A receipt judges every finding at once. What is there, right and in condition is accepted; a doubt
puts it into quarantine, where a person decides; a wrong identity is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Problem, Refused
from anlage.record import Entry, Recorded, Stream, fact

from .container_fact import Evidence

RULE = "ISO 21973; 21 CFR 1271.265"


class Disposition(StrEnum):
    """What a receipt decided."""

    ACCEPTED = "accepted"
    PARTLY = "partly-accepted"
    QUARANTINED = "quarantined"


@fact("shipment-prepared")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentPrepared:
    """A shipment was packed and sealed.

    Attributes:
        shipper: The container that holds it.
        containers: What is in it.
        seal: Number of the seal.
        sender: Who sends it.
        receiver: Who is to receive it.
        due: Until when it must be received.
        under_quarantine: True when it travels before its release.
    """

    shipper: str
    containers: tuple[str, ...]
    seal: str
    sender: str
    receiver: str
    due: Instant
    evidence: Evidence
    under_quarantine: bool = False


@fact("shipment-received")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentReceived:
    """A shipment was received and inspected.

    Attributes:
        accepted: Containers taken into stock.
        quarantined: Containers that wait for a person's decision.
        missing: Containers that did not come.
        reasons: Why anything is in quarantine or missing, in words.
        disposition: What was decided.
        record: Digest of the condition log; None when there was none.
    """

    accepted: tuple[str, ...]
    quarantined: tuple[str, ...]
    missing: tuple[str, ...]
    reasons: tuple[str, ...]
    disposition: Disposition
    receiver: str
    record: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What a shipment's facts amount to."""

    id: str
    prepared: ShipmentPrepared | None = None
    received: ShipmentReceived | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a shipment without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"shipment/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact)

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact."""
        match fact:
            case ShipmentPrepared():
                return replace(self, prepared=fact)
            case ShipmentReceived():
                return replace(self, received=fact)
            case _:
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the receiver found.

    Attributes:
        scanned: Containers read, each once.
        seal: The seal as read; None when it was gone.
        damaged: Containers that are damaged or leak.
        verdict: Verdict on the condition log: accept, quarantine, reject; None without a log.
        record: Digest of the condition log.
    """

    scanned: Sequence[str]
    seal: str | None
    verdict: str | None
    damaged: frozenset[str] = field(default_factory=frozenset)
    record: str | None = None


def prepare(shipment: Shipment, prepared: ShipmentPrepared) -> list[Entry]:
    """Give the fact of a shipment that is packed and sealed.

    Raises:
        Refused: It was prepared before, or has no container, seal or receiver.
    """
    if shipment.prepared is not None:
        raise _refuse("shipment-exists", shipment, "prepared before", "a number not used")
    distinct = len(set(prepared.containers)) == len(prepared.containers)
    if not (prepared.containers and distinct and prepared.seal.strip() and prepared.receiver):
        raise _refuse(
            "shipment-incomplete",
            shipment,
            "no container, one twice, no seal or no receiver",
            "containers each once, a seal, a receiver",
        )
    return [Entry(shipment.stream, prepared)]


def receive_shipment(shipment: Shipment, found: Inspection, *, by: str, at: Instant) -> list[Entry]:
    """Give the fact of a receipt: what is accepted, what waits, what is missing, and why.

    Raises:
        Refused: It was not prepared or was received before; another receiver; a container that
            belongs to no such shipment (`identity-mismatch`).
    """
    prepared = shipment.prepared
    if prepared is None or shipment.received is not None:
        state = "never prepared" if prepared is None else "received before"
        raise _refuse("shipment-not-on-its-way", shipment, state, "a shipment on its way")
    if by != prepared.receiver:
        raise _refuse("not-the-receiver", shipment, by, prepared.receiver)
    foreign = sorted(set(found.scanned) - set(prepared.containers))
    if foreign:
        raise Refused(
            "identity-mismatch",
            what=f"shipment {shipment.id}",
            found=", ".join(foreign),
            limit=", ".join(prepared.containers),
            remedy="stop: separate what does not belong here and call the sender",
            rule=RULE,
        )
    return [Entry(shipment.stream, _received(prepared, found, by, at))]


def doubts(prepared: ShipmentPrepared, found: Inspection, at: Instant) -> list[Problem]:
    """Give every doubt about a shipment as a whole."""
    problems: list[Problem] = []
    if found.seal != prepared.seal:
        problems.append(_doubt("seal-broken", "seal", found.seal or "none", prepared.seal))
    if at > prepared.due:
        problems.append(
            _doubt("shipment-late", "arrival", at.isoformat(), f"until {prepared.due.isoformat()}")
        )
    if found.verdict is None:
        problems.append(_doubt("condition-unknown", "condition log", "none", "a condition log"))
    elif found.verdict != "accept":
        problems.append(_doubt("condition-doubtful", "condition log", found.verdict, "accept"))
    return problems


def _received(
    prepared: ShipmentPrepared, found: Inspection, by: str, at: Instant
) -> ShipmentReceived:
    here = [name for name in prepared.containers if name in set(found.scanned)]
    missing = tuple(name for name in prepared.containers if name not in set(found.scanned))
    general = doubts(prepared, found, at)
    waiting = here if general else [name for name in here if name in found.damaged]
    accepted = tuple(name for name in here if name not in set(waiting))
    reasons = [str(problem) for problem in general]
    reasons += [f"container {name} is damaged" for name in here if name in found.damaged]
    reasons += [f"container {name} did not come" for name in missing]
    if accepted and not waiting and not missing:
        disposition = Disposition.ACCEPTED
    elif accepted:
        disposition = Disposition.PARTLY
    else:
        disposition = Disposition.QUARANTINED
    return ShipmentReceived(
        accepted=accepted,
        quarantined=tuple(waiting),
        missing=missing,
        reasons=tuple(reasons),
        disposition=disposition,
        receiver=by,
        record=found.record,
    )


def _doubt(code: str, what: str, found: str, limit: str) -> Problem:
    return Problem(
        code=code,
        what=what,
        found=found,
        limit=limit,
        remedy="keep it in quarantine; quality decides with the sender",
        rule=RULE,
    )


def _refuse(code: str, shipment: Shipment, found: str, limit: str) -> Refused:
    return Refused(
        code,
        what=f"shipment {shipment.id}",
        found=found,
        limit=limit,
        remedy="check the number and scan again",
        rule=RULE,
    )
