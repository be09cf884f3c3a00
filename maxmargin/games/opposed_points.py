"""When a margin is zero, decided in fractions: some weights must make the adversary's function vanish.

gamma = 0 means  sum_i p_i y_i sigma(a.z_i) = 0  for all a and some p of the simplex, in F1, F2 and the tangent kernel.
Let e be a point of each line through the origin and z_i = t_i e.  Then sigma(a.z_i) is a kink of its line plus a
function without one,

    degree 1:  (right + left) |t_i|   (a.e)_+    +  m_i a.z_i,         m_i = -left  or  right      (t_i > 0 or < 0)
    degree 2:  (right - left) s_i t_i^2 (a.e)_+^2  +  m_i (a.z_i)^2,   m_i = left   or  right,      s_i = sign t_i

and kinks of different lines are independent: on every line those of opposite votes must cancel, and so must the sum of
the smooth parts.  That is a linear system in p >= 0.  A payoff of 1e-15 without a solution is small, not zero.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..conventions import Array, Indices
from ..features.homogeneous import Feature
from ..features.kernels_exact import Integers, integers

Rows = list[list[Fraction]]

_SAME_LINE = 2e-15  # a few units of roundoff: the antipode of (cos t, sin t) need not be exact
_LARGEST = 100  # largest number of points of a linear system in fractions (about a second)


def ray_pair(Z: Array, y: Array, feature: Feature) -> Array | None:
    """Weights (n,) that pay no neuron, on an input of zero or on two of one ray with opposite labels; None without any.

    On a ray sigma is homogeneous: p_i |z_i|^degree = p_j |z_j|^degree.
    """
    lengths, p = _lengths(Z), np.zeros(len(y))
    if not lengths.all():
        p[np.argmin(lengths)] = 1.0
        return p
    units = Z / lengths[:, None]
    pairs = zip(*_opposed(units, y, feature.degree), strict=True)
    for i, j in ((i, j) for i, j in pairs if y[i] != y[j] and units[i] @ units[j] > 0.0):
        points = integers(Z[[i, j]])[0]
        if _parallel(points[0], points[1]):
            ratio = (lengths[i] / lengths[j]) ** feature.degree
            p[[i, j]] = 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)
            return p
    return None


def may_vanish(Z: Array, y: Array, feature: Feature, p: Array) -> bool:
    """Whether weights on the support of p can make the adversary's function zero up to rounding.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.  p : (n,) weights >= 0.
    """
    Z, y = Z[p > 0.0], y[p > 0.0]
    lengths = _lengths(Z)
    if _kinks(feature) == 0.0 or not lengths.all():
        return True
    first, second = _opposed(Z / lengths[:, None], y, feature.degree)
    return len(first) > 0


def vanishes(Z: Array, y: Array, feature: Feature, p: Array) -> bool:
    """Whether weights on the support of p provably make the adversary's function zero, so that gamma = 0.

    False where no proof was found; that is no proof of gamma > 0 unless the features have a kink and no two points of
    the support lie exactly on one line.
    """
    Z, y, p = Z[p > 0.0], y[p > 0.0], p[p > 0.0]
    if not Z.any(axis=1).all() or (feature.right == 0.0 and feature.left == 0.0):
        return True
    points = integers(Z)[0]
    lines = np.arange(len(Z))
    if _kinks(feature) != 0.0:
        units = Z / _lengths(Z)[:, None]
        for i, j in zip(*_opposed(units, y, feature.degree), strict=True):
            if _parallel(points[i], points[j]):
                if y[i] != y[j] and int(points[i] @ points[j]) > 0:
                    return True  # on one ray with opposite labels: p_i |z_i|^degree = p_j |z_j|^degree
                lines[lines == lines[j]] = lines[i]
        shared = np.bincount(lines, minlength=len(Z))[lines] > 1
        points, y, p, lines = points[shared], y[shared], p[shared], lines[shared]
    if not 0 < len(y) <= _LARGEST:
        return False
    return _solvable(_system(points, y, lines, feature), [Fraction(float(weight)) for weight in p])


def _kinks(feature: Feature) -> float:
    return feature.right + feature.left if feature.degree == 1 else feature.right - feature.left


def _lengths(Z: Array) -> Array:
    scales = np.abs(Z).max(axis=1, initial=0.0)
    return scales * np.linalg.norm(Z / np.where(scales > 0.0, scales, 1.0)[:, None], axis=1)


def _opposed(units: Array, y: Array, degree: int) -> tuple[Indices, Indices]:
    """Pairs of unit vectors on one line up to rounding whose kinks have opposite signs."""
    from scipy.spatial import KDTree

    votes, both = np.concatenate([y, y if degree == 1 else -y]), np.concatenate([units, -units])
    near = _neighbours(both)
    pairs = KDTree(both[near]).query_pairs(_SAME_LINE, output_type="ndarray").reshape(-1, 2)
    first, second = near[pairs[:, 0]], near[pairs[:, 1]]
    against = votes[first] != votes[second]
    return first[against] % len(y), second[against] % len(y)


def _neighbours(units: Array) -> Indices:
    """The unit vectors (n, D) with a near neighbour; only these are searched, which is slow in high dimension.

    Vectors that agree to `_SAME_LINE` do so along any fixed direction, up to the rounding of the product.
    """
    n, D = units.shape
    if n < 2:
        return np.arange(n)
    heights = units @ (np.cos(np.sqrt(2.0) * np.arange(1.0, D + 1.0) ** 2) / np.sqrt(D))
    order = np.argsort(heights, kind="stable")
    close = np.diff(heights[order]) <= _SAME_LINE * (4.0 + D)
    return np.sort(order[np.append(close, False) | np.append(False, close)])


def _parallel(z: Integers, w: Integers) -> bool:
    """Exactly: |z|^2 |w|^2 = (z.w)^2."""
    return int(z @ z) * int(w @ w) == int(z @ w) ** 2


def _system(points: Integers, y: Array, lines: Indices, feature: Feature) -> Rows:
    """Rows of the linear system in p: one per line for the kinks, then the smooth parts."""
    kink, degree = _kinks(feature) != 0.0, feature.degree
    signs = [int(label) for label in y]
    along = [int(points[i] @ points[np.flatnonzero(lines == lines[i])[0]]) for i in range(len(y))]
    rows = []
    for line in np.unique(lines) if kink else ():
        size = [t**degree if degree == 2 and t > 0 else -(t**2) if degree == 2 else abs(t) for t in along]
        rows.append([Fraction(s * t if here else 0) for s, t, here in zip(signs, size, lines == line, strict=True)])
    right, left = Fraction(feature.right), Fraction(feature.left)
    smooth = [(-left if degree == 1 else left) if t > 0 else right for t in along]
    D = points.shape[1]
    monomials = [(i,) for i in range(D)] if degree == 1 else [(i, j) for i in range(D) for j in range(i, D)]
    for monomial in monomials:
        values = [np.prod(z[list(monomial)], dtype=object) for z in points]
        rows.append([s * m * int(v) for s, m, v in zip(signs, smooth, values, strict=True)])
    return rows


def reduced(rows: Rows, columns: int) -> list[int]:
    """Bring these rows to reduced echelon form in their first columns, in place; the columns of the pivots."""
    pivots: list[int] = []
    for column in range(columns):
        k = len(pivots)
        pivot = next((r for r in range(k, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][column] for value in rows[k]]
        for r in range(len(rows)):
            if r != k and rows[r][column]:
                factor = rows[r][column]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[k], strict=True)]
        pivots.append(column)
    return pivots


def _solvable(rows: Rows, p: list[Fraction]) -> bool:
    """Whether rows x = 0 has a solution x >= 0, x != 0 that agrees with p where the system leaves a choice."""
    pivots = reduced(rows, len(p))
    free = [column for column in range(len(p)) if column not in pivots]
    fixed = [-sum((rows[k][column] * p[column] for column in free), Fraction(0)) for k in range(len(pivots))]
    return bool(free) and min(fixed, default=Fraction(0)) >= 0
