"""Genealogy both ways and the recall that follows from it."""

import random
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.plant import (
    ConsumeMaterial,
    CorrectUse,
    Edge,
    GenealogyView,
    Ingredient,
    Node,
    PoolMaterials,
    PrepareMaterial,
    RowGenealogy,
    SplitMaterial,
    consume_material,
    correct_use,
    pool_materials,
    prepare_material,
    recall_report,
    split_material,
    trace,
)
from tests.plant.bench import MEDIUM, Bench, q, released


class Drawn:
    """A genealogy drawn by hand."""

    def __init__(self, *pairs, nodes=()):
        self.nodes = {one.id: one for one in nodes}
        self.outward, self.inward = {}, {}
        for number, (source, target) in enumerate(pairs):
            edge = Edge(source=source, target=target, fact=number, how="used")
            self.outward.setdefault(source, []).append(edge)
            self.inward.setdefault(target, []).append(edge)

    def node(self, identifier):
        return self.nodes.get(identifier)

    def out_of(self, identifier):
        return self.outward.get(identifier, ())

    def into(self, identifier):
        return self.inward.get(identifier, ())


@pytest.fixture
def bench():
    return Bench(GenealogyView())


def use(bench, name="M-1", lot="L-1", amount="1 mL"):
    asked = ConsumeMaterial(
        material=name, lot=lot, step="feed", material_class="medium", amount=q(amount)
    )
    return bench.keep(consume_material(bench.material(name), asked, at=bench.at))[-1]


@pytest.mark.req("U18")
def test_every_one_of_several_consumed_lots_is_shown(bench):
    for name in ("M-1", "M-2", "M-3"):
        released(bench, name)
        use(bench, name)

    found = trace("lot/L-1", RowGenealogy(bench.rows("genealogy")))

    assert {edge.source for edge in found.backward} == {
        "material/M-1",
        "material/M-2",
        "material/M-3",
    }


def test_a_lot_is_traced_through_split_pool_and_preparation(bench):
    released(bench, "M-1")
    released(bench, "M-2")
    asked = SplitMaterial(material="M-1", into="M-3", amount=q("100 mL"))
    bench.keep(split_material(bench.material("M-3"), bench.material("M-1"), asked, at=bench.at))
    parts = tuple(Ingredient(material=name, amount=q("50 mL")) for name in ("M-2", "M-3"))
    sources = {name: bench.material(name) for name in ("M-2", "M-3")}
    both = PoolMaterials(into="M-4", name="pool", parts=parts)
    bench.keep(pool_materials(bench.material("M-4"), both, sources=sources, at=bench.at))
    made = PrepareMaterial(
        material="P-1",
        material_class="medium",
        name="complete medium",
        recipe="recipe:COMPLETE@2",
        ingredients=(Ingredient(material="M-3", amount=q("10 mL"), material_class="medium"),),
        amount=q("10 mL"),
        expires=bench.at + timedelta(days=2),
    )
    bench.keep(
        prepare_material(
            bench.material("P-1"),
            made,
            terms=MEDIUM,
            sources={"M-3": bench.material("M-3")},
            at=bench.at,
        )
    )

    found = trace("material/M-1", RowGenealogy(bench.rows("genealogy")))

    assert {node.id for node in found.reached("material")} == {
        "material/M-3",
        "material/M-4",
        "material/P-1",
    }


@pytest.mark.req("U18")
def test_a_corrected_use_moves_its_edge(bench):
    released(bench)
    wrong = use(bench)
    genealogy = RowGenealogy(bench.rows("genealogy"))

    def correct(amount, lot):
        asked = CorrectUse(
            material="M-1", of=wrong.number, amount=q(amount), reason="wrong lot", lot=lot
        )
        bench.keep(correct_use(bench.material("M-1"), asked))

    correct("1 mL", "L-2")
    assert [edge.target for edge in genealogy.out_of("material/M-1")] == ["lot/L-2"]
    assert list(genealogy.into("lot/L-1")) == []
    correct("0 mL", "L-2")
    assert list(genealogy.out_of("material/M-1")) == []
    correct("3 mL", "L-3")
    assert [(edge.target, edge.amount) for edge in genealogy.into("lot/L-3")] == [("lot/L-3", 3)]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_forward_and_backward_are_each_others_mirror(pairs):
    edges = [(f"material/{min(p)}", f"material/{max(p)}") for p in pairs if p[0] != p[1]]
    drawn = Drawn(*edges, nodes=[Node(id=f"material/{n}") for n in range(13)])

    for start in range(13):
        name = f"material/{start}"
        for node in trace(name, drawn).reached("material"):
            assert name in {edge.source for edge in trace(node.id, drawn).backward}


def test_a_circle_ends():
    drawn = Drawn(("lot/A", "lot/B"), ("lot/B", "lot/A"))

    assert len(trace("lot/A", drawn).forward) == 2


def test_nothing_under_a_name_is_said():
    with pytest.raises(Refused) as caught:
        trace("material/NONE", Drawn())

    assert caught.value.code == "subject-unknown"


@pytest.mark.req("U36")
def test_a_recall_names_lots_patients_doses_sites_states_and_letters():
    drawn = Drawn(
        ("material/M-1", "material/P-1"),
        ("material/P-1", "lot/L-1"),
        ("material/M-1", "lot/L-2"),
        ("lot/L-1", "container/C-1"),
        ("lot/L-1", "container/C-2"),
        ("material/M-9", "lot/L-9"),
        nodes=[
            Node(id="material/M-1", name="serum", state="recalled"),
            Node(id="lot/L-1", state="released", site="S1", patient="COI-1"),
            Node(id="lot/L-2", state="running", site="S1", patient="COI-2"),
            Node(id="container/C-1", state="infused", site="H1"),
            Node(id="container/C-2", state="stored", site="S1"),
            Node(id="lot/L-9", patient="COI-9"),
        ],
    )

    report = recall_report("material/M-1", drawn, notice="FSN-9")

    assert {one.lot.id: one.through for one in report.lots} == {
        "lot/L-1": ("material/P-1",),
        "lot/L-2": (),
    }
    assert report.patients == ("COI-1", "COI-2")
    assert report.sites == ("H1", "S1")
    hospital = report.letters[0]
    assert (hospital.site, hospital.doses, hospital.patients, hospital.notice) == (
        "H1",
        ("container/C-1",),
        ("COI-1",),
        "FSN-9",
    )
    assert "infused" in hospital.states


@pytest.mark.req("U19")
def test_a_material_lot_used_in_a_thousand_lots_is_traced_in_under_a_second():
    pairs = [("material/M-1", f"lot/L-{n}") for n in range(1000)]
    pairs += [(f"lot/L-{n}", f"container/C-{n}-{bag}") for n in range(1000) for bag in (1, 2)]
    random.Random(1).shuffle(pairs)
    drawn = Drawn(*pairs, nodes=[Node(id=f"lot/L-{n}", site="S1") for n in range(1000)])
    started = time.perf_counter()

    report = recall_report("material/M-1", drawn)

    assert len(report.lots) == 1000
    assert sum(len(one.doses) for one in report.lots) == 2000
    assert time.perf_counter() - started < 1
