"""The data dictionary: JSON Schemas of every fact, command and definition, made from the code.

Facts and commands follow from their classes, which is what reads them. Kinds of definition are read
by rules that no schema can hold (units, references, expressions); their schemas are gathered from
the starter definitions and say so, and `anlage define check` is the judge.
"""

import dataclasses
import enum
import importlib
import inspect
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from anlage import __version__
from anlage.base import Identifier, Quantity
from anlage.library import kinds, starters
from anlage.record import Actor, fact_classes

from .assemble import all_views, bind_commands
from .engine import command_classes
from .recipes import know_recipes

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BASE = "urn:anlage:schema"
Schema = dict[str, Any]
_PACKAGES = ("record", "library", "custody", "plant", "lab", "app")
_PLAIN: Mapping[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "description": "a decimal number, as written"},
    datetime: {"type": "string", "format": "date-time", "description": "UTC, milliseconds"},
    date: {"type": "string", "format": "date"},
    Quantity: {
        "type": "object",
        "properties": {
            "value": {"type": "string", "description": "a decimal number, as written"},
            "unit": {"type": "string", "description": "UCUM"},
        },
        "required": ["value", "unit"],
        "additionalProperties": False,
    },
}


def dictionary() -> dict[str, Any]:
    """Give everything: kinds of fact, commands, kinds of definition, views, envelope."""
    for name in _PACKAGES:
        importlib.import_module(f"anlage.{name}")
    bind_commands()
    know_recipes()
    return {
        "title": "Anlage data dictionary",
        "software": f"anlage {__version__}",
        "licence": "Apache-2.0",
        "identifier": BASE,
        "envelope": envelope(),
        "facts": {kind: fact_schema(kind, version, cls) for kind, version, cls in _facts()},
        "commands": {name: _titled(f"command:{name}", cls) for name, cls in _commands()},
        "definitions": {kind: definition_schema(kind) for kind in kinds()},
        "views": {
            view.name: {
                "version": view.version,
                "families": sorted(view.families),
                "about": _about(type(view)),
            }
            for view in all_views()
        },
    }


def write_dictionary(folder: Path) -> dict[str, int]:
    """Write one file per schema and an index; gives how many of each."""
    found = dictionary()
    counts = {}
    for part in ("facts", "commands", "definitions"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for name, schema in found[part].items():
            _write(folder / part / f"{name}.schema.json", schema)
        counts[part] = len(found[part])
    _write(folder / "envelope.schema.json", found["envelope"])
    index = {key: found[key] for key in ("title", "software", "licence", "identifier", "views")}
    index |= {part: sorted(found[part]) for part in counts}
    _write(folder / "dictionary.json", index)
    return {**counts, "views": len(found["views"])}


def fact_schema(kind: str, version: int, cls: type) -> Schema:
    """Give the schema of a fact's body."""
    schema = _titled(f"fact:{kind}:{version}", cls)
    # A later build may add optional fields; what it does not know a reader leaves alone.
    return {**schema, "additionalProperties": True, "x-kind": kind, "x-version": version}


def envelope() -> Schema:
    """Give the schema of a fact's header, which is hashed into stream and tree."""
    text, whole = {"type": "string"}, {"type": "integer", "minimum": 1}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    properties = {
        "envelope": {"const": 1},
        "stream": {**text, "description": "family/id"},
        "version": {**whole, "description": "place in the stream, from 1"},
        "previous": {**digest, "description": "hash of the fact before it in its stream"},
        "kind": text,
        "kind_version": whole,
        "site": text,
        "happened": _PLAIN[datetime],
        "recorded": _PLAIN[datetime],
        "by": _object(Actor),
        "digest": {**digest, "description": "SHA-256 of the body with its salt"},
        "command": text,
    }
    return {
        "$schema": DRAFT,
        "$id": f"{BASE}:envelope:1",
        "title": "Header of a fact",
        "type": "object",
        "properties": properties,
        "required": [one for one in properties if one != "command"],
        "additionalProperties": False,
    }


def definition_schema(kind: str) -> Schema:
    """Give what the starter definitions of a kind hold, gathered into one schema."""
    contents = [_plain(one.content) for one in starters() if one.kind == kind]
    schema = _gathered(contents) if contents else {"type": "object"}
    return {
        "$schema": DRAFT,
        "$id": f"{BASE}:definition:{kind}",
        "title": kind,
        "description": f"Gathered from {len(contents)} starter definitions: names and types that"
        " are known to be read. `anlage define check` judges.",
        **schema,
    }


def refusal_codes(source: Path) -> dict[str, list[str]]:
    """Give every code of a refusal with the modules that raise it, read off the source."""
    pattern = re.compile(r'(?:Refused|\.say|self\._not)\(\s*"([a-z][a-z0-9-]+)"')
    found: dict[str, list[str]] = {}
    for path in sorted(source.rglob("*.py")):
        for code in pattern.findall(path.read_text("utf-8")):
            places = found.setdefault(code, [])
            name = path.relative_to(source).as_posix()
            if name not in places:
                places.append(name)
    return dict(sorted(found.items()))


def _facts() -> Iterable[tuple[str, int, type]]:
    return sorted(
        (kind, version, cls)
        for kind, version, cls in fact_classes()
        if cls.__module__.startswith("anlage.")
    )


def _commands() -> Iterable[tuple[str, type]]:
    return (
        (name, cls)
        for name, cls in command_classes().items()
        if cls.__module__.startswith("anlage.")
    )


def _titled(name: str, cls: type) -> Schema:
    return {
        "$schema": DRAFT,
        "$id": f"{BASE}:{name}",
        "title": cls.__name__,
        "description": _about(cls),
        **_object(cls),
    }


def _object(cls: type) -> Schema:
    hints, told = typing.get_type_hints(cls), _attributes(cls)
    properties, required = {}, []
    for one in dataclasses.fields(cls):
        schema = _schema(hints[one.name])
        if one.name in told:
            schema = {**schema, "description": told[one.name]}
        properties[one.name] = schema
        is_given = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        if is_given and not _may_be_none(hints[one.name]):
            required.append(one.name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(hint: Any) -> Schema:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [_schema(one) for one in arguments if one is not type(None)]
        return inner[0] if len(inner) == 1 else {"anyOf": inner}
    if origin in (tuple, list, frozenset):
        return {"type": "array", "items": _schema(arguments[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if isinstance(hint, type):
        if issubclass(hint, enum.Enum):
            return {"enum": [one.value for one in hint]}
        if issubclass(hint, Identifier):
            return {"type": "string", "pattern": f"^(?:{hint.pattern.pattern})$"}
        if dataclasses.is_dataclass(hint):
            return {**_object(hint), "title": hint.__name__}
    return {}


def _may_be_none(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _about(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")


def _attributes(cls: type) -> dict[str, str]:
    """Give what the docstring's section Attributes says of each field."""
    _, _, section = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.M)
    return {name: re.sub(r"\s+", " ", text).strip() for name, text in found}


def _gathered(values: list[Any]) -> Schema:
    if all(isinstance(one, dict) for one in values):
        names = sorted({name for one in values for name in one})
        return {
            "type": "object",
            "properties": {
                name: _gathered([one[name] for one in values if name in one]) for name in names
            },
            "required": [name for name in names if all(name in one for one in values)],
        }
    if all(isinstance(one, list) for one in values):
        items = [inner for one in values for inner in one]
        return {"type": "array", "items": _gathered(items)} if items else {"type": "array"}
    kinds_found = sorted({_JSON[type(one)] for one in values})
    if len(kinds_found) == 1:
        return {"type": kinds_found[0]}
    return {"type": kinds_found} if not {"object", "array"} & set(kinds_found) else {}


_JSON = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "integer",
    float: "number", type(None): "null",
}  # fmt: skip


def _plain(content: Any) -> Any:
    return json.loads(json.dumps(content, default=_as_json))


def _as_json(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


def _write(path: Path, value: Any) -> None:
    path.write_text(
        json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n", "utf-8"
    )
