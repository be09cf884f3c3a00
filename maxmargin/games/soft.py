"""Soft margins: the same games with an adversary that may not put more than ``cap`` on any one point.

    gamma_nu = max_f  (mean of the worst fraction nu of the margins y_i f(x_i))
             = min { max_f sum_i p_i y_i f(x_i) : p on the simplex, p_i <= cap },        cap = 1 / (nu n)

The mean of the worst fraction (conditional value at risk) is the minimum of ``p . margins`` over those p, and the
order of max and min may be changed as before (Sion).  nu <= 1/n is the hard margin.  A classifier of positive soft
margin has fewer than a fraction nu of the points on its wrong side: the nu of the nu-SVM (Scholkopf et al., Neural
Computation 12, 2000), here without an intercept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import rounding
from ..conventions import Array
from ..errors import InputError
from .game import Game, Response

_FEW = 4.0  # roundings, in units, of a conversion to float64 and of the operations after it


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


def mean_below(margins: NDArray[Any], share: Fraction) -> float:
    """The mean of the `share` smallest margins (n,), rounded down; share = nu n.

    The sum is extended; what is left is the rounding of `share` and of the result, a few units of the terms summed.
    """
    whole = math.floor(share)
    smallest = np.sort(margins)[: whole + 1].astype(np.longdouble)
    weights = np.ones(len(smallest), np.longdouble)
    weights[whole:] = float(share - whole)
    size = float(np.abs(smallest).sum()) / float(share)
    error = _FEW * rounding.UNIT_ROUNDOFF + 2.0 * (len(margins) + 8) * float(np.finfo(np.longdouble).eps)
    return float(weights @ smallest) / float(share) - error * size


def beyond(p: Array, share: Fraction) -> float:
    """The part of p / sum p above the cap 1 / share, rounded up: moved elsewhere, it pays at most twice the radius."""
    near = p * float(share) > float(p.sum()) * (1.0 - 1e-9)  # the others are below the cap whatever rounding does
    total = sum(map(Fraction, p.tolist()), Fraction(0))
    above = (Fraction(value) / total - 1 / share for value in p[near].tolist())
    return float(sum((excess for excess in above if excess > 0), Fraction(0))) * (1.0 + _FEW * rounding.UNIT_ROUNDOFF)


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
    cap : 1/(nu n); a fraction is exact.

    Raises
    ------
    InputError : the game lacks one of them.
    """

    game: Any
    cap: float | Fraction

    @property
    def share(self) -> Fraction:
        """nu n, of how many margins the mean is taken."""
        return 1 / Fraction(self.cap)

    def __post_init__(self) -> None:
        demand(self.game, "a soft margin", ("margins", "margin_errors", "norm_above", "best_response", "radius"))

    def margins(self, learner: Any) -> Array:
        return np.asarray(self.game.margins(learner))

    def norm(self, learner: Any) -> float:
        return float(self.game.norm(learner))

    def lower(self, learner: Any) -> float:
        """The mean of the worst fraction nu of the margins over the norm, rounded down; 0 when that is negative."""
        norm = self.game.norm_above(learner)
        if norm <= 0.0:
            return 0.0
        worst = mean_below(self.margins(learner) - self.game.margin_errors(learner), self.share)
        return max(0.0, rounding.below(worst / norm, rounding.dot_error(abs(worst) / norm, 4)))

    def best_response(self, p: Array) -> Response:
        """As in the hard game, for a point of the capped simplex near p / sum p.

        No f of the unit ball exceeds `radius` on a point, which bounds the effect of moving what is beyond the cap.
        """
        return self._with_room(self.game.best_response(p), p)

    def response_from(self, proof: dict[str, Any], p: Array) -> Response:
        """The same from stored dual multipliers."""
        return self._with_room(self.game.response_from(proof, p), p)

    def _with_room(self, response: Response, p: Array) -> Response:
        missing = 2.0 * beyond(p, self.share) * self.game.radius * (1.0 + rounding.relative_error(len(p) + 16))
        return replace(response, bound=rounding.above(response.bound, missing) if missing else response.bound)

    def negligible(self, p: Array) -> float:
        """At most 0: weights that cancel exactly may exceed the cap, so that only an upper end of 0 is a proof."""
        return min(0.0, float(self.game.negligible(p)))


def demand(game: Any, asker: str, needs: Iterable[str]) -> None:
    """`InputError` that lists what `asker` needs of a game and names the missing one."""
    needs = tuple(needs)
    missing = [name for name in needs if not hasattr(game, name)]
    if missing:
        raise InputError(f"{asker} needs {', '.join(needs)} of a game; {type(game).__name__} has no {missing[0]}")
