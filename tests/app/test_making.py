"""One patient's cells through the command engine: order, making, testing, release, infusion."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from anlage.app import Installation, settings
from anlage.app.commands.label_sets import PrintLabels, ReconcileLabels
from anlage.app.demo.walk import RESULTS
from anlage.base import FixedClock, Quantity, Refused, digest
from anlage.library import (
    ChangeNote,
    DefinitionApproved,
    DefinitionDrafted,
    DefinitionRetired,
    PersonRegistered,
    RoleGranted,
    starters,
)
from anlage.plant import (
    AcceptCollection,
    ApproveResult,
    AttachFile,
    BeginLot,
    BookSlot,
    CalibrateEquipment,
    CheckPatient,
    CleanEquipment,
    ClearEquipment,
    ClearLymphodepletion,
    ConfirmBedside,
    EnterReadings,
    EnterResult,
    EquipmentUnit,
    FillDoses,
    FilledContainer,
    GiveConsent,
    InspectMaterial,
    Journey,
    JourneyStage,
    Lot,
    LotStatus,
    MaterialLot,
    OrderCollection,
    OrderProduct,
    PackIn,
    Purpose,
    QualifyEquipment,
    QualifySupplier,
    Rcl,
    ReceiveDose,
    ReceiveMaterial,
    ReceiveSample,
    RecordCollection,
    RecordInfusion,
    RegisterEquipment,
    RegisterSupplier,
    ReleaseLot,
    ReleaseMaterial,
    ReviewAuditTrail,
    ReviewBatch,
    StartStep,
    StoreSample,
    ThawPack,
    Titre,
    check,
    labels_due,
    sentence,
    shown_release,
    shown_review,
    shown_step,
    starter_recipes,
)
from anlage.record import Actor, Entry, Stream, World, sign
from tests.builders_plant import request_for

AT = datetime(2026, 3, 3, 7, tzinfo=UTC)
ROLES = {
    "greta": ["physician"],
    "hans": ["coordinator"],
    "iris": ["collection-nurse", "ward-nurse"],
    "jan": ["collection-nurse", "ward-nurse"],
    "kurt": ["store-keeper"],
    "anna": ["operator", "verifier"],
    "ben": ["operator", "verifier"],
    "clara": ["qc-analyst"],
    "david": ["qc-analyst"],
    "eva": ["qa-reviewer"],
    "fritz": ["releaser"],
    "nele": ["network-planner"],
}
REPORTED = {
    "identity": "match",
    "appearance": "cloudy suspension without foreign matter",
    "viability": "92.1 %",
    "cd3-purity": "98.2 %",
    "car-expression": "41.0 %",
    "vector-copy-number": "2.1 copy/cell",
    "dose": "2.0 10*6.cell/kg",
    "potency": "900 pg/mL",
    "residual-beads": "5 bead/10*6.cell",
    "residual-tumour": "0.1 %",
    "endotoxin": "<0.5 [EU]/mL",
    "mycoplasma": "not detected",
    "replication-competent-lentivirus": "not detected",
    "sterility-interim": "no growth",
}
COUNTS = {
    "total-nucleated-cells": "6.2 10*9.cell", "cd3-cells": "3.1 10*9.cell", "viability": "96 %",
}  # fmt: skip


class Plant:
    """An installation with people, definitions, stock and equipment for one CAR-T lot."""

    def __init__(self, installation, clock):
        self.installation, self.clock = installation, clock

    def do(self, request, person):
        return self.installation.engine.do(request, actor=Actor(person=person, via="api"))

    def sign(self, person, meaning, **shown):
        return sign(
            shown, person=person, name=person.title(), meaning=meaning, template="t/1",
            method="simulated-person", at=self.clock.now(),
        )  # fmt: skip

    def state(self, cls, stream):
        return self.installation.engine.state(cls, Stream(stream))

    def facts(self):
        return list(self.installation.journal.read())

    def rows(self, view):
        return dict(self.installation.rows(view).find())


def founding(at=AT):
    for person, roles in ROLES.items():
        stream = Stream(f"person/{person}")
        yield Entry(stream, PersonRegistered(id=person, name=person.title()))
        for role in roles:
            granted = RoleGranted(role=role, role_version=1, requires=(), granted_by="admin")
            yield Entry(stream, granted)
    for one in (*starters(), *starter_recipes()):
        stream, seal = Stream(f"definition/{one.kind}:{one.id}"), digest(dict(one.content))
        drafted = DefinitionDrafted(
            kind_of=one.kind, id=one.id, number=1, title=one.title or one.id,
            content=one.content, digest=seal, author="author",
        )  # fmt: skip
        approved = DefinitionApproved(number=1, digest=seal, approver="eva", effective=at)
        yield Entry(stream, drafted)
        yield Entry(stream, approved)


def founded(folder):
    """Found an installation with people and every starter definition in effect."""
    clock = FixedClock(AT)
    installation = Installation.create(
        settings(folder), world=World.SIMULATED, site="S1", site_name="Site", clock=clock
    )
    by = Actor(person="admin", via="api")
    installation.journal.append(list(founding()), {}, by=by, at=AT)
    return Plant(installation, clock)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    plant = founded(tmp_path_factory.mktemp("plant"))
    yield plant
    plant.installation.close()


@pytest.fixture
def another_plant(tmp_path):
    plant = founded(tmp_path)
    yield plant
    plant.installation.close()


@pytest.fixture(scope="module")
def walked(plant):
    """Walk one patient's journey from the order to the infusion."""
    coi = order(plant)
    lot = begin(plant, coi)
    make(plant, lot)
    examine(plant, lot)
    release(plant, lot)
    infuse(plant, coi, lot)
    return plant, coi, lot


def bag_of(coi):
    """Give the number of the collection bag of a patient."""
    return f"APH-{coi[-6:]}"


def order_collection(plant):
    """Bring a new patient to the order of the collection, and a day on."""
    at = plant.clock.now()
    asked = OrderProduct(
        product="cd19-car-t", subject="s", indication="B-cell lymphoma", treatment_site="ward",
        weight="70 kg",
        signature=plant.sign("greta", "prescribed", product="cd19-car-t", subject="s"),
    )  # fmt: skip
    outcome = plant.do(asked, "greta")
    coi = next(one for one in outcome.streams if one.startswith("journey/")).partition("/")[2]
    checks = {"identity": "pass", "eligibility": "pass", "infectious-markers": "pass"}
    plant.do(CheckPatient(coi=coi, checks=checks), "hans")
    plant.do(GiveConsent(coi=coi, form="consent", form_version="1"), "hans")
    begins = at + timedelta(days=1)
    plant.do(BookSlot(coi=coi, slot="A-1", begins=begins, suite="A"), "hans")
    plant.do(OrderCollection(coi=coi, site="ward", planned=begins), "hans")
    plant.clock.advance(timedelta(days=1))
    return coi


def collect(plant, coi):
    """Collect for a patient, by two nurses."""
    shown = {"coi": coi, "donation": f"A9999{coi[-8:]}", "container": bag_of(coi)}
    collected = RecordCollection(
        **shown, volume="200 mL", scan=f"&/{coi}", second="jan",
        signature=plant.sign("iris", "collected", **shown),
        verified=plant.sign("jan", "verified", **shown),
    )  # fmt: skip
    plant.do(collected, "iris")


def order(plant):
    """Bring a new patient to the acceptance of the collection."""
    coi = order_collection(plant)
    collect(plant, coi)
    plant.do(AcceptCollection(coi=coi, container=bag_of(coi), scan=coi, counts=COUNTS), "kurt")
    return coi


def begin(plant, coi):
    outcome = plant.do(BeginLot(product="cd19-car-t", coi=coi), "anna")
    id = next(one for one in outcome.streams if one.startswith("lot/")).partition("/")[2]
    if plant.state(MaterialLot, "material/M-wash-buffer").status is None:
        plant.do(RegisterSupplier(supplier="ACME", name="Acme Ltd"), "kurt")
    lot = plant.state(Lot, f"lot/{id}")
    for phase in lot.recipe.phases():
        for name in phase.equipment:
            register(plant, name)
        for need in phase.materials:
            stock(plant, need.material_class)
    return id


def register(plant, name):
    unit = f"E-{name}"
    if plant.state(EquipmentUnit, f"equipment/{unit}").status is not None:
        return
    due = plant.clock.now() + timedelta(days=300)
    asked = RegisterEquipment(
        equipment=unit, equipment_class=name, name=name, maker="M", model="1", serial="1", room="R"
    )
    plant.do(asked, "kurt")
    calibrated = CalibrateEquipment(equipment=unit, is_passed=True, due=due, certificate="ab" * 32)
    plant.do(calibrated, "kurt")
    signature = plant.sign("eva", "qualified", equipment=unit)
    qualified = QualifyEquipment(equipment=unit, due=due, report="ab" * 32, signature=signature)
    plant.do(qualified, "eva")


def ready(plant, unit, lot):
    state = plant.state(EquipmentUnit, f"equipment/{unit}")
    if lot in state.lots or not state.terms.agents:
        return
    contact = Quantity(Decimal(60), "min")
    agent = next(iter(state.terms.agents))
    plant.do(CleanEquipment(equipment=unit, agent=agent, contact=contact), "anna")
    signature = plant.sign("ben", "cleared", equipment=unit, lot=lot)
    plant.do(ClearEquipment(equipment=unit, lot=lot, signature=signature), "ben")


def stock(plant, name):
    id = f"M-{name}"
    if plant.state(MaterialLot, f"material/{id}").status is not None:
        return
    content = next(
        one for one in starters() if (one.kind, one.id) == ("material-class", name)
    ).content
    due = plant.clock.now() + timedelta(days=200)
    vector = {}
    if "titre-unit" in content:
        titre = Titre(value=Quantity.parse("2e8 TU/mL"), method="transduction")
        vector = {"titre": titre, "rcl": Rcl.NOT_DETECTED}
    qualify = QualifySupplier(
        supplier="ACME", material_class=name, due=due, basis="audit",
        signature=plant.sign("eva", "qualified", supplier="ACME"),
    )  # fmt: skip
    plant.do(qualify, "eva")
    received = ReceiveMaterial(
        material=id, material_class=name, name=name,
        amount=Quantity(Decimal(14000000), str(content["unit"])), expires=due, supplier="ACME",
        packs=tuple(PackIn(id=str(one), amount=Quantity(Decimal(1000000), str(content["unit"])))
                    for one in range(1, 15)),
        supplier_lot="1", certificate="ab" * 32, **vector,
    )  # fmt: skip
    plant.do(received, "kurt")
    checks = dict.fromkeys([str(one) for one in content.get("needs", [])] or ["label"], "complete")
    plant.do(InspectMaterial(material=id, checks=checks), "kurt")
    signature = plant.sign("eva", "released", subject=id)
    plant.do(ReleaseMaterial(material=id, signature=signature), "eva")


def make(plant, id):
    for _ in range(100):
        lot = plant.state(Lot, f"lot/{id}")
        if not lot.ready:
            return
        step(plant, lot, lot.ready[0])
    raise AssertionError("the lot never ends")


def step(plant, lot, key, *, is_labelled=True):
    phase = lot.phase_of(key)
    operator = "kurt" if phase.role == "store-keeper" else "anna"
    units = tuple(f"E-{name}" for name in phase.equipment)
    for unit in units:
        ready(plant, unit, lot.id)
    if key not in lot.steps:
        plant.do(StartStep(lot=lot.id, step=key, equipment=units), operator)
    if phase.photo:
        file = AttachFile(
            lot=lot.id, step=key, name="bag.png", digest="1" * 64, media_type="image/png", size=9
        )
        plant.do(file, operator)
    if is_labelled:
        label(plant, lot.id, key)
    packs = {need.material_class: fresh(plant, need.material_class) for need in phase.materials}
    plant.clock.advance(phase.duration)
    values = {"source": "M-cd19-car-vector"} if key == "vector-dose" else {}
    if key == "fill":
        values["readings"] = {"bags": "1 bag", "volume": "20 mL"}
    if key == "harvest":
        values["readings"] = {
            "viable-cells": "2e9 cell", "density": "2e7 cell/mL", "viability": "92 %",
            "car-fraction": "41 %",
        }  # fmt: skip
    request = request_for(plant.state(Lot, f"lot/{lot.id}"), key, **values)
    request = replace(
        request,
        materials=tuple(replace(one, pack=packs[one.material_class]) for one in request.materials),
    )
    shown = shown_step(request)
    signed = replace(
        request,
        performed=plant.sign(operator, "performed", **shown),
        verified=plant.sign("ben", "verified", **shown) if phase.witness else None,
        witness="ben" if phase.witness else None,
    )
    plant.do(signed, operator)


def label(plant, id, key):
    """Print the label sets of a step; the bags have numbers of their own."""
    lot = plant.state(Lot, f"lot/{id}")
    for number, due in enumerate(labels_due(lot, key)):
        name = f"LS-{id}-{key}-{number}".replace(":", ".")
        numbers = due.numbers or tuple(f"DOSE-{n}" for n in range(1, 10))
        plant.do(
            PrintLabels(
                label_set=name, lot=id, step=key, layout=f"{due.need.label}@1", numbers=numbers,
                label=due.need.label, part=due.need.part,
            ),
            "anna",
        )  # fmt: skip


def account(plant, id):
    """Account for each copy of the lot's labels: what its containers carry was applied."""
    lot = plant.state(Lot, f"lot/{id}")
    for name, (said, closed) in lot.label_sets.items():
        if closed is None:
            on = tuple(one for one in said.numbers if one in lot.carried)
            off = tuple(one for one in said.numbers if one not in on)
            asked = ReconcileLabels(label_set=name, second="ben", applied=on, destroyed=off)
            plant.do(asked, "anna")


def fresh(plant, name):
    """Take a pack that nobody has opened, thawed if it was frozen."""
    state = plant.state(MaterialLot, f"material/M-{name}")
    pack, found = next(
        (id, one) for id, one in state.packs.items() if one.opened is None and one.thaws == 0
    )
    if found.is_frozen:
        plant.do(ThawPack(material=f"M-{name}", pack=pack), "kurt")
    return pack


def examine(plant, id):
    lot = plant.state(Lot, f"lot/{id}")
    for mark in lot.samples.values():
        if mark.purpose is not Purpose.TEST:
            plant.do(StoreSample(sample=mark.id, place="N2-1/A1"), "clara")
            continue
        plant.do(ReceiveSample(sample=mark.id, laboratory="QC"), "clara")
        for attribute in mark.tests:
            if attribute not in REPORTED or attribute in plant.state(Lot, f"lot/{id}").results:
                continue
            shown = {"sample": mark.id, "attribute": attribute, "reported": REPORTED[attribute]}
            entered = EnterResult(
                **shown,
                method=RESULTS[attribute][1],
                signature=plant.sign("clara", "tested", **shown),
            )
            plant.do(entered, "clara")
            approved = ApproveResult(
                sample=mark.id, attribute=attribute, reading=REPORTED[attribute],
                signature=plant.sign("david", "approved", **shown),
            )  # fmt: skip
            plant.do(approved, "david")


def release(plant, id, dose="DOSE-1"):
    fills = (FilledContainer(container=dose, amount="20 mL", cells="1.4e8 cell"),)
    plant.do(FillDoses(lot=id, fills=fills), "anna")
    account(plant, id)
    lot = plant.state(Lot, f"lot/{id}")
    shown = shown_review(lot, lot.version, is_full=False)
    plant.do(ReviewBatch(
        lot=id, through=lot.version, comment="plain",
        signature=plant.sign("eva", "reviewed", **shown),
    ), "eva")  # fmt: skip
    plant.do(ReviewAuditTrail(
        lot=id, through=lot.version, comment="plain",
        signature=plant.sign("eva", "audit trail reviewed", lot=id, through=lot.version),
    ), "eva")  # fmt: skip
    lot = plant.state(Lot, f"lot/{id}")
    signature = plant.sign("fritz", "released", **shown_release(lot))
    plant.do(ReleaseLot(lot=id, signature=signature), "fritz")


def infuse(plant, coi, id):
    plant.do(ReceiveDose(coi=coi, container="DOSE-1", scan=coi), "iris")
    plant.do(ClearLymphodepletion(
        coi=coi, signature=plant.sign("greta", "cleared", coi=coi, exception=None)
    ), "greta")  # fmt: skip
    plant.clock.advance(timedelta(days=5))
    shown = {"coi": coi, "container": "DOSE-1"}
    plant.do(ConfirmBedside(
        **shown, band_scan=f"&/{coi}", bag_scan="DOSE-1", second="jan", thawed=plant.clock.now(),
        signature=plant.sign("iris", "confirmed", **shown),
        verified=plant.sign("jan", "verified", **shown),
    ), "iris")  # fmt: skip
    at = plant.clock.now()
    plant.do(RecordInfusion(
        **shown, began=at, ended=at, volume="20 mL",
        signature=plant.sign("iris", "infused", **shown),
    ), "iris")  # fmt: skip


@pytest.mark.req("P08")
def test_one_identity_runs_from_the_order_to_the_infusion(walked):
    plant, coi, lot = walked

    assert plant.state(Lot, f"lot/{lot}").status is LotStatus.RELEASED
    assert plant.state(Lot, f"lot/{lot}").coi == coi
    assert plant.state(Journey, f"journey/{coi}").stage is JourneyStage.INFUSED


def test_an_outsider_finds_nothing_wrong_with_the_record(walked):
    plant, _, _ = walked

    assert [str(one) for one in check(plant.facts())] == []


@pytest.mark.req("U7")
def test_every_fact_is_told_in_a_plain_sentence(walked):
    plant, _, _ = walked

    told = [sentence(one) for one in plant.facts() if one.stream.family in
            {"lot", "journey", "sample", "deviation"}]  # fmt: skip

    assert all((one and one[-1] in ".)") or ":" in one for one in told)
    assert not [one for one in told if "{" in one or " - " in one]


def test_the_views_know_what_waits_and_where_each_lot_stands(walked):
    plant, coi, lot = walked

    assert plant.rows("lot-board")[lot]["status"] == "released"
    assert plant.rows("lot-board")[lot]["before_release"] == []
    assert plant.rows("journeys")[coi]["stage"] == "infused"
    assert not [row for row in plant.rows("my-work").values() if row.get("kind") in
                {"step", "review", "release", "approval"}]  # fmt: skip


@pytest.mark.req("U18")
def test_what_a_step_used_is_taken_from_the_material_lot(walked):
    plant, _, _ = walked
    state = plant.state(MaterialLot, "material/M-cd19-car-vector")

    assert state.book.value < 14000000


def test_equipment_is_left_at_the_end_and_has_to_be_cleaned(walked):
    plant, _, _ = walked

    cabinet = plant.state(EquipmentUnit, "equipment/E-biosafety-cabinet")
    assert cabinet.lots == {}
    assert str(cabinet.status) == "to-be-cleaned"


@pytest.mark.req("P11.10g")
@pytest.mark.req("ANNEX11.15")
def test_nobody_gets_round_the_roles_by_asking_the_engine(walked):
    plant, coi, lot = walked
    signature = plant.sign("anna", "released", lot=lot)

    for request, person in (
        (ReleaseLot(lot=lot, signature=signature), "anna"),
        (BeginLot(product="cd19-car-t", coi=coi), "clara"),
        (BeginLot(product="cd19-car-t", coi=coi), "mallory"),
        (BeginLot(product="cd19-car-t", coi=coi), None),
    ):
        with pytest.raises(Refused) as refusal:
            plant.do(request, person)
        assert refusal.value.code in {"operator-unqualified", "lot-not-releasable"}


@pytest.mark.req("P11.10h")
def test_a_reading_of_an_instrument_that_nobody_registered_is_refused(walked):
    plant, _, lot = walked
    request = EnterReadings(
        lot=lot, step="count", readings={"ph": "7"}, instruments={"ph": "E-unknown"}
    )

    with pytest.raises(Refused) as refusal:
        plant.do(request, "anna")

    assert refusal.value.code == "reading-untrusted"


@pytest.mark.req("P01")
def test_a_lot_of_a_product_that_nobody_approved_does_not_begin(walked):
    plant, coi, _ = walked

    with pytest.raises(Refused) as refusal:
        plant.do(BeginLot(product="elixir", coi=coi), "anna")

    assert refusal.value.code == "definition-not-effective"


def test_a_retired_recipe_stops_the_next_step_of_a_lot(another_plant):
    plant = another_plant
    plant.clock.advance(timedelta(days=1))
    coi = order(plant)
    lot = begin(plant, coi)
    stream = Stream("definition/recipe:cd19-car-t")
    note = ChangeNote(reason="unsafe", impact="all lots")
    retired = DefinitionRetired(by="eva", since=plant.clock.now(), note=note)
    plant.installation.journal.append(
        [Entry(stream, retired)], {}, by=Actor(person="eva", via="api"), at=plant.clock.now()
    )

    with pytest.raises(Refused) as refusal:
        plant.do(StartStep(lot=lot, step="receipt-identity"), "anna")

    assert refusal.value.code == "definition-not-effective"
