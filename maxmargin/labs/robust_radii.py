"""Exact distances from points to the decision border of a small ReLU net, and an attack by gradients to compare.

With positive neurons u_r and negative ones v_r the wrong side is {f <= 0} = union over S- of the convex sets
{sum_r (u_r)_+ <= sum_{S-} v_r}, hence the distance of a point is at least

    min_{S-} max_{S+} [sum_{S+} u_r(x) - sum_{S-} v_r(x)]_+ / |sum_{S+} w_r - sum_{S-} w_r|,

and a walk along the winning normal proves an upper end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ..conventions import Indices, Mask
from .bench import Array


@dataclass(frozen=True)
class Net:
    """f(x) = sum over the first half of (w_r.x + b_r)_+ minus sum over the second half, up to a factor."""

    W: Array
    b: Array

    @property
    def signs(self) -> Array:
        """+1 for the first half of the neurons, -1 for the second."""
        return np.repeat([1.0, -1.0], len(self.W) // 2)

    def values(self, U: Array) -> Array:
        """f from pre-activations (..., m)."""
        return np.maximum(U, 0.0) @ self.signs

    def mirrored(self) -> Net:
        """-f."""
        order = np.roll(np.arange(len(self.W)), len(self.W) // 2)
        return Net(self.W[order], self.b[order])

    def distances(self, X: Array) -> Array:
        """Proved bracket of the distance from each point to {f <= 0}, (2, n); 0 where f <= 0 already."""
        h, U, G = len(self.W) // 2, X @ self.W.T + self.b, self.W @ self.W.T
        S = np.array(list(product((0.0, 1.0), repeat=h)))  # all subsets of either half
        plus, minus = (((S @ gram) * S).sum(axis=1) for gram in (G[:h, :h], G[h:, h:]))
        lengths = np.sqrt(np.maximum(plus[:, None] + minus - 2.0 * S @ G[:h, h:] @ S.T, 0.0))
        lengths[0, 0] = np.inf  # both empty: no half space
        lower, upper = ends = np.zeros((2, len(X)))
        for i in np.flatnonzero(self.values(U) > 0):
            far = np.maximum((S @ U[i, :h])[:, None] - S @ U[i, h:], 0.0) / lengths
            best = far.argmax(axis=0)
            worst = int(far.max(axis=0).argmin())
            lower[i] = far[best[worst], worst]
            normal = np.concatenate([S[best[worst]], -S[worst]]) @ self.W / lengths[best[worst], worst]
            upper[i] = self._walk(U[i], self.W @ normal, lower[i])
        return ends

    def _walk(self, U: Array, slope: Array, reach: float) -> float:
        """A step t with f(x - t normal) <= 0, as near to `reach` as bisection comes; inf if none is found."""
        tried = reach * np.array([0.0, 1.0 + 1e-12, 1.0 + 1e-9, *np.geomspace(1.05, 4.0, 28)])
        wrong = self.values(U - tried[:, None] * slope) <= 0.0
        if not wrong.any():
            return np.inf
        inside, outside = tried[wrong.argmax() - 1], tried[wrong.argmax()]
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if self.values(U - middle * slope) <= 0.0 else (middle, outside)
        return float(outside)

    def attacked(self, X: Array, eps: float) -> Mask:
        """Whether 40 normalised gradient steps of 2.5 eps / 40 inside the ball of radius eps leave f > 0."""
        Q, R = np.linalg.qr(self.W.T)  # the gradient lies in the span of the weights
        start = X @ Q
        moved, robust = start.copy(), np.ones(len(X), dtype=bool)
        for _ in range(40):
            G = ((moved @ R + self.b > 0) * self.signs) @ R.T
            moved = moved - 2.5 * eps / 40 * G / np.maximum(np.linalg.norm(G, axis=1, keepdims=True), 1e-12)
            away = moved - start
            moved = start + away * np.minimum(1.0, eps / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12))
            robust &= self.values(moved @ R + self.b) > 0
        return robust


def by_label(net: Net, X: Array, j: Indices, measure: Callable[[Net, Array], Any]) -> Array:
    """`measure(side, points)` of the points of one label, then of the other, with the net that is positive there."""
    positive = j < len(net.W) // 2
    return np.concatenate([measure(net, X[positive]), measure(net.mirrored(), X[~positive])], axis=-1)
