"""Both games without rounding.

The margin of a measure is for margins below the rounding error ``u |a| |z|`` of doubles.  The kernel game's bracket in
integers is used when gamma^2 is lost in the rounding of an extended sum.

With N = 2**bits K up to ``error`` units an entry, and coefficients c = C 2**e (exact), both ends are quotients of
integers.  Nothing is rounded but the last division and root.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..conventions import Array
from ..features.homogeneous import Feature
from ..features.kernels_exact import BITS, Integers, integers
from .game import Bracket
from .measure import Measure
from .rkhs import KERNEL, KernelExpansion

_LENGTH_BITS = 64  # of a square root
_ROOT_BITS = 80


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
    exponent += (_LENGTH_BITS if feature.degree == 1 else 0) - feature.degree * a_unit
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
    """|a_k|^2, or |a_k| rounded up with `_LENGTH_BITS` binary digits more."""
    squares = (A * A).sum(axis=1)
    if degree == 2:
        return np.asarray(squares)
    return np.array([math.isqrt(int(square) << (2 * _LENGTH_BITS)) + 1 for square in squares], dtype=object)


@dataclass(frozen=True)
class ExactKernelGame:
    """`KernelGame` without rounding.

    Attributes
    ----------
    matrix : (n, n) ``2**bits K`` as integers.  error : units by which each entry may be off (`ExactGram`).
    y : (n,) labels +-1.
    scale : the Gram matrix is scale^2 K; a power of two.
    bits : of `matrix`.
    share : nu n of a soft margin: the mean of the nu n smallest margins, against weights of at most 1/(nu n).
    """

    matrix: Integers
    error: int
    y: Array
    scale: float = 1.0
    bits: int = BITS
    share: Fraction | None = None

    def certify(self, learner: KernelExpansion, p: Array) -> Bracket:
        """Bracket of gamma from any coefficients c and any p >= 0, (n,) or (parts, n) with the sum of the parts.

        The upper end is infinite where a weight is beyond the cap.
        """
        signs = self.y.astype(int).astype(object)
        C, P = summed(learner.parts), summed(p)
        margins = signs * (self.matrix @ C) - self.error * int(np.abs(C).sum())
        least, square = self._worst(margins), self._square(C)
        # (least 2^(e - bits))^2 / (square 2^(2e - bits)): the exponent e of c cancels
        lower = least * least / (square << self.bits) if least > 0 and square > 0 else Fraction(0)
        upper = Fraction(self._square(P * signs), int(P.sum()) ** 2 << self.bits)
        within = self.share is None or int(P.max()) * self.share <= int(P.sum())
        above = _root(upper, self.scale, below=False) if within else math.inf
        return Bracket(_root(lower, self.scale, below=True), above, KERNEL)

    def root(self, C: Integers) -> float:
        """sqrt(c'Kc) for integer coefficients, rounded up."""
        return _root(Fraction(self._square(C), 1 << self.bits), self.scale, below=False)

    def _worst(self, margins: Integers) -> Fraction:
        """The least margin, or the mean of the `share` smallest."""
        if self.share is None or self.share <= 1:
            return Fraction(int(margins.min()))
        ordered, whole = sorted(map(int, margins)), math.floor(self.share)
        rest = (self.share - whole) * ordered[whole] if whole < len(ordered) else Fraction(0)
        return (sum(ordered[:whole]) + rest) / self.share

    def _square(self, C: Integers) -> int:
        """c'Kc rounded up, in units of 2**(2e - bits)."""
        return max(int(C @ (self.matrix @ C)) + self.error * int(np.abs(C).sum()) ** 2, 0)


def summed(parts: Array) -> Integers:
    """The exact sum of the rows (parts, n), or the one row (n,), in some common unit."""
    return np.asarray(integers(np.atleast_2d(parts))[0].sum(axis=0), dtype=object)


def _root(square: Fraction, scale: float, below: bool) -> float:
    """scale sqrt(square) as a float on the safe side."""
    if square == 0:
        return 0.0
    size = square.numerator.bit_length() - square.denominator.bit_length()
    shift = 2 * ((2 * _ROOT_BITS - size) // 2)  # even: the root is shifted by half of it
    scaled = square * (Fraction(2) ** shift)
    root = math.isqrt(math.floor(scaled)) + (0 if below else 1)
    value = math.ldexp(root, -shift // 2)
    return scale * math.nextafter(value, -math.inf if below else math.inf)
