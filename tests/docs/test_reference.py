"""The reference lists everything there is, and the published schemas are those of what is recorded."""

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from anlage.app import (
    Installation,
    Settings,
    SimulatedClock,
    command_classes,
    dictionary,
    first_administrator,
    settings,
    write_dictionary,
)
from anlage.app.demo import Player, found_facility
from anlage.app.dictionary import refusal_codes
from anlage.cli.shell import GROUPS, main
from anlage.library import starters
from anlage.record import World, encode

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found():
    return dictionary()


@pytest.fixture(scope="module")
def pages():
    """The pages that the documents make."""
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return {
        "commands": hooks._commands(), "settings": hooks._settings(),
        "refusals": hooks._refusals(), "dictionary": hooks._dictionary(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """The facts of a founded facility, through the real decisions."""
    folder = tmp_path_factory.mktemp("dictionary")
    clock = SimulatedClock.make(folder, datetime(2026, 3, 1, tzinfo=UTC), speed=0)
    plant = Installation.create(
        settings(folder, durable=False), world=World.SIMULATED, site="S", site_name="S", clock=clock
    )
    first_administrator(plant, name="Ada")
    found_facility(Player(plant, clock))
    every = list(plant.journal.read())
    plant.close()
    return every


def test_the_reference_lists_every_command_setting_view_fact_and_refusal(pages, found):
    for name in command_classes():
        assert name == "weigh" or f"## {name}\n" in pages["commands"], name
    for name in Settings.model_fields:
        assert f"| `{name}` |" in pages["settings"], name
    for name in (*found["facts"], *found["views"], *found["definitions"]):
        assert f"| `{name}` |" in pages["dictionary"], name
    for code in refusal_codes(ROOT / "src" / "anlage"):
        assert f"| `{code}` |" in pages["refusals"], code


def test_every_group_of_the_command_line_that_is_there_says_what_it_does(capsys):
    assert all(GROUPS.values())
    assert main(["--help"]) == 0
    assert "dictionary" in capsys.readouterr().out


def test_every_schema_is_one(found):
    for part in ("facts", "commands", "definitions"):
        assert len(found[part]) > 10
        for schema in found[part].values():
            Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(found["envelope"])


@pytest.mark.req("SR1")
def test_every_fact_that_real_decisions_record_fits_its_published_schema(found, facts):
    envelope, checked = Draft202012Validator(found["envelope"]), set()
    validators = {kind: Draft202012Validator(one) for kind, one in found["facts"].items()}
    for one in facts:
        validators[one.kind].validate(one.body)
        envelope.validate(json.loads(one.header))
        checked.add(one.kind)

    assert len(checked) >= 20


def test_a_fact_that_lacks_a_field_does_not_fit(found, facts):
    one = next(one for one in facts if one.kind == "role-granted")
    broken = {name: value for name, value in one.body.items() if name != "role"}

    assert list(Draft202012Validator(found["facts"]["role-granted"]).iter_errors(broken))


@pytest.mark.req("SR1")
def test_every_starter_definition_fits_the_schema_of_its_kind(found):
    for one in starters():
        content = json.loads(json.dumps(encode(one.content)))
        Draft202012Validator(found["definitions"][one.kind]).validate(content)


def test_the_command_writes_one_file_per_schema_and_an_index(tmp_path, found):
    counts = write_dictionary(tmp_path)

    index = json.loads((tmp_path / "dictionary.json").read_text("utf-8"))
    assert counts["facts"] == len(list((tmp_path / "facts").iterdir())) == len(index["facts"])
    assert index["facts"] == sorted(found["facts"])
    for path in tmp_path.rglob("*.schema.json"):
        assert json.loads(path.read_text("utf-8"))["$id"].startswith("urn:anlage:schema:")
