"""F2 and tangent-kernel margins: a min-norm point or a CVXPY program proposes, the kernel game certifies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..conventions import PATH
from ..features.kernels_exact import ExactGram
from ..features.kernels_gram import NetworkGram
from ..games.bracket import KERNEL_ZERO, Bracket, Status
from ..games.certificate import Attempt, Certificate
from ..games.rkhs import KernelExpansion, KernelGame, network_game
from ..games.rkhs_exact import ExactKernelGame
from ..games.variation import VariationGame
from ..oracles.selection import proving_oracle
from ..solvers import conic
from ..solvers.min_norm_exact import refine
from ..solvers.min_norm_nnls import nnls_point
from ..solvers.min_norm_point import KernelProposal, min_norm_point
from .request import Request

Array = NDArray[np.float64]
Found = tuple[KernelProposal, KernelExpansion, Bracket]


def kernel_margin(request: Request) -> Certificate:
    """The F2 or tangent-kernel margin of a `Request`."""
    clock, Z, y = Clock(request.time_limit), request.Z, request.data.y
    game = network_game(request.norm, request.feature, Z, y, request.weights)
    proposal = propose(game, request, clock)
    learner = game.unit(KernelExpansion(proposal.coefficients))
    bracket = game.certify(learner, proposal.p, request.tol / 2.0)
    negligible = _negligible(game, request, proposal.p) if bracket.lower == 0.0 else 0.0
    status = bracket.status(request.tol, negligible, proposal.interrupted)
    if status is Status.BRACKETED and request.solver == "auto":
        proposal, learner, bracket = _refined(game, (proposal, learner, bracket))
    return Certificate(
        problem=request.problem,
        bracket=bracket,
        status=bracket.status(request.tol, negligible, proposal.interrupted),
        classifier=learner,
        adversary=proposal.p,
        tol=request.tol,
        attempts=proposal.attempts,
        iterations=proposal.iterations,
        seconds=clock.seconds,
        training=Z,
    )


def _refined(game: KernelGame, found: Found) -> Found:
    """The same after refinement in exact arithmetic, where that is affordable and better."""
    proposal, learner, bracket = found
    if not isinstance(game.K, NetworkGram):
        return found
    gram = ExactGram(game.K.kernel, game.K.Z)
    if not gram.affordable:
        return found
    matrix = gram.matrix()
    refined, attempt = refine(matrix, game.y, proposal.p, game.scale)
    tried = replace(proposal, attempts=(*proposal.attempts, attempt))
    if refined is None:
        return tried, learner, bracket
    expansion = KernelExpansion(refined.coefficients)
    finer = ExactKernelGame(matrix, gram.error, game.y, game.scale).certify(expansion, refined.p)
    if finer.relative_gap >= bracket.relative_gap:
        return tried, learner, bracket
    better = replace(tried, coefficients=refined.coefficients, p=refined.p)
    return better, expansion, finer


def _negligible(game: KernelGame, request: Request, p: Array) -> float:
    """The payoff that counts as a zero margin: none unless p pays no neuron anything.

    ``sum_i p_i y_i K(x_i, .) = 0`` iff ``sum_i p_i y_i sigma(a.z_i) = 0`` for all a. For nearly equal points the
    Gram matrix cannot tell, the oracles of F1 can.
    """
    Z = request.Z
    variation = VariationGame(Z, game.y, request.feature, PATH, oracle=proving_oracle(Z, request.feature, p))
    paid = variation.best_response(p, count=1).bound > variation.negligible(p)
    return -1.0 if paid else KERNEL_ZERO * game.size(p)


def propose(game: KernelGame, request: Request, clock: Clock) -> KernelProposal:
    """A (classifier, adversary) pair from the solver that was asked for."""
    if request.solver == "auto":
        return min_norm_point(game.K, game.y, min(request.tol, 1e-12), clock.left, request.progress)
    if request.solver == "nnls":
        return nnls_point(game.K, game.y)
    return _conic(game, request, clock)


def _conic(game: KernelGame, request: Request, clock: Clock) -> KernelProposal:
    """CVXPY's answer; when its solver finds no classifier (margin 0), our own engine's, both on record."""
    K, y = np.asarray(game.K), game.y
    unit = float(np.mean(np.diagonal(K))) or 1.0
    solution = conic.solve(conic.kernel_program(K / unit, y), request.solver)
    attempt = Attempt(f"cvxpy/{request.solver}", solution.status, solution.seconds)
    if solution.variable is None or solution.dual is None or not solution.dual.any():
        fallback = min_norm_point(K, y, min(request.tol, 1e-12), clock.left, request.progress)
        return replace(fallback, attempts=(attempt, *fallback.attempts))
    learner = game.unit(KernelExpansion(solution.variable))
    return KernelProposal(learner.coefficients, solution.dual / solution.dual.sum(), (attempt,))
