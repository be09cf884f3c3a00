"""The least-norm point of a convex hull in integers, with or without a cap on the weights.

    min x'Qx,  sum x = 1,  0 <= x_i (<= top);      Q, x and top in units of 2**-bits

Refinement of a solution in doubles, with residuals in integers, solves on a support; where doubles fail, elimination
in integers does.  Without a cap, `exchanged` is fast from a nearly right support.

`descended`, an active-set method, is finite from anywhere.  From a feasible x, the minimiser over the points strictly
between their bounds (the others stay) is approached until a weight meets a bound; that point stops there.  At the
minimiser the point whose margin is most on the wrong side of the common level is let go.  x'Qx falls at each release,
so that no set comes twice (Nocedal and Wright, Numerical Optimization, 2nd ed., Algorithm 16.3).
"""

from __future__ import annotations

import math
from fractions import Fraction
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
_SLACK = 46  # margins whose difference is below this binary fraction of x'Qx count as equal
_CORRECTIONS = 60  # of the weights, so that their sum comes out


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


def descended(Q: Integers, p: Array, top: int, bits: int, clock: Clock) -> Integers | None:
    """The minimiser, from nearly optimal weights p (n,); None when the time is over or a system is singular."""
    x = _feasible(p, top, bits)
    last: int | None = None
    while not clock.expired:
        free = np.flatnonzero(((x > 0) & (x < top)).astype(bool))
        margins = Q @ x
        if len(free):
            target = stationary(Q, x, free, bits)
            if target is None:
                return None
            if not ((target >= 0) & (target <= top)).all():
                _advance(x, free, target, top)
                continue
            x[free] = target
            margins = Q @ x
        square = int(x @ margins)
        released = _most_wrong(x, margins, top, square >> (bits + _SLACK))
        if released is None or (last is not None and square >= last):
            return x
        last = square
        x = _moved(Q, x, released, top, bits)
    return None


def _feasible(p: Array, top: int, bits: int) -> Integers:
    """p in integers, between the bounds and of sum one: what is missing goes where there is room, the largest first."""
    x = np.minimum(np.maximum(fixed(p, bits), 0), top)
    missing = (1 << bits) - int(x.sum())
    for i in np.argsort(-p, kind="stable"):
        moved = max(min(missing, top - int(x[i])), -int(x[i]))
        x[i] += moved
        missing -= moved
    return x


def _most_wrong(x: Integers, margins: Integers, top: int, slack: int) -> int | None:
    """The point at a bound that would most like to leave it, by its margin's distance to the level of the free."""
    free = ((x > 0) & (x < top)).astype(bool)
    low, full = (x == 0).astype(bool), (x >= top).astype(bool)
    if free.any():
        level = int(margins[free].sum()) // int(free.sum())
    elif low.any():
        level = int(margins[low].min())  # any level between the two groups proves optimality
    else:
        return None
    wrong = np.where(low, level - margins, np.where(full, margins - level, 0))
    most = int(np.argmax(wrong))
    return most if int(wrong[most]) > slack else None


def _moved(Q: Integers, x: Integers, i: int, top: int, bits: int) -> Integers:
    """x after the released point i has left its bound by an exact step against one other point.

    Weight goes from i to j or back along e_i - e_j: the best step is (m_j - m_i) / |z_i - z_j|^2, cut at the bounds.
    """
    margins = Q @ x
    rising = bool(x[i] < top)
    others = np.flatnonzero(((x > 0) if rising else (x < top)).astype(bool))
    others = others[others != i]
    j = others[int(np.argmax(margins[others] if rising else -margins[others]))]
    curvature = max(int(Q[i, i] - 2 * Q[i, j] + Q[j, j]), 1)
    step = abs(int(margins[j] - margins[i])) // curvature
    room = min(top - int(x[i]), int(x[j])) if rising else min(int(x[i]), top - int(x[j]))
    step = min(step, room) * (1 if rising else -1)
    out = x.copy()
    out[i], out[j] = out[i] + step, out[j] - step
    return out


def _advance(x: Integers, free: Indices, target: Integers, top: int) -> None:
    """Move x towards the target until the first weight meets its bound, and put that one exactly there."""
    first, numerator, denominator = -1, 1, 1
    for k, i in enumerate(free):
        goal, here = int(target[k]), int(x[i])
        if goal < 0:
            room, way = here, here - goal
        elif goal > top:
            room, way = top - here, goal - here
        else:
            continue
        if room * denominator < numerator * way or first < 0:
            first, numerator, denominator = k, room, way
    for k, i in enumerate(free):
        moved = int(x[i]) + (int(target[k]) - int(x[i])) * numerator // denominator
        x[i] = min(max(moved, 0), top)
    bound = 0 if int(target[first]) < 0 else top
    x[free[first]] = bound


def highest(share: Fraction, bits: int) -> int:
    """The cap 1/share in units of ``2**-bits``, rounded down."""
    return math.floor(Fraction(1 << bits) / share)


def written(x: Integers, share: Fraction, bits: int) -> Array:
    """The weights as doubles that obey ``p_i <= sum p / share`` exactly, where these come out.

    Parameters
    ----------
    x : (n,) integers in units of ``2**-bits``.  share : nu n, the inverse of the cap.

    Notes
    -----
    Capped weights are the double nearest to the cap.  The sum that makes this exactly the cap differs from one by
    rounding; the other weights take up the difference, the smallest of them last, in whose digits the rest is lost.
    """
    limit = float(1 / share)
    p = np.clip(floats(x, bits), 0.0, limit)
    p[(x >= highest(share, bits)).astype(bool)] = limit
    wanted = Fraction(limit) * share
    between = np.flatnonzero((p > 0.0) & (p < limit))
    order = between[np.argsort(-p[between], kind="stable")]
    for i in np.resize(order, min(_CORRECTIONS, 3 * len(order))):
        missing = wanted - sum(map(Fraction, p.tolist()), Fraction(0))
        if missing == 0:
            break
        p[i] = min(max(float(Fraction(float(p[i])) + missing), 0.0), limit)
    missing = wanted - sum(map(Fraction, p.tolist()), Fraction(0))
    if missing > 0 and len(order):
        p[order[-1]] = np.nextafter(float(Fraction(float(p[order[-1]])) + missing), np.inf)
    return p
