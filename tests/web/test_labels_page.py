"""Label sets on pages: the preview is the print, again needs a reason, unused ones are reconciled."""

import base64
import io
import re

import pytest
from PIL import Image

from anlage.custody import LabelSet
from anlage.record import Stream
from anlage.wire import symbols

FIELDS = {"field-gtin": "09506000134352", "field-lot": "L-42", "field-name": "CAR-T straw"}


@pytest.fixture
def printed(house, enter):
    """A set of three labels, printed from the page: its name."""
    asked = {
        "layout": "tube",
        "lot": house.named["made"],
        "step": "fill",
        "number_field": "serial",
        "numbers": "S1\nS2\nS3",
        **FIELDS,
    }
    answer = enter("anna").post("/labels/new", asked | {"print": "yes"})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"].rpartition("/")[2]


def _pixels(data):
    return Image.open(io.BytesIO(data)).convert("L")


def test_the_preview_is_the_print(house, enter, printed):
    browser = enter("anna")
    page = browser.get(f"/labels/{printed}").content.decode()
    shown = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", page)[1])

    png = browser.get(f"/labels/{printed}/labels.png?number=S1").content
    pdf = browser.get(f"/labels/{printed}/labels.pdf")

    assert shown == png
    assert pdf.content.startswith(b"%PDF")
    (read,) = symbols.read_bytes(png, "label.png")
    assert "21S1" in read.text
    assert browser.get(f"/labels/{printed}/labels.zpl?dpi=200").content.startswith(b"^XA")


def test_a_label_with_a_hole_is_shown_as_a_refusal_and_not_printed(house, enter):
    before = len(list(house.installation.journal.streams("label-set")))
    answer = enter("anna").post(
        "/labels/new",
        {"layout": "tube", "lot": "L", "step": "s", "numbers": "1", "print": "yes"},
    )

    assert answer.status_code == 409
    assert b"label-field-missing" in answer.content
    assert len(list(house.installation.journal.streams("label-set"))) == before
    assert enter("anna").get("/labels/new?layout=none").status_code == 409


def test_a_label_is_printed_again_for_a_reason_alone(house, enter, printed):
    browser = enter("anna")
    again = {"label_set": printed, "number": "S2", "back": f"/labels/{printed}"}
    assert browser.post("/act/reprint-label", again | {"reason": " "}).status_code == 409
    assert browser.post("/act/reprint-label", again | {"reason": "smudged"}).status_code == 302

    held = house.state(LabelSet, str(Stream(f"label-set/{printed}")))
    assert held.copies["S2"] == 2
    assert "smudged" in browser.get("/labels").content.decode()


def test_unused_labels_are_accounted_for_before_a_set_closes(house, enter, printed):
    browser = enter("anna")
    asked = {"label_set": printed, "second": "ben", "back": "/labels"}
    short = browser.post("/act/reconcile-labels", asked | {"applied": "S1\nS2", "destroyed": ""})
    assert b"labels-not-reconciled" in short.content

    done = browser.post("/act/reconcile-labels", asked | {"applied": "S1\nS2", "destroyed": "S3"})

    assert done.status_code == 302, done.content.decode()
    page = browser.get(f"/labels/{printed}").content.decode()
    assert "every copy accounted for" in page
    assert "Print again" not in page
