"""The min-norm point in exact arithmetic, and written down in doubles that keep its margin.

Two things limit `min_norm_point` to a relative gap of ``u r^2/gamma^2`` (u the unit roundoff, r^2 the size of K_ii):
its residuals, and the rounding of the coefficients themselves.  Both are removed here:

* active-set methods in integers (`integer_hull`) find the minimiser to the digits of the Gram matrix;
* the rounding errors e of the coefficients on the support S move the margins there by K_SS e.  Tiny coefficients d on
  the *other* points J, which floats resolve far below u, take that back: K_SJ d = -K_SS e, with a truncated singular
  value decomposition that keeps d, and so what it does elsewhere, small.  Where that is not enough each coefficient
  is a sum of two or more doubles (`parts`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..clock import FOREVER, Clock
from ..conventions import Array
from ..features.kernels_exact import BITS, Integers
from ..outcome import Attempt
from .integer_hull import descended, exchanged, fixed, floats, highest, written

NAME = "exact-refinement"
_NOISE = 32  # number of last binary digits of x'Qx that errors of the entries may change
_TRUNCATION = 1e-8  # singular values below this fraction of the largest would need large corrections


class Pair(NamedTuple):
    """Coefficients and weights on the simplex, each (n,) or, as sums of doubles, (parts, n).

    Attributes
    ----------
    coefficients : of the classifier.  p : weights of the adversary.
    """

    coefficients: Array
    p: Array


@dataclass(frozen=True)
class Minimiser:
    """argmin p'Qp over the simplex, Q = Y K Y, in integers.

    Attributes
    ----------
    Q : (n, n) integers in units of ``2**-bits``.  y : (n,) labels.
    x : (n,) weights >= 0 in units of ``2**-bits``, with sum one up to rounding.
    scale : the Gram matrix is scale^2 K; the coefficients have norm one there.
    share : nu n where the weights are capped at 1/(nu n).
    """

    Q: Integers
    y: Array
    x: Integers
    bits: int
    scale: float
    share: Fraction | None = None

    def rounded(self, count: int) -> Pair:
        """The pair with `count` doubles per number; with one double its rounding is corrected on other points.

        Capped weights are always one double each: their rounding matters to second order only.
        """
        coefficients = self._compensated() if count == 1 else parts(self._normed, self.bits, count)
        signed = self.y * coefficients / self.scale  # a power of two
        if self.share is not None:
            return Pair(signed, written(self.x, self.share, self.bits))
        weights = parts(self.x, self.bits, count)
        return Pair(signed, weights) if count > 1 else Pair(signed, weights[0] / weights[0].sum())

    @property
    def _normed(self) -> Integers:
        """x over its norm in units of ``2**-bits``; x itself where the norm is rounding."""
        square = int(self.x @ (self.Q @ self.x))  # x'Qx in units of 2**-(3 bits)
        if square >> (2 * self.bits + _NOISE) <= 0:
            return self.x
        root = math.isqrt(square << self.bits)  # sqrt(x'Qx) in units of 2**-(2 bits)
        return np.array([(int(v) << 2 * self.bits) // root for v in self.x], dtype=object)

    def _compensated(self) -> Array:
        target = self._normed
        c = parts(target, self.bits, 1)[0]
        S, J = np.flatnonzero(c), np.flatnonzero(c == 0.0)
        missing = target[S] - fixed(c[S], self.bits)
        wanted = floats(self.Q[np.ix_(S, S)] @ missing, 2 * self.bits)
        if len(J):
            rows = floats(self.Q[np.ix_(S, J)], self.bits)
            c[J] = np.linalg.lstsq(rows, wanted, rcond=_TRUNCATION)[0]
        return c


def refine(
    matrix: Integers,
    y: Array,
    p: Array,
    scale: float,
    *,
    bits: int = BITS,
    share: Fraction | None = None,
    clock: Clock = FOREVER,
) -> tuple[Minimiser | None, Attempt]:
    """The minimiser, or None where it is not found; and the attempts.

    Parameters
    ----------
    matrix : (n, n) ``2**bits K`` as integers.
    y : (n,) labels.  p : (n,) nearly optimal weights, whose support is the first guess.
    scale : the Gram matrix is scale^2 K.
    share : nu n of a soft margin, whose weights are at most 1/(nu n).
    clock : looked at between exchanges.
    """
    start = time.perf_counter()
    signs = y.astype(int).astype(object)
    Q = matrix * np.outer(signs, signs)
    x = exchanged(Q, p, bits, clock) if share is None else None
    if x is None:
        x = descended(Q, p, highest(share or Fraction(1), bits), bits, clock)
    status = f"{'did not converge' if x is None else 'converged'}, {bits} bits"
    attempt = Attempt(NAME, status, time.perf_counter() - start)
    return (None if x is None else Minimiser(Q, y, x, bits, scale, share)), attempt


def parts(values: Integers, bits: int, count: int) -> Array:
    """Integers in units of ``2**-bits`` as sums of `count` doubles, (count, n), the largest first."""
    rest, out = values, []
    for _ in range(count):
        out.append(floats(rest, bits))
        rest = rest - fixed(out[-1], bits)
    return np.array(out)
