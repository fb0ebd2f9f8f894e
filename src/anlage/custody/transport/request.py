"""What a person asks for with shipments, lanes and the fleet."""

from dataclasses import dataclass
from decimal import Decimal

from anlage.base import Instant, Quantity
from anlage.record import Signature

from ..container_fact import Evidence
from .shipment_fact import HoldCause, LinkPurpose


@dataclass(frozen=True, slots=True, kw_only=True)
class BookShipment:
    """Book a shipment on a lane; lane, shipper and the rules of the country pair are checked.

    Attributes:
        product: The product, whose excursion rule judges the condition log, such as frozen-car-t.
        goods: starting-material, cells or gene-modified-cells.
        shipper: The unit of the fleet.
        accepted: Why the shipment goes although something is not known; empty else.
        contacts: Who is called on the way, one per line: role, name, number.
    """

    shipment: str
    lane: str
    product: str
    goods: str
    shipper: str
    pick_up: Instant
    due: Instant
    accepted: str = ""
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareShipment:
    """Pack and seal a shipment."""

    shipment: str
    shipper: str
    containers: tuple[str, ...]
    seal: str
    receiver: str
    due: Instant
    evidence: Evidence
    under_quarantine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverShipment:
    """Take a sealed shipper from who holds it.

    Attributes:
        seal: The seal as you read it.
        place: Where.
    """

    shipment: str
    seal: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPaperHandOver:
    """Enter a hand-over that was signed on paper; it is graded paper and never counts as read.

    Attributes:
        receiver: Who took it.
        seal: The seal as written on the paper.
        happened: When, as written on the paper.
        paper: Digest of the scanned paper.
    """

    shipment: str
    receiver: str
    seal: str
    place: str
    happened: Instant
    paper: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeCourierLink:
    """Make a link for a courier without a login: one signature, then it is spent.

    Attributes:
        courier: Who is to sign.
        purpose: Pick-up or delivery.
        expires: Until when.
        digest: SHA-256 of the link's secret, in hexadecimal; the page makes it.
    """

    shipment: str
    courier: str
    purpose: LinkPurpose
    expires: Instant
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCourierLink:
    """Withdraw a link before its use."""

    shipment: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignAsCourier:
    """Sign a hand-over by a link.

    Attributes:
        secret: What the link carries.
        name: Your name.
        seal: The number of the seal on the shipper.
        place: Where you are.
    """

    shipment: str
    secret: str
    name: str
    seal: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDevice:
    """Put a sealed shipper into a device that delivers without a person: robot, drone, locker run.

    Attributes:
        device: The device, which answers for the shipper from then on.
        seal: The seal as the device read it.
        place: Where.
    """

    shipment: str
    device: str
    seal: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveUnattended:
    """Leave a shipment at a point, nobody being there, as the standard asks.

    Attributes:
        point: The point of the standard.
        device: Which device leaves it.
        seal: The seal as the device reads it.
        latitude: Where the device is, degrees north.
        longitude: Degrees east.
        sampled: When the container's telemetry was last heard.
        celsius: Temperature at the product.
        light: Inside, lux.
        tilt: Degrees from upright.
    """

    shipment: str
    point: str
    device: str
    seal: str
    latitude: Decimal
    longitude: Decimal
    sampled: Instant
    celsius: Decimal
    light: Decimal | None = None
    tilt: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectShipment:
    """Collect a shipment that waits at a point, by scan of its seal."""

    shipment: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCondition:
    """Take in what a logger's file was judged to say; made from the file here, never typed.

    Attributes:
        logged: The summary, as JSON text.
        seal: What shows that this house made the summary from the file.
    """

    shipment: str
    logged: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldShipment:
    """Note that a shipment stands still on its way."""

    shipment: str
    cause: HoldCause
    place: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOnShipment:
    """Note that a shipment goes on."""

    shipment: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveShipment:
    """Receive a shipment: what was scanned, the seal, the verdict on the condition log.

    Attributes:
        verdict: The verdict on a log that was judged elsewhere; logs taken in here decide else.
        place: Where it is received; empty to leave the shipper's custody as it is.
    """

    shipment: str
    scanned: tuple[str, ...]
    seal: str | None = None
    verdict: str | None = None
    damaged: tuple[str, ...] = ()
    record: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideShipment:
    """Decide, as quality, about containers of a shipment in quarantine."""

    shipment: str
    containers: tuple[str, ...]
    accept: bool
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLane:
    """Take a lane into the record.

    Attributes:
        origin_country: Two letters of ISO 3166-1.
        destination_country: Two letters of ISO 3166-1.
        mode: road, air, road and air, courier on board, drone.
        hours_planned: Door to door, as planned.
        hours_max: The longest that the product may be under way on it.
        transit: Countries on the way where the goods are touched, one per line.
    """

    lane: str
    origin: str
    origin_country: str
    destination: str
    destination_country: str
    carrier: str
    mode: str
    hours_planned: int
    hours_max: int
    transit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyLane:
    """Qualify a lane for a time.

    Attributes:
        report: The report, by name or digest.
        runs: How many runs stand behind it.
        hours_p95: The time that 95 of 100 runs kept.
        due: Until when.
        models: The shippers' models that it was run with, one per line; empty for any.
    """

    lane: str
    report: str
    runs: int
    hours_p95: int
    due: Instant
    models: tuple[str, ...] = ()
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendLane:
    """Let a lane not be booked until it is qualified again."""

    lane: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterShipper:
    """Take a shipper into the fleet.

    Attributes:
        shipper: Its code; the container that holds a shipment has the same.
        keeps_min: Lowest temperature it keeps.
        keeps_max: Highest temperature it keeps, such as -150 Cel.
        cycles_max: How often it may be used.
        has_telemetry: It records its own way.
    """

    shipper: str
    model: str
    maker: str
    serial: str
    cycles_max: int
    keeps_min: Quantity | None = None
    keeps_max: Quantity | None = None
    has_telemetry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyShipper:
    """Qualify a shipper for a time.

    Attributes:
        hold_hours: For how long it held its temperature.
        profile: The ambient profile that it was tried against.
        due: Until when.
    """

    shipper: str
    report: str
    hold_hours: int
    profile: str
    due: Instant
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanShipper:
    """Note that a shipper was cleaned and looked over."""

    shipper: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnShipper:
    """Note that a shipper came back."""

    shipper: str
    condition: str
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawShipper:
    """Take a shipper out of service, until it is qualified again."""

    shipper: str
    reason: str
