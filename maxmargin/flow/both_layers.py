"""Both layers move: the paper's main dynamics, laid out for speed.

Neurons are columns: A (D, m) and R (n, m) keep every per-neuron operation contiguous.  By Euler's identity one product
suffices for both gradients: with G_j = sum_i p_i y_i sigma'(a_j.z_i) z_i,

    da_j/dt = b_j G_j,      db_j/dt = a_j . G_j       (degree 1; for degree 2 the signs b_j do not move).

Rows whose soft-min weight is below rounding are left out of both products.  A row is skipped in the forward product
only while it is *proved* harmless: since sigma is Lipschitz, one step changes u_i by at most

    |z_i| (1/m) sum_j |b_j'| |da_j| + |db_j| |a_j|  <=  |z_i| (1/m) ( |b'| |dA| + |db| |A| ),

and the accumulated bound (`_drift`) is kept below half the slack that was measured at the last full product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import conventions
from ..features import Feature
from .network import Network

Array = NDArray[np.float64]


class BothLayers:
    """h = (1/m) sum_j b_j sigma(a_j . z), all (a_j, b_j) moving (degree 1), or all a_j with signs b_j (degree 2)."""

    norm, homogeneity = "f1", 2

    def __init__(self, Z: Array, y: Array, neurons: tuple[Array, Array], feature: Feature, dtype: str):
        A, b = neurons
        self._feature = feature
        self._A = np.ascontiguousarray(A.T, dtype=dtype)
        self._b = np.ascontiguousarray(b, dtype=dtype)
        self._Z, self._y = np.ascontiguousarray(Z, dtype=dtype), y.astype(dtype)
        n, m = len(y), len(b)
        self._R, self._slope = np.empty((n, m), dtype), np.empty((n, m), dtype)
        self._G = np.empty_like(self._A)
        self._dA, self._db = np.empty_like(self._A), np.zeros_like(self._b)
        lengths = np.linalg.norm(Z, axis=1).max() ** feature.degree
        self.z_inf = float(conventions.variation_factor(feature.degree, conventions.SPHERE) * lengths)
        self._u: Array | None = None

    def outputs(self, rows: NDArray[np.int64] | None = None) -> Array:
        if rows is not None:
            return self._forward(rows)
        if self._u is None:
            self._u = self._forward(slice(None))
        return self._u

    def _forward(self, rows: NDArray[np.int64] | slice) -> Array:
        self._u = None
        self._z, self._labels = self._Z[rows], self._y[rows]
        self._r, self._s = self._R[: len(self._labels)], self._slope[: len(self._labels)]
        np.matmul(self._z, self._A, out=self._r)
        self._differentiate()
        return conventions.mean_field(len(self._b)) * self._labels * (self._r @ self._b)

    def _differentiate(self) -> None:
        """s <- sigma'(r), r <- sigma(r)."""
        if self._feature.right == 1.0 and not self._feature.left and self._feature.degree == 1:
            np.greater(self._r, 0.0, out=self._s)
            np.clip(self._r, 0.0, np.inf, out=self._r)
        else:
            self._s[:] = self._feature.derivative(self._r)
            self._r[:] = self._feature(self._r)

    def ascend(self, p: Array) -> float:
        q = (p * self._labels).astype(self._A.dtype)
        np.matmul((q[:, None] * self._z).T, self._s, out=self._G)
        np.multiply(self._G, self._b, out=self._dA)
        if self._feature.degree == 1:
            np.einsum("dj,dj->j", self._A, self._G, out=self._db)
        return conventions.mean_field(len(self._b)) * float(np.vdot(self._dA, self._dA) + np.vdot(self._db, self._db))

    def move(self, eta: float) -> None:
        self._u = None
        self._dA *= eta
        self._A += self._dA
        if self._feature.degree == 1:
            self._db *= eta
            self._b += self._db

    def flow(self, eta: float) -> float:
        self._u = None
        return self._turn_hyperbolically(eta) if self._feature.degree == 1 else self._turn(eta)

    def _turn_hyperbolically(self, eta: float) -> float:
        """da/dt = b G, db/dt = a.G: with e = G/|G|, the pair (a.e, b) turns hyperbolically by x = eta |G|."""
        length = np.sqrt(np.einsum("dj,dj->j", self._G, self._G))
        safe = np.where(length > 0, length, 1.0)
        x = eta * length
        along = self._db / safe
        cosh_minus_1, sinh = 2.0 * np.sinh(0.5 * x) ** 2, np.sinh(x)
        self._A += self._G * ((cosh_minus_1 * along + sinh * self._b) / safe)
        self._b += cosh_minus_1 * self._b + sinh * along
        return float(x.max())

    def _turn(self, eta: float) -> float:
        """Degree 2: |a| grows by exp(eta rho), a/|a| follows its tangential velocity and is normalised again."""
        squares = np.einsum("dj,dj->j", self._A, self._A)
        squares[squares == 0] = 1.0
        rho = np.einsum("dj,dj->j", self._A, self._dA) / squares
        self._dA *= eta
        turn = np.sqrt(np.einsum("dj,dj->j", self._dA, self._dA) / squares)
        self._dA -= self._A * (eta * rho)
        moved = self._A + self._dA
        squares_moved = np.einsum("dj,dj->j", moved, moved)
        squares_moved[squares_moved == 0] = 1.0
        self._A = moved * (np.exp(eta * rho) * np.sqrt(squares / squares_moved))
        return float(turn.max())

    def tangent_kernel(self, rows: NDArray[np.int64]) -> Array:
        signed = self._labels[rows]
        gates = self._s[rows] * self._b
        K = (gates @ gates.T) * (self._z[rows] @ self._z[rows].T)
        if self._feature.degree == 1:
            K += self._r[rows] @ self._r[rows].T
        return (conventions.mean_field(len(self._b)) * np.outer(signed, signed) * K).astype(float)

    def scale(self, factor: float) -> None:
        self._u = None
        self._A *= np.sqrt(factor)
        if self._feature.degree == 1:
            self._b *= np.sqrt(factor)

    def size(self) -> float:
        moving = self._b if self._feature.degree == 1 else self._b[:0]
        return conventions.mean_field(len(self._b)) * float(np.vdot(self._A, self._A) + np.vdot(moving, moving))

    def response(self, p: Array) -> float:
        """The ball holds all neurons of the sphere: an oracle's business, nothing is proved here."""
        return float("inf")

    def network(self, bias: bool) -> Network:
        return Network(self._A.T.astype(float), self._b.astype(float), bias, self._feature)

    def state(self) -> Any:
        return self._A.copy(), self._b.copy()

    def restore(self, state: Any) -> None:
        self._A, self._b = state[0].copy(), state[1].copy()
        self._u = None
