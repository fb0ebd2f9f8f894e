"""The label sets that a lot's steps ask for: printed as many as the recipe says, and accounted for.

The copies of a set stand on the set's own stream (`anlage.custody`); the lot keeps which step asked
for it and whether every copy is accounted for, because its review waits for that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from anlage.base import Quantity, Refused
from anlage.record import Entry

from .errors import not_running
from .lot import Lot, LotStatus, StepStatus
from .lot_fact import LotLabelsPrinted, LotLabelsReconciled, Reading
from .recipe import LabelNeed, Phase
from .recipe_labels import RULE, SAMPLES, made_by
from .vessel import new_vessels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDue:
    """A label set that a step asks for.

    Attributes:
        need: What the recipe says.
        count: How many containers are labelled; None until the reading that says is entered.
        label_set: The set that was printed for it, an open one first; empty before.
        printed: How many labels are there: those of open sets, and those that were applied.
        is_reconciled: True when every copy is accounted for.
        is_closed_to_more: True when no further set may be printed.
        numbers: The numbers that the containers get, as far as they are known.
    """

    need: LabelNeed
    count: int | None
    label_set: str = ""
    printed: int = 0
    is_reconciled: bool = False
    is_closed_to_more: bool = False
    numbers: tuple[str, ...] = ()


def labels_due(lot: Lot, step: str) -> tuple[LabelDue, ...]:
    """Give the label sets that a step of a lot asks for, and how each stands."""
    phase = lot.phase_of(step)
    if phase is None:
        return ()
    return tuple(_due(lot, phase, step, need) for need in phase.labels if need.part is not None)


def print_lot_labels(
    lot: Lot,
    *,
    label_set: str,
    step: str,
    label: str,
    part: str,
    numbers: Sequence[str],
    says: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Give the fact that the set of a step was printed.

    Args:
        lot: The lot.
        label_set: The set.
        step: The step that asks for it.
        label: The label definition, as the recipe names it.
        part: What it goes on.
        numbers: The number on each label; tubes of samples get those that the lot gives.
        says: What every label says, by field.

    Raises:
        Refused: `lot-not-running`, `labels-not-asked-for`, `labels-printed-before`,
            `labels-count-mismatch`, `label-number-foreign`, or `label-field-foreign`.
    """
    due = next(
        (one for one in labels_due(lot, step) if (one.need.label, one.need.part) == (label, part)),
        None,
    )
    what = f"labels {label} for {part} at step {step} of lot {lot.id}"
    if due is None:
        asked = ", ".join(f"{one.need.label} for {one.need.part}" for one in labels_due(lot, step))
        raise _no("labels-not-asked-for", what, "not in the recipe", asked or "no set at this step")
    if due.is_closed_to_more:
        raise _no(
            "labels-printed-before",
            what,
            f"set {due.label_set}",
            "one set",
            "print a label of that set again, with the reason",
        )
    if lot.status not in {LotStatus.RUNNING, LotStatus.MADE}:
        raise not_running(lot.id, str(lot.status), lot.held_because)
    left = None if due.count is None else due.count - due.printed
    if left is not None and not left <= len(numbers) <= left + due.need.spare:
        most = f" to {left + due.need.spare}" if due.need.spare else ""
        raise _no(
            "labels-count-mismatch",
            what,
            f"{len(numbers)} labels",
            f"{left}{most}",
            "print as many as there are containers",
        )
    _must_be_free(lot, due, step, numbers, what)
    _must_say(lot, says or {}, what)
    said = LotLabelsPrinted(
        label_set=label_set,
        step=step,
        label=label,
        part=part,
        count=len(numbers),
        numbers=tuple(numbers),
    )
    return [Entry(lot.stream, said)]


def reconcile_lot_labels(
    lot: Lot, *, label_set: str, applied: Sequence[str], destroyed: Sequence[str]
) -> list[Entry]:
    """Give the fact that a set of the lot is accounted for; nothing for a set of no step.

    Raises:
        Refused: `label-not-applied`: the step is not done and something is counted as applied, or
            what the lot's containers carry is not what was applied; `labels-count-mismatch`: more
            or fewer were applied than there are containers.
    """
    held = lot.label_sets.get(label_set)
    if held is None:
        return []
    printed, _ = held
    what = f"label set {label_set} at step {printed.step} of lot {lot.id}"
    step = lot.steps.get(printed.step)
    if step is None or step.status is not StepStatus.COMPLETED:
        if applied:
            raise _no(
                "label-not-applied", what, f"{len(applied)} applied", "a step that is completed",
                "complete the step first; a set that is spoilt before is destroyed whole",
            )  # fmt: skip
    else:
        _must_be_carried(lot, printed, applied, what)
        _must_be_all(lot, printed, len(applied), what)
    said = LotLabelsReconciled(
        label_set=label_set,
        step=printed.step,
        applied=len(applied),
        destroyed=len(destroyed),
        gone=tuple(one for one in printed.numbers if one not in applied),
    )
    return [Entry(lot.stream, said)]


def labels_missing(
    lot: Lot, step: str, readings: Sequence[Reading]
) -> Iterator[tuple[LabelDue, int]]:
    """Give the sets that a step asks for and that are not there or too small, each with how many
    labels are needed. What the step reads as it is completed counts.
    """
    phase = lot.phase_of(step)
    made = made_by(phase) if phase else {}
    now = {f"{phase.id}.{one.parameter}": one.value for one in readings} if phase else {}
    for due in labels_due(lot, step):
        if due.need.is_optional:
            continue
        wanted = _count({**lot.readings, **now}, made.get(due.need.part or "")) or 1
        if due.printed < wanted:
            yield due, wanted


def must_be_labelled(lot: Lot, step: str, readings: Sequence[Reading]) -> None:
    """See that every label set that the recipe asks for at a step was printed.

    Raises:
        Refused: `labels-not-printed`, once for each set.
    """
    short = [
        _no(
            "labels-not-printed",
            f"step {step} of lot {lot.id}",
            f"{due.printed} labels {due.need.label} for {due.need.part}",
            f"{count}, as recipe {lot.recipe_id} asks",
            "print the set on the step's page (print-labels), apply it, then complete the step",
        ).problem
        for due, count in labels_missing(lot, step, readings)
    ]
    if short:
        raise Refused.of(short)


def labels_unaccounted(lot: Lot) -> Iterator[tuple[str, LabelDue]]:
    """Give the sets that are open, and of each step that was done those that were not printed."""
    keys = [key for key, step in lot.steps.items() if step.status is StepStatus.COMPLETED]
    others = {said.step for said, closed in lot.label_sets.values() if closed is None} - {*keys}
    for key in (*keys, *sorted(others)):
        for one in labels_due(lot, key):
            is_left_out = one.need.is_optional or key in others
            if not one.is_reconciled and not (is_left_out and not one.label_set):
                yield key, one


def _due(lot: Lot, phase: Phase, step: str, need: LabelNeed) -> LabelDue:
    part = need.part or ""
    made = made_by(phase).get(part)
    count = _count(lot.readings, made)
    sets = [
        (printed, closed)
        for printed, closed in lot.label_sets.values()
        if (printed.step, printed.label, printed.part) == (step, need.label, part)
        and (closed is None or closed.applied)
    ]
    there = sum(printed.count if closed is None else closed.applied for printed, closed in sets)
    # How many are filled is known at the end: then one more set may be needed.
    is_short = isinstance(made, str) and (count is None or there < count)
    by_state = sorted(sets, key=lambda one: one[1] is not None)
    return LabelDue(
        need=need,
        count=count,
        label_set=by_state[0][0].label_set if sets else "",
        printed=there,
        is_reconciled=bool(sets) and all(closed is not None for _, closed in sets),
        is_closed_to_more=bool(sets) and not is_short,
        numbers=() if sets and not is_short else _numbers(lot, phase, part, count, there),
    )


def _count(readings: Mapping[str, Quantity | str], made: int | str | None) -> int | None:
    if isinstance(made, str):
        value = readings.get(made)
        return ceil(value.value) if isinstance(value, Quantity) else None
    return made


def _numbers(lot: Lot, phase: Phase, part: str, count: int | None, there: int) -> tuple[str, ...]:
    if part == SAMPLES:
        return tuple(lot.next_sample(ahead) for ahead in range(count or 0))
    made = new_vessels(lot, phase, {})
    if part in made:
        return (made[part],)
    return tuple(lot.next_fill(ahead) for ahead in range((count or 0) - there))


def _must_be_free(lot: Lot, due: LabelDue, step: str, numbers: Sequence[str], what: str) -> None:
    """See that a number stands on nothing else, and that tubes get the numbers of the lot."""
    state = lot.steps.get(step)
    if state is not None and not state.is_open:
        return  # labels for what is there already carry its numbers
    used = [one for one in numbers if one in lot.numbered]
    lost = set(due.numbers) - set(numbers) if due.need.part == SAMPLES else set()
    if used or lost:
        raise _no(
            "label-number-foreign",
            what,
            f"{', '.join(used)} used before"[:200] if used else f"no {', '.join(sorted(lost))}",
            ", ".join(due.numbers) or "numbers that nothing of the lot has",
            "print the numbers that the page shows; give a spare label one that is free",
        )


def _must_say(lot: Lot, says: Mapping[str, str], what: str) -> None:
    """See that the labels name this lot and this patient, where they name any."""
    of_record = {"lot": lot.id, "chain_of_identity": lot.coi, "recipient": lot.coi}
    foreign = [
        name for name, known in of_record.items() if known and says.get(name, known) != known
    ]
    if foreign:
        raise _no(
            "label-field-foreign",
            what,
            ", ".join(f"{name} {says[name]}" for name in foreign)[:200],
            ", ".join(f"{name} {of_record[name]}" for name in foreign),
            "leave what the record fills in as it is",
        )


def _must_be_carried(
    lot: Lot, printed: LotLabelsPrinted, applied: Sequence[str], what: str
) -> None:
    carried = lot.carried & set(printed.numbers)
    if carried and carried != set(applied):
        bare, lost = sorted(set(applied) - carried), sorted(carried - set(applied))
        found = [f"{one} applied to no container" for one in bare]
        found += [f"{one} not applied although a container carries it" for one in lost]
        raise _no(
            "label-not-applied", what, ", ".join(found)[:200], ", ".join(sorted(carried))[:200],
            "count the containers and the labels again by scan",
        )  # fmt: skip


def _must_be_all(lot: Lot, printed: LotLabelsPrinted, applied: int, what: str) -> None:
    due = [one for one in labels_due(lot, printed.step) if one.need.label == printed.label]
    due = [one for one in due if one.need.part == printed.part]
    if not due or due[0].count is None:
        return
    others = [
        (said, closed)
        for said, closed in lot.label_sets.values()
        if (said.step, said.label, said.part) == (printed.step, printed.label, printed.part)
        and said.label_set != printed.label_set
    ]
    left = due[0].count - applied - sum(closed.applied for _, closed in others if closed)
    is_last = all(closed is not None for _, closed in others)
    if left < 0 or (is_last and left > 0):
        raise _no(
            "labels-count-mismatch",
            what,
            f"{applied} applied, {left:+d} to go",
            f"{due[0].count}, as many as there are containers of {printed.part}",
            "count the containers and the labels again before going on",
        )


def _no(code: str, what: str, found: str, limit: str, remedy: str = "") -> Refused:
    remedy = remedy or "print what the step asks for, or print it without a step of the recipe"
    return Refused(code, what=what, found=found, limit=limit, remedy=remedy, rule=RULE)
