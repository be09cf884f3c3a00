r"""The proof format of lifted relaxations: the stored numbers, the inequality that they prove, and its verifier.

**Claim.** Given Z (n, D), labels y = +-1, weights p >= 0 (n,) and sigma(u) = right (u)_+^k + left (-u)_+^k, put
q = p y and ``g(a) = sum_i q_i sigma(a.z_i)``. A proof is a JSON-able dictionary that establishes ``s g(a) <= bound``
for s = +1 and s = -1 and every unit a (path convention, no factor 1/2)::

    {"kind": "lifted-relaxation", "version": 1,          # or 2, with "combinations"
     "support": [i, ...],                      # increasing indices of the N points that get a variable of their own
     "trees": [{"sign": 1, "tree": node}, {"sign": -1, "tree": node}]}

    node = {"point": i, "plus": node, "minus": node}             # i in support; halves z_i.a >= 0 and z_i.a <= 0
         | {"normal": [w_1, ..., w_D], "plus": node, "minus": node}      # halves w.a >= 0 and w.a <= 0
         | {"value": t, "rho": rho,                              # a leaf: s g(a) <= t on its cone (shift: see below)
            "mu": [mu_k, ...], "omega": [[D numbers], ...],      # K of each; mu_k >= |omega_k|
            "rows": [k, ...], "cols": [l, ...], "values": [N_kl, ...]}   # pairs k <= l, each at most once

In version 2, leaves have "combinations" [[N numbers], ...], K of them, instead of "omega": omega_k = sum_i c_ki z_i,
over the support. That is shorter where D exceeds N, and whatever rounding makes of the sum is a proof, too.

**Variables of a leaf.** The splits on the way from the root to the leaf, with side +1 (plus) or -1 (minus), define a
cone of directions. A support point that one of them names is *fixed* there; the others are *free*, F of them, in the
order of "support". For a in the cone with |a| = 1 put ``v = (r, a, h)`` in R^{1+D+F}, r = |a| = 1, h_i = (a.z_i)_+ .

**Forms.** K = (number of splits) + 2F linear forms l_k(v), all >= 0 on the cone, in this order:

1. ``side * z_i.a`` or ``side * w.a`` for each split, root first;
2. ``h_i`` for each free i  (= (a.z_i)_+);         3. ``h_i - z_i.a`` for each free i  (= (-a.z_i)_+).

The form P_i that stands for (a.z_i)_+ is h_i when i is free, the form of its split when fixed with side +1, and none
(zero) when fixed with side -1; likewise M_i for (-a.z_i)_+ is h_i - z_i.a, none, or the form of its split. (Should a
path name one point twice, the last split counts.) The payoff of i is the quadratic form

    phi_i = r (right P_i + left M_i)  for degree k = 1,        phi_i = right P_i^2 + left M_i^2  for degree k = 2.

**Identity.** The leaf's numbers define the symmetric matrix S of order 1+D+F by

    v'S v = t r^2 - s sum_{i in support} q_i phi_i
            - rho (r^2 - |a|^2)                         (rho of any sign: r = |a|)
            - sum_k ( mu_k r l_k - (omega_k.a) l_k )    (norm products: |omega_k.a| <= |omega_k| r <= mu_k r)
            - sum_{k<=l} N_kl l_k l_l                   (products: N_kl >= 0, but of any sign for the two forms
                                                         of one free point: h_i (h_i - z_i.a) = 0)

Every subtracted term is >= 0 on the cone, so if S is positive semidefinite then s g(a) <= t there.
The bound of the proof is the maximum of t over the leaves of both trees. The leaves of a tree cover the sphere.

**Repairs** that keep any numbers valid (`verify` makes them, a strict checker may refuse instead): a negative N_kl
counts as 0; mu_k < |omega_k| counts as |omega_k|; when S is not positive semidefinite, S + delta * diag(e) is for some
delta > 0, e > 0, and ``t + delta (e_r + max_a e + sum_free e_i |z_i|^2)`` replaces t; points outside the support with
q_i != 0 add ``|q_i| max(|right|, |left|) |z_i|^k``. Proofs written by this package need none of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions import Array
from ...errors import InputError
from ...features.homogeneous import Feature
from ...rounding import UNIT_ROUNDOFF, above, relative_error

KIND = "lifted-relaxation"


class Split(NamedTuple):
    """One half-space ``side * normal.a >= 0`` on the way to a leaf; `point` is its row of the support, or None."""

    point: int | None
    normal: Array
    side: int


Path = tuple[Split, ...]


@dataclass(frozen=True)
class Forms:
    """The non-negative forms of a leaf.

    Attributes
    ----------
    L : (K, 1+D+F) rows are the forms in v = (r, a, h).
    free : (F,) rows of the support whose sign is open.
    right, left : (N,) index of the form P_i, M_i of each support point, -1 where that part vanishes.
    """

    L: Array
    free: NDArray[np.int64]
    right: NDArray[np.int64]
    left: NDArray[np.int64]

    @property
    def complementary(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices (k, l) of the pairs h_i, h_i - z_i.a, whose product is zero."""
        return self.right[self.free], self.left[self.free]


def leaf_forms(Z: Array, path: Path) -> Forms:
    """Forms of the leaf reached by `path`; Z (N, D) holds the support points only."""
    N, D = Z.shape
    right, left = np.full(N, -1), np.full(N, -1)
    fixed = np.zeros(N, dtype=bool)
    for k, split in enumerate(path):
        if split.point is not None:
            fixed[split.point] = True
            right[split.point], left[split.point] = (k, -1) if split.side > 0 else (-1, k)
    free = np.flatnonzero(~fixed)
    P, F = len(path), len(free)
    L = np.zeros((P + 2 * F, 1 + D + F))
    for k, split in enumerate(path):
        L[k, 1 : 1 + D] = split.side * split.normal
    h = np.arange(F)
    L[P + h, 1 + D + h] = 1.0
    L[P + F + h, 1 + D + h] = 1.0
    L[P + F :, 1 : 1 + D] = -Z[free]
    right[free], left[free] = P + h, P + F + h
    return Forms(L, free, right, left)


def payoff_weights(forms: Forms, feature: Feature, q: Array) -> Array:
    """Coefficient (K,) of each form (degree 1: r l_k, degree 2: l_k^2) in sum_i q_i phi_i; q (N,) on the support."""
    weights = np.zeros(len(forms.L))
    for index, factor in ((forms.right, feature.right), (forms.left, feature.left)):
        used = index >= 0
        weights[index[used]] += factor * q[used]
    return weights


def slack_matrix(forms: Forms, degree: int, payoff: Array, leaf: dict[str, Any]) -> tuple[Array, Array]:
    """The matrix S of the identity, and a matrix that bounds the rounding error of each entry.

    Parameters
    ----------
    payoff : (K,) s times `payoff_weights`.
    leaf : "value", "rho" (floats), "mu" (K,), "omega" (K, D), "pairs" (K, K) symmetric with l'Nl = v'L'NLv.
    """
    L, omega = forms.L, leaf["omega"]
    D = omega.shape[1]
    in_row, in_pairs = (payoff, 0.0 * payoff) if degree == 1 else (0.0 * payoff, payoff)
    row, N = leaf["mu"] + in_row, leaf["pairs"] + np.diag(in_pairs)
    S = -_assemble(L, row, omega, N)
    sizes = np.abs(row) + np.abs(in_row), -np.abs(omega), np.abs(N) + np.diag(np.abs(in_pairs))
    magnitude = _assemble(np.abs(L), *sizes)
    S[0, 0] += leaf["value"] - leaf["rho"]
    a = np.arange(1, 1 + D)
    S[a, a] += leaf["rho"]
    magnitude[0, 0] += abs(leaf["value"]) + abs(leaf["rho"])
    magnitude[a, a] += abs(leaf["rho"])
    return S, relative_error(4 * len(L) + 16) * magnitude


def _assemble(L: Array, row: Array, omega: Array, N: Array) -> Array:
    """Symmetric matrix of r (row.l) - sum_k (omega_k.a) l_k + l'Nl."""
    D = omega.shape[1]
    half = np.zeros((L.shape[1], L.shape[1]))
    half[0] = 0.5 * (row @ L)
    half[1 : 1 + D] = -0.5 * (omega.T @ L)
    product = _times(_times(N, L, D).T, L, D)
    return half + half.T + 0.5 * (product + product.T)


def _times(N: Array, L: Array, D: int) -> Array:
    """N L: a column of h_i in L has two entries, both one, in the rows of the forms h_i and h_i - z_i.a."""
    F = L.shape[1] - 1 - D
    first = len(L) - 2 * F
    return np.hstack([N @ L[:, : 1 + D], N[:, first : first + F] + N[:, first + F :]])


def is_positive_semidefinite(S: Array, error: float) -> bool:
    """Proves that every symmetric matrix within `error` (spectral norm) of S is PSD; False means: not proved.

    If floating-point Cholesky of S - c I runs to the end and c >= error + gamma_{M+1}/(1 - gamma_{M+1}) tr(S),
    then S - error I is positive semidefinite (Rump, BIT 46 (2006), Theorem 2.3 and Corollary 2.4).
    """
    M = len(S)
    gamma = relative_error(M + 3)
    # The factor 2 also covers the rounding of S - c I; the last term, underflow.
    c = 2.0 * (error + gamma / (1.0 - gamma) * float(np.abs(np.diag(S)).sum())) + M * M * 1e-300
    try:
        np.linalg.cholesky(S - c * np.eye(M))
    except np.linalg.LinAlgError:
        return False
    return True


def leaf_bound(Z: Array, forms: Forms, degree: int, payoff: Array, leaf: dict[str, Any]) -> float:
    """Proved bound on s g over the leaf's cone: its value when S is PSD, else the value plus the shift that S needs."""
    S, error = slack_matrix(forms, degree, payoff, leaf)
    # Powers of two equilibrate S without rounding, first in the units of the points, then by what is left.
    D = Z.shape[1]
    units = np.r_[np.ones(1 + D), np.exp2(-np.round(np.log2(np.linalg.norm(Z[forms.free], axis=1) + 1e-300)))]
    diagonal = np.abs(np.diag(S)) / (units * units)
    e = units * np.exp2(np.round(0.5 * np.log2(np.maximum(diagonal, 1e-12 * diagonal.max() + 1e-300))))
    scaled, scaled_error = S / np.outer(e, e), float(np.linalg.norm(error / np.outer(e, e))) * (1.0 + 1e-8)
    if is_positive_semidefinite(scaled, scaled_error):
        return float(leaf["value"])
    delta = max(0.0, -float(np.linalg.eigvalsh(scaled)[0])) + 4.0 * scaled_error + 1e-13 * len(S)
    while not is_positive_semidefinite(scaled + delta * np.eye(len(S)), scaled_error + delta * UNIT_ROUNDOFF * 2):
        delta *= 1.5
        if not math.isfinite(delta):
            return math.inf
    squares = e * e
    budget = squares[0] + squares[1 : 1 + D].max() + squares[1 + D :] @ (Z[forms.free] ** 2).sum(axis=1)
    return above(leaf["value"], delta * float(budget) * (1.0 + relative_error(4 * len(S) + 4 * D)))


def verify(Z: Array, y: Array, feature: Feature, p: Array, proof: dict[str, Any]) -> float:
    """Proved bound on ``max over s, |a|=1 of s sum_i p_i y_i sigma(a.z_i)``, from the numbers of the proof alone.

    Whatever the multipliers are, the result is a valid bound: repairs as stated at the top of this file.

    Raises
    ------
    InputError : the proof is not of the documented form.
    """
    q = np.asarray(p, dtype=float) * y
    support = np.asarray(proof.get("support", []), dtype=np.int64)
    if proof.get("kind") != KIND or [tree["sign"] for tree in proof["trees"]] != [1, -1]:
        raise InputError(f"proof: found kind {proof.get('kind')!r}, wanted {KIND!r} with one tree for each sign +1, -1")
    if len(support) and (support[0] < 0 or support[-1] >= len(Z) or (np.diff(support) <= 0).any()):
        raise InputError("proof: support must be increasing indices of points")
    bound = -math.inf
    for tree in proof["trees"]:
        for path, leaf in walk(tree["tree"], Z, support):
            forms = leaf_forms(Z[support], path)
            payoff = tree["sign"] * payoff_weights(forms, feature, q[support])
            numbers = unpack(in_coordinates(leaf, Z[support]), forms, Z.shape[1])
            bound = max(bound, leaf_bound(Z[support], forms, feature.degree, payoff, numbers))
    return above(bound, _left_out(Z, q, feature, support)) if len(support) < len(Z) else bound


def walk(
    node: dict[str, Any], Z: Array, support: NDArray[np.int64], path: Path = ()
) -> list[tuple[Path, dict[str, Any]]]:
    """All leaves below a node with their paths, plus sides first."""
    if "value" in node:
        return [(path, node)]
    if "point" in node:
        row = int(np.searchsorted(support, node["point"]))
        if row == len(support) or support[row] != node["point"]:
            raise InputError(f"proof: split on point {node['point']!r}, which is not in the support")
        point, normal = row, Z[node["point"]]
    else:
        point, normal = None, np.asarray(node["normal"], dtype=float)
    return [
        leaf
        for side, child in ((1, "plus"), (-1, "minus"))
        for leaf in walk(node[child], Z, support, (*path, Split(point, normal, side)))
    ]


def in_coordinates(leaf: dict[str, Any], Z: Array) -> dict[str, Any]:
    """The leaf with "omega" itself, if it states combinations of the support points Z (N, D)."""
    if "omega" in leaf:
        return leaf
    combinations = np.asarray(leaf.get("combinations", ()), dtype=float)
    if combinations.ndim != 2 or combinations.shape[1] != len(Z):
        found = f"a leaf without omega and with combinations of shape {combinations.shape}"
        raise InputError(f"proof: found {found}, wanted one number for each of {len(Z)} points")
    return {**leaf, "omega": combinations @ Z}


def unpack(leaf: dict[str, Any], forms: Forms, D: int) -> dict[str, Any]:
    """Leaf of the JSON as arrays, multipliers brought to their signs and cones (outward)."""
    K = len(forms.L)
    omega = np.asarray(leaf["omega"], dtype=float).reshape(-1, D)
    mu = np.asarray(leaf["mu"], dtype=float)
    rows, cols = (np.asarray(leaf[key], dtype=np.int64) for key in ("rows", "cols"))
    if len(mu) != K or len(omega) != K or (rows > cols).any() or (cols >= K).any() or (rows < 0).any():
        raise InputError(f"proof: a leaf of {K} forms has {len(mu)} mu, {len(omega)} omega, or pairs out of range")
    upper = np.zeros((K, K))
    upper[rows, cols] = leaf["values"]
    keep = np.zeros((K, K), dtype=bool)
    keep[forms.complementary] = True
    upper = np.where(keep, upper, np.maximum(upper, 0.0))
    length = np.sqrt((omega * omega).sum(axis=1)) * (1.0 + relative_error(2 * D + 6))
    return {
        "value": float(leaf["value"]),
        "rho": float(leaf["rho"]),
        "mu": np.maximum(mu, length),
        "omega": omega,
        "pairs": 0.5 * (upper + upper.T),
    }


def _left_out(Z: Array, q: Array, feature: Feature, support: NDArray[np.int64]) -> float:
    """Bound on what the points without a variable can pay: |q_i| max(|right|, |left|) |z_i|^degree each."""
    rest = np.ones(len(Z), dtype=bool)
    rest[support] = False
    rest &= q != 0.0
    if not rest.any():
        return 0.0
    factor = max(abs(feature.right), abs(feature.left))
    total = factor * float(np.abs(q[rest]) @ np.linalg.norm(Z[rest], axis=1) ** feature.degree)
    return total * (1.0 + relative_error(4 * Z.shape[1] + len(Z) + 16))
