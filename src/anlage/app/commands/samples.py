"""Commands of samples and results."""

from anlage.plant import (
    ApproveResult,
    EndSample,
    EnterResult,
    InvalidateResult,
    ReceiveSample,
    StoreSample,
    approve_result,
    end_sample,
    enter_result,
    invalidate_result,
    receive_sample,
    store_sample,
)
from anlage.record import Entry

from ..engine import Desk, command
from .making import LotJudge, container_of, deviation_of, lot_of, sample_of, who


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

    def judge(
        attribute: str, reported: str, detection: object, quantitation: object
    ) -> tuple[str, str, tuple[str, ...]]:
        # The specification is read only when the sample stands to be judged.
        return LotJudge(desk, lot)(attribute, reported, detection, quantitation)

    return enter_result(sample, lot, request, analyst=who(desk), judge=judge, at=desk.at)


@command("approve-result")
def _approve(desk: Desk, request: ApproveResult) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot = lot_of(desk, sample.lot or "none")
    return approve_result(sample, lot, request, person=who(desk), at=desk.at)


@command("invalidate-result")
def _invalidate(desk: Desk, request: InvalidateResult) -> list[Entry]:
    sample = sample_of(desk, request.sample)
    lot = lot_of(desk, sample.lot or "none")
    deviation = deviation_of(desk, request.deviation)
    return invalidate_result(sample, lot, deviation, request, person=who(desk), at=desk.at)
