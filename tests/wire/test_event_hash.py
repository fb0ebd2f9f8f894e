"""The event hash equals the reference generator's on every shared document."""

import json
import logging
import warnings

import pytest
from epcis_event_hash_generator import (
    dl_normaliser,
    events_from_file_reader,
    file_document_loader,
    hash_generator,
    json_to_py,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from anlage.wire.epcis import canonical_lines, canonical_link, hashes, read_bytes, read_file

SHORT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
VERSIONED = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


@pytest.fixture
def reference():
    """The reference generator, with its packaged context for both addresses of it."""
    packaged = file_document_loader.file_document_loader()
    jsonld.set_document_loader(
        lambda url, options=None: packaged(VERSIONED if url == SHORT else url, options or {})
    )
    logging.disable(logging.CRITICAL)

    def lines(path):
        json_to_py._namespaces.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            events = events_from_file_reader.event_list_from_file(str(path))
            return hash_generator.derive_prehashes_from_events(events)

    yield lines
    logging.disable(logging.NOTSET)


@pytest.mark.shared
def test_every_event_has_the_line_of_the_reference(shared_data, reference):
    compared = 0
    for path in sorted((shared_data / "epcis_gs1").rglob("*")):
        if path.suffix not in (".xml", ".json", ".jsonld") or "schema" in path.parts:
            continue
        try:
            expected = reference(path)
        except (KeyError, IndexError, jsonld.JsonLdError):
            continue  # the reference itself cannot read it
        assert canonical_lines(read_file(path), all_fields=True) == expected, path.name
        compared += len(expected)

    assert compared > 180


@pytest.mark.shared
def test_every_event_has_the_published_hash(shared_data):
    compared = 0
    for path in sorted((shared_data / "epcis_gs1" / "event_hash").glob("*.hashes")):
        for suffix in (".jsonld", ".xml"):
            document = path.with_suffix(suffix)
            if document.exists():
                assert hashes(read_file(document)) == path.read_text().split(), document.name
                compared += 1

    assert compared == 20


_SCHEMES = "sgtin sscc sgln grai giai gsrn gsrnp gdti cpi sgcn ginc gsin itip upui pgln"
_KEYS = st.sampled_from(_SCHEMES.split())
_TAIL = st.from_regex(
    r"([0-9]{6,12}\.[0-9]{0,11}|[0-9]{7}\.[0-9]{5,6})(\.[0-9A-Z%()*]{0,6}){0,3}", fullmatch=True
)


@settings(deadline=None)
@given(_KEYS, st.sampled_from(["id", "idpat", "class"]), _TAIL)
def test_a_urn_has_the_link_of_the_reference(key, sort, tail):
    urn = f"urn:epc:{sort}:{key}:{tail}"

    assert canonical_link(urn) == dl_normaliser.normaliser(urn)


@settings(deadline=None)
@given(
    st.sampled_from(["https://id.gs1.org", "https://example.com/a", "http://x.org"]),
    st.from_regex(
        r"/(01|gtin|00|414|gln|8003|8004|253|8006|8010|417)/[0-9]{8,18}[A-Z.]{0,2}"
        r"(/(22|10|21|cpv|lot|ser|254|8011)/[0-9A-Za-z.-]{1,5}){0,3}/?(\?17=261231)?",
        fullmatch=True,
    ),
)
def test_a_digital_link_has_the_link_of_the_reference(host, path):
    assert canonical_link(host + path) == dl_normaliser.normaliser(host + path)


def test_the_order_of_lists_and_keys_does_not_change_the_hash():
    event = {
        "type": "ObjectEvent",
        "eventTime": "2026-01-01T10:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.9"],
        "action": "OBSERVE",
        "bizStep": "receiving",
    }
    turned = dict(reversed(event.items())) | {"epcList": event["epcList"][::-1]}
    turned["bizStep"] = "https://ref.gs1.org/cbv/BizStep-receiving"
    turned["eventTime"] = "2026-01-01T09:00:00.000Z"

    assert _hash(event) == _hash(turned)


def test_a_field_that_a_repository_added_takes_no_part():
    event = {"type": "ObjectEvent", "eventTime": "2026-01-01T10:00:00Z", "action": "ADD"}
    plain = _document([event])
    stored = _document([event | {"repo:number": "7"}]) | {"repo:ignoreFields": ["repo:number"]}

    assert hashes(_read(plain)) == hashes(_read(stored))
    assert hashes(_read(plain)) != hashes(_read(stored), all_fields=True)


def _hash(event):
    return hashes(_read(_document([event])))


def _document(events):
    return {
        "@context": [VERSIONED, {"repo": "https://repo.example.com/"}],
        "type": "EPCISDocument",
        "epcisBody": {"eventList": events},
    }


def _read(value):
    return read_bytes(json.dumps(value).encode(), "document.json")
