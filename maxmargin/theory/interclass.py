"""Interclass distances: how far apart the classes stay in the best r-dimensional view (Eq. 10).

    Delta_r = max over rank-r orthogonal projections P of  min { |P(x_i - x_j)| : y_i != y_j }

Another zero-sum game: P against weights p on the pairs.  Any P proves a lower end, and any p an upper one,

    Delta_r^2 <= max_P sum_k p_k |P delta_k|^2 = sum of the r largest eigenvalues of sum_k p_k delta_k delta_k'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..conventions import Array
from ..errors import InputError


@dataclass(frozen=True, eq=False)
class Interclass:
    """lower <= Delta_r <= upper; `basis` (r, d), orthonormal rows, attains `lower`."""

    lower: float
    upper: float
    basis: Array


def interclass_distance(
    X: Array, y: Array, r: int, *, starts: int = 30, steps: int = 300, seed: int | np.random.Generator = 0
) -> Interclass:
    """Bracket Delta_r of the points X (n, d), labels y (n,).

    Exact (lower = upper) for r >= d, and for r = 1 in the plane, where the maximiser is either along a difference or
    makes two differences equally long: all these candidates are tried.  Else ascent on the soft minimum from `starts`
    random views, annealed, and multiplicative weights against it for the upper end.

    Raises
    ------
    InputError : r < 1, or a single class.
    """
    if r < 1:
        raise InputError(f"r: found {r!r}, wanted a rank of at least 1")
    deltas = (X[y > 0][:, None, :] - X[y < 0][None, :, :]).reshape(-1, X.shape[1])
    if not len(deltas):
        raise InputError("y: found a single class, wanted both")
    d = X.shape[1]
    if r >= d:
        closest = float(np.linalg.norm(deltas, axis=1).min())
        return Interclass(closest, closest, np.eye(d))
    if r == 1 and d == 2:
        return _in_the_plane(deltas)
    rng = np.random.default_rng(seed)
    upper, basis = _weights(deltas, r, steps)
    views = [basis, *(np.linalg.qr(rng.standard_normal((d, r)))[0].T for _ in range(starts))]
    best = max((_ascend(deltas, view, steps) for view in views), key=lambda view: _shortest(deltas, view))
    return Interclass(_shortest(deltas, best), upper, best)


def _shortest(deltas: Array, basis: Array) -> float:
    return float(np.linalg.norm(deltas @ basis.T, axis=1).min())


def _in_the_plane(deltas: Array) -> Interclass:
    """|v.delta_j| = |v.delta_k| means that v is orthogonal to delta_j - delta_k or delta_j + delta_k."""
    deltas = np.unique(deltas, axis=0)
    if not deltas.any(axis=1).all():
        return Interclass(0.0, 0.0, np.array([[1.0, 0.0]]))
    j, k = np.triu_indices(len(deltas), 1)
    normal = np.vstack([deltas[j] - deltas[k], deltas[j] + deltas[k]])
    normal = normal[normal.any(axis=1)]
    views = np.vstack([deltas, normal[:, ::-1] * [-1.0, 1.0]])
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    shortest = np.full(len(views), np.inf)
    for delta in deltas:
        np.minimum(shortest, np.abs(views @ delta), out=shortest)
    best = int(np.argmax(shortest))
    return Interclass(float(shortest[best]), float(shortest[best]), views[best : best + 1])


def _weights(deltas: Array, r: int, steps: int) -> tuple[float, Array]:
    """Multiplicative weights on the pairs: the least upper end seen, and the view that answers the mean weights."""
    log_p, mean = np.zeros(len(deltas)), np.zeros((deltas.shape[1], deltas.shape[1]))
    squares = np.einsum("kd,kd->k", deltas, deltas)
    upper = float(squares.min())
    for t in range(1, steps + 1):
        p = np.exp(log_p - log_p.max())
        p /= p.sum()
        moment = (deltas.T * p) @ deltas
        mean += (moment - mean) / t
        for matrix in (moment, mean):
            values, vectors = np.linalg.eigh(matrix)
            upper = min(upper, float(values[-r:].sum()))
        view = np.linalg.eigh(moment)[1][:, -r:].T
        lengths = np.einsum("kr,kr->k", deltas @ view.T, deltas @ view.T)
        log_p -= lengths / (upper * np.sqrt(t) + 1e-300)
    return float(np.sqrt(max(upper, 0.0)) * (1.0 + 1e-12)), vectors[:, -r:].T


def _ascend(deltas: Array, basis: Array, steps: int) -> Array:
    """Gradient of the soft minimum of |P delta|^2, tangent to the views, at rising inverse temperature."""
    best, value = basis, _shortest(deltas, basis)
    scale = float(np.einsum("kd,kd->k", deltas, deltas).min()) + 1e-300
    for t in range(steps):
        seen = deltas @ basis.T
        lengths = np.einsum("kr,kr->k", seen, seen)
        p = np.exp(-(lengths - lengths.min()) * (10.0 * 1.03**t) / scale)
        gradient = (seen.T * (p / p.sum())) @ deltas
        gradient -= (gradient @ basis.T) @ basis
        length = np.linalg.norm(gradient)
        if not length > 0:
            break
        basis = np.linalg.qr((basis + 0.3 * 0.97**t * gradient / length).T)[0].T
        now = _shortest(deltas, basis)
        if now > value:
            best, value = basis, now
    return best
