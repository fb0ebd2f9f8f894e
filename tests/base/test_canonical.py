"""Canonical JSON against the reference implementation of RFC 8785."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Refused, canonical, parse_canonical

KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=8)
SAFE = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | SAFE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_the_bytes_equal_those_of_the_reference_implementation(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_was_written_is_read_back(value):
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "value", [1.5, {"é": 1}, 2**53, float("nan"), {1: 2}, "\ud800", b"x", {1, 2}]
)
def test_a_value_that_the_record_cannot_hold_is_refused(value):
    with pytest.raises(Refused) as refusal:
        canonical([value])

    assert refusal.value.code == "not-canonical"


@pytest.mark.parametrize(
    "data", [b'{"b":1,"a":2}', b'{ "a":1}', b"[1,]", b"\xff", b'{"a":1,"a":1}']
)
def test_bytes_in_another_form_are_refused(data):
    with pytest.raises(Refused):
        parse_canonical(data)


def test_every_character_is_written_as_the_standard_library_writes_it():
    import json
    import sys

    plain = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    text = "".join(plain)

    assert canonical(text) == json.dumps(text, ensure_ascii=False).encode()


@pytest.mark.parametrize("code", [0xD800, 0xDFFF])
def test_half_a_character_is_refused(code):
    with pytest.raises(Refused):
        canonical({"a": chr(code)})
