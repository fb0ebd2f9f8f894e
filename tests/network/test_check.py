"""What `anlage network check` says of a file: every defect, with its line and a remedy."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.cli import main
from anlage.network import check

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "network-file.md").read_text("utf-8")
GOOD = """\
network: mm2
classes:
  customer: {arrivals: {rate: 1.6 / hour}}
resources:
  desk: {capacity: 2}
process:
  - name: serve
    use: {resource: desk, time: {exponential: {mean: 1 hour}}}
"""


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_of_the_reference_page_is_a_sound_network(text):
    assert [str(problem) for problem in check(text).problems] == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "networks").glob("*.yaml")))
def test_every_example_network_is_sound(path):
    assert [str(problem) for problem in check(path.read_text("utf-8")).problems] == []


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "said"),
    [
        ("1 hour", "-1 hour", 8, "network-value-impossible", "zero"),
        ("1 hour", "1", 8, "network-unit-wrong", "hours"),
        ("1 hour", "1 kg", 8, "network-unit-wrong", "unit of time"),
        ("1 hour", "one hour", 8, "network-value-unreadable", "1 hour"),
        ("1.6 / hour", "1.6", 3, "network-unit-wrong", "per"),
        ("1.6 / hour", "-2 / hour", 3, "network-value-impossible", "zero"),
        ("capacity: 2", "capacity: 0", 5, "network-value-impossible", "1 or more"),
        ("capacity: 2", "capacity: 2.5", 5, "network-value-unreadable", "whole"),
        ("capacity: 2", "capacty: 2", 5, "network-key-missing", "capacity"),
        ("resource: desk", "resource: dsek", 7, "network-name-unknown", "desk"),
        ("resource: desk", "resource: desk, amount: 3", 7, "network-capacity-impossible", "2"),
        ("exponential", "exponental", 8, "network-key-unknown", "exponential"),
        ("resources:", "resource:", 4, "network-key-unknown", "resources"),
        ("{rate:", "{rates:", 3, "network-key-missing", "rate"),
        ("use:", "us:", 7, "network-key-unknown", "use"),
        ("    use:", "    wait: 1 h\n    use:", 7, "network-key-unknown", "two steps"),
        ("{mean: 1 hour}", "{mean: 1 hour, median: 2 h}", 8, "network-key-unknown", "mean"),
    ],
)
def test_a_defect_is_named_with_its_line_and_a_remedy(old, new, line, code, said):
    assert check(GOOD).ok

    problems = check(GOOD.replace(old, new)).problems

    problem = next(one for one in problems if one.code == code)
    assert problem.line == line
    assert problem.remedy
    assert said in f"{problem.found} {problem.limit} {problem.remedy}"


def test_all_defects_are_said_at_once():
    text = GOOD.replace("1.6 / hour", "fast").replace("capacity: 2", "capacity: -1")

    assert [problem.line for problem in check(text).problems] == [3, 5]


def test_a_value_that_cannot_be_read_does_not_hide_an_unknown_resource():
    text = GOOD.replace("1 hour", "soon") + "  - use: {resource: oven, time: 1 hour}\n"

    assert [(p.line, p.code) for p in check(text).problems] == [
        (8, "network-value-unreadable"),
        (9, "network-name-unknown"),
    ]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("[{name: a, wait: 1 h}, {goto: a}]", "network-no-exit"),
        ("[{name: a, wait: 1 h}, {goto: {to: a, probability: 1.0}}]", "network-no-exit"),
        ("[{name: a, wait: 1 h}, {fail: {probability: 1, retry: a}}]", "network-no-exit"),
        (
            "[{branch: [{probability: 0.7, end: lost}, {probability: 0.6, end: lost}]}]",
            "impossible",
        ),
        ("[{goto: nowhere}]", "network-name-unknown"),
        ("[{name: a, wait: 1 h}, {name: a, wait: 1 h}]", "network-name-twice"),
        ("[{ship: mars}]", "network-name-unknown"),
        (
            "[{wait: 1 h, name: w}, {hold: {resource: desk, steps: [{name: x, wait: 1 h}]}}, "
            "{goto: {to: x, probability: 0.1}}]",
            "network-shape-wrong",
        ),
    ],
)
def test_steps_that_cannot_be_are_refused(steps, code):
    head = GOOD.partition("process:")[0]

    problems = check(f"{head}process: {steps}\n").problems

    assert any(code in problem.code for problem in problems)
    assert all(problem.line for problem in problems)


def test_a_loop_with_a_limit_has_an_exit():
    head = GOOD.partition("process:")[0]
    steps = "[{name: a, wait: 1 h}, {goto: {to: a, most: 3}}]"

    assert check(f"{head}process: {steps}\n").ok


def test_a_site_beyond_every_mode_is_unreachable():
    text = """
network: far
clinics: {tokyo: {airport: HND}}
sites: {paris: {airport: CDG, resources: {unit: 2}}}
classes: {patient: {arrivals: 1 / day}}
lanes: {out: {modes: {road: {speed: 70 km/h, range: 500 km}}}}
process:
  - ship: out
  - use: {resource: unit, time: 8 days}
"""

    (problem,) = check(text).problems

    assert problem.code == "network-site-unreachable"
    assert problem.line == 3
    assert "reaches 500 km" in problem.found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "network: x\n---\nnetwork: y\n",
        "a: &a [*a]\n",
        "network: [" + "[" * 5000,
        "network: x\nx: !!python/object/apply:os.system [ls]\n",
        "\x00\x01",
        "network: x\n" + "a: 1\n" * 3,
        "? {a: b}\n: c\n",
        "<<: {a: b}\nnetwork: x\n",
        "network:\n\t- tab\n",
        "a0: &a0 [1,2]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]\n" for i in range(1, 20)),
    ],
)
def test_hostile_text_gets_problems_and_no_traceback(text):
    problems = check(text).problems

    assert problems
    assert all(problem.remedy for problem in problems)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_broken_file_ends_in_a_traceback(data):
    lines = data.draw(st.sampled_from(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)))
    place = data.draw(st.integers(0, len(lines)))
    length = data.draw(st.integers(0, 12))
    junk = data.draw(st.text("abc019 :,-{}[]%/\n'\"&*", max_size=6))

    checked = check(lines[:place] + junk + lines[place + length :])

    assert checked.ok == (checked.network is not None)


def test_a_file_of_ten_million_lines_is_refused_at_once(tmp_path, capsys):
    path = tmp_path / "long.yaml"
    path.write_text("network: x\n" + "# nothing\n" * 10_000_000, "utf-8")

    started = time.perf_counter()
    code = main(["network", "check", str(path), "--json"])

    assert code == 2
    assert time.perf_counter() - started < 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "network-unreadable"


def test_check_prints_ok_and_problems_and_exits_two_when_not_ok(tmp_path, capsys):
    path = tmp_path / "net.yaml"
    path.write_text(GOOD, "utf-8")
    assert main(["network", "check", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True

    path.write_text(GOOD.replace("1 hour", "1 hr later"), "utf-8")
    assert main(["network", "check", str(path), "--json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    keys = {"code", "path", "line", "what", "found", "limit", "remedy", "rule"}
    assert set(found["problems"][0]) == keys
