"""The first facts after the journal's own: the person who may let others in."""

from anlage.library import Person, PersonRegistered, RoleGranted, stream_of_person
from anlage.record import Actor, Entry

from .installation import Installation

FIRST = "P-0001"


def first_administrator(installation: Installation, *, name: str) -> str:
    """Register the first administrator of a new installation; gives the person's identifier.

    Nobody can grant the first role, so the founding itself does, and the fact says so. Whoever
    administers cannot sign a product's record: the role excludes the others.
    """
    stream = stream_of_person(FIRST)
    facts = [
        PersonRegistered(id=Person.begin(stream).id, name=name, post="administrator"),
        RoleGranted(role="administrator", role_version=1, requires=(), granted_by="founding"),
    ]
    journal = installation.journal
    journal.append(
        [Entry(stream, one, why="founding of the installation") for one in facts],
        {stream: 0},
        by=Actor(via="command-line"),
        at=installation.clock.now(),
    )
    return FIRST
