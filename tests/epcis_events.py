"""EPCIS events of every type, drawn at random from what the standard allows, and their XML.

Written from EPCIS 2.0 clauses 7.3 and 7.4 and CBV 2.0 clause 7, not from our checker, so that the
two can disagree.
"""

from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
OWN = "https://ns.example.com/epcis/"
STEPS = [
    "receiving",
    "shipping",
    "storing",
    "packing",
    "unpacking",
    "collecting",
    "commissioning",
    "inspecting",
]
STATES = [
    "active",
    "in_progress",
    "in_transit",
    "container_closed",
    "conformant",
    "damaged",
    "destroyed",
]
COMPANY = "4012345"


def _digits(count):
    return st.text("0123456789", min_size=count, max_size=count)


def _serials():
    return st.text("ABCXYZ019", min_size=1, max_size=12)


ITEMS = st.one_of(
    st.builds(f"urn:epc:id:sgtin:{COMPANY}.{{}}.{{}}".format, _digits(6), _serials()),
    st.builds(f"urn:epc:id:sscc:{COMPANY}.{{}}".format, _digits(10)),
    st.builds(f"urn:epc:id:grai:{COMPANY}.{{}}.{{}}".format, _digits(5), _serials()),
    st.builds(f"urn:epc:id:giai:{COMPANY}.{{}}".format, _serials()),
    st.builds("https://id.gs1.org/01/09506000134352/21/{}".format, _serials()),
    st.builds("https://shop.example.com/8004/4012345{}".format, _serials()),
    st.uuids().map("urn:uuid:{}".format),
)
CLASSES = st.one_of(
    st.builds(f"urn:epc:class:lgtin:{COMPANY}.{{}}.{{}}".format, _digits(6), _serials()),
    st.builds("https://id.gs1.org/01/09506000134352/10/{}".format, _serials()),
)
PLACES = st.one_of(
    st.builds(f"urn:epc:id:sgln:{COMPANY}.{{}}.{{}}".format, _digits(5), _serials()),
    st.builds("https://id.gs1.org/414/4012345000115/254/{}".format, _serials()),
    st.just("geo:52.5,13.4"),
)
PARTIES = st.builds(f"urn:epc:id:pgln:{COMPANY}.{{}}".format, _digits(5))
TIMES = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)).map(
    lambda at: at.isoformat(timespec="milliseconds") + "Z"
)
OFFSETS = st.sampled_from(["+00:00", "+01:00", "-05:30", "+14:00", "-14:00"])
AMOUNTS = st.one_of(st.integers(1, 10**6), st.decimals("0.001", "9999", places=3).map(float))
QUANTITIES = st.one_of(
    st.fixed_dictionaries({"epcClass": CLASSES}),
    st.fixed_dictionaries({"epcClass": CLASSES, "quantity": st.integers(1, 9999)}),
    st.fixed_dictionaries(
        {"epcClass": CLASSES, "quantity": AMOUNTS, "uom": st.sampled_from(["KGM", "LTR", "MLT"])}
    ),
)
REPORTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["Temperature", "Illuminance", "Speed", "Pressure"])},
    optional={
        "value": AMOUNTS,
        "minValue": AMOUNTS,
        "maxValue": AMOUNTS,
        "time": TIMES,
        "stringValue": st.just("ok"),
        "booleanValue": st.booleans(),
        "uriValue": st.just("https://logger.example.com/7"),
    },
)
SENSORS = st.fixed_dictionaries(
    {"sensorReport": st.lists(REPORTS, min_size=1, max_size=3)},
    optional={
        "sensorMetadata": st.fixed_dictionaries(
            {"time": TIMES}, optional={"deviceID": st.just("urn:epc:id:giai:4000001.111")}
        )
    },
)
# The type stands first: the reference generator's hash depends on the order of these two keys.
TRANSACTIONS = st.builds(
    lambda kind, number: {
        "type": kind,
        "bizTransaction": f"urn:epc:id:gdti:0614141.06012.{number}",
    },
    st.sampled_from(["po", "inv", "desadv", "testprd"]),
    _digits(3),
)


def _several(inner, least=1):
    return st.lists(inner, min_size=least, max_size=3, unique_by=str)


_COMMON = {
    "eventID": st.uuids().map("urn:uuid:{}".format),
    "bizStep": st.one_of(st.sampled_from(STEPS), st.just("https://own.example.com/step/washing")),
    "disposition": st.sampled_from(STATES),
    "persistentDisposition": st.just({"set": ["completeness_verified"]}),
    "readPoint": PLACES.map(lambda one: {"id": one}),
    "bizLocation": PLACES.map(lambda one: {"id": one}),
    "sourceList": PARTIES.map(lambda one: [{"type": "possessing_party", "source": one}]),
    "destinationList": PARTIES.map(lambda one: [{"type": "owning_party", "destination": one}]),
    "sensorElementList": _several(SENSORS),
    "certificationInfo": st.just(["https://certificates.example.com/1"]),
    "errorDeclaration": st.fixed_dictionaries(
        {"declarationTime": TIMES, "reason": st.sampled_from(["incorrect_data", "did_not_occur"])}
    ),
    "own:note": st.text("abc xyz", min_size=1, max_size=10).map(str.strip).filter(bool),
}
_ACTIONS = st.sampled_from(["ADD", "OBSERVE", "DELETE"])
_TRANSACTED = {"bizTransactionList": _several(TRANSACTIONS)}
_ILMD = {"own:grade": st.sampled_from(["A", "B"]), "cbvmda:lotNumber": _serials()}


def _event(kind, needed, optional):
    base = {"type": st.just(kind), "eventTime": TIMES, "eventTimeZoneOffset": OFFSETS}
    return st.fixed_dictionaries(base | needed, optional=_COMMON | optional)


OBJECTS = st.one_of(
    _event(
        "ObjectEvent",
        {"epcList": _several(ITEMS), "action": _ACTIONS},
        {"quantityList": _several(QUANTITIES)} | _TRANSACTED,
    ),
    _event(
        "ObjectEvent",
        {"epcList": _several(ITEMS), "action": st.just("ADD")},
        {"ilmd": st.fixed_dictionaries(_ILMD)},
    ),
)
AGGREGATIONS = _event(
    "AggregationEvent",
    {"parentID": ITEMS, "childEPCs": _several(ITEMS), "action": _ACTIONS},
    {"childQuantityList": _several(QUANTITIES)} | _TRANSACTED,
)
ASSOCIATIONS = _event(
    "AssociationEvent",
    {"parentID": PLACES, "childEPCs": _several(ITEMS), "action": _ACTIONS},
    _TRANSACTED,
)
TRANSACTIONS_OF = _event(
    "TransactionEvent",
    {"bizTransactionList": _several(TRANSACTIONS), "epcList": _several(ITEMS), "action": _ACTIONS},
    {"parentID": ITEMS},
)
TRANSFORMATIONS = _event(
    "TransformationEvent",
    {"inputEPCList": _several(ITEMS), "outputEPCList": _several(ITEMS)},
    {
        "inputQuantityList": _several(QUANTITIES),
        "outputQuantityList": _several(QUANTITIES),
        "transformationID": st.just("urn:epc:id:gdti:0614141.12345.400"),
        "ilmd": st.fixed_dictionaries(_ILMD),
    }
    | _TRANSACTED,
)
EVENTS = st.one_of(OBJECTS, AGGREGATIONS, ASSOCIATIONS, TRANSACTIONS_OF, TRANSFORMATIONS)


def a_document(*events):
    """A document of events in the context of EPCIS and one prefix of the sender's own."""
    return {
        "@context": [CONTEXT, {"own": OWN}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T12:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def a_query_document(*events):
    """The same events as the answer to a query."""
    whole = a_document()
    body = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": list(events)}}
    return whole | {"type": "EPCISQueryDocument", "epcisBody": {"queryResults": body}}


_ORDER = [
    "eventTime",
    "recordTime",
    "eventTimeZoneOffset",
    "eventID",
    "errorDeclaration",
    "certificationInfo",
    "transformationID",
    "parentID",
    "bizTransactionList",
    "epcList",
    "childEPCs",
    "inputEPCList",
    "inputQuantityList",
    "outputEPCList",
    "outputQuantityList",
    "action",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "quantityList",
    "childQuantityList",
    "sourceList",
    "destinationList",
    "sensorElementList",
    "persistentDisposition",
    "ilmd",
]
_URNS = {"bizStep": "bizstep", "disposition": "disp", "set": "disp", "reason": "er"}
_SHORT = {"bizTransactionList": "btt", "sourceList": "sdt", "destinationList": "sdt"}


def as_xml(*events):
    """The same events as an XML document of EPCIS 2.0."""
    inner = "".join(_xml_event(one) for one in events)
    return (
        '<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2"'
        f' xmlns:own="{OWN}" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="2.0"'
        ' creationDate="2026-03-01T12:00:00Z"><EPCISBody><EventList>'
        f"{inner}</EventList></EPCISBody></epcis:EPCISDocument>"
    )


def _xml_event(event):
    ordered = sorted(
        (name for name in event if name != "type"),
        key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER),
    )
    inner = "".join(_xml_field(name, event[name]) for name in ordered)
    return f"<{event['type']}>{inner}</{event['type']}>"


def _word(name, value):
    return value if ":" in value else f"urn:epcglobal:cbv:{_URNS[name]}:{value}"


def _tag(name, text):
    return f"<{name}>{escape(str(text))}</{name}>"


def _attributes(values):
    def said(value):
        return str(value).lower() if isinstance(value, bool) else str(value)

    return "".join(
        f" {name}={quoteattr(f'gs1:{value}' if name == 'type' else said(value))}"
        for name, value in values.items()
    )


def _xml_field(name, value):
    if name in ("epcList", "childEPCs", "inputEPCList", "outputEPCList"):
        return f"<{name}>{''.join(_tag('epc', one) for one in value)}</{name}>"
    if name.lower().endswith("quantitylist"):
        inner = "".join(
            f"<quantityElement>{''.join(_tag(key, held) for key, held in one.items())}</quantityElement>"
            for one in value
        )
        return f"<{name}>{inner}</{name}>"
    if name in _SHORT:
        part = name.removesuffix("List")
        inner = "".join(
            f"<{part}{_typed(one, _SHORT[name])}>{escape(one[part])}</{part}>" for one in value
        )
        return f"<{name}>{inner}</{name}>"
    if name == "sensorElementList":
        inner = "".join(_xml_sensor(one) for one in value)
        return f"<{name}>{inner}</{name}>"
    if name in ("readPoint", "bizLocation"):
        return f"<{name}>{_tag('id', value['id'])}</{name}>"
    if name == "certificationInfo":
        return "".join(_tag(name, one) for one in value)
    if name in ("bizStep", "disposition"):
        return _tag(name, _word(name, value))
    if name == "persistentDisposition":
        return f"<{name}>{''.join(_tag('set', _word('set', one)) for one in value['set'])}</{name}>"
    if name == "errorDeclaration":
        reason = _word("reason", value["reason"])
        inner = _tag("declarationTime", value["declarationTime"]) + _tag("reason", reason)
        return f"<{name}>{inner}</{name}>"
    if name == "ilmd":
        return f"<ilmd>{''.join(_tag(key, held) for key, held in value.items())}</ilmd>"
    return _tag(name, value)


def _typed(one, urn):
    return f' type="urn:epcglobal:cbv:{urn}:{one["type"]}"' if "type" in one else ""


def _xml_sensor(one):
    metadata = one.get("sensorMetadata")
    said = f"<sensorMetadata{_attributes(metadata)}/>" if metadata else ""
    reports = "".join(f"<sensorReport{_attributes(held)}/>" for held in one["sensorReport"])
    return f"<sensorElement>{said}{reports}</sensorElement>"
