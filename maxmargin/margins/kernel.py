"""F2 and tangent-kernel margins: a min-norm point or a CVXPY program proposes, the kernel game certifies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..clock import Clock
from ..conventions import Array
from ..features.kernels_exact import BITS, ExactGram
from ..features.kernels_gram import NetworkGram
from ..games.certificate import Certificate
from ..games.exact import ExactKernelGame
from ..games.game import KERNEL_ZERO, Pair
from ..games.opposed_points import vanishes
from ..games.rkhs import KernelExpansion, KernelGame, network_game
from ..outcome import Attempt, Reason
from ..solvers import conic
from ..solvers.min_norm_exact import refine
from ..solvers.min_norm_point import min_norm_point, nnls_point
from ..solvers.soft_margin import soft_margin
from ..text import gap_text
from .prove import Proved, conclude
from .request import Request

_FINE = 1e-10  # relative gap that few points are brought to when the tolerance asks for as much or nearly so
_LOOSE, _SEARCHED = 1e-7, 0.1  # tolerances up to this one are met by a search that goes on to the end; else to a part
_DIGITS = 53  # binary digits of a double
_MOST_BITS = 16 * BITS  # enough for margins of 1e-300 relative to the data
_PATIENCE = 60.0  # seconds of exact arithmetic when there is no time limit


@dataclass(frozen=True)
class _Found(Proved):
    """A learner of norm one, an adversary p and what they prove; `low` are further parts of p (k, n)."""

    low: Array | None = None


def kernel_margin(request: Request) -> Certificate:
    """The F2 or tangent-kernel margin of a `Request`, hard or soft."""
    budget, Z, y = request.budget(), request.Z, request.data.y
    clock = budget.clock
    game = replace(network_game(request.norm, request.feature, Z, y, request.law), share=request.share)
    pair = propose(game, request, clock)
    learner, interrupted = game.unit(pair.learner), pair.reason is Reason.INTERRUPTED
    bracket = game.certify(learner, pair.p, request.tol / 2.0)
    found = _Found(learner, pair.p, bracket, pair.attempts, pair.rounds, interrupted)
    zero = _zero(game, request, found)
    if found.bracket.relative_gap > _wanted(request) and not zero and request.solver == "auto":
        found = _refined(game, found, request, clock)
        zero = _zero(game, request, found)
    # weights that cancel exactly may exceed the cap of a soft margin: there only an upper end of 0 is a proof
    proved = zero and game.share is None
    negligible = KERNEL_ZERO * game.size(found.p) if proved else -1.0
    return conclude(request.problem, game, found, budget, Z, negligible=negligible, adversary_low=found.low)


def _wanted(request: Request) -> float:
    """The relative gap beyond which exact arithmetic is worth its time."""
    return min(request.tol, _FINE) if request.tol <= 10.0 * _FINE else request.tol


def _zero(game: KernelGame, request: Request, found: _Found) -> bool:
    """Whether weights on the adversary's points cancel exactly, and its own nearly do: no digits are left to gain."""
    p, bracket = found.p, found.bracket
    near = bracket.lower == 0.0 and bracket.upper <= KERNEL_ZERO * game.size(p)
    return near and vanishes(request.Z, game.y, request.feature, p)


def _refined(game: KernelGame, found: _Found, request: Request, clock: Clock) -> _Found:
    """The same after refinement in exact arithmetic, in as many digits as the gap wanted needs and time allows.

    gamma^2 is 2**-k of the size of K_ii, so that entries, weights and coefficients need some k + 33 bits; k is not
    known before, hence the doubling.
    """
    if not isinstance(game.K, NetworkGram) or found.interrupted:
        return found
    patience = Clock(min(clock.left, _PATIENCE))
    gram, wanted = ExactGram(game.K.kernel, game.K.Z), _wanted(request)
    while gram.affordable and gram.bits <= _MOST_BITS and gram.seconds < patience.left:
        gap = gap_text(found.bracket.relative_gap)
        request.progress(f"exact arithmetic with {gram.bits} bits for {len(game.y)} points, gap so far {gap}")
        try:
            found = _attempted(game, found, gram, request, patience)
        except KeyboardInterrupt:  # what doubles have found is there
            return replace(found, interrupted=True, stopped=True)
        if found.bracket.relative_gap <= wanted or _zero(game, request, found):
            break
        gram = replace(gram, bits=2 * gram.bits)
    return found


def _attempted(game: KernelGame, found: _Found, gram: ExactGram, request: Request, clock: Clock) -> _Found:
    """The best pair that this Gram matrix gives, written down with as few doubles a number as the gap wanted allows."""
    wanted = _wanted(request)
    exact = ExactKernelGame(gram.matrix(), gram.error, game.y, game.scale, gram.bits, game.share)
    options: dict[str, Any] = {"bits": gram.bits, "share": game.share, "clock": clock}
    minimiser, attempt = refine(exact.matrix, game.y, found.p, game.scale, **options)
    found = replace(found, attempts=(*found.attempts, attempt))
    for count in range(1, gram.bits // _DIGITS + 2):
        if minimiser is None:
            break
        pair = minimiser.rounded(count)
        learner = KernelExpansion.of(pair.coefficients)
        for fewer in range(1, count + 1):  # weights as short as possible: their rounding matters to second order only
            p = np.atleast_2d(pair.p)[:fewer]
            finer = exact.certify(learner, p)
            if (finer.relative_gap, finer.upper) < (found.bracket.relative_gap, found.bracket.upper):
                found = replace(found, learner=learner, p=p[0], bracket=finer, low=p[1:] if fewer > 1 else None)
            if found.bracket.relative_gap <= wanted:
                return found
    return found


def propose(game: KernelGame, request: Request, clock: Clock) -> Pair:
    """A (classifier, adversary) pair from the solver that was asked for; for a soft margin, from a one-class SVM."""
    if game.share is not None:
        return soft_margin(game.K, game.y, request.cap)
    if request.solver == "auto":
        tol = 1e-12 if request.tol <= _LOOSE else _SEARCHED * request.tol
        return min_norm_point(game.K, game.y, tol, clock.left, request.progress)
    if request.solver == "nnls":
        return nnls_point(game.K, game.y)
    return _conic(game, request, clock)


def _conic(game: KernelGame, request: Request, clock: Clock) -> Pair:
    """CVXPY's answer; when its solver finds no classifier (margin 0), our own engine's, both on record."""
    K, y = np.asarray(game.K), game.y
    unit = float(np.mean(np.diagonal(K))) or 1.0
    solution = conic.solve(conic.kernel_program(K / unit, y), request.solver)
    attempt = Attempt(f"cvxpy/{request.solver}", solution.status, solution.seconds)
    if solution.variable is None or solution.dual is None or not solution.dual.any():
        fallback = min_norm_point(K, y, min(request.tol, 1e-12), clock.left, request.progress)
        return replace(fallback, attempts=(attempt, *fallback.attempts))
    learner = game.unit(KernelExpansion(solution.variable))
    return Pair(learner, solution.dual / solution.dual.sum(), attempts=(attempt,))
