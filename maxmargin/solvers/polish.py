r"""The last digits of the restricted game: its LP refined in extended precision.

HiGHS stops at absolute feasibilities of 1e-10, small against a margin, not against what is left of one.  With (P, T),
the multipliers lambda >= 0 of the rows and mu of the sum, the residuals of both are evaluated in extended precision,
enlarged by C, and the LP of the *corrections* is solved by the same HiGHS, from its last basis (Gleixner, Steffy
and Wolter, Iterative refinement for linear programming, INFORMS J. Comput. 28, 2016):

    minimise D (d.x + d_T t)   subject to   e.x = C (1 - e.P),   x >= -C P,   B x - tau t <= C (tau T - B P),

d and d_T the reduced costs without the rows, whose multipliers come out anew (with D = 2^14), as the active rows may
change.  When they do no more, those rows are kept as equations and their multipliers refined as well (D = C).  The
pair is to be rounded to float64 in the end, which moves a payoff by u sum |P_i B_ki| and a margin by
u sum |lambda_k B_ki|, too much where large terms cancel: both are put on the right sides beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SolverError
from ..games.soft import worst_mean

Array = NDArray[np.float64]
Extended = NDArray[np.longdouble]
Point = tuple[Array, Array]

_ROUNDING = 2.0**-51  # of p and the weights, their sums included
_PASSES = (False, False, True, True)  # whether the active rows are taken for granted
_COSTS = 2.0**14
_DONE, _LEAST = 2.0**-58, 2.0**-40  # errors not worth a pass; the most that residuals are enlarged


class MasterSolution(NamedTuple):
    """Proposals of the restricted game: p (n,) on the simplex, weights (K,) >= 0 of the columns, sum one.

    ``value = max_k p . h_k`` and ``margin = min_i sum_k weights_k h_ki`` (or its soft version) are evaluated here,
    not reported by HiGHS.
    """

    p: Array
    weights: Array
    value: float
    margin: float


class GameLP(NamedTuple):
    """minimise T subject to e.P = 1, B P <= tau T, P >= 0; shapes (K, n), (n,), (K,)."""

    B: Array
    e: Array
    tau: Array


Correct = Callable[[tuple[Array, float], Array, float, tuple[Array, Array]], Point]


def refine(lp: GameLP, point: Point, correct: Correct) -> tuple[Extended, Extended]:
    """P (n,) and the multipliers (K,) of the rows, both >= 0, to extended precision.

    Parameters
    ----------
    point : ((P, T), (mu, -lambda)), a solution in float64.
    correct : solves the LP with the costs of P and T, lower ends of P, its sum, and lower and upper sides of the rows.
    """
    state = _State.of(lp, point)
    for keep in _PASSES:
        error = state.error()
        if error < _DONE:
            break
        try:
            following = state.corrected(float(np.exp2(-np.ceil(np.log2(max(error, _LEAST))))), keep, correct)
        except SolverError:
            continue
        if following.error() < error:
            state = following
    return np.maximum(state.P, 0.0), np.maximum(state.multipliers, 0.0)


@dataclass(frozen=True)
class _State:
    """A nearly optimal pair of the LP, extended; `slack` and `cost` make room for the final rounding."""

    lp: GameLP
    slack: Array
    cost: Array
    P: Extended
    T: np.longdouble
    mu: np.longdouble
    multipliers: Extended

    @classmethod
    def of(cls, lp: GameLP, point: Point) -> _State:
        (x, dual), size = (part.astype(np.longdouble) for part in point), np.abs(lp.B)
        P, multipliers = np.maximum(x[:-1], 0.0), np.maximum(-dual[1:], 0.0)
        slack, cost = _ROUNDING * (size @ P.astype(float)), -_ROUNDING * (multipliers.astype(float) @ size)
        extended = GameLP(*(part.astype(np.longdouble) for part in lp))
        return cls(extended, slack, cost, P, x[-1], dual[0], multipliers)

    @property
    def room(self) -> Extended:
        """What the rows have left."""
        return np.asarray(self.lp.tau * self.T - self.slack - self.lp.B @ self.P)

    def reduced(self, multipliers: Extended) -> tuple[Extended, np.longdouble]:
        """Reduced costs of P and T for these multipliers."""
        used = np.flatnonzero(multipliers)
        of_p = self.cost - self.lp.e * self.mu + multipliers[used] @ self.lp.B[used]
        return of_p, 1.0 - self.lp.tau @ multipliers

    def error(self) -> float:
        """The largest violation of feasibility, on either side, or of complementarity."""
        of_p, of_t = self.reduced(self.multipliers)
        parts = np.minimum(self.P, of_p), np.minimum(self.room, self.multipliers), [1.0 - self.lp.e @ self.P], [of_t]
        return max(float(np.abs(part).max(initial=0.0)) for part in parts)

    def corrected(self, scale: float, keep: bool, correct: Correct) -> _State:
        """The pair after one LP of corrections; `keep` the active rows."""
        clear = (self.multipliers > 0.0) & keep
        kept, of_cost = np.where(clear, self.multipliers, 0.0), scale if keep else _COSTS
        of_p, of_t = self.reduced(kept)
        room = (scale * self.room).astype(float)
        costs = (of_cost * of_p).astype(float), float(of_cost * of_t)
        total = float(scale * (1.0 - self.lp.e @ self.P))
        change, turn = correct(costs, (-scale * self.P).astype(float), total, (np.where(clear, room, -np.inf), room))
        return replace(
            self,
            P=self.P + change[:-1] / np.longdouble(scale),
            T=self.T + change[-1] / np.longdouble(scale),
            mu=self.mu + turn[0] / np.longdouble(of_cost),
            multipliers=kept - turn[1:] / np.longdouble(of_cost),
        )


def better(columns: Array, solution: MasterSolution, p: Any, weights: Any) -> MasterSolution:
    """The solution with p or weights (of any sum) exchanged where that improves value or margin."""
    if not (p.sum() > 0.0 and weights.sum() > 0.0):
        return solution
    old = exactly(columns, solution.p, solution.weights)
    new = exactly(columns, (p / p.sum()).astype(float), (weights / weights.sum()).astype(float))
    return MasterSolution(
        new.p if new.value < old.value else old.p,
        new.weights if new.margin > old.margin else old.weights,
        min(new.value, old.value),
        max(new.margin, old.margin),
    )


def evaluate(columns: Array, p: Array, weights: Array, cap: float = 1.0) -> MasterSolution:
    """The pair with its value and (soft, when capped) margin over these columns."""
    return MasterSolution(p, weights, float((columns @ p).max()), worst_mean(weights @ columns, cap))


def exactly(columns: Array, p: Array, weights: Array) -> MasterSolution:
    """The same in extended precision, for terms that cancel; the margin is the hard one."""
    used = np.flatnonzero(weights)
    outputs = weights[used].astype(np.longdouble) @ columns[used].astype(np.longdouble)
    return MasterSolution(p, weights, float(payoffs(columns, p).max()), float(outputs.min()))


def payoffs(columns: Array, p: Array) -> Extended:
    """``p . h_k`` for every column, in extended precision."""
    support = np.flatnonzero(p)
    return columns[:, support].astype(np.longdouble) @ p[support].astype(np.longdouble)
