"""The command contract: what `anlage network …` prints, and how it exits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.feather
import pytest

from anlage.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples" / "networks"
QUICK = ["--years", "0.5", "--warmup", "0.1", "--replications", "4", "--json"]


def printed(capsys, *arguments):
    code = main(["network", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_simulate_prints_the_keys_of_the_contract(path, capsys):
    code, found = printed(capsys, "simulate", path, *QUICK, "--seed", "3", "--workers", "2")

    assert code == 0
    contract = {
        "patients",
        "vein_to_vein_days",
        "lost_fraction",
        "withdrawn_fraction",
        "infused_fraction",
        "cost_per_infused",
        "stages",
        "resources",
        "events",
        "seconds",
    }
    assert contract <= found.keys()
    assert {"mean", "sd", "median", "p90", "ci95"} <= found["vein_to_vein_days"].keys()
    for row in found["resources"].values():
        assert {"utilisation", "mean_wait_days"} <= row.keys()
    shares = [found[f"{name}_fraction"] for name in ("infused", "lost", "withdrawn")]
    assert sum(shares) == pytest.approx(1)
    assert all(share >= 0 for share in shares)


def test_a_warm_up_as_long_as_the_run_is_refused(capsys):
    code, found = printed(
        capsys, "simulate", EXAMPLES / "mm2.yaml", "--years", "1", "--warmup", "30", "--json"
    )

    assert code == 2
    assert found["refused"]["code"] == "network-run-impossible"
    assert "30 days" in found["refused"]["remedy"]


def test_a_warm_up_may_be_written_with_its_unit(capsys):
    code, found = printed(
        capsys,
        "simulate",
        EXAMPLES / "mm2.yaml",
        "--years",
        "1",
        "--warmup",
        "73.05 days",
        "--replications",
        "1",
        "--json",
    )

    assert code == 0
    assert found["warmup_years"] == pytest.approx(0.2)


def test_a_broken_file_is_refused_with_all_its_problems(tmp_path, capsys):
    path = tmp_path / "bad.yaml"
    path.write_text("network: x\nclasses: {a: {arrivals: fast}}\nresources: {r: 0}\n", "utf-8")

    code, found = printed(capsys, "simulate", path, "--json")

    assert code == 2
    assert found["refused"]["line"] == 2 or found["refused"]["line"] == 1
    assert {problem["line"] for problem in found["problems"]} >= {2, 3}


def test_a_model_that_explodes_is_stopped_with_what_it_had(tmp_path, capsys):
    path = tmp_path / "explodes.yaml"
    path.write_text(
        "network: explodes\n"
        "classes: {a: {arrivals: {rate: 1 / s}}}\n"
        "resources: {r: 1}\n"
        "process: [{use: {resource: r, time: 10 days}}]\n",
        "utf-8",
    )

    code, found = printed(capsys, "simulate", path, "--years", "1", "--replications", "2", "--json")

    assert code == 2
    assert found["problems"][0]["code"] == "network-run-stopped"
    assert "200000 patients" in found["problems"][0]["found"]
    assert found["events"] > 100_000


def test_a_loop_in_which_no_time_passes_is_stopped(tmp_path, capsys):
    path = tmp_path / "spins.yaml"
    path.write_text(
        "network: spins\n"
        "classes: {a: {arrivals: {rate: 1 / day}}}\n"
        "resources: {r: unlimited}\n"
        "process:\n"
        "  - {name: w, wait: 0 h}\n"
        "  - {goto: {to: w, probability: 0.9999999999}}\n",
        "utf-8",
    )

    code, found = printed(capsys, "simulate", path, "--years", "1", "--replications", "1", "--json")

    assert code == 2
    assert "without any time passing" in found["problems"][0]["found"]


def test_compare_gives_paired_differences_from_the_first(capsys):
    code, found = printed(
        capsys, "compare", EXAMPLES / "central.yaml", EXAMPLES / "point-of-care.yaml", *QUICK
    )

    assert code == 0
    row = found["differences"]["point-of-care"]["vein_to_vein_days"]
    assert row["ci95"][0] < row["difference"] < row["ci95"][1]
    assert row["difference"] < 0
    assert set(found["designs"]) == {"central", "point-of-care"}


def test_the_value_of_information_is_a_comparison_with_and_without(capsys):
    code, found = printed(
        capsys, "compare", EXAMPLES / "regional.yaml", "--value-of-information", *QUICK
    )

    assert code == 0
    assert "integration fhir" in found["differences"]
    apart = found["differences"]["loads not shared"]["infused_fraction"]["difference"]
    assert apart <= found["differences"]["loads shared"]["infused_fraction"]["difference"]


def test_the_loss_of_a_sole_supplier_costs_time(capsys):
    code, found = printed(
        capsys,
        "compare",
        EXAMPLES / "central.yaml",
        "--lose",
        "sole_vector",
        "--lose-for",
        "120 days",
        "--years",
        "1.5",
        "--warmup",
        "0.5",
        "--replications",
        "4",
        "--json",
    )

    assert code == 0
    row = found["differences"]["loss of sole_vector"]["vein_to_vein_days"]
    assert row["ci95"][0] > 1


def test_the_bottleneck_is_the_resource_that_holds_up_the_others(tmp_path, capsys):
    path = tmp_path / "narrow.yaml"
    path.write_text(
        "network: narrow\n"
        "classes: {a: {arrivals: {rate: 3 / day}, patience: {exponential: 2 days}}}\n"
        "resources: {wide: 8, narrow: 2, wider: 30}\n"
        "process:\n"
        "  - use: {resource: wide, time: {exponential: 1 day}}\n"
        "  - use: {resource: narrow, time: {exponential: 1 day}}\n"
        "  - use: {resource: wider, time: {exponential: 1 day}}\n",
        "utf-8",
    )

    code, found = printed(capsys, "bottleneck", path, *QUICK)

    assert code == 0
    assert found["bottleneck"] == "narrow"
    assert found["resources"][0]["patients_saved_per_year"]["ci95"][0] > 50
    assert len(found["resources"]) == 3


def test_a_trace_is_facts_of_a_simulated_world_in_the_order_of_time(tmp_path, capsys):
    path = tmp_path / "trace.arrow"

    code, found = printed(capsys, "simulate", EXAMPLES / "central.yaml", "--trace", path, *QUICK)
    table = pyarrow.feather.read_table(path)

    assert code == 0
    assert found["trace"]["facts"] == table.num_rows > 1000
    assert set(table["world"].to_pylist()) == {"simulated"}
    times = table["happened"].to_pylist()
    assert times == sorted(times)
    kinds = set(table["kind"].to_pylist())
    assert {"product-ordered", "step-started", "step-completed", "infusion-performed"} <= kinds
    started, done = (
        table["kind"].to_pylist().count(f"step-{end}") for end in ("started", "completed")
    )
    # Some steps are under way when the run ends, and nothing is told of later.
    assert 0 <= started - done < 100
    assert (times[-1] - times[0]).days <= 366


def test_a_home_that_cannot_be_written_still_simulates(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path[:3]),
        "HOME": "/nonexistent",
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "/proc/nowhere"),
    }
    code = "from anlage.network.simulate.compiled import cache_folder; print(cache_folder())"

    made = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert Path(made.stdout.strip()).is_dir()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_patient_who_came_has_left_or_is_on_the_way(path, capsys):
    _, found = printed(
        capsys, "simulate", path, "--years", "1", "--warmup", "0", "--replications", "3", "--json"
    )

    on_the_way = round(found["in_progress"] * found["replications"])
    assert found["arrivals"] == found["patients"] + on_the_way
