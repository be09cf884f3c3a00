"""The exact oracle for D = 2: all arcs of the circle in integer arithmetic, whatever the scales of the points.

Every float is an integer times a power of two.  Let u_1..u_G be the distinct lines of the points, oriented upwards and
sorted by slope, and b_j = (-u_j2, u_j1), turned by a right angle: half of the circle is cut into G arcs k = 1..G from
b_{k-1} to b_k (b_G = -b_0), on which a.u_j < 0 for j < k only.  With z_i = t_i u_i, t_i = +-1, and r_i = sign(a.u_i),

    degree 1:  g(+-a) = a.F,   F = (right + left)/2 sum r_i q_i u_i +- (right - left)/2 sum q_i z_i,
    degree 2:  g(+-a) = a'Ma,  M = (right + left)/2 sum q_i z_i z_i' +- (right - left)/2 sum r_i t_i q_i u_i u_i',

a maximum of s g is F/|F| inside its arc or a concave kink b_j (degree 1), or an eigenvector (degree 2).  F, M and the
side of b_j on which F lies are exact; floats appear in the last step only, in quotients and roots of exact numbers, so
that values, bound and each coordinate of the directions have relative errors of a few u = 2^-53.  Inputs of norms 1e-3
and 1e3, angles of 1e-6 and columns of years cost no digits, which they do in `arrangement` (errors of u sum |q_i z_i|).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import rounding
from ...errors import InputError
from ...features.homogeneous import Feature
from ...rounding import Integers, integers, mantissas
from ..oracle import SPHERE_EXACT, Responses
from .lines import nothing

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Exponents = NDArray[np.int64]

# Of a value: at most four conversions (two roundoffs each), a root, a sum and a quotient; the hypotenuse of the C
# library is trusted to two units of its last place.
_ERROR = rounding.relative_error(16)
_LEAST = 2.0**-1074  # what a value of subnormal size has lost besides
_TURN = 1e-14  # an eigenvector outside its arc by less than this relative amount counts as inside (rounding)


class Found(NamedTuple):
    """Local maxima of s g: rows a (K, 2) of any length, signs s (K,), values (K,) > 0 in units 2**exponents (K,).

    Attributes
    ----------
    directions : (K, 2) of any length.  signs : (K,) output signs.  values, exponents : (K,) payoffs > 0 in units
        2**exponents.
    """

    directions: Array
    signs: Array
    values: Array
    exponents: Exponents

    def turned(self, side: int, s: int) -> Found:
        """The same as maxima at side a with output sign s."""
        return self._replace(directions=side * self.directions, signs=np.full(len(self.values), float(s)))


class PlaneOracle:
    """Exact best responses in D = 2, without rounding: see the module.

    Parameters
    ----------
    Z : (n, 2) what the activation sees.  feature : of either degree.

    Raises
    ------
    InputError : Z is not a finite (n, 2) matrix; on call, q is not n finite weights.
    """

    zero = 1e-17  # payoffs below this fraction of the data's scale are what the rounding of the weights leaves of zero

    def __init__(self, Z: Array, feature: Feature) -> None:
        Z = np.ascontiguousarray(Z, dtype=float)
        if Z.ndim != 2 or Z.shape[1] != 2 or not np.isfinite(Z).all():
            raise InputError(f"Z: found an array of shape {Z.shape}, wanted a finite (n, 2) matrix")
        self.feature, self._n = feature, len(Z)
        X, self._exponent = integers(Z)
        self._turn = np.where((X[:, 0] > 0) | ((X[:, 0] == 0) & (X[:, 1] > 0)), 1, -1).astype(object)
        self._upward = X * self._turn[:, None]
        self._order, self._line = _sorted_lines(Z, self._upward)
        (right, left), self._unit = integers(np.array([feature.right, feature.left]))
        self._plus, self._minus = int(right + left), int(right - left)

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """All local maxima of ``s sum_i q_i sigma(a.z_i)``, the best `count` of them, and the proved bound."""
        q = np.asarray(q, dtype=float)
        if q.shape != (self._n,) or not np.isfinite(q).all():
            raise InputError(f"q: found an array of shape {q.shape}, wanted {self._n} finite weights, one per point")
        used = self._order[q[self._order] != 0.0]
        if not len(used):
            return nothing(2)
        W, exponent = integers(q[used])
        line = self._line[used]
        ends = np.flatnonzero(np.append(line[1:] != line[:-1], True))
        found = (self._linear if self.feature.degree == 1 else self._quadratic)(used, W, ends)
        if not len(found.values):
            return nothing(2)
        # one unit for all values: what underflows is not the largest
        mantissa, exponent_of = np.frexp(found.values)
        unit = int((exponent_of + found.exponents).max())
        values = np.ldexp(mantissa, exponent_of + found.exponents - unit)
        best = np.argsort(-values, kind="stable")[:count]
        A = found.directions[best]
        # the factor 1/2 of the forms above is left to the exponent
        scale = self.feature.degree * self._exponent + exponent + self._unit + unit - 1
        values = np.ldexp(values[best], scale)
        bound = rounding.above(float(values[0]), _ERROR * float(values[0]) + _LEAST)
        return Responses(A / np.hypot(*A.T)[:, None], found.signs[best], values, bound, SPHERE_EXACT)

    def _linear(self, used: Index, W: Integers, ends: Index) -> Found:
        """Arcs whose F points into them, and kinks from which s g falls to both sides."""
        U = self._upward[used]
        total = (W * self._turn[used]) @ U
        S = _arc_sums(W[:, None] * U, ends)
        U = U[ends]
        normals = np.stack([-U[:, 1], U[:, 0]], axis=1)
        parts: list[Found] = []
        for side in (1, -1):
            F = self._plus * S + side * self._minus * total
            before, after = (U * F[:-1]).sum(axis=1), (U * F[1:]).sum(axis=1)  # u_j.F on either side of b_j
            closing = np.append(before[1:], -(U[0] @ F[-1]))
            for s in (1, -1):
                inside = (s * after <= 0) & (s * closing >= 0) & (F[1:] != 0).any(axis=1)
                parts.append(_forms(s * F[1:][inside]).turned(side, s))
                kink = (s * before <= 0) & (s * after >= 0)
                height = s * (F[1:] * normals).sum(axis=1)
                kink &= height > 0
                parts.append(_kinks(normals[kink], height[kink]).turned(side, s))
        return _joined(parts)

    def _quadratic(self, used: Index, W: Integers, ends: Index) -> Found:
        """Eigenvectors inside their arcs, and the breakpoint of the largest value."""
        U = self._upward[used]
        squares = np.stack([U[:, 0] * U[:, 0], U[:, 0] * U[:, 1], U[:, 1] * U[:, 1]], axis=1) * W[:, None]
        S, Q = _arc_sums(squares * self._turn[used][:, None], ends)[1:], squares.sum(axis=0)
        U = U[ends]
        parts: list[Found] = []
        for side in (1, -1):
            M = self._plus * Q + side * self._minus * S
            parts += [_eigenvectors(s * M, U).turned(side, s) for s in (1, -1)]
        return _joined(parts)


def _sorted_lines(Z: Array, upward: Integers) -> tuple[Index, Index]:
    """The non-zero points in the order of their slopes, and the number of the line of every point (n,).

    The quotient of two floats is rounded monotonically: only points with equal quotients are compared exactly.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        slope = np.where(Z[:, 0] == 0.0, np.inf, Z[:, 1] / Z[:, 0]) + 0.0
    order, line, number = [], np.zeros(len(Z), dtype=np.intp), -1
    rough = [int(i) for i in np.argsort(slope, kind="stable") if upward[i].any()]
    for _, group in groupby(rough, key=lambda i: slope[i]):
        same = list(group)
        exact = [_slope(*upward[i]) for i in same] if len(same) > 1 else [(0, Fraction(0))]
        for _, members in groupby(sorted(zip(exact, same, strict=True)), key=lambda pair: pair[0]):
            number += 1
            for _, i in members:
                order.append(i)
                line[i] = number
    return np.array(order, dtype=np.intp), line


def _slope(x: int, y: int) -> tuple[int, Fraction]:
    """y/x as a key for sorting; the vertical is the last."""
    return (0, Fraction(y, x)) if x else (1, Fraction(0))


def _arc_sums(terms: Integers, ends: Index) -> Integers:
    """``sum_j +-terms_j`` on the arcs 0..G, negative for the lines before the arc; ends: where each line ends."""
    passed = np.cumsum(terms, axis=0)
    sums: Integers = np.concatenate([passed[-1:], passed[-1] - 2 * passed[ends]])
    return sums


def _joined(parts: list[Found]) -> Found:
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _forms(F: Integers) -> Found:
    """Directions and values |F|."""
    A, exponents = _rows(F)
    return Found(A, np.empty(0), np.hypot(A[:, 0], A[:, 1]), exponents)


def _kinks(normals: Integers, heights: Integers) -> Found:
    """Directions b and values (s F.b) / |b|."""
    A, exponents = _rows(normals)
    height, unit = mantissas(heights)
    return Found(A, np.empty(0), height / np.hypot(A[:, 0], A[:, 1]), unit - exponents)


def _eigenvectors(M: Integers, U: Integers) -> Found:
    """Unit vectors of the largest eigenvalue > 0 of the arcs' matrices (G, 3), where they lie in their arcs.

    Root and quotient are taken where nothing cancels: lambda = (trace + root)/2 or 2 det/(trace - root), and the
    eigenvector from that row of M - lambda in which the difference of the diagonal adds to the root.
    """
    floats, unit = _rows(np.stack([M[:, 0] + M[:, 2], M[:, 0] - M[:, 2], M[:, 1]], axis=1))
    trace, difference, B = floats.T
    determinant, unit_of = mantissas(M[:, 0] * M[:, 2] - M[:, 1] * M[:, 1])
    root = np.hypot(difference, 2.0 * B)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.ldexp(2.0 * determinant / (trace - root), unit_of - 2 * unit)
        top = np.where(trace >= 0.0, 0.5 * (trace + root), low)
    long = 0.5 * (np.abs(difference) + root)
    A = np.where((difference >= 0.0)[:, None], np.stack([long, B], axis=1), np.stack([B, long], axis=1))
    V, _ = _rows(U)
    inside, toward = _between(A, V)
    keep = np.flatnonzero(inside & (top > 0.0) & (root > 0.0))
    x, y = U.T
    heights, squares = M[:, 0] * y * y - 2 * M[:, 1] * x * y + M[:, 2] * x * x, x * x + y * y
    rising = np.flatnonzero(heights > 0)
    (height, high), (square, wide) = mantissas(heights[rising]), mantissas(squares[rising])
    b = np.stack([-V[rising, 1], V[rising, 0]], axis=1)
    vertices = Found(b, np.empty(0), height / square, high - wide)
    return _joined([Found(toward[keep, None] * A[keep], np.empty(0), top[keep], unit[keep]), _largest(vertices)])


def _largest(found: Found) -> Found:
    """The largest value alone: a breakpoint is no local maximum of degree 2, but its value may be the bound."""
    if not len(found.values):
        return found
    mantissa, exponent = np.frexp(found.values)
    exponent = exponent + found.exponents
    k = max(range(len(mantissa)), key=lambda i: (exponent[i], mantissa[i]))
    one = slice(k, k + 1)
    return Found(found.directions[one], found.signs[one], found.values[one], found.exponents[one])


def _rows(values: Integers) -> tuple[Array, Exponents]:
    """Floats (K, m), one unit 2**exponents (K,) a row; what is lost is below 2**-900 of the row's largest."""
    m, e = mantissas(values)
    unit = np.where(values != 0, e, -1).max(axis=1, initial=0)
    return np.ldexp(m, e - unit[:, None]), unit


def _between(A: Array, V: Array) -> tuple[NDArray[np.bool_], Array]:
    """Is a_k or -a_k (up to rounding) between b_{k-1} and b_k, and which of the two."""
    start = -(A * V).sum(axis=1), np.abs(A * V).sum(axis=1)
    following = np.concatenate([V[1:], -V[:1]])
    end = (A * following).sum(axis=1), np.abs(A * following).sum(axis=1)
    ahead = (start[0] >= -_TURN * start[1]) & (end[0] >= -_TURN * end[1])
    behind = (start[0] <= _TURN * start[1]) & (end[0] <= _TURN * end[1])
    return ahead | behind, np.where(ahead, 1.0, -1.0)
