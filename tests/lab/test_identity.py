"""Identity: the published criteria, applied by the one evaluator."""

import json

import pytest

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.lab.assay import RULES, criteria, judge_identity
from anlage.library import Outcome, Result

MSC = {
    "CD73": "98.2 %", "CD90": "99 %", "CD105": "95.0 %", "CD45": "0.4 %", "CD34": "<1 %",
    "CD14": "1.1 %", "CD19": "0.2 %", "HLA-DR": "1.9 %", "adherence": "adherent",
    "osteogenesis": "shown", "adipogenesis": "shown", "chondrogenesis": "shown",
}  # fmt: skip


def judged(results: dict[str, str], rules: str = "msc"):
    return judge_identity({k: Result.parse(v) for k, v in results.items()}, criteria(rules))


def test_cells_that_meet_all_criteria_are_stromal_cells():
    assert judged(MSC).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("change", "attribute", "outcome"),
    [
        ({"CD90": "94.9 %"}, "cd90", Outcome.FAIL),
        ({"HLA-DR": "2.1 %"}, "hla-dr", Outcome.FAIL),
        ({"CD11b": "7 %"}, "cd14-or-cd11b", Outcome.FAIL),
        ({"adherence": "not adherent"}, "adherence", Outcome.FAIL),
        ({"osteogenesis": "pending"}, "osteogenesis", Outcome.INCONCLUSIVE),
        ({"CD34": "<5 %"}, "cd34", Outcome.INCONCLUSIVE),
    ],
)
def test_one_criterion_not_met_decides(change, attribute, outcome):
    found = judged(MSC | change)

    assert found.verdicts[attribute].outcome is outcome
    assert found.outcome is outcome


def test_a_marker_not_measured_is_inconclusive_and_never_a_pass():
    results = {k: v for k, v in MSC.items() if k != "CD19"}

    assert judged(results).verdicts["cd79a-or-cd19"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("vcn", "outcome"), [("4.9", Outcome.PASS), ("5.0", Outcome.FAIL)])
def test_five_copies_per_transduced_cell_are_too_many(vcn, outcome):
    verdicts = judged({"VCN": vcn}, "car-t").verdicts

    assert verdicts["vcn-per-transduced-cell"].outcome is outcome


@pytest.mark.parametrize("name", RULES)
def test_each_rule_set_names_its_source_and_year(name):
    found = criteria(name)

    assert found.heading.id.rsplit("-", 1)[1].isdigit()
    assert found.heading.basis


def test_a_rule_set_of_nobody_is_refused():
    with pytest.raises(Refused) as refusal:
        criteria("no-such-rules")

    assert refusal.value.code == "rules-unknown"


def test_the_command_judges_a_file_and_a_karyotype(tmp_path, capsys):
    table = tmp_path / "r.csv"
    table.write_text(
        "attribute,result\n" + "".join(f"{k},{v}\n" for k, v in (MSC | {"CD73": "90 %"}).items())
    )

    assert main(["assay", "identity", str(table), "--rules", "msc", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["verdicts"]["cd73"]["outcome"] == "fail"
    assert main(["assay", "karyotype", "46,XX[20]", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdicts"][0]["outcome"] == "pass"
    assert main(["assay", "karyotype", "46,XX,+12[20]", "46,XX[20]", "--json"]) == 2


def test_a_blank_result_is_named_with_its_line(tmp_path, capsys):
    table = tmp_path / "r.csv"
    table.write_text("attribute,result\nCD73,98 %\nCD90,\n")

    assert main(["assay", "identity", str(table), "--rules", "msc", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["line"] == 3
