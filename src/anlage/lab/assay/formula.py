"""A written formula becomes a tape that computes its value and its exact derivatives.

`y = b1*(1-exp(-b2*x))` is read once; every partial derivative is formed symbolically on the same
tape, equal parts are shared, and the tape runs either in double precision over whole columns or in
50-digit decimal arithmetic row by row. No code is ever evaluated: names are looked up in a closed
list, so that a formula from a stranger can do nothing but arithmetic.
"""

import decimal
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from anlage.base import Refused

FORMULA_MAX = 4000
DEPTH_MAX = 60
NODES_MAX = 4000
PARAMETERS_MAX = 40
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")

Array = NDArray[np.float64]

_FUNCTIONS = {
    "exp": "exp",
    "log": "log",
    "ln": "log",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arctan": "atan",
    "atan": "atan",
    "sqrt": "sqrt",
}
_VARIABLE = re.compile(r"(x\d*|y|dose|response)", re.IGNORECASE)
_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eEdD][+-]?\d{1,3})?|\.\d+(?:[eEdD][+-]?\d{1,3})?)"
    r"|([A-Za-z_]\w{0,30})|(\*\*|[-+*/^()\[\]]))"
)


@dataclass(frozen=True, slots=True)
class _Node:
    op: str
    left: int = -1
    right: int = -1
    number: Decimal = Decimal(0)
    name: str = ""


class Formula:
    """A function of variables and parameters with all its first derivatives.

    Attributes:
        text: The formula as written.
        parameters: Names of the parameters, in order (by number where all are `b1`, `b2` …).
        variables: Names of the variables (`x`, or `x1`, `x2` …), in order.

    Example:
        >>> Formula("b1*(1-exp(-b2*x))").parameters
        ('b1', 'b2')
    """

    def __init__(self, text: str) -> None:
        """Read the formula.

        Raises:
            Refused: It is no formula, is too long, or names an unknown function.
        """
        if len(text) > FORMULA_MAX:
            raise _refused(f"{len(text)} characters", f"at most {FORMULA_MAX} characters")
        self.text = text.strip()
        self._nodes: list[_Node] = []
        self._index: dict[_Node, int] = {}
        parser = _Parser(self.text, self)
        self._root = parser.read()
        names = {node.name for node in self._nodes if node.op == "par"}
        if len(names) > PARAMETERS_MAX:
            raise _refused(f"{len(names)} parameters", f"at most {PARAMETERS_MAX} parameters")
        self.parameters = tuple(sorted(names, key=_natural))
        self.variables = tuple(
            sorted({node.name for node in self._nodes if node.op == "var"}, key=_natural)
        )
        self._memo: dict[tuple[int, str], int] = {}
        self._first = [self._derive(self._root, name) for name in self.parameters]
        self.linear = self._linear_parameters()

    def value(self, variables: Mapping[str, Array], theta: Array) -> Array:
        """Give the value in each row; not-a-number where it has none."""
        return self._spread(self._run(variables, theta)[self._root], variables)

    def gradient(self, variables: Mapping[str, Array], theta: Array) -> tuple[Array, Array]:
        """Give the value in each row and the matrix of derivatives, rows by parameters."""
        tape = self._run(variables, theta)
        columns = [self._spread(tape[node], variables) for node in self._first]
        return self._spread(tape[self._root], variables), np.column_stack(columns)

    def curvature(self, variables: Mapping[str, Array], theta: Array, weight: Array) -> Array:
        """Give the sum over the rows of weight times the matrix of second derivatives."""
        count = len(self.parameters)
        second = [
            [self._derive(node, self.parameters[j]) for j in range(count)] for node in self._first
        ]
        tape = self._run(variables, theta)
        result = np.zeros((count, count))
        for i in range(count):
            for j in range(i + 1):
                part = self._spread(tape[second[i][j]], variables)
                result[i, j] = result[j, i] = float(np.nansum(part * weight))
        return result

    def exactly(
        self, variables: Mapping[str, Decimal], theta: Sequence[Decimal], context: decimal.Context
    ) -> tuple[Decimal, list[Decimal]]:
        """Give the value and the derivatives of one row in the context's precision."""
        known = dict(zip(self.parameters, theta, strict=True))
        tape: list[Decimal] = []
        for node in self._nodes:
            match node.op:
                case "num":
                    tape.append(node.number)
                case "par":
                    tape.append(known[node.name])
                case "var":
                    tape.append(variables[node.name])
                case _:
                    right = tape[node.right] if node.right >= 0 else Decimal(0)
                    tape.append(_exact(node.op, tape[node.left], right, context))
        return tape[self._root], [tape[node] for node in self._first]

    @property
    def cost(self) -> int:
        """Steps of the tape: what one row costs."""
        return len(self._nodes)

    def add(self, op: str, left: int = -1, right: int = -1) -> int:
        """Put one step on the tape, or give the equal one that stands there already."""
        return self._put(self._simplified(op, left, right))

    def number(self, value: Decimal) -> int:
        """Put a number on the tape."""
        return self._put(_Node("num", number=value))

    def named(self, name: str) -> int:
        """Put a variable or parameter on the tape."""
        if name.lower() == "pi":
            return self.number(PI)
        is_variable = _VARIABLE.fullmatch(name)
        return self._put(_Node("var" if is_variable else "par", name=name))

    def _put(self, node: _Node | int) -> int:
        if isinstance(node, int):
            return node
        if node not in self._index:
            if len(self._nodes) >= NODES_MAX:
                raise _refused("a formula too long to derive", f"{NODES_MAX} steps")
            self._index[node] = len(self._nodes)
            self._nodes.append(node)
        return self._index[node]

    def _simplified(self, op: str, left: int, right: int) -> _Node | int:
        zero_left, zero_right = self._is(left, 0), self._is(right, 0)
        one_left, one_right = self._is(left, 1), self._is(right, 1)
        if op == "add" and (zero_left or zero_right):
            return right if zero_left else left
        if op == "sub" and zero_right:
            return left
        if op == "sub" and zero_left:
            return _Node("neg", right)
        if op == "mul" and (zero_left or zero_right):
            return self.number(Decimal(0))
        if op == "mul" and (one_left or one_right):
            return right if one_left else left
        if op == "div" and zero_left:
            return left
        if (op in {"div", "pow"} and one_right) or (op == "neg" and zero_left):
            return left
        if op == "pow" and zero_right:
            return self.number(Decimal(1))
        return _Node(op, left, right)

    def _is(self, index: int, value: int) -> bool:
        return index >= 0 and self._nodes[index].op == "num" and self._nodes[index].number == value

    def _derive(self, index: int, name: str) -> int:
        key = (index, name)
        if key not in self._memo:
            self._memo[key] = self._derivative(index, name)
        return self._memo[key]

    def _derivative(self, index: int, name: str) -> int:
        node = self._nodes[index]
        u, v = node.left, node.right
        if node.op in {"num", "var"}:
            return self.number(Decimal(0))
        if node.op == "par":
            return self.number(Decimal(1 if node.name == name else 0))
        du = self._derive(u, name)
        dv = self._derive(v, name) if v >= 0 else -1
        add, number = self.add, self.number
        match node.op:
            case "add" | "sub":
                return add(node.op, du, dv)
            case "neg":
                return add("neg", du)
            case "mul":
                return add("add", add("mul", du, v), add("mul", u, dv))
            case "div":
                return add("sub", add("div", du, v), add("div", add("mul", index, dv), v))
            case "pow":
                below = add("pow", u, add("sub", v, number(Decimal(1))))
                if self._nodes[v].op == "num":
                    below = add("pow", u, number(self._nodes[v].number - 1))
                by_base = add("mul", add("mul", v, below), du)
                if self._is(dv, 0):  # a negative base has a power, but no logarithm
                    return by_base
                return add("add", by_base, add("mul", add("powlog", u, v), dv))
            case "powlog":  # d(u^v ln u): the logarithm of a zero base is met only with v > 0
                ln = add("log", u)
                below = add("pow", u, add("sub", v, number(Decimal(1))))
                inner = add("add", add("mul", v, ln), number(Decimal(1)))
                by_base = add("mul", add("mul", below, inner), du)
                return add("add", by_base, add("mul", add("mul", index, ln), dv))
            case "exp":
                return add("mul", index, du)
            case "log":
                return add("div", du, u)
            case "sin":
                return add("mul", add("cos", u), du)
            case "cos":
                return add("neg", add("mul", add("sin", u), du))
            case "tan":
                square = add("pow", index, number(Decimal(2)))
                return add("mul", add("add", square, number(Decimal(1))), du)
            case "atan":
                square = add("pow", u, number(Decimal(2)))
                return add("div", du, add("add", square, number(Decimal(1))))
            case _:  # sqrt
                return add("div", du, add("mul", number(Decimal(2)), index))

    def _linear_parameters(self) -> tuple[int, ...]:
        """Give a largest set of parameters (greedily) in which the formula is jointly linear."""
        chosen: list[int] = []
        for i, name in enumerate(self.parameters):
            mates = [self.parameters[j] for j in (*chosen, i)]
            if all(self._is(self._derive(self._first[i], mate), 0) for mate in mates) and all(
                self._is(self._derive(self._first[j], name), 0) for j in chosen
            ):
                chosen.append(i)
        return tuple(chosen)

    def _run(self, variables: Mapping[str, Array], theta: Array) -> list[Array | float]:
        known = dict(zip(self.parameters, theta.tolist(), strict=True))
        tape: list[Array | float] = []
        with np.errstate(all="ignore"):
            for node in self._nodes:
                match node.op:
                    case "num":
                        tape.append(np.float64(node.number))
                    case "par":
                        tape.append(np.float64(known[node.name]))
                    case "var":
                        tape.append(variables[node.name])
                    case _:
                        right = tape[node.right] if node.right >= 0 else 0.0
                        tape.append(_floating(node.op, tape[node.left], right))
        return tape

    @staticmethod
    def _spread(value: Array | float, variables: Mapping[str, Array]) -> Array:
        rows = len(next(iter(variables.values())))
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (rows,))


def _floating(op: str, u: Array | float, v: Array | float) -> Array:
    match op:
        case "add":
            result = np.add(u, v)
        case "sub":
            result = np.subtract(u, v)
        case "mul":
            result = np.multiply(u, v)
        case "div":
            result = np.divide(u, v)
        case "neg":
            result = np.negative(u)
        case "pow":
            result = np.power(u, v)
        case "powlog":
            result = np.where(np.equal(u, 0.0), 0.0, np.power(u, v) * np.log(u))
        case "atan":
            result = np.arctan(u)
        case _:
            result = getattr(np, op)(u)
    return np.asarray(result, dtype=np.float64)


def _exact(op: str, u: Decimal, v: Decimal, context: decimal.Context) -> Decimal:
    match op:
        case "add":
            return context.add(u, v)
        case "sub":
            return context.subtract(u, v)
        case "mul":
            return context.multiply(u, v)
        case "div":
            return context.divide(u, v)
        case "neg":
            return context.minus(u)
        case "pow":
            if not u and not v:
                return Decimal(1)
            return context.power(u, v)
        case "powlog":
            return context.multiply(context.power(u, v), context.ln(u)) if u else Decimal(0)
        case "exp":
            return context.exp(u)
        case "log":
            return context.ln(u)
        case "sqrt":
            return context.sqrt(u)
        case "sin":
            return _sine(u, context)
        case "cos":
            return _sine(context.add(u, context.divide(PI, Decimal(2))), context)
        case "tan":
            cosine = _sine(context.add(u, context.divide(PI, Decimal(2))), context)
            return context.divide(_sine(u, context), cosine)
        case _:
            return _arctangent(u, context)


def _sine(angle: Decimal, context: decimal.Context) -> Decimal:
    """Give the sine by its series, after taking off whole turns (angles to 1e15 keep 50 digits)."""
    turn = context.multiply(PI, Decimal(2))
    angle = context.remainder_near(angle, turn)
    square = context.multiply(angle, angle)
    term = total = angle
    k = 1
    while term and term.adjusted() > total.adjusted() - context.prec - 2 and k < 400:
        term = context.divide(
            context.multiply(context.minus(term), square), Decimal((k + 1) * (k + 2))
        )
        total = context.add(total, term)
        k += 2
    return total


def _arctangent(value: Decimal, context: decimal.Context) -> Decimal:
    """Give the arc tangent by its series, after three halvings of the angle."""
    if abs(value) > 1:
        half = context.divide(PI.copy_sign(value), Decimal(2))
        return context.subtract(half, _arctangent(context.divide(Decimal(1), value), context))
    for _ in range(3):
        root = context.sqrt(context.add(Decimal(1), context.multiply(value, value)))
        value = context.divide(value, context.add(Decimal(1), root))
    square = context.minus(context.multiply(value, value))
    power = total = value
    k = 1
    while power and power.adjusted() > total.adjusted() - context.prec - 2 and k < 800:
        power = context.multiply(power, square)
        k += 2
        total = context.add(total, context.divide(power, Decimal(k)))
    return context.multiply(total, Decimal(8))


class _Parser:
    """Reads sums of products of powers; `**` binds closer than a minus sign in front of it."""

    def __init__(self, text: str, formula: Formula) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._formula = formula

    def read(self) -> int:
        node = self._sum(0)
        if self._at < len(self._tokens):
            raise _refused(repr(self._tokens[self._at]), "an operator or the end")
        return node

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _sum(self, depth: int) -> int:
        if depth > DEPTH_MAX:
            raise _refused("parentheses too deep", f"{DEPTH_MAX} levels")
        node = self._product(depth)
        while self._peek() in {"+", "-"}:
            op = "add" if self._take() == "+" else "sub"
            node = self._formula.add(op, node, self._product(depth))
        return node

    def _product(self, depth: int) -> int:
        node = self._signed(depth)
        while self._peek() in {"*", "/"}:
            op = "mul" if self._take() == "*" else "div"
            node = self._formula.add(op, node, self._signed(depth))
        return node

    def _signed(self, depth: int) -> int:
        sign = 1
        while self._peek() in {"+", "-"}:
            sign = -sign if self._take() == "-" else sign
        node = self._power(depth)
        return node if sign > 0 else self._formula.add("neg", node)

    def _power(self, depth: int) -> int:
        if depth > DEPTH_MAX:
            raise _refused("powers too deep", f"{DEPTH_MAX} levels")
        node = self._atom(depth)
        if self._peek() in {"**", "^"}:
            self._take()
            sign = 1
            while self._peek() in {"+", "-"}:
                sign = -sign if self._take() == "-" else sign
            exponent = self._power(depth + 1)
            node = self._formula.add("pow", node, self._negated(exponent, sign))
        return node

    def _negated(self, node: int, sign: int) -> int:
        if sign > 0:
            return node
        inner = self._formula._nodes[node]
        if inner.op == "num":
            return self._formula.number(-inner.number)
        return self._formula.add("neg", node)

    def _atom(self, depth: int) -> int:
        token = self._take()
        if token in {"(", "["}:
            node = self._sum(depth + 1)
            if self._take() != {"(": ")", "[": "]"}[token]:
                raise _refused("an open parenthesis", "one that is closed")
            return node
        if token[:1].isdigit() or token[:1] == ".":
            return self._formula.number(Decimal(re.sub("[dD]", "e", token)))
        if not token or not (token[0].isalpha() or token[0] == "_"):
            raise _refused(repr(token) if token else "its end", "a number, name or parenthesis")
        if self._peek() in {"(", "["}:
            function = _FUNCTIONS.get(token.lower())
            if function is None:
                raise _refused(f"function {token}", f"one of {', '.join(sorted(_FUNCTIONS))}")
            return self._formula.add(function, self._atom(depth + 1))
        return self._formula.named(token)


def _tokens(text: str) -> list[str]:
    at, found = 0, []
    while at < len(text):
        if text[at:].isspace():
            break
        match = _TOKEN.match(text, at)
        if not match:
            raise _refused(repr(text[at : at + 12]), "numbers, names and + - * / ** ( )")
        found.append(match[1] or match[2] or match[3])
        at = match.end()
    if not found:
        raise _refused("nothing", "a formula such as b1*(1-exp(-b2*x))")
    return found


def _natural(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*?)(\d*)", name)
    return (match[1], int(match[2] or 0)) if match else (name, 0)


def _refused(found: str, limit: str) -> Refused:
    return Refused(
        "formula-unreadable",
        what="formula of the curve",
        found=found,
        limit=limit,
        remedy="write it with + - * / ** and exp, log, sin, cos, tan, atan, sqrt",
    )
