"""Compiled descent for logistic curves that may share their parameters.

f = D + (A - D) / (1 + z)**G with z = exp(B (ln dose - c)). With B > 0, A is the response at dose
zero and D at infinite dose; G = 1 gives the four-parameter curve. The form is that of Rodbard and
Hutt (1974) and of Prentice (1976) for G. A table of places says which of the numbers sought
serves as A, B, c, D and G of each group, so that one kernel fits free, common and partly common
curves alike.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]

STEPS_MAX = 500
# Past these the curve is its own limit, and G tells nothing.
G_MIN, G_MAX = 0.02, 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A joint fit of one curve per group.

    Attributes:
        theta: The numbers sought.
        rss: Weighted residual sum of squares.
        normal: Weighted normal matrix at the minimum.
        fitted: The curve at each observation.
        converged: True when the search ended in a minimum.
    """

    theta: Array
    rss: float
    normal: Array
    fitted: Array
    converged: bool

    def inverse(self) -> Array | None:
        """Give the inverse of the normal matrix, or None where the data do not determine it."""
        scale = np.sqrt(np.diag(self.normal))
        if not np.all(scale > 0):
            return None
        scaled = self.normal / np.outer(scale, scale)
        if not np.all(np.isfinite(scaled)) or np.linalg.cond(scaled) > 1e13:
            return None
        return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))

    def variance_of(self, contrast: Array) -> float | None:
        """Give a contrast's variance per unit of residual variance, or None if undetermined.

        A ridge among other parameters (slope against asymmetry) does not matter, as long as the
        contrast does not lie along it.
        """
        scale = np.sqrt(np.diag(self.normal))
        if not np.all(np.isfinite(self.normal)) or not np.all(scale[contrast != 0] > 0):
            return None
        scale = np.where(scale > 0, scale, 1.0)
        values, axes = np.linalg.eigh(self.normal / np.outer(scale, scale))
        along = axes.T @ (contrast / scale)
        is_firm = values > 1e-13 * values[-1]
        if float(np.linalg.norm(along[~is_firm])) > 1e-5 * float(np.linalg.norm(along)):
            return None
        return float(np.sum(along[is_firm] ** 2 / values[is_firm]))


@numba.njit(cache=True)  # type: ignore[misc]
def _curve(ln: float, A: float, B: float, c: float, D: float, G: float, grad: Array) -> float:
    if ln == -math.inf:
        u = 1.0 if B > 0 else 0.0
        grad[0], grad[1], grad[2], grad[3], grad[4] = u, 0.0, 0.0, 1.0 - u, 0.0
        return D + (A - D) * u
    t = B * (ln - c)
    if t > 0:
        p = 1.0 / (1.0 + math.exp(-t))
        ln_one_z = t + math.log1p(math.exp(-t))
    else:
        e = math.exp(t)
        p = e / (1.0 + e)
        ln_one_z = math.log1p(e)
    u = math.exp(-G * ln_one_z)
    du = -G * u * p * (A - D)
    grad[0] = u
    grad[1] = du * (ln - c)
    grad[2] = -du * B
    grad[3] = 1.0 - u
    grad[4] = -u * ln_one_z * (A - D)
    return D + (A - D) * u


@numba.njit(cache=True)  # type: ignore[misc]
def _normal(
    ln: Array, y: Array, w: Array, group: Places, places: Places, theta: Array,
    N: Array, g: Array, fitted: Array,
) -> float:  # fmt: skip
    N[:] = 0.0
    g[:] = 0.0
    grad = np.empty(5)
    rss = 0.0
    for i in range(len(ln)):
        s = group[i]
        G = theta[places[s, 4]] if places[s, 4] >= 0 else 1.0
        if G < G_MIN or G > G_MAX:
            return math.inf
        f = _curve(
            ln[i], theta[places[s, 0]], theta[places[s, 1]], theta[places[s, 2]],
            theta[places[s, 3]], G, grad,
        )  # fmt: skip
        fitted[i] = f
        r = f - y[i]
        rss += w[i] * r * r
        for a in range(5):
            ja = places[s, a]
            if ja < 0:
                continue
            g[ja] += w[i] * grad[a] * r
            for b in range(5):
                jb = places[s, b]
                if jb >= 0:
                    N[ja, jb] += w[i] * grad[a] * grad[b]
    return rss if math.isfinite(rss) else math.inf


@numba.njit(cache=True)  # type: ignore[misc]
def _cholesky_solve(M: Array, b: Array, x: Array) -> bool:
    n = len(b)
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = M[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                if not s > 0.0:
                    return False
                L[i, i] = math.sqrt(s)
            else:
                L[i, j] = s / L[j, j]
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= L[i, k] * x[k]
        x[i] = s / L[i, i]
    for i in range(n - 1, -1, -1):
        s = x[i]
        for k in range(i + 1, n):
            s -= L[k, i] * x[k]
        x[i] = s / L[i, i]
    return True


@numba.njit(cache=True)  # type: ignore[misc]
def _descend(
    ln: Array, y: Array, w: Array, group: Places, places: Places, theta: Array,
    N: Array, fitted: Array,
) -> tuple[float, bool]:  # fmt: skip
    count = len(theta)
    g, g_new = np.empty(count), np.empty(count)
    N_new, M = np.empty((count, count)), np.empty((count, count))
    step, scale, down = np.empty(count), np.zeros(count), np.empty(count)
    fitted_new = np.empty(len(y))
    rss = _normal(ln, y, w, group, places, theta, N, g, fitted)
    damping, grow, quiet = 1e-3, 2.0, 0
    if rss == math.inf:
        return rss, False
    for _ in range(STEPS_MAX):
        for i in range(count):
            scale[i] = max(scale[i], N[i, i], 1e-300)
        for i in range(count):
            for j in range(count):
                M[i, j] = N[i, j]
            M[i, i] += damping * scale[i]
            down[i] = -g[i]
        for j in places[:, 4]:  # a G at its bound that would go past it stays there
            if j >= 0 and (theta[j] >= G_MAX if down[j] > 0 else theta[j] <= G_MIN):
                M[j, :] = 0.0
                M[:, j] = 0.0
                M[j, j] = 1.0
                down[j] = 0.0
        if not _cholesky_solve(M, down, step):
            damping = max(damping, 1e-12) * 10.0
            if damping > 1e15:
                return rss, False
            continue
        largest = 0.0
        for i in range(count):
            largest = max(largest, abs(step[i]) * math.sqrt(scale[i]))
        trial = theta + step
        for j in places[:, 4]:
            if j >= 0:
                trial[j] = min(max(trial[j], G_MIN), G_MAX)
        new = _normal(ln, y, w, group, places, trial, N_new, g_new, fitted_new)
        small = largest * largest <= 1e-19 * rss
        if new <= rss:
            little = rss - new <= 1e-14 * rss
            theta[:] = trial
            N[:] = N_new
            g[:] = g_new
            fitted[:] = fitted_new
            rss = new
            damping = max(damping * 0.1, 1e-14)
            grow = 2.0
            quiet = quiet + 1 if little else 0
            if small or quiet >= 2 or rss == 0.0:
                return rss, True
        else:
            if small or damping > 1e15:
                return rss, True
            damping *= grow
            grow = min(2.0 * grow, 1e6)
    return rss, False


def descend_curves(
    ln: Array, y: Array, weight: Array, group: Places, places: Places, start: Array
) -> Curve:
    """Walk from `start` to the joint minimum of all groups' curves.

    Args:
        ln: Natural logarithm of the dose; minus infinity for dose zero.
        y: Responses.
        weight: Weights.
        group: Number of each observation's group.
        places: For each group, where A, B, c, D and G stand in the numbers sought; -1 holds G at 1.
        start: Where the search begins.
    """
    theta = np.array(start, dtype=np.float64)
    N = np.zeros((len(theta), len(theta)))
    fitted = np.zeros(len(y))
    rss, converged = _descend(ln, y, weight, group, places, theta, N, fitted)
    return Curve(theta=theta, rss=float(rss), normal=N, fitted=fitted, converged=bool(converged))


def lone_curve(ln: Array, y: Array, weight: Array, *, skew: bool) -> Curve:
    """Fit one curve of its own (A, B, c, D and, with `skew`, G), from several starts."""
    places = np.array([[0, 1, 2, 3, 4 if skew else -1]], dtype=np.int64)
    group = np.zeros(len(y), dtype=np.int64)
    best: Curve | None = None
    for start in _starts(ln, y, skew):
        found = descend_curves(ln, y, weight, group, places, start)
        if best is None or found.rss < best.rss * (1 - 1e-9):
            best = found
        if not skew and best.converged and found is best and _is_clear(best, y, weight):
            break
    if best is None:  # _starts gives at least one
        raise AssertionError("no start")
    return _turned(best, skew)


def _is_clear(curve: Curve, y: Array, weight: Array) -> bool:
    """Say whether the curve explains so much that no other start can end elsewhere."""
    mean = float(weight @ y / weight.sum())
    return curve.rss < 0.1 * float(weight @ (y - mean) ** 2)


def _turned(curve: Curve, skew: bool) -> Curve:
    """Turn a four-parameter curve so that B > 0."""
    if skew or curve.theta[1] >= 0:
        return curve
    A, B, c, D = curve.theta
    order = [3, 1, 2, 0]
    normal = curve.normal[np.ix_(order, order)].copy()
    normal[1, :] *= -1
    normal[:, 1] *= -1
    return Curve(
        theta=np.array([D, -B, c, A]),
        rss=curve.rss,
        normal=normal,
        fitted=curve.fitted,
        converged=curve.converged,
    )


def _starts(ln: Array, y: Array, skew: bool) -> list[Array]:
    finite = np.isfinite(ln)
    inside = ln[finite]
    levels = np.unique(inside)
    means = np.array([y[finite][inside == level].mean() for level in levels])
    first = float(y[~finite].mean()) if not finite.all() else float(means[0])
    last = float(means[-1])
    spread = float(np.ptp(y)) or 1.0
    if abs(last - first) < 0.2 * spread:  # a hook or a narrow range: take the extremes
        first, last = float(means.min()), float(means.max())
        if means[0] > means[-1]:
            first, last = last, first
    margin = 0.03 * (last - first)
    A, D = first - margin, last + margin
    share = np.clip((means - A) / ((D - A) or 1.0), 0.01, 0.99)
    logit = np.log(share / (1 - share))
    slope, level = np.polyfit(levels, logit, 1) if len(levels) > 1 else (1.0, 0.0)
    slope = float(slope) if slope > 0.05 else 1.0
    half = np.argmin(np.abs(share - 0.5))
    middle = -float(level) / slope if levels[0] <= -level / slope <= levels[-1] else levels[half]
    base = [
        (A, slope, middle, D),
        (A, 2.5 * slope, float(levels[half]), D),
        (A, 1.0, float(levels[0]), D),
        (A, 1.0, float(levels[-1]), D),
    ]
    if skew:
        return [np.array([*b, G]) for b in base[:2] for G in (1.0, 0.4, 2.5)]
    return [np.array(b) for b in base]
