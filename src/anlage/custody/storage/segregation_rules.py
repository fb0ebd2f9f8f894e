"""The rules of segregation as a dated definition: what is tested, how far around, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from anlage.library import Content, Fields, Heading, Reference, read_with

MINUTES_MAX = 60 * 24 * 30


class Test(StrEnum):
    """What a rule of segregation looks at."""

    __test__ = False  # no test of pytest's

    CLEARANCE = "clearance"
    PRODUCT_CLASS = "product-class"
    TEMPERATURE = "temperature"
    INFECTIOUS_PLACE = "infectious-place"
    INFECTIOUS_BESIDE = "infectious-beside-negative"
    ONE_PATIENT = "one-patient"
    OPEN = "open-patients"
    LOOK_ALIKE = "look-alike"
    TIME = "time-between-patients"


class Within(StrEnum):
    """How far around a rule looks: the place itself, or all in the place that it stands in."""

    PLACE = "place"
    AROUND = "around"


MANDATORY = frozenset({Test.CLEARANCE, Test.INFECTIOUS_PLACE, Test.ONE_PATIENT, Test.OPEN})
_OF_NEIGHBOURS = frozenset({Test.INFECTIOUS_BESIDE, Test.OPEN, Test.LOOK_ALIKE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SegregationRule:
    """One rule.

    Attributes:
        test: What it looks at.
        within: How far around.
        minutes: For `time-between-patients`: the least time between two patients' materials.
        reason: Why, for the person who is refused.
        source: The clause behind it.
    """

    test: Test
    within: Within = Within.PLACE
    minutes: int = 0
    reason: str
    source: str

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one rule."""
        test = fields.enum("test", Test)
        within = fields.enum("within", Within, Within.PLACE)
        if within is Within.AROUND and test not in _OF_NEIGHBOURS:
            allowed = ", ".join(sorted(one.value for one in _OF_NEIGHBOURS))
            fields.wrong("within", within.value, f"around only for {allowed}", "write place")
        minutes = fields.whole("minutes", 0, most=MINUTES_MAX)
        if (test is Test.TIME) != (minutes > 0):
            fields.wrong("minutes", minutes, f"minutes for {Test.TIME.value} alone", "correct it")
        return cls(
            test=test,
            within=within,
            minutes=minutes,
            reason=fields.text("reason"),
            source=fields.text("source"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegregationRules:
    """A site's rules of segregation.

    Attributes:
        heading: Identifier, title and basis.
        valid_from: The day from which they hold.
        rules: The rules, one for each test.
    """

    heading: Heading
    valid_from: date
    rules: tuple[SegregationRule, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a set of rules from its content.

        Raises:
            Refused: With every problem and its path; a test that no site may leave out is missing.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a set of rules."""
        heading = fields.heading("segregation-rules")
        valid_from = fields.day("valid-from")
        rules = fields.each("rules", SegregationRule.from_fields, least=1, unique="test")
        missing = sorted(MANDATORY - {one.test for one in rules})
        if missing:
            fields.wrong("rules", "no " + ", ".join(missing), "these tests too", "add them")
        if valid_from is None:
            fields.wrong("valid-from", "nothing", "a day, such as 2026-03-01", "add it")
        return cls(heading=heading, valid_from=valid_from or date.min, rules=rules)

    @property
    def references(self) -> tuple[Reference, ...]:
        """It names no other definition."""
        return ()

    @property
    def by_test(self) -> Mapping[Test, SegregationRule]:
        """The rule of each test."""
        return {one.test: one for one in self.rules}

    def looks_around(self, *, has_name: bool) -> bool:
        """Tell whether a rule looks beyond the place itself, for a thing with a name or without."""
        return any(
            one.within is Within.AROUND and (has_name or one.test is not Test.LOOK_ALIKE)
            for one in self.rules
        )

    def cite(self, test: Test) -> str:
        """Give the rule behind a refusal, with its clause."""
        rule = self.by_test[test]
        return f"{self.heading.id} {test.value}: {rule.source}"
