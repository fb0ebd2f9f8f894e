"""Queries: the parameters of the simple event query (EPCIS 2.0 clause 8.2.7.1) and their values."""

import re
from collections.abc import Callable
from typing import Any

from . import values
from .event_check import EVENT_TYPES, EventCheck
from .vocabulary import BUSINESS_STEPS, CBV, DISPOSITIONS, ERROR_REASONS

RULE = "EPCIS 2.0 clause 8.2.7.1"
_COMPARED = r"(?:EQ|GT|GE|LT|LE)"
_NUMBERS = "value|minValue|maxValue|meanValue|sDev|percValue|percRank"
_HOLDERS = (
    "ILMD|INNER_ILMD|INNER|SENSORELEMENT|INNER_SENSORELEMENT|SENSORMETADATA|INNER_SENSORMETADATA"
    "|SENSORREPORT|INNER_SENSORREPORT|READPOINT|INNER_READPOINT|BIZLOCATION|INNER_BIZLOCATION"
    "|ERROR_DECLARATION|INNER_ERROR_DECLARATION|PERSISTENTDISPOSITION|INNER_PERSISTENTDISPOSITION"
)
_ITEMS_MAX = 10_000
_COUNT_MAX = 2**31 - 1

Judge = Callable[[Any, bool], str | None]


def check_query(judge: EventCheck, parameters: Any, path: str, *, is_xml: bool) -> None:
    """Note every parameter that the query does not know, and every value that does not fit."""
    if not judge.is_object(parameters, path):
        return
    for name, value in parameters.items():
        where = f"{path}.{name}"
        rule = next((rule for form, rule in _PARAMETERS if form.fullmatch(name)), None)
        if rule is None:
            if name in ("@context", "type"):
                continue
            judge.say(
                "parameter-unknown",
                where,
                name,
                "a parameter of the simple event query, such as GE_eventTime, EQ_bizStep,"
                " MATCH_anyEPC, or a comparison of a field in your own namespace",
                rule=RULE,
            )
        elif fault := rule(value, is_xml):
            judge.say("parameter-malformed", where, value, fault, rule=RULE)
    counted = {"eventCountLimit", "maxEventCount"} & set(parameters)
    if len(counted) == 2:
        judge.say(
            "parameter-malformed",
            f"{path}.maxEventCount",
            "eventCountLimit and maxEventCount",
            "one of the two",
            rule=RULE,
        )


def xml_parameters(poll: Any) -> dict[str, Any]:
    """Give the parameters of an XML `Poll` or `Subscribe`; a value that is missing is None."""
    found: dict[str, Any] = {}
    for parameter in poll.iter():
        if not (isinstance(parameter.tag, str) and parameter.tag.rpartition("}")[2] == "param"):
            continue
        name: str | None = None
        value: Any = None
        for part in parameter:
            label = part.tag.rpartition("}")[2] if isinstance(part.tag, str) else ""
            if label == "name":
                name = (part.text or "").strip()
            elif label == "value":
                inner = [(child.text or "").strip() for child in part]
                value = inner or (part.text or "").strip() or None
        found[name or "(no name)"] = value
    return found


def _each(judge: Callable[[Any], str | None]) -> Judge:
    def rule(value: Any, is_xml: bool) -> str | None:
        if isinstance(value, str) and (is_xml or value):
            value = [value]
        if not isinstance(value, list) or not value:
            return "a list with at least one value"
        return next((fault for item in value[:_ITEMS_MAX] if (fault := judge(item))), None)

    return rule


def _one(judge: Callable[[Any], str | None]) -> Judge:
    return lambda value, _is_xml: judge(value)


def _of(*allowed: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in allowed else f"one of {', '.join(allowed)}"


def _type(value: Any) -> str | None:
    if isinstance(value, str) and (value in EVENT_TYPES or ":" in value):
        return None
    return f"one of {', '.join(sorted(EVENT_TYPES))}, or a type in your own namespace"


def _word(words: frozenset[str], mark: str, urn: str) -> Callable[[Any], str | None]:
    def judge(value: Any) -> str | None:
        urn_start = f"urn:epcglobal:cbv:{urn}:"
        if isinstance(value, str) and value.startswith(urn_start):
            value = value[len(urn_start) :]
        return values.word_fault(value, words, CBV + mark, urn_start, bare=True)

    return judge


def _address(value: Any) -> str | None:
    # A pattern such as urn:epc:idpat:sgtin:*.*.* is no identifier, but a query may ask for it.
    return values.uri_fault(value)


def _text(value: Any) -> str | None:
    fine = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    return None if fine else "a value"


def _number(value: Any, is_xml: bool) -> str | None:
    return None if values.number_of(value, text=is_xml) is not None else "a number"


def _count(value: Any, is_xml: bool) -> str | None:
    if is_xml and isinstance(value, str) and value.isdigit():
        value = int(value)
    fine = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _COUNT_MAX
    return None if fine else "a whole number above zero"


def _anything(_value: Any, _is_xml: bool) -> str | None:
    return None


_WORDS_STEP = _each(_word(BUSINESS_STEPS, "BizStep-", "bizstep"))
_WORDS_DISPOSITION = _each(_word(DISPOSITIONS, "Disp-", "disp"))
_PARAMETERS: tuple[tuple[re.Pattern[str], Judge], ...] = tuple(
    (re.compile(form), rule)
    for form, rule in (
        (r"eventTypes?", _each(_type)),
        (
            r"(?:GE|LT)_(?:eventTime|recordTime|errorDeclarationTime|startTime|endTime|time)",
            _one(values.time_fault),
        ),
        (r"EQ_action", _each(_of("ADD", "OBSERVE", "DELETE"))),
        (r"EQ_bizStep", _WORDS_STEP),
        (r"EQ_disposition|EQ_persistentDisposition_(?:set|unset)", _WORDS_DISPOSITION),
        (r"EQ_errorReason", _each(_word(ERROR_REASONS, "ER-", "er"))),
        (r"(?:EQ|WD)_(?:readPoint|bizLocation)", _each(_address)),
        (r"EQ_(?:transformationID|eventID|correctiveEventID)", _each(_address)),
        (r"EQ_(?:bizTransaction|source|destination)_.+", _each(_address)),
        (
            r"MATCH_(?:epc|parentID|inputEPC|outputEPC|anyEPC|epcClass|inputEPCClass"
            r"|outputEPCClass|anyEPCClass)",
            _each(_address),
        ),
        (rf"{_COMPARED}_(?:quantity|(?:{_NUMBERS})(?:_[A-Za-z0-9]+)?)", _number),
        (
            r"EQ_(?:type|exception|deviceID|deviceMetadata|rawData|dataProcessingMethod|bizRules"
            r"|microorganism|chemicalSubstance|coordinateReferenceSystem|component|stringValue"
            r"|hexBinaryValue|uriValue|uom)",
            _each(_text),
        ),
        (r"EQ_booleanValue", _anything),
        (r"EXISTS_(?:errorDeclaration|[A-Za-z_]+_?.*)", _anything),
        (r"(?:HASATTR|EQATTR)_.+", _anything),
        (rf"{_COMPARED}_(?:(?:{_HOLDERS})_)?[^_]*[:#].+", _anything),
        (r"orderBy", _one(_text)),
        (r"orderDirection", _one(_of("ASC", "DESC"))),
        (r"eventCountLimit|maxEventCount|perPage", _count),
        (r"nextPageToken|reportIfEmpty|initialRecordTime", _anything),
    )
)
