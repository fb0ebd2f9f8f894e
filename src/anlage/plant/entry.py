"""Putting entries right, attaching files, adding remarks, and opening the one door."""

import re
from dataclasses import dataclass

from anlage.base import Instant, Refused, clean_line, clean_text
from anlage.record import Entry, Signature

from .deviation import entries_to_open
from .errors import PART_11, distinct
from .flow import TurnKind
from .lot import Lot, LotStatus, StepState, StepStatus
from .lot_fact import (
    EntryCorrected,
    ExceptionAuthorised,
    FileAttached,
    NoteAdded,
    Reading,
    Rule,
    Severity,
    StepHeld,
    TurnTaken,
)
from .readings import read_value
from .recipe import Judgement
from .signing import Qualified, must_be_allowed, must_sign

SIZE_MAX = 4_000_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectEntry:
    """Put a wrong value right; the old one stays readable beside it."""

    lot: str
    step: str
    parameter: str
    value: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachFile:
    """Attach a file, kept by its digest, to a step."""

    lot: str
    step: str
    name: str
    digest: str
    media_type: str
    size: int
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Add a remark to a lot or one of its steps."""

    lot: str
    text: str
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseException:
    """Open the one door through a hard stop, before the act.

    Attributes:
        lot: The one lot.
        step: The one step.
        rule: The one rule. Wrong identity is not among them.
        subject: The one person, material lot, definition or step.
        reason: Why.
        quality: QA's signature.
        second: The signature of a second, distinct person.
        physician: The treating physician's signature, where a patient is affected.
        expires: Until when it may be used.
        quality_by: Who of QA is to sign, while the signature is not there.
        second_by: Who is to sign as second person.
        physician_by: Which physician is to sign.
    """

    lot: str
    step: str
    rule: Rule
    subject: str
    reason: str
    quality: Signature | None = None
    second: Signature | None = None
    physician: Signature | None = None
    expires: Instant | None = None
    quality_by: str | None = None
    second_by: str | None = None
    physician_by: str | None = None


def correct_entry(
    lot: Lot, request: CorrectEntry, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Put a wrong value right.

    A correction made in a completed step into or within a hard limit opens its deviation too.

    Raises:
        Refused: There is no such entry, nothing changes, or the person may not do the step.
    """
    step, old = _entry(lot, request)
    phase = lot.phase_of(step.key)
    parameter = phase.parameter(request.parameter) if phase else None
    if phase is None or parameter is None:
        raise _no_entry(lot, request, "not a value of this step")
    must_be_allowed(lot, person, phase.role, step.key, at)
    new = read_value(phase, parameter, request.value, old.instrument)
    if new.value == old.value:
        raise _no_entry(lot, request, f"{new.value}, as before")
    reason = clean_text(request.reason, "reason", limit=2000)
    signature = must_sign(
        request.signature,
        person=person,
        meaning="corrected",
        what=f"correction in step {step.key} of lot {lot.id}",
        shown={
            "lot": lot.id,
            "step": step.key,
            "parameter": parameter.id,
            "value": request.value,
            "reason": reason,
        },
    )
    corrected = EntryCorrected(
        corrects=step.sources[parameter.id],
        step=step.key,
        parameter=parameter.id,
        old=old,
        new=new,
        reason=reason,
        operator=person.id,
        signature=signature,
    )
    entries = [Entry(lot.stream, corrected, why=reason), *_unstuck(lot, step, new)]
    if new.judgement is Judgement.HARD:
        words = f"{parameter.name} corrected to {new.value}, limit {new.limit}"
        id, opened = entries_to_open(
            lot,
            title=f"{phase.name}: outside the hard limit",
            description=words,
            severity=Severity.CRITICAL if parameter.critical else Severity.MAJOR,
            cause="hard-limit",
            at=at,
            step=step.key,
        )
        entries += opened
        if step.status is StepStatus.STARTED:
            entries.append(Entry(lot.stream, StepHeld(step=step.key, deviation=id, reason=words)))
    return entries


def attach_file(lot: Lot, request: AttachFile, *, person: Qualified) -> list[Entry]:
    """Attach a file to a step that was begun.

    Raises:
        Refused: The step was not begun, or digest, name or size cannot be right.
    """
    if request.step not in lot.steps:
        raise _no_step(lot, request.step)
    if not _DIGEST.fullmatch(request.digest) or not 0 < request.size <= SIZE_MAX:
        raise Refused(
            "attachment-unusable",
            what=f"file for step {request.step} of lot {lot.id}",
            found=f"digest {request.digest[:70]!r}, {request.size} bytes",
            limit=f"a SHA-256 in small hexadecimal, 1 to {SIZE_MAX} bytes",
            remedy="send the file again",
        )
    attached = FileAttached(
        step=request.step,
        name=clean_line(request.name, "file name", limit=200),
        digest=request.digest,
        media_type=clean_line(request.media_type, "media type", limit=100),
        size=request.size,
        operator=person.id,
        note=clean_line(request.note, "note") if request.note else None,
    )
    return [Entry(lot.stream, attached)]


def add_note(lot: Lot, request: AddNote, *, person: Qualified) -> list[Entry]:
    """Add a remark.

    Raises:
        Refused: There is no such lot or step, or the text is not usable.
    """
    if lot.status is LotStatus.UNKNOWN or (request.step and request.step not in lot.steps):
        raise _no_step(lot, request.step or "")
    text = clean_text(request.text, "note", limit=4000)
    return [Entry(lot.stream, NoteAdded(text=text, operator=person.id, step=request.step))]


def authorise_exception(
    lot: Lot,
    request: AuthoriseException,
    *,
    quality: Qualified,
    second: Qualified,
    physician: Qualified | None,
    at: Instant,
) -> list[Entry]:
    """Open the one door: one step of one lot, one rule, one subject, before the act.

    Raises:
        Refused: The step is done, the persons are not distinct or not qualified, a signature does
            not stand under just this, or a patient is affected and no physician signs.
    """
    if lot.status not in {LotStatus.RUNNING, LotStatus.HELD}:
        raise Refused(
            "authorisation-unusable",
            what=f"authorisation for lot {lot.id}",
            found=str(lot.status),
            limit="a running lot",
            remedy="an authorisation is given before the act",
        )
    phase = lot.phase_of(request.step)
    done = lot.steps.get(request.step)
    if phase is None or (done is not None and not done.is_open):
        raise _no_step(lot, request.step)
    what = f"authorisation for step {request.step} of lot {lot.id}"
    people = [quality.id, second.id] + ([physician.id] if physician else [])
    if len(set(people)) != len(people):
        raise distinct(what, quality.id, "another signatory", "design: the one door")
    if request.rule is Rule.OPERATOR and request.subject in people:
        raise distinct(what, request.subject, "the person it is about", "design: the one door")
    quality.must_be_qualified("qa-reviewer", at)
    if lot.coi is not None and physician is None:
        raise Refused(
            "authorisation-unusable",
            what=what,
            found="no physician, while a patient is affected",
            limit="the treating physician's signature",
            remedy="ask the treating physician",
            rule="design: the one door",
        )
    if physician is not None:
        physician.must_be_qualified("physician", at)
    reason = clean_text(request.reason, "reason", limit=4000)
    shown = {
        "lot": lot.id,
        "step": request.step,
        "rule": str(request.rule),
        "subject": request.subject,
        "reason": reason,
    }
    id, entries = entries_to_open(
        lot,
        title=f"Exceptional authorisation: {request.rule}",
        description=f"{request.subject}: {reason}",
        severity=Severity.MAJOR,
        cause=str(request.rule),
        at=at,
        step=request.step,
        opener=quality.id,
    )
    authorised = ExceptionAuthorised(
        step=request.step,
        rule=request.rule,
        subject=request.subject,
        reason=reason,
        deviation=id,
        quality=must_sign(
            request.quality, person=quality, meaning="authorised", what=what, shown=shown
        ),
        second=must_sign(
            request.second, person=second, meaning="authorised", what=what, shown=shown
        ),
        physician=None
        if physician is None
        else must_sign(
            request.physician, person=physician, meaning="authorised", what=what, shown=shown
        ),
        expires=request.expires,
    )
    return [*entries, Entry(lot.stream, authorised, why=reason)]


def _entry(lot: Lot, request: CorrectEntry) -> tuple[StepState, Reading]:
    step = lot.steps.get(request.step)
    old = step.readings.get(request.parameter) if step else None
    if step is None or old is None:
        raise _no_entry(lot, request, "no such entry")
    if not lot.status.is_open:
        raise _no_entry(lot, request, f"a lot that is {lot.status}")
    return step, old


def _unstuck(lot: Lot, step: StepState, new: Reading) -> list[Entry]:
    """Give the turns that a lot takes which was stuck for want of a right value."""
    if lot.net is None or not lot.net.is_stuck(lot.marking):
        return []
    values = {**lot.readings, f"{step.phase}.{new.parameter}": new.value}
    _, turns = lot.net.retry(lot.marking, values)
    return [
        Entry(
            lot.stream,
            TurnTaken(
                at=one.id, turn=one.kind, branch=one.branch, round=one.round, because=one.because
            ),
        )
        for one in turns
        if one.kind is not TurnKind.STUCK
    ]


def _no_entry(lot: Lot, request: CorrectEntry, found: str) -> Refused:
    return Refused(
        "entry-unknown",
        what=f"{request.parameter[:60]} of step {request.step[:60]} of lot {lot.id}",
        found=found,
        limit="a value that was entered, with a new one",
        remedy="choose the entry from the step",
        rule="21 CFR 11.10(e)",
    )


def _no_step(lot: Lot, step: str) -> Refused:
    return Refused(
        "step-unknown",
        what=f"step {step[:80]} of lot {lot.id}",
        found=str(lot.steps[step].status) if step in lot.steps else "not begun, or unknown",
        limit=", ".join(one.key for one in lot.open_steps) or "no step is open",
        remedy="choose the step from the list",
        rule=PART_11,
    )
