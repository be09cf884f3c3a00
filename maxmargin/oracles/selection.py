"""Which oracle answers for which dimension: exact where enumeration is cheap, a proved bound or local search above."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ..clock import FOREVER, Clock, OutOfTime, Work
from ..conventions import Array
from ..features.homogeneous import Feature
from .ascent.multistart import LocalOracle
from .ascent.steps import PowerOracle, ZonotopeOracle
from .enumeration.circle import PlaneOracle
from .enumeration.degree1 import ArrangementOracle, ExtendedArrangementOracle
from .enumeration.degree2 import QuadraticCellOracle
from .oracle import Oracle, Responses
from .spectral import SpectralOracle

EXACT_DIMENSION = 3  # up to here enumeration costs O(N^2) or less in the number N of support points
ENUMERATION_DIMENSION = 6  # of the span of the support; above, cells multiply (most for points in special position)
FACES = 16.0  # cost of a crossing in that dimension, relative to lower dimensions
WORK = {1: 2e6, 2: 5e5}  # crossings that an enumeration may sort, by degree: one or two seconds a call

FACES_LOOKED_AT = 1.2e7  # in a call without a time limit, where points in special position multiply them: four seconds

FEW = 0.25  # a single enumeration may take 1/FEW = 4 times as long as each of many
SHARE = 0.5  # largest share of the time left for a single enumeration
ENTRY = 3e-6  # seconds per entry of the matrix (D, D) that an enumeration of degree 2 sums without rounding


def exact_oracle(Z: Array, feature: Feature, clock: Clock = FOREVER) -> Oracle:
    """The oracle that enumerates the cells of the arrangement of the z_i: global maxima, proved.

    An answer that does not come before `clock` expires is a bound only; up to D = 3 all come.  Without a limit, an
    answer that takes too many faces (`FACES_LOOKED_AT`) is a bound only.
    """
    if Z.shape[1] == 2:
        return PlaneOracle(Z, feature)
    if Z.shape[1] <= EXACT_DIMENSION:
        return _enumeration(Z, feature)
    return Timed(_enumeration(Z, feature, clock, Work(math.inf if clock.limited else FACES_LOOKED_AT)))


def certifying_oracle(Z: Array, feature: Feature) -> Oracle:
    """The exact oracle with the least rounding error, for the one answer that a certificate states."""
    if Z.shape[1] == 3 and feature.degree == 1:
        return ExtendedArrangementOracle(Z, feature)
    return exact_oracle(Z, feature)


def _enumeration(
    Z: Array, feature: Feature, clock: Clock = FOREVER, work: Work | None = None
) -> ArrangementOracle | QuadraticCellOracle:
    return (ArrangementOracle if feature.degree == 1 else QuadraticCellOracle)(Z, feature, clock=clock, work=work)


class Timed:
    """An enumeration that answers with the spectral bound when its clock expires first, or its work is too much."""

    def __init__(self, exact: ArrangementOracle | QuadraticCellOracle) -> None:
        self._exact = exact

    @property
    def name(self) -> str:
        """What is recorded as having been asked."""
        return type(self._exact).__name__

    @property
    def work_done(self) -> float:
        """The faces that all calls have looked at."""
        return self._exact.work.done

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Best responses to q (n,)."""
        try:
            return self._exact(q, count)
        except OutOfTime:
            return SpectralOracle(self._exact.Z, self._exact.feature)(q, count)


def enumerable(Z: Array, feature: Feature, p: Array, calls: float = 1.0) -> bool:
    """Whether the cells over the support of p can be enumerated in seconds (`calls` < 1: for fewer calls than many)."""
    if Z.shape[1] <= EXACT_DIMENSION:
        return True
    dimension = min(np.count_nonzero(p), Z.shape[1])
    if dimension > ENUMERATION_DIMENSION:
        return False
    faces = FACES if dimension == ENUMERATION_DIMENSION else 1.0
    return _enumeration(Z, feature).affordable(p, WORK[feature.degree] / calls / faces)


def proving_oracle(Z: Array, feature: Feature) -> Oracle:
    """An oracle whose bound is always finite: exact for D <= 3, cheap and spectral else."""
    return exact_oracle(Z, feature) if Z.shape[1] <= EXACT_DIMENSION else SpectralOracle(Z, feature)


def local_oracle(
    Z: Array, feature: Feature, seed: int | np.random.Generator, starts: Array | None = None
) -> LocalOracle:
    """Multi-start local ascent for any dimension, from `starts` (K, D) too; proves nothing."""
    return (ZonotopeOracle if feature.degree == 1 else PowerOracle)(Z, feature, seed=seed, starts=starts)


class Supported:
    """Answers q with an oracle of the points with q_i != 0 alone: same payoffs, same bound, less work.

    Parameters
    ----------
    Z : (n, D) what the activation sees.
    make : the oracle of any rows of Z, at least one; its proofs must not speak of points (enumeration has none).
    """

    def __init__(self, Z: Array, make: Callable[[Array], Oracle]) -> None:
        self.Z, self._make = Z, make

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Best responses to q (n,)."""
        q = np.asarray(q, dtype=float)
        support = np.flatnonzero(q)
        if not len(support):
            support = np.arange(min(1, len(q)))
        return self._make(self.Z[support])(q[support], count)


class Proving:
    """The best proof within a few seconds for any adversary: enumeration where its support allows, else a bound.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  feature : activation.
    clock : an enumeration above D = 3 ends within half of what is left, with the spectral bound.
    """

    def __init__(self, Z: Array, feature: Feature, clock: Clock = FOREVER) -> None:
        self.Z, self.feature, self.clock = Z, feature, clock

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Best responses to q (n,) with a finite bound."""
        Z, feature = self.Z, self.feature
        if Z.shape[1] <= EXACT_DIMENSION:
            return Supported(Z, partial(certifying_oracle, feature=feature))(q, count)
        squares = ENTRY * Z.shape[1] ** 2 if feature.degree == 2 else 0.0
        if squares <= SHARE * self.clock.left and enumerable(Z, feature, q, FEW):
            return exact_oracle(Z, feature, self.clock.part(SHARE))(q, count)
        return SpectralOracle(Z, feature, clock=self.clock)(q, count)
