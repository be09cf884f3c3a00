"""Max margins of linear classifiers in the balls of `games.linear`: a least-norm point, or column generation."""

from __future__ import annotations

import numpy as np

from ..conventions import Array
from ..games.game import Bracket
from ..games.linear import LinearGame
from .master import Master
from .min_norm_point import min_norm_point

_ROUNDS = 200


def linear_max_margin(game: LinearGame, tol: float = 1e-10) -> tuple[Array, Array, Bracket]:
    """A pair (beta in the unit ball, p on the simplex) and the bracket that it proves.

    Parameters
    ----------
    tol : relative gap at which column generation stops; the least-norm point of the l2 ball is exact up to rounding.
    """
    if game.ball == "l2":
        pair = min_norm_point(game.Z @ game.Z.T, np.ones(len(game.Z)))
        beta, p = pair.learner.coefficients @ game.Z, pair.p
    else:
        beta, p = _column_generation(game, tol)
    beta = beta / game.norm(beta)
    return beta, p, game.certify(beta, p)


def _column_generation(game: LinearGame, tol: float) -> tuple[Array, Array]:
    """The best classifier and the best adversary of all rounds; every round adds one atom a coordinate or frequency."""
    n, d = game.Z.shape
    master, known, p = Master(n), np.empty((0, d)), np.full(n, 1.0 / n)
    best, adversary, lower = np.zeros(d), p, 0.0
    for _ in range(_ROUNDS):
        atoms = game.atoms(p)
        known = np.vstack([known, atoms])
        master.add(atoms @ game.Z.T)
        solution = master.solve()
        beta, p = solution.weights @ known, solution.p
        if game.margin(beta) > lower:
            lower, best = game.margin(beta), beta
        adversary = min(adversary, p, key=game.value)
        if game.value(adversary) - lower <= tol * game.value(adversary):
            break
    return best, adversary
