"""A container that somebody has in hand and has read: they answer for it, at a place, from now."""

from anlage.custody import Container, Evidence, HandOverOpened, take_over
from anlage.record import Entry


def in_hand(
    container: Container | None,
    *,
    by: str,
    place: str,
    to: str | None = None,
    is_read: bool = True,
) -> list[Entry]:
    """Give the facts by which whoever read a container's label answers for it.

    Nothing for a container that was never taken into custody (a record older than its custody).

    Args:
        container: What was read.
        by: Who has it in hand.
        place: Where.
        to: To whom it is offered on: a person, or `role/ROLE` for whoever holds it.
        is_read: False when nobody read its label: then it stands on their word.

    Raises:
        Refused: It is still inside another container.
    """
    if container is None or not container.exists:
        return []
    grade = Evidence.SCANNED if is_read else Evidence.ATTESTED_LATER
    entries = take_over(container, by=by, place=place, evidence=grade)
    is_offered = container.holder == by and container.offered_to == to
    if to is not None and not is_offered:
        offered = HandOverOpened(giver=by, receiver=to, evidence=grade)
        entries.append(Entry(container.stream, offered))
    return entries


def after(container: Container, entries: list[Entry]) -> Container:
    """Give a container's state after facts of the same command."""
    for one in entries:
        if one.stream == container.stream:
            container = container.with_fact(one.fact)
    return container
