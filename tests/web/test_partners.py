"""A partner's event moves nothing until a person takes it, or an agreement with the partner does."""

import html
import re

import pytest

from anlage.app import epcis_of, make_token
from anlage.base import Refused
from anlage.custody import (
    AcceptClaim,
    AgreeMatching,
    Container,
    CreateContainer,
    DismissClaim,
    EndMatching,
    Evidence,
    GiveCode,
    Meaning,
    OfferContainer,
    WithdrawCode,
)
from anlage.record import Stream
from anlage.wire.epcis import check, read_bytes
from tests.serving import serve
from tests.web.test_epcis import Partner, a_document, an_event

SENDER = "kurt"  # the store keeper's token stands for the partner's program


@pytest.fixture(scope="module")
def token(house):
    serve(house.installation)  # a token lies in the desk that is served just now
    return make_token("courier", SENDER)


@pytest.fixture
def partner(client, house, token):
    return Partner(client, token)


def bag(house, name, serial):
    """A bag at the clinic, held by the operator, that carries a code a partner can read."""
    house.do(
        CreateContainer(
            container=name, vessel="bag", place="clinic", evidence=Evidence.SCANNED, coi=f"P{name}"
        ),
        "anna",
    )
    code = f"(8003)04012345000115{serial}"
    house.do(GiveCode(code=code, subject=f"container/{name}"), "anna")
    return f"urn:epc:id:grai:4012345.00011.{serial}"


def state(house, name):
    return house.state(Container, f"container/{name}")


def said(partner, epc, **more):
    answer = partner.post("capture", a_document(an_event("0", epcList=[epc], **more)))
    assert answer.status_code == 202, answer.content
    return answer.json()["captureID"]


def test_a_claim_waits_until_a_person_takes_it(house, partner, enter):
    epc = bag(house, "PE-1", "71")
    before = state(house, "PE-1")
    said(partner, epc)
    assert state(house, "PE-1") == before

    page = enter("kurt").get("/partners").content.decode()
    assert "PE-1" in page
    asked = html.unescape(re.search(r'href="(/act/accept-claim\?[^"]*PE-1[^"]*)"', page)[1])
    form = enter("kurt").get(asked)
    values = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form.content.decode()))
    values = {key: html.unescape(one) for key, one in values.items()} | {"meaning": "seen"}
    done = enter("kurt").post("/act/accept-claim", values)

    assert done.status_code == 302, done.content.decode()
    facts = house.installation.journal.read_stream(Stream("container/PE-1"))
    assert facts[-1].kind == "container-seen"
    assert facts[-1].fact.evidence is Evidence.ATTESTED_LATER
    assert "attested later" not in enter("kurt").get("/record/claim/x").content.decode()


def test_an_agreement_closes_the_hand_over_to_the_partner_and_nothing_else(house, partner):
    house.do(AgreeMatching(party="courier-1", person=SENDER), "eva")
    offered, kept = bag(house, "PE-2", "72"), bag(house, "PE-3", "73")
    house.do(OfferContainer(container="PE-2", to="courier-1", evidence=Evidence.SCANNED), "anna")

    said(partner, offered, bizStep="storing")
    assert state(house, "PE-2").holder == "anna"
    said(partner, offered, bizStep="accepting")
    said(partner, kept, bizStep="accepting")

    assert state(house, "PE-2").holder == "courier-1"
    assert state(house, "PE-3").holder == "anna"
    house.do(EndMatching(party="courier-1", reason="contract ended"), "eva")


def test_a_claim_without_ground_is_refused(house, partner):
    epc = bag(house, "PE-4", "74")
    bag(house, "PE-5", "75")
    event = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3377"
    capture = said(partner, epc, eventID=event, bizStep="storing")
    thing = "https://id.gs1.org/8003/0401234500011574"
    asked = {
        "capture": capture,
        "event": event,
        "thing": thing,
        "container": "PE-4",
        "meaning": Meaning.SEEN,
    }

    def refused(**changed):
        with pytest.raises(Refused) as refusal:
            house.do(AcceptClaim(**asked | changed), "kurt")
        return refusal.value.code

    assert refused(container="PE-5") == "claim-unfounded"
    assert refused(thing="https://id.gs1.org/8003/0401234500011575") == "claim-unfounded"
    assert refused(event="urn:x:other") == "claim-unfounded"
    assert refused(meaning=Meaning.TAKEN, party="courier-1") == "claim-unfounded"
    with pytest.raises(Refused) as nobody:
        house.do(AcceptClaim(**asked), "clara")
    assert nobody.value.code == "operator-unqualified"
    house.do(AcceptClaim(**asked), "kurt")
    assert refused() == "claim-decided"


def test_a_claim_without_a_place_needs_one(house, partner):
    epc = bag(house, "PE-6", "76")
    event = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3378"
    capture = said(partner, epc, eventID=event, readPoint={"id": "geo:1,2"})
    thing = "https://id.gs1.org/8003/0401234500011576"
    asked = {"capture": capture, "event": event, "thing": thing, "container": "PE-6"}
    house.do(AcceptClaim(**asked, meaning=Meaning.SEEN, place="gate"), "kurt")
    facts = house.installation.journal.read_stream(Stream("container/PE-6"))
    assert facts[-1].fact.place == "gate"


def test_a_claim_that_is_put_aside_is_not_shown_again(house, partner, enter):
    epc = bag(house, "PE-7", "77")
    event = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3379"
    said(partner, epc, eventID=event)
    house.do(DismissClaim(event=event, container="PE-7", reason="wrong bag read"), "kurt")

    page = enter("kurt").get("/partners").content.decode()

    assert "wrong bag read" in page
    assert f"accept-claim?capture={event}" not in page
    with pytest.raises(Refused) as again:
        house.do(DismissClaim(event=event, container="PE-7", reason="again"), "kurt")
    assert again.value.code == "claim-decided"


def test_an_agreement_that_does_not_stand_cannot_end(house):
    with pytest.raises(Refused) as refusal:
        house.do(EndMatching(party="nobody", reason="x"), "eva")
    assert refusal.value.code == "matching-unknown"


def test_a_code_names_one_thing_at_a_time(house):
    bag(house, "PE-8", "78")
    code = "urn:epc:id:grai:4012345.00011.78"  # the same asset, written as an EPC
    with pytest.raises(Refused) as taken:
        house.do(GiveCode(code=code, subject="container/PE-1"), "anna")
    assert taken.value.code == "code-names-another"
    house.do(WithdrawCode(code=code, reason="tag came off"), "anna")
    with pytest.raises(Refused) as gone:
        house.do(WithdrawCode(code=code, reason="again"), "anna")
    assert gone.value.code == "code-names-nothing"
    house.do(GiveCode(code=code, subject="container/PE-1"), "anna")
    with pytest.raises(Refused) as empty:
        house.do(GiveCode(code="  ", subject="container/PE-1"), "anna")
    assert empty.value.code == "code-malformed"


def test_custody_leaves_as_events_under_the_codes_that_partners_read(house, enter):
    bag(house, "PE-9", "79")
    answer = enter("kurt").get("/partners/export?subject=container/PE-9")
    assert check(read_bytes(answer.content, "export")) == []
    (event,) = answer.json()["epcisBody"]["eventList"]
    assert event["epcList"] == ["https://id.gs1.org/8003/0401234500011579"]
    with pytest.raises(Refused) as unknown:
        epcis_of(house.installation, Stream("lot/none"), at=house.clock.now())
    assert unknown.value.code == "subject-unknown"
