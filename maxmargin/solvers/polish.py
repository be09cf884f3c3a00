"""The last digits of an LP vertex: its active linear system, solved again in float64 with refinement.

HiGHS stops at absolute feasibilities of 1e-10.  At a vertex the support S of p and the active columns B satisfy

    sum_{k in B} w_k h_ki = gamma  (i in S),  sum w = 1    and    sum_{i in S} p_i h_ki = gamma  (k in B),  sum p = 1,

two linear systems with the same matrix (transposed), whose residuals are summed in extended precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .master import MasterSolution, evaluate

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-11


def polish(columns: Array, solution: MasterSolution, refinements: int = 3) -> MasterSolution:
    """The same vertex with p and weights refined; each is kept only where it improves value or margin.

    Parameters
    ----------
    columns : (K, n) columns h_k of the restricted game.
    solution : its solution by the LP solver.
    """
    p, weights = solution.p, solution.weights
    S, B = np.flatnonzero(p > _NEGLIGIBLE), np.flatnonzero(weights > _NEGLIGIBLE)
    active = columns[np.ix_(B, S)]
    refined_p, refined_weights = p.copy(), weights.copy()
    refined_p[S] = _equalise(active, p[S], refinements)
    refined_weights[B] = _equalise(active.T, weights[B], refinements)
    refined = evaluate(columns, _simplex(refined_p), _simplex(refined_weights))
    return MasterSolution(
        refined.p if refined.value < solution.value else p,
        refined.weights if refined.margin > solution.margin else weights,
        min(refined.value, solution.value),
        max(refined.margin, solution.margin),
    )


def _equalise(A: Array, x: Array, refinements: int) -> Array:
    """Least correction of x that makes all entries of A x equal and sum x one."""
    rows, size = A.shape
    unit = np.abs(A).max() or 1.0
    system = np.zeros((rows + 1, size + 1))
    system[:rows, :size], system[:rows, size], system[rows, :size] = A / unit, -1.0, 1.0
    extended, pseudo_inverse = system.astype(np.longdouble), np.linalg.pinv(system, rcond=1e-13)
    target = np.zeros(rows + 1, np.longdouble)
    target[rows] = 1.0
    unknown = np.append(x, (system[:rows, :size] @ x).mean()).astype(np.longdouble)
    for _ in range(refinements):
        unknown += pseudo_inverse @ (target - extended @ unknown).astype(float)
    return unknown[:size].astype(float)


def _simplex(x: Array) -> Array:
    x = np.maximum(x, 0.0)
    return x / x.sum()
