"""Arcs of the great circles in which D-2 of the hyperplanes z_i^perp meet.

The hyperplanes {a : a.x_i = 0} of N unit vectors x_i cut the sphere S^{D-1} into faces.  Every face of dimension >= 1
has an arc of such a great circle in its closure, so that a walk over all arcs sees every face.  All circles of a
block are treated at once; with a frame whose first D-2 vectors span x_T and whose last two span the circle, a point of
the circle is (0, ..., 0, cos phi, sin phi) and the arcs come from one argsort of the N crossings a block row.

By symmetry (a -> -a) half a circle suffices.  Circles run upwards in the chart ``a / x_l.a`` with heights
``f.a / x_l.a``, f = `height` fixed and generic, l the first index not in T (`arrangement_cells` says what for).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice, permutations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

DEGENERATE = 1e-11  # a unit vector whose projection on the circle's plane is shorter than this contains the circle


@dataclass(frozen=True)
class Arcs:
    """The M arcs on half of each of C great circles, in frame coordinates (first axis: the D coordinates).

    Attributes
    ----------
    T : (C, D-2) the hyperplanes that meet in the circle, an ordered flag.
    infinity : (C,) the index l of the hyperplane at infinity.
    frame : (C, D, D) orthonormal columns; the first D-2 are Gram-Schmidt vectors of x_T, the last two span the circle.
    triangle : (C, D-2, D-2) upper triangular, ``x_T = frame[:, :, :D-2] @ triangle``.
    crossing : (C, M) the hyperplane that is crossed where arc k begins; arc k+1 begins where arc k ends.
    edges : (D, C, M) +-x of that hyperplane, oriented so that it is positive on the arc that begins there.
    sums : (D, C, M) ``sum_j h_j sign(a.x_j) x_j`` on the open arc, over the hyperplanes that cross the circle.
    steps : (D-2, D, C) y_m: leaving the circle to side t_m of x_{T_m} adds ``t_m y_m`` to the sum.
    crowded : (C,) more than D-2 hyperplanes contain the circle.
    """

    T: Index
    infinity: Index
    frame: Array
    triangle: Array
    crossing: Index
    edges: Array
    sums: Array
    steps: Array
    crowded: NDArray[np.bool_]


def index_blocks(N: int, size: int, rows: int) -> Iterator[Index]:
    """All subsets of {0..N-1} of that size, in blocks of at most ``rows``; shape (C, size)."""
    subsets = combinations(range(N), size)
    while block := list(islice(subsets, rows)):
        yield np.array(block, dtype=np.intp).reshape(len(block), size)


def arcs(X: Array, h: Array, T: Index) -> Arcs:
    """Arcs of the circles ``{a : a.x_i = 0 for i in T}`` with the active sums of ``sum_j h_j |a.x_j|``.

    Parameters
    ----------
    X : (N, D) unit rows that span R^D.
    h : (N,) coefficients.
    T : (C, D-2) hyperplanes of each circle; circles whose x_T are linearly dependent are left out.
    """
    frame, triangle, T = _frames(X, T)
    D, (C, k), N = X.shape[1], T.shape, len(X)
    infinity = (T == np.arange(k)).cumprod(axis=1).sum(axis=1)
    frame = _upwards(frame, X[infinity])
    F = np.matmul(frame.transpose(2, 0, 1), X.T)
    w1, w2 = F[D - 2], F[D - 1]
    contains = w1 * w1 + w2 * w2 <= DEGENERATE**2
    with np.errstate(divide="ignore", invalid="ignore"):
        # a.x = |w| sin(phi - phi_j) * orientation, and cot(phi_j) = -w2/w1 falls as phi_j runs through (0, pi)
        key = w2 / w1
    key[contains] = np.nan
    order = np.argsort(key, axis=1)[:, : N - k]
    flat = order + N * np.arange(C)[:, None]
    orientation = np.where(contains, 0.0, -np.copysign(1.0, w1))
    edges = (F * orientation).reshape(D, -1).take(flat, axis=1)
    sums = np.cumsum(h[order] * edges, axis=2)
    sums *= 2.0
    sums -= 0.5 * sums[:, :, -1:]
    crowded = contains.sum(axis=1) > k
    return Arcs(T, infinity, frame, triangle, order, edges, sums, _steps(F, h, T, contains, crowded), crowded)


def _frames(X: Array, T: Index) -> tuple[Array, Array, Index]:
    """Orthonormal frames by Householder QR (backward stable for every T), independent T only; triangles with diagonal > 0."""
    C, k = T.shape
    D = X.shape[1]
    if k == 0:
        return np.broadcast_to(np.eye(D), (C, D, D)), np.empty((C, 0, 0)), T
    frame, R = np.linalg.qr(X[T].transpose(0, 2, 1), mode="complete")
    diagonal = np.diagonal(R, axis1=1, axis2=2)
    sign = np.where(diagonal < 0.0, -1.0, 1.0)
    frame[:, :, :k] *= sign[:, None, :]
    R = R[:, :k] * sign[:, :, None]
    independent = (np.abs(diagonal) > DEGENERATE).all(axis=1)
    if independent.all():
        return frame, R, T
    return frame[independent], R[independent], T[independent]


def height(D: int) -> Array:
    """A fixed generic vector (D,): which vertex of a face is its lowest."""
    return np.cos(np.sqrt(2.0) * np.arange(1.0, D + 1.0) ** 2 + 0.5)


def _upwards(frame: Array, x: Array) -> Array:
    """Reverse the circles on which the height f.a / x.a falls; x (C, D)."""
    plane = frame[:, :, -2:]
    f = height(frame.shape[1]) @ plane
    e = np.einsum("cd,cdw->cw", x, plane)
    falls = f[:, 1] * e[:, 0] < f[:, 0] * e[:, 1]
    frame = frame.copy()
    frame[falls, :, -1] *= -1.0
    return frame


def _steps(F: Array, h: Array, T: Index, contains: NDArray[np.bool_], crowded: NDArray[np.bool_]) -> Array:
    """y_m = sum of h_j sign(f_m.x_j) x_j over the hyperplanes containing the circle whose last coordinate is m."""
    k = T.shape[1]
    D, C, _ = F.shape
    steps = np.zeros((k, D, C))
    for m in range(k):
        steps[m, : m + 1] = h[T[:, m]] * F[: m + 1, np.arange(C), T[:, m]]
    more = np.flatnonzero(crowded)
    if len(more) and k:
        G = np.where(contains[more], F[:k, more], 0.0)
        level = np.where(np.abs(G) > DEGENERATE, np.arange(k)[:, None, None], -1).max(axis=0)
        for m in range(k):
            signed = np.where(level == m, h * np.sign(G[m]), 0.0)
            steps[m, :k, more] = np.einsum("cj,dcj->cd", signed, G)
    return steps


def further_flags(X: Array, T: Index) -> Index:
    """The other orders of those T whose circle lies in more than D-2 hyperplanes.

    There the hyperplanes around the circle are not in general position, and the order in which one leaves them (the
    flag of faces) decides which cells are met; elsewhere every order meets the same cells.
    """
    k = T.shape[1]
    if k < 2:
        return np.empty((0, k), dtype=np.intp)
    frame, _, T = _frames(X, T)
    w = np.matmul(frame[:, :, k:].transpose(0, 2, 1), X.T)
    crowded = T[((w * w).sum(axis=1) <= DEGENERATE**2).sum(axis=1) > k]
    orders = list(permutations(range(k)))[1:]
    return np.concatenate([crowded[:, order] for order in orders])
