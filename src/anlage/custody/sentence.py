"""Facts of custody as plain sentences."""

from anlage.record import Recorded

from .bedside import BedsideChecked, LeftoverReconciled
from .code_sentence import code_sentence
from .container_fact import (
    ContainerAssigned,
    ContainerCreated,
    ContainerDrawn,
    ContainerEnded,
    ContainerFound,
    ContainerMissed,
    ContainerMoved,
    ContainerPacked,
    ContainerSeen,
    ContainerUnpacked,
    Evidence,
    HandOverClosed,
    HandOverOpened,
    HandOverWithdrawn,
)
from .incoming import ItemRegistered
from .storage import sentence_of as of_storage
from .transport import sentence_of as of_transport

FAMILIES = frozenset(
    {"container", "shipment", "place", "picklist", "lane", "shipper", "lot", "item"}
)
_GRADES = {
    Evidence.SCANNED: "scanned",
    Evidence.DEVICE: "read by a device",
    Evidence.ATTESTED_LATER: "attested later",
    Evidence.PAPER: "on paper",
}


def sentence(recorded: Recorded) -> str | None:
    """Give a fact of custody as one sentence; None for a fact of another package."""
    if (said := code_sentence(recorded)) is not None:
        return said
    if recorded.stream.family not in FAMILIES:
        return None
    fact, name = recorded.fact, recorded.stream.id
    text = _text(fact, name) or of_storage(fact, name) or of_transport(fact, name)
    grade = getattr(fact, "evidence", None)
    if text is None:
        return None
    return f"{text} ({_GRADES[grade]})." if isinstance(grade, Evidence) else f"{text}."


def _text(fact: object, name: str) -> str | None:
    match fact:
        case ContainerCreated(sources=()):
            return f"{fact.vessel.capitalize()} {name} came to be at {fact.place}"
        case ContainerCreated():
            sources = ", ".join(fact.sources)
            return f"{fact.vessel.capitalize()} {name} was filled from {sources}"
        case ContainerAssigned():
            return f"{fact.by} set {name} aside for {fact.coi}"
        case ContainerMoved():
            return f"{fact.holder} brought {name} from {fact.origin} to {fact.place}"
        case ContainerSeen():
            return f"{name} was seen at {fact.place}"
        case HandOverOpened():
            return f"{fact.giver} offered {name} to {fact.receiver}"
        case HandOverClosed():
            return f"{fact.receiver} took {name} from {fact.giver} at {fact.place}"
        case HandOverWithdrawn():
            return f"{fact.giver} took the offer of {name} back"
        case ContainerPacked():
            return f"{fact.holder} put {name} into {fact.into}"
        case ContainerUnpacked():
            return f"{fact.holder} took {name} out of {fact.origin}"
        case ContainerDrawn():
            into = f" into {', '.join(fact.into)}" if fact.into else ""
            return f"{fact.amount} were taken from {name}{into}"
        case ContainerMissed():
            return f"{name} could not be found"
        case ContainerFound():
            return f"{fact.holder} found {name} at {fact.place}"
        case ContainerEnded():
            return f"{name} was {fact.how.value.replace('-', ' ')}"
        case BedsideChecked():
            return f"{fact.first} and {fact.second} checked band, bag and order of {name}"
        case ItemRegistered():
            item = f"{fact.name} of {fact.supplier}, {fact.pack} a pack"
            return f"{fact.by} said that item {name} is {item}"
        case LeftoverReconciled():
            return f"Of {name}, {fact.given} were given and {fact.left} were left"
        case _:
            return None
