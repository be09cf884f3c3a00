"""Proofs of kind "lifted-relaxation": trees of cones that cover the sphere, with one semidefinite matrix for each leaf.

A leaf stands for a cone of directions, cut out by its splits ``side * w.a >= 0``; w = z_i makes point i *fixed*, the
support points not named are *free*.  In v = (r, a, h), r = |a| = 1, h_i = (a.z_i)_+ for the free i, the K forms

    side * w.a  (each split),     h_i  (each free i),     h_i - z_i.a = (-a.z_i)_+  (each free i)

are >= 0 on the cone.  With P_i, M_i the forms that stand for (a.z_i)_+, (-a.z_i)_+ (zero on the wrong side of a split),

    v'Sv = t r^2 - s sum q_i phi_i - rho (r^2 - |a|^2) - sum_k (mu_k r - omega_k.a) l_k - sum N_kl l_k l_l ,
    phi_i = r (right P_i + left M_i)  (degree 1)    or    right P_i^2 + left M_i^2  (degree 2),

where mu_k >= |omega_k| and N_kl >= 0 (of any sign where l_k l_l = 0: the two forms of one free point).  All that is
subtracted besides the payoff is >= 0 or zero on the cone, so S >= 0 proves s g(a) <= t there.

With fewer support points than coordinates, all of this is read in those of `reduction`: the z_i are the x_i there, the
omega_k and the normals of splits their images under B, which prove what they prove like any others.  In version 2,
leaves state omega_k = sum_i c_ki z_i by "combinations" c; whatever rounding makes of that sum is taken as omega_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .claim import Activation, Claim
from .exact import relative_error
from .fields import Array, field, number, numbers, shown
from .reduction import Reduction
from .semidefinite import lacking
from .verdict import UNLIMITED, Limits, Refusal

MOST_LEAVES = 1_000_000


@dataclass(frozen=True)
class Points:
    """The support points Z (N, D), or their coordinates (N, N) in the span with the map to them.

    Attributes
    ----------
    Z : (N, D) support points, or (N, N) their coordinates in the span.  D : length of the proof's vectors.
    reduction : the map to the span, None without one.  combined : version 2, omega by combinations of the points.
    """

    Z: Array
    D: int
    reduction: Reduction | None
    combined: bool  # version 2: omega by combinations of the points

    @classmethod
    def of(cls, Z: Array, support: NDArray[np.int64], combined: bool) -> Points:
        """The rows `support` of all points."""
        reduction = Reduction.of(Z[support])
        return cls(Z[support] if reduction is None else reduction.X, Z.shape[1], reduction, combined)

    def coordinates(self, vectors: Array) -> Array:
        """Vectors of the proof in the coordinates of Z."""
        return vectors if self.reduction is None else self.reduction.coordinates(vectors)

    def multipliers(self, leaf: dict[str, Any], K: int) -> Array:
        """omega (K, D) in the coordinates of Z, as stated or from combinations of the support points."""
        if self.combined:
            return np.asarray(numbers(leaf, "combinations", (K, len(self.Z))) @ self.Z)
        return self.coordinates(numbers(leaf, "omega", (K, self.D)))


@dataclass(frozen=True)
class Cone:
    """Splits on the way to a leaf: the row of the support that each names (or -1), its normal, its side.

    Attributes
    ----------
    points : row of the support that each split names, -1 for none.  normals : (D,) normal of each split.
    sides : +1 or -1 for each split.
    """

    points: tuple[int, ...] = ()
    normals: tuple[Array, ...] = ()
    sides: tuple[int, ...] = ()

    def half(self, point: int, normal: Array, side: int) -> Cone:
        """The part with ``side * normal.a >= 0``."""
        return Cone((*self.points, point), (*self.normals, normal), (*self.sides, side))


def proved_bound(claim: Claim, proof: dict[str, Any], limits: Limits = UNLIMITED) -> tuple[float, int]:
    """The bound on ``s g(a)``, both signs and all unit a, that the proof establishes; and the number of leaves."""
    support = numbers(proof, "support", (None,))
    whole = support.astype(np.int64)
    if (whole != support).any() or (np.diff(whole) <= 0).any() or (whole < 0).any() or (whole >= len(claim.p)).any():
        raise Refusal("proof: support must be increasing indices of points")
    trees = field(proof, "trees", list)
    if [tree.get("sign") if isinstance(tree, dict) else None for tree in trees] != [1, -1]:
        raise Refusal("proof: wanted one tree for output sign 1 and one for -1")
    q = claim.p * claim.y
    points = Points.of(claim.Z, whole, proof.get("version") == 2)
    bound, leaves = -np.inf, 0
    for tree in trees:
        stack = [(field(tree, "tree", dict), Cone())]
        while stack:
            limits.demand()
            node, cone = stack.pop()
            if "value" in node:
                bound = max(bound, _leaf_bound(points, tree["sign"] * q[whole], claim.activation, cone, node))
                leaves += 1
                if leaves > MOST_LEAVES:
                    raise Refusal("proof: too many leaves for this checker")
            else:
                point, normal = _split(node, whole, points)
                stack += [
                    (field(node, name, dict), cone.half(point, normal, side))
                    for name, side in (("plus", 1), ("minus", -1))
                ]
    if points.reduction is not None:
        bound = points.reduction.bound(bound, q[whole], claim.activation)
    return _with_left_out(bound, claim, np.setdiff1d(np.flatnonzero(q), whole)), leaves


def _split(node: dict[str, Any], support: NDArray[np.int64], points: Points) -> tuple[int, Array]:
    if "point" not in node:
        return -1, points.coordinates(numbers(node, "normal", (points.D,)))
    point = field(node, "point", int)
    row = np.flatnonzero(support == point) if 0 <= point <= support.max(initial=-1) else np.zeros(0, dtype=np.intp)
    if not row.size:
        raise Refusal(f"proof: a split names point {shown(point)}, which is not in the support")
    return int(row[0]), points.Z[row[0]]


def _leaf_bound(points: Points, q: Array, activation: Activation, cone: Cone, leaf: dict[str, Any]) -> float:
    """t, raised by what the matrix lacks of being semidefinite: v'diag(e)v <= e_r + max_a e + sum_i e_i |z_i|^2."""
    Z, D = points.Z, points.Z.shape[1]
    L, linear, quadratic, complementary = _forms(Z, q, activation, cone)
    value, rho = number(leaf, "value"), number(leaf, "rho")
    mu, omega, N = _multipliers(leaf, len(L), points, complementary)
    S = -_symmetric(L, mu + linear, -omega, N + np.diag(quadratic))
    size = _symmetric(np.abs(L), mu + np.abs(linear), np.abs(omega), np.abs(N) + np.diag(np.abs(quadratic)))
    a = np.arange(1, D + 1)
    S[0, 0] += value - rho
    S[a, a] += rho
    size[0, 0] += abs(value) + abs(rho)
    size[a, a] += abs(rho)
    # zeros do not round: an entry of L'NL makes as many roundings as its two columns of L have nonzeros
    terms = (L != 0.0).sum(axis=0) + 1
    terms[0] = 2
    error = (terms[:, None] + terms[None, :] + 16) * (2.0**-53 * 1.001) * size + 1e-290
    free = L.shape[1] - 1 - D
    lengths = (Z[_free(cone, len(Z))] ** 2).sum(axis=1) if free else np.zeros(0)

    def budget(e: Array) -> float:
        return float(e[0] + e[1 : D + 1].max() + e[D + 1 :] @ lengths) * (1.0 + relative_error(free + D + 16))

    units = np.r_[np.ones(1 + D), np.exp2(-np.round(0.5 * np.log2(lengths + 1e-290)))]  # |h_i| <= |z_i|
    raised = lacking(S, error, budget, units)
    return value + raised + abs(value) * 2.0**-50 if raised else value


def _free(cone: Cone, N: int) -> NDArray[np.intp]:
    return np.setdiff1d(np.arange(N), np.array(cone.points, dtype=np.intp))


def _forms(Z: Array, q: Array, activation: Activation, cone: Cone) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """The forms L (K, 1+D+F); the payoff's coefficient of r l_k and of l_k^2 (K,); where l_k l_l = 0 (K, K)."""
    D, free, P = Z.shape[1], _free(cone, len(Z)), len(cone.sides)
    F = len(free)
    L = np.zeros((P + 2 * F, 1 + D + F))
    for k, (normal, side) in enumerate(zip(cone.normals, cone.sides, strict=True)):
        L[k, 1 : D + 1] = side * normal
    h, g = P + np.arange(F), P + F + np.arange(F)
    L[h, 1 + D + np.arange(F)] = L[g, 1 + D + np.arange(F)] = 1.0
    L[g, 1 : D + 1] = -Z[free]
    payoff = np.zeros(len(L))
    last = {point: k for k, point in enumerate(cone.points) if point >= 0}
    for point, k in last.items():
        payoff[k] = (activation.right if cone.sides[k] > 0 else activation.left) * q[point]
    payoff[h], payoff[g] = activation.right * q[free], activation.left * q[free]
    complementary = np.zeros((len(L), len(L)), dtype=bool)
    complementary[h, g] = True
    return L, payoff * (activation.degree == 1), payoff * (activation.degree == 2), complementary


def _multipliers(
    leaf: dict[str, Any], K: int, points: Points, complementary: NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """mu raised to |omega_k|, omega, and the symmetric N; a negative N_kl counts as 0 unless l_k l_l = 0."""
    mu, omega = numbers(leaf, "mu", (K,)), points.multipliers(leaf, K)
    values = numbers(leaf, "values", (None,))
    rows, cols = (numbers(leaf, name, (len(values),)).astype(np.int64) for name in ("rows", "cols"))
    if (rows < 0).any() or (rows > cols).any() or (cols >= K).any() or len(np.unique(rows * K + cols)) < len(rows):
        raise Refusal("proof: pairs of forms must be distinct, with rows <= cols in range")
    pairs = np.zeros((K, K))
    pairs[rows, cols] = np.where(complementary[rows, cols], values, np.maximum(values, 0.0))
    lengths = np.sqrt((omega * omega).sum(axis=1)) * (1.0 + relative_error(omega.shape[1] + 8)) + 1e-290
    return np.maximum(mu, np.where(omega.any(axis=1), lengths, 0.0)), omega, 0.5 * (pairs + pairs.T)


def _symmetric(L: Array, row: Array, omega: Array, N: Array) -> Array:
    """Matrix of r (row.l) + sum_k (omega_k.a) l_k + l'Nl in v."""
    half = np.zeros((L.shape[1], L.shape[1]))
    half[0] = row @ L
    half[1 : 1 + omega.shape[1]] = omega.T @ L
    products = L.T @ (N @ L)
    return 0.5 * (half + half.T) + 0.5 * (products + products.T)


def _with_left_out(bound: float, claim: Claim, rest: NDArray[np.intp]) -> float:
    """Points without a variable pay at most |q_i| max(|right|, |left|) |z_i|^degree each."""
    if not rest.size:
        return float(bound)
    sizes = np.linalg.norm(claim.Z[rest], axis=1) ** claim.activation.degree
    total = max(abs(claim.activation.right), abs(claim.activation.left)) * float(claim.p[rest] @ sizes)
    return (
        float(bound)
        + total * (1.0 + relative_error(len(rest) + 2 * claim.Z.shape[1] + 16))
        + abs(float(bound)) * 2.0**-50
    )
