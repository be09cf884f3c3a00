"""Gram matrices as rows on demand: exact solvers read a few thousand rows, never all.

`NetworkGram` is that of a network kernel, `FeatureGram` that of finitely many given features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .. import memory
from ..conventions import Array, Indices, mean_field
from .kernels import Kernel
from .kernels_angles import UnitRows


class NetworkGram:
    """K(z_i, z_j) of the rows of Z, computed when read.

    ``gram[rows]`` (k, n), ``gram.square(rows)`` (k, k) and ``gram.extended(rows)`` are computed afresh from Z (about
    5 ns an entry, as fast as gathering rows of a stored matrix that does not fit the cache); ``numpy.asarray(gram)``
    is the whole matrix.

    Parameters
    ----------
    kernel : which kernel.
    Z : (n, D) what the activation sees.

    Attributes
    ----------
    shape : (n, n).
    entry_error : ``|gram[i, j] - K(z_i, z_j)| <= entry_error sqrt(K_ii K_jj)``, rigorously.
    extended_error : the same for `extended`.
    """

    def __init__(self, kernel: Kernel, Z: Array) -> None:
        self.kernel = kernel
        self.Z = np.asarray(Z, dtype=float)
        self.shape = (len(Z), len(Z))
        self._rows = UnitRows(self.Z)
        self._extended_rows: UnitRows | None = None
        self.entry_error = entry_error(kernel, self._rows.D, float)
        self.extended_error = entry_error(kernel, self._rows.D, np.longdouble)

    def __len__(self) -> int:
        return len(self._rows)

    def diagonal(self) -> Array:
        """K_ii, shape (n,)."""
        return self.kernel.diagonal(self._rows)

    def __getitem__(self, rows: Any) -> Array:
        return self.kernel.rectangle(self._rows[rows], self._rows)

    def square(self, rows: Indices) -> Array:
        """K[rows][:, rows], exactly symmetric."""
        return self.kernel.gram(self._rows[rows])

    def extended(self, rows: Indices) -> NDArray[Any]:
        """Rows in extended precision (64 bits of mantissa on x86; about 200 ns an entry)."""
        if self._extended_rows is None:
            self._extended_rows = UnitRows(self.Z, np.longdouble)
        return self.kernel.rectangle(self._extended_rows[rows], self._extended_rows)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        n = len(self)
        memory.require(
            8.0 * n * n, f"the whole Gram matrix of n = {n} points", "use the solver 'auto', which reads rows only"
        )
        return self.kernel.gram(self._rows).astype(dtype or float, copy=False)


def entry_error(kernel: Kernel, D: int, dtype: DTypeLike) -> float:
    """Rigorous bound on the error of an entry, relative to sqrt(K_ii K_jj).

    A cosine of two rounded unit vectors errs by at most (2D + 8) u.  The profile moves by at most 4/3 of that (its
    derivative in cos theta is largest at theta = 0: psi of pi for J_1, 4 J_1 of 3 pi for J_2); a step moves by
    psi's own error, at most (2D + 8) u / sin theta outside the chords' regions, where sin theta > 0.14.  The
    lengths add k (D + 6) u, the elementary functions and constants well under 60 u; a two-sided activation doubles.
    """
    first_order = kernel.tangent or kernel.degree == 0
    terms = 32 * D + 200 if first_order else 6 * D + 80
    sides = 2 if kernel.activation.left else 1
    return sides * terms * float(np.finfo(dtype).eps) / 2.0


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
