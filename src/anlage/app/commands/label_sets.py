"""Commands of label sets: print, reprint with a reason, reconcile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anlage.base import Refused
from anlage.custody import (
    LabelSet,
    LabelsPrinted,
    print_labels,
    reconcile_labels,
    reprint_label,
)
from anlage.plant import print_lot_labels, reconcile_lot_labels
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .equipment import KEEPER, OPERATOR, QUALITY, SECOND
from .making import definition_of, lot_of, person
from .materials import must_act


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintLabels:
    """Print a set of labels for one step of one lot; `number_field` is filled by each number.

    `label` and `part` name the set that the step's recipe asks for; empty for any other set.
    """

    label_set: str
    lot: str
    step: str
    layout: str
    numbers: tuple[str, ...]
    shared: Mapping[str, str] = field(default_factory=dict)
    number_field: str = ""
    label: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprintLabel:
    """Print one label of a set again, for a reason."""

    label_set: str
    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileLabels:
    """Account for every copy of a set."""

    label_set: str
    second: str
    applied: tuple[str, ...] = ()
    destroyed: tuple[str, ...] = ()


@command("print-labels")
def _print(desk: Desk, request: PrintLabels) -> list[Entry]:
    printed = LabelsPrinted(
        lot=request.lot,
        step=request.step,
        layout=request.layout,
        numbers=request.numbers,
        by=_actor(desk),
        shared=dict(request.shared),
        number_field=request.number_field,
    )
    entries = print_labels(_set(desk, request.label_set), printed)
    if not request.label:
        return entries
    _must_be_label(desk, request)
    return entries + print_lot_labels(
        lot_of(desk, request.lot),
        label_set=request.label_set,
        step=request.step,
        label=request.label,
        part=request.part,
        numbers=request.numbers,
        says=request.shared,
    )


@command("reprint-label")
def _reprint(desk: Desk, request: ReprintLabel) -> list[Entry]:
    by = _actor(desk)
    labels = _set(desk, request.label_set)
    return reprint_label(labels, request.number, reason=request.reason, by=by)


@command("reconcile-labels")
def _reconcile(desk: Desk, request: ReconcileLabels) -> list[Entry]:
    labels = _set(desk, request.label_set)
    if request.second.strip():
        person(desk, request.second)
    entries = reconcile_labels(
        labels,
        applied=request.applied,
        destroyed=request.destroyed,
        by=_actor(desk),
        second=request.second,
    )
    if not Stream.pattern.fullmatch(f"lot/{labels.lot}"):
        return entries
    return entries + reconcile_lot_labels(
        lot_of(desk, labels.lot),
        label_set=labels.id,
        applied=request.applied,
        destroyed=request.destroyed,
    )


def _must_be_label(desk: Desk, request: PrintLabels) -> None:
    """See that a set is printed with the label that the recipe names, in effect.

    Raises:
        Refused: `labels-not-asked-for`, or `definition-not-effective`.
    """
    id, _, number = request.layout.partition("@")
    wanted, _, pinned = request.label.partition("@")
    if id != wanted or not number.isdigit() or pinned not in {"", number}:
        raise Refused(
            "labels-not-asked-for",
            what=f"labels at step {request.step} of lot {request.lot}",
            found=f"layout {request.layout}"[:120],
            limit=f"{request.label}, with its version" if not pinned else request.label,
            remedy="print the label definition that the recipe names",
            rule="21 CFR 211.125",
        )
    definition_of(desk, "label", wanted).must_be_effective(int(number), desk.at)


def _actor(desk: Desk) -> str:
    must_act(desk, OPERATOR, KEEPER, SECOND, QUALITY, "collection-nurse")
    return desk.actor.person or ""


def _set(desk: Desk, name: str) -> LabelSet:
    return desk.read(LabelSet, Stream(f"label-set/{name}"))
