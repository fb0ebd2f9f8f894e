"""A product's excursion rule as a dated definition of a site."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from anlage.base import Refused
from anlage.library import Content, Fields, Heading, Reference, read_with

from .excursion import Band, ExcursionRule, Holds, Kinetic, Verdict

MINUTES_MAX = 60 * 24 * 365


class _Holds(StrEnum):
    CELLS = "living-cells"
    REAGENT = "stored-reagent"


class _Beyond(StrEnum):
    ACCEPT = "accept"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcursionDefinition:
    """What a temperature record means for a product, from a day on.

    Attributes:
        heading: Identifier (the product's), title and basis.
        rule: The rule.
    """

    heading: Heading
    rule: ExcursionRule

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a rule from its content.

        Raises:
            Refused: With every problem and its path; mean kinetic temperature for living cells.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a rule."""
        heading = fields.heading("excursion-rule")
        day = fields.day("valid-from")
        holds = fields.enum("holds", _Holds)
        bands = fields.each("bands", _band, least=1)
        kinetic = fields.group("kinetic", _kinetic)
        gap = fields.whole("gap-minutes", 60, least=1, most=MINUTES_MAX)
        if day is None:
            fields.wrong("valid-from", "nothing", "a day, such as 2026-03-01", "add it")
        if kinetic is not None and holds is _Holds.CELLS:
            fields.wrong(
                "kinetic",
                "for living cells",
                "for stored reagents alone: cells do not decay as a chemical does",
                "state time outside limits in bands",
            )
            kinetic = None
        if not bands:
            raise Refused("excursion-rule-malformed", what=heading.id, found="no band")
        rule = ExcursionRule(
            id=f"{heading.id}, from {day}",
            product=heading.title,
            valid_from=day or date.min,
            holds=Holds.CELLS if holds is _Holds.CELLS else Holds.REAGENT,
            bands=bands,
            kinetic=kinetic,
            gap_max=timedelta(minutes=gap),
            source=heading.basis,
        )
        return cls(heading=heading, rule=rule)

    @property
    def references(self) -> tuple[Reference, ...]:
        """It names no other definition."""
        return ()


def _band(fields: Fields) -> Band:
    low, high = fields.number("low"), fields.number("high")
    if low is None and high is None:
        fields.wrong("high", "nothing", "a lower or an upper limit, degC", "add one")
    if low is not None and high is not None and low > high:
        fields.wrong("high", str(high), f"at least {low}", "put them in order")
    beyond = fields.enum("beyond", _Beyond)
    return Band(
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        outside_max=timedelta(minutes=fields.whole("outside-minutes", 0, most=MINUTES_MAX)),
        beyond=Verdict(beyond.value),
        why=fields.text("why"),
    )


def _kinetic(fields: Fields) -> Kinetic:
    limit = fields.number("limit")
    if limit is None:
        fields.wrong("limit", "nothing", "degC", "add it")
    hours = fields.whole("hours", least=1, most=24 * 365)
    return Kinetic(limit=float(limit or 0), window=timedelta(hours=hours))
