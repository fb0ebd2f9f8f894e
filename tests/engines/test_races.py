"""Whoever is first wins: a step against what takes away its ground, at the same moment, on every engine."""

import threading
from datetime import timedelta

import pytest

from anlage.app import Installation, settings
from anlage.base import FixedClock, Quantity, Refused
from anlage.library import (
    AssessQualification,
    Finding,
    LotImpact,
    PersonRegistered,
    Qualifies,
    Requirement,
    RetireDefinition,
    RevokeQualification,
    RoleGranted,
    Treatment,
)
from anlage.plant import (
    BeginLot,
    CompleteStep,
    ConsumeMaterial,
    Lot,
    MaterialLot,
    RecallMaterial,
    StartStep,
    shown_step,
)
from anlage.record import Actor, Entry, Stream, World
from tests.app.test_making import AT, Plant, begin, founding, fresh, order, ready, register, stock

ROUNDS = 4
GOWNING = Requirement(kind=Qualifies.GOWNING, subject="grade-b", every_days=30)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
def plant(request, tmp_path_factory):
    """A founded facility on each engine."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    chosen = settings(tmp_path_factory.mktemp("races"), database_url=url)
    clock = FixedClock(AT)
    installation = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Site", clock=clock
    )
    plant = Plant(installation, clock)
    by, lena = Actor(person="admin", via="api"), Stream("person/lena")
    more = [Entry(lena, PersonRegistered(id="lena", name="Lena"))]
    for person, roles in (("lena", ["operator"]), ("eva", ["definition-approver"])):
        for role in roles:
            requires = (GOWNING,) if person == "lena" else ()
            granted = RoleGranted(role=role, role_version=1, requires=requires, granted_by="admin")
            more.append(Entry(Stream(f"person/{person}"), granted))
    installation.journal.append([*founding(), *more], {}, by=by, at=AT)
    clock.advance(timedelta(days=1))
    yield plant
    installation.close()


def assess(plant):
    asked = AssessQualification(
        person="lena", requirement=Qualifies.GOWNING, subject="grade-b", finding=Finding.PASSED,
        evidence="seen",
    )  # fmt: skip
    plant.do(asked, "eva")


def race(plant, *runners):
    """Do commands at one moment, each in its own thread; give each one's facts or refusal."""
    barrier, ends = threading.Barrier(len(runners)), [None] * len(runners)

    def run(place, request, person):
        barrier.wait()
        try:
            ends[place] = plant.do(request, person)
        except Refused as refused:
            ends[place] = refused

    threads = [threading.Thread(target=run, args=(n, *one)) for n, one in enumerate(runners)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert None not in ends
    return ends


def must_be_one_order(step_end, taking_end, code):
    """See that the step came before what took its ground away, or not at all."""
    assert not isinstance(taking_end, Refused), taking_end
    if isinstance(step_end, Refused):
        assert step_end.code == code
    else:
        assert step_end.facts[-1].number < taking_end.facts[0].number


@pytest.mark.req("U1")
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_recalled_material_lot_goes_into_no_step_after_the_recall(plant, number):
    name = ("wash-buffer", "saline", "t-cell-medium", "cryoprotectant")[number]
    if plant.state(MaterialLot, "material/M-wash-buffer").status is None:
        begin(plant, order(plant))
    stock(plant, name)
    pack = fresh(plant, name)
    unit = plant.state(MaterialLot, f"material/M-{name}").unit
    use = ConsumeMaterial(
        material=f"M-{name}", lot="L-26-0001", step="wash", material_class=name, pack=pack,
        amount=Quantity.parse(f"1 {unit}"),
    )  # fmt: skip
    recall = RecallMaterial(material=f"M-{name}", notice="FSN-1", reason="particles")

    ends = race(plant, (use, "anna"), (recall, "eva"), (use, "ben"))

    for used in (ends[0], ends[2]):
        must_be_one_order(used, ends[1], "material-unusable")
    facts = plant.installation.journal.read_stream(Stream(f"material/M-{name}"))
    kinds = [one.kind for one in facts]
    assert "material-consumed" not in kinds[kinds.index("material-recalled") :]


@pytest.mark.req("P11.10i")
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_person_does_nothing_after_the_revocation_of_the_qualification(plant, number):
    assess(plant)
    lot = begin(plant, order(plant))
    begun = StartStep(lot=lot, step="receipt-identity")
    revoke = RevokeQualification(
        person="lena", requirement=Qualifies.GOWNING, subject="grade-b", reason="seen ungowned"
    )

    started, revoked = race(plant, (begun, "lena"), (revoke, "eva"))

    must_be_one_order(started, revoked, "operator-unqualified")
    facts = plant.installation.journal.read_stream(Stream(f"lot/{lot}"))
    assert [one.kind for one in facts].count("step-started") == (not isinstance(started, Refused))


@pytest.mark.req("U1")
@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_operators_complete_a_step_once(plant, number):
    lot = begin(plant, order(plant))
    plant.do(StartStep(lot=lot, step="receipt-identity"), "anna")
    identity = plant.state(Lot, f"lot/{lot}").identity

    def completion(operator, witness):
        request = CompleteStep(lot=lot, step="receipt-identity", scan=identity, witness=witness)
        shown = shown_step(request)
        return CompleteStep(
            lot=lot, step="receipt-identity", scan=identity, witness=witness,
            performed=plant.sign(operator, "performed", **shown),
            verified=plant.sign(witness, "verified", **shown),
        )  # fmt: skip

    ends = race(
        plant, (completion("anna", "ben"), "anna"), (completion("ben", "anna"), "ben"),
        (StartStep(lot=lot, step="receipt-identity"), "ben"),
    )  # fmt: skip

    refused = [one for one in ends if isinstance(one, Refused)]
    assert len(refused) == 2 and {one.code for one in refused} <= {"step-done", "step-not-open"}
    facts = plant.installation.journal.read_stream(Stream(f"lot/{lot}"))
    assert [one.kind for one in facts].count("step-completed") == 1


def retirement(plant, recipe, lots=()):
    impacts = tuple(LotImpact(lot=one, treatment=Treatment.HELD, why="assessed") for one in lots)
    return RetireDefinition(
        kind="recipe", id=recipe, reason="unsafe", impact="every lot is held", lots=impacts,
        signature=plant.sign("eva", "retirement", kind="recipe", id=recipe),
    )  # fmt: skip


@pytest.mark.req("P01")
def test_a_lots_next_step_is_never_after_the_retirement_of_its_recipe(plant):
    begun = plant.do(BeginLot(product="msc-microcarrier"), "anna")
    lot = next(one for one in begun.streams if one.startswith("lot/")).partition("/")[2]
    register(plant, "biosafety-cabinet")
    ready(plant, "E-biosafety-cabinet", lot)
    start = StartStep(lot=lot, step="clearance-thaw", equipment=("E-biosafety-cabinet",))

    started, retired = race(
        plant, (start, "anna"), (retirement(plant, "msc-microcarrier", [lot]), "eva")
    )

    must_be_one_order(started, retired, "definition-not-effective")
    kinds = [one.kind for one in plant.installation.journal.read_stream(Stream(f"lot/{lot}"))]
    assert ("step-started" in kinds) is not isinstance(started, Refused)


@pytest.mark.req("P01")
def test_no_lot_begins_by_a_recipe_after_its_retirement_and_none_in_progress_is_forgotten(plant):
    ends = race(
        plant, *([(BeginLot(product="ipsc-bank"), "anna")] * 3),
        (retirement(plant, "ipsc-bank"), "eva"),
    )  # fmt: skip

    *begun, retired = ends
    if isinstance(retired, Refused):  # a lot was first, and nobody has said what becomes of it
        assert retired.code == "impact-unstated"
        assert any(not isinstance(one, Refused) for one in begun)
    else:
        assert {one.code for one in begun} == {"definition-not-effective"}
