"""A lot's own steps write the custody of its containers: place, holder, mass, patient."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anlage.base import Quantity, Refused
from anlage.custody import Container, Evidence, containers_of, histories_of, prove
from anlage.custody import check as check_custody
from anlage.library import read_yaml
from anlage.plant import (
    AcceptCollection,
    AllocateDose,
    BeginLot,
    EndSample,
    FillDoses,
    FilledContainer,
    Lot,
    LotStatus,
    PhaseKind,
    ReceiveSample,
    RecordCollection,
    SampleStatus,
    StartStep,
    StoreSample,
    accept_collection,
    allocate_dose,
    begin_lot,
    check_recipe,
    complete_step,
    containers_wanted,
    end_sample,
    fill_doses,
    fill_wanted,
    new_vessels,
    receive_sample,
    record_collection,
    start_step,
    starting_of,
    store_sample,
)
from anlage.record import Stream
from tests.builders_plant import (
    ANNA,
    BEN,
    CLARA,
    COI,
    IRIS,
    JAN,
    KURT,
    Approved,
    Bench,
    an_ordered_journey,
    request_for,
    signed,
    with_signatures,
)

OTHER = "CHA999926000002"
BAG = "APH-1"
RECIPE = """
kind: recipe
id: bags
title: Bags
product: small
specification: small
uses:
  roles: [operator, verifier, store-keeper]
  equipment-classes: [incubator, nitrogen-store]
  tests: [viability]
procedure:
  - unit: one
    name: One
    room: grade-b
    operations:
      - operation: a
        name: A
        phases:
          - {phase: scan, kind: scan-identity, name: Scan, role: operator, duration: 5 min, containers: [{receive: collection}]}
          - {phase: wash, kind: instruction, name: Wash, role: operator, duration: 5 min, containers: [{transfer: collection, into: culture, vessel: flask}]}
          - {phase: grow, kind: wait, name: Grow, role: operator, equipment: [incubator], minimum: 1 h, duration: 1 h, containers: [{move: culture, to: incubator}]}
          - phase: formulate
            kind: measure
            name: Formulate
            role: operator
            duration: 5 min
            containers: [{transfer: culture, into: formulated, amount: formulate.volume}]
            parameters:
              - {id: volume, name: Volume, unit: mL, decimals: 0, warning: {lower: 50 mL, upper: 100 mL}}
          - phase: fill
            kind: measure
            name: Fill
            role: operator
            duration: 5 min
            containers: [{fill: formulated, into: product, count: fill.bags}]
            parameters:
              - {id: bags, name: Bags, unit: bag, decimals: 0, hard: {lower: 1 bag, upper: 4 bag}}
          - phase: take
            kind: sample
            name: Take samples
            role: operator
            duration: 5 min
            samples:
              - {id: release, specimen: product, amount: 2 mL, count: 2, tests: [viability], turnaround: 1 d, from: formulated}
          - {phase: store, kind: move, name: Store, role: store-keeper, duration: 5 min, equipment: [nitrogen-store], containers: [{move: product, to: nitrogen-store}, {discard: formulated}]}
"""  # fmt: skip


def recipe(*changes):
    text = RECIPE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return read_yaml(text)


class Plant:
    """A lot with its containers, run step by step by whom the test says."""

    def __init__(self, volume="200 mL"):
        self.bench = Bench()
        an_ordered_journey(self.bench)
        at = self.bench.at
        shown = {"coi": COI, "donation": "D1", "container": BAG}
        collected = RecordCollection(
            coi=COI, donation="D1", container=BAG, volume=volume, scan=COI, second=JAN.id,
            place="apheresis", signature=signed(IRIS, "collected", at, **shown),
            verified=signed(JAN, "verified", at, **shown),
        )  # fmt: skip
        self.take(
            record_collection(
                self.bench.journey(), collected, nurse=IRIS, second=JAN, at=at, bag=self.of(BAG)
            )
        )

    def of(self, name):
        return self.bench.state(Container, f"container/{name}")

    @property
    def lot(self) -> Lot:
        return self.bench.lot()

    def take(self, entries):
        done = self.bench.take(entries, ANNA)
        self.bench.later(minutes=10)
        return done

    def offered(self, to="kurt"):
        from anlage.custody import offer

        self.take(offer(self.of(BAG), by="iris", to=to, evidence=Evidence.SCANNED))
        return self

    def accepted(self):
        asked = AcceptCollection(coi=COI, container=BAG, scan=COI, checks={"label": "pass"})
        journey = self.bench.journey()
        at = self.bench.at
        self.take(accept_collection(journey, asked, person=KURT, at=at, bag=self.of(BAG)))
        return self

    def begun(self):
        self.take(
            begin_lot(
                self.bench.lot(), BeginLot(lot="L-1", product="small", coi=COI),
                recipe=Approved(recipe().content), product_version=1, specification=("small", 1),
                required=("viability",), journey=self.bench.journey(), person=ANNA,
                at=self.bench.at,
            )
        )  # fmt: skip
        return self

    def ready(self):
        return self.offered().accepted().begun()

    def scans(self, phase):
        found = dict(new_vessels(self.lot, phase, {}))
        for act in phase.containers:
            here = (
                starting_of(self.lot) if act.verb == "receive" else self.lot.vessels.get(act.part)
            )
            if here:
                found[act.part] = " ".join(here)
        count = sum(plan.count for plan in phase.samples)
        for plan in phase.samples:
            found[plan.source] = " ".join(self.lot.vessels[plan.source])
        tubes = [self.lot.next_sample(ahead) for ahead in range(count)]
        return found | ({"samples": " ".join(tubes)} if tubes else {})

    def step(self, operator=ANNA, scans=None, **readings):
        lot = self.lot
        key = lot.ready[0]
        phase = lot.phase_of(key)
        operator = KURT if phase.role == "store-keeper" else operator
        scans = self.scans(phase) if scans is None else scans
        units = {name: f"U-{name}" for name in phase.equipment}
        known = {
            "containers": {one: self.of(one) for one in containers_wanted(lot, phase, scans)},
            "units": units,
        }
        at_start = scans if phase.kind is PhaseKind.WAIT else {}
        start = StartStep(
            lot=lot.id, step=key, equipment=tuple(units.values()), containers=at_start
        )
        self.take(start_step(lot, start, operator=operator, at=self.bench.at, **known))
        self.bench.later(minutes=61)
        request = request_for(self.lot, key)
        request = replace(request, containers=scans, readings={**request.readings, **readings})
        request = with_signatures(request, self.bench.at, operator, None)
        known["containers"] = {
            one: self.of(one) for one in containers_wanted(self.lot, phase, scans)
        }
        return self.take(
            complete_step(self.lot, request, operator=operator, at=self.bench.at, **known)
        )

    def fill(self, *amounts, names=None, scanned=None, by=ANNA):
        names = names or [f"B{n}" for n in range(1, len(amounts) + 1)]
        fills = tuple(
            FilledContainer(container=name, amount=amount)
            for name, amount in zip(names, amounts, strict=True)
        )
        source = self.lot.vessels.get("formulated", ())
        scanned = (*names, *source) if scanned is None else scanned
        request = FillDoses(lot="L-1", fills=fills, scanned=scanned)
        known = {one: self.of(one) for one in fill_wanted(self.lot, request)}
        self.take(fill_doses(self.lot, request, person=by, at=self.bench.at, containers=known))

    def through(self, operators=(ANNA, BEN), scans=None, bags=("30 mL", "30 mL")):
        turn = 0
        while self.lot.ready:
            key = self.lot.ready[0]
            readings = {"bags": f"{len(bags)} bag"} if key == "fill" else {}
            readings |= {"volume": "80 mL"} if key == "formulate" else {}
            self.step(operators[turn % len(operators)], scans, **readings)
            if key == "fill":
                self.fill(*bags, by=operators[turn % len(operators)])
            turn += 1
        return self

    def proof(self):
        histories = histories_of(self.bench.facts)
        chosen = containers_of(histories, Stream("lot/L-1"))
        return prove(histories, now=self.bench.at, subjects=chosen)


def refused(act, *arguments, **named):
    with pytest.raises(Refused) as refusal:
        act(*arguments, **named)
    assert refusal.value.problem.remedy
    return refusal.value.code


@pytest.mark.req("P09")
def test_a_lot_that_was_only_run_by_its_steps_proves_its_custody():
    plant = Plant().ready().through()

    proof = plant.proof()

    assert plant.lot.status is LotStatus.MADE
    assert (proof.coverage_percent, proof.gaps) == (100, ())
    assert proof.read_percent == 100
    assert {BAG, "B1", "B2", "L-1-S01", "L-1-S02"} <= set(proof.containers)
    assert check_custody(plant.bench.facts) == []
    assert plant.of("B1").place == "equipment/U-nitrogen-store"
    assert plant.of("B1").holder == "kurt"


def test_nobody_scanning_rests_on_signatures_and_says_so():
    plant = Plant().ready().through(scans={})

    proof = plant.proof()

    assert proof.coverage_percent == 100
    assert 0 < proof.grade_percent(Evidence.ATTESTED_LATER) < 100


def test_a_collection_that_nobody_offered_is_a_gap_and_still_accepted():
    plant = Plant().accepted().begun().through()

    (gap,) = plant.proof().gaps

    assert gap.container == BAG
    assert "never offered" in gap.why
    assert (gap.before.fact.kind, gap.after.fact.kind) == ("container-created", "hand-over-closed")


def test_a_collection_offered_to_somebody_else_is_a_gap():
    plant = Plant().offered(to="courier").accepted()

    proof = prove(histories_of(plant.bench.facts), now=plant.bench.at)

    assert ["but offered to courier" in gap.why for gap in proof.gaps] == [True]


@given(
    st.lists(st.sampled_from([ANNA, BEN]), min_size=1, max_size=5),
    st.booleans(),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whoever_does_the_steps_mass_place_and_patient_are_kept(operators, has_scans, bags):
    plant = Plant().ready()
    try:
        plant.through(operators, None if has_scans else {}, tuple(f"{one} mL" for one in bags))
    except Refused as refusal:
        assert refusal.code == "mass-balance"
        assert sum(bags) > 80 - 4, "the bags and the samples ask for more than was formulated"
        return

    assert sum(bags) <= 80
    proof = plant.proof()
    assert proof.gaps == ()
    states = {name: plant.of(name) for name in proof.containers}
    assert {one.coi for one in states.values()} == {COI}
    assert all(bool(one.place) == one.exists for one in states.values())
    filled = sum(states[f"B{n}"].amount.value for n in range(1, len(bags) + 1))
    tubes = sum(states[name].amount.value for name in states if name.startswith("L-1-S"))
    assert filled + tubes <= 80


@given(st.integers(0, 40), st.sampled_from("ABX019-"))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_scan_that_differs_in_one_character_is_refused(place, other):
    plant = PREPARED
    code = plant.lot.vessels["collection"][0]
    place %= len(code)
    wrong = code[:place] + other + code[place + 1 :]
    if wrong == code:
        return
    before = len(plant.bench.facts)
    phase = plant.lot.phase_of("wash")
    request = request_for(plant.lot, "wash", containers={"collection": wrong})
    request = with_signatures(request, plant.bench.at, ANNA, None)
    known = {one: plant.of(one) for one in containers_wanted(plant.lot, phase, {})}

    code = refused(
        complete_step, plant.lot, request, operator=ANNA, at=plant.bench.at, containers=known
    )

    assert code == "identity-mismatch"
    assert len(plant.bench.facts) == before


def test_a_label_that_is_used_is_not_used_again():
    plant = Plant().ready()
    plant.step()

    assert refused(plant.step, scans={"culture": BAG}) == "container-exists"


def test_another_patients_bag_never_enters_a_lot():
    plant = Plant().ready()
    foreign = replace(plant.of(BAG), coi=OTHER)
    request = with_signatures(request_for(plant.lot, "scan"), plant.bench.at, ANNA, None)

    code = refused(
        complete_step, plant.lot, request, operator=ANNA, at=plant.bench.at,
        containers={BAG: foreign},
    )  # fmt: skip

    assert code == "identity-mismatch"


def until_filled(plant, bags="2 bag"):
    while plant.lot.ready[0] != "take":
        plant.step(**({"bags": bags} if plant.lot.ready[0] == "fill" else {}))
    return plant


def test_no_more_bags_than_were_read_and_no_more_volume_than_there_was():
    plant = until_filled(Plant().ready())

    assert refused(plant.fill, "10 mL", "10 mL", "10 mL") == "fill-count-mismatch"
    assert refused(plant.fill, "90 mL", "90 mL") == "mass-balance"
    assert refused(plant.fill, "10 mL", scanned=("B9",)) == "identity-mismatch"


def test_a_tube_is_taken_over_by_who_scans_it_and_no_other_tube():
    plant = Plant().ready().through()
    sample = plant.bench.sample("L-1-S01")
    tube = plant.of(sample.id)
    at = plant.bench.at
    wrong = ReceiveSample(sample=sample.id, laboratory="QC", scan="L-1-S02")
    assert refused(receive_sample, sample, wrong, person=CLARA, at=at, tube=tube) == (
        "identity-mismatch"
    )

    right = ReceiveSample(sample=sample.id, laboratory="QC", scan=sample.id)
    plant.take(receive_sample(sample, right, person=CLARA, at=at, tube=tube))
    assert (plant.of(sample.id).holder, plant.of(sample.id).place) == ("clara", "QC")
    kept = StoreSample(sample=sample.id, place="freezer")
    sample = plant.bench.sample(sample.id)
    plant.take(store_sample(sample, plant.lot, kept, person=CLARA, tube=plant.of(sample.id)))
    assert plant.of(sample.id).place == "freezer"
    ended = EndSample(sample=sample.id, how=SampleStatus.USED_UP, reason="tested")
    sample = plant.bench.sample(sample.id)
    plant.take(end_sample(sample, plant.lot, ended, person=CLARA, tube=plant.of(sample.id)))
    assert str(plant.of(sample.id).end) == "used-up"
    assert plant.proof().gaps == ()


def test_a_dose_of_a_lot_for_many_becomes_one_patients_and_nobody_elses():
    bag = Container(
        id="B1", vessel="bag", lot="L-1", place="tank", holder="kurt",
        amount=Quantity.parse("30 mL"),
    )  # fmt: skip
    from anlage.custody import assign

    (entry,) = assign(bag, coi=COI, by="kurt")
    assert bag.with_fact(entry.fact).coi == COI
    assert refused(assign, bag.with_fact(entry.fact), coi=OTHER, by="kurt") == "identity-mismatch"
    assert AllocateDose and allocate_dose


DEFECTS = [
    ("containers: [{receive: collection}]", "containers: [{gather: collection}]", "key-unknown"),
    ("{receive: collection}", "{into: collection}", "container-act-malformed"),
    ("{receive: collection}", "{create: collection}", "container-not-received"),
    ("{transfer: collection, into: culture, vessel: flask}", "{transfer: collection}", "key-missing"),
    ("{transfer: collection,", "{transfer: donation,", "reference-unknown"),
    ("{move: culture, to: incubator}", "{move: culture, to: freezer}", "reference-unknown"),
    ("{move: culture, to: incubator}", "{move: collection, to: incubator}", "container-gone"),
    ("amount: formulate.volume}", "amount: formulate.volum}", "reference-unknown"),
    ("count: fill.bags}", "amount: fill.bags}", "key-missing"),
    (", from: formulated}", "}", "key-missing"),
    (", from: formulated}", ", from: culture}", "container-gone"),
    (", {discard: formulated}", "", "container-left-over"),
    ("{move: culture, to: incubator}", "{move: culture, into: x, to: incubator}", "key-unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "code"), DEFECTS)
def test_a_recipe_that_loses_a_container_is_named_with_line_and_remedy(good, bad, code):
    assert check_recipe(recipe()).problems == ()

    problems = check_recipe(recipe((good, bad))).problems

    found = [one for one in problems if one.code == code]
    assert found, [str(one) for one in problems]
    assert found[0].remedy
    assert found[0].line is not None or found[0].path == "procedure"


PREPARED = Plant().ready()
PREPARED.step()
