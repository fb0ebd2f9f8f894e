"""What an analysis of a file gives, alike for images, tubes and plates."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from anlage.base import Refused
from anlage.library import Content, Method

from ..measurement import Value
from ..method import MethodCard

Tell = Callable[[float, str], None]
PLOTLY = "application/vnd.plotly.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What an analysis reads.

    Attributes:
        path: The instrument's file.
        method: The method in force.
        assay: Content of the assay definition in force that the method names; None for none.
        sample: The sample it was measured on, by which its row is found in a table of several.
        settings: What the analysis is told: its own settings, and the method's over them.
    """

    path: Path
    method: Method
    assay: Content | None = None
    sample: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def setting(self, name: str) -> float | None:
        """Give a setting that is a number above zero; None where it is left open.

        Raises:
            Refused: It is no such number.
        """
        text = self.settings.get(name, "")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise Refused(
                "method-setting-wrong",
                what=f"setting {name} of method {self.method.heading.id}",
                found=text[:60],
                limit="a number above zero",
                remedy="write a version of the method that says it",
            )
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that an analysis gave, with its 95 % interval where it has one.

    Attributes:
        name: What it is.
        value: The number; None where there is none.
        unit: Its unit of measure.
        low: Lower end of the interval.
        high: Upper end.
        qualifier: "<" or ">" where only a bound is known.
        words: What was found where that is no number ("no growth").
    """

    name: str
    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    qualifier: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: its title, bytes and what they are (a picture, or a Plotly figure as JSON)."""

    title: str
    data: bytes
    media_type: str = PLOTLY

    @classmethod
    def of(cls, title: str, figure: Any) -> "Figure":
        """Give a Plotly figure as JSON."""
        return cls(title=title, data=figure.to_json().encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an analysis gave.

    Attributes:
        card: The analysis's card: what it may be used for.
        numbers: What was found.
        flags: What a reader of the numbers should know.
        refusal: Why it would not judge a part of the file; empty when it did.
        figures: What to look at.
        details: Everything else, as JSON values.
    """

    card: MethodCard
    numbers: tuple[Number, ...] = ()
    flags: tuple[str, ...] = ()
    refusal: str = ""
    figures: tuple[Figure, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def values_for(self, method: Method) -> tuple[Value, ...]:
        """Give the numbers as they are reported: in the decimals and for the attributes that the
        method says.
        """
        served = {one.value: one for one in method.measures if one.value}
        values = []
        for one in self.numbers:
            measure = served.get(one.name)
            decimals = measure.decimals if measure else 1 if one.unit else 0
            unit = (measure.unit if measure else "") or one.unit
            values.append(
                Value(
                    name=one.name,
                    text=one.words or one.qualifier + _text(one.value, decimals, unit),
                    low=_text(one.low, decimals, ""),
                    high=_text(one.high, decimals, ""),
                    attribute=measure.attribute if measure else "",
                )
            )
        return tuple(values)

    def warnings_for(self, method: Method) -> tuple[str, ...]:
        """Say for which of the method's purposes the analysis is used beyond what it may."""
        return self.card.warnings_for(method.purposes, validated_for=method.qualified_for)

    def as_json(self) -> bytes:
        """Give everything that was said, without the figures."""
        numbers = [
            {name: getattr(one, name) for name in ("name", "value", "unit", "low", "high", "words")}
            for one in self.numbers
        ]
        told = {
            "method": self.card.as_dict(),
            "numbers": numbers,
            "flags": list(self.flags),
            "refusal": self.refusal or None,
            "details": self.details,
        }
        return json.dumps(told, ensure_ascii=False, default=str, indent=1).encode()


def _text(value: float | None, decimals: int, unit: str) -> str:
    if value is None or value != value or abs(value) == float("inf"):
        return ""
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:f} {unit}".strip()
