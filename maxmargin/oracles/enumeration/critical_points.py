"""Critical points of ``r E(a) + l.a`` on the faces that touch a block of arcs, ``E(a) = sum_j h_j |a.x_j|``, r = +-1.

On a face the function is linear, a.v, so that its maximum over the unit vectors of the face is at v/|v| (v projected
on the face's linear span) or on the face's boundary.  A maximum lies on the hyperplane of x_j only if
``r h_j < 0``: the kink of ``r h_j |a.x_j|`` must be concave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .faces import Faces
from .great_circles import Arcs, Array, Index, Mask, cumulate, steps
from .pool import Candidates

# Sign tests are relaxed by this much: a point slightly outside its face is a valid candidate all the same.
INSIDE = 1e-9


class Reach(Protocol):
    """The best value so far, and the value below which candidates are dropped."""

    top: float
    floor: float


@dataclass(frozen=True)
class Forms:
    """The linear forms of a block, in frame coordinates: on an arc ``E(a) = a.sums``, ``l.a = a.ell``.

    Attributes
    ----------
    h : (N,).  ell : (D, C).  sums : (D, C, M).
    steps : (D-2, D, C) leaving the circle to side t_m of x_{T_m} adds ``t_m steps_m`` to the sum.
    """

    block: Arcs
    h: Array
    ell: Array
    sums: Array
    steps: Array


def linear_forms(block: Arcs, X: Array, h: Array, ell: Array) -> Forms:
    """Active sums on the arcs and around them; X (N, D), ell (D,)."""
    rotated = np.einsum("mcd,cdj->mjc", steps(block, h[:, None] * X), block.frame)
    in_frame = np.einsum("d,cdj->jc", ell, block.frame)
    return Forms(block, h, in_frame, cumulate(h[block.crossing] * block.edges), rotated)


def vertices(forms: Forms, pool: Reach) -> Iterator[Candidates]:
    """The best vertices with values above `top`, and local maxima with values above `floor`."""
    block, sums, D = forms.block, forms.sums, len(forms.ell)
    k, M = block.T.shape[1], block.crossing.shape[1]
    r = -np.sign(forms.h[block.crossing]) * np.abs(block.orientation)
    for m in range(k):
        r[forms.h[block.T[:, m]][:, None] * r >= 0.0] = 0.0
    r[block.crossing < block.T.max(axis=1, initial=-1)[:, None]] = 0.0  # seen from another circle
    at = np.flatnonzero(r)
    circle, r = at // M, r.take(at)
    e = block.edges.reshape(D, -1)[k:].take(at, axis=1)
    w = np.stack([e[1], -e[0]]) / np.hypot(*e)  # the vertex is where the edge vanishes
    even = r * _dot(sums.reshape(D, -1)[k:].take(at, axis=1), w)
    linear = _dot(forms.ell[k:].take(circle, axis=1), w)
    toward = np.where(linear < 0.0, -1.0, 1.0)
    for lam in (toward, -toward) if linear.any() else (toward,):
        value = even + lam * linear
        keep = np.flatnonzero(value > min(pool.floor, pool.top))
        local = _vertex_is_maximum(forms, at[keep], r[keep], lam[keep]) & (value[keep] > pool.floor)
        best = value[keep].max(initial=-np.inf) - 1e-9 * abs(pool.top)
        useful = local | ((value[keep] > pool.top) & (value[keep] >= best))  # `best` may be the value of one itself
        keep, local = keep[useful], local[useful]
        A = np.einsum("cij,jc->ci", block.frame[circle[keep]][:, :, k:], w.take(keep, axis=1))
        yield Candidates(A, r[keep], value[keep], local)


def _vertex_is_maximum(forms: Forms, at: Index, r: Array, lam: Array) -> Mask:
    """KKT of ``r E + lam l.a`` at a vertex in general position.

    ``v = (v.a) a + sum mu_j x_j`` with |mu_j| <= |h_j| over the D-1 hyperplanes, v without their terms.
    """
    block, h = forms.block, forms.h
    D, k = len(forms.ell), block.T.shape[1]
    circle = at // block.crossing.shape[1]
    h_j = h[block.crossing.take(at)]
    e = block.edges.reshape(D, -1).take(at, axis=1)
    v = lam * forms.ell.take(circle, axis=1) + r * (forms.sums.reshape(D, -1).take(at, axis=1) - h_j * e)
    mu = _dot(v[k:], e[k:]) / _dot(e[k:], e[k:])
    ok = np.abs(mu) <= np.abs(h_j) * (1.0 + INSIDE)
    mu_T = _back_substitution(block.triangle[circle], v[:k] - mu * e[:k])
    return ok & (np.abs(mu_T) <= np.abs(h[block.T[circle]].T) * (1.0 + INSIDE)).all(axis=0)


def _back_substitution(R: Array, b: Array) -> Array:
    """Solutions (k, K) of R_c mu_c = b_c for upper triangular R (K, k, k) and b (k, K)."""
    mu = np.empty_like(b)
    for m in reversed(range(len(b))):
        mu[m] = (b[m] - np.einsum("kj,jk->k", R[:, m, m + 1 :], mu[m + 1 :])) / R[:, m, m]
    return mu


def interiors(forms: Forms, visit: Faces, pool: Reach) -> Iterator[Candidates]:
    """Maximisers inside the faces: all with value > top, and the local maxima on the sphere with value > floor."""
    block, D = forms.block, len(forms.ell)
    zeros = list(visit.zeros)
    signs: tuple[Array | float, ...] = (1.0, -1.0)
    if zeros:
        sign = np.sign(forms.h[block.T[:, zeros]])
        concave = (sign[:, :1] == sign).all(axis=1) & (sign[:, 0] != 0.0)
        visit = _restrict(visit, np.flatnonzero(concave[visit.circle]))
        signs = (-sign[visit.circle, 0],)
    if not len(visit.at):
        return
    even = forms.sums.reshape(D, -1).take(visit.at, axis=1)
    for m in range(len(forms.steps)):
        if m not in visit.zeros:
            even += visit.sides[m] * forms.steps[m].take(visit.circle, axis=1)
    linear = forms.ell.take(visit.circle, axis=1)
    for r in signs:
        for lam in (1.0, -1.0) if linear.any() else (1.0,):
            yield _inside(forms, visit, lam * linear + r * even, r, pool)


def _restrict(visit: Faces, keep: Index) -> Faces:
    return Faces(visit.zeros, visit.at[keep], visit.circle[keep], visit.sides[:, keep])


def _inside(forms: Forms, visit: Faces, v: Array, r: Array | float, pool: Reach) -> Candidates:
    """Those faces that contain the unit vector along v (projected on the face's span)."""
    block, k = forms.block, forms.block.T.shape[1]
    zeros = list(visit.zeros)
    beta, inner, basis = None, None, None
    a = v
    if zeros:
        inner = block.triangle[:, :, zeros]
        basis, inner = (np.ones_like(inner), inner) if k == 1 else np.linalg.qr(inner)
        basis = basis.transpose(1, 2, 0).take(visit.circle, axis=2)
        beta = np.einsum("dbc,dc->bc", basis, v[:k])
        a = _projected(v, basis, beta)
    length = np.sqrt(_dot(a, a))
    keep = np.flatnonzero(length > max(min(pool.floor, pool.top), 0.0))
    a, length = a[:, keep] / length[keep], length[keep]
    if basis is not None:
        # v may be 1e8 times as long as its projection: what the subtraction left across the kinks would be first order
        basis = basis[:, :, keep]
        a = _projected(a, basis, np.einsum("dbc,dc->bc", basis, a[:k]))
        a /= np.sqrt(_dot(a, a))
    within = between_ends(block, visit.at[keep], a, np.full(len(keep), INSIDE))
    for m in range(k):
        if m not in visit.zeros:
            x = block.triangle[:, : m + 1, m].T.take(visit.circle[keep], axis=1)
            within &= visit.sides[m].take(keep) * _dot(x, a[: m + 1]) >= -INSIDE
    local = length > pool.floor
    if beta is not None and inner is not None:
        mu = _back_substitution(inner[visit.circle[keep]], beta[:, keep])
        limit = np.abs(forms.h[block.T[visit.circle[keep]][:, zeros]].T)
        local &= (np.abs(mu) <= limit * (1.0 + INSIDE)).all(axis=0)
    useful = np.flatnonzero(within & (local | (length > pool.top)))
    A = np.einsum("cij,jc->ci", block.frame[visit.circle[keep[useful]]], a[:, useful])
    signs = np.broadcast_to(r, visit.at.shape)[keep[useful]]
    return Candidates(A, signs, length[useful], local[useful])


def _projected(v: Array, basis: Array, along: Array) -> Array:
    """v (D, K) without its parts `along` (b, K) the orthonormal `basis` (k, b, K) of the first k coordinates."""
    a = v.copy()
    a[: len(basis)] -= np.einsum("dbc,bc->dc", basis, along)
    return a


def between_ends(block: Arcs, at: Index, a: Array, slack: Array) -> Mask:
    """Is a (D, K), in frame coordinates, on the right side of the hyperplanes where the arc begins and ends?"""
    D, M = len(block.edges), block.crossing.shape[1]
    edges = block.edges.reshape(D, -1)
    inside = _dot(edges.take(at, axis=1), a) >= -slack
    check = np.flatnonzero(inside)
    at = at[check]
    last = at % M == M - 1  # ends at the antipode of the circle's first crossing
    end = edges.take(np.where(last, at - (M - 1), at + 1), axis=1)
    inside[check] = np.where(last, 1.0, -1.0) * _dot(end, a.take(check, axis=1)) >= -slack[check]
    return inside


def _dot(a: Array, b: Array) -> Array:
    """sum over the coordinates (first axis)."""
    return np.einsum("dk,dk->k", a, b)
