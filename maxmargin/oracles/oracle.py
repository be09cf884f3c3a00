"""The answer of an oracle to an adversary: neurons, payoffs, a proved bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..conventions import Array
from ..outcome import Scope

SPHERE_EXACT, SPHERE_BOUND, DICTIONARY = Scope.SPHERE_EXACT, Scope.SPHERE_BOUND, Scope.DICTIONARY


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
