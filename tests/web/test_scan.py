"""Every scan is kept, accepted or not; it opens what it is; a photo reads as the scanner does."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from anlage.app import keep_scan, understand
from anlage.base import Refused
from anlage.custody import (
    SCANNER_SHEET,
    CalibrateScanner,
    Calibration,
    CreateContainer,
    Evidence,
    GiveCode,
    PackContainer,
    PrepareShipment,
    RecordScan,
    RecordTags,
    calibrate,
)
from anlage.record import Actor, Stream
from anlage.wire.labels import LAYOUTS, render

ACTOR = Actor(person="anna", via="page", session="s")
TUBE = {"gtin": "09506000134352", "serial": "S1", "lot": "L-42", "name": "CAR-T straw"}


def last_scan(house):
    rows = house.installation.rows("scans").find(facet="scan", limit=1, newest_first=True)
    return next(row for _, row in rows)


def test_a_typed_code_opens_what_it_names(house, enter):
    lot = house.named["made"]

    answer = enter("anna").post("/scan", {"scan": lot})

    assert (answer.status_code, answer["Location"]) == (302, f"/lots/{lot}")
    assert last_scan(house)["subject"] == f"lot/{lot}"


@pytest.mark.parametrize(
    ("text", "is_valid", "is_sealed"),
    [
        ("(01)09506000134352(21)S9", True, False),
        ("(01)09506000134353(21)S9", False, False),
        ("=A99991712345600", True, False),
        ("&/CHA999923000001", True, True),
        ("&#05081234ABCD", True, True),
        ("Jane Doe 1970-01-01", False, True),
    ],
)
def test_every_scan_is_kept_and_in_the_vault_where_it_may_name_a_patient(
    house, enter, text, is_valid, is_sealed
):
    answer = enter("anna").post("/scan", {"scan": text})

    assert answer.status_code == 200
    row = last_scan(house)
    assert row["is_valid"] is is_valid
    assert row["raw"] == ("" if is_sealed else text)
    facts = b"".join(one.content for one in house.installation.journal.read(0))
    assert (text.encode() in facts) is not is_sealed


def test_a_page_is_told_what_its_scanner_read(house, enter):
    lot = house.named["made"]

    answer = enter("anna").post("/scan/read", {"typed": lot, "page": "/equipment"})

    assert answer.json() == {
        "text": lot,
        "kind": "unknown",
        "valid": True,
        "subject": f"lot/{lot}",
        "link": f"/lots/{lot}",
    }
    assert last_scan(house)["page"] == "/equipment"


def test_nothing_read_is_refused(house):
    with pytest.raises(Refused) as refusal:
        keep_scan(house.installation, "", workstation="w", actor=ACTOR)
    assert refusal.value.code == "scan-malformed"
    with pytest.raises(Refused):
        house.do(
            RecordScan(workstation="w", form="x", symbology="wedge", raw="", digest=""), "anna"
        )


def phone_photo(page):
    """The label as a phone sees it: smaller, turned, grey, a little out of focus, as JPEG."""
    label = Image.open(io.BytesIO(page)).convert("L")
    table = Image.new("L", (label.width + 400, label.height + 400), 150)
    table.paste(label.point(lambda value: 40 + value * 180 // 255), (200, 200))
    table = table.rotate(7, fillcolor=150, resample=Image.Resampling.BICUBIC)
    table = table.filter(ImageFilter.GaussianBlur(0.8))
    data = io.BytesIO()
    table.convert("RGB").save(data, "JPEG", quality=70)
    return data.getvalue()


def test_a_phone_photo_of_a_label_reads_as_its_scanner_does(house, enter):
    from django.core.files.uploadedfile import SimpleUploadedFile

    (page,) = render(LAYOUTS["tube"], [TUBE], form="png", dpi=300).pages
    house.do(GiveCode(code="(01)09506000134352(21)S1", subject="container/TUBE-1"), "anna")
    typed = understand(house.installation, "]d2010950600013435210L-42\x1d21S1")

    photo = SimpleUploadedFile("label.jpg", phone_photo(page), "image/jpeg")
    answer = enter("anna").post("/scan/photo", {"photo": photo})

    assert (answer.status_code, answer["Location"]) == (302, "/record/container/TUBE-1")
    assert typed.subject == "container/TUBE-1"
    assert last_scan(house)["thing"] == typed.thing
    blank = SimpleUploadedFile("blank.png", _blank(), "image/png")
    assert b"No symbol was read" in enter("anna").post("/scan/photo", {"photo": blank}).content
    assert enter("anna").post("/scan/photo", {}).status_code == 409


def _blank():
    data = io.BytesIO()
    Image.new("L", (300, 300), 255).save(data, "PNG")
    return data.getvalue()


LAYOUTS_OF_KEYS = {
    "German": ("yzYZ-/_?;:'\"=+()&*<>[]@#", 'zyZYß-?_öÖäÄ´`)=/(;:ü+"§'),
    "French letters": ("aqwzAQWZ", "qazwQAZW"),
    "none": ("", ""),
}


@pytest.mark.parametrize("layout", LAYOUTS_OF_KEYS)
@given(
    prefix=st.text("~^|", max_size=3),
    suffix=st.sampled_from(["", "{Tab}", "~~"]),
    separator=st.sampled_from(["{F8}", "{Ctrl+]}", "\x1d", "|", "{Alt+2}{Alt+9}"]),
    code=st.text("0123456789ABCyzYZ-/_?;:=+()&*<>\x1d", min_size=6, max_size=40),
)
def test_a_calibrated_scanner_is_understood_whatever_it_adds(
    layout, prefix, suffix, separator, code
):
    there = str.maketrans(*LAYOUTS_OF_KEYS[layout])

    def typed(text):
        return prefix + separator.join(p.translate(there) for p in text.split("\x1d")) + suffix

    found = calibrate({name: typed(text) for name, text in SCANNER_SHEET})

    assert found.clean(typed(code)) == code


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"alphabet": SCANNER_SHEET[0][1].upper(), "separator": "x", "proof": "y"},
        {name: text.replace("\x1d", "") for name, text in SCANNER_SHEET},
        {name: text[::-1] for name, text in SCANNER_SHEET},
        {**dict(SCANNER_SHEET), "proof": "=+02000=A99991712345600=>027032"},
    ],
)
def test_a_scanner_that_cannot_be_understood_is_refused(typed):
    with pytest.raises(Refused) as refusal:
        calibrate(typed)
    assert refusal.value.code == "scanner-uncalibrated"


def test_a_calibration_of_another_layout_is_kept_and_used(house):
    there = str.maketrans(*LAYOUTS_OF_KEYS["German"])
    typed = {
        name: "{F8}".join(part.translate(there) for part in text.split("\x1d"))
        for name, text in SCANNER_SHEET
    }
    house.do(CalibrateScanner(workstation="de", name="Bench", typed=typed), "anna")

    code = "(01)09506000134352(21)YZ-1".translate(there)
    found = keep_scan(house.installation, code, workstation="de", actor=ACTOR)

    assert found.text == "(01)09506000134352(21)YZ-1"
    assert last_scan(house)["raw"] == code


def test_a_calibration_stands_for_its_workstation_alone(house, enter):
    typed = {name: "~" + text.replace("\x1d", "{Ctrl+]}") for name, text in SCANNER_SHEET}
    browser = enter("anna")
    assert browser.get("/scan/calibrate").status_code == 200
    workstation = browser.cookies["workstation"].value

    assert browser.post("/scan/calibrate", {"name": "Bench", **typed}).status_code == 302

    lot = house.named["made"]
    assert browser.post("/scan/read", {"typed": f"~{lot}"}).json()["text"] == lot
    other = enter("eva").post("/scan/read", {"typed": f"~{lot}"}).json()
    assert (other["text"], other["subject"]) == (f"~{lot}", "")
    wrong = browser.post("/scan/calibrate", {"name": "Bench", "alphabet": "?"})
    assert wrong.status_code == 409
    house.do(
        CalibrateScanner(workstation=workstation, name="Bench", typed=dict(SCANNER_SHEET)), "anna"
    )
    assert Calibration().clean("abc") == "abc"


def tag(number):
    """The EPC memory of a GRAI-96 tag: filter 0, company prefix of 7 digits."""
    bits = (0x33 << 88) | (0 << 85) | (5 << 82) | (4012345 << 58) | (11 << 38) | number
    return f"{bits:024X}"


@pytest.fixture
def shipped(house):
    """Three tubes with tags, packed into a shipper."""
    if house.installation.journal.head(Stream("shipment/SH-RF")).version:
        return "SH-RF"
    for number in range(3):
        _create(house, f"RF-{number}", "tube")
        code = f"urn:epc:id:grai:4012345.00011.{900 + number}"
        house.do(GiveCode(code=code, subject=f"container/RF-{number}"), "anna")
    _create(house, "RF-BOX", "shipper")
    for number in range(3):
        packed = PackContainer(container=f"RF-{number}", into="RF-BOX", evidence=Evidence.SCANNED)
        house.do(packed, "anna")
    house.do(
        PrepareShipment(
            shipment="SH-RF",
            shipper="RF-BOX",
            containers=("RF-0", "RF-1", "RF-2"),
            seal="7",
            receiver="hospital",
            due=house.clock.now(),
            evidence=Evidence.SCANNED,
        ),
        "anna",
    )
    return "SH-RF"


def _create(house, name, vessel):
    house.do(
        CreateContainer(container=name, vessel=vessel, place="store", evidence=Evidence.SCANNED),
        "anna",
    )


def test_a_shipper_is_received_by_reading_its_tags_at_once(house, enter, shipped):
    page = enter("anna").get(f"/scan/shipment/{shipped}").content.decode()
    assert "No reader has read this shipment yet" in page
    tags = (tag(900), tag(901), tag(901), tag(77), "NOT-A-TAG")
    house.do(RecordTags(reader="gate-1", tags=tags, shipment=shipped), "anna")

    page = enter("anna").get(f"/scan/shipment/{shipped}").content.decode()

    assert "RF-2" in page[page.index("Missing") : page.index("Foreign")]
    assert "urn:epc:id:grai:4012345.00011.77" in page
    assert "NOT-A-TAG" in page
    house.do(RecordTags(reader="gate-1", tags=(tag(902),), shipment=shipped), "anna")
    page = enter("anna").get(f"/scan/shipment/{shipped}").content.decode()
    assert "Missing" not in page


def test_a_reader_sends_its_tags_as_json(house, client):
    from anlage.app import make_token

    token = make_token("gate", "anna")
    values = {"reader": "gate-2", "tags": [tag(1), tag(2)]}

    answer = client.post(
        "/api/commands/record-tags",
        json.dumps({"values": values}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 200, answer.content
    assert answer.json()["streams"] == ["reader/gate-2"]


@pytest.mark.parametrize("tags", [(), ("",), ("F" * 200,)])
def test_a_bulk_read_of_nothing_is_refused(house, tags):
    with pytest.raises(Refused) as refusal:
        house.do(RecordTags(reader="gate-1", tags=tags), "anna")
    assert refusal.value.code == "tags-malformed"


def test_a_code_given_to_a_container_finds_it_in_the_store_as_anywhere_else(house, shipped):
    """One resolver: the store and the scan page read the same codes."""
    from anlage.app import Scanned, meaning

    site = house.installation
    for text in (
        tag(900),
        "urn:epc:id:grai:4012345.00011.900",
        "RF-0",
        "container/RF-0",
        "]C1RF-0",
    ):
        assert understand(site, text).subject == "container/RF-0", text
        meant = meaning(site, text)
        assert (meant.kind, meant.id) == (Scanned.CONTAINER, "RF-0"), text


def test_a_lots_number_is_read_on_a_page_and_refused_in_the_store(house):
    from anlage.app import meaning

    lot = house.named["made"]
    assert understand(house.installation, lot).subject == f"lot/{lot}"
    with pytest.raises(Refused) as refusal:
        meaning(house.installation, lot)
    assert refusal.value.code == "scan-unknown"
