"""A definition as a file: YAML read with the line of every value, safely and fast.

Read is what YAML 1.2 calls the core schema, with two differences that the record asks for: a
number with a decimal point stays text, exactly as written, and so does a whole number with leading
zeros. Anchors, aliases, tags and several documents are refused: a definition says what it says
where it stands, and no file can grow while it is read.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from anlage.base import Problem, Refused

BYTES_MAX = 1_000_000
DEPTH_MAX = 24
VALUES_MAX = 40_000
TEXT_MAX = 20_000
PROBLEMS_MAX = 50

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_HIDING = frozenset(
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says, and where.

    Attributes:
        content: Its mapping: text, whole numbers, true, false, null, lists and mappings.
        lines: Path of each value ("criteria[0].unit") to its line, from 1.
        name: The file, for messages.
    """

    content: Mapping[str, object]
    lines: Mapping[str, int] = field(default_factory=dict)
    name: str | None = None

    def line(self, path: str) -> int | None:
        """Give the line of a path, or of the nearest thing around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get("")

    def locate(self, problem: Problem) -> Problem:
        """Give a problem of the content with its file and line."""
        place = problem.path or ""
        what = problem.what if not place or place in problem.what else f"{problem.what} in {place}"
        return replace(problem, what=what, path=self.name or place, line=self.line(place))


def read_yaml(data: bytes | str, name: str | None = None) -> Document:
    """Read a definition's file.

    Raises:
        Refused: `document-unreadable` with line and remedy for each problem: too large, not UTF-8,
            not YAML, hidden or control characters, keys given twice, anchors, tags, too deep, no
            mapping.
    """
    text = _decoded(data, name)
    _refuse_hidden(text, name)
    reader = _Reader(yaml.parse(text, Loader=_LOADER), name)
    try:
        content = reader.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _refused(
            name,
            mark.line + 1 if mark else None,
            str(getattr(error, "problem", None) or "text that is not YAML")[:200],
            "YAML",
            "correct the indentation, the quotes or the colon",
        ) from error
    if reader.problems:
        raise Refused.of(reader.problems[:PROBLEMS_MAX])
    if not isinstance(content, dict):
        found = "nothing" if content is None else "a single value or a list"
        raise _refused(name, 1, found, "keys with values", "begin with kind: and id:")
    return Document(content=content, lines=reader.lines, name=name)


class _Reader:
    """Builds values from parsing events, one at a time, so that a limit stops the parser too."""

    def __init__(self, events: Iterator[yaml.Event], name: str | None) -> None:
        self._events = events
        self._name = name
        self._left = VALUES_MAX
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []

    def document(self) -> object:
        content: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._stop(event, "a second document", "one", "give it a file of its own")
                content = self._value(next(self._events), "", 0)
        return content

    def _value(self, event: yaml.Event, path: str, depth: int) -> object:
        self._left -= 1
        if self._left < 0:
            raise self._stop(event, "more values", f"{VALUES_MAX} values", "split the definition")
        self._refuse_extras(event)
        self.lines.setdefault(path, _line(event))
        if depth > DEPTH_MAX:
            raise self._stop(event, "deeper nesting", f"{DEPTH_MAX} levels", "flatten it")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[object] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(inner, f"{path}[{len(items)}]", depth + 1))
            return items
        if not isinstance(event, yaml.ScalarEvent):
            raise self._stop(event, type(event).__name__, "a value", "correct the file")
        return self._scalar(event)

    def _mapping(self, path: str, depth: int) -> dict[str, object]:
        values: dict[str, object] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                raise self._stop(key, "a key that is no word", "a word", "name the key in words")
            self._refuse_extras(key)
            word = str(key.value)
            place = f"{path}.{word}" if path else word
            line = _line(key)
            if not word.isascii() or not 0 < len(word) <= 64:
                raise self._stop(key, f"key {word[:40]!r}", "1 to 64 ASCII characters", "rename it")
            value = self._value(next(self._events), place, depth + 1)
            if word in values:
                first = f"it is on line {self.lines[place]} already; keep one of the two"
                self.problems.append(
                    _problem(self._name, line, f"key {word} twice", "each key once", first)
                )
                continue
            self.lines[place] = line
            values[word] = value
        return values

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        text = unicodedata.normalize("NFC", str(event.value))
        if len(text) > TEXT_MAX:
            raise self._stop(
                event, f"{len(text)} characters", f"{TEXT_MAX} in one value", "shorten it"
            )
        if event.style:
            return text.rstrip()
        if text in _NULLS:
            return None
        if text in _TRUTHS:
            return _TRUTHS[text]
        return int(text) if _WHOLE.fullmatch(text) else text

    def _refuse_extras(self, event: yaml.Event) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            raise self._stop(event, f"anchor or alias {anchor!r}", "plain YAML", "write it out")
        if tag not in {None, "!"}:
            raise self._stop(event, f"tag {tag!r}", "plain YAML", "take the tag away")

    def _stop(self, event: yaml.Event, found: str, limit: str, remedy: str) -> Refused:
        return _refused(self._name, _line(event), found, limit, remedy)


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _decoded(data: bytes | str, name: str | None) -> str:
    if len(data) > BYTES_MAX:
        raise _refused(
            name, None, f"{len(data)} bytes", f"at most {BYTES_MAX}", "split the definition"
        )
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"byte {data[error.start]:#04x} that is not UTF-8"
        raise _refused(name, line, found, "UTF-8 text", "save the file as UTF-8") from error


def _refuse_hidden(text: str, name: str | None) -> None:
    if text.isascii() and not _CONTROL.search(text):
        return
    for line, content in enumerate(text.split("\n"), 1):
        for character in content.rstrip("\r"):
            category = unicodedata.category(character)
            if character == "\t":
                continue
            if category in {"Cc", "Cs", "Co", "Cn"} or character in _HIDING:
                raise _refused(
                    name,
                    line,
                    f"hidden character U+{ord(character):04X}",
                    "printable text",
                    "delete it and type the place again",
                )


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]|\r(?!\n)")


def _refused(name: str | None, line: int | None, found: str, limit: str, remedy: str) -> Refused:
    return Refused.of([_problem(name, line, found, limit, remedy)])


def _problem(name: str | None, line: int | None, found: str, limit: str, remedy: str) -> Problem:
    return Problem(
        code="document-unreadable",
        what="definition file",
        found=found,
        limit=limit,
        remedy=remedy,
        rule="YAML 1.2 core schema",
        path=name,
        line=line,
    )
