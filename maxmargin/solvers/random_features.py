"""gamma_2^(m): the max margin over the output weights of given hidden neurons (Prop. 7)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..conventions import Array, mean_field
from ..features.kernels_gram import FeatureGram
from ..games.game import Bracket, Pair
from ..games.random_features import RandomFeatureGame
from .affine_hull import AffineHull
from .min_norm_point import min_norm_point

_CORRECTIONS = 4


def random_feature_margin(Phi: Array, y: Array) -> Pair:
    """``max { min_i y_i (1/m) sum_j r_j Phi_ji : (1/m) |r|^2 <= 1 }``, for any m and n.

    The dual is the least-norm point of n points in R^m.  Its active set never holds more than m + 1 points and only
    their rows of Phi'Phi are formed, so that m < n costs what a primal method would.

    Parameters
    ----------
    Phi : (m, n) features sigma(a_j . z_i) of the network's own hidden layer.  y : (n,) labels +-1.

    Returns
    -------
    Pair : for `RandomFeatureGame` to certify; the learner is r (m,), of norm one.
    """
    game = RandomFeatureGame(Phi, y)
    solution = min_norm_point(FeatureGram(Phi), y)
    r = _equalised(game, solution.p)
    return replace(solution, learner=r)


def random_feature_bracket(Phi: Array, y: Array) -> Bracket:
    """gamma_2^(m) of these features, proved at both ends."""
    found = random_feature_margin(Phi, y)
    return RandomFeatureGame(Phi, y).certify(found.learner, found.p)


def _equalised(game: RandomFeatureGame, p: Array) -> Array:
    """The best response to p with the margins of p's support made equal to the last digit.

    Through p alone they are equal to roundoff times ``|Phi_i|^2 / m``, which may be coarse beside gamma^2; the output
    weights themselves can be corrected down to roundoff times ``|Phi_i|``.
    """
    S = np.flatnonzero(p)
    signed = game.Phi[:, S] * game.y[S]
    r: Array = game.best_response(p).learner
    least = float(game.margins(r).min()) / (game.norm(r) or 1.0)
    if not least > 0.0:
        return r
    hull = AffineHull(signed.T @ signed * mean_field(len(r)))
    extended = signed.T.astype(np.longdouble)
    for _ in range(_CORRECTIONS):
        margins = extended @ r * mean_field(len(r))
        better = r + signed @ hull.correction((margins.mean() - margins).astype(float))
        reached = float(game.margins(better).min()) / game.norm(better)
        if reached <= least:
            break
        r, least = better, reached
    return r / game.norm(r)
