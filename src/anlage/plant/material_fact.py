"""The facts of a material lot, and the values they hold.

Amounts in facts are exact decimals in the lot's own unit of measure; what a person stated in
another unit stands beside. The demands of the material class are copied into the first fact, so
that a later version of the class never changes what was asked of a lot already in the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from anlage.base import Instant, Quantity
from anlage.record import Recorded, Signature, fact


class MaterialStatus(StrEnum):
    """What may be done with a material lot; expiry is a date, not a status."""

    QUARANTINED = "quarantined"
    RELEASED = "released"
    REJECTED = "rejected"
    RECALLED = "recalled"
    VOID = "void"


class Rcl(StrEnum):
    """The test of a vector lot for replication-competent virus."""

    PENDING = "pending"
    NOT_DETECTED = "not-detected"
    DETECTED = "detected"


class Origin(StrEnum):
    """How a material lot came to be."""

    RECEIPT = "receipt"
    PREPARATION = "preparation"
    SPLIT = "split"
    POOL = "pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialTerms:
    """What a material class demands of its lots, as it stood when the lot came in.

    Attributes:
        material_class: Identifier of the class.
        version: Version of its definition.
        digest: SHA-256 of that version, in hexadecimal; empty when the class was not a definition.
        unit: The unit of measure in which lots are kept.
        hours_after_opening: How long an opened pack may be used; None without such a limit.
        hours_after_thaw: How long a thawed pack may be used; None without such a limit.
        is_frozen: Whether packs arrive frozen and must be thawed before use.
        thaws_max: How many times one pack may be thawed; None without such a limit.
        tolerance_percent: How far a count may stand from the book, in percent of what came in.
        needs_certificate: Whether release needs the supplier's certificate.
        inspections: The incoming checks that must have passed before release.
        needs_titre: Whether release needs a titre (vectors).
        needs_rcl: Whether release needs a passed test for replication-competent virus.
        gmo_class: Contained-use class 1 to 4 (Directive 2009/41/EC); None for no GMO.
        risk_tier: Tier 1 (licensed medicine) to 4 (not for human use) of ancillary material.
        is_qualified_supplier: Whether the supplier must be qualified at receipt and at release.
        is_quarantined: Whether a lot waits for release by quality.
        has_identity: Whether each lot is one patient's, and so names whom it is for.
    """

    material_class: str
    version: int = 1
    digest: str = ""
    unit: str = "1"
    hours_after_opening: Decimal | None = None
    hours_after_thaw: Decimal | None = None
    is_frozen: bool = False
    thaws_max: int | None = None
    tolerance_percent: Decimal = Decimal(0)
    needs_certificate: bool = True
    inspections: tuple[str, ...] = ()
    needs_titre: bool = False
    needs_rcl: bool = False
    gmo_class: int | None = None
    risk_tier: int | None = None
    is_qualified_supplier: bool = True
    is_quarantined: bool = True
    has_identity: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One unit of a material lot that is opened as one: a vial, bottle or bag.

    Attributes:
        id: Its number within the lot.
        amount: What it holds, in the lot's unit.
        position: Where it stands, such as "LN2-1/rack 3/box B/C7".
        is_frozen: Whether it came in frozen.
        thaws: How many times it had been thawed before it came in, as part of a parent lot.
    """

    id: str
    amount: Decimal
    position: str | None = None
    is_frozen: bool = False
    thaws: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Titre:
    """The titre of a vector lot: a number means nothing without its method."""

    value: Quantity
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialSource:
    """What went into a material lot from another: its stream and the amount in its own unit."""

    material: str
    amount: Quantity


@fact("material-received")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialReceived:
    """A material lot came to be, and stands in quarantine (or, split off, in its parent's state).

    Attributes:
        origin: How it came to be.
        name: What people call it.
        terms: The demands of its class.
        amount: What came in, in the unit of the terms.
        packs: Its vials, bottles or bags; their amounts add up to `amount`.
        expires: The last instant of its life.
        supplier: Identifier of the supplier; None for what was made in the house.
        supplier_lot: The supplier's own lot number.
        certificate: SHA-256 of the certificate of analysis.
        recipe: The recipe of a preparation, as KIND:ID and version ("recipe:BUFFER-1@2").
        sources: What it was made from, split from or pooled from.
        status: The state in which it starts.
        dedicated_to: The one subject ("lot/L-1") it may be used for; None for common stock.
        titre: Titre of a vector lot.
        rcl: Result of the test for replication-competent virus; None where none applies.
    """

    origin: Origin
    name: str
    terms: MaterialTerms
    amount: Decimal
    packs: tuple[Pack, ...]
    expires: Instant
    supplier: str | None = None
    supplier_lot: str | None = None
    certificate: str | None = None
    recipe: str | None = None
    sources: tuple[MaterialSource, ...] = ()
    status: MaterialStatus = MaterialStatus.QUARANTINED
    dedicated_to: str | None = None
    titre: Titre | None = None
    rcl: Rcl | None = None


@fact("material-inspected")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialInspected:
    """The incoming checks were done: name of the check -> what was seen; `failed` names the bad."""

    checks: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


@fact("material-certified")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialCertified:
    """A certificate or result that was awaited came in."""

    certificate: str | None = None
    titre: Titre | None = None
    rcl: Rcl | None = None


@fact("material-quarantined")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialQuarantined:
    """It was put (back) into quarantine; the reason is the fact's why."""


@fact("material-released")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialReleased:
    """Quality released it for use."""

    signature: Signature


@fact("material-rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialRejected:
    """Quality rejected it; it can never be released."""

    signature: Signature


@fact("material-recalled")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialRecalled:
    """It was recalled; it can never be released.

    Attributes:
        notice: Number of the recall notice, the supplier's or our own.
        root: The material lot that the recall began with, which may be another.
    """

    notice: str
    root: str


@fact("material-voided")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialVoided:
    """It was entered by mistake and never touched; its number is not used again."""


@fact("material-expiry-changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialExpiryChanged:
    """Its expiry was changed; a later date stands on a certificate and a signature."""

    was: Instant
    expires: Instant
    certificate: str | None = None
    signature: Signature | None = None


@fact("pack-opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class PackOpened:
    """A pack was opened; `lapses` is the end of its use after opening."""

    pack: str
    lapses: Instant | None = None


@fact("pack-thawed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PackThawed:
    """A pack was thawed for the `count`-th time; `lapses` is the end of its use after thaw."""

    pack: str
    count: int
    lapses: Instant | None = None


@fact("pack-frozen")
@dataclass(frozen=True, slots=True, kw_only=True)
class PackFrozen:
    """A thawed pack was frozen again."""

    pack: str


@fact("pack-moved")
@dataclass(frozen=True, slots=True, kw_only=True)
class PackMoved:
    """A pack was put into another position."""

    pack: str
    position: str
    was: str | None = None


@fact("material-reserved")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialReserved:
    """An amount was kept for one subject; it replaces what was kept for it before."""

    subject: str
    amount: Decimal


@fact("material-consumed")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialConsumed:
    """An amount of one pack went into a subject (a lot or a preparation) at a step.

    Attributes:
        subject: The stream that it went into.
        step: The step at which it was used.
        pack: The pack it came from.
        amount: In the lot's unit.
        stated: What the person or device stated, when in another unit.
        authorised: Number of the exceptional authorisation, when it was not usable by the rules.
        is_late: Whether it was entered after the fact.
    """

    subject: str
    step: str
    pack: str
    amount: Decimal
    stated: Quantity | None = None
    authorised: int | None = None
    is_late: bool = False


@fact("material-use-corrected")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialUseCorrected:
    """A wrong entry of use was put right; the fact's why says what was wrong.

    Attributes:
        of: Number of the fact that was wrong.
        was: The amount it stated, in the lot's unit.
        amount: The right amount; zero when nothing was used.
        subject: The subject it truly went into.
        pack: The pack it came from.
    """

    of: int
    was: Decimal
    amount: Decimal
    subject: str
    pack: str


@fact("material-destroyed")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialDestroyed:
    """An amount of a pack was thrown away; the reason is the fact's why."""

    pack: str
    amount: Decimal


@fact("material-drawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialDrawn:
    """An amount was split off or pooled into another material lot."""

    into: str
    origin: Origin
    pack: str
    amount: Decimal


@fact("material-reconciled")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialReconciled:
    """A pack was counted and the book set to the count.

    Attributes:
        pack: The pack counted.
        book: What the book said.
        counted: What was there.
        tolerance: The difference allowed.
        is_within: Whether the difference is within the tolerance; if not, a deviation is due.
    """

    pack: str
    book: Decimal
    counted: Decimal
    tolerance: Decimal
    is_within: bool


MaterialFact = (
    MaterialReceived
    | MaterialInspected
    | MaterialCertified
    | MaterialQuarantined
    | MaterialReleased
    | MaterialRejected
    | MaterialRecalled
    | MaterialVoided
    | MaterialExpiryChanged
    | PackOpened
    | PackThawed
    | PackFrozen
    | PackMoved
    | MaterialReserved
    | MaterialConsumed
    | MaterialUseCorrected
    | MaterialDestroyed
    | MaterialDrawn
    | MaterialReconciled
)


def material_sentence(recorded: Recorded) -> str | None:
    """Say in one plain sentence what a fact of a material lot tells; None for any other fact."""
    said = recorded.fact
    if not isinstance(said, MaterialFact):
        return None
    sentence = _sentence(said, recorded.stream.id)
    return f"{sentence} Reason: {recorded.why.rstrip('.')}." if recorded.why else sentence


def _sentence(said: MaterialFact, lot: str) -> str:
    match said:
        case MaterialReceived():
            return _received(said, lot)
        case MaterialInspected(failed=()):
            return f"Incoming inspection of {lot} passed: {', '.join(said.checks) or 'no checks'}."
        case MaterialInspected():
            return f"Incoming inspection of {lot} failed: {', '.join(said.failed)}."
        case MaterialCertified():
            return f"{_results(said)} of {lot} came in."
        case MaterialQuarantined():
            return f"Material lot {lot} was put into quarantine."
        case MaterialReleased():
            return f"{said.signature.name} released material lot {lot} for use."
        case MaterialRejected():
            return f"{said.signature.name} rejected material lot {lot}."
        case MaterialRecalled():
            root = "" if said.root == f"material/{lot}" else f", which began with {said.root}"
            return f"Material lot {lot} was recalled by notice {said.notice}{root}."
        case MaterialVoided():
            return f"Material lot {lot} was voided; it had been entered by mistake."
        case MaterialExpiryChanged():
            return f"The expiry of {lot} was changed from {_day(said.was)} to {_day(said.expires)}."
        case _:
            return _pack_sentence(said, lot)


def _pack_sentence(
    said: PackOpened
    | PackThawed
    | PackFrozen
    | PackMoved
    | MaterialReserved
    | MaterialConsumed
    | MaterialUseCorrected
    | MaterialDestroyed
    | MaterialDrawn
    | MaterialReconciled,
    lot: str,
) -> str:
    match said:
        case PackOpened():
            return f"Pack {said.pack} of {lot} was opened{_until(said.lapses)}."
        case PackThawed():
            return f"Pack {said.pack} of {lot} was thawed (thaw {said.count}){_until(said.lapses)}."
        case PackFrozen():
            return f"Pack {said.pack} of {lot} was frozen again."
        case PackMoved():
            return f"Pack {said.pack} of {lot} was moved to {said.position}."
        case MaterialReserved():
            return f"{said.amount} of {lot} is kept for {said.subject}."
        case MaterialConsumed():
            exception = f", by exceptional authorisation {said.authorised}"
            return (
                f"{said.stated or said.amount} of {lot}, pack {said.pack}, went into "
                f"{said.subject} at step {said.step}"
                f"{exception if said.authorised is not None else ''}"
                f"{', entered late' if said.is_late else ''}."
            )
        case MaterialUseCorrected():
            return (
                f"The use of {lot} in fact {said.of} was corrected from {said.was} to "
                f"{said.amount} into {said.subject}."
            )
        case MaterialDestroyed():
            return f"{said.amount} of {lot}, pack {said.pack}, was destroyed."
        case MaterialDrawn():
            verb = "split off" if said.origin is Origin.SPLIT else "pooled"
            return f"{said.amount} of {lot}, pack {said.pack}, was {verb} into {said.into}."
        case MaterialReconciled():
            verdict = "within" if said.is_within else "outside"
            return (
                f"Pack {said.pack} of {lot} was counted: {said.counted} against {said.book} in "
                f"the book, {verdict} the tolerance of {said.tolerance}."
            )
        case _:
            assert_never(said)


def _received(said: MaterialReceived, lot: str) -> str:
    what = f"{Quantity(said.amount, said.terms.unit)} of {said.name}"
    origin = {
        Origin.RECEIPT: f"was received from {said.supplier}, lot {said.supplier_lot}",
        Origin.PREPARATION: f"was prepared by {said.recipe}",
        Origin.SPLIT: f"was split from {', '.join(one.material for one in said.sources)}",
        Origin.POOL: f"was pooled from {', '.join(one.material for one in said.sources)}",
    }[said.origin]
    return f"{what} {origin} as {lot}; it expires on {_day(said.expires)} and is {said.status}."


def _results(said: MaterialCertified) -> str:
    parts = []
    if said.certificate:
        parts.append("The certificate")
    if said.titre:
        parts.append(f"The titre {said.titre.value} ({said.titre.method})")
    if said.rcl:
        parts.append(f"The RCL result ({said.rcl.value})")
    return " and ".join(parts) or "Nothing"


def _day(at: Instant) -> str:
    return f"{at:%Y-%m-%d}"


def _until(lapses: Instant | None) -> str:
    return f"; usable until {lapses:%Y-%m-%d %H:%M} UTC" if lapses else ""
