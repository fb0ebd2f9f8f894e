"""Loggers' files and telemetry taken in for a shipment: kept, judged, recorded, never typed."""

import contextlib
import csv
import gzip
import io
import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anlage.app import Installation, request_of, settings
from anlage.app.conditions import read_way, stays, take_in
from anlage.app.survival import survival
from anlage.base import FixedClock, Refused
from anlage.custody.transport import ConditionLogged, Shipment
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World
from anlage.twin.preservation import LiquidLoss

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
BY = Actor(person="anna", via="page")


@pytest.fixture
def site(tmp_path):
    installation = Installation.create(
        settings(tmp_path), world=World.SIMULATED, site="S1", site_name="Site", clock=FixedClock(AT)
    )
    stream = Stream("person/anna")
    granted = RoleGranted(role="operator", role_version=1, requires=(), granted_by="admin")
    people = [Entry(stream, PersonRegistered(id="anna", name="Anna")), Entry(stream, granted)]
    installation.journal.append(people, {}, by=Actor(person="admin", via="api"), at=AT)

    def ask(command, **values):
        return installation.engine.do(request_of(command, values), actor=BY)

    ask("create-container", container="B1", vessel="bag", place="p", evidence="scanned", lot="L1")
    ask("create-container", container="DS", vessel="shipper", place="p", evidence="scanned")
    ask("pack-container", container="B1", into="DS", evidence="scanned")
    ask("prepare-shipment", shipment="S1", shipper="DS", containers=["B1"], seal="7", receiver="anna",
        due="2026-03-05T00:00:00Z", evidence="scanned")  # fmt: skip
    yield installation
    installation.close()


def log_of(temperatures, *, step=10, zone="Z"):
    lines = ["Time,Temperature (°C)"]
    for number, value in enumerate(temperatures):
        at = AT + timedelta(minutes=step * number)
        lines.append(f"{at:%Y-%m-%dT%H:%M:%S}{zone},{value}")
    return "\n".join(lines).encode()


def logged(site):
    return site.engine.state(Shipment, Stream("shipment/S1")).logs


def test_a_log_is_kept_as_it_came_and_its_verdict_recorded(site):
    data = log_of([-180.0, -181.0, -179.5, -180.2])

    take_in(site, "S1", data, "dv.csv", actor=BY, product="frozen-car-t")

    (one,) = logged(site)
    assert (one.verdict, one.readings, str(one.low), str(one.high)) == (
        "accept",
        4,
        "-181",
        "-179.5",
    )
    assert one.rule.startswith("frozen-cells-dry-vapour-2026 (valid from")
    assert site.blobs.get(one.file) == data


def test_an_excursion_above_the_glass_transition_is_rejected_with_its_time(site):
    take_in(site, "S1", log_of([-180, -140, -130, -180, -180]), "dv.csv", actor=BY, product="car-t")

    (one,) = logged(site)
    assert one.verdict == "reject"
    assert [(e.start, e.end, str(e.worst)) for e in one.excursions] == [
        (AT + timedelta(minutes=10), AT + timedelta(minutes=30), "-130")
    ]
    assert any("glass transition" in reason for reason in one.reasons)


def test_the_verdict_decides_the_receipt(site):
    take_in(site, "S1", log_of([-180, -130, -180]), "dv.csv", actor=BY, product="car-t")
    asked = {"shipment": "S1", "scanned": ["B1"], "seal": "7", "verdict": "accept"}

    site.engine.do(request_of("receive-shipment", asked), actor=BY)

    got = site.engine.state(Shipment, Stream("shipment/S1")).received
    assert got.quarantined == ("B1",)
    assert "reject" in " ".join(got.reasons)


def test_telemetry_of_a_smart_container_is_judged_for_handling_too(site):
    samples = [
        {"at": (AT + timedelta(minutes=5 * n)).isoformat(), "celsius": -180.0, "tilt": 85 if n > 3 else 1,
         "latitude": 52.0 + n / 10, "longitude": 13.0}
        for n in range(10)
    ]  # fmt: skip
    take_in(site, "S1", json.dumps({"unit": "DS-1", "samples": samples}).encode(), "way.json", actor=BY,
            product="car-t")  # fmt: skip

    (one,) = logged(site)
    assert (one.source, one.verdict) == ("DS-1", "quarantine")
    assert one.events[0].startswith("tilt 85 for 25 min")


def test_mean_kinetic_temperature_is_of_reagents_alone(site):
    take_in(site, "S1", log_of([5.0, 6.0, 5.5]), "r.csv", actor=BY, product="reagent-2-8")
    take_in(site, "S1", log_of([5.0, 6.0, 5.4]), "c.csv", actor=BY, product="apheresis-2-8")

    reagent, cells = logged(site)
    assert 5 < reagent.kinetic < 6
    assert cells.kinetic is None


@pytest.mark.parametrize(
    ("data", "name", "more", "code"),
    [
        (b"", "x.csv", {}, "file-missing"),
        (b"\x00\x01", "x.csv", {}, "no-readings"),
        (b"{", "x.json", {}, "telemetry-unreadable"),
        (b"[1, 2]", "x.json", {}, "telemetry-unreadable"),
        (b'{"samples": {}}', "x.json", {}, "telemetry-unreadable"),
        (b"\xff\xfe\x00", "x.json", {}, "telemetry-unreadable"),
        (b"[" * 100_000, "x.json", {}, "telemetry-unreadable"),
        (b'[{"at": "2026-01-01T00:00:00", "celsius": 3}]', "x.json", {}, "telemetry-unreadable"),
        (b'[{"at": "2026-01-01T00:00:00Z", "celsius": 1e9}]', "x.json", {}, "telemetry-unreadable"),
        (b'[{"at": "2026-01-01T00:00:00Z", "tilt": 3}]', "x.json", {}, "no-readings"),
        (log_of([5, 5]), "x.csv", {"product": "soup"}, "excursion-rule-missing"),
        (log_of([5, 5]), "x.csv", {"product": None}, "product-not-said"),
        (log_of([5, 5], zone=""), "x.csv", {}, "time-zone-unknown"),
    ],
)
def test_a_file_that_tells_nothing_is_refused_and_nothing_kept(site, data, name, more, code):
    before = site.journal.size

    with pytest.raises(Refused) as refusal:
        take_in(site, "S1", data, name, actor=BY, **{"product": "apheresis-2-8", **more})

    assert (refusal.value.code, site.journal.size) == (code, before)


def test_a_log_is_taken_in_once_and_for_a_sealed_shipment_alone(site):
    data = log_of([-180, -180])
    take_in(site, "S1", data, "a.csv", actor=BY, product="car-t")

    for shipment, code in (("S1", "condition-known"), ("S9", "shipment-not-on-its-way")):
        with pytest.raises(Refused) as refusal:
            take_in(site, shipment, data, "a.csv", actor=BY, product="car-t")
        assert refusal.value.code == code


def test_a_sample_that_cannot_be_read_is_named_and_makes_the_verdict_doubtful(site):
    samples = [
        {"at": (AT + timedelta(minutes=n)).isoformat(), "celsius": -180 - n / 10} for n in range(5)
    ]
    samples.append({"at": "tomorrow", "celsius": 3})

    take_in(site, "S1", json.dumps(samples).encode(), "way.json", actor=BY, product="car-t")

    (one,) = logged(site)
    assert one.verdict == "quarantine"
    assert any("sample 6" in problem for problem in one.problems)


def test_a_sites_own_rule_judges_once_it_is_effective(site):
    from anlage.app.conditions import rule_of_product

    assert rule_of_product(site, "frozen-car-t", AT.date()).id == "frozen-cells-dry-vapour-2026"


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.json", "a.txt"]))
def test_no_bytes_break_the_reader(data, name):
    with contextlib.suppress(Refused):
        read_way(data, name)


@pytest.mark.shared
def test_real_weather_over_a_year_is_judged_as_ambient(shared_data):
    """NOAA hours of Newark 2013: no summer day keeps to 2 to 8 degrees."""
    path = shared_data / "logistics" / "nyc_weather_EWR_hourly_2013.csv.gz"
    rows = csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode()))
    lines = ["Time,Temperature (°F)"]
    for row in rows:
        if row["month"] == "7" and row["temp"] not in ("", "NA"):
            at = datetime(2013, 7, int(row["day"]), int(row["hour"]) % 24, tzinfo=UTC)
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{row['temp']}")
    from anlage.custody.transport import judge, rule_for

    way = read_way("\n".join(lines).encode(), "ramp.csv")
    said = judge(way.readings, rule_for("apheresis-2-8"))

    assert len(way.readings) > 600
    assert 15 < min(r.celsius for r in way.readings) < max(r.celsius for r in way.readings) < 40
    assert said.verdict.value == "reject"


def test_cells_alive_on_a_liquid_way_follow_the_model_of_the_twin():
    way = [(12.0, 4.0), (6.0, 22.0)]

    found = survival(way)

    loss = LiquidLoss()
    assert found.middle == pytest.approx(loss.alive(4.0, 12.0) * loss.alive(22.0, 6.0))
    assert found.low < found.middle < found.high


def test_cells_below_the_glass_transition_lose_nothing():
    found = survival([(200.0, -180.0)])

    assert found.low == found.high == 1.0


@pytest.mark.parametrize("way", [[], [(1, -180.0), (1, 5.0)], [(1, -10.0)], [(1, 45.0)]])
def test_a_way_outside_the_models_gets_no_number(way):
    assert survival(way) is None


@given(st.lists(st.tuples(st.floats(0, 48), st.floats(0, 37)), min_size=1, max_size=8))
def test_a_longer_or_warmer_way_never_leaves_more_alive(way):
    longer = survival([*way, (5.0, 20.0)])
    base = survival(way)

    assert longer.middle <= base.middle
    assert 0 <= base.low <= base.middle <= base.high <= 1
    assert not math.isnan(base.middle)


def test_each_reading_holds_until_the_next():
    way = read_way(log_of([4, 5, 6], step=30), "x.csv")

    assert stays(way.readings) == [(0.5, 4.0), (0.5, 5.0)]


def test_a_summary_survives_its_way_through_the_journal(site):
    take_in(site, "S1", log_of([-180, -120]), "a.csv", actor=BY, product="car-t")

    fact = site.journal.read_stream(Stream("shipment/S1"))[-1].fact
    assert isinstance(fact, ConditionLogged)
    assert fact.excursions[0].is_open


def test_a_lot_tells_how_it_travelled_and_still_proves_itself(tmp_path):
    """The verdict is a fact of the lot too: told as a sentence, exported, verified."""
    from anlage.app import export, sentence, verify
    from tests.app.test_making import begin, founded, order

    plant = founded(tmp_path / "plant")
    lot = begin(plant, order(plant))
    site, by = plant.installation, Actor(person="anna", via="page")
    for command, values in (
        ("create-container", {"container": "T1", "vessel": "bag", "place": "p", "lot": lot}),
        ("create-container", {"container": "DS", "vessel": "shipper", "place": "p"}),
        ("pack-container", {"container": "T1", "into": "DS"}),
        ("prepare-shipment", {"shipment": "S1", "shipper": "DS", "containers": ["T1"], "seal": "7",
                              "receiver": "anna", "due": "2027-01-01T00:00:00Z"}),
    ):  # fmt: skip
        site.engine.do(request_of(command, values | {"evidence": "scanned"}), actor=by)

    take_in(site, "S1", log_of([-180, -120, -180]), "a.csv", actor=by, product="car-t")

    last = site.journal.read_stream(Stream(f"lot/{lot}"))[-1]
    assert last.kind == "transport-judged"
    assert "was judged reject" in sentence(last)
    packed = tmp_path / "lot.anlage"
    packed.write_bytes(export(site, f"lot/{lot}"))
    assert not verify(packed).problems
    plant.installation.close()
