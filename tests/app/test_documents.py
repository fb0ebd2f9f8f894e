"""What is printed: people by name, and what was changed since it was first entered."""

import io

import pytest
from pypdf import PdfReader

from anlage.app.documents import batch_record
from anlage.plant import CorrectEntry, Lot
from tests.app.test_making import begin, founded, order, step


@pytest.fixture
def plant(tmp_path):
    plant = founded(tmp_path)
    yield plant
    plant.installation.close()


def words(data):
    return " ".join(
        " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split()
    )


@pytest.mark.req("ANNEX11.8")
def test_a_print_shows_what_was_changed_since_it_was_first_entered(plant):
    lot = begin(plant, order(plant))
    for key in ("receipt-identity", "receipt-check"):
        step(plant, plant.state(Lot, f"lot/{lot}"), key)
    before = plant.state(Lot, f"lot/{lot}").steps["receipt-check"].readings["volume"].number
    said = {"lot": lot, "step": "receipt-check", "parameter": "volume", "value": "211 mL"}
    said["reason"] = "scale read twice"
    signature = plant.sign("anna", "corrected", **said)
    plant.do(CorrectEntry(**said, signature=signature), "anna")

    printed = words(batch_record(plant.installation, lot))

    assert f"Anna (anna) corrected volume of step receipt-check from {before} to 211 mL" in printed
    assert "scale read twice" in printed
