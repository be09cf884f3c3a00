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

import numpy as np
from numpy.typing import NDArray

from .. import rounding
from ..errors import InputError
from ..features.kernels_gram import NetworkGram
from ..oracles.oracle import SPHERE_BOUND
from .bracket import Bracket
from .measure import Measure
from .rkhs import KERNEL, KernelExpansion, KernelGame
from .variation import VariationGame

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
    if cap >= 1.0:
        return float(margins.min())
    weights = np.clip(1.0 - cap * np.arange(len(margins)), 0.0, cap)
    return float(weights @ np.sort(margins))


def capped(p: Array, cap: float) -> Array:
    """A point of the capped simplex near p >= 0: no entry above `cap`, the mass cut off spread over the room left."""
    p = p / p.sum()
    if cap >= 1.0 or p.max() <= cap:
        return p
    room = np.maximum(cap - p, 0.0)
    return np.minimum(np.minimum(p, cap) + (1.0 - np.minimum(p, cap).sum()) * room / (room.sum() or 1.0), cap)


def soft_variation_bracket(game: VariationGame, measure: Measure, p: Array, cap: float) -> Bracket:
    """Bracket of the soft F1 margin from any measure and any p of the capped simplex, rounded outward."""
    feature, (K, D) = game.feature, measure.directions.shape
    response, norm = game.best_response(p, count=1), game.norm(measure)
    magnitude = game.factor * max(abs(feature.right), abs(feature.left)) * measure.magnitudes(game.Z, feature)
    margins = game.margins(measure) - rounding.relative_error(2 * (K + feature.degree * D) + 8) * magnitude
    radius = game.factor * max(abs(feature.right), abs(feature.left)) * _largest(game.Z) ** feature.degree
    lower = _lower(margins, norm, cap, K + feature.degree * D)
    return Bracket(lower, _upper(game.factor * response.bound, radius, p), response.scope or SPHERE_BOUND)


def soft_kernel_bracket(game: KernelGame, learner: KernelExpansion, p: Array, cap: float) -> Bracket:
    """Bracket of the soft margin of a kernel game from any coefficients and any p of the capped simplex."""
    n, radii = len(p), game.scale * np.sqrt(np.maximum(game.K.diagonal(), 0.0))
    # Each entry |K_ij| <= r_i r_j carries its own error and the rounding of a sum of n terms, twice for a square.
    entry = game.K.entry_error if isinstance(game.K, NetworkGram) else game.entry_error
    error = 1.01 * (entry + rounding.relative_error(4 * n + 32))
    size, payer = float(np.abs(learner.coefficients) @ radii), float(p @ radii)
    margins = game.margins(learner) - error * size * radii
    norm = math.sqrt(game.norm(learner) ** 2 + error * size * size)
    value = math.sqrt(game.best_response(p).value ** 2 + error * payer * payer)
    return Bracket(_lower(margins, norm, cap, 4), _upper(value, float(radii.max()), p), KERNEL)


def _lower(margins: Array, norm: float, cap: float, terms: int) -> float:
    """The worst mean over a norm of so many terms, rounded down; 0 when that is negative."""
    if norm <= 0.0:
        return 0.0
    slack = rounding.dot_error(float(np.abs(margins).max()) / norm, len(margins) + terms)
    return max(0.0, rounding.below(worst_mean(margins, cap) / norm, slack))


def _upper(bound: float, radius: float, p: Array) -> float:
    """Rounded up; no f of the unit ball exceeds `radius` on a point, which pays for the rounding of sum p = 1."""
    # the cap is rounded, too: mass of at most u, which moves the payoff by 2u radius
    missing = (abs(1.0 - float(p.sum())) + rounding.relative_error(len(p) + 4)) * radius
    return rounding.above(bound + missing, rounding.dot_error(bound + missing, len(p)))


def _largest(Z: Array) -> float:
    return float(np.linalg.norm(Z, axis=1).max())
