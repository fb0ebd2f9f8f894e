"""Materials, equipment and rooms through the command engine, and traced from the command line."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from anlage.app import Installation, command_classes, settings
from anlage.base import FixedClock, Quantity, Refused, digest
from anlage.cli.shell import main
from anlage.library import DefinitionApproved, DefinitionDrafted, PersonRegistered, RoleGranted
from anlage.plant import (
    ConsumeMaterial,
    InspectMaterial,
    MaterialLot,
    QualifySupplier,
    RecallMaterial,
    ReceiveMaterial,
    RegisterSupplier,
    ReleaseMaterial,
    SplitMaterial,
)
from anlage.record import Actor, Entry, Stream, World, sign

AT = datetime(2026, 3, 1, tzinfo=UTC)
CONTENT = {
    "id": "medium",
    "unit": "mL",
    "needs": ["certificate-of-analysis"],
    "keeping": {"after-opening": "72 h"},
}
ROLES = {"keeper": "store-keeper", "op": "operator", "qa": "qa-reviewer"}


def entries():
    for person, role in ROLES.items():
        stream = Stream(f"person/{person}")
        yield Entry(stream, PersonRegistered(id=person, name=person.title()))
        yield Entry(stream, RoleGranted(role=role, role_version=1, requires=(), granted_by="admin"))
    stream, seal = Stream("definition/material-class:medium"), digest(CONTENT)
    drafted = DefinitionDrafted(
        kind_of="material-class",
        id="medium",
        number=1,
        title="medium",
        content=CONTENT,
        digest=seal,
        author="op",
    )
    yield Entry(stream, drafted)
    approved = DefinitionApproved(number=1, digest=seal, approver="qa", effective=AT)
    yield Entry(stream, approved)


@pytest.fixture
def plant(tmp_path):
    plant = Installation.create(
        settings(tmp_path), world=World.SIMULATED, site="S1", site_name="Site", clock=FixedClock(AT)
    )
    plant.journal.append(list(entries()), {}, by=Actor(person="admin", via="api"), at=AT)
    yield plant
    plant.close()


def do(plant, request, person="keeper"):
    return plant.engine.do(request, actor=Actor(person=person, via="api"))


def signed(person="qa"):
    return sign(
        {"subject": "M-1"},
        person=person,
        name=person.title(),
        meaning="released",
        template="release@1",
        method="simulated-person",
        at=AT,
    )


def stock(plant, name="M-1"):
    due = AT + timedelta(days=300)
    do(plant, RegisterSupplier(supplier="ACME", name="Acme Ltd"))
    qualify = QualifySupplier(
        supplier="ACME", material_class="medium", due=due, basis="audit", signature=signed()
    )
    do(plant, qualify, "qa")
    receive = ReceiveMaterial(
        material=name,
        material_class="medium",
        name="basal medium",
        amount=Quantity(Decimal(5000), "mL"),
        expires=due,
        supplier="ACME",
        supplier_lot="SL-1",
        certificate="ab" * 32,
    )
    do(plant, receive)
    do(plant, InspectMaterial(material=name, checks={"certificate-of-analysis": "complete"}))


def use(plant, lot, name="M-1", person="op"):
    asked = ConsumeMaterial(
        material=name,
        lot=lot,
        step="feed",
        material_class="medium",
        amount=Quantity(Decimal(1), "mL"),
    )
    return do(plant, asked, person)


def test_a_delivery_goes_from_receipt_through_release_into_a_lot(plant):
    stock(plant)
    with pytest.raises(Refused) as early:
        use(plant, "L-1")
    do(plant, ReleaseMaterial(material="M-1", signature=signed()), "qa")

    use(plant, "L-1")

    assert early.value.code == "material-unusable"
    state = plant.engine.state(MaterialLot, Stream("material/M-1"))
    assert state.book == Quantity(Decimal(4999), "mL")
    assert plant.rows("stock").get("M-1")["left"] == "4999"


def test_who_does_not_hold_the_role_is_refused(plant):
    stock(plant)

    with pytest.raises(Refused) as by_keeper:
        do(plant, ReleaseMaterial(material="M-1", signature=signed("keeper")))
    with pytest.raises(Refused) as by_nobody:
        use(plant, "L-1", person=None)

    assert by_keeper.value.code == by_nobody.value.code == "operator-unqualified"


@pytest.mark.req("U36")
def test_a_recall_is_traced_from_the_command_line(plant, capsys, monkeypatch, tmp_path):
    stock(plant)
    do(plant, ReleaseMaterial(material="M-1", signature=signed()), "qa")
    for lot in ("L-1", "L-2"):
        use(plant, lot)
    split = SplitMaterial(material="M-1", into="M-2", amount=Quantity(Decimal(10), "mL"))
    do(plant, split)
    use(plant, "L-3", "M-2")
    do(plant, RecallMaterial(material="M-1", notice="FSN-9", reason="endotoxin"), "qa")
    with pytest.raises(Refused):
        use(plant, "L-4", "M-2")
    plant.close()

    assert main(["recall", "M-1", "--mock", "--json", "--data", str(tmp_path)]) == 0
    recalled = json.loads(capsys.readouterr().out)
    assert main(["trace", "lot/L-3", "--json", "--data", str(tmp_path)]) == 0
    traced = json.loads(capsys.readouterr().out)

    assert [one["lot"] for one in recalled["lots"]] == ["lot/L-1", "lot/L-2", "lot/L-3"]
    assert recalled["lots"][2]["through"] == ["material/M-2"]
    assert recalled["material"]["state"] == "recalled"
    assert recalled["notice"] == "EXERCISE"
    assert {edge["source"] for edge in traced["backward"]} == {"material/M-1", "material/M-2"}


def test_an_unknown_subject_is_refused_in_the_problem_shape(plant, capsys, tmp_path):
    plant.close()

    assert main(["trace", "material/NONE", "--json", "--data", str(tmp_path)]) == 2

    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "subject-unknown"


def test_every_command_of_store_and_cleanroom_is_bound(plant):
    names = command_classes().keys()

    assert {"receive-material", "recall-material", "take-equipment", "clear-line"} <= names
