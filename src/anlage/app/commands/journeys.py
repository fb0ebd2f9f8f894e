"""Commands of a patient's journey."""

import re
from dataclasses import replace

from anlage.plant import (
    AcceptCollection,
    BookSlot,
    CancelJourney,
    CheckPatient,
    ClearLymphodepletion,
    ConfirmBedside,
    DestroyRemainder,
    FailCollection,
    GiveConsent,
    OrderCollection,
    OrderProduct,
    ReadPatientScan,
    ReceiveDose,
    RecordCollection,
    RecordFollowUp,
    RecordInfusion,
    ReturnRemainder,
    ThawDose,
    WithdrawConsent,
    accept_collection,
    book_slot,
    cancel_journey,
    check_patient,
    clear_lymphodepletion,
    confirm_bedside,
    destroy_remainder,
    fail_collection,
    give_consent,
    order_collection,
    order_product,
    read_patient_scan,
    receive_dose,
    record_collection,
    record_follow_up,
    record_infusion,
    return_remainder,
    thaw_dose,
    withdraw_consent,
)
from anlage.record import Entry

from ..engine import Desk, command
from ..staff import person_of
from .collection_counts import counts_judged
from .infusion import collection_of, must_stand, order_of
from .making import container_of, definition_of, journey_of, person, signer, who

# The shape of an ISBT 128 chain-of-identity id; A9999 is a facility number for examples. A site
# that is registered gives ids of its own with the order.
COI_PATTERN = "CHA9999{yy}{n:06d}"
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


@command("order-product")
def _order(desk: Desk, request: OrderProduct) -> list[Entry]:
    definition_of(desk, "product", request.product).must_have_effective(desk.at)
    coi = request.coi or desk.next_number("coi", COI_PATTERN, f"order of {request.product}")
    journey = journey_of(desk, coi)
    return order_product(journey, replace(request, coi=coi), physician=who(desk), at=desk.at)


@command("check-patient")
def _check(desk: Desk, request: CheckPatient) -> list[Entry]:
    return check_patient(journey_of(desk, request.coi), request, person=who(desk), at=desk.at)


@command("give-consent")
def _consent(desk: Desk, request: GiveConsent) -> list[Entry]:
    return give_consent(journey_of(desk, request.coi), request, person=who(desk), at=desk.at)


@command("withdraw-consent")
def _withdraw(desk: Desk, request: WithdrawConsent) -> list[Entry]:
    return withdraw_consent(journey_of(desk, request.coi), request, person=who(desk))


@command("book-slot")
def _slot(desk: Desk, request: BookSlot) -> list[Entry]:
    return book_slot(journey_of(desk, request.coi), request, person=who(desk), at=desk.at)


@command("order-collection")
def _order_collection(desk: Desk, request: OrderCollection) -> list[Entry]:
    return order_collection(journey_of(desk, request.coi), request, person=who(desk), at=desk.at)


@command("record-collection")
def _collect(desk: Desk, request: RecordCollection) -> list[Entry]:
    second = person(desk, request.second)
    journey = journey_of(desk, request.coi)
    bag = container_of(desk, request.container)
    return record_collection(
        journey,
        request,
        nurse=who(desk),
        second=second,
        at=desk.at,
        bag=bag,
        specification=collection_of(desk, journey.product),
    )


@command("fail-collection")
def _fail(desk: Desk, request: FailCollection) -> list[Entry]:
    return fail_collection(journey_of(desk, request.coi), request, person=who(desk), at=desk.at)


@command("accept-collection")
def _accept(desk: Desk, request: AcceptCollection) -> list[Entry]:
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    judged, specification = counts_judged(desk, journey.product, request.counts)
    return accept_collection(
        journey,
        request,
        person=who(desk),
        at=desk.at,
        bag=bag,
        judged=judged,
        specification=specification,
        quality=signer(desk, request.assessed, request.assessed_by or None),
    )


@command("receive-dose")
def _receive(desk: Desk, request: ReceiveDose) -> list[Entry]:
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    must_stand(desk, journey)
    return receive_dose(journey, request, person=who(desk), at=desk.at, bag=bag)


@command("thaw-dose")
def _thaw(desk: Desk, request: ThawDose) -> list[Entry]:
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    must_stand(desk, journey)
    return thaw_dose(journey, request, person=who(desk), at=desk.at, bag=bag)


@command("clear-lymphodepletion")
def _clear(desk: Desk, request: ClearLymphodepletion) -> list[Entry]:
    return clear_lymphodepletion(
        journey_of(desk, request.coi),
        request,
        physician=who(desk),
        second=signer(desk, request.second, request.second_by),
        at=desk.at,
    )


@command("confirm-bedside")
def _bedside(desk: Desk, request: ConfirmBedside) -> list[Entry]:
    second = person(desk, request.second)
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    must_stand(desk, journey)
    return confirm_bedside(
        journey,
        request,
        nurse=who(desk),
        second=second,
        at=desk.at,
        bag=bag,
        order=order_of(desk, journey, request.container),
    )


@command("read-patient-scan")
def _read_scan(desk: Desk, request: ReadPatientScan) -> list[Entry]:
    def is_person(text: str) -> bool:
        return bool(_PERSON.fullmatch(text)) and person_of(desk, text).is_active

    journey = journey_of(desk, request.coi)
    return read_patient_scan(journey, request, person=who(desk), is_person=is_person)


@command("record-infusion")
def _infuse(desk: Desk, request: RecordInfusion) -> list[Entry]:
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    return record_infusion(journey, request, person=who(desk), at=desk.at, bag=bag)


@command("return-remainder")
def _return(desk: Desk, request: ReturnRemainder) -> list[Entry]:
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    return return_remainder(journey, request, person=who(desk), at=desk.at, bag=bag)


@command("destroy-remainder")
def _destroy(desk: Desk, request: DestroyRemainder) -> list[Entry]:
    second = person(desk, request.second)
    journey, bag = journey_of(desk, request.coi), container_of(desk, request.container)
    return destroy_remainder(journey, request, person=who(desk), second=second, bag=bag)


@command("record-follow-up")
def _follow_up(desk: Desk, request: RecordFollowUp) -> list[Entry]:
    return record_follow_up(journey_of(desk, request.coi), request, person=who(desk))


@command("cancel-journey")
def _cancel(desk: Desk, request: CancelJourney) -> list[Entry]:
    return cancel_journey(journey_of(desk, request.coi), request, person=who(desk), at=desk.at)
