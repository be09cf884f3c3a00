"""Shared by the local oracles: the starts, and the choice of maximisers to return."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ...clock import FOREVER
from ...conventions import Array
from ...errors import InputError
from ...features.homogeneous import Feature
from ..oracle import Responses

_DISTINCT = 1e-9  # unit vectors whose coordinates all differ by less are one neuron
_POOL = 4096
_WORK, _FEWEST = 6e6, 8  # starts of each kind times entries of Z; at least so many starts


class LocalOracle(ABC):
    """Best responses by local ascent from many starts; proves nothing (bound inf, scope None).

    Starts are, for each output sign: the best of all neurons answered before (`pool`: warm), the two class
    means, weighted, and random directions.  If nothing beats the pool, the ascent is repeated with more
    random starts, `sweeps` times.

    Parameters
    ----------
    Z : (n, D) inputs.  feature : of the degree that the subclass handles.
    seed : of the random starts; the same calls give the same answers.
    starts : (K, D) directions to try, e.g. the neurons of a trained network (normalised here).
    random : random starts per sign and call.  warm : best pool neurons per sign and call.
    sweeps : further attempts with 4 times more random starts each, when nothing better than the pool was found.

    Raises
    ------
    InputError : feature of another degree, or starts of another dimension.
    """

    degree: int

    def __init__(
        self,
        Z: Array,
        feature: Feature,
        *,
        seed: int | np.random.Generator = 0,
        starts: Array | None = None,
        random: int = 64,
        warm: int = 64,
        sweeps: int = 2,
    ) -> None:
        if feature.degree != self.degree:
            found = f"{feature.name!r} of degree {feature.degree}"
            raise InputError(f"feature: found {found}, {type(self).__name__} wants degree {self.degree}")
        self.Z, self.feature = Z, feature
        self.rng = np.random.default_rng(seed)
        # One start costs a few hundred products with all points.
        most = max(_FEWEST, int(_WORK // max(1, Z.size)))
        self.random, self.warm, self.sweeps = min(random, most), min(warm, most), sweeps
        self.clock = FOREVER  # when it expires the ascent ends where it is
        starts = np.empty((0, Z.shape[1])) if starts is None else np.atleast_2d(starts)
        if starts.shape[1] != Z.shape[1]:
            raise InputError(f"starts: found dimension {starts.shape[1]}, wanted {Z.shape[1]}, the dimension of z")
        self.pool = unit(starts)

    @abstractmethod
    def ascend(self, base: Array, c: Array, Z: Array, starts: Array, keep: int) -> tuple[Array, Array]:
        """Local maxima of the canonical g from unit rows `starts`; the best `keep`: (directions, values)."""

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Up to `count` distinct local maximisers over both signs, best first, for q (n,)."""
        support = np.flatnonzero((q != 0.0) & self.Z.any(axis=1))
        Z, q = self.Z[support], q[support]
        payoffs = self.feature.evaluate(self.pool, Z) @ q
        known = np.abs(payoffs).max(initial=0.0)
        directions, signs, values = self._search(Z, q, payoffs, self.random, count)
        for sweep in range(1, self.sweeps + 1):
            if values[0] > known * (1.0 + 1e-9) or self.clock.expired:
                break
            found = self._search(Z, q, payoffs, self.random * 4**sweep, count)
            parts = zip((directions, signs, values), found, strict=True)
            directions, signs, values = (np.concatenate(part) for part in parts)
            order = np.argsort(-values, kind="stable")
            directions, signs, values = directions[order], signs[order], values[order]
        chosen = _distinct(directions, signs, count)
        self.pool = np.vstack([directions[chosen], self.pool])[:_POOL]
        return Responses(directions[chosen], signs[chosen], values[chosen], np.inf, None)

    def _search(self, Z: Array, q: Array, payoffs: Array, random: int, count: int) -> tuple[Array, Array, Array]:
        """Ascend for both signs; merged, best first, with payoffs evaluated by the feature itself."""
        base, c = self.feature.canonical(Z, q)
        fixed = unit(np.vstack([q @ Z, -(q @ Z)]))
        found, signs = [], []
        for s in (1.0, -1.0):
            best = np.argsort(-s * payoffs, kind="stable")[: self.warm]
            fresh = unit(self.rng.standard_normal((random, Z.shape[1])))
            maximisers, _ = self.ascend(s * base, s * c, Z, np.vstack([self.pool[best], fixed, fresh]), 3 * count)
            found.append(maximisers)
            signs.append(np.full(len(maximisers), s))
        directions, sign = np.vstack(found), np.concatenate(signs)
        values = sign * (self.feature.evaluate(directions, Z) @ q)
        order = np.argsort(-values, kind="stable")
        return directions[order], sign[order], values[order]


def unit(A: Array) -> Array:
    """Rows divided by their norms; zero rows left out."""
    norms = np.linalg.norm(A, axis=1)
    return A[norms > 0.0] / norms[norms > 0.0, None]


def _distinct(directions: Array, signs: Array, count: int) -> Array:
    """Indices of the first `count` rows that differ from all chosen before them."""
    chosen: list[int] = []
    for k, (direction, sign) in enumerate(zip(directions, signs, strict=True)):
        near = np.abs(directions[chosen] - direction).max(axis=1, initial=0.0) < _DISTINCT
        if not (near & (signs[chosen] == sign)).any():
            chosen.append(k)
            if len(chosen) == count:
                break
    return np.array(chosen, dtype=np.intp)
