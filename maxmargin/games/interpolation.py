"""Minimum-norm interpolation: the smallest norm of a function with |f(x_i) - t_i| <= tube, enclosed from both sides.

    N = min { norm(f) : |f(x_i) - t_i| <= E } = max { p.t - E |p|_1 : sum_i p_i f(x_i) <= 1 on the unit ball }

Any weights p of any sign prove a lower end, (p.t - E |p|_1) / max_{norm(f) <= 1} sum_i p_i f(x_i), by the oracles that
answer the adversaries of margins.  A function proves an upper end even though it meets the targets only up to rounding:
the residual r is interpolated by another function, whose norm is at most

    F1:  |r|_1 max_i sum_k |W_ki| / (1 - delta)    with neurons a_k and W such that |1 - sigma(A z)' W|_1 <= delta < 1
    F2:  |r|_2 / sqrt(smallest eigenvalue of K)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .. import rounding
from ..conventions import Array, Indices, variation_factor
from ..features.homogeneous import Feature
from ..features.kernels_gram import NetworkGram
from ..oracles.lifted.inequality import is_positive_semidefinite
from ..oracles.oracle import Oracle
from ..oracles.proofs import proved_bound
from ..outcome import Scope
from .exact import exact_features, exact_outputs
from .game import Response
from .measure import Measure
from .opposed_points import reduced
from .rkhs import KernelExpansion, KernelGame
from .variation import VariationGame

_EXACT_WORK = 1_000_000  # most products of integers: a second
_RATIONAL = 40  # most points of an elimination in rational arithmetic: a few seconds
_ROOM = 2.0  # times the proved norm of a correction: another arithmetic, as in the referee, need not be as sharp
_HELPERS = 4  # random neurons per point, from which functions of small norm with given values are built


class Interpolation(ABC):
    """Targets (n,) within a tube, and the ball of a norm."""

    targets: Array
    tube: float

    @abstractmethod
    def response(self, p: Array, proof: dict[str, Any] | None = None) -> Response:
        """The largest payoff against p (n,) of any sign, not divided by the mass of p. `proof`: multipliers."""

    @abstractmethod
    def upper(self, learner: Any) -> float:
        """A proved norm of a function that meets the targets, near the learner; inf where there may be none."""

    def lower(self, p: Array, proof: dict[str, Any] | None = None) -> tuple[float, Response]:
        """A lower bound on the norm of every function within the tube, proved by p (and stored multipliers)."""
        response, value = self.response(p, proof), self.value(p)
        if value <= 0 or math.isinf(response.bound):
            return 0.0, response
        if response.bound <= 0.0:
            return math.inf, response
        return math.nextafter(float(value / Fraction(response.bound)), 0.0), response

    def value(self, p: Array) -> Fraction:
        """p.t - E |p|_1, exactly."""
        weights, tube = [Fraction(float(v)) for v in p], Fraction(self.tube)
        return sum(
            (w * Fraction(float(t)) - tube * abs(w) for w, t in zip(weights, self.targets, strict=True)), Fraction(0)
        )

    def missed(self, values: Array, errors: Array) -> Array:
        """By how much each value, up to its error, may lie outside of the tube (n,), rounded up."""
        distance = np.abs(self.targets - values)
        slack = errors + 4.0 * rounding.UNIT_ROUNDOFF * (np.abs(self.targets) + np.abs(values) + self.tube)
        return np.maximum(distance + slack - self.tube, 0.0)

    def residual(self, points: Array, missed: Array) -> Array:
        """For each distinct point (m,), how far its value may be from all of its tubes; inf where these do not meet."""
        group = np.unique(points, axis=0, return_inverse=True)[1].reshape(-1)
        most, out = group.max() + 1, np.zeros(int(group.max()) + 1)
        np.maximum.at(out, group, missed)
        for k in np.flatnonzero(np.bincount(group, minlength=most) > 1):
            members = [Fraction(float(t)) for t in self.targets[group == k]]
            if max(members) - min(members) > 2 * Fraction(self.tube):
                out[k] = math.inf
        return out


@dataclass(frozen=True)
class VariationInterpolation(Interpolation):
    """F1 over all neurons.

    Attributes
    ----------
    feature : the activation.  convention : unit of the norm, "sphere" or "path".
    Z : (n, D) what the activation sees.  targets : (n,).  tube : E >= 0.  oracle : proves bounds for any q (n,).
    """

    Z: Array
    targets: Array
    tube: float
    feature: Feature
    convention: str
    oracle: Oracle

    @property
    def factor(self) -> float:
        """f = factor sum_k w_k sigma(a_k.z) has the norm sum_k |w_k|."""
        return variation_factor(self.feature.degree, self.convention)

    @property
    def ball(self) -> VariationGame:
        """The margin game of the same ball, for its error bounds."""
        return VariationGame(self.Z, np.ones(len(self.Z)), self.feature, self.convention, oracle=self.oracle)

    def response(self, p: Array, proof: dict[str, Any] | None = None) -> Response:
        """The oracle's answer to p, or what stored multipliers prove."""
        if proof is not None:
            bound = self.factor * proved_bound(self.Z, np.where(p < 0.0, -1.0, 1.0), self.feature, np.abs(p), proof)
            return Response(None, 0.0, bound, Scope.SPHERE_BOUND, proof)
        found = self.oracle(p, 1)
        learner = Measure(found.directions[:1], found.signs[:1])
        bound = rounding.above(self.factor * found.bound, 0.0)
        return Response(learner, float(found.values[0]), bound, found.scope or Scope.SPHERE_BOUND, found.proof)

    def upper(self, learner: Measure) -> float:
        """The total variation of the learner, plus that of a function through its residuals."""
        ball = self.ball
        missed = self.missed(ball.margins(learner), ball.margin_errors(learner))
        norm = ball.norm_above(learner)
        if missed.any() and len(learner) * self.Z.size <= _EXACT_WORK:
            values = self.factor * exact_outputs(self.Z, self.feature, learner)
            missed = self.missed(values, 4.0 * rounding.UNIT_ROUNDOFF * np.abs(values))
        if not missed.any():
            return norm
        missed = self.residual(self.Z, missed)
        cost = self._cost(np.unique(self.Z, axis=0), learner)
        if math.isinf(cost) and self.tube == 0.0:
            return self._exactly(learner)
        return math.nextafter(
            (norm + _ROOM * float(missed.sum()) * cost) * (1.0 + rounding.relative_error(len(missed) + 4)), math.inf
        )

    def _cost(self, points: Array, learner: Measure) -> float:
        """max_i of a proved norm of a function that is one at a point and zero at the others; inf if none is found."""
        n, D = points.shape
        unit = 2.0 ** -np.frexp(np.abs(points).max())[1]
        X, scale = points * unit, unit**self.feature.degree  # a power of two: nothing is rounded
        fresh = np.random.default_rng(0).standard_normal((_HELPERS * n, D))
        A = np.vstack([learner.directions, fresh / np.linalg.norm(fresh, axis=1, keepdims=True)])
        if D == 2 and X.any(axis=1).all():  # kinks at the points: a triangular system
            across = np.column_stack([-X[:, 1], X[:, 0]]) / np.linalg.norm(X, axis=1, keepdims=True)
            A = np.vstack([A, across, -across])
        Phi = self.feature.evaluate(A, X).T
        W = np.linalg.pinv(Phi)
        terms = rounding.relative_error(2 * (len(A) + self.feature.degree * D) + 8)
        size = max(abs(self.feature.right), abs(self.feature.left))
        reach = size * (np.abs(X) @ np.abs(A).T) ** self.feature.degree
        wrong = np.abs(np.eye(n) - Phi @ W) + terms * (reach @ np.abs(W)) + 4.0 * rounding.UNIT_ROUNDOFF
        delta = float(wrong.sum(axis=0).max()) * (1.0 + rounding.relative_error(n + 4))
        if not delta < 0.5:
            return math.inf
        lengths = np.linalg.norm(A, axis=1) ** self.feature.degree * (1.0 + terms)
        widest = float((lengths @ np.abs(W)).max()) * (1.0 + terms)
        return widest * scale / (1.0 - delta) / self.factor

    def _exactly(self, learner: Measure) -> float:
        """The norm of a function that meets all targets, by rational arithmetic where points depend on each other.

        Inf where the targets do not depend in the same way, or where that takes too long.
        """
        Z, first = np.unique(self.Z, axis=0, return_index=True)
        fresh = np.random.default_rng(0).standard_normal((_HELPERS * len(Z), Z.shape[1]))
        fresh = fresh.astype(np.float32).astype(float)  # short numbers: faster
        A = np.vstack([learner.directions, fresh / 2.0 ** np.frexp(np.abs(fresh).max())[1]])
        if len(Z) > _RATIONAL:
            return math.inf
        weights = _rational(self.feature, A, Z, self._residual(learner, Z, self.targets[first]))
        if weights is None:
            return math.inf
        lengths = np.linalg.norm(A, axis=1) ** self.feature.degree * (1.0 + rounding.relative_error(4 * A.shape[1] + 8))
        more = sum((abs(w) * Fraction(float(size)) for w, size in zip(weights, lengths, strict=True)), Fraction(0))
        total = Fraction(self.ball.norm_above(learner)) + Fraction(_ROOM) * more / Fraction(self.factor)
        return math.nextafter(float(total), math.inf)

    def _residual(self, learner: Measure, Z: Array, targets: Array) -> list[Fraction]:
        """t - f(x), without rounding."""
        rows, factor = _fractions(self.feature, learner.directions, Z), Fraction(self.factor)
        weights = [Fraction(float(w)) for w in learner.weights]
        values = [factor * sum(w * v for w, v in zip(weights, row, strict=True)) for row in rows]
        return [Fraction(float(t)) - value for t, value in zip(targets, values, strict=True)]


def _fractions(feature: Feature, A: Array, Z: Array) -> list[list[Fraction]]:
    """sigma(a_k.z_i), one row per point."""
    features, exponent = exact_features(Z, feature, A)
    unit = Fraction(2) ** exponent
    return [[int(value) * unit for value in row] for row in features.T]


def _rational(feature: Feature, A: Array, Z: Array, values: list[Fraction]) -> list[Fraction] | None:
    """Weights on the neurons A that give exactly these values at Z, or None: elimination on pivots chosen in floats."""
    from scipy.linalg import qr

    Phi = feature.evaluate(A, Z).T
    _, R, columns = qr(Phi, mode="economic", pivoting=True)
    rank = int((np.abs(np.diagonal(R)) > 1e-9 * abs(R[0, 0])).sum())
    columns = columns[:rank]
    rows = _fractions(feature, A[columns], Z)
    table = [[*row, value] for row, value in zip(rows, values, strict=True)]
    if len(reduced(table, rank)) < rank or any(row[-1] for row in table[rank:]):
        return None
    weights = [Fraction(0)] * len(A)
    for k, column in enumerate(columns):
        weights[int(column)] = table[k][-1]
    return weights


@dataclass(frozen=True)
class KernelInterpolation(Interpolation):
    """F2 or the tangent kernel.

    Attributes
    ----------
    ball : the kernel game of the same points with all labels +1.  targets : (n,).  tube : E >= 0.
    """

    ball: KernelGame
    targets: Array
    tube: float

    def response(self, p: Array, proof: dict[str, Any] | None = None) -> Response:
        """sqrt(p'Kp); there are no other proofs."""
        learner = KernelExpansion(p)
        return Response(learner, self.ball.norm(learner), self.ball.norm_above(learner), Scope.KERNEL)

    def upper(self, learner: KernelExpansion) -> float:
        """sqrt(c'Kc) of the learner, plus the norm of a function through its residuals."""
        ball = self.ball
        return self.with_correction(
            ball.norm_above(learner), self.missed(ball.margins(learner), ball.margin_errors(learner))
        )

    def with_correction(self, norm: float, missed: Array) -> float:
        """A function's norm, plus that of one through what it misses at each point (n,)."""
        if not missed.any():
            return norm
        ball = self.ball
        points = np.asarray(ball.K.Z if isinstance(ball.K, NetworkGram) else np.eye(len(missed)))
        missed = self.residual(points, missed)
        least = self._least_eigenvalue(np.unique(points, axis=0, return_index=True)[1])
        if least <= 0.0:
            return math.inf
        more = _ROOM * float(np.linalg.norm(missed)) / math.sqrt(least)
        return math.nextafter((norm + more) * (1.0 + rounding.relative_error(len(missed) + 8)), math.inf)

    def _least_eigenvalue(self, rows: Indices) -> float:
        """A proved lower bound on the smallest eigenvalue of K on these rows; 0 where nothing is proved."""
        K = np.asarray(self.ball.K)[np.ix_(rows, rows)]
        radii = (self.ball.radii / self.ball.scale)[rows]
        error = float(radii @ radii) * self.ball.entry_bound
        least = float(np.linalg.eigvalsh(K)[0])
        for _ in range(60):
            if least <= 0.0:
                break
            if is_positive_semidefinite(K - least * np.eye(len(K)), error + 2.0 * rounding.UNIT_ROUNDOFF * K.max()):
                return math.nextafter(least * self.ball.scale**2, 0.0)
            least *= 0.5
        return 0.0
