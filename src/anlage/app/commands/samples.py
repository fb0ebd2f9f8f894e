"""Commands of samples and results."""

import re
from dataclasses import replace

from anlage.base import Quantity, Refused
from anlage.lab import ControlSeries
from anlage.library import Method, method_in_force
from anlage.plant import (
    ApproveResult,
    EndSample,
    EnterResult,
    InvalidateResult,
    Judges,
    Lot,
    ReceiveSample,
    ResultEntered,
    SampleStatus,
    StoreSample,
    approve_result,
    end_sample,
    enter_result,
    invalidate_result,
    receive_sample,
    store_sample,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .making import (
    LotJudge,
    container_of,
    definition_of,
    deviation_of,
    lot_of,
    sample_of,
    who,
)


@command("receive-sample")
def _receive(desk: Desk, request: ReceiveSample) -> list[Entry]:
    sample, tube = sample_of(desk, request.sample), container_of(desk, request.sample)
    return receive_sample(sample, request, person=who(desk), at=desk.at, tube=tube)


@command("store-sample")
def _store(desk: Desk, request: StoreSample) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot, tube = lot_of(desk, sample.lot or "none"), container_of(desk, request.sample)
    return store_sample(sample, lot, request, person=who(desk), tube=tube)


@command("end-sample")
def _end(desk: Desk, request: EndSample) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot, tube = lot_of(desk, sample.lot or "none"), container_of(desk, request.sample)
    return end_sample(sample, lot, request, person=who(desk), tube=tube)


@command("enter-result")
def _enter(desk: Desk, request: EnterResult) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot = lot_of(desk, sample.lot or "none")
    if sample.status is SampleStatus.RECEIVED and request.attribute in sample.tests:
        request = in_force(desk, lot, request)
    return enter_result(
        sample, lot, request, analyst=who(desk), judge=judge_of(desk, lot), at=desk.at
    )


def in_force(desk: Desk, lot: Lot, request: EnterResult) -> EnterResult:
    """Give the request with the version of the method in force, which may give this result.

    Raises:
        Refused: `method-not-qualified`, `definition-not-effective`, `raw-file-missing`,
            `control-missing`, `control-rejected`, or the attribute is not in the lot's
            specification.
    """
    stage = LotJudge(desk, lot).criterion(request.attribute).stage
    definition = definition_of(desk, "method", request.method)
    method, version = method_in_force(
        definition, attribute=request.attribute, stage=stage, at=desk.at
    )
    _must_have_file(method, request)
    if method.control is not None:
        series = desk.read(ControlSeries, Stream(f"control/{method.heading.id}"))
        series.must_be_good(method.control, desk.at)
    return replace(request, method=method.heading.id, method_version=str(version.number))


def judge_of(desk: Desk, lot: Lot) -> Judges:
    """Give who judges results by the lot's specification."""

    def judge(
        attribute: str, reported: str, detection: Quantity | None, quantitation: Quantity | None
    ) -> tuple[str, str, tuple[str, ...]]:
        # The specification is read only when the sample stands to be judged.
        return LotJudge(desk, lot)(attribute, reported, detection, quantitation)

    return judge


def _must_have_file(method: Method, request: EnterResult) -> None:
    if method.needs_file and request.raw_file is None:
        raise Refused(
            "raw-file-missing",
            what=f"{request.attribute[:60]} by method {method.heading.id}",
            found="no file of the instrument",
            limit="the instrument's file",
            remedy="upload it on the sample's page and accept the measurement",
            rule="21 CFR 211.194(a)(4)",
        )


@command("approve-result")
def _approve(desk: Desk, request: ApproveResult) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot = lot_of(desk, sample.lot or "none")
    known = sample.results.get(request.attribute)
    if known is not None and request.reading is None and _is_read_twice(desk, known.fact):
        raise Refused(
            "second-reading-missing",
            what=f"approval of {known.fact.attribute} of sample {sample.id}",
            found="no second reading",
            limit=f"the value as the second person reads it in the source; {known.fact.method} was"
            " entered by hand",
            remedy="read the source and type the value",
            rule="EU GMP Annex 11 clause 6",
        )
    return approve_result(sample, lot, request, person=who(desk), at=desk.at)


def _is_read_twice(desk: Desk, said: ResultEntered) -> bool:
    """Tell whether the result's method asks the second person to read the source again."""
    definition = definition_of(desk, "method", said.method) if is_name(said.method) else None
    number = int(said.method_version) if said.method_version.isdecimal() else 0
    if definition is None or not 1 <= number <= len(definition.versions):
        return False
    method = Method.read(definition.version(number).content)
    return method.second_reading and said.raw_file is None


def is_name(method: str) -> bool:
    """Tell whether a result's method names a definition: older results carry words."""
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", method) is not None


@command("invalidate-result")
def _invalidate(desk: Desk, request: InvalidateResult) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot = lot_of(desk, sample.lot or "none")
    deviation = deviation_of(desk, request.deviation)
    return invalidate_result(sample, lot, deviation, request, person=who(desk), at=desk.at)
