"""The facts that a subject's custody is proved from, read from an installation."""

from anlage.base import Refused
from anlage.custody import (
    CONTAINER_VIEW,
    Dated,
    Shipment,
    containers_of,
    histories_of,
    wanted_for,
)
from anlage.record import Stream

from .installation import Installation


def custody_histories(
    installation: Installation, subject: Stream
) -> tuple[dict[str, list[Dated]], list[str]]:
    """Give the dated facts by container, and the containers that the subject is about.

    For a lot only its own containers are read, what they were filled from and what they were packed
    in, for a shipment the shipper and what was packed; so the time does not grow with the journal.
    """
    journal = installation.journal
    if subject.family == "lot":
        chosen, wanted = wanted_for(installation.rows(CONTAINER_VIEW), subject.id)
        streams = [Stream(f"container/{name}") for name in sorted(wanted)]
        facts = [one for stream in streams for one in journal.read_stream(stream)]
        return histories_of(facts), chosen
    if subject.family == "shipment":
        prepared = installation.engine.state(Shipment, subject).prepared
        if prepared is not None:
            chosen = [prepared.shipper, *prepared.containers]
            named = [Stream(f"container/{name}") for name in chosen]
            found = histories_of(one for stream in named for one in journal.read_stream(stream))
            return found, [name for name in chosen if name in found]
    streams = [stream for stream in journal.heads() if stream.family == "container"]
    histories = histories_of(one for stream in streams for one in journal.read_stream(stream))
    return histories, containers_of(histories, subject)


def custody_on_record(
    installation: Installation, subject: Stream
) -> tuple[dict[str, list[Dated]], list[str]]:
    """Give what `custody_histories` gives, of a subject that has containers.

    Raises:
        Refused: `subject-unknown`: the record holds no container of it.
    """
    histories, chosen = custody_histories(installation, subject)
    if not chosen:
        raise Refused(
            "subject-unknown",
            what=f"custody of {subject}",
            found="no container of it in the journal",
            limit="lot/ID, container/ID or shipment/ID with containers",
            remedy="check the id; containers are created at collection, filling or splitting",
            rule="ISO 21973",
        )
    return histories, chosen
