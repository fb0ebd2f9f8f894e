"""Builders for the making of lots: people, signatures, a bench that folds what was decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from anlage.base import FixedClock, Quantity, Refused
from anlage.library import read_yaml
from anlage.plant import (
    AcceptCollection,
    BeginLot,
    BookSlot,
    CheckPatient,
    CompleteStep,
    Deviation,
    GiveConsent,
    Journey,
    Lot,
    MaterialGiven,
    OrderCollection,
    OrderProduct,
    Phase,
    PhaseKind,
    RecordCollection,
    Sample,
    accept_collection,
    begin_lot,
    book_slot,
    check_patient,
    complete_step,
    give_consent,
    order_collection,
    order_product,
    record_collection,
    shown_step,
)
from anlage.record import Actor, Entry, Recorded, Signature, Stream, World, sign, write

BEGINS = datetime(2026, 3, 3, 6, tzinfo=UTC)
COI = "CHA999926000001"
REQUIRED = ("viability", "sterility", "mycoplasma")


@dataclass(frozen=True)
class Someone:
    """A person with roles; nothing else is needed of them here."""

    id: str
    roles: frozenset[str] = frozenset()
    world: World = World.SIMULATED

    def must_be_qualified(self, role: str, at: datetime) -> None:
        if role not in self.roles:
            raise Refused(
                "operator-unqualified",
                what=f"{self.id} as {role}",
                found=", ".join(sorted(self.roles)) or "no role",
                remedy="ask a qualified person",
                rule="21 CFR 11.10(i)",
            )


ANNA = Someone("anna", frozenset({"operator", "verifier"}))
BEN = Someone("ben", frozenset({"operator", "verifier", "store-keeper"}))
CLARA = Someone("clara", frozenset({"qc-analyst"}))
DAVID = Someone("david", frozenset({"qc-analyst"}))
EVA = Someone("eva", frozenset({"qa-reviewer"}))
FRITZ = Someone("fritz", frozenset({"releaser"}))
GRETA = Someone("greta", frozenset({"physician"}))
HANS = Someone("hans", frozenset({"coordinator"}))
IRIS = Someone("iris", frozenset({"collection-nurse", "ward-nurse"}))
JAN = Someone("jan", frozenset({"collection-nurse", "ward-nurse"}))
KURT = Someone("kurt", frozenset({"store-keeper"}))
NOBODY = Someone("nobody")
PEOPLE = {one.id: one for one in (ANNA, BEN, CLARA, DAVID, EVA, FRITZ, GRETA, HANS, IRIS, JAN)}


@dataclass(frozen=True)
class Approved:
    """A version of a definition in effect."""

    content: Mapping[str, Any]
    number: int = 1


class Fixed:
    """A calculation that always gives the same."""

    def __init__(self, result: str) -> None:
        self.result = Quantity.parse(result)

    def compute(self, values: Mapping[str, Quantity]) -> Quantity:
        return self.result


CALCULATIONS = {
    "viable-recovery": Fixed("85.0 %"),
    "vector-volume": Fixed("3.00 mL"),
    "dose-volume": Fixed("20.0 mL"),
    "feed-volume": Fixed("250 mL"),
}


def signed(person: Someone, meaning: str, at: datetime, **shown: Any) -> Signature:
    """Give a person's signature under values."""
    return sign(
        shown,
        person=person.id,
        name=person.id.title(),
        meaning=meaning,
        template="test/1",
        method="simulated-person",
        at=at,
    )


def recipe_content(name: str = "cd19-car-t") -> dict[str, Any]:
    """Give the content of a starter recipe."""
    starters = resources.files("anlage.library") / "data" / "recipes"
    return read_yaml((starters / f"{name}.yaml").read_bytes(), name).content


SMALL = """
kind: recipe
id: small
title: A small recipe
product: small
specification: small
uses:
  roles: [operator, verifier]
  material-classes: [buffer]
  tests: [viability, sterility, mycoplasma]
procedure:
  - unit: one
    name: One
    operations:
      - operation: a
        name: A
        phases:
          - {phase: scan, kind: scan-identity, name: Scan, role: operator, duration: 5 min}
          - phase: count
            kind: measure
            name: Count
            role: operator
            duration: 10 min
            parameters:
              - {id: viability, unit: "%", decimals: 1, critical: true, warning: {lower: 85 %}, hard: {lower: 70 %}}
              - {id: state, choices: [fresh, frozen]}
          - choose: way
            branches:
              - when: {reading: count.state, equals: frozen}
                do:
                  - {phase: thaw, kind: instruction, name: Thaw, role: operator, duration: 5 min}
              - otherwise: true
                do:
                  - {phase: keep, kind: hold, name: Keep, role: operator, maximum: 4 h, duration: 1 h}
          - repeat: feed-loop
            until: {reading: look.cells, at-least: 100 cell}
            at-most: 3
            do:
              - phase: look
                kind: measure
                name: Look
                role: operator
                duration: 5 min
                parameters:
                  - {id: cells, unit: cell, decimals: 0}
          - parallel: two
            branches:
              - - phase: take
                  kind: sample
                  name: Take samples
                  role: operator
                  witness: verifier
                  duration: 5 min
                  exclusive: false
                  samples:
                    - {id: release, specimen: product, amount: 1 mL, tests: [viability, sterility, mycoplasma], turnaround: 14 d}
                    - {id: retention, specimen: product, amount: 1 mL, purpose: retention}
              - - phase: add
                  kind: add-material
                  name: Add buffer
                  role: operator
                  witness: verifier
                  duration: 5 min
                  materials:
                    - {class: buffer, amount: 50 mL, tolerance: 10 %}
                  windows:
                    - {after: count, latest: 8 h}
"""


def small_recipe(*changes: tuple[str, str]) -> dict[str, Any]:
    """Give a small recipe with a choice, a loop and parallel branches, changed in places."""
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return read_yaml(text).content


@dataclass
class Bench:
    """A journal in memory: appends what was decided, folds states from it.

    `labels` is False for people who forget the label sets of their steps.
    """

    clock: FixedClock = field(default_factory=lambda: FixedClock(BEGINS))
    facts: list[Recorded] = field(default_factory=list)
    by_stream: dict[Stream, list[Recorded]] = field(default_factory=dict)
    labels: bool = True

    @property
    def at(self) -> datetime:
        return self.clock.now()

    def later(self, **span: float) -> "Bench":
        self.clock.advance(timedelta(**span))
        return self

    def take(self, entries: Sequence[Entry], by: Someone | None = None) -> list[Recorded]:
        done = []
        for entry in entries:
            past = self.by_stream.setdefault(entry.stream, [])
            recorded = write(
                entry,
                number=len(self.facts),
                version=len(past) + 1,
                previous=past[-1].hash if past else bytes(32),
                site="demo",
                by=Actor(person=by.id if by else None, via="test"),
                at=self.at,
                recorded=self.at,
            )
            past.append(recorded)
            self.facts.append(recorded)
            done.append(recorded)
        return done

    def state(self, cls: type[Any], stream: str) -> Any:
        state = cls.begin(Stream(stream))
        for one in self.by_stream.get(Stream(stream), []):
            state = state.after(one)
        return state

    def lot(self, id: str = "L-1") -> Lot:
        return self.state(Lot, f"lot/{id}")

    def journey(self, id: str = COI) -> Journey:
        return self.state(Journey, f"journey/{id}")

    def sample(self, id: str) -> Sample:
        return self.state(Sample, f"sample/{id}")

    def deviation(self, id: str) -> Deviation:
        return self.state(Deviation, f"deviation/{id}")

    def kinds(self) -> list[str]:
        return [one.kind for one in self.facts]


def an_ordered_journey(bench: Bench, coi: str = COI, product: str = "small") -> Journey:
    """Bring a patient's journey to the order of the collection."""
    at = bench.at
    order = OrderProduct(
        product=product,
        subject="digest",
        indication="illustrative",
        treatment_site="ward",
        weight="70 kg",
        signature=signed(GRETA, "prescribed", at, product=product, subject="digest"),
    )
    bench.take(order_product(bench.journey(coi), order, physician=GRETA, at=at), GRETA)
    checks = {"identity": "pass", "eligibility": "pass", "infectious-markers": "pass"}
    check = CheckPatient(coi=coi, checks=checks)
    bench.take(check_patient(bench.journey(coi), check, person=HANS, at=at), HANS)
    consent = GiveConsent(coi=coi, form="consent", form_version="2")
    bench.take(give_consent(bench.journey(coi), consent, person=HANS, at=at), HANS)
    slot = BookSlot(coi=coi, slot="S-1", begins=at + timedelta(days=2), suite="A")
    bench.take(book_slot(bench.journey(coi), slot, person=HANS, at=at), HANS)
    collect = OrderCollection(coi=coi, site="ward", planned=at + timedelta(days=1))
    bench.take(order_collection(bench.journey(coi), collect, person=HANS, at=at), HANS)
    return bench.journey(coi)


def an_accepted_journey(bench: Bench, coi: str = COI, product: str = "small") -> Journey:
    """Bring a patient's journey to the acceptance of the collection."""
    an_ordered_journey(bench, coi, product)
    at = bench.at
    donation, container = f"A9999{coi[-8:]}", f"BAG-{coi[-4:]}"
    shown = {"coi": coi, "donation": donation, "container": container}
    collection = RecordCollection(
        coi=coi,
        donation=donation,
        container=container,
        volume="200 mL",
        scan=coi,
        second=JAN.id,
        signature=signed(IRIS, "collected", at, **shown),
        verified=signed(JAN, "verified", at, **shown),
    )
    journey = bench.journey(coi)
    bench.take(record_collection(journey, collection, nurse=IRIS, second=JAN, at=at), IRIS)
    accept = AcceptCollection(
        coi=coi, container=container, scan=coi, checks={"label": "pass", "bag": "pass"}
    )
    bench.take(accept_collection(bench.journey(coi), accept, person=KURT, at=at), KURT)
    return bench.journey(coi)


def a_lot(
    bench: Bench,
    content: Mapping[str, Any] | None = None,
    *,
    lot: str = "L-1",
    coi: str = COI,
    required: Sequence[str] = REQUIRED,
    later: Sequence[str] = (),
) -> Lot:
    """Begin a lot for a patient whose collection was accepted."""
    content = content or small_recipe()
    own = content.get("shape", "autologous") == "autologous"
    journey = an_accepted_journey(bench, coi, content["product"]) if own else None
    request = BeginLot(lot=lot, product=content["product"], coi=coi if own else "")
    entries = begin_lot(
        bench.lot(lot),
        request,
        recipe=Approved(content),
        product_version=1,
        specification=("small", 1),
        required=required,
        later=later,
        journey=journey,
        person=ANNA,
        at=bench.at,
    )
    bench.take(entries, ANNA)
    return bench.lot(lot)


def reading_for(phase: Phase, parameter: Any, rounds: int) -> str:
    """Give a plain value for a parameter: its target, or well inside its limits."""
    if parameter.choices:
        return parameter.accepted[0] if parameter.accepted else parameter.choices[0]
    if parameter.target is not None:
        return str(parameter.target)
    for limits in (parameter.warning, parameter.hard):
        if limits.lower is not None and limits.upper is not None:
            middle = (limits.lower.value + limits.upper.value) / 2
            return f"{middle} {parameter.unit}" if parameter.unit != "1" else f"{middle}"
    lower = parameter.warning.lower or parameter.hard.lower
    upper = parameter.warning.upper or parameter.hard.upper
    if lower is not None:
        value = lower.value * (1 + rounds * 20) if lower.value > 0 else lower.value
        value = min(value, 100) if parameter.unit == "%" else value
    else:
        value = upper.value if upper is not None else 100
    return f"{value} {parameter.unit}" if parameter.unit != "1" else f"{value}"


def request_for(lot: Lot, key: str, **changes: Any) -> CompleteStep:
    """Give a plain request to complete a step, unsigned."""
    phase = lot.phase_of(key)
    assert phase is not None
    rounds = int(key.partition(":")[2] or 1)
    readings = {
        one.id: reading_for(phase, one, rounds)
        for one in phase.parameters
        if one.calculation is None
    }
    materials = tuple(
        MaterialGiven(
            material=f"M-{need.material_class}",
            material_class=need.material_class,
            amount=str(need.amount or lot.readings[need.amount_from or ""]),
        )
        for need in phase.materials
    )
    values: dict[str, Any] = {
        "lot": lot.id,
        "step": key,
        "readings": readings,
        "materials": materials,
        "scan": lot.identity if phase.is_identity_critical else None,
    }
    return CompleteStep(**{**values, **changes})


def with_signatures(
    request: CompleteStep, at: datetime, operator: Someone = ANNA, witness: Someone | None = BEN
) -> CompleteStep:
    """Give the request with both signatures under it."""
    from dataclasses import replace

    shown = shown_step(request)
    return replace(
        request,
        performed=signed(operator, "performed", at, **shown),
        verified=signed(witness, "verified", at, **shown) if witness else None,
        witness=witness.id if witness else None,
    )


def do_step(
    bench: Bench,
    key: str,
    *,
    lot: str = "L-1",
    operator: Someone | None = None,
    witness: Someone | None = None,
    edit: Callable[[CompleteStep], CompleteStep] | None = None,
    **changes: Any,
) -> list[Recorded]:
    """Complete one step as two people would."""
    if bench.labels:
        label(bench, key, lot=lot)
    state = bench.lot(lot)
    phase = state.phase_of(key)
    assert phase is not None
    operator = operator or (KURT if phase.role == "store-keeper" else ANNA)
    witness = witness or BEN
    request = with_signatures(
        request_for(state, key, **changes), bench.at, operator, witness if phase.witness else None
    )
    request = edit(request) if edit else request
    entries = complete_step(
        state,
        request,
        operator=operator,
        witness=witness if phase.witness else None,
        at=bench.at,
        calculations=CALCULATIONS,
        sources={"material.titre": Quantity.parse("1e8 TU/mL")},
    )
    recorded = bench.take(entries, operator)
    if bench.labels:
        account(bench, lot=lot)
    return recorded


def label(bench: Bench, key: str, *, lot: str = "L-1") -> list[str]:
    """Print the label sets that a step asks for, as its people do; give their names."""
    from anlage.plant import labels_due, print_lot_labels

    names = []
    for due in labels_due(bench.lot(lot), key):
        if due.label_set:
            continue
        state = bench.lot(lot)
        name = f"LS-{len(state.label_sets) + 1}"
        numbers = due.numbers or [state.next_fill(ahead) for ahead in range(110)]
        wanted = {"step": key, "label": due.need.label, "part": due.need.part or ""}
        bench.take(print_lot_labels(state, label_set=name, numbers=numbers, **wanted), ANNA)
        names.append(name)
    return names


def account(bench: Bench, *, lot: str = "L-1") -> None:
    """Account for the labels of every open set whose step is done, as its people do."""
    from anlage.plant import reconcile_lot_labels

    for name, (said, closed) in bench.lot(lot).label_sets.items():
        state = bench.lot(lot)
        step = state.steps.get(said.step)
        if closed is not None or step is None or step.is_open:
            continue
        on = [one for one in said.numbers if one in state.carried]
        due = next(one for one in labels_due_of(state, said) if one.count is not None)
        on = on or list(said.numbers[: due.count])
        off = [one for one in said.numbers if one not in on]
        bench.take(reconcile_lot_labels(state, label_set=name, applied=on, destroyed=off), ANNA)


def labels_due_of(state: Lot, said: Any) -> list[Any]:
    """Give the label sets that the step of a printed set asks for, of its part."""
    from anlage.plant import labels_due

    return [one for one in labels_due(state, said.step) if one.need.part == said.part]


def run_through(bench: Bench, lot: str = "L-1", **changes: Any) -> Lot:
    """Do every step of a lot in order, with its durations, until it is made."""
    from anlage.plant import AttachFile, StartStep, attach_file, start_step

    for _ in range(200):
        state = bench.lot(lot)
        keys = [*(step.key for step in state.open_steps), *state.ready]
        if not keys:
            return state
        key = keys[0]
        phase = state.phase_of(key)
        assert phase is not None
        operator = KURT if phase.role == "store-keeper" else ANNA
        start = StartStep(lot=lot, step=key)
        bench.take(start_step(state, start, operator=operator, at=bench.at), operator)
        if phase.photo:
            file = AttachFile(
                lot=lot, step=key, name="a.png", digest="0" * 64, media_type="image/png", size=9
            )
            bench.take(attach_file(bench.lot(lot), file, person=operator), operator)
        bench.clock.advance(phase.duration)
        do_step(bench, key, lot=lot, **(changes if phase.kind is PhaseKind.MEASURE else {}))
    raise AssertionError("the lot never ends")
