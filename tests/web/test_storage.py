"""The pages of the store: a box as a picture, put away, pick and audit by scan."""

import itertools
import re

import pytest

from anlage.custody import Container
from anlage.custody.storage import Place
from anlage.record import Stream


@pytest.fixture(scope="module")
def store(house):
    """A small store with two bags, one of them in quarantine; kurt keeps it."""
    from anlage.app import request_of
    from anlage.record import Actor

    def ask(command, **values):
        asked = request_of(command, values)
        return house.installation.engine.do(asked, actor=Actor(person="kurt", via="api"))

    ask("register-place", place="W-SITE", name="Site", kind="site")
    ask("register-place", place="W-LN2", name="Store", kind="store", parent="W-SITE")
    ask("register-place", place="W-T", name="Tank", kind="tank", parent="W-LN2",
        keeps_max={"value": "-150", "unit": "Cel"})  # fmt: skip
    return ask


NUMBERS = itertools.count(1)


@pytest.fixture
def box(store):
    """A box of its own for a test: bags C1 and C2 in it, C2 in quarantine; C3 on the bench."""
    name = f"W-B{next(NUMBERS)}"
    store("register-place", place=name, name="Box", kind="box", parent="W-T", rows=12, columns=12)
    for bag in ("C1", "C2", "C3"):
        store("create-container", container=f"{name}-{bag}", vessel="bag", place="bench",
              evidence="scanned", lot=f"{name}-LOT", coi="W-P1")  # fmt: skip
        store("classify-container", container=f"{name}-{bag}", product_class="cell therapy",
              infectious="negative")  # fmt: skip
    for bag, at in (("C1", "A1"), ("C2", "A2")):
        store("store-container", container=f"{name}-{bag}", place=name, position=at,
              evidence="scanned")  # fmt: skip
    store("quarantine-container", container=f"{name}-C2", reason="result missing")
    return name


def text_of(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def where(house, name):
    return house.installation.engine.state(Container, Stream(f"container/{name}")).place


def test_a_box_is_shown_as_its_grid(enter, box):
    page = text_of(enter("kurt").get(f"/store/places/{box}"))

    assert len(re.findall(r'class="cell (?:full|held|promised|free)', page)) == 144 + 4
    assert f'class="cell full" title="A1: {box}-C1, W-P1, cell therapy"' in page
    assert f"A2: {box}-C2, W-P1, cell therapy, in quarantine: result missing" in page


def test_the_tree_counts_what_stands_in_every_place(enter, box):
    page = text_of(enter("kurt").get("/store"))

    assert re.search(r"W-SITE.*?(\d+) / \S+", page)


def test_a_bag_is_put_away_by_two_scans(enter, box, house):
    kurt = enter("kurt")

    first = kurt.post("/store/put", {"scan": f"{box}-C3"})
    assert first.headers["Location"] == f"/store/put?container={box}-C3"
    offered = text_of(kurt.get(first.headers["Location"]))
    assert f"{box}:A3" in offered
    second = kurt.post("/store/put", {"container": f"{box}-C3", "scan": f"{box}:B7"})

    assert second.status_code == 302
    assert where(house, f"{box}-C3") == f"{box}:B7"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"container": "{box}-C1", "scan": "{box}:A2"}, "position-occupied"),
        ({"container": "{box}-C1", "scan": "W-T"}, "place-holds-no-containers"),
        ({"scan": "{box}:A9"}, "scan-out-of-order"),
        ({"scan": "what?"}, "scan-unknown"),
        ({"scan": "<script>"}, "scan-unknown"),
        ({"scan": ""}, "scan-unknown"),
    ],
)
def test_a_scan_that_does_not_fit_is_refused_on_the_page(enter, box, form, code):
    filled = {key: value.replace("{box}", box) for key, value in form.items()}
    answer = enter("kurt").post("/store/put", filled)

    assert answer.status_code == 409
    assert code in answer.content.decode()
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize("scan", ["{}", "{}:A1", "]d24149521101530001254{}"])
def test_a_scan_leads_to_its_place(enter, box, scan):
    answer = enter("kurt").get("/store/find", {"scan": scan.format(box)})

    assert answer.headers["Location"] == f"/store/places/{box}"


def test_a_scan_of_a_stored_bag_leads_to_its_box(enter, box):
    answer = enter("kurt").get("/store/find", {"scan": f"{box}-C2"})

    assert answer.headers["Location"] == f"/store/places/{box}?find={box}-C2"


def test_a_picklist_is_made_and_picked_on_pages(enter, box, house):
    kurt = enter("kurt")
    offered = text_of(kurt.get(f"/store/picklists/new?lot={box}-LOT&count=5"))
    assert f"{box}-C1" in offered and f"{box}-C2" not in offered

    made = kurt.post("/store/picklists/new", {"lot": f"{box}-LOT", "count": "1", "order": "dose"})
    address = made.headers["Location"]
    assert f"{box}-C1" in text_of(kurt.get(address))
    wrong = kurt.post(address, {"scan": f"{box}-C2", "to": "bench"})
    assert wrong.status_code == 409 and b"identity-mismatch" in wrong.content
    right = kurt.post(address, {"scan": f"{box}-C1", "to": "bench"})

    assert right.status_code == 302
    assert where(house, f"{box}-C1") == "bench"
    assert b"Every line is done" in kurt.get(address).content


def test_an_audit_on_the_page_records_what_is_missing(enter, box, house):
    kurt = enter("kurt")
    before = house.installation.engine.state(Place, Stream(f"place/{box}")).stowed
    there = [one.container for one in before.values()]

    kurt.post(f"/store/places/{box}/audit", {"scanned": "\n".join(there[1:])})

    after = house.installation.engine.state(Place, Stream(f"place/{box}")).stowed
    assert [one.container for one in after.values()] == there[1:]
    assert where(house, there[0]) is None


def test_a_reader_sees_the_store_and_changes_nothing(enter, box):
    answer = enter("fritz").post("/store/put", {"container": f"{box}-C2", "scan": f"{box}:C1"})

    assert enter("fritz").get("/store").status_code == 200
    assert answer.status_code == 409
    assert b"operator-unqualified" in answer.content
