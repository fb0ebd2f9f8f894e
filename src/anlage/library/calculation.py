"""Calculations: versioned, unit-aware and pure, with inputs by reference and an independent check.

All arithmetic is on exact fractions in base units, so nothing is lost between steps; the result is
rounded once, by the rule that the definition states. Dimensions and worked examples are checked
when the definition is read: a calculation that adds millilitres to cells, or does not give its own
example, never becomes effective. How expressions are written stands in `expression.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Self

from anlage.base import Quantity, Refused, scale_of

from . import expression as arithmetic
from .expression import FUNCTIONS, Parsed, dimension_of, malformed, parse, words_of
from .fields import Content, Fields, Heading, Reference, read_with
from .rounding import Rounding, exact, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A value that a calculation needs.

    Attributes:
        name: Its name in the expression.
        unit: The unit in which it is shown; any unit of the same kind may be given.
        title: What it is, in words.
        reference: Where it comes from, by name ("reading:viable-cells", "material:titre").
        least: The least plausible value; below it the calculation is refused.
        most: The greatest plausible value.
    """

    name: str
    unit: str
    title: str = ""
    reference: str = ""
    least: Quantity | None = None
    most: Quantity | None = None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one input from a list of them."""
        one = cls(
            name=fields.name("name"),
            unit=fields.unit("unit"),
            title=fields.text("title", ""),
            reference=fields.text("reference", ""),
            least=fields.quantity("least"),
            most=fields.quantity("most"),
        )
        _check_bounds(one.unit, one.least, one.most)
        return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A named intermediate value, so that a long calculation can be read and checked."""

    name: str
    expression: str
    title: str = ""

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one step from a list of them."""
        return cls(
            name=fields.name("name"),
            expression=fields.text("expression"),
            title=fields.text("title", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the result is stated.

    Attributes:
        unit: Its unit.
        decimals: To how many decimals.
        rounding: By which rule.
        least: The least plausible result.
        most: The greatest plausible result.
    """

    unit: str
    decimals: int = 0
    rounding: Rounding = Rounding.HALF_UP
    least: Quantity | None = None
    most: Quantity | None = None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read how the result is stated."""
        rounding = fields.enum("rounding", Rounding, Rounding.HALF_UP)
        one = cls(
            unit=fields.unit("unit"),
            decimals=fields.whole("decimals", 0, most=12) if fields.has("decimals") else 0,
            rounding=rounding,
            least=fields.quantity("least"),
            most=fields.quantity("most"),
        )
        _check_bounds(one.unit, one.least, one.most)
        return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example that the definition must reproduce before it can be approved."""

    inputs: Mapping[str, Quantity]
    result: Quantity

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one worked example."""
        inputs = {
            name: Quantity.parse(str(value)) for name, value in fields.table("inputs").items()
        }
        return cls(inputs=inputs, result=fields.quantity("result") or Quantity.of(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """A calculation done once: what went in, every step, what came out.

    Attributes:
        calculation: Identifier of the definition.
        inputs: By name, as given.
        steps: Name and value of each intermediate step, to 28 digits in base units.
        unrounded: The result before rounding, to 28 digits.
        result: The result as stated.
    """

    calculation: str
    inputs: Mapping[str, Quantity]
    steps: tuple[tuple[str, Decimal], ...]
    unrounded: Quantity
    result: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether an independent second result agrees with the first.

    Attributes:
        agrees: Whether it does.
        difference: How far apart they are, in the result's unit.
        tolerance: How far apart they may be.
        sentence: The same in words.
    """

    agrees: bool
    difference: Quantity
    tolerance: Quantity
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """A calculation as defined.

    Attributes:
        heading: Identifier, title and basis.
        inputs: What it needs.
        expression: The arithmetic.
        answer: How the result is stated.
        steps: Named intermediate values, in order; each may use those before it.
        tolerance: How far an independent result may lie off; None for the same decimals exactly.
        examples: Worked examples; at least one.
    """

    heading: Heading
    inputs: tuple[Input, ...]
    expression: str
    answer: Answer
    steps: tuple[Step, ...] = ()
    tolerance: Quantity | None = None
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        names = [*(one.name for one in self.inputs), *(one.name for one in self.steps)]
        taken = (*FUNCTIONS, "expression")
        if twice := sorted({name for name in names if names.count(name) > 1 or name in taken}):
            raise malformed(
                "names", ", ".join(twice), "each name once, and no function's", "rename"
            )
        known = {one.name: scale_of(one.unit).kind for one in self.inputs}
        used: set[str] = set()
        for place, text in self._expressions:
            tree = parse(text, place)
            kind = dimension_of(tree, known, place)
            known[place] = kind
            used |= arithmetic.names_in(tree)
        wanted = scale_of(self.answer.unit).kind
        if kind != wanted:
            raise malformed(
                "expression", words_of(kind), words_of(wanted), f"make it give {self.answer.unit}"
            )
        if idle := [name for name in names if name not in used]:
            raise malformed("inputs", ", ".join(idle), "only what is used", "use or remove it")
        if self.tolerance is not None:
            self.tolerance.to(self.answer.unit)
        self._check_examples()

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a calculation from its content; its worked examples are computed.

        Raises:
            Refused: With every problem and its path: syntax, units, dimensions, examples.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a calculation."""
        return cls(
            heading=fields.heading("calculation"),
            inputs=fields.each("inputs", Input.from_fields, least=1, unique="name"),
            steps=fields.each("steps", Step.from_fields, unique="name"),
            expression=fields.text("expression"),
            answer=fields.group("result", Answer.from_fields) or _no_answer(fields),
            tolerance=fields.quantity("tolerance"),
            examples=fields.each("examples", Example.from_fields, least=1),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """A calculation names no other definition."""
        return ()

    def compute(self, values: Mapping[str, Quantity]) -> Quantity:
        """Give the result, rounded once as the definition says.

        Raises:
            Refused: An input is missing, unknown, of another kind or not plausible; a division by
                zero; a result that is not plausible.
        """
        return self.trace(values).result

    def trace(self, values: Mapping[str, Quantity]) -> Computation:
        """Give the result with everything that led to it, for the record.

        Raises:
            Refused: As `compute`.
        """
        known = self._checked(values)
        steps = []
        for place, text in self._expressions:
            known[place] = value = self._value(parse(text, place), known)
            if place != "expression":
                steps.append((place, rounded(value, 0, Rounding.NONE)))
        unit, decimals = self.answer.unit, self.answer.decimals
        stated = scale_of(unit).from_base(known["expression"])
        result = Quantity(rounded(stated, decimals, self.answer.rounding), unit)
        self._check_plausible("result", result, self.answer.least, self.answer.most)
        return Computation(
            calculation=self.heading.id,
            inputs=dict(values),
            steps=tuple(steps),
            unrounded=Quantity(rounded(stated, 0, Rounding.NONE), unit),
            result=result,
        )

    def check(self, result: Quantity, other: Quantity) -> Agreement:
        """Compare the result with one that somebody worked out independently.

        Raises:
            Refused: The other result is in a unit of another kind.
        """
        unit = self.answer.unit
        mine, theirs = Fraction(result.to(unit).value), Fraction(other.to(unit).value)
        allowed = self.tolerance.to(unit) if self.tolerance else Quantity.of(0, unit)
        apart = abs(mine - theirs)
        difference = Quantity(rounded(apart, 0, Rounding.NONE), unit)
        agrees = apart <= Fraction(allowed.value)
        verb = "agrees with" if agrees else "does not agree with"
        return Agreement(
            agrees=agrees,
            difference=difference,
            tolerance=allowed,
            sentence=f"{other} {verb} {result}: they are {difference} apart, {allowed} is allowed.",
        )

    @property
    def _expressions(self) -> list[tuple[str, str]]:
        return [
            *((one.name, one.expression) for one in self.steps),
            ("expression", self.expression),
        ]

    def _checked(self, values: Mapping[str, Quantity]) -> dict[str, Fraction]:
        wanted = {one.name: one for one in self.inputs}
        missing, strange = wanted.keys() - values.keys(), values.keys() - wanted.keys()
        if missing or strange:
            raise Refused(
                "calculation-inputs",
                what=f"inputs of calculation {self.heading.id}",
                found=", ".join(sorted(values)) or "none",
                limit=", ".join(wanted),
                remedy=f"give {', '.join(sorted(missing))}"
                if missing
                else f"leave out {', '.join(sorted(strange))}",
            )
        for name, one in wanted.items():
            values[name].to(one.unit)
            self._check_plausible(name, values[name], one.least, one.most)
        return {name: exact(values[name]) for name in wanted}

    def _check_plausible(
        self, name: str, found: Quantity, least: Quantity | None, most: Quantity | None
    ) -> None:
        too_small = least is not None and found.compare(least) < 0
        if too_small or (most is not None and found.compare(most) > 0):
            raise Refused(
                "calculation-implausible",
                what=f"{name} of calculation {self.heading.id}",
                found=found,
                limit=f"{least or 'any value'} to {most or 'any value'}",
                remedy="check the value and its unit",
                rule=self.heading.id,
            )

    def _value(self, tree: Parsed, known: Mapping[str, Fraction]) -> Fraction:
        try:
            return arithmetic.evaluate(tree, known)
        except ZeroDivisionError as error:
            raise Refused(
                "calculation-undefined",
                what=f"calculation {self.heading.id}",
                found="a division by zero, or the logarithm of nothing",
                limit="a divisor other than zero, a logarithm of more than zero",
                remedy="check the inputs",
                rule=self.heading.id,
            ) from error

    def _check_examples(self) -> None:
        for at, one in enumerate(self.examples):
            found = self.compute(one.inputs)
            if found.compare(one.result):
                raise malformed(f"examples[{at}].result", str(found), str(one.result), "correct it")


def _no_answer(fields: Fields) -> Answer:
    if not fields.has("result"):
        fields.wrong("result", "nothing", "unit and decimals", "add the key result")
    return Answer(unit="1")


def _check_bounds(unit: str, least: Quantity | None, most: Quantity | None) -> None:
    for name, bound in (("least", least), ("most", most)):
        if bound is not None and scale_of(bound.unit).kind != scale_of(unit).kind:
            raise malformed(name, str(bound), f"a unit that converts to {unit}", "correct it")
    if least is not None and most is not None and least.compare(most) > 0:
        raise malformed("least", str(least), f"at most {most}", "exchange them")
