"""F2 and tangent-kernel margins: a min-norm point or a CVXPY program proposes, the kernel game certifies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..games.bracket import KERNEL_ZERO
from ..games.certificate import Attempt, Certificate
from ..games.rkhs import KernelExpansion, KernelGame, network_game
from ..solvers import conic
from ..solvers.min_norm_nnls import nnls_point
from ..solvers.min_norm_point import KernelProposal, min_norm_point
from .request import Clock, Request

Array = NDArray[np.float64]


def kernel_margin(request: Request) -> Certificate:
    """The F2 or tangent-kernel margin of a `Request`."""
    clock, Z, y = Clock(request.time_limit), request.Z, request.data.y
    game = network_game(request.norm, request.feature, Z, y, request.weights)
    proposal = propose(game, request, clock)
    learner = game.unit(KernelExpansion(proposal.coefficients))
    bracket = game.certify(learner, proposal.p, request.tol / 2.0)
    return Certificate(
        problem=request.problem,
        bracket=bracket,
        status=bracket.status(request.tol, KERNEL_ZERO * game.size(proposal.p), proposal.interrupted),
        classifier=learner,
        adversary=proposal.p,
        tol=request.tol,
        attempts=proposal.attempts,
        iterations=proposal.iterations,
        seconds=clock.seconds,
        training=Z,
    )


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
