"""Proofs of upper bounds moved to other points or coordinates: for some of the points, for all of them, in a span."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..conventions import Array, Indices

Proof = dict[str, Any]
_OUTWARD = 1.0 + 1e-14  # factor on mu that covers the rounding of |omega|


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
