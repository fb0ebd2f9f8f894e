"""Reference materials with their certified values, and the control runs that gate a method.

A reference material has certified properties, each with an expanded uncertainty (ISO 17034, ISO
Guide 31 in own words). A method may name one as its control: a run is measured on it, judged by
Westgard's rules against the certified value, and results are reported only after a good one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.library import Control, Result
from anlage.record import Entry, Recorded, Rows, Signature, SignatureWanted, Stream, fact

HISTORY_MAX = 200
RULE = "ICH Q2(R2) system suitability; Westgard et al. 1981"


class ReferenceStatus(StrEnum):
    """Where a reference material stands."""

    UNKNOWN = "unknown"
    IN_USE = "in-use"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedValue:
    """One certified property.

    Attributes:
        attribute: What ("viability").
        value: The certified value.
        uncertainty: Its expanded uncertainty, in the same kind of unit.
        coverage: The factor of that uncertainty ("2").
    """

    attribute: str
    value: Quantity
    uncertainty: Quantity
    coverage: Decimal = Decimal(2)


@fact("reference-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRegistered:
    """A lot of a reference material is in the inventory."""

    name: str
    lot: str
    producer: str
    certificate: str
    properties: tuple[CertifiedValue, ...]
    expires: Instant
    traceable_to: str
    bridged_from: str | None = None
    by: str
    signature: Signature


@fact("reference-retired")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRetired:
    """A reference material is no longer used."""

    reason: str
    by: str


@fact("control-measured")
@dataclass(frozen=True, slots=True, kw_only=True)
class ControlMeasured:
    """A control was run: what was found, how it stands, and what that means for the run.

    Attributes:
        reference: The reference material.
        attribute: The property.
        found: As it was reported.
        certified: The certified value.
        z: Standard deviations from it.
        gate: accept, warn or reject.
        rules: Westgard's rules that were met.
        within_uncertainty: Whether value and certificate agree within their uncertainties.
        by: Who ran it.
        instrument: The equipment unit.
    """

    reference: str
    attribute: str
    found: str
    certified: Quantity
    z: Decimal
    gate: str
    rules: tuple[str, ...]
    within_uncertainty: bool
    by: str
    instrument: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReference:
    """Take a lot of a reference material into the inventory.

    Attributes:
        reference: Its identifier.
        name: What it is.
        lot: The producer's lot.
        producer: Who certified it.
        certificate: Number or digest of the certificate.
        properties: Certified values; each attribute, value, expanded uncertainty, coverage factor.
        expires: Until when it may be used.
        traceable_to: What its values are traceable to ("SI through NIST", "WHO 1st IS 09/172").
        bridged_from: The reference that this one was valued through, if it was.
        signature: The analyst's.
    """

    reference: str
    name: str
    lot: str
    producer: str
    certificate: str
    properties: tuple[CertifiedValue, ...]
    expires: Instant
    traceable_to: str = ""
    bridged_from: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireReference:
    """Take a reference material out of use."""

    reference: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureControl:
    """Report the control of a method's run.

    Attributes:
        method: The method; its definition names the reference material and the property.
        found: What was measured, with its unit ("91.8 %").
        instrument: The equipment unit.
    """

    method: str
    found: str
    instrument: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceMaterial:
    """A lot of a reference material, folded from its facts."""

    id: str
    fact: ReferenceRegistered | None = None
    status: ReferenceStatus = ReferenceStatus.UNKNOWN

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a reference without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"reference/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give it after one more fact."""
        match recorded.fact:
            case ReferenceRegistered() as said:
                return replace(self, fact=said, status=ReferenceStatus.IN_USE)
            case ReferenceRetired():
                return replace(self, status=ReferenceStatus.RETIRED)
            case _:
                return self

    def certified(self, attribute: str, at: Instant) -> CertifiedValue:
        """Give a certified value that may be used.

        Raises:
            Refused: `reference-unusable`: unknown, retired, expired, or without that property.
        """
        limit, found = f"a reference in use that certifies {attribute}", str(self.status)
        if self.fact is not None and self.status is ReferenceStatus.IN_USE:
            if self.fact.expires <= at:
                found = f"expired on {self.fact.expires:%Y-%m-%d}"
            else:
                for one in self.fact.properties:
                    if one.attribute == attribute:
                        return one
                found = "certifies " + ", ".join(one.attribute for one in self.fact.properties)
        raise Refused(
            "reference-unusable",
            what=f"reference material {self.id[:60]}",
            found=found,
            limit=limit,
            remedy="use another lot, or register one with its certificate",
            rule="ISO 17034; 21 CFR 211.194(c)",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRun:
    """One control run, as it stands in its method's series."""

    z: float
    gate: str
    at: Instant
    found: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSeries:
    """The controls of one method, folded from their facts; the newest last."""

    method: str
    runs: tuple[ControlRun, ...] = field(default=())

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a series without runs."""
        return cls(method=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"control/{self.method}")

    def after(self, recorded: Recorded) -> Self:
        """Give the series after one more fact."""
        match recorded.fact:
            case ControlMeasured() as said:
                run = ControlRun(
                    z=float(said.z),
                    gate=said.gate,
                    at=recorded.happened,
                    found=said.found,
                    reference=said.reference,
                )
                return replace(self, runs=(*self.runs[1 - HISTORY_MAX :], run))
            case _:
                return self

    def must_be_good(self, control: Control, at: Instant) -> None:
        """See that the method's last control was good and is not too old.

        Raises:
            Refused: `control-missing` or `control-rejected`.
        """
        last = self.runs[-1] if self.runs else None
        hours = None if last is None else (at - last.at).total_seconds() / 3600
        allowed = float(control.within.to("h").value)
        if last is None or hours is None or hours > allowed:
            raise Refused(
                "control-missing",
                what=f"control of method {self.method}",
                found="none" if hours is None else f"the last one {hours:.0f} h ago",
                limit=f"a control on {control.reference} within {control.within}",
                remedy="run the control and report it",
                rule=RULE,
            )
        if last.gate == "reject":
            raise Refused(
                "control-rejected",
                what=f"control of method {self.method}",
                found=f"{last.found}, {last.z:+.1f} standard deviations off",
                limit="a control within Westgard's rules",
                remedy="find the cause, run the control again; results of this run do not count",
                rule=RULE,
            )


def register_reference(
    reference: ReferenceMaterial, request: RegisterReference, *, by: str, at: Instant
) -> list[Entry]:
    """Take a lot of a reference material into the inventory.

    Raises:
        Refused: `reference-malformed`: it is there, has no property, an impossible uncertainty or
            has expired; the signature is missing or not sound.
    """
    problem = None
    if reference.status is not ReferenceStatus.UNKNOWN:
        problem = ("registered already", "an identifier that is not used")
    elif not request.properties:
        problem = ("no certified value", "at least one")
    elif request.expires <= at:
        problem = (f"expired on {request.expires:%Y-%m-%d}", "a date that lies ahead")
    else:
        for one in request.properties:
            off = one.uncertainty.to(one.value.unit).value
            if off < 0 or not 1 <= one.coverage <= 4:
                problem = (f"{one.attribute} ± {one.uncertainty} (k = {one.coverage})",
                           "an expanded uncertainty of 0 or more, k from 1 to 4")  # fmt: skip
    if problem is not None:
        raise Refused(
            "reference-malformed",
            what=f"reference material {request.reference[:60]}",
            found=problem[0],
            limit=problem[1],
            remedy="correct it by the certificate",
            rule="ISO 17034",
        )
    signature = _signed(request, by)
    registered = ReferenceRegistered(
        name=clean_line(request.name, "name"),
        lot=clean_line(request.lot, "lot"),
        producer=clean_line(request.producer, "producer"),
        certificate=clean_line(request.certificate, "certificate"),
        properties=request.properties,
        expires=request.expires,
        traceable_to=request.traceable_to,
        bridged_from=request.bridged_from,
        by=by,
        signature=signature,
    )
    return [Entry(reference.stream, registered)]


def retire_reference(
    reference: ReferenceMaterial, request: RetireReference, *, by: str
) -> list[Entry]:
    """Take a reference material out of use.

    Raises:
        Refused: `reference-unusable`: it is not in use.
    """
    if reference.status is not ReferenceStatus.IN_USE:
        raise Refused(
            "reference-unusable",
            what=f"reference material {reference.id[:60]}",
            found=str(reference.status),
            limit="in use",
            remedy="choose one from the inventory",
        )
    reason = clean_line(request.reason, "reason")
    return [Entry(reference.stream, ReferenceRetired(reason=reason, by=by), why=reason)]


def measure_control(
    series: ControlSeries,
    reference: ReferenceMaterial,
    control: Control,
    request: MeasureControl,
    *,
    by: str,
    at: Instant,
) -> list[Entry]:
    """Judge a control run by Westgard's rules against the certified value.

    Raises:
        Refused: `reference-unusable`, `control-unreadable`, or the unit does not convert.
    """
    certified = reference.certified(control.attribute, at)
    result = Result.parse(request.found)
    if result.value is None or result.qualifier is not None:
        raise Refused(
            "control-unreadable",
            what=f"control of method {series.method}",
            found=request.found[:60],
            limit=f"a number in {certified.value.unit}",
            remedy="enter the value with its unit",
        )
    unit = certified.value.unit
    found = float(Quantity(result.value, result.unit).to(unit).value)
    value, sd = float(certified.value.value), float(control.sd.to(unit).value)
    z = (found - value) / sd
    gate, rules = _westgard([*(run.z for run in series.runs), z])
    standard = float(certified.uncertainty.to(unit).value) / float(certified.coverage)
    measured = ControlMeasured(
        reference=reference.id,
        attribute=control.attribute,
        found=str(result),
        certified=certified.value,
        z=Decimal(f"{z:.3f}"),
        gate=gate,
        rules=rules,
        within_uncertainty=abs(found - value) <= 2 * math.hypot(sd, standard),
        by=by,
        instrument=request.instrument,
    )
    return [Entry(series.stream, measured)]


class ReferenceView:
    """One row per reference material; the facet is its status.

    Keys of a row: reference, name, lot, producer, certificate, properties, expires, status.
    """

    name = "references"
    version = 1
    families = frozenset({"reference"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.stream.family != "reference" or recorded.is_withheld:
            return
        id, body = recorded.stream.id, recorded.body
        row: dict[str, Any] = rows.get(id) or {}
        if recorded.kind == "reference-registered":
            row = {name: body.get(name) for name in _ROW} | {"reference": id, "status": "in-use"}
        elif recorded.kind == "reference-retired":
            row["status"] = "retired"
        else:
            return
        rows.put(id, row, facet=row["status"], order=row["name"])


_ROW = ("name", "lot", "producer", "certificate", "properties", "expires", "traceable_to",
        "bridged_from")  # fmt: skip
SENTENCES: Mapping[str, str] = {
    "reference-registered": "{by} took reference material {name}, lot {lot} of {producer}, into the"
    " inventory.",
    "reference-retired": "{by} took it out of use: {reason}",
    "control-measured": "{by} ran the control on {reference}: {found}, {gate}.",
}


def _westgard(z: list[float]) -> tuple[str, tuple[str, ...]]:
    """Give the gate and the rules met by the newest of a series of controls."""
    import numpy as np

    from .spc import levey_jennings

    last = levey_jennings(np.asarray(z[-30:]))[-1]
    return last.gate.value, last.rules


def _signed(request: RegisterReference, by: str) -> Signature:
    shown = {"reference": request.reference, "certificate": request.certificate}
    what = f"reference material {request.reference}"
    signature = request.signature
    if signature is None:
        raise SignatureWanted(
            what, person=by, meaning="registered", shown=shown, rule="21 CFR 11.50, 11.70"
        )
    if not signature.is_sound() or (signature.person, signature.meaning) != (by, "registered"):
        raise Refused(
            "signature-unsound",
            what=f"signature under {what}",
            found=f"{signature.meaning} by {signature.person}",
            limit=f"registered by {by}",
            remedy="sign anew",
            rule="21 CFR 11.50, 11.70",
        )
    return signature
