"""Label sets on pages: the preview is the print, again needs a reason, unused ones are reconciled."""

import base64
import io
import re
from dataclasses import replace

import pytest
from PIL import Image

from anlage.app.commands.label_sets import PrintLabels, ReconcileLabels
from anlage.base import Refused, digest
from anlage.custody import LabelSet
from anlage.library import DefinitionApproved, DefinitionDrafted, read_yaml
from anlage.plant import BeginLot, Lot, StartStep
from anlage.record import Actor, Entry, Stream
from anlage.wire import symbols
from tests.app.test_making import order, step

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


def test_a_step_of_the_recipe_asks_for_its_set_and_the_record_fills_it_in(house, enter):
    """The set of the samples of a lot that was made: printed a second time it is refused."""
    lot = house.named["made"]
    browser = enter("anna")
    shown = browser.get(f"/lots/{lot}/step/release-sample").content.decode()
    assert "Labels of this step" in shown and "accounted for" in shown

    address = f"/labels/new?lot={lot}&step=release-sample&label=cryovial&part=samples"
    page = browser.get(address).content.decode()
    assert "cryovial" in page.lower() and f'value="{lot}"' in page
    asked = {
        "layout": "cryovial@1", "lot": lot, "step": "release-sample", "label": "cryovial",
        "part": "samples", "number_field": "container", "field-product": "CAR-T",
        "field-lot": lot, "field-made": "2026-03-12", "field-expiry": "2027-03-12",
        "field-storage": "-130", "print": "yes",
        "numbers": "\n".join(f"{lot}-S{number:02d}" for number in range(1, 9)),
    }  # fmt: skip
    again = browser.post("/labels/new", asked)
    assert again.status_code == 409
    assert b"labels-printed-before" in again.content
    other = browser.post("/labels/new", asked | {"part": "product"})
    assert b"labels-not-asked-for" in other.content


def test_a_label_definition_is_printed_as_it_is_defined_and_its_code_names_the_container(
    house, enter
):
    browser = enter("anna")
    asked = {
        "layout": "cryovial", "lot": "L-26-9999", "step": "x", "number_field": "container",
        "numbers": "L-26-9999-S01", "field-product": "CAR-T", "field-lot": "L-26-9999",
        "field-made": "2026-03-12", "field-expiry": "2027-03-12", "field-storage": "-130 Cel",
        "print": "yes",
    }  # fmt: skip
    answer = browser.post("/labels/new", asked)
    assert answer.status_code == 302, answer.content.decode()

    name = answer["Location"].rpartition("/")[2]
    png = browser.get(f"/labels/{name}/labels.png").content

    (read,) = symbols.read_bytes(png, "label.png")
    assert read.text == "L-26-9999-S01"
    assert house.state(LabelSet, f"label-set/{name}").layout == "cryovial@1"
    width, height = _pixels(png).size
    assert width / height == pytest.approx(60 / 15, rel=0.02)
    assert browser.get(f"/labels/{name}").status_code == 200


RECIPE = """
kind: recipe
id: two-tubes
title: Two tubes
product: cd19-car-t
specification: cd19-car-t-release
uses:
  roles: [operator, verifier]
  labels: [cryovial]
  tests: [viability]
procedure:
  - unit: one
    name: One
    operations:
      - operation: a
        name: A
        phases:
          - phase: take
            kind: sample
            name: Take two tubes
            role: operator
            witness: verifier
            duration: 5 min
            labels:
              - {label: cryovial, for: samples, spare: 1}
            samples:
              - {id: test, specimen: cells, amount: 1 mL, count: 2, tests: [viability]}
"""


@pytest.fixture
def at_samples(house):
    """A lot whose turn is a step with labels: its number."""
    stream = Stream("definition/recipe:two-tubes")
    if not list(house.installation.journal.read_stream(stream)):
        content = read_yaml(RECIPE).content
        seal, now = digest(dict(content)), house.clock.now()
        drafted = DefinitionDrafted(
            kind_of="recipe", id="two-tubes", number=1, title="Two tubes", content=content,
            digest=seal, author="author",
        )  # fmt: skip
        approved = DefinitionApproved(number=1, digest=seal, approver="eva", effective=now)
        house.installation.journal.append(
            [Entry(stream, drafted), Entry(stream, approved)], {}, by=Actor(person="eva", via="api"),
            at=now,
        )  # fmt: skip
    asked = BeginLot(product="cd19-car-t", recipe="two-tubes", coi=order(house))
    made = house.do(asked, "anna")
    lot = next(one for one in made.streams if one.startswith("lot/")).partition("/")[2]
    house.do(StartStep(lot=lot, step="take"), "anna")
    return lot


def test_a_step_is_completed_only_with_its_labels_and_the_release_waits_for_them(
    house, enter, at_samples
):
    lot, key = at_samples, "take"
    browser, page = enter("anna"), f"/lots/{at_samples}/step/take"
    coi = house.state(Lot, f"lot/{lot}").coi
    browser.post(page, {"part": "scan", "scan": coi})
    done = browser.post(page, {"part": "complete", "witness": "ben"})
    assert done.status_code == 409
    text = done.content.decode()
    assert "labels-not-printed" in text and "0 labels cryovial for samples" in text
    assert house.state(Lot, f"lot/{lot}").steps[key].is_open

    address = re.search(r'href="(/labels/new[^"]+)"', text)[1].replace("&amp;", "&")
    form = browser.get(address).content.decode()
    values = dict(re.findall(r'name="(field-[^"]+)" value="([^"]*)"', form))
    assert values["field-lot"] == lot
    numbers = re.search(r'<textarea id="numbers"[^>]*>([^<]*)', form)[1].split()
    assert numbers == [f"{lot}-S01", f"{lot}-S02"]
    asked = {
        **values, "layout": "cryovial@1", "lot": lot, "step": key, "label": "cryovial",
        "part": "samples", "number_field": "container", "numbers": "\n".join(numbers),
        "print": "yes",
    }  # fmt: skip
    foreign = browser.post("/labels/new", asked | {"field-lot": "L-26-9999"})
    assert b"label-field-foreign" in foreign.content
    printed = browser.post("/labels/new", asked)
    assert printed.status_code == 302, printed.content.decode()
    name = printed["Location"].rpartition("/")[2]

    assert browser.post(page, {"part": "complete", "witness": "ben"}).status_code == 302
    for shown in (f"/lots/{lot}", f"/lots/{lot}/review"):
        assert f'href="/labels/{name}"' in enter("eva").get(shown).content.decode()
    row = dict(house.installation.rows("lot-board").find())[lot]
    assert f"label set {name}" in [one["what"] for one in row["before_release"]]


def test_nobody_completes_a_step_through_the_interface_without_its_labels(house, at_samples):
    """Neither without printing, nor with another layout, nor with a second person nobody knows."""
    state = house.state(Lot, f"lot/{at_samples}")
    wanted = {
        "lot": at_samples,
        "step": "take",
        "label": "cryovial",
        "part": "samples",
    }
    asked = PrintLabels(
        **wanted, label_set="LS-A", layout="cryovial@1", numbers=(f"{at_samples}-S01", f"{at_samples}-S02"),
    )  # fmt: skip
    before = house.installation.journal.size

    assert code_of(step, house, state, "take", is_labelled=False) == ("labels-not-printed")
    assert code_of(house.do, replace(asked, layout="tube"), "anna") == "labels-not-asked-for"
    other = replace(asked, layout="car-t-bag@1")
    assert code_of(house.do, other, "anna") == "labels-not-asked-for"
    never = replace(asked, layout="cryovial@9")
    assert code_of(house.do, never, "anna") == "definition-not-effective"
    assert code_of(house.do, asked, "fritz") == "operator-unqualified"
    assert house.installation.journal.size == before

    house.do(asked, "anna")
    ghost = ReconcileLabels(label_set="LS-A", second="ghost", destroyed=asked.numbers)
    assert code_of(house.do, ghost, "anna") == "operator-unqualified"


def code_of(do, *args, **more):
    with pytest.raises(Refused) as refusal:
        do(*args, **more)
    return refusal.value.code
