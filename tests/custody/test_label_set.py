"""Label sets are accounted for to the last copy."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.custody import (
    LabelSet,
    LabelsPrinted,
    print_labels,
    reconcile_labels,
    reprint_label,
)

PRINTED = LabelsPrinted(lot="L", step="fill", layout="tube", numbers=("1", "2", "3"), by="anna")
OPEN = LabelSet(id="S").with_fact(PRINTED)


def close(labels, applied, destroyed=(), second="ben"):
    return reconcile_labels(labels, applied=applied, destroyed=destroyed, by="anna", second=second)


def test_a_set_is_closed_when_every_copy_is_accounted_for():
    (again,) = reprint_label(OPEN, "2", reason="smudged", by="anna")
    labels = OPEN.with_fact(again.fact)

    (closed,) = close(labels, ("1", "2"), ("2", "3"))

    assert labels.with_fact(closed.fact).is_closed


@pytest.mark.parametrize(
    ("applied", "destroyed", "second", "code"),
    [
        (("1", "2"), (), "ben", "labels-not-reconciled"),
        (("1", "2", "3", "4"), (), "ben", "labels-not-reconciled"),
        (("1", "1", "2"), (), "ben", "label-applied-twice"),
        (("1", "2", "3"), (), "anna", "second-person-missing"),
    ],
)
def test_a_set_that_does_not_add_up_stays_open(applied, destroyed, second, code):
    with pytest.raises(Refused) as refusal:
        close(OPEN, applied, destroyed, second)
    assert refusal.value.code == code


@pytest.mark.parametrize(("number", "reason"), [("9", "smudged"), ("1", " ")])
def test_a_reprint_needs_a_label_of_the_set_and_a_reason(number, reason):
    with pytest.raises(Refused):
        reprint_label(OPEN, number, reason=reason, by="anna")


def test_a_set_is_printed_once_with_each_number_once():
    with pytest.raises(Refused):
        print_labels(OPEN, PRINTED)
    with pytest.raises(Refused):
        twice = LabelsPrinted(lot="L", step="s", layout="l", numbers=("1", "1"), by="anna")
        print_labels(LabelSet(id="T"), twice)


@settings(deadline=None)
@given(st.lists(st.sampled_from("1234"), max_size=5), st.lists(st.sampled_from("1234"), max_size=5))
def test_only_the_very_copies_close_a_set(applied, destroyed):
    fits = (
        Counter(applied) + Counter(destroyed) == OPEN.copies
        and max(Counter(applied).values(), default=0) < 2
    )

    try:
        close(OPEN, applied, destroyed)
    except Refused:
        assert not fits
    else:
        assert fits
