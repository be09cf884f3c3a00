"""Positive semidefiniteness of a symmetric matrix that is known up to rounding, proved in floating point.

If the floating-point Cholesky factorisation of A = S - c I runs to its end, then S - c I + ||dA|| I is positive
semidefinite with ``||dA|| <= gamma_{m+1}/(1 - gamma_{m+1}) tr A`` (Rump, BIT 46, 2006; any order of summation, no
underflow).  NumPy's (LAPACK's) factorisation is trusted to use IEEE operations, not to be accurate beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .exact import relative_error
from .fields import Array


def lacking(S: Array, error: Array, budget: Callable[[Array], float], units: Array | None = None) -> float:
    """A bound on ``-v'Av`` for every symmetric A within `error` (entrywise) of S and all admissible v; 0 if A is PSD.

    If A + delta diag(e) is semidefinite, ``-v'Av <= delta v'diag(e)v``.  Three diagonals e are tried: the one of S, for
    variables in different units; the identity, for a matrix that is singular where its diagonal vanishes; and the
    diagonal in the `units` of the variables, where those are known, with its smallest entries raised in these units.

    Parameters
    ----------
    budget : e > 0 -> an upper bound on v'diag(e)v over all admissible v.
    units : (m,) sizes of 1/v_i, powers of two.

    Returns
    -------
    float : inf when S is no finite matrix.
    """
    if not (np.isfinite(S).all() and np.isfinite(error).all()):
        return math.inf
    diagonal, top = np.abs(np.diag(S)), np.abs(S).max(initial=0.0)
    least = math.inf
    diagonals = [np.maximum(diagonal, 1e-12 * top + 1e-280), np.full(len(S), top + 1e-280)]
    if units is not None:
        natural = diagonal / (units * units)
        diagonals.append(units * units * np.maximum(natural, 1e-12 * natural.max(initial=0.0) + 1e-280))
    for sizes in diagonals:
        roots = np.exp2(np.round(0.5 * np.log2(sizes)))  # powers of two scale without rounding
        delta = _shift(S / np.outer(roots, roots), error / np.outer(roots, roots))
        if delta == 0.0:
            return 0.0
        least = min(least, delta * budget(roots**2) * (1.0 + relative_error(len(S) + 16)))
    return least


def _shift(S: Array, error: Array) -> float:
    """A delta >= 0 such that A + delta I is PSD for every symmetric A within `error` of S."""
    # The spectral norm of a symmetric non-negative matrix is at most its largest row sum, and its Frobenius norm.
    size = min(float(error.sum(axis=1).max()), float(np.linalg.norm(error))) * (1.0 + 1e-9)
    if _is_semidefinite(S, size):
        return 0.0
    delta = max(0.0, -float(np.linalg.eigvalsh(S)[0])) + 2.0 * size + 1e-15 * len(S)
    largest = float(np.abs(np.diag(S)).max())
    while not _is_semidefinite(S + delta * np.eye(len(S)), size + 2.0**-51 * (delta + largest)):
        delta *= 1.5
        if not math.isfinite(delta):
            return math.inf
    return delta


def _is_semidefinite(S: Array, error: float) -> bool:
    """All symmetric matrices within `error` (spectral norm) of S are PSD; False means not proved."""
    m = len(S)
    trace = float(np.abs(np.diag(S)).sum())
    gamma = relative_error(m + 2)
    # the subtraction of c rounds each diagonal entry once; 1e-290 m^2 covers underflow
    c = (error + gamma / (1.0 - gamma) * trace + 2.0**-52 * (trace + error)) * (1.0 + 1e-9) + 1e-290 * m * m
    try:
        np.linalg.cholesky(S - c * np.eye(m))
    except np.linalg.LinAlgError:
        return False
    return True
