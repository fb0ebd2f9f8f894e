"""A simulation's facts are of the kinds a plant writes, and the same measures run on both."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

import orjson
import pytest

import anlage.plant  # registers the plant's facts
from anlage.app import Installation, SimulatedClock, export, first_administrator, settings
from anlage.app.demo import Player, Stage, Until, Walk, found_facility, walk_journey
from anlage.custody import Happening, happening_of, timeline_of
from anlage.custody.timeline import KINDS
from anlage.network import read
from anlage.network.simulate import facts_of, outcome_of, run, settings_for
from anlage.record import Stream, Unknown, World, decode, encode, known_kinds, unpack

EXAMPLES = Path(__file__).parents[2] / "examples" / "networks"


@pytest.fixture(scope="module", params=["central", "point-of-care", "allogeneic-bank"])
def simulated(request):
    network = read((EXAMPLES / f"{request.param}.yaml").read_text("utf-8"))
    how = settings_for(network, years=1, warmup_years=0.0, replications=1)
    made = run(network, replace(how, trace_max=500_000))
    return made, facts_of(made).to_pylist()


def test_every_fact_of_a_trace_is_one_that_the_plants_code_knows(simulated):
    _, facts = simulated

    for kind, rows in itertools.groupby(
        sorted(facts, key=lambda f: f["kind"]), lambda f: f["kind"]
    ):
        row = next(rows)
        body = orjson.loads(row["body"])
        known = decode(kind, row["kind_version"], body)
        assert not isinstance(known, Unknown), kind
        # Nothing in the body that the plant's class would drop.
        assert set(body) <= set(encode(known)), kind
        assert Stream(row["stream"]).family in {"journey", "lot", "shipment"}


def test_the_kinds_that_a_timeline_reads_are_kinds_of_the_record():
    assert anlage.plant and set(KINDS) <= set(known_kinds())


def test_versions_of_a_stream_run_without_gaps_and_time_never_goes_back(simulated):
    _, facts = simulated
    seen = {}

    for fact in facts:
        assert fact["version"] == seen.get(fact["stream"], 0) + 1
        seen[fact["stream"]] = fact["version"]
    times = [fact["happened"] for fact in facts]
    assert times == sorted(times)
    assert {fact["world"] for fact in facts} == {"simulated"}


def test_the_measures_of_a_trace_are_those_the_simulation_printed(simulated):
    made, facts = simulated
    told = outcome_of(made)

    timeline = timeline_of(_happening(fact) for fact in facts)

    assert len(timeline.infused) == told["vein_to_vein_days"]["count"]
    days = [
        (timeline.infused[one] - timeline.collected[one]) / timedelta(days=1)
        for one in timeline.infused
    ]
    assert fmean(days) == pytest.approx(told["vein_to_vein_days"]["mean"], rel=1e-6)
    assert timeline.measures()["vein-to-vein"].value == pytest.approx(
        told["vein_to_vein_days"]["median"], rel=0.01
    )


def test_a_demo_lots_export_gives_the_same_measures_by_the_same_code(tmp_path):
    clock = SimulatedClock.make(tmp_path, datetime(2026, 3, 1, tzinfo=UTC), speed=0)
    plant = Installation.create(
        settings(tmp_path, durable=False),
        world=World.SIMULATED,
        site="S1",
        site_name="Site",
        clock=clock,
    )
    try:
        first_administrator(plant, name="Ada Winter")
        player = Player(plant, clock)
        found_facility(player)
        walk, stage = Walk(player=player), Stage(player)
        stage.enter(walk_journey(walk, 1, Until.INFUSED))
        stage.run(clock.now() + timedelta(days=40))
        facts = unpack(export(plant, f"lot/{walk.lot}")).facts
    finally:
        plant.close()

    timeline = timeline_of(happening_of(one) for one in facts if not one.is_withheld)

    measure = timeline.measures()["vein-to-vein"]
    assert [one.subject for one in measure.behind] == [f"journey/{walk.coi}"]
    assert 10 < measure.value < 20
    stages = timeline.stages()
    assert sum(one.count for one in stages.values()) == 34
    assert stages["receipt-identity"].mean_wait_days == 0.0
    assert all(one.mean_time_days is not None for one in stages.values())
    assert timeline.ended[walk.lot][0] == "lot-released"


def _happening(fact):
    return Happening(
        stream=fact["stream"],
        kind=fact["kind"],
        happened=fact["happened"],
        body=orjson.loads(fact["body"]),
        site=fact["site"],
    )
