"""Judges the facts of lots once more, as an outsider who has nothing but the record.

Every step is set against the state that the lot was in before it: its turn, its limits, the second
person, the signatures, the identity. A release stands only when everything was closed before it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from anlage.base import Broken, Problem, Refused, digest, parse_canonical
from anlage.record import Recorded, Signature

from .disposition import certificate
from .label_need import labels_missing
from .lot import Lot, StepStatus
from .lot_fact import (
    AuditTrailReviewed,
    BatchReviewed,
    ControlRecipeFrozen,
    ExceptionAuthorised,
    IdentityScanned,
    LotReleased,
    ReadingsEntered,
    StepCompleted,
    StepSkipped,
    StepStarted,
)
from .recipe import Judgement
from .review import before_release
from .signing import fault_of


def check_lots(facts: Sequence[Recorded]) -> list[Problem]:
    """Give everything that is wrong with the lots among these facts."""
    streams: dict[str, list[Recorded]] = {}
    for one in facts:
        if one.stream.family == "lot":
            streams.setdefault(one.stream, []).append(one)
    problems: list[Problem] = []
    for stream, history in streams.items():
        if any(one.is_withheld for one in history) or history[0].version != 1:
            continue  # another patient's lot, or a part of one: nothing can be judged
        problems.extend(_history(stream.partition("/")[2], history))
    return problems


def _history(id: str, history: Sequence[Recorded]) -> Iterator[Problem]:
    lot = Lot(id=id)
    for one in sorted(history, key=lambda fact: fact.version):
        try:
            said = one.fact
            yield from _judge(lot, one, said)
            lot = lot.after(one)
        except (Broken, Refused, KeyError) as error:
            yield _problem("fact-unreadable", one, f"{error}"[:200], "a fact that follows")
            return


def _judge(lot: Lot, one: Recorded, said: object) -> Iterator[Problem]:
    match said:
        case ControlRecipeFrozen(digest=named, content=content):
            if digest(dict(content)) != named:
                yield _problem("control-recipe-altered", one, named, "the digest of its content")
        case StepStarted(step=step, out_of_order=out_of_order, authorised=authorised):
            if step not in lot.ready and not (out_of_order and authorised is not None):
                limit = f"one of {', '.join(lot.ready) or 'no step'}, or an authorisation"
                yield _problem("step-out-of-order", one, step, limit)
            exclusive = [key.key for key in lot.open_steps if _is_exclusive(lot, key.key)]
            if exclusive and _is_exclusive(lot, step):
                yield _problem("step-exclusive", one, f"{step} beside {exclusive[0]}", "one step")
        case StepSkipped(step=step, authorised=authorised):
            if authorised not in {known.number for known in lot.authorisations}:
                yield _problem("step-out-of-order", one, step, "an authorisation before it")
        case IdentityScanned(raw=raw, is_match=is_match):
            if is_match and lot.identity not in raw:
                yield _problem("identity-mismatch", one, raw, lot.identity)
        case StepCompleted():
            yield from _completed(lot, one, said)
        case ReadingsEntered():
            yield from _limits(lot, one, said.step, said)
        case ExceptionAuthorised(quality=first, second=second, physician=third):
            signed = [first, second, *([third] if third else [])]
            people = [signature.person for signature in signed]
            if len(set(people)) != len(people) or (lot.coi and third is None):
                yield _problem(
                    "person-not-distinct", one, ", ".join(people), "QA, a second, physician"
                )
            yield from _signatures(one, signed, {"lot": lot.id, "step": said.step})
        case BatchReviewed() | AuditTrailReviewed():
            if said.reviewer in lot.people:
                yield _problem("person-not-distinct", one, said.reviewer, "nobody who made it")
            yield from _signatures(one, [said.signature], {"lot": lot.id, "through": said.through})
        case LotReleased():
            yield from _released(lot, one, said)
        case _:
            pass


def _completed(lot: Lot, one: Recorded, said: StepCompleted) -> Iterator[Problem]:
    phase = lot.phase_of(said.step)
    known = lot.steps.get(said.step)
    if known is None or not known.is_open:
        yield _problem("step-not-open", one, said.step, "a step that was started")
    elif known.status is StepStatus.HELD:
        yield _problem("step-held", one, said.step, "a step that is not held")
    if phase is None:
        yield _problem("step-unknown", one, said.step, "a step of the control recipe")
        return
    if phase.witness is not None and (said.witness is None or said.witness == said.operator):
        yield _problem("person-not-distinct", one, str(said.witness), "a second, distinct person")
    scanned = known is not None and known.scanned
    if phase.is_identity_critical and not scanned and lot.identity not in (said.scan or ""):
        yield _problem("identity-mismatch", one, str(said.scan), lot.identity)
    if phase.is_signed and said.performed is None:
        yield _problem("signature-missing", one, "no signature", "that of who did it")
    if phase.witness is not None and said.verified is None:
        yield _problem("signature-missing", one, "no signature", "that of the second person")
    for signature, person, meaning in (
        (said.performed, said.operator, "performed"),
        (said.verified, said.witness, "verified"),
    ):
        if signature is None or person is None:
            continue
        shown: dict[str, Any] = {"lot": lot.id, "step": said.step}
        fault = fault_of(signature, person=person, meaning=meaning, shown=shown)
        if fault is None:
            fault = _values_fault(signature, said)
        if fault is not None:
            yield _problem("signature-unsound", one, fault, f"{meaning} by {person}")
    for due, count in labels_missing(lot, said.step, said.readings):
        found = f"{due.printed} labels {due.need.label} for {due.need.part}"
        yield _problem("labels-not-printed", one, found, f"{count}")
    yield from _limits(lot, one, said.step, said)


def _values_fault(signature: Signature, said: StepCompleted) -> str | None:
    """Compare the values under a signature with those that were kept."""
    shown = parse_canonical(signature.shown.encode()).get("readings", {})
    for reading in said.readings:
        if reading.computed is None and shown.get(reading.parameter) not in {
            str(reading.value),
            None,
        }:
            given = str(shown.get(reading.parameter))
            if "".join(given.split()) != "".join(str(reading.value).split()) and not _same(
                given, str(reading.value)
            ):
                return f"{reading.parameter} signed as {given}, kept as {reading.value}"
    return None


def _same(given: str, kept: str) -> bool:
    from anlage.base import Quantity

    try:
        return Quantity.parse(given).compare(Quantity.parse(kept)) == 0
    except Refused:
        return False


def _limits(
    lot: Lot, one: Recorded, step: str, said: StepCompleted | ReadingsEntered
) -> Iterator[Problem]:
    phase = lot.phase_of(step)
    if phase is None:
        return
    for reading in said.readings:
        parameter = phase.parameter(reading.parameter)
        if parameter is not None and parameter.judge(reading.value) is not reading.judgement:
            found = f"{reading.parameter} {reading.value} judged {reading.judgement}"
            limit = f"{parameter.judge(reading.value)}"
            yield _problem("judgement-wrong", one, found, limit)
        if reading.judgement is Judgement.HARD and isinstance(said, StepCompleted):
            known = lot.steps.get(step)
            if known is None or not known.deviations:
                found = f"{reading.parameter} {reading.value}, past the hard limit"
                yield _problem("deviation-missing", one, found, "a deviation that holds the step")


def _released(lot: Lot, one: Recorded, said: LotReleased) -> Iterator[Problem]:
    for blocker in before_release(lot, one.happened):
        yield _problem("released-while-open", one, blocker.what, "nothing open")
    if said.certificate != digest(certificate(lot)):
        yield _problem("certificate-altered", one, said.certificate, "the digest of its content")
    if said.releaser in lot.people:
        yield _problem("person-not-distinct", one, said.releaser, "nobody who made it")
    shown = {"lot": lot.id, "certificate": said.certificate}
    meaning = "released exceptionally" if said.is_exceptional else "released"
    if fault := fault_of(said.signature, person=said.releaser, meaning=meaning, shown=shown):
        yield _problem("signature-unsound", one, fault, f"{meaning} by {said.releaser}")


def _signatures(
    one: Recorded, signatures: Sequence[Signature], shown: dict[str, Any]
) -> Iterator[Problem]:
    for signature in signatures:
        fault = fault_of(signature, person=signature.person, meaning=signature.meaning, shown=shown)
        if fault is not None:
            yield _problem("signature-unsound", one, fault, "a signature under just this")


def _is_exclusive(lot: Lot, key: str) -> bool:
    phase = lot.phase_of(key)
    return phase is not None and phase.is_exclusive


def _problem(code: str, one: Recorded, found: str, limit: str) -> Problem:
    return Problem(
        code=code,
        what=f"fact {one.number} ({one.kind}) of {one.stream}",
        found=found,
        limit=limit,
        remedy="ask the site that made the record",
        rule="EU GMP Annex 11, 9",
        path=str(one.stream),
    )
