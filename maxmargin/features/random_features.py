"""Kernels of a network of finite width: random features, and the tangent kernel of given weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..conventions import mean_field
from .homogeneous import RELU, Feature

Array = NDArray[np.float64]

_BLOCK = 1 << 22  # entries of a block of neurons


class FeatureGram:
    """K = (1/m) Phi' Phi, read by rows: the kernel of m given features, without its n x n matrix.

    Parameters
    ----------
    Phi : (m, n) features Phi_ji = sigma(a_j . z_i).

    Attributes
    ----------
    shape : (n, n).
    """

    def __init__(self, Phi: Array) -> None:
        self.Phi = np.asarray(Phi, dtype=float)
        self._columns = np.ascontiguousarray(self.Phi.T)
        self.factor = mean_field(len(self.Phi))
        self.shape = (self.Phi.shape[1], self.Phi.shape[1])

    def diagonal(self) -> Array:
        """(1/m) |Phi_i|^2, shape (n,)."""
        return self.factor * np.einsum("ij,ij->i", self._columns, self._columns)

    def __getitem__(self, rows: Any) -> Array:
        return self.factor * (self._columns[rows] @ self.Phi)

    def square(self, rows: NDArray[np.intp]) -> Array:
        """K[rows][:, rows], exactly symmetric."""
        columns = self._columns[rows]
        return self.factor * (columns @ columns.T)  # BLAS's symmetric rank-k update

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return self.square(np.arange(len(self._columns))).astype(dtype or float, copy=False)


def random_feature_kernel(hidden: Array, Z1: Array, Z2: Array | None = None, feature: Feature = RELU) -> Array:
    """(1/m) sum_j sigma(a_j.z) sigma(a_j.z'), shape (n1, n2); tends to `kernels.kernel` as m grows.

    Parameters
    ----------
    hidden : (m, D) directions a_j.  Z1 : (n1, D).  Z2 : (n2, D), Z1 by default.
    """
    return finite_kernel(hidden, Z1, Z2, feature)


def finite_tangent_kernel(
    hidden: Array, output: Array, Z1: Array, Z2: Array | None = None, feature: Feature = RELU
) -> Array:
    """Tangent kernel of h(x) = (1/m) sum_j b_j sigma(a_j.z), times m (its infinite-width limit is finite):

        (1/m) sum_j [sigma(a_j.z) sigma(a_j.z') + b_j^2 sigma'(a_j.z) sigma'(a_j.z') z.z']

    For degree 2 the output weight is a fixed sign, and only the second term remains (see `kernels.Kernel`).

    Parameters
    ----------
    hidden : (m, D) a_j.  output : (m,) b_j.  Z1 : (n1, D).  Z2 : (n2, D), Z1 by default.
    """
    others = Z1 if Z2 is None else Z2
    K = finite_kernel(hidden, Z1, Z2, feature.derivative, output) * (Z1 @ others.T)
    if feature.degree == 1:
        K += finite_kernel(hidden, Z1, Z2, feature)
    return K


def finite_kernel(hidden: Array, Z1: Array, Z2: Array | None, activation: Any, output: Array | None = None) -> Array:
    """(1/m) sum_j b_j^2 s(a_j.z) s(a_j.z') for an elementwise s (b = 1 by default), in blocks of neurons."""
    m, others = len(hidden), Z1 if Z2 is None else Z2
    K = np.zeros((len(Z1), len(others)))
    step = max(1, _BLOCK // max(len(Z1), len(others), 1))
    for start in range(0, m, step):
        part = hidden[start : start + step]
        left = activation(part @ Z1.T)
        right = left if Z2 is None else activation(part @ others.T)
        if output is not None:
            left = left * (output[start : start + step] ** 2)[:, None]
        K += left.T @ right
    K *= mean_field(m)
    return K
