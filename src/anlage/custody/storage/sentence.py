"""Facts of the store as plain sentences."""

from .keeping import ContainerClassified, ContainerQuarantined, ContainerReleased
from .picklist import PickConfirmed, PickLeft, PicklistMade
from .place_fact import (
    PlaceAudited,
    PlaceChanged,
    PlaceCleaned,
    PlaceCleared,
    PlaceClosed,
    PlaceMoved,
    PlaceRegistered,
    PlaceSetIn,
    PlaceTakenOut,
    PositionEmptied,
    PositionFilled,
    PositionFreed,
    PositionReserved,
)


def sentence_of(fact: object, name: str) -> str | None:
    """Give a fact of the store as a sentence without its full stop; None for another."""
    match fact:
        case PlaceRegistered():
            where = f" in {fact.parent}" if fact.parent else ""
            return f"{fact.kind_of.value.capitalize()} {name}, {fact.name}, was registered{where}"
        case PlaceChanged():
            return f"What {name} is for was changed: {fact.reason}"
        case PlaceSetIn():
            return f"{fact.place} was set into {name}" + (f" at {fact.slot}" if fact.slot else "")
        case PlaceTakenOut():
            return f"{fact.place} was taken out of {name}"
        case PlaceMoved():
            return f"{name} was brought from {fact.origin} into {fact.parent}: {fact.reason}"
        case PlaceClosed():
            return f"{name} is used no longer: {fact.reason}"
        case PlaceCleaned():
            return f"{fact.by} cleaned {name} with {fact.agent} for {fact.contact}"
        case PlaceCleared():
            return f"{fact.by} cleared {name} for use"
        case PositionFilled():
            return f"{fact.by} put {fact.stowed.container} into {name} {fact.position}"
        case PositionEmptied():
            why = fact.why.value.replace("-", " ")
            return f"{fact.container} left {name} {fact.position}, {why}, by {fact.by}"
        case PositionReserved():
            return f"{fact.container} in {name} {fact.position} was promised to {fact.picklist}"
        case PositionFreed():
            return f"{fact.container} in {name} {fact.position} is free again"
        case PlaceAudited():
            return f"{fact.by} audited {name}: {_differences(fact)}"
        case PicklistMade():
            lids = f"{fact.openings} opening" + ("s" if fact.openings != 1 else "")
            return f"{fact.by} made picklist {name} for {fact.order}: {len(fact.lines)} in {lids}"
        case PickConfirmed():
            return f"{fact.by} picked {fact.container}"
        case PickLeft():
            return f"{fact.by} left {fact.container}: {fact.reason}"
        case ContainerClassified():
            what = f"{fact.product_class}, infectious status {fact.infectious.value}"
            return f"{fact.by} classified {name} as {what}"
        case ContainerQuarantined():
            return f"{name} was put into quarantine: {fact.reason}"
        case ContainerReleased():
            return f"{fact.by} let {name} out of quarantine: {fact.reason}"
        case _:
            return None


def _differences(fact: PlaceAudited) -> str:
    parts = [
        f"{len(names)} {word}: {', '.join(names[:5])}"
        for names, word in (
            (fact.missing, "missing"),
            (fact.foreign, "not belonging here"),
            (fact.shifted, "in another position"),
        )
        if names
    ]
    return "; ".join(parts) or f"all {fact.expected} as recorded"
