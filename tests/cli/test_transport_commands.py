"""`anlage lane`, `anlage store`, `anlage shipment`, `anlage fleet` from the command line."""

import json

import pytest

from anlage.cli.shell import main


def run(capsys, *words):
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A small simulated installation with a store, lanes and shipments, seeded as the demo is."""
    from datetime import UTC, datetime, timedelta

    from anlage.app import Installation, SimulatedClock, first_administrator, settings
    from anlage.app.demo import Player, Stage, found_facility
    from anlage.app.demo.store import furnish_store, wait_for_picking
    from anlage.app.demo.transport import HOURS, ship_some
    from anlage.record import World

    folder = tmp_path_factory.mktemp("demo")
    clock = SimulatedClock.make(folder, datetime(2026, 3, 1, tzinfo=UTC), speed=0)
    chosen = settings(folder, demo=True, durable=False)
    site = Installation.create(
        chosen,
        world=World.SIMULATED,
        site="S1",
        site_name="Simulated University Hospital",
        clock=clock,
    )
    first_administrator(site, name="Ada Winter")
    player = Player(site, clock)
    found_facility(player)
    furnish_store(player)
    stage = Stage(player)
    stage.enter(ship_some(player))
    stage.run(clock.now() + timedelta(hours=HOURS))
    wait_for_picking(player)
    clock.save()
    site.close()
    return folder


def test_a_way_is_checked_without_an_installation(capsys, tmp_path):
    code, said = run(capsys, "lane", "check", "--from", "DE", "--to", "FR", "--data", str(tmp_path))
    other, unknown = run(
        capsys, "lane", "check", "--from", "DE", "--to", "BR", "--data", str(tmp_path)
    )

    assert (code, said["verdict"]) == (0, "open")
    assert (other, unknown["verdict"]) == (2, "not-known")
    assert all(one["source"] for one in said["rules"])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--from", "DE", "--to", "Mars"], "country-malformed"),
        (["--from", "DE", "--to", "FR", "--goods", "soup"], "goods-unknown"),
        (["--from", "DE", "--to", "FR", "--date", "tomorrow"], "date-unreadable"),
        (["--from", "DE", "--to", "FR", "--rules", "none.yaml"], "file-missing"),
    ],
)
def test_a_way_that_is_none_is_refused(capsys, tmp_path, words, code):
    exit_code, said = run(capsys, "lane", "check", *words, "--data", str(tmp_path))

    assert (exit_code, said["refused"]["code"]) == (2, code)


def test_own_rules_of_a_file_are_used(capsys, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "kind: transport-rules\nid: countries\ntitle: Ours\nbasis: own\ntold: [{from: [any], to: [any]}]\n"
        "rules:\n- {id: stop, from: [DE], to: [FR], goods: [cells], asks: hold, says: strike, source: news}\n"
    )

    code, said = run(capsys, "lane", "check", "--from", "DE", "--to", "FR", "--rules", str(rules))

    assert (code, said["verdict"], said["holds"][0]["says"]) == (2, "hold", "strike")


def test_records_go_to_a_pool_and_are_asked(capsys, demo, tmp_path):
    out, pool = tmp_path / "ours.jsonl", tmp_path / "pool.jsonl"
    code, said = run(capsys, "lane", "pool", "export", "-o", str(out), "--data", str(demo))
    assert (code, said["records"]) == (0, 2)
    assert "SH-00" not in out.read_text() and "Zurich" not in out.read_text()

    _, first = run(capsys, "lane", "pool", "add", str(out), "--pool", str(pool))
    _, again = run(capsys, "lane", "pool", "add", str(out), "--pool", str(pool))
    _, asked = run(capsys, "lane", "pool", "query", "--pool", str(pool), "--to", "CH")

    assert (first["new"], again["new"], again["records"]) == (2, 0, 2)
    assert asked["records"] == 1
    assert asked["causes"]["customs-inspection"]["hours_median"] == 5.0


@pytest.mark.parametrize("words", [["export"], ["add"], ["add", "missing.jsonl"]])
def test_a_pool_says_what_it_needs(capsys, demo, tmp_path, words):
    pool = ["--pool", str(tmp_path / "p.jsonl"), "--data", str(demo)]

    code, said = run(capsys, "lane", "pool", *words, *pool)

    assert code == 2 and said["refused"]["remedy"]


def test_a_broken_line_of_a_pool_is_named(capsys, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{\n")

    code, said = run(capsys, "lane", "pool", "add", str(bad), "--pool", str(tmp_path / "p.jsonl"))

    assert (code, said["new"], said["problems"][0]["line"]) == (2, 0, 1)


def test_advice_names_what_may_go(capsys, demo):
    words = ["lane", "advise", "frozen-car-t", "--from", "Simulated University Hospital"]

    code, said = run(capsys, *words, "--to", "Clinic Paris", "--data", str(demo))

    assert code == 0
    assert said["options"][0]["shipper"] == "DS-01" and said["options"][0]["may_go"]
    assert said["options"][0]["alive"] == [1.0, 1.0, 1.0]
    assert run(capsys, *words, "--to", "Nowhere", "--data", str(demo))[0] == 2


def test_the_store_is_told(capsys, demo):
    data = ["--data", str(demo)]

    tree = run(capsys, "store", "tree", *data)[1]["places"]
    found = run(capsys, "store", "find", "BV-050", *data)[1]
    box = run(capsys, "store", "show", "T1-B2", *data)[1]

    site = next(one for one in tree if one["place"] == "SITE")
    assert site["size"] == 674
    assert 100 < site["used"] <= 110, "other tests take a few out of the same store"
    assert (found["stored"]["place"], found["stored"]["position"]) == ("T1-B1", "F5")
    assert len(box["stored"]) == 23
    assert run(capsys, "store", "show", "NONE", *data)[1]["refused"]["code"] == "place-unknown"
    assert run(capsys, "store", "find", "what", *data)[1]["refused"]["code"] == "scan-unknown"


def test_a_picklist_and_an_audit_from_the_command_line(capsys, demo, tmp_path):
    data = ["--as", "P-0105", "--data", str(demo)]
    scans = tmp_path / "scans.txt"

    code, made = run(capsys, "store", "pick", "BANK-MSC-01", "--count", "5", *data)
    assert code == 0
    assert {one["way"][-1] for one in made["lines"]} == {"T1-B1"}
    assert "BV-001" not in {one["container"] for one in made["lines"]}  # promised to another list
    scans.write_text("RB-090\n")
    assert run(capsys, "store", "audit", "T2-B1", str(scans), *data)[1]["found"] == 1
    scans.write_text("")
    code, said = run(capsys, "store", "audit", "T2-B1", str(scans), *data)
    assert (code, said["missing"]) == (2, ["RB-090"])
    assert (
        run(capsys, "store", "audit", "T2-B1", "none.txt", *data)[1]["refused"]["code"]
        == "file-missing"
    )


def test_a_shipment_is_told_with_its_verdict(capsys, demo, tmp_path):
    data = ["--data", str(demo)]

    _, said = run(capsys, "shipment", "show", "SH-002", *data)
    code, wrote = run(capsys, "shipment", "papers", "SH-002", "-o", str(tmp_path / "p.pdf"), *data)
    _, missing = run(capsys, "shipment", "show", "SH-999", *data)

    assert said["verdict"] == "quarantine" and said["standing"] == "in-quarantine"
    assert [one["grade"] for one in said["hand_overs"]] == ["scanned", "scanned"]
    assert said["holds"][0]["cause"] == "customs-inspection"
    assert (
        code == 0 and (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF") and wrote["rules"] > 0
    )
    assert missing["refused"]["code"] == "subject-unknown"
    assert run(capsys, "shipment", "papers", "SH-002", "-o", "p.docx", *data)[0] == 2


def test_a_log_is_taken_in_from_the_command_line(capsys, demo, tmp_path):
    file = tmp_path / "dv.csv"
    file.write_text("Time,Temperature (°C)\n2026-03-02T08:00:00,-180\n2026-03-02T08:10:00,-120\n")
    words = ["shipment", "log", "SH-003", str(file), "--as", "P-0106", "--data", str(demo)]

    refused = run(capsys, *words)[1]["refused"]["code"]
    code, said = run(capsys, *words, "--time-zone", "+01:00")

    assert refused == "time-zone-unknown"
    assert (code, said["verdict"], said["excursions"][0]["start"]) == (
        2,
        "reject",
        "2026-03-02T07:10:00.000Z",
    )


def test_the_fleet_says_who_is_ready(capsys, demo):
    _, every = run(capsys, "fleet", "list", "--data", str(demo))
    _, ready = run(capsys, "fleet", "list", "--ready", "--data", str(demo))

    assert {one["shipper"] for one in every["shippers"]} == {"DS-01", "DS-02", "DS-03", "BX-01"}
    assert {one["shipper"] for one in ready["shippers"]} == {"DS-01", "BX-01"}
