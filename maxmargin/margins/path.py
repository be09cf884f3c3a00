"""The regularisation path and its end: normalised margins that tend to the max margin as lambda -> 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import Array, law_of
from ..dataset import Dataset, load
from ..errors import InputError
from ..features.homogeneous import Feature, get_feature
from ..games.game import Bracket, Game
from ..games.measure import Measure
from ..games.rkhs import KernelExpansion, KernelGame, network_game
from ..games.variation import VariationGame
from ..options import choice
from ..oracles.selection import EXACT_DIMENSION, Proving, exact_oracle, local_oracle
from ..solvers.regularised_kernel import LOSSES, kernel_path
from ..solvers.regularised_variation import VariationPath

DECADES = 16
_FELT = 1e-12


@dataclass(frozen=True)
class PathPoint:
    """The regularised classifier at one lambda, as a proposal for the max-margin game.

    Attributes
    ----------
    lam : lambda of ``(1/n) sum_i loss(y_i f(x_i)) + lambda * (|f|^2 / 2 or |f|_F1)``.
    bracket : lower = the classifier's normalised margin (0 while it does not separate), upper = the best payoff
        against its dual weights; both enclose the max margin and tend to it.
    classifier : `Measure` (f1) or `KernelExpansion` on the training points, not normalised.
    adversary : (n,) normalised dual weights, proportional to -loss'(y_i f(x_i)).
    """

    lam: float
    bracket: Bracket
    classifier: Measure | KernelExpansion
    adversary: Array


def margin_path(
    data: Dataset | Any,
    norm: str = "f2",
    lambdas: ArrayLike | None = None,
    loss: str = "logistic",
    *,
    feature: str | Feature = "relu",
    bias: bool = True,
    convention: str = "sphere",
    law: str = "sphere",
    seed: int = 0,
    weights: str | None = None,
) -> list[PathPoint]:
    """Solve the regularised problems of decreasing lambda and certify each as a max-margin proposal.

    ::

        minimise (1/n) sum_i loss(y_i f(x_i)) + lambda { |f|^2 / 2      norm "f2", "ntk"
                                                       { |f|_F1         norm "f1"

    Parameters
    ----------
    data, norm, feature, bias, convention, law, seed, weights : as in `max_margin`.
    lambdas : positive; solved from the largest down. By default `DECADES` powers of ten below the data's scale.
    loss : "logistic" (the gap closes like log n / log(1/lambda); lambda may be as small as 1e-290) or "hinge" (the
        max margin is reached at a positive lambda).

    Returns
    -------
    list of PathPoint, one per lambda, from the largest lambda to the smallest.

    Raises
    ------
    InputError : bad data or option, in one sentence.
    """
    dataset, feature = load(data), get_feature(feature)
    choice("loss", loss, LOSSES)
    Z, y = dataset.inputs(bias), dataset.y
    scale = float(np.mean(np.linalg.norm(Z, axis=1) ** feature.degree))
    if norm != "f1":
        game = network_game(norm, feature, Z, y, law_of(law, weights))
        lambdas = _decreasing(lambdas, scale**2)
        return _points(game, lambdas, _kernel(game, lambdas, loss))
    sphere = VariationGame(Z, y, feature, convention, oracle=Proving(Z, feature))
    exact = Z.shape[1] <= EXACT_DIMENSION
    search = exact_oracle(Z, feature) if exact else local_oracle(Z, feature, seed)
    lambdas = _decreasing(lambdas, scale)
    # the norm of the convention is the path's total variation divided by the game's factor
    return _points(sphere, lambdas, VariationPath(Z, y, feature, search, loss)(lambdas / sphere.factor))


def _kernel(game: KernelGame, lambdas: Array, loss: str) -> Iterator[tuple[KernelExpansion, Array]]:
    """f = scale sum_i y_i u_i K_i in the game's units: lambda is divided by scale^2 there."""
    for u in kernel_path(np.asarray(game.K), game.y, lambdas / game.scale**2, loss):
        yield KernelExpansion(game.y * u / game.scale**2), u


def _points(game: Game, lambdas: Array, found: Iterable[tuple[Any, Array]]) -> list[PathPoint]:
    """Learners with their dual weights u, certified; weights that no double-precision payoff can feel are dropped."""
    points = []
    for lam, (learner, u) in zip(lambdas, found, strict=True):
        p = np.where(u > _FELT * u.max(), u / u.max(), 0.0)
        p /= p.sum()
        points.append(PathPoint(float(lam), game.certify(learner, p), learner, p))
    return points


def _decreasing(lambdas: ArrayLike | None, scale: float) -> Array:
    if lambdas is None:
        return scale * 10.0 ** -np.arange(DECADES, dtype=float)
    values = np.sort(np.atleast_1d(np.asarray(lambdas, dtype=float)))[::-1]
    if not len(values) or not (np.isfinite(values) & (values > 0.0)).all():
        raise InputError(f"lambdas: found {lambdas!r}, wanted positive numbers, e.g. [1, 1e-2, 1e-4]")
    return values
