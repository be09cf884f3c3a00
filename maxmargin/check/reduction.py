"""Fewer points than coordinates: an inequality proved in the coordinates of a subspace that nearly contains the points.

Let B (N, D) have nearly orthonormal rows and let z_i = B'x_i + r_i.  For unit a in R^D and b = Ba,

    |a.z_i - b.x_i| <= |r_i|,        |b| <= stretch,        stretch^2 >= ||BB'||,

so that with L = max(|right|, |left|)

    s sum_i q_i sigma(a.z_i)  <=  stretch^k max(0, t) + L sum_i |q_i| e_i,    e_i = |r_i|                     (k = 1)
                                                                              e_i = |r_i| (2 |z_i| + |r_i|)   (k = 2)

whenever ``s sum_i q_i sigma(b.x_i) <= t`` for all unit b in R^N, since the left side is homogeneous in b.  Nothing is
assumed of B: |r_i| and ||BB'|| are bounded from the numbers themselves, the latter by 1 + |BB' - I|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .claim import Activation
from .exact import relative_error
from .fields import Array

_FEW = 32  # coordinates that cost nothing
_CHUNK = 64  # coordinates that are multiplied and summed at once: their sums err by 64 + D/64 roundings instead of D


@dataclass(frozen=True)
class Reduction:
    """The points in few coordinates, and what an inequality about them loses on the way back.

    Attributes
    ----------
    X : (N, N) coordinates x_i.
    basis : (N, D) the rows of B.
    residuals : (N,) upper bounds on |r_i|.
    lengths : (N,) upper bounds on |z_i|.
    stretch : upper bound on |Ba| over unit a.
    """

    X: Array
    basis: Array
    residuals: Array
    lengths: Array
    stretch: float

    @classmethod
    def of(cls, Z: Array) -> Reduction | None:
        """Few coordinates for the rows of Z (N, D); None where that saves nothing."""
        N, D = Z.shape
        if max(N, _FEW) >= D or not N:
            return None
        Q, R = np.linalg.qr(Z.T)
        X, basis = np.ascontiguousarray(R.T), np.ascontiguousarray(Q.T)
        if not (np.isfinite(X).all() and np.isfinite(basis).all()):
            return None
        outward = 1.0 + relative_error(D + 16)  # of a norm of D numbers, and a few operations more
        rest = Z - X @ basis
        rounded = relative_error(N + 2) * (np.abs(X) @ np.abs(basis) + np.abs(rest))
        residuals = (np.linalg.norm(rest, axis=1) + np.linalg.norm(rounded, axis=1) * 1.001) * outward + 1e-290
        gram, size = np.zeros((N, N)), np.zeros((N, N))
        for start in range(0, D, _CHUNK):
            part = basis[:, start : start + _CHUNK]
            gram += part @ part.T
            size += np.abs(part) @ np.abs(part).T
        error = relative_error(_CHUNK + -(-D // _CHUNK) + 2) * float(np.linalg.norm(size)) * 1.001
        skew = (float(np.linalg.norm(gram - np.eye(N))) * 1.001 + error) * 1.001 + 1e-290
        lengths = np.linalg.norm(Z, axis=1) * outward + 1e-290
        # sqrt(1 + skew) <= 1 + skew / 2
        return cls(X, basis, residuals, lengths, (1.0 + 0.5 * skew) * (1.0 + 2.0**-51))

    def coordinates(self, vectors: Array) -> Array:
        """Vectors (K, D), or one, in the few coordinates; multipliers and splits may be any, so they need no error."""
        return np.asarray(vectors @ self.basis.T)

    def bound(self, bound: float, q: Array, activation: Activation) -> float:
        """The bound on ``s sum_i q_i sigma(a.z_i)`` over unit a of R^D that follows from one in few coordinates."""
        moved = self.residuals * (1.0 if activation.degree == 1 else 2.0 * self.lengths + self.residuals)
        slack = max(abs(activation.right), abs(activation.left)) * float(np.abs(q) @ moved)
        stretched = max(bound, 0.0) * self.stretch**activation.degree
        return (stretched + slack * (1.0 + relative_error(len(q) + 8))) * (1.0 + 2.0**-49)
