r"""The lifted relaxation of gamma_1, solved by operator splitting on all its leaves at once, adversary included.

    maximise  min_i sum_b s_b y_i E_b[phi_i]   over moment matrices W_b in A_b and B_b (`lifted_block`), sum_b mass_b = 1.

Douglas-Rachford splitting (ADMM): W_A = projection on A of W - U; W = prox of (payoff + B) at W_A + U; U += W_A - W.
After each step, rho U is an exact subgradient of the second part: the adversary p is in the simplex and every multiplier has
its sign. Only S >= 0 holds approximately, and `relaxation_repair` turns that into a proved bound. So every iterate is a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature
from .lifted_block import LiftedBlock
from .relaxation_proof import payoff_weights

Array = NDArray[np.float64]


class LiftedSplitting:
    """Splitting iteration over the leaves `blocks` of the relaxation.

    Parameters
    ----------
    blocks : leaves that together cover the sphere for both output signs.
    payoff : (N,) y_i |z_i|^degree / scale, as the blocks know unit points only.
    feature : sigma.
    penalty : rho; adapted while `balancing`.
    """

    def __init__(self, blocks: Sequence[LiftedBlock], payoff: Array, feature: Feature, penalty: float = 10.0) -> None:
        self.blocks, self.payoff, self.feature, self.penalty = list(blocks), payoff, feature, penalty
        self.iterations = 0
        self.p = np.full(len(payoff), 1.0 / len(payoff))
        self._entries = [self._payoff_entries(block) for block in self.blocks]
        self._curvature = np.zeros(len(payoff))
        for points, _, _, factor in self._entries:
            np.add.at(self._curvature, points, factor * factor)
        np.maximum(self._curvature, 1e-12, out=self._curvature)

    def _payoff_entries(self, block: LiftedBlock) -> tuple[Array, Array, Array, Array]:
        """(points, rows, columns, factors): y_i E[phi_i] = sum of factor * W[row, column] over the entries of point i."""
        points, forms, factors = [], [], []
        for index, coefficient in ((block.forms.right, self.feature.right), (block.forms.left, self.feature.left)):
            used = np.flatnonzero(index >= 0) if coefficient else np.zeros(0, dtype=np.int64)
            points.append(used)
            forms.append(index[used] + 1 + block.D)
            factors.append(block.sign * coefficient * self.payoff[used])
        rows = np.concatenate(forms)
        columns = np.zeros_like(rows) if self.feature.degree == 1 else rows
        return np.concatenate(points), rows, columns, np.concatenate(factors)

    def run(self, iterations: int, *, relaxation: float = 1.6, balancing: bool = True) -> None:
        """So many iterations; the penalty follows the two residuals every 20 while `balancing`."""
        for _ in range(iterations):
            primal, dual = self._step(relaxation)
            self.iterations += 1
            if balancing and self.iterations % 20 == 0:
                self._balance(primal, dual)

    def _step(self, relaxation: float) -> tuple[float, float]:
        moments, targets = [], []
        margins = np.zeros(len(self.payoff))
        for block, (points, rows, columns, factors) in zip(self.blocks, self._entries, strict=True):
            W_A = block.project_moments()
            V = relaxation * W_A + (1.0 - relaxation) * block.W + block.U
            np.add.at(margins, points, factors * V[rows, columns])
            moments.append(W_A)
            targets.append(V)
        self.p = _simplex_prox(margins, self._curvature / self.penalty)
        masses = np.array([block.mass(V) for block, V in zip(self.blocks, targets, strict=True)])
        masses += (1.0 - masses.sum()) / len(masses)
        primal = dual = 0.0
        for block, entries, W_A, V, mass in zip(self.blocks, self._entries, moments, targets, masses, strict=True):
            points, rows, columns, factors = entries
            W = V.copy()
            block.project_products(W, float(mass))
            W[rows, columns] = V[rows, columns] + factors * self.p[points] / self.penalty
            primal += float(np.vdot(W - W_A, W - W_A))
            dual += float(np.vdot(W - block.W, W - block.W))
            np.subtract(V, W, out=block.U)
            block.W = W
        return primal, dual

    def _balance(self, primal: float, dual: float) -> None:
        """Moves the penalty so that both residuals fall together, each relative to its own iterate."""
        W = sum(float(np.vdot(block.W, block.W)) for block in self.blocks)
        U = sum(float(np.vdot(block.U, block.U)) for block in self.blocks)
        # sqrt of the ratio of the residual norms; primal, dual, W and U are squared norms.
        factor = float(np.clip((primal / W * U / max(dual, 1e-300)) ** 0.25, 0.5, 2.0))
        if factor > 1.3 or factor < 1.0 / 1.3:
            self.penalty *= factor
            for block in self.blocks:
                block.U /= factor

    def value(self) -> float:
        """Value of the relaxation as the dual iterate has it (not a bound): t = multiplier of the total mass."""
        block = self.blocks[0]
        return self.penalty * float(block.U[0, 0] + block.U[1, 1])

    def multipliers(self, block: LiftedBlock) -> dict[str, Any]:
        """The leaf's numbers (before repair), in the units of unit points and scaled payoffs."""
        D = block.D
        Y = self.penalty * block.U
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
