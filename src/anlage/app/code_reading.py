"""A code that was read at a workstation: understood, kept, and what it stands for here."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from anlage.custody import (
    CODE_VIEW,
    RecordScan,
    Workstation,
    may_name_a_person,
    scan_of,
    workstation_stream,
)
from anlage.custody.codes import Reading, decode
from anlage.custody.storage import Place, PlaceId, place_and_position
from anlage.record import Actor, Stream
from anlage.wire.epcis import canonical_thing

from .installation import Installation

# Families whose plain numbers may stand on a label, in the order in which they are tried.
FAMILIES = (
    "lot", "container", "journey", "material", "equipment", "sample", "shipment", "place",
    "shipper", "picklist", "room", "deviation", "person",
)  # fmt: skip
_OWNER = "scans"
_PLAIN_MAX = 64
_NAME_MAX = 130
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_KEYS = ("location_extension", "sscc", "returnable_asset", "individual_asset")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRead:
    """What a scan is.

    Attributes:
        text: The code, without what the scanner or the keyboard added.
        reading: What the code says.
        thing: The one name of what it identifies; empty for nothing.
        subject: What that is here (`lot/L-1`); empty for nothing known.
        position: The position in a place; empty for others.
    """

    text: str
    reading: Reading
    thing: str
    subject: str
    position: str = ""


def keep_scan(
    site: Installation,
    typed: str,
    *,
    workstation: str,
    actor: Actor,
    symbology: str = "wedge",
    page: str = "",
) -> CodeRead:
    """Understand what was typed or photographed at a workstation, and keep it, whatever it is.

    The raw text of a code that may name a patient is sealed in the vault under the chain of
    identity that it names, or under `scans` when it names none.

    Raises:
        Refused: `scan-malformed`: nothing was read, or more than any code holds.
    """
    station = site.engine.state(Workstation, workstation_stream(workstation))
    is_typed = symbology == "wedge"
    text = station.calibration.clean(typed) if is_typed else typed
    found = understand(site, text)
    problem = scan_of(found.reading)[1]
    is_personal = may_name_a_person(found.reading) and not found.subject
    raw, digest = typed, hashlib.sha256(typed.encode()).hexdigest() if typed else ""
    if typed and (is_personal or "chain_of_identity" in found.reading.fields):
        owner = found.reading.fields.get("chain_of_identity", _OWNER)
        raw, digest = "", site.vault.put(owner, f"scan-{digest[:24]}", typed.encode())
    wanted = RecordScan(
        workstation=workstation,
        form=found.reading.kind,
        symbology=symbology,
        raw=raw,
        digest=digest,
        thing="" if is_personal else found.thing,
        subject=found.subject,
        is_valid=found.reading.valid or bool(found.subject),
        problem="" if found.subject else problem,
        page=page[:200],
    )
    site.engine.do(wanted, actor=actor)
    return found


def understand(site: Installation, text: str, *, families: Sequence[str] = FAMILIES) -> CodeRead:
    """Give what a code is and what it stands for here, keeping nothing.

    The one resolver of every page and command: a code that was given to a thing, the thing's own
    number as text, a position behind its place (`BOX-7:C4`), and a GS1 key whose number is a
    thing's own (location 254, asset 8003 and 8004, logistic unit 00), in this order.

    Args:
        site: The installation.
        text: The code, with or without its symbology identifier.
        families: What it may stand for; the order decides where a number is that of two things.
    """
    reading = decode(text, site.clock.now().date())
    thing = scan_of(reading)[0]
    plain = _SYMBOLOGY.sub("", text.strip(), count=1)
    row = site.rows(CODE_VIEW).get(canonical_thing(thing or plain))
    if row is not None and row["subject"].partition("/")[0] in families:
        return CodeRead(text=text, reading=reading, thing=thing, subject=row["subject"])
    for name in _own_names(reading, plain):
        subject, position = _subject(site, name, families)
        if subject:
            return CodeRead(
                text=text, reading=reading, thing=thing, subject=subject, position=position
            )
    return CodeRead(text=text, reading=reading, thing=thing, subject="")


def _own_names(reading: Reading, plain: str) -> list[str]:
    """Give the numbers of our own that a code may carry: its identity, its text, its GS1 keys."""
    fields = reading.fields
    coi = fields.get("chain_of_identity")
    names = [f"journey/{coi}"] if coi else []
    names += [plain] if plain.isprintable() and len(plain) <= _NAME_MAX else []
    return names + [fields[key] for key in _KEYS if reading.valid and key in fields]


def _subject(site: Installation, name: str, families: Sequence[str]) -> tuple[str, str]:
    """Give the subject whose own number a text is, and the position in it; empty for none."""
    family, slash, number = name.partition("/")
    tried = [family] if slash and family in families else []
    number = number if tried else name
    if not tried and len(name) <= _PLAIN_MAX:
        tried = list(families)
    split = place_and_position(number)
    if split is not None and "place" in tried and PlaceId.pattern.fullmatch(split[0]):
        place = site.engine.state(Place, Stream(f"place/{split[0]}"))
        if place.exists and (at := place.terms.position(split[1])):
            return f"place/{split[0]}", at
    for one in tried:
        stream = f"{one}/{number}"
        if Stream.pattern.fullmatch(stream) and site.journal.head(Stream(stream)).version:
            return stream, ""
    return "", ""
