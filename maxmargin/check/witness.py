"""Early refutation: before all cells are visited, a short ascent from likely directions looks for a better neuron.

A neuron that is found is compared exactly; if none is found, nothing follows.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from .claim import Claim
from .dictionary import exact_payoff
from .exact import Array, exact_sum
from .verdict import Refusal

STARTS, STEPS = 32, 20
EXACTLY = 3  # best directions that are compared without rounding
WORK = 4_000_000  # largest number of floats of one step


def refute(claim: Claim) -> None:
    """`Refusal` with a neuron that is paid more than the claim allows, if the ascent meets one."""
    support = np.flatnonzero(claim.p)
    if not claim.Z[support].any():
        return
    Z, q, degree = claim.Z[support], (claim.p * claim.y)[support], claim.activation.degree
    A = _ascended(claim, Z / (np.abs(Z).max() or 1.0), q)
    paid = np.abs(_payoffs(claim, A, Z, q))
    allowed = Fraction(claim.upper) * exact_sum(claim.p) / Fraction(claim.factor)
    for k in np.argsort(-paid, kind="stable")[:EXACTLY]:
        payoff = abs(exact_payoff(claim.activation, A[k], Z, q))
        square = sum((Fraction(float(v)) ** 2 for v in A[k]), Fraction(0))
        if payoff * payoff > allowed * allowed * square**degree:
            ratio = payoff * payoff / (allowed * allowed * square**degree) if allowed else Fraction(10) ** 300
            excess = float(min(ratio, Fraction(10) ** 300)) ** 0.5 - 1.0
            raise Refusal(
                f"upper: the neuron with direction {np.round(A[k], 6).tolist()} is paid more than the claim allows, "
                f"by a factor 1 + {excess:.3g}"
            )


def _payoffs(claim: Claim, A: Array, Z: Array, q: Array) -> Array:
    """g at the rows of A, in floats."""
    U, sigma = A @ Z.T, claim.activation
    values = sigma.right * np.maximum(U, 0.0) ** sigma.degree + sigma.left * np.maximum(-U, 0.0) ** sigma.degree
    return np.asarray(values @ q)


def _ascended(claim: Claim, Z: Array, q: Array) -> Array:
    """Unit directions: the starts, and the ends of a few gradient steps of |g| from them."""
    sigma = claim.activation
    A = _starts(claim, Z)
    best, value = A, np.abs(_payoffs(claim, A, Z, q))
    for _ in range(STEPS):
        U = A @ Z.T
        if sigma.degree == 1:
            slopes = np.where(U > 0.0, sigma.right, -sigma.left)
        else:
            slopes = sigma.right * np.maximum(U, 0.0) - sigma.left * np.maximum(-U, 0.0)
        gradient = np.sign(_payoffs(claim, A, Z, q))[:, None] * ((slopes * q) @ Z)
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        # half a step: the full one may jump over a kink and back for ever
        A = A + gradient / np.where(length > 0.0, length, 1.0)
        A = A / np.maximum(np.linalg.norm(A, axis=1, keepdims=True), 1e-300)
        now = np.abs(_payoffs(claim, A, Z, q))
        better = now > value
        best, value = np.where(better[:, None], A, best), np.maximum(now, value)
    return best


def _starts(claim: Claim, Z: Array) -> Array:
    """The classifier's neurons, the axes, some of the points, and their opposites."""
    D = Z.shape[1]
    rows = [np.eye(D)[:STARTS], Z[:: max(1, len(Z) // STARTS)][:STARTS]]
    if claim.directions is not None:
        rows.append(claim.directions[:: max(1, len(claim.directions) // STARTS)])
    A = np.vstack(rows)
    A = A[: max(1, WORK // max(1, 2 * len(Z)))]
    lengths = np.linalg.norm(A, axis=1, keepdims=True)
    A = A[lengths[:, 0] > 0.0] / lengths[lengths[:, 0] > 0.0]
    return np.vstack([A, -A])
