"""The collection specification: what a label says by case, and what a partial collection explains."""

import pytest

from anlage.base import Quantity, Refused
from anlage.library import Donor, InfectiousStatus, check_document, starter

GOOD = {"blood-processed": "11 L", "duration": "200", "anticoagulant-volume": "800 mL"}


@pytest.fixture
def spec():
    return starter("collection", "leukapheresis").defined


def faults(spec, **changes):
    values = {
        "volume": Quantity.parse("220 mL"), "data": GOOD, "kit": "continuous-set",
        "anticoagulant": "ACD-A",
    }  # fmt: skip
    return [(one.code, one.what) for one in spec.faults(**values | changes)]


@pytest.mark.parametrize(
    ("donor", "status", "words"),
    [
        (Donor.AUTOLOGOUS, InfectiousStatus.NON_REACTIVE, ["AUTOLOGOUS USE"]),
        (Donor.AUTOLOGOUS, InfectiousStatus.NOT_TESTED, ["AUTOLOGOUS USE", "NOT EVALUATED"]),
        (Donor.AUTOLOGOUS, InfectiousStatus.REACTIVE, ["AUTOLOGOUS USE", "BIOHAZARD"]),
        (Donor.ELIGIBLE, InfectiousStatus.NON_REACTIVE, []),
        (Donor.INELIGIBLE, InfectiousStatus.NON_REACTIVE, ["communicable disease"]),
    ],
)
def test_the_label_says_what_follows_from_donor_and_infections(spec, donor, status, words):
    says = spec.says(donor, status)

    assert len(says) == len(words)
    assert all(any(word in one for one in says) for word in words)


def test_a_collection_as_specified_has_no_fault(spec):
    assert faults(spec) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"volume": Quantity.parse("60 mL")}, "volume"),
        ({"kit": "another"}, "kit"),
        ({"anticoagulant": ""}, "anticoagulant"),
        ({"data": GOOD | {"blood-processed": "3 L"}}, "Blood processed"),
        ({"data": GOOD | {"duration": "10 h"}}, "Duration"),
    ],
)
def test_what_is_not_as_specified_is_named(spec, changes, what):
    assert faults(spec, **changes) == [("collection-outside-specification", what)]


def test_a_value_that_was_not_read_is_asked_for(spec):
    with pytest.raises(Refused) as refusal:
        faults(spec, data={})
    assert refusal.value.code == "collection-incomplete"
    with pytest.raises(Refused):
        faults(spec, data=GOOD | {"duration": "3 L"})


def test_a_specification_without_statements_is_no_specification():
    with pytest.raises(Refused):
        check_document("kind: collection\nid: x\ntitle: X\nmaterial: blood\nkits: [a]\n")
