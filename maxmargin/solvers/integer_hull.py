"""The least-norm point of a convex hull in integers: solutions on a support, and two ways to the right support.

    min x'Qx,  x >= 0,  sum x = 1;      Q and x in units of 2**-bits

Refinement of a solution in doubles, with residuals in integers, solves on a support; where doubles fail, elimination
in integers does.  `exchanged` is fast from a nearly right support, `walked` (Wolfe, Math. Programming 11, 1976) is
finite from anywhere, for singular Q as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..clock import Clock
from ..conventions import Array, Indices, Mask
from ..features.kernels_exact import Integers, integers
from .affine_hull import AffineHull

_STEPS, _PATIENCE = 40, 3
_ELIMINATED = 250  # largest number of points of an exact elimination (some seconds)
_RESIDUAL = 1e-25  # residual, relative to x'Qx, at which the solve ends
_SLACK = 46  # margins that agree to this many binary digits count as equal


def exchanged(Q: Integers, p: Array, bits: int, clock: Clock) -> Integers | None:
    """Solve on the support of p, exchange all wrong points at once, repeat; None when that does not end.

    Once the number of wrong points has not fallen for `_PATIENCE` rounds, one point a round is exchanged, the last
    wrong one, until it falls again (Judice and Pires, Comput. Oper. Res. 21, 1994).
    """
    support = p > 0.0
    fewest, patience = len(p) + 1, _PATIENCE
    seen: set[bytes] = set()
    while support.any() and support.tobytes() not in seen and not clock.expired:
        seen.add(support.tobytes())
        x = np.zeros(len(p), dtype=object)
        solution = _affine_minimiser(Q[np.ix_(support, support)], bits)
        if solution is None:
            return None
        x[support] = solution
        support = support & (x != 0).astype(bool)
        wrong = np.where(support, (x < 0).astype(bool), _low(Q, x, bits))
        count = int(wrong.sum())
        if count == 0:
            return x
        patience = _PATIENCE if count < fewest else patience - 1
        fewest = min(count, fewest)
        if patience < 0:
            wrong[: np.flatnonzero(wrong)[-1]] = False
        support = support ^ wrong
    return None


def walked(Q: Integers, bits: int, clock: Clock) -> Integers | None:
    """One point enters at a time, and the norm falls in every step; None when the time is over."""
    x = np.zeros(len(Q), dtype=object)
    x[int(np.argmin(np.diagonal(Q)))] = 1 << bits
    last = None
    while not clock.expired:
        margins = Q @ x
        level = int(x @ margins)
        low = _low(Q, x, bits) & (x == 0).astype(bool)
        if not low.any() or (last is not None and level >= last):
            return x
        last = level
        S = np.flatnonzero(x)
        x = _descended(Q, x, np.append(S, np.flatnonzero(low)[np.argmin(margins[low])]), bits, clock)
    return None


def _low(Q: Integers, x: Integers, bits: int) -> Mask:
    """Points whose margin is below x'Qx."""
    margins = Q @ x
    level = int(x @ margins) >> bits
    return np.asarray((margins < level - (level >> _SLACK)).astype(bool))


def _descended(Q: Integers, x: Integers, S: Indices, bits: int, clock: Clock) -> Integers:
    """The minimiser over the hull of some of the points S, on the way from x: towards that of their affine hull until
    a weight vanishes, drop that point, repeat. When time is up, the feasible point so far.
    """
    while not clock.expired:
        target = eliminated(Q[np.ix_(S, S)], bits)
        out = np.zeros(len(x), dtype=object)
        if target is None:
            return x
        if (target >= 0).all():
            out[S] = target
            return out
        weights = x[S]
        falling = np.flatnonzero((target < 0).astype(bool))
        first = min(falling, key=lambda i: weights[i] / (weights[i] - target[i]))
        step, whole = int(weights[first]), int(weights[first] - target[first])
        weights = np.maximum(weights + (target - weights) * step // whole, 0)
        weights[first] = 0
        out[S] = weights
        x, S = out, np.delete(S, first)
    return x


def _affine_minimiser(Q: Integers, bits: int) -> Integers | None:
    """The least-norm point of the affine hull: Q x = level 1, sum x = 1; None when Q is too nearly singular."""
    x = _refined(Q, bits)
    return eliminated(Q, bits) if x is None and len(Q) <= _ELIMINATED else x


def eliminated(Q: Integers, bits: int, offset: Integers | None = None, mass: int | None = None) -> Integers | None:
    """By elimination with ``2 bits`` more digits; a point that depends on those before it keeps weight 0.

    Adding a constant c to all entries changes x'Qx by c (sum x)^2 and makes Q positive definite unless the points
    are affinely dependent.

    Parameters
    ----------
    offset : (n,) what other points add to the margins Q x, in units of ``2**-(2 bits)``; by default nothing.
    mass : sum of x in units of ``2**-bits``; by default one.
    """
    n, digits = len(Q), 2 * bits
    one = bits + digits
    Q = Q + int(np.diagonal(Q).max())
    right = [np.full(n, 1 << one, dtype=object)] + ([] if offset is None else [-offset << bits])
    A = np.concatenate([Q << digits, np.stack(right, axis=1)], axis=1)
    kept = []
    for k in range(n):
        if A[k, k] <= Q[k, k] << (digits - 7 * bits // 8):  # a pivot of rounding only
            continue
        kept.append(k)
        factors = (A[k + 1 :, k] << one) // A[k, k]
        A[k + 1 :, k:] -= np.outer(factors, A[k, k:]) >> one
    solved = np.zeros((len(right), n), dtype=object)
    for u, side in zip(solved, A[:, n:].T, strict=True):
        for k in reversed(kept):
            u[k] = ((side[k] - (int(A[k, k + 1 : n] @ u[k + 1 :]) >> digits)) << digits) // A[k, k]
    total = int(solved[0].sum())
    if total <= 0:
        return None
    if mass is None:
        mass = 1 << bits
    if offset is None:
        return np.asarray(solved[0] * mass // total, dtype=object)
    multiple = (mass << (digits - bits)) - int(solved[1].sum())
    return np.asarray((solved[1] + solved[0] * multiple // total) >> (digits - bits), dtype=object)


def _refined(Q: Integers, bits: int) -> Integers | None:
    """By refinement of a float64 solution with exact residuals; None when it does not converge."""
    start = floats(Q, bits)
    if not (np.diagonal(start) > 0.0).all():
        return None
    hull = AffineHull(start)
    ones = hull.correction(np.ones(len(Q)))
    x = fixed(hull.minimiser(), bits)
    last = math.inf
    for _ in range(_STEPS):
        image, total = Q @ x, int(x.sum())
        if total <= 0:
            return None
        level = int(x @ image) // total
        residual = floats(level - image, 2 * bits)
        size = float(np.abs(residual).max())
        if level <= 0 or not size < last:
            return None
        if size <= _RESIDUAL * _float(level, 2 * bits):
            return x
        last = size
        step = hull.correction(residual)
        x = x + fixed(step - ones * (step.sum() / ones.sum()), bits)
    return None


def floats(values: Any, bits: int) -> Array:
    """Integers in units of 2**-bits as floats, each rounded once."""
    flat = [_float(int(v), bits) for v in np.ravel(values)]
    return np.array(flat).reshape(np.shape(values))


def _float(value: int, bits: int) -> float:
    excess = max(abs(value).bit_length() - 1000, 0)  # beyond what a double holds
    try:
        return math.ldexp(float(value >> excess), excess - bits)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def fixed(values: Array, bits: int) -> Integers:
    """Floats in units of 2**-bits, rounded down."""
    whole, exponent = integers(values)
    return whole << (exponent + bits) if exponent + bits >= 0 else whole >> -(exponent + bits)
