"""Taking values out of a mapping, key by key, and saying what is wrong with each."""

import difflib
from collections.abc import Callable
from typing import TypeVar

from anlage.base import Problem

from .document import Node
from .errors import KEY_MISSING, KEY_UNKNOWN, SHAPE_WRONG, VALUE_IMPOSSIBLE, VALUE_UNREADABLE
from .measure import Unfit, number

T = TypeVar("T")
PROBLEMS_MAX = 200
REFERENCE = "docs/reference/network-file.md"


class Judgement:
    """The problems of one file, in the order in which they were found."""

    def __init__(self, path: str | None) -> None:
        """Begin with none; `path` is the file, for the problems' place."""
        self.path = path
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}

    def say(
        self,
        code: str,
        what: str,
        line: int | None,
        *,
        found: str | None = None,
        limit: str | None = None,
        remedy: str | None = None,
    ) -> None:
        """Add one problem, up to a limit of two hundred."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(
                Problem(
                    code=code,
                    what=what,
                    found=found,
                    limit=limit,
                    remedy=remedy,
                    path=self.path,
                    line=line,
                )
            )

    def place(self, key: str, line: int) -> None:
        """Remember where a thing stands, for judgements on the finished model."""
        self.lines.setdefault(key, line)

    def read(self, node: Node, what: str, reader: Callable[[str], T]) -> T | None:
        """Read a scalar, or say what is wrong with it and give None."""
        if node.text is None:
            shape = "a list of values" if node.items is not None else node.kind
            self.say(
                SHAPE_WRONG,
                what,
                node.line,
                found=shape,
                limit="one value",
                remedy="write one value",
            )
            return None
        try:
            return reader(node.text)
        except Unfit as unfit:
            self.problems.append(unfit.problem(what, self.path, node.line))
            return None


class Fields:
    """A mapping that is being read; keys nobody takes are unknown."""

    def __init__(self, node: Node, what: str, judgement: Judgement) -> None:
        """Wrap a mapping; anything else is said to be of the wrong shape and read as empty."""
        self.node, self.what, self.judgement = node, what, judgement
        self.keys = node.keys or {}
        self.known: list[str] = []
        self.taken: set[str] = set()
        if node.keys is None:
            judgement.say(
                SHAPE_WRONG,
                what,
                node.line,
                found=node.kind,
                limit="a mapping of key: value",
                remedy=f"see {REFERENCE} for the keys of {what}",
            )

    def node_of(self, *names: str) -> Node | None:
        """Give the value's node under the first of the names that is there, or None."""
        self.known.extend(names)
        found = [name for name in names if name in self.keys]
        self.taken.update(found)
        if len(found) > 1:
            self.judgement.say(
                KEY_UNKNOWN,
                f"{self.what}: key {found[1]}",
                self.keys[found[1]][0].line,
                found=f"both {found[0]} and {found[1]}",
                limit="one of them",
                remedy=f"keep {found[0]}",
            )
        return self.keys[found[0]][1] if found else None

    def take(self, *names: str, reader: Callable[[str], T], default: T) -> T:
        """Read a scalar, or give the default when the key is absent or its value unfit."""
        node = self.node_of(*names)
        if node is None:
            return default
        value = self.judgement.read(node, f"{self.what}: {names[0]}", reader)
        return default if value is None else value

    def need(self, *names: str) -> Node | None:
        """Give the value's node of a key that must be there."""
        node = self.node_of(*names)
        if node is None and self.node.keys is not None:
            near = self._near(names[0])
            self.judgement.say(
                KEY_MISSING,
                self.what,
                self.node.line,
                found=f"no key {names[0]}" + (f" (but {near})" if near else ""),
                limit=f"the key {names[0]}",
                remedy=f"add {names[0]}: …",
            )
            if near:
                self.taken.add(near)
        return node

    def _near(self, name: str) -> str | None:
        unknown = [key for key in self.keys if key not in self.known]
        close = difflib.get_close_matches(name, unknown, n=1, cutoff=0.7)
        return close[0] if close else None

    def done(self) -> None:
        """Say of each key that nobody took that it is unknown, with the nearest known one."""
        for name, (key, _) in self.keys.items():
            if name in self.taken:
                continue
            close = difflib.get_close_matches(name, self.known, n=1, cutoff=0.55)
            self.judgement.say(
                KEY_UNKNOWN,
                f"{self.what}: key {name}",
                key.line,
                found=repr(name),
                limit="one of " + ", ".join(dict.fromkeys(self.known)),
                remedy=f"write {close[0]}" if close else f"remove it, or see {REFERENCE}",
            )


def whole(low: int, high: int = 1_000_000) -> Callable[[str], int]:
    """Give a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        value = number(text)
        if value != int(value):
            raise Unfit(VALUE_UNREADABLE, text, "a whole number", "write a whole number")
        if not low <= value <= high:
            raise Unfit(
                VALUE_IMPOSSIBLE,
                text,
                f"a whole number from {low} to {high}",
                f"write {low} or more" if value < low else f"write at most {high}",
            )
        return int(value)

    return read


def between(low: float, high: float) -> Callable[[str], float]:
    """Give a reader of numbers within bounds, both included."""

    def read(text: str) -> float:
        value = number(text)
        if not low <= value <= high:
            raise Unfit(
                VALUE_IMPOSSIBLE, text, f"a number from {low:g} to {high:g}", "correct the number"
            )
        return value

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """Give a reader of one word out of a closed set; `-` and `_` count as a space."""

    def read(text: str) -> str:
        plain = text.strip().lower().replace("_", " ").replace("-", " ")
        if plain in words:
            return plain
        close = difflib.get_close_matches(plain, words, n=1, cutoff=0.5)
        raise Unfit(
            VALUE_UNREADABLE,
            repr(text),
            "one of " + ", ".join(words),
            f"write {close[0] if close else words[0]}",
        )

    return read


def truth(text: str) -> bool:
    """Read yes or no.

    Raises:
        Unfit: It is neither.
    """
    word = text.strip().lower()
    if word in {"yes", "true", "on"}:
        return True
    if word in {"no", "false", "off"}:
        return False
    raise Unfit(VALUE_UNREADABLE, repr(text[:20]), "yes or no", "write yes or no")


def words(node: Node, what: str, judgement: Judgement) -> tuple[str, ...]:
    """Read one name, or a list of names."""
    if node.text is not None:
        return (node.text,)
    if node.items is None or any(item.text is None for item in node.items):
        judgement.say(
            SHAPE_WRONG,
            what,
            node.line,
            found=node.kind,
            limit="a name or a list of names",
            remedy="write [a, b]",
        )
        return ()
    return tuple(item.text for item in node.items if item.text is not None)
