"""The margin of a measure without rounding, for margins below the rounding error ``u |a| |z|`` of doubles."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from ..conventions import Array
from ..features.homogeneous import Feature
from ..features.kernels_exact import Integers, integers
from .measure import Measure

_ROOT_BITS = 64


def exact_lower(Z: Array, y: Array, feature: Feature, measure: Measure) -> float:
    """``min_i y_i sum_k w_k sigma(a_k.z_i) / sum_k |w_k| |a_k|^degree`` rounded down once, at least 0 (path units).

    Parameters
    ----------
    Z : (n, D).  y : (n,) labels +-1.  measure : K atoms, directions of any norm.
    """
    features, exponent = exact_features(Z, feature, measure.directions)
    (A, a_unit), (W, _) = integers(measure.directions), integers(measure.weights)
    least = int((y.astype(int).astype(object) * (W @ features)).min())
    if least <= 0:  # so it is where all weights are zero
        return 0.0
    norm = int(abs(W) @ _lengths(A, feature.degree))
    # the weights' unit cancels, and so do the directions' units but for the bits of the roots
    exponent += (_ROOT_BITS if feature.degree == 1 else 0) - feature.degree * a_unit
    return math.nextafter(float(Fraction(least, norm) * Fraction(2) ** exponent), 0.0)


def exact_outputs(Z: Array, feature: Feature, measure: Measure) -> Array:
    """``sum_k w_k sigma(a_k.z_i)`` at the rows of Z (N, D), each rounded once (path units)."""
    features, exponent = exact_features(Z, feature, measure.directions)
    W, w_unit = integers(measure.weights)
    unit = Fraction(2) ** (exponent + w_unit)
    return np.array([float(int(value) * unit) for value in W @ features])


def exact_features(Z: Array, feature: Feature, directions: Array) -> tuple[Integers, int]:
    """sigma(a_k.z_i) as integers (K, n) times 2 to the power of the second."""
    (X, z_unit), (A, a_unit) = integers(Z), integers(directions)
    (right, left), sigma_unit = integers(np.array([feature.right, feature.left]))
    U, degree = A @ X.T, feature.degree
    values: Integers = right * np.maximum(U, 0) ** degree
    if left:
        values = values + left * np.maximum(-U, 0) ** degree
    return values, degree * (z_unit + a_unit) + sigma_unit


def _lengths(A: Integers, degree: int) -> Integers:
    """|a_k|^2, or |a_k| rounded up with `_ROOT_BITS` binary digits more."""
    squares = (A * A).sum(axis=1)
    if degree == 2:
        return np.asarray(squares)
    return np.array([math.isqrt(int(square) << (2 * _ROOT_BITS)) + 1 for square in squares], dtype=object)
