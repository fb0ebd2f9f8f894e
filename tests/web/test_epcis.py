"""EPCIS over HTTP: what is captured comes back word for word, once, and moves nothing of ours."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anlage.app import make_token
from anlage.base import Refused
from anlage.record import Actor
from anlage.wire.epcis import check, hashes, read_bytes
from tests.epcis_events import EVENTS
from tests.epcis_events import a_document as drawn_document
from tests.serving import serve

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def an_event(serial, **more):
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-02-01T10:00:00.000+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "epcList": [f"urn:epc:id:sgtin:0614141.107346.{serial}"],
        "bizStep": "receiving",
        "disposition": "in_progress",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    } | more


def a_document(*events):
    return {
        "@context": [CONTEXT, {"own": "https://cells.example.org/epcis/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-02-01T11:00:00.000Z",
        "epcisBody": {"eventList": list(events)},
    }


class Partner:
    """A program of a partner, with a token."""

    def __init__(self, client, token):
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def get(self, address, **more):
        return self.client.get(f"/epcis/{address}", headers=self.headers, **more)

    def delete(self, address):
        return self.client.delete(f"/epcis/{address}", headers=self.headers)

    def post(self, address, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            f"/epcis/{address}", data, content_type=kind, headers=self.headers | named
        )

    def events(self, address="events", **asked):
        answer = self.get(address, query_params=asked)
        assert answer.status_code == 200, answer.content
        assert check(read_bytes(answer.content, "answer")) == []
        return answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]


@pytest.fixture(scope="module")
def token(site):
    serve(site)
    return make_token("partner", "P-0001")


@pytest.fixture
def partner(client, token):
    return Partner(client, token)


def test_a_captured_document_comes_back_without_loss(partner):
    event = an_event("1001", **{"own:note": {"own:depth": 1.25}})
    answer = partner.post("capture", a_document(event))
    assert answer.status_code == 202
    job = partner.client.get(answer["Location"], headers=partner.headers).json()
    assert (job["running"], job["success"], job["errors"]) == (False, True, [])
    (found,) = partner.events(MATCH_anyEPC="urn:epc:id:sgtin:0614141.107346.1001")
    assert {name: found[name] for name in event} == event
    assert found["eventID"].startswith("ni:///sha-256;")
    one = partner.get("events/" + quote(found["eventID"], safe="")).json()
    assert {name: one[name] for name in event} == event
    assert job["captureID"] in [
        row["captureID"] for row in partner.get("capture?perPage=1000").json()
    ]


@pytest.mark.req("U41")
def test_a_thing_is_found_by_its_urn_and_by_its_digital_link(partner):
    partner.post("capture", a_document(an_event("1002")))
    link = "https://id.gs1.org/01/10614141073464/21/1002"
    assert len(partner.events(MATCH_epc=link)) == 1
    assert len(partner.events("epcs/" + quote(link, safe="") + "/events")) == 1


def test_the_same_document_twice_does_not_double_its_events(partner):
    document = a_document(an_event("1003"))
    partner.post("capture", document)
    again = partner.post("capture", document)
    assert again.json()["events"] == {"new": 0, "known": 1}
    assert len(partner.events(MATCH_anyEPC="urn:epc:id:sgtin:0614141.107346.1003")) == 1


@pytest.mark.req("U41")
def test_one_wrong_event_rolls_a_document_back_and_is_named(partner):
    wrong = an_event("1005", action="MAYBE")
    answer = partner.post("capture", a_document(an_event("1004"), wrong))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "epcisException:ValidationException"
    assert answer.json()["problems"][0]["path"].startswith("epcisBody.eventList[1]")
    assert partner.events(MATCH_anyEPC="urn:epc:id:sgtin:0614141.107346.1004") == []


@pytest.mark.req("U41")
def test_proceed_takes_the_valid_events_and_reports_the_other(partner):
    wrong = an_event("1007", action="MAYBE")
    answer = partner.post(
        "capture", a_document(wrong, an_event("1006")), GS1_Capture_Error_Behaviour="proceed"
    )
    assert answer.status_code == 202
    assert answer.json()["success"] is False
    assert "eventList[0]" in answer.json()["errors"][0]["title"]
    assert len(partner.events(MATCH_anyEPC="urn:epc:id:sgtin:0614141.107346.1006")) == 1
    assert partner.events(MATCH_anyEPC="urn:epc:id:sgtin:0614141.107346.1007") == []


def test_a_single_event_is_created_and_read_at_its_address(partner):
    name = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    event = an_event("1008", eventID=name)
    answer = partner.post("events", {"@context": CONTEXT} | event)
    assert answer.status_code == 201
    found = partner.client.get(answer["Location"], headers=partner.headers).json()
    assert {key: found[key] for key in event} == event
    other = partner.post("events", event | {"disposition": "damaged"})
    assert other.status_code == 409


def test_an_error_declaration_stands_beside_the_event_it_corrects(partner):
    name = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3302"
    event = an_event("1009", eventID=name)
    partner.post("capture", a_document(event))
    error = {"declarationTime": "2026-02-02T10:00:00.000Z", "reason": "incorrect_data"}
    assert partner.post("events", event | {"errorDeclaration": error}).status_code == 201
    assert len(partner.events(EQ_eventID=name)) == 2
    assert len(partner.events(EQ_eventID=name, EXISTS_errorDeclaration="true")) == 1
    assert partner.get("events/" + quote(name, safe="")).json()["errorDeclaration"] == error
    assert partner.delete("events/" + quote(name, safe="")).status_code == 405


def test_parameters_narrow_a_query(partner):
    place = {"id": "urn:epc:id:sgln:0614141.04711.7"}
    early = an_event("2001", bizLocation=place)
    late = an_event(
        "2002", bizLocation=place, eventTime="2026-02-03T10:00:00.000+01:00", bizStep="shipping"
    )
    made = {
        "type": "TransformationEvent",
        "eventTime": "2026-02-04T10:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "transformationID": "urn:epc:id:gdti:0614141.12345.400",
        "inputEPCList": ["urn:epc:id:sgtin:0614141.107346.2001"],
        "outputEPCList": ["urn:epc:id:sgtin:0614141.107346.2003"],
        "bizLocation": place,
    }
    packed = {
        "type": "AggregationEvent",
        "eventTime": "2026-02-05T10:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "parentID": "urn:epc:id:sscc:0614141.1234567890",
        "childEPCs": ["urn:epc:id:sgtin:0614141.107346.2003"],
        "action": "ADD",
        "bizLocation": place,
    }
    answer = partner.post("capture", a_document(early, late, made, packed))
    assert answer.status_code == 202, answer.content

    def places(**asked):
        found = partner.events(EQ_bizLocation=place["id"], **asked)
        every = [early["eventTime"], late["eventTime"], made["eventTime"], packed["eventTime"]]
        return [every.index(one["eventTime"]) for one in found]

    assert places() == [0, 1, 2, 3]
    assert places(eventType="ObjectEvent|AggregationEvent") == [0, 1, 3]
    assert places(EQ_bizStep="https://ref.gs1.org/cbv/BizStep-shipping") == [1]
    assert places(GE_eventTime="2026-02-03T09:00:00.000Z") == [1, 2, 3]
    assert places(LT_eventTime="2026-02-03T10:00:00.000+01:00") == [0]
    assert places(GE_recordTime="2200-01-01T00:00:00Z") == []
    assert places(EQ_action="ADD") == [3]
    assert places(EQ_disposition="in_progress") == [0, 1]
    assert places(MATCH_inputEPC="urn:epc:id:sgtin:0614141.107346.2001") == [2]
    assert places(MATCH_outputEPC="urn:epc:id:sgtin:0614141.107346.2003") == [2]
    assert places(MATCH_parentID="urn:epc:id:sscc:0614141.1234567890") == [3]
    assert places(MATCH_anyEPC="urn:epc:id:sgtin:0614141.107346.2003") == [2, 3]
    assert places(MATCH_epc="urn:epc:id:sgtin:0614141.107346.2001") == [0]
    assert places(EQ_transformationID=made["transformationID"]) == [2]


def test_parameters_that_only_the_content_can_answer_narrow_a_query(partner):
    place = {"id": "urn:epc:id:sgln:0614141.04722.0"}
    inner = {"id": "urn:epc:id:sgln:0614141.04722.12"}
    cold = {
        "sensorMetadata": {
            "time": "2026-02-01T09:00:00.000Z",
            "deviceID": "urn:epc:id:giai:4000001.111",
        },
        "sensorReport": [{"type": "Temperature", "value": -151.2, "uom": "CEL"}],
    }
    events = [
        an_event("9001", bizLocation=place, sensorElementList=[cold]),
        an_event(
            "9002",
            bizLocation=inner,
            eventTime="2026-02-03T10:00:00.000+01:00",
            quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.011111.7", "quantity": 20}],
            bizTransactionList=[{"type": "po", "bizTransaction": "urn:x:order:7"}],
        ),
        an_event(
            "9003",
            bizLocation=place,
            eventTime="2026-02-02T10:00:00.000+01:00",
            persistentDisposition={"set": ["completeness_verified"]},
            sourceList=[{"type": "possessing_party", "source": "urn:epc:id:pgln:4012345.00225"}],
            **{"own:batch": "B-7", "own:count": 12},
        ),
    ]
    error = {"declarationTime": "2026-02-09T10:00:00.000Z", "reason": "incorrect_data"}
    assert partner.post("capture", a_document(*events)).status_code == 202
    wrong = an_event("9004", bizLocation=place, errorDeclaration=error)
    assert partner.post("events", wrong).status_code == 201

    def found(**asked):
        held = partner.events(WD_bizLocation=place["id"], **asked)
        return [one["epcList"][0].rpartition(".")[2] for one in held]

    assert found() == ["9001", "9002", "9003", "9004"]
    assert found(EQ_deviceID="urn:epc:id:giai:4000001.111") == ["9001"]
    assert found(EQ_type="Temperature") == ["9001"]
    assert found(LT_value_CEL="-150") == ["9001"]
    assert found(GT_value="-150") == []
    assert found(GE_quantity="20") == ["9002"]
    assert found(GT_quantity="20") == []
    assert found(EQ_bizTransaction_po="urn:x:order:7") == ["9002"]
    assert found(EQ_bizTransaction_inv="urn:x:order:7") == []
    assert found(EQ_source_possessing_party="urn:epc:id:pgln:4012345.00225") == ["9003"]
    assert found(EQ_persistentDisposition_set="completeness_verified") == ["9003"]
    assert found(EQ_errorReason="incorrect_data") == ["9004"]
    assert found(LT_errorDeclarationTime="2026-02-09T10:00:00.000Z") == []
    assert found(**{"EQ_https://cells.example.org/epcis/#batch": "B-7"}) == ["9003"]
    assert found(**{"GT_own:count": "11", "EXISTS_own:batch": ""}) == ["9003"]
    assert found(orderBy="eventTime", orderDirection="DESC") == ["9002", "9003", "9001", "9004"]
    assert found(orderBy="eventTime", eventCountLimit="1") == ["9002"]
    too_many = partner.get(f"events?WD_bizLocation={place['id']}&maxEventCount=2")
    assert (too_many.status_code, too_many.json()["type"]) == (
        413,
        "epcisException:QueryTooLargeException",
    )


def test_sorted_answers_are_paged_too(partner):
    place = {"id": "urn:epc:id:sgln:0614141.00887.0"}
    partner.post("capture", a_document(*(an_event(f"4{n}", bizLocation=place) for n in range(7))))
    seen, address = [], f"events?EQ_bizLocation={place['id']}&perPage=3&orderBy=recordTime"
    while address:
        answer = partner.get(address)
        held = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        seen.append(len(held))
        address = answer.get("Link", "").partition("</epcis/")[2].partition(">")[0]
    assert seen == [3, 3, 1]


def test_pages_follow_one_another_without_gap_or_repeat(partner):
    place = {"id": "urn:epc:id:sgln:0614141.00999.0"}
    partner.post("capture", a_document(*(an_event(f"3{n}", bizLocation=place) for n in range(25))))
    seen, address = [], f"events?EQ_bizLocation={place['id']}&perPage=10"
    while address:
        answer = partner.get(address)
        held = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        seen.append([one["epcList"][0].rpartition(".")[2] for one in held])
        link = answer.get("Link", "")
        address = link.partition("</epcis/")[2].partition(">")[0]
    assert [len(one) for one in seen] == [10, 10, 5]
    assert [one for page in seen for one in page] == [f"3{n}" for n in range(25)]
    assert partner.get("events?perPage=10&nextPageToken=bm9uZQ").status_code == 400


def test_unknown_parameters_are_refused_and_known_ones_not_served_say_so(partner):
    assert partner.get("events?EQ_colour=red").json()["type"].endswith("QueryParameterException")
    assert partner.get("events?GE_eventTime=yesterday").status_code == 400
    unserved = partner.get("events?HASATTR_bizLocation=urn:epcglobal:cbv:mda#site")
    assert (unserved.status_code, unserved.json()["type"]) == (
        501,
        "epcisException:ImplementationException",
    )


@pytest.mark.parametrize("kind", ["eventTypes", "bizSteps", "readPoints", "dispositions", "epcs"])
def test_top_level_resources_list_what_events_hold(partner, kind):
    partner.post("capture", a_document(an_event("4001")))
    held = partner.get(kind).json()["member"]
    assert held
    assert partner.events(f"{kind}/{quote(held[0], safe='')}/events")
    assert partner.get(f"{kind}/{quote(held[0], safe='')}").status_code == 200
    assert partner.get(f"{kind}/none-such").status_code == 404


def test_a_named_query_is_kept_answered_polled_and_dropped(partner):
    place = "urn:epc:id:sgln:0614141.00777.0"
    asked = {
        "name": "arrivals",
        "query": {"EQ_bizLocation": [place], "eventTypes": ["ObjectEvent"]},
    }
    assert partner.post("queries", asked).status_code == 201
    assert partner.post("queries", asked).status_code == 409
    partner.post("capture", a_document(an_event("5001", bizLocation={"id": place})))
    assert len(partner.events("queries/arrivals/events")) == 1
    made = partner.post("queries/arrivals/subscriptions", {})
    assert made.status_code == 201
    poll = made.json()["events"].removeprefix("/epcis/")
    assert partner.events(poll) == []
    token = partner.get(poll)["GS1-Next-Page-Token"]
    partner.post("capture", a_document(an_event("5002", bizLocation={"id": place})))
    assert len(partner.events(poll, nextPageToken=token)) == 1
    later = partner.get(poll, query_params={"nextPageToken": token})["GS1-Next-Page-Token"]
    assert partner.events(poll, nextPageToken=later) == []
    away = partner.post("queries/arrivals/subscriptions", {"dest": "https://example.org"})
    assert away.status_code == 501
    assert partner.delete("queries/arrivals").status_code == 204
    assert partner.get("queries/arrivals/events").status_code == 404
    assert partner.get(poll).status_code == 404


def test_nobody_comes_in_without_a_token_or_a_login(client, ada):
    from django.test import Client

    stranger = Client()
    answer = stranger.get("/epcis/events")
    assert (answer.status_code, answer.json()["type"]) == (401, "epcisException:SecurityException")
    assert stranger.get("/epcis/events", headers={"Authorization": "Bearer x"}).status_code == 401
    assert ada.get("/epcis/events").status_code == 200


def test_every_answer_names_its_versions_and_methods(partner):
    answer = partner.client.options("/epcis/events")
    assert answer.status_code == 204
    assert answer["Allow"] == "GET, POST, OPTIONS"
    assert answer["GS1-EPCIS-Version"] == "2.0.0"
    assert partner.get("nothing/here").json()["type"].endswith("NoSuchResourceException")
    assert partner.get("events", HTTP_ACCEPT="application/xml").status_code == 406


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("GS1-EPCIS-Min", "2.0.0", 200),
        ("GS1-EPCIS-Max", "2.0", 200),
        ("GS1-EPCIS-Min", "2.1.0", 406),
        ("GS1-EPCIS-Max", "1.2.0", 406),
        ("GS1-CBV-Version", "1.2.0", 406),
        ("GS1-EPC-Format", "Never_Translates", 200),
        ("GS1-EPC-Format", "Always_EPC_URN", 501),
    ],
)
def test_a_client_that_asks_for_another_version_is_told(partner, header, value, status):
    headers = partner.headers | {header: value}
    assert partner.client.get("/epcis/events", headers=headers).status_code == status
    assert partner.delete("nextPageToken/abc").status_code == 204


@pytest.mark.parametrize(
    "body",
    [" ", "{", "[]", "null", '{"type":"EPCISDocument"}', "{}", "\x00", '{"epcisBody":[]}', "9" * 999,
     '{"@context":[],"epcisBody":{"eventList":{}}}', "[" * 100_000],
)  # fmt: skip
def test_hostile_documents_are_refused_with_a_problem(partner, body):
    for address in ("capture", "events", "queries"):
        answer = partner.post(address, body)
        assert answer.status_code == 400, (address, answer.content)
        assert answer.json()["problems"]


def test_xml_is_refused_by_its_type(partner):
    assert partner.post("capture", "<a/>", kind="application/xml").status_code == 415
    assert partner.post("capture", "<a/>").status_code == 415


def test_a_captured_event_moves_no_container(site, partner):
    before = site.journal.size
    assert partner.post("capture", a_document(an_event("6001"))).status_code == 202
    written = site.journal.read(before, site.journal.size)
    assert [one.stream.family for one in written] == ["epcis"]


def test_the_index_is_the_same_when_it_is_built_anew(site, partner):
    partner.post("capture", a_document(an_event("6002")))
    rows = site.rows("epcis-events")
    before = list(rows.find(facet="event", limit=100_000))
    site.views.rebuild(site.journal, "epcis-events")
    assert list(site.rows("epcis-events").find(facet="event", limit=100_000)) == before


def test_single_events_sent_at_once_are_each_kept_word_for_word(site, partner, token):
    from django.db import connection
    from django.test import Client

    texts = [json.dumps(an_event(f"7{n:03d}"), indent=n % 3) for n in range(24)]

    def send(text):
        try:
            return Partner(Client(), token).post("events", text).status_code
        finally:
            connection.close()

    before = site.journal.size
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, texts)) == {201}

    assert site.journal.size - before < len(texts)  # some shared a fact
    for text in texts:
        event = json.loads(text)
        (found,) = partner.events(MATCH_anyEPC=event["epcList"][0])
        assert {name: found[name] for name in event} == event


def test_of_two_events_under_one_identifier_sent_together_one_is_refused(site, token):
    from anlage.web.pages.epcis import taking
    from anlage.wire.epcis import read_capture

    mark = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3399"
    sent = [json.dumps(an_event(one, eventID=mark)).encode() for one in ("8001", "8002")]
    actor = Actor(person="P-0001", via="api", session="s")
    singles = [taking.Single(one, read_capture(one, is_single=True), actor) for one in sent]

    first, second = taking.take_together(singles)

    assert first == mark
    assert second.code == "event-id-taken"


@pytest.mark.shared
def test_every_valid_document_of_others_is_captured_and_comes_back(partner, shared_data):
    captured, compared = 0, 0
    for file in sorted((shared_data / "epcis_gs1").rglob("*.json*")):
        try:
            document = read_bytes(file.read_bytes(), file.name)
        except Refused:  # a list, not a document
            continue
        if "epcisBody" not in (document.json or {}):
            continue
        answer = partner.post(
            "capture",
            file.read_bytes(),
            "application/ld+json",
            GS1_Capture_Error_Behaviour="proceed",
        )
        if check(document):
            assert answer.status_code == 400 or not answer.json()["success"], file.name
            continue
        assert answer.status_code == 202, (file.name, answer.content)
        captured += 1
        if answer.json()["events"]["known"]:  # said before by a twin of this file
            continue
        clashes = {error["title"] for error in answer.json()["errors"]}
        events = document.json["epcisBody"].get("eventList", [])
        for place, (event, named) in enumerate(zip(events, hashes(document), strict=False)):
            if f"epcisBody.eventList[{place}]" in clashes:
                continue
            found = partner.events(EQ_eventID=event.get("eventID") or named)
            given = {name: value for name, value in event.items() if name != "recordTime"}
            assert all(comparable(found, given).get(n) == v for n, v in given.items()), file.name
            compared += 1
    assert captured > 20
    assert compared > 50, compared


def comparable(found, given):
    """Of the events under one identity (the first and its declarations) the one that was given."""
    return next((one for one in found if all(one.get(n) == v for n, v in given.items())), found[0])


@settings(deadline=None, max_examples=40)
@given(st.lists(EVENTS, min_size=1, max_size=4, unique_by=lambda one: one.get("eventID", str(one))))
def test_any_valid_document_is_captured_and_every_event_comes_back_word_for_word(token, events):
    from django.test import Client

    partner = Partner(Client(), token)
    whole = drawn_document(*events)
    named = hashes(read_bytes(json.dumps(whole).encode(), "drawn.json"))
    marks = [event.get("eventID", mark) for event, mark in zip(events, named, strict=True)]
    assume(len(set(marks)) == len(marks))

    answer = partner.post("capture", whole, GS1_Capture_Error_Behaviour="proceed")

    assert answer.status_code == 202
    clashes = {error["title"] for error in answer.json()["errors"]}  # an identifier drawn before
    for place, (event, mark) in enumerate(zip(events, marks, strict=True)):
        if f"epcisBody.eventList[{place}]" in clashes:
            continue
        found = comparable(partner.events(EQ_eventID=mark), event)
        assert {name: found.get(name) for name in event} == event


@pytest.mark.parametrize("kinds", [500, 2])
def test_a_rare_step_is_found_past_many_events_of_other_steps(partner, monkeypatch, kinds):
    """By kind alone it is not looked through; with too many kinds known it still is complete."""
    from anlage.custody import capture
    from anlage.web.pages.epcis import query

    monkeypatch.setattr(capture, "KINDS_MAX", kinds)
    monkeypatch.setattr(query, "EXAMINED_MAX", 60 if kinds < 500 else 5)
    step = f"https://own.example/step/{kinds}"
    common = [an_event(f"77{kinds}{number}", bizStep="storing") for number in range(20)]
    rare = [an_event(f"78{kinds}{number}", bizStep=step) for number in range(3)]
    partner.post("capture", a_document(*common[:10], rare[0], *common[10:], *rare[1:]))

    found = partner.events(EQ_bizStep=step, EQ_disposition="in_progress")

    assert [one["epcList"] for one in found] == [one["epcList"] for one in rare]
    assert partner.events(EQ_bizStep=step, EQ_disposition="active") == []
    first = partner.get("events", query_params={"EQ_bizStep": step, "perPage": "2"})
    assert len(first.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 2
    assert "rel=" in first["Link"]


def test_events_come_in_order_of_capture_whatever_their_kind(partner):
    mixed = [
        an_event(f"79{number}", bizStep=step, action=action)
        for number, (step, action) in enumerate(
            [("packing", "ADD"), ("storing", "OBSERVE"), ("packing", "OBSERVE"), ("storing", "ADD")]
        )
    ]
    before = len(partner.events(perPage="1000"))
    partner.post("capture", a_document(*mixed))

    every = partner.events(perPage="1000")

    assert len(every) == before + 4
    assert [one["epcList"] for one in every[-4:]] == [one["epcList"] for one in mixed]
