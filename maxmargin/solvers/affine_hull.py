"""Least-norm point of the affine hull of finitely many points given by their Gram matrix, to the last digit."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..conventions import Array

_REFINEMENTS = 12


class AffineHull:
    """argmin x'Qx subject to sum x = 1, weights of any sign, for positive semidefinite Q (singular ones included).

    With R = diag(Q)^(1/2) the unknowns are R x, which takes the lengths of the points out of the conditioning.
    Adding ``w w'`` (w = R^-1 1 up to scale) changes nothing on the constraint ``w'(R x) = const`` and makes the
    matrix definite unless the points are affinely dependent; a ridge of the size of rounding covers that case.

    Parameters
    ----------
    Q : (k, k) with positive diagonal; not modified.
    """

    def __init__(self, Q: Array) -> None:
        self.radii = np.sqrt(np.diag(Q))
        self.Q = Q / np.outer(self.radii, self.radii)
        self.w = self.radii.min() / self.radii
        A = self.Q + np.outer(self.w, self.w)
        self.factor = _factor(A)
        self.u = cho_solve(self.factor, self.w, check_finite=False)

    def minimiser(self) -> Array:
        """The minimiser up to the ridge and the rounding of one solve; shape (k,)."""
        return self._weights(self.u)

    def refined(self) -> Array:
        """The minimiser after iterative refinement with residuals in extended precision.

        Refinement against a ridge is the proximal point method, so that it converges for singular Q as well.
        """
        w, u = self.w, self.u
        x = u / (w @ u)
        Q = self.Q.astype(np.longdouble)
        spread = math.inf
        for _ in range(_REFINEMENTS):
            image = Q @ x
            residual = (image - (x @ image) / (w @ x) * w).astype(float)
            last, spread = spread, float(np.abs(residual).max())
            if not spread < 0.5 * last:
                break
            step = cho_solve(self.factor, residual, check_finite=False)
            x -= step - (w @ step) / (w @ u) * u
        return self._weights(x)

    def correction(self, wanted: Array) -> Array:
        """Weights x with Q x = wanted up to a common constant (and the ridge); shape (k,)."""
        return cho_solve(self.factor, wanted / self.radii, check_finite=False) / self.radii

    def _weights(self, scaled: Array) -> Array:
        x = scaled / self.radii
        return x / x.sum()


def _factor(A: Array) -> tuple[Array, bool]:
    """Cholesky factor of A plus the smallest ridge, from rounding upwards, that makes it numerically definite."""
    diagonal = np.diag_indices_from(A)
    original = A[diagonal]
    ridge = np.finfo(float).eps * float(original.sum())
    while True:
        A[diagonal] = original + ridge
        try:
            return cho_factor(A, check_finite=False)
        except LinAlgError:
            ridge *= 8.0
