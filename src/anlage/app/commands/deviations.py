"""Commands of deviations."""

from anlage.plant import (
    CompleteAction,
    DispositionDeviation,
    InvestigateDeviation,
    OpenDeviation,
    RegradeDeviation,
    complete_action,
    disposition_deviation,
    investigate_deviation,
    open_deviation,
    regrade_deviation,
)
from anlage.record import Entry

from ..engine import Desk, command
from .making import deviation_of, lot_of, who


@command("open-deviation")
def _open(desk: Desk, request: OpenDeviation) -> list[Entry]:
    return open_deviation(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("regrade-deviation")
def _regrade(desk: Desk, request: RegradeDeviation) -> list[Entry]:
    deviation = deviation_of(desk, request.deviation)
    return regrade_deviation(deviation, request, person=who(desk), at=desk.at)


@command("investigate-deviation")
def _investigate(desk: Desk, request: InvestigateDeviation) -> list[Entry]:
    deviation = deviation_of(desk, request.deviation)
    return investigate_deviation(deviation, request, person=who(desk))


@command("disposition-deviation")
def _disposition(desk: Desk, request: DispositionDeviation) -> list[Entry]:
    deviation = deviation_of(desk, request.deviation)
    lot = lot_of(desk, deviation.lot or "none")
    return disposition_deviation(deviation, lot, request, person=who(desk), at=desk.at)


@command("complete-action")
def _action(desk: Desk, request: CompleteAction) -> list[Entry]:
    return complete_action(deviation_of(desk, request.deviation), request, person=who(desk))
