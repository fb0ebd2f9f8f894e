"""The label sets that a lot's steps ask for: printed as many as the recipe says, and accounted for.

The copies of a set stand on the set's own stream (`anlage.custody`); the lot keeps which step asked
for it and whether every copy is accounted for, because its review waits for that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from anlage.base import Quantity, Refused
from anlage.record import Entry

from .lot import Lot, StepStatus
from .lot_fact import LotLabelsPrinted, LotLabelsReconciled
from .recipe import LabelNeed, Phase
from .recipe_labels import RULE, SAMPLES, made_by
from .vessel import new_vessels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDue:
    """A label set that a step asks for.

    Attributes:
        need: What the recipe says.
        count: How many containers are labelled; None until the reading that says is entered.
        label_set: The set that was printed for it; empty before.
        printed: How many were printed.
        is_reconciled: True when every copy is accounted for.
        numbers: The numbers that the containers get, as far as they are known.
    """

    need: LabelNeed
    count: int | None
    label_set: str = ""
    printed: int = 0
    is_reconciled: bool = False
    numbers: tuple[str, ...] = ()


def labels_due(lot: Lot, step: str) -> tuple[LabelDue, ...]:
    """Give the label sets that a step of a lot asks for, and how each stands."""
    phase = lot.phase_of(step)
    if phase is None:
        return ()
    return tuple(_due(lot, phase, step, need) for need in phase.labels if need.part is not None)


def print_lot_labels(
    lot: Lot, *, label_set: str, step: str, label: str, part: str, count: int
) -> list[Entry]:
    """Give the fact that the set of a step was printed.

    Raises:
        Refused: `labels-not-asked-for`, `labels-printed-before`, or `labels-count-mismatch`.
    """
    due = next(
        (one for one in labels_due(lot, step) if (one.need.label, one.need.part) == (label, part)),
        None,
    )
    what = f"labels {label} for {part} at step {step} of lot {lot.id}"
    if due is None:
        asked = ", ".join(f"{one.need.label} for {one.need.part}" for one in labels_due(lot, step))
        raise _no("labels-not-asked-for", what, "not in the recipe", asked or "no set at this step")
    if due.label_set:
        raise _no(
            "labels-printed-before",
            what,
            f"set {due.label_set}",
            "one set",
            "print a label of that set again, with the reason",
        )
    if due.count is not None and not due.count <= count <= due.count + due.need.spare:
        most = f" to {due.count + due.need.spare}" if due.need.spare else ""
        raise _no(
            "labels-count-mismatch",
            what,
            f"{count} labels",
            f"{due.count}{most}",
            "print as many as there are containers",
        )
    said = LotLabelsPrinted(label_set=label_set, step=step, label=label, part=part, count=count)
    return [Entry(lot.stream, said)]


def reconcile_lot_labels(lot: Lot, *, label_set: str, applied: int, destroyed: int) -> list[Entry]:
    """Give the fact that a set of the lot is accounted for; nothing for a set of no step.

    Raises:
        Refused: `labels-count-mismatch`: more or fewer were applied than there are containers.
    """
    held = lot.label_sets.get(label_set)
    if held is None:
        return []
    printed, _ = held
    due = next((one for one in labels_due(lot, printed.step) if one.label_set == label_set), None)
    if due is not None and due.count is not None and applied != due.count:
        raise _no(
            "labels-count-mismatch",
            f"label set {label_set} at step {printed.step} of lot {lot.id}",
            f"{applied} applied, {due.count - applied:+d} to go",
            f"{due.count}, as many as there are containers of {printed.part}",
            "count the containers and the labels again before going on",
        )
    said = LotLabelsReconciled(
        label_set=label_set, step=printed.step, applied=applied, destroyed=destroyed
    )
    return [Entry(lot.stream, said)]


def labels_unaccounted(lot: Lot) -> Iterator[tuple[str, LabelDue]]:
    """Give, of each step that was done, the sets that were not printed or not accounted for."""
    for key, step in lot.steps.items():
        if step.status is StepStatus.COMPLETED:
            yield from ((key, one) for one in labels_due(lot, key) if not one.is_reconciled)


def _due(lot: Lot, phase: Phase, step: str, need: LabelNeed) -> LabelDue:
    part = need.part or ""
    count = _count(lot, made_by(phase).get(part))
    found = next(
        (
            (printed, closed)
            for printed, closed in lot.label_sets.values()
            if (printed.step, printed.label, printed.part) == (step, need.label, part)
        ),
        None,
    )
    if found is None:
        return LabelDue(need=need, count=count, numbers=_numbers(lot, phase, part, count))
    printed, closed = found
    return LabelDue(
        need=need,
        count=count,
        label_set=printed.label_set,
        printed=printed.count,
        is_reconciled=closed is not None,
    )


def _count(lot: Lot, made: int | str | None) -> int | None:
    if isinstance(made, str):
        value = lot.readings.get(made)
        return int(value.value) if isinstance(value, Quantity) else None
    return made


def _numbers(lot: Lot, phase: Phase, part: str, count: int | None) -> tuple[str, ...]:
    if part == SAMPLES:
        return tuple(lot.next_sample(ahead) for ahead in range(count or 0))
    made = new_vessels(lot, phase, {})
    if part in made:
        return (made[part],)
    return tuple(f"{lot.id}-B{number}" for number in range(1, (count or 0) + 1))


def _no(code: str, what: str, found: str, limit: str, remedy: str = "") -> Refused:
    remedy = remedy or "print what the step asks for, or print it without a step of the recipe"
    return Refused(code, what=what, found=found, limit=limit, remedy=remedy, rule=RULE)
