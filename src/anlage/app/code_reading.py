"""A code that was read at a workstation: understood, kept, and what it stands for here."""

import hashlib
from dataclasses import dataclass

from anlage.base import Refused
from anlage.custody import (
    CODE_VIEW,
    RecordScan,
    Workstation,
    may_name_a_person,
    scan_of,
    workstation_stream,
)
from anlage.custody.codes import Reading, decode
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRead:
    """What a scan is.

    Attributes:
        text: The code, without what the scanner or the keyboard added.
        reading: What the code says.
        thing: The one name of what it identifies; empty for nothing.
        subject: What that is here (`lot/L-1`); empty for nothing known.
    """

    text: str
    reading: Reading
    thing: str
    subject: str


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


def understand(site: Installation, text: str) -> CodeRead:
    """Give what a code is and what it stands for here, keeping nothing."""
    reading = decode(text, site.clock.now().date())
    thing = scan_of(reading)[0]
    name = canonical_thing(thing or text.strip())
    row = site.rows(CODE_VIEW).get(name)
    subject = row["subject"] if row else _plain(site, reading, text.strip())
    return CodeRead(text=text, reading=reading, thing=thing, subject=subject)


def _plain(site: Installation, reading: Reading, text: str) -> str:
    """Give the subject whose own number a text is; empty for none."""
    coi = reading.fields.get("chain_of_identity")
    names = [f"journey/{coi}"] if coi else []
    if "/" in text and text.partition("/")[0] in FAMILIES:
        names.append(text)
    names += [f"{family}/{text}" for family in FAMILIES if len(text) <= _PLAIN_MAX]
    for name in names:
        try:
            stream = Stream(name)
        except Refused:
            continue
        if site.journal.head(stream).version:
            return name
    return ""
