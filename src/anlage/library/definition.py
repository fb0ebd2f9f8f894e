"""The life of a definition: draft, in review, effective, superseded or retired.

One stream per definition, `definition/KIND:ID`; its versions are numbered from 1. A version's
content is fixed from the moment it is submitted, and what is approved is its digest. Nobody
approves what they wrote. A version takes effect on a date, never in the past, and supersedes the
one before it; a change says in a note what becomes of the lots in progress.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from anlage.base import Broken, Instant, Refused, digest, stamp
from anlage.record import Recorded, Signature, Stream, fact

from .fields import Content


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
