"""Methods as definitions: what they measure, what they may be used for, what proves it."""

from datetime import UTC, datetime

import pytest

from anlage.base import Refused
from anlage.library import Method, MethodPurpose, Stage, purpose_at, starters

AT = datetime(2026, 3, 3, 7, tzinfo=UTC)
PLAIN = {
    "kind": "method",
    "id": "m",
    "title": "A method",
    "basis": "own",
    "measures": [{"attribute": "viability", "unit": "%"}],
    "purposes": ["development", "control"],
}


def read(**more):
    return Method.read({**PLAIN, **more})


@pytest.mark.parametrize(
    "validation",
    [None, {"state": "in-validation", "report": "VR-1"}, {"state": "validated"}],
    ids=["none", "under way", "without report"],
)
def test_no_method_is_qualified_for_control_without_a_validation_that_stands(validation):
    with pytest.raises(Refused) as caught:
        read(**{"qualified-for": ["control"]}, **({"validation": validation} if validation else {}))

    assert "qualified-for" in caught.value.problem.path


def test_a_validated_method_controls_and_an_unvalidated_one_develops():
    proven = read(
        **{"qualified-for": ["control"]}, validation={"state": "validated", "report": "VR-1"}
    )

    assert proven.may_judge("viability", Stage.RELEASE)
    assert not read().may_judge("viability", Stage.RELEASE)
    assert read().may_judge("viability", Stage.INFORMATION)
    assert not proven.may_judge("dose", Stage.RELEASE)


def test_nothing_is_qualified_beyond_its_purpose():
    with pytest.raises(Refused):
        read(purposes=["development"], **{"qualified-for": ["understanding"]})


def test_only_information_asks_for_less_than_control():
    asked = {stage: purpose_at(stage) for stage in Stage}

    assert asked.pop(Stage.INFORMATION) is MethodPurpose.DEVELOPMENT
    assert set(asked.values()) == {MethodPurpose.CONTROL}


def test_every_release_attribute_of_a_starter_has_a_method_that_may_give_it():
    methods = [Method.read(one.content) for one in starters() if one.kind == "method"]
    missing = [
        (one.id, criterion.attribute)
        for one in starters()
        if one.kind == "specification" and one.id.endswith("-release")
        for criterion in one.defined.criteria
        if not any(method.may_judge(criterion.attribute, criterion.stage) for method in methods)
    ]

    assert missing == []


def test_label_free_activation_is_a_development_method():
    method = next(
        Method.read(one.content) for one in starters() if one.id == "label-free-activation"
    )

    assert not method.may_serve(MethodPurpose.CONTROL)
