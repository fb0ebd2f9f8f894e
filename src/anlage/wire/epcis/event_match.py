"""Whether an event answers a parameter of the simple event query that only its content can tell.

EPCIS 2.0 clause 8.2.7.1. A parameter is met when any value of it fits. Comparisons of a field of
the sender's own (`EQ_`, `GT_` …) name it by its address or by the prefix of the event's context.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .event_hash import canonical_time
from .index import canonical_term, canonical_thing
from .vocabulary import CBV, VOC

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "EQ": lambda a, b: a == b,
    "GT": lambda a, b: a > b,
    "GE": lambda a, b: a >= b,
    "LT": lambda a, b: a < b,
    "LE": lambda a, b: a <= b,
}
_QUANTITIES = (
    "quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList",
)  # fmt: skip
_NUMBERS = "value|minValue|maxValue|meanValue|sDev|percValue|percRank"
_NUMBER = re.compile(rf"(EQ|GT|GE|LT|LE)_(quantity|{_NUMBERS})(?:_(\w+))?")
_TEXTS = frozenset(
    (
        "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod",
        "bizRules", "microorganism", "chemicalSubstance", "coordinateReferenceSystem", "component",
        "stringValue", "hexBinaryValue", "uriValue", "uom", "booleanValue",
    )
)  # fmt: skip
_TIMES = re.compile(r"(GE|LT)_(errorDeclarationTime|startTime|endTime|time)")
_TYPED = re.compile(r"EQ_(bizTransaction|source|destination)_(.+)")
_HOLDERS = {
    "ILMD": "ilmd",
    "READPOINT": "readPoint",
    "BIZLOCATION": "bizLocation",
    "ERROR_DECLARATION": "errorDeclaration",
    "PERSISTENTDISPOSITION": "persistentDisposition",
    "SENSORELEMENT": "sensorElementList",
    "SENSORMETADATA": "sensorMetadata",
    "SENSORREPORT": "sensorReport",
}
_FIELD = re.compile(rf"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?(?:({'|'.join(_HOLDERS)})_)?([^_]*[:#/].+)")
_MARKS = {"bizTransaction": "BTT-", "source": "SDT-", "destination": "SDT-"}


def is_served(name: str) -> bool:
    """Tell whether `matches` can judge a parameter."""
    fixed = name in (
        "EQ_errorReason", "EQ_correctiveEventID", "EQ_persistentDisposition_set",
        "EQ_persistentDisposition_unset",
    )  # fmt: skip
    return bool(
        fixed
        or _NUMBER.fullmatch(name)
        or _TIMES.fullmatch(name)
        or _TYPED.fullmatch(name)
        or _FIELD.fullmatch(name)
        or (name.startswith("EQ_") and name[3:] in _TEXTS)
    )


def matches(
    name: str, values: Sequence[str], event: Mapping[str, Any], prefixes: Mapping[str, str]
) -> bool:
    """Tell whether an event answers a parameter.

    Args:
        name: The parameter, one for which `is_served`.
        values: Its values as text; any of them may fit. None are needed for `EXISTS_`.
        event: The event as it was captured.
        prefixes: What each prefix of its context stands for.
    """
    if name in ("EQ_errorReason", "EQ_correctiveEventID"):
        return _declared(name, values, event)
    if name.startswith("EQ_persistentDisposition_"):
        held = _of(event, "persistentDisposition").get(name.rpartition("_")[2]) or []
        wanted = {canonical_term("disposition", one) for one in values}
        return any(canonical_term("disposition", one) in wanted for one in _list(held))
    if match := _TIMES.fullmatch(name):
        return _timed(match[1], match[2], values, event)
    if match := _NUMBER.fullmatch(name):
        return _numbered(match[1], match[2], match[3], values, event)
    if match := _TYPED.fullmatch(name):
        return _typed(match[1], match[2], values, event)
    if name.startswith("EQ_") and name[3:] in _TEXTS:
        return _sensed(name[3:], values, event)
    if match := _FIELD.fullmatch(name):
        return _fielded(match, values, event, prefixes)
    return False


def _declared(name: str, values: Sequence[str], event: Mapping[str, Any]) -> bool:
    error = _of(event, "errorDeclaration")
    if name == "EQ_correctiveEventID":
        return any(one in values for one in _list(error.get("correctiveEventIDs")))
    wanted = {_bare(one, "ER-", "er") for one in values}
    return isinstance(error.get("reason"), str) and _bare(error["reason"], "ER-", "er") in wanted


def _timed(sign: str, what: str, values: Sequence[str], event: Mapping[str, Any]) -> bool:
    if what == "errorDeclarationTime":
        held = [_of(event, "errorDeclaration").get("declarationTime")]
    else:
        held = [one.get(what) for one in _sensors(event)]
    limit = canonical_time(values[0].replace(" ", "+"))
    times = [canonical_time(one) for one in held if isinstance(one, str)]
    return any(one >= limit if sign == "GE" else one < limit for one in times)


def _numbered(
    sign: str, what: str, unit: str | None, values: Sequence[str], event: Mapping[str, Any]
) -> bool:
    if what == "quantity":
        holders = [one for name in _QUANTITIES for one in _objects(event.get(name))]
    else:
        holders = list(_reports(event))
    fits = _COMPARED[sign]
    for holder in holders:
        number = holder.get(what)
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        if unit in (None, "", holder.get("uom")) and any(
            fits(number, limit) for one in values if (limit := _float(one)) is not None
        ):
            return True
    return False


def _typed(what: str, kind: str, values: Sequence[str], event: Mapping[str, Any]) -> bool:
    urn = {"bizTransaction": "btt"}.get(what, "sdt")
    wanted = {canonical_thing(one) for one in values}
    kind = _bare(kind, _MARKS[what], urn)
    return any(
        _bare(str(one.get("type", "")), _MARKS[what], urn) == kind
        and canonical_thing(str(one.get(what))) in wanted
        for one in _objects(event.get(f"{what}List"))
    )


def _sensed(what: str, values: Sequence[str], event: Mapping[str, Any]) -> bool:
    held = [one.get(what) for one in _sensors(event)]
    if what == "booleanValue":
        return any(str(one).lower() in values for one in held if isinstance(one, bool))
    return any(_term(one) in {_term(v) for v in values} for one in held if isinstance(one, str))


def _fielded(
    match: "re.Match[str]",
    values: Sequence[str],
    event: Mapping[str, Any],
    prefixes: Mapping[str, str],
) -> bool:
    sign, inner, holder, name = match.groups()
    places: Iterator[Any] = iter([event])
    if holder:
        places = _named(event, _HOLDERS[holder])
    found = [
        value
        for place in places
        for value in _under(place, _address(name, prefixes), prefixes, is_deep=bool(inner))
    ]
    if sign == "EXISTS":
        return bool(found)
    return any(_compares(sign, value, one) for value in found for one in values)


def _compares(sign: str, held: Any, wanted: str) -> bool:
    if isinstance(held, bool):
        return sign == "EQ" and str(held).lower() == wanted
    number, limit = _float(held), _float(wanted)
    if number is not None and limit is not None:
        return _COMPARED[sign](number, limit)
    text, other = canonical_time(str(held)), canonical_time(wanted)
    if sign == "EQ":
        return text == other
    return _COMPARED[sign](float(text > other) - float(text < other), 0.0)


def _under(
    place: Any, address: str, prefixes: Mapping[str, str], *, is_deep: bool
) -> Iterator[Any]:
    """Give the values of a field directly in an object, or at any depth below it."""
    for one in _objects(place) if isinstance(place, list) else [place]:
        if not isinstance(one, Mapping):
            continue
        for key, value in one.items():
            if _address(key, prefixes) == address:
                yield from value if isinstance(value, list) else [value]
            elif is_deep and isinstance(value, Mapping | list):
                yield from _under(value, address, prefixes, is_deep=True)


def _named(place: Any, name: str) -> Iterator[Any]:
    """Give what an event holds under a name of the standard, at any depth."""
    if isinstance(place, Mapping):
        for key, value in place.items():
            if key == name:
                yield value
            yield from _named(value, name)
    elif isinstance(place, list):
        for one in place:
            yield from _named(one, name)


def _address(name: str, prefixes: Mapping[str, str]) -> str:
    """Give the whole address of a field: `prefix:name` written out, `namespace#name` joined."""
    prefix, colon, rest = name.partition(":")
    if colon and prefix in prefixes:
        return prefixes[prefix].rstrip("#/") + "/" + rest
    namespace, mark, rest = name.rpartition("#")
    return namespace.rstrip("/") + "/" + rest if mark else name


def _sensors(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for element in _objects(event.get("sensorElementList")):
        yield _of(element, "sensorMetadata")
        yield from _objects(element.get("sensorReport"))


def _reports(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for element in _objects(event.get("sensorElementList")):
        yield from _objects(element.get("sensorReport"))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]


def _of(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _bare(text: str, mark: str, urn: str) -> str:
    for start in (f"urn:epcglobal:cbv:{urn}:", f"{CBV}{mark}", f"cbv:{mark}"):
        if text.startswith(start):
            return text[len(start) :]
    return text


def _term(text: str) -> str:
    for start in (VOC, "gs1:", f"{CBV}Comp-", "cbv:Comp-"):
        if text.startswith(start):
            return text[len(start) :]
    return text


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
