"""The upper end over all directions: by enumeration of cells, or by a stored proof."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from . import relaxation, spectral
from .claim import Claim
from .exact import exact_sum
from .fields import shown
from .limits import UNLIMITED, Limits
from .linear import check_linear
from .pieces import make_pieces
from .quadratic import check_quadratic
from .verdict import Refusal
from .witness import refute

_KINDS: dict[str, Callable[[Claim, dict[str, Any], Limits], tuple[float, int]]] = {
    "lifted-relaxation": relaxation.proved_bound,
    "spectral": spectral.proved_bound,
}
_VERSIONS = {"lifted-relaxation": (1, 2), "spectral": (1,)}  # 2: leaves have combinations instead of omega
_WANTED = "version 1 or 2 of lifted-relaxation, or version 1 of spectral"


def check_sphere(claim: Claim, limits: Limits = UNLIMITED) -> str:
    """``|sum_i p_i y_i sigma(a.z_i)| <= upper sum p / factor`` for every unit a, cell by cell."""
    pieces = make_pieces(claim)
    if pieces.bound < 0:
        raise Refusal("upper: a negative upper end is impossible, f = 0 has margin 0")
    refute(claim)
    return check_linear(pieces, limits) if pieces.degree == 1 else check_quadratic(pieces, limits)


def check_proof(claim: Claim, proof: dict[str, Any], limits: Limits = UNLIMITED) -> str:
    """The same from a stored dual proof, whose own bound must not exceed the claim."""
    kind = proof.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS or proof.get("version") not in _VERSIONS[kind]:
        found = f"kind {shown(kind)} version {shown(proof.get('version'))}"
        raise Refusal(f"proof: found {found}, wanted {_WANTED}")
    bound, matrices = _KINDS[kind](claim, proof, limits)
    if not bound < float("inf") or Fraction(bound) * Fraction(claim.factor) > Fraction(claim.upper) * exact_sum(
        claim.p
    ):
        established = bound * claim.factor / float(claim.p.sum())
        raise Refusal(f"upper: the stored proof establishes {established:.17g} only, above the claimed {claim.upper!r}")
    return f"the stored proof ({kind}, {matrices} semidefinite matrices) establishes {claim.upper!r}"
