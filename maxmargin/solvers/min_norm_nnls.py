"""The kernel margin as one non-negative least squares problem: a second route, independent of the active-set method."""

from __future__ import annotations

import math
import time

import numpy as np

from .. import memory
from ..conventions import Array
from ..errors import SolverError
from ..games.game import Pair
from ..games.rkhs import Gram, KernelExpansion
from ..outcome import Attempt


def nnls_point(K: Gram, y: Array) -> Pair:
    """argmin_{p in simplex} p'YKYp by Lawson and Hanson's algorithm (``scipy.optimize.nnls``).

    ::

        min_{a >= 0} |F a|^2 + (sum a - 1)^2,     F'F = Y K Y,     p = a / sum a

    has the minimiser of p'YKYp over the simplex on its ray, since the objective at ``a = s p`` is
    ``s^2 p'YKYp + (s - 1)^2``, least where p'YKYp is.  For n up to about 2000.

    Parameters
    ----------
    K : (n, n) Gram matrix.  y : (n,) labels +-1.

    Raises
    ------
    InputError : the factorisation does not fit the memory.  SolverError : the iteration limit was reached.
    """
    from scipy.optimize import nnls

    start, n = time.perf_counter(), len(y)
    memory.require(4 * 8.0 * n * n, f"NNLS with n = {n} points", "use the solver 'auto'")
    K = np.asarray(K)
    unit = float(np.diagonal(K).max(initial=0.0)) or 1.0
    eigenvalues, vectors = np.linalg.eigh(K / unit)
    F = np.sqrt(np.maximum(eigenvalues, 0.0))[:, None] * (vectors.T * y)
    try:
        a, _ = nnls(np.vstack([F, np.ones(n)]), np.append(np.zeros(n), 1.0), maxiter=30 * n)
    except RuntimeError as error:
        raise SolverError(f"NNLS stopped before it converged ({error}); use the solver 'auto'") from error
    p = a / a.sum()
    margin = math.sqrt(max(float((y * p) @ K @ (y * p)), 0.0)) or 1.0
    attempt = Attempt("nnls", "converged", time.perf_counter() - start)
    return Pair(KernelExpansion(y * p / margin), p, attempts=(attempt,))
