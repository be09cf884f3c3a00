"""Minimum norms: both ends of ``min { norm(f) : |f(x_i) - t_i| <= E }``, from the document of ``maxmargin norm`` alone.

    lower:  any weights p of any sign prove   norm(f) >= (p.t - E |p|_1) / max_{norm(g) <= 1} sum_i p_i g(x_i)
    upper:  the norm of a function that meets all targets (`interpolant`)

With y_i the sign of p_i, the maximum is the payoff of the weights |p_i| in the game of margins: the same arguments
settle it.  An infinite lower end says that no function takes the values: p then pays every function exactly nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from ..errors import InputError
from . import interpolant, kernel
from .claim import SCOPES, Claim, read_claim
from .exact import Array, exact_sum
from .fields import choice, field, number, numbers, shown
from .sphere import check_proof, check_sphere
from .status import check_gap
from .verdict import Limits, NotSettled, Refusal, Step

FORMAT, VERSION = "maxmargin-norm", 1
STATUSES = ("certified", "bracketed", "interrupted", "infeasible")


@dataclass(frozen=True)
class NormClaim:
    """A document that is structurally sound, with the data of which it speaks.

    Attributes
    ----------
    game : the margin game of the same ball with labels sign(p_i) and weights |p_i|; its ends are not those of the norm.
    targets : (n,).  tube : E >= 0.  p : (n,) weights of any sign.
    lower, upper, gap, tol, status : as the document states them; inf where it states null.
    """

    game: Claim
    targets: Array
    tube: float
    p: Array
    lower: float
    upper: float
    gap: float | None
    tol: float
    status: str

    @property
    def earned(self) -> Fraction:
        """p.t - E |p|_1, without rounding."""
        weights = [Fraction(float(v)) for v in self.p]
        both = zip(weights, map(float, self.targets), strict=True)
        return sum((w * Fraction(t) for w, t in both), Fraction(0)) - Fraction(self.tube) * sum(map(abs, weights))


def read_values(X: Any, targets: Any) -> tuple[Array, Array]:
    """Points (n, d) and real targets (n,); `InputError` when they are neither."""
    try:
        X, t = np.array(X, dtype=float) + 0.0, np.array(targets, dtype=float) + 0.0
    except (TypeError, ValueError) as error:
        raise InputError(f"data: X and targets must be numbers ({error})") from error
    if X.ndim != 2 or t.shape != X.shape[:1] or not X.size or not (np.isfinite(X).all() and np.isfinite(t).all()):
        raise InputError(f"data: found X of shape {X.shape}, targets of shape {t.shape}, wanted finite (n, d) and (n,)")
    return X, t


def digest(X: Array, targets: Array) -> str:
    """SHA-256 of n and d (little-endian int64), X and the targets (little-endian float64)."""
    parts = np.array(X.shape, dtype="<i8"), np.ascontiguousarray(X, "<f8"), np.ascontiguousarray(targets, "<f8")
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def check_data(document: dict[str, Any], X: Array, targets: Array) -> str:
    """n, d and the hash of points and targets are those of the document."""
    problem = field(document, "problem", dict)
    for name, actual in zip(("n", "d"), X.shape, strict=True):
        if field(problem, name, int) != actual:
            raise Refusal(f"problem.{name}: the document says {shown(problem[name])}, the data have {actual}")
    stated = field(problem, "data_sha256", str)
    if stated != digest(X, targets):
        raise Refusal(f"data: their hash is {digest(X, targets)[:12]}..., the document speaks of {stated[:12]}...")
    return f"n, d and the hash {stated[:12]}... of points and targets are those of the document"


def read(document: dict[str, Any], X: Array, targets: Array) -> NormClaim:
    """Every field with its type, length and range; `Refusal` names the first that is wrong."""
    problem, p = field(document, "problem", dict), numbers(document, "adversary", (len(X),))
    if problem.get("nu") is not None or "adversary_low" in document:
        raise Refusal("problem: found nu or adversary_low, which belong to margins")
    stated = {"lower": 0.0, "upper": None, "relative_gap": None, "status": "bracketed"}
    game = read_claim(document | stated, X, np.where(p < 0.0, -1.0, 1.0))
    if game.scope == "dictionary":
        raise Refusal(f"scope: found 'dictionary', wanted one of {', '.join(SCOPES[game.norm][:2])}")
    ends = [math.inf if document.get(end, 0.0) is None else number(document, end) for end in ("lower", "upper")]
    gap = None if document.get("relative_gap", 0.0) is None else number(document, "relative_gap")
    status = choice(document, "status", STATUSES)
    tube, game = number(problem, "tube"), replace(game, p=np.abs(p), p_parts=np.abs(p)[None, :])
    return NormClaim(game, targets, tube, p, ends[0], ends[1], gap, game.tol, status)


def check_structure(claim: NormClaim) -> str:
    """0 <= lower <= upper, a tube >= 0, and a status that follows from the ends."""
    if not claim.tube >= 0.0:
        raise Refusal(f"problem.tube: found {claim.tube!r}, wanted a distance >= 0")
    if not 0.0 <= claim.lower <= claim.upper:
        raise Refusal(f"bracket: lower {claim.lower!r} and upper {claim.upper!r}, wanted 0 <= lower <= upper")
    if not 0.0 <= claim.tol < 1.0:
        raise Refusal(f"tol: found {claim.tol!r}, wanted a relative gap in [0, 1)")
    check_gap(replace(claim.game, lower=claim.lower, upper=claim.upper, gap=claim.gap))
    if claim.status == "certified" and (claim.gap is None or claim.gap > claim.tol or math.isinf(claim.upper)):
        raise Refusal(f"status: 'certified' needs relative_gap <= tol, found {claim.gap!r} and tol {claim.tol!r}")
    if (claim.status == "infeasible") != math.isinf(claim.lower):
        raise Refusal(f"status: found {claim.status!r} with lower {claim.lower!r}; 'infeasible' says lower = inf")
    return f"n = {claim.game.Z.shape[0]}, D = {claim.game.Z.shape[1]}, all fields present, finite and consistent"


def check_lower(claim: NormClaim, limits: Limits) -> str:
    """The weights p prove the lower end."""
    game, earned = claim.game, claim.earned
    if claim.lower == 0.0:
        return "lower = 0 holds for every norm"
    if earned <= 0:
        raise Refusal("lower: the weights prove nothing, p.t - tube |p|_1 is not positive")
    if math.isinf(claim.lower):
        return _pays_nothing(claim)
    game = replace(game, upper=earned / Fraction(claim.lower) / exact_sum(game.p))
    try:
        if game.norm != "f1":
            detail = kernel.check_upper(kernel.Images(game, limits))
        else:
            detail = check_sphere(game, limits) if game.proof is None else check_proof(game, game.proof, limits)
    except Refusal as refusal:
        sentence = str(refusal).removeprefix("upper: ")
        kind = NotSettled if isinstance(refusal, NotSettled) else Refusal
        raise kind(f"lower: {claim.lower!r} does not follow from the weights: {sentence}") from None
    return f"the weights prove {claim.lower!r} ({detail})"


def _pays_nothing(claim: NormClaim) -> str:
    """No function takes the values: the weights of equal points cancel, and they would earn something."""
    Z = claim.game.Z
    group = np.unique(Z, axis=0, return_inverse=True)[1].reshape(-1)
    for k in np.unique(group[claim.p != 0.0]):
        members = np.flatnonzero(group == k)
        if Z[members[0]].any() and exact_sum(claim.p[members]) != 0:
            raise Refusal(f"lower: inf needs weights that cancel on equal points; those at point {members[0]} do not")
    return "no function takes these values: equal points have targets more than two tubes apart"


def steps(document: dict[str, Any], X: Array, targets: Array, limits: Limits) -> Iterator[Step]:
    """All that is to be checked of a minimum norm, in order."""
    yield "data", "SHA-256", partial(check_data, document, X, targets)
    yield "structure", "comparison", lambda: check_structure(read(document, X, targets))
    claim = read(document, X, targets)
    long = claim.game.norm != "f1"
    arithmetic = "fixed point, 160 bits or more" if long else "floats with rigorous error bounds, exact integers"
    yield "lower", arithmetic, partial(check_lower, claim, limits)
    if not math.isinf(claim.upper):
        upper = interpolant.check_kernel if long else interpolant.check_variation
        ends = claim.upper, Fraction(claim.tube)
        yield "upper", arithmetic, partial(upper, claim.game, claim.targets, *ends, limits)
