"""gamma_2^(m): the max margin over the output weights of one network's own hidden layer (Prop. 7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature
from ..games.bracket import Bracket
from ..games.random_features import RandomFeatureGame
from ..solvers.random_features import random_feature_margin

Array = NDArray[np.float64]


def random_feature_bracket(hidden: Array, Z: Array, y: Array, feature: Feature, tol: float = 1e-9) -> Bracket:
    """Bracket of ``gamma_2^(m) = max { min_i y_i (1/m) sum_j r_j sigma(a_j.z_i) : (1/m) |r|^2 <= 1 }``.

    Parameters
    ----------
    hidden : (m, D) hidden weights a_j.  Z : (n, D).  y : (n,) labels +-1.
    """
    features = feature.evaluate(hidden, Z)
    proposal = random_feature_margin(features, y, min(tol, 1e-12))
    return RandomFeatureGame(features, y).certify(proposal.r, proposal.p)
