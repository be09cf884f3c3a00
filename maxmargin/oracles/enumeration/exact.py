"""What the exact oracles of both degrees share: rays, what an enumeration costs, and how its answer is evaluated."""

from __future__ import annotations

from math import comb, factorial
from typing import Any

import numpy as np

from ...clock import FOREVER, Clock
from ...errors import InputError
from ...features.homogeneous import Feature
from ..oracle import SPHERE_EXACT, Responses
from ..spectral import SpectralOracle
from .great_circles import Array, arcs
from .lines import rays, span

WORK = 5e8  # crossings that an enumeration may sort: a few minutes
_SAMPLE = 64  # circles looked at to tell how many are crowded


class OutOfTime(Exception):
    """The clock has expired before all cells were visited."""


class EnumeratingOracle:
    """Exact best responses in low dimension, by visiting every cell of the arrangement of the hyperplanes z_i^perp.

    Parameters
    ----------
    Z : (n, D) what the activation sees.
    feature : of the degree that the subclass handles.
    separation : directions closer than this angle count as one maximum.
    clock : an answer that does not come before it expires is the spectral bound instead.

    Raises
    ------
    InputError : a feature of another degree, Z is not a finite matrix; on call, the arrangement is too large.
    """

    degree: int

    def __init__(self, Z: Array, feature: Feature, separation: float = 1e-4, clock: Clock = FOREVER) -> None:
        if feature.degree != self.degree:
            raise InputError(
                f"feature: found {feature.name!r} of degree {feature.degree}, wanted degree {self.degree}; "
                "oracles.selection.exact_oracle picks the oracle of a feature"
            )
        self._rays = rays(Z)
        self.Z = self._rays.Z
        self.feature = feature
        self.separation, self.clock = separation, clock

    def affordable(self, q: Array, work: float = WORK) -> bool:
        """Can this q be answered?  Counts the distinct hyperplanes of its support, in the dimension of their span."""
        X = self._rays.X[self._rays.support(np.flatnonzero(q))]
        basis = span(X)[0]
        N, D = len(X), len(basis)
        return affordable(N, D, work) and (D <= 3 or affordable(N, D, work / self._crowding(X @ basis.T)))

    def _crowding(self, X: Array) -> float:
        """How much more there is to do than in general position: crowded circles are walked in all orders and sides."""
        N, D = X.shape
        rng = np.random.default_rng(0)
        T = np.sort([rng.choice(N, D - 2, replace=False) for _ in range(_SAMPLE)], axis=1)
        crowded = arcs(X, T).crowded
        walks = self.degree * factorial(D - 2) * 2 ** (D - 2)
        return 1.0 + float(crowded.mean()) * (walks - 1) if len(crowded) else float(walks)

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Distinct maxima of ``s sum_i q_i sigma(a.z_i)`` over signs and the sphere, and the proved bound."""
        try:
            return self._answer(q, count)
        except OutOfTime:
            return SpectralOracle(self.Z, self.feature)(q, count)

    def _answer(self, q: Array, count: int) -> Responses:
        raise NotImplementedError


def in_time(clock: Clock) -> None:
    """`OutOfTime` once the clock has expired."""
    if clock.expired:
        raise OutOfTime


def affordable(N: int, D: int, work: float = WORK) -> bool:
    """Can the arrangement of N hyperplanes in R^D be enumerated?  Always for D <= 3, else if O(N^{D-1}) <= work."""
    return D <= 3 or comb(N, D - 2) * N <= work


def demand_affordable(N: int, D: int) -> None:
    """`InputError` unless `affordable`."""
    if not affordable(N, D):
        raise InputError(
            f"q: found {N} hyperplanes in dimension {D}, too many to enumerate exactly; "
            "want fewer support points, or the relaxation and branch-and-bound oracles"
        )


def nothing(D: int) -> Responses:
    """The answer to the zero function: any neuron earns exactly 0."""
    return Responses(np.eye(1, D), np.ones(1), np.zeros(1), 0.0, SPHERE_EXACT)


def answer(feature: Feature, Z: Array, q: Array, directions: Array, bound: float) -> Responses:
    """Directions with their payoffs (evaluated in extended precision), best first."""
    A: Any = directions.astype(np.longdouble)
    payoffs = (feature(A @ Z.T.astype(np.longdouble)) @ q.astype(np.longdouble)).astype(float)
    order = np.argsort(-np.abs(payoffs), kind="stable")
    signs = np.where(payoffs < 0.0, -1.0, 1.0)
    values = np.abs(payoffs)
    return Responses(directions[order], signs[order], values[order], max(bound, float(values.max())), SPHERE_EXACT)
