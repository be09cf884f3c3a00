"""Best responses among finitely many given neurons: look at every one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature
from ..outcome import Scope
from .oracle import Responses

Array = NDArray[np.float64]

DICTIONARY = Scope.DICTIONARY

# Pre-activations computed at once: a block should stay in the cache.
_BLOCK_ENTRIES = 1 << 17


class DictionaryOracle:
    """Best responses among given unit directions (K, D).

    The matrix of all features is never stored: p is a vertex with few support points, so that evaluating the
    neurons there, block by block in the cache, costs about as much as reading the stored features of all points.
    """

    def __init__(self, Z: Array, feature: Feature, directions: Array) -> None:
        self.Z, self.feature, self.directions = Z, feature, directions

    def __call__(self, q: Array, count: int = 15) -> Responses:
        payoffs = self.payoffs(q)
        sizes = np.abs(payoffs)
        count = min(count, len(sizes))
        best = np.argpartition(-sizes, count - 1)[:count]
        best = best[np.argsort(-sizes[best], kind="stable")]
        signs = np.where(payoffs[best] < 0, -1.0, 1.0)
        return Responses(self.directions[best], signs, sizes[best], float(sizes[best[0]]), DICTIONARY)

    def payoffs(self, q: Array) -> Array:
        """sum_i q_i sigma(a_k . z_i) for every direction, shape (K,)."""
        support = np.flatnonzero(q)
        Z, q = self.Z[support], q[support]
        step = max(1, _BLOCK_ENTRIES // max(1, len(support)))
        out = np.empty(len(self.directions))
        for k in range(0, len(out), step):
            out[k : k + step] = self.feature.evaluate(self.directions[k : k + step], Z) @ q
        return out
