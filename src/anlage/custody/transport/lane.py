"""A lane: the way from one site to another, by one carrier and mode, qualified for a time."""

from dataclasses import dataclass, replace
from typing import Self

from anlage.base import Instant, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .country import country_code
from .request import QualifyLane, RegisterLane

RULE = "ISO 21973; EU GDP 2013/C 343/01 chapter 9"
HOURS_MAX, RUNS_MAX, NAME_MAX = 24 * 30, 1000, 120


@fact("lane-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRegistered:
    """A lane was taken into the record.

    Attributes:
        origin: The site that sends.
        origin_country: Its country, ISO 3166-1.
        destination: The site that receives.
        destination_country: Its country.
        carrier: Who carries.
        mode: road, air, road-and-air, courier on board, by drone.
        hours_planned: Door to door, as planned.
        hours_max: The longest that the product may be under way on it.
        transit: Countries on the way where the goods are touched.
    """

    origin: str
    origin_country: str
    destination: str
    destination_country: str
    carrier: str
    mode: str
    hours_planned: int
    hours_max: int
    transit: tuple[str, ...] = ()


@fact("lane-qualified")
@dataclass(frozen=True, slots=True, kw_only=True)
class LaneQualified:
    """A lane was qualified for a time.

    Attributes:
        report: The report, by name or digest.
        runs: How many runs stand behind it.
        hours_p95: The time that 95 of 100 runs kept.
        models: The shippers' models that it was run with; empty for any.
        due: Until when.
        by: Who says so.
    """

    report: str
    runs: int
    hours_p95: int
    due: Instant
    by: str
    models: tuple[str, ...] = ()
    signature: Signature | None = None


@fact("lane-suspended")
@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSuspended:
    """A lane is not to be booked until it is qualified again."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What a lane's facts amount to."""

    id: str
    registered: LaneRegistered | None = None
    qualified: LaneQualified | None = None
    suspended: str | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a lane without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"lane/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact)

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case LaneRegistered():
                return replace(self, registered=fact)
            case LaneQualified():
                return replace(self, qualified=fact, suspended=None)
            case LaneSuspended():
                return replace(self, suspended=fact.reason)
            case _:
                return self

    def must_be_open(self, *, until: Instant, model: str) -> LaneRegistered:
        """See that it may be booked, with a shipper of a model.

        Raises:
            Refused: It is unknown, suspended, not qualified or overdue, or not for this model.
        """
        if self.registered is None:
            raise _refuse(self, "lane-unknown", "not on record", "a registered lane")
        if self.suspended is not None:
            raise _refuse(self, "lane-suspended", self.suspended, "a lane that may be booked")
        if self.qualified is None:
            raise _refuse(self, "lane-unqualified", "never qualified", "a qualified lane")
        if self.qualified.due < until:
            due = f"qualified until {self.qualified.due:%Y-%m-%d}"
            raise _refuse(self, "lane-overdue", due, f"to {until:%Y-%m-%d}, the arrival")
        if self.qualified.models and model not in self.qualified.models:
            limit = ", ".join(self.qualified.models)
            raise _refuse(self, "lane-not-for-model", f"a shipper of model {model}", limit)
        return self.registered


def register_lane(lane: Lane, request: RegisterLane) -> list[Entry]:
    """Give the fact of a lane taken into the record.

    Raises:
        Refused: It is on record, a country is none, or its times cannot be.
    """
    if lane.registered is not None:
        raise _refuse(lane, "lane-exists", "on record already", "a number not used")
    if not 0 < request.hours_planned <= request.hours_max <= HOURS_MAX:
        found = f"{request.hours_planned} h planned, {request.hours_max} h at most"
        raise _refuse(lane, "lane-malformed", found, f"planned at most the longest, {HOURS_MAX} h")
    said = LaneRegistered(
        origin=clean_line(request.origin, "origin", limit=NAME_MAX),
        origin_country=country_code(request.origin_country),
        destination=clean_line(request.destination, "destination", limit=NAME_MAX),
        destination_country=country_code(request.destination_country),
        carrier=clean_line(request.carrier, "carrier", limit=NAME_MAX),
        mode=clean_line(request.mode, "mode", limit=40),
        hours_planned=request.hours_planned,
        hours_max=request.hours_max,
        transit=tuple(country_code(one) for one in request.transit),
    )
    return [Entry(lane.stream, said)]


def qualify_lane(lane: Lane, request: QualifyLane, *, by: str, at: Instant) -> list[Entry]:
    """Give the fact of a qualification.

    Raises:
        Refused: The lane is not on record; its runs took longer than the product may be under way;
            the due date is past; nobody signed.
    """
    if lane.registered is None:
        raise _refuse(lane, "lane-unknown", "not on record", "a registered lane")
    if not 0 < request.runs <= RUNS_MAX or request.due <= at:
        found = f"{request.runs} runs until {request.due:%Y-%m-%d}"
        raise _refuse(lane, "lane-malformed", found, f"1 to {RUNS_MAX} runs, a day to come")
    if not 0 < request.hours_p95 <= lane.registered.hours_max:
        found = f"95 of 100 runs within {request.hours_p95} h"
        raise _refuse(lane, "lane-too-slow", found, f"at most {lane.registered.hours_max} h")
    if request.signature is None or request.signature.person != by:
        raise _refuse(lane, "signature-missing", "none of the person who qualifies it", "one")
    said = LaneQualified(
        report=clean_line(request.report, "report", limit=200),
        runs=request.runs,
        hours_p95=request.hours_p95,
        due=request.due,
        by=by,
        models=tuple(clean_line(one, "model", limit=NAME_MAX) for one in request.models),
        signature=request.signature,
    )
    return [Entry(lane.stream, said)]


def suspend_lane(lane: Lane, *, reason: str, by: str) -> list[Entry]:
    """Give the fact of a lane that is not to be booked.

    Raises:
        Refused: It is not on record, or suspended already.
    """
    if lane.registered is None:
        raise _refuse(lane, "lane-unknown", "not on record", "a registered lane")
    if lane.suspended is not None:
        raise _refuse(lane, "lane-suspended", lane.suspended, "a lane that may be booked")
    return [Entry(lane.stream, LaneSuspended(reason=clean_line(reason, "reason"), by=by))]


def _refuse(lane: Lane, code: str, found: str, limit: str) -> Refused:
    remedies = {
        "lane-unqualified": "qualify the lane first",
        "lane-overdue": "qualify the lane again, or choose another",
        "lane-suspended": "qualify the lane again, or choose another",
        "signature-missing": "sign it",
    }
    return Refused(
        code,
        what=f"lane {lane.id}",
        found=found,
        limit=limit,
        remedy=remedies.get(code, "choose another lane, or correct the numbers"),
        rule=RULE,
    )
