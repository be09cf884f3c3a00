"""Both layers move: the paper's main dynamics, laid out for speed.

By Euler's identity one product serves both gradients: with G_j = sum_i p_i y_i sigma'(a_j.z_i) z_i,

    da_j/dt = b_j G_j,      db_j/dt = a_j . G_j       (degree 1; for degree 2 the signs b_j do not move).

Columns are padded with zeros to a multiple of eight, which halves the time of the backward product.

Late in the flow few points carry the soft-min.  The others weigh less than the rounding of one and are left out:

* of the backward product always (their weights are known);
* of the float64 forward product when a float32 one *proves* them harmless: with k = m + D + 4 terms it errs by at most
  gamma_k |z_i| (1/m) sum_j |a_j| |b_j| <= gamma_k |z_i| mass / 2 (Higham, Sec. 3.1), so that a point that lies further
  above the minimum than log(1/rounding) plus twice that cannot matter.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import conventions
from ..conventions import Array
from ..features import Feature
from .kinks import Kinks, Pull, hyperbolic, slide
from .network import Network

Rows = NDArray[np.int64]

_PAD = 8
_SLOTS = 8  # kinks a neuron may rest on, or beyond D of them
_FEW = 1 / 3  # share of the points below which screening and gathering save time
_SINGLE, _SINGLE_RANGE = 2.0**-24, 1e30


def _squares(X: Array) -> float:
    return float(np.vdot(X, X))


def _turned(before: Array, after: Array) -> float:
    """Root mean square change of the directions a_j/|a_j|, weighed by |a_j|^2 before."""
    squares, dot = np.einsum("jd,jd->j", before, before), np.einsum("jd,jd->j", before, after)
    lengths = np.sqrt(squares * np.einsum("jd,jd->j", after, after))
    cosines = np.divide(dot, lengths, out=np.ones_like(dot), where=lengths > 0)
    return math.sqrt(max(0.0, float(2.0 * squares @ (1.0 - cosines))) / max(float(squares.sum()), 1e-300))


class BothLayers:
    """h = (1/m) sum_j b_j sigma(a_j . z), all (a_j, b_j) moving (degree 1), or all a_j with signs b_j (degree 2)."""

    norm, homogeneity = "f1", 2

    def __init__(self, Z: Array, y: Array, neurons: tuple[Array, Array], feature: Feature, dtype: str):
        A, b = neurons
        self._feature, self._D, self._m = feature, Z.shape[1], len(b)
        pad = ((0, 0), (0, -self._D % _PAD))
        self._Z, self._y = np.pad(Z, pad).astype(dtype), y.astype(dtype)
        self._A, self._b = np.pad(A, pad).astype(dtype), b.astype(dtype)
        self._dA, self._db = np.zeros_like(self._A), np.zeros_like(self._b)
        self._buffer, self._gates = (np.empty(self._m * len(y), dtype) for _ in range(2))
        length = np.linalg.norm(Z, axis=1).max() ** feature.degree
        self.z_inf = float(conventions.variation_factor(feature.degree, conventions.SPHERE) * length)
        self._harmless = -math.log(np.finfo(dtype).eps / 2.0)
        self._is_relu = feature == Feature(feature.name, 1, 1.0, 0.0)
        self._single = self._Z.astype(np.float32) if dtype == "float64" and self._is_relu else None
        self._screened = np.empty((len(y), self._m), np.float32)
        self._single_error = 2.0 * _SINGLE * (self._m + Z.shape[1] + 4) * float(length)
        self._few, self._u = False, np.zeros(len(y))
        self._jump = feature.right + feature.left if feature.degree == 1 else 0.0
        self._kinks = Kinks.none(*self._A.shape)
        self._touch()

    def _touch(self) -> None:
        """The parameters have changed."""
        self._fresh = False
        self._A2, self._b2 = _squares(self._A), _squares(self._b)

    def outputs(self, rows: Rows | None = None) -> Array:
        if rows is not None:
            self._fresh, self._few = False, False
            return self._forward(rows)
        if not self._fresh:
            if self._few and self._single is not None and self.size() < _SINGLE_RANGE:
                self._u, near = self._screen(self._single)
                self._u[near] = self._forward(near)
            else:
                self._u = self._forward(None)
            self._fresh = True
        return self._u

    def _screen(self, z: NDArray[np.float32]) -> tuple[Array, Rows]:
        """Outputs in single precision, and the points that they do not prove harmless."""
        P = np.matmul(z, self._A.astype(np.float32).T, out=self._screened)
        u = conventions.mean_field(self._m) * self._y * (self._relu(P) @ self._b.astype(np.float32))
        return u, np.flatnonzero(u <= u.min() + self._harmless + self._single_error * self.size())

    def _forward(self, rows: Rows | None) -> Array:
        """Outputs of these points; leaves what the backward product needs of them."""
        self._rows = rows
        self._z, self._labels = (self._Z, self._y) if rows is None else (self._Z[rows], self._y[rows])
        size = self._m * len(self._labels)
        P = self._buffer[:size].reshape(-1, self._m)
        np.matmul(self._z, self._A.T, out=P)
        if rows is None and len(self._kinks.neurons):
            P[self._kinks.pairs] = 0.0  # rounding would open gates of neurons at rest
        self._P, self._R = P, self._relu(P) if self._is_relu else self._feature(P)
        return (conventions.mean_field(self._m) * self._labels * (self._R @ self._b)).astype(float)

    @staticmethod
    def _relu(P: Array) -> Array:
        # np.clip is three times as fast as np.maximum here; the slopes can still be read off
        return np.clip(P, 0.0, np.inf, out=P)

    def _slopes(self, rows: Rows | slice) -> Array:
        """sigma'(a_j.z_i), (r, m), of some of the points last seen."""
        P = self._P[rows]
        if not self._is_relu:
            return self._feature.derivative(P)
        return np.greater(P, 0.0, out=self._gates[: P.size].reshape(P.shape))

    def ascend(self, p: Array) -> float:
        if self._rows is not None and len(p) == len(self._y):
            if p[self._rows].sum() < (1.0 - 1e-12) * p.sum():  # not the soft-min of this moment
                self._fresh, self._few = False, False
                self.outputs()
            else:
                p = p[self._rows]
        heavy = np.flatnonzero(p > math.exp(-self._harmless) * p.max())
        self._few = len(heavy) < _FEW * len(self._y)
        rows = heavy if len(heavy) < 0.9 * len(p) else slice(None)
        q = (p[rows] * self._labels[rows]).astype(self._A.dtype)
        self._heavy, self._q = (np.arange(len(self._y)) if self._rows is None else self._rows)[rows], q
        self._G = self._slopes(rows).T @ (q[:, None] * self._z[rows])
        np.multiply(self._G, self._b[:, None], out=self._dA)
        if self._feature.degree == 1:
            np.einsum("jd,jd->j", self._A, self._G, out=self._db)
        self._speed = _squares(self._dA) + _squares(self._db)
        return conventions.mean_field(self._m) * self._speed

    def move(self, eta: float) -> None:
        self._kinks = Kinks.none(*self._A.shape)
        self._dA *= eta
        self._A += self._dA
        if self._feature.degree == 1:
            self._db *= eta
            self._b += self._db
        self._touch()

    def flow(self, eta: float) -> float:
        if self._feature.degree == 1:
            turned = self._slide(eta)
        else:
            turned = eta * math.sqrt(self._speed * conventions.mean_field(self._m) / self.size())
            self._turn(eta)
        self._touch()
        self._few = False  # the implicit step needs all outputs exactly
        return turned

    def _slide(self, eta: float) -> float:
        """Degree 1: every neuron moves straight along its gradient, which is solved for where it reaches a kink."""
        before, G = self._A.copy(), self._G
        if self._jump:
            s, _ = hyperbolic(self._A, self._b, G, eta)
            pull = Pull(G, s, self._Z[self._heavy], self._q, self._heavy, self._jump, self._D - 1)
            G, self._kinks = slide(self._A, pull, self._kinks, max(_SLOTS, self._D))
        s, db = hyperbolic(self._A, self._b, G, eta)
        self._A += s[:, None] * G
        self._b += db
        self._kinks.project(self._A)
        return _turned(before, self._A)

    def _turn(self, eta: float) -> None:
        """Degree 2: |a| grows by exp(eta rho), a/|a| follows its tangential velocity and is normalised again."""
        squares = np.einsum("jd,jd->j", self._A, self._A)
        squares[squares == 0] = 1.0
        rho = np.einsum("jd,jd->j", self._A, self._dA) / squares
        moved = self._A * (1.0 - eta * rho)[:, None] + eta * self._dA
        squares_moved = np.einsum("jd,jd->j", moved, moved)
        squares_moved[squares_moved == 0] = 1.0
        self._A = moved * (np.exp(eta * rho) * np.sqrt(squares / squares_moved))[:, None]

    def tangent_kernel(self, rows: Rows) -> Array:
        signed, z = self._labels[rows], self._z[rows]
        gates = self._slopes(rows) * self._b
        K = (gates @ gates.T) * (z @ z.T)
        if len(self._kinks.neurons):
            blocked = self._kinks.blocked(gates, z)
            K -= blocked @ blocked.T
        if self._feature.degree == 1:
            values = self._R[rows]
            K += values @ values.T
        return (conventions.mean_field(self._m) * np.outer(signed, signed) * K).astype(float)

    def scale(self, factor: float) -> None:
        self._A *= math.sqrt(factor)
        if self._feature.degree == 1:
            self._b *= math.sqrt(factor)
        self._touch()

    def size(self) -> float:
        moving = self._A2 + self._b2 if self._feature.degree == 1 else self._A2
        return conventions.mean_field(self._m) * moving

    def response(self, p: Array) -> float:
        """inf: a bound over all neurons of the sphere needs an oracle."""
        return math.inf

    def network(self, bias: bool) -> Network:
        return Network(self._A[:, : self._D].astype(float), self._b.astype(float), bias, self._feature)

    def state(self) -> Any:
        return self._A.copy(), self._b.copy(), self._kinks

    def restore(self, state: Any) -> None:
        self._A[:], self._b[:], self._kinks = state
        self._touch()
