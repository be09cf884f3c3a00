"""Soft margins: the same games with an adversary that may not put more than ``cap`` on any one point.

    gamma_nu = max_f  (mean of the worst fraction nu of the margins y_i f(x_i))
             = min { max_f sum_i p_i y_i f(x_i) : p on the simplex, p_i <= cap },        cap = 1 / (nu n)

The mean of the worst fraction (conditional value at risk) is the minimum of ``p . margins`` over those p, and the
order of max and min may be changed as before (Sion).  nu <= 1/n is the hard margin.  A classifier of positive soft
margin has fewer than a fraction nu of the points on its wrong side: the nu of the nu-SVM (Scholkopf et al., Neural
Computation 12, 2000), here without an intercept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import rounding
from ..errors import InputError
from .game import Game, Response

Array = NDArray[np.float64]


def largest_weight(nu: float, n: int) -> float:
    """cap = 1/(nu n), at most 1 (the hard margin).

    Raises
    ------
    InputError : nu is not in (0, 1].
    """
    if isinstance(nu, bool) or not isinstance(nu, (int, float, np.floating)) or not 0.0 < nu <= 1.0:
        raise InputError(f"nu: found {nu!r}, wanted a fraction of the points above 0 and at most 1, e.g. 0.1")
    return min(1.0, 1.0 / (nu * n))


def worst_mean(margins: Array, cap: float) -> float:
    """min { p . margins : sum p = 1, 0 <= p <= cap }: fill the smallest margins first."""
    weights = np.clip(1.0 - cap * np.arange(len(margins)), 0.0, cap)
    return float(weights @ np.sort(margins))


def capped(p: Array, cap: float) -> Array:
    """A point of the capped simplex near p >= 0: no entry above `cap`, the mass cut off spread over the room left."""
    p = p / p.sum()
    if cap >= 1.0 or p.max() <= cap:
        return p
    room, cut = np.maximum(cap - p, 0.0), np.minimum(p, cap)
    spread = max(1.0 - float(cut.sum()), 0.0)  # below zero by rounding, which would make weights of zero negative
    return np.minimum(cut + spread * room / (room.sum() or 1.0), cap)


@dataclass(frozen=True)
class Capped(Game):
    """A game whose adversary puts at most `cap` on one point: its value is the soft margin.

    Attributes
    ----------
    game : any game with `margin_errors`, `norm_above` and `radius`, which bound the rounding of a mean of margins.
    cap : 1/(nu n).

    Raises
    ------
    InputError : the game lacks one of them.
    """

    game: Any
    cap: float

    def __post_init__(self) -> None:
        demand(self.game, "a soft margin", ("margins", "margin_errors", "norm_above", "best_response", "radius"))

    def margins(self, learner: Any) -> Array:
        """y_i f(x_i), shape (n,)."""
        return np.asarray(self.game.margins(learner))

    def norm(self, learner: Any) -> float:
        """As in the hard game."""
        return float(self.game.norm(learner))

    def lower(self, learner: Any) -> float:
        """The mean of the worst fraction nu of the margins over the norm, rounded down; 0 when that is negative."""
        norm = self.game.norm_above(learner)
        if norm <= 0.0:
            return 0.0
        margins = self.margins(learner) - self.game.margin_errors(learner)
        slack = rounding.dot_error(float(np.abs(margins).max()) / norm, len(margins) + 4)
        return max(0.0, rounding.below(worst_mean(margins, self.cap) / norm, slack))

    def best_response(self, p: Array) -> Response:
        """As in the hard game, for the point of the capped simplex that is nearest to p.

        No f of the unit ball exceeds `radius` on a point, which bounds the effect of a sum of p below one and of
        weights beyond the cap, rounding of the cap included.
        """
        return self._with_room(self.game.best_response(p), p)

    def response_from(self, proof: dict[str, Any], p: Array) -> Response:
        """The same from stored dual multipliers."""
        return self._with_room(self.game.response_from(proof, p), p)

    def _with_room(self, response: Response, p: Array) -> Response:
        beyond = 2.0 * float(np.maximum(p - self.cap, 0.0).sum()) + 2.0 * abs(1.0 - float(p.sum()))
        missing = (beyond + rounding.relative_error(len(p) + 4)) * self.game.radius
        bound = rounding.above(response.bound + missing, rounding.dot_error(response.bound + missing, len(p)))
        return replace(response, bound=bound)

    def negligible(self, p: Array) -> float:
        """As in the hard game."""
        return float(self.game.negligible(p))


def demand(game: Any, asker: str, needs: Iterable[str]) -> None:
    """`InputError` that lists what `asker` needs of a game and names the missing one."""
    needs = tuple(needs)
    missing = [name for name in needs if not hasattr(game, name)]
    if missing:
        raise InputError(f"{asker} needs {', '.join(needs)} of a game; {type(game).__name__} has no {missing[0]}")
