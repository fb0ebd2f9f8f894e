"""The facts that a subject's custody is proved from, read from an installation."""

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
