"""Calculations: versioned, pure expressions over quantities with units.

An expression is a small piece of arithmetic in Python's notation, read as a syntax tree of which
only the listed nodes are allowed; it is never executed as code. All arithmetic is on exact
fractions in base units, so nothing is lost between steps; the result is rounded once, by the rule
that the definition states. Dimensions are checked when the definition is read: an expression that
adds millilitres to cells never becomes effective.

Text in quotes is a constant with its unit (`"5 [EU]/kg/h"`). Functions: `min`, `max`, `abs`, and
of pure numbers `floor`, `ceil`, `log2` and `log10` (the logarithms, which no fraction holds, to 34
significant digits). Choice: `a if x > y else b`.
"""

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Self, TypeAlias

from anlage.base import Problem, Quantity, Refused, scale_of

from .fields import Content, Fields, Heading, Reference, read_with
from .rounding import Rounding, exact, rounded

EXPRESSION_MAX = 2000
NODES_MAX = 300
POWER_MAX = 6
BITS_MAX = 20_000
FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "log2", "log10")
_PURE = frozenset({"floor", "ceil", "log2", "log10"})

Dimension: TypeAlias = tuple[tuple[str, int], ...]
_NONE: Dimension = ()


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
            raise _malformed(
                "names", ", ".join(twice), "each name once, and no function's", "rename"
            )
        known = {one.name: scale_of(one.unit).kind for one in self.inputs}
        used: set[str] = set()
        for place, text in self._expressions:
            tree = _tree(text, place)
            kind = _dimension(tree, known, place)
            known[place] = kind
            used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        wanted = scale_of(self.answer.unit).kind
        if kind != wanted:
            raise _malformed(
                "expression", _shown(kind), _shown(wanted), f"make it give {self.answer.unit}"
            )
        if idle := [name for name in names if name not in used]:
            raise _malformed("inputs", ", ".join(idle), "only what is used", "use or remove it")
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
            known[place] = value = self._value(_tree(text, place), known)
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

    def _value(self, tree: ast.expr, known: Mapping[str, Fraction]) -> Fraction:
        try:
            return _evaluate(tree, known)
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
                raise _malformed(
                    f"examples[{at}].result", str(found), str(one.result), "correct it"
                )


def _no_answer(fields: Fields) -> Answer:
    if not fields.has("result"):
        fields.wrong("result", "nothing", "unit and decimals", "add the key result")
    return Answer(unit="1")


def _check_bounds(unit: str, least: Quantity | None, most: Quantity | None) -> None:
    for name, bound in (("least", least), ("most", most)):
        if bound is not None and scale_of(bound.unit).kind != scale_of(unit).kind:
            raise _malformed(name, str(bound), f"a unit that converts to {unit}", "correct it")
    if least is not None and most is not None and least.compare(most) > 0:
        raise _malformed("least", str(least), f"at most {most}", "exchange them")


# The syntax tree ---------------------------------------------------------------------------------


@functools.lru_cache(maxsize=512)
def _tree(text: str, place: str) -> ast.expr:
    """Parse an expression and refuse every node that is not arithmetic."""
    if len(text) > EXPRESSION_MAX:
        raise _malformed(place, f"{len(text)} characters", f"{EXPRESSION_MAX}", "split into steps")
    joined = " ".join(text.split())
    try:
        tree = ast.parse(joined, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _malformed(place, joined[:60], "arithmetic", "correct the expression") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > NODES_MAX:
        raise _malformed(place, f"{len(nodes)} parts", f"{NODES_MAX}", "split into steps")
    for node in nodes:
        if isinstance(node, ast.Constant):
            _constant(node, place, joined)
        elif not isinstance(node, _ALLOWED):
            raise _malformed(
                place,
                f"{type(node).__name__} in {joined[:60]}",
                "+ - * / **, comparisons, if-else, " + ", ".join(FUNCTIONS),
                "write it with these",
            )
    return tree


_ALLOWED = (
    ast.Name,
    ast.Load,
    ast.BinOp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.UnaryOp,
    ast.USub,
    ast.UAdd,
    ast.IfExp,
    ast.Compare,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.Eq,
    ast.NotEq,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.Call,
)


def _constant(node: ast.Constant, place: str, text: str) -> None:
    """Put the exact quantity into a constant: a float would have lost its decimals."""
    if isinstance(node.value, Quantity):
        return
    if isinstance(node.value, bool) or not isinstance(node.value, int | float | str):
        raise _malformed(
            place, repr(node.value)[:40], "a number or a quantity in quotes", "correct it"
        )
    source = ast.get_source_segment(text, node) or ""
    try:
        quantity = Quantity.parse(
            node.value if isinstance(node.value, str) else source.replace("_", "")
        )
    except Refused as refusal:
        raise _malformed(
            place, source[:60], "a number or a quantity in quotes", refusal.problem.remedy or ""
        ) from refusal
    if scale_of(quantity.unit).offset:
        raise _malformed(place, str(quantity), "a unit whose zero is zero", "write it in K")
    node.value = quantity  # type: ignore[assignment]


def _quantity(node: ast.Constant) -> Quantity:
    value: object = node.value
    if not isinstance(value, Quantity):
        raise TypeError("a constant is made exact before it is used")
    return value


def _dimension(node: ast.expr, known: Mapping[str, Dimension], place: str) -> Dimension:
    """Give the dimension of an expression, refusing sums and comparisons of unlike things."""

    def of(inner: ast.expr) -> Dimension:
        return _dimension(inner, known, place)

    def alike(*inner: ast.expr) -> Dimension:
        first, *others = [of(one) for one in inner]
        for other in others:
            if other != first:
                raise _malformed(
                    place,
                    f"{_shown(first)} with {_shown(other)}",
                    "two of the same kind",
                    "correct the units",
                )
        return first

    match node:
        case ast.Constant():
            return scale_of(_quantity(node).unit).kind
        case ast.Name():
            if node.id not in known:
                raise _malformed(place, node.id, ", ".join(known), "declare it as an input")
            return known[node.id]
        case ast.UnaryOp():
            return of(node.operand)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return alike(node.left, node.right)
        case ast.BinOp(op=ast.Mult()):
            return _product(of(node.left), of(node.right), 1)
        case ast.BinOp(op=ast.Div()):
            return _product(of(node.left), of(node.right), -1)
        case ast.BinOp(op=ast.Pow()):
            power = _power(node.right, place)
            return tuple((name, size * power) for name, size in of(node.left) if power)
        case ast.IfExp():
            _must_be_question(node.test, place)
            of(node.test)
            return alike(node.body, node.orelse)
        case ast.Compare():
            alike(node.left, *node.comparators)
            return _NONE
        case ast.BoolOp():
            for one in node.values:
                _must_be_question(one, place)
                of(one)
            return _NONE
        case ast.Call():
            return _call_dimension(node, of, alike, place)
    raise _malformed(place, type(node).__name__, "arithmetic", "correct the expression")


def _must_be_question(node: ast.expr, place: str) -> None:
    if not isinstance(node, ast.Compare | ast.BoolOp):
        raise _malformed(place, "a value as condition", "a comparison", "write x > 0")


def _call_dimension(
    node: ast.Call,
    of: Callable[[ast.expr], Dimension],
    alike: Callable[..., Dimension],
    place: str,
) -> Dimension:
    name = node.func.id if isinstance(node.func, ast.Name) else "?"
    if name not in FUNCTIONS or node.keywords:
        raise _malformed(place, f"{name}()", ", ".join(FUNCTIONS), "use one of these")
    is_many = name in {"min", "max"}
    if (len(node.args) != 1 and not is_many) or (is_many and len(node.args) < 2):
        raise _malformed(
            place, f"{name} of {len(node.args)}", "2 or more" if is_many else "1", "fix"
        )
    kind = alike(*node.args)
    if name in _PURE and kind != _NONE:
        raise _malformed(
            place, f"{name} of {_shown(kind)}", "a pure number", "divide by a unit first"
        )
    return kind


def _power(node: ast.expr, place: str) -> int:
    sign = 1
    while isinstance(node, ast.UnaryOp):
        sign, node = sign * (-1 if isinstance(node.op, ast.USub) else 1), node.operand
    value = _quantity(node) if isinstance(node, ast.Constant) else None
    if value is None or value.unit != "1" or value.value != int(value.value):
        raise _malformed(place, "a power that varies", "a whole number", "write it out")
    if abs(value.value) > POWER_MAX:
        raise _malformed(place, f"power {value.value}", f"at most {POWER_MAX}", "write it out")
    return sign * int(value.value)


def _evaluate(node: ast.expr, known: Mapping[str, Fraction]) -> Fraction:
    """Give the exact value of a checked expression, in base units; 1 or 0 for true and false."""

    def of(inner: ast.expr) -> Fraction:
        return _evaluate(inner, known)

    match node:
        case ast.Constant():
            return exact(_quantity(node))
        case ast.Name():
            return known[node.id]
        case ast.UnaryOp():
            return -of(node.operand) if isinstance(node.op, ast.USub) else of(node.operand)
        case ast.BinOp():
            return _bounded(_binary(node, of))
        case ast.IfExp():
            return of(node.body) if of(node.test) else of(node.orelse)
        case ast.Compare():
            return Fraction(_compare(node, of))
        case ast.BoolOp():
            pick = all if isinstance(node.op, ast.And) else any
            return Fraction(pick(of(one) for one in node.values))
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, [of(one) for one in node.args])
    raise TypeError(f"{type(node).__name__} was refused when the definition was read")


def _binary(node: ast.BinOp, of: Callable[[ast.expr], Fraction]) -> Fraction:
    left = of(node.left)
    match node.op:
        case ast.Add():
            return left + of(node.right)
        case ast.Sub():
            return left - of(node.right)
        case ast.Mult():
            return left * of(node.right)
        case ast.Div():
            return left / of(node.right)
        case ast.Pow():
            return Fraction(left ** _power(node.right, "expression"))
    raise TypeError("an operator that was refused when the definition was read")


def _compare(node: ast.Compare, of: Callable[[ast.expr], Fraction]) -> bool:
    left = of(node.left)
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = of(comparator)
        if not _COMPARISONS[type(operator)](left, right):
            return False
        left = right
    return True


_COMPARISONS: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


def _call(name: str, values: list[Fraction]) -> Fraction:
    match name:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "abs":
            return abs(values[0])
        case "log2" | "log10":
            return _logarithm(values[0], 2 if name == "log2" else 10)
        case "floor":
            return Fraction(values[0].numerator // values[0].denominator)
        case _:
            return Fraction(-(-values[0].numerator // values[0].denominator))


def _logarithm(value: Fraction, base: int) -> Fraction:
    if value <= 0:
        raise ZeroDivisionError("logarithm of nothing")
    ratio = _LOGS.divide(Decimal(value.numerator), Decimal(value.denominator))
    logarithm = _LOGS.divide(_LOGS.ln(ratio), _LOGS.ln(Decimal(base)))
    return Fraction(_LOGS_SHOWN.plus(logarithm))


_LOGS = Context(prec=50)
_LOGS_SHOWN = Context(prec=34)


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > BITS_MAX:
        raise Refused(
            "calculation-too-large",
            what="a value in a calculation",
            found="a number with thousands of digits",
            limit=f"{BITS_MAX} bits",
            remedy="check the inputs and their units",
        )
    return value


def _product(left: Dimension, right: Dimension, sign: int) -> Dimension:
    powers = dict(left)
    for name, size in right:
        powers[name] = powers.get(name, 0) + sign * size
    return tuple(sorted((name, size) for name, size in powers.items() if size))


def _shown(kind: Dimension) -> str:
    words = [f"{name.strip('[]')}{'' if size == 1 else f'^{size}'}" for name, size in kind]
    return " ".join(words) or "a pure number"


def _malformed(place: str, found: str, limit: str, remedy: str) -> Refused:
    problem = Problem(
        code="calculation-malformed",
        what=place,
        found=found,
        limit=limit,
        remedy=remedy,
        rule="definition schema",
        path=place,
    )
    return Refused.of([problem])
