"""A material lot: what is left of it, and whether it may be used.

The state folds the facts of one stream `material/ID`. All amounts are exact decimals in the lot's
own unit, so what came in always equals what was used, drawn, destroyed, adjusted and is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Self

from anlage.base import Instant, Problem, Quantity, Refused
from anlage.record import Recorded, Stream

from .material_fact import (
    MaterialCertified,
    MaterialConsumed,
    MaterialDestroyed,
    MaterialDrawn,
    MaterialExpiryChanged,
    MaterialInspected,
    MaterialQuarantined,
    MaterialRecalled,
    MaterialReceived,
    MaterialReconciled,
    MaterialRejected,
    MaterialReleased,
    MaterialReserved,
    MaterialStatus,
    MaterialTerms,
    MaterialUseCorrected,
    MaterialVoided,
    Origin,
    PackFrozen,
    PackMoved,
    PackOpened,
    PackThawed,
    Rcl,
    Titre,
)

ZERO = Decimal(0)
LATE = timedelta(minutes=5)
RULE = "EU GMP Part IV (ATMP) 7; 21 CFR 211.87"
CLOSED = frozenset({MaterialStatus.REJECTED, MaterialStatus.RECALLED, MaterialStatus.VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class PackState:
    """One pack as it stands: what is left in it, and the clocks that run on it.

    Attributes:
        left: What is left, in the lot's unit.
        position: Where it stands.
        opened: When it was opened.
        is_frozen: Whether it is frozen at present.
        thaws: How many times it has been thawed.
        opened_until: End of its use after opening.
        thawed_until: End of its use after the last thaw; None while frozen.
    """

    left: Decimal
    position: str | None = None
    opened: Instant | None = None
    is_frozen: bool = False
    thaws: int = 0
    opened_until: Instant | None = None
    thawed_until: Instant | None = None

    @property
    def lapses(self) -> Instant | None:
        """The end of its use after opening or thaw, whichever comes first."""
        ends = [end for end in (self.opened_until, self.thawed_until) if end is not None]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a material lot, as it stands after any correction."""

    subject: str
    step: str
    pack: str
    amount: Decimal
    happened: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where everything that came in has gone, in the lot's unit."""

    received: Decimal = ZERO
    used: Decimal = ZERO
    drawn: Decimal = ZERO
    destroyed: Decimal = ZERO
    adjusted: Decimal = ZERO
    left: Decimal = ZERO

    @property
    def is_even(self) -> bool:
        """Whether what came in, with what counts adjusted, equals what went out and is left."""
        out = self.used + self.drawn + self.destroyed + self.left
        return self.received + self.adjusted == out


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialLot:
    """The state of one material lot.

    Attributes:
        stream: Its stream, `material/ID`.
        status: What may be done with it; None for a lot that never came in.
        history: The instants at which its status changed, with the status, oldest first.
        packs: Its packs by number.
        reserved: What is kept for which subject.
        uses: Every use by the number of its fact.
        children: The material lots that were made from it, split off or pooled.
        received_by: The person who took it in; they may not release it.
    """

    stream: Stream
    status: MaterialStatus | None = None
    name: str = ""
    origin: Origin = Origin.RECEIPT
    terms: MaterialTerms = field(default_factory=lambda: MaterialTerms(material_class=""))
    received_at: Instant | None = None
    received_by: str | None = None
    expiry: Instant | None = None
    supplier: str | None = None
    supplier_lot: str | None = None
    certificate: str | None = None
    dedicated_to: str | None = None
    titre: Titre | None = None
    rcl: Rcl | None = None
    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    history: tuple[tuple[Instant, MaterialStatus], ...] = ()
    packs: Mapping[str, PackState] = field(default_factory=dict)
    reserved: Mapping[str, Decimal] = field(default_factory=dict)
    uses: Mapping[int, Use] = field(default_factory=dict)
    children: tuple[str, ...] = ()
    balance: Balance = field(default_factory=Balance)

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a material lot that never came in."""
        return cls(stream=stream)

    @property
    def id(self) -> str:
        """The number of the lot."""
        return self.stream.id

    @property
    def unit(self) -> str:
        """The unit of measure in which it is kept."""
        return self.terms.unit

    @property
    def book(self) -> Quantity:
        """What the book says is left."""
        return Quantity(self.balance.left, self.unit)

    @property
    def available(self) -> Quantity:
        """What is left and kept for nobody."""
        return Quantity(self.balance.left - sum(self.reserved.values(), ZERO), self.unit)

    @property
    def is_touched(self) -> bool:
        """Whether anything was ever taken from it."""
        left = self.balance
        return bool(self.uses) or left.left != left.received

    def expires(self, at: Instant) -> Instant | None:
        """Give the end of its life as it stands at an instant: the earlier of its expiry and the
        end of use of its opened or thawed packs, when no untouched pack is left.
        """
        if self.expiry is None:
            return None
        ends = [
            min(self.expiry, pack.lapses or self.expiry)
            for pack in self.packs.values()
            if pack.left > 0 and (pack.lapses is None or pack.lapses >= at)
        ]
        return max(ends, default=self.expiry)

    def status_at(self, at: Instant) -> MaterialStatus | None:
        """Give the status that it had at an instant; None before it came in."""
        held = None
        for since, status in self.history:
            if since <= at:
                held = status
        return held

    def available_to(self, subject: str) -> Decimal:
        """Give what one subject may take: all that is left and not kept for another."""
        others = sum((kept for who, kept in self.reserved.items() if who != subject), ZERO)
        return self.balance.left - others

    def amount_of(self, stated: Quantity) -> Decimal:
        """Give a stated quantity in the lot's unit, exactly.

        Raises:
            Refused: The unit measures something else, or the value does not convert exactly.
        """
        if stated.unit == self.unit:
            return exact(stated.value, f"amount of material lot {self.id}")
        converted = stated.to(self.unit)
        if converted.to(stated.unit).value != stated.value:
            raise Refused(
                "quantity-inexact",
                what=f"{stated} of material lot {self.id}",
                found=f"no exact value in {self.unit}",
                limit=f"a value that is exact in {self.unit}",
                remedy=f"state the amount in {self.unit}",
                rule="mass balance",
            )
        return exact(converted.value, f"amount of material lot {self.id}")

    def must_exist(self) -> None:
        """Refuse to go on with a lot that never came in.

        Raises:
            Refused: `material-unknown`.
        """
        if self.status is None:
            raise Refused(
                "material-unknown",
                what=f"material lot {self.id}",
                found="no such lot in this store",
                remedy="scan the label again, or receive the lot first",
                rule=RULE,
            )

    def must_be_usable(
        self,
        *,
        material_class: str,
        amount: Quantity | None,
        at: Instant,
        lot: str,
        pack: str | None = None,
        is_late: bool = False,
    ) -> None:
        """Let a subject use it now, or say all that stands against it.

        Args:
            material_class: The class that the step asks for.
            amount: How much is wanted; None to judge the lot alone.
            at: When it is, or was, used.
            lot: The subject: a product lot's number, or a stream such as `material/M-2`.
            pack: The pack; None to judge the lot alone.
            is_late: Whether this is a late entry, judged by the status it had at `at`.

        Raises:
            Refused: `identity-mismatch` when it is dedicated to another subject (nobody may
                override that); `material-unusable` for everything else.
        """
        self.must_exist()
        subject = subject_of(lot)
        self.must_be_for(subject)
        problems = self.against_use(material_class=material_class, at=at, pack=pack, late=is_late)
        if amount is not None:
            problems += self._against_amount(self.amount_of(amount), subject, pack)
        if problems:
            raise Refused.of(problems)

    def must_be_for(self, subject: str) -> None:
        """Refuse a subject that a dedicated lot is not meant for; there is no override.

        Raises:
            Refused: `identity-mismatch`.
        """
        if self.dedicated_to is not None and self.dedicated_to != subject:
            raise Refused(
                "identity-mismatch",
                what=f"material lot {self.id}",
                found=f"wanted for {subject}",
                limit=f"only for {self.dedicated_to}",
                remedy="stop, put it back, and scan the material that belongs to this lot",
                rule="chain of identity",
            )

    def against_use(
        self,
        *,
        material_class: str | None,
        at: Instant,
        pack: str | None = None,
        late: bool = False,
    ) -> list[Problem]:
        """Give every rule that says no to its use, the amount and the subject apart."""
        problems: list[Problem] = []
        if material_class is not None and material_class != self.terms.material_class:
            problems.append(
                self._unusable(
                    f"class {self.terms.material_class}",
                    f"class {material_class}",
                    "scan a lot of the material that the step asks for",
                )
            )
        status = self.status_at(at) if late else self.status
        if status is not MaterialStatus.RELEASED:
            remedy = "scan another lot" if status in CLOSED else "wait for release, or scan another"
            found = f"{status}" if status else "not yet received at that time"
            problems.append(self._unusable(found, "released", remedy))
        if self.expiry is not None and at > self.expiry:
            found = f"expired on {self.expiry:%Y-%m-%d %H:%M} UTC, {_ago(at - self.expiry)} before"
            problems.append(
                self._unusable(found, f"used at {at:%Y-%m-%d %H:%M} UTC", "scan another lot")
            )
        if self.rcl is Rcl.DETECTED or (self.terms.needs_rcl and self.rcl is not Rcl.NOT_DETECTED):
            problems.append(
                self._unusable(
                    f"RCL {self.rcl or Rcl.PENDING}", "RCL not-detected", "scan another vector lot"
                )
            )
        return problems + (self._against_pack(pack, at) if pack is not None else [])

    def _against_pack(self, pack: str, at: Instant) -> list[Problem]:
        state = self.packs.get(pack)
        if state is None:
            known = ", ".join(list(self.packs)[:20])
            return [self._unusable(f"no pack {pack}", f"one of {known}", "scan the pack")]
        problems = []
        for end, word in ((state.opened_until, "opening"), (state.thawed_until, "thaw")):
            if end is not None and at > end:
                found = f"pack {pack}: use after {word} ended {end:%Y-%m-%d %H:%M} UTC"
                limit = f"used at {at:%Y-%m-%d %H:%M} UTC"
                problems.append(self._unusable(found, limit, "take another pack"))
        if state.is_frozen:
            problems.append(self._unusable(f"pack {pack} is frozen", "thawed", "thaw it first"))
        limit_thaws = self.terms.thaws_max
        if limit_thaws is not None and state.thaws > limit_thaws:
            problems.append(
                self._unusable(
                    f"pack {pack}: thawed {state.thaws} times", f"{limit_thaws}", "take another"
                )
            )
        return problems

    def _against_amount(self, wanted: Decimal, subject: str, pack: str | None) -> list[Problem]:
        free = self.available_to(subject)
        if pack is not None and pack in self.packs:
            free = min(free, self.packs[pack].left)
        if 0 < wanted <= free:
            return []
        found = f"{Quantity(wanted, self.unit)} wanted"
        limit = f"above 0, at most {Quantity(free, self.unit)} left for {subject}"
        return [self._unusable(found, limit, "take less, or take another lot as well")]

    def _unusable(self, found: str, limit: str, remedy: str) -> Problem:
        what = f"material lot {self.id}" + (f" of {self.name}" if self.name else "")
        return Problem(
            code="material-unusable",
            what=what,
            found=found,
            limit=limit,
            remedy=remedy,
            rule=RULE,
        )

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact; a withheld one leaves it as it is."""
        if recorded.is_withheld:
            return self
        match recorded.fact:
            case MaterialReceived() as said:
                return self._received(said, recorded)
            case MaterialInspected(checks=checks, failed=failed):
                return replace(
                    self,
                    passed=(self.passed | checks.keys()) - set(failed),
                    failed=(self.failed - checks.keys()) | set(failed),
                )
            case MaterialCertified() as said:
                return replace(
                    self,
                    certificate=said.certificate or self.certificate,
                    titre=said.titre or self.titre,
                    rcl=said.rcl or self.rcl,
                )
            case MaterialQuarantined():
                return self._now(MaterialStatus.QUARANTINED, recorded)
            case MaterialReleased():
                return self._now(MaterialStatus.RELEASED, recorded)
            case MaterialRejected():
                return self._now(MaterialStatus.REJECTED, recorded)
            case MaterialRecalled():
                return self._now(MaterialStatus.RECALLED, recorded)
            case MaterialVoided():
                return self._voided(recorded)
            case MaterialExpiryChanged(expires=expires):
                return replace(self, expiry=expires)
            case MaterialReserved(subject=subject, amount=amount):
                kept = {who: much for who, much in self.reserved.items() if who != subject}
                return replace(self, reserved=kept | {subject: amount} if amount else kept)
            case _:
                return self._taken(recorded)

    def _received(self, said: MaterialReceived, recorded: Recorded) -> Self:
        packs = {
            one.id: PackState(
                left=one.amount, position=one.position, is_frozen=one.is_frozen, thaws=one.thaws
            )
            for one in said.packs
        }
        return replace(
            self,
            status=said.status,
            name=said.name,
            origin=said.origin,
            terms=said.terms,
            received_at=recorded.happened,
            received_by=recorded.person,
            expiry=said.expires,
            supplier=said.supplier,
            supplier_lot=said.supplier_lot,
            certificate=said.certificate,
            dedicated_to=said.dedicated_to,
            titre=said.titre,
            rcl=said.rcl,
            history=((recorded.happened, said.status),),
            packs=packs,
            balance=Balance(received=said.amount, left=said.amount),
        )

    def _now(self, status: MaterialStatus, recorded: Recorded) -> Self:
        return replace(self, status=status, history=(*self.history, (recorded.happened, status)))

    def _voided(self, recorded: Recorded) -> Self:
        # What never was counts as neither received nor left.
        gone = {name: replace(pack, left=ZERO) for name, pack in self.packs.items()}
        return replace(
            self._now(MaterialStatus.VOID, recorded), packs=gone, balance=Balance(), reserved={}
        )

    def _taken(self, recorded: Recorded) -> Self:
        match recorded.fact:
            case MaterialConsumed() as said:
                use = Use(
                    subject=said.subject,
                    step=said.step,
                    pack=said.pack,
                    amount=said.amount,
                    happened=recorded.happened,
                )
                kept = dict(self.reserved)
                if said.subject in kept:
                    kept[said.subject] = max(ZERO, kept[said.subject] - said.amount)
                    if not kept[said.subject]:
                        del kept[said.subject]
                taken = replace(self, uses={**self.uses, recorded.number: use}, reserved=kept)
                return taken._move(said.pack, used=said.amount)
            case MaterialUseCorrected() as said:
                old = self.uses[said.of]
                use = replace(old, amount=said.amount, subject=said.subject)
                put_right = replace(self, uses={**self.uses, said.of: use})
                return put_right._move(old.pack, used=said.amount - old.amount)
            case MaterialDestroyed(pack=pack, amount=amount):
                return self._move(pack, destroyed=amount)
            case MaterialDrawn(pack=pack, amount=amount, into=into):
                drawn = self._move(pack, drawn=amount)
                return replace(drawn, children=(*self.children, into))
            case MaterialReconciled(pack=pack, book=book, counted=counted):
                return self._move(pack, adjusted=counted - book)
            case PackOpened(pack=pack, lapses=lapses):
                return self._pack(pack, opened=recorded.happened, opened_until=lapses)
            case PackThawed(pack=pack, count=count, lapses=lapses):
                return self._pack(pack, is_frozen=False, thaws=count, thawed_until=lapses)
            case PackFrozen(pack=pack):
                return self._pack(pack, is_frozen=True, thawed_until=None)
            case PackMoved(pack=pack, position=position):
                return self._pack(pack, position=position)
            case _:
                return self

    def _pack(self, pack: str, **changes: object) -> Self:
        changed = replace(self.packs[pack], **changes)  # type: ignore[arg-type]
        return replace(self, packs={**self.packs, pack: changed})

    def _move(
        self,
        pack: str,
        *,
        used: Decimal = ZERO,
        drawn: Decimal = ZERO,
        destroyed: Decimal = ZERO,
        adjusted: Decimal = ZERO,
    ) -> Self:
        change = adjusted - used - drawn - destroyed
        balance = self.balance
        moved = self._pack(pack, left=self.packs[pack].left + change)
        return replace(
            moved,
            balance=Balance(
                received=balance.received,
                used=balance.used + used,
                drawn=balance.drawn + drawn,
                destroyed=balance.destroyed + destroyed,
                adjusted=balance.adjusted + adjusted,
                left=balance.left + change,
            ),
        )


def exact(value: Decimal, what: str) -> Decimal:
    """Give a number that sums without rounding: below 10^15, with at most 12 decimals.

    Raises:
        Refused: It is larger or finer than that, so that a balance could not stay exact.
    """
    # 15 + 12 digits stay inside the 28 that decimal arithmetic keeps.
    finest = value.normalize().as_tuple().exponent
    if not value.is_finite() or abs(value) >= 10**15 or (isinstance(finest, int) and finest < -12):
        raise Refused(
            "quantity-inexact",
            what=what,
            found=value,
            limit="below 10^15, with at most 12 decimals",
            remedy="state it in a unit nearer to its size",
            rule="mass balance",
        )
    return value


def subject_of(lot: str) -> str:
    """Give the stream of a subject named by a product lot's number or already by its stream."""
    return lot if "/" in lot else f"lot/{lot}"


def _ago(late: timedelta) -> str:
    if late.days:
        return f"{late.days} day{'s' if late.days > 1 else ''}"
    return f"{late.seconds // 3600} h {late.seconds % 3600 // 60} min"
