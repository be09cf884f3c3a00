"""The lifted relaxation of gamma_1, solved by operator splitting on all its leaves at once, adversary included.

    maximise  min_i sum_b s_b y_i E_b[phi_i]   over moments W_b in A_b and B_b (`leaf`), sum_b mass_b = 1

Douglas-Rachford: W = prox of (payoff + B) at V; V += alpha (projection on A of (2W - V) - W), with Anderson
acceleration of that fixed-point map. After each prox, rho (V - W) is an exact subgradient of (payoff + B): the
adversary p is in the simplex and every multiplier has its sign. Only S >= 0 holds approximately, and
`repair` pays for what is missing: every iterate is a proof.

Anderson acceleration of a map x -> x + step(x) has a guard that falls back to the map itself.  Type II: with the last
differences dx_j of iterates and df_j of steps, choose theta to minimise |step - sum_j theta_j df_j|, and move to x +
step - sum_j theta_j (dx_j + df_j) (Walker and Ni, SIAM J. Numer. Anal. 49 (2011)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...clock import FOREVER, Clock
from ...features.homogeneous import Feature
from .inequality import payoff_weights
from .leaf import LiftedBlock

Array = NDArray[Any]  # in single or double precision
Index = NDArray[np.int64]
Entries = tuple[Index, Index, Index, Array]  # points, rows, columns, factors
T = TypeVar("T")

PENALTY = 10.0  # first value of the penalty rho
RELAXATION = 1.6  # alpha in (0, 2)
BIAS = 0.1  # < 1: the dual residual is to be the smaller one, as the proof comes from the dual
BALANCE_EVERY = 20
MEMORY, INTERVAL = 5, 5  # Anderson acceleration: columns kept, iterations between two extrapolations
PARTS = 2  # of a vector, whatever the number of threads, so that it does not change the result
LONG = 200_000  # entries of a vector whose parts are given to threads
REGULARISATION = 1e-8  # of the least-squares problem, relative to the trace of its Gram matrix
GROWTH = 2.0  # the acceleration ends after a step longer than this multiple of the best step since the restart


class Anderson:
    """Accelerates in place at every `interval`-th call, from the last `memory` such calls (0: never).

    Long vectors are worked on in `PARTS` parts, by the threads of `pool` if there is one.
    """

    def __init__(self, memory: int, interval: int, pool: Executor | None = None) -> None:
        self.memory, self.interval, self.pool = memory, interval, pool
        self.forget()

    def forget(self) -> None:
        """Start again, as after any change of the map."""
        self._count, self._calls, self._shortest = 0, 0, np.inf
        self._last: tuple[Array, Array] | None = None

    def advance(self, x: Array, step: Array) -> None:
        """x becomes the next iterate; step = map(x) - x is left as it is."""
        self._calls += 1
        if not self.memory or self._calls % self.interval:
            self._parts(len(x), lambda part: np.add(x[part], step[part], out=x[part]))
            return
        length = math.sqrt(sum(self._parts(len(x), lambda part: float(step[part] @ step[part]))))
        if length > GROWTH * self._shortest:
            self.forget()
        self._shortest = min(self._shortest, length)
        used, weights = self._remember(x, step)

        def move(part: slice) -> None:
            x[part] += step[part]
            if used:
                x[part] -= weights @ self._dx[:used, part]
                x[part] -= weights @ self._df[:used, part]

        self._parts(len(x), move)

    def _parts(self, length: int, work: Callable[[slice], T]) -> list[T]:
        """The work on each part of vectors of this length."""
        ends = [length * k // PARTS for k in range(PARTS + 1)]
        parts = [slice(*pair) for pair in pairwise(ends)]
        return list((self.pool.map if self.pool and length > LONG else map)(work, parts))

    def _remember(self, x: Array, step: Array) -> tuple[int, Array]:
        """Keep the differences to the last call, in place of the oldest ones; their number and weights (theta)."""
        if self._last is None:
            self._last = (x.copy(), step.copy())
            return 0, np.zeros(0)
        last_x, last_step = self._last
        if not self._count:
            self._dx, self._df = (np.empty((self.memory, len(x)), x.dtype) for _ in range(2))
            self._gram = np.zeros((self.memory, self.memory))
        k, used = self._count % self.memory, min(self._count + 1, self.memory)
        self._count += 1

        def differ(part: slice) -> Array:
            np.subtract(x[part], last_x[part], out=self._dx[k, part])
            np.subtract(step[part], last_step[part], out=self._df[k, part])
            last_x[part], last_step[part] = x[part], step[part]
            return np.stack([self._df[:used, part] @ v for v in (self._df[k, part], step[part])]).astype(float)

        products, along = np.sum(self._parts(len(x), differ), axis=0)
        self._gram[k, :used] = self._gram[:used, k] = products
        G = self._gram[:used, :used].copy()
        noise = max(REGULARISATION, float(np.finfo(step.dtype).eps))
        G[np.diag_indices(used)] += noise * np.trace(G) + 1e-300
        return used, np.linalg.solve(G, along).astype(step.dtype)


class LiftedSplitting:
    """Splitting iteration over the leaves `blocks` of the relaxation.

    Parameters
    ----------
    blocks : leaves that together cover the sphere for both output signs; with a fixed adversary, any leaves.
    payoff : (N,) y_i |z_i|^degree / scale, as the blocks know unit points only.
    feature : sigma.
    penalty : rho; adapted every 20 iterations.
    pool : threads that share the blocks, or None.
    fixed : (N,) weights of an adversary that stays as it is, or None to optimise it too.
    """

    def __init__(
        self,
        blocks: Sequence[LiftedBlock],
        payoff: Array,
        feature: Feature,
        penalty: float = PENALTY,
        *,
        pool: Executor | None = None,
        fixed: Array | None = None,
    ) -> None:
        self.blocks, self.payoff, self.feature, self.penalty = list(blocks), payoff, feature, penalty
        self.iterations, self.pool, self.fixed = 0, pool, fixed
        self._entries = [self._payoff_entries(block) for block in self.blocks]
        self._curvature = np.zeros(len(payoff))
        for points, _, _, factor in self._entries:
            np.add.at(self._curvature, points, factor * factor)
        np.maximum(self._curvature, 1e-12, out=self._curvature)
        self._gather()
        self._anderson = Anderson(MEMORY, INTERVAL, pool)
        self._prox()

    def _gather(self) -> None:
        """One vector behind the states V of all blocks, so that acceleration is plain linear algebra."""
        self._state = np.concatenate([block.V.ravel() for block in self.blocks])
        self._step = np.empty_like(self._state)
        start = 0
        self._steps = []
        for block in self.blocks:
            stop = start + block.order**2
            block.V = self._state[start:stop].reshape(block.order, block.order)
            self._steps.append(self._step[start:stop].reshape(block.order, block.order))
            start = stop

    def _payoff_entries(self, block: LiftedBlock) -> Entries:
        """(points, rows, columns, factors): y_i E[phi_i] = sum of factor * W[row, column] over the entries of i."""
        points, forms, factors = [], [], []
        for index, coefficient in ((block.forms.right, self.feature.right), (block.forms.left, self.feature.left)):
            used = np.flatnonzero(index >= 0) if coefficient else np.zeros(0, dtype=np.int64)
            points.append(used)
            forms.append(index[used] + 1 + block.D)
            factors.append(block.sign * coefficient * self.payoff[used])
        rows = np.concatenate(forms)
        columns = np.zeros_like(rows) if self.feature.degree == 1 else rows
        return np.concatenate(points), rows, columns, np.concatenate(factors)

    def run(self, iterations: int, clock: Clock = FOREVER) -> int:
        """So many iterations, or those that fit before the clock expires; returns their number."""
        for done in range(1, iterations + 1):
            self._each(self._step_of, self.blocks, self._steps)
            self._anderson.advance(self._state, self._step)
            previous = [block.W for block in self.blocks]
            self._prox()
            self.iterations += 1
            if self.iterations % BALANCE_EVERY == 0:
                self._balance(previous)
            if clock.expired:
                return done
        return iterations

    def _each(self, work: Callable[..., None], *items: Sequence[Any]) -> None:
        """The work for each leaf, in threads if there is a pool."""
        for _ in (self.pool.map if self.pool else map)(work, *items):
            pass

    @staticmethod
    def _step_of(block: LiftedBlock, step: Array) -> None:
        np.subtract(block.project_moments(), block.W, out=step)
        step *= RELAXATION

    def _prox(self) -> None:
        """W of every block, and the adversary, from the states V."""
        self.p = self._adversary() if self.fixed is None else self.fixed
        masses = np.array([block.mass(block.V) for block in self.blocks])
        masses += (1.0 - masses.sum()) / len(masses)
        self._each(self._prox_of, self.blocks, self._entries, masses.tolist())

    def _prox_of(self, block: LiftedBlock, entries: Entries, mass: float) -> None:
        points, rows, columns, factors = entries
        W = block.V.copy()
        block.project_products(W, mass)
        W[rows, columns] = block.V[rows, columns] + factors * self.p[points] / self.penalty
        block.W = W

    def _adversary(self) -> Array:
        margins = np.zeros(len(self.payoff))
        for block, (points, rows, columns, factors) in zip(self.blocks, self._entries, strict=True):
            np.add.at(margins, points, factors * block.V[rows, columns])
        return _simplex_prox(margins, self._curvature / self.penalty)

    def _balance(self, previous: list[Array]) -> None:
        """Moves the penalty so that both residuals fall together, each relative to its own iterate."""
        primal = float(np.vdot(self._step, self._step)) / RELAXATION**2
        dual = W = U = 0.0
        for block, before in zip(self.blocks, previous, strict=True):
            dual += float(((block.W - before) ** 2).sum())
            W += float(np.vdot(block.W, block.W))
            U += float(((block.V - block.W) ** 2).sum())
        # primal, dual, W, U are squared norms, hence the fourth root.
        factor = float(np.clip((BIAS * primal / max(W, 1e-300) * U / max(dual, 1e-300)) ** 0.25, 0.5, 2.0))
        if 1.0 / 1.3 <= factor <= 1.3:
            return
        self.penalty *= factor
        for block in self.blocks:
            block.V[...] = block.W + (block.V - block.W) / factor
        self._anderson.forget()

    def value(self) -> float:
        """Value of the relaxation as the dual iterate has it (not a bound): t = multiplier of the total mass."""
        block = self.blocks[0]
        U = block.V - block.W
        return self.penalty * float(U[0, 0] + U[1, 1])

    def multipliers(self, block: LiftedBlock) -> dict[str, Any]:
        """The leaf's numbers (before repair), in the units of unit points and scaled payoffs."""
        D = block.D
        Y = self.penalty * (block.V - block.W).astype(float)
        Y_sym = 0.5 * (Y + Y.T)
        pairs = -Y_sym[1 + D :, 1 + D :]
        if self.feature.degree == 2:
            # The diagonal also carries the payoff, which the identity writes separately.
            weights = block.sign * payoff_weights(block.forms, self.feature, self.payoff * self.p)
            pairs -= np.diag(weights)
        return {
            "rho": float(Y[1, 1]),
            "mu": -Y[0, 1 + D :],
            "omega": 2.0 * Y_sym[1 : 1 + D, 1 + D :].T,
            "pairs": pairs,
        }


def _simplex_prox(linear: Array, curvature: Array) -> Array:
    """argmin over the simplex of linear.p + sum_i curvature_i p_i^2 / 2, by sorting."""
    order = np.argsort(linear)
    inverse = np.cumsum(1.0 / curvature[order])
    level = (1.0 + np.cumsum(linear[order] / curvature[order])) / inverse
    last = np.flatnonzero(level > linear[order])[-1]
    return np.maximum(0.0, (level[last] - linear) / curvature)
