"""Soft margins: the mean of the worst fraction nu of the margins, against weights of at most 1/(nu n) on a point.

    lower:  (sum of the k = floor(nu n) smallest margins + (nu n - k) times the next) / (nu n)
    upper:  max_f p'm(f) for p of the capped simplex

Weights are doubles, whose sum s is not exactly one.  Divided by s they leave the capped simplex by some mass
e = sum_i (p_i / s - cap)_+.  No f of the unit ball exceeds R = max_i |K(x_i, .)| (or max_i |z_i|^degree) on a point:
moving that mass to other points changes a payoff by at most 2 e R, and that is taken off the upper end before it is
compared with payoffs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from .claim import Claim, unit_square
from .exact import exact_sum, sqrt_above


def worst(margins: Any, nu: float | None) -> Fraction:
    """The smallest of the margins (n,) of integers, or the mean of the worst fraction nu of them."""
    share = Fraction(1) if nu is None else Fraction(nu) * len(margins)
    if share <= 1:
        return Fraction(int(np.min(margins)))
    ordered = sorted(int(m) for m in margins)
    whole = math.floor(share)
    rest = (share - whole) * ordered[whole] if whole < len(ordered) else Fraction(0)
    return (sum(ordered[:whole]) + rest) / share


def allowing_for_rounding(claim: Claim) -> Claim:
    """The claim with an upper end that allows for the distance of p from the capped simplex."""
    if claim.nu is None or math.isinf(claim.upper):
        return claim
    weights = [Fraction(float(p)) for p in claim.p]
    total, cap = exact_sum(claim.p), 1 / (Fraction(claim.nu) * len(weights))
    outside = sum((max(p / total - cap, Fraction(0)) for p in weights), Fraction(0))
    if not outside:
        return claim
    room = Fraction(claim.upper) - 2 * outside * _radius(claim)
    return replace(claim, upper=max(0.0, math.nextafter(float(room), -math.inf)))


def _radius(claim: Claim) -> Fraction:
    """The largest value of a function of the unit ball on a point, rounded up."""
    squares = (sum((Fraction(float(v)) ** 2 for v in z), Fraction(0)) for z in claim.Z)
    return sqrt_above(unit_square(claim) * max(squares) ** claim.activation.degree)
