"""Shipments: booked, packed, sealed, handed over, received, inspected; accepted or in quarantine.

A receipt judges every finding at once. What is there, right and in condition is accepted; a doubt
puts it into quarantine, where a person decides; a wrong identity is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from anlage.base import Instant, Problem, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream

from ..container_fact import Evidence
from .excursion import Verdict
from .shipment_fact import (
    ConditionLogged,
    CourierLinkMade,
    CourierLinkUsed,
    CourierLinkWithdrawn,
    Disposition,
    HoldCause,
    LinkPurpose,
    Means,
    ShipmentBooked,
    ShipmentCollected,
    ShipmentDecided,
    ShipmentHandedOver,
    ShipmentHeld,
    ShipmentLeft,
    ShipmentPrepared,
    ShipmentReceived,
    ShipmentWentOn,
)

RULE = "ISO 21973; 21 CFR 1271.265"
LINK_HOURS_MAX = 168
_DIGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What a shipment's facts amount to.

    Attributes:
        id: The shipment.
        booked: Its booking; None where it goes without one.
        prepared: What was packed; None before.
        hand_overs: Every hand-over, first to last.
        logs: Every condition log, first to last.
        holds: Where it stood still: the fact, when it began, when it went on.
        received: What was received; None before.
        decided: Quality's decision, by container.
        links: Links of couriers by digest.
        spent: Digests of links used or withdrawn.
        left: What a device left unattended and nobody has collected.
        left_at: Since when.
        collected: How it was collected, where it had waited unattended.
    """

    id: str
    booked: ShipmentBooked | None = None
    prepared: ShipmentPrepared | None = None
    hand_overs: tuple[ShipmentHandedOver, ...] = ()
    logs: tuple[ConditionLogged, ...] = ()
    holds: tuple["Hold", ...] = ()
    received: ShipmentReceived | None = None
    sealed_at: Instant | None = None
    sent_at: Instant | None = None
    received_at: Instant | None = None
    decided: Mapping[str, bool] = field(default_factory=dict)
    links: Mapping[str, CourierLinkMade] = field(default_factory=dict)
    spent: frozenset[str] = frozenset()
    left: ShipmentLeft | None = None
    left_at: Instant | None = None
    collected: ShipmentCollected | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a shipment without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"shipment/{self.id}")

    @property
    def verdict(self) -> str | None:
        """The worst verdict on its condition logs; None without a log."""
        order = [one.value for one in Verdict]
        return max((one.verdict for one in self.logs), key=order.index, default=None)

    @property
    def standing(self) -> str:
        """Where it stands, in a word."""
        if self.received is not None:
            waiting = set(self.received.quarantined) - self.decided.keys()
            return "in-quarantine" if waiting else "received"
        if self.holds and self.holds[-1].ended is None:
            return "held"
        if self.left is not None:
            return "waiting-unattended"
        if self.hand_overs:
            return "on-its-way"
        if self.prepared is not None:
            return "sealed"
        return "booked" if self.booked is not None else "unknown"

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact, recorded.happened)

    def with_fact(self, fact: object, at: Instant | None = None) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case ShipmentBooked():
                return replace(self, booked=fact)
            case ShipmentPrepared():
                return replace(self, prepared=fact, sealed_at=at)
            case ShipmentHandedOver():
                sent = self.sent_at or at
                return replace(self, hand_overs=(*self.hand_overs, fact), sent_at=sent)
            case ConditionLogged():
                return replace(self, logs=(*self.logs, fact))
            case ShipmentHeld():
                return replace(self, holds=(*self.holds, Hold(held=fact, began=at)))
            case ShipmentWentOn():
                *before, last = self.holds
                return replace(self, holds=(*before, replace(last, ended=at, note=fact.note)))
            case ShipmentReceived():
                return replace(self, received=fact, received_at=at)
            case ShipmentDecided():
                said = dict.fromkeys(fact.containers, fact.is_accepted)
                return replace(self, decided={**self.decided, **said})
            case ShipmentLeft():
                return replace(self, left=fact, left_at=at)
            case ShipmentCollected():
                return replace(self, left=None, left_at=None, collected=fact)
            case CourierLinkMade():
                return replace(self, links={**self.links, fact.digest: fact})
            case CourierLinkUsed() | CourierLinkWithdrawn():
                return replace(self, spent=self.spent | {fact.digest})
            case _:
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A time at which a shipment stood still; `ended` is None while it does."""

    held: ShipmentHeld
    began: Instant | None
    ended: Instant | None = None
    note: str = ""


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
    return [Entry(shipment.stream, _received(shipment, found, by, at))]


def book(shipment: Shipment, booked: ShipmentBooked, *, at: Instant) -> list[Entry]:
    """Give the fact of a booking; lane, shipper and country rules were judged by the caller.

    Raises:
        Refused: It is booked or prepared, or the times are not in order.
    """
    if shipment.booked is not None or shipment.prepared is not None:
        raise _refuse("shipment-exists", shipment, "booked before", "a number not used")
    if not at <= booked.pick_up < booked.due:
        found = f"pick-up {booked.pick_up.isoformat()}, due {booked.due.isoformat()}"
        raise _refuse("shipment-times", shipment, found, "a pick-up to come, then the due time")
    return [Entry(shipment.stream, booked)]


def hand_over(shipment: Shipment, handed: ShipmentHandedOver, *, seal: str) -> list[Entry]:
    """Give the fact of a sealed shipper that goes from hand to hand.

    Args:
        shipment: The shipment.
        handed: From whom to whom.
        seal: The seal as the receiver read it.

    Raises:
        Refused: It is not sealed, or received already; the seal is another.
    """
    _must_be_on_its_way(shipment)
    assert shipment.prepared is not None
    if seal.strip() != shipment.prepared.seal:
        raise Refused(
            "seal-broken",
            what=f"seal of shipment {shipment.id}",
            found=seal.strip()[:40] or "none",
            limit="the number of the seal put on at packing",
            remedy="stop: do not take it; call the sender",
            rule=RULE,
        )
    clean_line(handed.name, "name", limit=80)
    clean_line(handed.place, "place", limit=120)
    return [Entry(shipment.stream, handed)]


def hold(shipment: Shipment, *, cause: HoldCause, place: str, note: str, by: str) -> list[Entry]:
    """Give the fact of a shipment that stands still on its way.

    Raises:
        Refused: It is not on its way, or stands still already.
    """
    _must_be_on_its_way(shipment)
    if shipment.standing == "held":
        raise _refuse("shipment-held", shipment, "standing still", "a shipment that goes on")
    text = clean_line(note, "note") if note.strip() else ""
    held = ShipmentHeld(cause=cause, place=clean_line(place, "place", limit=120), note=text, by=by)
    return [Entry(shipment.stream, held)]


def go_on(shipment: Shipment, *, note: str, by: str) -> list[Entry]:
    """Give the fact of a shipment that goes on.

    Raises:
        Refused: It does not stand still.
    """
    if shipment.standing != "held":
        raise _refuse("shipment-not-held", shipment, shipment.standing, "standing still")
    text = clean_line(note, "note") if note.strip() else ""
    return [Entry(shipment.stream, ShipmentWentOn(note=text, by=by))]


def log_condition(shipment: Shipment, logged: ConditionLogged) -> list[Entry]:
    """Give the fact of a condition log that was taken in and judged.

    Raises:
        Refused: The shipment is not prepared, or this very record was taken in before.
    """
    if shipment.prepared is None:
        raise _refuse("shipment-not-on-its-way", shipment, "never prepared", "a sealed shipment")
    if any(one.file == logged.file for one in shipment.logs):
        raise _refuse("condition-known", shipment, "taken in before", "a record not taken in yet")
    return [Entry(shipment.stream, logged)]


def decide_shipment(
    shipment: Shipment,
    containers: Sequence[str],
    *,
    is_accepted: bool,
    reason: str,
    by: str,
    signature: Signature | None,
) -> list[Entry]:
    """Give the fact of quality's decision about containers in quarantine.

    Raises:
        Refused: It was not received; one is not in quarantine; nobody signed.
    """
    waiting = set(shipment.received.quarantined) if shipment.received else set()
    strange = [one for one in containers if one not in waiting or one in shipment.decided]
    if not containers or strange:
        found = ", ".join(strange)[:120] or "no container"
        raise _refuse("nothing-to-decide", shipment, found, "containers of it in quarantine")
    if signature is None or signature.person != by:
        raise Refused(
            "signature-missing",
            what=f"decision about shipment {shipment.id}",
            found="none of the person who decides",
            limit="a signature with the meaning decided",
            remedy="sign the decision",
            rule="21 CFR 11.50; 21 CFR 1271.265(b)",
        )
    said = ShipmentDecided(
        containers=tuple(containers),
        is_accepted=is_accepted,
        reason=clean_line(reason, "reason"),
        by=by,
        signature=signature,
    )
    return [Entry(shipment.stream, said)]


def make_link(shipment: Shipment, made: CourierLinkMade, *, at: Instant) -> list[Entry]:
    """Give the fact of a link for a courier without a login.

    Raises:
        Refused: The shipment is not sealed or was received; the digest is none, or known; it would
            hold longer than a week, or not at all.
    """
    _must_be_on_its_way(shipment)
    clean_line(made.courier, "courier", limit=80)
    is_digest = len(made.digest) == _DIGEST and set(made.digest) <= set("0123456789abcdef")
    if not is_digest or made.digest in shipment.links:
        raise _refuse("link-malformed", shipment, made.digest[:20], "the digest of a new secret")
    hours = (made.expires - at).total_seconds() / 3600
    if not 0 < hours <= LINK_HOURS_MAX:
        found = f"{hours:.1f} h"
        raise _refuse("link-malformed", shipment, found, f"more than 0, at most {LINK_HOURS_MAX} h")
    return [Entry(shipment.stream, made)]


def withdraw_link(shipment: Shipment, digest: str, *, reason: str, by: str) -> list[Entry]:
    """Give the fact of a link withdrawn.

    Raises:
        Refused: There is none that could still be used.
    """
    if digest not in shipment.links or digest in shipment.spent:
        raise _refuse("link-spent", shipment, digest[:12], "a link that was not used")
    said = CourierLinkWithdrawn(digest=digest, reason=clean_line(reason, "reason"), by=by)
    return [Entry(shipment.stream, said)]


def use_link(
    shipment: Shipment, digest: str, *, name: str, seal: str, place: str, holder: str, at: Instant
) -> tuple[CourierLinkMade, list[Entry]]:
    """Give the link and the facts of a courier's signature by it.

    Args:
        shipment: The shipment.
        digest: Of the secret that the link carries.
        name: What the courier signs with.
        seal: The seal as the courier read it.
        place: Where.
        holder: Who answers for the shipper until then.
        at: When.

    Raises:
        Refused: The link is unknown, used, withdrawn or expired; the seal is another.
    """
    link = shipment.links.get(digest)
    if link is None or digest in shipment.spent or at >= link.expires:
        raise Refused(
            "link-spent",
            what="this link",
            found="used, withdrawn, expired, or none of this shipment",
            limit="a link that was not used and has not expired",
            remedy="ask the sender for a new one, or sign on paper",
            rule="21 CFR 11.10(d)",
        )
    is_pick_up = link.purpose is LinkPurpose.PICK_UP
    courier = courier_of(link)
    if not is_pick_up and holder != courier:
        raise _refuse("not-the-holder", shipment, f"held by {holder}", f"held by {courier}")
    receiver = shipment.prepared.receiver if shipment.prepared else ""
    handed = ShipmentHandedOver(
        giver=holder if is_pick_up else courier,
        receiver=courier if is_pick_up else receiver,
        name=clean_line(name, "name", limit=80),
        means=Means.LINK,
        place=place,
        evidence=Evidence.SCANNED,
    )
    entries = hand_over(shipment, handed, seal=seal)
    used = CourierLinkUsed(digest=digest, name=handed.name)
    return link, [*entries, Entry(shipment.stream, used)]


def courier_of(link: CourierLinkMade) -> str:
    """Give how a courier without a login is named as a holder."""
    return f"courier {link.courier.strip()}"


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


def _must_be_on_its_way(shipment: Shipment) -> None:
    if shipment.prepared is None or shipment.received is not None:
        state = "never prepared" if shipment.prepared is None else "received before"
        raise _refuse("shipment-not-on-its-way", shipment, state, "a sealed shipment on its way")


def _waited(shipment: Shipment) -> list[Problem]:
    """Give the doubt about a shipment that waited unattended for too long."""
    collected = shipment.collected
    if collected is None or collected.is_within:
        return []
    found = f"waited {collected.waited_minutes} min at {collected.point}"
    return [_doubt("unattended-too-long", "unattended delivery", found, "its standard's time")]


def _received(shipment: Shipment, found: Inspection, by: str, at: Instant) -> ShipmentReceived:
    prepared = shipment.prepared
    assert prepared is not None
    here = [name for name in prepared.containers if name in set(found.scanned)]
    missing = tuple(name for name in prepared.containers if name not in set(found.scanned))
    general = [*doubts(prepared, found, at), *_waited(shipment)]
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
