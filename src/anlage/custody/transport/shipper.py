"""The fleet: shippers and smart containers, qualified, cleaned, used, returned, counted.

A shipper that is not cleaned since its last use, whose qualification is past or would end on the
way, or whose cycles are used up, is refused before it is booked or sealed.
"""

from dataclasses import dataclass, replace
from typing import Self

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .request import QualifyShipper, RegisterShipper

RULE = "ISO 21973; WHO TRS 961 annex 9"
CYCLES_MAX, HOURS_MAX = 10_000, 24 * 60
NAME_MAX = 80


@fact("shipper-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperRegistered:
    """A shipper was taken into the fleet.

    Attributes:
        model: Its model; the qualification of a lane names models.
        maker: Who made it.
        serial: Its serial number.
        keeps_min: Lowest temperature it keeps.
        keeps_max: Highest temperature it keeps.
        cycles_max: How often it may be used.
        has_telemetry: True when it records its own way.
    """

    model: str
    maker: str
    serial: str
    cycles_max: int
    keeps_min: Quantity | None = None
    keeps_max: Quantity | None = None
    has_telemetry: bool = False


@fact("shipper-qualified")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperQualified:
    """A shipper was qualified for a time.

    Attributes:
        report: The report, by name or digest.
        hold_hours: For how long it held its temperature in the qualification.
        profile: The ambient profile that it was tried against.
        due: Until when.
        by: Who says so.
    """

    report: str
    hold_hours: int
    profile: str
    due: Instant
    by: str
    signature: Signature | None = None


@fact("shipper-cleaned")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperCleaned:
    """A shipper was cleaned and looked over."""

    agent: str
    by: str


@fact("shipper-taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperTaken:
    """A shipper went out with a shipment: one cycle."""

    shipment: str


@fact("shipper-returned")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperReturned:
    """A shipper came back."""

    condition: str
    is_damaged: bool
    by: str


@fact("shipper-withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperWithdrawn:
    """A shipper was taken out of service, for good or until it is qualified again."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipper:
    """What a shipper's facts amount to.

    Attributes:
        id: The shipper; the container that holds a shipment has the same identifier.
        registered: What it is; None before.
        qualified: Its last qualification.
        is_clean: True from its cleaning to its next use.
        out_with: The shipment that it is out with.
        cycles: How often it was used.
        withdrawn: Why it is out of service; None when it is not.
    """

    id: str
    registered: ShipperRegistered | None = None
    qualified: ShipperQualified | None = None
    is_clean: bool = False
    out_with: str | None = None
    cycles: int = 0
    withdrawn: str | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a shipper without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"shipper/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact)

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case ShipperRegistered():
                return replace(self, registered=fact)
            case ShipperQualified():
                return replace(self, qualified=fact, withdrawn=None)
            case ShipperCleaned():
                return replace(self, is_clean=True)
            case ShipperTaken():
                return replace(self, is_clean=False, out_with=fact.shipment, cycles=self.cycles + 1)
            case ShipperReturned():
                withdrawn = f"came back damaged: {fact.condition}" if fact.is_damaged else None
                return replace(self, out_with=None, withdrawn=withdrawn or self.withdrawn)
            case ShipperWithdrawn():
                return replace(self, withdrawn=fact.reason)
            case _:
                return self

    def must_be_ready(self, *, until: Instant, hours: float) -> None:
        """See that it may carry a shipment.

        Args:
            until: Until when it is under way.
            hours: For how long it must keep its temperature.

        Raises:
            Refused: With every reason against it.
        """
        found: list[tuple[str, str, str, str]] = []
        if self.registered is None:
            raise _refuse(self, "shipper-unknown", "not of the fleet", "a registered shipper")
        if self.withdrawn is not None:
            found.append(("shipper-withdrawn", self.withdrawn, "in service", "qualify it again"))
        if self.out_with is not None:
            found.append(("shipper-out", f"out with {self.out_with}", "at hand", "take another"))
        elif not self.is_clean:
            found.append(
                ("shipper-not-clean", "not cleaned since its last use", "clean", "clean it")
            )
        if self.qualified is None:
            found.append(("shipper-unqualified", "never", "qualified", "qualify it"))
        elif self.qualified.due < until:
            due = f"until {self.qualified.due:%Y-%m-%d}"
            found.append(
                ("shipper-overdue", due, f"to {until:%Y-%m-%d}, the arrival", "qualify it again")
            )
        elif self.qualified.hold_hours < hours:
            held = f"{self.qualified.hold_hours} h"
            found.append(
                ("shipper-holds-too-short", held, f"{hours:g} h, the longest way", "take another")
            )
        if self.cycles >= self.registered.cycles_max:
            used = f"{self.cycles} uses"
            limit = f"fewer than {self.registered.cycles_max}"
            found.append(("shipper-worn-out", used, limit, "take another"))
        if found:
            raise Refused.of(
                _refuse(self, code, seen, limit, remedy).problem
                for code, seen, limit, remedy in found
            )


def register_shipper(shipper: Shipper, request: RegisterShipper) -> list[Entry]:
    """Give the fact of a shipper taken into the fleet.

    Raises:
        Refused: It is in it already, or its numbers cannot be.
    """
    if shipper.registered is not None:
        raise _refuse(shipper, "shipper-exists", "in the fleet already", "a number not used")
    if not 0 < request.cycles_max <= CYCLES_MAX:
        found = str(request.cycles_max)
        raise _refuse(shipper, "shipper-malformed", f"{found} cycles", f"1 to {CYCLES_MAX}")
    for limit in (request.keeps_min, request.keeps_max):
        if limit is not None:
            limit.to("Cel")
    said = ShipperRegistered(
        model=clean_line(request.model, "model", limit=NAME_MAX),
        maker=clean_line(request.maker, "maker", limit=NAME_MAX),
        serial=clean_line(request.serial, "serial", limit=NAME_MAX),
        cycles_max=request.cycles_max,
        keeps_min=request.keeps_min,
        keeps_max=request.keeps_max,
        has_telemetry=request.has_telemetry,
    )
    return [Entry(shipper.stream, said)]


def qualify_shipper(
    shipper: Shipper, request: QualifyShipper, *, by: str, at: Instant
) -> list[Entry]:
    """Give the fact of a qualification.

    Raises:
        Refused: It is not of the fleet; the due date is past; nobody signed.
    """
    _must_be_known(shipper)
    if request.due <= at or not 0 < request.hold_hours <= HOURS_MAX:
        found = f"{request.hold_hours} h until {request.due:%Y-%m-%d}"
        raise _refuse(shipper, "shipper-malformed", found, f"1 to {HOURS_MAX} h, a day to come")
    if request.signature is None or request.signature.person != by:
        raise _refuse(
            shipper, "signature-missing", "none of the person who qualifies it",
            "a signature with the meaning qualified", "sign it",
        )  # fmt: skip
    said = ShipperQualified(
        report=clean_line(request.report, "report", limit=200),
        hold_hours=request.hold_hours,
        profile=clean_line(request.profile, "profile", limit=NAME_MAX),
        due=request.due,
        by=by,
        signature=request.signature,
    )
    return [Entry(shipper.stream, said)]


def clean_shipper(shipper: Shipper, *, agent: str, by: str) -> list[Entry]:
    """Give the fact of a cleaned shipper.

    Raises:
        Refused: It is not of the fleet, or is out.
    """
    _must_be_known(shipper)
    if shipper.out_with is not None:
        raise _refuse(shipper, "shipper-out", f"out with {shipper.out_with}", "at hand")
    said = ShipperCleaned(agent=clean_line(agent, "agent", limit=NAME_MAX), by=by)
    return [Entry(shipper.stream, said)]


def take_shipper(shipper: Shipper, *, shipment: str, until: Instant, hours: float) -> list[Entry]:
    """Give the fact of a shipper that goes out with a shipment.

    Raises:
        Refused: It may not, with every reason.
    """
    shipper.must_be_ready(until=until, hours=hours)
    return [Entry(shipper.stream, ShipperTaken(shipment=shipment))]


def return_shipper(shipper: Shipper, *, condition: str, is_damaged: bool, by: str) -> list[Entry]:
    """Give the fact of a shipper that came back; it is to be cleaned before its next use.

    Raises:
        Refused: It is not out.
    """
    _must_be_known(shipper)
    if shipper.out_with is None:
        raise _refuse(shipper, "shipper-not-out", "at hand", "out with a shipment")
    said = ShipperReturned(
        condition=clean_line(condition, "condition"), is_damaged=is_damaged, by=by
    )
    return [Entry(shipper.stream, said)]


def withdraw_shipper(shipper: Shipper, *, reason: str, by: str) -> list[Entry]:
    """Give the fact of a shipper out of service, until it is qualified again.

    Raises:
        Refused: It is not of the fleet, or withdrawn already.
    """
    _must_be_known(shipper)
    if shipper.withdrawn is not None:
        raise _refuse(shipper, "shipper-withdrawn", shipper.withdrawn, "in service")
    return [Entry(shipper.stream, ShipperWithdrawn(reason=clean_line(reason, "reason"), by=by))]


def _must_be_known(shipper: Shipper) -> None:
    if shipper.registered is None:
        raise _refuse(shipper, "shipper-unknown", "not of the fleet", "a registered shipper")


def _refuse(
    shipper: Shipper, code: str, found: str, limit: str, remedy: str = "choose another shipper"
) -> Refused:
    return Refused(
        code, what=f"shipper {shipper.id}", found=found, limit=limit, remedy=remedy, rule=RULE
    )
