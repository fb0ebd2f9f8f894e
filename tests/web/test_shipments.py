"""Pages of shipments, couriers, lanes and the fleet."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.app import passport_record, request_of, take_in
from anlage.base import stamp
from anlage.cli import main
from anlage.custody import Audience, Container, compact, issue_passport, public_name
from anlage.custody.transport import Shipment
from anlage.plant import Lot
from anlage.record import Actor, Stream, sign

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def ask(house):
    """Do a command as somebody, signed where it wants a signature."""

    def do(command, person="kurt", **values):
        asked = request_of(command, values)
        if "signature" in type(asked).__slots__:
            from dataclasses import replace

            at = house.installation.clock.now()
            signature = sign({}, person=person, name=person, meaning="x", template="t",
                             method="simulated-person", at=at)  # fmt: skip
            asked = replace(asked, signature=signature)
        return house.installation.engine.do(asked, actor=Actor(person=person, via="api"))

    return do


@pytest.fixture(scope="module")
def lane(house, ask):
    due = stamp(house.installation.clock.now() + timedelta(days=200))
    ask("register-lane", lane="W-LANE", origin="Plant", origin_country="DE", destination="Clinic",
        destination_country="FR", carrier="Fast", mode="road", hours_planned=10, hours_max=40)  # fmt: skip
    ask("qualify-lane", "eva", lane="W-LANE", report="r", runs=3, hours_p95=20, due=due)
    return "W-LANE"


@pytest.fixture
def sealed(house, ask, lane):
    """A booked and sealed shipment of its own for a test: its number and its shipper's."""
    number = next(NUMBERS)
    name, shipper, bag = f"W-SH{number}", f"W-DS{number}", f"W-SB{number}"
    now = house.installation.clock.now()
    due = stamp(now + timedelta(hours=40))
    ask("register-shipper", shipper=shipper, model="DV4", maker="m", serial="s", cycles_max=9,
        keeps_max={"value": "-150", "unit": "Cel"})  # fmt: skip
    ask("qualify-shipper", "eva", shipper=shipper, report="r", hold_hours=99, profile="p",
        due=stamp(now + timedelta(days=99)))  # fmt: skip
    ask("clean-shipper", shipper=shipper, agent="a")
    ask("create-container", container=bag, vessel="bag", place="p", evidence="scanned", lot="W-L")
    ask("create-container", container=shipper, vessel="shipper", place="p", evidence="scanned")
    ask("pack-container", container=bag, into=shipper, evidence="scanned")
    ask("book-shipment", shipment=name, lane=lane, product="frozen-car-t", goods="cells",
        shipper=shipper, pick_up=stamp(now + timedelta(hours=1)), due=due, contacts=["ward 1"])  # fmt: skip
    ask("prepare-shipment", shipment=name, shipper=shipper, containers=[bag], seal="4711",
        receiver="anna", due=due, evidence="scanned")  # fmt: skip
    return name, shipper, bag


def telemetry(house, warm=False):
    at = house.installation.clock.now()
    samples = [
        {"at": stamp(at + timedelta(minutes=10 * n)), "celsius": -130.0 if warm and n == 3 else -180 - n % 3}
        for n in range(12)
    ]  # fmt: skip
    return json.dumps(samples).encode()


def upload(browser, name, data, file="way.json"):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return browser.post(f"/shipments/{name}/log", {"file": SimpleUploadedFile(file, data)})


def shipment(house, name):
    return house.installation.engine.state(Shipment, Stream(f"shipment/{name}"))


def test_the_board_shows_what_is_on_its_way(enter, sealed):
    page = enter("kurt").get("/shipments").content.decode()

    assert sealed[0] in page and "W-LANE" in page


def test_a_telemetry_file_is_taken_in_and_its_curve_shown(enter, house, sealed):
    name = sealed[0]

    answer = upload(enter("kurt"), name, telemetry(house, warm=True))

    assert answer.status_code == 302
    page = enter("kurt").get(f"/shipments/{name}").content.decode()
    assert "reject" in page and "glass transition" in page
    figure = json.loads(enter("kurt").get(f"/shipments/{name}/log/0/figure").content)
    assert len(figure["data"][0]["x"]) == 12
    kinds = [one["type"] for one in figure["layout"]["shapes"]]
    assert kinds.count("rect") == 1 and kinds.count("line") == 2
    drawn = enter("kurt").get(f"/shipments/{name}/log/0/picture")
    assert drawn["Content-Type"] == "image/svg+xml"
    assert drawn.content.count(b'class="out"') == 1


def test_the_figure_is_one_that_plotly_accepts(enter, house, sealed):
    import plotly.graph_objects

    upload(enter("kurt"), sealed[0], telemetry(house))
    figure = json.loads(enter("kurt").get(f"/shipments/{sealed[0]}/log/0/figure").content)

    plotly.graph_objects.Figure(figure)


@pytest.mark.parametrize("data", [b"", b"{", b"\x00" * 50, b"a,b\n1,2\n"])
def test_a_file_that_tells_nothing_is_refused_on_the_page(enter, sealed, data):
    answer = upload(enter("kurt"), sealed[0], data)

    assert answer.status_code == 409
    assert b"Next" in answer.content


def link_of(enter, name, purpose="pick-up"):
    kurt = enter("kurt")
    kurt.post(f"/shipments/{name}/link", {"courier": "K. Roth, Fast", "purpose": purpose})
    page = kurt.get(f"/shipments/{name}").content.decode()
    return re.search(rf"/courier/{name}/[\w-]+", page).group(0)


def test_a_courier_signs_on_the_phone_without_a_login(enter, client, house, sealed):
    name, shipper, _ = sealed
    address = link_of(enter, name)

    page = client.get(address).content.decode()
    assert "DO NOT X-RAY" in page and "4711" not in page and "W-SB" not in page
    wrong = client.post(address, {"seal": "9999", "name": "Karl", "place": "ramp"})
    assert wrong.status_code == 409 and b"seal-broken" in wrong.content
    right = client.post(address, {"seal": "4711", "name": "Karl Roth", "place": "ramp"})

    assert right.status_code == 200
    holder = house.installation.engine.state(Container, Stream(f"container/{shipper}")).holder
    assert holder == "courier K. Roth, Fast"
    again = client.post(address, {"seal": "4711", "name": "Karl", "place": "ramp"})
    assert again.status_code == 410


def test_the_link_is_shown_once_and_its_secret_is_not_kept(enter, house, sealed):
    address = link_of(enter, sealed[0])
    secret = address.rpartition("/")[2]

    assert secret not in enter("kurt").get(f"/shipments/{sealed[0]}").content.decode()
    facts = house.installation.journal.read_stream(Stream(f"shipment/{sealed[0]}"))
    assert not any(secret.encode() in one.content for one in facts)


@pytest.mark.parametrize("tail", ["x", "..%2f..", "%00", "x" * 3000, "<script>"])
def test_a_link_that_is_none_opens_nothing(client, sealed, tail):
    answer = client.get(f"/courier/{sealed[0]}/{tail}")

    assert answer.status_code in (404, 410)
    assert sealed[0].encode() not in answer.content.replace(b"/courier/", b"")


def test_a_link_opens_its_own_shipment_and_no_other_page(enter, client, sealed, house, ask):
    address = link_of(enter, sealed[0])
    secret = address.rpartition("/")[2]

    assert client.get(f"/courier/W-OTHER/{secret}").status_code == 410
    client.get(address)
    for page in ("/shipments", f"/shipments/{sealed[0]}", "/store", "/"):
        assert client.get(page).status_code == 302
        assert client.get(page)["Location"].startswith("/login")


def test_an_expired_link_has_ended(enter, client, house, sealed):
    address = link_of(enter, sealed[0])

    house.installation.clock.advance(timedelta(hours=25))

    assert client.get(address).status_code == 410


def test_the_papers_name_no_patient_and_carry_the_rules(enter, sealed):
    said = json.loads(enter("kurt").get(f"/shipments/{sealed[0]}/papers.json").content)

    assert said["format"] == "anlage-shipment-papers/1"
    assert said["handling"][0] == "DO NOT X-RAY"
    assert said["contacts"] == ["ward 1"] and said["containers"] == 1
    assert {"eu-no-customs", "eu-single-code"} <= {one["id"] for one in said["rules"]}
    assert all(one["source"] for one in said["rules"])
    assert "W-SB" not in json.dumps(said)


def test_the_papers_are_a_pdf_with_the_record_attached(enter, sealed):
    import io

    import pypdf

    answer = enter("kurt").get(f"/shipments/{sealed[0]}/papers.pdf")
    printed = pypdf.PdfReader(io.BytesIO(answer.content))

    text = printed.pages[0].extract_text()
    assert "DO NOT X-RAY" in text and "DO NOT OPEN" in text and "at most -150" in text
    attached = json.loads(printed.attachments["shipment.json"][0])
    assert attached["shipment"] == sealed[0]


def test_papers_of_a_shipment_that_is_not_booked_are_refused(enter, house, ask):
    answer = enter("kurt").get("/shipments/W-NONE/papers.json")

    assert answer.status_code == 409
    assert b"papers-without-booking" in answer.content


def test_a_way_is_checked_on_the_page(enter, lane):
    page = enter("kurt").get("/lanes?from=de&to=BR&goods=cells").content.decode()
    wrong = enter("kurt").get("/lanes?from=Germany&to=BR&goods=soup").content.decode()

    assert "tells nothing about DE to BR" in page
    assert "goods-unknown" in wrong or "country-malformed" in wrong


def test_advice_names_the_ready_shipper_first(enter, sealed, ask, house):
    number = next(NUMBERS)
    due = stamp(house.installation.clock.now() + timedelta(days=99))
    ask("register-shipper", shipper=f"W-FREE{number}", model="DV4", maker="m", serial="s",
        cycles_max=9, keeps_max={"value": "-150", "unit": "Cel"})  # fmt: skip
    ask(
        "qualify-shipper",
        "eva",
        shipper=f"W-FREE{number}",
        report="r",
        hold_hours=99,
        profile="p",
        due=due,
    )
    ask("clean-shipper", shipper=f"W-FREE{number}", agent="a")

    page = enter("kurt").get("/lanes/W-LANE?product=frozen-car-t").content.decode()

    first = page.index("may go")
    assert page.index(f"W-FREE{number}") < first or "W-FREE" in page[:first]
    assert f"out with {sealed[0]}" in page


def test_the_fleet_says_what_is_out(enter, sealed):
    page = enter("kurt").get("/fleet").content.decode()
    one = enter("kurt").get(f"/fleet/{sealed[1]}").content.decode()

    assert "out with" in page
    assert sealed[0] in one


def test_lane_records_leave_without_names(enter, house, ask, client, sealed):
    name, _, bag = sealed
    address = link_of(enter, name)
    client.post(address, {"seal": "4711", "name": "Karl", "place": "ramp"})
    ask("receive-shipment", "anna", shipment=name, scanned=[bag], seal="4711", verdict="accept")

    text = enter("kurt").get("/lanes/records.jsonl").content.decode()

    assert text.count("\n") >= 1
    assert name not in text and "W-LANE" not in text and "Clinic" not in text


@pytest.mark.parametrize(
    "page", ["/shipments/none", "/lanes/none", "/fleet/none", "/store/places/none",
             "/store/picklists/none", "/shipments/none/log/0/figure"]
)  # fmt: skip
def test_what_is_not_there_is_refused(enter, page):
    assert enter("eva").get(page).status_code == 409


@pytest.fixture
def recorded(house, ask, sealed, enter):
    """The passport's parts of a patient's lot whose bag travelled, and grew warm on its way."""
    name, shipper, _ = sealed
    lot = house.named["running"]
    coi = house.installation.engine.state(Lot, Stream(f"lot/{lot}")).coi
    bag, other = f"P-{name}", f"P-{shipper}"
    ask("create-container", container=bag, vessel="bag", place="p", evidence="scanned", lot=lot,
        coi=coi)  # fmt: skip
    ask("create-container", container=other, vessel="shipper", place="p", evidence="scanned")
    ask("pack-container", container=bag, into=other, evidence="scanned")
    ask("prepare-shipment", shipment=f"{name}-P", shipper=other, containers=[bag], seal="4712",
        receiver="anna", due=stamp(house.installation.clock.now() + timedelta(hours=40)),
        evidence="scanned")  # fmt: skip
    take_in(
        house.installation, f"{name}-P", telemetry(house, warm=True), "Erika Mustermann.json",
        actor=Actor(person="kurt", via="api"), product="frozen-car-t",
    )  # fmt: skip
    return passport_record(house.installation, f"lot/{lot}"), f"{name}-P", coi


def test_a_lots_passport_tells_what_its_ways_were_like(recorded):
    record, name, _ = recorded

    (way,) = [one for one in record["conditions"] if one["shipment"] == name]
    assert way["verdict"] == "reject"
    (log,) = way["logs"]
    assert (log["readings"], log["excursions"]) == (12, 1)
    assert log["longest"][0]["worst"] == "-130 degC"
    assert "glass transition" in " ".join(log["reasons"])
    (limits,) = record["handling"]["limits"]
    assert limits["not above"] == "-130 Cel"
    assert "DO NOT X-RAY" in record["handling"]["always"]


def test_consent_is_told_to_those_who_treat_and_to_no_carrier(recorded, tmp_path, capsys):
    record, _, coi = recorded
    assert record["consent"] == [
        {"state": "on record", "form": "consent", "version": "1", "given": record["consent"][0]["given"]}
    ]  # fmt: skip
    key = Ed25519PrivateKey.generate()
    said = {}
    for who in Audience:
        passport = issue_passport(record, who, key, at=datetime.now(UTC), salt="0" * 32)
        assert compact(passport)
        file = tmp_path / f"{who.value}.json"
        file.write_text(json.dumps(passport))
        trust = public_name(key.public_key())
        assert main(["passport", "verify", str(file), "--trust", trust]) == 0
        said[who] = capsys.readouterr().out

    for who, text in said.items():
        is_carrier = who is Audience.CARRIER
        assert "verdict: reject" in text and "excursions: 1" in text, text
        assert "DO NOT X-RAY" in text
        assert ("state: on record" in text) is not is_carrier
        assert (coi in text) is not is_carrier
        assert "Mustermann" not in text


def test_a_shipment_that_nobody_logged_says_so(house, sealed):
    record = passport_record(house.installation, f"shipment/{sealed[0]}")

    assert [(one["shipment"], one["verdict"]) for one in record["conditions"]] == [
        (sealed[0], "nothing logged")
    ]
