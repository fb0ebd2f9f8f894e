"""The canonical hash of an event (CBV 2.0, 8.9): its content as one line, and the digest of that.

Two documents that say the same give the same hash, in JSON-LD or XML, in any order of their lists.
The order of properties follows the code of the reference generator, which the hashes in use are
made with. A hash identifies what an event says; it is no proof that nobody changed it.
"""

import functools
import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from .canonical_link import canonical_link
from .vocabulary import CBV, EXPANDED_KEYS, EXPANSIONS, URN_PREFIXES, VOC

Node = tuple[str, str, list[Any]]
"""Name, text and children of a property; a pair of nodes stands for a typed reference."""

Order = dict[str, tuple[int, "Order | None"]]


def _ranked(*names: "str | tuple[str, Order]") -> Order:
    """Give each property its rank and, where it holds properties itself, their order."""
    return {
        (name if isinstance(name, str) else name[0]): (
            rank,
            None if isinstance(name, str) else name[1],
        )
        for rank, name in enumerate(names)
    }


_QUANTITY = _ranked(("quantityElement", _ranked("epcClass", "quantity", "uom")))
_EPC = _ranked("epc")
_PLACE = _ranked("id")
_METADATA = _ranked(
    "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData",
    "dataProcessingMethod", "bizRules",
)  # fmt: skip
_REPORT = _ranked(
    "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time",
    "microorganism", "chemicalSubstance", "value", "component", "stringValue", "booleanValue",
    "hexBinaryValue", "uriValue", "minValue", "maxValue", "meanValue", "sDev", "percRank",
    "percValue", "uom", "coordinateReferenceSystem",
)  # fmt: skip
_SENSOR = _ranked(("sensorMetadata", _METADATA), ("sensorReport", _REPORT))
_ORDER = _ranked(
    "eventTime",
    "eventTimeZoneOffset",
    "certificationInfo",
    "parentID",
    ("epcList", _EPC),
    ("inputEPCList", _EPC),
    ("childEPCs", _EPC),
    ("quantityList", _QUANTITY),
    ("childQuantityList", _QUANTITY),
    ("inputQuantityList", _QUANTITY),
    ("outputEPCList", _EPC),
    ("outputQuantityList", _QUANTITY),
    "action",
    "transformationID",
    "bizStep",
    "disposition",
    ("persistentDisposition", _ranked("set", "unset")),
    ("readPoint", _PLACE),
    ("bizLocation", _PLACE),
    ("sensorElementList", _ranked(("sensorElement", _SENSOR))),
)
_UNHASHED = frozenset({"recordTime", "eventID", "type", "errorDeclaration"})
_PAIRED = frozenset({"bizTransactionList", "sourceList", "destinationList"})
_PAIR_KEYS = ("bizTransaction", "source", "destination")
_COMMENTS = frozenset({"#text", "rdfs:comment", "comment"})
_RENAMED = {
    "inputEPC": "epc",
    "outputEPC": "epc",
    "inputQuantity": "quantityElement",
    "outputQuantity": "quantityElement",
    "childQuantity": "quantityElement",
}
_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    r"\s*(Z|z|[+-]\d{2}:?\d{2})?"
)


def event_hash(line: str) -> str:
    """Give the hash of a canonical line as a named-information address (RFC 6920)."""
    return f"ni:///sha-256;{hashlib.sha256(line.encode()).hexdigest()}?ver=CBV2.0"


def canonical_line(event: Node) -> str:
    """Give an event's content as the one line that is hashed."""
    text, left = _ordered(event[2], _ORDER, is_event=True)
    rest = _unordered([child for child in left if child[0] not in _UNHASHED])
    return f"eventType={event[0]}{text}{rest}"


def events_of_json(document: dict[str, Any], ignored: frozenset[str] = frozenset()) -> list[Node]:
    """Give the events of a JSON-LD document, query document or single event, in their order.

    `ignored` names properties, as written, that do not take part.
    """
    build = _JsonTree(document, ignored)
    return [build.event(event) for event in json_event_list(document)]


def json_event_list(document: dict[str, Any]) -> list[Any]:
    """Give the raw events of a document; an empty list where there are none."""
    body = document.get("epcisBody")
    if isinstance(body, dict):
        results = body.get("queryResults")
        if isinstance(results, dict):
            results = results.get("resultsBody", {})
            body = results if isinstance(results, dict) else {}
        events = body.get("eventList", [body["event"]] if "event" in body else [])
        return events if isinstance(events, list) else []
    if str(document.get("type", "")).endswith("Event"):
        return [document]
    return []


def declared_ignored(document: dict[str, Any]) -> frozenset[str]:
    """Give the properties that a repository says it added and that the sender never hashed."""
    holders = [document]
    body = document.get("epcisBody")
    if isinstance(body, dict) and isinstance(body.get("queryResults"), dict):
        holders.append(body["queryResults"])
    names: set[str] = set()
    for holder in holders:
        for key, value in holder.items():
            if key.endswith(":ignoreFields") and isinstance(value, list):
                names |= {name for name in value if isinstance(name, str)}
    return frozenset(names)


def events_of_xml(event_list: Any, ignored: frozenset[str] = frozenset()) -> list[Node]:
    """Give the events of an XML `EventList` element; `ignored` holds qualified names."""
    return [_xml_node(child, ignored) for child in event_list if isinstance(child.tag, str)]


class _JsonTree:
    """Turns JSON-LD events into nodes: bare words and prefixes written out, lists named."""

    def __init__(self, document: dict[str, Any], ignored: frozenset[str]) -> None:
        self._ignored = ignored | _COMMENTS
        self._prefixes = _prefixes(document.get("@context"))
        body = document.get("epcisBody")
        lone = isinstance(body, dict) and "event" in body
        # `event` is no term of the EPCIS context, so the reference leaves bare words under it.
        self._words = {} if lone else _words(document)

    def event(self, event: Any) -> Node:
        """Give the node of one event."""
        name, text, kids = self._node(event)
        return name, text, self._with_lists(kids)

    def _node(self, value: Any) -> Node:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return "", "", [self._node(inner) for inner in value]
        if isinstance(value, str):
            value = self._words.get(value, value)
            return "", self._expand(value, "{}"), []
        return "", str(value), []

    def _object(self, value: dict[str, Any]) -> Node:
        name = value.get("type", "")
        kids: list[Any] = []
        for key, inner in value.items():
            if key in self._ignored:
                continue
            if key.startswith("@xmlns"):
                self._prefixes[key[7:]] = str(inner)
                continue
            if inner.__class__ is str:
                inner = self._words.get(inner, inner)
                text = self._expand(inner, "{}") if ":" in inner else inner
                kids.append((self._expand(key, "{{{}}}") if ":" in key else key, text, []))
                continue
            node = self._node(inner)  # may declare the prefix that its own key uses
            label = self._expand(key, "{{{}}}") if ":" in key else key
            if isinstance(inner, list):
                kids += [(label, element[1], element[2]) for element in node[2]]
            else:
                kids.append((label, node[1], node[2]))
        return str(name), str(value.get("#text", "")), kids

    def _expand(self, text: str, form: str) -> str:
        prefix, colon, rest = text.partition(":")
        if colon and prefix in self._prefixes:
            return form.format(self._prefixes[prefix]) + rest
        return text

    def _with_lists(self, kids: list[Any]) -> list[Any]:
        """Give each element of a list the name that it has in XML, all the way down."""
        plain: list[Any] = []
        lists: dict[str, list[Any]] = {}
        for kid in kids:
            name = kid[0]
            if name.endswith("List"):
                lists.setdefault(name, []).append(kid)
            elif name == "childEPCs":
                lists.setdefault(name, []).append(("epc", kid[1], []))
            else:
                plain.append(self._renamed(kid[0], kid[1], self._with_lists(kid[2])))
        for name, elements in lists.items():
            if name in _PAIRED:
                plain.append((name, "", [_pair(element[2]) for element in elements]))
            elif name == "childEPCs":
                plain.append((name, "", elements))
            else:
                inner = [
                    self._renamed(name[:-4], element[1], self._with_lists(element[2]))
                    for element in elements
                ]
                plain.append((name, "", inner))
        return plain

    @staticmethod
    def _renamed(name: str, text: str, kids: list[Any]) -> Node:
        if name == "quantity" and kids:
            name = "quantityElement"
        return _RENAMED.get(name, name), text, kids


def _pair(kids: list[Any]) -> tuple[Any, ...]:
    """Give a typed reference as a pair in the order of the document."""
    if not any(kid[0] in _PAIR_KEYS for kid in kids):
        kids = sorted(kids)
    return tuple(kids[:2])


def _prefixes(context: Any) -> dict[str, str]:
    """Give the prefixes that a document's context declares."""
    found: dict[str, str] = {}
    if isinstance(context, list):
        for part in context:
            if isinstance(part, dict):
                for key, value in part.items():
                    value = value.get("@id", "") if isinstance(value, dict) else value
                    found[key] = str(value)
    return found


def _words(document: Any) -> dict[str, str]:
    """Give the web address of each bare word that a document uses in its place.

    A word whose address is found stands for it wherever it is a whole value, as in the reference;
    a word that could be two addresses stays.
    """
    addresses: set[str] = set()
    _collect(document, "", addresses)
    if len(addresses) == 1:
        (address,) = addresses
        return dict.fromkeys(_tails(address), address)
    found: dict[str, str] = {}
    twice: set[str] = set()
    for address in addresses:
        for tail in _tails(address):
            if found.setdefault(tail, address) != address:
                twice.add(tail)
    for tail in twice:
        del found[tail]
    return found


@functools.lru_cache(maxsize=4096)
def _tails(address: str) -> tuple[str, ...]:
    """Give what stands after each dash and stroke of an address."""
    return tuple(address[at + 1 :] for at, sign in enumerate(address) if sign in "-/")


def _collect(value: Any, holder: str, addresses: set[str]) -> None:
    if isinstance(value, list):
        for inner in value:
            if isinstance(inner, (dict, list)):
                _collect(inner, holder, addresses)
        return
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if isinstance(inner, (dict, list)) and key not in ("set", "unset"):
            _collect(inner, key, addresses)
        elif key in EXPANDED_KEYS:
            known = EXPANSIONS.get((holder, key)) or EXPANSIONS.get(("", key))
            for word in inner if isinstance(inner, list) else (inner,):
                if known and isinstance(word, str):
                    if word in known[0]:
                        addresses.add(known[1] + word)
                    elif word.startswith(("cbv:", "gs1:", CBV, VOC)):
                        addresses.add(word.replace("cbv:", CBV, 1).replace("gs1:", VOC, 1))


def _xml_node(element: Any, ignored: frozenset[str]) -> Node:
    kids: list[Any] = [(key, _curie(value), []) for key, value in element.attrib.items()]
    pairs: list[Any] = []
    for child in element:
        if not isinstance(child.tag, str) or child.tag in ignored:
            continue
        node = _xml_node(child, ignored)
        if child.tag in _PAIR_KEYS:
            kind: list[Any] = [
                (key, _cbv(value), []) for key, value in list(child.attrib.items())[:1]
            ]
            pairs.append((*kind, (child.tag, (child.text or "").strip(), [])))
        elif child.tag in ("extension", "baseExtension"):
            # Wrappers of EPCIS 1.2; what they hold belongs to the event itself.
            kids += node[2]
        else:
            kids.append(node)
    return element.tag, _curie((element.text or "").strip()), pairs or kids


def _curie(text: str) -> str:
    if text[3:4] != ":":
        return text
    if text.startswith("gs1:"):
        text = text.replace("gs1:", VOC)
    return text.replace("cbv:", CBV) if text.startswith("cbv:") else text


def _cbv(text: str) -> str:
    return text.replace("cbv:", CBV) if text.startswith("cbv:") else text


def _ordered(kids: list[Any], order: Order, *, is_event: bool = False) -> tuple[str, list[Any]]:
    """Give the text of the properties in their order, and the children that it leaves over."""
    extensions: list[Any] = []
    if not is_event and len(kids) > 1 and not _holds_event_keys(kids):
        extensions = [kid for kid in kids if _is_extension(kid)]
        if extensions:
            kids = [kid for kid in kids if not _is_extension(kid)]
    entries: list[tuple[int, str]] = []
    over: list[Any] = []
    for kid in kids:
        name, value, grandkids = kid if len(kid) == 3 else (None, "", kid)
        rank = order.get(name) if name.__class__ is str else None
        if rank is None:
            over.append(kid)
            continue
        text = _leaf(name, value) if value else ""
        if grandkids:
            inner, left = _ordered(grandkids, rank[1]) if rank[1] else ("", grandkids)
            if inner:
                text = f"{text or name}{inner}"
            if left:
                over.append((name, value, left))
        if text:
            entries.append((rank[0], text))
    entries.sort()
    line = "".join([text for _, text in entries])
    return (line + _unordered(extensions) if extensions else line), over


@functools.lru_cache(maxsize=65536)
def _leaf(name: str, value: str) -> str:
    value = value.strip()
    lowered = name.lower()
    if "time" in lowered and "offset" not in lowered:
        value = canonical_time(value)
    else:
        value = _canonical_value(value)
    return f"{name}={value}" if value else ""


def _holds_event_keys(kids: list[Any]) -> bool:
    return any("eventTime" in kid[0] or "action" in kid[0] for kid in kids)


def _is_extension(kid: Any) -> bool:
    return "{" in kid[0] and "/}" in kid[0]


def _unordered(children: Any) -> str:
    values: list[str] = []
    paired = False
    for child in children:
        if isinstance(child[0], tuple):
            values.append(_unordered(child))
            continue
        name, text, kids = child
        text = text.strip()
        if text:
            text = f"={_canonical_value(text)}"
        values.append(name + text + (_unordered(kids) if kids else ""))
        paired = paired or name in _PAIR_KEYS
    if len(values) > 1 and not paired:
        values.sort()
    return "".join(values)


@functools.lru_cache(maxsize=65536)
def _canonical_value(text: str) -> str:
    if text.startswith("urn:epcglobal") or "urn:epcglobal:cbv:" in text:
        for urn, address in URN_PREFIXES.items():
            text = text.replace(urn, address)
    try:
        number = float(text)
        whole = int(number)
        text = str(whole if whole == number else number)
    except (ValueError, OverflowError):
        pass
    return canonical_link(text) or text


def canonical_time(text: str) -> str:
    """Give a time in UTC with three decimals, rounded half to even; other text as it is.

    Example:
        >>> canonical_time("2020-03-04T11:00:30.9999+01:00")
        '2020-03-04T10:00:31.000Z'
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute = map(int, match.groups()[:5])
    fraction = int(((match[7] or "") + "000000")[:6])
    zone = match[8]
    if zone is None:
        offset = None
    elif zone in "Zz":
        offset = UTC
    else:
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        offset = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
    try:
        at = datetime(year, month, day, hour, minute, int(match[6] or 0), tzinfo=offset)
        at = at.astimezone(UTC) + timedelta(milliseconds=round(fraction, -3) // 1000)
    except (ValueError, OverflowError):
        return text
    return f"{at.isoformat(timespec='milliseconds')[:23]}Z"
