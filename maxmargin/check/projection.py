"""The projection of a vector on a cone {a : rows a >= 0}, as min |v + rows' lambda| over lambda >= 0.

Lawson and Hanson (1974, ch. 23), in floats as a proposal and in rationals as a proof.

`project_together` is `project` for many vectors and as many cones at once, in floats.  Its weights are only a proposal:
the caller bounds the length that they give, and settles one by one what is left.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .exact import Integers, solve
from .fields import Array

Rationals = list[Fraction]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

STEPS = 5  # times D: how often a row may enter or leave
RIDGE = 1e-15  # added to the squared lengths (one) of the active rows: no two equal rows make a singular matrix


def project(v: Array, rows: Array) -> tuple[list[int], Array]:
    """Active set and weights lambda > 0 of min |v + rows' lambda| over lambda >= 0.

    The answer is only a proposal: the caller bounds or recomputes what it needs.
    """
    active: list[int] = []
    weights = np.zeros(0)
    tolerance = 1e-13 * float(np.linalg.norm(v))
    for _ in range(10 * rows.shape[1] + 20):
        slopes = rows @ (v + weights @ rows[active])
        slopes[active] = np.inf
        entering = int(np.argmin(slopes)) if slopes.size else -1
        if entering < 0 or slopes[entering] >= -tolerance or len(active) == rows.shape[1]:
            break
        active, weights = _step([*active, entering], np.append(weights, 0.0), v, rows)
    return active, weights


def _step(active: list[int], weights: Array, v: Array, rows: Array) -> tuple[list[int], Array]:
    """Least squares on the active rows, dropping those whose weight would turn negative on the way there."""
    while active:
        target = _least_squares(rows[active], v)
        falling = np.flatnonzero(target <= 0.0)
        if not falling.size:
            return active, target
        steps = weights[falling] / np.maximum(weights[falling] - target[falling], 1e-300)
        weights = weights + steps.min() * (target - weights)
        dropped = int(falling[np.argmin(steps)])
        active, weights = active[:dropped] + active[dropped + 1 :], np.delete(weights, dropped)
    return active, weights


def _least_squares(rows: Array, v: Array) -> Array:
    """The weights of min |v + rows' weights|; the Gram matrix is tiny, and only near-dependent rows need more care."""
    gram = rows @ rows.T
    if np.linalg.det(gram) > 1e-9:
        return np.asarray(np.linalg.solve(gram, -(rows @ v)), dtype=float)
    return np.asarray(np.linalg.lstsq(rows.T, -v, rcond=None)[0], dtype=float)


def project_exactly(v: Integers, rows: Integers, active: list[int], enough: Fraction) -> Rationals | None:
    """None once some ``|v + rows' lambda|^2 <= enough``; else the projection of v, which is longer than that.

    A row that enters has a negative slope at a residual orthogonal to the active rows: it is independent of them, and
    the residual shortens strictly from one active set to the next; so the loop ends, at the projection.

    Parameters
    ----------
    active : where to start, any guess.
    """
    active, weights = _feasible(v, rows, active)
    while True:
        numerators, denominator = _residual(v, rows[active], weights)
        if int(numerators @ numerators) <= enough * denominator**2:
            return None
        slopes = rows @ numerators
        entering = min((k for k in range(len(rows)) if slopes[k] < 0), key=lambda k: slopes[k], default=None)
        if entering is None:
            return [Fraction(int(x), denominator) for x in numerators]
        active, weights = _exact_step([*active, entering], [*weights, Fraction(0)], v, rows)


def _feasible(v: Integers, rows: Integers, active: list[int]) -> tuple[list[int], Rationals]:
    """Independent rows out of the guess whose least-squares weights are >= 0."""
    active = list(active)
    while active:
        weights = _exact_least_squares(rows[active], v)
        if weights is not None and min(weights) >= 0:
            return active, weights
        active.pop(-1 if weights is None else weights.index(min(weights)))
    return [], []


def _exact_step(active: list[int], weights: Rationals, v: Integers, rows: Integers) -> tuple[list[int], Rationals]:
    """`_step` without rounding; the active rows are independent."""
    while target := _exact_least_squares(rows[active], v):
        falling = [k for k, value in enumerate(target) if value <= 0]
        if not falling:
            return active, target
        steps = {k: weights[k] / (weights[k] - target[k]) if weights[k] else Fraction(0) for k in falling}
        dropped = min(steps, key=lambda k: steps[k])
        weights = [a + steps[dropped] * (b - a) for a, b in zip(weights, target, strict=True)]
        active, weights = active[:dropped] + active[dropped + 1 :], weights[:dropped] + weights[dropped + 1 :]
    return [], []


def _exact_least_squares(rows: Integers, v: Integers) -> Rationals | None:
    gram, rhs = rows @ rows.T, rows @ v
    return solve([[Fraction(int(x)) for x in row] for row in gram], [Fraction(-int(x)) for x in rhs])


def _residual(v: Integers, rows: Integers, weights: Rationals) -> tuple[Integers, int]:
    """v + rows' weights over one denominator."""
    denominator = math.lcm(*(weight.denominator for weight in weights))
    whole = np.array([int(weight * denominator) for weight in weights], dtype=object)
    return denominator * v + (whole @ rows if len(whole) else 0), denominator


def project_together(v: Array, rows: Array, enough: float) -> Array:
    """Weights lambda >= 0, (B, N): ``|v_b + rows_b' lambda_b|`` is at most `enough`, or nearly as small as it can be.

    Parameters
    ----------
    v : (B, D).  rows : (B, N, D) unit rows.
    """
    (B, N, D), norm = rows.shape, np.linalg.norm(v, axis=1)
    weights, active, left = np.zeros((B, N)), np.zeros((B, N), dtype=bool), np.flatnonzero(norm > enough)
    for _ in range(STEPS * D if N else 0):
        r = rows[left]
        residual = v[left] + (weights[left][:, None, :] @ r)[:, 0]
        slopes = np.where(active[left], np.inf, (r @ residual[:, :, None])[:, :, 0])
        entering, at = slopes.argmin(axis=1), np.arange(len(left))
        open_ = np.linalg.norm(residual, axis=1) > enough
        open_ &= (slopes[at, entering] < -1e-14 * norm[left]) & (active[left].sum(axis=1) < D)
        left, entering, r = left[open_], entering[open_], r[open_]
        if not left.size:
            break
        active[left, entering] = True
        inside = np.zeros(len(left), dtype=bool)
        while not inside.all():
            some = np.flatnonzero(~inside)
            weights[left[some]], active[left[some]], inside[some] = _towards(
                weights[left[some]], active[left[some]], r[some], v[left[some]]
            )
    return weights


def _towards(weights: Array, active: Mask, rows: Array, v: Array) -> tuple[Array, Mask, Mask]:
    """A move to the least-squares weights (inside: True), or until the weight of a row is zero, which leaves."""
    target = _least_squares_together(active, rows, v)
    falling = active & (target <= 0.0)
    inside: Mask = ~np.asarray(falling.any(axis=1))
    ways = np.where(falling, weights / np.maximum(weights - target, 1e-300), np.inf)
    first, at = ways.argmin(axis=1), np.arange(len(v))
    share = np.where(inside, 1.0, ways[at, first])[:, None]
    moved = np.where(inside[:, None], target, weights + share * (target - weights))
    moved[at[~inside], first[~inside]] = 0.0
    active = active.copy()
    active[at[~inside], first[~inside]] = False
    return np.where(active, np.maximum(moved, 0.0), 0.0), active, inside


def _least_squares_together(active: Mask, rows: Array, v: Array) -> Array:
    """The weights, (B, N), zero where not active, of the smallest ``|v + rows' weights|``; at most D are active."""
    B, D = v.shape
    chosen = np.argsort(~active, axis=1, kind="stable")[:, :D]
    used = np.take_along_axis(active, chosen, axis=1)
    A = np.take_along_axis(rows, chosen[:, :, None], axis=1) * used[:, :, None]
    gram = A @ A.transpose(0, 2, 1)
    gram += np.eye(chosen.shape[1]) * np.where(used, RIDGE, 1.0)[:, None, :]
    found, residual = np.zeros((B, chosen.shape[1])), v
    for _ in range(2):  # the second time for the digits that the Gram matrix loses
        found = found - np.linalg.solve(gram, A @ residual[:, :, None])[:, :, 0]
        residual = v + (found[:, None, :] @ A)[:, 0]
    weights = np.zeros(active.shape)
    np.put_along_axis(weights, chosen, found, axis=1)
    return weights
