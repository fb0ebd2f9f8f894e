"""XML events as the same fields that JSON-LD has, so that one set of rules judges both."""

from typing import Any

_EPCIS = frozenset({"urn:epcglobal:epcis:xsd:2", "urn:epcglobal:epcis-query:xsd:2"})
_WRAPPERS = frozenset({"extension", "baseExtension"})
_LISTS = {
    "epcList": "epc",
    "childEPCs": "epc",
    "inputEPCList": "epc",
    "outputEPCList": "epc",
}
_QUANTITIES = frozenset(
    {"quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"}
)
_REFERENCES = {
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}
_PREFIX = "ns:"


def plain_name(tag: str) -> str:
    """Give the field name of a tag: bare for EPCIS itself, with a prefix for an extension."""
    if not tag.startswith("{"):
        return tag
    namespace, _, local = tag[1:].partition("}")
    return local if namespace in _EPCIS else f"{_PREFIX}{local}"


def event_fields(element: Any) -> dict[str, Any]:
    """Give the fields of an event element.

    A field that stands more often than it may is given as a list of its texts, which no rule
    accepts in its place.
    """
    fields: dict[str, Any] = {"type": plain_name(element.tag)}
    for child in _children(element):
        name = plain_name(child.tag)
        value = _field(name, child)
        if name == "certificationInfo" or (name in fields and name.startswith(_PREFIX)):
            fields.setdefault(name, [])
            if not isinstance(fields[name], list):
                fields[name] = [fields[name]]
            fields[name].append(value)
        elif name in fields and name != "type":
            fields[name] = [fields[name], value]
        else:
            fields[name] = value
    return fields


def _field(name: str, element: Any) -> Any:
    if name in _LISTS:
        return [_item(child, _LISTS[name]) for child in _children(element)]
    if name in _QUANTITIES:
        return [_named(child, "quantityElement") for child in _children(element)]
    if name in _REFERENCES:
        return [_reference(child, _REFERENCES[name]) for child in _children(element)]
    if name == "sensorElementList":
        return [_sensor(child) for child in _children(element)]
    if name == "persistentDisposition":
        return _gathered(element, ("set", "unset"))
    if name == "errorDeclaration":
        fields = _named(element, name)
        if "correctiveEventIDs" in fields:
            inner = next(c for c in _children(element) if plain_name(c.tag) == "correctiveEventIDs")
            fields["correctiveEventIDs"] = [_text(child) for child in _children(inner)]
        return fields
    if name in ("readPoint", "bizLocation"):
        return _named(element, name)
    if name == "ilmd":
        return {plain_name(child.tag): _extension(child) for child in _children(element)}
    if name.startswith(_PREFIX):
        return _extension(element)
    return _text(element) if not _children(element) else _named(element, name)


def _children(element: Any) -> list[Any]:
    """Give the child elements, those inside the wrappers of EPCIS 1.2 among them."""
    found: list[Any] = []
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if child.tag in _WRAPPERS:
            found += _children(child)
        else:
            found.append(child)
    return found


def _text(element: Any) -> str:
    return (element.text or "").strip()


def _item(element: Any, expected: str) -> Any:
    name = plain_name(element.tag)
    return _text(element) if name == expected else {name: _text(element)}


def _named(element: Any, _expected: str) -> dict[str, Any]:
    fields: dict[str, Any] = {_attribute(key): value for key, value in element.attrib.items()}
    for child in _children(element):
        name = plain_name(child.tag)
        value = _extension(child) if name.startswith(_PREFIX) else _text(child)
        fields[name] = (
            [fields[name], value] if name in fields and not name.startswith(_PREFIX) else value
        )
    return fields


def _reference(element: Any, key: str) -> dict[str, Any]:
    name = plain_name(element.tag)
    fields: dict[str, Any] = {_attribute(k): value for k, value in element.attrib.items()}
    fields[key if name == key else name] = _text(element)
    return fields


def _sensor(element: Any) -> Any:
    fields: dict[str, Any] = {}
    for child in _children(element):
        name = plain_name(child.tag)
        if name in ("sensorMetadata", "sensorReport"):
            inner = {_attribute(key): value for key, value in child.attrib.items()}
            inner |= {plain_name(c.tag): _extension(c) for c in _children(child)}
            if name == "sensorReport":
                fields.setdefault(name, []).append(inner)
            else:
                fields[name] = inner
        else:
            fields[name] = _extension(child)
    return fields


def _gathered(element: Any, names: tuple[str, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in _children(element):
        name = plain_name(child.tag)
        if name in names:
            fields.setdefault(name, []).append(_text(child))
        else:
            fields[name] = _extension(child)
    return fields


def _extension(element: Any) -> Any:
    children = _children(element)
    return (
        {f"{_PREFIX}{plain_name(c.tag).removeprefix(_PREFIX)}": _extension(c) for c in children}
        if children
        else _text(element)
    )


def _attribute(key: str) -> str:
    return f"{_PREFIX}{key.partition('}')[2]}" if key.startswith("{") else key
