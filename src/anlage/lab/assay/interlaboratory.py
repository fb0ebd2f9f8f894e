"""An interlaboratory study: are the items alike, do they keep, what is their value, who agrees.

After the published statistics behind ISO 13528:2022 and the IUPAC harmonised protocol (Thompson,
Ellison & Wood, Pure Appl. Chem. 78, 2006, doi:10.1351/pac200678010145), in own words: homogeneity
by one-way analysis of variance against three tenths of the standard deviation for proficiency,
stability against the same, a robust mean by winsorising, and the scores z, z', zeta and En.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from anlage.base import Refused

Array = NDArray[np.float64]

LABORATORIES_MIN: Final = 5
SHARE: Final = 0.3
"""Share of the standard deviation for proficiency that items and time may add."""
_TURNS_MAX: Final = 500
_WINSOR: Final = 1.5
_CONSISTENCY: Final = 1.134
"""Makes the winsorised standard deviation that of a normal distribution."""
RULE: Final = "ISO 13528:2022"


class Score(StrEnum):
    """What a score says."""

    SATISFACTORY = "satisfactory"
    QUESTIONABLE = "questionable"
    UNSATISFACTORY = "unsatisfactory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """A robust mean and standard deviation, and the standard uncertainty of the mean."""

    mean: float
    sd: float
    uncertainty: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Homogeneity:
    """How far the items of a batch lie apart.

    Attributes:
        items: Items measured.
        replicates: Results of each.
        mean: Their mean.
        within_sd: Standard deviation within items: that of the measurement.
        between_sd: Standard deviation between items; 0 where the measurement explains it all.
        allowed: Three tenths of the standard deviation for proficiency.
        expanded: The same with the chance of the check itself taken into account, as a standard
            deviation.
        is_sufficient: Whether the items are alike enough, by the expanded criterion.
        is_within_share: Whether `between_sd` is at most `allowed`.
        cochran: Largest share of the variance within items that one item has.
        cochran_p: Its p-value; a small one points to a blunder in that item's results.
    """

    items: int
    replicates: int
    mean: float
    within_sd: float
    between_sd: float
    allowed: float
    expanded: float
    is_sufficient: bool
    is_within_share: bool
    cochran: float
    cochran_p: float

    def as_dict(self) -> dict[str, object]:
        """Give it as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Whether the items kept over the study.

    Attributes:
        first: Mean of the first time.
        last: Mean of the last.
        change: The difference.
        allowed: Three tenths of the standard deviation for proficiency.
        expanded: The same plus twice the standard uncertainty of the difference.
        is_sufficient: Whether the change is within the expanded criterion.
        is_within_share: Whether it is within `allowed`.
        slope: Change per unit of time; None with fewer than three times.
        slope_p: Its p-value.
    """

    first: float
    last: float
    change: float
    allowed: float
    expanded: float
    is_sufficient: bool
    is_within_share: bool
    slope: float | None
    slope_p: float | None

    def as_dict(self) -> dict[str, object]:
        """Give it as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryScore:
    """How one laboratory did.

    Attributes:
        laboratory: Its name or code.
        value: Its mean.
        results: How many results it gave.
        difference_percent: From the assigned value.
        z: Difference over the standard deviation for proficiency.
        z_prime: The same with the uncertainty of the assigned value.
        zeta: Difference over the standard uncertainties of both; None without the laboratory's.
        en: Difference over the expanded uncertainties of both.
        score: What the score that counts says: z, or z' where the assigned value is uncertain.
    """

    laboratory: str
    value: float
    results: int
    difference_percent: float | None
    z: float
    z_prime: float
    zeta: float | None
    en: float | None
    score: Score

    def as_dict(self) -> dict[str, object]:
        """Give it as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__} | {"score": str(self.score)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Repeatability and reproducibility (ISO 5725-2), from laboratories with replicates."""

    repeatability_sd: float
    between_sd: float
    reproducibility_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """An interlaboratory study.

    Attributes:
        assigned: The assigned value.
        assigned_uncertainty: Its standard uncertainty.
        assigned_by: "algorithm-a", "median" or "given".
        sigma: Standard deviation for proficiency.
        sigma_by: "given", "percent" or "robust".
        is_uncertain: Whether the assigned value's uncertainty is above three tenths of sigma, so
            that z' counts.
        robust: Robust mean and standard deviation of the laboratories.
        scores: One per laboratory, in order of the file.
        precision: Where at least two laboratories gave replicates; None else.
        homogeneity: Where items were checked.
        stability: Where they were checked over time.
        notes: What a reader must know.
    """

    assigned: float
    assigned_uncertainty: float
    assigned_by: str
    sigma: float
    sigma_by: str
    is_uncertain: bool
    robust: Robust
    scores: tuple[LaboratoryScore, ...]
    precision: Precision | None
    homogeneity: Homogeneity | None
    stability: Stability | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the study as a JSON object."""
        counts = {str(kind): sum(one.score is kind for one in self.scores) for kind in Score}
        p = self.precision
        return {
            "assigned_value": self.assigned,
            "assigned_uncertainty": self.assigned_uncertainty,
            "assigned_by": self.assigned_by,
            "sigma_pt": self.sigma,
            "sigma_by": self.sigma_by,
            "score_used": "z_prime" if self.is_uncertain else "z",
            "robust_mean": self.robust.mean,
            "robust_sd": self.robust.sd,
            "laboratories": [one.as_dict() for one in self.scores],
            "counts": counts,
            "precision": None
            if p is None
            else {name: getattr(p, name) for name in Precision.__slots__},
            "homogeneity": None if self.homogeneity is None else self.homogeneity.as_dict(),
            "stability": None if self.stability is None else self.stability.as_dict(),
            "notes": list(self.notes),
        }


def robust_mean(values: Sequence[float] | Array) -> Robust:
    """Give the robust mean and standard deviation by winsorising until nothing moves.

    Starts at the median and the scaled median deviation; results farther than 1.5 standard
    deviations from the mean are drawn in to there; again and again (algorithm A).

    Raises:
        Refused: Fewer than three values.

    Example:
        >>> found = robust_mean([5.2, 5.3, 5.3, 5.4, 5.5, 9.9])
        >>> round(found.mean, 3)
        5.403
    """
    data = np.asarray(values, dtype=np.float64)
    if len(data) < 3 or not np.all(np.isfinite(data)):
        raise _too_few("robust mean", f"{len(data)} values", "at least 3 numbers")
    mean = float(np.median(data))
    sd = 1.4826 * float(np.median(np.abs(data - mean)))
    if sd == 0:  # more than half are alike: begin with the plain spread
        sd = _CONSISTENCY * float(data.std(ddof=1))
    for _ in range(_TURNS_MAX):
        reach = _WINSOR * sd
        drawn = np.clip(data, mean - reach, mean + reach)
        new, spread = float(drawn.mean()), _CONSISTENCY * float(drawn.std(ddof=1))
        is_settled = abs(new - mean) + abs(spread - sd) <= 1e-12 * max(abs(new), spread, 1e-300)
        mean, sd = new, spread
        if is_settled:
            break
    return Robust(mean=mean, sd=sd, uncertainty=1.25 * sd / math.sqrt(len(data)), count=len(data))


def homogeneity(results: Mapping[str, Sequence[float]], sigma: float) -> Homogeneity:
    """Judge whether items are alike enough, by results of at least two replicates each.

    Args:
        results: Replicates by item; each item with as many.
        sigma: Standard deviation for proficiency.

    Raises:
        Refused: Fewer than five items, or items with unequal or single replicates.
    """
    table = _balanced(results)
    items, replicates = table.shape
    within = float(np.mean(table.var(axis=1, ddof=1)))
    means = table.mean(axis=1)
    between = max(0.0, float(means.var(ddof=1)) - within / replicates)
    allowed = SHARE * sigma
    chi = 2 * float(special.gammaincinv((items - 1) / 2, 0.95)) / (items - 1)
    f = float(special.fdtri(items - 1, items * (replicates - 1), 0.95))
    critical = chi * allowed**2 + (f - 1) / replicates * within
    variances = table.var(axis=1, ddof=1)
    cochran = float(variances.max() / variances.sum()) if variances.sum() > 0 else 1 / items
    return Homogeneity(
        items=items,
        replicates=replicates,
        mean=float(table.mean()),
        within_sd=math.sqrt(within),
        between_sd=math.sqrt(between),
        allowed=allowed,
        expanded=math.sqrt(critical),
        is_sufficient=between <= critical,
        is_within_share=math.sqrt(between) <= allowed,
        cochran=cochran,
        cochran_p=_cochran_p(cochran, items, replicates),
    )


def stability(times: Sequence[float], values: Sequence[float], sigma: float) -> Stability:
    """Judge whether items kept, by results at two or more times.

    Args:
        times: When each was measured, in any unit.
        values: What was found.
        sigma: Standard deviation for proficiency.

    Raises:
        Refused: Fewer than two times, or a time with a single result.
    """
    t, y = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    moments = np.unique(t)
    if len(moments) < 2 or min(np.sum(t == moments[0]), np.sum(t == moments[-1])) < 2:
        raise _too_few(
            "stability check", f"{len(moments)} times", "two times or more, each with 2 results"
        )
    first, last = y[t == moments[0]], y[t == moments[-1]]
    change = float(last.mean() - first.mean())
    uncertainty = math.sqrt(first.var(ddof=1) / len(first) + last.var(ddof=1) / len(last))
    allowed = SHARE * sigma
    slope = slope_p = None
    if len(moments) > 2 and len(y) > 3:
        slope, slope_p = _slope(t, y)
    return Stability(
        first=float(first.mean()),
        last=float(last.mean()),
        change=change,
        allowed=allowed,
        expanded=allowed + 2 * uncertainty,
        is_sufficient=abs(change) <= allowed + 2 * uncertainty,
        is_within_share=abs(change) <= allowed,
        slope=slope,
        slope_p=slope_p,
    )


def study(
    results: Mapping[str, Sequence[float]],
    *,
    uncertainties: Mapping[str, float] | None = None,
    assigned: tuple[float, float] | None = None,
    sigma: float | None = None,
    sigma_percent: float | None = None,
    by_median: bool = False,
    items: Mapping[str, Sequence[float]] | None = None,
    ages: tuple[Sequence[float], Sequence[float]] | None = None,
    coverage: float = 2.0,
) -> Study:
    """Evaluate a study.

    Args:
        results: Results by laboratory; the mean of each counts.
        uncertainties: Standard uncertainty that a laboratory states, by laboratory.
        assigned: Assigned value and its standard uncertainty, from a reference; else it is the
            robust mean of the laboratories.
        sigma: Standard deviation for proficiency, as set for the purpose.
        sigma_percent: The same in percent of the assigned value.
        by_median: Take the median instead of the robust mean.
        items: Results of the homogeneity check, by item.
        ages: Times and results of the stability check.
        coverage: Factor of the expanded uncertainties in En.

    Raises:
        Refused: Too few laboratories for a consensus value, or no spread to score against.
    """
    means = {name: math.fsum(each) / len(each) for name, each in results.items() if len(each)}
    if assigned is None and len(means) < LABORATORIES_MIN:
        raise _too_few(
            "consensus of laboratories", f"{len(means)} laboratories",
            f"{LABORATORIES_MIN} or more, or an assigned value from a reference",
        )  # fmt: skip
    robust = (
        robust_mean(list(means.values()))
        if len(means) >= 3
        else Robust(mean=math.nan, sd=math.nan, uncertainty=math.nan, count=len(means))
    )
    value, u, by = _assigned(means, assigned, robust, by_median=by_median)
    spread, sigma_by = _sigma(value, robust, sigma, sigma_percent)
    notes = []
    if sigma_by == "robust":
        notes.append("the laboratories' own spread scores them; set --sigma by purpose")
    if len(means) < 12 and by != "given":
        notes.append(f"a consensus of {len(means)} laboratories is little certain; have 12")
    is_uncertain = u > SHARE * spread
    if is_uncertain:
        notes.append("the assigned value is uncertain: z' counts, not z")
    checked = None if items is None else homogeneity(items, spread)
    if checked is not None and not checked.is_sufficient:
        notes.append("the items are not alike enough for this standard deviation")
    kept = None if ages is None else stability(*ages, spread)
    if kept is not None and not kept.is_sufficient:
        notes.append("the items did not keep over the study")
    told = uncertainties or {}
    scores = tuple(
        _scored(name, means[name], len(results[name]), value, u, spread, told.get(name),
                coverage=coverage, is_uncertain=is_uncertain)
        for name in means
    )  # fmt: skip
    return Study(
        assigned=value,
        assigned_uncertainty=u,
        assigned_by=by,
        sigma=spread,
        sigma_by=sigma_by,
        is_uncertain=is_uncertain,
        robust=robust,
        scores=scores,
        precision=_precision(results),
        homogeneity=checked,
        stability=kept,
        notes=tuple(notes),
    )


def read_score(score: float) -> Score:
    """Give what a z score says: to 2 satisfactory, from 3 unsatisfactory."""
    if abs(score) <= 2:
        return Score.SATISFACTORY
    return Score.QUESTIONABLE if abs(score) < 3 else Score.UNSATISFACTORY


def _assigned(
    means: Mapping[str, float],
    assigned: tuple[float, float] | None,
    robust: Robust,
    *,
    by_median: bool,
) -> tuple[float, float, str]:
    if assigned is not None:
        return assigned[0], assigned[1], "given"
    if not by_median:
        return robust.mean, robust.uncertainty, "algorithm-a"
    data = np.array(list(means.values()))
    middle = float(np.median(data))
    mad = 1.4826 * float(np.median(np.abs(data - middle)))
    return middle, 1.25 * mad / math.sqrt(len(data)), "median"


def _sigma(
    value: float, robust: Robust, sigma: float | None, percent: float | None
) -> tuple[float, str]:
    if sigma is not None:
        found, by = sigma, "given"
    elif percent is not None:
        found, by = abs(value) * percent / 100, "percent"
    else:
        found, by = robust.sd, "robust"
    if not (math.isfinite(found) and found > 0):
        raise Refused(
            "no-variation",
            what="standard deviation for proficiency",
            found=f"{found:g}",
            limit="above zero",
            remedy="set it by purpose with --sigma or --sigma-percent",
            rule=RULE,
        )
    return found, by


def _scored(
    name: str,
    value: float,
    count: int,
    assigned: float,
    u: float,
    sigma: float,
    own: float | None,
    *,
    coverage: float,
    is_uncertain: bool,
) -> LaboratoryScore:
    difference = value - assigned
    z, z_prime = difference / sigma, difference / math.hypot(sigma, u)
    both = None if own is None else math.hypot(own, u)
    zeta = difference / both if both else None
    return LaboratoryScore(
        laboratory=name,
        value=value,
        results=count,
        difference_percent=100 * difference / assigned if assigned else None,
        z=z,
        z_prime=z_prime,
        zeta=zeta,
        en=None if zeta is None else zeta / coverage,
        score=read_score(z_prime if is_uncertain else z),
    )


def _precision(results: Mapping[str, Sequence[float]]) -> Precision | None:
    """Give repeatability and reproducibility by analysis of variance, unequal numbers allowed."""
    groups = [np.asarray(each, dtype=np.float64) for each in results.values() if len(each)]
    sizes = np.array([len(each) for each in groups], dtype=np.float64)
    total, count = float(sizes.sum()), len(groups)
    if count < 2 or np.sum(sizes > 1) < 2:
        return None
    within = math.fsum(float(((g - g.mean()) ** 2).sum()) for g in groups) / (total - count)
    grand = math.fsum(float(g.sum()) for g in groups) / total
    between_square = math.fsum(len(g) * (float(g.mean()) - grand) ** 2 for g in groups)
    usual = (total - float((sizes**2).sum()) / total) / (count - 1)
    between = max(0.0, (between_square / (count - 1) - within) / usual)
    return Precision(
        repeatability_sd=math.sqrt(within),
        between_sd=math.sqrt(between),
        reproducibility_sd=math.sqrt(within + between),
    )


def _balanced(results: Mapping[str, Sequence[float]]) -> Array:
    sizes = {len(each) for each in results.values()}
    if len(results) < 5 or len(sizes) != 1 or min(sizes, default=0) < 2:
        raise _too_few(
            "homogeneity check",
            f"{len(results)} items with {', '.join(map(str, sorted(sizes))) or 'no'} results",
            "five items or more (ten are advisable), each with the same number, two or more",
        )
    return np.array(list(results.values()), dtype=np.float64)


def _cochran_p(share: float, items: int, replicates: int) -> float:
    """Give the (Bonferroni) p-value of Cochran's share, by the F distribution."""
    if share >= 1:
        return 0.0
    freedom = replicates - 1
    f = share * (items - 1) / (1 - share)
    return min(1.0, items * float(special.fdtrc(freedom, freedom * (items - 1), f)))


def _slope(t: Array, y: Array) -> tuple[float, float]:
    centred = t - t.mean()
    square = float(centred @ centred)
    slope = float(centred @ y) / square
    rest = y - y.mean() - slope * centred
    freedom = len(y) - 2
    error = math.sqrt(float(rest @ rest) / freedom / square)
    if error == 0:
        return slope, 0.0 if slope else 1.0
    return slope, 2 * float(special.stdtr(freedom, -abs(slope / error)))


def _too_few(what: str, found: str, limit: str) -> Refused:
    return Refused(
        "too-few-observations",
        what=what,
        found=found,
        limit=limit,
        remedy="add results",
        rule=RULE,
    )
