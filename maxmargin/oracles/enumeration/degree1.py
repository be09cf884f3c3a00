"""The exact oracle for degree 1: all faces of the arrangement of the hyperplanes z_i^perp, both output signs at once.

With ``(u)_+ = (u + |u|) / 2`` every g(a) = sum_i q_i sigma(a.z_i) of degree 1 is a linear part plus an even part,

    g(a) = l.a + E(a),   E(a) = sum_j h_j |a.x_j|,   max_{s, |a|=1} s g(a) = max_{|a|=1} |l.a| + |E(a)|,

where the unit vectors x_j stand for rays of parallel and antipodal points (h_j = sum c_i |z_i| / 2 over the ray).
The enumeration (`great_circles`, `faces`, `critical_points`) costs O(N^{D-1} log N) for N rays with h_j != 0.

Why the bound is proved
-----------------------
Every evaluated direction is a valid candidate, so only misjudged faces could hurt.  Let H = |l| + sum |h_j|, u = 2^-53.

1. Householder frames are backward stable: each circle, its crossings and the values on it are exact for vectors x_j'
   with |x_j' - x_j| <= eps, eps = O(D) u, and ``|E - E'| <= eps H`` on the whole sphere.
2. A face is missed only if it is thinner than some delta (the tolerances up to 1e-9 that decide on which side of a
   hyperplane a point lies).  If the maximum were inside such a face, a point of the face's boundary would be within
   delta of it, and there the value |v| cos(delta) is lower by |v| delta^2 / 2 < 1e-17 |v| only; the boundary is a
   smaller face, to which the argument applies again, down to the vertices, which are all evaluated.
3. The same holds for an active sum v with accumulated rounding eta: v/|v| turns by eta/|v|, second order inside its
   face, and if that leaves the face, its boundary is near.  Off the face's span it would be first order, across the
   kinks, and hyperplanes under small angles would seem near that are not: `critical_points` projects twice before it
   asks on which sides the point lies, which leaves O(u) there, as item 1 allows.

4. Where an x_j lies within d <= 2^-47 of the span of x_T, it is taken to be in it, which moves it by d: vertices that
   it would have on the circle are lost.  Angles of 1e-12 must not
   count as special position, so 2^-47 is chosen close to eps.

The slack added to the largest evaluated value is therefore first order in 1 and 4 only: ``2 (eps + max d) H`` with
eps = 24 D u, of which the k = D-2 reflections of a frame and the rotations into it take 20 D u, the unit vectors and
the one rounding of h and l (`kinks`) D/2 + 8 <= 4 D units.  Here u is that of the search: float64, or long double.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ... import rounding
from ...clock import Clock, Work
from ..oracle import Responses
from .critical_points import interiors, linear_forms, vertices
from .faces import faces, slopes
from .great_circles import Array, Index, arcs, circles, crossings, further_flags
from .kinks import EvenOdd, kinks
from .lines import TYPICAL, Enumeration, answer, nothing, span, vanishes
from .pool import Maxima


@dataclass(frozen=True)
class Limits:
    """What a call may return and take.

    Attributes
    ----------
    count : maxima.  separation : directions closer than this angle are one.  clock, work : `OutOfTime` beyond.
    """

    count: int
    separation: float
    clock: Clock
    work: Work


class ArrangementOracle(Enumeration):
    """Exact best responses for features of degree 1 in low dimension; see `Enumeration` for the parameters."""

    degree, extended = 1, False

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Distinct maxima of ``s sum_i q_i sigma(a.z_i)`` over signs and the sphere, and the proved bound."""
        used, q = self._rays.weighted(q)
        Z, kind = self.Z[used], np.longdouble if self.extended else float
        g = kinks(self._rays, self.feature, used, q, kind)
        if not g.h.any() and not g.smooth.any() and vanishes(Z, q, self.feature):
            return nothing(Z.shape[1])
        support = np.flatnonzero(g.h)
        limits = Limits(count, self.separation, self.clock, self.work)
        directions, bound = maximise(self._directions(support), g.h[support], g.smooth, limits)
        return answer(self.feature, Z, q, directions.astype(float), rounding.above(bound, g.moved))

    def _directions(self, lines: Index) -> Array:
        """Unit vectors of the lines, in the precision of the search; (D/2 + 6) u from exact."""
        if not self.extended:
            return self._rays.X[lines]
        Z: Any = self._rays.Z[self._rays.first[lines]].astype(np.longdouble)
        Z /= np.abs(Z).max(axis=1, keepdims=True, initial=0.0)
        return Z / np.sqrt((Z * Z).sum(axis=1))[:, None]


class ExtendedArrangementOracle(ArrangementOracle):
    """The same for D = 3 in extended precision: twice as slow, and the slack of the bound is 2000 times smaller.

    That counts where payoffs are small against ``sum_i p_i |z_i|``: years, or a bias much larger than the features.
    """

    extended = True


def maximise(X: Array, h: Array, ell: Array, limits: Limits) -> tuple[Array, float]:
    """Maxima of ``|l.a| + |sum_j h_j |a.x_j||`` over the sphere of R^D.

    Returns
    -------
    directions : (K, D) unit, distinct, best first.
    bound : the largest evaluated value plus the enumeration's slack (item 1 above).
    """
    D = len(ell)
    basis, residual = span(X.astype(float))
    if len(basis) < D:  # a basis of float64
        X, h, ell = X.astype(float), h.astype(float), ell.astype(float)
        residual += 8.0 * rounding.UNIT_ROUNDOFF
    unit_roundoff = rounding.roundoff(X.dtype)
    inside = basis @ ell
    outside = ell - inside @ basis
    X = X @ basis.T
    H = float(np.abs(h).sum() + np.sqrt(ell @ ell)) * (1.0 + 1e-15)
    rounded = H, len(h) + D + 4
    g = EvenOdd(X, h, inside)
    pool = Maxima(g, len(basis), rounded, count=limits.count, separation=limits.separation)
    _enumerate(g, pool, limits)
    values, directions, signs = pool.best()
    A = directions @ basis if len(basis) else np.eye(1, D)
    if outside.any():  # l.a gains outside of the span: the maximum over it is a hypotenuse
        A = values[:, None] * (directions @ basis) + signs[:, None] * outside
        A /= np.linalg.norm(A, axis=1)[:, None]
    slack = 2.0 * (24.0 * D * unit_roundoff + residual + pool.residual) * H
    return A, rounding.above(float(np.hypot(pool.proved(), float(np.sqrt(outside @ outside)))), slack)


def _enumerate(g: EvenOdd, pool: Maxima, limits: Limits) -> None:
    """Offer the maximisers of all faces of the arrangement to the pool; the lines span R^D."""
    N, D = g.X.shape
    if D <= 1:
        pool.offer_anything(np.ones((1, D)))
        return
    limits.work.begin(TYPICAL * crossings(N, D))
    for T in circles(N, D):
        limits.clock.demand()
        flags = _visit(g, T, pool, limits.work)
        for start in range(0, len(flags), len(T)):
            limits.clock.demand()
            _visit(g, flags[start : start + len(T)], pool, limits.work)


def _visit(g: EvenOdd, T: Index, pool: Maxima, work: Work) -> Index:
    """Offer the maximisers of the faces to be visited from the circles T; what `further_flags` has to add to T."""
    block = arcs(g.X, T)
    pool.residual = max(pool.residual, block.residual)
    if not len(block.T):
        return block.T
    forms = linear_forms(block, g.X, g.h, g.smooth)
    for found in vertices(forms, pool):
        pool.offer(found)
    slope = slopes(block, g.X)
    k = T.shape[1]
    for size in reversed(range(k + 1)):  # small faces first: their values prune the large ones
        for zeros in combinations(range(k), size):
            visit = faces(block, slope, zeros)
            work.spend(len(visit.at))
            for found in interiors(forms, visit, pool):
                pool.offer(found)
    return further_flags(block)
