"""The custody of a subject as EPCIS events, things named by the codes that partners read."""

from typing import Any

from anlage.base import Broken, Instant, Refused
from anlage.custody import CODE_VIEW, containers_of, histories_of
from anlage.record import Stream
from anlage.wire.epcis import Document, Naming, check, to_document

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
    journal = site.journal
    facts = [one for stream in journal.streams("container") for one in journal.read_stream(stream)]
    histories = histories_of(facts)
    chosen = containers_of(histories, subject)
    if not chosen:
        raise Refused(
            "subject-unknown",
            what=f"custody of {subject}",
            found="no container of it in the journal",
            limit="lot/ID, container/ID or shipment/ID with containers",
            remedy="check the id; containers are created at collection, filling or splitting",
            rule="ISO 21973",
        )
    named = {row["subject"]: row["code"] for _, row in site.rows(CODE_VIEW).find(limit=100_000)}
    naming = Naming(base=base, known={k: v for k, v in named.items() if ":" in v})
    document = to_document({name: histories[name] for name in chosen}, naming, at=at)
    if problems := check(Document(name=str(subject), json=document, text="{}")):
        raise Broken("an export that is a valid document", seen=str(problems[0]))
    return document
