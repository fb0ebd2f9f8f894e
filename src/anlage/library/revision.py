"""How a definition changes: draft, submit, return, approve, retire; and how lots take it up.

Each decision receives the definition as folded and gives facts, or refuses.
"""

from collections.abc import Sequence
from dataclasses import replace

from anlage.base import Instant, Refused, clean_text, digest, stamp
from anlage.record import Entry, Signature

from .definition import (
    ChangeNote,
    Definition,
    DefinitionApproved,
    DefinitionDrafted,
    DefinitionLetGo,
    DefinitionRetired,
    DefinitionReturned,
    DefinitionSubmitted,
    DefinitionTakenUp,
    LotImpact,
    Phase,
    Version,
)
from .fields import Content
from .person import Person

APPROVER = "definition-approver"
NOTE_RULE = "EU GMP Part IV 6.10; ICH Q10 3.2.3"


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
