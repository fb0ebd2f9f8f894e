"""Using material: opening, thawing, reserving, consuming, putting right, destroying, counting.

Expired, quarantined, recalled or wrong material is refused, whatever anybody prefers; the one door
is an exceptional authorisation on the lot that uses it, given before the act.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.record import Entry

from .material import LATE, RULE, ZERO, MaterialLot, PackState, subject_of
from .material_fact import (
    MaterialConsumed,
    MaterialDestroyed,
    MaterialReconciled,
    MaterialReserved,
    MaterialStatus,
    MaterialUseCorrected,
    PackFrozen,
    PackMoved,
    PackOpened,
    PackThawed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPack:
    """Open a pack; the clock of its use after opening starts."""

    material: str
    pack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThawPack:
    """Thaw a pack; the clock of its use after thaw starts."""

    material: str
    pack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezePack:
    """Freeze a thawed pack again."""

    material: str
    pack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePack:
    """Put a pack into another position."""

    material: str
    pack: str
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveMaterial:
    """Keep an amount for one subject; zero lets it go."""

    material: str
    lot: str
    amount: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumeMaterial:
    """Use an amount of a pack at a step of a lot.

    Attributes:
        material: The material lot.
        lot: The product lot's number, or the stream of a preparation.
        step: The step at which it is used.
        material_class: The class that the step asks for.
        amount: How much.
        pack: The pack; may be left out when the lot has only one.
        happened: When, if it is entered after the fact.
        reason: Why it is entered late.
    """

    material: str
    lot: str
    step: str
    material_class: str
    amount: Quantity
    pack: str | None = None
    happened: Instant | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectUse:
    """Put a wrong entry of use right; nothing is overwritten.

    Attributes:
        material: The material lot.
        of: Number of the fact that is wrong.
        amount: The amount that was truly used; zero when none was.
        reason: What was wrong.
        lot: The subject it truly went into, when that was wrong.
    """

    material: str
    of: int
    amount: Quantity
    reason: str
    lot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyMaterial:
    """Throw an amount of a pack away."""

    material: str
    pack: str
    amount: Quantity
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileMaterial:
    """Set the book of a pack to what was counted."""

    material: str
    pack: str
    counted: Quantity
    reason: str | None = None


def open_pack(lot: MaterialLot, request: OpenPack, *, at: Instant) -> list[Entry]:
    """Open a pack.

    Raises:
        Refused: There is no such pack, it is open, frozen or empty.
    """
    pack = _pack(lot, request.pack)
    if pack.opened is not None:
        raise _refused(lot, request.pack, f"open since {pack.opened:%Y-%m-%d %H:%M}", "closed")
    if pack.is_frozen:
        raise _refused(lot, request.pack, "frozen", "thawed")
    return [_opened(lot, request.pack, at)]


def thaw_pack(lot: MaterialLot, request: ThawPack, *, at: Instant) -> list[Entry]:
    """Thaw a pack.

    Raises:
        Refused: It is not frozen, or was thawed as often as its class allows.
    """
    pack = _pack(lot, request.pack)
    if not pack.is_frozen:
        raise _refused(lot, request.pack, "not frozen", "frozen")
    limit = lot.terms.thaws_max
    if limit is not None and pack.thaws >= limit:
        raise _refused(
            lot, request.pack, f"thawed {pack.thaws} times", f"at most {limit} times", "thaws-spent"
        )
    lapses = _later(at, lot.terms.hours_after_thaw)
    return [
        Entry(lot.stream, PackThawed(pack=request.pack, count=pack.thaws + 1, lapses=lapses), at)
    ]


def freeze_pack(lot: MaterialLot, request: FreezePack, *, at: Instant) -> list[Entry]:
    """Freeze a thawed pack again.

    Raises:
        Refused: It is frozen, was opened, is past its time after thaw, or could never be thawed
            again.
    """
    pack = _pack(lot, request.pack)
    if pack.is_frozen or pack.opened is not None:
        found = "frozen" if pack.is_frozen else "opened"
        raise _refused(lot, request.pack, found, "thawed and closed")
    if pack.lapses is not None and at > pack.lapses:
        raise _refused(lot, request.pack, f"lapsed {pack.lapses:%Y-%m-%d %H:%M}", "in its time")
    limit = lot.terms.thaws_max
    if limit is not None and pack.thaws >= limit:
        raise _refused(
            lot,
            request.pack,
            f"thawed {pack.thaws} times of {limit}",
            "a thaw left to use it again",
            "thaws-spent",
        )
    return [Entry(lot.stream, PackFrozen(pack=request.pack))]


def move_pack(lot: MaterialLot, request: MovePack) -> list[Entry]:
    """Put a pack into another position.

    Raises:
        Refused: Another pack of the lot stands there.
    """
    pack = _pack(lot, request.pack)
    position = clean_line(request.position, "position", limit=100)
    for name, other in lot.packs.items():
        if other.position == position and other.left > 0 and name != request.pack:
            raise _refused(lot, request.pack, f"pack {name} stands in {position}", "a free place")
    said = PackMoved(pack=request.pack, was=pack.position, position=position)
    return [Entry(lot.stream, said)]


def reserve_material(lot: MaterialLot, request: ReserveMaterial, *, at: Instant) -> list[Entry]:
    """Keep an amount for one subject, so that nobody else takes it.

    Raises:
        Refused: The lot may not be used, is another's, or not so much is free.
    """
    lot.must_exist()
    subject = subject_of(request.lot)
    amount = lot.amount_of(request.amount)
    if amount == 0:
        if subject not in lot.reserved:
            raise _refused_amount(lot, "nothing kept", f"something kept for {subject}")
        return [Entry(lot.stream, MaterialReserved(subject=subject, amount=ZERO))]
    lot.must_be_usable(
        material_class=lot.terms.material_class, amount=request.amount, at=at, lot=subject
    )
    return [Entry(lot.stream, MaterialReserved(subject=subject, amount=amount))]


def consume_material(
    lot: MaterialLot, request: ConsumeMaterial, *, at: Instant, authorised: int | None = None
) -> list[Entry]:
    """Use an amount at a step of a lot; a pack not yet open is opened by it.

    Args:
        lot: The material lot.
        request: What is used where.
        at: The moment of the command.
        authorised: Number of the exceptional authorisation whose scope is this step and this
            material lot; it lifts the rules of usability, never those of identity and amount.

    Raises:
        Refused: `identity-mismatch` or `material-unusable`.
    """
    lot.must_exist()
    subject = subject_of(request.lot)
    happened = request.happened or at
    if happened > at:
        raise _refused_amount(lot, f"used at {happened:%Y-%m-%d %H:%M}", "not in the future")
    late = at - happened > LATE
    why = clean_line(request.reason, "reason") if request.reason else None
    if late and why is None:
        raise Refused(
            "late-entry-unexplained",
            what=f"use of material lot {lot.id}",
            found=f"entered {at - happened} after the fact",
            limit="a reason",
            remedy="say why it is entered late",
            rule="ALCOA: contemporaneous",
        )
    name = _only_pack(lot, request.pack)
    _must_be_willing(lot, request, subject, name, happened, late, authorised)
    amount = lot.amount_of(request.amount)
    entries = []
    if lot.packs[name].opened is None and lot.terms.hours_after_opening is not None:
        entries.append(_opened(lot, name, happened))
    said = MaterialConsumed(
        subject=subject,
        step=request.step,
        pack=name,
        amount=amount,
        stated=request.amount if request.amount.unit != lot.unit else None,
        authorised=authorised,
        is_late=late,
    )
    return [*entries, Entry(lot.stream, said, request.happened, why)]


def correct_use(lot: MaterialLot, request: CorrectUse) -> list[Entry]:
    """Put a wrong entry of use right.

    Raises:
        Refused: There is no such use, nothing changes, the pack never held so much, or the
            material is dedicated to another.
    """
    lot.must_exist()
    use = lot.uses.get(request.of)
    if use is None:
        raise _refused_amount(lot, f"fact {request.of}", "a use of this material lot")
    amount = lot.amount_of(request.amount)
    subject = subject_of(request.lot) if request.lot else use.subject
    lot.must_be_for(subject)
    if amount == use.amount and subject == use.subject:
        raise _refused_amount(lot, f"{amount} into {subject}, as before", "a change")
    most = use.amount + lot.packs[use.pack].left
    if not 0 <= amount <= most:
        raise _refused_amount(lot, f"{request.amount}", f"0 to {Quantity(most, lot.unit)}")
    said = MaterialUseCorrected(
        of=request.of, was=use.amount, amount=amount, subject=subject, pack=use.pack
    )
    return [Entry(lot.stream, said, why=clean_line(request.reason, "reason"))]


def destroy_material(lot: MaterialLot, request: DestroyMaterial) -> list[Entry]:
    """Throw an amount away, whatever the status: waste is recorded too.

    Raises:
        Refused: The pack does not hold so much.
    """
    pack = _pack(lot, request.pack)
    amount = lot.amount_of(request.amount)
    if not 0 < amount <= pack.left:
        raise _refused_amount(
            lot, f"{request.amount}", f"above 0, at most {Quantity(pack.left, lot.unit)}"
        )
    said = MaterialDestroyed(pack=request.pack, amount=amount)
    return [Entry(lot.stream, said, why=clean_line(request.reason, "reason"))]


def reconcile_material(lot: MaterialLot, request: ReconcileMaterial) -> list[Entry]:
    """Set the book of a pack to what was counted.

    The tolerance is a share of what came in. Outside it the reason must be given; the fact says
    so, and the caller opens a deviation on it.

    Raises:
        Refused: The count is below zero, or the difference is outside and unexplained.
    """
    pack = _pack(lot, request.pack, may_be_empty=True)
    if lot.status is MaterialStatus.VOID:
        raise _refused_amount(lot, "void", "a lot that is in the store")
    counted = lot.amount_of(request.counted)
    if counted < 0:
        raise _refused_amount(lot, f"{request.counted} counted", "0 or more")
    tolerance = lot.balance.received * lot.terms.tolerance_percent / 100
    within = abs(counted - pack.left) <= tolerance
    why = clean_line(request.reason, "reason") if request.reason else None
    if not within and why is None:
        raise Refused(
            "reconciliation-unexplained",
            what=f"pack {request.pack} of material lot {lot.id}",
            found=f"{Quantity(counted, lot.unit)} counted, {Quantity(pack.left, lot.unit)} booked",
            limit=f"a difference of at most {Quantity(tolerance, lot.unit)}",
            remedy="count again, or give the reason; a deviation is opened",
            rule="21 CFR 211.184(d)",
        )
    said = MaterialReconciled(
        pack=request.pack,
        book=pack.left,
        counted=counted,
        tolerance=tolerance,
        is_within=within,
    )
    return [Entry(lot.stream, said, why=why)]


def _must_be_willing(
    lot: MaterialLot,
    request: ConsumeMaterial,
    subject: str,
    pack: str,
    happened: Instant,
    late: bool,
    authorised: int | None,
) -> None:
    """Apply the rules of use, or under an authorisation those that nobody can lift."""
    if authorised is None:
        lot.must_be_usable(
            material_class=request.material_class,
            amount=request.amount,
            at=happened,
            lot=subject,
            pack=pack,
            is_late=late,
        )
        return
    lot.must_be_for(subject)
    wanted = lot.amount_of(request.amount)
    free = min(lot.packs[pack].left, lot.available_to(subject))
    if lot.status is MaterialStatus.VOID or not 0 < wanted <= free:
        raise _refused_amount(
            lot, f"{request.amount}", f"above 0, at most {Quantity(free, lot.unit)}"
        )


def _only_pack(lot: MaterialLot, pack: str | None) -> str:
    if pack is None:
        if len(lot.packs) != 1:
            raise _refused_amount(lot, "no pack named", f"one of {len(lot.packs)} packs")
        return next(iter(lot.packs))
    if pack not in lot.packs:
        raise _refused_amount(lot, f"pack {pack}", f"one of {len(lot.packs)} packs of this lot")
    return pack


def _pack(lot: MaterialLot, name: str, *, may_be_empty: bool = False) -> PackState:
    lot.must_exist()
    pack = lot.packs.get(name)
    if pack is None:
        raise _refused(lot, name, "no such pack", f"one of {len(lot.packs)} packs of this lot")
    if pack.left <= 0 and not may_be_empty:
        raise _refused(lot, name, "empty", "a pack with something in it")
    return pack


def _opened(lot: MaterialLot, pack: str, at: Instant) -> Entry:
    return Entry(
        lot.stream, PackOpened(pack=pack, lapses=_later(at, lot.terms.hours_after_opening)), at
    )


def _later(at: Instant, hours: Decimal | None) -> Instant | None:
    return None if hours is None else at + timedelta(milliseconds=int(hours * 3_600_000))


def _refused(
    lot: MaterialLot, pack: str, found: object, limit: str, code: str = "pack-state"
) -> Refused:
    return Refused(
        code,
        what=f"pack {pack} of material lot {lot.id}",
        found=found,
        limit=limit,
        remedy="scan the pack again, or take another",
        rule=RULE,
    )


def _refused_amount(lot: MaterialLot, found: str, limit: str) -> Refused:
    return Refused(
        "material-amount",
        what=f"material lot {lot.id}",
        found=found,
        limit=limit,
        remedy="correct the entry, or take another lot",
        rule=RULE,
    )
