"""A YAML text as nodes that know their line, read within stated limits.

The reader is built on parse events, so that hostile text (ten million lines, a thousand levels,
an alias that unfolds to a billion nodes) is refused before it costs time or memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from anlage.base import Problem, Refused

from .errors import KEY_TWICE, SHAPE_WRONG, UNREADABLE

CHARACTERS_MAX = 2_000_000
NODES_MAX = 100_000
DEPTH_MAX = 40


@dataclass(slots=True, eq=False)
class Node:
    """One value of the document.

    Attributes:
        line: Line in the file, counted from 1.
        text: The scalar as written; None for lists and mappings, and for an empty value.
        items: The members of a list, or None.
        keys: The members of a mapping with their key nodes, or None.
        quoted: The scalar stood in quotes.
    """

    line: int
    text: str | None = None
    items: list["Node"] | None = None
    keys: dict[str, tuple["Node", "Node"]] | None = None
    quoted: bool = False
    twice: list["Node"] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Give the shape in a word of the trade: a list, a mapping, nothing, or the text."""
        if self.items is not None:
            return "a list"
        if self.keys is not None:
            return "a mapping"
        return "nothing" if self.text is None else repr(self.text[:60])


def parse(text: str, *, path: str | None = None) -> Node:
    """Give the root node of one YAML document.

    Raises:
        Refused: No YAML, several documents, or beyond a limit on size, depth or nodes.
    """
    if len(text) > CHARACTERS_MAX:
        raise _unreadable(
            f"{len(text)} characters", f"at most {CHARACTERS_MAX} characters", path, None
        )
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = _compose(iter(yaml.parse(text, Loader=loader)), path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise _unreadable(error.problem or "no YAML", "a YAML document", path, line) from None
    except (yaml.YAMLError, UnicodeError) as error:
        found = str(error).splitlines()[0]
        raise _unreadable(found, "a YAML document in UTF-8", path, None) from None
    if root.keys is None:
        raise Refused(
            SHAPE_WRONG,
            what="the network file",
            found=root.kind,
            limit="a mapping that begins with network: NAME",
            remedy="see docs/reference/network-file.md for a first file of ten lines",
            path=path,
            line=root.line,
        )
    return root


def twice_problems(root: Node, path: str | None) -> list[Problem]:
    """Give a problem for every key that stands twice in one mapping."""
    problems: list[Problem] = []
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        problems.extend(
            Problem(
                code=KEY_TWICE,
                what=f"key {key.text}",
                found="the same key twice",
                limit="each key once",
                remedy="keep one of the two",
                path=path,
                line=key.line,
            )
            for key in node.twice
        )
        stack.extend(node.items or ())
        stack.extend(value for _, value in (node.keys or {}).values())
    return problems


def _compose(events: Iterator[Any], path: str | None) -> Node:
    """Build nodes from events with a stack of our own; aliases share their node."""
    root: Node | None = None
    stack: list[tuple[Node, Node | None]] = []
    anchors: dict[str, Node] = {}
    documents = count = 0
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _unreadable("a second document", "one document in a file", path, line)
            continue
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            stack.pop()
            continue
        node = _node(event, line, anchors, stack, path)
        if node is None:
            continue
        count += _weight(node) if isinstance(event, yaml.AliasEvent) else 1
        if count > NODES_MAX:
            raise _unreadable(f"more than {NODES_MAX} values", f"at most {NODES_MAX}", path, line)
        if stack:
            _attach(stack, node, path)
        else:
            root = node
        if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            stack.append((node, None))
            if len(stack) > DEPTH_MAX:
                raise _unreadable(f"{len(stack)} levels", f"at most {DEPTH_MAX} levels", path, line)
    return root or Node(line=1)


def _node(
    event: Any,
    line: int,
    anchors: dict[str, Node],
    stack: list[tuple[Node, Node | None]],
    path: str | None,
) -> Node | None:
    if isinstance(event, yaml.AliasEvent):
        node = anchors.get(event.anchor or "")
        if node is None or any(open_node is node for open_node, _ in stack):
            raise _unreadable(f"alias *{event.anchor}", "an anchor that stands before", path, line)
        if node.text is None and (node.items or node.keys) and _weight(node) > 2000:
            raise _unreadable(f"alias *{event.anchor}", "at most 2000 values by alias", path, line)
        return node
    if isinstance(event, yaml.ScalarEvent):
        quoted = not event.implicit[0] or event.style in ("'", '"', "|", ">")
        empty = event.value in ("", "~", "null") and not quoted
        node = Node(line=line, text=None if empty else event.value, quoted=quoted)
    elif isinstance(event, yaml.SequenceStartEvent):
        node = Node(line=line, items=[])
    elif isinstance(event, yaml.MappingStartEvent):
        node = Node(line=line, keys={})
    else:
        return None
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _weight(node: Node, limit: int = 2001) -> int:
    """Count the values that an alias unfolds to, and stop counting at the limit."""
    total, stack = 0, [node]
    while stack and total <= limit:
        top = stack.pop()
        total += 1
        stack.extend(top.items or ())
        stack.extend(value for _, value in (top.keys or {}).values())
    return total


def _attach(stack: list[tuple[Node, Node | None]], node: Node, path: str | None) -> None:
    parent, key = stack[-1]
    if parent.items is not None:
        parent.items.append(node)
    elif key is None:
        if node.text is None:
            raise _unreadable(f"{node.kind} as a key", "a word as a key", path, node.line)
        stack[-1] = (parent, node)
    else:
        keys = parent.keys
        if keys is not None and key.text is not None:
            if key.text in keys:
                parent.twice.append(key)
            keys[key.text] = (key, node)
        stack[-1] = (parent, None)


def _unreadable(found: str, limit: str, path: str | None, line: int | None) -> Refused:
    return Refused(
        UNREADABLE,
        what="the network file",
        found=found,
        limit=limit,
        remedy="correct the place named; a network of one product fits in a few hundred lines",
        path=path,
        line=line,
    )
