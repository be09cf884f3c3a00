r"""The payoff g(a) = sum_i q_i sigma(a.z_i) as kinks and a smooth part, summed without rounding.

sigma is a polynomial (u or u^2) plus a kinked part (|u| or u|u|), and points on one line through the origin share a
kink.  With u_j the unit vector of line j (that of its first point) and z_i = +-|z_i| u_i,

    degree 1:  g(a) = l.a  + sum_j h_j |a.u_j|,          l = sum_i (right - left)/2 q_i z_i,
    degree 2:  g(a) = a'Qa + sum_j h_j |a.u_j| (a.u_j),  Q = sum_i (right + left)/2 q_i z_i z_i',
    h_j = sum over line j of  k_i |z_i|  or  +-k_i |z_i|^2,   k_i = (right +- left)/2 q_i  (+ for degree 1).

Weights of an adversary near its optimum nearly cancel in l, Q and h_j, by a factor of 1e9 where sigma is nearly linear.
So all three are sums of integers (every float is one, times a power of two), rounded once: an enumeration with the
floats h_j', l', Q' and x_j is exact for a function g' with

    |g - g'| <= 2u (|l| + sum |h_j|)  or  2u (|Q|_F + sum |h_j|)      the one rounding (`rounding.nearest`)
              + sum_j |h_j| |x_j - u_j| degree                        the rounding of the unit vectors
              + moved                                                 points that share a line up to rounding only

and ``moved = sum |k_i| |z_i|^degree |u_i -+ u_j| degree`` (|u|u| has the slope 2).  The chord |u_i -+ u_j| is at most
sqrt(2) sin of the angle, and the sine is the root of an exact quotient: exactly parallel points move by nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...features.homogeneous import Feature
from ...rounding import Integers, integers, nearest
from .great_circles import Array, Index
from .lines import Rays

_ROOT_BITS = 128  # of |z_i|, degree 1: what is cut off counts as moved


@dataclass(frozen=True)
class Kinks:
    """g in the format that was asked for.

    Attributes
    ----------
    h : (G,) weights of the lines.  smooth : l (D,) or Q (D, D).  moved : see the module.
    """

    h: NDArray[Any]
    smooth: NDArray[Any]
    moved: float


@dataclass(frozen=True)
class EvenOdd:
    """g over lines with unit vectors X (N, D), split into its even and its odd part under a -> -a.

    Attributes
    ----------
    X : (N, D).  h : (N,).  smooth : l (D,) for degree 1, Q (D, D) for degree 2.
    """

    X: Array
    h: NDArray[Any]
    smooth: NDArray[Any]

    def __call__(self, A: Array) -> tuple[Array, Array]:
        """(even, odd) of the rows of A (K, D), in the precision of the rows: (E, l.a) or (a'Qa, O)."""
        U = A @ self.X.T
        if self.smooth.ndim == 1:
            return np.abs(U) @ self.h, A @ self.smooth
        return ((A @ self.smooth) * A).sum(axis=1), (np.abs(U) * U) @ self.h


def kinks(rays: Rays, feature: Feature, used: Index, q: Array, kind: Any = float) -> Kinks:
    """g for the weights q of the points `used`, rounded once to the format `kind`."""
    lines, degree = rays.index[used], feature.degree
    both, z_unit = integers(np.stack([rays.Z[used], rays.Z[rays.first[lines]]]))
    points, first = both
    weights, q_unit = integers(q)
    (right, left), sigma_unit = integers(np.array([feature.right, feature.left]))
    kinked, even = (right + left, right - left) if degree == 1 else (right - left, right + left)
    unit = sigma_unit + q_unit + degree * z_unit - 1  # the halves of the formulas
    forms = points if degree == 1 else points[:, :, None] * points[:, None, :]
    smooth = even * np.tensordot(weights, forms, axes=1)
    squares = (points * points).sum(axis=1)
    if degree == 1:
        h, lost = _heights(rays, used, kinked * weights, squares)
        h_unit = unit - _ROOT_BITS
    else:
        sides = np.sign(rays.scale[used]).astype(int).astype(object)
        h, lost, h_unit = _collected(rays, used, kinked * weights * sides * squares), 0, unit
    moved = float(nearest(np.array([lost], dtype=object), h_unit)[0]) if lost else 0.0
    if kinked:
        size = np.abs(q) * np.abs(rays.scale[used]) ** degree * (0.5 * abs(feature.right) + 0.5 * abs(feature.left))
        # the terms are >= 0, so that their sum has small relative errors, which 1e-6 covers
        moved += (1.0 + 1e-6) * degree * float(size @ _chords(points, first, squares))
    return Kinks(nearest(h, h_unit, kind), nearest(smooth, unit, kind), moved)


def _heights(rays: Rays, used: Index, weights: Integers, squares: Integers) -> tuple[Integers, int]:
    """sum w_i |z_i| on each line in units of 2**-_ROOT_BITS, and what the roots and the cut-off have lost at most."""
    lengths = np.array([math.isqrt(int(square) << (2 * _ROOT_BITS)) for square in squares], dtype=object)
    total = _collected(rays, used, weights * lengths)
    # each root loses less than one unit, so that a sum below this is zero as far as one can tell
    lost = _collected(rays, used, np.abs(weights))
    total[np.abs(total) <= lost] = 0
    return total, 2 * int(lost.sum())


def _collected(rays: Rays, used: Index, terms: Integers) -> Integers:
    """Sums on the lines, (G,)."""
    total = np.zeros(len(rays.X), dtype=object)
    np.add.at(total, rays.index[used], terms)
    return total


def _chords(points: Integers, first: Integers, squares: Integers) -> Array:
    """Upper bounds on |u_i -+ u_j|, (n,), up to a few units of roundoff; 0 for exactly parallel points."""
    lengths = squares * (first * first).sum(axis=1)
    products = (points * first).sum(axis=1)
    sines = lengths - products * products
    # 2 (1 - |cos|) <= 2 sin^2; what underflows in the quotient is below 1e-308
    return np.array([math.sqrt(2.0 * (s / l)) + 1e-150 if s else 0.0 for s, l in zip(sines, lengths, strict=True)])
