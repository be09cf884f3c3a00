"""Proofs of kind "spectral": every |a.z_i| replaced by a quadratic, and one semidefinite matrix for each output sign.

Degree 1. (u)_+ = (u + |u|)/2 and (-u)_+ = (|u| - u)/2, and for u = a.z_i with |a| = 1

    u^2 / |z_i|  <=  |u|  <=  (beta_i + u^2 / beta_i) / 2          for any beta_i > 0,

so with m = sum q_i (right - left)/2 z_i, w_i = s (right + left) q_i, and H the sum of w_i/(4 beta_i) z_i z_i' over
w_i > 0 and of w_i/(2 |z_i|) z_i z_i' over w_i < 0,  s g(a) <= t follows from

    [ t - rho - sum_{w_i > 0} w_i beta_i / 4     -s m'/2  ]
    [ -s m / 2                                   rho I - H ]   positive semidefinite.

Degree 2. s g(a) <= a' (sum_i max(s q_i right, s q_i left) z_i z_i') a <= rho.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .claim import Claim
from .exact import relative_error
from .fields import Array, field, number, numbers
from .reduction import Reduction
from .semidefinite import lacking
from .verdict import UNLIMITED, Limits, Refusal


def proved_bound(claim: Claim, proof: dict[str, Any], limits: Limits = UNLIMITED) -> tuple[float, int]:
    """The bound on ``s g(a)``, both signs and all unit a, that the proof establishes; and the number of matrices."""
    leaves = field(proof, "signs", list)
    if [leaf.get("sign") if isinstance(leaf, dict) else None for leaf in leaves] != [1, -1]:
        raise Refusal("proof: wanted one entry for output sign 1 and one for -1")
    limits.demand()
    support = np.flatnonzero(claim.p)
    reduction = Reduction.of(claim.Z[support])
    Z = claim.Z[support] if reduction is None else reduction.X
    bound = max(_leaf_bound(claim, leaf, Z, support) for leaf in leaves)
    q = (claim.p * claim.y)[support]
    return bound if reduction is None else reduction.bound(bound, q, claim.activation), len(leaves)


def _leaf_bound(claim: Claim, leaf: dict[str, Any], Z: Array, support: NDArray[np.intp]) -> float:
    q = leaf["sign"] * (claim.p * claim.y)[support]
    value, rho = number(leaf, "value"), number(leaf, "rho")
    right, left = claim.activation.right, claim.activation.left
    m, D = Z.shape
    corner, linear, linear_size = value - rho, np.zeros(D), np.zeros(D)
    corner_size = abs(value) + abs(rho)
    if claim.activation.degree == 1:
        beta = numbers(leaf, "beta", (len(claim.p),))[support]
        if not (beta > 0.0).all():
            raise Refusal("proof: beta must be positive")
        weight = (right + left) * q
        constant = 0.25 * float(np.maximum(weight, 0.0) @ beta)
        corner, corner_size = corner - constant, corner_size + constant
        linear = -0.25 * (right - left) * (q @ Z)
        linear_size = 0.25 * (abs(right) + abs(left)) * (np.abs(q) @ np.abs(Z))
        lengths = np.maximum(np.linalg.norm(Z, axis=1), 1e-300)
        curvature = np.where(weight > 0.0, 0.25 * weight / beta, 0.5 * weight / lengths)
    else:
        value, corner, corner_size = rho, 0.0, 0.0
        curvature = np.maximum(right * q, left * q)
    S, size = np.zeros((D + 1, D + 1)), np.zeros((D + 1, D + 1))
    S[0, 0], size[0, 0] = corner, corner_size
    S[0, 1:] = S[1:, 0] = linear
    size[0, 1:] = size[1:, 0] = linear_size
    H = (Z.T * curvature) @ Z
    S[1:, 1:] = rho * np.eye(D) - 0.5 * (H + H.T)
    size[1:, 1:] = (np.abs(Z).T * np.abs(curvature)) @ np.abs(Z) + abs(rho) * np.eye(D)
    error = relative_error(m + D + 24) * 1.001 * size + 1e-290
    if claim.activation.degree == 2:
        # no row for r: zeros would hide that the rest is definite
        S, error = S[1:, 1:], error[1:, 1:]
    # the vector is (1, a) or a, with |a| = 1
    raised = lacking(S, error, lambda e: float(e[:-D].sum() + e[-D:].max()) * (1.0 + 1e-12))
    return value + raised + abs(value) * 2.0**-50 if raised else value
