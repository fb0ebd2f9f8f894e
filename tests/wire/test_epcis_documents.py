"""Documents nobody published: drawn from the standard, valid in both forms, refused when broken."""

import copy
import json
import logging
import warnings

import pytest
from epcis_event_hash_generator import (
    file_document_loader,
    hash_generator,
    json_to_py,
    xml_to_py,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld
from tests.epcis_events import CONTEXT, EVENTS, a_document, a_query_document, as_xml

from anlage.wire.epcis import canonical_lines, check, hashes, read_bytes

NEEDED = ("type", "eventTime", "eventTimeZoneOffset")
BREAKS = {
    "eventTime": ["2026-13-01T00:00:00Z", "2026-03-01", 20260301, ""],
    "eventTimeZoneOffset": ["+25:00", "+1", "01:00", None],
    "action": ["add", "CREATE", 1],
    "bizStep": ["got_it", "urn:epcglobal:cbv:bizstep:receiving", ""],
    "disposition": ["in_progres", 7],
    "readPoint": ["urn:epc:id:sgln:4012345.00011.5", {"id": "no address"}],
    "bizLocation": [{"id": "urn:epc:id:sgln:4012345.0001.5"}, {"identity": "geo:1,2"}],
    "epcList": [["urn:epc:id:sgtin:4012345.12345.1"], ["one"], {"epc": "urn:x:1"}],
    "childEPCs": [["https://id.gs1.org/01/09506000134353/21/1"], "urn:x:1"],
    "inputEPCList": [["urn:epc:id:sscc:4012345.123456789"], [7]],
    "outputEPCList": [["urn:epc:idd:sgtin:4012345.123456.1"]],
    "parentID": ["parent", ["urn:x:1"]],
    "quantityList": [[{"quantity": 3}], [{"epcClass": "urn:x:1", "quantity": "3"}]],
    "inputQuantityList": [[{"epcClass": "urn:x:1", "quantity": -3}]],
    "bizTransactionList": [[{"type": "bill", "bizTransaction": "urn:x:1"}], [{}]],
    "sourceList": [[{"type": "owner", "source": "urn:x:1"}], [{"type": "owning_party"}]],
    "destinationList": [[{"type": "location", "source": "urn:x:1"}]],
    "sensorElementList": [[{"sensorReport": []}], [{"sensorReport": [{"type": "Heat"}]}]],
    "persistentDisposition": [{"set": "active"}, {"put": ["active"]}],
    "errorDeclaration": [{"declarationTime": "yesterday"}, {}],
    "certificationInfo": [["no address"]],
    "ilmd": [{"grade": "A"}, []],
    "own:note": [],
    "eventID": ["1", "urn:uuid:1", "ni:///sha-256;00?ver=CBV2.0"],
    "transformationID": ["one"],
}


@pytest.fixture(scope="module")
def reference():
    """The reference generator, with its packaged context for the short address of it."""
    packaged = file_document_loader.file_document_loader()
    versioned = CONTEXT.replace("/epcis/epcis-", "/epcis/2.0.0/epcis-")
    jsonld.set_document_loader(
        lambda url, options=None: packaged(versioned if url == CONTEXT else url, options or {})
    )
    logging.disable(logging.CRITICAL)

    def lines(name, text):
        json_to_py._namespaces.clear()
        module = xml_to_py if name.endswith(".xml") else json_to_py
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            events = module.event_list_from_epcis_document_str(text)
            return list(hash_generator.derive_prehashes_from_events(events))

    yield lines
    logging.disable(logging.NOTSET)


def judged(value):
    return check(read_bytes(json.dumps(value).encode(), "drawn.json"))


@settings(deadline=None, max_examples=150)
@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_any_event_of_the_standard_is_accepted_as_document_and_as_answer(events):
    assert [str(one) for one in judged(a_document(*events))] == []
    assert [str(one) for one in judged(a_query_document(*events))] == []


@settings(deadline=None, max_examples=150)
@given(EVENTS)
def test_the_xml_of_an_event_is_valid_and_has_the_same_hash(event):
    xml = read_bytes(as_xml(event).encode(), "drawn.xml")
    own = read_bytes(json.dumps(a_document(event)).encode(), "drawn.json")

    assert [str(one) for one in check(xml)] == []
    # Master data of the CBV have another address in each form, and the reference writes a truth
    # value of JSON in another way than one of XML.
    if "ilmd" not in event and "booleanValue" not in str(event):
        assert hashes(xml) == hashes(own)


@settings(deadline=None, max_examples=100)
@given(event=EVENTS)
def test_the_hash_of_an_event_is_that_of_the_reference_generator(reference, event):
    for name, text in (("a.json", json.dumps(a_document(event))), ("a.xml", as_xml(event))):
        assert canonical_lines(read_bytes(text.encode(), name)) == reference(name, text)


@settings(deadline=None, max_examples=300)
@given(EVENTS, st.data())
def test_one_broken_field_is_refused_at_its_place(event, data):
    names = [name for name in event if BREAKS.get(name)]
    name = data.draw(st.sampled_from(names))
    broken = copy.deepcopy(event)
    broken[name] = data.draw(st.sampled_from(BREAKS[name]))

    problems = judged(a_document(event, broken))

    assert problems
    assert all((one.path or "").startswith("epcisBody.eventList[1]") for one in problems)
    assert all(one.found is not None and one.limit and one.remedy and one.rule for one in problems)


@settings(deadline=None, max_examples=60)
@given(EVENTS, st.sampled_from(NEEDED))
def test_an_event_without_a_needed_field_is_refused(event, name):
    broken = {key: value for key, value in event.items() if key != name}

    assert judged(a_document(broken))
