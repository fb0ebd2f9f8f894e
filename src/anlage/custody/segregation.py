"""Segregation: what may not stand together, as hard constraints of every place and shipment.

An infectious status that is not known counts as infectious.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from anlage.base import Problem

RULE = "Directive 2006/86/EC annex II; EU GMP Part IV 9.5"
_SHORT = 4


class Infectious(StrEnum):
    """Infectious status of the donor of a material."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A thing that is to stand somewhere.

    Attributes:
        id: The container.
        product_class: cell therapy, tissue, reagent, waste.
        coi: The patient's chain of identity; None where there is none.
        infectious: The donor's status.
        is_open: True while it is handled open.
        label_name: The name that a person reads on it.
    """

    id: str
    product_class: str
    coi: str | None = None
    infectious: Infectious = Infectious.UNKNOWN
    is_open: bool = False
    label_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRule:
    """What a place takes.

    Attributes:
        id: The place.
        classes: The product classes that it takes; empty for all.
        takes_infectious: True where positive and unknown materials may stand.
        one_patient: True where only one patient's materials may stand at a time.
        clear_first: True while the place waits for cleaning and clearance.
    """

    id: str
    classes: frozenset[str] = frozenset()
    takes_infectious: bool = False
    one_patient: bool = False
    clear_first: bool = False


def conflicts(thing: Kept, place: PlaceRule, others: Iterable[Kept]) -> list[Problem]:
    """Give every reason why a thing may not stand at a place beside others."""
    found: list[Problem] = []
    if place.clear_first:
        found.append(
            _problem("place-not-cleared", thing, place, "not cleared since its last use", "cleared")
        )
    if place.classes and thing.product_class not in place.classes:
        limit = ", ".join(sorted(place.classes))
        found.append(_problem("class-not-allowed", thing, place, thing.product_class, limit))
    if thing.infectious is not Infectious.NEGATIVE and not place.takes_infectious:
        found.append(
            _problem("infectious-not-allowed", thing, place, thing.infectious.value, "negative")
        )
    for other in others:
        if other.id != thing.id:
            found += _between(thing, other, place)
    return found


def conflicts_within(things: Sequence[Kept], place: PlaceRule) -> list[Problem]:
    """Give every conflict of a whole content, each pair once: a room, a shelf, a shipment."""
    found: list[Problem] = []
    for number, thing in enumerate(things):
        found += conflicts(thing, place, things[:number])
    return found


def look_alike(one: str, other: str) -> bool:
    """Tell whether two names could be taken for each other: equal but for one sign or a swap."""
    a, b = (" ".join(name.lower().split()) for name in (one, other))
    if not a or not b or min(len(a), len(b)) < _SHORT:
        return bool(a) and a == b
    if a == b:
        return True
    if len(a) == len(b):
        differing = [place for place in range(len(a)) if a[place] != b[place]]
        if len(differing) == 1:
            return True
        return (
            len(differing) == 2
            and differing[1] == differing[0] + 1
            and a[differing[0]] == b[differing[1]]
            and a[differing[1]] == b[differing[0]]
        )
    short, long = sorted((a, b), key=len)
    return len(long) - len(short) == 1 and any(
        long[:place] + long[place + 1 :] == short for place in range(len(long))
    )


def _between(thing: Kept, other: Kept, place: PlaceRule) -> list[Problem]:
    found: list[Problem] = []
    two_patients = thing.coi is not None and other.coi is not None and thing.coi != other.coi
    if two_patients and (place.one_patient or (thing.is_open and other.is_open)):
        found.append(
            _problem("two-patients", thing, place, f"{other.id} of {other.coi}", "one patient")
        )
    if two_patients and look_alike(thing.label_name, other.label_name):
        found.append(
            _problem(
                "look-alike-names",
                thing,
                place,
                f"{other.label_name!r} on {other.id}",
                f"a name that cannot be taken for {thing.label_name!r}",
            )
        )
    mixed = {thing.infectious, other.infectious}
    if Infectious.NEGATIVE in mixed and len(mixed) > 1 and thing.coi != other.coi:
        found.append(
            _problem(
                "infectious-beside-negative",
                thing,
                place,
                f"{other.id}, {other.infectious.value}",
                thing.infectious.value,
            )
        )
    return found


def _problem(code: str, thing: Kept, place: PlaceRule, found: str, limit: str) -> Problem:
    remedies = {
        "place-not-cleared": "clean and clear the place, or choose another",
        "look-alike-names": "choose another place, so that nobody takes one for the other",
    }
    return Problem(
        code=code,
        what=f"container {thing.id} at {place.id}",
        found=found,
        limit=limit,
        remedy=remedies.get(code, "choose another place"),
        rule=RULE,
    )
