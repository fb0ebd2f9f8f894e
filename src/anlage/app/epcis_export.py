"""The custody of a subject as EPCIS events, things named by the codes that partners read."""

from typing import Any

from anlage.base import Broken, Instant
from anlage.custody import CODE_VIEW
from anlage.record import Stream
from anlage.wire.epcis import Document, Naming, check, to_document

from .custody import custody_on_record
from .installation import Installation


def epcis_of(
    site: Installation, subject: Stream, *, at: Instant, base: str = "urn:anlage:"
) -> dict[str, Any]:
    """Give the custody of a lot, container or shipment as a valid EPCIS document.

    Args:
        site: The installation.
        subject: lot/ID, container/ID or shipment/ID.
        at: When the document is made.
        base: What stands before an id of ours that no code names.

    Raises:
        Refused: `subject-unknown`: no container of it is in the record.
        Broken: What came out is no valid document.
    """
    histories, chosen = custody_on_record(site, subject)
    named = {row["subject"]: row["code"] for _, row in site.rows(CODE_VIEW).find(limit=100_000)}
    naming = Naming(base=base, known={k: v for k, v in named.items() if ":" in v})
    document = to_document({name: histories[name] for name in chosen}, naming, at=at)
    if problems := check(Document(name=str(subject), json=document, text="{}")):
        raise Broken("an export that is a valid document", seen=str(problems[0]))
    return document
