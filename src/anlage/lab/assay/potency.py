"""The potency of a sample relative to a reference, with the evidence that both act alike.

Logistic curves (USP <1032>, <1034>; Ph. Eur. 5.3 section 4): a joint fit in which reference and
sample share both ends and the slope gives the potency as the shift along the log dose; the free
fits beside it give the tests of parallelism. Equivalence of the parameters within bounds set
beforehand decides; the F test is printed as a diagnostic, because it fails good assays for being
precise and passes poor ones for being noisy.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

from .cards import CARDS
from .logistic import Curve, descend_curves, lone_curve
from .parallelism import (
    Bounds,
    Equivalence,
    FTest,
    curve_equivalence,
    extra_squares,
    joined_equivalence,
)
from .ratio import Combined, combine
from .wells import Wells, reference_of

Array = NDArray[np.float64]

SAMPLES_MAX = 400
MODELS = ("4pl", "5pl", "linear", "slope-ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Potency:
    """The potency of one sample, from one plate or joined over several.

    Attributes:
        sample: The sample.
        reference: What it was compared with.
        model: The curve.
        ln: Natural logarithm of the relative potency.
        standard_error: Standard error of that.
        low: Lower end of the interval, as relative potency; None where it is not bounded.
        high: Upper end.
        confidence: Level of the interval.
        degrees_of_freedom: Behind the interval.
        rss: Residual sum of squares of the constrained fit.
        rss_free: Residual sum of squares of the free fits.
        freedom: Degrees of freedom of the constrained fit.
        freedom_free: Degrees of freedom of the free fits.
        f_test: Extra sum of squares for non-parallelism.
        further_tests: Regression and linearity, where the model has them.
        equivalence: Each parameter compared.
        parameters: Of the constrained fit.
        standard_errors: Of those.
        free_parameters: Of the free fits, under "reference" and "sample".
        profile: Interval by profile likelihood, as relative potency.
        notes: What the reader must know.
    """

    sample: str
    reference: str
    model: str
    ln: float
    standard_error: float
    low: float | None
    high: float | None
    confidence: float
    degrees_of_freedom: float
    rss: float
    rss_free: float
    freedom: int
    freedom_free: int
    f_test: FTest | None
    further_tests: Mapping[str, FTest] = field(default_factory=dict)
    equivalence: tuple[Equivalence, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    free_parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    profile: tuple[float | None, float | None] | None = None
    notes: tuple[str, ...] = ()
    plates: tuple["Potency", ...] = ()
    plate: str = ""
    combined: Combined | None = None

    @property
    def relative_potency(self) -> float:
        """The relative potency; 1 is as potent as the reference."""
        return math.exp(self.ln) if self.ln < 700 else math.inf

    @property
    def is_parallel(self) -> bool | None:
        """True: shown alike within the bounds. False: shown to differ. None: neither is shown.

        Shown to differ means an F test below 0.05, or an interval wholly outside its bounds.
        """
        if self.equivalence and all(item.is_within for item in self.equivalence):
            return True
        differs = any(item.is_outside for item in self.equivalence) or (
            self.f_test is not None and self.f_test.p < 0.05
        )
        return False if differs else None

    def as_dict(self) -> dict[str, object]:
        """Give the potency as a JSON object."""
        result: dict[str, object] = {
            "sample": self.sample,
            "reference": self.reference,
            "model": self.model,
            "relative_potency": self.relative_potency,
            "ci_low": self.low,
            "ci_high": self.high,
            "confidence": self.confidence,
            "ln_relative_potency": self.ln,
            "ln_standard_error": self.standard_error,
            "percent_gsd": 100 * math.expm1(min(self.standard_error, 500.0)),
            "percent_gcv": 100 * math.sqrt(math.expm1(min(self.standard_error**2, 500.0))),
            "degrees_of_freedom": self.degrees_of_freedom,
            "parallelism": {
                "parallel": self.is_parallel,
                "verdict": {True: "parallel", False: "not parallel", None: "not shown"}[
                    self.is_parallel
                ],
                "f_test": self.f_test.as_dict() if self.f_test else None,
                "equivalence": [item.as_dict() for item in self.equivalence],
            },
            "tests": {name: test.as_dict() for name, test in self.further_tests.items()},
            "parameters": dict(self.parameters),
            "standard_errors": dict(self.standard_errors),
            "free_parameters": {k: dict(v) for k, v in self.free_parameters.items()},
            "residual_sum_of_squares": self.rss,
            "residual_degrees_of_freedom": self.freedom,
            "free_residual_sum_of_squares": self.rss_free,
            "free_residual_degrees_of_freedom": self.freedom_free,
            "profile_interval": list(self.profile) if self.profile else None,
            "notes": list(self.notes),
            "method": CARDS[f"relative-potency-{self.model}"].as_dict(),
        }
        if self.plate:
            result["plate"] = self.plate
        if self.plates:
            result["plates"] = [plate.as_dict() for plate in self.plates]
        if self.combined:
            result["combination"] = {
                "method": self.combined.method,
                "heterogeneity_chi_square": self.combined.heterogeneity,
                "heterogeneity_p": self.combined.heterogeneity_p,
                "between_plate_sd_ln": self.combined.between_sd,
            }
        return result


def relative_potencies(
    wells: Wells,
    *,
    model: str = "4pl",
    reference: str | None = None,
    confidence: float = 0.95,
    bounds: Bounds | None = None,
    variance: str = "constant",
    plates: str = "combine",
    refusals: dict[str, Refused] | None = None,
) -> list[Potency]:
    """Give the potency of every sample relative to the reference.

    Args:
        wells: The data.
        model: `4pl`, `5pl`, `linear` (parallel lines on log dose) or `slope-ratio`.
        reference: Name of the reference; found by its name otherwise.
        confidence: Level of the intervals.
        bounds: Bounds of equivalence.
        variance: `constant`, `1/y`, `1/y2` (weights from the fitted curve) or `power` (the
            variance is a power of the mean that is estimated, Carroll and Ruppert 1988).
        plates: `combine` analyses each plate and joins them on the log scale; `ignore` pools wells.
        refusals: Where given, takes the refusal of each sample that cannot be judged, so that it
            does not stop the others; without one left to judge, its refusal is raised all the same.

    Raises:
        Refused: No reference, too few doses, or curves that the data do not determine.
    """
    if model not in MODELS:
        raise _refused_model(model)
    limits = bounds or Bounds()
    name = reference_of(wells.samples, reference, wells.path)
    others = [sample for sample in wells.samples if sample != name]
    if not others or len(others) > SAMPLES_MAX:
        raise Refused(
            "sample-missing",
            what="samples beside the reference",
            found=len(others),
            limit=f"1 to {SAMPLES_MAX}",
            remedy="give a file with the reference and its samples",
            path=wells.path or None,
        )
    one = _analyst(model)
    is_one = plates == "ignore" or len(wells.plates) == 1
    found = []
    refused: dict[str, Refused] = {}
    for sample in others:
        try:
            if is_one:
                found.append(one(wells, name, sample, confidence, limits, variance))
            else:
                found.append(_over_plates(one, wells, name, sample, confidence, limits, variance))
        except Refused as refusal:
            if refusals is None:
                raise
            refused[sample] = refusal
    if not found:
        raise Refused.of(problem for refusal in refused.values() for problem in refusal.problems)
    if refusals is not None:
        refusals.update(refused)
    return found


_Analyst = Callable[[Wells, str, str, float, Bounds, str], Potency]


def _analyst(model: str) -> _Analyst:
    if model in {"4pl", "5pl"}:
        skew = model == "5pl"
        # The free curve of the reference is the same for each sample on its plate.
        references: dict[tuple[str, str], Curve] = {}

        def logistic(
            wells: Wells, ref: str, sample: str, confidence: float, bounds: Bounds, variance: str
        ) -> Potency:
            return _logistic(
                wells, ref, sample, confidence, bounds, variance, skew=skew, references=references
            )

        return logistic
    from .lines import parallel_lines, slope_ratio

    return parallel_lines if model == "linear" else slope_ratio


def _over_plates(
    one: _Analyst,
    wells: Wells,
    reference: str,
    sample: str,
    confidence: float,
    bounds: Bounds,
    variance: str,
) -> Potency:
    found, notes = [], []
    for plate in wells.plates:
        part = wells.on(plate)
        missing = [name for name in (reference, sample) if name not in part.sample]
        if missing:
            notes.append(f"plate {plate or '(unnamed)'} has no {' and no '.join(missing)}")
            continue
        try:
            result = one(part, reference, sample, confidence, bounds, variance)
        except Refused as refusal:
            raise Refused.of(
                replace(problem, what=f"{problem.what} on plate {plate or '(unnamed)'}")
                for problem in refusal.problems
            ) from refusal
        found.append(replace(result, plate=plate or "(unnamed)"))
    if not found:
        raise Refused(
            "reference-not-on-plate",
            what=f"sample {sample}",
            found="no plate that also holds the reference",
            limit=f"at least one plate with {reference} and {sample}",
            remedy="give the plates on which both stand, or --plates ignore",
            path=wells.path or None,
        )
    joined = combine(
        [p.ln for p in found],
        [p.standard_error for p in found],
        [p.degrees_of_freedom for p in found],
        confidence=confidence,
    )
    if len(found) == 1:
        return replace(found[0], notes=(*found[0].notes, *notes))
    rss, rss_free = sum(p.rss for p in found), sum(p.rss_free for p in found)
    freedom, freedom_free = sum(p.freedom for p in found), sum(p.freedom_free for p in found)
    if joined.method == "semi-weighted":
        notes.append(
            "the plates differ by more than their own errors; the interval carries that difference"
        )
    first = found[0]
    return replace(
        first,
        ln=joined.ln,
        standard_error=joined.standard_error,
        low=math.exp(joined.low),
        high=math.exp(joined.high),
        degrees_of_freedom=joined.degrees_of_freedom,
        rss=rss,
        rss_free=rss_free,
        freedom=freedom,
        freedom_free=freedom_free,
        f_test=extra_squares(rss, freedom, rss_free, freedom_free),
        equivalence=joined_equivalence([p.equivalence for p in found]),
        parameters={},
        standard_errors={},
        free_parameters={},
        profile=None,
        notes=tuple(notes),
        plates=tuple(found),
        plate="",
        combined=joined,
    )


def _logistic(
    wells: Wells,
    reference: str,
    sample: str,
    confidence: float,
    bounds: Bounds,
    variance: str,
    *,
    skew: bool,
    references: dict[tuple[str, str], Curve],
) -> Potency:
    count = 5 if skew else 4
    at = (wells.of(reference), wells.of(sample))
    for name, mask in zip((reference, sample), at, strict=True):
        doses = len(np.unique(wells.dose[mask]))
        if doses < count:
            raise Refused(
                "too-few-doses",
                what=f"sample {name}",
                found=f"{doses} doses",
                limit=f"at least {count} for a {count}-parameter curve",
                remedy="take --model linear, or more doses",
                path=wells.path or None,
            )
    with np.errstate(divide="ignore"):
        ln = [np.log(wells.dose[mask]) for mask in at]
    y = [wells.response[mask] for mask in at]
    pooled_ln, pooled_y = np.concatenate(ln), np.concatenate(y)
    group = np.repeat(np.array([0, 1], dtype=np.int64), [len(y[0]), len(y[1])])
    weight = np.ones(len(pooled_y))
    exponent: float | None = None
    rounds = 1 if variance == "constant" else 8
    for _ in range(rounds):
        split = (weight[group == 0], weight[group == 1])
        known = references.get((reference, wells.plate[0])) if exponent is None else None
        own = known or lone_curve(ln[0], y[0], split[0], skew=skew)
        if exponent is None:
            references[(reference, wells.plate[0])] = own
        free = [own, lone_curve(ln[1], y[1], split[1], skew=skew)]
        joint = _joint(pooled_ln, pooled_y, weight, group, free, skew)
        if variance == "constant":
            break
        mean = np.concatenate([free[0].fitted, free[1].fitted])
        weight, exponent = _variance_weights(variance, pooled_y, mean)
    _must_share_direction(wells, (reference, sample), y, free)
    return _judge(
        wells, (reference, sample), confidence, bounds, skew,
        pooled_ln, pooled_y, weight, group, free, joint, exponent,
    )  # fmt: skip


def _must_share_direction(
    wells: Wells, names: tuple[str, str], y: list[Array], free: list[Curve]
) -> None:
    """Refuse a response that rises with the dose of one sample and falls with that of the other.

    No shift along the dose brings such curves together, so that the joint fit has no potency.
    """
    rises = [bool((c.theta[3] - c.theta[0]) * c.theta[1] > 0) for c in free]
    if rises[0] == rises[1]:
        return
    for own, curve in zip(y, free, strict=True):
        rss, count = float(np.sum((own - curve.fitted) ** 2)), len(curve.theta)
        flat = float(np.sum((own - own.mean()) ** 2))
        test = extra_squares(flat, len(own) - 1, rss, len(own) - count)
        if test is None or test.p >= 0.05:
            return  # no effect of the dose is shown
    ways = ["rises" if one else "falls" for one in rises]
    raise Refused(
        "curves-opposed",
        what=f"curves of {names[0]} and {names[1]}",
        found=f"not parallel: {names[0]} {ways[0]} with the dose, {names[1]} {ways[1]}",
        limit="responses that go the same way",
        remedy="check the doses and the places of the sample; it has no relative potency",
        rule="USP <1032>",
        path=wells.path or None,
    )


def _joint(
    ln: Array, y: Array, weight: Array, group: NDArray[np.int64], free: list[Curve], skew: bool
) -> Curve:
    """Fit both curves with ends and slope in common: A, B, D (G), c of each."""
    tail = [5] if skew else [-1]
    places = np.array([[0, 1, 3, 2, *tail], [0, 1, 4, 2, *tail]], dtype=np.int64)
    found = []
    for lead in (0, 1):
        theta = free[lead].theta
        A, B, _, D = theta[:4]
        start = [A, B, D, free[0].theta[2], free[1].theta[2]]
        if skew:
            start.append(theta[4])
            start[3] = start[4] = theta[2]
        found.append(descend_curves(ln, y, weight, group, places, np.array(start)))
        if found[0].converged and not skew:
            break
    return min(found, key=lambda curve: curve.rss)


def _judge(
    wells: Wells,
    names: tuple[str, str],
    confidence: float,
    bounds: Bounds,
    skew: bool,
    ln: Array,
    y: Array,
    weight: Array,
    group: NDArray[np.int64],
    free: list[Curve],
    joint: Curve,
    exponent: float | None,
) -> Potency:
    reference, sample = names
    count = len(joint.theta)
    freedom = len(y) - count
    freedom_free = len(y) - 2 * (5 if skew else 4)
    contrast = np.zeros(count)
    contrast[3], contrast[4] = 1.0, -1.0
    unit_variance = joint.variance_of(contrast)
    if unit_variance is None or not joint.converged or freedom <= 0:
        raise Refused(
            "parameters-not-determined",
            what=f"joint curve of {reference} and {sample}",
            found="doses that do not show both ends and the slope, or too few wells",
            limit="doses on both ends of the curve and on its slope",
            remedy="take --model linear on the straight part, or another dose range",
            path=wells.path or None,
        )
    s2 = joint.rss / freedom
    t = float(special.stdtrit(freedom, (1 + confidence) / 2))
    shift = float(joint.theta[3] - joint.theta[4])
    error = math.sqrt(max(0.0, unit_variance * s2))
    c_ref, c_test = joint.theta[3:5]
    inverse = joint.inverse()
    errors = (
        np.full(count, math.nan)
        if inverse is None
        else np.sqrt(np.maximum(np.diag(inverse) * s2, 0.0))
    )
    keys = ["A", "B", "D", "ln_C_reference", "ln_C_sample", *(["G"] if skew else [])]
    parameters = dict(zip(keys, joint.theta.tolist(), strict=True))
    parameters |= {"C_reference": math.exp(c_ref), "C_sample": math.exp(c_test)}
    notes = []
    if exponent is not None:
        notes.append(f"weights from a variance that grows as the mean to the power {exponent:.3g}")
    rss_free = free[0].rss + free[1].rss
    own = ["A", "B", "ln_C", "D", *(["G"] if skew else [])]
    return Potency(
        sample=sample,
        reference=reference,
        model="5pl" if skew else "4pl",
        ln=shift,
        standard_error=error,
        low=math.exp(max(shift - t * error, -700.0)),
        high=math.exp(min(shift + t * error, 700.0)),
        confidence=confidence,
        degrees_of_freedom=freedom,
        rss=joint.rss,
        rss_free=rss_free,
        freedom=freedom,
        freedom_free=freedom_free,
        f_test=extra_squares(joint.rss, freedom, rss_free, freedom_free),
        equivalence=curve_equivalence(free, rss_free, freedom_free, bounds),
        parameters=parameters,
        standard_errors=dict(zip(keys, errors.tolist(), strict=True)),
        free_parameters={
            role: dict(zip(own, curve.theta.tolist(), strict=True))
            for role, curve in zip(("reference", "sample"), free, strict=True)
        },
        profile=_profile(ln, y, weight, group, joint, shift, error, t, freedom, skew),
        notes=tuple(notes),
    )


def _profile(
    ln: Array,
    y: Array,
    weight: Array,
    group: NDArray[np.int64],
    joint: Curve,
    shift: float,
    error: float,
    t: float,
    freedom: int,
    skew: bool,
) -> tuple[float | None, float | None]:
    """Give the potencies at which the sum of squares has risen by t squared times the variance."""
    target = joint.rss * (1 + t * t / freedom)
    places = np.array([[0, 1, 2, 3, 4 if skew else -1]], dtype=np.int64)
    one = np.zeros(len(y), dtype=np.int64)
    theta = joint.theta
    start = np.array([theta[0], theta[1], theta[3], theta[2], *([theta[5]] if skew else [])])
    first = start

    def risen(value: float) -> float:
        nonlocal start
        moved = np.where(group == 1, ln + value, ln)
        found = descend_curves(moved, y, weight, one, places, start)
        if skew:  # the ridge of slope and asymmetry may end elsewhere
            other = descend_curves(moved, y, weight, one, places, first)
            found = min(found, other, key=lambda curve: curve.rss)
        start = found.theta  # the next potency tried lies close by
        return found.rss - target

    if error <= 0 or joint.rss <= 0:
        return math.exp(shift), math.exp(shift)
    ends: list[float | None] = []
    for sign in (-1.0, 1.0):
        near, far, step = shift, shift + sign * t * error, t * error
        tries = 0
        f_near, f_far = joint.rss - target, risen(far)
        while f_far < 0 and tries < 20:
            near, f_near = far, f_far
            step *= 1.6
            far += sign * step
            f_far = risen(far)
            tries += 1
        ends.append(None if f_far < 0 else _root(risen, near, far, f_near, f_far))
    return (
        None if ends[0] is None else math.exp(ends[0]),
        None if ends[1] is None else math.exp(ends[1]),
    )


def _root(f: Callable[[float], float], a: float, b: float, fa: float, fb: float) -> float:
    """Find a root between a and b by the Illinois form of regula falsi."""
    scale = abs(fb - fa)
    for _ in range(60):
        c = (a * fb - b * fa) / (fb - fa)
        fc = f(c)
        if abs(b - a) < 1e-9 or abs(fc) < 1e-8 * scale:
            return c
        if fc * fb < 0:
            a, fa = b, fb
        else:
            fa /= 2
        b, fb = c, fc
    return b


def _variance_weights(kind: str, y: Array, mean: Array) -> tuple[Array, float]:
    """Give the weights of a variance model, and the power of the mean behind it."""
    size = np.maximum(np.abs(mean), 1e-9 * float(np.max(np.abs(mean)) or 1.0))
    if kind == "1/y":
        power = 1.0
    elif kind == "1/y2":
        power = 2.0
    elif kind == "power":
        logs, squares = np.log(size), (y - mean) ** 2
        grid = np.linspace(0.0, 4.0, 81)
        # The pseudo-likelihood of the exponent, the scale being profiled out.
        worth = [
            len(y) / 2 * math.log(float(np.sum(squares * np.exp(-g * logs))) + 1e-300)
            + g / 2 * float(np.sum(logs))
            for g in grid
        ]
        power = float(grid[int(np.argmin(worth))])
    else:
        raise Refused(
            "variance-model-unknown",
            what="variance model",
            found=kind,
            limit="constant, 1/y, 1/y2, power",
            remedy="name one of them",
        )
    weight = size**-power
    return weight / float(np.exp(np.mean(np.log(weight)))), power


def _refused_model(name: str) -> Refused:
    return Refused(
        "model-unknown",
        what="model of the potency",
        found=name,
        limit=", ".join(MODELS),
        remedy="name one of them",
    )
