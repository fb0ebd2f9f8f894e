"""Tags of what stands here: the scan of a tag opens the very thing, or the tag is not printed."""

import re

import pytest

from anlage.app import understand
from anlage.plant import RegisterRoom, Room
from anlage.wire import symbols


@pytest.mark.req("U23")
@pytest.mark.parametrize("kind", ["equipment", "room", "person"])
def test_a_printed_tag_scans_as_its_thing(house, enter, kind):
    browser = enter("anna")
    page = browser.get(f"/tags?kind={kind}").content.decode()
    lot = house.named["made"]  # another test names a room like it
    things = [one for one in re.findall(r'name="thing" value="([^"]+)"', page) if lot not in one]

    png = browser.get("/tags/tags.png", {"thing": things[0]})
    (read,) = symbols.read_bytes(png.content, "tag.png")

    assert f"{kind}/{read.text}" == things[0]
    assert understand(house.installation, read.text).subject == things[0]


def test_tags_are_printed_on_sheets_and_for_label_printers(house, enter):
    browser = enter("anna")
    things = [f"person/{one.id}" for one in house.installation.journal.streams("person")][:5]

    pdf = browser.get("/tags/tags.pdf", {"thing": things, "sheet": "yes"})
    zpl = browser.get("/tags/tags.zpl", {"thing": things})

    assert pdf.content.startswith(b"%PDF")
    assert zpl.content.count(b"^XA") == 5


def test_a_picture_shows_one_tag_alone(house, enter):
    thing = f"person/{house.installation.journal.streams('person')[0].id}"

    answer = enter("anna").get("/tags/tags.png", {"thing": [thing] * 2})

    assert answer.status_code == 409
    assert "label-job-malformed" in answer.content.decode()


def test_a_tag_that_a_scanner_would_take_for_something_else_is_not_printed(house, enter):
    lot = house.named["made"]
    terms = house.state(Room, "room/R").terms
    house.do(RegisterRoom(room=lot, name="Named as a lot", terms=terms), "eva")

    refused = enter("anna").get("/tags/tags.pdf", {"thing": f"room/{lot}"})

    assert refused.status_code == 409
    assert "tag-ambiguous" in refused.content.decode()
    assert f"lot/{lot}" in refused.content.decode()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"thing": "equipment/none-such"}, "thing-unknown"),
        ({"thing": "lot/x"}, "thing-unknown"),
        ({"thing": ["equipment/none-such"] * 3}, "thing-unknown"),
        ({"thing": "equipment/" + "x" * 200}, "thing-unknown"),
        ({"thing": "person/<script>"}, "thing-unknown"),
        ({}, "nothing-chosen"),
    ],
)
def test_what_is_not_here_gets_no_tag(enter, asked, code):
    refused = enter("anna").get("/tags/tags.pdf", asked)

    assert refused.status_code == 409
    assert code in refused.content.decode()
