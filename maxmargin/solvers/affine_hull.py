"""Least-norm point of the affine hull of finitely many points given by their Gram matrix, to the last digit."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..conventions import Array, Mask

_REFINEMENTS = 12
_BLOCK = 1 << 22  # entries of Q that are scaled at once: 32 MB


class AffineHull:
    """argmin x'Qx subject to sum x = 1, weights of any sign, for positive semidefinite Q (singular ones included).

    With R = diag(Q)^(1/2) the unknowns are R x, which takes the lengths of the points out of the conditioning.
    Adding ``w w'`` (w = R^-1 1 up to scale) changes nothing on the constraint ``w'(R x) = const`` and makes the
    matrix definite unless the points are affinely dependent; a ridge of the size of rounding covers that case.

    Parameters
    ----------
    Q : (k, k) with positive diagonal; not modified.
    points : (k,) mask of the points in the hull, all by default: their part of Q is read, not copied.
    """

    def __init__(self, Q: Array, points: Mask | None = None) -> None:
        self.Q, self.points = Q, np.arange(len(Q)) if points is None else np.flatnonzero(points)
        self.radii = np.sqrt(np.diag(Q)[self.points])
        self.w = self.radii.min() / self.radii
        parts = self._parts()
        self._whole = self._scaled(parts[0]) if len(parts) == 1 else None  # kept where it is small
        self.factor = _factor(self._definite)
        self.u = cho_solve(self.factor, self.w, check_finite=False)

    def _definite(self) -> Array:
        """R^-1 Q R^-1 + w w', a new matrix."""
        if self._whole is not None:
            return np.asarray(self._whole + np.outer(self.w, self.w))
        A = np.empty((len(self.points), len(self.points)))
        for part in self._parts():
            A[part] = self._scaled(part) + np.outer(self.w[part], self.w)
        return A

    def _scaled(self, part: slice) -> Array:
        every = len(self.points) == len(self.Q)
        rows = self.Q[part] if every else self.Q[np.ix_(self.points[part], self.points)]
        return rows / np.outer(self.radii[part], self.radii)

    def _parts(self) -> list[slice]:
        k = len(self.radii)
        step = max(1, _BLOCK // k)
        return [slice(i, i + step) for i in range(0, k, step)]

    def minimiser(self) -> Array:
        """The minimiser up to the ridge and the rounding of one solve; shape (k,)."""
        return self._weights(self.u)

    def refined(self) -> Array:
        """The minimiser after iterative refinement with residuals in extended precision.

        Refinement against a ridge is the proximal point method, so that it converges for singular Q as well.
        """
        w, u = self.w, self.u
        x = u / (w @ u)
        Q = None if self._whole is None else self._whole.astype(np.longdouble)
        spread = math.inf
        for _ in range(_REFINEMENTS):
            image = self._image(x) if Q is None else Q @ x
            residual = (image - (x @ image) / (w @ x) * w).astype(float)
            last, spread = spread, float(np.abs(residual).max())
            if not spread < 0.5 * last:
                break
            step = cho_solve(self.factor, residual, check_finite=False)
            x -= step - (w @ step) / (w @ u) * u
        return self._weights(x)

    def _image(self, x: NDArray[np.longdouble]) -> NDArray[np.longdouble]:
        """R^-1 Q R^-1 x in extended precision, of which a block is in memory at a time."""
        return np.concatenate([self._scaled(part).astype(np.longdouble) @ x for part in self._parts()])

    def correction(self, wanted: Array) -> Array:
        """Weights x with Q x = wanted up to a common constant (and the ridge); shape (k,)."""
        return cho_solve(self.factor, wanted / self.radii, check_finite=False) / self.radii

    def _weights(self, scaled: Array) -> Array:
        x = scaled / self.radii
        return x / x.sum()


def _factor(matrix: Callable[[], Array]) -> tuple[Array, bool]:
    """Cholesky factor of a new symmetric matrix plus the smallest ridge that makes it numerically definite."""
    A = matrix()
    original = A.diagonal().copy()
    ridge = np.finfo(float).eps * float(original.sum())
    while True:
        A[np.diag_indices_from(A)] = original + ridge
        try:
            return cho_factor(A.T, overwrite_a=True, check_finite=False)  # in place
        except LinAlgError:
            ridge *= 8.0
            A = matrix()
