"""The games of linear classifiers beta in three unit balls.

    l1:  sum_j |beta_j|     max_j |v_j|        (the best payoff against p, v = Z'p, rows of Z: z_i = y_i x_i)
    l2:  |beta|             |v|
    dft: sum_k |B_k| / d    max_k |V_k|        B, V the unnormalised discrete Fourier transforms of beta, v

A circular convolution beta = u * v costs min (|u|^2 + |v|^2) / 2 = sum_k |B_k| / d, as each frequency is a product;
the extreme points of that ball are cos(2 pi k j / d + phase), and one FFT finds the best of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import rounding
from ..conventions import Array
from ..errors import InputError
from ..outcome import Scope
from .game import ZERO, Game, Response

BALLS = ("l1", "l2", "dft")


@dataclass(frozen=True)
class LinearGame(Game):
    """max over the unit ball of min_i z_i.beta.

    Attributes
    ----------
    Z : (n, d) rows z_i = y_i x_i.  ball : "l1", "l2" or "dft".

    Raises
    ------
    InputError : another ball.
    """

    Z: Array
    ball: str

    def __post_init__(self) -> None:
        if self.ball not in BALLS:
            raise InputError(f"ball: found {self.ball!r}, wanted one of {', '.join(BALLS)}")

    def margins(self, learner: Array) -> Array:
        """z_i.beta, shape (n,)."""
        return self.Z @ learner

    def norm(self, learner: Array) -> float:
        """The norm whose unit ball this is."""
        seen = np.fft.fft(learner) / len(learner) if self.ball == "dft" else learner
        return float(np.linalg.norm(seen, 2 if self.ball == "l2" else 1))

    def margin(self, beta: Array) -> float:
        """min_i z_i.beta / norm, evaluated."""
        return float(self.margins(beta).min()) / self.norm(beta)

    def lower(self, learner: Array) -> float:
        """The margin with its rounding (that of a transform is below that of a dot product)."""
        error = 2.0 * self._error * float(self._sizes.max() * np.abs(learner).sum())
        return max(0.0, self.margin(learner) - error / self.norm(learner))

    def value(self, p: Array) -> float:
        """max over the ball of sum_i p_i z_i.beta: the dual norm of Z'p, evaluated."""
        seen = np.fft.fft(p @ self.Z) if self.ball == "dft" else p @ self.Z
        return float(np.linalg.norm(seen, 2 if self.ball == "l2" else np.inf))

    def atoms(self, p: Array) -> Array:
        """Extreme points of the ball (K, d) that p pays well: one a coordinate, one a frequency, or the best one."""
        v, d = p @ self.Z, self.Z.shape[1]
        if self.ball == "l2":
            return v[None] / max(float(np.linalg.norm(v)), np.finfo(float).tiny)
        if self.ball == "l1":
            return np.diag(np.where(v < 0.0, -1.0, 1.0))
        k = np.arange(d // 2 + 1)
        return np.cos(2.0 * np.pi * np.outer(k, np.arange(d)) / d + np.angle(np.fft.rfft(v))[:, None])

    def best_response(self, p: Array) -> Response:
        """The best of the atoms, and the value with its rounding."""
        atoms, value = self.atoms(p), self.value(p)
        bound = (value + 2.0 * self._error * float(p @ self._sizes)) / float(p.sum())
        return Response(atoms[np.argmax(atoms @ (p @ self.Z))], value, bound, Scope.SPHERE_EXACT)

    def negligible(self, p: Array) -> float:
        """Payoffs that are zero up to rounding."""
        return ZERO * float(p @ self._sizes)

    @property
    def _sizes(self) -> Array:
        """sum_j |z_ij|, shape (n,): what the rounding errors multiply."""
        return np.abs(self.Z).sum(axis=1)

    @property
    def _error(self) -> float:
        return rounding.relative_error(2 * sum(self.Z.shape) + 16)
