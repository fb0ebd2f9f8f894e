"""One patient's journey: from prescription to infusion and follow-up, under a pseudonym.

The chain-of-identity id is minted at the order, before anything else, and names the stream. Who
the patient is stands in the vault; here is only a digest, salted there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Quantity, Refused, clean_line, clean_text
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .errors import IDENTITY, distinct
from .identity import identity_of
from .signing import Qualified, must_sign

PHYSICIAN = "physician"
COORDINATOR = "coordinator"
NURSE = "collection-nurse"
WARD = "ward-nurse"
STORE = "store-keeper"
CHECKS = ("identity", "eligibility", "infectious-markers")
# Long-term follow-up of gene-modified cells lasts fifteen years: five yearly visits, then every
# year by contact (FDA, Long Term Follow-Up After Administration of Human Gene Therapy, 2020).
FOLLOW_UP = (28, 90, 180, 365, *(365 * year for year in range(2, 16)))


class JourneyStage(StrEnum):
    """How far a journey has come; each stage stands on the one before."""

    UNKNOWN = "unknown"
    ORDERED = "ordered"
    CHECKED = "checked"
    CONSENTED = "consented"
    BOOKED = "booked"
    COLLECTION_ORDERED = "collection-ordered"
    COLLECTED = "collected"
    ACCEPTED = "accepted"
    MAKING = "making"
    DOSE_RELEASED = "dose-released"
    ON_SITE = "on-site"
    CLEARED = "cleared-for-lymphodepletion"
    CONFIRMED = "confirmed-at-bedside"
    INFUSED = "infused"
    CLOSED = "closed"
    CANCELLED = "cancelled"


ORDER = tuple(JourneyStage)


@fact("product-ordered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrdered:
    """A physician prescribed a product for a patient; the chain-of-identity id was minted.

    Attributes:
        subject: Salted digest of the patient's identifiers, which the vault keeps.
        scheme: "autologous", or "allogeneic" for a dose from a donor's lot.
    """

    product: str
    physician: str
    subject: str
    indication: str
    treatment_site: str
    scheme: str = "autologous"
    weight: Quantity | None = None
    dose: Quantity | None = None
    needed_by: date | None = None
    signature: Signature | None = None


@fact("patient-checked")
@dataclass(frozen=True, slots=True, kw_only=True)
class PatientChecked:
    """Identity, eligibility and infectious markers of the patient were checked."""

    checks: Mapping[str, str]
    by: str
    is_eligible: bool
    note: str = ""


@fact("consent-given")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """The patient consented, on a version of the form."""

    form: str
    form_version: str
    by: str
    document: str | None = None


@fact("consent-withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn:
    """The patient took the consent back."""

    by: str
    reason: str


@fact("slot-booked")
@dataclass(frozen=True, slots=True, kw_only=True)
class SlotBooked:
    """A place in the making was set aside."""

    slot: str
    begins: Instant
    suite: str
    by: str


@fact("collection-ordered")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionOrdered:
    """The collection was ordered at a site."""

    site: str
    planned: Instant
    material: str
    by: str


@fact("collection-performed")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPerformed:
    """Cells were collected under a donation number."""

    donation: str
    container: str
    volume: Quantity
    nurse: str
    second: str
    signature: Signature
    verified: Signature


@fact("collection-failed")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFailed:
    """A collection did not give what is needed; another may be ordered."""

    reason: str
    by: str


@fact("collection-accepted")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionAccepted:
    """The collection arrived and was accepted for making."""

    container: str
    checks: Mapping[str, str]
    temperature_ok: bool
    by: str


@fact("collection-rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRejected:
    """The collection arrived and cannot be used; another may be ordered."""

    container: str
    reason: str
    by: str


@fact("lot-assigned")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotAssigned:
    """A lot is made for this patient, or a dose of a lot was set aside."""

    lot: str
    product: str
    container: str | None = None


@fact("dose-released")
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseReleased:
    """The QP certified the lot that holds this patient's dose."""

    lot: str
    is_exceptional: bool


@fact("dose-on-site")
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseOnSite:
    """The dose is at the treating site, whole, and its identity was checked."""

    container: str
    scan: str
    integrity: str
    by: str
    shipment: str | None = None


@fact("lymphodepletion-cleared")
@dataclass(frozen=True, slots=True, kw_only=True)
class LymphodepletionCleared:
    """The patient may be prepared: the dose is released and on site, or a written exception."""

    basis: str
    by: str
    signature: Signature
    exception: str | None = None
    second: Signature | None = None


@fact("bedside-confirmed")
@dataclass(frozen=True, slots=True, kw_only=True)
class BedsideConfirmed:
    """Two persons read patient band and bag beside the bed, and they are the same."""

    container: str
    band_scan: str
    bag_scan: str
    nurse: str
    second: str
    signature: Signature
    verified: Signature
    dose: Quantity | None = None
    thawed: Instant | None = None


@fact("infusion-performed")
@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionPerformed:
    """The dose was given."""

    container: str
    began: Instant
    ended: Instant
    volume: Quantity
    is_whole: bool
    reactions: str
    by: str
    signature: Signature


@fact("remainder-returned")
@dataclass(frozen=True, slots=True, kw_only=True)
class RemainderReturned:
    """What was left was sent back."""

    container: str
    to: str
    by: str


@fact("remainder-destroyed")
@dataclass(frozen=True, slots=True, kw_only=True)
class RemainderDestroyed:
    """What was left, or never given, was destroyed before a witness."""

    container: str
    method: str
    by: str
    second: str


@fact("follow-up-planned")
@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpPlanned:
    """The days on which the patient is looked at again."""

    due: tuple[str, ...]


@fact("follow-up-done")
@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpDone:
    """The patient was looked at; what was found stands in the outcome record."""

    due: str
    by: str
    summary: str


@fact("journey-cancelled")
@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCancelled:
    """The treatment will not take place."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProduct:
    """Prescribe a product for a patient."""

    product: str
    subject: str
    indication: str
    treatment_site: str
    coi: str = ""
    scheme: str = "autologous"
    weight: str | None = None
    dose: str | None = None
    needed_by: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPatient:
    """Report the checks of a patient; each is "pass" or says what is wrong."""

    coi: str
    checks: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """Report the patient's consent."""

    coi: str
    form: str
    form_version: str
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsent:
    """Report that the patient took the consent back."""

    coi: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSlot:
    """Set a place in the making aside."""

    coi: str
    slot: str
    begins: Instant
    suite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCollection:
    """Order the collection."""

    coi: str
    site: str
    planned: Instant
    material: str = "leukapheresis"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCollection:
    """Report a collection, with both persons who labelled it."""

    coi: str
    donation: str
    container: str
    volume: str
    scan: str
    second: str
    signature: Signature | None = None
    verified: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailCollection:
    """Report that a collection did not give what is needed."""

    coi: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptCollection:
    """Accept the collection for making, or reject it with a reason."""

    coi: str
    container: str
    scan: str
    checks: Mapping[str, str] = field(default_factory=dict)
    temperature_ok: bool = True
    reject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveDose:
    """Report that the dose is at the treating site."""

    coi: str
    container: str
    scan: str
    integrity: str = "intact"
    shipment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearLymphodepletion:
    """Let the patient be prepared."""

    coi: str
    exception: str | None = None
    signature: Signature | None = None
    second: Signature | None = None
    second_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmBedside:
    """Compare patient band and bag beside the bed."""

    coi: str
    container: str
    band_scan: str
    bag_scan: str
    second: str
    dose: str | None = None
    thawed: Instant | None = None
    signature: Signature | None = None
    verified: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInfusion:
    """Report the infusion."""

    coi: str
    container: str
    began: Instant
    ended: Instant
    volume: str
    is_whole: bool = True
    reactions: str = "none"
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRemainder:
    """Send back what is left."""

    coi: str
    container: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyRemainder:
    """Destroy what is left, before a witness."""

    coi: str
    container: str
    method: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFollowUp:
    """Report a follow-up visit."""

    coi: str
    due: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJourney:
    """Say that the treatment will not take place."""

    coi: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One patient's journey, folded from its facts; the id is the chain-of-identity id."""

    id: str
    stage: JourneyStage = JourneyStage.UNKNOWN
    product: str = ""
    scheme: str = "autologous"
    physician: str = ""
    treatment_site: str = ""
    weight: Quantity | None = None
    dose: Quantity | None = None
    is_checked: bool = False
    has_consent: bool = False
    slot: str | None = None
    begins: Instant | None = None
    donation: str | None = None
    container: str | None = None
    lot: str | None = None
    is_released: bool = False
    is_exceptional: bool = False
    dose_container: str | None = None
    on_site: bool = False
    confirmed: str | None = None
    infused: Instant | None = None
    due: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    remainders: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a journey without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return Stream(f"journey/{self.id}")

    def must_be_at(
        self, stage: JourneyStage, what: str, *, until: JourneyStage | None = None
    ) -> None:
        """See that the journey has come to a stage and not past it (or past `until`).

        Raises:
            Refused: `journey-out-of-order`.
        """
        here, least = ORDER.index(self.stage), ORDER.index(stage)
        most = ORDER.index(until or stage)
        if not least <= here <= most:
            raise Refused(
                "journey-out-of-order",
                what=f"{what} for {self.id}",
                found=str(self.stage),
                limit=f"{stage}" if until is None else f"{stage} to {until}",
                remedy="do first what comes before; look at the patient's journey",
                rule="21 CFR 11.10(f)",
            )

    def must_be_same(self, scan: str, what: str) -> None:
        """See that a scan is this patient's identity. There is no override, ever.

        Raises:
            Refused: `identity-mismatch`.
        """
        if identity_of(scan) != self.id:
            raise Refused(
                "identity-mismatch",
                what=f"{what} for {self.id}",
                found=scan[:120],
                limit=self.id,
                remedy="stop; put it aside and call the supervisor",
                rule=IDENTITY,
            )

    def after(self, recorded: Recorded) -> Self:
        """Give the journey after one more fact."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case ProductOrdered() as said:
                return replace(
                    self,
                    stage=JourneyStage.ORDERED,
                    product=said.product,
                    scheme=said.scheme,
                    physician=said.physician,
                    treatment_site=said.treatment_site,
                    weight=said.weight,
                    dose=said.dose,
                )
            case PatientChecked(is_eligible=True):
                return replace(self, stage=JourneyStage.CHECKED, is_checked=True)
            case ConsentGiven():
                return replace(self, stage=JourneyStage.CONSENTED, has_consent=True)
            case ConsentWithdrawn():
                return replace(self, has_consent=False)
            case SlotBooked() as said:
                stage = max(self.stage, JourneyStage.BOOKED, key=ORDER.index)
                return replace(self, stage=stage, slot=said.slot, begins=said.begins)
            case CollectionOrdered():
                return replace(self, stage=JourneyStage.COLLECTION_ORDERED)
            case CollectionPerformed() as said:
                return replace(
                    self,
                    stage=JourneyStage.COLLECTED,
                    donation=said.donation,
                    container=said.container,
                )
            case CollectionFailed() | CollectionRejected():
                return replace(self, stage=JourneyStage.BOOKED)
            case CollectionAccepted():
                return replace(self, stage=JourneyStage.ACCEPTED)
            case _:
                return self._later(recorded)

    def _later(self, recorded: Recorded) -> Self:
        match recorded.fact:
            case LotAssigned() as said:
                container = said.container or self.dose_container
                stage = JourneyStage.MAKING
                return replace(self, stage=stage, lot=said.lot, dose_container=container)
            case DoseReleased() as said:
                stage = max(self.stage, JourneyStage.DOSE_RELEASED, key=ORDER.index)
                exceptional = said.is_exceptional
                return replace(self, stage=stage, is_released=True, is_exceptional=exceptional)
            case DoseOnSite() as said:
                stage = max(self.stage, JourneyStage.ON_SITE, key=ORDER.index)
                container = said.container
                return replace(self, stage=stage, on_site=True, dose_container=container)
            case LymphodepletionCleared():
                stage = max(self.stage, JourneyStage.CLEARED, key=ORDER.index)
                return replace(self, stage=stage)
            case BedsideConfirmed() as said:
                return replace(self, stage=JourneyStage.CONFIRMED, confirmed=said.container)
            case InfusionPerformed():
                return replace(self, stage=JourneyStage.INFUSED, infused=recorded.happened)
            case FollowUpPlanned(due=due):
                return replace(self, due=due)
            case FollowUpDone(due=due):
                done = self.done | {due}
                stage = JourneyStage.CLOSED if set(self.due) <= done else self.stage
                return replace(self, done=done, stage=stage)
            case RemainderReturned(container=one) | RemainderDestroyed(container=one):
                return replace(self, remainders=self.remainders | {one})
            case JourneyCancelled():
                return replace(self, stage=JourneyStage.CANCELLED)
            case _:
                return self


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
        person=physician.id,
        meaning="prescribed",
        what=f"prescription of {request.product}",
        shown={"product": request.product, "subject": request.subject},
    )
    if request.scheme not in {"autologous", "allogeneic"}:
        raise _unusable("scheme", request.scheme, "autologous or allogeneic")
    weight = Quantity.parse(request.weight).to("kg") if request.weight else None
    if weight is not None and not Decimal("0.3") <= weight.value <= 400:
        raise _unusable("weight", str(weight), "0.3 kg to 400 kg")
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
    _must_have_consent(journey)
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
    _must_have_consent(journey)
    person.must_be_qualified(COORDINATOR, at)
    if request.begins < at:
        raise _unusable("begin of the slot", request.begins.isoformat(), "a time to come")
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
    _must_have_consent(journey)
    person.must_be_qualified(COORDINATOR, at)
    ordered = CollectionOrdered(
        site=clean_line(request.site, "site"),
        planned=request.planned,
        material=clean_line(request.material, "material"),
        by=person.id,
    )
    return [Entry(journey.stream, ordered)]


def record_collection(
    journey: Journey,
    request: RecordCollection,
    *,
    nurse: Qualified,
    second: Qualified,
    at: Instant,
) -> list[Entry]:
    """Report a collection: the bag carries the chain of identity, two persons have seen it.

    Raises:
        Refused: `identity-mismatch`; not ordered; the two are one person; a signature is missing.
    """
    journey.must_be_at(JourneyStage.COLLECTION_ORDERED, "a collection")
    _must_have_consent(journey)
    journey.must_be_same(request.scan, "label on the collection bag")
    nurse.must_be_qualified(NURSE, at)
    what = f"collection for {journey.id}"
    if nurse.id == second.id:
        raise distinct(what, nurse.id, "who collected")
    shown = {"coi": journey.id, "donation": request.donation, "container": request.container}
    performed = CollectionPerformed(
        donation=clean_line(request.donation, "donation number", limit=32),
        container=clean_line(request.container, "container", limit=96),
        volume=Quantity.parse(request.volume),
        nurse=nurse.id,
        second=second.id,
        signature=must_sign(
            request.signature, person=nurse.id, meaning="collected", what=what, shown=shown
        ),
        verified=must_sign(
            request.verified, person=second.id, meaning="verified", what=what, shown=shown
        ),
    )
    return [Entry(journey.stream, performed)]


def fail_collection(journey: Journey, request: FailCollection, *, person: Qualified) -> list[Entry]:
    """Report that a collection did not give what is needed; another may be ordered.

    Raises:
        Refused: None was ordered.
    """
    stage = JourneyStage.COLLECTION_ORDERED
    journey.must_be_at(stage, "a failed collection", until=JourneyStage.COLLECTED)
    reason = clean_text(request.reason, "reason", limit=1000)
    return [Entry(journey.stream, CollectionFailed(reason=reason, by=person.id), why=reason)]


def accept_collection(
    journey: Journey, request: AcceptCollection, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Accept the collection that arrived, or reject it.

    Raises:
        Refused: `identity-mismatch`; nothing was collected; a check fails and no reason is given.
    """
    journey.must_be_at(JourneyStage.COLLECTED, "an acceptance")
    journey.must_be_same(request.scan, "label on the collection bag")
    if request.container != journey.container:
        raise Refused(
            "identity-mismatch",
            what=f"collection for {journey.id}",
            found=request.container[:96],
            limit=journey.container,
            remedy="stop; scan the bag that was collected",
            rule=IDENTITY,
        )
    person.must_be_qualified(STORE, at)
    if request.reject is not None:
        reason = clean_text(request.reject, "reason", limit=1000)
        rejected = CollectionRejected(container=request.container, reason=reason, by=person.id)
        return [Entry(journey.stream, rejected, why=reason)]
    failed = [name for name, given in request.checks.items() if given != "pass"]
    if failed or not request.temperature_ok:
        raise Refused(
            "journey-out-of-order",
            what=f"acceptance for {journey.id}",
            found=", ".join(failed) or "a temperature excursion",
            limit="every check passed",
            remedy="reject the collection with a reason, or have QA assess the excursion first",
            rule="21 CFR 1271.265",
        )
    accepted = CollectionAccepted(
        container=request.container,
        checks=dict(request.checks),
        temperature_ok=request.temperature_ok,
        by=person.id,
    )
    return [Entry(journey.stream, accepted)]


def receive_dose(
    journey: Journey, request: ReceiveDose, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report that the dose is at the treating site.

    Raises:
        Refused: `identity-mismatch`; it was not released; it is not intact.
    """
    stage = JourneyStage.DOSE_RELEASED
    journey.must_be_at(stage, "a dose on site", until=JourneyStage.CLEARED)
    journey.must_be_same(request.scan, "label on the dose")
    person.must_be_qualified(WARD, at)
    if request.integrity != "intact":
        raise Refused(
            "dose-unavailable",
            what=f"dose {request.container} for {journey.id}",
            found=request.integrity[:80],
            limit="intact",
            remedy="quarantine it and call the maker; report a deviation",
        )
    there = DoseOnSite(
        container=clean_line(request.container, "container", limit=96),
        scan=request.scan,
        integrity=request.integrity,
        by=person.id,
        shipment=request.shipment,
    )
    return [Entry(journey.stream, there)]


def clear_lymphodepletion(
    journey: Journey,
    request: ClearLymphodepletion,
    *,
    physician: Qualified,
    second: Qualified | None,
    at: Instant,
) -> list[Entry]:
    """Let the patient be prepared: the dose is released and on site, or a written exception.

    Raises:
        Refused: Neither holds, consent is missing, or a signature is.
    """
    _must_have_consent(journey)
    physician.must_be_qualified(PHYSICIAN, at)
    ready = journey.is_released and journey.on_site
    if not ready and not request.exception:
        raise Refused(
            "journey-out-of-order",
            what=f"lymphodepletion of {journey.id}",
            found=f"dose {'released' if journey.is_released else 'not released'}, "
            f"{'on site' if journey.on_site else 'not on site'}",
            limit="the dose released and on site, or a written exception",
            remedy="wait for the dose, or write the exception and have a second physician sign it",
            rule="go for lymphodepletion",
        )
    first = JourneyStage.MAKING if request.exception else JourneyStage.ON_SITE
    journey.must_be_at(first, "lymphodepletion", until=JourneyStage.ON_SITE)
    exception = clean_text(request.exception, "exception") if request.exception else None
    shown = {"coi": journey.id, "exception": exception}
    what = f"lymphodepletion of {journey.id}"
    if exception is not None and second is None:
        raise Refused(
            "signature-missing",
            what=what,
            found="no second person",
            limit="a second, distinct physician under a written exception",
            remedy="ask a second physician",
        )
    if second is not None and second.id == physician.id:
        raise distinct(what, second.id, "the physician")
    cleared = LymphodepletionCleared(
        basis="exception" if exception else "dose released and on site",
        by=physician.id,
        exception=exception,
        signature=must_sign(
            request.signature, person=physician.id, meaning="cleared", what=what, shown=shown
        ),
        second=None
        if exception is None or second is None
        else must_sign(request.second, person=second.id, meaning="cleared", what=what, shown=shown),
    )
    return [Entry(journey.stream, cleared, why=exception)]


def confirm_bedside(
    journey: Journey, request: ConfirmBedside, *, nurse: Qualified, second: Qualified, at: Instant
) -> list[Entry]:
    """Compare patient band and bag beside the bed, by two persons.

    Raises:
        Refused: `identity-mismatch` of band or bag; the dose is not released and on site; the
            patient was not cleared; the two are one person.
    """
    _must_have_consent(journey)
    journey.must_be_same(request.band_scan, "patient band")
    journey.must_be_same(request.bag_scan, "bag")
    if not (journey.is_released and journey.on_site):
        raise Refused(
            "dose-unavailable",
            what=f"dose for {journey.id}",
            found="not released" if not journey.is_released else "not on site",
            limit="released and on site",
            remedy="wait for the release",
            rule="EU GMP Annex 11, 15",
        )
    if request.container != journey.dose_container:
        raise Refused(
            "identity-mismatch",
            what=f"bag for {journey.id}",
            found=request.container[:96],
            limit=journey.dose_container,
            remedy="stop; take the bag that was received for this patient",
            rule=IDENTITY,
        )
    journey.must_be_at(JourneyStage.CLEARED, "the bedside check", until=JourneyStage.CONFIRMED)
    nurse.must_be_qualified(WARD, at)
    what = f"bedside check for {journey.id}"
    if nurse.id == second.id:
        raise distinct(what, nurse.id, "who read first")
    shown = {"coi": journey.id, "container": request.container}
    confirmed = BedsideConfirmed(
        container=request.container,
        band_scan=request.band_scan,
        bag_scan=request.bag_scan,
        nurse=nurse.id,
        second=second.id,
        dose=Quantity.parse(request.dose) if request.dose else None,
        thawed=request.thawed,
        signature=must_sign(
            request.signature, person=nurse.id, meaning="confirmed", what=what, shown=shown
        ),
        verified=must_sign(
            request.verified, person=second.id, meaning="verified", what=what, shown=shown
        ),
    )
    return [Entry(journey.stream, confirmed)]


def record_infusion(
    journey: Journey, request: RecordInfusion, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Report the infusion, and set the days on which the patient is looked at again.

    Raises:
        Refused: The bedside check of this bag is missing, or the times cannot be right.
    """
    journey.must_be_at(JourneyStage.CONFIRMED, "an infusion")
    person.must_be_qualified(WARD, at)
    if request.container != journey.confirmed:
        raise Refused(
            "identity-mismatch",
            what=f"infusion for {journey.id}",
            found=request.container[:96],
            limit=journey.confirmed,
            remedy="stop; only the bag that was confirmed may be given",
            rule=IDENTITY,
        )
    if not request.began <= request.ended <= at + timedelta(minutes=5):
        found = f"{request.began.isoformat()} to {request.ended.isoformat()}"
        raise _unusable("time of the infusion", found, "a begin before its end, not in the future")
    performed = InfusionPerformed(
        container=request.container,
        began=request.began,
        ended=request.ended,
        volume=Quantity.parse(request.volume),
        is_whole=request.is_whole,
        reactions=clean_text(request.reactions, "reactions"),
        by=person.id,
        signature=must_sign(
            request.signature,
            person=person.id,
            meaning="infused",
            what=f"infusion for {journey.id}",
            shown={"coi": journey.id, "container": request.container},
        ),
    )
    day = request.began.date()
    due = tuple((day + timedelta(days=ahead)).isoformat() for ahead in FOLLOW_UP)
    return [
        Entry(journey.stream, performed, request.began),
        Entry(journey.stream, FollowUpPlanned(due=due)),
    ]


def return_remainder(
    journey: Journey, request: ReturnRemainder, *, person: Qualified
) -> list[Entry]:
    """Send back what is left.

    Raises:
        Refused: No dose came to this patient.
    """
    _must_have_dose(journey, request.container)
    to = clean_line(request.to, "receiver")
    said = RemainderReturned(container=request.container, to=to, by=person.id)
    return [Entry(journey.stream, said)]


def destroy_remainder(
    journey: Journey, request: DestroyRemainder, *, person: Qualified, second: Qualified
) -> list[Entry]:
    """Destroy what is left before a witness.

    Raises:
        Refused: No dose came to this patient, or the two are one person.
    """
    _must_have_dose(journey, request.container)
    if person.id == second.id:
        raise distinct(f"destruction of {request.container}", person.id, "who destroyed it")
    method = clean_line(request.method, "method")
    said = RemainderDestroyed(
        container=request.container, method=method, by=person.id, second=second.id
    )
    return [Entry(journey.stream, said)]


def record_follow_up(
    journey: Journey, request: RecordFollowUp, *, person: Qualified
) -> list[Entry]:
    """Report a follow-up visit.

    Raises:
        Refused: No visit is due on that day, or it was reported.
    """
    if request.due not in journey.due or request.due in journey.done:
        found = request.due[:20]
        open_ones = [one for one in journey.due if one not in journey.done]
        raise _unusable("follow-up", found, ", ".join(open_ones[:6]) or "none is due")
    summary = clean_text(request.summary, "summary")
    done = FollowUpDone(due=request.due, by=person.id, summary=summary)
    return [Entry(journey.stream, done)]


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


def _must_have_consent(journey: Journey) -> None:
    if not journey.has_consent:
        raise Refused(
            "consent-missing",
            what=f"consent of {journey.id}",
            found="none, or withdrawn",
            limit="a valid consent",
            remedy="ask the patient; without consent nothing more is done",
            rule="EU GMP Part IV; 21 CFR 50",
        )


def _must_have_dose(journey: Journey, container: str) -> None:
    if container not in {journey.dose_container, journey.container}:
        raise Refused(
            "dose-unknown",
            what=f"container {container[:96]} of {journey.id}",
            found="never at this patient's site",
            limit=journey.dose_container or "no dose came",
            remedy="scan the bag again",
        )


def _unusable(what: str, found: str, limit: str) -> Refused:
    return Refused("reading-unusable", what=what, found=found, limit=limit, remedy="correct it")
