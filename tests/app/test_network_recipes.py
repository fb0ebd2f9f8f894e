"""One recipe runs the plant and the network: its phases are the network's steps."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from anlage.app import recipe_tasks
from anlage.cli.shell import main
from anlage.network import check, read
from anlage.network.simulate import outcome_of, run, settings_for
from anlage.plant import Recipe, starter_recipes

FILE = """
network: by recipe
classes: {patient: {arrivals: 100 / year}}
resources: {suite: 20, operator: 40, verifier: 5}
process:
  - hold:
      resource: suite
      steps:
        - recipe: cd19-car-t
"""


@pytest.mark.parametrize("recipe", [one.id for one in starter_recipes()])
def test_the_tasks_of_a_recipe_last_as_long_as_the_plan_of_a_lot(recipe):
    from anlage.app import network_recipes
    from anlage.plant import plan_lot

    content = next(one.content for one in starter_recipes() if one.id == recipe)
    begins = datetime(2026, 1, 5, tzinfo=UTC)
    plan = plan_lot(Recipe.read(dict(content)), begins, network_recipes._ALWAYS)
    last = max(plan.ends, plan.results or plan.ends)

    tasks = recipe_tasks(recipe)

    assert sum(task.days for task in tasks) == pytest.approx((last - begins) / timedelta(days=1))
    assert all(task.days >= 0 for task in tasks)


def test_a_network_takes_the_recipes_roles_as_its_resources():
    network = read(FILE, recipes=recipe_tasks)

    told = outcome_of(run(network, settings_for(network, years=2, replications=5)))

    tasks = recipe_tasks("cd19-car-t")
    days = sum(task.days for task in tasks)
    assert told["vein_to_vein_days"]["mean"] == pytest.approx(days, rel=0.01)
    worked = sum(task.days for task in tasks if "operator" in task.needs)
    used = told["resources"]["operator"]["mean_busy"]
    assert used == pytest.approx(100 / 365.25 * worked, rel=0.05)
    assert told["resources"]["verifier"]["utilisation"] > 0


def test_the_spread_of_times_is_the_one_asked_for():
    text = FILE.replace("recipe: cd19-car-t", "recipe: {recipe: cd19-car-t, spread: 30 %}")

    plain, spread = (
        outcome_of(run(network, settings_for(network, years=2, replications=5)))
        for network in (read(one, recipes=recipe_tasks) for one in (FILE, text))
    )

    assert spread["vein_to_vein_days"]["mean"] == pytest.approx(
        plain["vein_to_vein_days"]["mean"], rel=0.03
    )
    assert spread["vein_to_vein_days"]["sd"] > 0.3 > plain["vein_to_vein_days"]["sd"]


def test_an_unknown_recipe_is_a_problem_with_its_line():
    problems = check(FILE.replace("cd19-car-t", "cd19"), recipes=recipe_tasks).problems

    assert [problem.code for problem in problems] == ["network-name-unknown"]
    assert problems[0].line == 9
    assert check(FILE).problems[0].code == "network-name-unknown"


def test_the_command_reads_a_recipe_by_its_name(tmp_path, capsys):
    file = tmp_path / "network.yaml"
    file.write_text(FILE, "utf-8")

    code = main(["network", "simulate", str(file), "--replications", "2", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert "receipt-identity" in told["stages"]


def test_pages_take_starters_and_read_no_file_of_the_server(tmp_path):
    from anlage.app import check_network

    secret = tmp_path / "recipe.yaml"
    secret.write_text("kind: recipe\n", "utf-8")

    assert check_network(FILE) == []
    refused = check_network(FILE.replace("cd19-car-t", str(secret)))
    assert [problem.code for problem in refused] == ["network-name-unknown"]
