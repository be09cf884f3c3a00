"""The upper end over all directions: by enumeration of cells, or by a stored proof."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from . import relaxation, spectral
from .claim import Claim
from .exact import exact_sum
from .fields import shown
from .linear import linear_cells
from .pieces import make_pieces
from .quadratic import quadratic_cells
from .reduction import Reduction
from .sweep import sweep
from .verdict import UNLIMITED, Limits, NotSettled, Refusal
from .witness import refute

_KINDS: dict[str, Callable[[Claim, dict[str, Any], Limits], tuple[float, int]]] = {
    "lifted-relaxation": relaxation.proved_bound,
    "spectral": spectral.proved_bound,
}
_VERSIONS = {"lifted-relaxation": (1, 2), "spectral": (1,)}  # 2: leaves have combinations instead of omega
_WANTED = "version 1 or 2 of lifted-relaxation, or version 1 of spectral"

ATTEMPTS = 4  # tries at a bound that implies the claim despite rounding; the second nearly always succeeds
MOST_ENTRIES = 10_000_000  # of all quadratic forms together, each an integer of any size


def check_sphere(claim: Claim, limits: Limits = UNLIMITED) -> str:
    """``|sum_i p_i y_i sigma(a.z_i)| <= upper sum p / factor`` for every unit a, cell by cell.

    With fewer points than coordinates, a bound below the claim by what `reduction` loses is tried in few coordinates.
    """
    if claim.upper < 0:
        raise Refusal("upper: a negative upper end is impossible, f = 0 has margin 0")
    refute(claim)
    few = _in_few_coordinates(claim)
    if few is not None:
        try:
            return f"{_cells(few, limits)}, in the span of {len(few.p)} points"
        except Refusal:
            limits.demand()  # not a refutation: the claim may hold by a smaller amount
    N, D = int(np.count_nonzero(claim.p)), claim.Z.shape[1]
    if claim.activation.degree == 2 and N * D * D > MOST_ENTRIES:
        raise NotSettled(f"upper: {N} quadratic forms in {D} coordinates are too many for so small a slack")
    return _cells(claim, limits)


def _cells(claim: Claim, limits: Limits) -> str:
    pieces = make_pieces(claim)
    argument = linear_cells(pieces) if pieces.degree == 1 else quadratic_cells(pieces)
    return sweep(pieces, argument, limits)


def _in_few_coordinates(claim: Claim) -> Claim | None:
    """A claim about the points in few coordinates that implies this one; None where there is none."""
    support = np.flatnonzero(claim.p)
    reduction = Reduction.of(claim.Z[support])
    if reduction is None:
        return None
    p, y = claim.p[support], claim.y[support]
    allowed = Fraction(claim.upper) * exact_sum(p) / Fraction(claim.factor)
    upper = claim.upper
    for _ in range(ATTEMPTS):
        # the payoff that `upper` allows in few coordinates, rounded up
        payoff = math.nextafter(float(Fraction(upper) * exact_sum(p) / Fraction(claim.factor)), math.inf)
        least = reduction.bound(payoff, p * y, claim.activation)
        if math.isfinite(least) and Fraction(least) <= allowed:
            return replace(claim, Z=reduction.X, y=y, p=p, upper=upper)
        upper = math.nextafter(upper - 1.01 * max(0.0, (least / float(allowed) - 1.0) * upper), 0.0) if allowed else 0.0
        if not upper > 0.0:
            break
    return None


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
