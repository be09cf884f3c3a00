"""Max-margin games over linear classifiers beta in three unit balls, as brackets from any pair (beta, p).

    l1:  sum_j |beta_j|     max_j |v_j|        (the adversary's value, v = Z'p, rows of Z: y_i x_i)
    l2:  |beta|             |v|
    dft: sum_k |B_k| / d    max_k |V_k|        B, V the unnormalised discrete Fourier transforms of beta, v

A circular convolution beta = u * v costs min (|u|^2 + |v|^2) / 2 = sum_k |B_k| / d, as each frequency is a product;
the extreme points of that ball are cos(2 pi k j / d + phase), and one FFT finds the best of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import rounding
from ..games.game import Bracket
from ..solvers.master import Master
from ..solvers.min_norm_point import min_norm_point
from .bench import Array


@dataclass(frozen=True)
class LinearGame:
    """max over the unit ball "l1", "l2" or "dft" of min_i z_i.beta, rows z_i = y_i x_i of Z (n, d)."""

    Z: Array
    ball: str

    def norm(self, beta: Array) -> float:
        """The norm whose unit ball this is."""
        seen = np.fft.fft(beta) / len(beta) if self.ball == "dft" else beta
        return float(np.linalg.norm(seen, 2 if self.ball == "l2" else 1))

    def value(self, p: Array) -> float:
        """max over the ball of sum_i p_i z_i.beta: the dual norm of Z'p."""
        seen = np.fft.fft(p @ self.Z) if self.ball == "dft" else p @ self.Z
        return float(np.linalg.norm(seen, 2 if self.ball == "l2" else np.inf))

    def margin(self, beta: Array) -> float:
        """min_i z_i.beta / norm."""
        return float((self.Z @ beta).min()) / self.norm(beta)

    def atoms(self, p: Array) -> Array:
        """Extreme points of the ball (K, d) that p pays well: one a coordinate, or one a frequency."""
        v, d = p @ self.Z, self.Z.shape[1]
        if self.ball == "l1":
            return np.diag(np.where(v < 0.0, -1.0, 1.0))
        k = np.arange(d // 2 + 1)
        return np.cos(2.0 * np.pi * np.outer(k, np.arange(d)) / d + np.angle(np.fft.rfft(v))[:, None])

    def certify(self, beta: Array, p: Array) -> Bracket:
        """lower = margin of beta, upper = value of p, with their rounding (a transform's is below a dot product's)."""
        n, d = self.Z.shape
        error = rounding.relative_error(2 * (n + d) + 16)
        sizes = np.abs(self.Z).sum(axis=1)
        lower = self.margin(beta) - 2.0 * error * float(sizes.max() * np.abs(beta).sum()) / self.norm(beta)
        return Bracket(max(0.0, lower), self.value(p) / p.sum() + 2.0 * error * float(p @ sizes) / p.sum(), self.ball)

    def solve(self, tol: float = 1e-10) -> tuple[Array, Array, Bracket]:
        """A pair (beta in the unit ball, p on the simplex) and its bracket, of relative width about `tol`."""
        if self.ball == "l2":
            proposal = min_norm_point(self.Z @ self.Z.T, np.ones(len(self.Z)))
            beta, p = proposal.learner.coefficients @ self.Z, proposal.p
        else:
            beta, p = self._column_generation(tol)
        beta = beta / self.norm(beta)
        return beta, p, self.certify(beta, p)

    def _column_generation(self, tol: float) -> tuple[Array, Array]:
        """The best classifier and the best adversary of all rounds."""
        n, d = self.Z.shape
        master, known, p = Master(n), np.empty((0, d)), np.full(n, 1.0 / n)
        best, adversary, lower = np.zeros(d), p, 0.0
        for _ in range(200):
            atoms = self.atoms(p)
            known = np.vstack([known, atoms])
            master.add(atoms @ self.Z.T)
            solution = master.solve()
            beta, p = solution.weights @ known, solution.p
            if self.margin(beta) > lower:
                lower, best = self.margin(beta), beta
            adversary = min(adversary, p, key=self.value)
            if self.value(adversary) - lower <= tol * self.value(adversary):
                break
        return best, adversary
