"""Wide data: with fewer points than coordinates, everything happens in the span of the points.

With orthonormal rows B (n, D) and X = Z B' (from a QR factorisation of Z') every z_i is B' x_i, so that for unit a

    g(a) = sum_i q_i sigma(a.z_i) = sum_i q_i sigma((B a).x_i),        |B a| <= 1.

A bound for all unit vectors of the span is a bound for all of R^D, because g is homogeneous.  One coordinate more, in
which all x_i vanish, stands for all that is orthogonal to the span; a proof found with it is one in R^D, too, once its
vectors are mapped by B'.  What rounding leaves of ``z_i = B' x_i`` and of ``|B| = 1`` is bounded, and added:

    |g(a) - sum_i q_i sigma((B a).x_i)| <= L sum_i |q_i| e_i           (degree 1),     |z_i - B' x_i| <= e_i,
                                        <= L sum_i |q_i| e_i (2 |z_i| + e_i)   (degree 2),   L = max(|right|, |left|).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..conventions import Array
from ..features.homogeneous import Feature
from ..rounding import UNIT_ROUNDOFF, above, relative_error
from .renumbered import mapped

_FEW = 32  # up to this many coordinates a reduction does not pay


def wide(Z: Array) -> bool:
    """Whether the points (n, D) have so few rows that working in their span pays."""
    return Z.shape[1] > max(len(Z) + 1, _FEW)


@dataclass(frozen=True)
class Span:
    """Coordinates of wide data in their span.

    Attributes
    ----------
    X : (n, n+1) coordinates; the last column is zero.
    basis : (n, D) rows, orthonormal up to rounding.
    errors : (n,) with ``|z_i - basis' x_i| <= errors_i``.
    lengths : (n,) with ``|z_i| <= lengths_i``.
    stretch : ``|basis a| <= stretch`` for every unit a.
    """

    X: Array
    basis: Array
    errors: Array
    lengths: Array
    stretch: float

    @classmethod
    def of(cls, Z: Array) -> Span:
        """The span of the rows of Z (n, D), n < D, by Householder's QR factorisation."""
        n, D = Z.shape
        Q, R = np.linalg.qr(Z.T)
        X, basis = np.ascontiguousarray(R.T), np.ascontiguousarray(Q.T)
        grown = 1.0 + relative_error(4 * D + 16)
        # a computed product of n terms errs by gamma_n times that of the absolute values; |basis|_F <= sqrt(n) 1.01
        rounding = relative_error(2 * n + 8) * 1.02 * np.sqrt(n) * np.linalg.norm(X, axis=1)
        errors = (np.linalg.norm(Z - X @ basis, axis=1) + rounding) * grown
        skew = float(np.linalg.norm(basis @ basis.T - np.eye(n))) * grown + 1.02 * n * relative_error(2 * D + 8)
        coordinates = np.hstack([X, np.zeros((n, 1))])
        return cls(coordinates, basis, errors, np.linalg.norm(Z, axis=1) * grown, float(np.sqrt(1.0 + skew)) * grown)

    def coordinates(self, A: Array) -> Array:
        """Directions A (K, D) in the span's coordinates, (K, n+1), without what is orthogonal to it."""
        return np.hstack([A @ self.basis.T, np.zeros((len(A), 1))])

    def lift(self, A: Array) -> Array:
        """Unit vectors (K, D) for directions A (K, n+1); what is orthogonal to the span is left out."""
        inside = np.where(A[:, :-1].any(axis=1, keepdims=True), A[:, :-1], 1.0)
        lifted = inside @ self.basis
        return np.asarray(lifted / np.linalg.norm(lifted, axis=1, keepdims=True))

    def bound(self, bound: float, q: Array, feature: Feature) -> float:
        """A bound on ``s sum_i q_i sigma(a.z_i)`` over unit a of R^D, from one over unit vectors of the span."""
        moved = self.errors if feature.degree == 1 else self.errors * (2.0 * self.lengths + self.errors)
        slack = max(abs(feature.right), abs(feature.left)) * float(np.abs(q) @ moved)
        stretched = max(bound, 0.0) * self.stretch**feature.degree
        error = (slack + 8.0 * UNIT_ROUNDOFF * stretched) * (1.0 + relative_error(2 * len(q) + 8))
        return above(stretched, error)

    def wider(self, proof: dict[str, Any]) -> dict[str, Any]:
        """The same proof with its vectors in R^D."""
        return mapped(proof, lambda V: V[:, :-1] @ self.basis)

    def narrower(self, proof: dict[str, Any]) -> dict[str, Any]:
        """The same proof with its vectors in the span's coordinates."""
        return mapped(proof, self.coordinates)
