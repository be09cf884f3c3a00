"""The answer of an oracle to an adversary: neurons, payoffs, a proved bound; and the simplest oracle, a finite list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature
from ..outcome import Scope

Array = NDArray[np.float64]

SPHERE_EXACT, SPHERE_BOUND, DICTIONARY = Scope.SPHERE_EXACT, Scope.SPHERE_BOUND, Scope.DICTIONARY

# Pre-activations computed at once: a block should stay in the cache.
_BLOCK_ENTRIES = 1 << 17


@dataclass(frozen=True)
class Responses:
    """Best responses to q: maximisers of ``s g(a)`` over signs s and unit a, ``g(a) = sum_i q_i sigma(a.z_i)``.

    Path convention: unit input weights, output weight +-1, no factor 1/2.

    Attributes
    ----------
    directions : (K, D) unit rows, distinct, best first.
    signs : (K,) output signs s_k.
    values : (K,) payoffs ``s_k g(a_k)``, decreasing; evaluated, hence estimates up to rounding.
    bound : proved ``s g(a) <= bound`` for every sign and unit a (rounding included); inf if nothing is proved.
    scope : "sphere-exact" (the bound is a global maximum), "sphere-bound" (it need not be attained) or None.
    proof : what a checker needs besides p, JSON-able; None when enumeration is the proof.
    """

    directions: Array
    signs: Array
    values: Array
    bound: float
    scope: Scope | None
    proof: dict[str, Any] | None = None


class Oracle(Protocol):
    """Built once for (Z, feature), called with q = p * y (n,) many times."""

    def __call__(self, q: Array, count: int = 15) -> Responses: ...


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
