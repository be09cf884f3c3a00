"""When a margin can be zero at all: only if some points lie on one line through the origin with opposite votes.

gamma = 0 means  sum_i p_i y_i sigma(a.z_i) = 0  for all a and some p of the simplex.  Across the hyperplane z^perp only
the points on the line of z have a kink (jump of sigma' or sigma''), so on every line these must cancel:

    degree 1:  sum p_i y_i |z_i| = 0,          degree 2:  sum p_i y_i s_i |z_i|^2 = 0,     s_i the side of z_i.

A line whose points all vote the same way thus has no weight.  The same holds in F2 and in the tangent kernel.  A
payoff of 1e-15 beside such points is small, not zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..features.homogeneous import Feature

Array = NDArray[np.float64]

_SAME_LINE = 2e-15  # a few units of roundoff: the antipode of (cos t, sin t) need not be exact


def may_vanish(Z: Array, y: Array, feature: Feature, p: Array) -> bool:
    """Whether weights on the support of p can make the adversary's function zero.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.  p : (n,) weights >= 0.
    """
    kinks = feature.right + feature.left if feature.degree == 1 else feature.right - feature.left
    Z, y = Z[p > 0.0], y[p > 0.0]
    lengths = np.linalg.norm(Z, axis=1)
    if kinks == 0.0 or not lengths.all():
        return True
    return _opposed(Z / lengths[:, None], y, feature.degree)


def _opposed(units: Array, y: Array, degree: int) -> bool:
    """Whether two unit vectors on one line vote against each other."""
    from scipy.spatial import KDTree

    votes = np.concatenate([y, y if degree == 1 else -y])
    both = KDTree(np.concatenate([units, -units]))
    first, second = both.query_pairs(_SAME_LINE, output_type="ndarray").reshape(-1, 2).T
    return bool(np.any(votes[first] != votes[second]))
