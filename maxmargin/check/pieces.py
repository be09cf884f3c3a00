"""The adversary's payoff g(a) = sum_i q_i sigma(a.z_i), cell by cell: one linear (or quadratic) form on each cell.

On a cell with signs s_k of the distinct hyperplanes k,  form = offset + sum_{k: s_k > 0} jump_k:

    degree 1:  g(a) = v . a,    v a vector of length M = D
    degree 2:  g(a) = a' V a,   V a symmetric matrix, flattened to M = D^2

Offsets and jumps are integers times one power of two; their float copies are correctly rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from . import arrangement
from .arrangement import Signs
from .claim import Activation, Array, Claim
from .exact import Integers, exact_sum, integers, power_of_two, relative_error


@dataclass(frozen=True)
class Pieces:
    """The forms of g on all cells, and the bound to be proved, in integers and in floats of one common unit.

    Attributes
    ----------
    degree : 1 (linear forms) or 2 (quadratic forms).
    normals : (N, D) floats, one per hyperplane across which g changes; `lines` the same as integers (up to scale).
    offset, jumps : (M,), (N, M) integers in the unit.
    bound : the claimed maximum of |g| over the unit sphere, in the unit.
    float_offset, float_jumps, float_bound : the same times `scale`, a power of two that keeps them near one.
    error : rigorous bound on the rounding error of any entry of a form computed from the floats by one matrix product.
    """

    degree: int
    normals: Array
    lines: Integers
    offset: Integers
    jumps: Integers
    bound: Fraction
    scale: Fraction
    float_offset: Array
    float_jumps: Array
    float_bound: float
    error: Array

    @property
    def unit_normals(self) -> Array:
        """The normals with length one, (N, D), rounded."""
        scaled = self.normals / np.abs(self.normals).max(axis=1, keepdims=True, initial=1e-300)
        return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)

    def exact_form(self, signs: Signs) -> Integers:
        """The form on the cell with these signs (N,), in integers."""
        return self.offset + self.jumps[signs > 0].sum(axis=0)

    def float_forms(self, cells: Signs) -> Array:
        """The forms (B, M) on the cells with these signs (B, N), times `scale`, each entry within `error`."""
        return self.float_offset + (cells > 0) @ self.float_jumps


def make_pieces(claim: Claim) -> Pieces:
    """Group points by hyperplane, drop those across which g does not change, and scale the bound to path units."""
    support = np.flatnonzero(claim.p)
    Z, q = claim.Z[support], (claim.p * claim.y)[support]
    points, z_exponent = integers(Z)
    plus, minus, exponent = _sides(claim.activation, points, z_exponent, q)
    representatives, classes = arrangement.parallel_classes(points)
    offset = minus.sum(axis=0) + 0 * plus.sum(axis=0)
    jumps, kept = [], []
    for representative, members in zip(representatives, classes, strict=True):
        jump = sum(sign * (plus[i] - minus[i]) for i, sign in members)
        offset = offset + sum((plus[i] - minus[i]) for i, sign in members if sign < 0)
        if np.any(jump != 0):
            jumps.append(jump)
            kept.append(representative)
    bound = Fraction(claim.upper) * exact_sum(claim.p) / Fraction(claim.factor) / power_of_two(exponent)
    return _with_floats(
        claim.activation.degree,
        Z[kept],
        points[kept],
        offset=offset,
        jumps=np.array(jumps, dtype=object).reshape(-1, plus.shape[1]),
        bound=bound,
    )


def _sides(activation: Activation, points: Integers, z_exponent: int, q: Array) -> tuple[Integers, Integers, int]:
    """q_i sigma(a.z_i) as a form on the side a.z_i > 0 and on the side a.z_i < 0, (n, M) each, times 2**exponent."""
    charges, q_exponent = integers(q)
    (right, left), s_exponent = integers(np.array([activation.right, activation.left]))
    if activation.degree == 1:
        forms, left = points, -left
    else:
        forms = (points[:, :, None] * points[:, None, :]).reshape(len(points), -1)
    forms = forms * charges[:, None]
    return right * forms, left * forms, activation.degree * z_exponent + q_exponent + s_exponent


def _with_floats(
    degree: int, normals: Array, lines: Integers, *, offset: Integers, jumps: Integers, bound: Fraction
) -> Pieces:
    largest = max((abs(int(v)).bit_length() for v in (*offset, *jumps.ravel())), default=0)
    scale = power_of_two(-largest)
    float_offset, float_jumps = rounded(offset, scale), rounded(jumps, scale)
    size = np.abs(float_offset) + np.abs(float_jumps).sum(axis=0)
    return Pieces(
        degree=degree,
        normals=normals,
        lines=lines,
        offset=offset,
        jumps=jumps,
        bound=bound,
        scale=scale,
        float_offset=float_offset,
        float_jumps=float_jumps,
        float_bound=float(min(bound * scale, Fraction(10**100))),
        error=relative_error(2 * len(jumps) + 16) * size + 1e-300,
    )


def rounded(values: Integers, scale: Fraction) -> Array:
    """Integers times a power of two, each rounded once."""
    return np.array([float(int(v) * scale) for v in values.ravel()]).reshape(values.shape)
