"""Label sets of a lot's steps: printed before the step is done, as many as containers, and no review
while one is open.
"""

import pytest

from anlage.base import Refused
from anlage.library import read_yaml
from anlage.plant import (
    FillDoses,
    FilledContainer,
    HoldLot,
    Recipe,
    ReviewBatch,
    before_release,
    check,
    check_recipe,
    fill_doses,
    hold_lot,
    labels_due,
    labels_unaccounted,
    new_vessels,
    print_lot_labels,
    reconcile_lot_labels,
    review_batch,
    tube_numbers,
)
from tests.builders_plant import (
    ANNA,
    EVA,
    Bench,
    a_lot,
    account,
    do_step,
    label,
    signed,
    small_recipe,
)

RECIPE = """
kind: recipe
id: labelled
title: Labelled
product: small
shape: allogeneic
uses:
  roles: [operator, verifier]
  labels: [cryovial, car-t-bag]
  tests: [viability]
procedure:
  - unit: one
    name: One
    operations:
      - operation: a
        name: A
        phases:
          - phase: thaw
            kind: instruction
            name: Thaw
            role: operator
            duration: 5 min
            containers:
              - {create: culture, vessel: flask}
            labels:
              - {label: cryovial, for: culture}
          - phase: take
            kind: sample
            name: Take samples
            role: operator
            duration: 5 min
            labels:
              - {label: cryovial, for: samples, spare: 1}
            samples:
              - {id: test, specimen: cells, amount: 1 mL, count: 2, tests: [viability], from: culture}
          - phase: fill
            kind: move
            name: Fill
            role: operator
            duration: 5 min
            identity: false
            labels:
              - {label: car-t-bag, for: product, count: fill.bags, spare: 1}
            containers:
              - {fill: culture, into: product, vessel: bag, count: fill.bags}
              - {discard: culture}
            parameters:
              - {id: bags, name: Bags filled, unit: bag, decimals: 0, hard: {lower: 1 bag, upper: 5 bag}}
"""
TUBES = {"step": "take", "label": "cryovial", "part": "samples"}
BAGS = {"step": "fill", "label": "car-t-bag", "part": "product"}
OPTIONAL = ("for: culture}", "for: culture, optional: true}")


def text(*changes):
    found = RECIPE
    for old, new in changes:
        assert old in found
        found = found.replace(old, new, 1)
    return found


def begun(*changes):
    """A lot of people who print nothing of themselves."""
    bench = Bench(labels=False)
    a_lot(bench, read_yaml(text(*changes)).content, required=())
    return bench


def refused(do, *args, **more):
    with pytest.raises(Refused) as refusal:
        do(*args, **more)
    return refusal.value


def put(bench, name, *numbers, says=None, **wanted):
    entries = print_lot_labels(bench.lot(), label_set=name, numbers=numbers, says=says, **wanted)
    return bench.take(entries, ANNA)


def count(bench, name, applied, destroyed=()):
    entries = reconcile_lot_labels(
        bench.lot(), label_set=name, applied=applied, destroyed=destroyed
    )
    return bench.take(entries, ANNA)


def do(bench, key, **more):
    return do_step(bench, key, witness=None, **more)


def fill(bench, *names):
    fills = tuple(FilledContainer(container=name, amount="1 mL") for name in names)
    asked = FillDoses(lot="L-1", fills=fills)
    entries = fill_doses(bench.lot(), asked, person=ANNA, at=bench.at, containers={})
    return bench.take(entries, ANNA)


def made(bench=None, bags="2 bag"):
    bench = bench or begun()
    for key in ("thaw", "take", "fill"):
        if key == "fill":
            put(bench, "LS-3", "L-1-B1", "L-1-B2", "L-1-B3", **BAGS)
        else:
            label(bench, key)
        do(bench, key, **({"readings": {"bags": bags}} if key == "fill" else {}))
    return bench


def open_sets(bench):
    found = before_release(bench.lot(), bench.at)
    return [one for one in found if one.code == "labels-unaccounted"]


# The recipe ------------------------------------------------------------------------------------


def test_a_recipe_that_labels_what_leaves_the_process_has_no_defect():
    assert check_recipe(read_yaml(RECIPE)).problems == ()


DEFECTS = [
    ("{label: cryovial, for: culture", "{label: cryo, for: culture", "reference-unknown"),
    ("for: culture}", "for: washed}", "label-part-unknown"),
    ("for: samples, spare: 1}", "for: culture}", "label-part-unknown"),
    ("for: samples, spare: 1}", "for: samples, count: 3}", "label-count-mismatch"),
    ("count: fill.bags, spare", "count: fill.bugs, spare", "reference-unknown"),
    ("{label: cryovial, for: samples, spare: 1}", "cryovial", "label-without-purpose"),
    ("            labels:\n              - {label: cryovial, for: samples, spare: 1}\n", "",
     "container-unlabelled"),
    ("            labels:\n              - {label: car-t-bag, for: product, count: fill.bags, spare: 1}\n",
     "", "container-unlabelled"),
    ("{label: cryovial, for: culture}",
     "{label: cryovial, for: culture}\n              - {label: cryovial, for: culture}",
     "label-set-doubled"),
    ("for: culture}", "for: culture, option: true}", "key-unknown"),
    ("for: culture}", "for: culture, optional: perhaps}", "value-malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "code"), DEFECTS)
def test_a_defect_of_a_label_set_is_named_with_its_line_and_remedy(good, bad, code):
    problems = check_recipe(read_yaml(text((good, bad)))).problems

    found = [one for one in problems if one.code == code]
    assert found, [str(one) for one in problems]
    assert found[0].remedy
    near = RECIPE[: RECIPE.index(good)].count("\n") + 1
    assert abs(found[0].line - near) <= 6


def test_a_recipe_that_only_names_its_labels_is_read_as_before_and_asks_for_none():
    """As frozen in lots that began before a recipe could say what its labels are for."""
    short = (
        ("{label: cryovial, for: culture}", "cryovial"),
        ("{label: cryovial, for: samples, spare: 1}", "cryovial"),
        ("{label: car-t-bag, for: product, count: fill.bags, spare: 1}", "car-t-bag"),
    )
    assert check_recipe(read_yaml(text(*short))).problems == ()
    bench = begun(*short)

    do(bench, "thaw")

    content = read_yaml(text(*short)).content
    assert Recipe.recall(content).phase("thaw").labels[0].label == "cryovial"
    assert labels_due(bench.lot(), "take") == ()


# The step --------------------------------------------------------------------------------------


def test_a_step_says_which_set_it_asks_for_and_how_many():
    bench = begun()

    (due,) = labels_due(bench.lot(), "take")

    assert (due.count, due.label_set, due.numbers) == (2, "", ("L-1-S01", "L-1-S02"))
    assert list(labels_unaccounted(bench.lot())) == []


def test_a_step_without_its_declared_labels_is_not_completed():
    bench = begun()
    before = len(bench.facts)

    problem = refused(do, bench, "thaw").problem

    assert problem.code == "labels-not-printed"
    assert problem.what == "step thaw of lot L-1"
    assert problem.found == "0 labels cryovial for culture"
    assert problem.limit.startswith("1")
    assert "print-labels" in problem.remedy
    assert "21 CFR 211.125" in problem.rule
    assert len(bench.facts) == before


def test_a_printed_set_lets_the_step_be_completed_and_numbers_its_containers():
    bench = begun()
    put(bench, "LS-1", "FLASK-7", step="thaw", label="cryovial", part="culture")

    do(bench, "thaw")
    assert bench.lot().vessels["culture"] == ("FLASK-7",)

    put(bench, "LS-2", "L-1-S01", "L-1-S02", "spare-1", **TUBES)
    do(bench, "take")
    assert list(bench.lot().samples) == ["L-1-S01", "L-1-S02"]


def test_an_optional_set_may_be_left_out_and_stands_in_nobodys_way():
    bench = begun(OPTIONAL)

    do(bench, "thaw")

    assert bench.lot().vessels["culture"] == ("L-1-C01",)
    assert open_sets(bench) == []
    assert list(labels_unaccounted(bench.lot())) == []


def test_a_number_on_a_label_is_given_to_nothing_else():
    bench = begun()
    label(bench, "take")  # before its turn: two tubes are named
    lot = bench.lot()

    assert tube_numbers(lot, lot.phase_of("take"), "take") == ("L-1-S01", "L-1-S02")
    assert lot.next_sample() == "L-1-S03"
    label(bench, "thaw")
    assert bench.lot().next_vessel() == "L-1-C02"
    assert new_vessels(bench.lot(), lot.phase_of("thaw"), {}) == {"culture": "L-1-C01"}
    assert refused(put, bench, "LS-9", "L-1-S01", **BAGS).code == "label-number-foreign"


def test_tubes_get_the_numbers_of_the_lot():
    refusal = refused(put, begun(), "LS-1", "a", "b", **TUBES)

    assert refusal.code == "label-number-foreign"
    assert refusal.problem.limit == "L-1-S01, L-1-S02"


def test_a_container_with_a_label_of_no_printed_set_is_a_wrong_identity():
    bench = begun()
    label(bench, "thaw")

    assert refused(do, bench, "thaw", containers={"culture": "L-1-C07"}).code == "identity-mismatch"


@pytest.mark.parametrize("says", [{"lot": "L-2"}, {"chain_of_identity": "CHA999926000009"}])
def test_a_label_names_the_lot_and_the_patient_of_the_record(says):
    bench = Bench(labels=False)
    exclusive = "                  exclusive: false\n"
    sets = f"{exclusive}                  labels: [{{label: cryovial, for: samples}}]\n"
    uses = ("  tests: [viability", "  labels: [cryovial]\n  tests: [viability")
    a_lot(bench, small_recipe(uses, (exclusive, sets)))

    refusal = refused(put, bench, "LS-1", "L-1-S01", "L-1-S02", says=says, **TUBES)

    assert refusal.code == "label-field-foreign"
    right = {"lot": "L-1", "chain_of_identity": bench.lot().coi}
    put(bench, "LS-1", "L-1-S01", "L-1-S02", says=right, **TUBES)


@pytest.mark.parametrize("numbers", [("L-1-S01",), ("L-1-S01", "L-1-S02", "x", "y")])
def test_too_few_and_too_many_labels_are_refused(numbers):
    refusal = refused(put, begun(), "LS-1", *numbers, **TUBES)

    assert refusal.code == "labels-count-mismatch"
    assert "2 to 3" in str(refusal)


def test_a_set_is_printed_once_and_only_where_the_recipe_asks():
    bench = begun()
    label(bench, "take")

    assert refused(put, bench, "LS-2", "L-1-S03", "L-1-S04", **TUBES).code == (
        "labels-printed-before"
    )
    assert refused(put, bench, "LS-2", "x", **TUBES | {"part": "product"}).code == (
        "labels-not-asked-for"
    )


def test_nothing_is_printed_for_a_lot_that_is_held():
    bench = begun()
    asked = HoldLot(lot="L-1", reason="asked")
    bench.take(hold_lot(bench.lot(), asked, person=EVA, at=bench.at), EVA)

    assert refused(put, bench, "LS-1", "L-1-S01", "L-1-S02", **TUBES).code == "lot-not-running"


def test_more_containers_than_labels_need_one_more_set():
    bench = begun()

    assert refused(made, bench, "4 bag").code == "labels-not-printed"

    put(bench, "LS-4", "OWN-4", **BAGS)
    do(bench, "fill", readings={"bags": "4 bag"})
    assert bench.lot().printed("fill", "product") == ("L-1-B1", "L-1-B2", "L-1-B3", "OWN-4")
    fill(bench, "L-1-B1", "L-1-B2", "L-1-B3", "OWN-4")
    count(bench, "LS-4", ("OWN-4",))
    count(bench, "LS-3", ("L-1-B1", "L-1-B2", "L-1-B3"))
    account(bench)
    assert open_sets(bench) == []


def test_a_filled_container_carries_a_label_that_was_printed():
    refusal = refused(fill, made(), "L-1-B1", "STRANGE-1")

    assert (refusal.code, refusal.problem.found) == ("label-not-printed", "STRANGE-1")


def test_a_set_spoilt_before_the_step_is_destroyed_whole_and_printed_anew():
    bench = begun()
    label(bench, "thaw")
    assert refused(count, bench, "LS-1", ("L-1-C01",)).code == "label-not-applied"
    count(bench, "LS-1", (), ("L-1-C01",))

    (due,) = labels_due(bench.lot(), "thaw")

    assert (due.is_closed_to_more, due.numbers) == (False, ("L-1-C02",))
    assert refused(do, bench, "thaw").code == "labels-not-printed"
    put(bench, "LS-2", *due.numbers, step="thaw", label="cryovial", part="culture")
    do(bench, "thaw")
    assert bench.lot().vessels["culture"] == ("L-1-C02",)


# Accounting ------------------------------------------------------------------------------------


def test_no_review_and_no_release_while_a_set_is_open():
    bench = made()
    fill(bench, "L-1-B1", "L-1-B2")
    assert [one.subject for one in open_sets(bench)] == ["LS-1", "LS-2", "LS-3"]
    assert {one.owner for one in open_sets(bench)} == {"operator"}
    assert review(bench) == "labels-unaccounted"

    count(bench, "LS-1", ("L-1-C01",))
    count(bench, "LS-2", ("L-1-S01", "L-1-S02"))
    assert review(bench) == "labels-unaccounted"
    count(bench, "LS-3", ("L-1-B1", "L-1-B2"), ("L-1-B3",))

    assert open_sets(bench) == []
    assert review(bench) != "labels-unaccounted"


def review(bench):
    """Give the code with which a review of the batch is refused; empty when it is not."""
    lot = bench.lot()
    signature = signed(ANNA, "reviewed", bench.at)
    request = ReviewBatch(
        lot="L-1", through=lot.version, is_full=True, comment="", signature=signature
    )
    try:
        review_batch(lot, request, person=ANNA, at=bench.at)
    except Refused as refusal:
        return refusal.code
    return ""


def test_what_is_counted_as_applied_is_what_the_containers_carry():
    bench = made()
    fill(bench, "L-1-B1", "L-1-B2")

    applied = refused(count, bench, "LS-3", ("L-1-B1", "L-1-B2", "L-1-B3"))
    destroyed = refused(count, bench, "LS-3", ("L-1-B1",), ("L-1-B2", "L-1-B3"))

    assert (applied.code, destroyed.code) == ("label-not-applied", "label-not-applied")
    assert "L-1-B3 applied to no container" in applied.problem.found
    assert "L-1-B2 not applied" in destroyed.problem.found


def test_a_difference_between_applied_labels_and_counted_containers_is_named():
    bench = made()

    refusal = refused(count, bench, "LS-3", ("L-1-B1",), ("L-1-B2", "L-1-B3"))

    assert refusal.code == "labels-count-mismatch"
    assert "1 applied, +1 to go" in str(refusal)


def test_a_destroyed_label_is_on_no_container():
    bench = made()
    count(bench, "LS-3", ("L-1-B1", "L-1-B2"), ("L-1-B3",))

    assert refused(fill, bench, "L-1-B1", "L-1-B3").code == "label-not-printed"


def test_a_set_of_no_step_leaves_the_lot_alone():
    assert reconcile_lot_labels(begun().lot(), label_set="LS-9", applied=["1"], destroyed=[]) == []


def test_an_outsider_finds_a_step_that_was_completed_without_its_labels():
    bench = begun()
    label(bench, "thaw")
    do(bench, "thaw")
    assert [one.code for one in check(bench.facts)] == []

    bare = begun(OPTIONAL)
    do(bare, "thaw")
    frozen = next(one for one in bench.facts if one.kind == "control-recipe-frozen")
    facts = [frozen if one.kind == "control-recipe-frozen" else one for one in bare.facts]

    assert "labels-not-printed" in [one.code for one in check(facts)]
