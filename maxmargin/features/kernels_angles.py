"""Angles between vectors, accurate where arccos of a rounded cosine is not: near 0 and near pi."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# arccos(c) errs by (error of c) / sin theta.  Kernels vanish like psi^3 or faster at antipodes, so half the
# digits of psi^2 must survive there; near theta = 0 they depend on theta smoothly and much less is enough.
_NEAR_ANTIPODE = 0.02
_NEAR_COPY = 1e-6
_PAIRS = 1 << 15  # pairs per chunk of the accurate computation, which needs several (pairs, D) buffers
_SPLITTER = 134217729.0  # 2^27 + 1 (Dekker)


class UnitRows:
    """Rows of Z as norms (n,) and unit vectors (n, D); a zero row stays zero. No overflow, no underflow.

    Attributes
    ----------
    norms : |z_i|.
    units : z_i / |z_i|.
    scaled : z_i divided by the power of two next to its largest entry, exactly.
    """

    def __init__(self, Z: Array) -> None:
        Z = np.atleast_2d(np.asarray(Z, dtype=float))
        exponents = np.frexp(np.abs(Z).max(axis=1, initial=0.0))[1]
        self.scaled = np.ldexp(Z, -exponents[:, None])
        lengths = np.sqrt(np.einsum("ij,ij->i", self.scaled, self.scaled))
        self.norms = np.ldexp(lengths, exponents)
        self.units = self.scaled / np.where(lengths > 0.0, lengths, 1.0)[:, None]

    def __len__(self) -> int:
        return len(self.norms)

    @property
    def D(self) -> int:
        return self.units.shape[1]

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> UnitRows:
        part = object.__new__(UnitRows)
        part.norms, part.units, part.scaled = self.norms[rows], self.units[rows], self.scaled[rows]
        return part


def supplement(rows: UnitRows, others: UnitRows, near_zero: bool) -> tuple[Array, Array]:
    """cos theta and psi = pi - theta for all pairs, shapes (r, o).

    Parameters
    ----------
    near_zero : whether theta itself matters to second order at theta = 0 (kernels that contain the step's).

    Returns
    -------
    cos, psi : psi has relative error about 1e-14 at antipodes; theta = pi - psi has absolute error below 1e-13.
    """
    cos = rows.units @ others.units.T
    np.clip(cos, -1.0, 1.0, out=cos)
    psi = np.arccos(-cos)
    lowest = cos.min(initial=0.0) < _NEAR_ANTIPODE - 1.0
    if lowest or (near_zero and cos.max(initial=0.0) > 1.0 - _NEAR_COPY):
        mask = cos < _NEAR_ANTIPODE - 1.0
        if near_zero:
            mask |= cos > 1.0 - _NEAR_COPY
        first, second = np.nonzero(mask)
        for start in range(0, len(first), _PAIRS):
            i, j = first[start : start + _PAIRS], second[start : start + _PAIRS]
            sine = _sine(rows.scaled[i], others.scaled[j])
            small = np.arcsin(np.minimum(sine, 1.0))
            psi[i, j] = np.where(cos[i, j] < 0.0, small, np.pi - small)
    return cos, psi


def _sine(A: Array, B: Array) -> Array:
    """|sin| of the angle of each pair of rows of A and B (k, D), to full relative accuracy however small.

    ``B - t A`` with ``t = A.B / A.A`` cancels, so it is formed with error-free products; one more projection
    removes what the rounding of t left along A.
    """
    squares = np.einsum("ij,ij->i", A, A)
    t = (np.einsum("ij,ij->i", A, B) / squares)[:, None]
    product, low = _two_product(A, t)
    difference, low_difference = _two_sum(B, -product)
    residual = difference + (low_difference - low)
    residual -= (np.einsum("ij,ij->i", A, residual) / squares)[:, None] * A
    return np.sqrt(np.einsum("ij,ij->i", residual, residual) / np.einsum("ij,ij->i", B, B))


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b = product + error exactly (Dekker 1971)."""
    product = a * b
    high_a, high_b = (_SPLITTER * v - (_SPLITTER * v - v) for v in (a, b))
    low_a, low_b = a - high_a, b - high_b
    return product, low_a * low_b - (((product - high_a * high_b) - low_a * high_b) - high_a * low_b)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b = total + error exactly (Knuth)."""
    total = a + b
    shifted = total - a
    return total, (a - (total - shifted)) + (b - shifted)
