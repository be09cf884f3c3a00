"""The exact oracle for degree 2 (squared ReLU): eigenvectors of the active second-moment matrices of all cells.

With ``(u)_+^2 = (u^2 + u|u|) / 2`` every g(a) = sum_i q_i sigma(a.z_i) of degree 2 is an even plus an odd part,

    g(a) = a'Qa + O(a),   O(a) = sum_j h_j |a.x_j| (a.x_j),   max_{s, |a|=1} s g(a) = max_{|a|=1} |a'Qa| + |O(a)|.

On a cell C with signs sigma, ``g(a) = a'Ma`` with ``M = Q + sum_j h_j sigma_j x_j x_j'``, and on -C with
``M = Q - sum_j ...``.  g is C^1, so a maximum over the sphere is stationary: an eigenvector, with value the eigenvalue,
of the M of every cell that contains it.  So all cells are visited once (`faces`),
their eigenvectors that lie in them are the candidates, and ``g <= lambda_max(M)`` on the cell spares most of the work.

Because g is C^1, a misjudged sign costs only the second order: x_j within delta of 0 on C changes g by |h_j| delta^2.
If an eigenvalue is multiple (to 1e-12), the maximisers in the cell are the intersection of an eigenspace of dimension m
with it, and that cone has an extreme ray in which m-1 of the hyperplanes meet: those are evaluated for m = 2, a vertex
of the cell for m = D; other cases, should they ever exceed all evaluated values, raise the bound instead.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ... import rounding
from ...clock import Clock, Work
from ..oracle import SPHERE_BOUND, Responses
from .critical_points import between_ends
from .faces import Faces, faces, slopes
from .great_circles import Arcs, Array, Index, Mask, arcs, circles, crossings, cumulate, further_flags, steps
from .kinks import EvenOdd, kinks
from .lines import TYPICAL, Enumeration, answer, nothing, span, vanishes
from .pool import Candidates, Maxima

MULTIPLE = 1e-12  # eigenvalues closer than this, relative to the matrix, are one
CELL = 20.0  # work of a cell, in faces of degree 1
INSIDE = 1e-3  # an eigenvector counts as inside its cell up to this: rounding turns it by u / MULTIPLE at most


class QuadraticCellOracle(Enumeration):
    """Exact best responses for features of degree 2 in low dimension; see `Enumeration` for the parameters."""

    degree = 2

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Distinct maxima of ``s sum_i q_i sigma(a.z_i)`` over signs and the sphere, and the proved bound."""
        used, q = self._rays.weighted(q)
        Z, g = self.Z[used], kinks(self._rays, self.feature, used, q)
        if not g.h.any() and not g.smooth.any() and vanishes(Z, q, self.feature):
            return nothing(Z.shape[1])
        support = self._rays.support(used)
        search = _Search(self._rays.X[support], g.h[support], g.smooth)
        pool, unresolved = search.run(count, self.separation, self.clock, self.work)
        slack = search.slack + g.moved
        response = answer(self.feature, Z, q, pool.best()[1] @ search.basis, rounding.above(pool.proved(), slack))
        if unresolved > response.bound:
            return replace(response, bound=rounding.above(unresolved, slack), scope=SPHERE_BOUND)
        return response


class _Search:
    """Maximise ``|a'Qa| + |sum_j h_j |a.x_j| (a.x_j)|`` over the unit vectors of the span of the x_j."""

    def __init__(self, X: Array, h: Array, Q: Array) -> None:
        D = X.shape[1]
        self.basis, residual = span(X)
        self.X, self.h = X @ self.basis.T, h
        self.Q = self.basis @ Q @ self.basis.T
        kinked = h != 0.0
        if len(span(self.X[kinked])[0]) == len(self.basis):
            self.X, self.h = self.X[kinked], h[kinked]
        self.H = float(np.abs(h).sum() + np.abs(np.linalg.eigvalsh(Q)).max(initial=0.0))
        self.slack = 4.0 * (24.0 * D * rounding.UNIT_ROUNDOFF + residual) * self.H
        # what Q has outside of the span: nearly parallel points that cancel leave Q smaller than their distance from it
        self.slack += (1.0 + 1e-9) * float(np.linalg.norm(Q - self.basis.T @ self.Q @ self.basis))
        self.pairs = np.triu_indices(len(self.basis))
        self.unresolved = 0.0

    def run(self, count: int, separation: float, clock: Clock, work: Work) -> tuple[Maxima, float]:
        """All maxima, and the largest eigenvalue of a cell about which nothing could be said."""
        N, D = self.X.shape
        self.pool = Maxima(
            EvenOdd(self.X, self.h, self.Q), D, (self.H, N + D * D + 4), count=count, separation=separation
        )
        if D <= 1:
            self.pool.offer_anything(np.ones((1, D)))
            return self.pool, 0.0
        if not self.h.any():
            self._smooth()
            return self.pool, 0.0
        work.begin(TYPICAL * crossings(N, D))
        for T in circles(N, D):
            clock.demand()
            flags = self._visit(T, work)
            for start in range(0, len(flags), len(T)):
                clock.demand()
                self._visit(flags[start : start + len(T)], work)
        return self.pool, self.unresolved

    def _smooth(self) -> None:
        """Without a kink g is one quadratic form, a'Qa."""
        values, vectors = np.linalg.eigh(self.Q)
        ends = np.zeros(len(values), dtype=bool)  # the local maxima of s g
        ends[0], ends[-1] = values[0] < 0.0, values[-1] > 0.0
        self.pool.offer(Candidates(vectors.T, np.where(values < 0.0, -1.0, 1.0), np.abs(values), ends))

    def _visit(self, T: Index, work: Work) -> Index:
        block = arcs(self.X, T)
        if not len(block.T):
            return block.T
        i, j = self.pairs
        V = self.X[:, i] * self.X[:, j] * self.h[:, None]
        sums = cumulate(V.T[:, block.crossing] * block.orientation).reshape(len(i), -1)
        around = steps(block, V)
        visit = faces(block, slopes(block, self.X), ())
        work.spend(CELL * len(visit.at))
        S = sums.take(visit.at, axis=1)
        for side, step in zip(visit.sides, around, strict=True):
            S += side * step.T.take(visit.circle, axis=1)
        for sign in (1.0, -1.0):
            self._cells(block, visit, self.Q[self.pairs][:, None] + sign * S)
        return further_flags(block)

    def _cells(self, block: Arcs, visit: Faces, packed: Array) -> None:
        """Offer the eigenvectors of the matrices, packed (P, K), that lie in their cells."""
        D = self.X.shape[1]
        live = np.flatnonzero(_spectral_bound(packed, self.pairs, D) > min(self.pool.floor, self.pool.top))
        M = np.empty((len(live), D, D))
        M[:, self.pairs[0], self.pairs[1]] = M[:, self.pairs[1], self.pairs[0]] = packed[:, live].T
        values, vectors = np.linalg.eigh(M)
        promised = np.abs(values)
        extreme = np.zeros(values.shape, dtype=bool)  # where s g is a local maximum: s = +, last; s = -, first
        extreme[:, -1], extreme[:, 0] = values[:, -1] > 0.0, values[:, 0] < 0.0
        extreme &= promised > self.pool.floor
        cell, column = np.nonzero(extreme | (promised > self.pool.top))
        keep = np.flatnonzero(_in_cell(block, self.X, visit, live[cell], vectors[cell, :, column]))
        cell, column = cell[keep], column[keep]
        signs = np.where(values[cell, column] < 0.0, -1.0, 1.0)
        self.pool.offer(Candidates(vectors[cell, :, column], signs, promised[cell, column], extreme[cell, column]))
        self._multiple(block, visit, live, values, vectors)

    def _multiple(self, block: Arcs, visit: Faces, live: Index, values: Array, vectors: Array) -> None:
        """Candidates for multiple eigenvalues above all evaluated values: extreme rays of eigenspace and cell."""
        D = self.X.shape[1]
        scale = np.abs(values).max(axis=1, initial=0.0)
        suspects = (np.abs(values) > self.pool.top) & _clustered(values, MULTIPLE * scale)
        for c in np.flatnonzero(suspects.any(axis=1)):
            for k in np.flatnonzero(suspects[c]):
                E = vectors[c][:, np.abs(values[c] - values[c, k]) <= MULTIPLE * scale[c] * D]
                U = self.X @ E
                if E.shape[1] == 2:
                    rays_ = np.stack([U[:, 1], -U[:, 0]], axis=1) @ E.T
                else:
                    rays_ = _vertex(block, visit, live[c])[None] @ E @ E.T
                length = np.linalg.norm(rays_, axis=1)
                self.pool.offer_anything(rays_[length > MULTIPLE] / length[length > MULTIPLE, None])
                value = abs(values[c, k])
                if 2 < E.shape[1] < D and value > self.pool.top + 1e-9 * scale[c]:
                    self.unresolved = max(self.unresolved, float(value))


def _spectral_bound(packed: Array, pairs: tuple[Index, Index], D: int) -> Array:
    """max |lambda| <= |tr|/D + sqrt((D-1)/D) |M - tr/D|_F for packed symmetric matrices (P, K)."""
    diagonal = pairs[0] == pairs[1]
    mean = packed[diagonal].sum(axis=0) / D
    squares = ((packed[diagonal] - mean) ** 2).sum(axis=0) + 2.0 * (packed[~diagonal] ** 2).sum(axis=0)
    bound: Array = np.abs(mean) + np.sqrt((D - 1) / D * squares)
    return bound * (1.0 + 1e-12)


def _clustered(values: Array, width: Array) -> Mask:
    """Eigenvalues (K, D), ascending, that have a neighbour within width (K,)."""
    close = np.diff(values, axis=1) <= width[:, None]
    out = np.zeros(values.shape, dtype=bool)
    out[:, 1:] |= close
    out[:, :-1] |= close
    return out


def _in_cell(block: Arcs, X: Array, visit: Faces, which: Index, A: Array) -> Mask:
    """Does the line through a meet the closed cell, as far as the hyperplanes around the arc tell?"""
    at, circle = visit.at[which], visit.circle[which]
    inside = np.zeros(len(A), dtype=bool)
    for B in (A, -A):
        ok = between_ends(block, at, np.einsum("kd,kdj->jk", B, block.frame[circle]), np.full(len(A), INSIDE))
        for m, side in enumerate(visit.sides[:, which]):
            ok &= side * (X[block.T[circle, m]] * B).sum(axis=1) >= -INSIDE
        inside |= ok
    return inside


def _vertex(block: Arcs, visit: Faces, which: int) -> Array:
    """The vertex at the beginning of the arc from which the cell is visited, (D,); else any point of the circle."""
    e = block.edges.reshape(len(block.edges), -1)[-2:, visit.at[which]]
    length = np.hypot(*e)
    w = np.array([e[1], -e[0]]) / length if length > 0.0 else np.array([1.0, 0.0])
    vertex: Array = block.frame[visit.circle[which]][:, -2:] @ w
    return vertex
