"""What can happen to a lot: its facts, as they are kept for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from anlage.base import Instant, Quantity
from anlage.record import Signature, fact

from .flow import TurnKind
from .recipe import Judgement, Purpose, Shape


class Rule(StrEnum):
    """What an exceptional authorisation may open. Wrong identity is not among them, ever."""

    OPERATOR = "operator-unqualified"
    MATERIAL = "material-unusable"
    DEFINITION = "definition-not-effective"
    ORDER = "step-out-of-order"


class Severity(StrEnum):
    """How much a deviation may matter to the patient."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


@fact("lot-created")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotCreated:
    """A lot came to be, under a number given before its first step.

    Attributes:
        product: The product definition and its version.
        shape: Whose cells: one patient's, or a donor's for many.
        coi: The chain-of-identity id of the one patient; None for an allogeneic lot.
        identity: What every identity scan of this lot must read.
        weight: The patient's weight at order, for doses by weight.
        starting: Streams of what it starts from (collection container, bank lot).
    """

    product: str
    product_version: int
    shape: Shape
    identity: str
    coi: str | None = None
    weight: Quantity | None = None
    starting: tuple[str, ...] = ()


@fact("control-recipe-frozen")
@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRecipeFrozen:
    """The copy of the recipe that this lot follows, whatever happens to the master."""

    recipe: str
    recipe_version: int
    digest: str
    content: Mapping[str, Any]
    specification: str = ""
    specification_version: int = 0
    required: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one parameter, as it was entered.

    Attributes:
        parameter: Its id within the phase.
        number: The number with its unit; None for words.
        text: The words of a choice or text.
        judgement: How it stands to the limits.
        limit: The limit that it passes, in words; None when it passes none.
        instrument: The equipment unit that measured it.
        computed: The calculation and its inputs in words, when it was computed.
    """

    parameter: str
    number: Quantity | None = None
    text: str | None = None
    judgement: Judgement = Judgement.PLAIN
    limit: str | None = None
    instrument: str | None = None
    computed: str | None = None

    @property
    def value(self) -> Quantity | str:
        """The number, or the words."""
        return self.number if self.number is not None else self.text or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialUsed:
    """Material that went into a step: which lot, of what class, how much."""

    material: str
    material_class: str
    amount: Quantity
    planned: Quantity | None = None
    is_within: bool = True
    authorised: int | None = None


@fact("step-started")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step was opened.

    Attributes:
        step: The phase, with its round from the second on ("feed:2").
        role: In which role.
        authorised: Number of the authorisation that it stands on, if one was needed.
        since_window: How late it is to its window, in words; None when in time.
    """

    step: str
    operator: str
    role: str
    equipment: tuple[str, ...] = ()
    room: str | None = None
    authorised: int | None = None
    out_of_order: bool = False
    late_for: str | None = None


@fact("identity-scanned")
@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityScanned:
    """A code was scanned at a step; the raw string is kept, whether it fitted or not."""

    step: str
    raw: str
    is_match: bool
    operator: str


@fact("readings-entered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsEntered:
    """Values were entered at an open step."""

    step: str
    readings: tuple[Reading, ...]
    operator: str
    signature: Signature | None = None
    is_late: bool = False


@fact("step-completed")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepCompleted:
    """A step was done.

    Attributes:
        opens: The steps that this makes ready.
        performed: The signature of the person who did it.
        verified: The signature of the second person, where the recipe asks for one.
        is_late: True when it happened more than five minutes before it was recorded.
    """

    step: str
    operator: str
    witness: str | None = None
    readings: tuple[Reading, ...] = ()
    materials: tuple[MaterialUsed, ...] = ()
    equipment: tuple[str, ...] = ()
    scan: str | None = None
    performed: Signature | None = None
    verified: Signature | None = None
    opens: tuple[str, ...] = ()
    note: str | None = None
    is_late: bool = False


@fact("step-skipped")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A ready step was left out on an authorisation."""

    step: str
    operator: str
    authorised: int
    opens: tuple[str, ...] = ()


@fact("turn-taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """The recipe went one of several ways: a branch, another round, or on."""

    at: str
    turn: TurnKind
    branch: int | None = None
    round: int | None = None
    because: str = ""


@fact("step-held")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepHeld:
    """A step may not go on until its deviation is dispositioned."""

    step: str
    deviation: str
    reason: str


@fact("step-freed")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepFreed:
    """A held step may go on."""

    step: str
    deviation: str


@fact("entry-corrected")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCorrected:
    """A wrong entry was put right; the old value stays in its fact.

    Attributes:
        corrects: Global number of the fact that is wrong.
        parameter: Which value; "note" for the note.
    """

    corrects: int
    step: str
    parameter: str
    old: Reading
    new: Reading
    reason: str
    operator: str
    signature: Signature | None = None


@fact("file-attached")
@dataclass(frozen=True, slots=True, kw_only=True)
class FileAttached:
    """A file belongs to a step; its bytes are kept by digest."""

    step: str
    name: str
    digest: str
    media_type: str
    size: int
    operator: str
    note: str | None = None


@fact("note-added")
@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A remark on a lot or on one of its steps."""

    text: str
    operator: str
    step: str | None = None


@fact("exception-authorised")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionAuthorised:
    """The one door through a hard stop, opened before the act.

    Attributes:
        step: The one step of the one lot.
        rule: The one rule.
        subject: The one person, material lot, definition or step that it is about.
    """

    step: str
    rule: Rule
    subject: str
    reason: str
    deviation: str
    quality: Signature
    second: Signature
    physician: Signature | None = None
    expires: Instant | None = None


@fact("lot-deviation-opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotDeviationOpened:
    """A deviation stands against the lot."""

    deviation: str
    title: str
    severity: Severity
    step: str | None = None
    attribute: str | None = None
    due: Instant | None = None


@fact("lot-deviation-closed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotDeviationClosed:
    """QA dispositioned a deviation of the lot."""

    deviation: str
    is_accepted: bool
    conclusion: str


@fact("lot-sample-taken")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotSampleTaken:
    """A sample left the lot."""

    sample: str
    plan: str
    step: str
    purpose: Purpose
    amount: Quantity
    tests: tuple[str, ...] = ()
    due: Instant | None = None
    is_destructive: bool = True


@fact("lot-container-joined")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotContainerJoined:
    """A container took a part in the lot's process; its custody stands on its own stream.

    Attributes:
        part: Its part as the recipe names it ("culture", "product").
        step: At which step.
    """

    container: str
    part: str
    step: str


@fact("lot-container-left")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotContainerLeft:
    """A container of the process was emptied or discarded."""

    container: str
    part: str
    step: str


@fact("lot-labels-printed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotLabelsPrinted:
    """The label set that a step of the recipe asks for was printed; its copies are on its stream.

    Attributes:
        label_set: The set.
        step: For which step.
        label: The label definition.
        part: What the labels go on.
        count: How many were printed.
        numbers: The number on each.
    """

    label_set: str
    step: str
    label: str
    part: str
    count: int
    numbers: tuple[str, ...] = ()


@fact("lot-labels-reconciled")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotLabelsReconciled:
    """Every copy of a label set of the lot is accounted for.

    Attributes:
        applied: How many copies were applied.
        destroyed: How many copies were destroyed.
        gone: The numbers of which no copy was applied.
    """

    label_set: str
    step: str
    applied: int
    destroyed: int
    gone: tuple[str, ...] = ()


@fact("lot-sample-closed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotSampleClosed:
    """A sample needs nothing more: it is stored, used up or destroyed."""

    sample: str
    how: str


@fact("lot-result-reported")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotResultReported:
    """An approved result of one attribute counts for the lot.

    Attributes:
        outcome: pass, warning, fail or inconclusive.
        compared: What was compared with what.
        result: Number of the fact on the sample's stream.
        replaces: True when an earlier result was invalidated.
    """

    attribute: str
    sample: str
    outcome: str
    reported: str
    compared: str
    method: str
    analyst: str
    approver: str
    raw_file: str | None = None
    replaces: bool = False


@fact("lot-result-invalidated")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotResultInvalidated:
    """A result counts no longer: the laboratory erred, and the investigation shows it."""

    attribute: str
    sample: str
    deviation: str
    reason: str


@fact("batch-reviewed")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReviewed:
    """The batch record was reviewed.

    Attributes:
        through: Version of the lot's stream that was reviewed.
        exceptions: How many entries that are not plain were seen.
        is_full: True for a review page by page, False for one by exception.
    """

    reviewer: str
    through: int
    exceptions: int
    is_full: bool
    comment: str
    signature: Signature


@fact("audit-trail-reviewed")
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrailReviewed:
    """Who changed what, when and why was looked at by somebody who took no part."""

    reviewer: str
    through: int
    corrections: int
    late: int
    comment: str
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One container of product."""

    container: str
    amount: Quantity
    cells: Quantity | None = None


@fact("doses-filled")
@dataclass(frozen=True, slots=True, kw_only=True)
class DosesFilled:
    """The product stands in its containers."""

    fills: tuple[Fill, ...]
    operator: str


@fact("dose-allocated")
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseAllocated:
    """A released container of an allogeneic lot was set aside for one patient."""

    container: str
    coi: str


@fact("dose-rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRejected:
    """One container of a lot may not be used; the others may."""

    container: str
    reason: str
    signature: Signature


@fact("lot-held")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotHeld:
    """Nobody goes on with the lot for now."""

    reason: str
    by: str


@fact("lot-resumed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotResumed:
    """Work on the lot goes on."""

    reason: str
    by: str


@fact("exceptional-release-requested")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionalReleaseRequested:
    """The treating physician asks for a product out of specification: there is no other chance."""

    attributes: tuple[str, ...]
    reason: str
    physician: str
    signature: Signature


@fact("exceptional-release-assessed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionalReleaseAssessed:
    """QA weighed the risk of the product against that of giving nothing."""

    assessment: str
    is_supported: bool
    reviewer: str
    signature: Signature


@fact("lot-released")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotReleased:
    """The QP certified the lot.

    Attributes:
        certificate: Digest of the certificate of analysis's content.
        is_exceptional: True when a failed result was accepted for a patient with no other chance.
        pending: Attributes whose final result comes after release (21 CFR 610.12; USP <71>).
    """

    certificate: str
    specification: str
    specification_version: int
    is_exceptional: bool
    releaser: str
    signature: Signature
    pending: tuple[str, ...] = ()
    statement: str = ""


@fact("lot-rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotRejected:
    """The lot will not be used."""

    reason: str
    releaser: str
    signature: Signature


@fact("lot-terminated")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotTerminated:
    """Making the lot was given up before its end."""

    reason: str
    by: str
    signature: Signature


@fact("lot-voided")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotVoided:
    """The lot was created by mistake and nothing was done in it; its number stays used."""

    reason: str
    by: str


@fact("lot-recalled")
@dataclass(frozen=True, slots=True, kw_only=True)
class LotRecalled:
    """A released lot was called back."""

    reason: str
    by: str
    signature: Signature
    physician_told: Instant | None = None
