"""Rules that users of neighbouring systems gave us, where no test of a package shows them already."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import anlage
from anlage.app import (
    Engine,
    Installation,
    SimulatedClock,
    command_classes,
    first_administrator,
    settings,
)
from anlage.app.demo import Player, found_facility
from anlage.app.settings import Settings
from anlage.record import World, unpack

SAMPLES = Path(__file__).parents[1] / "record" / "samples"
SOURCE = Path(anlage.__file__).parent
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.req("U9")
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.zip")), ids=lambda path: path.stem)
def test_an_export_of_an_earlier_build_is_proven_byte_for_byte_by_this_one(path):
    key = path.with_suffix(".pub").read_text("ascii")

    verdict = unpack(path.read_bytes(), trust=key)

    assert verdict.ok and verdict.anchored, verdict.problems
    assert all(type(one.fact).__name__ != "Unknown" for one in verdict.facts if not one.is_withheld)


@pytest.mark.req("U9")
@pytest.mark.req("U26")
def test_no_command_of_a_founding_leaves_the_record_without_a_fact_or_a_fact_without_site(
    tmp_path, monkeypatch
):
    silent, real = [], Engine.do

    def watched(engine, request, **more):
        outcome = real(engine, request, **more)
        if not outcome.facts:
            silent.append(type(request).__name__)
        return outcome

    monkeypatch.setattr(Engine, "do", watched)
    clock = SimulatedClock.make(tmp_path, AT, speed=0)
    plant = Installation.create(
        settings(tmp_path, durable=False), world=World.SIMULATED, site="S9", site_name="S",
        clock=clock,
    )  # fmt: skip
    try:
        first_administrator(plant, name="Ada")
        found_facility(Player(plant, clock))

        facts = list(plant.journal.read())
        assert silent == []
        assert len(facts) > 500
        assert {one.site for one in facts} == {"S9"}
        assert all(one.by.person or one.stream.family in {"journal", "person"} for one in facts)
    finally:
        plant.close()


@pytest.mark.req("U10")
def test_no_setting_and_no_command_switches_the_record_off():
    names = [*Settings.model_fields, *command_classes()]

    switches = "disable|suppress|mute|purge|delete|truncate|off$|audit_|history"
    assert [one for one in names if re.search(switches, one)] == []


@pytest.mark.req("U10")
def test_only_the_engines_of_the_journal_write_to_it():
    writing = re.compile(r"(INSERT|UPDATE|DELETE)[^\"']*\b(INTO|FROM|fact)\b[^\"']*\bfact\b")

    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if writing.search(path.read_text("utf-8"))
    }

    assert found <= {"store/journal.py", "store/copying.py"}
