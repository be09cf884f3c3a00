"""The margin of a measure without rounding, for margins below the rounding error ``u |a| |z|`` of doubles."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature
from ..features.kernels_exact import Integers, integers
from .measure import Measure

Array = NDArray[np.float64]

_ROOT_BITS = 64


def exact_lower(Z: Array, y: Array, feature: Feature, measure: Measure) -> float:
    """``min_i y_i sum_k w_k sigma(a_k.z_i) / sum_k |w_k| |a_k|^degree`` rounded down once, at least 0 (path units).

    Parameters
    ----------
    Z : (n, D).  y : (n,) labels +-1.  measure : K atoms, directions of any norm.
    """
    X, z_unit = integers(Z)
    A, _ = integers(measure.directions)
    W, _ = integers(measure.weights)
    (right, left), sigma_unit = integers(np.array([feature.right, feature.left]))
    least = int((y.astype(int).astype(object) * _sums(X, A, W, (right, left, feature.degree))).min())
    if least <= 0:  # so it is where all weights are zero
        return 0.0
    norm = int(abs(W) @ _lengths(A, feature.degree))
    # the weights' unit cancels, and so do the directions' units but for the bits of the roots
    exponent = feature.degree * z_unit + sigma_unit + (_ROOT_BITS if feature.degree == 1 else 0)
    return math.nextafter(float(Fraction(least, norm) * Fraction(2) ** exponent), 0.0)


def exact_outputs(Z: Array, feature: Feature, measure: Measure) -> Array:
    """``sum_k w_k sigma(a_k.z_i)`` at the rows of Z (N, D), each rounded once (path units)."""
    (X, z_unit), (A, a_unit), (W, w_unit) = (integers(v) for v in (Z, measure.directions, measure.weights))
    (right, left), sigma_unit = integers(np.array([feature.right, feature.left]))
    unit = Fraction(2) ** (feature.degree * (z_unit + a_unit) + w_unit + sigma_unit)
    return np.array([float(int(value) * unit) for value in _sums(X, A, W, (right, left, feature.degree))])


def _sums(X: Integers, A: Integers, W: Integers, sigma: tuple[int, int, int]) -> Integers:
    """sum_k W_k sigma(A_k.X_i) in integers, sigma = (right, left, degree)."""
    U = A @ X.T
    return np.asarray(W @ _power(sigma[0], np.maximum(U, 0), sigma[1], np.maximum(-U, 0), sigma[2]), dtype=object)


def _power(right: int, positive: Integers, left: int, negative: Integers, degree: int) -> Integers:
    """sigma in integers."""
    values: Integers = right * positive**degree
    return values + left * negative**degree if left else values


def _lengths(A: Integers, degree: int) -> Integers:
    """|a_k|^2, or |a_k| rounded up with `_ROOT_BITS` binary digits more."""
    squares = (A * A).sum(axis=1)
    if degree == 2:
        return np.asarray(squares)
    return np.array([math.isqrt(int(square) << (2 * _ROOT_BITS)) + 1 for square in squares], dtype=object)
