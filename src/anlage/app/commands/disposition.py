"""Commands of review and disposition."""

from anlage.library import let_go
from anlage.plant import (
    AllocateDose,
    AssessExceptionalRelease,
    FillDoses,
    HoldLot,
    Lot,
    RecallLot,
    RejectDose,
    RejectLot,
    ReleaseLot,
    RequestExceptionalRelease,
    ResumeLot,
    ReviewAuditTrail,
    ReviewBatch,
    TerminateLot,
    allocate_dose,
    assess_exceptional_release,
    fill_doses,
    fill_wanted,
    hold_lot,
    recall_lot,
    reject_dose,
    reject_lot,
    release_lot,
    request_exceptional_release,
    resume_lot,
    review_audit_trail,
    review_batch,
    terminate_lot,
)
from anlage.record import Entry

from ..engine import Desk, command
from .making import container_of, containers_of, definition_of, journey_of, lot_of, who


@command("fill-doses")
def _fill(desk: Desk, request: FillDoses) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    containers = containers_of(desk, fill_wanted(lot, request))
    return fill_doses(lot, request, person=who(desk), at=desk.at, containers=containers)


@command("allocate-dose")
def _allocate(desk: Desk, request: AllocateDose) -> list[Entry]:
    lot, journey = lot_of(desk, request.lot), journey_of(desk, request.coi)
    container = container_of(desk, request.container)
    return allocate_dose(lot, journey, request, person=who(desk), at=desk.at, container=container)


@command("reject-dose")
def _reject_dose(desk: Desk, request: RejectDose) -> list[Entry]:
    return reject_dose(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("hold-lot")
def _hold(desk: Desk, request: HoldLot) -> list[Entry]:
    return hold_lot(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("resume-lot")
def _resume(desk: Desk, request: ResumeLot) -> list[Entry]:
    return resume_lot(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("review-batch")
def _review(desk: Desk, request: ReviewBatch) -> list[Entry]:
    return review_batch(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("review-audit-trail")
def _review_trail(desk: Desk, request: ReviewAuditTrail) -> list[Entry]:
    return review_audit_trail(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("release-lot")
def _release(desk: Desk, request: ReleaseLot) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    journey = journey_of(desk, lot.coi) if lot.coi else None
    entries = release_lot(lot, request, journey=journey, person=who(desk), at=desk.at)
    return entries + _let_go(desk, lot)


@command("request-exceptional-release")
def _request(desk: Desk, request: RequestExceptionalRelease) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    journey = journey_of(desk, lot.coi or "none")
    return request_exceptional_release(
        lot, request, physician=who(desk), journey=journey, at=desk.at
    )


@command("assess-exceptional-release")
def _assess(desk: Desk, request: AssessExceptionalRelease) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    return assess_exceptional_release(lot, request, person=who(desk), at=desk.at)


@command("reject-lot")
def _reject(desk: Desk, request: RejectLot) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    entries = reject_lot(lot, request, person=who(desk), at=desk.at)
    return entries + _let_go(desk, lot)


@command("terminate-lot")
def _terminate(desk: Desk, request: TerminateLot) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    entries = terminate_lot(lot, request, person=who(desk), at=desk.at)
    return entries + _let_go(desk, lot)


@command("recall-lot")
def _recall(desk: Desk, request: RecallLot) -> list[Entry]:
    return recall_lot(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


def _let_go(desk: Desk, lot: Lot) -> list[Entry]:
    """Say on the recipe that a lot is in progress no longer."""
    return let_go(definition_of(desk, "recipe", lot.recipe_id), lot=lot.id)
