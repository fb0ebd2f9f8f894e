"""Incoming raw material by scan: the form fills itself, the certificate is kept, the inspection noted."""

import itertools

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from anlage.app import request_of
from anlage.app.incoming import read_delivery
from anlage.base import Refused
from anlage.plant import MaterialLot
from anlage.record import Actor, Stream

NUMBERS = itertools.count(1)
GTIN = "09521101530018"
CODE = f"(01){GTIN}(17)270131(10)WB-77"


@pytest.fixture(scope="module")
def item(house):
    """The wash buffer's trade item number, said once."""
    values = {"gtin": GTIN, "material_class": "wash-buffer", "supplier": "ACME", "name": "Wash buffer",
              "pack": {"value": "500", "unit": "mL"}}  # fmt: skip
    ask(house, values)
    return GTIN


def ask(house, values, person="kurt"):
    asked = request_of("register-item", values)
    return house.installation.engine.do(asked, actor=Actor(person=person, via="api"))


def form(**change):
    number = next(NUMBERS)
    return {"scan": CODE, "material": f"IN-{number}", "packs": "4", "check-packaging": "intact",
            "check-label": "correct"} | change  # fmt: skip


def material(house, name):
    return house.installation.engine.state(MaterialLot, Stream(f"material/{name}"))


def test_one_scan_fills_the_form(enter, item):
    page = enter("kurt").get("/incoming", {"scan": CODE}).content.decode()

    assert 'value="WB-77"' in page and 'value="Wash buffer"' in page
    assert 'value="2027-01-31T23:59"' in page and 'value="500 mL"' in page
    assert '<option value="wash-buffer" selected>' in page


def test_codes_of_one_delivery_add_up_and_of_two_do_not(house, item):
    site = house.installation

    together = read_delivery(site, [f"(01){GTIN}(10)WB-77", f"(01){GTIN}(17)270131"])
    apart = read_delivery(site, [CODE, f"(01){GTIN}(10)WB-78"])

    assert together.filled["supplier_lot"] == "WB-77" and not together.problems
    assert [one.code for one in apart.problems] == ["scans-differ"]


def test_a_delivery_is_taken_in_with_certificate_and_inspection(enter, house, item):
    asked = form(certificate=SimpleUploadedFile("coa.pdf", b"%PDF certificate"))

    answer = enter("kurt").post("/incoming", asked)

    assert answer.status_code == 302, answer.content.decode()[:3000]
    lot = material(house, asked["material"])
    assert (lot.supplier, lot.supplier_lot, len(lot.packs)) == ("ACME", "WB-77", 4)
    assert house.installation.blobs.get(lot.certificate) == b"%PDF certificate"
    assert {"packaging", "label"} <= lot.passed
    again = enter("kurt").get("/incoming", {"scan": CODE}).content.decode()
    assert asked["material"] in again  # this lot was received before


def test_a_check_that_failed_stays_failed(enter, house, item):
    asked = form(failed="label")

    enter("kurt").post("/incoming", asked)

    assert "label" in material(house, asked["material"]).failed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"packs": "0"}, "field-unreadable"),
        ({"packs": "-1"}, "field-unreadable"),
        ({"packs": "9" * 30}, "field-unreadable"),
        ({"pack": "much"}, "quantity-unreadable"),
        ({"expires": "soon"}, "field-unreadable"),
        ({"supplier": "NOBODY"}, "supplier"),
        ({"material": "../x"}, "identifier-malformed"),
        ({"material_class": "soup"}, ""),
    ],
)
def test_a_delivery_that_cannot_be_is_refused_on_the_page(enter, house, item, change, code):
    before = house.installation.journal.size

    answer = enter("kurt").post("/incoming", form(**change))

    assert answer.status_code == 409
    assert code in answer.content.decode()
    assert house.installation.journal.size == before


@pytest.mark.parametrize("scan", ["(01)09521101530019", "x" * 5000, "<b>", "]d201", "\x1d"])
def test_a_code_that_is_none_is_said_and_fills_nothing(enter, item, scan):
    answer = enter("kurt").get("/incoming", {"scan": scan})

    assert answer.status_code == 200
    assert b'name="supplier_lot" value=""' in answer.content
    assert b"<p><b>Found</b> <b>" not in answer.content


def test_an_unknown_item_is_said_once(enter, item):
    page = enter("kurt").get("/incoming", {"scan": "(01)09506000134352(10)A"}).content.decode()

    assert "/act/register-item?gtin=09506000134352" in page


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "item-known"),
        ({"gtin": "123"}, "gtin-malformed"),
        ({"gtin": "09506000134352", "supplier": "NOBODY"}, "supplier-unknown"),
        ({"gtin": "09506000134352", "pack": {"value": "0", "unit": "mL"}}, "item-pack"),
        ({"gtin": "09506000134352", "material_class": "soup"}, "definition-not-effective"),
    ],
)
def test_an_item_that_cannot_be_is_refused(house, item, change, code):
    values = {"gtin": GTIN, "material_class": "wash-buffer", "supplier": "ACME", "name": "Wash buffer",
              "pack": {"value": "500", "unit": "mL"}} | change  # fmt: skip

    with pytest.raises(Refused) as refusal:
        ask(house, values)
    assert refusal.value.code == code


def test_an_item_is_said_anew_with_a_reason(house, item):
    values = {"gtin": GTIN, "material_class": "wash-buffer", "supplier": "ACME", "name": "Wash buffer",
              "pack": {"value": "500", "unit": "mL"}, "reason": "name corrected"}  # fmt: skip

    assert ask(house, values).facts[0].body["reason"] == "name corrected"
