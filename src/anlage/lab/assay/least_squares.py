"""Nonlinear least squares: Levenberg-Marquardt, variable projection, and exact refinement.

The search runs in double precision: Levenberg-Marquardt with Moré's scaling (Lecture Notes in
Mathematics 630, 1978) on all parameters, and the same on the nonlinear ones alone with the linear
ones projected out (Golub and Pereyra 1973, in Kaufman's form, BIT 15, 1975). The better of the two
is then refined by Newton's method in 60-digit decimal arithmetic from the numbers as they stand
in the file, so that what is printed is the least-squares solution and not its rounding error.
"""

import decimal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from .formula import Formula

Array = NDArray[np.float64]
Residuals = Callable[[Array], tuple[Array, Array]]

ITERATIONS_MAX = 1000
EXACT_DIGITS = 80
EXACT_STEPS_MAX = 40
EXACT_WORK_MAX = 3_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """Where a search ended.

    Attributes:
        theta: The parameters.
        rss: The (weighted) residual sum of squares there; infinite when the start has no value.
        residuals: Weighted residuals, model minus observed.
        jacobian: Their derivatives.
        iterations: Steps tried.
        converged: True when no step could lower the sum further.
    """

    theta: Array
    rss: float
    residuals: Array
    jacobian: Array
    iterations: int
    converged: bool


def descend(
    residuals: Residuals, start: Array, *, iterations: int = ITERATIONS_MAX, damping: float = 1e-3
) -> Minimum:
    """Walk from `start` to a minimum of the sum of squares by Levenberg-Marquardt.

    A step is judged by the ratio of the true to the foretold decrease; the damping falls by up to
    ten after a good step and grows after a bad one (Nielsen, IMM-REP-1999-05).
    """
    with np.errstate(all="ignore"):  # a trial step may well overflow; it is then turned back
        return _descend(residuals, np.array(start, dtype=np.float64), iterations, damping)


def _descend(residuals: Residuals, theta: Array, iterations: int, damping: float) -> Minimum:
    r, J = residuals(theta)
    rss = _sum(r, J)
    count = len(theta)
    if not np.isfinite(rss):
        return Minimum(
            theta=theta, rss=np.inf, residuals=r, jacobian=J, iterations=0, converged=False
        )
    scale = _column_norms(J)
    grow = 2.0
    tried = quiet = 0
    while tried < iterations:
        tried += 1
        D = np.where(scale > 0, scale, 1.0)
        augmented = np.vstack([J / D, np.sqrt(damping) * np.eye(count)])
        target = np.concatenate([-r, np.zeros(count)])
        step = np.linalg.lstsq(augmented, target, rcond=None)[0]
        foretold = rss - float(np.sum((r + (J / D) @ step) ** 2)) + damping * float(step @ step)
        step = step / D
        trial = theta + step
        r_new, J_new = residuals(trial)
        rss_new = _sum(r_new, J_new)
        small = float(np.max(np.abs(step) / (np.abs(theta) + 1e-300), initial=0.0)) < 1e-14
        if rss_new < rss or (rss_new == rss and small):
            gain = (rss - rss_new) / foretold if foretold > 0 else 0.0
            little = rss - rss_new <= 1e-15 * rss
            theta, r, J, rss = trial, r_new, J_new, rss_new
            scale = np.maximum(scale, _column_norms(J))
            damping *= max(0.1, 1 - (2 * gain - 1) ** 3)
            damping = max(damping, 1e-20)
            grow = 2.0
            quiet = quiet + 1 if little else 0
            if small or quiet >= 3 or rss == 0.0:
                return Minimum(
                    theta=theta, rss=rss, residuals=r, jacobian=J, iterations=tried, converged=True
                )
        else:
            if small or damping > 1e20:
                return Minimum(
                    theta=theta, rss=rss, residuals=r, jacobian=J, iterations=tried, converged=True
                )
            damping *= grow
            grow = min(grow * 2, 1e6)
    return Minimum(theta=theta, rss=rss, residuals=r, jacobian=J, iterations=tried, converged=False)


def search(
    formula: Formula, variables: Mapping[str, Array], y: Array, root_weight: Array, start: Array
) -> Minimum:
    """Give the lowest minimum that plain and projected descent reach from `start`."""

    def full(theta: Array) -> tuple[Array, Array]:
        value, J = formula.gradient(variables, theta)
        return (value - y) * root_weight, J * root_weight[:, None]

    found = [descend(full, start)]
    linear = list(formula.linear)
    bent = [i for i in range(len(formula.parameters)) if i not in formula.linear]
    if linear and bent:
        found.append(_projected(full, np.array(start, dtype=np.float64), linear, bent))
        found.append(descend(full, found[1].theta))
    elif linear:
        found.append(descend(full, _best_linear(full, np.array(start, dtype=np.float64), linear)))
    if bent and not any(minimum.converged for minimum in found):
        on_logs = _projected(full, np.array(start, dtype=np.float64), linear, bent, on_logs=True)
        found.append(descend(full, on_logs.theta))
    return min(found, key=lambda minimum: minimum.rss)


def _best_linear(full: Residuals, theta: Array, linear: list[int]) -> Array:
    """Set the linear parameters to their best values for the others as they stand.

    They are solved for from zero, not corrected: a start off by powers of ten would cancel.
    """
    if not linear:
        return theta
    plain = theta.copy()
    plain[linear] = 0.0
    r, J = full(plain)
    columns = J[:, linear]
    if np.all(np.isfinite(r)) and np.all(np.isfinite(columns)):
        scale = np.where((norms := _column_norms(columns)) > 0, norms, 1.0)
        plain[linear] = -np.linalg.lstsq(columns / scale, r, rcond=1e-15)[0] / scale
        return plain
    return theta


def _projected(
    full: Residuals, start: Array, linear: list[int], bent: list[int], *, on_logs: bool = False
) -> Minimum:
    """Descend in the nonlinear parameters alone; `on_logs` in the logarithms of their sizes.

    Logarithms suit starts that are wrong by powers of ten (MGH10); signs stay as they start.
    """
    held = start.copy()
    sign = np.where(held[bent] < 0, -1.0, 1.0)

    def placed(alpha: Array) -> Array:
        theta = held.copy()
        theta[bent] = sign * np.exp(np.clip(alpha, -700, 700)) if on_logs else alpha
        return _best_linear(full, theta, linear)

    def reduced(alpha: Array) -> tuple[Array, Array]:
        theta = placed(alpha)
        r, J = full(theta)
        if not (np.all(np.isfinite(r)) and np.all(np.isfinite(J))):
            return np.full(len(r), np.inf), np.zeros((len(r), len(bent)))
        slope = J[:, bent] * theta[bent] if on_logs else J[:, bent]
        if linear:
            columns = J[:, linear]
            scale = np.where((norms := _column_norms(columns)) > 0, norms, 1.0)
            basis = np.linalg.qr(columns / scale)[0]
            slope = slope - basis @ (basis.T @ slope)
        return r, slope

    first = np.log(np.maximum(np.abs(held[bent]), 1e-300)) if on_logs else held[bent]
    result = descend(reduced, first)
    with np.errstate(all="ignore"):
        theta = placed(result.theta)
        r, J = full(theta)
        return Minimum(
            theta=theta,
            rss=_sum(r, J),
            residuals=r,
            jacobian=J,
            iterations=result.iterations,
            converged=result.converged,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """A minimum refined in decimal arithmetic.

    Attributes:
        theta: The parameters, rounded to double precision at the very end.
        rss: The weighted residual sum of squares.
        inverse: Inverse of the weighted normal matrix.
        digits: Decimal digits on which the last two Newton steps agreed (at most 30).
    """

    theta: Array
    rss: float
    inverse: Array
    digits: int


def refine(
    formula: Formula,
    rows: Sequence[Mapping[str, Decimal]],
    y: Sequence[Decimal],
    weight: Sequence[Decimal],
    start: Array,
) -> Exact | None:
    """Refine a minimum by Newton's method in decimal arithmetic.

    The gradient and the normal matrix are exact to the context; the part of the Hessian that the
    residuals weigh comes from double precision, which only changes the number of steps.

    Returns:
        None where the work is too much, a row has no value, or the steps do not settle.
    """
    if len(rows) * formula.cost > EXACT_WORK_MAX:
        return None
    context = decimal.Context(prec=EXACT_DIGITS, Emax=10**9, Emin=-(10**9))
    context.traps[decimal.Inexact] = context.traps[decimal.Rounded] = False
    theta = [Decimal(repr(value)) for value in start.tolist()]
    floats = {name: np.array([float(row[name]) for row in rows]) for name in formula.variables} or {
        "x": np.zeros(len(rows))
    }
    is_linear = len(formula.linear) == len(formula.parameters)
    budget = EXACT_STEPS_MAX if len(rows) * formula.cost < EXACT_WORK_MAX // 10 else 6
    last = 0
    try:
        for _ in range(budget):
            normal, slope, residuals, rss = _normal(formula, rows, y, weight, theta, context)
            hessian = normal
            if not is_linear:
                weights = np.array([float(w * r) for w, r in zip(weight, residuals, strict=True)])
                bend = formula.curvature(floats, np.array([float(v) for v in theta]), weights)
                hessian = [
                    [
                        context.add(normal[i][j], Decimal(float(bend[i, j])))
                        for j in range(len(theta))
                    ]
                    for i in range(len(theta))
                ]
            step = _solve(hessian, [[-value] for value in slope], context)
            theta = [context.add(v, s[0]) for v, s in zip(theta, step, strict=True)]
            digits = min(
                (
                    30 if not s[0] else max(0, min(30, v.adjusted() - s[0].adjusted()))
                    for v, s in zip(theta, step, strict=True)
                    if v
                ),
                default=30,
            )
            if digits >= 24 or (is_linear and last):
                break
            if digits < last - 6:
                return None
            last = max(digits, 1)
        normal, slope, residuals, rss = _normal(formula, rows, y, weight, theta, context)
        unit = [[Decimal(int(i == j)) for j in range(len(theta))] for i in range(len(theta))]
        inverse = _solve(normal, unit, context)
    except (decimal.DecimalException, ZeroDivisionError, ValueError, OverflowError):
        return None
    if digits < 10:
        return None
    return Exact(
        theta=np.array([float(v) for v in theta]),
        rss=float(rss),
        inverse=np.array([[float(v) for v in row] for row in inverse]),
        digits=digits,
    )


def _normal(
    formula: Formula,
    rows: Sequence[Mapping[str, Decimal]],
    y: Sequence[Decimal],
    weight: Sequence[Decimal],
    theta: Sequence[Decimal],
    context: decimal.Context,
) -> tuple[list[list[Decimal]], list[Decimal], list[Decimal], Decimal]:
    count = len(theta)
    normal = [[Decimal(0)] * count for _ in range(count)]
    slope = [Decimal(0)] * count
    residuals = []
    rss = Decimal(0)
    for row, observed, w in zip(rows, y, weight, strict=True):
        value, gradient = formula.exactly(row, theta, context)
        r = context.subtract(value, observed)
        residuals.append(r)
        rss = context.fma(context.multiply(w, r), r, rss)
        for i in range(count):
            part = context.multiply(w, gradient[i])
            slope[i] = context.fma(part, r, slope[i])
            line = normal[i]
            for j in range(i + 1):
                line[j] = context.fma(part, gradient[j], line[j])
    for i in range(count):
        for j in range(i):
            normal[j][i] = normal[i][j]
    return normal, slope, residuals, rss


def _solve(
    matrix: list[list[Decimal]], right: list[list[Decimal]], context: decimal.Context
) -> list[list[Decimal]]:
    """Solve by Gauss's elimination with row pivots, after scaling rows and columns to one."""
    count = len(matrix)
    scale = [context.sqrt(abs(matrix[i][i])) or Decimal(1) for i in range(count)]
    work = [
        [context.divide(context.divide(matrix[i][j], scale[i]), scale[j]) for j in range(count)]
        + [context.divide(value, scale[i]) for value in right[i]]
        for i in range(count)
    ]
    width = len(work[0])
    for k in range(count):
        pivot = max(range(k, count), key=lambda i: abs(work[i][k]))
        if abs(work[pivot][k]) < Decimal(10) ** (-EXACT_DIGITS + 12):
            raise ZeroDivisionError
        work[k], work[pivot] = work[pivot], work[k]
        for i in range(count):
            if i != k and work[i][k]:
                factor = context.divide(work[i][k], work[k][k])
                for j in range(k, width):
                    work[i][j] = context.subtract(work[i][j], context.multiply(factor, work[k][j]))
    return [
        [
            context.divide(context.divide(work[i][count + j], work[i][i]), scale[i])
            for j in range(width - count)
        ]
        for i in range(count)
    ]


def _column_norms(J: Array) -> Array:
    return np.asarray(np.sqrt(np.einsum("ij,ij->j", J, J)))


def _sum(r: Array, J: Array) -> float:
    total = float(r @ r)
    return total if np.isfinite(total) and np.all(np.isfinite(J)) else float("inf")
