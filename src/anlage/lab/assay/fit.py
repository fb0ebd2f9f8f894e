"""A curve fitted to a file: parameters, standard errors and sum of squares, to the last digit."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

from ..columns import Columns, decoded, number, read_bytes, read_columns
from .formula import Formula
from .least_squares import Minimum, refine, search
from .models import Model, model, multilinear, polynomial, written

Array = NDArray[np.float64]

ROWS_MAX = 200_000
# Curves with a power of the dose, which a negative one does not have.
_OVER_DOSE = frozenset({"3pl", "4pl", "5pl", "power"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What a curve is fitted to: exact numbers as they stand in the file.

    Attributes:
        path: The file, or "" for numbers from memory.
        x: One column of numbers per variable, under the variable's name.
        y: The response.
        weight: Weights declared in the file, or None.
        model: The model that the file itself states (NIST's files do), or None.
    """

    path: str = ""
    x: Mapping[str, Sequence[Decimal]]
    y: Sequence[Decimal]
    weight: Sequence[Decimal] | None = None
    model: Model | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted curve.

    Attributes:
        model: Name of the model.
        formula: Its right-hand side.
        parameters: Estimates under their names.
        standard_errors: Their standard errors (None where the data do not determine one).
        intervals: Two-sided intervals at `confidence`, by Student's t.
        covariance: Covariance matrix, in the order of the parameters.
        rss: Residual sum of squares, weighted if there are weights.
        residual_sd: Square root of rss over the degrees of freedom.
        degrees_of_freedom: Observations less parameters.
        observations: Rows used.
        left_out: Rows not used, as their weight is zero.
        r_squared: Share of the (weighted) variance explained, about the mean.
        converged: True when the search ended in a minimum.
        exact_digits: Digits to which the minimum is exact, when refined in decimal arithmetic.
        derived: Further values with their standard errors (EC50 on the log scale …).
        fitted: The curve at each observation.
        residuals: Observed less fitted.
        confidence: Level of the intervals.
    """

    model: str
    formula: str
    parameters: Mapping[str, float]
    standard_errors: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float] | None]
    covariance: Array
    rss: float
    residual_sd: float | None
    degrees_of_freedom: int
    observations: int
    left_out: int
    r_squared: float | None
    converged: bool
    exact_digits: int | None
    derived: Mapping[str, float | None]
    fitted: Array
    residuals: Array
    confidence: float

    def as_dict(self) -> dict[str, object]:
        """Give the result as a JSON object."""
        return {
            "model": self.model,
            "formula": self.formula,
            "parameters": dict(self.parameters),
            "standard_errors": dict(self.standard_errors),
            "intervals": {k: list(v) if v else None for k, v in self.intervals.items()},
            "confidence": self.confidence,
            "residual_sum_of_squares": self.rss,
            "residual_standard_deviation": self.residual_sd,
            "degrees_of_freedom": self.degrees_of_freedom,
            "observations": self.observations,
            "left_out": self.left_out,
            "r_squared": self.r_squared,
            "converged": self.converged,
            "exact_digits": self.exact_digits,
            "derived": dict(self.derived),
            "covariance": self.covariance.tolist(),
        }


def read_points(path: Path, *, decimal: str = ".") -> Points:
    """Read x and y from a table, or data, model and starts from a NIST StRD file.

    The response is the column y, response, signal or value; the variables are the columns x,
    dose, concentration or time, or x1, x2 …; a column weight is used where there is one. A table
    with exactly two columns of other names is read as x, then y.

    Raises:
        Refused: The file cannot be read, or a cell is no number (each line is named).
    """
    raw = read_bytes(path)
    if b"StRD" in raw[:400] or (path.suffix.lower() == ".dat" and b"Certified" in raw[:8000]):
        return _nist_file(decoded(raw, path), path)
    columns = read_columns(path, decimal=decimal)
    return points_of(columns)


_Y = (
    "y", "response", "signal", "value", "od", "absorbance", "rlu", "rfu", "fluorescence",
    "luminescence", "reading", "intensity", "result", "counts", "mfi", "od450",
)  # fmt: skip
_X = ("x", "dose", "concentration", "conc", "time", "month", "predictor", "level", "amount")


def points_of(columns: Columns) -> Points:
    """Give the points of a table that is already read; see `read_points`."""
    y_place = columns.find(*_Y)
    several = [place for k in range(1, 31) if (place := columns.find(f"x{k}")) is not None]
    x_place = columns.find(*_X)
    if y_place is None and x_place is None and not several and len(columns.header) == 2:
        x_place, y_place = 0, 1
    if y_place is None:
        y_place = columns.need("y", "response")
    if x_place is None and not several:
        x_place = columns.need("x", "dose")
    if several and (len(several) > 1 or x_place is None):
        x = {f"x{k}": columns.numbers(place) for k, place in enumerate(several, start=1)}
    else:
        x = {"x": columns.numbers(x_place if x_place is not None else several[0])}
    weights = columns.find("weight", "weights")
    return Points(
        path=columns.path,
        x=x,
        y=columns.numbers(y_place),
        weight=None if weights is None else columns.numbers(weights),
    )


def fit(
    points: Points,
    curve: Model,
    *,
    start: Mapping[str, float] | None = None,
    weighting: str = "auto",
    confidence: float = 0.95,
    exact: bool = True,
) -> Fit:
    """Fit a curve by (weighted) least squares.

    Args:
        points: The data.
        curve: What is fitted.
        start: Where the search begins; the model's own starts otherwise.
        weighting: `none`, `1/y`, `1/y2`, `1/x`, `1/x2`, `column` (the file's weights), or `auto`:
            the file's weights where it has them. A row of weight zero (a blank with `1/x`) is left
            out and counts for nothing.
        confidence: Level of the intervals, between 0.5 and 0.9999.
        exact: Refine the minimum in decimal arithmetic (the default).

    Raises:
        Refused: Too few observations, a start that has no value, parameters that the data do not
            determine, or a variable that the file lacks.
    """
    if curve.name == "linear" and "x" not in points.x:
        curve = multilinear(len(points.x), "linear")
    if curve.formula.variables == ("x",) and list(points.x) == ["x1"]:
        points = replace(points, x={"x": points.x["x1"]})
    formula = curve.formula
    weights = _weights(points, weighting)
    _check(points, formula, sum(weight > 0 for weight in weights))
    if curve.name in _OVER_DOSE and min(points.x["x"]) < 0:
        raise Refused(
            "dose-negative",
            what=f"column x, fitted by {curve.name}",
            found=str(min(points.x["x"])),
            limit="0 or more",
            remedy="enter the dose itself, not its logarithm",
            path=points.path or None,
        )
    x = {name: np.array([float(v) for v in points.x[name]]) for name in points.x}
    y_exact = _transformed(points, curve.response)
    y = np.array([float(v) for v in y_exact])
    if len(formula.linear) < len(formula.parameters) and float(np.ptp(y)) == 0.0:
        raise _undetermined(curve, points, "a response that never changes")
    root = np.sqrt(np.array([float(w) for w in weights]))
    best = _best(formula, x, y, root, _starts(curve, x, y, start))
    if not math.isfinite(best.rss):
        raise Refused(
            "start-without-value",
            what=f"fit of {curve.name}",
            found="the curve has no value at the start",
            limit="a start at which every row has a finite value",
            remedy="give a start with --start b1=…,b2=…",
            path=points.path or None,
        )
    theta = _canonical(curve.name, formula, best.theta)
    rows = [{name: column[i] for name, column in points.x.items()} for i in range(len(y))]
    refined = refine(formula, rows, y_exact, weights, theta) if exact else None
    # Where the residuals are rounding error (Lanczos1), double precision cannot judge the sum.
    if refined is not None and (
        refined.rss <= best.rss * (1 + 1e-6)
        or np.allclose(refined.theta, theta, rtol=1e-6, atol=0.0)
    ):
        theta, rss, inverse = refined.theta, refined.rss, refined.inverse
    else:
        refined = None
        rss, inverse = best.rss, _inverse(best, curve, points)
    return _result(curve, points, x, y, root, theta, rss, inverse, best, refined, confidence)


def _result(
    curve: Model,
    points: Points,
    x: Mapping[str, Array],
    y: Array,
    root: Array,
    theta: Array,
    rss: float,
    inverse: Array,
    best: Minimum,
    refined: object,
    confidence: float,
) -> Fit:
    formula = curve.formula
    names = formula.parameters
    used = int(np.count_nonzero(root))
    freedom = used - len(names)
    variance = rss / freedom if freedom > 0 else math.nan
    covariance = inverse * variance
    errors = {
        name: math.sqrt(covariance[i, i]) if freedom > 0 and covariance[i, i] >= 0 else None
        for i, name in enumerate(names)
    }
    t = float(special.stdtrit(freedom, (1 + confidence) / 2)) if freedom > 0 else math.nan
    values = dict(zip(names, theta.tolist(), strict=True))
    intervals = {
        name: None if error is None else (values[name] - t * error, values[name] + t * error)
        for name, error in errors.items()
    }
    fitted = formula.value(x or {"x": y}, theta)
    weight = root**2
    mean = float(np.sum(weight * y) / np.sum(weight))
    total = float(np.sum(weight * (y - mean) ** 2))
    return Fit(
        model=curve.name,
        formula=formula.text,
        parameters=values,
        standard_errors=errors,
        intervals=intervals,
        covariance=covariance,
        rss=rss,
        residual_sd=math.sqrt(variance) if freedom > 0 else None,
        degrees_of_freedom=freedom,
        observations=used,
        left_out=len(y) - used,
        r_squared=1 - rss / total if total > 0 else None,
        converged=best.converged or refined is not None,
        exact_digits=getattr(refined, "digits", None),
        derived=_derived(values, errors),
        fitted=np.array(fitted),
        residuals=y - fitted,
        confidence=confidence,
    )


def _derived(
    values: Mapping[str, float], errors: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Give the EC50, its logarithm and the ends of a logistic curve."""
    if not {"B", "C", "D"} <= set(values):
        return {}
    C, A, D = values["C"], values.get("A", 0.0), values["D"]
    error = errors["C"]
    G = values.get("G", 1.0)
    ec50 = C * (2 ** (1 / G) - 1) ** (1 / values["B"]) if G > 0 else None
    return {
        "ec50": ec50,
        "ln_C": math.log(C) if C > 0 else None,
        "ln_C_standard_error": error / C if error is not None and C > 0 else None,
        "lower": min(A, D),
        "upper": max(A, D),
    }


def _best(
    formula: Formula, x: Mapping[str, Array], y: Array, root: Array, starts: list[Array]
) -> Minimum:
    variables = x or {"x": y}
    found: list[Minimum] = []
    for start in starts:
        found.append(search(formula, variables, y, root, start))
        if len(formula.linear) == len(formula.parameters):
            break
    return min(found, key=lambda minimum: minimum.rss)


def _starts(
    curve: Model, x: Mapping[str, Array], y: Array, start: Mapping[str, float] | None
) -> list[Array]:
    names = curve.formula.parameters
    if start is not None:
        unknown = set(start) - set(names)
        if unknown:
            raise Refused(
                "start-unknown-parameter",
                what="start of the search",
                found=", ".join(sorted(unknown)),
                limit=", ".join(names),
                remedy="name the parameters of the model",
            )
        return [np.array([float(start.get(name, 1.0)) for name in names])]
    if curve.starts:
        return [np.array([float(s[name]) for name in names]) for s in curve.starts]
    if curve.guess is not None and "x" in x:
        return [np.array([g[name] for name in names]) for g in curve.guess(x["x"], y)]
    if len(curve.formula.linear) == len(names):
        return [np.zeros(len(names))]
    return [np.full(len(names), value) for value in (1.0, 0.1, 0.01)]


def _canonical(name: str, formula: Formula, theta: Array) -> Array:
    """Turn a 4PL so that B > 0: A is then the response at dose zero."""
    if name != "4pl":
        return theta
    at = {key: i for i, key in enumerate(formula.parameters)}
    if theta[at["B"]] < 0:
        theta = theta.copy()
        theta[at["B"]] *= -1
        theta[[at["A"], at["D"]]] = theta[[at["D"], at["A"]]]
    return theta


def _inverse(best: Minimum, curve: Model, points: Points) -> Array:
    J = best.jacobian
    norms = np.sqrt(np.einsum("ij,ij->j", J, J))
    scaled = J / np.where(norms > 0, norms, 1.0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    if singular[-1] < 1e-11 * singular[0] or not np.all(norms > 0):
        condition = singular[0] / max(singular[-1], 1e-300)
        raise _undetermined(curve, points, f"a condition number of {condition:.1e}")
    inverse = np.linalg.inv(scaled.T @ scaled)
    return np.asarray(inverse / np.outer(norms, norms))


def _undetermined(curve: Model, points: Points, found: str) -> Refused:
    return Refused(
        "parameters-not-determined",
        what=f"fit of {curve.name}",
        found=found,
        limit="a condition number below 1e11 after scaling, and a response that changes",
        remedy="take a simpler model, or more doses where the curve bends",
        path=points.path or None,
    )


def _check(points: Points, formula: Formula, rows: int) -> None:
    if len(points.y) > ROWS_MAX:
        raise Refused(
            "file-too-large",
            what="points",
            found=len(points.y),
            limit=ROWS_MAX,
            remedy="fit a part",
            path=points.path or None,
        )
    missing = [name for name in formula.variables if name not in points.x]
    if missing:
        raise Refused(
            "column-missing",
            what=f"variable {missing[0]} of the model",
            found=", ".join(points.x),
            limit=", ".join(formula.variables),
            remedy="name the columns as the formula does",
            path=points.path or None,
        )
    if rows < len(formula.parameters):
        raise Refused(
            "too-few-observations",
            what="fit",
            found=f"{rows} rows" + (" of weight above zero" if rows < len(points.y) else ""),
            limit=f"at least {len(formula.parameters)}, one per parameter",
            remedy="add rows, or take a simpler model",
            path=points.path or None,
        )


def _transformed(points: Points, response: str) -> list[Decimal]:
    if response == "y":
        return list(points.y)
    import decimal

    formula = Formula(response)
    context = decimal.Context(prec=60)
    values = []
    for row, value in enumerate(points.y):
        try:
            values.append(formula.exactly({"y": value}, [], context)[0])
        except decimal.DecimalException as error:
            raise Refused(
                "response-without-value",
                what=f"{response} in row {row + 1}",
                found=value,
                limit="a value that can be transformed",
                remedy="remove the row, or fit another response",
                path=points.path or None,
            ) from error
    return values


def _weights(points: Points, weighting: str) -> list[Decimal]:
    rows = len(points.y)
    if weighting == "none" or (weighting == "auto" and points.weight is None):
        return [Decimal(1)] * rows
    if weighting in {"auto", "column"} and points.weight is not None:
        weights = list(points.weight)
    elif weighting in {"1/y", "1/y2", "1/x", "1/x2"}:
        base = points.y if "y" in weighting else points.x[next(iter(points.x))]
        power = 2 if weighting.endswith("2") else 1
        weights = [Decimal(1) / abs(v) ** power if v else Decimal(0) for v in base]
    else:
        raise Refused(
            "weighting-unknown",
            what="weighting",
            found=weighting,
            limit="auto, none, 1/y, 1/y2, 1/x, 1/x2, and column where the file has weights",
            remedy="name one of them",
        )
    if any(w < 0 or not w.is_finite() for w in weights) or not any(weights):
        raise Refused(
            "weight-negative",
            what="weights",
            found="a negative weight, or none above zero",
            limit="weights of zero or more",
            remedy="correct the weights",
            path=points.path or None,
        )
    return weights


def _nist_file(text: str, path: Path) -> Points:
    """Read data, model and both starts of a file of NIST's Statistical Reference Datasets."""
    lines = text.splitlines()
    heads = [i for i, line in enumerate(lines) if line.lower().startswith("data:")]
    if not heads:
        raise Refused(
            "file-not-a-table", what="NIST file", found="no line 'Data:'", limit="an StRD file",
            remedy="fetch the file again", path=str(path),
        )  # fmt: skip
    names = [word.lower() for word in lines[heads[-1]].split()[1:]]
    values: list[list[Decimal]] = []
    for at, line in enumerate(lines[heads[-1] + 1 :], start=heads[-1] + 2):
        cells = line.split()
        if not cells:
            continue
        numbers = [number(cell) for cell in cells]
        if len(cells) != len(names) or None in numbers:
            raise Refused(
                "value-not-a-number",
                what="data row",
                found=repr(line[:60]),
                limit=f"{len(names)} numbers: {' '.join(names)}",
                remedy="correct the row",
                path=str(path),
                line=at,
            )
        values.append([value for value in numbers if value is not None])
    if not values or "y" not in names:
        raise Refused(
            "file-empty", what="NIST file", found="no rows", limit="rows under 'Data:'",
            remedy="fetch the file again", path=str(path),
        )  # fmt: skip
    columns = dict(zip(names, (list(c) for c in zip(*values, strict=True)), strict=True))
    y = columns.pop("y")
    return Points(path=str(path), x=columns, y=y, model=_nist_model(lines, path))


def _nist_model(lines: list[str], path: Path) -> Model:
    head = next((i for i, line in enumerate(lines) if line.startswith("Model:")), None)
    text, started = "", False
    for line in lines[head + 1 :] if head is not None else []:
        if re.match(r"\s*(log\[)?y\]?\s*=", line):
            started = True
        if started:
            if not line.strip():
                break
            text += " " + line.strip()
    if not text:
        raise Refused(
            "formula-unreadable", what="NIST file", found="no model", limit="a line 'y = …'",
            remedy="name the model with --model", path=str(path),
        )  # fmt: skip
    stem = path.stem.lower()
    if "..." in text:
        last = max(int(k) for k in re.findall(r"[Bb](\d+)", text))
        return multilinear(last, stem) if re.search(r"x1\b", text) else polynomial(last, stem)
    curve = written(re.sub(r"\+\s*e\s*$", "", text.strip()))
    starts: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for line in lines:
        match = re.match(r"\s*(b\d+)\s*=\s*(\S+)\s+(\S+)\s", line)
        values = [number(match[2]), number(match[3])] if match else []
        if match and None not in values and match[1] in curve.formula.parameters:
            for start, value in zip(starts, values, strict=True):
                start[match[1]] = float(value or 0)
    complete = all(set(start) == set(curve.formula.parameters) for start in starts)
    return Model(
        name=stem,
        formula=curve.formula,
        response=curve.response,
        starts=starts if complete else (),
        about="as the file states it",
    )


__all__ = ["Fit", "Points", "fit", "model", "points_of", "read_points"]
