"""Angles between vectors, accurate also near 0 and near pi, where arccos of a rounded cosine is not."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating[Any]]

# arccos(c) errs by (error of c) / sin theta.  Kernels vanish like psi^3 or faster at antipodes, so that psi needs all
# its digits there. Near theta = 0 some kernels depend on theta to first order and need absolute accuracy.
_ANTIPODE = -0.98
_COPY = 0.99
_PAIRS = 1 << 15  # pairs per chunk of the accurate computation, which needs several (pairs, D) buffers
_SPLITTER = 134217729.0  # 2^27 + 1 (Dekker)


class Angles(NamedTuple):
    """cos theta, sin theta and psi = pi - theta of all pairs; three arrays of one shape."""

    cos: Array
    sin: Array
    psi: Array


class UnitRows:
    """Rows of Z as norms (n,) and unit vectors (n, D); a zero row stays zero. No overflow, no underflow.

    Attributes
    ----------
    norms : |z_i|.
    units : z_i / |z_i|.
    scaled : z_i divided by the power of two next to its largest entry, exactly; float64.
    """

    def __init__(self, Z: Array, dtype: DTypeLike = float) -> None:
        Z = np.atleast_2d(np.asarray(Z, dtype=float))
        exponents = np.frexp(np.abs(Z).max(axis=1, initial=0.0))[1]
        self.scaled = np.ldexp(Z, -exponents[:, None])
        rows = self.scaled.astype(dtype)
        lengths = np.sqrt((rows * rows).sum(axis=1))
        self.norms = np.ldexp(lengths, exponents)
        self.units = rows / np.where(lengths > 0.0, lengths, 1.0)[:, None]

    def __len__(self) -> int:
        return len(self.norms)

    @property
    def D(self) -> int:
        """Dimension of the rows."""
        return int(self.units.shape[1])

    def __getitem__(self, rows: Any) -> UnitRows:
        part = object.__new__(UnitRows)
        part.norms, part.units, part.scaled = self.norms[rows], self.units[rows], self.scaled[rows]
        return part


def angles(rows: UnitRows, others: UnitRows, first_order: bool) -> Angles:
    """Angles of all pairs, shapes (r, o).

    Parameters
    ----------
    first_order : whether the kernel depends on theta to first order at theta = 0 (those with a step in them).

    Returns
    -------
    Angles : in float64 psi has relative error about 1e-14, at antipodes too; theta has absolute error about 1e-15
        near 0 if `first_order`.  In extended precision all three have absolute error of a few roundoffs.
    """
    cos = rows.units @ others.units.T
    np.clip(cos, -1.0, 1.0, out=cos)
    sin = np.sqrt((1.0 - cos) * (1.0 + cos))
    psi = np.arccos(-cos)
    extended = cos.dtype != np.float64
    mask = None
    if cos.size and cos.min() < _ANTIPODE:
        mask = cos < _ANTIPODE
    if first_order and cos.size and cos.max() > _COPY:
        mask = cos > _COPY if mask is None else mask | (cos > _COPY)
    if mask is not None:
        first, second = np.nonzero(mask)
        for start in range(0, len(first), _PAIRS):
            i, j = first[start : start + _PAIRS], second[start : start + _PAIRS]
            exact = _chord_supplement if extended else _mixed_supplement
            psi[i, j] = exact(rows[i], others[j], cos[i, j])
            sin[i, j], cos[i, j] = np.sin(psi[i, j]), -np.cos(psi[i, j])
    return Angles(cos, sin, psi)


def _mixed_supplement(A: UnitRows, B: UnitRows, cos: Array) -> Array:
    """psi of each pair of rows: by chords near copies, with error-free products near antipodes."""
    psi = _chord_supplement(A, B, cos)
    far = np.flatnonzero(cos < 0.0)
    if len(far):
        psi[far] = np.arcsin(np.minimum(_sine(A.scaled[far], B.scaled[far]), 1.0))
    return psi


def _chord_supplement(A: UnitRows, B: UnitRows, cos: Array) -> Array:
    """psi of each pair of rows from |u - v| = 2 sin(theta/2) or |u + v| = 2 sin(psi/2); absolute accuracy."""
    near = cos > 0.0
    chord = A.units - np.where(near, 1.0, -1.0)[:, None].astype(cos.dtype) * B.units
    half = np.arcsin(np.minimum(np.sqrt((chord * chord).sum(axis=1)) / 2.0, 1.0))
    return np.where(near, pi(cos.dtype) - 2.0 * half, 2.0 * half)


def pi(dtype: DTypeLike) -> Any:
    """pi in that precision."""
    return np.arccos(np.array(-1.0, dtype=dtype))[()]


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
