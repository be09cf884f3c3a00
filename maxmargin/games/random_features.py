"""The game of finitely many features: the learner picks output weights, the adversary weights on the points (Prop. 7).

    gamma_2^(m) = max { min_i y_i (1/m) sum_j r_j Phi_ji :  (1/m) |r|^2 <= 1 } = min_p m^{-1/2} |Phi (y p)|

It is the kernel game of K = Phi' Phi / m, written with output weights, like a network trained in its last layer.
Output weights keep twice as many digits as coefficients on the points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import rounding
from ..conventions import Array, mean_field
from ..errors import InputError
from .game import KERNEL_ZERO, Game, Response
from .rkhs import KERNEL, LONG, ULP, long_error


@dataclass(frozen=True)
class RandomFeatureGame(Game):
    """gamma_2^(m) of given features.

    Attributes
    ----------
    Phi : (m, n) features Phi_ji = sigma(a_j . z_i).  y : (n,) labels +-1.

    Raises
    ------
    InputError : the shapes do not belong together.
    """

    Phi: Array
    y: Array

    def __post_init__(self) -> None:
        if self.Phi.ndim != 2 or self.Phi.shape[1] != len(self.y) or not len(self.Phi):
            raise InputError(
                f"features: found shape {self.Phi.shape} with {len(self.y)} labels, wanted (m, n) and (n,)"
            )

    def margins(self, r: Array) -> Array:
        """y_i (1/m) sum_j r_j Phi_ji, shape (n,)."""
        return self.y * (r @ self.Phi) * mean_field(len(r))

    def norm(self, r: Array) -> float:
        """sqrt((1/m) |r|^2), the L2(tau) norm of Eq. 5 for m features."""
        return float(np.linalg.norm(r)) * math.sqrt(mean_field(len(r)))

    def lower(self, r: Array) -> float:
        """min_i of the margins over the norm, rounded down; the features count as exact."""
        m = len(r)
        products, errors = _product(self.Phi.T, r)
        least = float((self.y * products - errors).min()) * (1.0 - ULP)
        norm = float(np.linalg.norm(r)) * (1.0 + rounding.relative_error(m + 8))
        lower = least / norm * math.sqrt(mean_field(m)) if least > 0.0 else 0.0
        return max(0.0, rounding.below(lower, rounding.dot_error(lower, 8)))

    def best_response(self, p: Array) -> Response:
        """The output weights of norm one with the largest payoff against p; the features count as exact."""
        m, total = len(self.Phi), float(p.sum())
        r = self.Phi @ (self.y * p)
        norm = self.norm(r)
        payoffs, errors = _product(self.Phi, self.y * p)
        length = float(np.linalg.norm(np.abs(payoffs).astype(float) * (1.0 + ULP) + errors))
        upper = length * math.sqrt(mean_field(m)) / total
        bound = rounding.above(upper, rounding.dot_error(upper, m + len(p) + 8))
        return Response(r / norm if norm > 0.0 else r, norm, bound, KERNEL)

    def negligible(self, p: Array) -> float:
        """Payoffs that are zero up to the rounding of the square root: a multiple of sum_i p_i |Phi_i| / sqrt(m)."""
        return KERNEL_ZERO * float(p @ np.sqrt((self.Phi**2).mean(axis=0)))


def _product(A: Array, x: Array) -> tuple[NDArray[Any], Array]:
    """A x in extended precision, and a bound on the error of each entry."""
    support = np.flatnonzero(x)
    A, x = A[:, support], x[support]
    out = A.astype(LONG) @ x.astype(LONG)
    return out, 1.01 * long_error(len(support)) * (np.abs(A) @ np.abs(x))
