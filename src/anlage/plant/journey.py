"""One patient's journey: from prescription to infusion and follow-up, under a pseudonym.

The chain-of-identity id is minted at the order, before anything else, and names the stream. Who
the patient is stands in the vault; here is only a digest, salted there.

It only folds; the verbs stand in journey_order, journey_collection and journey_treatment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.record import Recorded, Stream

from .errors import IDENTITY
from .identity import identity_of, label_of
from .journey_fact import (
    BedsideConfirmed,
    CollectionAccepted,
    CollectionFailed,
    CollectionOrdered,
    CollectionPerformed,
    CollectionRejected,
    ConsentGiven,
    ConsentWithdrawn,
    DoseOnSite,
    DoseReleased,
    DoseThawed,
    FollowUpDone,
    FollowUpPlanned,
    InfusionPerformed,
    JourneyCancelled,
    LotAssigned,
    LymphodepletionCleared,
    PatientChecked,
    ProductOrdered,
    RemainderDestroyed,
    RemainderReturned,
    SlotBooked,
)

PHYSICIAN = "physician"
COORDINATOR = "coordinator"
NURSE = "collection-nurse"
WARD = "ward-nurse"
STORE = "store-keeper"


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
    collection_site: str = ""
    donation: str | None = None
    container: str | None = None
    lot: str | None = None
    is_released: bool = False
    is_exceptional: bool = False
    dose_container: str | None = None
    on_site: bool = False
    thawed: Instant | None = None
    confirmed: str | None = None
    confirmed_at: Instant | None = None
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

    def must_be_band(self, scan: str) -> None:
        """See that a scan is the patient's band: this chain of identity, and no bag's label.

        Raises:
            Refused: `identity-mismatch`.
        """
        label = label_of(scan)
        is_band = label.coi == self.id and not label.numbers and label.donation is None
        if not is_band:
            raise self._stop("patient band", scan, f"a band with {self.id} and nothing else")

    def must_be_bag(self, scan: str, container: str) -> None:
        """See that a scan is the label of a bag of this patient: the bag's own number, so that a
        band read twice is no bag.

        Raises:
            Refused: `identity-mismatch`.
        """
        label = label_of(scan)
        if not label.names(container):
            raise self._stop("bag", scan, f"the label of {container}")
        if label.coi is not None and label.coi != self.id:
            raise self._stop("bag", scan, self.id)

    def _stop(self, what: str, scan: str, limit: str) -> Refused:
        return Refused(
            "identity-mismatch",
            what=f"{what} for {self.id}",
            found=scan[:120],
            limit=limit,
            remedy="stop; do not give it; put it aside and call the physician and the facility",
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
            case CollectionOrdered(site=site):
                stage = JourneyStage.COLLECTION_ORDERED
                return replace(self, stage=stage, collection_site=site)
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
            case DoseThawed():
                return replace(self, thawed=recorded.happened)
            case BedsideConfirmed() as said:
                return replace(
                    self,
                    stage=JourneyStage.CONFIRMED,
                    confirmed=said.container,
                    confirmed_at=recorded.happened,
                    thawed=said.thawed or self.thawed,
                )
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


def must_have_consent(journey: Journey) -> None:
    """See that the patient consents.

    Raises:
        Refused: `consent-missing`.
    """
    if not journey.has_consent:
        raise Refused(
            "consent-missing",
            what=f"consent of {journey.id}",
            found="none, or withdrawn",
            limit="a valid consent",
            remedy="ask the patient; without consent nothing more is done",
            rule="EU GMP Part IV; 21 CFR 50",
        )


def answered(checks: Mapping[str, str], what: str) -> dict[str, str]:
    """Give the answers of a checklist as they are kept.

    Raises:
        Refused: `text-malformed`, as for every text of a person.
    """
    return {name: clean_line(given, f"{name} of {what}") for name, given in checks.items()}


def unusable(what: str, found: str, limit: str) -> Refused:
    """Give the refusal of a value that cannot be right."""
    return Refused("reading-unusable", what=what, found=found, limit=limit, remedy="correct it")
