"""The upper end over all directions: by enumeration of cells, or by a stored proof."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from . import relaxation, spectral
from .claim import Claim
from .exact import exact_sum
from .linear import check_linear
from .pieces import make_pieces
from .quadratic import check_quadratic
from .verdict import Refusal

_KINDS: dict[str, Callable[[Claim, dict[str, Any]], tuple[float, int]]] = {
    "lifted-relaxation": relaxation.proved_bound,
    "spectral": spectral.proved_bound,
}


def check_sphere(claim: Claim) -> str:
    """``|sum_i p_i y_i sigma(a.z_i)| <= upper sum p / factor`` for every unit a, cell by cell."""
    pieces = make_pieces(claim)
    if pieces.bound < 0:
        raise Refusal("upper: a negative upper end is impossible, f = 0 has margin 0")
    return check_linear(pieces) if pieces.degree == 1 else check_quadratic(pieces)


def check_proof(claim: Claim, proof: dict[str, Any]) -> str:
    """The same from a stored dual proof, whose own bound must not exceed the claim."""
    kind = proof.get("kind")
    if kind not in _KINDS or proof.get("version") != 1:
        raise Refusal(
            f"proof: found kind {kind!r} version {proof.get('version')!r}, wanted version 1 of {', '.join(_KINDS)}"
        )
    bound, matrices = _KINDS[kind](claim, proof)
    if not bound < float("inf") or Fraction(bound) * Fraction(claim.factor) > Fraction(claim.upper) * exact_sum(
        claim.p
    ):
        established = bound * claim.factor / float(claim.p.sum())
        raise Refusal(f"upper: the stored proof establishes {established:.17g} only, above the claimed {claim.upper!r}")
    return f"the stored proof ({kind}, {matrices} semidefinite matrices) establishes {claim.upper!r}"
