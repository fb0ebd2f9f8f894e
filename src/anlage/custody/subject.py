"""Which containers a subject's custody is about: a lot's own, and what they were filled from."""

from collections.abc import Mapping, Sequence

from anlage.record import Stream

from .container import Container
from .proof import Dated


def containers_of(histories: Mapping[str, Sequence[Dated]], subject: Stream) -> list[str]:
    """Give the containers whose custody a subject's proof has to show, in order.

    Args:
        histories: Dated facts by container.
        subject: lot/ID (its containers and, backwards, whatever they were filled from),
            journey/COI (every container of the patient), container/ID, or shipment/ID.
    """
    states: dict[str, Container] = {}
    inside: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    for name, history in histories.items():
        state = Container(id=name)
        for dated in history:
            state = state.with_fact(dated.fact)
            if state.inside:
                inside.setdefault(name, set()).add(state.inside)
            sources.setdefault(name, set()).update(getattr(dated.fact, "sources", ()))
        states[name] = state
    found = {
        name
        for name, state in states.items()
        if {
            "container": name == subject.id,
            "lot": state.lot == subject.id,
            "journey": state.coi == subject.id,
            "shipment": name == subject.id or subject.id in inside.get(name, ()),
        }.get(subject.family, False)
    }
    waiting = list(found) if subject.family == "lot" else []
    while waiting:
        more = {one for one in sources.get(waiting.pop(), ()) if one in states} - found
        found |= more
        waiting += more
    return sorted(found)
