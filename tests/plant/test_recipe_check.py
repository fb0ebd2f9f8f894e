"""A recipe is judged before anybody relies on it; every defect is named with line and remedy."""

import json
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.cli import main
from anlage.library import Document, read_yaml
from anlage.plant import check_recipe

STARTERS = resources.files("anlage.library") / "data" / "recipes"
CAR_T = (STARTERS / "cd19-car-t.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", ["cd19-car-t", "msc-microcarrier", "ipsc-bank"])
def test_a_starter_recipe_has_no_defect(name):
    checked = check_recipe(read_yaml((STARTERS / f"{name}.yaml").read_bytes(), name))

    assert checked.problems == ()
    assert checked.digest


DEFECTS = [
    ("calculation: viable-recovery", "calculation: viable-recovry", "reference-unknown"),
    ("role: store-keeper", "role: storekeeper", "reference-unknown"),
    ("witness: verifier", "witness: nobody", "reference-unknown"),
    ("{class: wash-buffer, amount: 600 mL", "{class: wash-bufer, amount: 600 mL", "reference-unknown"),
    ("equipment: [rocking-bioreactor]", "equipment: [rocking-bioreactors]", "reference-unknown"),
    ("{label: cryovial, for: samples", "{label: bag, for: samples", "reference-unknown"),
    ("{label: cryovial, for: samples", "{label: cryovial, for: culture", "label-part-unknown"),
    ("for: samples, spare: 1}", "for: samples, count: 3}", "label-count-mismatch"),
    ("count: fill.bags, spare: 1}", "count: 2}", "label-count-mismatch"),
    ("count: fill.bags, spare: 1}", "count: fill.boxes}", "reference-unknown"),
    ("count: fill.bags, spare: 1}", "count: fill.bags, spare: -1}", "number-out-of-range"),
    ("count: fill.bags, spare: 1}", "count: fill.bags, spare: 1}\n              - {label: car-t-bag, for: product}", "label-set-doubled"),
    ("tests: [mycoplasma]", "tests: [mycoplasm]", "reference-unknown"),
    ("{after: start-count, latest: 4 h}", "{after: start-cuont, latest: 4 h}", "reference-unknown"),
    ("cells_before: start-count.viable-cells", "cells_before: start-count.cells", "reference-unknown"),
    ("cells_before: start-count.viable-cells", "cells_before: harvest.viable-cells", "reference-too-early"),
    ("amount-from: vector-dose.volume", "amount-from: dose.volume", "reference-too-early"),
    (", at-least: 3e9 cell}", ", at-least: 3e9 mL}", "unit-mismatch"),
    ("until: {reading: in-process-count.viable-cells", "until: {reading: start-count.viable-cells",
     "loop-without-exit"),
    ("        at-most: 6\n", "", "loop-without-exit"),
    ("        until: {reading: in-process-count.viable-cells, at-least: 3e9 cell}\n", "",
     "loop-without-exit"),
    ("at-most: 6", "at-most: 0", "number-out-of-range"),
    ("expected: 4", "expected: 9", "loop-inverted"),
    ("equals: frozen}", "equals: frosty}", "phase-unreachable"),
    ("warning: {lower: 85 %}\n                hard: {lower: 70 %}",
     "warning: {lower: 60 %}\n                hard: {lower: 70 %}", "limits-inverted"),
    ("warning: {lower: 80 mL, upper: 400 mL}", "warning: {lower: 400 mL, upper: 80 mL}",
     "limits-inverted"),
    ("target: 1e6 cell/mL", "target: 9e6 cell/mL", "limits-inverted"),
    ("hard: {lower: 40 mL}", "hard: {lower: 40 cell}", "unit-mismatch"),
    ("hard: {lower: 40 mL}", "hard: {lower: 40 blorp}", "unit-unknown"),
    ("{after: activate, earliest: 18 h, latest: 36 h}",
     "{after: activate, earliest: 36 h, latest: 18 h}", "window-impossible"),
    ("{after: activate, earliest: 18 h, latest: 36 h}", "{after: activate, latest: 12 h}",
     "window-impossible"),
    ("{after: formulate, latest: 60 min}", "{after: store, latest: 60 min}", "window-impossible"),
    ("            role: operator\n            duration: 20 min\n            photo: true",
     "            duration: 20 min\n            photo: true", "role-missing"),
    ("maximum: 48 h", "minimum: 1 h", "maximum-missing"),
    ("minimum: 18 h\n            maximum: 30 h", "minimum: 30 h\n            maximum: 18 h",
     "limits-inverted"),
    ("kind: hold\n                    name: Hold in vapour", "kind: holt\n                    name: H",
     "word-unknown"),
    ("turnaround: 5 d", "turnaround: 5", "unit-missing"),
    ("phase: thaw\n", "phase: frozen-hold\n", "identifier-twice"),
    ("  - unit: receipt\n", "  - unti: receipt\n", "key-unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "code"), DEFECTS)
def test_a_defect_is_named_with_its_line_and_remedy(good, bad, code):
    assert good in CAR_T

    checked = check_recipe(read_yaml(CAR_T.replace(good, bad, 1), "r.yaml"))

    found = [one for one in checked.problems if one.code == code]
    assert found, [str(one) for one in checked.problems]
    assert found[0].remedy
    near = CAR_T[: CAR_T.index(good)].count("\n") + 1
    assert found[0].line is not None
    assert abs(found[0].line - near) <= 16
    assert checked.digest is None


def test_a_branch_behind_otherwise_is_unreachable():
    before, _, after = CAR_T.partition("          - otherwise: true\n")
    swapped = before + "          - otherwise: true\n" + after
    first = "          - when: {reading: receipt-check.state, equals: frozen}\n"
    swapped = swapped.replace("          - otherwise: true\n", "@@", 1)
    swapped = swapped.replace(first, "          - otherwise: true\n").replace("@@", first)

    codes = {one.code for one in check_recipe(read_yaml(swapped)).problems}

    assert "phase-unreachable" in codes


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "!!python/object:os.system {}",
        "--- 1\n--- 2",
        "a: [",
        "\x00",
        "[" * 5000,
    ],
)
def test_a_document_that_is_no_plain_yaml_is_refused(text):
    with pytest.raises(Refused) as refusal:
        check_recipe(read_yaml(text))

    assert refusal.value.code == "document-unreadable"


def test_a_key_given_twice_is_refused_with_both_lines():
    text = CAR_T.replace("name: Receive the patient's cells\n", "name: A\n    name: B\n", 1)

    with pytest.raises(Refused) as refusal:
        read_yaml(text, "r.yaml")

    assert refusal.value.problems[0].line == 20
    assert "line 19" in str(refusal.value)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(CAR_T) - 1), st.integers(0, 40), st.text(max_size=6))
def test_a_damaged_recipe_gives_problems_and_never_a_traceback(at, length, put):
    try:
        checked = check_recipe(read_yaml(CAR_T[:at] + put + CAR_T[at + length :]))
    except Refused:
        return

    assert all(one.code and one.what for one in checked.problems)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "procedure",
                    "unit",
                    "operations",
                    "phases",
                    "phase",
                    "kind",
                    "repeat",
                    "do",
                    "until",
                    "choose",
                    "branches",
                    "when",
                    "parallel",
                    "parameters",
                    "hard",
                    "lower",
                    "samples",
                    "windows",
                    "uses",
                    "id",
                    "name",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_content_gives_problems_and_never_a_traceback(content):
    checked = check_recipe(Document(content=content))

    assert checked.problems


def test_the_command_explains_each_defect_and_goes_on_to_the_next_file(tmp_path, capsys):
    good, bad, gone = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "gone.yaml"
    good.write_text(CAR_T, "utf-8")
    bad.write_text(CAR_T.replace("role: store-keeper", "role: keeper"), "utf-8")

    code = main(["recipe", "check", str(bad), str(gone), str(good), "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert code == 2
    assert [one["ok"] for one in answer["files"]] == [False, False, True]
    first = answer["problems"][0]
    assert first["code"] == "reference-unknown"
    assert first["line"] and first["remedy"] and first["path"].startswith("procedure[")
