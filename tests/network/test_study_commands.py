"""The commands of the studies print one JSON object each, and refuse what cannot be."""

import json
from pathlib import Path

import pytest

from anlage.cli.shell import main

EXAMPLES = Path(__file__).parents[2] / "examples" / "networks"
SHORT = ["--years", "2", "--replications", "3", "--json"]


def told(capsys, *arguments):
    code = main(["network", *arguments])
    printed = json.loads(capsys.readouterr().out)
    return code, printed


def test_risk_ranks_losses_and_gives_the_worst_runs(capsys):
    code, printed = told(capsys, "risk", str(EXAMPLES / "central.yaml"), *SHORT)

    assert code == 0
    assert {"lost", "time_to_survive_days", "time_to_recover_days", "is_survived"} <= set(
        printed["losses"][0]
    )
    assert set(printed["worst_runs"]) == {
        "not_treated_per_year",
        "vein_to_vein_days",
        "cost_per_infused",
    }


def test_scale_sets_larger_sites_beside_more_of_them(capsys):
    code, printed = told(
        capsys, "scale", str(EXAMPLES / "regional.yaml"), "--factors", "1,2", *SHORT
    )

    assert code == 0
    assert set(printed["factors"]) == {"1", "2"}
    assert {"scale_up", "scale_out", "out_less_up"} <= set(printed["factors"]["2"])


def test_stock_plans_each_bought_material_and_simulates_the_plan(capsys):
    code, printed = told(capsys, "stock", str(EXAMPLES / "central.yaml"), *SHORT)

    assert code == 0
    plan = printed["materials"]["vector"]
    assert {"policy", "objective", "bound", "gap", "plan", "by_suppliers"} <= set(plan)
    assert len(plan["plan"]) == 3
    assert "vein_to_vein_days" in printed["simulated"]["central, vector by plan"]


def test_preserve_compares_protocols_of_a_file_within_a_network(tmp_path, capsys):
    file = tmp_path / "protocols.yaml"
    file.write_text(
        "preserve: two\nweight: 20 kg\nlimit: 75 %\nprotocols:\n"
        "  cold: {held: 48 hours, held_at: 4}\n"
        "  frozen: {dmso: 10 %, cooling: 1, warming: 60, stored: 30 days, stored_at: -150,"
        " thawed: 20 min, volume: 100 mL}\n",
        "utf-8",
    )

    code, printed = told(
        capsys,
        "preserve",
        str(file),
        "--network",
        str(EXAMPLES / "central.yaml"),
        "--as",
        "hypothermic",
        "--draws",
        "100",
        *SHORT,
    )

    assert code == 0
    assert printed["protocols"]["frozen"]["dmso_g_per_kg"] == pytest.approx(100 * 0.1 * 1.1 / 20)
    assert set(printed["simulated"]["differences"]) == {"cold", "frozen"}


def test_a_network_is_optimised_chosen_by_simulation_and_against_outages(tmp_path, capsys):
    text = (EXAMPLES / "regional.yaml").read_text("utf-8")
    file = tmp_path / "network.yaml"
    file.write_text(text.replace("years: 3", "years: 1").replace("warmup: 1 year", "warmup: 0.3"))

    code, printed = told(
        capsys, "optimise", str(file), "--simulate", "--patient-value", "100000", "--json"
    )

    assert code == 0
    chosen = printed["simulated"]["selection"]
    assert chosen["best"] in chosen["designs"]
    assert all({"bound", "gap"} <= set(row) for row in printed["simulated"]["planned"].values())
    code, robust = told(capsys, "optimise", str(file), "--robust", "--years-drawn", "10", "--json")
    assert code == 0
    assert {"objective", "bound", "gap", "years", "against"} <= set(robust)


@pytest.mark.parametrize(
    "arguments",
    [
        ["risk", str(EXAMPLES / "mm2.yaml"), "--tail", "2"],
        ["risk", str(EXAMPLES / "mm2.yaml"), "--lose", "nothing"],
        ["scale", str(EXAMPLES / "regional.yaml"), "--factors", "two"],
        ["scale", str(EXAMPLES / "mm2.yaml"), "--factors", "1,2"],
        ["stock", str(EXAMPLES / "mm2.yaml")],
        ["stock", str(EXAMPLES / "central.yaml"), "--waiting-cost", "0"],
        ["preserve", str(EXAMPLES / "mm2.yaml")],
        ["preserve", "--network", str(EXAMPLES / "central.yaml"), "--as", "dry ice"],
        ["compare", str(EXAMPLES / "mm2.yaml"), str(EXAMPLES / "mm2.yaml"), "--invest", "x"],
        ["learn", "no such file"],
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(arguments, capsys):
    code, printed = told(capsys, *arguments, "--json")

    assert code == 2
    assert printed["refused"]["remedy"]
