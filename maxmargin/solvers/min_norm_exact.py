"""The min-norm point refined in exact arithmetic, and written down in doubles that keep its margin.

Two things limit `min_norm_point` to a relative gap of ``u r^2/gamma^2`` (u the unit roundoff, r^2 the size of K_ii):
its residuals, and the rounding of the coefficients themselves.  Both can be had:

* iterative refinement with residuals in integers (`ExactGram`) finds the minimiser to 30 digits;
* the rounding errors e of the coefficients on the support S move the margins there by K_SS e.  Tiny coefficients d on
  the *other* points J, which floats resolve far below u, take that back: K_SJ d = -K_SS e, with a truncated singular
  value decomposition that keeps d, and so what it does elsewhere, small.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..features.kernels_exact import BITS, Integers, integers
from ..games.certificate import Attempt
from .affine_hull import AffineHull

Array = NDArray[np.float64]

NAME = "exact-refinement"
_FRACTION = 120  # binary digits of the refined weights, whose sum is one
_STEPS, _ROUNDS = 40, 20
_ELIMINATED, _DIGITS = 150, 300  # points, and binary digits beyond those of Q, of an exact elimination
_RESIDUAL, _SLACK = 1e-25, 1e-14  # relative to gamma^2
_TRUNCATION = 1e-8  # singular values below this fraction of the largest would need large corrections


class Pair(NamedTuple):
    """Coefficients (n,) of norm one, and weights p (n,) on the simplex."""

    coefficients: Array
    p: Array


def refine(matrix: Integers, y: Array, p: Array, scale: float) -> tuple[Pair | None, Attempt]:
    """A pair whose gap is far below that of p, or None where refinement does not converge; and what was tried.

    Parameters
    ----------
    matrix : (n, n) ``2**BITS K`` as integers.
    y : (n,) labels.  p : (n,) nearly optimal weights, whose support is the first guess.
    scale : the Gram matrix is scale^2 K; the coefficients returned have norm one there.
    """
    start = time.perf_counter()
    signs = y.astype(int).astype(object)
    Q = matrix * np.outer(signs, signs)
    x = _minimiser(Q, p)
    if x is None:
        return None, Attempt(NAME, "did not converge", time.perf_counter() - start)
    coefficients, weights = y * _doubles(Q, x, scale), _floats(x, _FRACTION)
    attempt = Attempt(NAME, "converged", time.perf_counter() - start)
    return Pair(coefficients, weights / weights.sum()), attempt


def _minimiser(Q: Integers, p: Array) -> Integers | None:
    """argmin x'Qx over the simplex in units of 2**-_FRACTION: solve on a support, exchange all wrong points, repeat."""
    support = p > 0.0
    for _ in range(_ROUNDS):
        x = np.zeros(len(p), dtype=object)
        solution = _affine_minimiser(Q[np.ix_(support, support)])
        if solution is None:
            return None
        x[support] = solution
        margins = _floats(Q @ x, BITS + _FRACTION)
        level = float(margins[support].mean())
        wrong = np.where(support, (x <= 0).astype(bool), margins < (1.0 - _SLACK) * level)
        if not wrong.any():
            return x
        support = support ^ wrong
        if not support.any():
            return None
    return None


def _affine_minimiser(Q: Integers) -> Integers | None:
    """The least-norm point of the affine hull: Q x = level 1, sum x = 1; None when Q is too nearly singular."""
    x = _refined(Q)
    return _eliminated(Q) if x is None and len(Q) <= _ELIMINATED else x


def _eliminated(Q: Integers) -> Integers | None:
    """By elimination without pivots (Q is positive definite), in `_DIGITS` more binary digits."""
    n = len(Q)
    A = np.concatenate([Q << _DIGITS, np.full((n, 1), 1 << (BITS + _DIGITS), dtype=object)], axis=1)
    for k in range(n):
        if A[k, k] <= 0:
            return None
        factors = (A[k + 1 :, k] << (BITS + _DIGITS)) // A[k, k]
        A[k + 1 :, k:] -= np.outer(factors, A[k, k:]) >> (BITS + _DIGITS)
    u = np.zeros(n, dtype=object)
    for k in reversed(range(n)):
        u[k] = ((A[k, n] - (int(A[k, k + 1 : n] @ u[k + 1 :]) >> _DIGITS)) << _DIGITS) // A[k, k]
    total = int(u.sum())
    return np.asarray((u << _FRACTION) // total, dtype=object) if total > 0 else None


def _refined(Q: Integers) -> Integers | None:
    """By refinement of a float64 solution with exact residuals; None when it does not converge."""
    hull = AffineHull(_floats(Q, BITS))
    ones = hull.correction(np.ones(len(Q)))
    x = _fixed(hull.minimiser(), _FRACTION)
    for _ in range(_STEPS):
        image, total = Q @ x, int(x.sum())
        level = int(x @ image) // total
        residual = _floats(level - image, BITS + _FRACTION)
        if level <= 0:
            return None
        if np.abs(residual).max() <= _RESIDUAL * math.ldexp(float(level), -BITS - _FRACTION):
            return x
        step = hull.correction(residual)
        x = x + _fixed(step - ones * (step.sum() / ones.sum()), _FRACTION)
    return None


def _doubles(Q: Integers, x: Integers, scale: float) -> Array:
    """x over its norm as doubles; the rounding on the support is made good on the other points."""
    square = int(x @ (Q @ x))  # x'Qx in units of 2**-(2 _FRACTION + BITS)
    root = math.isqrt(square << BITS)  # sqrt(x'Qx) in units of 2**-(_FRACTION + BITS)
    target = np.array([(int(v) << 2 * BITS) // root for v in x], dtype=object)  # x / norm in units of 2**-BITS
    c = _floats(target, BITS)
    S, J = np.flatnonzero(c), np.flatnonzero(c == 0.0)
    missing = target[S] - _fixed(c[S], BITS)
    wanted = _floats(Q[np.ix_(S, S)] @ missing, 2 * BITS)
    if len(J):
        c[J] = np.linalg.lstsq(_floats(Q[np.ix_(S, J)], BITS), wanted, rcond=_TRUNCATION)[0]
    return c / scale


def _floats(values: Any, bits: int) -> Array:
    """Integers in units of 2**-bits as floats, each rounded once."""
    flat = [math.ldexp(float(int(v)), -bits) for v in np.ravel(values)]
    return np.array(flat).reshape(np.shape(values))


def _fixed(values: Array, bits: int) -> Integers:
    """Floats in units of 2**-bits, rounded down."""
    whole, exponent = integers(values)
    return whole << (exponent + bits) if exponent + bits >= 0 else whole >> -(exponent + bits)
