"""Expressions of calculations: a small piece of arithmetic in Python's notation.

The text is read as a syntax tree of which only the listed nodes are allowed; it is never executed
as code. Text in quotes is a constant with its unit (`"5 [EU]/kg/h"`). Functions: `min`, `max`,
`abs`, and of pure numbers `floor`, `ceil`, `log2` and `log10` (the logarithms, which no fraction
holds, to 34 significant digits). Choice: `a if x > y else b`.
"""

import ast
import functools
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import TypeAlias

from anlage.base import Problem, Quantity, Refused, scale_of

from .rounding import exact

EXPRESSION_MAX = 2000
NODES_MAX = 300
POWER_MAX = 6
BITS_MAX = 20_000
FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "log2", "log10")
_PURE = frozenset({"floor", "ceil", "log2", "log10"})

Parsed: TypeAlias = ast.expr
Dimension: TypeAlias = tuple[tuple[str, int], ...]
_NONE: Dimension = ()


@functools.lru_cache(maxsize=512)
def parse(text: str, place: str) -> Parsed:
    """Parse an expression and refuse every node that is not arithmetic.

    Raises:
        Refused: With the part that is not allowed; `place` says where the expression stands.
    """
    if len(text) > EXPRESSION_MAX:
        raise malformed(place, f"{len(text)} characters", f"{EXPRESSION_MAX}", "split into steps")
    joined = " ".join(text.split())
    try:
        tree = ast.parse(joined, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise malformed(place, joined[:60], "arithmetic", "correct the expression") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > NODES_MAX:
        raise malformed(place, f"{len(nodes)} parts", f"{NODES_MAX}", "split into steps")
    for node in nodes:
        if isinstance(node, ast.Constant):
            _constant(node, place, joined)
        elif not isinstance(node, _ALLOWED):
            raise malformed(
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
        raise malformed(
            place, repr(node.value)[:40], "a number or a quantity in quotes", "correct it"
        )
    source = ast.get_source_segment(text, node) or ""
    try:
        quantity = Quantity.parse(
            node.value if isinstance(node.value, str) else source.replace("_", "")
        )
    except Refused as refusal:
        raise malformed(
            place, source[:60], "a number or a quantity in quotes", refusal.problem.remedy or ""
        ) from refusal
    if scale_of(quantity.unit).offset:
        raise malformed(place, str(quantity), "a unit whose zero is zero", "write it in K")
    node.value = quantity  # type: ignore[assignment]


def _quantity(node: ast.Constant) -> Quantity:
    value: object = node.value
    if not isinstance(value, Quantity):
        raise TypeError("a constant is made exact before it is used")
    return value


def dimension_of(node: ast.expr, known: Mapping[str, Dimension], place: str) -> Dimension:
    """Give the dimension of an expression, refusing sums and comparisons of unlike things.

    Raises:
        Refused: Two unlike things, an unknown name, a function used wrongly, a power that varies.
    """

    def of(inner: ast.expr) -> Dimension:
        return dimension_of(inner, known, place)

    def alike(*inner: ast.expr) -> Dimension:
        first, *others = [of(one) for one in inner]
        for other in others:
            if other != first:
                raise malformed(
                    place,
                    f"{words_of(first)} with {words_of(other)}",
                    "two of the same kind",
                    "correct the units",
                )
        return first

    match node:
        case ast.Constant():
            return scale_of(_quantity(node).unit).kind
        case ast.Name():
            if node.id not in known:
                raise malformed(place, node.id, ", ".join(known), "declare it as an input")
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
    raise malformed(place, type(node).__name__, "arithmetic", "correct the expression")


def _must_be_question(node: ast.expr, place: str) -> None:
    if not isinstance(node, ast.Compare | ast.BoolOp):
        raise malformed(place, "a value as condition", "a comparison", "write x > 0")


def _call_dimension(
    node: ast.Call,
    of: Callable[[ast.expr], Dimension],
    alike: Callable[..., Dimension],
    place: str,
) -> Dimension:
    name = node.func.id if isinstance(node.func, ast.Name) else "?"
    if name not in FUNCTIONS or node.keywords:
        raise malformed(place, f"{name}()", ", ".join(FUNCTIONS), "use one of these")
    is_many = name in {"min", "max"}
    if (len(node.args) != 1 and not is_many) or (is_many and len(node.args) < 2):
        raise malformed(
            place, f"{name} of {len(node.args)}", "2 or more" if is_many else "1", "fix"
        )
    kind = alike(*node.args)
    if name in _PURE and kind != _NONE:
        raise malformed(
            place, f"{name} of {words_of(kind)}", "a pure number", "divide by a unit first"
        )
    return kind


def _power(node: ast.expr, place: str) -> int:
    sign = 1
    while isinstance(node, ast.UnaryOp):
        sign, node = sign * (-1 if isinstance(node.op, ast.USub) else 1), node.operand
    value = _quantity(node) if isinstance(node, ast.Constant) else None
    if value is None or value.unit != "1" or value.value != int(value.value):
        raise malformed(place, "a power that varies", "a whole number", "write it out")
    if abs(value.value) > POWER_MAX:
        raise malformed(place, f"power {value.value}", f"at most {POWER_MAX}", "write it out")
    return sign * int(value.value)


def names_in(tree: Parsed) -> set[str]:
    """Give the names that an expression uses."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def evaluate(node: ast.expr, known: Mapping[str, Fraction]) -> Fraction:
    """Give the exact value of a checked expression, in base units; 1 or 0 for true and false."""

    def of(inner: ast.expr) -> Fraction:
        return evaluate(inner, known)

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


def words_of(kind: Dimension) -> str:
    """Give a dimension in words."""
    words = [f"{name.strip('[]')}{'' if size == 1 else f'^{size}'}" for name, size in kind]
    return " ".join(words) or "a pure number"


def malformed(place: str, found: str, limit: str, remedy: str) -> Refused:
    """Give the refusal of a calculation that is not written as it must be."""
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
