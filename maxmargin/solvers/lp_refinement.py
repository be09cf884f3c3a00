r"""The last digits of the restricted game: its LP refined in extended precision.

HiGHS stops at absolute feasibilities of 1e-10, small against a margin, not against what is left of one.  With (P, T),
the multipliers lambda >= 0 of the rows and mu of the sum, the residuals of both are evaluated in extended precision,
enlarged by C, and the LP of the *corrections* is solved by the same HiGHS, from its last basis (Gleixner, Steffy
and Wolter, Iterative refinement for linear programming, INFORMS J. Comput. 28, 2016):

    minimise 2^14 (d.x + t)   subject to   e.x = C (1 - e.P),   x >= -C P,   B x - tau t <= C (tau T - B P),

d the reduced costs but for the rows, whose multipliers come out anew, as the active rows may change.  That gives the
right basis; its two linear systems, which are transposed to each other, are then solved with residuals in extended
precision.  The pair is to be rounded to float64 in the end, which moves a payoff by u sum |P_i B_ki| and a margin by
u sum |lambda_k B_ki|, too much where large terms cancel: both are put on the right sides beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..conventions import Array

Extended = NDArray[np.longdouble]
Point = tuple[Array, Array]

_ROUNDING = 1.01 * 2.0**-53  # relative rounding error of an entry of p and of a weight
_COSTS = 2.0**14
_LEAST, _GAIN, _ENOUGH = 2.0**-40, 2.0**20, 2.0**28  # least residual, its growth of scale per round, largest scale
_STEPS, _RANK = 4, 1e-14  # steps of iterative refinement; smaller singular values (relative) are not inverted


class MasterSolution(NamedTuple):
    """Proposals of the restricted game: p (n,) on the simplex, weights (K,) >= 0 of the columns, sum one.

    ``value = max_k p . h_k`` and ``margin = min_i sum_k weights_k h_ki`` (or its soft version) are evaluated here,
    not reported by HiGHS.
    """

    p: Array
    weights: Array
    value: float
    margin: float


def roomy(store: Array, size: int, more: int) -> Array:
    """The store (rows, ...), or a larger copy of its first `size` rows with room for `more`."""
    if size + more <= len(store):
        return store
    larger = np.empty((max(2 * len(store), size + more), *store.shape[1:]))
    larger[:size] = store[:size]
    return larger


class GameLP(NamedTuple):
    """minimise T subject to e.P = 1, B P <= tau T, P >= 0; shapes (K, n), (n,), (K,), extended precision."""

    B: Extended
    e: Array
    tau: Array


class Corrections(NamedTuple):
    """The LP of corrections: costs of P and T, lower ends of P, its sum, and the right sides of the rows.

    Attributes
    ----------
    cost : of P (n,) and of T.  lower : (n,) lower ends of P.  total : sum of P.  upper : (K,) right sides of the rows.
    """

    cost: tuple[Array, float]
    lower: Array
    total: float
    upper: Array


@dataclass(frozen=True)
class Refined:
    """A nearly optimal pair of the LP, extended; `slack` and `cost` make room for the final rounding.

    Attributes
    ----------
    lp : the program.  slack : (K,) room of the rows.  cost : (n,) room of the reduced costs.
    P : (n,), T : a solution.  mu, multipliers : of the sum and of the rows (K,).
    """

    lp: GameLP
    slack: Array
    cost: Array
    P: Extended
    T: np.longdouble
    mu: np.longdouble
    multipliers: Extended

    @property
    def pair(self) -> tuple[Extended, Extended]:
        """P (n,) and the multipliers (K,) of the rows, both >= 0."""
        return np.maximum(self.P, 0.0), np.maximum(self.multipliers, 0.0)

    @classmethod
    def of(cls, lp: GameLP, point: Point) -> Refined:
        """From a solution ((P, T), (mu, -lambda)) in float64."""
        (x, dual), size = (part.astype(np.longdouble) for part in point), np.abs(lp.B).astype(float)
        P, multipliers = np.maximum(x[:-1], 0.0), np.maximum(-dual[1:], 0.0)
        slack, cost = _ROUNDING * (size @ P.astype(float)), -_ROUNDING * (multipliers.astype(float) @ size)
        return cls(lp, slack, cost, P, x[-1], dual[0], multipliers)

    @property
    def room(self) -> Extended:
        """What the rows have left."""
        return np.asarray(self.lp.tau * self.T - self.slack - self.lp.B @ self.P)

    @property
    def reduced(self) -> Extended:
        """Reduced costs of P."""
        used = np.flatnonzero(self.multipliers)
        return np.asarray(self.cost - self.lp.e * self.mu + self.multipliers[used] @ self.lp.B[used])

    def error(self) -> float:
        """The largest violation of feasibility, on either side, or of complementarity."""
        sums = np.array([1.0 - self.lp.e @ self.P, 1.0 - self.lp.tau @ self.multipliers])
        parts = np.minimum(self.P, self.reduced), np.minimum(self.room, self.multipliers), sums
        return max(float(np.abs(part).max(initial=0.0)) for part in parts)

    def scales(self) -> list[float]:
        """By how much the residuals are to be enlarged, one LP of corrections after the other."""
        scales = [float(np.exp2(-np.ceil(np.log2(max(self.error(), _LEAST)))))]
        while scales[-1] < _ENOUGH:
            scales.append(scales[-1] * _GAIN)
        return scales

    def corrections(self, scale: float) -> Corrections:
        """The LP of the corrections, enlarged by `scale`."""
        costs = (_COSTS * (self.cost - self.lp.e * self.mu)).astype(float), _COSTS
        total, room = float(scale * (1.0 - self.lp.e @ self.P)), (scale * self.room).astype(float)
        return Corrections(costs, (-scale * self.P).astype(float), total, room)

    def corrected(self, scale: float, solution: Point) -> Refined:
        """The pair after the solution of that LP; any of a sequence may be the best."""
        change, turn = solution
        P, T = self.P + change[:-1] / np.longdouble(scale), self.T + change[-1] / np.longdouble(scale)
        multipliers = np.maximum(-turn[1:] / np.longdouble(_COSTS), 0.0)
        return replace(self, P=P, T=T, mu=self.mu + turn[0] / np.longdouble(_COSTS), multipliers=multipliers)

    def equalised(self) -> Refined:
        """Tight rows made equal on the support of P, and tight points on the support of the multipliers.

        With M = [[B, -tau], [e', 0]] on both supports:  M (P, T) = (-slack, 1),  M' (lambda, -mu) = (-cost, -1).
        """
        S, K = np.flatnonzero(self.P > 0.0), np.flatnonzero(self.multipliers > 0.0)
        M = np.zeros((len(K) + 1, len(S) + 1), np.longdouble)
        M[:-1, :-1], M[:-1, -1], M[-1, :-1] = self.lp.B[np.ix_(K, S)], -self.lp.tau[K], self.lp.e[S]
        inverse = _inverse(M.astype(float))
        x = _solved(M, inverse, np.append(-self.slack[K], 1.0), np.append(self.P[S], self.T))
        dual = _solved(M.T, inverse.T, np.append(-self.cost[S], -1.0), np.append(self.multipliers[K], -self.mu))
        P, multipliers = np.zeros(len(self.P), np.longdouble), np.zeros(len(self.multipliers), np.longdouble)
        P[S], multipliers[K] = x[:-1], dual[:-1]
        return replace(self, P=P, T=x[-1], mu=-dual[-1], multipliers=multipliers)


def _inverse(M: Array) -> Array:
    """Pseudo-inverse of M, computed with rows and columns of comparable sizes."""
    sizes = np.abs(M)
    rows = sizes.max(axis=1, keepdims=True)
    rows[rows == 0.0] = 1.0
    columns = (sizes / rows).max(axis=0)
    columns[columns == 0.0] = 1.0
    return np.asarray(np.linalg.pinv(M / rows / columns, rcond=_RANK) / columns[:, None] / rows.T)


def _solved(M: Extended, inverse: Array, right: Extended, x: Extended) -> Extended:
    """The solution of M x = right that is nearest to x, by iterative refinement."""
    for _ in range(_STEPS):
        x = x + inverse @ (right - M @ x).astype(float)
    return x


def better(columns: Any, solution: MasterSolution, p: Extended, weights: Extended) -> MasterSolution:
    """The solution with p or weights (of any sum) exchanged where that improves value or margin."""
    if not (p.sum() > 0.0 and weights.sum() > 0.0):
        return solution
    new = exactly(columns, (p / p.sum()).astype(float), (weights / weights.sum()).astype(float))
    return MasterSolution(
        new.p if new.value < solution.value else solution.p,
        new.weights if new.margin > solution.margin else solution.weights,
        min(new.value, solution.value),
        max(new.margin, solution.margin),
    )


def exactly(columns: Any, p: Array, weights: Array) -> MasterSolution:
    """The same in extended precision, for terms that cancel; the margin is the hard one."""
    used = np.flatnonzero(weights)
    outputs = weights[used].astype(np.longdouble) @ columns[used].astype(np.longdouble)
    return MasterSolution(p, weights, float(payoffs(columns, p).max()), float(outputs.min()))


def payoffs(columns: Any, p: Array) -> Extended:
    """``p . h_k`` for every column, in extended precision."""
    support = np.flatnonzero(p)
    return np.asarray(columns[:, support].astype(np.longdouble) @ p[support].astype(np.longdouble))
