"""The one evaluator of limits: what a result is worth against its acceptance criterion.

Rounding. A result is compared as it would be reported: converted to the criterion's unit, then
rounded to the decimals of its limit, looking at the first digit dropped only - 5 or more rounds
away from zero (half up). That is the practice of the pharmacopoeias (USP General Notices 7.20;
Ph. Eur. 1.4 reads alike) for observed values against limits. Half even, the default of most
software, would fail 69.5 against a limit of 70 only every second time. Limits themselves are
exact and never rounded, and a result below a limit of detection or quantitation is a range, never
zero.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Self

from anlage.base import Quantity, Refused, clean_line, scale_of

from .fields import Content, Fields, Heading, Reference, read_with
from .rounding import Rounding, exact, rounded

DECIMALS_MAX = 12
_ROUNDINGS = (Rounding.HALF_UP.value, Rounding.HALF_EVEN.value, Rounding.NONE.value)


class Kind(StrEnum):
    """What a criterion judges."""

    NUMERIC = "numeric"
    QUALITATIVE = "qualitative"


class Stage(StrEnum):
    """When a criterion counts."""

    IN_PROCESS = "in-process"
    RELEASE = "release"
    AFTER_RELEASE = "after-release"
    INFORMATION = "information"


class Level(StrEnum):
    """What a result belongs to: release decisions are taken at this level."""

    DONOR = "donor"
    LOT = "lot"
    CONTAINER = "container"


class Qualifier(StrEnum):
    """What is known of a value that was not measured as a number."""

    BELOW_DETECTION = "<LOD"
    BELOW_QUANTITATION = "<LOQ"
    BELOW = "<"
    ABOVE = ">"


class Outcome(StrEnum):
    """What a result is worth."""

    PASS = "pass"
    FAIL = "fail"
    WARNING = "warning"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A reported result: a number with its unit, a bound, or words.

    Attributes:
        value: The number measured, exactly as reported; the bound when `qualifier` is set.
        unit: Its unit of measure.
        qualifier: Set when only a bound is known ("<LOQ"); `value` is then that bound, or None
            when the report gave none.
        text: The words of a qualitative result ("no growth"), or of what was reported.
    """

    value: Decimal | None = None
    unit: str = "1"
    qualifier: Qualifier | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.value is None and self.qualifier is None and not self.text:
            raise _malformed("result", "nothing", "a number, a bound or words")
        if self.value is not None:
            Quantity.of(self.value, self.unit)

    @classmethod
    def of(cls, quantity: Quantity) -> Self:
        """Give the result that a quantity is."""
        return cls(value=quantity.value, unit=quantity.unit)

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        detection: Quantity | None = None,
        quantitation: Quantity | None = None,
    ) -> Self:
        """Read a result as an analyst writes it; words that are no number stay words.

        `"82.4 %"`, `"<0.05 [EU]/mL"`, `">1e6 cell"`, `"<LOQ"`, `"not detected"`, `"no growth"`.

        Args:
            text: What was reported.
            detection: The method's limit of detection, for "<LOD", "ND" and "not detected".
            quantitation: The method's limit of quantitation, for "<LOQ".

        Raises:
            Refused: The text is empty, too long, or a number with an unknown unit.
        """
        line = clean_line(text, "result", limit=200)
        bound = {"<LOD": detection, "<LOQ": quantitation}
        word = line.upper().replace(" ", "")
        if word in {"ND", "NOTDETECTED", "<LOD", "<DL"}:
            word = "<LOD"
        elif word == "<QL":
            word = "<LOQ"
        if word in bound:
            known = bound[word]
            return cls(
                value=None if known is None else known.value,
                unit="1" if known is None else known.unit,
                qualifier=Qualifier(word),
                text=line,
            )
        if match := re.fullmatch(r"([<>])\s*(.*\d.*)", line):
            quantity = Quantity.parse(match[2])
            return cls(
                value=quantity.value,
                unit=quantity.unit,
                qualifier=Qualifier(match[1]),
                text=line,
            )
        if re.match(r"[+-]?\.?\d", line):
            return cls.of(Quantity.parse(line))
        return cls(text=line)

    def __str__(self) -> str:
        if self.value is None:
            return self.text or str(self.qualifier)
        number = str(Quantity(self.value, self.unit))
        if self.qualifier in {Qualifier.BELOW, Qualifier.ABOVE}:
            return f"{self.qualifier}{number}"
        return f"{self.qualifier} ({number})" if self.qualifier else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """An acceptance criterion of one attribute.

    Attributes:
        attribute: Name of the attribute, unique in its specification ("viability").
        title: What it is, in words.
        kind: Numeric or qualitative.
        unit: The unit of the limits.
        lower: The least acceptable value; None for none.
        upper: The greatest acceptable value; None for none.
        lower_inclusive: Whether `lower` itself is acceptable.
        upper_inclusive: Whether `upper` itself is acceptable.
        warning_lower: Below this a result passes with a warning.
        warning_upper: Above this a result passes with a warning.
        decimals: To how many decimals a result is reported and compared; None for as many as the
            most exact limit has.
        rounding: How.
        accepted: Words that pass, for a qualitative attribute.
        refused: Words that fail; any word that is in neither list is inconclusive.
        stage: When it counts.
        level: What its results belong to.
        method: The test method.
        basis: Where the limit comes from.
    """

    attribute: str
    title: str = ""
    kind: Kind = Kind.NUMERIC
    unit: str = "1"
    lower: Decimal | None = None
    upper: Decimal | None = None
    lower_inclusive: bool = True
    upper_inclusive: bool = True
    warning_lower: Decimal | None = None
    warning_upper: Decimal | None = None
    decimals: int | None = None
    rounding: Rounding = Rounding.HALF_UP
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    stage: Stage = Stage.RELEASE
    level: Level = Level.LOT
    method: str = ""
    basis: str = ""

    def __post_init__(self) -> None:
        if self.kind is Kind.QUALITATIVE:
            self._check_words()
        else:
            self._check_limits()

    def _check_words(self) -> None:
        if any(limit is not None for limit in (*self.limits, *self.warnings)):
            raise _malformed(self.attribute, "limits in numbers", "words", "make its kind numeric")
        accepted, refused = {_word(one) for one in self.accepted}, set(map(_word, self.refused))
        if not accepted and self.stage is not Stage.INFORMATION:
            raise _malformed(self.attribute, "no accepted words", "at least one", "add accepted")
        if accepted & refused:
            both = ", ".join(sorted(accepted & refused))
            raise _malformed(self.attribute, f"{both} in both lists", "one list", "strike it once")

    def _check_limits(self) -> None:
        if self.accepted or self.refused:
            raise _malformed(self.attribute, "words", "limits", "make its kind qualitative")
        if self.limits == (None, None) and self.stage is not Stage.INFORMATION:
            raise _malformed(
                self.attribute, "no limit", "lower, upper or both", "add one, or stage: information"
            )
        order = [
            ("lower", self.lower),
            ("warning-lower", self.warning_lower),
            ("warning-upper", self.warning_upper),
            ("upper", self.upper),
        ]
        known = [(name, value) for name, value in order if value is not None]
        for (name, value), (next_name, next_value) in pairwise(known):
            if value > next_value:
                raise _malformed(
                    self.attribute,
                    f"{name} {value} above {next_name} {next_value}",
                    "lower <= warning-lower <= warning-upper <= upper",
                    "exchange or correct them",
                )
        is_empty = self.lower is not None and self.lower == self.upper
        if is_empty and not (self.lower_inclusive and self.upper_inclusive):
            raise _malformed(
                self.attribute, f"limits that no value meets ({self.limit_text})", "a range"
            )
        finest = max((_decimals_of(value) for _, value in known), default=0)
        if self.decimals is not None and self.decimals < finest:
            raise _malformed(
                self.attribute,
                f"{self.decimals} decimals for a limit with {finest}",
                "at least the decimals of each limit",
                "raise decimals, or round the limit",
            )

    @property
    def limits(self) -> tuple[Decimal | None, Decimal | None]:
        """The lower and upper limit."""
        return self.lower, self.upper

    @property
    def warnings(self) -> tuple[Decimal | None, Decimal | None]:
        """The lower and upper warning limit."""
        return self.warning_lower, self.warning_upper

    @property
    def places(self) -> int:
        """To how many decimals a result is compared."""
        if self.decimals is not None:
            return self.decimals
        known = [value for value in (*self.limits, *self.warnings) if value is not None]
        return max(map(_decimals_of, known), default=0)

    @property
    def limit_text(self) -> str:
        """The limits as a certificate prints them: "70 % to 100 %", "at most 5 [EU]/mL"."""
        if self.kind is Kind.QUALITATIVE:
            return " or ".join(self.accepted)
        low = None if self.lower is None else str(Quantity(self.lower, self.unit))
        high = None if self.upper is None else str(Quantity(self.upper, self.unit))
        at_least = "at least" if self.lower_inclusive else "more than"
        at_most = "at most" if self.upper_inclusive else "less than"
        if low and high and self.lower_inclusive and self.upper_inclusive:
            return f"{low} to {high}"
        parts = [f"{at_least} {low}"] if low else []
        parts += [f"{at_most} {high}"] if high else []
        return " and ".join(parts) or "report"

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read one criterion.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one criterion from a list of them."""
        return cls(
            attribute=fields.id("attribute"),
            title=fields.text("title", ""),
            kind=fields.enum("kind", Kind, Kind.NUMERIC),
            unit=fields.unit("unit", "1"),
            lower=fields.number("lower"),
            upper=fields.number("upper"),
            lower_inclusive=fields.flag("lower-inclusive", True),
            upper_inclusive=fields.flag("upper-inclusive", True),
            warning_lower=fields.number("warning-lower"),
            warning_upper=fields.number("warning-upper"),
            decimals=(
                fields.whole("decimals", 0, most=DECIMALS_MAX) if fields.has("decimals") else None
            ),
            rounding=Rounding(fields.choice("rounding", _ROUNDINGS, "half-up")),
            accepted=fields.texts("accepted"),
            refused=fields.texts("refused"),
            stage=fields.enum("stage", Stage, Stage.RELEASE),
            level=fields.enum("level", Level, Level.LOT),
            method=fields.text("method", ""),
            basis=fields.text("basis", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a result is worth, and why.

    Attributes:
        outcome: Pass, fail, warning or inconclusive.
        reasons: Why, one sentence each.
        compared: What was compared with what, as a certificate shows it.
        reported: The value as compared, in the criterion's unit and decimals; None for words.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    compared: str
    reported: Quantity | None = None

    @property
    def is_acceptable(self) -> bool:
        """Whether the result meets its limits, with or without a warning."""
        return self.outcome in {Outcome.PASS, Outcome.WARNING}


def evaluate(criterion: Criterion, result: Result) -> Verdict:
    """Judge a result by its criterion.

    Raises:
        Refused: The result's unit measures something other than the criterion's.

    Example:
        >>> least = Criterion(attribute="viability", unit="%", lower=Decimal("70"))
        >>> evaluate(least, Result.parse("69.5 %")).compared
        '69.5 % is 70 % when rounded; limit at least 70 %'
    """
    if criterion.kind is Kind.QUALITATIVE:
        return _judge_words(criterion, result)
    if result.qualifier is not None:
        return _judge_bound(criterion, result)
    if result.value is None:
        return Verdict(
            outcome=Outcome.INCONCLUSIVE,
            reasons=(f'"{result.text}" is no number; {criterion.attribute} is judged by numbers.',),
            compared=f"{result}; limit {criterion.limit_text}",
        )
    return _judge_number(criterion, Quantity(result.value, result.unit))


def as_reported(criterion: Criterion, measured: Quantity) -> Quantity:
    """Give a measured value in the unit and decimals in which it is compared and printed."""
    converted = measured.to(criterion.unit)
    if criterion.rounding is Rounding.NONE:
        return converted
    value = scale_of(criterion.unit).from_base(exact(measured))
    return Quantity(rounded(value, criterion.places, criterion.rounding), criterion.unit)


def _judge_number(criterion: Criterion, measured: Quantity) -> Verdict:
    reported = as_reported(criterion, measured)
    value = reported.value
    reasons = []
    low, high = criterion.limits
    if low is not None and (value < low or (value == low and not criterion.lower_inclusive)):
        reasons.append(f"{reported} is below the limit, {criterion.limit_text}.")
    if high is not None and (value > high or (value == high and not criterion.upper_inclusive)):
        reasons.append(f"{reported} is above the limit, {criterion.limit_text}.")
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not reasons:
        low, high = criterion.warnings
        if low is not None and value < low:
            reasons.append(f"{reported} is below the warning limit of {low} {criterion.unit}.")
        if high is not None and value > high:
            reasons.append(f"{reported} is above the warning limit of {high} {criterion.unit}.")
        outcome = Outcome.WARNING if reasons else Outcome.PASS
    is_same = str(measured) == str(reported)
    how = "" if is_same else f" is {reported}" + _how(criterion, measured)
    return Verdict(
        outcome=outcome,
        reasons=tuple(reasons),
        compared=f"{measured}{how}; limit {criterion.limit_text}",
        reported=reported,
    )


def _how(criterion: Criterion, measured: Quantity) -> str:
    return "" if criterion.rounding is Rounding.NONE else " when rounded"


def _judge_bound(criterion: Criterion, result: Result) -> Verdict:
    compared = f"{result}; limit {criterion.limit_text}"
    if result.value is None:
        reason = f"The report says {result} and gives no number for that bound."
        return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=(reason,), compared=compared)
    bound = Quantity(result.value, result.unit).to(criterion.unit).value
    is_above = result.qualifier is Qualifier.ABOVE
    outcome, reason = _bound_within(criterion, bound, is_above=is_above)
    if outcome is Outcome.PASS:
        warning = _inner(criterion)
        if warning and _bound_within(warning, bound, is_above=is_above)[0] is not Outcome.PASS:
            outcome, reason = Outcome.WARNING, "The bound does not keep it off the warning limit."
    reasons = (reason,) if reason else ()
    return Verdict(outcome=outcome, reasons=reasons, compared=compared)


def _bound_within(criterion: Criterion, bound: Decimal, *, is_above: bool) -> tuple[Outcome, str]:
    """Judge a value known only to lie below (or above) a bound; strictly, so an equal limit does.

    A value below a limit of detection is not negative: a lower limit of 0 or less is met.
    """
    low, high = criterion.limits
    known = f"{'above' if is_above else 'below'} {bound} {criterion.unit}"
    text = criterion.limit_text
    if is_above and high is not None and bound >= high:
        return Outcome.FAIL, f"Any value {known} is outside {text}."
    if not is_above and low is not None and low > 0 and bound <= low:
        return Outcome.FAIL, f"Any value {known} is outside {text}."
    met_low = low is None or (bound >= low if is_above else low <= 0)
    met_high = high is None or (not is_above and bound <= high)
    if met_low and met_high:
        return Outcome.PASS, ""
    return (
        Outcome.INCONCLUSIVE,
        f"A value {known} may lie inside or outside {text}; the method does not decide.",
    )


def _inner(criterion: Criterion) -> Criterion | None:
    if criterion.warnings == (None, None):
        return None
    return replace(
        criterion,
        lower=criterion.warning_lower,
        upper=criterion.warning_upper,
        lower_inclusive=True,
        upper_inclusive=True,
        warning_lower=None,
        warning_upper=None,
    )


def _judge_words(criterion: Criterion, result: Result) -> Verdict:
    compared = f"{result}; accepted {criterion.limit_text or 'report'}"
    word = _word(result.text or str(result))
    if word in map(_word, criterion.accepted) or not criterion.accepted:
        return Verdict(outcome=Outcome.PASS, reasons=(), compared=compared)
    if word in map(_word, criterion.refused):
        reason = f'"{result}" is not acceptable; accepted is {criterion.limit_text}.'
        return Verdict(outcome=Outcome.FAIL, reasons=(reason,), compared=compared)
    reason = f'"{result}" is no word of this criterion; a person must judge it.'
    return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=(reason,), compared=compared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """The acceptance criteria of one thing.

    Attributes:
        heading: Identifier, title and basis.
        criteria: One per attribute.
    """

    heading: Heading
    criteria: tuple[Criterion, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a specification from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(
            content,
            lambda fields: cls(
                heading=fields.heading("specification"),
                criteria=fields.each(
                    "criteria", Criterion.from_fields, least=1, unique="attribute"
                ),
            ),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """A specification names no other definition."""
        return ()

    def criterion(self, attribute: str) -> Criterion:
        """Give the criterion of an attribute.

        Raises:
            Refused: The specification has none of that name.
        """
        for one in self.criteria:
            if one.attribute == attribute:
                return one
        raise Refused(
            "attribute-unknown",
            what=f"attribute of specification {self.heading.id}",
            found=attribute,
            limit=", ".join(one.attribute for one in self.criteria),
            remedy="choose an attribute of the specification",
        )

    def judge(
        self,
        results: Mapping[str, Result],
        *,
        stage: Stage = Stage.RELEASE,
        level: Level | None = None,
    ) -> dict[str, Verdict]:
        """Judge every criterion of a stage; a result that is missing is inconclusive.

        Args:
            results: By attribute.
            stage: Which criteria count.
            level: Only those of this level; None for all levels.

        Raises:
            Refused: A result for an attribute that the specification does not have.
        """
        for attribute in results:
            self.criterion(attribute)
        verdicts = {}
        for one in self.criteria:
            if one.stage is not stage or level not in {None, one.level}:
                continue
            found = results.get(one.attribute)
            verdicts[one.attribute] = evaluate(one, found) if found else _missing(one)
        return verdicts


def overall(verdicts: Mapping[str, Verdict]) -> Outcome:
    """Give the worst of several verdicts: fail, inconclusive, warning, pass; none is inconclusive.

    An empty set of verdicts proves nothing, so it is inconclusive rather than a pass.
    """
    found = {verdict.outcome for verdict in verdicts.values()}
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARNING, Outcome.PASS):
        if outcome in found:
            return outcome
    return Outcome.INCONCLUSIVE


def _missing(criterion: Criterion) -> Verdict:
    return Verdict(
        outcome=Outcome.INCONCLUSIVE,
        reasons=(f"There is no result for {criterion.attribute}.",),
        compared=f"no result; limit {criterion.limit_text}",
    )


def _decimals_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _word(text: str) -> str:
    return " ".join(text.casefold().split())


def _malformed(what: str, found: str, limit: str, remedy: str = "correct it") -> Refused:
    return Refused(
        "criterion-malformed",
        what=what,
        found=found,
        limit=limit,
        remedy=remedy,
        rule="definition schema",
    )
