"""The one evaluator: rounding, bounds, words, and nothing passes by being absent."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Quantity, Refused
from anlage.library import (
    Criterion,
    Kind,
    Outcome,
    Result,
    Rounding,
    Specification,
    Stage,
    as_reported,
    evaluate,
    overall,
)


def a_criterion(**changes):
    return Criterion(**{"attribute": "viability", "unit": "%", "lower": Decimal(70), **changes})


def judged(criterion, text, **limits):
    return evaluate(criterion, Result.parse(text, **limits)).outcome.value


# The four cases of rounding against a limit that USP General Notices 7.20 tabulates, restated:
# a limit "not less than 98.0 %" compared to one decimal, "not more than 0.02 %" to two, ...
@pytest.mark.parametrize(
    ("limits", "observed", "outcome"),
    [
        ({"lower": Decimal("98.0")}, "97.96 %", "pass"),
        ({"lower": Decimal("98.0")}, "97.92 %", "fail"),
        ({"lower": Decimal("98.0")}, "97.95 %", "pass"),
        ({"lower": None, "upper": Decimal("101.5")}, "101.55 %", "fail"),
        ({"lower": None, "upper": Decimal("101.5")}, "101.46 %", "pass"),
        ({"lower": None, "upper": Decimal("101.5")}, "101.45 %", "pass"),
        ({"lower": None, "upper": Decimal("0.02")}, "0.025 %", "fail"),
        ({"lower": None, "upper": Decimal("0.02")}, "0.015 %", "pass"),
        ({"lower": None, "upper": Decimal("0.02")}, "0.027 %", "fail"),
        ({"lower": None, "upper": Decimal("3")}, "3.5 %", "fail"),
        ({"lower": None, "upper": Decimal("3")}, "3.4 %", "pass"),
        ({"lower": None, "upper": Decimal("3")}, "2.5 %", "pass"),
    ],
)
def test_a_result_is_rounded_to_the_decimals_of_its_limit(limits, observed, outcome):
    assert judged(a_criterion(**limits), observed) == outcome


def test_half_even_would_have_failed_what_half_up_passes():
    half_up = a_criterion(lower=Decimal("71"))
    half_even = a_criterion(lower=Decimal("71"), rounding=Rounding.HALF_EVEN)
    unrounded = a_criterion(lower=Decimal("71"), rounding=Rounding.NONE)

    assert judged(half_up, "70.5 %") == "pass"
    assert judged(half_even, "70.5 %") == "fail"
    assert judged(unrounded, "70.9999 %") == "fail"


def test_only_the_first_digit_dropped_is_looked_at():
    assert judged(a_criterion(), "69.49999 %") == "fail"


@given(st.decimals("-1e6", "1e6", allow_nan=False, places=6), st.integers(0, 5))
def test_reported_values_are_those_of_decimal_rounding_half_up(value, decimals):
    criterion = a_criterion(unit="mL", lower=Decimal(0), decimals=decimals)
    expected = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)

    found = as_reported(criterion, Quantity(value, "mL")).value

    assert found == expected
    assert found.as_tuple().exponent == -decimals


def test_a_result_in_another_unit_is_converted_before_it_is_rounded():
    criterion = a_criterion(attribute="endotoxin", unit="[EU]/mL", lower=None, upper=Decimal("5.0"))

    verdict = evaluate(criterion, Result.parse("5049 [EU]/L"))

    assert verdict.outcome is Outcome.PASS
    assert verdict.compared == "5049 [EU]/L is 5.0 [EU]/mL when rounded; limit at most 5.0 [EU]/mL"


def test_a_result_of_another_kind_is_refused_not_judged():
    with pytest.raises(Refused) as refusal:
        judged(a_criterion(), "70 mL")

    assert refusal.value.code == "unit-mismatch"


@pytest.mark.parametrize(
    ("limits", "observed", "outcome"),
    [
        ({"upper": Decimal("0.5")}, "<0.5 [EU]/mL", "pass"),
        ({"upper": Decimal("0.5")}, "<500 [EU]/L", "pass"),
        ({"upper": Decimal("0.5")}, "<0.51 [EU]/mL", "inconclusive"),
        ({"upper": Decimal("0.5"), "upper_inclusive": False}, "<0.5 [EU]/mL", "pass"),
        ({"upper": Decimal("0.5")}, ">0.5 [EU]/mL", "fail"),
        ({"upper": Decimal("0.5")}, ">0.4 [EU]/mL", "inconclusive"),
        ({"lower": Decimal("0.5")}, "<0.5 [EU]/mL", "fail"),
        ({"lower": Decimal("0.5")}, "<0.6 [EU]/mL", "inconclusive"),
        ({"lower": Decimal("0.5")}, ">0.5 [EU]/mL", "pass"),
        ({"lower": Decimal("0"), "upper": Decimal("0.5")}, "<0.1 [EU]/mL", "pass"),
        ({"upper": Decimal("0.5"), "warning_upper": Decimal("0.2")}, "<0.3 [EU]/mL", "warning"),
        ({"upper": Decimal("0.5"), "warning_upper": Decimal("0.2")}, "<0.2 [EU]/mL", "pass"),
        ({"upper": Decimal("0.5")}, "<LOQ", "inconclusive"),
        ({"upper": Decimal("0.5")}, "clear", "inconclusive"),
    ],
)
@pytest.mark.req("U35")
def test_a_bound_is_a_range_and_never_zero(limits, observed, outcome):
    criterion = Criterion(attribute="endotoxin", unit="[EU]/mL", **limits)

    assert judged(criterion, observed) == outcome


@pytest.mark.req("U35")
def test_below_quantitation_is_judged_by_the_limit_of_the_method_in_its_own_unit():
    criterion = Criterion(attribute="residual", unit="ng/mL", upper=Decimal("10"))
    loq = Quantity.parse("5000 pg/mL")

    assert judged(criterion, "<LOQ", quantitation=loq) == "pass"
    assert judged(criterion, "not detected", detection=Quantity.parse("2 ng/mL")) == "pass"
    assert judged(criterion, "ND", detection=Quantity.parse("20 ng/mL")) == "inconclusive"


@pytest.mark.parametrize(
    ("observed", "outcome"),
    [("72 %", "warning"), ("75 %", "pass"), ("74.5 %", "pass"), ("69.4 %", "fail")],
)
def test_a_warning_lies_between_the_limits(observed, outcome):
    assert judged(a_criterion(warning_lower=Decimal(75)), observed) == outcome


@pytest.mark.parametrize(
    ("observed", "outcome"),
    [
        ("no growth", "pass"),
        ("  No   Growth", "pass"),
        ("growth", "fail"),
        ("unreadable", "inconclusive"),
    ],
)
def test_a_word_that_is_in_no_list_is_for_a_person_to_judge(observed, outcome):
    sterility = Criterion(
        attribute="sterility",
        kind=Kind.QUALITATIVE,
        accepted=("no growth",),
        refused=("growth",),
    )

    assert judged(sterility, observed) == outcome


@pytest.mark.parametrize(
    "changes",
    [
        {"lower": None},
        {"upper": Decimal(60)},
        {"warning_lower": Decimal(60)},
        {"upper": Decimal(70), "upper_inclusive": False},
        {"lower": Decimal("70.25"), "decimals": 1},
        {"accepted": ("clear",)},
        {"kind": Kind.QUALITATIVE},
    ],
)
def test_a_criterion_that_judges_nothing_rightly_cannot_be_built(changes):
    with pytest.raises(Refused) as refusal:
        a_criterion(**changes)

    assert refusal.value.code == "criterion-malformed"


CONTENT = {
    "kind": "specification",
    "id": "car-t",
    "title": "Release",
    "basis": "illustrative",
    "criteria": [
        {"attribute": "viability", "unit": "%", "lower": 70},
        {"attribute": "vcn", "unit": "copy/cell", "upper": "5.0", "upper-inclusive": False},
        {
            "attribute": "sterility",
            "kind": "qualitative",
            "accepted": ["no growth"],
            "stage": "after-release",
        },
    ],
}


def test_a_missing_result_is_inconclusive_and_so_is_the_whole():
    specification = Specification.read(CONTENT)

    verdicts = specification.judge({"viability": Result.parse("88.2 %")})

    assert {name: one.outcome.value for name, one in verdicts.items()} == {
        "viability": "pass",
        "vcn": "inconclusive",
    }
    assert overall(verdicts) is Outcome.INCONCLUSIVE
    assert overall({}) is Outcome.INCONCLUSIVE


@pytest.mark.req("U28")
def test_a_test_read_after_release_does_not_stand_before_release():
    specification = Specification.read(CONTENT)
    results = {"viability": Result.parse("88 %"), "vcn": Result.parse("1.2 copy/cell")}

    assert overall(specification.judge(results)) is Outcome.PASS
    assert list(specification.judge(results, stage=Stage.AFTER_RELEASE)) == ["sterility"]


def test_a_result_for_an_unknown_attribute_is_refused():
    with pytest.raises(Refused) as refusal:
        Specification.read(CONTENT).judge({"viabilty": Result.parse("88 %")})

    assert refusal.value.code == "attribute-unknown"


def test_every_problem_of_a_specification_is_named_with_its_place():
    content = {
        **CONTENT,
        "criteria": [
            {"attribute": "viability", "unit": "percentt", "lowr": 70, "lower": 1},
            {"attribute": "viability", "unit": "%", "lower": "seventy"},
            {"attribute": "b", "lower": True},
            "c",
        ],
    }

    with pytest.raises(Refused) as refusal:
        Specification.read(content)

    found = {problem.path: problem for problem in refusal.value.problems}
    assert {"criteria[0].unit", "criteria[0].lowr", "criteria[1].attribute"} <= found.keys()
    assert {"criteria[1].lower", "criteria[2].lower", "criteria[3]"} <= found.keys()
    assert "lower" in found["criteria[0].lowr"].remedy
    assert all(problem.remedy for problem in found.values())


@given(st.text(max_size=30))
def test_any_text_is_a_result_or_refused(text):
    try:
        verdict = evaluate(a_criterion(unit="1"), Result.parse(text))
    except Refused as refusal:
        assert refusal.problem.remedy
    else:
        assert (verdict.outcome is Outcome.PASS) is (not verdict.reasons)
