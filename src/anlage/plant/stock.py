"""What is in the store: rows by class, lot, expiry and status, the picking list, what ends soon.

Packs have rows of their own, so that a box of 144 vials never makes one hot row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from anlage.base import Instant, Quantity, instant, stamp
from anlage.record import Recorded, Rows

from .material import ZERO
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
    MaterialUseCorrected,
    MaterialVoided,
    PackFrozen,
    PackMoved,
    PackOpened,
    PackThawed,
    Rcl,
)

LOTS_MAX = 100_000


class StockView:
    """One row per material lot: key its number, facet its class, in order of expiry."""

    name = "stock"
    version = 1
    families = frozenset({"material"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact of a material lot into its row."""
        if recorded.is_withheld:
            return
        key, said = recorded.stream.id, recorded.fact
        row = _fresh(said, recorded) if isinstance(said, MaterialReceived) else rows.get(key)
        if row is None:
            return
        change = _change(said)
        row["left"] = str(Decimal(row["left"]) + change)
        match said:
            case MaterialConsumed(subject=subject, amount=amount) if subject in row["reserved"]:
                _keep(row, subject, max(ZERO, Decimal(row["reserved"][subject]) - amount))
            case MaterialReserved(subject=subject, amount=amount):
                _keep(row, subject, amount)
            case MaterialExpiryChanged(expires=expires):
                row["expires"] = stamp(expires)
            case MaterialInspected(failed=failed):
                row["inspection"] = "failed" if failed else "passed"
            case MaterialCertified() as certified:
                row["certificate"] = certified.certificate or row["certificate"]
                row["rcl"] = certified.rcl.value if certified.rcl else row["rcl"]
                if certified.titre:
                    row["titre"] = f"{certified.titre.value} ({certified.titre.method})"
            case MaterialReconciled(is_within=False):
                row["off_count"] = True
            case MaterialVoided():
                row["left"] = "0"
        row["status"] = _status(said) or row["status"]
        if isinstance(said, MaterialConsumed) and said.is_late:
            row["late_entries"] += 1
        rows.put(key, row, facet=row["class"], order=row["expires"])


class PackView:
    """One row per pack: key LOT|PACK, facet its material lot, in order of the end of its use."""

    name = "stock-pack"
    version = 1
    families = frozenset({"material"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact of a material lot into the rows of its packs."""
        if recorded.is_withheld:
            return
        lot, said = recorded.stream.id, recorded.fact
        if isinstance(said, MaterialReceived):
            for one in said.packs:
                row: dict[str, Any] = {
                    "material": lot,
                    "pack": one.id,
                    "position": one.position,
                    "left": str(one.amount),
                    "frozen": one.is_frozen,
                    "thaws": one.thaws,
                    "thaws_max": said.terms.thaws_max,
                    "opened_until": None,
                    "thawed_until": None,
                    "opened": False,
                }
                rows.put(f"{lot}|{one.id}", row, facet=lot, order=one.id)
            return
        if isinstance(said, MaterialVoided):
            for key, row in list(rows.find(facet=lot, limit=LOTS_MAX)):
                rows.put(key, row | {"left": "0"}, facet=lot, order=row["pack"])
            return
        pack = getattr(said, "pack", None)
        row_found = rows.get(f"{lot}|{pack}") if pack is not None else None
        if row_found is None:
            return
        row_found["left"] = str(Decimal(row_found["left"]) + _change(said))
        _clock(row_found, said)
        rows.put(f"{lot}|{pack}", row_found, facet=lot, order=row_found["pack"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One line of a picking list.

    Attributes:
        material: The material lot.
        pack: The pack.
        name: What people call it.
        supplier_lot: The supplier's lot number.
        status: The status of the lot.
        ends: The end of its life or of its use after opening or thaw, whichever is sooner.
        left: What is in the pack.
        position: Where it stands.
        against: Why it may not be taken; None when it may.
    """

    material: str
    pack: str
    name: str
    supplier_lot: str | None
    status: MaterialStatus
    ends: Instant
    left: Quantity
    position: str | None
    against: str | None


def picking_list(
    stock: Rows, packs: Rows, *, material_class: str, at: Instant, subject: str
) -> list[Pick]:
    """Give what is there of a class, what ends first in front, what may not be taken at the end.

    Args:
        stock: The rows of the view `stock`.
        packs: The rows of the view `stock-pack`.
        material_class: The class that the step asks for.
        at: When it is to be taken.
        subject: For which subject ("lot/L-1").
    """
    picks = []
    for lot, row in stock.find(facet=material_class, limit=LOTS_MAX):
        if Decimal(row["left"]) <= 0:
            continue
        against = _against_lot(row, at, subject)
        for _, pack in packs.find(facet=lot, limit=LOTS_MAX):
            if Decimal(pack["left"]) > 0:
                picks.append(_pick(row, pack, at, against))
    return sorted(picks, key=lambda one: (one.against is not None, one.ends, one.material))


def expiring(
    stock: Rows, packs: Rows, *, at: Instant, within: timedelta
) -> Iterator[tuple[Instant, str, str | None]]:
    """Give (end, material lot, pack) of what is left in the store and ends soon, soonest first.

    The pack is None when the whole lot ends. What has ended and is still there comes too: it is to
    be destroyed.
    """
    found: list[tuple[Instant, str, str | None]] = []
    for lot, row in stock.find(limit=LOTS_MAX):
        if Decimal(row["left"]) <= 0 or row["status"] not in {"released", "quarantined"}:
            continue
        if (end := instant(row["expires"])) <= at + within:
            found.append((end, lot, None))
        for _, pack in packs.find(facet=lot, limit=LOTS_MAX):
            lapse = _lapse(pack)
            if Decimal(pack["left"]) > 0 and lapse is not None and lapse <= at + within:
                found.append((lapse, lot, pack["pack"]))
    yield from sorted(found, key=lambda one: (one[0], one[1], one[2] or ""))


def _fresh(said: MaterialReceived, recorded: Recorded) -> dict[str, Any]:
    return {
        "material": recorded.stream.id,
        "name": said.name,
        "class": said.terms.material_class,
        "unit": said.terms.unit,
        "status": said.status.value,
        "origin": said.origin.value,
        "expires": stamp(said.expires),
        "received": recorded.happened_text,
        "amount": str(said.amount),
        "left": str(said.amount),
        "reserved": {},
        "supplier": said.supplier,
        "supplier_lot": said.supplier_lot,
        "certificate": said.certificate,
        "inspection": "passed" if not said.terms.inspections else "due",
        "dedicated_to": said.dedicated_to,
        "needs_rcl": said.terms.needs_rcl,
        "rcl": said.rcl.value if said.rcl else None,
        "titre": f"{said.titre.value} ({said.titre.method})" if said.titre else None,
        "gmo_class": said.terms.gmo_class,
        "site": recorded.site,
        "off_count": False,
        "late_entries": 0,
    }


def _change(said: object) -> Decimal:
    match said:
        case MaterialConsumed(amount=amount) | MaterialDrawn(amount=amount):
            return -amount
        case MaterialDestroyed(amount=amount):
            return -amount
        case MaterialUseCorrected(was=was, amount=amount):
            return was - amount
        case MaterialReconciled(book=book, counted=counted):
            return counted - book
        case _:
            return ZERO


def _status(said: object) -> str | None:
    kinds: dict[type, MaterialStatus] = {
        MaterialQuarantined: MaterialStatus.QUARANTINED,
        MaterialReleased: MaterialStatus.RELEASED,
        MaterialRejected: MaterialStatus.REJECTED,
        MaterialRecalled: MaterialStatus.RECALLED,
        MaterialVoided: MaterialStatus.VOID,
    }
    status = kinds.get(type(said))
    return None if status is None else status.value


def _keep(row: dict[str, Any], subject: str, amount: Decimal) -> None:
    row["reserved"].pop(subject, None)
    if amount:
        row["reserved"][subject] = str(amount)


def _clock(row: dict[str, Any], said: object) -> None:
    match said:
        case PackOpened(lapses=lapses):
            row["opened"] = True
            row["opened_until"] = stamp(lapses) if lapses else None
        case PackThawed(count=count, lapses=lapses):
            row["frozen"], row["thaws"] = False, count
            row["thawed_until"] = stamp(lapses) if lapses else None
        case PackFrozen():
            row["frozen"], row["thawed_until"] = True, None
        case PackMoved(position=position):
            row["position"] = position


def _lapse(pack: dict[str, Any]) -> Instant | None:
    ends = [instant(end) for key in ("opened_until", "thawed_until") if (end := pack[key])]
    return min(ends, default=None)


def _against_lot(row: dict[str, Any], at: Instant, subject: str) -> str | None:
    if row["dedicated_to"] not in {None, subject}:
        return f"only for {row['dedicated_to']}"
    if row["status"] != MaterialStatus.RELEASED:
        return str(row["status"])
    if row["rcl"] == Rcl.DETECTED or (row["needs_rcl"] and row["rcl"] != Rcl.NOT_DETECTED):
        return f"RCL {row['rcl']}"
    if at > instant(row["expires"]):
        return "expired"
    others = sum((Decimal(much) for who, much in row["reserved"].items() if who != subject), ZERO)
    return "kept for others" if Decimal(row["left"]) <= others else None


def _pick(row: dict[str, Any], pack: dict[str, Any], at: Instant, against: str | None) -> Pick:
    lapse, expires = _lapse(pack), instant(row["expires"])
    if against is None and lapse is not None and at > lapse:
        against = "use after opening or thaw has ended"
    if against is None and pack["frozen"] and pack["thaws_max"] is not None:
        against = "no thaw left" if pack["thaws"] >= pack["thaws_max"] else None
    return Pick(
        material=row["material"],
        pack=pack["pack"],
        name=row["name"],
        supplier_lot=row["supplier_lot"],
        status=MaterialStatus(row["status"]),
        ends=expires if lapse is None else min(expires, lapse),
        left=Quantity(Decimal(pack["left"]), row["unit"]),
        position=pack["position"],
        against=against,
    )
