"""What a person asks for on a patient's journey; who asks is the person at the desk."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anlage.base import Instant
from anlage.record import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProduct:
    """Prescribe a product for a patient; who it is, is kept apart afterwards, under personal data.

    Attributes:
        subject: Pseudonym under which the treating site knows the patient, never a name or number.
        weight: Of the body, as 72 kg.
        needed_by: The day by which the dose should be there, as 2026-03-01.
    """

    product: str
    indication: str
    treatment_site: str
    subject: str = ""
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
    """Report a collection, with both persons who labelled it.

    Attributes:
        scan: What was read from the bag's label.
        data: What the collection specification asks for, by its id.
        donor: autologous, eligible or ineligible.
        infectious: not-tested, non-reactive or reactive.
        partial: Why the collection is not as specified, where it is not.
    """

    coi: str
    donation: str
    container: str
    volume: str
    scan: str
    second: str
    place: str = ""
    kit: str = ""
    anticoagulant: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    donor: str = "autologous"
    infectious: str = "not-tested"
    partial: str | None = None
    signature: Signature | None = None
    verified: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailCollection:
    """Report that a collection did not give what is needed."""

    coi: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptCollection:
    """Accept the collection for making, or reject it with a reason.

    Attributes:
        coi: The chain of identity.
        container: The bag.
        scan: What was read from its label.
        checks: The answers at receipt.
        temperature_ok: False when it grew too warm or too cold.
        reject: Why it is rejected; None to accept it.
        place: Where it is received.
        counts: What was counted, by attribute of the acceptance specification ("1.2 10*9.cell").
        assessment: Why it is accepted although a count is missing or outside its limits.
        assessed_by: Quality's person who assessed that, and signs.
        assessed: That person's signature.
    """

    coi: str
    container: str
    scan: str
    checks: Mapping[str, str] = field(default_factory=dict)
    temperature_ok: bool = True
    reject: str | None = None
    place: str = "receipt"
    counts: Mapping[str, str] = field(default_factory=dict)
    assessment: str = ""
    assessed_by: str = ""
    assessed: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveDose:
    """Report that the dose is at the treating site."""

    coi: str
    container: str
    scan: str
    integrity: str = "intact"
    shipment: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearLymphodepletion:
    """Let the patient be prepared; `checks` are the answers of the checklist."""

    coi: str
    checks: Mapping[str, str] = field(default_factory=dict)
    exception: str | None = None
    signature: Signature | None = None
    second: Signature | None = None
    second_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThawDose:
    """Say that the dose is thawed: the clock to the infusion runs from now.

    Attributes:
        bag_scan: What was read from the bag's label.
    """

    coi: str
    container: str
    bag_scan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmBedside:
    """Compare patient band and bag beside the bed.

    Attributes:
        band_scan: What was read from the patient's band.
        bag_scan: What was read from the bag's label; it has to name the bag.
        thawed: When the dose was thawed, where that is not on record.
    """

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
    left: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRemainder:
    """Send back what is left; `scan` is what was read from the bag's label."""

    coi: str
    container: str
    to: str
    scan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyRemainder:
    """Destroy what is left, before a witness; `scan` is what was read from the bag's label."""

    coi: str
    container: str
    method: str
    second: str
    scan: str | None = None


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
