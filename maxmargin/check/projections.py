"""The projections of many vectors on as many cones at once: `projection.project` for a batch, in floats.

The weights are only a proposal: the caller bounds the length that they give, and settles one by one what is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fields import Array

Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

STEPS = 5  # times D: how often a row may enter or leave
RIDGE = 1e-15  # added to the squared lengths (one) of the active rows: no two equal rows make a singular matrix


def project_together(v: Array, rows: Array, enough: float) -> Array:
    """Weights lambda >= 0, (B, N): ``|v_b + rows_b' lambda_b|`` is at most `enough`, or nearly as small as it can be.

    Parameters
    ----------
    v : (B, D).  rows : (B, N, D) unit rows.
    """
    (B, N, D), norm = rows.shape, np.linalg.norm(v, axis=1)
    weights, active, left = np.zeros((B, N)), np.zeros((B, N), dtype=bool), np.flatnonzero(norm > enough)
    for _ in range(STEPS * D if N else 0):
        r = rows[left]
        residual = v[left] + (weights[left][:, None, :] @ r)[:, 0]
        slopes = np.where(active[left], np.inf, (r @ residual[:, :, None])[:, :, 0])
        entering, at = slopes.argmin(axis=1), np.arange(len(left))
        open_ = np.linalg.norm(residual, axis=1) > enough
        open_ &= (slopes[at, entering] < -1e-14 * norm[left]) & (active[left].sum(axis=1) < D)
        left, entering, r = left[open_], entering[open_], r[open_]
        if not left.size:
            break
        active[left, entering] = True
        inside = np.zeros(len(left), dtype=bool)
        while not inside.all():
            some = np.flatnonzero(~inside)
            weights[left[some]], active[left[some]], inside[some] = _towards(
                weights[left[some]], active[left[some]], r[some], v[left[some]]
            )
    return weights


def _towards(weights: Array, active: Mask, rows: Array, v: Array) -> tuple[Array, Mask, Mask]:
    """A move to the least-squares weights (inside: True), or until the weight of a row is zero, which leaves."""
    target = _least_squares(active, rows, v)
    falling = active & (target <= 0.0)
    inside: Mask = ~np.asarray(falling.any(axis=1))
    ways = np.where(falling, weights / np.maximum(weights - target, 1e-300), np.inf)
    first, at = ways.argmin(axis=1), np.arange(len(v))
    share = np.where(inside, 1.0, ways[at, first])[:, None]
    moved = np.where(inside[:, None], target, weights + share * (target - weights))
    moved[at[~inside], first[~inside]] = 0.0
    active = active.copy()
    active[at[~inside], first[~inside]] = False
    return np.where(active, np.maximum(moved, 0.0), 0.0), active, inside


def _least_squares(active: Mask, rows: Array, v: Array) -> Array:
    """The weights, (B, N), zero where not active, of the smallest ``|v + rows' weights|``; at most D are active."""
    B, D = v.shape
    chosen = np.argsort(~active, axis=1, kind="stable")[:, :D]
    used = np.take_along_axis(active, chosen, axis=1)
    A = np.take_along_axis(rows, chosen[:, :, None], axis=1) * used[:, :, None]
    gram = A @ A.transpose(0, 2, 1)
    gram += np.eye(chosen.shape[1]) * np.where(used, RIDGE, 1.0)[:, None, :]
    found, residual = np.zeros((B, chosen.shape[1])), v
    for _ in range(2):  # the second time for the digits that the Gram matrix loses
        found = found - np.linalg.solve(gram, A @ residual[:, :, None])[:, :, 0]
        residual = v + (found[:, None, :] @ A)[:, 0]
    weights = np.zeros(active.shape)
    np.put_along_axis(weights, chosen, found, axis=1)
    return weights
