"""Points on one line through the origin share a hyperplane: the rays of an arrangement and the span they live in.

Both exact oracles begin with the rays of all points and end with the payoffs of the points as given (`Enumeration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any

import numpy as np

from ...clock import FOREVER, Clock, Work
from ...errors import InputError
from ...features.homogeneous import Feature
from ...rounding import UNIT_ROUNDOFF
from ..oracle import SPHERE_EXACT, Responses
from .great_circles import WORK, Array, Index, affordable, arcs

_SAMPLE = 64  # circles looked at to tell how many are crowded
TYPICAL = 8.0  # units of work per crossing that any enumeration may take: 2 to 7 in general position


@dataclass(frozen=True)
class Rays:
    """z_i = scale_i X[index_i]: parallel and antipodal points share a unit vector, scale_i = +-|z_i|.

    Attributes
    ----------
    Z : (n, D).  X : (G, D) unit vectors, pairwise distinct up to sign.
    index : (n,) ray of each point.  scale : (n,), 0 for zero vectors.
    first : (G,) the point whose unit vector, up to sign, is X.
    """

    Z: Array
    X: Array
    index: Index
    scale: Array
    first: Index

    def weighted(self, q: Array) -> tuple[Index, Array]:
        """Indices and weights of the points with q_i != 0; `InputError` unless q is finite with one weight a point."""
        q = np.asarray(q, dtype=float)
        if q.shape != (len(self.Z),) or not np.isfinite(q).all():
            wanted = f"{len(self.Z)} finite weights, one per point"
            raise InputError(f"q: found an array of shape {q.shape}, wanted {wanted}")
        used = np.flatnonzero(q)
        return used, q[used]

    def support(self, used: Index) -> Index:
        """The distinct rays of the points used; zero vectors have none."""
        return np.unique(self.index[used[self.scale[used] != 0.0]])


def rays(Z: Array) -> Rays:
    """Group the rows of Z (n, D) whose directions agree up to sign and rounding (2^-50); `InputError` if not finite."""
    Z = np.ascontiguousarray(Z, dtype=float)
    if Z.ndim != 2 or not Z.shape[1] or not np.isfinite(Z).all():
        raise InputError(f"Z: found an array of shape {np.shape(Z)}, wanted a finite (n, D) matrix with D >= 1")
    peak = np.abs(Z).max(axis=1, initial=0.0)
    nonzero = peak > 0.0
    unit = Z / np.where(nonzero, peak, 1.0)[:, None]
    norm = np.linalg.norm(unit, axis=1)
    unit /= np.where(nonzero, norm, 1.0)[:, None]
    pivot = np.abs(unit).argmax(axis=1)
    sign = np.where(unit[np.arange(len(Z)), pivot] < 0.0, -1.0, 1.0)
    unit *= sign[:, None]
    _, first, index = np.unique(np.round(unit * 2.0**50), axis=0, return_index=True, return_inverse=True)
    return Rays(Z, unit[first], index.ravel(), np.where(nonzero, sign * norm * peak, 0.0), first)


def span(X: Array) -> tuple[Array, float]:
    """Orthonormal rows (r, D) spanning the unit rows of X (N, D), and the largest distance of a row from their span."""
    N, D = X.shape
    if N == 0:
        return np.empty((0, D)), 0.0
    _, s, V = np.linalg.svd(X, full_matrices=False)
    r = int((s > 8.0 * max(N, D) * UNIT_ROUNDOFF * s[0]).sum())
    if r == D:
        return np.eye(D), 0.0
    return V[:r], float(np.linalg.norm(X - (X @ V[:r].T) @ V[:r], axis=1).max())


def vanishes(Z: Array, q: Array, feature: Feature) -> bool:
    """Is ``sum_i q_i sigma(a.z_i)`` zero for every a?  Decided in rational arithmetic.

    sigma is a polynomial (u or u^2) times (right -+ left)/2 plus a kinked part (|u| or u|u|) times (right +- left)/2.
    The kinked parts of different lines are independent, so each line's coefficients and the polynomial must cancel.
    """
    k = feature.degree
    kinked = feature.right != -feature.left if k == 1 else feature.right != feature.left
    smooth = feature.right != feature.left if k == 1 else feature.right != -feature.left
    polynomial: dict[tuple[int, ...], Fraction] = {}
    lines: dict[tuple[Fraction, ...], Fraction] = {}
    for z, weight in zip(Z, q, strict=True):
        row, coefficient = [Fraction(float(x)) for x in z], Fraction(float(weight))
        pivot = next((x for x in row if x), None)
        if pivot is None:
            continue
        line = tuple(x / pivot for x in row)
        lines[line] = lines.get(line, Fraction(0)) + coefficient * (abs(pivot) if k == 1 else pivot * abs(pivot))
        for key in combinations_with_replacement(range(len(row)), k):
            polynomial[key] = polynomial.get(key, Fraction(0)) + coefficient * prod(row[i] for i in key)
    return not (kinked and any(lines.values())) and not (smooth and any(polynomial.values()))


class Enumeration:
    """Exact best responses in low dimension, by visiting every cell of the arrangement of the hyperplanes z_i^perp.

    Parameters
    ----------
    Z : (n, D) what the activation sees.
    feature : of the degree that the subclass handles.
    separation : directions closer than this angle count as one maximum.
    clock : `OutOfTime` on a call that does not end before it expires.
    work : counts the faces that are looked at; `OutOfTime` on a call that takes too much, unless it is `TYPICAL`.

    Raises
    ------
    InputError : a feature of another degree, Z is not a finite matrix; on call, the arrangement is too large.
    """

    degree: int

    def __init__(
        self,
        Z: Array,
        feature: Feature,
        separation: float = 1e-4,
        clock: Clock = FOREVER,
        work: Work | None = None,
    ) -> None:
        if feature.degree != self.degree:
            raise InputError(
                f"feature: found {feature.name!r} of degree {feature.degree}, wanted degree {self.degree}; "
                "oracles.selection.exact_oracle picks the oracle of a feature"
            )
        self._rays = rays(Z)
        self.Z, self.feature = self._rays.Z, feature
        self.separation, self.clock, self.work = separation, clock, work or Work()

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


def answer(feature: Feature, Z: Array, q: Array, directions: Array, bound: float) -> Responses:
    """Directions with their payoffs (evaluated in extended precision), best first."""
    A: Any = directions.astype(np.longdouble)
    payoffs = (feature(A @ Z.T.astype(np.longdouble)) @ q.astype(np.longdouble)).astype(float)
    order = np.argsort(-np.abs(payoffs), kind="stable")
    signs = np.where(payoffs < 0.0, -1.0, 1.0)
    values = np.abs(payoffs)
    return Responses(directions[order], signs[order], values[order], max(bound, float(values.max())), SPHERE_EXACT)


def nothing(D: int) -> Responses:
    """The answer to the zero function: any neuron earns exactly 0."""
    return Responses(np.eye(1, D), np.ones(1), np.zeros(1), 0.0, SPHERE_EXACT)
