"""The demo's own walk: from prescription to infusion, exported, verified; and the plant that a visitor finds."""

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader

from anlage.app import (
    Installation,
    SimulatedClock,
    export,
    first_administrator,
    settings,
    verify,
)
from anlage.app.demo import PASSWORD, Player, seed
from anlage.plant import Lot
from anlage.record import World


@pytest.mark.xdist_group("demo")
@pytest.mark.req("P11.10b")
@pytest.mark.req("P11.50")
def test_headless_walks_one_lot_to_its_end_and_its_record_proves_itself(tmp_path):
    done = _anlage("demo", "--headless", "--json", "--data", tmp_path / "d")

    printed = json.loads(done.stdout)

    assert {"lot", "coi", "facts", "seconds", "batch_record", "coa", "export", "verified"} <= set(
        printed
    )
    assert printed["verified"] is True
    proved = _anlage(
        "custody", "prove", f"lot/{printed['lot']}", "--json", "--data", tmp_path / "d"
    )
    custody = json.loads(proved.stdout)
    assert (custody["coverage_percent"], custody["gaps"]) == (100, [])
    assert f"{printed['lot']}-B1" in custody["containers"]
    alone = json.loads(_anlage("verify", printed["export"], "--json").stdout)["custody"]
    assert alone["containers"] == custody["containers"], "the export holds every container"
    assert alone["coverage_percent"] == 100
    with zipfile.ZipFile(printed["export"]) as held:
        files = [held.read(name) for name in held.namelist() if name.startswith("blobs/")]
    assert any(data.startswith(b"FCS") for data in files), (
        "the cytometer's file goes with the record"
    )
    assert any(data.startswith(b"\x89PNG") for data in files), "and the picture of the cells"
    again = _anlage(
        "import", printed["export"], "--as", "P-0109", "--data", tmp_path / "d", "--json"
    )
    assert json.loads(again.stdout)["subject"] == f"lot/{printed['lot']}"
    twice = _anlage(
        "import", printed["export"], "--as", "P-0109", "--data", tmp_path / "d", "--json"
    )
    assert twice.returncode == 2
    assert json.loads(twice.stdout)["refused"]["code"] == "record-imported-before"
    record, certificate = _words(printed["batch_record"]), _words(printed["coa"])
    assert "Greta Lind (P-0106) performed" in record
    assert "Hugo Marin (P-0107) verified" in record
    assert "Kaya Yilmaz (P-0110) released the lot" in certificate
    with_record = PdfReader(printed["batch_record"]).attachments
    assert list(with_record) == ["record.json"]


@pytest.mark.xdist_group("demo")
def test_the_seeded_plant_has_lots_at_many_stages_and_rebuilds_to_the_same_views(tmp_path):
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
        walks = seed(Player(plant, clock))
        states = [plant.engine.state(Lot, stream) for stream in plant.journal.streams("lot")]
        live = {name: list(plant.rows(name).find(limit=10_000)) for name in plant.views.names}

        for name in plant.views.names:
            plant.views.rebuild(plant.journal, name)
        rebuilt = {name: list(plant.rows(name).find(limit=10_000)) for name in plant.views.names}
        path = tmp_path / "one.zip"
        path.write_bytes(export(plant, f"lot/{walks[1].lot}"))
        foreign = [one.coi for one in walks if one.coi and one.coi != walks[1].coi]
        data = path.read_bytes()
    finally:
        plant.close()

    assert len(states) >= 12
    assert len({str(one.status) for one in states}) >= 3
    assert any(one.coi is None for one in states)
    assert any(one.open_deviations for one in states)
    assert rebuilt == live
    assert verify(path).ok
    assert not [coi for coi in foreign if coi.encode() in data]
    assert clock.now() >= datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=39)


def test_the_demos_password_is_no_secret():
    assert PASSWORD == "demo demo demo"


def _anlage(*words):
    return _python("-m", "anlage", *words)


def _python(*words):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )


def _words(path):
    """Give the words of a PDF, one space between them."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


ABSENT = (
    "airportsdata", "cv2", "dask", "flowio", "highspy", "numba", "onnxruntime", "openpyxl",
    "ortools", "pyarrow", "python_calamine", "sklearn", "statsmodels", "threadpoolctl",
)  # fmt: skip


@pytest.mark.xdist_group("demo")
def test_the_demo_walks_with_the_extras_server_and_plant_alone(tmp_path):
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({ABSENT!r}))\n"
        "from anlage.cli import main\n"
        f"sys.exit(main(['demo', '--headless', '--json', '--data', {str(tmp_path / 'd')!r}]))"
    )

    done = _python("-c", script)

    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["verified"] is True
