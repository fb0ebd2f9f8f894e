"""Lines of batches that are a random sample: restricted maximum likelihood."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def random_lines(
    month: Array, value: Array, index: NDArray[np.int64], count: int
) -> tuple[Array, Array, Array, float, float]:
    """Fit y = (a + u) + (b + v) month + e by restricted maximum likelihood.

    Args:
        month: Age of each result.
        value: The results.
        index: Number of each result's batch.
        count: Number of batches.

    Returns:
        The mean line and its covariance, the covariance between batches, the error's variance, and
        the weighted residual sum of squares.

    The covariance of (u, v) relative to the error's variance is sought through its Cholesky
    factor; mean and error variance are profiled out (Lindstrom and Bates, JASA 83, 1988).
    """
    from scipy import optimize  # slow to load, and only mixed models need it

    span = float(month.max()) or 1.0
    X = np.column_stack([np.ones(len(value)), month / span])
    groups = [np.flatnonzero(index == k) for k in range(count)]
    n = len(value)
    middle = float(value.mean())
    y = value - middle
    # Sums per batch are all that the likelihood needs: its matrices are two by two (Woodbury).
    ZtZ = np.array([X[rows].T @ X[rows] for rows in groups])
    Zty = np.array([X[rows].T @ y[rows] for rows in groups])
    yty_all = float(y @ y)

    def parts(factor: Array) -> tuple[Array, Array, float, float]:
        L = np.array([[factor[0], 0.0], [factor[1], factor[2]]])
        psi = L @ L.T
        inner = np.eye(2) + ZtZ @ psi
        M = psi @ np.linalg.inv(inner)
        XtX = np.sum(ZtZ - ZtZ @ M @ ZtZ, axis=0)
        Xty = np.sum(Zty - np.einsum("gij,gj->gi", ZtZ @ M, Zty), axis=0)
        yty = yty_all - float(np.einsum("gi,gij,gj->", Zty, M, Zty))
        logdet = float(np.sum(np.linalg.slogdet(inner)[1]))
        beta: Array = np.asarray(np.linalg.solve(XtX, Xty), dtype=np.float64)
        rss = max(yty - float(beta @ Xty), 1e-300)
        badness = (n - 2) * math.log(rss) + logdet + float(np.linalg.slogdet(XtX)[1])
        return beta, XtX, rss, badness

    best = None
    for start in ([1.0, 0.0, 1.0], [0.1, 0.0, 0.1], [3.0, 0.0, 0.3]):
        found = optimize.minimize(
            lambda v: parts(v)[3],
            np.array(start),
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 8000},
        )
        if best is None or found.fun < best.fun:
            best = found
    factor = np.asarray(best.x) if best is not None else np.zeros(3)
    beta, XtX, rss, _ = parts(factor)
    sigma2 = rss / (n - 2)
    L = np.array([[factor[0], 0.0], [factor[1], factor[2]]])
    back: Array = np.diag(np.array([1.0, 1.0 / span], dtype=np.float64))
    between = back @ (L @ L.T * sigma2) @ back
    covariance: Array = np.asarray(back @ (np.linalg.inv(XtX) * sigma2) @ back, float)
    mean = np.asarray(back @ beta, dtype=np.float64)
    mean[0] += middle
    return mean, covariance, np.asarray(between, dtype=np.float64), sigma2, rss
