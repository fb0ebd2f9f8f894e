"""What can happen on a patient's journey: its facts, as they are kept for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anlage.base import Instant, Quantity
from anlage.record import Signature, fact


@fact("product-ordered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrdered:
    """A physician prescribed a product for a patient; the chain-of-identity id was minted.

    Attributes:
        subject: Pseudonym under which the treating site knows the patient, or a salted digest;
            empty when there is none: what names the patient lies in the vault.
        needed_by: The day by which the dose should be there, ISO 8601.
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
    needed_by: str | None = None
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
    """Cells were collected under a donation number.

    Attributes:
        data: What was read, by the id of the collection specification.
        checks: The answers of the checklist.
        statements: What the label has to say of donor and infections.
        partial: Why it is not as specified; None when it is.
    """

    donation: str
    container: str
    volume: Quantity
    nurse: str
    second: str
    signature: Signature
    verified: Signature
    kit: str = ""
    anticoagulant: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    donor: str = ""
    infectious: str = ""
    statements: tuple[str, ...] = ()
    partial: str | None = None


@fact("collection-failed")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFailed:
    """A collection did not give what is needed; another may be ordered."""

    reason: str
    by: str


@fact("collection-accepted")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionAccepted:
    """The collection arrived and was accepted for making.

    Attributes:
        container: The bag.
        checks: The answers at receipt.
        temperature_ok: False when it grew too warm or too cold.
        by: Who accepted it.
        counts: What was counted, by attribute.
        specification: The specification and version that judged the counts; empty for none.
        outside: What was missing or outside its limits, one sentence each.
        assessment: Why it was accepted all the same.
        assessed: Quality's signature under that.
    """

    container: str
    checks: Mapping[str, str]
    temperature_ok: bool
    by: str
    counts: Mapping[str, str] = field(default_factory=dict)
    specification: str = ""
    outside: tuple[str, ...] = ()
    assessment: str = ""
    assessed: Signature | None = None


@fact("collection-rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRejected:
    """The collection arrived and cannot be used; another may be ordered."""

    container: str
    reason: str
    by: str
    counts: Mapping[str, str] = field(default_factory=dict)
    specification: str = ""
    outside: tuple[str, ...] = ()


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
    checks: Mapping[str, str] = field(default_factory=dict)


@fact("dose-thawed")
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseThawed:
    """The dose was thawed; from now its time to the infusion runs."""

    container: str
    by: str


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
