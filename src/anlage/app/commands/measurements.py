"""Commands of measurements: an analysed file is kept, then accepted as a result or rejected."""

from anlage.base import Refused
from anlage.lab import (
    AcceptMeasurement,
    Measurement,
    RejectMeasurement,
    TakeMeasurement,
    accept_measurement,
    reject_measurement,
    take_measurement,
)
from anlage.library import Method
from anlage.plant import EnterResult, SampleMeasured, SampleStatus, enter_result
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .making import definition_of, lot_of, sample_of, who
from .samples import in_force, judge_of

ANALYST = "qc-analyst"
COMPUTED = frozenset({"analysis", "job"})


@command("take-measurement")
def _take(desk: Desk, request: TakeMeasurement) -> list[Entry]:
    person = who(desk)
    person.must_be_qualified(ANALYST, desk.at)
    if desk.actor.via not in COMPUTED:
        raise Refused(
            "measurement-not-computed",
            what=f"measurement of {request.raw_name[:80]}",
            found=f"values sent through {desk.actor.via}",
            limit="values that the analysis gave here",
            remedy="upload the file on the sample's page, or enter the result by hand",
            rule="21 CFR 211.68",
        )
    sample = sample_of(desk, request.sample)
    if sample.status is not SampleStatus.RECEIVED:
        raise Refused(
            "sample-not-at-hand",
            what=f"sample {request.sample[:60]}",
            found=str(sample.status),
            limit=str(SampleStatus.RECEIVED),
            remedy="receive the sample first",
        )
    version = definition_of(desk, "method", request.method).must_have_effective(desk.at)
    if request.method_digest != version.digest:
        raise _superseded(f"method {request.method}", "another version", version.number)
    assay = _assay_of(desk, Method.read(version.content).assay, request.assay_digest)
    number = desk.next_number("measurement", "MSR-{yy}-{n:05d}", f"{sample.id} {request.method}")
    measurement = desk.read(Measurement, Stream(f"measurement/{number}"))
    taken = take_measurement(
        measurement,
        request,
        lot=sample.lot,
        version=version.number,
        analyst=person.id,
        assay=assay,
    )
    mark = SampleMeasured(measurement=number, method=request.method, raw_name=request.raw_name)
    return [*taken, Entry(sample.stream, mark)]


@command("accept-measurement")
def _accept(desk: Desk, request: AcceptMeasurement) -> list[Entry]:
    person = who(desk)
    measurement = desk.read(Measurement, Stream(f"measurement/{request.measurement}"))
    noted = accept_measurement(measurement, request, by=person.id)
    said, value = measurement.fact, measurement.value_of(request.attribute)
    if said is None or value is None:
        raise AssertionError("an accepted measurement has its value")
    sample = sample_of(desk, said.sample)
    lot = lot_of(desk, sample.lot or "none")
    asked = EnterResult(
        sample=sample.id,
        attribute=request.attribute,
        reported=value.text,
        method=said.method,
        raw_file=said.raw_file,
        raw_name=said.raw_name,
        signature=request.signature,
    )
    if sample.status is SampleStatus.RECEIVED and request.attribute in sample.tests:
        asked = in_force(desk, lot, asked)
        _must_be_measured_by(asked, said.method_version)
    entered = enter_result(
        sample, lot, asked, analyst=person, judge=judge_of(desk, lot), at=desk.at
    )
    return [*entered, *noted]


@command("reject-measurement")
def _reject(desk: Desk, request: RejectMeasurement) -> list[Entry]:
    person = who(desk)
    person.must_be_qualified(ANALYST, desk.at)
    measurement = desk.read(Measurement, Stream(f"measurement/{request.measurement}"))
    return reject_measurement(measurement, request, by=person.id)


def _must_be_measured_by(asked: EnterResult, version: int) -> None:
    """See that the file was analysed by the version of the method that is in force."""
    if asked.method_version != str(version):
        raise _superseded(f"method {asked.method}", f"version {version}", asked.method_version)


def _assay_of(desk: Desk, name: str, seal: str) -> tuple[str, int]:
    """Give the assay in force and its version, if the analysis followed just that."""
    if not name:
        return "", 0
    version = definition_of(desk, "assay", name).must_have_effective(desk.at)
    if version.digest != seal:
        raise _superseded(f"assay {name}", "another version", version.number)
    return name, version.number


def _superseded(what: str, found: str, number: object) -> Refused:
    return Refused(
        "definition-not-effective",
        what=f"{what} of this measurement",
        found=f"{found}, superseded",
        limit=f"version {number}, effective",
        remedy="analyse the file again by the method in force",
        rule="EU GMP Part IV 6.10; 21 CFR 211.160",
    )
