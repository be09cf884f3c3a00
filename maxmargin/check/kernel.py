"""The kernel ball (F2 and the tangent kernel) in fixed-point integers: both ends of the bracket.

    lower:  min_i y_i (K c)_i >= lower sqrt(c' K c)          upper:  sqrt(p' Y K Y p) <= upper sum_i p_i

With A = |z|^2, B = |z'|^2, G = z.z', h = sqrt(A B - G^2) = |z||z'| sin theta and psi = pi - theta, directions uniform
on the sphere S^{D-1} give (theory.md A1; Cho and Saul 2009)

    2 pi E[1 1]                     = psi
    2 pi D E[(a.z)_+ (a.z')_+]      = h + psi G
    2 pi D (D+2) E[(.)_+^2 (.)_+^2] = 3 h G + psi (A B + 2 G^2)

and a two-sided activation adds the same terms at -z' (G -> -G, psi -> theta).  Gaussian directions drop the factors
D and D(D+2).  A, B, G are exact integers, so nothing cancels before the root and the angle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from . import angles
from .angles import BITS
from .claim import Activation, Array, Claim
from .exact import Integers, exact_sum, integers, power_of_two, sqrt_above
from .verdict import Refusal

# An entry of 2 pi K is off by at most 2**-GOOD_BITS (|z||z'|)^degree times the coefficients' size.
GOOD_BITS = BITS - 40


@dataclass(frozen=True)
class Gram:
    """``2 pi K[:, support] = N * unit`` up to ``error * unit`` entry by entry; N, error (n, s) integers."""

    N: Integers
    error: Integers
    unit: Fraction
    support: np.ndarray

    def quadratic(self, c: Integers) -> Fraction:
        """An upper bound on ``2 pi c'Kc`` for integers c (s,)."""
        square = c @ self.N[self.support] @ c + np.abs(c) @ self.error[self.support] @ np.abs(c)
        return max(int(square), 0) * self.unit


def check_lower(claim: Claim, gram: Gram) -> str:
    """min_i y_i (K c)_i >= lower sqrt(c'Kc)."""
    if claim.lower == 0.0:
        return "lower = 0 holds for every data set (f = 0)"
    c, exponent = integers(_coefficients(claim)[gram.support])
    margins = claim.y.astype(int).astype(object) * (gram.N @ c) - gram.error @ np.abs(c)
    worst = int(np.argmin(margins))
    least, square = int(margins[worst]) * gram.unit, gram.quadratic(c) * _two_pi(above=True)
    if least <= 0 or Fraction(claim.lower) ** 2 * square > least**2:
        reached = math.copysign(_root(least**2 / square), least) if square else 0.0
        raise Refusal(
            f"lower: the classifier reaches {reached:.17g} (at point {worst}), below the claimed {claim.lower!r}"
        )
    return f"the classifier's margin is at least {claim.lower!r} (smallest at point {worst})"


def check_upper(claim: Claim, gram: Gram) -> str:
    """sqrt(p'YKYp) <= upper sum p."""
    q, exponent = integers((claim.p * claim.y)[gram.support])
    square = gram.quadratic(q) * power_of_two(2 * exponent)
    allowed = Fraction(claim.upper) * exact_sum(claim.p)
    if square > allowed**2 * _two_pi(above=False):
        paid = _root(square / _two_pi(above=False) / exact_sum(claim.p) ** 2)
        raise Refusal(
            f"upper: the unit ball can earn {paid:.17g} from the adversary, more than the claimed {claim.upper!r}"
        )
    return f"no function of the unit ball earns more than {claim.upper!r} from the adversary"


def gram_columns(claim: Claim) -> Gram:
    """The columns of 2 pi K on which the classifier or the adversary lives."""
    support = np.flatnonzero((_coefficients(claim) != 0.0) | (claim.p != 0.0))
    points, exponent = integers(claim.Z)
    guard = 90  # h and |z||z'| then have at least 180 bits
    points, exponent = points << guard, exponent - guard
    others = points[support]
    squares = (points * points).sum(axis=1)
    AB = squares[:, None] * squares[support][None, :]
    G = points @ others.T
    h, length = angles.floor_sqrt(AB - G * G), angles.floor_sqrt(AB)
    empty = length == 0
    theta = angles.angle(np.where(empty, 1, G), h, np.where(empty, 1, length))
    return _assemble(claim, _Angles(AB, G, h, length, theta, 2 * exponent), support)


@dataclass(frozen=True)
class _Angles:
    """Integers per pair of points; G, h, length in units 2**exponent, AB in its square, theta in 2**-BITS."""

    AB: Integers
    G: Integers
    h: Integers
    length: Integers
    theta: Integers
    exponent: int

    def expectation(self, degree: int, D: int, gaussian: bool, opposite: bool) -> tuple[Integers, Fraction]:
        """2 pi E[(a.z)_+^k (+-a.z')_+^k] as integers times a fraction (without ``2**(k exponent - BITS)``)."""
        psi = self.theta if opposite else angles.pi_units() - self.theta
        G = -self.G if opposite else self.G
        if degree == 0:
            return psi, Fraction(1)
        if degree == 1:
            return (self.h << BITS) + psi * G, Fraction(1, 1 if gaussian else D)
        return 3 * (self.h << BITS) * G + psi * (self.AB + 2 * G * G), Fraction(1, 1 if gaussian else D * (D + 2))


def _assemble(claim: Claim, pairs: _Angles, support: np.ndarray) -> Gram:
    """Sum of the kernel's terms with their rational coefficients, over one common denominator."""
    D, activation = claim.Z.shape[1], claim.activation
    terms: list[tuple[Fraction, Integers]] = []
    if claim.norm == "f2" or activation.degree == 1:
        terms += [(c, values) for c, values in _product(activation, pairs, D, claim.law == "gaussian")]
    if claim.norm == "ntk":
        slope = Activation(
            activation.degree - 1, activation.degree * activation.right, -activation.degree * activation.left
        )
        terms += [(c, values * pairs.G) for c, values in _product(slope, pairs, D, claim.law == "gaussian")]
    denominator = math.lcm(*(c.denominator for c, _ in terms))
    N = sum(int(c * denominator) * values for c, values in terms)
    size = sum(abs(int(c * denominator)) for c, _ in terms)
    error = size * (pairs.length + 1) ** activation.degree << (BITS - GOOD_BITS)
    return Gram(np.asarray(N), error, power_of_two(activation.degree * pairs.exponent - BITS) / denominator, support)


def _product(activation: Activation, pairs: _Angles, D: int, gaussian: bool) -> list[tuple[Fraction, Integers]]:
    """2 pi E[sigma sigma'] = (r^2 + l^2) E[+ +] + 2 r l E[+ -] as (coefficient, integers)."""
    right, left = Fraction(activation.right), Fraction(activation.left)
    terms = []
    for coefficient, opposite in ((right**2 + left**2, False), (2 * right * left, True)):
        if coefficient:
            values, constant = pairs.expectation(activation.degree, D, gaussian, opposite)
            terms.append((coefficient * constant, values))
    return terms


def _coefficients(claim: Claim) -> Array:
    if claim.coefficients is None:
        raise Refusal("classifier: coefficients on the training points were expected")
    return claim.coefficients


def _two_pi(above: bool) -> Fraction:
    return Fraction(2 * (angles.pi_units() + (64 if above else -64)), angles.ONE)


def _root(value: Fraction) -> float:
    """sqrt as a float, for messages, without overflow on the way."""
    return float(sqrt_above(value))
