"""The F1 game: the learner picks a measure of total variation <= 1 over neurons, the adversary the weights.

    gamma_1 = max_nu min_i y_i int sigma(a.z_i) dnu(a) = min_p max_{s, a} s sum_i p_i y_i sigma(a.z_i)   (Prop. 12)

Over the whole sphere (`VariationGame`) or over finitely many given directions (`DictionaryGame`).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .. import rounding
from ..conventions import Array, Indices, variation_factor
from ..features.homogeneous import Feature
from ..oracles.oracle import DICTIONARY, Oracle, Responses
from ..oracles.proofs import proved_bound
from ..outcome import Scope
from .exact import exact_lower
from .game import ZERO, Game, Response
from .measure import Measure
from .opposed_points import vanishes

_SHARP = 1e-12  # relative width of the margins' rounding error above which they are evaluated without rounding
_EXACT_WORK = 4_000_000  # products of integers: about half a second, for margins that an extended sum loses
_EXTENDED_WORK = 50_000_000  # products in extended precision: about half a second
_BLOCK_ENTRIES = 1 << 17  # pre-activations computed at once: a block should stay in the cache


@dataclass(frozen=True)
class _Variation(Game):
    """Shared by both F1 games: the norm of a measure, and its proved lower bound.

    Attributes
    ----------
    feature : the activation.  convention : unit of the margin, "sphere" or "path".
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.
    """

    Z: Array
    y: Array
    feature: Feature
    convention: str = "sphere"

    @property
    def factor(self) -> float:
        """Units of the margin: 1/2 for ReLU in the sphere convention (Prop. 9)."""
        return variation_factor(self.feature.degree, self.convention)

    def margins(self, measure: Measure) -> Array:
        """y_i f(x_i) in this convention, shape (n,)."""
        return self.factor * self.y * measure.outputs(self.Z, self.feature)

    def norm(self, measure: Measure) -> float:
        """Total variation over unit directions."""
        return measure.total_variation(self.feature.degree)

    def negligible(self, p: Array) -> float:
        """Payoffs that are zero up to rounding: a tiny multiple of sum_i p_i |z_i|^k, a bound on all payoffs."""
        return float(ZERO * self.factor * (p @ np.linalg.norm(self.Z, axis=1) ** self.feature.degree))

    def lower(self, measure: Measure) -> float:
        """min_i y_i f(x_i) / norm(f), rounded down; 0 when the measure separates nothing."""
        norm = self.norm(measure)
        if norm <= 0.0 or not np.isfinite(norm):
            return 0.0
        # the norm is a sum of K terms |w_k| |a_k|^degree, each with the D squares and the root of |a_k|
        terms = len(measure) + self.feature.degree * self.Z.shape[1]
        near, value = np.arange(len(self.y)), 0.0
        # Points and neurons that cancel leave little of a small margin: then more digits for those that may be least.
        for kind in (float, np.longdouble):
            margins, errors = self._margins(measure, near, kind)
            most: Any = (margins + errors).min()  # not rounded: `near` is decided by it
            least = float((margins - errors).min())
            value = max(value, rounding.below(least / norm, rounding.dot_error(abs(least) / norm, terms)))
            near = near[margins - errors <= most]  # one of these has the least margin
            work = len(measure) * self.Z[near].size
            # overflow leaves a NaN, for which no comparison holds
            if not (most - least > _SHARP * abs(least) and most > 0.0 and work <= _EXTENDED_WORK):
                return max(0.0, value)
        if work <= _EXACT_WORK:
            value = max(value, self.factor * exact_lower(self.Z[near], self.y[near], self.feature, measure))
        return max(0.0, value)

    def _margins(self, measure: Measure, points: Indices, kind: Any) -> tuple[Any, Any]:
        """`margins` of some points in floats of this kind, and their errors."""
        if kind is float:
            return self.margins(measure), self.margin_errors(measure)
        part = replace(self, Z=self.Z[points], y=self.y[points])
        directions: Any = measure.directions.astype(kind)
        features = [self.feature(directions @ block.T.astype(kind)) for block in measure.blocks(part.Z)]
        outputs = np.concatenate([measure.weights.astype(kind) @ block for block in features])
        finer = rounding.roundoff(kind) / rounding.UNIT_ROUNDOFF
        return kind(self.factor) * part.y * outputs, (1.0 + _SHARP) * finer * part.margin_errors(measure)

    def norm_above(self, measure: Measure) -> float:
        """`norm`, rounded up."""
        K, D = measure.directions.shape
        return self.norm(measure) * (1.0 + rounding.relative_error(K + self.feature.degree * D + 8))

    @property
    def radius(self) -> float:
        """The most that an f of the unit ball reaches on a point: factor max(|right|, |left|) max_i |z_i|^degree."""
        largest = float(np.linalg.norm(self.Z, axis=1).max()) ** self.feature.degree
        return self.factor * max(abs(self.feature.right), abs(self.feature.left)) * largest

    @abstractmethod
    def responses(self, p: Array, count: int = 15) -> Responses:
        """Neurons with the largest payoffs against p, in path units."""

    def best_response(self, p: Array) -> Response:
        """The neuron with the largest payoff, and the oracle's bound per unit of mass (inf: nothing is proved)."""
        found = self.responses(p, 1)
        learner, value = Measure(found.directions[:1], found.signs[:1]), self.factor * float(found.values[0])
        bound = _per_mass(self.factor * found.bound, p)
        return Response(learner, value, bound, found.scope or Scope.SPHERE_BOUND, found.proof)

    def margin_errors(self, measure: Measure) -> Array:
        """Rigorous rounding error of each entry of `margins`."""
        feature, (K, D) = self.feature, measure.directions.shape
        magnitude = self.factor * max(abs(feature.right), abs(feature.left)) * measure.magnitudes(self.Z, feature)
        return rounding.relative_error(2 * (K + feature.degree * D) + 8) * magnitude


@dataclass(frozen=True)
class VariationGame(_Variation):
    """F1 over all neurons of the sphere; `oracle` gives best responses, each with its proved bound."""

    oracle: Oracle = field(kw_only=True)

    def responses(self, p: Array, count: int = 15) -> Responses:
        return self.oracle(p * self.y, count)

    def negligible(self, p: Array) -> float:
        """As over a dictionary; but negative, so that no payoff counts, when the points of p cannot cancel."""
        return super().negligible(p) if vanishes(self.Z, self.y, self.feature, p) else -1.0

    def response_from(self, proof: dict[str, Any], p: Array) -> Response:
        """The bound that stored dual multipliers establish, recomputed."""
        bound = proved_bound(self.Z, self.y, self.feature, p, proof)
        return Response(None, 0.0, _per_mass(self.factor * bound, p), Scope.SPHERE_BOUND, proof)


def equal_pair(Z: Array, y: Array) -> Array | None:
    """Half the weight on each of the first two equal rows of Z with opposite labels, (n,); None without any."""
    # equal rows have equal combinations, if each is summed in the same order: only those with a twin are compared
    weights: Array = np.random.default_rng(0).random((Z.shape[1],))
    mixed = np.zeros(len(Z))
    for k, weight in enumerate(weights):
        mixed += weight * Z[:, k]
    _, value, counts = np.unique(mixed, return_inverse=True, return_counts=True)
    twins = np.flatnonzero(counts[value] > 1)
    group = np.unique(Z[twins], axis=0, return_inverse=True)[1].ravel()  # NumPy 2.0 keeps an axis
    both = np.intersect1d(group[y[twins] > 0], group[y[twins] < 0])
    if not len(both):
        return None
    p = np.zeros(len(y))
    for label in (-1.0, 1.0):
        p[twins[(group == both[0]) & (y[twins] == label)][0]] = 0.5
    return p


class DictionaryOracle:
    """Best responses among given directions (K, D), unit ones up to rounding; its bound is the largest payoff found.

    The matrix of all features is never stored: p is a vertex with few support points, so that evaluating the
    neurons there, block by block in the cache, costs about as much as reading the stored features of all points.
    """

    def __init__(self, Z: Array, feature: Feature, directions: Array) -> None:
        self.Z, self.feature, self.directions = Z, feature, directions
        self._lengths = np.linalg.norm(directions, axis=1) ** feature.degree

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """The best `count` of the directions."""
        payoffs = self.payoffs(q) / self._lengths
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


@dataclass(frozen=True)
class DictionaryGame(_Variation):
    """F1 over finitely many directions (K, D), scope "dictionary": no statement about other neurons."""

    directions: Array = field(kw_only=True)

    def responses(self, p: Array, count: int = 15) -> Responses:
        """The best `count` directions of the dictionary; the bound covers the dictionary only."""
        found = DictionaryOracle(self.Z, self.feature, self.directions)(p * self.y, count)
        return replace(found, bound=found.bound + self._payoff_error(p))

    def _payoff_error(self, p: Array) -> float:
        n, D = self.Z.shape
        degree, feature = self.feature.degree, self.feature
        # sum_d |a_d z_d| <= |a| |z| (Cauchy and Schwarz), and |a| = 1 after the division
        magnitude = max(abs(feature.right), abs(feature.left)) * (p @ np.linalg.norm(self.Z, axis=1) ** degree)
        return rounding.relative_error(4 * (n + degree * D) + 16) * float(magnitude)


def _per_mass(bound: float, p: Array) -> float:
    """Payoff per unit of adversary mass, rounded up: p may sum to one only up to rounding. A proved 0 stays 0."""
    total = float(p.sum())
    return rounding.above(bound / total, rounding.dot_error(abs(bound) / total, len(p)))
