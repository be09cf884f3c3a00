r"""One leaf of the lifted relaxation as two convex sets: moment matrices, and matrices that respect the products.

With the forms l = L v of a leaf (`inequality`), a measure of mass m on the leaf's directions has the moments
``W = E[(r, a, l)(r, a, l)']``, a matrix of order 1 + D + K. Two sets contain W:

* A = {T X T' : X >= 0}, where ``(r, a, l) = T v``: W is a moment matrix and obeys the linear relations between forms;
* B = {W : W_kl >= 0; W_kl = 0 for h_i, h_i - z_i.a; W_rr = tr W_aa; |W_{a,k}| <= W_{r,k}}: products and norm products.

Both projections are cheap: A needs one eigendecomposition of order 1 + D + F, once T is made an isometry Q, and B is
separable. With h_i = u_i + z_i.a/2 and h'_i = u_i - z_i.a/2 the columns of u are orthogonal to all others, so that
only those of a, D in number, are made orthonormal, and products with Q cost little beside the eigendecomposition.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .eigen import FEW, eigh, eigh_of_sign
from .inequality import Forms, Path, leaf_forms

Array = NDArray[Any]  # in single or double precision

_HALF = math.sqrt(0.5)  # a Python float, which leaves single precision single


class LiftedBlock:
    """State V, its projection W, and geometry of one leaf; see `splitting.LiftedSplitting` for the iteration.

    Parameters
    ----------
    Z : (N, D) support points of unit length.
    sign : output sign s of the neurons.
    path : splits that lead to the leaf.
    dtype : of the iterates; what they prove is repaired in double precision.
    """

    def __init__(self, Z: Array, sign: int, path: Path = (), dtype: DTypeLike = np.float64) -> None:
        self._Z, self.sign, self.path, self.D = Z, sign, path, Z.shape[1]
        self.forms: Forms = leaf_forms(Z, path)
        L, D, self.free = self.forms.L, self.D, len(self.forms.free)
        self.order, splits = 1 + D + len(L), len(path)
        # the columns of a: moments of a itself, of the splits, and of the two forms of each free point
        columns = np.vstack([np.eye(D), L[:splits, 1 : 1 + D], -0.5 * L[splits + self.free :, 1 : 1 + D]])
        columns = np.vstack([columns, 0.5 * L[splits + self.free :, 1 : 1 + D]])
        self._a = np.linalg.solve(np.linalg.cholesky(columns.T @ columns), columns.T).T.astype(dtype)
        k, l = self.forms.complementary
        self.zero = (np.r_[k, l] + 1 + D, np.r_[l, k] + 1 + D)
        self._positive = 0.5  # share of positive eigenvalues at the last projection
        self.V = np.zeros((self.order, self.order), dtype)
        self.W = np.zeros((self.order, self.order), dtype)

    def copy(self, dtype: DTypeLike) -> LiftedBlock:
        """The same leaf and state in this precision."""
        other = LiftedBlock(self._Z, self.sign, self.path, dtype)
        other.V, other.W = self.V.astype(dtype), self.W.astype(dtype)
        return other

    def compressed(self, M: Array) -> Array:
        """M Q for M (m, order): Q maps the coordinates (r, a, u) isometrically to (r, a, l)."""
        left, right = M[:, self.order - 2 * self.free : self.order - self.free], M[:, self.order - self.free :]
        out = np.empty((len(M), 1 + self.D + self.free), M.dtype)
        out[:, :1] = M[:, :1]
        np.matmul(M[:, 1:], self._a, out=out[:, 1 : 1 + self.D])
        np.add(left, right, out=out[:, 1 + self.D :])
        out[:, 1 + self.D :] *= _HALF
        return out

    def expanded(self, M: Array) -> Array:
        """Q M for M (1 + D + F, m)."""
        D, F = self.D, self.free
        out = np.vstack([M[:1], self._a @ M[1 : 1 + D]])
        out[self.order - 2 * F :].reshape(2, F, M.shape[1])[:] += _HALF * M[1 + D :]
        return out

    def project_moments(self) -> Array:
        """Projection P of R = 2W - V on A: P = Q (Q'RQ)_+ Q', exact because Q has orthonormal columns."""
        X = self.compressed(self.compressed(2.0 * self.W - self.V).T)
        X = 0.5 * (X + X.T)
        values, vectors, sign = self._shorter_part(X)
        half = self.expanded(vectors * np.sqrt(np.abs(values)))
        return half @ half.T if sign > 0 else self.expanded(self.expanded(X).T) + half @ half.T

    def _shorter_part(self, X: Array) -> tuple[Array, Array, int]:
        """Eigenvalues and eigenvectors of X of one sign, the one that fewer of them have, and this sign."""
        few = min(self._positive, 1.0 - self._positive)
        sign = 1 if self._positive <= 0.5 else -1
        if few < FEW:
            values, vectors = eigh_of_sign(X, sign)
        else:
            values, vectors = eigh(X)
            split = int(np.searchsorted(values, 0.0))
            sign = 1 if 2 * split >= len(values) else -1
            kept = slice(split, None) if sign > 0 else slice(split)
            values, vectors = values[kept], vectors[:, kept]
        share = len(values) / len(X)
        self._positive = share if sign > 0 else 1.0 - share
        return values, vectors, sign

    def mass(self, V: Array) -> float:
        """The mass m for which V is nearest to W_rr = tr W_aa = m."""
        D = self.D
        return float((V[0, 0] + np.trace(V[1 : 1 + D, 1 : 1 + D]) / D) / (1.0 + 1.0 / D))

    def project_products(self, V: Array, mass: float) -> None:
        """Projects V on B with the given mass, in place."""
        D = self.D
        products = V[1 + D :, 1 + D :]
        np.maximum(products, 0.0, out=products)
        V[self.zero] = 0.0
        a = np.arange(1, 1 + D)
        V[a, a] += (mass - np.trace(V[1 : 1 + D, 1 : 1 + D])) / D
        V[0, 0] = mass
        _project_norms(V, D)


def _project_norms(V: Array, D: int) -> None:
    """Projects each (V_rk; V_ak = V_ka') on |V_ak| <= V_rk; V_kr is left to the payoffs, so V_ak weighs twice."""
    axis = V[0, 1 + D :]
    vector = 0.5 * (V[1 : 1 + D, 1 + D :] + V[1 + D :, 1 : 1 + D].T)
    length = 2.0 * _HALF * np.linalg.norm(vector, axis=0)
    slope = _HALF
    inside = axis >= slope * length
    new_length = np.maximum(0.0, (slope * axis + length) / (1.0 + slope * slope))
    V[0, 1 + D :] = np.where(inside, axis, slope * new_length)
    shrink = np.where(inside, 1.0, new_length / np.maximum(length, np.finfo(V.dtype).tiny))
    vector *= shrink - 1.0
    V[1 : 1 + D, 1 + D :] += vector
    V[1 + D :, 1 : 1 + D] += vector.T
