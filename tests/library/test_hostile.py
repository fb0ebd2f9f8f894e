"""Every kind of definition, with a hostile value in any place: a problem with a remedy, always."""

import copy
import random

import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Quantity, Refused
from anlage.library import Calculation, check_content, media_labels, starter, starters

HOSTILE = [
    None,
    True,
    False,
    0,
    -1,
    10**15,
    "",
    " ",
    "NaN",
    "1e99",
    "-1e99 mL",
    "1e99999",
    "9" * 39,
    "9" * 5000,
    "x" * 25_000,
    "\x00",
    "\u202e",
    "\ud800",
    "é" * 70,
    "'; DROP TABLE person; --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "1/0",
    "a.__class__",
    "mL**999",
    "mL/(mL-mL)",
    "cell cell",
    "10*99999",
    "2026-02-30",
    [],
    {},
    [[[[]]]],
    [None],
    [{}],
    {"a": {"b": []}},
    [1, "a", None, {}],
    {"kind": "product"},
]


def places(value, path=()):
    """Give the path of every value in a content, containers too."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def with_value(content, path, value):
    changed = copy.deepcopy(content)
    spot = changed
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    return changed


KINDS = sorted({one.kind for one in starters()})


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_value_anywhere_is_a_problem_or_harmless(kind):
    chance = random.Random(kind)
    ones = [one for one in starters() if one.kind == kind]
    for _ in range(120):
        one = chance.choice(ones)
        path = chance.choice([place for place in places(one.content) if place])
        content = with_value(one.content, path, chance.choice(HOSTILE))

        try:
            check_content(content)
        except Refused as refusal:
            assert all(problem.remedy for problem in refusal.problems), (one.id, path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_taken_away_is_a_problem_or_was_optional(kind):
    for one in [one for one in starters() if one.kind == kind][:3]:
        for key in one.content:
            content = {name: value for name, value in one.content.items() if name != key}
            try:
                check_content(content)
            except Refused as refusal:
                assert all(problem.remedy for problem in refusal.problems)
            else:
                assert key not in {"kind", "id", "title", "basis"}


UNITS = st.sampled_from(["mL", "L", "uL"])
NUMBERS = st.decimals("0.01", "1e6", places=2)


@settings(max_examples=50, deadline=None)
@given(NUMBERS, UNITS, NUMBERS, UNITS, st.integers(1, 300))
def test_a_calculation_agrees_with_pint(volume, volume_unit, rate, rate_unit, weight):
    registry = pint.application_registry
    limit = starter("calculation", "endotoxin-limit").defined
    assert isinstance(limit, Calculation)
    rate_text, weight_text = f"{rate} {rate_unit}/h", f"{weight} kg"
    theirs = (
        5
        / registry.Quantity(1, "kg*h")
        * registry.Quantity(weight, "kg")
        / registry.Quantity(float(rate), f"{rate_unit}/h")
    ).to("1/mL")

    try:
        ours = limit.trace(
            {"rate": Quantity.parse(rate_text), "weight": Quantity.parse(weight_text)}
        ).unrounded
    except Refused as refusal:
        assert refusal.code == "calculation-implausible"
    else:
        assert float(ours.value) == pytest.approx(theirs.magnitude, rel=1e-12)
    exact = Quantity(volume, volume_unit).to("mL")
    assert float(exact.value) == pytest.approx(
        registry.Quantity(float(volume), volume_unit).to("mL").magnitude, rel=1e-12
    )


def test_a_medium_of_a_thousand_ingredients_is_classified_at_once():
    content = copy.deepcopy(starter("material-class", "ipsc-medium").content)
    first = content["composition"][0]
    content["composition"] = [{**first, "name": f"n{number}"} for number in range(1000)]
    content.pop("claims")

    verdicts = media_labels().classify(check_content(content).defined.composition)

    assert {one.word.value for one in verdicts} == {"yes"}
