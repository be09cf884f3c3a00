"""Logistic and hinge loss plus the variation norm (F1): column generation over neurons.

    minimise  weight sum_i loss((sum_k w_k h_k)_i) + sum_k w_k,     w >= 0,     h_k = s_k y sigma(a_k . z)

Over the neurons found so far this is a small convex program; a neuron (a, s) is missing exactly when the dual weights
u pay it more than its cost, ``s sum_i u_i y_i sigma(a.z_i) > 1``, which is what an oracle searches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..conventions import Array, Mask
from ..errors import SolverError
from ..features.homogeneous import Feature
from ..games.measure import Measure
from ..options import choice
from ..oracles.oracle import Oracle
from .regularised_kernel import LOSSES, logistic, solve_definite

_STEPS = 300
_GAP = 1e-8
_ROUNDS = 100  # oracle calls for one lambda
# No neuron may pay more than 1 and this: those of the logistic loss move with every round, the hinge's are vertices.
_TOLERANCE = {"logistic": 1e-4, "hinge": 1e-8}
_COUNT = 4  # neurons per round; the maxima move with u, and more would add near copies


@dataclass
class VariationPath:
    """Solutions for decreasing lambda, each from the neurons of the last.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.  feature : the activation.
    oracle : best responses (any; one that proves nothing may leave the solution short of the optimum, never its
        bracket wrong).
    loss : "logistic" or "hinge".

    Raises
    ------
    InputError : unknown loss.
    """

    Z: Array
    y: Array
    feature: Feature
    oracle: Oracle
    loss: str = "logistic"
    directions: Array = field(init=False)
    signs: Array = field(init=False)
    weights: Array = field(init=False)

    def __post_init__(self) -> None:
        choice("loss", self.loss, LOSSES)
        self.directions = np.empty((0, self.Z.shape[1]))
        self.signs = np.empty(0)
        self.weights = np.empty(0)

    def __call__(self, lambdas: Array) -> Iterator[tuple[Measure, Array]]:
        """(measure, dual weights u (n,)) for each lambda."""
        for last, lam in zip([lambdas[0], *lambdas], lambdas, strict=False):
            if self.loss == "logistic" and len(self.weights):
                least = float((self.weights @ self._columns()).min())
                self.weights = self.weights * (1.0 + math.log(last / lam) / least) if least > 0.0 else self.weights
            yield self.solve(1.0 / (len(self.y) * lam))

    def solve(self, weight: float) -> tuple[Measure, Array]:
        """The solution for ``weight = 1 / (n lambda)``; keeps its neurons for the next call."""
        u = self._restricted(weight)
        for _ in range(_ROUNDS):
            responses = self.oracle(u * self.y, _COUNT)
            fresh = responses.values > 1.0 + _TOLERANCE[self.loss]
            if not fresh.any():
                break
            self._keep(self.weights > 0.0)
            self._add(responses.directions[fresh], responses.signs[fresh])
            u = self._restricted(weight)
        self._keep(self.weights > 0.0)
        return Measure(self.directions, self.signs * self.weights), u

    def _keep(self, used: Mask) -> None:
        self.directions, self.signs, self.weights = self.directions[used], self.signs[used], self.weights[used]

    def _add(self, directions: Array, signs: Array) -> None:
        self.directions = np.vstack([self.directions, directions])
        self.signs = np.append(self.signs, signs)
        self.weights = np.append(self.weights, np.zeros(len(signs)))

    def _columns(self) -> Array:
        """h_k = s_k y sigma(a_k . z), shape (K, n)."""
        return self.feature.evaluate(self.directions, self.Z) * (self.signs[:, None] * self.y)

    def _restricted(self, weight: float) -> Array:
        """Optimal weights over the present neurons; returns the dual weights u."""
        columns = self._columns()
        solve = _hinge if self.loss == "hinge" else _logistic
        self.weights, u = solve(columns, weight, self.weights)
        return u


def _logistic(columns: Array, weight: float, w: Array) -> tuple[Array, Array]:
    """min weight sum logistic(w columns) + sum w over w >= 0 by a primal-dual interior-point method; columns (K, n).

    z are the reduced costs ``1 - columns u(w)``; the barrier mu = w z only falls once Newton's decrement is small
    beside it, because the loss is exponential and far from the central path each step gains one unit of margin.
    """
    K = len(w)
    if not K:
        return w, logistic(w @ columns, weight)[1]
    w = np.maximum(w, 1e-3 * max(float(w.max()), 1.0 / float(np.abs(columns).max())))
    mu = 1e-2 * float(w.mean())
    z = mu / w
    for _ in range(_STEPS):
        _, u, curvature = logistic(w @ columns, weight)
        gradient = 1.0 - columns @ u
        if float(w @ z) <= _GAP * float(w.sum()) and np.abs(gradient - z).max() <= _GAP:
            break
        root, residual = np.sqrt(w), gradient - mu / w
        scaled = root[:, None] * columns  # in units of root the matrix H + diag(z/w) has entries of moderate size
        step = -root * solve_definite((scaled * curvature) @ scaled.T + np.diag(z), root * residual)
        decrement = -float(residual @ step)
        dual_step = (mu - z * step) / w - z
        w = w + _backtrack(partial(_barrier, columns, weight, mu), w, step, -decrement) * step
        z = z + min(1.0, _to_boundary(z, dual_step)) * dual_step
        if decrement <= mu * K:
            mu *= 0.1 if decrement <= 0.1 * mu * K else 0.5
    w = np.where(w > 1e-9 * float(w.max()), w, 0.0)
    return w, logistic(w @ columns, weight)[1]


def _barrier(columns: Array, weight: float, mu: float, w: Array) -> float:
    return logistic(w @ columns, weight)[0] + float(w.sum()) - mu * float(np.log(w).sum())


def _backtrack(barrier: Callable[[Array], float], w: Array, step: Array, slope: float) -> float:
    """Step length that stays inside w > 0 and lowers the barrier function (Armijo, up to its rounding)."""
    length, value = min(1.0, _to_boundary(w, step)), barrier(w)
    while barrier(w + length * step) > value + 1e-4 * length * slope + 1e-14 * abs(value) and length > 1e-10:
        length *= 0.5
    return length


def _to_boundary(x: Array, step: Array) -> float:
    """Largest length with ``x + length step >= 0.005 x``."""
    falling = step < 0.0
    return float((-0.995 * x[falling] / step[falling]).min(initial=np.inf))


def _hinge(columns: Array, weight: float, w: Array) -> tuple[Array, Array]:
    """The linear program min weight sum xi + sum w, xi_i >= 1 - (w columns)_i, by HiGHS; u are its row duals."""
    from scipy.optimize import linprog

    K, n = columns.shape
    if not K:
        return w, np.full(n, weight)
    bounded = weight * n < 1e12  # beyond, a violated margin costs more than any classifier: hard margin
    slack = -np.eye(n) if bounded else np.empty((n, 0))
    cost = np.concatenate([np.ones(K), np.full(slack.shape[1], weight)])
    answer = linprog(cost, A_ub=np.hstack([-columns.T, slack]), b_ub=-np.ones(n), method="highs")
    if answer.x is None:
        raise SolverError(f"hinge program: HiGHS ended with {answer.message!r}")
    return answer.x[:K], np.maximum(-answer.ineqlin.marginals, 0.0)
