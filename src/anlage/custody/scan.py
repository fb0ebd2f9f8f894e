"""Every code that was read, accepted or not: its raw text is kept, by workstation or reader.

A raw text that may name a patient (a patient's number, a birth date, a chain of identity, or a text
that nobody can explain) lies in the vault; the fact holds its salted digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from anlage.base import Refused
from anlage.record import Entry, Recorded, Rows, Stream, World, encode, fact

from .bulk_read import TagRead, TagSeen, gather
from .codes import Reading, thing_of
from .scanner import Calibration, calibrate

VIEW = "scans"
RULE = "21 CFR 11.10(e); EU GMP Part IV 9.5"
TAGS_MAX = 2000
_RAW_MAX = 4000
# ISBT 128 structures and GS1 application identifiers whose data are a person's.
_PERSONAL_FIELDS = (
    "patient_number", "patient_birth", "chain_of_identity", "8018", "8019",
    *(str(number) for number in range(7250, 7260)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordScan:
    """Keep what was read at a workstation.

    Attributes:
        workstation: Where it was read.
        form: What kind of code it is (`codes.Reading.kind`).
        symbology: How it came: wedge, photo, or the symbology that a reader named.
        raw: The text as it came; empty when it lies in the vault.
        digest: Digest of that text, salted where it lies in the vault.
        thing: The one name of what it identifies; empty when it identifies nothing, or a person.
        subject: What that names here (`container/ID`); empty for nothing.
        is_valid: Whether the code is what its standard asks for.
        problem: The code of the first problem, when it is not.
        page: The page on which it was read.
    """

    workstation: str
    form: str
    symbology: str
    raw: str
    digest: str
    thing: str = ""
    subject: str = ""
    is_valid: bool = True
    problem: str = ""
    page: str = ""


@fact("code-scanned")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScanned:
    """A code was read at a workstation; fields as in `RecordScan`."""

    form: str
    symbology: str
    raw: str
    digest: str
    thing: str = ""
    subject: str = ""
    is_valid: bool = True
    problem: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateScanner:
    """Calibrate a workstation from what its scanner typed for the three symbols of the sheet."""

    workstation: str
    name: str
    typed: Mapping[str, str]


@fact("scanner-calibrated")
@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerCalibrated:
    """A workstation's scanner is understood from now on.

    Each character of `seen` stands for the one at the same place in `meant`.
    """

    name: str
    prefix: str
    suffix: str
    separator: str
    seen: str
    meant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTags:
    """Keep what an RFID reader read at once.

    Attributes:
        reader: The reader's name.
        tags: EPC memory of each tag in hexadecimal, as read; repeats are allowed.
        shipment: The shipment that is received by this read; empty for none.
        antenna: Which antenna or gate, when the reader says so.
        reads: Single reads with antenna, strength and time, in place of `tags` or besides.
        is_simulated: The reader is a simulator; refused in the real world.
    """

    reader: str
    tags: tuple[str, ...] = ()
    shipment: str = ""
    antenna: str = ""
    reads: tuple[TagRead, ...] = ()
    is_simulated: bool = False


@fact("tags-read")
@dataclass(frozen=True, slots=True, kw_only=True)
class TagsRead:
    """An RFID reader read tags at once; each memory once, in the order first seen.

    Attributes:
        tags: EPC memory of each tag in hexadecimal.
        shipment: The shipment that was received by it; empty for none.
        antenna: Which antenna or gate.
        seen: What was seen of each, in the order of `tags`; empty where the reader told no more.
        is_simulated: The reader was a simulator.
    """

    tags: tuple[str, ...]
    shipment: str = ""
    antenna: str = ""
    seen: tuple[TagSeen, ...] = ()
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workstation:
    """A workstation: its name and how its scanner types."""

    id: str
    name: str = ""
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state before any fact."""
        return cls(id=stream.id)

    def after(self, recorded: Recorded) -> Self:
        """Give the state after a fact."""
        match recorded.fact:
            case ScannerCalibrated() as said:
                found = Calibration(
                    prefix=said.prefix,
                    suffix=said.suffix,
                    separator=said.separator,
                    keys=dict(zip(said.seen, said.meant, strict=True)),
                )
                return replace(self, name=said.name, calibration=found)
        return self


def workstation_stream(workstation: str) -> Stream:
    """Give the stream of a workstation's scans."""
    return Stream(f"workstation/{workstation}")


def reader_stream(reader: str) -> Stream:
    """Give the stream of an RFID reader."""
    return Stream(f"reader/{reader}")


def may_name_a_person(reading: Reading) -> bool:
    """Tell whether a code's text may name a patient, so that it belongs in the vault."""
    return reading.kind == "unknown" or any(name in reading.fields for name in _PERSONAL_FIELDS)


def scan_of(reading: Reading) -> tuple[str, str]:
    """Give the name of the thing that a code identifies and the code of its first problem."""
    problem = reading.problems[0].code if reading.problems else ""
    return thing_of(reading) or "", problem


def record_scan(request: RecordScan) -> list[Entry]:
    """Give the fact of a code that was read.

    Raises:
        Refused: `scan-malformed`: nothing was read, or more than any code holds.
    """
    if not request.digest or len(request.raw) > _RAW_MAX:
        raise _no("scan-malformed", f"{len(request.raw)} characters", f"1 to {_RAW_MAX}")
    said = CodeScanned(
        form=request.form,
        symbology=request.symbology,
        raw=request.raw,
        digest=request.digest,
        thing=request.thing,
        subject=request.subject,
        is_valid=request.is_valid,
        problem=request.problem,
        page=request.page,
    )
    return [Entry(workstation_stream(request.workstation), said)]


def calibrate_scanner(request: CalibrateScanner) -> list[Entry]:
    """Give the fact of a workstation whose scanner is understood.

    Raises:
        Refused: What was typed cannot be understood.
    """
    found = calibrate(request.typed)
    said = ScannerCalibrated(
        name=request.name.strip() or request.workstation,
        prefix=found.prefix,
        suffix=found.suffix,
        separator=found.separator,
        seen="".join(found.keys),
        meant="".join(found.keys.values()),
    )
    return [Entry(workstation_stream(request.workstation), said)]


def record_tags(request: RecordTags, world: World) -> list[Entry]:
    """Give the fact of a bulk read.

    Raises:
        Refused: `tags-malformed`: no tag, or more than a gate reads at once;
            `reader-simulated`: a simulator in the real world.
    """
    if request.is_simulated and world is World.REAL:
        raise Refused(
            "reader-simulated",
            what=f"reader {request.reader}",
            found="a simulator, in the real world",
            limit="a reader that read real tags",
            remedy="send simulated reads to a demo or a training installation",
            rule=RULE,
        )
    seen = gather((*(TagRead(epc=one) for one in request.tags), *request.reads))
    if not 0 < len(seen) <= TAGS_MAX or any(len(one) > 128 for one in seen):
        raise _no("tags-malformed", f"{len(seen)} tags", f"1 to {TAGS_MAX}, each in hexadecimal")
    said = TagsRead(
        tags=tuple(seen),
        shipment=request.shipment,
        antenna=request.antenna,
        seen=tuple(seen.values()) if request.reads else (),
        is_simulated=request.is_simulated,
    )
    return [Entry(reader_stream(request.reader), said)]


class ScanView:
    """Scans by workstation (`s:NUMBER`), bulk reads by reader and by shipment (`t:NUMBER`)."""

    name = VIEW
    version = 2
    families = frozenset({"workstation", "reader"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        order = f"{recorded.number:012d}"
        base = {"at": recorded.happened_text, "by": recorded.by.person, "number": recorded.number}
        match recorded.fact:
            case CodeScanned() as said:
                row = base | {
                    "workstation": recorded.stream.id,
                    "form": said.form,
                    "raw": said.raw,
                    "thing": said.thing,
                    "subject": said.subject,
                    "is_valid": said.is_valid,
                    "problem": said.problem,
                    "page": said.page,
                }
                rows.put(f"s:{order}", row, facet="scan", order=order)
            case TagsRead() as said:
                read: dict[str, Any] = {
                    **base,
                    "reader": recorded.stream.id,
                    "tags": list(said.tags),
                    "shipment": said.shipment,
                    "antenna": said.antenna,
                    "seen": encode(said.seen),
                    "is_simulated": said.is_simulated,
                }
                rows.put(f"t:{order}", read, facet=f"tags:{said.shipment}", order=order)
                rows.put(f"r:{order}", {"key": f"t:{order}"}, facet="reads", order=order)
            case ScannerCalibrated() as said:
                row = base | {"workstation": recorded.stream.id, "name": said.name}
                rows.put(f"w:{recorded.stream.id}", row, facet="workstation", order=said.name)


def _no(code: str, found: str, limit: str) -> Refused:
    return Refused(
        code,
        what="what was read",
        found=found,
        limit=limit,
        remedy="read it again",
        rule=RULE,
    )


VIEWS = (ScanView(),)
