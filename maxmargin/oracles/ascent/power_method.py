"""Local best responses in any dimension, degree 2: power steps on the active second-moment matrix.

For one output sign, ``g(a) = a' M(a) a`` with ``M(a) = base + sum_{a.z_i > 0} c_i z_i z_i'`` is C^1 and its gradient is
2 M(a) a.  Two steps, each kept only if it raises g, on all starts at once:

* eigenvector step: a maximiser inside a cell is a leading eigenvector of the cell's M;
* shifted power step ``a <- M(a) a + shift a``, monotone as soon as ``g + shift |a|^2`` is convex (Kolda and Mayo,
  SIAM J. Matrix Anal. Appl. 32, 2011), for the starts whose cell has its eigenvector elsewhere.

Nothing is proved: the bound is inf.
"""

from __future__ import annotations

import numpy as np

from ...conventions import Array
from .multistart import LocalOracle

_ROUNDS, _POWER_STEPS = 3, 20


class PowerOracle(LocalOracle):
    """Multi-start ascent for features of degree 2, like squared ReLU; see `LocalOracle` for the parameters."""

    degree = 2

    def ascend(self, base: Array, c: Array, Z: Array, starts: Array, keep: int) -> tuple[Array, Array]:
        """Ascend from all starts, then longer from the best `keep`: unit vectors and values."""
        step = PowerStep(base, c, Z)
        A, values = step.ascend(starts, _ROUNDS)
        best = np.argsort(-values, kind="stable")[:keep]
        return step.ascend(A[best], _ROUNDS)


class PowerStep:
    """The monotone steps for one g = a' base a + sum_i c_i (a.z_i)_+^2.

    Parameters
    ----------
    base : (D, D) symmetric.  c : (N,) signed.  Z : (N, D).
    """

    def __init__(self, base: Array, c: Array, Z: Array) -> None:
        self.base, self.c, self.Z = base, c, Z
        # Least curvature that any cell can have: all negative terms active, none of the positive ones.
        lowest = base - (Z.T * np.maximum(-c, 0.0)) @ Z
        self.shift = max(0.0, -float(np.linalg.eigvalsh(lowest)[0]))

    def g(self, A: Array) -> Array:
        """g at the rows of A (B, D)."""
        positive = np.maximum(A @ self.Z.T, 0.0)
        return np.einsum("bd,bd->b", A @ self.base, A) + (positive * positive) @ self.c

    def gradients(self, A: Array) -> Array:
        """M(a) a, half the gradient, at each row (B, D)."""
        return A @ self.base + (np.maximum(A @ self.Z.T, 0.0) * self.c) @ self.Z

    def ascend(self, A: Array, rounds: int) -> tuple[Array, Array]:
        """Improve unit rows A (B, D) together; returns them with g(A)."""
        A, values = A.copy(), self.g(A)
        for _ in range(rounds):
            self._accept(A, values, self._eigenvectors(A))
            for _ in range(_POWER_STEPS):
                self._accept(A, values, self.gradients(A) + self.shift * A)
        return A, values

    def _eigenvectors(self, A: Array) -> Array:
        """Leading eigenvector of M at each row, on the row's side."""
        (B, D), N = A.shape, len(self.c)
        products = (self.Z[:, :, None] * self.Z[:, None, :]).reshape(N, D * D)
        moments = self.base + (((A @ self.Z.T > 0.0) * self.c) @ products).reshape(B, D, D)
        leading = np.linalg.eigh(moments)[1][:, :, -1]
        return leading * np.where(np.einsum("bd,bd->b", leading, A) < 0.0, -1.0, 1.0)[:, None]

    def _accept(self, A: Array, values: Array, R: Array) -> None:
        """Move, in place, the rows that improve in the direction r."""
        norms = np.linalg.norm(R, axis=1)
        R = R / np.where(norms > 0.0, norms, 1.0)[:, None]
        proposed = self.g(R)
        better = proposed > values
        A[better], values[better] = R[better], proposed[better]
