"""What lots, doses and patients add to the genealogy, so that a recall names whom it reaches."""

from collections.abc import Iterator

from anlage.record import Recorded

from .genealogy import Edge, Node
from .journey_fact import (
    CollectionPerformed,
    DoseOnSite,
    InfusionPerformed,
    RemainderDestroyed,
    RemainderReturned,
)
from .lot_fact import (
    DoseAllocated,
    DoseRejected,
    DosesFilled,
    LotCreated,
    LotHeld,
    LotRecalled,
    LotRejected,
    LotReleased,
    LotResumed,
    LotTerminated,
    LotVoided,
)

_STATES: dict[type, str] = {
    LotHeld: "held",
    LotRecalled: "recalled",
    LotRejected: "rejected",
    LotReleased: "released",
    LotResumed: "running",
    LotTerminated: "terminated",
    LotVoided: "voided",
}
_DOSES: dict[type, str] = {
    DoseOnSite: "on site",
    InfusionPerformed: "infused",
    RemainderDestroyed: "remainder destroyed",
    RemainderReturned: "remainder returned",
}


def making_links(recorded: Recorded) -> Iterator[Node | Edge]:
    """Give the things and ties of one fact of a lot or of a patient's journey."""
    stream, said = str(recorded.stream), recorded.fact
    match said:
        case LotCreated():
            name, site = said.product, recorded.site
            yield Node(id=stream, name=name, state="running", site=site, patient=said.coi)
            for source in said.starting:
                yield _tie(recorded, source, stream, "starting material")
        case DosesFilled():
            for one in said.fills:
                dose = f"container/{one.container}"
                yield Node(id=dose, state="filled", site=recorded.site, unit=one.amount.unit)
                yield Edge(
                    source=stream,
                    target=dose,
                    fact=recorded.number,
                    how="filled",
                    amount=one.amount.value,
                    unit=one.amount.unit,
                    happened=recorded.happened_text,
                )
        case DoseAllocated():
            yield Node(id=f"container/{said.container}", state="set aside", patient=said.coi)
        case DoseRejected():
            yield Node(id=f"container/{said.container}", state="rejected")
        case CollectionPerformed():
            patient, bag = recorded.stream.id, f"container/{said.container}"
            yield Node(id=bag, name="collection", site=recorded.site, patient=patient)
        case _ if (word := _DOSES.get(type(said))) is not None:
            dose = f"container/{said.container}"
            yield Node(id=dose, state=word, site=recorded.site, patient=recorded.stream.id)
        case _ if (state := _STATES.get(type(said))) is not None:
            yield Node(id=stream, state=state)


def _tie(recorded: Recorded, source: str, target: str, how: str) -> Edge:
    at = recorded.happened_text
    return Edge(source=source, target=target, fact=recorded.number, how=how, happened=at)
