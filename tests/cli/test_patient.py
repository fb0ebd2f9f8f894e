"""`anlage patient`: what names a patient, on record, from the command line."""

import io
import json

import pytest
from tests.app.test_making import founded

from anlage.cli.shell import main
from anlage.plant import CancelJourney, OrderProduct


@pytest.fixture
def folder(tmp_path):
    """A site with one patient whose journey was cancelled before anything was collected."""
    plant = founded(tmp_path / "site")
    asked = OrderProduct(
        product="cd19-car-t", subject="s", indication="lymphoma", treatment_site="ward",
        weight="70 kg",
        signature=plant.sign("greta", "prescribed", product="cd19-car-t", subject="s"),
    )  # fmt: skip
    streams = plant.do(asked, "greta").streams
    coi = next(one for one in streams if one.startswith("journey/")).partition("/")[2]
    plant.do(CancelJourney(coi=coi, reason="the patient chose otherwise"), "hans")
    plant.installation.close()
    return tmp_path / "site", coi


def run(folder, capsys, *words):
    code = main(["patient", *words, "--json", "--data", str(folder)])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.req("SC16")
def test_a_patients_data_are_kept_shown_held_and_erased(folder, capsys, monkeypatch):
    site, coi = folder
    monkeypatch.setattr("sys.stdin", io.StringIO("name=Erika Muster\nborn=1960-01-01\n"))
    assert run(site, capsys, "keep", coi, "--as", "hans")[1]["items"] == ["born", "name"]

    code, shown = run(site, capsys, "show", coi, "--as", "hans", "--why", "to call")
    assert (code, shown["name"]) == (0, "Erika Muster")
    code, refused = run(site, capsys, "show", coi, "--as", "anna", "--why", "curious")
    assert (code, refused["refused"]["code"]) == (2, "operator-unqualified")

    assert run(site, capsys, "hold", coi, "AZ-1", "--as", "eva", "--why", "claim")[0] == 0
    code, refused = run(site, capsys, "erase", coi, "--as", "eva", "--asked", "letter")
    assert (code, refused["refused"]["code"]) == (2, "erasure-on-hold")
    assert run(site, capsys, "lift", coi, "AZ-1", "--as", "eva", "--why", "settled")[0] == 0
    code, erased = run(site, capsys, "erase", coi, "--as", "eva", "--asked", "letter")
    assert code == 0

    code, status = run(site, capsys, "status", coi)
    assert status["erased"] == erased["erased"] and status["items"] == []
    assert len(status["reads"]) == 1 and "to call" in status["reads"][0]
    assert status["against_erasing"]["code"] == "personal-data-none"
