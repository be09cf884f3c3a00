"""Logistic and hinge loss plus |f|^2 / 2 in an RKHS: Newton's method in the coefficients, or in the box of the dual."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from .regularised import check_loss, logistic, projected_newton

Array = NDArray[np.float64]

_STEPS = 200
_SHORTEST = 1e-12


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
    check_loss(loss)
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


def _hinge(Q: Array, weight: float, u: Array) -> Array:
    """min u'Qu/2 - sum u over 0 <= u <= weight: the support vector machine without intercept."""

    def dual(u: Array) -> tuple[float, Array, Array]:
        margins = Q @ u
        return float(u @ margins) / 2.0 - float(u.sum()), margins - 1.0, Q

    return projected_newton(dual, u, weight)


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
