"""The min-norm point in exact arithmetic, and written down in doubles that keep its margin.

Two things limit `min_norm_point` to a relative gap of ``u r^2/gamma^2`` (u the unit roundoff, r^2 the size of K_ii):
its residuals, and the rounding of the coefficients themselves.  Both can be had:

* iterative refinement with residuals in integers (`ExactGram`), or elimination in integers where a solution in
  doubles is no start, finds the minimiser to as many digits as the Gram matrix has;
* the rounding errors e of the coefficients on the support S move the margins there by K_SS e.  Tiny coefficients d on
  the *other* points J, which floats resolve far below u, take that back: K_SJ d = -K_SS e, with a truncated singular
  value decomposition that keeps d, and so what it does elsewhere, small.  Where that is not enough each coefficient
  is a sum of two or more doubles (`parts`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..clock import FOREVER, Clock
from ..features.kernels_exact import BITS, Integers, integers
from ..outcome import Attempt
from .affine_hull import AffineHull

Array = NDArray[np.float64]

NAME = "exact-refinement"
_STEPS, _PATIENCE = 40, 3
_ELIMINATED = 250  # points of an exact elimination, which takes some seconds there
_RESIDUAL = 1e-25  # relative to gamma^2
_SLACK = 46  # margins that agree to so many binary digits are not worth an exchange
_TRUNCATION = 1e-8  # singular values below this fraction of the largest would need large corrections


class Pair(NamedTuple):
    """Coefficients and weights on the simplex, each (n,) or, as sums of doubles, (parts, n)."""

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
    """

    Q: Integers
    y: Array
    x: Integers
    bits: int
    scale: float

    def rounded(self, count: int) -> Pair:
        """The pair written down with `count` doubles a number; one double has its rounding made good elsewhere."""
        coefficients = self._compensated() if count == 1 else parts(self._normed, self.bits, count)
        weights = parts(self.x, self.bits, count)
        signed = self.y * coefficients / self.scale  # a power of two
        return Pair(signed, weights) if count > 1 else Pair(signed, weights[0] / weights[0].sum())

    @property
    def _normed(self) -> Integers:
        """x over its norm in units of ``2**-bits``."""
        square = int(self.x @ (self.Q @ self.x))  # x'Qx in units of 2**-(3 bits)
        root = math.isqrt(square << self.bits)  # sqrt(x'Qx) in units of 2**-(2 bits)
        return np.array([(int(v) << 2 * self.bits) // max(root, 1) for v in self.x], dtype=object)

    def _compensated(self) -> Array:
        target = self._normed
        c = parts(target, self.bits, 1)[0]
        S, J = np.flatnonzero(c), np.flatnonzero(c == 0.0)
        missing = target[S] - _fixed(c[S], self.bits)
        wanted = _floats(self.Q[np.ix_(S, S)] @ missing, 2 * self.bits)
        if len(J):
            rows = _floats(self.Q[np.ix_(S, J)], self.bits)
            c[J] = np.linalg.lstsq(rows, wanted, rcond=_TRUNCATION)[0]
        return c


def refine(
    matrix: Integers, y: Array, p: Array, scale: float, *, bits: int = BITS, clock: Clock = FOREVER
) -> tuple[Minimiser | None, Attempt]:
    """The minimiser, or None where it is not found; and what was tried.

    Parameters
    ----------
    matrix : (n, n) ``2**bits K`` as integers.
    y : (n,) labels.  p : (n,) nearly optimal weights, whose support is the first guess.
    scale : the Gram matrix is scale^2 K.
    clock : looked at between exchanges.
    """
    start = time.perf_counter()
    signs = y.astype(int).astype(object)
    Q = matrix * np.outer(signs, signs)
    x = _exchange(Q, p, bits, clock)
    status = f"{'did not converge' if x is None else 'converged'}, {bits} bits"
    attempt = Attempt(NAME, status, time.perf_counter() - start)
    return (None if x is None else Minimiser(Q, y, x, bits, scale)), attempt


def parts(values: Integers, bits: int, count: int) -> Array:
    """Integers in units of ``2**-bits`` as sums of `count` doubles, (count, n), the largest first."""
    rest, out = values, []
    for _ in range(count):
        out.append(_floats(rest, bits))
        rest = rest - _fixed(out[-1], bits)
    return np.array(out)


def _exchange(Q: Integers, p: Array, bits: int, clock: Clock) -> Integers | None:
    """argmin x'Qx over the simplex in units of ``2**-bits``: solve on a support, exchange all wrong points, repeat.

    Once the number of wrong points has not fallen for `_PATIENCE` rounds, one point a round is exchanged, the last
    wrong one, until it falls again (Judice and Pires, Comput. Oper. Res. 21, 1994).
    """
    support, order = p > 0.0, np.argsort(_floats(np.diagonal(Q), bits), kind="stable")
    fewest, patience = len(p) + 1, _PATIENCE
    seen: set[bytes] = set()
    while support.any() and support.tobytes() not in seen and not clock.expired:
        seen.add(support.tobytes())
        x = np.zeros(len(p), dtype=object)
        S = order[support[order]]  # the shorter of two dependent features comes first and stays
        solution = _affine_minimiser(Q[np.ix_(S, S)], bits)
        if solution is None:
            return None
        x[S] = solution
        margins = Q @ x
        level = int(x @ margins) >> bits
        low = (margins < level - (level >> _SLACK)).astype(bool)
        support = support & (x != 0).astype(bool)
        wrong = np.where(support, (x < 0).astype(bool), low)
        count = int(wrong.sum())
        if count == 0:
            return x
        patience = _PATIENCE if count < fewest else patience - 1
        fewest = min(count, fewest)
        if patience < 0:
            wrong[: np.flatnonzero(wrong)[-1]] = False
        support = support ^ wrong
    return None


def _affine_minimiser(Q: Integers, bits: int) -> Integers | None:
    """The least-norm point of the affine hull: Q x = level 1, sum x = 1; None when Q is too nearly singular."""
    x = _refined(Q, bits)
    return _eliminated(Q, bits) if x is None and len(Q) <= _ELIMINATED else x


def _eliminated(Q: Integers, bits: int) -> Integers | None:
    """By elimination (Q is positive semidefinite) with ``2 bits`` more digits; a dependent point keeps weight 0."""
    n, digits = len(Q), 2 * bits
    one = bits + digits
    A = np.concatenate([Q << digits, np.full((n, 1), 1 << one, dtype=object)], axis=1)
    kept = []
    for k in range(n):
        if A[k, k] <= Q[k, k] << (digits - 3 * bits // 4):  # a pivot of rounding only
            continue
        kept.append(k)
        factors = (A[k + 1 :, k] << one) // A[k, k]
        A[k + 1 :, k:] -= np.outer(factors, A[k, k:]) >> one
    u = np.zeros(n, dtype=object)
    for k in reversed(kept):
        u[k] = ((A[k, n] - (int(A[k, k + 1 : n] @ u[k + 1 :]) >> digits)) << digits) // A[k, k]
    total = int(u.sum())
    return np.asarray((u << bits) // total, dtype=object) if total > 0 else None


def _refined(Q: Integers, bits: int) -> Integers | None:
    """By refinement of a float64 solution with exact residuals; None when it does not converge."""
    floats = _floats(Q, bits)
    if not (np.diagonal(floats) > 0.0).all():
        return None
    hull = AffineHull(floats)
    ones = hull.correction(np.ones(len(Q)))
    x = _fixed(hull.minimiser(), bits)
    last = math.inf
    for _ in range(_STEPS):
        image, total = Q @ x, int(x.sum())
        if total <= 0:
            return None
        level = int(x @ image) // total
        residual = _floats(level - image, 2 * bits)
        size = float(np.abs(residual).max())
        if level <= 0 or not size < last:
            return None
        if size <= _RESIDUAL * math.ldexp(float(level), -2 * bits):
            return x
        last = size
        step = hull.correction(residual)
        x = x + _fixed(step - ones * (step.sum() / ones.sum()), bits)
    return None


def _floats(values: Any, bits: int) -> Array:
    """Integers in units of 2**-bits as floats, each rounded once."""
    flat = [_float(int(v), bits) for v in np.ravel(values)]
    return np.array(flat).reshape(np.shape(values))


def _float(value: int, bits: int) -> float:
    excess = max(abs(value).bit_length() - 1000, 0)  # beyond what a double holds
    return math.ldexp(float(value >> excess), excess - bits)


def _fixed(values: Array, bits: int) -> Integers:
    """Floats in units of 2**-bits, rounded down."""
    whole, exponent = integers(values)
    return whole << (exponent + bits) if exponent + bits >= 0 else whole >> -(exponent + bits)
