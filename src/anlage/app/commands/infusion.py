"""What the physician ordered, put together for the bedside; and whether the lot still stands."""

from collections.abc import Callable
from datetime import timedelta

from anlage.base import Instant, Refused
from anlage.custody import InfusionOrder
from anlage.library import Collection, Definition, Product, stream_of
from anlage.plant import Journey, LotStatus
from anlage.record import Stream

from ..engine import Desk, Engine
from .making import definition_of, lot_of

STANDS = frozenset({LotStatus.RELEASED})


def must_stand(desk: Desk, journey: Journey) -> None:
    """See that the lot of the dose is released and was not called back since.

    Raises:
        Refused: `dose-unavailable`.
    """
    if journey.lot is None:
        return
    lot = lot_of(desk, journey.lot)
    container = lot.containers.get(journey.dose_container or "")
    if lot.status not in STANDS or (container is not None and container.is_rejected):
        raise Refused(
            "dose-unavailable",
            what=f"dose of lot {lot.id} for {journey.id}",
            found="the bag is rejected" if lot.status in STANDS else str(lot.status),
            limit="released",
            remedy="do not give it; call the physician and the facility",
            rule="EU GMP Annex 11, 15; 21 CFR 211.150",
        )


def collection_of(desk: Desk, product: str) -> Collection | None:
    """Give how a product's starting material is collected; None where that is not specified."""
    return _collection(lambda kind, id: definition_of(desk, kind, id), product, desk.at)


def collection_in_effect(engine: Engine, product: str, at: Instant) -> Collection | None:
    """Give the same to look at, as a page does."""
    return _collection(lambda kind, id: engine.state(Definition, stream_of(kind, id)), product, at)


def _collection(
    definition: Callable[[str, str], Definition], product: str, at: Instant
) -> Collection | None:
    version = definition("product", product).effective(at) if product else None
    named = version.content.get("collections") if version is not None else None
    if not isinstance(named, list | tuple) or not named:
        return None
    found = definition("collection", str(named[0])).effective(at)
    return Collection.read(found.content) if found is not None else None


def order_of(desk: Desk, journey: Journey, container: str) -> InfusionOrder | None:
    """Give the order of a dose: the volume that was filled, the product's expiry and its time
    after thaw; None where no lot is known.
    """
    if journey.lot is None:
        return None
    lot = lot_of(desk, journey.lot)
    known = lot.containers.get(container)
    if known is None or lot.made is None:
        return None
    definition = definition_of(desk, "product", lot.product)
    product = Product.read(definition.version(lot.product_version).content)
    storage = product.storage
    life = storage.shelf_life or None
    days = float(life.to("d").value) if life is not None else 365.0
    hold = storage.after_thaw
    return InfusionOrder(
        id=str(Stream(f"journey/{journey.id}")),
        coi=journey.id,
        lot=lot.id,
        volume_min=known.fill.amount,
        volume_max=known.fill.amount,
        expires=lot.made + timedelta(days=days),
        thaw_to_infusion_max=None if hold is None else timedelta(seconds=float(hold.to("s").value)),
    )
