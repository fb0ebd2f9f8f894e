"""Reading the content of a definition: every problem at once, each with its place and remedy.

A definition's class reads itself from `Fields`; what it asks for is the schema. Keys nobody asked
for are problems too, so that a misspelt limit is never a missing limit.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, TypeVar

from anlage.base import Problem, Quantity, Refused, clean_text, scale_of

Content: TypeAlias = Mapping[str, object]
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

PROBLEMS_MAX = 50
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A definition that another one names.

    Attributes:
        kind: Its kind (specification, role, sop ...).
        id: Its identifier.
        path: Where it is named.
    """

    kind: str
    id: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What every definition opens with.

    Attributes:
        kind: The kind of definition.
        id: Its identifier, unique within the kind.
        title: Its name in words.
        basis: Where its values come from: a public source, or "illustrative".
    """

    kind: str
    id: str
    title: str
    basis: str


def read_with(content: Content, read: "Callable[[Fields], T]") -> T:
    """Build a definition from its content.

    Raises:
        Refused: With every problem found (at most 50), each with its path.
    """
    problems: list[Problem] = []
    fields = Fields(content, "", problems)
    built = fields.inside(read)
    if built is None or problems:
        raise Refused.of(problems)
    return built


class Fields:
    """One mapping of a definition while it is read."""

    def __init__(self, content: Content, path: str, problems: list[Problem]) -> None:
        """Read `content`, which stands at `path`; problems are collected, not raised."""
        self._content, self._path, self._problems = content, path, problems
        self._asked: dict[str, None] = {}

    def heading(self, kind: str) -> Heading:
        """Read the keys that every definition opens with."""
        self.choice("kind", (kind,))
        return Heading(
            kind=kind, id=self.id("id"), title=self.text("title"), basis=self.text("basis")
        )

    def has(self, key: str) -> bool:
        """Tell whether the key is there, with a value."""
        self._asked[key] = None
        return self._content.get(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        """Read text; required when no default is given."""
        value = self._value(key, is_required=default is None)
        if value is None:
            return default or ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.wrong(
                key, value, "text", "write words, in quotes if they look like something else"
            )
            return default or ""
        try:
            return clean_text(value, key)
        except Refused as refusal:
            self.add(refusal.problem, key)
            return default or ""

    def id(self, key: str, default: str | None = None) -> str:
        """Read the identifier of a definition: lower-case words joined by hyphens."""
        return self._shaped(
            key, default, _ID, "lower-case letters, digits and hyphens", "such as cd19-car-t"
        )

    def name(self, key: str) -> str:
        """Read a name that expressions may use: lower-case words joined by underscores."""
        return self._shaped(
            key, None, _NAME, "lower-case letters, digits and underscores", "such as cells_before"
        )

    def choice(self, key: str, among: Sequence[str], default: str | None = None) -> str:
        """Read one of a closed set of words."""
        found = self.text(key, default)
        if not found:  # said already: it is missing, or no text
            return default or among[0]
        if found not in among:
            near = difflib.get_close_matches(found, among, 1)
            remedy = f"rename it to {near[0]}" if near else "choose one of these"
            self.wrong(key, found, ", ".join(among), remedy)
            return default or among[0]
        return found

    def enum(self, key: str, among: type[E], default: E | None = None) -> E:
        """Read a member of an enumeration by its value."""
        found = self.choice(key, [one.value for one in among], default and default.value)
        return among(found) if found else next(iter(among))

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Read true or false."""
        value = self._value(key, is_required=default is None)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.wrong(key, value, "true or false", "write true or false")
        return bool(default)

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int) -> int:
        """Read a whole number within bounds."""
        value = self._value(key, is_required=default is None)
        if value is None:
            return least if default is None else default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(key, value, f"a whole number from {least} to {most}", "write digits only")
            return least if default is None else default
        return value

    def number(self, key: str) -> Decimal | None:
        """Read an exact number, if there is one; its decimals are kept."""
        value = self._value(key, is_required=False)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value)
        if isinstance(value, str) and len(value) <= 40 and _NUMBER.fullmatch(value):
            return Decimal(value)
        self.wrong(key, value, "a decimal number, such as 0.50", "write it with a decimal point")
        return None

    def unit(self, key: str, default: str | None = None) -> str:
        """Read a unit of measure."""
        found = self.text(key, default)
        try:
            scale_of(found or "1")
        except Refused as refusal:
            self.add(refusal.problem, key)
            return "1"
        return found or "1"

    def quantity(self, key: str) -> Quantity | None:
        """Read a number with its unit, if there is one."""
        value = self._value(key, is_required=False)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return Quantity.of(value)
        if not isinstance(value, str):
            self.wrong(key, value, "a number with a unit, such as 1.5 mL", "write both")
            return None
        try:
            return Quantity.parse(value)
        except Refused as refusal:
            self.add(refusal.problem, key)
            return None

    def day(self, key: str) -> date | None:
        """Read a calendar day (2026-03-01), if there is one."""
        value = self._value(key, is_required=False)
        if value is None:
            return None
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            self.wrong(key, value, "a day, such as 2026-03-01", "write year, month, day")
            return None

    def texts(self, key: str, *, least: int = 0) -> tuple[str, ...]:
        """Read a list of texts."""
        items = self._list(key, least)
        inner = Fields(
            {str(at): item for at, item in enumerate(items)},
            self._place(key),
            self._problems,
        )
        return tuple(inner.text(str(at)) for at in range(len(items)))

    def ids(self, key: str, kind: str, *, least: int = 0) -> tuple[Reference, ...]:
        """Read a list of identifiers of definitions of one kind."""
        items = self._list(key, least)
        place = self._place(key)
        inner = Fields({str(at): item for at, item in enumerate(items)}, place, self._problems)
        return tuple(
            Reference(kind=kind, id=inner.id(str(at)), path=f"{place}[{at}]")
            for at in range(len(items))
        )

    def reference(self, key: str, kind: str) -> Reference | None:
        """Read the identifier of one definition of a kind, if it is there."""
        if not self.has(key):
            return None
        return Reference(kind=kind, id=self.id(key), path=self._place(key))

    def each(
        self, key: str, read: "Callable[[Fields], T]", *, least: int = 0, unique: str | None = None
    ) -> tuple[T, ...]:
        """Read a list of mappings; `unique` names the key that tells them apart."""
        built: list[T] = []
        seen: dict[object, int] = {}
        for at, item in enumerate(self._list(key, least)):
            place = f"{self._place(key)}[{at}]"
            if not isinstance(item, Mapping):
                self._problems.append(
                    _problem(place, repr(item)[:60], "a mapping of keys", "indent keys under it")
                )
                continue
            if unique and (name := str(item.get(unique))) in seen:
                self._problems.append(
                    _problem(
                        f"{place}.{unique}",
                        name,
                        f"a {unique} not used before",
                        f"item {seen[name] + 1} of {key} has it too; rename or remove one",
                    )
                )
            elif unique:
                seen[name] = at
            one = Fields(item, place, self._problems).inside(read)
            if one is not None:
                built.append(one)
        return tuple(built)

    def group(self, key: str, read: "Callable[[Fields], T]") -> T | None:
        """Read a mapping inside this one, if it is there."""
        value = self._value(key, is_required=False)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.wrong(key, value, "a mapping of keys", "indent keys under it")
            return None
        return Fields(value, self._place(key), self._problems).inside(read)

    def table(self, key: str) -> Mapping[str, object]:
        """Read a mapping with free keys, as it is."""
        value = self._value(key, is_required=False)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.wrong(key, value, "a mapping of keys", "indent keys under it")
            return {}
        return value

    def inside(self, read: "Callable[[Fields], T]") -> T | None:
        """Build a value from this mapping; None when something in it is wrong."""
        before = len(self._problems)
        try:
            built = read(self)
        except Refused as refusal:
            if len(self._problems) == before:
                for problem in refusal.problems:
                    self.add(problem)
            return None
        finally:
            self._close()
        return built if len(self._problems) == before else None

    def wrong(self, key: str, found: object, limit: str, remedy: str) -> None:
        """Note that a key holds what it should not."""
        shown = found if isinstance(found, str) else _shown(found)
        self._problems.append(_problem(self._place(key), shown[:80], limit, remedy))

    def add(self, problem: Problem, key: str = "") -> None:
        """Note a problem found elsewhere, at the place of this mapping or of one of its keys."""
        base = self._place(key) if key else self._path
        path = ".".join(part for part in (base, problem.path) if part)
        values = {name: getattr(problem, name) for name in Problem.__slots__}
        self._problems.append(Problem(**{**values, "path": path or None}))

    def _shaped(
        self, key: str, default: str | None, shape: re.Pattern[str], limit: str, example: str
    ) -> str:
        found = self.text(key, default)
        if found and not shape.fullmatch(found):
            self.wrong(key, found, limit, f"rename it, {example}")
            return default or ""
        return found

    def _value(self, key: str, *, is_required: bool) -> object:
        self._asked[key] = None
        value = self._content.get(key)
        if value is None and is_required:
            near = difflib.get_close_matches(key, list(self._content), 1, 0.75)
            remedy = f"rename {near[0]} to {key}" if near else f"add the key {key}"
            self._problems.append(_problem(self._place(key), "nothing", "a value", remedy))
        return value

    def _list(self, key: str, least: int) -> Sequence[object]:
        value = self._value(key, is_required=least > 0)
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, Sequence):
            self.wrong(key, value, "a list", "begin each item with a hyphen")
            return ()
        if len(value) < least:
            self.wrong(key, "an empty list", f"at least {least}", "add one")
        return value

    def _place(self, key: str) -> str:
        if key.isdigit():
            return f"{self._path}[{key}]"
        return f"{self._path}.{key}" if self._path else key

    def _close(self) -> None:
        for key in self._content:
            if key in self._asked or len(self._problems) > PROBLEMS_MAX:
                continue
            near = difflib.get_close_matches(str(key), list(self._asked), 1)
            remedy = f"rename it to {near[0]}" if near else "remove it"
            known = ", ".join(self._asked)
            self._problems.append(
                _problem(self._place(str(key)), "a key nobody knows here", known, remedy)
            )
        del self._problems[PROBLEMS_MAX:]


def _problem(path: str, found: str, limit: str, remedy: str) -> Problem:
    return Problem(
        code="definition-malformed",
        what=path or "the definition",
        found=found,
        limit=limit,
        remedy=remedy,
        rule="definition schema",
        path=path or None,
    )


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping of keys"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
