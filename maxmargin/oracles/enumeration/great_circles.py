"""Arcs of the great circles in which D-2 of the hyperplanes x_i^perp meet.

The hyperplanes {a : a.x_i = 0} of N unit vectors x_i cut the sphere S^{D-1} into faces.  Every face of dimension >= 1
has an arc of such a great circle in its closure, so that a walk over all arcs sees every face.  All circles of a
block are treated at once: in a frame whose first D-2 vectors span x_T and whose last two span the circle, a point of
the circle is (0, ..., 0, cos phi, sin phi), and the arcs come from one argsort of the N crossings a row.

By symmetry (a -> -a) half a circle suffices.  Circles run upwards in the chart ``a / x_l.a`` with heights
``f.a / x_l.a``, f = `height` fixed and generic, l the first index not in T (`faces` says what for).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice, permutations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

# A unit vector whose projection on the circle's plane is shorter than this contains the circle. It is close to
# rounding error, because a dropped crossing costs a first-order error (`Arcs.residual`).
DEGENERATE = 2.0**-47
WORK = 5e8  # crossings that an enumeration may sort: a few minutes
BLOCK = 1 << 16  # crossings handled at once: keeps the working set in cache


@dataclass(frozen=True)
class Arcs:
    """The M arcs on half of each of C great circles; vectors in frame coordinates (first axis: the D coordinates).

    Attributes
    ----------
    T : (C, D-2) the hyperplanes that meet in the circle, an ordered flag.
    infinity : (C,) the index l of the hyperplane at infinity.
    frame : (C, D, D) orthonormal columns; the first D-2 are Gram-Schmidt vectors of x_T, the last two span the circle.
    triangle : (C, D-2, D-2) upper triangular, diagonal > 0, ``x_T = frame[:, :, :D-2] @ triangle``.
    crossing : (C, M) the hyperplane that is crossed where arc k begins; arc k+1 begins where arc k ends.
    orientation : (C, M) the sign of x_crossing on the arc that begins there; 0 if it contains the circle.
    edges : (D, C, M) ``orientation * x_crossing``.
    crowded : (C,) more than D-2 hyperplanes contain the circle.
    leaving : (D-2, crowded.sum(), N) for the crowded circles: the sign that x_j takes when one leaves the circle to
        side +1 of x_{T_m}, in the flag's order; 0 for x_j that cross the circle or have got their sign before.
    residual : the largest distance of an x_j that is said to contain a circle from the span of x_T.
    """

    T: Index
    infinity: Index
    frame: Array
    triangle: Array
    crossing: Index
    orientation: Array
    edges: Array
    crowded: Mask
    leaving: Array
    residual: float


def affordable(N: int, D: int, work: float = WORK) -> bool:
    """Can the arrangement of N hyperplanes in R^D be enumerated?  Always for D <= 3, else if O(N^{D-1}) <= work."""
    return D <= 3 or crossings(N, D) <= work


def crossings(N: int, D: int) -> int:
    """How often a circle crosses a hyperplane, for N hyperplanes of R^D in general position."""
    return comb(N, D - 2) * N


def circles(N: int, D: int) -> Iterator[Index]:
    """All (D-2)-subsets of N hyperplanes, sorted, in blocks (C, D-2) whose arcs fit into the cache.

    Raises
    ------
    InputError : there are too many.
    """
    if not affordable(N, D):
        raise InputError(
            f"q: found {N} hyperplanes in dimension {D}, too many to enumerate exactly; "
            "want fewer support points, or the relaxation and branch-and-bound oracles"
        )
    subsets = combinations(range(N), D - 2)
    while block := list(islice(subsets, max(1, BLOCK // N))):
        yield np.array(block, dtype=np.intp).reshape(len(block), D - 2)


def arcs(X: Array, T: Index) -> Arcs:
    """Arcs of the circles ``{a : a.x_i = 0 for i in T}``.

    Parameters
    ----------
    X : (N, D) unit rows that span R^D, pairwise distinct up to sign.
    T : (C, D-2) hyperplanes of each circle; circles whose x_T are linearly dependent are left out.
    """
    frame, triangle, T, dependent = _frames(X, T)
    D, (C, k), N = X.shape[1], T.shape, len(X)
    infinity = (np.arange(k) == T).cumprod(axis=1).sum(axis=1)
    frame = _upwards(frame, X[infinity])
    F = np.matmul(frame.transpose(2, 0, 1), X.T)
    w1, w2 = F[D - 2], F[D - 1]
    distance = w1 * w1 + w2 * w2
    contains = distance <= DEGENERATE**2
    residual = max(dependent, float(np.sqrt(distance.max(where=contains, initial=0.0))))
    with np.errstate(divide="ignore", invalid="ignore"):
        # a.x = |w| sin(phi - phi_j) * orientation, and cot(phi_j) = -w2/w1 falls as phi_j runs through (0, pi)
        key = w2 / w1
    key[contains] = np.nan
    crossing = np.argsort(key, axis=1)[:, : N - k]
    flat = crossing + N * np.arange(C)[:, None]
    orientation = np.where(contains, 0.0, -np.copysign(1.0, w1)).ravel()[flat]
    edges = F.reshape(D, -1).take(flat, axis=1)
    edges *= orientation
    crowded = contains.sum(axis=1) > k
    leaving = _leaving(np.where(contains[crowded], F[:k, crowded], 0.0))
    return Arcs(T, infinity, frame, triangle, crossing, orientation, edges, crowded, leaving, residual)


def cumulate(weighted: Array) -> Array:
    """``sum_j sign(a.x_j) V_j`` on every arc, (P, C, M), from ``weighted = orientation * V_crossing``, overwritten."""
    np.cumsum(weighted, axis=2, out=weighted)
    weighted *= 2.0
    weighted -= 0.5 * weighted[:, :, -1:]
    return weighted


def steps(block: Arcs, V: Array) -> Array:
    """What ``sum_j sign(a.x_j) V_j`` gains when the circle is left to side +1 of x_{T_m}; (D-2, C, P) for V (N, P)."""
    gained = V[block.T.T]
    if block.crowded.any():
        gained[:, block.crowded] = block.leaving @ V
    return gained


def height(D: int) -> Array:
    """A fixed generic vector (D,): which vertex of a face is its lowest."""
    return np.cos(np.sqrt(2.0) * np.arange(1.0, D + 1.0) ** 2 + 0.5)


def _frames(X: Array, T: Index) -> tuple[Array, Array, Index, float]:
    """Orthonormal frames by Householder QR (backward stable for every T), independent T only.

    The last item is the largest distance from the others of an x_T that is said to depend on them.
    """
    C, k = T.shape
    D = X.shape[1]
    if k == 0:
        return np.broadcast_to(np.eye(D), (C, D, D)), np.empty((C, 0, 0)), T, 0.0
    frame, R = _reflections(X[T[:, 0]]) if k == 1 else np.linalg.qr(X[T].transpose(0, 2, 1), mode="complete")
    diagonal = np.diagonal(R, axis1=1, axis2=2)
    sign = np.where(diagonal < 0.0, -1.0, 1.0)
    frame[:, :, :k] *= sign[:, None, :]
    R = R[:, :k] * sign[:, :, None]
    small = np.abs(diagonal) <= DEGENERATE
    independent = ~small.any(axis=1)
    if independent.all():
        return frame, R, T, 0.0
    dependent = float(np.abs(diagonal).max(where=small, initial=0.0))
    return frame[independent], R[independent], T[independent], dependent


def _reflections(x: Array) -> tuple[Array, Array]:
    """The QR factors of single columns x (C, D): one Householder reflection each, in the precision of x."""
    C, D = x.shape
    length = np.sqrt((x * x).sum(axis=1))
    v = x.copy()
    v[:, 0] += np.copysign(length, x[:, 0])
    frame = np.eye(D) - v[:, :, None] * (v * (2.0 / (v * v).sum(axis=1))[:, None])[:, None, :]
    R = np.zeros((C, D, 1), x.dtype)
    R[:, 0, 0] = -np.copysign(length, x[:, 0])
    return frame, R


def _upwards(frame: Array, x: Array) -> Array:
    """Reverse the circles on which the height f.a / x.a falls; x (C, D)."""
    plane = frame[:, :, -2:]
    f = height(frame.shape[1]) @ plane
    e = np.einsum("cd,cdw->cw", x, plane)
    falls = f[:, 1] * e[:, 0] < f[:, 0] * e[:, 1]
    frame = frame.copy()
    frame[falls, :, -1] *= -1.0
    return frame


def _leaving(G: Array) -> Array:
    """Signs of the last coordinate in which x_j does not vanish; G (D-2, C, N) is 0 for x_j that cross the circle."""
    signs = np.where(np.abs(G) > DEGENERATE, np.sign(G), 0.0)
    later = np.zeros(G.shape[1:], dtype=bool)
    for m in reversed(range(len(G))):
        signs[m, later] = 0.0
        later |= signs[m] != 0.0
    return signs


def further_flags(block: Arcs) -> Index:
    """The other orders of those T whose circle is crowded.

    There the hyperplanes around the circle are not in general position, and the order in which one leaves them (the
    flag of faces) decides which cells are met; elsewhere every order meets the same cells.
    """
    T = block.T[block.crowded]
    orders = list(permutations(range(T.shape[1])))[1:]
    return np.concatenate([T[:, order] for order in orders]) if orders else T[:0]
