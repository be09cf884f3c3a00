"""Exact arithmetic on floats: every finite float64 is an integer times a power of two.

Arrays of Python integers (dtype object) multiply and add without rounding, and NumPy's ``@`` works on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.object_]


def integers(values: Array) -> tuple[Integers, int]:
    """Integers N and an exponent e with ``values = N * 2**e`` exactly (e as large as possible)."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=float))
    whole = np.ldexp(mantissa, 53).astype(np.int64).astype(object)
    exponent = exponent.astype(np.int64) - 53
    if not np.any(mantissa):
        return whole, 0
    lowest = int(exponent[mantissa != 0].min())
    shift = np.where(mantissa != 0, exponent - lowest, 0).astype(object)
    whole = whole << shift
    common = int(np.bitwise_or.reduce(np.abs(whole).ravel()))
    zeros = (common & -common).bit_length() - 1
    return whole >> zeros, lowest + zeros


def power_of_two(exponent: int) -> Fraction:
    """2**exponent as a fraction, for exponents of either sign."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def exact_sum(values: Array) -> Fraction:
    """The sum of floats without rounding."""
    whole, exponent = integers(values)
    return int(whole.sum()) * power_of_two(exponent) if whole.size else Fraction(0)


def sqrt_above(value: Fraction, bits: int = 128) -> Fraction:
    """A fraction >= sqrt(value), above it by a relative error below ``2**-bits``."""
    if value == 0:
        return Fraction(0)
    magnitude = value.numerator.bit_length() - value.denominator.bit_length()
    shift = 2 * (bits + 2) - magnitude
    shift += shift % 2
    scaled = value * power_of_two(shift)
    return (math.isqrt(math.ceil(scaled)) + 1) * power_of_two(-shift // 2)


def to_floats(values: Sequence[int] | Integers) -> Array:
    """Integers of any size to floats with the largest magnitude near one (only their ratios count)."""
    size = max((abs(int(v)) for v in np.ravel(values)), default=0).bit_length()
    shift = max(size - 900, 0)
    scaled = np.array([float(int(v) >> shift) for v in np.ravel(values)])
    return np.ldexp(scaled, shift - size).reshape(np.shape(values))


def solve(matrix: list[list[Fraction]], rhs: list[Fraction]) -> list[Fraction] | None:
    """Solution of a small rational system by elimination, or None when the matrix is singular."""
    rows = [[*row, value] for row, value in zip(matrix, rhs, strict=True)]
    size = len(rows)
    for j in range(size):
        pivot = next((i for i in range(j, size) if rows[i][j]), None)
        if pivot is None:
            return None
        rows[j], rows[pivot] = rows[pivot], rows[j]
        scale = rows[j][j]
        rows[j] = [value / scale for value in rows[j]]
        for i in range(size):
            if i != j and rows[i][j]:
                factor = rows[i][j]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
    return [row[-1] for row in rows]


def is_positive_semidefinite(matrix: list[list[Fraction]]) -> bool:
    """Exact test by symmetric elimination: every pivot >= 0, and a zero pivot only in a zero row."""
    rows = [list(row) for row in matrix]
    for j in range(len(rows)):
        pivot = rows[j][j]
        if pivot < 0 or (pivot == 0 and any(rows[j][k] for k in range(j, len(rows)))):
            return False
        if pivot == 0:
            continue
        for i in range(j + 1, len(rows)):
            factor = rows[i][j] / pivot
            if factor:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
    return True


def relative_error(terms: int) -> float:
    """gamma_k = k u / (1 - k u), u = 2**-53: k accumulated roundings (Higham 2002, Sec. 3.1)."""
    return terms * 2.0**-53 / (1.0 - terms * 2.0**-53)
