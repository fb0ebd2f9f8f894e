"""An EPCIS document as it lies in a file: JSON-LD or XML, read without any network or entity."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from anlage.base import Refused

from .event_hash import (
    canonical_line,
    declared_ignored,
    event_hash,
    events_of_json,
    events_of_xml,
)

BYTES_MAX = 256_000_000
_DEPTH_MAX = 120
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document: its JSON value, or the root element of its XML."""

    name: str
    json: dict[str, Any] | None = None
    xml: Any = None
    text: str = ""


def read_file(path: Path) -> Document:
    """Read a document from a file.

    Raises:
        Refused: No such file, too large, or neither JSON nor XML.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= BYTES_MAX else b""
    except OSError as error:
        raise _refused(path.name, "file", error.strerror or "unreadable", "a file") from error
    if size > BYTES_MAX:
        raise _refused(path.name, "file", f"{size} bytes", f"{BYTES_MAX} bytes")
    return read_bytes(data, path.name)


def read_bytes(data: bytes, name: str) -> Document:
    """Read a document from its bytes.

    Raises:
        Refused: Neither JSON nor XML, or XML with entities of its own.
    """
    opening = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if opening == b"<":
        return Document(name=name, xml=_read_xml(data, name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(name, "document", f"byte {error.start} is no UTF-8", "UTF-8") from error
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _refused(
            name, "document", f"{error.msg} at column {error.colno}", "JSON or XML", error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        raise _refused(name, "document", str(error)[:120], "plain JSON") from error
    if not isinstance(value, dict):
        raise _refused(name, "document", f"a JSON {type(value).__name__}", "one JSON object")
    return Document(name=name, json=value, text=text)


def hashes(document: Document, *, all_fields: bool = False) -> list[str]:
    """Give the hash of each event in document order.

    Properties that the document itself declares as added by a repository (`ignoreFields`) take no
    part, so that the hash equals the identifier the sender gave; `all_fields` counts them too.
    """
    return [event_hash(line) for line in canonical_lines(document, all_fields=all_fields)]


def canonical_lines(document: Document, *, all_fields: bool = False) -> list[str]:
    """Give the canonical line of each event in document order."""
    if document.json is not None:
        ignored = frozenset() if all_fields else declared_ignored(document.json)
        return [canonical_line(event) for event in events_of_json(document.json, ignored)]
    found = xml_event_list(document.xml)
    if found is None:
        return []
    ignored = frozenset() if all_fields else _xml_ignored(document.xml)
    return [canonical_line(event) for event in events_of_xml(found, ignored)]


def declares_ignored(document: Document) -> bool:
    """Tell whether the document names properties that take no part in the hash."""
    if document.json is not None:
        return bool(declared_ignored(document.json))
    return bool(_xml_ignored(document.xml))


def xml_event_list(root: Any) -> Any:
    """Give the first `EventList` element of an XML document; None when there is none."""
    return next((e for e in root.iter() if local_name(e.tag) == "EventList"), None)


def local_name(tag: Any) -> str:
    """Give a tag without its namespace; empty for comments."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _xml_ignored(root: Any) -> frozenset[str]:
    return frozenset(
        name.tag
        for holder in root
        if local_name(holder.tag) == "ignoreFields"
        for name in holder
        if isinstance(name.tag, str)
    )


def _read_xml(data: bytes, name: str) -> Any:
    if _ENTITY.search(data):
        raise _refused(name, "document", "an entity declaration", "XML without entities of its own")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise _refused(
            name, "document", str(error), "well-formed XML", error.position[0]
        ) from error
    except (ValueError, LookupError) as error:
        raise _refused(name, "document", str(error)[:120], "well-formed XML") from error
    depth = 0
    level = [root] if data.count(b"</") > _DEPTH_MAX else []
    while level:
        depth += 1
        if depth > _DEPTH_MAX:
            raise _refused(name, "document", "deeper nesting", f"{_DEPTH_MAX} levels")
        level = [child for element in level for child in element]
    return root


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _refused(name: str, what: str, found: str, limit: str, line: int | None = None) -> Refused:
    return Refused(
        "document-unreadable",
        what=f"{what} {name}",
        found=found,
        limit=limit,
        remedy="ask the sender for the document again",
        rule="EPCIS 2.0",
        path=name,
        line=line,
    )
