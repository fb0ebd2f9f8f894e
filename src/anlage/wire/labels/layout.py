"""A label's layout: its size in mm, and what stands where.

Places are in mm from the top left corner. Content may name fields in braces, `{lot}`; a field that
is not given is refused, so that no label leaves with a hole in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from anlage.base import Refused
from anlage.wire.symbols import Symbology

_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SIDE_MIN, _SIDE_MAX = 5.0, 400.0
CHARACTER_WIDTH = 0.602
"""Width of a character of the label font, as a part of its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; `size` is the height of the line in mm."""

    x: float
    y: float
    size: float
    content: str
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One symbol; `module` is the width of its smallest element in mm, `height` of bars in mm."""

    x: float
    y: float
    content: str
    symbology: Symbology
    module: float
    height: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A horizontal or vertical line, or a filled box."""

    x: float
    y: float
    width: float
    height: float


Part = Text | Code | Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A label.

    Attributes:
        id: Its name.
        width: mm, 5 to 400.
        height: mm, 5 to 400.
        parts: What stands on it.
        purpose: One line for the person who chooses.
    """

    id: str
    width: float
    height: float
    parts: tuple[Part, ...]
    purpose: str = ""

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if not _SIDE_MIN <= side <= _SIDE_MAX:
                raise _wrong(self.id, f"a side of {side:g} mm", "5 to 400 mm")

    @property
    def fields(self) -> list[str]:
        """The names of the fields that the label needs, in the order of their first use."""
        found = [
            name
            for part in self.parts
            if not isinstance(part, Line)
            for name in _FIELD.findall(part.content)
        ]
        return list(dict.fromkeys(found))

    def filled(self, values: Mapping[str, str]) -> "Layout":
        """Give the label with its fields filled in.

        Raises:
            Refused: A field is missing or empty, or a value holds control characters.
        """
        missing = [name for name in self.fields if not str(values.get(name, "")).strip()]
        if missing:
            raise Refused(
                "label-field-missing",
                what=f"label {self.id}",
                found=f"no value for {', '.join(missing)}",
                limit=f"a value for each of {', '.join(self.fields)}",
                remedy="give each as --field NAME=VALUE",
                rule="Anlage labels",
            )
        strange = [
            name for name in self.fields if any(ord(c) < 32 or ord(c) == 127 for c in values[name])
        ]
        if strange:
            raise _wrong(self.id, f"control characters in {strange[0]}", "printable text")
        parts = tuple(
            part
            if isinstance(part, Line)
            else replace(part, content=_FIELD.sub(lambda m: values[m[1]], part.content))
            for part in self.parts
        )
        filled = replace(self, parts=parts)
        filled._fits()
        return filled

    def _fits(self) -> None:
        for part in self.parts:
            if isinstance(part, Text):
                width = len(part.content) * part.size * CHARACTER_WIDTH * 0.8
                if part.x + width > self.width + 0.01 or part.y + part.size > self.height + 0.01:
                    room = self.width - part.x
                    raise Refused(
                        "label-text-too-long",
                        what=f"text on label {self.id}",
                        found=f"{part.content!r}, {width:.1f} mm wide",
                        limit=f"{room:.1f} mm",
                        remedy="shorten the text, or choose a larger label",
                        rule="Anlage labels",
                    )


def read_layout(path: Path) -> Layout:
    """Read a layout from YAML: `id`, `width`, `height` and `parts` of text, code and line.

    Raises:
        Refused: The file cannot be read, or a part is missing or malformed.
    """
    try:
        value: Any = yaml.safe_load(path.read_text("utf-8"))
        return Layout(
            id=str(value["id"]),
            width=float(value["width"]),
            height=float(value["height"]),
            parts=tuple(_part(part) for part in value["parts"]),
            purpose=str(value.get("purpose", "")),
        )
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise _wrong(
            path.name,
            f"{type(error).__name__}: {error}"[:100],
            "id, width, height and parts, each text, code or line with x and y in mm",
        ) from error


def _part(value: Any) -> Part:
    place = {"x": float(value["x"]), "y": float(value["y"])}
    if "text" in value:
        return Text(
            **place,
            size=float(value["size"]),
            content=str(value["text"]),
            bold=bool(value.get("bold", False)),
        )
    if "code" in value:
        return Code(
            **place,
            content=str(value["code"]),
            symbology=Symbology(value["symbology"]),
            module=float(value["module"]),
            height=float(value.get("height", 10)),
        )
    return Line(**place, width=float(value["width"]), height=float(value["height"]))


def _wrong(name: str, found: str, limit: str) -> Refused:
    return Refused(
        "label-malformed",
        what=f"label layout {name}",
        found=found,
        limit=limit,
        remedy="correct the layout; docs/how-to/read-codes-and-labels.md shows one",
        rule="Anlage labels",
    )
