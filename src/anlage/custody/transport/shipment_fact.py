"""What can happen to a shipment, as it is kept for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from anlage.base import Instant
from anlage.record import Signature, fact

from ..container_fact import Evidence


class Disposition(StrEnum):
    """What a receipt decided."""

    ACCEPTED = "accepted"
    PARTLY = "partly-accepted"
    QUARANTINED = "quarantined"


class Means(StrEnum):
    """How a hand-over was signed."""

    LOGIN = "login"
    LINK = "phone-link"
    PAPER = "paper"
    DEVICE = "device"


class HoldCause(StrEnum):
    """Why a shipment stood still on its way."""

    DOCUMENTS = "customs-documents"
    INSPECTION = "customs-inspection"
    SECURITY = "security-screening"
    WEATHER = "weather"
    FLIGHT = "flight-cancelled"
    CARRIER = "carrier"
    CONSIGNEE = "consignee-absent"
    OTHER = "other"


class LinkPurpose(StrEnum):
    """What a courier's link is for."""

    PICK_UP = "pick-up"
    DELIVERY = "delivery"


@fact("shipment-booked")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentBooked:
    """A shipment was booked on a lane after its rules were checked.

    Attributes:
        lane: The lane.
        product: The product, whose excursion rule judges the condition log.
        goods: What crosses the border, as the rules of country pairs name it.
        shipper: The unit of the fleet that carries it.
        pick_up: When it is picked up.
        due: Until when it must be received.
        rules: The rules of the country pair that were met, by identifier.
        not_known: What the rules say is not known of this pair.
        accepted: Why the unknown was accepted; empty where nothing is unknown.
        contacts: Who is called, by role.
    """

    lane: str
    product: str
    goods: str
    shipper: str
    pick_up: Instant
    due: Instant
    rules: tuple[str, ...]
    by: str
    not_known: tuple[str, ...] = ()
    accepted: str = ""
    contacts: tuple[str, ...] = ()


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
        lots: The lots of what is in it.
    """

    shipper: str
    containers: tuple[str, ...]
    seal: str
    sender: str
    receiver: str
    due: Instant
    evidence: Evidence
    under_quarantine: bool = False
    lots: tuple[str, ...] = ()


@fact("shipment-handed-over")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentHandedOver:
    """The sealed shipper went from one hand to another.

    Attributes:
        giver: Who gave it.
        receiver: Who took it.
        name: The name that was signed with, where the receiver has no login here.
        means: How it was signed.
        place: Where.
        paper: Digest of the signed paper, where there is one.
    """

    giver: str
    receiver: str
    name: str
    means: Means
    place: str
    evidence: Evidence
    paper: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedExcursion:
    """One time outside the labelled range.

    Attributes:
        start: First reading outside.
        end: First reading inside again, or the last reading.
        worst: The reading farthest outside, degC.
        limit: The range that was left.
        is_open: True when the record ends outside the range.
    """

    start: Instant
    end: Instant
    worst: Decimal
    limit: str
    is_open: bool = False


@fact("condition-logged")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionLogged:
    """A record of the way was taken in and judged: a logger's file or a container's telemetry.

    Attributes:
        file: Digest of the record as it came.
        name: Its name.
        source: Which logger or unit recorded it.
        readings: How many readings of temperature.
        start: First reading.
        end: Last reading.
        low: Lowest temperature, degC.
        high: Highest temperature, degC.
        product: The product whose rule judged it.
        rule: The rule, with the day from which it holds.
        verdict: accept, quarantine or reject.
        reasons: Why, in words.
        excursions: Times outside the labelled range.
        problems: What could not be known.
        kinetic: Mean kinetic temperature, degC; of stored reagents alone.
        events: What tilt, shock, light and position told beside the temperature.
        by: Who took it in.
        read_as: What was said of the file where it leaves something open, such as its time zone.
    """

    file: str
    name: str
    source: str
    readings: int
    start: Instant
    end: Instant
    low: Decimal
    high: Decimal
    product: str
    rule: str
    verdict: str
    reasons: tuple[str, ...]
    by: str
    excursions: tuple[LoggedExcursion, ...] = ()
    problems: tuple[str, ...] = ()
    kinetic: Decimal | None = None
    events: tuple[str, ...] = ()
    read_as: Mapping[str, str] = field(default_factory=dict)


@fact("transport-judged")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransportJudged:
    """The condition of a shipment with containers of this lot was judged.

    Attributes:
        shipment: The shipment.
        file: Digest of the record.
        rule: The rule that judged it.
        verdict: accept, quarantine or reject.
        reasons: Why, in words.
    """

    shipment: str
    file: str
    rule: str
    verdict: str
    reasons: tuple[str, ...]


@fact("shipment-held")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentHeld:
    """A shipment stood still on its way."""

    cause: HoldCause
    place: str
    note: str
    by: str


@fact("shipment-went-on")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentWentOn:
    """A shipment that stood still went on."""

    note: str
    by: str


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


@fact("shipment-decided")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentDecided:
    """Quality decided about containers that waited in quarantine, or about those that came late.

    Attributes:
        containers: The containers.
        is_accepted: True when they may be used.
        reason: Why.
    """

    containers: tuple[str, ...]
    is_accepted: bool
    reason: str
    by: str
    signature: Signature | None = None


@fact("courier-link-made")
@dataclass(frozen=True, slots=True, kw_only=True)
class CourierLinkMade:
    """A link was made by which a courier without a login signs one hand-over.

    Attributes:
        digest: SHA-256 of the link's secret; the secret itself is nowhere kept.
        courier: Who is to sign.
        purpose: Pick-up or delivery.
        expires: Until when it can be used.
    """

    digest: str
    courier: str
    purpose: LinkPurpose
    expires: Instant
    by: str


@fact("courier-link-used")
@dataclass(frozen=True, slots=True, kw_only=True)
class CourierLinkUsed:
    """A courier signed by the link; it cannot be used again."""

    digest: str
    name: str


@fact("courier-link-withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class CourierLinkWithdrawn:
    """A link was withdrawn before its use."""

    digest: str
    reason: str
    by: str


@fact("shipment-left-unattended")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentLeft:
    """A device left a shipment at a point of the standard, nobody being there.

    Attributes:
        point: The point.
        device: What left it.
        metres: How far from the point the device was.
        celsius: Temperature at the product.
        collect_by: Until when it must be collected.
        standard: The standard that was kept to.
    """

    point: str
    device: str
    metres: int
    celsius: Decimal
    collect_by: Instant
    standard: str
    evidence: Evidence = Evidence.DEVICE


@fact("shipment-collected")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentCollected:
    """A person collected a shipment that waited unattended.

    Attributes:
        point: Where it waited.
        by: Who collected it.
        waited_minutes: For how long it waited.
        is_within: True where that was within the standard.
    """

    point: str
    by: str
    waited_minutes: int
    is_within: bool
