"""The soft kernel game: least norm over the capped simplex, by a one-class SVM and a refinement of its digits.

    gamma_nu^2 = min { p' Q p : sum p = 1, 0 <= p_i <= cap },      Q = Y K Y,      cap = 1 / (nu n)

This is the dual of the one-class SVM with the signed Gram matrix Q and its parameter nu, so that scikit-learn's
`OneClassSVM` solves it.  LIBSVM keeps Q in single precision: it is asked for the active set, whose linear system is
then solved here, with points of wrong sign exchanged until none is left.
"""

from __future__ import annotations

import math
import time
import warnings

import numpy as np

from ..conventions import Array, Mask
from ..games.game import Pair
from ..games.rkhs import Gram, KernelExpansion
from ..games.soft import capped, worst_mean
from ..outcome import Attempt

_EXCHANGES = 100
_EDGE = 1e-9  # fraction of the cap within which a weight lies on its bound
_TOLERANCE = 1e-8


def soft_margin(K: Gram, y: Array, cap: float, tol: float = 1e-9) -> Pair:
    """Maximise the soft margin over the RKHS ball of the Gram matrix K.

    Parameters
    ----------
    K : (n, n) positive semidefinite Gram matrix (read whole).
    y : (n,) labels +-1.
    cap : largest weight on one point, 1/(nu n) with nu in [1/n, 1].
    tol : relative gap of gamma_nu at which to stop.

    Returns
    -------
    Pair : for `games.soft.Capped` to certify.
    """
    start, Q = time.perf_counter(), np.asarray(K) * np.outer(y, y)
    unit = float(np.diagonal(Q).max()) or 1.0
    p, gap, rounds = _exchange(Q / unit, _support_vector_machine(Q / unit, cap), cap, tol)
    square = float(p @ Q @ p)
    attempt = Attempt("one-class-svm", f"relative gap {gap:.1e}", time.perf_counter() - start)
    learner = KernelExpansion(y * p / (math.sqrt(square) if square > 0.0 else 1.0))
    return Pair(learner, p, attempts=(attempt,), rounds=rounds)


def _support_vector_machine(Q: Array, cap: float) -> Array:
    n = len(Q)
    if cap * n <= 1.0 + _EDGE:
        return np.full(n, 1.0 / n)
    return capped(one_class_weights(Q, min(1.0, 1.0 / (cap * n)), _TOLERANCE, 200 * n + 10_000), cap)


def one_class_weights(Q: Array, nu: float, tol: float, most: int) -> Array:
    """The weights (n,) >= 0 of the one-class SVM of the Gram matrix Q after at most so many iterations."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import OneClassSVM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine = OneClassSVM(kernel="precomputed", nu=nu, tol=tol, max_iter=most).fit(Q)
    p = np.zeros(len(Q))
    p[machine.support_] = np.maximum(machine.dual_coef_[0], 0.0)
    return p


def _exchange(Q: Array, p: Array, cap: float, tol: float) -> tuple[Array, float, int]:
    """Solve for the free weights with the others at 0 or cap; exchange all that are wrong; keep the best p."""
    best, best_gap = p, _relative_gap(Q, p, cap)
    free, full = (p > _EDGE * cap) & (p < (1.0 - _EDGE) * cap), p >= (1.0 - _EDGE) * cap
    for rounds in range(_EXCHANGES):
        if best_gap <= tol or not free.any():
            return best, best_gap, rounds
        x, level = _stationary(Q, free, full, cap)
        candidate = capped(np.clip(x, 0.0, cap), cap)
        gap = _relative_gap(Q, candidate, cap)
        if gap < best_gap:
            best, best_gap = candidate, gap
        margins = Q @ x
        low, high = free & (x <= 0.0), free & (x >= cap)
        loose = (~free & ~full & (margins < level)) | (full & (margins > level))
        if not (low | high | loose).any():
            return best, best_gap, rounds
        free, full = (free & ~low & ~high) | loose, (full & ~loose) | high
    return best, best_gap, _EXCHANGES


def _stationary(Q: Array, free: Mask, full: Mask, cap: float) -> tuple[Array, float]:
    """x with Q x = level on the free points, cap on the full ones, 0 elsewhere, and sum one."""
    k = int(free.sum())
    system, right = np.zeros((k + 1, k + 1)), np.zeros(k + 1)
    system[:k, :k], system[:k, k], system[k, :k] = Q[np.ix_(free, free)], -1.0, 1.0
    right[:k], right[k] = -cap * Q[np.ix_(free, full)].sum(axis=1), 1.0 - cap * full.sum()
    try:
        solution = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        solution = np.linalg.lstsq(system, right, rcond=None)[0]
    x: Array = cap * full.astype(float)
    x[free] = solution[:k]
    return x, float(solution[k])


def _relative_gap(Q: Array, p: Array, cap: float) -> float:
    """1 - lower/upper of p and of its own best response."""
    margins = Q @ p
    square = float(p @ margins)
    return max(0.0, 1.0 - max(worst_mean(margins, cap), 0.0) / square) if square > 0.0 else 0.0
