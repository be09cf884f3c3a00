"""The exact oracle for degree 1: all faces of the arrangement of the hyperplanes z_i^perp, both output signs at once.

With ``(u)_+ = (u + |u|) / 2`` every g(a) = sum_i q_i sigma(a.z_i) of degree 1 is a linear part plus an even part,

    g(a) = l.a + E(a),   E(a) = sum_j h_j |a.x_j|,   max_{s, |a|=1} s g(a) = max_{|a|=1} |l.a| + |E(a)|,

where the unit vectors x_j stand for rays of parallel and antipodal points (h_j = sum c_i |z_i| / 2 over the ray).
The enumeration (`circle`, `arrangement_cells`, `arrangement_faces`) costs O(N^{D-1} log N) for N rays with h_j != 0.

Why the bound is proved
-----------------------
Every evaluated direction is a valid candidate, so only misjudged faces could hurt.  Let H = |l| + sum |h_j|, u = 2^-53.

1. Householder frames are backward stable: each circle, its crossings and the values on it are exact for vectors x_j'
   with |x_j' - x_j| <= eps, eps = O(D) u, and ``|E - E'| <= eps H`` on the whole sphere.
2. A face is missed only if it is thinner than some delta (the tolerances 1e-9 and 1e-11 that decide on which side of a
   hyperplane a point lies).  If the maximum were inside such a face, a point of the face's boundary would be within
   delta of it, and there the value |v| cos(delta) is lower by |v| delta^2 / 2 < 1e-17 |v| only; the boundary is a
   smaller face, to which the argument applies again, down to the vertices, which are all evaluated.
3. The same holds for an active sum v with accumulated rounding eta: v/|v| turns by eta/|v|, second order inside its
   face, and if that leaves the face, its boundary is near.

The slack added to the largest evaluated value is therefore first order in 1 only: ``2 eps H`` with eps = 24 D u.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from .. import rounding
from ..errors import InputError
from ..features.homogeneous import Feature
from .arrangement_cells import faces, slopes
from .arrangement_faces import interiors, linear_forms, vertices
from .arrangement_maxima import Maxima
from .arrangement_rays import rays, span, vanishes
from .circle import Array, Index, arcs, further_flags, index_blocks
from .responses import SPHERE_EXACT, Responses

WORK = 5e8  # crossings that an enumeration may sort: a few minutes
BLOCK = 1 << 16  # crossings handled at once: keeps the working set in cache


def affordable(N: int, D: int, work: float = WORK) -> bool:
    """Can the arrangement of N hyperplanes in R^D be enumerated?  Always for D <= 3, else if O(N^{D-1}) <= work."""
    return D <= 3 or comb(N, D - 2) * N <= work


def demand_affordable(N: int, D: int) -> None:
    """`InputError` unless `affordable`."""
    if not affordable(N, D):
        raise InputError(
            f"q: found {N} hyperplanes in dimension {D}, too many to enumerate exactly; "
            "want fewer support points, or the relaxation and branch-and-bound oracles"
        )


class ArrangementOracle:
    """Exact best responses for features of degree 1 in low dimension.

    Parameters
    ----------
    Z : (n, D) what the activation sees.
    feature : of degree 1.
    separation : directions closer than this angle count as one maximum.

    Raises
    ------
    InputError : the feature has degree 2, Z is not a finite matrix; on call, the arrangement is too large.
    """

    def __init__(self, Z: Array, feature: Feature, separation: float = 1e-4) -> None:
        if feature.degree != 1:
            raise InputError(
                f"feature: found {feature.name!r} of degree {feature.degree}, wanted degree 1; "
                "use QuadraticCellOracle for degree 2"
            )
        self._rays = rays(Z)
        self.Z = self._rays.Z
        self.feature = feature
        self.separation = separation

    def affordable(self, q: Array, work: float = WORK) -> bool:
        """Can this q be answered?  Counts the distinct hyperplanes of its support, in the dimension of their span."""
        support = self._rays.support(np.flatnonzero(q))
        return affordable(len(support), len(span(self._rays.X[support])[0]), work)

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Distinct maxima of ``s sum_i q_i sigma(a.z_i)`` over signs and the sphere, and the proved bound."""
        used, q = self._rays.weighted(q)
        Z = self.Z[used]
        right, left = self.feature.right, self.feature.left
        h = self._rays.collect(used, 0.5 * (right + left) * q * np.abs(self._rays.scale[used]))
        ell = accumulate(0.5 * (right - left) * q, Z)
        reach = float(np.abs(q) @ np.abs(self._rays.scale[used])) * max(abs(right), abs(left))
        if np.abs(h).sum() + np.linalg.norm(ell) <= 1e-12 * reach and vanishes(Z, q, self.feature):
            return nothing(Z.shape[1])
        support = np.flatnonzero(h)
        directions, bound = maximise(self._rays.X[support], h[support], ell, count, self.separation)
        # h and l carry one rounding each, relative to their terms
        return answer(self.feature, Z, q, directions, rounding.above(bound, rounding.relative_error(8) * reach))


def accumulate(weights: Array, V: Array) -> Array:
    """sum_i weights_i V_i in extended precision, rounded once."""
    return np.einsum("i,i...->...", weights.astype(np.longdouble), V.astype(np.longdouble)).astype(float)


def nothing(D: int) -> Responses:
    """The answer to the zero function: any neuron earns exactly 0."""
    return Responses(np.eye(1, D), np.ones(1), np.zeros(1), 0.0, SPHERE_EXACT)


def answer(feature: Feature, Z: Array, q: Array, directions: Array, bound: float) -> Responses:
    """Directions with their payoffs (evaluated in extended precision), best first."""
    A: Any = directions.astype(np.longdouble)
    payoffs = (feature(A @ Z.T.astype(np.longdouble)) @ q.astype(np.longdouble)).astype(float)
    order = np.argsort(-np.abs(payoffs), kind="stable")
    signs = np.where(payoffs < 0.0, -1.0, 1.0)
    values = np.abs(payoffs)
    return Responses(directions[order], signs[order], values[order], max(bound, float(values.max())), SPHERE_EXACT)


def maximise(X: Array, h: Array, ell: Array, count: int, separation: float) -> tuple[Array, float]:
    """Maxima of ``|l.a| + |sum_j h_j |a.x_j||`` over the sphere of R^D.

    Returns
    -------
    directions : (K, D) unit, distinct, best first.
    bound : the largest evaluated value plus the enumeration's slack (item 1 above).
    """
    D = len(ell)
    basis, residual = span(X)
    inside = basis @ ell
    outside = ell - inside @ basis
    if np.linalg.norm(outside) <= 4.0 * D * rounding.UNIT_ROUNDOFF * np.linalg.norm(ell):
        outside[:] = 0.0
    X = X @ basis.T
    H = float(np.abs(h).sum() + np.linalg.norm(ell))

    def parts(A: Array) -> tuple[Array, Array]:
        return np.abs(A @ X.T) @ h, A @ inside

    pool = Maxima(parts, len(basis), (H, len(h) + D + 4), count=count, separation=separation)
    _enumerate(X, h, inside, pool)
    values, directions, signs = pool.best()
    A = directions @ basis if len(basis) else np.eye(1, D)
    if outside.any():  # l.a gains outside of the span: the maximum over it is a hypotenuse
        A = values[:, None] * (directions @ basis) + signs[:, None] * outside
        A /= np.linalg.norm(A, axis=1)[:, None]
    slack = 2.0 * (24.0 * D * rounding.UNIT_ROUNDOFF + residual) * H
    return A, rounding.above(float(np.hypot(pool.proved(), np.linalg.norm(outside))), slack)


def _enumerate(X: Array, h: Array, ell: Array, pool: Maxima) -> None:
    """Offer the maximisers of all faces of the arrangement to the pool; the rows of X span R^D."""
    N, D = X.shape
    if D <= 1:
        pool.offer_anything(np.ones((1, D)))
        return
    demand_affordable(N, D)
    for T in circles(N, D):
        flags = _visit(X, h, ell, T, pool)
        for start in range(0, len(flags), len(T)):
            _visit(X, h, ell, flags[start : start + len(T)], pool)


def circles(N: int, D: int) -> Iterator[Index]:
    """All (D-2)-subsets of N hyperplanes, in blocks whose arcs fit into the cache."""
    return index_blocks(N, D - 2, max(1, BLOCK // N))


def _visit(X: Array, h: Array, ell: Array, T: Index, pool: Maxima) -> Index:
    """Offer the maximisers of the faces to be visited from the circles T; what `further_flags` has to add to T."""
    block = arcs(X, T)
    if not len(block.T):
        return block.T
    forms = linear_forms(block, X, h, ell)
    for found in vertices(forms, pool):
        pool.offer(found)
    slope = slopes(block, X)
    k = T.shape[1]
    for size in reversed(range(k + 1)):  # small faces first: their values prune the large ones
        for zeros in combinations(range(k), size):
            for found in interiors(forms, faces(block, slope, zeros), pool):
                pool.offer(found)
    return further_flags(block)
