"""A measurement: an instrument's file analysed by a method in force, then accepted or rejected.

Every analysis of a file is kept, also the one that was refused or rejected, so that nobody tests
until a result pleases. A result for the lot comes of a measurement that a person accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from anlage.base import Refused, clean_line, parse_canonical
from anlage.record import Entry, Recorded, Rows, Signature, SignatureWanted, Stream, fact

RULE = "21 CFR 211.194(a): complete data from all tests"


class MeasurementStatus(StrEnum):
    """Where a measurement stands."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value that an analysis gave.

    Attributes:
        name: What it is ("T cells").
        text: As it is reported ("97.8 %"); empty where there is none.
        low: Lower end of its 95 % interval, in the same unit; empty for none.
        high: Upper end.
        attribute: The attribute of specifications that it serves; empty for none.
    """

    name: str
    text: str
    low: str = ""
    high: str = ""
    attribute: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureKept:
    """A figure of an analysis: its name, where its bytes lie, and what they are."""

    title: str
    digest: str
    media_type: str


@fact("measurement-taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementTaken:
    """A file was analysed.

    Attributes:
        sample: The sample it was measured on.
        lot: The sample's lot.
        method: The method in force.
        method_version: Its version.
        analysis: Name of the analysis that read the file.
        analysis_version: Version of its card.
        raw_file: Digest of the file.
        raw_name: Its name.
        values: What was found.
        flags: What a reader of the numbers should know.
        warnings: Purposes that the method is used beyond.
        refusal: Why the analysis would not judge the file; empty when it did.
        figures: Overlay, gates, curves.
        details: Digest of everything the analysis said, as JSON.
        analyst: Who had it analysed.
        assay: The assay definition that a plate was evaluated by; empty for none.
        assay_version: Its version.
    """

    sample: str
    lot: str
    method: str
    method_version: int
    analysis: str
    analysis_version: str
    raw_file: str
    raw_name: str
    analyst: str
    values: tuple[Value, ...] = ()
    flags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    figures: tuple[FigureKept, ...] = ()
    details: str | None = None
    assay: str = ""
    assay_version: int = 0


@fact("measurement-accepted")
@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementAccepted:
    """A value of the measurement was reported as the sample's result."""

    attribute: str
    reported: str
    by: str


@fact("measurement-rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRejected:
    """The measurement does not count, and why."""

    reason: str
    by: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeMeasurement:
    """Keep what an analysis of a file gave; only the analysis itself may ask for it.

    Attributes:
        sample: The sample.
        method: The method in force.
        method_digest: Digest of the content that the analysis followed.
        raw_file: Digest of the file.
        raw_name: Its name.
        analysis: Name of the analysis.
        analysis_version: Its version.
        values: What was found.
        flags: What a reader should know.
        warnings: Purposes it is used beyond.
        refusal: Why it would not judge.
        figures: Its figures.
        details: Digest of the whole answer.
        assay_digest: Digest of the assay's content that the analysis followed; empty for none.
    """

    sample: str
    method: str
    method_digest: str
    raw_file: str
    raw_name: str
    analysis: str
    analysis_version: str
    values: tuple[Value, ...] = ()
    flags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    figures: tuple[FigureKept, ...] = ()
    details: str | None = None
    assay_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptMeasurement:
    """Report a value of a measurement as the sample's result.

    Attributes:
        measurement: The measurement.
        attribute: The attribute to report.
        signature: The analyst's.
    """

    measurement: str
    attribute: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectMeasurement:
    """Set a measurement aside, with the reason.

    Attributes:
        measurement: The measurement.
        reason: Why it does not count ("air bubble in the flow cell").
        signature: The analyst's.
    """

    measurement: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measurement, folded from its facts."""

    id: str
    fact: MeasurementTaken | None = None
    status: MeasurementStatus = MeasurementStatus.UNKNOWN
    accepted: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a measurement without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"measurement/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the measurement after one more fact."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case MeasurementTaken() as said:
                is_refused = bool(said.refusal)
                status = MeasurementStatus.REFUSED if is_refused else MeasurementStatus.WAITING
                return replace(self, fact=said, status=status)
            case MeasurementAccepted(attribute=attribute, reported=reported):
                accepted = {**self.accepted, attribute: reported}
                return replace(self, status=MeasurementStatus.ACCEPTED, accepted=accepted)
            case MeasurementRejected(reason=reason):
                return replace(self, status=MeasurementStatus.REJECTED, reason=reason)
            case _:
                return self

    def value_of(self, attribute: str) -> Value | None:
        """Give the value that serves an attribute; None when there is none."""
        values = self.fact.values if self.fact else ()
        return next((one for one in values if one.attribute == attribute and one.text), None)


def take_measurement(
    measurement: Measurement,
    request: TakeMeasurement,
    *,
    lot: str,
    version: int,
    analyst: str,
    assay: tuple[str, int] = ("", 0),
) -> list[Entry]:
    """Keep what an analysis gave.

    Args:
        measurement: A new one.
        request: What the analysis gave.
        lot: The sample's lot.
        version: Version of the method in force.
        analyst: Who had it analysed.
        assay: The assay definition that a plate was evaluated by, and its version.
    """
    taken = MeasurementTaken(
        sample=request.sample,
        lot=lot,
        method=request.method,
        method_version=version,
        analysis=request.analysis,
        analysis_version=request.analysis_version,
        raw_file=request.raw_file,
        raw_name=request.raw_name,
        analyst=analyst,
        values=request.values,
        flags=request.flags,
        warnings=request.warnings,
        refusal=request.refusal,
        figures=request.figures,
        details=request.details,
        assay=assay[0],
        assay_version=assay[1],
    )
    return [Entry(measurement.stream, taken)]


def accept_measurement(
    measurement: Measurement, request: AcceptMeasurement, *, by: str
) -> list[Entry]:
    """Note that a value was reported as a result.

    Raises:
        Refused: `measurement-not-open`: there is none, it was refused, rejected or used for this;
            `measurement-without-value`.
    """
    _must_be_open(measurement, request.attribute)
    value = measurement.value_of(request.attribute)
    if value is None:
        served = [one.attribute for one in (measurement.fact.values if measurement.fact else ())]
        raise Refused(
            "measurement-without-value",
            what=f"{request.attribute[:60]} of measurement {measurement.id}",
            found="no value for it",
            limit=", ".join(one for one in served if one) or "none",
            remedy="choose an attribute that the analysis gave, or measure again",
        )
    accepted = MeasurementAccepted(attribute=request.attribute, reported=value.text, by=by)
    return [Entry(measurement.stream, accepted)]


def reject_measurement(
    measurement: Measurement, request: RejectMeasurement, *, by: str
) -> list[Entry]:
    """Set a measurement aside; what was reported from it stays and is invalidated elsewhere.

    Raises:
        Refused: `measurement-not-open`, or the reason is empty.
    """
    _must_be_open(measurement, "")
    if measurement.accepted:
        raise _not_open(measurement, "a result was reported from it")
    reason = clean_line(request.reason, "reason")
    signature = request.signature
    shown = {"measurement": measurement.id, "reason": reason}
    what = f"measurement {measurement.id}"
    if signature is None:
        raise SignatureWanted(
            what, person=by, meaning="rejected", shown=shown, rule="21 CFR 11.50, 11.70"
        )
    is_right = signature.is_sound() and (signature.person, signature.meaning) == (by, "rejected")
    seen = parse_canonical(signature.shown.encode()) if is_right else {}
    if any(seen.get(name) != value for name, value in shown.items()):
        raise Refused(
            "signature-unsound",
            what=f"signature under {what}",
            found=f"{signature.meaning} by {signature.person}",
            limit=f"rejected by {by}",
            remedy="look at the measurement again and sign anew",
            rule="21 CFR 11.50, 11.70",
        )
    rejected = MeasurementRejected(reason=reason, by=by, signature=signature)
    return [Entry(measurement.stream, rejected, why=reason)]


class MeasurementView:
    """One row per measurement; the facet is its sample.

    Keys of a row: measurement, sample, lot, method, version, analysis, raw_name, values, refusal,
    flags, warnings, status, analyst, at, accepted.
    """

    name = "measurements"
    version = 1
    families = frozenset({"measurement"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "measurement":
            return
        id, body = recorded.stream.id, recorded.body
        row: dict[str, Any] = rows.get(id) or {}
        match recorded.kind:
            case "measurement-taken":
                row = {name: body.get(name) for name in _ROW}
                row |= {
                    "measurement": id,
                    "version": body["method_version"],
                    "status": "refused" if body.get("refusal") else "waiting",
                    "at": recorded.happened_text,
                    "accepted": {},
                }
            case "measurement-accepted":
                accepted = {**row["accepted"], body["attribute"]: body["reported"]}
                row |= {"status": "accepted", "accepted": accepted}
            case "measurement-rejected":
                row |= {"status": "rejected", "reason": body["reason"]}
            case _:
                return
        rows.put(id, row, facet=row["sample"], order=row["at"])


class WaitingView:
    """One row per measurement that waits for its judgement.

    Keys of a row: measurement, sample, lot, method, raw_name, analyst, at.
    """

    name = "measurements-waiting"
    version = 1
    families = frozenset({"measurement"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "measurement":
            return
        id, body = recorded.stream.id, recorded.body
        if recorded.kind == "measurement-taken" and not body.get("refusal"):
            row = {name: body[name] for name in ("sample", "lot", "method", "raw_name", "analyst")}
            row |= {"measurement": id, "at": recorded.happened_text}
            rows.put(id, row, order=row["at"])
        elif recorded.kind in {"measurement-accepted", "measurement-rejected"}:
            rows.delete(id)


_ROW = (
    "sample", "lot", "method", "analysis", "raw_name", "values", "refusal", "flags", "warnings",
    "analyst",
)  # fmt: skip
SENTENCES: Mapping[str, str] = {
    "measurement-taken": "{analyst} had {raw_name} of sample {sample} analysed by {method}, version"
    " {method_version}.",
    "measurement-accepted": "{by} accepted {attribute}: {reported}.",
    "measurement-rejected": "{by} rejected the measurement: {reason}",
}


def _must_be_open(measurement: Measurement, attribute: str) -> None:
    is_closed = measurement.status not in {MeasurementStatus.WAITING, MeasurementStatus.ACCEPTED}
    if is_closed:
        raise _not_open(measurement, str(measurement.status))
    if attribute in measurement.accepted:
        raise _not_open(measurement, f"{attribute} was reported from it")


def _not_open(measurement: Measurement, found: str) -> Refused:
    return Refused(
        "measurement-not-open",
        what=f"measurement {measurement.id[:60]}",
        found=found,
        limit="a measurement that waits for its judgement",
        remedy="choose one from the sample's page",
        rule=RULE,
    )
