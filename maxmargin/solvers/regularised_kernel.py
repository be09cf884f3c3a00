"""Regularised classifiers, whose directions tend to the max margin as the regularisation vanishes; here in an RKHS.

    minimise  sum_i loss(y_i f(x_i)) / (n lambda)  +  { |f|^2 / 2   (F2, tangent kernel)
                                                      { |f|_F1      (F1)

with ``loss(u) = log(1 + e^-u)`` (logistic) or ``max(0, 1 - u)`` (hinge).  The objective is the usual one divided by
lambda, so that its dual weights ``u_i = -loss'(y_i f(x_i)) / (n lambda)`` stay of order one however small lambda is:
lambda = 1e-200 is an ordinary number here.  ``u / sum u`` is an adversary, so that every solution is a proposal for
the max-margin game and carries its own bracket.

As lambda -> 0 the normalised margin tends to the maximum: for the hinge it is reached at a positive lambda, for the
logistic loss the gap closes like ``log n / log(1/lambda)`` (|f| grows like log(1/lambda) / gamma).

In an RKHS the solver is Newton's method in the coefficients, or in the box of the dual.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

from ..conventions import Array
from ..options import choice

LOSSES = ("logistic", "hinge")
_STEPS = 200
_SHORTEST = 1e-12
_PATIENCE = 5
_EDGE = 1e-9  # relative distance at which a weight counts as being on its bound


def logistic(margins: Array, weight: float) -> tuple[float, Array, Array]:
    """Value of ``weight sum log(1 + e^-m_i)``, the dual weights u = -derivative, and the second derivatives."""
    probability = expit(-margins)
    value = weight * float(np.logaddexp(0.0, -margins).sum())
    return value, weight * probability, weight * probability * expit(margins)


def solve_definite(H: Array, b: Array) -> Array:
    """H^-1 b for positive semidefinite H, with the smallest ridge (from rounding upwards) that makes it definite."""
    ridge = np.finfo(float).eps * float(np.trace(H)) + np.finfo(float).tiny
    while True:
        try:
            return cho_solve(cho_factor(H + ridge * np.eye(len(H)), check_finite=False), b, check_finite=False)
        except LinAlgError:
            ridge *= 10.0


def regularised_kernel(Q: Array, weight: float, loss: str, start: Array | None = None) -> Array:
    """Dual weights u (n,) of ``weight sum_i loss(y_i f(x_i)) + |f|^2 / 2``; f = sum_i y_i u_i K(x_i, .).

    Parameters
    ----------
    Q : (n, n) signed Gram matrix Y K Y.
    weight : 1 / (n lambda).
    loss : "logistic" or "hinge".
    start : weights u of a neighbouring lambda.

    Raises
    ------
    InputError : unknown loss.
    """
    choice("loss", loss, LOSSES)
    start = np.zeros(len(Q)) if start is None else start
    if loss == "hinge":
        return _hinge(Q, weight, np.clip(start, 0.0, weight))
    return _logistic(Q, weight, start)


def kernel_path(K: Array, y: Array, lambdas: Array, loss: str) -> Iterator[Array]:
    """Dual weights u (n,) for each of the decreasing lambdas, each from the last.

    Between two logistic solutions all margins grow by about the logarithm of the ratio of the lambdas.

    Parameters
    ----------
    K : (n, n) Gram matrix.  y : (n,) labels +-1.  lambdas : decreasing, positive.
    """
    n, Q = len(y), np.asarray(K) * np.outer(y, y)
    u = np.zeros(n)
    for last, lam in zip([lambdas[0], *lambdas], lambdas, strict=False):
        least = float((Q @ u).min())
        if loss == "logistic" and least > 0.0:
            u = u * (1.0 + math.log(last / lam) / least)
        u = regularised_kernel(Q, 1.0 / (n * lam), loss, u)
        yield u


def _hinge(Q: Array, weight: float, start: Array) -> Array:
    """min u'Qu/2 - sum u over 0 <= u <= weight: the support vector machine without intercept.

    From the active set of a neighbouring solution a few exchanges suffice; else an interior-point method finds it.
    """
    solution = _exchange(Q, weight, start) if start.any() else None
    if solution is not None:
        return solution
    inside = _interior(Q, weight)
    solution = _exchange(Q, weight, inside)
    return inside if solution is None else solution


def _exchange(Q: Array, weight: float, start: Array) -> Array | None:
    """Block pivoting on the three states 0, free, weight; None when the number of wrong points stops falling."""
    low, high = start <= _EDGE * start.max(), start >= (1.0 - _EDGE) * weight
    fewest, patience = len(Q) + 1, _PATIENCE
    while patience >= 0:
        free = ~(low | high)
        u = np.where(high, weight, 0.0)
        if free.any():
            block = Q[np.ix_(free, free)]
            wanted = 1.0 - Q[np.ix_(free, high)].sum(axis=1) * weight if high.any() else np.ones(int(free.sum()))
            u[free] = solve_definite(block, wanted)
            u[free] += solve_definite(block, wanted - block @ u[free])
        margins = Q @ u
        down, up = free & (u < 0.0), free & (u > weight)
        loose = (low & (margins < 1.0 - _EDGE)) | (high & (margins > 1.0 + _EDGE))
        wrong = int(np.count_nonzero(down | up | loose))
        if not wrong:
            return u
        patience = _PATIENCE if wrong < fewest else patience - 1
        fewest = min(wrong, fewest)
        low, high = (low & ~loose) | down, (high & ~loose) | up
    return None


def _interior(Q: Array, weight: float) -> Array:
    """The same by a primal-dual interior-point method: z u = mu and s (weight - u) = mu with mu -> 0."""
    n = len(Q)
    u = np.full(n, min(0.5 * weight, 1.0 / float(np.diagonal(Q).mean())))
    room, z, s = weight - u, np.ones(n), np.ones(n)  # room on its own: weight - u would cancel
    for _ in range(_STEPS):
        residual = Q @ u - 1.0 - z + s
        gap = float(u @ z + room @ s)
        if gap <= 1e-12 * float(u.sum()) and np.abs(residual).max() <= 1e-10:
            break
        mu = 0.1 * gap / (2 * n)
        H = Q + np.diag(z / u + s / room)
        step = solve_definite(H, -(residual + z - s) + mu / u - mu / room)
        dz, ds = (mu - z * step) / u - z, (mu + s * step) / room - s
        length = min(1.0, _inside(u, step), _inside(room, -step), _inside(z, dz), _inside(s, ds))
        u, room, z, s = u + length * step, room - length * step, z + length * dz, s + length * ds
    return u


def _inside(x: Array, step: Array) -> float:
    """Largest length with ``x + length step >= 0.01 x``."""
    falling = step < 0.0
    return float((-0.99 * x[falling] / step[falling]).min(initial=np.inf))


def _logistic(Q: Array, weight: float, u: Array) -> Array:
    """Newton on ``weight sum log(1 + e^-(Qu)_i) + u'Qu/2``: the gradient is Q (u - w(u)), w the dual weights.

    The system (I + A Q) d = w - u is solved symmetrically through B = I + A^(1/2) Q A^(1/2) >= I (A = diag of second
    derivatives), which is well conditioned however singular Q is.
    """
    margins = Q @ u
    value, w, curvature = logistic(margins, weight)
    value += float(u @ margins) / 2.0
    for _ in range(_STEPS):
        residual = w - u
        root = np.sqrt(curvature)
        B = root[:, None] * Q * root
        B[np.diag_indices_from(B)] += 1.0
        inner = cho_solve(cho_factor(B, check_finite=False), root * (Q @ residual), check_finite=False)
        step = residual - root * inner
        image = Q @ step
        slope = -float(residual @ image)  # directional derivative
        if not slope < -1e-15 * (1.0 + abs(value)):
            break
        length, accepted = 1.0, False
        while length > _SHORTEST and not accepted:
            trial, trial_margins = u + length * step, margins + length * image
            trial_value, trial_w, trial_curvature = logistic(trial_margins, weight)
            trial_value += float(trial @ trial_margins) / 2.0
            accepted = trial_value <= value + 1e-4 * length * slope
            length *= 0.5
        if not accepted:
            break
        u, margins, value, w, curvature = trial, trial_margins, trial_value, trial_w, trial_curvature
    return w
