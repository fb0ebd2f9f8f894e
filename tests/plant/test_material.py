"""Material lots: what may be used, where everything went, and what can never happen."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from anlage.base import Quantity, Refused
from anlage.plant import (
    CertifyMaterial,
    ChangeExpiry,
    ConsumeMaterial,
    CorrectUse,
    DestroyMaterial,
    FreezePack,
    Ingredient,
    InspectMaterial,
    MaterialLot,
    MaterialStatus,
    OpenPack,
    PackView,
    PoolMaterials,
    PrepareMaterial,
    QuarantineMaterial,
    Rcl,
    RecallMaterial,
    ReconcileMaterial,
    ReleaseMaterial,
    ReserveMaterial,
    SplitMaterial,
    StockView,
    ThawPack,
    Titre,
    VoidMaterial,
    certify_material,
    change_expiry,
    check,
    consume_material,
    correct_use,
    destroy_material,
    expiring,
    freeze_pack,
    inspect_material,
    open_pack,
    picking_list,
    pool_materials,
    prepare_material,
    quarantine_material,
    read_terms,
    recall_material,
    reconcile_material,
    release_material,
    reserve_material,
    sentence,
    split_material,
    thaw_pack,
    void_material,
)
from anlage.record import Entry, Stream
from tests.plant.bench import AT, MEDIUM, VECTOR, Bench, q, received, released, signed, supplier


@pytest.fixture
def bench():
    return Bench(StockView(), PackView())


def use(bench, name="M-1", amount="10 mL", lot="L-1", **more):
    asked = ConsumeMaterial(
        material=name,
        lot=lot,
        step="wash",
        material_class=more.pop("material_class", "medium"),
        amount=q(amount),
        pack=more.pop("pack", None),
        happened=more.pop("happened", None),
        reason=more.pop("reason", None),
    )
    return bench.keep(consume_material(bench.material(name), asked, at=bench.at, **more))


def refusal(what, *arguments, **more):
    with pytest.raises(Refused) as caught:
        what(*arguments, **more)
    return caught.value


def test_a_lot_in_quarantine_cannot_be_consumed(bench):
    received(bench)

    refused = refusal(use, bench)

    assert refused.code == "material-unusable"
    assert refused.problem.found == "quarantined"
    assert refused.problem.limit == "released"


def test_a_released_lot_is_consumed_by_lot_and_step(bench):
    released(bench)

    use(bench, amount="10.5 mL")

    lot = bench.material("M-1")
    assert lot.book == q("489.5 mL")
    assert [(one.subject, one.step) for one in lot.uses.values()] == [("lot/L-1", "wash")]
    assert check(bench.facts) == []


@pytest.mark.req("U31")
def test_expired_stock_is_refused_by_rule_and_no_preference_changes_that(bench):
    released(bench, days=2)
    bench.later(days=14)

    refused = refusal(use, bench)

    assert refused.code == "material-unusable"
    assert "expired on 2026-03-03" in refused.problem.found
    assert "12 days before" in refused.problem.found


def test_use_under_an_exceptional_authorisation_is_said_in_the_fact(bench):
    released(bench, days=2)
    bench.later(days=3)

    (*_, fact) = use(bench, authorised=3)

    assert fact.fact.authorised == 3
    assert "exceptional authorisation 3" in sentence(fact)


def test_no_authorisation_gives_more_than_there_is(bench):
    released(bench)

    assert refusal(use, bench, amount="501 mL", authorised=3).code == "material-amount"


@pytest.mark.req("U13")
def test_material_dedicated_to_another_lot_is_a_hard_stop_even_when_authorised(bench):
    released(bench, dedicated_to="lot/L-7")

    assert refusal(use, bench, lot="L-1").code == "identity-mismatch"
    assert refusal(use, bench, lot="L-1", authorised=3).code == "identity-mismatch"
    use(bench, lot="L-7")


@pytest.mark.req("U13")
def test_every_way_out_of_a_dedicated_lot_asks_for_whom(bench):
    released(bench, dedicated_to="lot/L-7")
    released(bench, "M-2")
    lot, child = bench.material("M-1"), bench.material("M-9")
    away = SplitMaterial(material="M-1", into="M-9", amount=q("1 mL"), dedicated_to="lot/L-1")
    keep = ReserveMaterial(material="M-1", lot="L-1", amount=q("1 mL"))
    both = PoolMaterials(
        into="M-9",
        name="pool",
        parts=(
            Ingredient(material="M-1", amount=q("1 mL")),
            Ingredient(material="M-2", amount=q("1 mL")),
        ),
    )
    sources = {"M-1": lot, "M-2": bench.material("M-2")}

    assert refusal(split_material, child, lot, away, at=AT).code == "identity-mismatch"
    assert refusal(reserve_material, lot, keep, at=AT).code == "identity-mismatch"
    refusal(pool_materials, child, both, sources=sources, at=AT)


@pytest.mark.req("U14")
def test_a_lot_of_another_class_is_refused(bench):
    released(bench)

    refused = refusal(use, bench, material_class="vector")

    assert refused.problem.found == "class medium"
    assert refused.problem.limit == "class vector"


def test_all_that_stands_against_a_use_is_said_at_once(bench):
    received(bench, days=1)
    bench.later(days=2)

    refused = refusal(use, bench, amount="900 mL", material_class="vector")

    assert len(refused.problems) == 4


def test_release_is_blocked_by_everything_open_and_says_each(bench):
    received(bench, terms=VECTOR, amount="100 uL")
    asked = ReleaseMaterial(material="M-1", signature=signed("keeper"))
    held = supplier(bench, VECTOR)

    refused = refusal(release_material, bench.material("M-1"), asked, supplier=held, at=bench.at)

    found = [problem.found for problem in refused.problems]
    assert refused.code == "material-release-blocked"
    assert found[0] == "no titre"
    assert found[1] == "RCL pending"
    assert "who took it in" in found[2]


def test_a_failed_inspection_blocks_release_until_it_passes(bench):
    received(bench)
    bad = InspectMaterial(material="M-1", checks={"seal": "broken"}, failed=("seal",))
    bench.keep(inspect_material(bench.material("M-1"), bad))
    asked = ReleaseMaterial(material="M-1", signature=signed())

    refused = refusal(
        release_material, bench.material("M-1"), asked, supplier=supplier(bench), at=AT
    )

    assert refused.problem.found == "failed: seal"


def test_a_supplier_whose_qualification_ended_delivers_nothing(bench):
    supplier(bench, days=10)
    bench.later(days=11)

    assert refusal(received, bench).code == "supplier-unqualified"


def test_a_number_is_never_used_twice(bench):
    received(bench)

    assert refusal(received, bench).code == "material-number-taken"


@pytest.mark.parametrize(
    "packs",
    [
        (("1", "100 mL", None), ("2", "300 mL", None)),
        (("1", "250 mL", None), ("1", "250 mL", None)),
        (("1", "250 mL", "A1"), ("2", "250 mL", "A1")),
        (("1", "600 mL", None), ("2", "-100 mL", None)),
    ],
)
def test_packs_that_do_not_add_up_or_share_a_place_are_refused(bench, packs):
    assert refusal(received, bench, packs=packs).code == "material-packs"


def test_an_opened_pack_lapses_and_its_neighbour_does_not(bench):
    released(bench, packs=(("1", "250 mL", "A1"), ("2", "250 mL", "A2")))
    bench.keep(open_pack(bench.material("M-1"), OpenPack(material="M-1", pack="1"), at=bench.at))
    bench.later(hours=73)

    assert "use after opening ended" in refusal(use, bench, pack="1").problem.found
    use(bench, pack="2")


def test_first_use_opens_a_pack_and_starts_its_clock(bench):
    released(bench)

    opened, _ = use(bench)

    assert opened.fact.lapses == bench.at + timedelta(hours=72)


def vector(bench, name="V-1"):
    packs = tuple((str(n), "50 uL", f"box 1/A{n}") for n in (1, 2))
    more = {"titre": Titre(value=q("2e8 TU/mL"), method="flow, HEK 293T"), "rcl": Rcl.NOT_DETECTED}
    return released(bench, name, terms=VECTOR, amount="100 uL", packs=packs, **more)


def test_a_frozen_vial_is_thawed_before_use_and_only_as_often_as_allowed(bench):
    vector(bench)
    thaw = ThawPack(material="V-1", pack="1")
    asked = {"name": "V-1", "amount": "20 uL", "pack": "1", "material_class": "vector"}

    assert "frozen" in refusal(use, bench, **asked).problem.found
    bench.keep(thaw_pack(bench.material("V-1"), thaw, at=bench.at))
    use(bench, **asked)
    freeze = FreezePack(material="V-1", pack="1")
    again = refusal(freeze_pack, bench.material("V-1"), freeze, at=bench.at)
    assert again.code == "thaws-spent"
    bench.later(hours=5)
    assert "use after thaw ended" in refusal(use, bench, **asked).problem.found


def test_a_split_vial_keeps_its_count_of_thaws(bench):
    vector(bench)
    bench.keep(thaw_pack(bench.material("V-1"), ThawPack(material="V-1", pack="1"), at=bench.at))
    asked = SplitMaterial(material="V-1", into="V-2", amount=q("20 uL"), pack="1")

    bench.keep(split_material(bench.material("V-2"), bench.material("V-1"), asked, at=bench.at))

    child = bench.material("V-2")
    assert child.packs["1"].thaws == 1
    assert child.expiry == bench.at + timedelta(hours=4)
    assert child.titre == bench.material("V-1").titre


def test_a_vector_with_rcl_detected_goes_back_into_quarantine(bench):
    vector(bench)

    bench.keep(
        certify_material(bench.material("V-1"), CertifyMaterial(material="V-1", rcl=Rcl.DETECTED))
    )

    lot = bench.material("V-1")
    assert lot.status is MaterialStatus.QUARANTINED
    assert len(lot.against_use(material_class="vector", at=bench.at)) == 2


def test_what_is_kept_for_one_lot_is_not_there_for_another(bench):
    released(bench)
    bench.keep(
        reserve_material(
            bench.material("M-1"),
            ReserveMaterial(material="M-1", lot="L-1", amount=q("450 mL")),
            at=bench.at,
        )
    )

    assert refusal(use, bench, lot="L-2", amount="51 mL").code == "material-unusable"
    use(bench, lot="L-1", amount="440 mL")
    use(bench, lot="L-2", amount="50 mL")
    assert bench.material("M-1").reserved == {"lot/L-1": Decimal(10)}


@pytest.mark.req("U21")
def test_a_late_entry_is_judged_by_the_stock_of_then_and_flagged(bench):
    received(bench)
    then = bench.at + timedelta(hours=1)
    bench.later(hours=2)
    bench.keep(
        inspect_material(
            bench.material("M-1"), InspectMaterial(material="M-1", checks={"seal": "ok"})
        )
    )
    asked = ReleaseMaterial(material="M-1", signature=signed())
    bench.keep(
        release_material(bench.material("M-1"), asked, supplier=supplier(bench), at=bench.at)
    )
    after = bench.at
    bench.later(hours=2)
    stop = QuarantineMaterial(material="M-1", reason="complaint")
    bench.keep(quarantine_material(bench.material("M-1"), stop))
    bench.later(hours=1)

    early = refusal(use, bench, happened=then, reason="terminal was down")
    assert early.problem.found == "quarantined"
    assert refusal(use, bench, happened=after).code == "late-entry-unexplained"
    (*_, fact) = use(bench, happened=after, reason="terminal was down")
    assert fact.fact.is_late
    assert "entered late" in sentence(fact)
    assert check(bench.facts) == []


def test_nobody_uses_material_in_the_future(bench):
    released(bench)

    assert refusal(use, bench, happened=bench.at + timedelta(hours=1)).code == "material-amount"


def test_a_wrong_entry_is_put_right_by_a_fact_that_names_it(bench):
    released(bench)
    (*_, wrong) = use(bench, amount="50 mL")
    asked = CorrectUse(material="M-1", of=wrong.number, amount=q("5 mL"), reason="typing error")

    (fact,) = bench.keep(correct_use(bench.material("M-1"), asked))

    assert bench.material("M-1").book == q("495 mL")
    assert "from 50 to 5" in sentence(fact)
    assert "typing error" in sentence(fact)
    assert bench.rows("stock").get("M-1")["left"] == "495"


def test_a_count_outside_the_tolerance_needs_its_reason(bench):
    released(bench)
    use(bench, amount="100 mL")
    near = ReconcileMaterial(material="M-1", pack="1", counted=q("391 mL"))
    far = ReconcileMaterial(material="M-1", pack="1", counted=q("380 mL"))

    assert (
        refusal(reconcile_material, bench.material("M-1"), far).code == "reconciliation-unexplained"
    )
    (fact,) = bench.keep(reconcile_material(bench.material("M-1"), near))
    assert fact.fact.is_within
    assert bench.material("M-1").balance.is_even


def test_an_amount_that_does_not_convert_exactly_is_refused(bench):
    released(bench)

    assert refusal(use, bench, amount="1 [gal_us]").code in {"unit-unknown", "quantity-inexact"}
    assert refusal(use, bench, amount="1 g").code == "unit-mismatch"
    assert refusal(use, bench, amount="0.0000000000001 mL").code == "quantity-inexact"


def test_another_unit_is_converted_and_what_was_stated_stands_beside(bench):
    released(bench)

    (*_, fact) = use(bench, amount="2500 uL")

    assert fact.fact.amount == Decimal("2.5")
    assert fact.fact.stated == q("2500 uL")


def test_a_preparation_consumes_its_ingredients_and_starts_in_quarantine(bench):
    released(bench)
    released(bench, "M-2")
    asked = PrepareMaterial(
        material="P-1",
        material_class="medium",
        name="complete medium",
        recipe="recipe:COMPLETE@2",
        ingredients=(
            Ingredient(material="M-1", amount=q("100 mL"), material_class="medium"),
            Ingredient(material="M-2", amount=q("20 mL"), material_class="medium"),
        ),
        amount=q("118 mL"),
        expires=bench.at + timedelta(days=7),
    )
    sources = {name: bench.material(name) for name in ("M-1", "M-2")}

    bench.keep(
        prepare_material(bench.material("P-1"), asked, terms=MEDIUM, sources=sources, at=bench.at)
    )

    assert bench.material("P-1").status is MaterialStatus.QUARANTINED
    assert bench.material("M-1").book == q("400 mL")
    assert [one.subject for one in bench.material("M-1").uses.values()] == ["material/P-1"]
    assert check(bench.facts) == []


def test_a_preparation_never_outlives_its_ingredients(bench):
    released(bench, days=3)
    asked = PrepareMaterial(
        material="P-1",
        material_class="medium",
        name="complete medium",
        recipe="recipe:COMPLETE@2",
        ingredients=(Ingredient(material="M-1", amount=q("1 mL"), material_class="medium"),),
        amount=q("1 mL"),
        expires=bench.at + timedelta(days=7),
    )

    refused = refusal(
        prepare_material,
        bench.material("P-1"),
        asked,
        terms=MEDIUM,
        sources={"M-1": bench.material("M-1")},
        at=bench.at,
    )

    assert "as its ingredients" in refused.problem.limit


def test_a_pool_expires_with_its_shortest_lived_part(bench):
    released(bench, "M-1", days=10)
    released(bench, "M-2", days=5)
    parts = tuple(Ingredient(material=name, amount=q("100 mL")) for name in ("M-1", "M-2"))
    sources = {name: bench.material(name) for name in ("M-1", "M-2")}

    bench.keep(
        pool_materials(
            bench.material("M-3"),
            PoolMaterials(into="M-3", name="pool", parts=parts),
            sources=sources,
            at=bench.at,
        )
    )

    made = bench.material("M-3")
    assert made.book == q("200 mL")
    assert made.expiry == bench.at + timedelta(days=5)
    assert made.status is MaterialStatus.QUARANTINED


def test_a_recall_reaches_what_was_split_off(bench):
    released(bench)
    asked = SplitMaterial(material="M-1", into="M-2", amount=q("50 mL"))
    bench.keep(split_material(bench.material("M-2"), bench.material("M-1"), asked, at=bench.at))
    call = RecallMaterial(material="M-1", notice="FSN-9", reason="endotoxin")

    bench.keep(recall_material(bench.material("M-1"), call, descendants=[bench.material("M-2")]))

    assert refusal(use, bench, "M-2").problem.found == "recalled"
    assert bench.rows("stock").get("M-2")["status"] == "recalled"


def test_a_touched_lot_cannot_be_voided(bench):
    released(bench)
    use(bench)
    asked = VoidMaterial(material="M-1", reason="double entry")

    assert refusal(void_material, bench.material("M-1"), asked).code == "material-status"


def test_a_later_expiry_needs_certificate_and_signature(bench):
    received(bench)
    later = bench.at + timedelta(days=60)
    asked = ChangeExpiry(material="M-1", expires=later, reason="retest")

    assert refusal(change_expiry, bench.material("M-1"), asked, at=AT).code == "material-expiry"
    signed_off = ChangeExpiry(
        material="M-1", expires=later, reason="retest", certificate="cd" * 32, signature=signed()
    )
    bench.keep(change_expiry(bench.material("M-1"), signed_off, at=bench.at))
    assert bench.material("M-1").expiry == later


@pytest.mark.req("U36")
def test_the_picking_list_shows_lot_expiry_and_status_first_expired_first_out(bench):
    released(bench, "M-1", days=30)
    released(bench, "M-2", days=10)
    received(bench, "M-3", days=5)
    use(bench, "M-1")  # opened: ends in 72 hours, before all others

    picks = picking_list(
        bench.rows("stock"),
        bench.rows("stock-pack"),
        material_class="medium",
        at=bench.at,
        subject="lot/L-1",
    )

    assert [(one.material, one.against) for one in picks] == [
        ("M-1", None),
        ("M-2", None),
        ("M-3", "quarantined"),
    ]
    assert picks[0].ends == bench.at + timedelta(hours=72)
    assert picks[0].supplier_lot == "SL-77"
    assert picks[2].status is MaterialStatus.QUARANTINED


def test_what_ends_soon_names_lots_and_opened_packs(bench):
    released(bench, "M-1", days=30)
    released(bench, "M-2", days=3)
    use(bench, "M-1")

    found = list(
        expiring(
            bench.rows("stock"), bench.rows("stock-pack"), at=bench.at, within=timedelta(days=7)
        )
    )

    assert [(lot, pack) for _, lot, pack in found] == [("M-1", "1"), ("M-2", None)]


def test_the_verifier_names_a_use_of_quarantined_material(bench):
    received(bench)
    lot = bench.material("M-1")
    asked = ConsumeMaterial(
        material="M-1", lot="L-1", step="wash", material_class="medium", amount=q("1 mL")
    )
    forged = consume_material(lot, asked, at=bench.at, authorised=0)
    said = forged[-1].fact
    bare = type(said)(subject=said.subject, step=said.step, pack=said.pack, amount=said.amount)
    bench.keep([Entry(Stream("material/M-1"), bare)])

    problems = check(bench.facts)

    assert [(one.code, one.found) for one in problems] == [("material-fact-unsound", "quarantined")]


def test_the_verifier_names_a_balance_below_zero(bench):
    released(bench)
    (*_, fact) = use(bench, amount="400 mL")
    bench.keep([Entry(Stream("material/M-1"), fact.fact)])

    assert "a balance of -300 mL" in {one.found for one in check(bench.facts)}


def test_a_class_with_an_unreadable_number_is_refused():
    content = {"unit": "mL", "keeping": {"thaws-most": "two"}}

    refused = refusal(read_terms, "medium", content, version=1, digest="")

    assert refused.code == "material-class-unreadable"
    assert refused.problem.path == "thaws-most"


def test_the_demands_of_a_vector_class_are_read_from_its_definition():
    content = {
        "unit": "uL",
        "category": "vector",
        "titre-unit": "TU/mL",
        "gmo-class": 2,
        "keeping": {"after-thaw": "240 min", "thaws-most": 1},
        "needs": ["certificate-of-analysis"],
    }

    terms = read_terms("vector", content, version=3, digest="ab")

    assert (terms.needs_titre, terms.needs_rcl, terms.is_frozen) == (True, True, True)
    assert (terms.hours_after_thaw, terms.thaws_max, terms.gmo_class) == (4, 1, 2)
    assert terms.needs_certificate
    assert terms.inspections == ("certificate-of-analysis",)


@pytest.mark.req("U13")
def test_material_of_one_patient_is_received_only_with_whom_it_is_for(bench):
    terms = replace(MEDIUM, has_identity=True)

    assert refusal(received, bench, terms=terms).code == "identity-missing"
    received(bench, terms=terms, dedicated_to="lot/L-1")


amounts = st.decimals(min_value=-5, max_value=300, places=3)


class MaterialMachine(RuleBasedStateMachine):
    """Whatever is asked in whatever order, what came in is accounted for to the last digit."""

    @initialize()
    def begin(self):
        self.bench = Bench(StockView(), PackView())
        self.children = 0
        packs = (("1", "250.5 mL", "A1"), ("2", "249.5 mL", "A2"))
        released(self.bench, packs=packs)

    def attempt(self, decide, *arguments, **more):
        try:
            self.bench.keep(decide(*arguments, **more))
        except Refused:
            return False
        return True

    @property
    def lot(self):
        return self.bench.material("M-1")

    @rule(amount=amounts, pack=st.sampled_from("12"), lot=st.sampled_from(["L-1", "L-2"]))
    def consume_material(self, amount, pack, lot):
        asked = ConsumeMaterial(
            material="M-1",
            lot=lot,
            step="wash",
            material_class="medium",
            amount=Quantity(amount, "mL"),
            pack=pack,
        )
        self.attempt(consume_material, self.lot, asked, at=self.bench.at)

    @rule(amount=amounts, pack=st.sampled_from("12"))
    def destroy_material(self, amount, pack):
        asked = DestroyMaterial(
            material="M-1", pack=pack, amount=Quantity(amount, "mL"), reason="spilt"
        )
        self.attempt(destroy_material, self.lot, asked)

    @rule(amount=amounts, pack=st.sampled_from("12"))
    def count(self, amount, pack):
        asked = ReconcileMaterial(
            material="M-1", pack=pack, counted=Quantity(amount, "mL"), reason="yearly count"
        )
        self.attempt(reconcile_material, self.lot, asked)

    @rule(amount=amounts, lot=st.sampled_from(["L-1", "L-2"]))
    def reserve_material(self, amount, lot):
        asked = ReserveMaterial(material="M-1", lot=lot, amount=Quantity(amount, "mL"))
        self.attempt(reserve_material, self.lot, asked, at=self.bench.at)

    @rule(amount=amounts, pack=st.sampled_from("12"))
    def split_material(self, amount, pack):
        self.children += 1
        name = f"C-{self.children}"
        asked = SplitMaterial(material="M-1", into=name, amount=Quantity(amount, "mL"), pack=pack)
        made = self.attempt(
            split_material, self.bench.material(name), self.lot, asked, at=self.bench.at
        )
        if made:
            assert self.bench.material(name).book.value == amount

    @rule(amount=amounts, which=st.integers(0, 5))
    def correct(self, amount, which):
        uses = list(self.lot.uses)
        if uses:
            asked = CorrectUse(
                material="M-1",
                of=uses[which % len(uses)],
                amount=Quantity(amount, "mL"),
                reason="misread",
            )
            self.attempt(correct_use, self.lot, asked)

    @rule(hours=st.integers(1, 40))
    def wait(self, hours):
        self.bench.later(hours=hours)

    @invariant()
    def all_is_accounted_for(self):
        lot: MaterialLot = self.lot
        assert lot.balance.is_even
        assert lot.balance.left == sum(pack.left for pack in lot.packs.values()) >= 0
        assert lot.balance.used == sum(one.amount for one in lot.uses.values())
        assert all(pack.left >= 0 for pack in lot.packs.values())

    @invariant()
    def rows_say_the_same_as_the_state(self):
        assert Decimal(self.bench.rows("stock").get("M-1")["left"]) == self.lot.balance.left
        for name, pack in self.lot.packs.items():
            assert Decimal(self.bench.rows("stock-pack").get(f"M-1|{name}")["left"]) == pack.left

    def teardown(self):
        assert check(self.bench.facts) == []


TestMaterialMachine = MaterialMachine.TestCase
TestMaterialMachine.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.req("U18")
def test_what_came_in_equals_what_went_out_and_is_left(bench):
    released(bench)
    use(bench, amount="12.345 mL")
    use(bench, amount="0.055 mL", lot="L-2")
    bench.keep(
        destroy_material(
            bench.material("M-1"),
            DestroyMaterial(material="M-1", pack="1", amount=q("7.6 mL"), reason="spilt"),
        )
    )

    balance = bench.material("M-1").balance

    assert (balance.received, balance.used, balance.destroyed, balance.left) == (
        Decimal(500),
        Decimal("12.400"),
        Decimal("7.6"),
        Decimal("480.000"),
    )
