"""Label sets of a lot's steps: as many as containers, once, and no review while one is open."""

import pytest

from anlage.base import Refused
from anlage.plant import (
    ReviewBatch,
    before_release,
    labels_due,
    labels_unaccounted,
    print_lot_labels,
    reconcile_lot_labels,
    review_batch,
)
from tests.builders_plant import ANNA, Bench, a_lot, label, run_through, signed, small_recipe

SETS = (
    ("  tests: [viability", "  labels: [cryovial]\n  tests: [viability"),
    ("                  exclusive: false\n",
     "                  exclusive: false\n"
     "                  labels: [{label: cryovial, for: samples, spare: 1}]\n"),
)  # fmt: skip
WANTED = {"step": "take", "label": "cryovial", "part": "samples"}


@pytest.fixture
def bench():
    """A lot that was made by people who printed no labels."""
    bench = Bench(labels=False)
    a_lot(bench, small_recipe(*SETS))
    run_through(bench)
    return bench


def codes(bench):
    return [one.code for one in before_release(bench.lot(), bench.at)]


def test_a_step_says_which_set_it_asks_for_and_how_many():
    bench = Bench()
    a_lot(bench, small_recipe(*SETS))

    (due,) = labels_due(bench.lot(), "take")

    assert (due.count, due.label_set, due.numbers) == (2, "", ("L-1-S01", "L-1-S02"))
    assert labels_due(bench.lot(), "scan") == ()
    assert list(labels_unaccounted(bench.lot())) == []


def test_no_review_and_no_release_while_a_set_is_not_printed_or_not_accounted_for(bench):
    assert "labels-unaccounted" in codes(bench)
    assert review(bench) == "labels-unaccounted"
    bench.take(print_lot_labels(bench.lot(), label_set="LS-1", count=3, **WANTED), ANNA)
    assert "labels-unaccounted" in codes(bench)
    assert review(bench) == "labels-unaccounted"

    done = reconcile_lot_labels(bench.lot(), label_set="LS-1", applied=2, destroyed=1)
    bench.take(done, ANNA)

    assert "labels-unaccounted" not in codes(bench)
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


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_and_too_many_labels_are_refused(bench, count):
    with pytest.raises(Refused) as refusal:
        print_lot_labels(bench.lot(), label_set="LS-1", count=count, **WANTED)
    assert refusal.value.code == "labels-count-mismatch"
    assert "2 to 3" in str(refusal.value)


def test_a_set_is_printed_once_and_only_where_the_recipe_asks(bench):
    bench.take(print_lot_labels(bench.lot(), label_set="LS-1", count=2, **WANTED), ANNA)
    with pytest.raises(Refused) as refusal:
        print_lot_labels(bench.lot(), label_set="LS-2", count=2, **WANTED)
    assert refusal.value.code == "labels-printed-before"
    with pytest.raises(Refused) as refusal:
        print_lot_labels(bench.lot(), label_set="LS-2", count=2, **WANTED | {"part": "product"})
    assert refusal.value.code == "labels-not-asked-for"


def test_a_difference_between_applied_labels_and_containers_is_named(bench):
    bench.take(print_lot_labels(bench.lot(), label_set="LS-1", count=3, **WANTED), ANNA)

    with pytest.raises(Refused) as refusal:
        reconcile_lot_labels(bench.lot(), label_set="LS-1", applied=1, destroyed=2)

    assert refusal.value.code == "labels-count-mismatch"
    assert "1 applied, +1 to go" in str(refusal.value)


def test_a_set_of_no_step_leaves_the_lot_alone(bench):
    assert reconcile_lot_labels(bench.lot(), label_set="LS-9", applied=1, destroyed=0) == []


def test_people_who_print_and_account_leave_nothing_open():
    bench = Bench()
    a_lot(bench, small_recipe(*SETS))
    run_through(bench)

    assert list(labels_unaccounted(bench.lot())) == []
    with pytest.raises(Refused):
        label(bench, "take")
