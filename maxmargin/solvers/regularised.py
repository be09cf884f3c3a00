"""Regularised classifiers, whose directions tend to the max margin as the regularisation vanishes.

    minimise  sum_i loss(y_i f(x_i)) / (n lambda)  +  { |f|^2 / 2   (F2, tangent kernel)
                                                      { |f|_F1      (F1)

with ``loss(u) = log(1 + e^-u)`` (logistic) or ``max(0, 1 - u)`` (hinge).  The objective is the usual one divided by
lambda, so that its dual weights ``u_i = -loss'(y_i f(x_i)) / (n lambda)`` stay of order one however small lambda is:
lambda = 1e-200 is an ordinary number here.  ``u / sum u`` is an adversary, so that every solution is a proposal for
the max-margin game and carries its own bracket.

As lambda -> 0 the normalised margin tends to the maximum: for the hinge it is reached at a positive lambda, for the
logistic loss the gap closes like ``log n / log(1/lambda)`` (|f| grows like log(1/lambda) / gamma).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

from ..errors import InputError

Array = NDArray[np.float64]
Evaluation = tuple[float, Array, Array]  # value, gradient, Hessian

LOSSES = ("logistic", "hinge")
_STEPS = 200
_ARMIJO = 1e-4
_SHORTEST = 1e-12


def check_loss(loss: str) -> None:
    """InputError unless the loss is one of `LOSSES`."""
    if loss not in LOSSES:
        raise InputError(f"loss: found {loss!r}, wanted 'logistic' or 'hinge'")


def logistic(margins: Array, weight: float) -> tuple[float, Array, Array]:
    """Value of ``weight sum log(1 + e^-m_i)``, the dual weights u = -derivative, and the second derivatives."""
    probability = expit(-margins)
    value = weight * float(np.logaddexp(0.0, -margins).sum())
    return value, weight * probability, weight * probability * expit(margins)


def projected_newton(
    evaluate: Callable[[Array], Evaluation], x: Array, upper: float = np.inf, tol: float = 1e-10
) -> Array:
    """Minimise a convex function over the box 0 <= x <= upper (Bertsekas, SIAM J. Control Optim. 20, 1982).

    Newton steps on the coordinates that their gradient does not press against a bound, projected, with Armijo's rule.

    Parameters
    ----------
    evaluate : x (k,) -> (value, gradient (k,), Hessian (k, k)).
    x : (k,) start inside the box.
    tol : stop when no coordinate's gradient, in units of one, points inwards by more.
    """
    value, gradient, hessian = evaluate(x)
    for _ in range(_STEPS):
        # The band against zigzagging at the bounds is Bertsekas's: it closes as the projected gradient vanishes.
        reach = np.abs(x - np.clip(x - gradient, 0.0, upper))
        band = min(1e-3 * float(x.max(initial=0.0)), float(reach.max(initial=0.0)))
        pressed = ((x <= band) & (gradient > 0.0)) | ((x >= upper - band) & (gradient < 0.0))
        if reach.max(initial=0.0) <= tol:
            break
        step = -gradient / np.maximum(np.diag(hessian), np.finfo(float).tiny)
        free = np.flatnonzero(~pressed)
        if len(free):
            step[free] = -solve_definite(hessian[np.ix_(free, free)], gradient[free])
        found = _search(evaluate, x, step, (value, gradient, hessian), upper)
        if found is None:
            break
        x, (value, gradient, hessian) = found
    return x


def _search(
    evaluate: Callable[[Array], Evaluation], x: Array, step: Array, now: Evaluation, upper: float
) -> tuple[Array, Evaluation] | None:
    """Armijo's rule along the projected arc; None when rounding leaves nothing to gain."""
    value, gradient, _ = now
    length = 1.0
    while length > _SHORTEST:
        trial = np.clip(x + length * step, 0.0, upper)
        result = evaluate(trial)
        if result[0] < value and result[0] <= value + _ARMIJO * float(gradient @ (trial - x)):
            return trial, result
        length *= 0.5
    return None


def solve_definite(H: Array, b: Array) -> Array:
    """H^-1 b for positive semidefinite H, with the smallest ridge (from rounding upwards) that makes it definite."""
    ridge = np.finfo(float).eps * float(np.trace(H)) + np.finfo(float).tiny
    while True:
        try:
            return cho_solve(cho_factor(H + ridge * np.eye(len(H)), check_finite=False), b, check_finite=False)
        except LinAlgError:
            ridge *= 10.0
