"""Critical points of ``r E(a) + l.a`` on the faces that touch a block of arcs, ``E(a) = sum_j h_j |a.x_j|``.

On a face the function is linear, a.v, so that its maximum over the unit vectors of the face is at v/|v| (v projected
on the face's linear span) or on the face's boundary (findings F1.3).  A maximum lies on the hyperplane of x_j only if
``r h_j < 0``: the kink of ``r h_j |a.x_j|`` must be concave.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .circle import Arcs, Array, Index

# Sign tests are relaxed by this much: a point slightly outside its face is a valid candidate all the same.
INSIDE = 1e-9


def vertices(arcs: Arcs, h: Array, ell: Array, best: float, floor: float) -> Array:
    """Directions (K, D) of vertices worth more than `best`, and of local maxima worth more than `floor`.

    Parameters
    ----------
    ell : (D, C) the linear term in each circle's frame.
    """
    D, k = len(arcs.edges), arcs.T.shape[1]
    r = -np.sign(h[arcs.crossing])
    for m in range(k):
        r[h[arcs.T[:, m]][:, None] * r >= 0.0] = 0.0
    e1, e2 = arcs.edges[D - 2], arcs.edges[D - 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        length = np.sqrt(e1 * e1 + e2 * e2)
        cos, sin = e2 / length, -e1 / length
    linear = ell[D - 2][:, None] * cos + ell[D - 1][:, None] * sin
    value = np.abs(linear) + r * (arcs.sums[D - 2] * cos + arcs.sums[D - 1] * sin)
    at = np.flatnonzero((value > floor) & (r != 0.0))
    if not len(at):
        return np.empty((0, D))
    top = value.ravel()[at].argmax()
    keep = (value.ravel()[at] > best) & (np.arange(len(at)) == top)
    keep |= _vertex_is_maximum(arcs, h, ell, at, r, linear)
    at = at[keep]
    circle = at // arcs.crossing.shape[1]
    plane = arcs.frame[circle][:, :, k:]
    return plane[:, :, 0] * cos.ravel()[at, None] + plane[:, :, 1] * sin.ravel()[at, None]


def _vertex_is_maximum(arcs: Arcs, h: Array, ell: Array, at: Index, r: Array, linear: Array) -> NDArray[np.bool_]:
    """KKT at a vertex in general position: v = (v.a) a + sum mu_j x_j with |mu_j| <= |h_j| over its D-1 hyperplanes."""
    D, k, M = len(arcs.edges), arcs.T.shape[1], arcs.crossing.shape[1]
    circle = at // M
    j = arcs.crossing.ravel()[at]
    e = arcs.edges.reshape(D, -1)[:, at]
    v = np.where(linear.ravel()[at] < 0.0, -1.0, 1.0) * ell[:, circle]
    v += r.ravel()[at] * (arcs.sums.reshape(D, -1)[:, at] - h[j] * e)
    mu = (v[k] * e[k] + v[k + 1] * e[k + 1]) / (e[k] ** 2 + e[k + 1] ** 2)
    ok = np.abs(mu) <= np.abs(h[j]) * (1.0 + INSIDE)
    mu_T = _back_substitution(arcs.triangle[circle], v[:k] - mu * e[:k])
    return ok & (np.abs(mu_T) <= np.abs(h[arcs.T[circle]].T) * (1.0 + INSIDE)).all(axis=0)


def _back_substitution(R: Array, b: Array) -> Array:
    """Solutions (k, K) of R_c mu_c = b_c for upper triangular R (K, k, k) and b (k, K)."""
    mu = np.empty_like(b)
    for m in reversed(range(len(b))):
        mu[m] = (b[m] - np.einsum("kj,jk->k", R[:, m, m + 1 :], mu[m + 1 :])) / R[:, m, m]
    return mu


def side_choices(k: int) -> Iterator[tuple[int, ...]]:
    """All t in {-1, 0, 1}^k, most zeros first (the smallest faces give the incumbent that prunes the larger ones)."""
    yield from sorted(product((-1, 0, 1), repeat=k), key=lambda t: sum(map(abs, t)))


def interiors(arcs: Arcs, h: Array, ell: Array, t: tuple[int, ...], best: float, floor: float) -> Iterator[Array]:
    """Directions (K, D) of maximisers inside the faces reached from the arcs on the sides t.

    ``t_m = 0`` stays in hyperplane T_m.  All faces with |v| > best are answered, and the local maxima of the whole
    sphere among those with |v| > floor.
    """
    zeros = [m for m, side in enumerate(t) if side == 0]
    if zeros:
        sign = np.sign(h[arcs.T[:, zeros]])
        concave = np.flatnonzero((sign[:, :1] == sign).all(axis=1) & (sign[:, 0] != 0.0))
        signs_of_E = [(concave, -sign[concave, 0])]
    else:
        every = np.arange(len(arcs.T))
        signs_of_E = [(every, np.ones(len(every))), (every, -np.ones(len(every)))]
    for circles, r in signs_of_E:
        for lam in (1.0, -1.0) if ell.any() else (1.0,):
            if len(circles):
                yield _inside(arcs, h, lam * ell, t, circles, r, best, floor)


def _inside(
    arcs: Arcs, h: Array, ell: Array, t: tuple[int, ...], circles: Index, r: Array, best: float, floor: float
) -> Array:
    """`interiors` for one sign of the linear term and the circles with their signs r of E."""
    D, k, M = len(arcs.edges), len(t), arcs.crossing.shape[1]
    zeros = [m for m in range(k) if t[m] == 0]
    base = ell[:, circles] + r * sum((side * y[:, circles] for side, y in zip(t, arcs.steps, strict=True)), np.zeros(()))
    row = np.repeat(np.arange(len(circles)), M)
    at = circles[row] * M + np.tile(np.arange(M), len(circles))
    sums = arcs.sums.reshape(D, -1)

    basis = np.empty((len(circles), k, 0))
    if zeros:
        basis, inner = np.linalg.qr(arcs.triangle[circles][:, :, zeros])
    sides = [(m, t[m] * np.sign(arcs.triangle[circles, m, m])) for m in range(k) if t[m]]
    if not zeros and k:  # cheapest test first: on the first side only one coordinate of v counts
        first = np.flatnonzero(t[0] * (base[0][row] + r[row] * sums[0][at]) >= 0.0)
        row, at = row[first], at[first]
    v = base[:, row] + r[row] * sums[:, at]
    beta = np.einsum("cdb,dc->bc", basis[row], v[:k])
    a = v
    if zeros:
        a = v.copy()
        a[:k] -= np.einsum("cdb,bc->dc", basis[row], beta)
    length = np.sqrt((a * a).sum(axis=0))
    keep = length > max(floor, 0.0)
    for m, side in sides:
        x = arcs.triangle[circles[row], : m + 1, m].T
        keep &= side[row] * (x * a[: m + 1]).sum(axis=0) >= -INSIDE * length
    keep = np.flatnonzero(keep)
    keep = keep[_between_ends(arcs, at[keep], a[:, keep], length[keep])]
    if zeros and len(keep):
        mu = _back_substitution(inner[row[keep]], beta[:, keep])
        limit = np.abs(h[arcs.T[circles[row[keep]]][:, zeros]].T)
        keep = keep[(length[keep] > best) | (np.abs(mu) <= limit * (1.0 + INSIDE)).all(axis=0)]
    return np.einsum("cij,jc->ci", arcs.frame[circles[row[keep]]], a[:, keep] / length[keep])


def _between_ends(arcs: Arcs, at: Index, a: Array, length: Array) -> NDArray[np.bool_]:
    """Is a on the arc's side of the hyperplane where the arc begins, and of the one where it ends?"""
    D, M = len(arcs.edges), arcs.crossing.shape[1]
    edges = arcs.edges.reshape(D, -1)
    last = at % M == M - 1  # ends at the antipode of the circle's first crossing
    end = np.where(last, at - (M - 1), at + 1)
    slack = -INSIDE * length
    inside = (edges[:, at] * a).sum(axis=0) >= slack
    return inside & (np.where(last, 1.0, -1.0) * (edges[:, end] * a).sum(axis=0) >= slack)
