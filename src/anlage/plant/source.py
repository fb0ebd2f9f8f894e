"""A YAML document read with the line of every value, so that a defect can be pointed at.

Numbers with a decimal point stay text, because a record holds no binary floating point. Anchors,
aliases and tags are refused: a definition says what it says where it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from anlage.base import Problem, Refused

SIZE_MAX = 2_000_000
DEPTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a document says, and where.

    Attributes:
        content: The values: text, integers, booleans, None, lists and mappings.
        lines: Path of each value ("procedure[0].unit") to its line, from 1.
        name: The file, for messages.
        problems: What could not be read as it stands (keys given twice).
    """

    content: Any
    lines: Mapping[str, int] = field(default_factory=dict)
    name: str | None = None
    problems: tuple[Problem, ...] = ()

    def line(self, path: str) -> int | None:
        """Give the line of a path, or of the nearest thing around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self.lines.get("")


def read_source(text: str | bytes, name: str | None = None) -> Source:
    """Read a YAML document.

    Raises:
        Refused: It is too large, not UTF-8, not YAML, or uses anchors, tags or several documents.
    """
    if len(text) > SIZE_MAX:
        raise _refused(name, None, f"{len(text)} bytes", f"at most {SIZE_MAX} bytes", "split it")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found = f"byte {error.start} that is not UTF-8"
            raise _refused(name, None, found, "UTF-8 text", "save it as UTF-8") from error
    try:
        _refuse_anchors(text, name)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found = str(getattr(error, "problem", None) or "characters that YAML does not allow")
        line = mark.line + 1 if mark else None
        remedy = "correct the indentation or the quotes"
        raise _refused(name, line, found, "YAML", remedy) from error
    except RecursionError as error:
        raise _refused(
            name, None, "endless nesting", f"{DEPTH_MAX} levels", "flatten it"
        ) from error
    reader = _Reader(name)
    content = None if root is None else reader.value(root, "", 0)
    return Source(content=content, lines=reader.lines, name=name, problems=tuple(reader.problems))


class _Reader:
    def __init__(self, name: str | None) -> None:
        self.name = name
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if depth > DEPTH_MAX:
            raise _refused(self.name, line, "deeper nesting", f"{DEPTH_MAX} levels", "flatten it")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(inner, f"{path}[{index}]", depth + 1)
                for index, inner in enumerate(node.value)
            ]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused(self.name, line, "a key that is no text", "text", "name the key")
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in values:
                self.problems.append(
                    Problem(
                        code="key-twice",
                        what=f"key {key!r}",
                        found="given twice in one place",
                        limit="once",
                        remedy="keep one of the two",
                        path=inner,
                        line=line,
                    )
                )
                continue
            self.lines[inner] = line
            values[key] = self.value(value_node, inner, depth + 1)
        return values

    def _scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        match node.tag.rpartition(":")[2]:
            case "null":
                return None
            case "bool":
                # yes, no, on and off stay words: they are answers on a form.
                return {"true": True, "false": False}.get(text.lower(), text)
            case "int":
                return int(text) if text.lstrip("+-").isdigit() and len(text) < 16 else text
            case _:
                return text


def _refuse_anchors(text: str, name: str | None) -> None:
    documents = depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _refused(name, line, "a second document", "one", "put it in its own file")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise _refused(name, line, "deeper nesting", f"{DEPTH_MAX} levels", "flatten it")
        anchor = getattr(event, "anchor", None)
        if anchor:
            raise _refused(name, line, f"anchor or alias {anchor!r}", "plain YAML", "write it out")
        if getattr(event, "tag", None) not in {None, "!"}:
            raise _refused(name, line, "a tag", "plain YAML", "take the tag away")


def _refused(name: str | None, line: int | None, found: str, limit: str, remedy: str) -> Refused:
    return Refused(
        "document-unreadable",
        what="document" if name is None else f"document {name}",
        found=found,
        limit=limit,
        remedy=remedy,
        rule="YAML 1.1",
        path=name,
        line=line,
    )
