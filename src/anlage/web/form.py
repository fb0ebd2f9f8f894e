"""The form of any command, read off its request: fields with their hints, and what was typed.

Text stays text; a moment is read in the site's time zone; lists and pairs are one per line.
"""

import builtins
import collections.abc
import dataclasses
import enum
import inspect
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from anlage.app import command_classes, request_of
from anlage.base import Quantity, Refused, stamp
from anlage.record import Signature, encode

from .here import installation

# Fields that name a second person: chosen from the people, not typed.
PEOPLE = frozenset({"witness", "second", "person"})
# Fields that name a thing: the view that knows them, its facet, and what people call them.
KNOWN: Mapping[str, tuple[str, str | None, str]] = {
    "document": ("definitions", "sop", "title"),
    "equipment_class": ("definitions", "equipment-class", "title"),
    "material_class": ("definitions", "material-class", "title"),
    "product": ("definitions", "product", "title"),
    "role": ("definitions", "role", "title"),
    "equipment": ("equipment-board", None, "name"),
    "material": ("stock", None, "name"),
    "lot": ("lot-board", None, "product"),
    "room": ("room-board", None, "name"),
    "supplier": ("suppliers", "supplier", "name"),
}
OPTIONS_MAX = 500


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a command, as a form shows it."""

    name: str
    label: str
    kind: str
    hint: str
    value: str
    is_required: bool
    choices: tuple[str, ...] = ()
    is_fixed: bool = False
    columns: str = ""
    is_scan: bool = False
    options: tuple[tuple[str, str], ...] = ()


def fields_of(
    name: str, given: Mapping[str, str], fixed: frozenset[str] = frozenset()
) -> list[Field]:
    """Give the fields of a command's form, filled as given; what a link named is fixed."""
    cls = command_classes().get(name)
    if cls is None:
        request_of(name, {})
    hints = typing.get_type_hints(cls)
    helps = _helps(cls)
    found = []
    for one in dataclasses.fields(typing.cast("Any", cls)):
        if _bare(hints[one.name]) is Signature:
            continue
        hint, is_required = _bare(hints[one.name]), one.default is dataclasses.MISSING
        is_required = is_required and one.default_factory is dataclasses.MISSING
        choices = tuple(str(e.value) for e in hint) if _is_enum(hint) else ()
        value = given.get(one.name, "")
        if not value and not is_required and one.default not in (None, dataclasses.MISSING):
            default = encode(one.default)
            value = default if isinstance(default, str) else json.dumps(default)
            value = "" if default in ([], {}) else value
        found.append(
            Field(
                name=one.name,
                label=one.name.replace("_", " ").capitalize(),
                kind=_kind_of(one.name, hint),
                hint=helps.get(one.name, ""),
                value=value,
                is_required=is_required,
                choices=choices,
                is_fixed=one.name in fixed and _kind(hint) == "text",
                columns=_columns(hint),
                is_scan=one.name.endswith("scan"),
                options=_options(one.name, hint),
            )
        )
    return found


def values_of(name: str, posted: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of a command as they were typed into its form.

    Raises:
        Refused: `field-unreadable`.
    """
    cls = command_classes().get(name)
    if cls is None:
        request_of(name, {})
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for one in dataclasses.fields(typing.cast("Any", cls)):
        if _bare(hints[one.name]) is Signature:
            continue
        kind = _kind(_bare(hints[one.name]))
        text = str(posted.get(one.name, "")).strip()
        if kind == "yes-no":
            values[one.name] = text == "on"
        elif text:
            values[one.name] = _read(kind, one.name, text, _bare(hints[one.name]))
    return values


def _read(kind: str, name: str, text: str, hint: Any = None) -> Any:
    try:
        if kind == "whole-number":
            return int(text)
        if kind == "quantity":
            return encode(Quantity.parse(text))
        if kind == "json":
            return json.loads(text)
        if kind == "record":
            return _record(hint, name, text)
        if kind == "records":
            item = typing.get_args(hint)[0]
            return [_record(item, name, line) for line in text.splitlines() if line.strip()]
        if kind == "moment":
            return _moment(text)
    except ValueError as error:
        raise Refused(
            "field-unreadable",
            what=name.replace("_", " "),
            found=repr(text[:60]),
            limit={"whole-number": "a whole number", "json": "JSON"}.get(kind, kind),
            remedy="type it again",
        ) from error
    if kind in {"list", "pairs", "answers"}:
        return _lines(kind, name, text)
    return text


def _record(cls: Any, name: str, text: str) -> dict[str, Any]:
    """Read the fields of one record from a line, in their order, parted by semicolons."""
    hints = typing.get_type_hints(cls)
    parts = [part.strip() for part in text.split(";")]
    if len(parts) > len(hints):
        raise Refused(
            "field-unreadable",
            what=name.replace("_", " "),
            found=repr(text[:60]),
            limit="; ".join(hints),
            remedy="part the values by semicolons, in this order",
        )
    found: dict[str, Any] = {}
    for (key, hint), part in zip(hints.items(), parts, strict=False):
        kind = _kind(_bare(hint))
        if kind == "yes-no":
            found[key] = part.lower() == "yes"
        elif part:
            found[key] = _read(kind, key, part, _bare(hint))
    return found


def moment_of(text: str) -> str:
    """Give a moment as typed into a form, in the site's zone, as a command takes it.

    Raises:
        Refused: `field-unreadable`.
    """
    return str(_read("moment", "moment", text))


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(installation().settings.time_zone))
    return stamp(at.astimezone(UTC))


def _lines(kind: str, name: str, text: str) -> list[str] | dict[str, Any]:
    """Read one item, or one `name: value`, from each line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "list":
        return lines
    found: dict[str, Any] = {}
    for line in lines:
        key, colon, value = (part.strip() for part in line.partition(":"))
        is_answered = value.lower() in {"yes", "no"} if kind == "answers" else bool(value)
        if not (key and colon and is_answered):
            raise Refused(
                "field-unreadable",
                what=name.replace("_", " "),
                found=repr(line[:60]),
                limit="one per line, as name: "
                + ("yes or no" if kind == "answers" else "what was found"),
                remedy="complete this line",
            )
        found[key] = value.lower() == "yes" if kind == "answers" else value
    return found


def _columns(hint: Any) -> str:
    """Give the fields of a record, in order, as the form asks for them."""
    arguments = typing.get_args(hint)
    cls = hint if _is_record(hint) else arguments[0] if arguments else None
    return "; ".join(typing.get_type_hints(cls)).replace("_", " ") if _is_record(cls) else ""


def _options(name: str, hint: Any) -> tuple[tuple[str, str], ...]:
    """Give what there is to choose from for a field that names a thing the house knows."""
    if name not in KNOWN or _kind(hint) != "text":
        return ()
    view, facet, title = KNOWN[name]
    rows = installation().rows(view).find(facet=facet, limit=OPTIONS_MAX)
    found = [(key.partition(":")[2] or key, str(row.get(title) or "")) for key, row in rows]
    return tuple(sorted(found))


def _kind_of(name: str, hint: Any) -> str:
    kind = _kind(hint)
    return "person" if kind == "text" and name in PEOPLE else kind


def _kind(hint: Any) -> str:
    if hint is bool:
        return "yes-no"
    if hint is int:
        return "whole-number"
    if hint is Decimal:
        return "number"
    if hint is Quantity:
        return "quantity"
    if hint is datetime:
        return "moment"
    if _is_enum(hint):
        return "choice"
    if isinstance(hint, type) and issubclass(hint, str):
        return "text"
    arguments = typing.get_args(hint)
    if _is_record(hint):
        return "record"
    match typing.get_origin(hint):
        case builtins.tuple if arguments[:1] == (str,):
            return "list"
        case builtins.tuple if arguments and _is_record(arguments[0]):
            return "records"
        case collections.abc.Mapping if arguments == (str, str):
            return "pairs"
        case collections.abc.Mapping if arguments == (str, bool):
            return "answers"
    return "json"


def _is_record(hint: Any) -> bool:
    """Tell whether a class has nothing but plain fields, so that a line can hold it."""
    if not (isinstance(hint, type) and dataclasses.is_dataclass(hint)) or hint is Quantity:
        return False
    plain = {"text", "number", "whole-number", "quantity", "yes-no", "choice", "moment"}
    return all(_kind(_bare(one)) in plain for one in typing.get_type_hints(hint).values())


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, enum.Enum)


def _bare(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _helps(cls: Any) -> dict[str, str]:
    """Give what the class's docstring says of each attribute."""
    found, name = {}, ""
    for line in (inspect.getdoc(cls) or "").partition("Attributes:")[2].splitlines():
        head, colon, tail = line.strip().partition(": ")
        if (
            colon
            and line.startswith("    ")
            and not line.startswith("     ")
            and head.isidentifier()
        ):
            name, found[head] = head, tail
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found
