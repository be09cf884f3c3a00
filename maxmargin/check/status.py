"""The relative gap and the status that follow from a bracket."""

from __future__ import annotations

import math

import numpy as np

from .claim import Claim
from .dependence import check_dependence
from .verdict import Refusal

ATTAINED = 1e-6  # relative gap at which the classifier shows that a dual bound is attained


def check_gap(claim: Claim) -> str:
    """relative_gap = (upper - lower) / upper, and 0 when both are 0."""
    if math.isinf(claim.upper):
        if claim.gap not in (None, 1.0):
            raise Refusal(f"relative_gap: found {claim.gap!r} although no upper end is claimed")
        return "no upper end is claimed, hence no gap"
    gap = 0.0 if claim.upper == claim.lower else (claim.upper - claim.lower) / claim.upper
    if claim.gap is None or abs(claim.gap - gap) > 1e-15 + 1e-9 * gap:
        raise Refusal(f"relative_gap: found {claim.gap!r}, but lower and upper give {gap!r}")
    return f"relative_gap = {gap:.3g} agrees with lower and upper"


def check_status(claim: Claim) -> str:
    """certified: gap <= tol; not-separable: both ends zero, for a reason; the others claim nothing more."""
    if not 0.0 <= claim.tol < 1.0:
        raise Refusal(f"tol: found {claim.tol!r}, wanted a relative gap in [0, 1)")
    if claim.status == "certified":
        if claim.gap is None or claim.gap > claim.tol:
            raise Refusal(f"status: 'certified' needs relative_gap <= tol, found {claim.gap!r} and tol {claim.tol!r}")
        if claim.scope == "dictionary" and claim.dictionary_sha256 is None:
            raise Refusal(
                "status: 'certified' in scope 'dictionary' needs the hash of the dictionary that was asked for"
            )
    if claim.status == "not-separable":
        soft = claim.nu is not None and claim.nu * len(claim.y) > 1.0
        # weights that cancel exactly may exceed the cap of a soft margin: there only an upper end of 0 is a proof
        zero = 0.0 if soft else _negligible(claim) * (1.0 + 1e-9)
        if claim.lower > 0.0 or claim.upper > zero:
            raise Refusal(
                f"status: 'not-separable' needs lower = 0, upper <= {zero:.3g}, found {claim.lower!r}, {claim.upper!r}"
            )
        check_dependence(claim)
    if claim.scope == "sphere-exact" and claim.proof is not None and (claim.gap is None or claim.gap > ATTAINED):
        raise Refusal(
            f"scope: a dual proof is 'sphere-exact' only if the lower end meets it, found relative_gap {claim.gap!r}"
        )
    return f"status {claim.status!r} follows from the gap, tol = {claim.tol:.3g} and scope {claim.scope!r}"


def _negligible(claim: Claim) -> float:
    """The payoff that counts as zero: 1e-12 of a bound over neurons, 1e-6 (a root) of a bound over the unit ball."""
    D, degree = claim.Z.shape[1], claim.activation.degree
    sizes = claim.p @ np.linalg.norm(claim.Z, axis=1) ** degree
    right, left = claim.activation.right, claim.activation.left
    if claim.norm == "f1":
        return float(1e-12 * claim.factor * max(abs(right), abs(left)) * sizes)
    # K(z, z) = right^2 + left^2 times, at |z| = 1: E (a.z)_+^2 = 1/(2D), E (a.z)_+^4 = 3/(2D(D+2)), P(a.z > 0) = 1/2
    gaussian = claim.law == "gaussian"
    outer = {1: 0.5 / (1 if gaussian else D), 2: 1.5 / (1 if gaussian else D * (D + 2))}[degree]
    inner = {1: 0.5, 2: 2.0 / (1 if gaussian else D)}[degree]
    unit = {"f2": outer, "ntk": inner + (outer if degree == 1 else 0.0)}[claim.norm]
    return float(1e-6 * math.sqrt((right * right + left * left) * unit) * sizes)
