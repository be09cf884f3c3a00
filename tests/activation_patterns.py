"""The F1 margin as a finite convex program over activation patterns (Ergen and Pilanci 2020, arXiv 2002.10553).

On the cone C_k = {a : s_ki (a.z_i) >= 0 for all i} of the k-th sign pattern s_k a feature of degree 1 is linear,
``sigma(a.z_i) = d_ki a.z_i`` with d_ki = right where s_ki = +1 and -left where s_ki = -1.  Hence (path convention)

    1 / gamma = min { sum_k |v_k| + |u_k| : v_k, u_k in C_k, y_i sum_k d_ki z_i.(v_k - u_k) >= 1 },
    gamma     = min { t : p in simplex, alpha, beta >= 0, for all k
                      |+sum_i p_i y_i d_ki z_i + alpha_ki s_ki z_i| <= t,
                      |-sum_i p_i y_i d_ki z_i + beta_ki s_ki z_i| <= t }.

Both are solved, and what is returned is recomputed from their variables.  The patterns are enumerated in rational
arithmetic, without the oracles: this is an independent check of them, for small n (about 12) and D (3).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maxmargin.errors import InputError, SolverError
from maxmargin.features.homogeneous import Feature
from maxmargin.games.measure import Measure
from maxmargin.solvers.conic import SOLVER_OPTIONS

Array = NDArray[np.float64]
Vector = list[Fraction]

LARGEST = 1024  # patterns; each brings two second-order cones to each program


@dataclass(frozen=True)
class PatternOptimum:
    """A bracket of gamma (path convention) from the finite program, and what proves it.

    Attributes
    ----------
    lower : ``min_i y_i f(z_i)`` of the measure (total variation 1); 0 with an empty measure if nothing separates.
    upper : the dual value, recomputed with alpha, beta clipped at 0: a bound up to its own rounding.
    measure : at most one neuron per pattern and sign.  adversary : (n,) p.
    """

    lower: float
    upper: float
    measure: Measure
    adversary: Array


def pattern_margin(Z: Array, y: Array, feature: Feature) -> PatternOptimum:
    """Solve both programs with Clarabel.

    Parameters
    ----------
    Z : (n, D) what the activation sees.  y : (n,) labels +-1.  feature : of degree 1.

    Raises
    ------
    InputError : the feature is not of degree 1, or the points have too many patterns.
    SolverError : Clarabel returned no adversary.
    """
    if feature.degree != 1:
        raise InputError(f"feature: found {feature.name!r} of degree {feature.degree}, wanted degree 1")
    signs = activation_patterns(Z).astype(float)
    if len(signs) > LARGEST:
        raise InputError(f"Z: found {len(signs)} activation patterns, wanted at most {LARGEST}; take fewer points")
    slopes = np.where(signs > 0.0, feature.right, -feature.left)
    p, upper = _adversary(Z, y, signs, slopes)
    measure = _measure(Z, y, signs, slopes)
    lower = float((y * measure.outputs(Z, feature)).min()) if len(measure) else 0.0
    if lower <= 0.0:
        return PatternOptimum(0.0, upper, Measure(np.empty((0, Z.shape[1])), np.empty(0)), p)
    return PatternOptimum(lower, upper, measure, p)


def _solve(problem: Any) -> bool:
    """Solve with Clarabel; False when it ends without values."""
    import cvxpy as cp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "may be inaccurate": all results are recomputed
        try:
            problem.solve(solver=cp.CLARABEL, **SOLVER_OPTIONS["CLARABEL"])
        except cp.SolverError:
            return False
    return problem.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)


def _measure(Z: Array, y: Array, signs: Array, slopes: Array) -> Measure:
    """The least-norm separating measure, normalised; empty if there is none."""
    import cvxpy as cp

    P, D = len(signs), Z.shape[1]
    V, U = cp.Variable((P, D)), cp.Variable((P, D))
    margins = cp.multiply(y, cp.sum(cp.multiply(slopes, (V - U) @ Z.T), axis=0))
    inside = [cp.multiply(signs, V @ Z.T) >= 0, cp.multiply(signs, U @ Z.T) >= 0]
    length = cp.sum(cp.norm(V, axis=1)) + cp.sum(cp.norm(U, axis=1))
    if not _solve(cp.Problem(cp.Minimize(length), [margins >= 1, *inside])):
        return Measure(np.empty((0, D)), np.empty(0))
    directions = np.concatenate([V.value, U.value])
    norms = np.linalg.norm(directions, axis=1)
    used = norms > 1e-9 * norms.sum()
    weights = np.repeat([1.0, -1.0], P) * norms / norms[used].sum()
    return Measure(directions[used] / norms[used, None], weights[used])


def _adversary(Z: Array, y: Array, signs: Array, slopes: Array) -> tuple[Array, float]:
    """Weights p and the bound that the dual multipliers prove for them."""
    import cvxpy as cp

    P, n = signs.shape
    p, t = cp.Variable(n, nonneg=True), cp.Variable()
    alpha, beta = cp.Variable((P, n), nonneg=True), cp.Variable((P, n), nonneg=True)
    payoff = cp.multiply(slopes, np.ones((P, 1)) @ cp.reshape(cp.multiply(p, y), (1, n), order="C")) @ Z
    sides = [payoff + cp.multiply(alpha, signs) @ Z, -payoff + cp.multiply(beta, signs) @ Z]
    constraints = [cp.norm(side, axis=1) <= t for side in sides]
    if not _solve(cp.Problem(cp.Minimize(t), [cp.sum(p) == 1, *constraints])):
        raise SolverError("Clarabel returned no adversary for the program over activation patterns")
    weights = np.maximum(p.value, 0.0)
    weights /= weights.sum()
    exact = (slopes * (weights * y)) @ Z
    pushes = [(np.maximum(multiplier.value, 0.0) * signs) @ Z for multiplier in (alpha, beta)]
    upper = max(np.linalg.norm(exact + pushes[0], axis=1).max(), np.linalg.norm(-exact + pushes[1], axis=1).max())
    return weights, float(upper)


def activation_patterns(Z: Array) -> NDArray[np.int8]:
    """All sign patterns (sign(a.z_1), ..., sign(a.z_n)) of generic a, entries +-1, shape (P, n); zero rows count as +1.

    Exact for the given floats: the points are added one by one, and the hyperplane of z_i splits just those cells that
    appear in the arrangement that the earlier hyperplanes cut out of it, which is the same problem in dimension D-1.
    """
    rows = [[Fraction(float(x)) for x in z] for z in Z]
    proper = [row for row in rows if any(row)]
    patterns: dict[tuple[int, ...], None] = {}
    for a in _cell_points(proper, Z.shape[1]):
        patterns[tuple(1 if _dot(a, row) >= 0 else -1 for row in rows)] = None
    return np.array(sorted(patterns), dtype=np.int8).reshape(-1, len(Z))


def _cell_points(rows: list[Vector], D: int) -> list[Vector]:
    """A rational point inside each cell of the arrangement of the hyperplanes row^perp (no row is zero)."""
    points: dict[tuple[bool, ...], Vector] = {(): [Fraction(1)] + [Fraction(0)] * (D - 1)}
    for i, row in enumerate(rows):
        found = [a for a in points.values() if _dot(a, row)]
        basis = _orthogonal_basis(row)
        earlier = [projected for projected in ([_dot(b, z) for b in basis] for z in rows[:i]) if any(projected)]
        for inner in _cell_points(earlier, D - 1) if D > 1 else [[]]:
            a = [sum((c * b[d] for c, b in zip(inner, basis, strict=True)), Fraction(0)) for d in range(D)]
            found += [_shift(a, row, rows[:i], side) for side in (1, -1)]
        points = {tuple(_dot(a, z) > 0 for z in rows[: i + 1]): a for a in found}
    return list(points.values())


def _shift(a: Vector, row: Vector, others: list[Vector], side: int) -> Vector:
    """A point on the given side of row^perp, so near to a that no nonzero sign changes."""
    steps = [abs(_dot(a, z)) / abs(_dot(row, z)) for z in others if _dot(a, z) and _dot(row, z)]
    step = side * min(steps, default=Fraction(2)) / 2
    return [x + step * r for x, r in zip(a, row, strict=True)]


def _orthogonal_basis(row: Vector) -> list[Vector]:
    """D-1 independent rational vectors orthogonal to a nonzero row."""
    pivot = next(d for d, x in enumerate(row) if x)
    basis = []
    for d in range(len(row)):
        if d != pivot:
            vector = [Fraction(0)] * len(row)
            vector[d], vector[pivot] = Fraction(1), -row[d] / row[pivot]
            basis.append(vector)
    return basis


def _dot(a: Vector, b: Vector) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
