"""The life of a definition: draft, in review, effective, superseded or retired.

One stream per definition, `definition/KIND:ID`; its versions are numbered from 1. A version's
content is fixed from the moment it is submitted, and what is approved is its digest. Nobody
approves what they wrote. A version takes effect on a date, never in the past, and supersedes the
one before it; a change says in a note what becomes of the lots in progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Broken, Instant, Refused, clean_text, digest, stamp
from anlage.record import Entry, Recorded, Signature, Stream, fact

from .fields import Content
from .person import Person

APPROVER = "definition-approver"
NOTE_RULE = "EU GMP Part IV 6.10; ICH Q10 3.2.3"


class Phase(StrEnum):
    """Where a version stands; approved means that its effective date lies ahead."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


class Treatment(StrEnum):
    """What becomes of a lot in progress when a definition changes."""

    CONTINUES = "continues-on-its-version"
    MOVES = "moves-to-the-new-version"
    HELD = "held-for-assessment"


@dataclass(frozen=True, slots=True, kw_only=True)
class LotImpact:
    """What a change means for one lot in progress."""

    lot: str
    treatment: Treatment
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeNote:
    """The change-control note of a version that replaces another.

    Attributes:
        reason: Why the change is made.
        impact: What it means for product quality and for what else is in force.
        lots: What becomes of each lot in progress; empty when there is none.
    """

    reason: str
    impact: str
    lots: tuple[LotImpact, ...] = ()


@fact("definition-drafted")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionDrafted:
    """A version was written, or rewritten while still a draft."""

    kind_of: str
    id: str
    number: int
    title: str
    content: Mapping[str, object]
    digest: str
    author: str
    note: ChangeNote | None = None


@fact("definition-submitted")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionSubmitted:
    """A draft was submitted for review; its content is fixed."""

    number: int
    digest: str
    by: str
    signature: Signature | None = None


@fact("definition-returned")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionReturned:
    """The review sent a version back to its author."""

    number: int
    by: str
    reason: str


@fact("definition-approved")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionApproved:
    """A version was approved; it takes effect on a date and supersedes the one before."""

    number: int
    digest: str
    approver: str
    effective: Instant
    note: ChangeNote | None = None
    signature: Signature | None = None


@fact("definition-retired")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRetired:
    """The definition is no longer to be used, in any version."""

    by: str
    since: Instant
    note: ChangeNote
    signature: Signature | None = None


@fact("definition-taken-up")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionTakenUp:
    """A lot began to work by a version; a change must say what becomes of it."""

    number: int
    lot: str


@fact("definition-let-go")
@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionLetGo:
    """A lot ended; it is in progress no longer."""

    lot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a definition.

    Attributes:
        number: From 1.
        title: Its name in words.
        content: The normalised content: JSON values without floats.
        digest: SHA-256 of the canonical content.
        author: Who wrote it last.
        writers: All who wrote or submitted it; none of them may approve it.
        state: Where it stands by the facts so far; `state_at` says where at an instant.
        note: The change-control note.
        approver: Who approved it.
        effective_from: When it takes effect.
        effective_until: When it was superseded or retired; None while neither is settled.
        signatures: Under its submission and its approval.
    """

    number: int
    title: str
    content: Content
    digest: str
    author: str
    writers: frozenset[str]
    state: Phase = Phase.DRAFT
    note: ChangeNote | None = None
    approver: str | None = None
    effective_from: Instant | None = None
    effective_until: Instant | None = None
    signatures: tuple[Signature, ...] = ()

    def is_effective(self, at: Instant) -> bool:
        """Tell whether this is the version to use at an instant."""
        return (
            self.effective_from is not None
            and self.effective_from <= at
            and (self.effective_until is None or at < self.effective_until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A definition with all its versions, folded from its stream.

    Attributes:
        kind: product, recipe, specification, calculation, ...
        id: Its identifier within the kind.
        versions: All, oldest first.
        retired_since: When it was retired; None while it is in use.
        lots: Lots in progress that work by it, with the version that each took up.
    """

    kind: str
    id: str
    versions: tuple[Version, ...] = field(default=())
    retired_since: Instant | None = None
    lots: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give a definition without versions."""
        kind, _, name = stream.id.partition(":")
        return cls(kind=kind, id=name)

    @property
    def stream(self) -> Stream:
        """The stream of its facts."""
        return stream_of(self.kind, self.id)

    @property
    def latest(self) -> Version | None:
        """The version with the highest number."""
        return self.versions[-1] if self.versions else None

    def effective(self, at: Instant) -> Version | None:
        """Give the version to use at an instant; None when there is none."""
        return next((one for one in reversed(self.versions) if one.is_effective(at)), None)

    def version(self, number: int) -> Version:
        """Give a version by its number.

        Raises:
            Refused: There is no such version.
        """
        if 1 <= number <= len(self.versions):
            return self.versions[number - 1]
        raise Refused(
            "definition-unknown",
            what=f"version of {self}",
            found=number,
            limit=f"1 to {len(self.versions)}" if self.versions else "none is written",
            remedy="choose a version from the list",
        )

    def must_be_effective(self, version: int, at: Instant) -> Version:
        """Give a version that is the one to use at an instant (the fourth hard stop).

        Raises:
            Refused: `definition-not-effective`: another version is, or none, with what stands
                before it.
        """
        if not 1 <= version <= len(self.versions):
            raise self._not_effective(f"version {version}, which is not written", at)
        found = self.version(version)
        if found.is_effective(at):
            return found
        raise self._not_effective(f"version {version}, {self._standing(found, at)}", at)

    def must_have_effective(self, at: Instant) -> Version:
        """Give the version to use at an instant.

        Raises:
            Refused: `definition-not-effective`: there is none.
        """
        found = self.effective(at)
        if found is None:
            latest = self.latest
            seen = self._standing(latest, at) if latest else "no version written"
            raise self._not_effective(seen, at)
        return found

    def state_at(self, number: int, at: Instant) -> Phase:
        """Say where a version stands at an instant: `approved` while its date lies ahead."""
        one = self.version(number)
        if one.is_effective(at):
            return Phase.EFFECTIVE
        if one.effective_from is not None and at < one.effective_from:
            return Phase.APPROVED
        return one.state

    def _standing(self, one: Version, at: Instant) -> str:
        state = self.state_at(one.number, at)
        if state is Phase.APPROVED and one.effective_from is not None:
            return f"approved, in effect from {stamp(one.effective_from)}"
        since = f" since {stamp(one.effective_until)}" if one.effective_until else ""
        return f"{str(state).replace('-', ' ')}{since}"

    def _not_effective(self, found: str, at: Instant) -> Refused:
        usable = self.effective(at)
        return Refused(
            "definition-not-effective",
            what=f"{self}",
            found=found,
            limit=f"version {usable.number}, effective" if usable else "an effective version",
            remedy=f"use version {usable.number}"
            if usable
            else "have a version approved, or ask QA for an exceptional authorisation",
            rule="EU GMP Part IV 6.10; 21 CFR 211.100",
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def after(self, recorded: Recorded) -> Self:
        """Give the definition after one more fact."""
        match recorded.fact:
            case DefinitionDrafted() as drafted:
                return self._with(_drafted(self, drafted))
            case DefinitionSubmitted(number=number) as submitted:
                return self._change(
                    number,
                    state=Phase.IN_REVIEW,
                    writers=self.version(number).writers | {submitted.by},
                    signatures=_signed((), submitted.signature),
                )
            case DefinitionReturned(number=number):
                return self._change(number, state=Phase.DRAFT, signatures=())
            case DefinitionApproved() as approved:
                return self._approved(approved)
            case DefinitionRetired(since=since):
                return self._retired(since)
            case DefinitionTakenUp(number=number, lot=lot):
                return replace(self, lots={**self.lots, lot: number})
            case DefinitionLetGo(lot=gone):
                return replace(self, lots={k: v for k, v in self.lots.items() if k != gone})
            case _:
                return self

    def _with(self, version: Version) -> Self:
        kept = self.versions[: version.number - 1]
        return replace(self, versions=(*kept, version))

    def _change(self, number: int, **changes: object) -> Self:
        changed = replace(self.version(number), **changes)  # type: ignore[arg-type]
        at = number - 1
        return replace(self, versions=(*self.versions[:at], changed, *self.versions[number:]))

    def _approved(self, approved: DefinitionApproved) -> Self:
        one = self.version(approved.number)
        if approved.digest != one.digest:
            raise Broken(f"the approved digest of {self}", seen=one.digest)
        ended = tuple(_ended(other, approved.effective) for other in self.versions[:-1])
        new = replace(
            one,
            state=Phase.EFFECTIVE,
            approver=approved.approver,
            effective_from=approved.effective,
            note=approved.note or one.note,
            signatures=_signed(one.signatures, approved.signature),
        )
        return replace(self, versions=(*ended, new))

    def _retired(self, since: Instant) -> Self:
        versions = []
        for one in self.versions:
            if one.effective_from is None:
                versions.append(replace(one, state=Phase.RETIRED))
            elif one.effective_until is None or one.effective_until > since:
                versions.append(replace(one, state=Phase.RETIRED, effective_until=since))
            else:
                versions.append(one)
        return replace(self, versions=tuple(versions), retired_since=since)


def stream_of(kind: str, id: str) -> Stream:
    """Give the stream of a definition.

    Raises:
        Refused: Kind or identifier has a character that a stream cannot hold.
    """
    return Stream(f"definition/{kind}:{id}")


# Decisions ---------------------------------------------------------------------------------------


def draft(
    definition: Definition,
    content: Content,
    *,
    author: Person,
    note: ChangeNote | None = None,
) -> list[Entry]:
    """Give the fact that writes the next version, or rewrites the one that is a draft.

    The content must have passed its kind's check (`check_content`).

    Raises:
        Refused: The definition is retired, its latest version is in review, the content is another
            definition's, changes nothing, or replaces a version without a change-control note.
    """
    if definition.retired_since is not None:
        raise _wrong_phase(definition, "retired", "a definition in use", "draft one under a new id")
    latest = definition.latest
    if latest is not None and latest.state is Phase.IN_REVIEW:
        raise _wrong_phase(definition, "in review", "a draft", "have it returned first")
    named = (content.get("kind"), content.get("id"))
    if named != (definition.kind, definition.id):
        raise Refused(
            "definition-other",
            what=f"content for {definition}",
            found=f"{named[0]} {named[1]}",
            limit=f"{definition}",
            remedy="draft it under its own kind and id",
        )
    is_rewrite = latest is not None and latest.state is Phase.DRAFT
    number = len(definition.versions) + (0 if is_rewrite else 1)
    summary = digest(content)
    note = note or (latest.note if is_rewrite and latest else None)
    if latest is not None and latest.digest == summary and note == latest.note:
        raise Refused(
            "definition-unchanged",
            what=f"{definition}, version {latest.number}",
            found="the same content",
            limit="a change",
            remedy="change the content, or leave it as it is",
        )
    if number > 1:
        _must_be_noted(definition, note)
    drafted = DefinitionDrafted(
        kind_of=definition.kind,
        id=definition.id,
        number=number,
        title=str(content.get("title") or content.get("name") or ""),
        content=content,
        digest=summary,
        author=author.id,
        note=note,
    )
    return [Entry(definition.stream, drafted)]


def submit(
    definition: Definition, number: int, *, by: Person, signature: Signature | None = None
) -> list[Entry]:
    """Give the fact that fixes a draft and hands it to review.

    Raises:
        Refused: The version is not a draft.
    """
    one = _in_phase(definition, number, Phase.DRAFT, "draft it again")
    submitted = DefinitionSubmitted(number=number, digest=one.digest, by=by.id, signature=signature)
    return [Entry(definition.stream, submitted)]


def send_back(definition: Definition, number: int, *, by: Person, reason: str) -> list[Entry]:
    """Give the fact that returns a version in review to its author.

    Raises:
        Refused: It is not in review, or no reason is given.
    """
    _in_phase(definition, number, Phase.IN_REVIEW, "submit it first")
    returned = DefinitionReturned(
        number=number, by=by.id, reason=clean_text(reason, "reason for returning")
    )
    return [Entry(definition.stream, returned)]


def approve(
    definition: Definition,
    number: int,
    *,
    approver: Person,
    effective: Instant,
    at: Instant,
    summary: str | None = None,
    signature: Signature | None = None,
    impacts: Sequence[LotImpact] = (),
) -> list[Entry]:
    """Give the fact that makes a version effective on a date.

    Args:
        definition: The definition as folded.
        number: The version in review.
        approver: Who approves; never one of its writers or who submitted it.
        effective: From when it is to be used; not before `at`.
        at: Now.
        summary: The digest that was shown to the approver; None when nothing was shown.
        signature: The approver's signature under that digest.
        impacts: What becomes of each lot in progress, where the note does not say it yet.

    Raises:
        Refused: `definition-own-approval`, `definition-backdated`, `definition-moved-on`,
            `impact-unstated`, `operator-unqualified`, or the version is not in review.
    """
    one = _in_phase(definition, number, Phase.IN_REVIEW, "submit it for review first")
    if summary is not None and summary != one.digest:
        raise Refused(
            "definition-moved-on",
            what=f"approval of {definition}, version {number}",
            found=f"content {summary[:12]}",
            limit=f"content {one.digest[:12]}, as submitted",
            remedy="look at the version again, then approve it",
            rule="21 CFR 11.70",
        )
    if approver.id in one.writers:
        raise Refused(
            "definition-own-approval",
            what=f"approval of {definition}, version {number}",
            found=f"{approver.name}, who wrote it",
            limit="a person who did not write or submit it",
            remedy="ask another approver",
            rule="21 CFR 211.22; EU GMP Part IV 6.9",
        )
    approver.must_be_qualified(APPROVER, at)
    before = definition.versions[number - 2] if number > 1 else None
    floor = max(filter(None, (at, before.effective_from if before else None)))
    if effective < floor:
        raise Refused(
            "definition-backdated",
            what=f"effective date of {definition}, version {number}",
            found=stamp(effective),
            limit=f"{stamp(floor)} or later",
            remedy="choose a later date",
            rule="ALCOA: contemporaneous",
        )
    note = one.note
    if note is not None and impacts:
        note = replace(note, lots=(*note.lots, *impacts))
    if number > 1:
        _must_state_impact(definition, _must_be_noted(definition, note))
    approved = DefinitionApproved(
        number=number,
        digest=one.digest,
        approver=approver.id,
        effective=effective,
        note=note,
        signature=signature,
    )
    return [Entry(definition.stream, approved)]


def retire(
    definition: Definition,
    *,
    by: Person,
    at: Instant,
    note: ChangeNote,
    signature: Signature | None = None,
) -> list[Entry]:
    """Give the fact that takes a definition out of use at once.

    Raises:
        Refused: It is retired, was never approved, or the note leaves a lot in progress out.
    """
    if definition.retired_since is not None:
        since = stamp(definition.retired_since)
        raise _wrong_phase(definition, f"retired since {since}", "in use", "nothing is left to do")
    if not definition.versions:
        raise _wrong_phase(definition, "no version written", "a definition in use", "check the id")
    by.must_be_qualified(APPROVER, at)
    _must_state_impact(definition, _must_be_noted(definition, note))
    retired = DefinitionRetired(by=by.id, since=at, note=note, signature=signature)
    return [Entry(definition.stream, retired)]


def take_up(definition: Definition, version: int, *, lot: str, at: Instant) -> list[Entry]:
    """Give the fact that a lot works by a version from now on.

    Raises:
        Refused: `definition-not-effective`.
    """
    definition.must_be_effective(version, at)
    return [Entry(definition.stream, DefinitionTakenUp(number=version, lot=lot))]


def let_go(definition: Definition, *, lot: str) -> list[Entry]:
    """Give the fact that a lot has ended; nothing when it did not work by this definition."""
    if lot not in definition.lots:
        return []
    return [Entry(definition.stream, DefinitionLetGo(lot=lot))]


def _drafted(definition: Definition, drafted: DefinitionDrafted) -> Version:
    content = drafted.content
    if digest(content) != drafted.digest:
        raise Broken(f"the digest of {definition}, version {drafted.number}", seen="another")
    is_rewrite = drafted.number <= len(definition.versions)
    writers = definition.versions[-1].writers if is_rewrite else frozenset()
    return Version(
        number=drafted.number,
        title=drafted.title,
        content=content,
        digest=drafted.digest,
        author=drafted.author,
        writers=writers | {drafted.author},
        note=drafted.note,
    )


def _ended(one: Version, at: Instant) -> Version:
    if one.effective_from is None or (one.effective_until and one.effective_until <= at):
        return one
    return replace(one, state=Phase.SUPERSEDED, effective_until=at)


def _signed(
    signatures: tuple[Signature, ...], signature: Signature | None
) -> tuple[Signature, ...]:
    return signatures if signature is None else (*signatures, signature)


def _in_phase(definition: Definition, number: int, phase: Phase, remedy: str) -> Version:
    one = definition.version(number)
    if one.state is not phase:
        found = str(one.state).replace("-", " ")
        raise _wrong_phase(
            definition, f"version {number}, {found}", str(phase).replace("-", " "), remedy
        )
    return one


def _wrong_phase(definition: Definition, found: str, limit: str, remedy: str) -> Refused:
    return Refused(
        "definition-phase",
        what=f"{definition}",
        found=found,
        limit=limit,
        remedy=remedy,
        rule=NOTE_RULE,
    )


def _must_be_noted(definition: Definition, note: ChangeNote | None) -> ChangeNote:
    if note is None or not note.reason.strip() or not note.impact.strip():
        raise Refused(
            "change-unexplained",
            what=f"change of {definition}",
            found="no change-control note" if note is None else "a note without reason or impact",
            limit="a reason, and the impact on product and lots in progress",
            remedy="add the note",
            rule=NOTE_RULE,
        )
    return note


def _must_state_impact(definition: Definition, note: ChangeNote) -> None:
    stated = {one.lot for one in note.lots}
    if left_out := sorted(lot for lot in definition.lots if lot not in stated):
        raise Refused(
            "impact-unstated",
            what=f"change-control note of {definition}",
            found=f"nothing about {', '.join(left_out)}",
            limit="what becomes of every lot in progress that uses it",
            remedy="state for each: continues, moves to the new version, or is held",
            rule=NOTE_RULE,
        )
