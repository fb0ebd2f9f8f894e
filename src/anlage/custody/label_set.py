"""Label sets: printed for one step of one lot, reprinted with a reason, reconciled to the last one.

A label that nobody can account for may be on the wrong bag; a set is closed only when every copy
that was printed is applied or destroyed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from anlage.base import Refused, clean_line
from anlage.record import Entry, Recorded, Rows, Stream, fact

RULE = "21 CFR 211.125; EU GMP Part IV 9.5"
_COPIES_MAX = 5000
VIEW = "label-sets"


@fact("labels-printed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsPrinted:
    """A set of labels was printed, each number once.

    Attributes:
        lot: The lot.
        step: The step of its recipe that the labels are for.
        layout: The layout.
        numbers: The number of each label.
        by: Who printed.
        shared: What every label of the set says, by field of the layout.
        number_field: The field that a label's number fills; empty when none was named.
    """

    lot: str
    step: str
    layout: str
    numbers: tuple[str, ...]
    by: str
    shared: Mapping[str, str] = field(default_factory=dict)
    number_field: str = ""


@fact("label-reprinted")
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReprinted:
    """One label was printed again; the reason says what became of the first."""

    number: str
    reason: str
    by: str


@fact("labels-reconciled")
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsReconciled:
    """Every copy of the set is accounted for: applied, or destroyed."""

    applied: tuple[str, ...]
    destroyed: tuple[str, ...]
    by: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet:
    """What a set's facts amount to; `copies` counts how often each number was printed."""

    id: str
    lot: str = ""
    step: str = ""
    layout: str = ""
    shared: Mapping[str, str] = field(default_factory=dict)
    number_field: str = ""
    copies: Counter[str] = field(default_factory=Counter)
    is_closed: bool = False

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a set without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """Its stream."""
        return Stream(f"label-set/{self.id}")

    def fields_of(self, number: str) -> dict[str, str]:
        """Give what the label of a number says, by field of its layout."""
        own = {self.number_field: number} if self.number_field else {}
        return {**self.shared, **own}

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact)

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact."""
        match fact:
            case LabelsPrinted():
                return replace(
                    self,
                    lot=fact.lot,
                    step=fact.step,
                    layout=fact.layout,
                    shared=dict(fact.shared),
                    number_field=fact.number_field,
                    copies=self.copies + Counter(fact.numbers),
                )
            case LabelReprinted():
                return replace(self, copies=self.copies + Counter([fact.number]))
            case LabelsReconciled():
                return replace(self, is_closed=True)
            case _:
                return self


def print_labels(labels: LabelSet, printed: LabelsPrinted) -> list[Entry]:
    """Give the fact of a set's first print.

    Raises:
        Refused: The set was printed before, or a number is empty or stands twice.
    """
    if labels.copies or labels.is_closed:
        raise _refuse("labels-printed-before", labels, "printed before", "a new set")
    numbers = printed.numbers
    if not 0 < len(numbers) <= _COPIES_MAX or len(set(numbers)) < len(numbers) or "" in numbers:
        raise _refuse(
            "label-numbers-malformed", labels, f"{len(numbers)} numbers", "each number once"
        )
    return [Entry(labels.stream, printed)]


def reprint_label(labels: LabelSet, number: str, *, reason: str, by: str) -> list[Entry]:
    """Give the fact of one label printed again.

    Raises:
        Refused: The set is closed, the number is not in it, or there is no reason.
    """
    _must_be_open(labels)
    if number not in labels.copies:
        raise _refuse("label-not-in-set", labels, number, "a number of this set")
    if not reason.strip():
        raise _refuse("reason-missing", labels, "no reason", "why the label is printed again")
    again = LabelReprinted(number=number, reason=clean_line(reason, "reason of a reprint"), by=by)
    return [Entry(labels.stream, again)]


def reconcile_labels(
    labels: LabelSet, *, applied: Sequence[str], destroyed: Sequence[str], by: str, second: str
) -> list[Entry]:
    """Give the fact that closes a set, when every copy is accounted for.

    Raises:
        Refused: A copy is unaccounted for, one too many is counted, a number was applied twice, or
            there is no second person.
    """
    _must_be_open(labels)
    if not second.strip() or second == by:
        raise _refuse("second-person-missing", labels, second or "nobody", f"beside {by}")
    twice = [number for number, count in Counter(applied).items() if count > 1]
    if twice:
        raise _refuse("label-applied-twice", labels, ", ".join(twice), "each number once")
    counted = Counter(applied) + Counter(destroyed)
    missing, extra = labels.copies - counted, counted - labels.copies
    if missing or extra:
        found = [f"{n} of {number} missing" for number, n in sorted(missing.items())]
        found += [f"{n} of {number} too many" for number, n in sorted(extra.items())]
        raise _refuse("labels-not-reconciled", labels, ", ".join(found), "every copy, once")
    closed = LabelsReconciled(
        applied=tuple(applied), destroyed=tuple(destroyed), by=by, second=second
    )
    return [Entry(labels.stream, closed)]


def _must_be_open(labels: LabelSet) -> None:
    if labels.is_closed or not labels.copies:
        state = "closed" if labels.is_closed else "never printed"
        raise _refuse("label-set-not-open", labels, state, "an open set")


def _refuse(code: str, labels: LabelSet, found: str, limit: str) -> Refused:
    return Refused(
        code,
        what=f"label set {labels.id}",
        found=found[:200],
        limit=limit,
        remedy="count the labels again by scan; search the room and the bags before going on",
        rule=RULE,
    )


class LabelSetView:
    """Label sets by lot: what was printed, printed again, and whether it is closed."""

    name = VIEW
    version = 1
    families = frozenset({"label-set"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        name = recorded.stream.id
        row = rows.get(name) or {"set": name, "again": [], "closed": None}
        match recorded.fact:
            case LabelsPrinted() as said:
                row |= {"lot": said.lot, "step": said.step, "layout": said.layout}
                row |= {"count": len(said.numbers), "printed": recorded.happened_text}
                row["by"] = said.by
            case LabelReprinted(number=number, reason=reason):
                row["again"] = [*row["again"], {"number": number, "reason": reason}]
            case LabelsReconciled() as said:
                row["closed"] = {
                    "applied": len(said.applied),
                    "destroyed": len(said.destroyed),
                    "at": recorded.happened_text,
                    "by": said.by,
                    "second": said.second,
                }
            case _:
                return
        facet = "closed" if row["closed"] else "open"
        rows.put(name, row, facet=facet, order=f"{row.get('printed', '')} {name}")


VIEWS = (LabelSetView(),)
