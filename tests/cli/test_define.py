"""`anlage define`: files are checked, compared, classified and computed."""

import json

import pytest

from anlage.cli import main

GOOD = """kind: calculation
id: sum
title: Sum
basis: own
inputs:
  - {name: a, unit: mL}
expression: a * 2
result: {unit: mL, decimals: 1}
tolerance: 0.1 mL
examples:
  - {inputs: {a: 1 mL}, result: 2 mL}
"""


def run(capsys, *words):
    code = main(["define", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("unit: mL}", "unit: drops}"))
    return tmp_path


def test_one_bad_file_does_not_stop_the_others(capsys, folder):
    code, answer = run(capsys, "check", folder)

    assert code == 2
    assert [row["ok"] for row in answer["files"]] == [False, True]
    assert answer["problems"][0]["line"] == 6
    assert answer["problems"][0]["remedy"]


def test_the_same_definition_in_two_files_is_a_problem(capsys, folder):
    (folder / "bad.yaml").write_text(GOOD)

    code, answer = run(capsys, "check", folder)

    assert code == 2
    assert answer["problems"][0]["code"] == "definition-twice"


def test_a_file_that_is_not_there_is_refused_and_not_broken(capsys, folder):
    code, answer = run(capsys, "check", folder / "none.yaml", folder / "good.yaml")

    assert code == 2
    assert answer["problems"][0]["code"] == "file-unreadable"


def test_a_reference_to_nothing_is_a_problem_unless_checked_alone(capsys, tmp_path):
    path = tmp_path / "role.yaml"
    path.write_text("kind: role\nid: r\ntitle: R\nbasis: own\nduties: [work]\nexcludes: [nobody]\n")

    assert run(capsys, "check", path)[0] == 2
    assert run(capsys, "check", path, "--alone")[0] == 0


def test_a_difference_shows_old_and_new(capsys, folder):
    (folder / "bad.yaml").write_text(GOOD.replace("decimals: 1", "decimals: 2"))

    code, answer = run(capsys, "diff", folder / "good.yaml", folder / "bad.yaml")

    assert code == 0
    assert answer["changes"] == [{"path": "result.decimals", "old": 1, "new": 2}]


def test_a_calculation_is_done_and_checked(capsys, folder):
    code, answer = run(capsys, "compute", folder / "good.yaml", "a=0.5 L", "--check", "999.8 mL")

    assert answer["result"] == {"value": "1000.0", "unit": "mL"}
    assert (code, answer["check"]["agrees"]) == (2, False)


@pytest.mark.parametrize("words", [["a"], ["a=1 mL", "a=2 mL"], ["b=1 mL"], ["a=1,5 mL"], []])
def test_inputs_that_cannot_be_read_are_refused(capsys, folder, words):
    code, answer = run(capsys, "compute", folder / "good.yaml", *words)

    assert code == 2
    assert answer["refused"]["remedy"]


def test_starters_are_copied_checked_and_used(capsys, tmp_path):
    assert run(capsys, "starters", "--to", tmp_path)[0] == 0
    assert run(capsys, "starters", "--to", tmp_path)[0] == 2
    specification = tmp_path / "specification" / "cd19-car-t-release.yaml"
    medium = tmp_path / "material-class" / "t-cell-medium.yaml"

    code, judged = run(
        capsys, "evaluate", specification, "viability=69.4 %", "mycoplasma=not detected"
    )
    assert (code, judged["outcome"]) == (2, "fail")
    code, labels = run(capsys, "classify", medium)
    assert (code, labels["media"][0]["labels"][0]["verdict"]) == (0, "yes")


def test_a_false_claim_on_a_medium_is_found(capsys, tmp_path):
    run(capsys, "starters", "--to", tmp_path)
    medium = tmp_path / "material-class" / "msc-medium.yaml"
    medium.write_text(medium.read_text() + "claims: [xeno-free, serum-free]\n")

    code, answer = run(capsys, "classify", medium)

    assert code == 2
    assert [one["code"] for one in answer["problems"]] == ["claim-contradicted"] * 2
    assert "porcine" in answer["problems"][0]["found"]
    assert answer["problems"][0]["line"]


@pytest.mark.parametrize(
    ("more", "line", "found"),
    [
        ("analysis: gues\n", 7, "gues"),
        ("analysis: qpcr\nsettings:\n  target: T\n  colour: red\n", 10, "colour"),
    ],
)
def test_a_method_names_an_analysis_and_settings_that_there_are(
    capsys, tmp_path, more, line, found
):
    path = tmp_path / "m.yaml"
    path.write_text(
        "kind: method\nid: m\ntitle: M\nbasis: own\nmeasures: [{attribute: a}]\n"
        f"purposes: [development]\n{more}"
    )

    assert main(["define", "check", str(path), "--json"]) == 2

    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["line"], problem["found"]) == (line, found)
    assert problem["limit"]
