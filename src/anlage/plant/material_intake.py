"""Taking material in and judging it: receipt, inspection, release, rejection, expiry, recall.

Each decision takes the states it judges and the request, and gives the entries or refuses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from anlage.base import Instant, Problem, Quantity, Refused, clean_line
from anlage.record import Entry, Signature

from .material import CLOSED, RULE, ZERO, MaterialLot, exact
from .material_fact import (
    MaterialCertified,
    MaterialExpiryChanged,
    MaterialInspected,
    MaterialQuarantined,
    MaterialRecalled,
    MaterialReceived,
    MaterialRejected,
    MaterialReleased,
    MaterialStatus,
    MaterialTerms,
    MaterialVoided,
    Origin,
    Pack,
    Rcl,
    Titre,
)
from .supplier import Supplier

PACKS_MAX = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PackIn:
    """A pack as a person enters it: its number, what it holds, where it stands."""

    id: str
    amount: Quantity
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveMaterial:
    """Take a delivery in; it goes into quarantine.

    Attributes:
        material: The number that the material lot gets.
        material_class: Identifier of its class.
        name: What people call it.
        amount: What came in.
        packs: Its packs; without any it counts as one pack, "1".
        expires: The last instant of its life.
        supplier: Identifier of the supplier.
        supplier_lot: The supplier's lot number.
        certificate: SHA-256 of the certificate of analysis, when it came along.
        dedicated_to: The one subject it may be used for.
        titre: Titre of a vector lot, when known.
        rcl: Result of the test for replication-competent virus, when known.
    """

    material: str
    material_class: str
    name: str
    amount: Quantity
    expires: Instant
    supplier: str
    supplier_lot: str
    packs: tuple[PackIn, ...] = ()
    certificate: str | None = None
    dedicated_to: str | None = None
    titre: Titre | None = None
    rcl: Rcl | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectMaterial:
    """Note the incoming checks: name -> what was seen; `failed` names those not passed."""

    material: str
    checks: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyMaterial:
    """Add a certificate or result that was awaited."""

    material: str
    certificate: str | None = None
    titre: Titre | None = None
    rcl: Rcl | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineMaterial:
    """Put a material lot back into quarantine."""

    material: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMaterial:
    """Release a material lot for use."""

    material: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectMaterial:
    """Reject a material lot for good."""

    material: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallMaterial:
    """Recall a material lot and all that was made from it."""

    material: str
    notice: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidMaterial:
    """Void a material lot that was entered by mistake and never touched."""

    material: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeExpiry:
    """Change the expiry of a material lot; later only with a certificate and a signature."""

    material: str
    expires: Instant
    reason: str
    certificate: str | None = None
    signature: Signature | None = None


def receive_material(
    lot: MaterialLot,
    request: ReceiveMaterial,
    *,
    terms: MaterialTerms,
    supplier: Supplier | None,
    at: Instant,
) -> list[Entry]:
    """Take a delivery in, into quarantine.

    Raises:
        Refused: The number is taken, the packs do not add up, it is past its expiry, or the
            supplier is not qualified for the class.
    """
    must_be_new(lot)
    if terms.is_qualified_supplier and supplier is not None:
        supplier.must_be_qualified(terms.material_class, at)
    if terms.is_qualified_supplier and supplier is None:
        raise _refused(
            "supplier-unqualified", lot, f"supplier {request.supplier} unknown", "a known supplier"
        )
    _must_last(lot, request.expires, at)
    if terms.has_identity and request.dedicated_to is None:
        raise _refused(
            "identity-missing", lot, "nobody named", "whom it is for", "scan the order first"
        )
    amount, packs = packs_of(lot, request.amount, request.packs, terms)
    status = MaterialStatus.QUARANTINED if terms.is_quarantined else MaterialStatus.RELEASED
    received = MaterialReceived(
        origin=Origin.RECEIPT,
        name=clean_line(request.name, "name of the material"),
        terms=terms,
        amount=amount,
        packs=packs,
        expires=request.expires,
        supplier=request.supplier,
        supplier_lot=clean_line(request.supplier_lot, "supplier's lot number"),
        certificate=request.certificate,
        status=status,
        dedicated_to=request.dedicated_to,
        titre=request.titre,
        rcl=request.rcl or (Rcl.PENDING if terms.needs_rcl else None),
    )
    return [Entry(lot.stream, received)]


def inspect_material(lot: MaterialLot, request: InspectMaterial) -> list[Entry]:
    """Note the incoming checks.

    Raises:
        Refused: The lot is closed, or a failed check is not among those noted.
    """
    _must_be_open(lot)
    if unknown := set(request.failed) - request.checks.keys():
        raise _refused(
            "inspection-inconsistent", lot, f"failed but not done: {', '.join(sorted(unknown))}"
        )
    checks = {
        clean_line(name, "name of a check"): clean_line(seen, f"check {name}")
        for name, seen in request.checks.items()
    }
    return [Entry(lot.stream, MaterialInspected(checks=checks, failed=request.failed))]


def certify_material(lot: MaterialLot, request: CertifyMaterial) -> list[Entry]:
    """Add a certificate, titre or RCL result; a detected RCL puts the lot back into quarantine.

    Raises:
        Refused: The lot is closed, or nothing was given.
    """
    _must_be_open(lot)
    if not (request.certificate or request.titre or request.rcl):
        raise _refused("certificate-missing", lot, "nothing given", "a certificate or a result")
    entries = [
        Entry(
            lot.stream,
            MaterialCertified(
                certificate=request.certificate, titre=request.titre, rcl=request.rcl
            ),
        )
    ]
    if request.rcl is Rcl.DETECTED and lot.status is MaterialStatus.RELEASED:
        entries.append(Entry(lot.stream, MaterialQuarantined(), why="RCL detected"))
    return entries


def quarantine_material(lot: MaterialLot, request: QuarantineMaterial) -> list[Entry]:
    """Put a lot back into quarantine.

    Raises:
        Refused: The lot is closed, or stands in quarantine already.
    """
    _must_be_open(lot)
    if lot.status is MaterialStatus.QUARANTINED:
        raise _refused("material-status", lot, lot.status, "a released lot")
    return [Entry(lot.stream, MaterialQuarantined(), why=clean_line(request.reason, "reason"))]


def release_material(
    lot: MaterialLot, request: ReleaseMaterial, *, supplier: Supplier | None, at: Instant
) -> list[Entry]:
    """Release a lot for use.

    Raises:
        Refused: `material-release-blocked` with everything that stands before it.
    """
    _must_be_open(lot)
    signature = request.signature
    problems = list(_before_release(lot, signature, supplier, at))
    if problems or signature is None:
        raise Refused.of(problems)
    return [Entry(lot.stream, MaterialReleased(signature=signature))]


def reject_material(lot: MaterialLot, request: RejectMaterial) -> list[Entry]:
    """Reject a lot for good.

    Raises:
        Refused: The lot is closed, or the signature is missing.
    """
    _must_be_open(lot)
    if request.signature is None:
        raise _refused("signature-missing", lot, "no signature", "the signature of quality")
    why = clean_line(request.reason, "reason")
    return [Entry(lot.stream, MaterialRejected(signature=request.signature), why=why)]


def recall_material(
    lot: MaterialLot, request: RecallMaterial, *, descendants: Iterable[MaterialLot]
) -> list[Entry]:
    """Recall a lot and every material lot that was made from it.

    Args:
        lot: Where the recall begins.
        request: The notice and the reason.
        descendants: All material lots split off, pooled or prepared from it, at any depth.

    Raises:
        Refused: The lot never came in, was voided, or is recalled already.
    """
    lot.must_exist()
    if lot.status in {MaterialStatus.RECALLED, MaterialStatus.VOID}:
        raise _refused("material-status", lot, lot.status, "a lot not yet recalled or void")
    notice = clean_line(request.notice, "number of the recall notice", limit=100)
    why = clean_line(request.reason, "reason")
    said = MaterialRecalled(notice=notice, root=str(lot.stream))
    over = {MaterialStatus.RECALLED, MaterialStatus.VOID, None}
    hit = [lot, *(one for one in descendants if one.status not in over)]
    return [Entry(one.stream, said, why=why) for one in hit]


def void_material(lot: MaterialLot, request: VoidMaterial) -> list[Entry]:
    """Void a lot that was entered by mistake.

    Raises:
        Refused: It was touched, or is closed: then it stays in the record and is rejected instead.
    """
    _must_be_open(lot)
    if lot.is_touched:
        raise _refused("material-status", lot, f"{lot.book} left", "an untouched lot", "reject it")
    return [Entry(lot.stream, MaterialVoided(), why=clean_line(request.reason, "reason"))]


def change_expiry(lot: MaterialLot, request: ChangeExpiry, *, at: Instant) -> list[Entry]:
    """Change the expiry: sooner by anyone with a reason, later with certificate and signature.

    Raises:
        Refused: The lot is closed, the date is the same, or a later date has nothing to stand on.
    """
    _must_be_open(lot)
    was = lot.expiry
    if was is None or was == request.expires:
        raise _refused("material-expiry", lot, was, "another date")
    if request.expires > was and not (request.certificate and request.signature):
        raise _refused(
            "material-expiry",
            lot,
            f"{request.expires:%Y-%m-%d} without certificate and signature",
            f"no later than {was:%Y-%m-%d}",
            "attach the certificate of the retest and sign",
        )
    if request.expires > was:
        _must_last(lot, request.expires, at)
    said = MaterialExpiryChanged(
        was=was,
        expires=request.expires,
        certificate=request.certificate,
        signature=request.signature,
    )
    return [Entry(lot.stream, said, why=clean_line(request.reason, "reason"))]


def read_terms(
    identifier: str, content: Mapping[str, object], *, version: int, digest: str
) -> MaterialTerms:
    """Read the demands of a material class from the content of its definition.

    A class that may be thawed arrives frozen. Each document that a lot must come with is a check
    of the incoming inspection. Starting material comes from a collection, not from a supplier.

    Raises:
        Refused: A number or the unit cannot be read.
    """
    keeping = content.get("keeping") or {}
    needs = content.get("needs") or ()
    if not isinstance(keeping, Mapping) or not isinstance(needs, list | tuple):
        raise _bad_terms(identifier, "keeping, needs", (keeping, needs))
    thaws = _whole(identifier, keeping, "thaws-most")
    unit = str(content.get("unit", "1"))
    Quantity.of(1, unit)
    documents = tuple(str(name) for name in needs)
    return MaterialTerms(
        material_class=identifier,
        version=version,
        digest=digest,
        unit=unit,
        hours_after_opening=_hours(keeping, "after-opening"),
        hours_after_thaw=_hours(keeping, "after-thaw"),
        is_frozen=thaws is not None,
        thaws_max=thaws,
        tolerance_percent=Decimal(str(content.get("tolerance-percent", 0))),
        needs_certificate=any("certificate" in one.lower() for one in documents),
        inspections=documents,
        needs_titre=content.get("titre-unit") is not None,
        needs_rcl=content.get("category") == "vector",
        gmo_class=_whole(identifier, content, "gmo-class"),
        risk_tier=_whole(identifier, content, "tier"),
        is_qualified_supplier=content.get("category") != "starting-material",
        is_quarantined=bool(content.get("quarantine", True)),
        has_identity=bool(content.get("identity", False)),
    )


def must_be_new(lot: MaterialLot) -> None:
    """Refuse a number that is taken; numbers are never used again.

    Raises:
        Refused: `material-number-taken`.
    """
    if lot.status is not None:
        raise _refused("material-number-taken", lot, lot.name or lot.status, "a fresh number")


def packs_of(
    lot: MaterialLot, amount: Quantity, packs: tuple[PackIn, ...], terms: MaterialTerms
) -> tuple[Decimal, tuple[Pack, ...]]:
    """Give the whole amount and its packs in the unit of the terms.

    Raises:
        Refused: Nothing came in, there are too many packs, two have one number or one position,
            or they do not add up.
    """
    empty = MaterialLot(stream=lot.stream, terms=terms)
    total = empty.amount_of(amount)
    if total <= 0:
        raise _refused("material-amount", lot, amount, "above 0")
    inside = tuple(
        Pack(
            id=clean_line(one.id, "number of a pack", limit=40),
            amount=empty.amount_of(one.amount),
            position=one.position and clean_line(one.position, "position", limit=100),
            is_frozen=terms.is_frozen,
        )
        for one in packs
    ) or (Pack(id="1", amount=total, is_frozen=terms.is_frozen),)
    places = [one.position for one in inside if one.position]
    if len(inside) > PACKS_MAX:
        raise _refused("material-packs", lot, f"{len(inside)} packs", f"at most {PACKS_MAX}")
    if len({one.id for one in inside}) < len(inside) or len(set(places)) < len(places):
        raise _refused("material-packs", lot, "two packs with one number or position", "one each")
    summed = exact(sum((one.amount for one in inside), ZERO), f"packs of {lot.id}")
    if summed != total or any(one.amount <= 0 for one in inside):
        found = f"packs that add up to {Quantity(summed, terms.unit)}"
        raise _refused("material-packs", lot, found, f"{Quantity(total, terms.unit)}, each above 0")
    return total, inside


def _whole(identifier: str, content: Mapping[str, object], key: str) -> int | None:
    value = content.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise _bad_terms(identifier, key, value)


def _hours(content: Mapping[str, object], key: str) -> Decimal | None:
    value = content.get(key)
    return None if value is None else Quantity.parse(str(value)).to("h").value


def _must_be_open(lot: MaterialLot) -> None:
    lot.must_exist()
    if lot.status in CLOSED:
        raise _refused("material-status", lot, lot.status, "quarantined or released")


def _must_last(lot: MaterialLot, expires: Instant, at: Instant) -> None:
    if expires <= at:
        raise _refused(
            "material-expired", lot, f"expired {expires:%Y-%m-%d}", f"after {at:%Y-%m-%d}"
        )


def _before_release(
    lot: MaterialLot, signature: Signature | None, supplier: Supplier | None, at: Instant
) -> Iterable[Problem]:
    terms = lot.terms

    def block(found: object, limit: str, remedy: str) -> Problem:
        return _refused("material-release-blocked", lot, found, limit, remedy).problem

    if lot.status is not MaterialStatus.QUARANTINED:
        yield block(lot.status, "a lot in quarantine", "nothing is left to do")
    if lot.expiry is not None and at > lot.expiry:
        yield block(f"expired {lot.expiry:%Y-%m-%d}", "within its life", "reject it")
    if terms.needs_certificate and not lot.certificate and lot.origin is Origin.RECEIPT:
        yield block("no certificate", "the supplier's certificate", "attach the certificate")
    if lot.failed:
        yield block(f"failed: {', '.join(sorted(lot.failed))}", "every check passed", "reject it")
    if missing := set(terms.inspections) - lot.passed - lot.failed:
        yield block(f"not done: {', '.join(sorted(missing))}", "every check done", "inspect it")
    if terms.needs_titre and lot.titre is None:
        yield block("no titre", "a titre with its method", "enter the titre")
    if terms.needs_rcl and lot.rcl is not Rcl.NOT_DETECTED:
        yield block(f"RCL {lot.rcl or Rcl.PENDING}", "RCL not-detected", "await the RCL result")
    if terms.is_qualified_supplier and lot.origin is Origin.RECEIPT:
        if supplier is None:
            yield block(f"supplier {lot.supplier} unknown", "qualified", "register the supplier")
        elif (gap := supplier.gap(terms.material_class, at)) is not None:
            yield block(gap, "a qualified supplier", "qualify the supplier first")
    if signature is None:
        yield block("no signature", "the signature of quality", "sign the release")
    elif signature.person == lot.received_by:
        yield block(
            f"signed by {signature.name}, who took it in", "another person", "ask a second person"
        )


def _bad_terms(identifier: str, key: str, value: object) -> Refused:
    return Refused(
        "material-class-unreadable",
        what=f"material class {identifier}",
        found=repr(value)[:80],
        limit=f"a value that fits {key}",
        remedy="correct the definition",
        path=key,
    )


def _refused(
    code: str,
    lot: MaterialLot,
    found: object,
    limit: str | None = None,
    remedy: str = "correct the entry",
) -> Refused:
    return Refused(
        code, what=f"material lot {lot.id}", found=found, limit=limit, remedy=remedy, rule=RULE
    )
