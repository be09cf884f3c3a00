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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import rounding
from ...errors import InputError
from ...features.homogeneous import Feature
from ...features.kernels_exact import Integers, integers
from ..oracle import SPHERE_EXACT, Responses
from .exact import nothing

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_ERROR = rounding.relative_error(32)  # of a value: conversions, a root, a quotient
_TURN = 1e-14  # an eigenvector so little (relatively) outside of its arc counts as inside: its rounding
_BITS = 960  # larger integers are shifted before they become floats


class Found(NamedTuple):
    """Local maxima of s g: rows a (K, 2) of any length, output signs s (K,), values (K,) > 0 in units 2**exponent."""

    directions: Array
    signs: Array
    values: Array
    exponent: int


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
            raise InputError(f"q: found an array of shape {q.shape}, wanted {self._n} finite weights, one a point")
        used = self._order[q[self._order] != 0.0]
        if not len(used):
            return nothing(2)
        W, exponent = integers(q[used])
        line = self._line[used]
        ends = np.flatnonzero(np.append(line[1:] != line[:-1], True))
        found = (self._linear if self.feature.degree == 1 else self._quadratic)(used, W, ends)
        if not len(found.values):
            return nothing(2)
        best = np.argsort(-found.values, kind="stable")[:count]
        A = found.directions[best]
        # the factor 1/2 of the forms above is left to the exponent
        scale = self.feature.degree * self._exponent + exponent + self._unit + found.exponent - 1
        values = np.ldexp(found.values[best], scale)
        bound = rounding.above(float(values[0]), _ERROR * float(values[0]))
        return Responses(A / np.hypot(*A.T)[:, None], found.signs[best], values, bound, SPHERE_EXACT)

    def _linear(self, used: Index, W: Integers, ends: Index) -> Found:
        """Arcs whose F points into them, and kinks from which s g falls to both sides."""
        U = self._upward[used]
        total = (W * self._turn[used]) @ U
        S = _arc_sums(W[:, None] * U, ends)
        U = U[ends]
        normals = np.stack([-U[:, 1], U[:, 0]], axis=1)
        parts: list[tuple[Integers, Integers | None, int, int]] = []
        for side in (1, -1):
            F = self._plus * S + side * self._minus * total
            before, after = (U * F[:-1]).sum(axis=1), (U * F[1:]).sum(axis=1)  # u_j.F on either side of b_j
            closing = np.append(before[1:], -(U[0] @ F[-1]))
            for s in (1, -1):
                inside = (s * after <= 0) & (s * closing >= 0) & (F[1:] != 0).any(axis=1)
                parts.append((s * F[1:][inside], None, side, s))
                kink = (s * before <= 0) & (s * after >= 0)
                height = s * (F[1:] * normals).sum(axis=1)
                kink &= height > 0
                parts.append((normals[kink], height[kink], side, s))
        return _collect_linear(parts)

    def _quadratic(self, used: Index, W: Integers, ends: Index) -> Found:
        """Eigenvectors inside their arcs, and the breakpoint of the largest value."""
        U = self._upward[used]
        squares = np.stack([U[:, 0] * U[:, 0], U[:, 0] * U[:, 1], U[:, 1] * U[:, 1]], axis=1) * W[:, None]
        S, Q = _arc_sums(squares * self._turn[used][:, None], ends)[1:], squares.sum(axis=0)
        U = U[ends]
        parts = []
        for side in (1, -1):
            M = self._plus * Q + side * self._minus * S
            parts += [(_eigenvectors(s * M, U), side, s) for s in (1, -1)]
        exponent = max(int(part.exponent) for part, _, _ in parts)
        directions = np.concatenate([side * part.directions for part, side, _ in parts])
        signs = np.concatenate([np.full(len(part.values), float(s)) for part, _, s in parts])
        values = np.concatenate([np.ldexp(part.values, part.exponent - exponent) for part, _, _ in parts])
        return Found(directions, signs, values, exponent)


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


def _collect_linear(parts: list[tuple[Integers, Integers | None, int, int]]) -> Found:
    """Values |F| of the arcs, (s F.b)/|b| of the kinks, in one unit."""
    tops = [rows if height is None else height for rows, height, _, _ in parts]
    shift = max(_excess(top) for top in tops)
    directions, signs, values = [], [], []
    for rows, height, side, s in parts:
        A = _floats(rows, _excess(rows))
        lengths = np.hypot(A[:, 0], A[:, 1])
        if height is None:
            values.append(np.ldexp(lengths, _excess(rows) - shift))
        else:
            values.append(np.ldexp(_floats(height, shift) / lengths, -_excess(rows)))
        directions.append(side * A)
        signs.append(np.full(len(A), float(s)))
    return Found(np.concatenate(directions), np.concatenate(signs), np.concatenate(values), shift)


def _eigenvectors(M: Integers, U: Integers) -> Found:
    """Unit vectors of the largest eigenvalue > 0 of the arcs' matrices (G, 3), where they lie in their arcs.

    Root and quotient are taken where nothing cancels: lambda = (trace + root)/2 or 2 det/(trace - root), and the
    eigenvector from that row of M - lambda in which the difference of the diagonal adds to the root.
    """
    shift, unit = _excess(M), _excess(U)
    trace, difference = _floats(M[:, 0] + M[:, 2], shift), _floats(M[:, 0] - M[:, 2], shift)
    B = _floats(M[:, 1], shift)
    determinant = _floats(M[:, 0] * M[:, 2] - M[:, 1] * M[:, 1], 2 * shift)
    root = np.hypot(difference, 2.0 * B)
    with np.errstate(divide="ignore", invalid="ignore"):
        top = np.where(trace >= 0.0, 0.5 * (trace + root), 2.0 * determinant / (trace - root))
    long = 0.5 * (np.abs(difference) + root)
    A = np.where((difference >= 0.0)[:, None], np.stack([long, B], axis=1), np.stack([B, long], axis=1))
    V = _floats(U, unit)
    inside, toward = _between(A, V)
    keep = np.flatnonzero(inside & (top > 0.0) & (root > 0.0))
    x, y = U.T
    height = _floats(M[:, 0] * y * y - 2 * M[:, 1] * x * y + M[:, 2] * x * x, shift + 2 * unit)
    height /= V[:, 0] ** 2 + V[:, 1] ** 2
    directions, values = toward[keep, None] * A[keep], top[keep]
    vertex = int(height.argmax())
    if height[vertex] > values.max(initial=0.0):
        b = np.array([[-V[vertex, 1], V[vertex, 0]]])
        directions, values = np.vstack([directions, b]), np.append(values, height[vertex])
    return Found(directions, np.ones(len(values)), values, shift)


def _between(A: Array, V: Array) -> tuple[NDArray[np.bool_], Array]:
    """Is a_k or -a_k (up to rounding) between b_{k-1} and b_k, and which of the two."""
    start = -(A * V).sum(axis=1), np.abs(A * V).sum(axis=1)
    following = np.concatenate([V[1:], -V[:1]])
    end = (A * following).sum(axis=1), np.abs(A * following).sum(axis=1)
    ahead = (start[0] >= -_TURN * start[1]) & (end[0] >= -_TURN * end[1])
    behind = (start[0] <= _TURN * start[1]) & (end[0] <= _TURN * end[1])
    return ahead | behind, np.where(ahead, 1.0, -1.0)


def _excess(values: Integers) -> int:
    """By how many bits the largest integer is too long for a float."""
    return max(max((int(v).bit_length() for v in values.ravel()), default=0) - _BITS, 0)


def _floats(values: Integers, shift: int) -> Array:
    """Integers / 2**shift as floats; what is lost is below 2**-900 of the largest."""
    shifted: Any = values >> shift if shift else values
    return shifted.astype(float) if values.size else np.empty(values.shape)
