"""The kernel game's bracket in integers: used when gamma^2 is lost in the rounding of an extended sum.

With N = 2**bits K up to ``error`` units an entry, and coefficients c = C 2**e (exact), both ends are quotients of
integers.  Nothing is rounded but the last division and root.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..conventions import Array
from ..features.kernels_exact import BITS, Integers, integers
from .game import Bracket
from .rkhs import KERNEL, KernelExpansion

_ROOT_BITS = 80


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
