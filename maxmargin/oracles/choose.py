"""Which oracle answers for which dimension: exact where enumeration is cheap, a proved bound above."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature
from .arrangement import ArrangementOracle, affordable
from .responses import Oracle
from .spectral import SpectralOracle
from .zonotope import ZonotopeOracle

Array = NDArray[np.float64]

ENUMERATION_DIMENSION = 6  # of the span of the support; cells multiply with every further dimension
ENUMERATION_WORK = 2e6  # crossings an enumeration may sort: one or two seconds a call
EXACT_DIMENSION = 3  # up to here enumeration costs O(N^2) or less in the number N of support points


def exact_oracle(Z: Array, feature: Feature) -> Oracle:
    """The oracle that enumerates the cells of the arrangement of the z_i: global maxima, proved."""
    if feature.degree == 1:
        return ArrangementOracle(Z, feature)
    from .cells_quadratic import QuadraticCellOracle

    return QuadraticCellOracle(Z, feature)


def proving_oracle(Z: Array, feature: Feature, p: Array | None = None) -> Oracle:
    """An oracle whose bound is always finite: exact for D <= 3 or a small support of p, cheap and spectral else."""
    exact = Z.shape[1] <= EXACT_DIMENSION or (p is not None and enumerable(Z, feature, p))
    return exact_oracle(Z, feature) if exact else SpectralOracle(Z, feature)


def local_oracle(Z: Array, feature: Feature, seed: int) -> Oracle:
    """Multi-start local ascent for any dimension; proves nothing."""
    if feature.degree == 1:
        return ZonotopeOracle(Z, feature, seed=seed)
    from .power import PowerOracle

    return PowerOracle(Z, feature, seed=seed)


def enumerable(Z: Array, feature: Feature, p: Array) -> bool:
    """Whether the cells over the support of p can be enumerated in seconds."""
    N, D = int(np.count_nonzero(p)), Z.shape[1]
    return feature.degree == 1 and min(N, D) <= ENUMERATION_DIMENSION and affordable(N, D, ENUMERATION_WORK)
