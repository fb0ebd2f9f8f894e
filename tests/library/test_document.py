"""Definition files: read with lines, and no hostile file gets past the reader or slows it."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.library import BYTES_MAX, check_document, read_yaml

GOOD = """kind: specification
id: car-t
title: Release
basis: illustrative
criteria:
  - attribute: viability
    unit: "%"
    lower: 70.0
"""


def refused(text):
    started = time.perf_counter()
    with pytest.raises(Refused) as refusal:
        check_document(text, "x.yaml")
    assert time.perf_counter() - started < 1.0
    for problem in refusal.value.problems:
        assert problem.remedy and problem.path == "x.yaml"
    return refusal.value.problems


def test_numbers_stay_as_they_are_written():
    content = read_yaml("a: 0.50\nb: 12\nc: 007\nd: 1e6\ne: no\nf: true\ng: ~\nh: '3'").content

    assert content == {
        "a": "0.50",
        "b": 12,
        "c": "007",
        "d": "1e6",
        "e": "no",
        "f": True,
        "g": None,
        "h": "3",
    }


def test_a_good_file_passes_with_the_same_digest_however_it_is_laid_out():
    again = '{kind: specification, title: Release, id: car-t, basis: illustrative,\n criteria: [{lower: 70.0, unit: "%", attribute: viability}]}'

    assert check_document(GOOD).digest == check_document(again.encode()).digest


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("lower: 70.0", "lowr: 70.0"), 8, "lower"),
        (("lower: 70.0", "lower: seventy"), 8, "decimal"),
        (('unit: "%"', "unit: percentt"), 7, "unit"),
        (("lower: 70.0", "lower: 70.0\n    lower: 60"), 9, "line 8"),
        (("kind: specification", "kind: specifikation"), 1, "specification"),
        (("title: Release", "title: [a, b]"), 3, "text"),
        (("criteria:", "criteria: []\nother:"), 5, "one"),
        (("id: car-t", "id: CAR T"), 2, "lower-case"),
        (("title: Release\n", ""), None, "title"),
    ],
)
def test_a_defect_is_shown_with_its_line(change, line, words):
    problems = refused(GOOD.replace(*change))

    text = " ".join(str(one) for one in problems)
    assert words in text
    if line:
        assert line in {one.line for one in problems}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [" + ",".join([f"*{chr(97 + i)}"] * 9) + "]" for i in range(8)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a {b: *a}",
        "a: !!python/object/apply:os.system ['true']",
        "a: !!binary aGVsbG8=",
        "[" * 100_000,
        "{a: " * 5000,
        "- " * 50_000 + "x",
        "a:\n" + "".join(" " * i + "a:\n" for i in range(1, 600)),
        "a: 1\n---\nb: 2",
        "a: 1\na: 2",
        "kind: \x00",
        "kind: spec\u202eification",
        "kind: a\u200bb",
        "kind: \x1b[31mred",
        b"kind: \xff\xfe",
        b"\xff\xfek\x00i\x00",
        "",
        "# nothing",
        "just words",
        "- a\n- b",
        "? [a, b]\n: c",
        "a: 'open",
        "a: b: c",
        "\ta: 1",
        "ключ: 1",
        "a: |\n" + "  x" * 30_000,
        "x" * (BYTES_MAX + 1),
        "kind: " + "y" * 30_000,
        "\n".join(f"k{i}: [{','.join('1' * 60)}]" for i in range(1000)),
        "kind: {a: 1}",
        "kind: 7",
        "kind: product\nid: ''\ntitle: 3\nprofile: {}\nattributes: 1\nfollow-up: x",
        "<<: {a: 1}",
    ],
)
def test_a_hostile_file_is_refused_quickly_with_a_remedy(text):
    assert refused(text)


def test_many_defects_are_cut_off_before_they_bury_the_reader():
    text = GOOD + "".join(f"strange-{number}: 1\n" for number in range(500))

    assert len(refused(text)) <= 50


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        check_document(text)
    except Refused as refusal:
        assert refusal.problem.remedy


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        check_document(data)
    except Refused as refusal:
        assert refusal.problem.remedy


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.from_regex(r"[a-z-]{1,9}", fullmatch=True), _VALUES, min_size=1))
def test_what_a_writer_of_yaml_wrote_is_read_back(values):
    text = yaml.safe_dump(values)
    expected = yaml.safe_load(text)

    try:
        found = read_yaml(text).content
    except Refused as refusal:
        assert "tag" in str(refusal) or "anchor" in str(refusal)
    else:
        assert _plain(found) == _plain(expected)


def _plain(value):
    """Compare as text: YAML 1.1 and the core schema differ in what is no text."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return str(value).rstrip()


@given(st.sampled_from(["kind", "id", "title", "basis", "criteria"]), _VALUES)
def test_any_value_under_any_key_is_read_or_refused(key, value):
    content = {**yaml.safe_load(GOOD), key: value}

    try:
        check_document(yaml.safe_dump(content))
    except Refused as refusal:
        assert refusal.problem.remedy
