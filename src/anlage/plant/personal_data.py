"""What names a patient: kept in the vault, read by those who need it, erased when no duty stands
against it.

The journal holds the salted digests of what is kept, who read it and why, and the erasure. Whoever
treats or transports the cells works with the chain-of-identity id alone.

Sources: Directive 2004/23/EC Art. 8(4) and Directive 2006/86/EC Art. 9 (data needed for
traceability are kept for at least 30 years after clinical use); 21 CFR 1271.270(d) (10 years after
administration, which the 30 years contain); GDPR Art. 17(3)(b) and (e) (no erasure against a legal
obligation or claim).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Self

from anlage.base import Instant, Refused, clean_line, clean_text
from anlage.record import Entry, Recorded, Rows, Signature, Stream, fact

from .signing import Qualified, must_sign

QUALITY = "qa-reviewer"
# Those who order for, collect from or treat the patient; nobody in the making needs a name.
NEED_TO_KNOW = ("physician", "coordinator", "collection-nurse", "ward-nurse")
KEEPERS = ("physician", "coordinator")
TRACEABILITY = timedelta(days=30 * 365 + 8)
TRACEABILITY_RULE = "Directive 2004/23/EC Art. 8(4); 2006/86/EC Art. 9; 21 CFR 1271.270(d)"
ITEMS_MAX = 20


@fact("personal-data-kept")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataKept:
    """What names a patient was put into the vault.

    Attributes:
        items: Name of each item (name, born, hospital number ...) to its digest, salted with a
            secret that the vault keeps.
    """

    items: Mapping[str, str]
    by: str


@fact("personal-data-read")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataRead:
    """Somebody was shown what names a patient."""

    items: tuple[str, ...]
    by: str
    role: str
    purpose: str


@fact("legal-hold-placed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHoldPlaced:
    """Nothing about the patient may be erased while this stands."""

    hold: str
    by: str
    reason: str


@fact("legal-hold-lifted")
@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHoldLifted:
    """A legal hold has ended."""

    hold: str
    by: str
    reason: str


@fact("personal-data-erased")
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataErased:
    """The patient's key and salt were destroyed, and with them all that the vault held.

    Attributes:
        items: The names of what was erased.
        basis: Why no duty stood against it.
        asked: The request that it answers.
        blobs: Digests of files that were destroyed with it.
    """

    items: tuple[str, ...]
    basis: str
    asked: str
    signature: Signature
    blobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPersonalData:
    """Note what was put into the vault about a patient."""

    coi: str
    items: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPersonalData:
    """Be shown what names a patient; who and why is recorded first."""

    coi: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLegalHold:
    """Forbid the erasure of a patient's data, for a claim or an inquiry."""

    coi: str
    hold: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftLegalHold:
    """End a legal hold."""

    coi: str
    hold: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePersonalData:
    """Destroy a patient's key and salt, for ever.

    Attributes:
        asked: The request that it answers: its number, or letter and date.
    """

    coi: str
    asked: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """What stands for and against erasing a patient's data, folded from the patient's journey.

    Attributes:
        items: What is kept, each with its digest.
        is_collected: Whether cells were ever collected, so that there is something to trace.
        is_ended: Whether the journey is over.
        last: When the last thing happened.
        used: When the cells were given to the patient.
        due: Follow-up visits that are still to come.
        holds: Legal holds that stand, each with its reason.
        erased: The number of the fact that erased it.
    """

    coi: str
    is_known: bool = False
    items: Mapping[str, str]
    is_collected: bool = False
    is_ended: bool = False
    last: Instant | None = None
    used: Instant | None = None
    due: frozenset[str] = frozenset()
    holds: Mapping[str, str]
    erased: int | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give it with nothing known."""
        return cls(coi=stream.id, items={}, holds={})

    @property
    def stream(self) -> Stream:
        """The patient's journey."""
        return Stream(f"journey/{self.coi}")

    def after(self, recorded: Recorded) -> Self:
        """Take a fact of the journey."""
        known = replace(self, is_known=True, last=recorded.happened)
        body = recorded.body
        match recorded.kind:
            case "personal-data-kept":
                return replace(known, items={**self.items, **body["items"]}, erased=None)
            case "collection-performed":
                return replace(known, is_collected=True)
            case "infusion-performed":
                return replace(known, used=recorded.happened, is_ended=True)
            case "journey-cancelled":
                return replace(known, is_ended=True)
            case "follow-up-planned":
                return replace(known, due=frozenset(body["due"]))
            case "follow-up-done":
                return replace(known, due=self.due - {body["due"]})
            case "legal-hold-placed":
                return replace(known, holds={**self.holds, body["hold"]: body["reason"]})
            case "legal-hold-lifted":
                rest = {id: why for id, why in self.holds.items() if id != body["hold"]}
                return replace(known, holds=rest)
            case "personal-data-erased":
                return replace(known, items={}, erased=recorded.number)
            case _:
                return known

    def kept_until(self) -> Instant | None:
        """Give when the duty of traceability ends; None when nothing was collected."""
        start = self.used or self.last
        return start + TRACEABILITY if self.is_collected and start is not None else None

    def must_be_erasable(self, at: Instant) -> None:
        """See that no duty stands against erasing.

        Raises:
            Refused: Nothing is kept, the journey goes on, or a duty stands; the rule is named.
        """
        if self.erased is not None or not self.items:
            found = f"erased by fact {self.erased}" if self.erased else "nothing is kept"
            raise self._not("personal-data-none", found, "there is nothing to erase", None)
        if self.holds:
            found = "; ".join(f"{id}: {why}" for id, why in sorted(self.holds.items()))
            raise self._not(
                "erasure-on-hold", found, "have the hold lifted first", "GDPR Art. 17(3)(e)"
            )
        if not self.is_ended:
            raise self._not(
                "erasure-in-treatment",
                "the journey is not over",
                "cancel the journey, or wait for its end",
                "GDPR Art. 17(3)(c); 21 CFR 312.62(b)",
            )
        if self.due:
            found = f"{len(self.due)} follow-up visits to come, the next on {min(self.due)}"
            raise self._not(
                "erasure-in-follow-up",
                found,
                "wait for the last visit",
                "Regulation (EC) 1394/2007 Art. 14; 21 CFR 312.32",
            )
        until = self.kept_until()
        if until is not None and at < until:
            raise self._not(
                "erasure-in-traceability",
                f"cells were {'given' if self.used else 'collected'}; kept until {until:%Y-%m-%d}",
                "answer the request with this date",
                TRACEABILITY_RULE,
            )

    def _not(self, code: str, found: str, remedy: str, rule: str | None) -> Refused:
        what = f"personal data of {self.coi}"
        return Refused(code, what=what, found=found, remedy=remedy, rule=rule)


def keep_personal_data(
    data: PersonalData, request: KeepPersonalData, *, by: Qualified, at: Instant
) -> list[Entry]:
    """Give the fact that something was put into the vault.

    Raises:
        Refused: No such journey, or a name or digest cannot be right.
    """
    role_of(by, KEEPERS, at)
    _must_be_known(data)
    is_digest = all(
        len(one) == 64 and all(c in "0123456789abcdef" for c in one)
        for one in request.items.values()
    )
    if not 0 < len(request.items) <= ITEMS_MAX or not is_digest:
        raise Refused(
            "personal-data-unusable",
            what=f"personal data of {data.coi}",
            found=f"{len(request.items)} items",
            limit=f"1 to {ITEMS_MAX}, each the salted digest that the vault gave",
            remedy="enter them on the patient's page, or with `anlage patient keep`",
        )
    items = {clean_line(name, "item", limit=40): one for name, one in request.items.items()}
    return [Entry(data.stream, PersonalDataKept(items=items, by=by.id))]


def read_personal_data(
    data: PersonalData, request: ReadPersonalData, *, by: Qualified, at: Instant
) -> list[Entry]:
    """Give the fact that somebody is shown what names a patient.

    Raises:
        Refused: The person has no need to know, gives no purpose, or nothing is kept.
    """
    role = role_of(by, NEED_TO_KNOW, at)
    _must_be_known(data)
    if not data.items:
        found = f"erased by fact {data.erased}" if data.erased is not None else "nothing is kept"
        raise Refused(
            "personal-data-none",
            what=f"personal data of {data.coi}",
            found=found,
            remedy="work with the chain-of-identity id",
        )
    read = PersonalDataRead(
        items=tuple(sorted(data.items)),
        by=by.id,
        role=role,
        purpose=clean_text(request.purpose, "purpose"),
    )
    return [Entry(access_stream(data.coi), read)]


def place_legal_hold(
    data: PersonalData, request: PlaceLegalHold, *, by: Qualified, at: Instant
) -> list[Entry]:
    """Give the fact of a legal hold.

    Raises:
        Refused: A hold of that name stands, or no reason is given.
    """
    by.must_be_qualified(QUALITY, at)
    _must_be_known(data)
    hold = clean_line(request.hold, "hold", limit=60)
    if hold in data.holds:
        raise Refused(
            "hold-known", what=f"legal hold {hold}", found="stands", remedy="name another"
        )
    placed = LegalHoldPlaced(hold=hold, by=by.id, reason=clean_text(request.reason, "reason"))
    return [Entry(data.stream, placed)]


def lift_legal_hold(
    data: PersonalData, request: LiftLegalHold, *, by: Qualified, at: Instant
) -> list[Entry]:
    """Give the fact that a legal hold has ended.

    Raises:
        Refused: There is no such hold, or no reason is given.
    """
    by.must_be_qualified(QUALITY, at)
    if request.hold not in data.holds:
        raise Refused(
            "hold-unknown",
            what=f"legal hold {request.hold[:60]}",
            found=", ".join(sorted(data.holds)) or "no hold",
            remedy="choose one that stands",
        )
    reason = clean_text(request.reason, "reason")
    return [Entry(data.stream, LegalHoldLifted(hold=request.hold, by=by.id, reason=reason))]


def erase_personal_data(
    data: PersonalData, request: ErasePersonalData, *, by: Qualified, at: Instant
) -> list[Entry]:
    """Give the fact that a patient's key and salt are destroyed; the vault does it when the fact is
    on disk.

    Raises:
        Refused: A duty stands against it, and the rule is named; or the signature is missing.
    """
    by.must_be_qualified(QUALITY, at)
    _must_be_known(data)
    data.must_be_erasable(at)
    until = data.kept_until()
    basis = "no cells were collected" if until is None else f"traceability ended {until:%Y-%m-%d}"
    signature = must_sign(
        request.signature,
        person=by,
        meaning="erased",
        what=f"erasure of the personal data of {data.coi}",
        shown={"coi": data.coi, "asked": request.asked},
    )
    erased = PersonalDataErased(
        items=tuple(sorted(data.items)),
        basis=basis,
        asked=clean_text(request.asked, "request"),
        signature=signature,
    )
    return [Entry(data.stream, erased)]


def access_stream(coi: str) -> Stream:
    """Give the stream of who was shown a patient's data."""
    return Stream(f"access/{coi}")


def role_of(person: Qualified, roles: tuple[str, ...], at: Instant) -> str:
    """Give the first of the roles that a person may act in.

    Raises:
        Refused: `operator-unqualified`, as the first role says it.
    """
    refusal: Refused | None = None
    for role in roles:
        try:
            person.must_be_qualified(role, at)
        except Refused as refused:
            refusal = refusal or refused
        else:
            return role
    raise refusal or AssertionError("no role was asked for")


class PersonalDataView:
    """One row per patient of whom something is or was kept; facet kept, held or erased."""

    name = "personal-data"
    version = 1
    families: ClassVar[frozenset[str]] = frozenset({"journey", "access"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take a fact into the patient's row."""
        if recorded.is_withheld or recorded.kind not in _TOLD:
            return
        key, body = recorded.stream.id, recorded.body
        row = rows.get(key) or {"coi": key, "items": [], "holds": {}, "reads": 0, "erased": None}
        _TOLD[recorded.kind](row, body, recorded)
        facet = "erased" if row["erased"] is not None else "held" if row["holds"] else "kept"
        rows.put(key, row, facet=facet, order=key)


def _row_kept(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row.update(items=sorted({*row["items"], *body["items"]}), erased=None)


def _row_read(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row.update(reads=row["reads"] + 1, last=recorded.happened_text, last_by=body["by"])


def _row_held(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["holds"] = {**row["holds"], body["hold"]: body["reason"]}


def _row_lifted(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["holds"] = {id: why for id, why in row["holds"].items() if id != body["hold"]}


def _row_erased(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row.update(items=[], erased=recorded.number)


_TOLD = {
    "personal-data-kept": _row_kept,
    "personal-data-read": _row_read,
    "legal-hold-placed": _row_held,
    "legal-hold-lifted": _row_lifted,
    "personal-data-erased": _row_erased,
}
_SENTENCES = {
    "personal-data-kept": "{by} put what names the patient into the vault: {items}.",
    "personal-data-read": "{by} was shown what names the patient, as {role}: {purpose}",
    "legal-hold-placed": "{by} placed the legal hold {hold}: {reason}",
    "legal-hold-lifted": "{by} lifted the legal hold {hold}: {reason}",
    "personal-data-erased": "Key and salt of the patient's data were destroyed ({basis}), on"
    " request {asked}.",
}


def personal_data_sentence(recorded: Recorded) -> str | None:
    """Say what a fact about a patient's data tells; None for any other."""
    pattern = _SENTENCES.get(recorded.kind)
    if pattern is None:
        return None
    body = recorded.body
    return pattern.format(**{**body, "items": ", ".join(sorted(body.get("items", ())))})


def _must_be_known(data: PersonalData) -> None:
    if not data.is_known:
        raise Refused(
            "subject-unknown",
            what=f"journey {data.coi}",
            found="nothing recorded",
            remedy="scan the chain-of-identity id again",
        )
