"""Before anything is collected: prescription, checks, consent, slot, collection order; and an end
to it.
"""

from decimal import Decimal

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.record import Entry

from .journey import COORDINATOR, PHYSICIAN, Journey, JourneyStage, must_have_consent, unusable
from .journey_fact import (
    CollectionOrdered,
    ConsentGiven,
    ConsentWithdrawn,
    JourneyCancelled,
    PatientChecked,
    ProductOrdered,
    SlotBooked,
)
from .journey_request import (
    BookSlot,
    CancelJourney,
    CheckPatient,
    GiveConsent,
    OrderCollection,
    OrderProduct,
    WithdrawConsent,
)
from .signing import Qualified, must_sign

CHECKS = ("identity", "eligibility", "infectious-markers")


def order_product(
    journey: Journey, request: OrderProduct, *, physician: Qualified, at: Instant
) -> list[Entry]:
    """Prescribe a product; the journey's id, minted before, is the chain-of-identity id.

    Raises:
        Refused: The id is used, the physician may not prescribe, or a value cannot be read.
    """
    if journey.stage is not JourneyStage.UNKNOWN:
        journey.must_be_at(JourneyStage.UNKNOWN, "an order")
    physician.must_be_qualified(PHYSICIAN, at)
    signature = must_sign(
        request.signature,
        person=physician,
        meaning="prescribed",
        what=f"prescription of {request.product}",
        shown={"product": request.product, "subject": request.subject},
    )
    if request.scheme not in {"autologous", "allogeneic"}:
        raise unusable("scheme", request.scheme, "autologous or allogeneic")
    weight = Quantity.parse(request.weight).to("kg") if request.weight else None
    if weight is not None and not Decimal("0.3") <= weight.value <= 400:
        raise unusable("weight", str(weight), "0.3 kg to 400 kg")
    ordered = ProductOrdered(
        product=clean_line(request.product, "product", limit=64),
        physician=physician.id,
        subject=clean_line(request.subject, "subject", limit=128),
        indication=clean_line(request.indication, "indication"),
        treatment_site=clean_line(request.treatment_site, "treatment site"),
        scheme=request.scheme,
        weight=weight,
        dose=Quantity.parse(request.dose) if request.dose else None,
        needed_by=None,
        signature=signature,
    )
    return [Entry(journey.stream, ordered)]


def check_patient(
    journey: Journey, request: CheckPatient, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report the checks of a patient.

    Raises:
        Refused: The journey is elsewhere, or a check is missing.
    """
    journey.must_be_at(JourneyStage.ORDERED, "checks")
    person.must_be_qualified(COORDINATOR, at)
    if missing := [name for name in CHECKS if name not in request.checks]:
        raise Refused(
            "consent-missing",
            what=f"checks of {journey.id}",
            found=f"no {', '.join(missing)}",
            limit=", ".join(CHECKS),
            remedy="do each check",
            rule="21 CFR 1271.45 to 1271.90",
        )
    checked = PatientChecked(
        checks={name: clean_line(given, name) for name, given in request.checks.items()},
        by=person.id,
        is_eligible=all(given == "pass" for given in request.checks.values()),
        note=request.note,
    )
    return [Entry(journey.stream, checked)]


def give_consent(
    journey: Journey, request: GiveConsent, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report the patient's consent.

    Raises:
        Refused: The patient was not checked.
    """
    journey.must_be_at(JourneyStage.CHECKED, "consent")
    person.must_be_qualified(COORDINATOR, at)
    given = ConsentGiven(
        form=clean_line(request.form, "form"),
        form_version=clean_line(request.form_version, "version of the form"),
        by=person.id,
        document=request.document,
    )
    return [Entry(journey.stream, given)]


def withdraw_consent(
    journey: Journey, request: WithdrawConsent, *, person: Qualified
) -> list[Entry]:
    """Report that the patient took the consent back; nothing more is then done to the patient.

    Raises:
        Refused: There is no consent to take back.
    """
    must_have_consent(journey)
    reason = clean_text(request.reason, "reason", limit=1000)
    return [Entry(journey.stream, ConsentWithdrawn(by=person.id, reason=reason), why=reason)]


def book_slot(
    journey: Journey, request: BookSlot, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Set a place in the making aside, or move it while nothing is collected.

    Raises:
        Refused: The journey is elsewhere, or the slot lies in the past.
    """
    stage = JourneyStage.CONSENTED
    journey.must_be_at(stage, "a slot", until=JourneyStage.COLLECTION_ORDERED)
    must_have_consent(journey)
    person.must_be_qualified(COORDINATOR, at)
    if request.begins < at:
        raise unusable("begin of the slot", request.begins.isoformat(), "a time to come")
    booked = SlotBooked(
        slot=clean_line(request.slot, "slot", limit=64),
        begins=request.begins,
        suite=clean_line(request.suite, "suite", limit=64),
        by=person.id,
    )
    return [Entry(journey.stream, booked)]


def order_collection(
    journey: Journey, request: OrderCollection, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Order the collection.

    Raises:
        Refused: There is no slot or no consent.
    """
    journey.must_be_at(JourneyStage.BOOKED, "a collection order")
    must_have_consent(journey)
    person.must_be_qualified(COORDINATOR, at)
    ordered = CollectionOrdered(
        site=clean_line(request.site, "site"),
        planned=request.planned,
        material=clean_line(request.material, "material"),
        by=person.id,
    )
    return [Entry(journey.stream, ordered)]


def cancel_journey(
    journey: Journey, request: CancelJourney, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Say that the treatment will not take place.

    Raises:
        Refused: The product was given, or the journey is closed.
    """
    first = JourneyStage.ORDERED
    journey.must_be_at(first, "a cancellation", until=JourneyStage.CONFIRMED)
    person.must_be_qualified(COORDINATOR, at)
    reason = clean_text(request.reason, "reason", limit=1000)
    return [Entry(journey.stream, JourneyCancelled(reason=reason, by=person.id), why=reason)]
