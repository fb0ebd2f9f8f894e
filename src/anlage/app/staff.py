"""A person as a command sees them: with the effective version of every SOP that their roles ask
for, so that a new version closes the steps of those who have not read it.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from anlage.library import Definition, Person, stream_of, stream_of_person

if TYPE_CHECKING:
    from .engine import Desk


def person_of(desk: "Desk", id: str) -> Person:
    """Give a person, knowing the documents in force; each one read is held to by the command."""
    person = desk.read(Person, stream_of_person(id))
    found = {}
    for document in sorted(person.documents_asked):
        version = desk.read(Definition, stream_of("sop", document)).effective(desk.at)
        if version is not None:
            found[document] = version.number
    return replace(person.knowing(found), world=desk.world)
