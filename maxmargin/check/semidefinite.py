"""Positive semidefiniteness of a symmetric matrix that is known up to rounding, proved in floating point.

If the floating-point Cholesky factorisation of A = S - c I runs to its end, then S - c I + ||dA|| I is positive
semidefinite with ``||dA|| <= gamma_{m+1}/(1 - gamma_{m+1}) tr A`` (Rump, BIT 46, 2006; any order of summation, no
underflow).  NumPy's (LAPACK's) factorisation is trusted to use IEEE operations, not to be accurate beyond that.
"""

from __future__ import annotations

import math

import numpy as np

from .exact import relative_error
from .fields import Array


def shift_to_semidefinite(S: Array, error: Array) -> tuple[float, Array]:
    """A delta >= 0 and e > 0 such that A + delta diag(e) is PSD for every symmetric A within `error` (entrywise) of S.

    delta = 0 whenever that can be proved; inf when S is no finite matrix.
    """
    if not (np.isfinite(S).all() and np.isfinite(error).all()):
        return math.inf, np.ones(len(S))
    diagonal = np.abs(np.diag(S))
    # Powers of two scale without rounding.
    roots = np.exp2(np.round(0.5 * np.log2(np.maximum(diagonal, 1e-12 * np.abs(S).max() + 1e-280))))
    scaled = S / np.outer(roots, roots)
    scaled_error = error / np.outer(roots, roots)
    # The spectral norm of a symmetric non-negative matrix is at most its largest row sum, and its Frobenius norm.
    size = min(float(scaled_error.sum(axis=1).max()), float(np.linalg.norm(scaled_error))) * (1.0 + 1e-9)
    if _is_semidefinite(scaled, size):
        return 0.0, roots**2
    delta = max(0.0, -float(np.linalg.eigvalsh(scaled)[0])) + 2.0 * size + 1e-15 * len(S)
    while not _is_semidefinite(
        scaled + delta * np.eye(len(S)), size + 2.0**-51 * (delta + float(diagonal.max(initial=0.0)))
    ):
        delta *= 1.5
        if not math.isfinite(delta):
            return math.inf, roots**2
    return delta * (1.0 + 1e-12), roots**2


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
