"""Kernel of finitely many given features, read by rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..conventions import Array, Indices, mean_field


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

    def square(self, rows: Indices) -> Array:
        """K[rows][:, rows], exactly symmetric."""
        columns = self._columns[rows]
        return self.factor * (columns @ columns.T)  # BLAS's symmetric rank-k update

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return self.square(np.arange(len(self._columns))).astype(dtype or float, copy=False)
