"""Wide data: with fewer points than coordinates, everything happens in the span of the points.

With orthonormal rows B (n, D) and X = Z B' (from a QR factorisation of Z') every z_i is B' x_i, so that for unit a

    g(a) = sum_i q_i sigma(a.z_i) = sum_i q_i sigma((B a).x_i),        |B a| <= 1.

A bound for all unit vectors of the span is a bound for all of R^D, because g is homogeneous.  One coordinate more, in
which all x_i vanish, stands for all that is orthogonal to the span; a proof found with it is one in R^D, too, once its
vectors are mapped by B'.  What rounding leaves of ``z_i = B' x_i`` and of ``|B| = 1`` is bounded, and added:

    |g(a) - sum_i q_i sigma((B a).x_i)| <= L sum_i |q_i| e_i           (degree 1),     |z_i - B' x_i| <= e_i,
                                        <= L sum_i |q_i| e_i (2 |z_i| + e_i)   (degree 2),   L = max(|right|, |left|).

A proof of an upper bound is moved to other points or coordinates: for some of the points, for all of them, in a span.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..conventions import Array, Indices
from ..features.homogeneous import Feature
from ..rounding import UNIT_ROUNDOFF, above, relative_error

_FEW = 32  # up to this many coordinates a reduction does not pay
Proof = dict[str, Any]
_OUTWARD = 1.0 + 1e-14  # factor on mu that covers the rounding of |omega|


def wide(Z: Array) -> bool:
    """Whether the points (n, D) have so few rows that working in their span pays."""
    return Z.shape[1] > max(len(Z) + 1, _FEW)


@dataclass(frozen=True)
class Span:
    """Coordinates of wide data in their span.

    Attributes
    ----------
    X : (n, n+1) coordinates; the last column is zero.
    basis : (n, D) rows, orthonormal up to rounding.
    errors : (n,) with ``|z_i - basis' x_i| <= errors_i``.
    lengths : (n,) with ``|z_i| <= lengths_i``.
    stretch : ``|basis a| <= stretch`` for every unit a.
    """

    X: Array
    basis: Array
    errors: Array
    lengths: Array
    stretch: float

    @classmethod
    def of(cls, Z: Array) -> Span:
        """The span of the rows of Z (n, D), n < D, by Householder's QR factorisation."""
        n, D = Z.shape
        Q, R = np.linalg.qr(Z.T)
        X, basis = np.ascontiguousarray(R.T), np.ascontiguousarray(Q.T)
        grown = 1.0 + relative_error(4 * D + 16)
        # a computed product of n terms errs by gamma_n times that of the absolute values; |basis|_F <= sqrt(n) 1.01
        rounding = relative_error(2 * n + 8) * 1.02 * np.sqrt(n) * np.linalg.norm(X, axis=1)
        errors = (np.linalg.norm(Z - X @ basis, axis=1) + rounding) * grown
        skew = float(np.linalg.norm(basis @ basis.T - np.eye(n))) * grown + 1.02 * n * relative_error(2 * D + 8)
        coordinates = np.hstack([X, np.zeros((n, 1))])
        return cls(coordinates, basis, errors, np.linalg.norm(Z, axis=1) * grown, float(np.sqrt(1.0 + skew)) * grown)

    def coordinates(self, A: Array) -> Array:
        """Directions A (K, D) in the span's coordinates, (K, n+1), without what is orthogonal to it."""
        return np.hstack([A @ self.basis.T, np.zeros((len(A), 1))])

    def lift(self, A: Array) -> Array:
        """Unit vectors (K, D) for directions A (K, n+1); what is orthogonal to the span is left out."""
        inside = np.where(A[:, :-1].any(axis=1, keepdims=True), A[:, :-1], 1.0)
        lifted = inside @ self.basis
        return np.asarray(lifted / np.linalg.norm(lifted, axis=1, keepdims=True))

    def bound(self, bound: float, q: Array, feature: Feature) -> float:
        """A bound on ``s sum_i q_i sigma(a.z_i)`` over unit a of R^D, from one over unit vectors of the span."""
        moved = self.errors if feature.degree == 1 else self.errors * (2.0 * self.lengths + self.errors)
        slack = max(abs(feature.right), abs(feature.left)) * float(np.abs(q) @ moved)
        stretched = max(bound, 0.0) * self.stretch**feature.degree
        error = (slack + 8.0 * UNIT_ROUNDOFF * stretched) * (1.0 + relative_error(2 * len(q) + 8))
        return above(stretched, error)

    def wider(self, proof: dict[str, Any]) -> dict[str, Any]:
        """The same proof with its vectors in R^D."""
        return mapped(proof, lambda V: V[:, :-1] @ self.basis)

    def narrower(self, proof: dict[str, Any]) -> dict[str, Any]:
        """The same proof with its vectors in the span's coordinates."""
        return mapped(proof, self.coordinates)


def restricted(proof: Proof, rows: Indices) -> Proof:
    """The proof for the points `rows` (increasing) alone, which hold all points that it names."""
    if "trees" not in proof:
        return _spectral(proof, lambda beta: beta[rows])
    return _lifted(proof, lambda points: np.searchsorted(rows, points), lambda V: V)


def extended(proof: Proof, rows: Indices, n: int) -> Proof:
    """The proof for n points from one for the points `rows` alone."""
    if "trees" not in proof:
        return _spectral(proof, lambda beta: _ones_but(beta, rows, n))
    return _lifted(proof, lambda points: rows[points], lambda V: V)


def mapped(proof: Proof, change: Callable[[Array], Array]) -> Proof:
    """The proof with its vectors changed: `omega` and `normal` of lifted relaxations; spectral ones have none."""
    return _lifted(proof, lambda points: points, change) if "trees" in proof else proof


def combined(proof: Proof, X: Array) -> Proof:
    """The proof of a lifted relaxation for points X (n, d) with each omega as a combination of its support's points.

    In coordinates of their span this is N numbers for a form, whatever the coordinates in which it is read.  Where the
    points do not reach an omega, the proof becomes another one, which may prove less.
    """
    if "trees" not in proof:
        return proof
    points = X[np.asarray(proof["support"], dtype=np.intp)]
    inverse = np.asarray(np.linalg.pinv(points, rcond=1e-13), dtype=np.float64)
    return {
        **proof,
        "version": 2,
        "trees": [{**t, "tree": _combined(t["tree"], points, inverse)} for t in proof["trees"]],
    }


def _combined(node: Proof, points: Array, inverse: Array) -> Proof:
    if "value" not in node:
        return {**node, **{side: _combined(node[side], points, inverse) for side in ("plus", "minus")}}
    if "omega" not in node:
        return node
    omega = np.asarray(node["omega"], dtype=float).reshape(-1, points.shape[1])
    C = omega @ inverse
    C = C + (omega - C @ points) @ inverse  # what rounding left
    mu = np.maximum(node["mu"], np.linalg.norm(C @ points, axis=1) * _OUTWARD)
    rest = {name: value for name, value in node.items() if name != "omega"}
    return {**rest, "mu": mu.tolist(), "combinations": C.tolist()}


def _ones_but(beta: Array, rows: Indices, n: int) -> Array:
    out = np.ones(n)
    out[rows] = beta
    return out


def _spectral(proof: Proof, change: Callable[[Array], Array]) -> Proof:
    leaves = [
        {**leaf, "beta": change(np.asarray(leaf["beta"])).tolist() if leaf["beta"] else []} for leaf in proof["signs"]
    ]
    return {**proof, "signs": leaves}


def _lifted(proof: Proof, points: Callable[[Indices], Indices], vectors: Callable[[Array], Array]) -> Proof:
    trees = [{**tree, "tree": _node(tree["tree"], points, vectors)} for tree in proof["trees"]]
    support = points(np.asarray(proof["support"], dtype=np.intp))
    return {**proof, "support": support.tolist(), "trees": trees}


def _node(node: Proof, points: Callable[[Indices], Indices], vectors: Callable[[Array], Array]) -> Proof:
    if "value" in node:
        if "combinations" in node:
            return node
        old = np.asarray(node["omega"], dtype=float)
        if not old.size:
            return node
        omega = vectors(old)
        if omega is old:
            return node
        mu = np.maximum(node["mu"], np.linalg.norm(omega, axis=1) * _OUTWARD)
        return {**node, "omega": omega.tolist(), "mu": mu.tolist()}
    out = {**node, "plus": _node(node["plus"], points, vectors), "minus": _node(node["minus"], points, vectors)}
    if "point" in node:
        out["point"] = int(points(np.array([node["point"]]))[0])
    else:
        out["normal"] = vectors(np.asarray(node["normal"], dtype=float)[None])[0].tolist()
    return out
