"""What an event must hold, must not hold and may say (EPCIS 2.0 clause 7, CBV 2.0)."""

from collections.abc import Callable
from typing import Any

from anlage.base import Problem

from . import values
from .vocabulary import (
    ALERTS,
    BUSINESS_STEPS,
    CBV,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    MEASUREMENTS_IN_USE,
    PARTY_TYPES,
    TRANSACTION_TYPES,
    VOC,
    words,
)

RULE = "EPCIS 2.0 clause 7"
RULE_WORDS = "CBV 2.0 clause 7"
_ACTIONS = ("ADD", "OBSERVE", "DELETE")
_COMMON = words(
    """
    @context type eventTime recordTime eventTimeZoneOffset eventID certificationInfo
    errorDeclaration
    """
)
_SHARED = words(
    """
    bizStep disposition persistentDisposition readPoint bizLocation bizTransactionList sourceList
    destinationList sensorElementList
    """
)
_OWN = {
    "ObjectEvent": frozenset({"action", "epcList", "quantityList", "ilmd"}),
    "AggregationEvent": frozenset({"action", "parentID", "childEPCs", "childQuantityList"}),
    "AssociationEvent": frozenset({"action", "parentID", "childEPCs", "childQuantityList"}),
    "TransactionEvent": frozenset({"action", "parentID", "epcList", "quantityList"}),
    "TransformationEvent": frozenset(
        {
            "inputEPCList",
            "inputQuantityList",
            "outputEPCList",
            "outputQuantityList",
            "transformationID",
            "ilmd",
        }
    ),
}
EVENT_TYPES = frozenset(_OWN)
_KNOWN_ANYWHERE = _COMMON | _SHARED | frozenset().union(*_OWN.values())
_METADATA_TIMES = ("time", "startTime", "endTime")
_METADATA_ADDRESSES = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules")
_REPORT_ADDRESSES = (
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "microorganism",
    "chemicalSubstance",
    "coordinateReferenceSystem",
    "uriValue",
    "bizRules",  # published examples carry it here as well as in the metadata
)
_REPORT_NUMBERS = (
    "value",
    "minValue",
    "maxValue",
    "meanValue",
    "sDev",
    "percRank",
    "percValue",
)
_REPORT_KEYS = frozenset(
    (
        *_REPORT_ADDRESSES,
        *_REPORT_NUMBERS,
        *("type", "exception", "time", "component"),
        *("stringValue", "booleanValue", "hexBinaryValue", "uom"),
    )
)
_PREFIXES_OF_CONTEXT = frozenset(
    ("epcis", "cbv", "cbvmda", "gs1", "rdfs", "owl", "xsd", "dcterms", "rdf", "schema")
)
_ITEMS_MAX = 200_000
_PROBLEMS_MAX = 200


class EventCheck:
    """One document's judgement: collects every problem with its place.

    Attributes:
        problems: What was found, in the order of the document.
    """

    def __init__(self, *, is_xml: bool, prefixes: frozenset[str]) -> None:
        """Start with the prefixes that the document declares."""
        self._is_xml = is_xml
        self._prefixes = prefixes | _PREFIXES_OF_CONTEXT
        self.problems: list[Problem] = []

    def say(
        self, code: str, path: str, found: Any, limit: str, *, rule: str = RULE, remedy: str = ""
    ) -> None:
        """Note a problem; past 200 the rest is not listed."""
        if len(self.problems) < _PROBLEMS_MAX:
            shown = repr(found) if not isinstance(found, str) else found
            self.problems.append(
                Problem(
                    code=code,
                    what=path.rpartition(".")[2] or path,
                    found=shown[:120],
                    limit=limit,
                    remedy=remedy or "correct the document at this place and send it again",
                    rule=rule,
                    path=path,
                )
            )

    def event(self, event: Any, path: str) -> None:
        """Judge one event."""
        if not isinstance(event, dict):
            self.say("event-malformed", path, event, "an object")
            return
        outer = self._prefixes
        self._prefixes |= prefixes_of(event.get("@context"))
        given = event.get("type")
        kind = given if isinstance(given, str) else None
        if kind not in EVENT_TYPES and not (kind and self._is_own_name(kind)):
            self.say(
                "event-type-unknown",
                f"{path}.type",
                "nothing" if given is None else given,
                f"{', '.join(sorted(EVENT_TYPES))}, or a type in a declared namespace",
            )
            kind = None
        self._common(event, path)
        self._keys(event, path, kind)
        self._why_where(event, path)
        if kind in EVENT_TYPES:
            self._own(str(kind), event, path)
        self._prefixes = outer

    def extension(self, value: Any, path: str) -> None:
        """Judge the names inside an extension: each prefix must be declared."""
        if isinstance(value, list):
            for place, inner in enumerate(value[:_ITEMS_MAX]):
                self.extension(inner, f"{path}[{place}]")
        elif isinstance(value, dict):
            for key, inner in value.items():
                if ":" in key and not key.startswith("@") and not self._is_own_name(key):
                    self._undeclared(key, f"{path}.{key}")
                self.extension(inner, f"{path}.{key}")

    def _common(self, event: dict[str, Any], path: str) -> None:
        self.needed(event, "eventTime", path, values.time_fault, "time-malformed")
        self.needed(event, "eventTimeZoneOffset", path, values.offset_fault, "offset-malformed")
        self._maybe(event, "recordTime", path, values.time_fault, "time-malformed")
        self._maybe(event, "eventID", path, values.event_id_fault, "event-id-malformed")
        if "certificationInfo" in event:
            given = event["certificationInfo"]
            for place, item in enumerate(given if isinstance(given, list) else [given]):
                where = f"{path}.certificationInfo" + (
                    f"[{place}]" if isinstance(given, list) else ""
                )
                if fault := values.uri_fault(item):
                    self.say("certification-malformed", where, item, fault)
        if "errorDeclaration" in event:
            self._error_declaration(event["errorDeclaration"], f"{path}.errorDeclaration")

    def _error_declaration(self, error: Any, path: str) -> None:
        if not self.is_object(error, path):
            return
        self.needed(error, "declarationTime", path, values.time_fault, "time-malformed")
        if "reason" in error:
            self._word(error["reason"], f"{path}.reason", ERROR_REASONS, "ER-", "er")
        if "correctiveEventIDs" in error:
            for place, item in self.entries(error, "correctiveEventIDs", path):
                if fault := values.event_id_fault(item):
                    self.say(
                        "event-id-malformed", f"{path}.correctiveEventIDs[{place}]", item, fault
                    )
        self.only(error, {"declarationTime", "reason", "correctiveEventIDs"}, path)

    def _keys(self, event: dict[str, Any], path: str, kind: Any) -> None:
        allowed = _COMMON | _SHARED | _OWN.get(kind, _KNOWN_ANYWHERE)
        for key, value in event.items():
            if key in allowed:
                continue
            where = f"{path}.{key}"
            if key in _KNOWN_ANYWHERE:
                self.say(
                    "field-not-allowed",
                    where,
                    key,
                    f"a field of {kind}; {key} belongs to another type of event",
                )
            elif self._is_own_name(key):
                self.extension(value, where)
            elif ":" in key:
                self._undeclared(key, where)
            else:
                self.say(
                    "field-unknown",
                    where,
                    key,
                    "a field of the standard, or a name with a declared prefix",
                )

    def _own(self, kind: str, event: dict[str, Any], path: str) -> None:
        if kind != "TransformationEvent":
            action = event.get("action")
            if action not in _ACTIONS:
                self.say(
                    "action-unknown" if "action" in event else "field-missing",
                    f"{path}.action",
                    "nothing" if action is None else action,
                    "ADD, OBSERVE or DELETE",
                )
        match kind:
            case "ObjectEvent":
                self._object_event(event, path)
            case "TransactionEvent":
                self._transaction_event(event, path)
            case "TransformationEvent":
                self._transformation_event(event, path)
            case _:
                self._parent_event(kind, event, path)

    def _object_event(self, event: dict[str, Any], path: str) -> None:
        things = self._things(event, path, "epcList") + self._quantities(
            event, path, "quantityList"
        )
        sensed = bool(event.get("sensorElementList")) and "readPoint" in event
        if not things and not sensed and not ("epcList" in event and self._is_extended(event)):
            self.say(
                "what-missing",
                path,
                "no identifiers and no quantities",
                "epcList or quantityList with at least one entry; or sensor data with a read point",
            )
        if "ilmd" in event:
            if event.get("action") in ("OBSERVE", "DELETE"):
                self.say(
                    "ilmd-not-allowed",
                    f"{path}.ilmd",
                    f"action {event['action']}",
                    "instance and lot master data only with action ADD",
                    rule="EPCIS 2.0 clause 7.4.2",
                )
            self._ilmd(event["ilmd"], f"{path}.ilmd")

    def _parent_event(self, kind: str, event: dict[str, Any], path: str) -> None:
        children = self._things(event, path, "childEPCs") + self._quantities(
            event, path, "childQuantityList"
        )
        action = event.get("action")
        if "parentID" in event:
            self._address(event["parentID"], f"{path}.parentID", "any")
        elif kind == "AssociationEvent" or action in ("ADD", "DELETE"):
            self.say(
                "parent-missing",
                f"{path}.parentID",
                "nothing",
                "the parent's identifier"
                + ("" if kind == "AssociationEvent" else " (it may be left out for OBSERVE alone)"),
            )
        if not children and action != "DELETE":
            self.say(
                "what-missing",
                path,
                "no children",
                "childEPCs or childQuantityList with at least one entry, unless action is DELETE",
            )

    def _transaction_event(self, event: dict[str, Any], path: str) -> None:
        things = self._things(event, path, "epcList") + self._quantities(
            event, path, "quantityList"
        )
        if "parentID" in event:
            self._address(event["parentID"], f"{path}.parentID", "any")
        if not event.get("bizTransactionList"):
            self.say(
                "transaction-missing",
                f"{path}.bizTransactionList",
                "nothing",
                "at least one business transaction",
            )
        alone = "parentID" not in event and "epcList" not in event
        if not things and alone and event.get("action") != "DELETE":
            self.say(
                "what-missing",
                path,
                "no identifiers and no quantities",
                "epcList or quantityList, unless action is DELETE",
            )

    def _transformation_event(self, event: dict[str, Any], path: str) -> None:
        inputs = self._things(event, path, "inputEPCList") + self._quantities(
            event, path, "inputQuantityList"
        )
        outputs = self._things(event, path, "outputEPCList") + self._quantities(
            event, path, "outputQuantityList"
        )
        if "transformationID" in event:
            self._address(event["transformationID"], f"{path}.transformationID", "any")
            if not inputs and not outputs:
                self.say("what-missing", path, "no inputs and no outputs", "at least one of them")
        elif not (inputs and outputs):
            self.say(
                "what-missing",
                path,
                "no inputs" if outputs else "no outputs" if inputs else "no inputs and no outputs",
                "inputs and outputs, or a transformationID that joins several events",
                rule="EPCIS 2.0 clause 7.4.6",
            )
        if "ilmd" in event:
            self._ilmd(event["ilmd"], f"{path}.ilmd")

    def _why_where(self, event: dict[str, Any], path: str) -> None:
        if "bizStep" in event:
            self._word(event["bizStep"], f"{path}.bizStep", BUSINESS_STEPS, "BizStep-", "bizstep")
        if "disposition" in event:
            self._word(event["disposition"], f"{path}.disposition", DISPOSITIONS, "Disp-", "disp")
        if "persistentDisposition" in event:
            self._persistent(event["persistentDisposition"], f"{path}.persistentDisposition")
        for name in ("readPoint", "bizLocation"):
            if name in event and self.is_object(event[name], f"{path}.{name}"):
                where = f"{path}.{name}"
                if "id" in event[name]:
                    self._address(event[name]["id"], f"{where}.id", "location")
                else:
                    self.say("field-missing", f"{where}.id", "nothing", "the place's address")
                self.only(event[name], {"id", "type"}, where)
        self._references(event, path, "bizTransactionList", "bizTransaction")
        self._references(event, path, "sourceList", "source")
        self._references(event, path, "destinationList", "destination")
        for place, element in self.entries(event, "sensorElementList", path):
            self._sensor_element(element, f"{path}.sensorElementList[{place}]")

    def _persistent(self, value: Any, path: str) -> None:
        if not self.is_object(value, path):
            return
        if not (value.get("set") or value.get("unset")):
            self.say("field-missing", path, "neither set nor unset", "set or unset, with words")
        for name in ("set", "unset"):
            seen = set()
            for place, word in self.entries(value, name, path):
                where = f"{path}.{name}[{place}]"
                self._word(word, where, DISPOSITIONS, "Disp-", "disp")
                if isinstance(word, str) and word in seen:
                    self.say("repeated", where, word, "each word once")
                seen.add(str(word))
        self.only(value, {"set", "unset"}, path)

    def _references(self, event: dict[str, Any], path: str, name: str, key: str) -> None:
        for place, item in self.entries(event, name, path):
            where = f"{path}.{name}[{place}]"
            if not self.is_object(item, where):
                continue
            kind = item.get("type")
            if key == "bizTransaction":
                if kind is not None:
                    self._word(kind, f"{where}.type", TRANSACTION_TYPES, "BTT-", "btt")
            elif kind is None:
                self.say("field-missing", f"{where}.type", "nothing", "the type of the party")
            else:
                self._word(kind, f"{where}.type", PARTY_TYPES, "SDT-", "sdt")
            if key not in item:
                self.say("field-missing", f"{where}.{key}", "nothing", "an address")
            elif key == "bizTransaction":
                value = item[key]
                fault = values.uri_fault(value) or values.transaction_fault(value)
                if fault:
                    self.say("identifier-malformed", f"{where}.{key}", value, fault)
            else:
                self._address(item[key], f"{where}.{key}", "any")
            self.only(item, {"type", key}, where)

    def _sensor_element(self, element: Any, path: str) -> None:
        if not self.is_object(element, path):
            return
        if "sensorMetadata" in element:
            self._metadata(element["sensorMetadata"], f"{path}.sensorMetadata")
        reports = element.get("sensorReport")
        if not isinstance(reports, list) or not reports:
            self.say(
                "sensor-report-missing",
                f"{path}.sensorReport",
                "nothing" if reports is None else reports,
                "a list with at least one report",
            )
        else:
            has_time = isinstance(element.get("sensorMetadata"), dict)
            for place, report in enumerate(reports[:_ITEMS_MAX]):
                self._report(report, f"{path}.sensorReport[{place}]", has_time)
        self.only(element, {"sensorMetadata", "sensorReport", "type"}, path)

    def _metadata(self, metadata: Any, path: str) -> None:
        if not self.is_object(metadata, path):
            return
        for name in _METADATA_TIMES:
            self._maybe(metadata, name, path, values.time_fault, "time-malformed")
        for name in _METADATA_ADDRESSES:
            if name in metadata:
                self._address(metadata[name], f"{path}.{name}", "any")
        self._in_order(metadata, path)
        self.only(metadata, {*_METADATA_TIMES, *_METADATA_ADDRESSES}, path)

    def _in_order(self, metadata: dict[str, Any], path: str) -> None:
        from anlage.base import instant

        start, end = metadata.get("startTime"), metadata.get("endTime")
        if start is None or end is None or values.time_fault(start) or values.time_fault(end):
            return
        if instant(_short(end)) < instant(_short(start)):
            self.say("time-order", f"{path}.endTime", end, f"a time not before startTime {start}")

    def _report(self, report: Any, path: str, _has_time: bool) -> None:
        if not self.is_object(report, path):
            return
        if "type" in report:
            self._word(report["type"], f"{path}.type", MEASUREMENTS_IN_USE, "", "", start=VOC)
        elif "exception" not in report:
            self.say("field-missing", f"{path}.type", "nothing", "the type of the measurement")
        if "exception" in report:
            self._word(report["exception"], f"{path}.exception", ALERTS, "", "", start=VOC)
        if "component" in report:
            self._word(report["component"], f"{path}.component", COMPONENTS, "Comp-", "")
        self._maybe(report, "time", path, values.time_fault, "time-malformed")
        self._maybe(report, "uom", path, values.unit_fault, "unit-malformed")
        self._maybe(report, "hexBinaryValue", path, values.hex_fault, "value-malformed")
        for name in _REPORT_ADDRESSES:
            if name in report:
                self._address(report[name], f"{path}.{name}", "any")
        if "stringValue" in report and not isinstance(report["stringValue"], str):
            self.say("value-malformed", f"{path}.stringValue", report["stringValue"], "text")
        if "booleanValue" in report:
            given = report["booleanValue"]
            fine = given in ("true", "false", "0", "1") if self._is_xml else isinstance(given, bool)
            if not fine:
                self.say("value-malformed", f"{path}.booleanValue", given, "true or false")
        numbers: dict[str, float] = {}
        for name in _REPORT_NUMBERS:
            if name in report:
                number = values.number_of(report[name], text=self._is_xml)
                if number is None:
                    self.say("value-malformed", f"{path}.{name}", report[name], "a number")
                else:
                    numbers[name] = number
        if numbers.get("sDev", 0) < 0:
            self.say("value-malformed", f"{path}.sDev", report["sDev"], "zero or more")
        if not 0 <= numbers.get("percRank", 50) <= 100:
            self.say("value-malformed", f"{path}.percRank", report["percRank"], "0 to 100")
        self.only(report, _REPORT_KEYS, path)

    def _things(self, event: dict[str, Any], path: str, name: str) -> int:
        seen: set[str] = set()
        count = 0
        for place, item in self.entries(event, name, path):
            where = f"{path}.{name}[{place}]"
            self._address(item, where, "any")
            if isinstance(item, str):
                if item in seen and not self._is_xml:  # a list of JSON-LD is a set
                    self.say("repeated", where, item, "each identifier once")
                seen.add(item)
            count += 1
        return count

    def _quantities(self, event: dict[str, Any], path: str, name: str) -> int:
        count = 0
        for place, item in self.entries(event, name, path):
            where = f"{path}.{name}[{place}]"
            count += 1
            if not self.is_object(item, where):
                continue
            if "epcClass" in item:
                self._address(item["epcClass"], f"{where}.epcClass", "class")
            else:
                self.say("field-missing", f"{where}.epcClass", "nothing", "the class of the things")
            if "quantity" in item:
                number = values.number_of(item["quantity"], text=self._is_xml)
                if number is None:
                    self.say(
                        "quantity-malformed", f"{where}.quantity", item["quantity"], "a number"
                    )
                elif number < 0:
                    self.say(
                        "quantity-malformed", f"{where}.quantity", item["quantity"], "zero or more"
                    )
                elif "uom" not in item and number != int(number):
                    self.say(
                        "quantity-malformed",
                        f"{where}.quantity",
                        item["quantity"],
                        "a whole count, or a unit of measure (uom) beside it",
                    )
            self._maybe(item, "uom", where, values.unit_fault, "unit-malformed")
            if "uom" in item and "quantity" not in item:
                self.say(
                    "quantity-malformed", f"{where}.uom", item["uom"], "a quantity beside the unit"
                )
            for key in item:
                if key not in ("epcClass", "quantity", "uom", "type"):
                    self.say(
                        "field-unknown", f"{where}.{key}", key, "epcClass, quantity and uom alone"
                    )
        return count

    def _ilmd(self, value: Any, path: str) -> None:
        if not self.is_object(value, path):
            return
        for key, inner in value.items():
            if self._is_own_name(key):
                self.extension(inner, f"{path}.{key}")
            elif ":" in key:
                self._undeclared(key, f"{path}.{key}")
            else:
                self.say(
                    "ilmd-name-bare",
                    f"{path}.{key}",
                    key,
                    "a name with a declared prefix, such as cbvmda:lotNumber",
                    rule="EPCIS 2.0 clause 7.3.8",
                )

    def _word(
        self,
        value: Any,
        path: str,
        words: frozenset[str],
        mark: str,
        urn: str,
        *,
        start: str = CBV,
    ) -> None:
        fault = values.word_fault(
            value,
            words,
            start + mark,
            f"urn:epcglobal:cbv:{urn}:" if urn else "",
            bare=not self._is_xml,
        )
        if fault:
            self.say("word-unknown", path, value, fault, rule=RULE_WORDS)

    def _address(self, value: Any, path: str, level: str) -> None:
        fault = values.uri_fault(value) or values.identifier_fault(value, level)
        if fault:
            self.say("identifier-malformed", path, value, fault, rule="CBV 2.0 clause 8")

    def needed(
        self,
        holder: dict[str, Any],
        name: str,
        path: str,
        judge: Callable[[Any], str | None],
        code: str,
    ) -> None:
        """Judge a field that must stand."""
        if name not in holder:
            limit = judge(None) or "a value"
            self.say("field-missing", f"{path}.{name}", "nothing", limit)
        else:
            self._maybe(holder, name, path, judge, code)

    def _maybe(
        self,
        holder: dict[str, Any],
        name: str,
        path: str,
        judge: Callable[[Any], str | None],
        code: str,
    ) -> None:
        if name in holder and (fault := judge(holder[name])):
            self.say(code, f"{path}.{name}", holder[name], fault)

    def entries(self, holder: dict[str, Any], name: str, path: str) -> list[tuple[int, Any]]:
        """Give the entries of a list with their places; a value that is no list is a problem."""
        if name not in holder:
            return []
        value = holder[name]
        if not isinstance(value, list):
            self.say("list-expected", f"{path}.{name}", value, "a list")
            return []
        return list(enumerate(value[:_ITEMS_MAX]))

    def is_object(self, value: Any, path: str) -> bool:
        """Tell whether a value is an object; a problem when it is none."""
        if isinstance(value, dict):
            return True
        self.say("object-expected", path, value, "an object with named fields")
        return False

    def only(self, holder: dict[str, Any], allowed: set[str] | frozenset[str], path: str) -> None:
        """Judge every other name: known, of a declared prefix, or a problem."""
        for key, value in holder.items():
            if key in allowed or key == "@context":
                continue
            if self._is_own_name(key):
                self.extension(value, f"{path}.{key}")
            elif ":" in key:
                self._undeclared(key, f"{path}.{key}")
            else:
                self.say(
                    "field-unknown",
                    f"{path}.{key}",
                    key,
                    f"{', '.join(sorted(allowed))}, or a name with a declared prefix",
                )

    def _is_extended(self, event: dict[str, Any]) -> bool:
        return any(":" in key for key in event)

    def _is_own_name(self, name: str) -> bool:
        """Tell whether a name has a declared prefix, or is an address itself."""
        prefix, colon, rest = name.partition(":")
        if not colon or not rest:
            return False
        if prefix in self._prefixes or prefix == "@xmlns":
            return True
        return rest.startswith("//") or prefix in ("urn", "tag")

    def _undeclared(self, name: str, path: str) -> None:
        self.say(
            "prefix-undeclared",
            path,
            name,
            "a prefix that @context declares",
            remedy=f"declare {name.partition(':')[0]!r} in @context with its address",
            rule="EPCIS 2.0 clause 10; JSON-LD 1.1",
        )


def prefixes_of(context: Any) -> frozenset[str]:
    """Give the prefixes that a context declares."""
    if isinstance(context, dict):
        return frozenset(context)
    if isinstance(context, list):
        return frozenset().union(*(prefixes_of(part) for part in context))
    return frozenset()


def _short(time: str) -> str:
    """Give a time with at most six decimals, as the calendar reads it."""
    head, dot, tail = time.partition(".")
    if not dot:
        return time
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]}{tail[digits:]}"
