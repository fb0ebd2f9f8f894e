"""What can happen to a place of storage, as it is kept for ever.

A place is a site, cleanroom, store, tank, rack, shelf or box. Each is a stream of its own; what
stands in its positions is part of its history, so that two containers can never be given one
position: both facts would need the same version of the stream.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from anlage.base import Quantity, Refused
from anlage.record import Signature, fact

from ..container_fact import Evidence
from .segregation import Infectious

RULE = "EU GMP Part IV 7.41 and 9.5; 21 CFR 1271.260"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ROWS_MAX, COLUMNS_MAX, CAPACITY_MAX = 52, 100, 1000
_POSITION = re.compile(r"([A-Za-z]{1,2})0*([1-9]\d{0,2})")


class PlaceKind(StrEnum):
    """What a place is, from the outside in; a place stands in one of a kind before its own."""

    SITE = "site"
    CLEANROOM = "cleanroom"
    STORE = "store"
    TANK = "tank"
    RACK = "rack"
    SHELF = "shelf"
    BOX = "box"

    @property
    def rank(self) -> int:
        """How far in it stands: 0 for a site."""
        return {"site": 0, "cleanroom": 1, "store": 1, "tank": 2, "rack": 3, "shelf": 4}.get(
            self.value, 5
        )

    @property
    def holds_containers(self) -> bool:
        """True where containers stand; the others hold places."""
        return self in (PlaceKind.CLEANROOM, PlaceKind.SHELF, PlaceKind.BOX)


class InfectiousPolicy(StrEnum):
    """Whether materials of infectious or unknown status may stand in a place."""

    AS_ABOVE = "as-above"
    NONE = "none"
    ALLOWED = "allowed"
    ONLY = "only"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTerms:
    """What a place is for.

    Attributes:
        rows: Rows of its grid, named A, B …; 0 without a grid.
        columns: Columns of its grid, counted from 1; 0 without a grid.
        capacity: How many it holds without a grid.
        keeps_min: Lowest temperature it keeps; empty where the place around it says.
        keeps_max: Highest temperature it keeps; empty where the place around it says.
        classes: Product classes it takes; empty for all that the place around it takes.
        infectious: Whether materials of infectious or unknown status may stand in it.
        one_patient: True where only one patient's materials may stand at a time.
        is_reusable: True where it must be cleaned and cleared after each emptying.
    """

    rows: int = 0
    columns: int = 0
    capacity: int = 0
    keeps_min: Quantity | None = None
    keeps_max: Quantity | None = None
    classes: tuple[str, ...] = ()
    infectious: InfectiousPolicy = InfectiousPolicy.AS_ABOVE
    one_patient: bool = False
    is_reusable: bool = False

    @property
    def size(self) -> int:
        """How many it holds."""
        return self.rows * self.columns or self.capacity

    def names(self) -> tuple[str, ...]:
        """Give the names of its positions, row by row; numbers without a grid."""
        if not self.rows:
            return tuple(str(number) for number in range(1, self.capacity + 1))
        return tuple(
            f"{row_name(row)}{column}"
            for row in range(self.rows)
            for column in range(1, self.columns + 1)
        )

    def position(self, text: str) -> str | None:
        """Give the name of a position as written on the grid; None when it has none such."""
        text = text.strip()
        if not self.rows:
            number = text.lstrip("0")
            fits = number.isdecimal() and number.isascii() and 1 <= int(number) <= self.capacity
            return number if fits else None
        match = _POSITION.fullmatch(text)
        if match is None:
            return None
        row, column = row_number(match[1].upper()), int(match[2])
        if row >= self.rows or column > self.columns:
            return None
        return f"{row_name(row)}{column}"


def row_name(number: int) -> str:
    """Give the letters of a row, counted from 0: A to Z, then AA, AB …"""
    if number < len(LETTERS):
        return LETTERS[number]
    return LETTERS[number // len(LETTERS) - 1] + LETTERS[number % len(LETTERS)]


def row_number(letters: str) -> int:
    """Give the number of a row from 0 by its letters."""
    number = 0
    for letter in letters:
        number = number * len(LETTERS) + LETTERS.index(letter) + 1
    return number - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stowed:
    """What was known of a container when it was put into a position.

    Attributes:
        container: The container.
        product_class: Its product class.
        coi: The patient's chain of identity; None where there is none.
        lot: Its lot.
        infectious: The donor's status.
        is_open: True while it is handled open.
        label_name: The name that a person reads on it; never a patient's own name.
    """

    container: str
    product_class: str
    coi: str | None = None
    lot: str | None = None
    infectious: Infectious = Infectious.UNKNOWN
    is_open: bool = False
    label_name: str = ""


@fact("place-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRegistered:
    """A place was taken into the record.

    Attributes:
        name: What people call it.
        kind_of: What it is.
        terms: What it is for.
        parent: The place that it stands in; None for a site.
        slot: Where in it; empty where that has no grid.
        gln: Global location number of the site; None where there is none.
    """

    name: str
    kind_of: PlaceKind
    terms: PlaceTerms
    parent: str | None = None
    slot: str = ""
    gln: str | None = None


@fact("place-changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChanged:
    """What a place is for was changed."""

    old: PlaceTerms
    new: PlaceTerms
    reason: str


@fact("place-set-in")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSetIn:
    """A smaller place was set into this one."""

    place: str
    slot: str = ""


@fact("place-taken-out")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTakenOut:
    """A smaller place was taken out of this one."""

    place: str
    slot: str = ""


@fact("place-moved")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceMoved:
    """This place, with all that stands in it, was brought into another."""

    origin: str
    parent: str
    slot: str
    reason: str


@fact("place-closed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceClosed:
    """A place is no longer used."""

    reason: str


@fact("place-cleaned")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCleaned:
    """An empty place was cleaned."""

    by: str
    agent: str
    contact: Quantity


@fact("place-cleared")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCleared:
    """A second person found a cleaned place empty and cleared it for use."""

    by: str
    signature: Signature | None = None


@fact("position-filled")
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFilled:
    """A container was put into a position.

    Attributes:
        position: The position; empty where the place has none.
        stowed: What was known of the container.
        by: Who put it in.
        rules: The segregation rules that were judged.
    """

    position: str
    stowed: Stowed
    by: str
    evidence: Evidence
    rules: str = ""


class Leaving(StrEnum):
    """Why a container left a position."""

    TAKEN = "taken-out"
    PICKED = "picked"
    MOVED = "moved"
    MISSED = "missed"
    ELSEWHERE = "found-elsewhere"
    ENDED = "ended"


@fact("position-emptied")
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEmptied:
    """A container left a position."""

    position: str
    container: str
    why: Leaving
    by: str
    evidence: Evidence


@fact("position-reserved")
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReserved:
    """A container in a position was promised to a picklist."""

    position: str
    container: str
    picklist: str


@fact("position-freed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFreed:
    """A container in a position is no longer promised to a picklist."""

    position: str
    container: str
    picklist: str


@fact("place-audited")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAudited:
    """A place was scanned and compared with the record.

    Attributes:
        expected: How many containers the record had in it.
        found: How many were scanned.
        missing: Containers of the record that were not there.
        foreign: Containers that the record has elsewhere, taken out by the auditor.
        shifted: Containers that stood in another position of it.
    """

    expected: int
    found: int
    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    shifted: tuple[str, ...]
    by: str
    evidence: Evidence


def terms_must_be_sound(place: str, kind: PlaceKind, terms: PlaceTerms) -> None:
    """See that the terms of a place can be.

    Raises:
        Refused: `place-terms-unusable`.
    """
    found = ""
    if (
        (terms.rows > 0) != (terms.columns > 0)
        or min(terms.rows, terms.columns) < 0
        or terms.rows > ROWS_MAX
        or terms.columns > COLUMNS_MAX
    ):
        found = f"a grid of {terms.rows} by {terms.columns}"
    elif not 0 <= terms.capacity <= CAPACITY_MAX or (terms.rows and terms.capacity):
        found = f"a capacity of {terms.capacity}" + (" beside a grid" if terms.rows else "")
    elif kind.holds_containers and not terms.size:
        found = "no grid and no capacity"
    elif terms.one_patient and not kind.holds_containers:
        found = f"one patient only, in a {kind.value} that holds no containers itself"
    elif (
        terms.keeps_min is not None
        and terms.keeps_max is not None
        and terms.keeps_min.compare(terms.keeps_max) > 0
    ):
        found = f"kept from {terms.keeps_min} to {terms.keeps_max}"
    for limit in (terms.keeps_min, terms.keeps_max):
        if limit is not None and not found:
            limit.to("Cel")
    if found:
        raise Refused(
            "place-terms-unusable",
            what=f"place {place}",
            found=found,
            limit=f"a grid up to {ROWS_MAX} by {COLUMNS_MAX}, or a capacity up to"
            f" {CAPACITY_MAX}; temperatures in order",
            remedy="correct the terms",
            rule=RULE,
        )
