"""Where a scan belongs: band, bag, donation or a person's badge, told by what it is.

Nobody chooses a field before scanning. Each scan is kept, the wrong ones too; what a wrong one read
may be another patient's, so the record keeps only its digest and the vault the text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from anlage.base import clean_line
from anlage.record import Entry, fact

from .identity import label_of
from .journey import Journey, JourneyStage
from .signing import Qualified


class ScanField(StrEnum):
    """What was scanned."""

    BAND = "band"
    BAG = "bag"
    DONATION = "donation"
    PERSON = "person"
    UNKNOWN = "unknown"


@fact("patient-scan-read")
@dataclass(frozen=True, slots=True, kw_only=True)
class PatientScanRead:
    """A band, bag or badge was read at a patient's collection, receipt or bedside.

    Attributes:
        place: collection, receipt or bedside.
        what: What it was.
        is_match: Whether it belongs to this patient.
        raw: The text, where it does; None where it may be another's.
        digest: Digest of the text in the vault, where it does not.
    """

    place: str
    what: ScanField
    is_match: bool
    by: str
    raw: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPatientScan:
    """Keep a scan at a patient's collection, receipt or bedside."""

    coi: str
    place: str
    raw: str
    container: str = ""
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where a scan lands.

    Attributes:
        what: What it is.
        is_match: Whether it belongs to this patient; a badge always does.
        text: What goes into the field.
    """

    what: ScanField
    is_match: bool
    text: str


def landing(
    journey: Journey, raw: str, *, container: str | None, is_person: Callable[[str], bool]
) -> Landing:
    """Tell what a scan is and whether it belongs to this patient.

    Args:
        journey: The patient's journey.
        raw: As the scanner gave it.
        container: The container that should be at hand; None before it has a number.
        is_person: Tells whether a text is the identifier of a person who works here.
    """
    text = raw.strip()
    if is_person(text):
        return Landing(what=ScanField.PERSON, is_match=True, text=text)
    label = label_of(raw)
    is_own = label.coi is None or label.coi == journey.id
    if label.donation is not None:
        is_own = is_own and journey.donation in (None, label.donation)
        return Landing(what=ScanField.DONATION, is_match=is_own, text=label.donation)
    if label.coi is not None and not label.numbers:
        return Landing(what=ScanField.BAND, is_match=is_own, text=text)
    if not label.numbers:
        return Landing(what=ScanField.UNKNOWN, is_match=False, text=text)
    is_it = container is None or label.names(container)
    return Landing(what=ScanField.BAG, is_match=is_own and is_it, text=text)


def read_patient_scan(
    journey: Journey,
    request: ReadPatientScan,
    *,
    person: Qualified,
    is_person: Callable[[str], bool],
) -> list[Entry]:
    """Give the fact of a scan, whether it fits or not.

    Raises:
        Refused: Nothing was ordered for this patient.
    """
    journey.must_be_at(JourneyStage.ORDERED, "a scan", until=JourneyStage.CLOSED)
    found = landing(journey, request.raw, container=request.container or None, is_person=is_person)
    read = PatientScanRead(
        place=clean_line(request.place, "place", limit=40),
        what=found.what,
        is_match=found.is_match,
        by=person.id,
        raw=clean_line(request.raw, "scan", limit=200) if found.is_match else None,
        digest=None if found.is_match else request.digest,
    )
    return [Entry(journey.stream, read)]
