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

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

from ..conventions import Array

LOSSES = ("logistic", "hinge")


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
