"""The curves that can be fitted by name, with the start that each needs.

The certified problems of NIST's Statistical Reference Datasets (public domain,
https://www.itl.nist.gov/div898/strd) are known by their names with both published starts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anlage.base import Refused

from .formula import Formula

Array = NDArray[np.float64]
Guess = Callable[[Array, Array], list[dict[str, float]]]

DEGREE_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A curve: its formula, the response it fits, and where the search may start.

    Attributes:
        name: What it is called on the command line.
        formula: The right-hand side.
        response: Transformation of y that is fitted ("y" or "log(y)" …).
        starts: Published starts, each a value per parameter.
        guess: Starts from the data, where there are no published ones.
        about: One line for the reader.
    """

    name: str
    formula: Formula
    response: str = "y"
    starts: tuple[Mapping[str, float], ...] = ()
    guess: Guess | None = field(default=None, repr=False)
    about: str = ""


# Other words for the same curves, as readers' software and R's drc name them.
_ALIASES = {
    "hill": "3pl", "ll.3": "3pl", "ll3": "3pl", "threeparameterlogistic": "3pl",
    "ll.4": "4pl", "ll4": "4pl", "logistic4": "4pl", "fourparameterlogistic": "4pl",
    "ll.5": "5pl", "ll5": "5pl", "logistic5": "5pl", "fiveparameterlogistic": "5pl",
    "line": "linear", "exp": "exponential", "mm": "michaelismenten", "quad": "quadratic",
}  # fmt: skip


def model(name: str) -> Model:
    """Give the curve of a name, `polynomial:K`, or a formula such as `b1*(1-exp(-b2*x))`.

    Raises:
        Refused: Nobody knows the name and it is no formula.
    """
    key = re.sub(r"[\s_-]|\.dat$", "", name.lower())
    key = _ALIASES.get(key, key)
    if key in _BENCH:
        formula, guess, about = _BENCH[key]
        return Model(name=key, formula=Formula(formula), guess=guess, about=about)
    match = re.fullmatch(r"(?:polynomial|poly|polynom)[:=]?(\d{1,2})", key)
    if match and 1 <= int(match[1]) <= DEGREE_MAX:
        return polynomial(int(match[1]), key)
    match = re.fullmatch(r"(?:multilinear|multiple)[:=]?(\d{1,2})(noint)?", key)
    if match and 1 <= int(match[1]) <= 30:
        return multilinear(int(match[1]), key, intercept=not match[2])
    if key in _NIST_LINEAR:
        return _nist_linear(key)
    if key in _NIST:
        formula, first, second, response = _NIST[key]
        curve = Formula(formula)
        starts = tuple(dict(zip(curve.parameters, start, strict=True)) for start in (first, second))
        return Model(
            name=key, formula=curve, response=response, starts=starts, about="NIST StRD nonlinear"
        )
    if re.search(r"[-+*/^()]", name):
        return written(name)
    raise Refused(
        "model-unknown",
        what="model of the curve",
        found=repr(name[:60]),
        limit=", ".join(known()),
        remedy="name a known model, or write the formula, such as 'b1*(1-exp(-b2*x))'",
    )


def written(text: str) -> Model:
    """Give the curve of a written formula; `log(y) = …` fits the logarithm of y.

    Raises:
        Refused: It cannot be read, or has no parameter.
    """
    left, sign, right = text.rpartition("=")
    left = left.strip() if sign else "y"
    right = re.sub(r"\+\s*e\s*$", "", right.strip())
    formula = Formula(right)
    response = "y" if _VARIABLE_Y.fullmatch(left) else left
    if response != "y" and Formula(response).parameters:
        raise Refused(
            "formula-unreadable",
            what="left side of the formula",
            found=left[:60],
            limit="y, or a function of y alone such as log(y)",
            remedy="bring the parameters to the right side",
        )
    if not formula.parameters:
        raise Refused(
            "formula-unreadable",
            what="formula of the curve",
            found=right[:60],
            limit="at least one parameter, such as b1",
            remedy="name what is to be estimated b1, b2 …",
        )
    return Model(name="formula", formula=formula, response=response, about=text[:200])


def polynomial(degree: int, name: str = "") -> Model:
    """Give the polynomial of a degree, with coefficients b0, b1 …"""
    terms = " + ".join(["b0", *(f"b{k}*x**{k}" for k in range(1, degree + 1))])
    return Model(
        name=name or f"polynomial:{degree}",
        formula=Formula(terms),
        about=f"polynomial of degree {degree}",
    )


def multilinear(count: int, name: str = "", *, intercept: bool = True) -> Model:
    """Give the plane over x1, x2 …, with coefficients b0 (if there is an intercept), b1 …"""
    names = [f"x{k}" for k in range(1, count + 1)]
    terms = (["b0"] if intercept else []) + [f"b{k}*{x}" for k, x in enumerate(names, start=1)]
    return Model(
        name=name or f"multilinear:{count}", formula=Formula(" + ".join(terms)), about="plane"
    )


def known() -> list[str]:
    """Give the names of all models."""
    return [
        *_BENCH,
        "polynomial:K",
        "multilinear:K",
        *sorted(_NIST_LINEAR),
        *sorted(_NIST),
        "or a formula",
    ]


def _sigmoid(x: Array, y: Array) -> list[dict[str, float]]:
    """Start a four-parameter curve from its ends and a line through the logits."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    positive = x[x > 0]
    if len(positive) == 0:
        return [{"A": float(y.min()), "B": 1.0, "C": 1.0, "D": float(y.max())}]
    levels = np.unique(x)
    means = np.array([y[x == level].mean() for level in levels])
    first, last = float(means[0]), float(means[-1])
    if first == last:
        first, last = float(means.min()), float(means.max()) + 1e-9
    margin = 0.03 * (last - first)
    A, D = first - margin, last + margin
    inside = levels > 0
    share = np.clip((means[inside] - A) / (D - A), 0.01, 0.99)
    logit, ln = np.log(share / (1 - share)), np.log(levels[inside])
    slope = 1.0
    if len(ln) > 1 and np.ptp(ln) > 0:
        slope = float(np.polyfit(ln, logit, 1)[0])
    slope = slope if slope > 0.1 else 1.0
    middle = float(np.interp(0.0, np.sort(logit), ln[np.argsort(logit)]))
    starts = [{"A": A, "B": slope, "C": float(np.exp(middle)), "D": D}]
    for shift in (-1.5, 1.5):
        starts.append({"A": A, "B": 1.0, "C": float(np.exp(middle + shift)), "D": D})
    starts.append({"A": A, "B": 3.0 * slope, "C": float(np.exp(middle)), "D": D})
    return starts


def _sigmoid_skew(x: Array, y: Array) -> list[dict[str, float]]:
    return [dict(start, G=G) for G in (1.0, 0.5, 2.0) for start in _sigmoid(x, y)[:2]]


def _three(x: Array, y: Array) -> list[dict[str, float]]:
    return [{k: v for k, v in start.items() if k != "A"} for start in _sigmoid(x, y)]


def _exponential(x: Array, y: Array) -> list[dict[str, float]]:
    span = float(np.ptp(x)) or 1.0
    order = np.argsort(x, kind="stable")
    first, last = float(y[order[0]]), float(y[order[-1]])
    starts = [{"a": first or 1.0, "b": rate / span} for rate in (0.1, 1.0, -1.0, 3.0, -3.0)]
    if np.all(y > 0):
        slope, level = np.polyfit(x, np.log(y), 1)
        starts.insert(0, {"a": float(np.exp(np.clip(level, -600, 600))), "b": float(slope)})
    del last
    return starts


def _exponential_offset(x: Array, y: Array) -> list[dict[str, float]]:
    span = float(np.ptp(x)) or 1.0
    order = np.argsort(x, kind="stable")
    first, last = float(y[order[0]]), float(y[order[-1]])
    return [
        {"a": first - last, "b": rate / span, "c": last} for rate in (-3.0, -1.0, -8.0, 1.0, 3.0)
    ]


def _power(x: Array, y: Array) -> list[dict[str, float]]:
    keep = (x > 0) & (y > 0)
    if np.count_nonzero(keep) > 1 and np.ptp(x[keep]) > 0:
        slope, level = np.polyfit(np.log(x[keep]), np.log(y[keep]), 1)
        return [{"a": float(np.exp(np.clip(level, -600, 600))), "b": float(slope)}]
    return [{"a": 1.0, "b": 1.0}]


def _saturation(x: Array, y: Array) -> list[dict[str, float]]:
    return [{"Vmax": float(y.max()) * 1.2 or 1.0, "Km": float(np.median(x)) or 1.0}]


def _gompertz(x: Array, y: Array) -> list[dict[str, float]]:
    span = float(np.ptp(x)) or 1.0
    return [
        {"a": float(y.max()) or 1.0, "b": b, "c": c / span} for b in (1.0, 3.0) for c in (2.0, 6.0)
    ]


def _logistic(x: Array, y: Array) -> list[dict[str, float]]:
    span = float(np.ptp(x)) or 1.0
    middle, top = float(np.mean(x)), float(y.max()) or 1.0
    return [{"a": top, "k": k / span, "m": middle} for k in (6.0, 3.0, 12.0, -6.0)]


_BENCH: dict[str, tuple[str, Guess | None, str]] = {
    "4pl": (
        "D + (A-D)/(1+(x/C)**B)",
        _sigmoid,
        "four-parameter logistic: A at dose 0, D at infinite dose, C the EC50, B > 0 the slope",
    ),
    "5pl": (
        "D + (A-D)/(1+(x/C)**B)**G",
        _sigmoid_skew,
        "five-parameter logistic: as 4pl, with asymmetry G",
    ),
    "3pl": ("D - D/(1+(x/C)**B)", _three, "three-parameter logistic: zero response at dose 0"),
    "linear": ("b0 + b1*x", None, "straight line"),
    "proportional": ("b1*x", None, "straight line through the origin"),
    "quadratic": ("b0 + b1*x + b2*x**2", None, "parabola"),
    "cubic": ("b0 + b1*x + b2*x**2 + b3*x**3", None, "cubic"),
    "exponential": ("a*exp(b*x)", _exponential, "exponential growth or decay"),
    "exponentialoffset": ("c + a*exp(b*x)", _exponential_offset, "exponential with an offset"),
    "power": ("a*x**b", _power, "power law"),
    "michaelismenten": ("Vmax*x/(Km+x)", _saturation, "hyperbolic saturation"),
    "gompertz": ("a*exp(-b*exp(-c*x))", _gompertz, "Gompertz growth"),
    "logistic": ("a/(1+exp(-k*(x-m)))", _logistic, "logistic growth"),
}

_GAUSS = "b1*exp(-b2*x) + b3*exp(-(x-b4)**2/b5**2) + b6*exp(-(x-b7)**2/b8**2)"
_LANCZOS = "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"
_LANCZOS_STARTS = ((1.2, 0.3, 5.6, 5.5, 6.5, 7.6), (0.5, 0.7, 3.6, 4.2, 4, 6.3))
_CUBIC = "(b1+b2*x+b3*x**2+b4*x**3)/(1+b5*x+b6*x**2+b7*x**3)"

_NIST: dict[str, tuple[str, tuple[float, ...], tuple[float, ...], str]] = {
    "misra1a": ("b1*(1-exp(-b2*x))", (500, 0.0001), (250, 0.0005), "y"),
    "misra1b": ("b1*(1-(1+b2*x/2)**(-2))", (500, 0.0001), (300, 0.0002), "y"),
    "misra1c": ("b1*(1-(1+2*b2*x)**(-0.5))", (500, 0.0001), (600, 0.0002), "y"),
    "misra1d": ("b1*b2*x*((1+b2*x)**(-1))", (500, 0.0001), (450, 0.0003), "y"),
    "chwirut1": ("exp(-b1*x)/(b2+b3*x)", (0.1, 0.01, 0.02), (0.15, 0.008, 0.01), "y"),
    "chwirut2": ("exp(-b1*x)/(b2+b3*x)", (0.1, 0.01, 0.02), (0.15, 0.008, 0.01), "y"),
    "lanczos1": (_LANCZOS, *_LANCZOS_STARTS, "y"),
    "lanczos2": (_LANCZOS, *_LANCZOS_STARTS, "y"),
    "lanczos3": (_LANCZOS, *_LANCZOS_STARTS, "y"),
    "gauss1": (
        _GAUSS,
        (97, 0.009, 100, 65, 20, 70, 178, 16.5),
        (94, 0.0105, 99, 63, 25, 71, 180, 20),
        "y",
    ),
    "gauss2": (
        _GAUSS,
        (96, 0.009, 103, 106, 18, 72, 151, 18),
        (98, 0.0105, 103, 105, 20, 73, 150, 20),
        "y",
    ),
    "gauss3": (
        _GAUSS,
        (94.9, 0.009, 90.1, 113, 20, 73.8, 140, 20),
        (96, 0.0096, 80, 110, 25, 74, 139, 25),
        "y",
    ),
    "danwood": ("b1*x**b2", (1, 5), (0.7, 4), "y"),
    "kirby2": (
        "(b1+b2*x+b3*x**2)/(1+b4*x+b5*x**2)",
        (2, -0.1, 0.003, -0.001, 0.00001),
        (1.5, -0.15, 0.0025, -0.0015, 0.00002),
        "y",
    ),
    "hahn1": (
        _CUBIC,
        (10, -1, 0.05, -0.00001, -0.05, 0.001, -0.000001),
        (1, -0.1, 0.005, -0.000001, -0.005, 0.0001, -0.0000001),
        "y",
    ),
    "thurber": (
        _CUBIC,
        (1000, 1000, 400, 40, 0.7, 0.3, 0.03),
        (1300, 1500, 500, 75, 1, 0.4, 0.05),
        "y",
    ),
    "nelson": ("b1-b2*x1*exp(-b3*x2)", (2, 0.0001, -0.01), (2.5, 5e-9, -0.05), "log(y)"),
    "mgh09": (
        "b1*(x**2+x*b2)/(x**2+x*b3+b4)",
        (25, 39, 41.5, 39),
        (0.25, 0.39, 0.415, 0.39),
        "y",
    ),
    "mgh10": ("b1*exp(b2/(x+b3))", (2, 400000, 25000), (0.02, 4000, 250), "y"),
    "mgh17": (
        "b1+b2*exp(-x*b4)+b3*exp(-x*b5)",
        (50, 150, -100, 1, 2),
        (0.5, 1.5, -1, 0.01, 0.02),
        "y",
    ),
    "enso": (
        "b1+b2*cos(2*pi*x/12)+b3*sin(2*pi*x/12)+b5*cos(2*pi*x/b4)+b6*sin(2*pi*x/b4)"
        "+b8*cos(2*pi*x/b7)+b9*sin(2*pi*x/b7)",
        (11, 3, 0.5, 40, -0.7, -1.3, 25, -0.3, 1.4),
        (10, 3, 0.5, 44, -1.5, 0.5, 26, -0.1, 1.5),
        "y",
    ),
    "roszman1": (
        "b1-b2*x-arctan(b3/(x-b4))/pi",
        (0.1, -0.00001, 1000, -100),
        (0.2, -0.000005, 1200, -150),
        "y",
    ),
    "rat42": ("b1/(1+exp(b2-b3*x))", (100, 1, 0.1), (75, 2.5, 0.07), "y"),
    "rat43": ("b1/((1+exp(b2-b3*x))**(1/b4))", (100, 10, 1, 1), (700, 5, 0.75, 1.3), "y"),
    "eckerle4": ("(b1/b2)*exp(-0.5*((x-b3)/b2)**2)", (1, 10, 500), (1.5, 5, 450), "y"),
    "bennett5": ("b1*(b2+x)**(-1/b3)", (-2000, 50, 0.8), (-1500, 45, 0.85), "y"),
    "boxbod": ("b1*(1-exp(-b2*x))", (1, 1), (100, 0.75), "y"),
}

_NIST_LINEAR = {
    "norris": "1", "pontius": "2", "noint1": "0", "noint2": "0", "filip": "10", "longley": "6x",
    "wampler1": "5", "wampler2": "5", "wampler3": "5", "wampler4": "5", "wampler5": "5",
}  # fmt: skip


def _nist_linear(key: str) -> Model:
    shape = _NIST_LINEAR[key]
    if shape == "0":
        return Model(name=key, formula=Formula("b1*x"), about="NIST StRD linear")
    if shape.endswith("x"):
        return multilinear(int(shape[:-1]), key)
    return polynomial(int(shape), key)


_VARIABLE_Y = re.compile(r"y|response", re.IGNORECASE)
