"""Reading XML that comes from outside: no entities, no document types, bounded size and depth."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from anlage.base import Refused

BYTES_MAX: Final = 256 * 2**20
ELEMENTS_MAX: Final = 2_000_000
DEPTH_MAX: Final = 200
_SEPARATOR: Final = "\x1f"


@dataclass(slots=True, kw_only=True)
class Element:
    """One element: local name, namespace, attributes by local name, children, text, line."""

    name: str
    space: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self, *names: str) -> list["Element"]:
        """Give the children with one of the names."""
        return [child for child in self.children if child.name in names]

    def first(self, *names: str) -> "Element | None":
        """Give the first child with one of the names."""
        return next((child for child in self.children if child.name in names), None)

    def walk(self) -> Iterator["Element"]:
        """Give the element and everything below it, in document order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))

    def get(self, name: str) -> str | None:
        """Give an attribute by local name."""
        return self.attributes.get(name)


def read_xml(raw: bytes, path: str) -> Element:
    """Read a document.

    Raises:
        Refused: It is malformed, declares a document type or entities, or is over the limits.
    """
    if len(raw) > BYTES_MAX:
        raise _refused(path, f"{len(raw)} bytes", f"{BYTES_MAX} bytes", None)
    return _Build(path).of(raw)


class _Build:
    def __init__(self, path: str) -> None:
        self._path = path
        self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._forbid
        self._parser.EntityDeclHandler = self._forbid
        self._parser.buffer_text = True
        self._stack: list[Element] = []
        self._count = 0
        self._root: Element | None = None

    def of(self, raw: bytes) -> Element:
        try:
            self._parser.Parse(raw, True)
        except expat.ExpatError as error:
            raise _refused(
                self._path, expat.ErrorString(error.code), "well-formed XML", error.lineno
            ) from error
        except (LookupError, ValueError) as error:
            raise _refused(self._path, str(error)[:100], "well-formed XML", None) from error
        if self._root is None:
            raise _refused(self._path, "no element", "well-formed XML", None)
        return self._root

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        line = self._parser.CurrentLineNumber
        if self._count > ELEMENTS_MAX or len(self._stack) >= DEPTH_MAX:
            limit = f"{ELEMENTS_MAX} elements, {DEPTH_MAX} deep"
            raise _refused(self._path, "more elements", limit, line)
        space, _, local = name.rpartition(_SEPARATOR)
        named = {key.rpartition(_SEPARATOR)[2]: value for key, value in attributes.items()}
        element = Element(name=local, space=space, attributes=named, line=line)
        if self._stack:
            self._stack[-1].children.append(element)
        else:
            self._root = element
        self._stack.append(element)

    def _close(self, _name: str) -> None:
        self._stack.pop()

    def _text(self, text: str) -> None:
        if self._stack:
            self._stack[-1].text += text

    def _forbid(self, *_: object) -> None:
        raise _refused(
            self._path,
            "a document type or entity declaration",
            "none, for they can expand without bound",
            self._parser.CurrentLineNumber,
        )


def _refused(path: str, found: str, limit: str, line: int | None) -> Refused:
    return Refused(
        "flow-xml",
        what="XML document",
        found=found,
        limit=limit,
        remedy="export it again",
        path=path,
        line=line,
    )
