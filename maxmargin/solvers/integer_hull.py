"""The least-norm point of a convex hull in integers: solutions on a support, and a fast way to the right support.

    min x'Qx,  x >= 0,  sum x = 1;      Q and x in units of 2**-bits

Refinement of a solution in doubles, with residuals in integers, solves on a support; where doubles fail, elimination
in integers does.  `exchanged` is fast from a nearly right support; `capped_hull.descended` is finite from anywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..clock import Clock
from ..conventions import Array, Indices, Mask
from ..rounding import Integers, integers, nearest
from .affine_hull import AffineHull

_STEPS = 40  # refinements of one linear system
_PATIENCE = 3
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
        solution = stationary(Q, x, np.flatnonzero(support), bits)
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


def _low(Q: Integers, x: Integers, bits: int) -> Mask:
    """Points whose margin is below x'Qx."""
    margins = Q @ x
    level = int(x @ margins) >> bits
    return np.asarray((margins < level - (level >> _SLACK)).astype(bool))


def stationary(Q: Integers, x: Integers, free: Indices, bits: int) -> Integers | None:
    """The free weights at which all free margins agree, the others kept; of any sign."""
    mass = (1 << bits) - int(x.sum()) + int(x[free].sum())
    if len(free) == 1:
        return np.array([mass], dtype=object)
    rest = x.copy()
    rest[free] = 0
    offset = Q[free] @ rest  # units of 2**-(2 bits)
    block = Q[np.ix_(free, free)]
    found = _refined(block, x[free], offset, mass, bits)
    if found is None and len(free) <= _ELIMINATED:
        found = eliminated(block, offset, mass, bits)
    return found


def eliminated(Q: Integers, offset: Integers, mass: int, bits: int) -> Integers | None:
    """By elimination with ``2 bits`` more digits; a point that depends on those before it keeps weight 0.

    Adding a constant c to all entries changes x'Qx by c (sum x)^2 and makes Q positive definite unless the points
    are affinely dependent.

    Parameters
    ----------
    offset : (n,) what other points add to the margins Q x, in units of ``2**-(2 bits)``.
    mass : sum of x in units of ``2**-bits``.
    """
    n, digits = len(Q), 2 * bits
    one = bits + digits
    Q = Q + int(np.diagonal(Q).max())
    right = np.stack([np.full(n, 1 << one, dtype=object), -offset << bits], axis=1)
    A = np.concatenate([Q << digits, right], axis=1)
    kept = []
    for k in range(n):
        if A[k, k] <= Q[k, k] << (digits - 7 * bits // 8):  # a pivot of rounding only
            continue
        kept.append(k)
        factors = (A[k + 1 :, k] << one) // A[k, k]
        A[k + 1 :, k:] -= np.outer(factors, A[k, k:]) >> one
    solved = np.zeros((2, n), dtype=object)
    for u, side in zip(solved, A[:, n:].T, strict=True):
        for k in reversed(kept):
            u[k] = ((side[k] - (int(A[k, k + 1 : n] @ u[k + 1 :]) >> digits)) << digits) // A[k, k]
    total = int(solved[0].sum())
    if total <= 0:
        return None
    multiple = (mass << (digits - bits)) - int(solved[1].sum())
    return np.asarray((solved[1] + solved[0] * multiple // total) >> (digits - bits), dtype=object)


def _refined(Q: Integers, x: Integers, offset: Integers, mass: int, bits: int) -> Integers | None:
    """By refinement of float64 solutions with exact residuals; None when that does not converge."""
    start = floats(Q, bits)
    if not (np.diagonal(start) > 0.0).all():
        return None
    hull = AffineHull(start)
    ones = hull.correction(np.ones(len(Q)))
    last = math.inf
    for _ in range(_STEPS):
        image = Q @ x + offset
        level = int(image.sum()) // len(image)
        residual = floats(level - image, 2 * bits)
        deficit = float(floats(np.array([mass - int(x.sum())], dtype=object), bits)[0])
        size = float(np.abs(residual).max()) + abs(deficit) * float(np.abs(start).max())
        if size <= _RESIDUAL * float(floats(np.array([max(int(x @ image), 1)], dtype=object), 3 * bits)[0]):
            return x
        if not size < last:
            return None
        last = size
        step = hull.correction(residual)
        x = x + fixed(step - ones * ((step.sum() - deficit) / ones.sum()), bits)
    return None


def floats(values: Any, bits: int) -> Array:
    """Integers in units of 2**-bits as floats, each rounded once; infinite beyond what a double holds."""
    with np.errstate(over="ignore"):
        return np.asarray(nearest(np.asarray(values, dtype=object), -bits), dtype=float)


def fixed(values: Array, bits: int) -> Integers:
    """Floats in units of 2**-bits, rounded down."""
    whole, exponent = integers(values)
    return whole << (exponent + bits) if exponent + bits >= 0 else whole >> -(exponent + bits)
