"""Valid documents are accepted; each broken rule is refused at its place."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.wire.epcis import check, read_bytes, read_file

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
ITEM = "urn:epc:id:sgtin:0614141.107346.2017"
BOX = "urn:epc:id:sscc:0614141.1234567890"
REPORT = {"type": "Temperature", "value": -151.2, "uom": "CEL"}
EVENT = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
    "eventTime": "2026-03-01T12:00:00.000+01:00",
    "eventTimeZoneOffset": "+01:00",
    "epcList": [ITEM],
    "action": "ADD",
    "bizStep": "commissioning",
    "disposition": "active",
    "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    "bizLocation": {"id": "https://id.gs1.org/414/4012345000115"},
    "bizTransactionList": [
        {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1"}
    ],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
    "quantityList": [
        {"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 2.5, "uom": "KGM"}
    ],
    "sensorElementList": [
        {"sensorMetadata": {"time": "2026-03-01T12:00:00Z"}, "sensorReport": [REPORT]}
    ],
    "ilmd": {"cbvmda:lotNumber": "A"},
    "example:note": "own field",
}
TRANSFORMATION = {
    "type": "TransformationEvent",
    "eventTime": "2026-03-01T12:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "inputEPCList": [ITEM],
    "outputEPCList": ["urn:epc:id:sgtin:0614141.107346.2018"],
}
AGGREGATION = {
    "type": "AggregationEvent",
    "eventTime": "2026-03-01T12:00:00Z",
    "eventTimeZoneOffset": "-14:00",
    "parentID": BOX,
    "childEPCs": [ITEM],
    "action": "ADD",
}


def a_document(*events):
    return {
        "@context": [CONTEXT, {"example": "https://ns.example.com/epcis/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T12:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def judged(value):
    return check(read_bytes(json.dumps(value).encode(), "document.json"))


@pytest.mark.shared
def test_every_published_document_is_accepted(shared_data):
    accepted = 0
    for folder in ("openepcis", "event_hash", "evrythng"):
        for path in sorted((shared_data / "epcis_gs1" / folder).rglob("*")):
            if path.suffix not in (".xml", ".json", ".jsonld") or {"schema", "hashing"} & {
                *path.parts
            }:
                continue
            assert [str(problem) for problem in check(read_file(path))] == [], path.name
            accepted += 1

    assert accepted > 95


@pytest.mark.parametrize("event", [EVENT, TRANSFORMATION, AGGREGATION])
def test_the_events_that_the_broken_ones_are_made_from_are_valid(event):
    assert judged(a_document(event)) == []


BROKEN = [
    ("eventTime", "22-07-2026", "time-malformed"),
    ("eventTime", "2026-02-30T10:00:00Z", "time-malformed"),
    ("eventTime", "2026-02-03T10:00:00", "time-malformed"),
    ("eventTime", None, "field-missing"),
    ("eventTimeZoneOffset", "+1:00", "offset-malformed"),
    ("eventTimeZoneOffset", "+15:00", "offset-malformed"),
    ("eventTimeZoneOffset", None, "field-missing"),
    ("eventID", "ni:///sha-256;123?ver=CBV2.0", "event-id-malformed"),
    ("eventID", "urn:uuid:123", "event-id-malformed"),
    ("eventID", "just text", "event-id-malformed"),
    ("type", "ObjektEvent", "event-type-unknown"),
    ("action", "CREATE", "action-unknown"),
    ("action", "add", "action-unknown"),
    ("action", None, "field-missing"),
    ("action", "OBSERVE", "ilmd-not-allowed"),
    ("bizStep", "transforming", "word-unknown"),
    ("bizStep", "https://ref.gs1.org/cbv/BizStep-transforming", "word-unknown"),
    ("bizStep", "urn:epcglobal:cbv:bizstep:receiving", "word-unknown"),
    ("disposition", "in_transport", "word-unknown"),
    ("persistentDisposition", {"set": ["lost"]}, "word-unknown"),
    ("persistentDisposition", {}, "field-missing"),
    ("epcList", ITEM, "list-expected"),
    ("epcList", ["0614141"], "identifier-malformed"),
    ("epcList", ["urn:epc:id:sgtin:0614141.10734.2017"], "identifier-malformed"),
    ("epcList", ["urn:epc:id:sgtim:0614141.107346.2017"], "identifier-malformed"),
    ("epcList", ["https://id.gs1.org/01/09506000134353/21/1"], "identifier-malformed"),
    ("epcList", [ITEM, ITEM], "repeated"),
    ("readPoint", "urn:epc:id:sgln:0614141.07346.1234", "object-expected"),
    ("readPoint", {"id": ITEM}, "identifier-malformed"),
    ("readPoint", {}, "field-missing"),
    ("bizLocation", {"id": "https://id.gs1.org/414/4012345000116"}, "identifier-malformed"),
    ("bizTransactionList", [{"type": "order", "bizTransaction": "urn:x:1"}], "word-unknown"),
    ("bizTransactionList", [{"type": "po"}], "field-missing"),
    ("sourceList", [{"type": "place", "source": "urn:epc:id:pgln:4012345.00225"}], "word-unknown"),
    ("sourceList", [{"source": "urn:epc:id:pgln:4012345.00225"}], "field-missing"),
    ("quantityList", [{"epcClass": "urn:x:1", "quantity": "twenty"}], "quantity-malformed"),
    ("quantityList", [{"epcClass": "urn:x:1", "quantity": 2.5}], "quantity-malformed"),
    ("quantityList", [{"epcClass": "urn:x:1", "uom": "KGM"}], "quantity-malformed"),
    ("quantityList", [{"epcClass": "urn:x:1", "weight": 5}], "field-unknown"),
    ("quantityList", [{"epcClass": "urn:x:1", "quantity": 1, "uom": "kilo"}], "unit-malformed"),
    ("quantityList", [{"quantity": 1}], "field-missing"),
    ("certificationInfo", [{"gs1:certificationAgency": "x"}], "certification-malformed"),
    ("errorDeclaration", {"reason": "incorrect_data"}, "field-missing"),
    (
        "errorDeclaration",
        {"declarationTime": "2026-03-01T12:00:00Z", "reason": "wrong"},
        "word-unknown",
    ),
    ("sensorElementList", [{"sensorMetadata": {}}], "sensor-report-missing"),
    ("sensorElementList", [{"sensorReport": [{"value": 1}]}], "field-missing"),
    ("sensorElementList", [{"sensorReport": [REPORT | {"type": "Warmth"}]}], "word-unknown"),
    ("sensorElementList", [{"sensorReport": [REPORT | {"value": "1"}]}], "value-malformed"),
    ("sensorElementList", [{"sensorReport": [REPORT | {"uom": "degC"}]}], "unit-malformed"),
    ("sensorElementList", [{"sensorReport": [REPORT | {"component": "up"}]}], "word-unknown"),
    (
        "sensorElementList",
        [{"sensorReport": [REPORT | {"hexBinaryValue": "xz"}]}],
        "value-malformed",
    ),
    ("sensorElementList", [{"sensorReport": [REPORT | {"colour": "red"}]}], "field-unknown"),
    (
        "sensorElementList",
        [
            {
                "sensorMetadata": {
                    "startTime": "2026-03-01T12:00:00Z",
                    "endTime": "2026-03-01T11:00:00Z",
                },
                "sensorReport": [REPORT],
            }
        ],
        "time-order",
    ),
    ("ilmd", {"lotNumber": "A"}, "ilmd-name-bare"),
    ("other:note", "x", "prefix-undeclared"),
    ("note", "x", "field-unknown"),
    ("transformationID", "urn:x:1", "field-not-allowed"),
    ("childEPCs", [ITEM], "field-not-allowed"),
]


@pytest.mark.parametrize(("name", "value", "code"), BROKEN)
def test_a_broken_field_is_refused_at_its_place(name, value, code):
    event = copy.deepcopy(EVENT)
    event[name] = value
    if value is None:
        del event[name]

    problems = judged(a_document(TRANSFORMATION, event))

    assert code in {problem.code for problem in problems}
    assert all((problem.path or "").startswith("epcisBody.eventList[1]") for problem in problems)
    assert all(problem.limit and problem.remedy and problem.rule for problem in problems)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (TRANSFORMATION | {"outputEPCList": []}, "what-missing"),
        (TRANSFORMATION | {"action": "ADD"}, "field-not-allowed"),
        (AGGREGATION | {"childEPCs": []}, "what-missing"),
        ({k: v for k, v in AGGREGATION.items() if k != "parentID"}, "parent-missing"),
        (AGGREGATION | {"ilmd": {}}, "field-not-allowed"),
        (AGGREGATION | {"type": "AssociationEvent", "parentID": "x"}, "identifier-malformed"),
        (AGGREGATION | {"type": "TransactionEvent"}, "transaction-missing"),
        ({k: v for k, v in EVENT.items() if k not in ("epcList", "quantityList", "readPoint")},
         "what-missing"),
    ],
)  # fmt: skip
def test_an_event_without_what_its_type_needs_is_refused(event, code):
    assert code in {problem.code for problem in judged(a_document(event))}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("@context", None, "context-missing"),
        ("@context", ["https://example.com/other.jsonld"], "context-missing"),
        ("type", "EPCISDokument", "document-type-unknown"),
        ("schemaVersion", "1.2", "version-unsupported"),
        ("creationDate", "yesterday", "time-malformed"),
        ("epcisBody", None, "body-missing"),
        ("epcisBody", {}, "events-missing"),
        ("remark", "x", "field-unknown"),
    ],
)
def test_a_broken_document_is_refused(name, value, code):
    document = a_document(EVENT) | {name: value}
    if value is None:
        del document[name]

    assert code in {problem.code for problem in judged(document)}


def test_a_key_that_stands_twice_is_refused():
    text = json.dumps(a_document(EVENT)).replace('"action"', '"action": "DELETE", "action"', 1)

    problems = check(read_bytes(text.encode(), "a.json"))

    assert [(problem.code, problem.path) for problem in problems] == [("key-repeated", "action")]


def test_a_query_document_is_judged_to_the_event():
    document = a_document() | {"type": "EPCISQueryDocument"}
    results = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": [EVENT]}}
    document["epcisBody"] = {"queryResults": results}

    assert judged(document) == []
    results["resultsBody"] = {"eventList": [EVENT | {"action": "LOOK"}]}
    assert next(p.path for p in judged(document)).endswith("resultsBody.eventList[0].action")


QUERY = {
    "eventType": ["ObjectEvent"],
    "GE_eventTime": "2026-03-01T12:00:00Z",
    "EQ_bizStep": ["receiving", "urn:epcglobal:cbv:bizstep:packing"],
    "MATCH_anyEPC": ["urn:epc:idpat:sgtin:0614141.107346.*"],
    "GT_quantity": 3,
    "EQ_https://ns.example.com/epcis/#note": "x",
    "EXISTS_errorDeclaration": None,
    "perPage": 30,
}


def test_a_query_with_known_parameters_is_accepted():
    assert judged({"name": "mine", "query": QUERY}) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("GE_eventTime", "yesterday", "parameter-malformed"),
        ("EQ_bizStep", ["got"], "parameter-malformed"),
        ("EQ_action", ["LOOK"], "parameter-malformed"),
        ("eventType", ["SomeEvent"], "parameter-malformed"),
        ("MATCH_anyEPC", "", "parameter-malformed"),
        ("perPage", -1, "parameter-malformed"),
        ("GT_quantity", "many", "parameter-malformed"),
        ("EQ_colour", ["red"], "parameter-unknown"),
        ("color", "red", "parameter-unknown"),
    ],
)
def test_a_query_with_a_wrong_parameter_is_refused(name, value, code):
    problems = judged({"name": "mine", "query": QUERY | {name: value}})

    assert [(problem.code, problem.path) for problem in problems] == [(code, f"query.{name}")]


def test_an_xml_poll_follows_the_same_rules():
    text = (
        '<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0"'
        ' creationDate="2026-03-01T12:00:00Z"><EPCISBody><q:Poll>'
        "<queryName>SimpleEventQuery</queryName><params><param><name>EQ_action</name>"
        "<value><string>ADD</string></value></param></params></q:Poll></EPCISBody>"
        "</q:EPCISQueryDocument>"
    )

    assert check(read_bytes(text.encode(), "q.xml")) == []
    wrong = text.replace("<string>ADD</string>", "")
    assert [p.code for p in check(read_bytes(wrong.encode(), "q.xml"))] == ["parameter-malformed"]


XML = """<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0"
 creationDate="2026-03-01T12:00:00Z" xmlns:e="https://e.example/"><EPCISBody><EventList><ObjectEvent>
<eventTime>2026-03-01T12:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
<epcList><epc>urn:epc:id:sgtin:0614141.107346.2017</epc></epcList><action>OBSERVE</action>
<bizStep>urn:epcglobal:cbv:bizstep:receiving</bizStep><e:own>1</e:own>
</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>"""


def test_an_xml_document_follows_the_same_rules():
    assert check(read_bytes(XML.encode(), "a.xml")) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (">OBSERVE<", ">OBSERVED<", "action-unknown"),
        ("<action>OBSERVE</action>", "", "field-missing"),
        ("bizstep:receiving", "bizstep:got", "word-unknown"),
        (">urn:epcglobal:cbv:bizstep:receiving<", ">receiving<", "word-unknown"),
        ("<e:own>1</e:own>", "<own>1</own>", "field-unknown"),
        ("2026-03-01T12:00:00Z</eventTime>", "01.03.2026</eventTime>", "time-malformed"),
        ('schemaVersion="2.0"', 'schemaVersion="1.2"', "version-unsupported"),
        ("epcis:xsd:2", "epcis:xsd:1", "version-unsupported"),
        ("<epc>", "<epd>", None),
        ("ObjectEvent>", "ObjectivEvent>", "event-type-unknown"),
        ("urn:epc:id:sgtin:0614141.107346.2017", "0614141", "identifier-malformed"),
    ],
)
def test_a_broken_xml_document_is_refused(old, new, code):
    text = XML.replace(old, new)
    if code is None:
        with pytest.raises(Refused):
            read_bytes(text.encode(), "a.xml")
    else:
        assert code in {problem.code for problem in check(read_bytes(text.encode(), "a.xml"))}


def test_xml_entities_are_refused():
    text = '<!DOCTYPE a [<!ENTITY b "c">]>' + XML

    with pytest.raises(Refused):
        read_bytes(text.encode(), "a.xml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from([*EVENT, "persistentDisposition", "errorDeclaration", "childEPCs"]), JSON)
def test_no_value_in_any_field_is_a_surprise(name, value):
    problems = judged(a_document(EVENT | {name: value}))

    assert all(problem.path for problem in problems)


@settings(deadline=None)
@given(JSON)
def test_no_document_is_a_surprise(value):
    if isinstance(value, dict):
        assert judged(value)
    assert isinstance(judged(a_document() | {"epcisBody": value}), list)
