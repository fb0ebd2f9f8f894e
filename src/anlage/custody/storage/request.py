"""What a person asks for in a store; who asks is the person at the desk."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anlage.base import Quantity
from anlage.record import Signature

from ..container_fact import Evidence
from .place_fact import InfectiousPolicy, PlaceKind, PlaceTerms
from .segregation import Infectious


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPlace:
    """Take a site, cleanroom, store, tank, rack, shelf or box into the record.

    Attributes:
        place: Its own code, as on its label.
        kind: What it is.
        parent: The place that it stands in; empty for a site.
        slot: Where in it, such as A1 or 3, where that has a grid or numbered slots.
        rows: Rows of its own grid, named A, B …
        columns: Columns of its own grid.
        capacity: How many it holds, where it has no grid.
        keeps_min: Lowest temperature it keeps, such as -196 Cel.
        keeps_max: Highest temperature it keeps, such as -150 Cel.
        classes: Product classes that it takes; empty for all.
        infectious: Whether materials of infectious or unknown status may stand in it.
        one_patient: Only one patient's materials at a time.
        is_reusable: It is cleaned and cleared after each emptying.
        gln: Global location number, for a site.
    """

    place: str
    name: str
    kind: PlaceKind
    parent: str | None = None
    slot: str = ""
    rows: int = 0
    columns: int = 0
    capacity: int = 0
    keeps_min: Quantity | None = None
    keeps_max: Quantity | None = None
    classes: tuple[str, ...] = ()
    infectious: InfectiousPolicy = InfectiousPolicy.AS_ABOVE
    one_patient: bool = False
    is_reusable: bool = False
    gln: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlace:
    """Change what a place is for; what stands in it must still be allowed there.

    Attributes:
        classes: Product classes that it takes from now on; empty for all.
        infectious: as-above, none, allowed or only.
        reason: Why.
    """

    place: str
    reason: str
    classes: tuple[str, ...] = ()
    infectious: InfectiousPolicy = InfectiousPolicy.AS_ABOVE
    keeps_min: Quantity | None = None
    keeps_max: Quantity | None = None
    one_patient: bool = False
    is_reusable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlace:
    """Bring a place, with all that stands in it, into another."""

    place: str
    into: str
    reason: str
    slot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePlace:
    """Use an empty place no longer."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanPlace:
    """Note that an empty place was cleaned."""

    place: str
    agent: str
    contact: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearPlace:
    """Clear a cleaned place for use, as a second person."""

    place: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyContainer:
    """Say what a container is, for its storage.

    Attributes:
        product_class: cell therapy, tissue, reagent, waste.
        infectious: The donor's status.
        is_open: It is handled open.
        label_name: The name that a person reads on it; never a patient's own name.
        keep_min: Lowest temperature it may be kept at.
        keep_max: Highest temperature it may be kept at, such as -135 Cel.
    """

    container: str
    product_class: str
    infectious: Infectious
    is_open: bool = False
    label_name: str = ""
    keep_min: Quantity | None = None
    keep_max: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineContainer:
    """Put a container into quarantine."""

    container: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseContainer:
    """Let a container out of quarantine."""

    container: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContainer:
    """Put a container that you hold into a position, by scan of both.

    Attributes:
        place: The box or shelf.
        position: Where in it, such as C7; empty where it has no positions.
    """

    container: str
    place: str
    evidence: Evidence
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestowContainer:
    """Bring a stored container into another position."""

    container: str
    place: str
    evidence: Evidence
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeContainer:
    """Take a stored container out; you hold it from then on.

    Attributes:
        container: The container that the record has there.
        scanned: What was scanned in hand.
        to: Where it is taken.
    """

    container: str
    scanned: str
    to: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePicklist:
    """Make a retrieval list for an order, in the way that opens the fewest tanks and boxes.

    Attributes:
        order: What it is for.
        containers: The containers wanted.
    """

    order: str
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PickContainer:
    """Confirm one line of a picklist by scan: the container goes into your hand.

    Attributes:
        scanned: What was scanned.
        to: Where it is taken.
    """

    picklist: str
    container: str
    scanned: str
    to: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipPick:
    """Leave a line of a picklist, with the reason."""

    picklist: str
    container: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPlace:
    """Compare a place with the record, by scanning all that stands in it.

    Attributes:
        scanned: Every container scanned, one per line; nothing when it is empty.
        positions: Container by position, where the positions were read as well.
        aside: Where you put what does not belong; you hold it from then on.
    """

    place: str
    evidence: Evidence
    scanned: tuple[str, ...] = ()
    positions: Mapping[str, str] = field(default_factory=dict)
    aside: str = ""


def terms_of(request: RegisterPlace) -> PlaceTerms:
    """Give the terms that a registration asks for."""
    return PlaceTerms(
        rows=request.rows,
        columns=request.columns,
        capacity=request.capacity,
        keeps_min=request.keeps_min,
        keeps_max=request.keeps_max,
        classes=tuple(sorted(one.strip().lower() for one in request.classes if one.strip())),
        infectious=request.infectious,
        one_patient=request.one_patient,
        is_reusable=request.is_reusable,
    )
