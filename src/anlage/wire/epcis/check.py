"""Whether a document is a valid EPCIS 2.0 document, and each reason why it is not."""

import json
import re
from typing import Any

from anlage.base import Problem

from . import values
from .document import Document, local_name
from .event_check import EVENT_TYPES, EventCheck, prefixes_of
from .query_check import check_query, xml_parameters
from .vocabulary import words
from .xml_tree import event_fields, plain_name

_CONTEXT = re.compile(r"https?://[^/]+/(?:.*/)?epcis-context(?:-[a-z]+)?\.jsonld")
_VERSION = re.compile(r"2(?:\.\d+){1,2}")
_DOCUMENT_KEYS = frozenset(
    (
        "@context", "id", "type", "schemaVersion", "creationDate", "sender", "receiver",
        "instanceIdentifier", "epcisHeader", "epcisBody",
    )
)  # fmt: skip
_XML_2 = {
    "urn:epcglobal:epcis:xsd:2": "EPCISDocument",
    "urn:epcglobal:epcis-query:xsd:2": "EPCISQueryDocument",
}
_QUERY_BODIES = words(
    """QueryResults Poll Subscribe Unsubscribe GetQueryNames GetQueryNamesResult GetSubscriptionIDs
    GetSubscriptionIDsResult GetStandardVersion GetStandardVersionResult GetVendorVersion
    GetVendorVersionResult SubscribeResult UnsubscribeResult"""
)
_BODY = "epcisBody"


def check(document: Document) -> list[Problem]:
    """Give every problem of a document; an empty list means that it is valid."""
    if document.json is not None:
        return [*_repeated_keys(document.text), *_check_json(document.json)]
    return _check_xml(document.xml)


def _repeated_keys(text: str) -> list[Problem]:
    """Give each key that stands twice in one object: two readers would see two documents."""
    judge = EventCheck(is_xml=False, prefixes=frozenset())

    def note(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                judge.say("key-repeated", key, f"{key} twice in one object", "each key once")
            seen.add(key)

    json.loads(text, object_pairs_hook=note)
    return judge.problems


def _check_json(document: dict[str, Any]) -> list[Problem]:
    judge = EventCheck(is_xml=False, prefixes=prefixes_of(document.get("@context")))
    if "query" in document and "epcisBody" not in document:
        _query(judge, document)
        return judge.problems
    _context(judge, document)
    given = document.get("type")
    kind = given if isinstance(given, str) else None
    if kind in EVENT_TYPES or (kind not in _XML_2.values() and "eventTime" in document):
        judge.event(document, "$")
        return judge.problems
    if kind not in _XML_2.values():
        judge.say(
            "document-type-unknown",
            "type",
            "nothing" if given is None else given,
            "EPCISDocument, EPCISQueryDocument or a type of event",
        )
    version = document.get("schemaVersion")
    if not (isinstance(version, str) and _VERSION.fullmatch(version)):
        judge.say(
            "version-unsupported",
            "schemaVersion",
            "nothing" if version is None else version,
            "2.0, as text",
        )
    judge.needed(document, "creationDate", "$", values.time_fault, "time-malformed")
    _document_keys(judge, document)
    body = document.get(_BODY)
    if not isinstance(body, dict):
        judge.say("body-missing", _BODY, "nothing" if body is None else body, "an object")
    elif kind == "EPCISQueryDocument":
        _query_body(judge, body)
    else:
        _capture_body(judge, body)
    return judge.problems


def _query(judge: EventCheck, document: dict[str, Any]) -> None:
    """Judge the definition of a query: a name and the parameters."""
    for name in ("name", "queryName"):
        given = document.get(name, "unnamed")
        if not isinstance(given, str) or not given.strip():
            judge.say("field-missing", name, given, "the name of the query")
    check_query(judge, document["query"], "query", is_xml=False)
    allowed = {"name", "queryName", "query", "type", "id", "createdAt", "subscription"}
    judge.only(document, allowed, "$")


def _context(judge: EventCheck, document: dict[str, Any]) -> None:
    context = document.get("@context")
    parts = context if isinstance(context, list) else [context]
    if context is None:
        judge.say(
            "context-missing",
            "@context",
            "nothing",
            "the EPCIS context https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
            rule="EPCIS 2.0 clause 10; JSON-LD 1.1",
        )
        return
    for place, part in enumerate(parts):
        where = f"@context[{place}]"
        if isinstance(part, str):
            if fault := values.uri_fault(part):
                judge.say("context-malformed", where, part, fault)
        elif isinstance(part, dict):
            for prefix, address in part.items():
                target = address.get("@id") if isinstance(address, dict) else address
                if prefix.startswith("@") or target is None:
                    continue
                if values.uri_fault(target) and not _is_keyword(target):
                    judge.say("context-malformed", f"{where}.{prefix}", target, "an address (URI)")
        else:
            judge.say("context-malformed", where, part, "an address or an object of prefixes")
    if not any(isinstance(part, str) and _CONTEXT.fullmatch(part) for part in parts):
        judge.say(
            "context-missing",
            "@context",
            context if isinstance(context, str) else str(context),
            "the EPCIS context https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
            rule="EPCIS 2.0 clause 10; JSON-LD 1.1",
        )


def _is_keyword(target: Any) -> bool:
    return isinstance(target, str) and (target.startswith("@") or ":" in target)


def _document_keys(judge: EventCheck, document: dict[str, Any]) -> None:
    for name in ("sender", "receiver"):
        if name in document and (fault := values.uri_fault(document[name])):
            judge.say("identifier-malformed", name, document[name], fault)
    if "id" in document and (fault := values.event_id_fault(document["id"])):
        judge.say("identifier-malformed", "id", document["id"], fault)
    judge.only(document, _DOCUMENT_KEYS, "$")
    if "epcisHeader" in document:
        _header(judge, document["epcisHeader"])


def _header(judge: EventCheck, header: Any) -> None:
    path = "epcisHeader"
    if not judge.is_object(header, path):
        return
    holder = header.get("epcisMasterData", header.get("masterData"))
    if holder is None:
        return
    for place, vocabulary in judge.entries(holder, "vocabularyList", f"{path}.epcisMasterData"):
        where = f"{path}.epcisMasterData.vocabularyList[{place}]"
        if not judge.is_object(vocabulary, where):
            continue
        if fault := values.uri_fault(vocabulary.get("type")):
            judge.say("field-missing", f"{where}.type", str(vocabulary.get("type")), fault)
        for number, element in judge.entries(vocabulary, "vocabularyElementList", where):
            inner = f"{where}.vocabularyElementList[{number}]"
            if judge.is_object(element, inner) and (fault := values.uri_fault(element.get("id"))):
                judge.say("identifier-malformed", f"{inner}.id", str(element.get("id")), fault)


def _capture_body(judge: EventCheck, body: dict[str, Any]) -> None:
    if "eventList" in body:
        _events(judge, body, _BODY)
    elif "event" in body:
        judge.event(body["event"], f"{_BODY}.event")
    else:
        judge.say("events-missing", f"{_BODY}.eventList", "nothing", "a list of events")
    judge.only(body, {"eventList", "event"}, _BODY)


def _query_body(judge: EventCheck, body: dict[str, Any]) -> None:
    path = f"{_BODY}.queryResults"
    results = body.get("queryResults")
    if not isinstance(results, dict):
        judge.say("results-missing", path, "nothing" if results is None else results, "an object")
        return
    name = results.get("queryName")
    if not isinstance(name, str) or not name:
        judge.say("field-missing", f"{path}.queryName", str(name), "the name of the query")
    if "subscriptionID" in results and not isinstance(results["subscriptionID"], str):
        judge.say("value-malformed", f"{path}.subscriptionID", results["subscriptionID"], "text")
    inner = results.get("resultsBody")
    if not isinstance(inner, dict):
        judge.say("results-missing", f"{path}.resultsBody", str(inner), "an object")
        return
    if "eventList" in inner:
        _events(judge, inner, f"{path}.resultsBody")
    elif "vocabularyList" not in inner:
        judge.say("events-missing", f"{path}.resultsBody.eventList", "nothing", "a list of events")
    judge.only(inner, {"eventList", "vocabularyList"}, f"{path}.resultsBody")
    judge.only(results, {"queryName", "subscriptionID", "resultsBody"}, path)


def _events(judge: EventCheck, holder: dict[str, Any], path: str) -> None:
    for place, event in judge.entries(holder, "eventList", path):
        judge.event(event, f"{path}.eventList[{place}]")


def _check_xml(root: Any) -> list[Problem]:
    judge = EventCheck(is_xml=True, prefixes=frozenset({"ns"}))
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    name = local_name(root.tag)
    if name in ("Poll", "Subscribe") and namespace == "urn:epcglobal:epcis-query:xsd:2":
        if not _xml_text(root, "queryName"):
            judge.say("field-missing", f"{name}.queryName", "nothing", "the name of the query")
        check_query(judge, xml_parameters(root), f"{name}.params", is_xml=True)
        return judge.problems
    if name in EVENT_TYPES and namespace in ("", *_XML_2):
        judge.event(event_fields(root), name)
        return judge.problems
    if _XML_2.get(namespace) != name:
        old = namespace in ("urn:epcglobal:epcis:xsd:1", "urn:epcglobal:epcis-query:xsd:1")
        judge.say(
            "version-unsupported" if old else "document-type-unknown",
            name,
            f"{name} of namespace {namespace or 'none'}",
            "EPCISDocument of urn:epcglobal:epcis:xsd:2 or EPCISQueryDocument of"
            " urn:epcglobal:epcis-query:xsd:2",
            remedy="ask the sender for EPCIS 2.0" if old else "",
        )
        if name not in _XML_2.values():
            return judge.problems
    version = root.get("schemaVersion")
    if version is None or not _VERSION.fullmatch(version):
        judge.say("version-unsupported", "schemaVersion", version or "nothing", "2.0")
    if fault := values.time_fault(root.get("creationDate"), needs_zone=False):
        judge.say(
            "time-malformed" if root.get("creationDate") else "field-missing",
            "creationDate",
            root.get("creationDate") or "nothing",
            fault,
        )
    _xml_parts(judge, root, name)
    return judge.problems


def _xml_parts(judge: EventCheck, root: Any, name: str) -> None:
    body = None
    for child in root:
        if not isinstance(child.tag, str):
            continue
        label = plain_name(child.tag)
        if label == "EPCISBody":
            body = child
        elif label == "EPCISHeader":
            if body is not None:
                judge.say("order-wrong", "EPCISHeader", "after EPCISBody", "before EPCISBody")
        elif label not in ("extension", "queryName", "subscriptionID", "resultsBody") and (
            not label.startswith("ns:")
        ):
            judge.say("field-unknown", label, label, "EPCISHeader, EPCISBody or an extension")
    if body is None and name == "EPCISQueryDocument" and root.find("resultsBody") is not None:
        body = root
    if body is None:
        judge.say("body-missing", "EPCISBody", "nothing", "the body of the document")
        return
    if name == "EPCISQueryDocument":
        _xml_query(judge, body)
        return
    lists = [child for child in body if local_name(child.tag) == "EventList"]
    if len(lists) != 1:
        judge.say("events-missing", "EPCISBody.EventList", f"{len(lists)} lists", "one EventList")
    for child in body:
        label = plain_name(child.tag) if isinstance(child.tag, str) else "EventList"
        if label not in ("EventList", "extension") and not label.startswith("ns:"):
            judge.say("field-unknown", f"EPCISBody.{label}", label, "EventList")
    if lists:
        _xml_events(judge, lists[0], "EPCISBody.EventList")


def _xml_query(judge: EventCheck, body: Any) -> None:
    results = next((e for e in body if local_name(e.tag) in _QUERY_BODIES), None)
    label = local_name(results.tag) if results is not None else ""
    if results is None and any(local_name(e.tag) == "resultsBody" for e in body):
        results, label = body, "QueryResults"
    if results is None:
        judge.say("results-missing", "EPCISBody.QueryResults", "nothing", "query results")
        return
    if label in ("Poll", "Subscribe"):
        if not _xml_text(results, "queryName"):
            judge.say("field-missing", "Poll.queryName", "nothing", "the name of the query")
        check_query(judge, xml_parameters(results), "Poll.params", is_xml=True)
        return
    if label != "QueryResults":
        return
    if not _xml_text(results, "queryName"):
        judge.say("field-missing", "QueryResults.queryName", "nothing", "the name of the query")
    inner = next((e for e in results if local_name(e.tag) == "resultsBody"), None)
    if inner is None:
        judge.say("results-missing", "QueryResults.resultsBody", "nothing", "the results")
        return
    events = next((e for e in inner if local_name(e.tag) == "EventList"), None)
    if events is not None:
        _xml_events(judge, events, "QueryResults.resultsBody.EventList")
    elif not any(local_name(e.tag) == "VocabularyList" for e in inner):
        judge.say(
            "events-missing", "QueryResults.resultsBody.EventList", "nothing", "a list of events"
        )


def _xml_text(holder: Any, name: str) -> str:
    found = next((e for e in holder if local_name(e.tag) == name), None)
    return (found.text or "").strip() if found is not None else ""


def _xml_events(judge: EventCheck, event_list: Any, path: str) -> None:
    number = 0
    for element in event_list:
        if not isinstance(element.tag, str):
            continue
        if element.tag == "extension":
            _xml_events(judge, element, path)
            continue
        judge.event(event_fields(element), f"{path}.{local_name(element.tag)}[{number}]")
        number += 1
