"""Local best responses in any dimension, for many starts at once.  Nothing is proved: the bound is inf.

Degree 1, projections onto a zonotope.  For one output sign, ``g(a) = base.a + P(a) - N(a)`` with convex ``P =
sum_{c_i>0} c_i (a.z_i)_+`` and ``N`` alike.  Linearise P at the incumbent (v = base + active sum of P) and maximise the
concave ``v.a - N(a)`` over the ball:

    a = r / |r|,    r = argmin_r |r - v|^2 / 2 + N(r) = v - (projection of v onto sum_{c_i<0} [0, 1] |c_i| z_i).

g never decreases.  All starts share the points z_i, so that ADMM for r runs on all of them together in a few matrix
products; its splitting variable is exactly zero on the kinks z_i.r = 0, which lets the best maximisers be solved
exactly on the face that they lie on.

Degree 2, power steps on the active second-moment matrix.  For one output sign, ``g(a) = a' M(a) a`` with ``M(a) = base
+ sum_{a.z_i > 0} c_i z_i z_i'`` is C^1 and its gradient is 2 M(a) a.  Two steps, each kept only if it raises g, on all
starts at once:

* eigenvector step: a maximiser inside a cell is a leading eigenvector of the cell's M;
* shifted power step ``a <- M(a) a + shift a``, monotone as soon as ``g + shift |a|^2`` is convex (Kolda and Mayo,
  SIAM J. Matrix Anal. Appl. 32, 2011), for the starts whose cell has its eigenvector elsewhere.
"""

from __future__ import annotations

import numpy as np

from ...clock import FOREVER, Clock
from ...conventions import Array
from .multistart import LocalOracle

_OUTER, _INNER, _RELAXATION = 8, 12, 1.6
_ROUNDS, _POWER_STEPS = 3, 20


class ZonotopeOracle(LocalOracle):
    """Multi-start ascent by zonotope projections for features of degree 1; see `LocalOracle` for the parameters."""

    degree = 1

    def ascend(self, base: Array, c: Array, Z: Array, starts: Array, keep: int) -> tuple[Array, Array]:
        """Ascend from all starts; the best `keep` are then put exactly on the kinks that hold them."""
        step = ZonotopeStep(base, c, Z, self.clock)
        A, values, kinks = step.ascend(starts)
        best = np.argsort(-values, kind="stable")[:keep]
        return step.snap(A[best], values[best], kinks[best])


class _Step:
    """A step that never lowers its g."""

    def g(self, A: Array) -> Array:
        """g at the rows of A (B, D)."""
        raise NotImplementedError

    def _accept(self, A: Array, values: Array, R: Array) -> None:
        """Move, in place, the rows that improve in the direction r."""
        norms = np.linalg.norm(R, axis=1)
        R = R / np.where(norms > 0.0, norms, 1.0)[:, None]
        proposed = self.g(R)
        better = proposed > values
        A[better], values[better] = R[better], proposed[better]


class ZonotopeStep(_Step):
    """The monotone step for one g = base.a + sum_i c_i (a.z_i)_+.

    Parameters
    ----------
    base : (D,).  c : (N,) signed, non-zero.  Z : (N, D) rows non-zero.
    clock : looked at between the outer steps.
    """

    def __init__(self, base: Array, c: Array, Z: Array, clock: Clock = FOREVER) -> None:
        self.clock = clock
        norms = np.linalg.norm(Z, axis=1)
        convex, concave = c > 0, c < 0
        self.base = base
        self.P = c[convex, None] * Z[convex]
        self.N = Z[concave] / norms[concave, None]
        self.weights = -c[concave] * norms[concave]

    def g(self, A: Array) -> Array:
        return A @ self.base + np.maximum(A @ self.P.T, 0.0).sum(axis=1) - np.maximum(A @ self.N.T, 0.0) @ self.weights

    def slopes(self, A: Array) -> Array:
        """v = base + active sum of P at each row, (B, D)."""
        return self.base + (A @ self.P.T > 0.0) @ self.P

    def ascend(self, A: Array) -> tuple[Array, Array, Array]:
        """Improve unit rows A (B, D) together.

        Returns
        -------
        A, g(A), U : U (B, N-) the splitting variable ~ z_i.r of the last projection, exactly 0 on its kinks.
        """
        A, values = A.copy(), self.g(A)
        if not len(self.weights):
            U = np.empty((len(A), 0))
            for _ in range(_OUTER):
                self._accept(A, values, self.slopes(A))
                if self.clock.expired:
                    break
            return A, values, U
        admm = _Projection(self.N, self.weights, A, max(float(values.max()), 0.02 * float(self.weights.sum())))
        for _ in range(_OUTER):
            self._accept(A, values, admm.advance(self.slopes(A)))
            if self.clock.expired:
                break
        return A, values, admm.U

    def snap(self, A: Array, values: Array, U: Array) -> tuple[Array, Array]:
        """Solve each row exactly on its face: r = projection of v - sum_on |c_i| z_i onto the kinks' complement."""
        A, D = A.copy(), A.shape[1]
        R = self.slopes(A) - (U > 0.0) * self.weights @ self.N
        for b, kinks in enumerate(U == 0.0):
            if 0 < kinks.sum() < D:
                basis = np.linalg.qr(self.N[kinks].T)[0]
                for _ in range(2):  # twice is enough to be orthogonal to working accuracy
                    R[b] -= basis @ (R[b] @ basis)
        values = values.copy()
        self._accept(A, values, R)
        return A, values


class _Projection:
    """ADMM for r = argmin |r - v|^2/2 + sum_i w_i (u_i)_+, u = N r, for many v at once, warm from call to call."""

    def __init__(self, N: Array, weights: Array, A: Array, value: float) -> None:
        D = N.shape[1]
        # r is about as long as g is large, its multipliers as large as the weights: balance the two.
        self.rho = weights.mean() * np.sqrt(D) / value
        self.N, self.threshold = N, weights / self.rho
        self.inverse = np.linalg.inv(np.eye(D) + self.rho * (N.T @ N))
        self.U = value * (A @ N.T)
        self.multipliers = (self.U > 0.0) * self.threshold

    def advance(self, V: Array) -> Array:
        """A dozen iterations towards the projections of the rows of V; returns the current R (B, D)."""
        N, U, L, threshold = self.N, self.U, self.multipliers, self.threshold
        for _ in range(_INNER):
            R = (V + self.rho * ((U - L) @ N)) @ self.inverse
            X = R @ N.T
            X *= _RELAXATION
            U *= 1.0 - _RELAXATION
            X += U
            X += L
            np.subtract(X, threshold, out=U)
            np.maximum(U, 0.0, out=U)
            U += np.minimum(X, 0.0)
            np.subtract(X, U, out=L)
        return R


class PowerOracle(LocalOracle):
    """Multi-start ascent for features of degree 2, like squared ReLU; see `LocalOracle` for the parameters."""

    degree = 2

    def ascend(self, base: Array, c: Array, Z: Array, starts: Array, keep: int) -> tuple[Array, Array]:
        """Ascend from all starts, then longer from the best `keep`: unit vectors and values."""
        step = PowerStep(base, c, Z)
        A, values = step.ascend(starts, _ROUNDS)
        best = np.argsort(-values, kind="stable")[:keep]
        return step.ascend(A[best], _ROUNDS)


class PowerStep(_Step):
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
