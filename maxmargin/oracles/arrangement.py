"""The exact oracle for degree 1: all faces of the arrangement of the hyperplanes z_i^perp, both output signs at once.

With ``(u)_+ = (u + |u|) / 2`` every g(a) = sum_i q_i sigma(a.z_i) of degree 1 is a linear part plus an even part,

    g(a) = l.a + E(a),   E(a) = sum_j h_j |a.x_j|,   max_{s, |a|=1} s g(a) = max_{|a|=1} |l.a| + |E(a)|,

where the unit vectors x_j stand for groups of parallel and antipodal points (h_j = sum c_i |z_i| / 2 over the group).
The enumeration (`circle`, `arrangement_faces`) costs O(N^{D-1} log N) for N groups with h_j != 0.

Why the bound is proved
-----------------------
Every evaluated direction is a valid candidate, so only misjudged faces could hurt.  Let H = sum |h_j| and u = 2^-53.

1. Householder frames are backward stable: each circle, its crossings and the values on it are exact for vectors x_j'
   with |x_j' - x_j| <= eps, eps = O(D) u, and ``|E - E'| <= eps H`` on the whole sphere.
2. A face is missed only if it is thinner than delta (the tolerances 1e-9 and 1e-11 that decide on which side of a
   hyperplane a point lies).  If the maximum were inside such a face, some point of the face's boundary is within
   delta of it, and there the value |v| cos(delta) is lower by |v| delta^2 / 2 < 1e-17 |v| only; the boundary is a
   smaller face, to which the argument applies again, down to the vertices, which are all evaluated.
3. The same holds for an active sum v with accumulated rounding eta: v/|v| turns by eta/|v|, second order inside its
   face, and if that leaves the face, its boundary is near.

The slack added to the largest evaluated value is therefore first order in 1 and in the rounding of the values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from .. import rounding
from ..errors import InputError
from ..features.homogeneous import Feature
from .arrangement_cells import faces, slopes
from .arrangement_faces import interiors, linear_forms, vertices
from .circle import Array, Index, arcs, further_flags, index_blocks
from .responses import SPHERE_EXACT, Responses

WORK = 5e8  # crossings that an enumeration may sort: a few minutes
CHUNK = 256  # candidates evaluated at once: the best of them spare most of the others
BLOCK = 1 << 16  # crossings handled at once: keeps the working set in cache


def affordable(N: int, D: int, work: float = WORK) -> bool:
    """Can the arrangement of N hyperplanes in R^D be enumerated?  Always for D <= 3, else if O(N^{D-1}) <= work."""
    return D <= 3 or comb(N, D - 2) * N <= work


@dataclass(frozen=True)
class Groups:
    """Points that are parallel or antipodal share a hyperplane: z_i = scale_i * X[index_i], scale_i = +-|z_i|.

    Attributes
    ----------
    X : (G, D) unit vectors, pairwise distinct up to sign.
    index : (n,) group of each point.  scale : (n,), 0 for zero vectors.
    """

    X: Array
    index: Index
    scale: Array


def group_parallel(Z: Array) -> Groups:
    """Group the rows of Z (n, D) whose directions agree up to sign and rounding (2^-50)."""
    peak = np.abs(Z).max(axis=1, initial=0.0)
    nonzero = peak > 0.0
    unit = Z / np.where(nonzero, peak, 1.0)[:, None]
    norm = np.linalg.norm(unit, axis=1)
    unit /= np.where(nonzero, norm, 1.0)[:, None]
    pivot = np.abs(unit).argmax(axis=1) if unit.shape[1] else np.zeros(len(Z), dtype=np.intp)
    sign = np.where(unit[np.arange(len(Z)), pivot] < 0.0, -1.0, 1.0)
    unit *= sign[:, None]
    _, first, index = np.unique(np.round(unit * 2.0**50), axis=0, return_index=True, return_inverse=True)
    return Groups(unit[first], index.ravel(), np.where(nonzero, sign * norm * peak, 0.0))


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
            raise InputError(f"feature: found {feature.name!r} of degree {feature.degree}, wanted degree 1; "
                             "use QuadraticCellOracle for degree 2")
        self.Z = np.ascontiguousarray(Z, dtype=float)
        if self.Z.ndim != 2 or not np.isfinite(self.Z).all():
            raise InputError(f"Z: found an array of shape {np.shape(Z)}, wanted a finite (n, D) matrix")
        self.feature = feature
        self.separation = separation
        self._groups = group_parallel(self.Z)

    def affordable(self, q: Array) -> bool:
        """Can this q be answered?  Counts the distinct hyperplanes of its support."""
        support = np.unique(self._groups.index[(q != 0.0) & (self._groups.scale != 0.0)])
        return affordable(len(support), self.Z.shape[1])

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Distinct maxima of ``s sum_i q_i sigma(a.z_i)`` over signs and the sphere, and the proved bound."""
        q = np.asarray(q, dtype=float)
        base, c = self.feature.canonical(self.Z, q)
        c = np.asarray(c, dtype=float)
        ell = base + 0.5 * (c @ self.Z)
        groups = self._groups
        h = np.bincount(groups.index, 0.5 * c * np.abs(groups.scale), minlength=len(groups.X))
        support = np.flatnonzero(h)
        directions, bound = maximise(groups.X[support], h[support], ell, count, self.separation)
        payoffs = self.feature.evaluate(directions, self.Z) @ q
        signs = np.where(payoffs < 0.0, -1.0, 1.0)
        values = signs * payoffs
        if bound > 0.0:
            magnitude = max(abs(self.feature.right), abs(self.feature.left)) * float(np.abs(q) @ np.abs(groups.scale))
            bound = rounding.above(max(bound, values.max()), rounding.dot_error(magnitude, len(q) + 8 * len(ell)))
        order = np.argsort(-values, kind="stable")
        return Responses(directions[order], signs[order], values[order], bound, SPHERE_EXACT)


def maximise(X: Array, h: Array, ell: Array, count: int, separation: float) -> tuple[Array, float]:
    """Maxima of ``|l.a| + |sum_j h_j |a.x_j||`` over the sphere of R^D.

    Returns
    -------
    directions : (K, D) unit; at a, ``s = sign E(a)`` gets the value from ``s sign(l.a) a``, which is what is returned.
    bound : the largest evaluated value plus the enumeration's slack (item 1 above), 0 for the zero function.
    """
    D = len(ell)
    if not len(h) and not ell.any():
        return np.eye(1, D), 0.0
    basis, residual = _span(X)
    inside = basis @ ell
    outside = ell - inside @ basis
    if np.linalg.norm(outside) <= 4.0 * D * rounding.UNIT_ROUNDOFF * np.linalg.norm(ell):
        outside[:] = 0.0
    pool = Maxima(X @ basis.T, h, inside, count, separation)
    _enumerate(pool)
    values, A = pool.best()
    H = float(np.abs(h).sum() + np.linalg.norm(ell))
    lifted = A @ basis
    if outside.any():
        lifted = values[:, None] * lifted + np.where(pool.even(A) < 0.0, -1.0, 1.0)[:, None] * outside
        lifted /= np.linalg.norm(lifted, axis=1)[:, None]
    slack = (24.0 * D * rounding.UNIT_ROUNDOFF + residual) * H
    return lifted, rounding.above(float(np.hypot(values[0], np.linalg.norm(outside))), 2.0 * slack)


def _span(X: Array) -> tuple[Array, float]:
    """Orthonormal rows (r, D) spanning the unit rows of X, and the largest distance of a row from their span."""
    N, D = X.shape
    if N == 0:
        return np.empty((0, D)), 0.0
    _, s, V = np.linalg.svd(X, full_matrices=False)
    r = int((s > 8.0 * max(N, D) * rounding.UNIT_ROUNDOFF * s[0]).sum())
    if r == D:
        return np.eye(D), 0.0
    return V[:r], float(np.linalg.norm(X - (X @ V[:r].T) @ V[:r], axis=1).max())


class Maxima:
    """The best distinct directions found so far for ``|l.a| + |E(a)|``.

    `top` is the largest value, `floor` the value below which a direction is of no use; both are lowered by what rounding
    can do to the cumulated sums with which they are compared.
    """

    def __init__(self, X: Array, h: Array, ell: Array, count: int, separation: float) -> None:
        self.X, self.h, self.ell = X, h, ell
        self.count, self.cosine = count, np.cos(separation)
        self._values = np.empty(0)
        self._directions = np.empty((0, len(ell)))
        self._eta = rounding.relative_error(4 * len(h)) * float(np.abs(h).sum() + np.linalg.norm(ell))
        self.top = self.floor = -self._eta

    def even(self, A: Array) -> Array:
        """E(a) for each row of A."""
        return np.abs(A @ self.X.T) @ self.h

    def offer(self, A: Array, promised: Array | None = None) -> None:
        """Evaluate candidate directions (K, D), best promise first, and keep the best distinct ones."""
        if promised is None or len(A) <= CHUNK:
            self._evaluate(A)
            return
        order = np.argsort(-promised, kind="stable")
        for start in range(0, len(A), CHUNK):
            chunk = order[start : start + CHUNK]
            chunk = chunk[promised[chunk] > self.floor]
            if not len(chunk):
                return
            self._evaluate(A[chunk])

    def _evaluate(self, A: Array) -> None:
        if not len(A):
            return
        E, linear = self.even(A), A @ self.ell
        turn = np.where((E < 0.0) != (linear < 0.0), -1.0, 1.0)
        values = np.concatenate([np.abs(E) + np.abs(linear), np.abs(E) - np.abs(linear)])
        A = np.concatenate([turn[:, None] * A, -turn[:, None] * A])
        useful = np.flatnonzero(values >= max(self.floor, 0.0))
        values = np.concatenate([self._values, values[useful]])
        A = np.concatenate([self._directions, A[useful]])
        order = np.argsort(-values, kind="stable")
        values, A = values[order], A[order]
        chosen = self._distinct(A)
        self._values, self._directions = values[chosen], A[chosen]
        self.top = float(self._values[0]) - self._eta
        if len(chosen) == self.count:
            self.floor = float(self._values[-1]) - self._eta

    def _distinct(self, A: Array) -> Index:
        """Greedy choice, best first, of rows that are pairwise separated."""
        chosen: list[int] = []
        free = np.ones(len(A), dtype=bool)
        while len(chosen) < self.count and free.any():
            chosen.append(int(free.argmax()))
            free &= A @ A[chosen[-1]] < self.cosine
        return np.array(chosen)

    def best(self) -> tuple[Array, Array]:
        """Values (K,) decreasing, directions (K, D)."""
        return self._values, self._directions


def _enumerate(pool: Maxima) -> None:
    """Offer the maximisers of all faces of the arrangement to the pool."""
    N, D = pool.X.shape
    if D <= 1:
        pool.offer(np.ones((1, D)))
        return
    if not affordable(N, D):
        raise InputError(f"q: found {N} hyperplanes in dimension {D}, too many to enumerate exactly; "
                         "want fewer support points, or use the relaxation and branch-and-bound oracles")
    rows = max(1, BLOCK // N)
    for T in index_blocks(N, D - 2, rows):
        flags = _visit(pool, T)
        for start in range(0, len(flags), rows):
            _visit(pool, flags[start : start + rows])


def _visit(pool: Maxima, T: Index) -> Index:
    """Offer the maximisers of the faces to be visited from the circles T; what `further_flags` has to add to T."""
    block = arcs(pool.X, T)
    if not len(block.T):
        return block.T
    forms = linear_forms(block, pool.X, pool.h, pool.ell)
    pool.offer(vertices(forms, pool))
    slope = slopes(block, pool.X)
    k = T.shape[1]
    for size in reversed(range(k + 1)):  # small faces first: their values prune the large ones
        for zeros in combinations(range(k), size):
            for visit in faces(block, slope, zeros):
                for A, promised in interiors(forms, visit, pool):
                    pool.offer(A, promised)
    return further_flags(block)
