"""A lot comes to be: under its own number, with a frozen copy of an approved recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from anlage.base import Instant, Refused, clean_line
from anlage.record import Entry, Stream

from .errors import GMP
from .journey import Journey, JourneyStage
from .journey_fact import LotAssigned
from .lot import Lot, LotStatus
from .lot_fact import ControlRecipeFrozen, LotCreated, LotVoided
from .recipe import Recipe, Shape
from .signing import Qualified

BEGINNER = "operator"


class Version(Protocol):
    """A version of a definition that was found to be in effect."""

    @property
    def number(self) -> int:
        """Which version."""
        ...

    @property
    def content(self) -> Mapping[str, Any]:
        """What it says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginLot:
    """Begin a lot.

    Attributes:
        lot: Its number; given by the system when empty.
        product: The product.
        recipe: The recipe; the product's own when empty.
        coi: The patient's chain-of-identity id; empty for an allogeneic lot.
        identity: What identity scans must read; the chain-of-identity id when empty.
        starting: Streams of what it starts from.
    """

    product: str
    lot: str = ""
    recipe: str = ""
    coi: str = ""
    identity: str = ""
    starting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidLot:
    """Take back a lot that was created by mistake."""

    lot: str
    reason: str


def begin_lot(
    lot: Lot,
    request: BeginLot,
    *,
    recipe: Version,
    product_version: int,
    specification: tuple[str, int] = ("", 0),
    required: Sequence[str] = (),
    later: Sequence[str] = (),
    journey: Journey | None,
    person: Qualified,
    at: Instant,
) -> list[Entry]:
    """Begin a lot with a frozen copy of its recipe.

    Args:
        lot: The lot under its number.
        request: What is to be made.
        recipe: The version of the recipe that is in effect, as found by the definition.
        product_version: The version of the product that is in effect.
        specification: The specification's id and version.
        required: The attributes that must have passed before release.
        later: The attributes whose final result may come after release.
        journey: The patient's journey; None for an allogeneic lot.
        person: Who begins it.
        at: The moment.

    Raises:
        Refused: The number is used, the recipe has defects or is for another product, or the
            journey is not at the point for it.
    """
    if lot.status is not LotStatus.UNKNOWN:
        raise Refused(
            "lot-exists",
            what=f"lot {lot.id}",
            found=str(lot.status),
            limit="a number never used before",
            remedy="take the next number",
        )
    person.must_be_qualified(BEGINNER, at)
    content = dict(recipe.content)
    read = Recipe.read(content)
    _must_fit(read, request, journey)
    created = LotCreated(
        product=request.product,
        product_version=product_version,
        shape=read.shape,
        coi=journey.id if journey else None,
        identity=_identity(request, journey),
        weight=journey.weight if journey else None,
        starting=request.starting or _collected(journey),
    )
    frozen = ControlRecipeFrozen(
        recipe=read.id,
        recipe_version=recipe.number,
        digest=read.digest,
        content=content,
        specification=specification[0],
        specification_version=specification[1],
        required=tuple(required),
        later=tuple(later),
    )
    entries = [Entry(lot.stream, created), Entry(lot.stream, frozen)]
    if journey is not None:
        entries.append(Entry(journey.stream, LotAssigned(lot=lot.id, product=request.product)))
    return entries


def void_lot(lot: Lot, request: VoidLot, *, person: Qualified, at: Instant) -> list[Entry]:
    """Take back a lot in which nothing was done; its number stays used and is explained here.

    Raises:
        Refused: Something was done in it: such a lot is terminated, not voided.
    """
    person.must_be_qualified(BEGINNER, at)
    if lot.status is not LotStatus.RUNNING or lot.steps:
        raise Refused(
            "lot-not-running",
            what=f"lot {lot.id}",
            found=f"{lot.status}, {len(lot.steps)} steps begun",
            limit="a lot in which nothing was done",
            remedy="terminate it instead",
            rule=GMP,
        )
    reason = clean_line(request.reason, "reason")
    return [Entry(lot.stream, LotVoided(reason=reason, by=person.id), why=reason)]


def _must_fit(recipe: Recipe, request: BeginLot, journey: Journey | None) -> None:
    if recipe.product != request.product:
        raise Refused(
            "recipe-unusable",
            what=f"recipe {recipe.id}",
            found=f"makes {recipe.product}",
            limit=request.product,
            remedy="choose a recipe of this product",
        )
    if recipe.shape is Shape.AUTOLOGOUS and journey is None:
        raise Refused(
            "journey-out-of-order",
            what=f"lot of {recipe.product}",
            found="no patient",
            limit="the chain-of-identity id of one patient",
            remedy="order the product for a patient first",
            rule="21 CFR 1271.290",
        )
    if recipe.shape is Shape.ALLOGENEIC and journey is not None:
        raise Refused(
            "journey-out-of-order",
            what=f"lot of {recipe.product}",
            found=f"begun for {journey.id}",
            limit="no one patient: its doses are set aside once it is released",
            remedy="leave the patient out",
            rule="chain of identity",
        )
    if journey is not None:
        journey.must_be_at(JourneyStage.ACCEPTED, f"a lot of {recipe.product}")
        if journey.product != request.product:
            raise Refused(
                "identity-mismatch",
                what=f"lot for {journey.id}",
                found=request.product,
                limit=f"{journey.product}, as prescribed",
                remedy="stop; look at the prescription",
                rule="chain of identity",
            )


def _collected(journey: Journey | None) -> tuple[str, ...]:
    container = journey.container if journey else None
    return (f"container/{container}",) if container else ()


def _identity(request: BeginLot, journey: Journey | None) -> str:
    if journey is not None:
        return journey.id
    return clean_line(request.identity or request.lot or "", "identity of the lot", limit=96)


def stream_of_lot(lot: str) -> Stream:
    """Give the stream of a lot by its number."""
    return Stream(f"lot/{lot}")
