"""Making material lots from others: preparations by a recipe, splits and pools.

What is drawn from a source and what comes into the new lot stand in one set of entries, so both
are written or neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.record import Entry, Stream

from .material import CLOSED, RULE, ZERO, MaterialLot
from .material_fact import (
    MaterialDrawn,
    MaterialReceived,
    MaterialSource,
    MaterialStatus,
    MaterialTerms,
    Origin,
    Rcl,
    Titre,
)
from .material_intake import PackIn, must_be_new, packs_of
from .material_use import ConsumeMaterial, consume_material


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """What goes into a preparation or pool: a pack of a material lot and how much of it.

    `material_class` is what the recipe asks for at that place; a pool asks for its own class.
    """

    material: str
    amount: Quantity
    pack: str | None = None
    material_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareMaterial:
    """Make a material lot in the house by an effective recipe; it goes into quarantine.

    Attributes:
        material: The number that the new lot gets.
        material_class: Its class.
        name: What people call it.
        recipe: The recipe and version ("recipe:BUFFER-1@2").
        ingredients: What goes in.
        amount: What came out.
        expires: The last instant of its life.
        packs: Its packs.
        dedicated_to: The one subject it may be used for.
        titre: Titre of a vector made in the house.
    """

    material: str
    material_class: str
    name: str
    recipe: str
    ingredients: tuple[Ingredient, ...]
    amount: Quantity
    expires: Instant
    packs: tuple[PackIn, ...] = ()
    dedicated_to: str | None = None
    titre: Titre | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitMaterial:
    """Take part of a pack into a material lot of its own, such as for another store.

    The new lot keeps class, expiry, status and everything known of its parent.
    """

    material: str
    into: str
    amount: Quantity
    pack: str | None = None
    packs: tuple[PackIn, ...] = ()
    dedicated_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMaterials:
    """Pour several lots of one class together into a new lot; it goes into quarantine."""

    into: str
    name: str
    parts: tuple[Ingredient, ...]


def prepare_material(
    lot: MaterialLot,
    request: PrepareMaterial,
    *,
    terms: MaterialTerms,
    sources: Mapping[str, MaterialLot],
    at: Instant,
) -> list[Entry]:
    """Make a material lot by a recipe; the ingredients are consumed at the step `prepare`.

    Args:
        lot: The new lot, which must not exist.
        request: What was made from what.
        terms: The demands of the new lot's class.
        sources: The ingredients' states by number.
        at: The moment.

    Raises:
        Refused: The number is taken, an ingredient may not be used or is named twice, or the life
            of the preparation ends after that of an ingredient.
    """
    must_be_new(lot)
    _must_be_several(lot, request.ingredients, 1)
    _must_hold_all(request.ingredients, sources)
    entries: list[Entry] = []
    for part in request.ingredients:
        source = _source(sources, part.material)
        wanted = ConsumeMaterial(
            material=part.material,
            lot=str(lot.stream),
            step="prepare",
            material_class=part.material_class,
            amount=part.amount,
            pack=part.pack,
        )
        entries += consume_material(source, wanted, at=at)
    last = min(end for one in sources.values() if (end := one.expiry) is not None)
    if not at < request.expires <= last:
        limit = f"after {at:%Y-%m-%d}, at most {last:%Y-%m-%d %H:%M} UTC, as its ingredients"
        raise _refused(lot, f"expires {request.expires:%Y-%m-%d %H:%M} UTC", limit)
    amount, packs = packs_of(lot, request.amount, request.packs, terms)
    said = MaterialReceived(
        origin=Origin.PREPARATION,
        name=clean_line(request.name, "name of the material"),
        terms=terms,
        amount=amount,
        packs=packs,
        expires=request.expires,
        recipe=clean_line(request.recipe, "recipe"),
        sources=_sources(request.ingredients),
        dedicated_to=request.dedicated_to,
        titre=request.titre,
        rcl=Rcl.PENDING if terms.needs_rcl else None,
    )
    return [*entries, Entry(lot.stream, said)]


def split_material(
    child: MaterialLot, parent: MaterialLot, request: SplitMaterial, *, at: Instant
) -> list[Entry]:
    """Take part of a pack into a lot of its own.

    Raises:
        Refused: The number is taken, the parent is closed or expired, or holds less than that.
    """
    must_be_new(child)
    _must_stand(parent, at)
    pack = _pack_of(parent, request.pack)
    amount = _drawable(parent, pack, request.amount)
    # A frozen vial goes whole: nobody takes half of it.
    held = parent.packs[pack]
    if held.is_frozen and amount != held.left:
        raise _refused(parent, f"part of frozen pack {pack}", "the whole pack, or a thawed one")
    dedicated = request.dedicated_to or parent.dedicated_to
    if dedicated is not None:
        parent.must_be_for(dedicated)
    total, fresh = packs_of(child, request.amount, request.packs, parent.terms)
    packs = tuple(replace(one, is_frozen=held.is_frozen, thaws=held.thaws) for one in fresh)
    expires = _expiry(parent, pack)
    said = MaterialReceived(
        origin=Origin.SPLIT,
        name=parent.name,
        terms=parent.terms,
        amount=total,
        packs=packs,
        expires=expires,
        supplier=parent.supplier,
        supplier_lot=parent.supplier_lot,
        certificate=parent.certificate,
        sources=(MaterialSource(material=str(parent.stream), amount=request.amount),),
        status=parent.status or MaterialStatus.QUARANTINED,
        dedicated_to=dedicated,
        titre=parent.titre,
        rcl=parent.rcl,
    )
    drawn = MaterialDrawn(into=str(child.stream), origin=Origin.SPLIT, pack=pack, amount=amount)
    return [Entry(parent.stream, drawn), Entry(child.stream, said)]


def pool_materials(
    lot: MaterialLot,
    request: PoolMaterials,
    *,
    sources: Mapping[str, MaterialLot],
    at: Instant,
) -> list[Entry]:
    """Pour several lots of one class together; the pool expires with its shortest-lived part.

    Raises:
        Refused: Fewer than two parts, of different classes or dedications, closed, expired, or
            holding less than that.
    """
    must_be_new(lot)
    _must_be_several(lot, request.parts, 2)
    _must_hold_all(request.parts, sources)
    states = [_source(sources, part.material) for part in request.parts]
    first = states[0]
    entries: list[Entry] = []
    total, thaws = ZERO, 0
    ends = []
    for part, source in zip(request.parts, states, strict=True):
        _must_stand(source, at)
        if source.terms.material_class != first.terms.material_class:
            raise _refused(source, source.terms.material_class, first.terms.material_class)
        if source.dedicated_to != first.dedicated_to:
            source.must_be_for(first.dedicated_to or "common stock")
            raise _refused(source, "common stock", f"only for {first.dedicated_to}")
        pack = _pack_of(source, part.pack)
        amount = _drawable(source, pack, part.amount)
        if source.packs[pack].is_frozen:
            raise _refused(source, f"pack {pack} is frozen", "thawed")
        drawn = MaterialDrawn(into=str(lot.stream), origin=Origin.POOL, pack=pack, amount=amount)
        entries.append(Entry(source.stream, drawn))
        total += first.amount_of(Quantity(amount, source.unit))
        thaws = max(thaws, source.packs[pack].thaws)
        ends.append(_expiry(source, pack))
    whole, fresh = packs_of(lot, Quantity(total, first.unit), (), first.terms)
    packs = tuple(replace(one, is_frozen=False, thaws=thaws) for one in fresh)
    said = MaterialReceived(
        origin=Origin.POOL,
        name=clean_line(request.name, "name of the material"),
        terms=first.terms,
        amount=whole,
        packs=packs,
        expires=min(ends),
        sources=_sources(request.parts),
        dedicated_to=first.dedicated_to,
        rcl=Rcl.PENDING if first.terms.needs_rcl else None,
    )
    return [*entries, Entry(lot.stream, said)]


def _must_be_several(lot: MaterialLot, parts: tuple[Ingredient, ...], least: int) -> None:
    packs = [(part.material, part.pack) for part in parts]
    own = any(part.material == lot.id for part in parts)
    if len(packs) < least or len(set(packs)) < len(packs) or own:
        found = ", ".join(part.material for part in parts) or "nothing"
        raise _refused(lot, f"made from {found}", f"{least} or more different packs, each once")


def _must_hold_all(parts: tuple[Ingredient, ...], sources: Mapping[str, MaterialLot]) -> None:
    """Refuse packs of one lot that together take what is kept for somebody else."""
    wanted: dict[str, Decimal] = {}
    for part in parts:
        amount = _source(sources, part.material).amount_of(part.amount)
        wanted[part.material] = wanted.get(part.material, ZERO) + amount
    for name, amount in wanted.items():
        source = _source(sources, name)
        if amount > source.available.value:
            raise _refused(source, Quantity(amount, source.unit), f"at most {source.available}")


def _must_stand(lot: MaterialLot, at: Instant) -> None:
    lot.must_exist()
    if lot.status in CLOSED:
        raise _refused(lot, lot.status, "quarantined or released")
    if lot.expiry is not None and at > lot.expiry:
        raise _refused(lot, f"expired {lot.expiry:%Y-%m-%d}", "within its life")


def _pack_of(lot: MaterialLot, pack: str | None) -> str:
    if pack is None and len(lot.packs) == 1:
        return next(iter(lot.packs))
    if pack is None or pack not in lot.packs:
        raise _refused(lot, f"pack {pack}", f"one of {len(lot.packs)} packs")
    return pack


def _drawable(lot: MaterialLot, pack: str, stated: Quantity) -> Decimal:
    amount = lot.amount_of(stated)
    free = min(lot.packs[pack].left, lot.available.value)
    if not 0 < amount <= free:
        raise _refused(lot, f"{stated}", f"above 0, at most {Quantity(free, lot.unit)}")
    return amount


def _expiry(lot: MaterialLot, pack: str) -> Instant:
    ends = [end for end in (lot.expiry, lot.packs[pack].lapses) if end is not None]
    return min(ends)


def _source(sources: Mapping[str, MaterialLot], name: str) -> MaterialLot:
    source = sources.get(name) or MaterialLot.begin(Stream(f"material/{name}"))
    source.must_exist()
    return source


def _sources(parts: tuple[Ingredient, ...]) -> tuple[MaterialSource, ...]:
    return tuple(
        MaterialSource(material=f"material/{one.material}", amount=one.amount) for one in parts
    )


def _refused(lot: MaterialLot, found: object, limit: str) -> Refused:
    return Refused(
        "material-unusable",
        what=f"material lot {lot.id}",
        found=found,
        limit=limit,
        remedy="take another lot, or correct the entry",
        rule=RULE,
    )
